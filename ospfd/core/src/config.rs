//! The configuration as a value. A core is handed a new one and compares it with the one it has.

mod filter;
mod keys;
mod opaque;
mod restart;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ferrite_ospf_packet::AreaId;
use ferrite_ospf_packet::auth::Key;
pub use ferrite_spf::backoff::{BackoffTimes, ThrottleTimes};
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use crate::event::IfId;
pub use filter::Filter;
pub(crate) use filter::permits;
pub use keys::{ChainKey, Lifetime};
pub(crate) use keys::{accepted, sending};
pub use opaque::{Bandwidth, InterAs, LinkParams, RouterInformation, TrafficEngineering};
pub use restart::{GracefulRestart, Helper};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    pub router_id: RouterId,
    pub areas: BTreeMap<AreaId, AreaConfig>,
    pub interfaces: BTreeMap<IfId, InterfaceConfig>,
    pub timers: Timers,
    /// Links of the own router-LSA are announced at the highest metric (RFC 6987; `max-metric router-lsa administrative`).
    pub stub_router: bool,
    /// The same for a while after the start.
    pub stub_on_startup: Option<Duration>,
    /// The same for a while before all is flushed when we go.
    pub stub_on_shutdown: Option<Duration>,
    /// Who counts as a border router.
    pub abr: AbrType,
    /// Equal paths a route keeps at most.
    pub max_paths: usize,
    /// External routes prefer as RFC 1583 did (§16.4.1, §C.1).
    pub rfc1583: bool,
    /// LSAs the databases hold at most, and as many KiB of them; more are refused and counted, but for our own.
    pub max_lsas: usize,
    /// Where cryptographic sequence numbers begin: seconds of some clock that survives restarts.
    pub sequence_base: u32,
    /// The upper half of extended sequence numbers: greater each time that the lower half begins anew (RFC 7474 §2). OSPFv2 only.
    pub boot_count: u32,
    pub restart: GracefulRestart,
    /// External routes of ours gathered under a prefix (`summary-address`).
    pub external_ranges: BTreeMap<Prefix, ExternalRange>,
    /// How long changes of external routes that lie in a range are gathered before the range is looked at again.
    pub external_delay: Duration,
    /// An AS boundary router whether or not there is an external route to announce, as FRR is with `redistribute`.
    pub boundary: bool,
    /// Opaque LSAs are taken, flooded and sent (RFC 5250; `capability opaque`). OSPFv2 only.
    pub opaque: bool,
    pub router_information: Option<RouterInformation>,
    pub traffic_engineering: Option<TrafficEngineering>,
    pub pacing: Pacing,
    /// Backup next hops for routes (RFC 5286).
    pub loop_free_alternates: bool,
    /// LSAs of ours do not age where all routers take such (RFC 4136; `flood-reduction`). OSPFv2 only.
    pub flood_reduction: bool,
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
            boot_count: 0,
            stub_on_startup: None,
            stub_on_shutdown: None,
            abr: AbrType::default(),
            restart: GracefulRestart::default(),
            external_ranges: BTreeMap::new(),
            external_delay: Duration::from_secs(5),
            boundary: false,
            opaque: true,
            router_information: None,
            traffic_engineering: None,
            pacing: Pacing::default(),
            loop_free_alternates: false,
            flood_reduction: false,
        }
    }

    pub fn area(&self, area: AreaId) -> AreaConfig {
        self.areas.get(&area).cloned().unwrap_or_default()
    }
}

/// Who counts as an area border router, and of which areas it believes summaries (RFC 3509, RFC 2328; `ospf abr-type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AbrType {
    /// In several areas, with a neighbour in the backbone; without the backbone summaries of all areas count.
    #[default]
    Cisco,
    /// In several areas, the backbone among the configured ones.
    Ibm,
    /// In several areas; ways through other areas than the backbone are used where they are shorter.
    Shortcut,
    /// RFC 2328: in several areas.
    Standard,
}

/// An area as ABRs of type shortcut use it (`area N shortcut`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shortcut {
    #[default]
    Default,
    Enable,
    Disable,
}

/// External routes under one prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExternalRange {
    /// False: the routes inside are kept back, and the prefix is not announced either.
    pub advertise: bool,
    pub tag: u32,
    /// None: the largest of the routes inside.
    pub metric: Option<u32>,
    /// None: type 2 where a route inside has it.
    pub type2: Option<bool>,
}

impl Default for ExternalRange {
    fn default() -> Self {
        Self { advertise: true, tag: 0, metric: None, type2: None }
    }
}

/// What is done at a time at most, so that many neighbours and a large database do not bury each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pacing {
    /// Neighbours that exchange their databases with us at the same time; others wait in ExStart for their turn.
    pub exchanges: usize,
    /// LSAs sent again at a time to a neighbour that acknowledges none, so that a slow one is not buried.
    pub window: usize,
    /// Between two floods on an interface.
    pub flood: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self { exchanges: 100, window: 128, flood: Duration::from_millis(20) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timers {
    /// MinLSInterval: between two originations of one LSA (§B; `timers throttle lsa all`).
    pub min_interval: Duration,
    /// MinLSArrival: between two arrivals of one LSA that are taken (§B; `timers lsa min-arrival`).
    pub min_arrival: Duration,
    /// `timers throttle spf`.
    pub spf: ThrottleTimes,
    /// RFC 8405's delays instead of the throttle.
    pub backoff: Option<BackoffTimes>,
    /// LSAs due for refresh within this time of each other are renewed together (`refresh timer`).
    pub refresh_group: Duration,
}

impl Default for Timers {
    /// FRR's.
    fn default() -> Self {
        Self {
            min_interval: Duration::from_secs(5),
            min_arrival: Duration::from_secs(1),
            spf: ThrottleTimes::default(),
            backoff: None,
            refresh_group: Duration::from_secs(10),
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
    /// NSSA: metric of that default route; none is `default_cost`.
    pub default_metric: Option<u32>,
    /// NSSA: whether that metric is of type 2.
    pub default_type2: bool,
    /// NSSA: translated routes are announced without their forwarding address (`suppress-fa`).
    pub suppress_forwarding: bool,
    /// NSSA: type 7 routes gathered where they are translated (RFC 3101 §3.2).
    pub nssa_ranges: BTreeMap<Prefix, Range>,
    /// Which of the summaries made for this area are announced in it (`filter-list prefix NAME in`).
    pub filter_in: Option<Filter>,
    /// Which routes of this area are told to others (`filter-list prefix NAME out`).
    pub filter_out: Option<Filter>,
    /// Which inter-area networks are announced in this area (`import-list`).
    pub import: Option<Filter>,
    /// Which networks of this area are told to others (`export-list`).
    pub export: Option<Filter>,
    pub shortcut: Shortcut,
    /// The same as for the process, in this area.
    pub flood_reduction: bool,
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
            default_metric: None,
            default_type2: true,
            suppress_forwarding: false,
            nssa_ranges: BTreeMap::new(),
            filter_in: None,
            filter_out: None,
            import: None,
            export: None,
            shortcut: Shortcut::Default,
            flood_reduction: false,
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
    /// Announced in the place of the range.
    pub substitute: Option<Prefix>,
}

impl Default for Range {
    fn default() -> Self {
        Self { advertise: true, cost: None, substitute: None }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualLink {
    /// Seconds.
    pub hello_interval: u16,
    pub dead_interval: u32,
    pub retransmit: Duration,
    /// LSAs due again within this time of the first are sent with it (`retransmit-window`).
    pub retransmit_window: Duration,
    /// Seconds added to the age of LSAs sent here.
    pub transmit_delay: u16,
    pub authentication: Authentication,
}

impl Default for VirtualLink {
    fn default() -> Self {
        Self {
            hello_interval: 10,
            dead_interval: 40,
            retransmit: Duration::from_secs(5),
            retransmit_window: Duration::from_millis(50),
            transmit_delay: 1,
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
    /// A key chain: keys sign and are taken while their time is (RFC 8177). Where it is the time of none, nothing is sent
    /// signed and nothing taken.
    Chain(Vec<ChainKey>),
}

impl Authentication {
    /// Whether packets carry a digest.
    pub fn signs(&self) -> bool {
        matches!(self, Self::Keys(_) | Self::Chain(_))
    }
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
    /// LSAs due again within this time of the first are sent with it (`retransmit-window`).
    pub retransmit_window: Duration,
    /// Seconds added to the age of LSAs sent here (InfTransDelay).
    pub transmit_delay: u16,
    pub priority: u8,
    pub authentication: Authentication,
    /// Digests come with extended sequence numbers, and only such are taken (RFC 7474). OSPFv2 only.
    pub extended_sequence: bool,
    /// Neighbours with a larger MTU are taken all the same.
    pub mtu_ignore: bool,
    /// OSPFv3's instance ID on the link.
    pub instance: u8,
    /// Neighbours that are named because they cannot be found (§C.5, §C.6).
    pub neighbors: BTreeMap<IpAddr, StaticNeighbor>,
    /// Hellos per second, neighbours being dead after one second (`dead-interval minimal hello-multiplier`); Hellos then say
    /// an interval of 0 and any interval is taken.
    pub fast_hello: Option<u8>,
    /// The network is not announced, only the addresses by which neighbours are reached stay known (RFC 6860).
    pub prefix_suppression: bool,
    /// A point-to-point link whose own address is on no network: it is announced by its number, and no network with it
    /// (§12.4.1.1). OSPFv2 only.
    pub unnumbered: bool,
    /// Sources from which packets are taken (`neighbor-filter`).
    pub neighbor_filter: Option<Filter>,
    /// Point-to-multipoint: LSAs go back out where they came in only when they are sent again (`delay-reflood`).
    pub delay_reflood: bool,
    /// Point-to-multipoint without multicast: only named neighbours (`non-broadcast`).
    pub non_broadcast: bool,
    /// When we restart gracefully without having announced it: how long Hellos wait after the Grace-LSA.
    pub hello_delay: Duration,
    /// Opaque LSAs are exchanged here (`capability opaque` of the interface).
    pub opaque: bool,
    pub link_params: Option<LinkParams>,
    /// OSPFv3: whether networks of the link are announced; none leaves it to the kind of the network (RFC 5340 §4.4.3.9).
    pub connected_prefixes: Option<bool>,
    /// OSPFv3: the link's own addresses are announced as hosts beside its networks.
    pub announce_hosts: bool,
    /// Packets of neighbours that are not named are not taken (`config-neighbors-only`).
    pub named_only: bool,
    /// OSPFv3: link-LSAs are not sent on point-to-point links where they say nothing.
    pub link_lsa_suppression: bool,
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
            retransmit_window: Duration::from_millis(50),
            transmit_delay: 1,
            priority: 1,
            authentication: Authentication::None,
            extended_sequence: false,
            mtu_ignore: false,
            instance: 0,
            neighbors: BTreeMap::new(),
            fast_hello: None,
            prefix_suppression: false,
            unnumbered: false,
            neighbor_filter: None,
            delay_reflood: false,
            non_broadcast: false,
            hello_delay: Duration::from_secs(10),
            opaque: true,
            link_params: None,
            connected_prefixes: None,
            announce_hosts: false,
            named_only: false,
            link_lsa_suppression: false,
        }
    }

    /// Between two Hellos.
    pub fn hello_every(&self) -> Duration {
        match self.fast_hello {
            Some(multiplier) => Duration::from_millis(1000 / u64::from(multiplier.max(1))),
            None => Duration::from_secs(u64::from(self.hello_interval.max(1))),
        }
    }

    /// Whether packets carry a digest with an extended sequence number.
    pub fn signs_extended(&self) -> bool {
        self.extended_sequence && self.authentication.signs()
    }

    /// Without a Hello for this long a neighbour is down.
    pub fn dead_after(&self) -> Duration {
        let seconds = if self.fast_hello.is_some() { 1 } else { self.dead_interval };
        Duration::from_secs(u64::from(seconds))
    }

    /// What a change of does not start the interface over.
    pub(crate) fn same_adjacencies(&self, other: &Self) -> bool {
        self.area == other.area
            && self.network == other.network
            && self.passive == other.passive
            && self.instance == other.instance
            && self.non_broadcast == other.non_broadcast
            && self.named_only == other.named_only
            && self.opaque == other.opaque
            && self.neighbors.keys().eq(other.neighbors.keys())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StaticNeighbor {
    pub priority: u8,
    /// Between hellos to a neighbour that is down.
    pub poll_interval: Duration,
    /// What packets to it cost, where it is not what the interface says (point-to-multipoint).
    pub cost: Option<u16>,
}

impl Default for StaticNeighbor {
    fn default() -> Self {
        Self { priority: 0, poll_interval: Duration::from_secs(120), cost: None }
    }
}
