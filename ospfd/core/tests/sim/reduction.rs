//! Flood reduction (RFC 4136): LSAs that do not age are told once, while all routers take them; those of a router that is gone are
//! flushed in the end.

use std::time::Duration;

use ferrite_ospf::Event;
use ferrite_ospf::config::Config;
use ferrite_ospf::instance::Place;
use ferrite_ospf::packet::{AreaId, LsaKey, Sequence, V2};
use ferrite_sim::Link;

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
