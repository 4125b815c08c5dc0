//! Terms of sessions against FRR, GoBGP and BIRD: TCP-AO and key chains, dynamic capabilities, queue knobs, update groups of
//! one's own, one administration over two ASes, TCP's keepalives, sessions that end with the way to the neighbour.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::{Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

/// r1 (ours, 10.0.0.1) and the others, 10.0.0.2 onwards, on one network.
fn on_a_lan(net: &mut Net, kinds: &[Kind]) -> Result<(Router, Vec<Router>)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let mut others = Vec::new();
    for (number, kind) in kinds.iter().enumerate() {
        others.push(net.router(&format!("r{}", number + 2), *kind)?);
    }
    let addrs: Vec<String> = (1..=kinds.len() + 1).map(|host| format!("10.0.0.{host}/24")).collect();
    let all: Vec<(&Router, &str)> =
        std::iter::once(&r1).chain(&others).zip(addrs.iter().map(String::as_str)).collect();
    net.lan("lan", &all)?;
    Ok((r1, others))
}

/// A speaker with one network of its own; `more` goes under `router bgp`, `family` under IPv4 unicast.
fn speaker(asn: u32, id: u8, more: &str, family: &str) -> String {
    format!(
        "router bgp {asn}\n bgp router-id 192.0.2.{id}\n no bgp ebgp-requires-policy\n \
         no bgp network import-check\n{more} address-family ipv4 unicast\n  network 192.0.2.{id}/32\n{family} \
         exit-address-family\nexit\n"
    )
}

fn neighbor(router: &Router, addr: &str) -> Result<Value> {
    let all = router.vtysh_json(&format!("show bgp neighbors {addr} json"))?;
    Ok(all.get(addr).cloned().unwrap_or_default())
}

#[test]
fn tcp_ao_signs_or_says_that_the_kernel_cannot_and_nothing_goes_unsigned() {
    run(&Needs::ours(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Ours, Kind::Ours])?;
        let chain = "key chain CORE
 key 1
  cryptographic-algorithm hmac-sha-256
  key-string secret
 exit
 key 2
  accept-lifetime 00:00:00 Jan  1 2030 infinite
  key-string later
  send-lifetime 00:00:00 Jan  1 2031 infinite
 exit
exit
";
        let peer = |asn: u32| {
            format!(
                " neighbor 10.0.0.1 remote-as 65001\n neighbor 10.0.0.1 timers connect 1\n{}",
                if asn == 65002 { " neighbor 10.0.0.1 tcp-ao key-chain CORE\n" } else { "" }
            )
        };
        let [r2, r3] = &others[..] else { return Err("two others".into()) };
        let ours: String = (2..4)
            .map(|host| {
                format!(
                    " neighbor 10.0.0.{host} remote-as 6500{host}\n neighbor 10.0.0.{host} timers connect 1\n \
                     neighbor 10.0.0.{host} tcp-ao key-chain CORE\n"
                )
            })
            .collect();
        r1.start(&format!("{chain}{}", speaker(65001, 1, &ours, "")))?;
        r2.start(&format!("{chain}{}", speaker(65002, 2, &peer(65002), "")))?;
        r3.start(&speaker(65003, 3, &peer(65003), ""))?;
        let chains = r1.vtysh_json("show key chain CORE json")?;
        json_contains(
            &json!({"keyChains": [{"name": "CORE", "sendKey": 1, "keys": [
                {"key": 1, "cryptographicAlgorithm": "hmac-sha-256", "acceptActive": true},
                {"key": 2, "acceptActive": false, "sendActive": false}]}]}),
            &chains,
        )?;
        ensure!(!r1.vtysh("show key chain")?.contains("secret"), "a secret is shown");
        let running = r1.vtysh("show running-config")?;
        ensure!(running.contains(chain), "{running}");
        wait_until(PATIENCE, "the session is up, or the kernel is named", || {
            let view = neighbor(&r1, "10.0.0.2")?;
            ensure!(view["tcpAo"]["keyChain"] == "CORE", "{view}");
            let lacks = view["tcpAo"]["error"] == "TCP-AO is not in this kernel";
            ensure!(lacks != (view["bgpState"] == "Established"), "{view}");
            Ok(())
        })?;
        // A neighbour that does not sign is none.
        wait_until(PATIENCE, "the unsigned neighbor has tried", || {
            let view = neighbor(r3, "10.0.0.1")?;
            ensure!(view["bgpState"] != "Established", "a session without a signature");
            ensure!(view["connectRetryTimer"] == 1, "{view}");
            Ok(())
        })?;
        let text = r1.vtysh("show bgp neighbors 10.0.0.2")?;
        ensure!(text.contains("Peer Authentication Enabled: TCP-AO with key chain CORE"), "{text}");
        Ok(())
    });
}

#[test]
fn capabilities_change_under_way_between_us_and_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Frr])?;
        let [r2] = &others[..] else { return Err("one other".into()) };
        let peer = |host: u8, asn: u32| {
            format!(
                " neighbor 10.0.0.{host} remote-as {asn}\n neighbor 10.0.0.{host} capability dynamic\n \
                 neighbor 10.0.0.{host} timers connect 1\n"
            )
        };
        r1.start(&speaker(65001, 1, &peer(2, 65002), ""))?;
        r2.start(&speaker(65002, 2, &peer(1, 65001), ""))?;
        r1.wait_bgp_established("10.0.0.2")?;
        json_contains(
            &json!({"neighborCapabilities": {"dynamic": "advertisedAndReceived"}}),
            &neighbor(&r1, "10.0.0.2")?,
        )?;
        let version = |router: &Router, addr: &str, begins: &str| {
            wait_until(PATIENCE, "the version is told", || {
                let view = neighbor(router, addr)?;
                ensure!(view["bgpState"] == "Established", "{view}");
                let text = view["neighborCapabilities"]["softwareVersion"]["receivedSoftwareVersion"].clone();
                let told = text.as_str().unwrap_or_default();
                ensure!(!told.is_empty() && told.starts_with(begins), "{}: {text}", router.name());
                Ok(())
            })
        };
        r1.configure(&["router bgp 65001", "neighbor 10.0.0.2 capability software-version"])?;
        version(r2, "10.0.0.1", "Ferrite/")?;
        r2.configure(&["router bgp 65002", "neighbor 10.0.0.1 capability software-version"])?;
        version(&r1, "10.0.0.2", "FRRouting/")?;
        let view = neighbor(&r1, "10.0.0.2")?;
        ensure!(view["connectionsDropped"] == 0 && view["connectionsEstablished"] == 1, "{view}");
        ensure!(view["messageStats"]["capabilityRecv"].as_u64() >= Some(1), "{}", view["messageStats"]);
        ensure!(view["messageStats"]["capabilitySent"].as_u64() >= Some(1), "{}", view["messageStats"]);
        wait_until(PATIENCE, "the route", || r1.bgp_route("192.0.2.2/32").map(drop))
    });
}

#[test]
fn queue_knobs_are_taken_and_tables_still_cross() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Frr, Kind::Frr])?;
        let [r2, r3] = &others[..] else { return Err("two others".into()) };
        let knobs = "bgp input-queue-limit 5\nbgp output-queue-limit 4\n";
        let router = " no bgp suppress-duplicates\n bgp default subgroup-pkt-queue-max 20\n neighbor 10.0.0.2 remote-as 65002\n \
                      neighbor 10.0.0.3 remote-as 65003\n coalesce-time 1500\n write-quanta 2\n read-quanta 2\n";
        r1.start(&format!("{knobs}{}", speaker(65001, 1, router, "")))?;
        let networks: String = (0..200).map(|n| format!("  network 198.18.{n}.0/24 route-map M\n")).collect();
        let map = "route-map M permit 10\n set metric 5\nexit\n";
        r2.start(&format!("{map}{}", speaker(65002, 2, " neighbor 10.0.0.1 remote-as 65001\n", &networks)))?;
        r3.start(&speaker(65003, 3, " neighbor 10.0.0.1 remote-as 65001\n", ""))?;
        wait_until(PATIENCE, "everything comes through", || {
            let table = r3.bgp_table(topotests::Family::V4)?;
            ensure!(table.len() == 203, "{} routes", table.len());
            Ok(())
        })?;
        let running = r1.vtysh("show running-config")?;
        for line in
            ["bgp input-queue-limit 5", "bgp output-queue-limit 4", " coalesce-time 1500", " read-quanta 2"]
        {
            ensure!(running.contains(&format!("{line}\n")), "{line} is not in {running}");
        }
        Ok(())
    });
}

#[test]
fn solo_neighbors_groups_keepalives_and_counts() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Frr, Kind::Frr, Kind::Frr])?;
        let peers: String = (2..5).map(|host| format!(" neighbor 10.0.0.{host} remote-as 65002\n")).collect();
        let more = format!("{peers} neighbor 10.0.0.4 solo\n bgp tcp-keepalive 10 5 3\n");
        let policy = "ip prefix-list ONE seq 5 permit 192.0.2.2/32\nroute-map IN deny 5\n match ip address prefix-list ONE\nexit\nroute-map IN permit 10\nexit\n";
        r1.start(&format!("{policy}{}", speaker(65001, 1, &more, "  neighbor 10.0.0.2 route-map IN in\n")))?;
        for (number, router) in (2_u8..).zip(&others) {
            router.start(&speaker(65002, number, " neighbor 10.0.0.1 remote-as 65001\n", ""))?;
            r1.wait_bgp_established(&format!("10.0.0.{number}"))?;
        }
        // A group of its own for the solo neighbour, one for the others.
        wait_until(PATIENCE, "groups", || {
            let groups = r1.vtysh("show bgp ipv4 unicast update-groups")?;
            let count = groups.matches("Update-group ").count();
            ensure!(count == 2, "{count} groups:\n{groups}");
            Ok(())
        })?;
        let sockets = r1.run("ss", &["-tno", "state", "established", "dst", "10.0.0.2"])?;
        ensure!(sockets.contains("timer:(keepalive,"), "{sockets}");
        wait_until(PATIENCE, "what policy refused is counted", || {
            let view = neighbor(&r1, "10.0.0.2")?;
            ensure!(view["prefixStats"]["inboundFiltered"] == 1, "{}", view["prefixStats"]);
            r1.bgp_lacks("192.0.2.2/32")
        })?;
        Ok(())
    });
}

#[test]
fn between_ases_of_one_administration_preferences_pass() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Frr])?;
        let [r2] = &others[..] else { return Err("one other".into()) };
        let map = "route-map P permit 10\n set local-preference 250\nexit\n";
        let peer = |host: u8, asn: u32| {
            format!(" neighbor 10.0.0.{host} remote-as {asn}\n neighbor 10.0.0.{host} oad\n")
        };
        let out = |host: u8| format!("  neighbor 10.0.0.{host} route-map P out\n");
        r1.start(&format!("{map}{}", speaker(65001, 1, &peer(2, 65002), &out(2))))?;
        r2.start(&format!("{map}{}", speaker(65002, 2, &peer(1, 65001), &out(1))))?;
        for (router, prefix) in [(&r1, "192.0.2.2/32"), (r2, "192.0.2.1/32")] {
            wait_until(PATIENCE, "the preference is told", || {
                let route = router.bgp_route(prefix)?;
                ensure!(route.local_pref == Some(250), "{}: {route:?}", router.name());
                Ok(())
            })?;
        }
        Ok(())
    });
}

#[test]
fn with_fast_convergence_a_session_ends_with_the_route_to_its_neighbor() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Frr])?;
        let [r2] = &others[..] else { return Err("one other".into()) };
        net.loopback(&r1, "192.0.2.1/32")?;
        net.loopback(r2, "192.0.2.2/32")?;
        let peer = |host: u8, asn: u32| {
            format!(
                " neighbor 192.0.2.{host} remote-as {asn}\n neighbor 192.0.2.{host} ebgp-multihop\n \
                 neighbor 192.0.2.{host} update-source lo\n neighbor 192.0.2.{host} timers connect 1\n"
            )
        };
        let ours = speaker(65001, 1, &format!(" bgp fast-convergence\n{}", peer(2, 65002)), "");
        r1.start(&format!("ip route 192.0.2.2/32 10.0.0.2\n{ours}"))?;
        r2.start(&format!("ip route 192.0.2.1/32 10.0.0.1\n{}", speaker(65002, 2, &peer(1, 65001), "")))?;
        r1.wait_bgp_established("192.0.2.2")?;
        r1.configure(&["no ip route 192.0.2.2/32 10.0.0.2"])?;
        // Long before the hold time of three minutes.
        wait_until(Duration::from_secs(20), "the session ends at once", || {
            let view = neighbor(&r1, "192.0.2.2")?;
            ensure!(view["bgpState"] != "Established", "established yet");
            Ok(())
        })?;
        r1.configure(&["ip route 192.0.2.2/32 10.0.0.2"])?;
        r1.wait_bgp_established("192.0.2.2")
    });
}

#[test]
fn bird_and_gobgp_are_neighbors_on_links_without_addresses() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let (bird, gobgp) = (net.router("bird", Kind::Bird)?, net.router("gobgp", Kind::GoBgp)?);
        let (to_bird, from_bird) = net.link(&r1, "", &bird, "")?;
        let (to_gobgp, from_gobgp) = net.link(&r1, "", &gobgp, "")?;
        net.loopback(&r1, "192.0.2.1/32")?;
        let of = |router: &Router, interface: &str| {
            wait_until(PATIENCE, "a link-local address", || router.link_local(interface))
        };
        let (ours_bird, ours_gobgp) = (of(&r1, &to_bird)?, of(&r1, &to_gobgp)?);
        let theirs = of(&gobgp, &from_gobgp)?;
        of(&bird, &from_bird)?;
        // BIRD advertises itself as a router, so that its link is all that is configured.
        bird.start(&format!(
            "router id 192.0.2.2;
protocol device {{}}
protocol radv {{ interface \"{from_bird}\" {{ max ra interval 4; min ra interval 3; default lifetime 9; }}; }}
protocol static {{ ipv4; route 192.0.2.2/32 blackhole; }}
protocol bgp {{
 local as 65002; neighbor {ours_bird}%{from_bird} as 65001;
 connect retry time 1; connect delay time 1; error wait time 1, 2;
 ipv4 {{ import all; export all; extended next hop on; }};
}}
"
        ))?;
        gobgp.start(&format!(
            "[global.config]\nas = 65003\nrouter-id = \"192.0.2.3\"\n[[neighbors]]\n[neighbors.config]\n\
             neighbor-address = \"{ours_gobgp}%{from_gobgp}\"\npeer-as = 65001\n\
             [neighbors.timers.config]\nconnect-retry = 1\n\
             [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"ipv4-unicast\"\n\
             [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"ipv6-unicast\"\n"
        ))?;
        r1.start(&speaker(
            65001,
            1,
            &format!(
                " neighbor {to_bird} interface remote-as external\n neighbor {to_bird} timers connect 1\n \
                 neighbor {theirs} remote-as 65003\n neighbor {theirs} interface {to_gobgp}\n \
                 neighbor {theirs} capability extended-nexthop\n neighbor {theirs} timers connect 1\n"
            ),
            "",
        ))?;
        wait_until(PATIENCE, "BIRD's route over its link-local next hop", || {
            r1.bgp_route("192.0.2.2/32")?;
            r1.kernel_route("192.0.2.2/32").map(drop)
        })?;
        wait_until(PATIENCE, "our route at BIRD", || bird.bgp_route("192.0.2.1/32").map(drop))?;
        r1.wait_bgp_established(&theirs)?;
        wait_until(PATIENCE, "our route at GoBGP", || gobgp.bgp_route("192.0.2.1/32").map(drop))
    });
}
