//! Since when something is there, and since when it is as it is: what shows tell of routes.

use std::collections::BTreeMap;

use ferrite_types::Timestamp;

#[derive(Debug)]
pub(crate) struct Times<K>(BTreeMap<K, (Timestamp, Timestamp)>);

impl<K> Default for Times<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Times<K> {
    /// It is new, different, or gone.
    pub fn changed(&mut self, now: Timestamp, key: K, present: bool) {
        if present {
            self.0.entry(key).or_insert((now, now)).1 = now;
        } else {
            self.0.remove(&key);
        }
    }

    pub fn get(&self, key: &K) -> Option<(Timestamp, Timestamp)> {
        self.0.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_changes_is_as_old_as_it_was_and_what_comes_back_is_new() {
        let at = |seconds| Timestamp::ZERO + Duration::from_secs(seconds);
        let mut times = Times::default();
        times.changed(at(1), 7, true);
        times.changed(at(5), 7, true);
        assert_eq!(times.get(&7), Some((at(1), at(5))));
        times.changed(at(6), 7, false);
        assert_eq!(times.get(&7), None);
        times.changed(at(9), 7, true);
        assert_eq!(times.get(&7), Some((at(9), at(9))));
    }
}
