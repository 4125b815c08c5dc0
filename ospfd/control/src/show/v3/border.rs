//! `show ipv6 ospf6 border-routers`, `show ipv6 ospf6 linkstate`: routers and networks that are reached.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use ferrite_ospf::lsdb::Lsdb;
use ferrite_ospf::packet::v3::{NetworkLsa, RouterFlags, RouterLsa, ty};
use ferrite_ospf::packet::{AreaId, LsId, LsaKey, Options, V3};
use ferrite_ospf::routes::PathType;
use ferrite_ospf::version::Vertex;
use ferrite_types::ids::RouterId;
use serde::Serialize;

use super::route::{self, Entry};
use crate::settings::Configured;
use crate::show::{At, text};

/// A line of the table.
struct Row {
    id: RouterId,
    bits: String,
    options: String,
    path: &'static str,
    area: AreaId,
    detail: Entry,
}

pub struct Routers {
    rows: Vec<Row>,
    detail: bool,
    /// The router that was asked for.
    missing: Option<Ipv4Addr>,
}

impl Serialize for Routers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.rows.iter().map(|row| (row.id.to_string(), &row.detail)))
    }
}

/// What a router says of itself in an area.
pub fn said(lsdb: Option<&Lsdb>, router: RouterId) -> Option<RouterLsa> {
    let entry = lsdb?.get(&LsaKey { ty: ty::ROUTER, id: LsId(0), adv: router })?;
    RouterLsa::read(entry.lsa.body()).ok()
}

/// A border router's own rows, one for each area, as FRR has them.
fn ourselves<F: Configured>(at: At<'_, V3<F>>) -> Vec<Row> {
    let core = &at.process.core;
    let id = core.id();
    let rows = core.areas().iter().filter_map(|(area, inside)| {
        let lsa = said(Some(&inside.lsdb), id)?;
        if lsa.flags.0 & (RouterFlags::BORDER.0 | RouterFlags::BOUNDARY.0) == 0 {
            return None;
        }
        let (bits, options) = (text::router_bits6(lsa.flags), text::options6(lsa.options));
        let path = "Intra-Area";
        let detail =
            Entry::router(at, id, *area, path, ("Router", 0), &bits, &options, 0, &Default::default());
        Some(Row { id, bits, options, path, area: *area, detail })
    });
    rows.collect()
}

/// How many routers lie behind each other on the way to what is in an area: FRR's second number beside a router's metric.
struct Distances {
    before: BTreeMap<Vertex, Vertex>,
}

impl Distances {
    fn new<F: Configured>(at: At<'_, V3<F>>, area: AreaId) -> Self {
        let tree = at.process.core.tree(area).into_iter();
        Self { before: tree.map(|(vertex, before, _)| (vertex, before)).collect() }
    }

    fn of(&self, router: RouterId) -> u32 {
        self.to(Vertex::Router(router))
    }

    fn to(&self, mut vertex: Vertex) -> u32 {
        let mut count = 0;
        // A tree has no circles; whoever broke one would have us count for ever.
        for _ in 0..=self.before.len() {
            let Some(before) = self.before.get(&vertex) else { break };
            count += u32::from(matches!(vertex, Vertex::Router(_)));
            vertex = *before;
        }
        count
    }
}

impl Routers {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, only: Option<Ipv4Addr>, detail: bool) -> Self {
        let core = &at.process.core;
        let mut rows = Vec::new();
        for (id, ways) in core.routers() {
            for way in ways.iter().filter(|_| only.is_none_or(|only| only == id.0)) {
                let lsdb = core.areas().get(&way.area).map(|area| &area.lsdb);
                let intra = way.path == PathType::Intra;
                let lsa = said(lsdb, id).filter(|_| intra);
                let inter = RouterFlags::BOUNDARY;
                let flags = lsa.as_ref().map_or(inter, |lsa| lsa.flags);
                let options = lsa.map_or(Options(0x13), |lsa| lsa.options);
                let (bits, options) = (text::router_bits6(flags), text::options6(options));
                let path = if intra { "Intra-Area" } else { "Inter-Area" };
                let origin = if intra { ("Router", 0) } else { ("Inter-Router", id.0.to_bits()) };
                let detail =
                    Entry::router(at, id, way.area, path, origin, &bits, &options, way.cost, &way.hops);
                let detail = if intra { detail.beyond(Distances::new(at, way.area).of(id)) } else { detail };
                rows.push(Row { id, bits, options, path, area: way.area, detail });
            }
        }
        rows.extend(ourselves(at).into_iter().filter(|row| only.is_none_or(|only| only == row.id.0)));
        rows.sort_by_key(|row| (row.id, row.area));
        Self { rows, detail: detail || only.is_some(), missing: only }
    }
}

impl fmt::Display for Routers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(missing) = self.missing.filter(|_| self.rows.is_empty()) {
            return writeln!(f, "No Route found for Router ID: {missing}");
        }
        if self.detail {
            return self.rows.iter().try_for_each(|row| row.detail.fmt(f));
        }
        writeln!(
            f,
            "{:<15} {:<8} {:<14} {:<10} {:<15}",
            "Router-ID", "Rtr-Bits", "Options", "Path-Type", "Area"
        )?;
        self.rows.iter().try_for_each(|row| {
            writeln!(
                f,
                "{:<15} {:<8} {:<14} {:<10} {:<15}",
                row.id.to_string(),
                row.bits,
                row.options,
                row.path,
                row.area.to_string()
            )
        })
    }
}

/// Which vertices of the trees are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    All,
    Router(RouterId),
    Network(RouterId, u32),
}

/// `linkstate`: what the shortest paths of each area reach.
pub struct LinkState {
    areas: Vec<(String, Vec<Entry>)>,
}

impl LinkState {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, wanted: Wanted) -> Self {
        let core = &at.process.core;
        let areas = core.areas().iter().map(|(id, area)| {
            let distances = Distances::new(at, *id);
            let mut all = core.reached(*id);
            all.sort_by_key(|reached| match reached.vertex {
                Vertex::Router(router) => (router, 0),
                Vertex::Network(router, number) => (router, number),
            });
            let reached = all.into_iter().filter(|reached| match (wanted, reached.vertex) {
                (Wanted::All, _) => true,
                (Wanted::Router(router), Vertex::Router(of)) => router == of,
                (Wanted::Network(router, number), Vertex::Network(of, id)) => (router, number) == (of, id),
                _ => false,
            });
            let entries = reached.map(|reached| {
                let entry = |router, origin, bits: &str, options: &str| {
                    let (cost, hops) = (reached.cost, &reached.hops);
                    Entry::router(at, router, *id, "Intra-Area", origin, bits, options, cost, hops)
                        .beyond(distances.to(reached.vertex))
                };
                match reached.vertex {
                    Vertex::Router(router) => {
                        let lsa = said(Some(&area.lsdb), router).unwrap_or_default();
                        let (bits, options) = (text::router_bits6(lsa.flags), text::options6(lsa.options));
                        let origin = ("Router", 0);
                        let entry = entry(router, origin, &bits, &options);
                        entry.as_link_state(router.to_string())
                    }
                    Vertex::Network(router, number) => {
                        let key = LsaKey { ty: ty::NETWORK, id: LsId(number), adv: router };
                        let lsa = area.lsdb.get(&key).and_then(|e| NetworkLsa::read(e.lsa.body()).ok());
                        let options = text::options6(lsa.map(|lsa| lsa.options).unwrap_or_default());
                        let origin = ("Network", number);
                        let bits = text::router_bits6(RouterFlags::default());
                        let entry = entry(router, origin, &bits, &options);
                        entry.as_link_state(format!("{router} Net-ID: {}", LsId(number)))
                    }
                }
            });
            (at.area6(*id), entries.collect())
        });
        Self { areas: areas.collect() }
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (area, entries) in &self.areas {
            writeln!(f, "\n        SPF Result in Area {area}\n")?;
            entries.iter().try_for_each(|entry: &route::Entry| entry.fmt(f))?;
        }
        writeln!(f)
    }
}
