//! What an operator asks for beyond the protocol: filters between areas, suppressed prefixes, ranges of external routes, stub routers
//! for a while, chains of keys.

use std::marker::PhantomData;
use std::time::Duration;

use ferrite_ospf::config::{
    AreaConfig, Authentication, ChainKey, Config, ExternalRange, Filter, Lifetime, NetworkType,
};
use ferrite_ospf::event::External;
use ferrite_ospf::packet::auth::{Algorithm, Key};
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_ospf::{Event, IfId};
use ferrite_sim::Link;

use crate::address::Plan;
use crate::world::{Topology, World};

const ONE: AreaId = AreaId::from_bits(1);

fn link() -> Link {
    Link::reliable(Duration::from_millis(2))
}

/// Area 1 with 0 - 1, the backbone with 1 - 2.
fn two_areas<V: Plan>(area: AreaConfig) -> World<V> {
    let mut topology = Topology::new(3);
    topology.segment(ONE, NetworkType::PointToPoint, &[0, 1], 10);
    topology.p2p(1, 2, 10);
    topology.loopbacks = [(1, AreaId::BACKBONE)].into();
    topology.areas.insert(ONE, area);
    let mut world = World::<V>::new(topology, 61, link());
    world.run(90);
    world
}

fn all_but<V: Plan>(router: usize) -> Option<Filter> {
    let denied = V::loopback_prefix(router);
    Some(Filter::new(move |prefix| prefix != denied))
}

fn filters<V: Plan>(_: PhantomData<V>) {
    let knows = |world: &World<V>, at: usize, of: usize| {
        world.core(at).routes().contains_key(&V::loopback_prefix(of))
    };
    for area in [
        AreaConfig { export: all_but::<V>(0), ..AreaConfig::default() },
        AreaConfig { filter_out: all_but::<V>(0), ..AreaConfig::default() },
    ] {
        let world = two_areas::<V>(area);
        assert_eq!([knows(&world, 2, 0), knows(&world, 0, 2)], [false, true]);
        assert!(world.core(2).routes().contains_key(&V::segment_prefix(0)));
    }
    for area in [
        AreaConfig { import: all_but::<V>(2), ..AreaConfig::default() },
        AreaConfig { filter_in: all_but::<V>(2), ..AreaConfig::default() },
    ] {
        let world = two_areas::<V>(area);
        assert_eq!([knows(&world, 2, 0), knows(&world, 0, 2)], [true, false]);
        assert!(world.core(0).routes().contains_key(&V::segment_prefix(1)));
    }
}
all!(lists_filter_what_areas_tell_each_other, filters);

fn row<V: Plan>(change: impl Fn(usize, &mut Config)) -> World<V> {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.segment(AreaId::BACKBONE, NetworkType::Broadcast, &[1, 2], 10);
    let mut world = World::<V>::new(topology.clone(), 62, link());
    for router in 0..3 {
        let mut config = topology.config(router);
        change(router, &mut config);
        world.feed(router, Event::Configured(Box::new(config)));
    }
    world
}

fn suppression<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>(|_, config| {
        config.interfaces.values_mut().for_each(|interface| interface.prefix_suppression = true);
    });
    world.run(120);
    world.check();
    // Whom the networks connect is known, the networks are not (RFC 6860).
    assert!(!world.core(2).routes().contains_key(&V::segment_prefix(0)));
    assert!(!world.core(0).routes().contains_key(&V::segment_prefix(1)));
}
all!(networks_between_routers_are_kept_back, suppression);

fn external_range<V: Plan>(_: PhantomData<V>) {
    let range = V::outside(1).truncate(V::outside(1).len() - 8);
    let mut world = row::<V>(|router, config| {
        if router == 2 {
            config.external_ranges.insert(range, ExternalRange { tag: 9, ..ExternalRange::default() });
        }
    });
    world.run(90);
    for (number, metric) in [(1, 20), (2, 30)] {
        let external = External { metric, type2: true, tag: 1, forwarding: None };
        world.feed(2, Event::Redistribute(V::outside(number), Some(external)));
    }
    world.run(20);
    let route = world.core(0).routes().get(&range).expect("the range");
    assert_eq!((route.type2_cost, route.tag), (30, 9));
    assert!(!world.core(0).routes().contains_key(&V::outside(1)), "gathered");
    for number in [1, 2] {
        world.feed(2, Event::Redistribute(V::outside(number), None));
    }
    world.run(20);
    assert!(!world.core(0).routes().contains_key(&range));
}
all!(external_routes_are_gathered, external_range);

fn chain<V: Plan>(_: PhantomData<V>) {
    let key = |id: u32, from: Option<u64>, until: Option<u64>| {
        let secret = format!("secret {id}").into_bytes();
        let send = Lifetime { from, until };
        ChainKey {
            key: Key { id, algorithm: Algorithm::HmacSha256, secret },
            send,
            accept: Lifetime::default(),
        }
    };
    let keys = vec![key(1, None, Some(1_000_120)), key(2, Some(1_000_120), None)];
    let mut world = row::<V>(|_, config| {
        let interfaces = config.interfaces.values_mut();
        interfaces.for_each(|interface| interface.authentication = Authentication::Chain(keys.clone()));
    });
    for router in 0..3 {
        world.feed(router, Event::Clock(1_000_000));
    }
    world.run(100);
    world.check();
    let changes = |world: &World<V>| {
        let interface = world.core(1).interface(IfId(0)).expect("an interface");
        interface.neighbors.values().map(|neighbor| neighbor.changes).sum::<u32>()
    };
    let before = (changes(&world), world.core(1).refusals().clone());
    // The first key's time is over; nobody notices.
    world.run(100);
    world.check();
    assert_eq!((changes(&world), world.core(1).refusals().clone()), before);
}
all!(keys_change_without_a_neighbour_lost, chain);

fn startup<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.p2p(1, 2, 10);
    topology.p2p(0, 2, 500);
    let mut world = World::<V>::new(topology.clone(), 63, link());
    world.run(60);
    let mut config = topology.config(1);
    config.stub_on_startup = Some(Duration::from_secs(100));
    world.topology = topology;
    world.replace(1, config);
    world.run(60);
    let cost = |world: &World<V>| world.core(0).routes()[&V::loopback_prefix(2)].cost;
    assert_eq!(cost(&world), 500, "nothing leads through it yet");
    world.run(60);
    assert_eq!(cost(&world), 20);
}
all!(a_router_is_a_stub_for_a_while_after_its_start, startup);
