//! Roles, limits and reasons as the table honours them.

use bgp_packet::attr::RareAttributes;
use bgp_packet::capability::Role;

use super::*;
use crate::rib::rules::PeerRules;

fn in_role(n: u8, asn: u32, role: Role) -> PeerParams {
    let rules = PeerRules { role: Some(role), ..PeerRules::default() };
    PeerParams { rules, ..peer(PeerKind::External, n, asn) }
}

fn marked(path: &[u32], otc: u32) -> Arc<Attributes> {
    let rare = RareAttributes { otc: Some(Asn(otc)), ..RareAttributes::default() };
    Arc::new(Attributes { rare: Some(Box::new(rare)), ..route(path) })
}

/// Our provider, peer and customer, in this order.
fn valley() -> World {
    let mut world = World::new(1);
    world.up(1, in_role(1, 65001, Role::Customer));
    world.up(2, in_role(2, 65002, Role::Peer));
    world.up(3, in_role(3, 65003, Role::Provider));
    world
}

fn has(world: &World, prefix: &str) -> [bool; 3] {
    [1, 2, 3].map(|id| world.path(id, prefix).is_some())
}

#[test]
fn what_comes_from_above_goes_to_customers_only() {
    let mut world = valley();
    world.announce(1, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    world.announce(2, &[prefix("10.2.0.0/16")], &Arc::new(route(&[65002])));
    world.announce(3, &[prefix("10.3.0.0/16")], &Arc::new(route(&[65003])));
    world.settle();
    assert_eq!(has(&world, "10.1.0.0/16"), [false, false, true]);
    assert_eq!(has(&world, "10.2.0.0/16"), [false, false, true]);
    assert_eq!(has(&world, "10.3.0.0/16"), [true, true, false]);
}

#[test]
fn a_leak_is_refused() {
    let mut world = valley();
    // The peer's own mark is right, another's is a leak; from a customer any mark is one.
    world.announce(2, &[prefix("10.2.0.0/16")], &marked(&[65002], 65002));
    world.announce(2, &[prefix("10.4.0.0/16")], &marked(&[65002, 65009], 65009));
    world.announce(3, &[prefix("10.3.0.0/16")], &marked(&[65003], 65003));
    world.settle();
    assert_eq!(has(&world, "10.2.0.0/16"), [false, false, true]);
    assert_eq!(has(&world, "10.4.0.0/16"), [false; 3]);
    assert_eq!(has(&world, "10.3.0.0/16"), [false; 3]);
}

#[test]
fn a_route_that_maximum_prefix_out_held_back_follows_when_there_is_room() {
    let mut world = World::new(1);
    world.up(1, peer(PeerKind::External, 1, 65001));
    let limited =
        with_family(peer(PeerKind::External, 2, 65002), |family| family.maximum_prefix_out = Some(2));
    world.up(2, limited);
    let texts = ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"];
    let prefixes = texts.map(prefix);
    world.announce(1, &prefixes, &Arc::new(route(&[65001])));
    world.settle();
    let sent = |world: &World| -> Vec<&str> {
        texts.into_iter().filter(|text| world.path(2, text).is_some()).collect()
    };
    let first = sent(&world);
    assert_eq!(first.len(), 2);
    world.withdraw(1, prefix(first[0]));
    world.settle();
    let second = sent(&world);
    assert!(second.len() == 2 && !second.contains(&first[0]), "{second:?}");
}

#[test]
fn maximum_prefix_out_is_exact_over_several_shards() {
    let mut world = World::new(3);
    world.up(1, peer(PeerKind::External, 1, 65001));
    let quota = Arc::<crate::rib::quota::Quota>::default();
    let limited = |max: u32| {
        with_family(peer(PeerKind::External, 2, 65002), |family| {
            family.maximum_prefix_out = Some(max);
            family.quota = Some(Arc::clone(&quota));
        })
    };
    world.up(2, limited(20));
    let prefixes: Vec<Prefix> = (0..90).map(|n| prefix(&format!("10.{n}.0.0/16"))).collect();
    world.announce(1, &prefixes, &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.remote(2).table.len(), 20);
    // What goes makes room, in whichever shard the next one is.
    for round in 0..70 {
        let told = *world.remote(2).table.keys().next().unwrap();
        world.withdraw(1, told);
        world.settle();
        assert_eq!(world.remote(2).table.len(), 20, "round {round}");
    }
    world.change(2, limited(5));
    world.settle();
    let told = world.remote(2).table.len();
    assert!(told <= 20, "{told}");
    world.announce(1, &prefixes, &Arc::new(route(&[65001, 7])));
    world.down(2);
    world.settle();
    world.up(2, limited(5));
    world.settle();
    assert_eq!(world.remote(2).table.len(), 5);
}

#[test]
fn a_path_with_the_neighbours_as_is_not_sent_where_the_sender_looks() {
    let mut world = World::new(1);
    world.up(1, peer(PeerKind::External, 1, 65001));
    let rules = PeerRules { sender_loop_detection: true, ..PeerRules::default() };
    world.up(2, PeerParams { rules, ..peer(PeerKind::External, 2, 65002) });
    world.up(3, peer(PeerKind::External, 3, 65002));
    world.announce(1, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001, 65002])));
    world.settle();
    assert_eq!(has(&world, "10.1.0.0/16"), [false, false, true]);
}
