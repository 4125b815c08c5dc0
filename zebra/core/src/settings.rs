//! zebra's configuration as a value. Commands edit it; [`Event::Configured`](crate::Event) hands a new one over, and the
//! machine compares it with the old.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_cli::{CommonConfig, DaemonConfig};
use ferrite_types::zclient::LabelBlock;
use ferrite_types::{Afi, Blackhole, Distance, Ipv6Prefix, Label, Prefix, RouteProtocol, TableId, Tag};
use smallvec::SmallVec;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    pub common: CommonConfig,
    pub interfaces: BTreeMap<String, InterfaceSettings>,
    /// The default VRF stands under its name, `default`.
    pub vrfs: BTreeMap<String, VrfSettings>,
    /// `None` leaves the kernel's switch alone.
    pub ipv4_forwarding: Option<bool>,
    pub ipv6_forwarding: Option<bool>,
    /// Seconds for which the routes of a client that died are kept; `None` is [`DEFAULT_HOLD`].
    pub hold_time: Option<u32>,
    /// Seconds between two looks at the whole kernel table; zero is never, `None` [`DEFAULT_AUDIT`].
    pub audit_interval: Option<u32>,
    /// `zebra nexthop kernel enable`; `None` is on where the kernel can.
    pub nexthop_objects: Option<bool>,
    /// Seconds for which a group stands that no route names any more; `None` is not at all.
    pub group_keep: Option<u32>,
    pub policy: ferrite_policy::PolicyConfig,
    /// `affinity-map`: names of bits.
    pub affinity_maps: BTreeMap<String, u16>,
    /// Seconds that a change of `policy` waits for the next one; `None` is not at all.
    pub route_map_delay: Option<u16>,
    /// `nexthop-group NAME`.
    pub named_groups: crate::config::nexthop_group::NamedGroups,
    pub mpls: MplsSettings,
    pub srv6: crate::srv6::Srv6Settings,
    pub fpm: crate::fpm::settings::FpmSettings,
    pub imports: BTreeMap<crate::import::Import, crate::import::ImportTerms>,
    /// `ip mroute`, with their distances.
    pub mroutes: BTreeMap<(Prefix, MrouteHop), Distance>,
    /// `zebra fib compress`, `zebra fib limit N`, `zebra fib limit N protocol P percent X`.
    pub fib_compress: bool,
    pub fib_limit: Option<u32>,
    pub fib_shares: BTreeMap<RouteProtocol, u8>,
    /// `zebra fib priority`, `zebra fib keep`.
    pub fib_order: crate::capacity::order::Order,
}

/// `mpls …` at the top.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MplsSettings {
    /// `mpls lsp`: the label that comes in and the gateway, and the label that goes out.
    pub lsps: BTreeMap<(Label, IpAddr), Label>,
    /// `mpls label bind`.
    pub bindings: BTreeMap<Prefix, Label>,
    /// `mpls fec nexthop-resolution`: paths may lead through routes that are not connected.
    pub fec_resolution: bool,
    pub dynamic_block: Option<LabelBlock>,
    pub global_block: Option<LabelBlock>,
}

/// Seconds.
pub const DEFAULT_HOLD: u32 = 60;
/// Seconds.
pub const DEFAULT_AUDIT: u32 = 300;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InterfaceSettings {
    /// As in `interface NAME vrf VRF`; kept for rendering.
    pub vrf: Option<String>,
    pub description: Option<String>,
    pub shutdown: Option<bool>,
    pub addresses: Vec<AddressSettings>,
    /// Megabits per second.
    pub bandwidth: Option<u32>,
    /// The link counts as up while it is up administratively, carrier or not.
    pub no_link_detect: bool,
    /// `mpls enable`, `mpls disable`.
    pub mpls: Option<bool>,
    pub link_params: Option<Box<crate::te::LinkParams>>,
    /// `affinity`, `affinity-mode`: of its link parameters.
    pub affinities: crate::te::affinity::Affinities,
    /// `ipv6 nd …`
    pub nd: crate::ra::settings::NdSettings,
}

/// `ip address A.B.C.D/M [peer P] [label L]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AddressSettings {
    pub addr: IpAddr,
    pub prefix_len: u8,
    pub peer: Option<IpAddr>,
    pub label: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VrfSettings {
    pub router_id: Option<Ipv4Addr>,
    pub router_id_v6: Option<Ipv6Addr>,
    /// `ip nht resolve-via-default`; `None` is on.
    pub nht_via_default: Option<bool>,
    pub nht_via_default_v6: Option<bool>,
    /// `ip protocol PROTO route-map NAME`; no protocol is `any`.
    pub protocol_maps: BTreeMap<(AfiKey, Option<RouteProtocol>), String>,
    /// `ip nht PROTO route-map NAME`, likewise.
    pub nht_maps: BTreeMap<(AfiKey, Option<RouteProtocol>), String>,
    pub statics: BTreeMap<StaticKey, StaticValue>,
    /// `zebra fib limit N` of the VRF's node.
    pub fib_limit: Option<u32>,
}

impl VrfSettings {
    pub fn via_default(&self) -> (bool, bool) {
        (self.nht_via_default.unwrap_or(true), self.nht_via_default_v6.unwrap_or(true))
    }
}

/// The two families that have routes, in the order they are rendered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AfiKey {
    V4,
    V6,
}

impl AfiKey {
    pub fn afi(self) -> Afi {
        match self {
            Self::V4 => Afi::Ipv4,
            Self::V6 => Afi::Ipv6,
        }
    }

    pub fn of(prefix: Prefix) -> Self {
        match prefix {
            Prefix::V4(_) => Self::V4,
            Prefix::V6(_) => Self::V6,
        }
    }
}

/// Where `ip mroute` leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MrouteHop {
    Gateway(Ipv4Addr),
    Interface(String),
}

/// What tells two static routes apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StaticKey {
    pub prefix: Prefix,
    /// For packets from these addresses only.
    pub from: Option<Ipv6Prefix>,
    pub table: Option<TableId>,
    pub distance: Distance,
    pub nexthop: StaticNexthop,
}

/// Where a static route leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StaticNexthop {
    Via {
        form: StaticForm,
        gateway: Option<IpAddr>,
        interface: Option<String>,
        /// `nexthop-vrf`; none is the route's own.
        vrf: Option<String>,
    },
    /// There is at most one per route and distance.
    Blackhole,
}

/// Which of the two a next hop names; next hops are rendered in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StaticForm {
    Interface,
    Gateway,
    Both,
}

impl StaticNexthop {
    /// `None` where neither is named.
    pub fn via(gateway: Option<IpAddr>, interface: Option<String>, vrf: Option<String>) -> Option<Self> {
        let form = match (&gateway, &interface) {
            (Some(_), Some(_)) => StaticForm::Both,
            (Some(_), None) => StaticForm::Gateway,
            (None, Some(_)) => StaticForm::Interface,
            (None, None) => return None,
        };
        Some(Self::Via { form, gateway, interface, vrf })
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct StaticValue {
    pub tag: Tag,
    pub onlink: bool,
    /// Of [`StaticNexthop::Blackhole`] only.
    pub kind: BlackholeWord,
    /// Pushed on the packet, outermost first.
    pub labels: SmallVec<[Label; 2]>,
    /// SRv6 segments that the packet is sent along, the first first.
    pub segments: Vec<Ipv6Addr>,
}

/// The words for a route that leads nowhere; FRR keeps `Null0` and `blackhole` apart in what it prints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum BlackholeWord {
    #[default]
    Null0,
    Blackhole,
    Reject,
}

impl BlackholeWord {
    pub fn word(self) -> &'static str {
        match self {
            Self::Null0 => "Null0",
            Self::Blackhole => "blackhole",
            Self::Reject => "reject",
        }
    }

    pub fn kind(self) -> Blackhole {
        match self {
            Self::Null0 | Self::Blackhole => Blackhole::Null,
            Self::Reject => Blackhole::Reject,
        }
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

impl Settings {
    pub fn vrf(&self, name: &str) -> Option<&VrfSettings> {
        self.vrfs.get(name)
    }
}

/// The name of the VRF that is always there.
pub const DEFAULT_VRF_NAME: &str = "default";
