//! The kernel, spoken to in rtnetlink (rtnetlink(7)): messages encoded and read by hand, because a million routes pass
//! here and an allocation per attribute would be most of the work.
//!
//! `wire` holds the format, `parse` turns what the kernel says into core events, `encode` writes route messages, `mpls`
//! those with labels, `seg6`
//! what routes do with segments, `socket` owns the file descriptor, `monitor` follows the kernel (dumps, events, resync), `writer` programs it.

pub mod encode;
mod links;
pub mod monitor;
pub mod mpls;
pub mod nexthop;
pub mod parse;
pub mod seg6;
mod socket;
mod speed;
pub mod wire;
mod writer;

pub use writer::KernelDataplane;
