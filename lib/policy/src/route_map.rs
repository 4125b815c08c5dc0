//! Route maps as configuration: numbered entries of match and set clauses, each a typed value with its text.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::Action;

mod clause_match;
mod clause_set;

pub use clause_match::{Match, NextHopList, OriginValidity, PathValidity, PeerSpec, TagValue};
pub use clause_set::{
    Adjust, AsPathFilter, BandwidthValue, CommunityEdit, Ipv4NextHop, MetricEdit, MetricType, Prepend, Set,
};

/// What follows an entry that matched and permitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Exit {
    /// The map is done.
    #[default]
    Done,
    /// `on-match next`.
    Next,
    /// `on-match goto N`, also entered as `continue N`.
    Goto(u16),
}

/// One numbered entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    pub action: Action,
    pub description: Option<String>,
    /// One clause of a kind, in order of kind.
    pub matches: Vec<Match>,
    /// One clause of a kind, in order of kind: the order in which they are applied.
    pub sets: Vec<Set>,
    pub call: Option<String>,
    pub exit: Exit,
}

impl Entry {
    pub fn new(action: Action) -> Self {
        Self {
            action,
            description: None,
            matches: Vec::new(),
            sets: Vec::new(),
            call: None,
            exit: Exit::Done,
        }
    }

    /// Adds a clause; it takes the place of another of its kind.
    pub fn add_match(&mut self, clause: Match) {
        insert(&mut self.matches, clause, Match::key);
    }

    pub fn add_set(&mut self, clause: Set) {
        insert(&mut self.sets, clause, Set::key);
    }

    /// Removes the clause of a kind, where there is one.
    pub fn drop_match(&mut self, key: &str) {
        self.matches.retain(|clause| clause.key() != key);
    }

    pub fn drop_set(&mut self, key: &str) {
        self.sets.retain(|clause| clause.key() != key);
    }

    /// The entry's lines in the order of `show running-config`, which is alphabetical.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.matches.iter().map(|clause| format!("match {clause}")).collect();
        lines.extend(self.sets.iter().map(|clause| format!("set {clause}")));
        lines.extend(self.description.as_ref().map(|text| format!("description {text}")));
        lines.extend(self.call.as_ref().map(|name| format!("call {name}")));
        match self.exit {
            Exit::Done => {}
            Exit::Next => lines.push("on-match next".to_owned()),
            Exit::Goto(seq) => lines.push(format!("on-match goto {seq}")),
        }
        lines.sort_unstable();
        lines
    }
}

fn insert<T>(clauses: &mut Vec<T>, clause: T, key: fn(&T) -> &'static str) {
    match clauses.binary_search_by(|present| key(present).cmp(key(&clause))) {
        Ok(at) => {
            if let Some(slot) = clauses.get_mut(at) {
                *slot = clause;
            }
        }
        Err(at) => clauses.insert(at, clause),
    }
}

/// A named map as configured.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RouteMapConfig {
    pub entries: BTreeMap<u16, Entry>,
    /// `route-map NAME optimization` turned off. Evaluation is compiled either way; kept for the text.
    pub no_optimization: bool,
}

impl fmt::Display for PeerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Addr(addr) => write!(f, "{addr}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl PeerSpec {
    pub fn parse(text: &str) -> Self {
        match text.parse::<IpAddr>() {
            Ok(addr) => Self::Addr(addr),
            Err(_) if text == "local" => Self::Local,
            Err(_) => Self::Name(text.to_owned()),
        }
    }
}
