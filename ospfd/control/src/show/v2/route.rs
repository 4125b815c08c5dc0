//! `show ip ospf route [detail]` and `show ip ospf border-routers`.

use std::fmt;

use ferrite_ospf::origins::Origins;
use ferrite_ospf::packet::V2;
use ferrite_ospf::routes::{Hop, PathType, Route};
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;
use indexmap::IndexMap;
use serde::Serialize;

use super::border::{self, Routers};
use crate::show::At;

/// A network.
#[derive(Serialize)]
pub struct Network {
    #[serde(rename = "routeType")]
    kind: &'static str,
    /// Of intra-area routes: whether the network carries traffic of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    transit: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<u32>,
    #[serde(rename = "type2cost", skip_serializing_if = "Option::is_none")]
    type2: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nexthops: Vec<Path>,
}

/// One way there.
#[derive(Serialize)]
pub struct Path {
    ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    #[serde(rename = "directlyAttachedTo", skip_serializing_if = "Option::is_none")]
    attached: Option<String>,
    #[serde(rename = "advertisedRouter", skip_serializing_if = "Option::is_none")]
    adv: Option<String>,
    /// Where packets go at once when this way fails.
    #[serde(rename = "backup", skip_serializing_if = "Option::is_none")]
    backup: Option<Box<Path>>,
}

impl Path {
    pub fn new(at: At<'_, V2>, hop: &Hop, adv: Option<RouterId>) -> Self {
        let name = at.name_of(hop.interface);
        match hop.address {
            // FRR has a space in the place of the address.
            None => Self { ip: " ".to_owned(), via: None, attached: Some(name), adv: None, backup: None },
            Some(address) => Self {
                ip: address.to_string(),
                via: Some(name),
                attached: None,
                adv: adv.map(|adv| adv.to_string()),
                backup: None,
            },
        }
    }

    pub fn write(&self, f: &mut fmt::Formatter<'_>, detail: bool) -> fmt::Result {
        if let Some(name) = &self.attached {
            return writeln!(f, "                           directly attached to {name}");
        }
        let via = self.via.as_deref().unwrap_or_default();
        writeln!(f, "                           via {}, {via}", self.ip)?;
        if let Some(adv) = self.adv.as_ref().filter(|_| detail) {
            writeln!(f, "                           adv {adv}")?;
        }
        let Some(backup) = &self.backup else { return Ok(()) };
        let via = backup.via.as_deref().unwrap_or_default();
        writeln!(f, "                           backup via {}, {via}", backup.ip)
    }
}

impl Network {
    fn new(at: At<'_, V2>, origins: &Origins, prefix: Prefix, route: &Route) -> Self {
        let from = origins.of(prefix);
        let path = |hop: &Hop| {
            let adv = from.iter().find(|origin| origin.hops.contains(hop)).map(|origin| origin.router);
            let backup = route.backups.iter().find(|(primary, _)| primary == hop);
            let backup = backup.map(|(_, other)| Box::new(Path::new(at, other, None)));
            Path { backup, ..Path::new(at, hop, adv) }
        };
        let external = route.path > PathType::Inter;
        let mut nexthops: Vec<Path> = route.hops.iter().map(path).collect();
        // FRR has a line per router that announces the network, the same next hop or not.
        for origin in from.iter().skip(1).filter(|_| route.path == PathType::Inter) {
            let other = origin.hops.iter().filter(|hop| hop.address.is_some() && route.hops.contains(hop));
            nexthops.extend(other.map(|hop| Path::new(at, hop, Some(origin.router))));
        }
        Self {
            kind: match route.path {
                PathType::Intra => "N",
                PathType::Inter => "N IA",
                PathType::External1 => "N E1",
                PathType::External2 => "N E2",
            },
            transit: (route.path == PathType::Intra).then(|| origins.is_transit(prefix)),
            cost: Some(route.cost),
            type2: (route.path == PathType::External2).then_some(route.type2_cost),
            tag: external.then_some(route.tag),
            area: (!external).then(|| route.area.to_string()),
            nexthops,
        }
    }

    fn discard() -> Self {
        Self {
            kind: "D IA",
            transit: None,
            cost: None,
            type2: None,
            tag: None,
            area: None,
            nexthops: Vec::new(),
        }
    }

    fn write(&self, prefix: &str, f: &mut fmt::Formatter<'_>, detail: bool) -> fmt::Result {
        let Some(cost) = self.cost else { return writeln!(f, "D IA {prefix:<21} Discard entry") };
        let kind = match (self.kind, self.transit) {
            ("N", Some(true)) if detail => "N T",
            (kind, _) => kind,
        };
        write!(f, "{kind:<4} {prefix:<21} [{cost}")?;
        if let Some(type2) = self.type2 {
            write!(f, "/{type2}")?;
        }
        match (&self.area, self.tag) {
            (Some(area), _) => writeln!(f, "] area: {area}")?,
            (None, tag) => writeln!(f, "] tag: {}", tag.unwrap_or_default())?,
        }
        self.nexthops.iter().try_for_each(|path| path.write(f, detail))
    }
}

/// The whole table. In JSON networks, routers and external networks are all in one object.
#[derive(Serialize)]
pub struct Table {
    #[serde(flatten)]
    networks: IndexMap<String, Network>,
    #[serde(flatten)]
    routers: IndexMap<String, border::Router>,
    #[serde(flatten)]
    externals: IndexMap<String, Network>,
    #[serde(skip)]
    detail: bool,
}

impl Table {
    pub fn new(at: At<'_, V2>, detail: bool) -> Self {
        let core = &at.process.core;
        let origins = core.origins(at.now);
        let mut networks: Vec<(Prefix, Network)> = Vec::new();
        let mut externals = IndexMap::new();
        for (prefix, route) in core.routes() {
            let network = Network::new(at, &origins, *prefix, route);
            if route.path > PathType::Inter {
                externals.insert(prefix.to_string(), network);
            } else {
                networks.push((*prefix, network));
            }
        }
        for range in core.active_ranges() {
            networks.retain(|(prefix, _)| *prefix != range);
            networks.push((range, Network::discard()));
        }
        networks.sort_by_key(|(prefix, _)| *prefix);
        let networks = networks.into_iter().map(|(prefix, network)| (prefix.to_string(), network));
        Self { networks: networks.collect(), routers: Routers::new(at).routers, externals, detail }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail {
            writeln!(f, "Codes: N  - network     T - transitive")?;
            writeln!(f, "       IA - inter-area  E - external route")?;
            writeln!(f, "       D  - destination R - router\n")?;
        }
        writeln!(f, "============ OSPF network routing table ============")?;
        self.networks.iter().try_for_each(|(prefix, network)| network.write(prefix, f, self.detail))?;
        writeln!(f)?;
        border::write(&self.routers, f)?;
        writeln!(f, "\n============ OSPF external routing table ===========")?;
        self.externals.iter().try_for_each(|(prefix, network)| network.write(prefix, f, self.detail))?;
        writeln!(f, "\n")
    }
}
