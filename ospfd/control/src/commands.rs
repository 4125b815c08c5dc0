//! The commands outside configuration: `show`, `clear`, `debug`. Each is declared with a [`Command`] as its handler; [`run`]
//! answers it from the processes that the line asks for.

mod clear;
pub(crate) mod debug;
mod prepare;
mod refused;
mod v2;
mod v3;

use ferrite_cli::{Args, CliError, Registry};
use ferrite_policy::view::{Daemon, PolicyShow};
use ferrite_types::{Afi, Timestamp};

use crate::{Action, Ospf, Roles, Settings};

pub use clear::Clear;
pub use v2::Show2;
pub use v3::Show3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    Show2(Show2),
    Show3(Show3, Afi),
    Clear(Clear),
    Policy(PolicyShow),
    /// Neighbours of processes of a kind are told of a restart.
    Prepare(Kind),
}

/// What processes a command is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    V2,
    V3,
    /// IPv4 routed by OSPFv3.
    V3Ipv4,
}

type Commands = Registry<Settings, Command>;

pub fn register(registry: &mut Commands, roles: Roles) {
    if roles.v2 {
        v2::register(registry);
    }
    if roles.v3 {
        v3::register(registry);
    }
    clear::register(registry, roles);
    debug::register(registry, roles);
    prepare::register(registry, roles);
    refused::register(registry, roles);
    ferrite_policy::view::register(registry, false, Command::Policy);
}

/// The daemon as the shows of lists and maps name it.
const DAEMON: Daemon = Daemon { title: "OSPF", name: "ospfd" };

/// Carries out a command; what it prints.
pub fn run(
    ospf: &mut Ospf,
    now: Timestamp,
    command: Command,
    args: &Args,
    out: &mut Vec<Action>,
) -> Result<String, CliError> {
    match command {
        Command::Show2(show) => v2::run(ospf, now, show, args),
        Command::Show3(show, Afi::Ipv4) => v3::run(ospf, &ospf.v3_ipv4, now, show, args),
        Command::Show3(show, _) => v3::run(ospf, &ospf.v3, now, show, args),
        Command::Clear(clear) => clear::run(ospf, now, clear, args, out),
        Command::Prepare(kind) => prepare::run(ospf, now, kind, out),
        Command::Policy(show) => Ok(show.run(&ospf.world.policies, DAEMON, args)),
    }
}
