//! UPDATE messages out of encoded attributes and prefixes: as many prefixes as fit, many messages in one buffer.
//!
//! ```text
//! IPv4 unicast:  | marker 16 | len 2 | 2 | 0 0 | attr len 2 | attributes | NLRI … |
//! others:        | marker 16 | len 2 | 2 | 0 0 | attr len 2 | MP_REACH_NLRI(afi safi nexthop 0 NLRI …) | attributes |
//! withdraw:      the withdrawn field, or MP_UNREACH_NLRI(afi safi NLRI …)
//! ```

use bgp_packet::Family;
use bytes::{BufMut, BytesMut};

use super::table::Key;

/// Header, withdrawn length, attribute length.
const FIXED: usize = 19 + 2 + 2;
/// Attribute header with extended length; AFI and SAFI.
const MP_FIXED: usize = 4 + 3;

/// A prefix as it is sent: with the identifier of its path where the session has identifiers, else zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Named<P> {
    pub path_id: u32,
    pub prefix: P,
}

/// How prefixes of a family are sent to a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packing {
    pub family: Family,
    /// Prefixes go behind path identifiers (RFC 7911 §3).
    pub add_path: bool,
    /// Octets of the largest message.
    pub max: usize,
}

#[inline]
fn put_prefix<P: Key>(buf: &mut BytesMut, add_path: bool, Named { path_id, prefix }: Named<P>) {
    if add_path {
        buf.put_u32(path_id);
    }
    let len = prefix.length();
    let octets = prefix.octets();
    buf.put_u8(len);
    buf.put_slice(octets.get(..usize::from(len).div_ceil(8)).unwrap_or_default());
}

#[inline]
fn prefix_octets<P: Key>(add_path: bool, prefix: P) -> usize {
    1 + usize::from(prefix.length()).div_ceil(8) + if add_path { 4 } else { 0 }
}

/// Fills in a two-octet length written as zero before.
fn patch(buf: &mut BytesMut, at: usize, value: usize) {
    if let Some(place) = buf.get_mut(at..at + 2) {
        place.copy_from_slice(&(value as u16).to_be_bytes());
    }
}

fn open_message(buf: &mut BytesMut) -> usize {
    let start = buf.len();
    buf.put_slice(&[0xff; 16]);
    buf.put_u16(0);
    buf.put_u8(2);
    start
}

fn close_message(buf: &mut BytesMut, start: usize) {
    let len = buf.len() - start;
    patch(buf, start + 16, len);
}

impl Packing {
    fn plain(self, nexthop: &[u8]) -> bool {
        self.family == Family::IPV4_UNICAST && nexthop.is_empty()
    }

    /// How many of the prefixes fit in `room` octets.
    fn fitting<P: Key>(self, prefixes: &[Named<P>], room: usize) -> usize {
        let mut used = 0;
        prefixes
            .iter()
            .take_while(|named| {
                used += prefix_octets(self.add_path, named.prefix);
                used <= room
            })
            .count()
    }

    fn put_prefixes<P: Key>(self, buf: &mut BytesMut, prefixes: &[Named<P>]) {
        for named in prefixes {
            put_prefix(buf, self.add_path, *named);
        }
    }

    fn octets<P: Key>(self, prefixes: &[Named<P>]) -> usize {
        prefixes.iter().map(|named| prefix_octets(self.add_path, named.prefix)).sum()
    }

    /// Whether a message with these attributes and the longest prefix fits.
    pub fn fits(self, attrs: &[u8], nexthop: &[u8]) -> bool {
        let mp = if self.plain(nexthop) { 0 } else { MP_FIXED + nexthop.len() + 1 };
        FIXED + attrs.len() + mp + 17 + if self.add_path { 4 } else { 0 } <= self.max
    }

    /// Appends messages that announce `prefixes`; returns how many. `nexthop` is MP_REACH_NLRI's field with its length
    /// octet, empty where NEXT_HOP is among the attributes.
    pub fn announce<P: Key>(
        self,
        buf: &mut BytesMut,
        attrs: &[u8],
        nexthop: &[u8],
        prefixes: &[Named<P>],
    ) -> u32 {
        let plain = self.plain(nexthop);
        let fixed = if plain { FIXED } else { FIXED + MP_FIXED + nexthop.len() + 1 };
        let room = self.max.saturating_sub(fixed + attrs.len());
        let (mut rest, mut messages) = (prefixes, 0);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.fitting(rest, room).clamp(1, rest.len()));
            rest = later;
            messages += 1;
            let start = open_message(buf);
            buf.put_u16(0);
            if plain {
                buf.put_u16(attrs.len() as u16);
                buf.put_slice(attrs);
                self.put_prefixes(buf, now);
            } else {
                let nlri = self.octets(now);
                let value = 3 + nexthop.len() + 1 + nlri;
                buf.put_u16((4 + value + attrs.len()) as u16);
                self.open_mp(buf, 14, value);
                buf.put_slice(nexthop);
                buf.put_u8(0);
                self.put_prefixes(buf, now);
                buf.put_slice(attrs);
            }
            close_message(buf, start);
        }
        messages
    }

    /// Appends messages that withdraw `prefixes`; returns how many.
    pub fn withdraw<P: Key>(self, buf: &mut BytesMut, prefixes: &[Named<P>]) -> u32 {
        let plain = self.plain(&[]);
        let room = self.max - if plain { FIXED } else { FIXED + MP_FIXED };
        let (mut rest, mut messages) = (prefixes, 0);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.fitting(rest, room).clamp(1, rest.len()));
            rest = later;
            messages += 1;
            let start = open_message(buf);
            let nlri = self.octets(now);
            if plain {
                buf.put_u16(nlri as u16);
                self.put_prefixes(buf, now);
                buf.put_u16(0);
            } else {
                buf.put_u16(0);
                buf.put_u16((4 + 3 + nlri) as u16);
                self.open_mp(buf, 15, 3 + nlri);
                self.put_prefixes(buf, now);
            }
            close_message(buf, start);
        }
        messages
    }

    /// Header of MP_REACH_NLRI or MP_UNREACH_NLRI (optional, extended length), AFI and SAFI.
    fn open_mp(self, buf: &mut BytesMut, code: u8, len: usize) {
        buf.put_slice(&[0x90, code]);
        buf.put_u16(len as u16);
        buf.put_u16(self.family.afi.code());
        buf.put_u8(self.family.safi.code());
    }
}
