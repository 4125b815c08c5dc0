//! Neighbours that are known by their interface (`neighbor eth0 interface …`): where they are, whose an incoming
//! connection is, and the router advertisements that both ends find each other by (RFC 4861 §6.2).
//!
//! A link's other end is found as in FRR: by the other address of an IPv4 /30 or /31 unless the neighbour is `v6only`, else
//! by the link-local address that zebra has learned from a router advertisement. A link-local address says nothing
//! without its link: sessions are told apart by (interface, address), so that many links may share one address.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ferrite_types::zclient::{RouterAdvertisements, ToZebra};
use ferrite_types::{IfIndex, VrfId};

use super::{Action, Instance, Interfaces};
use crate::config::{EffectiveNeighbor, NeighborName, UpdateSource};
use crate::peer::Ends;
use crate::rib::PeerId;

/// Seconds between the advertisements that a neighbour on an interface makes zebra send (FRR's).
const INTERVAL: u32 = 10;

pub fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(addr) if addr.is_unicast_link_local())
}

/// Fills in where a neighbour is now, as far as its interface tells.
pub fn resolve(interfaces: &Interfaces, neighbor: &mut EffectiveNeighbor) {
    match &neighbor.name {
        NeighborName::Interface(name) => {
            let Some(ifindex) = interfaces.index_of(name) else { return };
            let over_ipv4 = || interfaces.other_end(ifindex).map(IpAddr::V4);
            let numbered = if neighbor.session.v6only { None } else { over_ipv4() };
            let addr = numbered.or_else(|| interfaces.link_neighbor(ifindex).map(IpAddr::V6));
            neighbor.ifindex = Some(ifindex);
            if let Some(addr) = addr {
                neighbor.addr = addr;
            }
        }
        NeighborName::Addr(addr) if is_link_local(*addr) => {
            let source = match &neighbor.session.update_source {
                Some(UpdateSource::Interface(name)) => Some(name),
                _ => None,
            };
            let name = neighbor.session.interface.as_ref().or(source);
            neighbor.ifindex = name.and_then(|name| interfaces.index_of(name));
        }
        NeighborName::Addr(_) => {}
    }
}

impl Instance {
    /// The neighbour that made a connection. One on a link-local address is known by the link it came over.
    pub(super) fn peer_behind(&self, ends: Ends) -> Option<PeerId> {
        let addr = ends.remote.ip().to_canonical();
        let named = self.by_name.get(&NeighborName::Addr(addr)).copied();
        let over = |id: &PeerId, scope: IfIndex| {
            self.peers.get(id).is_some_and(|entry| entry.effective.ifindex == Some(scope))
        };
        match ends.remote {
            SocketAddr::V6(remote) if is_link_local(addr) => {
                let scope = IfIndex(remote.scope_id());
                let here = |ifindex: Option<IfIndex>| ifindex == Some(scope);
                named.filter(|id| over(id, scope)).or_else(|| {
                    let mut peers = self.peers.iter();
                    let found = peers.find(|(_, entry)| entry.addr == addr && here(entry.effective.ifindex));
                    found.map(|(id, _)| *id)
                })
            }
            _ => named.or_else(|| {
                let on_link = |name: &NeighborName| name.interface().is_some();
                let mut peers = self.peers.iter();
                peers.find(|(_, entry)| on_link(&entry.name) && entry.addr == addr).map(|(id, _)| *id)
            }),
        }
    }

    /// Asks zebra for advertisements on the interfaces that now have a neighbour, and ends them where none is left.
    pub(super) fn advertise(&mut self, out: &mut Vec<Action>) {
        if !self.zebra_connected || self.snapshot.is_some() {
            return;
        }
        let (vrf, wanted) = (self.vrf_id(), self.interfaces_to_advertise());
        for ifindex in self.advertising.difference(&wanted) {
            out.push(request(vrf, *ifindex, None));
        }
        for ifindex in wanted.difference(&self.advertising) {
            out.push(request(vrf, *ifindex, Some(INTERVAL)));
        }
        self.advertising = wanted;
    }

    fn interfaces_to_advertise(&self) -> BTreeSet<IfIndex> {
        let Some(router) = self.router().filter(|router| router.auto_ra && !self.config.no_auto_ra) else {
            return BTreeSet::new();
        };
        let names = router.neighbors.keys().filter_map(NeighborName::interface);
        let named = names.filter_map(|name| self.interfaces.index_of(name));
        // A neighbour by its IPv6 address that may be a next hop for IPv4 is one that hosts and routers must be able to find.
        let by_address = self.peers.values().filter(|entry| {
            entry.effective.session.extended_next_hop && entry.addr.is_ipv6() && !entry.addr.is_unspecified()
        });
        let links = by_address
            .filter_map(|entry| entry.effective.ifindex.or_else(|| self.interfaces.towards(entry.addr)));
        named.chain(links).collect()
    }
}

fn request(vrf: VrfId, ifindex: IfIndex, interval: Option<u32>) -> Action {
    Action::Zebra(ToZebra::RouterAdvertisements(RouterAdvertisements { vrf, ifindex, interval }))
}
