//! IPv4 over OSPFv3 (RFC 5838): next hops from Link-LSAs, routers that do not tell families apart, prefixes of no IPv4 length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bytes::BytesMut;
use ferrite_ospf::config::{AreaConfig, NetworkType, VirtualLink};
use ferrite_ospf::instance::Place;
use ferrite_ospf::neighbor::State;
use ferrite_ospf::packet::auth::Sign;
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::v3::{
    ExternalLsa, InterAreaPrefixLsa, IntraAreaPrefixLsa, LinkLsa, LsaPrefix, PrefixMetric, PrefixOptions, ty,
};
use ferrite_ospf::packet::{
    AreaId, Body, Codec, Endpoints, Inet4, LsId, LsType, Lsa, LsaHeader, LsaKey, Options, Refusal, Sequence,
    V3,
};
use ferrite_ospf::version::Version;
use ferrite_ospf::{Event, IfId};
use ferrite_sim::Link;
use ferrite_types::{Ipv6Prefix, Prefix};

use crate::address::{Plan, router_id};
use crate::world::{Topology, World};

type Four = V3<Inet4>;

const BACKBONE: Place = Place::Area(AreaId::BACKBONE);

fn world(topology: Topology) -> World<Four> {
    let mut world = World::<Four>::new(topology, 31, Link::reliable(Duration::from_millis(2)));
    world.run(90);
    world
}

fn pair() -> World<Four> {
    let mut topology = Topology::new(2);
    topology.p2p(0, 1, 10);
    let world = world(topology);
    world.check();
    world
}

fn inject(world: &mut World<Four>, instance: u8, body: &Body) {
    let source = Four::link(0, 0, 0).address.expect("an address");
    let destination = Four::ALL_SPF_ROUTERS;
    let origin = Origin { router: router_id(0), area: AreaId::BACKBONE, instance };
    let octets = Four::seal(&origin, body, &Sign::None, Endpoints { source, destination });
    world.feed(1, Event::Received { interface: IfId(0), source, destination, octets });
}

fn refused(world: &World<Four>, reason: Refusal) -> u64 {
    world.core(1).refusals().get(&(IfId(0), reason)).copied().unwrap_or(0)
}

/// Next hops of router 1 to router 0's loopback.
fn next_hops(world: &World<Four>) -> Vec<Option<IpAddr>> {
    let route = world.core(1).routes().get(&Four::loopback_prefix(0));
    route.map(|route| route.hops.iter().map(|hop| hop.address).collect()).unwrap_or_default()
}

#[test]
fn packets_are_of_ipv6_and_next_hops_of_ipv4() {
    let world = pair();
    let interface = world.core(1).interface(IfId(0)).expect("an interface");
    let neighbor = interface.neighbors.values().next().expect("a neighbour");
    assert!(matches!(neighbor.address, IpAddr::V6(address) if address.is_unicast_link_local()));
    assert!(neighbor.options.has(Options::AF.with(Options::R).with(Options::E)));
    assert!(!neighbor.options.has(Options::V6));
    assert_eq!(next_hops(&world), [Four::link(0, 0, 0).next_hop]);
    let link =
        interface.links.of_type(ty::LINK).find(|(key, _)| key.adv == router_id(0)).expect("a Link-LSA").1;
    let link = LinkLsa::read(link.lsa.body()).expect("a body");
    assert_eq!(link.address, Ipv6Addr::new(0x0a00, 1, 0, 0, 0, 0, 0, 0), "10.0.0.1 in its first bits");
    assert!(link.options.has(Options::AF));
}

#[test]
fn next_hops_follow_the_neighbours_address_and_go_with_it() {
    let mut world = pair();
    let other = IpAddr::V4(Ipv4Addr::new(10, 0, 15, 1));
    let link = Four::link(0, 0, 0);
    let moved = ferrite_ospf::Link { next_hop: Some(other), ..link.clone() };
    world.feed(0, Event::Link(IfId(0), moved));
    world.run(20);
    assert_eq!(next_hops(&world), [Some(other)]);
    // None, a group's, one of the neighbour's own host, ours.
    let multicast = Ipv4Addr::new(224, 0, 0, 5).into();
    let ours = Four::link(0, 1, 0).next_hop;
    for next_hop in [None, Some(multicast), Some(Ipv4Addr::LOCALHOST.into()), ours] {
        world.feed(0, Event::Link(IfId(0), ferrite_ospf::Link { next_hop, ..link.clone() }));
        world.run(20);
        assert_eq!(next_hops(&world), [], "{next_hop:?}: no address of the family, no way");
    }
    let interface = world.core(1).interface(IfId(0)).expect("an interface");
    assert_eq!(interface.neighbors.values().map(|n| n.state).collect::<Vec<_>>(), [State::Full]);
    world.feed(0, Event::Link(IfId(0), link));
    world.run(20);
    world.check();
}

#[test]
fn a_link_lsa_is_sent_although_its_suppression_is_asked_for() {
    let mut topology = Topology::new(2);
    topology.p2p(0, 1, 10);
    let mut world = world(topology);
    let mut config = world.topology.config(0);
    config.interfaces.get_mut(&IfId(0)).expect("an interface").link_lsa_suppression = true;
    world.feed(0, Event::Configured(Box::new(config)));
    world.run(60);
    world.check();
}

#[test]
fn hellos_without_the_bit_and_packets_of_other_instances_are_refused() {
    let mut world = pair();
    let hello = |options: Options| {
        Body::Hello(ferrite_ospf::packet::Hello {
            link: 1,
            hello_interval: 10,
            dead_interval: 40,
            options,
            priority: 1,
            designated: Ipv4Addr::UNSPECIFIED,
            backup: Ipv4Addr::UNSPECIFIED,
            neighbors: vec![router_id(1)],
        })
    };
    inject(&mut world, 0, &hello(Options::V6.with(Options::R).with(Options::E)));
    assert_eq!(refused(&world, Refusal::Family), 1);
    inject(&mut world, 64, &hello(Options::AF.with(Options::R).with(Options::E)));
    assert_eq!(refused(&world, Refusal::Instance), 1);
    inject(&mut world, 0, &hello(Options::AF.with(Options::R).with(Options::E)));
    assert_eq!((refused(&world, Refusal::Family), refused(&world, Refusal::Instance)), (1, 1));
    world.run(60);
    world.check();
}

/// Prefixes that cannot be of the family must not be used (§2.3), which is no reason not to hand them on.
#[test]
fn prefixes_longer_than_an_address_are_flooded_and_lead_nowhere() {
    let mut topology = Topology::new(3);
    topology.p2p(0, 1, 10);
    topology.p2p(1, 2, 10);
    let mut world = world(topology);
    let before: Vec<Prefix> = world.core(2).routes().keys().copied().collect();
    let long = Ipv6Prefix::new(Ipv6Addr::new(0x1400, 0, 0x8000, 0, 0, 0, 0, 0), 33).expect("a prefix");
    let prefix = LsaPrefix { prefix: long, options: PrefixOptions::default() };
    let referenced = LsaKey { ty: ty::ROUTER, id: LsId(0), adv: router_id(0) };
    let external =
        ExternalLsa { type2: true, metric: 1, prefix, forwarding: None, tag: None, referenced: None };
    let mut bodies = [(); 3].map(|()| BytesMut::new());
    let [intra, inter, outside] = &mut bodies;
    IntraAreaPrefixLsa { referenced, prefixes: vec![PrefixMetric { prefix, metric: 1 }] }.put(intra);
    InterAreaPrefixLsa { metric: 1, prefix }.put(inter);
    external.put(outside);
    let kinds: [(LsType, Place); 3] =
        [(ty::INTRA_AREA_PREFIX, BACKBONE), (ty::INTER_AREA_PREFIX, BACKBONE), (ty::EXTERNAL, Place::As)];
    let keys = kinds.map(|(ty, place)| (LsaKey { ty, id: LsId(777), adv: router_id(0) }, place));
    for ((key, _), body) in keys.iter().zip(&bodies) {
        let header = LsaHeader {
            age: 1,
            options: Options::default(),
            key: *key,
            sequence: Sequence::INITIAL,
            checksum: 0,
            length: 0,
        };
        let lsa = Lsa::build::<Four>(header, body).expect("an LSA");
        inject(&mut world, 0, &Body::LinkStateUpdate(vec![lsa]));
    }
    world.run(2);
    for (key, place) in keys {
        assert!(world.core(2).lsdb(place).expect("a database").get(&key).is_some(), "{key:?} was flooded");
    }
    assert_eq!(world.core(2).routes().keys().copied().collect::<Vec<_>>(), before);
    assert_eq!(refused(&world, Refusal::LsaBody), 0);
}

/// A border router does not call others to where it has no address to send packets to.
#[test]
fn what_has_no_next_hop_is_not_told_other_areas() {
    let one = AreaId::from_bits(1);
    let mut topology = Topology::new(3);
    topology.segment(AreaId::BACKBONE, NetworkType::PointToPoint, &[0, 1], 10);
    topology.segment(one, NetworkType::PointToPoint, &[1, 2], 10);
    let mut world = world(topology);
    world.check();
    let link = Four::link(1, 2, 0);
    world.feed(2, Event::Link(IfId(0), ferrite_ospf::Link { next_hop: None, ..link.clone() }));
    world.run(30);
    assert!(!world.core(0).routes().contains_key(&Four::loopback_prefix(2)));
    world.feed(2, Event::Link(IfId(0), link));
    world.run(30);
    world.check();
}

#[test]
fn there_are_no_virtual_links() {
    let one = AreaId::from_bits(1);
    let mut topology = Topology::new(3);
    topology.segment(AreaId::BACKBONE, NetworkType::PointToPoint, &[0, 1], 10);
    topology.segment(one, NetworkType::PointToPoint, &[1, 2], 10);
    let mut area = AreaConfig::default();
    area.virtual_links.insert(router_id(2), VirtualLink::default());
    topology.areas.insert(one, area);
    let world = world(topology);
    assert!(world.core(1).interfaces().values().all(|interface| interface.virtual_to.is_none()));
    world.check();
}
