//! Shortest paths for link-state protocols: the graph that an LSDB describes, the tree of shortest paths with every first hop
//! of equal cost, kept incrementally, its loop-free alternates, and the timers that decide when to compute.
//!
//! Knows no protocol: nodes are named by whatever the protocol calls a router or a network, arcs carry a number by which it finds
//! its interface again. In goes a node's list of arcs whenever its LSA or LSP changed; out comes which nodes' distance or
//! first hops are not what they were. Does no IO and reads no clock.
//!
//! | module | holds | from |
//! | --- | --- | --- |
//! | [`graph`] | nodes, arcs, the check that both ends agree | RFC 2328 §16.1 (2b), ISO 10589 |
//! | [`tree`] | distances and first hops, whole or repaired | RFC 2328 §16.1 |
//! | [`lfa`] | loop-free alternates | RFC 5286 |
//! | [`remote`] | tunnel ends for remote alternates | RFC 7490 |
//! | [`repair`] | segments along the path after convergence (TI-LFA) | RFC 9855 |
//! | [`backoff`] | when to compute: RFC 8405's machine, and the throttle of FRR | RFC 8405 |

pub mod backoff;
pub mod graph;
pub mod lfa;
pub mod remote;
pub mod repair;
pub mod tree;

pub use graph::{Arc, Changes, Graph, Kind, Node};
pub use tree::{Cost, FirstHop, Tree};

#[cfg(test)]
mod tests;
