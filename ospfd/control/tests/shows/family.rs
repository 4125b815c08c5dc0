//! IPv4 routed by OSPFv3 beside IPv6 routed by it: two processes on the same links that do not hear each other, shows of both.

use ferrite_ospf_control::Action;
use ferrite_types::zclient::{RouteAttrs, ToZebra};
use ferrite_types::{NexthopKind, Prefix, RouteProtocol};
use serde_json::json;

use crate::lab::{Lab, link};

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
    assert!(lab.exec(0, "show ip ospf6").contains("OSPFv3 is not running"));
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

#[test]
fn one_family_begins_anew_alone() {
    let mut lab = network();
    lab.exec(0, "clear ip ospf6 process");
    assert!(!lab.exec(0, "show ip ospf6 neighbor").contains("Full"));
    assert!(lab.exec(0, "show ipv6 ospf6 neighbor").contains("Full"));
    lab.run(120);
    assert!(lab.exec(0, "show ip ospf6 neighbor").contains("Full"));
}
