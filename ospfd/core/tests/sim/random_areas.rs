//! Random histories of networks with areas: a backbone, areas of every kind with one or two border routers, ranges, external routes
//! from everywhere. Links of areas fail and heal, areas fall apart, routers restart; routes are what the oracle says.

use ferrite_ospf::Event;
use ferrite_ospf::config::{AbrType, AreaConfig, AreaKind, NetworkType, Range};
use ferrite_ospf::event::External;
use ferrite_ospf::packet::{AreaId, Inet4, V2, V3};
use ferrite_ospf::routes::PathType;
use ferrite_sim::Random;
use ferrite_types::Prefix;
use std::collections::BTreeMap;

use crate::address::{Plan, shortened};
use crate::oracle::{self, Oracle};
use crate::random::{seeds, settle, weather};
use crate::shape::Shape;
use crate::world::{Topology, World};

/// Routers of an area have numbers of their own eight, so that a range can gather their loopbacks.
const BLOCK: usize = 8;

pub struct Plan3 {
    pub topology: Topology,
    /// Segments that may fail: those of areas, and what the backbone has more than it needs.
    pub mortal: Vec<usize>,
    /// Ranges by area.
    pub ranges: BTreeMap<AreaId, Prefix>,
    /// What external routes of NSSAs are gathered to, or kept back by, where they are translated.
    pub gathered: BTreeMap<AreaId, Range>,
}

pub fn plan<V: Plan>(random: &mut Random) -> Plan3 {
    let areas = 1 + random.below(3) as usize;
    let mut topology = Topology::new(BLOCK * (areas + 1));
    let cost = |random: &mut Random| 1 + random.below(20) as u16;
    let mut mortal = Vec::new();
    let backbone = 2 + random.below(4) as usize;
    for (a, b) in Shape::any(random).edges(backbone) {
        let cost = cost(random);
        topology.p2p(a, b, cost);
    }
    if backbone > 2 {
        let cost = cost(random);
        mortal.push(topology.p2p(0, backbone - 1, cost));
    }
    let mut ranges = BTreeMap::new();
    let mut gathered = BTreeMap::new();
    for number in 1..=areas {
        let area = AreaId::from_bits(number as u32);
        let first = number * BLOCK;
        let members = 1 + random.below(5) as usize;
        let mut attach = |topology: &mut Topology, random: &mut Random, a: usize, b: usize| {
            let cost = cost(random);
            let network = if random.chance(0.3) { NetworkType::Broadcast } else { NetworkType::PointToPoint };
            mortal.push(topology.segment(area, network, &[a, b], cost));
        };
        for member in first..first + members {
            let inside = member > first && random.chance(0.7);
            let other = if inside {
                first + random.below((member - first) as u64) as usize
            } else {
                random.below(backbone as u64) as usize
            };
            attach(&mut topology, random, other, member);
        }
        let border = random.below(backbone as u64) as usize;
        attach(&mut topology, random, border, first + members - 1);
        let kind = [AreaKind::Normal, AreaKind::Normal, AreaKind::Stub, AreaKind::Nssa];
        let mut config = AreaConfig { kind: kind[random.below(4) as usize], ..AreaConfig::default() };
        if random.chance(0.4) {
            // Loopbacks are numbered from 1: a block of eight may begin one late, so the range takes the rest of it.
            let range = shortened(V::loopback_prefix(first), 29, 125);
            config.ranges.insert(range, Range::default());
            ranges.insert(area, range);
        }
        if config.kind == AreaKind::Nssa && random.chance(0.5) {
            let range = Range { advertise: random.chance(0.7), ..Range::default() };
            config.nssa_ranges.insert(gathering::<V>(), range);
            gathered.insert(area, range);
        }
        topology.areas.insert(area, config);
    }
    topology.abr = [AbrType::Cisco, AbrType::Ibm, AbrType::Standard][random.below(3) as usize];
    // Border routers' own loopbacks are in the backbone.
    topology.loopbacks = (0..backbone).map(|router| (router, AreaId::BACKBONE)).collect();
    Plan3 { topology, mortal, ranges, gathered }
}

/// The range of the external routes.
fn gathering<V: Plan>() -> Prefix {
    shortened(V::outside(0), 22, 48)
}

pub fn connected(topology: &Topology, router: usize) -> bool {
    topology.segments.iter().any(|segment| segment.ends.iter().any(|(end, _)| *end == router))
}

fn history<V: Plan>(seed: u64) {
    let mut random = Random::new(seed);
    let Plan3 { mut topology, mortal, ranges, gathered } = plan::<V>(&mut random);
    topology.graceful = random.chance(0.5);
    let link = weather(&mut random, 0.3, 0.03);
    let there: Vec<usize> = (0..topology.routers).filter(|router| connected(&topology, *router)).collect();
    let mut world = World::<V>::new(topology, seed, link);
    let mut announced: BTreeMap<usize, u32> = BTreeMap::new();
    for _ in 0..2 {
        for _ in 0..=random.below(3) {
            match random.below(8) {
                0..=3 => {
                    let segment = mortal[random.below(mortal.len() as u64) as usize];
                    let up = !world.topology.segments[segment].up;
                    world.set_segment(segment, up);
                }
                4..=5 => {
                    let segment = random.below(world.topology.segments.len() as u64) as usize;
                    world.set_cost(segment, 0, 1 + random.below(30) as u16);
                }
                6 => {
                    let router = there[random.below(there.len() as u64) as usize];
                    announced.remove(&router);
                    world.crash(router);
                }
                _ => {
                    let router = there[random.below(there.len() as u64) as usize];
                    let metric = 1 + random.below(50) as u32;
                    announced.insert(router, metric);
                    let route = External { metric, type2: true, tag: 3, forwarding: None };
                    world.feed(router, Event::Redistribute(V::outside(1), Some(route)));
                }
            }
            world.run(random.below(30));
        }
        assert!(settle(&mut world), "seed {seed}: not quiet");
        world.check_databases();
        check(&world, &there, &ranges);
        outside(&world, &there, &gathered, &announced);
    }
}

fn check<V: Plan>(world: &World<V>, there: &[usize], ranges: &BTreeMap<AreaId, Prefix>) {
    let topology = &world.topology;
    let oracle = Oracle::new(topology);
    for from in there.iter().copied() {
        let routes = world.core(from).routes();
        let own = &oracle.areas[from];
        for to in there.iter().copied() {
            let area = topology.loopback_area(to);
            let prefix = V::loopback_prefix(to);
            let inside = own.contains(&area) && oracle.distances(area, from)[to].is_some();
            if let Some(range) = ranges.get(&area).filter(|range| range.covers(prefix) && !inside) {
                // Gathered: reached by the range, if at all.
                if oracle.cost(from, to).is_some() && !own.contains(&area) {
                    assert!(routes.contains_key(range), "from {from} to {to} by its range");
                    assert!(!routes.contains_key(&prefix), "from {from} to {to}: gathered");
                }
                continue;
            }
            let cost = routes.get(&prefix).map(|route| route.cost);
            assert_eq!(cost, oracle.cost(from, to), "from {from} to {to}");
        }
    }
    // Of an area in parts that is gathered, packets may find the wrong part.
    let whole = there.iter().filter(|to| !ranges.contains_key(&topology.loopback_area(**to)));
    whole.for_each(|to| oracle::check_forwarding_to(world, &oracle, *to));
}

/// The external route is known wherever its kind of area lets it through, at the lowest metric that is announced; those of NSSAs
/// are translated by a border router that hears them, under the range there if there is one.
fn outside<V: Plan>(
    world: &World<V>,
    there: &[usize],
    gathered: &BTreeMap<AreaId, Range>,
    announced: &BTreeMap<usize, u32>,
) {
    let topology = &world.topology;
    let oracle = Oracle::new(topology);
    let kind = |area: AreaId| topology.areas.get(&area).map_or(AreaKind::Normal, |area| area.kind);
    let hears = |router: usize| oracle.areas[router].iter().any(|area| kind(*area) == AreaKind::Normal);
    for from in there.iter().copied().filter(|from| !announced.contains_key(from)) {
        let reached = |router: usize| oracle.cost(from, router).is_some() && hears(from);
        let told = announced.iter().filter(|(router, _)| hears(**router) && reached(**router));
        let best = told.map(|(_, metric)| *metric).min();
        // Those of NSSAs: the area, and whether somebody translates it for us.
        let nssas = announced.keys().flat_map(|router| {
            let areas = oracle.areas[*router].iter().filter(|area| kind(**area) == AreaKind::Nssa);
            areas.map(|area| (*area, *router))
        });
        let nssas: Vec<(AreaId, usize)> = nssas.collect();
        let inside = nssas.iter().any(|(area, _)| oracle.areas[from].contains(area));
        let nssas: Vec<(AreaId, usize)> = nssas.into_iter().filter(|(_, router)| !hears(*router)).collect();
        let translated = |(area, router): &(AreaId, usize)| {
            let mut borders = oracle.borders_of(*area);
            borders.any(|border| {
                oracle.distances(*area, border)[*router].is_some()
                    && oracle.distances(*area, *router)[border].is_some()
                    && reached(border)
            })
        };
        let translated: Vec<Option<&Range>> =
            nssas.iter().filter(|nssa| translated(nssa)).map(|(area, _)| gathered.get(area)).collect();
        let routes = world.core(from).routes();
        let route = routes.get(&V::outside(1)).filter(|route| route.path == PathType::External2);
        let case = || format!("router {from} to what {announced:?} announce");
        if inside {
            continue; // hears type 7 itself
        }
        if nssas.is_empty() {
            assert_eq!(route.map(|route| route.type2_cost), best, "{}", case());
        }
        // Only routes that are used are translated (RFC 3101 §3.2): where others tell of the same, that depends on metrics.
        if announced.len() > 1 {
            continue;
        }
        let as_such = best.is_some() || translated.contains(&None);
        assert_eq!(route.is_some(), as_such, "{}", case());
        let as_range = translated.into_iter().flatten().any(|range| range.advertise);
        assert_eq!(routes.contains_key(&gathering::<V>()), as_range, "the range of {}", case());
    }
}

#[test]
fn random_areas_of_version_2() {
    seeds(3000, 100, history::<V2>);
}

#[test]
fn random_areas_of_version_3() {
    seeds(4000, 100, history::<V3>);
}

#[test]
fn random_areas_of_version_3_for_ipv4() {
    seeds(9000, 20, history::<V3<Inet4>>);
}
