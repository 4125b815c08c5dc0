//! ospfd: the shell around [`ferrite_ospf_control`]. Options, sockets, the zebra stream; one program serves OSPFv2 and OSPFv3,
//! under the name of `ospfd` or `ospf6d`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use ferrite_daemon::Info;

mod api;
mod boots;
mod debug;
mod groups;
mod notes;
mod roles;
mod shell;
mod socket;
mod sockets;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// FRR's options of ospfd and ospf6d.
#[derive(Debug, Clone, Args)]
pub struct OspfOptions {
    /// Set the instance id; all instances are served by one program, the number is part of the file names
    #[arg(short = 'n', long, value_name = "INSTANCE", value_parser = clap::value_parser!(u16).range(1..))]
    instance: Option<u16>,
    /// Enable OSPF apiserver
    #[arg(short = 'a', long)]
    apiserver: bool,
    /// Set OSPF apiserver bind address
    #[arg(short = 'l', long = "apiserver_addr", value_name = "ADDRESS")]
    apiserver_addr: Option<std::net::IpAddr>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let called = arguments.first().map(Path::new).and_then(Path::file_name);
    let is_ospf6d = called.is_some_and(|name| name == "ospf6d");
    let mut info = if is_ospf6d {
        Info {
            name: "ospf6d",
            log_name: "OSPF6",
            version: env!("CARGO_PKG_VERSION"),
            about: "Open Shortest Path First daemon for IPv6",
        }
    } else {
        Info {
            name: "ospfd",
            log_name: "OSPF",
            version: env!("CARGO_PKG_VERSION"),
            about: "Open Shortest Path First daemon",
        }
    };
    if let Some(instance) = roles::value(&arguments, "n", "instance") {
        // Made once, and used as long as the program runs.
        info.name = Box::leak(format!("{}-{instance}", info.name).into_boxed_str());
    }
    // Which commands there are depends on it, and they stand before the options are read.
    let held = roles::Held::take(&arguments, is_ospf6d);
    let registry = ferrite_ospf_control::registry(held.roles);
    ferrite_daemon::run::<OspfOptions, _, _, _, _>(info, registry, move |daemon| shell::run(daemon, held))
}
