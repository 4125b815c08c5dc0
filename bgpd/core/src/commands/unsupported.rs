//! Commands outside configuration that FRR's bgpd has and this version refuses by name: address families that it does not
//! speak, and the parts of FRR's own making.

use ferrite_cli::Registry;
use ferrite_cli::node::{CONFIG, ENABLE, VIEW};

use super::Command;
use crate::config::BgpConfig;
use crate::config::rpki::{RPKI, RPKI_VRF};

/// Shows.
const LOOK: &[&str] = &[
    // Families.
    "show [ip] bgp [<view|vrf> VIEWVRFNAME] <ipv4|ipv6> <vpn|labeled-unicast|flowspec>",
    "show [ip] bgp [<view|vrf> VIEWVRFNAME] l2vpn evpn",
    "show [ip] bgp <multicast|vpn> paths",
    "show bgp [vrf VRFNAME] vni",
    "show bgp mac hash",
    "show bgp labelpool",
    "show bgp [<view|vrf> VIEWVRFNAME] <label-nexthop|mplsvpn-nh-label-bind>",
    "show [ip] bgp [<view|vrf> VIEWVRFNAME] [<ipv4|ipv6> [<unicast|multicast>]] route-leak",
    "show bgp segment-routing",
    "show vnc",
    // How FRR keeps attributes, peers and queues in memory.
    "show [ip] bgp [unicast] paths",
    "show [ip] bgp <attribute-info|community-info|large-community-info>",
    "show bgp <listeners|peerhash>",
    "show [ip] bgp [<view|vrf> VIEWVRFNAME] update-groups statistics",
    "show [ip] bgp [<view|vrf> VIEWVRFNAME] [<ipv4|ipv6> [unicast]] update-groups [SUBGROUP-ID] <advertise-queue|advertised-routes|packet-queue>",
    "show debugging bgp",
    "show [ip] bgp [<view|vrf> VIEWVRFNAME] import-check-table",
    "show bgp [<view|vrf> VIEWVRFNAME] martian",
    "show [ip] bgp views",
    "show [ip] bgp vrfs VRFNAME",
    // Both families in one answer; without a family the shows of neighbours have both already.
    "show [ip] bgp [<view|vrf> VIEWVRFNAME] [<ipv4|ipv6> [unicast]] all",
];

/// Changes.
const ACT: &[&str] = &[
    "clear [ip] bgp [<view|vrf> VIEWVRFNAME] <ipv4|ipv6> <vpn|labeled-unicast|flowspec>",
    "clear [ip] bgp [<view|vrf> VIEWVRFNAME] l2vpn",
    "clear [ip] bgp [<view|vrf> VIEWVRFNAME] <ipv4|ipv6> evpn",
    "clear [ip] bgp [<view|vrf> VIEWVRFNAME] [<ipv4|ipv6> [<unicast|multicast>]] prefix",
    "clear [ip] bgp [<view|vrf> VIEWVRFNAME] [<ipv4|ipv6> [unicast]] <*|external|ASNUM|peer-group PGNAME|A.B.C.D|X:X::X:X|WORD> <message-stats|capabilities>",
    "no debug bgp",
    "clear vnc",
    "clear vrf",
    "add <vnc|vrf>",
];

/// What FRR's `debug` tells and our log lines do not.
const DEBUG: &[&str] = &[
    "debug bgp <as4|update-groups|bestpath|aggregate|vpn|labelpool|pbr|evpn|bfd|conditional-advertisement|flowspec|vnc>",
    "debug bgp <keepalives|neighbor-events> <A.B.C.D|X:X::X:X|WORD>",
    "debug bgp updates <in|out> <A.B.C.D|X:X::X:X|WORD>",
    "debug bgp updates prefix",
    "debug bgp zebra prefix",
    "debug all bgp vnc",
];

pub(super) fn register(registry: &mut Registry<BgpConfig, Command>) {
    for syntax in LOOK {
        registry.refuse(&[&VIEW, &ENABLE], syntax);
    }
    for syntax in ACT {
        registry.refuse(&[&ENABLE], syntax);
    }
    for syntax in DEBUG {
        registry.refuse_on(&[&ENABLE, &CONFIG], syntax);
    }
    registry.refuse(&[&CONFIG], "no debug bgp");
    // What resets is no configuration: `rpki reset` outside of it does.
    registry.refuse(&[&RPKI, &RPKI_VRF], "rpki reset");
}
