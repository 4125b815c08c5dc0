//! Our own daemons, from the folder that `FERRITE_BIN` names or the newest build of the target folder.

use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::router::{INSIDE, Router};
use crate::sandbox::run;

/// What every network of ours runs.
const PROGRAMS: &[&str] = &["zebra", "vtysh"];

/// The folder with zebra and vtysh.
pub fn binaries() -> Result<PathBuf> {
    binaries_with(&[])
}

/// The folder with zebra, vtysh and these.
pub fn binaries_with(programs: &[&str]) -> Result<PathBuf> {
    let wanted: Vec<&str> = PROGRAMS.iter().chain(programs).copied().collect();
    let candidates: Vec<PathBuf> = match std::env::var_os("FERRITE_BIN") {
        Some(dir) => vec![crate::workspace().join(dir)],
        None => ["fast", "release", "debug"].iter().map(|p| crate::target_dir().join(p)).collect(),
    };
    let complete = |dir: &&PathBuf| wanted.iter().all(|program| dir.join(program).is_file());
    let listed = || candidates.iter().map(|c| c.display().to_string()).collect::<Vec<_>>().join(", ");
    let found = candidates.iter().find(complete).cloned();
    found.ok_or_else(|| {
        Failure::new(format!("{} are not built together; looked in {}", wanted.join(", "), listed()))
    })
}

/// Where our programs look for what FRR has in /etc/frr, /run/frr, /var/lib/frr and /usr/lib/frr.
pub fn environment() -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("FERRITE_ETC", format!("{INSIDE}/etc")),
        ("FERRITE_RUN", "/run/frr".to_owned()),
        ("FERRITE_STATE", format!("{INSIDE}/state")),
        ("FERRITE_LIB", binaries()?.display().to_string()),
    ])
}

/// zebra, then bgpd, then the integrated configuration as a whole.
pub fn start(router: &Router, config: &str) -> Result<()> {
    start_daemons(router, config, &[("zebra", &[]), ("bgpd", &[])], "debugging")
}

/// The same for some daemons with options of their own, at a log level of the caller's choice.
pub fn start_daemons(router: &Router, config: &str, daemons: &[(&str, &[&str])], level: &str) -> Result<()> {
    router.write("etc/frr.conf", config)?;
    router.write("etc/vtysh.conf", "service integrated-vtysh-config\n")?;
    for (daemon, options) in daemons {
        start_one(router, daemon, options, level)?;
    }
    load(router)
}

/// Starts one daemon; returns when it serves.
pub fn start_one(router: &Router, daemon: &str, more: &[&str], level: &str) -> Result<()> {
    let program = binaries_with(&[daemon])?.join(daemon);
    let mut args: Vec<String> = vec!["-d".into(), "--log".into(), format!("file:{INSIDE}/log/{daemon}.log")];
    args.extend(["--log-level".to_owned(), level.to_owned()]);
    args.extend(more.iter().map(ToString::to_string));
    let env = environment()?;
    router.start_daemon(&program.to_string_lossy(), &args, &env)
}

/// Gives the integrated configuration to all running daemons.
pub fn load(router: &Router) -> Result<()> {
    run(router.vtysh_command()?.arg("-b")).map(drop).map_err(|e| e.during(router.name()))
}

/// Brings the running state to a file, as an operator's reload does; returns what it printed.
pub fn reload(router: &Router, config: &str) -> Result<String> {
    let path = router.write("etc/frr.conf", config)?;
    run(router.vtysh_command()?.args(["-f", &path, "--reload"])).map_err(|e| e.during(router.name()))
}
