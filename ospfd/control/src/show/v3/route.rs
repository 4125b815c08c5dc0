//! `show ipv6 ospf6 route …`: lines, details, counts.

use std::fmt;
use std::net::IpAddr;

use ferrite_cli::{Args, CliError};
use ferrite_ospf::instance::Place;
use ferrite_ospf::lsdb::Lsdb;
use ferrite_ospf::origins::Origin;
use ferrite_ospf::packet::v3::{ExternalLsa, InterAreaPrefixLsa, IntraAreaPrefixLsa, PrefixOptions, ty};
use ferrite_ospf::packet::{AreaId, V3};
use ferrite_ospf::routes::{Hops, PathType, Route};
use ferrite_types::Prefix;
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;
use indexmap::IndexMap;
use serde::Serialize;

use super::no_address;
use crate::settings::Configured;
use crate::show::{At, text};

#[derive(Serialize, Clone)]
pub struct Hop {
    #[serde(rename = "nextHop")]
    pub address: String,
    #[serde(rename = "interfaceName")]
    pub interface: String,
}

fn hops<F: Configured>(at: At<'_, V3<F>>, hops: &Hops) -> Vec<Hop> {
    let hop = |hop: &ferrite_ospf::routes::Hop| Hop {
        address: hop
            .address
            .map_or_else(|| no_address::<F>().to_owned(), |address: IpAddr| address.to_string()),
        interface: at.name_of(hop.interface),
    };
    hops.iter().map(hop).collect()
}

/// A line of the table.
#[derive(Serialize)]
struct Row {
    #[serde(rename = "isBestRoute")]
    best: bool,
    #[serde(rename = "destinationType")]
    destination: &'static str,
    #[serde(rename = "pathType")]
    path: &'static str,
    duration: String,
    #[serde(rename = "nextHops")]
    hops: Vec<Hop>,
    #[serde(rename = "backupNextHops", skip_serializing_if = "Vec::is_empty")]
    backups: Vec<Hop>,
}

fn letters(path: PathType) -> &'static str {
    match path {
        PathType::Intra => "IA",
        PathType::Inter => "IE",
        PathType::External1 => "E1",
        PathType::External2 => "E2",
    }
}

fn words(path: PathType) -> &'static str {
    match path {
        PathType::Intra => "Intra-Area",
        PathType::Inter => "Inter-Area",
        PathType::External1 => "External-1",
        PathType::External2 => "External-2",
    }
}

impl Row {
    fn write(&self, prefix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut start = format!("*{} {} {prefix:<30}", self.destination, self.path);
        for hop in &self.hops {
            writeln!(f, "{start} {:<25} {:>6} {}", hop.address, hop.interface, self.duration)?;
            start = " ".repeat(36);
        }
        for hop in &self.backups {
            writeln!(f, "{start} {:<25} {:>6} backup", hop.address, hop.interface)?;
        }
        Ok(())
    }
}

/// A destination in full. FRR's pointers and reference counts are not ours.
#[derive(Serialize, Clone)]
pub struct Entry {
    #[serde(skip)]
    name: String,
    #[serde(rename = "destinationType")]
    destination: &'static str,
    #[serde(rename = "installedTimeSince")]
    installed: String,
    #[serde(rename = "changedTimeSince")]
    changed: String,
    #[serde(rename = "numberOfLock")]
    lock: u8,
    flags: &'static str,
    #[serde(rename = "associatedArea")]
    area: String,
    #[serde(rename = "pathType")]
    path: &'static str,
    #[serde(rename = "lsOriginRoutePathType")]
    origin: &'static str,
    #[serde(rename = "lsId")]
    id: String,
    #[serde(rename = "lsAdvertisingRouter")]
    adv: String,
    options: String,
    #[serde(rename = "routerBits")]
    bits: String,
    #[serde(rename = "prefixOptions")]
    prefix_options: String,
    #[serde(rename = "metricType")]
    metric_type: u8,
    #[serde(rename = "metricCost")]
    cost: u32,
    #[serde(rename = "metricCostE2")]
    type2: u32,
    #[serde(rename = "pathsCount")]
    paths: usize,
    #[serde(rename = "nextHopCount")]
    count: usize,
    #[serde(rename = "nextHops")]
    hops: Vec<Hop>,
}

const NO_OPTIONS: &str = "--|-|--|-|-|--|-|-|--|-|--";

/// What the LSA that a route is of says of its prefix.
fn options_said<F: Configured>(
    at: At<'_, V3<F>>,
    prefix: Prefix,
    route: &Route,
    origin: Option<&Origin>,
) -> PrefixOptions {
    let core = &at.process.core;
    let places = [core.lsdb(Place::Area(route.area)), core.lsdb(Place::As)];
    let (Some(origin), Some(wire)) = (origin, F::wire(prefix)) else { return PrefixOptions::default() };
    let said = |lsdb: &Lsdb| match route.path {
        PathType::Intra => {
            let own = lsdb.of_type(ty::INTRA_AREA_PREFIX).filter(|(key, _)| key.adv == origin.router);
            let all = own.filter_map(|(_, entry)| IntraAreaPrefixLsa::read(entry.lsa.body()).ok());
            let prefixes = all.flat_map(|lsa| lsa.prefixes.into_iter().map(|entry| entry.prefix));
            let mut same = prefixes.filter(|known| known.prefix == wire);
            same.next()
        }
        PathType::Inter => Some(InterAreaPrefixLsa::read(lsdb.get(&origin.lsa)?.lsa.body()).ok()?.prefix),
        PathType::External1 | PathType::External2 => {
            Some(ExternalLsa::read(lsdb.get(&origin.lsa)?.lsa.body()).ok()?.prefix)
        }
    };
    places.into_iter().flatten().find_map(said).map(|prefix| prefix.options).unwrap_or_default()
}

/// How long something is there, and how long it is as it is.
fn ages<F: Configured>(at: At<'_, V3<F>>, times: Option<(Timestamp, Timestamp)>) -> (String, String) {
    // What is no route is as old as the last calculation.
    let last = at.process.core.spf().last.unwrap_or(at.now);
    let (installed, changed) = times.unwrap_or((last, last));
    (text::clock(at.now.since(installed)), text::clock(at.now.since(changed)))
}

impl Entry {
    fn network<F: Configured>(at: At<'_, V3<F>>, prefix: Prefix, route: &Route, from: &[Origin]) -> Self {
        let first = from.first();
        let (installed, changed) = ages(at, at.process.core.route_times(prefix));
        let type2 = route.path == PathType::External2;
        Self {
            name: prefix.to_string(),
            destination: "Network",
            installed,
            changed,
            lock: 2,
            flags: "BA--",
            area: route.area.to_string(),
            path: words(route.path),
            origin: first.map_or("Unknown", |origin| match route.path {
                PathType::Intra => "Intra-Prefix",
                _ => super::lsa::names(origin.lsa.ty).0,
            }),
            id: first.map_or_else(|| "0.0.0.0".to_owned(), |origin| origin.lsa.id.to_string()),
            adv: first.map_or_else(|| "0.0.0.0".to_owned(), |origin| origin.router.to_string()),
            options: NO_OPTIONS.to_owned(),
            bits: "--------".to_owned(),
            prefix_options: text::prefix_options(options_said(at, prefix, route, first)),
            metric_type: match route.path {
                PathType::Intra | PathType::External1 => 1,
                PathType::Inter => 0,
                PathType::External2 => 2,
            },
            cost: route.cost,
            type2: if type2 { route.type2_cost } else { 0 },
            paths: from.len().max(1),
            count: route.hops.len(),
            hops: hops(at, &route.hops),
        }
    }

    /// A router or transit network, which is reached but no destination of packets.
    #[allow(clippy::too_many_arguments)]
    pub fn router<F: Configured>(
        at: At<'_, V3<F>>,
        router: RouterId,
        area: AreaId,
        path: &'static str,
        (origin, id): (&'static str, u32),
        bits: &str,
        options: &str,
        cost: u32,
        ways: &Hops,
    ) -> Self {
        let (installed, changed) = ages(at, at.process.core.router_times(area, router));
        // FRR keeps routers under their ID in the place of an address.
        let in_front = u128::from(router.0.to_bits()) << 96;
        let name = F::address(std::net::Ipv6Addr::from_bits(in_front));
        Self {
            name: name.to_string(),
            destination: "Router",
            installed,
            changed,
            lock: 2,
            flags: "B---",
            area: area.to_string(),
            path,
            origin,
            id: std::net::Ipv4Addr::from_bits(id).to_string(),
            adv: router.to_string(),
            options: options.to_owned(),
            bits: bits.to_owned(),
            prefix_options: text::prefix_options(PrefixOptions::default()),
            metric_type: 1,
            cost,
            type2: 0,
            paths: 0,
            count: ways.len(),
            hops: hops(at, ways),
        }
    }

    /// Of a router: how many routers lie behind each other on the way to it.
    pub fn beyond(self, routers: u32) -> Self {
        Self { type2: routers, ..self }
    }

    /// A network of a link of ours.
    pub fn connected<F: Configured>(
        at: At<'_, V3<F>>,
        (prefix, area): (Prefix, AreaId),
        local: bool,
        cost: u32,
        hop: Hop,
    ) -> Self {
        let age = text::clock(at.now.since(at.process.started));
        let options = if local { PrefixOptions::LOCAL } else { PrefixOptions::default() };
        Self {
            name: prefix.to_string(),
            destination: "Network",
            installed: age.clone(),
            changed: age,
            lock: 2,
            flags: "BA--",
            area: area.to_string(),
            path: words(PathType::Intra),
            // Announced by no LSA: FRR's code for that.
            origin: "0x0000",
            id: "0.0.0.0".to_owned(),
            adv: "0.0.0.0".to_owned(),
            options: NO_OPTIONS.to_owned(),
            bits: "--------".to_owned(),
            prefix_options: text::prefix_options(options),
            metric_type: 0,
            cost,
            type2: 0,
            paths: 0,
            count: 1,
            hops: vec![hop],
        }
    }

    pub fn as_link_state(self, name: String) -> Self {
        Self { name, destination: "Linkstate", flags: "BA--", ..self }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Destination: {}", self.name)?;
        writeln!(f, "Destination type: {}", self.destination)?;
        writeln!(f, "Installed Time: {} ago", self.installed)?;
        writeln!(f, "Changed Time: {} ago", self.changed)?;
        writeln!(f, "Lock: {} Flags: {}", self.lock, self.flags)?;
        writeln!(f, "Associated Area: {}", self.area)?;
        writeln!(f, "Path Type: {}", self.path)?;
        writeln!(f, "LS Origin: {} Id: {} Adv: {}", self.origin, self.id, self.adv)?;
        writeln!(f, "Options: {}", self.options)?;
        writeln!(f, "Router Bits: {}", self.bits)?;
        writeln!(f, "Prefix Options: {}", self.prefix_options)?;
        writeln!(f, "Metric Type: {}", self.metric_type)?;
        writeln!(f, "Metric: {} ({})", self.cost, self.type2)?;
        writeln!(f, "Paths count: {}", self.paths)?;
        writeln!(f, "Nexthop count: {}\nNexthop:", self.count)?;
        self.hops.iter().try_for_each(|hop| writeln!(f, "  {} {}", hop.address, hop.interface))?;
        writeln!(f)
    }
}

/// Which routes, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query {
    path: Option<PathType>,
    matching: Matching,
    detail: bool,
    summary: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum Matching {
    #[default]
    All,
    /// The route that packets to an address take.
    Address(Prefix),
    Exactly(Prefix),
    /// Routes that lie in a prefix.
    Inside(Prefix),
}

impl Query {
    pub fn of(args: &Args) -> Result<Self, CliError> {
        let path = match args.get("pathtype") {
            Some("intra-area") => Some(PathType::Intra),
            Some("inter-area") => Some(PathType::Inter),
            Some("external-1") => Some(PathType::External1),
            Some("external-2") => Some(PathType::External2),
            _ => None,
        };
        let prefix: Option<Prefix> = args.parse_opt("pfx")?;
        let matching = match (prefix, args.has("match"), args.has("longer")) {
            // FRR means the same by both.
            (Some(prefix), true, _) | (Some(prefix), _, true) => Matching::Inside(prefix),
            (Some(prefix), false, false) => Matching::Exactly(prefix),
            (None, ..) => match args.parse_opt::<IpAddr>("address")? {
                Some(address) => Matching::Address(Prefix::host(address)),
                None => Matching::All,
            },
        };
        let one = matches!(matching, Matching::Address(_) | Matching::Exactly(_));
        Ok(Self { path, matching, detail: one || args.has("detail"), summary: args.has("summary") })
    }

    pub fn is_detailed(&self) -> bool {
        self.detail
    }

    fn takes(&self, prefix: &Prefix, route: &Route) -> bool {
        self.path.is_none_or(|path| path == route.path) && self.names(prefix)
    }

    /// Whether a prefix is one of those that were asked for.
    pub fn names(&self, prefix: &Prefix) -> bool {
        match self.matching {
            Matching::All => true,
            Matching::Address(host) => prefix.covers(host),
            Matching::Exactly(wanted) => *prefix == wanted,
            Matching::Inside(outer) => outer.covers(*prefix),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum View {
    Table { routes: IndexMap<String, RowOf> },
    Summary(Summary),
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum RowOf {
    #[allow(private_interfaces)]
    Row(Row),
    Entry(Box<Entry>),
}

#[derive(Serialize)]
pub struct Summary {
    #[serde(rename = "numberOfOspfv3Routes")]
    all: usize,
    #[serde(rename = "numberOfDestination")]
    destinations: usize,
    #[serde(rename = "numberOfAlternativeRoutes")]
    alternatives: usize,
    #[serde(rename = "numberOfEcmp")]
    several: usize,
    #[serde(rename = "numberOfIntraAreaRoutes")]
    intra: usize,
    #[serde(rename = "numberOfInterAreaRoutes")]
    inter: usize,
    #[serde(rename = "numberOfExternal1Routes")]
    external1: usize,
    #[serde(rename = "numberOfExternal2Routes")]
    external2: usize,
}

impl View {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, query: Query) -> Self {
        let core = &at.process.core;
        let wanted = core.routes().iter().filter(|(prefix, route)| query.takes(prefix, route));
        let mut wanted: Vec<(&Prefix, &Route)> = wanted.collect();
        if let Matching::Address(_) = query.matching {
            let longest = wanted.iter().map(|(prefix, _)| prefix.len()).max();
            wanted.retain(|(prefix, _)| Some(prefix.len()) == longest);
        }
        if query.summary {
            let of = |path| wanted.iter().filter(|(_, route)| route.path == path).count();
            return Self::Summary(Summary {
                all: wanted.len(),
                destinations: wanted.len(),
                alternatives: 0,
                several: wanted.iter().filter(|(_, route)| route.hops.len() > 1).count(),
                intra: of(PathType::Intra),
                inter: of(PathType::Inter),
                external1: of(PathType::External1),
                external2: of(PathType::External2),
            });
        }
        let origins = if query.detail { core.origins(at.now) } else { Default::default() };
        let row = |(prefix, route): (&Prefix, &Route)| {
            let row = if query.detail {
                RowOf::Entry(Box::new(Entry::network(at, *prefix, route, origins.of(*prefix))))
            } else {
                RowOf::Row(Row {
                    best: true,
                    destination: "N",
                    path: letters(route.path),
                    duration: ages(at, core.route_times(*prefix)).1,
                    hops: hops(at, &route.hops),
                    backups: hops(at, &route.backups.iter().map(|(_, other)| *other).collect()),
                })
            };
            (prefix.to_string(), row)
        };
        Self::Table { routes: wanted.into_iter().map(row).collect() }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { routes } => routes.iter().try_for_each(|(prefix, row)| match row {
                RowOf::Row(row) => row.write(prefix, f),
                RowOf::Entry(entry) => entry.fmt(f),
            }),
            Self::Summary(summary) => {
                writeln!(f, "Number of OSPFv3 routes: {}", summary.all)?;
                writeln!(f, "Number of Destination: {}", summary.destinations)?;
                writeln!(f, "Number of Alternative routes: {}", summary.alternatives)?;
                writeln!(f, "Number of Equal Cost Multi Path: {}", summary.several)?;
                writeln!(f, "Number of Intra-Area routes: {}", summary.intra)?;
                writeln!(f, "Number of Inter-Area routes: {}", summary.inter)?;
                writeln!(f, "Number of External-1 routes: {}", summary.external1)?;
                writeln!(f, "Number of External-2 routes: {}", summary.external2)
            }
        }
    }
}
