//! What clauses do at each place where a route meets a map; every row is what FRR 10.3 does with the same line.

use std::borrow::Cow;

use ferrite_cli::{Engine, Registry, numbered};
use ferrite_policy::{PolicyConfig, commands};

use super::*;
use crate::rib::rpki::RpkiView;

fn policies(text: &str) -> Policies {
    let mut registry: Registry<PolicyConfig, ()> = Registry::new();
    commands::register(
        &mut registry,
        commands::Scope::Bgp,
        commands::Access { get: |config| config, get_mut: |config| config },
    );
    let loaded = Engine::new(registry).load(PolicyConfig::default(), &numbered(text));
    Policies::compile(&loaded.unwrap_or_else(|errors| panic!("{text}: {}", errors[0])), None)
}

fn neighbor() -> PolicyPeer {
    PolicyPeer {
        addr: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)),
        names: None,
        round_trip: None,
        remote_as: Asn(1002),
        remote_id: RouterId(Ipv4Addr::new(192, 0, 2, 2)),
        ifindex: None,
        internal: false,
        external: true,
        bandwidth_extended: false,
        local_v4: None,
        local_v6: None,
        direction: None,
    }
}

/// A route with a MED of 100, on its way in from a neighbour, out to one, or made here.
fn judged(place: Place, clauses: &str) -> PolicyInput<'static> {
    let policies = policies(&format!("route-map R permit 10\n {clauses}\nexit\nroute-map R permit 20\n"));
    let name = PolicyName::new("R");
    let key = ChainKey::map(place, Afi::Ipv4, &name);
    let chain = Filters::default().get(&key, &policies, &CommunityAliases::default(), Asn(1001));
    let attrs = Attributes {
        origin: Origin::Igp,
        atomic_aggregate: false,
        as_path: AsPath::default(),
        next_hop: NextHop::V4(Ipv4Addr::new(10, 0, 0, 2)),
        med: Some(100),
        local_pref: None,
        communities: Box::default(),
        large_communities: Box::default(),
        ext_communities: Box::default(),
        rare: None,
    };
    let mut route = PolicyInput {
        prefix: "10.20.1.0/24".parse().expect("a prefix"),
        attrs: Cow::Owned(attrs),
        source: (place != Place::Local).then(neighbor),
        peer: (place != Place::Local).then(neighbor),
        source_protocol: RouteProtocol::Bgp,
        interface: None,
        weight: 0,
        tag: 0,
        distance: None,
        table: None,
        fib_metric: None,
        nexthop_set: false,
        link_local_set: false,
        nexthop_unchanged: false,
        prefer_global: false,
        nexthop_peer_address: false,
        received_med: None,
        default_local_pref: 100,
        rpki: RpkiView::new(None, Asn(1001)),
        shared: bandwidth::Shared::default(),
        igp_metric: None,
    };
    assert_eq!(chain.apply(&mut route), Verdict::Permit, "{clauses}");
    route
}

#[test]
fn an_unset_local_preference_is_zero_but_for_our_own_routes() {
    for (place, clauses, expected) in [
        (Place::Import, "set local-preference +10", Some(10)),
        (Place::Import, "set local-preference -10", Some(0)),
        (Place::Local, "set local-preference +10", Some(110)),
        (Place::Local, "set local-preference -10", Some(90)),
        (Place::Import, "match local-preference 0\n set local-preference 7", Some(7)),
        (Place::Import, "match local-preference 100\n set local-preference 7", None),
        (Place::Local, "match local-preference 0\n set local-preference 7", None),
        (Place::Local, "match local-preference 100\n set local-preference 7", Some(7)),
    ] {
        assert_eq!(judged(place, clauses).attrs.local_pref, expected, "{place:?} {clauses}");
    }
}

#[test]
fn metrics_that_a_route_does_not_have_are_zero_and_bounds_bind_nothing() {
    for (clauses, expected) in [
        ("set metric igp", 0),
        ("set metric aigp", 0),
        ("set min-metric 200", 100),
        ("set max-metric 50", 100),
        ("set max-metric 50\n set metric +1", 101),
    ] {
        for place in [Place::Import, Place::Local, Place::Export] {
            assert_eq!(judged(place, clauses).attrs.med, Some(expected), "{place:?} {clauses}");
        }
    }
    for (clauses, expected) in [("set aigp-metric igp-metric", 100), ("set aigp-metric 50", 50)] {
        let route = judged(Place::Import, clauses);
        assert_eq!(route.attrs.rare.as_ref().and_then(|rare| rare.aigp), Some(expected), "{clauses}");
    }
}

#[test]
fn a_route_is_of_a_protocol_once_it_is_in_the_table() {
    for (place, expected) in [(Place::Import, 100), (Place::Local, 100), (Place::Export, 7)] {
        let route = judged(place, "match source-protocol bgp\n set metric 7");
        assert_eq!(route.attrs.med, Some(expected), "{place:?}");
    }
}

#[test]
fn the_number_of_paths_is_known_outbound_only() {
    for (place, expected) in [(Place::Import, 0), (Place::Local, 0), (Place::Export, 1)] {
        let route = judged(place, "set extcommunity bandwidth num-multipaths");
        assert_eq!(route.attrs.ext_communities.len(), expected, "{place:?}");
        assert_eq!(judged(place, "set extcommunity bandwidth 5").attrs.ext_communities.len(), 1);
    }
}

#[test]
fn extended_communities_add_up() {
    let route = judged(Place::Import, "set extcommunity rt 1:1 2:2\n set extcommunity soo 3:3");
    assert_eq!(route.attrs.ext_communities.len(), 3);
}
