//! GoBGP, read through its client's JSON.

use std::time::Duration;

use serde_json::Value;

use super::{BgpRoute, BgpTable};
use crate::failure::{Failure, Result};
use crate::kernel::Family;
use crate::router::Router;
use crate::wait::wait_until;

pub fn start(router: &Router, config: &str) -> Result<()> {
    let path = router.write("etc/gobgpd.toml", config)?;
    let args = ["-f", &path, "--log-level", "debug", "--pprof-disable"].map(Into::into);
    router.start_foreground("/usr/bin/gobgpd", &args, &[])?;
    wait_until(Duration::from_secs(20), "gobgpd answers", || router.gobgp("neighbor").map(drop))
}

impl Router {
    /// What `gobgp -j` says, read; `null` when it says nothing.
    pub fn gobgp(&self, command: &str) -> Result<Value> {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("-j");
        let text = self.run("gobgp", &args)?;
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|e| Failure::new(format!("gobgp {command}: {e} in {text:?}")))
    }

    /// `gobgp` for its effect: adding and deleting paths.
    pub fn gobgp_do(&self, command: &str) -> Result<()> {
        let args: Vec<&str> = command.split_whitespace().collect();
        self.run("gobgp", &args).map(drop)
    }
}

pub fn bgp_established(router: &Router, neighbor: &str) -> Result<()> {
    const ESTABLISHED: u64 = 6;
    let all = router.gobgp("neighbor")?;
    let state_of = |peer: &Value| {
        let state = peer.get("state")?;
        (state.get("neighbor_address")?.as_str()? == neighbor)
            .then(|| state.get("session_state")?.as_u64())
            .flatten()
    };
    let state = all.as_array().into_iter().flatten().find_map(state_of);
    crate::ensure!(state == Some(ESTABLISHED), "{}: {neighbor} is in state {state:?}", router.name());
    Ok(())
}

pub fn bgp_table(router: &Router, family: Family) -> Result<BgpTable> {
    let json = router.gobgp(&format!("global rib -a {}", family.word()))?;
    let mut table = BgpTable::new();
    for (prefix, paths) in json.as_object().into_iter().flatten() {
        let best = paths
            .as_array()
            .into_iter()
            .flatten()
            .find(|p| p.get("best").and_then(Value::as_bool) == Some(true));
        if let Some(path) = best {
            table.insert(prefix.clone(), read_path(path));
        }
    }
    Ok(table)
}

fn read_path(path: &Value) -> BgpRoute {
    let mut route = BgpRoute::default();
    for attr in path.get("attrs").and_then(Value::as_array).into_iter().flatten() {
        let value = || attr.get("value").and_then(Value::as_u64).map(|n| n as u32);
        let hop = || attr.get("nexthop").and_then(Value::as_str).unwrap_or_default().to_owned();
        match attr.get("type").and_then(Value::as_u64) {
            Some(2) => route.as_path = as_path(attr),
            Some(3 | 14) => route.next_hop = hop(),
            Some(4) => route.med = attr.get("metric").and_then(Value::as_u64).map(|n| n as u32),
            Some(5) => route.local_pref = value(),
            Some(8) => route.communities = communities(attr),
            _ => {}
        }
    }
    route
}

fn as_path(attr: &Value) -> String {
    let segments = attr.get("as_paths").and_then(Value::as_array).into_iter().flatten();
    let numbers = segments.filter_map(|s| s.get("asns").and_then(Value::as_array)).flatten();
    numbers.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn communities(attr: &Value) -> Vec<String> {
    let list = attr.get("communities").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_u64).map(|c| format!("{}:{}", c >> 16, c & 0xffff)).collect()
}
