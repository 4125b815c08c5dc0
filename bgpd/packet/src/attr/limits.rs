//! How much one route may carry: what a neighbour sends beyond it costs its routes (treat-as-withdraw), never memory.
//!
//! No RFC sets these numbers; a route within a message of 4,096 octets never meets the defaults by honest means.

use std::fmt;

/// Most of each thing in the attributes of one route.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AttributeLimits {
    /// AS numbers in AS_PATH, those of sets and confederation segments included (`bgp maxas-limit`).
    pub as_path: u16,
    /// Communities of all kinds together (`bgp limit communities`).
    pub communities: u16,
    /// Attributes of one UPDATE (`bgp limit attributes`).
    pub attributes: u16,
}

impl Default for AttributeLimits {
    fn default() -> Self {
        Self { as_path: 1000, communities: 4000, attributes: 64 }
    }
}

/// Which limit was passed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LimitKind {
    AsPath,
    Communities,
    Attributes,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsPath => "AS numbers in the path",
            Self::Communities => "communities",
            Self::Attributes => "attributes",
        })
    }
}
