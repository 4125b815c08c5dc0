//! Inter-area routes (§16.2), and better ways through transit areas (§16.3).

use ferrite_ospf_packet::AreaId;
use ferrite_types::Timestamp;

use super::{BoundaryRoute, PathType, Route, Table};
use crate::instance::Instance;
use crate::version::{INFINITY, Summary, Target, Version};

/// A summary that counts: what it is about, the whole cost, and the way to the router that announces it.
struct Offer<'a> {
    target: Target,
    cost: u32,
    way: &'a super::RouterRoute,
}

impl<V: Version> Instance<V> {
    pub(super) fn inter_area(&self, now: Timestamp, table: &mut Table) {
        let border = self.is_border_router();
        let examined = self.areas.keys().filter(|area| self.believes_summaries(**area));
        for area in examined {
            for Offer { target, cost, way } in self.offers(now, *area) {
                let hops = way.hops.clone();
                match target {
                    Target::Network(prefix) if self.in_own_range(prefix) => {}
                    Target::Network(prefix) => {
                        let route =
                            Route { path: PathType::Inter, area: *area, cost, type2_cost: 0, tag: 0, hops };
                        table.offer(prefix, route);
                    }
                    Target::Router(router) => {
                        let way = BoundaryRoute { path: PathType::Inter, area: *area, cost, hops };
                        offer_boundary(table.boundary.entry(router).or_default(), way);
                    }
                }
            }
        }
        if border {
            for area in
                self.areas.iter().filter(|(id, area)| area.transit && !id.is_backbone()).map(|(id, _)| *id)
            {
                self.through_transit(now, area, table);
            }
        }
    }

    /// Summaries of an area that others announce and that can be reached.
    fn offers(&self, now: Timestamp, id: AreaId) -> Vec<Offer<'_>> {
        let Some(area) = self.areas.get(&id) else { return Vec::new() };
        let types = [V::SUMMARY_NETWORK, V::SUMMARY_ROUTER];
        let lsas = types.into_iter().flat_map(|ty| area.lsdb.of_type(ty));
        let own = self.config.router_id;
        lsas.filter(|(key, entry)| key.adv != own && !entry.is_max_age(now))
            .filter_map(|(key, entry)| {
                let Summary { target, metric } = V::read_summary(key, entry.lsa.body())?;
                let way = area.spf.routers.get(&key.adv)?;
                let reachable = metric < INFINITY && target != Target::Router(own);
                reachable.then(|| Offer { target, cost: way.cost.saturating_add(metric), way })
            })
            .collect()
    }

    /// A network that we gather in a range of our own areas is not believed from others (§16.2 (3)).
    fn in_own_range(&self, prefix: ferrite_types::Prefix) -> bool {
        self.is_border_router()
            && self.config.areas.iter().any(|(id, area)| {
                self.areas.contains_key(id)
                    && area.ranges.contains_key(&prefix)
                    && self.range_is_active(*id, prefix)
            })
    }

    /// What goes by the backbone, and thus perhaps over a virtual link, may have a shorter way (§16.3).
    fn through_transit(&self, now: Timestamp, id: AreaId, table: &mut Table) {
        for Offer { target, cost, way } in self.offers(now, id) {
            match target {
                Target::Network(prefix) => {
                    let Some(route) = table.networks.get_mut(&prefix) else { continue };
                    if route.path > PathType::Inter || !route.area.is_backbone() || cost > route.cost {
                        continue;
                    }
                    if cost < route.cost {
                        route.hops.clear();
                        route.cost = cost;
                    }
                    route.hops.extend(way.hops.iter().copied());
                }
                Target::Router(router) => {
                    let ways = table.boundary.entry(router).or_default();
                    let over = ways.iter_mut().find(|way| way.area.is_backbone());
                    let Some(over) = over.filter(|over| cost <= over.cost) else { continue };
                    if cost < over.cost {
                        over.hops.clear();
                        over.cost = cost;
                    }
                    over.hops.extend(way.hops.iter().copied());
                }
            }
        }
    }
}

fn offer_boundary(ways: &mut Vec<BoundaryRoute>, way: BoundaryRoute) {
    // In the area itself the way is known better.
    if ways.iter().any(|there| there.path == PathType::Intra && there.area == way.area) {
        return;
    }
    match ways.iter_mut().find(|there| there.path == PathType::Inter && there.area == way.area) {
        Some(there) if there.cost == way.cost => there.hops.extend(way.hops),
        Some(there) if there.cost < way.cost => {}
        Some(there) => *there = way,
        None => ways.push(way),
    }
}
