//! Outbound route filters that a neighbour sent us (RFC 5291, RFC 5292): what it does not want is not sent. The entries are a
//! prefix list in its order of sequence numbers; a prefix that none matches is denied, and an empty list permits all.

use std::collections::BTreeMap;
use std::sync::Arc;

use bgp_packet::orf::{OrfAction, OrfEntry, OrfItem, OrfUpdate};
use ferrite_types::Prefix;

/// Entries kept of one neighbour and family; further ones are not taken.
pub const MAX_ENTRIES: usize = 4_096;

/// A neighbour's filter of one family, found by prefix: a table of any size costs a look-up per length in use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrfList {
    entries: BTreeMap<Prefix, Vec<OrfEntry>>,
    /// Entries by the length of their prefix.
    lengths: BTreeMap<u8, usize>,
    /// Entries beyond [`MAX_ENTRIES`].
    pub refused: u64,
}

/// What stands between the table and a neighbour that may send filters.
#[derive(Clone, Debug, Default)]
pub enum OutboundFilter {
    /// None was agreed on.
    #[default]
    None,
    /// The neighbour has announced that it will send one: until then it gets nothing (RFC 5291 §6).
    Waiting,
    List(Arc<OrfList>),
}

impl OutboundFilter {
    pub fn permits(&self, prefix: Prefix) -> bool {
        match self {
            Self::None => true,
            Self::Waiting => false,
            Self::List(list) => list.permits(prefix),
        }
    }

    pub fn looks_at_prefix(&self) -> bool {
        matches!(self, Self::List(list) if !list.is_empty())
    }

    /// Tells one filter from another.
    pub fn address(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Waiting => 1,
            Self::List(list) => Arc::as_ptr(list).addr(),
        }
    }
}

impl OrfList {
    /// Carries out what a message says, in its order (RFC 5291 §4).
    pub fn apply(&mut self, update: &OrfUpdate) {
        for item in &update.items {
            match item {
                OrfItem::RemoveAll => {
                    self.entries.clear();
                    self.lengths.clear();
                }
                OrfItem::Entry { action: OrfAction::Add, entry } => self.add(*entry),
                OrfItem::Entry { action: OrfAction::Remove, entry } => self.remove(entry),
            }
        }
    }

    fn add(&mut self, entry: OrfEntry) {
        if self.len() >= MAX_ENTRIES {
            self.refused += 1;
            return;
        }
        let list = self.entries.entry(entry.prefix).or_default();
        if !list.contains(&entry) {
            list.push(entry);
            *self.lengths.entry(entry.prefix.len()).or_default() += 1;
        }
    }

    fn remove(&mut self, entry: &OrfEntry) {
        let Some(list) = self.entries.get_mut(&entry.prefix) else { return };
        let Some(at) = list.iter().position(|known| known == entry) else { return };
        list.remove(at);
        if list.is_empty() {
            self.entries.remove(&entry.prefix);
        }
        if let Some(count) = self.lengths.get_mut(&entry.prefix.len()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&entry.prefix.len());
            }
        }
    }

    /// What the entry with the lowest sequence number that matches says; of entries with one number, the one shown first, which
    /// denies before another permits.
    pub fn permits(&self, prefix: Prefix) -> bool {
        if self.is_empty() {
            return true;
        }
        let covering = self.lengths.keys().take_while(|len| **len <= prefix.len());
        let lists = covering.filter_map(|len| self.entries.get(&prefix.truncate(*len)));
        let matching = lists.flatten().filter(|entry| entry.matches(prefix));
        matching.min().is_some_and(|entry| entry.permit)
    }

    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    pub fn len(&self) -> usize {
        self.lengths.values().sum()
    }

    /// In order of sequence numbers.
    pub fn sorted(&self) -> Vec<OrfEntry> {
        let mut all: Vec<OrfEntry> = self.entries.values().flatten().copied().collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bgp_packet::Family;

    fn entry(sequence: u32, permit: bool, prefix: &str, max: Option<u8>) -> OrfEntry {
        OrfEntry { sequence, permit, prefix: prefix.parse().unwrap(), min: None, max }
    }

    fn update(items: Vec<OrfItem>) -> OrfUpdate {
        OrfUpdate { family: Family::IPV4_UNICAST, immediate: true, items }
    }

    fn add(entry: OrfEntry) -> OrfItem {
        OrfItem::Entry { action: OrfAction::Add, entry }
    }

    #[test]
    fn of_entries_with_one_number_the_one_that_is_shown_first_decides() {
        for order in [[true, false], [false, true]] {
            let mut list = OrfList::default();
            order.into_iter().for_each(|permit| list.add(entry(5, permit, "0.0.0.0/0", Some(32))));
            list.add(entry(5, true, "10.0.0.0/8", Some(32)));
            assert!(!list.permits("10.1.0.0/16".parse().unwrap()));
            assert!(!list.sorted().first().unwrap().permit);
        }
    }

    #[test]
    fn the_lowest_number_that_matches_decides() {
        let mut list = OrfList::default();
        let permits = |list: &OrfList, prefix: &str| list.permits(prefix.parse().unwrap());
        assert!(permits(&list, "10.0.0.0/8"), "an empty filter lets everything pass");
        let deny = entry(5, false, "10.1.0.0/16", Some(32));
        list.apply(&update(vec![add(deny), add(entry(10, true, "10.0.0.0/8", Some(24)))]));
        assert!(permits(&list, "10.2.0.0/16"));
        assert!(!permits(&list, "10.1.2.0/24") && !permits(&list, "11.0.0.0/8"));
        list.apply(&update(vec![OrfItem::Entry { action: OrfAction::Remove, entry: deny }]));
        assert!(permits(&list, "10.1.2.0/24"));
        list.apply(&update(vec![OrfItem::RemoveAll]));
        assert!(list.is_empty() && permits(&list, "11.0.0.0/8"));
    }

    #[test]
    fn a_flood_of_entries_is_bounded() {
        let mut list = OrfList::default();
        let flood = (0..MAX_ENTRIES as u32 + 7).map(|n| add(entry(n, true, "10.0.0.0/8", None))).collect();
        list.apply(&update(flood));
        assert_eq!((list.len(), list.refused), (MAX_ENTRIES, 7));
    }
}
