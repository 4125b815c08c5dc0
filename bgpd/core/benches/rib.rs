//! A table of a million prefixes through one shard: what it costs to take in, to pass on to one peer, to a hundred.
//!
//! `cargo bench -p bgp-core --bench rib`. The table is synthetic: 1,000,000 prefixes in 166,667 attribute sets with paths of
//! four hops and four communities. Times are processor time of one thread, without decoding and without sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bgp_core::rib::Shard;
use bgp_core::rib::event::{RouteBatch, ShardAction, ShardEvent};
use bgp_core::rib::settings::{FamilyParams, PeerId, PeerKind, PeerParams, ShardConfig};
use bgp_packet::Family;
use bgp_packet::attr::{AsPath, Attributes, NextHop, Origin};
use criterion::{Criterion, criterion_group, criterion_main};
use ferrite_types::{Asn, Community, IfIndex, Prefix, RouterId, Timestamp};

const PREFIXES: u32 = 1_000_000;
const PER_SET: u32 = 6;
/// Attribute sets that a session task hands over at once.
const SETS_PER_BATCH: usize = 64;

fn attributes(set: u32) -> Arc<Attributes> {
    let path = [65001, 1000 + set % 50, 2000 + set % 5000, 10_000 + set % 60_000];
    let mut communities: Vec<Community> =
        (0..4).map(|n| Community((65001 << 16) | ((set + n * 7) % 3000))).collect();
    communities.sort_unstable();
    communities.dedup();
    Arc::new(Attributes {
        origin: Origin::Igp,
        atomic_aggregate: false,
        as_path: AsPath::sequence(path.into_iter().map(Asn)),
        next_hop: NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)),
        med: Some(set),
        local_pref: None,
        communities: communities.into(),
        large_communities: Box::default(),
        ext_communities: Box::default(),
        rare: None,
    })
}

fn peer(n: u8) -> Arc<PeerParams> {
    let family = FamilyParams { send_community: true, ..FamilyParams::default() };
    Arc::new(PeerParams {
        extended_next_hop: false,
        names: None,
        round_trip: None,
        addr: IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)),
        kind: PeerKind::External,
        remote_as: Asn(65000 + u32::from(n)),
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
        families: vec![(Family::IPV4_UNICAST, Arc::new(family))],
    })
}

fn table() -> Vec<(Arc<Attributes>, Vec<Prefix>)> {
    (0..PREFIXES.div_ceil(PER_SET))
        .map(|set| {
            let prefixes = (set * PER_SET..((set + 1) * PER_SET).min(PREFIXES))
                .filter_map(|n| {
                    // Scattered like a real table's, which comes in no order.
                    let scattered = n.wrapping_mul(0x9e37_79b1) >> 8;
                    Prefix::new(Ipv4Addr::from_bits(scattered << 8 | (n & 1) << 7).into(), 25)
                })
                .collect();
            (attributes(set), prefixes)
        })
        .collect()
}

/// Processor time of this thread, which a busy machine does not stretch.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

struct Run {
    shard: Shard,
    now: Timestamp,
    octets: usize,
    messages: u64,
    /// Processor time of the longest slice.
    longest: Duration,
    out: Vec<ShardAction>,
}

impl Run {
    fn new(receivers: u8) -> Self {
        let mut run = Self {
            shard: Shard::new(0, 1),
            now: Timestamp::from_secs(1),
            octets: 0,
            messages: 0,
            longest: Duration::ZERO,
            out: Vec::new(),
        };
        let config = ShardConfig {
            asn: Asn(65000),
            router_id: RouterId(Ipv4Addr::new(10, 0, 0, 254)),
            ..ShardConfig::default()
        };
        run.feed(ShardEvent::Configured(Arc::new(config)));
        for n in 0..=receivers {
            let params = peer(n + 1);
            run.feed(ShardEvent::PeerUp { peer: PeerId(u32::from(n) + 1), session: 1, params });
        }
        run.rest();
        run
    }

    fn feed(&mut self, event: ShardEvent) {
        self.shard.handle(self.now, event, &mut self.out);
    }

    fn rest(&mut self) {
        while self.shard.next_deadline().is_some_and(|due| due <= self.now) {
            let start = cpu_time();
            self.shard.tick(self.now, &mut self.out);
            self.longest = self.longest.max(cpu_time().saturating_sub(start));
            self.drain();
        }
    }

    /// Every receiver reads at once.
    fn drain(&mut self) {
        for action in std::mem::take(&mut self.out) {
            if let ShardAction::Send { peers, bytes, stats, .. } = action {
                self.octets += bytes.len();
                self.messages += u64::from(stats.messages);
                for peer in peers.iter() {
                    let event =
                        ShardEvent::Credit { peer: *peer, octets: bytes.len(), messages: stats.messages };
                    self.shard.handle(self.now, event, &mut self.out);
                }
            }
        }
    }

    fn load(&mut self, batches: Vec<RouteBatch>) {
        for batch in batches {
            self.feed(ShardEvent::Routes(batch));
            self.rest();
        }
    }
}

fn batches(table: &[(Arc<Attributes>, Vec<Prefix>)]) -> Vec<RouteBatch> {
    table
        .chunks(SETS_PER_BATCH)
        .map(|sets| {
            let mut batch = RouteBatch::new(PeerId(1), 1, Family::IPV4_UNICAST);
            for (attrs, prefixes) in sets {
                let set = batch.attrs(attrs);
                for prefix in prefixes {
                    batch.reach(*prefix, 0, set);
                }
            }
            batch
        })
        .collect()
}

fn million(criterion: &mut Criterion) {
    let table = table();
    let mut group = criterion.benchmark_group("million");
    group.sample_size(10).warm_up_time(Duration::from_millis(100));
    for (name, receivers) in [("ingest", 0), ("to one peer", 1), ("to 100 peers", 100)] {
        let mut told = false;
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                (0..iterations)
                    .map(|_| {
                        let mut run = Run::new(receivers);
                        let batches = batches(&table);
                        let start = cpu_time();
                        run.load(batches);
                        let took = cpu_time().saturating_sub(start);
                        if !std::mem::replace(&mut told, true) {
                            let memory = run.shard.memory();
                            println!(
                                "{name}: {} prefixes, {} messages, {} octets; octets held: table {}, attributes {}, adj-out {}",
                                memory.prefixes,
                                run.messages,
                                run.octets,
                                memory.table_octets,
                                memory.attribute_octets,
                                memory.adj_out_octets
                            );
                        }
                        took
                    })
                    .sum()
            });
        });
    }
    group.bench_function("a second peer joins", |bencher| {
        let mut run = Run::new(1);
        run.load(batches(&table));
        let mut session = 1;
        bencher.iter_custom(|iterations| {
            (0..iterations)
                .map(|_| {
                    session += 1;
                    let start = cpu_time();
                    run.feed(ShardEvent::PeerUp { peer: PeerId(99), session, params: peer(99) });
                    run.rest();
                    let took = cpu_time().saturating_sub(start);
                    run.feed(ShardEvent::PeerDown { peer: PeerId(99), session });
                    run.rest();
                    took
                })
                .sum()
        });
    });
    group.bench_function("the peer goes down", |bencher| {
        let mut told = false;
        bencher.iter_custom(|iterations| {
            (0..iterations)
                .map(|_| {
                    let mut run = Run::new(1);
                    run.load(batches(&table));
                    run.longest = Duration::ZERO;
                    let start = cpu_time();
                    run.feed(ShardEvent::PeerDown { peer: PeerId(1), session: 1 });
                    run.rest();
                    let took = cpu_time().saturating_sub(start);
                    assert_eq!(run.shard.memory().paths, 0);
                    if !std::mem::replace(&mut told, true) {
                        println!("the longest slice: {:?}", run.longest);
                    }
                    took
                })
                .sum()
        });
    });
    group.finish();
}

criterion_group!(benches, million);
criterion_main!(benches);
