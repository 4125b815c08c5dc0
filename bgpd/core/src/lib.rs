//! BGP without IO: sessions, policy, routing table, configuration and what shows say about them.
//!
//! ```text
//!  shell (sockets, zebra stream, vty) ── Event ──► Speaker ─► Instance ── Action ──► shell
//!                                                    │  ▲
//!                                  ShardEvent, by way of the shell's queues, ShardAction
//!                                                    ▼  │
//!                                            Shard, one a thread
//! ```
//!
//! [`Speaker`] holds the instances (the default one, views, VRFs); [`Instance`] the neighbours' sessions and the configuration; a [`rib::Shard`] holds a slice of the table. Routes
//! go from a session's reader to the shards directly, and encoded UPDATEs from the shards to the writers.

pub mod action;
pub mod commands;
pub mod config;
pub mod event;
pub mod instance;
pub mod peer;
pub mod rib;
pub mod speaker;
pub mod view;

pub use action::{Action, LogLine};
pub use event::{AcceptId, Event, ExecId};
pub use instance::Instance;
pub use instance::bmp::{BmpAction, BmpEvent, CollectorId, Lent};
pub use instance::dump::DumpAction;
pub use speaker::{InstanceId, Speaker};
