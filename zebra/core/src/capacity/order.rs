//! In which order routes are left out where there is no room for all: `zebra fib priority PROTOCOL N`, `zebra fib keep PREFIX`.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_types::{Prefix, RouteProtocol};

/// What is left out first comes last: whether the operator wants it kept, the priority of its protocol, the protocol, its length,
/// itself.
pub type Rank = (u8, RouteProtocol, u8, Prefix);

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Order {
    /// In place of the protocol's default distance; the greatest is left out first.
    pub priorities: BTreeMap<RouteProtocol, u8>,
    /// Routes in these go last, as static routes of the lowest priority would.
    pub keep: BTreeSet<Prefix>,
}

impl Order {
    pub fn rank(&self, protocol: RouteProtocol, prefix: Prefix) -> Rank {
        let own = self.priorities.get(&protocol).copied().unwrap_or(protocol.default_distance().0);
        let within = |keep: &Prefix| keep.len() <= prefix.len() && keep.contains(prefix.addr());
        let kept = self.keep.iter().any(within);
        (if kept { 0 } else { own.max(1) }, protocol, prefix.len(), prefix)
    }
}
