//! `graceful-restart prepare …`: neighbours are told of a restart that is about to come (RFC 3623 §2.1).

use ferrite_cli::node::{ENABLE, VIEW};
use ferrite_cli::{CliError, ExecCommand};
use ferrite_ospf_packet::{Inet4, Inet6, V2, V3};
use ferrite_types::Timestamp;

use super::{Command, Commands, Kind};
use crate::{Action, Ospf, Roles};

pub fn register(registry: &mut Commands, roles: Roles) {
    let nodes = [&VIEW, &ENABLE];
    if roles.v2 {
        let help = ["Graceful restart commands", "Prepare a restart", "IP information", "OSPF"];
        registry.exec(
            ExecCommand::new("graceful-restart prepare ip ospf", &help, Command::Prepare(Kind::V2))
                .nodes(&nodes),
        );
    }
    if roles.v3 {
        let help = ["Graceful restart commands", "Prepare a restart", "IPv6 information", "OSPFv3"];
        registry.exec(
            ExecCommand::new("graceful-restart prepare ipv6 ospf", &help, Command::Prepare(Kind::V3))
                .nodes(&nodes),
        );
        let help = ["Graceful restart commands", "Prepare a restart", "IP information", "OSPFv3"];
        registry.exec(
            ExecCommand::new("graceful-restart prepare ip ospf6", &help, Command::Prepare(Kind::V3Ipv4))
                .nodes(&nodes),
        );
    }
}

pub fn run(ospf: &mut Ospf, now: Timestamp, kind: Kind, out: &mut Vec<Action>) -> Result<String, CliError> {
    let settings = &ospf.world.settings;
    let routers = match kind {
        Kind::V2 => &settings.v2,
        Kind::V3 => &settings.v3,
        Kind::V3Ipv4 => &settings.v3_ipv4,
    };
    if let Some(name) = routers.iter().find(|(_, router)| !router.restart.enabled).map(|(name, _)| name) {
        let vrf = name.vrf.as_deref().unwrap_or("default");
        return Err(CliError::refused(format!("Graceful Restart is not enabled (vrf {vrf})")));
    }
    match kind {
        Kind::V2 => ospf.prepare_restart::<V2>(now, out),
        Kind::V3 => ospf.prepare_restart::<V3<Inet6>>(now, out),
        Kind::V3Ipv4 => ospf.prepare_restart::<V3<Inet4>>(now, out),
    }
    Ok(String::new())
}
