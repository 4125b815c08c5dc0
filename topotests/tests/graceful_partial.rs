//! Long-lived graceful restart where not everybody knows it (RFC 9494 §4.3, §4.6): who is told of stale routes, by us and by FRR
//! 10.3 on the same routes with the same neighbours.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::frr;
use topotests::{Kind, Needs, Result, Router, ensure, holds_for, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
const ROUTE: &str = "192.0.2.2/32";

fn speaker(asn: u32, host: u8, lines: &str, peers: &[(u8, u32)]) -> String {
    let mut text = format!(
        "router bgp {asn}\n bgp router-id 192.0.2.{host}\n no bgp ebgp-requires-policy\n no bgp network import-check\n{lines}"
    );
    for (peer, asn) in peers {
        text.push_str(&format!(
            " neighbor 10.0.0.{peer} remote-as {asn}\n neighbor 10.0.0.{peer} timers connect 1\n"
        ));
    }
    text
}

const RESTARTS: &str = " bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n bgp graceful-restart restart-time 3\n \
                        bgp long-lived-graceful-restart stale-time 600\n";
const KNOWS: &str = " bgp graceful-restart\n bgp long-lived-graceful-restart stale-time 600\n";
const KNOWS_NOTHING: &str = " bgp graceful-restart-disable\n";

fn paths(router: &Router) -> Result<Vec<Value>> {
    let view = router.vtysh_json(&format!("show bgp ipv4 unicast {ROUTE} json"))?;
    Ok(view["paths"].as_array().cloned().unwrap_or_default())
}

/// From whom a router has the route; the paths are marked as stale or not.
fn told_by(router: &Router, stale: bool) -> Result<BTreeSet<String>> {
    let paths = paths(router)?;
    let marked = |path: &&Value| {
        path["community"]["string"].as_str().unwrap_or_default().contains("llgr-stale") == stale
    };
    let peer = |path: &Value| path["peer"]["peerId"].as_str().unwrap_or_default().to_owned();
    Ok(paths.iter().filter(marked).map(peer).collect())
}

#[test]
fn stale_routes_go_to_those_who_know_them_and_to_the_others_as_from_frr() {
    run(&Needs::ours_and_peers(), |net| {
        // r1 (ours) and r3 (FRR) do the same; r2's routes become stale. r4 and r5 know what that means, r6 and r7 do not; r4
        // and r6 are of our AS, r5 and r7 of others.
        let r1 = net.router("r1", Kind::Ours)?;
        let others: Vec<Router> =
            (2..8).map(|n| net.router(&format!("r{n}"), Kind::Frr)).collect::<Result<_>>()?;
        let addrs: Vec<String> = (1..8).map(|host| format!("10.0.0.{host}/24")).collect();
        let all: Vec<(&Router, &str)> =
            std::iter::once(&r1).chain(&others).zip(addrs.iter().map(String::as_str)).collect();
        net.lan("lan", &all)?;
        let [r2, r3, r4, r5, r6, r7] = &others[..] else { return Err("six others".into()) };
        let both: &[(u8, u32)] = &[(1, 65001), (3, 65001)];
        let family = " address-family ipv4 unicast\n  network 192.0.2.2/32\n exit-address-family\n";
        let source = format!("{}{family}exit\n", speaker(65002, 2, RESTARTS, both));
        frr::start(r2, &source)?;
        for (router, asn, host, lines) in [
            (r4, 65001, 4, KNOWS),
            (r5, 65005, 5, KNOWS),
            (r6, 65001, 6, KNOWS_NOTHING),
            (r7, 65007, 7, KNOWS_NOTHING),
        ] {
            router.start(&format!("{}exit\n", speaker(asn, host, lines, both)))?;
        }
        let around: &[(u8, u32)] = &[(2, 65002), (4, 65001), (5, 65005), (6, 65001), (7, 65007)];
        for (router, host) in [(&r1, 1), (r3, 3)] {
            router.start(&format!("{}exit\n", speaker(65001, host, KNOWS, around)))?;
        }
        let from_both: BTreeSet<String> = ["10.0.0.1", "10.0.0.3"].map(str::to_owned).into();
        for router in [r4, r5, r6, r7] {
            wait_until(PATIENCE, &format!("{} has the route from both", router.name()), || {
                let told = told_by(router, false)?;
                ensure!(told == from_both, "{told:?}");
                Ok(())
            })?;
        }
        let pid = r2.daemon_pid("bgpd")?;
        r2.signal(pid, "KILL")?;
        for router in [&r1, r3] {
            wait_until(PATIENCE, &format!("{} has marked the route", router.name()), || {
                let marked = told_by(router, true)?;
                ensure!(marked.len() == 1, "{marked:?}");
                Ok(())
            })?;
        }
        // Those who know are told by both.
        for router in [r4, r5] {
            wait_until(PATIENCE, &format!("{} has the stale route from both", router.name()), || {
                let told = told_by(router, true)?;
                ensure!(told == from_both, "{told:?}");
                Ok(())
            })?;
        }
        // Of the others, those of our own AS are told by both. We say that it is the last choice and to be kept to themselves
        // (§4.6), which FRR leaves out.
        wait_until(PATIENCE, "r6 is told by both", || {
            let told = paths(r6)?;
            ensure!(told.len() == 2, "{told:?}");
            for path in told.iter().filter(|path| path["peer"]["peerId"] == "10.0.0.1") {
                let communities = path["community"]["string"].as_str().unwrap_or_default();
                ensure!(communities.contains("llgr-stale") && communities.contains("no-export"), "{path}");
                ensure!(path["locPrf"] == 0, "{path}");
            }
            Ok(())
        })?;
        // Other ASes are not told by us (§4.3); FRR tells them all the same.
        wait_until(PATIENCE, "r7 is not told by us", || {
            let told: BTreeSet<String> = told_by(r7, false)?.union(&told_by(r7, true)?).cloned().collect();
            ensure!(!told.contains("10.0.0.1"), "{told:?}");
            Ok(())
        })?;
        // It is back: everybody has it as before.
        frr::start_daemons(r2, &source, &["bgpd"], &[])?;
        for router in [r4, r5, r6, r7] {
            wait_until(PATIENCE, &format!("{} has the route again", router.name()), || {
                let told = told_by(router, false)?;
                ensure!(told == from_both, "{told:?}");
                Ok(())
            })?;
        }
        holds_for(Duration::from_secs(1), "nothing is stale any more", || {
            for router in [&r1, r3, r4, r5, r6, r7] {
                let stale = told_by(router, true)?;
                ensure!(stale.is_empty(), "{}: {stale:?}", router.name());
            }
            Ok(())
        })
    });
}
