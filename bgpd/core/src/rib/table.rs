//! The prefixes of one family: entries in a slab, found through a hash index, named by a 32-bit handle everywhere else.
//!
//! ```text
//!  index (eight octets a slot) ──► handle ──► slab chunk ──► Entry { prefix, paths (first inline), … }
//!                                           │
//!                                           └──► adj-out of each group, FIB state: plain arrays by handle
//! ```
//! An entry lives while it has paths or somebody outside was told of it (`pins`). Handles are reused.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;

use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix};
use smallvec::SmallVec;

use super::attrs::AttrId;
use super::order::Order;
use super::path_id::PathIds;
use super::peers::PeerIdx;
use super::slab::Index;
use super::users::Users;

/// A prefix of one family, as a key of tables.
pub trait Key: Copy + Eq + Ord + Hash + Debug + Into<Prefix> + Send + 'static {
    const AFI: Afi;
    const BITS: u8;
    fn from_prefix(prefix: Prefix) -> Option<Self>;
    fn host(addr: IpAddr) -> Option<Self>;
    fn length(self) -> u8;
    /// The first `len` bits.
    fn shorten(self, len: u8) -> Self;
    fn covers(self, other: Self) -> bool;
    /// The address as it goes on the wire; only the first octets that the length needs are sent.
    fn octets(self) -> [u8; 16];
    /// A hash that cannot be foreseen without the seed, so that no neighbour can aim at one slot.
    fn spread(self, seed: u64) -> u32;
}

/// Multiplies and folds, as wyhash does.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide >> 64) as u64 ^ wide as u64
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key for Ipv4Prefix {
    const AFI: Afi = Afi::Ipv4;
    const BITS: u8 = 32;
    fn from_prefix(prefix: Prefix) -> Option<Self> {
        match prefix {
            Prefix::V4(prefix) => Some(prefix),
            Prefix::V6(_) => None,
        }
    }
    fn host(addr: IpAddr) -> Option<Self> {
        match addr {
            IpAddr::V4(addr) => Some(Self::host(addr)),
            IpAddr::V6(_) => None,
        }
    }
    #[inline]
    fn length(self) -> u8 {
        self.len()
    }
    fn shorten(self, len: u8) -> Self {
        Self::from_bits(self.bits(), len.min(self.len())).unwrap_or(self)
    }
    fn covers(self, other: Self) -> bool {
        Self::covers(self, other)
    }
    #[inline]
    fn octets(self) -> [u8; 16] {
        (u128::from(self.bits()) << 96).to_be_bytes()
    }
    #[inline]
    fn spread(self, seed: u64) -> u32 {
        let key = u64::from(self.bits()) << 8 | u64::from(self.len());
        (fold(key ^ seed, MULTIPLIER ^ seed.rotate_left(32)) >> 16) as u32
    }
}

impl Key for Ipv6Prefix {
    const AFI: Afi = Afi::Ipv6;
    const BITS: u8 = 128;
    fn from_prefix(prefix: Prefix) -> Option<Self> {
        match prefix {
            Prefix::V6(prefix) => Some(prefix),
            Prefix::V4(_) => None,
        }
    }
    fn host(addr: IpAddr) -> Option<Self> {
        match addr {
            IpAddr::V6(addr) => Some(Self::host(addr)),
            IpAddr::V4(_) => None,
        }
    }
    #[inline]
    fn length(self) -> u8 {
        self.len()
    }
    fn shorten(self, len: u8) -> Self {
        Self::from_bits(self.bits(), len.min(self.len())).unwrap_or(self)
    }
    fn covers(self, other: Self) -> bool {
        Self::covers(self, other)
    }
    #[inline]
    fn octets(self) -> [u8; 16] {
        self.bits().to_be_bytes()
    }
    #[inline]
    fn spread(self, seed: u64) -> u32 {
        let bits = self.bits();
        let half = fold((bits >> 64) as u64 ^ seed, MULTIPLIER ^ u64::from(self.len()));
        (fold(half ^ bits as u64, seed.rotate_left(32) ^ MULTIPLIER) >> 16) as u32
    }
}

/// Leading bits by which prefixes are spread over shards. Routes of one origin are mostly neighbours and share their
/// attributes: with whole prefixes hashed, eight shards hold (and send) 145,000 attribute sets of a real table of 63,000,
/// in this way 109,000, and the fullest has 2% more than its share.
const SPREAD_BITS_V4: u32 = 18;
const SPREAD_BITS_V6: u32 = 32;

/// The shard of `of` that owns a prefix. Part of the contract between session tasks and shards.
#[inline]
pub fn shard_of(prefix: Prefix, of: usize) -> usize {
    if of <= 1 {
        return 0;
    }
    let key = match prefix {
        Prefix::V4(prefix) => u64::from(prefix.bits() >> (32 - SPREAD_BITS_V4)),
        Prefix::V6(prefix) => (prefix.bits() >> (128 - SPREAD_BITS_V6)) as u64,
    };
    let hash = fold(key ^ MULTIPLIER, 0xbf58_476d_1ce4_e5b9) as u32;
    ((u64::from(hash) * of as u64) >> 32) as usize
}

/// Place of an entry in its table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(pub u32);

impl Handle {
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One path to a prefix: 16 octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Path {
    pub attrs: AttrId,
    pub path_id: u32,
    /// Seconds since the daemon started.
    pub since: u32,
    pub peer: PeerIdx,
    pub flags: PathFlags,
}

/// Bits of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PathFlags(u16);

impl PathFlags {
    pub const VALID: u16 = 1 << 0;
    pub const BEST: u16 = 1 << 1;
    pub const MULTIPATH: u16 = 1 << 2;
    /// As received, kept by soft-reconfiguration beside the accepted path or in place of a denied one; no candidate.
    pub const SHADOW: u16 = 1 << 3;
    /// For a shadow: policy denied the route.
    pub const FILTERED: u16 = 1 << 4;
    /// One of our own routes whose condition does not hold (import check).
    pub const UNUSABLE: u16 = 1 << 6;
    /// Held back because it flaps (RFC 2439).
    pub const DAMPED: u16 = 1 << 7;
    /// When it came, as the peer's epochs count.
    pub const EPOCH_SHIFT: u16 = 8;

    pub const fn new(epoch: u8) -> Self {
        Self((epoch as u16) << Self::EPOCH_SHIFT)
    }

    #[inline]
    pub const fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }

    #[inline]
    pub const fn with(self, bit: u16) -> Self {
        Self(self.0 | bit)
    }

    #[inline]
    pub fn set(&mut self, bit: u16, on: bool) {
        if on { self.0 |= bit } else { self.0 &= !bit }
    }

    pub const fn bits(self) -> u16 {
        self.0
    }

    pub const fn epoch(self) -> u8 {
        (self.0 >> Self::EPOCH_SHIFT) as u8
    }
}

/// Bits of an entry.
pub mod entry_flags {
    pub const LIVE: u16 = 1 << 0;
    /// In the table's list of changed entries.
    pub const CHANGED: u16 = 1 << 1;
    /// Some summary-only aggregate covers it.
    pub const SUPPRESSED: u16 = 1 << 2;
    pub const FIB_INSTALLED: u16 = 1 << 3;
    pub const FIB_REJECTED: u16 = 1 << 4;
    /// The best path or one that shares its traffic was replaced or removed since the last decision.
    pub const BEST_TOUCHED: u16 = 1 << 5;
    /// The kernel does not have the decision yet, and neighbours are not told before (`bgp suppress-fib-pending`).
    pub const FIB_WAIT: u16 = 1 << 9;
}

/// A prefix with its paths.
#[derive(Debug)]
pub struct Entry<P> {
    pub prefix: P,
    pub flags: u16,
    /// Groups, catching-up members and the FIB that were told of this prefix.
    pub pins: u16,
    /// Table version of the last change.
    pub version: u32,
    pub paths: SmallVec<[Path; 1]>,
}

impl<P> Entry<P> {
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub fn set(&mut self, flag: u16, on: bool) {
        if on { self.flags |= flag } else { self.flags &= !flag }
    }

    #[inline]
    pub fn best(&self) -> Option<&Path> {
        self.paths.iter().find(|path| path.flags.has(PathFlags::BEST))
    }
}

const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;

/// The table.
#[derive(Debug)]
pub struct Table<P> {
    index: Index,
    seed: u64,
    chunks: Vec<Vec<Entry<P>>>,
    free: Vec<Handle>,
    /// Paths in all entries, shadows included.
    pub paths: usize,
    /// Identifiers of the paths that groups have told of.
    pub path_ids: PathIds,
    /// The prefixes in order, while that is wanted.
    pub order: Order<P>,
    /// The entries of each set of attributes, while that is wanted.
    pub users: Users,
}

impl<P: Key> Default for Table<P> {
    fn default() -> Self {
        // The layout of the index is the only thing that chance decides, and nothing outside sees it.
        let seed = RandomState::new().hash_one(0u8);
        Self {
            index: Index::default(),
            seed,
            chunks: Vec::new(),
            free: Vec::new(),
            paths: 0,
            path_ids: PathIds::default(),
            order: Order::None,
            users: Users::None,
        }
    }
}

impl<P: Key> Table<P> {
    /// Handles given so far, free ones included: every handle is below.
    pub fn capacity(&self) -> usize {
        self.chunks.len().saturating_sub(1) * CHUNK + self.chunks.last().map_or(0, Vec::len)
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    #[inline]
    fn slot(&self, handle: Handle) -> Option<&Entry<P>> {
        self.chunks.get(handle.index() >> CHUNK_BITS)?.get(handle.index() & (CHUNK - 1))
    }

    #[inline]
    fn slot_mut(&mut self, handle: Handle) -> Option<&mut Entry<P>> {
        self.chunks.get_mut(handle.index() >> CHUNK_BITS)?.get_mut(handle.index() & (CHUNK - 1))
    }

    /// The entry, while it lives.
    #[inline]
    pub fn get(&self, handle: Handle) -> Option<&Entry<P>> {
        self.slot(handle).filter(|entry| entry.has(entry_flags::LIVE))
    }

    #[inline]
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut Entry<P>> {
        self.slot_mut(handle).filter(|entry| entry.has(entry_flags::LIVE))
    }

    #[inline]
    pub fn find(&self, prefix: &P) -> Option<Handle> {
        self.find_hashed(prefix, prefix.spread(self.seed))
    }

    #[inline]
    fn find_hashed(&self, prefix: &P, hash: u32) -> Option<Handle> {
        self.index
            .find(hash, |id| self.slot(Handle(id)).is_some_and(|entry| entry.prefix == *prefix))
            .map(Handle)
    }

    pub fn find_or_insert(&mut self, prefix: P) -> Handle {
        let hash = prefix.spread(self.seed);
        if let Some(handle) = self.find_hashed(&prefix, hash) {
            return handle;
        }
        let entry = Entry { prefix, flags: entry_flags::LIVE, pins: 0, version: 0, paths: SmallVec::new() };
        let handle = match self.free.pop() {
            Some(handle) => {
                if let Some(slot) = self.slot_mut(handle) {
                    *slot = entry;
                }
                handle
            }
            None => {
                let handle = Handle(self.capacity() as u32);
                if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
                    self.chunks.push(Vec::with_capacity(CHUNK));
                }
                if let Some(chunk) = self.chunks.last_mut() {
                    chunk.push(entry);
                }
                handle
            }
        };
        self.index.insert(hash, handle.0);
        self.order.insert(prefix);
        handle
    }

    /// Frees the entry if nobody needs it any more.
    pub fn release(&mut self, handle: Handle) {
        let Some(entry) = self.get_mut(handle) else { return };
        if !entry.paths.is_empty() || entry.pins > 0 || entry.has(entry_flags::CHANGED) {
            return;
        }
        entry.flags = 0;
        let prefix = entry.prefix;
        self.index.remove(prefix.spread(self.seed), handle.0);
        self.order.remove(&prefix);
        self.free.push(handle);
        if self.index.is_empty() {
            let (order, users) = (std::mem::take(&mut self.order), std::mem::take(&mut self.users));
            *self = Self { order, users, ..Self::default() };
        }
    }

    /// A path of the entry that named these attributes is not there any more.
    #[inline]
    pub fn gone(&mut self, handle: Handle, attrs: AttrId) {
        if self.users.is_wanted()
            && self.slot(handle).is_none_or(|entry| entry.paths.iter().all(|path| path.attrs != attrs))
        {
            self.users.remove(attrs, handle);
        }
    }

    /// A path of the entry has other attributes now.
    #[inline]
    pub fn exchanged(&mut self, handle: Handle, old: AttrId, new: AttrId) {
        self.gone(handle, old);
        self.users.insert(new, handle);
    }

    pub fn pin(&mut self, handle: Handle) {
        if let Some(entry) = self.get_mut(handle) {
            entry.pins = entry.pins.saturating_add(1);
        }
    }

    pub fn unpin(&mut self, handle: Handle) {
        if let Some(entry) = self.get_mut(handle) {
            entry.pins = entry.pins.saturating_sub(1);
            if entry.pins == 0 {
                self.release(handle);
            }
        }
    }

    /// The longest prefix that covers `addr` and satisfies `accept`.
    pub fn longest(&self, addr: IpAddr, accept: impl Fn(&Entry<P>) -> bool) -> Option<Handle> {
        let host = P::host(addr)?;
        (0..=P::BITS).rev().find_map(|len| {
            self.find(&host.shorten(len)).filter(|handle| self.get(*handle).is_some_and(&accept))
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = (Handle, &Entry<P>)> {
        self.chunks.iter().flatten().enumerate().filter_map(|(index, entry)| {
            entry.has(entry_flags::LIVE).then_some((Handle(index as u32), entry))
        })
    }

    /// Every prefix within `within`, in order.
    pub fn sorted(&self, within: Option<P>) -> Vec<P> {
        if let Some(known) = within.and_then(|within| self.order.within(within)) {
            return known.collect();
        }
        let mut keys: Vec<P> = self
            .iter()
            .map(|(_, entry)| entry.prefix)
            .filter(|prefix| within.is_none_or(|within| within.covers(*prefix)))
            .collect();
        keys.sort_unstable();
        keys
    }

    /// Octets allocated: chunks, index, and paths outside their entry.
    pub fn octets(&self) -> usize {
        let entries: usize = self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<Entry<P>>()).sum();
        let spilled: usize = self
            .iter()
            .filter(|(_, entry)| entry.paths.spilled())
            .map(|(_, entry)| entry.paths.capacity() * size_of::<Path>())
            .sum();
        let ids = self.path_ids.octets();
        let order = self.order.octets() + self.users.octets();
        entries + self.index.octets() + spilled + ids + order + self.free.capacity() * size_of::<Handle>()
    }
}

/// A set of handles, one bit each.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    /// Every handle below `len`.
    pub fn all(len: usize) -> Self {
        let mut words = vec![u64::MAX; len / 64];
        if !len.is_multiple_of(64) {
            words.push((1 << (len % 64)) - 1);
        }
        Self { words, count: len }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline]
    pub fn contains(&self, handle: Handle) -> bool {
        self.words.get(handle.index() / 64).is_some_and(|word| word & (1 << (handle.0 % 64)) != 0)
    }

    /// Whether the handle was not in the set.
    #[inline]
    pub fn insert(&mut self, handle: Handle) -> bool {
        let index = handle.index() / 64;
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        let Some(word) = self.words.get_mut(index) else { return false };
        let bit = 1 << (handle.0 % 64);
        let new = *word & bit == 0;
        *word |= bit;
        self.count += usize::from(new);
        new
    }

    /// Whether the handle was in the set.
    #[inline]
    pub fn remove(&mut self, handle: Handle) -> bool {
        let Some(word) = self.words.get_mut(handle.index() / 64) else { return false };
        let bit = 1 << (handle.0 % 64);
        let had = *word & bit != 0;
        *word &= !bit;
        self.count -= usize::from(had);
        had
    }

    pub fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }

    pub fn words(&self) -> usize {
        self.words.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = Handle> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| bits_of(*word, index))
    }

    /// Gives the memory back once the set is empty.
    pub fn trim(&mut self) {
        if self.count == 0 {
            self.words = Vec::new();
        }
    }

    pub fn octets(&self) -> usize {
        self.words.capacity() * 8
    }
}

/// The handles whose bits are set in word `index` of a set.
pub fn bits_of(word: u64, index: usize) -> impl Iterator<Item = Handle> {
    let mut rest = word;
    std::iter::from_fn(move || {
        if rest == 0 {
            return None;
        }
        let bit = rest.trailing_zeros();
        rest &= rest - 1;
        Some(Handle(index as u32 * 64 + bit))
    })
}

/// A number per handle, zero where nothing was said; chunks without any cost nothing.
#[derive(Clone, Debug, Default)]
pub struct Column {
    chunks: Vec<Option<Box<[u32; CHUNK]>>>,
    count: usize,
}

impl Column {
    #[inline]
    pub fn get(&self, handle: Handle) -> u32 {
        match self.chunks.get(handle.index() >> CHUNK_BITS) {
            Some(Some(chunk)) => chunk[handle.index() & (CHUNK - 1)],
            _ => 0,
        }
    }

    /// Returns what was there.
    #[inline]
    pub fn set(&mut self, handle: Handle, value: u32) -> u32 {
        let index = handle.index() >> CHUNK_BITS;
        if index >= self.chunks.len() {
            if value == 0 {
                return 0;
            }
            self.chunks.resize_with(index + 1, || None);
        }
        let Some(slot) = self.chunks.get_mut(index) else { return 0 };
        if slot.is_none() && value == 0 {
            return 0;
        }
        let chunk = slot.get_or_insert_with(|| Box::new([0; CHUNK]));
        let old = std::mem::replace(&mut chunk[handle.index() & (CHUNK - 1)], value);
        match (old, value) {
            (0, 1..) => self.count += 1,
            (1.., 0) => self.count -= 1,
            _ => {}
        }
        old
    }

    /// Handles with a number.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (Handle, u32)> + '_ {
        self.chunks.iter().enumerate().flat_map(|(index, chunk)| {
            chunk.iter().flat_map(move |chunk| {
                chunk
                    .iter()
                    .enumerate()
                    .filter(|(_, value)| **value != 0)
                    .map(move |(offset, value)| (Handle((index * CHUNK + offset) as u32), *value))
            })
        })
    }

    pub fn octets(&self) -> usize {
        self.chunks.iter().flatten().count() * CHUNK * 4 + self.chunks.capacity() * 8
    }
}
