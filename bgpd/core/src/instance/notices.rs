//! What shards report of routes that a limit kept out or back: counted for shows, and said in the log once a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use bgp_packet::Family;
use ferrite_types::Timestamp;

use super::{Action, Instance, LogLine};
use crate::rib::{Notice, NoticeKind};

/// Between two lines about the same limit of a neighbour.
const PAUSE: Duration = Duration::from_secs(60);

/// Counts of one session.
#[derive(Debug, Default)]
pub struct Noticed {
    counts: BTreeMap<(Family, NoticeKind), u64>,
    /// When it was said last, and what was counted then.
    said: BTreeMap<(Family, NoticeKind), Timestamp>,
}

impl Noticed {
    pub fn count(&self, kind: NoticeKind) -> u64 {
        self.counts.iter().filter(|((_, of), _)| *of == kind).map(|(_, count)| count).sum()
    }
}

impl Instance {
    pub(super) fn noticed(&mut self, now: Timestamp, notices: &[Notice], out: &mut Vec<Action>) {
        for notice in notices {
            let Some(entry) = self.peers.get_mut(&notice.peer) else { continue };
            let key = (notice.family, notice.kind);
            let count = entry.noticed.counts.entry(key).or_default();
            *count += notice.count;
            let count = *count;
            let due = entry.noticed.said.get(&key).is_none_or(|said| now.since(*said) >= PAUSE);
            if due {
                entry.noticed.said.insert(key, now);
                let (addr, family, prefix) = (entry.addr, notice.family, notice.prefix);
                let what = notice.kind.text();
                out.push(Action::Log(LogLine::RouteLimit { addr, family, what, prefix, count }));
            }
        }
    }
}
