//! Random histories: links fail and heal, costs change, routers restart, packets are lost, repeated, reordered and damaged. A
//! seed makes the network and all that happens to it; a failure names the seed, which replays it exactly.

use std::time::Duration;

use ferrite_ospf::IfId;
use ferrite_ospf::config::NetworkType;
use ferrite_ospf::neighbor::{Neighbor, State};
use ferrite_ospf::packet::{AreaId, Inet4, V2, V3};
use ferrite_sim::{Link, NodeId, Random};

use crate::address::Plan;
use crate::oracle::Oracle;
use crate::shape::Shape;
use crate::world::{Topology, World};

/// Links of a network: of a shape, or a tree of any form with some more.
pub fn edges(random: &mut Random, routers: usize) -> Vec<(usize, usize)> {
    if random.chance(0.5) {
        return Shape::any(random).edges(routers);
    }
    let below = |random: &mut Random, n: usize| random.below(n as u64) as usize;
    let mut edges: Vec<_> = (1..routers).map(|router| (below(random, router), router)).collect();
    let more = (0..routers / 2).map(|_| (below(random, routers), below(random, routers)));
    edges.extend(more.filter(|(a, b)| a != b));
    edges
}

/// A connected network of routers, joined by links and some switches.
fn topology(random: &mut Random, routers: usize) -> Topology {
    let mut topology = Topology::new(routers);
    let cost = |random: &mut Random| 1 + random.below(20) as u16;
    for (a, b) in edges(random, routers) {
        let cost = cost(random);
        topology.p2p(a, b, cost);
    }
    if random.chance(0.6) {
        let mut members: Vec<usize> = (0..routers).filter(|_| random.chance(0.4)).collect();
        members.truncate(6);
        if members.len() >= 2 {
            let cost = cost(random);
            topology.segment(AreaId::BACKBONE, NetworkType::Broadcast, &members, cost);
        }
    }
    topology
}

/// A link as bad as chance has it: how often packets are lost or repeated at all, and how many are lost then.
pub fn weather(random: &mut Random, often: f64, loss: f64) -> Link {
    Link {
        delay: Duration::from_millis(1 + random.below(20)),
        jitter: Duration::from_millis(random.below(30)),
        loss: if random.chance(often) { loss } else { 0.0 },
        duplication: if random.chance(often) { 0.05 } else { 0.0 },
        ordered: random.chance(0.5),
    }
}

fn history<V: Plan>(seed: u64) {
    let mut random = Random::new(seed);
    let routers = 3 + random.below(10) as usize;
    let link = weather(&mut random, 0.5, 0.05);
    let mut topology = topology(&mut random, routers);
    topology.graceful = random.chance(0.5);
    topology.alternates = random.chance(0.4);
    let segments = topology.segments.len() as u64;
    let mut world = World::<V>::new(topology, seed, link);
    if random.chance(0.3) {
        for router in 0..routers {
            world.net.act(NodeId(router), |device, _, _| device.router_mut().damage = Some(29));
        }
    }
    for round in 0..3 {
        for _ in 0..=random.below(4) {
            let segment = random.below(segments) as usize;
            match random.below(12) {
                0..=4 => {
                    let up = !world.topology.segments[segment].up;
                    world.set_segment(segment, up);
                }
                5..=7 => {
                    let end = random.below(world.topology.segments[segment].ends.len() as u64) as usize;
                    world.set_cost(segment, end, 1 + random.below(30) as u16);
                }
                8..=9 => world.crash(random.below(routers as u64) as usize),
                _ => restart(&mut world, &mut random),
            }
            world.run(random.below(40));
        }
        // Long enough for what was lost to be sent again, and for who is silent to be missed.
        let quiet = settle(&mut world);
        assert!(quiet, "seed {seed} round {round}: not quiet");
        world.check();
        if random.chance(0.2) {
            same_from_scratch(&mut world);
        }
    }
}

/// Routes that were kept up to date with each change are those that a whole calculation finds.
fn same_from_scratch<V: Plan>(world: &mut World<V>) {
    for router in 0..world.topology.routers {
        let before = world.core(router).routes().clone();
        let runs = world.core(router).spf().runs;
        let config = world.topology.config(router);
        world.feed(router, ferrite_ospf::Event::Configured(Box::new(config)));
        while world.core(router).spf().runs == runs {
            world.run(1);
        }
        // Where packets are lost an adjacency may just have gone.
        let oracle = Oracle::new(&world.topology);
        if (0..world.topology.routers).all(|router| is_quiet(world, &oracle, router)) {
            assert_eq!(*world.core(router).routes(), before, "router {router}");
        }
    }
}

/// A restart with grace, planned or not, of whatever length.
fn restart<V: Plan>(world: &mut World<V>, random: &mut Random) {
    let router = random.below(world.topology.routers as u64) as usize;
    let unplanned = random.chance(0.3);
    if !unplanned {
        world.prepare(router);
    }
    world.silence(router);
    world.run(random.below(if unplanned { 30 } else { 100 }));
    world.resume(router, Duration::from_secs(random.below(120)), unplanned);
}

/// Runs until all adjacencies that can be are there and a while has passed.
pub fn settle<V: Plan>(world: &mut World<V>) -> bool {
    world.run(240);
    // With losses a retransmission may be under way at any moment, and now and then all Hellos of a dead interval are lost.
    for _ in 0..100 {
        let oracle = Oracle::new(&world.topology);
        if (0..world.topology.routers).all(|router| is_quiet(world, &oracle, router)) {
            return true;
        }
        world.run(5);
    }
    false
}

/// Everybody who is there has been a neighbour for a while, and nothing waits to be acknowledged.
fn is_quiet<V: Plan>(world: &World<V>, oracle: &Oracle<'_>, router: usize) -> bool {
    let now = world.net.now();
    let settled = |neighbor: &Neighbor| {
        matches!(neighbor.state, State::TwoWay | State::Full)
            && now.since(neighbor.since) > Duration::from_secs(20)
            && neighbor.retransmissions() + neighbor.open_requests() == 0
    };
    let links = world.ports[router].iter().enumerate().all(|(port, segment)| {
        let Some(interface) = world.core(router).interface(IfId(port as u32)) else { return false };
        let segment = &world.topology.segments[*segment];
        let expected = if segment.up { segment.ends.len() - 1 } else { 0 };
        interface.neighbors.len() == expected && interface.neighbors.values().all(settled)
    });
    let over = world.core(router).interfaces().values().filter(|interface| interface.virtual_to.is_some());
    let neighbors: Vec<&Neighbor> = over.flat_map(|interface| interface.neighbors.values()).collect();
    let there = world.topology.virtual_links.iter().filter(|(area, a, b)| {
        let joined = oracle.distances(*area, *a)[*b].is_some() && oracle.distances(*area, *b)[*a].is_some();
        joined && (*a == router || *b == router)
    });
    links && neighbors.len() == there.count() && neighbors.into_iter().all(settled)
}

pub fn seeds(first: u64, count: u64, mut run: impl FnMut(u64)) {
    for seed in first..first + count {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed)));
        if let Err(cause) = outcome {
            println!("seed {seed} fails");
            std::panic::resume_unwind(cause);
        }
    }
}

#[test]
fn random_histories_of_version_2() {
    seeds(1000, 250, history::<V2>);
}

#[test]
fn random_histories_of_version_3() {
    seeds(2000, 250, history::<V3>);
}

#[test]
fn random_histories_of_version_3_for_ipv4() {
    seeds(8000, 40, history::<V3<Inet4>>);
}
