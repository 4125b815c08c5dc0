//! Shards against a reference that works everything out from scratch: after any history of announcements, withdrawals,
//! sessions, policies, next hops and slow readers, each peer and zebra hold exactly what the rules say.

use std::cmp::Reverse;

use bgp_packet::attr::Aggregator;
use ferrite_types::Community;
use proptest::prelude::*;

use super::*;
use crate::rib::optimal::{CostTable, Vantage};
use crate::rib::policy::{Filter, PolicyInput, Verdict};
use crate::rib::settings::AggregateStatement;

const PEERS: [(u32, PeerKind, u32); 5] = [
    (1, PeerKind::External, 65001),
    (2, PeerKind::External, 65002),
    (3, PeerKind::Internal, 65000),
    (4, PeerKind::Internal, 65000),
    (5, PeerKind::External, 65005),
];

/// The peer that is a route reflector client.
const CLIENT: u32 = 3;
pub const MARK: Community = Community::new(65000, 1);

/// Policies by number; zero is none.
#[derive(Debug)]
pub struct Numbered(pub u8);

pub fn second_octet(prefix: Prefix) -> u8 {
    match prefix.addr() {
        IpAddr::V4(addr) => addr.octets()[1],
        IpAddr::V6(_) => 0,
    }
}

/// Number one denies by prefix, two changes by community, three changes everything, four denies all.
pub fn policy(number: u8, prefix: Prefix, attrs: &mut Attributes) -> bool {
    match number {
        1 => second_octet(prefix).is_multiple_of(2),
        2 => {
            if attrs.communities.contains(&MARK) {
                attrs.local_pref = Some(200);
            }
            true
        }
        3 => {
            attrs.med = Some(7);
            true
        }
        4 => false,
        _ => true,
    }
}

impl Filter for Numbered {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        let mut changed = route.attrs.clone().into_owned();
        let permitted = policy(self.0, route.prefix, &mut changed);
        if changed != *route.attrs {
            *route.attrs_mut() = changed;
        }
        if permitted { Verdict::Permit } else { Verdict::Deny }
    }
    fn depends_on_prefix(&self) -> bool {
        self.0 == 1
    }
}

#[derive(Clone, Debug)]
enum Op {
    Announce {
        peer: usize,
        prefix: u8,
        attrs: u8,
    },
    Withdraw {
        peer: usize,
        prefix: u8,
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
    Nexthop {
        which: u8,
        metric: Option<u32>,
    },
    Stick(usize),
    Unstick(usize),
    Refresh(usize),
    Multipath(u16),
    /// The client sees the table from here, or from somewhere with other costs.
    Vantage(u8),
    /// No aggregate of everything, one, or one that hides its parts.
    Aggregate(u8),
    ZebraRestart,
    Tick(u8),
    Settle,
}

fn op() -> impl Strategy<Value = Op> {
    let peer = 0..PEERS.len();
    prop_oneof![
        20 => (peer.clone(), 0..24u8, any::<u8>())
            .prop_map(|(peer, prefix, attrs)| Op::Announce { peer, prefix, attrs }),
        8 => (peer.clone(), 0..24u8).prop_map(|(peer, prefix)| Op::Withdraw { peer, prefix }),
        3 => peer.clone().prop_map(Op::Up),
        2 => peer.clone().prop_map(Op::Down),
        2 => (peer.clone(), 0..5u8).prop_map(|(peer, policy)| Op::Import { peer, policy }),
        2 => (peer.clone(), 0..5u8).prop_map(|(peer, policy)| Op::Export { peer, policy }),
        2 => (0..3u8, proptest::option::of(0..3u32)).prop_map(|(which, metric)| Op::Nexthop { which, metric }),
        2 => peer.clone().prop_map(Op::Stick),
        1 => peer.clone().prop_map(Op::Unstick),
        1 => peer.prop_map(Op::Refresh),
        1 => (1..4u16).prop_map(Op::Multipath),
        2 => (0..4u8).prop_map(Op::Vantage),
        1 => (0..3u8).prop_map(Op::Aggregate),
        1 => Just(Op::ZebraRestart),
        5 => (0..6u8).prop_map(Op::Tick),
        2 => Just(Op::Settle),
    ]
}

/// Attributes by number, as this peer would send them.
fn attributes(peer: usize, number: u8) -> Attributes {
    let (id, kind, remote_as) = PEERS[peer];
    let hops = u32::from(number % 3);
    let tail = (0..hops).map(|hop| 100 + hop + u32::from(number % 2));
    let lead = (kind == PeerKind::External).then_some(remote_as);
    let mut attrs = route(&lead.into_iter().chain(tail).collect::<Vec<_>>());
    attrs.next_hop = NextHop::V4(Ipv4Addr::new(192, 0, 2, 1 + (number / 4 + id as u8) % 3));
    attrs.med = number.is_multiple_of(5).then_some(u32::from(number) / 64);
    attrs.local_pref = (kind == PeerKind::Internal).then_some(100 + u32::from(number / 128));
    if number.is_multiple_of(7) {
        attrs.communities = Box::from([MARK]);
    }
    if number.is_multiple_of(11) {
        attrs.communities = Box::from([Community::NO_EXPORT]);
    }
    attrs
}

fn aggregate_prefix() -> Prefix {
    prefix("10.0.0.0/8")
}

fn numbered_prefix(number: u8) -> Prefix {
    prefix(&format!("10.{number}.0.0/16"))
}

struct Model {
    world: World,
    received: BTreeMap<(usize, Prefix), Attributes>,
    import: [u8; 5],
    export: [u8; 5],
    nexthops: [Option<u32>; 3],
    multipath: u16,
    aggregate: u8,
    vantage: u8,
}

/// What the way to a next hop costs from a vantage; number three knows no way to the last one.
fn seen_cost(vantage: u8, which: u8) -> Option<u32> {
    (vantage < 3 || which < 2).then_some((u32::from(vantage) * 7 + u32::from(which) * 5) % 3)
}

fn vantage(number: u8) -> Option<Vantage> {
    let addr = |which: u8| prefix(&format!("192.0.2.{}/32", 1 + which));
    let costs = (0..3).filter_map(|which| Some((addr(which), seen_cost(number, which)?)));
    let root = Ipv4Addr::new(192, 0, 2, 100 + number).into();
    (number > 0).then(|| Vantage { root, costs: Arc::new(CostTable::new(costs)) })
}

/// A usable path of the reference.
#[derive(Clone)]
struct Usable {
    peer: usize,
    attrs: Attributes,
    metric: u32,
}

impl Usable {
    /// The decision as one key, smallest best: everything is comparable, since MEDs always are here and age never counts.
    fn key(&self) -> impl Ord + use<> {
        let (id, kind, _) = PEERS[self.peer];
        (self.quality(), id, kind == PeerKind::Internal)
    }

    fn quality(&self) -> (Reverse<u32>, usize, Origin, u32, bool, u32) {
        let (_, kind, _) = PEERS[self.peer];
        (
            Reverse(self.attrs.local_pref.unwrap_or(100)),
            self.attrs.as_path.hops(),
            self.attrs.origin,
            self.attrs.med.unwrap_or(0),
            kind == PeerKind::Internal,
            self.metric,
        )
    }
}

impl Model {
    fn new(shards: usize) -> Self {
        let limits = Limits { send_window: 120, zebra_window: 64, slice: 3 };
        let mut world = World::with_limits(shards, limits);
        world.configure(|config| {
            config.zebra = true;
            config.install = true;
        });
        world.feed_all(|| ShardEvent::ReplayFib);
        world.reachable = Some(BTreeMap::new());
        let mut model = Self {
            world,
            received: BTreeMap::new(),
            import: [0; 5],
            export: [0; 5],
            nexthops: [Some(1); 3],
            multipath: 1,
            aggregate: 0,
            vantage: 0,
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
        let (import, export) = (self.import[peer], self.export[peer]);
        let filter = |number: u8| (number > 0).then(|| Arc::new(Numbered(number)) as Arc<dyn Filter>);
        with_family(super::peer(kind, id as u8, remote_as), |family| {
            family.import = filter(import);
            family.export = filter(export);
            family.route_reflector_client = id == CLIENT;
            family.optimal = vantage(self.vantage).filter(|_| id == CLIENT);
        })
    }

    fn is_up(&self, peer: usize) -> bool {
        self.world.remotes.get(&PeerId(PEERS[peer].0)).is_some_and(|remote| remote.session.is_some())
    }

    fn apply(&mut self, op: &Op) {
        if let Op::Stick(peer) | Op::Export { peer, .. } | Op::Up(peer) = *op {
            // While a peer catches up, a change and its reversal may reach it as a repetition.
            if let Some(remote) = self.world.remotes.get_mut(&PeerId(PEERS[peer].0)) {
                remote.repeats = true;
            }
        }
        match *op {
            Op::Announce { peer, prefix, attrs } if self.is_up(peer) => {
                let attrs = attributes(peer, attrs);
                self.received.insert((peer, numbered_prefix(prefix)), attrs.clone());
                self.world.announce(PEERS[peer].0, &[numbered_prefix(prefix)], &Arc::new(attrs));
            }
            Op::Withdraw { peer, prefix } if self.is_up(peer) => {
                self.received.remove(&(peer, numbered_prefix(prefix)));
                self.world.withdraw(PEERS[peer].0, numbered_prefix(prefix));
            }
            Op::Up(peer) if !self.is_up(peer) => self.world.up(PEERS[peer].0, self.params(peer)),
            Op::Down(peer) => {
                self.received.retain(|(other, _), _| *other != peer);
                self.world.down(PEERS[peer].0);
            }
            Op::Import { peer, policy } => {
                self.import[peer] = policy;
                if self.is_up(peer) {
                    self.world.change(PEERS[peer].0, self.params(peer));
                    let direction = crate::rib::ReapplyDirection::In;
                    let peer = PeerId(PEERS[peer].0);
                    self.world.feed_all(|| ShardEvent::Reapply { peer, family: None, direction });
                }
            }
            Op::Export { peer, policy } => {
                self.export[peer] = policy;
                if self.is_up(peer) {
                    self.world.change(PEERS[peer].0, self.params(peer));
                }
            }
            Op::Vantage(number) => {
                self.vantage = number;
                let client = PEERS.iter().position(|(id, ..)| *id == CLIENT).unwrap();
                if self.is_up(client) {
                    self.world.remotes.get_mut(&PeerId(CLIENT)).unwrap().repeats = true;
                    self.world.change(CLIENT, self.params(client));
                }
            }
            Op::Nexthop { which, metric } => self.set_nexthop(which, metric),
            Op::Stick(peer) if self.is_up(peer) => {
                self.world.remotes.get_mut(&PeerId(PEERS[peer].0)).unwrap().stuck = true;
            }
            Op::Unstick(peer) => self.world.unstick(PEERS[peer].0),
            Op::Refresh(peer) if self.is_up(peer) => {
                let peer = PeerId(PEERS[peer].0);
                self.world.remotes.get_mut(&peer).unwrap().repeats = true;
                self.world.feed_all(|| ShardEvent::RefreshOut { peer, family: V4 });
            }
            Op::Multipath(limit) => {
                self.multipath = limit;
                self.world.configure(|config| {
                    config.v4().maximum_paths_ebgp = limit;
                    config.v4().maximum_paths_ibgp = limit;
                });
            }
            Op::Aggregate(kind) => {
                self.aggregate = kind;
                let statement = AggregateStatement {
                    prefix: aggregate_prefix(),
                    as_set: false,
                    summary_only: kind == 2,
                    matching_med_only: false,
                    map: None,
                    suppress_map: None,
                    origin: None,
                };
                let statements = (kind > 0).then_some(statement).into_iter().collect();
                self.world.configure(|config| config.v4().aggregates = statements);
            }
            Op::ZebraRestart => {
                self.world.feed_all(|| ShardEvent::ZebraGone);
                self.world.fib.clear();
                self.world.feed_all(|| ShardEvent::ReplayFib);
            }
            Op::Tick(count) => self.world.tick(usize::from(count)),
            Op::Settle => {
                self.world.settle();
                self.check();
            }
            _ => {}
        }
    }

    fn metric(&self, attrs: &Attributes) -> Option<u32> {
        let NextHop::V4(addr) = attrs.next_hop else { return None };
        self.nexthops[usize::from(addr.octets()[3]) - 1]
    }

    fn usable(&self, prefix: Prefix) -> Vec<Usable> {
        let mut paths: Vec<Usable> = self
            .received
            .iter()
            .filter(|((_, other), _)| *other == prefix)
            .filter_map(|((peer, _), attrs)| {
                let mut attrs = attrs.clone();
                let metric = self.metric(&attrs)?;
                let permitted = policy(self.import[*peer], prefix, &mut attrs);
                permitted.then_some(Usable { peer: *peer, attrs, metric })
            })
            .collect();
        paths.sort_by_key(Usable::key);
        paths
    }

    /// The best path as a peer is to see it.
    fn best_for(&self, to: usize, paths: &[Usable]) -> Option<Usable> {
        if self.vantage == 0 || PEERS[to].0 != CLIENT {
            return paths.first().cloned();
        }
        let seen = paths.iter().map(|path| {
            let NextHop::V4(addr) = path.attrs.next_hop else { panic!("another next hop") };
            let metric = seen_cost(self.vantage, addr.octets()[3] - 1).unwrap_or(u32::MAX);
            Usable { metric, ..path.clone() }
        });
        seen.min_by_key(Usable::key)
    }

    /// What a peer must have for a path of another, by the book.
    fn told(&self, to: usize, prefix: Prefix, from: &Usable) -> Option<Attributes> {
        let ((to_id, to_kind, _), (from_id, from_kind, _)) = (PEERS[to], PEERS[from.peer]);
        let mut attrs = from.attrs.clone();
        let internal = from_kind == PeerKind::Internal && to_kind == PeerKind::Internal;
        if from.peer == to
            || (internal && from_id != CLIENT && to_id != CLIENT)
            || (attrs.communities.contains(&Community::NO_EXPORT) && to_kind == PeerKind::External)
        {
            return None;
        }
        if to_kind == PeerKind::External {
            attrs.local_pref = None;
            attrs.med = None;
        } else {
            attrs.local_pref = attrs.local_pref.or(Some(100));
        }
        if internal {
            let rare = attrs.rare.get_or_insert_default();
            rare.originator_id = Some(RouterId(Ipv4Addr::new(10, 0, 0, from_id as u8)));
            rare.cluster_list = Box::from([Ipv4Addr::new(10, 0, 0, 254)]);
        }
        let mut changed = attrs.clone();
        if !policy(self.export[to], prefix, &mut changed) {
            return None;
        }
        if !internal {
            attrs = changed;
        }
        if to_kind == PeerKind::External {
            attrs.local_pref = None;
            attrs.next_hop = NextHop::V4(Ipv4Addr::new(10, 0, 0, 254));
            attrs.as_path = attrs.as_path.prepend(&[Asn(65000)]);
        }
        Some(attrs)
    }

    /// What a peer must have for the aggregate.
    fn told_aggregate(&self, to: usize) -> Option<Attributes> {
        let external = PEERS[to].1 == PeerKind::External;
        let mut attrs = route(if external { &[65000] } else { &[] });
        attrs.next_hop = NextHop::V4(Ipv4Addr::new(10, 0, 0, 254));
        attrs.atomic_aggregate = true;
        attrs.med = Some(0);
        let aggregator = Aggregator { asn: Asn(65000), router_id: Ipv4Addr::new(10, 0, 0, 254) };
        attrs.rare.get_or_insert_default().aggregator = Some(aggregator);
        attrs.local_pref = Some(100);
        let permitted = policy(self.export[to], aggregate_prefix(), &mut attrs);
        if external {
            attrs.local_pref = None;
        }
        permitted.then_some(attrs)
    }

    /// Compares every peer that reads, and zebra, with the reference.
    fn check(&self) {
        let prefixes: Vec<Prefix> = (0..24).map(numbered_prefix).collect();
        let paths: BTreeMap<Prefix, Vec<Usable>> = prefixes.iter().map(|p| (*p, self.usable(*p))).collect();
        let aggregated = self.aggregate > 0 && paths.values().any(|paths| !paths.is_empty());
        for (to, (id, _, _)) in PEERS.into_iter().enumerate() {
            let id = PeerId(id);
            let Some(remote) = self.world.remotes.get(&id).filter(|r| r.session.is_some() && !r.stuck) else {
                continue;
            };
            let shown = if self.aggregate == 2 { None } else { Some(&paths) };
            let mut expected: BTreeMap<Prefix, Attributes> = shown
                .into_iter()
                .flatten()
                .filter_map(|(prefix, paths)| {
                    Some((*prefix, self.told(to, *prefix, &self.best_for(to, paths)?)?))
                })
                .collect();
            if aggregated {
                expected.extend(self.told_aggregate(to).map(|attrs| (aggregate_prefix(), attrs)));
            }
            let got: BTreeMap<Prefix, Attributes> =
                remote.table.iter().map(|(prefix, attrs)| (*prefix, (**attrs).clone())).collect();
            assert_eq!(got, expected, "peer {id:?}");
        }
        let mut expected: BTreeMap<Prefix, BTreeSet<IpAddr>> = paths
            .iter()
            .filter_map(|(prefix, paths)| Some((*prefix, self.installed(paths.first()?, paths))))
            .collect();
        if aggregated {
            expected.insert(aggregate_prefix(), BTreeSet::new());
        }
        let got: BTreeMap<Prefix, BTreeSet<IpAddr>> = self
            .world
            .fib
            .iter()
            .map(|(prefix, route)| {
                (*prefix, route.nexthops.iter().filter_map(Nexthop::gateway_addr).collect())
            })
            .collect();
        assert_eq!(got, expected);
    }

    /// Next hops of the best path and its equals.
    fn installed(&self, best: &Usable, paths: &[Usable]) -> BTreeSet<IpAddr> {
        let equal = |other: &&Usable| {
            let external = PEERS[best.peer].1 == PeerKind::External;
            other.quality() == best.quality() && (!external || other.attrs.as_path == best.attrs.as_path)
        };
        let limit = usize::from(self.multipath);
        paths.iter().filter(equal).take(limit).map(|path| path.attrs.next_hop.addr()).collect()
    }
}

fn run(shards: usize, ops: &[Op]) {
    let mut model = Model::new(shards);
    for peer in [0, 1, 2] {
        model.apply(&Op::Up(peer));
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
        assert_eq!(memory.adj_out_octets, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn one_shard_holds_what_the_rules_say(ops in proptest::collection::vec(op(), 1..150)) {
        run(1, &ops);
    }

    #[test]
    fn three_shards_hold_what_the_rules_say(ops in proptest::collection::vec(op(), 1..150)) {
        run(3, &ops);
    }
}
