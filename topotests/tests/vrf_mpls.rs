//! VRFs and labels beside FRR's under the same configuration: routes that lead from one VRF into another, with packets on them,
//! and what the shows of labels, bound prefixes and router identifiers say.

use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{frr, ours};
use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "ip forwarding
vrf RED
 ip route 10.2.0.0/24 eth1 nexthop-vrf BLUE
 ip route 10.22.0.0/24 10.2.0.2 nexthop-vrf BLUE
 ip router-id 192.0.2.9
exit-vrf
vrf BLUE
 ip route 10.1.0.0/24 eth0 nexthop-vrf RED
exit-vrf
ip route 203.0.113.0/24 10.9.0.2
ip route 198.51.100.0/24 10.9.0.2 label 600/601
interface p9
 mpls enable
exit
mpls lsp 300 10.9.0.2 400
mpls lsp 301 10.9.0.2 implicit-null
mpls lsp 302 2001:db8:9::2 explicit-null
mpls lsp 303 10.9.0.2 401
mpls lsp 303 10.9.0.3 402
mpls label bind 203.0.113.0/24 500
mpls label bind 192.0.2.0/24 implicit-null
";

/// A router with a host in each of two VRFs, and a link of its own.
fn place(net: &mut Net, name: &str, kind: Kind) -> Result<(Router, Router)> {
    let router = net.router(name, kind)?;
    let mut first = None;
    for (index, (vrf, table)) in [("RED", 10), ("BLUE", 20)].into_iter().enumerate() {
        let index = index + 1;
        let host = net.router(&format!("{name}{}", vrf.to_lowercase()), Kind::Host)?;
        let (interface, _) = net.link(&router, "", &host, &format!("10.{index}.0.2/24"))?;
        router.ip(&format!("link add {vrf} type vrf table {table}"))?;
        router.ip(&format!("link set {vrf} up"))?;
        router.ip(&format!("link set {interface} master {vrf}"))?;
        router.ip(&format!("address add 10.{index}.0.1/24 dev {interface}"))?;
        host.ip(&format!("route add default via 10.{index}.0.1"))?;
        host.ip("link set lo up")?;
        host.ip(&format!("address add 10.{index}{index}.0.1/32 dev lo"))?;
        first.get_or_insert(host);
    }
    router.ip("link set lo up")?;
    router.ip("link add p9 type veth peer name f9")?;
    router.ip("link set f9 up")?;
    router.ip("link set p9 up")?;
    router.ip("address add 10.9.0.1/24 dev p9")?;
    router.ip("address add 2001:db8:9::1/64 dev p9 nodad")?;
    // FRR leaves the room of the label table to the operator.
    router.run("sh", &["-c", "echo 1000000 > /proc/sys/net/mpls/platform_labels"])?;
    Ok((router, first.ok_or("no host")?))
}

/// Lines without the width of their columns, sorted: of several next hops FRR has the latest first.
fn words(text: &str) -> Vec<String> {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> =
        text.lines().map(line).filter(|line| !line.is_empty() && !line.starts_with("---")).collect();
    lines.sort_unstable();
    lines
}

fn sorted(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => {
            *items = std::mem::take(items).into_iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
        }
        Value::Object(members) => members.values_mut().for_each(|member| *member = sorted(member.take())),
        _ => {}
    }
    value
}

fn same_text(r1: &Router, r2: &Router, command: &str) -> Result<()> {
    wait_until(PATIENCE, command, || {
        let (a, b) = (words(&r1.vtysh(command)?), words(&r2.vtysh(command)?));
        ensure!(a == b && !a.is_empty(), "`{command}`, ours and FRR's:\n{a:#?}\n{b:#?}");
        Ok(())
    })
}

fn same_json(r1: &Router, r2: &Router, command: &str) -> Result<()> {
    wait_until(PATIENCE, command, || {
        let (a, b) = (sorted(r1.vtysh_json(command)?), sorted(r2.vtysh_json(command)?));
        ensure!(a == b, "`{command}`, ours and FRR's:\n{a:#}\n{b:#}");
        Ok(())
    })
}

/// What counts of the static routes of a VRF.
fn leaks(router: &Router, vrf: &str) -> Result<Vec<String>> {
    let all = router.vtysh_json(&format!("show ip route vrf {vrf} static json"))?;
    let mut out = Vec::new();
    for (prefix, routes) in all.as_object().into_iter().flatten() {
        let (route, hop) = (&routes[0], &routes[0]["nexthops"][0]);
        out.push(format!(
            "{prefix} {} {} {} {} {} {} {}",
            route["vrfName"],
            route["table"],
            route["installed"],
            hop["ip"],
            hop["interfaceName"],
            hop["vrf"],
            hop["fib"]
        ));
    }
    Ok(out)
}

#[test]
fn leaks_between_vrfs_and_the_shows_of_labels_are_those_of_frr() {
    run(&Needs::ours_and_peers().daemons(&[]).vrf().mpls(), |net| {
        net.without_capture();
        let (r1, host) = place(net, "r1", Kind::Ours)?;
        let (r2, _) = place(net, "r2", Kind::Frr)?;
        ours::start_daemons(&r1, CONFIG, &[("zebra", &[])], "informational")?;
        frr::start_with(&r2, CONFIG, &[("zebra", &[]), ("mgmtd", &[]), ("staticd", &[])])?;
        for (vrf, count) in [("RED", 2), ("BLUE", 1)] {
            wait_until(PATIENCE, vrf, || {
                let (a, b) = (leaks(&r1, vrf)?, leaks(&r2, vrf)?);
                ensure!(a == b && a.len() == count, "ours and FRR's: {a:?} {b:?}");
                Ok(())
            })?;
        }
        wait_until(PATIENCE, "packets go from one VRF to the other and back", || {
            host.run("ping", &["-c1", "-W2", "10.2.0.2"])?;
            host.run("ping", &["-c1", "-W2", "10.22.0.1"]).map(drop)
        })?;
        for command in ["show mpls table json", "show mpls table 303 json", "show mpls table 300 json"] {
            same_json(&r1, &r2, command)?;
        }
        for command in [
            "show mpls table",
            "show mpls table 300",
            "show mpls table 303",
            "show mpls fec",
            "show mpls fec 203.0.113.0/24",
            "show mpls status",
            "show ip router-id vrf RED",
            "show router-id vrf RED",
        ] {
            same_text(&r1, &r2, command)?;
        }
        let drift = r1.vtysh_json("show zebra fib drift json")?;
        ensure!(drift["inSync"] == true, "{drift}");
        // A leak ends with the link that it leads through, and comes back with it.
        r1.ip("link set eth1 down")?;
        wait_until(PATIENCE, "the leak is gone", || {
            ensure!(!r1.ip("route show table 10")?.contains("10.2.0.0/24"), "still there");
            Ok(())
        })?;
        r1.ip("link set eth1 up")?;
        wait_until(PATIENCE, "packets pass again", || host.run("ping", &["-c1", "-W2", "10.2.0.2"]).map(drop))
    });
}
