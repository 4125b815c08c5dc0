//! `neighbor IFNAME interface …`: a neighbour that is known by the link it is on, not by an address (RFC 8950 and RFC 4861
//! let both ends find and use each other without one being configured). Every other command takes the interface's name
//! where it takes an address.
//!
//! `neighbor ADDRESS interface IFNAME` says which link a link-local address is on; it is a row of [`super::session`].

use ferrite_cli::{CliError, ConfigCommand, Edit, Negation, Registry};

use super::name::NeighborName;
use super::neighbors::{interface_neighbor, remove_interface_neighbor};
use super::types::GroupName;
use super::{BgpConfig, NO_HELP, ROUTER_BGP};

const HELP: [&str; 3] = ["Specify neighbor router", "Interface name", "Enable BGP on interface"];
const V6ONLY: &str = "Enable BGP with v6 link-local only";
const REMOTE_AS: [&str; 5] = [
    "Specify a BGP neighbor",
    "AS of remote neighbor",
    "Internal BGP peer",
    "External BGP peer",
    "Automatically detect remote ASN",
];
const GROUP: [&str; 2] = ["Member of the peer-group", "Peer-group name"];

fn make(config: &mut BgpConfig, edit: &Edit<'_>) -> Result<(), CliError> {
    let args = edit.args;
    let name = NeighborName::read(args.get("neighbor").unwrap_or_default());
    let remote = args.parse_opt("remote")?;
    let group = args.get("group").map(GroupName::new);
    interface_neighbor(config.router(edit.context)?, name, args.has("v6only"), group, remote)
}

fn remove(config: &mut BgpConfig, edit: &Edit<'_>) -> Result<(), CliError> {
    let name = NeighborName::read(edit.args.get("neighbor").unwrap_or_default());
    remove_interface_neighbor(config.router(edit.context)?, &name)
}

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    let with = |more: &[&'static str]| -> Vec<&'static str> {
        HELP.iter().chain([&V6ONLY]).chain(more).copied().collect()
    };
    registry.command(
        ConfigCommand::new(
            &[&ROUTER_BGP],
            "neighbor WORD$neighbor interface [v6only$v6only] [peer-group PGNAME$group]",
            &with(&GROUP),
            make,
        )
        .no(Negation::Never)
        .example("neighbor eth0 interface")
        .example("neighbor eth0 interface v6only"),
    );
    registry.command(
        ConfigCommand::new(
            &[&ROUTER_BGP],
            "neighbor WORD$neighbor interface [v6only$v6only] remote-as <ASNUM|internal|external|auto>$remote",
            &with(&REMOTE_AS),
            make,
        )
        .no(Negation::Never)
        .example("neighbor eth0 interface remote-as external")
        .example("neighbor eth0 interface v6only remote-as 65002"),
    );
    let help: Vec<&'static str> = [NO_HELP].into_iter().chain(with(&GROUP)).chain(REMOTE_AS).collect();
    registry.command(
        ConfigCommand::new(
            &[&ROUTER_BGP],
            "no neighbor WORD$neighbor interface [v6only$v6only] [peer-group PGNAME$group] \
             [remote-as <ASNUM|internal|external|auto>$remote]",
            &help,
            remove,
        )
        .no(Negation::Never),
    );
}
