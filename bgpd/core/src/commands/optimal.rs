//! `show bgp … optimal-route-reflection`.

use std::fmt;
use std::net::IpAddr;

use ferrite_cli::Args;
use indexmap::IndexMap;
use serde::Serialize;

use super::{json, named_family};
use crate::instance::Instance;
use bgp_packet::Family;

/// A group of clients that see the table from one root.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView {
    #[serde(skip)]
    family: String,
    configured_roots: Vec<IpAddr>,
    /// The first whose costs are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_root: Option<IpAddr>,
    /// Prefixes of next hops whose cost from there is known.
    costs: usize,
    clients: Vec<String>,
}

impl fmt::Display for GroupView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots: Vec<String> = self.configured_roots.iter().map(ToString::to_string).collect();
        writeln!(f, "  Configured roots: {}", roots.join(" "))?;
        match self.active_root {
            Some(root) => writeln!(f, "  Active root: {root}, {} costs", self.costs)?,
            None => writeln!(f, "  Active root: none, the costs of no root are known")?,
        }
        writeln!(
            f,
            "  Clients: {}",
            if self.clients.is_empty() { "none".into() } else { self.clients.join(" ") }
        )
    }
}

impl Instance {
    pub(super) fn optimal_reflection(&self, args: &Args) -> String {
        let families = match named_family(args) {
            Some(family) => vec![family],
            None => vec![Family::IPV4_UNICAST, Family::IPV6_UNICAST],
        };
        let Some(router) = self.router() else { return String::new() };
        let wanted = args.get("group");
        let mut views: IndexMap<&'static str, IndexMap<String, GroupView>> = IndexMap::new();
        for family in families {
            let Some(settings) = router.families.get(family) else { continue };
            let named = settings.optimal.groups.iter();
            let shown = named.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name.as_str()));
            for (name, roots) in shown {
                let active = settings.optimal.active_root(name);
                let member = |entry: &&crate::instance::PeerEntry| {
                    entry.effective.family(family).is_some_and(|part| {
                        part.active && part.optimal_group.as_ref().is_some_and(|group| group.as_str() == name)
                    })
                };
                let view = GroupView {
                    family: family.to_string(),
                    configured_roots: roots.clone(),
                    active_root: active,
                    costs: active.map_or(0, |root| settings.optimal.costs_of(root).count()),
                    clients: self.peers.values().filter(member).map(|entry| entry.name.to_string()).collect(),
                };
                let key = crate::view::family_key(family.afi, family.safi);
                views.entry(key).or_default().insert(name.clone(), view);
            }
        }
        if args.has("json") {
            return json(&views);
        }
        let rows = views.values().flatten();
        rows.map(|(name, view)| format!("ORR group: {name}, {}\n{view}", view.family)).collect()
    }
}
