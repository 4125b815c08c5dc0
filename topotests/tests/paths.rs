//! Several paths per prefix, route reflection and route servers with FRR, BIRD and GoBGP as neighbours.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use topotests::{Kind, Needs, Net, Result, Router, ensure, holds_for, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

/// The prefix that two ASes announce, in both families.
const SHARED: [&str; 2] = ["192.0.2.0/24", "2001:db8:c::/48"];
/// The prefix that BIRD, and the one that GoBGP sends two paths of.
const BIRDS: &str = "198.51.100.0/24";
const GOBGPS: &str = "203.0.113.0/24";

fn lan(net: &mut Net, routers: &[(&Router, u8)]) -> Result<()> {
    let addrs: Vec<String> = routers.iter().map(|(_, n)| format!("10.0.0.{n}/24 2001:db8::{n}/64")).collect();
    let members: Vec<(&Router, &str)> =
        routers.iter().zip(&addrs).map(|((router, _), addr)| (*router, addr.as_str())).collect();
    net.lan("lan", &members).map(drop)
}

/// The paths of a prefix that a router has from its neighbours: AS path and identifier as received, where it tells it.
fn paths(router: &Router, prefix: &str) -> Result<Vec<(String, u64)>> {
    let family = if prefix.contains(':') { "ipv6" } else { "ipv4" };
    let mut found = match router.kind() {
        Kind::Bird => birds_paths(router, prefix)?,
        Kind::GoBgp => {
            let json = router.gobgp(&format!("global rib {prefix} -a {family}"))?;
            let all = json.as_object().into_iter().flat_map(|object| object.values());
            all.filter_map(Value::as_array).flatten().map(|path| (gobgp_path(path), 0)).collect()
        }
        _ => {
            let json = router.vtysh_json(&format!("show bgp {family} unicast {prefix} json"))?;
            let all = json.get("paths").and_then(Value::as_array).into_iter().flatten();
            all.map(|path| {
                let text = path.pointer("/aspath/string").and_then(Value::as_str).unwrap_or_default();
                let id = path.get("addpathRxId").and_then(Value::as_u64).unwrap_or(0);
                (text.to_owned(), id)
            })
            .collect()
        }
    };
    found.sort();
    Ok(found)
}

fn birds_paths(router: &Router, prefix: &str) -> Result<Vec<(String, u64)>> {
    let text = router.birdc(&format!("show route for {prefix} all"))?;
    let paths = text.lines().filter_map(|line| line.trim().strip_prefix("BGP.as_path:"));
    Ok(paths.map(|path| (path.trim().to_owned(), 0)).collect())
}

fn gobgp_path(path: &Value) -> String {
    let attrs = path.get("attrs").and_then(Value::as_array).into_iter().flatten();
    let segments = attrs.filter_map(|attr| attr.get("as_paths")?.as_array()).flatten();
    let numbers = segments.filter_map(|segment| segment.get("asns")?.as_array()).flatten();
    numbers.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn has_paths(router: &Router, prefix: &str, expected: &[&str]) -> Result<Vec<(String, u64)>> {
    let found = paths(router, prefix)?;
    let texts: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    ensure!(texts == expected, "{}: paths of {prefix} are {found:?}", router.name());
    Ok(found)
}

/// A source of the shared prefix: eBGP to `.3`.
fn source(asn: u32, n: u8) -> String {
    let [four, six] = SHARED;
    format!(
        "router bgp {asn}
 bgp router-id 10.0.0.{n}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.3 remote-as 65000
 neighbor 10.0.0.3 timers connect 1
 neighbor 2001:db8::3 remote-as 65000
 neighbor 2001:db8::3 timers connect 1
 address-family ipv4 unicast
  network {four}
  no neighbor 2001:db8::3 activate
 exit-address-family
 address-family ipv6 unicast
  network {six}
  neighbor 2001:db8::3 activate
 exit-address-family
exit
"
    )
}

/// FRR between the sources and the reflector: sends every path.
const FEEDER: &str = "router bgp 65000
 bgp router-id 10.0.0.3
 no bgp ebgp-requires-policy
 neighbor 10.0.0.1 remote-as 65001
 neighbor 10.0.0.2 remote-as 65002
 neighbor 2001:db8::1 remote-as 65001
 neighbor 2001:db8::2 remote-as 65002
 neighbor 10.0.0.10 remote-as 65000
 neighbor 10.0.0.10 timers connect 1
 neighbor 2001:db8::10 remote-as 65000
 neighbor 2001:db8::10 timers connect 1
 address-family ipv4 unicast
  neighbor 10.0.0.10 addpath-tx-all-paths
  neighbor 10.0.0.10 next-hop-self
  no neighbor 2001:db8::1 activate
  no neighbor 2001:db8::2 activate
  no neighbor 2001:db8::10 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor 2001:db8::1 activate
  neighbor 2001:db8::2 activate
  neighbor 2001:db8::10 activate
  neighbor 2001:db8::10 addpath-tx-all-paths
  neighbor 2001:db8::10 next-hop-self
 exit-address-family
exit
";

fn reflector() -> String {
    let mut text = String::from(
        "bgp no-rib
router bgp 65000
 bgp router-id 10.0.0.10
 bgp cluster-id 1.1.1.1
 neighbor CLIENTS peer-group
 neighbor CLIENTS remote-as 65000
 neighbor CLIENTS timers connect 1
",
    );
    for n in [3, 4, 5, 6] {
        text.push_str(&format!(" neighbor 10.0.0.{n} peer-group CLIENTS\n"));
    }
    for n in [3, 4] {
        text.push_str(&format!(" neighbor 2001:db8::{n} peer-group CLIENTS\n"));
    }
    text.push_str(
        " address-family ipv4 unicast
  neighbor CLIENTS route-reflector-client
  neighbor CLIENTS addpath-tx-all-paths
  no neighbor 2001:db8::3 activate
  no neighbor 2001:db8::4 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor CLIENTS activate
  neighbor CLIENTS route-reflector-client
  neighbor CLIENTS addpath-tx-all-paths
  neighbor 2001:db8::3 activate
  neighbor 2001:db8::4 activate
 exit-address-family
exit
",
    );
    text
}

const FRR_CLIENT: &str = "router bgp 65000
 bgp router-id 10.0.0.4
 neighbor 10.0.0.10 remote-as 65000
 neighbor 10.0.0.10 timers connect 1
 neighbor 2001:db8::10 remote-as 65000
 neighbor 2001:db8::10 timers connect 1
 address-family ipv4 unicast
  no neighbor 2001:db8::10 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor 2001:db8::10 activate
 exit-address-family
exit
";

const BIRD_CLIENT: &str = "router id 10.0.0.5;
protocol device {}
protocol static one { ipv4; route 198.51.100.0/24 via 10.0.0.1; }
protocol static two { ipv4 { preference 150; }; route 198.51.100.0/24 via 10.0.0.2; }
protocol bgp up {
 local as 65000; neighbor 10.0.0.10 as 65000; direct;
 ipv4 { import all; export where source = RTS_STATIC; add paths on; next hop keep; };
}
";

const GOBGP_CLIENT: &str = r#"[global.config]
as = 65000
router-id = "10.0.0.6"
[[neighbors]]
[neighbors.config]
neighbor-address = "10.0.0.10"
peer-as = 65000
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv4-unicast"
[neighbors.afi-safis.add-paths.config]
receive = true
send-max = 8
"#;

/// The identifiers under which the reflector sends the paths of a prefix, by next hop and AS path.
fn sent(router: &Router, prefix: &str) -> Result<BTreeMap<String, u64>> {
    let family = if prefix.contains(':') { "ipv6" } else { "ipv4" };
    let json = router.vtysh_json(&format!("show bgp {family} unicast {prefix} json"))?;
    let all = json.get("paths").and_then(Value::as_array).into_iter().flatten();
    let text = |path: &Value, pointer| path.pointer(pointer).map(ToString::to_string).unwrap_or_default();
    Ok(all
        .map(|path| {
            let name = format!(
                "{} {} {}",
                text(path, "/aspath/string"),
                text(path, "/nexthops/0/ip"),
                text(path, "/addpathRxId")
            );
            (name, path.get("addpathTxIdAll").and_then(Value::as_u64).unwrap_or(0))
        })
        .collect())
}

fn distinct(ids: &BTreeMap<String, u64>, count: usize) -> Result<()> {
    let mut all: Vec<u64> = ids.values().copied().collect();
    all.sort_unstable();
    all.dedup();
    ensure!(all.len() == count && !all.contains(&0), "identifiers are {ids:?}");
    Ok(())
}

/// Paths from FRR, BIRD and GoBGP go through the reflector to FRR, BIRD and GoBGP; a path that goes takes no other's
/// identifier with it.
fn add_path(net: &mut Net) -> Result<()> {
    let s1 = net.router("s1", Kind::Ours)?;
    let s2 = net.router("s2", Kind::Ours)?;
    let feeder = net.router("feeder", Kind::Frr)?;
    let rr = net.router("rr", Kind::Ours)?;
    let frr = net.router("frr", Kind::Frr)?;
    let bird = net.router("bird", Kind::Bird)?;
    let gobgp = net.router("gobgp", Kind::GoBgp)?;
    lan(net, &[(&s1, 1), (&s2, 2), (&feeder, 3), (&rr, 10), (&frr, 4), (&bird, 5), (&gobgp, 6)])?;
    s1.start(&source(65001, 1))?;
    s2.start(&source(65002, 2))?;
    feeder.start(FEEDER)?;
    rr.start(&reflector())?;
    frr.start(FRR_CLIENT)?;
    bird.start(BIRD_CLIENT)?;
    gobgp.start(GOBGP_CLIENT)?;
    for (id, hop) in [(1, 1), (2, 2)] {
        gobgp.gobgp_do(&format!(
            "global rib add -a ipv4 {GOBGPS} identifier {id} nexthop 10.0.0.{hop} origin igp"
        ))?;
    }
    for n in [3, 4, 5, 6] {
        rr.wait_bgp_established(&format!("10.0.0.{n}"))?;
    }

    let both = ["65001", "65002"];
    let local = ["", ""];
    for prefix in SHARED {
        wait_until(PATIENCE, "the reflector has both paths", || has_paths(&rr, prefix, &both))?;
        wait_until(PATIENCE, "FRR has both paths", || has_paths(&frr, prefix, &both))?;
    }
    for router in [&bird, &gobgp] {
        wait_until(PATIENCE, "the client has both paths", || has_paths(router, SHARED[0], &both))?;
    }
    for (prefix, sender) in [(BIRDS, &bird), (GOBGPS, &gobgp)] {
        let what = format!("two paths of {} arrive at FRR", sender.name());
        wait_until(PATIENCE, &what, || {
            let found = paths(&frr, prefix)?;
            ensure!(found.len() == local.len(), "frr: {found:?}");
            Ok(())
        })?;
    }
    let before = sent(&rr, SHARED[0])?;
    distinct(&before, 2)?;
    distinct(&sent(&rr, BIRDS)?, 2)?;
    distinct(&sent(&rr, GOBGPS)?, 2)?;
    for prefix in SHARED {
        let received: Vec<u64> = paths(&frr, prefix)?.into_iter().map(|(_, id)| id).collect();
        let mut ours: Vec<u64> = sent(&rr, prefix)?.into_values().collect();
        ours.sort_unstable();
        let mut theirs = received;
        theirs.sort_unstable();
        ensure!(ours == theirs, "sent as {ours:?}, received as {theirs:?}");
    }

    // One source stops: the other's path stays what it was, everywhere.
    s1.configure(&["router bgp 65001", "address-family ipv4 unicast", &format!("no network {}", SHARED[0])])?;
    for router in [&rr, &frr, &bird, &gobgp] {
        wait_until(PATIENCE, "one path is left", || has_paths(router, SHARED[0], &["65002"]))?;
    }
    let after = sent(&rr, SHARED[0])?;
    ensure!(after.iter().all(|(path, id)| before.get(path) == Some(id)), "{before:?} became {after:?}");

    // Only the best of all from now on; capabilities stay, so does the session.
    s1.configure(&["router bgp 65001", "address-family ipv4 unicast", &format!("network {}", SHARED[0])])?;
    wait_until(PATIENCE, "both again", || has_paths(&frr, SHARED[0], &both))?;
    rr.configure(&[
        "router bgp 65000",
        "address-family ipv4 unicast",
        "neighbor CLIENTS addpath-tx-best-selected 1",
    ])?;
    for router in [&frr, &gobgp] {
        wait_until(PATIENCE, "the best path only", || has_paths(router, SHARED[0], &["65001"]))?;
    }
    // `bgp no-rib`: nothing of this is in the reflector's kernel.
    rr.kernel_lacks(SHARED[0])
}

#[test]
fn paths_of_frr_bird_and_gobgp_go_through_a_reflector_under_identifiers_that_stay() {
    run(&Needs::ours_and_peers(), add_path);
}

/// `r1` (ours) and `r2` (FRR) reflect for a cluster each.
fn clusters(net: &mut Net) -> Result<()> {
    let r1 = net.router("r1", Kind::Ours)?;
    let r2 = net.router("r2", Kind::Frr)?;
    let c1 = net.router("c1", Kind::Frr)?;
    let c2 = net.router("c2", Kind::Ours)?;
    let c3 = net.router("c3", Kind::Ours)?;
    lan(net, &[(&r1, 1), (&r2, 2), (&c1, 11), (&c2, 12), (&c3, 13)])?;
    let reflector = |n: u8, other: u8, clients: &[u8]| {
        let mut text = format!(
            "router bgp 65000\n bgp router-id 10.0.0.{n}\n bgp cluster-id {n}.{n}.{n}.{n}\n \
             neighbor 10.0.0.{other} remote-as 65000\n neighbor 10.0.0.{other} timers connect 1\n"
        );
        for client in clients {
            text.push_str(&format!(
                " neighbor 10.0.0.{client} remote-as 65000\n neighbor 10.0.0.{client} timers connect 1\n"
            ));
        }
        text.push_str(" address-family ipv4 unicast\n");
        for client in clients {
            text.push_str(&format!("  neighbor 10.0.0.{client} route-reflector-client\n"));
        }
        text.push_str(" exit-address-family\nexit\nroute-map MARK permit 10\n set metric 77\n");
        text
    };
    let client = |n: u8, reflector: u8| {
        format!(
            "router bgp 65000\n bgp router-id 10.0.0.{n}\n no bgp network import-check\n \
             neighbor 10.0.0.{reflector} remote-as 65000\n neighbor 10.0.0.{reflector} timers connect 1\n \
             address-family ipv4 unicast\n  network 192.0.2.{n}/32\n exit-address-family\n"
        )
    };
    r1.start(&reflector(1, 2, &[11, 13]))?;
    r2.start(&reflector(2, 1, &[12]))?;
    c1.start(&client(11, 1))?;
    c2.start(&client(12, 2))?;
    c3.start(&client(13, 1))?;

    let detail = |router: &Router, n: u8| -> Result<Value> {
        let json = router.vtysh_json(&format!("show bgp ipv4 unicast 192.0.2.{n}/32 json"))?;
        json.pointer("/paths/0").cloned().ok_or_else(|| topotests::Failure::new("no path"))
    };
    let clusters = |router: &Router, n: u8, expected: &[&str]| -> Result<()> {
        let path = detail(router, n)?;
        let list: Vec<&str> = path
            .pointer("/clusterList/list")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        ensure!(list == expected, "{}: clusters of {n} are {list:?}", router.name());
        let originator = path.get("originatorId").and_then(Value::as_str);
        ensure!(originator == Some(&*format!("10.0.0.{n}")), "originator {originator:?}");
        Ok(())
    };
    wait_until(PATIENCE, "through both clusters one way", || clusters(&c2, 11, &["2.2.2.2", "1.1.1.1"]))?;
    wait_until(PATIENCE, "and the other", || clusters(&c1, 12, &["1.1.1.1", "2.2.2.2"]))?;
    wait_until(PATIENCE, "within a cluster", || clusters(&c1, 13, &["1.1.1.1"]))?;

    // Clients that hear each other directly need no reflection among them.
    r1.configure(&["router bgp 65000", "no bgp client-to-client reflection"])?;
    wait_until(PATIENCE, "no longer between clients", || c1.bgp_lacks("192.0.2.13/32"))?;
    clusters(&c2, 11, &["2.2.2.2", "1.1.1.1"])?;
    r1.configure(&["router bgp 65000", "bgp client-to-client reflection"])?;
    wait_until(PATIENCE, "between clients again", || clusters(&c1, 13, &["1.1.1.1"]))?;

    // A route map changes what is reflected only where it is allowed to.
    r1.configure(&[
        "router bgp 65000",
        "address-family ipv4 unicast",
        "neighbor 10.0.0.11 route-map MARK out",
    ])?;
    let metric = |expected: u64| {
        let path = detail(&c1, 13)?;
        let metric = path.get("metric").and_then(Value::as_u64);
        ensure!(metric == Some(expected), "metric {metric:?}");
        Ok(())
    };
    holds_for(Duration::from_secs(1), "reflected as it came", || metric(0))?;
    r1.configure(&["router bgp 65000", "bgp route-reflector allow-outbound-policy"])?;
    wait_until(PATIENCE, "changed by the route map", || metric(77))
}

#[test]
fn two_clusters_reflect_with_frr_and_policy_changes_routes_only_where_allowed() {
    run(&Needs::ours_and_peers(), clusters);
}

const SERVER: &str = "router bgp 65000
 bgp router-id 10.0.0.10
 no bgp ebgp-requires-policy
 neighbor 10.0.0.4 remote-as 65004
 neighbor 10.0.0.5 remote-as 65005
 neighbor 10.0.0.6 remote-as 65006
 neighbor 10.0.0.7 remote-as 65007
 address-family ipv4 unicast
  neighbor 10.0.0.4 route-server-client
  neighbor 10.0.0.4 reject-community 65000:65666
  neighbor 10.0.0.4 route-map FROM-FRR in
  neighbor 10.0.0.5 route-server-client
  neighbor 10.0.0.5 route-map NOT-FRR out
  neighbor 10.0.0.6 route-server-client
  neighbor 10.0.0.6 route-map NOT-FRR out
  neighbor 10.0.0.6 secondary-path
  neighbor 10.0.0.7 route-server-client
  neighbor 10.0.0.7 secondary-path
 exit-address-family
exit
bgp as-path access-list FRR permit ^65004
ip prefix-list BOGONS seq 5 permit 10.0.0.0/8 le 32
route-map FROM-FRR deny 13
 match ip address prefix-list BOGONS
route-map FROM-FRR permit 20
route-map NOT-FRR deny 10
 match as-path FRR
route-map NOT-FRR permit 20
";

/// Three vendors and ours as clients; FRR and ours announce one prefix, and FRR's path is the best.
fn route_server(net: &mut Net) -> Result<()> {
    let rs = net.router("rs", Kind::Ours)?;
    let frr = net.router("frr", Kind::Frr)?;
    let bird = net.router("bird", Kind::Bird)?;
    let gobgp = net.router("gobgp", Kind::GoBgp)?;
    let ours = net.router("ours", Kind::Ours)?;
    lan(net, &[(&rs, 10), (&frr, 4), (&bird, 5), (&gobgp, 6), (&ours, 7)])?;
    let member = |n: u8, extra: &str| {
        format!(
            "router bgp 6500{n}
 bgp router-id 10.0.0.{n}
 no bgp ebgp-requires-policy
 no bgp enforce-first-as
 no bgp network import-check
 neighbor 10.0.0.10 remote-as 65000
 neighbor 10.0.0.10 timers connect 1
 address-family ipv4 unicast
  network {}
  neighbor 10.0.0.10 route-map OUT out
 exit-address-family
exit
route-map OUT permit 10
 set metric 5
 set community 6500{n}:1
{extra}",
            SHARED[0]
        )
    };
    rs.start(SERVER)?;
    frr.start(&member(4, ""))?;
    ours.start(&member(7, " set as-path prepend 65007\n"))?;
    bird.start(
        "router id 10.0.0.5;
protocol device {}
protocol bgp up { local as 65005; neighbor 10.0.0.10 as 65000; direct; ipv4 { import all; export none; }; }
",
    )?;
    gobgp.start(
        "[global.config]\nas = 65006\nrouter-id = \"10.0.0.6\"\n[[neighbors]]\n[neighbors.config]\n\
         neighbor-address = \"10.0.0.10\"\npeer-as = 65000\n",
    )?;
    for n in [4, 5, 6, 7] {
        rs.wait_bgp_established(&format!("10.0.0.{n}"))?;
    }
    // Hidden by its policy, and nothing in its place: BIRD's view of the server is FRR's.
    wait_until(PATIENCE, "the server has both", || has_paths(&rs, SHARED[0], &["65004", "65007 65007"]))?;
    let told = |router: &Router, path: &str, hop: &str| -> Result<()> {
        let route = router.bgp_route(SHARED[0])?;
        ensure!(route.as_path == path && route.next_hop == hop, "{}: {route:?}", router.name());
        ensure!(route.med == Some(5), "{}: MED {:?}", router.name(), route.med);
        Ok(())
    };
    wait_until(PATIENCE, "GoBGP has the path that its policy passes", || {
        told(&gobgp, "65007 65007", "10.0.0.7")
    })?;
    holds_for(Duration::from_secs(1), "BIRD has none", || bird.bgp_lacks(SHARED[0]))?;
    rs.configure(&["router bgp 65000", "address-family ipv4 unicast", "neighbor 10.0.0.5 secondary-path"])?;
    wait_until(PATIENCE, "BIRD has it as well", || told(&bird, "65007 65007", "10.0.0.7"))?;

    // What is refused is kept, with the reason.
    frr.configure(&["router bgp 65004", "address-family ipv4 unicast", "network 10.99.0.0/24"])?;
    wait_until(PATIENCE, "the refused route is shown", || {
        let shown = rs.vtysh("show bgp ipv4 unicast neighbors 10.0.0.4 filtered-routes json")?;
        ensure!(shown.contains("10.99.0.0/24") && shown.contains("65000:65666:1013"), "{shown}");
        Ok(())
    })?;
    for router in [&bird, &gobgp] {
        router.bgp_lacks("10.99.0.0/24")?;
    }

    // The best goes: its announcer hears of the other, which now has no rival.
    rs.configure(&[
        "router bgp 65000",
        "address-family ipv4 unicast",
        "no neighbor 10.0.0.5 route-map NOT-FRR out",
    ])?;
    wait_until(PATIENCE, "without policy BIRD has the best", || told(&bird, "65004", "10.0.0.4"))?;
    frr.configure(&[
        "router bgp 65004",
        "address-family ipv4 unicast",
        &format!("no network {}", SHARED[0]),
    ])?;
    for router in [&frr, &bird, &gobgp] {
        wait_until(PATIENCE, "the other is everybody's", || told(router, "65007 65007", "10.0.0.7"))?;
    }
    Ok(())
}

#[test]
fn clients_of_a_route_server_have_what_their_own_policy_lets_them_have() {
    run(&Needs::ours_and_peers(), route_server);
}
