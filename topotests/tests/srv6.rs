//! IPv6 routes for packets of some source, and segment routing over IPv6, beside FRR's zebra under the same configuration: the
//! tables, what stands in the kernel, the configuration, and packets that take the way of their source.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::{frr, ours};
use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "ipv6 forwarding
ip route 192.0.2.0/24 10.9.1.2
ip route 192.0.2.0/24 10.9.1.3 200
ipv6 route ::/0 from 2001:db8:200::/48 p1
ipv6 route 2001:db8:102::/48 2001:db8:1::4
ipv6 route 2001:db8:102::/48 from 2001:db8:200::/48 2001:db8:1::2
ipv6 route 2001:db8:102::/48 from 2001:db8:200::/48 2001:db8:1::3 200
ipv6 route 2001:db8:102::/48 from 2001:db8:300::/40 2001:db8:1::5 tag 7
ipv6 route 2001:db8:103::/48 p1 segments fc00::1/fc00::2
ipv6 route 2001:db8:103::/48 2001:db8:1::9 segments fc00::3
ipv6 route 2001:db8:104::/48 2001:db8:1::9 segments fc00::3
";

fn pair(net: &mut Net) -> Result<(Router, Router)> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    let r2 = net.router("r2", Kind::Frr)?;
    for router in [&r1, &r2] {
        router.ip("link set lo up")?;
        router.ip("link add p1 type veth peer name f1")?;
        router.ip("link set f1 up")?;
        router.ip("link set p1 up")?;
        router.ip("addr add 10.9.1.1/24 dev p1")?;
        router.ip("addr add 2001:db8:1::1/64 dev p1 nodad")?;
    }
    ours::start_daemons(&r1, CONFIG, &[("zebra", &[])], "informational")?;
    frr::start_with(&r2, CONFIG, &[("zebra", &[]), ("mgmtd", &[]), ("staticd", &[])])?;
    Ok((r1, r2))
}

/// The static routes by what FRR calls their prefix, each with its candidates. FRR's keys name the source only.
fn table(router: &Router, command: &str) -> Result<BTreeMap<String, Vec<Value>>> {
    // Keys may be there twice in FRR's: read from the text, one route after the other.
    let text = router.vtysh(command)?;
    let mut out: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in text.lines() {
        let Some((_, routes)) = line.trim_start_matches(['{', ',']).split_once(":[{") else { continue };
        let routes = format!("[{{{}", routes.trim_end_matches('}'));
        let routes: Vec<Value> = serde_json::from_str(&routes)?;
        for route in routes.iter().filter(|route| route["protocol"] == "static") {
            let hops: Vec<Value> = route["nexthops"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|hop| {
                    let seg6 = (&hop["seg6"], &hop["seg6local"], &hop["seg6localContext"]);
                    json!([hop["ip"], hop["interfaceName"], hop["fib"], seg6])
                })
                .collect();
            let row = json!([route["distance"], route["selected"], route["installed"], route["tag"], hops]);
            out.entry(route["prefix"].to_string()).or_default().push(row);
        }
    }
    // FRR's order follows whose gateway it heard of first.
    out.values_mut().for_each(|rows| rows.sort_by_key(ToString::to_string));
    Ok(out)
}

/// The static routes of the text, without their age.
fn lines(router: &Router, command: &str) -> Result<Vec<String>> {
    let text = router.vtysh(command)?;
    let of_routes = text
        .lines()
        .filter(|line| line.starts_with("S ") || line.starts_with("S>") || line.starts_with("  "));
    let of_routes = of_routes.filter(|line| line.contains("weight"));
    let plain = |line: &str| line.rsplit_once(", ").map_or(line, |(line, _)| line).to_owned();
    let mut lines: Vec<String> = of_routes.map(plain).collect();
    lines.sort_unstable();
    Ok(lines)
}

/// The kernel's static routes, without the numbers of objects.
fn kernel(router: &Router) -> Result<Vec<String>> {
    let text = router.ip("-6 route show proto 196")?;
    let plain = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let named = words.windows(2).position(|pair| pair[0] == "nhid");
        let kept = words.iter().enumerate().filter(|(at, _)| named.is_none_or(|n| *at != n && *at != n + 1));
        kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    };
    let mut lines: Vec<String> = text.lines().map(plain).collect();
    lines.sort_unstable();
    Ok(lines)
}

/// The configured routes, sorted: FRR has shorter sources first.
fn routes_of(router: &Router) -> Result<Vec<String>> {
    let text = router.vtysh("show running-config")?;
    let mut lines: Vec<String> =
        text.lines().filter(|line| line.starts_with("ipv6 route")).map(str::to_owned).collect();
    lines.sort_unstable();
    Ok(lines)
}

#[test]
fn routes_of_sources_and_segments_are_those_of_frr() {
    run(&Needs::ours_and_peers().daemons(&[]), |net| {
        let (r1, r2) = pair(net)?;
        wait_until(PATIENCE, "the same tables", || {
            for command in ["show ipv6 route json", "show ip route json"] {
                let (a, b) = (table(&r1, command)?, table(&r2, command)?);
                ensure!(a == b && !a.is_empty(), "{command}: ours {a:#?}\nFRR's {b:#?}");
            }
            Ok(())
        })?;
        for command in ["show ipv6 route static", "show ip route static"] {
            let (a, b) = (lines(&r1, command)?, lines(&r2, command)?);
            ensure!(a == b && a.len() >= 2, "{command}: ours\n{}\nFRR's\n{}", a.join("\n"), b.join("\n"));
        }
        let (a, b) = (kernel(&r1)?, kernel(&r2)?);
        ensure!(a == b && a.len() >= 6, "ours\n{}\nFRR's\n{}", a.join("\n"), b.join("\n"));
        let (a, b) = (routes_of(&r1)?, routes_of(&r2)?);
        ensure!(a == b, "ours\n{}\nFRR's\n{}", a.join("\n"), b.join("\n"));

        // The way that a packet takes depends on where it comes from.
        let text = r1.ip("-6 route get 2001:db8:102::1 from 2001:db8:200::1 iif p1")?;
        ensure!(text.contains("via 2001:db8:1::2"), "{text}");
        // Somebody takes one out; an audit knows them.
        r1.ip("-6 route del 2001:db8:102::/48 from 2001:db8:200::/48 proto 196")?;
        wait_until(PATIENCE, "it is put back", || {
            let now = kernel(&r1)?;
            ensure!(now == kernel(&r2)?, "{now:?}");
            let drift = r1.vtysh_json("show zebra fib drift json")?;
            ensure!(drift["inSync"] == true, "{drift}");
            Ok(())
        })?;
        // And taken back, one by one.
        let undo: Vec<String> = routes_of(&r1)?.iter().map(|line| format!("no {line}")).collect();
        r1.configure(&undo.iter().map(String::as_str).collect::<Vec<_>>())?;
        wait_until(PATIENCE, "the kernel has none of them", || {
            let left = kernel(&r1)?;
            ensure!(left.is_empty(), "{left:?}");
            Ok(())
        })
    });
}

const SIDS: &str = "segment-routing
 srv6
  static-sids
   sid fc00:0:1::/48 locator MAIN behavior uN
   sid fc00:0:1:e001::/64 locator MAIN behavior uDT6 vrf default
   sid fc00:0:1:e002::/64 locator MAIN behavior uDT4 vrf default
   sid fc02:0:1:0:e005::/80 locator PLAIN behavior uDT6 vrf none
   sid fc09:0:1:e005::/64 locator NONE behavior uDT6 vrf none
  exit
  locators
   locator MAIN
    prefix fc00:0:1::/48 block-len 32 node-len 16 func-bits 16
    behavior usid
   exit
   locator PLAIN
    prefix fc02:0:1::/64
    format uncompressed-f4024
   exit
   locator SHORT
    prefix fc03:0:1::/48 block-len 32
    format usid-f3216
   exit
  exit
 exit
exit
";

/// What is configured, without ends of blocks and the formats that FRR always writes.
fn sids_of(router: &Router) -> Result<Vec<String>> {
    let text = router.vtysh("show running-config")?;
    let wanted = ["sid ", "locator ", "prefix ", "behavior "];
    let mut lines: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| wanted.iter().any(|word| line.starts_with(word)))
        .map(str::to_owned)
        .collect();
    lines.sort_unstable();
    Ok(lines)
}

fn sid_routes(router: &Router) -> Result<Vec<String>> {
    Ok(kernel(router)?.into_iter().filter(|line| line.contains("seg6local")).collect())
}

#[test]
fn locators_and_static_identifiers_are_those_of_frr() {
    run(&Needs::ours_and_peers().daemons(&[]), |net| {
        net.without_capture();
        let r1 = net.router("r1", Kind::Ours)?;
        let r2 = net.router("r2", Kind::Frr)?;
        for router in [&r1, &r2] {
            router.ip("link set lo up")?;
            router.ip("link add sr0 type veth peer name sr1")?;
            router.ip("link set sr1 up")?;
            router.ip("link set sr0 up")?;
        }
        ours::start_daemons(&r1, SIDS, &[("zebra", &[])], "informational")?;
        frr::start_with(&r2, SIDS, &[("zebra", &[]), ("mgmtd", &[]), ("staticd", &[])])?;
        wait_until(PATIENCE, "the same tables and the same kernels", || {
            let (a, b) = (table(&r1, "show ipv6 route json")?, table(&r2, "show ipv6 route json")?);
            ensure!(a == b && a.len() == 3, "ours {a:#?}\nFRR's {b:#?}");
            let (a, b) = (sid_routes(&r1)?, sid_routes(&r2)?);
            ensure!(a == b && a.len() == 2, "ours {a:#?}\nFRR's {b:#?}");
            Ok(())
        })?;
        let (a, b) = (lines(&r1, "show ipv6 route static")?, lines(&r2, "show ipv6 route static")?);
        ensure!(a == b, "ours\n{}\nFRR's\n{}", a.join("\n"), b.join("\n"));
        for name in ["", " MAIN detail", " PLAIN detail", " SHORT detail"] {
            let command = format!("show segment-routing srv6 locator{name}");
            let (a, b) = (r1.vtysh(&command)?, r2.vtysh(&command)?);
            ensure!(a.trim() == b.trim(), "{command}: ours\n{a}\nFRR's\n{b}");
            let command = format!("{command} json");
            let (a, b) = (r1.vtysh_json(&command)?, r2.vtysh_json(&command)?);
            ensure!(a == b, "{command}: ours {a:#}\nFRR's {b:#}");
        }
        let (a, b) = (sids_of(&r1)?, sids_of(&r2)?);
        ensure!(a == b && a.len() >= 10, "ours\n{}\nFRR's\n{}", a.join("\n"), b.join("\n"));

        // Somebody takes one out; an audit knows them.
        r1.ip("-6 route del fc00:0:1:e001::/64 proto 196")?;
        wait_until(PATIENCE, "it is put back", || {
            let now = sid_routes(&r1)?;
            ensure!(now == sid_routes(&r2)?, "{now:?}");
            Ok(())
        })?;
        // The device goes and comes; then the identifiers are taken back.
        r1.ip("link set sr0 down")?;
        wait_until(PATIENCE, "no uN", || {
            let now = sid_routes(&r1)?;
            ensure!(now.len() == 1, "{now:?}");
            Ok(())
        })?;
        r1.ip("link set sr0 up")?;
        wait_until(PATIENCE, "uN again", || {
            let now = sid_routes(&r1)?;
            ensure!(now.len() == 2, "{now:?}");
            Ok(())
        })?;
        r1.configure(&["segment-routing", "srv6", "no static-sids"])?;
        wait_until(PATIENCE, "the kernel has none of them", || {
            let left = sid_routes(&r1)?;
            ensure!(left.is_empty(), "{left:?}");
            Ok(())
        })
    });
}
