//! From the typed configuration to what sessions and shards are given: plain data, compared to find what a change touches.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bgp_packet::attr::{AttrCode, CodeSet, SessionKind};
use bgp_packet::capability::{GracefulRestart, LongLived};
use bgp_packet::{Family, FamilySet, PerFamily};
use ferrite_policy::Policies;
use ferrite_types::{Afi, IfIndex, RouterId, VrfId};

use super::Host;
use super::filter::{ChainKey, Filters, Place};
use super::identity;
use super::interfaces::Interfaces;
use super::unnumbered::is_link_local;
use crate::config::GracefulMode;
use crate::config::graceful::RESTART_TIME;
use crate::config::{
    AddPathTx, AllowAsIn, BandwidthMode, BgpConfig, EffectiveFamily, EffectiveNeighbor, FamilyConfig,
    InstanceName, PolicyName, RemoteAs, RouterBgp, SESSION_DSCP, UpdateSource,
};
use crate::peer::{self, DownReason, Negotiated, SessionConfig, Transport, TtlSecurity};
use crate::rib::bandwidth::BandwidthUse;
use crate::rib::damping;
use crate::rib::optimal::{CostTable, Vantage};
use crate::rib::orf::OutboundFilter;
use crate::rib::policy::PeerNames;
use crate::rib::reject::RejectCommunity;
use crate::rib::settings::{
    AddPathSend, AggregateStatement, Conditional, DecisionSettings, DefaultOriginate, DistanceRule, LocalAs,
    NetworkStatement, NexthopMode, PeerKind, RedistributeStatement, RemovePrivateAs,
};
use crate::rib::{FamilyParams, FamilySettings, Filter, PeerParams, ShardConfig};

/// What a translation reads beside the settings themselves.
pub struct Surroundings<'a> {
    pub config: &'a BgpConfig,
    pub router: &'a RouterBgp,
    pub name: &'a InstanceName,
    /// The instance's VRF, where there is one by that name.
    pub vrf: Option<VrfId>,
    pub host: &'a Host,
    pub router_id: RouterId,
    pub interfaces: &'a Interfaces,
    pub policies: &'a Policies,
    pub filters: &'a mut Filters,
    /// The first sessions after a start say so.
    pub restarting: bool,
    /// RPKI data were there once: neighbours that want them first may come.
    pub rpki_ready: bool,
    /// `bgp max-med`, as far as it holds now.
    pub max_med: Option<u32>,
}

impl Surroundings<'_> {
    /// `None` for a neighbour without an AS, which has no session.
    pub fn session(&self, neighbor: &EffectiveNeighbor) -> Option<SessionConfig> {
        let remote_as = match neighbor.remote_as? {
            RemoteAs::Number(asn) => peer::RemoteAs::Number(asn.asn),
            RemoteAs::Internal => peer::RemoteAs::Internal,
            RemoteAs::External => peer::RemoteAs::External,
            RemoteAs::Auto => peer::RemoteAs::Auto,
        };
        let from = &neighbor.session;
        let remote = SocketAddr::new(neighbor.addr, from.port);
        let mut session = SessionConfig::new(self.router.asn.asn, self.router_id, remote_as, remote);
        session.local_as = from.change_local_as.map(|local| local.asn.asn);
        session.hold_time = from.timers.hold;
        session.keepalive = from.timers.keepalive;
        session.connect_retry = from.connect_retry;
        session.delay_open = from.delay_open.map(u16::from);
        session.minimum_hold_time = from.minimum_hold_time.unwrap_or(0);
        session.passive = from.passive;
        session.shutdown =
            from.shutdown.as_ref().map(|shutdown| peer::Shutdown { message: shutdown.message.clone() });
        session.families = neighbor.active_families().collect();
        for (family, part) in neighbor.families.iter().filter(|(_, part)| part.active) {
            if !part.add_path.disable_rx {
                session.add_path_receive = session.add_path_receive.with(family);
                session.paths_limits.extend(part.add_path.rx_limit.map(|limit| (family, limit)));
            }
            if part.add_path.tx.is_some() {
                session.add_path_send = session.add_path_send.with(family);
            }
        }
        session.send_capabilities = !from.dont_capability_negotiate;
        session.strict_capabilities = from.strict_capability_match;
        session.override_capabilities = from.override_capability;
        session.hostname = from.capability_fqdn.then(|| self.host_names());
        session.enforce_first_as = from.enforce_first_as;
        self.restarts(neighbor, &mut session);
        session.aigp = from.aigp;
        session.transport = self.transport(neighbor, remote);
        super::terms::fill(self, from, &mut session);
        session.extended_next_hop = from.extended_next_hop;
        session.discard = codes(&from.path_attribute_discard);
        session.withdraw = codes(&from.path_attribute_withdraw);
        session.limits = self.router.limits.attributes;
        (session.orf_send, session.orf_receive) = orf_families(neighbor);
        session.blocked = self.blocked(neighbor, &session);
        session.outlives_link = !self.router.fast_external_failover;
        Some(session)
    }

    /// What our OPEN says about restarts: a helper names no families, for it asks for nothing.
    fn restarts(&self, neighbor: &EffectiveNeighbor, session: &mut SessionConfig) {
        let settings = self.config.graceful(self.router);
        let own = &self.router.restart;
        session.hard_administrative_reset = self.router.sessions.hard_administrative_reset;
        let mode = neighbor.session.graceful;
        if mode == GracefulMode::Disabled {
            return;
        }
        let ours = session.families.iter().filter(|_| mode == GracefulMode::Restart);
        let forwarding = settings.preserve_fw_state;
        let families: Vec<Family> = ours.collect();
        session.graceful_restart = Some(GracefulRestart {
            restarting: self.restarting,
            notification: own.notification,
            time: settings.restart_time.unwrap_or(RESTART_TIME),
            families: families.iter().map(|family| ((*family).into(), forwarding)).collect(),
        });
        let long_lived = |stale_time| {
            let entry = |family: &Family| LongLived { family: (*family).into(), forwarding, stale_time };
            families.iter().map(entry).collect()
        };
        session.long_lived = Some(own.long_lived_time.map_or_else(Vec::new, long_lived));
    }

    /// A view is no place in the forwarding: its next hops are not looked up and its routes go nowhere but to neighbours.
    fn is_view(&self) -> bool {
        matches!(self.name, InstanceName::View(_))
    }

    fn host_names(&self) -> (String, String) {
        let common = &self.config.common;
        let host = common.hostname.clone().unwrap_or_else(|| self.host.hostname.clone());
        (host, common.domainname.clone().unwrap_or_default())
    }

    fn transport(&self, neighbor: &EffectiveNeighbor, remote: SocketAddr) -> Transport {
        let from = &neighbor.session;
        let mut transport = Transport::new(remote);
        transport.source = from.update_source.as_ref().map(|source| match source {
            UpdateSource::Address(addr) => peer::UpdateSource::Address(*addr),
            UpdateSource::Interface(name) => match self.interfaces.source_on(name, neighbor.addr) {
                Some(addr) => peer::UpdateSource::Address(addr),
                None => peer::UpdateSource::Interface(name.clone()),
            },
        });
        if let InstanceName::Vrf(name) = self.name {
            transport.device = Some(Arc::clone(name));
        }
        transport.ifindex = neighbor.ifindex.filter(|_| is_link_local(neighbor.addr));
        transport.ttl = Some(from.ttl);
        transport.ttl_security = from.minimum_ttl.map(|minimum| TtlSecurity { hops: 255 - minimum + 1 });
        transport.signing = super::signing::of(self.config, from);
        transport.tcp_mss = from.tcp_mss;
        transport.dscp = self.config.session_dscp.unwrap_or(SESSION_DSCP);
        transport
    }

    /// Why the session may not be although nothing shuts it down.
    fn blocked(&self, neighbor: &EffectiveNeighbor, session: &SessionConfig) -> Option<DownReason> {
        if self.vrf.is_none() {
            return Some(DownReason::NoVrf);
        }
        if session.families.is_empty() {
            return Some(DownReason::NoFamily);
        }
        if neighbor.session.tcp_ao.is_some() && session.transport.signing.is_none() {
            return Some(DownReason::NoKeyChain);
        }
        if neighbor.session.rpki_strict && !self.rpki_ready {
            return Some(DownReason::WaitingForRpki);
        }
        if neighbor.addr.is_unspecified() {
            return Some(DownReason::AddressLost);
        }
        let direct = neighbor.session.connected_check && self.interfaces.known();
        let connected = || self.interfaces.is_connected(neighbor.addr, neighbor.ifindex);
        (direct && !connected()).then_some(DownReason::NoPath)
    }

    fn chain(&mut self, key: &ChainKey) -> Arc<dyn Filter> {
        self.filters.get(key, self.policies, &self.config.community_aliases, self.router.asn.asn)
    }

    fn map(&mut self, place: Place, afi: Afi, name: Option<&PolicyName>) -> Option<Arc<dyn Filter>> {
        name.map(|name| self.chain(&ChainKey::map(place, afi, name)))
    }

    /// What shards are told of an established session.
    pub fn peer(&mut self, neighbor: &EffectiveNeighbor, negotiated: &Negotiated) -> PeerParams {
        let ends = negotiated.ends;
        let local = self.interfaces.locals(ends.local.ip(), neighbor.ifindex);
        let external = negotiated.kind != SessionKind::Internal;
        let families = negotiated
            .families
            .iter()
            .filter_map(|family| {
                let settings = neighbor.family(family)?;
                Some((family, Arc::new(self.family(family, settings, negotiated))))
            })
            .collect();
        PeerParams {
            addr: neighbor.addr,
            names: self.policies.ask_for_names().then(|| Arc::new(Self::names(neighbor))),
            round_trip: None,
            kind: match negotiated.kind {
                SessionKind::Internal => PeerKind::Internal,
                SessionKind::External => PeerKind::External,
                SessionKind::Confederation => PeerKind::Confederation,
            },
            remote_as: negotiated.remote_as,
            remote_id: negotiated.remote_id,
            local_as: negotiated.local_as,
            change_local_as: neighbor
                .session
                .change_local_as
                // With dual-as the session may have come up as the AS of `router bgp`.
                .filter(|local| external && local.asn.asn == negotiated.local_as)
                .map(|local| LocalAs {
                    asn: local.asn.asn,
                    no_prepend: local.no_prepend,
                    replace_as: local.replace_as,
                }),
            local_v4: local.v4,
            local_v6: local.v6,
            local_link_local: local.link_local,
            ifindex: neighbor.ifindex.or_else(|| self.interfaces.towards(neighbor.addr)).or(local.ifindex),
            extended_next_hop: negotiated.extended_next_hop,
            shared_networks: self.interfaces.shared_networks(neighbor.addr),
            connected_nexthops: neighbor.session.connected_check && !neighbor.session.nexthops_unchecked,
            enforce_first_as: neighbor.session.enforce_first_as,
            as4: negotiated.four_octet,
            max_message: negotiated.max_len(),
            advertisement_interval: neighbor.session.advertisement_interval,
            graceful_shutdown: neighbor.session.graceful_shutdown,
            aigp: neighbor.session.aigp,
            bandwidth_integer: neighbor.session.link_bandwidth_integer,
            bandwidth_extended: neighbor.session.link_bandwidth_extended,
            rules: super::terms::rules(neighbor, negotiated),
            long_lived: negotiated.their_long_lived().is_some(),
            families,
        }
    }

    /// What `match peer NAME` goes by.
    fn names(neighbor: &EffectiveNeighbor) -> PeerNames {
        PeerNames {
            interface: neighbor.name.interface().map(str::to_owned),
            group: neighbor.group.as_ref().map(ToString::to_string),
        }
    }

    fn family(&mut self, family: Family, from: &EffectiveFamily, negotiated: &Negotiated) -> FamilyParams {
        let afi = family.afi;
        let guarded = self.router.ebgp_requires_policy && negotiated.kind == SessionKind::External;
        let import = ChainKey::of(Place::Import, afi, from).map(|key| self.chain(&key));
        let export = ChainKey::of(Place::Export, afi, from).map(|key| self.chain(&key));
        let default_originate = from
            .default_originate
            .as_ref()
            .map(|default| DefaultOriginate { map: self.map(Place::Local, afi, default.route_map.as_ref()) });
        FamilyParams {
            import,
            export,
            import_denied: guarded && !from.has_import_policy(),
            export_denied: guarded && !from.has_export_policy(),
            soft_reconfiguration: from.soft_reconfiguration,
            send_rpki_state: from.send_rpki_state,
            route_reflector_client: from.route_reflector_client,
            route_server_client: from.route_server_client,
            nexthop: nexthop_mode(from),
            nexthop_local_unchanged: from.nexthop_local_unchanged,
            as_path_unchanged: from.unchanged.as_path,
            med_unchanged: from.unchanged.med,
            allowas_in: from.allowas_in.map(|allowed| match allowed {
                AllowAsIn::Times(times) => times,
                AllowAsIn::Origin => u8::MAX,
            }),
            allowas_in_origin: from.allowas_in == Some(AllowAsIn::Origin),
            as_override: from.as_override,
            remove_private_as: remove_private_as(from),
            send_community: from.send_community,
            send_large_community: from.send_large_community,
            send_ext_community: from.send_extended_community,
            default_originate,
            weight: u32::from(from.weight.unwrap_or(0)),
            maximum_prefix_out: from.maximum_prefix_out,
            quota: None,
            add_path_receive: negotiated.add_path_receive.contains(family),
            add_path_send: add_path_send(from, negotiated.add_path_send.contains(family)),
            paths_limit: negotiated.paths_limit(family),
            secondary_path: from.secondary_path,
            optimal: self.vantage(family, from),
            reject_community: from
                .reject_community
                .map(|community| RejectCommunity { asn: community.asn, function: community.function }),
            unsuppress: self.unsuppress(afi, from),
            advertise: from.filters.advertise_map.as_ref().map(|map| Conditional {
                routes: self.chain(&ChainKey::map(Place::Local, afi, &map.routes)),
                condition: self.chain(&ChainKey::map(Place::Local, afi, &map.condition)),
                exists: map.exists,
            }),
            // The instance puts in what the neighbour has sent.
            orf: OutboundFilter::None,
            soo: from.filters.soo,
            dampening: from.filters.dampening.map(dampening),
        }
    }

    /// Where a client of a group of optimal route reflection sees the table from; nowhere else while the costs of no root
    /// are known.
    fn vantage(&self, family: Family, from: &EffectiveFamily) -> Option<Vantage> {
        let group = from.optimal_group.as_ref().filter(|_| from.route_reflector_client)?;
        let optimal = &self.router.families.get(family)?.optimal;
        let root = optimal.active_root(group.as_str())?;
        Some(Vantage { root, costs: Arc::new(CostTable::new(optimal.costs_of(root))) })
    }

    /// The lists of the export policy, with the `unsuppress-map` in the place of the route map.
    fn unsuppress(&mut self, afi: Afi, from: &EffectiveFamily) -> Option<Arc<dyn Filter>> {
        let name = from.filters.unsuppress_map.clone()?;
        let lists = ChainKey::of(Place::Export, afi, from);
        let key = lists.unwrap_or_else(|| ChainKey::map(Place::Export, afi, &name));
        Some(self.chain(&ChainKey { route_map: Some(name), ..key }))
    }

    /// The instance as its shards see it.
    pub fn shard(&mut self, own_addresses: Vec<IpAddr>, interfaces: Vec<(IfIndex, String)>) -> ShardConfig {
        let router = self.router;
        let mut families = PerFamily::<FamilySettings>::default();
        for ((family, from), (_, to)) in router.families.iter().zip(families.iter_mut()) {
            self.fill_family(family.afi, from, to);
        }
        ShardConfig {
            vrf: self.vrf.unwrap_or(identity::NO_VRF),
            asn: router.asn.asn,
            confederation: super::terms::confederation(router),
            router_id: self.router_id,
            cluster_id: router.cluster_id.unwrap_or(self.router_id.0),
            default_local_pref: router.default_local_preference,
            client_to_client_reflection: router.client_to_client_reflection,
            reflector_outbound_policy: router.reflector_outbound_policy,
            decision: decision(router),
            own_addresses,
            interfaces,
            import_check: router.import_check,
            zebra: self.host.zebra && !self.is_view(),
            install: self.host.install && !self.config.no_rib && !self.is_view(),
            graceful_shutdown: router.graceful_shutdown || self.config.sessions.graceful_shutdown,
            reject_as_sets: router.reject_as_sets,
            keep_received: self.config.bmp_keeps_received(self.name),
            bandwidth: match router.bandwidth {
                None => BandwidthUse::IfAll,
                Some(BandwidthMode::Ignore) => BandwidthUse::Ignore,
                Some(BandwidthMode::SkipMissing) => BandwidthUse::SkipMissing,
                Some(BandwidthMode::DefaultWeight) => BandwidthUse::LeastForMissing,
            },
            advertise_interval: router.condition_timers.advertise.into(),
            default_interval: router.condition_timers.default_originate,
            max_paths: router.limits.paths,
            allow_martian_nexthop: router.sessions.allow_martian_nexthop,
            sending: super::terms::sending(self.config, router),
            max_med: self.max_med,
            suppress_fib_pending: self.config.graceful(router).suppress_fib_pending && self.host.install,
            families,
        }
    }

    fn fill_family(&mut self, afi: Afi, from: &FamilyConfig, into: &mut FamilySettings) {
        into.maximum_paths_ebgp = from.maximum_paths.external.min(self.host.ecmp);
        into.maximum_paths_ibgp = from.maximum_paths.internal.min(self.host.ecmp);
        into.ibgp_equal_cluster_length = from.maximum_paths.equal_cluster_length;
        into.distance_ebgp = from.distances.external.0;
        into.distance_ibgp = from.distances.internal.0;
        into.distance_local = from.distances.local.0;
        into.distances =
            from.distance_rules.iter().map(|(source, rule)| self.distance(afi, *source, rule)).collect();
        into.table_map = self.map(Place::Table, afi, from.table_map.as_ref());
        into.networks = from
            .networks
            .iter()
            .map(|(prefix, network)| NetworkStatement {
                prefix: *prefix,
                map: self.map(Place::Local, afi, network.route_map.as_ref()),
                backdoor: network.backdoor,
            })
            .collect();
        into.aggregates = from
            .aggregates
            .iter()
            .map(|(prefix, aggregate)| AggregateStatement {
                prefix: *prefix,
                as_set: aggregate.as_set,
                summary_only: aggregate.summary_only,
                matching_med_only: aggregate.matching_med_only,
                map: self.map(Place::Local, afi, aggregate.route_map.as_ref()),
                suppress_map: self.map(Place::Local, afi, aggregate.suppress_map.as_ref()),
                origin: aggregate.origin,
            })
            .collect();
        into.dampening = from.dampening.map(dampening);
        into.redistribute = from
            .redistribute
            .iter()
            .map(|(source, redistribute)| RedistributeStatement {
                protocol: source.protocol,
                instance: u32::from(source.instance),
                metric: redistribute.metric.map(|metric| metric.0),
                map: self.map(Place::Local, afi, redistribute.route_map.as_ref()),
            })
            .collect();
    }

    fn distance(
        &mut self,
        afi: Afi,
        source: ferrite_types::Prefix,
        rule: &crate::config::DistanceRule,
    ) -> DistanceRule {
        let filter = rule.access_list.as_ref().map(|name| {
            self.chain(&ChainKey {
                place: Place::Local,
                afi,
                distribute_list: Some(name.clone()),
                prefix_list: None,
                filter_list: None,
                route_map: None,
            })
        });
        DistanceRule { source, distance: rule.distance.0, filter }
    }
}

fn codes(codes: &BTreeSet<u8>) -> CodeSet {
    codes.iter().map(|code| AttrCode(*code)).collect()
}

fn dampening(from: crate::config::Dampening) -> damping::Dampening {
    let minutes = |minutes: u8| Duration::from_secs(u64::from(minutes) * 60);
    damping::Dampening {
        half_life: minutes(from.half_life),
        reuse: from.reuse.into(),
        suppress: from.suppress.into(),
        max_suppress: minutes(from.max_suppress),
    }
}

/// Families in which we would send outbound route filters, and take them.
fn orf_families(neighbor: &EffectiveNeighbor) -> (FamilySet, FamilySet) {
    let with = |wanted: fn(&EffectiveFamily) -> bool| {
        let active = neighbor.active_families();
        active.filter(|family| neighbor.family(*family).is_some_and(wanted)).collect()
    };
    (with(|part| part.filters.orf.send), with(|part| part.filters.orf.receive))
}

fn nexthop_mode(from: &EffectiveFamily) -> NexthopMode {
    if from.next_hop_self_force {
        NexthopMode::OwnForced
    } else if from.next_hop_self {
        NexthopMode::Own
    } else if from.unchanged.next_hop {
        NexthopMode::Unchanged
    } else {
        NexthopMode::Default
    }
}

/// A session with identifiers keeps them until it ends, whatever becomes of the setting.
fn add_path_send(from: &EffectiveFamily, negotiated: bool) -> AddPathSend {
    match from.add_path.tx.filter(|_| negotiated) {
        Some(AddPathTx::All) => AddPathSend::All,
        Some(AddPathTx::BestPerAs) => AddPathSend::BestPerAs,
        Some(AddPathTx::Best(count)) => AddPathSend::Best(count),
        None if negotiated => AddPathSend::Best(1),
        None => AddPathSend::No,
    }
}

fn remove_private_as(from: &EffectiveFamily) -> RemovePrivateAs {
    match from.remove_private_as.map(|remove| (remove.all, remove.replace)) {
        None => RemovePrivateAs::No,
        Some((false, false)) => RemovePrivateAs::IfAllPrivate,
        Some((true, false)) => RemovePrivateAs::All,
        Some((false, true)) => RemovePrivateAs::ReplaceIfAllPrivate,
        Some((true, true)) => RemovePrivateAs::AllReplace,
    }
}

fn decision(router: &RouterBgp) -> DecisionSettings {
    DecisionSettings {
        always_compare_med: router.always_compare_med,
        deterministic_med: router.deterministic_med || router.uses_best_per_as(),
        med_missing_as_worst: router.med_missing_as_worst,
        med_confed: router.med_confed,
        compare_router_id: router.compare_router_id,
        as_path_ignore: router.as_path_ignore,
        as_path_confed: router.as_path_confed,
        as_path_multipath_relax: router.multipath_relax.is_some(),
        as_path_as_set: router.multipath_relax == Some(crate::config::MultipathRelax::AsSet),
        peer_type_multipath_relax: router.peer_type_multipath_relax,
        aigp: router.bestpath_aigp,
    }
}
