//! Routes for packets of some source (`ipv6 route P from S`), and routes that send packets along segments.

use ferrite_types::zclient::{FromZebra, RedistributeRequest, ToZebra, TrackNexthop};
use ferrite_types::{Afi, Ipv6Prefix, RouteProtocol, Seg6, TableId, VrfId};
use zebra_core::{Event, FibRoute, KernelRoute, NexthopObject, Options};

use crate::world::{World, listed};

const NETWORK: &str = "2001:db8:7::/48";

fn world() -> World {
    world_with(false)
}

fn world_with(nexthop_objects: bool) -> World {
    let mut world = World::with(Options { nexthop_objects, ..Options::default() });
    world.link(1, true);
    world.address(1, "2001:db8::1/64");
    world
}

fn sourced<'a>(world: &'a World, prefix: &str, from: &str) -> Option<&'a FibRoute> {
    world.sourced.get(&(TableId::MAIN, prefix.parse().unwrap(), from.parse().unwrap()))
}

fn gateway(route: Option<&FibRoute>) -> Option<String> {
    route?.nexthops.first()?.gateway_addr().map(|addr| addr.to_string())
}

const LINES: &str = "ipv6 route 2001:db8:7::/48 2001:db8::3\n\
    ipv6 route 2001:db8:7::/48 from 2001:db8:1::/48 2001:db8::2\n\
    ipv6 route 2001:db8:7::/48 from 2001:db8:1::/48 2001:db8::4 200\n\
    ipv6 route 2001:db8:7::/48 from 2001:db8:2::/48 2001:db8::5\n\
    ipv6 route ::/0 from 2001:db8:2::/48 e1\n";

#[test]
fn each_source_has_candidates_of_its_own() {
    let mut world = world();
    world.lines(LINES);
    assert_eq!(gateway(sourced(&world, NETWORK, "2001:db8:1::/48")).as_deref(), Some("2001:db8::2"));
    assert_eq!(gateway(sourced(&world, NETWORK, "2001:db8:2::/48")).as_deref(), Some("2001:db8::5"));
    assert!(world.kernel(NETWORK).is_some());
    let lines: Vec<String> = world
        .show("show ipv6 route static")
        .lines()
        .filter(|line| line.starts_with('S'))
        .map(|line| line.split(", weight").next().unwrap().to_owned())
        .collect();
    assert_eq!(
        lines,
        [
            "S>* ::/0 from 2001:db8:2::/48 [1/0] is directly connected, e1",
            "S>* 2001:db8:7::/48 [1/0] via 2001:db8::3, e1",
            "S   2001:db8:7::/48 from 2001:db8:1::/48 [200/0] via 2001:db8::4, e1",
            "S>* 2001:db8:7::/48 from 2001:db8:1::/48 [1/0] via 2001:db8::2, e1",
            "S>* 2001:db8:7::/48 from 2001:db8:2::/48 [1/0] via 2001:db8::5, e1",
        ]
    );
    let json: serde_json::Value = serde_json::from_str(&world.show("show ipv6 route json")).unwrap();
    let of_source = &json["2001:db8:7::/48 from 2001:db8:1::/48"];
    assert_eq!(of_source.as_array().unwrap().len(), 2);
    assert_eq!(of_source[1]["prefix"], "2001:db8:7::/48 from 2001:db8:1::/48");
    assert!(world.show("show ipv6 route summary").contains("static               5                    4"));
    assert_eq!(world.drift().total(), 0);

    // The better one goes; then the source.
    world.lines(&LINES.replace("ipv6 route 2001:db8:7::/48 from 2001:db8:1::/48 2001:db8::2\n", ""));
    assert_eq!(gateway(sourced(&world, NETWORK, "2001:db8:1::/48")).as_deref(), Some("2001:db8::4"));
    world.lines("ipv6 route 2001:db8:7::/48 2001:db8::3\n");
    assert!(world.sourced.is_empty());
    assert!(world.kernel(NETWORK).is_some());
}

#[test]
fn the_kernel_takes_no_objects_for_them() {
    let mut world = world_with(true);
    world.lines(LINES);
    assert!(world.kernel.values().all(|route| route.group.is_some()));
    assert_eq!(world.sourced.len(), 3);
    assert!(world.sourced.values().all(|route| route.group.is_none() && !route.nexthops.is_empty()));
}

#[test]
fn they_resolve_nothing_and_are_nobodys_to_redistribute() {
    let mut world = world();
    let bgp = world.connect(1, RouteProtocol::Bgp);
    let vrf = VrfId::DEFAULT;
    let protocol = RouteProtocol::Static;
    let wanted = RedistributeRequest { vrf, afi: Afi::Ipv6, protocol, instance: 0, subscribe: true };
    world.say(bgp, ToZebra::Redistribute(wanted));
    let addr = "2001:db8:7::1".parse().unwrap();
    let item = TrackNexthop { vrf, addr, connected_only: false, exact: None, track: true };
    world.say(bgp, ToZebra::TrackNexthops(vec![item]));
    world.told(bgp);
    world.lines("ipv6 route 2001:db8:7::/48 from 2001:db8:1::/48 2001:db8::2\n");
    let told = world.told(bgp);
    let none = !told.iter().any(|m| matches!(m, FromZebra::Redistributed(_) | FromZebra::Nexthops(_)));
    assert!(none, "{told:?}");
}

#[test]
fn one_that_somebody_takes_out_comes_back_and_one_of_an_earlier_run_is_taken_over() {
    let mut world = world();
    world.lines("ipv6 route 2001:db8:7::/48 from 2001:db8:1::/48 2001:db8::2\n");
    let from: Ipv6Prefix = "2001:db8:1::/48".parse().unwrap();
    let ((table, prefix, _), route) = world.sourced.pop_first().unwrap();
    let told = KernelRoute { from: Some(from), ..listed(table, prefix, &route) };
    world.event(Event::KernelRouteGone(told.clone()));
    crate::world::Timed::pass(&mut world, std::time::Duration::from_secs(1));
    assert!(sourced(&world, NETWORK, "2001:db8:1::/48").is_some());

    let mut later = World::new();
    later.event(Event::DumpBegin);
    later.link(1, true);
    later.address(1, "2001:db8::1/64");
    later.event(Event::KernelRoute(told.clone()));
    later.event(Event::DumpEnd);
    // An orphan of ours goes.
    assert_eq!(later.writes, 1);
    // Somebody else's is shown.
    later.event(Event::KernelRoute(KernelRoute { protocol: RouteProtocol::Kernel, ..told }));
    let text = later.show("show ipv6 route");
    assert!(text.contains("K>* 2001:db8:7::/48 from 2001:db8:1::/48 [0/20] via 2001:db8::2, e1"), "{text}");
}

#[test]
fn packets_are_sent_along_segments() {
    let mut world = world_with(true);
    world.lines(
        "ipv6 route 2001:db8:9::/48 e1 segments fc00::1/fc00::2\nipv6 route 2001:db8:9::/48 2001:db8::9 segments fc00::3\n",
    );
    let key = (TableId::MAIN, "2001:db8:9::/48".parse().unwrap());
    let route = world.kernel.get(&key).unwrap();
    // The kernel takes several next hops without a gateway as objects only.
    let Some(NexthopObject::Group(members)) = world.objects.get(&route.group.unwrap()) else { panic!() };
    let single = |id| match world.objects.get(id) {
        Some(NexthopObject::Single(single)) => single.seg6.as_deref(),
        _ => None,
    };
    let lists: Vec<_> = members.iter().map(|(id, _)| single(id)).collect();
    let encap = |list: &[&str]| Seg6::Encap(list.iter().map(|segment| segment.parse().unwrap()).collect());
    assert_eq!(lists, [Some(&encap(&["fc00::1", "fc00::2"])), Some(&encap(&["fc00::3"]))]);
    let text = world.show("show ipv6 route");
    assert!(
        text.contains("S>* 2001:db8:9::/48 [1/0] is directly connected, e1, seg6 fc00::1,fc00::2, weight 1"),
        "{text}"
    );
    assert!(text.contains("via 2001:db8::9, e1, seg6 fc00::3, weight 1"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&world.show("show ipv6 route json")).unwrap();
    let hops = &json["2001:db8:9::/48"][0]["nexthops"];
    assert_eq!(hops[0]["seg6"], serde_json::json!(["fc00::1", "fc00::2"]));
    assert_eq!(hops[1]["seg6"], serde_json::json!({"segs": "fc00::3"}));
}
