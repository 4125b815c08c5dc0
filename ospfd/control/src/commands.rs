//! The commands outside configuration: `show`, `clear`.

use ferrite_cli::Registry;

use crate::{Roles, Settings};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {}

pub fn register(_registry: &mut Registry<Settings, Command>, _roles: Roles) {}
