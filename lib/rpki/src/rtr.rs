//! The RPKI-to-Router protocol, versions 0, 1 and 2 (RFC 6810, RFC 8210, draft-ietf-sidrops-8210bis), on the router's side.
//!
//! [`Cache`] is one cache: it says when to connect, what to send, and holds what the cache said. [`Manager`] holds several,
//! chooses whose word is in force and applies local exceptions. Neither does IO: octets and the hour come in, actions go
//! out. PDUs are read and written by the `rpki` crate; how long one may be is decided before it is read.

mod cache;
mod manager;
mod pdu;

pub use cache::{Action, Cache, CacheConfig, CacheStats, Event, Intervals, MAX_RECORDS, Progress};
pub use manager::{CacheId, Manager, ManagerAction, Setup};
pub use pdu::{ErrorCode, Fault, MAX_PDU, MAX_VERSION};

#[cfg(test)]
mod tests;
