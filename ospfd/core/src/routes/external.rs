//! External routes (§16.4) and those of NSSAs (RFC 3101 §2.5).

use std::net::IpAddr;

use ferrite_ospf_packet::AreaId;
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use super::{BoundaryRoute, Context, Hop, Hops, PathType, Route, Table};
use crate::config::AreaKind;
use crate::instance::Instance;
use crate::version::{ExternalRoute, INFINITY, Version};

/// Which of several LSAs for a prefix is used: type and cost first, then where it came from (RFC 3101 §2.5 (6)(e)).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    path: PathType,
    type2_cost: u32,
    cost: u32,
    /// Type 7 with P before type 5 before type 7 without.
    source: u8,
}

/// Where a route leaves, or its forwarding address is.
struct Way {
    cost: u32,
    hops: Hops,
    area: AreaId,
    backups: Vec<(Hop, Hop)>,
}

struct Found {
    rank: Rank,
    route: Route,
}

impl<V: Version> Instance<V> {
    /// The best external path to a prefix.
    pub(super) fn outside(&self, context: &Context, prefix: Prefix) -> Option<Route> {
        let own = self.config.router_id;
        let mut best: Option<Found> = None;
        let nssas = self.areas.iter().filter(|(id, _)| self.area_kind(**id) == AreaKind::Nssa);
        let sources =
            nssas.map(|(id, area)| (Some(*id), &area.spf.known)).chain([(None, &self.known_externals)]);
        for (area, known) in sources {
            for (router, external) in known.externals(prefix).filter(|(router, _)| *router != own) {
                // A default that stays inside is for routers inside (RFC 3101 §2.5 (3)).
                let inside = area.is_some() && prefix.len() == 0 && context.border && !external.propagate;
                if inside || external.metric >= INFINITY {
                    continue;
                }
                let Some(found) = self.judge(context, area, router, external) else { continue };
                match &mut best {
                    Some(there) if there.rank == found.rank => {
                        there.route.hops.extend(found.route.hops);
                        there.route.backups.extend(found.route.backups);
                    }
                    Some(there) if there.rank < found.rank => {}
                    best => *best = Some(found),
                }
            }
        }
        best.map(|found| self.capped(found.route))
    }

    /// Steps (3) to (6) for one LSA.
    fn judge(
        &self,
        context: &Context,
        area: Option<AreaId>,
        router: RouterId,
        external: &ExternalRoute,
    ) -> Option<Found> {
        let table = &self.routes;
        let way = match area {
            Some(id) => {
                let way = self.areas.get(&id)?.spf.routers.get(&router).filter(|way| way.bits.boundary)?;
                let backups = self.inherited(context.sheltered, id, router);
                Way { cost: way.cost, hops: way.hops.clone(), area: id, backups }
            }
            None => {
                let BoundaryRoute { cost, hops, area, backups, .. } = self.way_out(router)?.clone();
                Way { cost, hops, area, backups }
            }
        };
        let mut way = match external.forwarding {
            None => way,
            Some(address) => self.forward(table, area, address)?,
        };
        if area.is_some_and(|id| external.propagate && self.borders(id) > 1) {
            // One border router may prefer what another makes of it, and packets come back by that (RFC 3101 §2.5 (6)(e)).
            way.backups.clear();
        }
        let Way { cost, hops, area: via, backups } = way;
        let (path, cost, type2_cost) = if external.type2 {
            (PathType::External2, cost, external.metric)
        } else {
            (PathType::External1, cost.saturating_add(external.metric), 0)
        };
        let source = match (area, external.propagate) {
            (Some(_), true) => 0,
            (None, _) => 1,
            (Some(_), false) => 2,
        };
        let route = Route { path, area: via, cost, type2_cost, tag: external.tag, hops, backups };
        Some(Found { rank: Rank { path, type2_cost, cost, source }, route })
    }

    /// The way to who announces a route of type 5. Routers of stub areas and NSSAs do not know the route, and might send packets
    /// back: the way is not through such (RFC 3101 §2.5 (3)).
    pub(crate) fn way_out(&self, router: RouterId) -> Option<&BoundaryRoute> {
        let knows = |area| self.area_kind(area) == AreaKind::Normal;
        self.routes.to_boundary_through(router, self.config.rfc1583, knows)
    }

    /// A forwarding address must be reached inside; of an NSSA's LSA inside that area.
    fn forward(&self, table: &Table, area: Option<AreaId>, address: IpAddr) -> Option<Way> {
        let (_, route) = table.lookup(address).filter(|(_, route)| route.path <= PathType::Inter)?;
        if area.is_some_and(|area| route.path != PathType::Intra || route.area != area) {
            return None;
        }
        // On a network of ours packets go to the address itself.
        let direct = |hop: &Hop| Hop { address: hop.address.or(Some(address)), ..*hop };
        Some(Way {
            cost: route.cost,
            hops: route.hops.iter().map(direct).collect(),
            area: route.area,
            backups: route.backups.iter().map(|(hop, other)| (direct(hop), direct(other))).collect(),
        })
    }

    /// Border routers of an area.
    fn borders(&self, area: AreaId) -> usize {
        let routers = self.areas.get(&area).map(|area| area.spf.routers.values());
        routers.into_iter().flatten().filter(|way| way.bits.border).count()
    }
}
