//! What holds for a neighbour in the end: its own settings over its group's over the instance's over the defaults.
//!
//! This is what sessions and tables are made from, and what is compared when the configuration changes: a default that is
//! spelled out, or a setting that moves from a neighbour to its group, makes no difference here.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use bgp_packet::{Family, PerFamily};
use ferrite_cli::common::Defaults;
use ferrite_types::{Asn, IfIndex};

use super::BgpConfig;
use super::add_path::AddPath;
use super::graceful::GracefulMode;
use super::name::NeighborName;
use super::peer::{Neighbor, PeerSettings};
use super::peer_family::{
    AllowAsIn, DefaultOriginate, InOut, MaximumPrefix, PeerFamily, RemovePrivateAs, Unchanged,
};
use super::peer_filters::PeerFilters;
use super::reflection::RejectCommunity;
use super::router::RouterBgp;
use super::session::{LocalAs, SessionSettings, Shutdown, UpdateSource};
use super::sessions::{LocalRole, RttLimit};
use super::types::{GroupName, PolicyName, RemoteAs, SessionKind, Timers};

/// TCP port of BGP (RFC 4271 §8.2.1).
pub const BGP_PORT: u16 = 179;

/// A neighbour's settings with everything inherited. Units as in the settings of the same names.
#[derive(Clone, PartialEq, Debug)]
pub struct EffectiveNeighbor {
    pub name: NeighborName,
    /// Of a neighbour that is named by an interface: unspecified until the instance has found it.
    pub addr: IpAddr,
    /// Interface of a neighbour that is known by it, or whose address needs one.
    pub ifindex: Option<IfIndex>,
    pub group: Option<GroupName>,
    /// `None`: a member of a group without an AS; it has no session.
    pub remote_as: Option<RemoteAs>,
    /// `None` until the OPEN tells (`remote-as auto`), or without `remote_as`.
    pub kind: Option<SessionKind>,
    pub session: EffectiveSession,
    pub families: PerFamily<EffectiveFamily>,
}

/// What needs a new session when it changes is here, apart from [`EffectiveNeighbor::families`]' `active`; exceptions are
/// said at the field.
#[derive(Clone, PartialEq, Debug)]
pub struct EffectiveSession {
    /// The AS that OPEN carries.
    pub local_as: Asn,
    /// `local-as`, where it is not that of `router bgp`.
    pub change_local_as: Option<LocalAs>,
    /// No session needs to change.
    pub description: Option<String>,
    /// `neighbor X shutdown`, else `bgp shutdown`.
    pub shutdown: Option<Shutdown>,
    /// No session needs to change.
    pub shutdown_rtt: Option<RttLimit>,
    pub password: Option<String>,
    /// Name of the key chain of TCP-AO; then there is no password.
    pub tcp_ao: Option<String>,
    /// UPDATEs only.
    pub solo: bool,
    pub port: u16,
    pub tcp_mss: Option<u16>,
    pub passive: bool,
    /// TTL of what we send.
    pub ttl: u8,
    /// GTSM: what arrives with a lower TTL is dropped (RFC 5082 §3).
    pub minimum_ttl: Option<u8>,
    /// The neighbour, and its next hops, must be on a connected network.
    pub connected_check: bool,
    /// Next hops need not be connected although the neighbour is (`bgp disable-ebgp-connected-route-check`).
    pub nexthops_unchecked: bool,
    /// UPDATEs only.
    pub aigp: bool,
    pub rpki_strict: bool,
    /// UPDATEs only; `neighbor X graceful-shutdown` or `bgp graceful-shutdown`.
    pub graceful_shutdown: bool,
    pub local_role: Option<LocalRole>,
    pub oad: bool,
    pub extended_optional_parameters: bool,
    pub capability_dynamic: bool,
    pub capability_software_version: bool,
    /// UPDATEs only.
    pub sender_loop_detection: bool,
    /// UPDATEs only.
    pub enforce_first_as: bool,
    pub update_source: Option<UpdateSource>,
    /// `neighbor X interface IFNAME`: the link of a link-local neighbour.
    pub interface: Option<String>,
    /// A neighbour on an interface is looked for by its link-local address alone.
    pub v6only: bool,
    /// `capability extended-nexthop` (RFC 8950).
    pub extended_next_hop: bool,
    /// UPDATEs only.
    pub advertisement_interval: u16,
    /// The next session takes them.
    pub timers: Timers,
    /// The next session takes it.
    pub minimum_hold_time: Option<u16>,
    pub connect_retry: u16,
    pub delay_open: Option<u8>,
    pub dont_capability_negotiate: bool,
    pub capability_fqdn: bool,
    pub override_capability: bool,
    pub strict_capability_match: bool,
    /// UPDATEs only.
    pub path_attribute_discard: BTreeSet<u8>,
    /// UPDATEs only.
    pub path_attribute_withdraw: BTreeSet<u8>,
    /// The next session takes it.
    pub graceful: GracefulMode,
    /// The mode is the router's, not the neighbour's own.
    pub graceful_inherited: bool,
    /// Link bandwidths are written as an integer.
    pub link_bandwidth_integer: bool,
    /// Link bandwidths that policy sets have 64 bits.
    pub link_bandwidth_extended: bool,
}

/// A neighbour in one family.
#[derive(Clone, PartialEq, Debug)]
pub struct EffectiveFamily {
    /// Offered in the OPEN.
    pub active: bool,
    pub add_path: AddPath,
    pub route_reflector_client: bool,
    pub route_server_client: bool,
    pub secondary_path: bool,
    pub reject_community: Option<RejectCommunity>,
    pub optimal_group: Option<PolicyName>,
    pub next_hop_self: bool,
    pub next_hop_self_force: bool,
    pub remove_private_as: Option<RemovePrivateAs>,
    pub as_override: bool,
    pub send_community: bool,
    pub send_extended_community: bool,
    pub send_large_community: bool,
    pub default_originate: Option<DefaultOriginate>,
    pub soft_reconfiguration: bool,
    pub send_rpki_state: bool,
    pub maximum_prefix: Option<MaximumPrefix>,
    pub maximum_prefix_out: Option<u32>,
    pub allowas_in: Option<AllowAsIn>,
    pub weight: Option<u16>,
    pub distribute_list: InOut,
    pub prefix_list: InOut,
    pub route_map: InOut,
    pub filter_list: InOut,
    pub unchanged: Unchanged,
    pub filters: PeerFilters,
    pub nexthop_local_unchanged: bool,
}

impl EffectiveFamily {
    /// Whether a policy of any kind judges what comes in (RFC 8212 §2.1 asks for one on eBGP sessions).
    pub fn has_import_policy(&self) -> bool {
        self.lists().iter().any(|lists| lists.import.is_some())
    }

    pub fn has_export_policy(&self) -> bool {
        self.lists().iter().any(|lists| lists.export.is_some())
    }

    fn lists(&self) -> [&InOut; 4] {
        [&self.route_map, &self.prefix_list, &self.filter_list, &self.distribute_list]
    }
}

impl EffectiveNeighbor {
    pub fn family(&self, family: Family) -> Option<&EffectiveFamily> {
        self.families.get(family)
    }

    /// Families to offer, in the order of the configuration.
    pub fn active_families(&self) -> impl Iterator<Item = Family> + '_ {
        self.families.iter().filter(|(_, part)| part.active).map(|(family, _)| family)
    }
}

impl RouterBgp {
    /// All neighbours as they are in the end, by address.
    pub fn effective<'a>(&'a self, config: &'a BgpConfig) -> impl Iterator<Item = EffectiveNeighbor> + 'a {
        self.neighbors.iter().map(|(name, neighbor)| self.effective_neighbor(config, name.clone(), neighbor))
    }

    pub fn effective_neighbor(
        &self,
        config: &BgpConfig,
        name: NeighborName,
        neighbor: &Neighbor,
    ) -> EffectiveNeighbor {
        let own = &neighbor.settings;
        let group = self.group_of(neighbor).map(|group| &group.settings);
        let kind = self.kind_of(own, group);
        let family = |family: Family| {
            let part =
                |settings: &'_ PeerSettings| settings.families.get(family).cloned().unwrap_or_default();
            effective_family(&part(own), group.map(part).as_ref())
        };
        EffectiveNeighbor {
            addr: name.addr().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            ifindex: None,
            group: neighbor.group.clone(),
            remote_as: self.remote_as_of(neighbor),
            kind,
            session: self.effective_session(config, own, group, kind, name.interface().is_some()),
            families: PerFamily::new(family),
            name,
        }
    }

    fn effective_session(
        &self,
        config: &BgpConfig,
        own: &PeerSettings,
        group: Option<&PeerSettings>,
        kind: Option<SessionKind>,
        on_interface: bool,
    ) -> EffectiveSession {
        let from = Inherited { own: &own.session, group: group.map(|group| &group.session) };
        let internal = kind == Some(SessionKind::Internal);
        let ttl_security = from.value(|session| session.ttl_security);
        let multihop = from.value(|session| session.ebgp_multihop);
        let ttl = match ttl_security {
            Some(_) => 255,
            None if internal => 255,
            None => multihop.unwrap_or(1),
        };
        let graceful = from.value(|session| session.graceful);
        let disable_check = from.flag(|session| session.disable_connected_check);
        let connect_retry = match config.common.defaults {
            Defaults::Traditional => 30,
            Defaults::Datacenter => 10,
        };
        // What the neighbour itself is signed with comes before what its group is.
        let by_group = own.session.password.is_none();
        let tcp_ao = from.value(|session| session.tcp_ao.clone());
        let tcp_ao = tcp_ao.filter(|_| own.session.tcp_ao.is_some() || by_group);
        EffectiveSession {
            local_as: self.local_as_of(own, group),
            change_local_as: from.value(|session| session.local_as),
            description: own.session.description.clone(),
            shutdown: from.value(|session| session.shutdown.clone()).or_else(|| self.shutdown.clone()),
            shutdown_rtt: from.value(|session| session.shutdown_rtt),
            password: from.value(|session| session.password.clone()).filter(|_| tcp_ao.is_none()),
            tcp_ao,
            solo: from.flag(|session| session.solo),
            local_role: from.value(|session| session.local_role).filter(|_| !internal),
            oad: from.flag(|session| session.oad) && !internal,
            extended_optional_parameters: from.flag(|session| session.extended_optional_parameters),
            capability_dynamic: from
                .value(|session| session.capability_dynamic)
                .unwrap_or(self.sessions.dynamic),
            capability_software_version: from
                .value(|session| session.capability_software_version)
                .unwrap_or(self.sessions.software_version),
            sender_loop_detection: from.flag(|session| session.sender_loop_detection),
            port: from.value(|session| session.port).unwrap_or(BGP_PORT),
            tcp_mss: from.value(|session| session.tcp_mss),
            passive: from.flag(|session| session.passive),
            ttl,
            minimum_ttl: ttl_security.map(|hops| 255 - hops.saturating_sub(1)),
            connected_check: !internal
                && !disable_check
                && multihop.is_none()
                && ttl_security.unwrap_or(1) == 1,
            nexthops_unchecked: self.disable_connected_check,
            rpki_strict: from.flag(|session| session.rpki_strict),
            aigp: from.flag(|session| session.aigp),
            graceful_shutdown: self.graceful_shutdown
                || config.sessions.graceful_shutdown
                || from.flag(|session| session.graceful_shutdown),
            enforce_first_as: from.value(|session| session.enforce_first_as).unwrap_or(self.enforce_first_as),
            update_source: from.value(|session| session.update_source.clone()),
            interface: own.session.interface.clone(),
            v6only: own.session.v6only,
            // A neighbour on an interface always has it.
            extended_next_hop: on_interface || from.flag(|session| session.extended_next_hop),
            advertisement_interval: from.value(|session| session.advertisement_interval).unwrap_or(0),
            timers: from.value(|session| session.timers).unwrap_or(self.timers),
            minimum_hold_time: self.minimum_hold_time,
            connect_retry: from.value(|session| session.connect_retry).unwrap_or(connect_retry),
            delay_open: from.value(|session| session.delay_open),
            dont_capability_negotiate: from.flag(|session| session.dont_capability_negotiate),
            capability_fqdn: from.value(|session| session.capability_fqdn).unwrap_or(true),
            override_capability: from.flag(|session| session.override_capability),
            strict_capability_match: from.flag(|session| session.strict_capability_match),
            path_attribute_discard: from.codes(|session| &session.path_attribute_discard),
            path_attribute_withdraw: from.codes(|session| &session.path_attribute_withdraw),
            graceful: graceful.or(config.graceful(self).mode).unwrap_or(GracefulMode::Helper),
            graceful_inherited: graceful.is_none(),
            link_bandwidth_integer: from.flag(|session| session.link_bandwidth_integer),
            link_bandwidth_extended: from.flag(|session| session.link_bandwidth_extended),
        }
    }
}

/// Looks a session's setting up: the own one, else the group's.
struct Inherited<'a> {
    own: &'a SessionSettings,
    group: Option<&'a SessionSettings>,
}

impl Inherited<'_> {
    fn value<V>(&self, of: impl Fn(&SessionSettings) -> Option<V>) -> Option<V> {
        of(self.own).or_else(|| self.group.and_then(of))
    }

    fn flag(&self, of: impl Fn(&SessionSettings) -> bool) -> bool {
        of(self.own) || self.group.is_some_and(of)
    }

    fn codes(&self, of: impl Fn(&SessionSettings) -> &BTreeSet<u8>) -> BTreeSet<u8> {
        match self.group {
            Some(group) if of(self.own).is_empty() => of(group).clone(),
            _ => of(self.own).clone(),
        }
    }
}

fn effective_family(own: &PeerFamily, group: Option<&PeerFamily>) -> EffectiveFamily {
    let nothing = PeerFamily::default();
    let group = group.unwrap_or(&nothing);
    let lists = |of: fn(&PeerFamily) -> &InOut| InOut {
        import: of(own).import.clone().or_else(|| of(group).import.clone()),
        export: of(own).export.clone().or_else(|| of(group).export.clone()),
    };
    let flag = |of: fn(&PeerFamily) -> bool| of(own) || of(group);
    let sends = |of: fn(&PeerFamily) -> Option<bool>| of(own).or(of(group)).unwrap_or(true);
    EffectiveFamily {
        active: own.activate,
        add_path: own.add_path.or(group.add_path),
        route_reflector_client: flag(|part| part.route_reflector_client),
        route_server_client: flag(|part| part.route_server_client),
        reject_community: own.reject_community.or(group.reject_community),
        optimal_group: own.optimal_group.clone().or_else(|| group.optimal_group.clone()),
        secondary_path: flag(|part| part.secondary_path),
        next_hop_self: flag(|part| part.next_hop_self),
        next_hop_self_force: flag(|part| part.next_hop_self_force),
        remove_private_as: own.remove_private_as.or(group.remove_private_as),
        as_override: flag(|part| part.as_override),
        send_community: sends(|part| part.send_community.standard),
        send_extended_community: sends(|part| part.send_community.extended),
        send_large_community: sends(|part| part.send_community.large),
        default_originate: own.default_originate.clone().or_else(|| group.default_originate.clone()),
        send_rpki_state: flag(|part| part.send_rpki_state),
        soft_reconfiguration: flag(|part| part.soft_reconfiguration),
        maximum_prefix: own.maximum_prefix.or(group.maximum_prefix),
        maximum_prefix_out: own.maximum_prefix_out.or(group.maximum_prefix_out),
        allowas_in: own.allowas_in.or(group.allowas_in),
        weight: own.weight.or(group.weight),
        distribute_list: lists(|part| &part.distribute_list),
        prefix_list: lists(|part| &part.prefix_list),
        route_map: lists(|part| &part.route_map),
        filter_list: lists(|part| &part.filter_list),
        unchanged: own.unchanged.or(group.unchanged),
        filters: own.filters.over(&group.filters),
        nexthop_local_unchanged: flag(|part| part.nexthop_local_unchanged),
    }
}
