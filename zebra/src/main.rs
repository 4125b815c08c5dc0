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
    ferrite_daemon::run::<ZebraOptions, _, _, _, _>(INFO, zebra_core::registry(), zebra::shell::main)
}
