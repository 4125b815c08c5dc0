//! What goes into a shard and what comes out of it.

use std::sync::Arc;

use bgp_packet::attr::Attributes;
use bgp_packet::{Family, FamilySet};
use bytes::Bytes;
use ferrite_policy::Scope;
use ferrite_rpki::{Delta, Tables};
use ferrite_types::zclient::{self, NexthopState, RedistributedRoute, RouteResult, TrackNexthop};
use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix};

use super::default_route::{Passed, Purpose};
use super::export::FilterKey;
use super::monitor::{MonitorRow, MonitorSent, MonitorWants};
use super::notice::Notice;
use super::query::{Answer, Query, QueryToken};
use super::rules::Refused;
use super::settings::{PeerId, PeerParams, ShardConfig};

/// What the world did.
#[derive(Debug)]
pub enum ShardEvent {
    /// The configuration, whole: at the start and after every change.
    Configured(Arc<ShardConfig>),
    /// A session is established. `session` grows with every session of the peer.
    PeerUp {
        peer: PeerId,
        session: u64,
        params: Arc<PeerParams>,
    },
    /// The parameters of an established session changed without a reset. Import policy that changed takes effect with
    /// `Reapply` (or a route refresh that the instance sends); export policy at once.
    PeerChanged {
        peer: PeerId,
        params: Arc<PeerParams>,
    },
    /// The session is gone: its routes are removed, in slices.
    PeerDown {
        peer: PeerId,
        session: u64,
    },
    /// The session is gone and the peer is thought to come back: its routes in these families are kept, stale.
    PeerLost {
        peer: PeerId,
        session: u64,
        keep: FamilySet,
        /// Of those, the families whose routes outlive another restart (RFC 9494).
        long_lived: FamilySet,
    },
    /// What is stale of the peer is kept no longer.
    StaleOver {
        peer: PeerId,
        family: Family,
    },
    /// What is stale of the peer is from now on put behind all other routes (RFC 9494 §4.2).
    LongLived {
        peer: PeerId,
        family: Family,
    },
    Routes(RouteBatch),
    /// The peer's initial table is complete: what is stale and was not told again is removed.
    EndOfRib {
        peer: PeerId,
        session: u64,
        family: Family,
    },
    /// The peer asks for our table again (ROUTE-REFRESH), or `clear … soft out`.
    RefreshOut {
        peer: PeerId,
        family: Family,
    },
    /// Evaluates stored routes again (soft-reconfiguration inbound), or the table for the peer.
    Reapply {
        peer: PeerId,
        family: Option<Family>,
        direction: ReapplyDirection,
    },
    /// Import policy of these peers changed: what is stored of them within the scope is judged again.
    Reimport {
        peers: Arc<[PeerId]>,
        family: Family,
        scope: Scope,
    },
    /// The peer will send its table again (we asked by ROUTE-REFRESH, and it announced the start by BoRR): what it has
    /// not named by `RefreshInEnd` is removed.
    RefreshInBegin {
        peer: PeerId,
        session: u64,
        family: Family,
    },
    RefreshInEnd {
        peer: PeerId,
        session: u64,
        family: Family,
    },
    /// How tracked next hops are reached.
    Nexthops(Vec<NexthopState>),
    Redistributed(Vec<RedistributedRoute>),
    FibResults(Vec<RouteResult>),
    /// Another shard's part in a route that this shard originates.
    Contribution(Contribution),
    /// In these families nothing is decided, sent or installed until another word of this; routes are taken in.
    Defer(FamilySet),
    /// Octets of this shard that a peer's writer has put on its socket.
    Credit {
        peer: PeerId,
        octets: usize,
        /// Of `Send`s that are gone as a whole.
        messages: u32,
    },
    /// Updates of this shard that went into zebra's stream.
    ZebraCredit {
        updates: usize,
    },
    /// Zebra was reconnected: send everything again, then [`ShardAction::ReplayDone`].
    ReplayFib,
    /// Answer [`ShardAction::ReplayDone`] once everything known so far has been sent to zebra.
    FibBarrier,
    /// Zebra is gone: nothing is sent until `ReplayFib`.
    ZebraGone,
    /// `clear ip bgp dampening`: flaps are forgotten, of one prefix or of all.
    ClearDampening {
        family: Family,
        prefix: Option<Prefix>,
    },
    Query(QueryToken, Query),
    /// What the RPKI says now, and where that judges differently from before.
    Rpki {
        tables: Option<Arc<Tables>>,
        delta: Arc<Delta>,
    },
    /// Which changes are to be told from now on.
    Monitor(MonitorWants),
    /// Rows of [`ShardAction::Monitored`] that were dealt with.
    MonitorCredit {
        rows: usize,
    },
}

/// Which side of the table is evaluated again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReapplyDirection {
    In,
    Out,
}

/// Why a peer's routes are removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlushReason {
    SessionDown,
    RefreshEnded,
}

/// Routes of one peer and family for one shard, in the order received.
#[derive(Debug)]
pub struct RouteBatch {
    pub peer: PeerId,
    pub session: u64,
    pub family: Family,
    /// Attribute sets that `changes` point into.
    pub attrs: Vec<Arc<Attributes>>,
    pub changes: Changes,
}

/// Announced and withdrawn prefixes of one family.
#[derive(Debug)]
pub enum Changes {
    V4(Vec<Change<Ipv4Prefix>>),
    V6(Vec<Change<Ipv6Prefix>>),
}

/// One announcement or withdrawal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<P> {
    pub prefix: P,
    /// Zero where the session has no path identifiers.
    pub path_id: u32,
    /// Index into the batch's attributes, or [`WITHDRAWN`].
    pub attrs: u32,
}

/// In [`Change::attrs`]: the prefix is withdrawn.
pub const WITHDRAWN: u32 = u32::MAX;

impl RouteBatch {
    pub fn new(peer: PeerId, session: u64, family: Family) -> Self {
        let changes = if family.afi == Afi::Ipv6 { Changes::V6(Vec::new()) } else { Changes::V4(Vec::new()) };
        Self { peer, session, family, attrs: Vec::new(), changes }
    }

    pub fn len(&self) -> usize {
        match &self.changes {
            Changes::V4(changes) => changes.len(),
            Changes::V6(changes) => changes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The attributes of the prefixes that follow; a second call with the same `Arc` in a row costs nothing.
    pub fn attrs(&mut self, attrs: &Arc<Attributes>) -> u32 {
        if self.attrs.last().is_none_or(|last| !Arc::ptr_eq(last, attrs)) {
            self.attrs.push(Arc::clone(attrs));
        }
        self.attrs.len() as u32 - 1
    }

    /// Adds an announcement; `attrs` comes from [`RouteBatch::attrs`]. A prefix of another family is left out.
    #[inline]
    pub fn reach(&mut self, prefix: Prefix, path_id: u32, attrs: u32) {
        match (&mut self.changes, prefix) {
            (Changes::V4(changes), Prefix::V4(prefix)) => changes.push(Change { prefix, path_id, attrs }),
            (Changes::V6(changes), Prefix::V6(prefix)) => changes.push(Change { prefix, path_id, attrs }),
            _ => {}
        }
    }

    #[inline]
    pub fn withdraw(&mut self, prefix: Prefix, path_id: u32) {
        self.reach(prefix, path_id, WITHDRAWN);
    }
}

/// What one shard tells the shard that originates a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contribution {
    Aggregate(AggregatePart),
    Default(DefaultPart),
    /// A neighbour with a maximum of routes has fewer now.
    Room(Family),
}

/// Whether a shard has routes that pass the route map of a `default-originate`. Replaces what it said before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DefaultPart {
    pub from: usize,
    pub family: Family,
    /// The map, the same in all shards.
    pub map: FilterKey,
    pub purpose: Purpose,
    /// The first route of the shard that passes.
    pub passed: Option<Passed>,
}

/// What one shard contributes to an aggregate that another owns. Replaces what it said before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AggregatePart {
    pub from: usize,
    pub aggregate: Prefix,
    pub family: Family,
    /// More specific routes in the table.
    pub count: u32,
    pub origin: bgp_packet::attr::Origin,
    pub atomic: bool,
    /// Of all routes, for `as-set`.
    pub as_path: bgp_packet::attr::AsPath,
    pub communities: Vec<ferrite_types::Community>,
    pub large_communities: Vec<ferrite_types::LargeCommunity>,
    pub ext_communities: Vec<ferrite_types::ExtCommunity>,
    /// The one MED that all routes have; `Err` where they differ.
    pub med: Result<Option<u32>, MedsDiffer>,
}

/// The routes of an aggregate have different MEDs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MedsDiffer;

/// What a shard wants done.
#[derive(Debug)]
pub enum ShardAction {
    /// Whole UPDATE messages for each of the peers.
    Send {
        peers: Arc<[PeerId]>,
        family: Family,
        bytes: Bytes,
        stats: SendStats,
    },
    /// The table that the peer was to get (first, or after a refresh) is complete in its writer's queue.
    TableSent {
        peer: PeerId,
        family: Family,
    },
    Zebra(zclient::RouteBatch),
    /// Everything asked for by `ReplayFib` or `FibBarrier` was sent.
    ReplayDone,
    /// The peer's End-of-RIB came, and the routes before it are in the table.
    EndOfRib {
        peer: PeerId,
        session: u64,
        family: Family,
    },
    /// Next hops whose reachability the shard wants to know, or no longer.
    Track(Vec<TrackNexthop>),
    /// This shard's part in a route that another originates.
    Contribute {
        to: usize,
        part: Contribution,
    },
    PrefixCounts(Vec<PrefixCount>),
    /// Routes not taken or not told because of a limit.
    Notices(Vec<Notice>),
    /// All routes of a session that went down are out of the shard.
    Flushed {
        peer: PeerId,
        session: u64,
    },
    Answer(QueryToken, Answer),
    /// Changes, in order with the answers to walks.
    Monitored {
        family: Family,
        rows: Vec<MonitorRow>,
    },
    /// The same octets as a `Send` before it.
    MonitoredSend(MonitorSent),
}

/// What is inside the octets of a `Send`, for the counters of each peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SendStats {
    pub messages: u32,
    pub announced: u32,
    pub withdrawn: u32,
}

/// Routes of a peer in this shard; sent when they changed, at most once a tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrefixCount {
    pub peer: PeerId,
    pub family: Family,
    /// Accepted by import policy and in the table.
    pub accepted: u32,
    /// Kept as received, where soft-reconfiguration is on; otherwise the same as `accepted`.
    pub received: u32,
    /// Of the accepted, those that wait to be told again after a restart or in a refresh.
    pub stale: u32,
    /// Announced to the peer.
    pub sent: u32,
    pub refused: Refused,
}
