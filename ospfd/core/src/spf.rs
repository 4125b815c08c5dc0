//! The shortest-path tree of an area (§16.1), kept by `lib/spf`: vertices whose LSAs changed are read anew, the tree is repaired.

mod known;

use std::collections::{BTreeMap, BTreeSet};

use ferrite_ospf_packet::{AreaId, LsaKey};
use ferrite_spf::{Arc, Changes, FirstHop, Graph, Kind, Node, Tree};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::event::IfId;
use crate::instance::Instance;
use crate::lsdb::Lsdb;
use crate::neighbor;
use crate::routes::{Backups, Hop, Hops, RouterRoute};
use crate::times::Times;
use crate::trace::Trace;
use crate::version::{RouterBits, Version, Vertex};

pub(crate) use known::{Affected, Known};

/// Vertices up to which nothing is cleared away.
const SMALL: usize = 256;

/// Graph and tree of an area.
#[derive(Debug, Default)]
pub struct AreaSpf {
    pub(crate) graph: Graph<Vertex>,
    pub(crate) tree: Option<Tree>,
    /// LSAs that changed since the last run.
    pub(crate) stale: BTreeSet<LsaKey>,
    pub(crate) known: Known,
    pub(crate) runs: u64,
    pub(crate) last: Option<Timestamp>,
    /// Vertices whose path was computed, in all runs.
    pub(crate) work: u64,
    /// Routers that are reached, with what they say of themselves.
    pub(crate) routers: BTreeMap<RouterId, RouterRoute>,
    pub(crate) times: Times<RouterId>,
    /// What all routers say of themselves, reached or not.
    pub(crate) bits: BTreeMap<RouterId, RouterBits>,
    /// Loop-free alternates, where they are asked for.
    pub(crate) backups: Backups,
    /// First hops of the tree as interfaces and addresses.
    resolved: BTreeMap<FirstHop, Hops>,
}

fn kind(vertex: Vertex) -> Kind {
    match vertex {
        Vertex::Router(_) => Kind::Router,
        Vertex::Network(..) => Kind::Network,
    }
}

impl AreaSpf {
    /// Brings graph and tree up to date with the database. Says which vertices have another path, or say something else of
    /// themselves, than before.
    fn run<V: Version>(
        &mut self,
        lsdb: &Lsdb,
        own: RouterId,
        now: Timestamp,
        affected: &mut Affected,
    ) -> BTreeSet<Node> {
        self.runs += 1;
        self.last = Some(now);
        let mut stale: BTreeSet<Vertex> = BTreeSet::new();
        for key in std::mem::take(&mut self.stale) {
            self.known.update::<V>(lsdb, key, now, affected);
            stale.extend(V::vertex_of(&key));
        }
        self.forget_the_gone::<V>(lsdb, &mut stale);
        let mut changes = Changes::default();
        let mut moved: BTreeSet<Node> = BTreeSet::new();
        for vertex in stale {
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
                moved.insert(node);
                match V::router_bits(lsdb, router) {
                    Some(bits) => drop(self.bits.insert(router, bits)),
                    None => drop(self.bits.remove(&router)),
                }
            }
        }
        let root = self.graph.node(&Vertex::Router(own), Kind::Router);
        match &mut self.tree {
            Some(tree) if tree.root() == root => {
                let (changed, work) = tree.repair_counted(&self.graph, &changes);
                self.work += work.settled.max(work.rehopped) as u64;
                moved.extend(changed);
            }
            tree => {
                *tree = Some(Tree::full(&self.graph, root));
                self.work += self.graph.len() as u64;
                self.resolved.clear();
                moved.extend(self.graph.nodes());
            }
        }
        moved
    }

    /// A graph keeps the names of vertices that went; when they are most of it, it is made anew, so that it is bounded by the
    /// database whatever comes and goes.
    fn forget_the_gone<V: Version>(&mut self, lsdb: &Lsdb, stale: &mut BTreeSet<Vertex>) {
        if self.graph.len() < SMALL {
            return;
        }
        let named: BTreeSet<Vertex> = lsdb.iter().filter_map(|(key, _)| V::vertex_of(key)).collect();
        if self.graph.len() > 2 * named.len() + SMALL {
            self.graph = Graph::new();
            self.tree = None;
            *stale = named;
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
    /// Runs the calculation of one area, and notes which routers it reaches. What that has effects on is added to `affected`.
    pub(crate) fn run_area(&mut self, now: Timestamp, id: AreaId, whole: bool, affected: &mut Affected) {
        let own = self.config.router_id;
        let Some(area) = self.areas.get_mut(&id) else { return };
        let mut moved = area.spf.run::<V>(&area.lsdb, own, now, affected);
        if whole {
            area.spf.resolved.clear();
            moved.extend(area.spf.graph.nodes());
        }
        let (vertices, count) = (area.spf.graph.len(), moved.len());
        self.trace(|| Trace::Tree { area: id, vertices, moved: count });
        self.resolve(id, &moved);
        let other_backups = self.find_backups(id);
        moved.extend(&other_backups);
        let mut transit_moved = false;
        for node in moved {
            let Some(area) = self.areas.get(&id) else { return };
            let Some(vertex) = area.spf.graph.key(node).copied() else { continue };
            affected.prefixes.extend(area.spf.known.hanging(vertex));
            let Vertex::Router(router) = vertex else { continue };
            let new = area.spf.cost(vertex).zip(area.spf.bits.get(&router).copied());
            let new =
                new.map(|(cost, bits)| RouterRoute { cost, area: id, bits, hops: self.hops(id, vertex) });
            let Some(area) = self.areas.get_mut(&id) else { return };
            if area.spf.routers.get(&router) == new.as_ref() {
                if let Some(way) = new.filter(|_| other_backups.contains(&node)) {
                    // What it leads to has other alternates.
                    affected.boundaries |= way.bits.boundary || way.bits.border;
                    area.spf.known.of_router(router, affected);
                }
                continue;
            }
            let bits = new.as_ref().map(|route| route.bits).unwrap_or_default();
            let cost = new.as_ref().map(|route| route.cost);
            area.spf.times.changed(now, router, new.is_some());
            let old = match new {
                Some(route) => area.spf.routers.insert(router, route),
                None => area.spf.routers.remove(&router),
            };
            let was = old.map(|route| route.bits).unwrap_or_default();
            transit_moved |= was.virtual_end != bits.virtual_end;
            affected.boundaries |= was.boundary || bits.boundary || was.border || bits.border;
            area.spf.known.of_router(router, affected);
            if was.boundary || bits.boundary || was.border || bits.border {
                self.trace(|| Trace::Border { area: id, router, cost });
            }
        }
        let Some(area) = self.areas.get_mut(&id) else { return };
        if transit_moved {
            area.transit = area.spf.routers.values().any(|route| route.bits.virtual_end);
            affected.all = true;
        }
    }

    /// Finds interface and address of first hops that are new.
    fn resolve(&mut self, id: AreaId, moved: &BTreeSet<Node>) {
        let Some(area) = self.areas.get(&id) else { return };
        let Some(tree) = &area.spf.tree else { return };
        let firsts: BTreeSet<FirstHop> = moved
            .iter()
            .flat_map(|node| tree.first_hops_of(*node))
            .filter(|first| !area.spf.resolved.contains_key(first))
            .copied()
            .collect();
        let found: Vec<(FirstHop, Hops)> =
            firsts.into_iter().map(|first| (first, self.first_hop(id, first))).collect();
        if let Some(area) = self.areas.get_mut(&id) {
            // One that leads nowhere yet is looked for again.
            area.spf.resolved.extend(found.into_iter().filter(|(_, hops)| !hops.is_empty()));
        }
    }

    /// §16.1.1.
    pub(crate) fn first_hop(&self, area: AreaId, first: FirstHop) -> Hops {
        let Some(id) = V::own_link(self, area, first.link) else { return Hops::new() };
        match self.areas.get(&area).and_then(|area| area.spf.graph.key(first.via)) {
            Some(Vertex::Router(router)) => self.hops_over(id, *router),
            Some(Vertex::Network(..)) => Hops::from([Hop { interface: id, address: None }]),
            None => Hops::new(),
        }
    }

    /// Next hops of the shortest paths to a vertex.
    pub(crate) fn hops(&self, area: AreaId, vertex: Vertex) -> Hops {
        let Some(found) = self.areas.get(&area) else { return Hops::new() };
        let mut hops = Hops::new();
        for first in found.spf.first_hops(vertex) {
            match found.spf.resolved.get(first) {
                Some(resolved) if hops.is_empty() => hops.clone_from(resolved),
                Some(resolved) => hops.extend(resolved.iter().copied()),
                None => {}
            }
        }
        while hops.len() > self.config.max_paths {
            hops.pop_last();
        }
        hops
    }

    /// The neighbour's address is what its Hellos come from, or what it says; over a virtual link the way through the transit area is taken.
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
        let over = |address| Hop { interface: id, address: Some(address) };
        let mut hops: Hops =
            heard.filter_map(|neighbor| V::next_hop(interface, neighbor)).map(over).collect();
        if hops.is_empty() && interface.config.network.elects() {
            // Its Hellos are missed, but not by the designated router: it restarts (§16.1.1).
            let told = V::address_on(&home.lsdb, interface, router);
            hops.extend(told.map(over));
        }
        hops
    }
}
