//! The shortest-path tree of an area (§16.1), kept by `lib/spf`: vertices whose LSAs changed are read anew, the tree is repaired.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_ospf_packet::AreaId;
use ferrite_spf::{Arc, Changes, FirstHop, Graph, Kind, Tree};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::event::IfId;
use crate::instance::Instance;
use crate::lsdb::Lsdb;
use crate::neighbor;
use crate::routes::{Hop, Hops, RouterRoute};
use crate::version::{Version, Vertex};

/// Vertices up to which nothing is cleared away.
const SMALL: usize = 256;

/// Graph and tree of an area.
#[derive(Debug, Default)]
pub struct AreaSpf {
    pub(crate) graph: Graph<Vertex>,
    pub(crate) tree: Option<Tree>,
    /// Vertices whose LSAs changed since the last run.
    pub(crate) stale: BTreeSet<Vertex>,
    pub(crate) runs: u64,
    pub(crate) last: Option<Timestamp>,
    /// Routers that are reached, with what they say of themselves.
    pub(crate) routers: BTreeMap<RouterId, RouterRoute>,
}

fn kind(vertex: Vertex) -> Kind {
    match vertex {
        Vertex::Router(_) => Kind::Router,
        Vertex::Network(..) => Kind::Network,
    }
}

impl AreaSpf {
    /// Brings graph and tree up to date with the database.
    fn run<V: Version>(&mut self, lsdb: &Lsdb, own: RouterId, now: Timestamp) {
        self.runs += 1;
        self.last = Some(now);
        self.forget_the_gone::<V>(lsdb);
        let mut changes = Changes::default();
        for vertex in std::mem::take(&mut self.stale) {
            let node = self.graph.node(&vertex, kind(vertex));
            let links = V::links_of(lsdb, vertex, now);
            let arcs = links.into_iter().map(|reach| {
                let to = self.graph.node(&reach.to, kind(reach.to));
                Arc { to, cost: reach.cost, link: reach.link }
            });
            let arcs: Vec<Arc> = arcs.collect();
            self.graph.set_arcs(node, arcs, &mut changes);
            if let Vertex::Router(router) = vertex {
                let transit = V::is_transit(lsdb, router);
                self.graph.set_transit(node, transit, &mut changes);
            }
        }
        let root = self.graph.node(&Vertex::Router(own), Kind::Router);
        match &mut self.tree {
            Some(tree) if tree.root() == root => drop(tree.repair(&self.graph, &changes)),
            tree => *tree = Some(Tree::full(&self.graph, root)),
        }
    }

    /// A graph keeps the names of vertices that went; when they are most of it, it is made anew, so that it is bounded by the
    /// database whatever comes and goes.
    fn forget_the_gone<V: Version>(&mut self, lsdb: &Lsdb) {
        if self.graph.len() < SMALL {
            return;
        }
        let named: BTreeSet<Vertex> = lsdb.iter().filter_map(|(key, _)| V::vertex_of(key)).collect();
        if self.graph.len() > 2 * named.len() + SMALL {
            self.graph = Graph::new();
            self.tree = None;
            self.stale = named;
        }
    }

    /// Vertices that are kept, those that went included.
    pub fn size(&self) -> usize {
        self.graph.len()
    }

    pub(crate) fn cost(&self, vertex: Vertex) -> Option<u32> {
        let cost = self.tree.as_ref()?.cost(self.graph.find(&vertex)?)?;
        Some(u32::try_from(cost).unwrap_or(u32::MAX))
    }

    fn first_hops(&self, vertex: Vertex) -> &[FirstHop] {
        let (Some(tree), Some(node)) = (&self.tree, self.graph.find(&vertex)) else { return &[] };
        tree.first_hops_of(node)
    }
}

impl<V: Version> Instance<V> {
    /// Runs the calculation of one area, and notes which routers it reaches.
    pub(crate) fn run_area(&mut self, now: Timestamp, id: AreaId) {
        let own = self.config.router_id;
        let Some(area) = self.areas.get_mut(&id) else { return };
        area.spf.run::<V>(&area.lsdb, own, now);
        let Some(area) = self.areas.get(&id) else { return };
        let mut routers = BTreeMap::new();
        let mut transit = false;
        for node in area.spf.graph.nodes() {
            let Some(vertex @ Vertex::Router(router)) = area.spf.graph.key(node).copied() else { continue };
            let (Some(cost), Some(bits)) = (area.spf.cost(vertex), V::router_bits(&area.lsdb, router)) else {
                continue;
            };
            transit |= bits.virtual_end;
            routers.insert(router, RouterRoute { cost, area: id, bits, hops: self.hops(id, vertex) });
        }
        if let Some(area) = self.areas.get_mut(&id) {
            area.spf.routers = routers;
            area.transit = transit;
        }
    }

    /// Next hops of the shortest paths to a vertex (§16.1.1).
    pub(crate) fn hops(&self, area: AreaId, vertex: Vertex) -> Hops {
        let Some(found) = self.areas.get(&area) else { return Hops::new() };
        let mut hops = Hops::new();
        for first in found.spf.first_hops(vertex) {
            let Some(id) = V::own_link(self, area, first.link) else { continue };
            match found.spf.graph.key(first.via) {
                Some(Vertex::Router(router)) => hops.extend(self.hops_over(id, *router)),
                Some(Vertex::Network(..)) => drop(hops.insert(Hop { interface: id, address: None })),
                None => {}
            }
        }
        while hops.len() > self.config.max_paths {
            hops.pop_last();
        }
        hops
    }

    /// The neighbour's address is what its Hellos come from; over a virtual link the way through the transit area is taken.
    fn hops_over(&self, id: IfId, router: RouterId) -> Hops {
        let Some(interface) = self.interfaces.get(&id) else { return Hops::new() };
        if let Some((transit, end)) = interface.virtual_to {
            let routers = self.areas.get(&transit).map(|area| &area.spf.routers);
            return routers
                .and_then(|routers| routers.get(&end))
                .map(|route| route.hops.clone())
                .unwrap_or_default();
        }
        let Some(home) = self.areas.get(&interface.config.area) else { return Hops::new() };
        let there = |n: &&neighbor::Neighbor| n.state >= neighbor::State::TwoWay || n.help.is_some();
        let heard = interface.neighbors.values().filter(there).filter(|neighbor| neighbor.id == router);
        let mut hops: Hops =
            heard.map(|neighbor| Hop { interface: id, address: Some(neighbor.address) }).collect();
        if hops.is_empty() && interface.config.network.elects() {
            // Its Hellos are missed, but not by the designated router: it restarts (§16.1.1).
            let told = V::address_on(&home.lsdb, interface, router);
            hops.extend(told.map(|address| Hop { interface: id, address: Some(address) }));
        }
        hops
    }
}
