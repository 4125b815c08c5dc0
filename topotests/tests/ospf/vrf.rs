//! OSPF in VRFs: a process for each, the same addresses and prefixes in both, tables of the kernel apart.

use topotests::{Kind, Needs, Result, Router, ensure, run, wait_until};

use super::speak::{PATIENCE, adjacent, start};

/// VRF, kernel table, interface, the neighbour's router ID and own network.
const PLACES: [(&str, u32, &str, &str, &str, &str); 2] = [
    ("RED", 10, "eth0", "2.2.2.2", "203.0.113.10/32", "2001:db8:a::10/128"),
    ("BLUE", 20, "eth1", "3.3.3.3", "203.0.113.20/32", "2001:db8:a::20/128"),
];

const LINK: &str = " ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
exit
";

fn config() -> String {
    let mut text = String::new();
    for (vrf, _, interface, ..) in PLACES {
        text.push_str(&format!(
            "vrf {vrf}\nexit-vrf\ninterface {interface}\n ip ospf area 0\n{LINK}router ospf vrf {vrf}\n ospf router-id \
             1.1.1.1\nexit\nrouter ospf6 vrf {vrf}\n ospf6 router-id 1.1.1.1\nexit\n"
        ));
    }
    text
}

fn theirs(id: &str) -> String {
    format!(
        "interface eth0\n ip ospf area 0\n{LINK}interface lo\n ip ospf area 0\n ipv6 ospf6 area 0\nexit\nrouter ospf\n ospf router-id \
         {id}\nexit\nrouter ospf6\n ospf6 router-id {id}\nexit\n"
    )
}

fn vrf_device(r1: &Router, vrf: &str, table: u32, interface: &str) -> Result<()> {
    r1.ip(&format!("link add {vrf} type vrf table {table}"))?;
    r1.ip(&format!("link set {vrf} up"))?;
    r1.ip(&format!("link set {interface} master {vrf}"))?;
    // The kernel takes IPv6 addresses off an interface that changes its VRF.
    r1.ip(&format!("address replace 2001:db8::1/64 dev {interface} nodad")).map(drop)
}

#[test]
fn every_vrf_has_a_process_of_its_own_and_its_own_table() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]).vrf(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let mut peers = Vec::new();
        for (vrf, table, interface, id, v4, v6) in PLACES {
            let peer = net.router(&format!("peer{vrf}"), Kind::Frr)?;
            net.link(&r1, "10.0.0.1/24 2001:db8::1/64", &peer, "10.0.0.2/24 2001:db8::2/64")?;
            net.loopback(&peer, &format!("{v4} {v6}"))?;
            vrf_device(&r1, vrf, table, interface)?;
            start(&peer, &theirs(id))?;
            peers.push(peer);
        }
        start(&r1, &config())?;
        for peer in &peers {
            adjacent(peer, 2, &["1.1.1.1"])?;
            adjacent(peer, 3, &["1.1.1.1"])?;
        }
        for (vrf, table, interface, id, v4, v6) in PLACES {
            wait_until(PATIENCE, &format!("the routes of {vrf}"), || {
                let json = r1.vtysh_json(&format!("show ip ospf vrf {vrf} neighbor json"))?;
                ensure!(json["neighbors"][id][0]["converged"] == "Full", "{json}");
                for (family, prefix) in [("-4", v4), ("-6", v6)] {
                    let host = prefix.split('/').next().unwrap_or_default();
                    let text = r1.ip(&format!("{family} route show table {table} {prefix}"))?;
                    ensure!(text.contains(host) && text.contains(interface), "table {table}: {text:?}");
                }
                Ok(())
            })?;
            for (other, _, _, other_id, ..) in PLACES.iter().filter(|(name, ..)| *name != vrf) {
                let json = r1.vtysh_json(&format!("show ip ospf vrf {vrf} neighbor json"))?;
                ensure!(json["neighbors"].get(*other_id).is_none(), "{vrf} has a neighbour of {other}");
            }
        }
        let vrfs = r1.vtysh_json("show ip ospf vrfs json")?;
        ensure!(vrfs["totalVrfs"] == 2 && vrfs["vrfs"]["RED"]["routerId"] == "1.1.1.1", "{vrfs}");
        Ok(())
    });
}
