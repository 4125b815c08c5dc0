//! The routing table (§11, §16): intra-area, inter-area and external routes, computed from the trees of the areas for the prefixes
//! that a change has effects on.

mod backup;
mod external;
mod hops;
mod inter;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrite_ospf_packet::AreaId;
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::event::{Action, IfId};
use crate::instance::{Instance, Place};
use crate::interface::State;
use crate::spf::Affected;
use crate::trace::Trace;
use crate::version::{RouterBits, Version, Vertex};

/// Where packets leave.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hop {
    pub interface: IfId,
    /// None on a network we are attached to.
    pub address: Option<IpAddr>,
}

pub(crate) use backup::Backups;
pub use hops::Hops;

/// Path types, the preferred first (§11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PathType {
    Intra,
    Inter,
    External1,
    External2,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    pub path: PathType,
    /// Of external routes the area of the path to where they leave.
    pub area: AreaId,
    pub cost: u32,
    /// Metric of type 2; 0 for other paths.
    pub type2_cost: u32,
    pub tag: u32,
    pub hops: Hops,
    /// Where packets go when a next hop fails, until all have computed anew (RFC 5286): the next hop that failed, and the other
    /// one. Only where the configuration asks for it; of what lies outside of an area the alternates of the way to the router
    /// that leads there.
    pub backups: Vec<(Hop, Hop)>,
}

/// A way to a router (the table's entries for routers, §11).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouterRoute {
    pub cost: u32,
    pub area: AreaId,
    pub bits: RouterBits,
    pub hops: Hops,
}

/// A way to a router that announces external routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoundaryRoute {
    pub path: PathType,
    pub area: AreaId,
    pub cost: u32,
    pub hops: Hops,
    pub backups: Vec<(Hop, Hop)>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    pub networks: BTreeMap<Prefix, Route>,
    /// AS boundary routers: the best way to each in every area, and by summaries.
    pub boundary: BTreeMap<RouterId, Vec<BoundaryRoute>>,
}

impl Table {
    /// The best way to a boundary router (§16.4.1).
    pub(crate) fn to_boundary(&self, router: RouterId, rfc1583: bool) -> Option<&BoundaryRoute> {
        self.to_boundary_through(router, rfc1583, |_| true)
    }

    /// The same, through some areas only.
    pub(crate) fn to_boundary_through(
        &self,
        router: RouterId,
        rfc1583: bool,
        counts: impl Fn(AreaId) -> bool,
    ) -> Option<&BoundaryRoute> {
        // Intra-area paths outside the backbone first, then the backbone and summaries alike.
        let class = |way: &BoundaryRoute| !rfc1583 && (way.path != PathType::Intra || way.area.is_backbone());
        let area = |way: &BoundaryRoute| std::cmp::Reverse(way.area);
        let ways = self.boundary.get(&router)?.iter().filter(|way| counts(way.area));
        ways.min_by_key(|way| (class(way), way.cost, area(way)))
    }

    /// The route that packets to an address take.
    pub(crate) fn lookup(&self, address: IpAddr) -> Option<(&Prefix, &Route)> {
        let host = match address {
            IpAddr::V4(address) => Prefix::V4(ferrite_types::Ipv4Prefix::host(address)),
            IpAddr::V6(address) => Prefix::V6(ferrite_types::Ipv6Prefix::host(address)),
        };
        (0..=host.len()).rev().find_map(|len| self.networks.get_key_value(&host.truncate(len)))
    }
}

/// What a calculation looks up again and again.
struct Context {
    border: bool,
    /// Areas whose summaries count.
    believed: Vec<AreaId>,
    /// Areas that others lead their virtual links through.
    transit: Vec<AreaId>,
    /// The area whose alternates are inherited.
    sheltered: Option<AreaId>,
}

impl<V: Version> Instance<V> {
    /// The calculation (§16): the trees of the areas, and the routes to what changed or is reached in another way.
    pub(crate) fn calculate(&mut self, now: Timestamp) {
        let mut affected = Affected { all: std::mem::take(&mut self.whole), ..Affected::default() };
        let whole = affected.all;
        let areas: Vec<AreaId> = self.areas.keys().copied().collect();
        // The backbone last: paths over virtual links use what other areas have found.
        for area in areas.iter().rev() {
            self.run_area(now, *area, whole, &mut affected);
        }
        if self.find_virtual_links(now) {
            affected.all = true;
            self.run_area(now, AreaId::BACKBONE, true, &mut affected);
            self.whole = false;
        }
        for key in std::mem::take(&mut self.stale_externals) {
            self.known_externals.update::<V>(&self.externals, key, now, &mut affected);
        }
        // What was repaired is no longer what the trees said.
        affected.prefixes.append(&mut self.repaired);
        let border = self.is_border_router();
        let believed: Vec<AreaId> =
            areas.iter().copied().filter(|area| self.believes_summaries(*area)).collect();
        let transit: Vec<AreaId> = self
            .areas
            .iter()
            .filter(|(id, area)| border && area.transit && !id.is_backbone())
            .map(|(id, _)| *id)
            .collect();
        let sheltered = self.shelter(&believed, &transit);
        affected.all |= std::mem::replace(&mut self.sheltered, sheltered) != sheltered;
        let context = Context { border, believed, transit, sheltered };
        if affected.all || affected.boundaries {
            self.find_boundaries(&context, &mut affected);
        }
        if affected.all {
            affected.prefixes.extend(self.routes.networks.keys());
            affected.prefixes.extend(self.known_externals.prefixes());
            affected.prefixes.extend(self.areas.values().flat_map(|area| area.spf.known.prefixes()));
        }
        let changes = self.update_routes(&context, affected.prefixes);
        let changed = changes.len();
        self.trace(|| Trace::Calculated { whole, changed });
        self.publish(now, changes);
    }

    /// Computes the routes to some prefixes: first those inside, which external ones may lead to.
    fn update_routes(
        &mut self,
        context: &Context,
        mut prefixes: BTreeSet<Prefix>,
    ) -> BTreeMap<Prefix, Option<Route>> {
        let mut before: BTreeMap<Prefix, Option<Route>> = BTreeMap::new();
        let is_inside = |route: &Route| route.path <= PathType::Inter;
        // Whether a range is in use is known when what lies in it is.
        let ranges: BTreeSet<Prefix> =
            self.config.areas.values().flat_map(|area| area.ranges.keys()).copied().collect();
        let own: Vec<Prefix> = prefixes.difference(&ranges).chain(&ranges).copied().collect();
        let mut moved = false;
        for prefix in own {
            let new = self.inside(context, prefix);
            let old = self.routes.networks.get(&prefix).filter(|route| is_inside(route));
            if old == new.as_ref() {
                continue;
            }
            moved = true;
            prefixes.insert(prefix);
            let old = match new {
                Some(route) => self.routes.networks.insert(prefix, route),
                None => self.routes.networks.remove(&prefix),
            };
            before.entry(prefix).or_insert(old);
        }
        if moved {
            let nssas = self.areas.values().flat_map(|area| area.spf.known.forwarded());
            prefixes.extend(nssas.chain(self.known_externals.forwarded()));
        }
        for prefix in prefixes {
            let there = self.routes.networks.get(&prefix);
            if there.is_some_and(is_inside) {
                continue;
            }
            let new = self.outside(context, prefix);
            if there == new.as_ref() {
                continue;
            }
            let old = match new {
                Some(route) => self.routes.networks.insert(prefix, route),
                None => self.routes.networks.remove(&prefix),
            };
            before.entry(prefix).or_insert(old);
        }
        before
    }

    fn capped(&self, mut route: Route) -> Route {
        // Of several next hops each stands in for the others; of several alternates one does.
        route.backups.truncate(usize::from(route.hops.len() == 1));
        while route.hops.len() > self.config.max_paths {
            route.hops.pop_last();
        }
        route
    }

    /// §16.1 (4) and stage two, §16.2, §16.3: the best path inside the AS.
    fn inside(&self, context: &Context, prefix: Prefix) -> Option<Route> {
        let mut best: Option<Route> = None;
        let own = Vertex::Router(self.config.router_id);
        let mut over = None;
        for (id, area) in &self.areas {
            for (vertex, metric) in area.spf.known.vertices(prefix) {
                let Some(cost) = area.spf.cost(vertex) else { continue };
                let cost = cost.saturating_add(metric);
                if best.as_ref().is_some_and(|best| best.cost < cost) {
                    continue;
                }
                let hops = if vertex == own { self.attached(*id, prefix) } else { self.hops(*id, vertex) };
                let path = PathType::Intra;
                over = Some((*id, vertex));
                offer(
                    &mut best,
                    Route { path, area: *id, cost, type2_cost: 0, tag: 0, hops, backups: vec![] },
                );
            }
        }
        if best.is_none() && !self.in_own_range(context, prefix) {
            for area in &context.believed {
                self.by_summaries(context, *area, prefix, &mut best);
            }
        }
        let mut route = best?;
        if route.area.is_backbone() {
            for area in &context.transit {
                self.through_transit(*area, prefix, &mut route);
            }
        }
        if let Some(backup) = over.and_then(|(area, vertex)| self.areas.get(&area)?.spf.backups.get(&vertex))
            && route.path == PathType::Intra
        {
            route.backups.push(*backup);
        }
        Some(self.capped(route))
    }

    /// Interfaces that are on a network of ours.
    fn attached(&self, area: AreaId, prefix: Prefix) -> Hops {
        let up = |i: &&crate::interface::Interface| {
            i.state > State::Down && i.config.area == area && !i.is_virtual()
        };
        let on = |i: &crate::interface::Interface| {
            i.link.prefixes.iter().any(|(address, len)| {
                let network = crate::version::prefix_of(*address, *len);
                network.is_some_and(|network| network.covers(prefix))
            })
        };
        let found = self.interfaces.iter().filter(|(_, i)| up(i) && on(i));
        found.map(|(id, _)| Hop { interface: *id, address: None }).collect()
    }

    /// Tells what changed, and has the LSAs compared that are made from routes.
    fn publish(&mut self, now: Timestamp, before: BTreeMap<Prefix, Option<Route>>) {
        let new = &self.routes.networks;
        let changes: Vec<(Prefix, Option<Route>)> = before
            .into_iter()
            .filter(|(prefix, old)| new.get(prefix) != old.as_ref())
            .map(|(prefix, _)| (prefix, new.get(&prefix).cloned()))
            .collect();
        for (prefix, route) in &changes {
            self.route_times.changed(now, *prefix, route.is_some());
        }
        let changed = !changes.is_empty() || std::mem::take(&mut self.boundaries_moved);
        // Until a restart is over the routes from before it stay as they are.
        if !changes.is_empty() && self.restart.is_none() {
            self.out.push(Action::Routes(changes));
        }
        if changed && self.is_border_router() {
            self.dirty.extend(self.areas.keys().map(|area| Place::Area(*area)));
            self.dirty.insert(Place::As);
        }
    }
}

/// Keeps the better of two routes; equal ones are used together.
fn offer(best: &mut Option<Route>, route: Route) {
    let rank = |route: &Route| (route.path, route.type2_cost, route.cost);
    match best {
        Some(there) if rank(there) == rank(&route) => {
            there.hops.extend(route.hops);
            there.backups.extend(route.backups);
        }
        Some(there) if rank(there) < rank(&route) => {}
        _ => *best = Some(route),
    }
}
