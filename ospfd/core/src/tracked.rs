//! A map that remembers which of its values may have changed, so that what follows from them is looked at for those alone: the
//! cost of an event does not grow with the number of interfaces and neighbours.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

#[derive(Debug)]
pub struct Tracked<K, T> {
    map: BTreeMap<K, T>,
    touched: BTreeSet<K>,
}

impl<K, T> Default for Tracked<K, T> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), touched: BTreeSet::new() }
    }
}

impl<K, T> Deref for Tracked<K, T> {
    type Target = BTreeMap<K, T>;

    fn deref(&self) -> &BTreeMap<K, T> {
        &self.map
    }
}

impl<K: Ord + Copy, T> Tracked<K, T> {
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut T> {
        let found = self.map.get_mut(key)?;
        self.touched.insert(*key);
        Some(found)
    }

    /// Without it counting as a change.
    pub(crate) fn quiet_mut(&mut self, key: &K) -> Option<&mut T> {
        self.map.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: T) -> Option<T> {
        self.touched.insert(key);
        self.map.insert(key, value)
    }

    pub(crate) fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> T) -> &mut T {
        self.touched.insert(key);
        self.map.entry(key).or_insert_with(make)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<T> {
        self.touched.insert(*key);
        self.map.remove(key)
    }

    pub(crate) fn clear(&mut self) {
        self.touched.extend(self.map.keys());
        self.map.clear();
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut T)> {
        self.touched.extend(self.map.keys());
        self.map.iter_mut()
    }

    /// Keys of what may have changed since they were taken last; of values that went too.
    pub(crate) fn touched(&self) -> &BTreeSet<K> {
        &self.touched
    }

    pub(crate) fn take_touched(&mut self) -> BTreeSet<K> {
        std::mem::take(&mut self.touched)
    }
}
