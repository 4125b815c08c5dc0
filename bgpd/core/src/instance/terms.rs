//! From the configuration to the terms of a session that few neighbours have: roles, confederations, capabilities.

use super::params::Surroundings;
use crate::config::{
    BgpConfig, COALESCE_TIME, EffectiveNeighbor, EffectiveSession, RouterBgp, SUBGROUP_QUEUE,
};
use crate::peer::{self, Negotiated, SessionConfig};
use crate::rib::rules::PeerRules;
use crate::rib::settings::Sending;
use ferrite_types::Asn;

/// What [`SessionConfig`] has beyond the common terms.
pub fn fill(from: &Surroundings<'_>, neighbor: &EffectiveSession, session: &mut SessionConfig) {
    session.confederation =
        confederation(from.router).map(|(identifier, members)| peer::Confederation { identifier, members });
    session.dual_as = neighbor.change_local_as.is_some_and(|local| local.dual_as);
    session.role = neighbor.local_role.map(|local| (local.role, local.strict));
    session.oad = neighbor.oad;
    session.software_version = neighbor.capability_software_version.then(|| software(&from.host.version));
    session.dynamic = neighbor.capability_dynamic;
    session.extended_parameters = neighbor.extended_optional_parameters;
    session.allow_martian_nexthop = from.router.sessions.allow_martian_nexthop;
    session.transport.keepalive = from.router.sessions.tcp_keepalive.map(|keepalive| peer::TcpKeepalive {
        idle: keepalive.idle,
        interval: keepalive.interval,
        probes: keepalive.probes,
    });
}

/// `Ferrite/0.1.0` of `bgpd 0.1.0`.
fn software(version: &str) -> String {
    format!("Ferrite/{}", version.rsplit(' ').next().unwrap_or_default())
}

/// `bgp confederation identifier` with its members; without an identifier there is none.
pub fn confederation(router: &RouterBgp) -> Option<(Asn, Vec<Asn>)> {
    let confederation = &router.sessions.confederation;
    let members = confederation.peers.iter().map(|member| member.asn).collect();
    confederation.identifier.map(|identifier| (identifier.asn, members))
}

/// What the tables are told of a session beyond its kind.
pub fn rules(neighbor: &EffectiveNeighbor, negotiated: &Negotiated) -> PeerRules {
    let external = negotiated.kind == bgp_packet::attr::SessionKind::External;
    PeerRules {
        role: neighbor.session.local_role.filter(|_| external).map(|local| local.role),
        oad: neighbor.session.oad && external,
        solo: neighbor.session.solo,
        sender_loop_detection: neighbor.session.sender_loop_detection,
    }
}

/// FRR's knobs of queues. Their defaults are FRR's, which mean nothing to be waited for or counted here: groups send as octets
/// leave, and those that join late catch up.
pub fn sending(config: &BgpConfig, router: &RouterBgp) -> Sending {
    let sessions = &router.sessions;
    let group = Some(sessions.subgroup_queue).filter(|most| *most != SUBGROUP_QUEUE).map(u32::from);
    let limits = [config.sessions.output_queue_limit, group];
    Sending {
        messages: limits.into_iter().flatten().min(),
        coalesce: if sessions.coalesce_time == COALESCE_TIME { 0 } else { sessions.coalesce_time },
        duplicates: !sessions.suppress_duplicates,
    }
}
