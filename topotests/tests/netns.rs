//! VRFs that are network namespaces (`zebra -w`): the same interface names and addresses in all of them, BGP within them, and
//! namespaces that come and go.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::ours;
use topotests::{Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

/// VRF, its namespace, the neighbour's AS and network.
const PLACES: [(&str, &str, u32, &str); 2] =
    [("red", "red", 65110, "203.0.113.10"), ("blue", "blue", 65120, "203.0.113.20")];

const OURS: &str = "hostname r1\nvrf red\n netns red\n ip route 198.51.100.0/24 10.0.0.2\n \
    ip route 192.0.3.0/24 10.0.0.2\n ip route 192.0.3.0/24 10.0.0.3\n ip router-id 192.0.2.1\nexit-vrf\n\
    vrf blue\n ip route 198.51.100.0/24 10.0.0.2 eth0\nexit-vrf\n\
    router bgp 65001 vrf red\n no bgp ebgp-requires-policy\n neighbor 10.0.0.2 remote-as 65110\n neighbor 10.0.0.2 timers connect 1\nexit\n\
    router bgp 65002 vrf blue\n no bgp ebgp-requires-policy\n neighbor 10.0.0.2 remote-as 65120\n neighbor 10.0.0.2 timers connect 1\nexit\n";

/// `ip` among the router's own files: where its namespaces are.
fn ip(router: &Router, args: &str) -> Result<String> {
    router.run("ip", &args.split_whitespace().collect::<Vec<_>>())
}

/// Makes a namespace and moves a cable into it, as `eth0` with the address that they all have.
fn namespace(r1: &Router, name: &str, interface: &str) -> Result<()> {
    ip(r1, &format!("netns add {name}"))?;
    ip(r1, &format!("link set {interface} netns {name} name eth0"))?;
    for line in ["link set lo up", "address add 10.0.0.1/24 dev eth0", "link set eth0 up"] {
        ip(r1, &format!("-n {name} {line}"))?;
    }
    Ok(())
}

fn network(net: &mut Net) -> Result<(Router, Vec<Router>)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let mut peers = Vec::new();
    for (_, name, their_as, network) in PLACES {
        let peer = net.router(&format!("p{name}"), Kind::Frr)?;
        let (interface, _) = net.link(&r1, "", &peer, "10.0.0.2/24")?;
        namespace(&r1, name, &interface)?;
        let our_as = if name == "red" { 65001 } else { 65002 };
        peer.start(&format!(
            "router bgp {their_as}\n bgp router-id 192.0.2.9\n no bgp ebgp-requires-policy\n no bgp network import-check\n \
             neighbor 10.0.0.1 remote-as {our_as}\n neighbor 10.0.0.1 timers connect 1\n address-family ipv4 unicast\n  \
             network {network}/32\n exit-address-family\n"
        ))?;
        peers.push(peer);
    }
    ours::start_daemons(&r1, OURS, &[("zebra", &["-w"]), ("bgpd", &["-w"])], "debugging")?;
    Ok((r1, peers))
}

/// The kernel of a namespace has the route, through the neighbour, with our mark.
fn has(r1: &Router, netns: &str, prefix: &str, protocol: &str) -> Result<()> {
    let rows: Vec<Value> = serde_json::from_str(&ip(r1, &format!("-n {netns} -json route show {prefix}"))?)?;
    let row = rows.first().ok_or_else(|| format!("{netns} has no {prefix}"))?;
    let found = (row["gateway"].as_str(), row["dev"].as_str(), row["protocol"].as_str());
    ensure!(found == (Some("10.0.0.2"), Some("eth0"), Some(protocol)), "{row}");
    Ok(())
}

/// The group that the route with two ways names in RED's kernel; its members are objects of that kernel.
fn group(r1: &Router) -> Result<u64> {
    let rows: Vec<Value> = serde_json::from_str(&ip(r1, "-n red -json route show 192.0.3.0/24")?)?;
    let id = rows.first().and_then(|row| row["nhid"].as_u64()).ok_or("the route names no object")?;
    let objects: Vec<Value> = serde_json::from_str(&ip(r1, "-n red -json nexthop show")?)?;
    let find = |id: u64| objects.iter().find(|object| object["id"] == id);
    let members = find(id).and_then(|group| group["group"].as_array()).ok_or("it is no group")?;
    let gateways: Vec<_> =
        members.iter().filter_map(|member| find(member["id"].as_u64()?)?["gateway"].as_str()).collect();
    ensure!(gateways.len() == 2 && gateways.contains(&"10.0.0.3"), "{objects:?}");
    ensure!(!ip(r1, "nexthop show")?.contains("eth0"), "the own kernel has another's object");
    let shown = r1.vtysh_json("show nexthop-group rib vrf red json")?;
    json_contains(&json!({ (id.to_string()): {"vrf": "red", "installed": true} }), &shown)?;
    Ok(id)
}

fn in_place(r1: &Router) -> Result<()> {
    for (vrf, netns, _, network) in PLACES {
        has(r1, netns, network, "bgp")?;
        has(r1, netns, "198.51.100.0/24", "196")?;
        let routes = r1.vtysh_json(&format!("show ip route vrf {vrf} json"))?;
        let hop = json!([{"ip": "10.0.0.2", "interfaceName": "eth0", "fib": true}]);
        let row =
            json!([{"protocol": "bgp", "vrfName": vrf, "table": 254, "installed": true, "nexthops": hop}]);
        json_contains(&json!({ (format!("{network}/32")): row }), &routes)?;
        json_contains(&json!({"10.0.0.0/24": [{"protocol": "connected"}]}), &routes)?;
    }
    Ok(())
}

#[test]
fn each_namespace_is_a_vrf_with_bgp_and_routes_of_its_own() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, peers) = network(net)?;
        wait_until(PATIENCE, "both namespaces have their routes", || in_place(&r1))?;
        ensure!(
            ip(&r1, "route show 198.51.100.0/24")?.trim().is_empty(),
            "the own namespace has a VRF's route"
        );
        let vrfs = r1.vtysh("show vrf")?;
        ensure!(vrfs.starts_with("netns-based vrfs\n"), "{vrfs}");
        ensure!(vrfs.contains("netns /run/netns/red (configured)"), "{vrfs}");
        ensure!(vrfs.lines().any(|line| line.starts_with("vrf blue id ")), "{vrfs}");
        let config = r1.vtysh("show running-config")?;
        ensure!(config.contains("vrf red\n ip router-id 192.0.2.1\n"), "{config}");
        let interfaces = r1.vtysh_json("show interface vrf red json")?;
        json_contains(&json!({"eth0": {"vrfName": "red", "operationalStatus": "up"}}), &interfaces)?;
        let id = r1.vtysh("show ip router-id vrf red")?;
        ensure!(id.contains("192.0.2.1"), "{id}");

        // A router of RED is advertised in RED, and heard there.
        let [red, _] = &peers[..] else { return Err("two neighbours".into()) };
        red.run("sh", &["-c", "echo 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra"])?;
        r1.configure(&["interface eth0 vrf red", "no ipv6 nd suppress-ra", "ipv6 nd ra-interval 4"])?;
        wait_until(PATIENCE, "the neighbour takes its default route from us", || {
            let routes = red.ip("-6 route show default")?;
            ensure!(routes.contains("proto ra"), "{routes}");
            Ok(())
        })?;
        let refused = r1
            .configure(&["interface eth0 vrf red", "mpls enable"])
            .map_or_else(|e| e.to_string(), |()| String::new());
        ensure!(refused.contains("no MPLS in the namespace of VRF red"), "{refused}");

        // Others change what is in a namespace.
        let id = group(&r1)?;
        ip(&r1, &format!("-n red nexthop del id {id}"))?;
        wait_until(PATIENCE, "the group is back with its route", || group(&r1).map(drop))?;
        ip(&r1, "-n red route del 203.0.113.10")?;
        ip(&r1, "-n blue route replace 198.51.100.0/24 via 10.0.0.77 proto 196 metric 20")?;
        ip(&r1, "-n blue route add 192.0.2.0/24 via 10.0.0.2")?;
        wait_until(PATIENCE, "it is put right", || in_place(&r1))?;
        wait_until(PATIENCE, "an audit of all namespaces finds nothing", || {
            let drift = r1.vtysh_json("show zebra fib drift json")?;
            ensure!(drift["inSync"] == true && drift["held"].as_u64() >= Some(4), "{drift}");
            Ok(())
        })?;
        let foreign = r1.vtysh_json("show ip route vrf blue kernel json")?;
        json_contains(&json!({"192.0.2.0/24": [{"protocol": "kernel"}]}), &foreign)?;

        // A crash: the routes stay, and are taken over.
        let id = group(&r1)?;
        let pid = r1.daemon_pid("zebra")?;
        r1.signal(pid, "KILL")?;
        r1.wait_gone(pid, PATIENCE)?;
        in_kernel(&r1)?;
        ours::start_one(&r1, "zebra", &["-w"], "debugging")?;
        ours::load(&r1)?;
        in_kernel(&r1)?;
        wait_until(PATIENCE, "zebra knows them again", || in_place(&r1))?;
        ensure!(group(&r1)? == id, "the group has another number than before");
        Ok(())
    });
}

fn in_kernel(r1: &Router) -> Result<()> {
    PLACES.iter().try_for_each(|(_, netns, _, network)| {
        has(r1, netns, network, "bgp")?;
        has(r1, netns, "198.51.100.0/24", "196")
    })
}

#[test]
fn a_namespace_that_goes_takes_its_vrf_along_and_one_made_anew_brings_it_back() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, peers) = network(net)?;
        wait_until(PATIENCE, "both namespaces have their routes", || in_place(&r1))?;
        // The cable goes with the namespace.
        ip(&r1, "netns del red")?;
        wait_until(PATIENCE, "the VRF and its session are gone", || {
            let vrfs = r1.vtysh("show vrf")?;
            ensure!(vrfs.contains("vrf red inactive (configured)"), "{vrfs}");
            let summary = r1.vtysh_json("show bgp vrf red ipv4 unicast summary json")?;
            json_contains(&json!({"vrfId": -1}), &summary)
        })?;
        has(&r1, "blue", "203.0.113.20", "bgp")?;
        let red = peers.first().ok_or("a neighbour")?;
        let (interface, _) = net.link(&r1, "", red, "10.0.0.2/24")?;
        namespace(&r1, "red", &interface)?;
        wait_until(PATIENCE, "both namespaces have their routes again", || in_place(&r1))?;

        // The end of zebra takes its routes out of every namespace.
        let pid = r1.daemon_pid("zebra")?;
        r1.signal(pid, "TERM")?;
        r1.wait_gone(pid, PATIENCE)?;
        for (_, netns, _, _) in PLACES {
            let left = ip(&r1, &format!("-n {netns} route show proto 196"))?;
            ensure!(left.trim().is_empty(), "{netns} still has {left}");
        }
        Ok(())
    });
}

#[test]
fn without_the_option_a_namespace_is_refused_by_name() {
    run(&Needs::ours(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        r1.start("hostname r1\n")?;
        let refused = r1.configure(&["vrf red", "netns red"]);
        ensure!(refused.is_err(), "the line was taken");
        Ok(())
    });
}
