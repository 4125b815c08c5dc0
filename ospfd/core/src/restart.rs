//! Graceful restart (RFC 3623, RFC 5187).

mod helper;
mod restarter;

use std::time::Duration;

use ferrite_ospf_packet::opaque::RestartReason;
use ferrite_types::Timestamp;

pub(crate) use restarter::{Preparing, Restarting};

/// A neighbour that restarts while we go on as if it were adjacent (RFC 3623 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Help {
    pub until: Timestamp,
    /// What it asked for.
    pub period: Duration,
    pub reason: RestartReason,
}

/// Why help ended, or was not given (RFC 3623 §3.1, §3.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HelpEnd {
    /// The neighbour flushed its Grace-LSA: it is back.
    Completed,
    /// The grace period is over.
    Expired,
    /// The topology changed.
    TopologyChange,
    /// It is not fully adjacent.
    NotAdjacent,
    /// Not one of those we help.
    NotConfigured,
    /// The restart was not planned, and only planned ones are helped.
    NotPlanned,
    /// It asks for more time than is granted.
    TooLong,
    /// LSAs that changed have not been acknowledged by it.
    ChangePending,
    /// We restart ourselves.
    Restarting,
}

/// Why our own restart ended (RFC 3623 §2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RestartEnd {
    /// All adjacencies are there again.
    Completed,
    /// The grace period is over.
    Expired,
    /// A neighbour does not count us as adjacent any more.
    Inconsistent,
    /// The configuration does not ask for it, or was changed.
    Cancelled,
}
