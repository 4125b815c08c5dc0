//! Everything but UPDATE: headers, OPEN and capabilities, NOTIFICATION, ROUTE-REFRESH, messages out of turn.

use topotests::bgp::wire::{self, NOTIFICATION, OPEN, message};

use super::case::{Case, Ctx, Expect, HOSTILE_AS, Peer};
use super::octets::{OpenSpec, capability, extended_parameters, four_octet_as, framed, parameters, update};

const REFRESH: u8 = 5;
/// The session must come up, with a route passed on.
const UP: Expect = Expect::Ignored;

pub fn all() -> Vec<Case> {
    let mut cases = headers();
    cases.extend(opens());
    cases.extend(broken_parameters());
    cases.extend(capabilities());
    cases.extend(out_of_turn());
    cases.extend(notifications());
    cases.extend(refreshes());
    cases
}

fn headers() -> Vec<Case> {
    let row = |name: &str, length: u16, kind: u8, body: usize, expect: Expect| {
        let octets = framed(0xff, length, kind, &vec![0; body]);
        Case::update(format!("header: {name}"), move |_: &Ctx| octets.clone(), expect)
    };
    let bad_length = || Expect::Reset(&[(1, 2)]);
    let bad_type = || Expect::Reset(&[(1, 3)]);
    vec![
        Case::update("header: marker of zeros", |_| framed(0, 19, 4, &[]), Expect::Reset(&[(1, 1)])),
        Case::update(
            "header: marker with its last octet wrong",
            |_| [vec![0xff; 15], vec![0xfe, 0, 19, 4]].concat(),
            Expect::Reset(&[(1, 1)]),
        ),
        Case::update(
            "header: text of another protocol",
            |_| b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            Expect::Reset(&[(1, 1)]),
        ),
        row("length 0", 0, 4, 0, bad_length()),
        row("length 18", 18, 4, 0, bad_length()),
        row("length 4,097", 4097, 2, 4078, bad_length()),
        row("length 65,535", 65535, 2, 0, bad_length()),
        row("KEEPALIVE of 20 octets", 20, 4, 1, bad_length()),
        row("KEEPALIVE of 4,096 octets", 4096, 4, 4077, bad_length()),
        row("OPEN of 28 octets", 28, 1, 9, Expect::Reset(&[(1, 2)])),
        row("UPDATE of 22 octets", 22, 2, 3, bad_length()),
        row("NOTIFICATION of 20 octets", 20, 3, 1, Expect::Open),
        row("type 0", 19, 0, 0, bad_type()),
        row("type 6 (a CAPABILITY message, CVE-2022-37032)", 24, 6, 5, bad_type()),
        row("type 7", 19, 7, 0, bad_type()),
        row("type 255", 19, 255, 0, bad_type()),
        Case::update(
            "header: dynamic capability that never advances (CVE-2024-31949)",
            |_| message(6, &[0, 1, 0, 1, 64, 0]),
            Expect::Reset(&[(1, 3)]),
        ),
    ]
}

/// An OPEN that differs from a good one in what `change` does to it.
fn open(name: &str, change: impl Fn(&mut OpenSpec) + 'static, expect: Expect) -> Case {
    let build = move |ctx: &Ctx| {
        let mut spec = OpenSpec::usual(HOSTILE_AS, ctx.local);
        change(&mut spec);
        spec.encode()
    };
    Case::opening(format!("OPEN: {name}"), build, expect)
}

fn opens() -> Vec<Case> {
    vec![
        open("version 3", |o| o.version = 3, Expect::Reset(&[(2, 1)])),
        open("version 5", |o| o.version = 5, Expect::Reset(&[(2, 1)])),
        open("version 0", |o| o.version = 0, Expect::Reset(&[(2, 1)])),
        open("hold time 1", |o| o.hold = 1, Expect::Reset(&[(2, 6)])),
        open("hold time 2", |o| o.hold = 2, Expect::Reset(&[(2, 6)])),
        open("hold time 65,535", |o| o.hold = 65535, UP),
        open(
            "wrong AS",
            |o| {
                o.asn = 64999;
                o.parameters = with_caps(&[four_octet_as(64999)]);
            },
            Expect::Reset(&[(2, 2)]),
        ),
        open(
            "wrong AS behind the right one",
            |o| o.parameters = with_caps(&[four_octet_as(64999)]),
            Expect::Reset(&[(2, 2)]),
        ),
        open(
            "AS 0",
            |o| {
                o.asn = 0;
                o.parameters = with_caps(&[]);
            },
            Expect::Reset(&[(2, 2)]),
        ),
        open(
            "AS 0 as a number of four octets",
            |o| o.parameters = with_caps(&[four_octet_as(0)]),
            Expect::Reset(&[(2, 2)]),
        ),
        open("identifier 0.0.0.0", |o| o.router_id = [0; 4].into(), Expect::Reset(&[(2, 3)])),
        Case::opening(
            "OPEN: identifier of the router itself, iBGP",
            |ctx| OpenSpec::usual(ctx.asn(), [10, 0, 0, 1].into()).encode(),
            Expect::Reset(&[(2, 3)]),
        )
        .from(Peer::Internal),
        open("identifier 255.255.255.255", |o| o.router_id = [255; 4].into(), Expect::Open),
        open("no optional parameters", |o| o.parameters = vec![0], Expect::Open),
        open(
            "authentication parameter",
            |o| o.parameters = vec![6, 1, 4, 0, 0, 0, 0],
            Expect::Reset(&[(2, 4)]),
        ),
        open("unknown parameter 77", |o| o.parameters = vec![4, 77, 2, 0, 0], Expect::Reset(&[(2, 4)])),
        Case::opening(
            "OPEN: longer than 4,096 octets",
            |_| framed(0xff, 5000, OPEN, &[4; 4981]),
            Expect::Reset(&[(1, 2)]),
        ),
    ]
}

fn with_caps(more: &[Vec<u8>]) -> Vec<u8> {
    OpenSpec::with(HOSTILE_AS, [1; 4].into(), more).parameters
}

/// Lengths that lie (CVE-2022-36440, -40302, -40318, -43681).
fn broken_parameters() -> Vec<Case> {
    let rows: &[(&str, &[u8])] = &[
        ("extended form, nothing behind", &[255, 255]),
        ("extended form, one octet left", &[255, 255, 0]),
        ("extended form past the end", &[255, 255, 0, 9, 2]),
        ("extended parameter past the end", &[255, 255, 0, 3, 2, 0, 9]),
        ("short lengths in the extended form", &[255, 255, 0, 4, 2, 2, 2, 0]),
        ("two octets that say extended", &[2, 255, 255]),
        ("parameters past the end", &[9, 2, 0]),
        ("a parameter past its field", &[2, 2, 9]),
        ("a parameter without length", &[1, 2]),
        ("octets behind the parameters", &[0, 1, 2]),
        ("a capability past its parameter", &[4, 2, 2, 1, 4]),
        ("a capability without length", &[3, 2, 1, 2]),
        ("length 255, one octet behind", &[255, 2]),
    ];
    rows.iter()
        .map(|(name, octets)| {
            let octets = octets.to_vec();
            open(name, move |o| o.parameters.clone_from(&octets), Expect::Reset(&[(2, 255)]))
        })
        .collect()
}

/// A good OPEN with one more capability.
fn cap(name: &str, code: u8, value: &[u8], expect: Expect) -> Case {
    let one = capability(code, value);
    let parameters = with_caps(&[four_octet_as(HOSTILE_AS), one]);
    open(&format!("capability: {name}"), move |o| o.parameters.clone_from(&parameters), expect)
}

fn capabilities() -> Vec<Case> {
    let fault = || Expect::Reset(&[(2, 255)]);
    let mut cases = vec![
        cap("multiprotocol of 0 octets (CVE-2018-5381)", 1, &[], fault()),
        cap("multiprotocol of 3 octets", 1, &[0, 1, 0], fault()),
        cap("multiprotocol of 5 octets", 1, &[0, 1, 0, 1, 9], fault()),
        cap("multiprotocol of an unknown family", 1, &[0, 77, 0, 99], UP),
        cap("four-octet AS of 3 octets", 65, &[0, 1, 2], fault()),
        cap("four-octet AS of 0 octets", 65, &[], fault()),
        cap("code 0", 0, &[], UP),
        cap("code 255 of 100 octets (CVE-2018-5380)", 255, &[9; 100], UP),
        cap("role (code 9)", 9, &[3], UP),
        cap("role of 2 octets", 9, &[3, 3], Expect::Open),
        cap("graceful restart of 1 octet", 64, &[0], Expect::Open),
        cap("graceful restart with half a family", 64, &[0, 120, 0, 1], Expect::Open),
        cap("long-lived graceful restart of 6 octets (CVE-2023-31489)", 71, &[0, 1, 1, 0, 0, 9], UP),
        cap("host name past the end (2024-06)", 73, &[200, b'r', b'1'], UP),
        cap("domain name past the end", 73, &[2, b'r', b'1', 99, b'x'], UP),
        cap("host name of no text", 73, &[4, 0xff, 0x1b, b'[', 0, 0], UP),
        cap("host name empty", 73, &[], UP),
        cap("software version past the end (CVE-2023-41361)", 75, &[200, b'v'], UP),
        cap("software version of length 0 (CVE-2025-43971)", 75, &[0], UP),
        cap("software version empty", 75, &[], UP),
        cap("software version with control characters", 75, &[5, 0x1b, b'[', b'2', b'J', 10], UP),
        cap("ORF with a wrong count of entries (CVE-2012-1820)", 3, &[0, 1, 0, 1, 9, 64, 1], Expect::Open),
        cap("ORF with entries past the end", 3, &[0, 1, 0, 1, 200], Expect::Open),
        cap("add-path of 3 octets", 69, &[0, 1, 1], Expect::Open),
        cap("add-path of mode 9", 69, &[0, 1, 1, 9], UP),
        cap("extended next hop of 5 octets", 5, &[0, 1, 0, 1, 0], Expect::Open),
        cap("extended message with a value", 6, &[1], Expect::Open),
        cap("route refresh with a value", 2, &[1], Expect::Open),
        cap("link-local next hop (code 77) with a value", 77, &[1, 2, 3], Expect::Open),
        cap("dynamic capability (67)", 67, &[], UP),
    ];
    cases.push(open(
        "everything in the extended form",
        |o| {
            let caps = with_caps(&[four_octet_as(HOSTILE_AS)]);
            o.parameters = extended_parameters(&[caps.get(3..).unwrap_or_default()]);
        },
        UP,
    ));
    cases.push(open(
        "4,000 octets of unknown capabilities",
        |o| {
            let mut caps = with_caps(&[four_octet_as(HOSTILE_AS)]).get(3..).unwrap_or_default().to_vec();
            for n in 0..15 {
                caps.extend(capability(200 + n, &[n; 250]));
            }
            o.parameters = extended_parameters(&[&caps]);
        },
        UP,
    ));
    cases.push(open(
        "the same capabilities many times",
        |o| {
            let caps = with_caps(&[four_octet_as(HOSTILE_AS)]);
            let one = caps.get(3..).unwrap_or_default();
            o.parameters = parameters(&[one; 10]);
        },
        UP,
    ));
    cases
}

fn out_of_turn() -> Vec<Case> {
    let good = |ctx: &Ctx| OpenSpec::usual(ctx.asn(), ctx.local).encode();
    vec![
        Case::opening(
            "out of turn: KEEPALIVE instead of OPEN",
            |_| wire::keepalive(),
            Expect::Reset(&[(5, 255)]),
        ),
        Case::opening(
            "out of turn: UPDATE instead of OPEN",
            |ctx| ctx.announce(&ctx.all_but(&[])),
            Expect::Reset(&[(5, 255)]),
        ),
        Case::opening(
            "out of turn: ROUTE-REFRESH instead of OPEN",
            |_| message(REFRESH, &[0, 1, 0, 1]),
            Expect::Reset(&[(5, 255)]),
        ),
        Case::opening(
            "out of turn: UPDATE instead of KEEPALIVE",
            move |ctx| [good(ctx), update(&[], &[], &[])].concat(),
            Expect::Reset(&[(5, 255)]),
        ),
        Case::opening("out of turn: OPEN twice", move |ctx| good(ctx).repeat(2), Expect::Reset(&[(5, 255)])),
        Case::update(
            "out of turn: OPEN on an established session",
            move |ctx| good(ctx),
            Expect::Reset(&[(5, 3), (5, 0)]),
        ),
        Case::opening(
            "out of turn: NOTIFICATION instead of OPEN",
            |_| message(NOTIFICATION, &[6, 2]),
            Expect::Closed,
        ),
        Case::opening(
            "out of turn: text instead of OPEN",
            |_| b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
            Expect::Reset(&[(1, 1)]),
        ),
    ]
}

fn notifications() -> Vec<Case> {
    let row = |name: &str, body: Vec<u8>| {
        let octets = message(NOTIFICATION, &body);
        Case::update(format!("NOTIFICATION: {name}"), move |_: &Ctx| octets.clone(), Expect::Closed)
    };
    let text = |length: u8, text: &[u8]| [&[6, 2, length][..], text].concat();
    vec![
        row("Cease with a text of 128 octets", text(128, &[b'x'; 128])),
        row("Cease with a text of 255 octets (CVE-2019-16159)", text(255, &[b'x'; 255])),
        row("Cease with a text longer than the message", text(200, b"short")),
        row("Cease with a text shorter than the message", text(2, b"longer than it says")),
        row("Cease with a text that is no UTF-8", text(6, &[0xff, 0xfe, 0xc0, 0x80, 0x1b, 0])),
        row("Cease with control characters", text(7, b"\x1b[2J\r\n\0")),
        row("Cease with length and no text", text(9, &[])),
        row("code 0", vec![0, 0]),
        row("code 250 (CVE-2018-5380)", vec![250, 250]),
        row("OPEN error of an unknown subcode", vec![2, 99, 1, 2, 3]),
        row("of 4,077 octets", [vec![3, 1], vec![9; 4075]].concat()),
        row("with the hard reset of nothing", vec![6, 9]),
        Case::update(
            "NOTIFICATION: two of them and garbage in one segment",
            |_| [message(NOTIFICATION, &[6, 4]), message(NOTIFICATION, &[6, 4]), vec![0; 50]].concat(),
            Expect::Closed,
        ),
        Case::update(
            "NOTIFICATION: right behind an UPDATE that deserves one",
            |_| [update(&[33, 1, 2, 3, 4, 5], &[], &[]), message(NOTIFICATION, &[6, 4])].concat(),
            Expect::Open,
        ),
    ]
}

fn refreshes() -> Vec<Case> {
    let row = |name: &str, body: &'static [u8], expect| {
        Case::update(format!("ROUTE-REFRESH: {name}"), |_: &Ctx| message(REFRESH, body), expect)
    };
    let length = || Expect::Reset(&[(7, 1), (1, 2)]);
    vec![
        row("empty", &[], length()),
        row("of 3 octets", &[0, 1, 0], length()),
        row("good", &[0, 1, 0, 1], UP),
        row("of an unknown family", &[0, 99, 0, 99], UP),
        row("of subtype 9", &[0, 1, 9, 1], UP),
        row(
            "with an ORF entry at the very end (CVE-2023-41360)",
            &[0, 1, 0, 1, 1, 64, 0, 1, 0],
            Expect::Open,
        ),
        row("with an ORF longer than the message", &[0, 1, 0, 1, 1, 64, 0xff, 0xff, 0], Expect::Open),
        row("with one octet too many", &[0, 1, 0, 1, 1], Expect::Open),
        Case::update("ROUTE-REFRESH: 500 in one go", |_| message(REFRESH, &[0, 1, 0, 1]).repeat(500), UP),
    ]
}
