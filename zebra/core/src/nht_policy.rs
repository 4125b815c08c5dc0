//! `ip nht PROTO route-map NAME`: which routes may resolve the next hops that a daemon tracks. The map of the daemon's own protocol
//! judges each next hop of the route that resolves; what it denies is not there for that daemon.

use std::collections::BTreeMap;

use ferrite_types::zclient::{FromZebra, NexthopState};
use ferrite_types::{Nexthop, RouteProtocol, VrfId};

use crate::client::ClientKey;
use crate::instance::Zebra;
use crate::settings::{AfiKey, Settings};

type Maps = BTreeMap<(AfiKey, Option<RouteProtocol>), String>;

impl Zebra {
    fn nht_maps(&self, vrf: VrfId) -> Option<&Maps> {
        let name = &self.interfaces.vrf(vrf)?.name;
        Some(&self.settings.vrf(name)?.nht_maps).filter(|maps| !maps.is_empty())
    }

    /// Takes out of an answer what the map of the client's protocol denies.
    pub(crate) fn filter_tracked(&self, client: ClientKey, mut state: NexthopState) -> NexthopState {
        let Some(maps) = self.nht_maps(state.vrf) else { return state };
        let Some(protocol) = self.clients.get(client).map(|client| client.hello.protocol) else {
            return state;
        };
        let Some(resolved) = &mut state.resolved else { return state };
        let afi = AfiKey::of(resolved.prefix);
        let name = maps.get(&(afi, Some(protocol))).or_else(|| maps.get(&(afi, None)));
        let Some(name) = name else { return state };
        let Some(map) = self.policies.route_map(name) else {
            // FRR's too denies while the map is not there.
            state.resolved = None;
            return state;
        };
        let permitted = |nexthop: &&Nexthop| {
            self.permits_next_hop(map, resolved.prefix, resolved.protocol, resolved.metric, nexthop)
        };
        let left: Vec<Nexthop> = resolved.nexthops.iter().filter(permitted).cloned().collect();
        if left.is_empty() {
            state.resolved = None;
        } else {
            resolved.nexthops = left.into();
        }
        state
    }

    /// Maps are others than they were: every client hears again of what it tracks.
    pub(crate) fn apply_nht_maps(&mut self, old: &Settings) {
        let maps = |settings: &Settings| -> Vec<(String, Maps)> {
            let used = settings.vrfs.iter().filter(|(_, vrf)| !vrf.nht_maps.is_empty());
            used.map(|(name, vrf)| (name.clone(), vrf.nht_maps.clone())).collect()
        };
        let (before, after) = (maps(old), maps(&self.settings));
        let judged_anew = !after.is_empty() && old.policy != self.settings.policy;
        if before == after && !judged_anew {
            return;
        }
        let mut told: BTreeMap<ClientKey, Vec<NexthopState>> = BTreeMap::new();
        for (client, state) in self.tracker.states() {
            told.entry(client).or_default().push(state);
        }
        for (client, states) in told {
            let states = states.into_iter().map(|state| self.filter_tracked(client, state)).collect();
            self.send(client, FromZebra::Nexthops(states));
        }
    }
}
