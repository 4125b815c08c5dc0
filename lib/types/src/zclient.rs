//! What a daemon and zebra say to each other, as plain data. One ordered stream per daemon carries these values;
//! `lib/rpc` turns them into protobuf and back, and the cores on both sides see nothing but this module.
//!
//! Order of a connection: the daemon says [`Hello`]; zebra answers with a snapshot (interfaces, addresses, VRFs, router
//! identifiers) that ends with [`FromZebra::SnapshotDone`]; the daemon sends its whole desired state (registrations,
//! redistribution, routes) and then [`ToZebra::ReplayDone`]; from there on both send changes. After a reconnect
//! the same happens again, and zebra sweeps what a client did not replay only once it has said `ReplayDone`.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use crate::interface::{Interface, InterfaceAddress};
use crate::{
    Afi, Distance, IfIndex, Metric, Nexthop, Prefix, RouteProtocol, RouterId, Safi, TableId, Tag, VrfId,
};

mod labels;
mod ospf;
mod rpf;

pub use labels::{FecLabel, LabelBlock, LabelChunkAnswer, LabelChunkRequest, LspResult, LspUpdate, WatchFec};
pub use ospf::{OspfPath, OspfRoute};
pub use rpf::{RpfMode, RpfState, TrackRpf};

/// Version of the contract. Another major version is refused with a message that says so.
pub const CONTRACT_MAJOR: u32 = 1;
pub const CONTRACT_MINOR: u32 = 3;

/// The first message of a daemon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// Program name: `bgpd`.
    pub daemon: String,
    /// The source that the daemon's routes carry unless a route says otherwise.
    pub protocol: RouteProtocol,
    pub instance: u16,
    /// Whether the daemon will replay what it had before: zebra then keeps its routes until `ReplayDone`.
    pub restarting: bool,
}

/// Messages of a daemon after its [`Hello`].
#[derive(Clone, PartialEq, Debug)]
pub enum ToZebra {
    Routes(RouteBatch),
    /// Starts or stops tracking of next hops.
    TrackNexthops(Vec<TrackNexthop>),
    /// Starts or stops lookups of sources of multicast.
    TrackRpf(Vec<TrackRpf>),
    Redistribute(RedistributeRequest),
    /// Router advertisements on an interface, so that the other end finds us.
    RouterAdvertisements(RouterAdvertisements),
    /// Whether the daemon wants a [`RouteResult`] for every route; without it, only those of rejected routes come.
    WantResults(bool),
    /// Seconds that the daemon's routes are kept when its connection ends without a goodbye; `None` leaves it to zebra.
    HoldRoutes(Option<u32>),
    /// Labels for the daemon's own use; [`FromZebra::LabelChunk`] answers.
    GetLabels(LabelChunkRequest),
    /// Labels that the daemon no longer uses.
    ReleaseLabels(LabelBlock),
    Lsps(Vec<LspUpdate>),
    WatchFecs(Vec<WatchFec>),
    /// What ldpd knows of its sessions.
    LdpSync(LdpSync),
    /// Ask the link for a neighbour's link address before packets wait for it.
    Resolve(ResolveNeighbor),
    /// Everything this daemon wants is now with zebra: what it did not name is swept.
    ReplayDone,
    /// The daemon ends on purpose; `keep_routes` leaves its routes in the kernel.
    Goodbye {
        keep_routes: bool,
    },
}

/// Changes to one table, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct RouteBatch {
    pub vrf: VrfId,
    /// Unicast, or multicast: routes that multicast routing looks sources up in, and that are not forwarded by.
    pub safi: Safi,
    /// `None` is the VRF's own table.
    pub table: Option<TableId>,
    /// Which of several processes of one protocol the routes are of (`router ospf 5`); two may have the same prefix.
    /// Zero is that of the [`Hello`].
    pub instance: u16,
    /// The `nexthop-group` of zebra's configuration that all of these routes lead through, in place of next hops of their
    /// own. They follow its changes, and are without next hops while it has none.
    pub group: Option<Arc<str>>,
    pub updates: Vec<RouteUpdate>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct RouteUpdate {
    pub prefix: Prefix,
    pub protocol: RouteProtocol,
    /// `None` withdraws the route.
    pub route: Option<RouteAttrs>,
}

/// What zebra is asked to install for one prefix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteAttrs {
    /// Shared: many routes of a batch point at one set, and the stream carries each set once per batch.
    pub nexthops: Arc<[Nexthop]>,
    pub distance: Distance,
    pub metric: Metric,
    pub tag: Tag,
    /// Zero leaves it to the kernel.
    pub mtu: u32,
    /// Gateways may be resolved through other routes than connected ones.
    pub allow_recursion: bool,
    /// iBGP and the like: shown as such, no meaning for the kernel.
    pub internal: bool,
    /// What OSPF says of its route where it is asked to, for shows alone.
    pub ospf: Option<OspfRoute>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TrackNexthop {
    pub vrf: VrfId,
    pub addr: IpAddr,
    /// Only an address on a connected network counts as reachable.
    pub connected_only: bool,
    /// Not how the address is reached is asked, but whether the prefix of this length that begins with it is in the RIB.
    pub exact: Option<u8>,
    /// False stops the tracking.
    pub track: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RedistributeRequest {
    pub vrf: VrfId,
    pub afi: Afi,
    pub protocol: RouteProtocol,
    /// Instance, or kernel table number for [`RouteProtocol::Table`] and [`RouteProtocol::TableDirect`].
    pub instance: u32,
    pub subscribe: bool,
}

/// An address on a link, whose owner's link address the kernel is to find: ARP, neighbour solicitation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResolveNeighbor {
    pub ifindex: IfIndex,
    pub addr: IpAddr,
}

/// A daemon's wish for router advertisements (RFC 4861) on an interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RouterAdvertisements {
    pub vrf: VrfId,
    pub ifindex: IfIndex,
    /// Seconds between them; `None` takes the wish back.
    pub interval: Option<u32>,
}

/// Messages of zebra.
#[derive(Clone, PartialEq, Debug)]
pub enum FromZebra {
    Interface(Interface),
    InterfaceGone(IfIndex),
    Address {
        ifindex: IfIndex,
        address: InterfaceAddress,
    },
    AddressGone {
        ifindex: IfIndex,
        address: InterfaceAddress,
    },
    Vrf {
        vrf: VrfId,
        name: String,
        table: TableId,
        /// The file of the network namespace that it is; none: it is a device.
        netns: Option<String>,
    },
    VrfGone(VrfId),
    RouterId {
        vrf: VrfId,
        router_id: RouterId,
    },
    /// A router's link-local address, learned from its advertisements; not `present`: it is gone.
    LinkNeighbor {
        ifindex: IfIndex,
        addr: Ipv6Addr,
        present: bool,
    },
    /// What a link offers to traffic engineering; `None`: nothing any more.
    LinkParams {
        ifindex: IfIndex,
        params: Option<Box<crate::link_params::LinkParams>>,
    },
    /// What ldpd said, and that it has gone.
    LdpSync(LdpSync),
    SnapshotDone,
    Nexthops(Vec<NexthopState>),
    Rpf(Vec<RpfState>),
    Redistributed(Vec<RedistributedRoute>),
    Results(Vec<RouteResult>),
    LabelChunk(LabelChunkAnswer),
    LspResults(Vec<LspResult>),
    FecLabels(Vec<FecLabel>),
    /// A request that zebra did not carry out, with the reason.
    Refused {
        request: String,
        reason: String,
    },
}

/// Whether LDP is ready on a link (RFC 5443).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LdpSync {
    /// `in_sync`: there is a session, and labels have been told both ways.
    Link { ifindex: IfIndex, in_sync: bool },
    /// No LDP runs (any more).
    Gone,
}

/// How a tracked next hop is reached now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NexthopState {
    pub vrf: VrfId,
    pub addr: IpAddr,
    /// As it was asked: the answer is about the prefix itself.
    pub exact: Option<u8>,
    /// `None`: unreachable, or not in the RIB.
    pub resolved: Option<Resolution>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolution {
    /// The route that covers the next hop.
    pub prefix: Prefix,
    pub protocol: RouteProtocol,
    pub distance: Distance,
    pub metric: Metric,
    /// Fully resolved: every one names an interface.
    pub nexthops: Arc<[Nexthop]>,
}

/// One change in what a redistributing daemon sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedistributedRoute {
    pub vrf: VrfId,
    pub prefix: Prefix,
    pub protocol: RouteProtocol,
    pub instance: u32,
    /// `None`: no longer there.
    pub route: Option<RouteAttrs>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteResult {
    pub vrf: VrfId,
    pub prefix: Prefix,
    pub protocol: RouteProtocol,
    pub instance: u16,
    pub outcome: RouteOutcome,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteOutcome {
    Installed,
    Removed,
    /// Another route for the prefix is preferred.
    BetterAdminWon,
    /// The kernel refused it: its errno.
    Rejected(i32),
}
