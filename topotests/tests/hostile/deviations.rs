//! Where FRR 10.3 is known to do otherwise than a row demands: the rows prove the octets, this file what FRR makes of them.

use topotests::Kind;

use super::case::{Case, Expect, Peer, WITHDRAWN, Which, kept};

/// FRR 10.3 ends an internal session at any malformed attribute: those rows are for ours alone.
pub fn is_sent(kind: Kind, case: &Case) -> bool {
    kind != Kind::Frr || (case.peer != Peer::Internal && !case.ours_only)
}

/// Rows that FRR passes on as something a strict reader objects to: it forgets NEXT_HOP where MP_REACH named it.
pub fn spoils(name: &str) -> bool {
    name == "MP_REACH of IPv4 unicast"
}

/// What FRR does instead, by the row's name.
pub fn of_frr(name: &str) -> Option<Expect> {
    Some(match name {
        "eBGP: NEXT_HOP 0.0.0.0"
        | "eBGP: NEXT_HOP 0.1.2.3"
        | "eBGP: NEXT_HOP 127.0.0.1"
        | "eBGP: NEXT_HOP 224.0.0.1"
        | "eBGP: NEXT_HOP 255.255.255.255"
        | "NLRI without NEXT_HOP beside a good MP_REACH" => Expect::Reset(&[(3, 8)]),
        "MP_REACH marked transitive" => Expect::Reset(&[(3, 4)]),
        // It goes on to read NLRI where the attributes end.
        "attributes' length smaller than its element (CVE-2026-37462)"
        | "one octet left where an attribute should be"
        | "two octets left where an attribute should be" => Expect::Reset(&[(3, 10)]),
        "eBGP: AIGP marked transitive"
        | "eBGP: unknown well-known attribute (CVE-2026-41642)"
        | "eBGP: unknown attribute neither optional nor transitive"
        | "two-octet eBGP: AS4_PATH with a segment of type 9"
        | "two-octet eBGP: AS4_PATH past its end"
        | "two-octet eBGP: AS4_PATH malformed before AS_PATH (CVE-2026-41643)"
        | "eBGP: AS4_PATH malformed, from a neighbour of four octets"
        | "withdrawal and announcement of one prefix" => WITHDRAWN,
        "eBGP: PREFIX_SID: service sub-TLV past the end (CVE-2023-31490)"
        | "eBGP: PREFIX_SID: service sub-TLV cut short" => kept(),
        // Not known to it, so passed on as it came.
        "eBGP: ATTR_SET with an inner attribute past the end" | "eBGP: ATTR_SET of 3 octets" => kept(),
        // The NLRI is passed over, and the old route stays.
        "no attributes at all (CVE-2023-41358)"
        | "no attributes, met by a filter that prepends (CVE-2023-41358)" => Expect::Ignored,
        "MP_UNREACH beside bare NLRI (CVE-2023-47234)" => Expect::Withdrawn(Which::V6),
        // What cannot be sent leaves the old route with the neighbours, or goes out with an empty AS_PATH.
        "AS_PATH that fills a message and grows by one number on its way out"
        | "AS_PATH of 2,100 numbers met by a filter (CVE-2026-49943)"
        | "AS_PATH of 10,000 numbers"
        | "unknown attribute of 65,000 octets (#22045)" => Expect::Lives(None),
        "OPEN: octets behind the parameters" => Expect::Open,
        "OPEN: capability: host name past the end (2024-06)"
        | "OPEN: capability: domain name past the end"
        | "OPEN: capability: host name empty"
        | "OPEN: capability: software version past the end (CVE-2023-41361)"
        | "OPEN: capability: software version empty" => Expect::Reset(&[(2, 0)]),
        "OPEN: capability: add-path, empty"
        | "OPEN: capability: paths-limit without add-path"
        | "OPEN: capability: paths-limit of one family 50 times" => Expect::Reset(&[(2, 0)]),
        "CAPABILITY: empty" | "CAPABILITY: shorter than its header (CVE-2022-37032)" => {
            Expect::Reset(&[(1, 2)])
        }
        "ORF: no entries" | "ORF: at the very end (CVE-2023-41360)" => Expect::Reset(&[(6, 0)]),
        "extended messages: OPEN of 5,000 octets on an established session" => Expect::Reset(&[(2, 2)]),
        "out of turn: OPEN twice" | "out of turn: OPEN on an established session" => Expect::Open,
        "out of turn: NOTIFICATION instead of OPEN" => Expect::Reset(&[(5, 1)]),
        "NOTIFICATION: two of them and garbage in one segment" => Expect::Reset(&[(1, 1)]),
        _ => return None,
    })
}
