//! Networks of a thousand routers: one area, and twenty areas of every shape behind a backbone.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use ferrite_ospf::Event;
use ferrite_ospf::config::{AreaConfig, AreaKind, NetworkType, Range};
use ferrite_ospf::event::External;
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_sim::Link;

use crate::address::{Plan, shortened};
use crate::oracle::{self, Oracle};
use crate::shape::Shape;
use crate::world::{Topology, World};

fn link() -> Link {
    Link {
        delay: Duration::from_millis(2),
        jitter: Duration::from_millis(3),
        loss: 0.001,
        ..Link::reliable(Duration::ZERO)
    }
}

/// All that can be asked of every router is; routes and ways of so many pairs for a sample of them.
fn check<V: Plan>(world: &World<V>, sample: usize) {
    world.check_databases();
    let oracle = Oracle::new(&world.topology);
    for router in (0..world.topology.routers).step_by(sample) {
        oracle::check_routes_of(world, &oracle, router);
        oracle::check_forwarding_to(world, &oracle, router);
    }
}

fn one_area<V: Plan>(_: PhantomData<V>) {
    // OSPFv3 has two LSAs for each router, and all else is the same.
    let routers = if V::VERSION == 2 { 1000 } else { 500 };
    let mut topology = Topology::new(routers);
    for (a, b) in Shape::Tree.edges(routers) {
        topology.p2p(a, b, 1 + (a * 7 % 5) as u16);
    }
    // The tree's far ends are joined, so that what fails has a way around.
    for leaf in (routers * 2 / 5..routers - 25).step_by(50) {
        topology.p2p(leaf, leaf + 25, 3);
    }
    topology.suppressed = true;
    topology.hello = Some((30, 120));
    let mut world = World::<V>::new(topology, 21, link());
    world.run(200);
    check(&world, 97);
    world.set_segment(30, false);
    world.run(60);
    check(&world, 97);
}
both!(a_thousand_routers_in_one_area, one_area);

/// Routers of an area have numbers of their own 64, so that one range gathers their loopbacks.
const BLOCK: usize = 64;
const AREAS: usize = 20;
const MEMBERS: usize = 48;

fn campus<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(BLOCK * (AREAS + 1));
    for (a, b) in Shape::Clos.edges(2 * AREAS) {
        topology.p2p(a, b, 1 + (b * 7 % 5) as u16);
    }
    let mut ranges = BTreeMap::new();
    for number in 1..=AREAS {
        let area = AreaId::from_bits(number as u32);
        let first = number * BLOCK;
        // A full mesh of so many has a thousand links; the shape is there with fewer routers in smaller networks.
        let shapes = [Shape::Ring, Shape::Grid, Shape::Tree, Shape::Hub, Shape::Clos];
        for (a, b) in shapes[number % shapes.len()].edges(MEMBERS) {
            topology.segment(
                area,
                NetworkType::PointToPoint,
                &[first + a, first + b],
                1 + (a * 3 % 4) as u16,
            );
        }
        for (border, member) in [(2 * number - 2, first), (2 * number - 1, first + MEMBERS - 1)] {
            topology.segment(area, NetworkType::PointToPoint, &[border, member], 5);
        }
        let range = shortened(V::loopback_prefix(first), 26, 122);
        let kind = [AreaKind::Normal, AreaKind::Normal, AreaKind::Stub, AreaKind::Nssa][number % 4];
        let ranged = BTreeMap::from([(range, Range::default())]);
        topology.areas.insert(area, AreaConfig { kind, ranges: ranged, ..AreaConfig::default() });
        ranges.insert(area, range);
    }
    topology.loopbacks = (0..2 * AREAS).map(|router| (router, AreaId::BACKBONE)).collect();
    topology.suppressed = true;
    let mut world = World::<V>::new(topology, 22, link());
    let route = External { metric: 20, type2: true, tag: 3, forwarding: None };
    // Area 3 is an NSSA: translated at its border, known in the backbone and in normal areas.
    world.feed(3 * BLOCK + 5, Event::Redistribute(V::outside(1), Some(route)));
    world.run(150);
    check_campus(&world, &ranges);
    // A border router goes: its area has another.
    for port in world.ports[6].clone() {
        world.set_segment(port, false);
    }
    world.run(150);
    check_campus(&world, &ranges);
}
both!(a_thousand_routers_in_twenty_areas, campus);

fn check_campus<V: Plan>(world: &World<V>, ranges: &BTreeMap<AreaId, ferrite_types::Prefix>) {
    world.check_databases();
    let oracle = Oracle::new(&world.topology);
    let there = (0..world.topology.routers).filter(|router| !world.ports[*router].is_empty());
    for from in there.step_by(41) {
        let routes = world.core(from).routes();
        for (area, range) in ranges {
            let first = area.0.to_bits() as usize * BLOCK;
            if !oracle.areas[from].contains(area) {
                let reached = oracle.cost(from, first).is_some();
                assert_eq!(routes.contains_key(range), reached, "from {from} to area {area}");
            }
        }
        oracle::check_forwarding_to(world, &oracle, from);
        let kind = |area: &AreaId| world.topology.areas.get(area).map_or(AreaKind::Normal, |area| area.kind);
        let hears = oracle.areas[from].iter().any(|area| kind(area) == AreaKind::Normal)
            || oracle.areas[from].contains(&AreaId::from_bits(3));
        let reached = oracle.cost(from, 3 * BLOCK + 5).is_some();
        assert_eq!(routes.contains_key(&V::outside(1)), hears && reached, "{from} to what is outside");
    }
}
