//! Tables beside the main one: imported, multicast's, and the policy on what resolves next hops.

use ferrite_types::zclient::{FromZebra, LdpSync, ResolveNeighbor, ToZebra, TrackNexthop};
use ferrite_types::{IfIndex, Metric, Nexthop, NexthopKind, RouteProtocol, TableId, VrfId};
use zebra_core::{Event, KernelRoute, LinkChange};

use crate::world::{World, via};

fn world() -> World {
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "10.0.1.1/24");
    world
}

fn foreign(prefix: &str, table: u32, metric: u32) -> KernelRoute {
    let gateway = NexthopKind::Gateway("10.0.1.2".parse().unwrap(), Some(IfIndex(1)));
    KernelRoute {
        table: TableId(table),
        prefix: prefix.parse().unwrap(),
        from: None,
        protocol: RouteProtocol::Kernel,
        metric: Metric(metric),
        nexthops: [Nexthop::new(gateway)].into(),
        mtu: 0,
        source: None,
        group: None,
        offload: zebra_core::Offload::None,
    }
}

#[test]
fn a_table_is_carried_over_and_taken_back() {
    let mut world = world();
    world.event(Event::KernelRoute(foreign("172.16.0.0/16", 10, 7)));
    assert_eq!(world.kernel("172.16.0.0/16"), None);
    world.lines("ip import-table 10 distance 50");
    assert_eq!(world.kernel("172.16.0.0/16").as_deref(), Some("table 10.0.1.2 dev 1"));
    world.event(Event::KernelRoute(foreign("172.17.0.0/16", 10, 0)));
    assert!(world.kernel("172.17.0.0/16").is_some());
    // Another table is no business of the line's.
    world.event(Event::KernelRoute(foreign("172.18.0.0/16", 11, 0)));
    assert!(world.kernel("172.18.0.0/16").is_none());
    let text = world.show("show ip route");
    assert!(text.contains("T[10]>* 172.16.0.0/16 [50/7] via 10.0.1.2, e1"), "{text}");
    // A better source wins as ever.
    world.lines("ip import-table 10 distance 50\nip route 172.16.0.0/16 10.0.1.9");
    assert_eq!(world.kernel("172.16.0.0/16").as_deref(), Some("static 10.0.1.9 dev 1"));
    let map = "ip prefix-list P permit 172.16.0.0/16\nroute-map M permit 10\n match ip address prefix-list P\nexit\n";
    world.lines(&format!("{map}ip import-table 10 route-map M"));
    assert_eq!(world.kernel("172.16.0.0/16").as_deref(), Some("table 10.0.1.2 dev 1"));
    assert!(world.kernel("172.17.0.0/16").is_none(), "the map denies it");
    let other = map.replace("172.16", "172.17");
    world.lines(&format!("{other}ip import-table 10 route-map M"));
    assert!(world.kernel("172.16.0.0/16").is_none());
    assert!(world.kernel("172.17.0.0/16").is_some());
    world.event(Event::KernelRouteGone(foreign("172.17.0.0/16", 10, 0)));
    assert!(world.kernel("172.17.0.0/16").is_none());
    world.lines("ip import-table 10 mrib");
    assert!(world.kernel("172.16.0.0/16").is_none());
    assert!(world.show("show ip rpf").contains("T[10]>* 172.16.0.0/16 [15/7]"));
    world.lines("");
    assert!(!world.show("show ip rpf").contains("172.16"));
    assert!(world.kernel.is_empty());
}

#[test]
fn a_source_of_multicast_is_looked_up_in_its_own_table_first() {
    let mut world = world();
    world.lines("ip route 192.0.2.0/24 10.0.1.2\nip route 192.0.3.0/24 10.0.1.2\nip mroute 192.0.2.0/24 10.0.1.3 7\nip mroute 192.0.4.0/24 e1\n");
    let found = world.show("show ip rpf 192.0.2.9");
    assert!(
        found.contains("multicast") && found.contains("10.0.1.3") && found.contains("distance 7"),
        "{found}"
    );
    let found = world.show("show ip rpf 192.0.3.9");
    assert!(found.contains("unicast") && found.contains("10.0.1.2"), "{found}");
    assert!(world.show("show ip rpf 10.0.1.77").contains("directly connected, e1"));
    assert!(world.show("show ip route mrib 192.0.4.0/24").contains("directly connected, e1"));
    // None of it is forwarded by.
    assert_eq!(world.kernel.len(), 2);
    world.lines("");
    assert!(!world.show("show ip rpf").contains("192.0"));
}

#[test]
fn a_daemon_s_next_hop_is_not_resolved_by_what_its_map_denies() {
    let mut world = world();
    let base = "ip route 192.0.2.0/24 10.0.1.2\n";
    world.lines(base);
    let client = world.connect(1, RouteProtocol::Bgp);
    let item = TrackNexthop {
        vrf: VrfId::DEFAULT,
        addr: "192.0.2.1".parse().unwrap(),
        track: true,
        connected_only: false,
        exact: None,
    };
    world.told(client);
    world.say(client, ToZebra::TrackNexthops(vec![item]));
    let resolved = |world: &mut World| {
        let states = world.told(client).into_iter().filter_map(|message| match message {
            FromZebra::Nexthops(states) => states.into_iter().next_back(),
            _ => None,
        });
        states.last().map(|state| state.resolved.is_some())
    };
    assert_eq!(resolved(&mut world), Some(true));
    let map = "route-map NONE deny 10\nexit\n";
    world.lines(&format!("{base}{map}ip nht bgp route-map NONE"));
    assert_eq!(resolved(&mut world), Some(false));
    world.lines(&format!("{base}{map}ip nht ospf route-map NONE"));
    assert_eq!(resolved(&mut world), Some(true));
    let text = world.show("show ip nht route-map");
    assert!(text.contains("ospf                      : NONE      \n"), "{text}");
    // A change of the route is judged too.
    world.lines(&format!("{base}{map}ip nht any route-map NONE"));
    assert_eq!(resolved(&mut world), Some(false));
    world.announce(client, RouteProtocol::Bgp, "192.0.2.0/25", &[via("10.0.1.7")]);
    assert_ne!(resolved(&mut world), Some(true));
}

#[test]
fn clients_hear_what_links_offer_when_it_changes_and_when_they_come() {
    let mut world = world();
    let early = world.connect(1, RouteProtocol::Ospf);
    let heard = |world: &mut World, client| -> Vec<Option<(Option<u32>, f32)>> {
        let told = world.told(client).into_iter().filter_map(|message| match message {
            FromZebra::LinkParams { params, .. } => {
                Some(params.map(|p| (p.metric, p.max_bandwidth.map_or(0.0, |octets| octets.0))))
            }
            _ => None,
        });
        told.collect()
    };
    assert_eq!(heard(&mut world, early), []);
    let lines = "interface e1\n bandwidth 100\n link-params\n  metric 20\n exit-link-params\nexit\n";
    world.lines(lines);
    assert_eq!(heard(&mut world, early), [Some((Some(20), 12.5e6))]);
    world.lines(lines);
    assert_eq!(heard(&mut world, early), []);
    let late = world.connect(2, RouteProtocol::Isis);
    assert_eq!(heard(&mut world, late), [Some((Some(20), 12.5e6))]);
    world.lines("interface e1\n bandwidth 100\nexit\n");
    assert_eq!(heard(&mut world, late), [None]);
}

#[test]
fn protocols_hear_where_ldp_is_ready_and_that_it_has_gone() {
    let mut world = world();
    let early = world.connect(1, RouteProtocol::Ospf);
    let ldpd = world.connect(2, RouteProtocol::Ldp);
    let heard = |world: &mut World, client| -> Vec<LdpSync> {
        let told = world.told(client).into_iter().filter_map(|message| match message {
            FromZebra::LdpSync(said) => Some(said),
            _ => None,
        });
        told.collect()
    };
    let ifindex = IfIndex(1);
    let ready = LdpSync::Link { ifindex, in_sync: true };
    world.say(ldpd, ToZebra::LdpSync(ready));
    world.say(ldpd, ToZebra::LdpSync(ready));
    world.say(ldpd, ToZebra::LdpSync(LdpSync::Link { ifindex: IfIndex(999), in_sync: true }));
    assert_eq!(heard(&mut world, early), [ready]);
    let late = world.connect(3, RouteProtocol::Isis);
    assert_eq!(heard(&mut world, late), [ready]);
    world.event(Event::ClientGone { client: ldpd });
    assert_eq!(heard(&mut world, early), [LdpSync::Gone]);
}

#[test]
fn neighbours_are_looked_for_on_links_that_are_up() {
    let mut world = world();
    let ospf = world.connect(1, RouteProtocol::Ospf);
    world.link_changes.clear();
    let ask = |world: &mut World, ifindex: u32, addr: &str| {
        let (ifindex, addr) = (IfIndex(ifindex), addr.parse().unwrap());
        world.say(ospf, ToZebra::Resolve(ResolveNeighbor { ifindex, addr }));
        std::mem::take(&mut world.link_changes)
    };
    let (ifindex, addr) = (IfIndex(1), "10.0.1.2".parse().unwrap());
    assert_eq!(ask(&mut world, 1, "10.0.1.2"), [LinkChange::Resolve { ifindex, addr }]);
    for (ifindex, addr) in
        [(999, "10.0.0.2"), (1, "224.0.0.5"), (1, "255.255.255.255"), (1, "0.0.0.0"), (1, "ff02::1")]
    {
        assert_eq!(ask(&mut world, ifindex, addr), [], "{addr}");
    }
}
