//! Two cores that become adjacent while one has a database of 10,000 LSAs, and what a change costs an instance: one link of a grid of
//! so many routers.

#[path = "../tests/pair/mod.rs"]
mod pair;

use std::hint::black_box;
use std::net::Ipv4Addr;

use bytes::BytesMut;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use ferrite_ospf::instance::Place;
use ferrite_ospf::packet::auth::Sign;
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::v2::{LinkKind, RouterFlags, RouterLink, RouterLsa, ty};
use ferrite_ospf::packet::{
    AreaId, Body, Codec, Endpoints, LsId, Lsa, LsaHeader, LsaKey, Options, Sequence, V2,
};
use ferrite_ospf::{Event, IfId};
use ferrite_types::ids::RouterId;

use pair::{ALL, Pair, address};

fn router(number: u32) -> RouterId {
    RouterId(Ipv4Addr::from_bits(number + 1))
}

/// Us, and the corner of the grid.
fn apart() -> Pair {
    Pair::new([router(1_000_000), router(0)])
}

impl Pair {
    fn flood(&mut self, lsas: Vec<Lsa>) {
        let ends = Endpoints { source: address(1), destination: ALL };
        let origin = Origin { router: router(0), area: AreaId::BACKBONE, instance: 0 };
        for some in lsas.chunks(10) {
            let octets = V2::seal(&origin, &Body::LinkStateUpdate(some.to_vec()), &Sign::None, ends);
            let event = Event::Received { interface: IfId(0), source: ends.source, destination: ALL, octets };
            self.feed(0, event);
        }
    }

    fn lsas(&self, side: usize) -> usize {
        self.cores[side].lsdb(Place::Area(AreaId::BACKBONE)).map_or(0, |lsdb| lsdb.len())
    }
}

/// Router-LSAs of a grid; router 0, the corner, is adjacent to us.
fn grid(nodes: u32, sequence: i32, dearer: Option<u32>) -> Vec<Lsa> {
    let side = nodes.isqrt();
    let lsa = |at: u32| {
        let (row, column) = (at / side, at % side);
        let mut links = Vec::new();
        let mut to = |other: u32| {
            links.push(RouterLink {
                kind: LinkKind::PointToPoint,
                id: router(other).0.to_bits(),
                data: 0x0a00_0000 + at,
                metric: if dearer == Some(at) { 20 } else { 10 },
            });
        };
        (column > 0).then(|| to(at - 1));
        (column + 1 < side).then(|| to(at + 1));
        (row > 0).then(|| to(at - side));
        (row + 1 < side).then(|| to(at + side));
        let network = RouterLink { kind: LinkKind::Stub, id: 0xc000_0000 + at, data: u32::MAX, metric: 1 };
        links.push(network);
        if at == 0 {
            let us = router(1_000_000).0.to_bits();
            links.push(RouterLink { kind: LinkKind::PointToPoint, id: us, data: 0x0aff_ff02, metric: 10 });
        }
        let mut body = BytesMut::new();
        RouterLsa { flags: RouterFlags::default(), links }.put(&mut body);
        let key = LsaKey { ty: ty::ROUTER, id: LsId::from(router(at).0), adv: router(at) };
        let sequence = Sequence(sequence);
        let header = LsaHeader { age: 1, options: Options::E, key, sequence, checksum: 0, length: 0 };
        Lsa::build::<V2>(header, &body)
    };
    let all = 0..side * side;
    all.filter(|at| dearer.is_none_or(|dearer| dearer == *at)).filter_map(lsa).collect()
}

/// One instance that has a grid, adjacent to its corner.
fn loaded(nodes: u32) -> Pair {
    let mut pair = apart();
    pair.up(0);
    pair.up(1);
    pair.run(60);
    pair.flood(grid(nodes, 1, None));
    pair.run(60);
    pair
}

fn adjacency(c: &mut Criterion) {
    let mut group = c.benchmark_group("adjacency");
    group.sample_size(10);
    group.bench_function("10000_lsas", |b| {
        let fresh = || {
            let mut pair = loaded(10_000);
            // The other one starts over with nothing.
            pair.cores[1] = apart().cores.into_iter().nth(1).expect("a core");
            pair.flying.clear();
            pair
        };
        b.iter_batched_ref(
            fresh,
            |pair| {
                pair.up(1);
                pair.run(30);
                assert!(pair.lsas(1) >= 10_000);
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn change(c: &mut Criterion) {
    let mut group = c.benchmark_group("one_link_changes");
    group.sample_size(10);
    for nodes in [1_000, 10_000] {
        group.bench_with_input(BenchmarkId::from_parameter(nodes), &nodes, |b, nodes| {
            let mut pair = loaded(*nodes);
            let mut sequence = 2;
            b.iter(|| {
                let side = nodes.isqrt();
                pair.flood(grid(*nodes, sequence, Some(side * side / 2 + sequence as u32 % 7)));
                sequence += 1;
                pair.run(6);
                black_box(pair.cores[0].routes().len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, adjacency, change);
criterion_main!(benches);
