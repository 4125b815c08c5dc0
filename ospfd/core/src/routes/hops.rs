//! Next hops of a route. Most routes have one, and there may be a hundred thousand of them: a sorted list of just the size it needs.

use std::ops::Deref;

use super::Hop;

/// Next hops in order, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hops(Vec<Hop>);

impl Hops {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether it was not there.
    pub fn insert(&mut self, hop: Hop) -> bool {
        let Err(at) = self.0.binary_search(&hop) else { return false };
        self.0.reserve_exact(1);
        self.0.insert(at, hop);
        true
    }

    pub fn pop_last(&mut self) -> Option<Hop> {
        self.0.pop()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|hop| other.contains(hop))
    }
}

impl Deref for Hops {
    type Target = [Hop];

    fn deref(&self) -> &[Hop] {
        &self.0
    }
}

impl Extend<Hop> for Hops {
    fn extend<T: IntoIterator<Item = Hop>>(&mut self, hops: T) {
        for hop in hops {
            self.insert(hop);
        }
    }
}

impl FromIterator<Hop> for Hops {
    fn from_iter<T: IntoIterator<Item = Hop>>(hops: T) -> Self {
        let mut all = Self::new();
        all.extend(hops);
        all
    }
}

impl<const N: usize> From<[Hop; N]> for Hops {
    fn from(hops: [Hop; N]) -> Self {
        hops.into_iter().collect()
    }
}

impl IntoIterator for Hops {
    type Item = Hop;
    type IntoIter = std::vec::IntoIter<Hop>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Hops {
    type Item = &'a Hop;
    type IntoIter = std::slice::Iter<'a, Hop>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::IfId;

    #[test]
    fn hops_are_in_order_and_each_is_there_once() {
        let hop = |interface| Hop { interface: IfId(interface), address: None };
        let mut hops: Hops = [3, 1, 2, 3].map(hop).into();
        assert_eq!(*hops, [1, 2, 3].map(hop));
        assert!(!hops.insert(hop(2)) && hops.insert(hop(0)));
        assert!(Hops::from([hop(0), hop(3)]).is_subset(&hops));
        assert!(!Hops::from([hop(0), hop(7)]).is_subset(&hops));
        assert_eq!((hops.pop_last(), hops.first()), (Some(hop(3)), Some(&hop(0))));
    }
}
