//! Several paths per prefix against a reference worked out from scratch: after any history of announcements under several
//! identifiers, withdrawals, sessions with and without identifiers, strategies, limits, policies, reflector clients and
//! route server clients, each peer has exactly the paths that the rules name; no two paths of a prefix have one
//! identifier, and no path that stays changes its own.

use std::cmp::Reverse;

use bgp_packet::attr::AsPath;
use proptest::prelude::*;

use super::model::{MARK, Numbered, policy};
use super::*;
use crate::rib::policy::Filter;
use crate::rib::query::PathSource;

const PEERS: [(u32, PeerKind, u32); 6] = [
    (1, PeerKind::External, 65001),
    (2, PeerKind::External, 65002),
    (3, PeerKind::Internal, 65000),
    (4, PeerKind::Internal, 65000),
    (5, PeerKind::External, 65005),
    (6, PeerKind::External, 65001),
];

/// Identifiers that peers use, small ones and such as no other speaker would think of.
const IDS: [u32; 4] = [0, 1, 70_000, u32::MAX];
const PREFIXES: u8 = 4;

/// Settings of a peer that a session or a change takes up.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Settings {
    import: u8,
    export: u8,
    send: AddPathSend,
    limit: u16,
    client: bool,
    server: bool,
    secondary: bool,
}

const PLAIN: Settings = Settings {
    import: 0,
    export: 0,
    send: AddPathSend::No,
    limit: 0,
    client: false,
    server: false,
    secondary: false,
};

#[derive(Clone, Debug)]
enum Op {
    Announce {
        peer: usize,
        prefix: u8,
        id: usize,
        attrs: u8,
    },
    Withdraw {
        peer: usize,
        prefix: u8,
        id: usize,
    },
    Up(usize),
    Down(usize),
    Import {
        peer: usize,
        policy: u8,
    },
    Export {
        peer: usize,
        policy: u8,
    },
    /// Between plain and identified sessions it takes a new session.
    Send {
        peer: usize,
        send: AddPathSend,
        limit: u16,
    },
    Client(usize),
    Server(usize),
    Secondary(usize),
    ClientToClient,
    OutboundPolicy,
    Nexthop {
        which: u8,
        metric: Option<u32>,
    },
    Stick(usize),
    Unstick(usize),
    Refresh(usize),
    Tick(u8),
    Settle,
}

fn strategy() -> impl Strategy<Value = AddPathSend> {
    prop_oneof![
        3 => Just(AddPathSend::All),
        2 => (1..4u16).prop_map(AddPathSend::Best),
        2 => Just(AddPathSend::BestPerAs),
        2 => Just(AddPathSend::No),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let peer = 0..PEERS.len();
    prop_oneof![
        24 => (peer.clone(), 0..PREFIXES, 0..IDS.len(), any::<u8>())
            .prop_map(|(peer, prefix, id, attrs)| Op::Announce { peer, prefix, id, attrs }),
        9 => (peer.clone(), 0..PREFIXES, 0..IDS.len())
            .prop_map(|(peer, prefix, id)| Op::Withdraw { peer, prefix, id }),
        4 => peer.clone().prop_map(Op::Up),
        2 => peer.clone().prop_map(Op::Down),
        2 => (peer.clone(), 0..5u8).prop_map(|(peer, policy)| Op::Import { peer, policy }),
        2 => (peer.clone(), 0..5u8).prop_map(|(peer, policy)| Op::Export { peer, policy }),
        4 => (peer.clone(), strategy(), 0..4u16)
            .prop_map(|(peer, send, limit)| Op::Send { peer, send, limit: limit.saturating_sub(1) }),
        1 => peer.clone().prop_map(Op::Client),
        1 => peer.clone().prop_map(Op::Server),
        2 => peer.clone().prop_map(Op::Secondary),
        1 => Just(Op::ClientToClient),
        1 => Just(Op::OutboundPolicy),
        2 => (0..3u8, proptest::option::of(0..3u32)).prop_map(|(which, metric)| Op::Nexthop { which, metric }),
        2 => peer.clone().prop_map(Op::Stick),
        1 => peer.clone().prop_map(Op::Unstick),
        1 => peer.prop_map(Op::Refresh),
        4 => (0..6u8).prop_map(Op::Tick),
        4 => Just(Op::Settle),
    ]
}

fn numbered_prefix(number: u8) -> Prefix {
    prefix(&format!("10.{number}.0.0/16"))
}

/// Attributes by number, as this peer would send them.
fn attributes(peer: usize, number: u8) -> Attributes {
    let (_, kind, remote_as) = PEERS[peer];
    let external = kind == PeerKind::External;
    let hops = u32::from(number % 3);
    let lead = external.then_some(remote_as);
    let path: Vec<u32> = lead.into_iter().chain((0..hops).map(|hop| 100 + hop)).collect();
    let mut attrs = route(&path);
    attrs.next_hop = NextHop::V4(Ipv4Addr::new(192, 0, 2, 1 + number / 4 % 3));
    attrs.med = number.is_multiple_of(5).then_some(u32::from(number) / 64);
    attrs.local_pref = (!external).then_some(100 + u32::from(number / 128));
    if number.is_multiple_of(7) {
        attrs.communities = Box::from([MARK]);
    }
    attrs
}

/// A path of the reference.
#[derive(Clone, Debug)]
struct Known {
    peer: usize,
    id: u32,
    attrs: Attributes,
    metric: u32,
}

impl Known {
    /// The decision as one key, smallest best: all MEDs are comparable here and age never counts.
    fn key(&self) -> impl Ord + use<> {
        let (id, kind, _) = PEERS[self.peer];
        let internal = kind == PeerKind::Internal;
        (
            Reverse(self.attrs.local_pref.unwrap_or(100)),
            self.attrs.as_path.hops(),
            self.attrs.med.unwrap_or(0),
            internal,
            self.metric,
            id,
            self.id,
        )
    }
}

/// Source, its identifier, receiver: what an identifier must stay the same for.
type PathName = (usize, u32, Prefix);

struct Model {
    world: World,
    received: BTreeMap<(usize, Prefix, u32), Attributes>,
    settings: [Settings; PEERS.len()],
    nexthops: [Option<u32>; 3],
    client_to_client: bool,
    outbound_policy: bool,
    /// Identifiers under which paths were sent, for as long as the path is there.
    sent: BTreeMap<PathName, u32>,
}

impl Model {
    fn new(shards: usize) -> Self {
        let mut world = World::with_limits(shards, Limits { send_window: 150, zebra_window: 64, slice: 3 });
        world.configure(|config| {
            config.zebra = true;
            config.install = true;
        });
        world.feed_all(|| ShardEvent::ReplayFib);
        world.reachable = Some(BTreeMap::new());
        let mut model = Self {
            world,
            received: BTreeMap::new(),
            settings: [PLAIN; PEERS.len()],
            nexthops: [Some(1); 3],
            client_to_client: true,
            outbound_policy: false,
            sent: BTreeMap::new(),
        };
        for which in 0..3 {
            model.set_nexthop(which, Some(1));
        }
        model
    }

    fn set_nexthop(&mut self, which: u8, metric: Option<u32>) {
        self.nexthops[usize::from(which)] = metric;
        let addr = Ipv4Addr::new(192, 0, 2, 1 + which);
        self.world.reachable.as_mut().unwrap().insert(addr.into(), metric);
        self.world.nexthop(&addr.to_string(), metric);
    }

    fn params(&self, peer: usize) -> PeerParams {
        let (id, kind, remote_as) = PEERS[peer];
        let settings = self.settings[peer];
        let filter = |number: u8| (number > 0).then(|| Arc::new(Numbered(number)) as Arc<dyn Filter>);
        with_family(super::peer(kind, id as u8, remote_as), |family| {
            family.import = filter(settings.import);
            family.export = filter(settings.export);
            family.route_reflector_client = settings.client && kind == PeerKind::Internal;
            family.route_server_client = settings.server && kind == PeerKind::External;
            family.add_path_send = settings.send;
            family.paths_limit = settings.limit;
            family.secondary_path = settings.secondary;
        })
    }

    fn is_up(&self, peer: usize) -> bool {
        self.world.remotes.get(&PeerId(PEERS[peer].0)).is_some_and(|remote| remote.session.is_some())
    }

    /// While a peer catches up, a change and its reversal may reach it as a repetition.
    fn may_repeat(&mut self, peer: usize) {
        if let Some(remote) = self.world.remotes.get_mut(&PeerId(PEERS[peer].0)) {
            remote.repeats = true;
        }
    }

    fn up(&mut self, peer: usize) {
        self.world.up(PEERS[peer].0, self.params(peer));
        self.may_repeat(peer);
    }

    fn down(&mut self, peer: usize) {
        self.received.retain(|(other, _, _), _| *other != peer);
        self.sent.retain(|(other, _, _), _| *other != peer);
        self.world.down(PEERS[peer].0);
    }

    /// Takes new settings up, in the session that there is.
    fn change(&mut self, peer: usize, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings[peer]);
        (0..PEERS.len()).for_each(|other| self.may_repeat(other));
        if self.is_up(peer) {
            self.world.change(PEERS[peer].0, self.params(peer));
        }
    }

    fn send(&mut self, peer: usize, send: AddPathSend, limit: u16) {
        let before = self.settings[peer].send;
        let restart = (before == AddPathSend::No) != (send == AddPathSend::No) && self.is_up(peer);
        if restart {
            self.down(peer);
        }
        self.change(peer, |settings| (settings.send, settings.limit) = (send, limit));
        if restart {
            self.up(peer);
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Announce { peer, prefix, id, attrs } if self.is_up(peer) => {
                let (prefix, attrs) = (numbered_prefix(prefix), attributes(peer, attrs));
                self.received.insert((peer, prefix, IDS[id]), attrs.clone());
                self.world.announce_path(PEERS[peer].0, &[prefix], IDS[id], &Arc::new(attrs));
            }
            Op::Withdraw { peer, prefix, id } if self.is_up(peer) => {
                let prefix = numbered_prefix(prefix);
                self.received.remove(&(peer, prefix, IDS[id]));
                self.sent.remove(&(peer, IDS[id], prefix));
                self.world.withdraw_path(PEERS[peer].0, prefix, IDS[id]);
            }
            Op::Up(peer) if !self.is_up(peer) => self.up(peer),
            Op::Down(peer) => self.down(peer),
            Op::Import { peer, policy } => {
                self.change(peer, |settings| settings.import = policy);
                let (peer, direction) = (PeerId(PEERS[peer].0), crate::rib::ReapplyDirection::In);
                self.world.feed_all(|| ShardEvent::Reapply { peer, family: None, direction });
            }
            Op::Export { peer, policy } => self.change(peer, |settings| settings.export = policy),
            Op::Send { peer, send, limit } => self.send(peer, send, limit),
            Op::Client(peer) => self.change(peer, |settings| settings.client ^= true),
            Op::Server(peer) => self.change(peer, |settings| settings.server ^= true),
            Op::Secondary(peer) => self.change(peer, |settings| settings.secondary ^= true),
            Op::ClientToClient => {
                self.client_to_client ^= true;
                let on = self.client_to_client;
                self.world.configure(|config| config.client_to_client_reflection = on);
            }
            Op::OutboundPolicy => {
                self.outbound_policy ^= true;
                let on = self.outbound_policy;
                self.world.configure(|config| config.reflector_outbound_policy = on);
            }
            Op::Nexthop { which, metric } => self.set_nexthop(which, metric),
            Op::Stick(peer) if self.is_up(peer) => {
                self.may_repeat(peer);
                self.world.remotes.get_mut(&PeerId(PEERS[peer].0)).unwrap().stuck = true;
            }
            Op::Unstick(peer) => self.world.unstick(PEERS[peer].0),
            Op::Refresh(peer) if self.is_up(peer) => {
                self.may_repeat(peer);
                let peer = PeerId(PEERS[peer].0);
                self.world.feed_all(|| ShardEvent::RefreshOut { peer, family: V4 });
            }
            Op::Tick(count) => self.world.tick(usize::from(count)),
            Op::Settle => {
                self.world.settle();
                self.check();
            }
            _ => {}
        }
    }

    /// Usable paths, most preferred first.
    fn usable(&self, prefix: Prefix) -> Vec<Known> {
        let of_prefix = self.received.iter().filter(|((_, other, _), _)| *other == prefix);
        let mut paths: Vec<Known> = of_prefix
            .filter_map(|((peer, _, id), attrs)| {
                let mut attrs = attrs.clone();
                let NextHop::V4(addr) = attrs.next_hop else { return None };
                let metric = self.nexthops[usize::from(addr.octets()[3]) - 1]?;
                let permitted = policy(self.settings[*peer].import, prefix, &mut attrs);
                permitted.then_some(Known { peer: *peer, id: *id, attrs, metric })
            })
            .collect();
        paths.sort_by_key(Known::key);
        paths
    }

    /// What a peer must have for a path of another, by the book.
    fn told(&self, to: usize, prefix: Prefix, from: &Known) -> Option<Attributes> {
        let ((_, to_kind, _), (from_id, from_kind, _)) = (PEERS[to], PEERS[from.peer]);
        let (receiver, sender) = (self.settings[to], self.settings[from.peer]);
        let external = to_kind == PeerKind::External;
        let internal = from_kind == PeerKind::Internal && !external;
        let reflected = match (sender.client, receiver.client) {
            (true, true) => self.client_to_client,
            (sender, receiver) => sender || receiver,
        };
        if from.peer == to || (internal && !reflected) {
            return None;
        }
        let mut attrs = from.attrs.clone();
        let server = external && receiver.server;
        if external {
            attrs.local_pref = None;
            attrs.med = attrs.med.filter(|_| server && sender.server && from_kind == PeerKind::External);
        } else {
            attrs.local_pref = attrs.local_pref.or(Some(100));
        }
        if internal {
            let rare = attrs.rare.get_or_insert_default();
            rare.originator_id = Some(RouterId(Ipv4Addr::new(10, 0, 0, from_id as u8)));
            rare.cluster_list = Box::from([Ipv4Addr::new(10, 0, 0, 254)]);
        }
        let mut changed = attrs.clone();
        if !policy(receiver.export, prefix, &mut changed) {
            return None;
        }
        if !internal || self.outbound_policy {
            attrs = changed;
        }
        if external {
            attrs.local_pref = None;
        }
        if external && !server {
            attrs.next_hop = NextHop::V4(Ipv4Addr::new(10, 0, 0, 254));
            attrs.as_path = attrs.as_path.prepend(&[Asn(65000)]);
        }
        Some(attrs)
    }

    /// The paths that a strategy names, of those in order of preference.
    fn named<'a>(&self, to: usize, paths: &'a [Known]) -> Vec<&'a Known> {
        let Settings { send, limit, .. } = self.settings[to];
        let limit = if limit == 0 { usize::MAX } else { usize::from(limit) };
        match send {
            AddPathSend::All => paths.iter().take(limit).collect(),
            AddPathSend::Best(count) => paths.iter().take(limit.min(usize::from(count))).collect(),
            AddPathSend::BestPerAs => {
                let neighbor = |path: &Known| AsPath::neighbor(&path.attrs.as_path);
                let first = |(index, path): &(usize, &Known)| {
                    !paths[..*index].iter().any(|other| neighbor(other) == neighbor(path))
                };
                paths.iter().enumerate().filter(first).map(|(_, path)| path).take(limit).collect()
            }
            AddPathSend::No => unreachable!("a plain session"),
        }
    }

    fn check(&mut self) {
        for prefix in (0..PREFIXES).map(numbered_prefix) {
            let paths = self.usable(prefix);
            let ids = self.identifiers(prefix);
            for (to, peer) in PEERS.iter().enumerate() {
                let id = PeerId(peer.0);
                let Some(remote) = self.world.remotes.get(&id).filter(|r| r.session.is_some() && !r.stuck)
                else {
                    continue;
                };
                if self.settings[to].send == AddPathSend::No {
                    let tell = |path: &Known| self.told(to, prefix, path);
                    let count = if self.settings[to].secondary { paths.len() } else { 1 };
                    let expected = paths.iter().take(count).find_map(tell);
                    let got = remote.table.get(&prefix).map(|attrs| (**attrs).clone());
                    assert_eq!(got, expected, "{prefix} to {id:?}, {:?}", self.settings[to]);
                    continue;
                }
                let expected: BTreeMap<u32, Attributes> = self
                    .named(to, &paths)
                    .into_iter()
                    .filter_map(|path| {
                        let attrs = self.told(to, prefix, path)?;
                        Some((ids[&(path.peer, path.id, prefix)], attrs))
                    })
                    .collect();
                let count =
                    self.named(to, &paths).into_iter().filter_map(|p| self.told(to, prefix, p)).count();
                assert_eq!(expected.len(), count, "two paths of {prefix} have one identifier");
                let got: BTreeMap<u32, Attributes> = remote
                    .paths
                    .range((prefix, 0)..=(prefix, u32::MAX))
                    .map(|((_, id), attrs)| (*id, (**attrs).clone()))
                    .collect();
                assert_eq!(got, expected, "{prefix} to {id:?}, {:?}", self.settings[to]);
            }
            for (name, id) in ids.into_iter().filter(|(_, id)| *id != 0) {
                let before = *self.sent.entry(name).or_insert(id);
                assert_eq!(before, id, "the path {name:?} changed its identifier");
            }
        }
    }

    /// Identifiers under which the paths of a prefix are sent, as a show tells them.
    fn identifiers(&mut self, prefix: Prefix) -> BTreeMap<PathName, u32> {
        let index = shard_of(prefix, self.world.shards.len());
        let answer = self.world.ask(index, 1, Query::Prefix { family: V4, prefix });
        let Answer::Prefix(view) = answer else { panic!("{answer:?}") };
        let paths = view.into_iter().flat_map(|view| view.paths);
        paths
            .map(|path| {
                let PathSource::Peer(id) = path.source else { panic!("{path:?}") };
                let peer = PEERS.iter().position(|(other, _, _)| *other == id.0).unwrap();
                ((peer, path.path_id, prefix), path.sent_id)
            })
            .collect()
    }
}

fn run(shards: usize, begin: &[Settings; 3], ops: &[Op]) {
    let mut model = Model::new(shards);
    for (peer, settings) in begin.iter().enumerate() {
        model.settings[peer * 2] = *settings;
        model.apply(&Op::Up(peer * 2));
    }
    for op in ops {
        model.apply(op);
    }
    (0..PEERS.len()).for_each(|peer| model.apply(&Op::Unstick(peer)));
    model.apply(&Op::Settle);
    (0..PEERS.len()).for_each(|peer| model.apply(&Op::Down(peer)));
    model.apply(&Op::Settle);
    for shard in &model.world.shards {
        let memory = shard.memory();
        assert_eq!((memory.paths, memory.prefixes, memory.attributes, memory.nexthops), (0, 0, 0, 0));
        assert_eq!((memory.adj_out_octets, memory.table_octets), (0, 0));
    }
}

fn beginning() -> impl Strategy<Value = [Settings; 3]> {
    let settings = (strategy(), any::<bool>(), any::<bool>())
        .prop_map(|(send, client, secondary)| Settings { send, client, secondary, ..PLAIN });
    proptest::array::uniform3(settings)
}

/// Cases of each test: 10,000 together.
const CASES: u32 = 5_000;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: CASES,
        max_shrink_iters: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_peer_has_the_paths_that_the_rules_name(
        begin in beginning(), ops in proptest::collection::vec(op(), 1..24)
    ) {
        run(1, &begin, &ops);
    }

    #[test]
    fn two_shards_name_the_same_paths(begin in beginning(), ops in proptest::collection::vec(op(), 1..16)) {
        run(2, &begin, &ops);
    }
}
