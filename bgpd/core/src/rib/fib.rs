//! What zebra is told: for each prefix the next hops of the best path and of those that share its traffic.
//!
//! Sets of next hops are shared, and what was sent is remembered by number, so that a prefix whose best path changes without
//! a change for the kernel costs no message. The FIB coalesces like an update group: a prefix waits in `dirty` until
//! zebra has room.

use std::net::IpAddr;

use bgp_packet::attr::NextHop;
use ferrite_types::zclient::{self, RouteAttrs, RouteOutcome, RouteUpdate};
use ferrite_types::{Blackhole, Distance, Metric, Nexthop, NexthopKind, Prefix, RouteProtocol, Safi, Tag};
use rustc_hash::FxHashMap;

use super::attrs::AttrId;
use super::bandwidth::{bandwidth, weights};
use super::ctx::{Ctx, local_id};
use super::event::ShardAction;
use super::peers::PeerIdx;
use super::policy::{PolicyInput, Verdict};
use super::settings::{FamilySettings, PeerKind};
use super::table::{Bits, Column, Entry, Handle, Key, Path, PathFlags, Table, bits_of, entry_flags};

/// Updates in one batch.
const BATCH: usize = 4096;

/// Entries of the cache before it is emptied.
const CACHE_LIMIT: usize = 1 << 15;

/// What several prefixes have in common.
#[derive(Debug)]
struct Shared {
    attrs: RouteAttrs,
    refs: u32,
    generation: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct SharedKey {
    nexthops: Vec<Nexthop>,
    distance: u8,
    metric: u32,
    tag: u32,
    recursion: bool,
    internal: bool,
}

/// The FIB of one family.
#[derive(Debug, Default)]
pub struct Fib {
    sent: Column,
    dirty: Bits,
    word: usize,
    slots: Vec<Option<(SharedKey, Shared)>>,
    by_key: FxHashMap<SharedKey, u32>,
    free: Vec<u32>,
    generation: u32,
    /// Single paths by attribute set, its generation and peer.
    cache: FxHashMap<(AttrId, u32, PeerIdx), (u32, u32)>,
    /// Zebra is there and wants routes.
    connected: bool,
    /// `ReplayDone` is owed once nothing is dirty.
    pub replaying: bool,
    /// Entries whose wait for the kernel is over without a word of it: nothing changes for it.
    ready: Vec<Handle>,
}

impl Fib {
    #[inline]
    pub fn mark(&mut self, handle: Handle) {
        if self.connected {
            self.dirty.insert(handle);
        }
    }

    /// Zebra has none of our routes any more, or will hear them all again.
    pub fn replay<P: Key>(&mut self, table: &mut Table<P>) {
        self.disconnect(table);
        self.connected = true;
        self.replaying = true;
        self.dirty = Bits::all(table.capacity());
    }

    pub fn disconnect<P: Key>(&mut self, table: &mut Table<P>) {
        let sent = std::mem::take(self).sent;
        sent.iter().for_each(|(handle, _)| table.unpin(handle));
    }

    /// A map is in another state: what it said of attributes does not hold.
    pub fn forget_judged(&mut self) {
        self.cache.clear();
    }

    /// Settings changed that routes depend on.
    pub fn reevaluate(&mut self, capacity: usize) {
        self.cache.clear();
        if self.connected {
            self.dirty = Bits::all(capacity);
        }
    }

    pub fn is_connected(&self) -> bool {
        self.connected
    }

    pub fn take_ready(&mut self) -> Vec<Handle> {
        std::mem::take(&mut self.ready)
    }

    pub fn has_work(&self) -> bool {
        self.connected && !self.dirty.is_empty()
    }

    pub fn is_sent(&self, handle: Handle) -> bool {
        self.sent.get(handle) != 0
    }

    pub fn octets(&self) -> usize {
        self.sent.octets()
            + self.dirty.octets()
            + self.slots.capacity() * size_of::<Option<(SharedKey, Shared)>>()
    }

    /// Sends up to a batch, as far as zebra has room; returns the updates sent.
    pub fn flush<P: Key>(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        safi: Safi,
        settings: &FamilySettings,
        outstanding: usize,
        out: &mut Vec<ShardAction>,
    ) -> usize {
        let room = ctx.limits.zebra_window.saturating_sub(outstanding).min(BATCH);
        if room == 0 || !self.has_work() {
            return 0;
        }
        let mut updates = Vec::with_capacity(room.min(self.dirty.len()));
        let words = self.dirty.words();
        for _ in 0..words {
            if updates.len() + 64 > room.max(64) {
                break;
            }
            let index = if self.word < words { self.word } else { 0 };
            self.word = index + 1;
            for handle in bits_of(self.dirty.word(index), index) {
                self.dirty.remove(handle);
                updates.extend(self.update(ctx, table, settings, handle));
            }
        }
        self.dirty.trim();
        if self.cache.len() > CACHE_LIMIT {
            self.cache.clear();
        }
        let count = updates.len();
        if count > 0 {
            let batch = zclient::RouteBatch {
                vrf: ctx.config.vrf,
                safi,
                table: None,
                instance: 0,
                group: None,
                updates,
            };
            out.push(ShardAction::Zebra(batch));
        }
        count
    }

    fn update<P: Key>(
        &mut self,
        ctx: &Ctx,
        table: &mut Table<P>,
        settings: &FamilySettings,
        handle: Handle,
    ) -> Option<RouteUpdate> {
        let entry = table.get_mut(handle)?;
        let prefix: Prefix = entry.prefix.into();
        let old = self.sent.get(handle);
        let new = self.outcome(ctx, entry, settings);
        if entry.has(entry_flags::FIB_WAIT) && (new == old || new == 0) {
            entry.set(entry_flags::FIB_WAIT, false);
            self.ready.push(handle);
        }
        if new == old {
            return None;
        }
        let entry = table.get_mut(handle)?;
        entry.set(entry_flags::FIB_INSTALLED | entry_flags::FIB_REJECTED, false);
        if let Some((_, shared)) = self.slot_mut(new) {
            shared.refs += 1;
        }
        self.sent.set(handle, new);
        let route = self.slot_mut(new).map(|(_, shared)| shared.attrs.clone());
        self.release(old);
        match (old, new) {
            (0, _) => table.pin(handle),
            (_, 0) => table.unpin(handle),
            _ => {}
        }
        Some(RouteUpdate { prefix, protocol: RouteProtocol::Bgp, route })
    }

    fn slot_mut(&mut self, id: u32) -> Option<&mut (SharedKey, Shared)> {
        self.slots.get_mut((id as usize).checked_sub(1)?)?.as_mut()
    }

    fn generation_of(&self, id: u32) -> Option<u32> {
        self.slots.get((id as usize).checked_sub(1)?)?.as_ref().map(|(_, shared)| shared.generation)
    }

    fn release(&mut self, id: u32) {
        let Some((_, shared)) = self.slot_mut(id) else { return };
        shared.refs = shared.refs.saturating_sub(1);
        if shared.refs > 0 {
            return;
        }
        if let Some((key, _)) = self.slots.get_mut(id as usize - 1).and_then(Option::take) {
            self.by_key.remove(&key);
            self.free.push(id);
        }
    }

    fn intern(&mut self, key: SharedKey) -> u32 {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        self.generation = self.generation.wrapping_add(1);
        let attrs = RouteAttrs {
            nexthops: key.nexthops.as_slice().into(),
            distance: Distance(key.distance),
            metric: Metric(key.metric),
            tag: Tag(key.tag),
            mtu: 0,
            allow_recursion: key.recursion,
            internal: key.internal,
            ospf: None,
        };
        let shared = Shared { attrs, refs: 0, generation: self.generation };
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(place) = self.slots.get_mut(id as usize - 1) {
                    *place = Some((key.clone(), shared));
                }
                id
            }
            None => {
                self.slots.push(Some((key.clone(), shared)));
                self.slots.len() as u32
            }
        };
        self.by_key.insert(key, id);
        id
    }

    /// The number of what zebra is to have for an entry; zero for nothing.
    fn outcome<P: Key>(&mut self, ctx: &Ctx, entry: &Entry<P>, settings: &FamilySettings) -> u32 {
        if !ctx.config.install {
            return 0;
        }
        let Some(best) = entry.best() else { return 0 };
        let generation = ctx.attrs.get(best.attrs).map_or(0, |interned| interned.generation);
        let key = (best.attrs, generation, best.peer);
        let alone = !entry.paths.iter().any(|path| path.flags.has(PathFlags::MULTIPATH));
        let by_prefix = settings.table_map.is_some()
            || settings.distances.iter().any(|rule| rule.filter.is_some())
            || settings.networks.iter().any(|network| network.backdoor);
        let cacheable = alone && !by_prefix && !best.peer.is_local();
        if cacheable {
            match self.cache.get(&key) {
                Some((0, _)) => return 0,
                Some((id, generation)) if self.generation_of(*id) == Some(*generation) => return *id,
                _ => {}
            }
        }
        let id = shared_key(ctx, entry, best, settings).map_or(0, |key| self.intern(key));
        if cacheable {
            self.cache.insert(key, (id, self.generation_of(id).unwrap_or(0)));
        }
        id
    }
}

/// The result of one route that zebra reports.
pub fn result<P: Key>(table: &mut Table<P>, prefix: P, outcome: RouteOutcome) {
    let Some(handle) = table.find(&prefix) else { return };
    if let Some(entry) = table.get_mut(handle) {
        entry.set(entry_flags::FIB_INSTALLED, outcome == RouteOutcome::Installed);
        entry.set(entry_flags::FIB_REJECTED, matches!(outcome, RouteOutcome::Rejected(_)));
    }
}

fn shared_key<P: Key>(
    ctx: &Ctx,
    entry: &Entry<P>,
    best: &Path,
    settings: &FamilySettings,
) -> Option<SharedKey> {
    let interned = ctx.attrs.get(best.attrs)?;
    if best.peer.is_local() {
        // Networks and redistributed routes are zebra's already; an aggregate swallows what no part of it takes.
        return (best.path_id == local_id::AGGREGATE).then(|| SharedKey {
            nexthops: vec![Nexthop::blackhole(Blackhole::Null)],
            distance: settings.distance_local,
            metric: interned.attrs.med.unwrap_or(0),
            tag: interned.local.tag,
            recursion: false,
            internal: false,
        });
    }
    let slot = ctx.peers.get(best.peer)?;
    let internal = slot.params.kind != PeerKind::External;
    let mut nexthops = nexthops(ctx, entry);
    nexthops.sort_unstable();
    let mut key = SharedKey {
        nexthops,
        distance: distance(ctx, entry, best, settings),
        metric: interned.attrs.med.unwrap_or(0),
        tag: interned.local.tag,
        recursion: internal || !slot.params.connected_nexthops,
        internal,
    };
    if let Some(map) = &settings.table_map {
        let mut route = table_input(ctx, entry, best)?;
        if map.apply(&mut route) == Verdict::Deny {
            return None;
        }
        key.metric = route.fib_metric.unwrap_or(route.attrs.med.unwrap_or(0));
        key.tag = route.tag;
        key.distance = route.distance.unwrap_or(key.distance);
    }
    (!key.nexthops.is_empty()).then_some(key)
}

/// The next hops of the best path and of those that share its traffic, each with its share.
fn nexthops<P: Key>(ctx: &Ctx, entry: &Entry<P>) -> Vec<Nexthop> {
    let mut found: Vec<(Nexthop, Option<f64>)> = Vec::new();
    for path in entry.paths.iter().filter(|path| path.flags.has(PathFlags::BEST | PathFlags::MULTIPATH)) {
        if let Some(nexthop) = nexthop(ctx, path)
            && !found.iter().any(|(known, _)| *known == nexthop)
        {
            let octets = ctx.attrs.get(path.attrs).and_then(|interned| bandwidth(&interned.attrs));
            found.push((nexthop, octets));
        }
    }
    if found.len() > 1 {
        let octets: Vec<Option<f64>> = found.iter().map(|(_, octets)| *octets).collect();
        let shares = weights(ctx.config.bandwidth, &octets);
        let weighted = found.into_iter().zip(shares);
        return weighted
            .filter_map(|((nexthop, _), weight)| Some(Nexthop { weight: weight?, ..nexthop }))
            .collect();
    }
    found.into_iter().map(|(nexthop, _)| nexthop).collect()
}

/// Where packets of a path go.
fn nexthop(ctx: &Ctx, path: &Path) -> Option<Nexthop> {
    let interned = ctx.attrs.get(path.attrs)?;
    let ifindex = ctx.peers.get(path.peer).and_then(|slot| slot.params.ifindex);
    let kind = match interned.attrs.next_hop {
        NextHop::V4(addr) => NexthopKind::Gateway(IpAddr::V4(addr), None),
        NextHop::V6 { link_local: Some(addr), .. } if ifindex.is_some() && !interned.local.prefer_global => {
            NexthopKind::Gateway(IpAddr::V6(addr), ifindex)
        }
        NextHop::V6 { global, .. } if global.is_unicast_link_local() => {
            NexthopKind::Gateway(IpAddr::V6(global), Some(ifindex?))
        }
        NextHop::V6 { global, .. } => NexthopKind::Gateway(IpAddr::V6(global), None),
    };
    Some(Nexthop { vrf: ctx.config.vrf, ..Nexthop::new(kind) })
}

/// Administrative distance: what policy gave it, else of a matching rule, else of the kind of session.
fn distance<P: Key>(ctx: &Ctx, entry: &Entry<P>, best: &Path, settings: &FamilySettings) -> u8 {
    let Some(slot) = ctx.peers.get(best.peer) else { return settings.distance_local };
    let judged = ctx.attrs.get(best.attrs).map_or(0, |interned| interned.local.distance);
    if judged != 0 {
        return judged;
    }
    let rule = settings.distances.iter().filter(|rule| rule.source.contains(slot.params.addr)).find(|rule| {
        rule.filter.as_ref().is_none_or(|filter| {
            table_input(ctx, entry, best).is_some_and(|mut route| filter.apply(&mut route) == Verdict::Permit)
        })
    });
    if let Some(rule) = rule {
        return rule.distance;
    }
    let prefix: Prefix = entry.prefix.into();
    if settings.networks.iter().any(|network| network.backdoor && network.prefix == prefix) {
        return settings.distance_local;
    }
    if slot.params.kind == PeerKind::External { settings.distance_ebgp } else { settings.distance_ibgp }
}

fn table_input<'a, P: Key>(ctx: &'a Ctx, entry: &Entry<P>, best: &Path) -> Option<PolicyInput<'a>> {
    let interned = ctx.attrs.get(best.attrs)?;
    let peer = ctx.policy_peer(best.peer);
    Some(PolicyInput {
        prefix: entry.prefix.into(),
        attrs: std::borrow::Cow::Borrowed(&interned.attrs),
        source: peer.clone(),
        peer,
        source_protocol: RouteProtocol::Bgp,
        weight: interned.local.weight,
        tag: interned.local.tag,
        distance: None,
        table: None,
        fib_metric: None,
        interface: None,
        nexthop_set: false,
        link_local_set: false,
        nexthop_unchanged: false,
        prefer_global: false,
        nexthop_peer_address: false,
        received_med: None,
        default_local_pref: ctx.config.default_local_pref,
        rpki: ctx.rpki_view(),
        shared: super::bandwidth::Shared::default(),
        igp_metric: None,
    })
}
