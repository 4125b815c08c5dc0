//! A test's network: routers, links between them, LANs, loopback addresses.
//!
//! ```no_run
//! # use topotests::{run, Needs, Kind};
//! run(&Needs::default(), |net| {
//!     let r1 = net.router("r1", Kind::Frr)?;
//!     let r2 = net.router("r2", Kind::Bird)?;
//!     net.link(&r1, "10.0.12.1/24 2001:db8:12::1/64", &r2, "10.0.12.2/24 2001:db8:12::2/64")?;
//!     net.loopback(&r1, "192.0.2.1/32")?;
//!     Ok(())
//! });
//! ```
//! Interfaces are `eth0`, `eth1`, … on each router, in the order of the calls.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::failure::{Failure, Result};
use crate::router::{Kind, Router};
use crate::sandbox::{Sandbox, run};

#[derive(Debug)]
pub struct Net {
    // Dropped in this order: captures end, the sandbox goes, the routers' holders are collected.
    captures: Vec<Child>,
    sandbox: Arc<Sandbox>,
    routers: Vec<Router>,
    dir: PathBuf,
    links: u32,
    capture: bool,
}

/// How many packets of each router are kept: enough to see sessions come up and fail.
const CAPTURE_PACKETS: &str = "20000";

impl Net {
    /// An empty network whose files live below `dir` (made empty first).
    pub fn new(dir: &Path) -> Result<Net> {
        if dir.exists() {
            std::fs::remove_dir_all(dir)
                .map_err(|e| Failure::new(format!("emptying {}: {e}", dir.display())))?;
        }
        std::fs::create_dir_all(dir)?;
        let sandbox = Arc::new(Sandbox::new()?);
        let dir = dir.canonicalize()?;
        Ok(Net {
            captures: Vec::new(),
            sandbox,
            routers: Vec::new(),
            dir,
            links: 0,
            capture: !crate::needs::in_vm(),
        })
    }

    /// Turns packet captures off: for benchmarks and whole tables.
    pub fn without_capture(&mut self) {
        self.capture = false;
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn routers(&self) -> &[Router] {
        &self.routers
    }

    pub fn router(&mut self, name: &str, kind: Kind) -> Result<Router> {
        let router = Router::new(name, kind.subject(), &self.dir, &self.sandbox)?;
        if self.capture {
            self.captures.extend(capture(&router));
        }
        self.routers.push(router.clone());
        Ok(router)
    }

    /// Joins two routers by a cable; addresses are separated by spaces. Returns the two interface names.
    pub fn link(&mut self, a: &Router, a_addrs: &str, b: &Router, b_addrs: &str) -> Result<(String, String)> {
        let (if_a, if_b) = (a.take_interface(), b.take_interface());
        let (ns_a, ns_b) = (a.netns(), b.netns());
        let make = format!("link add {if_a} netns {ns_a} type veth peer name {if_b} netns {ns_b}");
        run(self.sandbox.command("ip").args(make.split_whitespace()))?;
        self.links += 1;
        bring_up(a, &if_a, a_addrs)?;
        bring_up(b, &if_b, b_addrs)?;
        Ok((if_a, if_b))
    }

    /// Joins any number of routers by a switch of that name. Returns the interface name of each.
    pub fn lan(&mut self, name: &str, members: &[(&Router, &str)]) -> Result<Vec<String>> {
        let ip = |args: String| run(self.sandbox.command("ip").args(args.split_whitespace()));
        ip(format!("link add {name} type bridge"))?;
        ip(format!("link set {name} up"))?;
        let mut names = Vec::new();
        for (index, (router, addrs)) in members.iter().enumerate() {
            let (interface, port) = (router.take_interface(), format!("{name}.{index}"));
            ip(format!("link add {interface} netns {} type veth peer name {port}", router.netns()))?;
            ip(format!("link set {port} master {name}"))?;
            ip(format!("link set {port} up"))?;
            bring_up(router, &interface, addrs)?;
            names.push(interface);
        }
        Ok(names)
    }

    /// Adds addresses to a router's loopback.
    pub fn loopback(&self, router: &Router, addrs: &str) -> Result<()> {
        bring_up(router, "lo", addrs)
    }

    /// Adds a port with nothing behind it, always up: a network to announce or to point static routes at.
    pub fn stub(&self, router: &Router, name: &str, addrs: &str) -> Result<()> {
        // A bridge without ports has no carrier; a cable to nowhere has, on any kernel.
        router.ip(&format!("link add {name} type veth peer name {name}.far"))?;
        router.ip(&format!("link set {name}.far up"))?;
        bring_up(router, name, addrs)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for capture in &mut self.captures {
            let _ = capture.kill();
            let _ = capture.wait();
        }
    }
}

fn bring_up(router: &Router, interface: &str, addrs: &str) -> Result<()> {
    for addr in addrs.split_whitespace() {
        let nodad = if addr.contains(':') { " nodad" } else { "" };
        router.ip(&format!("address add {addr} dev {interface}{nodad}"))?;
    }
    router.ip(&format!("link set {interface} up")).map(drop)
}

/// Records the router's packets when tcpdump is there; without it a test is worth as much, only harder to explain.
fn capture(router: &Router) -> Option<Child> {
    let known = Command::new("tcpdump").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    known.ok().filter(|s| s.success())?;
    let file = router.dir().join("log/all.pcap");
    router
        .host_command("tcpdump")
        .args(["-i", "any", "-U", "-n", "-Z", "root", "-c", CAPTURE_PACKETS, "-w"])
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}
