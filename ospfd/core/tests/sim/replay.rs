//! Extended sequence numbers (RFC 7474): what was recorded is not taken again, of any type of packet, from nobody, at no time; a
//! router that begins anew with a greater count of its boots is heard at once, one that forgot its count is not.

use std::time::Duration;

use ferrite_ospf::config::{Authentication, Config};
use ferrite_ospf::neighbor::State;
use ferrite_ospf::packet::auth::{Algorithm, Key, Sign};
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::{AreaId, Body, Codec, Endpoints, Kind, Refusal, V2};
use ferrite_ospf::{Event, IfId, Version};
use ferrite_sim::Link;

use crate::address::{Plan, router_id};
use crate::world::{Topology, World};

const BOOTS: u32 = 7;

fn keys() -> Vec<Key> {
    vec![Key { id: 70_000, algorithm: Algorithm::HmacSha256, secret: b"between us".to_vec() }]
}

fn extended(topology: &Topology, router: usize, boots: u32) -> Config {
    let mut config = topology.config(router);
    config.boot_count = boots;
    for interface in config.interfaces.values_mut() {
        interface.authentication = Authentication::Keys(keys());
        interface.extended_sequence = true;
    }
    config
}

/// Two routers that are adjacent.
fn pair() -> World<V2> {
    let mut topology = Topology::new(2);
    topology.p2p(0, 1, 10);
    let mut world = World::<V2>::new(topology.clone(), 61, Link::reliable(Duration::from_millis(2)));
    for router in 0..2 {
        world.feed(router, Event::Configured(Box::new(extended(&topology, router, BOOTS))));
    }
    world.run(90);
    world.check();
    world
}

fn refused(world: &World<V2>, reason: Refusal) -> u64 {
    world.core(1).refusals().iter().filter(|((_, why), _)| *why == reason).map(|(_, count)| *count).sum()
}

fn state(world: &World<V2>) -> Option<State> {
    let interface = world.core(1).interface(IfId(0)).expect("an interface");
    interface.neighbors.values().next().map(|neighbor| neighbor.state)
}

/// A packet to router 1 as router 0 signed it with a number of some time.
fn inject(world: &mut World<V2>, sequence: u64, body: &Body) {
    let source = V2::link(0, 0, 0).address.expect("an address");
    let destination = V2::ALL_SPF_ROUTERS;
    let origin = Origin { router: router_id(0), area: AreaId::BACKBONE, instance: 0 };
    let key = &keys()[0];
    let octets =
        V2::seal(&origin, body, &Sign::Extended { key, sequence }, Endpoints { source, destination });
    world.feed(1, Event::Received { interface: IfId(0), source, destination, octets });
}

const NOTHING: Body = Body::LinkStateAck(Vec::new());

fn at(boots: u32, packet: u64) -> u64 {
    u64::from(boots) << 32 | packet
}

#[test]
fn each_type_of_packet_has_a_sequence_of_its_own() {
    let mut world = pair();
    // Router 0 sent acknowledgments while they became adjacent, none since: later Hellos do not make an old number of them new.
    inject(&mut world, at(BOOTS, 1), &NOTHING);
    assert_eq!(refused(&world, Refusal::AuthSequence), 1);
    inject(&mut world, at(BOOTS, 1000), &NOTHING);
    assert_eq!(refused(&world, Refusal::AuthSequence), 1);
    // The same again is one too many.
    inject(&mut world, at(BOOTS, 1000), &NOTHING);
    assert_eq!(refused(&world, Refusal::AuthSequence), 2);
    // And the number of one type says nothing of another: Hellos go on below it.
    world.run(120);
    assert_eq!(refused(&world, Refusal::AuthSequence), 2);
    assert_eq!(state(&world), Some(State::Full));
    inject(&mut world, at(BOOTS - 1, 5000), &Body::LinkStateRequest(Vec::new()));
    assert_eq!(refused(&world, Refusal::AuthSequence), 3);
    world.check();
}

#[test]
fn who_begins_anew_is_heard_at_once() {
    let mut world = pair();
    let changes = |world: &World<V2>| {
        let interface = world.core(1).interface(IfId(0)).expect("an interface");
        interface.neighbors.values().map(|neighbor| neighbor.changes).sum::<u32>()
    };
    let before = changes(&world);
    let config = extended(&world.topology, 0, BOOTS + 1);
    world.replace(0, config);
    // One Hello later than it can be at the most.
    world.run(11);
    assert!(changes(&world) > before, "its first Hello said that it knows nobody");
    assert_eq!(refused(&world, Refusal::AuthSequence), 0);
    world.run(60);
    world.check();
    assert_eq!(state(&world), Some(State::Full));
}

#[test]
fn who_is_gone_cannot_be_played_back() {
    let mut world = pair();
    world.set_segment(0, false);
    world.run(60);
    world.set_segment(0, true);
    // It forgot how often it began: to the other one it is a recording.
    let config = extended(&world.topology, 0, BOOTS);
    world.replace(0, config);
    let before = refused(&world, Refusal::AuthSequence);
    world.run(15);
    assert!(refused(&world, Refusal::AuthSequence) > before);
    assert!(state(&world).is_none_or(|state| state <= State::Init), "{:?}", state(&world));
    let config = extended(&world.topology, 0, BOOTS + 1);
    world.replace(0, config);
    world.run(60);
    world.check();
}

#[test]
fn who_does_not_sign_so_is_refused_and_counted() {
    let mut world = pair();
    let mut plain = extended(&world.topology, 0, BOOTS);
    plain.interfaces.values_mut().for_each(|interface| interface.extended_sequence = false);
    world.feed(0, Event::Configured(Box::new(plain)));
    world.run(60);
    assert!(refused(&world, Refusal::AuthType) > 3);
    assert!(state(&world).is_none_or(|state| state == State::Down), "{:?}", state(&world));
    // With keyed MD5 there is nothing to sign with, and nothing goes out.
    let sent = |world: &World<V2>| {
        let interface = world.core(0).interface(IfId(0)).expect("an interface");
        interface.sent.packets(Kind::Hello)
    };
    let mut md5 = extended(&world.topology, 0, BOOTS);
    for interface in md5.interfaces.values_mut() {
        let key = Key { id: 1, algorithm: Algorithm::KeyedMd5, secret: b"k".to_vec() };
        interface.authentication = Authentication::Keys(vec![key]);
    }
    world.feed(0, Event::Configured(Box::new(md5)));
    let before = sent(&world);
    world.run(60);
    assert_eq!(sent(&world), before);
    let back = extended(&world.topology, 0, BOOTS);
    world.feed(0, Event::Configured(Box::new(back)));
    world.run(60);
    world.check();
}
