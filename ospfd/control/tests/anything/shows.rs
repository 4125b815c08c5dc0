//! A database of LSAs that say anything, well sealed, from a neighbour; then every show, in text and JSON, while every line of
//! debugging is written. Octets in, from a test or the fuzzer: for each LSA its type, who says so, an ID, a length, the body.

use std::net::Ipv4Addr;

use ferrite_ospf_control::Event;
use ferrite_ospf_control::packet::auth::Sign;
use ferrite_ospf_control::packet::codec::{Codec, Origin};
use ferrite_ospf_control::packet::{
    AreaId, Body, Endpoints, LsId, LsType, Lsa, LsaHeader, LsaKey, Options, Sequence, V2, V3,
};
use ferrite_types::ids::RouterId;

use super::asked::prepared;
use super::pair::{LINK, Pair, address};

const TYPES_V2: [u16; 9] = [1, 2, 3, 4, 5, 7, 9, 10, 11];
const TYPES_V3: [u16; 11] =
    [0x2001, 0x2002, 0x2003, 0x2004, 0x4005, 0x2007, 0x0008, 0x2009, 0x000b, 0xa00c, 0x2fff];
/// LSAs of one input.
const MOST: usize = 24;

/// The neighbour, another router far away, and ourselves.
fn speaker(octet: u8) -> RouterId {
    match octet % 3 {
        0 => RouterId(Ipv4Addr::new(2, 2, 2, 2)),
        1 => RouterId(Ipv4Addr::new(9, 9, 9, 9)),
        _ => RouterId(Ipv4Addr::new(1, 1, 1, 1)),
    }
}

fn lsa<C: Codec>(types: &[u16], head: [u8; 8], body: &[u8]) -> Option<Lsa> {
    let [kind, by, sequence, options, id @ ..] = head;
    let ty = LsType(*types.get(usize::from(kind) % types.len())?);
    let key = LsaKey { ty, id: LsId(u32::from_be_bytes(id)), adv: speaker(by) };
    let header = LsaHeader {
        // Now and then one that is to be flushed.
        age: if by >= 250 { 3600 } else { 1 },
        options: Options(u32::from(options)),
        key,
        sequence: Sequence(0x0100_0000 + i32::from(sequence)),
        checksum: 0,
        length: 0,
    };
    Lsa::build::<C>(header, body)
}

fn update<C: Codec>(pair: &mut Pair, version: u8, lsa: Lsa) {
    let origin = Origin { router: speaker(0), area: AreaId::BACKBONE, instance: 0 };
    let (source, destination) = (address(version, 2), address(version, 1));
    let body = Body::LinkStateUpdate(vec![lsa]);
    let octets = C::seal(&origin, &body, &Sign::None, Endpoints { source, destination });
    pair.feed(0, Event::Received { version, ifindex: LINK, source, destination, octets });
}

/// How many octets were printed.
pub fn run(mut octets: &[u8]) -> usize {
    let (prepared, _) = prepared();
    let mut pair = Pair::new(prepared);
    for _ in 0..MOST {
        let Some((head, rest)) = octets.split_first_chunk::<9>() else { break };
        let [kind, by, sequence, options, id0, id1, id2, id3, len] = *head;
        let (body, rest) = rest.split_at(usize::from(len).min(rest.len()));
        octets = rest;
        let head = [kind & 0x7f, by, sequence, options, id0, id1, id2, id3];
        if kind & 0x80 == 0 {
            if let Some(lsa) = lsa::<V2>(&TYPES_V2, head, body) {
                update::<V2>(&mut pair, 2, lsa);
            }
        } else if let Some(lsa) = lsa::<V3>(&TYPES_V3, head, body) {
            update::<V3>(&mut pair, 3, lsa);
        }
    }
    let printed = pair.shows(0, prepared);
    // What came of it is computed, answered and aged.
    pair.run(12);
    printed + pair.shows(0, prepared) + pair.shows(1, prepared)
}
