//! Routes of other protocols: what zebra is asked for, what it told, and what each process announces of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrite_ospf::Event as CoreEvent;
use ferrite_ospf::event::External;
use ferrite_ospf_packet::{Inet4, Inet6, V2, V3};
use ferrite_policy::route_map::MetricType;
use ferrite_policy::{Policies, PolicyRoute};
use ferrite_types::ids::{Tag, VrfId};
use ferrite_types::zclient::{
    NexthopState, RedistributeRequest, RedistributedRoute, RouteAttrs, ToZebra, TrackNexthop,
};
use ferrite_types::{Afi, NexthopKind, Prefix, RouteProtocol, Timestamp};

use super::event::{Action, LogLevel};
use super::flavor::Flavor;
use super::ospf::{HasProcesses, Ospf, World};
use super::{Process, topics};
use crate::settings::{DefaultOriginate, Redistribution, RouterSettings};

/// A source of routes: VRF, family, protocol, instance or table.
type Source = (VrfId, Afi, RouteProtocol, u32);

/// FRR's metrics, where nothing is said.
pub(super) const METRIC: u32 = 20;
const DEFAULT_METRIC: u32 = 10;
const DEFAULT_ALWAYS_METRIC: u32 = 1;

/// What zebra told of other protocols.
#[derive(Debug, Default)]
pub struct Learned {
    routes: BTreeMap<Source, BTreeMap<Prefix, RouteAttrs>>,
    asked: BTreeSet<Source>,
    /// VRFs and families whose default route is watched, and whose it is where there is one.
    watched: BTreeSet<(VrfId, Afi)>,
    defaults: BTreeMap<(VrfId, Afi), RouteProtocol>,
}

impl Learned {
    /// A new connection knows none of them.
    pub(super) fn forget_subscriptions(&mut self) {
        self.asked.clear();
        self.watched.clear();
    }
}

impl World {
    /// Whether a protocol has a route, as zebra told.
    pub fn is_learned(&self, vrf: VrfId, protocol: RouteProtocol, instance: u32, prefix: Prefix) -> bool {
        let source = (vrf, prefix.afi(), protocol, instance);
        self.learned.routes.get(&source).is_some_and(|table| table.contains_key(&prefix))
    }
}

impl Ospf {
    /// Asks zebra for what the configuration names, and no more for what it does not.
    pub(super) fn subscribe(&mut self, out: &mut Vec<Action>) {
        if !self.world.zebra.takes_routes() {
            return;
        }
        let mut wanted = BTreeSet::new();
        let mut defaults = BTreeSet::new();
        wants(&self.v2, &self.world, &mut wanted, &mut defaults);
        wants(&self.v3, &self.world, &mut wanted, &mut defaults);
        wants(&self.v3_ipv4, &self.world, &mut wanted, &mut defaults);
        let learned = &mut self.world.learned;
        let request = |source: &Source, subscribe| {
            let (vrf, afi, protocol, instance) = *source;
            Action::Zebra(ToZebra::Redistribute(RedistributeRequest {
                vrf,
                afi,
                protocol,
                instance,
                subscribe,
            }))
        };
        out.extend(wanted.difference(&learned.asked).map(|source| request(source, true)));
        for source in learned.asked.difference(&wanted) {
            out.push(request(source, false));
            learned.routes.remove(source);
        }
        let track = |(vrf, afi): &(VrfId, Afi), track| TrackNexthop {
            vrf: *vrf,
            addr: Prefix::default_of(*afi).addr(),
            connected_only: false,
            exact: Some(0),
            track,
        };
        let begin = defaults.difference(&learned.watched).map(|place| track(place, true));
        let end = learned.watched.difference(&defaults).map(|place| track(place, false));
        let changes: Vec<TrackNexthop> = begin.chain(end).collect();
        if !changes.is_empty() {
            out.push(Action::Zebra(ToZebra::TrackNexthops(changes)));
        }
        learned.asked = wanted;
        learned.watched = defaults;
    }

    pub(super) fn learn(&mut self, now: Timestamp, routes: Vec<RedistributedRoute>, out: &mut Vec<Action>) {
        let mut touched = BTreeSet::new();
        for route in routes {
            let source = (route.vrf, route.prefix.afi(), route.protocol, route.instance);
            if !self.world.learned.asked.contains(&source) {
                continue;
            }
            touched.insert((route.vrf, route.prefix));
            if self.world.traced {
                let what = if route.route.is_some() { "route" } else { "route that is gone" };
                let text = format!("zebra: {what} {} of {}, VRF {}", route.prefix, route.protocol, route.vrf);
                out.push(Action::Log(LogLevel::Debug(topics::ZEBRA_REDISTRIBUTE), text));
            }
            let table = self.world.learned.routes.entry(source).or_default();
            match route.route {
                Some(attrs) => drop(table.insert(route.prefix, attrs)),
                None => drop(table.remove(&route.prefix)),
            }
        }
        self.announce_touched(&touched, now, out);
    }

    fn announce_touched(
        &mut self,
        touched: &BTreeSet<(VrfId, Prefix)>,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        announce::<V2>(self, touched, now, out);
        announce::<V3<Inet6>>(self, touched, now, out);
        announce::<V3<Inet4>>(self, touched, now, out);
    }

    pub(super) fn defaults_changed(
        &mut self,
        now: Timestamp,
        states: &[NexthopState],
        out: &mut Vec<Action>,
    ) {
        let mut touched = BTreeSet::new();
        for state in states.iter().filter(|state| state.exact == Some(0)) {
            let afi = if state.addr.is_ipv4() { Afi::Ipv4 } else { Afi::Ipv6 };
            match &state.resolved {
                Some(found) => drop(self.world.learned.defaults.insert((state.vrf, afi), found.protocol)),
                None => drop(self.world.learned.defaults.remove(&(state.vrf, afi))),
            }
            touched.insert((state.vrf, Prefix::default_of(afi)));
        }
        self.announce_touched(&touched, now, out);
    }
}

fn wants<V: Flavor>(
    processes: &BTreeMap<super::ProcessName, Process<V>>,
    world: &World,
    wanted: &mut BTreeSet<Source>,
    defaults: &mut BTreeSet<(VrfId, Afi)>,
) {
    for (name, process) in processes {
        let Some(router) = V::routers(&world.settings).get(name) else { continue };
        for (protocol, instance) in router.redistribute.keys() {
            // Without the number of a table no table is meant: the line makes a border router and announces nothing, as FRR's does.
            let of_table = matches!(protocol, RouteProtocol::Table | RouteProtocol::TableDirect);
            if !of_table || *instance != 0 {
                wanted.insert((process.vrf, V::AFI, *protocol, (*instance).into()));
            }
        }
        if router.default_originate.as_ref().is_some_and(|originate| !originate.always) {
            defaults.insert((process.vrf, V::AFI));
        }
    }
}

fn announce<V: Flavor>(
    ospf: &mut Ospf,
    touched: &BTreeSet<(VrfId, Prefix)>,
    now: Timestamp,
    out: &mut Vec<Action>,
) where
    Ospf: HasProcesses<V>,
{
    let (processes, world) = ospf.split();
    for (name, process) in processes {
        let Some(router) = V::routers(&world.settings).get(name) else { continue };
        let own = |(vrf, prefix): &&(VrfId, Prefix)| *vrf == process.vrf && prefix.afi() == V::AFI;
        let prefixes: Vec<Prefix> = touched.iter().filter(own).map(|(_, prefix)| *prefix).collect();
        for prefix in prefixes {
            let external = external(process, world, router, prefix);
            process.set_external(world, prefix, external, now, out);
        }
    }
}

impl<V: Flavor> Process<V> {
    /// Judges all routes anew.
    pub(super) fn announce(
        &mut self,
        world: &World,
        router: &RouterSettings,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let sources = router.redistribute.keys();
        let tables = sources.filter_map(|(protocol, instance)| {
            world.learned.routes.get(&(self.vrf, V::AFI, *protocol, (*instance).into()))
        });
        let mut prefixes: BTreeSet<Prefix> = tables.flat_map(|table| table.keys().copied()).collect();
        prefixes.extend(self.externals.keys().copied());
        prefixes.insert(V::DEFAULT);
        for prefix in prefixes {
            let external = external(self, world, router, prefix);
            self.set_external(world, prefix, external, now, out);
        }
    }

    fn set_external(
        &mut self,
        world: &World,
        prefix: Prefix,
        external: Option<External>,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        if self.externals.get(&prefix) == external.as_ref() {
            return;
        }
        match external {
            Some(external) => drop(self.externals.insert(prefix, external)),
            None => drop(self.externals.remove(&prefix)),
        }
        self.tell_core(world, now, CoreEvent::Redistribute(prefix, external), out);
    }
}

/// What a process announces for a prefix, if anything.
fn external<V: Flavor>(
    process: &Process<V>,
    world: &World,
    router: &RouterSettings,
    prefix: Prefix,
) -> Option<External> {
    if prefix == V::DEFAULT {
        // A default route is never announced because it happens to be another protocol's.
        return default_route::<V>(process, world, router.default_originate.as_ref()?);
    }
    router.redistribute.iter().find_map(|((protocol, instance), terms)| {
        let source = (process.vrf, V::AFI, *protocol, u32::from(*instance));
        let attrs = world.learned.routes.get(&source)?.get(&prefix)?;
        judge(process, world, router, *protocol, terms, prefix, attrs)
    })
}

fn default_route<V: Flavor>(
    process: &Process<V>,
    world: &World,
    originate: &DefaultOriginate,
) -> Option<External> {
    // One of our own version is what others announced, not what we have.
    let there = world.learned.defaults.get(&(process.vrf, V::AFI)).is_some_and(|of| *of != V::PROTOCOL);
    if !originate.always && !there {
        return None;
    }
    let fallback = if originate.always { DEFAULT_ALWAYS_METRIC } else { DEFAULT_METRIC };
    let mut route = Judged {
        prefix: V::DEFAULT,
        protocol: None,
        next_hop: None,
        metric: originate.metric.unwrap_or(fallback),
        type2: !originate.type1,
        tag: Tag(0),
    };
    if !permits(&world.policies, originate.route_map.as_deref(), &mut route) {
        return None;
    }
    Some(External { metric: route.metric, type2: route.type2, tag: route.tag.0, forwarding: None })
}

fn judge<V: Flavor>(
    process: &Process<V>,
    world: &World,
    router: &RouterSettings,
    protocol: RouteProtocol,
    terms: &Redistribution,
    prefix: Prefix,
    attrs: &RouteAttrs,
) -> Option<External> {
    if let Some(list) = router.distribute.get(&protocol) {
        let list = world.policies.access_list(V::AFI, list);
        if list.is_some_and(|list| !list.permits(prefix)) {
            return None;
        }
    }
    let gateway = attrs.nexthops.first().and_then(|hop| match hop.kind {
        NexthopKind::Gateway(address, _) => Some(address),
        _ => None,
    });
    let mut route = Judged {
        prefix,
        protocol: Some(protocol),
        next_hop: gateway,
        metric: terms.metric.or(router.default_metric).unwrap_or(METRIC),
        type2: !terms.type1,
        tag: attrs.tag,
    };
    if !permits(&world.policies, terms.route_map.as_deref(), &mut route) {
        return None;
    }
    let forwarding = gateway.filter(|address| on_network(process, *address));
    Some(External { metric: route.metric, type2: route.type2, tag: route.tag.0, forwarding })
}

/// Whether others reach the address without us: it is on a network where the process runs and hears others.
fn on_network<V: Flavor>(process: &Process<V>, address: IpAddr) -> bool {
    process.told.values().any(|link| {
        let covers = |(own, len): &(IpAddr, u8)| {
            Prefix::new(*own, *len).is_some_and(|network| network.contains(address))
        };
        link.up && link.prefixes.iter().any(covers)
    })
}

fn permits(policies: &Policies, name: Option<&str>, route: &mut Judged) -> bool {
    // As FRR: a map that is not there lets everything pass.
    let map = name.and_then(|name| policies.route_map(name));
    map.is_none_or(|map| map.apply(route).is_permit())
}

/// A route under judgement.
struct Judged {
    prefix: Prefix,
    protocol: Option<RouteProtocol>,
    next_hop: Option<IpAddr>,
    metric: u32,
    type2: bool,
    tag: Tag,
}

impl PolicyRoute for Judged {
    fn prefix(&self) -> Prefix {
        self.prefix
    }

    fn next_hop(&self) -> Option<IpAddr> {
        self.next_hop
    }

    fn protocol(&self) -> Option<RouteProtocol> {
        self.protocol
    }

    fn tag(&self) -> Tag {
        self.tag
    }

    fn metric(&self) -> Option<u32> {
        Some(self.metric)
    }

    fn set_tag(&mut self, tag: Tag) {
        self.tag = tag;
    }

    fn set_metric(&mut self, metric: u32) {
        self.metric = metric;
    }

    fn set_metric_type(&mut self, kind: MetricType) {
        self.type2 = kind != MetricType::Type1;
    }
}
