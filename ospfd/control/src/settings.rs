//! The configuration as a value: what the lines say, by name. [`process`](crate::process) makes the core's configuration of it
//! with the links that are there.
//!
//! One structure serves both versions where the lines say the same; what only one of them has stays empty in the other.

pub mod area;
pub mod family;
pub mod interface;
pub mod te;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ferrite_cli::{CommonConfig, DaemonConfig};
use ferrite_keychain::KeyChains;
use ferrite_ospf_packet::AreaId;
use ferrite_policy::PolicyConfig;
use ferrite_types::ids::RouterId;
use ferrite_types::{Ipv4Prefix, Prefix, RouteProtocol};

use crate::process::ProcessName;

pub use area::{AreaKindSettings, AreaName, AreaRange, AreaSettings, VirtualLinkSettings};
pub use family::Configured;
pub use interface::{InterfaceSettings, InterfaceV2, InterfaceV3, LinkAuth, LinkSettings};

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    pub common: CommonConfig,
    pub policy: PolicyConfig,
    pub key_chains: KeyChains,
    /// `router ospf …`
    pub v2: BTreeMap<ProcessName, RouterSettings>,
    /// `router ospf6 …`
    pub v3: BTreeMap<ProcessName, RouterSettings>,
    /// `router ospf6 ipv4 …`
    pub v3_ipv4: BTreeMap<ProcessName, RouterSettings>,
    pub interfaces: BTreeMap<String, InterfaceSettings>,
}

impl Settings {
    /// Of every process.
    pub fn routers(&self) -> impl Iterator<Item = &RouterSettings> {
        self.v2.values().chain(self.v3.values()).chain(self.v3_ipv4.values())
    }
}

impl DaemonConfig for Settings {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonConfig {
        &mut self.common
    }
}

/// A `router ospf` or `router ospf6` block. `None` is FRR's default everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouterSettings {
    pub router_id: Option<RouterId>,
    /// `network A.B.C.D/M area X`
    pub networks: BTreeMap<Ipv4Prefix, AreaName>,
    pub areas: BTreeMap<AreaId, AreaSettings>,
    pub passive_default: bool,
    /// Megabits per second.
    pub reference_bandwidth: Option<u32>,
    pub abr: AbrType,
    pub rfc1583: bool,
    pub log_adjacency: LogAdjacency,
    pub redistribute: BTreeMap<(RouteProtocol, u16), Redistribution>,
    pub default_originate: Option<DefaultOriginate>,
    pub default_metric: Option<u32>,
    pub distance: Option<u8>,
    pub distances: Distances,
    pub distribute: BTreeMap<RouteProtocol, String>,
    pub summaries: BTreeMap<Prefix, Summary>,
    /// `aggregation timer`, seconds.
    pub aggregation_delay: Option<u32>,
    pub max_paths: Option<u16>,
    /// `timers throttle spf`: delay, initial and longest hold time, milliseconds.
    pub spf: Option<[u32; 3]>,
    /// `timers throttle lsa all`, milliseconds.
    pub throttle_lsa: Option<u32>,
    /// `timers lsa min-arrival`, milliseconds.
    pub min_arrival: Option<u32>,
    /// `refresh timer`, seconds.
    pub refresh: Option<u32>,
    pub write_multiplier: Option<u8>,
    pub max_metric: MaxMetric,
    /// `neighbor A.B.C.D`
    pub neighbors: BTreeMap<Ipv4Addr, NamedNeighbor>,
    /// `capability opaque`
    pub opaque: bool,
    pub restart: Restart,
    pub no_socket_per_interface: bool,
    /// `socket buffer`, octets.
    pub send_buffer: Option<u32>,
    pub receive_buffer: Option<u32>,
    /// `ospf send-extra-data zebra`: the type of a route's path and its area, for zebra's shows.
    pub extra_data: bool,
    /// Loop-free alternates.
    pub fast_reroute: bool,
    pub backoff: Option<Backoff>,
    pub no_proactive_arp: bool,
    pub flood_reduction: bool,
    /// `max-lsa`: in all databases together.
    pub max_lsas: Option<u32>,
    pub te: te::Te,
    pub info: te::RouterInfo,
    pub ldp_sync: te::LdpSync,
}

/// `ospf abr-type …` (RFC 3509)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AbrType {
    Standard,
    Ibm,
    #[default]
    Cisco,
    Shortcut,
}

impl AbrType {
    pub const ALL: [Self; 4] = [Self::Cisco, Self::Ibm, Self::Shortcut, Self::Standard];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Ibm => "ibm",
            Self::Cisco => "cisco",
            Self::Shortcut => "shortcut",
        }
    }
}

/// `log-adjacency-changes [detail]`
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum LogAdjacency {
    #[default]
    No,
    Yes,
    Detail,
}

/// RFC 8405's delays, milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    pub initial: u32,
    pub short: u32,
    pub long: u32,
    pub hold: u32,
    pub learn: u32,
}

/// `redistribute …`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Redistribution {
    pub metric: Option<u32>,
    /// `metric-type 1`
    pub type1: bool,
    pub route_map: Option<String>,
}

/// `default-information originate …`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DefaultOriginate {
    pub always: bool,
    pub metric: Option<u32>,
    pub type1: bool,
    pub route_map: Option<String>,
}

/// `distance ospf …`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Distances {
    pub intra: Option<u8>,
    pub inter: Option<u8>,
    pub external: Option<u8>,
}

/// `summary-address …`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub no_advertise: bool,
    pub tag: Option<u32>,
    /// OSPFv3 alone.
    pub metric: Option<u32>,
    pub metric_type: Option<u8>,
}

/// `max-metric router-lsa …`, `stub-router administrative`; seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MaxMetric {
    pub administrative: bool,
    pub on_startup: Option<u32>,
    pub on_shutdown: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NamedNeighbor {
    pub priority: Option<u8>,
    /// Seconds.
    pub poll_interval: Option<u16>,
}

/// `graceful-restart …`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Restart {
    pub enabled: bool,
    /// Seconds.
    pub grace_period: Option<u32>,
    /// Everybody is helped.
    pub helper: bool,
    pub helped: BTreeSet<RouterId>,
    /// Changes of the topology do not end the help.
    pub lax: bool,
    pub planned_only: bool,
    /// Seconds.
    pub longest: Option<u32>,
}
