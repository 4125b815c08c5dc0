//! The routing table of a BGP speaker, as independent shards.
//!
//! ```text
//!  session task ── RouteBatch ─┐                              ┌─ Send(bytes, peers) ─► writer tasks
//!  (decode, split by shard)    ├─► Shard::handle / tick ──────┼─ Zebra(batch) ───────► zebra stream
//!  instance ── Configured, ────┘   one OS thread each         ├─ Contribute ─────────► another shard
//!              PeerUp/Down …                                  └─ Track, counts, answers ► instance
//! ```
//!
//! A shard owns a fixed slice of the prefixes ([`shard_of`]: a hash of the leading bits, so that every table spreads
//! evenly and prefixes that are likely to share attributes stay together) and everything that belongs to them: adj-RIB-in, decision, adj-RIB-out of every update group, what zebra was told.
//! Shards share no state. What crosses them goes through messages: the parts of an aggregate
//! ([`ShardAction::Contribute`] to the owner of the aggregate's prefix), limits and counts (summed by the instance),
//! shows (merged by the instance; rows of one walk come in prefix order). One shard works just as well.
//!
//! # What the shell owes a shard
//!
//! * `PeerUp` is queued before the first `Routes` of that session; both carry the session number, and routes of another
//!   session than the current one are dropped, so a late batch does no harm.
//! * `handle` each event, then `tick`, as long as [`Shard::next_deadline`] is due. Long work (a peer that goes down, a
//!   full table for a new peer, re-evaluation) is cut in slices, one per `tick`; events may come in between.
//! * `Send` puts the same octets into the writer queue of each peer named. When a writer has put octets on its socket it
//!   returns them as `Credit` to the shard they came from. A shard has at most [`SEND_WINDOW`] octets outstanding to
//!   a peer; what changes meanwhile coalesces, prefix by prefix. `TableSent` of every shard means: the initial table is
//!   with the writer, send End-of-RIB.
//! * `Zebra` batches are returned as `ZebraCredit` once they are in the stream; [`ZEBRA_WINDOW`] updates may be out.
//!
//! # Memory
//!
//! Counted, not guessed (`rib/tests/memory.rs` prints it): 16 octets a path, 40 an IPv4 prefix with its first path
//! inside, 10 to 15 for the index, four per prefix in each update group that announces it, four for the FIB.
//! Attributes are interned per shard; what a group sends is kept encoded, once per distinct attribute set.

mod adj_in;
mod aggregate;
mod attrs;
pub mod bandwidth;
mod ctx;
pub mod damping;
pub mod decision;
mod default_route;
mod defer;
pub mod event;
pub mod explain;
mod export;
mod family;
mod fib;
mod group;
pub mod local;
pub mod monitor;
mod nexthop;
pub mod notice;
pub mod optimal;
mod order;
pub mod orf;
mod pack;
mod path_id;
mod peers;
pub mod policy;
pub mod query;
pub mod quota;
pub mod reason;
pub mod reject;
pub mod rpki;
pub mod rules;
pub mod same;
pub mod settings;
mod shard;
mod slab;
mod stale;
pub mod statistics;
mod table;
mod users;
mod walk;

pub use ctx::Limits;
pub use event::{
    AggregatePart, Change, Changes, Contribution, FlushReason, PrefixCount, ReapplyDirection, RouteBatch,
    ShardAction, ShardEvent,
};
pub use monitor::{MonitorChange, MonitorRow, MonitorSent, MonitorWants};
pub use notice::{Notice, NoticeKind};
pub use policy::{Filter, PolicyInput, Verdict};
pub use query::{Answer, Query, QueryToken};
pub use settings::{AddPathSend, FamilyParams, FamilySettings, PeerId, PeerParams, ShardConfig};
pub use shard::Shard;
pub use table::shard_of;

/// Octets that a shard has outstanding to one peer before it waits for credit.
pub const SEND_WINDOW: usize = 512 * 1024;

/// Updates that a shard has outstanding to zebra before it waits for credit.
pub const ZEBRA_WINDOW: usize = 32 * 1024;

#[cfg(test)]
mod tests;
