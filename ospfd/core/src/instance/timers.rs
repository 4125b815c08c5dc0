//! Deadlines in order of time: which interfaces and neighbours are due is known without asking the others.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_types::Timestamp;

use crate::event::IfId;
use crate::instance::Instance;
use crate::neighbor::{Neighbor, NeighborKey};
use crate::version::Version;

/// An interface, or one of its neighbours.
type Owner = (IfId, Option<NeighborKey>);

#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Timestamp, Owner)>,
    armed: BTreeMap<Owner, Timestamp>,
}

impl Timers {
    fn set(&mut self, owner: Owner, at: Option<Timestamp>) {
        if self.armed.get(&owner).copied() == at {
            return;
        }
        if let Some(old) = self.armed.remove(&owner) {
            self.due.remove(&(old, owner));
        }
        if let Some(at) = at {
            self.armed.insert(owner, at);
            self.due.insert((at, owner));
        }
    }

    /// An interface went, and its neighbours with it.
    pub(super) fn forget(&mut self, id: IfId) {
        let all: Vec<Owner> = self.armed.range((id, None)..).map(|(owner, _)| *owner).collect();
        for owner in all.into_iter().take_while(|(of, _)| *of == id) {
            self.set(owner, None);
        }
    }

    pub(super) fn first(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Who is due.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Owner> {
        self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, owner)| *owner).collect()
    }
}

impl<V: Version> Instance<V> {
    /// Takes down the deadlines of what has been touched.
    pub(super) fn arm(&mut self) {
        for id in self.interfaces.take_touched() {
            let Some((own, touched)) = self.interfaces.quiet_mut(&id).map(|interface| {
                let touched = interface.neighbors.take_touched();
                let of = |key| (key, interface.neighbors.get(&key).and_then(Neighbor::next_deadline));
                let touched: Vec<(NeighborKey, Option<Timestamp>)> = touched.into_iter().map(of).collect();
                (interface.next_deadline(), touched)
            }) else {
                self.timers.forget(id);
                continue;
            };
            self.timers.set((id, None), own);
            for (key, at) in touched {
                self.timers.set((id, Some(key)), at);
            }
        }
    }

    /// Whether no deadline was missed; by asking all, for tests.
    pub fn is_armed(&self) -> bool {
        let own = self.interfaces.values().filter_map(crate::interface::Interface::next_deadline);
        let all = self.interfaces.values().flat_map(|interface| interface.neighbors.values());
        self.timers.first() == own.chain(all.filter_map(Neighbor::next_deadline)).min()
    }
}
