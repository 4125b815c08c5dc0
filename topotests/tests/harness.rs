//! The harness proves itself on implementations that are known to work, before it judges ours.

use std::time::Duration;

use topotests::{Family, Kind, Needs, Net, Result, Router, run, wait_until};

const PATIENCE: Duration = Duration::from_mins(1);

const FRR: &str = "
hostname r1
ip route 203.0.113.0/24 blackhole
router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor 10.0.12.2 remote-as 65002
 neighbor 2001:db8:12::2 remote-as 65002
 address-family ipv4 unicast
  neighbor 10.0.12.2 activate
  network 192.0.2.1/32
 exit-address-family
 address-family ipv6 unicast
  neighbor 2001:db8:12::2 activate
  network 2001:db8::1/128
 exit-address-family
";

/// r1 runs FRR as AS 65001; r2, next to it, is AS 65002 and announces 192.0.2.2/32 and 2001:db8::2/128.
fn beside_frr(net: &mut Net, kind: Kind, config: &str) -> Result<(Router, Router)> {
    let r1 = net.router("r1", Kind::Frr)?;
    let r2 = net.router("r2", kind)?;
    net.link(&r1, "10.0.12.1/24 2001:db8:12::1/64", &r2, "10.0.12.2/24 2001:db8:12::2/64")?;
    net.loopback(&r1, "192.0.2.1/32 2001:db8::1/128")?;
    net.loopback(&r2, "192.0.2.2/32 2001:db8::2/128")?;
    r1.start(FRR)?;
    r2.start(config)?;
    for neighbor in ["10.0.12.2", "2001:db8:12::2"] {
        r1.wait_bgp_established(neighbor)?;
    }
    for neighbor in ["10.0.12.1", "2001:db8:12::1"] {
        r2.wait_bgp_established(neighbor)?;
    }
    Ok((r1, r2))
}

/// Both have the other's prefixes with the path that BGP demands, and FRR's kernel routes there.
fn both_learn(r1: &Router, r2: &Router) -> Result<()> {
    let expected = [
        (r1, "192.0.2.2/32", "65002", "10.0.12.2"),
        (r1, "2001:db8::2/128", "65002", "2001:db8:12::2"),
        (r2, "192.0.2.1/32", "65001", "10.0.12.1"),
        (r2, "2001:db8::1/128", "65001", "2001:db8:12::1"),
    ];
    for (router, prefix, as_path, next_hop) in expected {
        wait_until(PATIENCE, &format!("{} has {prefix}", router.name()), || {
            let route = router.bgp_route(prefix)?;
            topotests::ensure!(route.as_path == as_path, "AS path {:?}", route.as_path);
            let hop_fits = route.next_hop == next_hop || route.next_hop.starts_with("fe80:");
            topotests::ensure!(hop_fits, "next hop {:?}", route.next_hop);
            Ok(())
        })?;
    }
    wait_until(PATIENCE, "FRR's kernel has the routes", || {
        r1.kernel_route_via("192.0.2.2/32", &["10.0.12.2"])?;
        r1.kernel_route("2001:db8::2/128").map(drop)
    })
}

#[test]
fn frr_and_bird_learn_each_others_networks_and_install_them() {
    run(&Needs::peers(), |net| {
        let bird = r#"
router id 192.0.2.2;
protocol device {}
protocol direct { ipv4; ipv6; interface "lo"; }
protocol kernel { ipv4 { export where source = RTS_BGP; }; }
protocol kernel { ipv6 { export where source = RTS_BGP; }; }
protocol bgp four { local as 65002; neighbor 10.0.12.1 as 65001; ipv4 { import all; export all; }; }
protocol bgp six { local as 65002; neighbor 2001:db8:12::1 as 65001; ipv6 { import all; export all; }; }
"#;
        let (r1, r2) = beside_frr(net, Kind::Bird, bird)?;
        both_learn(&r1, &r2)?;
        wait_until(PATIENCE, "BIRD's kernel has the routes", || {
            r2.kernel_route_via("192.0.2.1/32", &["10.0.12.1"])?;
            r2.kernel_route("2001:db8::1/128").map(drop)
        })?;
        let blackhole = r1.kernel_route("203.0.113.0/24")?;
        topotests::ensure!(blackhole.kind == "blackhole", "{blackhole:?}");
        r1.run("ping", &["-c", "1", "-W", "5", "-I", "192.0.2.1", "192.0.2.2"]).map(drop)
    });
}

#[test]
fn frr_and_gobgp_learn_each_others_networks() {
    run(&Needs::peers(), |net| {
        let gobgp = r#"
[global.config]
  as = 65002
  router-id = "192.0.2.2"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "10.0.12.1"
    peer-as = 65001
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "2001:db8:12::1"
    peer-as = 65001
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
"#;
        let (r1, r2) = beside_frr(net, Kind::GoBgp, gobgp)?;
        r2.gobgp_do("global rib add 192.0.2.2/32 origin igp")?;
        r2.gobgp_do("global rib add -a ipv6 2001:db8::2/128 origin igp")?;
        both_learn(&r1, &r2)
    });
}

#[test]
fn frr_and_openbgpd_learn_each_others_networks() {
    run(&Needs::peers(), |net| {
        let openbgpd = r"
AS 65002
router-id 192.0.2.2
network 192.0.2.2/32
network 2001:db8::2/128
neighbor 10.0.12.1 { remote-as 65001 }
neighbor 2001:db8:12::1 { remote-as 65001 }
allow from any
allow to any
";
        let (r1, r2) = beside_frr(net, Kind::OpenBgpd, openbgpd)?;
        both_learn(&r1, &r2)
    });
}

#[test]
fn frr_and_exabgp_learn_each_others_networks() {
    run(&Needs::peers(), |net| {
        let exabgp = r"
process heard { run /run/t/etc/heard.sh; encoder json; }
neighbor 10.0.12.1 {
  router-id 192.0.2.2; local-address 10.0.12.2; local-as 65002; peer-as 65001;
  family { ipv4 unicast; }
  static { route 192.0.2.2/32 next-hop 10.0.12.2; }
  api { processes [ heard ]; receive { parsed; update; } }
}
neighbor 2001:db8:12::1 {
  router-id 192.0.2.2; local-address 2001:db8:12::2; local-as 65002; peer-as 65001;
  family { ipv6 unicast; }
  static { route 2001:db8::2/128 next-hop 2001:db8:12::2; }
  api { processes [ heard ]; receive { parsed; update; } }
}
";
        let (r1, r2) = beside_frr(net, Kind::ExaBgp, exabgp)?;
        both_learn(&r1, &r2)
    });
}

#[test]
fn a_lan_of_hosts_is_one_network_and_leaves_nothing_behind() {
    run(&Needs::default(), |net| {
        let hosts: Vec<Router> =
            ["h1", "h2", "h3"].iter().map(|name| net.router(name, Kind::Host)).collect::<Result<_>>()?;
        let addrs =
            ["10.1.0.1/24 2001:db8:1::1/64", "10.1.0.2/24 2001:db8:1::2/64", "10.1.0.3/24 2001:db8:1::3/64"];
        let members: Vec<(&Router, &str)> = hosts.iter().zip(addrs).collect();
        let names = net.lan("lan1", &members)?;
        topotests::ensure!(names == ["eth0", "eth0", "eth0"], "{names:?}");
        for host in &hosts {
            let four = host.kernel_route("10.1.0.0/24")?;
            topotests::ensure!(four.protocol == "kernel", "{four:?}");
            topotests::ensure!(host.kernel_count(Family::V4, "kernel")? == 1, "one network");
        }
        let pid = hosts[0].start_foreground("sleep", &["1000".to_owned()], &[])?;
        hosts[0].signal(pid, "KILL")?;
        hosts[0].wait_gone(pid, PATIENCE)
    });
}
