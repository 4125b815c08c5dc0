//! Attributes already decoded, found again by their raw octets. Tables and flapping routes repeat the same attributes;
//! comparing the octets costs a fraction of decoding them, and the routes end up sharing one value.
//!
//! The key is the attribute field without the routes inside MP_REACH_NLRI: what is before the attribute, its family and
//! next hop, and what is behind it. A cache belongs to one session, because what is valid depends on the session. It
//! has a fixed number of places: a new entry takes the place of an old one, so it never grows beyond them.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::DefaultHashBuilder;

use crate::attr::{Attributes, RawRef};

/// Places of a cache; a power of two.
const PLACES: usize = 2048;

/// Longest key worth keeping. Longer attribute fields are rare and would make the cache's size depend on the peer.
const MAX_KEY: usize = 1024;

/// The octets that decide what the attributes are, in up to three pieces.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    before: &'a [u8],
    /// Family and next hop with its length; empty where there is no MP_REACH_NLRI.
    reach: &'a [u8],
    after: &'a [u8],
}

impl<'a> Key<'a> {
    pub fn new(attributes: &'a [u8], reach: Option<RawRef<'a>>) -> Self {
        let plain = Self { before: attributes, reach: &[], after: &[] };
        let Some(raw) = reach else { return plain };
        // The attribute is a piece of the field, so its place follows from the addresses.
        let start = (raw.whole.as_ptr() as usize).wrapping_sub(attributes.as_ptr() as usize);
        let next_hop = raw.value.get(3).map_or(0, |len| usize::from(*len));
        let pieces = (
            attributes.get(..start),
            raw.value.get(..4 + next_hop),
            attributes.get(start + raw.whole.len()..),
        );
        match pieces {
            (Some(before), Some(reach), Some(after)) => Self { before, reach, after },
            _ => plain,
        }
    }

    fn len(&self) -> usize {
        self.before.len() + self.reach.len() + self.after.len()
    }

    fn hash(&self, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one((self.before, self.reach, self.after))
    }
}

#[derive(Clone, Debug)]
struct Place {
    hash: u64,
    /// Where the pieces end, so that two keys with the same octets in other pieces differ.
    ends: (u16, u16),
    octets: Box<[u8]>,
    attrs: Arc<Attributes>,
}

impl Place {
    fn holds(&self, hash: u64, key: &Key<'_>) -> bool {
        if self.hash != hash || self.octets.len() != key.len() {
            return false;
        }
        let (first, second) = (usize::from(self.ends.0), usize::from(self.ends.1));
        self.octets.get(..first) == Some(key.before)
            && self.octets.get(first..second) == Some(key.reach)
            && self.octets.get(second..) == Some(key.after)
    }
}

/// Decoded attributes of one session by their octets.
#[derive(Clone, Debug, Default)]
pub struct AttributeCache {
    hasher: DefaultHashBuilder,
    /// Empty until the first entry.
    places: Vec<Option<Place>>,
    pub hits: u64,
    pub misses: u64,
}

impl AttributeCache {
    /// Forgets everything and gives the memory back: for a session that has gone quiet, or whose terms changed.
    pub fn clear(&mut self) {
        self.places = Vec::new();
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn get(&mut self, key: &Key<'_>) -> Option<Arc<Attributes>> {
        let hash = key.hash(&self.hasher);
        let place = self.places.get(hash as usize % PLACES).and_then(Option::as_ref);
        let found = place.filter(|place| place.holds(hash, key)).map(|place| Arc::clone(&place.attrs));
        if found.is_some() {
            self.hits += 1;
        } else {
            self.misses += 1;
        }
        found
    }

    pub(super) fn insert(&mut self, key: &Key<'_>, attrs: &Arc<Attributes>) {
        if key.len() > MAX_KEY {
            return;
        }
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        let hash = key.hash(&self.hasher);
        let first = key.before.len();
        let ends = (first as u16, (first + key.reach.len()) as u16);
        let octets = [key.before, key.reach, key.after].concat().into();
        if let Some(place) = self.places.get_mut(hash as usize % PLACES) {
            *place = Some(Place { hash, ends, octets, attrs: Arc::clone(attrs) });
        }
    }
}
