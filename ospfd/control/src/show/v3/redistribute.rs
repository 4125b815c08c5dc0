//! `show ipv6 ospf6 redistribute`, `show ipv6 ospf6 zebra`.

use std::fmt;

use ferrite_ospf::lsdb::Lsdb;
use ferrite_ospf::packet::v3::{ExternalLsa, ty};
use ferrite_ospf::packet::{LsId, V3};
use ferrite_types::Prefix;
use serde::Serialize;

use crate::process::World;
use crate::settings::Configured;
use crate::show::At;

#[derive(Serialize)]
pub struct Redistribution {
    #[serde(rename = "redistributedRoutes")]
    sources: Vec<Source>,
    #[serde(rename = "totalRoutes")]
    total: usize,
    routes: Vec<Row>,
}

#[derive(Serialize)]
struct Source {
    #[serde(rename = "routeType")]
    protocol: String,
    #[serde(rename = "numberOfRoutes")]
    count: usize,
    #[serde(rename = "routeMapNamePresent")]
    has_map: bool,
    #[serde(rename = "routeMapName", skip_serializing_if = "Option::is_none")]
    map: Option<String>,
    #[serde(rename = "routeMapFound", skip_serializing_if = "Option::is_none")]
    found: Option<bool>,
}

#[derive(Serialize)]
struct Row {
    #[serde(rename = "routeType")]
    letter: char,
    destination: String,
    id: String,
    #[serde(rename = "metricType")]
    kind: u8,
    #[serde(rename = "routeCost")]
    cost: u32,
    forwarding: String,
}

/// The Link State ID under which a prefix is announced.
fn id_of<F: Configured>(lsdb: Option<&Lsdb>, at: At<'_, V3<F>>, prefix: Prefix) -> LsId {
    let Some(lsdb) = lsdb else { return LsId(0) };
    let own = lsdb.of_type(ty::EXTERNAL).filter(|(key, _)| key.adv == at.process.core.id());
    let told = own.filter(|(_, entry)| {
        ExternalLsa::read(entry.lsa.body()).is_ok_and(|lsa| F::prefix(lsa.prefix.prefix) == Some(prefix))
    });
    told.map(|(key, _)| key.id).next().unwrap_or(LsId(0))
}

impl Redistribution {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, world: &World) -> Self {
        let core = &at.process.core;
        let domain = core.lsdb(ferrite_ospf::instance::Place::As);
        let has = |protocol, instance: u16, prefix: &Prefix| {
            world.is_learned(at.process.vrf, protocol, u32::from(instance), *prefix)
        };
        let of = |prefix: &Prefix| {
            let named = at.router.redistribute.keys();
            named.copied().find(|(protocol, instance)| has(*protocol, *instance, prefix))
        };
        let sources = at.router.redistribute.iter().map(|((protocol, instance), config)| {
            let announced = core.redistributed().keys();
            let count = announced.filter(|prefix| has(*protocol, *instance, prefix)).count();
            let map = config.route_map.clone();
            let found = map.as_ref().map(|name| at.settings.policy.route_maps.contains_key(name));
            Source { protocol: protocol.to_string(), count, has_map: map.is_some(), found, map }
        });
        let row = |(prefix, route): (&Prefix, &ferrite_ospf::event::External)| Row {
            letter: of(prefix).map_or('?', |(protocol, _)| protocol.letter()),
            destination: prefix.to_string(),
            id: id_of(domain, at, *prefix).to_string(),
            kind: if route.type2 { 2 } else { 1 },
            cost: route.metric,
            forwarding: format!(
                "{} (ifindex 0)",
                route
                    .forwarding
                    .map_or_else(|| super::no_address::<F>().to_owned(), |address| address.to_string())
            ),
        };
        let routes: Vec<Row> = core.redistributed().iter().map(row).collect();
        Self { sources: sources.collect(), total: routes.len(), routes }
    }
}

impl fmt::Display for Redistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Redistributing External Routes from:")?;
        for source in &self.sources {
            write!(f, "    {}: {}", source.count, source.protocol)?;
            match (&source.map, source.found) {
                (Some(map), Some(true)) => writeln!(f, " with route-map \"{map}\"")?,
                (Some(map), _) => writeln!(f, " with route-map \"{map}\" (not found !)")?,
                _ => writeln!(f)?,
            }
        }
        writeln!(f, "Total {} routes", self.total)?;
        self.routes.iter().try_for_each(|row| {
            writeln!(
                f,
                "{} {:<32} {:<15} type-{} {:>5} {}",
                row.letter, row.destination, row.id, row.kind, row.cost, row.forwarding
            )
        })
    }
}

/// What zebra is asked for.
#[derive(Serialize)]
pub struct Zebra {
    #[serde(rename = "zebraInformation")]
    information: Information,
}

#[derive(Serialize)]
struct Information {
    fail: u32,
    #[serde(rename = "redistributeDefault")]
    default: u8,
    redistribute: Vec<String>,
}

impl Zebra {
    pub fn new<F: Configured>(at: At<'_, V3<F>>) -> Self {
        let asked = at.router.redistribute.keys().map(|(protocol, _)| protocol.to_string());
        let redistribute = std::iter::once("ospf6".to_owned()).chain(asked).collect();
        let default = u8::from(at.router.default_originate.is_some());
        Self { information: Information { fail: 0, default, redistribute } }
    }
}

impl fmt::Display for Zebra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Zebra Information")?;
        writeln!(f, "  fail: {}", self.information.fail)?;
        writeln!(f, "  redistribute default: {}", self.information.default)?;
        write!(f, "  redistribute:")?;
        self.information.redistribute.iter().try_for_each(|name| write!(f, " {name}"))?;
        writeln!(f)
    }
}
