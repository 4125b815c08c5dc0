//! Neighbours on links whose link address a client wants known before packets wait for it: ospfd's, when they come up.
//!
//! In: [`ResolveNeighbor`]. Out: [`LinkChange::Resolve`]; the kernel asks the link, and keeps the answer as it keeps every other.

use std::net::IpAddr;

use ferrite_types::zclient::ResolveNeighbor;

use crate::action::{Action, LinkChange};
use crate::instance::Zebra;

impl Zebra {
    /// The kernel would refuse what is no single neighbour, and a link that is down or gone.
    pub(crate) fn resolve_neighbor(&mut self, ResolveNeighbor { ifindex, addr }: ResolveNeighbor) {
        let single = match addr {
            IpAddr::V4(addr) => !addr.is_broadcast() && !addr.is_multicast() && !addr.is_unspecified(),
            IpAddr::V6(addr) => !addr.is_multicast() && !addr.is_unspecified(),
        };
        let up = self.interfaces.get(ifindex).is_some_and(|link| link.info.interface.up);
        if single && up {
            self.actions.push(Action::Link(LinkChange::Resolve { ifindex, addr }));
        }
    }
}
