//! ospfd as a program beside FRR 10.3: both versions from one program, routes of other protocols through a map, started under
//! both of FRR's names, and a restart that its neighbour was told of.

use std::time::Duration;

use topotests::daemon::{frr, ours};
use topotests::wait::holds_for;
use topotests::{Family, Kind, Needs, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than the dead interval of the neighbour.
const SILENCE: Duration = Duration::from_secs(6);

fn links(interface: &str) -> String {
    format!(
        "interface {interface}
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
 ipv6 ospf6 area 0
exit
interface lo
 ipv6 ospf6 area 0
exit
"
    )
}

fn routers(id: &str, more: &str) -> String {
    format!(
        "router ospf
 ospf router-id {id}
 network 10.0.12.0/24 area 0
 network 192.0.2.0/24 area 0
{more}exit
router ospf6
 ospf6 router-id {id}
{more}exit
"
    )
}

/// Each has the other's addresses, and FRR the static route that the map lets by, with the map's metric.
fn converged(us: &Router, them: &Router) -> Result<()> {
    us.kernel_route_via("192.0.2.2/32", &["10.0.12.2"])?;
    us.kernel_route("2001:db8::2/128")?;
    them.kernel_route_via("192.0.2.1/32", &["10.0.12.1"])?;
    them.kernel_route("2001:db8::1/128")?;
    them.kernel_route_via("198.51.100.0/24", &["10.0.12.1"])
}

#[test]
fn both_versions_beside_frr_under_both_names_and_through_a_restart() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let us = net.router("r1", Kind::Ours)?;
        let them = net.router("r2", Kind::Frr)?;
        let (ours_link, theirs_link) =
            net.link(&us, "10.0.12.1/24 2001:db8:12::1/64", &them, "10.0.12.2/24 2001:db8:12::2/64")?;
        net.loopback(&us, "192.0.2.1/32 2001:db8::1/128")?;
        net.loopback(&them, "192.0.2.2/32 2001:db8::2/128")?;
        let helper = " graceful-restart helper enable\n";
        let peer = format!("hostname r2\n{}{}", links(&theirs_link), routers("192.0.2.2", helper));
        let peer = peer.replacen("router ospf\n", "router ospf\n capability opaque\n", 1);
        frr::start_daemons(&them, &peer, &["zebra", "mgmtd", "ospfd", "ospf6d"], &[])?;
        let grace = " graceful-restart grace-period 60\n";
        let config = format!(
            "hostname r1
ip route 198.51.100.0/24 blackhole
ip route 203.0.113.0/24 blackhole
ip prefix-list ONE seq 5 permit 198.51.100.0/24
route-map SOME permit 10
 match ip address prefix-list ONE
 set metric 33
 set metric-type type-1
exit
{}{}",
            links(&ours_link),
            routers("192.0.2.1", grace)
        );
        let config =
            config.replacen("router ospf\n", "router ospf\n redistribute static route-map SOME\n", 1);
        let daemons: [(&str, &[&str]); 2] = [("zebra", &[]), ("ospfd", &[])];
        ours::start_daemons(&us, &config, &daemons, "informational")?;
        wait_until(PATIENCE, "routes of both versions in both kernels", || converged(&us, &them))?;
        them.kernel_lacks("203.0.113.0/24")?;
        let route = them.vtysh_json("show ip route 198.51.100.0/24 json")?;
        let metric = &route["198.51.100.0/24"][0]["metric"];
        ensure!(metric == 43, "a metric of {metric}, not the map's 33 and the link's 10");

        second_name(&us)?;
        planned_restart(&us, &them)
    });
}

/// A program started as `ospf6d` finds OSPFv3 served, says so, and stays.
fn second_name(us: &Router) -> Result<()> {
    let program = us.dir().join("ospf6d");
    std::os::unix::fs::symlink(ours::binaries_with(&["ospfd"])?.join("ospfd"), &program)?;
    let before = us.vtysh("show running-config")?;
    us.start_daemon(&program.to_string_lossy(), &["-d".to_owned()], &ours::environment()?)?;
    let pid = us.daemon_pid("ospf6d")?;
    ensure!(us.vtysh("show running-config")? == before, "the configuration stands twice, or not at all");
    us.configure(&["router ospf6", "auto-cost reference-bandwidth 100000"])?;
    us.configure(&["router ospf6", "no auto-cost reference-bandwidth"])?;
    us.signal(pid, "TERM")?;
    us.wait_gone(pid, PATIENCE)
}

/// The neighbour is told, and helps: nobody loses a route while ospfd is away.
fn planned_restart(us: &Router, them: &Router) -> Result<()> {
    us.vtysh("graceful-restart prepare ip ospf")?;
    us.vtysh("graceful-restart prepare ipv6 ospf")?;
    let helped = |command: &str| {
        let said = them.vtysh(command)?;
        ensure!(said.contains("Active neighbours in graceful restart: 1"), "{command}: {said}");
        Ok(())
    };
    wait_until(PATIENCE, "FRR helps", || helped("show ip ospf graceful-restart helper"))?;
    wait_until(PATIENCE, "word is left for who comes next", || {
        let left = us.run("cat", &["/run/frr/ospfd.restart"])?;
        ensure!(left.matches("\"until\":1").count() == 2, "{left}");
        Ok(())
    })?;
    let pid = us.daemon_pid("ospfd")?;
    us.signal(pid, "TERM")?;
    us.wait_gone(pid, PATIENCE)?;
    holds_for(SILENCE, "both go on while ospfd is away", || converged(us, them))?;
    ours::start_one(us, "ospfd", &[], "informational")?;
    ours::load(us)?;
    wait_until(PATIENCE, "the neighbour is content", || {
        converged(us, them)?;
        let said = them.vtysh("show ip ospf graceful-restart helper")?;
        ensure!(said.contains("Successful graceful restart"), "{said}");
        Ok(())
    })?;
    holds_for(SILENCE, "and so it stays", || converged(us, them))?;
    ensure!(us.kernel_count(Family::V4, "ospf")? == 1, "routes that OSPF has no more");
    Ok(())
}

/// Keys of a chain on both versions' packets, an NSSA between the two, external routes and a default route in it.
fn signed(interface: &str) -> String {
    format!(
        "key chain KC
 key 5
  key-string sesame
  cryptographic-algorithm hmac-sha-256
 exit
exit
interface {interface}
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ip ospf authentication key-chain KC
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
 ipv6 ospf6 area 1
 ipv6 ospf6 authentication keychain KC
exit
"
    )
}

#[test]
fn an_nssa_whose_packets_carry_digests_of_a_key_chain() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let us = net.router("r1", Kind::Ours)?;
        let them = net.router("r2", Kind::Frr)?;
        let (ours_link, theirs_link) =
            net.link(&us, "10.0.12.1/24 2001:db8:12::1/64", &them, "10.0.12.2/24 2001:db8:12::2/64")?;
        net.loopback(&them, "192.0.2.2/32 2001:db8::2/128")?;
        let peer = format!(
            "hostname r2
{}interface lo
 ipv6 ospf6 area 0
exit
router ospf
 ospf router-id 192.0.2.2
 network 10.0.12.0/24 area 1
 network 192.0.2.2/32 area 0
 area 1 nssa
exit
router ospf6
 ospf6 router-id 192.0.2.2
 area 1 nssa
exit
",
            signed(&theirs_link)
        );
        frr::start_daemons(&them, &peer, &["zebra", "mgmtd", "ospfd", "ospf6d"], &[])?;
        let config = format!(
            "hostname r1
ip route 198.51.100.0/24 blackhole
ip route 0.0.0.0/0 blackhole
ipv6 route 2001:db8:51::/48 blackhole
{}router ospf
 ospf router-id 192.0.2.1
 network 10.0.12.0/24 area 1
 area 1 nssa
 redistribute static metric 5 metric-type 1
 default-information originate
 distance ospf inter-area 77
exit
router ospf6
 ospf6 router-id 192.0.2.1
 area 1 nssa
 redistribute static
exit
",
            signed(&ours_link)
        );
        let daemons: [(&str, &[&str]); 2] = [("zebra", &[]), ("ospfd", &[])];
        ours::start_daemons(&us, &config, &daemons, "informational")?;
        wait_until(PATIENCE, "external routes in their kernel, the backbone's in ours", || {
            them.kernel_route_via("198.51.100.0/24", &["10.0.12.1"])?;
            them.kernel_route_via("0.0.0.0/0", &["10.0.12.1"])
                .or_else(|_| them.kernel_route_via("default", &["10.0.12.1"]))?;
            them.kernel_route("2001:db8:51::/48")?;
            us.kernel_route_via("192.0.2.2/32", &["10.0.12.2"])?;
            us.kernel_route("2001:db8::2/128")?;
            Ok(())
        })?;
        let route = us.vtysh_json("show ip route 192.0.2.2/32 json")?;
        let distance = &route["192.0.2.2/32"][0]["distance"];
        ensure!(distance == 77, "a distance of {distance}");
        // Another key on one side: the adjacency goes, and comes back with the key.
        us.configure(&["key chain KC", "key 5", "key-string other"])?;
        wait_until(PATIENCE, "routes of both versions go", || {
            us.kernel_lacks("192.0.2.2/32")?;
            us.kernel_lacks("2001:db8::2/128")
        })?;
        us.configure(&["key chain KC", "key 5", "key-string sesame"])?;
        wait_until(PATIENCE, "routes of both versions are back", || {
            us.kernel_route_via("192.0.2.2/32", &["10.0.12.2"])?;
            us.kernel_route("2001:db8::2/128").map(drop)
        })
    });
}
