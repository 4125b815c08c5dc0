//! A database of LSAs that say anything, well sealed, from a neighbour; then every show, in text and JSON, while every line of
//! debugging is written. Octets in, from a test or the fuzzer: for each LSA its type, who says so, an ID, a length, the body.

use std::net::Ipv4Addr;
use std::sync::OnceLock;

use ferrite_ospf_control::Event;
use ferrite_ospf_control::packet::auth::Sign;
use ferrite_ospf_control::packet::codec::{Codec, Origin};
use ferrite_ospf_control::packet::{
    AreaId, Body, Endpoints, LsId, LsType, Lsa, LsaHeader, LsaKey, Options, Sequence, V2, V3,
};
use ferrite_types::ids::RouterId;

use super::pair::{LINK, Pair, Prepared, address};

const TYPES_V2: [u16; 9] = [1, 2, 3, 4, 5, 7, 9, 10, 11];
const TYPES_V3: [u16; 11] =
    [0x2001, 0x2002, 0x2003, 0x2004, 0x4005, 0x2007, 0x0008, 0x2009, 0x000b, 0xa00c, 0x2fff];
/// LSAs of one input.
const MOST: usize = 24;

/// Every show that reads the database, or what is made of it.
pub fn lines() -> Vec<String> {
    let v2 = [
        "", "neighbor", "neighbor detail", "interface", "interface traffic", "route", "route detail", "border-routers",
        "database", "database detail", "database max-age", "database self-originate", "summary-address",
        "graceful-restart helper detail",
    ];
    let kinds = [
        "router", "network", "summary", "asbr-summary", "external", "nssa-external", "opaque-link", "opaque-area", "opaque-as",
    ];
    let v3 = [
        "", "neighbor", "neighbor detail", "interface", "interface traffic", "route", "route detail", "spf tree",
        "summary-address", "graceful-restart helper detail", "redistribute", "database", "database detail",
        "database dump", "database internal",
    ];
    let kinds3 = [
        "router", "network", "inter-prefix", "inter-router", "as-external", "group-membership", "type-7", "link",
        "intra-prefix",
    ];
    let mut all = Vec::new();
    for json in ["", " json"] {
        all.extend(v2.map(|tail| format!("show ip ospf {tail}{json}")));
        all.extend(kinds.map(|kind| format!("show ip ospf database {kind}{json}")));
        all.extend(v3.map(|tail| format!("show ipv6 ospf6 {tail}{json}")));
        all.extend(kinds3.map(|kind| format!("show ipv6 ospf6 database {kind} detail{json}")));
        all.push(format!("show ip ospf mpls-te database{json}"));
    }
    let only_text = [
        "show ip ospf mpls-te database verbose",
        "show ip ospf reachable-routers",
        "show ip ospf router-info",
        "show ip ospf router-info pce",
        "show ip ospf mpls-te router",
        "show ip ospf mpls-te interface",
        "show ipv6 ospf6 border-routers detail",
        "show ipv6 ospf6 linkstate detail",
        "show ipv6 ospf6 area 0.0.0.0 spf tree",
    ];
    all.extend(only_text.map(str::to_owned));
    all
}

pub fn prepared() -> &'static (Prepared, Vec<String>) {
    static PREPARED: OnceLock<(Prepared, Vec<String>)> = OnceLock::new();
    PREPARED.get_or_init(|| Prepared::new(&lines()))
}

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
