//! Where routes come from: which router's LSA announces a network. The routing table does not keep it; a show looks it up in one
//! pass over the databases.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_ospf_packet::{AreaId, LsId, LsaKey};
use ferrite_spf::{Graph, Tree};
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::instance::{Area, Instance};
use crate::lsdb::Lsdb;
use crate::routes::{Hops, PathType};
use crate::version::{Target, Version, Vertex};

/// An LSA that a route was made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    pub router: RouterId,
    /// What announces it: in OSPFv3 prefixes have LSAs of their own.
    pub lsa: LsaKey,
    pub hops: Hops,
}

/// The origins of all routes.
#[derive(Debug, Default)]
pub struct Origins {
    by_prefix: BTreeMap<Prefix, Vec<Origin>>,
    transit: BTreeSet<Prefix>,
}

impl Origins {
    pub fn of(&self, prefix: Prefix) -> &[Origin] {
        self.by_prefix.get(&prefix).map_or(&[], Vec::as_slice)
    }

    /// Whether a network connects routers.
    pub fn is_transit(&self, prefix: Prefix) -> bool {
        self.transit.contains(&prefix)
    }

    fn add(&mut self, prefix: Prefix, router: RouterId, lsa: LsaKey, hops: Hops) {
        self.by_prefix.entry(prefix).or_default().push(Origin { router, lsa, hops });
    }
}

/// A vertex that the shortest paths of an area reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    pub vertex: Vertex,
    pub cost: u32,
    pub hops: Hops,
}

impl<V: Version> Instance<V> {
    /// What the shortest paths of an area reach, ourselves first.
    pub fn reached(&self, id: AreaId) -> Vec<Reached> {
        let Some(area) = self.areas().get(&id) else { return Vec::new() };
        let vertices = area.spf.graph.nodes().filter_map(|node| area.spf.graph.key(node).copied());
        let reached = vertices.filter_map(|vertex| {
            Some(Reached { vertex, cost: area.spf.cost(vertex)?, hops: self.hops(id, vertex) })
        });
        let mut reached: Vec<Reached> = reached.collect();
        reached.sort_by_key(|reached| (reached.cost, reached.vertex));
        reached
    }

    /// Since when a route is there, and since when it is as it is.
    pub fn route_times(&self, prefix: Prefix) -> Option<(Timestamp, Timestamp)> {
        self.route_times.get(&prefix)
    }

    /// The same of the way to a router inside an area.
    pub fn router_times(&self, area: AreaId, router: RouterId) -> Option<(Timestamp, Timestamp)> {
        self.areas().get(&area)?.spf.times.get(&router)
    }

    /// The shortest-path tree of an area: vertex, a vertex before it, cost.
    pub fn tree(&self, id: AreaId) -> Vec<(Vertex, Vertex, u32)> {
        let area = self.areas().get(&id);
        area.and_then(|area| Some(branches(&area.spf.graph, area.spf.tree.as_ref()?))).unwrap_or_default()
    }

    /// The tree as another router of the area has it; none where it is not in the database.
    pub fn tree_of(&self, id: AreaId, router: RouterId) -> Option<Vec<(Vertex, Vertex, u32)>> {
        let graph = &self.areas().get(&id)?.spf.graph;
        let root = graph.find(&Vertex::Router(router))?;
        Some(branches(graph, &Tree::full(graph, root)))
    }

    pub fn origins(&self, now: Timestamp) -> Origins {
        let mut origins = Origins::default();
        for (id, area) in self.areas() {
            self.intra_origins(now, *id, area, &mut origins);
            self.inter_origins(now, area, &mut origins);
            self.external_origins(now, &area.lsdb, &mut origins);
        }
        self.external_origins(now, &self.externals, &mut origins);
        origins
    }

    fn intra_origins(&self, now: Timestamp, id: AreaId, area: &Area, origins: &mut Origins) {
        let alive = area.lsdb.iter().filter(|(_, entry)| !entry.is_max_age(now));
        for (vertex, prefix, metric) in alive.flat_map(|(key, entry)| V::prefixes_of(key, entry.lsa.body())) {
            let Some(route) = self.routes().get(&prefix) else { continue };
            let cost = area.spf.cost(vertex).map(|cost| cost.saturating_add(metric));
            if route.path != PathType::Intra || route.area != id || cost != Some(route.cost) {
                continue;
            }
            let (router, lsa) = match vertex {
                Vertex::Router(router) => (router, LsaKey { ty: V::ROUTER, id: LsId(0), adv: router }),
                Vertex::Network(router, network) => {
                    origins.transit.insert(prefix);
                    let known = area.lsdb.with_id(V::NETWORK, LsId(network)).map(|(key, _)| *key);
                    let key = known.into_iter().find(|key| router == RouterId::UNSET || key.adv == router);
                    let Some(key) = key else { continue };
                    (key.adv, key)
                }
            };
            origins.add(prefix, router, lsa, self.hops(id, vertex));
        }
    }

    fn inter_origins(&self, now: Timestamp, area: &Area, origins: &mut Origins) {
        for (key, entry) in area.lsdb.of_type(V::SUMMARY_NETWORK).filter(|(_, e)| !e.is_max_age(now)) {
            let Some(summary) = V::read_summary(key, entry.lsa.body()) else { continue };
            let Target::Network(prefix) = summary.target else { continue };
            let (Some(route), Some(way)) = (self.routes().get(&prefix), area.spf.routers.get(&key.adv))
            else {
                continue;
            };
            let cost = way.cost.saturating_add(summary.metric);
            if route.path == PathType::Inter && route.cost == cost && key.adv != self.id() {
                origins.add(prefix, key.adv, *key, way.hops.clone());
            }
        }
    }

    fn external_origins(&self, now: Timestamp, lsdb: &Lsdb, origins: &mut Origins) {
        let all = [V::EXTERNAL, V::NSSA].into_iter().flat_map(|ty| lsdb.of_type(ty));
        for (key, entry) in all.filter(|(key, entry)| key.adv != self.id() && !entry.is_max_age(now)) {
            let header = entry.lsa.header();
            let Some(external) = V::read_external(key, header.options, entry.lsa.body()) else { continue };
            let Some(route) = self.routes().get(&external.prefix) else { continue };
            let same = match route.path {
                PathType::External1 => !external.type2,
                PathType::External2 => external.type2 && external.metric == route.type2_cost,
                PathType::Intra | PathType::Inter => false,
            };
            if same {
                let way = if key.ty == V::EXTERNAL {
                    self.way_out(key.adv)
                } else {
                    self.table().to_boundary(key.adv, self.config().rfc1583)
                };
                let known = way.map(|way| way.hops.clone()).filter(|hops| hops.is_subset(&route.hops));
                origins.add(external.prefix, key.adv, *key, known.unwrap_or_else(|| route.hops.clone()));
            }
        }
    }

    /// Ranges towards other areas that gather a route (§12.4.3); what goes there and has no longer match is discarded.
    pub fn active_ranges(&self) -> Vec<Prefix> {
        if !self.is_border_router() {
            return Vec::new();
        }
        let ranges = self.config().areas.iter().flat_map(|(id, area)| {
            area.ranges.iter().filter(|(_, range)| range.advertise).map(|(prefix, _)| (*id, *prefix))
        });
        ranges.filter(|(id, prefix)| self.range_is_active(*id, *prefix)).map(|(_, prefix)| prefix).collect()
    }
}

/// Each vertex with one before it and its cost, the nearest first.
fn branches(graph: &Graph<Vertex>, tree: &Tree) -> Vec<(Vertex, Vertex, u32)> {
    let before = graph.nodes().filter_map(|node| {
        let vertex = *graph.key(node)?;
        let parent = *graph.key(tree.parents(graph, node).next()?)?;
        Some((vertex, parent, u32::try_from(tree.cost(node)?).unwrap_or(u32::MAX)))
    });
    let mut before: Vec<(Vertex, Vertex, u32)> = before.collect();
    before.sort_by_key(|(vertex, _, cost)| (*cost, *vertex));
    before
}
