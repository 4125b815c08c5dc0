//! One BGP speaker: its configuration, its neighbours' sessions, and what lies between them, the shards and zebra.
//!
//! In go [`Event`]s, out come [`Action`]s; see [`crate`] for the picture. A new configuration is applied by comparing: each
//! neighbour's effective settings become session and table parameters, and only what differs from before is passed on.
//! A policy change keeps every session: export is recomputed by the shards, import by the stored routes or a ROUTE-REFRESH.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ferrite_policy::Policies;
use ferrite_types::zclient::{FromZebra, ToZebra};
use ferrite_types::{IfIndex, RouterId, Timestamp, VrfId};

use crate::action::{Action, LogLine};
use crate::commands::Execs;
use crate::config::{BgpConfig, InstanceName, NeighborName, RouterBgp};
use crate::event::{AcceptId, Event};
use crate::peer::{ConnId, Ends, PeerEvent, PeerMessage};
use crate::rib::{PeerId, ShardAction, ShardConfig, ShardEvent};

pub mod bmp;
mod configure;
pub mod dump;
mod dynamic;
pub(crate) mod edits;
pub(crate) mod filter;
pub(crate) mod graceful;
mod identity;
mod initial;
mod interfaces;
mod kernel;
mod limits;
mod notices;
mod orf;
mod params;
mod reach;
pub mod rpki;
pub(crate) mod rtt;
mod sessions;
mod signing;
mod terms;
mod unnumbered;
mod zebra;

pub use identity::PeerIds;
pub use interfaces::Interfaces;
pub(crate) use sessions::PeerEntry;
pub(crate) use unnumbered::is_link_local;

use filter::Filters;
use zebra::{Subscriptions, Tracking};

/// What the instance is told of the machine and the command line, once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    pub hostname: String,
    /// Number of shards, at least one.
    pub shards: usize,
    /// There is a zebra to talk to (no `-Z`).
    pub zebra: bool,
    /// Routes are given to zebra (no `-n`).
    pub install: bool,
    /// Most next hops of one route, whatever `maximum-paths` says (`-e`).
    pub ecmp: u16,
    /// Port we listen on, for shows.
    pub port: u16,
    /// Decides all jitter.
    pub seed: u64,
    /// Seconds since 1970 at [`Timestamp::ZERO`], for wall-clock times in shows.
    pub epoch: u64,
    /// `bgpd 0.1.0`, for shows.
    pub version: String,
    pub local_clock: LocalClock,
}

/// How local times, as configurations have them, are counted.
#[derive(Clone, Copy)]
pub struct LocalClock(pub ferrite_keychain::ToUtc);

impl LocalClock {
    /// The clock on the wall shows UTC.
    pub const UTC: Self = Self(|time| time.0);
}

/// There is one on a machine.
impl PartialEq for LocalClock {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for LocalClock {}

impl std::fmt::Debug for LocalClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalClock")
    }
}

/// Connections that neighbours made are numbered from here, ours from zero.
const ACCEPTED: u64 = 1 << 63;

#[derive(Debug)]
pub struct Instance {
    pub(crate) host: Host,
    pub(crate) name: InstanceName,
    /// The VRF's number; `None` while there is no such VRF.
    pub(crate) vrf: Option<VrfId>,
    /// What another instance has compiled from the configuration that comes next.
    given_policies: Option<Arc<Policies>>,
    pub(crate) config: Arc<BgpConfig>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) filters: Filters,
    /// When edits of policy that wait are applied.
    policy_due: Option<Timestamp>,
    reimports: edits::Reimports,
    pub(crate) peers: BTreeMap<PeerId, PeerEntry>,
    pub(crate) by_name: BTreeMap<NeighborName, PeerId>,
    peer_ids: PeerIds,
    next_accepted: u64,
    pub(crate) interfaces: Interfaces,
    /// What a snapshot in progress has told so far; it replaces `interfaces` once it is complete.
    snapshot: Option<Interfaces>,
    /// Zebra's choice, used where the configuration has none.
    zebra_router_id: RouterId,
    zebra_connected: bool,
    tracking: Tracking,
    subscriptions: Subscriptions,
    /// Interfaces on which zebra was asked for router advertisements.
    advertising: BTreeSet<IfIndex>,
    /// Shards that have not answered `ReplayFib` yet.
    replaying: usize,
    /// The first convergence, which zebra's sweep waits for.
    initial: initial::Initial,
    dumps: dump::Dumps,
    pub(crate) bmp: bmp::Bmp,
    shard_config: Option<Arc<ShardConfig>>,
    pub(crate) execs: Execs,
    /// Caches and what they say.
    pub(crate) rpki: rpki::Rpki,
    finishing: bool,
    pub(crate) dynamic: dynamic::Dynamic,
    /// What zebra was asked for on this connection.
    kernel: kernel::Terms,
    /// `bgp fast-convergence`.
    reach: reach::Reach,
}

impl Instance {
    pub fn new(host: Host) -> Self {
        Self::named(host, InstanceName::Default, PeerIds::default())
    }

    /// One of several instances, which share the numbers of neighbours.
    pub fn named(host: Host, name: InstanceName, peer_ids: PeerIds) -> Self {
        let vrf = if matches!(name, InstanceName::Vrf(_)) { None } else { Some(VrfId::DEFAULT) };
        Self {
            host: Host { shards: host.shards.max(1), ..host },
            name,
            vrf,
            given_policies: None,
            config: Arc::default(),
            policies: Arc::default(),
            filters: Filters::default(),
            policy_due: None,
            reimports: edits::Reimports::default(),
            peers: BTreeMap::new(),
            by_name: BTreeMap::new(),
            peer_ids,
            next_accepted: ACCEPTED,
            interfaces: Interfaces::default(),
            snapshot: None,
            zebra_router_id: RouterId::UNSET,
            zebra_connected: false,
            tracking: Tracking::default(),
            subscriptions: Subscriptions::new(),
            advertising: BTreeSet::new(),
            replaying: 0,
            initial: initial::Initial::default(),
            dumps: dump::Dumps::default(),
            bmp: bmp::Bmp::default(),
            shard_config: None,
            execs: Execs::default(),
            rpki: rpki::Rpki::default(),
            finishing: false,
            dynamic: dynamic::Dynamic::default(),
            kernel: kernel::Terms::default(),
            reach: reach::Reach::default(),
        }
    }

    /// Feeds in one event; whatever must happen outside is appended to `out`.
    pub fn handle(&mut self, now: Timestamp, event: Event, out: &mut Vec<Action>) {
        match event {
            Event::Configured(config) => self.configure(now, config, out),
            Event::Accepted { accept, ends } => self.accepted(now, accept, ends, out),
            Event::Connected { peer, conn, ends } => {
                self.peer_event(now, peer, PeerEvent::Connected { conn, ends }, out);
            }
            Event::ConnectFailed { peer, conn, error } => {
                self.peer_event(now, peer, PeerEvent::ConnectFailed { conn, error }, out);
            }
            Event::Closed { peer, conn, error } => {
                self.peer_event(now, peer, PeerEvent::Closed { conn, error }, out);
            }
            Event::Received { peer, conn, message } => {
                if matches!(message, PeerMessage::Keepalive) {
                    let addr = self.peers.get(&peer).map(|entry| entry.addr);
                    tracing::debug!(target: "bgpd::keepalives", ?addr, "KEEPALIVE received");
                }
                let changes = matches!(message, PeerMessage::Capability(_));
                self.peer_event(now, peer, PeerEvent::Received { conn, message }, out);
                if changes {
                    self.refresh_params(peer, out);
                }
            }
            Event::Orf { peer, update } => self.orf_received(peer, &update, out),
            Event::Fault { peer, conn, notification } => {
                self.peer_event(now, peer, PeerEvent::Fault { conn, notification }, out);
            }
            Event::Activity { peer, conn, updates } => {
                self.peer_event(now, peer, PeerEvent::Activity { conn, updates }, out);
            }
            Event::Faulty { peer, faults } => {
                if let Some(entry) = self.peers.get_mut(&peer) {
                    entry.peer.count_faults(faults);
                }
            }
            Event::Mirrored { peer, kind, body, lost } => self.mirrored(now, peer, (kind, &body), lost, out),
            Event::Rtt { peer, conn, msec, mss } => self.measured(now, (peer, conn), msec, mss, out),
            Event::Written { peer, conn, updates } => {
                if let Some(entry) = self.peers.get_mut(&peer) {
                    entry.peer.count_updates_sent(updates);
                }
                self.peer_event(now, peer, PeerEvent::Written { conn }, out);
            }
            Event::Shard { shard, action } => self.shard_reported(now, shard, action, out),
            Event::ZebraConnected => {
                tracing::debug!(target: "bgpd::zebra", "connected; a snapshot follows");
                self.zebra_connected = true;
                self.snapshot = Some(Interfaces::default());
            }
            Event::ZebraGone => self.zebra_gone(out),
            Event::Zebra(message) => self.zebra_said(now, message, out),
            Event::Exec { exec, command, args } => self.exec(now, exec, command, &args, out),
            Event::Rpki(event) => self.rpki_event(now, event, out),
            Event::ReplyTaken(exec) => self.reply_taken(now, exec, out),
            Event::ReplyGone(exec) => self.reply_gone(exec, out),
            Event::Bmp { event, .. } => self.bmp_event(now, event, out),
            Event::DumpTaken(good) => self.dump_taken(good, out),
            Event::Shutdown => self.shutdown(now, out),
        }
    }

    /// Fires every deadline at or before `now`. Calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let due: Vec<PeerId> = self
            .peers
            .iter()
            .filter(|(_, entry)| entry.peer.next_deadline().is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.peer_tick(now, id, out);
        }
        self.graceful_tick(now, out);
        self.initial_tick(now, out);
        self.policy_tick(now, out);
        self.dump_tick(now, out);
        self.rpki_tick(now, out);
        self.bmp_tick(now, out);
    }

    /// When `tick` next has work, or `None` while nothing is pending.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let peers = self.peers.values().filter_map(|entry| entry.peer.next_deadline());
        let graceful = self.peers.values().filter_map(|entry| entry.graceful.deadline());
        let own = self
            .policy_due
            .into_iter()
            .chain(self.rpki.next_deadline())
            .chain(self.dumps.deadline())
            .chain(self.bmp.deadline());
        peers.chain(graceful).chain(self.initial.deadline()).chain(own).min()
    }

    pub(crate) fn initial(&self) -> &initial::Initial {
        &self.initial
    }

    pub(crate) fn router(&self) -> Option<&RouterBgp> {
        self.config.instances.get(&self.name)
    }

    /// The identifier in force: configured, else zebra's.
    pub(crate) fn router_id(&self) -> RouterId {
        self.router().and_then(|router| router.router_id).unwrap_or(self.zebra_router_id)
    }

    pub(crate) fn resolved_prefix(&self, addr: IpAddr) -> Option<ferrite_types::Prefix> {
        self.tracking.resolved_prefix(self.vrf_id(), addr)
    }

    pub(crate) fn all_shards(&self, event: impl Fn() -> ShardEvent, out: &mut Vec<Action>) {
        for shard in 0..self.host.shards {
            out.push(Action::Shard { shard, event: event() });
        }
    }

    fn accepted(&mut self, now: Timestamp, accept: AcceptId, ends: Ends, out: &mut Vec<Action>) {
        let addr = ends.remote.ip().to_canonical();
        let known = self.peer_behind(ends).or_else(|| self.admit(now, addr, out));
        let Some((peer, entry)) = known.and_then(|id| Some((id, self.peers.get(&id)?))) else {
            out.push(Action::Refuse { accept });
            return;
        };
        let conn = ConnId(self.next_accepted);
        self.next_accepted += 1;
        let transport = Arc::new(entry.session.transport.clone());
        out.push(Action::Adopt { accept, peer, conn, transport });
        self.peer_event(now, peer, PeerEvent::Accepted { conn, ends }, out);
        self.reap(now, peer, out);
    }

    fn shard_reported(&mut self, now: Timestamp, shard: usize, action: ShardAction, out: &mut Vec<Action>) {
        match action {
            ShardAction::Monitored { family, rows } => self.bmp_changed(now, shard, family, &rows, out),
            ShardAction::MonitoredSend(sent) => self.bmp_sent(now, &sent, out),
            ShardAction::TableSent { peer, family } => self.table_sent(peer, family, out),
            ShardAction::EndOfRib { peer, session, family } => {
                self.end_of_rib(now, shard, peer, session, family, out);
            }
            // What was sent before the neighbours told their tables is not all we want.
            ShardAction::ReplayDone if !self.initial.is_over() => {}
            ShardAction::ReplayDone => {
                self.replaying = self.replaying.saturating_sub(1);
                if self.replaying == 0 && self.zebra_connected {
                    out.push(Action::Zebra(ToZebra::ReplayDone));
                }
            }
            ShardAction::Track(requests) => {
                let (ask, known) = self.tracking.request(shard, requests);
                if !ask.is_empty() && self.zebra_connected {
                    out.push(Action::Zebra(ToZebra::TrackNexthops(ask)));
                }
                if !known.is_empty() {
                    out.push(Action::Shard { shard, event: ShardEvent::Nexthops(known) });
                }
            }
            ShardAction::Notices(notices) => self.noticed(now, &notices, out),
            ShardAction::PrefixCounts(counts) => self.counted(now, shard, counts, out),
            ShardAction::Answer(token, answer) => self.answered(now, shard, token, answer, out),
            // The shell carries these out itself; a flush needs nothing of us.
            ShardAction::Flushed { .. }
            | ShardAction::Send { .. }
            | ShardAction::Zebra(_)
            | ShardAction::Contribute { .. } => {}
        }
    }

    fn zebra_gone(&mut self, out: &mut Vec<Action>) {
        self.zebra_connected = false;
        self.replaying = 0;
        // Interfaces are kept as they were: sessions do not end because zebra restarts.
        self.all_shards(|| ShardEvent::ZebraGone, out);
    }

    fn zebra_said(&mut self, now: Timestamp, message: FromZebra, out: &mut Vec<Action>) {
        match message {
            FromZebra::Interface(interface) => {
                let ifindex = interface.ifindex;
                let went_down = self.links().update(interface);
                self.interfaces_changed(now, went_down.then_some(ifindex), out);
            }
            FromZebra::InterfaceGone(ifindex) => {
                self.interfaces_changed(now, Some(ifindex), out);
                self.links().remove(ifindex);
                self.interfaces_changed(now, None, out);
            }
            FromZebra::Address { ifindex, address } => {
                self.links().add_address(ifindex, address);
                self.interfaces_changed(now, None, out);
            }
            FromZebra::AddressGone { ifindex, address } => {
                self.links().remove_address(ifindex, address);
                self.interfaces_changed(now, None, out);
            }
            FromZebra::RouterId { vrf, router_id } if Some(vrf) == self.vrf => {
                self.zebra_router_id = router_id;
                if self.snapshot.is_none() {
                    self.apply(now, out);
                }
            }
            FromZebra::SnapshotDone => self.snapshot_done(now, out),
            FromZebra::Nexthops(states) => {
                for state in &states {
                    let via = state.resolved.as_ref().map(|resolved| resolved.prefix);
                    tracing::debug!(target: "bgpd::nht", addr = %state.addr, ?via, "next hop");
                }
                self.tracking.learn(&states);
                self.neighbours_lost(now, &states, out);
                self.all_shards(|| ShardEvent::Nexthops(states.clone()), out);
            }
            FromZebra::Redistributed(routes) => {
                tracing::debug!(target: "bgpd::zebra", routes = routes.len(), "redistributed");
                self.per_shard(routes, |route| route.prefix, ShardEvent::Redistributed, out);
            }
            FromZebra::Results(results) => {
                self.per_shard(results, |result| result.prefix, ShardEvent::FibResults, out);
            }
            FromZebra::Refused { request, reason } => {
                out.push(Action::Log(LogLine::ZebraRefused { request, reason }));
            }
            FromZebra::LinkNeighbor { ifindex, addr, present } => {
                self.links().set_neighbor(ifindex, addr, present);
                self.interfaces_changed(now, None, out);
            }
            FromZebra::RouterId { .. } | FromZebra::Vrf { .. } | FromZebra::VrfGone(_) => {}
            // bgpd asks for no labels, and has no use for what links offer.
            FromZebra::LabelChunk(_)
            | FromZebra::LspResults(_)
            | FromZebra::FecLabels(_)
            | FromZebra::Rpf(_)
            | FromZebra::LinkParams { .. }
            | FromZebra::LdpSync(_) => {}
        }
    }

    /// Where news of interfaces belong: into the snapshot while there is one.
    fn links(&mut self) -> &mut Interfaces {
        self.snapshot.as_mut().unwrap_or(&mut self.interfaces)
    }

    /// Sends each item to the shard that owns its prefix.
    fn per_shard<T>(
        &self,
        items: Vec<T>,
        prefix: impl Fn(&T) -> ferrite_types::Prefix,
        event: fn(Vec<T>) -> ShardEvent,
        out: &mut Vec<Action>,
    ) {
        let mut parts: Vec<Vec<T>> = (0..self.host.shards).map(|_| Vec::new()).collect();
        for item in items {
            let shard = crate::rib::shard_of(prefix(&item), self.host.shards);
            if let Some(part) = parts.get_mut(shard) {
                part.push(item);
            }
        }
        let filled = parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty());
        out.extend(filled.map(|(shard, part)| Action::Shard { shard, event: event(part) }));
    }

    /// The snapshot is complete: everything we want goes to zebra, and `ReplayDone` once all shards have said theirs.
    fn snapshot_done(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        tracing::debug!(target: "bgpd::zebra", "snapshot complete; replaying");
        if let Some(snapshot) = self.snapshot.take() {
            self.interfaces = snapshot;
        }
        self.interfaces.set_known();
        let tracked = self.tracking.replay();
        if !tracked.is_empty() {
            out.push(Action::Zebra(ToZebra::TrackNexthops(tracked)));
        }
        let wanted = self.subscriptions_wanted();
        out.extend(
            zebra::changes(self.vrf_id(), &Subscriptions::new(), &wanted).into_iter().map(Action::Zebra),
        );
        self.subscriptions = wanted;
        self.advertising.clear();
        self.initial.begin(now);
        self.kernel = kernel::Terms::default();
        self.replaying = self.host.shards;
        self.apply(now, out);
        self.all_shards(|| ShardEvent::ReplayFib, out);
    }
}
