//! Options of areas, links and timers, each in the smallest network that shows it.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use ferrite_ospf::config::{
    AreaConfig, AreaKind, Authentication, BackoffTimes, Config, NetworkType, Range, VirtualLink,
};
use ferrite_ospf::event::External;
use ferrite_ospf::instance::Place;
use ferrite_ospf::neighbor::State;
use ferrite_ospf::packet::auth::{Algorithm, Key};
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_ospf::{Event, IfId};
use ferrite_sim::Link;
use ferrite_spf::backoff;

use crate::address::{Plan, router_id, shortened};
use crate::world::{Topology, World};

const ONE: AreaId = AreaId::from_bits(1);
const TWO: AreaId = AreaId::from_bits(2);

fn link() -> Link {
    Link::reliable(Duration::from_millis(2))
}

fn configure<V: Plan>(world: &mut World<V>, router: usize, change: impl FnOnce(&mut Config)) {
    let mut config = world.topology.config(router);
    change(&mut config);
    world.feed(router, Event::Configured(Box::new(config)));
}

/// 0 in the backbone - 1 the border router - 2 in the area.
fn with_area<V: Plan>(area: AreaConfig) -> World<V> {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.segment(ONE, NetworkType::PointToPoint, &[1, 2], 10);
    topology.loopbacks = [(1, AreaId::BACKBONE)].into();
    topology.areas.insert(ONE, area);
    World::new(topology, 71, link())
}

fn substitute<V: Plan>(_: PhantomData<V>) {
    let range = shortened(V::loopback_prefix(2), 30, 64);
    let shown = V::outside(7);
    let ranges =
        BTreeMap::from([(range, Range { substitute: Some(shown), cost: Some(5), ..Range::default() })]);
    let mut world = with_area::<V>(AreaConfig { ranges, ..AreaConfig::default() });
    world.run(90);
    let routes = world.core(0).routes();
    assert_eq!(
        routes.get(&shown).map(|route| route.cost),
        Some(15),
        "in the place of the range, at its cost"
    );
    assert!(!routes.contains_key(&range) && !routes.contains_key(&V::loopback_prefix(2)));
}
all!(a_range_is_announced_under_another_prefix, substitute);

fn suppressed_forwarding<V: Plan>(_: PhantomData<V>) {
    let forwarding = |suppress: bool| {
        let area =
            AreaConfig { kind: AreaKind::Nssa, suppress_forwarding: suppress, ..AreaConfig::default() };
        let mut world = with_area::<V>(area);
        let route = External { metric: 20, type2: true, tag: 0, forwarding: None };
        world.feed(2, Event::Redistribute(V::outside(1), Some(route)));
        world.run(150);
        let route = &world.core(0).routes()[&V::outside(1)];
        assert_eq!(route.type2_cost, 20);
        // Without the address the way is to who translated, with it to who told the area.
        route.cost
    };
    assert_eq!([forwarding(false), forwarding(true)], [20, 10]);
}
all!(a_translated_route_leads_to_who_told_it_or_who_translated_it, suppressed_forwarding);

fn fast_hello<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(2);
    topology.p2p(0, 1, 10);
    let mut world = World::<V>::new(topology, 72, link());
    for router in 0..2 {
        configure(&mut world, router, |config| {
            config.interfaces.values_mut().for_each(|interface| interface.fast_hello = Some(4));
        });
    }
    world.run(20);
    world.check();
    // One side falls silent: it is missed within a second, long before forty.
    world.silence(1);
    world.run(2);
    let interface = world.core(0).interface(IfId(0)).expect("an interface");
    assert!(interface.neighbors.values().all(|neighbor| neighbor.state == State::Down), "still a neighbour");
}
all!(a_neighbour_with_fast_hellos_is_missed_within_a_second, fast_hello);

/// RFC 8405: the first change is answered at once, more of them after longer, and quiet brings the start back.
fn backoff<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(4);
    for (a, b) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        topology.p2p(a, b, 10);
    }
    let mut world = World::<V>::new(topology, 73, link());
    let times = BackoffTimes {
        initial: Duration::from_millis(50),
        short: Duration::from_millis(200),
        long: Duration::from_secs(5),
        hold_down: Duration::from_secs(10),
        time_to_learn: Duration::from_millis(500),
    };
    for router in 0..4 {
        configure(&mut world, router, |config| {
            config.timers.backoff = Some(times);
            config.timers.min_interval = Duration::ZERO;
            config.timers.min_arrival = Duration::ZERO;
        });
    }
    world.run(120);
    world.check();
    let state = |world: &World<V>| world.core(0).spf().state;
    assert_eq!(state(&world), Some(backoff::State::Quiet));
    let set = |world: &mut World<V>, cost: u16| {
        world.topology.segments[2].ends[0].1 = cost;
        configure(world, 2, |config| {
            config.timers.backoff = Some(times);
            config.timers.min_interval = Duration::ZERO;
            config.timers.min_arrival = Duration::ZERO;
        });
    };
    // Microseconds from the change until the calculation that is then due.
    let wait = |world: &World<V>| world.core(0).spf().next.map(|next| next.since(world.net.now()));
    let mut waits = Vec::new();
    for cost in [11, 12, 13, 14] {
        set(&mut world, cost);
        let at = world.net.now() + Duration::from_millis(40);
        world.net.run_until(at);
        waits.push(wait(&world).map(|left| left.as_millis()));
        let at = world.net.now() + Duration::from_millis(360);
        world.net.run_until(at);
    }
    let due: Vec<bool> = waits.iter().map(Option::is_some).collect();
    assert_eq!(due, [true; 4], "{waits:?}");
    assert!(waits[0] <= Some(50), "the first at once: {waits:?}");
    assert!(waits[1] > Some(100) && waits[1] <= Some(200), "then after a short while: {waits:?}");
    assert!(waits[3] > Some(1000), "a storm waits long: {waits:?}");
    assert_eq!(state(&world), Some(backoff::State::LongWait));
    world.run(30);
    assert_eq!(state(&world), Some(backoff::State::Quiet));
    world.check();
}
all!(calculations_back_off_from_a_storm_of_changes, backoff);

/// A virtual link has keys of its own: it forms with the right one only.
fn signed_virtual_link<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(5);
    topology.p2p(0, 1, 10);
    topology.segment(ONE, NetworkType::PointToPoint, &[1, 2], 10);
    topology.segment(ONE, NetworkType::PointToPoint, &[2, 3], 10);
    topology.segment(TWO, NetworkType::PointToPoint, &[3, 4], 10);
    topology.loopbacks = BTreeMap::from([(1, AreaId::BACKBONE), (3, ONE)]);
    let mut world = World::<V>::new(topology, 74, link());
    let key = |secret: &str| {
        let key = Key { id: 5, algorithm: Algorithm::HmacSha256, secret: secret.as_bytes().to_vec() };
        Authentication::Keys(vec![key])
    };
    let join = |world: &mut World<V>, secrets: [&str; 2]| {
        for ((router, end), secret) in [(1, 3), (3, 1)].into_iter().zip(secrets) {
            configure(world, router, |config| {
                let link = VirtualLink { authentication: key(secret), ..VirtualLink::default() };
                let links = BTreeMap::from([(router_id(end), link)]);
                config.areas.insert(ONE, AreaConfig { virtual_links: links, ..AreaConfig::default() });
            });
        }
        world.run(150);
        world.core(0).routes().contains_key(&V::loopback_prefix(4))
    };
    assert!(!join(&mut world, ["one", "other"]), "with different keys");
    assert!(join(&mut world, ["one", "one"]), "with the same key");
    let stale = world.core(0).lsdb(Place::Area(AreaId::BACKBONE)).expect("the backbone's database");
    assert!(stale.iter().any(|(key, _)| key.adv == router_id(3)), "the far end is in the backbone");
}
both!(a_virtual_link_forms_with_its_own_key, signed_virtual_link);

fn types_of_border_routers<V: Plan>(_: PhantomData<V>) {
    use ferrite_ospf::config::AbrType;
    // 1 has two areas besides the backbone's loopback, and nobody in the backbone; 0 and 2 hang in the areas.
    let knows = |abr: AbrType, backbone: bool| {
        let mut topology = Topology::new(3);
        topology.segment(ONE, NetworkType::PointToPoint, &[0, 1], 10);
        topology.segment(TWO, NetworkType::PointToPoint, &[1, 2], 10);
        topology.abr = abr;
        topology.loopbacks = [(1, if backbone { AreaId::BACKBONE } else { ONE })].into();
        let mut world = World::<V>::new(topology, 75, link());
        world.run(90);
        (world.core(1).is_border_router(), world.core(0).routes().contains_key(&V::loopback_prefix(2)))
    };
    // RFC 3509: without a backbone only the standard's router calls itself a border router; with one all of them do.
    assert!(knows(AbrType::Standard, false).0);
    assert!(knows(AbrType::Shortcut, false).0);
    assert_eq!(knows(AbrType::Cisco, false), (false, false));
    assert_eq!(knows(AbrType::Ibm, false), (false, false));
    for abr in [AbrType::Standard, AbrType::Shortcut, AbrType::Cisco, AbrType::Ibm] {
        assert_eq!(knows(abr, true), (true, true), "{abr:?}");
    }
}
all!(kinds_of_border_routers_differ_without_a_backbone, types_of_border_routers);
