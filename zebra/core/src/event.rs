//! What the world tells zebra.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::zclient::{Hello, ToZebra};
use ferrite_types::{IfIndex, Ipv6Prefix, Metric, Nexthop, Prefix, RouteProtocol, TableId, VrfId};

use crate::action::{NexthopId, NexthopObject};
use crate::client::ClientKey;
use crate::lfib::{KernelLsp, LfibResult};
use crate::netns::Netns;
use crate::settings::Settings;

#[derive(Clone, Debug)]
pub enum Event {
    // The kernel. A dump and its later changes are the same events.
    Link(LinkInfo),
    LinkGone(IfIndex),
    Address {
        ifindex: IfIndex,
        address: InterfaceAddress,
    },
    AddressGone {
        ifindex: IfIndex,
        address: InterfaceAddress,
    },
    KernelRoute(KernelRoute),
    KernelRouteGone(KernelRoute),
    /// A dump begins: what it does not name by `DumpEnd` is gone.
    DumpBegin,
    DumpEnd,
    /// A part of the dump that [`Action::Audit`](crate::Action) asked for: routes only.
    Audited {
        audit: u64,
        nexthops: Vec<KernelNexthop>,
        routes: Vec<KernelRoute>,
    },
    /// Another part: the label table.
    AuditedLsps {
        audit: u64,
        lsps: Vec<KernelLsp>,
    },
    /// That dump is over, whole where nothing went wrong.
    AuditEnd {
        audit: u64,
        error: Option<String>,
    },
    /// A network namespace beside zebra's own, where VRFs are namespaces.
    Netns {
        netns: Netns,
        name: String,
        path: String,
    },
    NetnsGone(Netns),
    /// A dump of what a namespace has, as `DumpBegin` and `DumpEnd`.
    NetnsDumpBegin(Netns),
    NetnsDumpEnd(Netns),
    FibDone(Vec<FibResult>),
    LfibDone(Vec<LfibResult>),
    KernelNexthop(KernelNexthop),
    KernelNexthopGone(NexthopId),
    NexthopsDone(Vec<NexthopResult>),
    KernelLsp(KernelLsp),
    KernelLspGone(ferrite_types::Label),
    /// A message of neighbour discovery, with the hop limit that it came with.
    Icmp6 {
        ifindex: IfIndex,
        source: Ipv6Addr,
        hop_limit: Option<u8>,
        octets: Vec<u8>,
    },
    // Clients.
    ClientConnected {
        client: ClientKey,
        hello: Hello,
    },
    Client {
        client: ClientKey,
        message: ToZebra,
    },
    ClientGone {
        client: ClientKey,
    },
    // The shell.
    Configured(Arc<Settings>),
    /// Somebody asks how the kernel differs; [`Action::Drift`](crate::Action) answers.
    DriftWanted {
        token: u64,
    },
}

/// A link as the kernel describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkInfo {
    /// Its `vrf` is filled in by zebra from `master`.
    pub interface: Interface,
    /// IFF_* of the kernel.
    pub flags: u32,
    /// ARPHRD_* of the kernel.
    pub hardware: u16,
    pub kind: LinkKind,
    /// The bridge, bond or VRF that the link belongs to.
    pub master: Option<IfIndex>,
    /// The other end of a veth, the lower device of a VLAN.
    pub parent: Option<IfIndex>,
    pub tx_queue_len: u32,
    pub protodown: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LinkKind {
    #[default]
    Other,
    Vrf(TableId),
    Bridge,
    Bond,
    Vlan,
    Vxlan,
    Veth,
    Macvlan,
    Gre,
    Dummy,
}

/// A route that stands in the kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KernelRoute {
    pub table: TableId,
    pub prefix: Prefix,
    /// Only for packets from these addresses.
    pub from: Option<Ipv6Prefix>,
    /// Whose it is: [`RouteProtocol::Kernel`] for every route that is not of this suite.
    pub protocol: RouteProtocol,
    /// RTA_PRIORITY.
    pub metric: Metric,
    pub nexthops: Arc<[Nexthop]>,
    pub mtu: u32,
    /// RTA_PREFSRC.
    pub source: Option<IpAddr>,
    /// The next-hop object that it names.
    pub group: Option<NexthopId>,
    pub offload: Offload,
}

/// A next-hop object that stands in the kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KernelNexthop {
    pub id: NexthopId,
    /// It carries the mark of this suite.
    pub ours: bool,
    /// None where it is of a kind that we never make.
    pub object: Option<NexthopObject>,
}

/// The kernel's answer to one [`NexthopOp`](crate::NexthopOp).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NexthopResult {
    pub id: NexthopId,
    pub seq: u32,
    /// Zero or a positive errno.
    pub errno: i32,
}

/// What the hardware below the kernel made of a route (RTM_F_OFFLOAD and its kin).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Offload {
    /// Nothing said: the kernel forwards.
    #[default]
    None,
    Offloaded,
    /// The hardware hands the packets to the kernel.
    Trapped,
    Failed,
}

/// The kernel's answer to one [`FibOp`](crate::FibOp).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FibResult {
    pub vrf: VrfId,
    pub table: TableId,
    pub prefix: Prefix,
    pub from: Option<Ipv6Prefix>,
    /// The operation's number.
    pub seq: u32,
    /// Zero or a positive errno.
    pub errno: i32,
    /// Of a removal: whose route it was.
    pub removal: Option<RouteProtocol>,
}
