//! Next hops as routes carry them between the daemons and zebra.

use std::net::IpAddr;

use smallvec::SmallVec;

use crate::srv6::Seg6;
use crate::{IfIndex, Label, VrfId};

/// What becomes of a packet that no gateway takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blackhole {
    /// Dropped silently.
    Null,
    /// Answered with ICMP unreachable.
    Reject,
    /// Answered with ICMP administratively prohibited.
    AdminProhibited,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NexthopKind {
    /// Directly out of an interface.
    Interface(IfIndex),
    /// A gateway; with an interface where the route names one (always for link-local addresses).
    Gateway(IpAddr, Option<IfIndex>),
    Blackhole(Blackhole),
}

/// One next hop of a route.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Nexthop {
    pub kind: NexthopKind,
    /// VRF in which the next hop is looked up.
    pub vrf: VrfId,
    /// Share among the route's next hops, 1 to 255.
    pub weight: u8,
    /// Treat the gateway as on the link though no address covers it.
    pub onlink: bool,
    /// Pushed on the packet, outermost first.
    pub labels: SmallVec<[Label; 2]>,
    /// Preferred source address of packets that this host sends.
    pub source: Option<IpAddr>,
    /// What it does with segments.
    pub seg6: Option<Box<Seg6>>,
}

impl Nexthop {
    pub fn new(kind: NexthopKind) -> Self {
        Self {
            kind,
            vrf: VrfId::DEFAULT,
            weight: 1,
            onlink: false,
            labels: SmallVec::new(),
            source: None,
            seg6: None,
        }
    }

    pub fn gateway(addr: IpAddr) -> Self {
        Self::new(NexthopKind::Gateway(addr, None))
    }

    pub fn interface(ifindex: IfIndex) -> Self {
        Self::new(NexthopKind::Interface(ifindex))
    }

    pub fn blackhole(kind: Blackhole) -> Self {
        Self::new(NexthopKind::Blackhole(kind))
    }

    pub fn gateway_addr(&self) -> Option<IpAddr> {
        match self.kind {
            NexthopKind::Gateway(addr, _) => Some(addr),
            _ => None,
        }
    }

    pub fn ifindex(&self) -> Option<IfIndex> {
        match self.kind {
            NexthopKind::Interface(ifindex) => Some(ifindex),
            NexthopKind::Gateway(_, ifindex) => ifindex,
            NexthopKind::Blackhole(_) => None,
        }
    }
}
