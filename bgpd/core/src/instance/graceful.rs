//! Neighbours that restart (RFC 4724, RFC 8538, RFC 9494): how long what they told us is kept, family by family.
//!
//! ```text
//!  session lost ─► stale ── back in time ─► told again ── End-of-RIB, stalepath time ─► the rest is removed
//!                    └── restart time over ─► removed, or long-lived: put last, for the time the neighbour asked for
//! ```
//! The shards keep the routes; here are the times, and what is known of each table's end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bgp_packet::{Family, FamilySet, RefreshKind};
use ferrite_types::Timestamp;

use super::{Action, Instance, LogLine, PeerEntry};
use crate::config::graceful::STALEPATH_TIME;
use crate::peer::{LastReset, Negotiated};
use crate::rib::{PeerId, ShardEvent};

/// Why routes of a family are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Over a restart; then for so long yet.
    Stale { long_lived: Option<Duration> },
    /// After the restart time.
    LongLived,
    /// The neighbour sends its table anew (RFC 7313).
    Refresh,
}

/// A family of a neighbour with routes that wait to be told again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    pub family: Family,
    pub phase: Phase,
    pub until: Timestamp,
}

/// What is known of a neighbour's restarts and tables.
#[derive(Debug, Default)]
pub struct Graceful {
    /// Of the last session.
    pub negotiated: Option<Arc<Negotiated>>,
    pub kept: Vec<Kept>,
    /// When the neighbour must be back.
    pub back_by: Option<Timestamp>,
    /// Shards that have all of a table.
    ended: BTreeMap<Family, BTreeSet<usize>>,
    /// Families whose End-of-RIB came, and left.
    pub end_received: FamilySet,
    pub end_sent: FamilySet,
    /// A KEEPALIVE came since the session is up: whoever sends no End-of-RIB has mostly said all by then.
    pub keepalive: bool,
}

impl Graceful {
    fn session_up(&mut self, negotiated: Arc<Negotiated>) {
        let kept = std::mem::take(&mut self.kept);
        *self = Self { negotiated: Some(negotiated), kept, ..Self::default() };
    }

    /// Whether the whole table is there, or as good as.
    pub fn told(&self, family: Family) -> bool {
        let ends = self.negotiated.as_ref().is_some_and(|agreed| agreed.their_restart().is_some());
        self.end_received.contains(family) || (self.keepalive && !ends)
    }

    pub fn deadline(&self) -> Option<Timestamp> {
        self.kept.iter().map(|kept| kept.until).chain(self.back_by).min()
    }

    fn forget(&mut self, family: Family) {
        self.kept.retain(|kept| kept.family != family);
        if self.kept.is_empty() {
            self.back_by = None;
        }
    }
}

impl Instance {
    /// Seconds that routes wait to be told again at most.
    fn stalepath_time(&self) -> Duration {
        let settings = self.router().map(|router| self.config.graceful(router));
        let time = settings.and_then(|settings| settings.stalepath_time).unwrap_or(STALEPATH_TIME);
        Duration::from_secs(time.into())
    }

    /// The session is up: what was kept stays if the neighbour kept it as well (RFC 4724 §4.2).
    pub(super) fn graceful_up(&mut self, id: PeerId, negotiated: &Arc<Negotiated>, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get_mut(&id) else { return };
        entry.graceful.session_up(Arc::clone(negotiated));
        let good = |kept: &Kept| match kept.phase {
            Phase::LongLived => {
                negotiated.families.contains(kept.family) && negotiated.long_lived_forwarding(kept.family)
            }
            Phase::Stale { .. } | Phase::Refresh => negotiated.forwarding_families().contains(kept.family),
        };
        let lost: Vec<Family> =
            entry.graceful.kept.iter().filter(|kept| !good(kept)).map(|kept| kept.family).collect();
        for family in lost {
            tracing::debug!(target: "bgpd::graceful_restart", ?id, %family, "nothing kept at the other end");
            self.drop_stale(id, family, out);
        }
    }

    /// The session is gone: tells the shards what to keep.
    pub(super) fn graceful_down(
        &mut self,
        now: Timestamp,
        id: PeerId,
        session: u64,
        reset: &LastReset,
        out: &mut Vec<Action>,
    ) {
        let stalepath = self.stalepath_time();
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let Some(negotiated) = entry.graceful.negotiated.clone() else {
            return self.all_shards(|| ShardEvent::PeerDown { peer: id, session }, out);
        };
        let keep = negotiated.kept_after(reset);
        let restart = negotiated.their_restart().map_or(0, |restart| restart.time);
        let graceful = &mut entry.graceful;
        let old = std::mem::take(&mut graceful.kept);
        let still_living =
            |family: Family| old.iter().find(|kept| kept.family == family && kept.phase == Phase::LongLived);
        // What was long-lived goes on so: its time began with the first of the restarts (RFC 9494 §4.2).
        graceful.kept = keep
            .iter()
            .map(|family| {
                let long_lived = negotiated.long_lived_time(family);
                let fresh = Kept { family, phase: Phase::Stale { long_lived }, until: now + stalepath };
                still_living(family).copied().unwrap_or(fresh)
            })
            .collect();
        graceful.back_by = (!keep.is_empty()).then(|| now + Duration::from_secs(restart.into()));
        (graceful.end_received, graceful.end_sent) = (FamilySet::EMPTY, FamilySet::EMPTY);
        graceful.ended.clear();
        graceful.keepalive = false;
        let long_lived: FamilySet = keep.iter().filter(|family| still_living(*family).is_some()).collect();
        if keep.is_empty() {
            self.all_shards(|| ShardEvent::PeerDown { peer: id, session }, out);
        } else {
            if let Some(addr) = self.peers.get(&id).map(|entry| entry.addr) {
                out.push(Action::Log(LogLine::RoutesKept { addr, families: keep, seconds: restart }));
            }
            self.all_shards(|| ShardEvent::PeerLost { peer: id, session, keep, long_lived }, out);
            for family in long_lived.iter() {
                self.all_shards(|| ShardEvent::LongLived { peer: id, family }, out);
            }
        }
    }

    /// What is stale of a family goes.
    pub(super) fn drop_stale(&mut self, id: PeerId, family: Family, out: &mut Vec<Action>) {
        if let Some(entry) = self.peers.get_mut(&id) {
            entry.graceful.forget(family);
            self.all_shards(|| ShardEvent::StaleOver { peer: id, family }, out);
        }
    }

    /// The neighbour is removed or shut down: what is kept of an earlier session goes.
    pub(super) fn drop_all_stale(&mut self, id: PeerId, out: &mut Vec<Action>) {
        let kept = self.peers.get(&id).map(|entry| entry.graceful.kept.clone()).unwrap_or_default();
        for kept in kept {
            self.drop_stale(id, kept.family, out);
        }
    }

    /// One shard has the neighbour's whole table.
    pub(super) fn end_of_rib(
        &mut self,
        now: Timestamp,
        shard: usize,
        id: PeerId,
        session: u64,
        family: Family,
        out: &mut Vec<Action>,
    ) {
        let shards = self.host.shards;
        let Some(entry) = self.peers.get_mut(&id).filter(|entry| entry.peer.session() == Some(session))
        else {
            return;
        };
        let graceful = &mut entry.graceful;
        let ended = graceful.ended.entry(family).or_default();
        ended.insert(shard);
        if ended.len() == shards && !graceful.end_received.contains(family) {
            tracing::debug!(target: "bgpd::graceful_restart", addr = %entry.addr, %family, "End-of-RIB");
            graceful.end_received = graceful.end_received.with(family);
            graceful.forget(family);
            self.initial_progress(now, out);
        }
    }

    /// Markers of an enhanced refresh; the shards have them in order with the routes. One that never ends is ended.
    pub(super) fn refresh_marked(&mut self, now: Timestamp, id: PeerId, family: Family, kind: RefreshKind) {
        let until = now + self.stalepath_time();
        let Some(entry) = self.peers.get_mut(&id) else { return };
        match kind {
            RefreshKind::Begin => {
                entry.graceful.kept.retain(|kept| kept.family != family);
                entry.graceful.kept.push(Kept { family, phase: Phase::Refresh, until });
            }
            RefreshKind::End => entry.graceful.forget(family),
            RefreshKind::Request => {}
        }
    }

    pub(super) fn graceful_tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let due = |entry: &PeerEntry| entry.graceful.deadline().is_some_and(|at| at <= now);
        let due: Vec<PeerId> = self.peers.iter().filter(|(_, entry)| due(entry)).map(|(id, _)| *id).collect();
        for id in due {
            self.graceful_due(now, id, out);
        }
    }

    fn graceful_due(&mut self, now: Timestamp, id: PeerId, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let late = entry.graceful.back_by.is_some_and(|at| at <= now);
        if late {
            entry.graceful.back_by = None;
        }
        let (addr, down) = (entry.addr, !entry.established());
        let expired = |family, long_lived| Action::Log(LogLine::RoutesExpired { addr, family, long_lived });
        let mut over = Vec::new();
        let mut long = Vec::new();
        for kept in &mut entry.graceful.kept {
            let due = kept.until <= now;
            match kept.phase {
                Phase::Stale { long_lived: Some(time) } if down && (due || late) => {
                    *kept = Kept { phase: Phase::LongLived, until: now + time, ..*kept };
                    long.push(kept.family);
                }
                Phase::Stale { .. } if due || late => over.push(kept.family),
                Phase::LongLived | Phase::Refresh if due => over.push(kept.family),
                _ => {}
            }
        }
        for family in long {
            out.push(expired(family, true));
            self.all_shards(|| ShardEvent::LongLived { peer: id, family }, out);
        }
        for family in over {
            out.push(expired(family, false));
            self.drop_stale(id, family, out);
        }
    }
}
