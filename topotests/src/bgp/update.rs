//! UPDATE (RFC 4271 §4.3, RFC 4760): reading it with a strict eye, and packing routes into as few as possible.

use std::net::IpAddr;

use super::attrs::{self, MP_REACH, MP_UNREACH, NEXT_HOP};
use super::wire::{HEADER, MAX_MESSAGE, UPDATE, afi, message};
use super::{Malformed, Octets, Prefix};
use crate::kernel::Family;

/// What an UPDATE says.
#[derive(Debug, Default)]
pub struct Update<'a> {
    pub withdrawn: Vec<Prefix>,
    pub announced: Vec<Prefix>,
    /// All attributes as they came.
    pub attrs: &'a [u8],
    /// Families whose end of table this is (RFC 4724 §2).
    pub end_of_rib: Option<Family>,
    /// What a correct speaker would not have sent, though it can be understood.
    pub violations: Vec<&'static str>,
}

pub fn decode(body: &[u8]) -> Result<Update<'_>, Malformed> {
    let mut octets = Octets(body);
    let mut update = Update::default();
    let length = usize::from(octets.u16("withdrawn length")?);
    let mut withdrawn = Octets(octets.take(length, "withdrawn routes")?);
    read_nlri(&mut withdrawn, Family::V4, &mut update.withdrawn, &mut update.violations)?;
    let length = usize::from(octets.u16("attributes' length")?);
    update.attrs = octets.take(length, "attributes")?;
    if body.len() == 4 {
        update.end_of_rib = Some(Family::V4);
    }
    read_nlri(&mut octets, Family::V4, &mut update.announced, &mut update.violations)?;
    let list = attrs::split(update.attrs)?;
    if !update.announced.is_empty() && !list.iter().any(|a| a.code == NEXT_HOP) {
        update.violations.push("IPv4 NLRI without NEXT_HOP");
    }
    let mut codes: Vec<u8> = list.iter().map(|a| a.code).collect();
    codes.sort_unstable();
    if codes.windows(2).any(|pair| pair.first() == pair.last()) {
        update.violations.push("an attribute stands twice");
    }
    for attr in &list {
        match attr.code {
            MP_REACH => read_reach(attr.value, &mut update)?,
            MP_UNREACH => read_unreach(attr.value, list.len() == 1, &mut update)?,
            _ => {}
        }
    }
    let described = codes.contains(&attrs::ORIGIN) && codes.contains(&attrs::AS_PATH);
    if !described && !update.announced.is_empty() {
        update.violations.push("routes without ORIGIN or AS_PATH");
    }
    Ok(update)
}

fn read_nlri(
    octets: &mut Octets<'_>,
    family: Family,
    into: &mut Vec<Prefix>,
    violations: &mut Vec<&'static str>,
) -> Result<(), Malformed> {
    while !octets.is_empty() {
        let (prefix, stray) = Prefix::read(octets, family)?;
        if stray {
            violations.push("prefix with bits beyond its length");
        }
        into.push(prefix);
    }
    Ok(())
}

fn family(octets: &mut Octets<'_>) -> Result<Option<Family>, Malformed> {
    Ok(match (octets.u16("AFI")?, octets.u8("SAFI")?) {
        (1, 1) => Some(Family::V4),
        (2, 1) => Some(Family::V6),
        _ => None,
    })
}

fn read_reach(value: &[u8], update: &mut Update<'_>) -> Result<(), Malformed> {
    let mut octets = Octets(value);
    let family = family(&mut octets)?;
    let length = usize::from(octets.u8("next hop's length")?);
    octets.take(length, "next hop")?;
    octets.u8("reserved octet")?;
    match family {
        Some(family) => read_nlri(&mut octets, family, &mut update.announced, &mut update.violations),
        None => Ok(()),
    }
}

fn read_unreach(value: &[u8], alone: bool, update: &mut Update<'_>) -> Result<(), Malformed> {
    let mut octets = Octets(value);
    let Some(family) = family(&mut octets)? else { return Ok(()) };
    if octets.is_empty() && alone && update.announced.is_empty() && update.withdrawn.is_empty() {
        update.end_of_rib = Some(family);
    }
    read_nlri(&mut octets, family, &mut update.withdrawn, &mut update.violations)
}

/// Packs routes into UPDATEs that are as full as they can be, one set of attributes at a time.
#[derive(Debug)]
pub struct Packer {
    next_hop: IpAddr,
    out: Vec<u8>,
    messages: usize,
}

impl Packer {
    /// `next_hop` goes into routes of either family, as far as it is of that family.
    pub fn new(next_hop: IpAddr) -> Packer {
        Packer { next_hop, out: Vec::new(), messages: 0 }
    }

    /// Appends UPDATEs that announce `prefixes`, all of one family, with `path` (see [`attrs::for_ebgp`]).
    pub fn announce(&mut self, path: &[u8], prefixes: &[Prefix]) {
        let mut rest = prefixes;
        while let Some(first) = rest.first() {
            let fixed = path.len() + if first.family == Family::V4 { 7 } else { 9 + 16 };
            let (now, later) = cut(rest, MAX_MESSAGE - HEADER - 4 - fixed);
            if now.is_empty() {
                return; // attributes longer than a message: no real path has them
            }
            let mut nlri = Vec::new();
            for prefix in now {
                prefix.write(&mut nlri);
            }
            match self.next_hop {
                IpAddr::V4(hop) => self.push(&[], &with_next_hop(path, &hop.octets()), &nlri),
                IpAddr::V6(hop) => self.push(&[], &with_reach(path, first.family, &hop.octets(), &nlri), &[]),
            }
            rest = later;
        }
    }

    /// Appends UPDATEs that withdraw `prefixes`, all of one family.
    pub fn withdraw(&mut self, prefixes: &[Prefix]) {
        let mut rest = prefixes;
        while let Some(first) = rest.first() {
            let (now, later) = cut(rest, MAX_MESSAGE - HEADER - 4 - 7);
            let mut nlri = Vec::new();
            for prefix in now {
                prefix.write(&mut nlri);
            }
            match first.family {
                Family::V4 => self.push(&nlri, &[], &[]),
                Family::V6 => self.push(&[], &unreach(first.family, &nlri), &[]),
            }
            rest = later;
        }
    }

    /// Appends the end of the table of a family.
    pub fn end_of_rib(&mut self, family: Family) {
        match family {
            Family::V4 => self.push(&[], &[], &[]),
            Family::V6 => self.push(&[], &unreach(family, &[]), &[]),
        }
    }

    fn push(&mut self, withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) {
        let mut body = Vec::with_capacity(MAX_MESSAGE);
        body.extend((withdrawn.len() as u16).to_be_bytes());
        body.extend(withdrawn);
        body.extend((attributes.len() as u16).to_be_bytes());
        body.extend(attributes);
        body.extend(nlri);
        self.out.extend(message(UPDATE, &body));
        self.messages += 1;
    }

    /// The messages one after another, and how many they are.
    pub fn finish(self) -> (Vec<u8>, usize) {
        (self.out, self.messages)
    }
}

/// As many prefixes from the front as fit into `room` octets, and the rest.
fn cut(prefixes: &[Prefix], room: usize) -> (&[Prefix], &[Prefix]) {
    let mut used = 0;
    let fits = |p: &&Prefix| {
        used += p.wire_len();
        used <= room
    };
    let count = prefixes.iter().take_while(fits).count();
    prefixes.split_at(count)
}

/// NEXT_HOP put at its place among attributes in order of type: after ORIGIN and AS_PATH.
fn with_next_hop(path: &[u8], hop: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 7);
    let mut done = false;
    for attr in attrs::split(path).unwrap_or_default() {
        if attr.code > NEXT_HOP && !done {
            attrs::push(&mut out, 0x40, NEXT_HOP, hop);
            done = true;
        }
        attrs::push(&mut out, attr.flags, attr.code, attr.value);
    }
    if !done {
        attrs::push(&mut out, 0x40, NEXT_HOP, hop);
    }
    out
}

/// MP_REACH_NLRI in front of the others (RFC 7606 §5.1).
fn with_reach(path: &[u8], family: Family, hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut value = afi(family).to_be_bytes().to_vec();
    value.extend([1, hop.len() as u8]);
    value.extend(hop);
    value.push(0);
    value.extend(nlri);
    let mut out = Vec::with_capacity(path.len() + value.len() + 4);
    attrs::push(&mut out, 0x80, MP_REACH, &value);
    out.extend(path);
    out
}

fn unreach(family: Family, nlri: &[u8]) -> Vec<u8> {
    let mut value = afi(family).to_be_bytes().to_vec();
    value.push(1);
    value.extend(nlri);
    let mut out = Vec::new();
    attrs::push(&mut out, 0x80, MP_UNREACH, &value);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(family: Family, count: u32) -> Vec<Prefix> {
        let base = if family == Family::V4 { 10u128 << 120 } else { 0x2001_0db8u128 << 96 };
        let len = if family == Family::V4 { 24 } else { 48 };
        (0..count)
            .map(|i| Prefix { family, bits: base | u128::from(i) << (128 - len), len: len as u8 })
            .collect()
    }

    /// Splits a stream into bodies.
    fn bodies(mut stream: &[u8]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(head) = stream.first_chunk::<HEADER>() {
            let (length, _) = super::super::wire::header(head).unwrap();
            assert!(length + HEADER <= MAX_MESSAGE);
            out.push(stream[HEADER..HEADER + length].to_vec());
            stream = &stream[HEADER + length..];
        }
        out
    }

    #[test]
    fn packed_routes_are_read_back_from_full_messages() {
        for (family, hop) in [(Family::V4, "192.0.2.1"), (Family::V6, "2001:db8::1")] {
            let routes = prefixes(family, 3000);
            let path = attrs::for_ebgp(&[], 65001, false).unwrap();
            let mut packer = Packer::new(hop.parse().unwrap());
            packer.announce(&path, &routes);
            packer.withdraw(&routes);
            packer.end_of_rib(family);
            let (stream, count) = packer.finish();
            let bodies = bodies(&stream);
            assert_eq!(bodies.len(), count);
            let updates: Vec<Update<'_>> = bodies.iter().map(|b| decode(b).unwrap()).collect();
            let announced: Vec<Prefix> = updates.iter().flat_map(|u| u.announced.clone()).collect();
            let withdrawn: Vec<Prefix> = updates.iter().flat_map(|u| u.withdrawn.clone()).collect();
            assert_eq!((&announced, &withdrawn), (&routes, &routes));
            assert_eq!(updates.last().and_then(|u| u.end_of_rib), Some(family));
            assert!(updates.iter().all(|u| u.violations.is_empty()));
            assert!(count <= 2 * (3000 * 7 / 4000 + 1) + 1, "{count} messages are more than needed");
        }
    }

    #[test]
    fn a_missing_next_hop_is_a_violation() {
        let mut body = vec![0, 0];
        let path = attrs::for_ebgp(&[], 65001, false).unwrap();
        body.extend((path.len() as u16).to_be_bytes());
        body.extend(&path);
        body.extend([8, 10]);
        assert_eq!(decode(&body).unwrap().violations, ["IPv4 NLRI without NEXT_HOP"]);
    }
}
