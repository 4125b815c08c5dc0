//! zebra's policy, tables and interface settings beside FRR's zebra under the same configuration: imported tables, multicast's
//! lookups, route maps at installation and on next hops, forwarding switches, link parameters, static routes, accounting.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::{frr, ours};
use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

// The map of static routes lets those of multicast pass: FRR asks it about one that comes later and leaves one that came before.
const CONFIG: &str = "ip forwarding
ipv6 forwarding
affinity-map BLUE bit-position 40
affinity-map RED bit-position 3
ip import-table 10 distance 50 route-map ODD
ip import-table 11
ip import-table 10 mrib
ip mroute 198.18.0.0/16 10.9.2.2
ip mroute 198.19.0.0/16 p1
ip prefix-list ODD seq 5 permit 172.17.0.0/16
ip prefix-list ODD seq 10 permit 172.19.0.0/16
ip prefix-list LAB seq 5 permit 192.0.2.0/24 le 32
ip prefix-list LAB seq 10 permit 198.18.0.0/15 le 32
route-map ODD permit 10
 match ip address prefix-list ODD
exit
route-map SRC permit 10
 match ip address prefix-list LAB
 set src 10.9.1.1
exit
route-map SRC deny 20
exit
ip protocol static route-map SRC
ipv6 protocol any route-map ANY
ip nht bgp route-map ODD
ip route 192.0.2.0/24 10.9.1.2
ip route 192.0.2.0/25 10.9.1.2 20
ip route 192.0.2.0/25 10.9.2.2 10
ip route 192.0.2.128/25 10.9.1.2 tag 77
ip route 192.0.2.64/28 10.9.1.2 p1 onlink
ip route 192.0.2.32/28 Null0
ip route 192.0.2.48/28 reject
ip route 192.0.2.16/28 p2
ip route 192.0.2.0/28 192.0.2.129
ip route 203.0.113.0/24 10.9.1.2
ipv6 route 2001:db8:100::/48 2001:db8:1::2
ipv6 route 2001:db8:101::/48 2001:db8:1::2 p1
interface p1
 link-params
  metric 20
  max-bw 1e+09
  max-rsv-bw 1e+08
  unrsv-bw 3 5e+07
  res-bw 1e+07
  ava-bw 2e+07
  use-bw 3e+07
  admin-grp 0x10
  neighbor 10.9.1.2 as 65001
  delay 1000 min 500 max 2000
  delay-variation 50
  packet-loss 1.500000
 exit-link-params
exit
interface p2
 link-params
  use-bw 3e+07
  affinity BLUE RED
  affinity-mode both
  neighbor 10.9.2.2 as 65002
 exit-link-params
exit
";

fn links(router: &Router) -> Result<()> {
    router.ip("link set lo up")?;
    for link in 1..=2 {
        router.ip(&format!("link add p{link} type veth peer name f{link}"))?;
        router.ip(&format!("link set f{link} up"))?;
        router.ip(&format!("link set p{link} up"))?;
        router.ip(&format!("addr add 10.9.{link}.1/24 dev p{link}"))?;
        router.ip(&format!("addr add 2001:db8:{link}::1/64 dev p{link} nodad"))?;
    }
    for (net, table) in [(16, 10), (17, 10), (18, 11), (20, 12)] {
        router.ip(&format!("route add 172.{net}.0.0/16 via 10.9.1.2 table {table} metric {net}"))?;
    }
    Ok(())
}

fn pair(net: &mut Net) -> Result<(Router, Router)> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    let r2 = net.router("r2", Kind::Frr)?;
    links(&r1)?;
    links(&r2)?;
    ours::start_daemons(&r1, CONFIG, &[("zebra", &[])], "informational")?;
    frr::start_with(&r2, CONFIG, &[("zebra", &[]), ("mgmtd", &[]), ("staticd", &[])])?;
    Ok((r1, r2))
}

/// What counts of a table: source, distance, metric, whether selected, and the next hops.
fn table(router: &Router, command: &str) -> Result<BTreeMap<String, Vec<Value>>> {
    let all = router.vtysh_json(command)?;
    let mut out = BTreeMap::new();
    for (prefix, routes) in all.as_object().into_iter().flatten() {
        if prefix.starts_with("fe80") {
            continue;
        }
        let rows = routes.as_array().into_iter().flatten().map(|route| {
            let hops: Vec<Value> = route["nexthops"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|hop| {
                    // FRR leaves the mark on what was selected before.
                    let fib = route["selected"] == true && hop["fib"] == true;
                    let kind = (&hop["unreachable"], &hop["blackhole"], &hop["reject"]);
                    json!([hop["ip"], hop["interfaceName"], fib, kind, hop["recursive"]])
                })
                .collect();
            json!([
                route["protocol"],
                route["instance"],
                route["distance"],
                route["metric"],
                route["selected"],
                route["tag"],
                hops
            ])
        });
        let mut rows: Vec<Value> = rows.collect();
        rows.sort_by_key(ToString::to_string);
        out.insert(prefix.clone(), rows);
    }
    Ok(out)
}

fn same_tables(r1: &Router, r2: &Router, command: &str) -> Result<()> {
    wait_until(PATIENCE, command, || {
        let (a, b) = (table(r1, command)?, table(r2, command)?);
        let mut differing = String::new();
        for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
            if a.get(key) != b.get(key) {
                let _ = writeln!(differing, "{key}: {:?}\n   and {:?}", a.get(key), b.get(key));
            }
        }
        ensure!(differing.is_empty() && !a.is_empty(), "ours and FRR's:\n{differing}");
        Ok(())
    })
}

/// The lines of the running configuration with one of these words, sorted.
fn lines(router: &Router, words: &[&str]) -> Result<Vec<String>> {
    let text = router.vtysh("show running-config")?;
    let wanted = |line: &&str| words.iter().any(|word| line.contains(word));
    let mut lines: Vec<String> = text.lines().filter(wanted).map(str::to_owned).collect();
    lines.sort_unstable();
    Ok(lines)
}

#[test]
fn tables_policy_and_links_are_those_of_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, r2) = pair(net)?;
        for command in
            ["show ip route json", "show ipv6 route json", "show ip rpf json", "show ip route mrib json"]
        {
            same_tables(&r1, &r2, command)?;
        }
        // The map denies what it denies, and sets the source of the rest, in the kernel too.
        for router in [&r1, &r2] {
            wait_until(PATIENCE, "the kernel has what the map leaves", || {
                let text = router.ip("route show table main")?;
                ensure!(text.contains("192.0.2.128/25") && text.contains("src 10.9.1.1"), "{text}");
                ensure!(!text.contains("203.0.113.0/24") && text.contains("172.17.0.0/16"), "{text}");
                ensure!(text.contains("172.18.0.0/16") && !text.contains("172.20.0.0/16"), "{text}");
                Ok(())
            })?;
        }
        for command in [
            "show ip protocol",
            "show ipv6 protocol",
            "show ip nht route-map",
            "show ip forwarding",
            "show ipv6 forwarding",
        ] {
            let (a, b) = (r1.vtysh(command)?, r2.vtysh(command)?);
            ensure!(a.trim() == b.trim(), "{command}: {a}\nand FRR's\n{b}");
        }
        let command = "show ip nht route-map json";
        let (a, b) = (r1.vtysh_json(command)?, r2.vtysh_json(command)?);
        ensure!(a == b, "{command}: {a}\n{b}");
        for link in ["p1", "p2"] {
            let te = |router: &Router| {
                let all = router.vtysh_json(&format!("show interface {link} json"))?;
                Ok::<_, topotests::Failure>(all[link]["trafficEngineeringLinkParameters"].clone())
            };
            let (a, b) = (te(&r1)?, te(&r2)?);
            ensure!(a == b && a.is_object(), "{link}: {a}\n{b}");
            let text = |router: &Router| {
                let all = router.vtysh(&format!("show interface {link}"))?;
                let from = all.find("  Traffic Engineering").ok_or("no link parameters")?;
                let text: Vec<&str> = all[from..]
                    .lines()
                    .filter(|line| line.starts_with("    ") || line.contains("Traffic"))
                    .collect();
                Ok::<_, topotests::Failure>(text.join("\n"))
            };
            let (a, b) = (text(&r1)?, text(&r2)?);
            ensure!(a == b, "{link}: {a}\n{b}");
        }
        // What the driver tells of a link, and who asks about the gateways of static routes.
        let told = |router: &Router| -> Result<Value> {
            let speed = router.vtysh_json("show interface p1 json")?["p1"]["speed"].clone();
            let tracked = router.vtysh_json("show ip nht json")?["default"]["ipv4"]["10.9.1.2"].clone();
            let client = &tracked["clientList"][0]["protocol"];
            Ok(json!([
                speed,
                client,
                tracked["resolvedProtocol"],
                tracked["prefix"],
                tracked["nhtConnected"]
            ]))
        };
        wait_until(PATIENCE, "speeds and tracked gateways", || {
            let (a, b) = (told(&r1)?, told(&r2)?);
            ensure!(a == b && a[1] == "static", "ours and FRR's: {a} {b}");
            Ok(())
        })?;
        let words = [
            "import-table",
            "mroute",
            "protocol",
            "nht",
            "ip route",
            "ipv6 route",
            "link-params",
            "-bw",
            "delay",
            "admin-grp",
            "affinity",
            "packet-loss",
            "neighbor",
        ];
        let (a, b) = (lines(&r1, &words)?, lines(&r2, &words)?);
        ensure!(a == b, "ours:\n{}\nFRR's:\n{}", a.join("\n"), b.join("\n"));
        // A source that only the unicast table has, and below one that multicast's own table knows.
        let rpf = r1.vtysh_json("show ip rpf 192.0.2.130 json")?;
        ensure!(rpf["192.0.2.128/25"][0]["protocol"] == "static", "{rpf}");
        // And all of it taken back.
        r1.configure(&[
            "no ip import-table 10 distance 50 route-map ODD",
            "no ip import-table 11",
            "no ip mroute 198.18.0.0/16 10.9.2.2",
            "no ip protocol static route-map SRC",
            "no ip nht bgp route-map ODD",
        ])?;
        wait_until(PATIENCE, "imported routes go", || r1.kernel_lacks("172.17.0.0/16"))?;
        let rpf = r1.vtysh("show ip rpf 198.19.1.1")?;
        ensure!(rpf.contains("multicast") && rpf.contains("directly connected, p1"), "{rpf}");
        Ok(())
    });
}

#[test]
fn what_clients_and_planes_did_is_counted() {
    run(&Needs::ours(), |net| {
        net.without_capture();
        let r1 = net.router("r1", Kind::Ours)?;
        links(&r1)?;
        ours::start(
            &r1,
            "ip route 192.0.2.0/24 10.9.1.2\nip route 192.0.3.0/24 10.9.2.2\nrouter bgp 65001\n redistribute static\nexit\n",
        )?;
        wait_until(PATIENCE, "two routes are counted", || {
            let text = r1.vtysh("show zebra dplane detailed")?;
            let count = text.lines().find_map(|line| line.strip_prefix("Route updates:"));
            ensure!(count.is_some_and(|count| count.trim() == "2"), "{text}");
            let providers = r1.vtysh("show zebra dplane providers")?;
            ensure!(providers.contains("  Kernel (1): in: 2, q: 0"), "{providers}");
            Ok(())
        })?;
        let clients = r1.vtysh("show zebra client")?;
        for row in ["Client: bgp", "Redist:v4", "NHT v4", "Input Fifo: 0:"] {
            ensure!(clients.contains(row), "{row}: {clients}");
        }
        let summary = r1.vtysh("show zebra client summary")?;
        ensure!(
            summary.contains("bgp") && summary.contains("Routes column shows (added+updated)/deleted"),
            "{summary}"
        );
        Ok(())
    });
}
