//! BGP without addresses of its own on the links: neighbours found by router advertisements, IPv4 over IPv6 next hops
//! (RFC 8950), links that share one link-local address, and what the advertisements say to a host (RFC 4861).

use std::time::Duration;

use serde_json::json;
use topotests::{Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

fn eventually(what: &str, condition: impl FnMut() -> Result<()>) -> Result<()> {
    wait_until(PATIENCE, what, condition)
}

/// A router of a fabric that announces its loopbacks to the neighbours on these interfaces.
fn fabric(asn: u32, number: u32, interfaces: &[&str]) -> String {
    let mut lines = vec![
        format!("hostname r{number}"),
        format!("router bgp {asn}"),
        format!(" bgp router-id 192.0.2.{number}"),
        " no bgp ebgp-requires-policy".to_owned(),
        " no bgp network import-check".to_owned(),
        " timers bgp 3 9".to_owned(),
    ];
    for interface in interfaces {
        lines.push(format!(" neighbor {interface} interface remote-as external"));
        lines.push(format!(" neighbor {interface} timers connect 2"));
    }
    lines.push(" address-family ipv4 unicast".to_owned());
    lines.push(format!("  network 192.0.2.{number}/32"));
    lines.push(" exit-address-family\n address-family ipv6 unicast".to_owned());
    lines.push(format!("  network 2001:db8:{number}::1/128"));
    lines.extend(interfaces.iter().map(|interface| format!("  neighbor {interface} activate")));
    lines.push(" exit-address-family\nexit\n".to_owned());
    lines.join("\n")
}

fn loopbacks(number: u32) -> String {
    format!("192.0.2.{number}/32 2001:db8:{number}::1/128")
}

/// From a router with FRR's root, which has `ping`.
fn ping(from: &Router, source: &str, to: &str) -> Result<()> {
    from.run("ping", &["-c", "1", "-W", "2", "-I", source, to]).map(drop)
}

#[test]
fn a_leaf_and_spine_fabric_without_addresses_carries_both_families() {
    run(&Needs::ours_and_peers(), |net| {
        let (leaf1, leaf2) = (net.router("leaf1", Kind::Ours)?, net.router("leaf2", Kind::Frr)?);
        let (spine1, spine2) = (net.router("spine1", Kind::Frr)?, net.router("spine2", Kind::Ours)?);
        for leaf in [&leaf1, &leaf2] {
            net.link(leaf, "", &spine1, "")?;
            net.link(leaf, "", &spine2, "")?;
        }
        let all = [(&leaf1, 65001, 1), (&leaf2, 65002, 2), (&spine1, 65100, 3), (&spine2, 65100, 4)];
        for (router, asn, number) in all {
            net.loopback(router, &loopbacks(number))?;
            router.start(&fabric(asn, number, &["eth0", "eth1"]))?;
        }
        let spines = [spine1.link_local("eth0")?, spine2.link_local("eth0")?];
        eventually("each leaf has the other's routes through both spines", || {
            for prefix in ["192.0.2.2/32", "2001:db8:2::1/128"] {
                leaf1.kernel_route_via(prefix, &[&spines[0], &spines[1]])?;
            }
            Ok(())
        })?;
        eventually("packets pass between the leaves", || {
            ping(&leaf2, "192.0.2.2", "192.0.2.1")?;
            ping(&leaf2, "2001:db8:2::1", "2001:db8:1::1")
        })?;
        let neighbor = leaf1.vtysh_json("show bgp neighbors eth0 json")?;
        let expected = json!({"eth0": {
            "bgpNeighborAddr": spines[0], "remoteAs": 65100, "bgpState": "Established",
            "neighborCapabilities": {"extendedNexthop": "advertisedAndReceived",
                                     "extendedNexthopFamililesByPeer": {"ipv4Unicast": "recieved"}},
            "addressFamilyInfo": {"ipv4Unicast": {}, "ipv6Unicast": {}},
        }});
        json_contains(&expected, &neighbor)?;
        let summary = leaf1.vtysh_json("show bgp ipv4 unicast summary json")?;
        json_contains(
            &json!({"peers": {"eth1": {"state": "Established", "idType": "interface"}}}),
            &summary,
        )?;
        let table = leaf1.vtysh("show bgp ipv4 unicast")?;
        ensure!(
            table.lines().any(|line| line.contains("192.0.2.3/32") && line.contains(" eth0 ")),
            "{table}"
        );
        let path = leaf1.vtysh_json("show bgp ipv4 unicast 192.0.2.3/32 json")?;
        let expected = json!({"paths": [{"peer": {"peerId": spines[0], "interface": "eth0", "type": "external"},
            "nexthops": [{"ip": spines[0], "afi": "ipv6", "scope": "global"},
                         {"ip": spines[0], "afi": "ipv6", "scope": "link-local", "used": true}]}]});
        json_contains(&expected, &path)
    });
}

/// Gives an interface that link-local address and no other.
fn set_link_local(router: &Router, interface: &str, addr: &str) -> Result<()> {
    router.ip(&format!("link set {interface} down"))?;
    router.ip(&format!("link set {interface} addrgenmode none"))?;
    router.ip(&format!("-6 address flush dev {interface}"))?;
    router.ip(&format!("link set {interface} up"))?;
    router.ip(&format!("address add {addr}/64 dev {interface} nodad")).map(drop)
}

#[test]
fn links_that_share_one_link_local_address_have_a_session_each() {
    run(&Needs::ours_and_peers(), |net| {
        let hub = net.router("hub", Kind::Ours)?;
        let ends = [net.router("a", Kind::Frr)?, net.router("b", Kind::Frr)?, net.router("c", Kind::Ours)?];
        for end in &ends {
            net.link(&hub, "", end, "")?;
        }
        for (index, end) in ends.iter().enumerate() {
            set_link_local(&hub, &format!("eth{index}"), "fe80::1")?;
            set_link_local(end, "eth0", "fe80::2")?;
            let number = index as u32 + 2;
            net.loopback(end, &loopbacks(number))?;
            end.start(&fabric(65000 + number, number, &["eth0"]))?;
        }
        net.loopback(&hub, &loopbacks(1))?;
        hub.start(&fabric(65001, 1, &["eth0", "eth1", "eth2"]))?;
        eventually("each route leaves by the link that it came over", || {
            for number in 2..=4_u32 {
                let device = format!("eth{}", number - 2);
                for prefix in [format!("192.0.2.{number}/32"), format!("2001:db8:{number}::1/128")] {
                    hub.kernel_route_via(&prefix, &["fe80::2"])?;
                    let route = hub.kernel_route(&prefix)?;
                    ensure!(route.nexthops.iter().all(|(_, dev)| *dev == device), "{route:?}");
                }
            }
            Ok(())
        })?;
        eventually("packets cross the hub", || ping(&ends[0], "192.0.2.2", "192.0.2.4"))?;
        // One of them goes; the others do not notice.
        let before = hub.vtysh_json("show bgp neighbors eth1 json")?;
        hub.ip("link set eth0 down")?;
        eventually("only the session of that link ends", || {
            hub.kernel_lacks("192.0.2.2/32")?;
            let summary = hub.vtysh_json("show bgp ipv4 unicast summary json")?;
            json_contains(
                &json!({"peers": {"eth0": {"state": "Idle"}, "eth1": {"state": "Established"},
                                  "eth2": {"state": "Established"}}}),
                &summary,
            )
        })?;
        let after = hub.vtysh_json("show bgp neighbors eth1 json")?;
        ensure!(
            before["eth1"]["connectionsEstablished"] == after["eth1"]["connectionsEstablished"],
            "the session over eth1 was reset: {after}"
        );
        Ok(())
    });
}

#[test]
fn a_link_that_flaps_gets_its_session_back() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Frr)?);
        net.link(&r1, "", &r2, "")?;
        for (router, asn, number) in [(&r1, 65001, 1), (&r2, 65002, 2)] {
            net.loopback(router, &loopbacks(number))?;
            router.start(&fabric(asn, number, &["eth0"]))?;
        }
        let there = || r1.kernel_route("192.0.2.2/32").map(drop);
        eventually("the route is there", there)?;
        r1.ip("link set eth0 down")?;
        eventually("it goes with its link", || r1.kernel_lacks("192.0.2.2/32"))?;
        r1.ip("link set eth0 up")?;
        eventually("it comes back with its link", there)
    });
}

/// Gives an interface that is there now the name of one that was.
fn rename(router: &Router, from: &str, to: &str) -> Result<()> {
    router.ip(&format!("link set {from} down"))?;
    router.ip(&format!("link set {from} name {to}"))?;
    router.ip(&format!("link set {to} up")).map(drop)
}

#[test]
fn an_interface_that_is_made_anew_gets_its_session_back() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Frr)?);
        let (r3, switch) = (net.router("r3", Kind::Ours)?, net.router("switch", Kind::Host)?);
        // FRR 10.3's zebra crashes in its advertisements' timer when an interface that advertises is deleted: a switch
        // keeps the neighbour's own.
        switch.ip("link add sw type bridge")?;
        switch.ip("link set sw up")?;
        let plug = |net: &mut Net, router: &Router| -> Result<String> {
            let (interface, port) = net.link(router, "", &switch, "")?;
            switch.ip(&format!("link set {port} master sw"))?;
            Ok(interface)
        };
        plug(net, &r1)?;
        plug(net, &r2)?;
        net.link(&r1, "", &r3, "")?;
        let all: [(_, _, _, &[&str]); 3] =
            [(&r1, 65001, 1, &["eth0", "eth1"]), (&r2, 65002, 2, &["eth0"]), (&r3, 65003, 3, &["eth0"])];
        for (router, asn, number, interfaces) in all {
            net.loopback(router, &loopbacks(number))?;
            router.start(&fabric(asn, number, interfaces))?;
        }
        let others = ["192.0.2.2/32", "192.0.2.3/32"];
        let there = || others.iter().try_for_each(|prefix| r1.kernel_route(prefix).map(drop));
        eventually("the routes are there", there)?;
        for interface in ["eth0", "eth1"] {
            r1.ip(&format!("link delete {interface}"))?;
        }
        eventually("they go with the interfaces", || {
            for (prefix, interface) in others.iter().zip(["eth0", "eth1"]) {
                r1.kernel_lacks(prefix)?;
                let neighbor = r1.vtysh_json(&format!("show bgp neighbors {interface} json"))?;
                let expected = json!({interface: {"bgpNeighborAddr": "none", "bgpState": "Idle"}});
                json_contains(&expected, &neighbor)?;
            }
            Ok(())
        })?;
        // Other cables take their places, and their names.
        rename(&r1, &plug(net, &r1)?, "eth0")?;
        let (ours, theirs) = net.link(&r1, "", &r3, "")?;
        rename(&r1, &ours, "eth1")?;
        rename(&r3, &theirs, "eth0")?;
        eventually("an interface of that name is that neighbour again", there)?;
        eventually("and the neighbours have our routes", || {
            [&r2, &r3].into_iter().try_for_each(|router| router.kernel_route("192.0.2.1/32").map(drop))
        })
    });
}

#[test]
fn a_session_over_an_ipv4_link_of_two_addresses_needs_no_advertisement() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Frr)?);
        net.link(&r1, "10.0.12.0/31", &r2, "10.0.12.1/31")?;
        for (router, asn, number) in [(&r1, 65001, 1), (&r2, 65002, 2)] {
            net.loopback(router, &loopbacks(number))?;
            router.start(&fabric(asn, number, &["eth0"]))?;
        }
        eventually("the session runs over IPv4", || {
            let neighbor = r1.vtysh_json("show bgp neighbors eth0 json")?;
            let expected = json!({"eth0": {"bgpNeighborAddr": "10.0.12.1", "bgpState": "Established"}});
            json_contains(&expected, &neighbor)?;
            r1.kernel_route("192.0.2.2/32").map(drop)
        })
    });
}

#[test]
fn a_host_configures_itself_by_what_we_advertise() {
    run(&Needs::ours(), |net| {
        let (r1, host) = (net.router("r1", Kind::Ours)?, net.router("host", Kind::Host)?);
        net.link(&r1, "2001:db8:5::1/64", &host, "")?;
        for (key, value) in [("accept_ra", "2"), ("autoconf", "1"), ("accept_ra_rtr_pref", "1")] {
            host.host_command("sysctl")
                .args(["-qw", &format!("net.ipv6.conf.eth0.{key}={value}")])
                .status()?;
        }
        r1.start(
            "interface eth0
 no ipv6 nd suppress-ra
 ipv6 nd ra-interval 3
 ipv6 nd prefix 2001:db8:5::/64
 ipv6 nd router-preference high
 ipv6 nd mtu 1400
 ipv6 nd rdnss 2001:db8:5::53
exit
",
        )?;
        let router = r1.link_local("eth0")?;
        eventually("the host has an address and a default route of that preference", || {
            let addresses = host.ip("-6 -o address show dev eth0 scope global")?;
            ensure!(addresses.contains("2001:db8:5:"), "{addresses}");
            let routes = host.ip("-6 route show default")?;
            ensure!(routes.contains(&router) && routes.contains("pref high"), "{routes}");
            Ok(())
        })?;
        let shown = r1.vtysh("show interface eth0")?;
        ensure!(shown.contains("ND router advertisements are sent every 3 seconds"), "{shown}");
        ensure!(shown.contains("ND router advertisement default router preference is high"), "{shown}");
        let advertising = r1.vtysh("show ipv6 nd ra-interfaces")?;
        ensure!(advertising.contains("    eth0\n"), "{advertising}");
        // The last advertisement takes the default route away.
        r1.configure(&["interface eth0", "ipv6 nd suppress-ra"])?;
        eventually("the host has no default route", || {
            let routes = host.ip("-6 route show default")?;
            ensure!(!routes.contains(&router), "{routes}");
            Ok(())
        })
    });
}
