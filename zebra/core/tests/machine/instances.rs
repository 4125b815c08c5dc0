//! Several processes of one protocol: each has routes of its own, and their prefixes do not collide.

use ferrite_types::zclient::{
    FromZebra, OspfPath, OspfRoute, RedistributeRequest, RouteAttrs, RouteBatch, RouteOutcome, ToZebra,
};
use ferrite_types::{Afi, Metric, RouteProtocol, Tag, VrfId};
use zebra_core::{ClientKey, Event};

use crate::world::{World, attrs, batch, listed, via};
use RouteProtocol::Ospf;

const PREFIX: &str = "192.0.2.0/24";

fn world() -> (World, ClientKey) {
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    let ospf = world.connect(1, Ospf);
    (world, ospf)
}

/// A process says what it has for the prefix; zero is the one without a number.
fn say(world: &mut World, client: ClientKey, instance: u16, to: Option<(&str, u32)>) {
    let route = to.map(|(gateway, metric)| ferrite_types::zclient::RouteAttrs {
        metric: Metric(metric),
        ..attrs(Ospf, &[via(gateway)])
    });
    world.say(client, ToZebra::Routes(RouteBatch { instance, ..batch(Ospf, PREFIX, route) }));
}

#[test]
fn each_process_has_its_own_candidate_for_a_prefix() {
    let (mut world, ospf) = world();
    say(&mut world, ospf, 5, Some(("10.1.0.5", 20)));
    say(&mut world, ospf, 7, Some(("10.1.0.7", 10)));
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("ospf 10.1.0.7 dev 1"));
    let text = world.show("show ip route");
    assert!(text.contains("O[7]>* 192.0.2.0/24 [110/10] via 10.1.0.7, e1"), "{text}");
    assert!(text.contains("O[5]   192.0.2.0/24 [110/20] via 10.1.0.5, e1"), "{text}");
    let one = world.show("show ip route ospf 5");
    assert!(one.contains("O[5]") && !one.contains("O[7]"), "{one}");
    let json: serde_json::Value =
        serde_json::from_str(&world.show("show ip route 192.0.2.0/24 json")).unwrap();
    let instances: Vec<_> = json[PREFIX].as_array().unwrap().iter().map(|route| &route["instance"]).collect();
    assert_eq!(instances, [7, 5]);
    // A change of one is no change of the other.
    say(&mut world, ospf, 5, Some(("10.1.0.5", 5)));
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("ospf 10.1.0.5 dev 1"));
    say(&mut world, ospf, 5, None);
    assert_eq!(world.kernel(PREFIX).as_deref(), Some("ospf 10.1.0.7 dev 1"));
    say(&mut world, ospf, 5, None);
    assert!(world.kernel(PREFIX).is_some());
    say(&mut world, ospf, 7, None);
    assert!(world.kernel.is_empty());
}

#[test]
fn results_name_the_process() {
    let (mut world, ospf) = world();
    world.say(ospf, ToZebra::WantResults(true));
    say(&mut world, ospf, 5, Some(("10.1.0.5", 10)));
    say(&mut world, ospf, 7, Some(("10.1.0.7", 20)));
    let results: Vec<_> = world
        .told(ospf)
        .into_iter()
        .filter_map(|message| match message {
            FromZebra::Results(list) => Some(list),
            _ => None,
        })
        .flatten()
        .map(|result| (result.instance, result.outcome))
        .collect();
    assert_eq!(results, [(5, RouteOutcome::Installed), (7, RouteOutcome::BetterAdminWon)]);
}

#[test]
fn redistribution_names_the_process() {
    let (mut world, ospf) = world();
    let bgp = world.connect(2, RouteProtocol::Bgp);
    let request = RedistributeRequest {
        vrf: VrfId::DEFAULT,
        afi: Afi::Ipv4,
        protocol: Ospf,
        instance: 5,
        subscribe: true,
    };
    world.say(bgp, ToZebra::Redistribute(request));
    world.told(bgp);
    let heard = |world: &mut World| -> Vec<(u32, bool)> {
        let lists = world.told(bgp).into_iter().filter_map(|message| match message {
            FromZebra::Redistributed(list) => Some(list),
            _ => None,
        });
        lists.flatten().map(|route| (route.instance, route.route.is_some())).collect()
    };
    say(&mut world, ospf, 7, Some(("10.1.0.7", 10)));
    assert_eq!(heard(&mut world), []);
    say(&mut world, ospf, 5, Some(("10.1.0.5", 5)));
    assert_eq!(heard(&mut world), [(5, true)]);
    // The other process has the better route now: what is redistributed of the first is gone.
    say(&mut world, ospf, 7, Some(("10.1.0.7", 1)));
    assert_eq!(heard(&mut world), [(5, false)]);
}

/// What an earlier run left in the kernel has no number of a process; the first that names it has it.
#[test]
fn a_route_of_an_earlier_run_goes_to_whoever_names_it() {
    let (mut world, ospf) = world();
    say(&mut world, ospf, 5, Some(("10.1.0.5", 10)));
    let (key, route) = world.kernel.iter().next().map(|(key, route)| (*key, route.clone())).unwrap();
    let mut later = World::new();
    later.event(Event::DumpBegin);
    later.link(1, true);
    later.address(1, "10.1.0.1/24");
    later.event(Event::KernelRoute(listed(key.0, key.1, &route)));
    later.event(Event::DumpEnd);
    let ospf = later.connect(1, Ospf);
    say(&mut later, ospf, 5, Some(("10.1.0.5", 10)));
    let text = later.show("show ip route ospf");
    assert_eq!(text.matches(PREFIX).count(), 1, "{text}");
}

#[test]
fn what_ospf_says_of_a_route_is_shown_and_changes_nothing_in_the_kernel() {
    let (mut world, ospf) = world();
    let route = |path: Option<OspfPath>| {
        let plain = attrs(Ospf, &[via("10.1.0.5")]);
        Some(RouteAttrs { tag: Tag(77), ospf: path.map(|path| OspfRoute { path }), ..plain })
    };
    world.say(ospf, ToZebra::Routes(batch(Ospf, PREFIX, route(None))));
    let show = format!("show ip route {PREFIX}");
    let json = |world: &World| -> serde_json::Value {
        let json: serde_json::Value = serde_json::from_str(&world.show(&format!("{show} json"))).unwrap();
        json[PREFIX][0].clone()
    };
    assert!(json(&world).get("ospfPathType").is_none());
    assert!(!world.show(&show).contains("OSPF"));
    let kernel = world.kernel(PREFIX);
    let area = OspfPath::InterArea("0.0.0.5".parse().unwrap());
    world.say(ospf, ToZebra::Routes(batch(Ospf, PREFIX, route(Some(area)))));
    let said = "weight 1\n    OSPF path type        : Inter-Area\n    OSPF area ID          : 0.0.0.5\n    \
                OSPF tag              : 77\n\n";
    let text = world.show(&show);
    assert!(text.contains(said), "{text}");
    let route = json(&world);
    assert_eq!((&route["ospfPathType"], &route["ospfAreaId"]), (&"Inter-Area".into(), &"0.0.0.5".into()));
    assert_eq!(route["ospfTag"], "77");
    assert_eq!(world.kernel(PREFIX), kernel);
}
