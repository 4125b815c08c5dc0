//! What was sent to a neighbour and not acknowledged (the link state retransmission list, §13.6), with the time at which each is
//! sent again. Names only: the database has the octets, so the list is bounded by it.

use std::collections::BTreeMap;

use ferrite_ospf_packet::LsaKey;
use ferrite_types::Timestamp;

#[derive(Clone, Debug, Default)]
pub(crate) struct Retransmissions {
    due: BTreeMap<LsaKey, Timestamp>,
}

impl Retransmissions {
    pub fn insert(&mut self, key: LsaKey, again: Timestamp) {
        self.due.insert(key, again);
    }

    /// Whether it was on the list.
    pub fn remove(&mut self, key: &LsaKey) -> bool {
        self.due.remove(key).is_some()
    }

    pub fn contains(&self, key: &LsaKey) -> bool {
        self.due.contains_key(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = &LsaKey> {
        self.due.keys()
    }

    pub fn len(&self) -> usize {
        self.due.len()
    }

    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    pub fn clear(&mut self) {
        self.due.clear();
    }

    /// Those due until then, at most so many; they are due again at `again`.
    pub fn take_due(&mut self, until: Timestamp, many: usize, again: Timestamp) -> Vec<LsaKey> {
        let due = self.due.iter_mut().filter(|(_, at)| **at <= until).take(many);
        due.map(|(key, at)| {
            *at = again;
            *key
        })
        .collect()
    }

    /// When the first is due.
    pub fn first(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrite_ospf_packet::{LsId, LsType};

    use super::*;

    #[test]
    fn those_due_within_the_window_go_together_and_others_wait() {
        let at = |millis| Timestamp::ZERO + Duration::from_millis(millis);
        let key = |id: u8| LsaKey {
            ty: LsType(1),
            id: LsId(u32::from(id)),
            adv: ferrite_types::ids::RouterId(std::net::Ipv4Addr::LOCALHOST),
        };
        let mut list = Retransmissions::default();
        list.insert(key(1), at(100));
        list.insert(key(2), at(140));
        list.insert(key(3), at(151));
        assert_eq!(list.first(), Some(at(100)));
        assert_eq!(list.take_due(at(150), 10, at(5100)), [key(1), key(2)]);
        assert_eq!(list.first(), Some(at(151)));
        list.insert(key(4), at(151));
        assert_eq!(list.take_due(at(200), 1, at(5200)), [key(3)]);
        assert!(list.remove(&key(4)) && !list.remove(&key(4)) && list.contains(&key(3)));
        assert_eq!((list.len(), list.first()), (3, Some(at(5100))));
    }
}
