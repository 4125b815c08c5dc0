//! The configuration as text: every command, FRR's messages, and what FRR 10.3 printed for the same lines.

use ferrite_cli::{Engine, check_registry, check_round_trip, numbered};

use super::*;

mod instances;
mod messages;
mod random;

fn registry() -> Registry<BgpConfig, ()> {
    let mut registry = Registry::new();
    register(&mut registry);
    registry
}

fn engine() -> Engine<BgpConfig, ()> {
    Engine::new(registry())
}

/// The configuration of a text that has no mistake.
fn load(engine: &Engine<BgpConfig, ()>, text: &str) -> BgpConfig {
    match engine.load(BgpConfig::default(), &numbered(text)) {
        Ok(config) => config,
        Err(errors) => panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// What `show running-config` says between `router bgp` and its `exit`.
fn router_section(engine: &Engine<BgpConfig, ()>, config: &BgpConfig) -> String {
    let text = engine.render_text(config);
    let lines = text.lines().skip_while(|line| !line.starts_with("router bgp"));
    let mut section = String::new();
    for line in lines {
        section.push_str(line);
        section.push('\n');
        if line == "exit" {
            break;
        }
    }
    section
}

#[test]
fn every_command_is_declared_rightly() {
    if let Err(faults) = check_registry(registry) {
        panic!("{}", faults.join("\n"));
    }
}

/// `golden/NAME.frr.conf` is what FRR 10.3's `show running-config` printed after `vtysh -f NAME.conf`.
#[track_caller]
fn renders_as_frr(input: &str, frr: &str) {
    let engine = engine();
    let config = load(&engine, input);
    let ours = router_section(&engine, &config);
    for (number, (ours, theirs)) in ours.lines().zip(frr.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", number + 1);
    }
    assert_eq!(ours, frr);
    check_round_trip(&engine, &config).unwrap();
}

#[test]
fn a_transit_router_renders_as_in_frr() {
    renders_as_frr(include_str!("golden/transit.conf"), include_str!("golden/transit.frr.conf"));
}

#[test]
fn the_datacenter_profile_renders_as_in_frr() {
    renders_as_frr(include_str!("golden/fabric.conf"), include_str!("golden/fabric.frr.conf"));
}

#[test]
fn the_form_without_address_families_renders_as_in_frr() {
    renders_as_frr(include_str!("golden/classic.conf"), include_str!("golden/classic.frr.conf"));
}

#[test]
fn everything_a_session_can_be_told_renders_as_frr_does() {
    renders_as_frr(include_str!("golden/sessions.conf"), include_str!("golden/sessions.frr.conf"));
}

#[test]
fn restarts_and_delayed_starts_render_as_in_frr() {
    renders_as_frr(include_str!("golden/graceful.conf"), include_str!("golden/graceful.frr.conf"));
}

#[test]
fn the_multicast_families_render_as_frr_does() {
    renders_as_frr(include_str!("golden/multicast.conf"), include_str!("golden/multicast.frr.conf"));
}

#[test]
fn what_is_said_for_all_instances_takes_the_place_of_what_they_said() {
    let engine = engine();
    let own = "router bgp 65001\n bgp graceful-restart restart-time 100\n bgp graceful-restart\n";
    let config = load(
        &engine,
        &format!("{own}exit\nbgp graceful-restart restart-time 55\nbgp graceful-restart-disable\n"),
    );
    let router = config.default_instance().unwrap();
    let settings = config.graceful(router);
    assert_eq!((settings.restart_time, settings.mode), (Some(55), Some(GracefulMode::Disabled)));
    assert_eq!(router_section(&engine, &config), "router bgp 65001\nexit\n");
    check_round_trip(&engine, &config).unwrap();
    // What an instance says later holds for it, the default included.
    let config = load(
        &engine,
        &format!("bgp graceful-restart restart-time 55\n{own} bgp graceful-restart restart-time 120\n"),
    );
    assert_eq!(config.graceful(config.default_instance().unwrap()).restart_time, Some(120));
    check_round_trip(&engine, &config).unwrap();
}

#[test]
fn a_delay_stands_in_one_place_and_leaves_time_for_sessions() {
    let engine = engine();
    for text in [
        "bgp update-delay 40 50\n",
        "bgp update-delay 40\nrouter bgp 65001\n update-delay 30\n",
        "router bgp 65001\n update-delay 30\nexit\nbgp update-delay 40\n",
    ] {
        assert!(engine.load(BgpConfig::default(), &numbered(text)).is_err(), "{text}");
    }
    let config = load(&engine, "bgp update-delay 40 20\nrouter bgp 65001\n");
    check_round_trip(&engine, &config).unwrap();
}
