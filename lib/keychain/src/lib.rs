//! Key chains (RFC 8177): named keys with an algorithm and the times in which they are taken and used, as every protocol that
//! signs its messages needs them.
//!
//! In go FRR's lines ([`commands::register`]); out come [`KeyChains`], of which a daemon asks, at a time that it says, which
//! key signs ([`KeyChain::send_key`]), which are taken ([`KeyChain::accepted`]) and when that changes
//! ([`KeyChain::next_change`]). What a key is good for in a protocol is the protocol's business.
//!
//! Lifetimes are times of the local clock, as an operator writes them. Whoever asks says how such a time is counted in seconds
//! since 1970 ([`ToUtc`]): time zones are not known here.

pub mod commands;
mod lifetime;
pub mod view;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use lifetime::{End, Lifetime, LocalTime, Span, ToUtc};

/// Highest number of a key that FRR takes.
pub const KEY_ID_MAX: u32 = i32::MAX as u32;

/// `cryptographic-algorithm …`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    Md5,
    HmacSha1,
    HmacSha256,
    HmacSha384,
    HmacSha512,
    /// RFC 4493; ours, for TCP-AO.
    AesCmac,
}

impl Algorithm {
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::HmacSha1, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512, Self::AesCmac];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::HmacSha1 => "hmac-sha-1",
            Self::HmacSha256 => "hmac-sha-256",
            Self::HmacSha384 => "hmac-sha-384",
            Self::HmacSha512 => "hmac-sha-512",
            Self::AesCmac => "aes-128-cmac",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = ferrite_types::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.name() == text);
        found.ok_or_else(|| ferrite_types::ParseError::new(text, "an algorithm"))
    }
}

/// One key of a chain.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Key {
    /// `key-string`; a key without one is not used.
    pub secret: Option<String>,
    pub algorithm: Option<Algorithm>,
    /// Always, where it is not said.
    pub accept: Option<Lifetime>,
    pub send: Option<Lifetime>,
}

/// A secret does not go into logs.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("secret", &self.secret.as_ref().map(|_| "…"))
            .field("algorithm", &self.algorithm)
            .field("accept", &self.accept)
            .field("send", &self.send)
            .finish()
    }
}

impl Key {
    /// Whether messages signed with it are taken at that time, seconds since 1970.
    pub fn accepts_at(&self, now: i64, utc: ToUtc) -> bool {
        self.accept.is_none_or(|lifetime| lifetime.span(utc).contains(now))
    }

    /// Whether it may sign at that time.
    pub fn sends_at(&self, now: i64, utc: ToUtc) -> bool {
        self.send.is_none_or(|lifetime| lifetime.span(utc).contains(now))
    }
}

/// `key chain NAME`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyChain {
    pub keys: BTreeMap<u32, Key>,
}

impl KeyChain {
    /// Keys with a secret: the others cannot do anything.
    fn usable(&self) -> impl Iterator<Item = (u32, &Key, &str)> {
        self.keys.iter().filter_map(|(id, key)| Some((*id, key, key.secret.as_deref()?)))
    }

    /// The key that signs at that time: of those that may, the one whose time began last (RFC 8177 §2), and of several such
    /// the lowest.
    pub fn send_key(&self, now: i64, utc: ToUtc) -> Option<(u32, &Key)> {
        let begin = |key: &Key| key.send.map(|lifetime| lifetime.span(utc).begin);
        let able = self.usable().filter(|(_, key, _)| key.sends_at(now, utc));
        able.max_by_key(|(id, key, _)| (begin(key), std::cmp::Reverse(*id))).map(|(id, key, _)| (id, key))
    }

    /// The keys that are taken at that time, and their secrets.
    pub fn accepted(&self, now: i64, utc: ToUtc) -> impl Iterator<Item = (u32, &Key, &str)> {
        self.usable().filter(move |(_, key, _)| key.accepts_at(now, utc))
    }

    /// When, after `now`, another key may begin or end to be taken or used.
    pub fn next_change(&self, now: i64, utc: ToUtc) -> Option<i64> {
        let lifetimes = self.keys.values().flat_map(|key| [key.accept, key.send]).flatten();
        let edges = lifetimes.flat_map(|lifetime| {
            let span = lifetime.span(utc);
            // The last second still belongs to the lifetime.
            [Some(span.begin), span.end.map(|end| end.saturating_add(1))]
        });
        edges.flatten().filter(|edge| *edge > now).min()
    }
}

/// All key chains, by name. Chains are shared: one that no line touched is the same one after an edit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyChains(BTreeMap<String, Arc<KeyChain>>);

impl KeyChains {
    pub fn get(&self, name: &str) -> Option<&Arc<KeyChain>> {
        self.0.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<KeyChain>)> {
        self.0.iter().map(|(name, chain)| (name.as_str(), chain))
    }

    /// The chain of that name, which is made if it is not there.
    fn chain(&mut self, name: &str) -> &mut KeyChain {
        Arc::make_mut(self.0.entry(name.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests;
