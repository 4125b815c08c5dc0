//! BMP messages and MRT records of whatever was received: each is as long as it says, and holds the message it is about.
#![no_main]

use std::net::IpAddr;
use std::time::Duration;

use bgp_packet::attr::{DecodeContext, SessionKind};
use bgp_packet::bmp::{self, Down, PeerHeader, Rib};
use bgp_packet::mrt::{self, Ends, Reading, RibEntry, Stamp};
use bgp_packet::update::{self, AttributeCache};
use bytes::{Bytes, BytesMut};
use ferrite_types::{Asn, RouterId};
use libfuzzer_sys::fuzz_target;

/// The common header of BMP, and the peer's.
const COMMON: usize = 6;
const PER_PEER: usize = 42;
/// The header of an MRT record.
const RECORD: usize = 12;

fn bmp_messages(peer: &PeerHeader, octets: &[u8], text: &str) {
    let mut buf = BytesMut::new();
    bmp::initiation(&mut buf, text, text);
    bmp::peer_up(&mut buf, peer, IpAddr::from([10, 0, 0, 1]), (179, 1), (octets, octets), &[(0, text)]);
    bmp::route_monitoring(&mut buf, peer, octets);
    bmp::route_mirroring(&mut buf, peer, octets.get(..octets.len().min(65_535)).unwrap_or_default());
    for down in [Down::LocalNotification(octets.to_vec()), Down::RemoteNotification(octets.to_vec()), Down::LocRib] {
        bmp::peer_down(&mut buf, peer, &down);
    }
    let mut rest = &buf[..];
    let mut count = 0;
    while let Some(&[version, a, b, c, d, kind]) = rest.first_chunk::<COMMON>() {
        assert_eq!(version, 3);
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let message = rest.get(..length).expect("a message is as long as it says");
        if kind == 0 {
            assert_eq!(&message[COMMON + PER_PEER..], octets);
        }
        rest = &rest[length..];
        count += 1;
    }
    assert!(rest.is_empty() && count == 7, "{count} messages, {} octets left", rest.len());
}

fn mrt_records(addr: IpAddr, body: &[u8]) {
    let ends = Ends { remote_as: Asn(65_001), local_as: Asn(65_002), ifindex: 1, remote: addr, local: addr };
    let mut buf = BytesMut::new();
    for extended in [false, true] {
        let stamp = Stamp { time: Duration::from_micros(1_700_000_000_000_001), extended };
        for four_octet in [false, true] {
            let before = buf.len();
            let reading = Reading { four_octet, add_path: extended };
            if mrt::message(&mut buf, stamp, &ends, reading, 2, body).is_err() {
                assert_eq!(buf.len(), before, "a record given up leaves nothing behind");
            }
        }
    }
    let context = DecodeContext::new(SessionKind::External);
    if let Ok(update) = update::decode(&Bytes::copy_from_slice(body), &context, &mut AttributeCache::default()) {
        for announced in &update.announced {
            let attrs = &announced.attrs;
            for entry in announced.nlri.iter() {
                let path = |path_id| RibEntry { peer: 0, originated: 0, path_id, attrs };
                let before = buf.len();
                if mrt::rib(&mut buf, 0, 0, (announced.nlri.family().safi, entry.prefix), &[path(0), path(7)]).is_err() {
                    assert_eq!(buf.len(), before, "a record given up leaves nothing behind");
                }
            }
        }
    }
    let mut rest = &buf[..];
    while let Some(&[.., a, b, c, d]) = rest.first_chunk::<RECORD>() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        rest = rest.get(RECORD + length..).expect("a record is as long as it says");
    }
    assert!(rest.is_empty());
}

fuzz_target!(|octets: &[u8]| {
    let Some((&head, body)) = octets.split_first() else { return };
    let addr = if head & 1 == 0 { IpAddr::from([10, 0, 0, 2]) } else { IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 2]) };
    let peer = PeerHeader {
        rib: [Rib::InPre, Rib::InPost, Rib::Loc, Rib::OutPre, Rib::OutPost][usize::from(head >> 1) % 5],
        addr: (head & 2 == 0).then_some(addr),
        asn: Asn(65_001),
        id: RouterId([10, 0, 0, 2].into()),
        distinguisher: 0,
        two_octet: head & 4 == 0,
        time: Duration::from_secs(1),
    };
    bmp_messages(&peer, body, &String::from_utf8_lossy(body));
    mrt_records(addr, body);
});
