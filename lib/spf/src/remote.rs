//! Remote loop-free alternates (RFC 7490): a router to tunnel to, from which the destination is reached without the failed
//! link, where no neighbour is one by itself.
//!
//! S is the root, E the far end of the link that fails.

use crate::graph::{Graph, Kind, Node};
use crate::lfa::Neighbourhood;
use crate::repair::{Crossing, Failure, network_of};
use crate::tree::{Cost, FirstHop, Tree};

/// A router in both spaces, and by which neighbour it is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PqNode {
    /// From S to the router by that neighbour.
    pub cost: Cost,
    pub node: Node,
    pub hop: FirstHop,
}

/// Routers in the extended P-space of S and the Q-space of E with respect to the link to `primary`: nearest first, each once.
///
/// P-space: some neighbour reaches it by shortest paths none of which crosses the link (RFC 7490 §5.2.1.2). Q-space: it
/// reaches E likewise (§5.2.2). S itself and E are none.
pub fn pq_nodes<K>(graph: &Graph<K>, around: &Neighbourhood<'_, K>, primary: &FirstHop) -> Vec<PqNode> {
    let (root, end) = (around.root(), primary.via);
    let crossing = Crossing::new(graph, root, Failure::Link(*primary));
    let (to_end, to_root) = (Tree::towards(graph, end), Tree::towards(graph, root));
    let network = network_of(graph, root, primary);
    let to_network = network.map(|network| Tree::towards(graph, network));
    let in_q = |node: Node| {
        let Some(distance) = to_end.cost(node) else { return false };
        // What a path that crosses what failed would cost: to its near end, and over it.
        let (before, over) = match (&to_network, network) {
            (Some(tree), Some(network)) => (tree.cost(node), around.distance(network, end)),
            _ => (to_root.cost(node), around.cost_to(primary)),
        };
        before.zip(over).is_none_or(|(before, over)| distance < before + over)
    };
    let mut found = Vec::new();
    for node in graph.nodes() {
        let able = graph.kind(node) == Kind::Router && graph.is_transit(node);
        if !able || node == root || node == end || !in_q(node) {
            continue;
        }
        let ways = around.neighbours().filter(|hop| hop.link != primary.link);
        let by = |hop: FirstHop| {
            let tree = around.tree(hop.via)?;
            let cost = around.cost_to(&hop)? + tree.cost(node)?;
            crossing.is_spared(tree, node).then_some(PqNode { cost, node, hop })
        };
        found.extend(ways.filter_map(by).min());
    }
    found.sort_unstable();
    found
}
