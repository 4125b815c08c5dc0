//! What a border router lets by: ranges, lists of every kind, gathered external routes, the default route, in both versions, ours beside
//! FRR's in the same network; and what becomes of it when a list or a line changes.

use topotests::{Needs, run};

use super::mirror::{Expect, Mirror, Place, links};

const FAR: &str = "router ospf
 ospf router-id 4.4.4.4
exit
router ospf6
 ospf6 router-id 4.4.4.4
exit
";

const INNER: &str = "router ospf
 ospf router-id 5.5.5.5
exit
router ospf6
 ospf6 router-id 5.5.5.5
exit
";

const LISTS: &str = "ip prefix-list OUT seq 5 deny 10.20.0.1/32
ip prefix-list OUT seq 10 permit any
ip prefix-list IN seq 5 deny 10.101.0.1/32
ip prefix-list IN seq 6 deny 10.100.0.0/16
ip prefix-list IN seq 10 permit any
ipv6 prefix-list OUT6 seq 5 deny 2001:db8:20::1/128
ipv6 prefix-list OUT6 seq 10 permit any
ipv6 prefix-list IN6 seq 5 deny 2001:db8:101::1/128
ipv6 prefix-list IN6 seq 6 deny 2001:db8:100::/48
ipv6 prefix-list IN6 seq 10 permit any
access-list EX seq 5 deny 10.21.0.0/16
access-list EX seq 10 permit any
access-list IM seq 5 deny 10.102.0.0/16
access-list IM seq 10 permit any
ipv6 access-list EX6 seq 5 deny 2001:db8:21::/48
ipv6 access-list EX6 seq 10 permit any
ipv6 access-list IM6 seq 5 deny 2001:db8:102::/48
ipv6 access-list IM6 seq 10 permit any
";

const BORDER: &str = "router ospf
 ospf router-id 1.1.1.1
 area 1 range 10.16.0.0/16
 area 1 range 10.17.0.0/16 not-advertise
 area 1 range 10.18.0.0/16 cost 77
 area 1 range 10.19.0.0/16 substitute 10.119.0.0/16
 area 0 range 10.100.0.0/16
 area 1 filter-list prefix OUT out
 area 1 filter-list prefix IN in
 area 1 export-list EX
 area 1 import-list IM
exit
router ospf6
 ospf6 router-id 1.1.1.1
 area 1 range 2001:db8:16::/48
 area 1 range 2001:db8:17::/48 not-advertise
 area 1 range 2001:db8:18::/48 cost 77
 area 0 range 2001:db8:100::/48
 area 1 filter-list prefix OUT6 out
 area 1 filter-list prefix IN6 in
 area 1 export-list EX6
 area 1 import-list IM6
exit
";

/// Addresses of the inner router (area 1) and of the far one (backbone).
const INNER_LO: &str = "10.16.0.1/32 10.16.0.2/32 10.17.0.1/32 10.18.0.1/32 10.19.0.1/32 10.20.0.1/32 10.21.0.1/32 10.22.0.1/32 \
 2001:db8:16::1/128 2001:db8:16::2/128 2001:db8:17::1/128 2001:db8:18::1/128 2001:db8:20::1/128 2001:db8:21::1/128 2001:db8:22::1/128";
const FAR_LO: &str = "10.100.0.1/32 10.100.0.2/32 10.101.0.1/32 10.102.0.1/32 10.103.0.1/32 \
 2001:db8:100::1/128 2001:db8:100::2/128 2001:db8:101::1/128 2001:db8:102::1/128 2001:db8:103::1/128";
const MIDDLE_LO: &str = "10.255.0.1/32 2001:db8:ff::1/128";

fn network(net: &mut topotests::Net, before: &str, border: &str) -> topotests::Result<Mirror> {
    let far = links(&[("eth0", 0), ("lo", 0)]) + FAR;
    let middle = before.to_owned() + &links(&[("eth0", 0), ("eth1", 1), ("lo", 0)]) + border;
    let inner = links(&[("eth0", 1), ("lo", 1)]) + INNER;
    let mirror = Mirror::new(
        net,
        &[2, 3],
        [
            Place { config: &far, loopback: FAR_LO },
            Place { config: &middle, loopback: MIDDLE_LO },
            Place { config: &inner, loopback: INNER_LO },
        ],
    )?;
    Ok(mirror)
}

#[test]
fn ranges_and_lists_between_areas_are_frrs_before_and_after_they_change() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let mirror = network(net, LISTS, BORDER)?;
        mirror.settled(
            "ranges and lists",
            &Expect {
                has: "10.16.0.0/16 10.18.0.0/16 10.119.0.0/16 10.22.0.1 2001:db8:16::/48 2001:db8:18::/48 2001:db8:22::1",
                lacks: "10.16.0.1 10.17.0.0/16 10.17.0.1 10.18.0.1 10.19.0.1 10.20.0.1 10.21.0.1 \
                        2001:db8:16::1 2001:db8:17::/48 2001:db8:17::1 2001:db8:20::1 2001:db8:21::1",
            },
            &Expect {
                has: "10.100.0.0/16 10.103.0.1 10.255.0.1 2001:db8:100::/48 2001:db8:103::1",
                lacks: "10.100.0.1 10.101.0.1 10.102.0.1 2001:db8:100::1 2001:db8:101::1 2001:db8:102::1",
            },
        )?;
        // The lists change, the lines that name them do not.
        mirror.configure(&[
            "no ip prefix-list OUT seq 5",
            "ip prefix-list IN seq 6 deny 10.100.0.0/16 le 32",
            "no ipv6 prefix-list OUT6 seq 5",
            // Of a range FRR's ospf6d asks no list.
            "ipv6 prefix-list IN6 seq 6 deny 2001:db8:ff::1/128",
            "no access-list EX seq 5 deny 10.21.0.0/16",
            "access-list IM seq 6 deny 10.103.0.0/16",
            "no ipv6 access-list EX6 seq 5 deny 2001:db8:21::/48",
            "ipv6 access-list IM6 seq 6 deny 2001:db8:103::/48",
        ])?;
        mirror.settled(
            "changed lists",
            &Expect { has: "10.20.0.1 10.21.0.1 2001:db8:20::1 2001:db8:21::1", lacks: "10.17.0.1" },
            &Expect {
                has: "10.255.0.1",
                lacks: "10.100.0.0/16 10.101.0.1 10.102.0.1 10.103.0.1 2001:db8:ff::1 2001:db8:103::1",
            },
        )?;
        // Ranges change their kind, and go.
        mirror.configure(&[
            "router ospf",
            "area 1 range 10.16.0.0/16 not-advertise",
            "no area 1 range 10.17.0.0/16",
            "area 1 range 10.18.0.0/16 cost 5",
            "no area 1 range 10.19.0.0/16 substitute 10.119.0.0/16",
            "exit",
            "router ospf6",
            "area 1 range 2001:db8:16::/48 not-advertise",
            "no area 1 range 2001:db8:17::/48",
            "area 1 range 2001:db8:18::/48 cost 5",
        ])?;
        mirror.settled(
            "changed ranges",
            &Expect {
                has: "10.17.0.1 10.18.0.0/16 10.19.0.0/16 2001:db8:17::1 2001:db8:18::/48",
                lacks: "10.16.0.0/16 10.16.0.1 10.119.0.0/16 10.19.0.1 2001:db8:16::/48 2001:db8:16::1",
            },
            &Expect::default(),
        )?;
        // All is taken back.
        mirror.configure(&[
            "router ospf",
            "no area 1 filter-list prefix IN in",
            "no area 1 filter-list prefix OUT out",
            "no area 1 import-list IM",
            "no area 1 export-list EX",
            "no area 1 range 10.16.0.0/16",
            "no area 1 range 10.18.0.0/16",
            "no area 1 range 10.19.0.0/16",
            "no area 0 range 10.100.0.0/16",
            "exit",
            "router ospf6",
            "no area 1 filter-list prefix IN6 in",
            "no area 1 filter-list prefix OUT6 out",
            "no area 1 import-list IM6",
            "no area 1 export-list EX6",
            "no area 1 range 2001:db8:16::/48",
            "no area 1 range 2001:db8:18::/48",
            "no area 0 range 2001:db8:100::/48",
        ])?;
        mirror.settled(
            "nothing kept back",
            &Expect {
                has: "10.16.0.1 10.18.0.1 10.19.0.1 2001:db8:16::1 2001:db8:18::1",
                lacks: "10.16.0.0/16",
            },
            &Expect { has: "10.100.0.1 10.102.0.1 10.103.0.1 2001:db8:100::1 2001:db8:103::1", lacks: "" },
        )
    });
}

const STATICS: &str = "ip route 0.0.0.0/0 blackhole
ip route 192.0.2.0/25 blackhole
ip route 192.0.2.128/25 blackhole
ip route 198.51.100.0/25 blackhole
ip route 198.51.100.128/25 blackhole
ip route 203.0.113.0/25 blackhole
ip route 203.0.113.128/25 blackhole
ip route 172.16.1.0/24 blackhole
ipv6 route ::/0 blackhole
ipv6 route 2001:db8:a1:1::/64 blackhole
ipv6 route 2001:db8:a1:2::/64 blackhole
ipv6 route 2001:db8:a2:1::/64 blackhole
ipv6 route 2001:db8:a3:1::/64 blackhole
ipv6 route 2001:db8:a4::/64 blackhole
";

const OUTSIDE: &str = "router ospf
 ospf router-id 1.1.1.1
 redistribute static metric 30
 redistribute table-direct
 default-information originate metric 12 metric-type 1
 aggregation timer 5
 summary-address 192.0.2.0/24
 summary-address 198.51.100.0/24 tag 55
 summary-address 203.0.113.0/24 no-advertise
exit
router ospf6
 ospf6 router-id 1.1.1.1
 redistribute static metric 30
 redistribute table
 default-information originate metric 12 metric-type 1
 aggregation timer 5
 summary-address 2001:db8:a1::/48 tag 55 metric 33 metric-type 1
 summary-address 2001:db8:a2::/48
 summary-address 2001:db8:a3::/48 no-advertise
exit
";

#[test]
fn external_routes_are_gathered_and_the_default_announced_as_frr_does() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let mirror = network(net, STATICS, OUTSIDE)?;
        mirror.settled(
            "gathered routes",
            &Expect {
                has: "0.0.0.0/0 192.0.2.0/24 198.51.100.0/24 172.16.1.0/24 \
                      ::/0 2001:db8:a1::/48 2001:db8:a2::/48 2001:db8:a4::/64",
                lacks: "192.0.2.0/25 198.51.100.0/25 203.0.113.0/25 203.0.113.0/24 \
                        2001:db8:a1:1::/64 2001:db8:a2:1::/64 2001:db8:a3:1::/64 2001:db8:a3::/48",
            },
            &Expect { has: "0.0.0.0/0 192.0.2.0/24 ::/0 2001:db8:a1::/48", lacks: "" },
        )?;
        // The last route of a range goes, a range changes its terms, one goes, one comes.
        mirror.configure(&[
            "no ip route 192.0.2.0/25 blackhole",
            "no ip route 192.0.2.128/25 blackhole",
            "no ipv6 route 2001:db8:a2:1::/64 blackhole",
            "router ospf",
            "summary-address 198.51.100.0/24 tag 66",
            "no summary-address 203.0.113.0/24",
            "summary-address 172.16.0.0/16",
            "default-metric 44",
            "exit",
            "router ospf6",
            "summary-address 2001:db8:a1::/48 tag 66 metric 44",
            "no summary-address 2001:db8:a3::/48",
            "exit",
        ])?;
        mirror.settled(
            "other ranges",
            &Expect {
                has: "198.51.100.0/24 203.0.113.0/25 203.0.113.128/25 172.16.0.0/16 2001:db8:a1::/48 2001:db8:a3:1::/64",
                lacks: "192.0.2.0/24 172.16.1.0/24 2001:db8:a2::/48",
            },
            &Expect::default(),
        )?;
        // The default route is announced as long as there is one.
        mirror.configure(&["no ip route 0.0.0.0/0 blackhole", "no ipv6 route ::/0 blackhole"])?;
        mirror.settled(
            "without a default route",
            &Expect { has: "198.51.100.0/24", lacks: "0.0.0.0/0 ::/0" },
            &Expect::default(),
        )?;
        mirror.configure(&[
            "router ospf",
            "default-information originate always",
            "no summary-address 198.51.100.0/24",
            "exit",
            "router ospf6",
            "default-information originate always",
            "no summary-address 2001:db8:a1::/48",
            "exit",
        ])?;
        mirror.settled(
            "always a default route",
            &Expect {
                has: "0.0.0.0/0 ::/0 198.51.100.0/25 198.51.100.128/25 2001:db8:a1:1::/64 2001:db8:a1:2::/64",
                lacks: "198.51.100.0/24 2001:db8:a1::/48",
            },
            &Expect::default(),
        )
    });
}
