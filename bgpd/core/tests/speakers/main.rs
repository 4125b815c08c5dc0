//! Networks of whole speakers under virtual time: sessions come up, routes travel, and a change of configuration does no
//! more than it says.

mod explain;
mod graceful;
mod world;

use world::World;

fn config(asn: u32, id: u32, body: &str) -> String {
    format!(
        "router bgp {asn}\n bgp router-id 10.255.0.{id}\n no bgp ebgp-requires-policy\n no bgp network import-check\n{body}"
    )
}

/// a – b – c, each its own AS.
fn chain(seed: u64, shards: usize) -> World {
    let mut world = World::new(seed, &["a", "b", "c"], shards);
    world.link("a", "10.0.1.1", "b", "10.0.1.2");
    world.link("b", "10.0.2.2", "c", "10.0.2.3");
    world.load(
        "a",
        &config(
            65001,
            1,
            " neighbor 10.0.1.2 remote-as 65002\n address-family ipv4 unicast\n  network 10.1.0.0/16\n",
        ),
    );
    world.load(
        "b",
        &config(65002, 2, " neighbor 10.0.1.1 remote-as 65001\n neighbor 10.0.2.3 remote-as external\n"),
    );
    world.load(
        "c",
        &config(
            65003,
            3,
            " neighbor 10.0.2.2 remote-as 65002\n address-family ipv4 unicast\n  network 10.3.0.0/16\n",
        ),
    );
    world
}

#[test]
fn routes_travel_along_a_chain_and_are_withdrawn_again() {
    for shards in [1, 3] {
        let mut world = chain(1, shards);
        world.run(30);
        assert_eq!(world.state("b", "10.0.1.1"), "Established");
        assert_eq!(world.path("c", "10.1.0.0/16").as_deref(), Some("65002 65001"));
        assert_eq!(world.path("a", "10.3.0.0/16").as_deref(), Some("65002 65003"));
        world.configure("a", "router bgp 65001\n address-family ipv4 unicast\n  no network 10.1.0.0/16\n");
        world.run(5);
        assert_eq!(world.path("c", "10.1.0.0/16"), None);
        assert_eq!(world.path("a", "10.3.0.0/16").as_deref(), Some("65002 65003"));
    }
}

#[test]
fn a_neighbour_that_falls_silent_is_lost_after_the_hold_time() {
    let mut world = World::new(2, &["a", "b"], 1);
    let link = world.link("a", "10.0.1.1", "b", "10.0.1.2");
    world.load("a", &config(65001, 1, " neighbor 10.0.1.2 remote-as 65002\n neighbor 10.0.1.2 timers 3 9\n"));
    world.load(
        "b",
        &config(
            65002,
            2,
            " neighbor 10.0.1.1 remote-as 65001\n address-family ipv4 unicast\n  network 10.2.0.0/16\n",
        ),
    );
    world.run(20);
    assert_eq!(world.path("a", "10.2.0.0/16").as_deref(), Some("65002"));
    world.net.set_link(link, false);
    // The last KEEPALIVE came up to three seconds before.
    world.run(5);
    assert_eq!(world.state("a", "10.0.1.2"), "Established");
    world.run(6);
    assert_ne!(world.state("a", "10.0.1.2"), "Established");
    assert_eq!(world.path("a", "10.2.0.0/16"), None);
    world.net.set_link(link, true);
    world.run(120);
    assert_eq!(world.path("a", "10.2.0.0/16").as_deref(), Some("65002"));
}

#[test]
fn the_same_configuration_a_hundred_times_sends_nothing() {
    let mut world = chain(3, 2);
    world.run(30);
    let before = (world.speaker("b").updates_sent, world.speaker("b").sessions_lost);
    for _ in 0..100 {
        let id = world.id("b");
        world.net.act(id, |speaker, now, out| {
            speaker.load_again(now, out);
            assert!(out.is_empty(), "{out:?}");
        });
    }
    world.run(5);
    assert_eq!((world.speaker("b").updates_sent, world.speaker("b").sessions_lost), before);
}

#[test]
fn an_export_policy_changes_what_is_sent_and_no_session() {
    let mut world = chain(4, 2);
    world.run(30);
    world.configure(
        "b",
        "ip prefix-list NONE deny any\nrouter bgp 65002\n address-family ipv4 unicast\n  neighbor 10.0.2.3 prefix-list NONE out\n",
    );
    world.run(5);
    assert_eq!(world.path("c", "10.1.0.0/16"), None);
    assert_eq!(world.path("a", "10.3.0.0/16").as_deref(), Some("65002 65003"));
    // The list itself changes, the neighbour's lines do not.
    world.configure("b", "no ip prefix-list NONE\nip prefix-list NONE permit any\n");
    // Not before the delay timer has run.
    world.run(4);
    assert_eq!(world.path("c", "10.1.0.0/16"), None);
    world.run(3);
    assert_eq!(world.path("c", "10.1.0.0/16").as_deref(), Some("65002 65001"));
    assert_eq!(world.speaker("b").sessions_lost, 0);
}

#[test]
fn an_import_policy_is_applied_by_asking_again_or_from_what_is_stored() {
    for stored in [false, true] {
        let mut world = chain(5, 2);
        if stored {
            world.configure("c", "router bgp 65003\n address-family ipv4 unicast\n  neighbor 10.0.2.2 soft-reconfiguration inbound\n");
        }
        world.run(30);
        world.configure(
            "c",
            "route-map IN permit 10\n set local-preference 250\nexit\nrouter bgp 65003\n address-family ipv4 unicast\n  neighbor 10.0.2.2 route-map IN in\n",
        );
        world.run(5);
        let route = world.json("c", "show bgp ipv4 unicast 10.1.0.0/16 json");
        assert_eq!(route["paths"][0]["locPrf"], 250, "{route}");
        world.configure("c", "route-map IN permit 10\n set local-preference 260\n");
        world.run(8);
        let route = world.json("c", "show bgp ipv4 unicast 10.1.0.0/16 json");
        assert_eq!(route["paths"][0]["locPrf"], 260, "{route}");
        assert_eq!(world.speaker("c").sessions_lost, 0);
    }
}

#[test]
fn a_change_of_one_neighbour_leaves_the_others_alone() {
    let mut world = chain(6, 1);
    world.run(30);
    let text = " neighbor 10.0.1.1 remote-as 65001\n neighbor 10.0.2.3 remote-as 65009\n";
    let impact = world.speaker("b").impact(&config(65002, 2, text));
    assert_eq!(impact, ["neighbor 10.0.2.3: Remote AS changed"]);
    world.load("b", &config(65002, 2, text));
    world.run(5);
    assert_eq!(world.state("b", "10.0.1.1"), "Established");
    assert_ne!(world.state("b", "10.0.2.3"), "Established");
    assert_eq!(world.speaker("b").sessions_lost, 1);
}

#[test]
fn too_many_prefixes_end_the_session_until_it_is_cleared() {
    let mut world = chain(7, 2);
    world.configure(
        "b",
        "router bgp 65002\n address-family ipv4 unicast\n  neighbor 10.0.1.1 maximum-prefix 2\n",
    );
    world.run(30);
    assert_eq!(world.state("b", "10.0.1.1"), "Established");
    let more = (1..=3).map(|n| format!("  network 10.100.{n}.0/24")).collect::<Vec<_>>().join("\n");
    world.configure("a", &format!("router bgp 65001\n address-family ipv4 unicast\n{more}"));
    world.run(60);
    assert_eq!(world.state("b", "10.0.1.1"), "Idle");
    let summary = world.json("b", "show bgp ipv4 unicast summary json");
    assert_eq!(summary["peers"]["10.0.1.1"]["peerState"], "PfxCt");
    world.configure("a", "router bgp 65001\n address-family ipv4 unicast\n  no network 10.100.1.0/24\n  no network 10.100.2.0/24\n");
    world.show("b", "clear bgp 10.0.1.1");
    world.run(120);
    assert_eq!(world.state("b", "10.0.1.1"), "Established");
}

#[test]
fn an_external_session_without_policy_takes_and_gives_nothing() {
    let mut world = World::new(8, &["a", "b"], 1);
    world.link("a", "10.0.1.1", "b", "10.0.1.2");
    let plain = |asn: u32, id: u32, body: &str| {
        format!("router bgp {asn}\n bgp router-id 10.255.0.{id}\n no bgp network import-check\n{body}")
    };
    world.load(
        "a",
        &plain(
            65001,
            1,
            " neighbor 10.0.1.2 remote-as 65002\n address-family ipv4 unicast\n  network 10.1.0.0/16\n",
        ),
    );
    world.load(
        "b",
        &config(
            65002,
            2,
            " neighbor 10.0.1.1 remote-as 65001\n address-family ipv4 unicast\n  network 10.2.0.0/16\n",
        ),
    );
    world.run(30);
    assert_eq!(world.state("a", "10.0.1.2"), "Established");
    assert_eq!(world.path("a", "10.2.0.0/16"), None);
    assert_eq!(world.path("b", "10.1.0.0/16"), None);
    assert!(world.show("a", "show ip bgp summary").contains("(Policy)"));
}

#[test]
fn a_table_larger_than_a_chunk_is_shown_whole_and_in_order() {
    let mut world = chain(9, 3);
    let networks: Vec<_> =
        (0..2000).map(|n| format!("  network 10.{}.{}.0/24", 100 + n / 250, n % 250)).collect();
    let networks = networks.join(
        "
",
    );
    world.configure("a", &format!("router bgp 65001\n address-family ipv4 unicast\n{networks}"));
    world.run(30);
    let table = world.json("c", "show bgp ipv4 unicast json");
    let routes = table["routes"].as_object().unwrap();
    assert_eq!(routes.len(), 2002);
    assert_eq!(table["totalRoutes"], 2002);
    let prefixes: Vec<ferrite_types::Prefix> = routes.keys().map(|key| key.parse().unwrap()).collect();
    assert!(prefixes.is_sorted());
    let text = world.show("c", "show ip bgp");
    assert!(
        text.ends_with("\nDisplayed 2002 routes and 2002 total paths\n"),
        "{}",
        &text[text.len() - 200..]
    );
    let sent = world.json("b", "show bgp ipv4 unicast neighbors 10.0.2.3 advertised-routes json");
    assert_eq!(sent["totalPrefixCounter"], 2001, "{sent}");
    let filtered = world.show("c", "show bgp ipv4 unicast regexp _65001$");
    assert!(filtered.contains("Displayed 2001 routes"), "{filtered}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed: u64| {
        let mut world = chain(seed, 2);
        world.run(60);
        ["a", "b", "c"].map(|name| world.show(name, "show bgp neighbors json"))
    };
    assert_eq!(run(11), run(11));
}

#[test]
fn peer_groups_reflection_and_ibgp_rules_hold_together() {
    // r reflects between its clients a and b, who share a group; e is outside.
    let mut world = World::new(12, &["r", "a", "b", "e"], 2);
    world.link("r", "10.0.1.1", "a", "10.0.1.2");
    world.link("r", "10.0.2.1", "b", "10.0.2.2");
    world.link("b", "10.0.3.1", "e", "10.0.3.2");
    let clients = " neighbor C peer-group\n neighbor C remote-as internal\n neighbor 10.0.1.2 peer-group C\n neighbor 10.0.2.2 peer-group C\n address-family ipv4 unicast\n  neighbor C route-reflector-client\n";
    world.load("r", &config(65000, 1, clients));
    world.load(
        "a",
        &config(
            65000,
            2,
            " neighbor 10.0.1.1 remote-as 65000\n address-family ipv4 unicast\n  network 10.10.0.0/16\n",
        ),
    );
    world.load(
        "b",
        &config(65000, 3, " neighbor 10.0.2.1 remote-as 65000\n neighbor 10.0.3.2 remote-as 65009\n address-family ipv4 unicast\n  neighbor 10.0.2.1 next-hop-self\n"),
    );
    world.load(
        "e",
        &config(
            65009,
            4,
            " neighbor 10.0.3.1 remote-as 65000\n address-family ipv4 unicast\n  network 10.90.0.0/16\n",
        ),
    );
    world.run(30);
    assert_eq!(world.path("a", "10.90.0.0/16").as_deref(), Some("65009"));
    assert_eq!(world.path("e", "10.10.0.0/16").as_deref(), Some("65000"));
    let route = world.json("a", "show bgp ipv4 unicast 10.90.0.0/16 json");
    assert_eq!(route["paths"][0]["originatorId"], "10.255.0.3", "{route}");
    assert_eq!(route["paths"][0]["nexthops"][0]["ip"], "10.0.2.2");
    // A member that leaves the group's reflection loses what it had by it, and nobody's session ends.
    world.configure(
        "r",
        "router bgp 65000\n address-family ipv4 unicast\n  no neighbor C route-reflector-client\n",
    );
    world.run(10);
    assert_eq!(world.path("a", "10.90.0.0/16"), None);
    assert_eq!(world.speaker("r").sessions_lost, 0);
}

#[test]
fn without_router_bgp_nothing_is_left() {
    let mut world = chain(13, 2);
    world.run(30);
    world.load("b", "hostname b\n");
    world.run(5);
    assert_eq!(world.path("a", "10.3.0.0/16"), None);
    assert_eq!(world.show("b", "show bgp summary"), "");
    world.load(
        "b",
        &config(65002, 2, " neighbor 10.0.1.1 remote-as 65001\n neighbor 10.0.2.3 remote-as external\n"),
    );
    world.run(200);
    assert_eq!(world.path("a", "10.3.0.0/16").as_deref(), Some("65002 65003"));
}

#[test]
fn a_soft_clear_ends_no_session_and_a_hard_one_does() {
    let mut world = chain(14, 2);
    world.run(30);
    for line in [
        "clear bgp * soft",
        "clear bgp 10.0.1.1 soft in",
        "clear ip bgp 10.0.2.3 out",
        "clear bgp external soft out",
    ] {
        assert_eq!(world.show("b", line), "", "{line}");
    }
    world.run(5);
    assert_eq!(world.speaker("b").sessions_lost, 0);
    assert_eq!(world.path("c", "10.1.0.0/16").as_deref(), Some("65002 65001"));
    world.show("b", "clear bgp 65001");
    world.run(1);
    assert_eq!(world.speaker("b").sessions_lost, 1);
    world.run(200);
    assert_eq!(world.path("c", "10.1.0.0/16").as_deref(), Some("65002 65001"));
    assert!(world.show("b", "clear bgp 9.9.9.9").contains("Unknown neighbor"));
    assert!(world.show("b", "clear bgp peer-group NONE").contains("No such peer-group"));
}
