//! LSAs that are made from routes: summaries and their ranges (§12.4.3), external routes (§12.4.4), NSSA-LSAs and their translation
//! (RFC 3101 §3).

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrite_ospf_packet::{AreaId, Options};
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use crate::config::{AreaKind, Range, Translator, permits};
use crate::instance::Instance;
use crate::interface::State;
use crate::ranges::{gather_externals, gather_translated};
use crate::routes::{Hops, PathType, Route};
use crate::version::{ExternalRoute, INFINITY, IdPool, Summary, Target, Version, Wanted};

impl<V: Version> Instance<V> {
    /// What a border router says in an area of the others.
    pub(crate) fn summarize(&mut self, id: AreaId, wanted: &mut Wanted) {
        let mut summaries: Vec<Summary> = Vec::new();
        if self.is_border_router() {
            let config = self.config.area(id);
            // An NSSA with summaries needs none (RFC 3101 §2.7); FRR's ospfd gives it one all the same, and networks count on it.
            let needed = V::VERSION == 2 || config.kind == AreaKind::Stub || config.no_summary;
            if config.kind != AreaKind::Normal && needed {
                summaries
                    .push(Summary { target: Target::Network(V::DEFAULT_ROUTE), metric: config.default_cost });
            }
            if config.kind == AreaKind::Normal || !config.no_summary {
                summaries.extend(self.network_summaries(id));
            }
            if config.kind == AreaKind::Normal {
                summaries.extend(self.router_summaries(id));
            }
        }
        let options = Self::lsa_options(self.area_kind(id)).without(Options::NP);
        let router = self.config.router_id;
        let Some(area) = self.areas.get_mut(&id) else { return };
        let current: std::collections::BTreeSet<Target> =
            summaries.iter().map(|summary| summary.target).collect();
        area.summary_ids.retain(|target| current.contains(target));
        summaries.sort_unstable_by_key(|summary| summary.target);
        for summary in summaries.into_iter().filter(|summary| summary.metric < INFINITY) {
            if let Some((key, body)) = V::summary(&mut area.summary_ids, wanted, router, summary) {
                wanted.insert(key, (options, body));
            }
        }
    }

    pub(crate) fn lsa_options(kind: AreaKind) -> Options {
        let base = Self::said_of_lsas();
        match kind {
            AreaKind::Normal => base.with(Options::E),
            AreaKind::Stub => base,
            AreaKind::Nssa => base.with(Options::NP),
        }
    }

    /// Opaque LSAs are spoken of in descriptions, and in themselves, alone (RFC 5250 §3.1).
    fn said_of_lsas() -> Options {
        if V::VERSION == 2 { V::base_options().without(Options::O) } else { V::base_options() }
    }

    /// Paths that lead into the area itself are no news there.
    fn leads_into(&self, hops: &Hops, area: AreaId) -> bool {
        let inside = |id| self.interfaces.get(id).is_some_and(|interface| interface.config.area == area);
        hops.iter().any(|hop| inside(&hop.interface))
    }

    fn network_summaries(&self, id: AreaId) -> Vec<Summary> {
        let mut gathered: BTreeMap<Prefix, u32> = BTreeMap::new();
        let mut single: BTreeMap<Prefix, u32> = BTreeMap::new();
        for (prefix, route) in &self.routes.networks {
            let may = match route.path {
                PathType::Intra => true,
                // From the backbone outwards only.
                PathType::Inter => route.area.is_backbone() && !id.is_backbone(),
                PathType::External1 | PathType::External2 => false,
            };
            // Nobody is called to where we cannot send packets.
            if !may
                || route.hops.is_empty()
                || route.area == id
                || self.leads_into(&route.hops, id)
                || route.cost >= INFINITY
            {
                continue;
            }
            if route.path == PathType::Intra && !self.leaves(route.area, *prefix) {
                continue;
            }
            // As with FRR the lists of the area judge networks, not the ranges that those that pass are gathered in.
            if !self.enters(id, *prefix) {
                continue;
            }
            match self.range_for(route, *prefix, id) {
                Some(range) => {
                    let largest = gathered.entry(range).or_default();
                    *largest = (*largest).max(route.cost);
                }
                None => {
                    single.insert(*prefix, route.cost);
                }
            }
        }
        for (range, largest) in gathered {
            let config = self.config.areas.values().find_map(|area| area.ranges.get(&range));
            match config {
                Some(Range { advertise: true, cost, substitute }) => {
                    if substitute.is_some() {
                        single.remove(&range);
                    }
                    single.insert(substitute.unwrap_or(range), cost.unwrap_or(largest));
                }
                _ => {
                    single.remove(&range);
                }
            }
        }
        single
            .into_iter()
            .map(|(prefix, metric)| Summary { target: Target::Network(prefix), metric })
            .collect()
    }

    /// Whether an area is told of a network of others.
    fn enters(&self, area: AreaId, prefix: Prefix) -> bool {
        let config = self.config.areas.get(&area);
        config.is_none_or(|area| permits(&area.import, prefix) && permits(&area.filter_in, prefix))
    }

    /// Whether others are told of a network of an area.
    fn leaves(&self, area: AreaId, prefix: Prefix) -> bool {
        let config = self.config.areas.get(&area);
        config.is_none_or(|area| permits(&area.export, prefix) && permits(&area.filter_out, prefix))
    }

    /// The range of its own area that an intra-area route is gathered in.
    fn range_for(&self, route: &Route, prefix: Prefix, towards: AreaId) -> Option<Prefix> {
        if route.path != PathType::Intra {
            return None;
        }
        // The backbone's networks are told as they are in a transit area (§12.4.3).
        if route.area.is_backbone() && self.areas.get(&towards).is_some_and(|area| area.transit) {
            return None;
        }
        let ranges = &self.config.areas.get(&route.area)?.ranges;
        ranges.keys().filter(|range| range.covers(prefix)).max_by_key(|range| range.len()).copied()
    }

    /// Whether some route of its area lies in a range.
    pub(crate) fn range_is_active(&self, area: AreaId, range: Prefix) -> bool {
        let inside = |(prefix, route): (&Prefix, &Route)| {
            route.path == PathType::Intra && route.area == area && range.covers(*prefix)
        };
        self.routes.networks.iter().any(inside)
    }

    fn router_summaries(&self, id: AreaId) -> Vec<Summary> {
        let mut summaries = Vec::new();
        for router in self.routes.boundary.keys().filter(|router| **router != self.config.router_id) {
            // Nobody outside an NSSA hears what its boundary routers announce, but from those that translate it.
            let tells = |area| self.area_kind(area) == AreaKind::Normal;
            let Some(way) = self.routes.to_boundary_through(*router, self.config.rfc1583, tells) else {
                continue;
            };
            let may = match way.path {
                PathType::Intra => true,
                _ => way.area.is_backbone() && !id.is_backbone(),
            };
            if may && way.area != id && !self.leads_into(&way.hops, id) {
                summaries.push(Summary { target: Target::Router(*router), metric: way.cost });
            }
        }
        summaries
    }

    // External routes

    fn redistributed_routes(&self) -> Vec<ExternalRoute> {
        let route = |(prefix, external): (&Prefix, &crate::event::External)| ExternalRoute {
            prefix: *prefix,
            metric: external.metric.min(INFINITY - 1),
            type2: external.type2,
            forwarding: external.forwarding,
            tag: external.tag,
            propagate: false,
        };
        gather_externals(self.redistributed.iter().map(route), &self.config.external_ranges)
    }

    pub(crate) fn announce_externals(&mut self, wanted: &mut Wanted) {
        let mut routes: Vec<ExternalRoute> = Vec::new();
        // Where every area is a stub or an NSSA nobody would hear of them.
        if self.active_areas().into_iter().any(|area| self.area_kind(area) == AreaKind::Normal) {
            routes = self.redistributed_routes();
        }
        let own: std::collections::BTreeSet<Prefix> = routes.iter().map(|route| route.prefix).collect();
        routes.extend(self.translated().into_values().filter(|route| !own.contains(&route.prefix)));
        routes.sort_unstable();
        let options = Self::said_of_lsas().with(Options::E);
        let router = self.config.router_id;
        Self::put_externals(&mut self.external_ids, router, false, &routes, options, wanted);
    }

    fn put_externals(
        ids: &mut IdPool<Prefix>,
        router: RouterId,
        nssa: bool,
        routes: &[ExternalRoute],
        options: Options,
        wanted: &mut Wanted,
    ) {
        let ty = if nssa { V::NSSA } else { V::EXTERNAL };
        for route in routes {
            if let Some((key, body)) = V::external(ids, wanted, router, ty, route) {
                // OSPFv2 says in the header whether an LSA of type 7 is to be translated.
                let options = if nssa && route.propagate && V::VERSION == 2 {
                    options.with(Options::NP)
                } else {
                    options
                };
                wanted.insert(key, (options, body));
            }
        }
        // After the others have theirs: an ID is not another network's in the same moment.
        let current: std::collections::BTreeSet<Prefix> = routes.iter().map(|route| route.prefix).collect();
        ids.retain(|prefix| current.contains(prefix));
    }

    /// Our external routes in an NSSA, and a border router's default there (RFC 3101 §2.3, §2.7).
    pub(crate) fn announce_nssa(&mut self, id: AreaId, wanted: &mut Wanted) {
        if self.area_kind(id) != AreaKind::Nssa {
            return;
        }
        let border = self.is_border_router();
        let forwarding = self.forwarding_address(id);
        let mut routes: Vec<ExternalRoute> = Vec::new();
        for route in self.redistributed_routes() {
            // A border router says it outside itself; P asks for a forwarding address (RFC 3101 §2.4).
            let forwarding = route.forwarding.or(forwarding);
            // What we hand on ourselves nobody translates: then packets need lead to us alone.
            let forwarding = if border { route.forwarding } else { forwarding };
            routes.push(ExternalRoute { propagate: !border && forwarding.is_some(), forwarding, ..route });
        }
        let config = self.config.area(id);
        if border && config.default_originate && !config.no_summary {
            routes.retain(|route| route.prefix.len() != 0);
            routes.push(ExternalRoute {
                prefix: V::DEFAULT_ROUTE,
                metric: config.default_metric.unwrap_or(config.default_cost),
                type2: config.default_type2,
                forwarding: None,
                tag: 0,
                propagate: false,
            });
        }
        routes.sort_unstable();
        let options = Self::said_of_lsas();
        let router = self.config.router_id;
        let Some(area) = self.areas.get_mut(&id) else { return };
        Self::put_externals(&mut area.nssa_ids, router, true, &routes, options, wanted);
    }

    /// An address of ours in an area: of a loopback if there is one.
    fn forwarding_address(&self, id: AreaId) -> Option<IpAddr> {
        let up = self
            .interfaces
            .values()
            .filter(|i| i.state > State::Down && i.config.area == id && !i.is_virtual());
        let address = |i: &crate::interface::Interface| i.link.prefixes.first().map(|(address, _)| *address);
        let found = up.filter_map(|i| Some((i.state != State::Loopback, address(i)?)));
        found.min().map(|(_, address)| address)
    }

    /// Whether we translate for an NSSA (RFC 3101 §3.1).
    pub fn translates(&self, id: AreaId) -> bool {
        if !self.is_border_router() || self.area_kind(id) != AreaKind::Nssa {
            return false;
        }
        match self.config.area(id).translator {
            Translator::Always => true,
            Translator::Never => false,
            Translator::Candidate => {
                let own = self.config.router_id;
                let routers = self.areas.get(&id).map(|area| &area.spf.routers);
                let better = |(router, route): (&RouterId, &crate::routes::RouterRoute)| {
                    *router != own && route.bits.border && (route.bits.translator || *router > own)
                };
                routers.is_some_and(|routers| !routers.iter().any(better))
            }
        }
    }

    /// Type 7 LSAs with P whose route is used, as type 5 (RFC 3101 §3.2).
    fn translated(&self) -> BTreeMap<Prefix, ExternalRoute> {
        let mut all: BTreeMap<Prefix, ExternalRoute> = BTreeMap::new();
        for (id, area) in self.areas.iter().filter(|(id, _)| self.translates(**id)) {
            let mut translated: BTreeMap<Prefix, ExternalRoute> = BTreeMap::new();
            for (key, entry) in area.lsdb.of_type(V::NSSA).filter(|(key, _)| key.adv != self.config.router_id)
            {
                let Some(route) = V::read_external(key, entry.lsa.header().options, entry.lsa.body()) else {
                    continue;
                };
                let used = self.routes.networks.get(&route.prefix).is_some_and(|used| {
                    used.path > PathType::Inter && used.area == *id && used.tag == route.tag
                });
                let alive = !entry.lsa.header().is_max_age();
                if route.propagate && route.forwarding.is_some() && used && alive {
                    let there = translated.entry(route.prefix).or_insert(route);
                    *there = (*there).min(route);
                }
            }
            let config = self.config.area(*id);
            for mut route in gather_translated(translated.into_values(), &config.nssa_ranges) {
                route.propagate = false;
                if config.suppress_forwarding {
                    route.forwarding = None;
                }
                all.entry(route.prefix).or_insert(route);
            }
        }
        all
    }
}
