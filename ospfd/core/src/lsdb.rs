//! A link state database (§12.2, §14): the LSAs of one scope, their ages, and when something must be done about one.
//!
//! Nothing counts up: an entry remembers when its LSA had the age it came with. The next refresh or expiry stands in an ordered
//! set, so that an idle database costs nothing.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ferrite_ospf_packet::{LsType, Lsa, LsaHeader, LsaKey, MAX_AGE, Sequence};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

/// Seconds after which the originator renews an LSA (LSRefreshTime).
pub const REFRESH: u16 = 1800;

/// Refreshes are spread over this many seconds.
const SPREAD: u16 = 180;

#[derive(Clone, Debug)]
pub struct Entry {
    pub lsa: Lsa,
    /// When the LSA had the age in its header.
    pub since: Timestamp,
    /// We built this instance, as opposed to hearing it.
    pub own: bool,
    /// When an instance with other content was put in its place, or it came for the first time.
    pub changed: Timestamp,
    /// Last time it was sent back to one who had an older one (§13 (8)).
    pub(crate) answered: Option<Timestamp>,
    due: Option<Timestamp>,
    /// It does not age, and its router has been out of reach since then.
    pub(crate) lonely: Option<Timestamp>,
}

impl Entry {
    /// Seconds, at most [`MAX_AGE`] (§14).
    pub fn age(&self, now: Timestamp) -> u16 {
        let header = self.lsa.header();
        let passed = if header.does_not_age() { 0 } else { now.since(self.since).as_secs() };
        let passed = passed + u64::from(header.seconds());
        passed.min(u64::from(MAX_AGE)) as u16
    }

    pub fn is_max_age(&self, now: Timestamp) -> bool {
        self.age(now) == MAX_AGE
    }

    /// The header with the age of now.
    pub fn header(&self, now: Timestamp) -> LsaHeader {
        LsaHeader { age: self.age(now), ..*self.lsa.header() }
    }
}

/// LSAs by type, Link State ID and advertising router.
#[derive(Debug, Default)]
pub struct Lsdb {
    entries: BTreeMap<LsaKey, Entry>,
    /// Of all entries.
    octets: usize,
    due: BTreeSet<(Timestamp, LsaKey)>,
    /// Entries at MaxAge, which go when nobody waits for them any more (§14).
    dying: BTreeSet<LsaKey>,
    /// Instances at MaxAge that went, and when. A copy of an older one may still be under way, and would stay for an hour.
    gone: BTreeMap<LsaKey, (Timestamp, LsaHeader)>,
}

/// Instances that are remembered at most, so that a storm of MaxAge costs bounded memory.
const GONE: usize = 4096;

impl Lsdb {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Octets of all LSAs.
    pub fn octets(&self) -> usize {
        self.octets
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get(&self, key: &LsaKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &LsaKey) -> Option<&mut Entry> {
        self.entries.get_mut(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&LsaKey, &Entry)> {
        self.entries.iter()
    }

    /// All LSAs of a type, by Link State ID.
    pub fn of_type(&self, ty: LsType) -> impl Iterator<Item = (&LsaKey, &Entry)> {
        self.entries.range(first_of(ty)..).take_while(move |(key, _)| key.ty == ty)
    }

    /// All LSAs of a type with a Link State ID, whoever advertises them.
    pub fn with_id(
        &self,
        ty: LsType,
        id: ferrite_ospf_packet::LsId,
    ) -> impl Iterator<Item = (&LsaKey, &Entry)> {
        let first = LsaKey { id, ..first_of(ty) };
        self.entries.range(first..).take_while(move |(key, _)| key.ty == ty && key.id == id)
    }

    /// Puts an instance in the place of the one there was. Its refresh, if it is ours, or expiry is noted.
    pub(crate) fn install(&mut self, now: Timestamp, lsa: Lsa, own: bool, changed: bool) {
        let key = lsa.key();
        let old = self.remove(&key).filter(|_| !changed);
        let changed = old.map_or(now, |old| old.changed);
        let (age, lasting) = (lsa.header().seconds(), lsa.header().does_not_age());
        let until = if own && !lasting { REFRESH - spread(&key) } else { MAX_AGE };
        // Of others it is looked at now and then; ours is not renewed.
        let due = (age < MAX_AGE && !(own && lasting))
            .then(|| now + Duration::from_secs(u64::from(until.saturating_sub(age))));
        if let Some(at) = due {
            self.due.insert((at, key));
        }
        if age >= MAX_AGE {
            self.dying.insert(key);
        }
        self.octets += lsa.len();
        self.entries.insert(key, Entry { lsa, since: now, own, changed, answered: None, due, lonely: None });
    }

    pub(crate) fn remove(&mut self, key: &LsaKey) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.octets -= entry.lsa.len();
        if let Some(at) = entry.due {
            self.due.remove(&(at, *key));
        }
        self.dying.remove(key);
        Some(entry)
    }

    /// An instance at MaxAge goes, or came without being here.
    pub(crate) fn forget(&mut self, now: Timestamp, header: LsaHeader, memory: Duration) {
        self.remove(&header.key);
        if self.gone.len() >= GONE {
            self.gone.retain(|_, (at, _)| now.since(*at) < memory);
        }
        if self.gone.len() < GONE {
            self.gone.insert(header.key, (now, header));
        }
    }

    /// Whether this is a copy of what went a moment ago, or of what was before it.
    pub(crate) fn is_gone(&self, now: Timestamp, header: &LsaHeader, memory: Duration) -> bool {
        // After the last sequence number the first one is news (§12.1.6).
        let last = self.gone.get(&header.key).filter(|(_, last)| last.sequence != Sequence::MAX);
        last.is_some_and(|(at, last)| now.since(*at) < memory && header.compare(last) != Ordering::Greater)
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes one LSA whose time has come: ours to be renewed, others' at MaxAge.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<LsaKey> {
        let (_, key) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.due.pop_first();
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.due = None;
        }
        Some(key)
    }

    /// Notes when an LSA is to be looked at next.
    pub(crate) fn look_again(&mut self, key: &LsaKey, at: Timestamp) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(old) = entry.due.replace(at) {
            self.due.remove(&(old, *key));
        }
        self.due.insert((at, *key));
    }

    pub(crate) fn is_dying(&self, key: &LsaKey) -> bool {
        self.dying.contains(key)
    }

    /// Entries at MaxAge.
    pub(crate) fn dying(&self) -> impl Iterator<Item = LsaKey> + '_ {
        self.dying.iter().copied()
    }
}

/// Seconds by which an LSA is renewed before its time, so that what was originated together is not renewed all at once.
fn spread(key: &LsaKey) -> u16 {
    let mixed = (key.id.0 ^ u32::from(key.ty.0) << 16).wrapping_mul(0x9e37_79b1);
    (mixed >> 16) as u16 % SPREAD
}

const fn first_of(ty: LsType) -> LsaKey {
    LsaKey { ty, id: ferrite_ospf_packet::LsId(0), adv: RouterId::UNSET }
}
