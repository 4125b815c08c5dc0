//! Validated ROA payloads and the validation of origins by them (RFC 6811 §2, §4 of RFC 8893).

use std::fmt;
use std::str::FromStr;

use ferrite_types::{Asn, Ipv4Prefix, Ipv6Prefix, Prefix};
use serde::Serialize;

use crate::tables::Ranges;
use crate::trie::Trie;

/// An AS may originate a prefix and what is below it down to a length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Vrp {
    pub prefix: Prefix,
    pub max_length: u8,
    pub asn: Asn,
}

impl Vrp {
    /// `None` where the length is not between the prefix's and the family's.
    pub fn new(prefix: Prefix, max_length: u8, asn: Asn) -> Option<Self> {
        let fits = max_length >= prefix.len() && max_length <= prefix.afi().bits();
        fits.then_some(Self { prefix, max_length, asn })
    }

    /// Whether it makes a route valid.
    pub fn matches(&self, route: Prefix, origin: Option<Asn>) -> bool {
        self.prefix.covers(route) && Mark::of(self).matches(route.len(), origin)
    }
}

impl fmt::Display for Vrp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{} AS{}", self.prefix, self.max_length, self.asn)
    }
}

/// What the RPKI says about a route's origin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OriginState {
    Valid,
    /// No VRP covers the prefix.
    NotFound,
    /// Some VRP covers it, none allows the origin and the length.
    Invalid,
}

impl OriginState {
    /// FRR's words: `valid`, `invalid`, `notfound`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotFound => "notfound",
            Self::Invalid => "invalid",
        }
    }
}

impl OriginState {
    /// As FRR writes it about a path.
    pub const fn long_word(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            state => state.word(),
        }
    }
}

impl fmt::Display for OriginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for OriginState {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Valid, Self::NotFound, Self::Invalid].into_iter().find(|s| s.word() == text).ok_or(())
    }
}

/// A VRP without its prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Mark {
    asn: Asn,
    max_length: u8,
}

impl Mark {
    fn of(vrp: &Vrp) -> Self {
        Self { asn: vrp.asn, max_length: vrp.max_length }
    }

    /// AS 0 never matches: it says that nobody may originate the prefix (RFC 6483 §4).
    fn matches(self, length: u8, origin: Option<Asn>) -> bool {
        length <= self.max_length && self.asn != Asn(0) && origin == Some(self.asn)
    }

    fn with(self, prefix: Prefix) -> Vrp {
        Vrp { prefix, max_length: self.max_length, asn: self.asn }
    }
}

/// The VRPs of both families. A copy is as cheap as two pointers.
#[derive(Clone, Debug, Default)]
pub struct VrpTable {
    v4: Trie<u32, Mark>,
    v6: Trie<u128, Mark>,
}

fn prefix4((bits, len, mark): (u32, u8, Mark)) -> Option<Vrp> {
    Some(mark.with(Ipv4Prefix::from_bits(bits, len)?.into()))
}

fn prefix6((bits, len, mark): (u128, u8, Mark)) -> Option<Vrp> {
    Some(mark.with(Ipv6Prefix::from_bits(bits, len)?.into()))
}

impl VrpTable {
    /// Adds a VRP; false where it was there.
    pub fn insert(&mut self, vrp: Vrp) -> bool {
        match vrp.prefix {
            Prefix::V4(prefix) => self.v4.insert(prefix.bits(), prefix.len(), Mark::of(&vrp)),
            Prefix::V6(prefix) => self.v6.insert(prefix.bits(), prefix.len(), Mark::of(&vrp)),
        }
    }

    /// Takes a VRP away; false where it was not there.
    pub fn remove(&mut self, vrp: Vrp) -> bool {
        match vrp.prefix {
            Prefix::V4(prefix) => self.v4.remove(prefix.bits(), prefix.len(), Mark::of(&vrp)),
            Prefix::V6(prefix) => self.v6.remove(prefix.bits(), prefix.len(), Mark::of(&vrp)),
        }
    }

    /// VRPs of IPv4 and of IPv6.
    pub fn counts(&self) -> (usize, usize) {
        (self.v4.len(), self.v6.len())
    }

    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All VRPs, IPv4 first, in order of prefix.
    pub fn iter(&self) -> impl Iterator<Item = Vrp> {
        self.v4.iter().filter_map(prefix4).chain(self.v6.iter().filter_map(prefix6))
    }

    /// The VRPs of a prefix and of those below it.
    pub fn within(&self, prefix: Prefix) -> Vec<Vrp> {
        match prefix {
            Prefix::V4(p) => self.v4.within(p.bits(), p.len()).filter_map(prefix4).collect(),
            Prefix::V6(p) => self.v6.within(p.bits(), p.len()).filter_map(prefix6).collect(),
        }
    }

    /// The VRPs that cover a prefix, shortest first.
    pub fn covering(&self, prefix: Prefix) -> Vec<Vrp> {
        let vrps = |covering: Prefix, marks: &[Mark]| -> Vec<Vrp> {
            marks.iter().map(|mark| mark.with(covering)).collect()
        };
        match prefix {
            Prefix::V4(p) => {
                let found = self.v4.covering(p.bits(), p.len());
                found
                    .filter_map(|(bits, len, marks)| {
                        Some(vrps(Ipv4Prefix::from_bits(bits, len)?.into(), marks))
                    })
                    .flatten()
                    .collect()
            }
            Prefix::V6(p) => {
                let found = self.v6.covering(p.bits(), p.len());
                found
                    .filter_map(|(bits, len, marks)| {
                        Some(vrps(Ipv6Prefix::from_bits(bits, len)?.into(), marks))
                    })
                    .flatten()
                    .collect()
            }
        }
    }

    /// The state of a route (RFC 6811 §2). `origin` is `None` where the path does not name one AS as its origin.
    pub fn validate(&self, prefix: Prefix, origin: Option<Asn>) -> OriginState {
        match prefix {
            Prefix::V4(p) => judge(self.v4.covering(p.bits(), p.len()).map(|(_, _, m)| m), p.len(), origin),
            Prefix::V6(p) => judge(self.v6.covering(p.bits(), p.len()).map(|(_, _, m)| m), p.len(), origin),
        }
    }

    /// The prefixes below which a route's state may differ between two tables.
    pub(crate) fn differing(&self, other: &Self) -> (Ranges<u32>, Ranges<u128>) {
        (Ranges::new(self.v4.differing(&other.v4)), Ranges::new(self.v6.differing(&other.v6)))
    }
}

fn judge<'a>(covering: impl Iterator<Item = &'a [Mark]>, length: u8, origin: Option<Asn>) -> OriginState {
    let mut state = OriginState::NotFound;
    for marks in covering.filter(|marks| !marks.is_empty()) {
        if marks.iter().any(|mark| mark.matches(length, origin)) {
            return OriginState::Valid;
        }
        state = OriginState::Invalid;
    }
    state
}

impl FromIterator<Vrp> for VrpTable {
    fn from_iter<I: IntoIterator<Item = Vrp>>(vrps: I) -> Self {
        let mut table = Self::default();
        for vrp in vrps {
            table.insert(vrp);
        }
        table
    }
}
