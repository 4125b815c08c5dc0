//! The Debian root in which the reference implementations run: FRR, BIRD, GoBGP, OpenBGPD, ExaBGP, StayRTR.
//!
//! It is made once by `mmdebstrap` into a cache folder named after what it includes, unpacked beside its final place and
//! renamed, under a lock, so that tests running at the same time share one. Routers use it as the lower layer of an
//! overlay each, so nothing is ever written to it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};

use crate::failure::{Failure, Result};
use crate::sandbox::{Privilege, describe, text};

const SUITE: &str = "trixie";
const INCLUDE: &str = "frr,frr-pythontools,frr-rpki-rtrlib,bird2,gobgpd,openbgpd,exabgp,stayrtr,iproute2,iputils-ping,procps,bgpdump";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The root's folder, made when it is not there yet.
pub fn provide() -> Result<PathBuf> {
    let privilege = Privilege::detect();
    if !privilege.has_accounts() {
        return Err(Failure::new(
            "the reference daemons need accounts: run as root, or install uidmap and give this user a range in /etc/subuid",
        ));
    }
    let cache = cache_dir()?;
    let root = cache.join(format!("{SUITE}-{:08x}{}", fnv1a(INCLUDE), suffix(privilege)));
    if root.join("usr").is_dir() {
        return Ok(root);
    }
    std::fs::create_dir_all(&cache)?;
    let lock = File::create(cache.join("lock"))?;
    let _lock =
        Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, e)| Failure::new(format!("lock: {e}")))?;
    if root.join("usr").is_dir() {
        return Ok(root); // another test made it while we waited
    }
    make(&cache, &root, privilege)
        .map_err(|e| e.during("making the Debian root of the reference daemons"))?;
    Ok(root)
}

/// `$FERRITE_CACHE`, else `~/.cache/ferrite`.
pub fn cache_dir() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("FERRITE_CACHE") {
        return Ok(PathBuf::from(dir));
    }
    let home = std::env::var_os("HOME").ok_or("neither FERRITE_CACHE nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/ferrite"))
}

/// Ids differ between root and a mapped user, so each has a root of its own.
fn suffix(privilege: Privilege) -> &'static str {
    if privilege == Privilege::Root { "" } else { "-mapped" }
}

fn make(cache: &Path, root: &Path, privilege: Privilege) -> Result<()> {
    eprintln!("making the Debian root of the reference daemons (once, a few minutes): {}", root.display());
    let tar = cache.join(format!("{SUITE}.tar.tmp"));
    let temp = cache.join(format!("{SUITE}.tmp"));
    inside(privilege, "rm").args(["-rf"]).arg(&temp).status()?;
    let mut build = Command::new("mmdebstrap");
    build.arg(if privilege == Privilege::Root { "--mode=root" } else { "--mode=unshare" });
    build.args(["--variant=minbase", &format!("--include={INCLUDE}"), "--format=tar"]);
    build.args(["--aptopt=Acquire::Retries \"3\"", "--dpkgopt=path-exclude=/usr/share/doc/*"]);
    if Path::new(KEYRING).exists() {
        build.arg(format!("--keyring={KEYRING}"));
    }
    // Daemons must not be started by their packages, which mmdebstrap's policy-rc.d sees to.
    build.args([SUITE, "-"]).stdin(Stdio::null()).stdout(File::create(&tar)?);
    check(&mut build)?;
    std::fs::create_dir_all(&temp)?;
    let mut unpack = inside(privilege, "tar");
    unpack.args(["--numeric-owner", "--exclude=./dev/*", "-xpf"]).arg(&tar).arg("-C").arg(&temp);
    check(&mut unpack)?;
    std::fs::remove_file(&tar)?;
    std::fs::rename(&temp, root)?;
    Ok(())
}

/// A command with the ids that the daemons will have.
fn inside(privilege: Privilege, program: &str) -> Command {
    if privilege == Privilege::Root {
        return Command::new(program);
    }
    let mut cmd = Command::new("unshare");
    cmd.args(privilege.unshare_args()).arg("--").arg(program);
    cmd
}

fn check(cmd: &mut Command) -> Result<()> {
    let child = cmd.stderr(Stdio::piped()).spawn();
    let out = child
        .and_then(std::process::Child::wait_with_output)
        .map_err(|e| Failure::new(format!("{}: {e}", program(cmd))))?;
    if out.status.success() {
        return Ok(());
    }
    let stderr = text(&out.stderr);
    let tail: Vec<&str> = stderr.lines().rev().take(6).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Err(Failure::new(format!("{} {}: {}", program(cmd), describe(cmd), tail.join(" / "))))
}

fn program(cmd: &Command) -> String {
    cmd.get_program().to_string_lossy().into_owned()
}

fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}
