//! The same for OSPFv3: IPv6's instance and IPv4's (RFC 5838) on one link, and a link whose packets are signed (RFC 7166), a neighbour in
//! each. The packet's checksum covers both ends of the packet, so all goes to AllSPFRouters from the neighbour's link-local address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bytes::BytesMut;
use ferrite_ospf_packet::auth::{Algorithm, Key, Sign};
use ferrite_ospf_packet::codec::{Codec, Origin};
use ferrite_ospf_packet::family::Inet6;
use ferrite_ospf_packet::packet::DdFlags;
use ferrite_ospf_packet::{
    AreaId, Body, DatabaseDescription, Endpoints, Hello, LsId, LsType, Lsa, LsaHeader, LsaKey, Options,
    Refusal, Sequence, V3, v3,
};
use ferrite_types::ids::RouterId;
use serde_json::Value;
use topotests::{Kind, Needs, Result, Router, Tool, ensure, run, wait_until};

use super::{OWN_ID, Row, row, taken};
use crate::ospf::speak::{PATIENCE, start};

const CONFIG: &str = "\
interface eth0
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 8
 ip ospf6 area 0
 ip ospf6 network point-to-point
 ip ospf6 hello-interval 1
 ip ospf6 dead-interval 8
exit
interface eth1
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 8
 ipv6 ospf6 authentication key-id 9 hash-algo hmac-sha-256 key sesame
exit
router ospf6
 ospf6 router-id 1.1.1.1
exit
router ospf6 ipv4
 ospf6 router-id 1.1.1.1
exit
";

const ALL_SPF_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 5);

/// Everything an operator may ask for, in text and JSON; LSAs of all kinds are in the database while it is asked.
const SHOWS: &[&str] = &[
    "show ipv6 ospf6",
    "show ipv6 ospf6 database",
    "show ipv6 ospf6 database detail",
    "show ipv6 ospf6 database dump",
    "show ipv6 ospf6 database internal",
    "show ipv6 ospf6 database link detail",
    "show ipv6 ospf6 database intra-prefix detail",
    "show ipv6 ospf6 database self-originated",
    "show ipv6 ospf6 neighbor detail",
    "show ipv6 ospf6 interface",
    "show ipv6 ospf6 interface traffic",
    "show ipv6 ospf6 interface prefix",
    "show ipv6 ospf6 route detail",
    "show ipv6 ospf6 spf tree",
    "show ipv6 ospf6 border-routers",
    "show ip ospf6",
    "show ip ospf6 database detail",
    "show ip ospf6 route detail",
];

const DEBUGS: &[&str] = &[
    "debug ospf6 message all",
    "debug ospf6 lsa unknown",
    "debug ospf6 lsa link",
    "debug ospf6 lsa intra-prefix",
    "debug ospf6 flooding",
    "debug ospf6 neighbor",
    "debug ospf6 spf process",
];

/// A neighbour: who sends, from where, in which instance, signed with what.
struct Feed {
    tool: Tool,
    router: RouterId,
    ends: Endpoints,
    instance: u8,
    key: Option<Key>,
    interface: &'static str,
    /// What its instance's shows begin with.
    shows: &'static str,
}

impl Feed {
    fn origin(&self) -> Origin {
        Origin { router: self.router, area: AreaId::BACKBONE, instance: self.instance }
    }

    fn packet(&self, body: &Body) -> Vec<u8> {
        V3::<Inet6>::seal(&self.origin(), body, &Sign::None, self.ends).to_vec()
    }

    /// A packet with octets changed, and the checksum made right again.
    fn changed(&self, body: &Body, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut octets = self.packet(body);
        change(&mut octets);
        self.checksum(&mut octets);
        octets
    }

    /// With that of the addresses, the length and the protocol (RFC 8200 §8.1).
    fn checksum(&self, octets: &mut [u8]) {
        let length = octets.len() as u32;
        let Some(field) = octets.get_mut(12..14) else { return };
        field.fill(0);
        let address = |ip: IpAddr| match ip {
            IpAddr::V6(ip) => ip.octets().to_vec(),
            IpAddr::V4(ip) => ip.octets().to_vec(),
        };
        let mut all = [address(self.ends.source), address(self.ends.destination)].concat();
        all.extend(length.to_be_bytes());
        all.extend(89u32.to_be_bytes());
        all.extend_from_slice(octets);
        let words = all.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
        let mut sum: u32 = words.sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        octets[12..14].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    }

    fn signed(&self, body: &Body, sequence: u64) -> Vec<u8> {
        let sign = self.key.as_ref().map_or(Sign::None, |key| Sign::Digest { key, sequence });
        V3::<Inet6>::seal(&self.origin(), body, &sign, self.ends).to_vec()
    }

    fn hello(&self, more: Options) -> Body {
        Body::Hello(Hello {
            link: 7,
            hello_interval: 1,
            dead_interval: 8,
            options: Options::V6.with(Options::E).with(Options::R).with(more),
            priority: 0,
            designated: [0; 4].into(),
            backup: [0; 4].into(),
            neighbors: vec![OWN_ID],
        })
    }

    fn lsa(&self, ty: LsType, id: u32, sequence: i32, body: &[u8]) -> Lsa {
        let key = LsaKey { ty, id: LsId(id), adv: self.router };
        let header = LsaHeader {
            age: 1,
            options: Options::default(),
            key,
            sequence: Sequence(sequence),
            checksum: 0,
            length: 0,
        };
        Lsa::build::<V3>(header, body).expect("an LSA that fits")
    }

    fn update(&self, ty: LsType, id: u32, body: &[u8]) -> Vec<u8> {
        self.packet(&Body::LinkStateUpdate(vec![self.lsa(ty, id, Sequence::INITIAL.0, body)]))
    }

    fn send(&mut self, octets: &[u8]) -> Result<()> {
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        self.tool.tell(&format!("raw {hex}"))
    }

    fn counted(&self, r1: &Router, reason: Refusal) -> Result<u64> {
        let json = r1.vtysh_json(&format!("{} interface traffic json", self.shows))?;
        Ok(dropped(&json, self.interface, &reason.to_string()))
    }

    /// Adjacent, and has been all the time.
    fn stands(&mut self, r1: &Router) -> Result<()> {
        let lost = self.tool.heard().iter().any(|event| event["event"] == "lost");
        ensure!(!lost, "the neighbour lost its adjacency");
        self.adjacent(r1)
    }

    fn adjacent(&self, r1: &Router) -> Result<()> {
        let json = r1.vtysh_json(&format!("{} neighbor json", self.shows))?;
        let rows = json["neighbors"].as_array().cloned().unwrap_or_default();
        let own = |row: &&Value| row["neighborId"] == self.router.to_string();
        ensure!(rows.iter().find(own).is_some_and(|row| row["state"] == "Full"), "not adjacent: {json}");
        Ok(())
    }

    /// Sends each row, and looks what became of it.
    fn judge(&mut self, r1: &Router, rows: Vec<Row>) -> Result<()> {
        for row in rows {
            match row.reason {
                Some(reason) => {
                    let count = self.counted(r1, reason)?;
                    self.send(&row.octets)?;
                    wait_until(
                        Duration::from_secs(5),
                        &format!("{}: dropped as {reason}", row.name),
                        || {
                            ensure!(self.counted(r1, reason)? > count, "not counted");
                            Ok(())
                        },
                    )?;
                }
                None => {
                    self.send(&row.octets)?;
                    let id: [u8; 4] = row.octets[24..28].try_into().map_err(|_| "no LSA")?;
                    let id = Ipv4Addr::from(id).to_string();
                    wait_until(Duration::from_secs(5), row.name, || {
                        let text = r1.vtysh(&format!("{} database detail", self.shows))?;
                        let kept = text.lines().any(|line| line.split_whitespace().any(|word| word == id));
                        ensure!(kept, "{id} is not in the database:\n{text}");
                        Ok(())
                    })?;
                }
            }
            self.stands(r1).map_err(|failure| failure.during(row.name))?;
        }
        Ok(())
    }
}

/// Wherever the interface stands in the document.
fn dropped(json: &Value, interface: &str, reason: &str) -> u64 {
    let map = json.as_object();
    let found = map.and_then(|map| map.get(interface)).and_then(|row| row["dropped"][reason].as_u64());
    let below = || map.into_iter().flat_map(|map| map.values()).map(|v| dropped(v, interface, reason)).max();
    found.or_else(below).unwrap_or(0)
}

fn packets(feed: &Feed) -> Vec<Row> {
    let hello = feed.hello(Options::default());
    let plain = || feed.packet(&hello);
    let changed = |change: fn(&mut Vec<u8>)| feed.changed(&hello, change);
    let length = |octets: &mut Vec<u8>, length: u16| octets[2..4].copy_from_slice(&length.to_be_bytes());
    vec![
        row("a packet that ends in its header", plain()[..9].to_vec(), Refusal::Short),
        row("another version", changed(|o| o[0] = 2), Refusal::Version),
        row("an unknown type", changed(|o| o[1] = 9), Refusal::Kind),
        row("a length beyond the packet", changed(|o| o[2..4].fill(0xff)), Refusal::Length),
        row("a length below the header", changed(|o| o[2..4].copy_from_slice(&[0, 8])), Refusal::Length),
        row(
            "half a neighbour in a Hello",
            feed.changed(&hello, |o| {
                o.truncate(o.len() - 2);
                let len = o.len() as u16;
                length(o, len);
            }),
            Refusal::Body,
        ),
        row(
            "a wrong checksum",
            {
                let mut octets = plain();
                octets[13] ^= 0x55;
                octets
            },
            Refusal::Checksum,
        ),
        row("router ID 0", changed(|o| o[4..8].fill(0)), Refusal::RouterIdZero),
        row("our own router ID", changed(|o| o[4..8].fill(1)), Refusal::OwnRouterId),
        row("another area", changed(|o| o[11] = 7), Refusal::Area),
        row("another instance", changed(|o| o[14] = 9), Refusal::Instance),
        row("another hello interval", changed(|o| o[25] = 77), Refusal::HelloInterval),
        row("another dead interval", changed(|o| o[27] = 77), Refusal::DeadInterval),
        row("another kind of area", changed(|o| o[23] &= !2), Refusal::Options),
        row(
            "more LSAs promised than there are",
            {
                let lsa = feed.lsa(v3::ty::ROUTER, 99, Sequence::INITIAL.0, &[0, 0, 0, 0x13]);
                feed.changed(&Body::LinkStateUpdate(vec![lsa]), |o| o[16..20].copy_from_slice(&[0, 1, 0, 5]))
            },
            Refusal::Body,
        ),
    ]
}

/// An inter-area-prefix-LSA of a length, with so many words of the prefix.
fn inter_area(len: u8, words: usize) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 5, len, 0, 0, 0];
    body.extend([0x20, 1, 0x0d, 0xb8].iter().copied().cycle().take(words * 4));
    body
}

fn lsas(feed: &Feed) -> Vec<Row> {
    use v3::ty;
    let good = inter_area(64, 2);
    let header = |change: fn(&mut [u8])| {
        let lsa = feed.lsa(ty::INTER_AREA_PREFIX, 0x0a63_0000, Sequence::INITIAL.0, &inter_area(64, 2));
        feed.changed(&Body::LinkStateUpdate(vec![lsa]), |octets| change(&mut octets[20..]))
    };
    let wrong = |name, ty, body: &[u8]| row(name, feed.update(ty, 0x0a63_0100, body), Refusal::LsaBody);
    let link = |count: u32, rest: &[u8]| {
        let mut body = vec![1, 0, 0, 0x13];
        body.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        body.extend(count.to_be_bytes());
        body.extend_from_slice(rest);
        body
    };
    let intra = |count: u16, rest: &[u8]| {
        let mut body = count.to_be_bytes().to_vec();
        body.extend([0x20, 1, 0, 0, 0, 0, 9, 9, 9, 9]);
        body.extend_from_slice(rest);
        body
    };
    let reserved = feed.lsa(ty::INTER_AREA_PREFIX, 0x0a63_0200, Sequence::RESERVED.0, &good);
    vec![
        row(
            "an LSA shorter than its header",
            header(|o| o[18..20].copy_from_slice(&[0, 12])),
            Refusal::LsaLength,
        ),
        row("an LSA longer than its packet", header(|o| o[18..20].fill(0xff)), Refusal::LsaLength),
        row("a wrong LSA checksum", header(|o| o[17] ^= 0x55), Refusal::LsaChecksum),
        row("an age over MaxAge", header(|o| o[0..2].copy_from_slice(&[0x0f, 0])), Refusal::LsaAge),
        row(
            "the reserved sequence number",
            feed.packet(&Body::LinkStateUpdate(vec![reserved])),
            Refusal::LsaSequence,
        ),
        row("the reserved scope", feed.update(LsType(0x6001), 1, &good), Refusal::LsaType),
        row("the reserved scope with U", feed.update(LsType(0xe0ff), 1, &good), Refusal::LsaType),
        row("an NSSA's LSA in the backbone", feed.update(ty::NSSA, 1, &good), Refusal::LsaScope),
        wrong("a prefix of 129 bits", ty::INTER_AREA_PREFIX, &inter_area(129, 5)),
        wrong("a prefix longer than its LSA", ty::INTER_AREA_PREFIX, &inter_area(128, 2)),
        wrong("an external prefix of 255 bits", ty::EXTERNAL, &inter_area(255, 8)),
        wrong("a forwarding address that is not there", ty::EXTERNAL, &{
            let mut body = good.clone();
            body[0] = 2;
            body
        }),
        wrong("a tag that is not there", ty::EXTERNAL, &{
            let mut body = good.clone();
            body[0] = 1;
            body
        }),
        wrong("a boundary router cut off", ty::INTER_AREA_ROUTER, &[0; 6]),
        wrong("a router-LSA whose link is cut off", ty::ROUTER, &[0, 0, 0, 0x13, 1, 0, 0, 10, 0, 0, 0, 1]),
        wrong("a router-LSA without options", ty::ROUTER, &[0, 0]),
        wrong("a network-LSA cut off", ty::NETWORK, &[0, 0, 0, 0x13, 9, 9]),
        wrong("a link-LSA with more prefixes than octets", ty::LINK, &link(u32::MAX, &[64, 0, 0, 0])),
        wrong("a link-LSA without its number of prefixes", ty::LINK, &link(0, &[])[..20]),
        wrong("a link-LSA with a prefix of 200 bits", ty::LINK, &link(1, &[200; 36])),
        wrong(
            "more intra-area prefixes than octets",
            ty::INTRA_AREA_PREFIX,
            &intra(u16::MAX, &[64, 0, 0, 1]),
        ),
        wrong("an intra-area prefix of 129 bits", ty::INTRA_AREA_PREFIX, &intra(1, &[129; 24])),
        wrong("an intra-area-prefix-LSA cut off", ty::INTRA_AREA_PREFIX, &[0, 1, 0x20]),
        // Of types that nobody knows, with U and every scope: as far as they say, or no farther than the link.
        taken("an unknown type", feed.update(LsType(0x00ff), 0x0b63_0001, &[1, 2, 3])),
        taken("an unknown type of an area", feed.update(LsType(0x20ff), 0x0b63_0002, &[0; 40])),
        taken("an unknown type of the AS", feed.update(LsType(0x40ff), 0x0b63_0003, &[])),
        taken("an unknown type with U", feed.update(LsType(0x80ff), 0x0b63_0004, &[1])),
        taken("an unknown type of an area with U", feed.update(LsType(0xa0ff), 0x0b63_0005, &[0xff; 400])),
        taken("an unknown type of the AS with U", feed.update(LsType(0xc0ff), 0x0b63_0006, &[9; 5])),
        taken("a Grace-LSA cut off", feed.update(ty::GRACE, 0x0b63_0007, &[0, 1])),
        taken(
            "a Grace-LSA with a length beyond it",
            feed.update(ty::GRACE, 0x0b63_0008, &[0, 1, 0xff, 0xfd, 0, 0, 0, 9]),
        ),
        taken("a link-LSA with very many prefixes", {
            let prefixes: Vec<u8> = (0..250u8).flat_map(|n| [32, 0, 0, 0, 0x20, 1, n, n]).collect();
            feed.update(ty::LINK, 0x0b63_0009, &link(250, &prefixes))
        }),
        taken("prefixes of a router that is not there", {
            let mut body = intra(1, &[64, 0, 0, 1, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0]);
            body[8..12].fill(0xee);
            feed.update(ty::INTRA_AREA_PREFIX, 0x0b63_000a, &body)
        }),
        taken("prefixes of what has none", {
            let mut body = intra(0, &[]);
            body[2..4].copy_from_slice(&[0xff, 0xff]);
            feed.update(ty::INTRA_AREA_PREFIX, 0x0b63_000b, &body)
        }),
        taken("a router-LSA with links of no kind", {
            feed.update(
                ty::ROUTER,
                0x0b63_000c,
                &[0xff, 0, 0, 0x13, 77, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9],
            )
        }),
    ]
}

/// Prefixes that are none of IPv4's: kept, and no route comes of them.
fn ipv4(feed: &Feed) -> Vec<Row> {
    use v3::ty;
    let external = |bits: u8, words| {
        let mut body = inter_area(bits, words);
        body[0] = 4;
        body
    };
    vec![
        row("a prefix of 129 bits", feed.update(ty::EXTERNAL, 1, &external(129, 5)), Refusal::LsaBody),
        taken("a prefix of 33 bits", feed.update(ty::EXTERNAL, 0x0b64_0001, &external(33, 2))),
        taken("a prefix of 128 bits", feed.update(ty::EXTERNAL, 0x0b64_0002, &external(128, 4))),
        taken(
            "a prefix of 64 bits within an area",
            feed.update(ty::INTER_AREA_PREFIX, 0x0b64_0003, &inter_area(64, 2)),
        ),
    ]
}

/// Trailers of RFC 7166 and blocks of RFC 5613 that do not fit.
fn trailers(feed: &Feed) -> Vec<Row> {
    /// Later than all that the neighbour has signed.
    const LATE: u64 = u64::MAX - 1;
    let hello = feed.hello(Options::AT);
    let at = feed.packet(&hello).len();
    let trailer = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = feed.signed(&hello, LATE);
        let mut trailer = octets.split_off(at);
        change(&mut trailer);
        octets.extend(trailer);
        octets
    };
    let signalled = |block: &[u8]| {
        let mut octets = feed.signed(&feed.hello(Options::AT.with(Options::L3)), LATE);
        let trailer = octets.split_off(at);
        octets.extend_from_slice(block);
        octets.extend(trailer);
        octets
    };
    vec![
        row("no trailer", trailer(&|t| t.clear()), Refusal::AuthType),
        row("half a trailer", trailer(&|t| t.truncate(9)), Refusal::AuthType),
        row("a trailer of another type", trailer(&|t| t[1] = 2), Refusal::AuthType),
        row("a digest beyond the packet", trailer(&|t| t[2..4].fill(0xff)), Refusal::AuthTrailer),
        row("a trailer shorter than its head", trailer(&|t| t[3] = 8), Refusal::AuthTrailer),
        row("a digest cut off", trailer(&|t| t.truncate(20)), Refusal::AuthTrailer),
        row("a digest of another size", trailer(&|t| t[3] = 36), Refusal::AuthTrailer),
        row("no digest at all", trailer(&|t| t[3] = 16), Refusal::AuthTrailer),
        row("an unknown key", trailer(&|t| t[7] = 77), Refusal::AuthKey),
        row("a wrong digest with a late number", trailer(&|t| t[20] ^= 1), Refusal::AuthDigest),
        row("a late number under another digest", trailer(&|t| t[15] ^= 1), Refusal::AuthDigest),
        row("signalling beyond the packet", signalled(&[0, 0, 0xff, 0xff]), Refusal::AuthTrailer),
        row("signalling of no words", signalled(&[0, 0, 0, 0]), Refusal::AuthTrailer),
        row("signalling that ends in the trailer", signalled(&[0, 0, 0, 3]), Refusal::AuthType),
        row("a number that was before", feed.signed(&hello, 0), Refusal::AuthSequence),
    ]
}

fn feed(
    host: &Router,
    version: &str,
    (interface, address, id): (&'static str, &str, [u8; 4]),
    key: Option<&str>,
) -> Result<Feed> {
    let router = RouterId(id.into());
    let link = format!("{interface},{address},{router}");
    let mut args =
        vec!["--version", version, "--link", &link, "--hello", "1", "--dead", "8", "--point-to-point"];
    args.extend(key.into_iter().flat_map(|key| ["--key", key]));
    wait_until(PATIENCE, "the kernel made a link-local address", || host.link_local(interface).map(drop))?;
    let mut tool = host.ospf_feed(&args)?;
    let up = tool.wait_event("up", PATIENCE)?;
    let source = up["address"].as_str().and_then(|text| text.parse().ok()).ok_or("no address")?;
    tool.wait_event("full", PATIENCE)?;
    let ipv4 = version == "v3-ipv4";
    let secret = |key: &str| Key { id: 9, algorithm: Algorithm::HmacSha256, secret: key.as_bytes().to_vec() };
    Ok(Feed {
        tool,
        router,
        ends: Endpoints { source, destination: ALL_SPF_ROUTERS.into() },
        instance: if ipv4 { 64 } else { 0 },
        key: key.map(secret),
        interface,
        shows: if ipv4 { "show ip ospf6" } else { "show ipv6 ospf6" },
    })
}

#[test]
fn what_is_malformed_in_ospfv3_is_dropped_and_counted_and_the_adjacency_stays() {
    run(&Needs::ours(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let host = net.router("host", Kind::Host)?;
        net.link(&r1, "10.0.0.1/24 2001:db8::1/64", &host, "10.0.0.9/24 2001:db8::9/64")?;
        net.link(&r1, "2001:db8:1::1/64", &host, "2001:db8:1::9/64")?;
        start(&r1, CONFIG)?;
        for debug in DEBUGS {
            r1.vtysh(debug)?;
        }
        let mut v6 = feed(&host, "v3", ("eth0", "2001:db8::9/64", [9, 9, 9, 9]), None)?;
        let mut v4 = feed(&host, "v3-ipv4", ("eth0", "10.0.0.9/24", [9, 9, 9, 8]), None)?;
        let mut signed = feed(&host, "v3", ("eth1", "2001:db8:1::9/64", [9, 9, 9, 7]), Some("sesame"))?;
        for feed in [&v6, &v4, &signed] {
            wait_until(PATIENCE, "r1 is adjacent too", || feed.adjacent(&r1))?;
        }
        let rows = packets(&v6).into_iter().chain(lsas(&v6)).collect();
        v6.judge(&r1, rows)?;
        let rows = ipv4(&v4);
        v4.judge(&r1, rows)?;
        let routes = r1.vtysh("show ip ospf6 route")?;
        ensure!(!routes.contains("32.1."), "a route of a prefix that is none of IPv4's:\n{routes}");
        let rows = trailers(&signed);
        signed.judge(&r1, rows)?;
        for show in SHOWS {
            r1.vtysh(show)?;
            // The one without JSON, as in FRR.
            if *show != "show ipv6 ospf6 border-routers" {
                r1.vtysh(&format!("{show} json"))?;
            }
        }
        forged(&r1, &mut v6)?;
        for feed in [&mut v6, &mut v4, &mut signed] {
            feed.stands(&r1)?;
        }
        descriptions(&r1, &mut v6)
    });
}

/// Our own router-LSA at the highest sequence number, with another content: flushed, and ours comes back.
fn forged(r1: &Router, feed: &mut Feed) -> Result<()> {
    let key = LsaKey { ty: v3::ty::ROUTER, id: LsId(0), adv: OWN_ID };
    let header = LsaHeader {
        age: 1,
        options: Options::default(),
        key,
        sequence: Sequence::MAX,
        checksum: 0,
        length: 0,
    };
    let mut body = BytesMut::new();
    v3::RouterLsa::default().put(&mut body);
    let forged = Lsa::build::<V3>(header, &body).ok_or("an LSA that fits")?;
    let octets = feed.packet(&Body::LinkStateUpdate(vec![forged]));
    feed.send(&octets)?;
    wait_until(PATIENCE, "the forged router-LSA is answered", || {
        let text = r1.vtysh("show ipv6 ospf6 database router adv-router 1.1.1.1 detail")?;
        ensure!(!text.contains("7fffffff") && text.contains("Neighbor Router ID: 9.9.9.9"), "{text}");
        Ok(())
    })
}

/// A description that does not fit the conversation costs it, as the RFC says, and it is taken up again.
fn descriptions(r1: &Router, feed: &mut Feed) -> Result<()> {
    let description = |mtu: u16| {
        Body::DatabaseDescription(DatabaseDescription {
            mtu,
            options: Options::V6.with(Options::E).with(Options::R),
            flags: DdFlags { init: true, more: true, master: true },
            sequence: 77,
            headers: Vec::new(),
        })
    };
    let count = feed.counted(r1, Refusal::Mtu)?;
    let octets = feed.packet(&description(0xffff));
    feed.send(&octets)?;
    wait_until(Duration::from_secs(5), "a description with a larger MTU is refused", || {
        ensure!(feed.counted(r1, Refusal::Mtu)? > count, "not counted");
        Ok(())
    })?;
    feed.stands(r1)?;
    let unknown = LsaKey { ty: v3::ty::EXTERNAL, id: LsId(0x7f00_0001), adv: feed.router };
    for game in [Body::LinkStateRequest(vec![unknown]), description(1500), description(0)] {
        let octets = feed.packet(&game);
        feed.send(&octets)?;
        feed.tool.wait_event("lost", PATIENCE)?;
        wait_until(PATIENCE, "the conversation is taken up again", || feed.adjacent(r1))?;
    }
    Ok(())
}
