use ferrite_cli::{Engine, Registry, check_registry, check_round_trip};
use proptest::prelude::*;

use super::*;
use crate::commands::{Access, register};
use crate::view::KeyChainsView;

fn utc(time: LocalTime) -> i64 {
    time.0
}

fn at(clock: &str, day: &str, month: &str, year: &str) -> i64 {
    LocalTime::read(clock, day, month, year).unwrap().0
}

fn registry() -> Registry<KeyChains, ()> {
    let mut registry = Registry::new();
    register(&mut registry, Access { get: |chains: &KeyChains| chains, get_mut: |chains| chains });
    registry
}

#[test]
fn times_are_read_and_written_as_frr_has_them() {
    for (clock, day, month, year, shown) in [
        ("00:00:00", "1", "Jan", "2024", "00:00:00 Jan  1 2024"),
        ("1:02:03", "1", "jan", "2024", "01:02:03 Jan  1 2024"),
        ("23:59:59", "31", "December", "2030", "23:59:59 Dec 31 2030"),
        ("05:00", "1", "may", "2024", "05:00:00 May  1 2024"),
        ("00:00:00", "30", "February", "2023", "00:00:00 Mar  2 2023"),
        ("00:00:00", "29", "feb", "2024", "00:00:00 Feb 29 2024"),
        ("12:00:00", "15", "JUNE", "1993", "12:00:00 Jun 15 1993"),
    ] {
        assert_eq!(LocalTime::read(clock, day, month, year).unwrap().to_string(), shown);
    }
    for (clock, month) in [
        ("25:00:00", "jan"),
        ("1:60:00", "jan"),
        ("1:2:3:4", "jan"),
        ("x", "jan"),
        ("01:00:00", "ja"),
        ("01:00:00", "janx"),
    ] {
        assert!(LocalTime::read(clock, "1", month, "2024").is_err(), "{clock} {month}");
    }
    assert_eq!(at("00:00:00", "1", "January", "1970"), 0);
    assert_eq!(at("01:46:40", "9", "September", "2001"), 1_000_000_000);
}

#[test]
fn the_key_whose_time_began_last_signs_and_all_in_their_time_are_taken() {
    let lifetime = |begin: i64, end| Some(Lifetime { begin: LocalTime(begin), end });
    let key = |accept, send| Key { secret: Some("s".into()), algorithm: None, accept, send };
    let chain = KeyChain {
        keys: BTreeMap::from([
            (1, key(lifetime(0, End::After(200)), lifetime(0, End::At(LocalTime(150))))),
            (2, key(lifetime(50, End::Infinite), lifetime(100, End::Infinite))),
            (3, Key::default()),
        ]),
    };
    let sends = |now| chain.send_key(now, utc).map(|(id, _)| id);
    let taken = |now| chain.accepted(now, utc).map(|(id, ..)| id).collect::<Vec<_>>();
    assert_eq!(
        (sends(-1), sends(0), sends(99), sends(100), sends(500)),
        (None, Some(1), Some(1), Some(2), Some(2))
    );
    assert_eq!((taken(0), taken(50), taken(200), taken(201)), (vec![1], vec![1, 2], vec![1, 2], vec![2]));
    let changes = std::iter::successors(chain.next_change(-10, utc), |now| chain.next_change(*now, utc));
    assert_eq!(changes.collect::<Vec<_>>(), [0, 50, 100, 151, 201]);
}

#[test]
fn of_keys_without_lifetimes_the_lowest_signs() {
    let key = Key { secret: Some("s".into()), ..Key::default() };
    let chain = KeyChain { keys: BTreeMap::from([(7, key.clone()), (9, key)]) };
    assert_eq!(chain.send_key(0, utc).map(|(id, _)| id), Some(7));
    assert_eq!(chain.next_change(0, utc), None);
}

#[test]
fn shows_hide_the_secret() {
    let key = Key { secret: Some("hunter2".into()), algorithm: Some(Algorithm::Md5), ..Key::default() };
    assert!(!format!("{key:?}").contains("hunter2"));
    let mut chains = KeyChains::default();
    chains.chain("A").keys.insert(1, key);
    let view = KeyChainsView::new(&chains, None, 0, utc);
    let text = view.to_string();
    assert!(text.contains("key 1 -- text set (signs)\n        algorithm md5\n"), "{text}");
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["keyChains"][0]["keys"][0]["acceptLifetime"], "always valid");
    assert!(KeyChainsView::new(&chains, Some("B"), 0, utc).key_chains.is_empty());
}

#[test]
fn every_example_renders_to_itself() {
    if let Err(faults) = check_registry(registry) {
        panic!("{}", faults.join("\n"));
    }
}

fn lifetimes() -> impl Strategy<Value = Option<Lifetime>> {
    // Between 1993 and 2035.
    let time = (725_846_400_i64..2_082_758_399).prop_map(LocalTime);
    let end = prop_oneof![
        Just(End::Infinite),
        (1..2_147_483_646_u32).prop_map(End::After),
        time.clone().prop_map(End::At)
    ];
    proptest::option::of((time, end).prop_map(|(begin, end)| Lifetime { begin, end }))
}

fn keys() -> impl Strategy<Value = Key> {
    let algorithm = proptest::option::of(proptest::sample::select(Algorithm::ALL.to_vec()));
    let secret = proptest::option::of("[!-~&&[^!#]][!-~]{0,20}");
    (secret, algorithm, lifetimes(), lifetimes()).prop_map(|(secret, algorithm, accept, send)| Key {
        secret,
        algorithm,
        accept,
        send,
    })
}

proptest! {
    #[test]
    fn what_is_rendered_reads_as_the_same(
        chains in proptest::collection::btree_map("[A-Z][a-z0-9]{0,5}",
            proptest::collection::btree_map(0..=KEY_ID_MAX, keys(), 0..3), 0..3)
    ) {
        let mut config = KeyChains::default();
        for (name, keys) in chains {
            config.chain(&name).keys = keys;
        }
        let engine = Engine::new(registry());
        prop_assert_eq!(check_round_trip(&engine, &config), Ok(()));
    }
}
