//! The grammar notation itself, since vtysh parses what daemons tell it: no notation and no line makes it panic or hang.
#![no_main]

use ferrite_cli::{Engine, ExecCommand, Registry, node};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (syntax, line) = input;
    let mut registry: Registry<(), ()> = Registry::new();
    registry.exec(ExecCommand::new(syntax, &[], ()));
    let engine = Engine::new(registry);
    let _ = engine.exec(&node::ENABLE, line);
    let _ = engine.help(&node::ENABLE, line);
});
