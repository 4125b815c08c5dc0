//! IPv4 over OSPFv3 (RFC 5838) between ours and BIRD, and ours and ours, on links that OSPFv2 and OSPFv3 for IPv6 run on too: three
//! instances a link, none of which hears another. FRR 10.3 has no such thing.

use std::collections::BTreeSet;

use serde_json::Value;
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, run, wait_until};

use super::speak::{PATIENCE, adjacent, has, kernel, start};

const TIMERS: &str = " ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
 ip ospf6 hello-interval 1
 ip ospf6 dead-interval 4
";

/// What signs the packets of the IPv4 family on the link with BIRD.
const CHAIN: &str = "key chain K
 key 7
  key-string sesame
  cryptographic-algorithm hmac-sha-256
 exit
exit
";

fn routers(id: &str, more: &str) -> String {
    format!(
        "router ospf\n ospf router-id {id}\nexit\nrouter ospf6\n ospf6 router-id {id}\nexit\n\
         router ospf6 ipv4\n ospf6 router-id {id}\n{more}exit\n"
    )
}

/// Between the two others; the border of the NSSA.
fn middle() -> String {
    format!(
        "{CHAIN}interface eth0
 ip ospf area 0
 ipv6 ospf6 area 0
 ip ospf6 area 0
 ip ospf6 authentication keychain K
{TIMERS}exit
interface eth1
 ip ospf area 0
 ip ospf network point-to-point
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ip ospf6 area 1
 ip ospf6 network point-to-point
 ip ospf6 instance-id 65
{TIMERS}exit
interface stub0
 ip ospf6 area 0
 ip ospf6 passive
exit
{}",
        routers("1.1.1.1", " area 1 nssa\n area 1 range 10.66.0.0/16\n")
    )
}

/// In the NSSA, with a route of its own from outside.
fn edge() -> String {
    format!(
        "ip route 203.0.113.0/24 blackhole
ipv6 route 2001:db8:e::/64 blackhole
interface eth0
 ip ospf area 0
 ip ospf network point-to-point
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ip ospf6 area 1
 ip ospf6 network point-to-point
 ip ospf6 instance-id 65
{TIMERS}exit
interface stub0
 ip ospf6 area 1
 ip ospf6 passive
exit
interface stub1
 ip ospf6 area 1
 ip ospf6 passive
exit
interface lo
 ip ospf area 0
 ipv6 ospf6 area 0
exit
{}",
        routers("3.3.3.3", " area 1 nssa\n redistribute static\n")
    )
}

const BIRD: &str = "\
router id 2.2.2.2;
protocol device {}
protocol kernel { ipv4 { import none; export where source ~ [RTS_OSPF, RTS_OSPF_IA, RTS_OSPF_EXT1, RTS_OSPF_EXT2]; }; }
protocol kernel { ipv6 { import none; export where source ~ [RTS_OSPF, RTS_OSPF_IA, RTS_OSPF_EXT1, RTS_OSPF_EXT2]; }; }
protocol static { ipv4; route 198.51.100.0/24 blackhole; }
protocol static { ipv6; route 2001:db8:b::/64 blackhole; }
protocol ospf v2 ospf2 {
 ipv4 { import all; export none; };
 area 0 {
  interface \"eth0\" { hello 1; dead 4; };
  interface \"lo\" { stub; };
 };
}
protocol ospf v3 ospf3 {
 ipv6 { import all; export where source = RTS_STATIC; };
 area 0 {
  interface \"eth0\" { hello 1; dead 4; };
 };
}
protocol ospf v3 ospf4 {
 ipv4 { import all; export where source = RTS_STATIC; };
 instance id 64;
 area 0 {
  interface \"eth0\" {
   hello 1; dead 4; authentication cryptographic;
   password \"sesame\" { id 7; algorithm hmac sha256; };
  };
  interface \"stub0\" { stub; };
 };
}
";

struct Row {
    r1: Router,
    bird: Router,
    edge: Router,
}

fn network(net: &mut Net) -> Result<Row> {
    let r1 = net.router("r1", Kind::Ours)?;
    let bird = net.router("bird", Kind::Bird)?;
    let edge_ = net.router("edge", Kind::Ours)?;
    net.link(&r1, "10.0.0.1/24 2001:db8:0::1/64", &bird, "10.0.0.2/24 2001:db8:0::2/64")?;
    net.link(&r1, "10.1.0.1/24 2001:db8:1::1/64", &edge_, "10.1.0.3/24 2001:db8:1::3/64")?;
    net.loopback(&bird, "10.255.0.2/32")?;
    net.loopback(&edge_, "10.255.0.3/32 2001:db8:ff::3/128")?;
    net.stub(&r1, "stub0", "10.64.1.1/24")?;
    net.stub(&bird, "stub0", "10.64.2.1/24")?;
    net.stub(&edge_, "stub0", "10.65.3.1/24")?;
    net.stub(&edge_, "stub1", "10.66.3.1/24")?;
    start(&bird, BIRD)?;
    start(&edge_, &edge())?;
    start(&r1, &middle())?;
    Ok(Row { r1, bird, edge: edge_ })
}

/// Neighbours of the IPv4 family that are fully adjacent.
fn full(router: &Router) -> Result<BTreeSet<String>> {
    let json = router.vtysh_json("show ip ospf6 neighbor json")?;
    let rows = json["neighbors"].as_array().cloned().unwrap_or_default();
    let full = rows.into_iter().filter(|row| row["state"] == "Full");
    Ok(full.filter_map(|row| Some(row["neighborId"].as_str()?.to_owned())).collect())
}

/// Waits until a router's kernel has a route by one next hop.
fn by(router: &Router, prefix: &str, gateway: &str) -> Result<()> {
    wait_until(PATIENCE, &format!("{} reaches {prefix} by {gateway}", router.name()), || {
        let routes = kernel(router, Family::V4)?;
        let hops = routes.get(prefix).map(|(_, hops)| hops.iter().map(|(hop, _)| hop.as_str()).collect());
        ensure!(hops == Some(BTreeSet::from([gateway])), "{hops:?} of {:?}", routes.keys());
        Ok(())
    })
}

#[test]
fn ipv4_over_ospfv3_with_bird_beside_the_other_two_instances() {
    run(&Needs::ours_and_peers(), |net| {
        let Row { r1, bird, edge } = &network(net)?;
        for version in [2, 3] {
            adjacent(r1, version, &["2.2.2.2", "3.3.3.3"])?;
        }
        wait_until(PATIENCE, "the IPv4 family is adjacent with both", || {
            let found = full(r1)?;
            ensure!(found == BTreeSet::from(["2.2.2.2".to_owned(), "3.3.3.3".to_owned()]), "{found:?}");
            Ok(())
        })?;
        adjacent(bird, 4, &["1.1.1.1"])?;
        // Next hops are of IPv4, though packets come from link-local addresses.
        by(r1, "10.64.2.0/24", "10.0.0.2")?;
        by(r1, "198.51.100.0/24", "10.0.0.2")?;
        by(r1, "10.65.3.0/24", "10.1.0.3")?;
        by(r1, "203.0.113.0/24", "10.1.0.3")?;
        // BIRD: of the backbone, of the other area and its range, and what the NSSA's border translates.
        by(bird, "10.64.1.0/24", "10.0.0.1")?;
        by(bird, "10.65.3.0/24", "10.0.0.1")?;
        by(bird, "10.66.0.0/16", "10.0.0.1")?;
        by(bird, "203.0.113.0/24", "10.0.0.1")?;
        by(edge, "10.64.2.0/24", "10.1.0.1")?;
        let there = kernel(bird, Family::V4)?;
        ensure!(!there.contains_key("10.66.3.0/24"), "the range gathers: {:?}", there.keys());
        // The other two go on as if they were alone.
        has(r1, Family::V4, &["10.255.0.2/32", "10.255.0.3/32"])?;
        has(r1, Family::V6, &["2001:db8:b::/64", "2001:db8:ff::3/128"])?;
        has(bird, Family::V6, &["2001:db8:ff::3/128"])?;
        let foreign: Value = r1.vtysh_json("show ipv6 ospf6 route json")?;
        ensure!(!foreign.to_string().contains("10.64."), "{foreign}");
        // What the link says of its address is what others send to.
        let links = r1.vtysh_json("show ip ospf6 database link adv-router 2.2.2.2 detail json")?;
        ensure!(links.to_string().contains("\"10.0.0.2\""), "{links}");
        // Without the key nobody is heard, and that is counted; the other instances stay.
        r1.configure(&["interface eth0", "no ip ospf6 authentication keychain K"])?;
        wait_until(PATIENCE, "BIRD is lost without the key, and its routes with it", || {
            let (found, routes) = (full(r1)?, kernel(r1, Family::V4)?);
            ensure!(found == BTreeSet::from(["3.3.3.3".to_owned()]), "{found:?}");
            ensure!(!routes.contains_key("10.64.2.0/24"), "{:?}", routes.keys());
            Ok(())
        })?;
        adjacent(r1, 3, &["2.2.2.2", "3.3.3.3"])
    });
}
