//! Everything of ospfd that does no IO: configuration, processes, commands, shows. The protocol itself is in [`ferrite_ospf`].
//!
//! ```text
//!   lines ─► config ─► Settings ─┐
//!   zebra: links, routes ────────┤► Ospf ─► process (one per instance and VRF, of either version) ─► ferrite_ospf::Instance
//!   packets ─────────────────────┘   │
//!   commands ─► show ◄───────────────┘
//! ```

pub mod api;
pub mod commands;
pub mod config;
pub mod process;
pub mod settings;
pub mod show;

pub use commands::Command;
pub use ferrite_ospf_packet as packet;
pub use process::{Action, ApiEvent, Event, Host, LogLevel, Ospf, RestartNote, SocketTerms, Topic, topics};
pub use settings::Settings;

use ferrite_cli::Registry;

/// Which versions this program serves: both, unless another one serves one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Roles {
    pub v2: bool,
    pub v3: bool,
}

/// Every command of ospfd.
pub fn registry(roles: Roles) -> Registry<Settings, Command> {
    let mut registry = Registry::new();
    registry.common_commands();
    config::register(&mut registry, roles);
    commands::register(&mut registry, roles);
    registry
}
