//! What zebra wants done.

use std::net::IpAddr;
use std::sync::Arc;

use ferrite_types::zclient::FromZebra;
use ferrite_types::{
    Afi, IfIndex, Ipv6Prefix, Nexthop, NexthopKind, Prefix, RouteProtocol, Seg6, TableId, VrfId,
};

use crate::client::ClientKey;
use crate::lfib::LfibOp;

#[derive(Clone, Debug)]
pub enum Action {
    /// Changes of the forwarding table, in order with those of next-hop objects.
    Fib(Vec<FibOp>),
    /// Changes of next-hop objects, in order.
    Nexthops(Vec<NexthopOp>),
    Send {
        client: ClientKey,
        message: FromZebra,
    },
    Link(LinkChange),
    /// A router advertisement to all nodes of a link; the kernel fills its checksum in.
    Advertise {
        ifindex: IfIndex,
        octets: Vec<u8>,
    },
    /// Whether router solicitations are to be heard on a link: the group of all routers.
    HearSolicitations {
        ifindex: IfIndex,
        on: bool,
    },
    /// `net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`.
    Forwarding {
        afi: Afi,
        on: bool,
    },
    /// List the kernel's routes, without haste where nobody waits for it; [`Event::Audited`](crate::Event) brings them.
    Audit {
        audit: u64,
        hurry: bool,
    },
    /// Answers [`Event::DriftWanted`](crate::Event).
    Drift {
        token: u64,
        drift: Arc<crate::audit::Drift>,
    },
    /// Changes of the label table, in order.
    Lfib(Vec<LfibOp>),
    Mpls(MplsChange),
    /// Where the forwarding plane manager listens from now on; a connection that is there ends.
    Fpm(Option<std::net::SocketAddr>),
}

/// Changes of links and their addresses that the configuration asks for, and of their neighbours that clients do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkChange {
    Up(IfIndex),
    Down(IfIndex),
    AddAddress {
        ifindex: IfIndex,
        addr: IpAddr,
        prefix_len: u8,
        peer: Option<IpAddr>,
    },
    RemoveAddress {
        ifindex: IfIndex,
        addr: IpAddr,
        prefix_len: u8,
        peer: Option<IpAddr>,
    },
    /// The kernel is to find the neighbour's link address.
    Resolve {
        ifindex: IfIndex,
        addr: IpAddr,
    },
}

impl LinkChange {
    pub fn ifindex(&self) -> IfIndex {
        match self {
            Self::Up(ifindex) | Self::Down(ifindex) => *ifindex,
            Self::AddAddress { ifindex, .. }
            | Self::RemoveAddress { ifindex, .. }
            | Self::Resolve { ifindex, .. } => *ifindex,
        }
    }
}

/// The kernel's switches for MPLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MplsChange {
    /// `net.mpls.conf.NAME.input`: whether labelled packets are taken on a link.
    Input { name: String, on: bool },
    /// `net.mpls.platform_labels`: room in the label table; the kernel takes no more than 1048575.
    PlatformLabels(u32),
}

/// One change of a forwarding table.
#[derive(Clone, Debug)]
pub struct FibOp {
    pub vrf: VrfId,
    pub table: TableId,
    pub prefix: Prefix,
    /// Only for packets from these addresses.
    pub from: Option<Ipv6Prefix>,
    /// Comes back in the [`FibResult`](crate::FibResult).
    pub seq: u32,
    pub kind: FibOpKind,
}

#[derive(Clone, Debug)]
pub enum FibOpKind {
    /// Install, in place of what we installed before.
    Install(Arc<FibRoute>),
    Remove {
        protocol: RouteProtocol,
    },
}

/// Fully resolved next hops.
pub type FibNexthops = Arc<[Nexthop]>;

/// What many routes in the kernel have in common. Operations share it by pointer, so that the octets of its next hops
/// are encoded once.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FibRoute {
    pub protocol: RouteProtocol,
    /// None where a group has them.
    pub nexthops: FibNexthops,
    pub mtu: u32,
    /// RTA_PREFSRC.
    pub source: Option<IpAddr>,
    /// The next-hop object that the route names.
    pub group: Option<NexthopId>,
}

/// Number of a next-hop object in the kernel; in another namespace than zebra's own it says so, as [`IfIndex`] does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NexthopId(pub u32);

impl NexthopId {
    /// The number that the object's own kernel has for it.
    #[must_use]
    pub const fn in_kernel(self) -> u32 {
        IfIndex(self.0).in_kernel().0
    }
}

impl std::fmt::Display for NexthopId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.in_kernel().fmt(f)
    }
}

/// As its kernel knows it.
impl serde::Serialize for NexthopId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.in_kernel())
    }
}

/// One change of a next-hop object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NexthopOp {
    pub id: NexthopId,
    /// Comes back in the [`NexthopResult`](crate::NexthopResult).
    pub seq: u32,
    /// What it is to be; none takes it out.
    pub object: Option<NexthopObject>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NexthopObject {
    Single(Single),
    Group(Members),
}

/// Members of a group with their weights, 1 to 255.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Members {
    pub list: Vec<(NexthopId, u8)>,
    /// Flows stay with their members when others come and go.
    pub resilience: Option<Resilience>,
}

impl From<Vec<(NexthopId, u8)>> for Members {
    fn from(list: Vec<(NexthopId, u8)>) -> Self {
        Self { list, resilience: None }
    }
}

impl std::ops::Deref for Members {
    type Target = [(NexthopId, u8)];
    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

impl<'a> IntoIterator for &'a Members {
    type Item = &'a (NexthopId, u8);
    type IntoIter = std::slice::Iter<'a, (NexthopId, u8)>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

/// Buckets and, in seconds, how long one is idle before it may move and how long a group may be unbalanced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Resilience {
    pub buckets: u16,
    pub idle: u32,
    pub unbalanced: u32,
}

/// A single next hop.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Single {
    pub afi: Afi,
    pub kind: NexthopKind,
    pub onlink: bool,
    /// What it does with segments.
    pub seg6: Option<Box<Seg6>>,
}

impl Single {
    pub fn ifindex(&self) -> Option<IfIndex> {
        match self.kind {
            NexthopKind::Interface(ifindex) => Some(ifindex),
            NexthopKind::Gateway(_, ifindex) => ifindex,
            NexthopKind::Blackhole(_) => None,
        }
    }
}
