//! A private world for one test: mount, network and process namespaces, with everything in them gone when it is dropped.
//!
//! ```text
//! test process ── unshare ── bash (process 1 of the sandbox, reaps orphans, ends when our end of its stdin closes)
//!                              ├─ router r1: own network + mount namespace (holder.rs)
//!                              └─ router r2 …
//! ```
//! Because all daemons of a test live in one process namespace, killing its process 1 kills them all: on drop, on
//! panic, and (through the closed pipe) when the test process itself is killed. Without root, a user namespace goes
//! around it; with `newuidmap` and a range in /etc/subuid that has enough ids for daemons that drop privileges.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use crate::failure::{Failure, Result};

#[derive(Debug)]
pub struct Sandbox {
    child: Child,
    /// Process 1 of the sandbox, by its number outside.
    init: u32,
}

/// How namespaces can be had here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// Real root: no user namespace.
    Root,
    /// A user namespace with the whole range of ids of /etc/subuid.
    Mapped,
    /// A user namespace in which only root exists.
    RootOnly,
}

impl Privilege {
    pub fn detect() -> Privilege {
        static PRIVILEGE: OnceLock<Privilege> = OnceLock::new();
        *PRIVILEGE.get_or_init(|| {
            let works = |p: Privilege| {
                let mut cmd = Command::new("unshare");
                cmd.args(p.unshare_args()).args(["--net", "--mount", "true"]);
                cmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                cmd.status().is_ok_and(|s| s.success())
            };
            [Privilege::Root, Privilege::Mapped]
                .into_iter()
                .find(|p| works(*p))
                .unwrap_or(Privilege::RootOnly)
        })
    }

    pub fn unshare_args(self) -> &'static [&'static str] {
        match self {
            Privilege::Root => &[],
            Privilege::Mapped => &["--user", "--map-root-user", "--map-auto"],
            Privilege::RootOnly => &["--user", "--map-root-user"],
        }
    }

    fn nsenter_args(self) -> &'static [&'static str] {
        match self {
            Privilege::Root => &[],
            _ => &["--user", "--preserve-credentials"],
        }
    }

    /// Whether daemons can drop to an account of their own.
    pub fn has_accounts(self) -> bool {
        self != Privilege::RootOnly
    }
}

impl Sandbox {
    pub fn new() -> Result<Sandbox> {
        use std::os::unix::process::CommandExt as _;
        let privilege = Privilege::detect();
        let mut child = Command::new("unshare")
            .args(privilege.unshare_args())
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["bash", "-c", "ip link set lo up; echo ready; while read -r _; do :; done"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0) // an interrupt typed at the terminal is for the shell inside, not for us
            .spawn()
            .map_err(|e| Failure::new(format!("unshare: {e}")))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        if line.trim() != "ready" {
            let why = child.wait_with_output().map(|o| text(&o.stderr)).unwrap_or_default();
            return Err(Failure::new(format!("no namespaces here: {}", why.trim())));
        }
        let init = only_child(child.id())?;
        Ok(Sandbox { child, init })
    }

    /// A command that runs in the sandbox, outside every router, on the host's files.
    pub fn command(&self, program: &str) -> Command {
        self.enter(self.init, &["--net", "--mount", "--pid"], program)
    }

    /// A command in the namespaces (`spaces`, as nsenter's options) of the process `pid` (its number outside).
    pub fn enter(&self, pid: u32, spaces: &[&str], program: &str) -> Command {
        let mut cmd = Command::new("nsenter");
        cmd.arg("--target").arg(pid.to_string()).args(Privilege::detect().nsenter_args());
        cmd.args(spaces).arg("--").arg(program).stdin(Stdio::null());
        cmd
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let init = nix::unistd::Pid::from_raw(self.init as i32);
        // It may be gone already, which is as good.
        let _ = nix::sys::signal::kill(init, nix::sys::signal::Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// The one child of a process, waited for shortly: the caller has just seen it speak.
pub fn only_child(pid: u32) -> Result<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = std::fs::read_to_string(&path)?;
    let first = children.split_whitespace().next().and_then(|p| p.parse().ok());
    first.ok_or_else(|| Failure::new(format!("process {pid} has no child")))
}

/// The number of process `pid` in the innermost process namespace it lives in.
pub fn inner_pid(pid: u32) -> Result<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("NSpid:"));
    let inner = line.and_then(|l| l.split_whitespace().last()).and_then(|p| p.parse().ok());
    inner.ok_or_else(|| Failure::new(format!("no NSpid for process {pid}")))
}

/// Runs a command to its end; anything but success is a failure with what it wrote.
pub fn run(cmd: &mut Command) -> Result<String> {
    let out = output(cmd)?;
    if out.status.success() {
        return Ok(text(&out.stdout));
    }
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    Err(Failure::new(format!(
        "{} ended with {}: {} {}",
        describe(cmd),
        out.status,
        stdout.trim(),
        stderr.trim()
    )))
}

pub fn output(cmd: &mut Command) -> Result<Output> {
    cmd.output().map_err(|e| Failure::new(format!("{}: {e}", describe(cmd))))
}

/// The command as one would type it, without the way into the namespace.
pub fn describe(cmd: &Command) -> String {
    let words: Vec<String> = cmd.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
    let inner = words.iter().position(|w| w == "--").map_or(0, |i| i + 1);
    words.get(inner..).unwrap_or_default().join(" ")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
