//! Policy at installation: `ip protocol PROTO route-map NAME`. The map may keep a route out of use or set its source
//! address. A route without a map costs a lookup in an empty table.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use ferrite_policy::{Policies, PolicyConfig, PolicyRoute, RouteMap};
use ferrite_types::{Metric, Nexthop, Prefix, RouteProtocol, Tag, Timestamp};

use crate::instance::Zebra;
use crate::rib::{Entry, OwnerId, Policy, Shape, TableKey};
use crate::settings::{AfiKey, Settings};

/// Lists and maps that are not applied yet.
#[derive(Debug)]
pub struct Delayed {
    pub due: Timestamp,
    pub policy: PolicyConfig,
}

/// A route as the map sees it.
struct Route<'a> {
    prefix: Prefix,
    shape: &'a Shape,
    nexthop: Option<&'a Nexthop>,
    interface: Option<&'a str>,
    source: Option<IpAddr>,
}

impl PolicyRoute for Route<'_> {
    fn prefix(&self) -> Prefix {
        self.prefix
    }

    fn next_hop(&self) -> Option<IpAddr> {
        self.nexthop.and_then(Nexthop::gateway_addr)
    }

    fn is_blackhole(&self) -> bool {
        matches!(self.nexthop.map(|n| n.kind), Some(ferrite_types::NexthopKind::Blackhole(_)))
    }

    fn is_interface(&self, name: &str) -> bool {
        self.interface == Some(name)
    }

    fn protocol(&self) -> Option<RouteProtocol> {
        Some(self.shape.protocol)
    }

    fn instance(&self) -> u32 {
        self.shape.instance.into()
    }

    fn tag(&self) -> Tag {
        self.shape.tag
    }

    fn metric(&self) -> Option<u32> {
        Some(self.shape.metric.0)
    }

    fn set_source(&mut self, addr: IpAddr) {
        self.source = Some(addr);
    }
}

/// A route that resolves a tracked next hop, as the map sees it.
struct Resolving<'a> {
    prefix: Prefix,
    protocol: RouteProtocol,
    metric: Metric,
    nexthop: &'a Nexthop,
    interface: Option<&'a str>,
}

impl PolicyRoute for Resolving<'_> {
    fn prefix(&self) -> Prefix {
        self.prefix
    }

    fn next_hop(&self) -> Option<IpAddr> {
        self.nexthop.gateway_addr()
    }

    fn is_interface(&self, name: &str) -> bool {
        self.interface == Some(name)
    }

    fn protocol(&self) -> Option<RouteProtocol> {
        Some(self.protocol)
    }

    fn metric(&self) -> Option<u32> {
        Some(self.metric.0)
    }
}

impl Zebra {
    /// The map for routes of a source, `Some(None)` where it is named and not there: that denies, as in FRR.
    fn install_map(
        &self,
        key: TableKey,
        prefix: Prefix,
        protocol: RouteProtocol,
    ) -> Option<Option<&Arc<RouteMap>>> {
        let name = &self.interfaces.vrf(key.vrf)?.name;
        let maps = &self.settings.vrf(name)?.protocol_maps;
        if maps.is_empty() {
            return None;
        }
        let afi = AfiKey::of(prefix);
        let name = maps.get(&(afi, Some(protocol))).or_else(|| maps.get(&(afi, None)))?;
        Some(self.policies.route_map(name))
    }

    /// What the route map of the route's source says; may set the shape's source address.
    pub(crate) fn install_policy(&self, key: TableKey, prefix: Prefix, shape: &mut Shape) -> Policy {
        shape.source = None;
        // As in FRR: what the kernel has by itself is there whatever a map says.
        if matches!(shape.owner, OwnerId::ADOPTED) || crate::fib::is_system(shape.protocol) {
            return Policy::Permit;
        }
        let Some(map) = self.install_map(key, prefix, shape.protocol) else { return Policy::Permit };
        let Some(map) = map else { return Policy::Deny };
        let nexthop = self.rib.shared.set(shape.set).and_then(|set| set.nexthops.first());
        let interface = nexthop.and_then(Nexthop::ifindex).and_then(|ifindex| self.interfaces.name(ifindex));
        let mut route = Route { prefix, shape, nexthop, interface, source: None };
        let permitted = map.apply(&mut route).is_permit();
        let source = route.source;
        shape.source = source;
        if permitted { Policy::Permit } else { Policy::Deny }
    }

    /// Whether a map permits a route, whatever it would set.
    pub(crate) fn permits(&self, map: &RouteMap, prefix: Prefix, shape: &Shape) -> bool {
        let nexthop = self.rib.shared.set(shape.set).and_then(|set| set.nexthops.first());
        let interface = nexthop.and_then(Nexthop::ifindex).and_then(|ifindex| self.interfaces.name(ifindex));
        map.apply(&mut Route { prefix, shape, nexthop, interface, source: None }).is_permit()
    }

    /// Whether a map permits one next hop of a route that resolves others.
    pub(crate) fn permits_next_hop(
        &self,
        map: &RouteMap,
        prefix: Prefix,
        protocol: RouteProtocol,
        metric: Metric,
        nexthop: &Nexthop,
    ) -> bool {
        let interface = nexthop.ifindex().and_then(|ifindex| self.interfaces.name(ifindex));
        let mut resolving = Resolving { prefix, protocol, metric, nexthop, interface };
        map.apply(&mut resolving).is_permit()
    }

    /// Keeps the lists and maps that were, until `zebra route-map delay-timer` is over; the rest of the configuration counts at
    /// once. The first lists and maps do not wait: there is nothing to gather them with.
    pub(crate) fn delay_policy(&mut self, mut settings: Arc<Settings>) -> Arc<Settings> {
        let wait = settings.route_map_delay.filter(|seconds| *seconds > 0);
        let known = &self.settings.policy;
        let (Some(seconds), true) = (wait, *known != settings.policy && *known != PolicyConfig::default())
        else {
            self.delayed = None;
            return settings;
        };
        let due = self.now + Duration::from_secs(seconds.into());
        let kept = known.clone();
        let policy = std::mem::replace(&mut Arc::make_mut(&mut settings).policy, kept);
        self.delayed = Some(Delayed { due, policy });
        settings
    }

    /// Lists and maps as they are configured, where they wait; with the counters of those that judge.
    pub(crate) fn waiting_policies(&self) -> Option<Policies> {
        let policy = &self.delayed.as_ref()?.policy;
        Some(Policies::compile(policy, Some(&self.policies)).waiting_for(&self.policies))
    }

    /// What has waited long enough.
    pub(crate) fn apply_delayed_policy(&mut self) {
        if let Some(Delayed { policy, .. }) = self.delayed.take_if(|delayed| delayed.due <= self.now) {
            let mut settings = self.settings.clone();
            Arc::make_mut(&mut settings).policy = policy;
            self.apply_settings(settings);
        }
    }

    /// Compiles the policy and judges again where maps have changed.
    pub(crate) fn apply_policy(&mut self, old: &Settings) {
        let maps = |s: &Settings| -> Vec<_> {
            s.vrfs.iter().map(|(name, vrf)| (name.clone(), vrf.protocol_maps.clone())).collect()
        };
        let (before, after) = (maps(old), maps(&self.settings));
        let in_use = |maps: &[(String, std::collections::BTreeMap<_, String>)]| {
            maps.iter().any(|(_, maps)| !maps.is_empty())
        };
        let mut changed = before != after;
        if old.policy != self.settings.policy {
            let policies = Policies::compile(&self.settings.policy, Some(&self.policies));
            changed |= in_use(&after) && !policies.changed(&self.policies).is_empty();
            self.policies = Arc::new(policies);
        }
        if changed {
            self.judge_again();
        }
    }

    fn judge_again(&mut self) {
        let keys: Vec<TableKey> = self.rib.tables.keys().copied().collect();
        for key in keys {
            let mut cursor = None;
            loop {
                let mut found = Vec::new();
                let Some(table) = self.rib.tables.get(&key) else { break };
                table.walk(cursor, |prefix, dest| {
                    cursor = Some(prefix);
                    found.extend(dest.entries().map(|entry| (prefix, *entry)));
                    if found.len() < 4096 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                if found.is_empty() {
                    break;
                }
                for (prefix, entry) in found {
                    self.judge(key, prefix, entry);
                }
            }
        }
    }

    fn judge(&mut self, key: TableKey, prefix: Prefix, entry: Entry) {
        let Some(mut shape) = self.rib.shared.shape(entry.shape).copied() else { return };
        let policy = self.install_policy(key, prefix, &mut shape);
        let id = self.rib.shared.acquire_shape(shape);
        if (id, policy) == (entry.shape, entry.policy) {
            self.release_shape(id);
            return;
        }
        let mut replaced = false;
        self.change(key, prefix, |dest, _| {
            if let Some(present) = dest.entries_mut().find(|present| present.shape == entry.shape) {
                (present.shape, present.policy) = (id, policy);
                replaced = true;
            }
        });
        self.release_shape(if replaced { entry.shape } else { id });
    }
}
