//! `show bgp statistics`, `statistics-all`, and the counts of paths by neighbour.

use bgp_packet::Family;
use ferrite_cli::Args;
use indexmap::IndexMap;
use serde::Serialize;

use super::{Answers, family_or_ipv6, json};
use crate::instance::Instance;
use crate::rib::query::PathTallies;
use crate::rib::statistics::{PeerTally, TableStatistics};
use crate::rib::{Answer, PeerId, Query};
use crate::view::family_key;
use crate::view::statistics::{PrefixCountsView, StatisticsView, Tallies};

/// One table; the counters of FRR's work queue that follow it have no meaning here and are zero.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneTable {
    #[serde(flatten)]
    table: IndexMap<&'static str, [StatisticsView; 1]>,
    bgp_best_path_calls: u64,
    bgp_node_on_queue: u64,
    bgp_node_deferred_on_queue: u64,
}

impl Instance {
    /// Both families, or the one named.
    fn statistics_view(&self, family: Family, answers: &Answers, question: usize) -> StatisticsView {
        let mut sum = TableStatistics::default();
        for answer in answers.get(question).into_iter().flatten() {
            if let Answer::Statistics(part) = answer {
                sum.add(part);
            }
        }
        let instance = format!("{} {}", self.name.kind(), self.label());
        StatisticsView::new(family.afi, family.to_string(), instance, &sum)
    }

    pub(super) fn statistics(&self, args: &Args, answers: &Answers) -> String {
        let family = family_or_ipv6(args);
        let view = self.statistics_view(family, answers, 0);
        if !args.has("json") {
            return view.to_string();
        }
        json(&OneTable {
            table: IndexMap::from([(family_key(family.afi, family.safi), [view])]),
            bgp_best_path_calls: 0,
            bgp_node_on_queue: 0,
            bgp_node_deferred_on_queue: 0,
        })
    }

    pub(super) fn all_statistics(&self, args: &Args, answers: &Answers) -> String {
        let families = Family::ALL.into_iter().enumerate();
        let views: IndexMap<&'static str, [StatisticsView; 1]> = families
            .map(|(question, family)| {
                (family_key(family.afi, family.safi), [self.statistics_view(family, answers, question)])
            })
            .collect();
        if args.has("json") {
            json(&views)
        } else {
            views.values().flatten().map(ToString::to_string).collect()
        }
    }

    /// Of one neighbour where one is named.
    pub(super) fn tally_question(&self, args: &Args) -> Result<Query, String> {
        let family = family_or_ipv6(args);
        let peer = match (args.get("neighbor"), self.named_peer(args)) {
            (None, _) => None,
            (Some(_), Some((id, _))) => Some(id),
            (Some(_), None) => return Err(super::no_such_neighbor(args)),
        };
        Ok(Query::Tallies { family, peer })
    }

    pub(super) fn prefix_counts(&self, args: &Args, answers: &Answers) -> String {
        let family = family_or_ipv6(args);
        let mut sums: IndexMap<PeerId, PeerTally> = IndexMap::new();
        for answer in answers.iter().flatten() {
            let Answer::Tallies(PathTallies(rows)) = answer else { continue };
            rows.iter().for_each(|(id, tally)| sums.entry(*id).or_default().add(tally));
        }
        if let Some((id, entry)) = args.get("neighbor").and_then(|_| self.named_peer(args)) {
            let tally = sums.get(&id).copied().unwrap_or_default();
            let name = (family_key(family.afi, family.safi), family.to_string());
            let view = PrefixCountsView::new(entry.name.to_string(), name, &tally);
            return if args.has("json") { json(&view) } else { view.to_string() };
        }
        let active = self
            .peers
            .iter()
            .filter(|(_, entry)| entry.effective.family(family).is_some_and(|part| part.active));
        let neighbors = active
            .map(|(id, entry)| (entry.name.to_string(), sums.get(id).copied().unwrap_or_default()))
            .map(|(name, tally)| (name, (&tally).into()))
            .collect();
        let view = Tallies { neighbors };
        if args.has("json") { json(&view) } else { view.to_string() }
    }
}
