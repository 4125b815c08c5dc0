//! What is said of interfaces.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ferrite_keychain::Algorithm;

use super::AreaName;

/// `interface NAME`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InterfaceSettings {
    /// As in `interface NAME vrf VRF`; kept for rendering.
    pub vrf: Option<String>,
    /// Megabits per second, instead of what the link says (`bandwidth`, which is zebra's too).
    pub bandwidth: Option<u32>,
    pub v2: InterfaceV2,
    /// `ipv6 ospf6 …`
    pub v3: InterfaceV3,
    /// `ip ospf6 …`
    pub v3_ipv4: InterfaceV3,
}

/// `ip ospf …`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InterfaceV2 {
    /// `ip ospf [INSTANCE] area X [ADDRESS]`
    pub areas: BTreeMap<(u16, Option<Ipv4Addr>), AreaName>,
    pub network: Option<NetworkV2>,
    /// Of the interface, and of single addresses.
    pub all: LinkSettings,
    pub addresses: BTreeMap<Ipv4Addr, LinkSettings>,
    /// `ip ospf graceful-restart hello-delay`, seconds.
    pub hello_delay: Option<u16>,
    pub ldp_sync: super::te::LinkLdpSync,
}

/// `ip ospf network …`
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NetworkV2 {
    Broadcast,
    NonBroadcast,
    PointToPoint { dmvpn: bool },
    PointToMultipoint { delay_reflood: bool, non_broadcast: bool },
}

/// What may be said of an interface as a whole or of one address of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkSettings {
    pub cost: Option<u16>,
    pub hello_interval: Option<u16>,
    pub dead_interval: Option<Dead>,
    pub priority: Option<u8>,
    /// Seconds.
    pub retransmit: Option<u16>,
    /// Milliseconds.
    pub retransmit_window: Option<u16>,
    pub transmit_delay: Option<u16>,
    /// `no ip ospf passive` is said too where passive is the default.
    pub passive: Option<bool>,
    pub mtu_ignore: bool,
    pub no_opaque: bool,
    pub prefix_suppression: bool,
    pub neighbor_filter: Option<String>,
    pub auth: LinkAuth,
    /// `ip ospf authentication extended-sequence`
    pub extended_sequence: bool,
}

/// `dead-interval`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dead {
    Seconds(u16),
    /// One second, with so many Hellos in it.
    Minimal(u8),
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkAuth {
    pub kind: Option<AuthKind>,
    pub password: Option<String>,
    /// `message-digest-key N md5 KEY`, in the order in which they were given: the last one signs.
    pub keys: Vec<(u8, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthKind {
    Null,
    Simple,
    Digest,
    KeyChain(String),
}

/// `ipv6 ospf6 …`, `ip ospf6 …`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InterfaceV3 {
    pub area: Option<AreaName>,
    pub network: Option<NetworkV3>,
    pub cost: Option<u16>,
    pub hello_interval: Option<u16>,
    pub dead_interval: Option<u16>,
    pub priority: Option<u8>,
    pub retransmit: Option<u16>,
    pub transmit_delay: Option<u16>,
    pub passive: bool,
    pub mtu_ignore: bool,
    pub mtu: Option<u16>,
    pub instance: Option<u8>,
    pub advertise: Option<String>,
    pub auth: Option<AuthV3>,
    pub neighbors: BTreeMap<Ipv6Addr, NeighborV3>,
    pub no_multicast_hello: bool,
    pub named_only: bool,
    pub connected_prefixes: Option<bool>,
    pub hello_delay: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetworkV3 {
    Broadcast,
    PointToPoint,
    PointToMultipoint,
}

impl NetworkV3 {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::PointToPoint => "point-to-point",
            Self::PointToMultipoint => "point-to-multipoint",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthV3 {
    Key { id: u16, algorithm: Algorithm, secret: String },
    KeyChain(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NeighborV3 {
    pub poll_interval: Option<u16>,
    pub cost: Option<u16>,
}
