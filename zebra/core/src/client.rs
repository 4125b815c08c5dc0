//! Clients: who they are across reconnects, their routes, and what becomes of those when they die.
//!
//! A client is known by daemon, protocol and instance. When its connection ends without a goodbye its routes stay for
//! the hold time; when it comes back it replays, and `ReplayDone` sweeps what it did not name again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::zclient::{
    FromZebra, Hello, RedistributedRoute, RouteAttrs, RouteBatch, RouteOutcome, RouteResult,
};
use ferrite_types::{Afi, Nexthop, Prefix, RouteProtocol, Safi, Timestamp};

use crate::action::Action;
use crate::action::Resilience;
use crate::instance::Zebra;
use crate::netns::Netns;
use crate::redistribute::Subscription;
use crate::refuse::{Judge, RouteError};
use crate::rib::{Entry, OwnerId, SetId, Shape, ShapeId, TableKey, Trust};

/// Numbers the connections of clients; the shell chooses the numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientKey(pub u64);

/// A connection.
#[derive(Debug)]
pub struct Client {
    pub hello: Hello,
    pub owner: OwnerId,
    pub want_results: bool,
    /// Seconds that its routes are kept, where it said so.
    pub hold: Option<u32>,
    pub subscriptions: std::collections::BTreeSet<Subscription>,
    pub connected_at: Timestamp,
    pub last_read: Timestamp,
    pub last_write: Timestamp,
    pub counts: Counts,
    said_goodbye: bool,
    // Collected while an event is handled.
    results: Vec<RouteResult>,
    redistributed: Vec<RedistributedRoute>,
}

/// Messages and routes of a client, per family: IPv4, IPv6.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub added: [u64; 2],
    pub updated: [u64; 2],
    pub deleted: [u64; 2],
    pub redistributed: [u64; 2],
    pub tracked: [u64; 2],
    pub interfaces: u64,
    pub addresses: u64,
    /// Messages.
    pub received: u64,
    pub sent: u64,
    pub refused: u64,
}

/// Who a client is, whether connected or not.
#[derive(Debug)]
pub struct Owner {
    pub daemon: String,
    pub protocol: RouteProtocol,
    pub instance: u16,
    /// Counts its connections; routes carry the one that named them last.
    pub epoch: u16,
    pub client: Option<ClientKey>,
    /// When its routes go, unless it comes back.
    pub expires: Option<Timestamp>,
    pub routes: u64,
}

#[derive(Debug, Default)]
pub struct Clients {
    connected: BTreeMap<ClientKey, Client>,
    owners: BTreeMap<OwnerId, Owner>,
}

impl Clients {
    pub fn connected(&self) -> impl Iterator<Item = (ClientKey, &Client)> {
        self.connected.iter().map(|(key, client)| (*key, client))
    }

    pub fn get(&self, client: ClientKey) -> Option<&Client> {
        self.connected.get(&client)
    }

    pub fn get_mut(&mut self, client: ClientKey) -> Option<&mut Client> {
        self.connected.get_mut(&client)
    }

    pub fn owner(&self, owner: OwnerId) -> Option<&Owner> {
        self.owners.get(&owner)
    }

    pub fn heard(&mut self, client: ClientKey, now: Timestamp) {
        if let Some(client) = self.get_mut(client) {
            client.last_read = now;
            client.counts.received += 1;
        }
    }

    /// Counts what a client is told of links and addresses.
    fn note_sent(&mut self, client: ClientKey, messages: &[FromZebra]) {
        let Some(client) = self.connected.get_mut(&client) else { return };
        let count = |wanted: fn(&FromZebra) -> bool| messages.iter().filter(|m| wanted(m)).count() as u64;
        client.counts.sent += messages.len() as u64;
        client.counts.interfaces += count(|message| matches!(message, FromZebra::Interface(_)));
        client.counts.addresses += count(|message| matches!(message, FromZebra::Address { .. }));
    }

    pub fn want_results(&mut self, client: ClientKey, all: bool) {
        if let Some(client) = self.get_mut(client) {
            client.want_results = all;
        }
    }

    /// Nobody subscribes to the routes of a VRF that is gone.
    pub fn forget_vrf(&mut self, vrf: ferrite_types::VrfId) {
        for client in self.connected.values_mut() {
            client.subscriptions.retain(|subscription| subscription.vrf != vrf);
        }
    }

    pub fn hold_routes(&mut self, client: ClientKey, seconds: Option<u32>) {
        if let Some(client) = self.get_mut(client) {
            client.hold = seconds.map(|seconds| seconds.min(MAX_HOLD));
        }
    }

    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.owners.values().filter_map(|owner| owner.expires).min()
    }

    /// The identity of a client, made where it is new.
    fn owner_for(&mut self, hello: &Hello) -> OwnerId {
        let same = |owner: &Owner| {
            (owner.daemon.as_str(), owner.protocol, owner.instance)
                == (hello.daemon.as_str(), hello.protocol, hello.instance)
        };
        if let Some((id, _)) = self.owners.iter().find(|(_, owner)| same(owner)) {
            return *id;
        }
        let next =
            self.owners.last_key_value().map_or(OwnerId::FIRST_CLIENT, |(id, _)| id.0.saturating_add(1));
        self.owners.insert(
            OwnerId(next),
            Owner {
                daemon: hello.daemon.clone(),
                protocol: hello.protocol,
                instance: hello.instance,
                epoch: 0,
                client: None,
                expires: None,
                routes: 0,
            },
        );
        OwnerId(next)
    }

    pub fn push_redistributed(&mut self, client: ClientKey, route: RedistributedRoute) {
        if let Some(client) = self.connected.get_mut(&client) {
            client.counts.redistributed[family(route.prefix.afi())] += 1;
            client.redistributed.push(route);
        }
    }

    pub fn push_result(&mut self, owner: OwnerId, result: RouteResult) {
        let Some(client) = self.owners.get(&owner).and_then(|owner| owner.client) else { return };
        let Some(client) = self.connected.get_mut(&client) else { return };
        if client.want_results || matches!(result.outcome, RouteOutcome::Rejected(_)) {
            client.results.push(result);
        }
    }
}

pub fn family(afi: Afi) -> usize {
    usize::from(afi == Afi::Ipv6)
}

/// The last next-hop set of a batch and its number: routes that follow each other mostly share it.
#[derive(Default)]
struct SetCache {
    last: Option<(Arc<[Nexthop]>, Trust, SetId)>,
    /// Of the group that all routes of the batch lead through.
    resilience: Option<Resilience>,
}

/// A day: longer than anybody can mean.
const MAX_HOLD: u32 = 86_400;

/// Distinct clients that zebra remembers; far more than there are daemons.
const MAX_OWNERS: usize = 1024;

impl Zebra {
    pub(crate) fn client_connected(&mut self, key: ClientKey, hello: Hello) {
        if self.clients.owners.len() >= MAX_OWNERS {
            let reason = "too many clients".to_owned();
            self.send(key, FromZebra::Refused { request: "hello".to_owned(), reason });
            return;
        }
        let owner = self.clients.owner_for(&hello);
        if let Some(state) = self.clients.owners.get_mut(&owner) {
            state.epoch = state.epoch.wrapping_add(1);
            state.client = Some(key);
            state.expires = None;
        }
        let now = self.now;
        self.clients.connected.insert(
            key,
            Client {
                hello,
                owner,
                want_results: false,
                hold: None,
                subscriptions: Default::default(),
                connected_at: now,
                last_read: now,
                last_write: now,
                counts: Counts::default(),
                said_goodbye: false,
                results: Vec::new(),
                redistributed: Vec::new(),
            },
        );
        self.send_snapshot(key);
    }

    /// Interfaces, addresses, VRFs and router identifiers, as a client learns them first.
    fn send_snapshot(&mut self, client: ClientKey) {
        let mut messages = Vec::new();
        for (vrf, info) in self.interfaces.vrfs() {
            messages.push(info.told(vrf));
        }
        for link in self.interfaces.links() {
            let ifindex = link.info.interface.ifindex;
            messages.push(FromZebra::Interface(link.info.interface.clone()));
            messages.extend(self.te_message(ifindex));
            messages.extend(
                link.addresses.iter().map(|address| FromZebra::Address { ifindex, address: *address }),
            );
            let routers = self.advertisers.get(ifindex).into_iter().flat_map(|link| &link.neighbors);
            messages.extend(routers.map(|addr| FromZebra::LinkNeighbor {
                ifindex,
                addr: *addr,
                present: true,
            }));
        }
        for (vrf, _) in self.interfaces.vrfs() {
            messages.push(FromZebra::RouterId { vrf, router_id: self.router_ids.get(vrf) });
        }
        messages.extend(self.ldp.messages());
        messages.push(FromZebra::SnapshotDone);
        self.clients.note_sent(client, &messages);
        self.actions.extend(messages.into_iter().map(|message| Action::Send { client, message }));
    }

    /// The connection is gone: without a goodbye the client is thought to come back.
    pub(crate) fn client_gone(&mut self, key: ClientKey) {
        let Some(client) = self.clients.connected.remove(&key) else { return };
        self.forget_tracking(key);
        self.forget_wishes(key);
        self.forget_fecs(key);
        self.ldp_gone(key);
        let hold =
            client.hold.map_or_else(|| self.hold_time(), |seconds| Duration::from_secs(seconds.into()));
        let until = self.now + hold;
        let Some(owner) = self.clients.owners.get_mut(&client.owner) else { return };
        if owner.client != Some(key) {
            return;
        }
        owner.client = None;
        if !client.said_goodbye {
            // What it named in this connection is stale from now on.
            owner.epoch = owner.epoch.wrapping_add(1);
            owner.expires = Some(until);
        }
    }

    /// The client ends on purpose.
    pub(crate) fn goodbye(&mut self, key: ClientKey, keep_routes: bool) {
        let Some(client) = self.clients.connected.get_mut(&key) else { return };
        client.said_goodbye = !keep_routes;
        let owner = client.owner;
        if !keep_routes {
            self.sweep(|shape, _| shape.owner == owner);
            self.forget_named(owner, None);
            self.sweep_labels(owner, None);
        }
    }

    pub(crate) fn expire_clients(&mut self) {
        let now = self.now;
        let due = |owner: &Owner| owner.expires.is_some_and(|at| at <= now);
        let expired: Vec<OwnerId> =
            self.clients.owners.iter().filter(|(_, owner)| due(owner)).map(|(id, _)| *id).collect();
        for id in expired {
            if let Some(owner) = self.clients.owners.get_mut(&id) {
                owner.expires = None;
            }
            self.sweep(|shape, _| shape.owner == id);
            self.forget_named(id, None);
            self.sweep_labels(id, None);
        }
    }

    /// Everything a client wants is here: what it had before and did not name again goes.
    pub(crate) fn replay_done(&mut self, key: ClientKey) {
        let Some(client) = self.clients.get(key) else { return };
        let (id, protocol) = (client.owner, client.hello.protocol);
        let Some(epoch) = self.clients.owner(id).map(|owner| owner.epoch) else { return };
        self.sweep_labels(id, Some(epoch));
        self.forget_named(id, Some(epoch));
        self.sweep_adopted_lsps(Some(protocol));
        // Of a namespace that came after the client was told all it could not speak yet: what was adopted there waits for the
        // time that is given to all.
        let unheard = |key: &TableKey| {
            let named = |shape: &Shape, entry: &Entry| shape.owner == id && entry.epoch == epoch;
            Netns::of_vrf(key.vrf) != Netns::OWN && self.slice(*key, &mut None, &named).is_empty()
        };
        let unheard: Vec<TableKey> = if self.options.netns {
            self.rib.tables.keys().copied().filter(unheard).collect()
        } else {
            vec![]
        };
        self.sweep(|shape, entry| shape.owner == id && entry.epoch != epoch);
        self.sweep_table(
            |key| !unheard.contains(key),
            |shape, _| {
                shape.owner == OwnerId::ADOPTED && shape.protocol.kernel_number() == protocol.kernel_number()
            },
        );
    }

    /// Removes the candidates that match, in slices, so that a million cost no second table.
    pub(crate) fn sweep(&mut self, matches: impl Fn(&Shape, &Entry) -> bool) {
        self.sweep_table(|_| true, matches);
    }

    /// The same in some tables.
    pub(crate) fn sweep_table(
        &mut self,
        tables: impl Fn(&TableKey) -> bool,
        matches: impl Fn(&Shape, &Entry) -> bool,
    ) {
        let keys: Vec<TableKey> = self.rib.tables.keys().filter(|key| tables(key)).copied().collect();
        for key in keys {
            let mut cursor = None;
            loop {
                let found = self.slice(key, &mut cursor, &matches);
                if found.is_empty() {
                    break;
                }
                for prefix in found {
                    self.remove_matching(key, prefix, &matches);
                }
            }
        }
    }

    /// The next prefixes with a candidate that matches.
    fn slice(
        &self,
        key: TableKey,
        cursor: &mut Option<Prefix>,
        matches: &impl Fn(&Shape, &Entry) -> bool,
    ) -> Vec<Prefix> {
        const SLICE: usize = 4096;
        let mut found = Vec::new();
        let Some(table) = self.rib.tables.get(&key) else { return found };
        table.walk(*cursor, |prefix, dest| {
            *cursor = Some(prefix);
            let hit =
                |entry: &Entry| self.rib.shared.shape(entry.shape).is_some_and(|shape| matches(shape, entry));
            if dest.entries().any(hit) {
                found.push(prefix);
            }
            if found.len() < SLICE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        found
    }

    fn remove_matching(&mut self, key: TableKey, prefix: Prefix, matches: &impl Fn(&Shape, &Entry) -> bool) {
        let mut gone = Vec::new();
        self.change(key, prefix, |dest, shared| {
            let mut index = 0;
            while let Some(entry) = dest.get(index).copied() {
                if shared.shape(entry.shape).is_some_and(|shape| matches(shape, &entry)) {
                    gone.extend(dest.remove(index));
                } else {
                    index += 1;
                }
            }
        });
        for entry in gone {
            self.count_route(entry.shape, -1);
            self.release_shape(entry.shape);
        }
    }

    // Routes.

    pub(crate) fn client_routes(&mut self, key: ClientKey, mut batch: RouteBatch) {
        let Some(client) = self.clients.get(key) else { return };
        let owner = client.owner;
        let instance = if batch.instance == 0 { client.hello.instance } else { batch.instance };
        let table = match self.table_for(&batch) {
            Ok(table) => table,
            // What is to be taken out of a VRF that is gone went with it.
            Err(RouteError::NoVrf(_)) if batch.updates.iter().all(|update| update.route.is_none()) => return,
            Err(error) => return self.refuse(key, "routes", error.to_string()),
        };
        let mut judge = Judge::default();
        let epoch = self.clients.owner(owner).map_or(0, |owner| owner.epoch);
        let resilience = self.name_routes(owner, (table, instance), &mut batch);
        let mut cache = SetCache { resilience, ..SetCache::default() };
        for update in batch.updates {
            let afi = update.prefix.afi();
            let table_key = TableKey { safi: batch.safi, ..crate::rib::key(batch.vrf, afi, table) };
            let source = Source { owner, protocol: update.protocol, instance, epoch };
            match &update.route {
                Some(route) if !judge.permits(update.prefix, &route.nexthops) => {
                    self.refuse_route(owner, (batch.vrf, instance), &update);
                }
                Some(route) => {
                    let replaced = self.add_route_cached(table_key, update.prefix, source, route, &mut cache);
                    if let Some(client) = self.clients.get_mut(key) {
                        let counts = &mut client.counts;
                        let count = if replaced { &mut counts.updated } else { &mut counts.added };
                        count[family(afi)] += 1;
                    }
                }
                None => {
                    self.withdraw(table_key, update.prefix, source);
                    if let Some(client) = self.clients.get_mut(key) {
                        client.counts.deleted[family(afi)] += 1;
                    }
                }
            }
        }
        self.drop_cache(cache);
        self.refuse_judged(key, judge);
    }

    /// Puts one route in; true where it took the place of another.
    pub(crate) fn add_route(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        source: Source,
        route: &RouteAttrs,
    ) -> bool {
        let mut cache = SetCache::default();
        let replaced = self.add_route_cached(key, prefix, source, route, &mut cache);
        self.drop_cache(cache);
        replaced
    }

    /// The same, through a group that may be resilient.
    pub(crate) fn add_resilient(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        source: Source,
        route: &RouteAttrs,
        resilience: Option<Resilience>,
    ) {
        let mut cache = SetCache { resilience, ..SetCache::default() };
        self.add_route_cached(key, prefix, source, route, &mut cache);
        self.drop_cache(cache);
    }

    fn add_route_cached(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        source: Source,
        route: &RouteAttrs,
        cache: &mut SetCache,
    ) -> bool {
        let trust = match source.owner {
            OwnerId::KERNEL | OwnerId::ADOPTED => Trust::Kernel,
            _ if route.allow_recursion => Trust::Recursive,
            _ => Trust::Connected,
        };
        let set = self.cached_set(&route.nexthops, trust, cache);
        let mut shape = Shape {
            owner: source.owner,
            protocol: source.protocol,
            instance: source.instance,
            distance: route.distance,
            metric: route.metric,
            tag: route.tag,
            mtu: route.mtu,
            internal: route.internal,
            ospf: route.ospf,
            source: None,
            afi: key.afi,
            sourced: key.from.is_some(),
            adopted: self.kernel.adopting.filter(|_| source.owner == OwnerId::ADOPTED),
            set,
        };
        let policy = self.install_policy(key, prefix, &mut shape);
        let id = self.rib.shared.acquire_shape(shape);
        let entry = Entry {
            shape: id,
            since: (self.now.as_micros() / 1_000_000) as u32,
            epoch: source.epoch,
            policy,
        };
        self.put(key, prefix, entry, shape)
    }

    /// Replaces the candidate of the same source, or adds one.
    fn put(&mut self, key: TableKey, prefix: Prefix, entry: Entry, shape: Shape) -> bool {
        let mut replaced = None;
        let mut unchanged = false;
        let mut full = false;
        self.change(key, prefix, |dest, shared| {
            let same =
                dest.entries().position(|e| shared.shape(e.shape).is_some_and(|s| same_source(s, &shape)));
            match same {
                Some(index)
                    if dest
                        .get(index)
                        .is_some_and(|e| (e.shape, e.policy) == (entry.shape, entry.policy)) =>
                {
                    unchanged = true;
                    if let Some(present) = dest.entries_mut().nth(index) {
                        present.epoch = entry.epoch;
                    }
                }
                Some(index) => {
                    replaced = dest.remove(index);
                    dest.push(entry);
                }
                None => full = !dest.push(entry),
            }
        });
        if unchanged || full {
            self.release_shape(entry.shape);
        } else {
            self.count_route(entry.shape, 1);
        }
        if unchanged {
            // A replay asks for what is there already; it is told so.
            self.tell_state(key, prefix, entry.shape);
        } else if !full {
            self.tell_unselected(key, prefix, entry.shape);
        }
        if let Some(old) = replaced {
            self.count_route(old.shape, -1);
            self.release_shape(old.shape);
        }
        unchanged || replaced.is_some()
    }

    pub(crate) fn withdraw(&mut self, key: TableKey, prefix: Prefix, source: Source) {
        self.withdraw_matching(key, prefix, |shape| {
            shape.owner == source.owner
                && shape.protocol == source.protocol
                && shape.instance == source.instance
        });
    }

    pub(crate) fn withdraw_matching(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        matches: impl Fn(&Shape) -> bool,
    ) {
        if self.rib.dest(key, prefix).is_some() {
            self.remove_matching(key, prefix, &|shape, _| matches(shape));
        }
    }

    fn cached_set(&mut self, nexthops: &Arc<[Nexthop]>, trust: Trust, cache: &mut SetCache) -> SetId {
        if let Some((known, known_trust, id)) = &cache.last
            && Arc::ptr_eq(known, nexthops)
            && *known_trust == trust
        {
            return *id;
        }
        let id = self.intern_resilient(nexthops, trust, cache.resilience);
        if let Some((nexthops, _, old)) = cache.last.replace((nexthops.clone(), trust, id)) {
            self.release_set(old, &nexthops);
        }
        id
    }

    fn drop_cache(&mut self, cache: SetCache) {
        if let Some((nexthops, _, id)) = cache.last {
            self.release_set(id, &nexthops);
        }
    }

    fn release_set(&mut self, id: SetId, nexthops: &Arc<[Nexthop]>) {
        if self.rib.shared.release_set(id) {
            self.tracker.forget_set(id, nexthops);
        }
    }

    pub(crate) fn count_route(&mut self, shape: ShapeId, by: i64) {
        let Some(owner) = self.rib.shared.shape(shape).map(|shape| shape.owner) else { return };
        if let Some(owner) = self.clients.owners.get_mut(&owner) {
            owner.routes = owner.routes.saturating_add_signed(by);
        }
    }

    // What clients are told.

    pub(crate) fn send(&mut self, client: ClientKey, message: FromZebra) {
        self.actions.push(Action::Send { client, message });
    }

    pub(crate) fn broadcast(&mut self, message: &FromZebra) {
        let clients: Vec<ClientKey> = self.clients.connected.keys().copied().collect();
        self.actions
            .extend(clients.into_iter().map(|client| Action::Send { client, message: message.clone() }));
    }

    pub(crate) fn tell_owner(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        shape: ShapeId,
        outcome: RouteOutcome,
    ) {
        // Nothing is installed of what multicast looks sources up in, and nothing waits for it.
        let Some(shape) = self.rib.shared.shape(shape).filter(|_| key.safi == Safi::Unicast) else { return };
        let (protocol, instance) = (shape.protocol, shape.instance);
        let result = RouteResult { vrf: key.vrf, prefix, protocol, instance, outcome };
        self.clients.push_result(shape.owner, result);
    }

    /// The route that was selected has lost to another, and is still there.
    pub(crate) fn tell_loser(&mut self, key: TableKey, prefix: Prefix, old: ShapeId) {
        let Some(dest) = self.rib.dest(key, prefix) else { return };
        if dest.selected().is_some() && dest.entries().any(|entry| entry.shape == old) {
            self.tell_owner(key, prefix, old, RouteOutcome::BetterAdminWon);
        }
    }

    fn tell_unselected(&mut self, key: TableKey, prefix: Prefix, shape: ShapeId) {
        let selected = self.rib.dest(key, prefix).and_then(|dest| dest.selected()).map(|entry| entry.shape);
        if selected.is_some_and(|selected| selected != shape) {
            self.tell_owner(key, prefix, shape, RouteOutcome::BetterAdminWon);
        }
    }

    fn tell_state(&mut self, key: TableKey, prefix: Prefix, shape: ShapeId) {
        let Some(dest) = self.rib.dest(key, prefix) else { return };
        if dest.fib == Some(shape) && dest.state == crate::rib::DestState::Installed {
            self.tell_installed(key, prefix, shape);
        } else {
            self.tell_unselected(key, prefix, shape);
        }
    }

    /// Sends what was collected for each client.
    pub(crate) fn flush_clients(&mut self) {
        let now = self.now;
        for (key, client) in &mut self.clients.connected {
            let mut send = |message| {
                client.last_write = now;
                client.counts.sent += 1;
                self.actions.push(Action::Send { client: *key, message });
            };
            if !client.results.is_empty() {
                send(FromZebra::Results(std::mem::take(&mut client.results)));
            }
            if !client.redistributed.is_empty() {
                send(FromZebra::Redistributed(std::mem::take(&mut client.redistributed)));
            }
        }
    }
}

/// Where a route comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source {
    pub owner: OwnerId,
    pub protocol: RouteProtocol,
    pub instance: u16,
    pub epoch: u16,
}

/// Whether a route takes the place of one that is there.
fn same_source(present: &Shape, new: &Shape) -> bool {
    // The kernel does not say of which process of a protocol a route was, nor of which of those that share a number.
    if present.owner == OwnerId::ADOPTED {
        return present.protocol.kernel_number() == new.protocol.kernel_number();
    }
    if present.protocol != new.protocol {
        return false;
    }
    if present.owner != new.owner || present.instance != new.instance {
        return false;
    }
    match new.protocol {
        RouteProtocol::Kernel => present.metric == new.metric,
        // Several interfaces may have the same network.
        RouteProtocol::Connected | RouteProtocol::Local => present.set == new.set,
        RouteProtocol::Static => present.distance == new.distance,
        _ => true,
    }
}
