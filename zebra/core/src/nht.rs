//! Next-hop tracking: for every address that a client watches or a route names as gateway, how it is reached now.
//!
//! A change of a route marks the watched addresses under its prefix; `settle` looks those up again, tells clients, resolves
//! the next-hop sets that name them, and reconsiders the routes of the sets that changed, which may mark more. Rounds
//! are limited: routes that resolve through each other cannot keep zebra busy, they continue a moment later.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::zclient::{FromZebra, NexthopState, Resolution, TrackNexthop};
use ferrite_types::{Nexthop, Prefix, Timestamp, VrfId};
use rustc_hash::FxHashSet;

use crate::action::Resilience;
use crate::client::{ClientKey, family};
use crate::instance::Zebra;
use crate::rib::{Resolved, SetId, TableKey, Trust, Via};
use crate::unmoved::Changed;

const MAX_ROUNDS: usize = 16;
const DEFER_MIN: Duration = Duration::from_millis(250);
const DEFER_MAX: Duration = Duration::from_secs(32);

pub type Address = (VrfId, IpAddr);

/// An address that somebody depends on.
#[derive(Debug, Default)]
pub struct Watch {
    /// Clients, and whether only connected networks count for them.
    pub clients: BTreeMap<ClientKey, bool>,
    /// Next-hop sets with this gateway.
    pub sets: BTreeSet<SetId>,
    pub via: Option<Via>,
}

/// A prefix of which clients want to know whether it is selected itself.
#[derive(Debug, Default)]
struct PrefixWatch {
    clients: BTreeSet<ClientKey>,
    known: Option<Resolution>,
}

#[derive(Debug, Default)]
pub struct Tracker {
    watches: BTreeMap<Address, Watch>,
    dirty: BTreeSet<Address>,
    prefixes: BTreeMap<(VrfId, Prefix), PrefixWatch>,
    dirty_prefixes: BTreeSet<(VrfId, Prefix)>,
    dirty_sets: BTreeSet<SetId>,
    /// When work goes on that did not end in its rounds.
    pub deferred: Option<Timestamp>,
    /// How often in a row that was so: each time waits twice as long.
    unsettled: u32,
    /// How often all routes were looked at because the next hops of some had changed.
    pub walks: u64,
}

impl Tracker {
    /// The watched addresses of a VRF that clients asked for.
    pub fn watched(&self) -> impl Iterator<Item = (Address, &Watch)> {
        self.watches.iter().map(|(at, watch)| (*at, watch))
    }

    /// The addresses that are reached now, and the prefix of the route that reaches each.
    pub fn resolved(&self) -> impl Iterator<Item = (Address, Prefix)> {
        self.watches.iter().filter_map(|(at, watch)| Some((*at, watch.via.as_ref()?.prefix)))
    }

    pub fn mark_addresses(&mut self, addresses: impl IntoIterator<Item = Address>) {
        self.dirty.extend(addresses);
    }

    pub fn wake(&mut self, now: Timestamp) {
        if self.deferred.is_some_and(|at| at <= now) {
            self.deferred = None;
        }
    }

    /// A prefix is reached in another way: so are the addresses under it.
    fn mark(&mut self, vrf: VrfId, prefix: Prefix) {
        if self.prefixes.contains_key(&(vrf, prefix)) {
            self.dirty_prefixes.insert((vrf, prefix));
        }
        if self.watches.is_empty() {
            return;
        }
        let range = (Bound::Included((vrf, prefix.addr())), Bound::Included((vrf, last_address(prefix))));
        self.dirty.extend(self.watches.range(range).map(|(at, _)| *at));
    }

    fn watch_set(&mut self, set: SetId, nexthops: &[Nexthop]) {
        for nexthop in nexthops {
            if let Some(gateway) = nexthop.gateway_addr() {
                self.watches.entry((nexthop.vrf, gateway)).or_default().sets.insert(set);
            }
        }
    }

    pub fn forget_set(&mut self, set: SetId, nexthops: &[Nexthop]) {
        self.dirty_sets.remove(&set);
        for nexthop in nexthops {
            let Some(gateway) = nexthop.gateway_addr() else { continue };
            let at = (nexthop.vrf, gateway);
            if let Some(watch) = self.watches.get_mut(&at) {
                watch.sets.remove(&set);
            }
            self.drop_idle(at);
        }
    }

    /// What every client was told of the addresses that it tracks, before any policy.
    pub fn states(&self) -> Vec<(ClientKey, NexthopState)> {
        let of = |(at, watch): (&Address, &Watch)| {
            let told = |(client, connected): (&ClientKey, &bool)| (*client, state(*at, watch, *connected));
            watch.clients.iter().map(told).collect::<Vec<_>>()
        };
        self.watches.iter().flat_map(of).collect()
    }

    fn drop_idle(&mut self, at: Address) {
        if self.watches.get(&at).is_some_and(|watch| watch.sets.is_empty() && watch.clients.is_empty()) {
            self.watches.remove(&at);
            self.dirty.remove(&at);
        }
    }
}

/// The last address of a prefix.
pub fn last_address(prefix: Prefix) -> IpAddr {
    match prefix {
        Prefix::V4(p) => Ipv4Addr::from_bits(p.bits() | !p.mask().to_bits()).into(),
        Prefix::V6(p) => {
            let host = if p.len() == 0 { u128::MAX } else { !(u128::MAX << (128 - u32::from(p.len()))) };
            let host = if p.len() == 128 { 0 } else { host };
            Ipv6Addr::from_bits(p.bits() | host).into()
        }
    }
}

impl Zebra {
    /// Clients' interest in addresses of a VRF that is gone ends with it: they ask again in the next of that name.
    pub(crate) fn forget_vrf_watches(&mut self, vrf: VrfId) {
        let of_vrf: Vec<Address> =
            self.tracker.watches.keys().filter(|(of, _)| *of == vrf).copied().collect();
        for at in of_vrf {
            if let Some(watch) = self.tracker.watches.get_mut(&at) {
                watch.clients.clear();
            }
            self.tracker.drop_idle(at);
        }
        self.tracker.prefixes.retain(|(of, _), _| *of != vrf);
        self.rpf.forget_vrf(vrf);
    }

    /// A route for the prefix was selected, changed or went.
    pub(crate) fn mark_covered(&mut self, key: TableKey, prefix: Prefix) {
        if self.interfaces.is_own_table(key) {
            self.tracker.mark(key.vrf, prefix);
            if self.settings.mpls.fec_resolution && key.vrf == VrfId::DEFAULT {
                self.lfib.links_changed();
            }
        }
    }

    /// A reference to a set, resolved.
    pub(crate) fn intern_set(&mut self, nexthops: &Arc<[Nexthop]>, trust: Trust) -> SetId {
        self.intern_resilient(nexthops, trust, None)
    }

    /// The same, for a group that may be resilient.
    pub(crate) fn intern_resilient(
        &mut self,
        nexthops: &Arc<[Nexthop]>,
        trust: Trust,
        resilience: Option<Resilience>,
    ) -> SetId {
        let (id, new) = self.rib.shared.acquire_set(nexthops, trust, resilience);
        if new {
            if trust != Trust::Kernel {
                self.tracker.watch_set(id, nexthops);
                let gateways = nexthops.iter().filter_map(|n| Some((n.vrf, n.gateway_addr()?)));
                for at in gateways.collect::<Vec<_>>() {
                    self.look_up_new(at);
                }
            }
            let resolved = self.resolver().set(nexthops, trust);
            if let Some(set) = self.rib.shared.set_mut(id) {
                set.resolved = resolved;
            }
        }
        id
    }

    /// What a fresh watch starts from, so that only later changes count as such.
    fn look_up_new(&mut self, at: Address) {
        if self.tracker.watches.get(&at).is_some_and(|watch| watch.via.is_none()) {
            let via = self.resolver().track(at.0, at.1);
            if let Some(watch) = self.tracker.watches.get_mut(&at) {
                watch.via = via;
            }
        }
    }

    pub(crate) fn track(&mut self, client: ClientKey, items: &[TrackNexthop]) {
        let mut states = Vec::new();
        for item in items {
            let at = (item.vrf, item.addr);
            if let Some(length) = item.exact {
                states.extend(self.track_prefix(client, item, length));
                continue;
            }
            if !item.track {
                if let Some(watch) = self.tracker.watches.get_mut(&at) {
                    watch.clients.remove(&client);
                }
                self.tracker.drop_idle(at);
                continue;
            }
            self.tracker.watches.entry(at).or_default().clients.insert(client, item.connected_only);
            self.look_up_new(at);
            let known = self.tracker.watches.get(&at).map(|watch| state(at, watch, item.connected_only));
            states.extend(known.map(|state| self.filter_tracked(client, state)));
            if let Some(client) = self.clients.get_mut(client) {
                client.counts.tracked[family(Prefix::host(item.addr).afi())] += 1;
            }
        }
        if !states.is_empty() {
            self.send(client, FromZebra::Nexthops(states));
        }
    }

    /// A client's interest in a prefix itself; what is known of it now.
    fn track_prefix(&mut self, client: ClientKey, item: &TrackNexthop, length: u8) -> Option<NexthopState> {
        let at = (item.vrf, Prefix::new(item.addr, length).filter(|prefix| prefix.addr() == item.addr)?);
        if !item.track {
            let watch = self.tracker.prefixes.get_mut(&at)?;
            watch.clients.remove(&client);
            if watch.clients.is_empty() {
                self.tracker.prefixes.remove(&at);
            }
            return None;
        }
        let known = self.selected_route(at);
        let watch = self.tracker.prefixes.entry(at).or_default();
        watch.clients.insert(client);
        watch.known = known;
        Some(prefix_state(at, watch))
    }

    /// What is selected for exactly this prefix in the VRF's own table.
    fn selected_route(&self, (vrf, prefix): (VrfId, Prefix)) -> Option<Resolution> {
        let key = crate::rib::key(vrf, prefix.afi(), self.interfaces.table_of(vrf)?);
        let shape = self.rib.shared.shape(self.rib.dest(key, prefix)?.selected()?.shape)?;
        Some(Resolution {
            prefix,
            protocol: shape.protocol,
            distance: shape.distance,
            metric: shape.metric,
            nexthops: self.rib.shared.set(shape.set)?.nexthops.clone(),
        })
    }

    fn look_up_prefixes(&mut self, told: &mut BTreeMap<ClientKey, Vec<NexthopState>>) {
        for at in std::mem::take(&mut self.tracker.dirty_prefixes) {
            let known = self.selected_route(at);
            let Some(watch) = self.tracker.prefixes.get_mut(&at) else { continue };
            if watch.known == known {
                continue;
            }
            watch.known = known;
            for client in &watch.clients {
                told.entry(*client).or_default().push(prefix_state(at, watch));
            }
        }
    }

    pub(crate) fn forget_tracking(&mut self, client: ClientKey) {
        self.rpf.forget_client(client);
        self.tracker.prefixes.retain(|_, watch| {
            watch.clients.remove(&client);
            !watch.clients.is_empty()
        });
        let watched: Vec<Address> = self
            .tracker
            .watches
            .iter_mut()
            .filter_map(|(at, watch)| watch.clients.remove(&client).map(|_| *at))
            .collect();
        for at in watched {
            self.tracker.drop_idle(at);
        }
    }

    /// Everything is looked up again: interfaces or a rule of resolution have changed.
    pub(crate) fn refresh_all(&mut self) {
        self.refresh_rpf();
        self.tracker.dirty.extend(self.tracker.watches.keys().copied());
        self.tracker.dirty_sets.extend(self.rib.shared.sets().map(|(id, _)| id));
    }

    /// Works off what is marked.
    pub(crate) fn settle(&mut self) {
        if self.tracker.deferred.is_some() {
            return;
        }
        let mut told: BTreeMap<ClientKey, Vec<NexthopState>> = BTreeMap::new();
        for _ in 0..MAX_ROUNDS {
            if self.tracker.dirty.is_empty() && self.tracker.dirty_sets.is_empty() {
                break;
            }
            self.look_up_dirty(&mut told);
            let changed = self.resolve_dirty_sets();
            if changed.is_empty() {
                continue;
            }
            let moved = self.settle_unmoved(changed);
            if !moved.is_empty() {
                self.reconsider_users(&moved);
            }
        }
        if !self.tracker.dirty.is_empty() || !self.tracker.dirty_sets.is_empty() {
            let wait = DEFER_MIN.saturating_mul(1 << self.tracker.unsettled.min(7)).min(DEFER_MAX);
            self.tracker.unsettled = self.tracker.unsettled.saturating_add(1);
            self.tracker.deferred = Some(self.now + wait);
        } else {
            self.tracker.unsettled = 0;
        }
        self.look_up_prefixes(&mut told);
        for (client, states) in told {
            let states = states.into_iter().map(|state| self.filter_tracked(client, state)).collect();
            self.send(client, FromZebra::Nexthops(states));
        }
    }

    fn look_up_dirty(&mut self, told: &mut BTreeMap<ClientKey, Vec<NexthopState>>) {
        for at in std::mem::take(&mut self.tracker.dirty) {
            let via = self.resolver().track(at.0, at.1);
            let Some(watch) = self.tracker.watches.get_mut(&at) else { continue };
            // A set may depend on more than the answer for its gateway: an interface that is named, for one.
            self.tracker.dirty_sets.extend(&watch.sets);
            if watch.via == via {
                continue;
            }
            watch.via = via;
            for (client, connected_only) in &watch.clients {
                told.entry(*client).or_default().push(state(at, watch, *connected_only));
            }
        }
    }

    /// The sets whose next hops came out differently.
    fn resolve_dirty_sets(&mut self) -> Vec<Changed> {
        let mut changed = Vec::new();
        for id in std::mem::take(&mut self.tracker.dirty_sets) {
            let Some(set) = self.rib.shared.set(id) else { continue };
            let resolved: Resolved = self.resolver().set(&set.nexthops, set.trust);
            if resolved == set.resolved {
                continue;
            }
            if let Some(set) = self.rib.shared.set_mut(id) {
                let before = std::mem::replace(&mut set.resolved, resolved);
                set.generation = set.generation.wrapping_add(1);
                changed.push(Changed { id, before });
            }
            self.regroup(id);
        }
        changed
    }

    /// Reconsiders every route of these sets. One walk for all of them: routes do not know their set's users, which would
    /// cost a million routes more than the walk does.
    fn reconsider_users(&mut self, changed: &FxHashSet<SetId>) {
        self.tracker.walks += 1;
        const SLICE: usize = 4096;
        let keys: Vec<TableKey> = self.rib.tables.keys().copied().collect();
        for key in keys {
            let mut cursor = None;
            loop {
                let mut found = Vec::new();
                let Some(table) = self.rib.tables.get(&key) else { break };
                let shared = &self.rib.shared;
                let uses = |id| shared.shape(id).is_some_and(|shape| changed.contains(&shape.set));
                table.walk(cursor, |prefix, dest| {
                    cursor = Some(prefix);
                    if dest.entries().any(|entry| uses(entry.shape)) {
                        let old = dest.selected().map(|entry| entry.shape);
                        found.push((prefix, old, old.is_some_and(uses)));
                    }
                    if found.len() < SLICE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                if found.is_empty() {
                    break;
                }
                for (prefix, old, anew) in found {
                    self.reconsider(key, prefix, old, anew);
                }
            }
        }
    }
}

/// What a client is told of a prefix.
fn prefix_state((vrf, prefix): (VrfId, Prefix), watch: &PrefixWatch) -> NexthopState {
    NexthopState { vrf, addr: prefix.addr(), exact: Some(prefix.len()), resolved: watch.known.clone() }
}

/// What a client is told of an address.
fn state(at: Address, watch: &Watch, connected_only: bool) -> NexthopState {
    let via = watch.via.as_ref().filter(|via| via.connected || !connected_only);
    NexthopState {
        vrf: at.0,
        addr: at.1,
        exact: None,
        resolved: via.map(|via| Resolution {
            prefix: via.prefix,
            protocol: via.protocol,
            distance: via.distance,
            metric: via.metric,
            nexthops: via.paths.iter().cloned().collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_of_a_prefix() {
        for (prefix, last) in [
            ("0.0.0.0/0", "255.255.255.255"),
            ("10.1.0.0/16", "10.1.255.255"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::/127", "2001:db8::1"),
            ("2001:db8::1/128", "2001:db8::1"),
        ] {
            assert_eq!(last_address(prefix.parse().unwrap()), last.parse::<IpAddr>().unwrap(), "{prefix}");
        }
    }
}
