//! The tree of shortest paths from one node: every distance, and every first hop of equal cost.
//!
//! [`Tree::full`] is Dijkstra's algorithm (RFC 2328 §16.1). [`Tree::repair`] takes what changed in the graph and mends only what
//! that touches: distances as in Lifelong Planning A* without a heuristic (each node keeps what it has and what its neighbours
//! now offer; where the two differ, it is settled anew in order of distance), then first hops downwards from where a distance
//! or a parent changed. Both leave the same tree: a test compares them after every step of random histories.
//!
//! A distance is the cost and, below it, the number of arcs of cost 0 that leave routers (a metric IS-IS allows): each such arc
//! makes a path a little longer, so that no circle of cost 0 is closed. What is equally far is settled networks first, as RFC
//! 2328 wants it: their routers then count them among their parents.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc as Shared;

use crate::graph::{Arc, Changes, Graph, Kind, Node};

/// The sum of metrics along a path.
pub type Cost = u64;

/// Bits of a distance that count arcs of cost 0.
const FREE_BITS: u32 = 24;

/// Cost above, number of free arcs below; the largest is "no path".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Distance(u64);

impl Distance {
    const ZERO: Self = Self(0);
    const NONE: Self = Self(u64::MAX);

    const fn cost(self) -> Cost {
        self.0 >> FREE_BITS
    }

    /// By one more arc from a node.
    fn plus<K>(self, graph: &Graph<K>, from: Node, to: Node, cost: u32) -> Self {
        let free = u64::from(cost == 0 && !is_attachment(graph, from, to));
        Self(self.0.saturating_add((u64::from(cost) << FREE_BITS) + free))
    }
}

/// From a network to one of its routers: no hop.
fn is_attachment<K>(graph: &Graph<K>, from: Node, to: Node) -> bool {
    graph.kind(from) == Kind::Network && graph.kind(to) == Kind::Router
}

/// When a node's turn comes: the nearest first, of equally near ones networks first.
type Turn = Reverse<(Distance, bool, Node)>;

fn turn<K>(graph: &Graph<K>, distance: Distance, node: Node) -> Turn {
    Reverse((distance, graph.kind(node) == Kind::Router, node))
}

/// Where a path leaves the root: the link it takes, and the first router on it (a network where the path ends there).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FirstHop {
    pub link: u32,
    pub via: Node,
}

/// Shared by all nodes behind the same first hops.
type FirstHops = Shared<[FirstHop]>;

/// Shortest paths from one node of a graph.
#[derive(Debug, Clone)]
pub struct Tree {
    root: Node,
    /// Against the arcs: distances *to* the root.
    reverse: bool,
    distance: Vec<Distance>,
    hops: Vec<FirstHops>,
    none: FirstHops,
}

/// How much a repair had to look at; for measurements and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Nodes whose distance was computed.
    pub settled: usize,
    /// Nodes whose first hops were computed.
    pub rehopped: usize,
}

impl Tree {
    /// The whole tree, from nothing.
    pub fn full<K>(graph: &Graph<K>, root: Node) -> Self {
        let mut tree = Self::empty(graph.len(), root, false);
        let order = tree.dijkstra(graph, &|_| true);
        for node in order {
            tree.hops[node.index()] = tree.first_hops(graph, node);
        }
        tree
    }

    /// Distances from every node to `root`, without first hops.
    pub fn towards<K>(graph: &Graph<K>, root: Node) -> Self {
        let mut tree = Self::empty(graph.len(), root, true);
        tree.dijkstra(graph, &|_| true);
        tree
    }

    /// The tree of what is left when some arcs are gone: `usable` is asked with the node an arc leaves and the arc.
    pub fn without<K>(graph: &Graph<K>, root: Node, usable: &dyn Fn((Node, Arc)) -> bool) -> Self {
        let mut tree = Self::empty(graph.len(), root, false);
        tree.dijkstra(graph, usable);
        tree
    }

    fn empty(len: usize, root: Node, reverse: bool) -> Self {
        let none: FirstHops = Shared::from([]);
        Self { root, reverse, distance: vec![Distance::NONE; len], hops: vec![none.clone(); len], none }
    }

    pub fn root(&self) -> Node {
        self.root
    }

    /// The cost of the shortest path; none where there is no path.
    pub fn cost(&self, node: Node) -> Option<Cost> {
        let distance = self.at(node);
        (distance != Distance::NONE).then(|| distance.cost())
    }

    /// Every first hop of a path of lowest cost, sorted; empty for the root and what is not reached.
    pub fn first_hops_of(&self, node: Node) -> &[FirstHop] {
        self.hops.get(node.index()).map_or(&[], |hops| hops)
    }

    /// Nodes before this one on paths of lowest cost.
    pub fn parents<'a, K>(&'a self, graph: &'a Graph<K>, node: Node) -> impl Iterator<Item = Node> + 'a {
        graph
            .into(node)
            .filter(move |from| graph.between(*from, node).iter().any(|arc| self.is_tight(graph, *from, arc)))
    }

    fn at(&self, node: Node) -> Distance {
        self.distance.get(node.index()).copied().unwrap_or(Distance::NONE)
    }

    fn passes<K>(&self, graph: &Graph<K>, node: Node) -> bool {
        node == self.root || graph.is_transit(node)
    }

    /// Whether an arc lies on a path of lowest cost.
    fn is_tight<K>(&self, graph: &Graph<K>, from: Node, arc: &Arc) -> bool {
        let (start, end) = (self.at(from), self.at(arc.to));
        start != Distance::NONE
            && end != Distance::NONE
            && self.passes(graph, from)
            && start.plus(graph, from, arc.to, arc.cost) == end
    }

    /// Settles all that can be reached, nearest first.
    fn dijkstra<K>(&mut self, graph: &Graph<K>, usable: &dyn Fn((Node, Arc)) -> bool) -> Vec<Node> {
        let mut order = Vec::with_capacity(graph.len());
        let mut heap = BinaryHeap::new();
        if self.root.index() < self.distance.len() {
            self.distance[self.root.index()] = Distance::ZERO;
            heap.push(turn(graph, Distance::ZERO, self.root));
        }
        while let Some(Reverse((distance, _, node))) = heap.pop() {
            if distance > self.at(node) {
                continue; // a nearer path was found since
            }
            order.push(node);
            let mut offer = |tree: &mut Self, end: Node, cost: u32| {
                let (from, to) = if tree.reverse { (end, node) } else { (node, end) };
                let offered = distance.plus(graph, from, to, cost);
                if offered < tree.at(end) {
                    tree.distance[end.index()] = offered;
                    heap.push(turn(graph, offered, end));
                }
            };
            if !self.passes(graph, node) {
                continue; // a path may end here, or begin, but not lead on
            }
            if self.reverse {
                for from in graph.into(node) {
                    let cheapest = graph.between(from, node).iter().filter(|arc| usable((from, **arc)));
                    if let Some(cost) = cheapest.map(|arc| arc.cost).min() {
                        offer(self, from, cost);
                    }
                }
            } else {
                for arc in graph.arcs(node).filter(|arc| usable((node, *arc))) {
                    offer(self, arc.to, arc.cost);
                }
            }
        }
        order
    }

    /// First hops of a node from those of its parents (RFC 2328 §16.1.1).
    fn first_hops<K>(&self, graph: &Graph<K>, node: Node) -> FirstHops {
        if node == self.root || self.at(node) == Distance::NONE {
            return self.none.clone();
        }
        // Of most nodes all parents are behind the same hops, and share one list of them; others are added to `all`.
        let mut shared: Option<&FirstHops> = None;
        let mut all: Vec<FirstHop> = Vec::new();
        for parent in graph.into(node) {
            for arc in graph.between(parent, node).iter().filter(|arc| self.is_tight(graph, parent, arc)) {
                if parent == self.root {
                    all.push(FirstHop { link: arc.link, via: node });
                    continue;
                }
                let theirs = &self.hops[parent.index()];
                if graph.kind(parent) == Kind::Network && theirs.iter().any(|hop| hop.via == parent) {
                    // Behind a network that the root is attached to, this router is itself the first hop.
                    let through = |hop: &FirstHop| {
                        if hop.via == parent { FirstHop { via: node, ..*hop } } else { *hop }
                    };
                    all.extend(theirs.iter().map(through));
                } else if !Shared::ptr_eq(shared.get_or_insert(theirs), theirs) {
                    all.extend_from_slice(theirs);
                }
            }
        }
        match shared {
            Some(theirs) if all.is_empty() => return theirs.clone(),
            Some(theirs) => all.extend_from_slice(theirs),
            None => {}
        }
        all.sort_unstable();
        all.dedup();
        match shared {
            Some(theirs) if all[..] == theirs[..] => theirs.clone(),
            _ => all.into(),
        }
    }

    /// Mends the tree after changes of the graph; returns the nodes whose distance or first hops differ now.
    pub fn repair<K>(&mut self, graph: &Graph<K>, changes: &Changes) -> Vec<Node> {
        self.repair_counted(graph, changes).0
    }

    /// As [`repair`](Self::repair), and says how much it had to look at.
    pub fn repair_counted<K>(&mut self, graph: &Graph<K>, changes: &Changes) -> (Vec<Node>, Work) {
        self.distance.resize(graph.len(), Distance::NONE);
        self.hops.resize(graph.len(), self.none.clone());
        let mut work = Work::default();
        let moved = self.settle(graph, changes, &mut work);
        let changed = self.rehop(graph, changes, &moved, &mut work);
        (changed, work)
    }

    /// What the neighbours of a node offer it now.
    fn offered<K>(&self, graph: &Graph<K>, node: Node) -> Distance {
        if node == self.root {
            return Distance::ZERO;
        }
        let mut best = Distance::NONE;
        for from in graph.into(node).filter(|from| self.passes(graph, *from)) {
            let start = self.at(from);
            if start > best {
                continue;
            }
            for arc in graph.between(from, node) {
                best = best.min(start.plus(graph, from, node, arc.cost));
            }
        }
        best
    }

    /// Distances: nodes whose distance is not what they are offered are settled in order of the smaller of the two.
    fn settle<K>(&mut self, graph: &Graph<K>, changes: &Changes, work: &mut Work) -> Vec<(Node, Distance)> {
        let mut heap = BinaryHeap::new();
        let mut before: std::collections::HashMap<Node, Distance> = std::collections::HashMap::new();
        let push = |tree: &Self, heap: &mut BinaryHeap<Turn>, node: Node| {
            let (has, offered) = (tree.at(node), tree.offered(graph, node));
            if has != offered {
                heap.push(turn(graph, has.min(offered), node));
            }
        };
        for node in &changes.nodes {
            push(self, &mut heap, *node);
        }
        while let Some(Reverse((key, _, node))) = heap.pop() {
            let (has, offered) = (self.at(node), self.offered(graph, node));
            if has == offered || has.min(offered) != key {
                if has != offered {
                    heap.push(turn(graph, has.min(offered), node));
                }
                continue;
            }
            work.settled += 1;
            before.entry(node).or_insert(has);
            // Farther than thought: nobody may build on the old distance before it is known how far.
            self.distance[node.index()] = if offered < has { offered } else { Distance::NONE };
            if offered > has {
                push(self, &mut heap, node);
            }
            for arc in graph.arcs(node) {
                push(self, &mut heap, arc.to);
            }
        }
        before.into_iter().filter(|(node, old)| self.at(*node) != *old).collect()
    }

    /// First hops, from the nearest node that may have others downwards.
    fn rehop<K>(
        &mut self,
        graph: &Graph<K>,
        changes: &Changes,
        moved: &[(Node, Distance)],
        work: &mut Work,
    ) -> Vec<Node> {
        let mut heap = BinaryHeap::new();
        let mut queued = std::collections::HashSet::new();
        // Another number of free arcs at the same cost is nobody's business outside.
        let differs = |(node, old): &&(Node, Distance)| self.at(*node).cost() != old.cost();
        let mut changed: Vec<Node> = moved.iter().filter(differs).map(|(node, _)| *node).collect();
        let mut queue = |tree: &Self, heap: &mut BinaryHeap<Turn>, node: Node| {
            if queued.insert(node) {
                heap.push(turn(graph, tree.at(node), node));
            }
        };
        for node in &changes.nodes {
            queue(self, &mut heap, *node);
        }
        for (node, _) in moved {
            queue(self, &mut heap, *node);
            for arc in graph.arcs(*node) {
                queue(self, &mut heap, arc.to);
            }
        }
        while let Some(Reverse((_, _, node))) = heap.pop() {
            work.rehopped += 1;
            let hops = self.first_hops(graph, node);
            if hops == self.hops[node.index()] {
                continue;
            }
            self.hops[node.index()] = hops;
            changed.push(node);
            for arc in graph.arcs(node).filter(|arc| self.is_tight(graph, node, arc)) {
                queue(self, &mut heap, arc.to);
            }
        }
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}
