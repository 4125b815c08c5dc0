//! What routes must be, worked out from the plan of the network alone: shortest paths by the textbook, nothing of the cores.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::IpAddr;
use std::rc::Rc;

use ferrite_ospf::packet::AreaId;
use ferrite_ospf::routes::Route;
use ferrite_types::Prefix;

use crate::address::Plan;
use crate::device::contains;
use crate::world::{Segment, Topology, World};

/// By router; none where there is no way.
pub type Distances = Vec<Option<u32>>;

fn plus(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    Some(a? + b?)
}

pub struct Oracle<'a> {
    topology: &'a Topology,
    /// What leaves a router in an area: to whom, at what cost. What a switch hands on costs nothing more.
    leaving: BTreeMap<AreaId, Vec<Vec<(usize, u32)>>>,
    /// Areas of each router.
    pub areas: Vec<BTreeSet<AreaId>>,
    borders: Vec<usize>,
    known: RefCell<BTreeMap<(AreaId, usize), Rc<Distances>>>,
    crossing: RefCell<BTreeMap<usize, Rc<Distances>>>,
}

impl<'a> Oracle<'a> {
    pub fn new(topology: &'a Topology) -> Self {
        let count = topology.routers;
        let mut leaving: BTreeMap<AreaId, Vec<Vec<(usize, u32)>>> = BTreeMap::new();
        let mut areas: Vec<BTreeSet<AreaId>> =
            (0..count).map(|router| BTreeSet::from([topology.loopback_area(router)])).collect();
        for segment in topology.segments.iter().filter(|segment| segment.up) {
            let table = leaving.entry(segment.area).or_insert_with(|| vec![Vec::new(); count]);
            for (a, cost) in &segment.ends {
                areas[*a].insert(segment.area);
                let others = segment.ends.iter().filter(|(b, _)| b != a);
                table[*a].extend(others.map(|(b, _)| (*b, u32::from(*cost))));
            }
        }
        let mut oracle = Self {
            topology,
            leaving,
            areas,
            borders: Vec::new(),
            known: RefCell::default(),
            crossing: RefCell::default(),
        };
        oracle.borders = (0..count).filter(|router| oracle.is_border(*router)).collect();
        oracle.virtual_links();
        oracle
    }

    /// A virtual link is a link of the backbone that costs what the way through its area does (RFC 2328 §15).
    fn virtual_links(&mut self) {
        for (area, a, b) in &self.topology.virtual_links {
            let (there, back) = (self.distances(*area, *a)[*b], self.distances(*area, *b)[*a]);
            let (Some(there), Some(back)) = (there, back) else { continue };
            let count = self.topology.routers;
            let table = self.leaving.entry(AreaId::BACKBONE).or_insert_with(|| vec![Vec::new(); count]);
            table[*a].push((*b, there));
            table[*b].push((*a, back));
        }
        self.known.take();
    }

    fn is_border(&self, router: usize) -> bool {
        self.areas[router].len() > 1 && self.areas[router].contains(&AreaId::BACKBONE)
    }

    /// Distances from a router inside an area.
    pub fn distances(&self, area: AreaId, from: usize) -> Rc<Distances> {
        if let Some(known) = self.known.borrow().get(&(area, from)) {
            return known.clone();
        }
        let found = Rc::new(self.dijkstra(area, from));
        self.known.borrow_mut().insert((area, from), found.clone());
        found
    }

    fn dijkstra(&self, area: AreaId, from: usize) -> Distances {
        let mut distance: Distances = vec![None; self.topology.routers];
        let mut next = BinaryHeap::from([Reverse((0, from))]);
        while let Some(Reverse((cost, at))) = next.pop() {
            if distance[at].is_some() {
                continue;
            }
            distance[at] = Some(cost);
            for (to, more) in self.leaving.get(&area).into_iter().flat_map(|table| &table[at]) {
                next.push(Reverse((cost + more, *to)));
            }
        }
        distance
    }

    /// Areas of a router with those it reaches inside.
    pub fn groups(&self, router: usize) -> Vec<(AreaId, BTreeSet<usize>)> {
        let reached = |area: AreaId| {
            let all = self.distances(area, router);
            all.iter().enumerate().filter(|(_, cost)| cost.is_some()).map(|(router, _)| router).collect()
        };
        self.areas[router].iter().map(|area| (*area, reached(*area))).collect()
    }

    /// Border routers of an area that a router reaches inside it.
    pub fn borders_of(&self, area: AreaId) -> impl Iterator<Item = usize> {
        self.borders.iter().copied().filter(move |border| self.areas[*border].contains(&area))
    }

    /// What a router's path to another's loopback costs.
    pub fn cost(&self, from: usize, to: usize) -> Option<u32> {
        self.costs(from)[to]
    }

    fn costs(&self, from: usize) -> Rc<Distances> {
        if let Some(known) = self.crossing.borrow().get(&from) {
            return known.clone();
        }
        let found: Rc<Distances> =
            Rc::new((0..self.topology.routers).map(|to| self.cross(from, to)).collect());
        self.crossing.borrow_mut().insert(from, found.clone());
        found
    }

    fn cross(&self, from: usize, to: usize) -> Option<u32> {
        let target = self.topology.loopback_area(to);
        let own = &self.areas[from];
        if own.contains(&target)
            && let Some(cost) = self.distances(target, from)[to]
        {
            return Some(cost);
        }
        if self.is_border(from) {
            // By the backbone to a border router of the area.
            let backbone = self.distances(AreaId::BACKBONE, from);
            let at = self.borders_of(target).filter(|border| *border != from);
            return at.filter_map(|border| plus(backbone[border], self.distances(target, border)[to])).min();
        }
        let area = own.first().copied()?;
        let inside = self.distances(area, from);
        let at = self.borders_of(area).filter(|border| inside[*border].is_some());
        at.filter_map(|border| plus(inside[border], self.costs(border)[to])).min()
    }

    /// Segments and routers on them that begin a shortest path inside an area; empty where there is none inside, or where a
    /// virtual link may be on it.
    fn first_hops(&self, area: AreaId, from: usize, to: usize) -> BTreeSet<(usize, usize)> {
        let mut hops = BTreeSet::new();
        let Some(shortest) = self.distances(area, from)[to] else { return hops };
        if area.is_backbone() && !self.topology.virtual_links.is_empty() {
            return hops;
        }
        let inside = |segment: &&(usize, &Segment)| segment.1.up && segment.1.area == area;
        for (at, segment) in self.topology.segments.iter().enumerate().filter(|segment| inside(&segment)) {
            let Some((_, cost)) = segment.ends.iter().find(|(end, _)| *end == from) else { continue };
            for (next, _) in segment.ends.iter().filter(|(end, _)| *end != from) {
                if plus(self.distances(area, *next)[to], Some(u32::from(*cost))) == Some(shortest) {
                    hops.insert((at, *next));
                }
            }
        }
        hops
    }
}

/// Every router has a route to every loopback, at the cost of the shortest path and by all who begin one.
pub fn check_routes<V: Plan>(world: &World<V>) {
    let oracle = Oracle::new(&world.topology);
    for from in 0..world.topology.routers {
        check_routes_of(world, &oracle, from);
    }
}

pub fn check_routes_of<V: Plan>(world: &World<V>, oracle: &Oracle<'_>, from: usize) {
    let topology = &world.topology;
    let routes = world.core(from).routes();
    for to in 0..topology.routers {
        let route = routes.get(&V::loopback_prefix(to));
        let expected = oracle.cost(from, to);
        assert_eq!(route.map(|route| route.cost), expected, "from router {from} to router {to}: {route:?}");
        let area = topology.loopback_area(to);
        if from != to && oracle.areas[from].contains(&area) && expected.is_some() {
            let hops = route.into_iter().flat_map(|route| &route.hops);
            let hops: BTreeSet<(usize, usize)> = hops
                .filter_map(|hop| {
                    let port = hop.interface.0 as usize;
                    let next = owner(world, from, port, hop.address?)?;
                    Some((*world.ports[from].get(port)?, next))
                })
                .collect();
            let expected = oracle.first_hops(area, from, to);
            assert!(expected.is_empty() || hops == expected, "{from} to {to}: {hops:?}, not {expected:?}");
        }
    }
}

/// Whatever equal path is taken at every router, a packet gets there, and no router sees it twice.
pub fn check_forwarding<V: Plan>(world: &World<V>) {
    let oracle = Oracle::new(&world.topology);
    for to in 0..world.topology.routers {
        check_forwarding_to(world, &oracle, to);
    }
}

/// From everywhere that has a way.
pub fn check_forwarding_to<V: Plan>(world: &World<V>, oracle: &Oracle<'_>, to: usize) {
    let mut seen = vec![Seen::Not; world.topology.routers];
    for from in (0..world.topology.routers).filter(|from| oracle.cost(*from, to).is_some()) {
        walk(world, from, to, &mut seen);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    /// The packet is on its way from there.
    Under,
    Arrives,
}

fn walk<V: Plan>(world: &World<V>, at: usize, to: usize, seen: &mut [Seen]) {
    if at == to || seen[at] == Seen::Arrives {
        return;
    }
    assert!(seen[at] == Seen::Not, "a loop through router {at} to router {to}");
    seen[at] = Seen::Under;
    let route = lookup(world, at, V::loopback_prefix(to));
    let route = route.unwrap_or_else(|| panic!("router {at} has no route to router {to}"));
    assert!(!route.hops.is_empty(), "router {at} has no next hop to router {to}");
    for hop in &route.hops {
        let next = hop.address.and_then(|address| owner(world, at, hop.interface.0 as usize, address));
        let next = next.unwrap_or_else(|| panic!("router {at} to {to} by {hop:?}: nobody there"));
        walk(world, next, to, seen);
    }
    seen[at] = Seen::Arrives;
}

/// The route a packet to a host takes: the longest that covers it.
pub fn lookup<V: Plan>(world: &World<V>, at: usize, host: Prefix) -> Option<&Route> {
    let routes = world.core(at).routes();
    let covering = || routes.iter().filter(|(prefix, _)| contains(prefix, host.addr()));
    routes.get(&host).or_else(|| covering().max_by_key(|(prefix, _)| prefix.len()).map(|(_, route)| route))
}

/// The router with an address on a segment that is up.
pub fn owner<V: Plan>(world: &World<V>, router: usize, port: usize, address: IpAddr) -> Option<usize> {
    let segment = *world.ports[router].get(port)?;
    let up = &world.topology.segments[segment];
    let on = |end: usize| {
        let port = world.ports[end].iter().position(|at| *at == segment)?;
        let link = V::link(segment, end, port as u32);
        // A forwarding address is one of its others.
        let own = || link.prefixes.iter().any(|(own, _)| *own == address);
        (link.next_hop.or(link.address) == Some(address) || own()).then_some(end)
    };
    up.up.then(|| up.ends.iter().find_map(|(end, _)| on(*end))).flatten()
}

/// The networks of segments that are up are reached from everywhere in the area.
pub fn segment_costs(topology: &Topology, area: AreaId, from: usize) -> BTreeMap<usize, u32> {
    let reached = Oracle::new(topology).distances(area, from);
    let inside = |segment: &Segment| segment.up && segment.area == area;
    let up = topology.segments.iter().enumerate().filter(|(_, segment)| inside(segment));
    let cost = |segment: &Segment| {
        segment.ends.iter().filter_map(|(end, cost)| plus(reached[*end], Some(u32::from(*cost)))).min()
    };
    up.filter_map(|(at, segment)| Some((at, cost(segment)?))).collect()
}
