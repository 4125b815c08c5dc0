//! The kernel's room: the smallest table, limits, what is left out and comes back.

use std::time::Duration;

use ferrite_types::{Nexthop, Prefix, RouteProtocol, TableId};
use proptest::prelude::*;
use zebra_core::ClientKey;
use zebra_core::commands::{Answer, Show};

use crate::world::{Timed, World, listed, via};

const BGP: RouteProtocol = RouteProtocol::Bgp;

fn world() -> (World, ClientKey) {
    let mut world = World::new();
    for index in [2, 3] {
        world.link(index, true);
        world.address(index, &format!("10.0.{index}.1/24"));
    }
    let client = world.connect(1, BGP);
    (world, client)
}

fn main_table(world: &World) -> Vec<String> {
    let rows = world.kernel.iter().filter(|((table, _), _)| *table == TableId::MAIN);
    rows.map(|((_, prefix), _)| prefix.to_string()).collect()
}

fn show(world: &World) -> String {
    match world.zebra.answer(Show::Capacity, &ferrite_cli::Args::default()) {
        Ok(Answer::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_decides_alike_is_one_entry_and_comes_apart_again() {
    let (mut world, bgp) = world();
    for n in 0..4 {
        world.announce(bgp, BGP, &format!("192.0.2.{}/26", n * 64), &[via("10.0.2.2")]);
    }
    assert_eq!(main_table(&world).len(), 4);
    world.lines("zebra fib compress\n");
    assert_eq!(main_table(&world), ["192.0.2.0/24"]);
    world.announce(bgp, BGP, "192.0.2.64/26", &[via("10.0.3.2")]);
    assert_eq!(main_table(&world), ["192.0.2.0/24", "192.0.2.64/26"]);
    // Somebody takes the made-up entry out of the kernel.
    let key = (TableId::MAIN, "192.0.2.0/24".parse::<Prefix>().unwrap());
    let taken = world.kernel.remove(&key).unwrap();
    world.event(zebra_core::Event::KernelRouteGone(listed(TableId::MAIN, key.1, &taken)));
    world.pass(Duration::from_secs(1));
    assert!(world.kernel.contains_key(&key));
    world.lines("");
    assert_eq!(main_table(&world), ["192.0.2.0/26", "192.0.2.64/26", "192.0.2.128/26", "192.0.2.192/26"]);
    assert!(show(&world).starts_with("The kernel's tables are neither"));
}

#[test]
fn an_audit_finds_and_mends_entries_that_nobody_told_of() {
    let (mut world, bgp) = world();
    world.lines("zebra fib compress\n");
    for n in 0..4 {
        world.announce(bgp, BGP, &format!("192.0.2.{}/26", n * 64), &[via("10.0.2.2")]);
    }
    world.announce(bgp, BGP, "198.51.100.0/24", &[via("10.0.2.2")]);
    world.announce(bgp, BGP, "203.0.113.0/24", &[via("10.0.3.2")]);
    assert_eq!(main_table(&world), ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]);
    assert_eq!(world.drift().total(), 0);
    let at = |text: &str| (TableId::MAIN, text.parse::<Prefix>().unwrap());
    let before = world.kernel.clone();
    // The made-up entry goes, one of a route goes, another is changed, and a stranger stands there.
    world.kernel.remove(&at("192.0.2.0/24"));
    let other = world.kernel.remove(&at("198.51.100.0/24")).unwrap();
    world.kernel.insert(at("203.0.113.0/24"), other.clone());
    world.kernel.insert(at("203.0.113.64/26"), other);
    let writes = world.writes;
    let drift = world.drift();
    assert_eq!((drift.missing, drift.different, drift.orphans), (2, 1, 1), "{drift:?}");
    assert_eq!(world.writes, writes, "a report repairs nothing");
    world.pass(Duration::from_secs(301));
    assert_eq!(world.kernel, before);
    assert_eq!(world.writes, writes + 4);
    assert_eq!(world.drift().total(), 0);
}

#[test]
fn what_does_not_fit_is_left_out_in_order_and_returns() {
    let (mut world, bgp) = world();
    world.lines("zebra fib limit 4\nip route 203.0.113.0/30 10.0.2.2\n");
    let gateway = |n: u32| via(if n.is_multiple_of(2) { "10.0.2.2" } else { "10.0.3.2" });
    for n in 0..6 {
        world.announce(bgp, BGP, &format!("192.0.{n}.0/{}", 24 + n), &[gateway(n)]);
    }
    // The static route stays, however long; of BGP's the longest go.
    assert_eq!(main_table(&world), ["192.0.0.0/24", "192.0.1.0/25", "192.0.2.0/26", "203.0.113.0/30"]);
    let text = show(&world);
    assert!(text.contains("Routes: 7  Entries: 4  Left out: 3"), "{text}");
    assert!(
        text.contains("left out: 192.0.5.0/29 (bgp, VRF default), covered by nothing: no room"),
        "{text}"
    );
    world.withdraw(bgp, BGP, "192.0.0.0/24");
    // A margin stays free, so that what comes and goes moves nothing else.
    assert_eq!(main_table(&world), ["192.0.1.0/25", "192.0.2.0/26", "203.0.113.0/30"]);
    world.withdraw(bgp, BGP, "192.0.1.0/25");
    assert_eq!(main_table(&world), ["192.0.2.0/26", "192.0.3.0/27", "203.0.113.0/30"]);
    world.lines("zebra fib limit 100\nip route 203.0.113.0/30 10.0.2.2\n");
    assert_eq!(main_table(&world).len(), 5);
    world.lines("zebra fib limit 100\nzebra fib share bgp percent 2\nip route 203.0.113.0/30 10.0.2.2\n");
    assert_eq!(main_table(&world), ["192.0.2.0/26", "192.0.3.0/27", "203.0.113.0/30"]);
}

#[test]
fn the_operator_says_what_is_left_out_last() {
    let (mut world, bgp) = world();
    let ospf = world.connect(2, RouteProtocol::Ospf);
    let gateway = |n: u32| via(if n.is_multiple_of(2) { "10.0.2.2" } else { "10.0.3.2" });
    let load = |world: &mut World, lines: &str| {
        world.lines(lines);
        for n in 0..4 {
            world.announce(bgp, BGP, &format!("192.{n}.0.0/24"), &[gateway(n)]);
            world.announce(ospf, RouteProtocol::Ospf, &format!("198.{n}.0.0/24"), &[gateway(n + 1)]);
        }
    };
    load(&mut world, "zebra fib limit 4\n");
    let all = |network: &str| (0..4).map(|n| format!("{network}.{n}.0.0/24")).collect::<Vec<_>>();
    assert_eq!(main_table(&world), all("192"), "OSPF's distance is the greater one");
    world.lines("zebra fib limit 4\nzebra fib priority ospf 10\n");
    assert_eq!(main_table(&world), all("198"), "now BGP's is");
    world.lines("zebra fib limit 4\nzebra fib priority ospf 10\nzebra fib keep 192.2.0.0/15\n");
    assert_eq!(main_table(&world), ["192.2.0.0/24", "192.3.0.0/24", "198.0.0.0/24", "198.1.0.0/24"]);
    // The same from the beginning.
    let (mut fresh, _) = super::capacity::world();
    fresh.connect(2, RouteProtocol::Ospf);
    load(&mut fresh, "zebra fib limit 4\nzebra fib priority ospf 10\nzebra fib keep 192.2.0.0/15\n");
    assert_eq!(main_table(&fresh), main_table(&world));
}

#[test]
fn a_kernel_that_says_it_is_full_sets_the_limit() {
    let (mut world, bgp) = world();
    world.lines("zebra fib limit 1000\n");
    for n in 0..8 {
        world.announce(
            bgp,
            BGP,
            &format!("192.0.{n}.0/24"),
            &[via(if n % 2 == 0 { "10.0.2.2" } else { "10.0.3.2" })],
        );
    }
    // Eight routes are five entries: one network for all, and what differs from it.
    world.refuse.insert("192.0.8.0/24".parse().unwrap(), 28);
    world.announce(bgp, BGP, "192.0.8.0/24", &[via("10.0.2.2")]);
    let text = show(&world);
    assert!(text.contains("Room as the kernel reported it: 5") && text.contains("Left out: 1"), "{text}");
    assert_eq!(main_table(&world).len(), 5);
}

type Change = (u8, u8, Option<bool>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes and goes: the compressed kernel decides as the plain one, and a kernel given back equals it.
    #[test]
    fn the_kernel_decides_as_the_routes_do(
        changes in prop::collection::vec((any::<u8>(), 0..=8u8, prop::option::weighted(0.7, any::<bool>())), 1..40),
    ) {
        let run = |lines: &str, changes: &[Change]| {
            let (mut world, bgp) = world();
            world.lines(lines);
            for (bits, len, gateway) in changes {
                let prefix = format!("192.0.2.{bits}/{}", 24 + len).parse::<Prefix>();
                let Ok(prefix) = prefix.map(|prefix| prefix.to_string()) else { continue };
                match gateway {
                    Some(first) => {
                        let hop = via(if *first { "10.0.2.2" } else { "10.0.3.2" });
                        world.announce(bgp, BGP, &prefix, &[hop]);
                    }
                    None => world.withdraw(bgp, BGP, &prefix),
                }
            }
            world
        };
        let (plain, mut small) = (run("", &changes), run("zebra fib compress\n", &changes));
        let decide = |world: &World, addr: u8| -> Option<Vec<Nexthop>> {
            (0..=32).rev().find_map(|len| {
                let prefix = Prefix::new(std::net::Ipv4Addr::new(192, 0, 2, addr).into(), len)?;
                world.kernel.get(&(TableId::MAIN, prefix)).map(|route| route.nexthops.to_vec())
            })
        };
        for addr in 0..=255 {
            prop_assert_eq!(decide(&plain, addr), decide(&small, addr));
        }
        prop_assert!(small.kernel.len() <= plain.kernel.len());
        small.lines("");
        prop_assert_eq!(&plain.kernel, &small.kernel);
        small.lines("zebra fib compress\n");
        let mut actions = Vec::new();
        small.zebra.shut_down(small.now, &mut actions);
        small.perform(actions);
        prop_assert!(small.kernel.is_empty());
    }
}
