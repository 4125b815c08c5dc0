//! NLRI of families that nobody agreed on, as malformed as they have been seen: not read, so the session lives (RFC 4760
//! §6, §7). Both ends name some of them in their OPENs or not; the router speaks IPv4 and IPv6 unicast only.

use super::case::{Case, Ctx, Expect};
use super::octets::{OPTIONAL, OT, attr, capability, update};

/// AFI, SAFI, a next hop of a length that suits.
const VPNV4: [u8; 3] = [0, 1, 128];
const LABELED: [u8; 3] = [0, 1, 4];
const FLOWSPEC: [u8; 3] = [0, 1, 133];
const FLOWSPEC6: [u8; 3] = [0, 2, 133];
const EVPN: [u8; 3] = [0, 25, 70];
const LINK_STATE: [u8; 3] = [0x40, 4, 71];
const UNREACHABILITY: [u8; 3] = [0, 1, 200];
const MULTICAST: [u8; 3] = [0, 1, 2];

pub fn all() -> Vec<Case> {
    let mut cases = routes();
    cases.extend(withdrawals());
    cases.extend(beside_others());
    cases
}

fn reach(family: [u8; 3], hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    attr(OPTIONAL, 14, &[&family[..], &[hop.len() as u8], hop, &[0], nlri].concat())
}

/// Announced to a router that was told of the family in the OPEN, and does not speak it.
fn row(name: &str, family: [u8; 3], hop: &[u8], nlri: &[u8]) -> Case {
    let octets = reach(family, hop, nlri);
    let [a, b, safi] = family;
    let build = move |ctx: &Ctx| update(&[], &[octets.clone(), ctx.all_but(&[3])].concat(), &[]);
    Case::update(format!("other family: {name}"), build, Expect::Ignored)
        .agreeing(&[capability(1, &[a, b, 0, safi])])
        .for_ours()
}

fn routes() -> Vec<Case> {
    let hop = [10, 1, 8, 1];
    let vpn_hop = [0, 0, 0, 0, 0, 0, 0, 0, 10, 1, 8, 1];
    let mac_ip = |mac: u8, ip: u8, rest: usize| {
        let body = [&[0; 8][..], &[0; 10], &[0; 4], &[mac], &vec![7; rest], &[ip]].concat();
        [&[2, body.len() as u8][..], &body].concat()
    };
    let type5 = |len: u8| [&[5, 34][..], &[0; 22], &[len], &[0; 11]].concat();
    let node = |id: usize| {
        let sub = [&[2, 3][..], &(id as u16).to_be_bytes(), &vec![1; id]].concat();
        let local = [&[1, 0][..], &(sub.len() as u16).to_be_bytes(), &sub].concat();
        let body = [&[3][..], &[0; 8], &local].concat();
        [&[0, 1][..], &(body.len() as u16).to_be_bytes(), &body].concat()
    };
    let operators = [&[0, 40, 3][..], &[0x01, 6].repeat(18), &[0x81, 6]].concat();
    vec![
        row("VPNv4 prefix of 255 bits (CVE-2016-2342)", VPNV4, &vpn_hop, &[&[255][..], &[1; 31]].concat()),
        row("labels without a bottom (CVE-2023-38407)", LABELED, &hop, &[32, 1, 2, 0, 3, 4, 0]),
        row("labels past the end", LABELED, &hop, &[200, 1, 2]),
        row("flowspec of length 0 (CVE-2023-38406)", FLOWSPEC, &[], &[0]),
        row("flowspec of 19 chained operators (CVE-2026-37457)", FLOWSPEC, &[], &operators),
        row("flowspec of an unknown component", FLOWSPEC, &[], &[3, 99, 1, 2]),
        row("flowspec whose length takes two octets and lies", FLOWSPEC6, &[], &[0xff, 0xff, 1]),
        row("EVPN type 2 with a MAC of 255 bits (CVE-2026-5107)", EVPN, &hop, &mac_ip(255, 32, 6)),
        row("EVPN type 2 with an address of 33 bits (CVE-2026-37460)", EVPN, &hop, &mac_ip(48, 33, 6)),
        row("EVPN type 3 cut short", EVPN, &hop, &[3, 17, 0, 0]),
        row("EVPN type 4 of no octets", EVPN, &hop, &[4, 0]),
        row("EVPN type 5 of 255 bits", EVPN, &hop, &type5(255)),
        row("EVPN type 99", EVPN, &hop, &[99, 2, 1, 2]),
        row("BGP-LS router id of 16 octets (#20793)", LINK_STATE, &hop, &node(16)),
        row("BGP-LS router id past the end", LINK_STATE, &hop, &node(16)[..20]),
        row("unreachability TLVs (2026-06)", UNREACHABILITY, &hop, &[24, 10, 0, 0, 1, 255, 255]),
        row("multicast prefix of 33 bits", MULTICAST, &hop, &[33, 1, 2, 3, 4, 5]),
        row("AFI 65,535 and SAFI 255", [255, 255, 255], &[], &[]),
        row("next hop of 255 octets", VPNV4, &[9; 255], &[0]),
    ]
}

fn withdrawals() -> Vec<Case> {
    let row = |name: &str, family: [u8; 3], nlri: &[u8]| {
        let octets = attr(OPTIONAL, 15, &[&family[..], nlri].concat());
        let build = move |_: &Ctx| update(&[], &octets, &[]);
        Case::update(format!("other family: withdrawal of {name}"), build, Expect::Ignored).for_ours()
    };
    vec![
        row("flowspec of length 0", FLOWSPEC, &[0]),
        row("a VPNv4 prefix of 255 bits", VPNV4, &[255, 1]),
        row("EVPN of an unknown type past the end", EVPN, &[99, 200, 1]),
        row("nothing", LINK_STATE, &[]),
    ]
}

/// A family that is not spoken, beside routes of one that is: those are read as ever.
fn beside_others() -> Vec<Case> {
    vec![
        Case::update(
            "other family: flowspec without attributes (CVE-2023-41909)",
            |_| update(&[], &reach(FLOWSPEC, &[], &[3, 1, 8, 10]), &[]),
            Expect::Ignored,
        )
        .for_ours(),
        Case::update(
            "other family: flowspec beside NLRI with redirect to IPv6 of 19 octets (CVE-2025-43972)",
            |ctx| {
                let broken = attr(OT, 25, &[0; 19]);
                ctx.announce(&[reach(FLOWSPEC, &[], &[3, 1, 8, 10]), ctx.all_but(&[]), broken].concat())
            },
            super::case::WITHDRAWN,
        ),
        Case::update(
            "other family: EVPN beside good NLRI",
            |ctx| ctx.announce(&[reach(EVPN, &[10, 1, 8, 1], &[99, 1, 0]), ctx.all_but(&[])].concat()),
            super::case::kept(),
        )
        .for_ours(),
    ]
}
