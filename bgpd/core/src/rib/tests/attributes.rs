//! Filters of neighbours, conditions, dampening, bandwidths and limits, one sentence a test.

use bgp_packet::orf::{OrfAction, OrfEntry, OrfItem, OrfUpdate};
use ferrite_types::ExtCommunity;

use super::*;
use crate::rib::bandwidth::{BandwidthUse, community};
use crate::rib::damping::Dampening;
use crate::rib::orf::{OrfList, OutboundFilter};
use crate::rib::policy::{Filter, PolicyInput, Verdict};
use crate::rib::settings::{AggregateStatement, Conditional};

const A: u32 = 1;
const B: u32 = 2;
const C: u32 = 3;

fn external(n: u8, remote_as: u32) -> PeerParams {
    peer(PeerKind::External, n, remote_as)
}

/// Permits what lies within a prefix.
#[derive(Debug)]
struct Within(Prefix);

impl Filter for Within {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        if self.0.covers(route.prefix) { Verdict::Permit } else { Verdict::Deny }
    }
}

fn within(text: &str) -> Arc<dyn Filter> {
    Arc::new(Within(prefix(text)))
}

fn has(world: &World, id: u32, text: &str) -> bool {
    world.remote(id).table.contains_key(&prefix(text))
}

#[test]
fn a_condition_lets_routes_out_in_every_shard() {
    for of in [1, 4] {
        let mut world = World::new(of);
        world.configure(|config| config.advertise_interval = 5);
        let conditional =
            Conditional { routes: within("10.0.0.0/8"), condition: within("203.0.113.0/24"), exists: true };
        world.up(A, external(1, 65001));
        world.up(B, with_family(external(2, 65002), |family| family.advertise = Some(conditional.clone())));
        let attrs = Arc::new(route(&[65001]));
        let all = ["10.1.0.0/16", "10.9.0.0/16", "172.16.0.0/16"];
        world.announce(A, &all.map(prefix), &attrs);
        world.settle();
        assert!(!has(&world, B, "10.1.0.0/16") && !has(&world, B, "10.9.0.0/16"), "{of} shards");
        assert!(has(&world, B, "172.16.0.0/16"));
        world.announce(A, &[prefix("203.0.113.0/24")], &attrs);
        world.settle();
        assert!(all.iter().all(|text| has(&world, B, text)), "{of} shards");
        world.withdraw(A, prefix("203.0.113.0/24"));
        world.settle();
        assert!(!has(&world, B, "10.1.0.0/16") && has(&world, B, "172.16.0.0/16"));
        // The other way round: without the condition.
        let absent = Conditional { exists: false, ..conditional };
        world.change(B, with_family(external(2, 65002), |family| family.advertise = Some(absent.clone())));
        world.settle();
        assert!(has(&world, B, "10.1.0.0/16"), "{of} shards");
    }
}

#[test]
fn a_condition_changes_what_is_told_no_more_often_than_configured() {
    let mut world = World::new(1);
    world.configure(|config| config.advertise_interval = 60);
    let conditional =
        Conditional { routes: within("10.0.0.0/8"), condition: within("203.0.113.0/24"), exists: true };
    world.up(A, external(1, 65001));
    world.up(B, with_family(external(2, 65002), |family| family.advertise = Some(conditional.clone())));
    let attrs = Arc::new(route(&[65001]));
    world.settle_for(Duration::ZERO);
    world.now = world.now + Duration::from_secs(100);
    world.announce(A, &["10.1.0.0/16", "203.0.113.0/24"].map(prefix), &attrs);
    world.settle_for(Duration::ZERO);
    assert!(has(&world, B, "10.1.0.0/16"));
    world.withdraw(A, prefix("203.0.113.0/24"));
    world.settle_for(Duration::from_secs(30));
    assert!(has(&world, B, "10.1.0.0/16"), "too early");
    world.settle_for(Duration::from_secs(60));
    assert!(!has(&world, B, "10.1.0.0/16"));
}

#[test]
fn an_unsuppress_map_lets_out_what_an_aggregate_hides() {
    let mut world = World::new(2);
    world.configure(|config| {
        config.v4().aggregates = vec![AggregateStatement {
            prefix: prefix("10.0.0.0/8"),
            as_set: false,
            summary_only: true,
            matching_med_only: false,
            map: None,
            suppress_map: None,
            origin: None,
        }];
    });
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    world.up(C, with_family(external(3, 65003), |family| family.unsuppress = Some(within("10.1.0.0/16"))));
    world.announce(A, &["10.1.0.0/16", "10.2.0.0/16"].map(prefix), &Arc::new(route(&[65001])));
    world.settle();
    assert!(has(&world, B, "10.0.0.0/8") && !has(&world, B, "10.1.0.0/16"));
    assert!(has(&world, C, "10.0.0.0/8") && has(&world, C, "10.1.0.0/16") && !has(&world, C, "10.2.0.0/16"));
}

#[test]
fn an_outbound_filter_is_waited_for_and_kept_to() {
    let mut world = World::new(2);
    world.up(A, external(1, 65001));
    world.up(B, with_family(external(2, 65002), |family| family.orf = OutboundFilter::Waiting));
    world.announce(A, &["10.1.0.0/16", "172.16.0.0/16"].map(prefix), &Arc::new(route(&[65001])));
    world.settle();
    assert!(world.remote(B).table.is_empty());
    let entry =
        OrfEntry { sequence: 5, permit: true, prefix: prefix("10.0.0.0/8"), min: None, max: Some(24) };
    let items = vec![OrfItem::Entry { action: OrfAction::Add, entry }];
    let mut list = OrfList::default();
    list.apply(&OrfUpdate { family: V4, immediate: true, items });
    let list = Arc::new(list);
    world.change(B, with_family(external(2, 65002), |f| f.orf = OutboundFilter::List(Arc::clone(&list))));
    world.settle();
    assert!(has(&world, B, "10.1.0.0/16") && !has(&world, B, "172.16.0.0/16"));
    // In another group it may hear again of what it has.
    world.remotes.get_mut(&PeerId(B)).unwrap().repeats = true;
    world.change(B, external(2, 65002));
    world.settle();
    assert!(has(&world, B, "172.16.0.0/16"));
}

#[test]
fn a_route_does_not_go_back_to_its_site() {
    let soo = ExtCommunity::as2(ExtCommunity::SITE_OF_ORIGIN, 65000, 7);
    let mut world = World::new(1);
    world.up(A, with_family(external(1, 65001), |family| family.soo = Some(soo)));
    world.up(B, with_family(external(2, 65002), |family| family.soo = Some(soo)));
    world.up(C, external(3, 65003));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    world.settle();
    assert!(!has(&world, B, "10.1.0.0/16"));
    assert_eq!(*world.remote(C).table[&prefix("10.1.0.0/16")].ext_communities, [soo]);
}

#[test]
fn a_flapping_route_is_held_back_until_its_penalty_has_decayed() {
    let mut world = World::new(1);
    world.configure(|config| {
        config.v4().dampening = Some(Dampening {
            half_life: Duration::from_mins(5),
            reuse: 750.0,
            suppress: 2000.0,
            max_suppress: Duration::from_mins(20),
        });
    });
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    let (flapping, steady) = (prefix("10.1.0.0/16"), prefix("10.2.0.0/16"));
    let attrs = Arc::new(route(&[65001]));
    world.announce(A, &[flapping, steady], &attrs);
    for _ in 0..3 {
        world.settle_for(Duration::ZERO);
        world.withdraw(A, flapping);
        world.settle_for(Duration::ZERO);
        world.announce(A, &[flapping], &attrs);
    }
    world.settle_for(Duration::from_secs(1));
    assert!(!has(&world, B, "10.1.0.0/16") && has(&world, B, "10.2.0.0/16"));
    let Answer::Flaps(flaps) = world.ask(0, 1, Query::Flaps { family: V4, peer: None }) else { panic!() };
    assert_eq!(flaps.len(), 1, "only what has flapped costs anything");
    assert!(flaps[0].suppressed && flaps[0].flaps == 3 && flaps[0].penalty > 2900);
    // From 3,000 to 750 are two half-lives.
    let later = |world: &mut World, minutes: u64| {
        world.now = world.now + Duration::from_mins(minutes);
        world.settle_for(Duration::ZERO);
    };
    later(&mut world, 9);
    assert!(!has(&world, B, "10.1.0.0/16"));
    later(&mut world, 2);
    assert!(has(&world, B, "10.1.0.0/16"));
    later(&mut world, 30);
    let Answer::Flaps(flaps) = world.ask(0, 2, Query::Flaps { family: V4, peer: None }) else { panic!() };
    assert!(flaps.is_empty(), "it is forgotten in the end");
}

#[test]
fn shares_of_the_traffic_follow_the_bandwidths() {
    let mut world = World::new(1);
    world.configure(|config| {
        config.zebra = true;
        config.install = true;
        config.v4().maximum_paths_ebgp = 8;
        config.decision.as_path_multipath_relax = true;
    });
    world.feed_all(|| ShardEvent::ReplayFib);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    for (id, n, megabits) in [(A, 1, 100.0), (B, 2, 300.0)] {
        let mut attrs = route(&[65000 + id]);
        attrs.next_hop = NextHop::V4(Ipv4Addr::new(192, 0, 2, n));
        attrs.ext_communities = [community(Asn(65000 + id), megabits * 125_000.0, true)].into();
        world.announce(id, &[prefix("10.1.0.0/16")], &Arc::new(attrs));
        world.nexthop(&format!("192.0.2.{n}"), Some(1));
    }
    world.up(C, external(3, 65003));
    world.settle();
    world.nexthop("192.0.2.1", Some(1));
    world.nexthop("192.0.2.2", Some(1));
    world.settle();
    let weights = |world: &World| -> Vec<u8> {
        world.fib[&prefix("10.1.0.0/16")].nexthops.iter().map(|nexthop| nexthop.weight).collect()
    };
    assert_eq!(weights(&world), [25, 75]);
    // Whoever is told our next hop is told of what lies behind it.
    let told = &world.remote(C).table[&prefix("10.1.0.0/16")];
    assert_eq!(crate::rib::bandwidth::bandwidth(told), Some(400.0 * 125_000.0));
    world.configure(|config| config.bandwidth = BandwidthUse::Ignore);
    world.settle();
    assert_eq!(weights(&world), [1, 1]);
}

#[test]
fn paths_beyond_the_limit_are_not_taken() {
    let mut world = World::new(1);
    world.configure(|config| config.max_paths = 3);
    world.up(A, with_family(external(1, 65001), |family| family.soft_reconfiguration = false));
    for path_id in 1..10 {
        let attrs = Arc::new(route(&[65001, 100 + path_id]));
        world.announce_path(A, &[prefix("10.1.0.0/16")], path_id, &attrs);
    }
    world.settle();
    let query = Query::Prefix { family: V4, prefix: prefix("10.1.0.0/16") };
    let Answer::Prefix(Some(view)) = world.ask(0, 1, query) else { panic!() };
    assert_eq!(view.paths.len(), 3);
}

#[test]
fn what_is_told_of_several_paths_is_made_of_all_where_the_operator_wants_it() {
    let mut world = World::new(1);
    world.configure(|config| {
        config.v4().maximum_paths_ebgp = 8;
        config.decision.as_path_multipath_relax = true;
        config.decision.as_path_as_set = true;
    });
    for (id, n) in [(A, 1), (B, 2)] {
        world.up(id, external(n, 65000 + id));
        let mut attrs = route(&[65000 + id, 7]);
        attrs.communities = [ferrite_types::Community(id)].into();
        world.announce(id, &[prefix("10.1.0.0/16")], &Arc::new(attrs));
    }
    world.up(C, external(3, 65003));
    world.settle();
    let told = |world: &World| {
        let attrs = &world.remote(C).table[&prefix("10.1.0.0/16")];
        (attrs.as_path.to_string(), attrs.communities.len())
    };
    assert_eq!(told(&world), ("65000 {7,65001,65002}".to_owned(), 2));
    world.withdraw(B, prefix("10.1.0.0/16"));
    world.settle();
    assert_eq!(told(&world), ("65000 65001 7".to_owned(), 1));
}
