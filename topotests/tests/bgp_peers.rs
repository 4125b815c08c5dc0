//! BGP with each of the other implementations: eBGP and iBGP, both families, both directions; looked at in our table,
//! in theirs, and in the kernel.

use std::time::Duration;

use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, holds_for, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

const OURS_AS: u32 = 65001;
const R1: [&str; 2] = ["10.0.12.1", "2001:db8:12::1"];
const R2: [&str; 2] = ["10.0.12.2", "2001:db8:12::2"];
/// Networks of each side: announced from the start, and announced later.
const NETS1: [&str; 2] = ["192.0.2.1/32", "2001:db8:a::1/128"];
const NETS2: [&str; 2] = ["192.0.2.2/32", "2001:db8:b::2/128"];
const LATER1: [&str; 2] = ["198.51.100.0/25", "2001:db8:a:1::/64"];
const LATER2: [&str; 2] = ["198.51.100.128/25", "2001:db8:b:1::/64"];

fn ours(peer_as: u32) -> String {
    let [four, six] = R2;
    let [net4, net6] = NETS1;
    format!(
        "hostname r1
router bgp {OURS_AS}
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor {four} remote-as {peer_as}
 neighbor {four} timers connect 2
 neighbor {six} remote-as {peer_as}
 neighbor {six} timers connect 2
 address-family ipv4 unicast
  network {net4}
  neighbor {four} activate
  neighbor {four} route-map FOUR out
 exit-address-family
 address-family ipv6 unicast
  network {net6}
  neighbor {six} activate
 exit-address-family
exit
route-map FOUR permit 10
 set community 65001:77
 set metric 42
exit
"
    )
}

fn theirs(kind: Kind, asn: u32) -> String {
    let ([four, six], [net4, net6]) = (R1, NETS2);
    match kind {
        Kind::Frr => format!(
            "router bgp {asn}
 bgp router-id 192.0.2.2
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor {four} remote-as {OURS_AS}
 neighbor {six} remote-as {OURS_AS}
 address-family ipv4 unicast
  network {net4}
  neighbor {four} activate
 exit-address-family
 address-family ipv6 unicast
  network {net6}
  neighbor {six} activate
 exit-address-family
"
        ),
        Kind::Bird => format!(
            r"router id 192.0.2.2;
protocol device {{}}
protocol static fixed4 {{ ipv4; route {net4} blackhole; }}
protocol static fixed6 {{ ipv6; route {net6} blackhole; }}
protocol static later4 {{ disabled; ipv4; route {} blackhole; }}
protocol static later6 {{ disabled; ipv6; route {} blackhole; }}
protocol kernel {{ ipv4 {{ export where source = RTS_BGP; }}; }}
protocol kernel {{ ipv6 {{ export where source = RTS_BGP; }}; }}
protocol bgp four {{ local as {asn}; neighbor {four} as {OURS_AS}; ipv4 {{ import all; export all; next hop self; }}; direct; }}
protocol bgp six {{ local as {asn}; neighbor {six} as {OURS_AS}; ipv6 {{ import all; export all; next hop self; }}; direct; }}
",
            LATER2[0], LATER2[1]
        ),
        Kind::GoBgp => {
            let peer = |addr: &str, family: &str| {
                format!(
                    "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{addr}\"\npeer-as = {OURS_AS}\n\
                     [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"{family}-unicast\"\n"
                )
            };
            format!(
                "[global.config]\nas = {asn}\nrouter-id = \"192.0.2.2\"\n{}{}",
                peer(four, "ipv4"),
                peer(six, "ipv6")
            )
        }
        Kind::OpenBgpd => format!(
            "AS {asn}\nrouter-id 192.0.2.2\nnetwork {net4}\nnetwork {net6}\n\
             neighbor {four} {{ remote-as {OURS_AS} }}\nneighbor {six} {{ remote-as {OURS_AS} }}\n\
             allow from any\nallow to any\n"
        ),
        Kind::ExaBgp | Kind::Ours | Kind::Host => String::new(),
    }
}

/// Makes the other side announce its later networks, or stop that.
fn announce_later(kind: Kind, r2: &Router, asn: u32, on: bool) -> Result<()> {
    let [four, six] = LATER2;
    match kind {
        Kind::Frr => {
            let no = if on { "" } else { "no " };
            r2.configure(&[
                &format!("router bgp {asn}"),
                "address-family ipv4 unicast",
                &format!("{no}network {four}"),
                "exit-address-family",
                "address-family ipv6 unicast",
                &format!("{no}network {six}"),
            ])
        }
        Kind::Bird => {
            let verb = if on { "enable" } else { "disable" };
            r2.run("birdc", &[verb, "later4"])?;
            r2.run("birdc", &[verb, "later6"]).map(drop)
        }
        Kind::GoBgp => {
            let verb = if on { "add" } else { "del" };
            r2.gobgp_do(&format!("global rib {verb} {four} origin igp"))?;
            r2.gobgp_do(&format!("global rib {verb} -a ipv6 {six} origin igp"))
        }
        _ => {
            let verb = if on { "add" } else { "delete" };
            r2.run("bgpctl", &["network", verb, four])?;
            r2.run("bgpctl", &["network", verb, six]).map(drop)
        }
    }
}

/// Both sides' networks are in both tables with the attributes that the kind of session demands.
fn exchanged(r1: &Router, r2: &Router, peer_as: u32) -> Result<()> {
    let internal = peer_as == OURS_AS;
    for index in 0..2 {
        let (path, pref) = if internal { (String::new(), Some(100)) } else { (peer_as.to_string(), None) };
        let route = r1.bgp_route(NETS2[index])?;
        ensure!(route.as_path == path, "ours: {} has path {:?}", NETS2[index], route.as_path);
        let hop = route.next_hop == R2[index] || route.next_hop.starts_with("fe80:");
        ensure!(hop, "ours: {} has next hop {}", NETS2[index], route.next_hop);
        ensure!(
            !internal || route.local_pref == pref,
            "ours: {} has preference {:?}",
            NETS2[index],
            route.local_pref
        );

        let path = if internal { String::new() } else { OURS_AS.to_string() };
        let route = r2.bgp_route(NETS1[index])?;
        ensure!(route.as_path == path, "theirs: {} has path {:?}", NETS1[index], route.as_path);
        let hop = route.next_hop == R1[index] || route.next_hop.starts_with("fe80:");
        ensure!(hop, "theirs: {} has next hop {}", NETS1[index], route.next_hop);
        if index == 0 {
            ensure!(route.med == Some(42), "theirs: MED {:?}", route.med);
            let told = route.communities.iter().any(|c| c == "65001:77") || r2.kind() == Kind::Frr;
            ensure!(told, "theirs: communities {:?}", route.communities);
        }
    }
    Ok(())
}

/// Kernels send the other's networks there; of theirs only those that write to the kernel.
fn installed(r1: &Router, r2: &Router, ours: &[&str; 2], theirs: &[&str; 2]) -> Result<()> {
    r1.kernel_route_via(theirs[0], &[R2[0]])?;
    r1.kernel_route(theirs[1])?;
    if matches!(r2.kind(), Kind::Frr | Kind::Bird) {
        r2.kernel_route_via(ours[0], &[R1[0]])?;
        r2.kernel_route(ours[1])?;
    }
    Ok(())
}

fn gone(r1: &Router, r2: &Router) -> Result<()> {
    for (router, prefixes) in [(r1, LATER2), (r2, LATER1)] {
        for prefix in prefixes {
            router.bgp_lacks(prefix)?;
            router.kernel_lacks(prefix)?;
        }
    }
    Ok(())
}

fn with(net: &mut Net, kind: Kind, asn: u32) -> Result<()> {
    let r1 = net.router("r1", Kind::Ours)?;
    let r2 = net.router("r2", kind)?;
    net.link(&r1, &format!("{}/24 {}/64", R1[0], R1[1]), &r2, &format!("{}/24 {}/64", R2[0], R2[1]))?;
    r2.start(&theirs(kind, asn))?;
    r1.start(&ours(asn))?;
    if kind == Kind::GoBgp {
        r2.gobgp_do(&format!("global rib add {} origin igp", NETS2[0]))?;
        r2.gobgp_do(&format!("global rib add -a ipv6 {} origin igp", NETS2[1]))?;
    }
    for index in 0..2 {
        r1.wait_bgp_established(R2[index])?;
        r2.wait_bgp_established(R1[index])?;
    }
    wait_until(PATIENCE, "both learn", || exchanged(&r1, &r2, asn))?;
    wait_until(PATIENCE, "both install", || installed(&r1, &r2, &NETS1, &NETS2))?;

    // Later announcements and their withdrawal travel both ways.
    for on in [true, false] {
        announce_later(kind, &r2, asn, on)?;
        let no = if on { "" } else { "no " };
        r1.configure(&[
            &format!("router bgp {OURS_AS}"),
            "address-family ipv4 unicast",
            &format!("{no}network {}", LATER1[0]),
            "exit-address-family",
            "address-family ipv6 unicast",
            &format!("{no}network {}", LATER1[1]),
        ])?;
        if on {
            wait_until(PATIENCE, "later networks arrive", || installed(&r1, &r2, &LATER1, &LATER2))?;
        } else {
            wait_until(PATIENCE, "withdrawn networks are gone", || gone(&r1, &r2))?;
        }
    }
    // A session that ends takes its routes with it.
    r1.configure(&[&format!("router bgp {OURS_AS}"), &format!("neighbor {} shutdown", R2[0])])?;
    wait_until(PATIENCE, "routes of a closed session are gone, of the other not", || {
        r1.kernel_lacks(NETS2[0])?;
        r2.bgp_lacks(NETS1[0])?;
        r1.kernel_route(NETS2[1]).map(drop)
    })
}

#[test]
fn ebgp_with_frr_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::Frr, 65002));
}

#[test]
fn ebgp_with_bird_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::Bird, 65002));
}

#[test]
fn ebgp_with_gobgp_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::GoBgp, 65002));
}

#[test]
fn ebgp_with_openbgpd_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::OpenBgpd, 65002));
}

#[test]
fn ibgp_with_frr_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::Frr, OURS_AS));
}

#[test]
fn ibgp_with_bird_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::Bird, OURS_AS));
}

#[test]
fn ibgp_with_gobgp_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::GoBgp, OURS_AS));
}

#[test]
fn ibgp_with_openbgpd_exchanges_and_installs_both_families_both_ways() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::OpenBgpd, OURS_AS));
}

#[test]
fn four_octet_as_numbers_survive_the_way_to_every_side() {
    run(&Needs::ours_and_peers(), |net| with(net, Kind::Bird, 4_200_000_002));
}

/// r1 is ours with a password, r2 has `theirs`.
fn with_password(net: &mut Net, kind: Kind, password: &str) -> Result<(Router, Router)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let r2 = net.router("r2", kind)?;
    net.link(&r1, "10.0.12.1/24", &r2, "10.0.12.2/24")?;
    r1.start(
        "router bgp 65001\n no bgp ebgp-requires-policy\n neighbor 10.0.12.2 remote-as 65002\n \
         neighbor 10.0.12.2 password one-secret\n neighbor 10.0.12.2 timers connect 2\n",
    )?;
    r2.start(&match kind {
        Kind::Bird => format!(
            "router id 192.0.2.2;\nprotocol device {{}}\nprotocol bgp four {{ local as 65002; neighbor 10.0.12.1 as 65001; \
             password \"{password}\"; connect retry time 2; ipv4 {{ import all; export all; }}; }}\n"
        ),
        _ => format!(
            "router bgp 65002\n no bgp ebgp-requires-policy\n neighbor 10.0.12.1 remote-as 65001\n \
             neighbor 10.0.12.1 password {password}\n neighbor 10.0.12.1 timers connect 2\n"
        ),
    })?;
    Ok((r1, r2))
}

#[test]
fn the_same_password_lets_a_session_with_frr_come_up() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, _) = with_password(net, Kind::Frr, "one-secret")?;
        r1.wait_bgp_established("10.0.12.2")
    });
}

#[test]
fn the_same_password_lets_a_session_with_bird_come_up() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, _) = with_password(net, Kind::Bird, "one-secret")?;
        r1.wait_bgp_established("10.0.12.2")
    });
}

#[test]
fn another_password_keeps_the_session_down_until_it_is_corrected() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, r2) = with_password(net, Kind::Frr, "another")?;
        holds_for(Duration::from_secs(8), "the session stays down", || {
            ensure!(r1.bgp_established("10.0.12.2").is_err(), "it came up");
            ensure!(r2.bgp_established("10.0.12.1").is_err(), "it came up");
            Ok(())
        })?;
        r1.configure(&["router bgp 65001", "neighbor 10.0.12.2 password another"])?;
        r1.wait_bgp_established("10.0.12.2")
    });
}

#[test]
fn a_route_server_of_ours_passes_routes_between_all_four_implementations() {
    run(&Needs::ours_and_peers(), |net| {
        let rs = net.router("rs", Kind::Ours)?;
        let kinds = [Kind::Frr, Kind::Bird, Kind::GoBgp, Kind::OpenBgpd];
        let clients: Vec<Router> = kinds
            .iter()
            .zip(2..)
            .map(|(kind, n)| net.router(&format!("c{n}"), *kind))
            .collect::<Result<_>>()?;
        let addrs: Vec<String> = (2..6).map(|n| format!("10.9.0.{n}/24")).collect();
        let mut members: Vec<(&Router, &str)> = vec![(&rs, "10.9.0.1/24")];
        members.extend(clients.iter().zip(addrs.iter().map(String::as_str)));
        net.lan("lan", &members)?;
        let mut conf =
            String::from("router bgp 65000\n bgp router-id 10.9.0.1\n no bgp ebgp-requires-policy\n");
        for n in 2..6 {
            conf.push_str(&format!(
                " neighbor 10.9.0.{n} remote-as 6500{n}\n neighbor 10.9.0.{n} timers connect 2\n"
            ));
            conf.push_str(&format!(" neighbor 10.9.0.{n} route-server-client\n"));
        }
        for (client, n) in clients.iter().zip(2..) {
            client.start(&route_server_client(client.kind(), n))?;
            if client.kind() == Kind::GoBgp {
                client.gobgp_do(&format!("global rib add 192.0.2.{n}/32 origin igp"))?;
            }
        }
        rs.start(&conf)?;
        for n in 2..6 {
            rs.wait_bgp_established(&format!("10.9.0.{n}"))?;
        }
        wait_until(PATIENCE, "every client has every other's network, untouched", || {
            for (client, n) in clients.iter().zip(2..6) {
                for other in (2..6).filter(|other| *other != n) {
                    let route = client.bgp_route(&format!("192.0.2.{other}/32"))?;
                    ensure!(route.as_path == format!("6500{other}"), "{}: {route:?}", client.name());
                    ensure!(route.next_hop == format!("10.9.0.{other}"), "{}: {route:?}", client.name());
                }
            }
            ensure!(rs.bgp_table(Family::V4)?.len() == 4, "the route server has four networks");
            Ok(())
        })
    });
}

/// AS 6500n at 10.9.0.n with the network 192.0.2.n/32; takes paths that do not begin with the route server's AS.
fn route_server_client(kind: Kind, n: u32) -> String {
    match kind {
        Kind::Frr => format!(
            "router bgp 6500{n}\n bgp router-id 10.9.0.{n}\n no bgp ebgp-requires-policy\n no bgp enforce-first-as\n \
             no bgp network import-check\n neighbor 10.9.0.1 remote-as 65000\n no neighbor 10.9.0.1 enforce-first-as\n \
             address-family ipv4 unicast\n network 192.0.2.{n}/32\n exit-address-family\n"
        ),
        Kind::Bird => format!(
            "router id 10.9.0.{n};\nprotocol device {{}}\nprotocol static {{ ipv4; route 192.0.2.{n}/32 blackhole; }}\n\
             protocol bgp rs {{ local as 6500{n}; neighbor 10.9.0.1 as 65000; enforce first as off; \
             ipv4 {{ import all; export all; }}; }}\n"
        ),
        Kind::GoBgp => format!(
            "[global.config]\nas = 6500{n}\nrouter-id = \"10.9.0.{n}\"\n[[neighbors]]\n[neighbors.config]\n\
             neighbor-address = \"10.9.0.1\"\npeer-as = 65000\n"
        ),
        _ => format!(
            "AS 6500{n}\nrouter-id 10.9.0.{n}\nnetwork 192.0.2.{n}/32\n\
             neighbor 10.9.0.1 {{\nremote-as 65000\nenforce neighbor-as no\n}}\nallow from any\nallow to any\n"
        ),
    }
}
