//! OpenBGPD (portable), read through `bgpctl -j`. It has no hand in Linux's kernel tables.

use std::time::Duration;

use serde_json::Value;

use super::{BgpRoute, BgpTable};
use crate::failure::{Failure, Result};
use crate::kernel::Family;
use crate::router::Router;
use crate::wait::wait_until;

pub fn start(router: &Router, config: &str) -> Result<()> {
    router.write("etc/bgpd.conf", config)?;
    // It insists on a configuration that only its owner can write.
    router.run("install", &["-o", "root", "-m", "0600", "/run/t/etc/bgpd.conf", "/etc/bgpd.conf"])?;
    router.start_foreground("/usr/sbin/bgpd", &["-d", "-v", "-f", "/etc/bgpd.conf"].map(Into::into), &[])?;
    wait_until(Duration::from_secs(20), "OpenBGPD answers", || router.bgpctl("show neighbor").map(drop))
}

impl Router {
    /// What `bgpctl -j` says, read.
    pub fn bgpctl(&self, command: &str) -> Result<Value> {
        let mut args = vec!["-j"];
        args.extend(command.split_whitespace());
        let text = self.run("bgpctl", &args)?;
        serde_json::from_str(&text).map_err(|e| Failure::new(format!("bgpctl {command}: {e} in {text:?}")))
    }
}

pub fn bgp_established(router: &Router, neighbor: &str) -> Result<()> {
    let all = router.bgpctl("show neighbor")?;
    let mut peers = all.get("neighbors").and_then(Value::as_array).into_iter().flatten();
    let is_it = |peer: &&Value| peer.get("remote_addr").and_then(Value::as_str) == Some(neighbor);
    let state = peers.find(is_it).and_then(|p| p.get("state")).and_then(Value::as_str).unwrap_or("unknown");
    crate::ensure!(state == "Established", "{}: {neighbor} is {state}", router.name());
    Ok(())
}

pub fn bgp_table(router: &Router, family: Family) -> Result<BgpTable> {
    let json =
        router.bgpctl(&format!("show rib {} detail", if family == Family::V4 { "ipv4" } else { "ipv6" }))?;
    let mut table = BgpTable::new();
    for row in json.get("rib").and_then(Value::as_array).into_iter().flatten() {
        let is_best = row.get("best").and_then(Value::as_bool) == Some(true);
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |key: &str| row.get(key).and_then(Value::as_u64).map(|n| n as u32);
        if is_best {
            let listed = row.get("communities").and_then(Value::as_array).into_iter().flatten();
            let route = BgpRoute {
                as_path: text("aspath"),
                next_hop: text("exit_nexthop"),
                local_pref: number("localpref"),
                med: number("metric"),
                communities: listed.filter_map(Value::as_str).map(str::to_owned).collect(),
            };
            table.insert(text("prefix"), route);
        }
    }
    Ok(table)
}
