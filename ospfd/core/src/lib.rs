//! OSPF without IO: one core for OSPFv2 and OSPFv3, generic over [`Version`].
//!
//! ```text
//!                        Event                                         Action
//!  shell ──── Received, Link, Configured ───► Instance ──── Send, Routes, Join, Log ───► shell
//!                                                │
//!       interface (§9) ── neighbor (§10) ── exchange (§10.6-8) ── update, flood (§13) ── lsdb (§14)
//!                                                │                                         │
//!                                          originate (§12.4) ◄── routes (§16) ◄── spf ◄────┘
//! ```
//!
//! [`Instance::handle`] takes what the world did, [`Instance::tick`] does what is due, [`Instance::next_deadline`] says when that
//! is. Sections are RFC 2328's where nothing else is said.
//!
//! What an instance originates is a comparison: [`originate`] computes which LSAs ought to be in a database by now, and what is
//! missing, different or too much is originated, renewed or flushed. So a change of configuration, a new neighbour, and an LSA of
//! ours that somebody still has from before a restart (§13.4) are one path.

pub mod config;
pub mod counters;
pub mod event;
mod exchange;
mod flood;
pub mod inspect;
pub mod instance;
pub mod interface;
pub mod limit;
pub mod lsdb;
pub mod neighbor;
mod originate;
pub mod origins;
mod ranges;
pub mod reduction;
mod replay;
pub mod restart;
mod retransmissions;
pub mod routes;
pub mod schedule;
mod send;
pub mod spf;
mod summaries;
mod times;
pub mod trace;
mod tracked;
mod update;
pub mod v2;
pub mod v3;
pub mod version;
mod virtual_links;
mod watch;

pub use config::Config;
pub use event::{Action, Event, IfId, Link, LogLine};
pub use ferrite_ospf_packet as packet;
pub use instance::Instance;
pub use version::Version;
