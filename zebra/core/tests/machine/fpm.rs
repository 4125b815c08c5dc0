//! The stream of the forwarding plane manager, read by a peer that rebuilds the table; and what the hardware behind it says.

use std::collections::BTreeMap;

use ferrite_types::zclient::{FromZebra, RouteOutcome, ToZebra};
use ferrite_types::{Nexthop, Prefix, RouteProtocol, TableId};
use zebra_core::{AsicNotify, Event, FibOpKind, FpmMessage, NexthopId, NexthopObject, Offload, Options};

use crate::world::{World, listed, via};

const BGP: RouteProtocol = RouteProtocol::Bgp;

/// What a peer makes of the stream. It refuses what its hardware could not do.
#[derive(Default)]
struct Peer {
    objects: BTreeMap<NexthopId, NexthopObject>,
    routes: BTreeMap<(TableId, Prefix), (RouteProtocol, Option<NexthopId>, Vec<Nexthop>)>,
    messages: usize,
}

impl Peer {
    fn take(&mut self, messages: Vec<FpmMessage>) {
        for message in messages {
            self.messages += 1;
            match message {
                FpmMessage::Nexthop(op) => self.object(op.id, op.object),
                FpmMessage::Route(op) => match op.kind {
                    FibOpKind::Install(route) => {
                        assert!(route.group.is_none_or(|id| self.objects.contains_key(&id)), "{route:?}");
                        let form = (route.protocol, route.group, route.nexthops.to_vec());
                        self.routes.insert((op.table, op.prefix), form);
                    }
                    FibOpKind::Remove { .. } => drop(self.routes.remove(&(op.table, op.prefix))),
                },
                FpmMessage::Lsp(_) => {}
            }
        }
    }

    fn object(&mut self, id: NexthopId, object: Option<NexthopObject>) {
        let Some(object) = object else {
            assert!(self.objects.remove(&id).is_some(), "{id} was never told");
            assert!(self.routes.values().all(|(_, group, _)| *group != Some(id)), "{id} is in use");
            return;
        };
        if let NexthopObject::Group(members) = &object {
            assert!(members.iter().all(|(member, _)| self.objects.contains_key(member)));
        }
        self.objects.insert(id, object);
    }

    /// Next hops of a route as text, whichever way they were told.
    fn table(&self) -> BTreeMap<Prefix, String> {
        let own = self.routes.iter().filter(|((table, _), _)| *table == TableId::MAIN);
        let text = |(protocol, group, nexthops): &(RouteProtocol, Option<NexthopId>, Vec<Nexthop>)| {
            let mut hops: Vec<String> = nexthops.iter().map(|hop| format!("{:?}", hop.kind)).collect();
            if let Some(NexthopObject::Group(members)) = group.and_then(|id| self.objects.get(&id)) {
                for (member, _) in members {
                    let Some(NexthopObject::Single(single)) = self.objects.get(member) else { panic!() };
                    hops.push(format!("{:?}", single.kind));
                }
            }
            hops.sort_unstable();
            format!("{protocol} {}", hops.join(" + "))
        };
        own.map(|((_, prefix), route)| (*prefix, text(route))).collect()
    }
}

fn world(groups: bool) -> World {
    let mut world = World::with(Options { nexthop_objects: groups, ..Options::default() });
    for index in 1..=2 {
        world.link(index, true);
        world.address(index, &format!("10.0.{index}.1/24"));
    }
    world
}

fn drain(world: &mut World, peer: &mut Peer) {
    while world.zebra.fpm_pending() {
        peer.take(world.zebra.fpm_next(100));
    }
}

/// Next hops by a roll of the dice.
fn hops(roll: u64) -> Vec<Nexthop> {
    match roll % 4 {
        0 => vec![via("10.0.1.2")],
        1 => vec![via("10.0.2.2")],
        2 => vec![via("10.0.1.2"), via("10.0.2.2")],
        _ => vec![via("10.0.1.9"), via("10.0.2.9")],
    }
}

fn follows(groups: bool, lines: &str) {
    let mut world = world(groups);
    world.lines(lines);
    assert!(world.fpm.flatten().is_some());
    let client = world.connect(1, BGP);
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice >> 20
    };
    let mut peer = Peer::default();
    world.zebra.fpm_connected(true);
    for step in 0..4000 {
        let prefix = format!("20.0.{}.0/24", roll() % 200);
        match roll() % 20 {
            0..=9 => world.announce(client, BGP, &prefix, &hops(roll())),
            10..=16 => world.withdraw(client, BGP, &prefix),
            17 => world.link(1 + (roll() % 2) as u32, roll().is_multiple_of(2)),
            // A peer that reads little at a time, and now and then.
            _ => peer.take(world.zebra.fpm_next(7)),
        }
        if step % 1000 == 700 {
            world.zebra.fpm_connected(false);
            peer = Peer::default();
            world.zebra.fpm_connected(true);
        }
    }
    (1..=2).for_each(|index| world.link(index, true));
    drain(&mut world, &mut peer);
    let told = peer.table();
    let mut fresh = Peer::default();
    world.zebra.fpm_connected(true);
    drain(&mut world, &mut fresh);
    assert_eq!(told, fresh.table(), "the changes come to what a new peer is told");
    // And that is what the kernel has, beside the networks of the links.
    for (_, prefix) in world.kernel.keys() {
        assert!(told.contains_key(prefix), "{prefix}");
    }
    let ours = told.values().filter(|text| text.starts_with("bgp")).count();
    assert_eq!(ours, world.kernel.len());
    assert!(told.values().any(|text| text.starts_with("connected")));
    assert_eq!(fresh.objects.is_empty(), !groups || lines.contains("no fpm use-next-hop-groups"));
}

#[test]
fn a_slow_peer_ends_with_the_table_whatever_it_missed() {
    follows(true, "fpm address 127.0.0.1");
    follows(false, "fpm address 127.0.0.1");
    follows(true, "fpm address 127.0.0.1\nno fpm use-next-hop-groups");
    follows(true, "fpm address 127.0.0.1\nno fpm use-route-replace");
}

#[test]
fn what_waits_for_a_peer_is_a_name_for_each_route_however_often_it_changes() {
    let mut world = world(true);
    world.lines("fpm address ::1 port 2621");
    let client = world.connect(1, BGP);
    let mut peer = Peer::default();
    world.zebra.fpm_connected(true);
    drain(&mut world, &mut peer);
    peer.messages = 0;
    for round in 0..500 {
        world.announce(client, BGP, "20.0.0.0/24", &hops(round));
    }
    drain(&mut world, &mut peer);
    // A route, its group and the members of that.
    assert!(peer.messages <= 4, "{}", peer.messages);
    // One link fails under many routes: the group is told, the routes are not.
    for index in 0..200 {
        world.announce(client, BGP, &format!("20.1.{index}.0/24"), &hops(2));
    }
    drain(&mut world, &mut peer);
    peer.messages = 0;
    world.link(1, false);
    drain(&mut world, &mut peer);
    assert!(peer.messages < 20, "{}", peer.messages);
}

fn outcomes(world: &mut World, client: zebra_core::ClientKey) -> Vec<RouteOutcome> {
    let results = world.told(client).into_iter().filter_map(|message| match message {
        FromZebra::Results(results) => Some(results),
        _ => None,
    });
    results.flatten().map(|result| result.outcome).collect()
}

#[test]
fn a_daemon_hears_of_its_route_when_the_hardware_has_it() {
    let asic = Some(AsicNotify::OnOffload);
    let mut world = World::with(Options { asic, ..Options::default() });
    world.link(1, true);
    world.address(1, "10.0.1.1/24");
    let client = world.connect(1, BGP);
    world.say(client, ToZebra::WantResults(true));
    let told = |world: &World, offload| {
        let key = (TableId::MAIN, "20.0.0.0/24".parse().unwrap());
        let mut route = listed(key.0, key.1, &world.kernel[&key]);
        route.offload = offload;
        route
    };
    world.announce(client, BGP, "20.0.0.0/24", &[via("10.0.1.2")]);
    assert!(world.kernel("20.0.0.0/24").is_some());
    assert_eq!(outcomes(&mut world, client), [], "the kernel alone is not enough");
    for (offload, outcome) in [
        (Offload::Offloaded, RouteOutcome::Installed),
        (Offload::Failed, RouteOutcome::Rejected(121)),
        (Offload::Trapped, RouteOutcome::Installed),
    ] {
        let route = told(&world, offload);
        world.event(Event::KernelRoute(route.clone()));
        assert_eq!(outcomes(&mut world, client), [outcome]);
        // Once is enough.
        world.event(Event::KernelRoute(route));
        assert_eq!(outcomes(&mut world, client), []);
    }
    // Another route is another matter.
    world.announce(client, BGP, "20.0.0.0/24", &[via("10.0.1.3")]);
    assert_eq!(outcomes(&mut world, client), []);
    let mut route = told(&world, Offload::Offloaded);
    // As the manager's peer writes it: no table.
    route.table = TableId(0);
    world.zebra.fpm_told(&route);
    world.pass_nothing();
    assert_eq!(outcomes(&mut world, client), [RouteOutcome::Installed]);
    let writes = world.writes;
    world.drift();
    assert_eq!(world.writes, writes, "no notice makes zebra write anything");
}

#[test]
fn a_peer_that_does_not_read_costs_no_more_than_telling_it_everything() {
    // New prefixes come and go, and each leaves a name behind.
    const PREFIXES: u32 = (1 << 17) + 20_000;
    let mut world = world(false);
    world.forget_kernel = true;
    world.lines("fpm address 127.0.0.1\n");
    let client = world.connect(1, BGP);
    world.announce(client, BGP, "192.0.2.0/24", &[via("10.0.1.2")]);
    world.zebra.fpm_connected(true);
    world.fpm = None;
    let attrs = crate::world::attrs(BGP, &[via("10.0.1.2")]);
    let mut batch = crate::world::batch(BGP, "192.0.2.0/24", None);
    for start in (0..PREFIXES).step_by(4096) {
        let prefixes = (start..start + 4096)
            .filter_map(|n| ferrite_types::Ipv4Prefix::from_bits(0x1400_0000 + (n << 4), 28));
        let one = |prefix: ferrite_types::Ipv4Prefix, route| ferrite_types::zclient::RouteUpdate {
            prefix: prefix.into(),
            protocol: BGP,
            route,
        };
        let prefixes: Vec<_> = prefixes.collect();
        batch.updates = prefixes.iter().map(|prefix| one(*prefix, Some(attrs.clone()))).collect();
        world.say(client, ToZebra::Routes(batch.clone()));
        batch.updates = prefixes.iter().map(|prefix| one(*prefix, None)).collect();
        world.say(client, ToZebra::Routes(batch.clone()));
    }
    assert_eq!(world.fpm, Some(Some("127.0.0.1:2620".parse().unwrap())), "the connection is made anew");
    assert!(!world.zebra.fpm_pending(), "nothing is kept for nobody");
    let text = world.show("show fpm counters json");
    assert!(text.contains("\"resyncs\":1"), "{text}");
    world.zebra.fpm_connected(true);
    let mut peer = Peer::default();
    drain(&mut world, &mut peer);
    let main: Vec<String> =
        peer.table().keys().map(ToString::to_string).filter(|p| p.starts_with("192")).collect();
    assert_eq!(main, ["192.0.2.0/24"]);
}
