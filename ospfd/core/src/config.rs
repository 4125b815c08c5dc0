//! The configuration as a value. A core is handed a new one and compares it with the one it has.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ferrite_ospf_packet::AreaId;
use ferrite_ospf_packet::auth::Key;
use ferrite_spf::backoff::ThrottleTimes;
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use crate::event::IfId;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    pub router_id: RouterId,
    pub areas: BTreeMap<AreaId, AreaConfig>,
    pub interfaces: BTreeMap<IfId, InterfaceConfig>,
    pub timers: Timers,
    /// Links of the own router-LSA are announced at the highest metric (RFC 6987).
    pub stub_router: bool,
    /// Equal paths a route keeps at most.
    pub max_paths: usize,
    /// External routes prefer as RFC 1583 did (§16.4.1, §C.1).
    pub rfc1583: bool,
    /// LSAs a database takes at most from others; more are refused and counted.
    pub max_lsas: usize,
    /// Where cryptographic sequence numbers begin: seconds of some clock that survives restarts.
    pub sequence_base: u32,
}

impl Config {
    pub fn new(router_id: RouterId) -> Self {
        Self {
            router_id,
            areas: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            timers: Timers::default(),
            stub_router: false,
            max_paths: 64,
            rfc1583: false,
            max_lsas: 1_000_000,
            sequence_base: 0,
        }
    }

    pub fn area(&self, area: AreaId) -> AreaConfig {
        self.areas.get(&area).cloned().unwrap_or_default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timers {
    /// MinLSInterval: between two originations of one LSA (§B).
    pub min_interval: Duration,
    /// MinLSArrival: between two arrivals of one LSA that are taken (§B).
    pub min_arrival: Duration,
    pub spf: ThrottleTimes,
}

impl Default for Timers {
    /// FRR's.
    fn default() -> Self {
        Self {
            min_interval: Duration::from_secs(5),
            min_arrival: Duration::from_secs(1),
            spf: ThrottleTimes::default(),
        }
    }
}

/// What is not flooded into an area (§3.6, RFC 3101).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AreaKind {
    #[default]
    Normal,
    Stub,
    Nssa,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AreaConfig {
    pub kind: AreaKind,
    /// No summaries but the default route (totally stubby).
    pub no_summary: bool,
    /// Metric of the default route a border router announces into a stub area or NSSA.
    pub default_cost: u32,
    /// NSSA: announce a default route of type 7 too.
    pub default_originate: bool,
    /// NSSA: whether this border router translates type 7 to type 5 (RFC 3101 §3.1).
    pub translator: Translator,
    /// Intra-area routes gathered under a prefix towards other areas (§12.4.3).
    pub ranges: BTreeMap<Prefix, Range>,
    /// Virtual links through this area, by the router at the other end (§15).
    pub virtual_links: BTreeMap<RouterId, VirtualLink>,
}

impl Default for AreaConfig {
    fn default() -> Self {
        Self {
            kind: AreaKind::Normal,
            no_summary: false,
            default_cost: 1,
            default_originate: false,
            translator: Translator::Candidate,
            ranges: BTreeMap::new(),
            virtual_links: BTreeMap::new(),
        }
    }
}

/// NSSATranslatorRole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Translator {
    /// The one with the highest router ID translates.
    #[default]
    Candidate,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    pub advertise: bool,
    /// The metric to announce; none is the largest of the gathered routes.
    pub cost: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualLink {
    /// Seconds.
    pub hello_interval: u16,
    pub dead_interval: u32,
    pub retransmit: Duration,
    pub authentication: Authentication,
}

impl Default for VirtualLink {
    fn default() -> Self {
        Self {
            hello_interval: 10,
            dead_interval: 40,
            retransmit: Duration::from_secs(5),
            authentication: Authentication::None,
        }
    }
}

/// How routers on a link find each other (§1.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NetworkType {
    Broadcast,
    NonBroadcast,
    PointToPoint,
    PointToMultipoint,
    Loopback,
    Virtual,
}

impl NetworkType {
    pub fn elects(self) -> bool {
        matches!(self, Self::Broadcast | Self::NonBroadcast)
    }

    /// Whether packets go to each neighbour by its own address.
    pub fn unicasts(self) -> bool {
        matches!(self, Self::NonBroadcast | Self::PointToMultipoint | Self::Virtual)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Authentication {
    #[default]
    None,
    Simple([u8; 8]),
    /// The first key signs, all are taken.
    Keys(Vec<Key>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceConfig {
    pub area: AreaId,
    pub network: NetworkType,
    /// Announced, but nothing is sent and nobody heard.
    pub passive: bool,
    pub cost: u16,
    /// Seconds.
    pub hello_interval: u16,
    pub dead_interval: u32,
    pub retransmit: Duration,
    /// Seconds added to the age of LSAs sent here (InfTransDelay).
    pub transmit_delay: u16,
    pub priority: u8,
    pub authentication: Authentication,
    /// Neighbours with a larger MTU are taken all the same.
    pub mtu_ignore: bool,
    /// OSPFv3's instance ID on the link.
    pub instance: u8,
    /// Neighbours that are named because they cannot be found (§C.5, §C.6).
    pub neighbors: BTreeMap<IpAddr, StaticNeighbor>,
}

impl InterfaceConfig {
    pub fn new(area: AreaId, network: NetworkType) -> Self {
        Self {
            area,
            network,
            passive: false,
            cost: 10,
            hello_interval: 10,
            dead_interval: 40,
            retransmit: Duration::from_secs(5),
            transmit_delay: 1,
            priority: 1,
            authentication: Authentication::None,
            mtu_ignore: false,
            instance: 0,
            neighbors: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StaticNeighbor {
    pub priority: u8,
    /// Between hellos to a neighbour that is down.
    pub poll_interval: Duration,
}

impl Default for StaticNeighbor {
    fn default() -> Self {
        Self { priority: 0, poll_interval: Duration::from_secs(120) }
    }
}
