//! Static routes: from the configuration to candidates. The next hops of one prefix, table and distance are one route.
//! Interface and VRF names become numbers here, so the same configuration gives other routes as links come and go.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrite_types::zclient::RouteAttrs;
use ferrite_types::{Distance, Metric, Nexthop, NexthopKind, Prefix, RouteProtocol, Seg6, Tag, VrfId};

use crate::client::Source;
use crate::instance::Zebra;
use crate::rib::{OwnerId, TableKey};
use crate::settings::{StaticKey, StaticNexthop, StaticValue};

/// The routes that stand in the tables.
pub type Statics = BTreeMap<StaticRoute, RouteAttrs>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StaticRoute {
    key: TableKey,
    prefix: Prefix,
    distance: Distance,
}

const SOURCE: Source =
    Source { owner: OwnerId::SELF, protocol: RouteProtocol::Static, instance: 0, epoch: 0 };

impl Zebra {
    /// Brings the tables to what the configuration says with the links that are there.
    pub(crate) fn apply_statics(&mut self) {
        self.apply_mroutes();
        let wanted = self.wanted_statics();
        let present = std::mem::take(&mut self.statics);
        // The best distance first: a worse one must not take over on the way.
        for (route, attrs) in &wanted {
            if present.get(route) != Some(attrs) {
                self.add_route(route.key, route.prefix, SOURCE, attrs);
            }
        }
        for route in present.keys().filter(|route| !wanted.contains_key(route)) {
            self.withdraw_matching(route.key, route.prefix, |shape| {
                shape.owner == OwnerId::SELF
                    && shape.protocol == RouteProtocol::Static
                    && shape.distance == route.distance
            });
        }
        self.statics = wanted;
    }

    pub(crate) fn statics_forget(&mut self, vrf: VrfId) {
        self.statics.retain(|route, _| route.key.vrf != vrf);
    }

    fn wanted_statics(&self) -> Statics {
        let mut grouped: BTreeMap<StaticRoute, (Vec<Nexthop>, Tag)> = BTreeMap::new();
        for (name, settings) in &self.settings.vrfs {
            let Some(vrf) = self.interfaces.vrf_by_name(name) else { continue };
            let Some(own_table) = self.interfaces.table_of(vrf) else { continue };
            for (key, value) in &settings.statics {
                let Some(nexthop) = self.static_nexthop(vrf, key, value) else { continue };
                let table = key.table.unwrap_or(own_table);
                let route = StaticRoute {
                    key: TableKey { from: key.from, ..crate::rib::key(vrf, key.prefix.afi(), table) },
                    prefix: key.prefix,
                    distance: key.distance,
                };
                let (nexthops, tag) = grouped.entry(route).or_default();
                nexthops.push(nexthop);
                *tag = (*tag).max(value.tag);
            }
        }
        if let Some(table) = self.interfaces.table_of(VrfId::DEFAULT) {
            for (prefix, nexthop) in self.sid_routes() {
                let distance = RouteProtocol::Static.default_distance();
                let key = crate::rib::key(VrfId::DEFAULT, prefix.afi(), table);
                // An identifier is nothing else beside.
                grouped.insert(StaticRoute { key, prefix, distance }, (vec![nexthop], Tag(0)));
            }
        }
        let finish = |(route, (nexthops, tag)): (StaticRoute, (Vec<Nexthop>, Tag))| {
            (route, attrs(nexthops.into(), route.distance, tag))
        };
        grouped.into_iter().map(finish).collect()
    }

    /// `None` while an interface or VRF that it names is not there.
    fn static_nexthop(&self, vrf: VrfId, key: &StaticKey, value: &StaticValue) -> Option<Nexthop> {
        let (kind, nexthop_vrf) = match &key.nexthop {
            StaticNexthop::Blackhole => (NexthopKind::Blackhole(value.kind.kind()), vrf),
            StaticNexthop::Via { gateway, interface, vrf: other, .. } => {
                let other = match other {
                    Some(name) => self.interfaces.vrf_by_name(name)?,
                    None => vrf,
                };
                // Routes of one namespace do not lead out of another's links.
                if self.options.netns && other != vrf {
                    return None;
                }
                let ifindex = match interface {
                    Some(name) => Some(self.interfaces.by_name_in(name, other)?.info.interface.ifindex),
                    None => None,
                };
                let kind = match (gateway, ifindex) {
                    (Some(gateway), ifindex) => NexthopKind::Gateway(*gateway, ifindex),
                    (None, Some(ifindex)) => NexthopKind::Interface(ifindex),
                    (None, None) => return None,
                };
                (kind, other)
            }
        };
        let mut nexthop = Nexthop::new(kind);
        nexthop.vrf = nexthop_vrf;
        nexthop.onlink = value.onlink;
        nexthop.labels.clone_from(&value.labels);
        if !value.segments.is_empty() {
            nexthop.seg6 = Some(Box::new(Seg6::Encap(value.segments.clone())));
        }
        Some(nexthop)
    }
}

fn attrs(nexthops: Arc<[Nexthop]>, distance: Distance, tag: Tag) -> RouteAttrs {
    RouteAttrs {
        nexthops,
        distance,
        metric: Metric(0),
        tag,
        mtu: 0,
        allow_recursion: true,
        internal: false,
        ospf: None,
    }
}
