//! Attribute type codes, their flags, and sets of codes.

use std::fmt;

/// Bits of the flags octet (RFC 4271 §4.3).
pub mod flags {
    pub const OPTIONAL: u8 = 0x80;
    pub const TRANSITIVE: u8 = 0x40;
    pub const PARTIAL: u8 = 0x20;
    pub const EXTENDED_LENGTH: u8 = 0x10;
    pub const WELL_KNOWN: u8 = TRANSITIVE;
    pub const OPTIONAL_TRANSITIVE: u8 = OPTIONAL | TRANSITIVE;
}

/// An attribute type code (IANA "BGP Path Attributes").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttrCode(pub u8);

/// Names, codes and the Optional and Transitive bits that each attribute's definition demands.
macro_rules! codes {
    ($($name:ident = $code:literal, $flags:expr;)+) => {
        impl AttrCode {
            $(pub const $name: Self = Self($code);)+

            /// The two defining flags; `None` for an attribute this speaker does not know.
            pub const fn defined_flags(self) -> Option<u8> {
                match self.0 {
                    $($code => Some($flags),)+
                    _ => None,
                }
            }

            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)+
                    _ => None,
                }
            }
        }
    };
}

use flags::{OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN};

codes! {
    ORIGIN = 1, WELL_KNOWN;
    AS_PATH = 2, WELL_KNOWN;
    NEXT_HOP = 3, WELL_KNOWN;
    MED = 4, OPTIONAL;
    LOCAL_PREF = 5, WELL_KNOWN;
    ATOMIC_AGGREGATE = 6, WELL_KNOWN;
    AGGREGATOR = 7, OPTIONAL_TRANSITIVE;
    COMMUNITIES = 8, OPTIONAL_TRANSITIVE;
    ORIGINATOR_ID = 9, OPTIONAL;
    CLUSTER_LIST = 10, OPTIONAL;
    MP_REACH_NLRI = 14, OPTIONAL;
    MP_UNREACH_NLRI = 15, OPTIONAL;
    EXT_COMMUNITIES = 16, OPTIONAL_TRANSITIVE;
    AS4_PATH = 17, OPTIONAL_TRANSITIVE;
    AS4_AGGREGATOR = 18, OPTIONAL_TRANSITIVE;
    PMSI_TUNNEL = 22, OPTIONAL_TRANSITIVE;
    TUNNEL_ENCAP = 23, OPTIONAL_TRANSITIVE;
    IPV6_EXT_COMMUNITIES = 25, OPTIONAL_TRANSITIVE;
    AIGP = 26, OPTIONAL;
    BGP_LS = 29, OPTIONAL;
    LARGE_COMMUNITIES = 32, OPTIONAL_TRANSITIVE;
    OTC = 35, OPTIONAL_TRANSITIVE;
    PREFIX_SID = 40, OPTIONAL_TRANSITIVE;
    ATTR_SET = 128, OPTIONAL_TRANSITIVE;
}

impl fmt::Display for AttrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "attribute {}", self.0),
        }
    }
}

impl fmt::Debug for AttrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A set of attribute codes, a bit for each of the 256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CodeSet([u64; 4]);

impl CodeSet {
    pub const EMPTY: Self = Self([0; 4]);

    #[inline]
    pub fn contains(&self, code: AttrCode) -> bool {
        self.word(code).is_some_and(|word| word & Self::bit(code) != 0)
    }

    /// Adds a code; whether it was new.
    #[inline]
    pub fn insert(&mut self, code: AttrCode) -> bool {
        let bit = Self::bit(code);
        match self.0.get_mut(usize::from(code.0 >> 6)) {
            Some(word) => {
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
            None => false,
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// Number of codes.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn word(&self, code: AttrCode) -> Option<u64> {
        self.0.get(usize::from(code.0 >> 6)).copied()
    }

    const fn bit(code: AttrCode) -> u64 {
        1 << (code.0 & 63)
    }
}

impl FromIterator<AttrCode> for CodeSet {
    fn from_iter<I: IntoIterator<Item = AttrCode>>(codes: I) -> Self {
        let mut set = Self::EMPTY;
        codes.into_iter().for_each(|code| {
            set.insert(code);
        });
        set
    }
}
