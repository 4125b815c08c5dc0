//! A persistent binary trie with skipped levels, by prefix of one family. Nodes are shared between copies and copied when a
//! change first touches them.

use std::sync::Arc;

use smallvec::SmallVec;

/// The bits of an address, first bit highest.
pub trait Bits: Copy + Ord {
    fn bit(self, at: u8) -> usize;
    /// Leading bits that both have.
    fn common(self, other: Self) -> u8;
    /// The first `len` bits.
    fn first(self, len: u8) -> Self;
}

impl Bits for u32 {
    fn bit(self, at: u8) -> usize {
        (self >> (31 - (at & 31)) & 1) as usize
    }
    fn common(self, other: Self) -> u8 {
        (self ^ other).leading_zeros() as u8
    }
    fn first(self, len: u8) -> Self {
        self & u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0)
    }
}

impl Bits for u128 {
    fn bit(self, at: u8) -> usize {
        (self >> (127 - (at & 127)) & 1) as usize
    }
    fn common(self, other: Self) -> u8 {
        (self ^ other).leading_zeros() as u8
    }
    fn first(self, len: u8) -> Self {
        self & u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0)
    }
}

type Link<B, V> = Option<Arc<Node<B, V>>>;

#[derive(Clone, Debug)]
struct Node<B, V> {
    bits: B,
    len: u8,
    /// Ascending; empty in a node that only joins two others.
    values: SmallVec<[V; 1]>,
    children: [Link<B, V>; 2],
}

/// Sets of values by prefix.
#[derive(Clone, Debug)]
pub struct Trie<B, V> {
    root: Link<B, V>,
    len: usize,
}

impl<B, V> Default for Trie<B, V> {
    fn default() -> Self {
        Self { root: None, len: 0 }
    }
}

impl<B: Bits, V: Copy + Ord> Node<B, V> {
    fn leaf(bits: B, len: u8, value: V) -> Self {
        Self { bits, len, values: SmallVec::from_elem(value, 1), children: [None, None] }
    }

    fn covers(&self, bits: B, len: u8) -> bool {
        self.len <= len && self.bits.common(bits) >= self.len
    }
}

impl<B: Bits, V: Copy + Ord> Trie<B, V> {
    /// Values in all prefixes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds a value; false where it was there.
    pub fn insert(&mut self, bits: B, len: u8, value: V) -> bool {
        let added = !self.contains(bits, len, value);
        if added {
            insert(&mut self.root, bits, len, value);
            self.len += 1;
        }
        added
    }

    /// Takes a value away; false where it was not there.
    pub fn remove(&mut self, bits: B, len: u8, value: V) -> bool {
        let there = self.contains(bits, len, value);
        if there {
            remove(&mut self.root, bits, len, value);
            self.len -= 1;
        }
        there
    }

    pub fn contains(&self, bits: B, len: u8, value: V) -> bool {
        self.covering(bits, len)
            .last()
            .is_some_and(|(_, at, values)| at == len && values.binary_search(&value).is_ok())
    }

    /// The prefixes that cover one, shortest first, with their values.
    pub fn covering(&self, bits: B, len: u8) -> impl Iterator<Item = (B, u8, &[V])> {
        let mut next = self.root.as_deref();
        std::iter::from_fn(move || {
            let node = next.filter(|node| node.covers(bits, len))?;
            next = if node.len < len {
                node.children.get(bits.bit(node.len)).and_then(|child| child.as_deref())
            } else {
                None
            };
            Some((node.bits, node.len, node.values.as_slice()))
        })
    }

    /// All values in order of prefix, covering before covered.
    pub fn iter(&self) -> impl Iterator<Item = (B, u8, V)> {
        walk(self.root.as_deref())
    }

    /// The values of a prefix and of those below it.
    pub fn within(&self, bits: B, len: u8) -> impl Iterator<Item = (B, u8, V)> {
        let mut at = self.root.as_deref();
        while let Some(node) = at.filter(|node| node.len < len) {
            at = if node.covers(bits, len) {
                node.children.get(bits.bit(node.len)).and_then(|child| child.as_deref())
            } else {
                None
            };
        }
        walk(at.filter(|node| node.bits.common(bits) >= len))
    }

    /// The prefixes whose values differ, each once.
    pub fn differing(&self, other: &Self) -> Vec<(B, u8)> {
        let mut found = Vec::new();
        differing(self.root.as_ref(), other.root.as_ref(), &mut found);
        found
    }
}

fn walk<B: Bits, V: Copy>(root: Option<&Node<B, V>>) -> impl Iterator<Item = (B, u8, V)> {
    let mut stack: Vec<&Node<B, V>> = root.into_iter().collect();
    std::iter::from_fn(move || {
        let node = stack.pop()?;
        stack.extend(node.children.iter().rev().flatten().map(|child| &**child));
        Some(node)
    })
    .flat_map(|node| node.values.iter().map(move |value| (node.bits, node.len, *value)))
}

fn insert<B: Bits, V: Copy + Ord>(link: &mut Link<B, V>, bits: B, len: u8, value: V) {
    let Some(node) = link else {
        *link = Some(Arc::new(Node::leaf(bits, len, value)));
        return;
    };
    let common = node.bits.common(bits).min(node.len).min(len);
    if common == node.len {
        let node = Arc::make_mut(node);
        if common == len {
            let at = node.values.partition_point(|known| *known < value);
            node.values.insert(at, value);
        } else if let Some(child) = node.children.get_mut(bits.bit(node.len)) {
            insert(child, bits, len, value);
        }
        return;
    }
    // The node goes below a new one: the prefix itself, or where the two part.
    let old = Arc::clone(node);
    let side = old.bits.bit(common);
    let mut joint = if common == len {
        Node::leaf(bits, len, value)
    } else {
        let mut joint = Node::leaf(bits.first(common), common, value);
        joint.values.clear();
        if let Some(child) = joint.children.get_mut(1 - side) {
            *child = Some(Arc::new(Node::leaf(bits, len, value)));
        }
        joint
    };
    if let Some(child) = joint.children.get_mut(side) {
        *child = Some(old);
    }
    *link = Some(Arc::new(joint));
}

fn remove<B: Bits, V: Copy + Ord>(link: &mut Link<B, V>, bits: B, len: u8, value: V) {
    let Some(shared) = link else { return };
    let node = Arc::make_mut(shared);
    if node.len == len {
        if let Ok(at) = node.values.binary_search(&value) {
            node.values.remove(at);
        }
    } else if let Some(child) = node.children.get_mut(bits.bit(node.len)) {
        remove(child, bits, len, value);
    }
    if node.values.is_empty() {
        match &mut node.children {
            [Some(_), Some(_)] => {}
            [one, other] => {
                let rest = one.take().or_else(|| other.take());
                *link = rest;
            }
        }
    }
}

fn all<B: Bits, V: Copy>(node: Option<&Arc<Node<B, V>>>, found: &mut Vec<(B, u8)>) {
    let Some(node) = node else { return };
    if !node.values.is_empty() {
        found.push((node.bits, node.len));
    }
    node.children.iter().for_each(|child| all(child.as_ref(), found));
}

fn differing<B: Bits, V: Copy + Ord>(
    a: Option<&Arc<Node<B, V>>>,
    b: Option<&Arc<Node<B, V>>>,
    found: &mut Vec<(B, u8)>,
) {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (one, other) => return all(one.or(other), found),
    };
    if Arc::ptr_eq(a, b) {
        return;
    }
    if a.len == b.len && a.bits == b.bits {
        if a.values != b.values {
            found.push((a.bits, a.len));
        }
        for (a, b) in a.children.iter().zip(&b.children) {
            differing(a.as_ref(), b.as_ref(), found);
        }
    } else if a.covers(b.bits, b.len) {
        below(a, b, found);
    } else if b.covers(a.bits, a.len) {
        below(b, a, found);
    } else {
        all(Some(a), found);
        all(Some(b), found);
    }
}

/// `low` stands below `high`, which the other side has not.
fn below<B: Bits, V: Copy + Ord>(high: &Arc<Node<B, V>>, low: &Arc<Node<B, V>>, found: &mut Vec<(B, u8)>) {
    if !high.values.is_empty() {
        found.push((high.bits, high.len));
    }
    let side = low.bits.bit(high.len);
    for (at, child) in high.children.iter().enumerate() {
        differing(child.as_ref(), (at == side).then_some(low), found);
    }
}
