//! Border routers: of NSSAs, with every way to translate, ranges of translated routes and default routes, in both versions; and which
//! router counts as one at all (RFC 3509), version 2. Ours beside FRR's in the same network.

use topotests::{Needs, run};

use super::mirror::{Expect, Mirror, Place, links};

const FAR: &str = "router ospf
 ospf router-id 4.4.4.4
exit
router ospf6
 ospf6 router-id 4.4.4.4
exit
";

/// In the NSSA, with routes from outside.
const INNER: &str = "ip route 203.0.113.0/25 blackhole
ip route 203.0.113.128/25 blackhole
ip route 192.0.2.0/25 blackhole
ip route 198.51.100.0/24 blackhole
ipv6 route 2001:db8:e1:1::/64 blackhole
ipv6 route 2001:db8:e1:2::/64 blackhole
ipv6 route 2001:db8:e2:1::/64 blackhole
ipv6 route 2001:db8:e3::/64 blackhole
router ospf
 ospf router-id 5.5.5.5
 area 1 nssa
 redistribute static metric 25
exit
router ospf6
 ospf6 router-id 5.5.5.5
 area 1 nssa
 redistribute static metric 25
exit
";

const BORDER: &str = "ip route 0.0.0.0/0 blackhole
ip route 172.16.1.0/24 blackhole
ipv6 route ::/0 blackhole
router ospf
 ospf router-id 1.1.1.1
 redistribute static
 area 1 nssa
 area 1 nssa range 203.0.113.0/24
 area 1 nssa range 192.0.2.0/24 not-advertise
exit
router ospf6
 ospf6 router-id 1.1.1.1
 area 1 nssa
exit
";

#[test]
fn routes_of_an_nssa_are_translated_gathered_and_kept_back_as_frr_does() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let far = links(&[("eth0", 0), ("lo", 0)]) + FAR;
        let middle = links(&[("eth0", 0), ("eth1", 1), ("lo", 0)]) + BORDER;
        let inner = links(&[("eth0", 1), ("lo", 1)]) + INNER;
        let mut mirror = Mirror::new(
            net,
            &[2, 3],
            [
                Place { config: &far, loopback: "10.255.0.4/32 2001:db8:ff::4/128" },
                Place { config: &middle, loopback: "10.255.0.1/32 2001:db8:ff::1/128" },
                Place { config: &inner, loopback: "10.255.0.5/32 2001:db8:ff::5/128" },
            ],
        )?;
        // FRR 10.3 says E of LSAs in an NSSA and P of translated ones of OSPFv3, and gives translated ones of OSPFv2 metrics of its own
        // (RFC 3101 §2.4, §3.2; RFC 5340 §A.4.1.1); the range that it gathers them in it tells in the NSSA, too.
        mirror.fields_left_out = &["options", "prefixOptions", "metric"];
        mirror.lines_left_out = &[
            "\"lsaType\":\"NSSA-LSA\",\"linkStateId\":\"203.0.113.0\"",
            "route 203.0.113.0/24",
            // The default route with a forwarding address, though nobody translates it.
            "\"prefix\":\"::\"",
        ];
        mirror.settled(
            "translated routes",
            &Expect {
                has: "203.0.113.0/24 198.51.100.0/24 172.16.1.0/24 \
                      2001:db8:e1:1::/64 2001:db8:e2:1::/64 2001:db8:e3::/64",
                lacks: "203.0.113.0/25 192.0.2.0/24 192.0.2.0/25",
            },
            &Expect { has: "10.255.0.4 172.16.1.0/24 2001:db8:ff::4", lacks: "" },
        )?;
        mirror.configure(&[
            "router ospf",
            "area 1 nssa default-information-originate metric 4 metric-type 1",
            "no area 1 nssa range 192.0.2.0/24 not-advertise",
            "area 1 nssa range 203.0.113.0/24 cost 99",
            "exit",
            "router ospf6",
            "area 1 nssa default-information-originate metric 4 metric-type 1",
        ])?;
        mirror.settled(
            "a default route in the area, other ranges",
            &Expect { has: "203.0.113.0/24 192.0.2.0/25", lacks: "" },
            &Expect { has: "0.0.0.0/0 ::/0 172.16.1.0/24", lacks: "" },
        )?;
        mirror.configure(&["router ospf", "area 1 nssa translate-never"])?;
        mirror.settled(
            "nothing is translated by version 2",
            &Expect {
                has: "172.16.1.0/24",
                lacks: "203.0.113.0/24 203.0.113.0/25 192.0.2.0/25 198.51.100.0/24",
            },
            &Expect::default(),
        )?;
        mirror.configure(&["router ospf", "area 1 nssa translate-always"])?;
        mirror.settled(
            "all is translated again",
            &Expect { has: "203.0.113.0/24 192.0.2.0/25 198.51.100.0/24", lacks: "" },
            &Expect::default(),
        )?;
        mirror.configure(&[
            "router ospf",
            "area 1 nssa suppress-fa",
            "area 1 nssa no-summary",
            "exit",
            "router ospf6",
            "area 1 nssa no-summary",
        ])?;
        mirror.settled(
            "no summaries in the area, no forwarding addresses outside of it",
            &Expect { has: "198.51.100.0/24", lacks: "" },
            &Expect { has: "0.0.0.0/0 ::/0", lacks: "10.255.0.4 2001:db8:ff::4" },
        )?;
        // FRR's ospf6d announces a range of an NSSA by chance, and once it is gone nothing in its place: this is asked of ours alone.
        let range =
            ["area 1 nssa range 2001:db8:e1::/48", "area 1 nssa range 2001:db8:e2::/48 not-advertise"];
        mirror.ours.middle.configure(&["router ospf6", range[0], range[1]])?;
        let gathered = Expect {
            has: "2001:db8:e1::/48 2001:db8:e3::/64",
            lacks: "2001:db8:e1:1::/64 2001:db8:e2::/48 2001:db8:e2:1::/64",
        };
        gathered.wait("ranges of version 3", &mirror.ours.far)?;
        mirror.ours.middle.configure(&["router ospf6", "no area 1 nssa range 2001:db8:e1::/48"])?;
        let single = Expect { has: "2001:db8:e1:1::/64 2001:db8:e1:2::/64", lacks: "2001:db8:e1::/48" };
        single.wait("one range less", &mirror.ours.far)
    });
}

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
