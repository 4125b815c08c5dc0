//! What `debug ospf …` and `debug ospf6 …` switch on: the log lines of these targets. A line with more words is a part of the
//! one with fewer.

use super::Commands;
use crate::Roles;

/// The flags of a version, told apart by what stands after `debug ospf` or `debug ospf6`.
macro_rules! flags {
    ($name:ident $word:literal $daemon:literal $title:literal $about:literal;
     $($words:literal $target:literal $text:literal [$($help:literal),*];)*) => {
        pub static $name: &[ferrite_cli::DebugFlag] = &[$(ferrite_cli::DebugFlag {
            line: concat!("debug ", $word, " ", $words),
            target: concat!($daemon, "::", $target),
            text: concat!($title, " ", $text, " debugging is on"),
            help: &["Debugging functions", $about, $($help),*],
        }),*];
    };
}
use flags;

pub mod v2;
pub mod v3;

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
