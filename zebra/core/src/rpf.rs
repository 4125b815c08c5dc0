//! Lookups of sources of multicast for daemons (PIM): how an address is reached by multicast's table, by the unicast one, or by
//! the better of both, told at once and again whenever it changes.
//!
//! As with next hops that are tracked, a change of a route marks the watched addresses under its prefix, and `settle` looks
//! those up again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Bound;

use ferrite_types::zclient::{FromZebra, Resolution, RpfMode, RpfState, TrackRpf};
use ferrite_types::{Afi, Prefix, Safi, VrfId};

use crate::client::ClientKey;
use crate::instance::Zebra;
use crate::mrib::multicast;
use crate::nht::last_address;
use crate::rib::TableKey;

type Key = (VrfId, IpAddr, RpfMode);
type Found = Option<(Safi, Resolution)>;

#[derive(Debug, Default)]
struct Watch {
    clients: BTreeSet<ClientKey>,
    known: Found,
}

#[derive(Debug, Default)]
pub struct RpfWatches {
    watches: BTreeMap<Key, Watch>,
    dirty: BTreeSet<Key>,
}

impl RpfWatches {
    /// A prefix is reached in another way.
    fn mark(&mut self, vrf: VrfId, prefix: Prefix) {
        let first = (vrf, prefix.addr(), RpfMode::MribOnly);
        let last = (vrf, last_address(prefix), RpfMode::LongerPrefix);
        let range = (Bound::Included(first), Bound::Included(last));
        self.dirty.extend(self.watches.range(range).map(|(key, _)| *key));
    }

    pub fn forget_client(&mut self, client: ClientKey) {
        self.watches.retain(|_, watch| {
            watch.clients.remove(&client);
            !watch.clients.is_empty()
        });
    }

    pub fn forget_vrf(&mut self, vrf: VrfId) {
        self.watches.retain(|(of, ..), _| *of != vrf);
    }
}

/// Every address of a family.
fn all_of(afi: Afi) -> Prefix {
    let any: IpAddr = match afi {
        Afi::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
        Afi::Ipv4 | Afi::L2vpn => Ipv4Addr::UNSPECIFIED.into(),
    };
    Prefix::new(any, 0).unwrap_or_else(|| Prefix::default_of(afi))
}

impl Zebra {
    pub(crate) fn track_rpf(&mut self, client: ClientKey, items: &[TrackRpf]) {
        let mut states = Vec::new();
        for TrackRpf { vrf, addr, mode, track } in items.iter().copied() {
            let key = (vrf, addr, mode);
            if !track {
                if let Some(watch) = self.rpf.watches.get_mut(&key) {
                    watch.clients.remove(&client);
                    if watch.clients.is_empty() {
                        self.rpf.watches.remove(&key);
                    }
                }
                continue;
            }
            let found = self.rpf_route(key);
            let watch = self.rpf.watches.entry(key).or_default();
            watch.clients.insert(client);
            watch.known.clone_from(&found);
            states.push(RpfState { vrf, addr, mode, found });
        }
        if !states.is_empty() {
            self.send(client, FromZebra::Rpf(states));
        }
    }

    /// A route of one of the two tables has changed.
    pub(crate) fn mark_rpf(&mut self, key: TableKey, prefix: Prefix) {
        if !self.rpf.watches.is_empty()
            && key.from.is_none()
            && self.interfaces.table_of(key.vrf) == Some(key.table)
        {
            self.rpf.mark(key.vrf, prefix);
        }
    }

    /// Interfaces or rules have changed.
    pub(crate) fn refresh_rpf(&mut self) {
        let vrfs: BTreeSet<VrfId> = self.rpf.watches.keys().map(|(vrf, ..)| *vrf).collect();
        for vrf in vrfs {
            self.rpf.mark(vrf, all_of(Afi::Ipv4));
            self.rpf.mark(vrf, all_of(Afi::Ipv6));
        }
    }

    /// Looks up what is marked and tells what came out differently.
    pub(crate) fn settle_rpf(&mut self) {
        let mut told: BTreeMap<ClientKey, Vec<RpfState>> = BTreeMap::new();
        for key in std::mem::take(&mut self.rpf.dirty) {
            let found = self.rpf_route(key);
            let Some(watch) = self.rpf.watches.get_mut(&key).filter(|watch| watch.known != found) else {
                continue;
            };
            watch.known.clone_from(&found);
            let (vrf, addr, mode) = key;
            for client in &watch.clients {
                let state = RpfState { vrf, addr, mode, found: found.clone() };
                told.entry(*client).or_default().push(state);
            }
        }
        for (client, states) in told {
            self.send(client, FromZebra::Rpf(states));
        }
    }

    fn rpf_route(&self, (vrf, addr, mode): Key) -> Found {
        let mrib = || self.route_in(Safi::Multicast, vrf, addr);
        let urib = || self.route_in(Safi::Unicast, vrf, addr);
        // Multicast's wins where both are alike.
        let better = |wins: fn(&Resolution, &Resolution) -> bool| match (mrib(), urib()) {
            (Some(mrib), Some(urib)) if wins(&urib.1, &mrib.1) => Some(urib),
            (mrib, urib) => mrib.or(urib),
        };
        match mode {
            RpfMode::MribOnly => mrib(),
            RpfMode::UribOnly => urib(),
            RpfMode::MribThenUrib => mrib().or_else(urib),
            RpfMode::LowerDistance => better(|a, b| a.distance < b.distance),
            RpfMode::LongerPrefix => better(|a, b| a.prefix.len() > b.prefix.len()),
        }
    }

    fn route_in(&self, safi: Safi, vrf: VrfId, addr: IpAddr) -> Found {
        let afi = if addr.is_ipv6() { Afi::Ipv6 } else { Afi::Ipv4 };
        let unicast = crate::rib::key(vrf, afi, self.interfaces.table_of(vrf)?);
        let key = if safi == Safi::Multicast { multicast(unicast) } else { unicast };
        let mut covering = self.rib.tables.get(&key)?.covering(addr, afi.bits());
        let (prefix, shape) = covering.find_map(|(prefix, dest)| Some((prefix, dest.selected()?.shape)))?;
        let shape = self.rib.shared.shape(shape)?;
        let nexthops = self.rib.shared.set(shape.set)?.resolved.fib.clone();
        let (protocol, distance, metric) = (shape.protocol, shape.distance, shape.metric);
        Some((safi, Resolution { prefix, protocol, distance, metric, nexthops }))
    }
}
