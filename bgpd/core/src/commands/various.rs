//! Shows of next hops, update groups, peer groups, memory and the like.

use std::fmt::Write as _;

use bgp_packet::Family;
use ferrite_cli::Args;
use ferrite_types::NexthopKind;
use indexmap::IndexMap;
use serde_json::json as object;

use super::summary::state_name;
use super::{Answers, families_of, json};
use crate::config::{NeighborName, RemoteAs};
use crate::instance::{Instance, PeerEntry};
use crate::rib::Answer;
use crate::rib::query::{GroupView, MemoryView, NexthopView};
use crate::view::detail::LastUpdate;
use crate::view::nexthop::{Changed, NexthopCache, NexthopEntry, ResolvedNexthop};
use crate::view::peer_group::{DynamicRanges, FamilyText, Member, PeerGroupView, PeerGroups};
use crate::view::text;
use crate::view::update_group::{
    Created, PacketQueue, SubgroupStats, SubgroupView, UpdateGroupView, UpdateGroups,
};

impl Instance {
    pub(super) fn nexthops(&self, args: &Args, answers: &Answers) -> String {
        let mut merged: IndexMap<std::net::IpAddr, NexthopView> = IndexMap::new();
        for answer in answers.iter().flatten() {
            let Answer::Nexthops(views) = answer else { continue };
            for view in views {
                match merged.get_mut(&view.addr) {
                    Some(known) => known.uses += view.uses,
                    None => {
                        merged.insert(view.addr, view.clone());
                    }
                }
            }
        }
        merged.sort_keys();
        let named = ["addr", "addr4", "addr6"].iter().find_map(|name| args.get(name));
        let wanted = named.and_then(|text| text.parse::<std::net::IpAddr>().ok());
        let of_family =
            |addr: &std::net::IpAddr| !(args.has("v4") && addr.is_ipv6() || args.has("v6") && addr.is_ipv4());
        let mut cache = NexthopCache { vrf_name: self.label().to_owned(), ..NexthopCache::default() };
        let shown =
            merged.iter().filter(|(addr, _)| wanted.is_none_or(|wanted| wanted == **addr) && of_family(addr));
        for (addr, view) in shown {
            let side = if addr.is_ipv4() { &mut cache.ipv4 } else { &mut cache.ipv6 };
            side.insert(addr.to_string(), self.nexthop_entry(view, args.has("detail")));
        }
        if args.has("json") { json(&cache) } else { cache.to_string() }
    }

    fn nexthop_entry(&self, view: &NexthopView, detail: bool) -> NexthopEntry {
        let changed = self.wall_clock(view.changed);
        let resolved = view.resolved.iter().map(|nexthop| {
            let ifindex = match nexthop.kind {
                NexthopKind::Interface(ifindex) => Some(ifindex),
                NexthopKind::Gateway(_, ifindex) => ifindex,
                NexthopKind::Blackhole(_) => None,
            };
            ResolvedNexthop {
                ip: nexthop.gateway_addr(),
                interface_name: ifindex.and_then(|ifindex| self.interfaces.name(ifindex)).map(str::to_owned),
                ifindex,
            }
        });
        let valid = view.valid == Some(true);
        NexthopEntry {
            valid,
            complete: valid,
            igp_metric: valid.then_some(view.metric.0),
            path_count: u64::from(view.uses),
            peer: self.by_name.contains_key(&NeighborName::Addr(view.addr)).then_some(view.addr),
            resolved_prefix: self.resolved_prefix(view.addr),
            nexthops: resolved.collect(),
            last_update: if detail {
                Changed::Full(LastUpdate::at(changed))
            } else {
                Changed::Brief(changed)
            },
        }
    }

    pub(super) fn update_groups(&self, args: &Args, answers: &Answers) -> String {
        let families = families_of(args);
        let mut groups = IndexMap::new();
        for (question, family) in families.iter().enumerate() {
            let mut merged: IndexMap<u32, GroupView> = IndexMap::new();
            for answer in answers.get(question).into_iter().flatten() {
                let Answer::UpdateGroups(views) = answer else { continue };
                for view in views {
                    match merged.get_mut(&view.id) {
                        Some(known) => {
                            known.prefixes += view.prefixes;
                            known.pending += view.pending;
                            known.messages += view.messages;
                        }
                        None => {
                            merged.insert(view.id, view.clone());
                        }
                    }
                }
            }
            let wanted = args.get("group");
            for view in merged.values().filter(|view| wanted.is_none_or(|id| id == view.id.to_string())) {
                groups.insert((groups.len() + 1).to_string(), self.update_group(*family, view));
            }
        }
        if args.has("json") && args.get("vrf") == Some("all") {
            return json(&groups); // the instance's name is around it
        }
        let views = UpdateGroups(IndexMap::from([(self.label().to_owned(), groups)]));
        if args.has("json") { json(&views) } else { views.to_string() }
    }

    fn update_group(&self, family: Family, view: &GroupView) -> UpdateGroupView {
        let members: Vec<_> = view.members.iter().filter_map(|id| self.peers.get(id)).collect();
        let first = members.first();
        let map = first.and_then(|entry| entry.effective.family(family)?.route_map.export.clone());
        let created = Created::at(self.wall_clock(view.created));
        UpdateGroupView {
            created: created.clone(),
            afi: family.afi,
            safi: family.safi,
            route_map_out: map.map(|name| name.to_string()),
            mrai: first.map_or(0, |entry| u64::from(entry.effective.session.advertisement_interval)),
            subgroups: vec![SubgroupView {
                id: u64::from(view.id),
                created,
                stats: SubgroupStats { join_events: members.len() as u64, ..SubgroupStats::default() },
                coalesce_time: 0,
                version: view.messages,
                packet_queue_info: PacketQueue { total_enqueued: view.messages, ..PacketQueue::default() },
                adj_out_count: view.prefixes,
                pending: view.pending > 0,
                max_packet_size: first
                    .and_then(|entry| entry.params.as_ref())
                    .map_or(4096, |params| params.max_message as u32),
                peers: members.iter().map(|entry| entry.name.to_string()).collect(),
            }],
        }
    }

    pub(super) fn peer_groups(&self, args: &Args) -> String {
        let Some(router) = self.router() else { return String::new() };
        let wanted = args.get("group");
        if wanted.is_some_and(|name| !router.groups.contains_key(name)) {
            return if args.has("json") { "{}\n".into() } else { "% No such peer-group\n".into() };
        }
        let mut views = IndexMap::new();
        for (name, group) in
            router.groups.iter().filter(|(name, _)| wanted.is_none_or(|w| w == name.as_str()))
        {
            let dynamic = |entry: &&PeerEntry| entry.dynamic && entry.effective.group.as_ref() == Some(name);
            let members: IndexMap<String, Member> = router
                .members(name)
                .map(|(addr, _)| {
                    let entry = self.by_name.get(addr).and_then(|id| self.peers.get(id));
                    let state = entry.map_or("Idle", |entry| state_name(entry.peer.state())).to_owned();
                    (addr.to_string(), Member { state, dynamic: false })
                })
                .chain(self.peers.values().filter(|entry| dynamic(entry)).map(|entry| {
                    let state = state_name(entry.peer.state()).to_owned();
                    (entry.addr.to_string(), Member { state, dynamic: true })
                }))
                .collect();
            let remote = group.settings.remote_as;
            let families = group.settings.families.iter().filter(|(_, part)| part.activate);
            let view = PeerGroupView {
                remote_as: match remote {
                    Some(RemoteAs::Number(asn)) => Some(asn.asn),
                    Some(RemoteAs::Internal) => Some(router.asn.asn),
                    Some(_) => Some(ferrite_types::Asn(0)),
                    None => None,
                },
                kind: Some(match remote {
                    Some(RemoteAs::Internal) => "internal",
                    Some(RemoteAs::Number(asn)) if asn.asn == router.asn.asn => "internal",
                    _ => "external",
                }),
                families: families.map(|(family, _)| FamilyText(family.afi, family.safi)).collect(),
                dynamic_ranges: DynamicRanges::new(router.sessions.listen.of_group(name)),
                members,
            };
            views.insert(name.to_string(), view);
        }
        let views = PeerGroups(views);
        if args.has("json") { json(&views) } else { views.to_string() }
    }

    pub(super) fn memory(&self, args: &Args, answers: &Answers) -> String {
        let mut sum = MemoryView::default();
        for answer in answers.first().into_iter().flatten() {
            let Answer::Memory(view) = answer else { continue };
            sum.prefixes += view.prefixes;
            sum.paths += view.paths;
            sum.attributes += view.attributes;
            sum.table_octets += view.table_octets;
            sum.attribute_octets += view.attribute_octets;
            sum.adj_out_octets += view.adj_out_octets;
            sum.adj_out += view.adj_out;
            sum.fib_octets += view.fib_octets;
            sum.nexthops += view.nexthops;
            sum.imported += view.imported;
            sum.exported += view.exported;
        }
        if args.has("json") {
            return json(&object!({
                "ribNodes": sum.prefixes, "bgpRoutes": sum.paths, "bgpAttributes": sum.attributes,
                "nexthopCacheEntries": sum.nexthops, "adjOutEntries": sum.adj_out, "peers": self.peers.len(),
                "ribOctets": sum.table_octets, "attributeOctets": sum.attribute_octets,
                "adjOutOctets": sum.adj_out_octets, "fibOctets": sum.fib_octets,
                "importEvaluations": sum.imported, "exportEvaluations": sum.exported,
            }));
        }
        let mut out = String::new();
        let mut line = |count: u64, what: &str, octets: u64| {
            let _ = writeln!(out, "{count} {what}, using {} of memory", text::memory(octets));
        };
        line(sum.prefixes, "RIB nodes", sum.table_octets);
        line(sum.paths, "BGP routes", 0);
        line(sum.nexthops, "Nexthop cache entries", 0);
        line(sum.attributes, "BGP attributes", sum.attribute_octets);
        line(sum.adj_out, "Adj-Out entries", sum.adj_out_octets);
        line(sum.prefixes, "FIB entries", sum.fib_octets);
        line(self.peers.len() as u64, "peers", 0);
        out
    }
}
