//! The machine driven by events: what stands in the kernel, and what clients are told.

use std::sync::Arc;
use std::time::Duration;

use crate::world::{Timed, World, address, via};
use ferrite_types::zclient::{
    FromZebra, RedistributeRequest, RouteOutcome, RouterAdvertisements, ToZebra, TrackNexthop,
};
use ferrite_types::{Afi, IfIndex, Metric, Nexthop, NexthopKind, RouteProtocol, TableId, VrfId};
use zebra_core::{Event, KernelRoute};

use RouteProtocol::{Bgp, Ospf, Ospf6, Static};

/// Two links with networks 10.1.0.0/24 and 10.2.0.0/24.
fn two_links() -> World {
    let mut world = World::new();
    for index in [1, 2] {
        world.link(index, true);
        world.address(index, &format!("10.{index}.0.1/24"));
    }
    world
}

#[test]
fn a_floating_static_route_takes_over_when_the_link_goes_and_gives_back_when_it_returns() {
    let mut world = two_links();
    world.lines("ip route 192.0.2.0/24 10.1.0.2\nip route 192.0.2.0/24 10.2.0.2 200\n");
    assert_eq!(world.kernel("192.0.2.0/24").unwrap(), "static 10.1.0.2 dev 1");
    world.link(1, false);
    assert_eq!(world.kernel("192.0.2.0/24").unwrap(), "static 10.2.0.2 dev 2");
    world.link(1, true);
    assert_eq!(world.kernel("192.0.2.0/24").unwrap(), "static 10.1.0.2 dev 1");
    world.lines("");
    assert!(world.kernel.is_empty());
}

#[test]
fn every_form_of_static_route_reaches_the_kernel() {
    let mut world = two_links();
    world.address(1, "2001:db8::1/64");
    world.lines(
        "ip route 20.0.1.0/24 10.1.0.2\nip route 20.0.2.0/24 e1\nip route 20.0.3.0/24 10.1.0.2 e1\n\
         ip route 20.0.4.0/24 Null0\nip route 20.0.5.0/24 reject\nip route 20.0.6.0/24 99.0.0.1 e1 onlink\n\
         ip route 20.0.7.0/24 10.1.0.2\nip route 20.0.7.0/24 10.2.0.2\nip route 20.0.8.0/24 20.0.1.9\n\
         ip route 20.0.9.0/24 10.1.0.2 e2\nip route 20.0.10.0/24 nosuch\nip route 20.0.11.0/24 10.1.0.1\n\
         ip route 20.0.12.0/24 10.1.0.2 table 77\n\
         ipv6 route 2001:db8:1::/48 fe80::2 e1\nipv6 route 2001:db8:2::/48 2001:db8::2\n",
    );
    let rows = [
        ("20.0.1.0/24", Some("static 10.1.0.2 dev 1")),
        ("20.0.2.0/24", Some("static dev 1")),
        ("20.0.3.0/24", Some("static 10.1.0.2 dev 1")),
        ("20.0.4.0/24", Some("static Null")),
        ("20.0.5.0/24", Some("static Reject")),
        ("20.0.6.0/24", Some("static 99.0.0.1 dev 1")),
        ("20.0.7.0/24", Some("static 10.1.0.2 dev 1 + 10.2.0.2 dev 2")),
        ("20.0.8.0/24", Some("static 10.1.0.2 dev 1")),
        ("20.0.9.0/24", None),
        ("20.0.10.0/24", None),
        // The gateway is our own address.
        ("20.0.11.0/24", None),
        // It stands in the other table.
        ("20.0.12.0/24", None),
        ("2001:db8:1::/48", Some("static fe80::2 dev 1")),
        ("2001:db8:2::/48", Some("static 2001:db8::2 dev 1")),
    ];
    for (prefix, expected) in rows {
        assert_eq!(world.kernel(prefix).as_deref(), expected, "{prefix}");
    }
    assert!(world.kernel.contains_key(&(TableId(77), "20.0.12.0/24".parse().unwrap())));
}

#[test]
fn the_lower_distance_wins_and_connected_wins_over_all() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    let ospf = world.connect(2, RouteProtocol::Ospf);
    world.announce(ospf, RouteProtocol::Ospf, "30.0.0.0/24", &[via("10.2.0.2")]);
    assert_eq!(world.kernel("30.0.0.0/24").unwrap(), "ospf 10.2.0.2 dev 2");
    world.announce(bgp, Bgp, "30.0.0.0/24", &[via("10.1.0.2")]);
    assert_eq!(world.kernel("30.0.0.0/24").unwrap(), "bgp 10.1.0.2 dev 1");
    world.withdraw(bgp, Bgp, "30.0.0.0/24");
    assert_eq!(world.kernel("30.0.0.0/24").unwrap(), "ospf 10.2.0.2 dev 2");
    world.announce(bgp, Bgp, "10.1.0.0/24", &[via("10.2.0.2")]);
    assert_eq!(world.kernel("10.1.0.0/24"), None);
}

#[test]
fn a_recursive_route_follows_the_route_that_it_resolves_through() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.lines("ip route 40.0.0.0/24 10.1.0.2\n");
    world.announce(bgp, Bgp, "50.0.0.0/16", &[via("40.0.0.7")]);
    assert_eq!(world.kernel("50.0.0.0/16").unwrap(), "bgp 10.1.0.2 dev 1");
    world.lines("ip route 40.0.0.0/24 10.2.0.2\nip route 40.0.0.0/24 10.1.0.2\n");
    assert_eq!(world.kernel("50.0.0.0/16").unwrap(), "bgp 10.1.0.2 dev 1 + 10.2.0.2 dev 2");
    world.lines("");
    assert_eq!(world.kernel("50.0.0.0/16"), None);
    // A default route resolves too, unless that is switched off.
    world.lines("ip route 0.0.0.0/0 10.1.0.2\n");
    assert_eq!(world.kernel("50.0.0.0/16").unwrap(), "bgp 10.1.0.2 dev 1");
    world.lines("ip route 0.0.0.0/0 10.1.0.2\nno ip nht resolve-via-default\n");
    assert_eq!(world.kernel("50.0.0.0/16"), None);
}

#[test]
fn routes_that_resolve_through_themselves_or_each_other_settle() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "60.0.0.0/8", &[via("60.0.0.1")]);
    assert_eq!(world.kernel("60.0.0.0/8"), None);
    world.announce(bgp, Bgp, "61.0.0.0/8", &[via("62.0.0.1")]);
    world.announce(bgp, Bgp, "62.0.0.0/8", &[via("61.0.0.1")]);
    assert_eq!(world.kernel("61.0.0.0/8"), None);
    assert_eq!(world.kernel("62.0.0.0/8"), None);
    // Under a default route a route through itself still is none; one through the other follows the default.
    world.lines("ip route 0.0.0.0/0 10.1.0.2\n");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.kernel("60.0.0.0/8"), None);
    let writes = world.writes;
    world.pass(Duration::from_mins(1));
    assert_eq!(world.writes, writes, "nothing flaps");
}

#[test]
fn routes_of_a_dead_client_stay_until_it_has_replayed_or_the_hold_time_is_over() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    for prefix in ["70.0.0.0/24", "70.0.1.0/24"] {
        world.announce(bgp, Bgp, prefix, &[via("10.1.0.2")]);
    }
    world.say(bgp, ToZebra::ReplayDone);
    world.event(Event::ClientGone { client: bgp });
    world.pass(Duration::from_secs(30));
    assert!(world.kernel("70.0.0.0/24").is_some());

    let writes = world.writes;
    let again = world.connect(2, Bgp);
    world.announce(again, Bgp, "70.0.0.0/24", &[via("10.1.0.2")]);
    world.pass(Duration::from_mins(2));
    assert!(world.kernel("70.0.1.0/24").is_some(), "nothing goes before the replay is done");
    world.say(again, ToZebra::ReplayDone);
    assert_eq!(world.kernel("70.0.1.0/24"), None);
    assert_eq!(world.writes, writes + 1, "the route that was named again was not written again");

    world.event(Event::ClientGone { client: again });
    world.pass(Duration::from_secs(59));
    assert!(world.kernel("70.0.0.0/24").is_some());
    world.pass(Duration::from_secs(2));
    assert!(world.kernel.is_empty());
}

#[test]
fn a_client_says_how_long_its_routes_are_kept() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "70.0.0.0/24", &[via("10.1.0.2")]);
    world.say(bgp, ToZebra::HoldRoutes(Some(500)));
    world.event(Event::ClientGone { client: bgp });
    world.pass(Duration::from_secs(499));
    assert!(world.kernel("70.0.0.0/24").is_some());
    world.pass(Duration::from_secs(2));
    assert!(world.kernel.is_empty());
}

#[test]
fn a_goodbye_takes_the_routes_at_once() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "70.0.0.0/24", &[via("10.1.0.2")]);
    world.say(bgp, ToZebra::Goodbye { keep_routes: false });
    assert!(world.kernel.is_empty());
}

fn kernel_route(prefix: &str, protocol: RouteProtocol, nexthop: Nexthop) -> KernelRoute {
    KernelRoute {
        offload: zebra_core::Offload::None,
        source: None,
        group: None,
        table: TableId::MAIN,
        prefix: prefix.parse().unwrap(),
        from: None,
        protocol,
        metric: Metric(20),
        nexthops: Arc::new([nexthop]),
        mtu: 0,
    }
}

fn gateway(addr: &str, index: u32) -> Nexthop {
    Nexthop::new(NexthopKind::Gateway(addr.parse().unwrap(), Some(IfIndex(index))))
}

/// A world in whose kernel an earlier run has left two BGP routes.
fn inherited() -> World {
    inherited_of(Bgp)
}

/// The same, of a protocol as the kernel tells it.
fn inherited_of(protocol: RouteProtocol) -> World {
    let mut world = two_links();
    world.zebra = zebra_core::Zebra::new(zebra_core::Options::default(), zebra_core::WallClock::default());
    world.event(Event::DumpBegin);
    for index in [1, 2] {
        world.link(index, true);
        world.address(index, &format!("10.{index}.0.1/24"));
    }
    for prefix in ["80.0.0.0/24", "80.0.1.0/24"] {
        let route = kernel_route(prefix, protocol, gateway("10.1.0.2", 1));
        let in_kernel = zebra_core::FibRoute {
            protocol,
            nexthops: route.nexthops.clone(),
            mtu: 0,
            source: None,
            group: None,
        };
        world.kernel.insert((TableId::MAIN, route.prefix), in_kernel);
        world.event(Event::KernelRoute(route));
    }
    world.event(Event::DumpEnd);
    world
}

#[test]
fn routes_of_an_earlier_run_are_adopted_without_a_write_and_swept_after_the_replay() {
    let mut world = inherited();
    assert_eq!(world.writes, 0);
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "80.0.0.0/24", &[via("10.1.0.2")]);
    assert_eq!(world.writes, 0, "the kernel has it already");
    world.say(bgp, ToZebra::ReplayDone);
    assert_eq!(world.writes, 1);
    assert_eq!(world.kernel("80.0.1.0/24"), None);
    world.pass(Duration::from_mins(5));
    assert_eq!(world.kernel("80.0.0.0/24").unwrap(), "bgp 10.1.0.2 dev 1");
}

/// OSPFv2 and OSPFv3 have one number in the kernel.
#[test]
fn an_adopted_route_is_that_of_any_protocol_with_its_number() {
    for (program, protocol) in [(Ospf, Ospf6), (Ospf6, Ospf6), (Ospf6, Ospf)] {
        let mut world = inherited_of(Ospf);
        let ospf = world.connect(1, program);
        world.announce(ospf, protocol, "80.0.0.0/24", &[via("10.1.0.2")]);
        let candidates = world.show("show ip route 80.0.0.0/24").matches("Routing entry for").count();
        assert_eq!(candidates, 1, "{}", world.show("show ip route 80.0.0.0/24"));
        world.say(ospf, ToZebra::ReplayDone);
        assert!(world.kernel("80.0.0.0/24").is_some_and(|route| route.contains("10.1.0.2")));
        assert_eq!(world.kernel("80.0.1.0/24"), None);
        assert_eq!(world.drift().total(), 0);
        let name = protocol.name();
        assert!(world.show(&format!("show ip route {name}")).contains("80.0.0.0/24"), "{name}");
        // What its source takes back is gone at once.
        world.withdraw(ospf, protocol, "80.0.0.0/24");
        assert_eq!(world.kernel("80.0.0.0/24"), None);
    }
}

#[test]
fn adopted_routes_that_nobody_claims_go_after_their_time() {
    let mut world = inherited();
    world.pass(Duration::from_secs(59));
    assert_eq!(world.kernel.len(), 2);
    world.pass(Duration::from_secs(2));
    assert!(world.kernel.is_empty());
}

#[test]
fn an_adopted_route_with_another_next_hop_is_replaced() {
    let mut world = inherited();
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "80.0.0.0/24", &[via("10.2.0.2")]);
    assert_eq!(world.kernel("80.0.0.0/24").unwrap(), "bgp 10.2.0.2 dev 2");
}

#[test]
fn what_the_kernel_refuses_is_told_and_tried_again_with_back_off() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    let prefix = "90.0.0.0/24".parse().unwrap();
    world.refuse.insert(prefix, 12);
    world.told(bgp);
    world.announce(bgp, Bgp, "90.0.0.0/24", &[via("10.1.0.2")]);
    let told = world.told(bgp);
    assert!(
        matches!(&told[..], [FromZebra::Results(r)] if r[0].outcome == RouteOutcome::Rejected(12)),
        "{told:?}"
    );
    let before = world.writes;
    world.pass(Duration::from_secs(100));
    let tries = world.writes - before;
    assert!((4..=8).contains(&tries), "{tries} tries in 100 s");
    world.refuse.clear();
    world.pass(Duration::from_secs(100));
    assert!(world.kernel("90.0.0.0/24").is_some());
}

#[test]
fn a_route_that_somebody_else_takes_out_is_put_back() {
    let mut world = two_links();
    world.lines("ip route 192.0.2.0/24 10.1.0.2\n");
    world.kernel.clear();
    world.event(Event::KernelRouteGone(kernel_route("192.0.2.0/24", Static, gateway("10.1.0.2", 1))));
    assert!(world.kernel.is_empty());
    world.pass(Duration::from_secs(1));
    assert!(world.kernel("192.0.2.0/24").is_some());
}

#[test]
fn a_foreign_route_of_a_link_that_went_down_does_not_come_back_with_it() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.event(Event::KernelRoute(kernel_route(
        "172.16.0.0/16",
        RouteProtocol::Kernel,
        gateway("10.1.0.9", 1),
    )));
    world.announce(bgp, Bgp, "50.0.0.0/16", &[via("172.16.0.1")]);
    assert!(world.kernel("50.0.0.0/16").is_some());
    world.link(1, false);
    world.link(1, true);
    assert_eq!(world.kernel("50.0.0.0/16"), None);
}

#[test]
fn a_new_dump_finds_what_is_missing_and_what_is_too_much() {
    let mut world = two_links();
    world.lines("ip route 192.0.2.0/24 10.1.0.2\n");
    let foreign = kernel_route("172.16.0.0/16", RouteProtocol::Kernel, gateway("10.1.0.9", 1));
    world.event(Event::KernelRoute(foreign));
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "50.0.0.0/16", &[via("172.16.0.1")]);
    assert!(world.kernel("50.0.0.0/16").is_some());
    world.kernel.remove(&(TableId::MAIN, "192.0.2.0/24".parse().unwrap()));
    let orphan = kernel_route("99.0.0.0/24", Bgp, gateway("10.1.0.2", 1));
    let in_kernel = zebra_core::FibRoute {
        protocol: Bgp,
        nexthops: orphan.nexthops.clone(),
        mtu: 0,
        source: None,
        group: None,
    };
    world.kernel.insert((TableId::MAIN, orphan.prefix), in_kernel);
    // Events were lost: the dump names neither the static nor the foreign route.
    world.event(Event::DumpBegin);
    for index in [1, 2] {
        world.link(index, true);
        world.address(index, &format!("10.{index}.0.1/24"));
    }
    world.event(Event::KernelRoute(orphan));
    world.event(Event::KernelRoute(kernel_route("50.0.0.0/16", Bgp, gateway("10.1.0.9", 1))));
    world.event(Event::DumpEnd);
    world.pass(Duration::from_secs(1));
    assert!(world.kernel("192.0.2.0/24").is_some());
    assert_eq!(world.kernel("99.0.0.0/24"), None);
    assert_eq!(world.kernel("50.0.0.0/16"), None, "its next hop is no longer reachable");
}

#[test]
fn a_link_or_an_address_that_went_unheard_is_gone_after_the_dump() {
    let mut world = two_links();
    world.address(1, "10.9.0.1/24");
    world.lines(
        "ip route 192.0.2.0/24 10.1.0.2\nip route 192.0.3.0/24 10.9.0.2\nip route 192.0.4.0/24 10.2.0.2\n",
    );
    assert_eq!(world.kernel.len(), 3);
    world.event(Event::DumpBegin);
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    world.event(Event::DumpEnd);
    assert!(world.kernel("192.0.2.0/24").is_some());
    assert_eq!(world.kernel("192.0.3.0/24"), None);
    assert_eq!(world.kernel("192.0.4.0/24"), None);
}

fn tracked(world: &mut World, client: zebra_core::ClientKey) -> Option<Option<String>> {
    let states = world.told(client).into_iter().filter_map(|message| match message {
        FromZebra::Nexthops(states) => Some(states),
        _ => None,
    });
    let state = states.flatten().last()?;
    Some(state.resolved.map(|resolution| format!("{} {}", resolution.protocol, resolution.prefix)))
}

#[test]
fn a_tracked_next_hop_is_reported_whenever_it_is_reached_differently() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    let item = TrackNexthop {
        vrf: VrfId::DEFAULT,
        addr: "10.1.0.7".parse().unwrap(),
        connected_only: false,
        exact: None,
        track: true,
    };
    world.told(bgp);
    world.say(bgp, ToZebra::TrackNexthops(vec![item]));
    assert_eq!(tracked(&mut world, bgp), Some(Some("connected 10.1.0.0/24".to_owned())));
    world.lines("ip route 10.0.0.0/8 10.2.0.2\n");
    assert_eq!(tracked(&mut world, bgp), None, "the longer match is the same");
    world.link(1, false);
    assert_eq!(tracked(&mut world, bgp), Some(Some("static 10.0.0.0/8".to_owned())));
    world.lines("");
    assert_eq!(tracked(&mut world, bgp), Some(None));
    world.say(bgp, ToZebra::TrackNexthops(vec![TrackNexthop { track: false, ..item }]));
    world.link(1, true);
    assert_eq!(tracked(&mut world, bgp), None);
}

#[test]
fn a_tracked_prefix_is_reported_when_it_is_selected_itself() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    let item = TrackNexthop {
        vrf: VrfId::DEFAULT,
        addr: "40.0.0.0".parse().unwrap(),
        connected_only: false,
        exact: Some(16),
        track: true,
    };
    world.told(bgp);
    world.say(bgp, ToZebra::TrackNexthops(vec![item]));
    assert_eq!(tracked(&mut world, bgp), Some(None));
    // What covers it, begins alike, or lies within says nothing of it.
    world.lines("ip route 40.0.0.0/8 10.1.0.2\nip route 40.0.0.0/24 10.1.0.2\n");
    assert_eq!(tracked(&mut world, bgp), None);
    world.lines("ip route 40.0.0.0/16 10.1.0.2\nip route 40.0.0.0/24 10.1.0.2\n");
    assert_eq!(tracked(&mut world, bgp), Some(Some("static 40.0.0.0/16".to_owned())));
    world.lines("ip route 40.0.0.0/24 10.1.0.2\n");
    assert_eq!(tracked(&mut world, bgp), Some(None));
    world.say(bgp, ToZebra::TrackNexthops(vec![TrackNexthop { track: false, ..item }]));
    world.lines("ip route 40.0.0.0/16 10.1.0.2\n");
    assert_eq!(tracked(&mut world, bgp), None);
}

#[test]
fn only_connected_networks_count_where_a_client_asks_for_that() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.lines("ip route 40.0.0.0/24 10.1.0.2\n");
    world.told(bgp);
    let item = TrackNexthop {
        vrf: VrfId::DEFAULT,
        addr: "40.0.0.7".parse().unwrap(),
        connected_only: true,
        exact: None,
        track: true,
    };
    world.say(bgp, ToZebra::TrackNexthops(vec![item]));
    assert_eq!(tracked(&mut world, bgp), Some(None));
}

#[test]
fn a_subscriber_sees_the_selected_routes_of_a_source_and_their_changes() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.lines("ip route 192.0.2.0/24 10.1.0.2\n");
    world.told(bgp);
    let request = RedistributeRequest {
        vrf: VrfId::DEFAULT,
        afi: Afi::Ipv4,
        protocol: Static,
        instance: 0,
        subscribe: true,
    };
    world.say(bgp, ToZebra::Redistribute(request));
    let seen = |world: &mut World| -> Vec<(String, bool)> {
        let lists = world.told(bgp).into_iter().filter_map(|message| match message {
            FromZebra::Redistributed(list) => Some(list),
            _ => None,
        });
        lists.flatten().map(|route| (route.prefix.to_string(), route.route.is_some())).collect()
    };
    assert_eq!(seen(&mut world), [("192.0.2.0/24".to_owned(), true)]);
    world.link(1, false);
    assert_eq!(seen(&mut world), [("192.0.2.0/24".to_owned(), false)]);
    world.link(1, true);
    assert_eq!(seen(&mut world), [("192.0.2.0/24".to_owned(), true)]);
    world.say(bgp, ToZebra::Redistribute(RedistributeRequest { subscribe: false, ..request }));
    world.lines("");
    assert_eq!(seen(&mut world), []);
}

#[test]
fn a_table_that_nobody_forwards_by_is_redistributed_by_its_number() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    let route = |prefix: &str, table: u32| KernelRoute {
        table: TableId(table),
        ..kernel_route(prefix, RouteProtocol::Kernel, gateway("10.1.0.2", 1))
    };
    world.event(Event::KernelRoute(route("192.0.2.0/24", 100)));
    world.event(Event::KernelRoute(route("198.51.100.0/24", 200)));
    world.told(bgp);
    let request = RedistributeRequest {
        vrf: VrfId::DEFAULT,
        afi: Afi::Ipv4,
        protocol: RouteProtocol::TableDirect,
        instance: 100,
        subscribe: true,
    };
    world.say(bgp, ToZebra::Redistribute(request));
    let seen = |world: &mut World| -> Vec<(String, u32, bool)> {
        let lists = world.told(bgp).into_iter().filter_map(|message| match message {
            FromZebra::Redistributed(list) => Some(list),
            _ => None,
        });
        lists
            .flatten()
            .map(|route| (route.prefix.to_string(), route.instance, route.route.is_some()))
            .collect()
    };
    assert_eq!(seen(&mut world), [("192.0.2.0/24".to_owned(), 100, true)]);
    world.event(Event::KernelRoute(route("203.0.113.0/24", 100)));
    world.event(Event::KernelRoute(route("203.0.113.0/24", 255)));
    assert_eq!(seen(&mut world), [("203.0.113.0/24".to_owned(), 100, true)]);
    world.event(Event::KernelRouteGone(route("192.0.2.0/24", 100)));
    assert_eq!(seen(&mut world), [("192.0.2.0/24".to_owned(), 100, false)]);
    assert!(world.kernel.is_empty(), "nothing of it goes back into the kernel");
}

#[test]
fn the_router_id_is_the_configured_one_else_the_highest() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    let id = |world: &mut World| -> Option<String> {
        let mut ids = world.told(bgp).into_iter().filter_map(|message| match message {
            FromZebra::RouterId { router_id, .. } => Some(router_id.to_string()),
            _ => None,
        });
        ids.next_back()
    };
    assert_eq!(id(&mut world).unwrap(), "10.2.0.1");
    let mut lo = crate::world::link(3, true);
    lo.interface.loopback = true;
    world.event(Event::Link(lo));
    world.event(Event::Address { ifindex: IfIndex(3), address: address("1.1.1.1/32") });
    assert_eq!(id(&mut world).unwrap(), "1.1.1.1");
    world.lines("ip router-id 9.9.9.9\n");
    assert_eq!(id(&mut world).unwrap(), "9.9.9.9");
    world.lines("");
    assert_eq!(id(&mut world).unwrap(), "1.1.1.1");
}

#[test]
fn a_route_map_at_installation_keeps_routes_out_and_sets_their_source() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "50.0.0.0/16", &[via("10.1.0.2")]);
    world.announce(bgp, Bgp, "51.0.0.0/16", &[via("10.1.0.2")]);
    world.lines(
        "ip prefix-list NO seq 5 permit 50.0.0.0/16\nip protocol bgp route-map RM\n\
         route-map RM deny 5\n match ip address prefix-list NO\nexit\nroute-map RM permit 10\n set src 10.1.0.1\nexit\n",
    );
    assert_eq!(world.kernel("50.0.0.0/16"), None);
    let key = (TableId::MAIN, "51.0.0.0/16".parse().unwrap());
    assert_eq!(world.kernel[&key].source, Some("10.1.0.1".parse().unwrap()));
    world.announce(bgp, Bgp, "50.0.0.0/16", &[via("10.2.0.2")]);
    assert_eq!(world.kernel("50.0.0.0/16"), None, "a new route is judged too");
    world.lines("");
    assert_eq!(world.kernel("50.0.0.0/16").unwrap(), "bgp 10.2.0.2 dev 2");
    assert_eq!(world.kernel[&key].source, None);
}

#[test]
fn changes_of_a_route_map_wait_as_long_as_they_are_told_and_what_is_new_does_not() {
    let mut world = two_links();
    let bgp = world.connect(1, Bgp);
    world.announce(bgp, Bgp, "50.0.0.0/16", &[via("10.1.0.2")]);
    let lines = |rule: &str| {
        format!(
            "zebra route-map delay-timer 30\nip prefix-list NO seq 5 permit {rule}\nip protocol bgp route-map RM\n\
         route-map RM deny 5\n match ip address prefix-list NO\nexit\nroute-map RM permit 10\nexit\n"
        )
    };
    world.lines(&lines("51.0.0.0/16"));
    world.announce(bgp, Bgp, "51.0.0.0/16", &[via("10.1.0.2")]);
    assert_eq!(world.kernel("51.0.0.0/16"), None, "the first map counts at once");
    world.lines(&lines("50.0.0.0/16"));
    world.pass(Duration::from_secs(20));
    world.lines(&lines("50.0.0.0/16 le 17"));
    world.pass(Duration::from_secs(20));
    assert!(world.kernel("50.0.0.0/16").is_some(), "each change begins the wait anew");
    // As in FRR the shows have the new already.
    let lists = world.show("show ip prefix-list NO");
    assert!(lists.contains("50.0.0.0/16 le 17"), "{lists}");
    assert!(world.show("show route-map RM").contains("Processed Change: true"));
    world.pass(Duration::from_secs(11));
    assert_eq!(world.kernel("50.0.0.0/16"), None);
    assert!(world.kernel("51.0.0.0/16").is_some());
    assert!(world.show("show route-map RM").contains("Processed Change: false"));
}

#[test]
fn the_end_of_zebra_takes_its_routes_out() {
    let mut world = two_links();
    world.lines("ip route 192.0.2.0/24 10.1.0.2\n");
    let mut actions = Vec::new();
    world.zebra.shut_down(world.now, &mut actions);
    assert!(matches!(&actions[..], [zebra_core::Action::Fib(ops)] if ops.len() == 1), "{actions:?}");
}

/// Lifetimes of the router in what was advertised on a link, and when.
fn lifetimes(world: &World, index: u32) -> Vec<(u64, u16)> {
    let of_link = world.advertised.iter().filter(|(_, ifindex, _)| *ifindex == IfIndex(index));
    let lifetime = |octets: &[u8]| u16::from_be_bytes([octets[6], octets[7]]);
    of_link.map(|(at, _, octets)| (at.as_micros() / 1_000_000, lifetime(octets))).collect()
}

fn hear(world: &mut World, index: u32, source: &str, hop_limit: u8, octets: &[u8]) {
    world.event(Event::Icmp6 {
        ifindex: IfIndex(index),
        source: source.parse().unwrap(),
        hop_limit: Some(hop_limit),
        octets: octets.to_vec(),
    });
}

const ADVERTISEMENT: [u8; 16] = [134, 0, 0, 0, 64, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0];
const SOLICITATION: [u8; 8] = [133, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn advertisements_begin_quickly_go_on_at_the_interval_and_end_with_a_lifetime_of_zero() {
    let mut world = World::new();
    world.link(2, true);
    world.address(2, "fe80::1/64");
    world.lines("interface e2\n no ipv6 nd suppress-ra\n ipv6 nd ra-interval 30\nexit\n");
    world.pass(Duration::from_secs(5));
    let quick = lifetimes(&world, 2).len();
    assert!((4..=6).contains(&quick), "{quick} in five seconds");
    world.pass(Duration::from_secs(300));
    let all = lifetimes(&world, 2);
    assert!((10..=35).contains(&(all.len() - quick)), "{all:?}");
    assert!(all.iter().all(|(_, lifetime)| *lifetime == 90));
    world.lines("");
    assert_eq!(lifetimes(&world, 2).last().unwrap().1, 0);
    let ended = lifetimes(&world, 2).len();
    world.pass(Duration::from_secs(300));
    assert_eq!(lifetimes(&world, 2).len(), ended);
}

#[test]
fn a_daemon_has_advertisements_sent_and_hears_of_the_routers_on_the_link() {
    let mut world = World::new();
    world.link(2, true);
    world.address(2, "fe80::1/64");
    let bgp = world.connect(1, RouteProtocol::Bgp);
    let wish = RouterAdvertisements { vrf: VrfId::DEFAULT, ifindex: IfIndex(2), interval: Some(10) };
    world.say(bgp, ToZebra::RouterAdvertisements(wish));
    world.pass(Duration::from_secs(1));
    assert_eq!(lifetimes(&world, 2).first().unwrap().1, 30);
    world.sent.clear();
    hear(&mut world, 2, "fe80::2", 64, &ADVERTISEMENT);
    hear(&mut world, 2, "2001:db8::2", 255, &ADVERTISEMENT);
    assert!(world.sent.is_empty());
    let neighbor =
        |present| FromZebra::LinkNeighbor { ifindex: IfIndex(2), addr: "fe80::2".parse().unwrap(), present };
    hear(&mut world, 2, "fe80::2", 255, &ADVERTISEMENT);
    hear(&mut world, 2, "fe80::2", 255, &ADVERTISEMENT);
    assert_eq!(world.sent, [(bgp, neighbor(true))]);
    world.sent.clear();
    world.link(2, false);
    assert!(world.sent.contains(&(bgp, neighbor(false))));
    let sent = world.advertised.len();
    world.pass(Duration::from_secs(60));
    assert_eq!(world.advertised.len(), sent);
}

#[test]
fn a_host_that_asks_is_answered_soon_and_a_thousand_are_answered_no_more_often() {
    let mut world = World::new();
    world.link(2, true);
    world.address(2, "fe80::1/64");
    world.lines("interface e2\n no ipv6 nd suppress-ra\n no ipv6 nd ra-fast-retrans\nexit\n");
    world.pass(Duration::from_secs(100));
    let before = world.advertised.len();
    for _ in 0..1000 {
        hear(&mut world, 2, "fe80::9", 255, &SOLICITATION);
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(world.advertised.len(), before + 1);
    for _ in 0..100 {
        hear(&mut world, 2, "fe80::9", 255, &SOLICITATION);
        world.pass(Duration::from_millis(100));
    }
    assert!(world.advertised.len() <= before + 5, "{}", world.advertised.len() - before);
}

#[test]
fn an_advertisement_tells_of_the_networks_of_the_link_once_each() {
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "fe80::1/64");
    world.address(1, "2001:db8:1::1/64");
    world.address(1, "2001:db8:2::1/64");
    world.lines("interface e1\n no ipv6 nd suppress-ra\n ipv6 nd prefix 2001:db8:2::/64 no-autoconfig\n");
    world.pass(Duration::from_secs(2));
    let (_, _, octets) = world.advertised.last().expect("an advertisement");
    let told = |text: &str| {
        let network: std::net::Ipv6Addr = text.parse().unwrap();
        octets.windows(16).filter(|window| *window == network.octets()).count()
    };
    assert_eq!((told("2001:db8:1::"), told("2001:db8:2::"), told("fe80::")), (1, 1, 0));
}

#[test]
fn static_routes_ask_about_their_gateways_as_a_daemon_does() {
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    world.lines(
        "ip route 20.0.0.0/24 10.1.0.2\nip route 20.0.1.0/24 20.0.0.7\nip route 20.0.2.0/24 192.0.2.1\n",
    );
    let told: serde_json::Value = serde_json::from_str(&world.show("show ip nht json")).unwrap();
    let v4 = &told["default"]["ipv4"];
    for (gateway, protocol) in [("10.1.0.2", "connected"), ("20.0.0.7", "static")] {
        assert_eq!(v4[gateway]["resolvedProtocol"], protocol, "{v4}");
        assert_eq!(v4[gateway]["clientList"][0]["protocol"], "static", "{v4}");
    }
    assert!(
        v4["192.0.2.1"]["resolvedProtocol"].is_null() && v4["192.0.2.1"]["clientList"][0].is_object(),
        "{v4}"
    );
}

#[test]
fn shows_of_what_is_not_there_and_of_supernets_are_those_of_frr() {
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    world.lines(
        "ip route 20.0.0.0/7 10.1.0.2\nip route 21.0.0.0/8 10.1.0.2\nip route 192.0.0.0/20 10.1.0.2\n",
    );
    assert_eq!(world.show("show interface nope json").trim(), "{}");
    assert_eq!(world.show("show ip route vrf nope json").trim(), "{}");
    let text = world.show("show ip route supernets-only");
    let shown: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("S>* ")?.split(' ').next()).collect();
    assert_eq!(shown, ["20.0.0.0/7", "192.0.0.0/20"], "{text}");
}
