//! Bounded reading and writing of octets. A [`Reader`] never reads past the slice it was given, and a value inside a
//! value gets a reader of its own, cut to its length first, so that no decoder can read past its value. Lengths that
//! are only known afterwards are written through [`LengthField`]. Knows no protocol and does no IO.

pub mod checksum;
mod reader;
mod writer;

pub use reader::{Reader, Short};
pub use writer::{LengthField, Overflow};
