//! The incremental table against the definition: the same decision for every address, no table smaller, no order of
//! changes that shows a third decision, and the same entries however the routes came.

use std::collections::BTreeMap;

use ferrite_fib_compress::{Change, Compressor, Decision, Key, Prefix};
use proptest::prelude::*;

/// Length of the addresses in the small world: all of it is looked at.
const DEPTH: u8 = 7;
/// Decisions 1 to this.
const DECISIONS: u32 = 3;

type Routes<K> = BTreeMap<Prefix<K>, (Decision, bool)>;
type Table<K> = BTreeMap<Prefix<K>, Decision>;

fn lookup<K: Key>(table: impl Fn(Prefix<K>) -> Option<Decision>, addr: K, bits: u8) -> Option<Decision> {
    (0..=bits).rev().find_map(|len| table(Prefix::new(addr, len)))
}

/// What decides: an entry, or a pinned route.
fn decide<K: Key>(routes: &Routes<K>, table: &Table<K>, addr: K, bits: u8) -> Option<Decision> {
    lookup(
        |prefix| {
            let pinned = routes.get(&prefix).filter(|(_, pinned)| *pinned).map(|(decision, _)| *decision);
            pinned.or_else(|| table.get(&prefix).copied())
        },
        addr,
        bits,
    )
}

fn wanted<K: Key>(routes: &Routes<K>, addr: K, bits: u8) -> Option<Decision> {
    lookup(|prefix| routes.get(&prefix).map(|(decision, _)| *decision), addr, bits)
}

const NEVER: u32 = u32::MAX / 4;

/// The least number of entries for what lies under a prefix, by what is inherited there: straight from the definition.
fn least(routes: &Routes<u32>, prefix: Prefix<u32>, holds: u32) -> Vec<u32> {
    let own = routes.get(&prefix);
    let holds = own.map_or(holds, |(decision, _)| decision.number());
    let without: Vec<u32> = if prefix.len == DEPTH {
        (0..=DECISIONS).map(|inherited| if inherited == holds { 0 } else { NEVER }).collect()
    } else {
        let half = |bit: u32| Prefix::new(prefix.bits | bit << (31 - prefix.len), prefix.len + 1);
        let (a, b) = (least(routes, half(0), holds), least(routes, half(1), holds));
        a.iter().zip(&b).map(|(a, b)| (a + b).min(NEVER)).collect()
    };
    if own.is_some_and(|(_, pinned)| *pinned) {
        return vec![without[holds as usize]; without.len()];
    }
    let with = 1 + without.iter().skip(1).min().copied().unwrap_or(NEVER);
    without.iter().map(|&cost| cost.min(with).min(NEVER)).collect()
}

fn small_prefix() -> impl Strategy<Value = Prefix<u32>> {
    (any::<u32>(), 0..=DEPTH).prop_map(|(bits, len)| Prefix::new(bits, len))
}

type Step<K> = (Prefix<K>, Option<(Decision, bool)>);

fn step<K: Key>(prefix: impl Strategy<Value = Prefix<K>>) -> impl Strategy<Value = Step<K>> {
    let route = (1..=DECISIONS, prop::bool::weighted(0.1));
    (prefix, prop::option::weighted(0.65, route)).prop_map(|(prefix, route)| {
        (prefix, route.and_then(|(number, pinned)| Some((Decision::new(number)?, pinned))))
    })
}

fn apply<K: Key>(
    compressor: &mut Compressor<K>,
    routes: &mut Routes<K>,
    (prefix, route): Step<K>,
) -> Vec<Change<K>> {
    match route {
        Some((decision, pinned)) => {
            routes.insert(prefix, (decision, pinned));
            compressor.insert(prefix, decision, pinned)
        }
        None => {
            routes.remove(&prefix);
            compressor.remove(prefix)
        }
    }
}

fn carry_out<K: Key>(table: &mut Table<K>, change: &Change<K>) {
    assert_eq!(table.get(&change.prefix).copied(), change.old, "{change:?}");
    match change.new {
        Some(new) => table.insert(change.prefix, new),
        None => table.remove(&change.prefix),
    };
}

fn from_scratch<K: Key>(routes: &Routes<K>) -> Table<K> {
    let mut compressor = Compressor::default();
    for (prefix, (decision, pinned)) in routes.iter().rev() {
        compressor.insert(*prefix, *decision, *pinned);
    }
    compressor.entries().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_address_is_decided_as_before_and_no_table_is_smaller(
        steps in prop::collection::vec(step(small_prefix()), 1..60),
    ) {
        let addresses: Vec<u32> = (0..1u32 << DEPTH).map(|n| n << (32 - u32::from(DEPTH))).collect();
        let (mut compressor, mut routes, mut table) = (Compressor::default(), Routes::new(), Table::new());
        for step in steps {
            let before: Vec<_> = addresses.iter().map(|&a| wanted(&routes, a, DEPTH)).collect();
            let pinned = |routes: &Routes<u32>| routes.values().filter(|(_, pinned)| *pinned).count();
            let touches_pin = routes.get(&step.0).is_some_and(|(_, pinned)| *pinned)
                || step.1.is_some_and(|(_, pinned)| pinned);
            let changes = apply(&mut compressor, &mut routes, step);
            let after: Vec<_> = addresses.iter().map(|&a| wanted(&routes, a, DEPTH)).collect();
            for change in &changes {
                carry_out(&mut table, change);
                // What is pinned changes by itself, in one moment of which we know nothing.
                for (index, &addr) in addresses.iter().enumerate().filter(|_| !touches_pin) {
                    let now = decide(&routes, &table, addr, DEPTH);
                    prop_assert!(now == before[index] || now == after[index], "{addr:x}: {now:?} {changes:?}");
                }
            }
            for (index, &addr) in addresses.iter().enumerate() {
                prop_assert_eq!(decide(&routes, &table, addr, DEPTH), after[index], "{:x} {:?}", addr, &routes);
            }
            prop_assert_eq!(&compressor.entries().collect::<Table<u32>>(), &table);
            let least = least(&routes, Prefix::new(0, 0), 0)[0];
            prop_assert_eq!(table.len() as u32, least, "{:?}", &routes);
            prop_assert_eq!(&from_scratch(&routes), &table, "{:?}", &routes);
            prop_assert_eq!(compressor.routes(), routes.len() - pinned(&routes));
        }
    }

    #[test]
    fn long_addresses_are_decided_as_before_at_every_edge(
        steps in prop::collection::vec(step(long_prefix()), 1..80),
    ) {
        let (mut compressor, mut routes, mut table) = (Compressor::default(), Routes::new(), Table::new());
        for step in steps {
            for change in apply(&mut compressor, &mut routes, step) {
                carry_out(&mut table, &change);
            }
        }
        let host = |len: u8| u128::MAX.checked_shr(len.into()).unwrap_or(0);
        let edges = routes.keys().chain(table.keys()).flat_map(|prefix| {
            let (first, last) = (prefix.bits, prefix.bits | host(prefix.len));
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
        });
        for addr in edges {
            prop_assert_eq!(decide(&routes, &table, addr, 128), wanted(&routes, addr, 128), "{:x}", addr);
        }
        prop_assert_eq!(&from_scratch(&routes), &table);
    }
}

/// Few of the first bits differ, so that prefixes nest; lengths reach both ends.
fn long_prefix() -> impl Strategy<Value = Prefix<u128>> {
    (0..8u128, 0..8u128, prop_oneof![0..=6u8, 30..=36u8, 60..=66u8, 124..=128u8])
        .prop_map(|(high, low, len)| Prefix::new(high << 125 | high << 64 | low << 61 | low, len))
}

#[test]
fn a_route_that_comes_and_goes_leaves_nothing() {
    let mut compressor = Compressor::<u32>::default();
    let decision = Decision::new(1).unwrap();
    let octets = {
        compressor.insert(Prefix::new(0x0a00_0000, 8), decision, false);
        compressor.octets()
    };
    for n in 0..1000u32 {
        compressor.insert(Prefix::new(n << 12, 24), Decision::new(n % 7 + 1).unwrap(), false);
        compressor.remove(Prefix::new(n << 12, 24));
    }
    compressor.remove(Prefix::new(0x0a00_0000, 8));
    assert_eq!((compressor.len(), compressor.routes()), (0, 0));
    assert!(compressor.octets() <= octets + 4096, "{} {octets}", compressor.octets());
}

#[test]
fn a_node_has_the_size_the_table_is_designed_for() {
    const { assert!(Compressor::<u32>::NODE_OCTETS <= 28) };
    const { assert!(Compressor::<u128>::NODE_OCTETS <= 48) };
}
