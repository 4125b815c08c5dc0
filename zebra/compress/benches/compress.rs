//! How far the real table shrinks, and what an update costs. The table is the one named by `FERRITE_TABLE` (a gzipped list
//! of prefixes, one a line); without it, a made-up one. Next hops follow the prefixes' origin as a hash would give them.

use std::hint::black_box;
use std::io::Read;
use std::net::IpAddr;

use criterion::{Criterion, criterion_group, criterion_main};
use ferrite_fib_compress::{Compressor, Decision, Key, Prefix};

fn text() -> Option<String> {
    let path = std::env::var_os("FERRITE_TABLE")?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?).read_to_string(&mut text).ok()?;
    Some(text)
}

fn real<K: Key>(text: &str, bits: impl Fn(IpAddr) -> Option<K>) -> Vec<Prefix<K>> {
    let line = |line: &str| {
        let (addr, len) = line.split_whitespace().next()?.split_once('/')?;
        Some(Prefix::new(bits(addr.parse().ok()?)?, len.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

fn made_up() -> Vec<Prefix<u32>> {
    let lens = [24, 24, 24, 24, 24, 24, 23, 22, 22, 21, 20, 19, 18, 16];
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    };
    (0..1_000_000)
        .map(|_| Prefix::new(next() % 0xe000_0000, lens[(next() >> 8) as usize % lens.len()]))
        .collect()
}

/// Neighbouring prefixes mostly leave by the same next hop: the choice follows the first half of the address.
fn decision<K: Key + std::hash::Hash>(prefix: Prefix<K>, hops: u64) -> Decision {
    use std::hash::{BuildHasher, BuildHasherDefault};
    let origin = prefix.bits.truncate(if K::BITS == 128 { 36 } else { 19 });
    let hash = BuildHasherDefault::<fnv::Hasher>::default().hash_one(origin);
    Decision::new((hash % hops) as u32 + 1).unwrap_or(Decision(std::num::NonZeroU32::MIN))
}

/// FNV-1a: small enough to stand here.
mod fnv {
    pub struct Hasher(u64);

    impl Default for Hasher {
        fn default() -> Self {
            Self(0xcbf2_9ce4_8422_2325)
        }
    }

    impl std::hash::Hasher for Hasher {
        fn finish(&self) -> u64 {
            self.0 ^ self.0 >> 32
        }

        fn write(&mut self, octets: &[u8]) {
            for octet in octets {
                self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
}

fn measure<K: Key>(c: &mut Criterion, name: &str, table: &[Prefix<K>]) {
    if table.is_empty() {
        return;
    }
    for hops in [2, 16, 64] {
        let mut compressor = Compressor::default();
        let start = std::time::Instant::now();
        for &prefix in table {
            black_box(compressor.insert(prefix, decision(prefix, hops), false));
        }
        let loaded = start.elapsed();
        let (routes, entries) = (compressor.routes(), compressor.len());
        println!(
            "{name}, {hops} next hops: {routes} routes, {entries} entries ({:.1} %), {} octets a route, {:.2} us a route to load",
            entries as f64 * 100.0 / routes as f64,
            compressor.octets() / routes,
            loaded.as_micros() as f64 / table.len() as f64,
        );
        let mut at = 0;
        c.bench_function(&format!("{name}/{hops}/flap"), |b| {
            b.iter(|| {
                at = (at + 7919) % table.len();
                let prefix = table[at];
                black_box(compressor.remove(prefix));
                black_box(compressor.insert(prefix, decision(prefix, hops), false))
            });
        });
    }
}

fn all(c: &mut Criterion) {
    match text() {
        Some(text) => {
            let v4 =
                real(&text, |addr| if let IpAddr::V4(addr) = addr { Some(addr.to_bits()) } else { None });
            let v6 =
                real(&text, |addr| if let IpAddr::V6(addr) = addr { Some(addr.to_bits()) } else { None });
            measure(c, "ipv4", &v4);
            measure(c, "ipv6", &v6);
        }
        None => measure(c, "made up", &made_up()),
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
