//! Routers that speak OSPF: ours and FRR's on one configuration, BIRD on its own; what they know of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{bird, frr, ours};
use topotests::{Failure, Family, Kind, Result, Router, ensure, wait_until};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// Starts what a router is, on its configuration. Ours serves both versions in one program.
pub fn start(router: &Router, config: &str) -> Result<()> {
    match router.kind() {
        Kind::Frr => {
            frr::start_daemons(router, config, &["zebra", "mgmtd", "staticd", "ospfd", "ospf6d"], &[])
        }
        Kind::Bird => bird::start(router, config),
        _ => ours::start_daemons(router, config, &[("zebra", &[]), ("ospfd", &[])], "debugging"),
    }
}

/// Router IDs of the neighbours that are fully adjacent, as a router sees them; one that is adjacent twice counts once.
pub fn full(router: &Router, version: u8) -> Result<BTreeSet<String>> {
    match (router.kind(), version) {
        (Kind::Bird, _) => {
            let text = router.birdc(&format!("show ospf neighbors ospf{version}"))?;
            let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let full = rows.filter(|row| row.get(2).is_some_and(|state| state.starts_with("Full/")));
            Ok(full.filter_map(|row| Some((*row.first()?).to_owned())).collect())
        }
        (_, 2) => {
            let json = router.vtysh_json("show ip ospf neighbor json")?;
            let all = json["neighbors"].as_object().cloned().unwrap_or_default();
            let is_full = |rows: &Value| {
                rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["converged"] == "Full"))
            };
            Ok(all.into_iter().filter(|(_, rows)| is_full(rows)).map(|(id, _)| id).collect())
        }
        _ => {
            let json = router.vtysh_json("show ipv6 ospf6 neighbor json")?;
            let rows = json["neighbors"].as_array().cloned().unwrap_or_default();
            let full = rows.into_iter().filter(|row| row["state"] == "Full");
            Ok(full.filter_map(|row| Some(row["neighborId"].as_str()?.to_owned())).collect())
        }
    }
}

/// Waits until a router is fully adjacent with these and no others.
pub fn adjacent(router: &Router, version: u8, neighbors: &[&str]) -> Result<()> {
    let wanted: BTreeSet<String> = neighbors.iter().map(|id| (*id).to_owned()).collect();
    wait_until(PATIENCE, &format!("OSPFv{version} of {} is adjacent", router.name()), || {
        let found = full(router, version)?;
        ensure!(found == wanted, "{found:?}, not {wanted:?}");
        Ok(())
    })
}

/// Routes of OSPF in a router's kernel: prefix, metric, next hops.
pub type Routes = BTreeMap<String, (u64, BTreeSet<(String, String)>)>;

/// What a router's kernel has of OSPF.
pub fn kernel(router: &Router, family: Family) -> Result<Routes> {
    let routes = router.kernel_routes(family)?;
    let ospf = routes.into_iter().filter(|(_, route)| matches!(route.protocol.as_str(), "ospf" | "bird"));
    Ok(ospf.map(|(prefix, route)| (prefix, (route.metric, route.nexthops))).collect())
}

/// Waits until a router's kernel has, among others, a route of OSPF for each of these.
pub fn has(router: &Router, family: Family, prefixes: &[&str]) -> Result<()> {
    wait_until(PATIENCE, &format!("{} has its routes", router.name()), || {
        let found = kernel(router, family)?;
        let lacking: Vec<&&str> = prefixes.iter().filter(|prefix| !found.contains_key(**prefix)).collect();
        ensure!(lacking.is_empty(), "without {lacking:?}: {:?}", found.keys());
        Ok(())
    })
}

/// How two JSON documents differ: paths with what is there and what ought to be. Keys that are left out are named.
pub fn differences(ours: &Value, theirs: &Value, leave_out: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    compare("$", ours, theirs, leave_out, &mut found);
    found
}

fn compare(path: &str, ours: &Value, theirs: &Value, leave_out: &[&str], found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let below = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(x), Some(y)) if leave_out.contains(&key.as_str()) => {
                        // Its value is not compared, its type is.
                        let null = x.is_null() || y.is_null();
                        if !null && std::mem::discriminant(x) != std::mem::discriminant(y) {
                            found.push(format!("{below}: {x} is no {y}"));
                        }
                    }
                    (Some(x), Some(y)) => compare(&below, x, y, leave_out, found),
                    // What is left out may be there or not.
                    (Some(_), None) | (None, Some(_)) if leave_out.contains(&key.as_str()) => {}
                    (Some(x), None) => found.push(format!("{below}: {x} is ours alone")),
                    (None, Some(y)) => found.push(format!("{below}: {y} is missing")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                found.push(format!("{path}: {} elements, not {}", a.len(), b.len()));
            }
            for (at, (x, y)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), x, y, leave_out, found);
            }
        }
        (a, b) if a != b => found.push(format!("{path}: {a}, not {b}")),
        _ => {}
    }
}

/// A failure with all that was found.
pub fn all_alike(what: &str, found: &[String]) -> Result<()> {
    if found.is_empty() { Ok(()) } else { Err(Failure::new(format!("{what}:\n  {}", found.join("\n  ")))) }
}
