//! Optimal route reflection (RFC 9107): a client of FRR and one of ours in groups with other roots are told other paths, which
//! follow what the ways from the roots cost.

use std::time::Duration;

use serde_json::json;
use topotests::{Kind, Needs, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
const SHARED: &str = "192.0.2.0/24";

const REFLECTOR: &str = "router bgp 65000
 bgp router-id 10.0.0.10
 neighbor CLIENTS peer-group
 neighbor CLIENTS remote-as 65000
 neighbor CLIENTS timers connect 1
 neighbor 10.0.0.1 peer-group CLIENTS
 neighbor 10.0.0.2 peer-group CLIENTS
 neighbor 10.0.0.3 peer-group CLIENTS
 neighbor 10.0.0.4 peer-group CLIENTS
 neighbor 10.0.0.5 peer-group CLIENTS
 address-family ipv4 unicast
  optimal-route-reflection EAST 10.0.0.99 10.0.0.2
  optimal-route-reflection WEST 10.0.0.1
  bgp optimal-route-reflection cost 10.0.0.2 10.0.0.0/24 50
  bgp optimal-route-reflection cost 10.0.0.2 10.0.0.2/32 1
  bgp optimal-route-reflection cost 10.0.0.1 10.0.0.1/32 1
  neighbor CLIENTS route-reflector-client
  neighbor 10.0.0.3 optimal-route-reflection WEST
  neighbor 10.0.0.4 optimal-route-reflection EAST
 exit-address-family
exit
";

fn speaker(n: u8, network: bool) -> String {
    let network = if network { format!("  network {SHARED}\n") } else { String::new() };
    format!(
        "router bgp 65000
 bgp router-id 10.0.0.{n}
 no bgp network import-check
 neighbor 10.0.0.10 remote-as 65000
 neighbor 10.0.0.10 timers connect 1
 address-family ipv4 unicast
{network}  neighbor 10.0.0.10 next-hop-self
 exit-address-family
exit
"
    )
}

fn told(router: &Router, next_hop: &str) -> Result<()> {
    wait_until(PATIENCE, &format!("{} is told of the path by {next_hop}", router.name()), || {
        let json = router.vtysh_json(&format!("show bgp ipv4 unicast {SHARED} json"))?;
        let hop = json.pointer("/paths/0/nexthops/0/ip").cloned().unwrap_or_default();
        ensure!(hop == json!(next_hop), "{}: {json}", router.name());
        Ok(())
    })
}

#[test]
fn clients_are_told_what_is_best_from_their_root() {
    run(&Needs::ours_and_peers(), |net| {
        let reflector = net.router("rr", Kind::Ours)?;
        let (one, two) = (net.router("s1", Kind::Frr)?, net.router("s2", Kind::Ours)?);
        let (west, east) = (net.router("west", Kind::Ours)?, net.router("east", Kind::Frr)?);
        let plain = net.router("plain", Kind::Ours)?;
        net.lan(
            "lan",
            &[
                (&reflector, "10.0.0.10/24"),
                (&one, "10.0.0.1/24"),
                (&two, "10.0.0.2/24"),
                (&west, "10.0.0.3/24"),
                (&east, "10.0.0.4/24"),
                (&plain, "10.0.0.5/24"),
            ],
        )?;
        reflector.start(REFLECTOR)?;
        for (router, n) in [(&one, 1), (&two, 2), (&west, 3), (&east, 4), (&plain, 5)] {
            router.start(&speaker(n, n < 3))?;
        }
        // Seen from the reflector the two are equal up to the identifier.
        told(&plain, "10.0.0.1")?;
        told(&west, "10.0.0.1")?;
        told(&east, "10.0.0.2")?;
        let json = reflector.vtysh_json("show bgp ipv4 unicast optimal-route-reflection EAST json")?;
        let view = json.pointer("/ipv4Unicast/EAST").cloned().unwrap_or_default();
        ensure!(view.get("activeRoot") == Some(&json!("10.0.0.2")), "the first root has no costs: {view}");
        ensure!(view.get("clients") == Some(&json!(["10.0.0.4"])), "{view}");
        // The way from the root changes, and then there is none any more.
        let family = ["router bgp 65000", "address-family ipv4 unicast"];
        let change = |line: &'static str| reflector.configure(&[family[0], family[1], line]);
        change("bgp optimal-route-reflection cost 10.0.0.2 10.0.0.2/32 99")?;
        told(&east, "10.0.0.1")?;
        change("bgp optimal-route-reflection cost 10.0.0.1 10.0.0.2/32 0")?;
        told(&west, "10.0.0.2")?;
        change("no bgp optimal-route-reflection cost 10.0.0.1 10.0.0.2/32")?;
        told(&west, "10.0.0.1")?;
        told(&plain, "10.0.0.1")
    });
}
