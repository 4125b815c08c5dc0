//! Sets of candidate decisions: one decision stands for itself, several are kept once and counted.

use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::tree::NO_ROUTE;

/// The values of a set while it is worked with, in order.
pub type Values = SmallVec<[u32; 8]>;

/// A set in a node: a decision, the number of a shared set, or everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetRef(u32);

const SHARED: u32 = 1 << 31;

impl SetRef {
    pub const NO_ROUTE: Self = Self(NO_ROUTE);
    /// Whatever is inherited will do: a pinned route decides itself.
    pub const ALL: Self = Self(u32::MAX);

    fn shared(self) -> Option<usize> {
        (self != Self::ALL && self.0 & SHARED != 0).then_some((self.0 & !SHARED) as usize)
    }
}

/// Decisions below this fit beside the mark of a shared set.
pub const MAX_DECISION: u32 = SHARED - 1;

/// What a part of the tree is content to inherit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Candidates {
    All,
    Some(Values),
}

impl Candidates {
    pub fn one(decision: u32) -> Self {
        Self::Some(SmallVec::from_slice(&[decision]))
    }

    pub fn contains(&self, decision: u32) -> bool {
        match self {
            Self::All => true,
            Self::Some(values) => values.binary_search(&decision).is_ok(),
        }
    }

    /// The one that is taken where what is inherited will not do: the smallest number.
    pub fn choice(&self) -> u32 {
        match self {
            Self::All => NO_ROUTE,
            Self::Some(values) => values.first().copied().unwrap_or(NO_ROUTE),
        }
    }

    /// What both halves can inherit, else what one of them can. An address without a route leaves no choice.
    pub fn join(self, other: Self) -> Self {
        let (a, b) = match (self, other) {
            (Self::All, other) => return other,
            (this, Self::All) => return this,
            (Self::Some(a), Self::Some(b)) => (a, b),
        };
        if a.first() == Some(&NO_ROUTE) || b.first() == Some(&NO_ROUTE) {
            return Self::one(NO_ROUTE);
        }
        if a == b {
            return Self::Some(a);
        }
        let (small, large) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
        let both: Values = small.iter().copied().filter(|value| large.binary_search(value).is_ok()).collect();
        if !both.is_empty() {
            return Self::Some(both);
        }
        let mut either = a;
        either.extend(b);
        either.sort_unstable();
        Self::Some(either)
    }
}

#[derive(Debug, Default)]
pub struct Sets {
    slots: Vec<Option<(Arc<[u32]>, u32)>>,
    free: Vec<usize>,
    index: HashMap<Arc<[u32]>, usize, FxBuildHasher>,
}

impl Sets {
    pub fn contains(&self, set: SetRef, decision: u32) -> bool {
        match (set, set.shared()) {
            (SetRef::ALL, _) => true,
            (_, None) => set.0 == decision,
            (_, Some(_)) => self.values(set).binary_search(&decision).is_ok(),
        }
    }

    fn values(&self, set: SetRef) -> &[u32] {
        let slot = set.shared().and_then(|index| self.slots.get(index)?.as_ref());
        slot.map_or(&[], |(values, _)| values)
    }

    pub fn get(&self, set: SetRef) -> Candidates {
        match (set, set.shared()) {
            (SetRef::ALL, _) => Candidates::All,
            (_, None) => Candidates::one(set.0),
            (_, Some(_)) => Candidates::Some(SmallVec::from_slice(self.values(set))),
        }
    }

    /// Whether a node's set is this one.
    pub fn is(&self, set: SetRef, candidates: &Candidates) -> bool {
        match (set, set.shared(), candidates) {
            (SetRef::ALL, _, other) => *other == Candidates::All,
            (_, _, Candidates::All) => false,
            (_, None, Candidates::Some(values)) => values.as_slice() == [set.0],
            (_, Some(_), Candidates::Some(values)) => self.values(set) == values.as_slice(),
        }
    }

    pub fn acquire(&mut self, candidates: &Candidates) -> SetRef {
        let values = match candidates {
            Candidates::All => return SetRef::ALL,
            Candidates::Some(values) => values.as_slice(),
        };
        if let [one] = values {
            return SetRef(*one);
        }
        if let Some(&index) = self.index.get(values) {
            if let Some(Some((_, count))) = self.slots.get_mut(index) {
                *count += 1;
            }
            return SetRef(index as u32 | SHARED);
        }
        let values: Arc<[u32]> = values.into();
        let slot = Some((values.clone(), 1));
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.index.insert(values, index);
        SetRef(index as u32 | SHARED)
    }

    pub fn release(&mut self, set: SetRef) {
        let Some(index) = set.shared() else { return };
        let Some(slot) = self.slots.get_mut(index) else { return };
        let Some((values, count)) = slot else { return };
        *count -= 1;
        if *count == 0 {
            self.index.remove(values);
            *slot = None;
            self.free.push(index);
        }
    }

    pub fn octets(&self) -> usize {
        let values =
            |slot: &Option<(Arc<[u32]>, u32)>| slot.as_ref().map_or(0, |(values, _)| values.len() * 4 + 16);
        self.slots.iter().map(values).sum::<usize>()
            + self.slots.capacity() * size_of::<Option<(Arc<[u32]>, u32)>>()
            + self.index.capacity() * (size_of::<(Arc<[u32]>, usize)>() + 1)
    }
}
