//! BGP in VRFs: an instance for each, the same addresses and prefixes in all of them, tables of the kernel compared.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::{Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

fn eventually(what: &str, condition: impl FnMut() -> Result<()>) -> Result<()> {
    wait_until(Duration::from_secs(60), what, condition)
}

/// VRF, kernel table, our AS there, the neighbour's AS, the neighbour's own network.
const PLACES: [(&str, u32, u32, u32, &str); 3] = [
    ("RED", 10, 65010, 65110, "203.0.113.10/32"),
    ("BLUE", 20, 65020, 65120, "203.0.113.20/32"),
    ("default", 254, 65001, 65101, "203.0.113.1/32"),
];
/// Announced by every neighbour.
const COMMON: &str = "192.0.2.0/24";

fn in_vrf(name: &str) -> String {
    if name == "default" { String::new() } else { format!(" vrf {name}") }
}

fn ours() -> String {
    let mut text = "hostname r1\nvrf RED\n ip route 198.51.100.0/24 blackhole\nexit-vrf\n".to_owned();
    for (vrf, _, our_as, their_as, _) in PLACES {
        let password = if vrf == "RED" { " neighbor 10.0.0.2 password secret\n" } else { "" };
        text.push_str(&format!(
            "router bgp {our_as}{}\n no bgp ebgp-requires-policy\n neighbor 10.0.0.2 remote-as {their_as}\n{password} \
             neighbor 10.0.0.2 timers 3 9\n neighbor 10.0.0.2 timers connect 2\n neighbor 2001:db8::2 remote-as {their_as}\n \
             neighbor 2001:db8::2 timers connect 2\n address-family ipv4 unicast\n  redistribute static\n exit-address-family\n \
             address-family ipv6 unicast\n  neighbor 2001:db8::2 activate\n exit-address-family\nexit\n",
            in_vrf(vrf)
        ));
    }
    text
}

fn theirs(vrf: &str, our_as: u32, their_as: u32, network: &str) -> String {
    let password = if vrf == "RED" { " neighbor 10.0.0.1 password secret\n" } else { "" };
    format!(
        "router bgp {their_as}\n no bgp ebgp-requires-policy\n no bgp network import-check\n neighbor 10.0.0.1 remote-as \
         {our_as}\n{password} neighbor 10.0.0.1 timers connect 2\n neighbor 2001:db8::1 remote-as {our_as}\n \
         neighbor 2001:db8::1 timers connect 2\n address-family ipv4 unicast\n  network {COMMON}\n  network {network}\n \
         exit-address-family\n address-family ipv6 unicast\n  network 2001:db8:{}::/48\n  \
         neighbor 2001:db8::1 activate\n exit-address-family\n",
        our_as % 1000
    )
}

/// A VRF device, with the interface in it.
fn vrf_device(r1: &Router, vrf: &str, table: u32, interface: &str) -> Result<()> {
    r1.ip(&format!("link add {vrf} type vrf table {table}"))?;
    r1.ip(&format!("link set {vrf} up"))?;
    r1.ip(&format!("link set {interface} master {vrf}"))?;
    // The kernel takes IPv6 addresses off an interface that changes its VRF.
    r1.ip(&format!("address replace 2001:db8::1/64 dev {interface} nodad")).map(drop)
}

/// r1 with a neighbour in each VRF, all with the same addresses.
fn network(net: &mut Net) -> Result<(Router, Vec<Router>)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let mut peers = Vec::new();
    for (vrf, table, our_as, their_as, own) in PLACES {
        let peer = net.router(&vrf.to_lowercase(), Kind::Frr)?;
        let (interface, _) = net.link(&r1, "", &peer, "10.0.0.2/24 2001:db8::2/64")?;
        if vrf == "default" {
            r1.ip(&format!("address add 2001:db8::1/64 dev {interface} nodad"))?;
        } else {
            vrf_device(&r1, vrf, table, &interface)?;
        }
        r1.ip(&format!("address add 10.0.0.1/24 dev {interface}"))?;
        peer.start(&theirs(vrf, our_as, their_as, own))?;
        peers.push(peer);
    }
    r1.start(&ours())?;
    Ok((r1, peers))
}

/// Gateway and interface of BGP's routes in a table of the kernel.
fn kernel(r1: &Router, family: &str, table: u32) -> Result<Vec<(String, String)>> {
    // A table that never held a route is an error of its own kind.
    let Ok(text) = r1.ip(&format!("-json {family} route show table {table} proto bgp")) else {
        return Ok(Vec::new());
    };
    let rows: Vec<Value> = if text.trim().is_empty() { Vec::new() } else { serde_json::from_str(&text)? };
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<_> = rows.iter().map(|row| (word(row, "dst"), word(row, "dev"))).collect();
    rows.sort();
    Ok(rows)
}

fn expect_kernel(r1: &Router, table: u32, interface: &str, own: &str) -> Result<()> {
    let rows = kernel(r1, "-4", table)?;
    let own = own.trim_end_matches("/32");
    let want = [(COMMON, interface), (own, interface)].map(|(a, b)| (a.to_owned(), b.to_owned()));
    ensure!(rows == want, "table {table} has {rows:?}, not {want:?}");
    ensure!(kernel(r1, "-6", table)?.len() == 1, "table {table}: IPv6");
    Ok(())
}

fn sessions(r1: &Router, vrfs: &[&str], state: &str) -> Result<()> {
    let all = r1.vtysh_json("show bgp vrf all summary json")?;
    for vrf in vrfs {
        let peers = |addr: &str| json!({"peers": {addr: {"state": state}}});
        let both = json!({"ipv4Unicast": peers("10.0.0.2"), "ipv6Unicast": peers("2001:db8::2")});
        json_contains(&json!({ *vrf: both }), &all)?;
    }
    Ok(())
}

fn all_in_place(r1: &Router) -> Result<()> {
    sessions(r1, &["RED", "BLUE", "default"], "Established")?;
    for (index, (_, table, _, _, own)) in PLACES.iter().enumerate() {
        expect_kernel(r1, *table, &format!("eth{index}"), own)?;
    }
    Ok(())
}

#[test]
fn every_vrf_has_its_own_as_neighbours_and_kernel_table() {
    run(&Needs::ours_and_peers().vrf(), |net| {
        let (r1, peers) = network(net)?;
        eventually("sessions and kernel tables", || all_in_place(&r1))?;
        let [red, blue, default] = &peers[..] else { return Err("three neighbours".into()) };
        eventually("RED's static route reaches RED's neighbour", || {
            let route = red.bgp_route("198.51.100.0/24")?;
            ensure!(route.as_path == "65010", "{route:?}");
            Ok(())
        })?;
        blue.bgp_lacks("198.51.100.0/24")?;
        default.bgp_lacks("198.51.100.0/24")?;
        blue.bgp_lacks("203.0.113.10/32")?;

        let id = r1.ip("-json link show RED")?;
        let id = serde_json::from_str::<Value>(&id)?[0]["ifindex"].clone();
        let table = r1.vtysh_json("show bgp vrf RED ipv4 unicast json")?;
        json_contains(&json!({"vrfId": id, "vrfName": "RED", "localAS": 65010}), &table)?;
        let routes = r1.vtysh_json("show ip route vrf RED json")?;
        let hop = json!([{"ip": "10.0.0.2", "interfaceName": "eth0", "fib": true}]);
        let row =
            json!([{"protocol": "bgp", "vrfName": "RED", "table": 10, "installed": true, "nexthops": hop}]);
        json_contains(&json!({ COMMON: row }), &routes)?;
        json_contains(&json!({"10.0.0.0/24": [{"protocol": "connected"}]}), &routes)?;
        json_contains(&json!({"198.51.100.0/24": [{"protocol": "static"}]}), &routes)?;
        let all = r1.vtysh_json("show bgp vrfs json")?;
        let row = json!({"type": "VRF", "vrfId": id, "numEstablishedPeers": 2});
        json_contains(&json!({"vrfs": {"RED": row, "default": {"type": "DFLT"}}, "totalVrfs": 3}), &all)?;

        // What bgpd asks of its neighbour's address in RED is shown as FRR shows it of its own.
        let tracked = r1.vtysh_json("show ip nht vrf RED json")?["RED"]["ipv4"].clone();
        let theirs = red.vtysh_json("show ip nht json")?["default"]["ipv4"].clone();
        let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        ensure!(tracked["10.0.0.2"]["resolvedProtocol"] == "connected", "{tracked}");
        ensure!(
            keys(&tracked["10.0.0.2"]) == keys(&theirs["10.0.0.1"]),
            "ours and FRR's: {tracked} {theirs}"
        );
        let (hop, hops) = (&tracked["10.0.0.2"]["nexthops"][0], &theirs["10.0.0.1"]["nexthops"][0]);
        ensure!(keys(hop) == keys(hops), "ours and FRR's: {hop} {hops}");

        r1.vtysh("clear bgp vrf RED *")?;
        eventually("RED's session was made anew, and no other", || {
            sessions(&r1, &["RED"], "Established")?;
            let made = |vrf: &str| {
                let text = format!("show bgp{} neighbors 10.0.0.2 json", in_vrf(vrf));
                Ok(r1.vtysh_json(&text)?["10.0.0.2"]["connectionsEstablished"].as_u64())
            };
            let made: Result<Vec<_>> = ["RED", "BLUE", "default"].into_iter().map(made).collect();
            let made = made?;
            ensure!(made == [Some(2), Some(1), Some(1)], "{made:?}");
            Ok(())
        })
    });
}

#[test]
fn a_vrf_deleted_takes_its_sessions_and_one_made_anew_brings_them_back() {
    run(&Needs::ours_and_peers().vrf(), |net| {
        let (r1, _) = network(net)?;
        eventually("sessions and kernel tables", || all_in_place(&r1))?;
        r1.ip("link set eth0 nomaster")?;
        r1.ip("link set eth0 down")?;
        r1.ip("link del RED")?;
        eventually("RED's sessions are gone", || {
            sessions(&r1, &["RED"], "Idle")?;
            let summary = r1.vtysh_json("show bgp vrf RED ipv4 unicast summary json")?;
            json_contains(&json!({"vrfId": -1}), &summary)
        })?;
        sessions(&r1, &["BLUE", "default"], "Established")?;
        expect_kernel(&r1, 20, "eth1", PLACES[1].4)?;

        vrf_device(&r1, "RED", 11, "eth0")?;
        r1.ip("link set eth0 up")?;
        eventually("they are back, in the new table", || {
            sessions(&r1, &["RED", "BLUE", "default"], "Established")?;
            expect_kernel(&r1, 11, "eth0", PLACES[0].4)
        })?;
        let default = r1.vtysh_json("show bgp neighbors 10.0.0.2 json")?;
        json_contains(&json!({"10.0.0.2": {"connectionsEstablished": 1}}), &default)?;

        r1.configure(&["no router bgp 65020 vrf BLUE"])?;
        eventually("BLUE's routes have left the kernel", || {
            ensure!(kernel(&r1, "-4", 20)?.is_empty() && kernel(&r1, "-6", 20)?.is_empty(), "still there");
            Ok(())
        })?;
        sessions(&r1, &["RED", "default"], "Established")?;
        expect_kernel(&r1, 11, "eth0", PLACES[0].4)
    });
}
