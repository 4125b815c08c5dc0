//! What sessions are carried by, against FRR 10.3: distances, source addresses, ports, segment sizes, and messages of more than
//! 4,096 octets. `doc/rows/bgp-sessions.md` says which row of features each belongs to.

use std::time::Duration;

use serde_json::Value;
use topotests::bgp::session::hex;
use topotests::bgp::{attrs, wire};
use topotests::daemon::frr;
use topotests::{Kind, Needs, Net, Result, Router, ensure, holds_for, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

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

/// A speaker of AS 6500`id` with a network; `lines` go under `router bgp`.
fn speaker(id: u8, lines: &str) -> String {
    format!(
        "router bgp 6500{id}\n bgp router-id 192.0.2.{id}\n no bgp ebgp-requires-policy\n no bgp network import-check\n{lines} \
         address-family ipv4 unicast\n  network 198.51.100.{id}/32\n exit-address-family\nexit\n"
    )
}

fn peer(addr: &str, asn: u32, lines: &[&str]) -> String {
    let mut text = format!(" neighbor {addr} remote-as {asn}\n neighbor {addr} timers connect 1\n");
    for line in lines {
        text.push_str(&format!(" neighbor {addr} {line}\n"));
    }
    text
}

fn neighbor(router: &Router, addr: &str) -> Result<Value> {
    let all = router.vtysh_json(&format!("show bgp neighbors {addr} json"))?;
    Ok(all.get(addr).cloned().unwrap_or_default())
}

#[test]
fn distance_source_port_and_segments_are_as_configured() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Frr; 5])?;
        let [r2, r3, r4, r5, r6] = &others[..] else { return Err("five others".into()) };
        r1.ip("address add 10.0.0.101/24 dev eth0")?;
        net.loopback(&r1, "192.0.2.1/32")?;
        net.loopback(r4, "192.0.2.4/32")?;
        let ours = [
            peer("10.0.0.2", 65002, &["ttl-security hops 1", "tcp-mss 1000"]),
            peer("10.0.0.3", 65003, &["ttl-security hops 1"]),
            peer("192.0.2.4", 65004, &["disable-connected-check", "update-source lo"]),
            peer("10.0.0.5", 65005, &["update-source 10.0.0.101"]),
            peer("10.0.0.6", 65006, &["port 1790"]),
        ];
        r1.start(&format!(
            "bgp session-dscp 46\nip route 192.0.2.4/32 10.0.0.4\n{}",
            speaker(1, &ours.concat())
        ))?;
        r2.start(&speaker(2, &peer("10.0.0.1", 65001, &["ttl-security hops 1", "tcp-mss 1000"])))?;
        r3.start(&speaker(3, &peer("10.0.0.1", 65001, &[])))?;
        let far = peer("192.0.2.1", 65001, &["disable-connected-check", "update-source lo"]);
        r4.start(&format!("ip route 192.0.2.1/32 10.0.0.1\n{}", speaker(4, &far)))?;
        r5.start(&speaker(5, &peer("10.0.0.101", 65001, &[])))?;
        let daemons = ["zebra", "mgmtd", "staticd", "bgpd"];
        frr::start_daemons(
            r6,
            &speaker(6, &peer("10.0.0.1", 65001, &["passive"])),
            &daemons,
            &["-p", "1790"],
        )?;
        for addr in ["10.0.0.2", "192.0.2.4", "10.0.0.5", "10.0.0.6"] {
            r1.wait_bgp_established(addr)?;
        }
        for host in [2, 4, 5, 6] {
            wait_until(PATIENCE, "its route", || r1.bgp_route(&format!("198.51.100.{host}/32")).map(drop))?;
        }
        // Segments from one hop farther away than allowed are not looked at (RFC 5082).
        holds_for(Duration::from_secs(3), "a session from too far away", || {
            ensure!(r1.bgp_established("10.0.0.3").is_err(), "it came up");
            Ok(())
        })?;
        r3.configure(&["router bgp 65003", "neighbor 10.0.0.1 ttl-security hops 1"])?;
        r1.wait_bgp_established("10.0.0.3")?;
        let sockets = r1.run("ss", &["-tin", "--tos", "state", "established", "dst", "10.0.0.2"])?;
        ensure!(sockets.contains("tos:0xb8"), "DSCP 46 is not there: {sockets}");
        let mss = sockets.split_whitespace().find_map(|word| word.strip_prefix("mss:")?.parse::<u32>().ok());
        ensure!(mss.is_some_and(|mss| mss <= 1000 && mss > 900), "{mss:?}: {sockets}");
        ensure!(neighbor(&r1, "10.0.0.2")?["bgpTcpMssConfigured"] == 1000, "{}", neighbor(&r1, "10.0.0.2")?);
        ensure!(neighbor(&r1, "10.0.0.5")?["hostLocal"] == "10.0.0.101", "{}", neighbor(&r1, "10.0.0.5")?);
        ensure!(neighbor(&r1, "192.0.2.4")?["hostLocal"] == "192.0.2.1", "{}", neighbor(&r1, "192.0.2.4")?);
        ensure!(neighbor(&r1, "10.0.0.6")?["portForeign"] == 1790, "{}", neighbor(&r1, "10.0.0.6")?);
        Ok(())
    });
}

/// One UPDATE of 60,000 octets of communities.
fn large_update() -> Vec<u8> {
    let mut list = Vec::new();
    attrs::push(&mut list, 0x40, attrs::ORIGIN, &[0]);
    attrs::push(&mut list, 0x40, attrs::AS_PATH, &attrs::sequence(&[65009]));
    attrs::push(&mut list, 0x40, attrs::NEXT_HOP, &[10, 0, 0, 3]);
    let communities: Vec<u8> = (0..15_000_u16).flat_map(|n| [0xfd, 0xf1, (n >> 8) as u8, n as u8]).collect();
    attrs::push(&mut list, 0xc0, attrs::COMMUNITIES, &communities);
    let body = [&[0, 0][..], &(list.len() as u16).to_be_bytes(), &list, &[24, 203, 0, 113]].concat();
    wire::message(wire::UPDATE, &body)
}

#[test]
fn sixty_thousand_octets_of_attributes_are_forwarded_to_whoever_takes_them() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, &[Kind::Frr, Kind::Host, Kind::Bird])?;
        let [r2, sender, bird] = &others[..] else { return Err("three others".into()) };
        let ours = [
            " bgp limit communities 20000\n".to_owned(),
            peer("10.0.0.2", 65002, &[]),
            peer("10.0.0.3", 65009, &["passive"]),
            peer("10.0.0.4", 65004, &[]),
        ];
        r1.start(&speaker(1, &ours.concat()))?;
        r2.start(&speaker(2, &peer("10.0.0.1", 65001, &[])))?;
        // BIRD takes long messages only where it is told to.
        bird.start(
            "router id 192.0.2.4;\nprotocol device {}\nprotocol bgp { local 10.0.0.4 as 65004; neighbor 10.0.0.1 as 65001; \
             connect retry time 1; connect delay time 1; ipv4 { import all; export none; }; }\n",
        )?;
        r1.wait_bgp_established("10.0.0.2")?;
        r1.wait_bgp_established("10.0.0.4")?;
        let mut raw = sender.bgp_replay_args(&[
            "raw",
            "--no-open",
            "--target",
            "10.0.0.1",
            "--from",
            "10.0.0.3",
            "--as",
            "65009",
        ])?;
        raw.wait_event("connected", PATIENCE)?;
        // AS numbers of four octets, extended messages (RFC 8654).
        let capabilities = [1, 4, 0, 1, 0, 1, 65, 4, 0, 0, 0xfd, 0xf1, 6, 0];
        let mut open = vec![
            4,
            0xfd,
            0xf1,
            0,
            180,
            192,
            0,
            2,
            9,
            capabilities.len() as u8 + 2,
            2,
            capabilities.len() as u8,
        ];
        open.extend(capabilities);
        raw.tell(&hex(&[wire::message(wire::OPEN, &open), wire::keepalive(), large_update()].concat()))?;
        wait_until(PATIENCE, "FRR has all of it", || {
            let route = r2.vtysh_json("show bgp ipv4 unicast 203.0.113.0/24 json")?;
            let list = route["paths"][0]["community"]["list"].as_array().map_or(0, Vec::len);
            ensure!(list == 15_000, "{list} communities");
            Ok(())
        })?;
        wait_until(PATIENCE, "our own route at BIRD", || bird.bgp_route("198.51.100.1/32").map(drop))?;
        // What does not fit into its messages is not told to it, and costs it nothing else.
        bird.bgp_lacks("203.0.113.0/24")?;
        r1.bgp_established("10.0.0.4")?;
        ensure!(neighbor(&r1, "10.0.0.4")?["connectionsDropped"] == 0, "BIRD's session was lost");
        raw.close_input();
        Ok(())
    });
}
