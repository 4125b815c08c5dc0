//! OSPF's rows of the list of known failures, at the level of octets against the running daemon: each packet is dropped, counted by its
//! reason in `show ip ospf interface traffic`, and the adjacency of the neighbour in whose name it came stays. What is well formed and
//! only not understood is flooded and kept. One neighbour sends everything; the counters say which row was refused why.

mod v3;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferrite_ospf_packet::auth::Sign;
use ferrite_ospf_packet::codec::{Codec, Origin};
use ferrite_ospf_packet::packet::DdFlags;
use ferrite_ospf_packet::{
    AreaId, Body, DatabaseDescription, Endpoints, Hello, LsId, LsType, Lsa, LsaHeader, LsaKey, MAX_AGE,
    Options, Refusal, Sequence, V2, opaque, v2,
};
use ferrite_types::ids::RouterId;
use topotests::{Kind, Needs, Result, Router, Tool, ensure, run, wait_until};

use super::speak::{PATIENCE, start};

const R1: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const FEED: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
const FEED_ID: RouterId = RouterId(Ipv4Addr::new(9, 9, 9, 9));
const OWN_ID: RouterId = RouterId(Ipv4Addr::new(1, 1, 1, 1));

const CONFIG: &str = "\
interface eth0
 ip ospf area 0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 8
exit
router ospf
 ospf router-id 1.1.1.1
 capability opaque
exit
";

/// A packet of the neighbour, sealed as it must be.
fn packet(body: &Body) -> Vec<u8> {
    let origin = Origin { router: FEED_ID, area: AreaId::BACKBONE, instance: 0 };
    let ends = Endpoints { source: IpAddr::V4(FEED), destination: IpAddr::V4(R1) };
    V2::seal(&origin, body, &Sign::None, ends).to_vec()
}

/// The same with octets changed, and the checksum made right again.
fn changed(body: &Body, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut octets = packet(body);
    change(&mut octets);
    checksum(&mut octets);
    octets
}

/// The packet's checksum, the eight octets of authentication left out (RFC 2328 §D.4.1).
fn checksum(octets: &mut [u8]) {
    if octets.len() < 24 {
        return;
    }
    octets[12..14].fill(0);
    let counted = octets.iter().enumerate().filter(|(at, _)| !(16..24).contains(at));
    let sum: u32 = counted.map(|(at, octet)| u32::from(*octet) << if at % 2 == 0 { 8 } else { 0 }).sum();
    let mut folded = sum;
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    octets[12..14].copy_from_slice(&(!(folded as u16)).to_be_bytes());
}

fn hello() -> Body {
    Body::Hello(Hello {
        link: 0xffff_ff00,
        hello_interval: 1,
        dead_interval: 8,
        options: Options::E,
        priority: 0,
        designated: Ipv4Addr::UNSPECIFIED,
        backup: Ipv4Addr::UNSPECIFIED,
        neighbors: vec![OWN_ID],
    })
}

fn lsa(ty: LsType, id: u32, sequence: i32, body: &[u8]) -> Lsa {
    let key = LsaKey { ty, id: LsId(id), adv: FEED_ID };
    let header = LsaHeader {
        age: 1,
        options: Options::E.with(Options::O),
        key,
        sequence: Sequence(sequence),
        checksum: 0,
        length: 0,
    };
    Lsa::build::<V2>(header, body).expect("an LSA that fits")
}

fn update(lsa: Lsa) -> Body {
    Body::LinkStateUpdate(vec![lsa])
}

/// Octets of an LSA changed within the update that carries it: header of the packet, number of LSAs, LSA.
fn in_lsa(lsa: Lsa, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    changed(&update(lsa), |octets| change(&mut octets[28..]))
}

/// What a row sends and what comes of it.
struct Row {
    name: &'static str,
    octets: Vec<u8>,
    /// None: taken.
    reason: Option<Refusal>,
}

fn row(name: &'static str, octets: Vec<u8>, reason: Refusal) -> Row {
    Row { name, octets, reason: Some(reason) }
}

fn taken(name: &'static str, octets: Vec<u8>) -> Row {
    Row { name, octets, reason: None }
}

/// An opaque LSA of area scope whose TLVs are of the test's making.
fn odd_opaque(kind: u8, number: u32, tlvs: &[u8]) -> Vec<u8> {
    let id = opaque::ls_id(kind, number).0;
    packet(&update(lsa(v2::ty::OPAQUE_AREA, id, Sequence::INITIAL.0, tlvs)))
}

fn packets() -> Vec<Row> {
    let beginning = |len: usize| packet(&hello())[..len].to_vec();
    vec![
        row("a packet that ends in its header", beginning(12), Refusal::Short),
        row("another version", changed(&hello(), |o| o[0] = 4), Refusal::Version),
        row("an unknown type", changed(&hello(), |o| o[1] = 9), Refusal::Kind),
        row("a length beyond the packet", changed(&hello(), |o| o[2..4].fill(0xff)), Refusal::Length),
        row(
            "a length below the header",
            changed(&hello(), |o| o[2..4].copy_from_slice(&[0, 8])),
            Refusal::Length,
        ),
        row(
            "a wrong checksum",
            {
                let mut octets = packet(&hello());
                octets[13] ^= 0x55;
                octets
            },
            Refusal::Checksum,
        ),
        row("authentication that is not asked for", changed(&hello(), |o| o[15] = 1), Refusal::AuthType),
        row("router ID 0", changed(&hello(), |o| o[4..8].fill(0)), Refusal::RouterIdZero),
        row("our own router ID", changed(&hello(), |o| o[4..8].fill(1)), Refusal::OwnRouterId),
        row("another area", changed(&hello(), |o| o[11] = 7), Refusal::Area),
        row("another hello interval", changed(&hello(), |o| o[29] = 77), Refusal::HelloInterval),
        row("another dead interval", changed(&hello(), |o| o[35] = 77), Refusal::DeadInterval),
        row("another kind of area", changed(&hello(), |o| o[30] = 0), Refusal::Options),
    ]
}

fn lsas() -> Vec<Row> {
    let router = || lsa(v2::ty::ROUTER, FEED_ID.0.to_bits(), Sequence::INITIAL.0 + 900, &[0; 4]);
    let external = |id: u32, body: &[u8]| lsa(v2::ty::EXTERNAL, id, Sequence::INITIAL.0, body);
    let mut whole = BytesMut::new();
    v2::ExternalLsa { mask: 0xffff_ff00, type2: true, metric: 5, forwarding: Ipv4Addr::UNSPECIFIED, tag: 0 }
        .put(&mut whole);
    let whole = whole.freeze();
    vec![
        row(
            "an LSA shorter than its header",
            in_lsa(external(1, &whole), |o| o[18..20].copy_from_slice(&[0, 12])),
            Refusal::LsaLength,
        ),
        row(
            "an LSA longer than its packet",
            in_lsa(external(1, &whole), |o| o[18..20].fill(0xff)),
            Refusal::LsaLength,
        ),
        row(
            "a wrong LSA checksum",
            in_lsa(external(0x0a63_0000, &whole), |o| o[17] ^= 0x55),
            Refusal::LsaChecksum,
        ),
        row(
            "an LSA of unknown type",
            packet(&update(lsa(LsType(99), 0x0a63_0100, Sequence::INITIAL.0, &whole))),
            Refusal::LsaType,
        ),
        row(
            "the reserved sequence number",
            packet(&update(lsa(v2::ty::EXTERNAL, 0x0a63_0200, Sequence::RESERVED.0, &whole))),
            Refusal::LsaSequence,
        ),
        row(
            "a summary cut off",
            packet(&update(lsa(v2::ty::SUMMARY_NETWORK, 0x0a63_0300, Sequence::INITIAL.0, &[0xff; 2]))),
            Refusal::LsaBody,
        ),
        row(
            "a router-LSA with more links than octets",
            packet(&update(lsa(
                v2::ty::ROUTER,
                FEED_ID.0.to_bits(),
                Sequence::INITIAL.0 + 901,
                &[0, 0, 0xff, 0xff],
            ))),
            Refusal::LsaBody,
        ),
        row(
            "a router-LSA whose link has more TOS metrics than octets",
            packet(&update(lsa(
                v2::ty::ROUTER,
                FEED_ID.0.to_bits(),
                Sequence::INITIAL.0 + 902,
                &[0, 0, 0, 1, 10, 0, 0, 1, 10, 0, 0, 9, 1, 0xff, 0, 1],
            ))),
            Refusal::LsaBody,
        ),
        row(
            "an NSSA's LSA in the backbone",
            packet(&update(lsa(v2::ty::NSSA, 0x0a63_0400, Sequence::INITIAL.0, &whole))),
            Refusal::LsaScope,
        ),
        row(
            "more LSAs promised than there are",
            changed(&update(router()), |o| o[24..28].copy_from_slice(&[0, 1, 0, 5])),
            Refusal::Body,
        ),
    ]
}

/// Opaque LSAs that FRR fell over: kept and flooded, their content passed over.
fn opaques() -> Vec<Row> {
    let long = |ty: u8| [0, ty, 0xff, 0xfd, 1, 2, 3, 4];
    let te = opaque::kind::TRAFFIC_ENGINEERING;
    let ri = opaque::kind::ROUTER_INFORMATION;
    vec![
        taken(
            "CVE-2024-27913: a TE link without an address",
            odd_opaque(te, 1, &[0, 2, 0, 8, 0, 1, 0, 1, 1, 0, 0, 0]),
        ),
        taken(
            "CVE-2024-34088: a TE link of no edge",
            odd_opaque(te, 2, &[0, 2, 0, 8, 0, 2, 0, 4, 9, 9, 9, 9]),
        ),
        taken(
            "CVE-2024-31950: router information with odd sizes",
            odd_opaque(ri, 3, &[0, 9, 0, 1, 7, 0, 0, 0]),
        ),
        taken(
            "CVE-2024-31951: an extended link with an odd adjacency SID",
            odd_opaque(opaque::kind::EXTENDED_LINK, 4, &[0, 1, 0, 4, 0, 2, 0, 1]),
        ),
        taken("more algorithms than there can be", odd_opaque(ri, 5, &[0, 8, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])),
        taken("CVE-2026-28532: a TE TLV whose padded size wraps", odd_opaque(te, 6, &long(2))),
        taken("CVE-2026-28532: router information whose padded size wraps", odd_opaque(ri, 7, &long(1))),
        taken(
            "an extended prefix shorter than it says",
            odd_opaque(opaque::kind::EXTENDED_PREFIX, 8, &[0, 1, 0, 4, 1, 32, 0, 0]),
        ),
        taken("a Grace-LSA cut off", odd_opaque(opaque::kind::GRACE, 9, &[0, 1])),
        taken(
            "router information of AS scope",
            packet(&update(lsa(
                v2::ty::OPAQUE_AS,
                opaque::ls_id(ri, 10).0,
                Sequence::INITIAL.0,
                &[0, 1, 0, 4, 0, 0, 0, 0],
            ))),
        ),
    ]
}

fn counted(r1: &Router, reason: Refusal) -> Result<u64> {
    let json = r1.vtysh_json("show ip ospf interface traffic json")?;
    Ok(json["eth0"]["dropped"][reason.to_string()].as_u64().unwrap_or(0))
}

fn send(feed: &mut Tool, octets: &[u8]) -> Result<()> {
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    feed.tell(&format!("raw-to {R1} {hex}"))
}

fn changes(r1: &Router) -> Result<u64> {
    let json = r1.vtysh_json("show ip ospf neighbor 9.9.9.9 detail json")?;
    let neighbor = &json["default"]["9.9.9.9"][0];
    ensure!(neighbor["nbrState"] == "Full/-", "the adjacency is lost: {json}");
    Ok(neighbor["stateChangeCounter"].as_u64().unwrap_or(0))
}

#[test]
fn what_is_malformed_is_dropped_and_counted_and_the_adjacency_stays() {
    run(&Needs::ours().daemons(&["ospfd"]), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let host = net.router("host", Kind::Host)?;
        net.link(&r1, &format!("{R1}/24"), &host, &format!("{FEED}/24"))?;
        start(&r1, CONFIG)?;
        let link = format!("eth0,{FEED}/24,{FEED_ID}");
        let mut feed =
            host.ospf_feed(&["--link", &link, "--hello", "1", "--dead", "8", "--point-to-point"])?;
        feed.wait_event("full", PATIENCE)?;
        wait_until(PATIENCE, "r1 is adjacent too", || changes(&r1).map(drop))?;
        let before = changes(&r1)?;
        for row in packets().into_iter().chain(lsas()) {
            let reason = row.reason.unwrap_or(Refusal::Body);
            let count = counted(&r1, reason)?;
            send(&mut feed, &row.octets)?;
            wait_until(Duration::from_secs(5), &format!("{}: dropped as {reason}", row.name), || {
                ensure!(counted(&r1, reason)? > count, "not counted");
                Ok(())
            })
            .map_err(|failure| failure.during(row.name))?;
            ensure!(changes(&r1)? == before, "{}: the neighbour changed its state", row.name);
        }
        r1.vtysh("debug ospf packet ls-update recv detail")?;
        for row in opaques() {
            send(&mut feed, &row.octets)?;
            let id = Ipv4Addr::new(row.octets[32], row.octets[33], row.octets[34], row.octets[35]);
            wait_until(Duration::from_secs(5), row.name, || {
                let mut found = false;
                for scope in ["opaque-area", "opaque-as"] {
                    found |= r1
                        .vtysh(&format!("show ip ospf database {scope} {id}"))?
                        .contains(&format!("Link State ID: {id} "));
                }
                ensure!(found, "{id} is not in the database");
                Ok(())
            })?;
            ensure!(changes(&r1)? == before, "{}: the neighbour changed its state", row.name);
        }
        forged(&r1, &mut feed)?;
        descriptions(&r1, &mut feed)
    });
}

/// CVE-2017-3224: our own router-LSA at the highest sequence number, with another content: flushed, and ours comes back.
fn forged(r1: &Router, feed: &mut Tool) -> Result<()> {
    let key = LsaKey { ty: v2::ty::ROUTER, id: LsId::from(OWN_ID.0), adv: OWN_ID };
    let header =
        LsaHeader { age: 1, options: Options::E, key, sequence: Sequence::MAX, checksum: 0, length: 0 };
    let forged = Lsa::build::<V2>(header, &[0; 4]).ok_or("an LSA that fits")?;
    send(feed, &packet(&update(forged)))?;
    wait_until(PATIENCE, "the forged router-LSA is answered", || {
        let json = r1.vtysh_json("show ip ospf database router self-originate json")?;
        let own = &json["routerLinkStates"]["areas"]["0.0.0.0"][0];
        ensure!(own["lsaSeqNumber"] != "7fffffff" && own["numOfLinks"].as_u64() > Some(0), "{json}");
        Ok(())
    })?;
    changes(r1).map(drop)
}

/// A description that does not fit the conversation costs it, as the RFC says, and it is taken up again.
fn descriptions(r1: &Router, feed: &mut Tool) -> Result<()> {
    let description = Body::DatabaseDescription(DatabaseDescription {
        mtu: 0xffff,
        options: Options::E,
        flags: DdFlags { init: true, more: true, master: true },
        sequence: 77,
        headers: Vec::new(),
    });
    let count = counted(r1, Refusal::Mtu)?;
    send(feed, &packet(&description))?;
    wait_until(Duration::from_secs(5), "a description with a larger MTU is refused", || {
        ensure!(counted(r1, Refusal::Mtu)? > count, "not counted");
        Ok(())
    })?;
    let unknown = LsaKey { ty: v2::ty::EXTERNAL, id: LsId(0x7f00_0001), adv: FEED_ID };
    send(feed, &packet(&Body::LinkStateRequest(vec![unknown])))?;
    wait_until(PATIENCE, "the conversation is taken up again", || changes(r1).map(drop))
}

#[test]
fn a_flood_of_lsas_and_of_neighbours_is_bounded() {
    run(&Needs::ours().daemons(&["ospfd"]), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let host = net.router("host", Kind::Host)?;
        net.link(&r1, &format!("{R1}/24"), &host, &format!("{FEED}/24"))?;
        start(&r1, &CONFIG.replace(" capability opaque\n", " max-lsa 1500\n"))?;
        let link = format!("eth0,{FEED}/24,{FEED_ID}");
        let mut feed =
            host.ospf_feed(&["--link", &link, "--hello", "1", "--dead", "8", "--point-to-point"])?;
        feed.wait_event("full", PATIENCE)?;
        // Hellos that name more neighbours than a packet needs.
        let crowd = (1..16_000u32).map(|n| RouterId(Ipv4Addr::from_bits(n))).collect();
        let Body::Hello(plain) = hello() else { return Ok(()) };
        send(&mut feed, &packet(&Body::Hello(Hello { neighbors: crowd, ..plain.clone() })))?;
        send(&mut feed, &packet(&Body::Hello(plain)))?;
        let mut body = BytesMut::new();
        v2::ExternalLsa { mask: u32::MAX, type2: true, metric: 1, forwarding: Ipv4Addr::UNSPECIFIED, tag: 0 }
            .put(&mut body);
        let body: Bytes = body.freeze();
        let flood = |feed: &mut Tool, updates: std::ops::Range<u32>, flush: bool| {
            updates.into_iter().try_for_each(|n| {
                let id = |k: u32| 0x0b00_0000 + n * 10 + k;
                let lsas = (0..10).map(|k| {
                    let lsa = lsa(v2::ty::EXTERNAL, id(k), Sequence::INITIAL.0, &body);
                    if flush { lsa.at_age(MAX_AGE) } else { lsa }
                });
                send(feed, &packet(&Body::LinkStateUpdate(lsas.collect())))
            })
        };
        flood(&mut feed, 0..2_000, false)?;
        // The crowd may have cost the adjacency, and with it what came before it was there again: the flood goes on.
        let mut sent = 2_000;
        wait_until(PATIENCE, "the neighbour is adjacent through the flood", || {
            let json = r1.vtysh_json("show ip ospf json")?;
            if json["lsaExternalCounter"].as_u64() <= Some(1_000) {
                flood(&mut feed, sent..sent + 50, false)?;
                sent += 50;
            }
            ensure!(json["lsaExternalCounter"].as_u64() > Some(1_000), "{}", json["lsaExternalCounter"]);
            changes(&r1).map(drop)
        })?;
        // The bound is reached, and that is a state of its own.
        wait_until(PATIENCE, "the bound is reached and told", || {
            let limit = r1.vtysh_json("show ip ospf json")?["lsaLimit"].clone();
            if limit["reached"] != true {
                flood(&mut feed, sent..sent + 50, false)?;
                sent += 50;
            }
            ensure!(limit["reached"] == true && limit["lsaCount"].as_u64() <= Some(1_500), "{limit}");
            ensure!(counted(&r1, Refusal::LsaLimit)? > 0, "nothing was refused for it");
            let text = r1.vtysh("show ip ospf")?;
            ensure!(text.contains("The limit is reached"), "{text}");
            changes(&r1).map(drop)
        })?;
        // It ends when the flood is taken back.
        wait_until(PATIENCE, "there is room again", || {
            flood(&mut feed, 0..sent, true)?;
            let limit = r1.vtysh_json("show ip ospf json")?["lsaLimit"].clone();
            ensure!(limit["reached"] == false && limit["lsaCount"].as_u64() < Some(1_400), "{limit}");
            changes(&r1).map(drop)
        })
    });
}
