//! What makes a program a daemon: FRR's options, the fork, pid file, signals, privileges, logs, the vty sockets, and the
//! owner of the configuration.
//!
//! ```text
//!  vtysh ──gRPC── NAME.grpc ┐
//!  tools ──text── NAME.vty  ┴─ owner (engine, running configuration) ──Event──> main function of the daemon
//!                                        <──── output pieces, results ────────┘
//! ```
//!
//! A daemon's `main` is one call of [`run`] with its registry and its main function:
//!
//! ```no_run
//! # use ferrite_cli::{CommonConfig, DaemonConfig, Registry};
//! # use ferrite_daemon::*;
//! # #[derive(Clone, PartialEq, Default)] struct Config { common: CommonConfig }
//! # impl DaemonConfig for Config {
//! #     fn common(&self) -> &CommonConfig { &self.common }
//! #     fn common_mut(&mut self) -> &mut CommonConfig { &mut self.common }
//! # }
//! fn main() -> std::process::ExitCode {
//!     let info = Info { name: "exampled", log_name: "EXAMPLE", version: "0.1.0", about: "does nothing" };
//!     let mut registry: Registry<Config, ()> = Registry::new();
//!     registry.common_commands();
//!     run::<NoOptions, _, _, _, _>(info, registry, |mut daemon| async move {
//!         daemon.serve()?;
//!         while let Some(event) = daemon.events.recv().await {
//!             match event {
//!                 Event::Configured { before, after, done } => { /* compare and apply */ drop((before, after, done)) }
//!                 Event::Exec { output, .. } => output.reply("nothing to show\n"),
//!                 Event::Complete { reply, .. } | Event::Impact { reply, .. } => drop(reply.send(vec![])),
//!                 Event::Stop => break,
//!             }
//!         }
//!         Ok(())
//!     })
//! }
//! ```

mod clock;
mod detach;
mod logging;
pub mod netns;
mod options;
mod output;
mod owner;
mod pid;
mod plain;
mod privileges;
mod program;
mod system;
pub mod time;

pub use logging::{Log, RateLimit};
pub use options::{CommonOptions, Info, NoOptions, Paths};
pub use output::Output;
pub use owner::{Done, Event};
pub use privileges::Owners;
pub use program::{Daemon, Failure, run};
