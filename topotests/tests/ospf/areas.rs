//! Areas of every kind among three vendors: a LAN of the backbone with ours, FRR 10.3 and BIRD, and behind ours a stub area without
//! summaries, an NSSA whose routes are translated, a transit area with a virtual link and a range. External routes go through a route
//! map, some are gathered, a default route is announced. Both versions at once.

use std::collections::BTreeSet;

use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, run, wait_until};

use super::speak::{self, adjacent, has, kernel, start};

const TIMERS: &str = " ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
";

fn interface(name: &str, area: u32, p2p: bool) -> String {
    let network =
        if p2p { " ip ospf network point-to-point\n ipv6 ospf6 network point-to-point\n" } else { "" };
    format!("interface {name}\n ip ospf area {area}\n ipv6 ospf6 area {area}\n{network}{TIMERS}exit\n")
}

fn border() -> String {
    let links = interface("eth0", 0, false)
        + &interface("eth1", 1, true)
        + &interface("eth2", 2, true)
        + &interface("eth3", 3, true)
        + &interface("lo", 0, false);
    format!(
        "ip route 192.0.2.0/24 blackhole
ip route 192.0.3.0/24 blackhole
ip route 198.51.100.0/25 blackhole
ip route 198.51.100.128/25 blackhole
ipv6 route 2001:db8:a1::/64 blackhole
ipv6 route 2001:db8:a2::/64 blackhole
ipv6 route 2001:db8:b0:1::/64 blackhole
ipv6 route 2001:db8:b0:2::/64 blackhole
ip prefix-list KEEP seq 5 permit 192.0.3.0/24
ipv6 prefix-list KEEP6 seq 5 permit 2001:db8:a2::/64
route-map RM deny 10
 match ip address prefix-list KEEP
exit
route-map RM permit 20
 set metric 77
exit
route-map RM6 deny 10
 match ipv6 address prefix-list KEEP6
exit
route-map RM6 permit 20
 set metric 77
exit
{links}router ospf
 ospf router-id 1.1.1.1
 redistribute static metric-type 1 route-map RM
 default-information originate always metric 9
 summary-address 198.51.100.0/24
 area 1 stub no-summary
 area 2 nssa
 area 3 range 10.30.0.0/16
 area 3 virtual-link 4.4.4.4
exit
router ospf6
 ospf6 router-id 1.1.1.1
 redistribute static metric-type 1 route-map RM6
 default-information originate always metric 9
 summary-address 2001:db8:b0::/48
 area 1 stub no-summary
 area 2 nssa
 area 3 range 2001:db8:30::/48
exit
"
    )
}

/// FRR on the LAN: neither the highest nor the lowest priority.
fn on_lan() -> String {
    let links = interface("eth0", 0, false) + &interface("lo", 0, false);
    format!(
        "{links}interface eth0\n ip ospf priority 5\n ipv6 ospf6 priority 5\nexit\nrouter ospf\n ospf router-id 2.2.2.2\nexit\n\
         router ospf6\n ospf6 router-id 2.2.2.2\nexit\n"
    )
}

const BIRD: &str = "\
router id 3.3.3.3;
protocol device {}
protocol kernel { ipv4 { import none; export where source ~ [RTS_OSPF, RTS_OSPF_IA, RTS_OSPF_EXT1, RTS_OSPF_EXT2]; }; }
protocol kernel { ipv6 { import none; export where source ~ [RTS_OSPF, RTS_OSPF_IA, RTS_OSPF_EXT1, RTS_OSPF_EXT2]; }; }
protocol ospf v2 ospf2 {
 ipv4 { import all; export none; };
 area 0 {
  interface \"eth0\" { hello 1; dead 4; priority 9; };
  interface \"lo\" { stub; };
 };
}
protocol ospf v3 ospf3 {
 ipv6 { import all; export none; };
 area 0 {
  interface \"eth0\" { hello 1; dead 4; priority 9; };
  interface \"lo\" { stub; };
 };
}
";

fn stub() -> String {
    let links = interface("eth0", 1, true) + &interface("lo", 1, false);
    format!(
        "{links}router ospf\n ospf router-id 5.5.5.5\n area 1 stub\nexit\nrouter ospf6\n ospf6 router-id 5.5.5.5\n area 1 stub\nexit\n"
    )
}

fn nssa() -> String {
    let links = interface("eth0", 2, true) + &interface("lo", 2, false);
    format!(
        "ip route 203.0.113.0/24 blackhole
ipv6 route 2001:db8:e::/64 blackhole
{links}router ospf
 ospf router-id 6.6.6.6
 area 2 nssa
 redistribute static
exit
router ospf6
 ospf6 router-id 6.6.6.6
 area 2 nssa
 redistribute static
exit
"
    )
}

/// At the other end of the virtual link, with an area of its own behind it.
fn far() -> String {
    let links = interface("eth0", 3, true) + &interface("lo", 3, false);
    format!(
        "{links}interface stub0
 ip ospf area 4
 ip ospf passive
exit
router ospf
 ospf router-id 4.4.4.4
 area 3 range 10.30.0.0/16
 area 3 virtual-link 1.1.1.1
exit
router ospf6
 ospf6 router-id 4.4.4.4
exit
"
    )
}

struct Around {
    r1: Router,
    frr: Router,
    bird: Router,
    stub: Router,
    nssa: Router,
    far: Router,
}

fn network(net: &mut Net) -> Result<Around> {
    let r1 = net.router("r1", Kind::Ours)?;
    let frr = net.router("frr", Kind::Frr)?;
    let bird = net.router("bird", Kind::Bird)?;
    let stub_ = net.router("stub", Kind::Frr)?;
    let nssa_ = net.router("nssa", Kind::Frr)?;
    let far_ = net.router("far", Kind::Frr)?;
    net.lan(
        "lan",
        &[
            (&r1, "10.0.0.1/24 2001:db8:0::1/64"),
            (&frr, "10.0.0.2/24 2001:db8:0::2/64"),
            (&bird, "10.0.0.3/24 2001:db8:0::3/64"),
        ],
    )?;
    net.link(&r1, "10.1.0.1/24 2001:db8:1::1/64", &stub_, "10.1.0.5/24 2001:db8:1::5/64")?;
    net.link(&r1, "10.2.0.1/24 2001:db8:2::1/64", &nssa_, "10.2.0.6/24 2001:db8:2::6/64")?;
    net.link(&r1, "10.30.0.1/24 2001:db8:30:1::1/64", &far_, "10.30.0.4/24 2001:db8:30:1::4/64")?;
    for (router, v4, v6) in [
        (&r1, "10.255.0.1/32", "2001:db8:ff::1/128"),
        (&frr, "10.255.0.2/32", "2001:db8:ff::2/128"),
        (&bird, "10.255.0.3/32", "2001:db8:ff::3/128"),
        (&stub_, "10.255.0.5/32", "2001:db8:ff::5/128"),
        (&nssa_, "10.255.0.6/32", "2001:db8:ff::6/128"),
        (&far_, "10.30.4.4/32", "2001:db8:30:4::4/128"),
    ] {
        net.loopback(router, &format!("{v4} {v6}"))?;
    }
    net.stub(&far_, "stub0", "10.4.0.1/24")?;
    start(&frr, &on_lan())?;
    start(&bird, BIRD)?;
    start(&stub_, &stub())?;
    start(&nssa_, &nssa())?;
    start(&far_, &far())?;
    start(&r1, &border())?;
    Ok(Around { r1, frr, bird, stub: stub_, nssa: nssa_, far: far_ })
}

/// The router IDs of designated router and backup as a router of FRR's shell sees them.
fn designated(router: &Router) -> Result<(String, String)> {
    let json = router.vtysh_json("show ip ospf interface eth0 json")?;
    let interface = &json["interfaces"]["eth0"];
    let of = |key: &str| interface[key].as_str().unwrap_or_default().to_owned();
    Ok((of("drId"), of("bdrId")))
}

fn lacks(router: &Router, family: Family, prefixes: &[&str]) -> Result<()> {
    let found = kernel(router, family)?;
    let there: BTreeSet<&&str> = prefixes.iter().filter(|prefix| found.contains_key(**prefix)).collect();
    ensure!(there.is_empty(), "{} has {there:?}", router.name());
    Ok(())
}

#[test]
fn three_vendors_share_a_lan_and_every_kind_of_area_hangs_on_ours() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let around = network(net)?;
        let Around { r1, frr, bird, stub, nssa, far } = &around;
        for version in [2, 3] {
            adjacent(r1, version, &["2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5", "6.6.6.6"])?;
            adjacent(frr, version, &["1.1.1.1", "3.3.3.3"])?;
            adjacent(bird, version, &["1.1.1.1", "2.2.2.2"])?;
        }
        // Whoever was first may be designated: all agree who it is, and it is one of the three.
        wait_until(speak::PATIENCE, "all agree on the designated router", || {
            let (ours, theirs) = (designated(r1)?, designated(frr)?);
            ensure!(ours == theirs && !ours.0.is_empty() && !ours.1.is_empty(), "{ours:?}, {theirs:?}");
            let text = bird.birdc("show ospf interface ospf2")?;
            ensure!(text.contains(&format!("Designated router (ID): {}", ours.0)), "{ours:?}, but {text}");
            Ok(())
        })?;
        // Externals by the route map, gathered ones, the default, the NSSA's translated, the range, the area behind the virtual link.
        let outside = ["0.0.0.0/0", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];
        let inside = ["10.1.0.0/24", "10.2.0.0/24", "10.255.0.1/32", "10.255.0.5/32", "10.255.0.6/32"];
        let ranged = ["10.30.0.0/16", "10.4.0.0/24"];
        for router in [frr, bird] {
            has(router, Family::V4, &outside)?;
            has(router, Family::V4, &inside)?;
            has(router, Family::V4, &ranged)?;
            lacks(router, Family::V4, &["192.0.3.0/24", "198.51.100.0/25", "10.30.0.0/24", "10.30.4.4/32"])?;
            has(router, Family::V6, &["::/0", "2001:db8:a1::/64", "2001:db8:b0::/48", "2001:db8:e::/64"])?;
            has(router, Family::V6, &["2001:db8:ff::5/128", "2001:db8:ff::6/128", "2001:db8:30::/48"])?;
            lacks(router, Family::V6, &["2001:db8:a2::/64", "2001:db8:b0:1::/64", "2001:db8:30:4::4/128"])?;
        }
        // The stub area hears of nothing but a way out.
        has(stub, Family::V4, &["0.0.0.0/0"])?;
        has(stub, Family::V6, &["::/0"])?;
        lacks(stub, Family::V4, &["10.255.0.2/32", "192.0.2.0/24", "203.0.113.0/24", "10.2.0.0/24"])?;
        lacks(stub, Family::V6, &["2001:db8:ff::2/128", "2001:db8:a1::/64"])?;
        // An NSSA hears of other areas, and of external routes only from its border router.
        has(nssa, Family::V4, &["10.255.0.2/32", "10.1.0.0/24"])?;
        has(nssa, Family::V6, &["2001:db8:ff::2/128"])?;
        // Over the virtual link: the backbone and the externals.
        has(far, Family::V4, &["10.255.0.3/32", "192.0.2.0/24", "203.0.113.0/24"])?;
        // The metrics that the map and the lines set.
        let json = frr.vtysh_json("show ip ospf database external adv-router 1.1.1.1 json")?;
        let lsas = json["asExternalLinkStates"].as_array().cloned().unwrap_or_default();
        let of = |id: &str| lsas.iter().find(|lsa| lsa["linkStateId"] == id).cloned().unwrap_or_default();
        ensure!(of("192.0.2.0")["metric"] == 77 && of("192.0.2.0")["metricType"] == "E1", "{lsas:?}");
        ensure!(of("0.0.0.0")["metric"] == 9, "{lsas:?}");
        wait_until(
            speak::PATIENCE,
            "our kernel has the translated route and the one over the virtual link",
            || {
                let ours = kernel(r1, Family::V4)?;
                ensure!(ours.contains_key("203.0.113.0/24") && ours.contains_key("10.4.0.0/24"), "{ours:?}");
                Ok(())
            },
        )?;
        // The map is changed under way: what it keeps back is announced.
        r1.configure(&["no route-map RM deny 10"])?;
        has(frr, Family::V4, &["192.0.3.0/24"])?;
        has(bird, Family::V4, &["192.0.3.0/24"])
    });
}

const P2MP: &str = "interface eth0
 ip ospf area 0
 ip ospf network point-to-multipoint
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-multipoint
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
exit
interface lo
 ip ospf area 0
 ipv6 ospf6 area 0
exit
";

#[test]
fn a_lan_as_point_to_multipoint_has_no_designated_router() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let frr = net.router("frr", Kind::Frr)?;
        let other = net.router("other", Kind::Frr)?;
        net.lan(
            "lan",
            &[
                (&r1, "10.0.0.1/24 2001:db8::1/64"),
                (&frr, "10.0.0.2/24 2001:db8::2/64"),
                (&other, "10.0.0.3/24 2001:db8::3/64"),
            ],
        )?;
        for (router, n) in [(&r1, 1), (&frr, 2), (&other, 3)] {
            net.loopback(router, &format!("10.255.0.{n}/32 2001:db8:ff::{n}/128"))?;
        }
        let config = |id: &str| {
            format!(
                "{P2MP}router ospf\n ospf router-id {id}\nexit\nrouter ospf6\n ospf6 router-id {id}\nexit\n"
            )
        };
        start(&frr, &config("2.2.2.2"))?;
        start(&other, &config("3.3.3.3"))?;
        start(&r1, &config("1.1.1.1"))?;
        for version in [2, 3] {
            adjacent(&r1, version, &["2.2.2.2", "3.3.3.3"])?;
        }
        has(&r1, Family::V4, &["10.255.0.2/32", "10.255.0.3/32"])?;
        has(&r1, Family::V6, &["2001:db8:ff::2/128", "2001:db8:ff::3/128"])?;
        has(&frr, Family::V4, &["10.255.0.1/32"])?;
        has(&other, Family::V6, &["2001:db8:ff::1/128"])?;
        let database = r1.vtysh_json("show ip ospf database network json")?;
        let networks = &database["networkLinkStates"]["areas"]["0.0.0.0"];
        ensure!(networks.as_array().is_some_and(Vec::is_empty), "{database}");
        Ok(())
    });
}
