//! Figures over a whole table, counted when somebody asks: what `show bgp statistics` prints, and of each neighbour how
//! many paths are what (`prefix-counts`).
//!
//! A shard knows a slice of the prefixes. Which of them nothing covers is decided where the slices meet, and for that a
//! shard gives those that it does not cover itself: what is covered by another shard's is covered by one that it gives.

use ferrite_types::{Asn, Prefix};
use rustc_hash::FxHashMap;

use super::ctx::{Ctx, local_id};
use super::family::Rib;
use super::peers::PeerIdx;
use super::settings::PeerId;
use super::table::{Key, Path, PathFlags};

/// One table, or a shard's part of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TableStatistics {
    pub paths: u64,
    pub prefixes: u64,
    /// Prefixes by their length.
    pub lengths: Vec<u64>,
    /// Prefixes that no other of the same part covers, in order.
    pub uncovered: Vec<Prefix>,
    /// Paths with ATOMIC_AGGREGATE.
    pub aggregates: u64,
    pub longest_path: u64,
    pub hops: u64,
    pub largest_path: u64,
    pub path_octets: u64,
    /// The highest AS number that is not private.
    pub highest_asn: u32,
    pub redistributed: u64,
    pub local_aggregates: u64,
}

/// Paths of one neighbour in one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PeerTally {
    /// As received, where that is kept.
    pub kept: u64,
    /// Of those, what policy denies.
    pub filtered: u64,
    /// In the table.
    pub accepted: u64,
    pub valid: u64,
    pub best: u64,
    pub stale: u64,
    pub damped: u64,
}

impl PeerTally {
    pub fn add(&mut self, other: &Self) {
        self.kept += other.kept;
        self.filtered += other.filtered;
        self.accepted += other.accepted;
        self.valid += other.valid;
        self.best += other.best;
        self.stale += other.stale;
        self.damped += other.damped;
    }
}

impl TableStatistics {
    /// Takes in another shard's part.
    pub fn add(&mut self, other: &Self) {
        self.paths += other.paths;
        self.prefixes += other.prefixes;
        if self.lengths.len() < other.lengths.len() {
            self.lengths.resize(other.lengths.len(), 0);
        }
        self.lengths.iter_mut().zip(&other.lengths).for_each(|(sum, more)| *sum += more);
        self.uncovered.extend_from_slice(&other.uncovered);
        self.uncovered.sort_unstable();
        self.uncovered = uncovered(&self.uncovered, Prefix::covers);
        self.aggregates += other.aggregates;
        self.longest_path = self.longest_path.max(other.longest_path);
        self.hops += other.hops;
        self.largest_path = self.largest_path.max(other.largest_path);
        self.path_octets += other.path_octets;
        self.highest_asn = self.highest_asn.max(other.highest_asn);
        self.redistributed += other.redistributed;
        self.local_aggregates += other.local_aggregates;
    }
}

/// Of prefixes in order, those that none before them covers.
fn uncovered<T: Copy>(sorted: &[T], covers: fn(T, T) -> bool) -> Vec<T> {
    let mut outer: Vec<T> = Vec::new();
    for prefix in sorted {
        if !outer.last().is_some_and(|last| covers(*last, *prefix)) {
            outer.push(*prefix);
        }
    }
    outer
}

/// RFC 6996, and the numbers that RFC 7300 reserves.
const fn is_private(asn: Asn) -> bool {
    matches!(asn.0, 64512..=65535 | 4200000000..=4294967295)
}

impl<P: Key> Rib<P> {
    pub fn statistics(&self, ctx: &Ctx) -> TableStatistics {
        let mut sum =
            TableStatistics { lengths: vec![0; usize::from(P::BITS) + 1], ..TableStatistics::default() };
        let mut prefixes: Vec<P> = Vec::new();
        for (_, entry) in self.table.iter() {
            let mut any = false;
            for path in entry.paths.iter().filter(|path| !path.flags.has(PathFlags::SHADOW)) {
                any = true;
                count_path(ctx, path, &mut sum);
            }
            if any {
                prefixes.push(entry.prefix);
                if let Some(count) = sum.lengths.get_mut(usize::from(entry.prefix.length())) {
                    *count += 1;
                }
            }
        }
        sum.prefixes = prefixes.len() as u64;
        prefixes.sort_unstable();
        sum.uncovered = uncovered(&prefixes, P::covers).into_iter().map(Into::into).collect();
        sum
    }

    /// The paths of every neighbour, or of one.
    pub fn tally(&self, ctx: &Ctx, peer: Option<PeerId>) -> Vec<(PeerId, PeerTally)> {
        let wanted = peer.map(|id| ctx.peers.idx(id));
        let mut sums: FxHashMap<PeerIdx, PeerTally> = FxHashMap::default();
        for (_, entry) in self.table.iter() {
            for path in entry.paths.iter().filter(|path| !path.peer.is_local()) {
                if wanted.is_none_or(|wanted| wanted == Some(path.peer)) {
                    let sum = sums.entry(path.peer).or_default();
                    tally_path(path, ctx.is_stale(path, self.slot), sum);
                }
            }
        }
        sums.into_iter().filter_map(|(idx, sum)| Some((ctx.peers.get(idx)?.id, sum))).collect()
    }
}

fn count_path(ctx: &Ctx, path: &Path, sum: &mut TableStatistics) {
    sum.paths += 1;
    if path.peer.is_local() {
        sum.redistributed += u64::from(path.path_id >= local_id::REDISTRIBUTED);
        sum.local_aggregates += u64::from(path.path_id == local_id::AGGREGATE);
    }
    let Some(interned) = ctx.attrs.get(path.attrs) else { return };
    let attrs = &interned.attrs;
    sum.aggregates += u64::from(attrs.atomic_aggregate);
    let (hops, octets) = (u64::from(interned.hops), attrs.as_path.octets().len() as u64);
    sum.hops += hops;
    sum.longest_path = sum.longest_path.max(hops);
    sum.path_octets += octets;
    sum.largest_path = sum.largest_path.max(octets);
    let public = attrs.as_path.asns().filter(|asn| !is_private(*asn));
    sum.highest_asn = public.map(|asn| asn.0).fold(sum.highest_asn, u32::max);
}

fn tally_path(path: &Path, stale: bool, sum: &mut PeerTally) {
    if path.flags.has(PathFlags::SHADOW) {
        sum.kept += 1;
        sum.filtered += u64::from(path.flags.has(PathFlags::FILTERED));
        return;
    }
    sum.accepted += 1;
    sum.valid += u64::from(path.flags.has(PathFlags::VALID));
    sum.best += u64::from(path.flags.has(PathFlags::BEST));
    sum.stale += u64::from(stale);
    sum.damped += u64::from(path.flags.has(PathFlags::DAMPED));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(prefixes: &[&str]) -> TableStatistics {
        let mut sorted: Vec<Prefix> = prefixes.iter().map(|text| text.parse().unwrap()).collect();
        sorted.sort_unstable();
        TableStatistics {
            prefixes: sorted.len() as u64,
            uncovered: uncovered(&sorted, Prefix::covers),
            ..TableStatistics::default()
        }
    }

    #[test]
    fn what_another_shard_covers_is_covered() {
        let mut sum = part(&["10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24"]);
        assert_eq!(sum.uncovered.len(), 2);
        sum.add(&part(&["10.0.0.0/8", "192.0.2.128/25"]));
        let outer: Vec<String> = sum.uncovered.iter().map(ToString::to_string).collect();
        assert_eq!((sum.prefixes, outer.join(" ")), (5, "10.0.0.0/8 192.0.2.0/24".to_owned()));
    }
}
