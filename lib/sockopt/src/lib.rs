//! Socket options that no safe interface reaches: TCP MD5 signatures (RFC 2385), TCP-AO (RFC 5925), the lowest TTL that is
//! let in (RFC 5082), the kernel's measure of the round trip.
//!
//! Each option is laid out octet by octet as `linux/tcp.h` says, so that a test can compare it with what the kernel expects;
//! the one place that hands octets to the kernel is `raw.rs`. What a key is for, and when it holds, the caller knows.

pub mod ao;
mod layout;
pub mod md5;
mod raw;
mod tcp;

pub use tcp::{Measured, measure, set_min_ttl};
