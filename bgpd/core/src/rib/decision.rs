//! The decision process (RFC 4271 §9.1.2.2) as an ordered list of named rules, in FRR's order and with FRR's reasons.
//!
//! Each rule sees two candidates and says which is preferred, or nothing; the first that says something decides. MED is no
//! total order, because it is compared only between paths of one neighbouring AS: with `bgp deterministic-med` the
//! best of each such AS are found first and compared afterwards.

use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use bgp_packet::attr::Origin;
use ferrite_types::Asn;

use super::settings::{DecisionSettings, PeerKind};

/// The rule that told two paths apart; its text is what `show bgp PREFIX` prints behind `best`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// There was only one.
    FirstPath,
    Stale,
    Weight,
    LocalPref,
    LocalRoute,
    Aigp,
    ConfedAsPath,
    AsPath,
    Origin,
    Med,
    PeerType,
    ConfedPeerType,
    IgpMetric,
    OlderPath,
    RouterId,
    ClusterLength,
    NeighborIp,
    LocallyConfigured,
    NothingLeft,
}

impl Reason {
    pub const fn text(self) -> &'static str {
        match self {
            Self::FirstPath => "First path received",
            Self::Stale => "Path Staleness",
            Self::Weight => "Weight",
            Self::LocalPref => "Local Pref",
            Self::LocalRoute => "Local Route",
            Self::Aigp => "AIGP",
            Self::ConfedAsPath => "Confederation based AS Path",
            Self::AsPath => "AS Path",
            Self::Origin => "Origin",
            Self::Med => "MED",
            Self::PeerType => "Peer Type",
            Self::ConfedPeerType => "Confed Peer Type",
            Self::IgpMetric => "IGP Metric",
            Self::OlderPath => "Older Path",
            Self::RouterId => "Router ID",
            Self::ClusterLength => "Cluster length",
            Self::NeighborIp => "Neighbor IP",
            Self::LocallyConfigured => "Locally configured route",
            Self::NothingLeft => "Nothing left to compare",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// A usable path with everything that the rules compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub weight: u32,
    /// With the default put in where the path carries none.
    pub local_pref: u32,
    /// Our own: lower ranks first. `None` where a neighbour sent it.
    pub local: Option<u32>,
    pub aigp: Option<u64>,
    pub hops: u16,
    pub confed_hops: u16,
    pub origin: Origin,
    /// With the setting for a missing one put in.
    pub med: u32,
    /// The AS by which MEDs are grouped.
    pub neighbor: Option<Asn>,
    pub kind: PeerKind,
    pub igp_metric: u32,
    pub cluster_length: usize,
    /// ORIGINATOR_ID, or the neighbour's identifier (RFC 4456 §9).
    pub router_id: Ipv4Addr,
    pub peer: Option<IpAddr>,
    pub path_id: u32,
    /// Best until now.
    pub selected: bool,
    pub stale: bool,
    /// Same AS path means multipath; a fingerprint is enough to group by.
    pub as_path_hash: u64,
}

/// `Less`: the first is preferred.
type Rule = fn(&Candidate, &Candidate, &DecisionSettings) -> Ordering;

/// Rules up to the IGP metric: paths that they cannot tell apart may share the traffic.
const QUALITY: &[(Reason, Rule)] = &[
    (Reason::Stale, |a, b, _| a.stale.cmp(&b.stale)),
    (Reason::Weight, |a, b, _| b.weight.cmp(&a.weight)),
    (Reason::LocalPref, |a, b, _| b.local_pref.cmp(&a.local_pref)),
    (Reason::LocalRoute, |a, b, _| a.local.is_none().cmp(&b.local.is_none())),
    (Reason::Aigp, aigp),
    (Reason::ConfedAsPath, |a, b, s| {
        if s.as_path_ignore || !s.as_path_confed {
            Ordering::Equal
        } else {
            confed_length(a).cmp(&confed_length(b))
        }
    }),
    (Reason::AsPath, |a, b, s| {
        if s.as_path_ignore || s.as_path_confed { Ordering::Equal } else { a.hops.cmp(&b.hops) }
    }),
    (Reason::Origin, |a, b, _| a.origin.cmp(&b.origin)),
    (Reason::Med, med),
    (Reason::PeerType, |a, b, _| internal(a).cmp(&internal(b))),
    (Reason::ConfedPeerType, |a, b, _| confed_rank(a).cmp(&confed_rank(b))),
    (Reason::IgpMetric, |a, b, _| a.igp_metric.cmp(&b.igp_metric)),
];

/// Rules that only break ties.
const TIES: &[(Reason, Rule)] = &[
    (Reason::OlderPath, older),
    (Reason::RouterId, |a, b, _| a.router_id.cmp(&b.router_id)),
    (Reason::ClusterLength, |a, b, _| a.cluster_length.cmp(&b.cluster_length)),
    (Reason::NeighborIp, |a, b, _| a.peer.cmp(&b.peer)),
    (Reason::LocallyConfigured, |a, b, _| a.local.cmp(&b.local)),
    (Reason::NothingLeft, |a, b, _| a.path_id.cmp(&b.path_id)),
];

fn confed_length(c: &Candidate) -> u32 {
    u32::from(c.hops) + u32::from(c.confed_hops)
}

/// RFC 7311 §4.1: the metric to the next hop counts in.
fn aigp(a: &Candidate, b: &Candidate, settings: &DecisionSettings) -> Ordering {
    if !settings.aigp {
        return Ordering::Equal;
    }
    let total = |c: &Candidate| c.aigp.map(|aigp| aigp.saturating_add(u64::from(c.igp_metric)));
    match (total(a), total(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// MEDs count between paths of one neighbouring AS, and where settings say so.
fn med(a: &Candidate, b: &Candidate, settings: &DecisionSettings) -> Ordering {
    let both_within = a.hops == 0 && b.hops == 0;
    let comparable = settings.always_compare_med
        || (both_within && (a.confed_hops == 0 && b.confed_hops == 0 || settings.med_confed))
        || (a.neighbor.is_some() && a.neighbor == b.neighbor);
    if comparable { a.med.cmp(&b.med) } else { Ordering::Equal }
}

fn internal(c: &Candidate) -> bool {
    c.kind != PeerKind::External
}

/// Within a confederation, eBGP before iBGP.
fn confed_rank(c: &Candidate) -> bool {
    c.kind == PeerKind::Internal
}

/// Between external paths the one that is best already stays (RFC 5004), so that routes do not flap.
fn older(a: &Candidate, b: &Candidate, settings: &DecisionSettings) -> Ordering {
    let both_external = a.kind == PeerKind::External && b.kind == PeerKind::External;
    if settings.compare_router_id || !both_external || a.local.is_some() || b.local.is_some() {
        return Ordering::Equal;
    }
    b.selected.cmp(&a.selected)
}

fn first_difference(
    rules: &[(Reason, Rule)],
    a: &Candidate,
    b: &Candidate,
    settings: &DecisionSettings,
) -> Option<(Ordering, Reason)> {
    rules.iter().find_map(|(reason, rule)| match rule(a, b, settings) {
        Ordering::Equal => None,
        ordering => Some((ordering, *reason)),
    })
}

/// Which of two paths is preferred (`Less`: the first), and the rule that says so.
pub fn compare(a: &Candidate, b: &Candidate, settings: &DecisionSettings) -> (Ordering, Reason) {
    first_difference(QUALITY, a, b, settings)
        .or_else(|| first_difference(TIES, a, b, settings))
        .unwrap_or((Ordering::Equal, Reason::NothingLeft))
}

/// The best of several paths.
pub fn best(candidates: &[Candidate], settings: &DecisionSettings) -> Option<usize> {
    let better = |best: Option<usize>, index: usize| match best.and_then(|best| candidates.get(best)) {
        Some(holder) => match candidates.get(index) {
            Some(candidate) if compare(candidate, holder, settings).0 == Ordering::Less => Some(index),
            _ => best,
        },
        None => Some(index),
    };
    if !settings.deterministic_med || settings.always_compare_med {
        return (0..candidates.len()).fold(None, better);
    }
    // The best of each neighbouring AS first (RFC 4271 §9.1.2.2 c).
    let mut winners: Vec<usize> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let same = |winner: &&mut usize| {
            candidates.get(**winner).is_some_and(|other| other.neighbor == candidate.neighbor)
        };
        match winners.iter_mut().find(same) {
            Some(winner) => *winner = better(Some(*winner), index).unwrap_or(index),
            None => winners.push(index),
        }
    }
    winners.into_iter().fold(None, better)
}

/// Why `best` is best: the rule that puts it before the strongest of the others.
pub fn reason(candidates: &[Candidate], best: usize, settings: &DecisionSettings) -> Reason {
    let Some(winner) = candidates.get(best) else { return Reason::NothingLeft };
    let rivals: Vec<Candidate> =
        candidates.iter().enumerate().filter(|(index, _)| *index != best).map(|(_, c)| c.clone()).collect();
    match self::best(&rivals, settings).and_then(|index| rivals.get(index)) {
        Some(rival) => compare(winner, rival, settings).1,
        None => Reason::FirstPath,
    }
}

/// Limits of multipath (RFC 7938 §5.4 and FRR's settings).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Multipath {
    pub ebgp: u16,
    pub ibgp: u16,
    pub equal_cluster_length: bool,
}

/// The paths that share the traffic with the best, itself left out, most preferred first.
pub fn multipath(
    candidates: &[Candidate],
    best: usize,
    limits: Multipath,
    settings: &DecisionSettings,
) -> Vec<usize> {
    let Some(winner) = candidates.get(best) else { return Vec::new() };
    let limit = if winner.kind == PeerKind::External { limits.ebgp } else { limits.ibgp };
    if limit <= 1 || winner.local.is_some() {
        return Vec::new();
    }
    let equal = |other: &Candidate| {
        let same_type = if settings.peer_type_multipath_relax {
            // The peer type and what follows it do not count; the rules before it must agree.
            QUALITY
                .iter()
                .filter(|(reason, _)| {
                    !matches!(reason, Reason::PeerType | Reason::ConfedPeerType | Reason::IgpMetric)
                })
                .all(|(_, rule)| rule(winner, other, settings) == Ordering::Equal)
                && (winner.kind != other.kind || winner.igp_metric == other.igp_metric)
        } else {
            winner.kind == other.kind && first_difference(QUALITY, winner, other, settings).is_none()
        };
        let cluster = !limits.equal_cluster_length
            || winner.kind != PeerKind::Internal
            || winner.cluster_length == other.cluster_length;
        let path = settings.as_path_multipath_relax
            || winner.kind != PeerKind::External
            || winner.as_path_hash == other.as_path_hash;
        other.local.is_none() && same_type && cluster && path
    };
    let mut equals: Vec<usize> = (0..candidates.len())
        .filter(|index| *index != best && candidates.get(*index).is_some_and(equal))
        .collect();
    equals.sort_by(|a, b| match (candidates.get(*a), candidates.get(*b)) {
        (Some(a), Some(b)) => compare(a, b, settings).0,
        _ => Ordering::Equal,
    });
    equals.truncate(usize::from(limit) - 1);
    equals
}

#[cfg(test)]
mod tests;
