//! Everything a cache says, as one value, and what differs between two of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use ferrite_types::{Asn, Ipv4Prefix, Ipv6Prefix, Prefix};
use serde::Serialize;

use crate::aspa::AspaTable;
use crate::trie::Bits;
use crate::vrp::{Vrp, VrpTable};

/// Octets of keys that weigh as much as a record.
const OCTETS_PER_RECORD: usize = 64;

/// A router's key for BGPsec (RFC 8210 §5.10); kept and shown, not used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct RouterKey {
    pub asn: Asn,
    pub ski: [u8; 20],
    /// Subject public key info, DER.
    pub spki: Arc<[u8]>,
}

/// The keys of routers. A copy costs a pointer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyTable {
    keys: Arc<BTreeSet<RouterKey>>,
    /// Of all keys together.
    octets: usize,
}

impl KeyTable {
    pub fn insert(&mut self, key: RouterKey) -> bool {
        let octets = key.spki.len();
        let added = !self.keys.contains(&key) && Arc::make_mut(&mut self.keys).insert(key);
        self.octets += if added { octets } else { 0 };
        added
    }

    pub fn remove(&mut self, key: &RouterKey) -> bool {
        let gone = self.keys.contains(key) && Arc::make_mut(&mut self.keys).remove(key);
        self.octets -= if gone { key.spki.len() } else { 0 };
        gone
    }

    pub fn retain(&mut self, keep: impl Fn(&RouterKey) -> bool) {
        if !self.keys.iter().all(&keep) {
            Arc::make_mut(&mut self.keys).retain(keep);
            self.octets = self.keys.iter().map(|key| key.spki.len()).sum();
        }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &RouterKey> {
        self.keys.iter()
    }
}

/// One thing that a cache announces or withdraws.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    Vrp(Vrp),
    /// Withdrawn, the providers are empty.
    Aspa {
        customer: Asn,
        providers: Vec<Asn>,
    },
    Key(RouterKey),
}

/// Why a change does not fit what is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Misfit {
    #[error("announced twice")]
    Duplicate,
    #[error("withdrawn and not there")]
    Unknown,
}

/// What one cache says, or what is in force. A copy costs a few pointers.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub vrps: VrpTable,
    pub aspas: AspaTable,
    pub keys: KeyTable,
}

impl Tables {
    pub fn announce(&mut self, payload: Payload) -> Result<(), Misfit> {
        let added = match payload {
            Payload::Vrp(vrp) => self.vrps.insert(vrp),
            Payload::Key(key) => self.keys.insert(key),
            Payload::Aspa { customer, providers } => {
                self.aspas.insert(customer, providers);
                true
            }
        };
        if added { Ok(()) } else { Err(Misfit::Duplicate) }
    }

    pub fn withdraw(&mut self, payload: &Payload) -> Result<(), Misfit> {
        let gone = match payload {
            Payload::Vrp(vrp) => self.vrps.remove(*vrp),
            Payload::Key(key) => self.keys.remove(key),
            Payload::Aspa { customer, .. } => self.aspas.remove(*customer),
        };
        if gone { Ok(()) } else { Err(Misfit::Unknown) }
    }

    pub fn is_empty(&self) -> bool {
        self.vrps.is_empty() && self.aspas.is_empty() && self.keys.is_empty()
    }

    /// How much there is to hold, in records: a VRP, a customer, each of its providers, a key, each 64 octets of a key.
    pub fn weight(&self) -> usize {
        self.vrps.len()
            + self.aspas.len()
            + self.aspas.named()
            + self.keys.len()
            + self.keys.octets / OCTETS_PER_RECORD
    }

    /// What may judge differently between these tables and `other`.
    pub fn delta(&self, other: &Self) -> Delta {
        let (v4, v6) = self.vrps.differing(&other.vrps);
        Delta {
            v4,
            v6,
            customers: self.aspas.differing(&other.aspas),
            all: false,
            keys: self.keys != other.keys,
        }
    }
}

/// Prefixes, none inside another, ascending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ranges<B>(Vec<(B, u8)>);

impl<B> Default for Ranges<B> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<B: Bits> Ranges<B> {
    pub fn new(mut prefixes: Vec<(B, u8)>) -> Self {
        prefixes.sort_unstable();
        let mut kept: Vec<(B, u8)> = Vec::new();
        for (bits, len) in prefixes {
            let inside = kept.last().is_some_and(|(high, at)| *at <= len && high.common(bits) >= *at);
            if !inside {
                kept.push((bits, len));
            }
        }
        Self(kept)
    }

    fn covers(&self, bits: B, len: u8) -> bool {
        let after = self.0.partition_point(|(at, _)| *at <= bits);
        let before = after.checked_sub(1).and_then(|at| self.0.get(at));
        before.is_some_and(|(high, at)| *at <= len && high.common(bits) >= *at)
    }
}

/// What may judge differently after a change: routes at or below some prefixes, paths over some customers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delta {
    pub(crate) v4: Ranges<u32>,
    pub(crate) v6: Ranges<u128>,
    /// ASes whose providers changed, ascending.
    pub customers: Vec<Asn>,
    /// Everything may: there was no table before, or there is none now.
    pub all: bool,
    /// Router keys changed.
    pub keys: bool,
}

impl Delta {
    /// Between some tables and none.
    pub fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        !self.touches_routes() && !self.keys
    }

    /// Whether any route may be judged differently.
    pub fn touches_routes(&self) -> bool {
        self.all || self.ranges() > 0 || !self.customers.is_empty()
    }

    /// Prefixes that changed VRPs cover, nested ones counted once.
    pub fn ranges(&self) -> usize {
        self.v4.0.len() + self.v6.0.len()
    }

    /// The prefixes of those ranges.
    pub fn prefixes(&self) -> impl Iterator<Item = Prefix> {
        let v4 = self.v4.0.iter().filter_map(|(bits, len)| Ipv4Prefix::from_bits(*bits, *len));
        let v6 = self.v6.0.iter().filter_map(|(bits, len)| Ipv6Prefix::from_bits(*bits, *len));
        v4.map(Prefix::V4).chain(v6.map(Prefix::V6))
    }

    /// Whether the origin of a route to the prefix may be judged differently.
    #[inline]
    pub fn covers(&self, prefix: Prefix) -> bool {
        self.all
            || match prefix {
                Prefix::V4(prefix) => self.v4.covers(prefix.bits(), prefix.len()),
                Prefix::V6(prefix) => self.v6.covers(prefix.bits(), prefix.len()),
            }
    }

    /// Whether a path with this AS may be judged differently.
    pub fn concerns(&self, asn: Asn) -> bool {
        self.all || self.customers.binary_search(&asn).is_ok()
    }
}
