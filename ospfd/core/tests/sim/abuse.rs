//! What a neighbour must not be able to do: forged LSAs of ours, floods, exchanges out of order, what RFC 2328 §13 refuses.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use ferrite_ospf::config::{Authentication, NetworkType};
use ferrite_ospf::instance::Place;
use ferrite_ospf::neighbor::State;
use ferrite_ospf::packet::auth::{Algorithm, Key, Sign};
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::packet::DdFlags;
use ferrite_ospf::packet::{
    AreaId, Body, DatabaseDescription, Endpoints, Hello, LsId, LsType, Lsa, LsaHeader, LsaKey, Options,
    Refusal, Sequence, V2, V3,
};
use ferrite_ospf::{Event, IfId};
use ferrite_sim::{Link, NodeId};
use ferrite_types::ids::RouterId;

use crate::address::{Plan, router_id};
use crate::device::Datagram;
use crate::world::{Topology, World};

const BACKBONE: Place = Place::Area(AreaId::BACKBONE);

/// Three routers in a row, adjacent.
fn row<V: Plan>() -> World<V> {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.p2p(1, 2, 10);
    let mut world = World::<V>::new(topology, 21, Link::reliable(Duration::from_millis(2)));
    world.run(90);
    world.check();
    world
}

/// A packet to router 1 that looks as if it came from router 0.
fn inject<V: Plan>(world: &mut World<V>, body: &Body) {
    inject_from(world, router_id(0), V::link(0, 0, 0).address.expect("an address"), body);
}

fn inject_from<V: Plan>(world: &mut World<V>, router: RouterId, source: IpAddr, body: &Body) {
    let ends = Endpoints { source, destination: V::ALL_SPF_ROUTERS };
    let origin = Origin { router, area: AreaId::BACKBONE, instance: 0 };
    let octets = V::seal(&origin, body, &Sign::None, ends);
    world.feed(1, Event::Received { interface: IfId(0), source, destination: V::ALL_SPF_ROUTERS, octets });
}

fn refused<V: Plan>(world: &World<V>, reason: Refusal) -> u64 {
    world.core(1).refusals().iter().filter(|((_, why), _)| *why == reason).map(|(_, count)| *count).sum()
}

fn state<V: Plan>(world: &World<V>) -> State {
    let interface = world.core(1).interface(IfId(0)).expect("an interface");
    interface.neighbors.values().next().expect("a neighbour").state
}

fn router_lsa<V: Plan>(world: &World<V>, at: usize, of: usize) -> Lsa {
    let lsdb = world.core(at).lsdb(BACKBONE).expect("a database");
    let own = |key: &&LsaKey| key.ty == V::ROUTER && key.adv == router_id(of);
    let key = lsdb.iter().map(|(key, _)| key).find(own).expect("a router-LSA");
    lsdb.get(key).expect("an entry").lsa.clone()
}

fn forged<V: Plan>(lsa: &Lsa, sequence: Sequence, body: &[u8]) -> Lsa {
    Lsa::build::<V>(LsaHeader { sequence, age: 1, ..*lsa.header() }, body).expect("an LSA")
}

fn max_sequence<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let lsa = router_lsa(&world, 1, 1);
    let mut body = BytesMut::from(lsa.body());
    let last = body.len() - 1;
    body[last] ^= 1;
    inject(&mut world, &Body::LinkStateUpdate(vec![forged::<V>(&lsa, Sequence::MAX, &body)]));
    world.run(60);
    // Flushed everywhere, and back at the beginning of the sequence.
    world.check();
    let now = router_lsa(&world, 2, 1);
    assert!(now.header().sequence < Sequence(Sequence::INITIAL.0 + 10), "{:?}", now.header());
    assert_eq!(now.body(), lsa.body());
}
all!(a_forged_lsa_of_ours_at_the_last_sequence_number_is_fought_back, max_sequence);

fn newer_own<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let lsa = router_lsa(&world, 1, 1);
    let next = Sequence(lsa.header().sequence.0 + 100);
    // It says that we have no links.
    let mut body = lsa.body()[..4].to_vec();
    if V::VERSION == 2 {
        body[2..].fill(0);
    }
    inject(&mut world, &Body::LinkStateUpdate(vec![forged::<V>(&lsa, next, &body)]));
    world.run(60);
    world.check();
    assert!(router_lsa(&world, 0, 1).header().sequence > next);
}
all!(a_forged_lsa_of_ours_is_answered_with_a_newer_one, newer_own);

fn cap<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let mut config = world.topology.config(1);
    config.max_lsas = 50;
    world.feed(1, Event::Configured(Box::new(config)));
    let lsa = router_lsa(&world, 1, 0);
    for number in 0..200_u32 {
        let key = LsaKey { id: LsId(number + 77), adv: RouterId((number + 0x0a00_0000).into()), ..lsa.key() };
        let header = LsaHeader { key, sequence: Sequence::INITIAL, age: 1, ..*lsa.header() };
        let made = Lsa::build::<V>(header, lsa.body()).expect("an LSA");
        inject(&mut world, &Body::LinkStateUpdate(vec![made]));
    }
    let load = world.core(1).load_of_databases();
    assert!(load.lsas == 50 && load.reached, "{load:?}");
    assert!(refused(&world, Refusal::LsaLimit) > 100);
    assert!(!world.core(0).load_of_databases().reached);
    assert_eq!(state(&world), State::Full);
    // Ours is taken nevertheless: what is said in our name must be known to be answered.
    let key = LsaKey { id: LsId(4711), adv: router_id(1), ..lsa.key() };
    let header = LsaHeader { key, sequence: Sequence::INITIAL, age: 1, ..*lsa.header() };
    let made = Lsa::build::<V>(header, lsa.body()).expect("an LSA");
    let before = refused(&world, Refusal::LsaLimit);
    inject(&mut world, &Body::LinkStateUpdate(vec![made]));
    assert_eq!(refused(&world, Refusal::LsaLimit), before);
    // As it ages, all of it goes, and there is room.
    world.run(3700);
    let load = world.core(1).load_of_databases();
    assert!(load.lsas < 40 && !load.reached, "{load:?}");
    world.check();
}
all!(a_flood_of_lsas_stops_at_the_limit, cap);

fn octets<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let mut config = world.topology.config(1);
    config.max_lsas = 100;
    world.feed(1, Event::Configured(Box::new(config)));
    let ty = if V::VERSION == 2 { ferrite_ospf::packet::v2::ty::OPAQUE_AREA } else { LsType(0xa0ff) };
    let sized = |number: u32, sequence: i32, size: usize| {
        let key = LsaKey { ty, id: LsId(0x0900_0000 + number), adv: router_id(0) };
        let sequence = Sequence(Sequence::INITIAL.0 + sequence);
        let header = LsaHeader { key, sequence, age: 1, ..*router_lsa(&world, 1, 0).header() };
        Lsa::build::<V>(header, &vec![0; size]).expect("an LSA")
    };
    let large =
        [sized(1, 0, 60_000), sized(2, 0, 60_000), sized(3, 0, 4), sized(3, 1, 60_000), sized(3, 2, 8)];
    for (lsa, taken) in large.into_iter().zip([true, false, true, false, true]) {
        let before = refused(&world, Refusal::LsaLimit);
        world.run(2);
        inject(&mut world, &Body::LinkStateUpdate(vec![lsa.clone()]));
        assert_eq!(refused(&world, Refusal::LsaLimit) == before, taken, "{lsa:?}");
        assert!(world.core(1).load_of_databases().octets <= 100 * 1024);
    }
}
all!(large_lsas_stop_at_as_many_octets, octets);

fn churn<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let lsa = router_lsa(&world, 1, 0);
    for batch in 0..8_u32 {
        let made = |number: u32, sequence: i32, age: u16| {
            let adv = RouterId((batch * 1000 + number + 0x0a00_0000).into());
            let id = if V::VERSION == 2 { LsId(adv.0.to_bits()) } else { LsId(0) };
            let key = LsaKey { id, adv, ..lsa.key() };
            let header =
                LsaHeader { key, sequence: Sequence(Sequence::INITIAL.0 + sequence), age, ..*lsa.header() };
            Lsa::build::<V>(header, lsa.body()).expect("an LSA")
        };
        for number in 0..200 {
            inject(&mut world, &Body::LinkStateUpdate(vec![made(number, 0, 1)]));
        }
        world.run(10);
        for number in 0..200 {
            inject(&mut world, &Body::LinkStateUpdate(vec![made(number, 1, 3600)]));
        }
        world.run(20);
    }
    // What went is forgotten, by the calculation too.
    for router in 1..3 {
        assert!(world.core(router).graph_size(AreaId::BACKBONE) < 800, "router {router}");
    }
    world.check();
}
all!(routers_that_come_and_go_leave_nothing_behind, churn);

fn hellos<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    for number in 0..10_000_u32 {
        let hello = Hello {
            link: 0xffff_ff00,
            hello_interval: 10,
            dead_interval: 40,
            options: V::base_options().with(Options::E),
            priority: 1,
            designated: [0; 4].into(),
            backup: [0; 4].into(),
            neighbors: vec![],
        };
        let source = V::link(0, 0, 0).address.expect("an address");
        inject_from(&mut world, RouterId((number + 0x0a00_0000).into()), source, &Body::Hello(hello));
    }
    assert!(world.core(1).interface(IfId(0)).expect("an interface").neighbors.len() <= 1024);
    assert!(refused(&world, Refusal::NeighborLimit) > 5000);
    world.run(60);
    world.check();
}
all!(a_flood_of_hellos_stops_at_the_limit, hellos);

fn bad_request<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let key = LsaKey { ty: V::ROUTER, id: LsId(99), adv: RouterId([9, 9, 9, 9].into()) };
    inject(&mut world, &Body::LinkStateRequest(vec![key]));
    assert_eq!(state(&world), State::ExStart, "BadLSReq");
    world.run(60);
    world.check();
    assert_eq!(state(&world), State::Full);
    // So does a description out of order.
    let description = DatabaseDescription {
        mtu: 1500,
        options: Options::E,
        flags: DdFlags { init: true, more: true, master: true },
        sequence: 1,
        headers: vec![],
    };
    inject(&mut world, &Body::DatabaseDescription(description.clone()));
    assert_eq!(state(&world), State::ExStart, "SeqNumberMismatch");
    inject(&mut world, &Body::DatabaseDescription(DatabaseDescription { mtu: 9000, ..description }));
    assert_eq!(refused(&world, Refusal::Mtu), 1);
    world.run(60);
    world.check();
    assert_eq!(state(&world), State::Full);
}
all!(requests_for_the_unknown_and_exchanges_out_of_order_start_over, bad_request);

fn refused_lsas<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let lsa = router_lsa(&world, 1, 0);
    let newer = |by: i32| forged::<V>(&lsa, Sequence(lsa.header().sequence.0 + by), lsa.body());
    let mut damaged = BytesMut::from(&newer(5).octets()[..]);
    damaged[22] ^= 0x55;
    let damaged = Lsa::read::<V>(&mut damaged.freeze()).expect("framed");
    inject(&mut world, &Body::LinkStateUpdate(vec![damaged]));
    assert_eq!(refused(&world, Refusal::LsaChecksum), 1);
    inject(&mut world, &Body::LinkStateUpdate(vec![newer(5).at_age(3601)]));
    assert_eq!(refused(&world, Refusal::LsaAge), 1);
    // Two in a second: the other one is not taken.
    let before = refused(&world, Refusal::LsaMinArrival);
    inject(&mut world, &Body::LinkStateUpdate(vec![newer(1)]));
    inject(&mut world, &Body::LinkStateUpdate(vec![newer(2)]));
    assert_eq!(refused(&world, Refusal::LsaMinArrival), before + 1);
    // Unknown and at MaxAge: acknowledged, not kept.
    let before = world.core(1).lsdb(BACKBONE).expect("a database").len();
    let header =
        LsaHeader { key: LsaKey { adv: RouterId([9, 9, 9, 9].into()), ..lsa.key() }, ..*lsa.header() };
    let unknown = Lsa::build::<V>(header, lsa.body()).expect("an LSA").at_age(3600);
    inject(&mut world, &Body::LinkStateUpdate(vec![unknown]));
    assert_eq!(world.core(1).lsdb(BACKBONE).expect("a database").len(), before);
    assert_eq!(state(&world), State::Full);
    // Router 0 knows nothing of what was said in its name; when it renews its LSA all agree again.
    world.run(2000);
    world.check();
}
all!(lsas_that_rfc_2328_refuses_are_counted_and_the_adjacency_stays, refused_lsas);

fn replay<V: Plan>(_: PhantomData<V>) {
    let mut topology = Topology::new(2);
    topology.p2p(0, 1, 10);
    let keys = vec![Key { id: 4, algorithm: Algorithm::HmacSha512, secret: b"between us".to_vec() }];
    let mut world = World::<V>::new(topology.clone(), 22, Link::reliable(Duration::from_millis(2)));
    for router in 0..2 {
        let mut config = topology.config(router);
        config.interfaces.get_mut(&IfId(0)).expect("an interface").authentication =
            Authentication::Keys(keys.clone());
        world.feed(router, Event::Configured(Box::new(config)));
    }
    world.run(90);
    world.check();
    // OSPFv3's Hellos say that a trailer follows, without which others do not look for it.
    let interface = world.core(1).interface(IfId(0)).expect("an interface");
    let heard = interface.neighbors.values().next().expect("a neighbour");
    assert_eq!(heard.options.has(Options::AT), V::VERSION == 3);
    let ends =
        Endpoints { source: V::link(0, 0, 0).address.expect("an address"), destination: V::ALL_SPF_ROUTERS };
    let origin = Origin { router: router_id(0), area: AreaId::BACKBONE, instance: 0 };
    let body = Body::LinkStateAck(vec![]);
    let old = V::seal(&origin, &body, &Sign::Digest { key: &keys[0], sequence: 0 }, ends);
    let Endpoints { source, destination } = ends;
    world.feed(1, Event::Received { interface: IfId(0), source, destination, octets: old });
    assert_eq!(refused(&world, Refusal::AuthSequence), 1);
    inject(&mut world, &body);
    let unsigned = refused(&world, Refusal::AuthType) + refused(&world, Refusal::AuthTrailer);
    assert_eq!(unsigned, 1);
    assert_eq!(state(&world), State::Full);
}
all!(a_packet_that_was_heard_before_is_refused, replay);

fn hub<V: Plan>(_: PhantomData<V>) {
    let spokes = 200;
    let mut topology = Topology::new(spokes + 1);
    for spoke in 1..=spokes {
        topology.segment(AreaId::BACKBONE, NetworkType::PointToPoint, &[0, spoke], 10);
    }
    topology.exchanges = Some(20);
    let mut world = World::<V>::new(topology, 23, Link::reliable(Duration::from_millis(2)));
    world.run(60);
    let full = world.core(0).interfaces().values().map(|interface| interface.full().count()).sum::<usize>();
    assert_eq!(full, spokes);
    world.check_databases();
    assert_eq!(world.core(1).routes()[&V::loopback_prefix(spokes)].cost, 20);
    // Idle: Hellos come in, Hellos go out, and nothing else is done but what they need.
    let handled = world.net.steps();
    let runs = world.core(0).spf().runs;
    world.run(60);
    let hellos = 6 * 2 * spokes as u64;
    let done = world.net.steps() - handled;
    assert!(done <= 2 * hellos + 100, "{done} things happened in an idle minute");
    assert_eq!(world.core(0).spf().runs, runs);
}
all!(two_hundred_adjacencies_come_up_in_parallel, hub);

/// What opaque LSAs say is for those who use them: nonsense is kept and flooded, and does no harm.
#[test]
fn opaque_lsas_that_make_no_sense_are_flooded() {
    use ferrite_ospf::packet::opaque::{kind, ls_id};
    use ferrite_ospf::packet::v2::ty;
    let mut world = row::<V2>();
    let bodies: [(u8, &[u8]); 8] = [
        // A TE link without its addresses; one whose inner TLV is longer than the outer.
        (kind::TRAFFIC_ENGINEERING, &[0, 2, 0, 8, 0, 1, 0, 1, 1, 0, 0, 0]),
        (kind::TRAFFIC_ENGINEERING, &[0, 2, 0, 8, 0, 3, 0, 99, 1, 0, 0, 0]),
        // Router information whose algorithms run over the end; extended link with a short adjacency SID.
        (kind::ROUTER_INFORMATION, &[0, 8, 0xff, 0xff, 0, 0, 0, 0]),
        (kind::EXTENDED_LINK, &[0, 1, 0, 20, 1, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 2, 0, 4, 0, 0, 0, 0]),
        (kind::EXTENDED_PREFIX, &[0, 1, 0, 4, 1, 255, 0, 0]),
        // Lengths that wrap when they are padded in sixteen bits.
        (kind::ROUTER_INFORMATION, &[0, 1, 0xff, 0xfd, 0, 0, 0, 0]),
        (kind::GRACE, &[0, 1, 0, 4]),
        (200, &[]),
    ];
    let mut sent = Vec::new();
    for (number, (kind, body)) in bodies.into_iter().enumerate() {
        for ty in [ty::OPAQUE_AREA, ty::OPAQUE_AS, ty::OPAQUE_LINK] {
            let key = LsaKey { ty, id: ls_id(kind, number as u32), adv: router_id(0) };
            let header =
                LsaHeader { age: 1, options: Options::E, key, sequence: Sequence(7), checksum: 0, length: 0 };
            let lsa = Lsa::build::<V2>(header, body).expect("an LSA");
            inject(&mut world, &Body::LinkStateUpdate(vec![lsa]));
            sent.push(key);
        }
    }
    // Router 0, whose name they bear, does not hear of them: they came by the link to it.
    world.run(1);
    let mut passed = 0;
    for key in &sent {
        let place = match key.ty {
            ty::OPAQUE_AREA => BACKBONE,
            ty::OPAQUE_AS => Place::As,
            _ => Place::Link(IfId(0)),
        };
        passed += usize::from(world.core(1).lsdb(place).expect("a database").get(key).is_some());
    }
    assert_eq!(passed, sent.len());
    assert_eq!(state(&world), State::Full);
    assert_eq!(refused(&world, Refusal::LsaBody), 0);
    assert!(world.core(1).restart_status().helped.is_empty());
    let beyond = world.core(2).lsdb(BACKBONE).expect("a database");
    assert_eq!(beyond.of_type(ty::OPAQUE_AREA).count(), 8);
    world.run(60);
    assert_eq!(state(&world), State::Full);
}

/// An API client's LSA that is no whole number of words is not announced (RFC 5250 §A.2); one that is goes everywhere, and goes.
#[test]
fn opaque_lsas_of_others_outside() {
    let mut world = row::<V2>();
    let opaque = |body: Option<&'static [u8]>| Event::Opaque {
        place: BACKBONE,
        kind: 220,
        id: 1,
        body: body.map(bytes::Bytes::from_static),
    };
    let there = |world: &World<V2>| {
        let lsdb = world.core(0).lsdb(BACKBONE).expect("a database");
        lsdb.of_type(ferrite_ospf::packet::v2::ty::OPAQUE_AREA).count()
    };
    world.feed(2, opaque(Some(&[1, 2, 3])));
    world.run(10);
    assert_eq!(there(&world), 0);
    world.feed(2, opaque(Some(&[1, 2, 3, 4])));
    world.run(10);
    assert_eq!(there(&world), 1);
    world.feed(2, opaque(None));
    world.run(10);
    assert_eq!(there(&world), 0);
    world.check();
}

fn storm<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let lsa = router_lsa(&world, 1, 0);
    let made = |number: u32, sequence: i32, age: u16| {
        let adv = RouterId((number + 0x0a00_0000).into());
        let id = if V::VERSION == 2 { LsId(adv.0.to_bits()) } else { LsId(0) };
        let key = LsaKey { id, adv, ..lsa.key() };
        let header = LsaHeader { key, sequence: Sequence(sequence), age, ..*lsa.header() };
        Lsa::build::<V>(header, lsa.body()).expect("an LSA")
    };
    for number in 0..1000 {
        inject(&mut world, &Body::LinkStateUpdate(vec![made(number, 1, 1)]));
    }
    world.run(20);
    let before = world.net.node(NodeId(1)).router().sent;
    // One packet each, all in no time.
    for number in 0..1000 {
        inject(&mut world, &Body::LinkStateUpdate(vec![made(number, 2, 3600)]));
    }
    world.run(20);
    let sent = world.net.node(NodeId(1)).router().sent - before;
    assert!(sent < 300, "{sent} packets for 1000 LSAs at MaxAge");
    assert!(world.core(2).lsdb(BACKBONE).expect("a database").len() < 100);
    world.check();
}
all!(a_storm_of_lsas_at_max_age_goes_on_in_few_packets, storm);

fn many_prefixes<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    let mut link = V::link(0, 1, 0);
    let (address, len) = link.prefixes[0];
    link.prefixes = (0..20_000_u32)
        .map(|number| match address {
            IpAddr::V4(_) => (IpAddr::V4((0x1400_0000 + number * 256).into()), len),
            IpAddr::V6(_) => (IpAddr::V6(((0x2001_0db8_u128 << 96) + (u128::from(number) << 64)).into()), 64),
        })
        .chain([(address, len)])
        .collect();
    world.feed(1, Event::Link(IfId(0), link));
    world.run(60);
    // What does not fit an LSA is not announced; the adjacency stays.
    assert_eq!(state(&world), State::Full);
}
all!(an_interface_with_more_prefixes_than_an_lsa_holds, many_prefixes);

fn any_octets<V: Plan>(_: PhantomData<V>) {
    let mut world = row::<V>();
    for number in 0..3000_usize {
        let mut octets: Vec<u8> = (0..world.net.random().below(120)).map(|_| 0).collect();
        for octet in &mut octets {
            *octet = world.net.random().next_u64() as u8;
        }
        if let Some(first) = octets.first_mut() {
            *first = V::VERSION;
        }
        let source = V::link(0, 0, 0).address.expect("an address");
        let datagram = Datagram {
            next: source,
            source,
            destination: V::ALL_SPF_ROUTERS,
            hops: 1,
            octets: octets.into(),
        };
        let port = ferrite_sim::Port(number % 2);
        world
            .net
            .act(NodeId(1), |device, now, out| ferrite_sim::Node::receive(device, now, port, datagram, out));
    }
    world.run(30);
    world.check();
}
all!(octets_without_sense_change_nothing, any_octets);
