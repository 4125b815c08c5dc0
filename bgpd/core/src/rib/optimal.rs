//! Optimal route reflection (RFC 9107): the decision as another router would take it, by what the way from there to each
//! next hop costs.
//!
//! A [`Vantage`] stands with the settings of a neighbour, and so with its update group: who sees the table from one root is
//! told the same. Nothing of it is kept per path: a group asks when it is told that an entry changed. Where the costs come
//! from is not known here; today the configuration gives them, an IGP's shortest paths from another root would be handed in as the
//! same table.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use ferrite_types::Prefix;
use rustc_hash::{FxHashMap, FxHasher};

use super::decision::Candidate;

/// What the way from one router to next hops costs.
#[derive(Debug, Default)]
pub struct CostTable {
    costs: FxHashMap<Prefix, u32>,
    /// Lengths of the prefixes, longest first.
    lengths: Vec<u8>,
    /// Of all that it holds.
    fingerprint: u64,
}

impl CostTable {
    pub fn new(costs: impl IntoIterator<Item = (Prefix, u32)>) -> Self {
        let mut rows: Vec<(Prefix, u32)> = costs.into_iter().collect();
        rows.sort_unstable();
        let mut hasher = FxHasher::default();
        rows.hash(&mut hasher);
        let mut lengths: Vec<u8> = rows.iter().map(|(prefix, _)| prefix.len()).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        Self { costs: rows.into_iter().collect(), lengths, fingerprint: hasher.finish() }
    }

    /// By the longest prefix that covers the address.
    pub fn cost(&self, addr: IpAddr) -> Option<u32> {
        let within = |length: &u8| Prefix::new(addr, *length);
        self.lengths.iter().filter_map(within).find_map(|prefix| self.costs.get(&prefix).copied())
    }

    pub fn len(&self) -> usize {
        self.costs.len()
    }
}

/// Where a neighbour's best path is seen from.
#[derive(Clone, Debug)]
pub struct Vantage {
    pub root: IpAddr,
    pub costs: Arc<CostTable>,
}

impl PartialEq for Vantage {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Vantage {}

impl Hash for Vantage {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Vantage {
    /// What tells two apart: the costs count, not who made them.
    fn key(&self) -> (IpAddr, u64, usize) {
        (self.root, self.costs.fingerprint, self.costs.len())
    }

    /// A candidate as the root sees it. A next hop that the root knows no way to comes last, and what was best here says
    /// nothing of there.
    pub fn see(&self, candidate: &mut Candidate, next_hop: IpAddr) {
        if candidate.local.is_none() {
            candidate.igp_metric = self.costs.cost(next_hop).unwrap_or(u32::MAX);
        }
        candidate.selected = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, u32)]) -> CostTable {
        CostTable::new(rows.iter().map(|(prefix, cost)| (prefix.parse().unwrap(), *cost)))
    }

    #[test]
    fn the_longest_prefix_says_what_a_way_costs() {
        let table =
            table(&[("10.0.0.0/8", 30), ("10.1.0.0/16", 20), ("10.1.1.1/32", 10), ("2001:db8::/32", 5)]);
        let cost = |addr: &str| table.cost(addr.parse().unwrap());
        assert_eq!(cost("10.1.1.1"), Some(10));
        assert_eq!(cost("10.1.1.2"), Some(20));
        assert_eq!(cost("10.2.0.1"), Some(30));
        assert_eq!(cost("2001:db8::1"), Some(5));
        assert_eq!((cost("192.0.2.1"), cost("::1")), (None, None));
    }

    #[test]
    fn equal_costs_from_one_root_are_one_vantage() {
        let vantage = |rows: &[(&str, u32)]| Vantage {
            root: "192.0.2.1".parse().unwrap(),
            costs: Arc::new(table(rows)),
        };
        let (a, b) = (("10.0.0.0/8", 1), ("11.0.0.0/8", 2));
        assert_eq!(vantage(&[a, b]), vantage(&[b, a]));
        assert_ne!(vantage(&[a, b]), vantage(&[a]));
        assert_ne!(vantage(&[("10.0.0.0/8", 2)]), vantage(&[a]));
    }
}
