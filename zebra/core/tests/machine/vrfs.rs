//! VRFs that come and go: links that belong to them, tables, what clients are told.

use ferrite_types::zclient::{FromZebra, RedistributeRequest, RouteBatch, ToZebra, TrackNexthop};
use ferrite_types::{Afi, IfIndex, Prefix, RouteProtocol, TableId, VrfId};
use zebra_core::{Event, LinkKind};

use crate::world::{World, attrs, batch, link, via};

const RED: VrfId = VrfId(9);

fn device(world: &mut World, index: u32, table: u32) {
    let mut info = link(index, true);
    info.interface.name = "RED".into();
    info.kind = LinkKind::Vrf(TableId(table));
    world.event(Event::Link(info));
}

fn member(world: &mut World, index: u32, master: Option<u32>) {
    let mut info = link(index, true);
    info.master = master.map(IfIndex);
    world.event(Event::Link(info));
}

fn in_kernel(world: &World, table: u32, prefix: &str) -> bool {
    world.kernel.contains_key(&(TableId(table), prefix.parse::<Prefix>().unwrap()))
}

#[test]
fn a_link_listed_before_its_vrf_belongs_to_it() {
    let mut world = World::new();
    let client = world.connect(1, RouteProtocol::Bgp);
    member(&mut world, 2, Some(9));
    world.address(2, "10.0.0.1/24");
    device(&mut world, 9, 100);
    let told = world.told(client);
    let last = told.iter().rev().find_map(|message| match message {
        FromZebra::Interface(interface) if interface.ifindex == IfIndex(2) => Some(interface.vrf),
        _ => None,
    });
    assert_eq!(last, Some(RED));
    let id = FromZebra::RouterId { vrf: RED, router_id: "10.0.0.1".parse().unwrap() };
    assert!(told.contains(&id), "{told:?}");
    world.lines("vrf RED\n ip route 192.0.2.0/24 10.0.0.2\nexit-vrf\n");
    assert!(in_kernel(&world, 100, "192.0.2.0/24"));
}

#[test]
fn routes_of_a_vrf_go_with_it_and_are_asked_for_anew_in_the_next() {
    let mut world = World::new();
    device(&mut world, 9, 100);
    member(&mut world, 2, Some(9));
    world.address(2, "10.0.0.1/24");
    let client = world.connect(1, RouteProtocol::Bgp);
    let announce = |world: &mut World, vrf| {
        let route = attrs(RouteProtocol::Bgp, &[ferrite_types::Nexthop { vrf, ..via("10.0.0.2") }]);
        let one = RouteBatch { vrf, ..batch(RouteProtocol::Bgp, "192.0.2.0/24", Some(route)) };
        world.say(client, ToZebra::Routes(one));
        let track = TrackNexthop {
            vrf,
            addr: "10.0.0.2".parse().unwrap(),
            connected_only: false,
            exact: None,
            track: true,
        };
        world.say(client, ToZebra::TrackNexthops(vec![track]));
        let protocol = RouteProtocol::Connected;
        let wanted = RedistributeRequest { vrf, afi: Afi::Ipv4, protocol, instance: 0, subscribe: true };
        world.say(client, ToZebra::Redistribute(wanted));
    };
    announce(&mut world, RED);
    assert!(in_kernel(&world, 100, "192.0.2.0/24"));
    let told = world.told(client);
    let reachable = |message: &FromZebra| matches!(message, FromZebra::Nexthops(states) if states.iter().any(|s| s.resolved.is_some()));
    assert!(told.iter().any(reachable));
    assert!(told.iter().any(|message| matches!(message, FromZebra::Redistributed(_))));

    member(&mut world, 2, None);
    world.event(Event::LinkGone(IfIndex(9)));
    assert!(world.told(client).contains(&FromZebra::VrfGone(RED)));
    world.kernel.clear(); // as the kernel does
    world.lines("");

    device(&mut world, 12, 101);
    member(&mut world, 2, Some(12));
    announce(&mut world, VrfId(12));
    assert!(in_kernel(&world, 101, "192.0.2.0/24"));
    assert!(world.told(client).iter().any(reachable));
    assert!(!in_kernel(&world, 100, "192.0.2.0/24"));
}
