//! What sessions can be told, against FRR: dynamic neighbours, roles, confederations, local-as, limits.

use std::time::Duration;

use serde_json::json;
use topotests::{Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

/// r1 (ours, 10.0.0.1) and FRR routers 10.0.0.2 onwards on one network.
fn on_a_lan(net: &mut Net, others: usize) -> Result<(Router, Vec<Router>)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let mut frr = Vec::new();
    for number in 0..others {
        frr.push(net.router(&format!("r{}", number + 2), Kind::Frr)?);
    }
    let addrs: Vec<String> = (1..=others + 1).map(|host| format!("10.0.0.{host}/24")).collect();
    let all: Vec<(&Router, &str)> =
        std::iter::once(&r1).chain(&frr).zip(addrs.iter().map(String::as_str)).collect();
    net.lan("lan", &all)?;
    Ok((r1, frr))
}

/// A plain FRR speaker that announces one network; `more` goes under `router bgp`, `family` under IPv4 unicast.
fn frr(asn: u32, id: u8, more: &str, family: &str) -> String {
    format!(
        "router bgp {asn}\n bgp router-id 192.0.2.{id}\n no bgp ebgp-requires-policy\n \
         no bgp network import-check\n{more} address-family ipv4 unicast\n  network 192.0.2.{id}/32\n{family} \
         exit-address-family\nexit\n"
    )
}

fn neighbor(router: &Router, addr: &str) -> Result<serde_json::Value> {
    let all = router.vtysh_json(&format!("show bgp neighbors {addr} json"))?;
    Ok(all.get(addr).cloned().unwrap_or_default())
}

#[test]
fn whoever_connects_from_a_listen_range_is_a_neighbor_while_connected() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 2)?;
        r1.start(
            "router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor PG peer-group
 neighbor PG remote-as external
 neighbor PG password secret
 bgp listen limit 1
 bgp listen range 10.0.0.0/28 peer-group PG
 address-family ipv4 unicast
  network 192.0.2.1/32
 exit-address-family
exit
",
        )?;
        let config = |number: u8| {
            frr(
                65000 + u32::from(number),
                number,
                " neighbor 10.0.0.1 remote-as 65001\n neighbor 10.0.0.1 password secret\n neighbor 10.0.0.1 timers connect 1\n",
                "",
            )
        };
        let [r2, r3] = &others[..] else { return Err("two others".into()) };
        r2.start(&config(2))?;
        r1.wait_bgp_established("10.0.0.2")?;
        wait_until(PATIENCE, "routes of a dynamic neighbor", || r1.bgp_route("192.0.2.2/32"))?;
        wait_until(PATIENCE, "routes for a dynamic neighbor", || r2.bgp_route("192.0.2.1/32"))?;
        let text = r1.vtysh("show bgp summary")?;
        ensure!(text.contains("\n*10.0.0.2 "), "{text}");
        ensure!(text.contains("1 dynamic neighbor(s), limit 1"), "{text}");
        let groups = r1.vtysh_json("show bgp peer-group PG json")?;
        json_contains(
            &json!({"PG": {"type": "external",
                "dynamicRanges": {"IPv4": {"count": 1, "ranges": ["10.0.0.0/28"]}},
                "members": {"10.0.0.2": {"status": "Established", "dynamic": true}}}}),
            &groups,
        )?;
        json_contains(
            &json!({"peerGroup": "PG", "peerSubnetRangeGroup": "10.0.0.0/28", "authenticationEnabled": 1}),
            &neighbor(&r1, "10.0.0.2")?,
        )?;
        // One more is one too many, and nobody else notices.
        r3.start(&config(3))?;
        wait_until(PATIENCE, "the refusal is logged", || {
            let log = std::fs::read_to_string(r1.dir().join("log/bgpd.log"))?;
            ensure!(log.contains("10.0.0.3: dynamic neighbor refused, bgp listen limit 1"), "no such line");
            Ok(())
        })?;
        r1.bgp_established("10.0.0.2")?;
        ensure!(neighbor(&r1, "10.0.0.3")?.is_null(), "a neighbor over the limit is known");
        // A neighbour that leaves is forgotten, and makes room.
        r2.configure(&["router bgp 65002", "neighbor 10.0.0.1 shutdown"])?;
        r1.wait_bgp_established("10.0.0.3")?;
        wait_until(PATIENCE, "a dynamic neighbor vanishes", || {
            ensure!(neighbor(&r1, "10.0.0.2")?.is_null(), "10.0.0.2 is still known");
            r1.bgp_lacks("192.0.2.2/32")
        })?;
        ensure!(!r1.vtysh("show running-config")?.contains("10.0.0.3"), "a dynamic neighbor is configured");
        r1.configure(&["router bgp 65001", "no bgp listen range 10.0.0.0/28 peer-group PG"])?;
        wait_until(PATIENCE, "without the range there is no neighbor", || {
            ensure!(neighbor(&r1, "10.0.0.3")?.is_null(), "10.0.0.3 is still known");
            Ok(())
        })
    });
}

#[test]
fn roles_are_checked_and_keep_routes_from_leaking() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 3)?;
        // r2 is our provider, r3 our peer, r4 our customer.
        r1.start(
            "router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.2 local-role customer strict-mode
 neighbor 10.0.0.2 timers connect 1
 neighbor 10.0.0.3 remote-as 65003
 neighbor 10.0.0.3 local-role peer
 neighbor 10.0.0.3 timers connect 1
 neighbor 10.0.0.4 remote-as 65004
 neighbor 10.0.0.4 local-role provider
 neighbor 10.0.0.4 timers connect 1
 address-family ipv4 unicast
  network 192.0.2.1/32
 exit-address-family
exit
",
        )?;
        let roles = ["provider", "peer", "customer"];
        for (number, (router, role)) in (2_u8..).zip(others.iter().zip(roles)) {
            let role = format!(
                " neighbor 10.0.0.1 remote-as 65001\n neighbor 10.0.0.1 local-role {role}\n neighbor 10.0.0.1 timers connect 1\n"
            );
            router.start(&frr(65000 + u32::from(number), number, &role, ""))?;
        }
        let [r2, r3, r4] = &others[..] else { return Err("three others".into()) };
        for addr in ["10.0.0.2", "10.0.0.3", "10.0.0.4"] {
            r1.wait_bgp_established(addr)?;
        }
        json_contains(
            &json!({"localRole": "customer", "remoteRole": "provider"}),
            &neighbor(&r1, "10.0.0.2")?,
        )?;
        json_contains(
            &json!({"localRole": "provider", "remoteRole": "customer"}),
            &neighbor(&r1, "10.0.0.4")?,
        )?;
        // Customers get everything; provider and peer only what is ours and our customers'.
        for prefix in ["192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32"] {
            wait_until(PATIENCE, "the customer has everything", || r4.bgp_route(prefix))?;
        }
        for router in [r2, r3] {
            for prefix in ["192.0.2.1/32", "192.0.2.4/32"] {
                wait_until(PATIENCE, "provider and peer have our customers' routes", || {
                    router.bgp_route(prefix)
                })?;
            }
        }
        r2.bgp_lacks("192.0.2.3/32")?;
        r3.bgp_lacks("192.0.2.2/32")?;
        // FRR shows what we marked.
        let route = r3.vtysh_json("show bgp ipv4 unicast 192.0.2.1/32 json")?;
        json_contains(&json!({"paths": [{"otc": 65001}]}), &route)?;
        // Two roles that do not belong together are no session.
        r3.configure(&["router bgp 65003", "neighbor 10.0.0.1 local-role provider"])?;
        r3.vtysh("clear bgp *")?;
        wait_until(PATIENCE, "a role mismatch is said", || {
            let view = neighbor(&r1, "10.0.0.3")?;
            ensure!(view["bgpState"] != "Established", "still established");
            ensure!(view["lastErrorCodeSubcode"] == "020B", "{view}");
            Ok(())
        })?;
        // In strict mode a neighbour without a role is none.
        r2.configure(&["router bgp 65002", "no neighbor 10.0.0.1 local-role provider"])?;
        r2.vtysh("clear bgp *")?;
        wait_until(PATIENCE, "strict mode wants a role", || {
            let view = neighbor(&r1, "10.0.0.2")?;
            ensure!(view["bgpState"] != "Established" && view["lastErrorCodeSubcode"] == "020B", "{view}");
            Ok(())
        })
    });
}

#[test]
fn a_confederation_is_one_as_to_the_outside() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 3)?;
        // r1 and r2 are members of AS 100, r3 is outside, r4 is in r1's member AS.
        r1.start(
            "router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp confederation identifier 100
 bgp confederation peers 65002
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.3 remote-as 65003
 neighbor 10.0.0.4 remote-as internal
 address-family ipv4 unicast
  network 192.0.2.1/32
  neighbor 10.0.0.4 next-hop-self
 exit-address-family
exit
",
        )?;
        let [r2, r3, r4] = &others[..] else { return Err("three others".into()) };
        let confederation = " bgp confederation identifier 100\n bgp confederation peers 65001\n";
        r2.start(&frr(65002, 2, &format!("{confederation} neighbor 10.0.0.1 remote-as 65001\n"), ""))?;
        r3.start(&frr(65003, 3, " neighbor 10.0.0.1 remote-as 100\n", ""))?;
        r4.start(&frr(
            65001,
            4,
            " bgp confederation identifier 100\n bgp confederation peers 65002\n neighbor 10.0.0.1 remote-as 65001\n",
            "",
        ))?;
        for addr in ["10.0.0.2", "10.0.0.3", "10.0.0.4"] {
            r1.wait_bgp_established(addr)?;
        }
        let path = |router: &Router, prefix: &str, path: &str| {
            wait_until(PATIENCE, "paths through the confederation", || {
                let route = router.bgp_route(prefix)?;
                ensure!(route.as_path == path, "{}: {prefix} has {:?}", router.name(), route.as_path);
                Ok(())
            })
        };
        path(&r1, "192.0.2.2/32", "(65002)")?;
        path(r2, "192.0.2.1/32", "(65001)")?;
        path(r2, "192.0.2.3/32", "(65001) 65003")?;
        path(r3, "192.0.2.1/32", "100")?;
        path(r3, "192.0.2.2/32", "100")?;
        path(r3, "192.0.2.4/32", "100")?;
        path(r4, "192.0.2.2/32", "(65002)")?;
        path(r4, "192.0.2.3/32", "65003")?;
        json_contains(
            &json!({"localAs": 65001, "nbrConfedExternalLink": true, "nbrCommonAdmin": true}),
            &neighbor(&r1, "10.0.0.2")?,
        )?;
        json_contains(&json!({"localAs": 100}), &neighbor(&r1, "10.0.0.3")?)?;
        json_contains(&json!({"nbrConfedInternalLink": true}), &neighbor(&r1, "10.0.0.4")?)
    });
}

#[test]
fn local_as_in_all_forms() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 3)?;
        r1.start(
            "router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.2 local-as 65100
 neighbor 10.0.0.3 remote-as 65003
 neighbor 10.0.0.3 local-as 65100 no-prepend replace-as
 neighbor 10.0.0.4 remote-as 65004
 neighbor 10.0.0.4 local-as 65100 no-prepend replace-as dual-as
 neighbor 10.0.0.4 timers connect 1
 address-family ipv4 unicast
  network 192.0.2.1/32
 exit-address-family
exit
",
        )?;
        let [r2, r3, r4] = &others[..] else { return Err("three others".into()) };
        r2.start(&frr(65002, 2, " neighbor 10.0.0.1 remote-as 65100\n", ""))?;
        r3.start(&frr(65003, 3, " neighbor 10.0.0.1 remote-as 65100\n", ""))?;
        // This one has not heard of the new number.
        r4.start(&frr(
            65004,
            4,
            " neighbor 10.0.0.1 remote-as 65001\n neighbor 10.0.0.1 timers connect 1\n",
            "",
        ))?;
        for addr in ["10.0.0.2", "10.0.0.3", "10.0.0.4"] {
            r1.wait_bgp_established(addr)?;
        }
        let path = |router: &Router, prefix: &str, path: &str| {
            wait_until(PATIENCE, "paths with a local AS", || {
                let route = router.bgp_route(prefix)?;
                ensure!(route.as_path == path, "{}: {prefix} has {:?}", router.name(), route.as_path);
                Ok(())
            })
        };
        path(r2, "192.0.2.1/32", "65100 65001")?;
        path(r3, "192.0.2.1/32", "65100")?;
        path(r4, "192.0.2.1/32", "65001")?;
        path(&r1, "192.0.2.2/32", "65100 65002")?;
        path(&r1, "192.0.2.3/32", "65003")?;
        path(r3, "192.0.2.2/32", "65100 65100 65002")?;
        // Then it has.
        r4.configure(&["router bgp 65004", "neighbor 10.0.0.1 remote-as 65100"])?;
        path(r4, "192.0.2.1/32", "65100")
    });
}

#[test]
fn the_other_side_gets_no_more_prefixes_than_allowed_and_the_rest_as_room_comes() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 1)?;
        r1.start(
            "router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.2 extended-optional-parameters
 neighbor 10.0.0.2 capability software-version
 address-family ipv4 unicast
  network 198.51.100.0/28
  network 198.51.100.16/28
  network 198.51.100.32/28
  neighbor 10.0.0.2 maximum-prefix-out 2
  neighbor 10.0.0.2 maximum-prefix 1 restart 1
 exit-address-family
exit
",
        )?;
        let [r2] = &others[..] else { return Err("one other".into()) };
        r2.start(&frr(65002, 2, " neighbor 10.0.0.1 remote-as 65001\n", ""))?;
        r1.wait_bgp_established("10.0.0.2")?;
        let has = |count: usize| {
            wait_until(PATIENCE, "as many as allowed", || {
                let table = r2.bgp_table(topotests::Family::V4)?;
                let ours = table.keys().filter(|prefix| prefix.starts_with("198.")).count();
                ensure!(ours == count, "{ours} of our prefixes");
                Ok(table.keys().filter(|prefix| prefix.starts_with("198.")).cloned().collect::<Vec<_>>())
            })
        };
        let sent = has(2)?;
        let capabilities = neighbor(r2, "10.0.0.1")?["neighborCapabilities"].clone();
        let version = capabilities["softwareVersion"]["receivedSoftwareVersion"].as_str().unwrap_or_default();
        ensure!(version.starts_with("Ferrite/"), "software version: {capabilities}");
        let [first, ..] = &sent[..] else { return Err("nothing sent".into()) };
        r1.configure(&["router bgp 65001", "address-family ipv4 unicast", &format!("no network {first}")])?;
        wait_until(PATIENCE, "what was held back follows", || {
            r2.bgp_lacks(first)?;
            ensure!(has(2)?.len() == 2, "not two");
            Ok(())
        })?;
        // In the other direction a second prefix costs the session, for a minute.
        r2.configure(&["router bgp 65002", "address-family ipv4 unicast", "network 203.0.113.0/24"])?;
        wait_until(PATIENCE, "the session ends over the limit", || {
            let view = neighbor(&r1, "10.0.0.2")?;
            ensure!(view["bgpState"] == "Idle" && view["lastErrorCodeSubcode"] == "0601", "{view}");
            Ok(())
        })?;
        ensure!(r1.vtysh("show bgp summary")?.contains("Idle (PfxCt)"), "the summary does not say why");
        r2.configure(&["router bgp 65002", "address-family ipv4 unicast", "no network 203.0.113.0/24"])?;
        r1.vtysh("clear bgp 10.0.0.2")?;
        r1.wait_bgp_established("10.0.0.2")
    });
}
