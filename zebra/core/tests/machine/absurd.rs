//! Clients that ask for what cannot be: each is told why, and nothing else changes.

use std::sync::Arc;

use ferrite_types::zclient::{
    FromZebra, LabelChunkRequest, LspUpdate, RouteAttrs, RouteBatch, RouteOutcome, ToZebra, TrackNexthop,
};
use ferrite_types::{Distance, IfIndex, Label, Nexthop, NexthopKind, RouteProtocol, TableId, VrfId};
use zebra_core::{ClientKey, Event, LinkKind};

use crate::world::{World, attrs, batch, link, via};

const BGP: RouteProtocol = RouteProtocol::Bgp;
const PREFIX: &str = "192.0.2.0/24";

fn world() -> (World, ClientKey, ClientKey) {
    let mut world = World::new();
    world.link(2, true);
    world.address(2, "10.0.0.1/24");
    let (bgp, ospf) = (world.connect(1, BGP), world.connect(2, RouteProtocol::Ospf));
    world.announce(bgp, BGP, PREFIX, &[via("10.0.0.2")]);
    world.announce(ospf, RouteProtocol::Ospf, "198.51.100.0/24", &[via("10.0.0.3")]);
    world.told(bgp);
    world.told(ospf);
    (world, bgp, ospf)
}

fn refusals(told: &[FromZebra]) -> Vec<String> {
    let reason = |message: &FromZebra| match message {
        FromZebra::Refused { request, reason } => Some(format!("{request}: {reason}")),
        _ => None,
    };
    told.iter().filter_map(reason).collect()
}

/// One message of a client is refused, to it alone, and changes nothing.
fn refused(world: &mut World, (client, other): (ClientKey, ClientKey), message: ToZebra, reason: &str) {
    let (kernel, writes, lsps) = (world.kernel.clone(), world.writes, world.lsps.clone());
    world.say(client, message);
    assert_eq!(refusals(&world.told(client)), [reason]);
    assert!(world.told(other).is_empty(), "another client was told");
    assert_eq!((&world.kernel, world.writes, &world.lsps), (&kernel, writes, &lsps), "{reason}");
}

fn one(prefix: &str, nexthops: &[Nexthop]) -> RouteBatch {
    batch(BGP, prefix, Some(attrs(BGP, nexthops)))
}

#[test]
fn absurd_routes_are_refused_with_the_reason() {
    let (mut world, bgp, ospf) = world();
    let many: Vec<Nexthop> = (0..300).map(|n| via(&format!("10.0.{}.{}", n / 250, n % 250 + 2))).collect();
    let mut deep = via("10.0.0.2");
    deep.labels.extend((16..40).filter_map(Label::new));
    let cases: [(&str, &[Nexthop], &str); 7] = [
        (PREFIX, &[], "no next hops"),
        (PREFIX, &many, "300 next hops, at most 256 can be used"),
        (PREFIX, &[via("0.0.0.0")], "gateway 0.0.0.0 is no unicast address"),
        (PREFIX, &[via("10.0.0.2"), via("224.0.0.5")], "gateway 224.0.0.5 is no unicast address"),
        ("2001:db8::/32", &[via("ff02::1")], "gateway ff02::1 is no unicast address"),
        ("2001:db8::/32", &[via("10.0.0.2")], "an IPv6 prefix leads through the IPv4 gateway 10.0.0.2"),
        (PREFIX, &[deep], "24 labels, at most 16 can be pushed"),
    ];
    for (prefix, nexthops, reason) in cases {
        let expected = format!("routes: {prefix}: {reason} (1 such)");
        refused(&mut world, (bgp, ospf), ToZebra::Routes(one(prefix, nexthops)), &expected);
    }
    let counts = world.zebra.answer(zebra_core::commands::Show::ClientSummary, &ferrite_cli::Args::default());
    assert!(counts.is_ok());
}

#[test]
fn a_thousand_times_the_same_is_counted_and_changes_nothing() {
    let (mut world, bgp, ospf) = world();
    for _ in 0..1000 {
        let expected = format!("routes: {PREFIX}: no next hops (1 such)");
        refused(&mut world, (bgp, ospf), ToZebra::Routes(one(PREFIX, &[])), &expected);
    }
    let text = world.show("show zebra client");
    assert!(text.contains("1000"), "{text}");
}

#[test]
fn whoever_wants_results_hears_of_the_refused_route() {
    let (mut world, bgp, _) = world();
    world.say(bgp, ToZebra::Routes(one("203.0.113.0/24", &[])));
    let told = world.told(bgp);
    let rejected = told.iter().any(|message| match message {
        FromZebra::Results(results) => results.iter().any(|result| {
            result.prefix == "203.0.113.0/24".parse().unwrap() && result.outcome == RouteOutcome::Rejected(22)
        }),
        _ => false,
    });
    assert!(rejected, "{told:?}");
}

#[test]
fn of_a_batch_the_good_routes_count_and_the_bad_are_one_message() {
    let (mut world, bgp, _) = world();
    let good = attrs(BGP, &[via("10.0.0.9")]);
    let bad = attrs(BGP, &[]);
    let mut whole = batch(BGP, "203.0.113.0/25", Some(bad.clone()));
    whole.updates.extend(batch(BGP, "203.0.113.128/25", Some(bad)).updates);
    whole.updates.extend(batch(BGP, PREFIX, Some(good)).updates);
    world.say(bgp, ToZebra::Routes(whole));
    assert_eq!(refusals(&world.told(bgp)), ["routes: 203.0.113.0/25: no next hops (2 such)"]);
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("bgp 10.0.0.9 dev 2"));
}

#[test]
fn unknown_vrfs_and_tables_of_others_are_refused() {
    let (mut world, bgp, ospf) = world();
    let mut red = link(9, true);
    red.interface.name = "RED".into();
    red.kind = LinkKind::Vrf(TableId(100));
    world.event(Event::Link(red));
    world.told(bgp);
    world.told(ospf);
    let cases = [
        (77, None, "no VRF 77"),
        (77, Some(500), "no VRF 77"),
        (0, Some(0), "table 0 is the kernel's own"),
        (0, Some(255), "table 255 is the kernel's own"),
        (0, Some(100), "table 100 is the one of VRF RED"),
        (9, Some(254), "table 254 is the one of VRF default"),
    ];
    for (vrf, table, reason) in cases {
        let (vrf, table) = (VrfId(vrf), table.map(TableId));
        let message = ToZebra::Routes(RouteBatch { vrf, table, ..one(PREFIX, &[via("10.0.0.2")]) });
        refused(&mut world, (bgp, ospf), message, &format!("routes: {reason}"));
    }
    let message =
        ToZebra::Routes(RouteBatch { table: Some(TableId(500)), ..one(PREFIX, &[via("10.0.0.2")]) });
    world.say(bgp, message);
    assert!(refusals(&world.told(bgp)).is_empty(), "a table of nobody's can be used");
    let track = TrackNexthop {
        vrf: VrfId(77),
        addr: "10.0.0.2".parse().unwrap(),
        connected_only: false,
        exact: None,
        track: true,
    };
    world.say(bgp, ToZebra::TrackNexthops(vec![track]));
    let told = world.told(bgp);
    let resolved = |message: &FromZebra| matches!(message, FromZebra::Nexthops(states) if states.iter().any(|state| state.resolved.is_some()));
    assert!(!told.iter().any(resolved), "{told:?}");
}

#[test]
fn the_same_route_twice_is_written_once_and_a_worse_one_changes_nothing() {
    let (mut world, bgp, ospf) = world();
    let writes = world.writes;
    world.announce(bgp, BGP, PREFIX, &[via("10.0.0.2")]);
    world.announce(ospf, RouteProtocol::Ospf, PREFIX, &[via("10.0.0.3")]);
    assert_eq!(world.writes, writes);
    // Nobody takes out what is another's, nor what is not there.
    world.withdraw(ospf, RouteProtocol::Ospf, "203.0.113.0/24");
    world.withdraw(bgp, BGP, "198.51.100.0/24");
    assert_eq!(world.writes, writes);
    assert_eq!(world.kernel("198.51.100.0/24").as_deref(), Some("ospf 10.0.0.3 dev 2"));
    // A distance that says "never", an interface that is not there: candidates that are not used.
    let never = RouteAttrs { distance: Distance(255), ..attrs(BGP, &[via("10.0.0.2")]) };
    world.say(bgp, ToZebra::Routes(batch(BGP, "203.0.113.0/24", Some(never))));
    let nowhere = Nexthop::new(NexthopKind::Interface(IfIndex(4711)));
    world.announce(bgp, BGP, "203.0.113.128/25", &[nowhere]);
    assert_eq!(world.writes, writes);
}

#[test]
fn labels_of_others_and_absurd_paths_are_refused() {
    let (mut world, bgp, ospf) = world();
    world.zebra.note_mpls(Some(1 << 20));
    let label = |value| Label::new(value).unwrap();
    let path = |value, hops: &[Nexthop]| {
        let nexthops = Some(Arc::from(hops));
        ToZebra::Lsps(vec![LspUpdate { label: label(value), protocol: BGP, nexthops }])
    };
    let chunk = LabelChunkRequest { id: 1, size: 10, base: Some(label(1000)), keep: false };
    world.say(ospf, ToZebra::GetLabels(chunk));
    world.told(ospf);
    let taken = "label-switched path: label 1000 is not of this client (1 such)";
    refused(&mut world, (bgp, ospf), path(1000, &[via("10.0.0.2")]), taken);
    world.told(bgp);
    let empty = "label-switched path: label 1001: no next hops";
    refused(&mut world, (ospf, bgp), path(1001, &[]), empty);
    let block = ferrite_types::zclient::LabelBlock::new(1000, 1009).unwrap();
    refused(
        &mut world,
        (bgp, ospf),
        ToZebra::ReleaseLabels(block),
        "release of labels: labels 1000 to 1009 are no chunk of this client",
    );
}
