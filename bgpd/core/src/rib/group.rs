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
//! * Which prefixes a member has is known exactly, so nothing is withdrawn that was not sent; and a live member is not
//!   told twice of the same attributes.

mod catch_up;
mod outs;
mod sender;

use std::sync::Arc;
use std::time::Duration;

use bgp_packet::attr::{EncodeContext, encode_attributes, encode_next_hop, uses_mp_reach};
use bgp_packet::{Family, FamilySet};
use bytes::BytesMut;
use ferrite_types::Timestamp;
use rustc_hash::FxHashMap;

use outs::Outs;
use sender::{Sender, runs};

use super::attrs::AttrId;
use super::ctx::Ctx;
use super::event::ShardAction;
use super::export::{GroupKey, Target, default_route, export};
use super::pack::Packing;
use super::peers::PeerIdx;
use super::policy::Filter;
use super::query::GroupView;
use super::settings::{FamilyParams, PeerId, PeerParams};
use super::table::{Bits, Column, Handle, Key, Table, bits_of, entry_flags};

/// How long live members wait for one of them.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// Entries of the cache of evaluations before it is emptied.
const CACHE_LIMIT: usize = 1 << 15;

/// What a member still has to be told on its own.
#[derive(Debug, Default)]
struct CatchUp {
    /// Prefixes whose state the member does not know.
    pending: Bits,
    /// Of those, the ones it has from us. Each pins its entry.
    had: Bits,
}

#[derive(Debug)]
struct Member {
    idx: PeerIdx,
    id: PeerId,
    /// `None`: live.
    catch_up: Option<Box<CatchUp>>,
    /// `TableSent` is owed.
    awaiting: bool,
    /// Prefixes from us.
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
    out: Column,
    outs: Outs,
    dirty: Bits,
    /// Word of `dirty` where the next slice begins, and of the catching-up sets.
    dirty_word: usize,
    drain_word: usize,
    /// Evaluations by attribute set, its generation, and source.
    cache: FxHashMap<(AttrId, u32, PeerIdx), (u32, u32)>,
    by_prefix: bool,
    /// The condition of `default-originate route-map` holds.
    default_allowed: bool,
    /// Live members without the one excluded.
    audiences: FxHashMap<PeerIdx, Arc<[PeerId]>>,
    next_flush: Timestamp,
    stalled_since: Option<Timestamp>,
    scratch: BytesMut,
    messages: u64,
    octets: u64,
    _prefix: std::marker::PhantomData<P>,
}

/// Changes found by evaluation, to be packed.
struct Emission<P> {
    announced: Vec<(u32, P)>,
    /// With the member that does not have the prefix.
    withdrawn: Vec<(PeerIdx, P)>,
    /// Withdrawn from one member only: the route comes from it now.
    single: Vec<(PeerIdx, P)>,
    /// Announced to one member only: the route came from it before, and nothing changed for the others.
    again: Vec<((PeerIdx, u32), P)>,
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
    ) -> Self {
        let by_prefix = settings.export.as_ref().is_some_and(|policy| policy.depends_on_prefix());
        let unconditional =
            settings.default_originate.as_ref().is_some_and(|originate| originate.map.is_none());
        Self {
            id,
            key,
            created: now,
            family,
            params,
            settings,
            members: Vec::new(),
            out: Column::default(),
            outs: Outs::default(),
            dirty: Bits::all(capacity),
            dirty_word: 0,
            drain_word: 0,
            cache: FxHashMap::default(),
            by_prefix,
            default_allowed: unconditional,
            audiences: FxHashMap::default(),
            next_flush: now,
            stalled_since: None,
            scratch: BytesMut::new(),
            messages: 0,
            octets: 0,
            _prefix: std::marker::PhantomData,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn has_member(&self, idx: PeerIdx) -> bool {
        self.members.iter().any(|member| member.idx == idx)
    }

    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    fn target(&self) -> Target<'_> {
        Target { family: self.family, params: &self.params, settings: &self.settings }
    }

    fn packing(&self) -> Packing {
        Packing { family: self.family, max: self.params.max_message.max(4096) }
    }

    /// Adds a peer that has nothing yet. The first member of a new group is live at once.
    pub fn join(&mut self, idx: PeerIdx, id: PeerId, capacity: usize) {
        let catch_up = (!self.members.is_empty() || !self.out.is_empty())
            .then(|| Box::new(CatchUp { pending: Bits::all(capacity), had: Bits::default() }));
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
            catch_up.had.iter().for_each(|handle| table.unpin(handle));
        }
        self.audiences.clear();
        self.cache.clear();
    }

    /// Forgets everything that was sent: the group is about to go.
    pub fn dissolve(&mut self, table: &mut Table<P>) {
        for (handle, _) in std::mem::take(&mut self.out).iter() {
            table.unpin(handle);
        }
        self.outs = Outs::default();
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
        let mut new = Self::new(id, key, now, self.family, params, settings, table.capacity());
        let place = self.members.iter().position(|member| member.idx == idx);
        let Some(member) = place.map(|place| self.members.remove(place)) else { return new };
        self.audiences.clear();
        self.cache.clear();
        let mut copies: FxHashMap<u32, u32> = FxHashMap::default();
        for (handle, out) in self.out.iter() {
            let Some(old) = self.outs.get(out) else { continue };
            let copy = *copies
                .entry(out)
                .or_insert_with(|| new.outs.intern(&old.octets, old.nexthop_len, old.excluded));
            new.outs.retain(copy);
            new.out.set(handle, copy);
            table.pin(handle);
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
        for index in 0..table.capacity() {
            let handle = Handle(index as u32);
            let was = from.outs.get(from.out.get(handle)).filter(|out| out.excluded != idx);
            let had = if old.pending.contains(handle) { old.had.contains(handle) } else { was.is_some() };
            let is = self.outs.get(self.out.get(handle)).filter(|out| out.excluded != idx);
            let same = !old.pending.contains(handle)
                && match (was, is) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a.octets == b.octets && a.nexthop_len == b.nexthop_len,
                    _ => false,
                };
            if !same {
                catch_up.pending.insert(handle);
                if had && catch_up.had.insert(handle) {
                    table.pin(handle);
                }
            }
        }
        old.had.iter().for_each(|handle| table.unpin(handle));
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
        self.by_prefix = settings.export.as_ref().is_some_and(|policy| policy.depends_on_prefix());
        self.params = params;
        self.default_allowed =
            settings.default_originate.as_ref().is_some_and(|originate| originate.map.is_none());
        self.settings = settings;
        self.reevaluate(capacity);
    }

    pub fn reevaluate(&mut self, capacity: usize) {
        self.cache.clear();
        self.dirty = Bits::all(capacity);
    }

    /// The member gets everything again (route refresh).
    pub fn resend(&mut self, table: &mut Table<P>, idx: PeerIdx) {
        let capacity = table.capacity();
        let (out, outs) = (&self.out, &self.outs);
        let Some(member) = self.members.iter_mut().find(|member| member.idx == idx) else { return };
        let catch_up = member.catch_up.get_or_insert_default();
        for index in 0..capacity {
            let handle = Handle(index as u32);
            if !catch_up.pending.insert(handle) {
                continue;
            }
            if outs.get(out.get(handle)).is_some_and(|out| out.excluded != idx) && catch_up.had.insert(handle)
            {
                table.pin(handle);
            }
        }
        member.awaiting = true;
        self.audiences.clear();
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
        let full = |member: &Member| {
            ctx.peers.get(member.idx).is_some_and(|slot| slot.outstanding >= ctx.limits.send_window)
        };
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
    pub fn next_deadline(&self, ctx: &Ctx) -> Option<Timestamp> {
        let window = |member: &Member| {
            ctx.peers.get(member.idx).is_some_and(|slot| slot.outstanding < ctx.limits.send_window)
        };
        let draining = self.members.iter().any(|member| member.catch_up.is_some() && window(member));
        if draining {
            return Some(ctx.now);
        }
        let owed = self.members.iter().any(|member| member.awaiting && member.catch_up.is_none());
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
    pub fn work(&mut self, ctx: &mut Ctx, table: &mut Table<P>, budget: usize, out: &mut Vec<ShardAction>) {
        if self.ready(ctx, ctx.now) && !self.dirty.is_empty() {
            self.flush_dirty(ctx, table, budget, out);
            let interval = Duration::from_secs(u64::from(self.key.interval()));
            if self.dirty.is_empty() && !interval.is_zero() {
                self.next_flush = ctx.now + interval;
            }
        }
        if self.dirty.is_empty() {
            for member in
                self.members.iter_mut().filter(|member| member.awaiting && member.catch_up.is_none())
            {
                member.awaiting = false;
                out.push(ShardAction::TableSent { peer: member.id, family: self.family });
            }
        }
        self.drain(ctx, table, budget, out);
    }

    /// Whether changes may be evaluated as they come, without a stop in `dirty`.
    pub fn direct(&mut self, ctx: &Ctx) -> bool {
        self.dirty.is_empty() && self.key.interval() == 0 && self.ready(ctx, ctx.now)
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
            self.dirty_word = index + 1;
        }
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
        let mut emission =
            Emission { announced: Vec::new(), withdrawn: Vec::new(), single: Vec::new(), again: Vec::new() };
        let mut gone: Vec<u32> = Vec::new();
        for handle in handles {
            self.evaluate(ctx, table, *handle, &mut emission, &mut gone);
        }
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
    }

    fn evaluate(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        handle: Handle,
        emission: &mut Emission<P>,
        gone: &mut Vec<u32>,
    ) {
        let old = self.out.get(handle);
        let Some(entry) = table.get(handle) else { return };
        let prefix = entry.prefix;
        let new = self.outcome(ctx, entry, old);
        if new == old {
            return;
        }
        self.outs.retain(new);
        self.out.set(handle, new);
        let excluded = |outs: &Outs, id: u32| outs.get(id).map(|out| out.excluded);
        let (had_not, has_not) = (excluded(&self.outs, old), excluded(&self.outs, new));
        // The same octets, learned from somebody else.
        let same = self.outs.same_octets(old, new);
        let mut pins = 0i32;
        for member in &mut self.members {
            let had = had_not.is_some_and(|other| other != member.idx);
            let has = has_not.is_some_and(|other| other != member.idx);
            match &mut member.catch_up {
                Some(_) if same && had == has => {}
                Some(catch_up) => {
                    if catch_up.pending.insert(handle) && had && catch_up.had.insert(handle) {
                        pins += 1;
                    }
                }
                None => match (had, has) {
                    (false, true) => member.sent += 1,
                    (true, false) => member.sent = member.sent.saturating_sub(1),
                    _ => {}
                },
            }
        }
        match (old, new) {
            (0, _) => {
                pins += 1;
                emission.announced.push((new, prefix));
            }
            (_, 0) => {
                pins -= 1;
                emission.withdrawn.push((had_not.unwrap_or(PeerIdx::LOCAL), prefix));
            }
            _ => {
                if !same {
                    emission.announced.push((new, prefix));
                } else if let Some(idx) = had_not.filter(|idx| self.is_live(*idx)) {
                    emission.again.push(((idx, new), prefix));
                }
                let newly_excluded = has_not.filter(|idx| !idx.is_local() && had_not != Some(*idx));
                if let Some(idx) = newly_excluded.filter(|idx| self.is_live(*idx)) {
                    emission.single.push((idx, prefix));
                }
            }
        }
        if old != 0 {
            gone.push(old);
        }
        for _ in 0..pins.max(0) {
            table.pin(handle);
        }
        if pins < 0 {
            table.unpin(handle);
        }
    }

    fn is_live(&self, idx: PeerIdx) -> bool {
        self.members.iter().any(|member| member.idx == idx && member.catch_up.is_none())
    }

    /// The attribute set that the group is to have for an entry; zero for none.
    fn outcome(&mut self, ctx: &Ctx, entry: &super::table::Entry<P>, old: u32) -> u32 {
        if entry.prefix.length() == 0 && self.settings.default_originate.is_some() {
            let attrs = if self.default_allowed { default_route(ctx, self.target()) } else { None };
            return attrs.map_or(0, |attrs| self.encode(&attrs, PeerIdx::LOCAL));
        }
        let Some(path) = entry.best().copied().filter(|_| !entry.has(entry_flags::SUPPRESSED)) else {
            return 0;
        };
        if old == 0 && self.settings.maximum_prefix_out.is_some_and(|max| self.out.len() >= max as usize) {
            return 0;
        }
        let Some(interned) = ctx.attrs.get(path.attrs) else { return 0 };
        let key = (path.attrs, interned.generation, path.peer);
        let cacheable = !self.by_prefix && !path.peer.is_local();
        if cacheable {
            match self.cache.get(&key) {
                Some((0, _)) => return 0,
                Some((id, generation)) if self.outs.generation_of(*id) == Some(*generation) => return *id,
                _ => {}
            }
        }
        // What the only member sent itself is not worth keeping.
        let alone = self.members.len() == 1 && self.has_member(path.peer);
        let attrs = if alone { None } else { export(ctx, self.target(), &path, entry.prefix.into()).ok() };
        let id = attrs.map_or(0, |attrs| self.encode(&attrs, path.peer));
        if cacheable {
            self.cache.insert(key, (id, self.outs.generation_of(id).unwrap_or(0)));
        }
        id
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

    /// Live members without one.
    fn audience(&mut self, excluded: PeerIdx) -> Arc<[PeerId]> {
        let members = &self.members;
        let audience = self.audiences.entry(excluded).or_insert_with(|| {
            members
                .iter()
                .filter(|member| member.catch_up.is_none() && member.idx != excluded)
                .map(|member| member.id)
                .collect()
        });
        Arc::clone(audience)
    }

    /// Packs what live members are to get.
    fn emit(&mut self, ctx: &mut Ctx, mut emission: Emission<P>, out: &mut Vec<ShardAction>) {
        let packing = self.packing();
        let mut sender = Sender::new(self.family);
        emission.withdrawn.sort_by_key(|(excluded, _)| *excluded);
        for (excluded, run) in runs(&emission.withdrawn) {
            let audience = self.audience(excluded);
            sender.withdraw(packing, &audience, &run, out);
        }
        emission.single.sort_by_key(|(member, _)| *member);
        for (member, run) in runs(&emission.single) {
            let Some(id) = self.members.iter().find(|m| m.idx == member).map(|m| m.id) else { continue };
            sender.withdraw(packing, &Arc::from([id]), &run, out);
        }
        emission.again.sort_by_key(|(key, _)| *key);
        for ((member, id), run) in runs(&emission.again) {
            let Some(peer) = self.members.iter().find(|m| m.idx == member).map(|m| m.id) else { continue };
            let Some(set) = self.outs.get(id) else { continue };
            let (nexthop, attrs) = set.split();
            sender.announce(packing, &Arc::from([peer]), attrs, nexthop, &run, out);
        }
        emission.announced.sort_by_key(|(id, _)| *id);
        for (id, run) in runs(&emission.announced) {
            let Some(excluded) = self.outs.get(id).map(|set| set.excluded) else { continue };
            let audience = self.audience(excluded);
            let Some(set) = self.outs.get(id) else { continue };
            let (nexthop, attrs) = set.split();
            sender.announce(packing, &audience, attrs, nexthop, &run, out);
        }
        self.close(ctx, sender, out);
    }

    /// Ends a round of sending and books what went out.
    fn close(&mut self, ctx: &mut Ctx, mut sender: Sender, out: &mut Vec<ShardAction>) {
        sender.cut(out);
        self.messages += sender.total_messages;
        self.octets += sender.total_octets;
        for (peers, octets) in sender.booked {
            for id in peers.iter() {
                if let Some(slot) = ctx.peers.idx(*id).and_then(|idx| ctx.peers.get_mut(idx)) {
                    slot.outstanding += octets;
                }
            }
        }
        for member in &self.members {
            if let Some(slot) = ctx.peers.get_mut(member.idx) {
                let place = usize::from(self.family != Family::IPV4_UNICAST);
                if let Some(counts) = slot.counts.get_mut(place).filter(|counts| counts.sent != member.sent) {
                    counts.sent = member.sent;
                    slot.counts_changed = true;
                }
            }
        }
    }

    /// Whether the peer has the prefix from us.
    pub fn has(&self, idx: PeerIdx, handle: Handle) -> bool {
        let Some(member) = self.members.iter().find(|member| member.idx == idx) else { return false };
        match &member.catch_up {
            Some(catch_up) if catch_up.pending.contains(handle) => catch_up.had.contains(handle),
            _ => self.outs.get(self.out.get(handle)).is_some_and(|set| set.excluded != idx),
        }
    }

    /// Members that have the prefix.
    pub fn holders(&self, handle: Handle) -> impl Iterator<Item = PeerId> + '_ {
        self.members.iter().filter(move |member| self.has(member.idx, handle)).map(|member| member.id)
    }

    /// Attributes as the group's peers get them, worked out again for a show.
    pub fn advertised(
        &self,
        ctx: &Ctx,
        entry: &super::table::Entry<P>,
    ) -> Option<bgp_packet::attr::Attributes> {
        if entry.prefix.length() == 0 && self.settings.default_originate.is_some() {
            return default_route(ctx, self.target());
        }
        export(ctx, self.target(), entry.best()?, entry.prefix.into()).ok()
    }

    /// The map on which the default route depends.
    pub fn default_map(&self) -> Option<&Arc<dyn Filter>> {
        self.settings.default_originate.as_ref()?.map.as_ref()
    }

    /// Says whether the condition of the default route holds; whether that is news.
    pub fn allow_default(&mut self, allowed: bool) -> bool {
        std::mem::replace(&mut self.default_allowed, allowed) != allowed
    }

    pub fn originates_default(&self) -> bool {
        self.settings.default_originate.is_some()
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
        self.out.octets() + self.outs.octets() + self.dirty.octets() + members
    }
}
