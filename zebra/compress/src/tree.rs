//! The tree of routes: a node per route and per place where the ways to two routes part, in one arena.
//!
//! A change of the tree says which entries it made meaningless (those on the edges that it cut or joined) and leaves the
//! rest to `walk.rs`.

use crate::sets::SetRef;
use crate::{Compressor, Decision, Key, Prefix, sets};

/// The decision of an address without a route.
pub const NO_ROUTE: u32 = 0;
pub const NO_NODE: u32 = u32::MAX;
pub const ROOT: u32 = 0;

#[derive(Debug)]
pub struct Node<K> {
    pub bits: K,
    /// The route's decision; [`NO_ROUTE`] where the node only parts two ways.
    pub own: u32,
    pub set: SetRef,
    /// What entries above decide about this node's addresses.
    pub inherited: u32,
    pub children: [u32; 2],
    pub len: u8,
    pub pinned: bool,
    /// Something here or below changed in the update that is being worked on.
    pub dirty: bool,
}

/// A way from the root: nodes, each with the decision of the routes that holds in it.
pub type Path = Vec<(u32, u32)>;

impl<K: Key> Node<K> {
    pub fn prefix(&self) -> Prefix<K> {
        Prefix { bits: self.bits, len: self.len }
    }

    pub fn side_of(&self, prefix: Prefix<K>) -> usize {
        prefix.bits.bit(self.len)
    }
}

impl<K: Key> Compressor<K> {
    pub(crate) fn add_node(&mut self, prefix: Prefix<K>) -> u32 {
        let node = Node {
            bits: prefix.bits,
            len: prefix.len,
            own: NO_ROUTE,
            set: SetRef::NO_ROUTE,
            inherited: u32::MAX,
            children: [NO_NODE; 2],
            pinned: false,
            dirty: true,
        };
        match self.free.pop() {
            Some(index) => {
                self.nodes[index as usize] = node;
                index
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        }
    }

    fn free_node(&mut self, index: u32) {
        let Some(node) = self.nodes.get_mut(index as usize) else { return };
        let set = std::mem::replace(&mut node.set, SetRef::NO_ROUTE);
        node.children = [NO_NODE; 2];
        self.sets.release(set);
        self.free.push(index);
    }

    /// The nodes on the way to a prefix that contain it, the root first, and the node of the prefix itself last if it is there.
    fn path_to(&self, prefix: Prefix<K>) -> Path {
        let mut path = Vec::with_capacity(24);
        let mut at = ROOT;
        let mut holds = NO_ROUTE;
        while let Some(node) = self.node(at) {
            if node.len > prefix.len || node.bits.common(prefix.bits) < node.len {
                break;
            }
            if node.own != NO_ROUTE {
                holds = node.own;
            }
            path.push((at, holds));
            if node.len == prefix.len {
                break;
            }
            at = node.children[node.side_of(prefix)];
        }
        path
    }

    pub(crate) fn put(&mut self, prefix: Prefix<K>, decision: Decision, pinned: bool) {
        let own = decision.number().min(sets::MAX_DECISION);
        let mut path = self.path_to(prefix);
        let Some(&(last, holds)) = path.last() else { return };
        let mut start = last;
        if self.nodes[last as usize].prefix() != prefix {
            start = self.hang_in(last, prefix, holds, &mut path);
        }
        let node = &mut self.nodes[start as usize];
        if node.own == own && node.pinned == pinned {
            return;
        }
        let (old, was_pinned) = (node.own, node.pinned);
        (node.own, node.pinned) = (own, pinned);
        self.routes += usize::from(old == NO_ROUTE);
        self.pinned = self.pinned + usize::from(pinned) - usize::from(was_pinned);
        if let Some((_, holds)) = path.last_mut() {
            *holds = own;
        }
        self.update(path, true);
    }

    /// Makes the node for a prefix below `above`, and puts it on the path, with the node where ways part if one is needed.
    fn hang_in(&mut self, above: u32, prefix: Prefix<K>, holds: u32, path: &mut Path) -> u32 {
        let side = self.nodes[above as usize].side_of(prefix);
        self.forget_edge(above, side);
        let new = self.add_node(prefix);
        let below = self.nodes[above as usize].children[side];
        path.reserve(2);
        match self.node(below).map(Node::prefix) {
            None => self.nodes[above as usize].children[side] = new,
            Some(other) if other.bits.common(prefix.bits) >= prefix.len => {
                let at = other.bits.bit(prefix.len);
                self.nodes[new as usize].children[at] = below;
                self.nodes[above as usize].children[side] = new;
            }
            Some(other) => {
                let parting = prefix.up_to(other.bits.common(prefix.bits));
                let fork = self.add_node(parting);
                let at = prefix.bits.bit(parting.len);
                self.nodes[fork as usize].children[at] = new;
                self.nodes[fork as usize].children[1 - at] = below;
                self.nodes[above as usize].children[side] = fork;
                path.push((fork, holds));
            }
        }
        path.push((new, holds));
        new
    }

    pub(crate) fn take(&mut self, prefix: Prefix<K>) {
        let mut path = self.path_to(prefix);
        let Some(&(at, _)) = path.last() else { return };
        let node = &mut self.nodes[at as usize];
        if node.prefix() != prefix || node.own == NO_ROUTE {
            return;
        }
        self.routes -= 1;
        self.pinned -= usize::from(node.pinned);
        (node.own, node.pinned) = (NO_ROUTE, false);
        let above = path.iter().rev().nth(1).map_or(NO_ROUTE, |(_, holds)| *holds);
        if let Some((_, holds)) = path.last_mut() {
            *holds = above;
        }
        let region = self.straighten(&mut path);
        self.update(path, region);
    }

    /// Takes nodes out that say nothing any more: the last of the path, and then the one above it. True where the last
    /// node of the path now lies in another route's hold than before.
    fn straighten(&mut self, path: &mut Path) -> bool {
        for removed in [true, false] {
            let [.., (above, holds), (at, _)] = path[..] else { return removed };
            let node = &self.nodes[at as usize];
            let prefix = node.prefix();
            let only = match node.children {
                [_, _] if node.own != NO_ROUTE => return removed,
                [NO_NODE, below] | [below, NO_NODE] => below,
                _ => return removed,
            };
            let side = self.nodes[above as usize].side_of(prefix);
            for (node, side) in [(above, 0), (above, 1), (at, 0), (at, 1)] {
                self.forget_edge(node, side);
            }
            self.want(prefix, NO_ROUTE);
            self.nodes[above as usize].children[side] = only;
            self.free_node(at);
            path.pop();
            if let Some(below) = self.node(only) {
                let own = below.own;
                path.push((only, if own == NO_ROUTE { holds } else { own }));
                return removed && own == NO_ROUTE;
            }
        }
        false
    }

    /// Nothing stands at the places of an edge that have no node; those that the tree still has get their entries anew.
    fn forget_edge(&mut self, above: u32, side: usize) {
        let node = &self.nodes[above as usize];
        let (prefix, below) = (node.prefix(), node.children[side]);
        if prefix.len >= K::BITS {
            return;
        }
        match self.node(below).map(Node::prefix) {
            None => self.want(prefix.half(side), NO_ROUTE),
            Some(below) if below.len == prefix.len + 1 => {}
            Some(below) => {
                self.want(prefix.half(side), NO_ROUTE);
                if below.len == prefix.len + 2 {
                    self.want(below.sibling(), NO_ROUTE);
                }
            }
        }
    }
}
