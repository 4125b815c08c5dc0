//! Alternates and repairs are followed hop by hop through a network in which only the root knows of the failure.

use std::collections::BTreeSet;

use super::shape::World;
use crate::lfa::Neighbourhood;
use crate::remote::pq_nodes;
use crate::repair::{Failure, Repairer, Segment, network_of};
use crate::{FirstHop, Graph, Kind, Node, Tree};

/// What must not be crossed.
struct Broken<'a> {
    graph: &'a Graph<u32>,
    root: Node,
    failure: Failure,
}

impl Broken<'_> {
    fn blocks(&self, from: Node, hop: &FirstHop, to: Node) -> bool {
        match self.failure {
            Failure::Node(lost) => from == lost.via || to == lost.via,
            Failure::Link(lost) => match network_of(self.graph, self.root, &lost) {
                Some(network) => network_of(self.graph, from, hop) == Some(network),
                None => {
                    (from == self.root && hop.link == lost.link)
                        || (from == lost.via && to == self.root && self.graph.kind(to) == Kind::Router)
                }
            },
        }
    }

    /// Whether every shortest path of old from one node to another keeps clear.
    fn is_clear(&self, from: Node, to: Node) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to || !seen.insert(at) {
                continue;
            }
            let tree = Tree::full(self.graph, at);
            if tree.first_hops_of(to).is_empty() {
                return false;
            }
            for hop in tree.first_hops_of(to) {
                if self.blocks(at, hop, hop.via) {
                    return false;
                }
                open.push(hop.via);
            }
        }
        true
    }
}

/// Each destination's first hops, one after the other, fail.
fn for_each_failure(
    seeds: std::ops::Range<u64>,
    mut judge: impl FnMut(u64, &Graph<u32>, Node, Node, FirstHop),
) {
    for seed in seeds {
        let mut world = World::random(seed, 10, 2);
        let root = world.router();
        let graph = world.graph;
        let tree = Tree::full(&graph, root);
        for destination in graph.nodes().filter(|node| *node != root && graph.kind(*node) == Kind::Router) {
            for hop in tree.first_hops_of(destination).to_vec() {
                judge(seed, &graph, root, destination, hop);
            }
        }
    }
}

#[test]
fn an_alternate_protects_what_it_says() {
    let mut judged = 0;
    for_each_failure(0..8, |seed, graph, root, destination, primary| {
        let tree = Tree::full(graph, root);
        let around = Neighbourhood::new(graph, &tree);
        for alternate in around.alternates(destination, &primary) {
            judged += 1;
            let link = Broken { graph, root, failure: Failure::Link(primary) };
            assert!(
                link.is_clear(alternate.hop.via, destination),
                "seed {seed}: {destination:?} {primary:?} {alternate:?}"
            );
            if alternate.node_protecting {
                let node = Broken { graph, root, failure: Failure::Node(primary) };
                assert!(
                    node.is_clear(alternate.hop.via, destination),
                    "seed {seed}: {primary:?} {alternate:?}"
                );
            }
        }
    });
    assert!(judged > 20, "{judged} alternates");
}

#[test]
fn a_tunnel_to_a_pq_node_goes_around_the_link() {
    let mut judged = 0;
    for_each_failure(0..8, |seed, graph, root, _, primary| {
        let tree = Tree::full(graph, root);
        let around = Neighbourhood::new(graph, &tree);
        let broken = Broken { graph, root, failure: Failure::Link(primary) };
        for pq in pq_nodes(graph, &around, &primary) {
            judged += 1;
            assert!(broken.is_clear(pq.hop.via, pq.node), "seed {seed}: {primary:?} {pq:?}: the tunnel");
            assert!(broken.is_clear(pq.node, primary.via), "seed {seed}: {primary:?} {pq:?}: behind it");
        }
    });
    assert!(judged > 40, "{judged} nodes");
}

#[test]
fn segments_lead_around_any_failure_that_leaves_a_way() {
    let mut judged = 0;
    for_each_failure(0..8, |seed, graph, root, destination, primary| {
        for failure in [Failure::Link(primary), Failure::Node(primary)] {
            if failure == Failure::Node(primary) && primary.via == destination {
                continue;
            }
            let broken = Broken { graph, root, failure };
            let mut repairer = Repairer::new(graph, root, failure);
            let Some(repair) = repairer.repair(destination) else { continue };
            judged += 1;
            let label = format!("seed {seed}: {destination:?} {failure:?} {repair:?}");
            assert!(!broken.blocks(root, &repair.hop, repair.hop.via), "{label}");
            let mut at = repair.hop.via;
            for segment in &repair.segments {
                at = match *segment {
                    Segment::Node(node) => {
                        assert!(broken.is_clear(at, node), "{label}");
                        node
                    }
                    Segment::Adjacency { from, to } => {
                        assert_eq!(from, at, "{label}");
                        to
                    }
                };
            }
            assert!(broken.is_clear(at, destination), "{label}: the end");
        }
    });
    assert!(judged > 40, "{judged} repairs");
}
