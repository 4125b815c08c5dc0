//! Distances against Bellman-Ford, first hops against a walk over all shortest paths, repaired trees against whole ones.

use std::collections::BTreeSet;

use super::shape::{World, grid};
use crate::{Arc, Changes, Cost, FirstHop, Graph, Kind, Node, Tree};

/// Bellman-Ford over answered arcs.
fn costs(graph: &Graph<u32>, root: Node) -> Vec<Option<Cost>> {
    let mut costs = vec![None; graph.len()];
    costs[root.index()] = Some(0);
    for _ in 0..graph.len() {
        for from in graph.nodes().filter(|node| *node == root || graph.is_transit(*node)) {
            let Some(start) = costs[from.index()] else { continue };
            for arc in graph.arcs(from) {
                let way = start + Cost::from(arc.cost);
                let known: &mut Option<Cost> = &mut costs[arc.to.index()];
                if known.is_none_or(|known| way < known) {
                    *known = Some(way);
                }
            }
        }
    }
    costs
}

/// First hops by following every shortest path backwards to the root.
fn hops(graph: &Graph<u32>, costs: &[Option<Cost>], root: Node, node: Node) -> BTreeSet<FirstHop> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    // A state is a node and the router after it on the path, if there is one.
    let mut open = vec![(node, None::<Node>)];
    while let Some((at, after)) = open.pop() {
        if !seen.insert((at, after)) {
            continue;
        }
        for from in graph.into(at) {
            if from != root && !graph.is_transit(from) {
                continue;
            }
            for arc in graph.between(from, at) {
                let tight = costs[from.index()]
                    .zip(costs[at.index()])
                    .is_some_and(|(a, b)| a + Cost::from(arc.cost) == b);
                if !tight {
                    continue;
                }
                if from == root {
                    let via = if graph.kind(at) == Kind::Network { after.unwrap_or(at) } else { at };
                    found.insert(FirstHop { link: arc.link, via });
                } else {
                    open.push((from, Some(at)));
                }
            }
        }
    }
    found
}

fn check(graph: &Graph<u32>, tree: &Tree, label: &str) {
    let expected = costs(graph, tree.root());
    for node in graph.nodes() {
        assert_eq!(tree.cost(node), expected[node.index()], "{label}: cost of {node:?}");
        let found: BTreeSet<FirstHop> = tree.first_hops_of(node).iter().copied().collect();
        let wanted =
            if node == tree.root() { BTreeSet::new() } else { hops(graph, &expected, tree.root(), node) };
        assert_eq!(found, wanted, "{label}: first hops of {node:?}");
    }
}

#[test]
fn a_repaired_tree_is_the_whole_one_after_every_step() {
    for seed in 0..30 {
        let mut world = World::random(seed, 12, 3);
        let root = world.router();
        let mut tree = Tree::full(&world.graph, root);
        check(&world.graph, &tree, &format!("seed {seed}, start"));
        for step in 0..40 {
            let changes = world.step();
            let before = tree.clone();
            let changed = tree.repair(&world.graph, &changes);
            check(&world.graph, &tree, &format!("seed {seed}, step {step}"));
            let differs = |node: &Node| {
                before.cost(*node) != tree.cost(*node)
                    || before.first_hops_of(*node) != tree.first_hops_of(*node)
            };
            let wanted: Vec<Node> = world.graph.nodes().filter(differs).collect();
            assert_eq!(changed, wanted, "seed {seed}, step {step}: what is said to have changed");
        }
    }
}

#[test]
fn several_changes_are_repaired_at_once() {
    for seed in 0..200 {
        let mut world = World::random(1000 + seed, 20, 4);
        let root = world.router();
        let mut tree = Tree::full(&world.graph, root);
        let mut all = Changes::default();
        for _ in 0..5 {
            all.nodes.extend(world.step().nodes);
        }
        tree.repair(&world.graph, &all);
        check(&world.graph, &tree, &format!("seed {seed}"));
    }
}

#[test]
fn distances_towards_a_node_are_those_from_it_with_arcs_turned() {
    for seed in 0..50 {
        let mut world = World::random(seed, 15, 3);
        let end = world.router();
        let towards = Tree::towards(&world.graph, end);
        for node in world.graph.nodes() {
            assert_eq!(towards.cost(node), Tree::full(&world.graph, node).cost(end), "seed {seed}");
        }
    }
}

/// A far corner's link costs a few nodes, not the graph.
#[test]
fn a_change_of_one_link_looks_at_what_is_behind_it() {
    let mut graph = grid(50);
    let root = graph.find(&0).unwrap();
    let mut tree = Tree::full(&graph, root);
    let corner = graph.find(&(50 * 50 - 1)).unwrap();
    let mut changes = Changes::default();
    let arcs: Vec<Arc> =
        graph.announced(corner).iter().map(|arc| Arc { cost: arc.cost + 5, ..*arc }).collect();
    graph.set_arcs(corner, arcs, &mut changes);
    let (changed, work) = tree.repair_counted(&graph, &changes);
    assert!(changed.is_empty(), "nothing leads through the corner");
    assert!(work.settled + work.rehopped < 10, "{work:?}");
    check(&graph, &tree, "grid");
}

#[test]
fn an_arc_counts_only_while_it_is_answered() {
    let mut graph = Graph::new();
    let (a, b) = (graph.node(&1, Kind::Router), graph.node(&2, Kind::Router));
    let mut changes = Changes::default();
    graph.set_arcs(a, vec![Arc { to: b, cost: 1, link: 7 }], &mut changes);
    let mut tree = Tree::full(&graph, a);
    assert_eq!(tree.cost(b), None);
    let mut changes = Changes::default();
    graph.set_arcs(b, vec![Arc { to: a, cost: 9, link: 1 }], &mut changes);
    assert_eq!(tree.repair(&graph, &changes), [b]);
    assert_eq!(tree.cost(b), Some(1));
    assert_eq!(tree.first_hops_of(b), [FirstHop { link: 7, via: b }]);
}
