//! What an operator can say of sessions, each line between us and FRR 10.3: how they begin, how they end, where they come
//! from, and when routes go out. `doc/rows/bgp-sessions.md` says which row of features each line belongs to.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use topotests::{Kind, Needs, Net, Result, Router, ensure, holds_for, json_contains, run, wait_until};

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

/// A speaker of AS 6500`id` with one network of its own; `more` goes under `router bgp`, `family` under IPv4 unicast.
fn speaker(id: u8, more: &str, family: &str) -> String {
    format!(
        "hostname r{id}\nrouter bgp 6500{id}\n bgp router-id 192.0.2.{id}\n no bgp ebgp-requires-policy\n \
         no bgp network import-check\n{more} address-family ipv4 unicast\n  network 192.0.2.{id}/32\n{family} \
         exit-address-family\nexit\n"
    )
}

/// Lines about a neighbour, with those that every test wants.
fn peer(host: u8, asn: &str, lines: &[&str]) -> String {
    let mut text =
        format!(" neighbor 10.0.0.{host} remote-as {asn}\n neighbor 10.0.0.{host} timers connect 1\n");
    for line in lines {
        text.push_str(&format!(" neighbor 10.0.0.{host} {line}\n"));
    }
    text
}

fn neighbor(router: &Router, addr: &str) -> Result<Value> {
    let all = router.vtysh_json(&format!("show bgp neighbors {addr} json"))?;
    Ok(all.get(addr).cloned().unwrap_or_default())
}

/// Waits until the neighbour is shown with all of `expected`.
fn shows(router: &Router, addr: &str, expected: &Value) -> Result<()> {
    wait_until(PATIENCE, &format!("{} shows {expected} of {addr}", router.name()), || {
        json_contains(expected, &neighbor(router, addr)?)
    })
}

fn has(router: &Router, prefix: &str) -> Result<()> {
    wait_until(PATIENCE, &format!("{} has {prefix}", router.name()), || router.bgp_route(prefix).map(drop))
}

#[test]
fn hold_times_capabilities_delays_and_identifiers_decide_how_a_session_begins() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 6)?;
        let [r2, r3, r4, r5, r6, r7] = &others[..] else { return Err("six others".into()) };
        let ours = [
            peer(2, "65002", &["timers delayopen 2"]),
            peer(3, "65003", &[]),
            peer(4, "65004", &["dont-capability-negotiate"]),
            peer(5, "65005", &["passive", "timers 4 12"]),
            // One AS, one identifier: no session (RFC 6286). Another AS may have it.
            peer(6, "65001", &[]),
            peer(7, "65007", &[]),
            " no neighbor 10.0.0.7 capability fqdn\n".to_owned(),
        ];
        r1.start(&speaker(1, &format!(" bgp minimum-holdtime 20\n{}", ours.concat()), ""))?;
        r2.start(&speaker(2, &peer(1, "65001", &["timers delayopen 2"]), ""))?;
        r3.start(&speaker(3, &peer(1, "65001", &["timers 3 9"]), ""))?;
        r4.start(&speaker(4, &peer(1, "65001", &["dont-capability-negotiate"]), ""))?;
        r5.start(&speaker(5, &peer(1, "65001", &["timers 30 90"]), ""))?;
        let same = speaker(6, &peer(1, "65001", &[]), "");
        let same = same
            .replace("router bgp 65006", "router bgp 65001")
            .replace("router-id 192.0.2.6", "router-id 192.0.2.1");
        r6.start(&same)?;
        let other = speaker(7, &peer(1, "65001", &[]), "");
        r7.start(&other.replace("router-id 192.0.2.7", "router-id 192.0.2.1"))?;
        for host in [2, 4, 5, 7] {
            r1.wait_bgp_established(&format!("10.0.0.{host}"))?;
            has(&r1, &format!("192.0.2.{host}/32"))?;
        }
        shows(
            &r1,
            "10.0.0.2",
            &json!({"neighborCapabilities": {"4byteAs": "advertisedAndReceived",
            "routeRefresh": "advertisedAndReceived", "enhancedRouteRefresh": "advertisedAndReceived",
            "extendedMessage": "advertisedAndReceived"}}),
        )?;
        ensure!(neighbor(&r1, "10.0.0.2")?["hostname"].is_string(), "no host name is known");
        ensure!(neighbor(r2, "10.0.0.1")?["hostname"].is_string(), "FRR knows no host name of ours");
        let text = r7.vtysh("show bgp neighbors 10.0.0.1")?;
        let told = text.lines().find(|line| line.contains("Hostname Capability:")).unwrap_or_default();
        ensure!(told.ends_with("not received"), "the host name was told all the same: {told}");
        // The lower hold time counts, keepalives a third of it at most.
        shows(
            &r1,
            "10.0.0.5",
            &json!({"bgpTimerHoldTimeMsecs": 12000, "bgpTimerKeepAliveIntervalMsecs": 4000}),
        )?;
        shows(r5, "10.0.0.1", &json!({"bgpTimerHoldTimeMsecs": 12000}))?;
        ensure!(
            neighbor(&r1, "10.0.0.4")?["neighborCapabilities"]["4byteAs"].is_null(),
            "capabilities were negotiated"
        );
        // Nine seconds are too few.
        let refused = json!({"lastErrorCodeSubcode": "0206", "lastNotificationReason": "OPEN Message Error/Unacceptable Hold Time"});
        shows(r3, "10.0.0.1", &refused)?;
        ensure!(neighbor(&r1, "10.0.0.3")?["bgpState"] != "Established", "a session with a hold time of 9 s");
        r3.configure(&["router bgp 65003", "neighbor 10.0.0.1 timers 10 30"])?;
        r3.vtysh("clear bgp *")?;
        r1.wait_bgp_established("10.0.0.3")?;
        shows(&r1, "10.0.0.3", &json!({"bgpTimerHoldTimeMsecs": 30000}))?;
        shows(r6, "10.0.0.1", &json!({"lastErrorCodeSubcode": "0203"}))?;
        ensure!(neighbor(&r1, "10.0.0.6")?["bgpState"] != "Established", "one identifier twice in an AS");
        Ok(())
    });
}

#[test]
fn numbers_of_systems_are_written_as_asked_and_neighbours_found_by_kind() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 3)?;
        let [r2, r3, r4] = &others[..] else { return Err("three others".into()) };
        let dotted = |id: u8, asn: &str, more: &str| {
            speaker(id, more, "")
                .replace(&format!("router bgp 6500{id}"), &format!("router bgp {asn} as-notation dot"))
        };
        // A group, and members that say otherwise; the kind of a session in place of a number.
        let group = " neighbor PG peer-group\n neighbor PG remote-as external\n neighbor PG timers 5 15\n \
                     neighbor PG timers connect 1\n neighbor 10.0.0.2 peer-group PG\n neighbor 10.0.0.3 peer-group PG\n \
                     neighbor 10.0.0.3 timers 6 18\n";
        r1.start(&dotted(1, "1.10", &format!("{group}{}", peer(4, "auto", &[]))))?;
        r2.start(&dotted(2, "1.20", &peer(1, "1.10", &[])))?;
        r3.start(&speaker(3, &peer(1, "65546", &[]), "").replace("65003", "65566"))?;
        r4.start(&dotted(4, "1.10", &peer(1, "internal", &[])))?;
        for host in [2, 3, 4] {
            r1.wait_bgp_established(&format!("10.0.0.{host}"))?;
            has(&r1, &format!("192.0.2.{host}/32"))?;
        }
        has(r2, "192.0.2.3/32")?;
        let path = |router: &Router, prefix: &str| -> Result<Value> {
            let route = router.vtysh_json(&format!("show bgp ipv4 unicast {prefix} json"))?;
            Ok(route["paths"][0]["aspath"]["string"].clone())
        };
        ensure!(path(&r1, "192.0.2.3/32")? == "1.30", "{}", path(&r1, "192.0.2.3/32")?);
        ensure!(path(r2, "192.0.2.3/32")? == "1.10 1.30", "{}", path(r2, "192.0.2.3/32")?);
        ensure!(path(r3, "192.0.2.4/32")? == "65546", "{}", path(r3, "192.0.2.4/32")?);
        let summaries = [r1.vtysh("show bgp summary")?, r2.vtysh("show bgp summary")?];
        ensure!(
            summaries
                .iter()
                .zip(["local AS number 1.10", "local AS number 1.20"])
                .all(|(text, line)| text.contains(line)),
            "{summaries:?}"
        );
        json_contains(
            &json!({"10.0.0.2": {"status": "Established"}}),
            &r1.vtysh_json("show bgp peer-group PG json")?["PG"]["members"],
        )?;
        shows(&r1, "10.0.0.2", &json!({"peerGroup": "PG", "bgpTimerConfiguredHoldTimeMsecs": 15000}))?;
        shows(&r1, "10.0.0.3", &json!({"peerGroup": "PG", "bgpTimerConfiguredHoldTimeMsecs": 18000}))?;
        shows(&r1, "10.0.0.4", &json!({"nbrInternalLink": true}))
    });
}

#[test]
fn whoever_ends_a_session_says_why_and_the_other_shows_it() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 2)?;
        let [r2, r3] = &others[..] else { return Err("two others".into()) };
        r1.start(&speaker(1, &[peer(2, "65002", &[]), peer(3, "65003", &[])].concat(), ""))?;
        r2.start(&speaker(2, &peer(1, "65001", &[]), ""))?;
        r3.start(&speaker(3, &peer(1, "65001", &[]), ""))?;
        for (router, asn, addr, other, there) in
            [(&r1, 65001, "10.0.0.2", r2, "10.0.0.1"), (r2, 65002, "10.0.0.1", &r1, "10.0.0.2")]
        {
            r1.wait_bgp_established("10.0.0.2")?;
            let head = format!("router bgp {asn}");
            router.configure(&[
                &head,
                &format!("neighbor {addr} shutdown message Upgrade at noon, back at one"),
            ])?;
            let told = json!({"lastErrorCodeSubcode": "0602", "lastNotificationReason": "Cease/Administrative Shutdown",
                "lastShutdownDescription": "Upgrade at noon, back at one"});
            shows(other, there, &told)?;
            ensure!(
                router.vtysh("show bgp summary")?.contains("Idle (Admin)"),
                "{}",
                router.vtysh("show bgp summary")?
            );
            router.configure(&[&head, &format!("no neighbor {addr} shutdown")])?;
            r1.wait_bgp_established("10.0.0.2")?;
            router.vtysh(&format!("clear bgp {addr}"))?;
            shows(
                other,
                there,
                &json!({"lastErrorCodeSubcode": "0604", "lastNotificationReason": "Cease/Administrative Reset"}),
            )?;
            r1.wait_bgp_established("10.0.0.2")?;
        }
        r1.configure(&["router bgp 65001", "no neighbor 10.0.0.3"])?;
        shows(
            r3,
            "10.0.0.1",
            &json!({"lastErrorCodeSubcode": "0603", "lastNotificationReason": "Cease/Peer De-configured"}),
        )?;
        // A session that is about to go, on either side (RFC 8326): everyone prefers other ways.
        r1.configure(&["router bgp 65001", "bgp graceful-shutdown"])?;
        let leaving = |router: &Router, prefix: &str, there: bool| {
            wait_until(PATIENCE, &format!("{}: {prefix} is last: {there}", router.name()), || {
                let route = router.vtysh_json(&format!("show bgp ipv4 unicast {prefix} json"))?;
                let path = &route["paths"][0];
                let marked =
                    path["community"]["string"].as_str().unwrap_or_default().contains("graceful-shutdown");
                ensure!(marked == there && (path["locPrf"] == 0) == there, "{path}");
                Ok(())
            })
        };
        leaving(r2, "192.0.2.1/32", true)?;
        leaving(&r1, "192.0.2.2/32", true)?;
        r1.configure(&["router bgp 65001", "no bgp graceful-shutdown"])?;
        leaving(r2, "192.0.2.1/32", false)?;
        leaving(&r1, "192.0.2.2/32", false)?;
        r1.configure(&["router bgp 65001", "neighbor 10.0.0.2 graceful-shutdown"])?;
        leaving(r2, "192.0.2.1/32", true)?;
        r1.configure(&["router bgp 65001", "no neighbor 10.0.0.2 graceful-shutdown"])?;
        leaving(r2, "192.0.2.1/32", false)?;
        r2.configure(&["router bgp 65002", "bgp graceful-shutdown"])?;
        leaving(&r1, "192.0.2.2/32", true)
    });
}

#[test]
fn a_lost_link_ends_its_external_session_unless_told_otherwise() {
    run(&Needs::ours_and_peers(), |net| {
        // Behind a switch, so that the other end of the link is up all the time.
        let (r1, others) = on_a_lan(net, 1)?;
        let [r2] = &others[..] else { return Err("one other".into()) };
        r1.start(&speaker(1, &peer(2, "65002", &[]), ""))?;
        r2.start(&speaker(2, &peer(1, "65001", &["timers 3 9"]), ""))?;
        r1.wait_bgp_established("10.0.0.2")?;
        r1.ip("link set eth0 down")?;
        // At once: the hold time is nine seconds.
        let start = Instant::now();
        wait_until(PATIENCE, "the session ends with the link", || {
            ensure!(neighbor(&r1, "10.0.0.2")?["bgpState"] != "Established", "established yet");
            Ok(())
        })?;
        ensure!(start.elapsed() < Duration::from_secs(6), "it took {:?}", start.elapsed());
        r1.ip("link set eth0 up")?;
        r1.configure(&["router bgp 65001", "no bgp fast-external-failover"])?;
        r1.wait_bgp_established("10.0.0.2")?;
        let before = neighbor(&r1, "10.0.0.2")?["connectionsDropped"].clone();
        r1.ip("link set eth0 down")?;
        holds_for(Duration::from_secs(3), "the session waits for its hold time", || {
            ensure!(neighbor(&r1, "10.0.0.2")?["bgpState"] == "Established", "it ended");
            Ok(())
        })?;
        r1.ip("link set eth0 up")?;
        r1.wait_bgp_established("10.0.0.2")?;
        ensure!(neighbor(&r1, "10.0.0.2")?["connectionsDropped"] == before, "the session was another");
        Ok(())
    });
}

#[test]
fn too_many_prefixes_are_told_counted_or_end_the_session_for_a_while() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 3)?;
        let [r2, r3, r4] = &others[..] else { return Err("three others".into()) };
        let ours = [peer(2, "65002", &[]), peer(3, "65003", &[]), peer(4, "65004", &[])];
        let family = "  neighbor 10.0.0.2 maximum-prefix 2 warning-only\n  neighbor 10.0.0.3 maximum-prefix 2\n  \
                      neighbor 10.0.0.3 route-map ONE in\n  neighbor 10.0.0.4 maximum-prefix 2 force\n  \
                      neighbor 10.0.0.4 route-map ONE in\n  neighbor 10.0.0.4 soft-reconfiguration inbound\n";
        let policy = "ip prefix-list ONE permit 192.0.2.0/24 le 32\nroute-map ONE permit 10\n match ip address prefix-list ONE\nexit\n";
        r1.start(&format!("{policy}{}", speaker(1, &ours.concat(), family)))?;
        let three = "  network 198.51.100.0/28\n  network 198.51.100.16/28\n";
        for (router, id) in [(r2, 2), (r3, 3), (r4, 4)] {
            router.start(&speaker(id, &peer(1, "65001", &[]), three))?;
        }
        // Only warned; what policy refuses does not count, unless it is to.
        has(&r1, "192.0.2.3/32")?;
        wait_until(PATIENCE, "the third prefix of the second neighbor", || {
            r1.bgp_route("198.51.100.16/28").map(drop)
        })?;
        r1.bgp_established("10.0.0.2")?;
        r1.bgp_established("10.0.0.3")?;
        wait_until(PATIENCE, "the session that counts everything ends", || {
            let summary = r1.vtysh_json("show bgp ipv4 unicast summary json")?;
            ensure!(summary["peers"]["10.0.0.4"]["peerState"] == "PfxCt", "{}", summary["peers"]["10.0.0.4"]);
            Ok(())
        })?;
        shows(
            r4,
            "10.0.0.1",
            &json!({"lastErrorCodeSubcode": "0601", "lastNotificationReason": "Cease/Maximum Number of Prefixes Reached"}),
        )?;
        r1.bgp_established("10.0.0.2")?;
        r1.bgp_established("10.0.0.3")
    });
}

/// Ours and FRR with one configuration each ask the same neighbour.
#[test]
fn maximum_prefix_with_force_counts_what_policy_refuses_as_in_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let subject = net.router("r1", Kind::Ours)?;
        let beside = net.router("r2", Kind::Frr)?;
        let world = net.router("r3", Kind::Frr)?;
        net.lan("lan", &[(&subject, "10.0.0.1/24"), (&beside, "10.0.0.2/24"), (&world, "10.0.0.3/24")])?;
        let policy = "ip prefix-list ONE permit 203.0.113.0/24\nroute-map ONE permit 10\n match ip address prefix-list ONE\nexit\n\
                      route-map FAR permit 10\n set metric rtt\nexit\n";
        let family = "  neighbor 10.0.0.3 route-map ONE in\n  neighbor 10.0.0.3 route-map FAR out\n";
        for (router, id) in [(&subject, 1), (&beside, 2)] {
            let peer = peer(3, "65003", &[]);
            router.start(&format!("{policy}{}", speaker(id, &peer, family)))?;
        }
        let others = [peer(1, "65001", &[]), peer(2, "65002", &[])].concat();
        let own = "  neighbor 10.0.0.1 prefix-list OWN out\n  neighbor 10.0.0.2 prefix-list OWN out\n  network 198.51.100.0/28\n  \
                   network 198.51.100.16/28\n  network 203.0.113.0/24\n";
        let lists = "ip prefix-list OWN permit 192.0.2.3/32\nip prefix-list OWN permit 198.51.100.0/24 le 32\nip prefix-list OWN permit 203.0.113.0/24\n";
        world.start(&format!("{lists}{}", speaker(3, &others, own)))?;
        // Milliseconds: whatever they are, they are told by both.
        for id in [1, 2] {
            let route = format!("192.0.2.{id}/32");
            wait_until(PATIENCE, "the way to the neighbour is told", || {
                let table = world.vtysh_json(&format!("show bgp ipv4 unicast {route} json"))?;
                let metric = table.pointer("/paths/0/metric").and_then(Value::as_u64);
                ensure!(metric.is_some_and(|msec| msec < 1000), "{route}: {metric:?}");
                Ok(())
            })?;
        }
        let state = |router: &Router| -> Result<(Value, Value, Value)> {
            let summary = router.vtysh_json("show bgp ipv4 unicast summary json")?;
            let peer = &summary["peers"]["10.0.0.3"];
            let shown = router.vtysh_json("show bgp neighbors 10.0.0.3 json")?;
            let limit = shown.pointer("/10.0.0.3/addressFamilyInfo/ipv4Unicast").cloned().unwrap_or_default();
            let limit: serde_json::Map<String, Value> = limit
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(key, _)| key.starts_with("prefixAllowed"))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            Ok((peer["peerState"].clone(), peer["pfxRcd"].clone(), Value::Object(limit)))
        };
        // Four routes come, and policy takes the last, when FRR counts (it once too often). What is refused is known where it
        // is kept.
        let (kept, lost) = ("soft-reconfiguration inbound", "send-community");
        let steps = [
            (lost, "maximum-prefix 1", "OK"),
            (lost, "maximum-prefix 3 force", "OK"),
            (kept, "maximum-prefix 3 force", "PfxCt"),
            (kept, "maximum-prefix 5 force", "OK"),
            (kept, "maximum-prefix 3 warning-only force", "OK"),
            (kept, "maximum-prefix 3 50 restart 5 force", "PfxCt"),
            (kept, "maximum-prefix 6 50 force", "OK"),
        ];
        for (keeps, line, expected) in steps {
            for router in [&subject, &beside] {
                let set = format!("neighbor 10.0.0.3 {line}");
                let family = "address-family ipv4 unicast";
                let keeps = format!("neighbor 10.0.0.3 {keeps}");
                let own = if router.name() == "r1" { "router bgp 65001" } else { "router bgp 65002" };
                router.configure(&[own, family, "no neighbor 10.0.0.3 maximum-prefix", &set, &keeps])?;
                router.vtysh("clear bgp 10.0.0.3")?;
            }
            wait_until(PATIENCE, line, || {
                let (ours, frr) = (state(&subject)?, state(&beside)?);
                ensure!(ours == frr && ours.0 == expected, "{line}: FRR {frr:?}, ours {ours:?}");
                ensure!(expected != "OK" || ours.1 == 1, "{line}: {ours:?}");
                Ok(())
            })?;
        }
        Ok(())
    });
}

#[test]
fn without_policy_nothing_crosses_between_systems() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 2)?;
        let [r2, r3] = &others[..] else { return Err("two others".into()) };
        let required = |text: String| text.replace(" no bgp ebgp-requires-policy\n", "");
        r1.start(&required(speaker(1, &[peer(2, "65002", &[]), peer(3, "65001", &[])].concat(), "")))?;
        r2.start(&speaker(2, &peer(1, "65001", &[]), ""))?;
        r3.start(&speaker(3, &peer(1, "65001", &[]), "").replace("bgp 65003", "bgp 65001"))?;
        for host in [2, 3] {
            r1.wait_bgp_established(&format!("10.0.0.{host}"))?;
        }
        // Inside the system everything does.
        has(&r1, "192.0.2.3/32")?;
        has(r3, "192.0.2.1/32")?;
        let text = r1.vtysh("show bgp summary")?;
        let line = text.lines().find(|line| line.starts_with("10.0.0.2 ")).unwrap_or_default();
        ensure!(line.matches("(Policy)").count() == 2, "{text}");
        r1.bgp_lacks("192.0.2.2/32")?;
        r2.bgp_lacks("192.0.2.1/32")?;
        let permit = ["route-map ALL permit 10", "exit", "router bgp 65001", "address-family ipv4 unicast"];
        r1.configure(&[&permit[..], &["neighbor 10.0.0.2 route-map ALL in"]].concat())?;
        has(&r1, "192.0.2.2/32")?;
        r2.bgp_lacks("192.0.2.1/32")?;
        r1.configure(&[&permit[2..], &["neighbor 10.0.0.2 route-map ALL out"]].concat())?;
        has(r2, "192.0.2.1/32")
    });
}

#[test]
fn routes_wait_for_the_table_to_be_whole_and_for_their_turn() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 2)?;
        let [r2, r3] = &others[..] else { return Err("two others".into()) };
        // r4 is not there: the delay ends by itself.
        let ours =
            [peer(2, "65002", &[]), peer(3, "65003", &["advertisement-interval 4"]), peer(9, "65009", &[])];
        r2.start(&speaker(2, &peer(1, "65001", &[]), ""))?;
        r3.start(&speaker(3, &peer(1, "65001", &[]), ""))?;
        r1.start(&speaker(1, &format!(" update-delay 6\n{}", ours.concat()), ""))?;
        r1.wait_bgp_established("10.0.0.3")?;
        let delayed = r1.vtysh_json("show bgp ipv4 unicast summary json")?;
        ensure!(delayed["updateDelayLimit"] == 6, "{delayed}");
        holds_for(Duration::from_secs(2), "nothing is told yet", || r3.bgp_lacks("192.0.2.2/32"))?;
        has(r3, "192.0.2.2/32")?;
        has(r3, "192.0.2.1/32")?;
        // What comes right behind something else waits for the next turn.
        let network = |prefix: &str| {
            r1.configure(&["router bgp 65001", "address-family ipv4 unicast", &format!("network {prefix}")])
        };
        network("198.51.100.0/28")?;
        has(r3, "198.51.100.0/28")?;
        let start = Instant::now();
        network("198.51.100.16/28")?;
        has(r2, "198.51.100.16/28")?;
        has(r3, "198.51.100.16/28")?;
        ensure!(start.elapsed() > Duration::from_secs(2), "after {:?} already", start.elapsed());
        Ok(())
    });
}

#[test]
fn tables_are_asked_for_again_and_what_is_not_told_again_goes() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, others) = on_a_lan(net, 1)?;
        let [r2] = &others[..] else { return Err("one other".into()) };
        r1.start(&speaker(1, &peer(2, "65002", &[]), ""))?;
        r2.start(&speaker(2, &peer(1, "65001", &[]), "  network 198.51.100.0/28\n"))?;
        has(&r1, "198.51.100.0/28")?;
        let count = |router: &Router, addr: &str, key: &str| -> Result<u64> {
            Ok(neighbor(router, addr)?["messageStats"][key].as_u64().unwrap_or_default())
        };
        for (asking, there, asked, here) in
            [(&r1, "10.0.0.2", r2, "10.0.0.1"), (r2, "10.0.0.1", &r1, "10.0.0.2")]
        {
            let before = (count(asking, there, "routeRefreshSent")?, count(asked, here, "routeRefreshRecv")?);
            asking.vtysh(&format!("clear bgp ipv4 unicast {there} soft in"))?;
            wait_until(PATIENCE, "the request, and the marks around the table", || {
                let after =
                    (count(asking, there, "routeRefreshSent")?, count(asked, here, "routeRefreshRecv")?);
                ensure!(after.0 > before.0 && after.1 > before.1, "{before:?} {after:?}");
                // BoRR and EoRR (RFC 7313).
                let marks =
                    (count(asked, here, "routeRefreshSent")?, count(asking, there, "routeRefreshRecv")?);
                ensure!(marks.0 >= 2 && marks.1 >= 2, "{marks:?}");
                Ok(())
            })?;
        }
        r1.bgp_route("198.51.100.0/28")?;
        let view = neighbor(&r1, "10.0.0.2")?;
        ensure!(view["connectionsEstablished"] == 1 && view["connectionsDropped"] == 0, "{view}");
        Ok(())
    });
}
