//! zebra without its sockets: interfaces, routes from every source, selection, next-hop resolution and tracking,
//! redistribution, router identifiers, static routes, and the order of work towards the kernel.
//!
//! [`Zebra`] is a pure machine: [`Event`]s in, [`Action`]s out, time handed in. It knows no netlink and no gRPC; the
//! shell around it (`zebra/src`) speaks both.
//!
//! ```text
//!             links, addresses, kernel routes                 FibOp batches
//!   kernel ------------------------------------> Zebra ---------------------------> kernel
//!                                       FibDone   |  ^  routes, tracking, requests
//!   vtysh --- Configured ------------------------>|  |<------------------------------ clients
//!                                                 +-----------------------------------> interfaces, next hops, results
//! ```

pub mod action;
pub mod audit;
mod capacity;
mod client;
pub mod commands;
pub mod config;
mod connected;
pub mod event;
mod fib;
pub mod fpm;
mod gather;
mod groups;
mod iface;
pub mod import;
mod instance;
mod kernel;
pub mod labels;
mod ldp;
mod lfib;
mod mrib;
mod named;
mod neighbors;
pub mod netns;
mod nht;
mod nht_policy;
mod offload;
mod policy;
pub mod ra;
mod redistribute;
mod refuse;
pub mod rib;
mod router_id;
mod rpf;
pub mod settings;
pub mod srv6;
mod statics;
pub mod te;
mod unmoved;
mod unsupported;
pub mod view;

pub use action::{
    Action, FibNexthops, FibOp, FibOpKind, FibRoute, LinkChange, Members, MplsChange, NexthopId,
    NexthopObject, NexthopOp, Resilience, Single,
};
pub use client::ClientKey;
pub use event::{Event, FibResult, KernelNexthop, KernelRoute, LinkInfo, LinkKind, NexthopResult, Offload};
pub use fpm::{FpmLink, FpmMessage};
pub use gather::RouteWalk;
pub use instance::{MAX_IN_FLIGHT, Options, WallClock, Zebra};
pub use kernel::FIB_METRIC;
pub use lfib::{KernelLsp, LfibOp, LfibResult};
pub use netns::Netns;
pub use offload::AsicNotify;
pub use settings::Settings;

/// Every command of zebra.
pub fn registry() -> ferrite_cli::Registry<Settings, commands::Show> {
    registry_where(true)
}

/// The commands of a zebra whose VRFs are namespaces, or devices.
pub fn registry_where(netns: bool) -> ferrite_cli::Registry<Settings, commands::Show> {
    let mut registry = ferrite_cli::Registry::new();
    config::vrf::register_netns(&mut registry, netns);
    config::register(&mut registry, netns);
    commands::register(&mut registry);
    unsupported::register(&mut registry);
    registry
}
