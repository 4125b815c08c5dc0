//! The identifiers that paths are sent with (RFC 7911 §2): a path keeps its own for as long as anybody was told of it,
//! whatever other paths come and go, and no two paths of a prefix have the same.
//!
//! ```text
//!  0 | neighbour's slot 15 bits | identifier as received 16 bits      nothing to remember
//!  1 | number 31 bits                                                 given to (slot, identifier), counted
//! ```
//! Neighbours number the paths of a prefix from one, or all their routes from one: nearly every path is of the first kind
//! and costs nothing. The rest share the numbers of a table that grows with the identifiers in use, not with the paths.

use rustc_hash::FxHashMap;

use super::peers::PeerIdx;
use super::slab::Slab;

const NUMBERED: u32 = 1 << 31;

/// What makes a path of a prefix another than the next: who sent it, under which identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PathKey {
    pub peer: PeerIdx,
    pub received: u32,
}

impl PathKey {
    /// The identifier that follows from the key itself.
    fn plain(self) -> Option<u32> {
        let fits = self.peer.0 < 1 << 15 && self.received < 1 << 16;
        fits.then(|| u32::from(self.peer.0) << 16 | self.received)
    }
}

#[derive(Debug)]
struct Numbered {
    key: PathKey,
    /// Paths in the table, and units of groups.
    refs: u32,
}

/// The numbers given out by one shard in one family.
#[derive(Debug, Default)]
pub struct PathIds {
    numbers: FxHashMap<PathKey, u32>,
    slots: Slab<Numbered>,
}

impl PathIds {
    /// The identifier of a path about to be sent; given back by [`PathIds::release`].
    pub fn acquire(&mut self, key: PathKey) -> u32 {
        if let Some(id) = key.plain() {
            return id;
        }
        let slots = &mut self.slots;
        let number = *self.numbers.entry(key).or_insert_with(|| slots.insert(Numbered { key, refs: 0 }));
        if let Some(slot) = self.slots.get_mut(number) {
            slot.refs += 1;
        }
        number | NUMBERED
    }

    pub fn release(&mut self, id: u32) {
        let number = id & !NUMBERED;
        let Some(slot) = self.slots.get_mut(number).filter(|_| id & NUMBERED != 0) else { return };
        slot.refs = slot.refs.saturating_sub(1);
        if slot.refs > 0 {
            return;
        }
        if let Some(slot) = self.slots.remove(number) {
            self.numbers.remove(&slot.key);
        }
        if self.numbers.is_empty() {
            self.numbers.shrink_to_fit();
        }
    }

    /// A path came into the table: its number stays its own until [`PathIds::leave`].
    pub fn enter(&mut self, key: PathKey) {
        if key.plain().is_none() {
            self.acquire(key);
        }
    }

    /// A path left the table.
    pub fn leave(&mut self, key: PathKey) {
        if key.plain().is_none()
            && let Some(id) = self.get(key)
        {
            self.release(id);
        }
    }

    /// The identifier of a path, where it has one.
    pub fn get(&self, key: PathKey) -> Option<u32> {
        key.plain().or_else(|| self.numbers.get(&key).map(|number| number | NUMBERED))
    }

    pub fn octets(&self) -> usize {
        self.slots.octets() + self.numbers.capacity() * size_of::<(PathKey, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(peer: u16, received: u32) -> PathKey {
        PathKey { peer: PeerIdx(peer), received }
    }

    #[test]
    fn small_identifiers_follow_from_the_path() {
        let mut ids = PathIds::default();
        assert_eq!(ids.acquire(key(3, 0)), 3 << 16);
        assert_eq!(ids.acquire(key(3, 65_535)), 3 << 16 | 65_535);
        assert_eq!(ids.acquire(key(32_767, 1)), 32_767 << 16 | 1);
        ids.release(3 << 16);
        assert_eq!(ids.octets(), 0);
    }

    #[test]
    fn large_identifiers_are_kept_while_in_use_and_never_shared() {
        let mut ids = PathIds::default();
        let keys = [key(3, 65_536), key(3, u32::MAX), key(32_768, 0), key(4, u32::MAX)];
        let given = keys.map(|key| ids.acquire(key));
        for (index, id) in given.iter().enumerate() {
            assert!(id & NUMBERED != 0);
            assert_eq!(given.iter().filter(|other| *other == id).count(), 1);
            assert_eq!(ids.acquire(keys[index]), *id);
            ids.release(*id);
            assert_eq!(ids.get(keys[index]), Some(*id));
        }
        ids.release(given[0]);
        assert_eq!(ids.get(keys[0]), None);
        assert_eq!(ids.get(keys[1]), Some(given[1]));
        assert_eq!(ids.acquire(key(9, 70_000)), given[0], "a number nobody has is given again");
    }
}
