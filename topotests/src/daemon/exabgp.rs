//! ExaBGP: announces what its configuration says, and tells what it hears as JSON lines of a process of its own.
//!
//! The configuration must contain `process heard { run /run/t/etc/heard.sh; encoder json; }` and, for each neighbour,
//! `api { processes [ heard ]; receive { parsed; update; } }`.

use serde_json::Value;

use super::{BgpRoute, BgpTable};
use crate::failure::Result;
use crate::kernel::Family;
use crate::router::{INSIDE, Router};

/// Its standard output stays open: ExaBGP takes a process that closes it for dead.
const HEARD: &str = "#!/bin/sh\nwhile read -r line; do echo \"$line\" >> /run/t/log/heard.json; done\n";

pub fn start(router: &Router, config: &str) -> Result<()> {
    let conf = router.write("etc/exabgp.conf", config)?;
    let script = router.write("etc/heard.sh", HEARD)?;
    router.run("chmod", &["755", &script])?;
    router.write("log/heard.json", "")?;
    router.run("chmod", &["666", &format!("{INSIDE}/log/heard.json")])?;
    let env = [("exabgp.daemon.user", "root"), ("exabgp.api.cli", "false"), ("exabgp.log.all", "true")];
    let env: Vec<(&str, String)> = env.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    router.start_foreground("/usr/sbin/exabgp", &[conf], &env).map(drop)
}

/// What was announced and not withdrawn since, over all neighbours.
pub fn bgp_table(router: &Router, family: Family) -> Result<BgpTable> {
    let heard = std::fs::read_to_string(router.dir().join("log/heard.json"))?;
    let mut table = BgpTable::new();
    for line in heard.lines() {
        // The last line may still be on its way.
        let Ok(json) = serde_json::from_str::<Value>(line) else { continue };
        if let Some(update) = json.pointer("/neighbor/message/update") {
            apply(&mut table, update, &format!("{} unicast", family.word()));
        }
    }
    Ok(table)
}

fn apply(table: &mut BgpTable, update: &Value, family: &str) {
    let prefixes = |list: &Value| -> Vec<String> {
        let nlri = |v: &Value| v.get("nlri").unwrap_or(v).as_str().map(str::to_owned);
        list.as_array().into_iter().flatten().filter_map(nlri).collect()
    };
    if let Some(list) = update.get("withdraw").and_then(|w| w.get(family)) {
        for prefix in prefixes(list) {
            table.remove(&prefix);
        }
    }
    let attributes = update.get("attribute");
    let number = |key: &str| attributes.and_then(|a| a.get(key)).and_then(Value::as_u64).map(|n| n as u32);
    let announced = update.get("announce").and_then(|a| a.get(family)).and_then(Value::as_object);
    for (next_hop, list) in announced.into_iter().flatten() {
        for prefix in prefixes(list) {
            let route = BgpRoute {
                as_path: attributes.and_then(|a| a.get("as-path")).map(as_path).unwrap_or_default(),
                next_hop: next_hop.clone(),
                local_pref: number("local-preference"),
                med: number("med"),
                communities: Vec::new(),
            };
            table.insert(prefix, route);
        }
    }
}

/// A plain list of numbers, or segments by their index, as newer versions write.
fn as_path(value: &Value) -> String {
    let mut numbers: Vec<String> = value.as_array().into_iter().flatten().map(ToString::to_string).collect();
    for segment in value.as_object().into_iter().flat_map(|o| o.values()) {
        let list = segment.get("value").and_then(Value::as_array).into_iter().flatten();
        numbers.extend(list.map(ToString::to_string));
    }
    numbers.join(" ")
}
