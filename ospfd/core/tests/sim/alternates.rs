//! Alternates for what lies outside of an area: a link fails, nobody has calculated yet, and packets of inter-area and external
//! routes that have an alternate arrive, whichever of equal paths they take.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::time::Duration;

use ferrite_ospf::config::NetworkType;
use ferrite_ospf::event::External;
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_ospf::routes::{Hop, PathType};
use ferrite_ospf::{Event, IfId};
use ferrite_sim::{Link, Random};
use ferrite_types::Prefix;

use crate::address::Plan;
use crate::oracle::{lookup, owner};
use crate::random::{seeds, settle};
use crate::random_areas::{Plan3, connected, plan};
use crate::world::{Topology, World};

/// Where packets to a prefix have arrived.
struct Goal {
    prefix: Prefix,
    routers: BTreeSet<usize>,
}

/// Follows a packet past a segment that has failed, of which only its ends know.
struct Walk<'a, V: Plan> {
    world: &'a World<V>,
    goal: &'a Goal,
    failed: Option<usize>,
    under: BTreeSet<usize>,
}

impl<V: Plan> Walk<'_, V> {
    fn over(&self, at: usize, hop: &Hop) -> usize {
        self.world.ports[at][hop.interface.0 as usize]
    }

    fn step(&mut self, at: usize, hop: &Hop) -> Result<(), String> {
        let next = hop.address.and_then(|address| owner(self.world, at, hop.interface.0 as usize, address));
        self.arrive(next.ok_or_else(|| format!("router {at} by {hop:?}: nobody there"))?)
    }

    fn arrive(&mut self, at: usize) -> Result<(), String> {
        if self.goal.routers.contains(&at) {
            return Ok(());
        }
        if !self.under.insert(at) {
            return Err(format!("a loop by router {at}"));
        }
        let route = lookup(self.world, at, self.goal.prefix);
        let route = route.ok_or_else(|| format!("router {at} has no route"))?;
        let kept = route.hops.iter().filter(|hop| Some(self.over(at, hop)) != self.failed);
        let mut hops: Vec<Hop> = kept.copied().collect();
        if hops.is_empty() {
            hops.extend(route.backups.iter().map(|(_, other)| *other));
        }
        if hops.is_empty() {
            return Err(format!("router {at} has no other way"));
        }
        hops.iter().try_for_each(|hop| self.step(at, hop))?;
        self.under.remove(&at);
        Ok(())
    }
}

/// Every alternate of a router carries, should the segment that it stands in for fail. How many there were, by kind of path.
fn check<V: Plan>(world: &World<V>, there: &[usize], goals: &[Goal]) -> BTreeMap<PathType, usize> {
    let mut seen = BTreeMap::new();
    for from in there.iter().copied() {
        for goal in goals.iter().filter(|goal| !goal.routers.contains(&from)) {
            let Some(route) = lookup(world, from, goal.prefix) else { continue };
            for (hop, other) in &route.backups {
                assert!(route.hops.len() == 1 && route.hops.contains(hop), "{route:?}");
                let walk = |failed| Walk { world, goal, failed, under: BTreeSet::new() };
                // What announces itself into a stub area, say, is reached by nobody there.
                // And behind one of two default routes there may be more than behind the other.
                let default = !world.core(from).routes().contains_key(&goal.prefix);
                if walk(None).arrive(from).is_err() || default && walk(None).step(from, other).is_err() {
                    continue;
                }
                *seen.entry(route.path).or_default() += 1;
                let failed = world.ports[from][hop.interface.0 as usize];
                let mut walk = Walk { under: BTreeSet::from([from]), ..walk(Some(failed)) };
                let arrived = walk.step(from, other);
                assert!(
                    arrived.is_ok(),
                    "from {from} to {}, segment {failed} fails: {arrived:?} for {route:?}",
                    goal.prefix
                );
            }
        }
    }
    seen
}

fn history<V: Plan>(seed: u64, seen: &mut BTreeMap<PathType, usize>) {
    let mut random = Random::new(seed);
    let Plan3 { mut topology, mortal, ranges, .. } = plan::<V>(&mut random);
    topology.alternates = true;
    // More links than areas need: that is what alternates are made of.
    for _ in 0..8 {
        let segment = topology.segments[random.below(topology.segments.len() as u64) as usize].clone();
        let others = topology.segments.iter().filter(|other| other.area == segment.area);
        let routers: Vec<usize> = others.flat_map(|other| other.ends.iter().map(|(end, _)| *end)).collect();
        let (a, b) = (segment.ends[0].0, routers[random.below(routers.len() as u64) as usize]);
        if a != b {
            let kind = if random.chance(0.3) { NetworkType::Broadcast } else { NetworkType::PointToPoint };
            topology.segment(segment.area, kind, &[a, b], 1 + random.below(20) as u16);
        }
    }
    let there: Vec<usize> = (0..topology.routers).filter(|router| connected(&topology, *router)).collect();
    let mut world = World::<V>::new(topology, seed, Link::reliable(Duration::from_millis(2)));
    let announcers: BTreeSet<usize> =
        (0..=random.below(2)).map(|_| there[random.below(there.len() as u64) as usize]).collect();
    let type2 = random.chance(0.5);
    for router in &announcers {
        let metric = if type2 { 5 } else { 1 + random.below(20) as u32 };
        let route = External { metric, type2, tag: 3, forwarding: None };
        world.feed(*router, Event::Redistribute(V::outside(1), Some(route)));
    }
    for _ in 0..2 {
        let topology = &world.topology;
        // Of an area in parts that is gathered, packets may find the wrong part.
        let whole = there.iter().filter(|to| !ranges.contains_key(&topology.loopback_area(**to)));
        let loopbacks = whole.map(|to| Goal { prefix: V::loopback_prefix(*to), routers: [*to].into() });
        let outside = Goal { prefix: V::outside(1), routers: announcers.clone() };
        let goals: Vec<Goal> = loopbacks.chain([outside]).collect();
        assert!(settle(&mut world), "seed {seed}: not quiet");
        for (path, count) in check(&world, &there, &goals) {
            *seen.entry(path).or_default() += count;
        }
        let segment = mortal[random.below(mortal.len() as u64) as usize];
        world.set_segment(segment, false);
    }
}

fn histories<V: Plan>(first: u64) {
    let mut seen = BTreeMap::new();
    seeds(first, 60, |seed| history::<V>(seed, &mut seen));
    for path in [PathType::Intra, PathType::Inter, PathType::External1, PathType::External2] {
        assert!(seen.get(&path).is_some_and(|count| *count > 10), "{seen:?}");
    }
}

#[test]
fn alternates_carry_past_a_failed_link_in_version_2() {
    histories::<V2>(8000);
}

#[test]
fn alternates_carry_past_a_failed_link_in_version_3() {
    histories::<V3>(8100);
}

/// Two border routers; the nearer one's link fails.
fn stand_by<V: Plan>(_: PhantomData<V>) {
    let one = AreaId::from_bits(1);
    let mut topology = Topology::new(4);
    let primary = topology.segment(one, NetworkType::PointToPoint, &[0, 1], 10);
    topology.segment(one, NetworkType::PointToPoint, &[0, 2], 10);
    topology.segment(one, NetworkType::PointToPoint, &[1, 2], 10);
    topology.p2p(1, 3, 10);
    topology.p2p(2, 3, 30);
    topology.alternates = true;
    topology.loopbacks = [(1, AreaId::BACKBONE), (2, AreaId::BACKBONE)].into();
    let mut world = World::<V>::new(topology, 31, Link::reliable(Duration::from_millis(2)));
    let route = External { metric: 7, type2: true, tag: 0, forwarding: None };
    world.feed(3, Event::Redistribute(V::outside(1), Some(route)));
    world.run(90);
    world.check();
    let targets = [(V::loopback_prefix(3), PathType::Inter), (V::outside(1), PathType::External2)];
    let over = |world: &World<V>, prefix: &Prefix| {
        let route = &world.core(0).routes()[prefix];
        let hops = |hops: &mut dyn Iterator<Item = &Hop>| hops.map(|hop| hop.interface).collect::<Vec<_>>();
        let backups = hops(&mut route.backups.iter().map(|(_, other)| other));
        (route.path, hops(&mut route.hops.iter()), backups)
    };
    for (prefix, path) in &targets {
        assert_eq!(over(&world, prefix), (*path, vec![IfId(0)], vec![IfId(1)]), "{prefix}");
    }
    let runs = world.core(0).spf().runs;
    world.set_segment(primary, false);
    assert_eq!(world.core(0).spf().runs, runs, "nothing was calculated");
    let installed = &world.net.node(ferrite_sim::NodeId(0)).router().forwarding;
    for (prefix, path) in &targets {
        assert_eq!(over(&world, prefix), (*path, vec![IfId(1)], vec![]), "{prefix}");
        assert_eq!(installed[prefix].hops, world.core(0).routes()[prefix].hops);
    }
    world.run(60);
    world.check();
    // Now the way that is left is the only one.
    for (prefix, path) in &targets {
        assert_eq!(over(&world, prefix), (*path, vec![IfId(1)], vec![]), "{prefix}");
    }
    // The alternate goes without the way itself being another: what it led to hears of it.
    world.set_segment(primary, true);
    world.run(60);
    assert_eq!(over(&world, &targets[1].0).2, [IfId(1)]);
    world.set_segment(2, false);
    world.run(60);
    // The other border router's way to the first now leads by us.
    for (prefix, path) in &targets {
        assert_eq!(over(&world, prefix), (*path, vec![IfId(0)], vec![]), "{prefix}");
    }
}
both!(alternates_stand_by_for_what_lies_outside, stand_by);
