//! What shows ask of a shard: typed questions, owned answers. A walk over a table comes in chunks; between two of them the
//! shard goes on working, so a row is true at the moment it was read.

use std::net::IpAddr;
use std::sync::Arc;

use bgp_packet::Family;
use bgp_packet::attr::Attributes;
use ferrite_types::{Distance, Metric, Nexthop, Prefix, RouteProtocol, Tag, Timestamp};

use super::decision::Reason;
use super::explain::{ExplainScope, Explained};
use super::reason::Withheld;
use super::settings::PeerId;
use super::statistics::{PeerTally, TableStatistics};

/// Chosen by whoever asks, given back with every answer; a walk keeps its token for all its chunks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueryToken(pub u64);

#[derive(Clone, Debug)]
pub enum Query {
    /// One prefix; answered by every shard, with `None` where it is another's or unknown.
    Prefix {
        family: Family,
        prefix: Prefix,
    },
    /// The longest prefix of this shard that covers the address.
    Longest {
        family: Family,
        addr: IpAddr,
    },
    /// Why one prefix, or the longest that covers an address (a host prefix), is as it is.
    Explain {
        family: Family,
        prefix: Prefix,
        longest: bool,
        scope: ExplainScope,
    },
    /// The next `limit` rows of a walk in prefix order. The first question of a token opens the walk; the answer says
    /// whether it is at its end. A walk not asked for in 120 seconds is forgotten.
    Walk {
        source: WalkSource,
        family: Family,
        within: Option<Prefix>,
        limit: usize,
    },
    /// The same, with the peers that have each prefix.
    WalkHolders {
        source: WalkSource,
        family: Family,
        within: Option<Prefix>,
        limit: usize,
    },
    /// Forgets a walk.
    EndWalk,
    Counts {
        family: Family,
    },
    /// Figures over the table.
    Statistics {
        family: Family,
    },
    /// The paths of every neighbour, or of one, counted.
    Tallies {
        family: Family,
        peer: Option<PeerId>,
    },
    UpdateGroups {
        family: Family,
    },
    Nexthops,
    Memory,
    /// Routes that have flapped, of all neighbours or one.
    Flaps {
        family: Family,
        peer: Option<PeerId>,
    },
    /// The aggregates whose prefix this shard owns.
    Aggregates {
        family: Family,
    },
}

/// Which table is walked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalkSource {
    Table,
    /// As received, before policy: what soft-reconfiguration keeps, otherwise what was accepted.
    Received(PeerId),
    /// Received and denied by import policy (needs soft-reconfiguration).
    Filtered(PeerId),
    /// Accepted routes of a peer.
    Accepted(PeerId),
    /// What the peer was sent.
    Advertised(PeerId),
    /// Best paths of others that the peer was not sent, with the reason.
    Withheld(PeerId),
}

#[derive(Clone, Debug)]
pub enum Answer {
    Prefix(Option<Box<PrefixView>>),
    Rows { rows: Vec<PrefixView>, done: bool },
    Counts(TableCounts),
    Statistics(Box<TableStatistics>),
    Tallies(PathTallies),
    UpdateGroups(Vec<GroupView>),
    Nexthops(Vec<NexthopView>),
    Memory(MemoryView),
    Aggregates(Vec<AggregateView>),
    Flaps(Vec<FlapView>),
    Explained(Option<Box<Explained>>),
    WalkEnded,
}

/// A prefix and its paths, best first.
#[derive(Clone, Debug)]
pub struct PrefixView {
    pub family: Family,
    pub prefix: Prefix,
    /// Version of the shard's table when the prefix last changed.
    pub version: u64,
    pub paths: Vec<PathView>,
    /// Why the best path is best; `None` without one.
    pub reason: Option<Reason>,
    /// Peers that have the prefix from us; filled for [`Query::Prefix`], [`Query::Longest`] and [`Query::WalkHolders`] only.
    pub advertised_to: Vec<PeerId>,
    /// Suppressed by a summary-only aggregate.
    pub suppressed: bool,
    /// Zebra's last word: installed, or rejected with this errno.
    pub fib: FibState,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FibState {
    #[default]
    None,
    Sent,
    Installed,
    Rejected,
}

/// Where a path comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PathSource {
    Peer(PeerId),
    Network,
    Aggregate,
    Redistributed(RouteProtocol),
    DefaultOriginate,
}

#[derive(Clone, Debug)]
pub struct PathView {
    pub source: PathSource,
    /// The identifier it came with; zero without.
    pub path_id: u32,
    /// The identifier it is sent with to neighbours that take several paths; zero where there are none.
    pub sent_id: u32,
    pub attrs: Arc<Attributes>,
    pub weight: u32,
    pub tag: u32,
    pub valid: bool,
    pub best: bool,
    pub multipath: bool,
    pub stale: bool,
    /// Held back because it flaps.
    pub damped: bool,
    pub suppressed: bool,
    /// Denied by import policy; kept by soft-reconfiguration.
    pub filtered: bool,
    /// Kept as received beside an accepted copy, or used as it was received.
    pub received_as_is: bool,
    /// When it was received.
    pub since: Timestamp,
    /// Metric to the next hop; `None`: unreachable or not tracked.
    pub igp_metric: Option<u32>,
    pub nexthop_reachable: bool,
    /// For an IPv6 next hop: packets go to the link-local address.
    pub uses_link_local: bool,
    /// Why the peer that is asked about does not have it; of [`WalkSource::Withheld`] only.
    pub withheld: Option<Withheld>,
    /// Peers that have this path from us; filled as `PrefixView::advertised_to` is, where identifiers are in use.
    pub advertised_to: Vec<PeerId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TableCounts {
    pub prefixes: u64,
    pub paths: u64,
    pub best: u64,
    pub attributes: u64,
    pub table_version: u64,
    /// Sum of prefix lengths, of AS path lengths: for `statistics`.
    pub prefix_length_sum: u64,
}

/// Paths by neighbour.
#[derive(Clone, Debug)]
pub struct PathTallies(pub Vec<(PeerId, PeerTally)>);

#[derive(Clone, Debug)]
pub struct GroupView {
    pub id: u32,
    pub created: Timestamp,
    pub members: Vec<PeerId>,
    /// Members that get changes on their own until they have caught up.
    pub catching_up: Vec<PeerId>,
    pub prefixes: u64,
    pub attribute_sets: u64,
    pub pending: u64,
    pub messages: u64,
    pub octets: u64,
}

#[derive(Clone, Debug)]
pub struct NexthopView {
    pub addr: IpAddr,
    pub connected_only: bool,
    /// `None`: zebra has not answered yet.
    pub valid: Option<bool>,
    pub metric: Metric,
    pub resolved: Arc<[Nexthop]>,
    /// Attribute sets that use it.
    pub uses: u32,
    pub changed: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemoryView {
    pub prefixes: u64,
    pub paths: u64,
    pub attributes: u64,
    /// Octets in the table, index and paths included.
    pub table_octets: u64,
    pub attribute_octets: u64,
    pub adj_out_octets: u64,
    /// Prefixes told, summed over the update groups.
    pub adj_out: u64,
    pub fib_octets: u64,
    pub nexthops: u64,
    /// Routes that went through import and export since the start, results that were known already not counted.
    pub imported: u64,
    pub exported: u64,
    /// Paths judged again because the RPKI said something else.
    pub revalidated: u64,
    /// Entries looked at to find those.
    pub looked_at: u64,
}

/// A route that has flapped (RFC 2439).
#[derive(Clone, Debug)]
pub struct FlapView {
    pub prefix: Prefix,
    pub peer: PeerId,
    pub path_id: u32,
    /// As announced last.
    pub attrs: Arc<Attributes>,
    pub penalty: u32,
    pub flaps: u32,
    pub since: Timestamp,
    /// Held back.
    pub suppressed: bool,
    /// Not announced at present.
    pub withdrawn: bool,
    /// Until it is used again; only while it is held back.
    pub reuse_in: Option<std::time::Duration>,
}

#[derive(Clone, Debug)]
pub struct AggregateView {
    pub prefix: Prefix,
    /// Contributing routes of all shards.
    pub count: u64,
    pub originated: bool,
    pub med_differs: bool,
}

/// What zebra was asked to install, for `show … json` and tests.
#[derive(Clone, Debug)]
pub struct FibView {
    pub nexthops: Arc<[Nexthop]>,
    pub distance: Distance,
    pub metric: Metric,
    pub tag: Tag,
}
