//! MRT records (RFC 6396, RFC 8050): a table with its peers, messages and changes of state as they happened.
//!
//! A record is a header of twelve octets (seconds since 1970, type, subtype, length) and a body; every function appends one
//! whole record. Lengths that the format cannot hold leave the record out and say so.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use ferrite_types::{Afi, Asn, Prefix, RouterId, Safi};

use crate::attr::{AttrCode, Attributes, EncodeContext, encode_attributes, encode_next_hop, uses_mp_reach};
use crate::{Family, FamilySet};

const TABLE_DUMP_V2: u16 = 13;
const BGP4MP: u16 = 16;
/// With microseconds (RFC 6396 §3).
const BGP4MP_ET: u16 = 17;

const PEER_INDEX_TABLE: u16 = 1;
const RIB_IPV4_UNICAST: u16 = 2;
const RIB_IPV4_MULTICAST: u16 = 3;
const RIB_IPV6_UNICAST: u16 = 4;
const RIB_IPV6_MULTICAST: u16 = 5;
/// From each of them to the one with path identifiers (RFC 8050 §4).
const ADD_PATH: u16 = 6;
const MESSAGE: u16 = 1;
const MESSAGE_AS4: u16 = 4;
const STATE_CHANGE_AS4: u16 = 5;
const MESSAGE_ADDPATH: u16 = 8;
const MESSAGE_AS4_ADDPATH: u16 = 9;

/// A neighbour in the index of a table dump; its place there is its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexedPeer {
    pub id: RouterId,
    pub addr: IpAddr,
    pub asn: Asn,
}

/// One path of a prefix.
#[derive(Clone, Copy, Debug)]
pub struct RibEntry<'a> {
    /// Place in the index.
    pub peer: u16,
    /// Seconds since 1970.
    pub originated: u32,
    /// Zero without.
    pub path_id: u32,
    pub attrs: &'a Attributes,
}

/// When, since 1970, and whether the microseconds are written too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub time: Duration,
    pub extended: bool,
}

/// The two ends of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    pub remote_as: Asn,
    pub local_as: Asn,
    pub ifindex: u16,
    pub remote: IpAddr,
    pub local: IpAddr,
}

/// How a message is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    pub four_octet: bool,
    /// Path identifiers may stand before its prefixes.
    pub add_path: bool,
}

/// The record would be longer than its fields can say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too large for an MRT record")]
pub struct TooLarge;

/// The record that a table dump begins with: who the paths come from.
pub fn peer_index(
    buf: &mut BytesMut,
    seconds: u32,
    collector: RouterId,
    view: &str,
    peers: &[IndexedPeer],
) -> Result<(), TooLarge> {
    let count = u16::try_from(peers.len()).map_err(|_| TooLarge)?;
    let name_len = u16::try_from(view.len()).map_err(|_| TooLarge)?;
    record(buf, seconds, TABLE_DUMP_V2, PEER_INDEX_TABLE, |buf| {
        buf.put_slice(&collector.0.octets());
        buf.put_u16(name_len);
        buf.put_slice(view.as_bytes());
        buf.put_u16(count);
        for peer in peers {
            // Bit 0: an IPv6 address; bit 1: an AS number of four octets.
            buf.put_u8(0b10 | u8::from(peer.addr.is_ipv6()));
            buf.put_slice(&peer.id.0.octets());
            put_addr(buf, peer.addr);
            buf.put_u32(peer.asn.0);
        }
        Ok(())
    })
}

/// A prefix and its paths. Identifiers are written where any path has one (RFC 8050 §4).
pub fn rib(
    buf: &mut BytesMut,
    seconds: u32,
    sequence: u32,
    (safi, prefix): (Safi, Prefix),
    paths: &[RibEntry<'_>],
) -> Result<(), TooLarge> {
    let with_ids = paths.iter().any(|path| path.path_id != 0);
    let (afi, unicast, multicast) = match prefix {
        Prefix::V4(_) => (Afi::Ipv4, RIB_IPV4_UNICAST, RIB_IPV4_MULTICAST),
        Prefix::V6(_) => (Afi::Ipv6, RIB_IPV6_UNICAST, RIB_IPV6_MULTICAST),
    };
    let family = Family { afi, safi };
    let plain = if safi == Safi::Multicast { multicast } else { unicast };
    let identified = plain + ADD_PATH;
    let count = u16::try_from(paths.len()).map_err(|_| TooLarge)?;
    record(buf, seconds, TABLE_DUMP_V2, if with_ids { identified } else { plain }, |buf| {
        buf.put_u32(sequence);
        put_prefix(buf, prefix);
        buf.put_u16(count);
        for path in paths {
            buf.put_u16(path.peer);
            buf.put_u32(path.originated);
            if with_ids {
                buf.put_u32(path.path_id);
            }
            let place = buf.len();
            buf.put_u16(0);
            put_attributes(buf, path.attrs, family);
            let len = u16::try_from(buf.len() - place - 2).map_err(|_| TooLarge)?;
            patch(buf, place, &len.to_be_bytes());
        }
        Ok(())
    })
}

/// A message as it was received, header included.
pub fn message(
    buf: &mut BytesMut,
    stamp: Stamp,
    ends: &Ends,
    reading: Reading,
    kind: u8,
    body: &[u8],
) -> Result<(), TooLarge> {
    let subtype = match (reading.four_octet, reading.add_path) {
        (true, false) => MESSAGE_AS4,
        (true, true) => MESSAGE_AS4_ADDPATH,
        (false, false) => MESSAGE,
        (false, true) => MESSAGE_ADDPATH,
    };
    let len = u16::try_from(body.len() + crate::header::HEADER_LEN).map_err(|_| TooLarge)?;
    stamped(buf, stamp, subtype, |buf| {
        put_ends(buf, ends, reading.four_octet);
        buf.put_slice(&[0xff; 16]);
        buf.put_u16(len);
        buf.put_u8(kind);
        buf.put_slice(body);
        Ok(())
    })
}

/// A change of a session's state; the numbers are those of RFC 6396 §4.4.1, Idle being 1 and Established 6.
pub fn state_change(
    buf: &mut BytesMut,
    stamp: Stamp,
    ends: &Ends,
    old: u16,
    new: u16,
) -> Result<(), TooLarge> {
    stamped(buf, stamp, STATE_CHANGE_AS4, |buf| {
        put_ends(buf, ends, true);
        buf.put_u16(old);
        buf.put_u16(new);
        Ok(())
    })
}

fn stamped(
    buf: &mut BytesMut,
    stamp: Stamp,
    subtype: u16,
    body: impl FnOnce(&mut BytesMut) -> Result<(), TooLarge>,
) -> Result<(), TooLarge> {
    let seconds = stamp.time.as_secs() as u32;
    if !stamp.extended {
        return record(buf, seconds, BGP4MP, subtype, body);
    }
    record(buf, seconds, BGP4MP_ET, subtype, |buf| {
        buf.put_u32(stamp.time.subsec_micros());
        body(buf)
    })
}

/// Writes the header, the body, and the length once it is known. A body that fails leaves nothing behind.
fn record(
    buf: &mut BytesMut,
    seconds: u32,
    kind: u16,
    subtype: u16,
    body: impl FnOnce(&mut BytesMut) -> Result<(), TooLarge>,
) -> Result<(), TooLarge> {
    let start = buf.len();
    buf.put_u32(seconds);
    buf.put_u16(kind);
    buf.put_u16(subtype);
    let place = buf.len();
    buf.put_u32(0);
    let done = body(buf).and_then(|()| u32::try_from(buf.len() - place - 4).map_err(|_| TooLarge));
    match done {
        Ok(len) => {
            patch(buf, place, &len.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            buf.truncate(start);
            Err(error)
        }
    }
}

fn patch(buf: &mut BytesMut, place: usize, octets: &[u8]) {
    if let Some(field) = buf.get_mut(place..place + octets.len()) {
        field.copy_from_slice(octets);
    }
}

/// In a table dump AS numbers have four octets, and of MP_REACH_NLRI only the next hop is written (RFC 6396 §4.3.4).
fn put_attributes(buf: &mut BytesMut, attrs: &Attributes, family: Family) {
    let context = EncodeContext { four_octet: true, add_path: FamilySet::EMPTY, max_len: usize::MAX };
    encode_attributes(buf, attrs, family, &context);
    if uses_mp_reach(family, attrs.next_hop) {
        let mut value = BytesMut::new();
        encode_next_hop(&mut value, attrs.next_hop);
        buf.put_slice(&[crate::attr::flags::OPTIONAL, AttrCode::MP_REACH_NLRI.0, value.len() as u8]);
        buf.put_slice(&value);
    }
}

fn put_prefix(buf: &mut BytesMut, prefix: Prefix) {
    let octets = match prefix.addr() {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    };
    buf.put_u8(prefix.len());
    let used = usize::from(prefix.len()).div_ceil(8);
    buf.put_slice(octets.get(..used).unwrap_or(&octets));
}

fn put_ends(buf: &mut BytesMut, ends: &Ends, four_octet: bool) {
    for asn in [ends.remote_as, ends.local_as] {
        if four_octet {
            buf.put_u32(asn.0);
        } else {
            buf.put_u16(u16::try_from(asn.0).unwrap_or(Asn::TRANS.0 as u16));
        }
    }
    buf.put_u16(ends.ifindex);
    let afi = if ends.remote.is_ipv6() { Afi::Ipv6 } else { Afi::Ipv4 };
    buf.put_u16(if afi == Afi::Ipv6 { 2 } else { 1 });
    put_addr(buf, ends.remote);
    // Both addresses are of one family; a local one that is not known yet is written as none.
    match (ends.remote.is_ipv6(), ends.local.is_ipv6()) {
        (true, true) | (false, false) => put_addr(buf, ends.local),
        (true, false) => put_addr(buf, std::net::Ipv6Addr::UNSPECIFIED.into()),
        (false, true) => put_addr(buf, Ipv4Addr::UNSPECIFIED.into()),
    }
}

fn put_addr(buf: &mut BytesMut, addr: IpAddr) {
    match addr {
        IpAddr::V4(addr) => buf.put_slice(&addr.octets()),
        IpAddr::V6(addr) => buf.put_slice(&addr.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::{AsPath, NextHop, Origin};

    fn attributes(next_hop: NextHop) -> Attributes {
        Attributes {
            origin: Origin::Igp,
            atomic_aggregate: false,
            as_path: AsPath::default(),
            next_hop,
            med: None,
            local_pref: None,
            communities: Box::default(),
            large_communities: Box::default(),
            ext_communities: Box::default(),
            rare: None,
        }
    }

    fn plain() -> Attributes {
        attributes(NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)))
    }

    fn of_unicast(prefix: &str) -> (Safi, Prefix) {
        (Safi::Unicast, prefix.parse().unwrap())
    }

    fn header(buf: &[u8]) -> (u32, u16, u16, usize) {
        let word = |at: usize| u32::from_be_bytes(buf[at..at + 4].try_into().unwrap());
        let half = |at: usize| u16::from_be_bytes(buf[at..at + 2].try_into().unwrap());
        (word(0), half(4), half(6), word(8) as usize)
    }

    #[test]
    fn the_index_lists_peers_in_order() {
        let mut buf = BytesMut::new();
        let peers = [
            IndexedPeer {
                id: RouterId(Ipv4Addr::new(1, 1, 1, 1)),
                addr: "192.0.2.1".parse().unwrap(),
                asn: Asn(65001),
            },
            IndexedPeer {
                id: RouterId(Ipv4Addr::new(2, 2, 2, 2)),
                addr: "2001:db8::1".parse().unwrap(),
                asn: Asn(70000),
            },
        ];
        peer_index(&mut buf, 7, RouterId(Ipv4Addr::new(9, 9, 9, 9)), "main", &peers).unwrap();
        let (seconds, kind, subtype, len) = header(&buf);
        assert_eq!((seconds, kind, subtype, len + 12), (7, 13, 1, buf.len()));
        assert_eq!(&buf[12..16], [9, 9, 9, 9]);
        assert_eq!(&buf[16..22], [0, 4, b'm', b'a', b'i', b'n']);
        assert_eq!(&buf[22..24], [0, 2]);
        assert_eq!(&buf[24..29], [2, 1, 1, 1, 1]);
        assert_eq!(buf[37], 3, "the second peer: IPv6, four octets");
        assert_eq!(&buf[buf.len() - 4..], 70000u32.to_be_bytes());
    }

    #[test]
    fn a_prefix_of_ipv6_has_its_next_hop_in_short_form() {
        let attrs = attributes(NextHop::V6 { global: "2001:db8::9".parse().unwrap(), link_local: None });
        let mut buf = BytesMut::new();
        let entry = RibEntry { peer: 1, originated: 5, path_id: 0, attrs: &attrs };
        rib(&mut buf, 7, 3, of_unicast("2001:db8::/32"), &[entry]).unwrap();
        let (_, kind, subtype, len) = header(&buf);
        assert_eq!((kind, subtype, len + 12), (13, 4, buf.len()));
        assert_eq!(&buf[12..21], [0, 0, 0, 3, 32, 0x20, 0x01, 0x0d, 0xb8]);
        let tail = &buf[buf.len() - 20..];
        assert_eq!(&tail[..4], [0x80, 14, 17, 16]);
    }

    #[test]
    fn identifiers_change_the_subtype() {
        let attrs = plain();
        let mut buf = BytesMut::new();
        let entries = [0, 4].map(|path_id| RibEntry { peer: 0, originated: 0, path_id, attrs: &attrs });
        rib(&mut buf, 7, 0, of_unicast("192.0.2.0/24"), &entries).unwrap();
        assert_eq!(header(&buf).2, 8);
    }

    #[test]
    fn multicast_has_subtypes_of_its_own() {
        let global = NextHop::V6 { global: "2001:db8::9".parse().unwrap(), link_local: None };
        let subtype = |prefix: &str, next_hop, path_id| {
            let attrs = attributes(next_hop);
            let entry = RibEntry { peer: 0, originated: 0, path_id, attrs: &attrs };
            let mut buf = BytesMut::new();
            rib(&mut buf, 7, 0, (Safi::Multicast, prefix.parse().unwrap()), &[entry]).unwrap();
            (header(&buf).2, buf)
        };
        let (v4, octets) = subtype("192.0.2.0/24", plain().next_hop, 0);
        assert_eq!((v4, subtype("192.0.2.0/24", plain().next_hop, 1).0), (3, 9));
        // A next hop of multicast stands in MP_REACH_NLRI, in its short form.
        assert_eq!(&octets[octets.len() - 8..], [0x80, 14, 5, 4, 192, 0, 2, 1]);
        assert_eq!((subtype("2001:db8::/32", global, 0).0, subtype("2001:db8::/32", global, 1).0), (5, 11));
    }

    #[test]
    fn messages_carry_their_ends_and_the_microseconds_on_demand() {
        let ends = Ends {
            remote_as: Asn(65001),
            local_as: Asn(65002),
            ifindex: 0,
            remote: "192.0.2.1".parse().unwrap(),
            local: "192.0.2.2".parse().unwrap(),
        };
        let stamp = Stamp { time: Duration::from_micros(7_000_009), extended: true };
        let mut buf = BytesMut::new();
        message(&mut buf, stamp, &ends, Reading { four_octet: true, add_path: false }, 4, &[]).unwrap();
        let (seconds, kind, subtype, len) = header(&buf);
        assert_eq!((seconds, kind, subtype, len + 12), (7, 17, 4, buf.len()));
        assert_eq!(&buf[12..16], 9u32.to_be_bytes());
        assert_eq!(&buf[buf.len() - 3..], [0, 19, 4]);
        let mut buf = BytesMut::new();
        state_change(&mut buf, Stamp { extended: false, ..stamp }, &ends, 1, 6).unwrap();
        assert_eq!(header(&buf), (7, 16, 5, buf.len() - 12));
        assert_eq!(&buf[buf.len() - 4..], [0, 1, 0, 6]);
    }

    #[test]
    fn what_does_not_fit_leaves_nothing_behind() {
        let attrs = plain();
        let entry = RibEntry { peer: 0, originated: 0, path_id: 0, attrs: &attrs };
        let mut buf = BytesMut::new();
        let many = vec![entry; 70_000];
        assert_eq!(rib(&mut buf, 0, 0, of_unicast("192.0.2.0/24"), &many), Err(TooLarge));
        assert!(buf.is_empty());
    }
}
