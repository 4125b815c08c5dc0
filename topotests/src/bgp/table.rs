//! What a peer announces: a feed of a real dump, the UPDATEs of a real file, or a generated table of any size.
//!
//! A generated table has the shape of the default-free zone: real prefixes where the data folder is present, else
//! drawn by length as they are out there; one set of attributes for seven prefixes or so, drawn from real dumps or
//! made up in the same proportions. The same seed gives the same table.

use std::net::IpAddr;

use rustc_hash::FxHashSet;

use super::attrs::{self, for_ebgp};
use super::mrt::{self, Stream};
use super::update::{Packer, decode};
use super::{Malformed, Prefix};
use crate::data;
use crate::failure::{Failure, Result};
use crate::kernel::Family;

/// Routes by their attributes (as in a dump: without next hop adjustments).
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub groups: Vec<(Vec<u8>, Vec<Prefix>)>,
}

/// Where a generated table comes from, for the reader of a result.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub prefixes: String,
    pub attributes: String,
}

impl Table {
    pub fn len(&self) -> usize {
        self.groups.iter().map(|(_, p)| p.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub fn prefixes(&self) -> impl Iterator<Item = &Prefix> {
        self.groups.iter().flat_map(|(_, p)| p)
    }

    /// The UPDATEs that announce it from AS `own`, end of table included, and their number.
    pub fn encode(&self, own: u32, next_hop: IpAddr) -> std::result::Result<(Vec<u8>, usize), Malformed> {
        let mut packer = Packer::new(next_hop);
        let family = family_of(next_hop);
        for (path, prefixes) in &self.groups {
            packer.announce(&for_ebgp(path, own, false)?, prefixes);
        }
        packer.end_of_rib(family);
        Ok(packer.finish())
    }

    /// The UPDATEs that take it all back.
    pub fn encode_withdrawal(&self, next_hop: IpAddr) -> (Vec<u8>, usize) {
        let mut packer = Packer::new(next_hop);
        let all: Vec<Prefix> = self.prefixes().copied().collect();
        packer.withdraw(&all);
        packer.finish()
    }

    /// The table cut into `parts` of about equal size, by groups.
    pub fn split(self, parts: usize) -> Vec<Table> {
        let mut out = vec![Table::default(); parts.max(1)];
        let share = self.len().div_ceil(parts.max(1)).max(1);
        let mut at = 0;
        for (path, prefixes) in self.groups {
            let mut rest = prefixes.as_slice();
            while !rest.is_empty() {
                let room = out.get(at).map_or(usize::MAX, |t| share.saturating_sub(t.len()));
                let last = at + 1 >= parts;
                if room == 0 && !last {
                    at += 1;
                    continue;
                }
                let (now, later) = rest.split_at(if last { rest.len() } else { room.min(rest.len()) });
                if let Some(part) = out.get_mut(at) {
                    part.groups.push((path.clone(), now.to_vec()));
                }
                rest = later;
            }
        }
        out
    }
}

pub fn family_of(addr: IpAddr) -> Family {
    if addr.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// The feeds of a dump in one family, largest first, with the AS of each.
pub fn feeds(file: &[u8], family: Family) -> Result<Vec<(u32, Table)>> {
    let dump = mrt::read_dump(file)?;
    let paths: Vec<Vec<u8>> = dump.attrs.iter().map(|a| path_only(a)).collect();
    let mut out = Vec::new();
    for (peer, entries) in dump.feeds {
        let mut groups: rustc_hash::FxHashMap<&[u8], Vec<Prefix>> = rustc_hash::FxHashMap::default();
        let mut seen: FxHashSet<Prefix> = FxHashSet::default(); // ADD-PATH dumps hold several paths: the first counts
        for (prefix, number) in entries.into_iter().filter(|(p, _)| p.family == family && seen.insert(*p)) {
            let path = paths.get(number as usize).map(Vec::as_slice).unwrap_or_default();
            groups.entry(path).or_default().push(prefix);
        }
        let mut groups: Vec<(Vec<u8>, Vec<Prefix>)> =
            groups.into_iter().map(|(a, p)| (a.to_vec(), p)).collect();
        groups.sort_unstable();
        let table = Table { groups };
        // AS 0 marks what the collector itself originated: no session can have it.
        if !table.is_empty() && peer.asn != 0 {
            out.push((peer.asn, table));
        }
    }
    out.sort_by_key(|(_, table)| std::cmp::Reverse(table.len()));
    Ok(out)
}

/// Attributes without next hops: in some dumps MP_REACH_NLRI holds the prefix too, and no two entries were the same.
fn path_only(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    for attr in attrs::split(octets).unwrap_or_default() {
        if !matches!(attr.code, attrs::NEXT_HOP | attrs::MP_REACH | attrs::MP_UNREACH) {
            attrs::push(&mut out, attr.flags, attr.code, attr.value);
        }
    }
    out
}

/// A peer's stream of a BGP4MP file as UPDATEs of our own session; routes of other families are left out.
pub fn encode_stream(
    stream: &Stream,
    own: u32,
    next_hop: IpAddr,
) -> std::result::Result<(Vec<u8>, usize), Malformed> {
    let family = family_of(next_hop);
    let mut packer = Packer::new(next_hop);
    for (body, narrow) in &stream.updates {
        let update = decode(body)?;
        let of_family =
            |list: &[Prefix]| list.iter().copied().filter(|p| p.family == family).collect::<Vec<_>>();
        packer.withdraw(&of_family(&update.withdrawn));
        let announced = of_family(&update.announced);
        if !announced.is_empty() {
            packer.announce(&for_ebgp(update.attrs, own, *narrow)?, &announced);
        }
    }
    Ok(packer.finish())
}

/// A small generator of numbers (splitmix64): a seed, nothing else, decides a table.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.draw() % n.max(1) as u64) as usize
    }
}

/// Prefixes that share one set of attributes, on average.
const SHARE: usize = 7;

/// A table of `count` prefixes of one family. `paths` makes the draw of attributes differ between peers of one table.
pub fn generate(family: Family, count: usize, seed: u64, paths: u64) -> Result<(Table, Origin)> {
    let (prefixes, from) = prefixes(family, count, seed)?;
    let sets = count.div_ceil(SHARE);
    let (attributes, drawn) = attribute_sets(family, sets, seed ^ paths.wrapping_mul(0x5851_f42d))?;
    let mut random = Random(seed ^ paths);
    let mut groups: Vec<(Vec<u8>, Vec<Prefix>)> = attributes.into_iter().map(|a| (a, Vec::new())).collect();
    for prefix in prefixes {
        // Squared, so that some paths carry many prefixes and many carry one or two, as in a real table.
        let (a, b) = (random.below(groups.len()), random.below(groups.len()));
        let at = (a * b) / groups.len().max(1);
        if let Some((_, list)) = groups.get_mut(at) {
            list.push(prefix);
        }
    }
    groups.retain(|(_, list)| !list.is_empty());
    Ok((Table { groups }, Origin { prefixes: from, attributes: drawn }))
}

fn prefixes(family: Family, count: usize, seed: u64) -> Result<(Vec<Prefix>, String)> {
    let mut seen: FxHashSet<Prefix> = FxHashSet::default();
    let mut list = Vec::with_capacity(count);
    if let Some(path) = data::file("tables/dfz-prefixes-bart.txt.gz") {
        let text =
            String::from_utf8(data::read(&path)?).map_err(|_| Failure::new("prefixes are not text"))?;
        let real = text.lines().filter_map(|l| l.parse::<Prefix>().ok()).filter(|p| p.family == family);
        list.extend(real.filter(routable).take(count));
        seen.extend(&list);
    }
    let real = list.len();
    let mut random = Random(seed);
    while list.len() < count {
        let prefix = draw(family, &mut random);
        if routable(&prefix) && seen.insert(prefix) {
            list.push(prefix);
        }
    }
    let origin = match (real, count - real) {
        (0, made) => format!("{made} generated in the shape of the default-free zone (no data folder)"),
        (real, 0) => format!("{real} real ones"),
        (real, made) => format!("{real} real ones and {made} generated"),
    };
    Ok((list, origin))
}

/// What routers take: no default route, nothing of 0/8, 127/8, multicast and reserved, no link-local.
fn routable(prefix: &Prefix) -> bool {
    let first = (prefix.bits >> 120) as u8;
    match prefix.family {
        // 10/8 carries the tests' own links.
        Family::V4 => prefix.len >= 8 && !matches!(first, 0 | 10 | 127 | 224..=255),
        Family::V6 => prefix.len >= 16 && (first & 0xe0) == 0x20 && !in_2001_db8(prefix),
    }
}

fn in_2001_db8(prefix: &Prefix) -> bool {
    prefix.bits >> 96 == 0x2001_0db8
}

/// Share of each length in a hundred, as in the tables of 2024.
const V4_LENGTHS: &[(u8, usize)] =
    &[(24, 60), (22, 11), (23, 10), (20, 5), (21, 5), (19, 3), (18, 2), (16, 2), (17, 1), (14, 1)];
const V6_LENGTHS: &[(u8, usize)] =
    &[(48, 46), (32, 13), (44, 11), (40, 9), (46, 6), (36, 5), (33, 4), (42, 3), (29, 3)];

fn draw(family: Family, random: &mut Random) -> Prefix {
    let lengths = if family == Family::V4 { V4_LENGTHS } else { V6_LENGTHS };
    let mut at = random.below(lengths.iter().map(|(_, share)| share).sum());
    let mut len = 24;
    for (length, share) in lengths {
        len = *length;
        match at.checked_sub(*share) {
            Some(rest) => at = rest,
            None => break,
        }
    }
    let high = u128::from(random.draw()) << 64;
    let bits = if family == Family::V6 { (high >> 3) | (1 << 125) } else { high };
    Prefix { family, bits: bits & (u128::MAX << (128 - u32::from(len))), len }
}

/// `count` different sets of attributes.
fn attribute_sets(family: Family, count: usize, seed: u64) -> Result<(Vec<Vec<u8>>, String)> {
    let mut random = Random(seed);
    let name = match family {
        Family::V4 => "mrt/rib.rrc06.20100701.0759.reencoded.mrt.gz",
        Family::V6 => "mrt/rib.route-views6.20150922.1200.bz2",
    };
    let Some(path) = data::file(name) else {
        let sets = (0..count).map(|n| synthetic(n, &mut random)).collect();
        return Ok((sets, format!("{count} sets made up (no data folder)")));
    };
    let dump = mrt::read_dump(&data::read(&path)?)?;
    let mut seen: FxHashSet<Vec<u8>> = FxHashSet::default();
    let usable = dump.attrs.iter().filter_map(|a| for_table(a));
    let pool: Vec<Vec<u8>> = usable.filter(|a| seen.insert(a.clone())).collect();
    let start = random.below(pool.len());
    let sets: Vec<Vec<u8>> = (0..count)
        .filter_map(|n| {
            let attrs = pool.get((start + n) % pool.len().max(1))?;
            // Beyond the pool's size a community makes the next round's sets different ones.
            let round = (n / pool.len().max(1)) as u16;
            Some(if round == 0 { attrs.clone() } else { with_community(attrs, round) })
        })
        .collect();
    Ok((sets, format!("{count} sets drawn from {} of a real dump", pool.len())))
}

/// A dump's attributes if anyone may announce them to anyone: no AS sets, whose fate depends on the receiver, and no
/// private AS numbers, which tests use and would take for loops.
fn for_table(octets: &[u8]) -> Option<Vec<u8>> {
    let list = attrs::split(octets).ok()?;
    let path = list.iter().find(|a| a.code == attrs::AS_PATH)?;
    let segments = attrs::path_segments(path.value).ok()?;
    let public =
        |asn: &u32| *asn > 0 && *asn != 23456 && *asn < 4_200_000_000 && !(64496..=65551).contains(asn);
    segments.iter().all(|(kind, numbers)| *kind == 2 && numbers.iter().all(public)).then(|| path_only(octets))
}

fn with_community(octets: &[u8], round: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let mut value = Vec::new();
    for attr in attrs::split(octets).unwrap_or_default() {
        if attr.code == attrs::COMMUNITIES {
            value = attr.value.to_vec();
        } else {
            attrs::push(&mut out, attr.flags, attr.code, attr.value);
        }
    }
    value.extend([0xff, 0xf0]);
    value.extend(round.to_be_bytes());
    attrs::push(&mut out, 0xc0, attrs::COMMUNITIES, &value);
    out
}

fn synthetic(number: usize, random: &mut Random) -> Vec<u8> {
    let hops = 2 + random.below(4);
    let mut path: Vec<u32> = (0..hops).map(|_| 1000 + random.below(60_000) as u32).collect();
    path.push(100_000 + number as u32); // the origin AS keeps sets apart
    let mut out = Vec::new();
    attrs::push(&mut out, 0x40, attrs::ORIGIN, &[0]);
    attrs::push(&mut out, 0x40, attrs::AS_PATH, &attrs::sequence(&path));
    let mut communities: Vec<u8> = Vec::new();
    for _ in 0..random.below(6) {
        let owner = (path.first().copied().unwrap_or(0) as u16).to_be_bytes();
        communities.extend(owner.iter().chain(&(random.below(5000) as u16).to_be_bytes()));
    }
    if !communities.is_empty() {
        attrs::push(&mut out, 0xc0, attrs::COMMUNITIES, &communities);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_table_has_its_size_no_prefix_twice_and_is_the_same_again() {
        for family in Family::BOTH {
            let (table, _) = generate(family, 5000, 7, 0).unwrap();
            let distinct: FxHashSet<&Prefix> = table.prefixes().collect();
            assert_eq!((table.len(), distinct.len()), (5000, 5000));
            let (again, _) = generate(family, 5000, 7, 0).unwrap();
            assert_eq!(table.groups, again.groups);
        }
    }

    #[test]
    fn parts_of_a_table_are_the_table() {
        let (table, _) = generate(Family::V4, 1000, 1, 0).unwrap();
        let mut all: Vec<Prefix> = table.prefixes().copied().collect();
        let parts = table.split(7);
        assert!(parts.iter().all(|p| p.len() >= 100 && p.len() <= 150));
        let mut joined: Vec<Prefix> = parts.iter().flat_map(|p| p.prefixes().copied()).collect();
        all.sort();
        joined.sort();
        assert_eq!(all, joined);
    }
}
