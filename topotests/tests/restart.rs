//! Crashes: whatever of ours is killed, packets keep being forwarded, and afterwards everything agrees again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use topotests::daemon::ours;
use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
const PREFIXES: usize = 500;

/// r1 is ours: static routes, and a BGP neighbour that announces 500 prefixes.
fn network(net: &mut Net) -> Result<(Router, Router, topotests::Tool)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let peer = net.router("peer", Kind::Host)?;
    net.link(&r1, "10.0.12.1/24", &peer, "10.0.12.2/24")?;
    net.link(&r1, "10.0.13.1/24", &peer, "10.0.13.2/24")?;
    r1.start(
        "ip route 192.0.2.0/24 10.0.13.2\nip route 198.18.0.0/15 blackhole\n\
         router bgp 65001\n no bgp ebgp-requires-policy\n neighbor 10.0.12.2 remote-as 65002\n \
         neighbor 10.0.12.2 timers connect 1\n",
    )?;
    let replay = announce(&peer, 1)?;
    wait_until(PATIENCE, "all routes are in the kernel", || bgp_routes(&r1, PREFIXES))?;
    Ok((r1, peer, replay))
}

fn announce(peer: &Router, seed: u32) -> Result<topotests::Tool> {
    let args =
        format!("replay --target 10.0.12.1 --from 10.0.12.2 --as 65002 --generate {PREFIXES} --seed {seed}");
    let mut replay = peer.bgp_replay(&args)?;
    replay.wait_event("sent", PATIENCE)?;
    Ok(replay)
}

/// The kernel has the static routes and so many others through the BGP neighbour.
fn bgp_routes(r1: &Router, wanted: usize) -> Result<()> {
    let routes = r1.kernel_routes(topotests::Family::V4)?;
    let count = routes.values().filter(|r| r.gateways() == ["10.0.12.2"]).count();
    ensure!(count == wanted, "{count} of {wanted} BGP routes in the kernel");
    for fixed in ["192.0.2.0/24", "198.18.0.0/15"] {
        ensure!(routes.contains_key(fixed), "{fixed} is not in the kernel");
    }
    Ok(())
}

/// Looks at the kernel all the time, until told to stop; then says how often, or what was missing when.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<usize>>,
}

fn watch(r1: &Router) -> Watch {
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, r1) = (Arc::clone(&stop), r1.clone());
    let thread = std::thread::spawn(move || {
        let mut looks = 0;
        while !flag.load(Ordering::Relaxed) {
            bgp_routes(&r1, PREFIXES).map_err(|e| e.during(&format!("look {looks} during the restart")))?;
            looks += 1;
        }
        Ok(looks)
    });
    Watch { stop, thread }
}

impl Watch {
    fn end(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let looks = self.thread.join().map_err(|_| "the watch failed")??;
        ensure!(looks > 2, "looked only {looks} times");
        Ok(())
    }
}

fn kill(r1: &Router, daemon: &str) -> Result<()> {
    let pid = r1.daemon_pid(daemon)?;
    r1.signal(pid, "KILL")?;
    r1.wait_gone(pid, PATIENCE)
}

/// As `vtysh -b` at boot: daemons that never stopped already have it all.
fn start_again(r1: &Router, daemon: &str) -> Result<()> {
    ours::start_one(r1, daemon, &[], "debugging")?;
    ours::load(r1)
}

#[test]
fn kernel_routes_stay_while_zebra_is_killed_and_follow_bgp_again_afterwards() {
    run(&Needs::ours(), |net| {
        let (r1, peer, mut replay) = network(net)?;
        let watch = watch(&r1);
        kill(&r1, "zebra")?;
        start_again(&r1, "zebra")?;
        wait_until(PATIENCE, "zebra knows BGP's routes again", || {
            let json = r1.vtysh_json("show ip route bgp json")?;
            let known = json.as_object().map_or(0, serde_json::Map::len);
            ensure!(known == PREFIXES, "{known} known");
            Ok(())
        })?;
        watch.end()?;
        r1.bgp_established("10.0.12.2")?;
        replay.tell("withdraw")?;
        wait_until(PATIENCE, "withdrawn routes leave the kernel", || bgp_routes(&r1, 0))?;
        r1.configure(&["no ip route 192.0.2.0/24 10.0.13.2"])?;
        wait_until(PATIENCE, "a removed static route leaves the kernel", || r1.kernel_lacks("192.0.2.0/24"))?;
        drop(peer);
        Ok(())
    });
}

#[test]
fn kernel_routes_stay_while_bgpd_is_killed_and_what_is_not_announced_again_goes() {
    run(&Needs::ours(), |net| {
        let (r1, peer, replay) = network(net)?;
        let watch = watch(&r1);
        kill(&r1, "bgpd")?;
        drop(replay);
        start_again(&r1, "bgpd")?;
        let mut replay = announce(&peer, 1)?;
        r1.wait_bgp_established("10.0.12.2")?;
        watch.end()?;
        bgp_routes(&r1, PREFIXES)?;
        replay.tell("withdraw")?;
        wait_until(PATIENCE, "withdrawn routes leave the kernel", || bgp_routes(&r1, 0))
    });
}

#[test]
fn routes_that_vanished_while_zebra_was_down_are_removed_when_all_is_replayed() {
    run(&Needs::ours(), |net| {
        let (r1, _, mut replay) = network(net)?;
        kill(&r1, "zebra")?;
        replay.tell("withdraw")?;
        replay.wait_event("withdrawn", PATIENCE)?;
        wait_until(PATIENCE, "bgpd has no routes left", || {
            let table = r1.bgp_table(topotests::Family::V4)?;
            ensure!(table.is_empty(), "{} left", table.len());
            Ok(())
        })?;
        start_again(&r1, "zebra")?;
        wait_until(PATIENCE, "stale routes are swept", || bgp_routes(&r1, 0))
    });
}

#[test]
fn both_killed_at_once_come_back_to_the_same_routes() {
    run(&Needs::ours(), |net| {
        let (r1, peer, replay) = network(net)?;
        let watch = watch(&r1);
        kill(&r1, "zebra")?;
        kill(&r1, "bgpd")?;
        drop(replay);
        ours::start_one(&r1, "zebra", &[], "debugging")?;
        start_again(&r1, "bgpd")?;
        let mut replay = announce(&peer, 1)?;
        watch.end()?;
        wait_until(PATIENCE, "zebra knows all routes again", || {
            let known = r1.vtysh_json("show ip route bgp json")?.as_object().map_or(0, serde_json::Map::len);
            ensure!(known == PREFIXES, "{known} known");
            Ok(())
        })?;
        replay.tell("withdraw")?;
        wait_until(PATIENCE, "withdrawn routes leave the kernel", || bgp_routes(&r1, 0))
    });
}

#[test]
fn sigterm_ends_both_daemons_within_two_seconds() {
    run(&Needs::ours(), |net| {
        let (r1, _, _replay) = network(net)?;
        for daemon in ["bgpd", "zebra"] {
            let pid = r1.daemon_pid(daemon)?;
            r1.signal(pid, "TERM")?;
            r1.wait_gone(pid, Duration::from_secs(2))?;
        }
        wait_until(PATIENCE, "zebra took its routes along, as FRR's does", || {
            r1.kernel_lacks("192.0.2.0/24")?;
            let routes = r1.kernel_routes(topotests::Family::V4)?;
            ensure!(routes.values().all(|r| r.protocol == "kernel"), "{routes:?}");
            Ok(())
        })
    });
}
