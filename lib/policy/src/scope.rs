//! Which prefixes something can touch: all of them, or those within a set of ranges. An edit of policy has a scope, and
//! only what lies in it is judged again.

use std::sync::Arc;

use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix};
use rustc_hash::FxHashMap;

/// The prefixes within `prefix` whose length is from `low` to `high`, both included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Range {
    pub prefix: Prefix,
    pub low: u8,
    pub high: u8,
}

impl Range {
    /// The prefix alone.
    pub const fn exactly(prefix: Prefix) -> Self {
        Self { prefix, low: prefix.len(), high: prefix.len() }
    }

    /// The prefix and everything in it.
    pub const fn within(prefix: Prefix) -> Self {
        Self { prefix, low: prefix.len(), high: prefix.afi().bits() }
    }

    pub fn contains(&self, prefix: Prefix) -> bool {
        (self.low..=self.high).contains(&prefix.len()) && self.prefix.covers(prefix)
    }

    /// How many prefixes there are in it, saturating.
    fn count(&self) -> usize {
        let of = |len: u8| 1usize.checked_shl(u32::from(len.saturating_sub(self.prefix.len())));
        let lengths = self.low.max(self.prefix.len())..=self.high.min(self.prefix.afi().bits());
        lengths.fold(0, |sum, len| of(len).map_or(usize::MAX, |count| count.saturating_add(sum)))
    }

    /// Appends every prefix in it. The caller knows that there are few.
    fn expand(&self, out: &mut Vec<Prefix>) {
        for len in self.low.max(self.prefix.len())..=self.high.min(self.prefix.afi().bits()) {
            let count = 1u128 << (len - self.prefix.len()).min(127);
            for number in 0..count {
                out.extend(subnet(self.prefix, len, number));
            }
        }
    }
}

/// The subnet of that number and length.
fn subnet(prefix: Prefix, len: u8, number: u128) -> Option<Prefix> {
    match prefix {
        Prefix::V4(prefix) => {
            let bits = prefix.bits() | (number as u32).checked_shl(u32::from(32 - len)).unwrap_or(0);
            Ipv4Prefix::from_bits(bits, len).map(Prefix::V4)
        }
        Prefix::V6(prefix) => {
            let bits = prefix.bits() | number.checked_shl(u32::from(128 - len)).unwrap_or(0);
            Ipv6Prefix::from_bits(bits, len).map(Prefix::V6)
        }
    }
}

/// A set of ranges that answers quickly whether a prefix is in one of them.
#[derive(Debug, Default)]
pub struct Ranges {
    /// Ascending, without duplicates.
    ranges: Vec<Range>,
    /// Distinct lengths of the ranges' own prefixes, by family. Empty for few ranges, which are scanned.
    lengths: [Vec<u8>; 2],
    index: FxHashMap<Prefix, Vec<(u8, u8)>>,
}

/// Up to this many ranges a scan beats the hash table.
const SCAN: usize = 8;

const fn place(prefix: Prefix) -> usize {
    match prefix {
        Prefix::V4(_) => 0,
        Prefix::V6(_) => 1,
    }
}

impl Ranges {
    pub fn new(mut ranges: Vec<Range>) -> Self {
        ranges.sort_unstable();
        ranges.dedup();
        let mut lengths = [Vec::new(), Vec::new()];
        let mut index = FxHashMap::<_, Vec<_>>::default();
        if ranges.len() > SCAN {
            for range in &ranges {
                if let Some(lengths) = lengths.get_mut(place(range.prefix)) {
                    lengths.push(range.prefix.len());
                }
                index.entry(range.prefix).or_default().push((range.low, range.high));
            }
            for lengths in &mut lengths {
                lengths.sort_unstable();
                lengths.dedup();
            }
        }
        Self { ranges, lengths, index }
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Range> {
        self.ranges.iter()
    }

    pub fn contains(&self, prefix: Prefix) -> bool {
        if self.ranges.len() <= SCAN {
            return self.ranges.iter().any(|range| range.contains(prefix));
        }
        let lengths = self.lengths.get(place(prefix)).map_or(&[][..], Vec::as_slice);
        lengths.iter().take_while(|len| **len <= prefix.len()).any(|len| {
            let bounds = self.index.get(&prefix.truncate(*len)).map_or(&[][..], Vec::as_slice);
            bounds.iter().any(|(low, high)| (*low..=*high).contains(&prefix.len()))
        })
    }

    /// Every prefix of a family in the set, where there are at most `limit`: then looking them up is cheaper than walking
    /// a table.
    pub fn prefixes(&self, afi: Afi, limit: usize) -> Option<Vec<Prefix>> {
        let of_family = || self.ranges.iter().filter(|range| range.prefix.afi() == afi);
        let count = of_family().fold(0usize, |sum, range| sum.saturating_add(range.count()));
        if count > limit {
            return None;
        }
        let mut all = Vec::with_capacity(count);
        of_family().for_each(|range| range.expand(&mut all));
        all.sort_unstable();
        all.dedup();
        Some(all)
    }
}

/// Which prefixes something can touch.
#[derive(Clone, Debug)]
pub enum Scope {
    All,
    Within(Arc<Ranges>),
}

impl Scope {
    /// No prefix at all.
    pub fn none() -> Self {
        Self::Within(Arc::default())
    }

    pub fn of(ranges: Vec<Range>) -> Self {
        Self::Within(Arc::new(Ranges::new(ranges)))
    }

    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    pub fn is_none(&self) -> bool {
        matches!(self, Self::Within(ranges) if ranges.is_empty())
    }

    pub fn contains(&self, prefix: Prefix) -> bool {
        match self {
            Self::All => true,
            Self::Within(ranges) => ranges.contains(prefix),
        }
    }

    /// What either of both touches.
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (a, b) if a == b || b.is_none() => a.clone(),
            (a, b) if a.is_none() => b.clone(),
            (Self::Within(a), Self::Within(b)) => Self::of(a.iter().chain(b.iter()).copied().collect()),
        }
    }
}

/// Equal are scopes of one object: sets are worked out once and shared, and comparing two would cost more than it gains.
impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::Within(a), Self::Within(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Scope {}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use proptest::prelude::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn range(prefix: &str, low: u8, high: u8) -> Range {
        Range { prefix: p(prefix), low, high }
    }

    #[test]
    fn few_prefixes_are_named_one_by_one() {
        let set = Ranges::new(vec![range("10.0.0.0/8", 8, 9), range("2001:db8::/32", 32, 32)]);
        let named = set.prefixes(Afi::Ipv4, 10).unwrap();
        assert_eq!(named, [p("10.0.0.0/8"), p("10.0.0.0/9"), p("10.128.0.0/9")]);
        assert_eq!(set.prefixes(Afi::Ipv6, 10).unwrap(), [p("2001:db8::/32")]);
        assert_eq!(set.prefixes(Afi::Ipv4, 2), None);
        assert_eq!(Ranges::new(vec![range("::/0", 0, 128)]).prefixes(Afi::Ipv6, 1 << 20), None);
        assert_eq!(Ranges::new(vec![range("0.0.0.0/0", 0, 32)]).prefixes(Afi::Ipv4, 1 << 20), None);
    }

    #[test]
    fn a_union_touches_what_either_touches() {
        let (a, b) =
            (Scope::of(vec![range("10.0.0.0/8", 8, 24)]), Scope::of(vec![range("11.0.0.0/8", 8, 8)]));
        let both = a.union(&b);
        assert!(both.contains(p("10.1.0.0/16")) && both.contains(p("11.0.0.0/8")));
        assert!(!both.contains(p("11.1.0.0/16")) && !both.contains(p("10.1.1.1/32")));
        assert!(a.union(&Scope::All).is_all() && Scope::none().union(&a) == a);
        assert!(Scope::none().is_none() && !Scope::none().contains(p("0.0.0.0/0")));
    }

    fn prefixes() -> impl Strategy<Value = Prefix> {
        (0u32..64, 0u8..=32)
            .prop_map(|(bits, len)| Prefix::new(IpAddr::V4((bits << 26 | bits << 3).into()), len).unwrap())
    }

    fn ranges() -> impl Strategy<Value = Range> {
        (prefixes(), 0u8..=32, 0u8..=32).prop_map(|(prefix, low, more)| {
            let low = low.max(prefix.len());
            Range { prefix, low, high: low.saturating_add(more).min(32) }
        })
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_asking_every_range(
            ranges in proptest::collection::vec(ranges(), 0..30), tested in proptest::collection::vec(prefixes(), 1..40),
        ) {
            let set = Ranges::new(ranges.clone());
            let named = set.prefixes(Afi::Ipv4, 4096);
            for prefix in tested {
                let expected = ranges.iter().any(|range| range.contains(prefix));
                prop_assert_eq!(set.contains(prefix), expected);
                if let Some(named) = &named {
                    prop_assert_eq!(named.binary_search(&prefix).is_ok(), expected);
                }
            }
        }
    }
}
