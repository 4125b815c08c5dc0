//! Why a route goes no further: each place of import and export that stops one names its reason here, so that counters,
//! `explain` and route servers speak of the same thing. A feature that stops routes adds a variant and its text.

use std::fmt;

use ferrite_types::Community;

/// Why a received route is not taken into the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// RFC 8212: an eBGP session without import policy.
    NoPolicy,
    /// The first AS of the path is not the neighbour's (`enforce-first-as`).
    FirstAs,
    /// An AS_SET in the path (RFC 9774, `bgp reject-as-sets`).
    AsSet,
    /// Our own AS is in the path.
    AsLoop,
    /// ORIGINATOR_ID is ours (RFC 4456 §8).
    OriginatorLoop,
    /// Our cluster is in CLUSTER_LIST (RFC 4456 §8).
    ClusterLoop,
    /// ONLY_TO_CUSTOMER says that it must not come from this neighbour (RFC 9234 §5).
    RouteLeak,
    /// Node targets name other routers only (draft-ietf-idr-node-target-ext-comm).
    NodeTarget,
    /// The next hop is no address of another router (RFC 4271 §6.3).
    NextHop,
    /// Import policy denies it.
    Policy,
    /// Import policy set a next hop that cannot be used.
    NextHopAfterPolicy,
}

impl Refusal {
    /// A word for JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPolicy => "noPolicy",
            Self::FirstAs => "firstAs",
            Self::AsSet => "asSet",
            Self::AsLoop => "asLoop",
            Self::OriginatorLoop => "originatorLoop",
            Self::ClusterLoop => "clusterLoop",
            Self::RouteLeak => "routeLeak",
            Self::NodeTarget => "nodeTarget",
            Self::NextHop => "nextHop",
            Self::Policy => "policy",
            Self::NextHopAfterPolicy => "nextHopAfterPolicy",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoPolicy => "the session has no import policy (RFC 8212, bgp ebgp-requires-policy)",
            Self::FirstAs => "the first AS of the path is not the neighbor's (enforce-first-as)",
            Self::AsSet => "the AS path has an AS_SET (bgp reject-as-sets)",
            Self::AsLoop => "our own AS is in the AS path (allowas-in)",
            Self::OriginatorLoop => "ORIGINATOR_ID is this router's (RFC 4456)",
            Self::ClusterLoop => "our cluster is in CLUSTER_LIST (RFC 4456)",
            Self::RouteLeak => "it is for customers only and does not come from above (RFC 9234)",
            Self::NodeTarget => "its node targets name other routers only",
            Self::NextHop => "the next hop is not an address of another router",
            Self::Policy => "import policy denies it",
            Self::NextHopAfterPolicy => "import policy set a next hop that cannot be used",
        })
    }
}

/// Why a path is not told to a neighbour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Withheld {
    /// RFC 8212: an eBGP session without export policy.
    NoPolicy,
    /// It came from this neighbour.
    SplitHorizon,
    /// A well-known community keeps it here (RFC 1997).
    Community(Community),
    /// From iBGP to iBGP, and neither end is a client (RFC 4271 §9.2, RFC 4456 §6).
    InternalToInternal,
    /// Between clients, with `no bgp client-to-client reflection`.
    ClientToClient,
    /// Export policy denies it.
    Policy,
    /// It is for customers only, and the neighbour is none (RFC 9234 §5).
    OnlyToCustomer,
    /// The neighbour's AS is in the path (`sender-as-path-loop-detection`).
    AsLoop,
    /// We have no address of the family to give as the next hop.
    NoNextHop,
    /// A summary-only aggregate covers it.
    Suppressed,
    /// The neighbour has as many prefixes as `maximum-prefix-out` lets it have.
    MaximumPrefixOut,
    /// The attributes do not fit into a message.
    TooBig,
    /// `default-originate` stands in its place.
    DefaultOriginate,
    /// Another path is told: the best, or those that add-path names.
    NotChosen,
    /// The neighbour's outbound route filter denies it (RFC 5291).
    OutboundFilter,
    /// The condition of `advertise-map` does not hold.
    Condition,
    /// It came from the neighbour's site (`neighbor X soo`).
    SiteOfOrigin,
}

impl Withheld {
    /// A word for JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPolicy => "noPolicy",
            Self::SplitHorizon => "splitHorizon",
            Self::Community(_) => "community",
            Self::InternalToInternal => "internalToInternal",
            Self::ClientToClient => "clientToClient",
            Self::Policy => "policy",
            Self::OnlyToCustomer => "onlyToCustomer",
            Self::AsLoop => "asLoop",
            Self::NoNextHop => "noNextHop",
            Self::Suppressed => "suppressed",
            Self::MaximumPrefixOut => "maximumPrefixOut",
            Self::TooBig => "tooBig",
            Self::DefaultOriginate => "defaultOriginate",
            Self::NotChosen => "notChosen",
            Self::OutboundFilter => "outboundRouteFilter",
            Self::Condition => "advertiseMapCondition",
            Self::SiteOfOrigin => "siteOfOrigin",
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPolicy => {
                f.write_str("the session has no export policy (RFC 8212, bgp ebgp-requires-policy)")
            }
            Self::SplitHorizon => f.write_str("the path came from this neighbor"),
            Self::Community(community) => write!(f, "community {community} keeps it here"),
            Self::InternalToInternal => {
                f.write_str("from iBGP to iBGP, and neither end is a route reflector client")
            }
            Self::ClientToClient => f.write_str("between clients, and client-to-client reflection is off"),
            Self::Policy => f.write_str("export policy denies it"),
            Self::OnlyToCustomer => {
                f.write_str("it is for customers only, and the neighbor is none (RFC 9234)")
            }
            Self::AsLoop => f.write_str("the neighbor's AS is in the path (sender-as-path-loop-detection)"),
            Self::NoNextHop => f.write_str("there is no address of ours to give as the next hop"),
            Self::Suppressed => f.write_str("a summary-only aggregate suppresses it"),
            Self::MaximumPrefixOut => f.write_str("maximum-prefix-out is reached"),
            Self::TooBig => f.write_str("the attributes do not fit into a message"),
            Self::DefaultOriginate => f.write_str("default-originate stands in its place"),
            Self::NotChosen => f.write_str("another path is told"),
            Self::OutboundFilter => f.write_str("the neighbor's outbound route filter denies it (RFC 5291)"),
            Self::Condition => f.write_str("the condition of advertise-map does not hold"),
            Self::SiteOfOrigin => f.write_str("it has the neighbor's site of origin (soo)"),
        }
    }
}
