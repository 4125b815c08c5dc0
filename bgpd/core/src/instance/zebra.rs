//! The instance's side of the zebra stream: which next hops all shards together track, what is redistributed, and the
//! replay after a connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrite_types::zclient::{NexthopState, RedistributeRequest, ToZebra, TrackNexthop};
use ferrite_types::{Afi, Prefix, RouteProtocol, VrfId};

use crate::config::RouterBgp;

/// A next hop as zebra is asked for it.
type Tracked = (VrfId, IpAddr, bool, Option<u8>);

/// The union of what the shards track.
#[derive(Debug, Default)]
pub struct Tracking {
    /// Shards that want each next hop.
    wanted: BTreeMap<Tracked, BTreeSet<usize>>,
    /// Zebra's last word on each address, and on each prefix that is tracked itself.
    states: BTreeMap<(VrfId, IpAddr, Option<u8>), NexthopState>,
}

impl Tracking {
    /// A shard's requests: what zebra is to be asked, and what is known already.
    pub fn request(
        &mut self,
        shard: usize,
        requests: Vec<TrackNexthop>,
    ) -> (Vec<TrackNexthop>, Vec<NexthopState>) {
        let (mut ask, mut known) = (Vec::new(), Vec::new());
        for request in requests {
            let key = (request.vrf, request.addr, request.connected_only, request.exact);
            if request.track {
                let shards = self.wanted.entry(key).or_default();
                if shards.is_empty() {
                    ask.push(request);
                }
                shards.insert(shard);
                known.extend(self.states.get(&(request.vrf, request.addr, request.exact)).cloned());
            } else if let Some(shards) = self.wanted.get_mut(&key) {
                shards.remove(&shard);
                if shards.is_empty() {
                    self.wanted.remove(&key);
                    self.forget(request.vrf, request.addr, request.exact);
                    ask.push(request);
                }
            }
        }
        (ask, known)
    }

    fn forget(&mut self, vrf: VrfId, addr: IpAddr, exact: Option<u8>) {
        let wanted = |connected: &bool| self.wanted.contains_key(&(vrf, addr, *connected, exact));
        if ![true, false].iter().any(wanted) {
            self.states.remove(&(vrf, addr, exact));
        }
    }

    /// Zebra's news.
    pub fn learn(&mut self, states: &[NexthopState]) {
        for state in states {
            self.states.insert((state.vrf, state.addr, state.exact), state.clone());
        }
    }

    /// Everything is asked for anew, in another VRF.
    pub fn forget_all(&mut self) {
        *self = Self::default();
    }

    /// The route that an address is reached by.
    pub fn resolved_prefix(&self, vrf: VrfId, addr: IpAddr) -> Option<Prefix> {
        self.states.get(&(vrf, addr, None))?.resolved.as_ref().map(|resolved| resolved.prefix)
    }

    /// Everything wanted, for a fresh connection; what zebra said on the old one no longer counts.
    pub fn replay(&mut self) -> Vec<TrackNexthop> {
        self.states.clear();
        let track = |(vrf, addr, connected_only, exact): &Tracked| TrackNexthop {
            vrf: *vrf,
            addr: *addr,
            connected_only: *connected_only,
            exact: *exact,
            track: true,
        };
        self.wanted.keys().map(track).collect()
    }
}

/// What zebra is to tell us about other protocols' routes.
pub type Subscriptions = BTreeSet<(Afi, RouteProtocol, u32)>;

/// The subscriptions that the configuration asks for. A `network` that must be in the RIB is tracked by its shard.
pub fn subscriptions(router: Option<&RouterBgp>) -> Subscriptions {
    let Some(router) = router else { return Subscriptions::new() };
    router
        .families
        .iter()
        .flat_map(|(family, part)| part.redistribute.keys().map(move |source| (family.afi, source)))
        .map(|(afi, source)| (afi, source.protocol, u32::from(source.instance)))
        .collect()
}

/// The requests that lead from one set of subscriptions to another.
pub fn changes(vrf: VrfId, old: &Subscriptions, new: &Subscriptions) -> Vec<ToZebra> {
    let request = |(afi, protocol, instance): &(Afi, RouteProtocol, u32), subscribe| {
        ToZebra::Redistribute(RedistributeRequest {
            vrf,
            afi: *afi,
            protocol: *protocol,
            instance: *instance,
            subscribe,
        })
    };
    let gone = old.difference(new).map(|source| request(source, false));
    gone.chain(new.difference(old).map(|source| request(source, true))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(addr: &str, track: bool) -> TrackNexthop {
        let addr = addr.parse().unwrap();
        TrackNexthop { vrf: VrfId::DEFAULT, addr, connected_only: false, exact: None, track }
    }

    #[test]
    fn zebra_hears_of_the_first_shard_that_tracks_and_of_the_last_that_stops() {
        let mut tracking = Tracking::default();
        assert_eq!(tracking.request(0, vec![track("10.0.0.1", true)]).0.len(), 1);
        assert!(tracking.request(1, vec![track("10.0.0.1", true)]).0.is_empty());
        assert!(tracking.request(0, vec![track("10.0.0.1", false)]).0.is_empty());
        assert_eq!(tracking.request(1, vec![track("10.0.0.1", false)]).0, [track("10.0.0.1", false)]);
        assert!(tracking.replay().is_empty());
    }

    #[test]
    fn a_shard_that_tracks_later_is_told_what_is_known() {
        let mut tracking = Tracking::default();
        tracking.request(0, vec![track("10.0.0.1", true)]);
        let addr = "10.0.0.1".parse().unwrap();
        let state = NexthopState { vrf: VrfId::DEFAULT, addr, exact: None, resolved: None };
        tracking.learn(std::slice::from_ref(&state));
        assert_eq!(tracking.request(1, vec![track("10.0.0.1", true)]).1, [state]);
    }
}
