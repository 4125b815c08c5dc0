//! Kinds of networks and settings of interfaces, a link for each, beside FRR 10.3 and BIRD: networks without broadcast, a spoke of a
//! DMVPN, links without a network, sub-second Hellos, other MTUs, filtered neighbours, suppressed prefixes, named neighbours of
//! OSPFv3; stub routers; distances by type.

use std::time::Duration;

use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, run, wait_until};

use super::keys::full_on;
use super::speak::{PATIENCE, has, start};

const TIMERS: &str = " ip ospf hello-interval 1\n ip ospf dead-interval 4\n";

/// What both ends say of their links, in order: network, and more.
const LINKS: &[(&str, &str)] = &[
    // NBMA.
    ("non-broadcast", TIMERS),
    // Ours is a spoke, FRR the hub.
    ("SPOKE", TIMERS),
    ("point-to-point", " ip ospf dead-interval minimal hello-multiplier 4\n"),
    ("point-to-point", " ip ospf mtu-ignore\n ip ospf hello-interval 1\n ip ospf dead-interval 4\n"),
    (
        "point-to-point",
        " ip ospf neighbor-filter NOBODY\n ip ospf hello-interval 1\n ip ospf dead-interval 4\n",
    ),
    // Addresses of their own.
    ("point-to-point", TIMERS),
    ("point-to-point", " ip ospf prefix-suppression\n ip ospf hello-interval 1\n ip ospf dead-interval 4\n"),
];
const FILTERED: usize = 4;
const UNNUMBERED: [usize; 2] = [1, 5];
const SUPPRESSED: usize = 6;
const BIRD: usize = 7;

fn interfaces(hub: bool) -> String {
    let link = |(at, (network, more)): (usize, &(&str, &str))| {
        let network = match (*network, hub) {
            ("SPOKE", true) => "point-to-multipoint",
            ("SPOKE", false) => "point-to-point dmvpn",
            (other, _) => other,
        };
        format!(
            "interface eth{at}\n ip ospf area 0\n ip ospf network {network}\n{more} no ip ospf passive\nexit\n"
        )
    };
    LINKS.iter().enumerate().map(link).collect::<String>()
        + "interface lo\n ip ospf area 0\nexit\nip prefix-list NOBODY seq 5 deny 0.0.0.0/0 le 32\n"
}

/// OSPFv3 on the link of suppressed prefixes: no others than the one that is named, at a cost of its own.
fn named(neighbor: &str, cost: &str) -> String {
    format!(
        "interface eth{SUPPRESSED}
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-multipoint
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
 ipv6 ospf6 p2p-p2mp disable-multicast-hello
 ipv6 ospf6 p2p-p2mp config-neighbors-only
 ipv6 ospf6 p2p-p2mp connected-prefixes include
 ipv6 ospf6 neighbor {neighbor}
 ipv6 ospf6 neighbor {neighbor} poll-interval 1
{cost}exit
interface lo
 ipv6 ospf6 area 0
exit
"
    )
}

fn ours(far: &str) -> String {
    let cost = format!(" ipv6 ospf6 neighbor {far} cost 77\n");
    format!(
        "{}{}interface eth2
 bandwidth 1000
exit
interface eth{BIRD}
 ip ospf area 0
 ip ospf network point-to-multipoint non-broadcast
{TIMERS} no ip ospf passive
exit
interface stub0
 ip ospf area 0
exit
router ospf
 ospf router-id 1.1.1.1
 ospf send-extra-data zebra
 passive-interface default
 auto-cost reference-bandwidth 50000
 distance ospf intra-area 33 external 77
 neighbor 10.0.0.2
 neighbor 10.0.{BIRD}.4
 max-metric router-lsa on-startup 8
 max-metric router-lsa on-shutdown 5
exit
router ospf6
 ospf6 router-id 1.1.1.1
exit
",
        interfaces(false),
        named(far, &cost)
    )
}

fn theirs(near: &str) -> String {
    format!(
        "{}{}ip route 198.51.100.0/24 blackhole
router ospf
 ospf router-id 2.2.2.2
 ospf send-extra-data zebra
 redistribute static
 neighbor 10.0.0.1
exit
router ospf6
 ospf6 router-id 2.2.2.2
exit
",
        interfaces(true).replace(" ip ospf neighbor-filter NOBODY\n", ""),
        named(near, "")
    )
}

const BIRDS: &str = "\
router id 4.4.4.4;
protocol device {}
protocol ospf v2 ospf2 {
 ipv4 { import all; export none; };
 area 0 {
  interface \"eth0\" { type ptmp; hello 1; dead 4; neighbors { 10.0.7.1; }; };
  interface \"lo\" { stub; };
 };
}
";

fn network(net: &mut Net) -> Result<(Router, Router)> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    let frr = net.router("frr", Kind::Frr)?;
    let bird = net.router("bird", Kind::Bird)?;
    for at in 0..LINKS.len() {
        let (near, far) = match at {
            at if UNNUMBERED.contains(&at) => (format!("10.9.{at}.1/32"), format!("10.9.{at}.2/32")),
            SUPPRESSED => {
                (format!("10.0.{at}.1/24 2001:db8:6::1/64"), format!("10.0.{at}.2/24 2001:db8:6::2/64"))
            }
            _ => (format!("10.0.{at}.1/24"), format!("10.0.{at}.2/24")),
        };
        net.link(&r1, &near, &frr, &far)?;
    }
    net.link(&r1, &format!("10.0.{BIRD}.1/24"), &bird, &format!("10.0.{BIRD}.4/24"))?;
    net.stub(&r1, "stub0", "10.7.0.1/24")?;
    net.loopback(&r1, "10.255.0.1/32 2001:db8:ff::1/128")?;
    net.loopback(&frr, "10.255.0.2/32 2001:db8:ff::2/128")?;
    net.loopback(&bird, "10.255.0.4/32")?;
    r1.ip("link set eth3 mtu 1400")?;
    for router in [&r1, &frr] {
        for at in UNNUMBERED {
            router.run(
                "sysctl",
                &["-qw", &format!("net.ipv4.conf.eth{at}.rp_filter=0"), "net.ipv4.conf.all.rp_filter=0"],
            )?;
        }
    }
    let link = format!("eth{SUPPRESSED}");
    let (near, far) = (r1.link_local(&link)?, frr.link_local(&link)?);
    start(&frr, &theirs(&near))?;
    start(&bird, BIRDS)?;
    start(&r1, &ours(&far))?;
    Ok((r1, frr))
}

/// Our router-LSA as the other one has it.
fn announced(frr: &Router) -> Result<String> {
    Ok(frr.vtysh_json("show ip ospf database router adv-router 1.1.1.1 json")?.to_string())
}

fn highest(frr: &Router, wanted: bool) -> Result<()> {
    wait_until(PATIENCE, &format!("links at the highest metric: {wanted}"), || {
        let lsa = announced(frr)?;
        ensure!(lsa.contains("65535") == wanted, "{lsa}");
        Ok(())
    })
}

fn distance(router: &Router, prefix: &str) -> Result<u64> {
    let json = router.vtysh_json(&format!("show ip route {prefix} json"))?;
    Ok(json[prefix][0]["distance"].as_u64().unwrap_or(0))
}

/// What zebra shows of OSPF's route.
fn extra(router: &Router, prefix: &str) -> Result<Vec<String>> {
    let json = router.vtysh_json(&format!("show ip route {prefix} json"))?;
    let routes = json[prefix].as_array().cloned().unwrap_or_default();
    let route = routes.into_iter().find(|route| route["protocol"] == "ospf").unwrap_or_default();
    Ok(["ospfPathType", "ospfAreaId", "ospfTag"].iter().map(|key| route[*key].to_string()).collect())
}

#[test]
fn every_kind_of_network_with_frr_and_bird_and_stub_routers() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let (r1, frr) = network(net)?;
        // After the start nobody is to go through us.
        highest(&frr, true)?;
        let mut wanted: Vec<String> =
            (0..=BIRD).filter(|at| *at != FILTERED).map(|at| format!("eth{at}")).collect();
        wanted.sort();
        wait_until(PATIENCE, "adjacencies on every link but the filtered one", || {
            let found = full_on(&r1, 2)?;
            ensure!(found == wanted, "{found:?}, not {wanted:?}");
            let found = full_on(&r1, 3)?;
            ensure!(found == [format!("eth{SUPPRESSED}")], "OSPFv3 on {found:?}");
            Ok(())
        })?;
        // Point-to-point links have heard multicast alone: zebra had the kernel ask for the neighbour's link address.
        wait_until(PATIENCE, "the neighbour's link address", || {
            let entry = r1.ip("neigh show dev eth2")?;
            let found = entry.lines().any(|line| {
                line.starts_with("10.0.2.2 ") && line.contains("lladdr") && line.contains("proto")
            });
            ensure!(found, "{entry}");
            Ok(())
        })?;
        has(&r1, Family::V4, &["10.255.0.2/32", "10.255.0.4/32", "198.51.100.0/24"])?;
        has(&r1, Family::V6, &["2001:db8:ff::2/128"])?;
        has(&frr, Family::V4, &["10.255.0.1/32", "10.255.0.4/32", "10.7.0.0/24"])?;
        has(&frr, Family::V6, &["2001:db8:ff::1/128"])?;
        wait_until(PATIENCE, "distances by type", || {
            let (inside, outside) = (distance(&r1, "10.255.0.2/32")?, distance(&r1, "198.51.100.0/24")?);
            ensure!((inside, outside) == (33, 77), "{inside} and {outside}");
            Ok(())
        })?;
        wait_until(PATIENCE, "zebra shows paths and areas", || {
            let (near, far) = (extra(&r1, "10.255.0.2/32")?, extra(&frr, "10.255.0.1/32")?);
            ensure!(
                near == far && near == ["\"Intra-Area\"", "\"0.0.0.0\"", "null"],
                "{near:?}, FRR {far:?}"
            );
            let outside = extra(&r1, "198.51.100.0/24")?;
            ensure!(outside == ["\"External-2\"", "null", "null"], "{outside:?}");
            Ok(())
        })?;
        // That time is over.
        highest(&frr, false)?;
        let lsa = announced(&frr)?;
        ensure!(!lsa.contains(&format!("10.0.{SUPPRESSED}.0")), "the suppressed network is announced: {lsa}");
        // A spoke says its address, a link without a network its number.
        ensure!(lsa.contains("\"10.9.1.1\"") && !lsa.contains("\"10.9.5.1\""), "{lsa}");
        // 50 Gbit/s over 1 Gbit/s.
        let interface = r1.vtysh_json("show ip ospf interface eth2 json")?;
        let interface = &interface["interfaces"]["eth2"];
        ensure!(interface["cost"] == 50 && interface["timerMsecs"] == 250, "{interface}");
        let lsa = frr.vtysh("show ipv6 ospf6 database router adv-router 1.1.1.1 detail")?;
        ensure!(lsa.contains("Metric: 77"), "{lsa}");
        let passive = r1.vtysh_json("show ip ospf interface stub0 json")?;
        ensure!(passive["interfaces"]["stub0"]["timerPassiveIface"] == true, "{passive}");
        // By the operator, and taken back.
        r1.configure(&["router ospf", "max-metric router-lsa administrative"])?;
        highest(&frr, true)?;
        r1.configure(&["router ospf", "no max-metric router-lsa administrative"])?;
        highest(&frr, false)?;
        // A neighbour that falls silent is missed within a second.
        r1.ip("link set eth2 down")?;
        wait_until(Duration::from_secs(5), "the neighbour is missed", || {
            let text = frr.vtysh("show ip ospf neighbor eth2")?;
            ensure!(!text.contains("Full"), "{text}");
            Ok(())
        })?;
        // Before the end all find ways around us, while we still forward.
        let pid = r1.daemon_pid("ospfd")?;
        r1.signal(pid, "TERM")?;
        highest(&frr, true)?;
        r1.wait_gone(pid, PATIENCE)
    });
}
