//! The same place in the same network, once ours and once FRR 10.3: every `show ip ospf …` and `show ipv6 ospf6 …` prints the same
//! JSON, key by key, and the same text, and both kernels hold the same routes. What cannot be the same is left out by name: times,
//! counts of messages, addresses that the kernel makes up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, run, wait_until};

use super::speak::{self, Routes, adjacent, all_alike, differences, kernel, start};

/// The router in the place that is compared: a LAN with two others, a link into an NSSA, a stub area of its own.
const PLACE: &str = "\
interface lo
 ip ospf area 0
 ipv6 ospf6 area 0
exit
interface eth0
 ip ospf area 0
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ip ospf priority 5
 ipv6 ospf6 area 0
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
 ipv6 ospf6 priority 5
exit
interface eth1
 ip ospf area 2
 ip ospf network point-to-point
 ip ospf cost 15
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 area 2
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 cost 15
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
exit
interface stub0
 ip ospf area 3
 ip ospf passive
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 area 3
 ipv6 ospf6 passive
 ipv6 ospf6 dead-interval 4
exit
router ospf
 ospf router-id 1.1.1.1
 area 2 nssa
 area 3 stub no-summary
exit
router ospf6
 ospf6 router-id 1.1.1.1
 area 2 nssa
 area 3 stub no-summary
exit
";

fn lan(id: &str, priority: u8, more: &str, more6: &str) -> String {
    format!(
        "ip route 192.0.2.0/24 blackhole
ipv6 route 2001:db8:c::/64 blackhole
interface lo
 ip ospf area 0
 ipv6 ospf6 area 0
exit
interface eth0
 ip ospf area 0
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ip ospf priority {priority}
 ipv6 ospf6 area 0
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
 ipv6 ospf6 priority {priority}
exit
router ospf
 ospf router-id {id}
{more}exit
router ospf6
 ospf6 router-id {id}
{more6}exit
"
    )
}

const NSSA: &str = "\
ip route 203.0.113.0/24 blackhole
ipv6 route 2001:db8:e::/64 blackhole
interface eth0
 ip ospf area 2
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 area 2
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
exit
router ospf
 ospf router-id 5.5.5.5
 area 2 nssa
 redistribute static
exit
router ospf6
 ospf6 router-id 5.5.5.5
 area 2 nssa
 redistribute static
exit
";

/// A copy of the network with a router of a kind in the place.
fn copy(net: &mut Net, side: &str, kind: Kind) -> Result<Router> {
    let place = net.router(&format!("{side}-place"), kind)?;
    let b = net.router(&format!("{side}-b"), Kind::Frr)?;
    let c = net.router(&format!("{side}-c"), Kind::Frr)?;
    let e = net.router(&format!("{side}-e"), Kind::Frr)?;
    net.lan(
        &format!("{side}lan"),
        &[
            (&place, "10.0.0.1/24 2001:db8::1/64"),
            (&b, "10.0.0.2/24 2001:db8::2/64"),
            (&c, "10.0.0.3/24 2001:db8::3/64"),
        ],
    )?;
    net.link(&place, "10.0.15.1/24 2001:db8:15::1/64", &e, "10.0.15.5/24 2001:db8:15::5/64")?;
    net.stub(&place, "stub0", "10.3.0.1/24 2001:db8:3::1/64")?;
    net.loopback(&place, "10.255.0.1/32 2001:db8:ff::1/128")?;
    net.loopback(&b, "10.255.0.2/32 2001:db8:ff::2/128")?;
    start(&b, &lan("2.2.2.2", 10, "", ""))?;
    let redistribute = " redistribute static metric-type 1\n default-information originate always\n";
    start(&c, &lan("3.3.3.3", 0, redistribute, redistribute))?;
    start(&e, NSSA)?;
    start(&place, PLACE)?;
    Ok(place)
}

fn settled(place: &Router) -> Result<()> {
    for version in [2, 3] {
        adjacent(place, version, &["2.2.2.2", "3.3.3.3", "5.5.5.5"])?;
    }
    speak::has(place, Family::V4, &["10.255.0.2/32", "192.0.2.0/24", "203.0.113.0/24", "0.0.0.0/0"])?;
    speak::has(place, Family::V6, &["2001:db8:ff::2/128", "2001:db8:c::/64", "2001:db8:e::/64", "::/0"])
}

/// Numbers and times that no two runs have alike.
const LEFT_OUT: &[&str] = &[
    // times
    "upTimeInMsec",
    "routerDeadIntervalTimerDueMsec",
    "upTime",
    "deadTime",
    "lastPrgrsvChangeMsec",
    "timerHelloInMsecs",
    "spfLastExecutedMsecs",
    "spfLastDurationMsecs",
    "running",
    "duration",
    "spfLastExecutedSecs",
    "spfLastExecutedMicroSecs",
    "spfLastDurationSecs",
    "installedTimeSince",
    "changedTimeSince",
    "neighborStateDuration",
    // what came before
    "lsaAge",
    "age",
    "sequenceNumber",
    "lsaSeqNumber",
    "seqNum",
    "lsSequenceNumber",
    "networkLsaSequence",
    "checksum",
    "header",
    "stateChangeCounter",
    "lsaRetransmissions",
    "holdtimeMultplier",
    "holdTimeMultiplier",
    "spfExecutedCounter",
    "dbDescSeqNumber",
    "dbDescStatus",
    "AuthTrailerHigherSeqNo",
    "spfLastExecutedReason",
    // sums over all that
    "lsaExternalChecksum",
    "lsaRouterChecksum",
    "lsaNetworkChecksum",
    "lsaSummaryChecksum",
    "lsaAsbrChecksum",
    "lsaNssaChecksum",
    // the kernel's
    "ifIndex",
    "interfaceId",
    "interfaceIndex",
    "neighborInterfaceIndex",
    "neighborInterfaceId",
    "localLinkLocalAddress",
    "linkLocalAddress",
    "bandwidthMbit",
];

/// What of two documents is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// LSAs that others announce; of one's own, where suites may say the same in several ways, the keys by type.
    Foreign,
    /// The keys of LSAs by type: which LSAs there are and under which numbers is each run's own.
    Keys,
}

const OWN: &str = "1.1.1.1";

fn is_lsa(value: &Value) -> bool {
    value.get("advRouter").or_else(|| value.get("advertisingRouter")).is_some()
}

fn is_own(lsa: &Value) -> bool {
    ["advRouter", "advertisingRouter", "advertisedRouter"].iter().any(|key| lsa[*key] == OWN)
}

/// Takes LSAs out, all or one's own; their keys by type.
fn foreign(json: &mut Value, extent: Extent, own: &mut BTreeMap<String, BTreeSet<String>>) {
    let taken = |lsa: &Value| is_own(lsa) || extent == Extent::Keys && is_lsa(lsa);
    match json {
        Value::Array(all) => {
            for lsa in all.iter().filter(|lsa| taken(lsa)) {
                let kind = lsa["type"].as_str().or_else(|| lsa["lsaType"].as_str());
                let Some(kind) = kind.map(str::to_owned) else { continue };
                let keys = lsa.as_object().map(|lsa| lsa.keys().cloned().collect::<BTreeSet<_>>());
                own.entry(kind).or_insert_with(|| keys.unwrap_or_default());
            }
            all.retain(|lsa| !taken(lsa));
            all.iter_mut().for_each(|value| foreign(value, extent, own));
        }
        Value::Object(map) => map.values_mut().for_each(|value| foreign(value, extent, own)),
        _ => {}
    }
}

fn compared(
    ours: &Router,
    theirs: &Router,
    extent: Extent,
    commands: &[&str],
    leave_out: &[&str],
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let left_out: Vec<&str> = LEFT_OUT.iter().chain(leave_out).copied().collect();
    for command in commands {
        let line = format!("{command} json");
        let (mut a, mut b) = (ours.vtysh_json(&line)?, theirs.vtysh_json(&line)?);
        if extent != Extent::Whole {
            let (mut x, mut y) = (BTreeMap::new(), BTreeMap::new());
            foreign(&mut a, extent, &mut x);
            foreign(&mut b, extent, &mut y);
            for (kind, keys) in &x {
                // What is optional in an LSA may be in one and not in the other.
                let theirs = y.get(kind).filter(|theirs| *theirs != keys);
                found.extend(
                    theirs.map(|theirs| format!("{command}: keys of {kind}: {keys:?}, not {theirs:?}")),
                );
            }
        }
        let differences = differences(&a, &b, &left_out);
        found.extend(differences.into_iter().map(|difference| format!("{command}: {difference}")));
    }
    Ok(found)
}

/// Text with what differs between runs taken out: times, sequence numbers, checksums, link-local addresses.
fn blank(text: &str) -> Vec<String> {
    let vague = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        word.starts_with("fe80:")
            || word.starts_with("0x") && word.len() >= 6
            || word.contains("/00:")
            || word.starts_with("8000") && word.len() == 8
            || word.ends_with('s') && word.len() > 3 && word.starts_with(|c: char| c.is_ascii_digit())
            || word.matches(':').count() == 2 && word.len() == 8
    };
    let line = |line: &str| {
        let words = line.split_whitespace().map(|word| if vague(word) { "~" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

fn same_text(ours: &Router, theirs: &Router, commands: &[&str], leave_out: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for command in commands {
        let keep = |line: &String| !leave_out.iter().any(|word| line.contains(word));
        let a: Vec<String> = blank(&ours.vtysh(command)?).into_iter().filter(keep).collect();
        let b: Vec<String> = blank(&theirs.vtysh(command)?).into_iter().filter(keep).collect();
        for (at, (x, y)) in a.iter().zip(&b).enumerate().filter(|(_, (x, y))| x != y) {
            found.push(format!("{command}: line {at}: {x:?}, not {y:?}"));
        }
        if a.len() != b.len() {
            found.push(format!("{command}: {} lines, not {}", a.len(), b.len()));
        }
    }
    Ok(found)
}

fn same_routes(ours: &Router, theirs: &Router, family: Family) -> Result<()> {
    let named = |routes: Routes| {
        let hops = |(metric, hops): (u64, BTreeSet<(String, String)>)| {
            // Link-local addresses differ; who they belong to is told by the interface.
            let hop = |(gateway, interface): (String, String)| {
                (if gateway.starts_with("fe80:") { "link-local".to_owned() } else { gateway }, interface)
            };
            (metric, hops.into_iter().map(hop).collect::<BTreeSet<_>>())
        };
        routes.into_iter().map(|(prefix, route)| (prefix, hops(route))).collect::<BTreeMap<_, _>>()
    };
    wait_until(speak::PATIENCE, "both kernels hold the same", || {
        let (a, b) = (named(kernel(ours, family)?), named(kernel(theirs, family)?));
        ensure!(!b.is_empty(), "FRR has no route");
        ensure!(a == b, "ours {a:?}\nFRR's {b:?}");
        Ok(())
    })
}

const V2: &[&str] = &[
    "show ip ospf",
    "show ip ospf neighbor",
    "show ip ospf neighbor all",
    "show ip ospf neighbor detail",
    "show ip ospf neighbor 2.2.2.2",
    "show ip ospf neighbor eth0",
    "show ip ospf interface",
    "show ip ospf interface eth1",
    "show ip ospf route",
    "show ip ospf route detail",
    "show ip ospf border-routers",
    "show ip ospf summary-address",
    "show ip ospf graceful-restart helper",
    "show ip ospf vrfs",
    "show ip ospf vrf all",
    "show ip ospf vrf all route",
    "show ip ospf vrf all neighbor",
];

const V2_DATABASE: &[&str] = &[
    "show ip ospf database",
    "show ip ospf database router",
    "show ip ospf database network",
    "show ip ospf database summary",
    "show ip ospf database asbr-summary",
    "show ip ospf database external",
    "show ip ospf database nssa-external",
    "show ip ospf database opaque-area",
    "show ip ospf database detail",
    "show ip ospf database router 2.2.2.2",
    "show ip ospf database router adv-router 3.3.3.3",
];

const V2_TEXT: &[&str] = &[
    "show ip ospf neighbor",
    "show ip ospf database router 2.2.2.2",
    "show ip ospf database network",
    "show ip ospf route",
    "show ip ospf route detail",
    "show ip ospf border-routers",
    "show ip ospf interface",
    "show ip ospf summary-address",
    "show ip ospf graceful-restart helper",
];

const V3: &[&str] = &[
    "show ipv6 ospf6",
    "show ipv6 ospf6 neighbor",
    "show ipv6 ospf6 neighbor detail",
    "show ipv6 ospf6 neighbor drchoice",
    "show ipv6 ospf6 neighbor 2.2.2.2",
    "show ipv6 ospf6 interface",
    "show ipv6 ospf6 interface nosuch",
    "show ipv6 ospf6 interface eth0",
    "show ipv6 ospf6 interface eth1",
    "show ipv6 ospf6 spf tree",
    "show ipv6 ospf6 redistribute",
    "show ipv6 ospf6 zebra",
    "show ipv6 ospf6 vrfs",
    "show ipv6 ospf6 graceful-restart helper",
    "show ipv6 ospf6 summary-address",
];

const V3_TEXT: &[&str] = &[
    "show ipv6 ospf6",
    "show ipv6 ospf6 neighbor",
    "show ipv6 ospf6 neighbor detail",
    "show ipv6 ospf6 neighbor drchoice",
    "show ipv6 ospf6 spf tree",
    "show ipv6 ospf6 redistribute",
    "show ipv6 ospf6 summary-address",
    "show ipv6 ospf6 graceful-restart helper",
    "show ipv6 ospf6 interface",
    "show ipv6 ospf6 interface prefix",
    "show ipv6 ospf6 interface prefix detail",
    "show ipv6 ospf6 border-routers",
    "show ipv6 ospf6 border-routers detail",
    "show ipv6 ospf6 border-routers 9.9.9.9",
    "show ipv6 ospf6 linkstate detail",
    "show ipv6 ospf6 database network detail",
    "show ipv6 ospf6 database router adv-router 2.2.2.2 detail",
    "show ipv6 ospf6 vrfs",
    "show ipv6 ospf6 zebra",
];

const V3_DATABASE: &[&str] = &[
    "show ipv6 ospf6 database",
    "show ipv6 ospf6 database router detail",
    "show ipv6 ospf6 database network detail",
    "show ipv6 ospf6 database inter-prefix detail",
    "show ipv6 ospf6 database as-external detail",
    "show ipv6 ospf6 database type-7 detail",
    "show ipv6 ospf6 database link detail",
    "show ipv6 ospf6 database intra-prefix detail",
    "show ipv6 ospf6 database self-originated",
];

#[test]
fn every_show_prints_what_frr_prints_in_the_same_place() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let ours = copy(net, "ours", Kind::Ours)?;
        let theirs = copy(net, "frr", Kind::Frr)?;
        settled(&ours)?;
        settled(&theirs)?;
        for family in Family::BOTH {
            same_routes(&ours, &theirs, family)?;
        }
        // Both networks may still be on their way: the last difference is the one that counts.
        wait_until(Duration::from_secs(40), "the shows are alike", || {
            all_alike("not as FRR's", &every_difference(&ours, &theirs)?)
        })
    });
}

fn every_difference(ours: &Router, theirs: &Router) -> Result<Vec<String>> {
    // What is being sent just now, how many LSAs one makes of what one has, and FRR's unknown router of a translated route.
    let own = [
        "threadLinkStateUpdateRetransmission",
        "linkStateRetransmissionListCounter",
        "lsaNumber",
        "lsaSummaryNumber",
        "lsaAsbrNumber",
        "advertisedRouter",
    ];
    let mut found = compared(ours, theirs, Extent::Whole, V2, &own)?;
    let counts =
        ["lsaFlags", "summaryLinkStatesCount", "asbrSummaryLinkStatesCount", "asbrSummaryLinkStates"];
    found.extend(compared(ours, theirs, Extent::Foreign, V2_DATABASE, &counts)?);
    let counts = ["address", "numberOfAsScopedLsa", "numberOfAreaScopedLsa", "lsaStatistics"];
    found.extend(compared(ours, theirs, Extent::Whole, V3, &counts)?);
    found.extend(compared(ours, theirs, Extent::Keys, V3_DATABASE, &[])?);
    let left_out = ["LS age", "Hello due", "LSA retransmissions", "ifindex", "LS Flags", "adv "];
    found.extend(same_text(ours, theirs, V2_TEXT, &left_out)?);
    // FRR's addresses in its memory, the area that it has for no tree but the backbone's, the E bit that it says it has in a
    // stub area, and what the last change happened to leave of its delay.
    let left_out = [
        "Running",
        "Hold time multiplier",
        "Intra-Area 0.0.0.3",
        "Options: --|-|--|-|-|--|R|-|--|",
        "SPF ",
        "scoped LSAs",
        "Higher sequence",
        "DbDesc status",
        "Age:",
        "Memory:",
        "Associated Area:",
        "Hello 1(",
        "Interface ID:",
    ];
    found.extend(same_text(ours, theirs, V3_TEXT, &left_out)?);
    Ok(found)
}
