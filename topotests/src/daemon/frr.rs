//! FRR: zebra, mgmtd, staticd and bgpd on one integrated configuration; and its JSON, which is ours too.

use serde_json::Value;

use super::{BgpRoute, BgpTable, ours};
use crate::failure::{Failure, Result};
use crate::kernel::Family;
use crate::router::{INSIDE, Kind, Router};
use crate::sandbox::run;

/// Daemons of an ordinary router; `staticd` needs `mgmtd` since FRR 10.
const DAEMONS: &[&str] = &["zebra", "mgmtd", "staticd", "bgpd"];

pub fn start(router: &Router, config: &str) -> Result<()> {
    start_daemons(router, config, DAEMONS, &[])
}

/// Starts some daemons only; `bgpd_args` go to bgpd.
pub fn start_daemons(router: &Router, config: &str, daemons: &[&str], bgpd_args: &[&str]) -> Result<()> {
    let args = |daemon: &str| if daemon == "bgpd" { bgpd_args } else { &[] };
    let daemons: Vec<(&str, &[&str])> = daemons.iter().map(|daemon| (*daemon, args(daemon))).collect();
    start_with(router, config, &daemons)
}

/// Starts daemons, each with arguments of its own.
pub fn start_with(router: &Router, config: &str, daemons: &[(&str, &[&str])]) -> Result<()> {
    let path = router.write("etc/frr.conf", config)?;
    let install =
        format!("mkdir -p /etc/frr && cp {path} /etc/frr/frr.conf && chown frr:frr /etc/frr/frr.conf");
    router.run(
        "sh",
        &["-c", &format!("{install} && echo service integrated-vtysh-config > /etc/frr/vtysh.conf")],
    )?;
    for (daemon, more) in daemons {
        let mut args: Vec<String> = ["-d", "-A", "127.0.0.1"].iter().map(ToString::to_string).collect();
        args.push(format!("--log=file:{INSIDE}/log/{daemon}.log"));
        args.extend(more.iter().map(ToString::to_string));
        router.start_daemon(&format!("/usr/lib/frr/{daemon}"), &args, &[])?;
    }
    router.run("vtysh", &["-b"]).map(drop)
}

impl Router {
    /// A command for the router's `vtysh`, ours or FRR's.
    pub fn vtysh_command(&self) -> Result<std::process::Command> {
        if self.kind() != Kind::Ours {
            return Ok(self.command("vtysh"));
        }
        let vtysh = ours::binaries()?.join("vtysh");
        let mut cmd = self.command(&vtysh.to_string_lossy());
        cmd.envs(ours::environment()?);
        Ok(cmd)
    }

    /// What `vtysh -c` prints on standard output.
    pub fn vtysh(&self, command: &str) -> Result<String> {
        run(self.vtysh_command()?.args(["-c", command]))
            .map_err(|e| e.during(&format!("{}: {command}", self.name())))
    }

    /// What a `show ... json` prints, read.
    pub fn vtysh_json(&self, command: &str) -> Result<Value> {
        let text = self.vtysh(command)?;
        let bad = |e| Failure::new(format!("{}: {command}: {e} in {:?}", self.name(), head(&text)));
        serde_json::from_str(&text).map_err(bad)
    }

    /// Lines typed in configuration mode.
    pub fn configure(&self, lines: &[&str]) -> Result<()> {
        let mut cmd = self.vtysh_command()?;
        cmd.args(["-c", "configure terminal"]);
        for line in lines {
            cmd.args(["-c", line]);
        }
        let said = run(&mut cmd)?;
        crate::ensure!(!said.contains('%'), "{}: {lines:?}: {}", self.name(), said.trim());
        Ok(())
    }

    /// Process number (in the sandbox) of a daemon of ours or FRR's.
    pub fn daemon_pid(&self, daemon: &str) -> Result<u32> {
        let text = self.run("cat", &[&format!("/run/frr/{daemon}.pid")])?;
        text.trim().parse().map_err(|_| Failure::new(format!("{daemon}.pid: {text:?}")))
    }
}

fn head(text: &str) -> String {
    text.chars().take(300).collect()
}

pub fn bgp_established(router: &Router, neighbor: &str) -> Result<()> {
    let all = router.vtysh_json("show bgp summary json")?;
    let families = all.as_object().ok_or("show bgp summary json: not an object")?;
    let peer =
        families.values().filter_map(|family| family.get("peers")).find_map(|peers| peers.get(neighbor));
    let state = peer.and_then(|p| p.get("state")).and_then(Value::as_str).unwrap_or("unknown");
    crate::ensure!(state == "Established", "{}: {neighbor} is {state}", router.name());
    Ok(())
}

pub fn bgp_table(router: &Router, family: Family) -> Result<BgpTable> {
    let json = router.vtysh_json(&format!("show bgp {} unicast json", family.word()))?;
    let mut table = BgpTable::new();
    let Some(routes) = json.get("routes").and_then(Value::as_object) else { return Ok(table) };
    for (prefix, paths) in routes {
        let best =
            paths.as_array().into_iter().flatten().find(|path| path.get("bestpath").is_some_and(is_best));
        if let Some(path) = best {
            table.insert(prefix.clone(), read_path(path));
        }
    }
    Ok(table)
}

/// `true` in a table, `{"overall": true, …}` for one prefix.
fn is_best(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.get("overall").and_then(Value::as_bool).unwrap_or(false))
}

fn read_path(path: &Value) -> BgpRoute {
    let number = |key: &str| path.get(key).and_then(Value::as_u64).map(|n| n as u32);
    let hops = path.get("nexthops").and_then(Value::as_array).into_iter().flatten();
    let used = |hop: &&Value| hop.get("used").and_then(Value::as_bool).unwrap_or(false);
    let next_hop =
        hops.filter(used).find_map(|hop| hop.get("ip")).and_then(Value::as_str).unwrap_or_default();
    BgpRoute {
        as_path: path.get("path").and_then(Value::as_str).unwrap_or_default().to_owned(),
        next_hop: next_hop.to_owned(),
        local_pref: number("locPrf"),
        med: number("metric"),
        communities: Vec::new(), // FRR lists them only for a single prefix
    }
}
