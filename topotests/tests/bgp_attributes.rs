//! Attributes, aggregates and filters of neighbours beside FRR 10.3: what each side makes of the other's.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::{Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

const HEAD: &str = " no bgp ebgp-requires-policy\n no bgp network import-check\n";

/// r1 (ours, AS 65001) and r2 (FRR, AS 65002) on one link; each is given lines under `router bgp` and lines behind it.
fn pair(net: &mut Net, ours: [&str; 2], theirs: [&str; 2]) -> Result<(Router, Router)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let r2 = net.router("r2", Kind::Frr)?;
    net.link(&r1, "10.0.12.1/24", &r2, "10.0.12.2/24")?;
    let config = |asn: u32, id: u32, peer: u32, peer_as: u32, lines: [&str; 2]| {
        format!(
            "router bgp {asn}\n bgp router-id 192.0.2.{id}\n{HEAD} neighbor 10.0.12.{peer} remote-as {peer_as}\n \
             neighbor 10.0.12.{peer} timers connect 2\n{}exit\n{}",
            lines[0], lines[1]
        )
    };
    r2.start(&config(65002, 2, 1, 65001, theirs))?;
    r1.start(&config(65001, 1, 2, 65002, ours))?;
    r1.wait_bgp_established("10.0.12.2")?;
    Ok((r1, r2))
}

fn edit(router: &Router, asn: u32, lines: &[&str]) -> Result<()> {
    let head = format!("router bgp {asn}");
    let mut all = vec![head.as_str(), "address-family ipv4 unicast"];
    all.extend(lines);
    router.configure(&all)
}

/// The first path of a prefix in `show bgp … PREFIX json`.
fn path(router: &Router, prefix: &str) -> Result<Value> {
    let view = router.vtysh_json(&format!("show bgp ipv4 unicast {prefix} json"))?;
    Ok(view["paths"][0].clone())
}

fn shows(router: &Router, command: &str, expected: &Value) -> Result<()> {
    wait_until(PATIENCE, command, || json_contains(expected, &router.vtysh_json(command)?))
}

#[test]
fn conditional_advertisement_follows_the_table() {
    run(&Needs::ours_and_peers(), |net| {
        let ours = [
            " bgp conditional-advertisement timer 5\n address-family ipv4 unicast\n  network 198.51.100.0/24\n  \
             network 192.0.2.0/24\n  neighbor 10.0.12.2 advertise-map A exist-map B\n exit-address-family\n",
            "ip prefix-list A permit 198.51.100.0/24\nip prefix-list B permit 203.0.113.0/24\n\
             route-map A permit 10\n match ip address prefix-list A\nexit\n\
             route-map B permit 10\n match ip address prefix-list B\nexit\n",
        ];
        let (r1, r2) = pair(net, ours, ["", ""])?;
        wait_until(PATIENCE, "what the map does not name is told", || {
            r2.bgp_route("192.0.2.0/24").map(drop)
        })?;
        r2.bgp_lacks("198.51.100.0/24")?;
        edit(&r2, 65002, &["network 203.0.113.0/24"])?;
        wait_until(PATIENCE, "the condition came true", || r2.bgp_route("198.51.100.0/24").map(drop))?;
        shows(
            &r1,
            "show bgp neighbors 10.0.12.2 json",
            &json!({"10.0.12.2": {"addressFamilyInfo": {"ipv4Unicast": {"advertiseMap":
                {"condition": "EXIST", "conditionMap": "B", "advertiseMap": "A"}}}}}),
        )?;
        edit(&r2, 65002, &["no network 203.0.113.0/24"])?;
        wait_until(PATIENCE, "and false again", || r2.bgp_lacks("198.51.100.0/24"))?;
        r2.bgp_route("192.0.2.0/24").map(drop)
    });
}

#[test]
fn an_outbound_filter_goes_both_ways() {
    run(&Needs::ours_and_peers(), |net| {
        let networks = "  network 10.1.0.0/16\n  network 10.2.0.0/16\n  network 172.16.0.0/16\n";
        let ours = format!(
            " address-family ipv4 unicast\n{networks}  neighbor 10.0.12.2 capability orf prefix-list both\n  \
             neighbor 10.0.12.2 prefix-list WANTED in\n exit-address-family\n"
        );
        let theirs = format!(
            " address-family ipv4 unicast\n{}  neighbor 10.0.12.1 capability orf prefix-list both\n  \
             neighbor 10.0.12.1 prefix-list WANTED in\n exit-address-family\n",
            networks.replace("10.", "100.6")
        );
        let (r1, r2) = pair(
            net,
            [&ours, "ip prefix-list WANTED seq 5 permit 100.61.0.0/16\n"],
            [
                &theirs,
                "ip prefix-list WANTED seq 5 permit 10.0.0.0/8 ge 16 le 16\nip prefix-list WANTED seq 3 deny 10.2.0.0/16\n",
            ],
        )?;
        wait_until(PATIENCE, "they have what they want", || r2.bgp_route("10.1.0.0/16").map(drop))?;
        wait_until(PATIENCE, "we have what we want", || r1.bgp_route("100.61.0.0/16").map(drop))?;
        // The neighbour has not even been told of the rest.
        let sent = r1.vtysh_json("show bgp ipv4 unicast neighbors 10.0.12.2 advertised-routes json")?;
        json_contains(
            &json!({"10.1.0.0/16": {}, "10.2.0.0/16": null, "172.16.0.0/16": null}),
            &sent["advertisedRoutes"],
        )?;
        let sent = r2.vtysh_json("show bgp ipv4 unicast neighbors 10.0.12.1 advertised-routes json")?;
        json_contains(&json!({"100.61.0.0/16": {}, "100.62.0.0/16": null}), &sent["advertisedRoutes"])?;
        shows(
            &r1,
            "show bgp ipv4 unicast neighbors 10.0.12.2 received prefix-filter json",
            &json!({"ipPrefixList": {"prefixListCounter": 2,
                "10.0.0.0/8": {"seq": 5, "seqPrefixListType": "permit", "ge": 16, "le": 16},
                "10.2.0.0/16": {"seq": 3, "seqPrefixListType": "deny"}}}),
        )?;
        shows(
            &r2,
            "show bgp ipv4 unicast neighbors 10.0.12.1 received prefix-filter json",
            &json!({"ipPrefixList": {"prefixListCounter": 1, "100.61.0.0/16": {"seqPrefixListType": "permit"}}}),
        )?;
        // An edited list is told at once.
        r1.configure(&["ip prefix-list WANTED seq 10 permit 100.62.0.0/16"])?;
        wait_until(PATIENCE, "the wider filter holds", || r1.bgp_route("100.62.0.0/16").map(drop))?;
        r2.configure(&["no ip prefix-list WANTED seq 3"])?;
        r2.vtysh("clear bgp 10.0.12.1 in prefix-filter")?;
        wait_until(PATIENCE, "theirs too", || r2.bgp_route("10.2.0.0/16").map(drop))
    });
}

#[test]
fn a_flapping_route_is_held_back_and_cleared() {
    run(&Needs::ours_and_peers(), |net| {
        let theirs = " address-family ipv4 unicast\n  network 198.51.100.0/24\n exit-address-family\n";
        let ours = " address-family ipv4 unicast\n  bgp dampening 5\n exit-address-family\n";
        let (r1, r2) = pair(net, [ours, ""], [theirs, ""])?;
        for _ in 0..3 {
            wait_until(PATIENCE, "it is there", || {
                path(&r1, "198.51.100.0/24").and_then(|path| {
                    ensure!(!path.is_null(), "no path");
                    Ok(())
                })
            })?;
            edit(&r2, 65002, &["no network 198.51.100.0/24"])?;
            wait_until(PATIENCE, "it is gone", || r1.bgp_lacks("198.51.100.0/24"))?;
            edit(&r2, 65002, &["network 198.51.100.0/24"])?;
        }
        shows(
            &r1,
            "show bgp ipv4 unicast dampening dampened-paths json",
            &json!({"routes": {"198.51.100.0/24": [{"damped": true, "peerHost": "10.0.12.2", "asPath": "65002"}]}}),
        )?;
        shows(
            &r1,
            "show bgp ipv4 unicast dampening flap-statistics json",
            &json!({"routes": {"198.51.100.0/24": [{"bdiFlap": 3}]}}),
        )?;
        shows(
            &r1,
            "show bgp ipv4 unicast 198.51.100.0/24 json",
            &json!({"paths": [{"dampeningSuppressed": true, "bestpath": null}]}),
        )?;
        shows(
            &r1,
            "show bgp ipv4 unicast dampening parameters json",
            &json!({"halfLifeSecs": 300, "reusePenalty": 750, "suppressPenalty": 2000, "maxSuppressTimeSecs": 1200,
                "maxSuppressPenalty": 12000}),
        )?;
        r1.kernel_lacks("198.51.100.0/24")?;
        r1.vtysh("clear ip bgp dampening")?;
        wait_until(PATIENCE, "it is used again", || r1.kernel_route("198.51.100.0/24").map(drop))
    });
}

#[test]
fn aggregates_suppress_and_unsuppress() {
    run(&Needs::ours_and_peers(), |net| {
        let lines = |peer: &str| {
            format!(
                " address-family ipv4 unicast\n  network 10.1.1.0/24\n  network 10.1.2.0/24\n  network 10.2.1.0/24\n  \
                 network 10.2.2.0/24\n  aggregate-address 10.1.0.0/16 summary-only\n  \
                 aggregate-address 10.2.0.0/16 suppress-map S\n  neighbor {peer} unsuppress-map U\n exit-address-family\n"
            )
        };
        let maps = "ip prefix-list S permit 10.2.1.0/24\nip prefix-list U permit 10.1.1.0/24\n\
                    route-map S permit 10\n match ip address prefix-list S\nexit\n\
                    route-map U permit 10\n match ip address prefix-list U\n set metric 77\nexit\n";
        let ours = lines("10.0.12.2");
        let (r1, r2) = pair(net, [&ours, maps], ["", ""])?;
        wait_until(PATIENCE, "the aggregates and what is let out arrive", || {
            for prefix in ["10.1.0.0/16", "10.1.1.0/24", "10.2.0.0/16", "10.2.2.0/24"] {
                r2.bgp_route(prefix)?;
            }
            Ok(())
        })?;
        r2.bgp_lacks("10.1.2.0/24")?;
        r2.bgp_lacks("10.2.1.0/24")?;
        let let_out = r2.bgp_route("10.1.1.0/24")?;
        ensure!(let_out.med == Some(77), "MED {:?}", let_out.med);
        shows(
            &r1,
            "show bgp neighbors 10.0.12.2 json",
            &json!({"10.0.12.2": {"addressFamilyInfo": {"ipv4Unicast": {"selectiveUnsuppressRouteMap": "U"}}}}),
        )?;
        edit(&r1, 65001, &["no neighbor 10.0.12.2 unsuppress-map U"])?;
        wait_until(PATIENCE, "without the map it is suppressed", || r2.bgp_lacks("10.1.1.0/24"))
    });
}

#[test]
fn link_bandwidth_weights_the_kernels_next_hops() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let peers = [net.router("r2", Kind::Frr)?, net.router("r3", Kind::Frr)?];
        let mut ours = format!("router bgp 65001\n bgp router-id 192.0.2.1\n{HEAD}");
        ours.push_str(" bgp bestpath as-path multipath-relax\n");
        for (peer, (n, mbps)) in peers.iter().zip([(2, 100), (3, 300)]) {
            net.link(&r1, &format!("10.0.{n}.1/24"), peer, &format!("10.0.{n}.2/24"))?;
            peer.start(&format!(
                "router bgp 6500{n}\n bgp router-id 192.0.2.{n}\n{HEAD} neighbor 10.0.{n}.1 remote-as 65001\n \
                 neighbor 10.0.{n}.1 timers connect 2\n address-family ipv4 unicast\n  network 198.51.100.0/24\n  \
                 neighbor 10.0.{n}.1 route-map OUT out\n exit-address-family\nexit\n\
                 route-map OUT permit 10\n set extcommunity bandwidth {mbps}\nexit\n"
            ))?;
            ours.push_str(&format!(
                " neighbor 10.0.{n}.2 remote-as 6500{n}\n neighbor 10.0.{n}.2 timers connect 2\n"
            ));
        }
        r1.start(&(ours + "exit\n"))?;
        let weights = |wanted: &[u64]| {
            wait_until(PATIENCE, &format!("the shares are {wanted:?}"), || {
                let routes: Value =
                    serde_json::from_str(&r1.ip("-j route show 198.51.100.0/24")?).unwrap_or_default();
                let hops = routes[0]["nexthops"].as_array().cloned().unwrap_or_default();
                let mut found: Vec<u64> = hops.iter().filter_map(|hop| hop["weight"].as_u64()).collect();
                found.sort_unstable();
                ensure!(found == wanted, "{found:?}");
                Ok(())
            })
        };
        weights(&[25, 75])?;
        r1.configure(&["router bgp 65001", "bgp bestpath bandwidth ignore"])?;
        weights(&[1, 1])?;
        r1.configure(&["router bgp 65001", "no bgp bestpath bandwidth"])?;
        weights(&[25, 75])?;
        // The same with 64 bits, in an IPv6 extended community.
        for (peer, n) in peers.iter().zip([2, 3]) {
            let extended = format!("neighbor 10.0.{n}.1 extended-link-bandwidth");
            peer.configure(&[&format!("router bgp 6500{n}"), &extended])?;
            peer.vtysh("clear bgp *")?;
        }
        wait_until(PATIENCE, "both say it in 64 bits", || {
            let route = r1.vtysh_json("show bgp ipv4 unicast 198.51.100.0/24 json")?;
            let paths = route["paths"].as_array().map_or(&[][..], Vec::as_slice);
            let wide = paths.iter().filter(|path| path["extendedIpv6Community"].is_object());
            ensure!(wide.count() == 2, "{route}");
            Ok(())
        })?;
        weights(&[25, 75])
    });
}

#[test]
fn limits_say_what_they_kept_out() {
    run(&Needs::ours_and_peers(), |net| {
        let theirs = [
            " address-family ipv4 unicast\n  network 10.1.0.0/16 route-map LONG\n  network 10.2.0.0/16 route-map MANY\n  \
             network 10.3.0.0/16\n exit-address-family\n",
            "route-map LONG permit 10\n set as-path prepend 1 2 3 4 5 6 7 8\nexit\n\
             route-map MANY permit 10\n set community 1:1 1:2 1:3 1:4 1:5\nexit\n",
        ];
        let (r1, _) = pair(net, [" bgp maxas-limit 5\n bgp limit communities 4\n", ""], theirs)?;
        wait_until(PATIENCE, "what keeps to the limits is taken", || r1.bgp_route("10.3.0.0/16").map(drop))?;
        shows(
            &r1,
            "show bgp neighbors 10.0.12.2 json",
            &json!({"10.0.12.2": {"prefixStats": {"overLimit": 2}}}),
        )?;
        r1.bgp_lacks("10.1.0.0/16")?;
        r1.bgp_lacks("10.2.0.0/16")?;
        let log = std::fs::read_to_string(r1.dir().join("log/bgpd.log"))
            .or_else(|_| std::fs::read_to_string(r1.dir().join("log/bgpd.out")))?;
        ensure!(log.contains("more than the limit of 5"), "the log names no limit: {log}");
        Ok(())
    });
}

#[test]
fn aigp_is_taken_from_whom_it_is_expected() {
    run(&Needs::ours_and_peers(), |net| {
        let theirs = [
            " neighbor 10.0.12.1 aigp\n address-family ipv4 unicast\n  network 10.1.0.0/16 route-map AIGP\n exit-address-family\n",
            "route-map AIGP permit 10\n set aigp-metric 50\nexit\n",
        ];
        let ours = [" neighbor 10.0.12.2 aigp\n bgp bestpath aigp\n", ""];
        // FRR shows the metric of no route from an external neighbour, not even from FRR, so what we send is for unit tests.
        let (r1, _r2) = pair(net, ours, theirs)?;
        shows(&r1, "show bgp ipv4 unicast 10.1.0.0/16 json", &json!({"paths": [{"aigpMetric": 50}]}))?;
        r1.configure(&["router bgp 65001", "no neighbor 10.0.12.2 aigp"])?;
        shows(&r1, "show bgp ipv4 unicast 10.1.0.0/16 json", &json!({"paths": [{"aigpMetric": null}]}))
    });
}

#[test]
fn site_of_origin_blackhole_and_aliases() {
    run(&Needs::ours_and_peers(), |net| {
        let theirs = [
            " address-family ipv4 unicast\n  network 10.1.0.0/16 route-map BH\n  network 10.3.0.0/16\n exit-address-family\n",
            "route-map BH permit 10\n set community 65002:666 blackhole\nexit\n",
        ];
        let ours = [
            " address-family ipv4 unicast\n  network 10.2.0.0/16 route-map SITE\n  network 10.4.0.0/16\n  \
             neighbor 10.0.12.2 soo 65001:7\n exit-address-family\n",
            "bgp community alias 65002:666 DROP-IT\nroute-map SITE permit 10\n set extcommunity soo 65001:7\nexit\n",
        ];
        let (r1, r2) = pair(net, ours, theirs)?;
        // RFC 7999 §3.2, and names in shows.
        shows(
            &r1,
            "show bgp ipv4 unicast 10.1.0.0/16 json",
            &json!({"paths": [{"community": {"string": "DROP-IT blackhole no-export", "list": ["DROP-IT", "blackhole", "noExport"]},
                "extendedCommunity": {"string": "SoO:65001:7"}}]}),
        )?;
        shows(
            &r1,
            "show bgp ipv4 unicast alias DROP-IT json",
            &json!({"routes": {"10.1.0.0/16": [{}], "10.3.0.0/16": null}}),
        )?;
        wait_until(PATIENCE, "other routes are told", || r2.bgp_route("10.4.0.0/16").map(drop))?;
        r2.bgp_lacks("10.2.0.0/16")
    });
}

/// What each prefix's path carries at a router, by prefix.
fn communities(router: &Router, prefixes: &[&str]) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for prefix in prefixes {
        let path = path(router, prefix)?;
        ensure!(path["valid"] == true, "{}: {prefix}: {path}", router.name());
        let text = path["community"]["string"].as_str().unwrap_or("none");
        all.push(((*prefix).to_owned(), text.to_owned()));
    }
    Ok(all)
}

#[test]
fn routes_to_be_dropped_stay_here_as_with_frr_whatever_policy_says() {
    run(&Needs::ours_and_peers(), |net| {
        // r2 asks r1 (ours) and r3 (FRR), of one AS, to drop: both have the same policy, and tell r4 what they may.
        let [r1, r2, r3, r4] = [("r1", Kind::Ours), ("r2", Kind::Frr), ("r3", Kind::Frr), ("r4", Kind::Frr)]
            .map(|(name, kind)| net.router(name, kind));
        let [r1, r2, r3, r4] = [r1?, r2?, r3?, r4?];
        let members =
            [(&r1, "10.0.0.1/24"), (&r2, "10.0.0.2/24"), (&r3, "10.0.0.3/24"), (&r4, "10.0.0.4/24")];
        net.lan("lan", &members)?;
        let prefixes = ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16"];
        let sent = ["blackhole", "blackhole 65002:666", "blackhole", "blackhole", "65002:5"];
        let mut theirs = format!("router bgp 65002\n bgp router-id 192.0.2.2\n{HEAD}");
        for host in [1, 3] {
            theirs.push_str(&format!(" neighbor 10.0.0.{host} remote-as 65001\n"));
        }
        theirs.push_str(" address-family ipv4 unicast\n");
        let mut maps = String::new();
        for (n, (prefix, communities)) in prefixes.iter().zip(sent).enumerate() {
            theirs.push_str(&format!("  network {prefix} route-map M{n}\n"));
            maps.push_str(&format!("route-map M{n} permit 10\n set community {communities}\nexit\n"));
        }
        r2.start(&format!("{theirs} exit-address-family\nexit\n{maps}"))?;
        r4.start(&format!(
            "router bgp 65004\n bgp router-id 192.0.2.4\n{HEAD} neighbor 10.0.0.1 remote-as 65001\n neighbor 10.0.0.3 remote-as 65001\nexit\n"
        ))?;
        // Policy takes NO_EXPORT off, takes everything off, puts BLACKHOLE on, replaces all.
        let policy = "bgp community-list standard NE permit no-export
ip prefix-list P3 permit 10.3.0.0/16
ip prefix-list P4 permit 10.4.0.0/16
ip prefix-list P5 permit 10.5.0.0/16
route-map IN permit 10
 match ip address prefix-list P3
 set comm-list NE delete
exit
route-map IN permit 20
 match ip address prefix-list P4
 set community none
exit
route-map IN permit 30
 match ip address prefix-list P5
 set community blackhole additive
exit
route-map IN permit 40
exit
";
        for (router, id) in [(&r1, 1), (&r3, 3)] {
            router.start(&format!(
                "{policy}router bgp 65001\n bgp router-id 192.0.2.{id}\n{HEAD} neighbor 10.0.0.2 remote-as 65002\n \
                 neighbor 10.0.0.2 timers connect 2\n neighbor 10.0.0.4 remote-as 65004\n neighbor 10.0.0.4 timers connect 2\n \
                 address-family ipv4 unicast\n  neighbor 10.0.0.2 route-map IN in\n exit-address-family\nexit\n"
            ))?;
        }
        for router in [&r1, &r3] {
            router.wait_bgp_established("10.0.0.4")?;
        }
        wait_until(PATIENCE, "both have taken all the same way", || {
            let (ours, theirs) = (communities(&r1, &prefixes)?, communities(&r3, &prefixes)?);
            ensure!(ours == theirs, "ours {ours:?}\nFRR's {theirs:?}");
            Ok(())
        })?;
        let shown = communities(&r1, &prefixes)?;
        println!("{shown:?}");
        // What policy has freed of both communities goes on, from both; the others from neither.
        wait_until(PATIENCE, "the free route is told by both", || {
            let view = r4.vtysh_json("show bgp ipv4 unicast 10.4.0.0/16 json")?;
            ensure!(view["paths"].as_array().is_some_and(|paths| paths.len() == 2), "{view}");
            Ok(())
        })?;
        for prefix in ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.5.0.0/16"] {
            r4.bgp_lacks(prefix)?;
        }
        Ok(())
    });
}
