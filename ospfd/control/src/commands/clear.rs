//! `clear ip ospf …`, `clear ipv6 ospf6 …`: processes, interfaces and neighbours begin anew.

use ferrite_cli::{Args, CliError, ExecCommand};
use ferrite_ospf::{Event, IfId};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use super::{Command, Commands};
use crate::process::{Flavor, Process};
use crate::show::{Scope, help};
use crate::{Action, Ospf, Roles};

/// What begins anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Process,
    Interface,
    Neighbor,
    /// Packets whose authentication did not fit.
    AuthCounters,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clear {
    what: What,
    version: u8,
}

pub fn register(registry: &mut Commands, roles: Roles) {
    let mut add = |syntax: &str, version, what| {
        let clear = Command::Clear(Clear { what, version });
        registry.exec(ExecCommand::new(syntax, &help::texts(syntax), clear).privileged());
    };
    if roles.v2 {
        add("clear ip ospf [(1-65535)$instance] process", 2, What::Process);
        add("clear ip ospf vrf NAME$vrf_name process", 2, What::Process);
        add("clear ip ospf [(1-65535)$instance] neighbor [A.B.C.D$rid]", 2, What::Neighbor);
        add("clear ip ospf [vrf NAME$vrf_name] interface [IFNAME$ifname]", 2, What::Interface);
    }
    if roles.v3 {
        add("clear ipv6 ospf6 process [vrf NAME$vrf_name]", 3, What::Process);
        add(
            "clear ipv6 ospf6 [vrf NAME$vrf_name] auth-counters interface [IFNAME$ifname]",
            3,
            What::AuthCounters,
        );
        add("clear ipv6 ospf6 [vrf NAME$vrf_name] interface [IFNAME$ifname]", 3, What::Interface);
    }
}

/// The events that a line means for a process.
fn events<V: Flavor>(process: &Process<V>, what: What, args: &Args) -> Result<Vec<Event>, CliError> {
    Ok(match what {
        What::Process => vec![Event::ClearProcess],
        What::Neighbor => vec![Event::ClearNeighbors(args.parse_opt("rid")?.map(RouterId))],
        What::Interface | What::AuthCounters => {
            let name = args.get("ifname");
            let links = process.links.iter();
            let named = links.filter(|(_, link)| name.is_none_or(|name| name == link.interface.name));
            let event = |(id, _): (&IfId, _)| match what {
                What::AuthCounters => Event::ClearAuthCounters(*id),
                _ => Event::ClearInterface(*id),
            };
            named.map(event).collect()
        }
    })
}

pub fn run(
    ospf: &mut Ospf,
    now: Timestamp,
    clear: Clear,
    args: &Args,
    out: &mut Vec<Action>,
) -> Result<String, CliError> {
    let scope = Scope::of(args);
    let Ospf { world, v2, v3, .. } = ospf;
    match clear.version {
        2 => {
            for process in v2.values_mut().filter(|process| scope.holds(process)) {
                for event in events(process, clear.what, args)? {
                    process.tell_core(world, now, event, out);
                }
            }
        }
        _ => {
            for process in v3.values_mut().filter(|process| scope.holds(process)) {
                for event in events(process, clear.what, args)? {
                    process.tell_core(world, now, event, out);
                }
            }
        }
    }
    ospf.refresh();
    Ok(String::new())
}
