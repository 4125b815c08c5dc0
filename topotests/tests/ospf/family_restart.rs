//! Restarts of a router that routes IPv4 by OSPFv3 (RFC 5838, RFC 5187), between two of ours: ospfd with grace, zebra by a crash.

use std::time::Duration;

use topotests::daemon::ours;
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, holds_for, run, wait_until};

use super::speak::{PATIENCE, has, kernel, start};

fn config(id: &str, more: &str) -> String {
    format!(
        "interface lo
 ip ospf6 area 0
exit
interface eth0
 ip ospf6 area 0
 ip ospf6 network point-to-point
 ip ospf6 hello-interval 1
 ip ospf6 dead-interval 4
 ip ospf6 graceful-restart hello-delay 1
exit
router ospf6 ipv4
 ospf6 router-id {id}
{more}exit
"
    )
}

fn pair(net: &mut Net) -> Result<(Router, Router)> {
    net.without_capture();
    let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Ours)?);
    net.link(&r1, "10.0.0.1/24 2001:db8::1/64", &r2, "10.0.0.2/24 2001:db8::2/64")?;
    net.loopback(&r1, "10.255.0.1/32")?;
    net.loopback(&r2, "10.255.0.2/32")?;
    start(&r1, &config("1.1.1.1", " graceful-restart grace-period 60\n"))?;
    start(&r2, &config("2.2.2.2", " graceful-restart helper enable\n"))?;
    has(&r1, Family::V4, &["10.255.0.2/32"])?;
    has(&r2, Family::V4, &["10.255.0.1/32"])?;
    wait_until(PATIENCE, "all is acknowledged", || {
        let json = r2.vtysh_json("show ip ospf6 neighbor detail json")?;
        let neighbor = &json["1.1.1.1%eth0"];
        ensure!(neighbor["neighborState"] == "Full" && neighbor["reTransListCount"] == 0, "{json}");
        Ok(())
    })?;
    Ok((r1, r2))
}

fn reached(router: &Router, prefix: &str) -> Result<()> {
    let routes = kernel(router, Family::V4)?;
    ensure!(routes.contains_key(prefix), "{}: {:?}", router.name(), routes.keys());
    Ok(())
}

/// Neighbours that a router helps.
fn helped(router: &Router) -> Result<usize> {
    let json = router.vtysh_json("show ip ospf6 graceful-restart helper detail json")?;
    Ok(json["neighbors"].as_object().map_or(0, |all| all.len()))
}

fn end(router: &Router, daemon: &str, signal: &str) -> Result<()> {
    let pid = router.daemon_pid(daemon)?;
    router.signal(pid, signal)?;
    router.wait_gone(pid, PATIENCE)
}

#[test]
fn ipv4_over_ospfv3_goes_on_through_restarts_of_ospfd_and_zebra() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, r2) = pair(net)?;
        r1.vtysh("graceful-restart prepare ip ospf6")?;
        end(&r1, "ospfd", "TERM")?;
        // Longer than a neighbour takes to be dead.
        holds_for(Duration::from_secs(6), "routes of and over the one that restarts", || {
            ensure!(helped(&r2)? == 1, "nobody is helped");
            reached(&r1, "10.255.0.2/32")?;
            reached(&r2, "10.255.0.1/32")
        })?;
        ours::start_one(&r1, "ospfd", &[], "debugging")?;
        ours::load(&r1)?;
        wait_until(PATIENCE, "the help ends well", || {
            reached(&r1, "10.255.0.2/32")?;
            reached(&r2, "10.255.0.1/32")?;
            ensure!(helped(&r2)? == 0, "the help goes on");
            let neighbors = r2.vtysh_json("show ip ospf6 neighbor json")?;
            ensure!(neighbors["neighbors"][0]["state"] == "Full", "{neighbors}");
            Ok(())
        })?;
        end(&r1, "zebra", "KILL")?;
        ours::start_one(&r1, "zebra", &[], "debugging")?;
        ours::load(&r1)?;
        wait_until(PATIENCE, "zebra has the route from ospfd again", || {
            reached(&r1, "10.255.0.2/32")?;
            let routes = r1.vtysh_json("show ip route 10.255.0.2/32 json")?;
            let of: Vec<_> = routes["10.255.0.2/32"].as_array().into_iter().flatten().collect();
            ensure!(of.len() == 1 && of.iter().all(|route| route["protocol"] == "ospf6"), "{routes}");
            // The kernel tells one number for both versions.
            let drift = r1.vtysh_json("show zebra fib drift json")?;
            ensure!(drift["inSync"] == true, "{drift}");
            Ok(())
        })?;
        // What is no longer told goes.
        r2.configure(&["interface lo", "no ip ospf6 area 0"])?;
        wait_until(PATIENCE, "the route that is not told goes", || {
            let routes = kernel(&r1, Family::V4)?;
            ensure!(!routes.contains_key("10.255.0.2/32"), "{:?}", routes.keys());
            Ok(())
        })
    });
}
