//! Graceful restart (RFC 3623, RFC 5187): who restarts with grace is missed by nobody; without, the network heals.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use ferrite_ospf::config::NetworkType;
use ferrite_ospf::event::{External, RestartReason};
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_ospf::restart::{HelpEnd, RestartEnd};
use ferrite_ospf::routes::Route;
use ferrite_ospf::{Event, LogLine};
use ferrite_sim::{Link, NodeId};
use ferrite_types::Prefix;

use crate::address::Plan;
use crate::world::{Topology, World};

const ONE: AreaId = AreaId::from_bits(1);

fn link() -> Link {
    Link::reliable(Duration::from_millis(2))
}

/// Everybody's routes.
fn routes<V: Plan>(world: &World<V>) -> Vec<BTreeMap<Prefix, Route>> {
    (0..world.topology.routers).map(|router| world.core(router).routes().clone()).collect()
}

/// Runs for a while; all the time everybody's routes, and what the restarting router forwards by, are as they were.
fn unmoved<V: Plan>(world: &mut World<V>, seconds: u64, router: usize, before: &[BTreeMap<Prefix, Route>]) {
    for second in 0..seconds {
        world.run(1);
        for (other, before) in before.iter().enumerate() {
            let now = if other == router {
                &world.net.node(NodeId(router)).router().forwarding
            } else {
                world.core(other).routes()
            };
            assert_eq!(now, before, "router {other}, {second} s after");
        }
    }
}

fn restarted<V: Plan>(world: &World<V>, router: usize) -> Option<RestartEnd> {
    world.net.node(NodeId(router)).router().restarted
}

fn helped<V: Plan>(world: &World<V>, router: usize) -> Vec<HelpEnd> {
    let log = &world.net.node(NodeId(router)).router().log;
    let ends = log.iter().filter_map(|line| match line {
        LogLine::Helped { reason, .. } | LogLine::NotHelping { reason, .. } => Some(*reason),
        _ => None,
    });
    ends.collect()
}

fn graceful_topology(mut topology: Topology) -> Topology {
    topology.graceful = true;
    topology
}

/// Router 1 restarts with an announcement, and is away for 60 seconds: longer than it takes to be counted as dead.
fn planned<V: Plan>(topology: Topology, router: usize, seed: u64) -> World<V> {
    let mut world = World::<V>::new(graceful_topology(topology), seed, link());
    world.feed(
        0,
        Event::Redistribute(
            V::outside(1),
            Some(External { metric: 20, type2: true, tag: 7, forwarding: None }),
        ),
    );
    world.run(120);
    world.check();
    let before = routes(&world);
    world.prepare(router);
    world.silence(router);
    unmoved(&mut world, 60, router, &before);
    world.resume(router, Duration::from_secs(60), false);
    unmoved(&mut world, 100, router, &before);
    assert_eq!(restarted(&world, router), Some(RestartEnd::Completed));
    world.check();
    world
}

fn ring<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(5);
    for router in 0..5 {
        topology.p2p(router, (router + 1) % 5, 10);
    }
    let world = planned::<V>(topology, 1, 31);
    assert_eq!(helped(&world, 0), [HelpEnd::Completed]);
    assert_eq!(helped(&world, 2), [HelpEnd::Completed]);
}
all!(a_planned_restart_in_a_ring_is_missed_by_nobody, ring);

fn lan<V: Plan>(_: PhantomData<V>) {
    // The designated router, the backup, and another.
    for router in [4, 3, 1] {
        let mut topology = Topology::new(6);
        topology.segment(AreaId::BACKBONE, NetworkType::Broadcast, &[0, 1, 2, 3, 4], 10);
        topology.p2p(router, 5, 10);
        planned::<V>(topology, router, 32 + router as u64);
    }
}
all!(a_planned_restart_on_a_lan_leaves_the_designated_routers, lan);

fn border<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(4);
    topology.segment(ONE, NetworkType::PointToPoint, &[0, 1], 10);
    topology.segment(AreaId::BACKBONE, NetworkType::PointToPoint, &[1, 2], 5);
    topology.segment(AreaId::BACKBONE, NetworkType::Broadcast, &[2, 3], 7);
    topology.loopbacks = BTreeMap::from([(1, AreaId::BACKBONE)]);
    planned::<V>(topology, 1, 40);
}
all!(a_border_router_restarts_without_loss, border);

fn unplanned<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(5);
    for router in 0..4 {
        topology.p2p(router, (router + 1) % 4, 10);
    }
    topology.segment(AreaId::BACKBONE, NetworkType::Broadcast, &[1, 4], 10);
    let mut world = World::<V>::new(graceful_topology(topology), 41, link());
    world.run(120);
    let before = routes(&world);
    world.silence(1);
    // It is back before it is missed.
    unmoved(&mut world, 15, 1, &before);
    world.resume(1, Duration::from_secs(120), true);
    unmoved(&mut world, 100, 1, &before);
    assert_eq!(restarted(&world, 1), Some(RestartEnd::Completed));
    world.check();
}
all!(a_restart_that_nobody_expected_is_announced_before_the_first_hello, unplanned);

fn topology_change<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(5);
    for router in 0..5 {
        topology.p2p(router, (router + 1) % 5, 10);
    }
    let mut world = World::<V>::new(graceful_topology(topology), 42, link());
    world.run(120);
    world.prepare(1);
    world.silence(1);
    world.run(20);
    world.set_cost(3, 0, 55);
    world.run(60);
    // Helpers gave up: the others go around it.
    assert_eq!(helped(&world, 0), [HelpEnd::TopologyChange]);
    assert!(!world.core(0).routes().contains_key(&V::loopback_prefix(1)));
    world.resume(1, Duration::from_secs(40), false);
    world.run(120);
    assert!(matches!(restarted(&world, 1), Some(RestartEnd::Inconsistent | RestartEnd::Expired)));
    world.check();
}
all!(help_ends_when_the_topology_changes, topology_change);

fn expired<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(4);
    for router in 0..4 {
        topology.p2p(router, (router + 1) % 4, 10);
    }
    let mut world = World::<V>::new(graceful_topology(topology), 43, link());
    world.run(120);
    world.prepare(1);
    world.silence(1);
    world.run(150);
    assert_eq!(helped(&world, 0), [HelpEnd::Expired]);
    assert!(!world.core(0).routes().contains_key(&V::loopback_prefix(1)));
    world.resume(1, Duration::ZERO, false);
    assert_eq!(restarted(&world, 1), Some(RestartEnd::Cancelled));
    world.run(120);
    world.check();
}
all!(who_does_not_come_back_is_given_up, expired);

fn refused<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.p2p(1, 2, 10);
    let topology = graceful_topology(topology);
    let mut world = World::<V>::new(topology.clone(), 44, link());
    let with = |change: fn(&mut ferrite_ospf::config::Helper)| {
        let mut config = topology.config(0);
        change(&mut config.restart.helper);
        Event::Configured(Box::new(config))
    };
    world.run(60);
    world.feed(0, with(|helper| helper.max_period = Duration::from_secs(60)));
    world.prepare(1);
    assert_eq!(helped(&world, 0), [HelpEnd::TooLong]);
    world.feed(1, Event::Shutdown);
    world.crash(1);
    world.run(60);
    world.feed(0, with(|helper| helper.everybody = false));
    world.prepare(1);
    assert_eq!(helped(&world, 0), [HelpEnd::TooLong, HelpEnd::NotConfigured]);
    world.crash(1);
    world.run(60);
    world.feed(0, with(|helper| helper.planned_only = true));
    world.feed(1, Event::PrepareRestart(RestartReason::Unknown));
    world.run(2);
    assert_eq!(helped(&world, 0).last(), Some(&HelpEnd::NotPlanned));
    // The other one helps, until its patience is over; then all is as before.
    assert_eq!(world.core(2).restart_status().helped.len(), 1);
    world.run(200);
    world.check();
}
all!(who_is_not_to_be_helped_is_not, refused);

fn cold<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(4);
    for router in 0..4 {
        topology.p2p(router, (router + 1) % 4, 10);
    }
    let mut world = World::<V>::new(topology, 45, link());
    world.run(90);
    world.silence(1);
    world.run(60);
    assert!(!world.core(0).routes().contains_key(&V::loopback_prefix(1)), "missed");
    world.crash(1);
    world.run(90);
    world.check();
}
all!(without_grace_the_network_heals, cold);
