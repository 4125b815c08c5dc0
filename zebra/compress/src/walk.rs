//! From candidates to entries: up the path with what each node is content to inherit, down again with what it does inherit.
//!
//! The tree leaves out nodes with one child, so an edge may stand for several bits. With `I` the decision of the routes
//! above the edge, `A` the candidates of its lower node, and `k` the number of nodes that are left out, each of them with
//! one half that belongs to `I`:
//!
//! ```text
//!   k = 0:  the upper node sees A
//!   k = 1:  the node left out is content with A joined with {I}; it may need an entry, and so may its other half
//!   k > 1:  the highest node left out is content with I alone, and so is everything beside the edge
//! ```

use crate::sets::{Candidates, SetRef};
use crate::tree::{NO_NODE, NO_ROUTE, Node, Path};
use crate::{Compressor, Key};

/// Nodes above a change whose edges it may have cut or joined.
const LOOKED_AT: usize = 2;

impl<K: Key> Compressor<K> {
    /// Brings candidates and entries to the routes, after a change of the last node of a path.
    /// `region`: another route than before holds at that node.
    pub(crate) fn update(&mut self, mut path: Path, region: bool) {
        let Some(&(start, holds)) = path.last() else { return };
        let mut top = (start, holds);
        if region {
            self.recompute_below(start, holds);
            path.pop();
        }
        // The nodes that the change of the tree joined differently are looked at in any case.
        let mut looked_at = 0;
        while let Some((at, holds)) = path.pop() {
            top = (at, holds);
            let changed = self.recompute(at, holds);
            looked_at += 1;
            if !changed && looked_at >= LOOKED_AT {
                break;
            }
        }
        self.descend(top.0, top.1);
    }

    /// Recomputes a node and what lies below it, as far as the same route holds.
    fn recompute_below(&mut self, at: u32, holds: u32) {
        let Some(node) = self.node(at) else { return };
        for child in node.children {
            if self.node(child).is_some_and(|node| node.own == NO_ROUTE) {
                self.recompute_below(child, holds);
            }
        }
        self.recompute(at, holds);
    }

    /// True where the candidates changed.
    fn recompute(&mut self, at: u32, holds: u32) -> bool {
        let Some(node) = self.node(at) else { return false };
        let candidates = if node.pinned {
            Candidates::All
        } else {
            self.edge(node, 0, holds).join(self.edge(node, 1, holds))
        };
        let old = node.set;
        let changed = !self.sets.is(old, &candidates);
        if changed {
            let new = self.sets.acquire(&candidates);
            self.sets.release(old);
            self.nodes[at as usize].set = new;
        }
        self.nodes[at as usize].dirty = true;
        changed
    }

    /// What the upper end of an edge is content to inherit.
    fn edge(&self, node: &Node<K>, side: usize, holds: u32) -> Candidates {
        let Some(below) = self.node(node.children[side]) else { return Candidates::one(holds) };
        match below.len - node.len {
            0 | 1 => self.sets.get(below.set),
            2 => self.sets.get(below.set).join(Candidates::one(holds)),
            _ => Candidates::one(holds),
        }
    }

    /// Decides about the entries of a node and of what changed below it. `inherited` in the node says what comes from above.
    fn descend(&mut self, at: u32, holds: u32) {
        let Some(node) = self.node(at) else { return };
        let (prefix, children) = (node.prefix(), node.children);
        let inherited = node.inherited;
        let out = if node.pinned {
            self.want(prefix, NO_ROUTE);
            holds
        } else {
            let set = node.set;
            self.settle(prefix, inherited, set)
        };
        self.nodes[at as usize].dirty = false;
        if children == [NO_NODE; 2] {
            return;
        }
        for side in [0, 1] {
            self.descend_edge(at, side, holds, out);
        }
    }

    /// The entry of a node: none where what is inherited will do. Gives what holds below it.
    fn settle(&mut self, prefix: crate::Prefix<K>, inherited: u32, set: SetRef) -> u32 {
        if self.sets.contains(set, inherited) {
            self.want(prefix, NO_ROUTE);
            return inherited;
        }
        let choice = self.sets.get(set).choice();
        self.want(prefix, choice);
        choice
    }

    fn descend_edge(&mut self, above: u32, side: usize, holds: u32, mut inherited: u32) {
        let node = &self.nodes[above as usize];
        let (prefix, child) = (node.prefix(), node.children[side]);
        let exception = |inherited: u32| if inherited == holds { NO_ROUTE } else { holds };
        let Some(below) = self.node(child) else {
            self.want(prefix.half(side), exception(inherited));
            return;
        };
        let (lower, own, before, dirty) = (below.prefix(), below.own, below.inherited, below.dirty);
        match lower.len - prefix.len {
            0 | 1 => {}
            2 => {
                let content = self.sets.get(below.set).join(Candidates::one(holds));
                let entry = if content.contains(inherited) { NO_ROUTE } else { content.choice() };
                self.want(prefix.half(side), entry);
                if entry != NO_ROUTE {
                    inherited = entry;
                }
                self.want(lower.sibling(), exception(inherited));
            }
            _ => {
                self.want(prefix.half(side), exception(inherited));
                inherited = holds;
            }
        }
        if dirty || before != inherited {
            self.nodes[child as usize].inherited = inherited;
            self.descend(child, if own == NO_ROUTE { holds } else { own });
        }
    }
}
