//! What was agreed on beyond plain BGP, and then misused: roles and OTC, outbound route filters, path identifiers,
//! AIGP, link bandwidth, long messages, markers of refreshes, NOTIFICATIONs of the newer kind.

use topotests::bgp::attrs;
use topotests::bgp::wire::{NOTIFICATION, message};

use super::case::{Case, Ctx, Expect, HOSTILE_AS, Peer, WITHDRAWN, Which, kept, kept_with, kept_without};
use super::octets::{OPTIONAL, OT, attr, capability, nlri, tlv2, update};

const REFRESH: u8 = 5;
const BAD_NLRI: Expect = Expect::Reset(&[(3, 10), (3, 1), (3, 9)]);
const OTC: u8 = 35;

pub fn all() -> Vec<Case> {
    let mut cases = roles();
    cases.extend(filters());
    cases.extend(path_ids());
    cases.extend(metrics());
    cases.extend(long_messages());
    cases.extend(refresh_markers());
    cases.extend(notifications());
    cases.extend(confederations());
    cases
}

/// OTC (RFC 9234 §5) on sessions with roles: ours is configured, theirs the counterpart.
fn roles() -> Vec<Case> {
    let row = |name: &str, ours: &'static [&'static str], theirs: u8, octets: Vec<u8>, expect| {
        Case::update(format!("OTC: {name}"), move |ctx: &Ctx| ctx.with(OTC, &octets), expect)
            .configured(ours)
            .agreeing(&[capability(9, &[theirs])])
    };
    let otc = |asn: u32| attr(OT, OTC, &asn.to_be_bytes());
    let (to_customer, to_peer) = (&["local-role provider"][..], &["local-role peer"][..]);
    let (to_provider, to_client) = (&["local-role customer"][..], &["local-role rs-server"][..]);
    vec![
        row("a customer leaks", to_customer, 3, otc(9), WITHDRAWN),
        row("a customer leaks with its own number", to_customer, 3, otc(HOSTILE_AS), WITHDRAWN),
        row("a client of the route server leaks", to_client, 2, otc(9), WITHDRAWN),
        row("a peer leaks", to_peer, 4, otc(9), WITHDRAWN),
        row("a peer marks its own", to_peer, 4, otc(HOSTILE_AS), kept()),
        row("a provider that marks nothing", to_provider, 0, Vec::new(), kept()),
        row("a provider with the mark of another", to_provider, 0, otc(9), kept()),
        row("twice from a provider", to_provider, 0, [otc(9), otc(8)].concat(), kept()),
        row("twice from a customer", to_customer, 3, otc(9).repeat(2), WITHDRAWN),
        row("of 3 octets from a customer", to_customer, 3, attr(OT, OTC, &[0, 0, 9]), WITHDRAWN),
        row("of AS 0 from a provider", to_provider, 0, otc(0), WITHDRAWN),
        row("of 1,024 octets from a client", to_client, 2, attr(OT, OTC, &[0x41; 1024]), WITHDRAWN),
        row("marked non-transitive by a peer", to_peer, 4, attr(OPTIONAL, OTC, &[0, 0, 0, 9]), WITHDRAWN),
        Case::update("OTC: passed on inside the AS", move |ctx| ctx.with(OTC, &otc(9)), kept())
            .from(Peer::Internal),
    ]
}

/// One ROUTE-REFRESH with a filter; what stands behind the family is given.
fn orf(name: &str, tail: Vec<u8>, expect: Expect) -> Case {
    let octets = message(REFRESH, &[&[0, 1, 0, 1][..], &tail].concat());
    Case::update(format!("ORF: {name}"), move |_: &Ctx| octets.clone(), expect)
        .with(&["capability orf prefix-list both"])
        .agreeing(&[capability(3, &[0, 1, 0, 1, 1, 64, 3])])
}

fn orf_entry(head: u8, sequence: u32, bounds: [u8; 3], prefix: &[u8]) -> Vec<u8> {
    [&[head][..], &sequence.to_be_bytes(), &bounds, prefix].concat()
}

fn orf_list(when: u8, kind: u8, entries: &[u8]) -> Vec<u8> {
    [&[when][..], &tlv2(kind, entries.len() as u16, entries)].concat()
}

fn filters() -> Vec<Case> {
    let lives = Expect::Ignored;
    let one = orf_entry(0, 5, [0, 0, 8], &[10]);
    let entry = |name: &str, octets: &[u8]| orf(name, orf_list(1, 64, octets), Expect::Ignored);
    let many: Vec<u8> =
        (0..330u32).flat_map(|n| orf_entry(0, n, [0, 0, 24], &[10, (n >> 8) as u8, n as u8])).collect();
    let flood = move |_: &Ctx| {
        (0..40u32)
            .flat_map(|round| {
                let entries: Vec<u8> = (0..330u32)
                    .flat_map(|n| {
                        orf_entry(0, round * 330 + n, [0, 0, 24], &[round as u8, (n >> 8) as u8, n as u8])
                    })
                    .collect();
                message(REFRESH, &[&[0, 1, 0, 1][..], &orf_list(2, 64, &entries)].concat())
            })
            .collect::<Vec<u8>>()
    };
    vec![
        entry("one entry", &one),
        entry("330 entries", &many),
        entry("removal of an entry that is not there", &orf_entry(0x40, 77, [0, 0, 8], &[10])),
        entry("removal of all, five times", &[0x80; 5]),
        entry("an action that is none", &orf_entry(0xc0, 5, [0, 0, 8], &[10])),
        entry("an entry with every reserved bit", &orf_entry(0x1f, 5, [0, 0, 8], &[10])),
        entry("a prefix of 33 bits", &orf_entry(0, 5, [0, 0, 33], &[10, 0, 0, 0, 0])),
        entry("a prefix of 255 bits", &orf_entry(0, 5, [0, 0, 255], &[10; 32])),
        entry("a prefix past the end", &orf_entry(0, 5, [0, 0, 32], &[10])),
        entry("bounds in the wrong order", &orf_entry(0, 5, [30, 20, 8], &[10])),
        entry("bounds below the prefix", &orf_entry(0, 5, [3, 4, 8], &[10])),
        entry("bounds of 255", &orf_entry(0, 5, [255, 255, 8], &[10])),
        entry("half an entry", &[0, 0, 0]),
        entry("one octet", &[0]),
        entry("the same entry 300 times", &one.repeat(300)),
        orf("no entries", orf_list(1, 64, &[]), lives.clone()),
        orf("of an unknown type", orf_list(1, 99, &[1, 2, 3]), lives.clone()),
        orf("of the old type", orf_list(1, 128, &one), lives.clone()),
        orf("when to refresh 0", orf_list(0, 64, &one), lives.clone()),
        orf("when to refresh 255", orf_list(255, 64, &one), lives.clone()),
        orf("at the very end (CVE-2023-41360)", vec![1, 64], lives.clone()),
        orf("longer than the message (2026-03)", vec![1, 64, 0xff, 0xff, 0x80], lives.clone()),
        orf(
            "a second list past the end",
            [orf_list(1, 64, &one), vec![64, 0, 200, 0]].concat(),
            lives.clone(),
        ),
        Case::update(
            "ORF: a family nobody agreed on",
            |_| message(REFRESH, &[0, 2, 0, 1, 1, 64, 0, 1, 0x80]),
            lives,
        )
        .with(&["capability orf prefix-list both"])
        .agreeing(&[capability(3, &[0, 1, 0, 1, 1, 64, 3])]),
        Case::update("ORF: 13,200 entries", flood, Expect::Ignored)
            .with(&["capability orf prefix-list both"])
            .agreeing(&[capability(3, &[0, 1, 0, 1, 1, 64, 3])]),
    ]
}

/// Path identifiers (RFC 7911) from a neighbour that may send them for IPv4.
fn path_ids() -> Vec<Case> {
    let row = |name: &str, build: fn(&Ctx) -> Vec<u8>, expect| {
        Case::update(format!("add-path: {name}"), build, expect).with_path_ids()
    };
    fn entry(id: u32, ctx: &Ctx) -> Vec<u8> {
        [&id.to_be_bytes()[..], &nlri(&[ctx.v4])].concat()
    }
    vec![
        row(
            "one prefix under one identifier three times",
            |c| update(&[], &c.all_but(&[]), &entry(1, c).repeat(3)),
            kept(),
        ),
        row(
            "identifiers 0 and 4,294,967,295",
            |c| update(&[], &c.all_but(&[]), &[entry(0, c), entry(u32::MAX, c), entry(1, c)].concat()),
            kept(),
        ),
        row("routes without identifiers", |c| update(&[], &c.all_but(&[]), &nlri(&[c.v4])), BAD_NLRI),
        row("an identifier and nothing behind", |c| update(&[], &c.all_but(&[]), &[0, 0, 0, 1]), BAD_NLRI),
        row(
            "half an identifier",
            |c| update(&[], &c.all_but(&[]), &[entry(1, c), vec![0, 0]].concat()),
            BAD_NLRI,
        ),
        row(
            "a prefix of 33 bits",
            |c| update(&[], &c.all_but(&[]), &[0, 0, 0, 1, 33, 1, 2, 3, 4, 5]),
            BAD_NLRI,
        ),
        row("withdrawal of an unknown identifier", |c| update(&entry(99, c), &[], &[]), Expect::Ignored),
        row("withdrawal of the known one", |c| update(&entry(1, c), &[], &[]), WITHDRAWN),
        row("withdrawal without identifier", |c| update(&nlri(&[c.v4]), &[], &[]), BAD_NLRI),
        row(
            "withdrawal and announcement of one identifier",
            |c| update(&entry(1, c), &c.all_but(&[]), &entry(1, c)),
            Expect::Lives(None),
        ),
        row(
            "1,000 paths of one prefix",
            |c| {
                let all: Vec<u8> = (1..=400u32).flat_map(|id| entry(id, c)).collect();
                let more: Vec<u8> = (401..=800u32).flat_map(|id| entry(id, c)).collect();
                let rest: Vec<u8> = (801..=1000u32).flat_map(|id| entry(id, c)).collect();
                [all, more, rest].iter().flat_map(|routes| update(&[], &c.all_but(&[]), routes)).collect()
            },
            kept(),
        ),
        row(
            "malformed attributes beside two identifiers",
            |c| {
                let bad = [c.all_but(&[1]), attr(0x40, 1, &[9])].concat();
                update(&[], &bad, &[entry(1, c), entry(2, c)].concat())
            },
            WITHDRAWN,
        ),
    ]
}

/// AIGP (RFC 7311) where it is enabled, link bandwidth in every odd form.
fn metrics() -> Vec<Case> {
    let aigp = |name: &str, value: Vec<u8>| {
        let octets = attr(OPTIONAL, 26, &value);
        Case::update(
            format!("AIGP enabled: {name}"),
            move |ctx: &Ctx| ctx.with(26, &octets),
            kept_without(26),
        )
        .configured(&["aigp"])
        .for_ours()
    };
    let good = tlv2(1, 11, &[0, 0, 0, 0, 0, 0, 0, 9]);
    let bandwidth = |name: &str, communities: Vec<u8>| {
        let octets = attr(OT, 16, &communities);
        Case::update(format!("link bandwidth: {name}"), move |ctx: &Ctx| ctx.with(16, &octets), kept())
    };
    let float = |kind: u8, value: f32| [&[kind, 4, 0xfe, 0x4c][..], &value.to_be_bytes()].concat();
    vec![
        aigp("good", good.clone()),
        aigp("the largest metric", tlv2(1, 11, &[0xff; 8])),
        aigp("twice inside", good.repeat(2)),
        aigp("behind an unknown TLV", [tlv2(9, 5, &[1, 2]), good.clone()].concat()),
        aigp("with half a TLV behind it", [good.clone(), vec![1, 0]].concat()),
        aigp("a TLV of length 2", tlv2(1, 2, &[0; 8])),
        aigp("1,300 unknown TLVs", tlv2(9, 3, &[]).repeat(1300)),
        aigp("empty", Vec::new()),
        bandwidth("not a number", float(0x40, f32::NAN)),
        bandwidth("infinite", float(0x40, f32::INFINITY)),
        bandwidth("negative", float(0x40, -1.0)),
        bandwidth("negative zero", float(0x40, -0.0)),
        bandwidth("too small for a number", float(0x40, f32::from_bits(1))),
        bandwidth("the largest", float(0x40, f32::MAX)),
        bandwidth("200 of them", (0..200).flat_map(|n| float(0x40, n as f32)).collect()),
        bandwidth("transitive", float(0x00, 1e9)),
        bandwidth("of another sub-type", [0x40, 5, 0, 0, 0, 0, 0, 0].to_vec()),
    ]
}

/// RFC 8654, and the other lengths that grow with it.
fn long_messages() -> Vec<Case> {
    let row = |name: &str, build: fn(&Ctx) -> Vec<u8>, expect| {
        Case::update(format!("extended messages: {name}"), build, expect).from(Peer::Extended)
    };
    vec![
        row(
            "UPDATE of 65,535 octets",
            |c| {
                let attributes = c.all_but(&[]);
                let routes = nlri(&[c.v4]);
                let room = 65_535 - 23 - attributes.len() - routes.len();
                let wide = room / 5;
                let mut filler: Vec<u8> = (0..wide as u32)
                    .flat_map(|n| [32, 101, (n >> 16) as u8, (n >> 8) as u8, n as u8])
                    .collect();
                match room % 5 {
                    0 => {}
                    1 => filler.push(0),
                    n => filler.extend([&[((n - 1) * 8) as u8][..], &[102; 4][..n - 1]].concat()),
                }
                let whole = update(&[], &attributes, &[routes, filler].concat());
                debug_assert_eq!(whole.len(), 65_535);
                whole
            },
            kept(),
        ),
        row("KEEPALIVE of 20 octets", |_| message(4, &[0]), Expect::Reset(&[(1, 2)])),
        row(
            "NOTIFICATION of 65,000 octets",
            |_| message(NOTIFICATION, &[&[6, 4][..], &[0; 64_900]].concat()),
            Expect::Closed,
        ),
        row(
            "ROUTE-REFRESH of 60,000 octets",
            |_| message(REFRESH, &[&[0, 1, 1, 1][..], &[0; 60_000]].concat()),
            Expect::Reset(&[(7, 1), (1, 2)]),
        ),
        row(
            "OPEN of 5,000 octets on an established session",
            |_| message(1, &[4; 5000]),
            Expect::Reset(&[(1, 2), (5, 3), (5, 0)]),
        ),
        row(
            "AS_PATH of 255 numbers in each of 20 segments (2026-05)",
            |c| {
                let numbers: Vec<u32> = std::iter::once(HOSTILE_AS).chain(1..5100).collect();
                c.with(attrs::AS_PATH, &attr(0x40, attrs::AS_PATH, &attrs::sequence(&numbers)))
            },
            WITHDRAWN,
        )
        .for_ours(),
        row(
            "9,000 communities",
            |c| {
                let others = (1..9000u32).flat_map(|n| (0x1234_0000 + n).to_be_bytes());
                c.with(8, &attr(OT, 8, &c.mark.into_iter().chain(others).collect::<Vec<u8>>()))
            },
            WITHDRAWN,
        )
        .for_ours(),
        row(
            "5,000 large communities",
            |c| {
                let value: Vec<u8> =
                    (0..5000u32).flat_map(|n| [n, 1, 2]).flat_map(u32::to_be_bytes).collect();
                c.with(32, &attr(OT, 32, &value))
            },
            WITHDRAWN,
        )
        .for_ours(),
        row(
            "3,000 IPv6 extended communities",
            |c| {
                let value: Vec<u8> =
                    (0..3000u32).flat_map(|n| [&[0, 2][..], &[0; 14], &n.to_be_bytes()].concat()).collect();
                c.with(25, &attr(OT, 25, &value))
            },
            Expect::Lives(None),
        )
        // FRR 10.3 ends at it.
        .for_ours(),
        row(
            "180 unknown attributes",
            |c| {
                let more: Vec<u8> =
                    (66..=245u8).filter(|n| *n != 128).flat_map(|code| attr(OT, code, &[1; 40])).collect();
                c.announce(&[c.all_but(&[]), more].concat())
            },
            WITHDRAWN,
        )
        .for_ours(),
        row(
            "TUNNEL_ENCAP of 16,000 TLVs (2026-03)",
            |c| c.with(23, &attr(OT, 23, &[0, 1, 0, 0].repeat(16_000))),
            Expect::Lives(None),
        )
        // FRR 10.3 is busy with it for a minute.
        .for_ours(),
        row(
            "TUNNEL_ENCAP of 30,000 sub-TLVs (2026-03)",
            |c| {
                let value = [&[0, 1][..], &60_000u16.to_be_bytes(), &[99, 0].repeat(30_000)].concat();
                c.with(23, &attr(OT, 23, &value))
            },
            Expect::Lives(None),
        )
        // FRR 10.3 is busy with it for a minute.
        .for_ours(),
    ]
}

/// RFC 7313.
fn refresh_markers() -> Vec<Case> {
    let row = |name: &str, messages: &[&[u8]], expect| {
        let octets: Vec<u8> = messages.iter().flat_map(|body| message(REFRESH, body)).collect();
        Case::update(format!("refresh markers: {name}"), move |_: &Ctx| octets.clone(), expect)
            .agreeing(&[capability(70, &[])])
            .for_ours()
    };
    let (begin, end): (&[u8], &[u8]) = (&[0, 1, 1, 1], &[0, 1, 2, 1]);
    vec![
        row("an end without a beginning", &[end], Expect::Ignored),
        row("a beginning, three times", &[begin, begin, begin], Expect::Ignored),
        row("a beginning and an end with nothing between", &[begin, end], WITHDRAWN),
        row("two ends", &[begin, end, end], WITHDRAWN),
        row("the beginning of a family nobody agreed on", &[&[0, 25, 1, 70]], Expect::Ignored),
        row("the end of a family nobody agreed on", &[&[0, 25, 2, 70]], Expect::Ignored),
        row("an end of the other family", &[begin, &[0, 2, 2, 1]], Expect::Ignored),
        row("a subtype nobody knows", &[&[0, 1, 3, 1], &[0, 1, 255, 1]], Expect::Ignored),
        row("a beginning of 5 octets", &[&[0, 1, 1, 1, 0]], Expect::Reset(&[(7, 1), (1, 2)])),
        row("an end of 3 octets", &[&[0, 1, 2]], Expect::Reset(&[(7, 1), (1, 2)])),
        row(
            "both, of both families",
            &[begin, &[0, 2, 1, 1], end, &[0, 2, 2, 1]],
            Expect::Withdrawn(Which::Both),
        ),
        Case::update(
            "refresh markers: not agreed on",
            |_| [message(REFRESH, &[0, 1, 1, 1]), message(REFRESH, &[0, 1, 2, 1])].concat(),
            Expect::Open,
        ),
        Case::update(
            "refresh markers: 2,000 beginnings and ends around a route",
            |ctx| {
                let one = [
                    message(REFRESH, &[0, 1, 1, 1]),
                    ctx.announce(&ctx.all_but(&[])),
                    message(REFRESH, &[0, 1, 2, 1]),
                ];
                one.concat().repeat(2000)
            },
            kept(),
        )
        .agreeing(&[capability(70, &[])])
        .for_ours(),
    ]
}

/// RFC 8538, 9003, 9384; on sessions where a NOTIFICATION may be a restart.
fn notifications() -> Vec<Case> {
    let row = |name: &str, body: Vec<u8>| {
        let octets = message(NOTIFICATION, &body);
        Case::update(format!("NOTIFICATION: {name}"), move |_: &Ctx| octets.clone(), Expect::Closed)
    };
    let hard = |name: &str, inner: &[u8]| {
        row(name, [&[6, 9][..], inner].concat())
            .agreeing(&[capability(64, &[0x40, 120, 0, 1, 1, 0x80, 0, 2, 1, 0x80])])
            // One of them ends FRR 10.3.
            .for_ours()
    };
    vec![
        hard("hard reset, graceful restart agreed", &[6, 2]),
        hard("hard reset of nothing, graceful restart agreed", &[]),
        hard("hard reset of one octet", &[6]),
        hard("hard reset of a hard reset", &[6, 9, 6, 9, 6, 9]),
        hard("hard reset of code 250", &[250, 250, 1, 2, 3]),
        hard("hard reset with a text past the end", &[6, 2, 255, b'x']),
        row("Cease with a text of 255 octets that are no UTF-8", [&[6, 2, 255][..], &[0xf8; 255]].concat()),
        row("Cease with a text that turns around", [&[6, 4, 8][..], "\u{202e}abcde".as_bytes()].concat()),
        row("Cease with a text that ends a JSON string", [&[6, 2, 12][..], br#"","x":{"y":1"#].concat()),
        row("Cease with a text of C1 controls", [&[6, 2, 6][..], "\u{9b}2J\u{85}".as_bytes()].concat()),
        row("Cease for BFD", vec![6, 10]),
        row("Cease of subcode 255", vec![6, 255, 3, b'a', b'b', b'c']),
        row("hold timer with data", [&[4, 0][..], &[9; 200]].concat()),
        row("send hold timer", vec![8, 0]),
        row("loss of LSDB (code 9)", vec![9, 0, 1]),
    ]
}

/// Confederation segments where there is no confederation, and AS 0 from inside (2026-05).
fn confederations() -> Vec<Case> {
    let path = |name: &str, value: &[u8], expect| {
        let octets = attr(0x40, 2, value);
        Case::update(format!("iBGP path: {name}"), move |ctx: &Ctx| ctx.with(2, &octets), expect)
            .from(Peer::Internal)
    };
    vec![
        path("AS 0 (2026-05)", &[2, 1, 0, 0, 0, 0], WITHDRAWN),
        path("AS 0 in a confederation's set", &[4, 1, 0, 0, 0, 0], WITHDRAWN),
        path("255 empty segments", &[2, 0].repeat(255), WITHDRAWN),
        Case::update(
            "OTC and AS 0 in one route",
            |ctx| {
                ctx.announce(
                    &[ctx.all_but(&[2]), attr(0x40, 2, &[2, 1, 0, 0, 0, 0]), attr(OT, OTC, &[0; 4])].concat(),
                )
            },
            Expect::Withdrawn(Which::V4),
        ),
        Case::update(
            "OTC kept where nobody has a role",
            |ctx| ctx.with(OTC, &attr(OT, OTC, &[0, 0, 0, 9])),
            kept_with(OT, OTC, &[0, 0, 0, 9]),
        ),
    ]
}
