//! What processes want of the world: sockets, groups.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_ospf_control::{Action, SocketTerms};
use ferrite_types::zclient::{OspfPath, ToZebra};

use crate::lab::{Lab, link, link_local};
use crate::{network, network_traced};

fn sockets(lab: &Lab, router: usize) -> Vec<(u8, Option<SocketTerms>)> {
    let own = lab.wanted.iter().filter(|(from, _)| *from == router);
    own.filter_map(|(_, action)| match action {
        Action::Socket { version, terms, .. } => Some((*version, terms.clone())),
        _ => None,
    })
    .collect()
}

#[test]
fn sockets_are_opened_once_and_have_what_is_said_of_them() {
    let mut lab = network();
    let plain = SocketTerms { per_interface: true, ..SocketTerms::default() };
    assert_eq!(sockets(&lab, 0), [(2, Some(plain.clone())), (3, Some(SocketTerms::default()))]);
    lab.wanted.clear();
    lab.run(60);
    assert!(sockets(&lab, 0).is_empty());
    lab.configure(
        0,
        "router ospf\n socket buffer recv 70000\n socket buffer send 50000\n no socket-per-interface\n",
    );
    let said = SocketTerms {
        receive: Some(70_000),
        send: Some(50_000),
        per_interface: false,
        ..SocketTerms::default()
    };
    assert_eq!(sockets(&lab, 0), [(2, Some(said))]);
    lab.wanted.clear();
    lab.configure(0, "router ospf\n no socket buffer all 1\n socket-per-interface\n");
    assert_eq!(sockets(&lab, 0), [(2, Some(plain))]);
    lab.wanted.clear();
    lab.configure(0, "no router ospf\n");
    assert_eq!(sockets(&lab, 0), [(2, None)]);
}

#[test]
fn a_virtual_link_has_the_keys_of_the_backbone_where_it_says_nothing() {
    let mut lab = Lab::default();
    let config = "router ospf
 ospf router-id 1.1.1.1
 area 0 authentication message-digest
 area 1 virtual-link 2.2.2.2
 area 1 virtual-link 2.2.2.2 message-digest-key 3 md5 abc
 area 1 virtual-link 3.3.3.3 authentication null
exit
interface a
 ip ospf area 1
exit
";
    let router = lab.router(config, &[link("a", 2, &["10.0.0.1/24"])], |_| {});
    let text = lab.exec(router, "show ip ospf interface");
    assert!(text.contains("a is up"), "{text}");
    use ferrite_ospf::config::Authentication;
    let process = lab.ospf(router).v2.values().next().expect("a process");
    let kinds = process.core.interfaces().values().filter(|interface| interface.virtual_to.is_some());
    let kinds: Vec<&Authentication> = kinds.map(|interface| &interface.config.authentication).collect();
    assert!(matches!(kinds[0], Authentication::Keys(keys) if keys[0].id == 3), "{kinds:?}");
    assert_eq!(*kinds[1], Authentication::None);
}

#[test]
fn a_link_of_one_address_is_announced_by_its_number_but_by_a_spoke_of_a_dmvpn() {
    let mut lab = Lab::default();
    let config = |network: &str| {
        format!("interface tun0\n ip ospf area 0\n ip ospf network {network}\nexit\nrouter ospf\nexit\n")
    };
    lab.wire(&[(0, 7), (1, 8)]);
    let spoke = config("point-to-point");
    lab.router(
        &format!("{spoke}router ospf\n router-id 1.1.1.1\n"),
        &[link("tun0", 7, &["10.0.0.1/32"])],
        |_| {},
    );
    let hub = config("point-to-multipoint");
    lab.router(
        &format!("{hub}router ospf\n router-id 2.2.2.2\n"),
        &[link("tun0", 8, &["10.0.0.2/32"])],
        |_| {},
    );
    lab.run(60);
    let own = "show ip ospf database router self-originate";
    let text = lab.exec(0, own);
    assert!(text.contains("Number of Links: 1\n"), "{text}");
    assert!(text.contains("Router Interface address: 0.0.0.7\n"), "{text}");
    let shown = lab.exec(0, "show ip ospf interface tun0");
    assert!(shown.contains("  This interface is UNNUMBERED, Area 0.0.0.0\n"), "{shown}");
    lab.configure(0, "interface tun0\n ip ospf network point-to-point dmvpn\n");
    lab.run(60);
    let text = lab.exec(0, own);
    assert!(text.contains("Router Interface address: 10.0.0.1\n"), "{text}");
    assert!(text.contains("(Link ID) Net: 10.0.0.1\n"), "{text}");
}

#[test]
fn packets_taken_at_a_time_are_those_of_the_process_that_takes_most() {
    let mut lab = network();
    assert_eq!(lab.ospf(0).batch(), 20);
    lab.configure(0, "router ospf\n write-multiplier 7\nexit\nrouter ospf6\n write-multiplier 5\nexit\n");
    assert_eq!(lab.ospf(0).batch(), 7);
    lab.configure(0, "router ospf6\n write-multiplier 50\nexit\n");
    assert_eq!(lab.ospf(0).batch(), 50);
}

/// What zebra was asked to find: whoever asked, on which link, whose address.
fn resolved(lab: &Lab) -> BTreeSet<(usize, u32, String)> {
    let asked = lab.wanted.iter().filter_map(|(router, action)| match action {
        Action::Zebra(ToZebra::Resolve(wanted)) => Some((*router, wanted.ifindex.0, wanted.addr.to_string())),
        _ => None,
    });
    asked.collect()
}

#[test]
fn neighbours_that_come_up_are_looked_for_but_where_that_is_said_against() {
    let mut lab = network();
    let all: BTreeSet<(usize, u32, String)> = resolved(&lab);
    for (ifindex, address) in [(2, "10.0.0.2"), (2, "10.0.0.3"), (3, "10.0.15.5")] {
        assert!(all.contains(&(0, ifindex, address.to_owned())), "{all:?}");
    }
    assert!(all.iter().all(|(.., address)| !address.contains(':')), "{all:?}");
    lab.wanted.clear();
    lab.run(60);
    assert!(resolved(&lab).is_empty());
    lab.configure(0, "router ospf\n no proactive-arp\n");
    lab.exec(0, "clear ip ospf neighbor");
    lab.run(60);
    let asked = resolved(&lab);
    assert!(!asked.is_empty() && asked.iter().all(|(router, ..)| *router != 0), "{asked:?}");
    lab.wanted.clear();
    lab.configure(0, "router ospf\n proactive-arp\n");
    lab.exec(0, "clear ip ospf neighbor");
    lab.run(60);
    assert!(resolved(&lab).contains(&(0, 2, "10.0.0.2".to_owned())));
}

/// What zebra was told last of the routes of a router.
fn told(lab: &Lab, router: usize) -> BTreeMap<String, (u32, Option<OspfPath>)> {
    let batches = lab.wanted.iter().filter_map(|(from, action)| match action {
        Action::Zebra(ToZebra::Routes(batch)) if *from == router => Some(batch),
        _ => None,
    });
    let routes = batches.flat_map(|batch| &batch.updates).filter_map(|update| {
        let route = update.route.as_ref()?;
        Some((update.prefix.to_string(), (route.tag.0, route.ospf.map(|said| said.path))))
    });
    routes.collect()
}

#[test]
fn zebra_is_told_paths_and_areas_where_that_is_asked_for() {
    let mut lab = network();
    let plain = told(&lab, 0);
    assert!(!plain.is_empty() && plain.values().all(|(_, said)| said.is_none()), "{plain:?}");
    lab.wanted.clear();
    lab.configure(
        0,
        "router ospf\n ospf send-extra-data zebra\nexit\nrouter ospf6\n ospf6 send-extra-data zebra\n",
    );
    let all = told(&lab, 0);
    assert_eq!(all.keys().collect::<Vec<_>>(), plain.keys().collect::<Vec<_>>());
    let kinds: BTreeSet<(bool, String)> = all
        .iter()
        .map(|(prefix, (_, said))| {
            let said = said.expect("a path");
            (prefix.contains(':'), format!("{said} {:?}", said.area().map(|area| area.to_string())))
        })
        .collect();
    for six in [false, true] {
        let has = |text: &str| assert!(kinds.contains(&(six, text.to_owned())), "{six} {text}: {kinds:?}");
        has("Intra-Area Some(\"0.0.0.0\")");
        has("Intra-Area Some(\"0.0.0.2\")");
    }
    assert!(kinds.iter().any(|(_, kind)| kind.starts_with("External-2 None")), "{kinds:?}");
    lab.wanted.clear();
    lab.configure(0, "router ospf\n no ospf send-extra-data zebra\n");
    assert!(told(&lab, 0).values().all(|(_, said)| said.is_none()));
}

/// An adjacency comes up, routes are told, an LSA goes: each name that lines may have is used, but those of what did not happen.
#[test]
fn lines_for_debug_are_written_under_every_name_of_what_happens() {
    use ferrite_ospf_control::{LogLevel, topics};
    let mut lab = network_traced();
    lab.run(60);
    lab.configure(0, "interface lan\n ip ospf cost 50\n ipv6 ospf6 cost 50\n");
    let nssa = " area 2 nssa default-information-originate\n";
    lab.configure(0, &format!("router ospf\n{nssa}exit\nrouter ospf6\n{nssa}exit\n"));
    lab.exec(1, "clear ip ospf interface");
    lab.run(3700);
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (_, action) in &lab.wanted {
        if let Action::Log(LogLevel::Debug(topic), text) = action {
            assert!(!text.is_empty());
            seen.extend(topic.iter());
        }
    }
    let quiet = [
        // Written where packets pass, and where time is measured.
        "::packet",
        "::message::",
        "::spf::time",
        // Nobody signs, restarts or gathers here, and nobody sends what is not known.
        "::authentication::",
        "::graceful_restart",
        "::lsa::aggregate",
        "::lsa::unknown::",
        "::lsa::inter_router::",
        // No clients, no parameters of links, no ldpd.
        "::client_api",
        "::te",
        "::ldp_sync",
    ];
    for version in [2, 3] {
        for name in topics::written(version) {
            if !quiet.iter().any(|part| name.contains(part)) {
                assert!(seen.contains(name), "{name} was not used");
            }
        }
    }
}

#[test]
fn routes_are_as_old_as_they_are_and_a_tree_begins_at_any_router() {
    let mut lab = network();
    lab.configure(0, "interface lan\n ipv6 ospf6 cost 50\n");
    lab.run(30);
    let json = lab.json(0, "show ipv6 ospf6 route detail");
    let times = |prefix: &str| {
        let of = |key: &str| json["routes"][prefix][key].as_str().unwrap_or_default().to_owned();
        (of("installedTimeSince"), of("changedTimeSince"))
    };
    let (installed, changed) = times("2001:db8:ff::2/128");
    assert!(
        installed.as_str() > "00:01:00" && changed.as_str() < "00:00:31",
        "{installed} {changed}: {json}"
    );
    let (installed, changed) = times("2001:db8:15::/64");
    assert!(installed == changed && changed.as_str() > "00:01:00", "{installed} {changed}");

    let tree = lab.exec(0, "show ipv6 ospf6 simulate spf-tree 2.2.2.2 area 0.0.0.0");
    assert!(tree.starts_with("+-2.2.2.2 [0]\n   +-2.2.2.2 Net-ID: "), "{tree}");
    assert!(tree.contains("      +-1.1.1.1 [10]\n"), "{tree}");
    assert_eq!(lab.exec(0, "show ipv6 ospf6 simulate spf-tree 9.9.9.9 area 0.0.0.0"), "");
    assert_eq!(lab.exec(0, "clear ipv6 ospf6 auth-counters interface lan"), "");
}

#[test]
fn a_stub_router_is_one_for_a_while_after_the_start_and_while_it_is_told_to_be() {
    let mut lab = network();
    let metric = |lab: &mut Lab| lab.exec(0, "show ip ospf database router self-originate").contains("65535");
    lab.configure(0, "router ospf\n max-metric router-lsa administrative\n");
    lab.run(10);
    assert!(metric(&mut lab));
    lab.configure(0, "router ospf\n no max-metric router-lsa administrative\n");
    lab.run(10);
    assert!(!metric(&mut lab));
}

/// Run on FRR 10.3: the line is taken, makes a border router of us, and announces nothing, for it names no table.
#[test]
fn tables_without_a_number_make_a_border_router_and_announce_nothing() {
    let mut lab = Lab::default();
    let config = "interface a
 ip ospf area 0
 ipv6 ospf6 area 0
exit
router ospf
 ospf router-id 1.1.1.1
 redistribute table-direct
 distribute-list AL out table-direct
exit
router ospf6
 ospf6 router-id 1.1.1.1
 redistribute table
 redistribute table-direct route-map RM
exit
";
    let own = link_local(1);
    let router = lab.router(config, &[link("a", 2, &["10.0.0.1/24", &own])], |_| {});
    lab.run(60);
    let asked =
        lab.wanted.iter().any(|(_, action)| matches!(action, Action::Zebra(ToZebra::Redistribute(_))));
    assert!(!asked, "{:?}", lab.wanted);
    let process = lab.json(router, "show ip ospf");
    assert_eq!(process["asbrRouter"], "injectingExternalRoutingInformation");
    assert_eq!(process["lsaExternalCounter"], 0);
    let text = lab.exec(router, "show ipv6 ospf6 redistribute");
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "Redistributing External Routes from:",
        "    0: table",
        "    0: table-direct with route-map \"RM\" (not found !)",
        "Total 0 routes",
    ];
    assert_eq!(lines, expected);
    lab.configure(router, "router ospf\n no redistribute table-direct\n");
    lab.run(10);
    let process = lab.json(router, "show ip ospf");
    assert!(process["asbrRouter"].is_null(), "{process}");
}

/// Line by line, as from a shell.
#[test]
fn a_process_that_is_taken_away_and_written_again_finds_its_neighbours() {
    let mut lab = network();
    for version in ["", "6"] {
        lab.configure(0, &format!("no router ospf{version}\n"));
    }
    lab.run(10);
    for version in ["", "6"] {
        let block = format!("router ospf{version}\n");
        lab.configure(0, &block);
        // The links come up under the first one.
        lab.configure(0, &format!("{block} ospf{version} router-id 1.1.1.8\n"));
        lab.configure(0, &format!("{block} ospf{version} router-id 1.1.1.9\n"));
        lab.configure(0, &format!("{block} area 2 nssa\n"));
    }
    lab.run(60);
    for show in ["show ip ospf neighbor", "show ipv6 ospf6 neighbor"] {
        let text = lab.exec(0, show);
        assert!(["2.2.2.2", "3.3.3.3", "5.5.5.5"].iter().all(|id| text.contains(id)), "{text}");
        assert_eq!(text.matches("Full/").count(), 3, "{text}");
    }
}
