//! What a receiver has been told: prefixes announced now, by family; optionally with attributes; and what was wrong.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::attrs;
use super::update::{Update, decode};
use super::{Malformed, Prefix};
use crate::kernel::Family;

#[derive(Debug, Default)]
pub struct Rib {
    /// Current prefixes with the number of their attributes; the number is 0 unless attributes are kept.
    routes: FxHashMap<Prefix, u32>,
    /// Each different string of attributes once, when they are kept.
    attrs: Vec<Vec<u8>>,
    numbers: FxHashMap<Vec<u8>, u32>,
    keep_attrs: bool,
    pub counts: Counts,
    pub violations: BTreeMap<String, u64>,
    expect: Expectation,
}

/// What a correct neighbour does to every route of this session.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// The AS that must stand first in every path: the neighbour's, on an eBGP session.
    pub first_as: Option<u32>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    pub ipv4: usize,
    pub ipv6: usize,
    /// UPDATE messages, those that end a table excluded.
    pub updates: u64,
    pub announced: u64,
    pub withdrawn: u64,
    pub ipv4_end_of_rib: u64,
    pub ipv6_end_of_rib: u64,
    /// Milliseconds since 1970 of the first and the last UPDATE with routes.
    pub first_ms: u64,
    pub last_ms: u64,
}

impl Rib {
    pub fn new(keep_attrs: bool, expect: Expectation) -> Rib {
        Rib { keep_attrs, expect, ..Rib::default() }
    }

    /// Takes in the body of one UPDATE that arrived at `now_ms`.
    pub fn update(&mut self, body: &[u8], now_ms: u64) -> Result<(), Malformed> {
        let update = decode(body)?;
        match update.end_of_rib {
            Some(Family::V4) => self.counts.ipv4_end_of_rib += 1,
            Some(Family::V6) => self.counts.ipv6_end_of_rib += 1,
            None => {
                self.counts.updates += 1;
                self.counts.last_ms = now_ms;
                if self.counts.first_ms == 0 {
                    self.counts.first_ms = now_ms;
                }
            }
        }
        for violation in &update.violations {
            self.violate(violation);
        }
        self.check(&update)?;
        let number = if self.keep_attrs { self.number(update.attrs) } else { 0 };
        self.counts.withdrawn += update.withdrawn.len() as u64;
        for prefix in &update.withdrawn {
            if self.routes.remove(prefix).is_some() {
                *self.family(prefix.family) -= 1;
            } else {
                self.violate("withdrawal of a prefix that was not announced");
            }
        }
        self.counts.announced += update.announced.len() as u64;
        for prefix in update.announced {
            match self.routes.entry(prefix) {
                Entry::Occupied(mut old) => {
                    old.insert(number);
                }
                Entry::Vacant(new) => {
                    new.insert(number);
                    *self.family(prefix.family) += 1;
                }
            }
        }
        Ok(())
    }

    fn family(&mut self, family: Family) -> &mut usize {
        match family {
            Family::V4 => &mut self.counts.ipv4,
            Family::V6 => &mut self.counts.ipv6,
        }
    }

    fn violate(&mut self, what: &str) {
        *self.violations.entry(what.to_owned()).or_default() += 1;
    }

    /// Rules of eBGP that hold for every announced route.
    fn check(&mut self, update: &Update<'_>) -> Result<(), Malformed> {
        let Some(first_as) = self.expect.first_as else { return Ok(()) };
        if update.announced.is_empty() {
            return Ok(());
        }
        for attr in attrs::split(update.attrs)? {
            match attr.code {
                attrs::AS_PATH => {
                    let first =
                        attrs::path_segments(attr.value)?.first().and_then(|(_, n)| n.first().copied());
                    if first != Some(first_as) {
                        self.violate("AS path does not start with the neighbor's AS");
                    }
                }
                attrs::LOCAL_PREF => self.violate("LOCAL_PREF on an eBGP session"),
                attrs::ORIGINATOR_ID | attrs::CLUSTER_LIST => {
                    self.violate("reflector's attribute on an eBGP session");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn number(&mut self, octets: &[u8]) -> u32 {
        let key = without_mp(octets);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.attrs.len() as u32;
        self.attrs.push(key.clone());
        self.numbers.insert(key, number);
        number
    }

    pub fn total(&self) -> usize {
        self.routes.len()
    }

    /// `prefix|as-path|next-hop|communities|med|local-pref|origin`, sorted by prefix.
    pub fn dump(&self) -> String {
        let texts: Vec<String> = self.attrs.iter().map(|a| attrs::text(a).unwrap_or_default()).collect();
        let mut rows: Vec<(&Prefix, &u32)> = self.routes.iter().collect();
        rows.sort_unstable();
        let mut out = String::new();
        for (prefix, number) in rows {
            let text = texts.get(*number as usize).map_or("", String::as_str);
            out.push_str(&format!("{prefix}|{text}\n"));
        }
        out
    }
}

/// Attributes with MP_REACH_NLRI cut to its next hop, so that equal paths are equal strings.
fn without_mp(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    for attr in attrs::split(octets).unwrap_or_default() {
        match attr.code {
            attrs::MP_UNREACH => {}
            attrs::MP_REACH => {
                let hop = usize::from(attr.value.get(3).copied().unwrap_or(0));
                attrs::push(&mut out, attr.flags, attr.code, attr.value.get(..4 + hop).unwrap_or(attr.value));
            }
            _ => attrs::push(&mut out, attr.flags, attr.code, attr.value),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::table::generate;
    use crate::bgp::wire::HEADER;

    fn feed(rib: &mut Rib, mut stream: &[u8]) {
        while let Some(head) = stream.first_chunk::<HEADER>() {
            let (length, _) = crate::bgp::wire::header(head).unwrap();
            rib.update(&stream[HEADER..HEADER + length], 1).unwrap();
            stream = &stream[HEADER + length..];
        }
    }

    #[test]
    fn a_receiver_has_what_was_announced_and_nothing_after_its_withdrawal() {
        for (family, hop) in [(Family::V4, "192.0.2.1"), (Family::V6, "2001:db8::1")] {
            let (table, _) = generate(family, 2000, 3, 0).unwrap();
            let hop = hop.parse().unwrap();
            let mut rib = Rib::new(true, Expectation { first_as: Some(65001) });
            feed(&mut rib, &table.encode(65001, hop).unwrap().0);
            assert_eq!((rib.total(), rib.violations.len()), (2000, 0));
            assert_eq!(rib.dump().lines().count(), 2000);
            feed(&mut rib, &table.encode_withdrawal(hop).0);
            assert_eq!((rib.total(), rib.violations.len()), (0, 0));
        }
    }

    #[test]
    fn a_path_that_does_not_start_with_the_neighbor_is_a_violation() {
        let (table, _) = generate(Family::V4, 10, 3, 0).unwrap();
        let mut rib = Rib::new(false, Expectation { first_as: Some(65002) });
        feed(&mut rib, &table.encode(65001, "192.0.2.1".parse().unwrap()).unwrap().0);
        assert!(rib.violations.contains_key("AS path does not start with the neighbor's AS"));
    }
}
