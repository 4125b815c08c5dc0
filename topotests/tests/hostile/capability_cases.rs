//! Capabilities of an OPEN that are malformed, doubled, huge, contradict each other, or carry text made for terminals.

use super::case::{Case, Ctx, Expect, HOSTILE_AS};
use super::octets::{OpenSpec, capability, extended_parameters, four_octet_as, parameters};

const UP: Expect = Expect::Ignored;
const MISMATCH: Expect = Expect::Reset(&[(2, 11)]);

pub fn all() -> Vec<Case> {
    let mut cases = restarts();
    cases.extend(filters_and_paths());
    cases.extend(roles());
    cases.extend(texts());
    cases.extend(many());
    cases.extend(dynamic());
    cases
}

/// An OPEN with these beside the usual ones.
fn caps(name: &str, list: &[(u8, &[u8])], expect: Expect) -> Case {
    let more: Vec<Vec<u8>> = list.iter().map(|(code, value)| capability(*code, value)).collect();
    let build = move |ctx: &Ctx| {
        let all = [vec![usual()], more.clone()].concat().concat();
        // Of what one parameter does not hold, lengths have two octets.
        let parameters = if all.len() > 250 { extended_parameters(&[&all]) } else { parameters(&[&all]) };
        OpenSpec { parameters, ..OpenSpec::usual(HOSTILE_AS, ctx.local) }.encode()
    };
    Case::opening(format!("OPEN: capability: {name}"), build, expect)
}

/// Graceful restart (RFC 4724, 8538) and its long-lived kind (RFC 9494).
fn restarts() -> Vec<Case> {
    let every_family: Vec<u8> =
        (0..63u16).flat_map(|n| [(n >> 6) as u8, (n + 1) as u8, (n % 9) as u8, 0x80]).collect();
    let huge = [&[0x40, 120][..], &every_family[..248]].concat();
    let again = [0, 1, 1, 0x80, 0xff, 0xff, 0xff].repeat(36);
    vec![
        caps("graceful restart, empty", &[(64, &[])], Expect::Open),
        caps("graceful restart twice", &[(64, &[0, 9]), (64, &[0x4f, 0xff, 0, 1, 1, 0x80])], UP),
        caps("graceful restart of 62 families", &[(64, &huge)], UP),
        caps(
            "graceful restart, one family many times",
            &[(64, &[&[0, 9][..], &[0, 1, 1, 0].repeat(60)].concat())],
            UP,
        ),
        caps("graceful restart of families nobody knows", &[(64, &[0, 9, 0, 99, 99, 0x80])], UP),
        caps("graceful restart that restarts for 4,095 seconds", &[(64, &[0x8f, 0xff, 0, 1, 1, 0x80])], UP),
        caps("graceful restart with every flag", &[(64, &[0xff, 0xff, 0, 1, 1, 0xff])], UP),
        caps("long-lived graceful restart alone", &[(71, &[0, 1, 1, 0x80, 0, 0, 9])], UP),
        caps("long-lived graceful restart, empty", &[(64, &[0, 9, 0, 1, 1, 0]), (71, &[])], UP),
        caps("long-lived graceful restart of 8 octets", &[(64, &[0, 9, 0, 1, 1, 0]), (71, &[0; 8])], UP),
        caps(
            "long-lived graceful restart, one family 36 times",
            &[(64, &[0, 9, 0, 1, 1, 0]), (71, &again)],
            UP,
        ),
        caps(
            "long-lived graceful restart twice",
            &[(71, &[0, 1, 1, 0x80, 0, 0, 9]), (71, &[0, 1, 1, 0, 0xff, 0xff, 0xff])],
            UP,
        ),
    ]
}

/// ORF (RFC 5291), add-path (RFC 7911), limits of paths, next hops (RFC 8950).
fn filters_and_paths() -> Vec<Case> {
    vec![
        caps("ORF of an unknown type and direction", &[(3, &[0, 1, 0, 1, 1, 99, 9])], UP)
            .with(&["capability orf prefix-list both"]),
        caps("ORF twice, the second malformed", &[(3, &[0, 1, 0, 1, 1, 64, 3]), (3, &[0, 1, 0])], UP)
            .with(&["capability orf prefix-list both"])
            .for_ours(),
        caps("ORF, one type 120 times", &[(3, &[&[0, 1, 0, 1, 120][..], &[64, 3].repeat(120)].concat())], UP)
            .with(&["capability orf prefix-list both"]),
        caps("ORF of no entries", &[(3, &[0, 1, 0, 1, 0])], UP),
        caps("ORF, empty", &[(3, &[])], Expect::Open),
        caps("add-path, empty", &[(69, &[])], UP),
        caps("add-path of modes 0 and 255", &[(69, &[0, 1, 1, 0, 0, 2, 1, 255])], UP),
        caps("add-path, one family in contradiction", &[(69, &[0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1])], UP),
        caps("add-path of 63 families nobody knows", &[(69, &[0, 77, 99, 3].repeat(63))], UP),
        caps("paths-limit without add-path", &[(76, &[0, 1, 1, 0, 5])], UP),
        caps("paths-limit of zero", &[(69, &[0, 1, 1, 1]), (76, &[0, 1, 1, 0, 0])], UP),
        caps("paths-limit of 4 octets", &[(69, &[0, 1, 1, 1]), (76, &[0, 1, 1, 0])], Expect::Open),
        caps("paths-limit, empty", &[(69, &[0, 1, 1, 1]), (76, &[])], Expect::Open),
        caps("paths-limit of one family 50 times", &[(76, &[0, 1, 1, 0xff, 0xff].repeat(50))], UP),
        caps("extended next hop of families nobody knows", &[(5, &[0, 99, 0, 99, 0, 99].repeat(40))], UP),
        caps("four-octet AS twice, the second another", &[(65, &[0, 0, 0xfd, 0xe7])], Expect::Open),
        caps(
            "four-octet AS of 5 octets (2026-03)",
            &[(65, &[0, 0, 0xfe, 0x4c, 0])],
            Expect::Reset(&[(2, 255)]),
        ),
        caps("extended message and enhanced refresh twice", &[(6, &[]), (6, &[]), (70, &[]), (70, &[])], UP),
        caps("enhanced refresh with a value", &[(70, &[1, 2, 3])], Expect::Open),
        caps("families this router does not speak", &[(1, &[0, 25, 0, 70]), (1, &[0, 1, 0, 133])], UP),
        caps("multiprotocol with its reserved octet set", &[(1, &[0, 1, 0xff, 1])], UP),
    ]
}

/// RFC 9234 §4.2.
fn roles() -> Vec<Case> {
    vec![
        caps("role that does not fit", &[(9, &[0])], MISMATCH).configured(&["local-role provider"]),
        caps("role nobody knows", &[(9, &[200])], MISMATCH).configured(&["local-role provider"]),
        caps("role twice in contradiction", &[(9, &[3]), (9, &[4])], MISMATCH)
            .configured(&["local-role provider"]),
        caps("role twice the same", &[(9, &[3]), (9, &[3])], UP).configured(&["local-role provider"]),
        caps("role missing where it is asked for strictly", &[], MISMATCH)
            .configured(&["local-role provider strict-mode"]),
        caps("role missing", &[], UP).configured(&["local-role provider"]),
        caps("role of no octets where one is asked for", &[(9, &[])], Expect::Open)
            .configured(&["local-role provider strict-mode"]),
    ]
}

/// What shows and logs print: nothing of it may steer a terminal or break JSON.
fn texts() -> Vec<Case> {
    let name =
        |host: &[u8], domain: &[u8]| [&[host.len() as u8][..], host, &[domain.len() as u8], domain].concat();
    let escape = b"\x1b]0;owned\x07\x1b[31m";
    vec![
        caps("host name that steers a terminal", &[(73, &name(escape, b"\x1b[2J\r\nrouter"))], UP),
        caps(
            "host name of C1 controls",
            &[(73, &name("\u{9b}31m\u{85}".as_bytes(), "\u{9d}".as_bytes()))],
            UP,
        ),
        caps(
            "host name that turns the text around",
            &[(73, &name("\u{202e}r1\u{2066}".as_bytes(), b""))],
            UP,
        ),
        caps("host name that ends a JSON string", &[(73, &name(br#"","x":{"a":"\"#, br#"\u0000"}"#))], UP),
        caps("host name that is a log line", &[(73, &name(b"a\n2026/01/01 BGP: %ADJCHANGE", b"%s%n%x"))], UP),
        caps("host name of 255 octets", &[(73, &[&[253][..], &[b'h'; 253], &[0]].concat())], UP),
        caps("host name twice", &[(73, &name(b"one", b"")), (73, &name(b"two", b"x"))], UP),
        caps("host name of markup", &[(73, &name(b"<script>alert(1)</script>", b"&amp;"))], UP),
        caps(
            "software version that ends a JSON string",
            &[(75, &[&[20][..], br#"v1","up":true,"x":"\"#].concat())],
            UP,
        ),
        caps(
            "software version that steers a terminal",
            &[(75, &[&[escape.len() as u8][..], escape].concat())],
            UP,
        ),
        caps("software version that is no UTF-8", &[(75, &[6, 0xff, 0xfe, 0xc0, 0x80, 0xf8, 0x88])], UP),
        caps("software version of 254 octets", &[(75, &[&[254][..], &[b'v'; 254]].concat())], UP),
    ]
}

fn with_parameters(name: &str, parameters: Vec<u8>, expect: Expect) -> Case {
    let build = move |ctx: &Ctx| {
        OpenSpec { parameters: parameters.clone(), ..OpenSpec::usual(HOSTILE_AS, ctx.local) }.encode()
    };
    Case::opening(format!("OPEN: capability: {name}"), build, expect)
}

fn usual() -> Vec<u8> {
    [&[1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 2, 0][..], &four_octet_as(HOSTILE_AS)].concat()
}

fn many() -> Vec<Case> {
    let empties: Vec<u8> = (128..=247u8).flat_map(|code| capability(code, &[])).collect();
    let all = [usual(), empties.repeat(16)].concat();
    vec![
        with_parameters(
            "1,900 unknown ones without a value, extended form (2026-03)",
            extended_parameters(&[&all]),
            UP,
        ),
        with_parameters(
            "each in a parameter of its own, extended form",
            extended_parameters(&[&usual()[..6], &usual()[6..12], &usual()[12..14], &usual()[14..]]),
            UP,
        ),
        with_parameters("parameters without capabilities", parameters(&[&[], &usual(), &[]]), UP),
        with_parameters(
            "an unknown parameter of 0xFF in the extended form (CVE-2022-40302)",
            [&[255, 255, 0, 5, 255, 0, 2, 1, 2][..]].concat(),
            Expect::Reset(&[(2, 255)]),
        ),
        with_parameters(
            "a parameter of 0xFF with one octet behind it (CVE-2022-36440)",
            vec![2, 255, 1],
            Expect::Reset(&[(2, 255)]),
        ),
    ]
}

/// Messages of draft-ietf-idr-dynamic-cap after its capability: where only one end has it, their type is unknown; where both
/// have, what is passed over costs nothing, and what cannot be followed ends the session.
fn dynamic() -> Vec<Case> {
    let agreed = |name: &str, body: &[u8], expect: Expect| {
        let octets = topotests::bgp::wire::message(6, body);
        Case::update(format!("CAPABILITY agreed: {name}"), move |_: &Ctx| octets.clone(), expect)
            .configured(&["capability dynamic"])
            .agreeing(&[capability(67, &[])])
            .for_ours()
    };
    let fault = || Expect::Reset(&[(6, 255), (7, 255), (1, 255)]);
    let row = |name: &str, body: &[u8]| {
        let octets = topotests::bgp::wire::message(6, body);
        Case::update(format!("CAPABILITY: {name}"), move |_: &Ctx| octets.clone(), Expect::Reset(&[(1, 3)]))
            .agreeing(&[capability(67, &[])])
    };
    vec![
        row("empty", &[]),
        row("shorter than its header (CVE-2022-37032)", &[0, 0]),
        row("multiprotocol of a wrong length (CVE-2024-31949)", &[0, 1, 0, 0, 0, 1]),
        row("graceful restart of a wrong length (CVE-2024-31949)", &[0, 64, 0, 1, 0]),
        row("software version past the end (2026-04)", &[0, 75, 0, 9, 200, b'v']),
        row("of 4,000 octets", &[7; 4000]),
        agreed("shorter than its header (CVE-2022-37032)", &[0, 73], fault()),
        agreed("a value past the end", &[0, 73, 9, 1, b'x'], fault()),
        agreed("an action that is none", &[9, 73, 0], fault()),
        agreed("multiprotocol of a wrong length (CVE-2024-31949)", &[0, 1, 1, 0], Expect::Open),
        agreed("graceful restart of a wrong length (CVE-2024-31949)", &[0, 64, 1, 0], UP),
        agreed("software version past the end (2026-04)", &[0, 75, 2, 200, b'v'], UP),
        agreed("host name that steers a terminal", b"\x00\x49\x06\x04\x1b[2J\x00", UP),
        agreed("taking back what was never there", &[1, 77, 0, 1, 200, 0, 1, 9, 0], UP),
        agreed("800 host names in one message", &[0, 73, 2, 0, 0].repeat(800), UP),
        agreed("four-octet AS of a wrong length", &[0, 65, 1, 0], Expect::Open),
    ]
}
