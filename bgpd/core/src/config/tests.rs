//! The configuration as text: every command, FRR's messages, and what FRR 10.3 printed for the same lines.

use ferrite_cli::{Engine, check_registry, check_round_trip, numbered};

use super::*;

fn registry() -> Registry<BgpConfig, ()> {
    let mut registry = Registry::new();
    register(&mut registry);
    registry
}

#[test]
fn every_command_is_declared_rightly() {
    if let Err(faults) = check_registry(registry) {
        panic!("{}", faults.join("\n"));
    }
}
