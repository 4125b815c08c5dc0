//! Restarts: FRR 10.3 asks for grace and is helped; ours is killed and takes up what the kernel kept. Routes stay in every kernel
//! throughout.

use std::time::Duration;

use topotests::daemon::ours;

use super::speak::{self, PATIENCE, adjacent, has, kernel, start};
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, holds_for, run, wait_until};

fn config(id: &str, more: &str, more6: &str) -> String {
    format!(
        "interface lo
 ip ospf area 0
 ipv6 ospf6 area 0
exit
interface eth0
 ip ospf area 0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 8
 ip ospf graceful-restart hello-delay 1
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 8
 ipv6 ospf6 graceful-restart hello-delay 1
exit
router ospf
 ospf router-id {id}
{more}exit
router ospf6
 ospf6 router-id {id}
{more6}exit
"
    )
}

const HELPER: &str = " graceful-restart helper enable\n";
const RESTARTER: &str = " graceful-restart grace-period 60\n";
/// Grace-LSAs of OSPFv2 are opaque.
const OPAQUE: &str = " capability opaque\n";

fn pair(net: &mut Net, ours: &str, theirs: &str) -> Result<(Router, Router)> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    let frr = net.router("frr", Kind::Frr)?;
    net.link(&r1, "10.0.0.1/24 2001:db8::1/64", &frr, "10.0.0.2/24 2001:db8::2/64")?;
    net.loopback(&r1, "10.255.0.1/32 2001:db8:ff::1/128")?;
    net.loopback(&frr, "10.255.0.2/32 2001:db8:ff::2/128")?;
    start(&frr, &config("2.2.2.2", &format!("{OPAQUE}{theirs}"), theirs))?;
    start(&r1, &config("1.1.1.1", &format!("{OPAQUE}{ours}"), ours))?;
    for (a, b, id) in [(&r1, "2.2.2.2", 2), (&frr, "1.1.1.1", 1)] {
        for version in [2, 3] {
            adjacent(a, version, &[b])?;
        }
        has(a, Family::V4, &[&format!("10.255.0.{id}/32")])?;
        has(a, Family::V6, &[&format!("2001:db8:ff::{id}/128")])?;
    }
    quiet(&r1, "2.2.2.2")?;
    quiet(&frr, "1.1.1.1")?;
    Ok((r1, frr))
}

/// Waits until nothing is left to be acknowledged: who has changes pending is not helped.
fn quiet(router: &Router, neighbor: &str) -> Result<()> {
    wait_until(PATIENCE, "all is acknowledged", || {
        let v2 = router.vtysh_json("show ip ospf neighbor json")?;
        let left = &v2["neighbors"][neighbor][0]["linkStateRetransmissionListCounter"];
        ensure!(left.as_u64() == Some(0), "{v2}");
        let v3 = router.vtysh_json("show ipv6 ospf6 neighbor detail json")?;
        ensure!(v3[format!("{neighbor}%eth0")]["reTransListCount"].as_u64() == Some(0), "{v3}");
        Ok(())
    })
}

/// No grace was asked for before: Grace-LSAs that go out before the first Hello tell the neighbour that it was a crash (RFC 3623 §5).
#[test]
fn frr_helps_ours_after_a_crash() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let (r1, frr) = pair(net, RESTARTER, HELPER)?;
        wait_until(PATIENCE, "word is left for who comes after a crash", || {
            let left = r1.run("cat", &["/run/frr/ospfd.restart"])?;
            ensure!(left.matches("\"until\":null").count() == 2, "{left}");
            Ok(())
        })?;
        kill(&r1, "ospfd", "KILL")?;
        ours::start_one(&r1, "ospfd", &[], "debugging")?;
        ours::load(&r1)?;
        let helped = |command: &str, reason: &str| {
            let said = frr.vtysh(command)?;
            ensure!(said.contains(reason), "{command}: {said}");
            Ok(())
        };
        wait_until(PATIENCE, "FRR has helped to the end", || {
            routes_to(&frr, 1)?;
            routes_to(&r1, 2)?;
            let ended = "Successful graceful restart";
            helped("show ip ospf graceful-restart helper", ended)?;
            helped("show ipv6 ospf6 graceful-restart helper", ended)
        })?;
        for version in [2, 3] {
            adjacent(&r1, version, &["2.2.2.2"])?;
        }
        Ok(())
    });
}

fn kill(router: &Router, daemon: &str, signal: &str) -> Result<()> {
    let pid = router.daemon_pid(daemon)?;
    router.signal(pid, signal)?;
    router.wait_gone(pid, PATIENCE)
}

fn routes_to(router: &Router, n: u8) -> Result<()> {
    let v4 = kernel(router, Family::V4)?;
    ensure!(v4.contains_key(&format!("10.255.0.{n}/32")), "{}: {v4:?}", router.name());
    let v6 = kernel(router, Family::V6)?;
    ensure!(v6.contains_key(&format!("2001:db8:ff::{n}/128")), "{}: {v6:?}", router.name());
    Ok(())
}

#[test]
fn frr_restarts_with_grace_and_is_helped() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let (r1, frr) = pair(net, HELPER, RESTARTER)?;
        frr.vtysh("graceful-restart prepare ip ospf")?;
        frr.vtysh("graceful-restart prepare ipv6 ospf")?;
        for daemon in ["ospfd", "ospf6d"] {
            kill(&frr, daemon, "TERM")?;
        }
        wait_until(PATIENCE, "ours helps", || {
            let detail = r1.vtysh_json("show ip ospf neighbor detail json")?;
            ensure!(detail["neighbors"]["2.2.2.2"][0]["grHelperStatus"] == "Inprogress", "{detail}");
            let helper = r1.vtysh_json("show ipv6 ospf6 graceful-restart helper detail json")?;
            ensure!(helper["neighbors"].as_object().is_some_and(|all| !all.is_empty()), "{helper}");
            Ok(())
        })?;
        // Longer than it takes for a neighbour to be dead.
        holds_for(Duration::from_secs(10), "routes over the one that restarts", || routes_to(&r1, 2))?;
        for daemon in ["ospfd", "ospf6d"] {
            frr.start_daemon(&format!("/usr/lib/frr/{daemon}"), &["-d".into()], &[])?;
        }
        frr.run("vtysh", &["-b"])?;
        wait_until(PATIENCE, "the restart is over", || {
            routes_to(&r1, 2)?;
            let detail = r1.vtysh_json("show ip ospf neighbor detail json")?;
            let neighbor = &detail["neighbors"]["2.2.2.2"][0];
            ensure!(neighbor["grHelperStatus"] == "None" && neighbor["nbrState"] == "Full/-", "{detail}");
            Ok(())
        })?;
        adjacent(&r1, 3, &["2.2.2.2"])?;
        routes_to(&r1, 2)?;
        routes_to(&frr, 1)
    });
}

/// `graceful-restart prepare` of both versions: FRR keeps its adjacency and both kernels their routes while ospfd is away.
#[test]
fn ours_restarts_with_grace_and_frr_keeps_the_adjacency() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let (r1, frr) = pair(net, RESTARTER, HELPER)?;
        let helper = |version: u8, wanted: &str| {
            let command = if version == 2 { "ip ospf" } else { "ipv6 ospf6" };
            let said = frr.vtysh(&format!("show {command} graceful-restart helper detail"))?;
            ensure!(said.contains(wanted), "{command}: no {wanted:?} in {said}");
            Ok(())
        };
        let full = || {
            for version in [2, 3] {
                let found = speak::full(&frr, version)?;
                ensure!(found.contains("1.1.1.1"), "OSPFv{version}: {found:?}");
            }
            Ok(())
        };
        r1.vtysh("graceful-restart prepare ip ospf")?;
        r1.vtysh("graceful-restart prepare ipv6 ospf")?;
        wait_until(PATIENCE, "FRR helps in both versions", || {
            helper(2, "Active neighbours in graceful restart: 1")?;
            helper(3, "1.1.1.1")
        })?;
        wait_until(PATIENCE, "word is left for who comes next", || {
            let left = r1.run("cat", &["/run/frr/ospfd.restart"])?;
            ensure!(left.matches("\"until\":1").count() == 2, "{left}");
            Ok(())
        })?;
        kill(&r1, "ospfd", "TERM")?;
        // Longer than it takes for a neighbour to be dead.
        holds_for(Duration::from_secs(10), "the adjacency and the routes of the one that restarts", || {
            full()?;
            routes_to(&r1, 2)?;
            routes_to(&frr, 1)
        })?;
        ours::start_one(&r1, "ospfd", &[], "debugging")?;
        ours::load(&r1)?;
        wait_until(PATIENCE, "FRR has helped to the end", || {
            routes_to(&r1, 2)?;
            routes_to(&frr, 1)?;
            helper(2, "Successful graceful restart")?;
            helper(3, "Successful graceful restart")
        })?;
        for version in [2, 3] {
            adjacent(&r1, version, &["2.2.2.2"])?;
            adjacent(&frr, version, &["1.1.1.1"])?;
        }
        holds_for(Duration::from_secs(3), "and so it stays", || {
            routes_to(&r1, 2)?;
            routes_to(&frr, 1)
        })
    });
}

#[test]
fn ours_killed_leaves_its_routes_and_takes_them_up_again() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let (r1, frr) = pair(net, "", "")?;
        kill(&r1, "ospfd", "KILL")?;
        holds_for(Duration::from_secs(3), "routes of the one that was killed", || routes_to(&r1, 2))?;
        ours::start_one(&r1, "ospfd", &[], "debugging")?;
        ours::load(&r1)?;
        for version in [2, 3] {
            adjacent(&r1, version, &["2.2.2.2"])?;
            adjacent(&frr, version, &["1.1.1.1"])?;
        }
        routes_to(&r1, 2)?;
        // What is no longer told goes: the other's loopback leaves OSPF.
        frr.configure(&["interface lo", "no ip ospf area 0", "no ipv6 ospf6 area 0"])?;
        wait_until(PATIENCE, "the route that is not told goes", || {
            let v4 = kernel(&r1, Family::V4)?;
            ensure!(!v4.contains_key("10.255.0.2/32"), "{v4:?}");
            let v6 = kernel(&r1, Family::V6)?;
            ensure!(!v6.contains_key("2001:db8:ff::2/128"), "{v6:?}");
            Ok(())
        })
    });
}
