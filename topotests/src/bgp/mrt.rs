//! Files of route collectors (RFC 6396): TABLE_DUMP_V2 as one table per feed, BGP4MP as one stream of UPDATEs per peer.
//!
//! ADD-PATH records (RFC 8050) are read too, their path identifiers dropped. What is not understood is counted.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::wire::{self, HEADER};
use super::{Malformed, Octets, Prefix};
use crate::kernel::Family;

const TABLE_DUMP_V2: u16 = 13;
const BGP4MP: u16 = 16;
const BGP4MP_ET: u16 = 17;

/// A peer of the collector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    pub addr: IpAddr,
    pub asn: u32,
}

/// Entries of one feed: prefix, and number of its attributes in [`Dump::attrs`].
pub type Entries = Vec<(Prefix, u32)>;

#[derive(Debug, Default)]
pub struct Dump {
    /// Attributes as they stand in the file, each different string once.
    pub attrs: Vec<Vec<u8>>,
    pub feeds: Vec<(Peer, Entries)>,
    /// Prefixes of the multicast families, one for each path.
    pub multicast: Vec<Prefix>,
    pub skipped: usize,
}

/// UPDATE bodies of one peer in order, and whether their AS numbers have two octets.
#[derive(Debug, Default)]
pub struct Stream {
    pub updates: Vec<(Vec<u8>, bool)>,
}

struct Record<'a> {
    kind: u16,
    subtype: u16,
    body: Octets<'a>,
}

fn record<'a>(octets: &mut Octets<'a>) -> Result<Record<'a>, Malformed> {
    octets.u32("timestamp")?;
    let (kind, subtype) = (octets.u16("type")?, octets.u16("subtype")?);
    let length = octets.u32("length")? as usize;
    Ok(Record { kind, subtype, body: Octets(octets.take(length, "record cut short")?) })
}

/// Reads a TABLE_DUMP_V2 file.
pub fn read_dump(file: &[u8]) -> Result<Dump, Malformed> {
    let mut octets = Octets(file);
    let mut dump = Dump::default();
    let mut numbers: rustc_hash::FxHashMap<&[u8], u32> = rustc_hash::FxHashMap::default();
    while !octets.is_empty() {
        let mut record = record(&mut octets)?;
        if record.kind != TABLE_DUMP_V2 {
            dump.skipped += 1;
            continue;
        }
        let (family, add_path) = match record.subtype {
            1 => {
                dump.feeds = peer_index(&mut record.body)?.into_iter().map(|p| (p, Vec::new())).collect();
                continue;
            }
            2 | 3 => (Family::V4, false),
            4 | 5 => (Family::V6, false),
            8 | 9 => (Family::V4, true),
            10 | 11 => (Family::V6, true),
            _ => {
                dump.skipped += 1;
                continue;
            }
        };
        let multicast = record.subtype % 2 == 1;
        record.body.u32("sequence number")?;
        let (prefix, _) = Prefix::read(&mut record.body, family)?;
        for _ in 0..record.body.u16("entry count")? {
            let peer = usize::from(record.body.u16("peer index")?);
            record.body.u32("originated time")?;
            if add_path {
                record.body.u32("path identifier")?;
            }
            let length = usize::from(record.body.u16("attributes' length")?);
            let attrs = record.body.take(length, "attributes")?;
            if multicast {
                dump.multicast.push(prefix);
                continue;
            }
            let number = *numbers.entry(attrs).or_insert_with(|| {
                dump.attrs.push(attrs.to_vec());
                dump.attrs.len() as u32 - 1
            });
            let feed = dump.feeds.get_mut(peer).ok_or(Malformed("entry of an unknown peer"))?;
            feed.1.push((prefix, number));
        }
    }
    Ok(dump)
}

fn peer_index(body: &mut Octets<'_>) -> Result<Vec<Peer>, Malformed> {
    body.u32("collector")?;
    let length = usize::from(body.u16("view name's length")?);
    body.take(length, "view name")?;
    let count = body.u16("peer count")?;
    (0..count).map(|_| peer_entry(body)).collect()
}

fn peer_entry(body: &mut Octets<'_>) -> Result<Peer, Malformed> {
    let kind = body.u8("peer type")?;
    body.u32("peer's identifier")?;
    let addr = address(body, if kind & 1 == 0 { 1 } else { 2 })?;
    let asn = if kind & 2 == 0 { u32::from(body.u16("peer's AS")?) } else { body.u32("peer's AS")? };
    Ok(Peer { addr, asn })
}

fn address(body: &mut Octets<'_>, afi: u16) -> Result<IpAddr, Malformed> {
    match afi {
        1 => Ok(Ipv4Addr::from(body.u32("IPv4 address")?).into()),
        2 => Ok(Ipv6Addr::from(body.array::<16>("IPv6 address")?).into()),
        _ => Err(Malformed("address family")),
    }
}

/// Reads the UPDATEs of a BGP4MP file, by the peer that sent them.
pub fn read_updates(file: &[u8]) -> Result<BTreeMap<Peer, Stream>, Malformed> {
    let mut octets = Octets(file);
    let mut streams: BTreeMap<Peer, Stream> = BTreeMap::new();
    while !octets.is_empty() {
        let mut record = record(&mut octets)?;
        if record.kind == BGP4MP_ET {
            record.body.u32("microseconds")?;
        } else if record.kind != BGP4MP {
            continue;
        }
        let wide = match record.subtype {
            1 => false,
            4 => true,
            _ => continue, // state changes, and what we sent ourselves
        };
        let body = &mut record.body;
        let asn = if wide { body.u32("peer's AS")? } else { u32::from(body.u16("peer's AS")?) };
        body.take(if wide { 4 } else { 2 }, "own AS")?;
        body.u16("interface")?;
        let afi = body.u16("address family")?;
        let addr = address(body, afi)?;
        address(body, afi)?;
        let head: [u8; HEADER] = body.array("message header")?;
        let (length, kind) = wire::header(&head)?;
        if kind == wire::UPDATE {
            let update = body.take(length, "message cut short")?.to_vec();
            streams.entry(Peer { addr, asn }).or_default().updates.push((update, !wide));
        }
    }
    Ok(streams)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    #[test]
    fn a_dump_of_one_peer_and_one_route_is_read() {
        let record = |subtype: u16, body: &[u8]| {
            let mut out = vec![0, 0, 0, 0, 0, 13];
            out.extend(subtype.to_be_bytes());
            out.extend((body.len() as u32).to_be_bytes());
            out.extend(body);
            out
        };
        let index = [0, 0, 0, 0, 0, 0, 0, 1, 2, 9, 9, 9, 9, 192, 0, 2, 1, 0, 0, 0xfd, 0xe9];
        let route = [0, 0, 0, 0, 8, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0x40, 1, 1, 0];
        let file = [record(1, &index), record(2, &route)].concat();
        let dump = read_dump(&file).unwrap();
        let (peer, entries) = &dump.feeds[0];
        assert_eq!((peer.addr.to_string().as_str(), peer.asn), ("192.0.2.1", 65001));
        assert_eq!(entries[0].0.to_string(), "10.0.0.0/8");
        assert_eq!(dump.attrs[entries[0].1 as usize], [0x40, 1, 1, 0]);
        for end in 1..file.len() {
            if end != file.len() - record(2, &route).len() {
                assert!(read_dump(&file[..end]).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn the_real_ipv6_table_has_the_counts_its_notes_say() {
        let Some(path) = data::file("mrt/rib.route-views6.20150922.1200.bz2") else { return };
        let dump = read_dump(&data::read(&path).unwrap()).unwrap();
        let entries: usize = dump.feeds.iter().map(|(_, e)| e.len()).sum();
        let used = dump.feeds.iter().filter(|(_, e)| !e.is_empty()).count();
        assert_eq!((dump.feeds.len(), used, entries), (29, 27, 609_246));
    }

    #[test]
    fn real_updates_are_read_in_both_widths_of_as_numbers() {
        for (file, expected) in
            [("mrt/updates.20070211.0141.gz", 23_394), ("mrt/updates.20190101.0000.gz", 54_107)]
        {
            let Some(path) = data::file(file) else { return };
            let streams = read_updates(&data::read(&path).unwrap()).unwrap();
            let count: usize = streams.values().map(|s| s.updates.len()).sum();
            assert_eq!(count, expected, "{file}");
        }
    }
}
