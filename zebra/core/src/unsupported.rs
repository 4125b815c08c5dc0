//! Commands that FRR's zebra has and this version refuses by name.

use ferrite_cli::Registry;
use ferrite_cli::node::{CONFIG, ENABLE, INTERFACE, VIEW, VRF};

use crate::commands::Show;
use crate::config::srv6::{FORMAT, SEGMENT_ROUTING, SRV6};
use crate::settings::Settings;

const LOOK: &[&str] = &[
    "show evpn",
    "show interface [IFNAME] nexthop-group",
    "show <ip|ipv6> import-check",
    "show ip neigh",
    "show <ip|ipv6> nht [<A.B.C.D|X:X::X:X|vrf NAME>] mrib",
    "show <ip|ipv6> <fib|route> [vrf NAME] table all",
    "show <ip|ipv6> <fib|route> [vrf NAME] table-direct",
    "show <ip|ipv6> <fib|route> [{mrib|vrf NAME}] nexthop-group",
    "show mpls",
    "show pbr",
    "show vrf [NAME] vni",
    "show debugging zebra",
    "show <ip|ipv6> fib [{mrib|vrf NAME}] <A.B.C.D|A.B.C.D/M|X:X::X:X|X:X::X:X/M>",
    "show zebra",
];

const DEBUG: &[&str] = &[
    "debug zebra <dplane|fpm|mlag|neigh|nexthop|pbr|pseudowires|srv6|tc|vxlan|evpn>",
    "debug zebra kernel msgdump",
    "debug zebra mpls detailed",
    "debug zebra nht detailed",
    "debug zebra rib detailed",
    "debug zebra packet <recv|send|detail>",
    "debug mgmt",
];

const CONFIGURE: &[&str] = &[
    "allow-external-route-update",
    "evpn",
    "mpls",
    "pbr",
    "pseudowire",
    "zebra dplane",
    "zebra on-rib-process",
    "zebra protodown",
];

pub(crate) fn register(registry: &mut Registry<Settings, Show>) {
    for syntax in LOOK {
        registry.refuse(&[&VIEW, &ENABLE], syntax);
    }
    registry.refuse(&[&ENABLE], "clear evpn");
    for syntax in DEBUG {
        registry.refuse_on(&[&ENABLE, &CONFIG], syntax);
    }
    // bgpd's in FRR; the interface's node is zebra's here.
    registry.refuse_on(&[&INTERFACE], "mpls bgp <forwarding|l3vpn-multi-domain-switching>");
    // Paths along label stacks, pathd's in FRR; ranges that identifiers are given out of, when a protocol asks.
    registry.refuse_on(&[&SEGMENT_ROUTING], "traffic-eng");
    // The source is the kernel's, set by generic netlink.
    registry.refuse_on(&[&SRV6], "encapsulation");
    registry.refuse_on(&[&FORMAT], "<local-id-block|wide-local-id-block|explicit>");
    registry.refuse_on(&[&CONFIG, &VRF], "vni");
    registry.refuse_on(&[&CONFIG, &VRF], "ip table range");
    for syntax in CONFIGURE {
        registry.refuse_on(&[&CONFIG], syntax);
    }
}
