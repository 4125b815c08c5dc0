//! The attribute table of RFC 7606 and its kin, row by row, for external and internal sessions.

use topotests::bgp::attrs::{self, sequence};

use super::case::{Case, Ctx, Expect, HOSTILE_AS, Peer, WITHDRAWN, kept, kept_with, kept_without};
use super::octets::{OPTIONAL, OT, PARTIAL, TRANSITIVE, attr, tlv2};

const WELL_KNOWN: u8 = TRANSITIVE;
const DISCARDED: &str = "attributesDiscarded";

pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for peer in [Peer::External, Peer::Internal] {
        cases.extend(lengths(peer));
        cases.extend(values(peer));
        cases.extend(flags(peer));
        cases.extend(structured(peer));
        cases.extend(unknown(peer));
    }
    cases.extend(by_kind_of_session());
    cases.extend(as_numbers_of_two_octets());
    cases
}

fn word(peer: Peer) -> &'static str {
    if peer == Peer::Internal { "iBGP" } else { "eBGP" }
}

/// One attribute put into an otherwise good route.
fn row(peer: Peer, name: &str, flags: u8, code: u8, value: &[u8], expect: Expect) -> Case {
    let octets = attr(flags, code, value);
    let build = move |ctx: &Ctx| ctx.with(code, &octets);
    Case::update(format!("{}: {name}", word(peer)), build, expect).from(peer)
}

/// Fixed lengths and multiples, missed by one.
fn lengths(peer: Peer) -> Vec<Case> {
    let rows: &[(&str, u8, u8, &[usize])] = &[
        ("ORIGIN", WELL_KNOWN, 1, &[0, 2]),
        ("NEXT_HOP", WELL_KNOWN, 3, &[0, 3, 5, 16]),
        ("MED", OPTIONAL, 4, &[0, 3, 5]),
        ("COMMUNITIES", OT, 8, &[0, 3, 5]),
        ("EXT_COMMUNITIES", OT, 16, &[0, 7, 9]),
        ("IPV6_EXT_COMMUNITIES", OT, 25, &[0, 7, 19, 21]),
        ("LARGE_COMMUNITY", OT, 32, &[0, 11, 13]),
    ];
    let withdrawn = rows.iter().flat_map(|(name, flags, code, lengths)| {
        let rows = lengths.iter().map(move |length| (*name, *flags, *code, *length));
        rows.map(|(name, flags, code, length)| {
            row(peer, &format!("{name} of {length} octets"), flags, code, &vec![1; length], WITHDRAWN)
                .counted("withdrawn")
        })
    });
    let mut cases: Vec<Case> = withdrawn.collect();
    for length in [1, 4] {
        let name = format!("ATOMIC_AGGREGATE of {length} octets");
        cases.push(row(peer, &name, WELL_KNOWN, 6, &vec![0; length], kept_without(6)).counted(DISCARDED));
    }
    for length in [0, 6, 7, 9] {
        let name = format!("AGGREGATOR of {length} octets");
        cases.push(row(peer, &name, OT, 7, &vec![1; length], kept_without(7)).counted(DISCARDED));
    }
    cases
}

fn values(peer: Peer) -> Vec<Case> {
    let first = if peer == Peer::External { sequence(&[HOSTILE_AS]) } else { Vec::new() };
    let after = |more: &[u8]| [&first[..], more].concat();
    let path = |name: &str, value: &[u8], expect| row(peer, name, WELL_KNOWN, attrs::AS_PATH, value, expect);
    let hop = |name: &str, value: [u8; 4]| row(peer, name, WELL_KNOWN, attrs::NEXT_HOP, &value, WITHDRAWN);
    vec![
        row(peer, "ORIGIN 3", WELL_KNOWN, 1, &[3], WITHDRAWN),
        row(peer, "ORIGIN 255", WELL_KNOWN, 1, &[255], WITHDRAWN),
        path("AS_PATH segment of type 0", &after(&[0, 1, 0, 0, 0, 9]), WITHDRAWN),
        path("AS_PATH segment of type 5", &after(&[5, 1, 0, 0, 0, 9]), WITHDRAWN),
        path("AS_PATH segment of type 255", &after(&[255, 1, 0, 0, 0, 9]), WITHDRAWN),
        path("AS_PATH segment without numbers", &after(&[2, 0]), WITHDRAWN),
        path("AS_PATH segment past the end", &after(&[2, 9, 0, 0, 0, 9]), WITHDRAWN),
        path("AS_PATH with one octet left over", &after(&[2]), WITHDRAWN),
        path("AS_PATH with half a number", &after(&[2, 1, 0, 9]), WITHDRAWN),
        path("AS_PATH with AS 0", &after(&sequence(&[0])), WITHDRAWN),
        path("AS_PATH with AS 0 in a set", &after(&[1, 2, 0, 0, 0, 9, 0, 0, 0, 0]), WITHDRAWN),
        path("AS_PATH of our own AS", &after(&sequence(&[65000])), WITHDRAWN),
        path("AS_PATH of 600 numbers", &after(&sequence(&(1..=600).collect::<Vec<u32>>())), kept()),
        hop("NEXT_HOP 0.0.0.0", [0, 0, 0, 0]),
        hop("NEXT_HOP 0.1.2.3", [0, 1, 2, 3]),
        hop("NEXT_HOP 127.0.0.1", [127, 0, 0, 1]),
        hop("NEXT_HOP 224.0.0.1", [224, 0, 0, 1]),
        hop("NEXT_HOP 255.255.255.255", [255; 4]),
        hop("NEXT_HOP that is the router itself", [10, 1, 0, 1]),
        row(peer, "AGGREGATOR of AS 0", OT, 7, &[0, 0, 0, 0, 10, 0, 0, 1], kept_without(7)),
        Case::update(format!("{}: 500 communities", word(peer)), many_communities, kept()).from(peer),
        row(
            peer,
            "160 large communities",
            OT,
            32,
            &large_communities(160),
            kept_with(OT, 32, &large_communities(160)),
        ),
        row(peer, "extended communities of unknown types", OT, 16, &[0x7f, 1, 2, 3, 4, 5, 6, 7], kept()),
        row(peer, "OTC of AS 0", OT, 35, &[0; 4], WITHDRAWN),
        row(peer, "OTC of 3 octets", OT, 35, &[0, 0, 9], WITHDRAWN),
        row(peer, "OTC of 1,024 octets (incident of 2025-10)", OT, 35, &[0x41; 1024], WITHDRAWN),
    ]
}

/// The mark, and 499 others.
fn many_communities(ctx: &Ctx) -> Vec<u8> {
    let others = (1..500u32).flat_map(|n| (0x1234_0000 | n).to_be_bytes());
    ctx.with(8, &attr(OT, 8, &ctx.mark.into_iter().chain(others).collect::<Vec<u8>>()))
}

fn large_communities(count: u32) -> Vec<u8> {
    (1..=count).flat_map(|n| [n, 1, 2]).flat_map(u32::to_be_bytes).collect()
}

/// Optional and transitive bits that contradict the definition; and the four bits that mean nothing.
fn flags(peer: Peer) -> Vec<Case> {
    let med = [0, 0, 0, 9];
    let path = if peer == Peer::External { sequence(&[HOSTILE_AS]) } else { Vec::new() };
    vec![
        row(peer, "ORIGIN marked optional", OT, 1, &[0], WITHDRAWN),
        row(peer, "AS_PATH marked optional", OT, 2, &path, WITHDRAWN),
        row(peer, "AS_PATH marked optional non-transitive", OPTIONAL, 2, &path, WITHDRAWN),
        row(peer, "NEXT_HOP marked optional", OT, 3, &[10, 1, 8, 1], WITHDRAWN),
        row(peer, "MED marked well-known", WELL_KNOWN, 4, &med, WITHDRAWN),
        row(peer, "MED marked transitive", OT, 4, &med, WITHDRAWN),
        row(peer, "COMMUNITIES marked well-known", WELL_KNOWN, 8, &[0, 1, 0, 1], WITHDRAWN),
        row(peer, "COMMUNITIES marked non-transitive", OPTIONAL, 8, &[0, 1, 0, 1], WITHDRAWN),
        row(peer, "ATOMIC_AGGREGATE marked optional", OT, 6, &[], Expect::Lives(None)),
        row(
            peer,
            "AGGREGATOR marked well-known",
            WELL_KNOWN,
            7,
            &[0, 0, 0, 9, 1, 1, 1, 1],
            Expect::Lives(None),
        ),
        row(peer, "LARGE_COMMUNITY marked non-transitive", OPTIONAL, 32, &large_communities(1), WITHDRAWN),
        row(peer, "EXT_COMMUNITIES marked well-known", WELL_KNOWN, 16, &[0; 8], WITHDRAWN),
        row(peer, "OTC marked well-known", WELL_KNOWN, 35, &[0, 0, 0, 9], WITHDRAWN),
        row(
            peer,
            "PREFIX_SID marked non-transitive (CVE-2024-31948)",
            OPTIONAL,
            40,
            &[1, 0, 7, 0, 0, 0, 0, 0, 0, 1],
            Expect::Lives(Some(40)),
        ),
        row(
            peer,
            "ORIGIN with all unused flag bits",
            WELL_KNOWN | 0x0f,
            1,
            &[0],
            kept_with(WELL_KNOWN, 1, &[0]),
        ),
        Case::update(
            format!("{}: ORIGIN with an extended length", word(peer)),
            |ctx| ctx.with(1, &attr(0x50, 1, &[0])),
            kept(),
        )
        .from(peer),
    ]
}

/// Attributes with an inner structure: the outer octets are right, the inner wrong.
fn structured(peer: Peer) -> Vec<Case> {
    let r = |name: &str, flags, code, value: &[u8], expect| row(peer, name, flags, code, value, expect);
    let sid_structure = |offset: u8, length: u8| {
        let inner = [&[40, 24, 16, 0][..], &[length, offset]].concat();
        let sub_sub = tlv2(1, 6, &inner);
        let info =
            [&[0][..], &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], &[0, 0, 19, 0], &sub_sub]
                .concat();
        let sub = tlv2(1, info.len() as u16, &info);
        tlv2(5, sub.len() as u16 + 1, &[&[0][..], &sub].concat())
    };
    let many_tlvs = [0, 1, 0, 0].repeat(900);
    vec![
        r("PMSI_TUNNEL of 4 octets", OT, 22, &[0; 4], WITHDRAWN),
        r("PMSI_TUNNEL whose type wants an address", OT, 22, &[0, 6, 0, 0, 0, 1, 2, 3], WITHDRAWN),
        r("TUNNEL_ENCAP of 3 octets (CVE-2023-38802)", OT, 23, &[0, 1, 0], WITHDRAWN),
        r("TUNNEL_ENCAP past the end (CVE-2024-44070)", OT, 23, &[0, 1, 0, 99, 1, 2, 3], WITHDRAWN),
        r("TUNNEL_ENCAP with an inner TLV past its end", OT, 23, &[0, 1, 0, 4, 6, 99, 1, 2], WITHDRAWN),
        r("TUNNEL_ENCAP with an inner TLV cut short", OT, 23, &[0, 1, 0, 1, 6], WITHDRAWN),
        r("TUNNEL_ENCAP with a long inner TLV cut short", OT, 23, &[0, 1, 0, 2, 128, 0], WITHDRAWN),
        r("TUNNEL_ENCAP of 900 empty tunnels", OT, 23, &many_tlvs, Expect::Lives(None)),
        r("AIGP of 2 octets (CVE-2023-41359)", OPTIONAL, 26, &[1, 0], kept_without(26)),
        r("AIGP with a TLV of length 10", OPTIONAL, 26, &tlv2(1, 10, &[0; 7]), kept_without(26)),
        r("AIGP with a TLV of length 12", OPTIONAL, 26, &tlv2(1, 12, &[0; 9]), kept_without(26)),
        r("AIGP with a TLV past the end", OPTIONAL, 26, &tlv2(1, 99, &[0; 8]), kept_without(26)),
        r("AIGP with a TLV of length 0", OPTIONAL, 26, &tlv2(1, 0, &[]), kept_without(26)),
        r("AIGP marked transitive", OT, 26, &tlv2(1, 11, &[0; 8]), kept_without(26)),
        r("AIGP where it is not enabled", OPTIONAL, 26, &tlv2(1, 11, &[0; 8]), Expect::Lives(Some(26))),
        r("BGP-LS with a TLV past the end", OPTIONAL, 29, &[4, 0, 0, 99, 1], kept_without(29)),
        r("PREFIX_SID with a TLV past the end", OT, 40, &tlv2(1, 99, &[0; 7]), kept_without(40)),
        r("PREFIX_SID of 2 octets", OT, 40, &[1, 0], kept_without(40)),
        r("PREFIX_SID with a label index of 3 octets", OT, 40, &tlv2(1, 3, &[0; 3]), kept_without(40)),
        r("PREFIX_SID with nonsense (incident of 2025-05)", OT, 40, &[0; 7], Expect::Lives(None)),
        r(
            "PREFIX_SID with only the deprecated VPN SID (#22041)",
            OT,
            40,
            &tlv2(4, 19, &[0; 19]),
            Expect::Lives(None),
        ),
        r(
            "PREFIX_SID: service sub-TLV past the end (CVE-2023-31490)",
            OT,
            40,
            &tlv2(5, 8, &[0, 1, 0, 99, 0, 0, 0, 0]),
            WITHDRAWN,
        ),
        r("PREFIX_SID: service sub-TLV cut short", OT, 40, &tlv2(5, 3, &[0, 1, 0]), WITHDRAWN),
        r(
            "PREFIX_SID: transposition past the SID (#22042)",
            OT,
            40,
            &sid_structure(128, 255),
            Expect::Lives(None),
        ),
        r("ATTR_SET with an inner attribute past the end", OT, 128, &[0, 0, 0, 9, 0x40, 1, 9, 0], WITHDRAWN),
        r("ATTR_SET of 3 octets", OT, 128, &[0, 0, 9], WITHDRAWN),
    ]
}

/// Attributes this version knows nothing of.
fn unknown(peer: Peer) -> Vec<Case> {
    let r = |name: &str, flags, code, value: &[u8], expect| row(peer, name, flags, code, value, expect);
    let passed = |code, value: &[u8]| kept_with(OT | PARTIAL, code, value);
    vec![
        r("unknown well-known attribute (CVE-2026-41642)", WELL_KNOWN, 99, &[1], Expect::Reset(&[(3, 2)])),
        r("unknown attribute neither optional nor transitive", 0, 99, &[1], Expect::Reset(&[(3, 2)])),
        r("unknown optional attribute", OPTIONAL, 99, &[1, 2, 3], kept_without(99)),
        r("unknown optional transitive attribute", OT, 99, &[1, 2, 3], passed(99, &[1, 2, 3])),
        r("unknown optional transitive attribute, empty", OT, 99, &[], passed(99, &[])),
        r("unknown optional transitive attribute, 2,000 octets", OT, 99, &[7; 2000], passed(99, &[7; 2000])),
        r(
            "attribute 255 (CVE-2019-5892)",
            OT,
            255,
            &[0, 1, 0, 4, 1, 2, 3, 4],
            passed(255, &[0, 1, 0, 4, 1, 2, 3, 4]),
        ),
        r("attribute 0", OT, 0, &[1], Expect::Lives(None)),
        r(
            "NHC whose TLV forgets its header (CVE-2026-37459)",
            OT,
            39,
            &[0, 1, 1, 4, 10, 0, 0, 1, 0, 1, 0, 4],
            Expect::Lives(None),
        ),
    ]
}

/// What depends on whether the neighbour is in our AS.
fn by_kind_of_session() -> Vec<Case> {
    let id = [10, 9, 9, 9];
    let mut cases = Vec::new();
    for length in [0, 3, 4, 5] {
        let value = vec![1; length];
        for (name, flags, code) in
            [("LOCAL_PREF", WELL_KNOWN, 5), ("ORIGINATOR_ID", OPTIONAL, 9), ("CLUSTER_LIST", OPTIONAL, 10)]
        {
            let title = format!("{name} of {length} octets");
            cases.push(row(Peer::External, &title, flags, code, &value, kept_without(code)));
            let good = length == 4;
            let expect = if good { kept_without(code) } else { WITHDRAWN };
            cases.push(row(Peer::Internal, &title, flags, code, &value, expect));
        }
    }
    cases.push(row(
        Peer::Internal,
        "CLUSTER_LIST of 100 ids",
        OPTIONAL,
        10,
        &id.repeat(100),
        kept_without(10),
    ));
    cases.push(row(
        Peer::Internal,
        "ORIGINATOR_ID of the router itself",
        OPTIONAL,
        9,
        &[10, 0, 0, 1],
        WITHDRAWN,
    ));
    cases.push(row(
        Peer::Internal,
        "CLUSTER_LIST with the router itself",
        OPTIONAL,
        10,
        &[10, 0, 0, 1],
        WITHDRAWN,
    ));
    let path = |name, value: &[u8], expect| row(Peer::External, name, WELL_KNOWN, 2, value, expect);
    cases.extend([
        path("AS_PATH that begins with another AS", &sequence(&[65199, HOSTILE_AS]), WITHDRAWN),
        path("AS_PATH that is empty", &[], WITHDRAWN),
        path("AS_PATH with a confederation segment", &[3, 1, 0, 0, 0xfe, 0x4c], WITHDRAWN),
    ]);
    cases
}

/// RFC 6793: what a neighbour of the two-octet age may and may not send.
fn as_numbers_of_two_octets() -> Vec<Case> {
    let old = |name: &str, build: fn(&Ctx) -> Vec<u8>, expect| {
        Case::update(format!("two-octet eBGP: {name}"), build, expect).from(Peer::TwoOctet)
    };
    vec![
        old(
            "AGGREGATOR of 8 octets",
            |c| c.with(7, &attr(OT, 7, &[0, 0, 0, 9, 1, 1, 1, 1])),
            kept_without(7),
        ),
        old(
            "AGGREGATOR of 6 octets",
            |c| c.with(7, &attr(OT, 7, &[0, 9, 1, 1, 1, 1])),
            kept_with(OT, 7, &[0, 0, 0, 9, 1, 1, 1, 1]),
        ),
        old("AGGREGATOR of AS 0", |c| c.with(7, &attr(OT, 7, &[0, 0, 1, 1, 1, 1])), kept_without(7)),
        old(
            "AS4_PATH with a segment of type 9",
            |c| c.with(17, &attr(OT, 17, &[9, 1, 0, 0, 0, 1])),
            kept_without(17),
        ),
        old("AS4_PATH past its end", |c| c.with(17, &attr(OT, 17, &[2, 9, 0, 0, 0, 1])), kept_without(17)),
        old("AS4_PATH empty", |c| c.with(17, &attr(OT, 17, &[])), kept_without(17)),
        old(
            "AS4_PATH longer than AS_PATH",
            |c| c.with(17, &attr(OT, 17, &sequence(&[1, 2, 3, 4]))),
            kept_without(17),
        ),
        old(
            "AS4_PATH malformed before AS_PATH (CVE-2026-41643)",
            |c| c.announce(&[attr(OT, 17, &[2, 200]), c.all_but(&[])].concat()),
            kept_without(17),
        ),
        old("AS4_PATH without AS_PATH", |c| c.with(2, &attr(OT, 17, &sequence(&[HOSTILE_AS]))), WITHDRAWN),
        old("AS4_AGGREGATOR of 7 octets", |c| c.with(18, &attr(OT, 18, &[1; 7])), kept_without(18)),
        old("AS4_AGGREGATOR without AGGREGATOR", |c| c.with(18, &attr(OT, 18, &[1; 8])), kept_without(18)),
        old(
            "AS_PATH with numbers of four octets",
            |c| c.with(2, &attr(0x40, 2, &sequence(&[HOSTILE_AS]))),
            WITHDRAWN,
        ),
        old(
            "AS_PATH of 700 numbers that grow by widening",
            |c| {
                let mut value = vec![2, 1, 0xfe, 0x4c];
                for _ in 0..4 {
                    value.extend([2, 175]);
                    value.extend([0x12, 0x34].repeat(175));
                }
                c.with(2, &attr(0x40, 2, &value))
            },
            kept(),
        ),
        row(
            Peer::External,
            "AS4_PATH from a neighbour of four octets",
            OT,
            17,
            &sequence(&[1, 2]),
            kept_without(17),
        ),
        row(
            Peer::External,
            "AS4_PATH malformed, from a neighbour of four octets",
            OT,
            17,
            &[9],
            kept_without(17),
        ),
        row(
            Peer::External,
            "AS4_AGGREGATOR from a neighbour of four octets",
            OT,
            18,
            &[1; 8],
            kept_without(18),
        ),
        row(
            Peer::Internal,
            "AS4_PATH from a neighbour of four octets",
            OT,
            17,
            &sequence(&[1, 2]),
            kept_without(17),
        ),
    ]
}
