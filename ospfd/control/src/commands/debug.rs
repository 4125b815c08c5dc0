//! What `debug ospf …` and `debug ospf6 …` switch on: the log lines of these targets. A line with more words is a part of the
//! one with fewer.

mod v2;
mod v3;

use ferrite_cli::DebugFlag;

use super::Commands;
use crate::Roles;

use v2::V2;
use v3::V3;

pub fn register(registry: &mut Commands, roles: Roles) {
    if roles.v2 {
        registry.debug_flags(V2);
    }
    if roles.v3 {
        registry.debug_flags(V3);
    }
}

const fn flag(
    line: &'static str,
    target: &'static str,
    text: &'static str,
    help: &'static [&'static str],
) -> DebugFlag {
    DebugFlag { line, help, text, target }
}
