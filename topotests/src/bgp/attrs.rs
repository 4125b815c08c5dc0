//! Path attributes as octets: taken apart, adjusted for an eBGP session, told as text.
//!
//! AS numbers always have four octets here; files of the two-octet age are widened as they are read.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Malformed, Octets};

pub const ORIGIN: u8 = 1;
pub const AS_PATH: u8 = 2;
pub const NEXT_HOP: u8 = 3;
pub const MED: u8 = 4;
pub const LOCAL_PREF: u8 = 5;
pub const AGGREGATOR: u8 = 7;
pub const COMMUNITIES: u8 = 8;
pub const ORIGINATOR_ID: u8 = 9;
pub const CLUSTER_LIST: u8 = 10;
pub const MP_REACH: u8 = 14;
pub const MP_UNREACH: u8 = 15;
pub const AS4_PATH: u8 = 17;
pub const AS4_AGGREGATOR: u8 = 18;
pub const LARGE_COMMUNITIES: u8 = 32;

const FLAG_EXTENDED: u8 = 0x10;
const FLAG_TRANSITIVE: u8 = 0x40;
const AS_SEQUENCE: u8 = 2;
const AS_SET: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr<'a> {
    pub flags: u8,
    pub code: u8,
    pub value: &'a [u8],
}

/// Walks the attributes of an UPDATE or a dump entry.
pub fn split(octets: &[u8]) -> Result<Vec<Attr<'_>>, Malformed> {
    let mut octets = Octets(octets);
    let mut list = Vec::new();
    while !octets.is_empty() {
        let flags = octets.u8("attribute flags")?;
        let code = octets.u8("attribute type")?;
        let length = if flags & FLAG_EXTENDED != 0 {
            usize::from(octets.u16("attribute length")?)
        } else {
            usize::from(octets.u8("attribute length")?)
        };
        list.push(Attr { flags, code, value: octets.take(length, "attribute cut short")? });
    }
    Ok(list)
}

/// Appends one attribute.
pub fn push(out: &mut Vec<u8>, flags: u8, code: u8, value: &[u8]) {
    let flags = flags & !FLAG_EXTENDED;
    match u8::try_from(value.len()) {
        Ok(length) => out.extend([flags, code, length]),
        Err(_) => {
            out.extend([flags | FLAG_EXTENDED, code]);
            out.extend((value.len() as u16).to_be_bytes());
        }
    }
    out.extend(value);
}

/// The attributes that describe a path, without next hop and without what must not cross an eBGP session.
///
/// Well-known communities are left out: a feed's NO_EXPORT was meant for its collector and would end the way here.
/// `own` is put in front of the AS path unless it stands there already. `narrow` says that AS numbers have two octets.
/// What comes out is in order of type, ready for [`super::update::Packer`].
pub fn for_ebgp(octets: &[u8], own: u32, narrow: bool) -> Result<Vec<u8>, Malformed> {
    let mut list: Vec<(u8, u8, Vec<u8>)> = Vec::new();
    let mut has_path = false;
    for attr in split(octets)? {
        match attr.code {
            NEXT_HOP | LOCAL_PREF | MP_REACH | MP_UNREACH | ORIGINATOR_ID | CLUSTER_LIST => {}
            AS4_PATH | AS4_AGGREGATOR => {}
            AS_PATH => {
                has_path = true;
                let wide = if narrow { widen_path(attr.value)? } else { attr.value.to_vec() };
                list.push((attr.flags, AS_PATH, prepend(&wide, own)?));
            }
            AGGREGATOR if narrow => {
                let mut old = Octets(attr.value);
                let mut wide = u32::from(old.u16("aggregator")?).to_be_bytes().to_vec();
                wide.extend(old.take(4, "aggregator")?);
                list.push((attr.flags, AGGREGATOR, wide));
            }
            COMMUNITIES => {
                let ordinary = attr.value.chunks_exact(4).filter(|c| !c.starts_with(&[0xff, 0xff]));
                let kept: Vec<u8> = ordinary.flatten().copied().collect();
                if !kept.is_empty() {
                    list.push((attr.flags, COMMUNITIES, kept));
                }
            }
            _ => list.push((attr.flags, attr.code, attr.value.to_vec())),
        }
    }
    if !has_path {
        list.push((FLAG_TRANSITIVE, AS_PATH, prepend(&[], own)?));
    }
    if !list.iter().any(|(_, code, _)| *code == ORIGIN) {
        list.push((FLAG_TRANSITIVE, ORIGIN, vec![0]));
    }
    list.sort_by_key(|(_, code, _)| *code);
    list.dedup_by_key(|(_, code, _)| *code);
    let mut out = Vec::new();
    for (flags, code, value) in &list {
        push(&mut out, *flags, *code, value);
    }
    Ok(out)
}

fn widen_path(value: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut octets = Octets(value);
    let mut out = Vec::new();
    while !octets.is_empty() {
        let (kind, count) = (octets.u8("segment type")?, octets.u8("segment length")?);
        out.extend([kind, count]);
        for _ in 0..count {
            out.extend(u32::from(octets.u16("AS number")?).to_be_bytes());
        }
    }
    Ok(out)
}

fn prepend(path: &[u8], own: u32) -> Result<Vec<u8>, Malformed> {
    let segments = path_segments(path)?;
    match segments.first() {
        Some((AS_SEQUENCE, numbers)) if numbers.first() == Some(&own) => Ok(path.to_vec()),
        Some((AS_SEQUENCE, numbers)) if numbers.len() < 255 => {
            let mut out = vec![AS_SEQUENCE, numbers.len() as u8 + 1];
            out.extend(own.to_be_bytes());
            out.extend(path.iter().skip(2));
            Ok(out)
        }
        _ => {
            let mut out = vec![AS_SEQUENCE, 1];
            out.extend(own.to_be_bytes());
            out.extend(path);
            Ok(out)
        }
    }
}

/// Segments of an AS path of four-octet numbers.
pub fn path_segments(value: &[u8]) -> Result<Vec<(u8, Vec<u32>)>, Malformed> {
    let mut octets = Octets(value);
    let mut out = Vec::new();
    while !octets.is_empty() {
        let (kind, count) = (octets.u8("segment type")?, octets.u8("segment length")?);
        let numbers = (0..count).map(|_| octets.u32("AS number")).collect::<Result<_, _>>()?;
        out.push((kind, numbers));
    }
    Ok(out)
}

/// An AS path as looking glasses print it: `64500 64501 {64502,64503}`.
pub fn path_text(value: &[u8]) -> Result<String, Malformed> {
    let mut text = String::new();
    for (kind, numbers) in path_segments(value)? {
        let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let segment = match kind {
            AS_SEQUENCE => words.join(" "),
            AS_SET => format!("{{{}}}", words.join(",")),
            _ => format!("({})", words.join(" ")),
        };
        if !text.is_empty() && !segment.is_empty() {
            text.push(' ');
        }
        text.push_str(&segment);
    }
    Ok(text)
}

/// An AS path of one sequence.
pub fn sequence(numbers: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in numbers.chunks(255) {
        out.extend([AS_SEQUENCE, chunk.len() as u8]);
        out.extend(chunk.iter().flat_map(|n| n.to_be_bytes()));
    }
    out
}

/// Attributes as columns: `as-path|next-hop|communities|med|local-pref|origin`.
pub fn text(octets: &[u8]) -> Result<String, Malformed> {
    let list = split(octets)?;
    let find = |code: u8| list.iter().find(|a| a.code == code).map(|a| a.value);
    let number = |code: u8| find(code).and_then(|v| v.try_into().ok()).map(u32::from_be_bytes);
    let shown = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
    let mut out = find(AS_PATH).map(path_text).transpose()?.unwrap_or_default();
    let hop = next_hop(&list)?.map(|a| a.to_string()).unwrap_or_default();
    let origin = match find(ORIGIN).and_then(<[u8]>::first) {
        Some(0) => "IGP",
        Some(1) => "EGP",
        Some(2) => "INCOMPLETE",
        _ => "",
    };
    let _ = write!(
        out,
        "|{hop}|{}|{}|{}|{origin}",
        communities(&list),
        shown(number(MED)),
        shown(number(LOCAL_PREF))
    );
    Ok(out)
}

fn communities(list: &[Attr<'_>]) -> String {
    let mut words = Vec::new();
    for attr in list {
        match attr.code {
            COMMUNITIES => words.extend(attr.value.chunks_exact(4).filter_map(|c| {
                let value = u32::from_be_bytes(c.try_into().ok()?);
                Some(format!("{}:{}", value >> 16, value & 0xffff))
            })),
            LARGE_COMMUNITIES => words.extend(attr.value.chunks_exact(12).map(|c| {
                let part = |i: usize| c.iter().skip(i * 4).take(4).fold(0u32, |n, b| n << 8 | u32::from(*b));
                format!("{}:{}:{}", part(0), part(1), part(2))
            })),
            _ => {}
        }
    }
    // Their order carries no meaning, and implementations sort as they like.
    words.sort();
    words.join(" ")
}

/// NEXT_HOP, or the global address of MP_REACH_NLRI.
pub fn next_hop(list: &[Attr<'_>]) -> Result<Option<IpAddr>, Malformed> {
    for attr in list {
        let mut octets = Octets(attr.value);
        match attr.code {
            NEXT_HOP => return Ok(Some(Ipv4Addr::from(octets.u32("next hop")?).into())),
            MP_REACH => {
                octets.take(3, "family")?;
                let length = octets.u8("next hop's length")?;
                return match length {
                    4 => Ok(Some(Ipv4Addr::from(octets.u32("next hop")?).into())),
                    16 | 32 => Ok(Some(Ipv6Addr::from(octets.array::<16>("next hop")?).into())),
                    _ => Err(Malformed("next hop's length")),
                };
            }
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_after(numbers: &[u32], own: u32) -> String {
        let mut attrs = Vec::new();
        push(&mut attrs, 0x40, AS_PATH, &sequence(numbers));
        text(&for_ebgp(&attrs, own, false).unwrap()).unwrap()
    }

    #[test]
    fn own_as_stands_in_front_once() {
        assert_eq!(path_after(&[65001, 3], 65001), "65001 3|||||IGP");
        assert_eq!(path_after(&[3], 65001), "65001 3|||||IGP");
        assert_eq!(path_after(&[], 65001), "65001|||||IGP");
    }

    #[test]
    fn what_must_not_cross_ebgp_is_left_out() {
        let mut attrs = Vec::new();
        push(&mut attrs, 0x40, LOCAL_PREF, &[0, 0, 0, 100]);
        push(&mut attrs, 0x40, NEXT_HOP, &[192, 0, 2, 1]);
        push(&mut attrs, 0xc0, COMMUNITIES, &[0xfd, 0xe9, 0, 7]);
        let kept: Vec<u8> =
            split(&for_ebgp(&attrs, 65001, false).unwrap()).unwrap().iter().map(|a| a.code).collect();
        assert_eq!(kept, [ORIGIN, AS_PATH, COMMUNITIES]);
    }

    #[test]
    fn well_known_communities_are_left_out() {
        let mut attrs = Vec::new();
        push(&mut attrs, 0xc0, COMMUNITIES, &[0xff, 0xff, 0xff, 0x01, 0xfd, 0xe9, 0, 7]);
        assert_eq!(text(&for_ebgp(&attrs, 65001, false).unwrap()).unwrap(), "65001||65001:7|||IGP");
    }

    #[test]
    fn two_octet_paths_are_widened() {
        let mut attrs = Vec::new();
        push(&mut attrs, 0x40, AS_PATH, &[AS_SEQUENCE, 2, 0xfd, 0xe9, 0, 3]);
        assert_eq!(text(&for_ebgp(&attrs, 65001, true).unwrap()).unwrap(), "65001 3|||||IGP");
    }
}
