//! The graph: what routers say of their links, before anybody has checked that both ends say it.
//!
//! An arc counts only while its other end has an arc back (RFC 2328 §16.1 step 2b); what one end claims alone is kept and
//! starts to count when the other end agrees. Changing a node's arcs yields the nodes whose shortest path that may touch.

use std::collections::HashMap;
use std::hash::Hash;

/// A node of one [`Graph`], by position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Node(pub(crate) u32);

impl Node {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Router,
    /// A network with several routers (transit network, pseudonode): no hop of its own.
    Network,
}

/// A link as the node it leaves describes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Arc {
    pub to: Node,
    /// The protocol's metric; 0 is allowed (from a network to its routers).
    pub cost: u32,
    /// By what the node that owns the arc finds its interface; parallel links differ in it.
    pub link: u32,
}

/// Nodes whose shortest paths a change may have touched; handed to [`Tree::repair`](crate::Tree::repair).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    pub(crate) nodes: Vec<Node>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

#[derive(Debug, Clone)]
struct Entry {
    kind: Kind,
    /// Whether paths may lead through: not for an overloaded intermediate system (ISO 10589 §7.2.8.1) or OSPFv3's cleared R-bit.
    transit: bool,
    /// Sorted by end, so that one end finds what the other says of it.
    out: Vec<Arc>,
    /// Who has an arc to here, sorted, each once.
    into: Vec<Node>,
}

/// Routers and networks with the arcs they announce.
#[derive(Debug, Clone)]
pub struct Graph<K> {
    nodes: Vec<Entry>,
    keys: Vec<K>,
    by_key: HashMap<K, Node>,
}

impl<K> Default for Graph<K> {
    fn default() -> Self {
        Self { nodes: Vec::new(), keys: Vec::new(), by_key: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> Graph<K> {
    pub fn new() -> Self {
        Self::default()
    }

    /// The node of that name, made if it is new. A node that is only pointed at exists without arcs.
    pub fn node(&mut self, key: &K, kind: Kind) -> Node {
        if let Some(node) = self.by_key.get(key) {
            return *node;
        }
        let node = Node(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Entry { kind, transit: true, out: Vec::new(), into: Vec::new() });
        self.keys.push(key.clone());
        self.by_key.insert(key.clone(), node);
        node
    }

    pub fn find(&self, key: &K) -> Option<Node> {
        self.by_key.get(key).copied()
    }

    pub fn key(&self, node: Node) -> Option<&K> {
        self.keys.get(node.index())
    }
}

impl<K> Graph<K> {
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<K> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(Node)
    }

    pub fn kind(&self, node: Node) -> Kind {
        self.nodes.get(node.index()).map_or(Kind::Router, |entry| entry.kind)
    }

    pub fn is_transit(&self, node: Node) -> bool {
        self.nodes.get(node.index()).is_some_and(|entry| entry.transit)
    }

    /// Whether paths may lead through a node; its own addresses are reached either way.
    pub fn set_transit(&mut self, node: Node, transit: bool, changes: &mut Changes) {
        let Some(entry) = self.nodes.get_mut(node.index()) else { return };
        if entry.transit != transit {
            entry.transit = transit;
            changes.nodes.extend(entry.out.iter().map(|arc| arc.to));
        }
    }

    /// Replaces all that a node announces; an empty list is a node that went.
    pub fn set_arcs(&mut self, node: Node, mut arcs: Vec<Arc>, changes: &mut Changes) {
        let count = self.nodes.len();
        arcs.retain(|arc| arc.to.index() < count && arc.to != node);
        arcs.sort_unstable();
        arcs.dedup();
        let Some(entry) = self.nodes.get_mut(node.index()) else { return };
        let old = std::mem::replace(&mut entry.out, arcs.clone());
        let (mut before, mut after) = (old.chunk_by(same_end).peekable(), arcs.chunk_by(same_end).peekable());
        let mut presence = false;
        loop {
            let (gone, here) = match (before.peek(), after.peek()) {
                (None, None) => break,
                (Some(b), Some(a)) if b[0].to == a[0].to => (before.next(), after.next()),
                (Some(b), Some(a)) if b[0].to < a[0].to => (before.next(), None),
                (Some(_), None) => (before.next(), None),
                _ => (None, after.next()),
            };
            let Some(end) = gone.or(here).and_then(|run| run.first()).map(|arc| arc.to) else { continue };
            if gone == here {
                continue;
            }
            changes.nodes.push(end);
            if gone.is_none() || here.is_none() {
                presence = true;
                self.note_presence(end, node, here.is_some());
            }
        }
        // What others say of us counts only while we answer.
        if presence {
            changes.nodes.push(node);
        }
    }

    fn note_presence(&mut self, end: Node, from: Node, there: bool) {
        let Some(entry) = self.nodes.get_mut(end.index()) else { return };
        match (entry.into.binary_search(&from), there) {
            (Err(at), true) => entry.into.insert(at, from),
            (Ok(at), false) => drop(entry.into.remove(at)),
            _ => {}
        }
    }

    /// All arcs a node announces, answered or not.
    pub fn announced(&self, node: Node) -> &[Arc] {
        self.nodes.get(node.index()).map_or(&[], |entry| &entry.out)
    }

    /// Arcs that leave a node and are answered by their other end.
    pub fn arcs(&self, node: Node) -> impl Iterator<Item = Arc> {
        self.announced(node).iter().copied().filter(move |arc| self.has_arc(arc.to, node))
    }

    /// The arcs from one node to another, if the other answers.
    pub fn between(&self, from: Node, to: Node) -> &[Arc] {
        if self.has_arc(to, from) { self.run(from, to) } else { &[] }
    }

    /// Nodes with an answered arc to this one.
    pub fn into(&self, node: Node) -> impl Iterator<Item = Node> {
        let from: &[Node] = self.nodes.get(node.index()).map_or(&[], |entry| &entry.into);
        from.iter().copied().filter(move |from| self.has_arc(node, *from))
    }

    fn has_arc(&self, from: Node, to: Node) -> bool {
        !self.run(from, to).is_empty()
    }

    fn run(&self, from: Node, to: Node) -> &[Arc] {
        let arcs = self.announced(from);
        let start = arcs.partition_point(|arc| arc.to < to);
        let rest = &arcs[start..];
        &rest[..rest.partition_point(|arc| arc.to == to)]
    }
}

fn same_end(a: &Arc, b: &Arc) -> bool {
    a.to == b.to
}
