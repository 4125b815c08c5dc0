//! `show ipv6 ospf6 border-routers`, `show ipv6 ospf6 linkstate`: routers and networks that are reached.

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_ospf::lsdb::Lsdb;
use ferrite_ospf::packet::v3::{NetworkLsa, RouterFlags, RouterLsa, ty};
use ferrite_ospf::packet::{AreaId, LsId, LsaKey, Options, V3};
use ferrite_ospf::routes::PathType;
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
                rows.push(Row { id, bits, options, path, area: way.area, detail });
            }
        }
        Self { rows, detail: detail || only.is_some() }
    }
}

impl fmt::Display for Routers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        use ferrite_ospf::version::Vertex;
        let core = &at.process.core;
        let areas = core.areas().iter().map(|(id, area)| {
            let reached = core.reached(*id).into_iter().filter(|reached| match (wanted, reached.vertex) {
                (Wanted::All, _) => true,
                (Wanted::Router(router), Vertex::Router(of)) => router == of,
                (Wanted::Network(router, number), Vertex::Network(of, id)) => (router, number) == (of, id),
                _ => false,
            });
            let entries = reached.map(|reached| {
                let entry = |router, origin, bits: &str, options: &str| {
                    let (cost, hops) = (reached.cost, &reached.hops);
                    Entry::router(at, router, *id, "Intra-Area", origin, bits, options, cost, hops)
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
            writeln!(f)?;
        }
        writeln!(f)
    }
}
