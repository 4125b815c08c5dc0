//! Flooding (§13.2, §13.3), and when an LSA at MaxAge may go (§14).

use std::cmp::Ordering;

use ferrite_ospf_packet::{Lsa, LsaHeader, LsaKey, MAX_AGE};
use ferrite_types::Timestamp;

use crate::config::NetworkType;
use crate::event::IfId;
use crate::instance::{Instance, Place};
use crate::interface::State;
use crate::neighbor::{self, NeighborKey};
use crate::trace::Trace;
use crate::version::Version;

/// Who an LSA was received from.
pub(crate) type From = Option<(IfId, NeighborKey)>;

impl<V: Version> Instance<V> {
    /// Puts an LSA into its database and sends it on. True if it goes out where it came in, which acknowledges it.
    pub(crate) fn install(&mut self, now: Timestamp, place: Place, lsa: Lsa, own: bool, from: From) -> bool {
        let header = *lsa.header();
        let Some(database) = self.database_mut(place) else { return false };
        let changed = match database.get(&header.key) {
            None => !header.is_max_age(),
            Some(old) => {
                old.lsa.header().is_max_age() != header.is_max_age()
                    || old.lsa.header().options != header.options
                    || old.lsa.body() != lsa.body()
            }
        };
        let watched = self.watched.is_some().then(|| lsa.clone());
        let Some(database) = self.database_mut(place) else { return false };
        database.install(now, lsa, own, changed);
        if let (Some(all), Some(lsa)) = (&mut self.watched, watched) {
            all.insert((place, header.key), lsa);
        }
        self.trace(|| Trace::Installed(place, header));
        if header.is_max_age() {
            self.sweepable.insert((place, header.key));
        }
        if changed {
            self.touched(now, place, &header.key);
            self.topology_changed(now, place, &header.key);
        }
        self.flood(now, place, &header, from)
    }

    /// §13.3.
    fn flood(&mut self, now: Timestamp, place: Place, header: &LsaHeader, from: From) -> bool {
        let key = header.key;
        let ids: Vec<IfId> =
            self.interfaces.iter().filter(|(_, i)| self.belongs(i, key.ty)).map(|(id, _)| *id).collect();
        let mut back = false;
        // MinLSArrival, and some time for the way.
        let arrival = self.config.timers.min_arrival * 5 / 4;
        for id in ids {
            let Some(interface) = self.interfaces.get_mut(&id) else { continue };
            if !Self::shares(id, interface, place) || !interface.speaks() {
                continue;
            }
            let again = now + interface.config.retransmit;
            let mut someone = false;
            for (name, neighbor) in interface.neighbors.iter_mut() {
                // The instance there was is not sent any more.
                neighbor.retransmit.remove(&key);
                if neighbor.state < neighbor::State::Exchange {
                    continue;
                }
                if let Some(requested) = neighbor.requests.get(&key) {
                    match header.compare(requested) {
                        Ordering::Less => continue,
                        Ordering::Equal => {
                            neighbor.requests.remove(&key);
                            continue;
                        }
                        Ordering::Greater => drop(neighbor.requests.remove(&key)),
                    }
                }
                if from == Some((id, *name)) || !V::takes(key.ty, neighbor.options) {
                    continue;
                }
                // Who has just got the database refuses news of what is in it (§13 (5) (a)): they are sent again when that is
                // over, not a whole interval later.
                let fresh = neighbor.state == neighbor::State::Full && now.since(neighbor.since) < arrival;
                let again = if fresh { again.min(neighbor.since + arrival) } else { again };
                neighbor.retransmit.insert(key, again);
                neighbor.retransmit_at = Some(neighbor.retransmit_at.map_or(again, |at| at.min(again)));
                someone = true;
            }
            if !someone {
                continue;
            }
            if let Some((came_in, sender)) = from
                && came_in == id
            {
                let sender = interface.neighbors.get(&sender);
                let name = sender.map(|sender| V::designated_name(sender.id, sender.address));
                let central = interface.config.network.elects()
                    && (name == Some(interface.designated) || name == Some(interface.backup));
                if central || interface.state == State::Backup {
                    continue;
                }
                if interface.config.network == NetworkType::PointToMultipoint
                    && interface.config.delay_reflood
                {
                    continue; // it is on the others' retransmission lists
                }
                back = true;
            }
            interface.outgoing.insert(key);
            self.trace(|| Trace::Flooded { interface: id, key });
        }
        back
    }

    /// What is due in the databases of areas and of the AS: our LSAs are renewed, those of others flushed (§12.4, §14).
    pub(crate) fn age(&mut self, now: Timestamp) {
        let areas: Vec<Place> = self.areas.keys().map(|area| Place::Area(*area)).collect();
        for place in areas.into_iter().chain([Place::As]) {
            self.age_database(now, place);
        }
    }

    pub(crate) fn age_database(&mut self, now: Timestamp, place: Place) {
        while let Some(key) = self.database_mut(place).and_then(|database| database.take_due(now)) {
            let entry = self.database(place).and_then(|d| d.get(&key));
            let own = entry.is_some_and(|entry| entry.own);
            if !own && entry.is_some_and(|entry| entry.lsa.header().does_not_age()) {
                self.look_at(now, place, &key);
                continue;
            }
            if own {
                self.renew(now, place, &key);
            } else {
                self.flush(now, place, &key);
            }
        }
    }

    /// Floods an LSA at MaxAge (§14.1).
    pub(crate) fn flush(&mut self, now: Timestamp, place: Place, key: &LsaKey) {
        let Some(entry) = self.database(place).and_then(|database| database.get(key)) else { return };
        let (lsa, own) = (entry.lsa.at_age(MAX_AGE), entry.own);
        self.install(now, place, lsa, own, None);
    }

    /// Removes LSAs at MaxAge that nobody has to acknowledge, while no neighbour is exchanging its database (§14). Looked at
    /// are those for which that may have changed.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        let memory = self.config.timers.min_arrival;
        for place in std::mem::take(&mut self.sweepable_places) {
            let dying = self.database(place).into_iter().flat_map(|database| database.dying());
            let dying: Vec<(Place, LsaKey)> = dying.map(|key| (place, key)).collect();
            self.sweepable.extend(dying);
        }
        for (place, key) in std::mem::take(&mut self.sweepable) {
            if !self.database(place).is_some_and(|database| database.is_dying(&key))
                || self.is_held(place, &key)
            {
                continue;
            }
            let header = self.database(place).and_then(|d| d.get(&key)).map(|entry| entry.header(now));
            if let (Some(database), Some(header)) = (self.database_mut(place), header) {
                database.forget(now, header, memory);
            }
            self.trace(|| Trace::Removed(place, key));
            if key.adv == self.config.router_id {
                // A sequence that had reached its end begins anew now (§12.1.6).
                self.dirty.insert(place);
            }
        }
    }

    /// Whether a neighbour has not acknowledged an LSA, or may yet describe an older one.
    fn is_held(&self, place: Place, key: &LsaKey) -> bool {
        let shares = |id: &IfId| self.interfaces.get(id).is_some_and(|i| Self::shares(*id, i, place));
        if self.exchanging.iter().any(|(id, _)| shares(id)) {
            return true; // looked at again when they are done
        }
        let sharing = self.interfaces.iter().filter(|(id, i)| Self::shares(**id, i, place));
        sharing.flat_map(|(_, i)| i.neighbors.values()).any(|n| n.retransmit.contains(key))
    }
}
