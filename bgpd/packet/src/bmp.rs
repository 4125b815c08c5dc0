//! BMP messages, written (RFC 7854; adj-RIB-out by RFC 8671, Loc-RIB by RFC 9069).
//!
//! Every function appends one whole message: the common header (version 3, length, type), for most the per-peer header of 42
//! octets, then the body. What is monitored travels as real UPDATE PDUs.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use ferrite_types::{Asn, RouterId};

const VERSION: u8 = 3;
const ROUTE_MONITORING: u8 = 0;
const STATISTICS: u8 = 1;
const PEER_DOWN: u8 = 2;
const PEER_UP: u8 = 3;
const INITIATION: u8 = 4;
const TERMINATION: u8 = 5;
const ROUTE_MIRRORING: u8 = 6;

/// Largest text of an information TLV.
const MAX_TEXT: usize = 4096;

/// Which table a message is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rib {
    InPre,
    InPost,
    Loc,
    OutPre,
    OutPost,
}

/// What stands in the per-peer header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerHeader {
    pub rib: Rib,
    /// None: the speaker itself (Loc-RIB).
    pub addr: Option<IpAddr>,
    pub asn: Asn,
    pub id: RouterId,
    /// Of the instance: zero for the default one.
    pub distinguisher: u64,
    /// AS numbers of the UPDATE have two octets.
    pub two_octet: bool,
    /// Since 1970.
    pub time: Duration,
}

/// Why a session ended (RFC 7854 §4.9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Down {
    /// The NOTIFICATION that we sent, whole.
    LocalNotification(Vec<u8>),
    /// Without one: the event of the FSM.
    Local(u16),
    RemoteNotification(Vec<u8>),
    Remote,
    /// It is no longer monitored.
    Deconfigured,
    /// The table itself is gone (RFC 9069 §4.6).
    LocRib,
}

/// A gauge or counter of a statistics report (RFC 7854 §4.8, RFC 8671 §6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Statistic {
    /// Counted in 32 bits.
    Counter(u16, u32),
    /// 64 bits.
    Gauge(u16, u64),
    /// 64 bits of one family.
    FamilyGauge(u16, crate::Family, u64),
}

pub mod statistic {
    pub const REJECTED: u16 = 0;
    pub const DUPLICATE_PREFIX: u16 = 1;
    pub const CLUSTER_LOOP: u16 = 3;
    pub const AS_LOOP: u16 = 4;
    pub const ORIGINATOR_LOOP: u16 = 5;
    pub const ADJ_IN: u16 = 7;
    pub const LOC_RIB: u16 = 8;
    pub const ADJ_IN_OF_FAMILY: u16 = 9;
    pub const LOC_RIB_OF_FAMILY: u16 = 10;
    pub const TREATED_AS_WITHDRAW: u16 = 11;
    pub const ADJ_OUT_POST: u16 = 15;
}

/// A table's UPDATE, header included.
pub fn route_monitoring(buf: &mut BytesMut, peer: &PeerHeader, update: &[u8]) {
    message(buf, ROUTE_MONITORING, |buf| {
        put_peer(buf, peer);
        buf.put_slice(update);
    });
}

/// A message as it was received.
pub fn route_mirroring(buf: &mut BytesMut, peer: &PeerHeader, pdu: &[u8]) {
    message(buf, ROUTE_MIRRORING, |buf| {
        put_peer(buf, peer);
        put_tlv(buf, 0, pdu);
    });
}

/// Messages were left out of what is mirrored (RFC 7854 §4.7: information, code 1).
pub fn mirroring_lost(buf: &mut BytesMut, peer: &PeerHeader) {
    message(buf, ROUTE_MIRRORING, |buf| {
        put_peer(buf, peer);
        put_tlv(buf, 1, &1_u16.to_be_bytes());
    });
}

/// A session is up: our address, both ports, both OPENs whole.
pub fn peer_up(
    buf: &mut BytesMut,
    peer: &PeerHeader,
    local: IpAddr,
    ports: (u16, u16),
    opens: (&[u8], &[u8]),
    information: &[(u16, &str)],
) {
    message(buf, PEER_UP, |buf| {
        put_peer(buf, peer);
        put_addr(buf, Some(local));
        buf.put_u16(ports.0);
        buf.put_u16(ports.1);
        buf.put_slice(opens.0);
        buf.put_slice(opens.1);
        for (kind, text) in information {
            put_text(buf, *kind, text);
        }
    });
}

pub fn peer_down(buf: &mut BytesMut, peer: &PeerHeader, why: &Down) {
    message(buf, PEER_DOWN, |buf| {
        put_peer(buf, peer);
        match why {
            Down::LocalNotification(pdu) => {
                buf.put_u8(1);
                buf.put_slice(pdu);
            }
            Down::Local(event) => {
                buf.put_u8(2);
                buf.put_u16(*event);
            }
            Down::RemoteNotification(pdu) => {
                buf.put_u8(3);
                buf.put_slice(pdu);
            }
            Down::Remote => buf.put_u8(4),
            Down::Deconfigured => buf.put_u8(5),
            Down::LocRib => buf.put_u8(6),
        }
    });
}

pub fn statistics(buf: &mut BytesMut, peer: &PeerHeader, values: &[Statistic]) {
    message(buf, STATISTICS, |buf| {
        put_peer(buf, peer);
        buf.put_u32(values.len() as u32);
        for value in values {
            match *value {
                Statistic::Counter(kind, count) => put_tlv(buf, kind, &count.to_be_bytes()),
                Statistic::Gauge(kind, count) => put_tlv(buf, kind, &count.to_be_bytes()),
                Statistic::FamilyGauge(kind, family, count) => {
                    let mut octets = [0; 11];
                    octets[..2].copy_from_slice(&family.afi.code().to_be_bytes());
                    octets[2] = family.safi.code();
                    octets[3..].copy_from_slice(&count.to_be_bytes());
                    put_tlv(buf, kind, &octets);
                }
            }
        }
    });
}

/// The first message: who we are.
pub fn initiation(buf: &mut BytesMut, description: &str, name: &str) {
    message(buf, INITIATION, |buf| {
        put_text(buf, 1, description);
        put_text(buf, 2, name);
    });
}

/// Reasons of the last message (RFC 7854 §4.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Termination {
    Administrative = 0,
    Unspecified = 1,
    OutOfResources = 2,
}

pub fn termination(buf: &mut BytesMut, why: Termination) {
    message(buf, TERMINATION, |buf| put_tlv(buf, 1, &(why as u16).to_be_bytes()));
}

fn message(buf: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut)) {
    let start = buf.len();
    buf.put_u8(VERSION);
    buf.put_u32(0);
    buf.put_u8(kind);
    body(buf);
    // A message holds one PDU or a handful of short values, so the length always fits.
    let len = (buf.len() - start) as u32;
    if let Some(field) = buf.get_mut(start + 1..start + 5) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}

fn put_peer(buf: &mut BytesMut, peer: &PeerHeader) {
    // A local instance, for the distinguisher is no route distinguisher (RFC 7854 §4.2).
    let local = if peer.distinguisher == 0 { 0 } else { 2 };
    let kind = if peer.rib == Rib::Loc { 3 } else { local };
    let mut flags = 0;
    if peer.rib != Rib::Loc {
        if peer.addr.is_some_and(|addr| addr.is_ipv6()) {
            flags |= 0x80;
        }
        if matches!(peer.rib, Rib::InPost | Rib::OutPost) {
            flags |= 0x40;
        }
        if peer.two_octet {
            flags |= 0x20;
        }
        if matches!(peer.rib, Rib::OutPre | Rib::OutPost) {
            flags |= 0x10;
        }
    }
    buf.put_u8(kind);
    buf.put_u8(flags);
    buf.put_u64(peer.distinguisher);
    put_addr(buf, peer.addr);
    buf.put_u32(peer.asn.0);
    buf.put_slice(&peer.id.0.octets());
    buf.put_u32(peer.time.as_secs() as u32);
    buf.put_u32(peer.time.subsec_micros());
}

/// Sixteen octets; an IPv4 address stands in the last four.
fn put_addr(buf: &mut BytesMut, addr: Option<IpAddr>) {
    match addr {
        Some(IpAddr::V6(addr)) => buf.put_slice(&addr.octets()),
        Some(IpAddr::V4(addr)) => {
            buf.put_slice(&[0; 12]);
            buf.put_slice(&addr.octets());
        }
        None => buf.put_slice(&[0; 16]),
    }
}

fn put_tlv(buf: &mut BytesMut, kind: u16, value: &[u8]) {
    let Ok(len) = u16::try_from(value.len()) else { return };
    buf.put_u16(kind);
    buf.put_u16(len);
    buf.put_slice(value);
}

/// Text of any length, cut where it is too long; never inside a character.
fn put_text(buf: &mut BytesMut, kind: u16, text: &str) {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    put_tlv(buf, kind, text.get(..end).unwrap_or_default().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(rib: Rib) -> PeerHeader {
        PeerHeader {
            rib,
            addr: Some("192.0.2.1".parse().unwrap()),
            asn: Asn(65001),
            id: RouterId("1.2.3.4".parse().unwrap()),
            distinguisher: 0,
            two_octet: false,
            time: Duration::from_micros(5_000_007),
        }
    }

    #[test]
    fn the_header_of_a_peer_has_42_octets_and_says_which_table() {
        let mut buf = BytesMut::new();
        route_monitoring(&mut buf, &peer(Rib::OutPost), &[0xaa]);
        assert_eq!(buf.len(), 6 + 42 + 1);
        assert_eq!(&buf[..8], [3, 0, 0, 0, 49, 0, 0, 0x50]);
        assert_eq!(&buf[28..32], [192, 0, 2, 1]);
        assert_eq!(&buf[40..48], [0, 0, 0, 5, 0, 0, 0, 7]);
        for (rib, kind, flags) in
            [(Rib::InPre, 0, 0), (Rib::InPost, 0, 0x40), (Rib::Loc, 3, 0), (Rib::OutPre, 0, 0x10)]
        {
            let mut buf = BytesMut::new();
            route_monitoring(&mut buf, &peer(rib), &[]);
            assert_eq!((buf[6], buf[7]), (kind, flags), "{rib:?}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let mut buf = BytesMut::new();
        initiation(&mut buf, &"ä".repeat(4000), "r1");
        let len = usize::from(u16::from_be_bytes([buf[8], buf[9]]));
        assert_eq!(len, 4096);
        assert_eq!(u32::from_be_bytes(buf[1..5].try_into().unwrap()) as usize, buf.len());
        assert_eq!(&buf[buf.len() - 6..], [0, 2, 0, 2, b'r', b'1']);
    }

    #[test]
    fn reasons_and_statistics_are_laid_out_as_the_rfc_says() {
        let mut buf = BytesMut::new();
        peer_down(&mut buf, &peer(Rib::InPre), &Down::Local(2));
        assert_eq!(&buf[48..], [2, 0, 2]);
        let mut buf = BytesMut::new();
        statistics(&mut buf, &peer(Rib::InPre), &[Statistic::Counter(4, 9), Statistic::Gauge(7, 1)]);
        assert_eq!(&buf[48..60], [0, 0, 0, 2, 0, 4, 0, 4, 0, 0, 0, 9]);
        let mut buf = BytesMut::new();
        termination(&mut buf, Termination::OutOfResources);
        assert_eq!(&buf[..], [3, 0, 0, 0, 12, 5, 0, 1, 0, 2, 0, 2]);
    }
}
