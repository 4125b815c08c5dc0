//! RPKI for routers, usable alone: what caches say (validated prefixes, provider authorisations, router keys), the judgement
//! of routes by it, local exceptions, and the RPKI-to-Router protocol as a machine without IO.
//!
//! ```text
//!  octets of a cache ─► rtr::Cache ─► Tables ─┐
//!  octets of a cache ─► rtr::Cache ─► Tables ─┴► rtr::Manager ─ Slurm ─► Arc<Tables> + Delta
//!                                                                           │         │
//!                              validate(prefix, origin), verify(path) ◄─────┘         └► what to judge again
//! ```
//!
//! | module | holds | documents |
//! | --- | --- | --- |
//! | [`vrp`] | validated prefixes, origin validation | RFC 6811, RFC 8893 |
//! | [`aspa`] | provider authorisations, path verification | draft-ietf-sidrops-aspa-verification |
//! | [`tables`] | everything a cache says, and what differs between two of them | |
//! | [`slurm`] | local exceptions | RFC 8416, draft-ietf-sidrops-aspa-slurm |
//! | [`rtr`] | the protocol, versions 0 to 2, one cache and several | RFC 6810, RFC 8210, draft-ietf-sidrops-8210bis |
//! | [`transport`], `client` | connections, with the feature `client` | RFC 6810 §7 |
//!
//! Tables are persistent: a copy costs nothing and shares what does not change, so a reader keeps a table for as long as it
//! likes while the next one is made, and the difference of two is found by walking only what they do not share.

pub mod aspa;
#[cfg(feature = "client")]
pub mod client;
pub mod rtr;
pub mod slurm;
pub mod tables;
pub mod transport;
mod trie;
pub mod vrp;

pub use aspa::{AspaState, AspaTable, Direction};
pub use slurm::{Slurm, SlurmError};
pub use tables::{Delta, KeyTable, Payload, RouterKey, Tables};
pub use vrp::{OriginState, Vrp, VrpTable};
