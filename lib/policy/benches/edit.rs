//! Five hundred route maps over lists of a thousand rules, and one entry changed: what the edit costs before the first
//! route is looked at, and what it costs to find the routes of a full table that it touches.
//!
//! `cargo bench -p ferrite-policy --bench edit`. Times are of one thread.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ferrite_cli::{Context, Engine, Registry, numbered};
use ferrite_policy::commands::{Access, Scope, register};
use ferrite_policy::{Differences, Policies, PolicyConfig};
use ferrite_types::{Ipv4Prefix, Prefix};

const MAPS: usize = 500;
const LISTS: usize = 50;
const RULES: usize = 1000;
const TABLE: u32 = 1_000_000;

fn engine() -> Engine<PolicyConfig, ()> {
    let mut registry = Registry::new();
    register(&mut registry, Scope::Bgp, Access { get: |c| c, get_mut: |c| c });
    let mut text = String::new();
    for list in 0..LISTS {
        for rule in 0..RULES {
            let net = (list * RULES + rule) % (1 << 16);
            text.push_str(&format!(
                "ip prefix-list L{list} seq {} permit 10.{}.{}.0/24\n",
                rule * 5 + 5,
                net >> 8,
                net & 255
            ));
        }
    }
    for map in 0..MAPS {
        text.push_str(&format!(
            "route-map M{map} permit 10\n match ip address prefix-list L{}\n set local-preference {map}\nroute-map M{map} deny 20\n",
            map % LISTS
        ));
    }
    let mut engine = Engine::new(registry);
    if let Ok(config) = engine.load(PolicyConfig::default(), &numbered(&text)) {
        engine.commit(config);
    }
    engine
}

fn edits(c: &mut Criterion) {
    let mut engine = engine();
    let before = Policies::compile(engine.running(), None);
    assert!(before.route_map("M499").is_some(), "the configuration did not load");
    let mut group = c.benchmark_group("500 maps");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("a rule of a list that ten maps use", |b| {
        let mut seq = 0;
        b.iter(|| {
            seq = seq % 4 + 1;
            let line = format!("ip prefix-list L7 seq {seq} deny 10.27.100.0/24");
            assert!(engine.configure(&mut Context::default(), &line).is_ok());
            let after = Policies::compile(engine.running(), Some(&before));
            after.changed(&before).len()
        });
    });
    let after = Policies::compile(engine.running(), Some(&before));
    let scope = Differences::default().route_map(before.route_map("M7"), after.route_map("M7"));
    group.bench_function("finding what it touches in a table of a million", |b| {
        b.iter(|| {
            let table = (0..TABLE).filter_map(|n| Ipv4Prefix::from_bits(n << 8, 24));
            table.filter(|prefix| scope.contains(Prefix::V4(*prefix))).count()
        });
    });
    group.finish();
}

criterion_group!(benches, edits);
criterion_main!(benches);
