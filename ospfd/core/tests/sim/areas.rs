//! Areas: summaries, stubs, NSSAs, externals, virtual links.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use ferrite_ospf::config::{AreaConfig, AreaKind, NetworkType, Range, VirtualLink};
use ferrite_ospf::event::External;
use ferrite_ospf::instance::Place;
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_ospf::routes::PathType;
use ferrite_ospf::version::Version;
use ferrite_ospf::{Event, IfId};
use ferrite_sim::Link;
use ferrite_types::Prefix;

use crate::address::{Plan, router_id, shortened};
use crate::world::{Topology, World};

const ONE: AreaId = AreaId::from_bits(1);
const TWO: AreaId = AreaId::from_bits(2);

fn link() -> Link {
    Link::reliable(Duration::from_millis(2))
}

/// 0 - 1 = 2 - 3: area 1, the backbone, area 2; 1 and 2 are border routers with two links between them.
fn chain() -> Topology {
    let mut topology = Topology::new(4);
    topology.segment(ONE, NetworkType::PointToPoint, &[0, 1], 10);
    topology.segment(AreaId::BACKBONE, NetworkType::PointToPoint, &[1, 2], 5);
    topology.segment(TWO, NetworkType::PointToPoint, &[2, 3], 7);
    topology.loopbacks = BTreeMap::from([(1, AreaId::BACKBONE), (2, AreaId::BACKBONE)]);
    topology
}

fn external(metric: u32, type2: bool) -> External {
    External { metric, type2, tag: 7, forwarding: None }
}

fn summaries<V: Plan>(_: PhantomData<V>) {
    let mut world = World::<V>::new(chain(), 11, link());
    world.run(90);
    world.check();
    let route = &world.core(0).routes()[&V::loopback_prefix(3)];
    assert_eq!((route.path, route.area, route.cost), (PathType::Inter, ONE, 22));
    assert_eq!(world.core(0).routes()[&V::segment_prefix(2)].cost, 22);
    world.set_segment(2, false);
    world.run(60);
    world.check();
    assert!(!world.core(0).routes().contains_key(&V::loopback_prefix(3)));
}
all!(border_routers_tell_areas_of_each_other, summaries);

fn ladder<V: Plan>(_: PhantomData<V>) {
    // Two border routers per area, areas of a square each, the backbone a ring.
    let mut topology = Topology::new(12);
    for (at, area) in [(0, ONE), (4, TWO)] {
        topology.segment(area, NetworkType::PointToPoint, &[at, at + 1], 3);
        topology.segment(area, NetworkType::PointToPoint, &[at + 1, at + 2], 4);
        topology.segment(area, NetworkType::PointToPoint, &[at + 2, at + 3], 5);
        topology.segment(area, NetworkType::PointToPoint, &[at + 3, at], 6);
    }
    for (a, b, cost) in [(0, 8, 2), (8, 9, 9), (9, 4, 1), (2, 10, 3), (10, 11, 4), (11, 6, 2), (8, 10, 1)] {
        topology.p2p(a, b, cost);
    }
    topology.loopbacks = (0..8).map(|router| (router, if router < 4 { ONE } else { TWO })).collect();
    let mut world = World::<V>::new(topology, 12, link());
    world.run(120);
    world.check();
    for segment in [8, 13, 2] {
        world.set_segment(segment, false);
        world.run(90);
        world.check();
    }
    for segment in [8, 13, 2] {
        world.set_segment(segment, true);
    }
    world.run(120);
    world.check();
}
all!(areas_with_two_border_routers_each, ladder);

fn stub<V: Plan>(_: PhantomData<V>) {
    let mut topology = chain();
    topology.areas.insert(
        ONE,
        AreaConfig { kind: AreaKind::Stub, no_summary: true, default_cost: 3, ..AreaConfig::default() },
    );
    topology.areas.insert(TWO, AreaConfig { kind: AreaKind::Stub, ..AreaConfig::default() });
    let mut world = World::<V>::new(topology, 13, link());
    world.feed(1, Event::Redistribute(V::outside(1), Some(external(20, true))));
    world.run(120);
    let default = |world: &World<V>, router: usize| {
        let routes = world.core(router).routes();
        routes.iter().find(|(prefix, _)| prefix.len() == 0).map(|(_, route)| (route.path, route.cost))
    };
    // A totally stubby area hears of nothing but the default; a stub area of all but externals.
    assert_eq!(default(&world, 0), Some((PathType::Inter, 13)));
    assert_eq!(default(&world, 3), Some((PathType::Inter, 8)));
    assert!(!world.core(0).routes().contains_key(&V::loopback_prefix(3)));
    assert!(world.core(3).routes().contains_key(&V::loopback_prefix(0)));
    assert!(!world.core(3).routes().contains_key(&V::outside(1)));
    assert_eq!(world.core(2).routes()[&V::outside(1)].path, PathType::External2);
    assert!(world.core(3).lsdb(Place::As).expect("a database").is_empty());
}
all!(stub_areas_hear_the_default, stub);

fn externals<V: Plan>(_: PhantomData<V>) {
    let mut world = World::<V>::new(chain(), 14, link());
    world.feed(3, Event::Redistribute(V::outside(1), Some(external(20, true))));
    world.feed(3, Event::Redistribute(V::outside(2), Some(external(30, false))));
    world.feed(1, Event::Redistribute(V::outside(2), Some(external(100, false))));
    world.run(120);
    let route = |world: &World<V>, router: usize, number: usize| {
        let route = world.core(router).routes().get(&V::outside(number))?;
        Some((route.path, route.cost, route.type2_cost, route.tag, route.hops.len()))
    };
    assert_eq!(route(&world, 0, 1), Some((PathType::External2, 22, 20, 7, 1)));
    assert_eq!(route(&world, 0, 2), Some((PathType::External1, 52, 0, 7, 1)));
    // The better one goes: the other is used.
    world.feed(3, Event::Redistribute(V::outside(2), None));
    world.run(60);
    assert_eq!(route(&world, 0, 2), Some((PathType::External1, 110, 0, 7, 1)));
    world.feed(1, Event::Redistribute(V::outside(2), None));
    world.run(60);
    assert_eq!(route(&world, 0, 2), None);
    world.check();
    for router in 0..4 {
        assert_eq!(world.core(router).lsdb(Place::As).expect("a database").len(), 1, "router {router}");
    }
}
all!(external_routes_cross_areas, externals);

fn nssa<V: Plan>(_: PhantomData<V>) {
    let mut topology = chain();
    let config = AreaConfig {
        kind: AreaKind::Nssa,
        default_originate: true,
        default_cost: 4,
        ..AreaConfig::default()
    };
    topology.areas.insert(TWO, config);
    let mut world = World::<V>::new(topology, 15, link());
    world.feed(3, Event::Redistribute(V::outside(1), Some(external(20, true))));
    world.feed(1, Event::Redistribute(V::outside(2), Some(external(30, true))));
    world.run(150);
    // Translated at the border, and reached by its forwarding address.
    let place = world.core(0).lsdb(Place::As).expect("a database");
    assert!(place.iter().any(|(key, _)| key.adv == router_id(2)), "router 2 translates");
    assert_eq!(world.core(0).routes()[&V::outside(1)].path, PathType::External2);
    assert_eq!(world.core(2).routes()[&V::outside(1)].path, PathType::External2);
    // What comes from outside is not told inside, but for the default.
    let inside = world.core(3).routes();
    assert!(!inside.contains_key(&V::outside(2)));
    let default = inside.iter().find(|(prefix, _)| prefix.len() == 0).expect("a default route").1;
    // OSPFv2 has one of type 3 as well, as FRR's, and it comes first.
    let expected = if V::VERSION == 2 { (PathType::Inter, 11) } else { (PathType::External2, 7) };
    assert_eq!((default.path, default.cost), expected);
    let inside = world.core(3).lsdb(Place::Area(TWO)).expect("a database");
    assert_eq!(inside.iter().filter(|(key, _)| key.ty == V::NSSA && key.adv == router_id(2)).count(), 1);
    assert!(world.core(3).lsdb(Place::As).expect("a database").is_empty());
    world.check();
}
all!(nssas_are_translated_at_the_border, nssa);

fn ranges<V: Plan>(_: PhantomData<V>) {
    let mut topology = chain();
    let range = shortened(V::loopback_prefix(3), 30, 64);
    let hidden = V::segment_prefix(2);
    let ranges: BTreeMap<Prefix, Range> =
        BTreeMap::from([(range, Range::default()), (hidden, Range { advertise: false, ..Range::default() })]);
    topology.areas.insert(TWO, AreaConfig { ranges, ..AreaConfig::default() });
    let mut world = World::<V>::new(topology, 16, link());
    world.run(90);
    let routes = world.core(0).routes();
    assert_eq!(routes[&range].cost, 22);
    assert!(!routes.contains_key(&V::loopback_prefix(3)), "gathered");
    assert!(!routes.contains_key(&hidden), "hidden");
    assert!(world.core(2).routes().contains_key(&hidden));
}
all!(ranges_gather_and_hide, ranges);

fn virtual_link<V: Plan>(_: PhantomData<V>) {
    // Backbone 0 - 1, area 1 with 1 - 2 - 3, area 2 with 3 - 4: router 3 is in no backbone but for the virtual link 1 - 3.
    let mut topology = Topology::new(5);
    topology.segment(AreaId::BACKBONE, NetworkType::PointToPoint, &[0, 1], 10);
    topology.segment(ONE, NetworkType::PointToPoint, &[1, 2], 10);
    topology.segment(ONE, NetworkType::PointToPoint, &[2, 3], 10);
    topology.segment(TWO, NetworkType::PointToPoint, &[3, 4], 10);
    topology.loopbacks = BTreeMap::from([(1, AreaId::BACKBONE), (3, ONE)]);
    let mut world = World::<V>::new(topology.clone(), 17, link());
    world.run(90);
    assert!(!world.core(0).routes().contains_key(&V::loopback_prefix(4)), "area 2 is cut off");
    for (router, end) in [(1, 3), (3, 1)] {
        let mut config = topology.config(router);
        let links = BTreeMap::from([(router_id(end), VirtualLink::default())]);
        config.areas.insert(ONE, AreaConfig { virtual_links: links, ..AreaConfig::default() });
        world.feed(router, Event::Configured(Box::new(config)));
    }
    world.run(150);
    let virtuals: Vec<usize> = world
        .core(1)
        .interfaces()
        .values()
        .filter(|i| i.virtual_to.is_some())
        .map(|i| i.full().count())
        .collect();
    assert_eq!(virtuals, [1], "the virtual link is adjacent");
    let route = |from: usize, to: usize| {
        world.core(from).routes().get(&V::loopback_prefix(to)).map(|route| (route.path, route.cost))
    };
    assert_eq!(route(0, 4), Some((PathType::Inter, 40)));
    assert_eq!(route(4, 0), Some((PathType::Inter, 40)));
    assert_eq!(route(3, 0), Some((PathType::Intra, 30)), "over the virtual link into the backbone");
    assert_eq!(
        world.core(3).routes()[&V::loopback_prefix(0)]
            .hops
            .iter()
            .map(|hop| hop.interface)
            .collect::<Vec<_>>(),
        [IfId(0)]
    );
    // The transit area breaks, and with it the link.
    world.set_segment(1, false);
    world.run(90);
    assert!(!world.core(0).routes().contains_key(&V::loopback_prefix(4)));
    world.set_segment(1, true);
    world.run(150);
    assert_eq!(world.core(0).routes().get(&V::loopback_prefix(4)).map(|route| route.cost), Some(40));
}
both!(a_virtual_link_joins_an_area_to_the_backbone, virtual_link);

/// A boundary router is nearer through a stub area, whose routers know nothing of what it announces. Those of an NSSA hear it too.
fn around_the_ignorant<V: Plan>(_: PhantomData<V>) {
    for (kind, over) in [(AreaKind::Stub, IfId(0)), (AreaKind::Nssa, IfId(1))] {
        let mut topology = Topology::new(3);
        topology.p2p(0, 1, 20);
        topology.segment(ONE, NetworkType::PointToPoint, &[0, 2], 1);
        topology.segment(ONE, NetworkType::PointToPoint, &[2, 1], 1);
        topology.areas.insert(ONE, AreaConfig { kind, ..AreaConfig::default() });
        topology.loopbacks = BTreeMap::from([(0, AreaId::BACKBONE), (1, AreaId::BACKBONE)]);
        let mut world = World::<V>::new(topology, 17, link());
        world.feed(1, Event::Redistribute(V::outside(1), Some(external(5, false))));
        world.run(120);
        world.check();
        let hops = |prefix: &Prefix| {
            world.core(0).routes()[prefix].hops.iter().map(|hop| hop.interface).collect::<Vec<_>>()
        };
        assert_eq!(hops(&V::outside(1)), [over], "{kind:?}");
    }
}
all!(type_5_goes_around_areas_that_do_not_know_it, around_the_ignorant);

/// The version's own constants name the scopes they should.
#[test]
fn types_have_their_scopes() {
    use ferrite_ospf::packet::{Codec, Scope};
    assert_eq!(V2::scope(<V2 as Version>::EXTERNAL), Some(Scope::As));
    assert_eq!(<V3>::scope(<V3 as Version>::EXTERNAL), Some(Scope::As));
    assert_eq!(V2::scope(<V2 as Version>::NSSA), Some(Scope::Area));
    assert_eq!(<V3>::scope(<V3 as Version>::NSSA), Some(Scope::Area));
    assert_eq!(V2::scope(<V2 as Version>::ROUTER), Some(Scope::Area));
    assert_eq!(<V3>::scope(<V3 as Version>::ROUTER), Some(Scope::Area));
}
