//! `graceful-restart prepare …`: neighbours are told of a restart that is about to come (RFC 3623 §2.1).

use ferrite_cli::node::{ENABLE, VIEW};
use ferrite_cli::{CliError, ExecCommand};
use ferrite_types::Timestamp;

use super::{Command, Commands};
use crate::{Action, Ospf, Roles};

pub fn register(registry: &mut Commands, roles: Roles) {
    let nodes = [&VIEW, &ENABLE];
    if roles.v2 {
        let help = ["Graceful restart commands", "Prepare a restart", "IP information", "OSPF"];
        registry.exec(
            ExecCommand::new("graceful-restart prepare ip ospf", &help, Command::Prepare(2)).nodes(&nodes),
        );
    }
    if roles.v3 {
        let help = ["Graceful restart commands", "Prepare a restart", "IPv6 information", "OSPFv3"];
        registry.exec(
            ExecCommand::new("graceful-restart prepare ipv6 ospf", &help, Command::Prepare(3)).nodes(&nodes),
        );
    }
}

pub fn run(ospf: &mut Ospf, now: Timestamp, version: u8, out: &mut Vec<Action>) -> Result<String, CliError> {
    let settings = &ospf.world.settings;
    let routers = if version == 2 { &settings.v2 } else { &settings.v3 };
    if let Some(name) = routers.iter().find(|(_, router)| !router.restart.enabled).map(|(name, _)| name) {
        let vrf = name.vrf.as_deref().unwrap_or("default");
        return Err(CliError::refused(format!("Graceful Restart is not enabled (vrf {vrf})")));
    }
    ospf.prepare_restart(version, now, out);
    Ok(String::new())
}
