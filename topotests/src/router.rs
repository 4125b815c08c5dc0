//! One router: a network and mount namespace in the test's sandbox, with a folder of its own on the host.
//!
//! The folder (`target/topotests/TEST/ROUTER`) is seen inside as `/run/t`: `etc` holds configurations, `log` what
//! daemons write. Reference implementations run in a private overlay over the shared Debian root; our own daemons and
//! plain hosts see the host's files, with an empty `/run` of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::peers_root;
use crate::sandbox::{Sandbox, inner_pid, only_child, run};
use crate::wait::wait_until;

/// What runs on a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Ours,
    Frr,
    Bird,
    GoBgp,
    OpenBgpd,
    ExaBgp,
    /// No daemon: a host, or the place where `bgp-replay` runs.
    Host,
}

impl Kind {
    /// With `FERRITE_SUBJECT=frr`, FRR takes our place: it shows whether a test that fails is right itself.
    pub fn subject(self) -> Kind {
        let replaced = self == Kind::Ours && std::env::var("FERRITE_SUBJECT").is_ok_and(|s| s == "frr");
        if replaced { Kind::Frr } else { self }
    }

    fn needs_root(self) -> bool {
        !matches!(self, Kind::Ours | Kind::Host)
    }
}

/// Where a router's folder is seen inside it.
pub const INSIDE: &str = "/run/t";

/// A handle; clones are the same router.
#[derive(Clone, Debug)]
pub struct Router(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    kind: Kind,
    dir: PathBuf,
    sandbox: Arc<Sandbox>,
    holder: Mutex<Child>,
    /// Number of the process that holds the namespaces: outside, and in the sandbox.
    pid: u32,
    inner_pid: u32,
    next_if: AtomicU32,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Ok(holder) = self.holder.get_mut() {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

const SYSCTLS: &str = r"
set_() { echo $2 2>/dev/null > /proc/sys/net/$1 || :; }
set_ ipv4/ip_forward 1; set_ ipv6/conf/all/forwarding 1; set_ ipv6/conf/default/forwarding 1
set_ ipv6/conf/default/accept_dad 0; set_ ipv6/conf/all/accept_dad 0; set_ ipv6/conf/default/accept_ra 0
set_ ipv4/conf/all/rp_filter 0; set_ ipv4/conf/default/rp_filter 0
set_ ipv6/route/max_size 4000000; set_ ipv4/tcp_keepalive_time 60; set_ ipv6/conf/all/keep_addr_on_down 1
ip link set lo up
";

const PLAIN: &str = r#"
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/frr /run/t
mount --bind "$DIR" /run/t
mount -t sysfs sysfs /sys 2>/dev/null || :
echo ready; exec sleep infinity
"#;

const OVERLAY: &str = r#"
mkdir -p "$DIR/root"; mount -t tmpfs -o mode=755 root "$DIR/root"; R="$DIR/root/all"
mkdir "$DIR/root/upper" "$DIR/root/work" "$R"
mount -t overlay -o "lowerdir=$LOWER,upperdir=$DIR/root/upper,workdir=$DIR/root/work" overlay "$R"
mount -t proc proc "$R/proc"; mount -t sysfs sysfs "$R/sys" 2>/dev/null || :
mount --rbind /dev "$R/dev"
mount -t tmpfs -o mode=755 run "$R/run"
mkdir -p "$R/run/t" "$R/run/frr" "$R/run/bird" "$R/run/openbgpd" "$R/run/exabgp" "$R/var/tmp"
chroot "$R" sh -c 'chown frr:frr /run/frr; chown bird:bird /run/bird; chown exabgp /run/exabgp; ln -sf /run /var/run 2>/dev/null; :'
mount --bind "$DIR" "$R/run/t"
exec chroot "$R" sh -c 'echo ready; exec sleep infinity'
"#;

impl Router {
    pub fn new(name: &str, kind: Kind, dir: &Path, sandbox: &Arc<Sandbox>) -> Result<Router> {
        let dir = dir.join(name);
        for sub in ["etc", "log"] {
            std::fs::create_dir_all(dir.join(sub))?;
        }
        open_to_all(&dir.join("log"))?;
        let lower = if kind.needs_root() { peers_root::provide()? } else { PathBuf::new() };
        let script = format!("set -e; {SYSCTLS}{}", if kind.needs_root() { OVERLAY } else { PLAIN });
        let mut cmd = sandbox.command("unshare");
        cmd.args(["--net", "--mount", "bash", "-c", &script]).env("DIR", &dir).env("LOWER", lower);
        let log = dir.join("log/holder.err");
        let mut holder = cmd.stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?).spawn()?;
        let mut line = String::new();
        if let Some(out) = holder.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        if line.trim() != "ready" {
            let why = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Failure::new(format!("router {name}: {}", why.trim())));
        }
        let pid = only_child(holder.id())?;
        let inner_pid = inner_pid(pid)?;
        let inner = Inner {
            name: name.to_owned(),
            kind,
            dir,
            sandbox: Arc::clone(sandbox),
            holder: Mutex::new(holder),
            pid,
            inner_pid,
            next_if: AtomicU32::new(0),
        };
        Ok(Router(Arc::new(inner)))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The router's folder on the host.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Number of the namespaces' process, as the sandbox counts: `ip link set X netns` takes it there.
    pub fn netns(&self) -> u32 {
        self.0.inner_pid
    }

    /// The name of the next interface: `eth0`, `eth1`, … in order of creation.
    pub(crate) fn take_interface(&self) -> String {
        format!("eth{}", self.0.next_if.fetch_add(1, Ordering::Relaxed))
    }

    /// A command in the router, among the router's own files.
    pub fn command(&self, program: &str) -> Command {
        let spaces: &[&str] = if self.0.kind.needs_root() {
            &["--net", "--mount", "--pid", "--root", "--wd"]
        } else {
            &["--net", "--mount", "--pid"]
        };
        self.0.sandbox.enter(self.0.pid, spaces, program)
    }

    /// A program of the host (`ip`, `tcpdump`, our tools) in the router's network.
    pub fn host_command(&self, program: &str) -> Command {
        self.0.sandbox.enter(self.0.pid, &["--net"], program)
    }

    /// Runs a command among the router's files to its end and returns what it printed.
    pub fn run(&self, program: &str, args: &[&str]) -> Result<String> {
        run(self.command(program).args(args)).map_err(|e| e.during(self.name()))
    }

    /// Runs `ip` of the host in the router's network.
    pub fn ip(&self, args: &str) -> Result<String> {
        run(self.host_command("ip").args(args.split_whitespace())).map_err(|e| e.during(self.name()))
    }

    /// The link-local address of an interface; an error while it has none.
    pub fn link_local(&self, interface: &str) -> Result<String> {
        let text = self.ip(&format!("-6 -o address show dev {interface} scope link"))?;
        let addr = text.split_whitespace().skip_while(|word| *word != "inet6").nth(1).unwrap_or_default();
        let addr = addr.split('/').next().unwrap_or_default().to_owned();
        crate::ensure!(!addr.is_empty(), "{interface} has no link-local address: {text}");
        Ok(addr)
    }

    /// Writes a file below the router's folder and returns the path by which the router knows it.
    pub fn write(&self, path: &str, content: &str) -> Result<String> {
        std::fs::write(self.0.dir.join(path), content)?;
        Ok(format!("{INSIDE}/{path}"))
    }

    /// Starts a program that goes to the background by itself and returns 0 when it serves.
    pub fn start_daemon(&self, program: &str, args: &[String], env: &[(&str, String)]) -> Result<()> {
        let mut cmd = self.command("sh");
        let log = format!("{INSIDE}/log/{}.out", base(program));
        cmd.args(["-c", r#"log="$1"; shift; exec "$@" >>"$log" 2>&1 </dev/null"#, "sh", &log, program])
            .args(args);
        cmd.envs(env.iter().map(|(k, v)| (*k, v)));
        run(&mut cmd).map(drop).map_err(|e| {
            let said = std::fs::read_to_string(self.0.dir.join(format!("log/{}.out", base(program))));
            e.during(&format!("{}: {program} said {:?}", self.name(), said.unwrap_or_default().trim()))
        })
    }

    /// Starts a program that stays in the foreground; returns its process number in the sandbox.
    pub fn start_foreground(&self, program: &str, args: &[String], env: &[(&str, String)]) -> Result<u32> {
        let mut cmd = self.command("sh");
        let log = format!("{INSIDE}/log/{}.out", base(program));
        let script = r#"log="$1"; shift; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!"#;
        cmd.args(["-c", script, "sh", &log, program]).args(args).envs(env.iter().map(|(k, v)| (*k, v)));
        let pid = run(&mut cmd).map_err(|e| e.during(self.name()))?;
        pid.trim().parse().map_err(|_| Failure::new(format!("{program}: no process number: {pid}")))
    }

    /// Sends a signal to a process of the sandbox.
    pub fn signal(&self, pid: u32, signal: &str) -> Result<()> {
        self.run("kill", &[&format!("-{signal}"), &pid.to_string()]).map(drop)
    }

    /// Waits until a process of the sandbox is gone (a zombie is as good as gone).
    pub fn wait_gone(&self, pid: u32, timeout: Duration) -> Result<()> {
        wait_until(timeout, &format!("process {pid} of {} has ended", self.name()), || {
            let stat = self.run("sh", &["-c", &format!("cat /proc/{pid}/stat 2>/dev/null || :")])?;
            let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
            match state {
                None | Some('Z' | 'X') => Ok(()),
                Some(state) => Err(Failure::new(format!("state {state}"))),
            }
        })
    }
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Daemons that drop privileges still write their logs.
fn open_to_all(dir: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o777))?;
    Ok(())
}
