//! Sockets: the only place in bgpd that has any.
//!
//! ```text
//!             ┌─ reader task: frame, decode ──► shards (routes), instance (everything else)
//! connection ─┤
//!             └─ writer task ◄── Writer (keepalives first) ◄── instance, shards
//! ```
//!
//! Each connection has a reader and a writer of its own: what a decoder trips over costs that connection.

mod ao;
mod connection;
mod listener;
pub mod place;
mod reader;
mod rekeying;
mod routes;
mod socket;
mod spoken;
mod turns;
mod writer;

pub use ao::Signed;
pub use connection::{Connection, Session};
pub use listener::{Incoming, Listeners};
pub use rekeying::Rekeying;
pub use socket::connect;
pub use turns::{Held, Turns};
pub use writer::Writer;
