//! The commands outside configuration: `show`, `clear`.

use ferrite_cli::{Args, CliError, Registry};
use ferrite_types::Timestamp;

use crate::{Action, Ospf, Roles, Settings};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {}

pub fn register(_registry: &mut Registry<Settings, Command>, _roles: Roles) {}

/// Carries out a command; what it prints.
pub fn run(
    _ospf: &mut Ospf,
    _now: Timestamp,
    command: Command,
    _args: &Args,
    _out: &mut Vec<Action>,
) -> Result<String, CliError> {
    match command {}
}
