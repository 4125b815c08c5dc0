//! Commands of FRR's bgpd that this version knows by name and refuses: a configuration that relies on one of them must not
//! load as if nothing were missing. What FRR has and stands neither here nor elsewhere is an unknown command.

use ferrite_cli::node::CONFIG;
use ferrite_cli::{CliError, ConfigCommand, Edit, Negation, Node, Registry};

use super::{BGP_IPV4, BGP_IPV6, BgpConfig, NO_HELP, ROUTER_BGP};

/// What is refused of a command whose feature is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refuse {
    /// To switch it on; it is off, so `no` says nothing new.
    On,
    /// To switch it off, or what depends on it; FRR's default is on and makes no difference without the feature.
    Off,
}
use Refuse::{Off, On};

const HELP: &str = "Not supported by this version";

/// Right under `configure terminal`.
const IN_CONFIG: &[(&str, Refuse)] = &[("bgp send-extra-data zebra", On), ("bgp snmp traps", On)];

/// Under `router bgp`.
const IN_ROUTER: &[(&str, Refuse)] = &[
    ("address-family ipv4 flowspec", On),
    ("address-family ipv4 labeled-unicast", On),
    ("address-family ipv4 vpn", On),
    ("address-family ipv6 flowspec", On),
    ("address-family ipv6 labeled-unicast", On),
    ("address-family ipv6 vpn", On),
    ("address-family l2vpn evpn", On),
    ("bgp default ipv4-flowspec", On),
    ("bgp default ipv4-labeled-unicast", On),
    ("bgp default ipv4-vpn", On),
    ("bgp default ipv6-flowspec", On),
    ("bgp default ipv6-labeled-unicast", On),
    ("bgp default ipv6-vpn", On),
    ("bgp default l2vpn-evpn", On),
    ("bgp default show-nexthop-hostname", On),
    ("bgp labeled-unicast", On),
    ("segment-routing srv6", On),
    ("sid vpn", On),
    ("vnc", On),
    ("vrf-policy", On),
];

/// Under `address-family ipv4|ipv6 unicast`.
const IN_FAMILY: &[(&str, Refuse)] = &[
    ("export vpn", On),
    ("import vpn", On),
    ("import vrf", On),
    ("label vpn", On),
    ("nexthop vpn", On),
    ("rd vpn", On),
    ("redistribute vnc", On),
    ("redistribute vnc-direct", On),
    ("route-map vpn", On),
    ("route-target", On),
    ("rt", On),
    ("sid vpn", On),
];

/// After `neighbor X`, under `router bgp`.
const OF_NEIGHBOR: &[(&str, Refuse)] = &[("bfd", On)];

const NEIGHBOR: &str = "neighbor <A.B.C.D|X:X::X:X|WORD>";
/// Keyword and three alternatives.
const NEIGHBOR_TOKENS: usize = 4;

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    for (words, refuse) in IN_CONFIG {
        add(registry, &[&CONFIG], "", words, *refuse);
    }
    for (words, refuse) in IN_ROUTER {
        add(registry, &[&ROUTER_BGP], "", words, *refuse);
    }
    for (words, refuse) in IN_FAMILY {
        add(registry, &[&BGP_IPV4, &BGP_IPV6], "", words, *refuse);
    }
    for (words, refuse) in OF_NEIGHBOR {
        add(registry, &[&ROUTER_BGP], NEIGHBOR, words, *refuse);
    }
    // Relics that FRR still takes and that say nothing.
    for words in ["auto-summary", "synchronization"] {
        let command =
            ConfigCommand::new(&[&ROUTER_BGP], format!("no {words}"), &[NO_HELP, HELP], |_, _| Ok(()));
        registry.command(command.no(Negation::Never).hidden());
    }
}

/// One command with anything behind it, and its `no`.
fn add<H>(
    registry: &mut Registry<BgpConfig, H>,
    nodes: &[&'static Node],
    before: &str,
    words: &'static str,
    refuse: Refuse,
) {
    let shown = if before.is_empty() { words.to_owned() } else { format!("neighbor {words}") };
    let answer = move |negated: bool| {
        let reason = format!("{}{shown} is not supported by this version", if negated { "no " } else { "" });
        move |_: &mut BgpConfig, _: &Edit<'_>| {
            if negated == (refuse == Off) { Err(CliError::refused(reason.clone())) } else { Ok(()) }
        }
    };
    let syntax = format!("{before} {words} [LINE...]").trim_start().to_owned();
    let tokens = words.split(' ').count() + 1 + if before.is_empty() { 0 } else { NEIGHBOR_TOKENS };
    let help = vec![HELP; tokens];
    let command = ConfigCommand::new(nodes, syntax.clone(), &help, answer(false));
    registry.command(command.no(Negation::Never).hidden());
    let help = vec![HELP; tokens + 1];
    let command = ConfigCommand::new(nodes, format!("no {syntax}"), &help, answer(true));
    registry.command(command.no(Negation::Never).hidden());
}
