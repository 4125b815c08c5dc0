//! Access lists: first match by sequence number, in the three forms that FRR keeps apart (Zebra, standard, extended).

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ferrite_types::Prefix;

use crate::{Action, Counter};

/// An address under a wildcard: bits set in `wildcard` are not compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wildcard {
    pub addr: Ipv4Addr,
    pub wildcard: Ipv4Addr,
}

impl Wildcard {
    pub const ANY: Self = Self { addr: Ipv4Addr::UNSPECIFIED, wildcard: Ipv4Addr::BROADCAST };

    pub fn new(addr: Ipv4Addr, wildcard: Ipv4Addr) -> Self {
        Self { addr: Ipv4Addr::from_bits(addr.to_bits() & !wildcard.to_bits()), wildcard }
    }

    pub fn host(addr: Ipv4Addr) -> Self {
        Self { addr, wildcard: Ipv4Addr::UNSPECIFIED }
    }

    pub fn matches(self, addr: Ipv4Addr) -> bool {
        (addr.to_bits() ^ self.addr.to_bits()) & !self.wildcard.to_bits() == 0
    }

    pub fn is_host(self) -> bool {
        self.wildcard.is_unspecified()
    }

    pub fn is_any(self) -> bool {
        self.wildcard == Ipv4Addr::BROADCAST
    }

    /// `any`, `host A` or `A W`, as extended lists write it.
    fn extended(self) -> String {
        if self.is_any() {
            "any".to_owned()
        } else if self.is_host() {
            format!("host {}", self.addr)
        } else {
            format!("{} {}", self.addr, self.wildcard)
        }
    }
}

/// What a rule compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessMatch {
    Any,
    /// `exact` compares the length too; else everything inside the prefix matches.
    Prefix {
        prefix: Prefix,
        exact: bool,
    },
    /// `A.B.C.D` or `A.B.C.D WILDCARD`.
    Standard(Wildcard),
    /// The destination is compared with the prefix's mask.
    Extended {
        source: Wildcard,
        destination: Wildcard,
    },
}

impl AccessMatch {
    pub fn matches(&self, tested: Prefix) -> bool {
        match (self, tested) {
            (Self::Any, _) => true,
            (Self::Prefix { prefix, exact: true }, _) => *prefix == tested,
            (Self::Prefix { prefix, exact: false }, _) => prefix.covers(tested),
            (Self::Standard(wildcard), Prefix::V4(v4)) => wildcard.matches(v4.addr()),
            (Self::Extended { source, destination }, Prefix::V4(v4)) => {
                source.matches(v4.addr()) && destination.matches(v4.mask())
            }
            (Self::Standard(_) | Self::Extended { .. }, Prefix::V6(_)) => false,
        }
    }

    /// The word that heads the list in `show ip access-list`.
    pub fn form(&self) -> &'static str {
        match self {
            Self::Any | Self::Prefix { .. } => "Zebra",
            Self::Standard(_) => "Standard",
            Self::Extended { .. } => "Extended",
        }
    }
}

impl fmt::Display for AccessMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Prefix { prefix, exact } => {
                write!(f, "{prefix}{}", if *exact { " exact-match" } else { "" })
            }
            Self::Standard(w) if w.is_host() => write!(f, "{}", w.addr),
            Self::Standard(w) => write!(f, "{} {}", w.addr, w.wildcard),
            Self::Extended { source, destination } => {
                write!(f, "ip {} {}", source.extended(), destination.extended())
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccessRule {
    pub action: Action,
    pub matching: AccessMatch,
}

impl fmt::Display for AccessRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.matching)
    }
}

/// A named list as configured.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccessList {
    pub remark: Option<String>,
    pub rules: BTreeMap<u32, AccessRule>,
}

impl AccessList {
    pub fn is_empty(&self) -> bool {
        self.remark.is_none() && self.rules.is_empty()
    }
}

/// A list ready for evaluation.
#[derive(Debug)]
pub struct CompiledAccessList {
    pub source: Arc<AccessList>,
    pub hits: Vec<Counter>,
}

impl CompiledAccessList {
    pub fn new(source: Arc<AccessList>) -> Self {
        let hits = source.rules.iter().map(|_| Counter::default()).collect();
        Self { source, hits }
    }

    /// Goes on with the counts of the rules that `old` has at the same place.
    pub(crate) fn keep_counts(&mut self, old: &Self) {
        let before = old.source.rules.iter().zip(&old.hits);
        crate::carry_counts(before, self.source.rules.iter().zip(&mut self.hits));
    }

    /// First match decides; what nothing matches is denied.
    pub fn permits(&self, prefix: Prefix) -> bool {
        let mut rules = self.source.rules.values().zip(&self.hits);
        rules.find(|(rule, _)| rule.matching.matches(prefix)).is_some_and(|(rule, hits)| {
            hits.hit();
            rule.action.is_permit()
        })
    }

    /// The rule that decides on a prefix, with its number; nothing is counted.
    pub fn decide(&self, prefix: Prefix) -> Option<(u32, &AccessRule)> {
        let found = self.source.rules.iter().find(|(_, rule)| rule.matching.matches(prefix));
        found.map(|(seq, rule)| (*seq, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_compare_what_frr_compares() {
        let p = |text: &str| text.parse::<Prefix>().unwrap();
        let w = |addr: &str, wildcard: &str| Wildcard::new(addr.parse().unwrap(), wildcard.parse().unwrap());
        let inside = AccessMatch::Prefix { prefix: p("10.0.0.0/8"), exact: false };
        let exact = AccessMatch::Prefix { prefix: p("10.0.0.0/8"), exact: true };
        assert!(inside.matches(p("10.1.0.0/16")) && !exact.matches(p("10.1.0.0/16")));
        let standard = AccessMatch::Standard(w("10.1.0.0", "0.0.255.255"));
        assert!(standard.matches(p("10.1.200.0/24")) && !standard.matches(p("10.2.0.0/16")));
        let extended = AccessMatch::Extended {
            source: w("10.0.0.0", "0.255.255.255"),
            destination: Wildcard::host("255.255.0.0".parse().unwrap()),
        };
        assert!(extended.matches(p("10.9.0.0/16")) && !extended.matches(p("10.9.0.0/24")));
        assert_eq!(extended.to_string(), "ip 10.0.0.0 0.255.255.255 host 255.255.0.0");
    }

    #[test]
    fn what_no_rule_matches_is_denied() {
        let list = CompiledAccessList::new(Arc::new(AccessList::default()));
        assert!(!list.permits("10.0.0.0/8".parse().unwrap()));
    }
}
