//! Flood reduction (RFC 4136): LSAs that do not age are told once, while all routers take them; those of a router that is gone are
//! flushed in the end.

use std::time::Duration;

use ferrite_ospf::config::Config;
use ferrite_ospf::instance::Place;
use ferrite_ospf::packet::auth::Sign;
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::{
    AreaId, Body, Codec, Endpoints, Lsa, LsaHeader, LsaKey, MAX_AGE, Options, Sequence, V2, v2,
};
use ferrite_ospf::{Event, IfId, Version};
use ferrite_sim::Link;

use crate::address::{Plan, router_id};
use crate::world::{Topology, World};

const HOUR: u64 = 3600;
const AREA: Place = Place::Area(AreaId::BACKBONE);

fn row() -> World<V2> {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.p2p(1, 2, 10);
    World::new(topology, 7, Link::reliable(Duration::from_millis(2)))
}

fn reduce(world: &mut World<V2>, router: usize, on: bool) {
    let config = Config { flood_reduction: on, ..world.core(router).config().clone() };
    world.feed(router, Event::Configured(Box::new(config)));
}

/// Keys and numbers of a router's database, and how many of its LSAs do not age.
fn database(world: &World<V2>, router: usize) -> (Vec<(LsaKey, Sequence)>, usize) {
    let lsdb = world.core(router).lsdb(AREA).expect("an area");
    let headers = lsdb.iter().map(|(key, entry)| (*key, *entry.lsa.header()));
    let headers: Vec<_> = headers.collect();
    let lasting = headers.iter().filter(|(_, header)| header.does_not_age()).count();
    (headers.into_iter().map(|(key, header)| (key, header.sequence)).collect(), lasting)
}

#[test]
fn what_does_not_age_is_told_once() {
    let mut world = row();
    (0..3).for_each(|router| reduce(&mut world, router, true));
    world.run(120);
    world.check();
    let before: Vec<_> = (0..3).map(|router| database(&world, router)).collect();
    assert!(before.iter().all(|(lsas, lasting)| lsas.len() == 3 && *lasting == 3), "{before:?}");
    world.run(5 * HOUR);
    world.check();
    let after: Vec<_> = (0..3).map(|router| database(&world, router)).collect();
    assert_eq!(before, after, "nothing was renewed, and nothing has expired");
}

#[test]
fn one_router_that_does_not_take_it_ends_it_for_all() {
    let mut world = row();
    (0..2).for_each(|router| reduce(&mut world, router, true));
    world.run(120);
    assert!((0..3).all(|router| database(&world, router).1 == 0), "router 2 does not take it");
    reduce(&mut world, 2, true);
    world.run(60);
    assert!((0..3).all(|router| database(&world, router).1 == 3));
    reduce(&mut world, 2, false);
    world.run(60);
    world.check();
    assert!((0..3).all(|router| database(&world, router).1 == 0), "all age again");
    let before = database(&world, 0).0;
    world.run(HOUR);
    assert!(
        before.iter().zip(database(&world, 0).0).all(|((_, old), (_, new))| *old < new),
        "and are renewed"
    );
}

#[test]
fn what_does_not_age_of_a_router_that_is_gone_is_flushed() {
    let mut world = row();
    (0..3).for_each(|router| reduce(&mut world, router, true));
    world.run(120);
    world.set_segment(1, false);
    let gone = world.core(2).id();
    let known = |world: &World<V2>| database(world, 0).0.iter().any(|(key, _)| key.adv == gone);
    world.run(HOUR / 2);
    assert!(known(&world), "it may come back");
    world.run(3 * HOUR);
    assert!(!known(&world), "it did not");
    assert_eq!(database(&world, 0).0.len(), 2);
}

/// A packet to router 1 in the name of router 0.
fn from_zero(world: &mut World<V2>, body: &Body) {
    let source = V2::link(0, 0, 0).address.expect("an address");
    let destination = V2::ALL_SPF_ROUTERS;
    let origin = Origin { router: router_id(0), area: AreaId::BACKBONE, instance: 0 };
    let octets = V2::seal(&origin, body, &Sign::None, Endpoints { source, destination });
    world.feed(1, Event::Received { interface: IfId(0), source, destination, octets });
}

fn router_lsa(world: &World<V2>, of: usize) -> Lsa {
    let lsdb = world.core(1).lsdb(AREA).expect("an area");
    let own = |(key, _): &(&LsaKey, _)| key.ty == v2::ty::ROUTER && key.adv == router_id(of);
    lsdb.iter().find(own).expect("a router-LSA").1.lsa.clone()
}

/// All three reduce, and then router 0 turns out to have the mark in the wrong octet.
fn astray(show: impl Fn(&mut World<V2>)) -> World<V2> {
    let mut world = row();
    (0..3).for_each(|router| reduce(&mut world, router, true));
    world.run(120);
    assert_eq!(world.core(1).astray(AreaId::BACKBONE).count(), 0);
    show(&mut world);
    assert_eq!(world.core(1).astray(AreaId::BACKBONE).collect::<Vec<_>>(), [router_id(0)]);
    world.run(60);
    assert!((0..3).all(|router| database(&world, router).1 == 0), "all age again");
    assert!(!router_lsa(&world, 1).header().options.has(Options::DC), "we take back what we said");
    world
}

#[test]
fn a_neighbour_with_the_mark_in_the_wrong_octet_ends_it_for_all() {
    let mut world = astray(|world| {
        let lsa = router_lsa(world, 0);
        let next = Sequence(lsa.header().sequence.0 + 1);
        let header = LsaHeader { sequence: next, age: 129, ..*lsa.header() };
        let lsa = Lsa::build::<V2>(header, lsa.body()).expect("an LSA");
        from_zero(world, &Body::LinkStateUpdate(vec![lsa]));
    });
    // It says no longer that it keeps what does not age, and is one like others.
    reduce(&mut world, 0, false);
    world.run(60);
    assert_eq!(world.core(1).astray(AreaId::BACKBONE).count(), 0);
    reduce(&mut world, 0, true);
    world.run(60);
    world.check();
    assert!((0..3).all(|router| database(&world, router).1 == 3));
}

#[test]
fn a_neighbour_that_takes_our_mark_for_the_end_of_an_age_ends_it_for_all() {
    astray(|world| {
        let header = LsaHeader { age: MAX_AGE, ..*router_lsa(world, 1).header() };
        from_zero(world, &Body::LinkStateAck(vec![header]));
    });
}
