//! The tries against lists: validation, and the difference of two tables.

use ferrite_rpki::{OriginState, Tables, Vrp, VrpTable};
use ferrite_types::{Asn, Ipv4Prefix, Ipv6Prefix, Prefix};
use proptest::prelude::*;

/// Few bits, so that prefixes meet: IPv4 below 10.0.0.0/8, IPv6 below 2001::/16.
fn prefix() -> impl Strategy<Value = Prefix> {
    prop_oneof![
        (any::<u8>(), 8..=16u8).prop_map(|(bits, len)| {
            Prefix::V4(Ipv4Prefix::from_bits(10 << 24 | u32::from(bits) << 16, len).unwrap())
        }),
        (any::<u8>(), 16..=24u8).prop_map(|(bits, len)| {
            Prefix::V6(Ipv6Prefix::from_bits(0x2001 << 112 | u128::from(bits) << 104, len).unwrap())
        }),
        Just("0.0.0.0/0".parse().unwrap()),
        Just("::/0".parse().unwrap()),
    ]
}

fn vrp() -> impl Strategy<Value = Vrp> {
    (prefix(), 0..6u8, 0..4u32).prop_map(|(prefix, more, asn)| {
        Vrp::new(prefix, (prefix.len() + more).min(prefix.afi().bits()), Asn(asn)).unwrap()
    })
}

/// RFC 6811 §2, word for word.
fn naive(vrps: &[Vrp], route: Prefix, origin: Option<Asn>) -> OriginState {
    let covering: Vec<&Vrp> = vrps.iter().filter(|vrp| vrp.prefix.covers(route)).collect();
    let matches = |vrp: &&Vrp| route.len() <= vrp.max_length && vrp.asn != Asn(0) && Some(vrp.asn) == origin;
    if covering.iter().copied().any(|vrp| matches(&vrp)) {
        OriginState::Valid
    } else if covering.is_empty() {
        OriginState::NotFound
    } else {
        OriginState::Invalid
    }
}

fn tables(vrps: &[Vrp]) -> Tables {
    Tables { vrps: vrps.iter().copied().collect(), ..Tables::default() }
}

proptest! {
    #[test]
    fn the_trie_judges_as_a_list(
        mut vrps in prop::collection::vec(vrp(), 0..40),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        routes in prop::collection::vec((prefix(), prop::option::of(0..4u32)), 1..20),
    ) {
        vrps.sort_unstable();
        vrps.dedup();
        let mut table: VrpTable = vrps.iter().copied().collect();
        let whole = table.clone();
        let before = vrps.clone();
        for index in removed {
            if !vrps.is_empty() {
                let vrp = vrps.remove(index.index(vrps.len()));
                prop_assert!(table.remove(vrp));
                prop_assert!(!table.remove(vrp));
            }
        }
        let mut listed: Vec<Vrp> = table.iter().collect();
        listed.sort_unstable();
        prop_assert_eq!(&listed, &vrps);
        prop_assert_eq!(table.len(), vrps.len());
        prop_assert_eq!(whole.len(), before.len());
        for (route, origin) in routes {
            let origin = origin.map(Asn);
            prop_assert_eq!(table.validate(route, origin), naive(&vrps, route, origin));
            prop_assert_eq!(whole.validate(route, origin), naive(&before, route, origin));
            let mut within = table.within(route);
            within.sort_unstable();
            let expected: Vec<Vrp> = vrps.iter().copied().filter(|vrp| route.covers(vrp.prefix)).collect();
            prop_assert_eq!(within, expected);
        }
    }

    #[test]
    fn the_difference_names_every_route_that_is_judged_differently(
        a in prop::collection::vec(vrp(), 0..30),
        added in prop::collection::vec(vrp(), 0..5),
        taken in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        routes in prop::collection::vec((prefix(), 0..4u32), 1..30),
    ) {
        let before = tables(&a);
        let mut after = before.clone();
        let mut touched = Vec::new();
        for vrp in added {
            if after.vrps.insert(vrp) {
                touched.push(vrp.prefix);
            }
        }
        for index in taken {
            if !a.is_empty() {
                let vrp = a[index.index(a.len())];
                if after.vrps.remove(vrp) {
                    touched.push(vrp.prefix);
                }
            }
        }
        // The same tables made anew share nothing, and differ in the same.
        let anew = tables(&after.vrps.iter().collect::<Vec<_>>());
        let delta = before.delta(&after);
        prop_assert_eq!(&before.delta(&anew), &delta);
        prop_assert!(after.delta(&anew).is_empty());
        for (route, origin) in routes {
            let origin = Some(Asn(origin));
            if before.vrps.validate(route, origin) != after.vrps.validate(route, origin) {
                prop_assert!(delta.covers(route));
            }
            if delta.covers(route) {
                prop_assert!(touched.iter().any(|prefix| prefix.covers(route)));
            }
        }
    }
}

#[test]
fn as_0_makes_nothing_valid() {
    let table: VrpTable =
        [Vrp::new("10.0.0.0/8".parse().unwrap(), 24, Asn(0)).unwrap()].into_iter().collect();
    let route = "10.1.0.0/16".parse().unwrap();
    assert_eq!(table.validate(route, Some(Asn(0))), OriginState::Invalid);
    assert_eq!(table.validate(route, None), OriginState::Invalid);
    assert_eq!(table.validate("11.0.0.0/8".parse().unwrap(), None), OriginState::NotFound);
}
