//! What an operator should hear of routes that were not taken or not told because of a limit. A shard gathers these by
//! neighbour and reason between two ticks, so that a flood of them is one message.

use bgp_packet::Family;
use ferrite_types::Prefix;

use super::settings::PeerId;

/// Which limit it was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoticeKind {
    /// The neighbour has as many paths for the prefix as one may have (`bgp limit paths-per-prefix`).
    TooManyPaths,
    /// The attributes do not fit into a message to the neighbour.
    TooBig,
}

impl NoticeKind {
    pub const fn text(self) -> &'static str {
        match self {
            Self::TooManyPaths => "paths beyond bgp limit paths-per-prefix were not taken",
            Self::TooBig => "routes were not sent, their attributes do not fit into a message",
        }
    }
}

/// Routes of one neighbour and family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    pub peer: PeerId,
    pub family: Family,
    pub kind: NoticeKind,
    /// One of them.
    pub prefix: Prefix,
    pub count: u64,
}

/// Notices not yet reported.
#[derive(Debug, Default)]
pub struct Notices(Vec<Notice>);

impl Notices {
    pub fn add(&mut self, peer: PeerId, family: Family, kind: NoticeKind, prefix: Prefix) {
        let same = |notice: &&mut Notice| (notice.peer, notice.family, notice.kind) == (peer, family, kind);
        match self.0.iter_mut().find(same) {
            Some(notice) => notice.count += 1,
            None => self.0.push(Notice { peer, family, kind, prefix, count: 1 }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.0)
    }
}
