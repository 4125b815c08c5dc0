//! What a shard promises, one sentence a test.

use bgp_packet::attr::SegmentKind;
use ferrite_types::Community;

use super::*;
use crate::rib::policy::{Filter, PolicyInput, Verdict};
use crate::rib::query::WalkSource;
use crate::rib::settings::{
    AggregateStatement, DefaultOriginate, NetworkStatement, NexthopMode, RedistributeStatement,
};

const A: u32 = 1;
const B: u32 = 2;
const C: u32 = 3;

fn external(n: u8, remote_as: u32) -> PeerParams {
    peer(PeerKind::External, n, remote_as)
}

fn internal(n: u8) -> PeerParams {
    peer(PeerKind::Internal, n, 65000)
}

#[derive(Debug)]
struct DenyAll;

impl Filter for DenyAll {
    fn apply(&self, _: &mut PolicyInput<'_>) -> Verdict {
        Verdict::Deny
    }
}

#[derive(Debug)]
struct SetMed(u32);

impl Filter for SetMed {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        route.attrs_mut().med = Some(self.0);
        Verdict::Permit
    }
    fn depends_on_prefix(&self) -> bool {
        false
    }
}

#[test]
fn a_route_goes_from_one_external_peer_to_another_and_not_back() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    let mut attrs = route(&[65001, 7]);
    attrs.med = Some(5);
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(attrs));
    world.settle();
    let got = &world.remote(B).table[&prefix("10.1.0.0/16")];
    assert_eq!(got.as_path.to_string(), "65000 65001 7");
    assert_eq!(got.next_hop, NextHop::V4(Ipv4Addr::new(10, 0, 0, 254)));
    assert_eq!((got.med, got.local_pref), (None, None));
    assert!(world.remote(A).table.is_empty());
    assert_eq!((world.remote(A).tables_sent, world.remote(B).tables_sent), (1, 1));
}

#[test]
fn two_peers_of_one_group_exchange_their_routes_without_echo() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    world.up(C, external(3, 65003));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001, 9, 9])));
    world.settle();
    world.announce(B, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65002])));
    world.settle();
    // The best moved from A to B: A gets it, B loses it, C changes.
    assert_eq!(world.path(A, "10.1.0.0/16").as_deref(), Some("65000 65002"));
    assert_eq!(world.path(B, "10.1.0.0/16"), None);
    assert_eq!(world.path(C, "10.1.0.0/16").as_deref(), Some("65000 65002"));
    assert_eq!(world.remote(B).withdrawn, 1);
    let Answer::UpdateGroups(groups) = world.ask(0, 1, Query::UpdateGroups { family: V4 }) else { panic!() };
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].members.len(), 3);
}

#[test]
fn a_peer_that_goes_down_takes_its_routes_with_it_and_may_come_back_at_once() {
    let limits = Limits { slice: 4, ..Limits::default() };
    let mut world = World::with_limits(1, limits);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    let prefixes: Vec<Prefix> = (0..200).map(|i| prefix(&format!("10.{i}.0.0/16"))).collect();
    world.announce(A, &prefixes, &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.remote(B).table.len(), 200);
    world.down(A);
    world.up(A, external(1, 65001));
    world.announce(A, &prefixes[..50], &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.remote(B).table.len(), 50);
    assert_eq!(world.remote(B).withdrawn, 150, "what was named again was never withdrawn");
    assert_eq!(world.flushed.len(), 1);
}

#[test]
fn late_routes_of_an_old_session_are_dropped() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    let old = world.remote(A).session.unwrap();
    world.down(A);
    world.up(A, external(1, 65001));
    let mut batch = RouteBatch::new(PeerId(A), old, V4);
    let set = batch.attrs(&Arc::new(route(&[65001])));
    batch.reach(prefix("10.0.0.0/8"), 0, set);
    world.feed(0, ShardEvent::Routes(batch));
    world.settle();
    assert_eq!(world.shards[0].memory().paths, 0);
}

#[test]
fn internal_routes_stay_between_clients_and_their_reflector() {
    let mut world = World::new(1);
    world.up(A, with_family(internal(1), |f| f.route_reflector_client = true));
    world.up(B, internal(2));
    world.up(C, internal(3));
    let mut attrs = route(&[7]);
    attrs.local_pref = Some(50);
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(attrs.clone()));
    world.announce(B, &[prefix("10.2.0.0/16")], &Arc::new(attrs));
    world.settle();
    // From a client to all, from a non-client to clients only.
    let reflected = &world.remote(C).table[&prefix("10.1.0.0/16")];
    let rare = reflected.rare.as_ref().unwrap();
    assert_eq!(rare.originator_id, Some(RouterId(Ipv4Addr::new(10, 0, 0, 1))));
    assert_eq!(*rare.cluster_list, [Ipv4Addr::new(10, 0, 0, 254)]);
    assert_eq!(reflected.local_pref, Some(50));
    assert_eq!(reflected.next_hop, NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)));
    assert_eq!(world.path(C, "10.2.0.0/16"), None);
    assert_eq!(world.path(A, "10.2.0.0/16").as_deref(), Some("7"));
}

#[test]
fn loops_are_refused() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, internal(2));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001, 65000])));
    let mut reflected = route(&[]);
    reflected.rare.get_or_insert_default().cluster_list = Box::from([Ipv4Addr::new(10, 0, 0, 254)]);
    world.announce(B, &[prefix("10.2.0.0/16")], &Arc::new(reflected));
    let mut ours = route(&[]);
    ours.rare.get_or_insert_default().originator_id = Some(RouterId(Ipv4Addr::new(10, 0, 0, 254)));
    world.announce(B, &[prefix("10.3.0.0/16")], &Arc::new(ours));
    world.announce(A, &[prefix("10.4.0.0/16")], &Arc::new(route(&[65009, 1])));
    let mut self_nexthop = route(&[65001]);
    self_nexthop.next_hop = NextHop::V4(Ipv4Addr::new(10, 0, 0, 254));
    world.announce(A, &[prefix("10.5.0.0/16")], &Arc::new(self_nexthop));
    world.settle();
    let Answer::Counts(counts) = world.ask(0, 1, Query::Counts { family: V4 }) else { panic!() };
    assert_eq!(counts.paths, 0);
    // Soft reconfiguration kept them all as received.
    let walk = Query::Walk { source: WalkSource::Filtered(PeerId(A)), family: V4, within: None, limit: 10 };
    let Answer::Rows { rows, done } = world.ask(0, 2, walk) else { panic!() };
    assert!(done);
    assert_eq!(rows.len(), 3);
}

#[test]
fn a_route_through_an_address_that_becomes_ours_is_no_longer_used() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.remote(B).table.len(), 1);
    world.configure(|config| config.own_addresses = vec!["192.0.2.1".parse().unwrap()]);
    world.settle();
    assert!(world.remote(B).table.is_empty());
    world.configure(|config| config.own_addresses.clear());
    world.settle();
    assert_eq!(world.remote(B).table.len(), 1);
}

#[test]
fn well_known_communities_hold_routes_back() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    world.up(C, internal(3));
    for (index, community) in
        [Community::NO_EXPORT, Community::NO_ADVERTISE, Community::LOCAL_AS].iter().enumerate()
    {
        let mut attrs = route(&[65001]);
        attrs.communities = Box::from([*community]);
        world.announce(A, &[prefix(&format!("10.{index}.0.0/16"))], &Arc::new(attrs));
    }
    world.settle();
    assert!(world.remote(B).table.is_empty());
    let internal: Vec<String> = world.remote(C).table.keys().map(ToString::to_string).collect();
    assert_eq!(internal, ["10.0.0.0/16", "10.2.0.0/16"]);
}

#[test]
fn a_changed_export_policy_sends_only_what_differs() {
    let mut world = World::new(2);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    world.up(C, external(3, 65003));
    let prefixes: Vec<Prefix> = (0..20).map(|i| prefix(&format!("10.{i}.0.0/16"))).collect();
    world.announce(A, &prefixes, &Arc::new(route(&[65001])));
    world.settle();
    let params = with_family(external(2, 65002), |f| f.export = Some(Arc::new(SetMed(9))));
    world.change(B, params);
    world.settle();
    assert!(world.remote(B).table.values().all(|attrs| attrs.med == Some(9)));
    assert_eq!((world.remote(B).announced, world.remote(B).withdrawn), (40, 0));
    assert_eq!(world.remote(C).announced, 20, "others are not disturbed");
    // Another object that does the same: nothing is sent.
    let params = with_family(external(2, 65002), |f| f.export = Some(Arc::new(SetMed(9))));
    world.change(B, params);
    world.settle();
    assert_eq!(world.remote(B).announced, 40);
    // Back into the group of the others.
    world.change(B, external(2, 65002));
    world.settle();
    assert!(world.remote(B).table.values().all(|attrs| attrs.med.is_none()));
    let params = with_family(external(2, 65002), |f| f.export = Some(Arc::new(DenyAll)));
    world.change(B, params);
    world.settle();
    assert!(world.remote(B).table.is_empty());
    assert_eq!(world.remote(B).withdrawn, 20);
}

#[test]
fn a_changed_import_policy_is_applied_to_what_was_received() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, internal(2));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    world.settle();
    for (filter, expected) in [
        (Some(Arc::new(DenyAll) as Arc<dyn Filter>), None),
        (Some(Arc::new(SetMed(3)) as Arc<dyn Filter>), Some(Some(3))),
        (None, Some(None)),
    ] {
        world.change(A, with_family(external(1, 65001), |f| f.import = filter));
        let direction = crate::rib::ReapplyDirection::In;
        world.feed(0, ShardEvent::Reapply { peer: PeerId(A), family: None, direction });
        world.settle();
        let got = world.remote(B).table.get(&prefix("10.1.0.0/16")).map(|attrs| attrs.med);
        assert_eq!(got, expected);
    }
    world.withdraw(A, prefix("10.1.0.0/16"));
    world.settle();
    let memory = world.shards[0].memory();
    assert_eq!((memory.paths, memory.prefixes, memory.attributes), (0, 0, 0));
}

#[test]
fn a_slow_peer_does_not_hold_up_the_others_and_gets_the_last_state() {
    let limits = Limits { send_window: 200, ..Limits::default() };
    let mut world = World::with_limits(1, limits);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    world.up(C, external(3, 65003));
    world.remotes.get_mut(&PeerId(C)).unwrap().stuck = true;
    let prefixes: Vec<Prefix> = (0..100).map(|i| prefix(&format!("10.{i}.0.0/16"))).collect();
    for round in 0..5u32 {
        world.announce(A, &prefixes, &Arc::new(route(&[65001, 100 + round])));
        world.settle();
    }
    assert_eq!(world.path(B, "10.7.0.0/16").as_deref(), Some("65000 65001 104"));
    assert_eq!(world.path(C, "10.7.0.0/16").as_deref(), Some("65000 65001 100"));
    let sent = world.remote(C).announced;
    world.withdraw(A, prefixes[3]);
    world.withdraw(A, prefixes[4]);
    world.announce(A, &prefixes[4..5], &Arc::new(route(&[65001, 104])));
    world.settle();
    world.unstick(C);
    world.settle();
    assert_eq!(world.remote(B).table, world.remote(C).table);
    assert_eq!(world.remote(C).announced - sent, 99, "only the last state of each prefix");
    assert_eq!(world.remote(C).withdrawn, 1);
}

#[test]
fn a_peer_that_joins_gets_the_table_without_disturbing_others() {
    let mut world = World::new(3);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    let prefixes: Vec<Prefix> = (0..100).map(|i| prefix(&format!("10.{i}.0.0/16"))).collect();
    world.announce(A, &prefixes, &Arc::new(route(&[65001])));
    world.announce(B, &prefixes[..10], &Arc::new(route(&[65002])));
    world.settle();
    let before = (world.remote(A).announced, world.remote(B).announced);
    world.up(C, external(3, 65003));
    world.settle();
    assert_eq!(world.remote(C).table.len(), 100);
    assert_eq!(world.remote(C).tables_sent, 3, "once from each shard");
    assert_eq!((world.remote(A).announced, world.remote(B).announced), before);
    // Refresh repeats everything to the one who asks.
    world.remotes.get_mut(&PeerId(C)).unwrap().repeats = true;
    world.feed_all(|| ShardEvent::RefreshOut { peer: PeerId(C), family: V4 });
    world.settle();
    assert_eq!(world.remote(C).announced, 200);
    assert_eq!((world.remote(A).announced, world.remote(B).announced), before);
    assert_eq!(world.remote(C).tables_sent, 6);
}

#[test]
fn routes_wait_for_their_next_hop_and_follow_its_metric() {
    let mut world = World::new(1);
    world.configure(|config| {
        config.zebra = true;
        config.install = true;
    });
    world.feed(0, ShardEvent::ReplayFib);
    world.settle();
    assert_eq!(world.replays_done, 1);
    world.up(A, internal(1));
    world.up(B, internal(2));
    world.up(C, external(3, 65003));
    let mut far = route(&[7]);
    far.next_hop = NextHop::V4(Ipv4Addr::new(192, 0, 2, 9));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[7])));
    world.announce(B, &[prefix("10.1.0.0/16")], &Arc::new(far));
    world.settle();
    assert!(world.remote(C).table.is_empty() && world.fib.is_empty());
    assert_eq!(world.tracked.len(), 2);
    world.nexthop("192.0.2.1", Some(20));
    world.nexthop("192.0.2.9", Some(10));
    world.settle();
    let gateway =
        |world: &World| world.fib[&prefix("10.1.0.0/16")].nexthops[0].gateway_addr().unwrap().to_string();
    assert_eq!(gateway(&world), "192.0.2.9");
    assert_eq!(world.fib[&prefix("10.1.0.0/16")].distance, Distance(200));
    world.nexthop("192.0.2.9", Some(30));
    world.settle();
    assert_eq!(gateway(&world), "192.0.2.1");
    world.nexthop("192.0.2.1", None);
    world.nexthop("192.0.2.9", None);
    world.settle();
    assert!(world.remote(C).table.is_empty() && world.fib.is_empty());
    world.down(A);
    world.down(B);
    world.settle();
    assert!(world.tracked.is_empty());
}

#[test]
fn multipath_gives_zebra_every_equal_next_hop() {
    let mut world = World::new(1);
    world.configure(|config| {
        config.zebra = true;
        config.install = true;
        config.v4().maximum_paths_ebgp = 4;
        config.decision.as_path_multipath_relax = true;
    });
    world.feed(0, ShardEvent::ReplayFib);
    for (id, n) in [(A, 1), (B, 2), (C, 3)] {
        world.up(id, external(n, 65000 + id));
        let mut attrs = route(&[65000 + id]);
        attrs.next_hop = NextHop::V4(Ipv4Addr::new(10, 0, 0, n));
        world.announce(id, &[prefix("10.1.0.0/16")], &Arc::new(attrs));
        world.nexthop(&format!("10.0.0.{n}"), Some(0));
    }
    world.settle();
    for n in 1..=3 {
        world.nexthop(&format!("10.0.0.{n}"), Some(0));
    }
    world.settle();
    assert_eq!(world.fib[&prefix("10.1.0.0/16")].nexthops.len(), 3);
    world.configure(|config| config.v4().maximum_paths_ebgp = 2);
    world.settle();
    assert_eq!(world.fib[&prefix("10.1.0.0/16")].nexthops.len(), 2);
}

#[test]
fn a_reconnected_zebra_hears_everything_again() {
    let mut world = World::new(2);
    world.configure(|config| config.install = true);
    world.feed_all(|| ShardEvent::ReplayFib);
    world.up(A, external(1, 65001));
    let prefixes: Vec<Prefix> = (0..50).map(|i| prefix(&format!("10.{i}.0.0/16"))).collect();
    world.announce(A, &prefixes, &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!((world.fib.len(), world.replays_done), (50, 2));
    world.feed_all(|| ShardEvent::ZebraGone);
    world.fib.clear();
    world.withdraw(A, prefixes[0]);
    world.settle();
    assert!(world.fib.is_empty());
    world.feed_all(|| ShardEvent::ReplayFib);
    world.settle();
    assert_eq!((world.fib.len(), world.replays_done), (49, 4));
}

fn aggregate(text: &str) -> AggregateStatement {
    AggregateStatement {
        prefix: prefix(text),
        as_set: false,
        summary_only: false,
        matching_med_only: false,
        map: None,
        suppress_map: None,
        origin: None,
    }
}

#[test]
fn aggregates_sum_up_routes_of_all_shards() {
    let mut world = World::new(3);
    world.configure(|config| {
        let statement = AggregateStatement { as_set: true, summary_only: true, ..aggregate("10.0.0.0/8") };
        config.v4().aggregates = vec![statement];
    });
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    let prefixes: Vec<Prefix> = (0..30).map(|i| prefix(&format!("10.{i}.0.0/16"))).collect();
    world.announce(A, &prefixes[..15], &Arc::new(route(&[65001, 7])));
    world.announce(A, &prefixes[15..], &Arc::new(route(&[65001, 8])));
    world.announce(A, &[prefix("11.0.0.0/8")], &Arc::new(route(&[65001])));
    world.settle();
    let mut got: Vec<String> = world.remote(B).table.keys().map(ToString::to_string).collect();
    got.sort();
    assert_eq!(got, ["10.0.0.0/8", "11.0.0.0/8"]);
    let attrs = Arc::clone(&world.remote(B).table[&prefix("10.0.0.0/8")]);
    let kinds: Vec<SegmentKind> = attrs.as_path.segments().map(|segment| segment.kind).collect();
    assert_eq!(kinds, [SegmentKind::Sequence, SegmentKind::Set]);
    assert_eq!(attrs.as_path.to_string(), "65000 65001 {7,8}");
    assert_eq!(attrs.rare.as_ref().unwrap().aggregator.unwrap().asn, Asn(65000));
    // Without as-set and without hiding the parts.
    world.configure(|config| config.v4().aggregates = vec![aggregate("10.0.0.0/8")]);
    world.settle();
    assert_eq!(world.remote(B).table.len(), 32);
    assert!(world.remote(B).table[&prefix("10.0.0.0/8")].atomic_aggregate);
    for prefix in prefixes {
        world.withdraw(A, prefix);
    }
    world.settle();
    assert_eq!(world.remote(B).table.len(), 1);
    world.configure(|config| config.v4().aggregates.clear());
    world.down(A);
    world.settle();
    assert!(world.remote(B).table.is_empty());
    let left: u64 = world.shards.iter().map(|shard| shard.memory().attributes).sum();
    assert_eq!(left, 0);
}

#[test]
fn networks_wait_for_their_prefix_where_the_import_check_is_on() {
    let mut world = World::new(1);
    let statement = NetworkStatement { prefix: prefix("10.9.0.0/16"), map: None, backdoor: false };
    world.up(A, external(1, 65001));
    world.up(B, internal(2));
    world.configure(|config| {
        config.zebra = true;
        config.import_check = true;
        config.v4().networks = vec![statement];
    });
    world.settle();
    assert!(world.remote(A).table.is_empty());
    assert!(world.tracked.contains(&("10.9.0.0".parse().unwrap(), false)));
    let resolution = Resolution {
        prefix: prefix("10.9.0.0/16"),
        protocol: RouteProtocol::Static,
        distance: Distance(1),
        metric: Metric(0),
        nexthops: Arc::from([Nexthop::interface(IfIndex(1))]),
    };
    let word = |exact| NexthopState {
        vrf: VrfId::DEFAULT,
        addr: "10.9.0.0".parse().unwrap(),
        exact,
        resolved: Some(resolution.clone()),
    };
    // How an address within is reached says nothing, nor does another prefix that begins alike.
    world.feed(0, ShardEvent::Nexthops(vec![word(None), word(Some(24))]));
    world.settle();
    assert!(world.remote(A).table.is_empty());
    world.feed(0, ShardEvent::Nexthops(vec![word(Some(16))]));
    world.settle();
    assert_eq!(world.path(A, "10.9.0.0/16").as_deref(), Some("65000"));
    let inside = &world.remote(B).table[&prefix("10.9.0.0/16")];
    assert_eq!((inside.local_pref, inside.med), (Some(100), Some(0)));
    assert_eq!(inside.next_hop, NextHop::V4(Ipv4Addr::new(10, 0, 0, 254)));
    world.configure(|config| config.v4().networks.clear());
    world.settle();
    assert!(world.remote(A).table.is_empty());
    assert!(world.tracked.is_empty());
}

#[test]
fn redistributed_routes_survive_a_new_zebra_that_still_has_them() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    let statement =
        RedistributeStatement { protocol: RouteProtocol::Static, instance: 0, metric: Some(7), map: None };
    world.configure(|config| config.v4().redistribute = vec![statement]);
    let change = |text: &str, present: bool| RedistributedRoute {
        vrf: VrfId::DEFAULT,
        prefix: prefix(text),
        protocol: RouteProtocol::Static,
        instance: 0,
        route: present.then(|| RouteAttrs {
            nexthops: Arc::from([Nexthop::interface(IfIndex(1))]),
            distance: Distance(1),
            metric: Metric(0),
            tag: ferrite_types::Tag(0),
            mtu: 0,
            allow_recursion: false,
            internal: false,
            ospf: None,
        }),
    };
    let both = vec![change("10.1.0.0/16", true), change("10.2.0.0/16", true)];
    world.feed(0, ShardEvent::Redistributed(both));
    world.settle();
    assert_eq!(world.remote(A).table.len(), 2);
    assert_eq!(world.remote(A).table[&prefix("10.1.0.0/16")].origin, Origin::Incomplete);
    world.feed(0, ShardEvent::ZebraGone);
    world.feed(0, ShardEvent::ReplayFib);
    world.feed(0, ShardEvent::Redistributed(vec![change("10.1.0.0/16", true)]));
    world.settle_for(Duration::from_secs(1));
    assert_eq!(world.remote(A).table.len(), 2);
    world.settle();
    assert_eq!(world.path(A, "10.1.0.0/16").as_deref(), Some("65000"));
    assert_eq!((world.remote(A).table.len(), world.remote(A).withdrawn), (1, 1));
    world.configure(|config| config.v4().redistribute.clear());
    world.settle();
    assert!(world.remote(A).table.is_empty());
}

#[derive(Debug)]
struct OnlyInterface(&'static str);

impl Filter for OnlyInterface {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        if route.interface == Some(self.0) { Verdict::Permit } else { Verdict::Deny }
    }
}

#[test]
fn redistribution_policy_sees_the_interface_that_a_route_leads_out_of() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    let map: Arc<dyn Filter> = Arc::new(OnlyInterface("eth1"));
    let protocol = RouteProtocol::Connected;
    let statement = RedistributeStatement { protocol, instance: 0, metric: None, map: Some(map) };
    world.configure(|config| {
        config.interfaces = vec![(IfIndex(1), "eth1".to_owned()), (IfIndex(2), "eth2".to_owned())];
        config.v4().redistribute = vec![statement];
    });
    let connected = |text: &str, ifindex: u32| RedistributedRoute {
        vrf: VrfId::DEFAULT,
        prefix: prefix(text),
        protocol,
        instance: 0,
        route: Some(RouteAttrs {
            nexthops: Arc::from([Nexthop::interface(IfIndex(ifindex))]),
            distance: Distance(0),
            metric: Metric(0),
            tag: ferrite_types::Tag(0),
            mtu: 0,
            allow_recursion: false,
            internal: false,
            ospf: None,
        }),
    };
    world.feed(0, ShardEvent::Redistributed(vec![connected("10.1.0.0/24", 1), connected("10.2.0.0/24", 2)]));
    world.settle();
    assert_eq!(world.path(A, "10.1.0.0/24").as_deref(), Some("65000"));
    assert_eq!(world.remote(A).table.len(), 1);
}

#[test]
fn default_originate_needs_no_default_route_and_ends_with_its_setting() {
    let mut world = World::new(2);
    let originate = |f: &mut FamilyParams| f.default_originate = Some(DefaultOriginate::default());
    world.up(A, with_family(external(1, 65001), originate));
    world.up(B, external(2, 65002));
    world.settle();
    assert_eq!(world.path(A, "0.0.0.0/0").as_deref(), Some("65000"));
    assert!(world.remote(B).table.is_empty());
    world.announce(B, &[prefix("0.0.0.0/0")], &Arc::new(route(&[65002])));
    world.settle();
    assert_eq!(world.path(A, "0.0.0.0/0").as_deref(), Some("65000"));
    world.change(A, external(1, 65001));
    world.settle();
    assert_eq!(world.path(A, "0.0.0.0/0").as_deref(), Some("65000 65002"));
}

/// Permits 10.7.0.0/16.
#[derive(Debug)]
struct OnlySeven;

impl Filter for OnlySeven {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        if route.prefix == prefix("10.7.0.0/16") { Verdict::Permit } else { Verdict::Deny }
    }
}

#[test]
fn a_conditional_default_route_follows_the_table() {
    let mut world = World::new(3);
    let map: Arc<dyn Filter> = Arc::new(OnlySeven);
    let originate = |f: &mut FamilyParams| f.default_originate = Some(DefaultOriginate { map: Some(map) });
    world.up(B, external(2, 65002));
    world.announce(B, &[prefix("10.6.0.0/16")], &Arc::new(route(&[65002])));
    world.up(A, with_family(external(1, 65001), originate));
    world.settle();
    assert_eq!(world.path(A, "0.0.0.0/0"), None);
    for _ in 0..2 {
        world.announce(B, &[prefix("10.7.0.0/16")], &Arc::new(route(&[65002])));
        world.settle();
        assert_eq!(world.path(A, "0.0.0.0/0").as_deref(), Some("65000"));
        world.withdraw(B, prefix("10.7.0.0/16"));
        world.settle();
        assert_eq!(world.path(A, "0.0.0.0/0"), None);
    }
}

/// Lets what begins with 10 pass, by an entry of the number that its second octet is, which is the MED it sets.
#[derive(Debug)]
struct ByNumber;

impl Filter for ByNumber {
    fn apply(&self, _: &mut PolicyInput<'_>) -> Verdict {
        Verdict::Permit
    }
    fn trail(&self, route: &mut PolicyInput<'_>) -> Option<ferrite_policy::Trail> {
        let IpAddr::V4(addr) = route.prefix.addr() else { return None };
        let [first, number, ..] = addr.octets();
        (first == 10).then(|| Arc::from([u16::from(number)]))
    }
    fn retrace(&self, trail: &[u16], route: &mut PolicyInput<'_>) {
        route.attrs_mut().med = trail.first().map(|number| u32::from(*number));
    }
}

#[test]
fn the_first_route_that_passes_changes_the_default_route() {
    let mut world = World::new(3);
    let originate =
        |f: &mut FamilyParams| f.default_originate = Some(DefaultOriginate { map: Some(Arc::new(ByNumber)) });
    world.up(B, external(2, 65002));
    world.up(A, with_family(external(1, 65001), originate));
    let mut step = |announced: Option<u8>, withdrawn: Option<u8>| {
        let net = |n: u8| prefix(&format!("10.{n}.0.0/16"));
        if let Some(n) = announced {
            world.announce(B, &[net(n)], &Arc::new(route(&[65002])));
        }
        withdrawn.into_iter().for_each(|n| world.withdraw(B, net(n)));
        world.settle();
        world.remote(A).table.get(&prefix("0.0.0.0/0")).and_then(|attrs| attrs.med)
    };
    assert_eq!(step(Some(9), None), Some(9));
    assert_eq!(step(Some(200), None), Some(9));
    assert_eq!(step(Some(4), None), Some(4));
    assert_eq!(step(None, Some(200)), Some(4));
    assert_eq!(step(Some(7), Some(4)), Some(7), "the first has gone");
    assert_eq!(step(None, Some(7)), Some(9));
    assert_eq!(step(None, Some(9)), None);
}

fn v6_peer(n: u8, remote_as: u32) -> PeerParams {
    let mut params = external(n, remote_as);
    params.addr = format!("2001:db8::{n}").parse().unwrap();
    params.local_v6 = Some("2001:db8::fe".parse().unwrap());
    params.local_link_local = Some("fe80::fe".parse().unwrap());
    let family = Arc::clone(params.family(V4).unwrap());
    params.families = vec![(Family::IPV6_UNICAST, family)];
    params
}

#[test]
fn ipv6_routes_carry_both_next_hops_and_are_installed_by_the_link_local_one() {
    let mut world = World::new(1);
    world.configure(|config| config.install = true);
    world.feed(0, ShardEvent::ReplayFib);
    world.up(A, v6_peer(1, 65001));
    world.up(B, v6_peer(2, 65002));
    let mut attrs = route(&[65001]);
    let link_local = Some("fe80::1".parse().unwrap());
    attrs.next_hop = NextHop::V6 { global: "2001:db8::1".parse().unwrap(), link_local };
    let session = world.remote(A).session.unwrap();
    let mut batch = RouteBatch::new(PeerId(A), session, Family::IPV6_UNICAST);
    let set = batch.attrs(&Arc::new(attrs));
    let prefixes: Vec<Prefix> = (0..1000).map(|n| prefix(&format!("2001:db8:{n:x}::/48"))).collect();
    for prefix in &prefixes {
        batch.reach(*prefix, 0, set);
    }
    batch.reach(prefix("::/0"), 0, set);
    world.feed(0, ShardEvent::Routes(batch));
    world.settle();
    assert_eq!(world.remote(B).table.len(), 1001);
    let ours = NextHop::V6 {
        global: "2001:db8::fe".parse().unwrap(),
        link_local: Some("fe80::fe".parse().unwrap()),
    };
    assert!(world.remote(B).table.values().all(|attrs| attrs.next_hop == ours));
    let installed = &world.fib[&prefix("2001:db8:7::/48")].nexthops[0];
    assert_eq!((installed.gateway_addr(), installed.ifindex()), ("fe80::1".parse().ok(), Some(IfIndex(1))));
    world.down(A);
    world.settle();
    assert!(world.remote(B).table.is_empty() && world.fib.is_empty());
}

/// `set distance 77` inbound.
#[derive(Debug)]
struct SetDistance;

impl Filter for SetDistance {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        route.distance = Some(77);
        Verdict::Permit
    }
    fn depends_on_prefix(&self) -> bool {
        false
    }
}

#[test]
fn a_distance_that_policy_gives_a_route_reaches_zebra() {
    let mut world = World::new(1);
    world.configure(|config| config.install = true);
    world.feed(0, ShardEvent::ReplayFib);
    world.up(A, with_family(external(1, 65001), |family| family.import = Some(Arc::new(SetDistance))));
    world.up(B, external(2, 65002));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    world.announce(B, &[prefix("10.2.0.0/16")], &Arc::new(route(&[65002])));
    world.settle();
    let distance = |text: &str| world.fib[&prefix(text)].distance.0;
    assert_eq!((distance("10.1.0.0/16"), distance("10.2.0.0/16")), (77, 20));
}

#[test]
fn clients_of_a_route_server_are_told_the_meds_of_clients() {
    let mut world = World::new(1);
    let client =
        |n, remote_as| with_family(external(n, remote_as), |family| family.route_server_client = true);
    world.up(A, client(1, 65001));
    world.up(B, external(2, 65002));
    world.up(3, client(3, 65003));
    for (id, asn, net) in [(A, 65001, "10.1.0.0/16"), (B, 65002, "10.2.0.0/16")] {
        let mut attrs = route(&[asn]);
        attrs.med = Some(5);
        world.announce(id, &[prefix(net)], &Arc::new(attrs));
    }
    world.settle();
    let med = |id: u32, text: &str| world.remote(id).table[&prefix(text)].med;
    assert_eq!((med(3, "10.1.0.0/16"), med(3, "10.2.0.0/16")), (Some(5), None));
    assert_eq!(med(B, "10.1.0.0/16"), None);
    // When it ceases to be a client, they are told again.
    world.change(A, external(1, 65001));
    world.settle();
    assert_eq!(world.remote(3).table[&prefix("10.1.0.0/16")].med, None);
}

#[test]
fn next_hop_settings_do_what_they_say() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    let theirs = NextHop::V4(Ipv4Addr::new(192, 0, 2, 1));
    let ours = NextHop::V4(Ipv4Addr::new(10, 0, 0, 254));
    let shared = |mut params: PeerParams| {
        params.shared_networks = vec![prefix("192.0.2.0/24")];
        params.addr = "192.0.2.77".parse().unwrap();
        params
    };
    let rows = [
        (external(2, 65002), ours),
        (internal(2), theirs),
        (with_family(internal(2), |f| f.nexthop = NexthopMode::Own), ours),
        (with_family(external(2, 65002), |f| f.nexthop = NexthopMode::Unchanged), theirs),
        (with_family(external(2, 65002), |f| f.route_server_client = true), theirs),
        (shared(external(2, 65002)), theirs),
    ];
    for (params, expected) in rows {
        world.up(B, params.clone());
        world.settle();
        assert_eq!(world.remote(B).table[&prefix("10.1.0.0/16")].next_hop, expected, "{params:?}");
        world.down(B);
        world.settle();
    }
}

#[test]
fn messages_are_filled_with_prefixes_that_share_attributes() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    let prefixes: Vec<Prefix> =
        (0..2000).map(|i| prefix(&format!("10.{}.{}.0/24", i / 256, i % 256))).collect();
    world.announce(A, &prefixes, &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.remote(B).table.len(), 2000);
    let Answer::UpdateGroups(groups) = world.ask(0, 1, Query::UpdateGroups { family: V4 }) else { panic!() };
    let messages: u64 = groups.iter().map(|group| group.messages).sum();
    assert_eq!(messages, 2, "1,018 prefixes of four octets fit in a message");
}

#[test]
fn a_walk_comes_in_chunks_and_in_order() {
    let mut world = World::new(1);
    world.up(A, external(1, 65001));
    world.up(B, external(2, 65002));
    let prefixes: Vec<Prefix> = (0..100).rev().map(|i| prefix(&format!("10.{i}.0.0/16"))).collect();
    world.announce(A, &prefixes, &Arc::new(route(&[65001])));
    world.announce(B, &prefixes[..50], &Arc::new(route(&[65002, 1])));
    world.settle();
    let walk = |source| Query::Walk { source, family: V4, within: None, limit: 30 };
    let mut seen = Vec::new();
    loop {
        let Answer::Rows { rows, done } = world.ask(0, 5, walk(WalkSource::Table)) else { panic!() };
        seen.extend(rows);
        if done {
            break;
        }
    }
    assert_eq!(seen.len(), 100);
    assert!(seen.is_sorted_by_key(|row| row.prefix));
    assert_eq!(seen.iter().map(|row| row.paths.len()).sum::<usize>(), 150);
    assert!(seen.iter().all(|row| row.paths[0].best));
    let Answer::Rows { rows, .. } = world.ask(0, 6, walk(WalkSource::Advertised(PeerId(B)))) else {
        panic!()
    };
    assert_eq!(rows.len(), 30);
    assert_eq!(rows[0].paths[0].attrs.as_path.to_string(), "65000 65001");
    let query = Query::Prefix { family: V4, prefix: prefix("10.99.0.0/16") };
    let Answer::Prefix(Some(view)) = world.ask(0, 7, query) else { panic!() };
    assert_eq!(view.reason.unwrap().text(), "AS Path");
    assert_eq!(view.advertised_to, [PeerId(B)]);
    let query = Query::Longest { family: V4, addr: "10.5.1.2".parse().unwrap() };
    let Answer::Prefix(Some(view)) = world.ask(0, 8, query) else { panic!() };
    assert_eq!(view.prefix, prefix("10.5.0.0/16"));
}
