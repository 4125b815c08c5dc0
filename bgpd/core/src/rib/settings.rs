//! What a shard must know of the configuration: plain input structs that the instance fills.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use bgp_packet::{Family, PerFamily};
use ferrite_types::{Asn, ExtCommunity, IfIndex, Prefix, RouteProtocol, RouterId, VrfId};

use super::bandwidth::BandwidthUse;
use super::damping::Dampening;
use super::optimal::Vantage;
use super::orf::OutboundFilter;
use super::policy::{Filter, PeerNames};
use super::quota::Quota;
use super::reject::RejectCommunity;
use super::rules::PeerRules;

/// A neighbour, numbered by the instance; a number is not given to another neighbour while shards know it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
pub struct PeerId(pub u32);

/// Kind of a session (RFC 4271 §1.1, RFC 5065).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
pub enum PeerKind {
    Internal,
    External,
    /// eBGP within a confederation.
    Confederation,
}

/// `remove-private-AS` and its variants.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum RemovePrivateAs {
    #[default]
    No,
    /// Only where every AS of the path is private.
    IfAllPrivate,
    All,
    /// `replace-AS`, only where every AS is private.
    ReplaceIfAllPrivate,
    AllReplace,
}

/// `next-hop-self` and its kin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum NexthopMode {
    /// As the RFCs say.
    #[default]
    Default,
    /// Our address, except on reflected routes.
    Own,
    /// Our address on reflected routes too.
    OwnForced,
    /// `attribute-unchanged next-hop`: as received, on eBGP too.
    Unchanged,
}

/// Which paths of a prefix a neighbour that takes several is told (RFC 7911).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AddPathSend {
    /// The best only, and the session has no identifiers.
    #[default]
    No,
    All,
    /// The best of each neighbouring AS.
    BestPerAs,
    /// That many, most preferred first.
    Best(u16),
}

/// `local-as`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LocalAs {
    pub asn: Asn,
    pub no_prepend: bool,
    pub replace_as: bool,
}

/// What is peculiar to one address family of a neighbour.
#[derive(Clone, Debug, Default)]
pub struct FamilyParams {
    /// Import and export policy, compiled: prefix list, distribute list, filter list and route map in FRR's order.
    pub import: Option<Arc<dyn Filter>>,
    pub export: Option<Arc<dyn Filter>>,
    /// RFC 8212: an eBGP session without policy takes and gives nothing.
    pub import_denied: bool,
    pub export_denied: bool,
    pub soft_reconfiguration: bool,
    pub route_reflector_client: bool,
    pub route_server_client: bool,
    pub nexthop: NexthopMode,
    /// `nexthop-local unchanged`: a received link-local next hop is passed on.
    pub nexthop_local_unchanged: bool,
    pub as_path_unchanged: bool,
    pub med_unchanged: bool,
    /// `None` denies; `Some(n)` takes our own AS up to `n` times in the path.
    pub allowas_in: Option<u8>,
    /// `allowas-in origin`: our own AS only as the origin of the path.
    pub allowas_in_origin: bool,
    pub as_override: bool,
    pub remove_private_as: RemovePrivateAs,
    pub send_community: bool,
    pub send_large_community: bool,
    pub send_ext_community: bool,
    /// `send-community extended rpki`: over iBGP, the validation state as a community (RFC 8097).
    pub send_rpki_state: bool,
    pub default_originate: Option<DefaultOriginate>,
    /// Weight of routes from the neighbour; a route map may set another.
    pub weight: u32,
    /// `maximum-prefix-out`.
    pub maximum_prefix_out: Option<u32>,
    /// Shared by all shards, where there are several and a maximum; the neighbour is then alone in its groups.
    pub quota: Option<Arc<Quota>>,
    pub add_path_receive: bool,
    pub add_path_send: AddPathSend,
    /// Paths of a prefix that the neighbour wants at most (its paths-limit capability); zero: as many as there are.
    pub paths_limit: u16,
    /// Where policy keeps the best path from the neighbour, the next one that passes is told.
    pub secondary_path: bool,
    /// Where its best path is seen from, if not from here (RFC 9107).
    pub optimal: Option<Vantage>,
    /// Refused routes are kept, and shown with this community and the reason.
    pub reject_community: Option<RejectCommunity>,
    /// In place of `export` for routes that an aggregate suppresses; without it they are not sent.
    pub unsuppress: Option<Arc<dyn Filter>>,
    pub advertise: Option<Conditional>,
    /// What the neighbour asked us not to send.
    pub orf: OutboundFilter,
    /// Site of origin: put on what comes; what has it already is not sent.
    pub soo: Option<ExtCommunity>,
    pub dampening: Option<Dampening>,
}

/// `neighbor X advertise-map ROUTES exist-map|non-exist-map CONDITION`.
#[derive(Clone, Debug)]
pub struct Conditional {
    /// Which routes are told under the condition only.
    pub routes: Arc<dyn Filter>,
    /// Whether some route of the table passes it.
    pub condition: Arc<dyn Filter>,
    /// Told while one does, or while none does.
    pub exists: bool,
}

/// `neighbor X default-originate [route-map NAME]`.
#[derive(Clone, Debug, Default)]
pub struct DefaultOriginate {
    pub map: Option<Arc<dyn Filter>>,
}

/// An established session as the table sees it.
#[derive(Clone, Debug)]
pub struct PeerParams {
    pub addr: IpAddr,
    /// Interface and group, where some policy asks for them.
    pub names: Option<Arc<PeerNames>>,
    /// Milliseconds to it and back when its session came up, where its policy asks for that.
    pub round_trip: Option<u32>,
    pub kind: PeerKind,
    pub remote_as: Asn,
    pub remote_id: RouterId,
    /// The AS the neighbour sees: `router bgp`'s, or `local-as`'s, or the confederation's identifier.
    pub local_as: Asn,
    pub change_local_as: Option<LocalAs>,
    /// Our end of the session, the next hop of what we originate.
    pub local_v4: Option<Ipv4Addr>,
    pub local_v6: Option<Ipv6Addr>,
    pub local_link_local: Option<Ipv6Addr>,
    /// Interface of the session, where it is directly connected.
    pub ifindex: Option<IfIndex>,
    /// IPv4 routes may have IPv6 next hops (RFC 8950).
    pub extended_next_hop: bool,
    /// Network that both ends are on: third-party next hops within it are kept (RFC 4271 §5.1.3).
    pub shared_networks: Vec<Prefix>,
    /// Single-hop eBGP with the connected check on: a next hop must lie on a connected network.
    pub connected_nexthops: bool,
    pub enforce_first_as: bool,
    /// Four-octet AS numbers were negotiated.
    pub as4: bool,
    /// Largest message the neighbour takes: 4,096, or 65,535 (RFC 8654).
    pub max_message: usize,
    /// Seconds between two UPDATEs for one prefix; zero sends at once.
    pub advertisement_interval: u16,
    /// `neighbor X graceful-shutdown`, or `bgp graceful-shutdown`: our routes carry the community.
    pub graceful_shutdown: bool,
    /// AIGP goes out to an external neighbour too (RFC 7311 §3.3).
    pub aigp: bool,
    /// Link bandwidths are integers on the wire (`disable-link-bw-encoding-ieee`).
    pub bandwidth_integer: bool,
    /// Link bandwidths that policy sets have 64 bits (`extended-link-bandwidth`).
    pub bandwidth_extended: bool,
    pub rules: PeerRules,
    /// The neighbour knows what LLGR_STALE means (RFC 9494 §4.6).
    pub long_lived: bool,
    /// The families negotiated, each with its parameters.
    pub families: Vec<(Family, Arc<FamilyParams>)>,
}

impl PeerParams {
    /// Whether some policy of the neighbour asks how far it is.
    pub fn asks_round_trip(&self) -> bool {
        let filters = self.families.iter().flat_map(|(_, part)| [&part.import, &part.export]);
        filters.flatten().any(|filter| filter.depends_on_round_trip())
    }

    pub fn family(&self, family: Family) -> Option<&Arc<FamilyParams>> {
        self.families.iter().find(|(f, _)| *f == family).map(|(_, params)| params)
    }

    pub fn is_internal(&self) -> bool {
        self.kind == PeerKind::Internal
    }
}

/// `bgp bestpath …` and what else the decision process asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DecisionSettings {
    pub always_compare_med: bool,
    pub deterministic_med: bool,
    pub med_missing_as_worst: bool,
    pub med_confed: bool,
    pub compare_router_id: bool,
    pub as_path_ignore: bool,
    pub as_path_confed: bool,
    /// Multipath over different AS paths of one length.
    pub as_path_multipath_relax: bool,
    /// And what is told is made of all paths that share the traffic.
    pub as_path_as_set: bool,
    /// Multipath over eBGP and iBGP paths together.
    pub peer_type_multipath_relax: bool,
    pub aigp: bool,
}

/// Settings of one address family of the instance.
#[derive(Clone, Debug)]
pub struct FamilySettings {
    pub maximum_paths_ebgp: u16,
    pub maximum_paths_ibgp: u16,
    /// iBGP multipath only over equal lengths of the cluster list.
    pub ibgp_equal_cluster_length: bool,
    pub distance_ebgp: u8,
    pub distance_ibgp: u8,
    pub distance_local: u8,
    /// `distance N PREFIX [ACCESS-LIST]`.
    pub distances: Vec<DistanceRule>,
    pub table_map: Option<Arc<dyn Filter>>,
    pub networks: Vec<NetworkStatement>,
    pub aggregates: Vec<AggregateStatement>,
    pub redistribute: Vec<RedistributeStatement>,
    /// Of external neighbours without one of their own.
    pub dampening: Option<Dampening>,
}

impl Default for FamilySettings {
    fn default() -> Self {
        Self {
            maximum_paths_ebgp: 1,
            maximum_paths_ibgp: 1,
            ibgp_equal_cluster_length: false,
            distance_ebgp: 20,
            distance_ibgp: 200,
            distance_local: 200,
            distances: Vec::new(),
            table_map: None,
            networks: Vec::new(),
            aggregates: Vec::new(),
            redistribute: Vec::new(),
            dampening: None,
        }
    }
}

/// Routes of the neighbours within `source` get this distance.
#[derive(Clone, Debug)]
pub struct DistanceRule {
    pub source: Prefix,
    pub distance: u8,
    /// Only prefixes that this permits.
    pub filter: Option<Arc<dyn Filter>>,
}

/// `network PREFIX [route-map NAME] [backdoor]`.
#[derive(Clone, Debug)]
pub struct NetworkStatement {
    pub prefix: Prefix,
    pub map: Option<Arc<dyn Filter>>,
    /// Not originated; the same prefix from eBGP gets the local distance.
    pub backdoor: bool,
}

/// `aggregate-address PREFIX …`.
#[derive(Clone, Debug)]
pub struct AggregateStatement {
    pub prefix: Prefix,
    pub as_set: bool,
    pub summary_only: bool,
    pub matching_med_only: bool,
    pub map: Option<Arc<dyn Filter>>,
    pub suppress_map: Option<Arc<dyn Filter>>,
    pub origin: Option<bgp_packet::attr::Origin>,
}

/// `redistribute PROTOCOL [metric N] [route-map NAME]`.
#[derive(Clone, Debug)]
pub struct RedistributeStatement {
    pub protocol: RouteProtocol,
    pub instance: u32,
    pub metric: Option<u32>,
    pub map: Option<Arc<dyn Filter>>,
}

/// How UPDATEs are held together and how many may wait; without any of it groups send as octets leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sending {
    /// Messages outstanding to one neighbour (`bgp output-queue-limit`, `subgroup-pkt-queue-max`).
    pub messages: Option<u32>,
    /// What a new group waits for others to join and changes to come (`coalesce-time`), milliseconds.
    pub coalesce: u32,
    /// `no bgp suppress-duplicates`: what changes is told although it reads the same.
    pub duplicates: bool,
}

/// The instance as its shards see it.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    pub sending: Sending,
    pub vrf: VrfId,
    pub asn: Asn,
    /// `bgp confederation identifier` and `peers`.
    pub confederation: Option<(Asn, Vec<Asn>)>,
    pub router_id: RouterId,
    pub cluster_id: Ipv4Addr,
    pub default_local_pref: u32,
    pub client_to_client_reflection: bool,
    /// Export policy changes reflected routes, beyond saying which pass.
    pub reflector_outbound_policy: bool,
    pub decision: DecisionSettings,
    /// Addresses of this router: a route with one as its next hop is not usable.
    pub own_addresses: Vec<IpAddr>,
    /// Interfaces by index, for `match interface` on redistributed routes.
    pub interfaces: Vec<(IfIndex, String)>,
    /// A `network` needs its prefix in the RIB.
    pub import_check: bool,
    /// Routes go to zebra; without it every next hop counts as reachable.
    pub zebra: bool,
    /// `-n`: next hops are tracked but no routes installed.
    pub install: bool,
    pub graceful_shutdown: bool,
    pub reject_as_sets: bool,
    /// Routes are kept as received beside what policy makes of them: somebody monitors them.
    pub keep_received: bool,
    pub bandwidth: BandwidthUse,
    /// Seconds between two changes of what an `advertise-map` lets out, and of a conditional default route.
    pub advertise_interval: u16,
    pub default_interval: u16,
    /// Paths of one neighbour for one prefix.
    pub max_paths: u16,
    /// `bgp allow-martian-nexthop`.
    pub allow_martian_nexthop: bool,
    /// `bgp max-med`: MED of everything we announce.
    pub max_med: Option<u32>,
    /// Neighbours are told of a route once the kernel has it.
    pub suppress_fib_pending: bool,
    pub families: PerFamily<FamilySettings>,
}

impl ShardConfig {
    /// IPv4 unicast, which most tests are about.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub fn v4(&mut self) -> &mut FamilySettings {
        self.families.get_mut(Family::IPV4_UNICAST).unwrap()
    }

    pub fn interface_name(&self, ifindex: IfIndex) -> Option<&str> {
        self.interfaces.iter().find(|(known, _)| *known == ifindex).map(|(_, name)| name.as_str())
    }

    /// Settings of a family; `None` for one without a table.
    pub fn family(&self, family: Family) -> Option<&FamilySettings> {
        self.families.get(family)
    }
}

impl Default for ShardConfig {
    fn default() -> Self {
        Self {
            sending: Sending::default(),
            vrf: VrfId::DEFAULT,
            asn: Asn(0),
            confederation: None,
            router_id: RouterId::UNSET,
            cluster_id: Ipv4Addr::UNSPECIFIED,
            default_local_pref: 100,
            client_to_client_reflection: true,
            reflector_outbound_policy: false,
            decision: DecisionSettings::default(),
            own_addresses: Vec::new(),
            interfaces: Vec::new(),
            import_check: true,
            zebra: false,
            install: false,
            graceful_shutdown: false,
            reject_as_sets: false,
            keep_received: false,
            bandwidth: BandwidthUse::default(),
            advertise_interval: 60,
            default_interval: 5,
            max_paths: 256,
            allow_martian_nexthop: false,
            max_med: None,
            suppress_fib_pending: false,
            families: PerFamily::default(),
        }
    }
}
