//! Topology-independent loop-free alternates (RFC 9855): the path that will hold after convergence, written as segments that
//! routers which have not heard of the failure follow without crossing it.
//!
//! The path begins with a first hop of the root and ends at the destination. From where a packet is, the next segment is the
//! farthest router of the path that the old shortest paths reach, all of them, without the failed part; where there is
//! none, the link to the next router itself (an adjacency segment). Taking the farthest each time needs the fewest segments.
//! Of several paths of equal cost after convergence one is taken, by the lowest nodes.

use std::collections::BTreeMap;

use crate::graph::{Arc, Graph, Kind, Node};
use crate::lfa::neighbours;
use crate::tree::{Cost, FirstHop, Tree};

/// What is assumed to fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Failure {
    /// The link of a first hop; where it is a network, the whole network.
    Link(FirstHop),
    /// The router at the end of a first hop.
    Node(FirstHop),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Segment {
    /// By shortest paths to that router.
    Node(Node),
    /// Over a link between two neighbours.
    Adjacency { from: Node, to: Node },
}

/// Leave by `hop`, follow `segments`, then go on to the destination as ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repair {
    pub hop: FirstHop,
    pub segments: Vec<Segment>,
    /// Of the path after convergence.
    pub cost: Cost,
}

/// Whether old shortest paths cross what failed: distances from its ends to everywhere.
#[derive(Debug)]
pub(crate) enum Crossing {
    Link {
        near: Tree,
        far: Tree,
        out: Cost,
        back: Cost,
    },
    /// A network or a router.
    Through(Tree),
}

impl Crossing {
    pub(crate) fn new<K>(graph: &Graph<K>, root: Node, failure: Failure) -> Self {
        let hop = match failure {
            Failure::Node(hop) => return Self::Through(Tree::full(graph, hop.via)),
            Failure::Link(hop) => hop,
        };
        if let Some(network) = network_of(graph, root, &hop) {
            return Self::Through(Tree::full(graph, network));
        }
        let cheapest = |arcs: &[Arc]| arcs.iter().map(|arc| Cost::from(arc.cost)).min().unwrap_or(0);
        let ours = graph.between(root, hop.via).iter().copied().filter(|arc| arc.link == hop.link);
        Self::Link {
            out: cheapest(&ours.collect::<Vec<_>>()),
            back: cheapest(graph.between(hop.via, root)),
            near: Tree::full(graph, root),
            far: Tree::full(graph, hop.via),
        }
    }

    /// Whether no shortest path from the tree's root to `to` uses what failed.
    pub(crate) fn is_spared(&self, from: &Tree, to: Node) -> bool {
        let Some(distance) = from.cost(to) else { return false };
        let by = |through: Node, link: Cost, rest: &Tree| match (from.cost(through), rest.cost(to)) {
            (Some(first), Some(last)) => first + link + last == distance,
            _ => false,
        };
        match self {
            Self::Link { near, far, out, back } => {
                !by(near.root(), *out, far) && !by(far.root(), *back, near)
            }
            Self::Through(tree) => !by(tree.root(), 0, tree),
        }
    }
}

/// Repairs of one root for one failure; trees of routers along the way are computed once and kept.
#[derive(Debug)]
pub struct Repairer<'a, K> {
    graph: &'a Graph<K>,
    after: Tree,
    crossing: Crossing,
    links: Vec<(FirstHop, Cost)>,
    failure: Failure,
    trees: BTreeMap<Node, Tree>,
}

impl<'a, K> Repairer<'a, K> {
    pub fn new(graph: &'a Graph<K>, root: Node, failure: Failure) -> Self {
        let network = match failure {
            Failure::Link(hop) => network_of(graph, root, &hop),
            Failure::Node(_) => None,
        };
        let usable = |(from, arc): (Node, Arc)| match failure {
            Failure::Node(hop) => from != hop.via && arc.to != hop.via,
            Failure::Link(hop) => match network {
                Some(network) => from != network && arc.to != network,
                None => !(from == root && arc.to == hop.via && arc.link == hop.link),
            },
        };
        Self {
            graph,
            after: Tree::without(graph, root, &usable),
            crossing: Crossing::new(graph, root, failure),
            links: neighbours(graph, root),
            failure,
            trees: BTreeMap::new(),
        }
    }

    /// How to reach a destination around the failure; none where nothing leads around it.
    pub fn repair(&mut self, destination: Node) -> Option<Repair> {
        let cost = self.after.cost(destination)?;
        let path = self.path(destination)?;
        let routers: Vec<Node> = path
            .iter()
            .copied()
            .filter(|node| self.graph.kind(*node) == Kind::Router || *node == destination)
            .collect();
        let first = *routers.get(1)?;
        let hop = self.link_towards(&path, first)?;
        let mut segments = Vec::new();
        let mut at = 1;
        while let Some(from) = routers.get(at).copied().filter(|node| *node != destination) {
            let tree = self.trees.entry(from).or_insert_with(|| Tree::full(self.graph, from));
            let reached = |to: &Node| self.crossing.is_spared(tree, *to);
            let farthest =
                (at + 1..routers.len()).rev().find(|index| routers.get(*index).is_some_and(reached));
            let next = farthest.unwrap_or(at + 1);
            match (farthest, routers.get(next)) {
                (_, None) => return None,
                (Some(_), Some(to)) if *to == destination => break,
                (Some(_), Some(to)) => segments.push(Segment::Node(*to)),
                (None, Some(to)) => segments.push(Segment::Adjacency { from, to: *to }),
            }
            at = next;
        }
        Some(Repair { hop, segments, cost })
    }

    /// The path after convergence, root first.
    fn path(&self, destination: Node) -> Option<Vec<Node>> {
        let mut path = vec![destination];
        let mut node = destination;
        while node != self.after.root() {
            node = self.after.parents(self.graph, node).find(|parent| self.leads(*parent, node))?;
            path.push(node);
        }
        path.reverse();
        Some(path)
    }

    /// Whether a step of the tree is one that what failed has left; the tree's parents are asked of the whole graph.
    fn leads(&self, from: Node, to: Node) -> bool {
        match self.failure {
            Failure::Link(hop) if from == self.after.root() && to == hop.via => {
                let tight =
                    |arc: &Arc| arc.link != hop.link && Some(Cost::from(arc.cost)) == self.after.cost(to);
                self.graph.between(from, to).iter().any(tight)
            }
            _ => true,
        }
    }

    /// The link of the root by which the path begins.
    fn link_towards(&self, path: &[Node], first: Node) -> Option<FirstHop> {
        let root = self.after.root();
        let (next, cost) = (*path.get(1)?, self.after.cost(first)?);
        let lost = match self.failure {
            Failure::Link(hop) | Failure::Node(hop) => hop,
        };
        self.links
            .iter()
            .filter(|(hop, way)| hop.via == first && *way == cost && *hop != lost)
            .map(|(hop, _)| *hop)
            .find(|hop| self.graph.between(root, next).iter().any(|arc| arc.link == hop.link))
    }
}

/// The network by which a node reaches a first hop, if it is one.
pub(crate) fn network_of<K>(graph: &Graph<K>, root: Node, hop: &FirstHop) -> Option<Node> {
    let on = |arc: &Arc| arc.link == hop.link && graph.kind(arc.to) == Kind::Network;
    graph.arcs(root).find(on).map(|arc| arc.to)
}
