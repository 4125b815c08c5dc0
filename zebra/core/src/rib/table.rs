//! One table: an ordered map with longest-prefix match.
//!
//! The order is the order of `show ip route`. A lookup tries the lengths that occur, longest first: next-hop tracking
//! asks for thousands of addresses, not millions, and pays no extra memory per route for it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;
use std::net::IpAddr;
use std::ops::{Bound, ControlFlow};

use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix, Safi, TableId, VrfId};

use super::dest::Dest;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TableKey {
    pub vrf: VrfId,
    pub afi: Afi,
    /// Unicast, or multicast: what multicast routing looks sources up in. The kernel has no such table.
    pub safi: Safi,
    pub table: TableId,
    /// Routes for packets from these addresses only: each source has a table of its own.
    pub from: Option<Ipv6Prefix>,
}

impl TableKey {
    /// Whether it is that table, or one of it for some source.
    pub fn is_of(self, key: Self) -> bool {
        Self { from: None, ..self } == Self { from: None, ..key }
    }
}

#[derive(Debug)]
pub struct Table {
    map: Map,
    /// Routes per prefix length, so that a lookup skips the lengths that do not occur.
    lengths: Vec<u32>,
}

#[derive(Debug)]
enum Map {
    V4(BTreeMap<Ipv4Prefix, Dest>),
    V6(BTreeMap<Ipv6Prefix, Dest>),
}

/// The concrete prefix of a map; a prefix of the other family is nowhere in it.
macro_rules! with_map {
    ($map:expr, $prefix:expr, |$m:ident, $p:ident| $body:expr, $other:expr) => {
        match ($map, $prefix) {
            (Map::V4($m), Prefix::V4($p)) => $body,
            (Map::V6($m), Prefix::V6($p)) => $body,
            _ => $other,
        }
    };
}

impl Table {
    pub fn new(afi: Afi) -> Self {
        let map = match afi {
            Afi::Ipv6 => Map::V6(BTreeMap::new()),
            Afi::Ipv4 | Afi::L2vpn => Map::V4(BTreeMap::new()),
        };
        Self { map, lengths: vec![0; usize::from(afi.bits()) + 1] }
    }

    pub fn len(&self) -> usize {
        match &self.map {
            Map::V4(map) => map.len(),
            Map::V6(map) => map.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, prefix: Prefix) -> Option<&Dest> {
        with_map!(&self.map, prefix, |map, p| map.get(&p), None)
    }

    pub fn get_mut(&mut self, prefix: Prefix) -> Option<&mut Dest> {
        with_map!(&mut self.map, prefix, |map, p| map.get_mut(&p), None)
    }

    /// The place of a prefix, made where it is missing; `None` for a prefix of the other family.
    pub fn entry(&mut self, prefix: Prefix) -> Option<&mut Dest> {
        let lengths = &mut self.lengths;
        let mut count = || {
            if let Some(count) = lengths.get_mut(usize::from(prefix.len())) {
                *count += 1;
            }
        };
        with_map!(
            &mut self.map,
            prefix,
            |map, p| Some(match map.entry(p) {
                MapEntry::Occupied(slot) => slot.into_mut(),
                MapEntry::Vacant(slot) => {
                    count();
                    slot.insert(Dest::default())
                }
            }),
            None
        )
    }

    pub fn remove(&mut self, prefix: Prefix) -> Option<Dest> {
        let removed = with_map!(&mut self.map, prefix, |map, p| map.remove(&p), None)?;
        if let Some(count) = self.lengths.get_mut(usize::from(prefix.len())) {
            *count = count.saturating_sub(1);
        }
        Some(removed)
    }

    /// The prefixes that cover `addr`, the longest first; at most `max_len` long.
    pub fn covering(&self, addr: IpAddr, max_len: u8) -> impl Iterator<Item = (Prefix, &Dest)> {
        (0..=max_len).rev().filter_map(move |len| {
            if *self.lengths.get(usize::from(len))? == 0 {
                return None;
            }
            let prefix = Prefix::new(addr, len)?;
            Some((prefix, self.get(prefix)?))
        })
    }

    /// Visits prefixes in order, from `from` on (exclusive), until the visitor breaks.
    pub fn walk<'a>(
        &'a self,
        from: Option<Prefix>,
        mut visit: impl FnMut(Prefix, &'a Dest) -> ControlFlow<()>,
    ) {
        match &self.map {
            Map::V4(map) => {
                let start = match from {
                    Some(Prefix::V4(p)) => Bound::Excluded(p),
                    _ => Bound::Unbounded,
                };
                let _ =
                    map.range((start, Bound::Unbounded)).try_for_each(|(p, dest)| visit((*p).into(), dest));
            }
            Map::V6(map) => {
                let start = match from {
                    Some(Prefix::V6(p)) => Bound::Excluded(p),
                    _ => Bound::Unbounded,
                };
                let _ =
                    map.range((start, Bound::Unbounded)).try_for_each(|(p, dest)| visit((*p).into(), dest));
            }
        }
    }

    /// Visits every prefix.
    pub fn for_each(&self, mut visit: impl FnMut(Prefix, &Dest)) {
        self.walk(None, |prefix, dest| {
            visit(prefix, dest);
            ControlFlow::Continue(())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covering_prefixes_come_longest_first() {
        let mut table = Table::new(Afi::Ipv4);
        for text in ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "11.0.0.0/8"] {
            table.entry(text.parse().unwrap()).unwrap();
        }
        let found = |table: &Table, max| -> Vec<String> {
            let addr = "10.1.2.3".parse().unwrap();
            table.covering(addr, max).map(|(prefix, _)| prefix.to_string()).collect()
        };
        assert_eq!(found(&table, 32), ["10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0"]);
        assert_eq!(found(&table, 15), ["10.0.0.0/8", "0.0.0.0/0"]);
        table.remove("10.1.0.0/16".parse().unwrap());
        assert_eq!(found(&table, 32), ["10.0.0.0/8", "0.0.0.0/0"]);
    }

    #[test]
    fn a_prefix_of_the_other_family_is_nowhere() {
        let mut table = Table::new(Afi::Ipv4);
        assert!(table.entry("::/0".parse().unwrap()).is_none());
        assert!(table.get("::/0".parse().unwrap()).is_none());
    }
}
