//! Shaped topologies, both versions: from two routers to a grid, with links that fail and come back.

use std::time::Duration;

use ferrite_ospf::IfId;
use ferrite_ospf::config::NetworkType;
use ferrite_ospf::interface::State as InterfaceState;
use ferrite_ospf::neighbor::State;
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_sim::Link;

use crate::address::Plan;
use crate::oracle;
use crate::world::{Topology, World};

fn link() -> Link {
    Link::reliable(Duration::from_millis(2))
}

fn two_routers<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(2);
    topology.p2p(0, 1, 10);
    let mut world = World::<V>::new(topology, 1, link());
    world.run(60);
    let interface = world.core(0).interface(IfId(0)).expect("an interface");
    assert_eq!(interface.state, InterfaceState::PointToPoint);
    assert_eq!(interface.neighbors.values().map(|n| n.state).collect::<Vec<_>>(), [State::Full]);
    world.check();
    assert_eq!(world.core(0).routes()[&V::segment_prefix(0)].cost, 10);
}
all!(two_routers_on_a_link_become_adjacent, two_routers);

fn first_adjacency<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(2);
    topology.p2p(0, 1, 10);
    topology.hello = Some((1, 4));
    let mut world = World::<V>::new(topology, 1, link());
    // What was said while nobody listened is said anew at once; the other end has the old one since a moment ago and refuses
    // news of it for a second.
    world.run(4);
    world.check();
    assert_eq!(world.core(0).routes()[&V::loopback_prefix(1)].cost, 10);
}
all!(the_first_adjacency_leads_somewhere_before_min_ls_interval_is_over, first_adjacency);

fn ring<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(6);
    for router in 0..6 {
        topology.p2p(router, (router + 1) % 6, 10);
    }
    let mut world = World::<V>::new(topology, 2, link());
    world.run(90);
    world.check();
    // Both ways around are equal to the router opposite.
    assert_eq!(world.core(0).routes()[&V::loopback_prefix(3)].hops.len(), 2);
    world.set_segment(0, false);
    world.run(60);
    world.check();
    world.set_segment(0, true);
    world.run(90);
    world.check();
    world.set_cost(3, 0, 100);
    world.run(60);
    world.check();
}
all!(a_ring_heals_around_a_broken_link, ring);

fn lan<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(5);
    topology.segment(AreaId::BACKBONE, NetworkType::Broadcast, &[0, 1, 2, 3, 4], 10);
    let mut world = World::<V>::new(topology, 3, link());
    world.run(120);
    world.check();
    let states: Vec<InterfaceState> =
        (0..5).map(|router| world.core(router).interface(IfId(0)).expect("an interface").state).collect();
    use InterfaceState::*;
    assert_eq!(states, [DrOther, DrOther, DrOther, Backup, Dr]);
    let full = |router: usize| {
        let interface = world.core(router).interface(IfId(0)).expect("an interface");
        interface.full().count()
    };
    assert_eq!([full(0), full(3), full(4)], [2, 4, 4]);
    assert_eq!(world.core(0).routes()[&V::segment_prefix(0)].cost, 10);
    // The designated router dies: the backup takes its place.
    let victim = world.links[0][4];
    world.net.set_link(victim, false);
    world.topology.segments[0].ends.retain(|(end, _)| *end != 4);
    world.run(150);
    world.check_databases();
    assert_eq!(world.core(3).interface(IfId(0)).expect("an interface").state, Dr);
    assert_eq!(world.core(2).interface(IfId(0)).expect("an interface").state, Backup);
}
all!(a_lan_elects_and_the_backup_takes_over, lan);

fn grid<V: Plan>(_: std::marker::PhantomData<V>) {
    let side = 5;
    let mut topology = Topology::new(side * side);
    for row in 0..side {
        for column in 0..side {
            let at = row * side + column;
            if column + 1 < side {
                topology.p2p(at, at + 1, 1 + (at * 7 % 5) as u16);
            }
            if row + 1 < side {
                topology.p2p(at, at + side, 1 + (at * 3 % 4) as u16);
            }
        }
    }
    let mut world = World::<V>::new(topology, 4, link());
    world.run(90);
    world.check();
    for segment in [0, 7, 12] {
        world.set_segment(segment, false);
    }
    world.run(60);
    world.check();
    for (segment, cost) in oracle::segment_costs(&world.topology, AreaId::BACKBONE, 0) {
        assert_eq!(world.core(0).routes()[&V::segment_prefix(segment)].cost, cost, "segment {segment}");
    }
}
all!(a_grid_agrees_with_the_oracle, grid);

fn restart<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(4);
    for router in 0..4 {
        topology.p2p(router, (router + 1) % 4, 10);
    }
    let mut world = World::<V>::new(topology, 5, link());
    world.run(90);
    // What the network still has of it is answered with newer instances, and the rest flushed (§13.4).
    world.crash(2);
    world.run(120);
    world.check();
}
all!(a_router_that_lost_its_memory_comes_back, restart);

fn refresh<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.segment(AreaId::BACKBONE, NetworkType::Broadcast, &[1, 2], 10);
    let mut world = World::<V>::new(topology, 6, link());
    world.run(90);
    // Two hours: everything has been renewed more than once, nothing has died.
    world.run(7200);
    world.check();
    world.set_segment(0, false);
    // What the lost router announced ages out of the others' databases.
    world.run(3700);
    world.check_databases();
    let gone = crate::address::router_id(0);
    let place = ferrite_ospf::instance::Place::Area(AreaId::BACKBONE);
    assert!(world.core(2).lsdb(place).expect("a database").iter().all(|(key, _)| key.adv != gone));
}
all!(lsas_are_renewed_and_those_of_a_lost_router_expire, refresh);

fn multipoint<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(4);
    topology.segment(AreaId::BACKBONE, NetworkType::PointToMultipoint, &[0, 1, 2, 3], 10);
    let mut world = World::<V>::new(topology, 7, link());
    world.run(90);
    world.check();
}
all!(point_to_multipoint_needs_no_designated_router, multipoint);

fn shutdown<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.p2p(1, 2, 10);
    let mut world = World::<V>::new(topology, 8, link());
    world.run(90);
    world.feed(0, ferrite_ospf::Event::Shutdown);
    world.run(5);
    let place = ferrite_ospf::instance::Place::Area(AreaId::BACKBONE);
    let gone = crate::address::router_id(0);
    assert!(world.core(2).lsdb(place).expect("a database").iter().all(|(key, _)| key.adv != gone));
    assert!(!world.core(2).routes().contains_key(&V::loopback_prefix(0)));
}
all!(a_router_that_goes_flushes_what_it_said, shutdown);

fn stub_router<V: Plan>(_: std::marker::PhantomData<V>) {
    // The way by 1 is shorter, until 1 asks not to be passed through (RFC 6987).
    let mut topology = Topology::new(4);
    topology.p2p(0, 1, 10);
    topology.p2p(1, 2, 10);
    topology.p2p(0, 3, 30);
    topology.p2p(3, 2, 30);
    let mut world = World::<V>::new(topology.clone(), 9, link());
    world.run(90);
    world.check();
    let mut config = topology.config(1);
    config.stub_router = true;
    world.feed(1, ferrite_ospf::Event::Configured(Box::new(config)));
    world.run(30);
    let cost = |to: usize| world.core(0).routes()[&V::loopback_prefix(to)].cost;
    assert_eq!((cost(1), cost(2)), (10, 60));
}
all!(nothing_leads_through_a_stub_router, stub_router);

fn incremental<V: Plan>(_: std::marker::PhantomData<V>) {
    let side = 12;
    let mut topology = Topology::new(side * side);
    for row in 0..side {
        for column in 0..side {
            let at = row * side + column;
            if column + 1 < side {
                topology.p2p(at, at + 1, 10);
            }
            if row + 1 < side {
                topology.p2p(at, at + side, 10);
            }
        }
    }
    let last = topology.segments.len() - 1;
    let mut world = World::<V>::new(topology, 10, link());
    world.run(90);
    let work = |world: &World<V>, router: usize| world.core(router).area_status(AreaId::BACKBONE).spf_work;
    let before = work(&world, 0);
    // The farthest link gets dearer: only the farthest corner is behind it.
    world.set_cost(last, 0, 11);
    world.run(30);
    let done = work(&world, 0) - before;
    assert!((1..=6).contains(&done), "{done} of {} vertices", side * side);
    world.check_databases();
    assert_eq!(world.core(0).routes()[&V::loopback_prefix(side * side - 1)].cost, 220);
}
all!(a_far_change_costs_a_few_vertices, incremental);

fn alternates<V: Plan>(_: std::marker::PhantomData<V>) {
    let mut topology = Topology::new(4);
    for (a, b) in [(0, 1), (1, 2), (0, 2), (2, 3)] {
        topology.p2p(a, b, 10);
    }
    let mut world = World::<V>::new(topology.clone(), 11, link());
    let mut config = topology.config(0);
    config.loop_free_alternates = true;
    world.feed(0, ferrite_ospf::Event::Configured(Box::new(config)));
    world.run(90);
    let route = &world.core(0).routes()[&V::loopback_prefix(1)];
    let over =
        |hops: Vec<ferrite_ospf::routes::Hop>| hops.iter().map(|hop| hop.interface).collect::<Vec<_>>();
    assert_eq!(over(route.hops.iter().copied().collect()), [IfId(0)]);
    assert_eq!(over(route.backups.iter().map(|(_, other)| *other).collect()), [IfId(1)]);
    // The link fails: before anything is calculated or heard packets go the other way.
    let runs = world.core(0).spf().runs;
    world.set_segment(0, false);
    let hops = |world: &World<V>| {
        let route = &world.core(0).routes()[&V::loopback_prefix(1)];
        route.hops.iter().map(|hop| hop.interface).collect::<Vec<_>>()
    };
    assert_eq!((world.core(0).spf().runs, hops(&world)), (runs, vec![IfId(1)]));
    let installed = &world.net.node(ferrite_sim::NodeId(0)).router().forwarding;
    assert_eq!(installed[&V::loopback_prefix(1)].hops, world.core(0).routes()[&V::loopback_prefix(1)].hops);
    // It is back before anybody calculated: the way is the old one again.
    world.set_segment(0, true);
    world.run(90);
    assert_eq!(hops(&world), [IfId(0)]);
    world.check();
    // Without the triangle there is no way but back.
    world.set_segment(1, false);
    world.run(60);
    assert!(world.core(0).routes()[&V::loopback_prefix(1)].backups.is_empty());
}
all!(loop_free_alternates_stand_by, alternates);
