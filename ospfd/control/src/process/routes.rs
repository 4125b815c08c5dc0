//! What a core wants done, carried out: packets with their links, routes for zebra, lines for the log.

use std::net::IpAddr;
use std::sync::Arc;

use ferrite_ospf::routes::{Hop, PathType, Route};
use ferrite_ospf::{Action as CoreAction, LogLine, Version};
use ferrite_types::ids::{Distance, Metric, Tag};
use ferrite_types::zclient::{OspfPath, OspfRoute, RouteAttrs, RouteBatch, RouteUpdate, ToZebra};
use ferrite_types::{Nexthop, NexthopKind, Prefix, Safi};

use super::event::{Action, LogLevel};
use super::flavor::Flavor;
use super::zebra::ZebraState;
use super::{Process, log, topics};
use crate::Settings;
use crate::settings::RouterSettings;

/// FRR's, where nothing is said.
const DISTANCE: u8 = 110;
/// Routes of one message at most.
const BATCH: usize = 1000;

impl<V: Flavor> Process<V> {
    pub(super) fn carry(
        &mut self,
        actions: Vec<CoreAction>,
        settings: &Settings,
        zebra: &ZebraState,
        out: &mut Vec<Action>,
    ) {
        let router = V::routers(settings).get(&self.name);
        for action in actions {
            match action {
                CoreAction::Send { interface, source, destination, octets } => {
                    let Some(link) = self.links.get(&interface) else { continue };
                    let (vrf, ifindex, version) = (self.vrf, link.interface.ifindex, V::VERSION);
                    let routed = self.is_routed(interface, destination);
                    out.push(Action::Send { version, vrf, ifindex, source, destination, octets, routed });
                }
                CoreAction::Designated { interface, member } => {
                    self.moved = true;
                    if member {
                        self.designated.insert(interface);
                    } else {
                        self.designated.remove(&interface);
                    }
                }
                CoreAction::Routes(routes) if zebra.takes_routes() => {
                    if self.core.is_traced() {
                        let told = routes.iter().filter(|(_, route)| route.is_some()).count();
                        let text = format!("to zebra: {told} routes, {} that are gone", routes.len() - told);
                        out.push(Action::Log(LogLevel::Debug(topics::zebra_routes(V::VERSION)), text));
                    }
                    let updates =
                        routes.iter().map(|(prefix, route)| update(self, router, *prefix, route.as_ref()));
                    send::<V>(self, updates.collect(), out);
                }
                CoreAction::Routes(_) => {}
                CoreAction::Prepared { grace } => {
                    self.prepared = Some(grace);
                    self.stopped |= self.parting;
                }
                CoreAction::Restarted(_) => self.restarting = false,
                CoreAction::Stopped => self.stopped = true,
                CoreAction::Log(line) => {
                    self.moved |= matches!(line, LogLine::Interface { .. });
                    out.extend(super::arp::wanted(self, router, zebra, &line));
                    let adjacency = router.map(|router| router.log_adjacency).unwrap_or_default();
                    if let Some((level, text)) = log::words(self, adjacency, &line) {
                        out.push(Action::Log(level, text));
                    }
                }
            }
        }
    }

    /// Whether a packet leaves for the other end of a virtual link.
    fn is_routed(&self, interface: ferrite_ospf::IfId, destination: IpAddr) -> bool {
        !destination.is_multicast()
            && !self.core.interface(interface).is_some_and(|interface| {
                interface.neighbors.values().any(|neighbor| neighbor.address == destination)
                    || interface.config.neighbors.contains_key(&destination)
            })
    }

    /// All routes there are, after a connection to zebra was made.
    pub(super) fn tell_all(&self, settings: &Settings, out: &mut Vec<Action>) {
        let router = V::routers(settings).get(&self.name);
        let routes = self.core.routes().iter();
        let updates = routes.map(|(prefix, route)| update(self, router, *prefix, Some(route)));
        send::<V>(self, updates.collect(), out);
    }

    pub(super) fn withdraw_all(&self, zebra: &ZebraState, out: &mut Vec<Action>) {
        if zebra.takes_routes() {
            let updates = self.core.routes().keys().map(|prefix| update(self, None, *prefix, None));
            send::<V>(self, updates.collect(), out);
        }
    }
}

fn send<V: Flavor>(process: &Process<V>, mut updates: Vec<RouteUpdate>, out: &mut Vec<Action>) {
    while !updates.is_empty() {
        let rest = updates.split_off(updates.len().min(BATCH));
        let (vrf, instance) = (process.vrf, process.name.instance);
        let batch = RouteBatch { vrf, safi: Safi::Unicast, table: None, instance, group: None, updates };
        out.push(Action::Zebra(ToZebra::Routes(batch)));
        updates = rest;
    }
}

fn update<V: Flavor>(
    process: &Process<V>,
    router: Option<&RouterSettings>,
    prefix: Prefix,
    route: Option<&Route>,
) -> RouteUpdate {
    let attrs = route.map(|route| attrs(process, router, route));
    // A route without a way is none.
    let route = attrs.filter(|attrs| !attrs.nexthops.is_empty());
    RouteUpdate { prefix, protocol: V::PROTOCOL, route }
}

fn attrs<V: Flavor>(process: &Process<V>, router: Option<&RouterSettings>, route: &Route) -> RouteAttrs {
    let nexthops: Vec<Nexthop> = route.hops.iter().filter_map(|hop| nexthop(process, *hop)).collect();
    let metric = if route.path == PathType::External2 { route.type2_cost } else { route.cost };
    RouteAttrs {
        nexthops: Arc::from(nexthops),
        distance: Distance(router.map_or(DISTANCE, |router| distance(router, route.path))),
        metric: Metric(metric),
        tag: Tag(route.tag),
        mtu: 0,
        allow_recursion: false,
        internal: false,
        ospf: router.is_some_and(|router| router.extra_data).then(|| OspfRoute { path: told_path(route) }),
    }
}

fn told_path(route: &Route) -> OspfPath {
    match route.path {
        PathType::Intra => OspfPath::IntraArea(route.area.0),
        PathType::Inter => OspfPath::InterArea(route.area.0),
        PathType::External1 => OspfPath::External1,
        PathType::External2 => OspfPath::External2,
    }
}

fn distance(router: &RouterSettings, path: PathType) -> u8 {
    let of_kind = match path {
        PathType::Intra => router.distances.intra,
        PathType::Inter => router.distances.inter,
        PathType::External1 | PathType::External2 => router.distances.external,
    };
    of_kind.or(router.distance).unwrap_or(DISTANCE)
}

fn nexthop<V: Version>(process: &Process<V>, hop: Hop) -> Option<Nexthop> {
    let link = process.links.get(&hop.interface)?;
    let ifindex = link.interface.ifindex;
    let mut nexthop = match hop.address {
        Some(address) => Nexthop::new(NexthopKind::Gateway(address, Some(ifindex))),
        None => Nexthop::interface(ifindex),
    };
    nexthop.vrf = process.vrf;
    // The other end of an unnumbered link is on no network of ours.
    nexthop.onlink = match hop.address {
        Some(IpAddr::V4(address)) => {
            let near = |own: &ferrite_types::interface::InterfaceAddress| {
                own.network().is_some_and(|network| network.contains(IpAddr::V4(address)))
            };
            !link.addresses.iter().any(near)
        }
        _ => false,
    };
    Some(nexthop)
}
