//! `parse(render(c)) == c` for configurations that random lines lead to, and the time a large one takes.

use std::sync::LazyLock;

use ferrite_cli::Context;
use proptest::prelude::*;

use super::*;

/// A line of the running configuration's kind, positive or not, under `router bgp` or one of its families.
#[derive(Debug, Clone)]
struct Line {
    place: usize,
    text: String,
}

const PLACES: [&[&str]; 5] = [
    &["router bgp 65001"],
    &["router bgp 65001", "address-family ipv4 unicast"],
    &["router bgp 65001", "address-family ipv6 unicast"],
    &["router bgp 65001", "address-family ipv4 multicast"],
    &["router bgp 65001", "address-family ipv6 multicast"],
];

const NAMES: [&str; 8] = ["10.0.0.1", "10.0.0.2", "10.0.0.9", "2001:db8::1", "PG", "QG", "10.0.0.3", "eth0"];

/// Mostly lines that make something.
const MAKING: &[&str] = &[
    "neighbor PG peer-group",
    "neighbor QG peer-group",
    "neighbor PG remote-as 65002",
    "neighbor 10.0.0.1 remote-as 65002",
    "neighbor 10.0.0.2 remote-as 65003",
    "neighbor 10.0.0.9 remote-as 65001",
    "neighbor 10.0.0.3 remote-as auto",
    "neighbor 2001:db8::1 remote-as external",
    "neighbor eth0 interface remote-as external",
    "neighbor 10.0.0.1 peer-group PG",
    "neighbor 10.0.0.2 peer-group QG",
    "neighbor 2001:db8::1 peer-group PG",
    "neighbor 10.0.0.3 peer-group QG",
    "neighbor eth1 interface v6only peer-group PG",
    "neighbor eth0 interface",
    "no neighbor eth0 interface",
    "neighbor fe80::1 remote-as 65002",
    "neighbor fe80::1 interface eth2",
    "no neighbor 10.0.0.2",
    "no neighbor PG peer-group",
    "no neighbor PG remote-as 65002",
    "no bgp default ipv4-unicast",
    "bgp default ipv4-unicast",
    "bgp default ipv6-unicast",
    "bgp default ipv4-multicast",
    "bgp default shutdown",
];

fn line() -> impl Strategy<Value = Line> {
    let router: Vec<String> =
        router::rows().flat_map(|row| row.examples).map(|&text| text.to_owned()).collect();
    let session: Vec<&'static str> = session::ROWS.iter().flat_map(|row| row.examples).copied().collect();
    let part: Vec<&'static str> = peer_family::ROWS
        .iter()
        .chain(peer_filters::all())
        .flat_map(|row| row.examples)
        .copied()
        .chain(["activate", "no activate", "route-reflector-client", "send-community"])
        .chain([
            "attribute-unchanged next-hop",
            "route-map BAR in",
            "prefix-list BAR out",
            "enforce-first-as",
        ])
        .collect();
    let family = |family: bgp_packet::Family| -> Vec<&'static str> {
        family::rows(family)
            .flat_map(|row| row.examples)
            .copied()
            .chain(["redistribute static metric 3", "redistribute table 7", "redistribute table-direct 8"])
            .collect()
    };
    let of_neighbor = |texts: Vec<&'static str>| {
        (prop::sample::select(NAMES.to_vec()), prop::sample::select(texts), prop::bool::weighted(0.25))
            .prop_map(|(name, text, negate)| match (text.strip_prefix("no "), negate) {
                (Some(rest), false) => format!("no neighbor {name} {rest}"),
                (Some(rest), true) => format!("neighbor {name} {rest}"),
                (None, true) => format!("no neighbor {name} {text}"),
                (None, false) => format!("neighbor {name} {text}"),
            })
    };
    let negatable = |texts: Vec<String>| {
        (prop::sample::select(texts), prop::bool::weighted(0.2)).prop_map(|(text, negate)| {
            match (text.strip_prefix("no "), negate) {
                (Some(rest), true) => rest.to_owned(),
                (None, true) => format!("no {text}"),
                (_, false) => text,
            }
        })
    };
    let owned = |texts: Vec<&'static str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    prop_oneof![
        4 => prop::sample::select(MAKING.to_vec()).prop_map(|text| Line { place: 0, text: text.to_owned() }),
        2 => negatable(router).prop_map(|text| Line { place: 0, text }),
        4 => of_neighbor(session).prop_map(|text| Line { place: 0, text }),
        5 => (of_neighbor(part), 1..5_usize).prop_map(|(text, place)| Line { place, text }),
        1 => negatable(owned(family(bgp_packet::Family::IPV4_UNICAST))).prop_map(|text| Line { place: 1, text }),
        1 => negatable(owned(family(bgp_packet::Family::IPV6_UNICAST))).prop_map(|text| Line { place: 2, text }),
        1 => negatable(owned(family(bgp_packet::Family::IPV4_MULTICAST))).prop_map(|text| Line { place: 3, text }),
        1 => negatable(owned(family(bgp_packet::Family::IPV6_MULTICAST))).prop_map(|text| Line { place: 4, text }),
    ]
}

/// Enters lines; those that are refused change nothing.
fn enter(engine: &Engine<BgpConfig, ()>, lines: &[Line]) -> BgpConfig {
    let mut config = BgpConfig::default();
    for Line { place, text } in lines {
        let mut context = Context::default();
        for way in PLACES.get(*place).copied().unwrap_or_default() {
            engine.edit(&mut config, &mut context, way).unwrap();
        }
        let _ = engine.edit(&mut config, &mut context, text);
    }
    config
}

/// Made once: the grammar of all commands takes longer than a case.
static ENGINE: LazyLock<Engine<BgpConfig, ()>> = LazyLock::new(engine);

proptest! {
    #[test]
    fn what_is_rendered_parses_to_the_same(made in any::<bool>(), lines in prop::collection::vec(line(), 1..80)) {
        let making = MAKING.iter().take(13).map(|text| Line { place: 0, text: (*text).to_owned() });
        let lines: Vec<Line> = making.filter(|_| made).chain(lines).collect();
        let config = enter(&ENGINE, &lines);
        let outcome = check_round_trip(&ENGINE, &config);
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }
}

/// A file of 1,000 neighbours with 20 lines each.
fn large() -> String {
    let mut text = "router bgp 65001\n".to_owned();
    let addr = |number: u32| format!("10.{}.{}.1", number / 250, number % 250);
    for number in 0..1000 {
        let addr = addr(number);
        text.push_str(&format!(" neighbor {addr} remote-as {}\n", 64512 + number % 1000));
        for setting in [
            "description a customer of the west",
            "password secret",
            "timers 10 30",
            "timers connect 10",
            "ebgp-multihop 4",
            "update-source lo",
            "advertisement-interval 5",
            "passive",
            "local-as 4200000000 no-prepend",
            "enforce-first-as",
        ] {
            text.push_str(&format!(" neighbor {addr} {setting}\n"));
        }
    }
    text.push_str(" address-family ipv4 unicast\n");
    for number in 0..1000 {
        let addr = addr(number);
        for setting in [
            "route-map IN in",
            "route-map OUT out",
            "prefix-list A in",
            "filter-list 1 in",
            "soft-reconfiguration inbound",
            "maximum-prefix 1000 90",
            "next-hop-self",
            "weight 5",
            "allowas-in 2",
        ] {
            text.push_str(&format!("  neighbor {addr} {setting}\n"));
        }
    }
    text.push_str(" exit-address-family\n");
    text
}

#[test]
fn a_thousand_neighbors_load_in_no_time() {
    let engine = engine();
    let text = large();
    let start = std::time::Instant::now();
    let config = load(&engine, &text);
    let loaded = start.elapsed();
    let start = std::time::Instant::now();
    let section = router_section(&engine, &config);
    let rendered = start.elapsed();
    println!("{} lines: loaded in {loaded:?}, rendered in {rendered:?}", text.lines().count());
    assert_eq!(section.lines().count(), text.lines().count() + 1);
    assert!(loaded.as_secs() < 5, "{loaded:?}");
}
