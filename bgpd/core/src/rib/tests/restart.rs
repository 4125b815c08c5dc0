//! Random histories of restarts and refreshes against what the RFCs say a table then holds.

use std::collections::BTreeMap;

use bgp_packet::FamilySet;
use proptest::prelude::*;

use super::*;
use crate::rib::query::PathSource;

const PEERS: u32 = 3;
const PREFIXES: u8 = 40;

#[derive(Clone, Copy, Debug)]
enum Op {
    Announce {
        peer: u32,
        prefix: u8,
        path: u32,
    },
    Withdraw {
        peer: u32,
        prefix: u8,
    },
    /// The session is lost and the peer thought to come back.
    Lose(u32),
    Drop(u32),
    Return(u32),
    EndOfRib(u32),
    StaleOver(u32),
    Begin(u32),
    End(u32),
}

fn op() -> impl Strategy<Value = Op> {
    let peer = || 1..=PEERS;
    prop_oneof![
        12 => (peer(), 0..PREFIXES, 1..4_u32).prop_map(|(peer, prefix, path)| Op::Announce { peer, prefix, path }),
        3 => (peer(), 0..PREFIXES).prop_map(|(peer, prefix)| Op::Withdraw { peer, prefix }),
        2 => peer().prop_map(Op::Lose),
        1 => peer().prop_map(Op::Drop),
        3 => peer().prop_map(Op::Return),
        1 => peer().prop_map(Op::EndOfRib),
        1 => peer().prop_map(Op::StaleOver),
        1 => peer().prop_map(Op::Begin),
        1 => peer().prop_map(Op::End),
    ]
}

/// Why a route waits to be told again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stale {
    No,
    Restart,
    Refresh,
}

/// What the table is to hold: for each peer its routes.
#[derive(Default)]
struct Reference {
    routes: BTreeMap<(u32, u8), (u32, Stale)>,
    sessions: BTreeMap<u32, u64>,
    up: BTreeMap<u32, bool>,
}

impl Reference {
    fn is_up(&self, peer: u32) -> bool {
        self.up.get(&peer).copied().unwrap_or(false)
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Announce { peer, prefix, path } if self.is_up(peer) => {
                self.routes.insert((peer, prefix), (path, Stale::No));
            }
            Op::Withdraw { peer, prefix } if self.is_up(peer) => {
                self.routes.remove(&(peer, prefix));
            }
            Op::Lose(peer) if self.is_up(peer) => {
                self.up.insert(peer, false);
                self.routes.retain(|(of, _), (_, stale)| *of != peer || *stale != Stale::Restart);
                self.mark(peer, Stale::Restart);
            }
            Op::Drop(peer) if self.is_up(peer) => {
                self.up.insert(peer, false);
                self.routes.retain(|(of, _), _| *of != peer);
            }
            Op::Return(peer) if !self.is_up(peer) => {
                self.up.insert(peer, true);
                *self.sessions.entry(peer).or_default() += 1;
            }
            Op::Begin(peer) if self.is_up(peer) => {
                // What is left of a restart stays what it is; then all of it is.
                let restarted =
                    self.routes.iter().any(|((of, _), (_, stale))| *of == peer && *stale == Stale::Restart);
                self.mark(peer, if restarted { Stale::Restart } else { Stale::Refresh });
            }
            Op::EndOfRib(peer) | Op::End(peer) if self.is_up(peer) => self.sweep(peer),
            Op::StaleOver(peer) => self.sweep(peer),
            _ => {}
        }
    }

    fn mark(&mut self, peer: u32, stale: Stale) {
        self.routes.iter_mut().filter(|((of, _), _)| *of == peer).for_each(|(_, route)| route.1 = stale);
    }

    fn sweep(&mut self, peer: u32) {
        self.routes.retain(|(of, _), (_, stale)| *of != peer || *stale == Stale::No);
    }
}

struct Table {
    shard: Shard,
    now: Timestamp,
    out: Vec<ShardAction>,
    counts: BTreeMap<u32, (u32, u32)>,
}

fn numbered(prefix: u8) -> Prefix {
    format!("10.{prefix}.0.0/16").parse().unwrap()
}

impl Table {
    fn feed(&mut self, event: ShardEvent) {
        self.shard.handle(self.now, event, &mut self.out);
    }

    fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.shard.next_deadline().is_none_or(|at| at > self.now) {
                break;
            }
            self.shard.tick(self.now, &mut self.out);
        }
        for action in self.out.drain(..) {
            if let ShardAction::PrefixCounts(counts) = action {
                for count in counts {
                    self.counts.insert(count.peer.0, (count.accepted, count.stale));
                }
            }
        }
    }

    fn apply(&mut self, op: Op, before: &Reference) {
        let session = |peer: u32| before.sessions.get(&peer).copied().unwrap_or(0);
        let family = V4;
        let up = |peer: u32| before.is_up(peer);
        let id = PeerId;
        let event = match op {
            Op::Announce { peer, prefix, path } => {
                let mut batch = RouteBatch::new(id(peer), session(peer), family);
                let mut attrs = route(&[65000 + peer]);
                attrs.med = Some(path);
                let set = batch.attrs(&Arc::new(attrs));
                batch.reach(numbered(prefix), 0, set);
                ShardEvent::Routes(batch)
            }
            Op::Withdraw { peer, prefix } => {
                let mut batch = RouteBatch::new(id(peer), session(peer), family);
                batch.withdraw(numbered(prefix), 0);
                ShardEvent::Routes(batch)
            }
            Op::Lose(peer) if up(peer) => ShardEvent::PeerLost {
                peer: id(peer),
                session: session(peer),
                keep: FamilySet::EMPTY.with(V4),
                long_lived: FamilySet::EMPTY,
            },
            Op::Drop(peer) if up(peer) => ShardEvent::PeerDown { peer: id(peer), session: session(peer) },
            Op::Return(peer) if !up(peer) => ShardEvent::PeerUp {
                peer: id(peer),
                session: session(peer) + 1,
                params: Arc::new(super::peer(PeerKind::External, peer as u8, 65000 + peer)),
            },
            Op::Lose(_) | Op::Drop(_) | Op::Return(_) => return,
            Op::EndOfRib(peer) => ShardEvent::EndOfRib { peer: id(peer), session: session(peer), family },
            Op::StaleOver(peer) => ShardEvent::StaleOver { peer: id(peer), family },
            Op::Begin(peer) => ShardEvent::RefreshInBegin { peer: id(peer), session: session(peer), family },
            Op::End(peer) => ShardEvent::RefreshInEnd { peer: id(peer), session: session(peer), family },
        };
        self.feed(event);
    }

    /// Routes of all peers with MED and staleness.
    fn held(&mut self) -> BTreeMap<(u32, u8), (u32, bool)> {
        let mut held = BTreeMap::new();
        for prefix in 0..PREFIXES {
            let query = Query::Prefix { family: V4, prefix: numbered(prefix) };
            self.feed(ShardEvent::Query(QueryToken(1), query));
            let Some(ShardAction::Answer(_, Answer::Prefix(view))) = self.out.pop() else {
                panic!("no answer")
            };
            for path in view.into_iter().flat_map(|view| view.paths) {
                let PathSource::Peer(peer) = path.source else { panic!("{path:?}") };
                assert!(path.valid, "a stale path is as good as any: {path:?}");
                held.insert((peer.0, prefix), (path.attrs.med.unwrap(), path.stale));
            }
        }
        held
    }
}

fn run(ops: &[Op], slice: usize) {
    let limits = Limits { slice, ..Limits::default() };
    let shard = Shard::with_limits(0, 1, limits);
    let mut table = Table { shard, now: Timestamp::from_secs(1), out: Vec::new(), counts: BTreeMap::new() };
    let config =
        ShardConfig { asn: Asn(65000), router_id: RouterId([10, 0, 0, 254].into()), ..Default::default() };
    table.feed(ShardEvent::Configured(Arc::new(config)));
    let mut reference = Reference::default();
    for (number, op) in ops.iter().enumerate() {
        if let Op::Return(peer) = op
            && !reference.is_up(*peer)
        {
            table.counts.remove(peer);
        }
        table.apply(*op, &reference);
        reference.apply(*op);
        // Sometimes several happen before any work is done.
        if number % 3 != 0 {
            table.settle();
        }
    }
    table.settle();
    let expected: BTreeMap<(u32, u8), (u32, bool)> =
        reference.routes.iter().map(|(key, (path, stale))| (*key, (*path, *stale != Stale::No))).collect();
    assert_eq!(table.held(), expected);
    // Nobody asks for the counts of a session that is gone.
    for peer in (1..=PEERS).filter(|peer| reference.is_up(*peer)) {
        let of = |only_stale: bool| {
            let wanted =
                |((of, _), (_, stale)): &(&(u32, u8), &(u32, bool))| *of == peer && (*stale || !only_stale);
            expected.iter().filter(wanted).count() as u32
        };
        let counted = table.counts.get(&peer).copied().unwrap_or_default();
        assert_eq!(counted, (of(false), of(true)), "counts of peer {peer}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_table_holds_what_restarts_and_refreshes_leave(ops in proptest::collection::vec(op(), 1..120)) {
        run(&ops, 7);
    }
}
