//! Our own routes: `network` statements and redistribution.

use std::sync::Arc;
use std::time::Duration;

use bgp_packet::Family;
use bgp_packet::attr::{Attributes, NextHop, Origin};
use ferrite_types::zclient::{RedistributedRoute, RouteAttrs};
use ferrite_types::{IfIndex, Nexthop, NexthopKind, RouteProtocol, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::aggregate::{LOCAL_WEIGHT, input};
use super::attrs::Local;
use super::ctx::{Ctx, local_id, redistributed_id};
use super::export::own_attributes;
use super::family::Rib;
use super::nexthop::NexthopId;
use super::peers::PeerIdx;
use super::policy::{Filter, Verdict};
use super::same::same_filter;
use super::settings::{FamilySettings, NetworkStatement, RedistributeStatement};
use super::table::{Key, Path, PathFlags, shard_of};

/// How long a reconnected zebra has to name what it redistributes.
const REDISTRIBUTION_GRACE: Duration = Duration::from_secs(30);

/// A `network` that this shard owns.
#[derive(Debug)]
struct Network {
    statement: NetworkStatement,
    /// The prefix itself, tracked for the import check; none without it.
    check: Option<NexthopId>,
}

/// A redistributed route as zebra has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct SourceKey<P> {
    prefix: P,
    protocol: RouteProtocol,
    instance: u32,
}

/// What a family originates.
#[derive(Debug)]
pub struct Originated<P> {
    networks: FxHashMap<P, Network>,
    redistributed: FxHashMap<SourceKey<P>, RouteAttrs>,
    /// Of these, the ones that a new zebra has not named yet, and until when it may.
    unconfirmed: FxHashSet<SourceKey<P>>,
    sweep_at: Option<Timestamp>,
}

impl<P> Default for Originated<P> {
    fn default() -> Self {
        Self {
            networks: FxHashMap::default(),
            redistributed: FxHashMap::default(),
            unconfirmed: FxHashSet::default(),
            sweep_at: None,
        }
    }
}

fn same_redistribution(a: &RedistributeStatement, b: &RedistributeStatement) -> bool {
    a.protocol == b.protocol
        && a.instance == b.instance
        && a.metric == b.metric
        && same_filter(a.map.as_ref(), b.map.as_ref())
}

impl<P: Key> Rib<P> {
    /// Brings our own routes in line with new settings.
    pub fn configure_local(&mut self, ctx: &mut Ctx, old: &FamilySettings, new: &FamilySettings, all: bool) {
        self.configure_networks(ctx, new, all);
        let statements = old.redistribute.iter().chain(&new.redistribute);
        let mut changed: Vec<(RouteProtocol, u32)> = statements.map(|s| (s.protocol, s.instance)).collect();
        changed.sort_unstable();
        changed.dedup();
        let find = |settings: &FamilySettings, key: (RouteProtocol, u32)| {
            settings.redistribute.iter().find(|s| (s.protocol, s.instance) == key).cloned()
        };
        for key in changed {
            let (before, after) = (find(old, key), find(new, key));
            let same = match (&before, &after) {
                (Some(a), Some(b)) => same_redistribution(a, b),
                _ => false,
            };
            if !same || all {
                self.redo_redistribution(ctx, key, after.as_ref());
            }
        }
    }

    fn configure_networks(&mut self, ctx: &mut Ctx, new: &FamilySettings, all: bool) {
        let mut wanted: FxHashMap<P, &NetworkStatement> = FxHashMap::default();
        for statement in new.networks.iter().filter(|statement| !statement.backdoor) {
            let Some(prefix) = P::from_prefix(statement.prefix) else { continue };
            if shard_of(statement.prefix, ctx.of) == ctx.index {
                wanted.insert(prefix, statement);
            }
        }
        let gone: Vec<P> =
            self.originated.networks.keys().filter(|prefix| !wanted.contains_key(*prefix)).copied().collect();
        for prefix in gone {
            let network = self.originated.networks.remove(&prefix);
            network.and_then(|network| network.check).into_iter().for_each(|id| ctx.nexthops.release(id));
            self.withdraw_own(ctx, prefix, local_id::NETWORK);
        }
        for (prefix, statement) in wanted {
            let known =
                self.originated.networks.get(&prefix).is_some_and(|network| {
                    same_filter(network.statement.map.as_ref(), statement.map.as_ref())
                });
            if known && !all {
                continue;
            }
            let check = ctx.config.import_check && ctx.config.zebra;
            let old = self.originated.networks.remove(&prefix);
            let check = check.then(|| ctx.nexthops.acquire_prefix(ctx.now, statement.prefix));
            old.and_then(|network| network.check).into_iter().for_each(|id| ctx.nexthops.release(id));
            self.originated.networks.insert(prefix, Network { statement: statement.clone(), check });
            self.originate_network(ctx, prefix);
        }
    }

    /// Looks at the import check of every network again.
    pub fn recheck_networks(&mut self, ctx: &mut Ctx) {
        let prefixes: Vec<P> = self.originated.networks.keys().copied().collect();
        for prefix in prefixes {
            self.originate_network(ctx, prefix);
        }
    }

    fn originate_network(&mut self, ctx: &mut Ctx, prefix: P) {
        let Some(network) = self.originated.networks.get(&prefix) else { return };
        // Without the check, and with it where the prefix is in the RIB, with its metric.
        let metric = network.check.map_or(Some(0), |id| ctx.nexthops.present(id));
        let map = network.statement.map.clone();
        let mut attrs = own_attributes(self.family);
        attrs.origin = Origin::Igp;
        attrs.med = Some(metric.unwrap_or(0));
        let mut flags = PathFlags::default();
        flags.set(PathFlags::UNUSABLE, metric.is_none());
        let local = Local::default();
        self.originate_own(ctx, prefix, local_id::NETWORK, attrs, local, map.as_ref(), None, flags);
    }

    /// Puts one of our own routes through its policy and into the table.
    fn originate_own(
        &mut self,
        ctx: &mut Ctx,
        prefix: P,
        path_id: u32,
        attrs: Attributes,
        local: Local,
        map: Option<&Arc<dyn Filter>>,
        interface: Option<IfIndex>,
        flags: PathFlags,
    ) {
        let config = Arc::clone(&ctx.config);
        let mut local = Local { weight: LOCAL_WEIGHT, ..local };
        let mut result = attrs;
        if let Some(map) = map {
            let mut route = input(ctx, prefix.into(), &result);
            route.tag = local.tag;
            route.igp_metric = result.med;
            route.source_protocol = super::ctx::protocol_of(path_id);
            route.interface = interface.and_then(|ifindex| config.interface_name(ifindex));
            if map.apply(&mut route) == Verdict::Deny {
                self.withdraw_own(ctx, prefix, path_id);
                return;
            }
            local.weight = route.weight;
            local.tag = route.tag;
            result = route.attrs.into_owned();
        }
        self.announce_own(ctx, prefix, path_id, Arc::new(result), local, flags);
    }

    pub fn announce_own(
        &mut self,
        ctx: &mut Ctx,
        prefix: P,
        path_id: u32,
        attrs: Arc<Attributes>,
        local: Local,
        flags: PathFlags,
    ) {
        let attrs = ctx.attrs.intern(&attrs, local);
        let handle = self.table.find_or_insert(prefix);
        let path = Path { attrs, path_id, since: ctx.seconds(), peer: PeerIdx::LOCAL, flags };
        self.place(ctx, handle, path);
    }

    pub fn withdraw_own(&mut self, ctx: &mut Ctx, prefix: P, path_id: u32) {
        if let Some(handle) = self.table.find(&prefix) {
            self.take(ctx, handle, PeerIdx::LOCAL, path_id, false);
            self.table.release(handle);
        }
    }

    /// Puts what is redistributed through its policies again.
    pub fn redo_all_redistribution(&mut self, ctx: &mut Ctx, settings: &FamilySettings) {
        for statement in settings.redistribute.iter().filter(|statement| statement.map.is_some()) {
            self.redo_redistribution(ctx, (statement.protocol, statement.instance), Some(statement));
        }
    }

    /// Takes in a change of what zebra redistributes.
    pub fn redistributed(&mut self, ctx: &mut Ctx, change: RedistributedRoute) {
        let Some(prefix) = P::from_prefix(change.prefix) else { return };
        if shard_of(change.prefix, ctx.of) != ctx.index || change.protocol == RouteProtocol::Bgp {
            return;
        }
        let key = SourceKey { prefix, protocol: change.protocol, instance: change.instance };
        self.originated.unconfirmed.remove(&key);
        match change.route {
            Some(route) => {
                self.originated.redistributed.insert(key, route);
            }
            None => {
                self.originated.redistributed.remove(&key);
            }
        }
        let statement = self.redistribution(ctx, (change.protocol, change.instance));
        self.redistribute_one(ctx, key, statement.as_ref());
    }

    /// Zebra was reconnected and tells everything again. What it has is kept meanwhile, so that nothing flaps; what it does
    /// not name within [`REDISTRIBUTION_GRACE`] is gone.
    pub fn expect_redistributed(&mut self, ctx: &Ctx) {
        self.originated.unconfirmed = self.originated.redistributed.keys().copied().collect();
        let waiting = !self.originated.unconfirmed.is_empty();
        self.originated.sweep_at = waiting.then(|| ctx.now + REDISTRIBUTION_GRACE);
    }

    pub fn redistribution_deadline(&self) -> Option<Timestamp> {
        self.originated.sweep_at
    }

    /// Takes out what zebra did not name again in time.
    pub fn sweep_redistributed(&mut self, ctx: &mut Ctx) {
        if self.originated.sweep_at.is_none_or(|due| ctx.now < due) {
            return;
        }
        self.originated.sweep_at = None;
        for key in std::mem::take(&mut self.originated.unconfirmed) {
            self.originated.redistributed.remove(&key);
            self.withdraw_own(ctx, key.prefix, redistributed_id(key.protocol, key.instance));
        }
    }

    fn redistribution(&self, ctx: &Ctx, key: (RouteProtocol, u32)) -> Option<RedistributeStatement> {
        let settings = ctx.config.family(self.family)?;
        settings.redistribute.iter().find(|s| (s.protocol, s.instance) == key).cloned()
    }

    fn redo_redistribution(
        &mut self,
        ctx: &mut Ctx,
        source: (RouteProtocol, u32),
        statement: Option<&RedistributeStatement>,
    ) {
        let keys: Vec<SourceKey<P>> = self
            .originated
            .redistributed
            .keys()
            .filter(|key| (key.protocol, key.instance) == source)
            .copied()
            .collect();
        for key in keys {
            self.redistribute_one(ctx, key, statement);
            if statement.is_none() {
                self.originated.redistributed.remove(&key);
            }
        }
    }

    fn redistribute_one(
        &mut self,
        ctx: &mut Ctx,
        key: SourceKey<P>,
        statement: Option<&RedistributeStatement>,
    ) {
        let path_id = redistributed_id(key.protocol, key.instance);
        let route = self.originated.redistributed.get(&key);
        let (Some(route), Some(statement)) = (route, statement) else {
            self.withdraw_own(ctx, key.prefix, path_id);
            return;
        };
        let mut attrs = own_attributes(self.family);
        attrs.med = Some(statement.metric.unwrap_or(route.metric.0));
        if let Some(next_hop) = redistributed_nexthop(self.family, route) {
            attrs.next_hop = next_hop;
        }
        let local = Local { tag: route.tag.0, ..Local::default() };
        let interface = route.nexthops.iter().find_map(Nexthop::ifindex);
        self.originate_own(
            ctx,
            key.prefix,
            path_id,
            attrs,
            local,
            statement.map.as_ref(),
            interface,
            PathFlags::default(),
        );
    }
}

/// The gateway of a redistributed route; `None` for one that leads out of an interface.
fn redistributed_nexthop(family: Family, route: &RouteAttrs) -> Option<NextHop> {
    let addr = route.nexthops.iter().find_map(|nexthop| match nexthop.kind {
        NexthopKind::Gateway(addr, _) => Some(addr),
        _ => None,
    })?;
    match (addr, family.afi) {
        (std::net::IpAddr::V4(addr), ferrite_types::Afi::Ipv4) => Some(NextHop::V4(addr)),
        (std::net::IpAddr::V6(addr), ferrite_types::Afi::Ipv6) if !addr.is_unicast_link_local() => {
            Some(NextHop::V6 { global: addr, link_local: None })
        }
        _ => None,
    }
}
