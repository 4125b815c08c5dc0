//! Loop-free alternates (RFC 5286): neighbours that can take over at once when a first hop fails, because their own shortest
//! path does not lead back.
//!
//! `D(a, b)` below is the distance from a to b before the failure, as in the RFC; S the root, E the primary first hop, N the
//! alternate, D the destination.

use std::collections::BTreeMap;

use crate::graph::{Graph, Kind, Node};
use crate::repair::network_of;
use crate::tree::{Cost, FirstHop, Tree};

/// A usable way around, with what it survives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Alternate {
    pub hop: FirstHop,
    /// It does not use the link (or the network) of the primary (inequality 4 where that is a network).
    pub link_protecting: bool,
    /// It does not use the primary router (inequality 3).
    pub node_protecting: bool,
    /// N is nearer to the destination than S (inequality 2): no loop even when several links fail at once.
    pub downstream: bool,
    /// From S to the destination by this way.
    pub cost: Cost,
}

/// The trees that alternates of one root are judged by: its own and each neighbour's. Computed once for all destinations.
#[derive(Debug)]
pub struct Neighbourhood<'a, K> {
    graph: &'a Graph<K>,
    own: &'a Tree,
    /// Neighbouring routers with the links to them and what the link costs.
    neighbours: Vec<(FirstHop, Cost)>,
    trees: BTreeMap<Node, Tree>,
}

impl<'a, K> Neighbourhood<'a, K> {
    pub fn new(graph: &'a Graph<K>, own: &'a Tree) -> Self {
        let neighbours = neighbours(graph, own.root());
        let mut trees = BTreeMap::new();
        for (hop, _) in &neighbours {
            trees.entry(hop.via).or_insert_with(|| Tree::full(graph, hop.via));
        }
        // Networks the root is attached to are asked for too: whether an alternate avoids one.
        for arc in graph.arcs(own.root()).filter(|arc| graph.kind(arc.to) == Kind::Network) {
            trees.entry(arc.to).or_insert_with(|| Tree::full(graph, arc.to));
        }
        Self { graph, own, neighbours, trees }
    }

    pub fn neighbours(&self) -> impl Iterator<Item = FirstHop> + '_ {
        self.neighbours.iter().map(|(hop, _)| *hop)
    }

    pub(crate) fn cost_to(&self, hop: &FirstHop) -> Option<Cost> {
        self.neighbours.iter().find(|(other, _)| other == hop).map(|(_, cost)| *cost)
    }

    pub(crate) fn distance(&self, from: Node, to: Node) -> Option<Cost> {
        if from == self.own.root() { self.own.cost(to) } else { self.trees.get(&from)?.cost(to) }
    }

    pub(crate) fn root(&self) -> Node {
        self.own.root()
    }

    /// The shortest paths from a neighbour, or from a network the root is attached to.
    pub(crate) fn tree(&self, from: Node) -> Option<&Tree> {
        self.trees.get(&from)
    }

    fn network_of(&self, hop: &FirstHop) -> Option<Node> {
        network_of(self.graph, self.own.root(), hop)
    }

    /// Every alternate for a destination should `primary`, one of its first hops, fail: best first.
    ///
    /// Node-protecting ones come before those that protect only the link, then the cheaper, then the lower link.
    pub fn alternates(&self, destination: Node, primary: &FirstHop) -> Vec<Alternate> {
        let mut found: Vec<Alternate> = self
            .neighbours
            .iter()
            .filter_map(|(hop, cost)| self.judge(destination, primary, *hop, *cost))
            .filter(|alternate| alternate.link_protecting)
            .collect();
        found.sort_unstable_by_key(|alternate| (!alternate.node_protecting, alternate.cost, alternate.hop));
        found
    }

    fn judge(&self, destination: Node, primary: &FirstHop, hop: FirstHop, cost: Cost) -> Option<Alternate> {
        if hop == *primary {
            return None;
        }
        let from_neighbour = self.distance(hop.via, destination)?;
        let back = self.distance(hop.via, self.own.root())?;
        let own = self.own.cost(destination)?;
        // Inequality 1: its shortest path does not come back to us.
        if from_neighbour >= back + own {
            return None;
        }
        // A router that carries nothing for others can be an alternate only for itself (RFC 5286 §3.5).
        if !self.graph.is_transit(hop.via) && hop.via != destination {
            return None;
        }
        Some(Alternate {
            hop,
            link_protecting: self.avoids_link(destination, primary, &hop, from_neighbour),
            node_protecting: self.avoids_node(destination, primary, &hop, from_neighbour),
            downstream: from_neighbour < own,
            cost: cost + from_neighbour,
        })
    }

    fn avoids_link(&self, destination: Node, primary: &FirstHop, hop: &FirstHop, distance: Cost) -> bool {
        if hop.link == primary.link {
            return false;
        }
        let Some(network) = self.network_of(primary) else {
            return true; // inequality 1 rules out the way back over a link that only S and E share
        };
        if self.network_of(hop) == Some(network) {
            return false;
        }
        // Inequality 4, with the network as a node.
        let (to, from) = (self.distance(hop.via, network), self.distance(network, destination));
        match (to, from) {
            (Some(to), Some(from)) => distance < to + from,
            _ => true,
        }
    }

    fn avoids_node(&self, destination: Node, primary: &FirstHop, hop: &FirstHop, distance: Cost) -> bool {
        if hop.via == primary.via || destination == primary.via {
            return false;
        }
        match (self.distance(hop.via, primary.via), self.distance(primary.via, destination)) {
            (Some(to), Some(from)) => distance < to + from,
            _ => true,
        }
    }
}

/// Routers that a node reaches without another router between, with the cost of the link.
pub fn neighbours<K>(graph: &Graph<K>, root: Node) -> Vec<(FirstHop, Cost)> {
    let mut found = Vec::new();
    for arc in graph.arcs(root) {
        let cost = Cost::from(arc.cost);
        match graph.kind(arc.to) {
            Kind::Router => found.push((FirstHop { link: arc.link, via: arc.to }, cost)),
            Kind::Network => {
                let others = graph.arcs(arc.to).filter(|behind| behind.to != root);
                found.extend(others.map(|behind| {
                    (FirstHop { link: arc.link, via: behind.to }, cost + Cost::from(behind.cost))
                }));
            }
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(hop, _)| *hop);
    found
}
