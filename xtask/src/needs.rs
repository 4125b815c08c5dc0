//! What the tests need of the machine, and getting it: by asking first, or at once where nobody can be asked.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::build::succeeds;

/// A program, file, or command that must succeed, and the Debian package that brings it.
struct Need {
    what: &'static str,
    package: &'static str,
    why: &'static str,
    /// Without it tests run, but tell less.
    optional: bool,
}

#[rustfmt::skip]
const NEEDS: &[Need] = &[
    Need { what: "ip", package: "iproute2", why: "links and routes of the test networks", optional: false },
    Need { what: "unshare", package: "util-linux", why: "namespaces", optional: false },
    Need { what: "mmdebstrap", package: "mmdebstrap", why: "the Debian root with FRR, BIRD, GoBGP, OpenBGPD, ExaBGP", optional: false },
    Need { what: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring", why: "its signatures", optional: false },
    Need { what: "ssh-keygen", package: "openssh-client", why: "RPKI caches over SSH", optional: false },
    Need { what: "tcpdump", package: "tcpdump", why: "captures of failed tests", optional: true },
];

#[rustfmt::skip]
const VM_NEEDS: &[Need] = &[
    Need { what: "qemu-system-x86_64", package: "qemu-system-x86", why: "the virtual machine", optional: false },
    Need { what: "modprobe", package: "kmod", why: "its modules", optional: false },
    Need { what: "busybox", package: "busybox-static", why: "its first steps", optional: false },
    Need { what: "file", package: "file", why: "telling its kernel's version", optional: false },
    Need { what: "python3 -c 'import ensurepip, venv'", package: "python3-venv", why: "a place for virtme-ng, which boots it", optional: false },
];

const UIDMAP: Need = Need {
    what: "newuidmap",
    package: "uidmap",
    why: "accounts of the reference daemons, when not run by root",
    optional: false,
};

/// Makes sure of all needs; missing ones that are not optional fail.
pub fn provide(yes: bool) -> Result<(), String> {
    provide_all(yes, &all())
}

/// What the virtual machine takes beyond that.
pub fn provide_vm(yes: bool) -> Result<(), String> {
    provide_all(yes, &VM_NEEDS.iter().collect::<Vec<_>>())
}

fn provide_all(yes: bool, needs: &[&'static Need]) -> Result<(), String> {
    let missing: Vec<&Need> = needs.iter().copied().filter(|need| !is_there(need.what)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        let weight = if need.optional { "wanted" } else { "needed" };
        eprintln!("{weight}: {} (package {}) for {}", need.what, need.package, need.why);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if yes || in_ci() || agreed(&packages) {
        install(&packages)?;
    }
    let left: Vec<&str> =
        missing.iter().filter(|n| !n.optional && !is_there(n.what)).map(|n| n.what).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("missing: {}", left.join(", "))) }
}

fn all() -> Vec<&'static Need> {
    let mut list: Vec<&Need> = NEEDS.iter().collect();
    if !is_root() {
        list.push(&UIDMAP);
    }
    list
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|v| v == "true" || v == "1")
}

fn is_there(what: &str) -> bool {
    if what.contains(' ') {
        let mut cmd = Command::new("sh");
        cmd.args(["-c", what]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        return cmd.status().is_ok_and(|status| status.success());
    }
    if what.starts_with('/') {
        return Path::new(what).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let extra = ["/usr/sbin", "/sbin"].map(std::path::PathBuf::from);
    std::env::split_paths(&path).chain(extra).any(|dir| dir.join(what).is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

fn agreed(packages: &[&str]) -> bool {
    let input = std::io::stdin();
    if !input.is_terminal() {
        eprintln!("nobody to ask here: use --yes to install {}", packages.join(" "));
        return false;
    }
    eprint!("install {} with apt? [y/N] ", packages.join(" "));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    input.lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y")
}

fn install(packages: &[&str]) -> Result<(), String> {
    let apt = |args: &[&str]| {
        let mut cmd = if is_root() { Command::new("apt-get") } else { Command::new("sudo") };
        if !is_root() {
            cmd.arg("apt-get");
        }
        succeeds(cmd.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()))
    };
    apt(&["update", "-q"])?;
    let mut args = vec!["install", "-q", "-y", "--no-install-recommends"];
    args.extend(packages);
    if apt(&args)? { Ok(()) } else { Err(format!("apt could not install {}", packages.join(" "))) }
}
