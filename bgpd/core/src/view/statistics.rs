//! `show bgp statistics`, `statistics-all` and `neighbors X prefix-counts`.

use std::fmt;

use ferrite_types::{Afi, Prefix};
use indexmap::IndexMap;
use serde::Serialize;

use crate::rib::statistics::{PeerTally, TableStatistics};

/// Figures over one table, with FRR's keys.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatisticsView {
    #[serde(skip)]
    pub title: String,
    pub instance: String,
    pub total_advertisements: u64,
    pub total_prefixes: u64,
    pub average_prefix_length: f64,
    pub unaggregateable_prefixes: u64,
    pub maximum_aggregateable_prefixes: u64,
    pub bgp_aggregate_advertisements: u64,
    pub address_space_advertised: f64,
    #[serde(flatten)]
    pub space: Space,
    pub advertisements_with_paths: u64,
    pub longest_as_path: u64,
    pub average_as_path_length_hops: f64,
    pub largest_as_path: u64,
    pub average_as_path_size_bytes: f64,
    pub highest_public_asn: u32,
    pub total_redistributed: u64,
    pub total_local_aggregates: u64,
    pub prefix_length: Vec<IndexMap<String, u64>>,
}

/// The addresses announced, in the units of their family.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Space {
    V4 {
        #[serde(rename = "%announced")]
        percent: f64,
        #[serde(rename = "/8equivalent")]
        slash_8: f64,
        #[serde(rename = "/24equivalent")]
        slash_24: f64,
    },
    V6 {
        #[serde(rename = "/32equivalent")]
        slash_32: f64,
        #[serde(rename = "/48equivalent")]
        slash_48: f64,
    },
}

fn ratio(sum: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { sum as f64 / of as f64 }
}

impl StatisticsView {
    /// `title` names the family, `instance` the table.
    pub fn new(afi: Afi, title: String, instance: String, sum: &TableStatistics) -> Self {
        let bits: i32 = if afi == Afi::Ipv6 { 128 } else { 32 };
        let size = |prefix: &Prefix| 2f64.powi(bits - i32::from(prefix.len()));
        // The sum of nothing would be -0.
        let space = sum.uncovered.iter().map(size).fold(0.0, |sum: f64, size| sum + size);
        let outer = sum.uncovered.len() as u64;
        let blocks = |length: i32| space / 2f64.powi(bits - length);
        let lengths = sum.lengths.iter().enumerate().filter(|(_, count)| **count > 0);
        let length_sum: u64 = lengths.clone().map(|(length, count)| length as u64 * count).sum();
        Self {
            title,
            instance,
            total_advertisements: sum.paths,
            total_prefixes: sum.prefixes,
            average_prefix_length: ratio(length_sum, sum.prefixes),
            unaggregateable_prefixes: outer,
            maximum_aggregateable_prefixes: sum.prefixes.saturating_sub(outer),
            bgp_aggregate_advertisements: sum.aggregates,
            address_space_advertised: space,
            space: if afi == Afi::Ipv6 {
                Space::V6 { slash_32: blocks(32), slash_48: blocks(48) }
            } else {
                Space::V4 { percent: space * 100.0 / 2f64.powi(32), slash_8: blocks(8), slash_24: blocks(24) }
            },
            advertisements_with_paths: sum.paths,
            longest_as_path: sum.longest_path,
            average_as_path_length_hops: ratio(sum.hops, sum.paths),
            largest_as_path: sum.largest_path,
            average_as_path_size_bytes: ratio(sum.path_octets, sum.paths),
            highest_public_asn: sum.highest_asn,
            total_redistributed: sum.redistributed,
            total_local_aggregates: sum.local_aggregates,
            prefix_length: lengths
                .map(|(length, count)| IndexMap::from([(length.to_string(), *count)]))
                .collect(),
        }
    }
}

/// A number in at most six digits, as C's `%g` has it.
fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor() as i32;
    if (-4..6).contains(&exponent) {
        let text = format!("{value:.*}", (5 - exponent).max(0) as usize);
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        return text.to_owned();
    }
    let text = format!("{value:.5e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

impl fmt::Display for StatisticsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "BGP {} RIB statistics ({})", self.title, self.instance)?;
        self.write_prefixes(f)?;
        writeln!(f)?;
        self.write_paths(f)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<30}: {:>12}", value.to_string())
}

/// A line whose name stands at the right.
fn right(f: &mut fmt::Formatter<'_>, name: &str, value: String) -> fmt::Result {
    writeln!(f, "{name:>29} : {value:>12}")
}

impl StatisticsView {
    fn write_prefixes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "Total Advertisements", self.total_advertisements)?;
        line(f, "Total Prefixes", self.total_prefixes)?;
        line(f, "Average prefix length", format!("{:.2}", self.average_prefix_length))?;
        line(f, "Unaggregateable prefixes", self.unaggregateable_prefixes)?;
        line(f, "Maximum aggregateable prefixes", self.maximum_aggregateable_prefixes)?;
        line(f, "BGP Aggregate advertisements", self.bgp_aggregate_advertisements)?;
        line(f, "Address space advertised", short(self.address_space_advertised))?;
        match self.space {
            Space::V4 { percent, slash_8, slash_24 } => {
                right(f, "% announced", format!("{percent:.2}"))?;
                right(f, "/8 equivalent", format!("{slash_8:.2}"))?;
                right(f, "/24 equivalent", format!("{slash_24:.2}"))
            }
            Space::V6 { slash_32, slash_48 } => {
                right(f, "/32 equivalent", short(slash_32))?;
                right(f, "/48 equivalent", short(slash_48))
            }
        }
    }

    fn write_paths(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "Advertisements with paths", self.advertisements_with_paths)?;
        line(f, "Longest AS-Path (hops)", self.longest_as_path)?;
        line(f, "Average AS-Path length (hops)", format!("{:.2}", self.average_as_path_length_hops))?;
        line(f, "Largest AS-Path (bytes)", self.largest_as_path)?;
        line(f, "Average AS-Path size (bytes)", format!("{:.2}", self.average_as_path_size_bytes))?;
        line(f, "Highest public ASN", self.highest_public_asn)?;
        line(f, "Redistributed routes", self.total_redistributed)?;
        line(f, "Local aggregates", self.total_local_aggregates)
    }
}

/// `neighbors X prefix-counts`, with FRR's keys.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixCountsView {
    pub prefix_counts_for: String,
    pub multi_protocol: &'static str,
    #[serde(skip)]
    pub title: String,
    pub pfx_counter: u64,
    pub rib_table_walk_counters: IndexMap<&'static str, u64>,
}

impl PrefixCountsView {
    pub fn new(name: String, family: (&'static str, String), tally: &PeerTally) -> Self {
        let rows = [
            ("Adj-in", tally.kept),
            ("Damped", tally.damped),
            ("Removed", 0),
            ("History", 0),
            ("Stale", tally.stale),
            ("Valid", tally.valid),
            ("All RIB", tally.accepted),
            ("PfxCt counted", tally.accepted),
            ("PfxCt Best Selected", tally.best),
            ("Useable", tally.valid),
            ("Unsorted", 0),
        ];
        Self {
            prefix_counts_for: name,
            multi_protocol: family.0,
            title: family.1,
            pfx_counter: tally.accepted,
            rib_table_walk_counters: IndexMap::from(rows),
        }
    }
}

impl fmt::Display for PrefixCountsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Prefix counts for {}, {}", self.prefix_counts_for, self.title)?;
        writeln!(f, "PfxCt: {}\n\nCounts from RIB table walk:\n", self.pfx_counter)?;
        self.rib_table_walk_counters
            .iter()
            .try_for_each(|(name, count)| writeln!(f, "{name:>20}: {count:<10}"))
    }
}

/// One neighbour in `show bgp … prefix-counts`, which is ours: all neighbours from one walk over the table.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TallyView {
    pub accepted: u64,
    pub best: u64,
    pub filtered: u64,
    pub kept: u64,
    pub stale: u64,
}

impl From<&PeerTally> for TallyView {
    fn from(tally: &PeerTally) -> Self {
        Self {
            accepted: tally.accepted,
            best: tally.best,
            filtered: tally.filtered,
            kept: tally.kept,
            stale: tally.stale,
        }
    }
}

/// See [`TallyView`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tallies {
    pub neighbors: IndexMap<String, TallyView>,
}

impl fmt::Display for Tallies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = "Neighbor";
        writeln!(f, "{name:<40} {:>10} {:>10} {:>10}", "Accepted", "Best", "Filtered")?;
        for (name, row) in &self.neighbors {
            writeln!(f, "{name:<40} {:>10} {:>10} {:>10}", row.accepted, row.best, row.filtered)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(prefixes: &[&str]) -> TableStatistics {
        let uncovered: Vec<Prefix> = prefixes.iter().map(|text| text.parse().unwrap()).collect();
        let bits = if prefixes.iter().any(|text| text.contains(':')) { 129 } else { 33 };
        let mut lengths = vec![0; bits];
        uncovered.iter().for_each(|prefix| lengths[usize::from(prefix.len())] += 1);
        TableStatistics {
            prefixes: uncovered.len() as u64,
            paths: uncovered.len() as u64,
            lengths,
            uncovered,
            ..TableStatistics::default()
        }
    }

    #[test]
    fn figures_are_those_of_frr() {
        let sum = sum(&["10.22.1.0/24"]);
        let view = StatisticsView::new(Afi::Ipv4, "IPv4 Unicast".into(), "VRF default".into(), &sum);
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(json["addressSpaceAdvertised"], 256.0);
        assert_eq!(json["%announced"], 5.9604644775390625e-06);
        assert_eq!(json["/8equivalent"], 1.52587890625e-05);
        assert_eq!(json["prefixLength"], serde_json::json!([{ "24": 1 }]));
        let text = view.to_string();
        assert!(text.starts_with("BGP IPv4 Unicast RIB statistics (VRF default)\n"), "{text}");
        assert!(text.contains("\nAddress space advertised      :          256\n"), "{text}");
        assert!(
            text.contains(
                "\n               /24 equivalent :         1.00\n\nAdvertisements with paths     :"
            ),
            "{text}"
        );
    }

    #[test]
    fn large_numbers_are_short() {
        assert_eq!(short(67108864.0), "6.71089e+07");
        assert_eq!(short(7.922_937_144_008_395e28), "7.92294e+28");
        assert_eq!(short(1.0000152587890625), "1.00002");
        assert_eq!(
            (short(65537.0), short(0.0), short(0.00001)),
            ("65537".into(), "0".into(), "1e-05".into())
        );
    }

    #[test]
    fn an_empty_table_divides_by_nothing() {
        let view = StatisticsView::new(Afi::Ipv6, "IPv6 Unicast".into(), "VRF default".into(), &sum(&[]));
        assert_eq!((view.average_prefix_length, view.average_as_path_size_bytes), (0.0, 0.0));
    }
}
