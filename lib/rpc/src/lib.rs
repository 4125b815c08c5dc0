//! The gRPC edge: contracts, generated code, Unix-socket transport. prost types are turned into the plain types of
//! `lib/types` here and go no further.

pub mod transport;
pub mod vty;
pub mod zebra;
