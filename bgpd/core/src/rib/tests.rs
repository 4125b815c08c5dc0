//! Shards under test: a small world of peers that decode what they are sent and complain about what must not happen.

mod attributes;
mod edits;
mod isolation;
mod memory;
mod model;
mod paths;
mod restart;
mod rpki;
mod rules;
mod scenarios;
mod sending;
mod side_edits;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bgp_packet::attr::{AsPath, Attributes, DecodeContext, NextHop, Origin, SessionKind};
use bgp_packet::{AttributeCache, Family, update};
use bytes::Bytes;
use ferrite_types::zclient::{NexthopState, RedistributedRoute, Resolution, RouteAttrs};
use ferrite_types::{
    Asn, Distance, IfIndex, Metric, Nexthop, Prefix, RouteProtocol, RouterId, Timestamp, VrfId,
};

use super::ctx::Limits;
use super::event::{RouteBatch, ShardAction, ShardEvent};
use super::query::{Answer, Query, QueryToken};
use super::settings::{AddPathSend, FamilyParams, PeerId, PeerKind, PeerParams, ShardConfig};
use super::{Shard, shard_of};

pub const V4: Family = Family::IPV4_UNICAST;

/// A peer as the outside sees it.
pub struct Remote {
    pub params: Arc<PeerParams>,
    pub session: Option<u64>,
    /// What we told it.
    pub table: BTreeMap<Prefix, Arc<Attributes>>,
    /// The same for a session with path identifiers, which leaves `table` empty.
    pub paths: BTreeMap<(Prefix, u32), Arc<Attributes>>,
    pub tables_sent: usize,
    /// Does not read: credit is kept back.
    pub stuck: bool,
    /// Shard, octets, messages.
    owed: Vec<(usize, usize, u32)>,
    /// A refresh may repeat what is known.
    pub repeats: bool,
    pub announced: usize,
    pub withdrawn: usize,
    cache: AttributeCache,
}

pub struct World {
    pub shards: Vec<Shard>,
    pub now: Timestamp,
    pub remotes: BTreeMap<PeerId, Remote>,
    pub fib: BTreeMap<Prefix, RouteAttrs>,
    pub tracked: BTreeSet<(IpAddr, bool)>,
    pub replays_done: usize,
    pub flushed: Vec<(PeerId, u64)>,
    pub config: ShardConfig,
    /// Answers zebra gives at once to whoever tracks a next hop.
    pub reachable: Option<BTreeMap<IpAddr, Option<u32>>>,
    answers: Vec<Answer>,
    sessions: u64,
}

pub fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// A route with this AS path, from the first AS on it.
pub fn route(path: &[u32]) -> Attributes {
    Attributes {
        origin: Origin::Igp,
        atomic_aggregate: false,
        as_path: AsPath::sequence(path.iter().copied().map(Asn)),
        next_hop: NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)),
        med: None,
        local_pref: None,
        communities: Box::default(),
        large_communities: Box::default(),
        ext_communities: Box::default(),
        rare: None,
    }
}

/// A session of this kind; `n` makes addresses and identifiers.
pub fn peer(kind: PeerKind, n: u8, remote_as: u32) -> PeerParams {
    let family = FamilyParams {
        send_community: true,
        send_large_community: true,
        send_ext_community: true,
        soft_reconfiguration: true,
        ..FamilyParams::default()
    };
    PeerParams {
        extended_next_hop: false,
        names: None,
        round_trip: None,
        addr: IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)),
        kind,
        remote_as: Asn(remote_as),
        remote_id: RouterId(Ipv4Addr::new(10, 0, 0, n)),
        local_as: Asn(65000),
        change_local_as: None,
        local_v4: Some(Ipv4Addr::new(10, 0, 0, 254)),
        local_v6: None,
        local_link_local: None,
        ifindex: Some(IfIndex(1)),
        shared_networks: Vec::new(),
        connected_nexthops: false,
        enforce_first_as: true,
        as4: true,
        max_message: 4096,
        advertisement_interval: 0,
        graceful_shutdown: false,
        aigp: false,
        bandwidth_integer: false,
        bandwidth_extended: false,
        rules: Default::default(),
        long_lived: false,
        families: vec![(V4, Arc::new(family))],
    }
}

pub fn with_family(mut params: PeerParams, change: impl FnOnce(&mut FamilyParams)) -> PeerParams {
    let mut family = (**params.family(V4).unwrap()).clone();
    change(&mut family);
    params.families = vec![(V4, Arc::new(family))];
    params
}

impl World {
    pub fn new(of: usize) -> Self {
        Self::with_limits(of, Limits::default())
    }

    pub fn with_limits(of: usize, limits: Limits) -> Self {
        let mut config = ShardConfig {
            asn: Asn(65000),
            router_id: RouterId(Ipv4Addr::new(10, 0, 0, 254)),
            cluster_id: Ipv4Addr::new(10, 0, 0, 254),
            import_check: false,
            ..ShardConfig::default()
        };
        config.decision.compare_router_id = true;
        config.decision.always_compare_med = true;
        let mut world = Self {
            shards: (0..of).map(|index| Shard::with_limits(index, of, limits)).collect(),
            now: Timestamp::from_secs(100),
            remotes: BTreeMap::new(),
            fib: BTreeMap::new(),
            tracked: BTreeSet::new(),
            replays_done: 0,
            flushed: Vec::new(),
            config: config.clone(),
            reachable: None,
            answers: Vec::new(),
            sessions: 0,
        };
        world.configure(|_| ());
        world
    }

    pub fn configure(&mut self, change: impl FnOnce(&mut ShardConfig)) {
        change(&mut self.config);
        let config = Arc::new(self.config.clone());
        for index in 0..self.shards.len() {
            self.feed(index, ShardEvent::Configured(Arc::clone(&config)));
        }
    }

    pub fn feed(&mut self, index: usize, event: ShardEvent) {
        let mut out = Vec::new();
        let now = self.now;
        self.shards[index].handle(now, event, &mut out);
        self.perform(index, out);
    }

    pub fn feed_all(&mut self, event: impl Fn() -> ShardEvent) {
        for index in 0..self.shards.len() {
            self.feed(index, event());
        }
    }

    pub fn up(&mut self, id: u32, params: PeerParams) {
        let (peer, params) = (PeerId(id), Arc::new(params));
        self.sessions += 1;
        let session = self.sessions;
        self.remotes.insert(
            peer,
            Remote {
                params: Arc::clone(&params),
                session: Some(session),
                table: BTreeMap::new(),
                paths: BTreeMap::new(),
                tables_sent: 0,
                stuck: false,
                owed: Vec::new(),
                repeats: false,
                announced: 0,
                withdrawn: 0,
                cache: AttributeCache::default(),
            },
        );
        self.feed_all(|| ShardEvent::PeerUp { peer, session, params: Arc::clone(&params) });
    }

    pub fn down(&mut self, id: u32) {
        let peer = PeerId(id);
        let Some(session) = self.remotes.get_mut(&peer).and_then(|remote| remote.session.take()) else {
            return;
        };
        if let Some(remote) = self.remotes.get_mut(&peer) {
            remote.table.clear();
            remote.paths.clear();
            remote.owed.clear();
        }
        self.feed_all(|| ShardEvent::PeerDown { peer, session });
    }

    pub fn change(&mut self, id: u32, params: PeerParams) {
        let (peer, params) = (PeerId(id), Arc::new(params));
        self.remotes.get_mut(&peer).unwrap().params = Arc::clone(&params);
        self.feed_all(|| ShardEvent::PeerChanged { peer, params: Arc::clone(&params) });
    }

    pub fn announce(&mut self, id: u32, prefixes: &[Prefix], attrs: &Arc<Attributes>) {
        self.announce_path(id, prefixes, 0, attrs);
    }

    pub fn announce_path(&mut self, id: u32, prefixes: &[Prefix], path_id: u32, attrs: &Arc<Attributes>) {
        let Some(session) = self.remotes.get(&PeerId(id)).and_then(|remote| remote.session) else { return };
        for index in 0..self.shards.len() {
            let mut batch = RouteBatch::new(PeerId(id), session, V4);
            let set = batch.attrs(attrs);
            for prefix in prefixes.iter().filter(|p| shard_of(**p, self.shards.len()) == index) {
                batch.reach(*prefix, path_id, set);
            }
            self.feed(index, ShardEvent::Routes(batch));
        }
    }

    pub fn withdraw(&mut self, id: u32, prefix: Prefix) {
        self.withdraw_path(id, prefix, 0);
    }

    pub fn withdraw_path(&mut self, id: u32, prefix: Prefix, path_id: u32) {
        let Some(session) = self.remotes.get(&PeerId(id)).and_then(|remote| remote.session) else { return };
        let index = shard_of(prefix, self.shards.len());
        let mut batch = RouteBatch::new(PeerId(id), session, V4);
        batch.withdraw(prefix, path_id);
        self.feed(index, ShardEvent::Routes(batch));
    }

    pub fn nexthop(&mut self, addr: &str, metric: Option<u32>) {
        let addr: IpAddr = addr.parse().unwrap();
        let resolved = metric.map(|metric| Resolution {
            prefix: Prefix::host(addr),
            protocol: RouteProtocol::Ospf,
            distance: Distance(110),
            metric: Metric(metric),
            nexthops: Arc::from([Nexthop::interface(IfIndex(1))]),
        });
        let state = NexthopState { vrf: VrfId::DEFAULT, addr, exact: None, resolved };
        self.feed_all(|| ShardEvent::Nexthops(vec![state.clone()]));
    }

    /// Lets the writer of a peer read again.
    pub fn unstick(&mut self, id: u32) {
        let peer = PeerId(id);
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        remote.stuck = false;
        for (index, octets, messages) in std::mem::take(&mut remote.owed) {
            self.feed(index, ShardEvent::Credit { peer, octets, messages });
        }
    }

    /// A few slices of work, in turn.
    pub fn tick(&mut self, count: usize) {
        for index in (0..self.shards.len()).cycle().take(count) {
            let mut out = Vec::new();
            let now = self.now;
            self.shards[index].tick(now, &mut out);
            self.perform(index, out);
        }
    }

    /// Ticks until nothing is due any more, letting time pass where somebody waits for it.
    pub fn settle(&mut self) {
        self.settle_for(Duration::from_mins(1));
    }

    pub fn settle_for(&mut self, patience: Duration) {
        let end = self.now + patience;
        for round in 0.. {
            assert!(round < 200_000, "the shards never come to rest");
            let due = self.shards.iter().enumerate().filter_map(|(i, s)| Some((s.next_deadline()?, i))).min();
            let Some((deadline, index)) = due.filter(|(deadline, _)| *deadline <= end) else { return };
            self.now = self.now.max(deadline);
            let mut out = Vec::new();
            let now = self.now;
            self.shards[index].tick(now, &mut out);
            self.perform(index, out);
        }
    }

    fn perform(&mut self, index: usize, out: Vec<ShardAction>) {
        for action in out {
            match action {
                ShardAction::Send { peers, bytes, stats, .. } => {
                    assert!(!bytes.is_empty() && stats.messages > 0);
                    for peer in peers.iter() {
                        self.deliver(index, *peer, &bytes, stats.messages);
                    }
                }
                ShardAction::TableSent { peer, .. } => {
                    if let Some(remote) = self.remotes.get_mut(&peer) {
                        remote.tables_sent += 1;
                    }
                }
                ShardAction::Zebra(batch) => {
                    let updates = batch.updates.len();
                    for update in batch.updates {
                        match update.route {
                            Some(route) => {
                                let old = self.fib.insert(update.prefix, route.clone());
                                assert_ne!(old, Some(route), "zebra was told twice of {}", update.prefix);
                            }
                            None => {
                                let old = self.fib.remove(&update.prefix);
                                assert!(old.is_some(), "zebra never had {}", update.prefix);
                            }
                        }
                    }
                    self.feed(index, ShardEvent::ZebraCredit { updates });
                }
                ShardAction::ReplayDone => self.replays_done += 1,
                ShardAction::Track(requests) => {
                    for request in requests {
                        let key = (request.addr, request.connected_only);
                        if !request.track {
                            self.tracked.remove(&key);
                            continue;
                        }
                        self.tracked.insert(key);
                        let known = self.reachable.as_ref().and_then(|known| known.get(&request.addr));
                        if let Some(metric) = known.copied() {
                            self.nexthop(&request.addr.to_string(), metric);
                        }
                    }
                }
                ShardAction::Contribute { to, part } => self.feed(to, ShardEvent::Contribution(part)),
                // Nobody monitors here.
                ShardAction::Monitored { .. } | ShardAction::MonitoredSend(_) => {}
                ShardAction::PrefixCounts(_) | ShardAction::Notices(_) | ShardAction::EndOfRib { .. } => {}
                ShardAction::Flushed { peer, session } => self.flushed.push((peer, session)),
                ShardAction::Answer(_, answer) => self.answers.push(answer),
            }
        }
    }

    /// A peer reads messages: each must decode without a fault and change what the peer knows.
    fn deliver(&mut self, index: usize, peer: PeerId, bytes: &Bytes, messages: u32) {
        let remote = self.remotes.get_mut(&peer).expect("a message for a peer that never was");
        if remote.session.is_none() {
            return;
        }
        let kind = match remote.params.kind {
            PeerKind::External => SessionKind::External,
            PeerKind::Internal => SessionKind::Internal,
            PeerKind::Confederation => SessionKind::Confederation,
        };
        let mut context = DecodeContext::new(kind);
        context.families = remote.params.families.iter().map(|(family, _)| *family).collect();
        let identified = remote.params.family(V4).is_some_and(|f| f.add_path_send != AddPathSend::No);
        if identified {
            context.add_path = context.add_path.with(V4);
        }
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let len = usize::from(u16::from_be_bytes([rest[16], rest[17]]));
            assert!(len <= remote.params.max_message && rest[18] == 2);
            let body = rest.split_to(len).slice(19..);
            let update =
                update::decode(&body, &context, &mut remote.cache).expect("our own message is refused");
            assert!(update.faults.is_empty(), "{:?}", update.faults);
            for entry in update.withdrawn.iter().flat_map(bgp_packet::Nlri::iter) {
                let (prefix, path_id) = (entry.prefix, entry.path_id);
                let old = if identified {
                    remote.paths.remove(&(prefix, path_id))
                } else {
                    remote.table.remove(&prefix)
                };
                assert!(old.is_some(), "{peer:?} never had {prefix} {path_id}");
                remote.withdrawn += 1;
            }
            for announced in &update.announced {
                for entry in &announced.nlri {
                    let (prefix, attrs) = (entry.prefix, Arc::clone(&announced.attrs));
                    let old = if identified {
                        remote.paths.insert((prefix, entry.path_id), attrs)
                    } else {
                        remote.table.insert(prefix, attrs)
                    };
                    assert!(
                        remote.repeats || old.as_ref() != Some(&announced.attrs),
                        "{peer:?} was told twice of {prefix}"
                    );
                    remote.announced += 1;
                }
            }
        }
        let octets = bytes.len();
        if remote.stuck {
            remote.owed.push((index, octets, messages));
        } else {
            self.feed(index, ShardEvent::Credit { peer, octets, messages });
        }
    }

    pub fn ask(&mut self, index: usize, token: u64, query: Query) -> Answer {
        self.feed(index, ShardEvent::Query(QueryToken(token), query));
        self.answers.pop().expect("every question has an answer")
    }

    pub fn remote(&self, id: u32) -> &Remote {
        &self.remotes[&PeerId(id)]
    }

    /// The AS path that a peer has for a prefix, as text.
    pub fn path(&self, id: u32, text: &str) -> Option<String> {
        self.remote(id).table.get(&prefix(text)).map(|attrs| attrs.as_path.to_string())
    }
}
