//! Whole and repaired trees on grids and on graphs that grow like the Internet, of 1,000 to 100,000 routers.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use ferrite_sim::Random;
use ferrite_spf::{Arc, Changes, Graph, Kind, Node, Tree};

type Links = Vec<(u32, u32, u32)>;

fn grid(nodes: u32) -> Links {
    let side = nodes.isqrt();
    let mut random = Random::new(1);
    let mut links = Vec::new();
    for key in 0..side * side {
        if key % side + 1 < side {
            links.push((key, key + 1, 1 + random.below(20) as u32));
        }
        if key + side < side * side {
            links.push((key, key + side, 1 + random.below(20) as u32));
        }
    }
    links
}

/// Each new router joins two that are there, the more likely the more links they have.
fn internet(nodes: u32) -> Links {
    let mut random = Random::new(2);
    let mut links = vec![(0, 1, 10)];
    for key in 2..nodes {
        for _ in 0..2 {
            let (a, b, _) = links[random.below(links.len() as u64) as usize];
            let end = if random.chance(0.5) { a } else { b };
            if end != key {
                links.push((key, end, 1 + random.below(50) as u32));
            }
        }
    }
    links
}

fn build(links: &Links) -> Graph<u32> {
    let mut graph = Graph::new();
    let count = links.iter().map(|(a, b, _)| a.max(b) + 1).max().unwrap_or(0);
    let nodes: Vec<Node> = (0..count).map(|key| graph.node(&key, Kind::Router)).collect();
    let mut arcs = vec![Vec::new(); nodes.len()];
    for (link, (a, b, cost)) in links.iter().enumerate() {
        arcs[*a as usize].push(Arc { to: nodes[*b as usize], cost: *cost, link: link as u32 });
        arcs[*b as usize].push(Arc { to: nodes[*a as usize], cost: *cost, link: link as u32 });
    }
    for (node, arcs) in nodes.iter().zip(arcs) {
        graph.set_arcs(*node, arcs, &mut Changes::default());
    }
    graph
}

fn paths(c: &mut Criterion) {
    type Shape = (&'static str, fn(u32) -> Links);
    let shapes: [Shape; 2] = [("grid", grid), ("internet", internet)];
    for (shape, make) in shapes {
        let mut group = c.benchmark_group(shape);
        group.sample_size(10);
        for nodes in [1_000, 10_000, 100_000] {
            let graph = build(&make(nodes));
            let root = graph.nodes().next().expect("a graph has nodes");
            group.bench_function(BenchmarkId::new("whole", nodes), |b| {
                b.iter(|| black_box(Tree::full(&graph, root)));
            });
            let tree = Tree::full(&graph, root);
            let mut random = Random::new(3);
            group.bench_function(BenchmarkId::new("one link repaired", nodes), |b| {
                let setup = || {
                    let (mut graph, mut changes) = (graph.clone(), Changes::default());
                    let all: Vec<Node> = graph.nodes().collect();
                    let node = *random.pick(&all).expect("a graph has nodes");
                    let mut arcs = graph.announced(node).to_vec();
                    if let Some(arc) = arcs.first_mut() {
                        arc.cost += 1 + random.below(9) as u32;
                    }
                    graph.set_arcs(node, arcs, &mut changes);
                    (tree.clone(), graph, changes)
                };
                b.iter_batched(
                    setup,
                    |(mut tree, graph, changes)| {
                        let changed = tree.repair(&graph, &changes);
                        (tree, graph, changed) // their memory is given back outside the measurement
                    },
                    BatchSize::PerIteration,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, paths);
criterion_main!(benches);
