//! Cryptographic sequence numbers that were heard, by which a packet that was recorded and is sent again is known.
//!
//! OSPFv2's own number is one for all types of packets and is repeated within its unit of time (RFC 2328 §D.3); OSPFv3's and the
//! extended ones of OSPFv2 rise with each packet, and count for each type of packet by itself, since types may overtake each other
//! (RFC 7166 §4.1, RFC 7474 §2). Extended ones never go back, not even when the router that sends them begins anew, so they are
//! remembered when the neighbour has gone.

use std::collections::BTreeMap;

use ferrite_ospf_packet::Kind;

use crate::neighbor::NeighborKey;

/// How numbers follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// One sequence for all types, that may stay as it is.
    Shared,
    /// One for each type, that rises.
    ByType,
}

/// The last number of a neighbour for each type of packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Heard([Option<u64>; Kind::ALL.len()]);

impl Heard {
    fn place(order: Order, kind: Kind) -> usize {
        match order {
            Order::Shared => 0,
            Order::ByType => kind as usize - 1,
        }
    }

    /// Whether a number may come after those that were heard.
    pub(crate) fn admits(&self, order: Order, kind: Kind, sequence: u64) -> bool {
        let last = self.0.get(Self::place(order, kind)).copied().flatten();
        last.is_none_or(|last| sequence > last || order == Order::Shared && sequence == last)
    }

    pub(crate) fn note(&mut self, order: Order, kind: Kind, sequence: u64) {
        if let Some(place) = self.0.get_mut(Self::place(order, kind)) {
            *place = Some(sequence);
        }
    }
}

/// What was heard on an interface with extended sequence numbers, also of neighbours that are no longer there.
#[derive(Debug, Default)]
pub(crate) struct Remembered(BTreeMap<NeighborKey, Heard>);

impl Remembered {
    pub(crate) fn get(&self, key: &NeighborKey) -> Option<&Heard> {
        self.0.get(key)
    }

    /// Only who has a key gets in here; where they are `most`, those that are not `present` are forgotten.
    pub(crate) fn note(
        &mut self,
        key: NeighborKey,
        (kind, sequence): (Kind, u64),
        most: usize,
        present: impl Fn(&NeighborKey) -> bool,
    ) {
        if self.0.len() >= most && !self.0.contains_key(&key) {
            self.0.retain(|key, _| present(key));
        }
        self.0.entry(key).or_default().note(Order::ByType, kind, sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_a_sequence_of_its_own_that_rises() {
        let mut heard = Heard::default();
        heard.note(Order::ByType, Kind::Hello, 7);
        assert!(!heard.admits(Order::ByType, Kind::Hello, 7));
        assert!(!heard.admits(Order::ByType, Kind::Hello, 6));
        assert!(heard.admits(Order::ByType, Kind::Hello, 8));
        assert!(heard.admits(Order::ByType, Kind::LinkStateAck, 3));
        // The other router began anew.
        assert!(heard.admits(Order::ByType, Kind::Hello, 1 << 32));
    }

    #[test]
    fn a_shared_sequence_may_stay_and_does_not_go_back() {
        let mut heard = Heard::default();
        heard.note(Order::Shared, Kind::Hello, 7);
        assert!(heard.admits(Order::Shared, Kind::LinkStateUpdate, 7));
        assert!(!heard.admits(Order::Shared, Kind::LinkStateUpdate, 6));
    }

    #[test]
    fn those_that_are_gone_are_forgotten_where_there_is_no_room() {
        let mut all = Remembered::default();
        let key = |last| NeighborKey::Address(std::net::IpAddr::from([10, 0, 0, last]));
        for last in 1..=9 {
            all.note(key(last), (Kind::Hello, 5), 8, |other| *other == key(3));
        }
        assert!(all.get(&key(3)).is_some() && all.get(&key(9)).is_some());
        assert!(all.get(&key(4)).is_none());
    }
}
