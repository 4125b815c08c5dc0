//! Which router counts as a border router at all (RFC 3509), version 2: ours beside FRR's in the same network.

use topotests::{Needs, run};

use super::mirror::{Expect, Mirror, Place, links};

const BESIDE: &str = "router ospf
 ospf router-id 4.4.4.4
exit
";

#[test]
fn every_kind_of_border_router_without_a_backbone_is_what_frrs_is() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        // Two areas; of the backbone there is a network without a neighbour.
        let v2 = |all: &[(&str, u32)]| {
            let lines = links(all);
            lines
                .lines()
                .filter(|line| !line.contains("ipv6"))
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        };
        let far = v2(&[("eth0", 2), ("lo", 2)]) + BESIDE;
        let middle = v2(&[("eth0", 2), ("eth1", 1), ("lo", 0)])
            + "router ospf\n ospf router-id 1.1.1.1\n ospf abr-type standard\nexit\n";
        let inner = v2(&[("eth0", 1), ("lo", 1)]) + "router ospf\n ospf router-id 5.5.5.5\nexit\n";
        let mirror = Mirror::new(
            net,
            &[2],
            [
                Place { config: &far, loopback: "10.255.0.4/32" },
                Place { config: &middle, loopback: "10.255.0.1/32" },
                Place { config: &inner, loopback: "10.255.0.5/32" },
            ],
        )?;
        let both = Expect { has: "10.255.0.1", lacks: "" };
        for kind in ["standard", "cisco", "ibm", "shortcut"] {
            mirror.configure(&["router ospf", &format!("ospf abr-type {kind}")])?;
            mirror.stays(kind, &both, &both)?;
        }
        mirror.configure(&["router ospf", "area 1 shortcut enable", "area 2 shortcut enable"])?;
        mirror.stays("shortcuts enabled", &both, &both)?;
        mirror.configure(&["router ospf", "area 1 shortcut disable"])?;
        mirror.stays("a shortcut disabled", &both, &both)
    });
}
