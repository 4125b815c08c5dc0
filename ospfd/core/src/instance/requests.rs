//! What an operator or another daemon asks of an instance: adjacencies to begin anew, neighbours that BFD has lost, the end.

use std::net::IpAddr;

use bytes::Bytes;
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::event::{Action, IfId};
use crate::instance::{Instance, Place};
use crate::interface::fsm;
use crate::lsdb::Lsdb;
use crate::neighbor::{NeighborKey, fsm as nfsm};
use crate::version::Version;

impl<V: Version> Instance<V> {
    /// Seconds since 1970; those since the start while nobody has said what time it is.
    pub(crate) fn wall_time(&self, now: Timestamp) -> u64 {
        let (then, unix) = self.clock.unwrap_or((Timestamp::ZERO, 0));
        unix + now.since(then).as_secs()
    }

    pub(super) fn neighbor_lost(&mut self, now: Timestamp, id: IfId, address: IpAddr) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let found = interface.neighbors.iter().find(|(_, neighbor)| neighbor.address == address);
        if let Some(key) = found.map(|(key, _)| *key) {
            self.neighbor_event(now, id, key, nfsm::Event::InactivityTimer);
        }
    }

    pub(super) fn clear_neighbors(&mut self, now: Timestamp, router: Option<RouterId>) {
        let meant = |id: RouterId| router.is_none_or(|router| router == id);
        let all = self.interfaces.iter().flat_map(|(id, interface)| {
            let there = interface.neighbors.iter().filter(|(_, neighbor)| meant(neighbor.id));
            there.map(|(key, _)| (*id, *key))
        });
        let all: Vec<(IfId, NeighborKey)> = all.collect();
        for (id, key) in all {
            self.neighbor_event(now, id, key, nfsm::Event::KillNbr);
        }
    }

    pub(super) fn clear_interface(&mut self, now: Timestamp, id: IfId) {
        let Some(link) = self.interfaces.get(&id).map(|interface| interface.link.clone()) else { return };
        self.interface_event(now, id, fsm::Event::InterfaceDown);
        if link.up && link.address.is_some() {
            self.interface_event(now, id, fsm::Event::InterfaceUp);
        }
    }

    /// What neighbours still have of ours is answered with newer instances, or flushed (§13.4).
    pub(super) fn clear_process(&mut self, now: Timestamp) {
        let ids: Vec<IfId> =
            self.interfaces.iter().filter(|(_, i)| !i.is_virtual()).map(|(id, _)| *id).collect();
        for id in &ids {
            self.interface_event(now, *id, fsm::Event::InterfaceDown);
        }
        let places: Vec<Place> = self.areas.keys().map(|area| Place::Area(*area)).collect();
        for area in self.areas.values_mut() {
            area.lsdb = Lsdb::default();
            area.spf = Default::default();
        }
        self.forget_externals();
        self.dirty.extend(places);
        for id in ids {
            self.clear_interface(now, id);
        }
        self.mark_all();
        self.recalculate(now);
    }

    pub(super) fn announce_opaque(&mut self, place: Place, kind: u8, id: u32, body: Option<Bytes>) {
        match body {
            // Values are of whole words (RFC 5250 §A.2).
            Some(body) if body.len() % 4 == 0 && id <= 0xff_ffff => {
                self.opaque.insert((place, kind, id), body);
            }
            Some(_) => {}
            None => drop(self.opaque.remove(&(place, kind, id))),
        }
        self.dirty.insert(place);
    }

    /// With a time for it, others first find ways around us (RFC 6987).
    pub(super) fn shut_down(&mut self, now: Timestamp) {
        match self.config.stub_on_shutdown {
            Some(while_) => drop(self.stop_at.get_or_insert(now + while_)),
            None => {
                self.stop_at = Some(now);
                self.stopping = true;
            }
        }
        self.mark_all();
    }

    /// Times at which we become something else than we are.
    pub(super) fn phases(&self) -> [Option<Timestamp>; 5] {
        [
            self.stub_until,
            self.stop_at.filter(|_| !self.stopping),
            self.preparing.and_then(|preparing| preparing.told_at),
            self.preparing.map(|preparing| preparing.until),
            self.restart.map(|restart| restart.until),
        ]
    }

    pub(super) fn pass_away(&mut self, now: Timestamp) {
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if due(self.stub_until) {
            self.stub_until = None;
            self.mark_all();
        }
        if due(self.stop_at) && !self.stopping {
            self.stopping = true;
            self.mark_all();
        }
        if due(self.preparing.map(|preparing| preparing.until)) {
            self.preparing = None;
            self.mark_all();
        }
    }

    /// Whether our links are announced at the highest metric.
    pub fn is_stub_router(&self) -> bool {
        self.config.stub_router || self.stub_until.is_some() || self.stop_at.is_some()
    }

    pub(super) fn check_stopped(&mut self) {
        if !self.stopping || self.stopped {
            return;
        }
        let own = self.config.router_id;
        let left = |place: Place| {
            let database = self.database(place);
            database.is_some_and(|database| database.iter().any(|(key, entry)| key.adv == own && entry.own))
        };
        if !self.places().into_iter().any(left) {
            self.stopped = true;
            self.out.push(Action::Stopped);
        }
    }
}
