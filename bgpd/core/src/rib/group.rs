//! Update groups: peers with the same export key share one adj-RIB-out, one evaluation of policy and the same octets.
//!
//! ```text
//!            changed prefixes                     out: handle ─► encoded attribute set (shared, counted)
//!  table ──────────────────────► dirty (bits) ──► evaluate ──┬─► live members: one buffer for all
//!                                                            └─► catching up: bits per member, drained as they can
//! ```
//! * Changes coalesce in `dirty` while the live members' writers are full. A member whose writer stays full while others
//!   could go on is taken out of the live ones after [`PATIENCE`] and catches up on its own; so nobody is held up, and
//!   what a slow member owes is two bits per prefix.
//! * A member that joins a group catches up on the whole table in the same way. Members that catch up together share
//!   octets as well.
//! * A route is never sent to the peer it came from: an attribute set names the member it excludes.
//! * What is told of a prefix are its [`units`]: the prefix itself, or each of its paths where the session has path
//!   identifiers (RFC 7911). A plain group pays nothing for the other kind.
//! * Which prefixes a member has is known exactly, so nothing is withdrawn that was not sent; and a live member is not
//!   told twice of the same attributes.

mod catch_up;
mod change;
mod choose;
mod explain;
mod merge;
mod outs;
mod sender;
mod units;

use std::sync::Arc;
use std::time::Duration;

use bgp_packet::attr::{EncodeContext, encode_attributes, encode_next_hop, uses_mp_reach};
use bgp_packet::{Family, FamilySet};
use bytes::BytesMut;
use ferrite_policy::{Scope, Trail};
use ferrite_types::Timestamp;
use rustc_hash::FxHashMap;

use change::Emission;
use outs::Outs;
use sender::Sender;
use units::Units;

use super::attrs::AttrId;
use super::bandwidth::{Shared, bandwidth};
use super::ctx::Ctx;
use super::event::ShardAction;
use super::export::{GroupKey, Target};
use super::notice::NoticeKind;
use super::pack::Packing;
use super::peers::PeerIdx;
use super::policy::Filter;
use super::query::GroupView;
use super::same::same_filter;
use super::settings::{AddPathSend, Conditional, FamilyParams, PeerId, PeerParams};
use super::table::{Bits, Column, Handle, Key, Path, PathFlags, Table, bits_of, entry_flags};

/// How long live members wait for one of them.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// Entries of the cache of evaluations before it is emptied.
const CACHE_LIMIT: usize = 1 << 15;

/// What a member still has to be told on its own.
#[derive(Debug, Default)]
struct CatchUp {
    /// Units whose state the member does not know.
    pending: Bits,
    /// Of those, the ones it has from us. Each is pinned.
    had: Bits,
}

/// What an edit of a group's maps can touch.
#[derive(Debug)]
pub struct Touched {
    pub routes: Scope,
    /// Of what an aggregate suppresses.
    pub suppressed: Scope,
    /// The default route.
    pub default: bool,
}

#[derive(Debug)]
struct Member {
    idx: PeerIdx,
    id: PeerId,
    /// `None`: live.
    catch_up: Option<Box<CatchUp>>,
    /// `TableSent` is owed.
    awaiting: bool,
    /// Units it has from us.
    sent: u32,
}

/// An update group.
#[derive(Debug)]
pub struct Group<P> {
    pub id: u32,
    pub key: GroupKey,
    created: Timestamp,
    family: Family,
    params: Arc<PeerParams>,
    settings: Arc<FamilyParams>,
    members: Vec<Member>,
    /// `None`: prefixes are told of without identifiers.
    units: Option<Units>,
    /// By unit.
    out: Column,
    /// What the member gets that `out` excludes, where the next best path may take the place of its own.
    alternates: FxHashMap<Handle, u32>,
    outs: Outs,
    dirty: Bits,
    /// Entries that `maximum-prefix-out` keeps back; they come when there is room again.
    waiting: Bits,
    /// The last one was kept back for it.
    was_full: bool,
    /// A route more is counted than was told; and others may be told of, elsewhere.
    reserved: bool,
    room_made: bool,
    /// Word of `dirty` where the next slice begins, and of the catching-up sets.
    dirty_word: usize,
    drain_word: usize,
    /// Evaluations by attribute set, its generation, and source.
    cache: FxHashMap<(AttrId, u32, PeerIdx), (u32, u32)>,
    by_prefix: bool,
    /// The condition of `default-originate route-map` holds.
    default_allowed: bool,
    /// The entries of its map that change the default route.
    default_trail: Option<Trail>,
    /// The condition of `advertise-map` holds.
    condition: bool,
    /// For routes that an aggregate suppresses, with the map that lets them out as policy.
    unsuppressing: Option<Arc<FamilyParams>>,
    /// Routes whose attributes did not fit into a message, with whom they came from; not yet reported.
    too_big: Vec<(P, PeerIdx)>,
    /// Live members without those excluded.
    audiences: FxHashMap<(PeerIdx, PeerIdx), Arc<[PeerId]>>,
    next_flush: Timestamp,
    /// What is evaluated is told although it reads as before.
    duplicates: bool,
    stalled_since: Option<Timestamp>,
    scratch: BytesMut,
    messages: u64,
    octets: u64,
    /// Routes that went through export, cached results not counted.
    evaluated: u64,
    _prefix: std::marker::PhantomData<P>,
}

impl<P: Key> Group<P> {
    pub fn new(
        id: u32,
        key: GroupKey,
        now: Timestamp,
        family: Family,
        params: Arc<PeerParams>,
        settings: Arc<FamilyParams>,
        capacity: usize,
        coalesce: Duration,
    ) -> Self {
        let by_prefix = looks_at_prefix(&settings);
        let unsuppressing = unsuppressing(&settings);
        let unconditional =
            settings.default_originate.as_ref().is_some_and(|originate| originate.map.is_none());
        let add_path = settings.add_path_send;
        Self {
            id,
            key,
            created: now,
            family,
            params,
            settings,
            members: Vec::new(),
            units: (add_path != AddPathSend::No).then(Units::default),
            out: Column::default(),
            alternates: FxHashMap::default(),
            outs: Outs::default(),
            dirty: Bits::all(capacity),
            waiting: Bits::default(),
            was_full: false,
            reserved: false,
            room_made: false,
            dirty_word: 0,
            drain_word: 0,
            cache: FxHashMap::default(),
            by_prefix,
            default_allowed: unconditional,
            default_trail: None,
            condition: true,
            unsuppressing,
            too_big: Vec::new(),
            audiences: FxHashMap::default(),
            next_flush: now + coalesce,
            duplicates: false,
            stalled_since: None,
            scratch: BytesMut::new(),
            messages: 0,
            octets: 0,
            evaluated: 0,
            _prefix: std::marker::PhantomData,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether its members are told of paths with identifiers.
    pub fn has_identifiers(&self) -> bool {
        self.units.is_some()
    }

    pub fn has_member(&self, idx: PeerIdx) -> bool {
        self.members.iter().any(|member| member.idx == idx)
    }

    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    fn target(&self) -> Target<'_> {
        self.target_of(&self.settings, Shared::default())
    }

    fn target_of<'a>(&'a self, settings: &'a FamilyParams, shared: Shared) -> Target<'a> {
        Target {
            family: self.family,
            params: &self.params,
            settings,
            condition: self.condition,
            shared,
            merged: None,
        }
    }

    /// The settings under which an entry's path is exported; `None` where an aggregate suppresses it.
    fn settings_for(&self, entry: &super::table::Entry<P>) -> Option<&Arc<FamilyParams>> {
        if entry.has(entry_flags::SUPPRESSED) { self.unsuppressing.as_ref() } else { Some(&self.settings) }
    }

    fn packing(&self) -> Packing {
        Packing {
            family: self.family,
            add_path: self.units.is_some(),
            max: self.params.max_message.max(4096),
        }
    }

    /// Adds a peer that has nothing yet. The first member of a new group is live at once, and so are those that come while
    /// it still waits for them.
    pub fn join(&mut self, now: Timestamp, idx: PeerIdx, id: PeerId, capacity: usize) {
        let units = self.capacity(capacity);
        let unopened = self.messages == 0 && self.out.is_empty() && now < self.next_flush;
        let catch_up = ((!self.members.is_empty() && !unopened) || !self.out.is_empty())
            .then(|| Box::new(CatchUp { pending: Bits::all(units), had: Bits::default() }));
        self.members.push(Member { idx, id, catch_up, awaiting: true, sent: 0 });
        self.audiences.clear();
        if self.members.len() == 2 {
            // What the first member sent itself was passed over while it was alone.
            self.reevaluate(capacity);
        }
    }

    /// Takes a peer out; what it had is forgotten.
    pub fn leave(&mut self, table: &mut Table<P>, idx: PeerIdx) {
        let Some(place) = self.members.iter().position(|member| member.idx == idx) else { return };
        let member = self.members.remove(place);
        if let Some(catch_up) = member.catch_up {
            catch_up.had.iter().for_each(|unit| self.unpin(table, unit));
        }
        self.audiences.clear();
        self.cache.clear();
    }

    /// Forgets everything that was sent: the group is about to go.
    pub fn dissolve(&mut self, table: &mut Table<P>) {
        if let Some(quota) = &self.settings.quota {
            quota.give_back(self.out.len() as u32);
            self.room_made = true;
        }
        for (unit, _) in std::mem::take(&mut self.out).iter() {
            self.unpin(table, unit);
        }
        self.outs = Outs::default();
        self.alternates = FxHashMap::default();
        self.cache.clear();
    }

    /// The peer's parameters changed so that it belongs elsewhere: a group with the new key takes over what the peer has,
    /// so that only differences are sent. `self` keeps the other members.
    pub fn fork(
        &mut self,
        table: &mut Table<P>,
        idx: PeerIdx,
        id: u32,
        key: GroupKey,
        now: Timestamp,
        params: Arc<PeerParams>,
        settings: Arc<FamilyParams>,
    ) -> Self {
        let capacity = table.capacity();
        let mut new = Self::new(id, key, now, self.family, params, settings, capacity, Duration::ZERO);
        let place = self.members.iter().position(|member| member.idx == idx);
        let Some(member) = place.map(|place| self.members.remove(place)) else { return new };
        self.audiences.clear();
        self.cache.clear();
        self.copy_into(&mut new, table, &member);
        if let Some(quota) = &new.settings.quota {
            quota.add(new.out.len() as u32);
        }
        new.members.push(member);
        new
    }

    /// Adopts a member that has what `from` sent it: everything that differs is pending.
    pub fn adopt(&mut self, table: &mut Table<P>, from: &mut Self, idx: PeerIdx) {
        let Some(place) = from.members.iter().position(|member| member.idx == idx) else { return };
        let mut member = from.members.remove(place);
        from.audiences.clear();
        let old = member.catch_up.take().unwrap_or_default();
        let mut catch_up = Box::new(CatchUp::default());
        self.make_counterparts(table, from, idx, &old);
        for index in 0..self.capacity(table.capacity()) {
            let unit = Handle(index as u32);
            let theirs = self.counterpart(from, unit);
            let unknown = theirs.is_some_and(|theirs| old.pending.contains(theirs));
            let was = theirs.map_or(0, |theirs| from.held(idx, theirs));
            let had = if unknown { theirs.is_some_and(|theirs| old.had.contains(theirs)) } else { was != 0 };
            let is = self.held(idx, unit);
            let same = !unknown
                && match (from.outs.get(was), self.outs.get(is)) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a.octets == b.octets && a.nexthop_len == b.nexthop_len,
                    _ => false,
                };
            if !same {
                catch_up.pending.insert(unit);
                if had && catch_up.had.insert(unit) {
                    self.pin(table, unit);
                }
            }
        }
        old.had.iter().for_each(|unit| from.unpin(table, unit));
        member.catch_up = Some(catch_up);
        self.members.push(member);
        self.audiences.clear();
        from.cache.clear();
        if self.members.len() == 2 {
            self.reevaluate(table.capacity());
        }
    }

    /// The same key under new objects: everything is evaluated again, only differences are sent.
    pub fn rekey(
        &mut self,
        key: GroupKey,
        params: Arc<PeerParams>,
        settings: Arc<FamilyParams>,
        capacity: usize,
    ) {
        self.key = key;
        self.by_prefix = looks_at_prefix(&settings);
        self.unsuppressing = unsuppressing(&settings);
        self.params = params;
        self.default_trail = None;
        self.default_allowed =
            settings.default_originate.as_ref().is_some_and(|originate| originate.map.is_none());
        self.settings = settings;
        self.reevaluate(capacity);
    }

    /// Maps are in another state, the key is the same: what that touches is to be marked.
    pub fn refilter(&mut self, settings: &Arc<FamilyParams>) -> Touched {
        let old = &self.settings;
        let advertise = |of: &FamilyParams| of.advertise.as_ref().map(|only| Arc::clone(&only.routes));
        let default = |of: &FamilyParams| of.default_originate.as_ref().and_then(|route| route.map.clone());
        let touched = Touched {
            routes: since(old.export.as_ref(), settings.export.as_ref())
                .union(&since(advertise(old).as_ref(), advertise(settings).as_ref())),
            suppressed: since(old.unsuppress.as_ref(), settings.unsuppress.as_ref()),
            default: !same_filter(default(old).as_ref(), default(settings).as_ref()),
        };
        self.by_prefix = looks_at_prefix(settings);
        self.unsuppressing = unsuppressing(settings);
        self.settings = Arc::clone(settings);
        self.cache.clear();
        touched
    }

    pub const fn evaluated(&self) -> u64 {
        self.evaluated
    }

    pub fn reevaluate(&mut self, capacity: usize) {
        self.cache.clear();
        self.dirty = Bits::all(capacity);
    }

    /// The member gets everything again (route refresh).
    pub fn resend(&mut self, table: &mut Table<P>, idx: PeerIdx) {
        let Some(place) = self.members.iter().position(|member| member.idx == idx) else { return };
        let Some(member) = self.members.get_mut(place) else { return };
        let mut catch_up = member.catch_up.take().unwrap_or_default();
        for index in 0..self.capacity(table.capacity()) {
            let unit = Handle(index as u32);
            if catch_up.pending.insert(unit) && self.held(idx, unit) != 0 && catch_up.had.insert(unit) {
                self.pin(table, unit);
            }
        }
        let Some(member) = self.members.get_mut(place) else { return };
        member.catch_up = Some(catch_up);
        member.awaiting = true;
        self.audiences.clear();
    }

    /// Whether what is sent depends on what the RPKI says.
    pub fn asks_rpki(&self) -> bool {
        self.settings.send_rpki_state
            || self.settings.export.as_ref().is_some_and(|policy| policy.depends_on_rpki())
            || self.settings.advertise.as_ref().is_some_and(|only| only.routes.depends_on_rpki())
    }

    /// The RPKI says something else: evaluations so far do not hold.
    pub fn rpki_changed(&mut self) {
        if self.asks_rpki() {
            self.cache.clear();
        }
    }

    /// Notes a prefix to be evaluated.
    #[inline]
    pub fn mark(&mut self, handle: Handle) {
        self.dirty.insert(handle);
    }

    /// Whether `flush` may send now; takes slow members out of the way.
    fn ready(&mut self, ctx: &Ctx, now: Timestamp) -> bool {
        if now < self.next_flush {
            return false;
        }
        let full = |member: &Member| ctx.room(member.idx) == 0;
        let (mut any_full, mut any_free) = (false, false);
        for member in self.members.iter().filter(|member| member.catch_up.is_none()) {
            if full(member) { any_full = true } else { any_free = true }
        }
        if !any_full {
            self.stalled_since = None;
            return true;
        }
        let since = *self.stalled_since.get_or_insert(now);
        if !any_free || now.since(since) < PATIENCE {
            return false;
        }
        for member in self.members.iter_mut().filter(|member| member.catch_up.is_none()) {
            if full(member) {
                member.catch_up = Some(Box::default());
            }
        }
        self.stalled_since = None;
        self.audiences.clear();
        true
    }

    /// When the group can do something again without an event.
    pub fn next_deadline(&self, ctx: &Ctx, complete: bool) -> Option<Timestamp> {
        let window = |member: &Member| ctx.room(member.idx) > 0;
        let draining = self.members.iter().any(|member| member.catch_up.is_some() && window(member));
        if draining {
            return Some(ctx.now);
        }
        let owed = complete && self.members.iter().any(|member| member.awaiting && member.catch_up.is_none());
        if self.dirty.is_empty() && !owed {
            return None;
        }
        let live = || self.members.iter().filter(|member| member.catch_up.is_none());
        let due = if live().all(window) {
            ctx.now
        } else if live().any(window) {
            self.stalled_since.unwrap_or(ctx.now) + PATIENCE
        } else {
            return None;
        };
        Some(due.max(self.next_flush))
    }

    /// Does a slice of the group's work: evaluates changes, sends them, lets members catch up.
    /// While the table is not `complete`, nobody is told that it is.
    pub fn work(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        budget: usize,
        complete: bool,
        out: &mut Vec<ShardAction>,
    ) {
        if self.ready(ctx, ctx.now) && !self.dirty.is_empty() {
            let live = self.members.iter().filter(|member| member.catch_up.is_none());
            let room = live.map(|member| ctx.room(member.idx)).min().unwrap_or(budget);
            self.flush_dirty(ctx, table, budget.min(room), out);
            let interval = Duration::from_secs(u64::from(self.key.interval()));
            if self.dirty.is_empty() && !interval.is_zero() {
                self.next_flush = ctx.now + interval;
            }
        }
        if self.dirty.is_empty() && complete {
            for member in
                self.members.iter_mut().filter(|member| member.awaiting && member.catch_up.is_none())
            {
                member.awaiting = false;
                out.push(ShardAction::TableSent { peer: member.id, family: self.family });
            }
        }
        self.drain(ctx, table, budget, complete, out);
    }

    /// Whether changes may be evaluated as they come, without a stop in `dirty`.
    pub fn direct(&mut self, ctx: &Ctx) -> bool {
        let counted = ctx.config.sending.messages.is_some();
        !counted && self.dirty.is_empty() && self.key.interval() == 0 && self.ready(ctx, ctx.now)
    }

    fn flush_dirty(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        budget: usize,
        out: &mut Vec<ShardAction>,
    ) {
        let mut handles = Vec::with_capacity(budget.min(self.dirty.len()));
        let words = self.dirty.words();
        for _ in 0..words {
            if handles.len() >= budget {
                break;
            }
            let index = if self.dirty_word < words { self.dirty_word } else { 0 };
            handles.extend(bits_of(self.dirty.word(index), index));
            // A word of which a part is left is taken up again.
            self.dirty_word = if handles.len() > budget { index } else { index + 1 };
        }
        handles.truncate(budget);
        for handle in &handles {
            self.dirty.remove(*handle);
        }
        self.dirty.trim();
        self.flush(ctx, table, &handles, out);
    }

    /// Evaluates these prefixes and sends what changed.
    pub fn flush(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        handles: &[Handle],
        out: &mut Vec<ShardAction>,
    ) {
        self.duplicates = ctx.config.sending.duplicates;
        let mut emission = Emission::default();
        let mut gone: Vec<u32> = Vec::new();
        for handle in handles {
            self.evaluate(ctx, table, *handle, &mut emission, &mut gone);
        }
        self.unreserve();
        self.let_waiting_in();
        if self.members.iter().any(|member| member.catch_up.is_none()) {
            self.emit(ctx, emission, out);
        }
        // Sets are let go of only now: the emission names them.
        for id in gone {
            self.outs.release(id);
        }
        if self.cache.len() > CACHE_LIMIT {
            self.cache.clear();
        }
        self.report_too_big(ctx);
    }

    /// The neighbours do not get routes whose attributes fit into no message.
    fn report_too_big(&mut self, ctx: &mut Ctx) {
        for (prefix, source) in std::mem::take(&mut self.too_big) {
            for member in self.members.iter().filter(|member| member.idx != source) {
                ctx.notices.add(member.id, self.family, NoticeKind::TooBig, prefix.into());
            }
        }
    }

    /// Encodes attributes and interns the octets.
    fn encode(&mut self, attrs: &bgp_packet::attr::Attributes, excluded: PeerIdx) -> u32 {
        let context = EncodeContext {
            four_octet: self.params.as4,
            add_path: FamilySet::EMPTY,
            max_len: self.packing().max,
        };
        self.scratch.clear();
        if uses_mp_reach(self.family, attrs.next_hop) {
            encode_next_hop(&mut self.scratch, attrs.next_hop);
        }
        let nexthop_len = self.scratch.len();
        encode_attributes(&mut self.scratch, attrs, self.family, &context);
        let (nexthop, octets) = self.scratch.split_at(nexthop_len);
        if !self.packing().fits(octets, nexthop) {
            return 0;
        }
        self.outs.intern(&self.scratch, nexthop_len as u8, excluded)
    }

    /// What `advertise-map` says, where there is one.
    pub fn conditional(&self) -> Option<&Conditional> {
        self.settings.advertise.as_ref()
    }

    /// Says whether its condition holds; whether that is news.
    pub fn allow_conditional(&mut self, met: bool) -> bool {
        std::mem::replace(&mut self.condition, met) != met
    }

    /// Ends a round of sending and books what went out.
    fn close(&mut self, ctx: &mut Ctx, mut sender: Sender, out: &mut Vec<ShardAction>) {
        sender.cut(out);
        self.messages += sender.total_messages;
        self.octets += sender.total_octets;
        for (peers, octets, messages) in sender.booked {
            for id in peers.iter() {
                if let Some(slot) = ctx.peers.idx(*id).and_then(|idx| ctx.peers.get_mut(idx)) {
                    slot.outstanding += octets;
                    slot.outstanding_messages += messages;
                }
            }
        }
        for member in &self.members {
            if let Some(slot) = ctx.peers.get_mut(member.idx) {
                let Some(place) = self.family.index() else { return };
                if let Some(sent) = slot.sent.get_mut(place).filter(|sent| **sent != member.sent) {
                    *sent = member.sent;
                    slot.counts_changed = true;
                }
            }
        }
    }

    /// The map on which the default route depends.
    pub fn default_map(&self) -> Option<&Arc<dyn Filter>> {
        self.settings.default_originate.as_ref()?.map.as_ref()
    }

    /// Says by which entries the condition of the default route holds, if it does; whether that is news.
    pub fn allow_default(&mut self, trail: Option<Trail>) -> bool {
        self.default_allowed = trail.is_some();
        let news = self.default_trail != trail;
        self.default_trail = trail;
        news
    }

    pub fn view(&self) -> GroupView {
        GroupView {
            id: self.id,
            created: self.created,
            members: self.members.iter().map(|member| member.id).collect(),
            catching_up: self.members.iter().filter(|m| m.catch_up.is_some()).map(|m| m.id).collect(),
            prefixes: self.out.len() as u64,
            attribute_sets: self.outs.index.len() as u64,
            pending: self.dirty.len() as u64,
            messages: self.messages,
            octets: self.octets,
        }
    }

    pub fn memory(&self) -> usize {
        let members: usize = self
            .members
            .iter()
            .filter_map(|member| member.catch_up.as_ref())
            .map(|catch_up| catch_up.pending.octets() + catch_up.had.octets())
            .sum();
        let units = self.units.as_ref().map_or(0, Units::octets);
        let alternates = self.alternates.capacity() * size_of::<(Handle, u32)>();
        self.out.octets() + self.outs.octets() + self.dirty.octets() + units + alternates + members
    }
}

/// What another state of a map can touch.
fn since(old: Option<&Arc<dyn Filter>>, new: Option<&Arc<dyn Filter>>) -> Scope {
    match (old, new) {
        (None, None) => Scope::none(),
        (Some(old), Some(new)) if Arc::ptr_eq(old, new) => Scope::none(),
        (Some(old), Some(new)) => new.scope_since(&**old),
        _ => Scope::All,
    }
}

/// Whether two prefixes of equal attributes may be told differently.
fn looks_at_prefix(settings: &FamilyParams) -> bool {
    let asks = |filter: &Arc<dyn Filter>| filter.depends_on_prefix();
    settings.send_rpki_state
        || settings.export.as_ref().is_some_and(asks)
        || settings.advertise.as_ref().is_some_and(|conditional| asks(&conditional.routes))
        || settings.orf.looks_at_prefix()
}

/// The settings with the `unsuppress-map` as policy.
fn unsuppressing(settings: &FamilyParams) -> Option<Arc<FamilyParams>> {
    let map = settings.unsuppress.clone()?;
    Some(Arc::new(FamilyParams { export: Some(map), ..settings.clone() }))
}

/// The paths that share an entry's traffic with the best; bandwidths only where there are several.
fn shared<P: Key>(ctx: &Ctx, entry: &super::table::Entry<P>) -> Shared {
    if entry.paths.len() <= 1 {
        return Shared { paths: 1, octets: None };
    }
    let sharing = |path: &&Path| path.flags.has(PathFlags::BEST | PathFlags::MULTIPATH);
    let (mut paths, mut octets) = (0, Some(0.0));
    for path in entry.paths.iter().filter(sharing) {
        paths += 1;
        let own = ctx.attrs.get(path.attrs).and_then(|interned| bandwidth(&interned.attrs));
        octets = octets.zip(own).map(|(sum, own)| sum + own);
    }
    Shared { paths, octets: octets.filter(|_| paths > 1) }
}
