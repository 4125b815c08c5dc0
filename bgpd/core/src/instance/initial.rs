//! The first convergence after a start: zebra keeps the routes that an earlier bgpd left in the kernel until this one has said
//! `ReplayDone`, so that must wait until the neighbours have told their tables again. Each ends its table with End-of-RIB
//! (RFC 4724 §2); one that does not, or does not come back, is waited for no longer than [`PATIENCE`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bgp_packet::Family;
use ferrite_types::Timestamp;

use super::Instance;
use crate::action::Action;
use crate::rib::{PeerId, ShardEvent};

/// How long stale routes forward at most while their neighbours are not back.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is still missing; gone for good once the first convergence is over.
#[derive(Debug, Default)]
pub struct Initial {
    over: bool,
    /// Set when zebra is first connected.
    deadline: Option<Timestamp>,
    /// Shards that have a neighbour's whole table.
    ended: BTreeMap<(PeerId, Family), BTreeSet<usize>>,
}

impl Initial {
    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline.filter(|_| !self.over)
    }

    pub fn begin(&mut self, now: Timestamp) {
        self.deadline.get_or_insert(now + PATIENCE);
    }

    /// A new session tells its table anew.
    pub fn session_up(&mut self, peer: PeerId) {
        self.ended.retain(|(known, _), _| *known != peer);
    }
}

impl Instance {
    pub(super) fn end_of_rib(&mut self, shard: usize, peer: PeerId, family: Family, out: &mut Vec<Action>) {
        if self.initial.over {
            return;
        }
        self.initial.ended.entry((peer, family)).or_default().insert(shard);
        if self.all_tables_told() {
            self.end_initial(out);
        }
    }

    /// Whether every neighbour that is meant to be up is up and has ended each table.
    fn all_tables_told(&self) -> bool {
        let told = |id: &PeerId, family: Family| {
            self.initial.ended.get(&(*id, family)).is_some_and(|shards| shards.len() == self.host.shards)
        };
        let mut wanted = self.peers.iter().filter(|(_, entry)| entry.effective.session.shutdown.is_none());
        wanted.all(|(id, entry)| {
            let negotiated = entry.peer.negotiated().filter(|_| entry.established());
            negotiated.is_some_and(|negotiated| negotiated.families.iter().all(|family| told(id, family)))
        })
    }

    pub(super) fn initial_tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.initial.deadline().is_some_and(|at| at <= now) {
            self.end_initial(out);
        }
    }

    /// Zebra hears `ReplayDone` once the shards have sent what they hold.
    fn end_initial(&mut self, out: &mut Vec<Action>) {
        self.initial.over = true;
        self.initial.ended.clear();
        if self.zebra_connected && self.snapshot.is_none() {
            self.replaying = self.host.shards;
            self.all_shards(|| ShardEvent::FibBarrier, out);
        }
    }
}
