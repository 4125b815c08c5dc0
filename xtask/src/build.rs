//! Building, and running programs in the open.

use std::path::PathBuf;
use std::process::Command;

/// The cargo that runs us.
pub fn cargo() -> Command {
    let mut cmd = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cmd.current_dir(workspace());
    cmd
}

pub fn workspace() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(PathBuf::from).unwrap_or(own)
}

pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace().join(dir),
        None => workspace().join("target"),
    }
}

/// Builds the daemons, the shell and the test tools with profile `fast`; returns their folder.
pub fn programs() -> Result<PathBuf, String> {
    let args = [
        "build",
        "--profile",
        "fast",
        "--bins",
        "-p",
        "zebra",
        "-p",
        "bgpd",
        "-p",
        "ospfd",
        "-p",
        "ferrite-lg",
        "-p",
        "ferrite-rpki",
        "--features",
        "ferrite-rpki/cli",
        "-p",
        "vtysh",
        "-p",
        "topotests",
    ];
    if !succeeds(cargo().args(args))? {
        return Err("the build failed".to_owned());
    }
    Ok(target_dir().join("fast"))
}

/// Runs a program on our own terminal; whether it ended with 0.
pub fn succeeds(cmd: &mut Command) -> Result<bool, String> {
    let status = cmd.status().map_err(|e| format!("{}: {e}", cmd.get_program().to_string_lossy()))?;
    Ok(status.success())
}

/// Whether `cargo NAME` exists.
pub fn has_subcommand(name: &str) -> bool {
    let mut cmd = cargo();
    cmd.args([name, "--version"]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    cmd.status().is_ok_and(|s| s.success())
}
