//! `router bgp … view …`: tables beside each other that no packet follows, with neighbours of the default VRF.

use std::time::Duration;

use serde_json::json;
use topotests::{Family, Kind, Needs, Result, ensure, json_contains, run, wait_until};

fn eventually(what: &str, condition: impl FnMut() -> Result<()>) -> Result<()> {
    wait_until(Duration::from_secs(60), what, condition)
}

const OURS: &str = "hostname r1
router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 neighbor 10.0.1.2 remote-as 65011
 neighbor 10.0.1.2 timers connect 2
exit
router bgp 65100 view EXCHANGE
 bgp router-id 192.0.2.100
 no bgp ebgp-requires-policy
 neighbor 10.0.2.2 remote-as 65012
 neighbor 10.0.2.2 timers connect 2
 neighbor 10.0.3.2 remote-as 65013
 neighbor 10.0.3.2 timers connect 2
exit
";

fn frr(asn: u32, ours_as: u32, our_addr: &str, network: &str) -> String {
    format!(
        "router bgp {asn}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor {our_addr} remote-as {ours_as}
 neighbor {our_addr} timers connect 2
 address-family ipv4 unicast
  network {network}
 exit-address-family
"
    )
}

const BIRD: &str = "router id 192.0.2.13;
protocol device {}
protocol static fixed { ipv4; route 203.0.113.13/32 blackhole; }
protocol bgp ours { local 10.0.3.2 as 65013; neighbor 10.0.3.1 as 65100; connect retry time 2;
  ipv4 { import all; export where source = RTS_STATIC; }; }
";

#[test]
fn a_view_serves_its_neighbours_and_touches_neither_the_kernel_nor_the_default_instance() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let (a, b, c) =
            (net.router("a", Kind::Frr)?, net.router("b", Kind::Frr)?, net.router("c", Kind::Bird)?);
        for (number, peer) in [(1, &a), (2, &b), (3, &c)] {
            net.link(&r1, &format!("10.0.{number}.1/24"), peer, &format!("10.0.{number}.2/24"))?;
        }
        r1.start(OURS)?;
        a.start(&frr(65011, 65001, "10.0.1.1", "203.0.113.11/32"))?;
        b.start(&frr(65012, 65100, "10.0.2.1", "203.0.113.12/32"))?;
        c.start(BIRD)?;
        eventually("every instance has its sessions", || {
            let all = r1.vtysh_json("show bgp vrf all summary json")?;
            let up = json!({"state": "Established"});
            let expected = json!({
                "default": {"ipv4Unicast": {"as": 65001, "peers": {"10.0.1.2": up}}},
                "EXCHANGE": {"ipv4Unicast": {"as": 65100, "vrfName": "EXCHANGE", "vrfId": 0,
                             "routerId": "192.0.2.100", "peers": {"10.0.2.2": up, "10.0.3.2": up}}},
            });
            json_contains(&expected, &all)
        })?;
        eventually("the view's neighbours hear of each other", || {
            ensure!(b.bgp_route("203.0.113.13/32")?.as_path == "65100 65013", "b");
            ensure!(c.bgp_route("203.0.113.12/32")?.as_path == "65100 65012", "c");
            r1.kernel_route_via("203.0.113.11/32", &["10.0.1.2"])
        })?;
        // What the view knows is in no kernel table, and nowhere but in the view.
        r1.kernel_lacks("203.0.113.12/32")?;
        r1.kernel_lacks("203.0.113.13/32")?;
        a.bgp_lacks("203.0.113.12/32")?;
        b.bgp_lacks("203.0.113.11/32")?;
        ensure!(r1.bgp_table(Family::V4)?.len() == 1, "the default instance has its neighbour's route only");
        let view = r1.vtysh_json("show bgp view EXCHANGE ipv4 unicast json")?;
        let valid = json!([{"valid": true, "bestpath": true}]);
        json_contains(
            &json!({"vrfName": "EXCHANGE", "localAS": 65100, "totalRoutes": 2,
                    "routes": {"203.0.113.12/32": valid, "203.0.113.13/32": valid}}),
            &view,
        )?;
        ensure!(
            r1.vtysh("show bgp view EXCHANGE summary")?.contains("local AS number 65100 VIEW EXCHANGE"),
            "text"
        );
        json_contains(&json!({"bgpInstanceCount": 2}), &r1.vtysh_json("show bgp router json")?)
    });
}

#[test]
fn an_instance_removed_takes_its_sessions_and_comes_back_while_the_others_stay_up() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let (a, b) = (net.router("a", Kind::Frr)?, net.router("b", Kind::Frr)?);
        net.link(&r1, "10.0.1.1/24", &a, "10.0.1.2/24")?;
        net.link(&r1, "10.0.2.1/24", &b, "10.0.2.2/24")?;
        r1.start(OURS)?;
        a.start(&frr(65011, 65001, "10.0.1.1", "203.0.113.11/32"))?;
        b.start(&frr(65012, 65100, "10.0.2.1", "203.0.113.12/32"))?;
        let of_view = || -> Result<()> {
            let all = r1.vtysh_json("show bgp view EXCHANGE summary json")?;
            json_contains(&json!({"ipv4Unicast": {"peers": {"10.0.2.2": {"state": "Established"}}}}), &all)
        };
        a.wait_bgp_established("10.0.1.1")?;
        eventually("the view's session is up", of_view)?;
        r1.configure(&["no router bgp 65100 view EXCHANGE"])?;
        eventually("its neighbour has lost it", || match b.bgp_established("10.0.2.1") {
            Ok(()) => Err("still up".into()),
            Err(_) => Ok(()),
        })?;
        ensure!(r1.vtysh("show bgp view EXCHANGE summary")?.contains("not found"), "no such instance");
        r1.configure(&[
            "router bgp 65100 view EXCHANGE",
            "no bgp ebgp-requires-policy",
            "neighbor 10.0.2.2 remote-as 65012",
        ])?;
        eventually("it is back", of_view)?;
        let default = r1.vtysh_json("show bgp neighbors 10.0.1.2 json")?;
        json_contains(&json!({"10.0.1.2": {"connectionsEstablished": 1, "connectionsDropped": 0}}), &default)
    });
}
