//! The exchange of database descriptions and requests (§10.6-§10.9).

use std::collections::BTreeSet;

use ferrite_ospf_packet::lsa::HEADER;
use ferrite_ospf_packet::packet::DdFlags;
use ferrite_ospf_packet::{Body, DatabaseDescription, LsaHeader, LsaKey, Refusal};
use ferrite_types::Timestamp;

use crate::event::IfId;
use crate::instance::{Instance, Place};
use crate::neighbor::{NeighborKey, State, fsm};
use crate::version::Version;

impl<V: Version> Instance<V> {
    /// ExStart: we claim to be master until the neighbour shows a higher router ID.
    pub(crate) fn start_exchange(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let Some(neighbor) = self.neighbor_mut(id, key) else { return };
        neighbor.exchange.sequence = neighbor.exchange.sequence.wrapping_add(1);
        neighbor.exchange.master = true;
        self.set_neighbor_state(now, id, key, State::ExStart);
        let flags = DdFlags { init: true, more: true, master: true };
        self.describe(now, id, key, flags, Vec::new());
    }

    /// All that is flooded on the interface is to be described; what is at MaxAge is sent at once instead (§10.3).
    pub(crate) fn list_database(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let again = now + interface.config.retransmit;
        let Some(options) = interface.neighbors.get(&key).map(|neighbor| neighbor.options) else { return };
        let mut summary = Vec::new();
        let mut dying = Vec::new();
        for place in [Place::Link(id), Place::Area(interface.config.area), Place::As] {
            let Some(database) = self.database(place) else { continue };
            let here = |key: &LsaKey| self.belongs(interface, key.ty) && V::takes(key.ty, options);
            for (name, entry) in database.iter().filter(|(name, _)| here(name)) {
                let header = entry.header(now);
                if header.is_max_age() { dying.push(*name) } else { summary.push(header) }
            }
        }
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        interface.outgoing.extend(dying.iter().copied());
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        neighbor.exchange.summary = summary.into();
        if !dying.is_empty() {
            dying.into_iter().for_each(|key| neighbor.retransmit.insert(key, again));
            neighbor.retransmit_at.get_or_insert(again);
        }
    }

    fn describe(
        &mut self,
        now: Timestamp,
        id: IfId,
        key: NeighborKey,
        flags: DdFlags,
        headers: Vec<LsaHeader>,
    ) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let options = self.packet_options(interface);
        let mtu = if interface.is_virtual() { 0 } else { interface.link.mtu };
        let again = now + interface.config.retransmit;
        let Some(neighbor) = self.neighbor_mut(id, key) else { return };
        let sequence = neighbor.exchange.sequence;
        let description = DatabaseDescription { mtu, options, flags, sequence, headers };
        neighbor.exchange.sent = Some(description.clone());
        // The slave repeats only what it is asked again (§10.8).
        neighbor.exchange.resend_at = flags.master.then_some(again);
        self.send_to_neighbor(now, id, key, &Body::DatabaseDescription(description));
    }

    pub(crate) fn repeat_description(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let again = now + interface.config.retransmit;
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        let Some(sent) = neighbor.exchange.sent.clone() else { return };
        if neighbor.exchange.resend_at.is_some() {
            neighbor.exchange.resend_at = Some(again);
        }
        self.send_to_neighbor(now, id, key, &Body::DatabaseDescription(sent));
    }

    /// The next part of our database.
    fn describe_next(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let many = interface.room().saturating_sub(V::HEADER + V::DESCRIPTION) / HEADER;
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        let exchange = &mut neighbor.exchange;
        let headers: Vec<LsaHeader> = exchange.summary.drain(..many.min(exchange.summary.len())).collect();
        let flags = DdFlags { init: false, more: !exchange.summary.is_empty(), master: exchange.master };
        self.describe(now, id, key, flags, headers);
    }

    /// §10.6.
    pub(crate) fn receive_description(
        &mut self,
        now: Timestamp,
        id: IfId,
        key: NeighborKey,
        description: DatabaseDescription,
    ) -> Result<(), Refusal> {
        let own = self.config.router_id;
        let interface = self.interfaces.get(&id).ok_or(Refusal::Passive)?;
        if !interface.config.mtu_ignore && !interface.is_virtual() && description.mtu > interface.link.mtu {
            return Err(Refusal::Mtu);
        }
        let neighbor = interface.neighbors.get(&key).ok_or(Refusal::NoNeighbor)?;
        if neighbor.state == State::Init {
            self.neighbor_event(now, id, key, fsm::Event::TwoWayReceived);
        }
        let neighbor = self.neighbor_mut(id, key).ok_or(Refusal::NoNeighbor)?;
        let waits = neighbor.state == State::ExStart && self.exchanging.len() >= self.config.pacing.exchanges;
        if waits {
            self.queued.insert((id, key), description);
            return Ok(());
        }
        let neighbor = self.neighbor_mut(id, key).ok_or(Refusal::NoNeighbor)?;
        let this = (description.flags, description.options, description.sequence);
        let repeated = neighbor.exchange.received == Some(this);
        match neighbor.state {
            State::Down | State::Attempt | State::Init | State::TwoWay => Err(Refusal::NeighborState),
            State::ExStart => {
                let DdFlags { init, more, master } = description.flags;
                let opens = init && more && master && description.headers.is_empty();
                if opens && neighbor.id > own {
                    neighbor.exchange.master = false;
                    neighbor.exchange.sequence = description.sequence;
                } else if init
                    || master
                    || description.sequence != neighbor.exchange.sequence
                    || neighbor.id > own
                {
                    return Ok(()); // both claim to be master; ours is repeated until the other yields
                }
                neighbor.exchange.received = Some(this);
                neighbor.options = description.options;
                self.neighbor_event(now, id, key, fsm::Event::NegotiationDone);
                self.take_description(now, id, key, description)
            }
            State::Exchange if repeated => {
                if !neighbor.exchange.master {
                    self.repeat_description(now, id, key);
                }
                Ok(())
            }
            State::Exchange => {
                let exchange = &neighbor.exchange;
                let expected =
                    if exchange.master { exchange.sequence } else { exchange.sequence.wrapping_add(1) };
                let fits = description.flags.master != exchange.master
                    && !description.flags.init
                    && description.options == neighbor.options
                    && description.sequence == expected;
                if !fits {
                    self.neighbor_event(now, id, key, fsm::Event::SeqNumberMismatch);
                    return Ok(());
                }
                neighbor.exchange.received = Some(this);
                self.take_description(now, id, key, description)
            }
            State::Loading | State::Full => {
                if !repeated {
                    self.neighbor_event(now, id, key, fsm::Event::SeqNumberMismatch);
                } else if !neighbor.exchange.master {
                    self.repeat_description(now, id, key);
                }
                Ok(())
            }
        }
    }

    /// Those who waited for others to be done have their turn.
    pub(crate) fn admit(&mut self, now: Timestamp) {
        while self.exchanging.len() < self.config.pacing.exchanges {
            let Some(((id, key), description)) = self.queued.pop_first() else { return };
            let waits = self.neighbor(id, key).is_some_and(|neighbor| neighbor.state == State::ExStart);
            if let (true, Err(reason)) = (waits, self.receive_description(now, id, key, description)) {
                let source = self.neighbor(id, key).map(|neighbor| neighbor.address);
                if let Some(source) = source {
                    self.refuse(id, source, reason);
                }
            }
        }
    }

    /// A description that is next in order: what it lists newer than ours is requested.
    fn take_description(
        &mut self,
        now: Timestamp,
        id: IfId,
        key: NeighborKey,
        description: DatabaseDescription,
    ) -> Result<(), Refusal> {
        let mut newer = Vec::new();
        for header in &description.headers {
            let interface = self.interfaces.get(&id).ok_or(Refusal::Passive)?;
            let place = self.place_for(id, header.key.ty).filter(|_| self.belongs(interface, header.key.ty));
            let Some(database) = place.and_then(|place| self.database(place)) else {
                self.neighbor_event(now, id, key, fsm::Event::SeqNumberMismatch);
                return Err(Refusal::LsaScope);
            };
            let ours = database.get(&header.key).map(|entry| entry.header(now));
            if ours.is_none_or(|ours| header.compare(&ours).is_gt()) {
                newer.push(*header);
            }
        }
        let neighbor = self.neighbor_mut(id, key).ok_or(Refusal::NoNeighbor)?;
        neighbor.requests.extend(newer.into_iter().map(|header| (header.key, header)));
        let exchange = &mut neighbor.exchange;
        let last = exchange.sent.as_ref().is_some_and(|sent| !sent.flags.init && !sent.flags.more);
        if exchange.master {
            if last && !description.flags.more {
                exchange.resend_at = None;
                self.neighbor_event(now, id, key, fsm::Event::ExchangeDone);
            } else {
                exchange.sequence = exchange.sequence.wrapping_add(1);
                self.describe_next(now, id, key);
            }
        } else {
            exchange.sequence = description.sequence;
            self.describe_next(now, id, key);
            let ours = self.neighbor(id, key).and_then(|neighbor| neighbor.exchange.sent.as_ref());
            if !description.flags.more && ours.is_some_and(|sent| !sent.flags.more) {
                self.neighbor_event(now, id, key, fsm::Event::ExchangeDone);
            }
        }
        Ok(())
    }

    /// Asks for the next part of what the neighbour has newer (§10.9).
    pub(crate) fn send_request(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let many = interface.room().saturating_sub(V::HEADER) / 12;
        let again = now + interface.config.retransmit;
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        neighbor.requested = neighbor.requests.keys().copied().take(many).collect::<BTreeSet<_>>();
        neighbor.request_at = (!neighbor.requested.is_empty()).then_some(again);
        let keys: Vec<LsaKey> = neighbor.requested.iter().copied().collect();
        if !keys.is_empty() {
            self.send_to_neighbor(now, id, key, &Body::LinkStateRequest(keys));
        }
    }

    /// Requests go on, and who has all it asked for is fully adjacent.
    pub(crate) fn load(&mut self, now: Timestamp) {
        for id in self.interfaces.touched().clone() {
            let Some(interface) = self.interfaces.get(&id) else { continue };
            let loads = |key: &&NeighborKey| self.exchanging.contains(&(id, **key));
            let keys: Vec<NeighborKey> =
                interface.neighbors.touched().iter().filter(loads).copied().collect();
            for key in keys {
                let Some(neighbor) = self.neighbor_mut(id, key) else { continue };
                let requests = &neighbor.requests;
                neighbor.requested.retain(|name| requests.contains_key(name));
                if neighbor.requests.is_empty() {
                    neighbor.request_at = None;
                    self.neighbor_event(now, id, key, fsm::Event::LoadingDone);
                } else if neighbor.requested.is_empty() {
                    self.send_request(now, id, key);
                }
            }
        }
    }

    /// §10.7.
    pub(crate) fn receive_request(&mut self, now: Timestamp, id: IfId, key: NeighborKey, keys: &[LsaKey]) {
        let known = |name: &LsaKey| {
            let place = self.place_for(id, name.ty)?;
            self.database(place)?.get(name)
        };
        if keys.iter().any(|name| known(name).is_none()) {
            self.neighbor_event(now, id, key, fsm::Event::BadLsReq);
            return;
        }
        let wanted: BTreeSet<LsaKey> = keys.iter().copied().collect();
        for body in self.updates(now, id, wanted.into_iter()) {
            self.send_to_neighbor(now, id, key, &body);
        }
    }
}
