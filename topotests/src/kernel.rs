//! Reads a router's kernel tables through `ip -json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::router::Router;

/// Address family, for commands and tables that exist once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

    /// The option of `ip`.
    pub fn option(self) -> &'static str {
        match self {
            Family::V4 => "-4",
            Family::V6 => "-6",
        }
    }

    /// As FRR's commands name it: `show bgp ipv4 unicast`.
    pub fn word(self) -> &'static str {
        match self {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        }
    }
}

/// A route of the kernel as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelRoute {
    /// With its length, hosts too: `192.0.2.1/32`, `0.0.0.0/0`.
    pub prefix: String,
    /// `unicast`, `blackhole`, `unreachable`, `prohibit`, …
    pub kind: String,
    pub protocol: String,
    pub metric: u64,
    /// Gateway and interface of each next hop, sorted; either may be empty.
    pub nexthops: BTreeSet<(String, String)>,
}

impl KernelRoute {
    pub fn gateways(&self) -> Vec<&str> {
        self.nexthops.iter().map(|(gateway, _)| gateway.as_str()).filter(|g| !g.is_empty()).collect()
    }
}

impl Router {
    /// The main table of a family, by prefix; of several routes to one prefix, the one of least metric.
    pub fn kernel_routes(&self, family: Family) -> Result<BTreeMap<String, KernelRoute>> {
        let text = self.ip(&format!("-json -details {} route show table main", family.option()))?;
        let value: Value =
            if text.trim().is_empty() { Value::Array(Vec::new()) } else { serde_json::from_str(&text)? };
        let rows = value.as_array().ok_or("ip -json route: not a list")?;
        let mut routes = BTreeMap::new();
        for row in rows {
            let route = read(row, family);
            let better = routes.get(&route.prefix).is_none_or(|old: &KernelRoute| route.metric < old.metric);
            if better {
                routes.insert(route.prefix.clone(), route);
            }
        }
        Ok(routes)
    }

    /// One route of the main table.
    pub fn kernel_route(&self, prefix: &str) -> Result<KernelRoute> {
        let family = if prefix.contains(':') { Family::V6 } else { Family::V4 };
        let routes = self.kernel_routes(family)?;
        let listed = || routes.keys().map(String::as_str).take(30).collect::<Vec<_>>().join(" ");
        let missing = || Failure::new(format!("{}: kernel has no {prefix}, only {}", self.name(), listed()));
        routes.get(prefix).cloned().ok_or_else(missing)
    }

    /// Fails unless the kernel sends `prefix` to exactly these gateways.
    pub fn kernel_route_via(&self, prefix: &str, gateways: &[&str]) -> Result<()> {
        let route = self.kernel_route(prefix)?;
        let mut want: Vec<&str> = gateways.to_vec();
        want.sort_unstable();
        let mut have = route.gateways();
        have.sort_unstable();
        crate::ensure!(have == want, "{}: kernel sends {prefix} to {have:?}, not {want:?}", self.name());
        Ok(())
    }

    /// Fails if the kernel has the prefix.
    pub fn kernel_lacks(&self, prefix: &str) -> Result<()> {
        let family = if prefix.contains(':') { Family::V6 } else { Family::V4 };
        match self.kernel_routes(family)?.get(prefix) {
            None => Ok(()),
            Some(route) => Err(Failure::new(format!("{}: kernel still has {route:?}", self.name()))),
        }
    }

    /// How many routes the kernel's main table holds that `protocol` put there; quick for whole tables.
    pub fn kernel_count(&self, family: Family, protocol: &str) -> Result<usize> {
        let text = self.ip(&format!("{} route show table main proto {protocol}", family.option()))?;
        Ok(text.lines().filter(|l| !l.starts_with([' ', '\t']) && !l.is_empty()).count())
    }
}

fn read(row: &Value, family: Family) -> KernelRoute {
    let field = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut nexthops: BTreeSet<(String, String)> = BTreeSet::new();
    match row.get("nexthops").and_then(Value::as_array) {
        Some(list) => nexthops.extend(list.iter().map(nexthop)),
        None => {
            nexthops.insert(nexthop(row));
        }
    }
    KernelRoute {
        prefix: full(&field("dst"), family),
        kind: row.get("type").and_then(Value::as_str).unwrap_or("unicast").to_owned(),
        protocol: field("protocol"),
        metric: row.get("metric").and_then(Value::as_u64).unwrap_or(0),
        nexthops,
    }
}

fn nexthop(value: &Value) -> (String, String) {
    let text = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or_default().to_owned();
    let via = value.get("via").and_then(|v| v.get("host"));
    (text(value.get("gateway").or(via)), text(value.get("dev")))
}

fn full(dst: &str, family: Family) -> String {
    match (dst, family) {
        ("default", Family::V4) => "0.0.0.0/0".to_owned(),
        ("default", Family::V6) => "::/0".to_owned(),
        (d, _) if d.contains('/') => d.to_owned(),
        (d, Family::V4) => format!("{d}/32"),
        (d, Family::V6) => format!("{d}/128"),
    }
}
