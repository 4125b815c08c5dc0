//! The prefixes of a table in order, kept while somebody asks for what lies under a prefix again and again: the RPKI.
//!
//! The table finds a prefix by its hash, and what lies under another only in a walk over all. With this index beside it a
//! change of one VRP looks at what it covers. It costs some 12 octets for an IPv4 prefix and 30 for an IPv6 one, and an
//! insertion for each new prefix; a speaker whose policy asks no RPKI has none. It is filled a slice at a time, and until it
//! is complete the table is walked.

use std::collections::BTreeSet;

use super::table::Key;

/// See the module.
#[derive(Debug, Default)]
pub enum Order<P> {
    /// Nobody needs it.
    #[default]
    None,
    /// What came since the job began, and what the job has reached.
    Filling(BTreeSet<P>),
    Complete(BTreeSet<P>),
}

impl<P: Key> Order<P> {
    pub fn is_wanted(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Begins to be kept; the table's prefixes must be put in, and then [`Self::complete`] called.
    pub fn begin(&mut self) {
        if !self.is_wanted() {
            *self = Self::Filling(BTreeSet::new());
        }
    }

    pub fn complete(&mut self) {
        if let Self::Filling(prefixes) = self {
            *self = Self::Complete(std::mem::take(prefixes));
        }
    }

    #[inline]
    pub fn insert(&mut self, prefix: P) {
        if let Self::Filling(prefixes) | Self::Complete(prefixes) = self {
            prefixes.insert(prefix);
        }
    }

    #[inline]
    pub fn remove(&mut self, prefix: &P) {
        if let Self::Filling(prefixes) | Self::Complete(prefixes) = self {
            prefixes.remove(prefix);
        }
    }

    /// The prefix, if it is there, and all that lie in it, in order; `None` while that is not known.
    pub fn within(&self, prefix: P) -> Option<impl Iterator<Item = P>> {
        let Self::Complete(prefixes) = self else { return None };
        // Ordered by address, then length: what lies in a prefix follows it without a gap.
        Some(prefixes.range(prefix..).copied().take_while(move |other| prefix.covers(*other)))
    }

    /// Octets, about: nodes of a B-tree are two thirds full.
    pub fn octets(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Filling(prefixes) | Self::Complete(prefixes) => prefixes.len() * size_of::<P>() * 3 / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_types::Ipv4Prefix;
    use proptest::prelude::*;

    use super::*;

    fn prefixes() -> impl Strategy<Value = Ipv4Prefix> {
        (0u32..64, 0u8..=32)
            .prop_filter_map("host bits", |(bits, len)| Ipv4Prefix::from_bits(bits << 26 | bits << 3, len))
    }

    proptest! {
        #[test]
        fn what_lies_under_a_prefix_is_what_it_covers(
            early in proptest::collection::btree_set(prefixes(), 0..40),
            gone in proptest::collection::vec(prefixes(), 0..20), asked in prefixes(),
        ) {
            let mut order = Order::default();
            order.insert(asked);
            prop_assert!(order.within(asked).is_none() && order.octets() == 0, "nobody wants it");
            order.begin();
            early.iter().for_each(|prefix| order.insert(*prefix));
            gone.iter().for_each(|prefix| order.remove(prefix));
            prop_assert!(order.within(asked).is_none(), "not complete");
            order.complete();
            let there = early.iter().filter(|prefix| !gone.contains(prefix) && asked.covers(**prefix));
            let expected: Vec<Ipv4Prefix> = there.copied().collect();
            prop_assert_eq!(order.within(asked).unwrap().collect::<Vec<_>>(), expected);
        }
    }
}
