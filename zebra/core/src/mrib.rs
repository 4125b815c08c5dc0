//! What multicast looks its sources up in: a table beside the unicast one, with the connected networks, static routes of its
//! own (`ip mroute`), imported tables and the routes of daemons that have multicast ones. A source that has no route in it is looked
//! up in the unicast table (`show ip rpf ADDRESS`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ferrite_types::zclient::RouteAttrs;
use ferrite_types::{
    Afi, Distance, Metric, Nexthop, NexthopKind, Prefix, RouteProtocol, Safi, TableId, Tag, VrfId,
};

use crate::client::Source;
use crate::instance::Zebra;
use crate::rib::{Dest, OwnerId, TableKey};
use crate::settings::MrouteHop;

/// The static routes that stand in the table.
pub type Mroutes = BTreeMap<(Distance, Prefix), Arc<[Nexthop]>>;

const SOURCE: Source =
    Source { owner: OwnerId::SELF, protocol: RouteProtocol::Static, instance: 0, epoch: 0 };

/// The same networks for multicast.
pub fn multicast(key: TableKey) -> TableKey {
    TableKey { safi: Safi::Multicast, ..key }
}

impl Zebra {
    /// Brings `ip mroute` to what the configuration says with the links that are there.
    pub(crate) fn apply_mroutes(&mut self) {
        if self.settings.mroutes.is_empty() && self.mroutes.is_empty() {
            return;
        }
        let mut grouped: BTreeMap<(Distance, Prefix), Vec<Nexthop>> = BTreeMap::new();
        for ((prefix, hop), distance) in &self.settings.mroutes {
            let kind = match hop {
                MrouteHop::Gateway(gateway) => Some(NexthopKind::Gateway((*gateway).into(), None)),
                MrouteHop::Interface(name) => self
                    .interfaces
                    .by_name_in(name, VrfId::DEFAULT)
                    .map(|link| NexthopKind::Interface(link.info.interface.ifindex)),
            };
            let Some(kind) = kind else { continue };
            grouped.entry((*distance, *prefix)).or_default().push(Nexthop::new(kind));
        }
        let wanted: Mroutes = grouped.into_iter().map(|(route, hops)| (route, hops.into())).collect();
        let present = std::mem::replace(&mut self.mroutes, wanted.clone());
        let key = multicast(crate::rib::key(VrfId::DEFAULT, Afi::Ipv4, TableId::MAIN));
        for ((distance, prefix), nexthops) in &wanted {
            if present.get(&(*distance, *prefix)) != Some(nexthops) {
                self.add_route(key, *prefix, SOURCE, &attrs(nexthops, *distance));
            }
        }
        for (distance, prefix) in present.keys().filter(|route| !wanted.contains_key(route)) {
            self.withdraw_matching(key, *prefix, |shape| {
                shape.owner == OwnerId::SELF
                    && shape.protocol == RouteProtocol::Static
                    && shape.distance == *distance
            });
        }
    }

    /// The route by which a source of multicast is expected to come in: of multicast's table, else of the unicast one.
    pub(crate) fn rpf_lookup(&self, vrf: VrfId, addr: IpAddr) -> Option<(TableKey, Prefix, &Dest)> {
        let afi = if addr.is_ipv6() { Afi::Ipv6 } else { Afi::Ipv4 };
        let unicast = crate::rib::key(vrf, afi, self.interfaces.table_of(vrf)?);
        [multicast(unicast), unicast].into_iter().find_map(|key| {
            let table = self.rib.tables.get(&key)?;
            let (prefix, dest) =
                table.covering(addr, afi.bits()).find(|(_, dest)| dest.selected().is_some())?;
            Some((key, prefix, dest))
        })
    }
}

fn attrs(nexthops: &Arc<[Nexthop]>, distance: Distance) -> RouteAttrs {
    RouteAttrs {
        nexthops: nexthops.clone(),
        distance,
        metric: Metric(0),
        tag: Tag(0),
        mtu: 0,
        allow_recursion: true,
        internal: false,
        ospf: None,
    }
}
