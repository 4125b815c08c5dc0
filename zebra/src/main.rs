//! zebra, the daemon that owns the kernel's routes.

use std::process::ExitCode;

use ferrite_daemon::Info;
use mimalloc::MiMalloc;
use zebra::options::ZebraOptions;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const INFO: Info = Info {
    name: "zebra",
    log_name: "ZEBRA",
    version: env!("CARGO_PKG_VERSION"),
    about: "Manages kernel routes, interfaces and redistribution between routing daemons",
};

fn main() -> ExitCode {
    // Which commands there are depends on it, and they stand before the options are read.
    let netns = zebra::options::wants_netns(std::env::args().skip(1));
    ferrite_daemon::run::<ZebraOptions, _, _, _, _>(
        INFO,
        zebra_core::registry_where(netns),
        zebra::shell::main,
    )
}
