//! Connected and static routes: what zebra tells the kernel, and what the kernel tells zebra.

use std::time::Duration;

use serde_json::json;
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(30);

fn eventually(what: &str, condition: impl FnMut() -> Result<()>) -> Result<()> {
    wait_until(PATIENCE, what, condition)
}

/// h1 — r1 — r2 — h2, two cables between the routers. Only the routers run daemons; the hosts have a default route.
fn two_routers(net: &mut Net) -> Result<[Router; 4]> {
    // FRR's root has `ping`; nothing is started on the hosts.
    let (h1, h2) = (net.router("h1", Kind::Frr)?, net.router("h2", Kind::Frr)?);
    let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Ours)?);
    net.link(&h1, "10.1.0.2/24 2001:db8:1::2/64", &r1, "10.1.0.1/24 2001:db8:1::1/64")?;
    net.link(&r1, "10.0.12.1/24 2001:db8:12::1/64", &r2, "10.0.12.2/24 2001:db8:12::2/64")?;
    net.link(&r1, "10.0.13.1/24 2001:db8:13::1/64", &r2, "10.0.13.2/24 2001:db8:13::2/64")?;
    net.link(&r2, "10.2.0.1/24 2001:db8:2::1/64", &h2, "10.2.0.2/24 2001:db8:2::2/64")?;
    for (host, four, six) in [(&h1, "10.1.0.1", "2001:db8:1::1"), (&h2, "10.2.0.1", "2001:db8:2::1")] {
        host.ip(&format!("route add default via {four}"))?;
        host.ip(&format!("-6 route add default via {six}"))?;
    }
    Ok([h1, r1, r2, h2])
}

fn ping(from: &Router, to: &str) -> Result<()> {
    from.run("ping", &["-c", "1", "-W", "2", to]).map(drop)
}

#[test]
fn hosts_reach_each_other_through_static_routes_of_both_families() {
    run(&Needs::ours_and_peers(), |net| {
        let [h1, r1, r2, _] = two_routers(net)?;
        r1.start("ip route 10.2.0.0/24 10.0.12.2\nipv6 route 2001:db8:2::/64 2001:db8:12::2\n")?;
        r2.start("ip route 10.1.0.0/24 10.0.12.1\nipv6 route 2001:db8:1::/64 2001:db8:12::1\n")?;
        eventually("both kernels have the routes", || {
            r1.kernel_route_via("10.2.0.0/24", &["10.0.12.2"])?;
            r1.kernel_route_via("2001:db8:2::/64", &["2001:db8:12::2"])?;
            r2.kernel_route_via("10.1.0.0/24", &["10.0.12.1"])?;
            r2.kernel_route_via("2001:db8:1::/64", &["2001:db8:12::1"])
        })?;
        eventually("IPv4 packets pass", || ping(&h1, "10.2.0.2"))?;
        eventually("IPv6 packets pass", || ping(&h1, "2001:db8:2::2"))
    });
}

#[test]
fn connected_and_static_routes_are_shown_with_frrs_keys() {
    run(&Needs::ours_and_peers(), |net| {
        let [_, r1, _, _] = two_routers(net)?;
        r1.start("ip route 10.2.0.0/24 10.0.12.2 tag 77 30\nip route 203.0.113.0/24 blackhole\n")?;
        eventually("show ip route json", || {
            let expected = json!({
                "10.0.12.0/24": [{"protocol": "connected", "selected": true, "installed": true,
                                  "nexthops": [{"directlyConnected": true, "interfaceName": "eth1", "active": true}]}],
                "10.2.0.0/24": [{"protocol": "static", "distance": 30, "metric": 0, "tag": 77, "selected": true,
                                 "installed": true, "nexthops": [{"ip": "10.0.12.2", "afi": "ipv4",
                                 "interfaceName": "eth1", "fib": true, "active": true}]}],
                "203.0.113.0/24": [{"protocol": "static", "nexthops": [{"blackhole": true}]}],
            });
            json_contains(&expected, &r1.vtysh_json("show ip route json")?)
        })?;
        eventually("show ipv6 route json", || {
            let expected = json!({"2001:db8:12::/64": [{"protocol": "connected", "selected": true}]});
            json_contains(&expected, &r1.vtysh_json("show ipv6 route json")?)
        })?;
        let text = r1.vtysh("show ip route")?;
        ensure!(text.contains("S>* 10.2.0.0/24 [30/0] via 10.0.12.2, eth1"), "{text}");
        ensure!(text.contains("C>* 10.0.12.0/24 is directly connected, eth1"), "{text}");
        Ok(())
    });
}

#[test]
fn blackhole_and_reject_routes_reach_the_kernel_as_such_and_are_removed_again() {
    run(&Needs::ours(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        r1.start("ip route 203.0.113.0/24 blackhole\nip route 198.51.100.0/24 reject\nipv6 route 2001:db8:bad::/48 blackhole\n")?;
        eventually("the kernel has them", || {
            for (prefix, kind) in [
                ("203.0.113.0/24", "blackhole"),
                ("198.51.100.0/24", "unreachable"),
                ("2001:db8:bad::/48", "blackhole"),
            ] {
                let route = r1.kernel_route(prefix)?;
                ensure!(route.kind == kind, "{route:?}");
            }
            Ok(())
        })?;
        r1.configure(&["no ip route 203.0.113.0/24 blackhole", "no ipv6 route 2001:db8:bad::/48 blackhole"])?;
        eventually("only what was removed is gone", || {
            r1.kernel_lacks("203.0.113.0/24")?;
            r1.kernel_lacks("2001:db8:bad::/48")?;
            r1.kernel_route("198.51.100.0/24").map(drop)
        })
    });
}

#[test]
fn several_next_hops_share_the_load_and_a_lost_cable_leaves_the_other() {
    run(&Needs::ours_and_peers(), |net| {
        let [_, r1, _, _] = two_routers(net)?;
        r1.start(
            "ip route 10.2.0.0/24 10.0.12.2\nip route 10.2.0.0/24 10.0.13.2\n\
             ipv6 route 2001:db8:2::/64 2001:db8:12::2\nipv6 route 2001:db8:2::/64 2001:db8:13::2\n",
        )?;
        let both = || {
            r1.kernel_route_via("10.2.0.0/24", &["10.0.12.2", "10.0.13.2"])?;
            r1.kernel_route_via("2001:db8:2::/64", &["2001:db8:12::2", "2001:db8:13::2"])
        };
        eventually("both next hops are used", both)?;
        r1.ip("link set eth1 down")?;
        eventually("one is left", || {
            r1.kernel_route_via("10.2.0.0/24", &["10.0.13.2"])?;
            r1.kernel_route_via("2001:db8:2::/64", &["2001:db8:13::2"])
        })?;
        r1.ip("link set eth1 up")?;
        eventually("both are used again", both)
    });
}

#[test]
fn a_floating_static_route_takes_over_and_gives_way() {
    run(&Needs::ours_and_peers(), |net| {
        let [_, r1, _, _] = two_routers(net)?;
        r1.start("ip route 10.2.0.0/24 10.0.12.2\nip route 10.2.0.0/24 10.0.13.2 200\n")?;
        eventually("the nearer one is used", || r1.kernel_route_via("10.2.0.0/24", &["10.0.12.2"]))?;
        r1.ip("link set eth1 down")?;
        eventually("the farther one took over", || r1.kernel_route_via("10.2.0.0/24", &["10.0.13.2"]))?;
        r1.ip("link set eth1 up")?;
        eventually("it gave way", || r1.kernel_route_via("10.2.0.0/24", &["10.0.12.2"]))
    });
}

#[test]
fn routes_follow_an_address_that_is_taken_and_given_back() {
    run(&Needs::ours_and_peers(), |net| {
        let [_, r1, _, _] = two_routers(net)?;
        r1.start("ip route 10.2.0.0/24 10.0.12.2\n")?;
        eventually("it is there", || r1.kernel_route_via("10.2.0.0/24", &["10.0.12.2"]))?;
        r1.ip("address del 10.0.12.1/24 dev eth1")?;
        eventually("it is gone with its gateway's network", || {
            r1.kernel_lacks("10.2.0.0/24")?;
            json_contains(&json!({"10.0.12.0/24": null}), &r1.vtysh_json("show ip route json")?)
        })?;
        r1.ip("address add 10.0.12.1/24 dev eth1")?;
        eventually("it is back", || r1.kernel_route_via("10.2.0.0/24", &["10.0.12.2"]))
    });
}

#[test]
fn a_static_route_through_another_static_route_resolves_to_its_gateway() {
    run(&Needs::ours_and_peers(), |net| {
        let [_, r1, _, _] = two_routers(net)?;
        r1.start("ip route 192.0.2.0/24 10.0.12.2\nip route 198.51.100.0/24 192.0.2.1\n")?;
        eventually("the kernel has the gateway at the end", || {
            r1.kernel_route_via("198.51.100.0/24", &["10.0.12.2"])
        })?;
        r1.configure(&["no ip route 192.0.2.0/24 10.0.12.2", "ip route 192.0.2.0/24 10.0.13.2"])?;
        eventually("it follows", || r1.kernel_route_via("198.51.100.0/24", &["10.0.13.2"]))?;
        r1.configure(&["no ip route 192.0.2.0/24 10.0.13.2"])?;
        eventually("it is gone with what it stood on", || r1.kernel_lacks("198.51.100.0/24"))
    });
}

#[test]
fn a_static_route_out_of_an_interface_needs_no_gateway() {
    run(&Needs::ours_and_peers(), |net| {
        let [_, r1, _, _] = two_routers(net)?;
        r1.start("ip route 192.0.2.0/24 eth1\nip route 198.51.100.0/24 10.99.0.1 eth2 onlink\n")?;
        eventually("the kernel has both", || {
            let route = r1.kernel_route("192.0.2.0/24")?;
            ensure!(route.nexthops.iter().any(|(via, dev)| via.is_empty() && dev == "eth1"), "{route:?}");
            let route = r1.kernel_route("198.51.100.0/24")?;
            ensure!(route.nexthops.iter().any(|(via, dev)| via == "10.99.0.1" && dev == "eth2"), "{route:?}");
            Ok(())
        })
    });
}

#[test]
fn routes_of_others_in_the_kernel_are_shown_and_left_alone() {
    run(&Needs::ours_and_peers(), |net| {
        let [_, r1, _, _] = two_routers(net)?;
        r1.ip("route add 192.0.2.0/24 via 10.0.12.2 proto boot")?;
        r1.start("ip route 198.51.100.0/24 10.0.12.2\n")?;
        r1.ip("route add 203.0.113.0/24 via 10.0.13.2 metric 50")?;
        eventually("old and new kernel routes are known", || {
            let expected = json!({"192.0.2.0/24": [{"protocol": "kernel"}], "203.0.113.0/24": [{"protocol": "kernel", "metric": 50}]});
            json_contains(&expected, &r1.vtysh_json("show ip route json")?)
        })?;
        r1.configure(&["no ip route 198.51.100.0/24 10.0.12.2"])?;
        eventually("ours is gone", || r1.kernel_lacks("198.51.100.0/24"))?;
        r1.kernel_route("192.0.2.0/24")?;
        r1.kernel_route("203.0.113.0/24")?;
        r1.ip("route del 203.0.113.0/24")?;
        eventually("one that was deleted is forgotten", || {
            json_contains(&json!({"203.0.113.0/24": null}), &r1.vtysh_json("show ip route json")?)
        })?;
        ensure!(r1.kernel_count(Family::V4, "boot")? == 1, "the route of another is still there");
        Ok(())
    });
}
