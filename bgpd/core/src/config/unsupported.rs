//! Commands of FRR's bgpd that this version knows by name and refuses: a configuration that relies on one of them must not
//! load as if nothing were missing. What FRR has and stands neither here nor elsewhere is an unknown command.

use ferrite_cli::node::CONFIG;
use ferrite_cli::{ConfigCommand, Negation, Registry};

use super::bmp::BMP;
use super::{BGP_IPV4, BGP_IPV6, BgpConfig, NO_HELP, ROUTER_BGP};

/// Right under `configure terminal`.
const IN_CONFIG: &[&str] = &["bgp send-extra-data zebra", "bgp snmp traps"];

/// Under `router bgp`.
const IN_ROUTER: &[&str] = &[
    "address-family ipv4 flowspec",
    "address-family ipv4 labeled-unicast",
    "address-family ipv4 vpn",
    "address-family ipv6 flowspec",
    "address-family ipv6 labeled-unicast",
    "address-family ipv6 vpn",
    "address-family l2vpn evpn",
    "bgp default ipv4-flowspec",
    "bgp default ipv4-labeled-unicast",
    "bgp default ipv4-vpn",
    "bgp default ipv6-flowspec",
    "bgp default ipv6-labeled-unicast",
    "bgp default ipv6-vpn",
    "bgp default l2vpn-evpn",
    "bgp default show-nexthop-hostname",
    "bgp labeled-unicast",
    "rd",
    "segment-routing srv6",
    "sid vpn",
    "vnc",
    "vrf-policy",
];

/// Under `address-family ipv4|ipv6 unicast`.
const IN_FAMILY: &[&str] = &[
    "export vpn",
    "import vpn",
    "import vrf",
    "label vpn",
    "nexthop vpn",
    "rd vpn",
    "redistribute vnc",
    "redistribute vnc-direct",
    "route-map vpn",
    "route-target",
    "route-target6",
    "rt",
    "rt6",
    "sid vpn",
];

/// After `neighbor X`, under `router bgp`.
const OF_NEIGHBOR: &[&str] = &["bfd"];

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    for words in IN_CONFIG {
        registry.refuse_on(&[&CONFIG], words);
    }
    for words in IN_ROUTER {
        registry.refuse_on(&[&ROUTER_BGP], words);
    }
    for words in IN_FAMILY {
        registry.refuse_on(&[&BGP_IPV4, &BGP_IPV6], words);
    }
    for words in OF_NEIGHBOR {
        registry.refuse_on(&[&ROUTER_BGP], &format!("neighbor <A.B.C.D|X:X::X:X|WORD> {words}"));
    }
    for rest in ["", " route-map WORD"] {
        let syntax = format!("network <A.B.C.D/M|A.B.C.D|X:X::X:X/M>{rest} label-index");
        registry.refuse_on(&[&ROUTER_BGP, &BGP_IPV4, &BGP_IPV6], &syntax);
    }
    for families in ["<ipv4|ipv6|l2vpn> <evpn|vpn>", "l2vpn <unicast|multicast>"] {
        registry.refuse_on(&[&BMP], &format!("bmp monitor {families}"));
    }
    // Relics that FRR still takes and that say nothing.
    for words in ["auto-summary", "synchronization"] {
        let command =
            ConfigCommand::new(&[&ROUTER_BGP], format!("no {words}"), &[NO_HELP, ""], |_, _| Ok(()));
        registry.command(command.no(Negation::Never).hidden());
    }
}
