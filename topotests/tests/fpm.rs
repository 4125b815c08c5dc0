//! The stream of the forwarding plane manager: a reader of its own rebuilds the table from it, and has what zebra has and what
//! it makes of FRR's stream under the same configuration; and what its hardware says comes back.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::{frr, ours};
use topotests::{Kind, Needs, Net, Result, Router, Tool, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
const PEER: &str = "127.0.0.1:2620";

/// Two links with a neighbour behind each.
fn links(router: &Router) -> Result<()> {
    for link in 1..=2 {
        router.ip(&format!("link add p{link} type veth peer name f{link}"))?;
        router.ip(&format!("link set f{link} up"))?;
        router.ip(&format!("link set p{link} up"))?;
        router.ip(&format!("addr add 10.9.{link}.1/24 dev p{link}"))?;
        router.ip(&format!("addr add 2001:db8:{link}::1/64 dev p{link} nodad"))?;
    }
    Ok(())
}

const BASE: &str = "fpm address 127.0.0.1
ip route 192.0.2.0/24 10.9.1.2
ip route 198.51.100.0/24 10.9.1.2
ip route 198.51.100.0/24 10.9.2.2
ip route 198.51.101.0/24 10.9.1.2
ip route 198.51.101.0/24 10.9.2.2
ip route 203.0.113.0/24 blackhole
ip route 203.0.114.0/24 reject
ip route 203.0.115.0/24 192.0.2.9
ipv6 route 2001:db8:100::/48 2001:db8:1::2
ipv6 route 2001:db8:200::/48 2001:db8:1::2
ipv6 route 2001:db8:200::/48 2001:db8:2::2
";

fn many(count: u32) -> String {
    let mut text = BASE.to_owned();
    for index in 0..count {
        let _ = writeln!(text, "ip route 20.{}.{}.0/24 10.9.{}.2", index / 250, index % 250, 1 + index % 2);
    }
    text
}

fn manager(tool: &mut Tool) -> Result<Value> {
    tool.tell("state")?;
    Ok(tool.wait_event("state", PATIENCE)?["manager"].clone())
}

/// The reader's table of static routes and connected networks.
fn table(tool: &mut Tool) -> Result<serde_json::Map<String, Value>> {
    tool.tell("table")?;
    let event = tool.wait_event("table", PATIENCE)?;
    let mut routes = event["routes"].as_object().cloned().unwrap_or_default();
    // FRR's and ours name other link-local networks; they are not what is compared.
    routes.retain(|prefix, _| !prefix.starts_with("fe80"));
    Ok(routes)
}

/// What zebra says it has selected, as the reader writes it.
fn shown(router: &Router) -> Result<serde_json::Map<String, Value>> {
    let mut out = serde_json::Map::new();
    for command in ["show ip route json", "show ipv6 route json"] {
        let all = router.vtysh_json(command)?;
        for (prefix, routes) in all.as_object().into_iter().flatten() {
            let chosen = routes.as_array().into_iter().flatten().find(|route| route["selected"] == true);
            let Some(route) = chosen.filter(|_| !prefix.starts_with("fe80")) else { continue };
            let kind = |hop: &Value| match hop {
                _ if hop["blackhole"] == true => 6,
                _ if hop["reject"] == true => 7,
                _ => 1,
            };
            let used: Vec<&Value> =
                route["nexthops"].as_array().into_iter().flatten().filter(|hop| hop["fib"] == true).collect();
            let mut nexthops: Vec<(String, u64, u64)> = used
                .iter()
                .filter(|hop| kind(hop) == 1)
                .map(|hop| {
                    let number = |key: &str| hop[key].as_u64().unwrap_or(0);
                    let gateway = hop["ip"].as_str().unwrap_or_default().to_owned();
                    (gateway, number("interfaceIndex"), number("weight"))
                })
                .collect();
            nexthops.sort_unstable();
            let protocol = if route["protocol"] == "static" { 196 } else { 2 };
            let rtype = used.first().map_or(1, |hop| kind(hop));
            out.insert(prefix.clone(), json!({"protocol": protocol, "type": rtype, "nexthops": nexthops}));
        }
    }
    Ok(out)
}

/// The reader's routes in the form of [`shown`].
fn comparable(routes: &serde_json::Map<String, Value>) -> serde_json::Map<String, Value> {
    let form = |route: &Value| {
        let mut hops: Vec<(String, u64, u64)> = route["nexthops"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|hop| {
                let gateway = hop["gateway"].as_str().unwrap_or_default().to_owned();
                (gateway, hop["ifindex"].as_u64().unwrap_or(0), hop["weight"].as_u64().unwrap_or(1))
            })
            .collect();
        hops.sort_unstable();
        json!({"protocol": route["protocol"], "type": route["type"], "nexthops": hops})
    };
    routes.iter().map(|(prefix, route)| (prefix.clone(), form(route))).collect()
}

fn differences(a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>) -> Vec<String> {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    keys.into_iter()
        .filter(|key| a.get(*key) != b.get(*key))
        .map(|key| format!("{key}: {:?} and {:?}", a.get(key), b.get(key)))
        .take(8)
        .collect()
}

/// The reader has what zebra shows.
fn agree(router: &Router, tool: &mut Tool, what: &str) -> Result<()> {
    wait_until(PATIENCE, what, || {
        let (wanted, found) = (shown(router)?, comparable(&table(tool)?));
        let differing = differences(&wanted, &found);
        ensure!(differing.is_empty() && !wanted.is_empty(), "{differing:#?}");
        Ok(())
    })?;
    let state = manager(tool)?;
    ensure!(state["faults"].as_array().is_some_and(Vec::is_empty), "{state}");
    Ok(())
}

fn lab(net: &mut Net, config: &str, options: &[&str]) -> Result<(Router, Tool)> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    links(&r1)?;
    r1.ip("link set lo up")?;
    let mut tool = r1.fpm_collect(PEER)?;
    tool.wait_event("listening", PATIENCE)?;
    ours::start_daemons(&r1, config, &[("zebra", options)], "informational")?;
    tool.wait_event("connected", PATIENCE)?;
    Ok((r1, tool))
}

#[test]
fn a_reader_rebuilds_the_table_through_changes_reconnects_and_slowness() {
    run(&Needs::ours(), |net| {
        let (r1, mut tool) = lab(net, &many(3000), &["-M", "dplane_fpm_nl"])?;
        agree(&r1, &mut tool, "the reader has the table")?;
        let state = manager(&mut tool)?;
        ensure!(state["grouped"].as_u64() > Some(3000), "routes name groups: {state}");
        r1.configure(&[
            "no ip route 192.0.2.0/24 10.9.1.2",
            "no ip route 198.51.100.0/24 10.9.2.2",
            "ip route 192.0.9.0/24 10.9.2.9",
            "no ipv6 route 2001:db8:100::/48 2001:db8:1::2",
        ])?;
        agree(&r1, &mut tool, "changes and removals arrive")?;
        r1.ip("link set p2 down")?;
        agree(&r1, &mut tool, "routes through a link that went")?;
        r1.ip("link set p2 up")?;
        r1.ip("addr replace 2001:db8:2::1/64 dev p2 nodad")?;
        agree(&r1, &mut tool, "and back")?;
        // A reader that goes away and comes back is told everything.
        tool.tell("close")?;
        tool.wait_event("connected", PATIENCE)?;
        agree(&r1, &mut tool, "the whole table after a reconnect")?;
        // One that does not read costs nobody anything, and misses nothing.
        tool.tell("stall")?;
        let mut lines = String::new();
        for round in 0..4 {
            for index in 0..3000 {
                let verb = if round % 2 == 0 { "no ip" } else { "ip" };
                let _ = writeln!(
                    lines,
                    "{verb} route 20.{}.{}.0/24 10.9.{}.2",
                    index / 250,
                    index % 250,
                    1 + index % 2
                );
            }
        }
        let file = r1.write("changes.conf", &lines)?;
        let said = topotests::sandbox::run(r1.vtysh_command()?.args(["-f", &file]))?;
        ensure!(!said.contains('%'), "{said}");
        let counters = r1.vtysh_json("show fpm counters json")?;
        ensure!(counters["connection-closes"] == 1, "{counters}");
        tool.tell("resume")?;
        agree(&r1, &mut tool, "the table after a pause")?;
        for form in ["no fpm use-next-hop-groups", "no fpm use-route-replace"] {
            r1.configure(&[form])?;
            tool.wait_event("connected", PATIENCE)?;
            agree(&r1, &mut tool, form)?;
        }
        let state = manager(&mut tool)?;
        ensure!(state["grouped"] == 0, "no route names a group: {state}");
        let status = r1.vtysh_json("show fpm status json")?;
        let want = json!({"connected": true, "useNHG": false, "useRouteReplace": false, "disabled": false,
                          "address": "127.0.0.1", "port": 2620});
        ensure!(status == want, "{status}");
        ensure!(
            r1.vtysh("show zebra dplane providers")?.contains("dplane_fpm_nl (2): in: "),
            "a second provider"
        );
        r1.vtysh("clear fpm counters")?;
        let counters = r1.vtysh_json("show fpm counters json")?;
        ensure!(counters["bytes-sent"] == 0 && counters["user-configures"] == 0, "{counters}");
        r1.configure(&["no fpm address"])?;
        tool.wait_event("over", PATIENCE)?;
        ensure!(r1.vtysh("show fpm status")?.contains("Disabled                      Yes"), "switched off");
        Ok(())
    });
}

#[test]
fn the_stream_is_that_of_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, mut ours) = lab(net, BASE, &[])?;
        agree(&r1, &mut ours, "our reader has the table")?;
        let r2 = net.router("r2", Kind::Frr)?;
        links(&r2)?;
        r2.ip("link set lo up")?;
        let mut theirs = r2.fpm_collect(PEER)?;
        theirs.wait_event("listening", PATIENCE)?;
        frr::start_with(&r2, BASE, &[("zebra", &["-M", "dplane_fpm_nl"]), ("mgmtd", &[]), ("staticd", &[])])?;
        theirs.wait_event("connected", PATIENCE)?;
        let compare = |ours: &mut Tool, theirs: &mut Tool, what: &str| {
            wait_until(PATIENCE, what, || {
                let (a, b) = (comparable(&table(ours)?), comparable(&table(theirs)?));
                let differing = differences(&a, &b);
                ensure!(differing.is_empty() && a.len() > 8, "{differing:#?}");
                Ok(())
            })
        };
        compare(&mut ours, &mut theirs, "both streams come to the same table")?;
        for router in [&r1, &r2] {
            router.configure(&[
                "no ip route 192.0.2.0/24 10.9.1.2",
                "no ip route 198.51.100.0/24 10.9.2.2",
                "ip route 192.0.9.0/24 10.9.2.9",
            ])?;
        }
        compare(&mut ours, &mut theirs, "and again after changes")
    });
}

#[test]
fn a_route_is_installed_when_the_hardware_says_so() {
    run(&Needs::ours(), |net| {
        let (r1, mut tool) = lab(net, BASE, &["--asic-offload=notify_on_offload"])?;
        agree(&r1, &mut tool, "the reader has the table")?;
        let route = || {
            Ok::<_, topotests::Failure>(
                r1.vtysh_json("show ip route 192.0.2.0/24 json")?["192.0.2.0/24"][0].clone(),
            )
        };
        let waiting = route()?;
        ensure!(waiting["queued"] == true && waiting["installed"] == true, "{waiting}");
        ensure!(r1.vtysh("show ip route")?.contains("S>q 192.0.2.0/24"), "shown as queued");
        for (flags, key, mark) in
            [("4000", "offloaded", "S>*"), ("8000", "trapped", "S>t"), ("20000000", "offloadFailed", "S>o")]
        {
            tool.tell(&format!("mark {flags}"))?;
            wait_until(PATIENCE, key, || {
                let shown = route()?;
                ensure!(shown[key] == true && shown["queued"].is_null(), "{shown}");
                Ok(())
            })?;
            let text = r1.vtysh("show ip route")?;
            ensure!(text.contains(&format!("{mark} 192.0.2.0/24")), "{mark}: {text}");
        }
        tool.tell("mark 4000")?;
        wait_until(PATIENCE, "the summary counts what is offloaded", || {
            let summary = r1.vtysh_json("show ip route summary json")?;
            let row = summary["routes"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|row| row["type"] == "static")
                .cloned();
            let row = row.unwrap_or_default();
            ensure!(row["fibOffLoaded"] == row["fib"] && row["fib"].as_u64() > Some(3), "{row}");
            Ok(())
        })
    });
}

/// bgpd in the middle of three, on hardware: with `bgp suppress-fib-pending` what it has learnt goes on when it is forwarded by.
#[test]
fn a_route_is_advertised_when_the_hardware_has_it() {
    run(&Needs::ours_and_peers(), |net| {
        net.without_capture();
        let (r1, r2, r3) =
            (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Frr)?, net.router("r3", Kind::Frr)?);
        net.link(&r1, "10.0.12.1/24", &r2, "10.0.12.2/24")?;
        net.link(&r1, "10.0.13.1/24", &r3, "10.0.13.3/24")?;
        r1.ip("link set lo up")?;
        let mut tool = r1.fpm_collect(PEER)?;
        tool.wait_event("listening", PATIENCE)?;
        let bgp = "fpm address 127.0.0.1\nip route 198.51.100.0/24 blackhole\nrouter bgp 65001\n no bgp ebgp-requires-policy\n \
                   bgp suppress-fib-pending\n neighbor 10.0.12.2 remote-as 65002\n neighbor 10.0.13.3 remote-as 65003\n \
                   neighbor 10.0.12.2 timers connect 2\n neighbor 10.0.13.3 timers connect 2\n \
                   address-family ipv4 unicast\n  network 198.51.100.0/24\n exit-address-family\nexit\n";
        ours::start_daemons(
            &r1,
            bgp,
            &[("zebra", &["--asic-offload=notify_on_offload"]), ("bgpd", &[])],
            "informational",
        )?;
        let peer = |asn: u32, gateway: &str, network: &str| {
            format!(
                "router bgp {asn}\n no bgp ebgp-requires-policy\n no bgp network import-check\n \
                 neighbor {gateway} remote-as 65001\n neighbor {gateway} timers connect 2\n \
                 address-family ipv4 unicast\n{network} exit-address-family\nexit\n"
            )
        };
        r2.start(&peer(65002, "10.0.12.1", "  network 203.0.113.0/24\n"))?;
        r3.start(&peer(65003, "10.0.13.1", ""))?;
        tool.wait_event("connected", PATIENCE)?;
        wait_until(PATIENCE, "the kernel has it, and the other neighbour what is ours", || {
            r1.kernel_route_via("203.0.113.0/24", &["10.0.12.2"])?;
            r3.bgp_route("198.51.100.0/24").map(drop)
        })?;
        wait_until(PATIENCE, "the hardware's word is waited for", || {
            let route = r1.vtysh_json("show ip route 203.0.113.0/24 json")?["203.0.113.0/24"][0].clone();
            ensure!(route["queued"] == true && route["installed"] == true, "{route}");
            Ok(())
        })?;
        r3.bgp_lacks("203.0.113.0/24")?;
        // The reader marks what it has been told.
        wait_until(PATIENCE, "the stream has it", || {
            ensure!(table(&mut tool)?.contains_key("203.0.113.0/24"), "not yet");
            Ok(())
        })?;
        r3.bgp_lacks("203.0.113.0/24")?;
        tool.tell("mark 4000")?;
        wait_until(PATIENCE, "it is advertised", || r3.bgp_route("203.0.113.0/24").map(drop))?;
        let route = r1.vtysh_json("show ip route 203.0.113.0/24 json")?["203.0.113.0/24"][0].clone();
        ensure!(route["offloaded"] == true && route["queued"].is_null(), "{route}");
        Ok(())
    });
}
