//! One line in every mode: parsing, help and completion survive whatever is typed.
#![no_main]

use std::cell::RefCell;

use ferrite_cli::{Context, Engine, node};
use libfuzzer_sys::fuzz_target;

#[path = "sample.rs"]
mod sample;

thread_local! {
    static ENGINE: RefCell<Engine<sample::Config, ()>> = RefCell::new(sample::engine());
}

fuzz_target!(|line: &str| {
    ENGINE.with_borrow_mut(|engine| {
        let _ = engine.exec(&node::ENABLE, line);
        let mut context = Context::default();
        let _ = engine.configure(&mut context, line);
        let _ = engine.help(&node::CONFIG, line);
        let _ = engine.help(&node::ENABLE, line);
        let _ = engine.commit(sample::Config::default());
    });
});
