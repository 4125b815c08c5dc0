//! Where things live that are named by number: chunks that never move, and an index from hashes to numbers.

/// Items of one chunk.
const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;

/// Items by number; numbers of removed items are given again.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub fn insert(&mut self, item: T) -> u32 {
        if let Some(id) = self.free.pop() {
            if let Some(place) = self.place(id) {
                *place = Some(item);
            }
            return id;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut() else { return u32::MAX };
        chunk.push(Some(item));
        (before + chunk.len() - 1) as u32
    }

    #[inline]
    fn place(&mut self, id: u32) -> Option<&mut Option<T>> {
        self.chunks.get_mut((id >> CHUNK_BITS) as usize)?.get_mut(id as usize & (CHUNK - 1))
    }

    #[inline]
    pub fn get(&self, id: u32) -> Option<&T> {
        self.chunks.get((id >> CHUNK_BITS) as usize)?.get(id as usize & (CHUNK - 1))?.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.place(id)?.as_mut()
    }

    pub fn remove(&mut self, id: u32) -> Option<T> {
        let item = self.place(id)?.take()?;
        self.free.push(id);
        if self.is_empty() {
            *self = Self::default();
        }
        Some(item)
    }

    /// Numbers given so far: every number is below.
    pub fn capacity(&self) -> usize {
        self.chunks.len().saturating_sub(1) * CHUNK + self.chunks.last().map_or(0, Vec::len)
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.capacity()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let all = self.chunks.iter().flatten().enumerate();
        all.filter_map(|(id, item)| Some((id as u32, item.as_ref()?)))
    }

    pub fn octets(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Option<T>>() + self.free.capacity() * 4
    }
}

/// Numbers by hash: open addressing in one array, eight octets a slot, half of it the hash.
///
/// A slot's place is the hash scaled to the size of the array, so that entries stand in order of their hashes: growing
/// streams from one array to the other, and looks at nothing but the array. A search that fails touches one line of
/// cache as a rule.
#[derive(Debug, Default)]
pub struct Index {
    /// Hash above, number plus one below; zero is free.
    slots: Vec<u64>,
    len: usize,
}

impl Index {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    #[inline]
    pub fn find(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            let id = slot as u32 - 1;
            if (slot >> 32) as u32 == hash && is(id) {
                return Some(id);
            }
            at = self.next(at);
        }
    }

    /// Adds a number that is not there.
    pub fn insert(&mut self, hash: u32, id: u32) {
        if (self.len + 1) * 5 > self.slots.len() * 4 {
            self.resize((self.slots.len() * 3 / 2).max(16));
        }
        self.put(u64::from(hash) << 32 | (u64::from(id) + 1));
        self.len += 1;
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.home((slot >> 32) as u32);
        while let Some(place) = self.slots.get_mut(at) {
            if *place == 0 {
                *place = slot;
                return;
            }
            at = self.next(at);
        }
    }

    fn resize(&mut self, size: usize) {
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            self.put(slot);
        }
    }

    /// Removes a number; what stands behind it moves up, so that no search ends too early.
    pub fn remove(&mut self, hash: u32, id: u32) {
        if self.slots.is_empty() {
            return;
        }
        let wanted = u64::from(hash) << 32 | (u64::from(id) + 1);
        let mut hole = self.home(hash);
        loop {
            match self.slots.get(hole) {
                Some(0) | None => return,
                Some(slot) if *slot == wanted => break,
                Some(_) => hole = self.next(hole),
            }
        }
        self.len -= 1;
        if self.len == 0 {
            self.slots = Vec::new();
            return;
        }
        let mut at = self.next(hole);
        while let Some(slot) = self.slots.get(at).copied().filter(|slot| *slot != 0) {
            // A slot may move into the hole if the hole lies between its home and its place.
            let home = self.home((slot >> 32) as u32);
            let between = if home <= at { home <= hole && hole < at } else { hole >= home || hole < at };
            if between {
                if let Some(place) = self.slots.get_mut(hole) {
                    *place = slot;
                }
                hole = at;
            }
            at = self.next(at);
        }
        if let Some(place) = self.slots.get_mut(hole) {
            *place = 0;
        }
    }

    pub fn octets(&self) -> usize {
        self.slots.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_index_finds_what_was_put_in(
            ops in proptest::collection::vec((any::<bool>(), 0..40u32, 0..4u8), 1..400)
        ) {
            let mut index = Index::default();
            let mut model: BTreeMap<u32, u32> = BTreeMap::new();
            for (add, id, kind) in ops {
                // Many equal hashes, and some at the end of the array, where searches wrap around.
                let hash = match kind {
                    0 => u32::MAX,
                    1 => u32::MAX - id,
                    2 => id.wrapping_mul(0x9e37_79b1),
                    _ => 7,
                };
                match model.get(&id).copied() {
                    Some(old) if !add => {
                        index.remove(old, id);
                        model.remove(&id);
                    }
                    None if add => {
                        index.insert(hash, id);
                        model.insert(id, hash);
                    }
                    _ => {}
                }
                prop_assert_eq!(index.len(), model.len());
                for (id, hash) in &model {
                    prop_assert_eq!(index.find(*hash, |found| found == *id), Some(*id));
                }
                for id in (0..40).filter(|id| !model.contains_key(id)) {
                    prop_assert_eq!(index.find(7, |found| found == id), None);
                }
            }
        }
    }

    #[test]
    fn numbers_of_removed_items_are_given_again() {
        let mut slab = Slab::default();
        let ids: Vec<u32> = (0..3000).map(|n| slab.insert(n)).collect();
        assert_eq!(slab.get(ids[2999]), Some(&2999));
        assert_eq!(slab.remove(5), Some(5));
        assert_eq!(slab.remove(5), None);
        assert_eq!(slab.insert(7), 5);
        assert_eq!(slab.iter().count(), 3000);
        for id in ids {
            slab.remove(id);
        }
        assert_eq!(slab.octets(), 0);
    }
}
