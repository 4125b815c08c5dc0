//! `clear ip ospf …`, `clear ipv6 ospf6 …`, `clear ip ospf6 …`: processes, interfaces and neighbours begin anew.

use ferrite_cli::{Args, CliError, ExecCommand};
use ferrite_ospf::{Event, IfId};
use ferrite_ospf_packet::{Inet4, Inet6, V2, V3};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use super::{Command, Commands, Kind};
use crate::process::{Flavor, HasProcesses, Process};
use crate::settings::Configured;
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
    kind: Kind,
}

pub fn register(registry: &mut Commands, roles: Roles) {
    let mut add = |syntax: &str, kind, what| {
        let clear = Command::Clear(Clear { what, kind });
        registry.exec(ExecCommand::new(syntax, &help::texts(syntax), clear).privileged());
    };
    if roles.v2 {
        add("clear ip ospf [(1-65535)$instance] process", Kind::V2, What::Process);
        add("clear ip ospf vrf NAME$vrf_name process", Kind::V2, What::Process);
        add("clear ip ospf [(1-65535)$instance] neighbor [A.B.C.D$rid]", Kind::V2, What::Neighbor);
        add("clear ip ospf [vrf NAME$vrf_name] interface [IFNAME$ifname]", Kind::V2, What::Interface);
    }
    if roles.v3 {
        for (word, kind) in [(Inet6::WORD, Kind::V3), (Inet4::WORD, Kind::V3Ipv4)] {
            let interface = "interface [IFNAME$ifname]";
            let vrf = "[vrf NAME$vrf_name]";
            add(&format!("clear {word} ospf6 process {vrf}"), kind, What::Process);
            add(&format!("clear {word} ospf6 {vrf} auth-counters {interface}"), kind, What::AuthCounters);
            add(&format!("clear {word} ospf6 {vrf} {interface}"), kind, What::Interface);
        }
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
    match clear.kind {
        Kind::V2 => begin_anew::<V2>(ospf, now, clear.what, args, out),
        Kind::V3 => begin_anew::<V3<Inet6>>(ospf, now, clear.what, args, out),
        Kind::V3Ipv4 => begin_anew::<V3<Inet4>>(ospf, now, clear.what, args, out),
    }?;
    ospf.refresh();
    Ok(String::new())
}

fn begin_anew<V: Flavor>(
    ospf: &mut Ospf,
    now: Timestamp,
    what: What,
    args: &Args,
    out: &mut Vec<Action>,
) -> Result<(), CliError>
where
    Ospf: HasProcesses<V>,
{
    let scope = Scope::of(args);
    let (processes, world) = ospf.split();
    for process in processes.values_mut().filter(|process| scope.holds(process)) {
        for event in events(process, what, args)? {
            process.tell_core(world, now, event, out);
        }
    }
    Ok(())
}
