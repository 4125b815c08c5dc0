//! What routes ought to be, computed from the plan alone: distances by relaxing every segment until nothing changes, areas joined as
//! RFC 2328 §3.2 joins them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrite_ospf::packet::AreaId;

use crate::address::Plan;
use crate::world::{Segment, Topology, World};

pub type Distances = Vec<Option<u32>>;

fn in_area(segment: &&Segment, area: AreaId) -> bool {
    segment.up && segment.area == area
}

/// Distances from a router inside an area: what leaves a router costs, what a switch hands on does not.
pub fn distances(topology: &Topology, area: AreaId, from: usize) -> Distances {
    let mut distance: Distances = vec![None; topology.routers];
    distance[from] = Some(0);
    loop {
        let mut changed = false;
        for segment in topology.segments.iter().filter(|segment| in_area(segment, area)) {
            for (a, cost) in &segment.ends {
                let Some(start) = distance[*a] else { continue };
                for (b, _) in segment.ends.iter().filter(|(b, _)| b != a) {
                    let through = start + u32::from(*cost);
                    if distance[*b].is_none_or(|there| through < there) {
                        distance[*b] = Some(through);
                        changed = true;
                    }
                }
            }
        }
        if !changed {
            return distance;
        }
    }
}

pub fn areas_of(topology: &Topology, router: usize) -> BTreeSet<AreaId> {
    let on = |segment: &&Segment| segment.up && segment.ends.iter().any(|(end, _)| *end == router);
    let mut areas: BTreeSet<AreaId> =
        topology.segments.iter().filter(on).map(|segment| segment.area).collect();
    areas.insert(topology.loopback_area(router));
    areas
}

/// Areas of a router with those it reaches inside.
pub fn groups(topology: &Topology, router: usize) -> Vec<(AreaId, BTreeSet<usize>)> {
    let reached = |area: AreaId| {
        let all = distances(topology, area, router).into_iter().enumerate();
        all.filter(|(_, distance)| distance.is_some()).map(|(router, _)| router).collect()
    };
    areas_of(topology, router).into_iter().map(|area| (area, reached(area))).collect()
}

fn is_border(topology: &Topology, router: usize) -> bool {
    let areas = areas_of(topology, router);
    areas.len() > 1 && areas.contains(&AreaId::BACKBONE)
}

fn plus(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    Some(a? + b?)
}

/// What a router's path to another's loopback costs.
pub fn cost(topology: &Topology, from: usize, to: usize) -> Option<u32> {
    let target = topology.loopback_area(to);
    let own = areas_of(topology, from);
    if own.contains(&target)
        && let Some(cost) = distances(topology, target, from)[to]
    {
        return Some(cost);
    }
    let borders: Vec<usize> = (0..topology.routers).filter(|router| is_border(topology, *router)).collect();
    if is_border(topology, from) {
        // By the backbone to a border router of the area.
        let backbone = distances(topology, AreaId::BACKBONE, from);
        let at = borders
            .iter()
            .filter(|border| **border != from && areas_of(topology, **border).contains(&target));
        return at
            .filter_map(|border| plus(backbone[*border], distances(topology, target, *border)[to]))
            .min();
    }
    let area = own.first().copied()?;
    let inside = distances(topology, area, from);
    let at = borders.iter().filter(|border| areas_of(topology, **border).contains(&area));
    at.filter_map(|border| plus(inside[*border], cost(topology, *border, to))).min()
}

pub fn check_routes<V: Plan>(world: &World<V>) {
    let topology = &world.topology;
    for from in 0..topology.routers {
        let routes = world.core(from).routes();
        for to in 0..topology.routers {
            let route = routes.get(&V::loopback_prefix(to));
            let expected = cost(topology, from, to);
            assert_eq!(
                route.map(|route| route.cost),
                expected,
                "from router {from} to router {to}: {route:?}"
            );
            let area = topology.loopback_area(to);
            if from != to && areas_of(topology, from).contains(&area) && expected.is_some() {
                let hops: BTreeSet<(usize, usize)> = route
                    .into_iter()
                    .flat_map(|route| &route.hops)
                    .filter_map(|hop| {
                        let port = hop.interface.0 as usize;
                        let next = owner(world, from, port, hop.address?)?;
                        Some((*topology.ports(from).get(port)?, next))
                    })
                    .collect();
                let expected = first_hops(topology, area, from, to);
                assert!(
                    expected.is_empty() || hops == expected,
                    "{from} to {to}: {hops:?}, not {expected:?}"
                );
            }
        }
    }
}

/// Segments and routers on them that begin a shortest path inside an area; empty where there is none inside.
fn first_hops(topology: &Topology, area: AreaId, from: usize, to: usize) -> BTreeSet<(usize, usize)> {
    let Some(shortest) = distances(topology, area, from)[to] else { return BTreeSet::new() };
    let mut hops = BTreeSet::new();
    for (at, segment) in topology.segments.iter().enumerate().filter(|(_, segment)| in_area(segment, area)) {
        let Some((_, cost)) = segment.ends.iter().find(|(end, _)| *end == from) else { continue };
        for (next, _) in segment.ends.iter().filter(|(end, _)| *end != from) {
            if plus(distances(topology, area, *next)[to], Some(u32::from(*cost))) == Some(shortest) {
                hops.insert((at, *next));
            }
        }
    }
    hops
}

/// Whatever equal path is taken at every router, a packet gets there, and no router sees it twice.
pub fn check_forwarding<V: Plan>(world: &World<V>) {
    for to in 0..world.topology.routers {
        for from in 0..world.topology.routers {
            if cost(&world.topology, from, to).is_some() {
                walk(world, from, to, &mut vec![from]);
            }
        }
    }
}

fn walk<V: Plan>(world: &World<V>, at: usize, to: usize, path: &mut Vec<usize>) {
    if at == to {
        return;
    }
    let route = &world.core(at).routes()[&V::loopback_prefix(to)];
    assert!(!route.hops.is_empty(), "router {at} has no next hop to router {to}");
    for hop in &route.hops {
        let next = hop.address.and_then(|address| owner(world, at, hop.interface.0 as usize, address));
        let next = next.unwrap_or_else(|| panic!("router {at} to {to} by {hop:?}: nobody there"));
        assert!(!path.contains(&next), "a loop to router {to}: {path:?} and {next}");
        path.push(next);
        walk(world, next, to, path);
        path.pop();
    }
}

/// The router with an address on a segment that is up.
fn owner<V: Plan>(world: &World<V>, router: usize, port: usize, address: IpAddr) -> Option<usize> {
    let segment = *world.topology.ports(router).get(port)?;
    let up = &world.topology.segments[segment];
    let on = |end: usize| {
        let port = world.topology.ports(end).iter().position(|at| *at == segment)?;
        (V::link(segment, end, port as u32).address == Some(address)).then_some(end)
    };
    up.up.then(|| up.ends.iter().find_map(|(end, _)| on(*end))).flatten()
}

/// The networks of segments that are up are reached from everywhere in the area.
pub fn segment_costs(topology: &Topology, area: AreaId, from: usize) -> BTreeMap<usize, u32> {
    let reached = distances(topology, area, from);
    let up = topology.segments.iter().enumerate().filter(|(_, segment)| in_area(segment, area));
    let cost = |segment: &Segment| {
        segment.ends.iter().filter_map(|(end, cost)| plus(reached[*end], Some(u32::from(*cost)))).min()
    };
    up.filter_map(|(at, segment)| Some((at, cost(segment)?))).collect()
}
