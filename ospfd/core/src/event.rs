//! What the world did, and what we want done.

use std::net::IpAddr;

use bytes::Bytes;
use std::time::Duration;

pub use ferrite_ospf_packet::opaque::RestartReason;
use ferrite_ospf_packet::{AreaId, LsaKey, Refusal};
use ferrite_types::Prefix;
use ferrite_types::ids::{IfIndex, RouterId};

use crate::config::Config;
use crate::instance::Place;
use crate::interface::State as InterfaceState;
use crate::neighbor::State as NeighborState;
use crate::neighbor::fsm::Event as NeighborEvent;
use crate::restart::{HelpEnd, RestartEnd};
use crate::routes::Route;
use crate::trace::Trace;

/// An interface as OSPF sees it, numbered by the shell: one per kernel interface in OSPFv3, one per network in OSPFv2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IfId(pub u32);

/// What the kernel says of an interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Link {
    pub up: bool,
    pub ifindex: IfIndex,
    /// Octets of the largest IP datagram.
    pub mtu: u16,
    /// The address packets are sent from: OSPFv2's own on the network, OSPFv3's link-local one.
    pub address: Option<IpAddr>,
    /// OSPFv3 for another family than IPv6: the address neighbours are to send packets of that family to (RFC 5838 §2.5).
    pub next_hop: Option<IpAddr>,
    /// What is announced: OSPFv2's network of `address`, OSPFv3's global prefixes, or those of its family. The addresses
    /// themselves, with their length.
    pub prefixes: Vec<(IpAddr, u8)>,
}

/// A route of another protocol that is announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct External {
    pub metric: u32,
    pub type2: bool,
    pub tag: u32,
    pub forwarding: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub enum Event {
    Configured(Box<Config>),
    Link(IfId, Link),
    /// An OSPF packet, without its IP header.
    Received {
        interface: IfId,
        source: IpAddr,
        destination: IpAddr,
        octets: Bytes,
    },
    Redistribute(Prefix, Option<External>),
    /// What time it is: seconds since 1970. For the lifetimes of keys; said at the start, and when the clock is set.
    Clock(u64),
    /// A neighbour is gone, as BFD has seen.
    NeighborLost {
        interface: IfId,
        address: IpAddr,
    },
    /// `clear ip ospf neighbor`: adjacencies with a router, or with all, begin anew.
    ClearNeighbors(Option<RouterId>),
    /// `clear ip ospf interface`.
    ClearInterface(IfId),
    /// Counts of packets whose authentication did not fit begin anew.
    ClearAuthCounters(IfId),
    /// `clear ip ospf process`: all that was learnt is forgotten, all that was announced flushed and announced again.
    ClearProcess,
    /// An opaque LSA of somebody outside: an API client (RFC 5250). None withdraws it. OSPFv2 only.
    Opaque {
        place: Place,
        kind: u8,
        id: u32,
        body: Option<Bytes>,
    },
    /// A planned restart is near (RFC 3623 §2): Grace-LSAs go out, and what we announced stays when we end. Answered by
    /// [`Action::Prepared`].
    PrepareRestart(RestartReason),
    /// We are back after a restart; the first event of an instance. Until all is as it was nothing is announced and no route
    /// is told.
    Restarting {
        /// What is left of the grace period.
        remaining: Duration,
        reason: RestartReason,
        /// Nobody has been told yet: Grace-LSAs go out before the first Hello.
        announce: bool,
    },
    /// Flushes all that was announced, before going. Answered by [`Action::Stopped`].
    Shutdown,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    Send {
        interface: IfId,
        source: IpAddr,
        destination: IpAddr,
        octets: Bytes,
    },
    /// Whether to be a member of AllDRouters on an interface.
    Designated {
        interface: IfId,
        member: bool,
    },
    /// Routes that are new or different, or gone.
    Routes(Vec<(Prefix, Option<Route>)>),
    /// Grace-LSAs are out and acknowledged, or have been sent often enough: the process may end. A process that starts within
    /// the time is to say [`Event::Restarting`].
    Prepared {
        grace: Duration,
    },
    /// The restart is over; all routes there are have been told before this. What others still have in our name goes.
    Restarted(RestartEnd),
    /// All that we announced is flushed.
    Stopped,
    Log(LogLine),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogLine {
    Interface {
        interface: IfId,
        from: InterfaceState,
        to: InterfaceState,
    },
    Neighbor {
        interface: IfId,
        neighbor: RouterId,
        address: IpAddr,
        from: NeighborState,
        to: NeighborState,
        /// What moved it.
        reason: NeighborEvent,
    },
    Refused {
        interface: IfId,
        source: IpAddr,
        reason: Refusal,
    },
    /// An LSA in our name that we did not send: answered with a newer one, or flushed (§13.4).
    OwnReceived {
        area: Option<AreaId>,
        key: LsaKey,
    },
    /// An LSA was refused, for there are as many as may be.
    DatabaseFull {
        lsas: usize,
    },
    /// There is room again.
    DatabaseHasRoom {
        lsas: usize,
    },
    /// A neighbour takes the mark of LSAs that do not age for an age: all in the area age again.
    NoReduction {
        area: AreaId,
        router: RouterId,
    },
    /// A neighbour restarts, and we help it.
    Helping {
        interface: IfId,
        neighbor: RouterId,
        period: Duration,
        reason: RestartReason,
    },
    /// A neighbour asked for help and does not get it.
    NotHelping {
        interface: IfId,
        neighbor: RouterId,
        reason: HelpEnd,
    },
    Helped {
        interface: IfId,
        neighbor: RouterId,
        reason: HelpEnd,
    },
    /// Our own restart is over.
    Restarted(RestartEnd),
    /// Only where it was asked for.
    Trace(Trace),
}
