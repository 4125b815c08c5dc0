//! Restarts: what neighbours keep of a speaker that is killed, and how it finds back.

use serde_json::Value;

use super::config;
use super::world::World;

const RESTARTS: &str =
    " bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n bgp graceful-restart restart-time 30\n";

/// a – b – c, each its own AS; a announces two networks, c one. The texts are further lines under `router bgp`.
fn chain(seed: u64, a: &str, b: &str, c: &str) -> World {
    let mut world = World::new(seed, &["a", "b", "c"], 2);
    world.link("a", "10.0.1.1", "b", "10.0.1.2");
    world.link("b", "10.0.2.2", "c", "10.0.2.3");
    let family = |networks: &str| format!(" address-family ipv4 unicast\n{networks} exit-address-family\n");
    let of_a = family("  network 10.1.0.0/16\n  network 10.11.0.0/16\n");
    let of_c = family("  network 10.3.0.0/16\n");
    let to_b = |addr: &str| format!(" neighbor {addr} remote-as 65002\n neighbor {addr} timers connect 1\n");
    world.load("a", &config(65001, 1, &format!("{a}{}{of_a}", to_b("10.0.1.2"))));
    let neighbors = " neighbor 10.0.1.1 remote-as 65001\n neighbor 10.0.1.1 timers connect 1\n neighbor 10.0.2.3 remote-as 65003\n neighbor 10.0.2.3 timers connect 1\n";
    world.load("b", &config(65002, 2, &format!("{b}{neighbors}")));
    world.load("c", &config(65003, 3, &format!("{c}{}{of_c}", to_b("10.0.2.2"))));
    world.run(30);
    assert_eq!(world.path("c", "10.1.0.0/16").as_deref(), Some("65002 65001"));
    assert_eq!(world.path("a", "10.3.0.0/16").as_deref(), Some("65002 65003"));
    world
}

fn first_path(world: &mut World, name: &str, prefix: &str) -> Value {
    world.json(name, &format!("show bgp ipv4 unicast {prefix} json"))["paths"][0].clone()
}

/// Runs second by second; the prefix must be there all the time.
fn run_with(world: &mut World, seconds: u64, name: &str, prefix: &str) {
    for second in 0..seconds {
        world.run(1);
        assert!(world.path(name, prefix).is_some(), "{name} has no {prefix} after {second} seconds");
    }
}

#[test]
fn routes_of_a_neighbour_that_restarts_are_kept_and_what_it_does_not_tell_again_goes() {
    let mut world = chain(20, RESTARTS, "", "");
    let told = world.speaker("b").updates_sent;
    world.kill("a");
    run_with(&mut world, 10, "c", "10.1.0.0/16");
    assert_eq!(first_path(&mut world, "b", "10.1.0.0/16")["stale"], true);
    assert_eq!(world.speaker("b").updates_sent, told, "nobody hears of the restart");
    world.start("a");
    world.configure("a", "router bgp 65001\n address-family ipv4 unicast\n  no network 10.11.0.0/16\n");
    run_with(&mut world, 10, "c", "10.1.0.0/16");
    assert_eq!(first_path(&mut world, "b", "10.1.0.0/16")["stale"], Value::Null);
    assert_eq!(world.path("b", "10.11.0.0/16"), None, "End-of-RIB sweeps");
    assert_eq!(world.path("c", "10.11.0.0/16"), None);
    let view = world.json("b", "show bgp neighbors 10.0.1.1 graceful-restart json");
    let view = &view["10.0.1.1"];
    assert_eq!(view["remoteGrMode"], "Restart", "{view}");
    assert_eq!(view["ipv4Unicast"]["fBit"], true);
    assert_eq!(view["ipv4Unicast"]["endOfRibStatus"]["endOfRibRecv"], true);
}

#[test]
fn a_neighbour_that_does_not_come_back_loses_its_routes_after_the_restart_time() {
    let mut world = chain(21, RESTARTS, "", "");
    world.kill("a");
    run_with(&mut world, 28, "c", "10.1.0.0/16");
    world.run(5);
    assert_eq!(world.path("b", "10.1.0.0/16"), None);
    assert_eq!(world.path("c", "10.1.0.0/16"), None);
}

#[test]
fn stale_routes_go_after_the_stalepath_time_although_the_neighbour_never_ends_its_table() {
    let quiet = format!("{RESTARTS} bgp graceful-restart disable-eor\n");
    let mut world = chain(22, &quiet, " bgp graceful-restart stalepath-time 20\n", "");
    world.kill("a");
    world.run(2);
    world.start("a");
    world.configure("a", "router bgp 65001\n address-family ipv4 unicast\n  no network 10.11.0.0/16\n");
    world.run(10);
    assert!(world.path("b", "10.11.0.0/16").is_some(), "not told again, but the time is not over");
    world.run(12);
    assert_eq!(world.path("b", "10.11.0.0/16"), None);
    assert!(world.path("b", "10.1.0.0/16").is_some());
}

#[test]
fn without_forwarding_state_what_was_kept_goes_when_the_neighbour_is_back() {
    let mut world = chain(23, " bgp graceful-restart\n bgp graceful-restart disable-eor\n", "", "");
    world.kill("a");
    run_with(&mut world, 5, "b", "10.11.0.0/16");
    world.start("a");
    world.configure("a", "router bgp 65001\n address-family ipv4 unicast\n  no network 10.11.0.0/16\n");
    world.run(5);
    assert_eq!(world.path("b", "10.11.0.0/16"), None);
    assert!(world.path("b", "10.1.0.0/16").is_some());
}

#[test]
fn neighbours_that_do_not_mind_restarts_flush_at_once() {
    for (a, b) in [
        ("", ""),
        (RESTARTS, " bgp graceful-restart-disable\n"),
        (" bgp graceful-restart-disable\n", " bgp graceful-restart\n"),
    ] {
        let mut world = chain(24, a, b, "");
        world.kill("a");
        world.run(2);
        assert_eq!(world.path("b", "10.1.0.0/16"), None, "{a:?} {b:?}");
    }
}

#[test]
fn a_second_restart_before_the_table_is_told_keeps_only_what_was_told_in_between() {
    let quiet = format!("{RESTARTS} bgp graceful-restart disable-eor\n");
    let mut world = chain(25, &quiet, "", "");
    world.kill("a");
    world.run(2);
    world.start("a");
    world.configure("a", "router bgp 65001\n address-family ipv4 unicast\n  no network 10.11.0.0/16\n");
    world.run(10);
    assert!(world.path("b", "10.11.0.0/16").is_some());
    world.kill("a");
    world.run(2);
    assert_eq!(world.path("b", "10.11.0.0/16"), None, "stale twice (RFC 4724 §4.2)");
    assert!(world.path("c", "10.1.0.0/16").is_some());
}

#[test]
fn a_reset_is_a_restart_unless_it_is_a_hard_one() {
    for hard in [false, true] {
        let no = if hard { "" } else { " no bgp hard-administrative-reset\n" };
        let mut world = chain(26, &format!("{RESTARTS}{no}"), "", "");
        world.show("a", "clear bgp 10.0.1.2");
        world.net.run_until(world.net.now() + std::time::Duration::from_millis(200));
        assert_eq!(world.path("b", "10.1.0.0/16").is_some(), !hard, "hard: {hard}");
        world.run(20);
        assert!(world.path("c", "10.1.0.0/16").is_some());
    }
}

#[test]
fn a_hold_timer_that_runs_out_is_a_restart_too() {
    let mut world = World::new(27, &["a", "b"], 1);
    let link = world.link("a", "10.0.1.1", "b", "10.0.1.2");
    let network = " address-family ipv4 unicast\n  network 10.1.0.0/16\n";
    world.load(
        "a",
        &config(
            65001,
            1,
            &format!("{RESTARTS} timers bgp 3 9\n neighbor 10.0.1.2 remote-as 65002\n{network}"),
        ),
    );
    world.load("b", &config(65002, 2, " timers bgp 3 9\n neighbor 10.0.1.1 remote-as 65001\n"));
    world.run(20);
    world.net.set_link(link, false);
    run_with(&mut world, 30, "b", "10.1.0.0/16");
    assert_ne!(world.state("b", "10.0.1.1"), "Established");
    world.run(15);
    assert_eq!(world.path("b", "10.1.0.0/16"), None, "restart-time is over");
}

#[test]
fn what_has_long_to_live_is_put_last_told_to_those_who_know_and_goes_in_the_end() {
    let a = format!("{RESTARTS} bgp long-lived-graceful-restart stale-time 100\n");
    for knows in [true, false] {
        let c = if knows { "" } else { " bgp graceful-restart-disable\n" };
        let mut world = chain(28, &a, "", c);
        world.kill("a");
        world.run(35);
        let path = first_path(&mut world, "b", "10.1.0.0/16");
        assert_eq!(path["community"]["string"], "llgr-stale", "{path}");
        assert!(path["llgrSecondsRemaining"].as_u64().is_some_and(|left| left <= 100), "{path}");
        assert_eq!(world.path("c", "10.1.0.0/16").is_some(), knows, "RFC 9494 §4.4");
        world.run(80);
        assert!(world.path("b", "10.1.0.0/16").is_some());
        world.run(20);
        assert_eq!(world.path("b", "10.1.0.0/16"), None);
        assert_eq!(world.path("c", "10.1.0.0/16"), None);
    }
}

#[test]
fn a_long_lived_route_is_fresh_again_once_it_is_told_again() {
    let a = format!("{RESTARTS} bgp long-lived-graceful-restart stale-time 100\n");
    let mut world = chain(29, &a, "", "");
    world.kill("a");
    world.run(40);
    world.start("a");
    run_with(&mut world, 10, "c", "10.1.0.0/16");
    let path = first_path(&mut world, "b", "10.1.0.0/16");
    assert_eq!((&path["community"], &path["stale"]), (&Value::Null, &Value::Null), "{path}");
}

#[test]
fn a_speaker_in_the_middle_restarts_and_neither_side_loses_a_route() {
    let mut world = chain(30, "", RESTARTS, "");
    world.kill("b");
    run_with(&mut world, 5, "c", "10.1.0.0/16");
    world.start("b");
    for _ in 0..20 {
        run_with(&mut world, 1, "c", "10.1.0.0/16");
        run_with(&mut world, 1, "a", "10.3.0.0/16");
    }
    assert_eq!(first_path(&mut world, "c", "10.1.0.0/16")["stale"], Value::Null);
    let view = world.json("c", "show bgp neighbors 10.0.2.2 graceful-restart json");
    let end = &view["10.0.2.2"]["ipv4Unicast"]["endOfRibStatus"];
    assert_eq!(
        (&end["endOfRibRecv"], &end["endOfRibSend"]),
        (&Value::Bool(true), &Value::Bool(true)),
        "{view}"
    );
}

#[test]
fn nothing_is_told_before_the_slowest_neighbour_has_told_its_table() {
    let mut world = chain(31, "", RESTARTS, "");
    world.kill("a");
    world.kill("b");
    world.run(1);
    world.start("b");
    world.run(10);
    // c is back and has told its table; a is awaited still.
    assert_eq!(world.state("b", "10.0.2.3"), "Established");
    assert_eq!(world.path("b", "10.3.0.0/16"), None, "decisions wait");
    assert_eq!(first_path(&mut world, "c", "10.1.0.0/16")["stale"], true);
    world.start("a");
    world.run(10);
    assert!(world.path("a", "10.3.0.0/16").is_some());
    assert_eq!(first_path(&mut world, "c", "10.1.0.0/16")["stale"], Value::Null);
}

#[test]
fn a_neighbour_that_stays_away_delays_decisions_for_half_a_minute_at_most() {
    let mut world = chain(32, "", RESTARTS, "");
    world.kill("a");
    world.kill("b");
    world.start("b");
    world.run(25);
    assert_eq!(world.path("b", "10.3.0.0/16"), None);
    world.run(10);
    assert!(world.path("b", "10.3.0.0/16").is_some());
    assert_eq!(world.path("c", "10.1.0.0/16"), None, "the sweep came with End-of-RIB");
}

#[test]
fn a_speaker_that_is_stopped_says_nothing_if_it_keeps_forwarding() {
    for keeps in [true, false] {
        let a = if keeps { RESTARTS } else { " bgp graceful-restart\n" };
        let mut world = chain(37, a, "", "");
        world.stop("a");
        world.net.run_until(world.net.now() + std::time::Duration::from_millis(500));
        assert_eq!(world.path("b", "10.1.0.0/16").is_some(), keeps);
    }
}

#[test]
fn two_that_restart_at_once_do_not_wait_for_each_other() {
    let mut world = chain(33, RESTARTS, RESTARTS, RESTARTS);
    for name in ["a", "b", "c"] {
        world.kill(name);
    }
    for name in ["a", "b", "c"] {
        world.start(name);
    }
    world.run(15);
    assert!(world.path("a", "10.3.0.0/16").is_some());
    assert!(world.path("c", "10.1.0.0/16").is_some());
}

#[test]
fn settings_of_restarts_never_end_a_session() {
    let mut world = chain(34, "", "", "");
    for line in [
        "bgp graceful-restart restart-time 120",
        "bgp graceful-restart stalepath-time 360",
        "bgp graceful-restart select-defer-time 360",
        "bgp graceful-restart rib-stale-time 500",
        "bgp graceful-restart notification",
        "bgp graceful-restart restart-time 99",
        "bgp graceful-restart",
        "bgp graceful-restart preserve-fw-state",
        "bgp graceful-restart disable-eor",
        "bgp long-lived-graceful-restart stale-time 600",
        "neighbor 10.0.1.1 graceful-restart-helper",
        "no bgp graceful-restart notification",
        "update-delay 30",
        "bgp suppress-fib-pending",
        "bgp fast-convergence",
        "bgp hard-administrative-reset",
    ] {
        let impact = world.speaker("b").sessions_lost;
        world.configure("b", &format!("router bgp 65002\n {line}\n"));
        world.run(2);
        assert_eq!(world.speaker("b").sessions_lost, impact, "{line}");
    }
}

#[test]
fn update_delay_waits_for_all_tables_or_its_time() {
    let delay = " update-delay 60 20\n";
    let mut world = chain(35, "", delay, "");
    world.kill("b");
    world.start("b");
    world.run(4);
    let summary = world.json("b", "show bgp ipv4 unicast summary json");
    assert_eq!(summary["updateDelayLimit"], 60, "{summary}");
    assert_eq!(summary["updateDelayEstablishWait"], 20);
    world.run(10);
    assert!(world.path("c", "10.1.0.0/16").is_some(), "both have told their tables");
    let summary = world.json("b", "show bgp ipv4 unicast summary json");
    assert!(summary["updateDelayBestpathResumed"].is_string(), "{summary}");
    // One that is not there is waited for as long as sessions may take.
    world.kill("a");
    world.kill("b");
    world.start("b");
    world.run(15);
    assert_eq!(world.path("b", "10.3.0.0/16"), None);
    world.run(15);
    assert!(world.path("b", "10.3.0.0/16").is_some());
}

#[test]
fn a_starting_router_is_not_preferred_while_max_med_holds() {
    let mut world = chain(36, "", " bgp max-med on-startup 60 77\n", "");
    let med = |world: &mut World| first_path(world, "c", "10.1.0.0/16")["metric"].clone();
    assert_eq!(med(&mut world), 77);
    let summary = world.json("b", "show bgp ipv4 unicast summary json");
    assert_eq!(summary["maxMedOnStartup"], true);
    world.run(60);
    assert_ne!(med(&mut world), 77);
    world.configure("b", "router bgp 65002\n bgp max-med administrative\n");
    world.run(5);
    assert_eq!(med(&mut world), 4_294_967_294_u32);
    assert_eq!(world.speaker("b").sessions_lost, 0);
}
