//! The multicast families (RFC 4760): routes that multicast routing looks sources up in, beside FRR 10.3 and BIRD.

use std::time::Duration;

use serde_json::json;
use topotests::{Kind, Needs, Result, Router, ensure, json_contains, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

fn shows(router: &Router, command: &str, expected: &serde_json::Value) -> Result<()> {
    wait_until(PATIENCE, command, || json_contains(expected, &router.vtysh_json(command)?))
}

/// r2 (FRR) and r3 (BIRD) tell r1 (ours) multicast routes, which stay apart from the unicast ones of the same prefixes:
/// in the table, at zebra and towards the other side.
#[test]
fn multicast_routes_have_a_table_of_their_own() {
    run(&Needs::ours_and_peers(), |net| {
        let r1 = net.router("r1", Kind::Ours)?;
        let r2 = net.router("r2", Kind::Frr)?;
        let r3 = net.router("r3", Kind::Bird)?;
        net.link(&r1, "10.0.12.1/24", &r2, "10.0.12.2/24")?;
        net.link(&r1, "10.0.13.1/24", &r3, "10.0.13.3/24")?;
        r3.start(
            "router id 192.0.2.3;
protocol device {}
ipv4 table mtab;
protocol static fixed { ipv4; route 203.0.113.0/24 blackhole; }
protocol static sources { ipv4 { table mtab; }; route 198.51.103.0/24 blackhole; }
protocol bgp one {
 local as 65003; neighbor 10.0.13.1 as 65001; direct;
 ipv4 { import all; export all; next hop self; };
 ipv4 multicast { table mtab; import all; export all; next hop self; };
}
",
        )?;
        let frr = |lines: &str| {
            format!(
                "router bgp 65002\n bgp router-id 192.0.2.2\n no bgp ebgp-requires-policy\n \
             neighbor 10.0.12.1 remote-as 65001\n neighbor 10.0.12.1 timers connect 2\n{lines}exit\n"
            )
        };
        r2.start(&frr(" address-family ipv4 multicast\n  neighbor 10.0.12.1 activate\n \
              neighbor 10.0.12.1 soft-reconfiguration inbound\n exit-address-family\n \
              address-family ipv6 multicast\n  neighbor 10.0.12.1 activate\n exit-address-family\n"))?;
        r1.start(
            "ip prefix-list OUT seq 5 permit 198.51.0.0/16 le 24
route-map OUT permit 10
 match ip address prefix-list OUT
 set metric 77
exit
router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.12.2 remote-as 65002
 neighbor 10.0.12.2 timers connect 2
 neighbor 10.0.13.3 remote-as 65003
 neighbor 10.0.13.3 timers connect 2
 address-family ipv4 unicast
  network 203.0.112.0/24
 exit-address-family
 address-family ipv4 multicast
  network 198.51.101.0/24
  network 100.64.0.0/16
  neighbor 10.0.12.2 activate
  neighbor 10.0.12.2 route-map OUT out
  neighbor 10.0.13.3 activate
 exit-address-family
 address-family ipv6 multicast
  network 2001:db8:77::/48
  neighbor 10.0.12.2 activate
 exit-address-family
exit
",
        )?;
        r1.wait_bgp_established("10.0.12.2")?;
        r1.wait_bgp_established("10.0.13.3")?;
        // From BIRD over us to FRR, through the policy of the family.
        shows(
            &r2,
            "show bgp ipv4 multicast json",
            &json!({"routes": {
                "198.51.101.0/24": [{"valid": true, "metric": 77, "path": "65001"}],
                "198.51.103.0/24": [{"valid": true, "metric": 77, "path": "65001 65003"}],
                "100.64.0.0/16": null}}),
        )?;
        shows(
            &r1,
            "show bgp ipv4 multicast json",
            &json!({"routes": {"198.51.103.0/24": [{"bestpath": true, "path": "65003"}], "203.0.113.0/24": null,
                "100.64.0.0/16": [{"path": "", "origin": "IGP"}]}}),
        )?;
        shows(
            &r1,
            "show bgp ipv4 unicast json",
            &json!({"routes": {"203.0.113.0/24": [{}], "198.51.103.0/24": null}}),
        )?;
        shows(
            &r1,
            "show bgp summary json",
            &json!({"ipv4Multicast": {"peers": {"10.0.13.3": {"state": "Established", "pfxRcd": 1}, "10.0.12.2": {}}},
                "ipv6Multicast": {"peers": {"10.0.12.2": {"state": "Established", "pfxSnt": 1}}}}),
        )?;
        shows(
            &r1,
            "show bgp ipv4 multicast 198.51.103.0/24 json",
            &json!({"prefix": "198.51.103.0/24", "paths": [{"valid": true}]}),
        )?;
        shows(&r2, "show bgp ipv6 multicast json", &json!({"routes": {"2001:db8:77::/48": [{}]}}))?;
        // Zebra has them for look-ups; the kernel has not.
        shows(
            &r1,
            "show ip rpf json",
            &json!({"198.51.103.0/24": [{"protocol": "bgp", "distance": 20,
            "nexthops": [{"ip": "10.0.13.3", "fib": true}]}]}),
        )?;
        wait_until(PATIENCE, "the unicast route is forwarded by", || {
            r1.kernel_route_via("203.0.113.0/24", &["10.0.13.3"])
        })?;
        ensure!(r1.kernel_route("198.51.103.0/24").is_err(), "a multicast route is in the kernel");
        // A withdrawal goes the whole way.
        r3.run("birdc", &["disable", "sources"])?;
        shows(&r2, "show bgp ipv4 multicast json", &json!({"routes": {"198.51.103.0/24": null}}))?;
        shows(&r1, "show ip rpf json", &json!({"198.51.103.0/24": null}))?;
        // The neighbour asks for the family again, and we for its.
        let before = r2.vtysh_json("show bgp neighbors 10.0.12.1 json")?;
        ensure!(
            before["10.0.12.1"]["neighborCapabilities"]["multiprotocolExtensions"]["ipv4Multicast"]
                .is_object(),
            "the neighbour sees no multicast capability: {}",
            before["10.0.12.1"]["neighborCapabilities"]
        );
        r2.vtysh("clear bgp ipv4 multicast 10.0.12.1 soft in")?;
        r1.configure(&["router bgp 65001", "address-family ipv4 multicast", "network 198.51.107.0/24"])?;
        shows(
            &r2,
            "show bgp ipv4 multicast json",
            &json!({"routes": {"198.51.107.0/24": [{"metric": 77}]}}),
        )?;
        r1.configure(&["router bgp 65001", "address-family ipv4 multicast", "no network 198.51.107.0/24"])?;
        shows(&r2, "show bgp ipv4 multicast json", &json!({"routes": {"198.51.107.0/24": null}}))
    });
}
