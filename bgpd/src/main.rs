//! bgpd: the shell around [`bgp_core`]. BgpOptions, sockets, threads; the protocol is in the core.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;
use ferrite_daemon::Info;

mod batch;
mod bmp;
mod dump;
mod exec;
mod io;
mod log;
mod queue;
mod rpki;
mod shards;
mod shell;
mod tap;
mod zebra;

/// Routes are millions of small values of a few sizes, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const INFO: Info = Info {
    name: "bgpd",
    log_name: "BGP",
    version: env!("CARGO_PKG_VERSION"),
    about: "Border Gateway Protocol daemon",
};

/// FRR's options of bgpd, and the number of shards.
#[derive(Debug, Clone, Args)]
pub struct BgpOptions {
    /// Set BGP listen port number (0 means do not listen)
    #[arg(short = 'p', long = "bgp_port", alias = "bgp-port", value_name = "PORT", default_value_t = 179)]
    port: u16,
    /// Listen on specified address
    #[arg(short = 'l', long = "listenon", value_name = "ADDRESS", value_delimiter = ',')]
    listen: Vec<IpAddr>,
    /// Do not install routes into the kernel
    #[arg(short = 'n', long = "no_kernel", alias = "no-kernel")]
    no_kernel: bool,
    /// Leave the routes with zebra when bgpd ends
    #[arg(short = 'r', long)]
    retain: bool,
    /// Do not communicate with zebra
    #[arg(short = 'Z', long = "no_zebra", alias = "no-zebra")]
    no_zebra: bool,
    /// Most next hops that one route gets
    #[arg(short = 'e', long, value_name = "NUMBER")]
    ecmp: Option<u16>,
    /// Threads that share the routing table
    #[arg(long, value_name = "NUMBER", env = "FERRITE_BGP_SHARDS")]
    shards: Option<usize>,
}

fn main() -> ExitCode {
    ferrite_daemon::run(INFO, bgp_core::commands::registry(), shell::run)
}
