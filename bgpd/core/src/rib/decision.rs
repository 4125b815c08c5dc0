//! The decision process (RFC 4271 §9.1.2.2) as an ordered list of named rules, in FRR's order and with FRR's reasons.

use std::fmt;

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
