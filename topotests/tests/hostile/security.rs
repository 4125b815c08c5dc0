//! Which case answers for which known failure of other implementations: the rows of the project's list of hostile input,
//! sections 1 (sessions) and 2 (UPDATE and attributes), by what stands in them.
//!
//! A name that ends in `*` stands for all cases that begin with it. The test reads the list where it lies beside the
//! repository and fails when a row has no entry here; that every entry has its cases is checked everywhere.

use std::collections::BTreeSet;

use topotests::workspace;

use super::{case, link, scenarios, sides};

/// Section, the row's name, a piece of its text that no other row of that name has, cases.
type Row = (u8, &'static str, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        1,
        "CVE-2018-5381",
        "does not advance",
        &[
            "OPEN: capability: multiprotocol of 0 octets (CVE-2018-5381)",
            "OPEN: capability: multiprotocol of 3 octets",
            "OPEN: capability: multiprotocol of 5 octets",
        ],
    ),
    (
        1,
        "CVE-2018-5380",
        "name table",
        &[
            "OPEN: capability: code 255 of 100 octets (CVE-2018-5380)",
            "NOTIFICATION: code 250 (CVE-2018-5380)",
            "NOTIFICATION: OPEN error of an unknown subcode",
        ],
    ),
    (
        1,
        "CVE-2018-5378",
        "leak up to 64",
        &["attributes longer than the message (CVE-2017-15865, CVE-2018-5378)"],
    ),
    (
        1,
        "CVE-2017-15865",
        "thousands of bytes",
        &["attributes longer than the message (CVE-2017-15865, CVE-2018-5378)"],
    ),
    (
        1,
        "CVE-2022-36440",
        "RFC 9072",
        &[
            "OPEN: extended form*",
            "OPEN: extended parameter past the end",
            "OPEN: length 255, one octet behind",
            "OPEN: short lengths in the extended form",
            "OPEN: capability: a parameter of 0xFF with one octet behind it (CVE-2022-36440)",
            "OPEN: capability: an unknown parameter of 0xFF in the extended form (CVE-2022-40302)",
        ],
    ),
    (
        1,
        "CVE-2022-37032",
        "under the minimum",
        &[
            "header: type 6 (a CAPABILITY message, CVE-2022-37032)",
            "CAPABILITY: shorter than its header (CVE-2022-37032)",
            "CAPABILITY: empty",
        ],
    ),
    (
        1,
        "CVE-2024-31949",
        "endless loop",
        &[
            "header: dynamic capability that never advances (CVE-2024-31949)",
            "CAPABILITY: multiprotocol of a wrong length (CVE-2024-31949)",
            "CAPABILITY: graceful restart of a wrong length (CVE-2024-31949)",
        ],
    ),
    (
        1,
        "CVE-2023-31489",
        "multiple of 7",
        &[
            "OPEN: capability: long-lived graceful restart of 6 octets (CVE-2023-31489)",
            "OPEN: capability: long-lived graceful restart*",
        ],
    ),
    (
        1,
        "CVE-2023-41361",
        "inner length exceeds",
        &["OPEN: capability: software version past the end (CVE-2023-41361)"],
    ),
    (1, "2026-04", "read past the end", &["CAPABILITY: software version past the end (2026-04)"]),
    (
        1,
        "2026-03",
        "full of unknown capabilities",
        &[
            "OPEN: capability: 1,900 unknown ones without a value, extended form (2026-03)",
            "OPEN: 4,000 octets of unknown capabilities",
            "OPEN: longer than 4,096 octets",
            "extended messages: OPEN of 5,000 octets on an established session",
        ],
    ),
    (1, "2024-06", "FQDN", &["OPEN: capability: host name*", "OPEN: capability: domain name past the end"]),
    (
        1,
        "2026-03",
        "AS4 capability",
        &[
            "OPEN: capability: four-octet AS of 3 octets",
            "OPEN: capability: four-octet AS of 0 octets",
            "OPEN: capability: four-octet AS of 5 octets (2026-03)",
        ],
    ),
    (
        1,
        "CVE-2025-43971",
        "inner length 0",
        &["OPEN: capability: software version of length 0 (CVE-2025-43971)"],
    ),
    (
        1,
        "zebra-rs",
        "Role capability",
        &[
            "OPEN: capability: role (code 9)",
            "OPEN: capability: role*",
            "header: length 0",
            "header: length 18",
            "header: length 65,535",
        ],
    ),
    (
        1,
        "CVE-2022-37035",
        "use after free",
        &[
            "NOTIFICATION: right behind an UPDATE that deserves one",
            "NOTIFICATION: two of them and garbage in one segment",
            "200 sessions reset as soon as they speak",
        ],
    ),
    (
        1,
        "CVE-2023-41360",
        "very end of the message",
        &[
            "ROUTE-REFRESH: with an ORF entry at the very end (CVE-2023-41360)",
            "ORF: at the very end (CVE-2023-41360)",
            "ORF: half an entry",
            "ORF: one octet",
        ],
    ),
    (
        1,
        "2026-03, 2026-05",
        "ORF length longer",
        &[
            "ROUTE-REFRESH: with an ORF longer than the message",
            "ORF: longer than the message (2026-03)",
            "ORF: a second list past the end",
            "a filter given up while its neighbours come and go",
        ],
    ),
    (
        1,
        "CVE-2012-1820",
        "wrong number of ORF",
        &["OPEN: capability: ORF with a wrong count of entries (CVE-2012-1820)", "OPEN: capability: ORF*"],
    ),
    (1, "CVE-2019-16159", "shutdown communication", &["NOTIFICATION: Cease with a text*"]),
    (1, "OpenBSD 7.3 errata 009", "max-prefix", &["a neighbour over its limit that hangs up by itself"]),
    (
        1,
        "CVE-2023-46565",
        "short body",
        &[
            "header: OPEN of 28 octets",
            "header: UPDATE of 22 octets",
            "header: NOTIFICATION of 20 octets",
            "ROUTE-REFRESH: empty",
        ],
    ),
    (
        1,
        "header set",
        "marker not all ones",
        &["header: *", "several messages in one segment", "one octet in each segment"],
    ),
    (
        2,
        "CVE-2018-5379",
        "freed the same buffer",
        &["CLUSTER_LIST and unknown attributes, several times each (CVE-2018-5379)"],
    ),
    (
        2,
        "CVE-2017-16227",
        "several segments",
        &[
            "AS_PATH of 600 numbers in segments of one (CVE-2017-16227)",
            "eBGP: AS_PATH of 600 numbers",
            "extended messages: AS_PATH of 255 numbers in each of 20 segments (2026-05)",
        ],
    ),
    (
        2,
        "CVE-2016-4049",
        "Very large attribute set",
        &["an oversized route while everything is dumped and monitored", "eBGP: 500 communities"],
    ),
    (2, "2026-05", "loops forever", &["an oversized route while everything is dumped and monitored"]),
    (
        2,
        "CVE-2019-5892",
        "DISCO",
        &["eBGP: attribute 255 (CVE-2019-5892)", "iBGP: attribute 255 (CVE-2019-5892)"],
    ),
    (2, "CVE-2023-38802", "Tunnel Encapsulation", &["eBGP: TUNNEL_ENCAP of 3 octets (CVE-2023-38802)"]),
    (
        2,
        "CVE-2023-38283",
        "not skipped",
        &[
            "eBGP: TUNNEL_ENCAP with an inner TLV past its end",
            "eBGP: ATTR_SET with an inner attribute past the end",
            "an attribute past the end of all",
        ],
    ),
    (
        2,
        "CVE-2023-4481",
        "far away",
        &["eBGP: TUNNEL_ENCAP*", "eBGP: PREFIX_SID*", "eBGP: PMSI_TUNNEL*", "eBGP: ATTR_SET*"],
    ),
    (2, "2025-05 incident", "Prefix-SID", &["eBGP: PREFIX_SID with nonsense (incident of 2025-05)"]),
    (
        2,
        "2025-10 incidents",
        "OTC",
        &[
            "eBGP: OTC of 1,024 octets (incident of 2025-10)",
            "OTC: of 1,024 octets from a client",
            "a malformed OTC never leaves a reflector",
        ],
    ),
    (
        2,
        "CVE-2024-44070",
        "outer or inner TLV",
        &[
            "eBGP: TUNNEL_ENCAP past the end (CVE-2024-44070)",
            "eBGP: TUNNEL_ENCAP with an inner TLV past its end",
        ],
    ),
    (
        2,
        "2026-03/04",
        "allocation bomb",
        &[
            "eBGP: TUNNEL_ENCAP of 900 empty tunnels",
            "extended messages: TUNNEL_ENCAP of 16,000 TLVs (2026-03)",
            "extended messages: TUNNEL_ENCAP of 30,000 sub-TLVs (2026-03)",
        ],
    ),
    (
        2,
        "CVE-2023-31490",
        "SRv6 L3 service",
        &["eBGP: PREFIX_SID: service sub-TLV past the end (CVE-2023-31490)"],
    ),
    (
        2,
        "CVE-2024-31948",
        "wrong flags",
        &[
            "eBGP: PREFIX_SID marked non-transitive (CVE-2024-31948)",
            "eBGP: PREFIX_SID with a TLV past the end",
        ],
    ),
    (2, "2026-05 (#22042)", "transposition", &["eBGP: PREFIX_SID: transposition past the SID (#22042)"]),
    (
        2,
        "2026-05 (#22041)",
        "deprecated VPN-SID",
        &["eBGP: PREFIX_SID with only the deprecated VPN SID (#22041)"],
    ),
    (
        2,
        "2026-05",
        "sub-sub-TLV",
        &[
            "eBGP: PREFIX_SID: service sub-TLV cut short",
            "eBGP: PREFIX_SID: service sub-TLV past the end (CVE-2023-31490)",
        ],
    ),
    (
        2,
        "CVE-2023-41359, 2026-08",
        "AIGP",
        &["eBGP: AIGP*", "AIGP enabled: *", "AIGP with fewer than 3 octets left"],
    ),
    (
        2,
        "CVE-2023-41358",
        "route-map prepends",
        &[
            "no attributes at all (CVE-2023-41358)",
            "no attributes, met by a filter that prepends (CVE-2023-41358)",
        ],
    ),
    (2, "CVE-2023-46752", "next-hop length", &["MP_REACH with next hop past the end (CVE-2023-46752)"]),
    (
        2,
        "CVE-2023-46753",
        "GR negotiated",
        &["only an unknown attribute, graceful restart agreed (CVE-2023-46753)"],
    ),
    (2, "CVE-2023-47234", "MP_UNREACH_NLRI plus", &["MP_UNREACH beside bare NLRI (CVE-2023-47234)"]),
    (2, "CVE-2023-47235", "End-of-RIB", &["the end of a table with a malformed ORIGIN (CVE-2023-47235)"]),
    (
        2,
        "CVE-2026-37458",
        "martian",
        &["IPv6 next hop*", "eBGP: NEXT_HOP 127.0.0.1", "eBGP: NEXT_HOP that is the router itself"],
    ),
    (2, "CVE-2026-37459", "NHC", &["eBGP: NHC whose TLV forgets its header (CVE-2026-37459)"]),
    (2, "2026-06", "AGGREGATOR", &["eBGP: AGGREGATOR of 6 octets", "two-octet eBGP: AGGREGATOR of 8 octets"]),
    (
        2,
        "2026-05",
        "CLUSTER_LIST over 255",
        &["iBGP: CLUSTER_LIST of 100 ids", "a cluster list that grows over 255 octets when it is reflected"],
    ),
    (
        2,
        "2026-06",
        "Hundreds of communities",
        &[
            "eBGP: 500 communities",
            "eBGP: 160 large communities",
            "extended messages: 9,000 communities",
            "a neighbour over its limit that hangs up by itself",
        ],
    ),
    (
        2,
        "#22045 (2026-05)",
        "BMP monitoring",
        &[
            "unknown attribute of 65,000 octets (#22045)",
            "an oversized route while everything is dumped and monitored",
        ],
    ),
    (
        2,
        "CVE-2026-49943",
        "2,048 ASNs",
        &["AS_PATH of 2,100 numbers met by a filter (CVE-2026-49943)", "AS_PATH of 10,000 numbers"],
    ),
    (
        2,
        "2026-05",
        "expansion 2",
        &[
            "two-octet eBGP: AS_PATH of 700 numbers that grow by widening",
            "two-octet eBGP: AS4_PATH without AS_PATH",
            "NLRI without NEXT_HOP beside a good MP_REACH",
            "eBGP: ORIGIN 3",
            "extended messages: 180 unknown attributes",
        ],
    ),
    (
        2,
        "CVE-2026-41643",
        "AS4_PATH placed before",
        &["two-octet eBGP: AS4_PATH malformed before AS_PATH (CVE-2026-41643)"],
    ),
    (2, "CVE-2026-41642", "well-known", &["eBGP: unknown well-known attribute (CVE-2026-41642)"]),
    (2, "CVE-2026-30405", "NEXT_HOP length", &["eBGP: NEXT_HOP of 0 octets", "eBGP: NEXT_HOP of 3 octets"]),
    (
        2,
        "CVE-2026-37461",
        "shorter than 20",
        &["eBGP: IPV6_EXT_COMMUNITIES of 19 octets", "eBGP: IPV6_EXT_COMMUNITIES of 7 octets"],
    ),
    (
        2,
        "CVE-2026-37462",
        "16-bit underflow",
        &[
            "withdrawn length smaller than its element (CVE-2026-37462)",
            "attributes' length smaller than its element (CVE-2026-37462)",
        ],
    ),
    (2, "2026-05", "RFC 7607", &["iBGP: AS_PATH with AS 0", "iBGP path: AS 0 (2026-05)"]),
];

/// Of section 3, what reaches a session that has not agreed on the family, and the channels beside the sessions.
const OTHER_FAMILIES: &[Row] = &[
    (3, "CVE-2016-2342", "VPNv4", &["other family: VPNv4 prefix of 255 bits (CVE-2016-2342)"]),
    (
        3,
        "CVE-2023-38407",
        "Labeled unicast",
        &["other family: labels without a bottom (CVE-2023-38407)", "other family: labels past the end"],
    ),
    (3, "2026-05", "bottom-of-stack", &["other family: labels without a bottom (CVE-2023-38407)"]),
    (3, "CVE-2023-38406", "length 0", &["other family: flowspec of length 0 (CVE-2023-38406)"]),
    (3, "2026-07", "stack overflow", &["other family: flowspec of length 0 (CVE-2023-38406)"]),
    (3, "CVE-2023-41909", "no attributes", &["other family: flowspec without attributes (CVE-2023-41909)"]),
    (3, "CVE-2026-37457", "chained", &["other family: flowspec of 19 chained operators (CVE-2026-37457)"]),
    (3, "2026-03", "Unknown flowspec", &["other family: flowspec of an unknown component"]),
    (
        3,
        "CVE-2025-43972",
        "redirect-to-IPv6",
        &["other family: flowspec beside NLRI with redirect to IPv6 of 19 octets (CVE-2025-43972)"],
    ),
    (3, "CVE-2026-5107", "EVPN type 2", &["other family: EVPN type 2*"]),
    (3, "EVPN set", "Route type length", &["other family: EVPN*"]),
    (3, "#20793", "node descriptor", &["other family: BGP-LS*"]),
    (3, "2026-06", "Unreachability", &["other family: unreachability TLVs (2026-06)"]),
    (3, "RTR set", "PDU length", &["RTR: *"]),
    (
        3,
        "BMP set",
        "maximum length",
        &[
            "a BMP station that sends garbage",
            "a BMP station that never reads",
            "an oversized route while everything is dumped and monitored",
        ],
    ),
    (4, "CVE-2016-1245", "RA/ND packet", &["RA: *"]),
    (3, "CVE-2017-5495", "endless line", &["the vty socket: *"]),
];

fn names() -> BTreeSet<String> {
    let cases = case::every().into_iter().map(|case| case.name);
    let others = scenarios::names().chain(sides::names()).chain(link::names());
    cases.chain(others.map(str::to_owned)).collect()
}

/// Every case that a row names exists, and no two cases have one name.
pub fn every_row_has_its_cases() {
    let names = names();
    let missing: Vec<String> = ROWS
        .iter()
        .chain(OTHER_FAMILIES)
        .flat_map(|(section, id, _, cases)| cases.iter().map(move |case| (section, id, case)))
        .filter(|(_, _, case)| match case.strip_suffix('*') {
            Some(start) => !names.iter().any(|name| name.starts_with(start)),
            None => !names.contains(**case),
        })
        .map(|(section, id, case)| format!("section {section}, {id}: {case}"))
        .collect();
    assert!(missing.is_empty(), "no such case:\n{}", missing.join("\n"));
    let others = scenarios::names().chain(sides::names()).chain(link::names());
    let count = case::every().len() + others.count();
    assert_eq!(names.len(), count, "a name stands twice");
}

/// Every row of the list's first two sections is here once.
pub fn every_row_of_the_list_is_here() {
    let Ok(text) = std::fs::read_to_string(workspace().join("../shared/security.md")) else {
        println!("the list is not beside the repository");
        return;
    };
    let mut section = 0;
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        }
        let mut cells = line.strip_prefix('|').unwrap_or_default().split('|');
        let id = cells.next().unwrap_or_default().trim();
        if !(1..=2).contains(&section) || id.is_empty() || id == "Id" || id.starts_with("---") {
            continue;
        }
        count += 1;
        let fits = |row: &&Row| row.0 == section && id.starts_with(row.1) && line.contains(row.2);
        let found = ROWS.iter().filter(fits).count();
        if found != 1 {
            wrong.push(format!("section {section}, {found} entries: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, ROWS.len(), "rows here that the list does not have");
}
