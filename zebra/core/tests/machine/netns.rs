//! VRFs that are network namespaces: links of one name and number in several of them, dumps of each, and their end.

use ferrite_types::zclient::FromZebra;
use std::collections::BTreeSet;
use std::time::Duration;

use ferrite_types::{Afi, IfIndex, Metric, NexthopKind, Prefix, RouteProtocol, TableId, VrfId};
use zebra_core::{
    Event, KernelNexthop, KernelRoute, LinkKind, Netns, NexthopId, NexthopObject, Offload, Options, Single,
    WallClock, Zebra,
};

use crate::world::{Timed, World, address, link, via};

fn world() -> World {
    world_with(false)
}

fn world_with(nexthop_objects: bool) -> World {
    let mut world = World::new();
    let options = Options { netns: true, nexthop_objects, ..Options::default() };
    world.zebra = Zebra::new(options, WallClock::default());
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
            from: None,
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

/// The objects that a namespace's kernel was asked for, by their kernel's numbers.
fn objects(world: &World, netns: Netns) -> BTreeSet<u32> {
    let of = |id: &&NexthopId| Netns::of_object(**id) == netns;
    world.objects.keys().filter(of).map(|id| id.in_kernel()).collect()
}

const TWO_WAYS: &str = "vrf red\n ip route 192.0.2.0/24 10.0.0.2\n ip route 192.0.2.0/24 10.0.0.3\nexit-vrf\n\
    vrf blue\n ip route 198.51.100.0/24 10.0.0.2\n ip route 198.51.100.0/24 10.0.0.3\nexit-vrf\n";

/// The object that a route names.
fn named(world: &World, prefix: &str) -> NexthopId {
    let key = (TableId::MAIN, prefix.parse::<Prefix>().unwrap());
    world.kernel.get(&key).and_then(|route| route.group).expect("it names an object")
}

#[test]
fn each_namespace_has_next_hop_objects_of_its_own() {
    let mut world = world_with(true);
    let red = space(&mut world, 1, "red", "10.0.0.7");
    let blue = space(&mut world, 2, "blue", "10.0.0.8");
    world.lines(TWO_WAYS);
    // A group and its two members each; no number is another's.
    let (of_red, of_blue) = (objects(&world, red), objects(&world, blue));
    assert_eq!((of_red.len(), of_blue.len()), (3, 3));
    assert!(of_red.is_disjoint(&of_blue));
    assert!(objects(&world, Netns::OWN).is_empty());
    for (prefix, netns) in [("192.0.2.0/24", red), ("198.51.100.0/24", blue)] {
        assert_eq!(Netns::of_object(named(&world, prefix)), netns);
    }
    let shown = world.show("show nexthop-group rib vrf red json");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let ids: BTreeSet<u32> = shown.as_object().unwrap().keys().map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids, of_red);

    // Somebody deletes a group in one of them.
    let group = named(&world, "192.0.2.0/24");
    world.objects.remove(&group);
    let gone = red.hear(Event::KernelNexthopGone(NexthopId(group.in_kernel()))).unwrap();
    world.event(gone);
    world.pass(Duration::from_secs(2));
    assert!(world.objects.contains_key(&group));

    // What the kernel lists of it is compared with what is its own.
    let told = |id: NexthopId, object| Event::KernelNexthop(KernelNexthop { id, ours: true, object });
    let hop = |index| {
        let kind = NexthopKind::Gateway("10.0.0.2".parse().unwrap(), Some(IfIndex(index)));
        Some(NexthopObject::Single(Single { afi: Afi::Ipv4, kind, onlink: false, seg6: None }))
    };
    world.event(blue.hear(told(NexthopId(900), hop(2))).unwrap());
    assert!(!objects(&world, blue).contains(&900), "nobody's: it is taken out");

    world.event(Event::NetnsGone(red));
    world.lines(TWO_WAYS);
    world.pass(Duration::from_secs(200));
    assert!(objects(&world, red).is_empty());
    assert_eq!(objects(&world, blue).len(), 3);
}

#[test]
fn objects_of_an_earlier_run_are_taken_over_in_their_namespace() {
    let mut world = world_with(true);
    let netns = Netns::new(1).unwrap();
    let told = |id: u32, object| {
        let told = KernelNexthop { id: NexthopId(id), ours: true, object: Some(object) };
        netns.hear(Event::KernelNexthop(told)).unwrap()
    };
    let single = |gateway: &str| {
        let kind = NexthopKind::Gateway(gateway.parse().unwrap(), Some(IfIndex(2)));
        NexthopObject::Single(Single { afi: Afi::Ipv4, kind, onlink: false, seg6: None })
    };
    world.event(Event::Netns { netns, name: "red".to_owned(), path: "/run/netns/red".to_owned() });
    world.event(netns.hear(Event::DumpBegin).unwrap());
    world.event(netns.hear(Event::Link(link(2, true))).unwrap());
    let address = Event::Address { ifindex: IfIndex(2), address: address("10.0.0.1/24") };
    world.event(netns.hear(address).unwrap());
    let group = NexthopObject::Group(vec![(NexthopId(41), 1), (NexthopId(42), 1)].into());
    for (id, object) in
        [(41, single("10.0.0.2")), (42, single("10.0.0.3")), (43, group), (44, single("10.0.0.9"))]
    {
        world.event(told(id, object));
    }
    world.event(netns.hear(Event::DumpEnd).unwrap());
    world.lines(TWO_WAYS);
    assert_eq!(named(&world, "192.0.2.0/24").in_kernel(), 43);
    assert!(world.objects.is_empty(), "nothing was written: {:?}", world.objects);
    // The one that nobody wants goes in time.
    world.pass(Duration::from_secs(61));
    assert!(world.show("show nexthop-group rib vrf red").contains("ID: 43"));
}
