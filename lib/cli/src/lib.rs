//! FRR's command language for every daemon: the grammar notation, parsing with abbreviations, `?` help, typed arguments,
//! configuration as a value that lines edit, and its rendering.
//!
//! A daemon declares its commands in a [`Registry`] over its typed configuration `C` and its handlers `H`; [`Engine`] does
//! the rest. Nothing here does IO, knows a protocol or reads a clock.
//!
//! ```
//! use ferrite_cli::*;
//!
//! #[derive(Clone, PartialEq, Default)]
//! struct Config { router_id: Option<std::net::Ipv4Addr> }
//!
//! static SETTINGS: &[Setting<Config>] = &[Setting {
//!     syntax: "router-id A.B.C.D",
//!     help: &["Manually set the router-id", "IP address to use for router-id"],
//!     no: Negation::Derived,
//!     set: |config, args| { config.router_id = Some(args.ipv4("A.B.C.D")?); Ok(()) },
//!     unset: |config, _| { config.router_id = None; Ok(()) },
//!     render: |config, lines| if let Some(id) = config.router_id { lines.line(format!("router-id {id}")) },
//!     examples: &["router-id 10.0.0.1"],
//! }];
//!
//! let mut registry: Registry<Config, ()> = Registry::new();
//! registry.mount(Mount::at(&node::CONFIG), SETTINGS, |config, _, _| Ok(config));
//! registry.renderer(node::order::ZEBRA, |config, lines| lines.settings(SETTINGS, config));
//! let mut engine = Engine::new(registry);
//! engine.configure(&mut Context::default(), "router-i 10.0.0.1").unwrap();
//! assert_eq!(engine.render_text(engine.running()), "router-id 10.0.0.1\n!\n");
//! ```

mod args;
mod check;
pub mod common;
mod engine;
mod error;
mod graph;
pub mod json;
pub mod lines;
pub mod node;
mod refused;
mod registry;
mod syntax;
mod token;

pub use args::Args;
pub use check::{check_registry, check_round_trip, numbered};
pub use common::{CommonConfig, CommonExec, DaemonConfig, DebugFlag, LogLevel};
pub use engine::{
    Cascade, Effect, Engine, FileError, NumberedLine, Outcome, expected_text, outside_configuration,
    split_last,
};
pub use error::{CliError, SyntaxError};
pub use graph::{Candidate, CommandId, Graph, Match};
pub use lines::{Body, Item, Lines};
pub use node::{Context, Frame, Node};
pub use refused::said as said_of_refused;
pub use registry::{
    CommandDescription, ConfigCommand, Edit, ExecCommand, Mount, Negation, Registry, Setting, Words,
};
pub use syntax::NotationError;
pub use token::{Kind, Word, words};

#[cfg(test)]
mod tests;
