//! Which candidate of a destination is used: FRR's order.
//!
//! 1. connected routes before all others; among them the lower metric, then the older one;
//! 2. the lower distance;
//! 3. the lower metric, then the older one.
//!
//! Candidates that are not usable (no active next hop, denied by policy, distance 255) are not asked.

use std::cmp::Ordering;

use ferrite_types::{Distance, Metric, RouteProtocol};

/// What the choice looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rank {
    pub protocol: RouteProtocol,
    pub distance: Distance,
    pub metric: Metric,
}

/// Distance of a route that is never used.
pub const UNUSABLE: Distance = Distance(255);

/// The candidate to use, of candidates from the oldest to the newest: the index that came with its rank.
pub fn best(candidates: impl IntoIterator<Item = (usize, Rank)>) -> Option<usize> {
    candidates
        .into_iter()
        .filter(|(_, rank)| rank.distance != UNUSABLE)
        .reduce(|a, b| if order(&b.1, &a.1).is_lt() { b } else { a })
        .map(|(index, _)| index)
}

/// Less is better.
fn order(a: &Rank, b: &Rank) -> Ordering {
    let connected = |rank: &Rank| rank.protocol != RouteProtocol::Connected;
    connected(a).cmp(&connected(b)).then(a.distance.cmp(&b.distance)).then(a.metric.cmp(&b.metric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(protocol: RouteProtocol, distance: u8, metric: u32) -> Rank {
        Rank { protocol, distance: Distance(distance), metric: Metric(metric) }
    }

    fn choose(ranks: &[Rank]) -> Option<usize> {
        best(ranks.iter().copied().enumerate())
    }

    #[test]
    fn rules_in_their_order() {
        use RouteProtocol::*;
        let rows: &[(&[Rank], Option<usize>, &str)] = &[
            (&[], None, "nothing to choose"),
            (&[rank(Bgp, 255, 0)], None, "distance 255 is never used"),
            (&[rank(Kernel, 0, 0), rank(Connected, 0, 5)], Some(1), "connected before kernel, metric or not"),
            (&[rank(Static, 1, 0), rank(Bgp, 20, 0)], Some(0), "lower distance"),
            (&[rank(Bgp, 20, 0), rank(Static, 250, 0)], Some(0), "floating static stays behind"),
            (&[rank(Ospf, 110, 20), rank(Isis, 110, 10)], Some(1), "lower metric at equal distance"),
            (&[rank(Ospf, 110, 10), rank(Isis, 110, 10)], Some(0), "the older one at equal metric"),
            (&[rank(Connected, 0, 0), rank(Connected, 0, 0)], Some(0), "the older connected one"),
        ];
        for (ranks, expected, why) in rows {
            assert_eq!(choose(ranks), *expected, "{why}");
        }
    }
}
