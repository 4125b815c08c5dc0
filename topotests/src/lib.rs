//! Networks of real daemons in namespaces: the harness, and the tools that speak BGP as a test's counterpart.
//!
//! In: a test's description of routers, links and configurations. Out: a verdict, and on failure the logs,
//! configurations and captures of every router in `target/topotests/TEST/`.
//!
//! | module | holds |
//! | --- | --- |
//! | `sandbox`, `router`, `net` | namespaces, routers, links |
//! | `peers_root` | the Debian root of the reference implementations, made once |
//! | `daemon` | starting, configuring and reading ours, FRR, BIRD, GoBGP, OpenBGPD, ExaBGP |
//! | `kernel`, `wait`, `needs` | kernel tables, conditions, what a test needs |
//! | `notation`, `text_vty` | FRR's lists of commands, and the protocol in which a daemon is asked for them |
//! | `measure` | what daemons cost: CPU time, peak memory |
//! | `bgp` | a BGP speaker of its own, the oracle of the tests: it shares no code with bgpd |
//! | `fpm` | a forwarding plane manager that rebuilds the table |
//! | `tool` | `bgp-replay` as a test drives it |
//! | `data` | the real tables, where they are present |
//!
//! It must never learn how our daemons work inside: everything it knows of them, an operator sees too.

pub mod bgp;
pub mod collect;
pub mod daemon;
pub mod data;
pub mod failure;
pub mod fpm;
pub mod kernel;
pub mod measure;
pub mod needs;
pub mod net;
pub mod notation;
pub mod peers_root;
pub mod router;
pub mod sandbox;
pub mod text_vty;
pub mod tool;
pub mod wait;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

pub use failure::{Failure, Result};
pub use kernel::Family;
pub use needs::Needs;
pub use net::Net;
pub use router::{Kind, Router};
pub use tool::Tool;
pub use wait::{holds_for, json_contains, wait_until};

/// Runs one test in a network of its own. Panics with the reason and the folder of its logs when it fails.
///
/// The test is named after the function that the closure stands in.
pub fn run<F: FnOnce(&mut Net) -> Result<()>>(needs: &Needs, test: F) {
    let name = name_of::<F>();
    if let Err(reason) = needs.kernel_unmet() {
        assert!(!needs::in_vm(), "{name}: in the virtual machine: {reason}");
        match needs::defer(&name, &reason) {
            Ok(true) => eprintln!("LEFT to the virtual machine: {name}: {reason}"),
            Ok(false) => needs::report_skip(&name, &reason),
            Err(failure) => panic!("{name}: {failure}"),
        }
        return;
    }
    if let Err(reason) = needs.unmet() {
        assert!(!needs::in_vm(), "{name}: in the virtual machine: {reason}");
        needs::report_skip(&name, &reason);
        return;
    }
    let dir = output_dir().join(&name);
    let mut net = Net::new(&dir).unwrap_or_else(|e| panic!("{name}: {e}"));
    let verdict = catch_unwind(AssertUnwindSafe(|| test(&mut net)));
    if !matches!(verdict, Ok(Ok(()))) {
        if let Ok(Err(failure)) = &verdict {
            // Said before anything that a sick network may hold up.
            eprintln!("{name}: {failure}");
        }
        daemon::collect_evidence(&net);
    }
    drop(net);
    match verdict {
        Ok(Ok(())) if std::env::var_os("FERRITE_KEEP").is_none() => {
            let _ = std::fs::remove_dir_all(&dir);
        }
        Ok(Ok(())) => eprintln!("{name}: files kept in {}", dir.display()),
        Ok(Err(failure)) => panic!("{name}: {failure}\nlogs, configurations and captures: {}", dir.display()),
        Err(panic) => {
            eprintln!("{name}: logs, configurations and captures: {}", dir.display());
            resume_unwind(panic)
        }
    }
}

/// `$FERRITE_OUTPUT`, else `target/topotests`, or below `$CARGO_TARGET_DIR`.
pub fn output_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("FERRITE_OUTPUT") {
        return PathBuf::from(dir);
    }
    target_dir().join("topotests")
}

/// Where cargo builds.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace().join(dir),
        None => workspace().join("target"),
    }
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(PathBuf::from).unwrap_or(own)
}

/// `binary::function` of the function that a closure of type `F` stands in, fit for a folder name.
fn name_of<F>() -> String {
    let path = std::any::type_name::<F>().replace("::{{closure}}", "");
    path.replace("::", ".")
}
