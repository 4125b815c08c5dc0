//! `show bgp PREFIX`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgp_packet::Family;
use ferrite_cli::Args;
use ferrite_rpki::OriginState;
use ferrite_types::{Afi, Community, Prefix, Timestamp};
use indexmap::IndexMap;

use super::table::{remote_id, unspecified};
use super::{Answers, family_of, json, named_family};
use crate::config::AddPathTx;
use crate::instance::Instance;
use crate::rib::query::{PathSource, PathView, PrefixView};
use crate::rib::settings::{PeerId, PeerKind};
use crate::rib::{Answer, Query};
use crate::view::add_path::PathIds;
use crate::view::detail::{
    AdvertisedTo, AsPathDetail, BestPath, DetailNexthop, LastUpdate, PathDetail, PathPeer, PrefixDetail,
};
use crate::view::routes::NexthopCell;

/// Which strategies of several paths some neighbour is configured with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct PathIdsInUse {
    all: bool,
    per_as: bool,
    best: bool,
}

impl PathIdsInUse {
    const fn any(self) -> bool {
        self.all || self.per_as || self.best
    }
}

impl Instance {
    /// A prefix is looked up exactly, an address by the longest prefix that covers it.
    pub(super) fn prefix_question(&self, args: &Args) -> Result<Query, String> {
        let text = args.get("prefix").unwrap_or_default();
        let (afi, query): (Afi, Box<dyn Fn(Family) -> Query>) = if let Ok(prefix) = text.parse::<Prefix>() {
            (prefix.afi(), Box::new(move |family| Query::Prefix { family, prefix }))
        } else if let Ok(addr) = text.parse::<IpAddr>() {
            let afi = if addr.is_ipv4() { Afi::Ipv4 } else { Afi::Ipv6 };
            (afi, Box::new(move |family| Query::Longest { family, addr }))
        } else {
            return Err("% address is malformed\n".to_owned());
        };
        match named_family(args) {
            Some(family) if family.afi != afi => Err(match afi {
                Afi::Ipv6 => "% Cannot specify IPv6 address or prefix with IPv4 AFI\n".to_owned(),
                _ => "% Cannot specify IPv4 address or prefix with IPv6 AFI\n".to_owned(),
            }),
            _ => Ok(query(family_of(afi, args))),
        }
    }

    pub(super) fn prefix_detail(&self, now: Timestamp, args: &Args, answers: &Answers) -> String {
        let found = answers.iter().flatten().filter_map(|answer| match answer {
            Answer::Prefix(Some(view)) => Some(view),
            _ => None,
        });
        let Some(view) = found.max_by_key(|view| view.prefix.len()) else {
            return if args.has("json") { "{}\n".to_owned() } else { "% Network not in table\n".to_owned() };
        };
        let detail = self.detail(now, view, args);
        if args.has("json") { json(&detail) } else { detail.to_string() }
    }

    /// What follows from the configuration of all neighbours, worked out once for many prefixes.
    pub(super) fn path_ids_in_use(&self) -> PathIdsInUse {
        let mut in_use = PathIdsInUse::default();
        let families = self.peers.values().flat_map(|entry| entry.effective.families.iter());
        for (_, part) in families.filter(|(_, part)| part.active) {
            match part.add_path.tx {
                Some(AddPathTx::All) => in_use.all = true,
                Some(AddPathTx::BestPerAs) => in_use.per_as = true,
                Some(AddPathTx::Best(_)) => in_use.best = true,
                None => {}
            }
        }
        in_use
    }

    fn detail(&self, now: Timestamp, view: &PrefixView, args: &Args) -> PrefixDetail {
        let (best, multi) = (args.has("bestpath"), args.has("multipath"));
        let state = args.get("rpki_state").and_then(|word| word.parse::<OriginState>().ok());
        let judged = |path: &PathView| {
            state.is_none_or(|state| self.origin_state(view.prefix, &path.attrs) == Some(state))
        };
        let shown =
            |path: &&PathView| ((!best && !multi) || path.best || (multi && path.multipath)) && judged(path);
        let paths = view.paths.iter().filter(shown);
        self.detail_of(now, view, paths, self.path_ids_in_use())
    }

    /// A prefix with some of its paths.
    pub(super) fn detail_of<'a>(
        &self,
        now: Timestamp,
        view: &PrefixView,
        paths: impl Iterator<Item = &'a PathView>,
        ids: PathIdsInUse,
    ) -> PrefixDetail {
        // FRR looks at each path as soon as one neighbour is configured to be told of several.
        let by_path = ids.any();
        let advertised = if by_path { IndexMap::new() } else { self.told(&view.advertised_to) };
        PrefixDetail {
            prefix: view.prefix,
            version: view.version,
            advertised_to: advertised,
            paths: paths.map(|path| self.path_detail(now, view, path, ids)).collect(),
            table: "default".to_owned(),
            suppressed: view.suppressed,
            blackhole: view.paths.iter().any(|path| path.attrs.communities.contains(&Community::BLACKHOLE)),
            by_path: by_path && !view.advertised_to.is_empty(),
            available: view.paths.len(),
            best: view.paths.iter().position(|path| path.best),
        }
    }

    fn told(&self, peers: &[PeerId]) -> IndexMap<String, AdvertisedTo> {
        let named = peers.iter().filter_map(|id| {
            let entry = self.peers.get(id)?;
            let to = AdvertisedTo {
                hostname: entry.hostname(),
                peer_group: entry.effective.group.as_ref().map(ToString::to_string),
            };
            Some((entry.name.to_string(), to))
        });
        named.collect()
    }

    /// The identifiers of a path under each strategy that some neighbour has.
    fn path_ids(path: &PathView, ids: PathIdsInUse) -> Option<PathIds> {
        let used = |uses: bool| if uses { path.sent_id } else { 0 };
        (path.path_id != 0 || path.sent_id != 0).then(|| PathIds {
            received: path.path_id,
            sent: path.sent_id,
            all: used(ids.all),
            per_as: used(ids.per_as),
            best: used(ids.best),
        })
    }

    pub(super) fn path_detail(
        &self,
        now: Timestamp,
        view: &PrefixView,
        path: &PathView,
        ids: PathIdsInUse,
    ) -> PathDetail {
        let peer = match path.source {
            PathSource::Peer(id) => self.peers.get(&id),
            _ => None,
        };
        let own = peer.is_none();
        let kind = peer.and_then(|entry| entry.params.as_ref()).map(|params| match params.kind {
            PeerKind::Internal => "internal",
            PeerKind::External => "external",
            PeerKind::Confederation => "confed-external",
        });
        let accessible = path.nexthop_reachable || own;
        let mut cells = self.named_cells(path);
        if own && path.attrs.next_hop.addr().is_unspecified() {
            let hostname = Some(self.hostname().to_owned());
            cells = vec![NexthopCell { hostname, ..NexthopCell::new(unspecified(view.prefix.afi()), true) }];
        }
        let metric = path.igp_metric.or_else(|| own.then_some(0));
        let nexthops = cells.into_iter().map(|cell| DetailNexthop { cell, metric, accessible });
        let mut from_attributes = PathDetail::from_attributes(&path.attrs);
        from_attributes.aspath = AsPathDetail::new(&path.attrs.as_path, self.notation());
        let aliases = &self.config.community_aliases;
        if !aliases.is_empty() {
            let lists = [&mut from_attributes.community, &mut from_attributes.large_community];
            lists.into_iter().flatten().for_each(|list| list.named(|value| aliases.shown(value)));
        }
        let stale = peer.filter(|_| path.stale);
        let family = view.family;
        let part = peer.and_then(|entry| entry.effective.family(family));
        let left = stale.and_then(|entry| self.stale_left(now, entry, family));
        let nobody = match view.prefix {
            Prefix::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Prefix::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        PathDetail {
            stale_seconds: left.filter(|(long, _)| !long).map(|(_, left)| left),
            long_lived_seconds: left.filter(|(long, _)| *long).map(|(_, left)| left),
            from_reflector_client: part.is_some_and(|part| part.route_reflector_client),
            from_server_client: part.is_some_and(|part| part.route_server_client),
            withheld: path.withheld.map(|reason| reason.code()),
            metric: path.attrs.med.or_else(|| own.then_some(0)),
            weight: path.weight,
            tag: path.tag,
            valid: path.valid || path.damped,
            version: view.version,
            suppressed: path.suppressed || view.suppressed,
            stale: path.stale,
            damped: path.damped,
            aggregated: path.source == PathSource::Aggregate,
            sourced: matches!(path.source, PathSource::Network | PathSource::Redistributed(_)),
            local: matches!(path.source, PathSource::Network | PathSource::Aggregate),
            multipath: path.multipath,
            rpki_validation_state: self.origin_state(view.prefix, &path.attrs),
            aspa_verification_state: self.path_state(peer, &path.attrs),
            bestpath: path.best.then(|| BestPath {
                overall: true,
                selection_reason: view.reason.map(|reason| reason.text()),
            }),
            path_ids: Self::path_ids(path, ids),
            advertised_to: self.told(&path.advertised_to),
            last_update: LastUpdate::at(self.wall_clock(path.since)),
            nexthops: nexthops.collect(),
            peer: PathPeer {
                peer_id: peer.map_or(nobody, |entry| entry.addr),
                router_id: remote_id(self, path.source),
                hostname: peer.and_then(|entry| entry.hostname()),
                interface: peer.and_then(|entry| entry.name.interface()).map(str::to_owned),
                kind,
            },
            ..from_attributes
        }
    }
}
