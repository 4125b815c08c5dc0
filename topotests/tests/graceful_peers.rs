//! Restarts beside GoBGP: as the neighbour that restarts, and as the one that helps us over ours (RFC 4724).

use std::time::Duration;

use serde_json::Value;
use topotests::daemon::ours;
use topotests::{Kind, Needs, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

const OURS: &str = "router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 bgp graceful-restart restart-time 60
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.2 timers connect 1
 address-family ipv4 unicast
  network 192.0.2.1/32
 exit-address-family
exit
";

const THEIRS: &str = "[global.config]
as = 65002
router-id = \"192.0.2.2\"
[[neighbors]]
[neighbors.config]
neighbor-address = \"10.0.0.1\"
peer-as = 65001
[neighbors.timers.config]
connect-retry = 1
[neighbors.graceful-restart.config]
enabled = true
restart-time = 60
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = \"ipv4-unicast\"
[neighbors.afi-safis.mp-graceful-restart.config]
enabled = true
";

fn start_gobgp(router: &Router, more: &[&str]) -> Result<u32> {
    let path = router.write("etc/gobgpd.toml", THEIRS)?;
    let args: Vec<String> =
        ["-f", &path, "--pprof-disable"].iter().chain(more).map(|arg| (*arg).to_owned()).collect();
    let pid = router.start_foreground("/usr/bin/gobgpd", &args, &[])?;
    wait_until(PATIENCE, "gobgpd answers", || router.gobgp("neighbor").map(drop))?;
    Ok(pid)
}

fn kill(router: &Router, pid: u32) -> Result<()> {
    router.signal(pid, "KILL")?;
    router.wait_gone(pid, PATIENCE)
}

/// Whether our only path for GoBGP's network is a stale one.
fn stale(r1: &Router) -> Result<bool> {
    let route = r1.vtysh_json("show bgp ipv4 unicast 198.51.100.0/24 json")?;
    let path = route.pointer("/paths/0").ok_or("no path")?;
    Ok(path.get("stale").and_then(Value::as_bool) == Some(true))
}

#[test]
fn gobgp_restarts_and_helps() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let r2 = net.router("r2", Kind::GoBgp)?;
        net.link(&r1, "10.0.0.1/24", &r2, "10.0.0.2/24")?;
        let announce = || r2.gobgp_do("global rib add 198.51.100.0/24 origin igp");
        let gobgpd = start_gobgp(&r2, &[])?;
        announce()?;
        r1.start(OURS)?;
        wait_until(PATIENCE, "both have learned", || {
            r1.kernel_route_via("198.51.100.0/24", &["10.0.0.2"])?;
            r2.bgp_route("192.0.2.1/32").map(drop)
        })?;
        // GoBGP goes: what it told is kept, and told anew when it is back.
        kill(&r2, gobgpd)?;
        wait_until(PATIENCE, "GoBGP's route is stale", || {
            ensure!(stale(&r1)?, "fresh yet");
            Ok(())
        })?;
        r1.kernel_route_via("198.51.100.0/24", &["10.0.0.2"])?;
        start_gobgp(&r2, &["-r"])?;
        announce()?;
        wait_until(PATIENCE, "GoBGP's route is fresh", || {
            ensure!(!stale(&r1)?, "stale yet");
            r1.kernel_route_via("198.51.100.0/24", &["10.0.0.2"])
        })?;
        wait_until(PATIENCE, "GoBGP has our route again", || r2.bgp_route("192.0.2.1/32").map(drop))?;
        // We go: GoBGP keeps what we told, and so does the kernel.
        let bgpd = r1.daemon_pid("bgpd")?;
        kill(&r1, bgpd)?;
        wait_until(PATIENCE, "GoBGP has lost the session", || {
            let state = r2.gobgp("neighbor 10.0.0.1")?;
            let state =
                state.pointer("/state/session_state").or(state.pointer("/0/state/session_state")).cloned();
            ensure!(state.as_ref().and_then(Value::as_u64) != Some(6), "{state:?}");
            Ok(())
        })?;
        r2.bgp_route("192.0.2.1/32")?;
        r1.kernel_route_via("198.51.100.0/24", &["10.0.0.2"])?;
        ours::start_one(&r1, "bgpd", &[], "debugging")?;
        ours::load(&r1)?;
        r1.wait_bgp_established("10.0.0.2")?;
        wait_until(PATIENCE, "both have each other's routes", || {
            ensure!(!stale(&r1)?, "stale yet");
            r1.kernel_route_via("198.51.100.0/24", &["10.0.0.2"])?;
            r2.bgp_route("192.0.2.1/32").map(drop)
        })
    });
}
