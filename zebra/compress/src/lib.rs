//! A smallest forwarding table, kept up to date: which entries suffice to decide about every address as the whole table of
//! routes does.
//!
//! In go routes (a prefix and a [`Decision`]), one at a time; out come the [`Change`]s of the smallest table. The method is
//! ORTC (Draves, King, Venkatachary, Zill: "Constructing Optimal IP Routing Tables", INFOCOM 1999), as a function of the
//! tree alone: the same routes give the same entries, in whatever order they came.
//!
//! Three things the paper does not have:
//! * "No route" is a decision that cannot be installed: an entry that says "unreachable" is not the absence of one (policy
//!   rules go on to their next table, a default of another table may answer). So nothing that covers an address without a
//!   route is made an entry, and the result is the smallest among the tables that keep to it.
//! * *Pinned* routes stand in the table whatever we do (connected networks, routes of the kernel's own). They are entries
//!   that cost nothing, and what they cover from above does not matter.
//! * Changes of a route touch the path to it and those parts below where the candidates or what is inherited changed.
//!
//! # Order of changes
//!
//! First what is new, the longest prefixes first; then what changes its decision; then what goes, the shortest prefixes
//! first. With that order every address has, between any two changes, the decision it had before the update or the one it
//! has after it, and none in between: a new entry shows only where nothing longer, old or new, decides; what goes leaves
//! its addresses to the longest entry that stays, as everything shorter that goes has gone. The price is that a table is
//! larger for a moment, by the number of its new entries.
//!
//! # Size
//!
//! A route costs at most two nodes of [`Compressor::NODE_OCTETS`] octets, an entry one slot of a hash table. Candidate sets of
//! one decision stand in the node; larger ones are kept once and counted.

mod key;
mod sets;
mod tree;
mod walk;

pub use key::Key;

use std::num::NonZeroU32;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use sets::{SetRef, Sets};
use tree::{NO_NODE, Node};

/// What becomes of a packet: a number that the caller gives to a set of next hops, or to a way of dropping.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Decision(pub NonZeroU32);

impl Decision {
    /// `None` for zero.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    pub fn number(self) -> u32 {
        self.0.get()
    }
}

/// A prefix: the bits past `len` are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Prefix<K> {
    pub bits: K,
    pub len: u8,
}

impl<K: Key> Prefix<K> {
    /// Clears the bits past the length; a length past the address's is the address's.
    pub fn new(bits: K, len: u8) -> Self {
        let len = len.min(K::BITS);
        Self { bits: bits.truncate(len), len }
    }

    fn up_to(self, len: u8) -> Self {
        Self { bits: self.bits.truncate(len), len }
    }

    /// The half of the prefix that `side` says.
    fn half(self, side: usize) -> Self {
        let bits = if side == 0 { self.bits } else { self.bits.flip(self.len) };
        Self { bits, len: self.len + 1 }
    }

    /// The other half of the prefix one bit shorter.
    fn sibling(self) -> Self {
        Self { bits: self.bits.flip(self.len - 1), len: self.len }
    }
}

/// What is to be done to the smallest table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<K> {
    pub prefix: Prefix<K>,
    pub old: Option<Decision>,
    pub new: Option<Decision>,
}

/// The routes of one family, and the smallest table for them.
#[derive(Debug)]
pub struct Compressor<K> {
    nodes: Vec<Node<K>>,
    free: Vec<u32>,
    sets: Sets,
    entries: HashMap<Prefix<K>, u32, FxBuildHasher>,
    /// What an entry was before the update that is being worked on.
    touched: HashMap<Prefix<K>, u32, FxBuildHasher>,
    routes: usize,
    pinned: usize,
}

impl<K: Key> Default for Compressor<K> {
    fn default() -> Self {
        let mut this = Self {
            nodes: Vec::new(),
            free: Vec::new(),
            sets: Sets::default(),
            entries: HashMap::default(),
            touched: HashMap::default(),
            routes: 0,
            pinned: 0,
        };
        let root = this.add_node(Prefix::new(K::ZERO, 0));
        debug_assert_eq!(root, tree::ROOT);
        this.nodes[root as usize].set = SetRef::NO_ROUTE;
        this.nodes[root as usize].inherited = tree::NO_ROUTE;
        this
    }
}

impl<K: Key> Compressor<K> {
    /// Octets of one node of the tree.
    pub const NODE_OCTETS: usize = size_of::<Node<K>>();

    /// Puts a route in, in place of one with the same prefix. A pinned one is never an entry of ours.
    pub fn insert(&mut self, prefix: Prefix<K>, decision: Decision, pinned: bool) -> Vec<Change<K>> {
        self.put(prefix, decision, pinned);
        self.changes()
    }

    /// Takes a route out.
    pub fn remove(&mut self, prefix: Prefix<K>) -> Vec<Change<K>> {
        self.take(prefix);
        self.changes()
    }

    /// The entry with exactly this prefix.
    pub fn entry(&self, prefix: Prefix<K>) -> Option<Decision> {
        self.entries.get(&prefix).and_then(|&number| Decision::new(number))
    }

    pub fn entries(&self) -> impl Iterator<Item = (Prefix<K>, Decision)> {
        self.entries.iter().filter_map(|(prefix, &number)| Some((*prefix, Decision::new(number)?)))
    }

    /// The longest entry that covers a prefix, the prefix's own among them; pinned routes are no entries.
    pub fn covering(&self, prefix: Prefix<K>) -> Option<(Prefix<K>, Decision)> {
        (0..=prefix.len).rev().map(|len| prefix.up_to(len)).find_map(|up| Some((up, self.entry(up)?)))
    }

    /// Entries of the smallest table, pinned ones not counted.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Routes that went in, pinned ones not counted.
    pub fn routes(&self) -> usize {
        self.routes - self.pinned
    }

    pub fn pinned(&self) -> usize {
        self.pinned
    }

    /// Octets in use, near enough for accounting.
    pub fn octets(&self) -> usize {
        let slot = size_of::<(Prefix<K>, u32)>() + 1;
        self.nodes.capacity() * Self::NODE_OCTETS
            + self.free.capacity() * 4
            + self.entries.capacity() * slot * 8 / 7
            + self.sets.octets()
    }

    /// What the update changed, in the order that the module's description gives reasons for.
    fn changes(&mut self) -> Vec<Change<K>> {
        let entries = &self.entries;
        let mut changes: Vec<Change<K>> = self
            .touched
            .drain()
            .filter_map(|(prefix, old)| {
                let new = entries.get(&prefix).copied().unwrap_or(tree::NO_ROUTE);
                (old != new).then(|| Change { prefix, old: Decision::new(old), new: Decision::new(new) })
            })
            .collect();
        changes.sort_unstable_by_key(|change| {
            let Prefix { bits, len } = change.prefix;
            match (change.old, change.new) {
                (None, _) => (0, u8::MAX - len, bits),
                (Some(_), Some(_)) => (1, 0, bits),
                (Some(_), None) => (2, len, bits),
            }
        });
        changes
    }

    /// Notes what an entry is to be.
    fn want(&mut self, prefix: Prefix<K>, decision: u32) {
        let old = match decision {
            tree::NO_ROUTE => self.entries.remove(&prefix),
            number => self.entries.insert(prefix, number),
        };
        let old = old.unwrap_or(tree::NO_ROUTE);
        if old != decision {
            self.touched.entry(prefix).or_insert(old);
        }
    }

    fn node(&self, index: u32) -> Option<&Node<K>> {
        if index == NO_NODE { None } else { self.nodes.get(index as usize) }
    }
}
