//! External routes gathered under prefixes: of ours (`summary-address`), and of an NSSA where it is translated (RFC 3101 §3.2).

use std::collections::BTreeMap;

use ferrite_types::Prefix;

use crate::config::{ExternalRange, Range};
use crate::version::{ExternalRoute, INFINITY};

/// The longest of the ranges that a prefix lies in.
fn range_of<T>(ranges: &BTreeMap<Prefix, T>, prefix: Prefix) -> Option<(Prefix, &T)> {
    let covering = ranges.iter().filter(|(range, _)| range.covers(prefix));
    covering.max_by_key(|(range, _)| range.len()).map(|(range, config)| (*range, config))
}

/// Our external routes as they are announced. A range takes the largest metric of its routes, and is of type 2 where one is.
pub(crate) fn gather_externals(
    routes: impl Iterator<Item = ExternalRoute>,
    ranges: &BTreeMap<Prefix, ExternalRange>,
) -> Vec<ExternalRoute> {
    let mut single = Vec::new();
    let mut gathered: BTreeMap<Prefix, ExternalRoute> = BTreeMap::new();
    for route in routes {
        match range_of(ranges, route.prefix) {
            None => single.push(route),
            Some((_, ExternalRange { advertise: false, .. })) => {}
            Some((range, config)) => {
                let there = gathered.entry(range).or_insert(ExternalRoute {
                    prefix: range,
                    metric: 0,
                    type2: false,
                    forwarding: None,
                    tag: config.tag,
                    propagate: false,
                });
                there.metric = config.metric.unwrap_or(there.metric.max(route.metric));
                there.type2 = config.type2.unwrap_or(there.type2 || route.type2);
            }
        }
    }
    single.extend(gathered.into_values());
    single
}

/// Translated routes. Of type 2 routes the metric is one more than the largest, so that those who know the routes themselves
/// prefer them (RFC 3101 §3.2 (2)).
pub(crate) fn gather_translated(
    routes: impl Iterator<Item = ExternalRoute>,
    ranges: &BTreeMap<Prefix, Range>,
) -> Vec<ExternalRoute> {
    let mut single = Vec::new();
    let mut gathered: BTreeMap<Prefix, ExternalRoute> = BTreeMap::new();
    for route in routes {
        match range_of(ranges, route.prefix) {
            None => single.push(route),
            Some((_, Range { advertise: false, .. })) => {}
            Some((range, config)) => {
                let metric = if route.type2 { route.metric.saturating_add(1) } else { route.metric };
                let prefix = config.substitute.unwrap_or(range);
                let new =
                    ExternalRoute { prefix, metric: 0, type2: false, forwarding: None, tag: 0, ..route };
                let there = gathered.entry(prefix).or_insert(new);
                there.type2 |= route.type2;
                there.metric = config.cost.unwrap_or(there.metric.max(metric)).min(INFINITY - 1);
            }
        }
    }
    single.extend(gathered.into_values());
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().expect("a prefix")
    }

    fn route(text: &str, metric: u32, type2: bool) -> ExternalRoute {
        let forwarding = Some([10, 0, 0, 1].into());
        ExternalRoute { prefix: prefix(text), metric, type2, forwarding, tag: 5, propagate: true }
    }

    #[test]
    fn externals_in_a_range_become_one() {
        let ranges = BTreeMap::from([
            (prefix("10.0.0.0/8"), ExternalRange { tag: 9, ..ExternalRange::default() }),
            (prefix("10.1.0.0/16"), ExternalRange { advertise: false, ..ExternalRange::default() }),
        ]);
        let routes = [
            ("10.2.0.0/16", 5, false),
            ("10.3.0.0/16", 20, true),
            ("10.1.1.0/24", 99, true),
            ("11.0.0.0/8", 1, true),
        ];
        let routes = routes.map(|(text, metric, type2)| route(text, metric, type2));
        let told = gather_externals(routes.into_iter(), &ranges);
        let told: Vec<_> = told.iter().map(|r| (r.prefix, r.metric, r.type2, r.tag)).collect();
        assert_eq!(told, [(prefix("11.0.0.0/8"), 1, true, 5), (prefix("10.0.0.0/8"), 20, true, 9)]);
    }

    #[test]
    fn a_translated_range_of_type_2_costs_one_more() {
        let ranges = BTreeMap::from([(prefix("10.0.0.0/8"), Range::default())]);
        let routes =
            [route("10.2.0.0/16", 5, false), route("10.3.0.0/16", 20, true), route("11.0.0.0/8", 1, true)];
        let told = gather_translated(routes.into_iter(), &ranges);
        let told: Vec<_> =
            told.iter().map(|r| (r.prefix, r.metric, r.type2, r.forwarding.is_some())).collect();
        assert_eq!(told, [(prefix("11.0.0.0/8"), 1, true, true), (prefix("10.0.0.0/8"), 21, true, false)]);
        let hidden = BTreeMap::from([(prefix("10.0.0.0/8"), Range { advertise: false, ..Range::default() })]);
        assert!(gather_translated([route("10.2.0.0/16", 5, true)].into_iter(), &hidden).is_empty());
    }
}
