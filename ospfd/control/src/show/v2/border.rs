//! Routers of the routing table: border routers of areas and of the AS.

use std::fmt;

use ferrite_ospf::inspect::RouterEntry;
use ferrite_ospf::packet::V2;
use ferrite_ospf::routes::PathType;
use indexmap::IndexMap;
use serde::Serialize;

use super::route::Path;
use crate::show::{At, is_false};

/// A way to a border router.
#[derive(Serialize)]
pub struct Router {
    #[serde(rename = "routeType")]
    kind: &'static str,
    cost: u32,
    area: String,
    #[serde(rename = "IA", skip_serializing_if = "is_false")]
    inter: bool,
    /// FRR says `abr` of one that is both; the text says both.
    #[serde(rename = "routerType", skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    nexthops: Vec<Path>,
    #[serde(skip)]
    border: bool,
    #[serde(skip)]
    boundary: bool,
}

impl Router {
    fn new(at: At<'_, V2>, way: &RouterEntry) -> Self {
        Self {
            kind: "R ",
            cost: way.cost,
            area: way.area.to_string(),
            inter: way.path != PathType::Intra,
            role: if way.border { Some("abr") } else { way.boundary.then_some("asbr") },
            nexthops: way.hops.iter().map(|hop| Path::new(at, hop, None)).collect(),
            border: way.border,
            boundary: way.boundary,
        }
    }
}

#[derive(Serialize)]
pub struct Routers {
    pub routers: IndexMap<String, Router>,
}

impl Routers {
    /// Routers by their ID, of several ways the best one.
    pub fn new(at: At<'_, V2>) -> Self {
        let known = at.process.core.routers().into_iter();
        let best = known.filter_map(|(id, ways)| {
            let way = ways.into_iter().min_by_key(|way| (way.path, way.cost, way.area))?;
            Some((id.to_string(), Router::new(at, &way)))
        });
        let routers = best.collect();
        Self { routers }
    }
}

pub fn write(routers: &IndexMap<String, Router>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "============ OSPF router routing table =============")?;
    for (id, router) in routers {
        let inter = if router.inter { "IA" } else { "  " };
        write!(f, "R {inter} {id:<21} [{}] area: {}", router.cost, router.area)?;
        write!(f, "{}", if router.border { ", ABR" } else { "" })?;
        writeln!(f, "{}", if router.boundary { ", ASBR" } else { "" })?;
        router.nexthops.iter().try_for_each(|path| path.write(f, false))?;
    }
    Ok(())
}

impl fmt::Display for Routers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(&self.routers, f)?;
        writeln!(f, "\n")
    }
}
