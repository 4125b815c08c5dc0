//! Routes that lead through a `nexthop-group` of the configuration, resilient ones too.

use ferrite_types::RouteProtocol::Sharp;
use ferrite_types::zclient::{RouteBatch, ToZebra};
use zebra_core::{ClientKey, Event, NexthopObject, Options, Resilience};

use crate::world::{World, attrs, batch};

const PREFIX: &str = "192.0.2.0/24";
const TWO: &str = "nexthop-group WEB\n nexthop 10.1.0.2\n nexthop 10.1.0.3 weight 5\nexit\n";

fn world() -> (World, ClientKey) {
    let mut world = World::with(Options { nexthop_objects: true, ..Options::default() });
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    let client = world.connect(1, Sharp);
    (world, client)
}

fn through(world: &mut World, client: ClientKey, group: &str) {
    let route = Some(attrs(Sharp, &[]));
    let batch = RouteBatch { group: Some(group.into()), ..batch(Sharp, PREFIX, route) };
    world.say(client, ToZebra::Routes(batch));
}

fn kind(world: &World) -> Option<Resilience> {
    world.objects.values().find_map(|object| match object {
        NexthopObject::Group(members) => members.resilience,
        NexthopObject::Single(_) => None,
    })
}

#[test]
fn routes_follow_the_group_that_they_name() {
    let (mut world, client) = world();
    through(&mut world, client, "WEB");
    assert_eq!(world.kernel(PREFIX), None, "there is no such group yet");
    world.lines(TWO);
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("sharp 10.1.0.2 dev 1 + 10.1.0.3 dev 1"));
    world.lines("nexthop-group WEB\n nexthop 10.1.0.7\nexit\n");
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("sharp 10.1.0.7 dev 1"));
    world.lines("");
    assert_eq!(world.kernel(PREFIX), None);
    world.lines(TWO);
    assert!(world.kernel(PREFIX).is_some());
    // Its own next hops again.
    world.announce(client, Sharp, PREFIX, &[crate::world::via("10.1.0.9")]);
    world.lines("nexthop-group WEB\n nexthop 10.1.0.7\nexit\n");
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("sharp 10.1.0.9 dev 1"));
    through(&mut world, client, "WEB");
    world.withdraw(client, Sharp, PREFIX);
    world.lines(TWO);
    assert_eq!(world.kernel(PREFIX), None);
}

#[test]
fn a_client_that_is_gone_leaves_nothing_that_a_change_brings_back() {
    let (mut world, client) = world();
    world.lines(TWO);
    through(&mut world, client, "WEB");
    assert!(world.kernel(PREFIX).is_some());
    world.say(client, ToZebra::Goodbye { keep_routes: false });
    world.event(Event::ClientGone { client });
    assert_eq!(world.kernel(PREFIX), None);
    world.lines("nexthop-group WEB\n nexthop 10.1.0.7\nexit\n");
    assert_eq!(world.kernel(PREFIX), None);
    // It comes back and does not name the route again.
    let client = world.connect(2, Sharp);
    through(&mut world, client, "WEB");
    world.event(Event::ClientGone { client });
    let client = world.connect(3, Sharp);
    world.say(client, ToZebra::ReplayDone);
    world.lines(TWO);
    assert_eq!(world.kernel(PREFIX), None);
}

#[test]
fn a_resilient_group_is_one_in_the_kernel() {
    let (mut world, client) = world();
    let resilient = |buckets| {
        format!(
            "nexthop-group WEB\n nexthop 10.1.0.2\n nexthop 10.1.0.3\n resilient buckets {buckets} idle-timer 20 unbalanced-timer 300\nexit\n"
        )
    };
    world.lines(&resilient(64));
    through(&mut world, client, "WEB");
    assert_eq!(kind(&world), Some(Resilience { buckets: 64, idle: 20, unbalanced: 300 }));
    let shown = world.show("show nexthop-group rib");
    assert!(shown.contains("Buckets: 64 Idle Timer: 20 Unbalanced Timer: 300"), "{shown}");
    // Static routes through the same next hops have a group of their own.
    world.lines(&format!(
        "{}ip route 198.51.100.0/24 10.1.0.2\nip route 198.51.100.0/24 10.1.0.3\n",
        resilient(64)
    ));
    let groups = world.objects.values().filter(|object| matches!(object, NexthopObject::Group(_))).count();
    assert_eq!(groups, 2);
    // The kernel does not change the number of buckets of a group: another takes its place.
    world.lines(&resilient(128));
    assert_eq!(kind(&world).map(|kind| kind.buckets), Some(128));
    world.lines(TWO);
    assert_eq!(kind(&world), None);
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("sharp 10.1.0.2 dev 1 + 10.1.0.3 dev 1"));
}
