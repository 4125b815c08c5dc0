//! Receiving link state updates and acknowledgments (§13, §13.7).

use std::cmp::Ordering;

use ferrite_ospf_packet::{Lsa, LsaHeader, LsaKey, Refusal, Sequence};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::event::{Action, IfId, LogLine};
use crate::instance::{Instance, Place};
use crate::interface::State;
use crate::neighbor::{self, NeighborKey, fsm};
use crate::trace::Trace;
use crate::version::Version;

/// What is owed to the sender of an LSA (Table 19).
enum Answer {
    Nothing,
    Direct(LsaHeader),
    Delayed(LsaHeader),
    /// Ours, which is newer.
    Newer(LsaKey),
}

impl<V: Version> Instance<V> {
    pub(crate) fn receive_update(&mut self, now: Timestamp, id: IfId, key: NeighborKey, lsas: Vec<Lsa>) {
        let mut direct = Vec::new();
        let mut newer = Vec::new();
        for lsa in lsas {
            match self.receive_lsa(now, id, key, lsa) {
                Ok(Answer::Nothing) => {}
                Ok(Answer::Direct(header)) => direct.push(header),
                Ok(Answer::Delayed(header)) => self.delay_ack(now, id, header),
                Ok(Answer::Newer(name)) => newer.push(name),
                Err(reason) => {
                    if let Some(source) = self.neighbor(id, key).map(|neighbor| neighbor.address) {
                        self.refuse(id, source, reason);
                    }
                }
            }
            // A request for what the neighbour does not have ends the conversation (§13 (6)).
            if self.neighbor(id, key).is_none_or(|neighbor| neighbor.state < neighbor::State::Exchange) {
                return;
            }
        }
        self.ack_directly(now, id, key, &direct);
        for body in self.updates(now, id, newer.into_iter()) {
            self.send_to_neighbor(now, id, key, &body);
        }
    }

    /// §13, steps (1) to (8), for one LSA.
    fn receive_lsa(
        &mut self,
        now: Timestamp,
        id: IfId,
        key: NeighborKey,
        lsa: Lsa,
    ) -> Result<Answer, Refusal> {
        lsa.check::<V>()?;
        let header = *lsa.header();
        let sender = self.neighbor(id, key).map_or(RouterId::UNSET, |neighbor| neighbor.id);
        self.trace(|| Trace::Examined { interface: id, neighbor: sender, header });
        let interface = self.interfaces.get(&id).ok_or(Refusal::Passive)?;
        if !self.belongs(interface, header.key.ty) {
            return Err(Refusal::LsaScope);
        }
        let place = self.place_for(id, header.key.ty).ok_or(Refusal::LsaScope)?;
        let database = self.database(place).ok_or(Refusal::LsaScope)?;
        let Some(entry) = database.get(&header.key) else {
            let asked = interface.neighbors.get(&key).is_some_and(|n| n.requests.contains_key(&header.key));
            let memory = self.config.timers.min_arrival;
            if header.is_max_age() && !self.anyone_exchanges() {
                if let Some(database) = self.database_mut(place) {
                    database.forget(now, header, memory);
                }
                return Ok(Answer::Direct(header));
            }
            // Packets overtake each other: what went within MinLSArrival does not come back from a late copy.
            if !asked && database.is_gone(now, &header, memory) {
                return Err(Refusal::LsaMinArrival);
            }
            self.make_room(place, &lsa)?;
            return Ok(self.take_newer(now, id, key, place, lsa));
        };
        let ours = entry.header(now);
        match header.compare(&ours) {
            Ordering::Greater => {
                // What was asked for does not come by flooding (§13 (5) (a)).
                let asked =
                    interface.neighbors.get(&key).is_some_and(|n| n.requests.contains_key(&header.key));
                if !entry.own && !asked && now.since(entry.since) < self.config.timers.min_arrival {
                    return Err(Refusal::LsaMinArrival);
                }
                self.make_room(place, &lsa)?;
                Ok(self.take_newer(now, id, key, place, lsa))
            }
            order => {
                let neighbor = self.neighbor_mut(id, key).ok_or(Refusal::NoNeighbor)?;
                if neighbor.requests.contains_key(&header.key) {
                    self.neighbor_event(now, id, key, fsm::Event::BadLsReq);
                    return Ok(Answer::Nothing);
                }
                if order == Ordering::Equal {
                    self.take_same(id, key, header)
                } else {
                    self.take_older(now, place, &ours)
                }
            }
        }
    }

    /// Step (5): flood, install, acknowledge; and if it is ours, answer it (§13.4).
    fn take_newer(&mut self, now: Timestamp, id: IfId, key: NeighborKey, place: Place, lsa: Lsa) -> Answer {
        let header = *lsa.header();
        self.judge_age(id, key, &header);
        let back = self.install(now, place, lsa.detached(), false, Some((id, key)));
        if V::is_grace(&header.key) && header.key.adv != self.config.router_id {
            self.grace_heard(now, id, &header);
        }
        let restarting = self.restart.is_some();
        if !restarting && (header.key.adv == self.config.router_id || V::is_ours(self, &header.key)) {
            let area = if let Place::Area(area) = place { Some(area) } else { None };
            self.out.push(Action::Log(LogLine::OwnReceived { area, key: header.key }));
            if header.key.adv != self.config.router_id {
                // Under a router ID we had before: nothing will renew it.
                self.flush(now, place, &header.key);
            }
            self.dirty.insert(place);
        }
        if back {
            return Answer::Nothing;
        }
        if self.is_backup(id) && !self.is_from_designated(id, key) {
            return Answer::Nothing;
        }
        Answer::Delayed(header)
    }

    /// Step (7): an acknowledgment if we sent it, a duplicate if not.
    fn take_same(&mut self, id: IfId, key: NeighborKey, header: LsaHeader) -> Result<Answer, Refusal> {
        let backup = self.is_backup(id);
        let designated = self.is_from_designated(id, key);
        let neighbor = self.neighbor_mut(id, key).ok_or(Refusal::NoNeighbor)?;
        let acknowledged = neighbor.retransmit.remove(&header.key);
        if acknowledged && header.is_max_age() {
            let place = self.place_for(id, header.key.ty);
            self.sweepable.extend(place.map(|place| (place, header.key)));
        }
        Ok(match (acknowledged, backup && designated) {
            (true, true) => Answer::Delayed(header),
            (true, false) => Answer::Nothing,
            (false, _) => Answer::Direct(header),
        })
    }

    /// Step (8): the sender is given ours, not more often than it could take it.
    fn take_older(&mut self, now: Timestamp, place: Place, ours: &LsaHeader) -> Result<Answer, Refusal> {
        if ours.is_max_age() && ours.sequence == Sequence::MAX {
            return Ok(Answer::Nothing); // it is being flushed, so that the sequence can begin anew
        }
        let min_arrival = self.config.timers.min_arrival;
        let entry = self.database_mut(place).and_then(|database| database.get_mut(&ours.key));
        let Some(entry) = entry else { return Ok(Answer::Nothing) };
        if entry.answered.is_some_and(|last| now.since(last) < min_arrival) {
            return Ok(Answer::Nothing);
        }
        entry.answered = Some(now);
        Ok(Answer::Newer(ours.key))
    }

    fn is_backup(&self, id: IfId) -> bool {
        self.interfaces.get(&id).is_some_and(|interface| interface.state == State::Backup)
    }

    fn is_from_designated(&self, id: IfId, key: NeighborKey) -> bool {
        self.interfaces.get(&id).is_some_and(|interface| {
            let sender = interface.neighbors.get(&key);
            sender.is_some_and(|n| V::designated_name(n.id, n.address) == interface.designated)
        })
    }

    fn anyone_exchanges(&self) -> bool {
        !self.exchanging.is_empty()
    }

    /// §13.7: only for the instance that the database holds.
    pub(crate) fn receive_ack(&mut self, now: Timestamp, id: IfId, key: NeighborKey, headers: &[LsaHeader]) {
        for header in headers {
            let entry = self
                .place_for(id, header.key.ty)
                .and_then(|place| self.database(place))
                .and_then(|database| database.get(&header.key))
                .map(|entry| (entry.header(now), entry.lsa.header().does_not_age()));
            if let Some((ours, true)) = &entry {
                self.judge_ack(id, key, ours, header);
            }
            let Some(neighbor) = self.neighbor_mut(id, key) else { return };
            // Its age is of no matter but for MaxAge: the header says it as it was when it was sent.
            let same = |(ours, _): (LsaHeader, bool)| {
                ours.sequence == header.sequence
                    && ours.checksum == header.checksum
                    && ours.is_max_age() == header.is_max_age()
            };
            let acknowledged = entry.is_none_or(same) && neighbor.retransmit.remove(&header.key);
            if neighbor.retransmit.is_empty() {
                neighbor.retransmit_at = None;
            }
            if acknowledged && header.is_max_age() {
                let place = self.place_for(id, header.key.ty);
                self.sweepable.extend(place.map(|place| (place, header.key)));
            }
        }
    }
}
