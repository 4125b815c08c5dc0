//! Routing policy: prefix lists, access lists, AS-path and community lists, and route maps, as configuration, as text
//! and as evaluation.
//!
//! In goes a [`PolicyConfig`], which commands edit; [`Policies::compile`] turns it into what routes are judged by, reusing
//! whatever did not change, so that pointer equality tells whom a change touches. A daemon implements [`PolicyRoute`] over
//! its own route and calls [`RouteMap::apply`]. This crate knows no protocol beyond the value types of `lib/types`: it sees
//! a route only through that trait.

pub mod access_list;
pub mod apply;
pub mod as_path_list;
pub mod commands;
pub mod community_list;
pub mod config;
pub mod difference;
pub mod prefix_list;
pub mod regex;
pub mod route_map;
pub mod scope;
pub mod trace;
pub mod trail;
pub mod view;

mod policies;

pub use access_list::{AccessList, AccessMatch, AccessRule};
pub use apply::{Decision, NextHopSet, PolicyRoute, RouteMap, Verdict};
pub use as_path_list::AsPathList;
pub use community_list::CommunityList;
pub use config::{ListKind, PolicyConfig};
pub use difference::Differences;
pub use policies::Policies;
pub use prefix_list::{PrefixList, PrefixRule};
pub use scope::{Range, Ranges, Scope};
pub use trace::{Effect, MapTrace};
pub use trail::Trail;

/// What a rule does with what it matches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Permit,
    Deny,
}

impl Action {
    pub const fn is_permit(self) -> bool {
        matches!(self, Self::Permit)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(if self.is_permit() { "permit" } else { "deny" })
    }
}

impl std::str::FromStr for Action {
    type Err = ferrite_types::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "permit" => Ok(Self::Permit),
            "deny" => Ok(Self::Deny),
            _ => Err(ferrite_types::ParseError::new(text, "permit or deny")),
        }
    }
}

/// ORIGIN as policy names it; lower is preferred (RFC 4271 §9.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PolicyOrigin {
    Igp,
    Egp,
    Incomplete,
}

impl std::fmt::Display for PolicyOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Igp => "igp",
            Self::Egp => "egp",
            Self::Incomplete => "incomplete",
        })
    }
}

impl std::str::FromStr for PolicyOrigin {
    type Err = ferrite_types::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "igp" => Ok(Self::Igp),
            "egp" => Ok(Self::Egp),
            "incomplete" => Ok(Self::Incomplete),
            _ => Err(ferrite_types::ParseError::new(text, "an origin")),
        }
    }
}

/// How the number of a rule entered without one follows from the last rule's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Numbering {
    /// Five more: prefix and access lists.
    PlusFive,
    /// The next multiple of five: AS-path and community lists.
    MultipleOfFive,
}

/// Where a rule goes: its own number, the number of an equal rule that is already there (so that entering a file again
/// changes nothing), or the next free one.
pub(crate) fn place<R: PartialEq>(
    rules: &std::collections::BTreeMap<u32, R>,
    seq: Option<u32>,
    rule: &R,
    numbering: Numbering,
) -> u32 {
    let next = || match (rules.last_key_value(), numbering) {
        (None, _) => 5,
        (Some((last, _)), Numbering::PlusFive) => last.saturating_add(5),
        (Some((last, _)), Numbering::MultipleOfFive) => (last / 5).saturating_add(1).saturating_mul(5),
    };
    let present = || rules.iter().find(|(_, present)| *present == rule).map(|(seq, _)| *seq);
    seq.or_else(present).unwrap_or_else(next)
}

/// How often a rule decided. Shared by all threads that evaluate it.
#[derive(Debug, Default)]
pub struct Counter(std::sync::atomic::AtomicU64);

impl Counter {
    pub fn hit(&self) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// One that goes on counting where another stands.
    pub(crate) fn from(other: &Self) -> Self {
        Self(std::sync::atomic::AtomicU64::new(other.get()))
    }

    pub fn clear(&self) {
        self.0.store(0, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Copies the counts of rules that stand at the same number and say the same; both ascend by number.
pub(crate) fn carry_counts<'a, R: PartialEq + 'a>(
    old: impl Iterator<Item = ((&'a u32, &'a R), &'a Counter)>,
    new: impl Iterator<Item = ((&'a u32, &'a R), &'a mut Counter)>,
) {
    let mut old = old.peekable();
    for ((seq, rule), hits) in new {
        while old.next_if(|((at, _), _)| *at < seq).is_some() {}
        if let Some((_, count)) = old.next_if(|((at, before), _)| *at == seq && *before == rule) {
            *hits = Counter::from(count);
        }
    }
}

#[cfg(test)]
mod tests;
