//! Inter-area routes (§16.2), better ways through transit areas (§16.3), and the ways to AS boundary routers.

use std::collections::BTreeMap;

use ferrite_ospf_packet::AreaId;
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use super::{BoundaryRoute, Context, PathType, Route, RouterRoute, offer};
use crate::instance::Instance;
use crate::spf::Affected;
use crate::version::{INFINITY, Target, Version};

impl<V: Version> Instance<V> {
    /// Summaries of an area that others announce about a target, by ways that there are: who says it, the whole cost, the way.
    fn summaries(&self, id: AreaId, target: Target) -> impl Iterator<Item = (RouterId, u32, &RouterRoute)> {
        let own = self.config.router_id;
        let area = self.areas.get(&id);
        area.into_iter().flat_map(move |area| {
            let said = area.spf.known.summaries(target);
            said.filter(move |(router, metric)| *router != own && *metric < INFINITY).filter_map(
                move |(router, metric)| {
                    let way = area.spf.routers.get(&router)?;
                    Some((router, way.cost.saturating_add(metric), way))
                },
            )
        })
    }

    pub(super) fn by_summaries(
        &self,
        context: &Context,
        area: AreaId,
        prefix: Prefix,
        best: &mut Option<Route>,
    ) {
        for (router, cost, way) in self.summaries(area, Target::Network(prefix)) {
            let hops = way.hops.clone();
            let path = PathType::Inter;
            let backups = self.inherited(context.sheltered, area, router);
            offer(best, Route { path, area, cost, type2_cost: 0, tag: 0, hops, backups });
        }
    }

    /// A network that we gather in a range of our own areas is not believed from others (§16.2 (3)).
    pub(super) fn in_own_range(&self, context: &Context, prefix: Prefix) -> bool {
        context.border
            && self.config.areas.iter().any(|(id, area)| {
                self.areas.contains_key(id)
                    && area.ranges.contains_key(&prefix)
                    && self.range_is_active(*id, prefix)
            })
    }

    /// What goes by the backbone, and thus perhaps over a virtual link, may have a shorter way (§16.3).
    pub(super) fn through_transit(&self, area: AreaId, prefix: Prefix, route: &mut Route) {
        for (_, cost, way) in self.summaries(area, Target::Network(prefix)) {
            if cost > route.cost {
                continue;
            }
            if cost < route.cost {
                route.hops.clear();
                route.cost = cost;
            }
            route.hops.extend(way.hops.iter().copied());
        }
    }

    /// All ways to boundary routers: inside areas, and by summaries (§16.1 (4), §16.2).
    pub(super) fn find_boundaries(&mut self, context: &Context, affected: &mut Affected) {
        let mut boundary: BTreeMap<RouterId, Vec<BoundaryRoute>> = BTreeMap::new();
        for (id, area) in &self.areas {
            for (router, route) in area.spf.routers.iter().filter(|(_, route)| route.bits.boundary) {
                let hops = route.hops.clone();
                // Who prefers as RFC 1583 did may leave the area to come back into it elsewhere.
                let shelter = context.sheltered.filter(|_| !self.config.rfc1583);
                let backups = self.inherited(shelter, *id, *router);
                let way = BoundaryRoute { path: PathType::Intra, area: *id, cost: route.cost, hops, backups };
                boundary.entry(*router).or_default().push(way);
            }
        }
        for id in &context.believed {
            let Some(area) = self.areas.get(id) else { continue };
            for router in area.spf.known.summarized_routers().filter(|id| *id != self.config.router_id) {
                for (border, cost, way) in self.summaries(*id, Target::Router(router)) {
                    let (path, hops) = (PathType::Inter, way.hops.clone());
                    let backups = self.inherited(context.sheltered, *id, border);
                    let way = BoundaryRoute { path, area: *id, cost, hops, backups };
                    offer_boundary(boundary.entry(router).or_default(), way);
                }
            }
        }
        for id in &context.transit {
            for (router, ways) in &mut boundary {
                let Some(over) = ways.iter_mut().find(|way| way.area.is_backbone()) else { continue };
                for (_, cost, way) in self.summaries(*id, Target::Router(*router)) {
                    if cost > over.cost {
                        continue;
                    }
                    if cost < over.cost {
                        over.hops.clear();
                        over.cost = cost;
                    }
                    over.hops.extend(way.hops.iter().copied());
                }
            }
        }
        let old = std::mem::replace(&mut self.routes.boundary, boundary);
        let all: std::collections::BTreeSet<&RouterId> =
            old.keys().chain(self.routes.boundary.keys()).collect();
        for router in all.into_iter().filter(|router| old.get(router) != self.routes.boundary.get(router)) {
            self.boundaries_moved = true;
            self.known_externals.of_router(*router, affected);
        }
    }
}

fn offer_boundary(ways: &mut Vec<BoundaryRoute>, way: BoundaryRoute) {
    // In the area itself the way is known better.
    if ways.iter().any(|there| there.path == PathType::Intra && there.area == way.area) {
        return;
    }
    match ways.iter_mut().find(|there| there.path == PathType::Inter && there.area == way.area) {
        Some(there) if there.cost == way.cost => {
            there.hops.extend(way.hops);
            there.backups.extend(way.backups);
        }
        Some(there) if there.cost < way.cost => {}
        Some(there) => *there = way,
        None => ways.push(way),
    }
}
