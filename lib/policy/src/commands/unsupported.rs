//! Clauses of FRR's route maps that this version knows by name and refuses: a map that relies on one of them must not load
//! as if nothing were missing.

use ferrite_cli::node::{CONFIG, ENABLE, ROUTE_MAP, VIEW};
use ferrite_cli::{CliError, ConfigCommand, Edit, Negation, Registry};

const CLAUSES: &[&str] = &[
    "match evpn",
    "match mac address",
    "match script",
    "match source-vrf",
    "set evpn gateway-ip",
    "set forwarding-address",
    "set ipv4 vpn next-hop",
    "set ipv6 vpn next-hop",
    "set l3vpn next-hop encapsulation",
    "set label-index",
    "set sr-te color",
];

const HELP: &str = "Not supported by this version";

pub(super) fn register<C: 'static, H>(registry: &mut Registry<C, H>) {
    for words in CLAUSES {
        let tokens = words.split(' ').count() + 1;
        let reason = format!("{words} is not supported by this version");
        let refuse = move |_: &mut C, _: &Edit<'_>| Err(CliError::refused(reason.clone()));
        let command =
            ConfigCommand::new(&[&ROUTE_MAP], format!("{words} [LINE...]"), &vec![HELP; tokens], refuse);
        registry.command(command.no(Negation::Never).hidden());
        // It is not there: removing it is done.
        let removed = |_: &mut C, _: &Edit<'_>| Ok(());
        let syntax = format!("no {words} [LINE...]");
        let command = ConfigCommand::new(&[&ROUTE_MAP], syntax, &vec![HELP; tokens + 1], removed);
        registry.command(command.no(Negation::Never).hidden());
    }
    registry.refuse_on(&[&CONFIG], "mac access-list");
    registry.refuse(&[&VIEW, &ENABLE], "show mac access-list");
    registry.refuse(&[&VIEW, &ENABLE], "show route-map-unused");
}
