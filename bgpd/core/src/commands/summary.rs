//! `show bgp summary`.

use std::fmt::Write as _;

use bgp_packet::Family;
use bgp_packet::attr::AsPath;
use ferrite_cli::Args;
use ferrite_types::{Asn, AsnNotation, Timestamp};
use indexmap::IndexMap;

use super::clear::remote_as;
use super::table::counts;
use super::{Answers, named_family};
use crate::config::SessionKind;
use crate::instance::{Instance, PeerEntry};
use crate::peer::{DownReason, State};
use crate::view::summary::{BestPathMode, PeerSummary, Summary};
use crate::view::{family_key, family_name, notation, text};

/// What FRR counts for a RIB node and a neighbour, octets: the lines keep their shape, and tools their scale.
const RIB_NODE: u64 = 128;
const PEER: u64 = 24_056;
const PEER_GROUP: u64 = 64;

impl Instance {
    /// How AS numbers are written.
    pub(super) fn notation(&self) -> AsnNotation {
        self.router().and_then(|router| router.notation).unwrap_or(AsnNotation::Plain)
    }

    pub(super) fn path_text(&self, path: &AsPath) -> String {
        notation::as_path(path, self.notation())
    }

    pub(super) fn summary(&self, now: Timestamp, args: &Args, answers: &Answers) -> String {
        let families: Vec<(usize, Family)> = Family::ALL
            .into_iter()
            .enumerate()
            .filter(|(_, family)| match named_family(args) {
                Some(named) => named == *family,
                None => self.peers.values().any(|entry| active(entry, *family)),
            })
            .collect();
        // With family and sub-family both named there is but one, and FRR leaves its name out.
        let alone = args.has("unicast") || args.has("multicast");
        let views = families
            .iter()
            .map(|(question, family)| (family, self.family_summary(now, *family, *question, args, answers)));
        if !args.has("json") {
            let mut out = String::new();
            for (family, view) in views {
                let _ = if alone {
                    write!(out, "{view}")
                } else {
                    write!(out, "\n{} Summary:\n{view}", family_name(family.afi, family.safi))
                };
            }
            return out;
        }
        let views: IndexMap<&str, Summary> =
            views.map(|(family, view)| (family_key(family.afi, family.safi), view)).collect();
        match views.first() {
            Some((_, only)) if alone => super::json(only),
            _ => super::json(&views),
        }
    }

    fn family_summary(
        &self,
        now: Timestamp,
        family: Family,
        question: usize,
        args: &Args,
        answers: &Answers,
    ) -> Summary {
        let router = self.router();
        let counts = counts(answers, question);
        let members: Vec<&PeerEntry> = self
            .by_name
            .values()
            .filter_map(|id| self.peers.get(id))
            .filter(|entry| active(entry, family))
            .collect();
        let (established, failed) = (args.has("established"), args.has("failed"));
        let shown: IndexMap<String, PeerSummary> = members
            .iter()
            .filter(|entry| (!established || entry.established()) && (!failed || !entry.established()))
            .filter(|entry| self.asked_for(entry, args))
            .map(|entry| {
                (entry.name.to_string(), self.peer_summary(now, entry, family, counts.table_version))
            })
            .collect();
        let groups = router.map_or(0, |router| router.groups.len());
        Summary {
            afi: family.afi,
            safi: family.safi,
            notation: self.notation(),
            router_id: self.router_id(),
            asn: router.map_or(Asn(0), |router| router.asn.asn),
            vrf_id: self.vrf_number(),
            vrf_kind: self.name.kind(),
            vrf_name: self.label().to_owned(),
            delayed: self.delayed(),
            table_version: counts.table_version,
            rib_count: counts.prefixes,
            rib_memory: counts.prefixes * RIB_NODE,
            peer_count: members.len(),
            peer_memory: members.len() as u64 * PEER,
            peer_group_count: groups,
            peer_group_memory: groups as u64 * PEER_GROUP,
            failed_peers: members.iter().filter(|entry| !entry.established()).count(),
            displayed_peers: shown.len(),
            total_peers: members.len(),
            dynamic_peers: shown.values().filter(|peer| peer.dynamic).count(),
            dynamic_limit: router.map_or(0, |router| router.sessions.listen.limit()),
            best_path: BestPathMode {
                multi_path_relax: router.is_some_and(|router| router.multipath_relax.is_some()),
            },
            failed_only: failed,
            filtered: established || args.has("neighbor") || args.has("remote_as"),
            peers: shown,
        }
    }

    /// `summary neighbor X` and `summary remote-as X`.
    fn asked_for(&self, entry: &PeerEntry, args: &Args) -> bool {
        if args.has("neighbor") {
            return self.named_peer(args).is_some_and(|(_, named)| named.name == entry.name);
        }
        match args.get("remote_as") {
            None => true,
            Some("internal") => entry.effective.kind == Some(SessionKind::Internal),
            Some("external") => entry.effective.kind == Some(SessionKind::External),
            Some(asn) => asn.parse().ok() == remote_as(entry),
        }
    }

    fn peer_summary(&self, now: Timestamp, entry: &PeerEntry, family: Family, version: u64) -> PeerSummary {
        let history = entry.peer.history();
        let established = entry.established();
        let since = if established { history.up_since } else { history.down_since };
        let uptime = since.map(|since| now.since(since));
        let negotiated = entry.peer.negotiated();
        let reset = history.last_reset.as_ref();
        PeerSummary {
            hostname: entry.hostname(),
            software_version: negotiated
                .and_then(|negotiated| negotiated.software_version.clone())
                .unwrap_or_else(|| "n/a".to_owned()),
            remote_as: remote_as(entry).unwrap_or(Asn(0)),
            local_as: entry.effective.session.local_as,
            version: 4,
            msg_rcvd: history.received.total(),
            msg_sent: history.sent.total(),
            table_version: if established { version } else { 0 },
            outq: 0,
            inq: 0,
            peer_uptime: uptime.map_or_else(|| "never".to_owned(), text::uptime),
            peer_uptime_msec: uptime.map_or(0, |uptime| uptime.as_millis() as u64),
            peer_uptime_established_epoch: history
                .up_since
                .filter(|_| established)
                .map(|at| self.wall_clock(at)),
            pfx_rcd: if established { entry.accepted(family) } else { 0 },
            pfx_snt: if established { entry.sent(family) } else { 0 },
            state: state_name(entry.peer.state()).to_owned(),
            peer_state: self.peer_state(entry, family).to_owned(),
            connections_established: history.established,
            connections_dropped: history.dropped,
            desc: entry.effective.session.description.clone(),
            id_type: PeerSummary::id_type(&entry.name),
            last_reset_due_to: reset
                .map(|reset| reset.reason)
                .or(entry.session.blocked)
                .map(|reason| reason.text().to_owned()),
            reset_ago: reset.map(|reset| now.since(reset.at)),
            dynamic: entry.dynamic,
            show_hostname: self.router().is_some_and(|router| router.show_hostname),
        }
    }

    /// `OK`, or what keeps the session or its routes from being.
    fn peer_state(&self, entry: &PeerEntry, family: Family) -> &'static str {
        if entry.effective.session.shutdown.is_some() {
            return "Admin";
        }
        if entry.peer.hold_down().is_some_and(|hold_down| hold_down.reason == DownReason::PrefixLimit) {
            return "PfxCt";
        }
        let guarded = self.router().is_some_and(|router| router.ebgp_requires_policy)
            && entry.effective.kind == Some(SessionKind::External);
        let policy = entry
            .effective
            .family(family)
            .is_some_and(|part| part.has_import_policy() && part.has_export_policy());
        if guarded && !policy { "Policy" } else { "OK" }
    }
}

fn active(entry: &PeerEntry, family: Family) -> bool {
    entry.effective.family(family).is_some_and(|part| part.active)
}

/// A state as FRR names it.
pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Idle => "Idle",
        State::Connect => "Connect",
        State::Active => "Active",
        State::OpenSent => "OpenSent",
        State::OpenConfirm => "OpenConfirm",
        State::Established => "Established",
    }
}
