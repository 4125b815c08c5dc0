//! IPv4 routed by OSPFv3 beside IPv6 routed by it: two processes on the same links that do not hear each other, shows of both.

use std::net::IpAddr;

use ferrite_ospf_control::{Action, Event, RestartNote};
use ferrite_types::ids::{Distance, IfIndex, Metric, Tag, VrfId};
use ferrite_types::interface::Interface;
use ferrite_types::zclient::{FromZebra, NexthopState, RedistributedRoute, Resolution, RouteAttrs, ToZebra};
use ferrite_types::{Afi, Nexthop, NexthopKind, Prefix, RouteProtocol, TableId};
use serde_json::json;

use crate::lab::{Lab, interface, link};

/// A router with both families on `lan`, and one more network of IPv4.
fn config(number: u8) -> String {
    format!(
        "interface lan\n ip ospf6 area 0\n ip ospf6 priority {number}\n ipv6 ospf6 area 1\nexit\n\
         interface net\n ip ospf6 area 0\n ip ospf6 passive\nexit\n\
         router ospf6\n ospf6 router-id 6.6.6.{number}\nexit\n\
         router ospf6 ipv4\n ospf6 router-id {number}.{number}.{number}.{number}\n maximum-paths 4\nexit\n"
    )
}

fn network() -> Lab {
    let mut lab = Lab::default();
    let a = lab.router(
        &config(1),
        &[
            link("lan", 2, &["fe80::1/64", "10.0.0.1/24", "2001:db8::1/64"]),
            link("net", 3, &["fe80::11/64", "10.1.0.1/24", "2001:db8:1::1/64"]),
        ],
        |_| {},
    );
    let b = lab.router(
        &config(2),
        &[
            link("lan", 2, &["fe80::2/64", "10.0.0.2/24", "2001:db8::2/64"]),
            link("net", 3, &["fe80::12/64", "10.2.0.1/24", "2001:db8:2::1/64"]),
        ],
        |_| {},
    );
    lab.wire(&[(a, 2), (b, 2)]);
    lab.run(120);
    lab
}

/// What a router told zebra last of a prefix.
fn told(lab: &Lab, router: usize, prefix: &str) -> Option<(RouteProtocol, RouteAttrs)> {
    let prefix: Prefix = prefix.parse().expect("a prefix");
    let own = lab.wanted.iter().filter(|(from, _)| *from == router);
    let batches = own.filter_map(|(_, action)| match action {
        Action::Zebra(ToZebra::Routes(batch)) => Some(batch),
        _ => None,
    });
    let updates = batches.flat_map(|batch| &batch.updates).filter(|update| update.prefix == prefix);
    updates.last().and_then(|update| Some((update.protocol, update.route.clone()?)))
}

#[test]
fn the_families_have_neighbours_of_their_own() {
    let mut lab = network();
    let ids = |json: serde_json::Value| {
        let rows = json["neighbors"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| (row["neighborId"].clone(), row["state"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(ids(lab.json(0, "show ip ospf6 neighbor")), [(json!("2.2.2.2"), json!("Full"))]);
    assert_eq!(ids(lab.json(0, "show ipv6 ospf6 neighbor")), [(json!("6.6.6.2"), json!("Full"))]);
    let interface = lab.json(0, "show ip ospf6 interface lan");
    assert_eq!(
        (&interface["lan"]["instanceId"], &interface["lan"]["areaId"]),
        (&json!(64), &json!("0.0.0.0"))
    );
    assert_eq!(lab.json(0, "show ipv6 ospf6 interface lan")["lan"]["instanceId"], 0);
    // What is for one is no packet of the other.
    for line in ["show ip ospf6 interface traffic", "show ipv6 ospf6 interface traffic"] {
        let text = lab.exec(0, line);
        assert!(!text.contains("nstance"), "{text}");
    }
}

#[test]
fn routes_of_ipv4_have_next_hops_of_ipv4() {
    let mut lab = network();
    let text = lab.exec(0, "show ip ospf6 route");
    assert!(
        text.contains("*N IA 10.2.0.0/24                    10.0.0.2                     lan "),
        "{text}"
    );
    assert!(!lab.exec(0, "show ipv6 ospf6 route").contains("10.2.0.0"));
    let one = lab.json(0, "show ip ospf6 route 10.2.0.77");
    assert_eq!(one["routes"]["10.2.0.0/24"]["nextHops"][0]["nextHop"], "10.0.0.2", "{one}");
    let (protocol, route) = told(&lab, 0, "10.2.0.0/24").expect("a route for zebra");
    assert_eq!(protocol, RouteProtocol::Ospf6);
    let hop = &route.nexthops[0];
    let lan = ferrite_types::ids::IfIndex(2);
    assert_eq!(hop.kind, NexthopKind::Gateway("10.0.0.2".parse().unwrap(), Some(lan)));
    assert!(!hop.onlink);
    // The end of the block takes its routes along, and those alone.
    lab.configure(0, "no router ospf6 ipv4\n");
    assert!(told(&lab, 0, "10.2.0.0/24").is_none());
    assert!(lab.exec(0, "show ip ospf6").contains("OSPFv3 instance not found"));
    assert!(lab.exec(0, "show ipv6 ospf6 neighbor").contains("6.6.6.2"));
}

#[test]
fn a_neighbour_outside_of_our_networks_is_on_the_link() {
    let mut lab = Lab::default();
    let config = |id: u8| {
        format!(
            "interface ab\n ip ospf6 area 0\n ip ospf6 network point-to-point\nexit\n\
             router ospf6 ipv4\n ospf6 router-id {id}.{id}.{id}.{id}\nexit\n"
        )
    };
    let a = lab.router(&config(1), &[link("ab", 2, &["fe80::1/64", "10.0.0.1/32"])], |_| {});
    let b = lab.router(&config(2), &[link("ab", 2, &["fe80::2/64", "10.0.0.2/32"])], |_| {});
    lab.wire(&[(a, 2), (b, 2)]);
    lab.run(60);
    let (_, route) = told(&lab, 0, "10.0.0.2/32").expect("a route for zebra");
    assert!(route.nexthops[0].onlink, "{route:?}");
}

#[test]
fn the_database_shows_prefixes_of_ipv4() {
    let mut lab = network();
    let text = lab.exec(0, "show ip ospf6 database");
    assert!(text.contains("INP ") && text.contains(" 10.2.0.0/24\n"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("Lnk") && line.ends_with(" 10.0.0.2")), "{text}");
    let links = lab.json(0, "show ip ospf6 database link adv-router 2.2.2.2 detail");
    let lsa = &links["interfaceScopedLinkStateDb"][0]["lsa"][0];
    assert_eq!(
        (&lsa["linkLocalAddress"], &lsa["prefix"][0]["prefix"]),
        (&json!("10.0.0.2"), &json!("10.0.0.0/24"))
    );
    assert!(lsa["options"].as_str().is_some_and(|bits| bits.contains("AF")), "{lsa}");
    assert_eq!(lab.exec(0, "show ip ospf6 spf tree").lines().count(), 3);
    let process = lab.json(0, "show ip ospf6");
    assert_eq!((&process["addressFamily"], &process["maximumPaths"]), (&json!("ipv4"), &json!(4)));
    assert!(lab.json(0, "show ipv6 ospf6").get("addressFamily").is_none());
    let prefixes = lab.json(0, "show ip ospf6 interface prefix");
    assert!(prefixes["routes"]["10.1.0.0/24"].is_object(), "{prefixes}");
}

#[test]
fn other_protocols_routes_are_ipv4s() {
    let mut lab = network();
    lab.configure(
        1,
        "router ospf6 ipv4\n default-information originate always\n summary-address 10.9.0.0/16\nexit\n",
    );
    lab.run(30);
    let text = lab.exec(0, "show ip ospf6 route external-2");
    assert!(text.starts_with("*N E2 0.0.0.0/0 "), "{text}");
    let external = lab.json(0, "show ip ospf6 database as-external");
    assert_eq!(external["asScopedLinkStateDb"][0]["lsa"][0]["payload"], "0.0.0.0");
    assert_eq!(lab.json(1, "show ip ospf6 redistribute")["routes"][0]["destination"], "0.0.0.0/0");
    assert!(lab.exec(1, "show ip ospf6 summary-address").contains("10.9.0.0/16"));
    assert!(lab.exec(1, "show ip ospf6 border-routers").contains("Router-ID"));
    assert_eq!(lab.json(1, "show ip ospf6 vrfs")["totalVrfs"], 1);
}

/// As OSPFv3 does, and not as OSPFv2.
#[test]
fn without_a_default_route_nobody_is_a_boundary_router_for_one() {
    let mut lab = network();
    let row = |lab: &mut Lab| lab.exec(0, "show ip ospf6 border-routers").contains("2.2.2.2");
    lab.configure(1, "router ospf6 ipv4\n default-information originate\nexit\n");
    lab.run(30);
    assert!(!row(&mut lab));
    lab.configure(1, "router ospf6 ipv4\n default-information originate always\nexit\n");
    lab.run(30);
    assert!(row(&mut lab));
}

#[test]
fn one_family_begins_anew_alone() {
    let mut lab = network();
    lab.exec(0, "clear ip ospf6 process");
    assert!(!lab.exec(0, "show ip ospf6 neighbor").contains("Full"));
    assert!(lab.exec(0, "show ipv6 ospf6 neighbor").contains("Full"));
    lab.run(120);
    assert!(lab.exec(0, "show ip ospf6 neighbor").contains("Full"));
}

/// Tells a router of a route of another protocol.
fn learn(lab: &mut Lab, router: usize, protocol: RouteProtocol, prefix: &str, gateway: &str) {
    let hop = Nexthop::new(NexthopKind::Gateway(gateway.parse().expect("an address"), Some(IfIndex(2))));
    let attrs = RouteAttrs {
        nexthops: [hop].into(),
        distance: Distance(110),
        metric: Metric(7),
        tag: Tag(0),
        mtu: 0,
        allow_recursion: false,
        internal: false,
        ospf: None,
    };
    let (vrf, prefix) = (VrfId::DEFAULT, prefix.parse().expect("a prefix"));
    let route = RedistributedRoute { vrf, prefix, protocol, instance: 0, route: Some(attrs) };
    lab.feed(router, Event::Zebra(FromZebra::Redistributed(vec![route])));
}

#[test]
fn routes_of_ospfv2_are_redistributed_through_maps_of_ipv4() {
    let mut lab = network();
    lab.configure(
        1,
        "ip prefix-list SOME seq 5 permit 172.16.0.0/12 le 32\n\
         route-map SOME permit 10\n match ip address prefix-list SOME\n set metric 77\nexit\n\
         router ospf6 ipv4\n redistribute ospf route-map SOME\nexit\n",
    );
    let asked = lab.wanted.iter().any(|(router, action)| match action {
        Action::Zebra(ToZebra::Redistribute(request)) => {
            let wanted = (request.afi, request.protocol, request.subscribe);
            *router == 1 && wanted == (Afi::Ipv4, RouteProtocol::Ospf, true)
        }
        _ => false,
    });
    assert!(asked);
    learn(&mut lab, 1, RouteProtocol::Ospf, "172.16.5.0/24", "10.0.0.9");
    learn(&mut lab, 1, RouteProtocol::Ospf, "192.168.5.0/24", "10.0.0.9");
    lab.run(30);
    let routes = lab.json(0, "show ip ospf6 route external-2 detail");
    assert_eq!(routes["routes"].as_object().map(|all| all.len()), Some(1), "{routes}");
    let route = &routes["routes"]["172.16.5.0/24"];
    // The forwarding address is on our network: the way leads there.
    assert_eq!((&route["metricCostE2"], &route["nextHops"][0]["nextHop"]), (&json!(77), &json!("10.0.0.9")));
    let lsa = lab.json(0, "show ip ospf6 database as-external detail");
    let lsa = &lsa["asScopedLinkStateDb"][0]["lsa"][0];
    assert_eq!((&lsa["forwardingAddress"], &lsa["prefix"]), (&json!("10.0.0.9"), &json!("172.16.5.0/24")));
    let shown = lab.exec(1, "show ip ospf6 redistribute");
    assert!(shown.contains("    1: ospf with route-map \"SOME\"\n"), "{shown}");
}

#[test]
fn ospfv2_redistributes_what_ospfv3_knows_of_ipv4() {
    let mut lab = network();
    lab.configure(
        1,
        "interface lan\n ip ospf area 0\nexit\n\
         router ospf\n ospf router-id 2.2.2.2\n redistribute ospf6 metric 5\nexit\n",
    );
    lab.configure(0, "interface lan\n ip ospf area 0\nexit\nrouter ospf\n ospf router-id 1.1.1.1\nexit\n");
    learn(&mut lab, 1, RouteProtocol::Ospf6, "172.16.5.0/24", "10.2.0.9");
    lab.run(120);
    let text = lab.exec(0, "show ip ospf route");
    assert!(text.contains("N E2 172.16.5.0/24         [10/5]"), "{text}");
}

#[test]
fn a_default_route_of_ospfv2_is_somebody_elses() {
    let mut lab = network();
    lab.configure(1, "router ospf6 ipv4\n default-information originate\nexit\n");
    let mut of = |protocol: RouteProtocol| {
        let resolved = Resolution {
            prefix: "0.0.0.0/0".parse().expect("a prefix"),
            protocol,
            distance: Distance(110),
            metric: Metric(1),
            nexthops: [].into(),
        };
        let addr = IpAddr::from([0, 0, 0, 0]);
        let state = NexthopState { vrf: VrfId::DEFAULT, addr, resolved: Some(resolved), exact: Some(0) };
        lab.feed(1, Event::Zebra(FromZebra::Nexthops(vec![state])));
        lab.run(30);
        lab.exec(0, "show ip ospf6 route external-2").contains("0.0.0.0/0")
    };
    assert!(of(RouteProtocol::Ospf));
    assert!(!of(RouteProtocol::Ospf6));
}

#[test]
fn lists_of_areas_and_links_are_ipv4s() {
    let mut lab = network();
    let known = |lab: &mut Lab| lab.exec(0, "show ip ospf6 route").contains("10.2.0.0/24");
    assert!(known(&mut lab));
    lab.configure(
        1,
        "ip prefix-list LAN seq 5 permit 10.0.0.0/24\n\
         interface net\n ip ospf6 advertise prefix-list LAN\nexit\n",
    );
    lab.run(30);
    assert!(!known(&mut lab));
    // It is another area's now, and a list keeps it there.
    lab.configure(
        1,
        "interface net\n no ip ospf6 advertise prefix-list LAN\n ip ospf6 area 5\nexit\n\
         router ospf6 ipv4\n area 0 filter-list prefix LAN in\nexit\n",
    );
    lab.run(30);
    assert!(!known(&mut lab));
    lab.configure(
        1,
        "router ospf6 ipv4\n no area 0 filter-list prefix LAN in\n area 5 range 10.2.0.0/16\nexit\n",
    );
    lab.run(30);
    let text = lab.exec(0, "show ip ospf6 route inter-area");
    assert!(text.starts_with("*N IE 10.2.0.0/16 "), "{text}");
    let payload = lab.json(0, "show ip ospf6 database inter-prefix");
    assert_eq!(payload["areaScopedLinkStateDb"][0]["lsa"][0]["payload"], "10.2.0.0/16");
}

#[test]
fn a_packet_of_no_instance_of_the_link_is_counted_by_one_that_runs_there() {
    let mut lab = network();
    lab.configure(1, "interface lan\n ip ospf6 instance-id 65\nexit\n");
    lab.run(60);
    let text = lab.exec(0, "show ip ospf6 interface traffic");
    assert!(text.contains("another instance"), "{text}");
    assert!(!lab.exec(0, "show ip ospf6 neighbor").contains("2.2.2.2"));
    assert!(lab.exec(0, "show ipv6 ospf6 neighbor").contains("6.6.6.2"));
    lab.configure(0, "interface lan\n ip ospf6 instance-id 65\nexit\n");
    lab.run(60);
    assert!(lab.exec(0, "show ip ospf6 neighbor").contains("Full"));
}

/// Both have OSPFv3's packets, so they have one socket, and are in a group as long as one of them is.
#[test]
fn the_families_share_a_socket() {
    let mut lab = network();
    let opened = |lab: &Lab| {
        let own = lab.wanted.iter().filter(|(router, _)| *router == 0);
        let of = |action: &Action| match action {
            Action::Socket { version: 3, terms, .. } => Some(terms.is_some()),
            _ => None,
        };
        own.filter_map(|(_, action)| of(action)).collect::<Vec<_>>()
    };
    assert_eq!(opened(&lab), [true]);
    lab.wanted.clear();
    lab.configure(0, "no router ospf6\n");
    assert!(opened(&lab).is_empty());
    let left =
        |action: &Action| matches!(action, Action::Membership { ifindex: IfIndex(2), join: false, .. });
    let groups = lab.wanted.iter().filter(|(router, action)| *router == 0 && left(action)).count();
    assert_eq!(groups, 0);
    lab.configure(0, "no router ospf6 ipv4\n");
    assert_eq!(opened(&lab), [false]);
}

#[test]
fn each_family_leaves_word_of_its_own_for_a_restart() {
    let mut lab = network();
    lab.configure(
        0,
        "router ospf6\n graceful-restart\nexit\nrouter ospf6 ipv4\n graceful-restart grace-period 77\nexit\n",
    );
    let notes = |lab: &Lab| {
        let own = lab.wanted.iter().filter(|(router, _)| *router == 0);
        let notes = own.filter_map(|(_, action)| match action {
            Action::Remember(notes) => Some(notes.clone()),
            _ => None,
        });
        notes.last().unwrap_or_default()
    };
    let told = |note: &RestartNote| (note.version, note.ipv4, note.period, note.until.is_some());
    let left: Vec<_> = notes(&lab).iter().map(told).collect();
    assert_eq!(left, [(3, false, 120, false), (3, true, 77, false)]);
    lab.exec(0, "graceful-restart prepare ip ospf6");
    lab.run(30);
    let left: Vec<_> = notes(&lab).iter().map(told).collect();
    assert_eq!(left, [(3, false, 120, false), (3, true, 77, true)]);
}

/// Neighbours acknowledge after a moment: an end that comes at once does not take back what they were told.
#[test]
fn who_ends_right_after_the_neighbours_were_told_restarts_with_grace() {
    let mut lab = network();
    lab.configure(0, "router ospf6 ipv4\n graceful-restart\nexit\n");
    lab.configure(1, "router ospf6 ipv4\n graceful-restart helper enable\nexit\n");
    lab.run(10);
    lab.exec(0, "graceful-restart prepare ip ospf6");
    lab.feed(0, Event::Shutdown);
    lab.run(5);
    let own = |wanted: &dyn Fn(&Action) -> bool| {
        lab.wanted.iter().any(|(from, action)| *from == 0 && wanted(action))
    };
    assert!(own(&|action| matches!(action, Action::Zebra(ToZebra::Goodbye { keep_routes: true }))));
    assert!(own(&|action| matches!(action, Action::Finished)));
    assert!(own(
        &|action| matches!(action, Action::Remember(notes) if notes.iter().any(|note| note.ipv4 && note.until.is_some()))
    ));
    lab.run(60);
    assert!(lab.exec(1, "show ip ospf6 route").contains("10.1.0.0/24"), "the one that helps keeps them");
}

#[test]
fn a_vrf_has_a_process_and_a_table_of_its_own() {
    let red = VrfId(10);
    let mut lab = Lab::default();
    for number in [1u8, 2] {
        let config = format!(
            "interface lan vrf RED\n ip ospf6 area 0\nexit\n\
             router ospf6 ipv4 vrf RED\n ospf6 router-id {number}.{number}.{number}.{number}\nexit\n"
        );
        let addresses =
            [format!("fe80::{number}/64"), format!("10.0.0.{number}/24"), format!("10.{number}.0.1/16")];
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let router = lab.router(&config, &[link("lan", 2, &addresses)], |_| {});
        let (vrf, name, table) = (red, "RED".to_owned(), TableId(10));
        lab.feed(router, Event::Zebra(FromZebra::Vrf { vrf, name, table, netns: None }));
        let lan = Interface { vrf: red, ..interface("lan", 2) };
        lab.feed(router, Event::Zebra(FromZebra::Interface(lan)));
    }
    lab.wire(&[(0, 2), (1, 2)]);
    lab.run(120);
    assert!(lab.exec(0, "show ip ospf6 neighbor").contains("OSPFv3 instance not found"));
    assert!(lab.exec(0, "show ip ospf6 vrf RED neighbor").contains("2.2.2.2"));
    assert!(lab.exec(0, "show ip ospf6 vrf all route").contains("10.2.0.0/16"));
    let batches = lab.wanted.iter().filter_map(|(router, action)| match action {
        Action::Zebra(ToZebra::Routes(batch)) if *router == 0 => Some(batch),
        _ => None,
    });
    let told: Vec<_> =
        batches.flat_map(|batch| batch.updates.iter().map(|update| (batch.vrf, update))).collect();
    assert!(told.iter().any(|(vrf, update)| *vrf == red && update.prefix.to_string() == "10.2.0.0/16"));
    assert!(told.iter().all(|(vrf, _)| *vrf == red));
}
