//! One address family of a shard: table, decisions, update groups, FIB, own routes, and the work that is cut in slices.

use std::sync::Arc;
use std::time::Duration;

use bgp_packet::Family;
use ferrite_policy::{Range, Scope};
use ferrite_rpki::Delta;
use ferrite_types::zclient::RouteOutcome;
use ferrite_types::{Safi, Timestamp};
use smallvec::SmallVec;

use super::aggregate::{Aggregates, Origination};
use super::attrs::AttrId;
use super::ctx::{Ctx, local_id};
use super::damping::Damping;
use super::decision::{self, Candidate, Multipath};
use super::default_route::{DefaultWatches, Purpose};
use super::defer::Deferral;
use super::event::{Contribution, ShardAction};
use super::export::GroupKey;
use super::fib::Fib;
use super::group::{Group, Touched};
use super::local::Originated;
use super::monitor::Monitor;
use super::nexthop::NexthopId;
use super::peers::PeerIdx;
use super::same::same_filter;
use super::settings::{AggregateStatement, FamilySettings};
use super::table::{Entry, Handle, Key, Path, PathFlags, Table, entry_flags, shard_of};
use super::walk::Walks;

/// Work over the whole table, a slice at a time.
#[derive(Debug)]
pub struct Job {
    pub kind: JobKind,
    cursor: usize,
    /// The entries to visit, where they are few and known; else the whole table is walked.
    places: Option<Vec<Handle>>,
}

/// Up to this many prefixes are looked up one by one rather than found in a walk over the table.
const LOOKUPS: usize = 4096;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobKind {
    /// Removes paths of a peer that are of no epoch it holds.
    Flush(PeerIdx),
    /// Marks what is stale of a peer as kept for long.
    LongLived(PeerIdx),
    /// Runs import policy again over what is stored of some peers, within a scope.
    Reimport(Vec<PeerIdx>, Scope),
    /// Has some update groups evaluate what is within a scope again.
    Mark(Vec<u32>, Scope),
    /// The same of what an aggregate suppresses only.
    MarkSuppressed(u32, Scope),
    /// Looks again at which routes within a scope make a condition true.
    Watch(Scope),
    /// Decides again what is within a scope: aggregates there are others now.
    Under(Scope),
    /// Gives zebra again what is within a scope, where it has changed.
    Fib(Scope),
    /// Decides again where one of these next hops is used.
    Nexthops(Vec<NexthopId>),
    /// Judges again what a change of the RPKI may touch.
    Revalidate(Arc<Delta>),
    /// Puts the prefixes in order.
    Order,
    /// Notes which entries name which attributes.
    Users,
    /// Decides everything again; aggregates are summed up anew.
    Everything,
}

/// A family.
#[derive(Debug)]
pub struct Rib<P> {
    pub family: Family,
    /// Place of the family in a peer's counts.
    pub slot: usize,
    pub table: Table<P>,
    pub groups: Vec<Group<P>>,
    /// A neighbour with a maximum may be told more, by whichever shard.
    room_made: bool,
    next_group: u32,
    pub fib: Fib,
    pub aggregates: Aggregates<P>,
    defaults: DefaultWatches,
    pub originated: Originated<P>,
    pub damping: Damping<P>,
    /// When conditions may change what is told again.
    conditions_due: Timestamp,
    defaults_due: Timestamp,
    /// A condition changed before that.
    conditions_pending: bool,
    defaults_pending: bool,
    /// Entries whose decision is to be taken again, in order of change.
    pub(super) changed: Vec<Handle>,
    pub jobs: Vec<Job>,
    pub version: u32,
    pub walks: Walks<P>,
    pub monitor: Monitor<P>,
    /// Routes that went through import, cached results not counted.
    pub imported: u64,
    /// Routes that went through export in groups that are gone.
    exported_before: u64,
    candidates: Vec<Candidate>,
    pub(super) deferral: Deferral,
}

impl<P: Key> Rib<P> {
    pub fn new(family: Family, slot: usize) -> Self {
        Self {
            family,
            slot,
            table: Table::default(),
            groups: Vec::new(),
            room_made: false,
            next_group: 1,
            fib: Fib::default(),
            aggregates: Aggregates::new(family),
            defaults: DefaultWatches::default(),
            originated: Originated::default(),
            damping: Damping::default(),
            conditions_due: Timestamp::ZERO,
            defaults_due: Timestamp::ZERO,
            conditions_pending: false,
            defaults_pending: false,
            changed: Vec::new(),
            jobs: Vec::new(),
            version: 0,
            walks: Walks::default(),
            monitor: Monitor::default(),
            imported: 0,
            exported_before: 0,
            candidates: Vec::new(),
            deferral: Deferral::default(),
        }
    }

    /// Notes that the entry must be decided again.
    #[inline]
    pub fn touch(&mut self, handle: Handle) {
        if let Some(entry) = self.table.get_mut(handle)
            && !entry.has(entry_flags::CHANGED)
        {
            entry.set(entry_flags::CHANGED, true);
            self.changed.push(handle);
        }
    }

    pub fn start(&mut self, kind: JobKind) {
        match self.jobs.iter_mut().find(|job| job.kind == kind) {
            Some(job) => job.cursor = 0,
            None => self.jobs.push(Job { kind, cursor: 0, places: None }),
        }
    }

    /// Starts work on these entries.
    pub fn start_at(&mut self, kind: JobKind, places: Vec<Handle>) {
        if !places.is_empty() {
            self.jobs.push(Job { kind, cursor: 0, places: Some(places) });
        }
    }

    /// Starts work on what lies in a scope.
    fn start_within(&mut self, kind: JobKind, scope: &Scope) {
        let few = match scope {
            Scope::All => None,
            Scope::Within(ranges) => ranges.prefixes(P::AFI, LOOKUPS.min(self.table.len())),
        };
        let Some(few) = few else { return self.start(kind) };
        let places: Vec<Handle> =
            few.into_iter().filter_map(|prefix| self.table.find(&P::from_prefix(prefix)?)).collect();
        self.start_at(kind, places);
    }

    /// Runs import policy again over what is stored of these peers.
    pub fn start_reimport(&mut self, peers: Vec<PeerIdx>, scope: Scope) {
        if !scope.is_none() && !peers.is_empty() {
            self.start_within(JobKind::Reimport(peers, scope.clone()), &scope);
        }
    }

    /// Has a group evaluate again what an edit of its policy touched. Groups that the same edit touched share one walk.
    fn start_mark(&mut self, group: u32, scope: Scope) {
        if scope.is_none() {
            return;
        }
        let shared = self.jobs.iter_mut().find_map(|job| match &mut job.kind {
            JobKind::Mark(groups, of) if job.cursor == 0 && *of == scope => Some(groups),
            _ => None,
        });
        match shared {
            Some(groups) if groups.contains(&group) => {}
            Some(groups) => groups.push(group),
            None => self.start_within(JobKind::Mark(vec![group], scope.clone()), &scope),
        }
    }

    /// Whether aggregates are being summed up anew.
    fn rebuilding(&self) -> bool {
        self.jobs.iter().any(|job| matches!(job.kind, JobKind::Everything | JobKind::Under(_)))
    }

    /// Whether conditions are being looked at again: until that is done they stand as they did.
    fn watching(&self) -> bool {
        self.jobs.iter().any(|job| matches!(job.kind, JobKind::Watch(_)))
    }

    /// One slice of everything there is to do. Returns updates given to zebra.
    pub fn tick(&mut self, ctx: &mut Ctx, fib_outstanding: usize, out: &mut Vec<ShardAction>) -> usize {
        self.sweep_redistributed(ctx);
        self.tick_damping(ctx);
        self.run_job(ctx);
        if self.is_deferred() {
            self.prepare(ctx);
            return 0;
        }
        self.settle(ctx, out);
        self.settle_aggregates(ctx, out);
        self.settle_defaults(ctx, out);
        let complete = self.completes(ctx);
        for group in &mut self.groups {
            group.work(ctx, &mut self.table, ctx.limits.slice, complete, out);
            self.room_made |= group.take_room_made();
        }
        self.tell_room(ctx, out);
        let config = Arc::clone(&ctx.config);
        let sent = match config.family(self.family) {
            Some(settings) => {
                self.fib.flush(ctx, &mut self.table, self.family.safi, settings, fib_outstanding, out)
            }
            None => 0,
        };
        // What needs no word of the kernel is told now.
        for handle in self.fib.take_ready() {
            self.groups.iter_mut().for_each(|group| group.mark(handle));
        }
        sent
    }

    /// Other shards may have kept something back.
    fn tell_room(&mut self, ctx: &Ctx, out: &mut Vec<ShardAction>) {
        if !std::mem::take(&mut self.room_made) {
            return;
        }
        for to in (0..ctx.of).filter(|to| *to != ctx.index) {
            out.push(ShardAction::Contribute { to, part: Contribution::Room(self.family) });
        }
    }

    /// `bgp suppress-fib-pending`: what neighbours are told of the entry waits for the kernel.
    fn await_fib(&mut self, handle: Handle) {
        let connected = self.fib.is_connected();
        if let Some(entry) = self.table.get_mut(handle) {
            let installs = entry.best().is_some_and(|path| !path.peer.is_local());
            entry.set(entry_flags::FIB_WAIT, connected && installs);
        }
    }

    /// Zebra's word on a route: what waited for it is told.
    pub fn fib_result(&mut self, prefix: ferrite_types::Prefix, outcome: RouteOutcome) {
        let Some(prefix) = P::from_prefix(prefix) else { return };
        super::fib::result(&mut self.table, prefix, outcome);
        let Some(handle) = self.table.find(&prefix).filter(|_| outcome == RouteOutcome::Installed) else {
            return;
        };
        let Some(entry) = self.table.get_mut(handle).filter(|entry| entry.has(entry_flags::FIB_WAIT)) else {
            return;
        };
        entry.set(entry_flags::FIB_WAIT, false);
        self.groups.iter_mut().for_each(|group| group.mark(handle));
    }

    /// Nothing waits for the kernel any more.
    pub fn await_nothing(&mut self) {
        for index in 0..self.table.capacity() {
            if let Some(entry) = self.table.get_mut(Handle(index as u32)) {
                entry.set(entry_flags::FIB_WAIT, false);
            }
        }
        self.reevaluate_groups();
    }

    /// When `tick` has work again without an event.
    pub fn next_deadline(&self, ctx: &Ctx, fib_room: bool) -> Option<Timestamp> {
        if self.is_deferred() {
            let now = (!self.jobs.is_empty() || self.is_preparing()).then_some(ctx.now);
            let waiting = self.walks.next_deadline().into_iter().chain(self.redistribution_deadline());
            return waiting.chain(now).min();
        }
        let now = !self.jobs.is_empty()
            || !self.changed.is_empty()
            || (self.aggregates.changed && !self.rebuilding())
            || (self.fib.has_work() && fib_room);
        if now {
            return Some(ctx.now);
        }
        let waiting = self.walks.next_deadline().into_iter().chain(self.redistribution_deadline());
        let conditions = [
            self.damping.next_deadline(),
            self.conditions_pending.then_some(self.conditions_due),
            self.defaults_pending.then_some(self.defaults_due),
        ];
        let waiting = waiting.chain(conditions.into_iter().flatten());
        let complete = self.is_complete(ctx);
        self.groups.iter().filter_map(|group| group.next_deadline(ctx, complete)).chain(waiting).min()
    }

    /// Whether nothing is on its way any more between routes taken in and groups.
    pub fn is_settled(&self) -> bool {
        self.jobs.is_empty() && self.changed.is_empty() && !self.aggregates.changed
    }

    /// Takes the decisions that are due and hands the entries to groups and FIB.
    fn settle(&mut self, ctx: &mut Ctx, out: &mut Vec<ShardAction>) {
        if self.changed.is_empty() {
            return;
        }
        let slice = ctx.limits.slice;
        let batch: Vec<Handle> = if self.changed.len() <= slice {
            std::mem::take(&mut self.changed)
        } else {
            self.changed.drain(..slice).collect()
        };
        for handle in &batch {
            self.decide(ctx, *handle);
            self.fib.mark(*handle);
            if ctx.config.suppress_fib_pending && self.family.safi == Safi::Unicast {
                self.await_fib(*handle);
            }
            if !self.defaults.is_empty() {
                self.defaults.note(ctx, *handle, self.table.get(*handle));
            }
        }
        for group in &mut self.groups {
            if group.direct(ctx) {
                group.flush(ctx, &mut self.table, &batch, out);
            } else {
                for handle in &batch {
                    group.mark(*handle);
                }
            }
        }
        // What has no paths and was told to nobody goes. A pinned entry goes with its last pin.
        for handle in batch {
            self.table.release(handle);
        }
    }

    /// The decision for one entry (RFC 4271 §9.1.2).
    fn decide(&mut self, ctx: &mut Ctx, handle: Handle) {
        let Some(entry) = self.table.get_mut(handle) else { return };
        entry.set(entry_flags::CHANGED, false);
        let before = entry.paths.iter().position(|path| path.flags.has(PathFlags::BEST));
        let usable: SmallVec<[usize; 8]> = entry
            .paths
            .iter_mut()
            .enumerate()
            .filter_map(|(index, path)| {
                let usable = ctx.usable(path, self.slot);
                path.flags.set(PathFlags::VALID, usable);
                usable.then_some(index)
            })
            .collect();
        let (best, shared) = choose(ctx, self.family, &mut self.candidates, &entry.paths, &usable);
        let mut touched = entry.has(entry_flags::BEST_TOUCHED) || before != best;
        for (index, path) in entry.paths.iter_mut().enumerate() {
            path.flags.set(PathFlags::BEST, Some(index) == best);
            let multipath = shared.contains(&index);
            touched |= path.flags.has(PathFlags::MULTIPATH) != multipath;
            path.flags.set(PathFlags::MULTIPATH, multipath);
        }
        entry.set(entry_flags::BEST_TOUCHED, false);
        if touched {
            self.version = self.version.wrapping_add(1);
            entry.version = self.version;
            self.monitor.note_best(entry.prefix);
        }
        if !self.aggregates.is_empty() || entry.has(entry_flags::SUPPRESSED) {
            let prefix = entry.prefix;
            let best = best.and_then(|index| entry.paths.get(index)).copied();
            // An aggregate does not hide or feed aggregates above it.
            let part = best.filter(|path| !is_aggregate(path)).map(|path| path.attrs);
            self.aggregates.contribute(ctx, handle, prefix, part);
            let hidden = part.is_some() && self.aggregates.suppresses(ctx, prefix, part);
            if let Some(entry) = self.table.get_mut(handle) {
                entry.set(entry_flags::SUPPRESSED, hidden);
            }
        }
    }

    /// Sends parts of aggregates to their owners and originates those that are ours.
    fn settle_aggregates(&mut self, ctx: &mut Ctx, out: &mut Vec<ShardAction>) {
        if !self.aggregates.changed || self.rebuilding() || !self.changed.is_empty() {
            return;
        }
        let messages = self.aggregates.settle(ctx);
        let under = self.aggregates.take_turned();
        self.decide_under(under);
        for (to, part) in messages {
            out.push(ShardAction::Contribute { to, part: Contribution::Aggregate(part) });
        }
        for change in self.aggregates.originate(ctx) {
            match change {
                Origination::Announce(prefix, attrs, local) => {
                    self.announce_own(ctx, prefix, local_id::AGGREGATE, attrs, local, PathFlags::default());
                }
                Origination::Withdraw(prefix) => self.withdraw_own(ctx, prefix, local_id::AGGREGATE),
            }
        }
    }

    /// Takes in another shard's part in what this one originates.
    pub fn contribution(&mut self, part: Contribution) {
        match part {
            Contribution::Aggregate(part) => self.aggregates.receive(part),
            Contribution::Room(_) => self.groups.iter_mut().for_each(Group::let_waiting_in),
            Contribution::Default(part) => {
                if self.defaults.receive(part) {
                    self.conditions_pending = true;
                    self.defaults_pending = true;
                }
            }
        }
    }

    /// Tells other shards what changed about conditions, and applies what changed here, no more often than configured.
    fn settle_defaults(&mut self, ctx: &Ctx, out: &mut Vec<ShardAction>) {
        if self.defaults.is_empty() || self.rebuilding() || self.watching() {
            return;
        }
        let (messages, changed) = self.defaults.settle(ctx, self.family, &self.table);
        out.extend(messages.into_iter().map(|(to, part)| ShardAction::Contribute { to, part }));
        self.conditions_pending |= changed;
        self.defaults_pending |= changed;
        let after = |seconds: u16| ctx.now + Duration::from_secs(u64::from(seconds));
        if self.defaults_pending && self.defaults_due <= ctx.now {
            self.defaults_pending = false;
            if self.apply_defaults() {
                self.defaults_due = after(ctx.config.default_interval);
            }
        }
        if self.conditions_pending && self.conditions_due <= ctx.now {
            self.conditions_pending = false;
            if self.apply_conditions() {
                self.conditions_due = after(ctx.config.advertise_interval);
            }
        }
    }

    /// Lets groups tell the default route, or not; whether that changes any.
    fn apply_defaults(&mut self) -> bool {
        let default = P::from_prefix(ferrite_types::Prefix::default_of(P::AFI));
        let Some(handle) = default.and_then(|prefix| self.table.find(&prefix)) else { return false };
        let mut changed = false;
        for group in &mut self.groups {
            let first =
                group.default_map().map(|map| self.defaults.first(map, Purpose::DefaultRoute).cloned());
            if first.is_some_and(|trail| group.allow_default(trail)) {
                group.mark(handle);
                changed = true;
            }
        }
        changed
    }

    /// Lets groups tell what an `advertise-map` names, or not; whether that changes any.
    fn apply_conditions(&mut self) -> bool {
        let capacity = self.table.capacity();
        let mut changed = false;
        for group in &mut self.groups {
            let Some(conditional) = group.conditional() else { continue };
            let met = self.defaults.holds(&conditional.condition, Purpose::Advertise) == conditional.exists;
            if group.allow_conditional(met) {
                group.reevaluate(capacity);
                changed = true;
            }
        }
        changed
    }

    /// Watches the maps that the groups' default routes depend on.
    fn watch_defaults(&mut self) {
        let defaults = self.groups.iter().filter_map(|group| group.default_map().cloned());
        let conditions = self.groups.iter().filter_map(|group| Some(group.conditional()?.condition.clone()));
        let maps: Vec<_> = defaults
            .map(|map| (map, Purpose::DefaultRoute))
            .chain(conditions.map(|map| (map, Purpose::Advertise)))
            .collect();
        let touched = self.defaults.set(&maps);
        if !touched.is_none() {
            self.start_within(JobKind::Watch(touched.clone()), &touched);
        }
        self.apply_defaults();
        self.apply_conditions();
    }

    fn run_job(&mut self, ctx: &mut Ctx) {
        if self.jobs.is_empty() {
            return;
        }
        let mut job = self.jobs.remove(0);
        let whole = job.places.as_ref().map_or(self.table.capacity(), Vec::len);
        let end = whole.min(job.cursor + ctx.limits.slice);
        for index in job.cursor..end {
            let handle = match &job.places {
                Some(places) => places.get(index).copied(),
                None => Some(Handle(index as u32)),
            };
            if let Some(handle) = handle {
                self.step(ctx, &job.kind, handle);
            }
        }
        job.cursor = end;
        if end < whole {
            self.jobs.insert(0, job);
            return;
        }
        self.finish_job(ctx, job.kind);
    }

    fn step(&mut self, ctx: &mut Ctx, kind: &JobKind, handle: Handle) {
        let Some(entry) = self.table.get(handle) else { return };
        match kind {
            JobKind::Flush(peer) => {
                let epochs = ctx.peers.get(*peer).and_then(|slot| slot.epochs.get(self.slot)).copied();
                let held = |epoch| epochs.is_some_and(|epochs| epochs.holds(epoch));
                let gone = |path: &Path| path.peer == *peer && !held(path.flags.epoch());
                if entry.paths.iter().any(gone) {
                    self.take_where(ctx, handle, gone);
                    self.table.release(handle);
                }
            }
            JobKind::LongLived(peer) => {
                if entry.paths.iter().any(|path| path.peer == *peer) {
                    self.live_long(ctx, *peer, handle);
                }
            }
            JobKind::Reimport(peers, scope) => {
                if !scope.contains(entry.prefix.into()) {
                    return;
                }
                let stored = |peer: &&PeerIdx| entry.paths.iter().any(|path| path.peer == **peer);
                let concerned: SmallVec<[PeerIdx; 8]> = peers.iter().filter(stored).copied().collect();
                for peer in &concerned {
                    self.reimport(ctx, *peer, handle);
                }
                if !concerned.is_empty() {
                    self.table.release(handle);
                }
            }
            JobKind::Mark(groups, scope) => {
                if scope.contains(entry.prefix.into()) {
                    for group in self.groups.iter_mut().filter(|group| groups.contains(&group.id)) {
                        group.mark(handle);
                    }
                }
            }
            JobKind::Nexthops(changed) => {
                let uses = |path: &Path| {
                    ctx.attrs.get(path.attrs).is_some_and(|interned| {
                        interned.nexthops.iter().flatten().any(|id| changed.contains(id))
                    })
                };
                if entry.paths.iter().any(uses) {
                    self.touch(handle);
                }
            }
            JobKind::MarkSuppressed(group, scope) => {
                if entry.has(entry_flags::SUPPRESSED)
                    && scope.contains(entry.prefix.into())
                    && let Some(group) = self.groups.iter_mut().find(|of| of.id == *group)
                {
                    group.mark(handle);
                }
            }
            JobKind::Watch(scope) => {
                if scope.contains(entry.prefix.into()) {
                    self.defaults.note(ctx, handle, Some(entry));
                }
            }
            JobKind::Under(scope) => {
                if scope.contains(entry.prefix.into()) {
                    self.touch(handle);
                }
            }
            JobKind::Fib(scope) => {
                if scope.contains(entry.prefix.into()) {
                    self.fib.mark(handle);
                }
            }
            JobKind::Revalidate(delta) => self.revalidate(ctx, handle, delta),
            JobKind::Order => {
                let prefix = entry.prefix;
                self.table.order.insert(prefix);
            }
            JobKind::Users => {
                let all: SmallVec<[AttrId; 4]> = entry.paths.iter().map(|path| path.attrs).collect();
                all.into_iter().for_each(|attrs| self.table.users.insert(attrs, handle));
            }
            JobKind::Everything => self.touch(handle),
        }
    }

    fn finish_job(&mut self, ctx: &mut Ctx, kind: JobKind) {
        match kind {
            JobKind::Flush(peer) => {
                if let Some(slot) = ctx.peers.get_mut(peer) {
                    slot.flushing &= !(1 << self.slot);
                }
            }
            JobKind::Everything | JobKind::Under(_) => self.aggregates.changed = true,
            JobKind::Order => self.table.order.complete(),
            JobKind::Users => self.table.users.complete(),
            JobKind::MarkSuppressed(..)
            | JobKind::Watch(_)
            | JobKind::Fib(_)
            | JobKind::LongLived(_)
            | JobKind::Reimport(..)
            | JobKind::Mark(..)
            | JobKind::Nexthops(_)
            | JobKind::Revalidate(_) => {}
        }
    }

    /// A session came up: the peer joins the group of its key.
    pub fn join(&mut self, ctx: &mut Ctx, idx: PeerIdx) {
        let Some(slot) = ctx.peers.get(idx) else { return };
        let (id, params) = (slot.id, Arc::clone(&slot.params));
        let Some(settings) = params.family(self.family).map(Arc::clone) else { return };
        if settings.default_originate.is_some() {
            self.hold_default(ctx);
        }
        let key = GroupKey::new(id, &params, &settings);
        let capacity = self.table.capacity();
        let place = match self.groups.iter().position(|group| group.key == key) {
            Some(place) => place,
            None => {
                let number = self.next_group;
                self.next_group += 1;
                let coalesce = Duration::from_millis(ctx.config.sending.coalesce.into());
                let family = self.family;
                self.groups
                    .push(Group::new(number, key, ctx.now, family, params, settings, capacity, coalesce));
                self.groups.len() - 1
            }
        };
        if let Some(group) = self.groups.get_mut(place) {
            group.join(ctx.now, idx, id, capacity);
        }
        self.watch_defaults();
    }

    /// The default route must have an entry where a group originates it; the pin is never taken back, one entry is cheap.
    fn hold_default(&mut self, ctx: &Ctx) {
        let default = ferrite_types::Prefix::default_of(P::AFI);
        let Some(prefix) = P::from_prefix(default).filter(|_| shard_of(default, ctx.of) == ctx.index) else {
            return;
        };
        let handle = self.table.find_or_insert(prefix);
        self.table.pin(handle);
        self.touch(handle);
    }

    pub fn leave(&mut self, idx: PeerIdx) {
        for group in self.groups.iter_mut().filter(|group| group.has_member(idx)) {
            group.leave(&mut self.table, idx);
        }
        self.drop_empty_groups();
    }

    /// Routes that went through export.
    pub fn exported(&self) -> u64 {
        self.exported_before + self.groups.iter().map(Group::evaluated).sum::<u64>()
    }

    fn drop_empty_groups(&mut self) {
        let gone = self.groups.iter().filter(|group| group.is_empty());
        self.exported_before += gone.map(Group::evaluated).sum::<u64>();
        for group in self.groups.iter_mut().filter(|group| group.is_empty()) {
            group.dissolve(&mut self.table);
            self.room_made |= group.take_room_made();
        }
        self.groups.retain(|group| !group.is_empty());
        self.watch_defaults();
    }

    /// The peer's parameters changed without a reset: it moves to the group of its new key and gets the differences.
    pub fn change_peer(&mut self, ctx: &mut Ctx, idx: PeerIdx) {
        let Some(slot) = ctx.peers.get(idx) else { return };
        let (id, params) = (slot.id, Arc::clone(&slot.params));
        let Some(settings) = params.family(self.family).map(Arc::clone) else { return };
        if settings.default_originate.is_some() {
            self.hold_default(ctx);
        }
        let key = GroupKey::new(id, &params, &settings);
        let Some(place) = self.groups.iter().position(|group| group.has_member(idx)) else { return };
        let target = self.groups.iter().position(|group| group.key == key);
        let capacity = self.table.capacity();
        match target {
            Some(target) if target == place => {
                if let Some(group) = self.groups.get_mut(place) {
                    let (group, touched) = (group.id, group.refilter(&settings));
                    self.touched_by_edit(group, touched);
                }
            }
            Some(_) => {
                let mut old = self.groups.swap_remove(place);
                if let Some(group) = self.groups.iter_mut().find(|group| group.key == key) {
                    group.adopt(&mut self.table, &mut old, idx);
                }
                self.groups.push(old);
            }
            None => {
                let number = self.next_group;
                let now = ctx.now;
                let Some(group) = self.groups.get_mut(place) else { return };
                if group.member_count() == 1 {
                    group.rekey(key, params, settings, capacity);
                } else {
                    self.next_group += 1;
                    let new = group.fork(&mut self.table, idx, number, key, now, params, settings);
                    self.groups.push(new);
                }
            }
        }
        self.drop_empty_groups();
    }

    /// Has a group evaluate what an edit of its maps can touch.
    fn touched_by_edit(&mut self, group: u32, touched: Touched) {
        self.start_mark(group, touched.routes);
        let scope = touched.suppressed;
        if !scope.is_none() {
            self.start_within(JobKind::MarkSuppressed(group, scope.clone()), &scope);
        }
        let default = P::from_prefix(ferrite_types::Prefix::default_of(P::AFI));
        if touched.default
            && let Some(handle) = default.and_then(|prefix| self.table.find(&prefix))
            && let Some(group) = self.groups.iter_mut().find(|of| of.id == group)
        {
            group.mark(handle);
        }
    }

    pub fn resend(&mut self, idx: PeerIdx) {
        for group in self.groups.iter_mut().filter(|group| group.has_member(idx)) {
            group.resend(&mut self.table, idx);
        }
    }

    pub fn reevaluate_groups(&mut self) {
        let capacity = self.table.capacity();
        self.groups.iter_mut().for_each(|group| group.reevaluate(capacity));
    }

    /// Applies new settings of the family.
    pub fn configure(&mut self, ctx: &mut Ctx, old: &FamilySettings, new: &FamilySettings, all: bool) {
        self.configure_aggregates(ctx, &new.aggregates);
        let multipath = |settings: &FamilySettings| {
            (settings.maximum_paths_ebgp, settings.maximum_paths_ibgp, settings.ibgp_equal_cluster_length)
        };
        if all || multipath(old) != multipath(new) {
            self.start(JobKind::Everything);
        }
        self.configure_local(ctx, old, new, all);
    }

    /// Aggregates as configured now; what an edit cannot touch is not decided again.
    fn configure_aggregates(&mut self, ctx: &mut Ctx, statements: &[AggregateStatement]) {
        let table = &self.table;
        let edit = self.aggregates.configure(ctx, statements, |handle| Some(table.get(handle)?.prefix));
        for prefix in edit.gone {
            self.withdraw_own(ctx, prefix, local_id::AGGREGATE);
        }
        self.decide_under(edit.touched);
    }

    /// Decides again what lies in these ranges.
    fn decide_under(&mut self, ranges: Vec<Range>) {
        if !ranges.is_empty() {
            let scope = Scope::of(ranges);
            self.start_within(JobKind::Under(scope.clone()), &scope);
        }
    }

    /// Gives zebra again what settings other than those of aggregates and own routes may have changed.
    pub fn configure_fib(&mut self, old: &FamilySettings, new: &FamilySettings, others_changed: bool) {
        let numbers = |s: &FamilySettings| (s.distance_ebgp, s.distance_ibgp, s.distance_local);
        let same_distances = numbers(old) == numbers(new)
            && old.distances.len() == new.distances.len()
            && old.distances.iter().zip(&new.distances).all(|(a, b)| {
                (a.source, a.distance) == (b.source, b.distance)
                    && same_filter(a.filter.as_ref(), b.filter.as_ref())
            });
        let scope = match (&old.table_map, &new.table_map) {
            _ if others_changed || !same_distances => Scope::All,
            (None, None) => return,
            (Some(old), Some(new)) => new.scope_since(&**old),
            _ => Scope::All,
        };
        match scope {
            Scope::All => self.fib.reevaluate(self.table.capacity()),
            Scope::Within(_) if scope.is_none() => {}
            Scope::Within(_) => {
                self.fib.forget_judged();
                self.start_within(JobKind::Fib(scope.clone()), &scope);
            }
        }
    }
}

pub fn is_aggregate(path: &Path) -> bool {
    path.peer.is_local() && path.path_id == local_id::AGGREGATE
}

/// Best path and those that share its traffic, as places in `paths`.
fn choose(
    ctx: &Ctx,
    family: Family,
    candidates: &mut Vec<Candidate>,
    paths: &[Path],
    usable: &[usize],
) -> (Option<usize>, SmallVec<[usize; 4]>) {
    if usable.len() <= 1 {
        return (usable.first().copied(), SmallVec::new());
    }
    candidates.clear();
    candidates.extend(usable.iter().filter_map(|index| ctx.candidate(paths.get(*index)?)));
    let settings = &ctx.config.decision;
    let Some(best) = decision::best(candidates, settings) else { return (None, SmallVec::new()) };
    let limits = ctx.config.family(family).map_or(
        Multipath { ebgp: 1, ibgp: 1, equal_cluster_length: false },
        |family| Multipath {
            ebgp: family.maximum_paths_ebgp,
            ibgp: family.maximum_paths_ibgp,
            equal_cluster_length: family.ibgp_equal_cluster_length,
        },
    );
    let shared = decision::multipath(candidates, best, limits, settings);
    let place = |index: usize| usable.get(index).copied();
    (place(best), shared.into_iter().filter_map(place).collect())
}

/// The decision's candidates of an entry with their places, for shows.
pub fn candidates_of<P: Key>(ctx: &Ctx, entry: &Entry<P>) -> Vec<(usize, Candidate)> {
    let usable = |path: &Path| path.flags.has(PathFlags::VALID) && !path.flags.has(PathFlags::SHADOW);
    let all = entry.paths.iter().enumerate().filter(|(_, path)| usable(path));
    all.filter_map(|(index, path)| Some((index, ctx.candidate(path)?))).collect()
}
