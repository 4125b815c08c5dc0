//! Sending: addresses, signatures, packing LSAs into updates.

use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use ferrite_ospf_packet::auth::Sign;
use ferrite_ospf_packet::codec::Origin;
use ferrite_ospf_packet::lsa::HEADER;
use ferrite_ospf_packet::{Body, DO_NOT_AGE, Endpoints, Lsa, LsaHeader, LsaKey, MAX_AGE};
use ferrite_types::Timestamp;

use crate::config::{Authentication, sending};
use crate::event::{Action, IfId};
use crate::instance::Instance;
use crate::interface::State;
use crate::neighbor::{self, NeighborKey};
use crate::trace::Trace;
use crate::version::Version;

/// Acknowledgments wait this long for others to go with them (§13.5); less than any retransmission interval.
const ACK_DELAY: Duration = Duration::from_secs(1);

impl<V: Version> Instance<V> {
    /// Sends a packet on an interface. Over a virtual link it leaves through another one.
    pub(crate) fn send(&mut self, now: Timestamp, id: IfId, destination: IpAddr, body: &Body) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let (via, source) = match (interface.through, interface.link.address) {
            (Some(through), _) => (through.interface, through.source),
            (None, Some(address)) if !interface.is_virtual() => (id, address),
            _ => return,
        };
        let ends = Endpoints { source, destination };
        let origin = Origin {
            router: self.config.router_id,
            area: interface.config.area,
            instance: interface.config.instance,
        };
        let key = match &interface.config.authentication {
            Authentication::Keys(keys) => keys.first(),
            Authentication::Chain(chain) => match sending(chain, self.wall_time(now)) {
                // Unsigned it would be taken by nobody who has the chain.
                None => return,
                key => key,
            },
            Authentication::None | Authentication::Simple(_) => None,
        };
        let extended = interface.config.signs_extended();
        if extended && !key.is_some_and(|key| key.algorithm.signs_extended()) {
            // It would be taken by nobody, nor is it to go out with less.
            return;
        }
        let sign = match (&interface.config.authentication, key) {
            (Authentication::Simple(password), _) => Sign::Simple(*password),
            (_, Some(key)) => {
                self.signed = self.signed.wrapping_add(1);
                let base = u64::from(self.config.sequence_base);
                let sequence = if V::VERSION == 2 {
                    base + now.as_micros() / 1_000_000
                } else {
                    (base << 32).wrapping_add(self.signed)
                };
                if extended {
                    // A lower half that is used up is carried over to the upper one.
                    let boots = u64::from(self.config.boot_count) << 32;
                    Sign::Extended { key, sequence: boots.wrapping_add(self.signed) }
                } else {
                    Sign::Digest { key, sequence }
                }
            }
            (_, None) => Sign::None,
        };
        let octets = V::seal(&origin, body, &sign, ends);
        let signed = match sign {
            Sign::Digest { key, .. } | Sign::Extended { key, .. } => Some(key.id),
            Sign::None | Sign::Simple(_) => None,
        };
        if let Some(key) = signed {
            self.trace(|| Trace::Signed { interface: id, key });
        }
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.sent.count(body, octets.len());
        }
        self.out.push(Action::Send { interface: via, source, destination, octets });
    }

    pub(crate) fn send_to_neighbor(&mut self, now: Timestamp, id: IfId, key: NeighborKey, body: &Body) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let Some(neighbor) = interface.neighbors.get(&key) else { return };
        let destination = match (interface.through, interface.config.network) {
            (Some(through), _) => through.destination,
            (None, crate::config::NetworkType::PointToPoint) => V::ALL_SPF_ROUTERS,
            _ => neighbor.address,
        };
        self.send(now, id, destination, body);
    }

    /// To all neighbours that are to get floods and acknowledgments on an interface (§13.3 (5), §13.5).
    fn send_to_adjacent(&mut self, now: Timestamp, id: IfId, body: &Body) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        if interface.config.network.unicasts() {
            let adjacent = interface.neighbors.iter().filter(|(_, n)| n.state >= neighbor::State::Exchange);
            let keys: Vec<NeighborKey> = adjacent.map(|(key, _)| *key).collect();
            keys.into_iter().for_each(|key| self.send_to_neighbor(now, id, key, body));
            return;
        }
        let all = matches!(interface.state, State::Dr | State::Backup | State::PointToPoint);
        let destination = if all { V::ALL_SPF_ROUTERS } else { V::ALL_D_ROUTERS };
        self.send(now, id, destination, body);
    }

    /// An LSA of the database as it goes out on an interface: older by the time it takes (§13.3).
    pub(crate) fn aged(&self, now: Timestamp, id: IfId, key: &LsaKey) -> Option<Lsa> {
        let place = self.place_for(id, key.ty)?;
        let entry = self.database(place)?.get(key)?;
        let delay = self.interfaces.get(&id)?.config.transmit_delay;
        let age = (entry.age(now) + delay).min(MAX_AGE);
        let lasting = entry.lsa.header().does_not_age() && age < MAX_AGE;
        Some(entry.lsa.at_age(if lasting { age | DO_NOT_AGE } else { age }))
    }

    /// LSAs in as few updates as they need.
    pub(crate) fn updates(&self, now: Timestamp, id: IfId, keys: impl Iterator<Item = LsaKey>) -> Vec<Body> {
        let room = self.interfaces.get(&id).map_or(0, |interface| interface.room());
        let mut packets: Vec<Vec<Lsa>> = Vec::new();
        let mut filled = usize::MAX;
        for lsa in keys.filter_map(|key| self.aged(now, id, &key)) {
            if filled.saturating_add(lsa.len()) > room {
                packets.push(Vec::new());
                filled = V::HEADER + 4;
            }
            filled += lsa.len();
            packets.extend_last(lsa);
        }
        packets.into_iter().map(Body::LinkStateUpdate).collect()
    }

    /// Sends what flooding gathered. What comes soon after waits a little for more, so that a wave of LSAs goes on in few
    /// packets, while a single one is not held up.
    pub(crate) fn flush_updates(&mut self, now: Timestamp) {
        let gap = self.config.pacing.flood;
        for id in self.interfaces.touched().clone() {
            let Some(interface) = self.interfaces.get_mut(&id) else { continue };
            if interface.outgoing.is_empty() {
                interface.flood_at = None;
                continue;
            }
            if let Some(at) = interface.flooded.map(|last| last + gap).filter(|at| *at > now) {
                interface.flood_at = Some(at);
                continue;
            }
            (interface.flooded, interface.flood_at) = (Some(now), None);
            let keys = std::mem::take(&mut interface.outgoing);
            for body in self.updates(now, id, keys.into_iter()) {
                self.send_to_adjacent(now, id, &body);
            }
        }
    }

    /// §13.6.
    pub(crate) fn retransmit(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let many = self.config.pacing.window;
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let again = now + interface.config.retransmit;
        let until = now + interface.config.retransmit_window;
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        let keys = neighbor.retransmit.take_due(until, many, again);
        // One that acknowledges none is not given the rest before it had its time.
        let full = keys.len() == many;
        neighbor.retransmit_at = neighbor.retransmit.first().map(|first| if full { again } else { first });
        neighbor.retransmitted += keys.len() as u64;
        for body in self.updates(now, id, keys.into_iter()) {
            self.send_to_neighbor(now, id, key, &body);
        }
    }

    pub(crate) fn delay_ack(&mut self, now: Timestamp, id: IfId, header: LsaHeader) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        interface.acks.insert(header.key, header);
        interface.ack_at.get_or_insert(now + ACK_DELAY);
    }

    pub(crate) fn send_delayed_acks(&mut self, now: Timestamp, id: IfId) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        interface.ack_at = None;
        let headers: Vec<LsaHeader> = std::mem::take(&mut interface.acks).into_values().collect();
        let many = interface.room().saturating_sub(V::HEADER) / HEADER;
        for some in headers.chunks(many.max(1)) {
            self.send_to_adjacent(now, id, &Body::LinkStateAck(some.to_vec()));
        }
    }

    pub(crate) fn ack_directly(&mut self, now: Timestamp, id: IfId, key: NeighborKey, headers: &[LsaHeader]) {
        let many = self.interfaces.get(&id).map_or(1, |i| i.room().saturating_sub(V::HEADER) / HEADER);
        for some in headers.chunks(many.max(1)) {
            self.send_to_neighbor(now, id, key, &Body::LinkStateAck(some.to_vec()));
        }
    }
}

trait ExtendLast {
    fn extend_last(&mut self, lsa: Lsa);
}

impl ExtendLast for Vec<Vec<Lsa>> {
    fn extend_last(&mut self, lsa: Lsa) {
        if let Some(last) = self.last_mut() {
            last.push(lsa);
        }
    }
}

/// The body of an LSA, written by `put`.
pub(crate) fn body(put: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut buf = BytesMut::new();
    put(&mut buf);
    buf
}
