//! Restarts under traffic, with FRR 10.3 and BIRD on the other side: whoever is killed, packets keep being forwarded, nobody
//! loses a route, and what is not told again goes.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{frr, ours};
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, run, wait_until};
use traffic::traffic;

#[path = "common/traffic.rs"]
mod traffic;

const PATIENCE: Duration = Duration::from_secs(90);
/// Routes of BIRD and of the replayed neighbour.
const BIRD_ROUTES: usize = 60_000;
const REPLAYED: usize = 40_000;

fn kill(router: &Router, daemon: &str) -> Result<()> {
    let pid = router.daemon_pid(daemon)?;
    router.signal(pid, "KILL")?;
    router.wait_gone(pid, PATIENCE)
}

const FRR_PEER: &str = "ip route 0.0.0.0/0 10.0.2.1
router bgp 65002
 bgp router-id 192.0.2.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.2.1 remote-as 65001
 neighbor 10.0.2.1 timers connect 1
 address-family ipv4 unicast
  network 192.0.2.2/32
 exit-address-family
exit
";

fn bird_peer(routes: usize) -> String {
    let mut text = "router id 192.0.2.3;\nprotocol device {}\nprotocol static {\n ipv4;\n route 192.0.2.3/32 blackhole;\n"
        .to_owned();
    for n in 0..routes {
        let _ = writeln!(text, " route 10{}.{}.{}.0/24 blackhole;", n / 65_536, n / 256 % 256, n % 256);
    }
    text.push_str(
        "}
protocol bgp {
 local 10.0.3.3 as 65003;
 neighbor 10.0.3.1 as 65001;
 connect retry time 1; connect delay time 1; error wait time 1, 2;
 graceful restart on;
 ipv4 { import all; export where source = RTS_STATIC; };
}
",
    );
    text
}

/// Hosts and neighbours around r1, which is ours.
struct Around {
    r1: Router,
    host: Router,
    frr: Router,
    bird: Router,
    replay: Router,
}

fn network(net: &mut Net) -> Result<Around> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    let host = net.router("host", Kind::Host)?;
    let frr = net.router("frr", Kind::Frr)?;
    let bird = net.router("bird", Kind::Bird)?;
    let replay = net.router("replay", Kind::Host)?;
    net.link(&r1, "10.0.1.1/24", &host, "10.0.1.2/24")?;
    net.link(&r1, "10.0.2.1/24", &frr, "10.0.2.2/24")?;
    net.link(&r1, "10.0.3.1/24", &bird, "10.0.3.3/24")?;
    net.link(&r1, "10.0.4.1/24", &replay, "10.0.4.4/24")?;
    host.ip("route add default via 10.0.1.1")?;
    bird.ip("route add 10.0.1.0/24 via 10.0.3.1")?;
    net.loopback(&frr, "192.0.2.2/32")?;
    net.loopback(&bird, "192.0.2.3/32")?;
    Ok(Around { r1, host, frr, bird, replay })
}

const OURS: &str = "router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 neighbor 10.0.2.2 remote-as 65002
 neighbor 10.0.2.2 timers connect 1
 neighbor 10.0.3.3 remote-as 65003
 neighbor 10.0.3.3 timers connect 1
 neighbor 10.0.4.4 remote-as 65004
 neighbor 10.0.4.4 passive
 address-family ipv4 unicast
  network 10.99.0.0/16
 exit-address-family
exit
";

fn announce(peer: &Router) -> Result<topotests::Tool> {
    let args = format!("replay --target 10.0.4.1 --from 10.0.4.4 --as 65004 --generate {REPLAYED} --seed 7");
    let mut replay = peer.bgp_replay(&args)?;
    replay.wait_event("sent", PATIENCE)?;
    Ok(replay)
}

fn in_kernel(r1: &Router, wanted: usize) -> Result<()> {
    let count = r1.kernel_count(Family::V4, "bgp")?;
    ensure!(count == wanted, "{count} of {wanted} routes are in the kernel");
    Ok(())
}

/// FRR has our network all the time, and at the end not as a stale one.
fn fresh_at(frr: &Router, prefix: &str) -> Result<()> {
    let route = frr.vtysh_json(&format!("show bgp ipv4 unicast {prefix} json"))?;
    let path = route.pointer("/paths/0").ok_or("no path")?;
    ensure!(path.get("stale").is_none(), "{prefix} is stale yet");
    Ok(())
}

#[test]
fn bgpd_killed_amid_100_000_routes_loses_no_packet_and_no_route() {
    run(&Needs::ours_and_peers(), |net| {
        let all = network(net)?;
        let Around { r1, host, frr, bird, replay } = &all;
        frr.start(FRR_PEER)?;
        bird.start(&bird_peer(BIRD_ROUTES))?;
        r1.start(OURS)?;
        let first = announce(replay)?;
        let everything = BIRD_ROUTES + REPLAYED + 2;
        wait_until(PATIENCE, "all routes are in the kernel", || in_kernel(r1, everything))?;
        wait_until(PATIENCE, "FRR has our network", || fresh_at(frr, "10.99.0.0/16"))?;
        let streams = [traffic(host, frr, "192.0.2.2")?, traffic(host, bird, "192.0.2.3")?];
        kill(r1, "bgpd")?;
        drop(first);
        // BIRD has one route less when we are back.
        bird.write("etc/bird.conf", &bird_peer(BIRD_ROUTES - 1))?;
        bird.run("birdc", &["configure"])?;
        in_kernel(r1, everything)?;
        ours::start_one(r1, "bgpd", &[], "debugging")?;
        ours::load(r1)?;
        let second = announce(replay)?;
        r1.wait_bgp_established("10.0.2.2")?;
        r1.wait_bgp_established("10.0.3.3")?;
        wait_until(PATIENCE, "the route that was not told again is swept, and no other", || {
            let count = r1.kernel_count(Family::V4, "bgp")?;
            ensure!(count + 1 >= everything, "only {count} of {everything} routes are in the kernel");
            ensure!(count + 1 == everything, "{count} routes are in the kernel");
            fresh_at(frr, "10.99.0.0/16")
        })?;
        for stream in streams {
            stream.end()?;
        }
        drop(second);
        Ok(())
    });
}

#[test]
fn frr_killed_keeps_its_routes_here_and_what_it_does_not_tell_again_goes() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let frr = net.router("frr", Kind::Frr)?;
        let bird = net.router("bird", Kind::Bird)?;
        net.link(&r1, "10.0.2.1/24", &frr, "10.0.2.2/24")?;
        net.link(&r1, "10.0.3.1/24", &bird, "10.0.3.3/24")?;
        net.loopback(&frr, "192.0.2.2/32")?;
        let restarts = " bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n bgp graceful-restart restart-time 60\n";
        let config = |networks: &str| {
            FRR_PEER
                .replace(" bgp router-id", &format!("{restarts} bgp router-id"))
                .replace("  network 192.0.2.2/32\n", networks)
        };
        frr.start(&config("  network 192.0.2.2/32\n  network 198.51.100.0/24\n"))?;
        bird.start(&bird_peer(0))?;
        r1.start(&OURS.replace(" bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n", ""))?;
        wait_until(PATIENCE, "BIRD has FRR's network", || bird.bgp_route("198.51.100.0/24").map(drop))?;
        let streams = [traffic(&r1, &frr, "192.0.2.2")?];
        kill(&frr, "bgpd")?;
        wait_until(PATIENCE, "the route is stale", || {
            let table = r1.vtysh_json("show bgp ipv4 unicast json")?;
            let stale = table.pointer("/routes/192.0.2.2~132/0/stale").and_then(Value::as_bool);
            ensure!(stale == Some(true), "{stale:?}");
            Ok(())
        })?;
        r1.kernel_route_via("192.0.2.2/32", &["10.0.2.2"])?;
        bird.bgp_route("192.0.2.2/32")?;
        frr::start_daemons(&frr, &config("  network 192.0.2.2/32\n"), &["bgpd"], &[])?;
        wait_until(PATIENCE, "what FRR told again is fresh, the rest is gone", || {
            fresh_at(&r1, "192.0.2.2/32")?;
            r1.bgp_lacks("198.51.100.0/24")?;
            bird.bgp_lacks("198.51.100.0/24")?;
            bird.bgp_route("192.0.2.2/32").map(drop)
        })?;
        for stream in streams {
            stream.end()?;
        }
        Ok(())
    });
}

#[test]
fn routes_of_frr_live_long_and_are_told_to_those_who_know_it() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let frr = net.router("frr", Kind::Frr)?;
        let knows = net.router("knows", Kind::Frr)?;
        let bird = net.router("bird", Kind::Bird)?;
        net.link(&r1, "10.0.2.1/24", &frr, "10.0.2.2/24")?;
        net.link(&r1, "10.0.3.1/24", &bird, "10.0.3.3/24")?;
        net.link(&r1, "10.0.4.1/24", &knows, "10.0.4.4/24")?;
        let restarts = " bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n bgp graceful-restart restart-time 3\n bgp long-lived-graceful-restart stale-time 600\n";
        let config = FRR_PEER.replace(" bgp router-id", &format!("{restarts} bgp router-id"));
        frr.start(&config)?;
        // BIRD knows no long-lived routes unless it is told to.
        bird.start(&bird_peer(0).replace("graceful restart on;", "long lived graceful restart off;"))?;
        knows.start(
            &FRR_PEER
                .replace("10.0.2.", "10.0.4.")
                .replace("65002", "65004")
                .replace("192.0.2.2", "192.0.2.4"),
        )?;
        r1.start(OURS)?;
        wait_until(PATIENCE, "both have FRR's network", || {
            bird.bgp_route("192.0.2.2/32")?;
            knows.bgp_route("192.0.2.2/32").map(drop)
        })?;
        kill(&frr, "bgpd")?;
        wait_until(PATIENCE, "the route is marked, and told to those who know the mark", || {
            let route = r1.vtysh_json("show bgp ipv4 unicast 192.0.2.2/32 json")?;
            let marks = route.pointer("/paths/0/community/string").and_then(Value::as_str);
            ensure!(marks == Some("llgr-stale"), "{route}");
            let route = knows.vtysh_json("show bgp ipv4 unicast 192.0.2.2/32 json")?;
            let marks = route.pointer("/paths/0/community/string").and_then(Value::as_str);
            ensure!(marks == Some("llgr-stale"), "{route}");
            bird.bgp_lacks("192.0.2.2/32")
        })?;
        frr::start_daemons(&frr, &config, &["bgpd"], &[])?;
        wait_until(PATIENCE, "the route is fresh everywhere", || {
            fresh_at(&r1, "192.0.2.2/32")?;
            fresh_at(&knows, "192.0.2.2/32")?;
            bird.bgp_route("192.0.2.2/32").map(drop)
        })
    });
}

#[test]
fn a_reset_is_a_restart_for_frr_unless_it_is_a_hard_one() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let frr = net.router("frr", Kind::Frr)?;
        net.link(&r1, "10.0.2.1/24", &frr, "10.0.2.2/24")?;
        // Nobody is to be back before we have looked.
        frr.start(
            &FRR_PEER.replace(" neighbor 10.0.2.1 timers connect 1\n", " neighbor 10.0.2.1 passive\n"),
        )?;
        r1.start(&OURS.replace(" bgp router-id", " no bgp hard-administrative-reset\n bgp router-id"))?;
        wait_until(PATIENCE, "FRR has our network", || fresh_at(&frr, "10.99.0.0/16"))?;
        let counters = frr.vtysh_json("show bgp neighbors 10.0.2.1 json")?;
        let bits = counters.pointer("/10.0.2.1/gracefulRestartInfo/nBit").and_then(Value::as_bool);
        ensure!(bits == Some(true), "FRR sees no N bit: {bits:?}");
        r1.vtysh("clear bgp 10.0.2.2")?;
        for _ in 0..20 {
            frr.bgp_route("10.99.0.0/16")?;
        }
        wait_until(PATIENCE, "the session is back, and the route fresh", || fresh_at(&frr, "10.99.0.0/16"))?;
        // FRR forgets why a session ended whose neighbour was thought to come back.
        let ended = frr.vtysh_json("show bgp neighbors 10.0.2.1 json")?;
        let ended = ended.pointer("/10.0.2.1/connectionsDropped").and_then(Value::as_u64);
        ensure!(ended == Some(1), "{ended:?} sessions ended at FRR");
        let view = r1.vtysh_json("show bgp neighbors 10.0.2.2 json")?;
        let reason = view.pointer("/10.0.2.2/lastNotificationReason").and_then(Value::as_str);
        ensure!(reason == Some("Cease/Administrative Reset"), "{reason:?}");
        r1.configure(&["router bgp 65001", "bgp hard-administrative-reset"])?;
        r1.configure(&["router bgp 65001", "neighbor 10.0.2.2 shutdown"])?;
        wait_until(PATIENCE, "FRR has flushed our network", || frr.bgp_lacks("10.99.0.0/16"))
    });
}

#[test]
fn a_route_that_the_kernel_does_not_have_is_not_announced() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let frr = net.router("frr", Kind::Frr)?;
        let bird = net.router("bird", Kind::Bird)?;
        net.link(&r1, "10.0.2.1/24", &frr, "10.0.2.2/24")?;
        net.link(&r1, "10.0.3.1/24", &bird, "10.0.3.3/24")?;
        frr.start(
            &FRR_PEER
                .replace("  network 192.0.2.2/32\n", "  network 192.0.2.2/32\n  network 198.51.100.0/24\n"),
        )?;
        bird.start(&bird_peer(0))?;
        let suppress = OURS.replace(" bgp router-id", " bgp suppress-fib-pending\n bgp router-id");
        r1.start(&format!("ip route 198.51.100.0/24 blackhole\n{suppress}"))?;
        wait_until(PATIENCE, "BIRD has what the kernel has", || bird.bgp_route("192.0.2.2/32").map(drop))?;
        r1.kernel_route_via("192.0.2.2/32", &["10.0.2.2"])?;
        r1.bgp_route("198.51.100.0/24")?;
        bird.bgp_lacks("198.51.100.0/24")?;
        r1.configure(&["no ip route 198.51.100.0/24 blackhole"])?;
        wait_until(PATIENCE, "the route is in the kernel and at BIRD", || {
            r1.kernel_route_via("198.51.100.0/24", &["10.0.2.2"])?;
            bird.bgp_route("198.51.100.0/24").map(drop)
        })
    });
}

/// The keys of an object, all the way down.
fn keys(value: &Value, path: &str, into: &mut Vec<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}/{key}");
        keys(value, &path, into);
        into.push(path);
    }
}

#[test]
fn shows_of_restarts_have_the_keys_of_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let frr = net.router("frr", Kind::Frr)?;
        net.link(&r1, "10.0.2.1/24", &frr, "10.0.2.2/24")?;
        let more = " bgp graceful-restart\n bgp long-lived-graceful-restart stale-time 600\n bgp router-id";
        frr.start(&FRR_PEER.replace(" bgp router-id", more))?;
        r1.start(&OURS.replace(" bgp graceful-restart\n", "").replace(" bgp router-id", more))?;
        r1.wait_bgp_established("10.0.2.2")?;
        let of = |router: &Router, neighbor: &str| -> Result<(Value, Vec<String>)> {
            let show = format!("show bgp neighbors {neighbor} graceful-restart json");
            let view = router.vtysh_json(&show)?.get(neighbor).cloned().unwrap_or_default();
            let mut list = Vec::new();
            keys(&view, "", &mut list);
            list.sort();
            Ok((view, list))
        };
        wait_until(PATIENCE, "both say the same of each other", || {
            let (ours, our_keys) = of(&r1, "10.0.2.2")?;
            let (theirs, their_keys) = of(&frr, "10.0.2.1")?;
            ensure!(our_keys == their_keys, "{our_keys:?}\n{their_keys:?}");
            for at in ["/localGrMode", "/remoteGrMode", "/nBit", "/timers", "/ipv4Unicast/endOfRibStatus"] {
                ensure!(ours.pointer(at) == theirs.pointer(at), "{at}: {ours} {theirs}");
            }
            Ok(())
        })
    });
}
