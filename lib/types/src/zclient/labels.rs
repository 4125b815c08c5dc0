//! What a daemon and zebra say about MPLS labels: blocks of numbers from the label manager, label-switched paths, and the
//! labels that the operator bound to prefixes.

use std::sync::Arc;

use crate::{Label, Nexthop, Prefix, RouteProtocol};

/// A run of labels, both ends among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LabelBlock {
    pub first: Label,
    pub last: Label,
}

impl LabelBlock {
    /// `None` where there is no such run.
    pub fn new(first: u32, last: u32) -> Option<Self> {
        let block = Self { first: Label::new(first)?, last: Label::new(last)? };
        (first <= last).then_some(block)
    }

    pub fn contains(self, label: Label) -> bool {
        (self.first..=self.last).contains(&label)
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Labels in it.
    pub fn size(self) -> u32 {
        self.last.value() - self.first.value() + 1
    }
}

/// A daemon's wish for labels of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelChunkRequest {
    /// Comes back in the answer.
    pub id: u32,
    pub size: u32,
    /// The first label; `None` leaves it to zebra. A daemon that replays names what it had.
    pub base: Option<Label>,
    /// The labels stay the daemon's when it ends.
    pub keep: bool,
}

/// zebra's answer to a [`LabelChunkRequest`]: the labels, or why there are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelChunkAnswer {
    pub id: u32,
    pub outcome: Result<LabelBlock, String>,
}

/// What becomes of packets that come with a label. A daemon names labels of its own chunks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LspUpdate {
    pub label: Label,
    pub protocol: RouteProtocol,
    /// The labels of a next hop take the place of the one that came; none: it is taken off. `None` withdraws the path.
    pub nexthops: Option<Arc<[Nexthop]>>,
}

/// What became of an [`LspUpdate`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LspResult {
    pub label: Label,
    /// Zero, or the kernel's errno.
    pub errno: i32,
}

/// Starts or stops telling which label the operator bound to a prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WatchFec {
    pub prefix: Prefix,
    pub watch: bool,
}

/// The label that the operator bound to a prefix; `None`: no longer, or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FecLabel {
    pub prefix: Prefix,
    pub label: Option<Label>,
}
