//! `show bgp neighbors`.

use bgp_packet::capability::{AddPathMode, Capability, FamilyCode, GracefulRestart, LongLived, OrfMode};
use bgp_packet::orf::PREFIX_TYPE;
use bgp_packet::{Family, Open};
use ferrite_cli::Args;
use ferrite_types::{RouterId, Timestamp};
use indexmap::IndexMap;

use super::clear::remote_as;
use super::json;
use super::summary::state_name;
use crate::config::{AddPathTx, EffectiveFamily, PrefixLimitAction, SessionKind, role_name};
use crate::instance::{Instance, PeerEntry};
use crate::peer::{DownReason, Negotiated, Timer, UpdateSource};
use crate::rib::NoticeKind;
use crate::rib::orf::OrfList;
use crate::rib::rules::Refused;
use crate::view::add_path::{AddPathView, PathsLimitView};
use crate::view::graceful::GracefulInfo;
use crate::view::neighbor::{
    Both, Capabilities, FamilyCapability, FamilyView, ForwardingView, HostnameCapability, LastReset, Link,
    LongLivedView, MessageStats, NeighborView, Neighbors, PrefixStats, RestartFamilies, SoftwareVersion, Tcp,
    TcpAo, Timers, Transport,
};
use crate::view::neighbor_filters::{AdvertiseMapView, FiltersView, OrfCapability, OrfModes, OrfView};
use crate::view::{family_key, text};

/// `vrf all` names the instance among its neighbours.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceNeighbors<'a> {
    vrf_id: i64,
    vrf_name: &'a str,
    #[serde(flatten)]
    neighbors: &'a Neighbors,
}

impl Instance {
    /// The neighbour that a command names, or all of them; else what is said of one that is not there.
    pub(super) fn shown_neighbors(&self, args: &Args) -> Result<Vec<&PeerEntry>, String> {
        let named = self.named_peer(args);
        if args.has("neighbor") && named.is_none() {
            let missing = "% No such neighbor in this view/vrf\n\n";
            let text = if args.has("json") { "{\"bgpNoSuchNeighbor\":true}\n" } else { missing };
            return Err(text.to_owned());
        }
        let entries = self.by_name.values().filter_map(|id| self.peers.get(id));
        Ok(entries.filter(|entry| named.is_none_or(|(_, named)| named.name == entry.name)).collect())
    }

    pub(super) fn neighbors(&self, now: Timestamp, args: &Args) -> String {
        let shown = match self.shown_neighbors(args) {
            Ok(shown) => shown.into_iter(),
            Err(text) => return text,
        };
        let views = shown.map(|entry| (entry.name.to_string(), self.neighbor(now, entry))).collect();
        let views = Neighbors(views);
        match (args.has("json"), args.get("vrf")) {
            (true, Some("all")) => json(&InstanceNeighbors {
                vrf_id: self.vrf_number(),
                vrf_name: self.label(),
                neighbors: &views,
            }),
            (true, _) => json(&views),
            (false, _) => views.to_string(),
        }
    }

    fn neighbor(&self, now: Timestamp, entry: &PeerEntry) -> NeighborView {
        let negotiated = entry.peer.negotiated().map(|negotiated| &**negotiated);
        let history = entry.peer.history();
        let session = &entry.effective.session;
        // With `remote-as auto` only the session tells.
        let internal = negotiated.map_or(entry.effective.kind == Some(SessionKind::Internal), |negotiated| {
            negotiated.kind == bgp_packet::attr::SessionKind::Internal
        });
        NeighborView {
            addr: Some(entry.addr),
            bgp_neighbor_addr: entry.name.interface().map(|_| {
                if entry.addr.is_unspecified() { "none".to_owned() } else { entry.addr.to_string() }
            }),
            remote_as: remote_as(entry),
            local_as: session.local_as,
            local_as_no_prepend: session.change_local_as.is_some_and(|local| local.no_prepend),
            local_as_replace_as: session.change_local_as.is_some_and(|local| local.replace_as),
            local_as_replace_as_dual_as: session.change_local_as.is_some_and(|local| local.dual_as),
            link: self.link(entry, internal),
            nbr_common_admin: self.link(entry, internal) == Link::ConfedExternal { member: true },
            local_role: session.local_role.map_or("undefined", |local| role_name(local.role)),
            remote_role: negotiated
                .and_then(|negotiated| negotiated.remote_role)
                .map_or("undefined", role_name),
            nbr_desc: session.description.clone(),
            hostname: entry.hostname(),
            domainname: negotiated
                .and_then(|negotiated| negotiated.hostname.as_ref())
                .map(|(_, domain)| domain.clone())
                .filter(|domain| !domain.is_empty()),
            peer_group: entry.effective.group.as_ref().map(ToString::to_string),
            peer_subnet_range_group: self
                .range_of(entry.addr)
                .filter(|_| entry.dynamic)
                .map(ToString::to_string),
            admin_shut_down: session.shutdown.is_some(),
            bgp_version: 4,
            remote_router_id: negotiated.map_or(RouterId::UNSET, |negotiated| negotiated.remote_id),
            local_router_id: self.router_id(),
            bgp_state: state_name(entry.peer.state()).to_owned(),
            timers: self.timers(now, entry, negotiated),
            tcp: Tcp {
                delay_open_msec: session.delay_open.map(|secs| u64::from(secs) * 1000),
                mss: session.tcp_mss,
                mss_synced: if entry.established() { entry.rtt.mss } else { 0 },
                max_hops: (!internal).then_some(session.ttl),
                rtt_limit: session.shutdown_rtt.map(|limit| limit.rtt),
                rtt_count: session.shutdown_rtt.map(|limit| limit.count),
                rtt: entry.rtt.last.filter(|_| entry.established()),
            },
            extended_optional_parameters_length: session.extended_optional_parameters,
            neighbor_capabilities: negotiated.map(capabilities),
            graceful_restart_info: GracefulInfo::new(self.graceful_view(now, entry)),
            message_stats: message_stats(entry),
            prefix_stats: PrefixStats {
                withdrawn: history.faults.withdrawn,
                attributes_discarded: history.faults.discarded,
                over_limit: history.faults.limited,
                paths_refused: entry.noticed.count(NoticeKind::TooManyPaths),
                too_big_to_send: entry.noticed.count(NoticeKind::TooBig),
                ..refused_stats(entry.refused())
            },
            min_btwn_advertisement_runs_timer_msecs: u64::from(session.advertisement_interval) * 1000,
            families: self.family_views(entry),
            connections_established: history.established,
            connections_dropped: history.dropped,
            last_reset: last_reset(now, entry),
            transport: self.transport(now, entry, negotiated),
        }
    }

    fn link(&self, entry: &PeerEntry, internal: bool) -> Link {
        let confederation = self.router().map(|router| &router.sessions.confederation);
        let Some(confederation) = confederation.filter(|confed| confed.identifier.is_some()) else {
            return if internal { Link::Internal } else { Link::External };
        };
        let remote = remote_as(entry);
        let member = confederation.peers.iter().any(|member| Some(member.asn) == remote);
        if internal { Link::ConfedInternal } else { Link::ConfedExternal { member } }
    }

    fn timers(&self, now: Timestamp, entry: &PeerEntry, negotiated: Option<&Negotiated>) -> Timers {
        let history = entry.peer.history();
        let since = |at: Option<Timestamp>| at.map(|at| now.since(at).as_millis() as u64);
        let up = history.up_since.filter(|_| entry.established());
        let configured = entry.effective.session.timers;
        let msec = |secs: u16| u64::from(secs) * 1000;
        Timers {
            up_msec: since(up),
            up_text: up.map(|at| text::uptime(now.since(at))),
            up_epoch: up.map(|at| self.wall_clock(at)),
            last_read_msec: since(history.last_read).unwrap_or(0),
            last_write_msec: since(history.last_write),
            last_update_msec: since(history.last_update),
            configured_hold_msec: msec(configured.hold),
            configured_keepalive_msec: msec(configured.keepalive),
            hold_msec: msec(negotiated.map_or(configured.hold, |negotiated| negotiated.hold_time)),
            keepalive_msec: msec(negotiated.map_or(configured.keepalive, |negotiated| negotiated.keepalive)),
        }
    }

    fn family_views(&self, entry: &PeerEntry) -> IndexMap<&'static str, FamilyView> {
        let group = entry.effective.group.as_ref().map(ToString::to_string);
        entry
            .effective
            .active_families()
            .filter_map(|family| {
                let from = entry.effective.family(family)?;
                let view = self.family_view(entry, family, from, group.clone());
                Some((family_key(family.afi, family.safi), view))
            })
            .collect()
    }

    fn family_view(
        &self,
        entry: &PeerEntry,
        family: Family,
        from: &EffectiveFamily,
        group: Option<String>,
    ) -> FamilyView {
        let name = |name: &Option<crate::config::PolicyName>| name.as_ref().map(ToString::to_string);
        let guarded = self.router().is_some_and(|router| router.ebgp_requires_policy)
            && entry.effective.kind == Some(SessionKind::External);
        let refused = |has: bool, text: &'static str| (guarded && !has).then_some(text);
        let limit = from.maximum_prefix;
        FamilyView {
            family: Some((family.afi, family.safi)),
            peer_group_member: group,
            packet_queue_length: entry.established().then_some(0),
            route_reflector_client: from.route_reflector_client,
            route_server_client: from.route_server_client,
            add_path_all: from.add_path.tx == Some(AddPathTx::All),
            add_path_per_as: from.add_path.tx == Some(AddPathTx::BestPerAs),
            add_path_best: matches!(from.add_path.tx, Some(AddPathTx::Best(_))),
            secondary_path: from.secondary_path,
            inbound_soft_config_permit: from.soft_reconfiguration,
            private_as_removed: from.remove_private_as.is_some(),
            next_hop_self: from.next_hop_self || from.next_hop_self_force,
            communities_sent: communities_sent(from),
            default_sent: from.default_originate.is_some(),
            inbound_requires_policy: refused(
                from.has_import_policy(),
                "Inbound updates discarded due to missing policy",
            ),
            outbound_requires_policy: refused(
                from.has_export_policy(),
                "Outbound updates discarded due to missing policy",
            ),
            inbound_policy: from.has_import_policy(),
            outbound_policy: from.has_export_policy(),
            prefix_list_in: name(&from.prefix_list.import),
            prefix_list_out: name(&from.prefix_list.export),
            distribute_in: name(&from.distribute_list.import),
            distribute_out: name(&from.distribute_list.export),
            filter_list_in: name(&from.filter_list.import),
            filter_list_out: name(&from.filter_list.export),
            route_map_in: name(&from.route_map.import),
            route_map_out: name(&from.route_map.export),
            filters: filters_view(entry, family, from),
            accepted_prefix_counter: entry.accepted(family),
            prefix_out_allowed_max: from.maximum_prefix_out,
            sent_prefix_counter: entry.established().then(|| entry.sent(family)),
            prefix_allowed_max: limit.map(|limit| limit.limit),
            max_warning_only: limit.is_some_and(|limit| limit.action == PrefixLimitAction::Warn),
            prefix_allowed_warning_thresh: limit.map(|limit| limit.threshold),
            restart_interval_msec: limit.and_then(|limit| match limit.action {
                PrefixLimitAction::Restart(minutes) => Some(u64::from(minutes) * 60_000),
                _ => None,
            }),
            ..FamilyView::default()
        }
    }

    fn tcp_ao(&self, entry: &PeerEntry, chain: &str) -> TcpAo {
        let blocked = entry.session.blocked.filter(|reason| *reason == DownReason::NoKeyChain);
        TcpAo {
            key_chain: chain.to_owned(),
            error: blocked.map(|reason| reason.text().to_owned()).or_else(|| entry.attempt_error.clone()),
        }
    }

    fn transport(&self, now: Timestamp, entry: &PeerEntry, negotiated: Option<&Negotiated>) -> Transport {
        let session = &entry.effective.session;
        let ends = entry.peer.ends();
        let internal = entry.effective.kind == Some(SessionKind::Internal);
        let params = entry.params.as_ref();
        let next = entry.peer.time_left(Timer::ConnectRetry, now);
        Transport {
            update_source: entry.session.transport.source.as_ref().map(|source| match source {
                UpdateSource::Address(addr) => addr.to_string(),
                UpdateSource::Interface(name) => name.clone(),
            }),
            ebgp_hops: (!internal && session.ttl > 1).then_some(session.ttl),
            local_host: ends.map(|ends| ends.local.ip()),
            local_port: ends.map(|ends| ends.local.port()),
            foreign_host: ends.map(|ends| ends.remote.ip()),
            foreign_port: ends.map(|ends| ends.remote.port()),
            nexthop: params.and_then(|params| params.local_v4).map(Into::into),
            nexthop_global: params.and_then(|params| params.local_v6).map(Into::into),
            nexthop_local: params.and_then(|params| params.local_link_local).map(Into::into),
            connection: negotiated.map(|_| "sharedNetwork"),
            connect_retry: u64::from(session.connect_retry),
            next_connect_msec: next.map(|left| left.as_millis() as u64),
            md5: session.password.as_ref().map(|_| 1),
            tcp_ao: session.tcp_ao.as_ref().map(|chain| self.tcp_ao(entry, chain)),
            read: if ends.is_some() { "on" } else { "off" },
            write: if ends.is_some() { "on" } else { "off" },
            ..Transport::default()
        }
    }
}

fn orf_mode(open: &Open, family: Family) -> Option<OrfMode> {
    open.capabilities.iter().find_map(|capability| match capability {
        Capability::Orf(entries) => entries
            .iter()
            .find(|(code, kind, _)| *code == FamilyCode::from(family) && *kind == PREFIX_TYPE)
            .map(|(_, _, mode)| *mode),
        _ => None,
    })
}

fn filters_view(entry: &PeerEntry, family: Family, from: &EffectiveFamily) -> FiltersView {
    let modes = entry.peer.negotiated().map(|n| (orf_mode(&n.sent, family), orf_mode(&n.received, family)));
    let both = |of: fn(OrfMode) -> bool| {
        let is = |mode: Option<OrfMode>| mode.is_some_and(of);
        modes
            .map_or(Both::default(), |(sent, received)| Both { advertised: is(sent), received: is(received) })
    };
    let spoken = modes.filter(|(sent, received)| sent.is_some() || received.is_some());
    let filters = &from.filters;
    FiltersView {
        orf: OrfView {
            capability: spoken.map(|_| OrfCapability {
                kind: PREFIX_TYPE,
                modes: OrfModes { send: both(OrfMode::sends), receive: both(OrfMode::receives) },
            }),
            received: entry.orf.of(family).map(OrfList::len),
        },
        unsuppress_map: filters.unsuppress_map.as_ref().map(ToString::to_string),
        advertise_map: filters.advertise_map.as_ref().map(|map| AdvertiseMapView {
            condition: if map.exists { "EXIST" } else { "NON_EXIST" },
            condition_map: map.condition.to_string(),
            advertise_map: map.routes.to_string(),
        }),
        soo: filters.soo.and_then(ferrite_types::ExtCommunity::admin_text),
    }
}

fn refused_stats(refused: Refused) -> PrefixStats {
    PrefixStats {
        inbound_filtered: refused.filtered.into(),
        aspath_loop: refused.as_loop.into(),
        originator_loop: refused.originator_loop.into(),
        cluster_loop: refused.cluster_loop.into(),
        invalid_next_hop: refused.next_hop.into(),
        ..PrefixStats::default()
    }
}

/// FRR's word for a name that is empty.
fn or_none(name: String) -> String {
    if name.is_empty() { "n/a".to_owned() } else { name }
}

fn communities_sent(from: &EffectiveFamily) -> Option<&'static str> {
    match (from.send_community, from.send_extended_community, from.send_large_community) {
        (true, true, true) => Some("extendedAndStandard"),
        (true, true, false) => Some("extendedAndStandard"),
        (false, true, _) => Some("extended"),
        (true, false, _) => Some("standard"),
        _ => None,
    }
}

fn has(open: &Open, wanted: fn(&Capability) -> bool) -> bool {
    open.capabilities.iter().any(wanted)
}

fn add_path_views(negotiated: &Negotiated) -> IndexMap<&'static str, AddPathView> {
    let announces = |open: &Open, family: Family, wanted: fn(AddPathMode) -> bool| {
        open.capabilities.iter().any(|capability| match capability {
            Capability::AddPath(entries) => {
                entries.iter().any(|(code, mode)| *code == family.into() && wanted(*mode))
            }
            _ => false,
        })
    };
    let both = |family, wanted: fn(AddPathMode) -> bool| Both {
        advertised: announces(&negotiated.sent, family, wanted),
        received: announces(&negotiated.received, family, wanted),
    };
    let views = Family::ALL.into_iter().map(|family| {
        let view =
            AddPathView { tx: both(family, AddPathMode::sends), rx: both(family, AddPathMode::receives) };
        (family_key(family.afi, family.safi), view)
    });
    let nothing = Both::default();
    views.filter(|(_, view)| view.tx != nothing || view.rx != nothing).collect()
}

fn paths_limit_views(negotiated: &Negotiated) -> IndexMap<&'static str, PathsLimitView> {
    let limit = |open: &Open, family: Family| {
        open.capabilities.iter().find_map(|capability| match capability {
            Capability::PathsLimit(entries) => {
                entries.iter().find(|(code, _)| *code == family.into()).map(|(_, limit)| *limit)
            }
            _ => None,
        })
    };
    let views = Family::ALL.into_iter().map(|family| {
        let view = PathsLimitView {
            advertised: limit(&negotiated.sent, family),
            received: limit(&negotiated.received, family),
        };
        (family_key(family.afi, family.safi), view)
    });
    views.filter(|(_, view)| view.advertised.is_some() || view.received.is_some()).collect()
}

fn capabilities(negotiated: &Negotiated) -> Capabilities {
    let both = |wanted: fn(&Capability) -> bool| Both {
        advertised: has(&negotiated.sent, wanted),
        received: has(&negotiated.received, wanted),
    };
    let speaks = |open: &Open, family: Family| {
        open.capabilities
            .iter()
            .any(|capability| matches!(capability, Capability::Multiprotocol(code) if *code == family.into()))
    };
    let families = Family::ALL.into_iter().filter_map(|family| {
        let both = Both {
            advertised: speaks(&negotiated.sent, family),
            received: speaks(&negotiated.received, family),
        };
        (both.advertised || both.received)
            .then(|| (family_key(family.afi, family.safi), FamilyCapability(both)))
    });
    let names = |open: &Open| {
        open.capabilities.iter().find_map(|capability| match capability {
            Capability::Hostname { host, domain } => Some((host.clone(), domain.clone())),
            _ => None,
        })
    };
    let (ours, theirs) = (names(&negotiated.sent), names(&negotiated.received));
    Capabilities {
        add_path: add_path_views(negotiated),
        paths_limit: paths_limit_views(negotiated),
        four_octet_as: both(|c| matches!(c, Capability::FourOctetAs(_))),
        extended_message: both(|c| matches!(c, Capability::ExtendedMessage)),
        extended_nexthop: both(|c| matches!(c, Capability::ExtendedNextHop(_))),
        extended_nexthop_families: extended_families(&negotiated.received),
        route_refresh: both(|c| matches!(c, Capability::RouteRefresh)),
        enhanced_route_refresh: both(|c| matches!(c, Capability::EnhancedRouteRefresh)),
        families: families.collect(),
        hostname: HostnameCapability {
            advertised_host: ours.as_ref().map(|(host, _)| host.clone()),
            advertised_domain: ours.map(|(_, domain)| or_none(domain)),
            received_host: theirs.as_ref().map(|(host, _)| host.clone()),
            received_domain: theirs.map(|(_, domain)| or_none(domain)),
        },
        dynamic: both(|c| matches!(c, Capability::Dynamic)),
        software_version: SoftwareVersion {
            advertised: negotiated.sent.capabilities.iter().find_map(|capability| match capability {
                Capability::SoftwareVersion(text) => Some(text.clone()),
                _ => None,
            }),
            received: negotiated.software_version.clone(),
        },
        graceful_restart: both(|c| matches!(c, Capability::GracefulRestart(_))),
        restart_time_msec: negotiated.their_restart().map(|restart| u64::from(restart.time) * 1000),
        restart_families: negotiated.their_restart().map(restart_families),
        long_lived: both(|c| matches!(c, Capability::LongLivedGracefulRestart(_))),
        long_lived_by_peer: negotiated.their_long_lived().map(long_lived_families),
    }
}

/// The families whose routes the neighbour takes with IPv6 next hops (RFC 8950 §4).
fn extended_families(open: &Open) -> IndexMap<&'static str, &'static str> {
    let entries = open.capabilities.iter().filter_map(|capability| match capability {
        Capability::ExtendedNextHop(entries) => Some(entries),
        _ => None,
    });
    let named = entries.flatten().filter_map(|(code, next_hop)| {
        let family = code.known()?;
        (*next_hop == ferrite_types::Afi::Ipv6.code())
            .then(|| (family_key(family.afi, family.safi), "recieved"))
    });
    named.collect()
}

fn restart_families(restart: &GracefulRestart) -> RestartFamilies {
    if restart.families.is_empty() {
        return RestartFamilies::None("none");
    }
    let known = restart.families.iter().filter_map(|(code, kept)| Some((code.known()?, *kept)));
    let view = |(family, preserved): (Family, bool)| {
        (family_key(family.afi, family.safi), ForwardingView { preserved })
    };
    RestartFamilies::Some(known.map(view).collect())
}

fn long_lived_families(families: &[LongLived]) -> IndexMap<&'static str, LongLivedView> {
    let known = families.iter().filter_map(|entry| Some((entry.family.known()?, entry)));
    let view = |(family, entry): (Family, &LongLived)| {
        let view = LongLivedView { stale_time: entry.stale_time, forwarding: entry.forwarding };
        (family_key(family.afi, family.safi), view)
    };
    known.map(view).collect()
}

fn message_stats(entry: &PeerEntry) -> MessageStats {
    let (sent, received) = (entry.peer.history().sent, entry.peer.history().received);
    MessageStats {
        opens_sent: sent.opens,
        opens_recv: received.opens,
        notifications_sent: sent.notifications,
        notifications_recv: received.notifications,
        updates_sent: sent.updates,
        updates_recv: received.updates,
        keepalives_sent: sent.keepalives,
        keepalives_recv: received.keepalives,
        route_refresh_sent: sent.refreshes,
        capability_sent: sent.capabilities,
        capability_recv: received.capabilities,
        route_refresh_recv: received.refreshes,
        total_sent: sent.total(),
        total_recv: received.total(),
        ..MessageStats::default()
    }
}

fn last_reset(now: Timestamp, entry: &PeerEntry) -> LastReset {
    let Some(reset) = entry.peer.history().last_reset.as_ref() else {
        return LastReset { never: Some("never"), ..LastReset::default() };
    };
    let (code, reason) = reset.reason.row();
    let notification = reset.notification.as_ref();
    LastReset {
        never: None,
        ago_msec: Some(now.since(reset.at).as_millis() as u64),
        reason: Some(reason.to_owned()),
        code: Some(code),
        notification: notification.map(|n| format!("{:02X}{:02X}", n.code, n.subcode)),
        notification_reason: notification.map(|n| {
            let (code, subcode) = n.names();
            format!("{}{}", code.unwrap_or("Unknown"), subcode.unwrap_or_default())
        }),
        sent: reset.reason != crate::peer::DownReason::NotificationReceived,
        shutdown_message: notification.and_then(|n| n.shutdown_text()),
    }
}
