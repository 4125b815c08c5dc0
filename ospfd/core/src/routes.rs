//! The routing table (§11, §16): intra-area, inter-area and external routes, computed whole from the trees of the areas.

mod external;
mod inter;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrite_ospf_packet::AreaId;
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::event::{Action, IfId};
use crate::instance::{Instance, Place};
use crate::interface::State;
use crate::version::{RouterBits, Version, Vertex};

/// Where packets leave.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hop {
    pub interface: IfId,
    /// None on a network we are attached to.
    pub address: Option<IpAddr>,
}

pub type Hops = BTreeSet<Hop>;

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
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    pub networks: BTreeMap<Prefix, Route>,
    /// AS boundary routers: the best way to each in every area, and by summaries.
    pub boundary: BTreeMap<RouterId, Vec<BoundaryRoute>>,
}

impl Table {
    /// Keeps the better of two routes; equal ones are used together.
    pub(crate) fn offer(&mut self, prefix: Prefix, route: Route) {
        let rank = |route: &Route| (route.path, route.type2_cost, route.cost);
        match self.networks.get_mut(&prefix) {
            Some(there) if rank(there) == rank(&route) => there.hops.extend(route.hops),
            Some(there) if rank(there) < rank(&route) => {}
            _ => drop(self.networks.insert(prefix, route)),
        }
    }

    /// The best way to a boundary router (§16.4.1).
    pub(crate) fn to_boundary(&self, router: RouterId, rfc1583: bool) -> Option<&BoundaryRoute> {
        // Intra-area paths outside the backbone first, then the backbone and summaries alike.
        let class = |way: &BoundaryRoute| !rfc1583 && (way.path != PathType::Intra || way.area.is_backbone());
        let area = |way: &BoundaryRoute| std::cmp::Reverse(way.area);
        self.boundary.get(&router)?.iter().min_by_key(|way| (class(way), way.cost, area(way)))
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

impl<V: Version> Instance<V> {
    /// The whole calculation (§16), and what follows from it.
    pub(crate) fn calculate(&mut self, now: Timestamp) {
        let areas: Vec<AreaId> = self.areas.keys().copied().collect();
        // The backbone last: paths over virtual links use what other areas have found.
        for area in areas.iter().rev() {
            self.run_area(now, *area);
        }
        if self.find_virtual_links(now) {
            self.run_area(now, AreaId::BACKBONE);
        }
        let mut table = Table::default();
        for area in &areas {
            self.intra_area(now, *area, &mut table);
        }
        self.inter_area(now, &mut table);
        self.external(now, &mut table);
        let cap = self.config.max_paths;
        for route in table.networks.values_mut() {
            while route.hops.len() > cap {
                route.hops.pop_last();
            }
        }
        let old = std::mem::replace(&mut self.routes, table);
        self.publish(&old);
    }

    /// §16.1 (4) and stage two: networks that hang on routers and transit networks.
    fn intra_area(&self, now: Timestamp, id: AreaId, table: &mut Table) {
        let Some(area) = self.areas.get(&id) else { return };
        let own = Vertex::Router(self.config.router_id);
        for (vertex, prefix, metric) in V::prefixes(&area.lsdb, now) {
            let Some(cost) = area.spf.cost(vertex) else { continue };
            let hops = if vertex == own { self.attached(id, prefix) } else { self.hops(id, vertex) };
            let cost = cost.saturating_add(metric);
            table.offer(prefix, Route { path: PathType::Intra, area: id, cost, type2_cost: 0, tag: 0, hops });
        }
        for (router, route) in
            area.spf.routers.iter().filter(|(_, route)| route.bits.boundary || route.bits.border)
        {
            let way =
                BoundaryRoute { path: PathType::Intra, area: id, cost: route.cost, hops: route.hops.clone() };
            if route.bits.boundary {
                table.boundary.entry(*router).or_default().push(way);
            }
        }
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
    fn publish(&mut self, old: &Table) {
        if *old == self.routes {
            return;
        }
        let new = &self.routes.networks;
        let mut changes: Vec<(Prefix, Option<Route>)> = Vec::new();
        changes.extend(
            old.networks.keys().filter(|prefix| !new.contains_key(prefix)).map(|prefix| (*prefix, None)),
        );
        let changed = |(prefix, route): &(&Prefix, &Route)| old.networks.get(prefix) != Some(route);
        changes.extend(new.iter().filter(changed).map(|(prefix, route)| (*prefix, Some(route.clone()))));
        // Until a restart is over the routes from before it stay as they are.
        if !changes.is_empty() && self.restart.is_none() {
            self.out.push(Action::Routes(changes));
        }
        if self.is_border_router() {
            self.dirty.extend(self.areas.keys().map(|area| Place::Area(*area)));
            self.dirty.insert(Place::As);
        }
    }
}
