//! Knobs of sending: how many messages may wait for a neighbour, what a new group waits for, duplicates.

use std::time::Duration;

use super::*;
use crate::rib::settings::Sending;

fn table(prefixes: u32) -> Vec<Prefix> {
    let addr = |n: u32| Ipv4Addr::from_bits(0x0a00_0000 + (n << 8));
    (0..prefixes).map(|n| Prefix::new(addr(n).into(), 24).unwrap()).collect()
}

/// Every prefix in a message of its own.
fn announce_apart(world: &mut World, id: u32, prefixes: &[Prefix], round: u32) {
    for (n, prefix) in prefixes.iter().enumerate() {
        world.announce(id, &[*prefix], &Arc::new(route(&[65001, 100 + round, 1000 + n as u32])));
    }
}

#[test]
fn no_more_messages_wait_for_a_neighbour_than_the_limit_says() {
    for (limit, shards) in [(20, 1), (7, 1), (500, 1)] {
        let mut world = World::new(shards);
        world.configure(|config| config.sending = Sending { messages: Some(limit), ..Sending::default() });
        world.up(1, peer(PeerKind::External, 1, 65001));
        world.up(2, peer(PeerKind::External, 2, 65002));
        world.up(3, peer(PeerKind::External, 3, 65003));
        world.settle();
        world.remotes.get_mut(&PeerId(2)).unwrap().stuck = true;
        let prefixes = table(300);
        for round in 0..3 {
            announce_apart(&mut world, 1, &prefixes, round);
            world.settle();
            let owed: u32 = world.remote(2).owed.iter().map(|(_, _, messages)| messages).sum();
            assert!(owed <= limit, "{owed} messages wait where {limit} may");
            assert_eq!(world.remote(3).table.len(), prefixes.len(), "others go on");
        }
        world.unstick(2);
        world.settle();
        assert_eq!(world.remote(2).table.len(), prefixes.len());
    }
}

#[test]
fn a_new_group_waits_for_others_to_join_and_then_sends_once_to_all() {
    let mut world = World::new(1);
    world.up(1, peer(PeerKind::External, 1, 65001));
    announce_apart(&mut world, 1, &table(50), 0);
    world.settle();
    world.configure(|config| config.sending = Sending { coalesce: 2000, ..Sending::default() });
    let from = world.now;
    // Neighbours that differ in nothing but who they are share a group.
    for id in 2..5 {
        world.up(id, peer(PeerKind::Internal, id as u8, 65000));
    }
    let at = |world: &World| (2..5).map(|id| world.remote(id).table.len()).collect::<Vec<_>>();
    world.settle_for(Duration::from_millis(1900));
    assert_eq!(at(&world), [0, 0, 0]);
    world.settle_for(Duration::from_millis(2100));
    assert_eq!(at(&world), [50, 50, 50]);
    assert!(world.now.since(from) >= Duration::from_secs(2));
    let Answer::UpdateGroups(groups) = world.ask(0, 1, Query::UpdateGroups { family: V4 }) else { panic!() };
    let group = groups.iter().find(|group| group.members.len() == 3).unwrap();
    assert_eq!(group.messages, 50, "once for all of them");
}

#[test]
fn what_reads_the_same_is_told_again_only_without_suppression() {
    for duplicates in [false, true] {
        let mut world = World::new(1);
        world.configure(|config| config.sending = Sending { duplicates, ..Sending::default() });
        world.up(1, peer(PeerKind::External, 1, 65001));
        world.up(2, peer(PeerKind::External, 2, 65002));
        world.remotes.get_mut(&PeerId(2)).unwrap().repeats = true;
        let told = |world: &World| world.remote(2).announced;
        for (med, change) in [(10, 1), (20, usize::from(duplicates))] {
            let before = told(&world);
            // The metric of another AS goes no further (RFC 4271 §5.1.4).
            let attrs = Attributes { med: Some(med), ..route(&[65001]) };
            world.announce(1, &[prefix("10.1.0.0/16")], &Arc::new(attrs));
            world.settle();
            assert_eq!(told(&world) - before, change, "duplicates {duplicates}, metric {med}");
        }
    }
}
