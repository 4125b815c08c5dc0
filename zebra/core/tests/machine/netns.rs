//! VRFs that are network namespaces: links of one name and number in several of them, dumps of each, and their end.

use ferrite_types::zclient::FromZebra;
use ferrite_types::{IfIndex, Metric, Prefix, RouteProtocol, TableId, VrfId};
use zebra_core::{Event, KernelRoute, LinkKind, Netns, Offload, Options, WallClock, Zebra};

use crate::world::{World, address, link, via};

fn world() -> World {
    let mut world = World::new();
    world.zebra = Zebra::new(Options { netns: true, ..Options::default() }, WallClock::default());
    world.event(Event::DumpBegin);
    world.event(Event::DumpEnd);
    world
}

/// A namespace with link 2, which has the address that they all have.
fn space(world: &mut World, number: u16, name: &str, gateway: &str) -> Netns {
    let netns = Netns::new(number).unwrap();
    world.event(Event::Netns { netns, name: name.to_owned(), path: format!("/run/netns/{name}") });
    list(world, netns, Some(gateway));
    netns
}

fn list(world: &mut World, netns: Netns, foreign: Option<&str>) {
    let mut events = vec![Event::DumpBegin, Event::Link(link(2, true))];
    events.push(Event::Address { ifindex: IfIndex(2), address: address("10.0.0.1/24") });
    events.extend(foreign.map(|gateway| {
        let mut hop = via(gateway);
        hop.kind = ferrite_types::NexthopKind::Gateway(gateway.parse().unwrap(), Some(IfIndex(2)));
        Event::KernelRoute(KernelRoute {
            table: TableId::MAIN,
            prefix: "203.0.113.0/24".parse().unwrap(),
            protocol: RouteProtocol::Kernel,
            metric: Metric(0),
            nexthops: [hop].into(),
            mtu: 0,
            source: None,
            group: None,
            offload: Offload::None,
        })
    }));
    events.push(Event::DumpEnd);
    for event in events.into_iter().filter_map(|event| netns.hear(event)) {
        world.event(event);
    }
}

/// The namespace and the link that a route leaves through.
fn route(world: &World, prefix: &str) -> Option<(u16, IfIndex)> {
    let key = (TableId::MAIN, prefix.parse::<Prefix>().unwrap());
    let found = world.kernel.get(&key)?;
    let exit = found.nexthops.first()?.ifindex()?;
    Some((Netns::of_link(exit).number(), exit.in_kernel()))
}

#[test]
fn each_namespace_is_a_vrf_and_goes_with_it() {
    let mut world = world();
    let client = world.connect(1, RouteProtocol::Bgp);
    let red = space(&mut world, 1, "red", "10.0.0.7");
    space(&mut world, 2, "blue", "10.0.0.8");
    let told = world.told(client);
    let vrf = |number, name: &str| FromZebra::Vrf {
        vrf: VrfId(number),
        name: name.to_owned(),
        table: TableId::MAIN,
        netns: Some(format!("/run/netns/{name}")),
    };
    assert!(told.contains(&vrf(1, "red")) && told.contains(&vrf(2, "blue")), "{told:?}");
    let links: Vec<VrfId> = told
        .iter()
        .filter_map(|message| match message {
            FromZebra::Interface(interface) => Some(interface.vrf),
            _ => None,
        })
        .collect();
    assert_eq!(links, [VrfId(1), VrfId(2)]);
    world.lines("vrf blue\n ip route 192.0.2.0/24 10.0.0.2\nexit-vrf\n");
    assert_eq!(route(&world, "192.0.2.0/24"), Some((2, IfIndex(2))));
    world.lines("vrf red\n ip route 198.51.100.0/24 10.0.0.2 e2\nexit-vrf\n");
    assert_eq!(route(&world, "198.51.100.0/24"), Some((1, IfIndex(2))));

    world.told(client);
    world.event(Event::NetnsGone(red));
    assert!(world.told(client).contains(&FromZebra::VrfGone(VrfId(1))));
}

#[test]
fn a_dump_of_one_namespace_forgets_nothing_of_another() {
    let mut world = world();
    let client = world.connect(1, RouteProtocol::Bgp);
    let red = space(&mut world, 1, "red", "10.0.0.7");
    space(&mut world, 2, "blue", "10.0.0.8");
    world.told(client);
    // Events were lost in red, and its foreign route is gone.
    list(&mut world, red, None);
    let gone = |told: &[FromZebra]| told.iter().filter(|m| matches!(m, FromZebra::InterfaceGone(_))).count();
    assert_eq!(gone(&world.told(client)), 0);
    // The own namespace has no links at all.
    world.event(Event::DumpBegin);
    world.event(Event::DumpEnd);
    assert_eq!(gone(&world.told(client)), 0);
    // A VRF's device is one like any other.
    let mut device = link(9, true);
    device.kind = LinkKind::Vrf(TableId(100));
    world.event(Event::Link(device));
    assert!(!world.told(client).iter().any(|message| matches!(message, FromZebra::Vrf { .. })));
}
