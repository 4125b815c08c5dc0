//! What the world did, and what we want done.

use std::net::IpAddr;

use bytes::Bytes;
use ferrite_ospf_packet::{AreaId, LsaKey, Refusal};
use ferrite_types::Prefix;
use ferrite_types::ids::{IfIndex, RouterId};

use crate::config::Config;
use crate::interface::State as InterfaceState;
use crate::neighbor::State as NeighborState;
use crate::routes::Route;

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
    /// What is announced: OSPFv2's network of `address`, OSPFv3's global prefixes. The addresses themselves, with their length.
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
    /// Flushes all that was announced, before going.
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
        from: NeighborState,
        to: NeighborState,
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
    DatabaseFull,
}
