//! A whole configuration file: it loads or is refused with places that lie inside it.
#![no_main]

use std::cell::RefCell;

use ferrite_cli::{Engine, NumberedLine};
use libfuzzer_sys::fuzz_target;

#[path = "sample.rs"]
mod sample;

thread_local! {
    static ENGINE: RefCell<Engine<sample::Config, ()>> = RefCell::new(sample::engine());
}

fuzz_target!(|text: &str| {
    let lines: Vec<NumberedLine> =
        text.lines().zip(1..).map(|(text, number)| NumberedLine { number, text: text.to_owned() }).collect();
    ENGINE.with_borrow_mut(|engine| match engine.load(sample::Config::default(), &lines) {
        Ok(config) => {
            let _ = engine.render_text(&config);
        }
        Err(errors) => {
            for error in errors {
                assert!(error.line as usize <= lines.len());
                let _ = error.to_string();
            }
        }
    });
});
