//! Graphs to test on: random ones with networks, parallel links, links of one end and routers that carry nothing; grids.

use ferrite_sim::Random;

use crate::{Arc, Changes, Graph, Kind, Node};

/// Routers 0..routers, networks after them.
pub struct World {
    pub graph: Graph<u32>,
    pub random: Random,
    routers: u32,
    networks: u32,
}

impl World {
    pub fn random(seed: u64, routers: u32, networks: u32) -> Self {
        let mut world = Self { graph: Graph::new(), random: Random::new(seed), routers, networks };
        for key in 0..routers + networks {
            world.node(key);
        }
        for key in 0..routers + networks {
            let arcs = world.some_arcs(key);
            world.announce(key, arcs);
        }
        world
    }

    pub fn node(&mut self, key: u32) -> Node {
        self.graph.node(&key, if key < self.routers { Kind::Router } else { Kind::Network })
    }

    fn announce(&mut self, key: u32, arcs: Vec<Arc>) -> Changes {
        let node = self.node(key);
        let mut changes = Changes::default();
        self.graph.set_arcs(node, arcs, &mut changes);
        changes
    }

    /// Neighbours are near in number, so that graphs have length; small costs, so that many paths are equal.
    fn some_arcs(&mut self, key: u32) -> Vec<Arc> {
        let all = self.routers + self.networks;
        let mut arcs = Vec::new();
        for other in 0..all {
            let apart = key.abs_diff(other).min(all - key.abs_diff(other));
            let both_networks = key >= self.routers && other >= self.routers;
            if other == key || both_networks || !self.random.chance(if apart < 4 { 0.6 } else { 0.05 }) {
                continue;
            }
            let cost = if key >= self.routers { 0 } else { 1 + self.random.below(4) as u32 };
            let to = self.node(other);
            let link = key * 1000 + other;
            arcs.push(Arc { to, cost, link });
            if key < self.routers && other < self.routers && self.random.chance(0.1) {
                arcs.push(Arc { to, cost: cost + self.random.below(2) as u32, link: link + 500 });
            }
        }
        arcs
    }

    /// One router or network says something else: a new list, nothing, one cost changed, or no transit.
    pub fn step(&mut self) -> Changes {
        let key = self.random.below(u64::from(self.routers + self.networks)) as u32;
        let node = self.node(key);
        match self.random.below(8) {
            0 => self.announce(key, Vec::new()),
            1 | 2 => {
                let arcs = self.some_arcs(key);
                self.announce(key, arcs)
            }
            3 => {
                let mut changes = Changes::default();
                let transit = self.random.chance(0.7);
                self.graph.set_transit(node, transit, &mut changes);
                changes
            }
            _ => {
                let mut arcs = self.graph.announced(node).to_vec();
                let at = self.random.below(arcs.len() as u64) as usize;
                let cost = if key < self.routers { 1 + self.random.below(6) as u32 } else { 0 };
                if let Some(arc) = arcs.get_mut(at) {
                    arc.cost = cost;
                }
                self.announce(key, arcs)
            }
        }
    }

    /// A router, by chance.
    pub fn router(&mut self) -> Node {
        let key = self.random.below(u64::from(self.routers)) as u32;
        self.node(key)
    }
}

/// `side` times `side` routers, each joined to its neighbours; costs vary, the same in both directions.
pub fn grid(side: u32) -> Graph<u32> {
    let mut graph = Graph::new();
    let nodes: Vec<Node> = (0..side * side).map(|key| graph.node(&key, Kind::Router)).collect();
    let cost = |a: u32, b: u32| 10 + (a.min(b) * 7 + a.max(b) * 13) % 11;
    for key in 0..side * side {
        let (row, column) = (key / side, key % side);
        let mut ends = Vec::new();
        if row > 0 {
            ends.push(key - side);
        }
        if column > 0 {
            ends.push(key - 1);
        }
        if column + 1 < side {
            ends.push(key + 1);
        }
        if row + 1 < side {
            ends.push(key + side);
        }
        let arc = |end: &u32| Arc { to: nodes[*end as usize], cost: cost(key, *end), link: *end };
        graph.set_arcs(nodes[key as usize], ends.iter().map(arc).collect(), &mut Changes::default());
    }
    graph
}
