//! Two routers with one configuration, each in a world of its own; what is compared of them.

mod clauses;

use std::time::Duration;

use serde_json::{Map, Value, json};
use topotests::{Kind, Net, Result, Router, ensure, wait_until};

pub use clauses::clauses;

const PATIENCE: Duration = Duration::from_secs(40);

/// The neighbours: addresses end in these numbers, views are named after them.
const SPEAKERS: [(&str, u8); 5] = [("S1", 2), ("S2", 3), ("I", 4), ("R", 5), ("J", 6)];

/// Whose tables are compared. FRR tells a route back to its sender where the sender shares a group with others; ours never.
const LISTENERS: [&str; 3] = ["I", "R", "J"];

/// An edit of the configuration, taken back before the next.
pub struct Step {
    family: Option<&'static str>,
    line: &'static str,
    changes: bool,
    clear: bool,
    /// Of the line's neighbour.
    new_session: bool,
    /// A table and a prefix that must be in it then.
    says: Option<(&'static str, &'static str)>,
}

impl Step {
    /// Under `address-family ipv4 unicast`.
    pub fn family(line: &'static str) -> Step {
        Step { family: Some("ipv4 unicast"), ..Step::router(line) }
    }

    /// Under `address-family ipv6 unicast`.
    pub fn family_v6(line: &'static str) -> Step {
        Step { family: Some("ipv6 unicast"), ..Step::router(line) }
    }

    /// Under `router bgp`.
    pub fn router(line: &'static str) -> Step {
        Step { family: None, line, changes: true, clear: false, new_session: false, says: None }
    }

    /// The edit shows nowhere among these routes, and must not.
    pub fn changes_nothing(self) -> Step {
        Step { changes: false, ..self }
    }

    /// FRR applies it to what is already there only on an operator's word.
    pub fn cleared(self) -> Step {
        Step { clear: true, ..self }
    }

    /// What it must lead to.
    pub fn says(self, table: &'static str, prefix: &'static str) -> Step {
        Step { says: Some((table, prefix)), ..self }
    }

    /// FRR tells a route again only if what it takes of its attributes for their hash has changed: not after an `as-path
    /// exclude`, for one. A new session is told everything.
    pub fn with_a_new_session(self) -> Step {
        Step { new_session: true, ..self }
    }

    fn apply(&self, router: &Router, line: &str) -> Result<()> {
        let family = self.family.map(|family| format!("address-family {family}"));
        let lines: Vec<&str> =
            ["router bgp 1001"].into_iter().chain(family.as_deref()).chain([line]).collect();
        router.configure(&lines)?;
        if self.clear {
            for family in ["ipv4", "ipv6"] {
                router.vtysh(&format!("clear bgp {family} unicast * soft"))?;
            }
        }
        if let Some(neighbor) = self.line.split(' ').nth(1).filter(|_| self.new_session) {
            router.vtysh(&format!("clear bgp {neighbor}"))?;
        }
        Ok(())
    }

    fn undone(&self) -> String {
        if let Some((words, _)) = self.line.split_once(" discard ") {
            return format!("no {words} discard"); // FRR takes one number at most here
        }
        self.line.strip_prefix("no ").map_or_else(|| format!("no {}", self.line), str::to_owned)
    }
}

struct Side {
    subject: Router,
    world: Router,
}

pub struct Twins {
    ours: Side,
    theirs: Side,
}

/// The subject: everybody connects to it.
fn subject(behind: &str) -> String {
    let mut text = format!(
        "{}{behind}router bgp 1001\n bgp router-id 192.0.2.1\n no bgp ebgp-requires-policy\n no bgp network import-check\n \
         bgp bestpath compare-routerid\n no bgp reject-as-sets\n",
        clauses::LISTS
    );
    for (name, n) in SPEAKERS {
        let asn = asn(name);
        text += &format!(" neighbor 10.0.0.{n} remote-as {asn}\n neighbor 10.0.0.{n} passive\n");
    }
    text + " address-family ipv4 unicast\n  network 172.16.0.0/16\n  distance 33 10.0.0.3/32\n  distance 34 10.0.0.2/32 10\n exit-address-family\n \
            address-family ipv6 unicast\n  neighbor 10.0.0.2 activate\n  neighbor 10.0.0.5 activate\n  \
            neighbor 10.0.0.6 activate\n exit-address-family\nexit\n"
}

fn asn(speaker: &str) -> u32 {
    match speaker {
        "S1" => 1002,
        "S2" => 1003,
        "R" => 1005,
        _ => 1001,
    }
}

/// A network with the AS path behind the speaker's own number (or the whole path, of a transparent one) and its MED.
type Announced = (&'static str, &'static str, Option<u32>);

const OF_S1: &[Announced] = &[
    ("10.1.0.0/16", "1100", Some(10)),
    ("10.2.0.0/16", "64512 1100", None),
    ("10.3.0.0/16", "64512 64513", Some(5)),
    ("10.4.0.0/16", "1001 1100", None),
    ("10.5.0.0/16", "1100 1005", None),
    ("10.6.0.0/16", "", Some(30)),
    ("10.7.0.0/16", "1100 1200", Some(50)),
    ("10.8.0.0/16", "1100", None),
    ("10.15.0.0/16", "1100", None),
    ("10.9.0.0/16", "1001 1001 1001", None),
    ("10.32.1.0/24", "1100 1200", Some(1)),
    ("10.32.2.0/24", "1100 1300", Some(1)),
    ("10.34.1.0/24", "1100", Some(9)),
    ("10.34.2.0/24", "1100", Some(9)),
];

/// What the route server announces: with the first AS of others, and along with S1.
const OF_S2: &[Announced] = &[
    ("10.1.0.0/16", "1003 1300", Some(5)),
    ("10.6.0.0/16", "1003", None),
    ("10.7.0.0/16", "1003 1300", Some(60)),
    ("10.8.0.0/16", "1003 1300 1400", None),
    ("10.12.0.0/16", "1400 1003", None),
    ("10.32.3.0/24", "1003 1400", Some(2)),
    ("10.32.10.0/24", "1003 1400", Some(2)),
];

const OF_I: &[Announced] = &[
    ("10.1.0.0/16", "1300 1100", Some(7)),
    ("10.8.0.0/16", "1300", None),
    ("10.13.0.0/16", "", None),
    ("10.15.0.0/16", "1002 1300", Some(20)),
    ("10.16.0.0/16", "64512 64513", None),
    ("10.14.0.0/16", "1100 1001", None),
];

/// One daemon, a view for each neighbour of the subject.
fn world() -> String {
    let mut text = String::new();
    let own = |name: &str| match name {
        "S1" => OF_S1,
        "S2" => OF_S2,
        "I" => OF_I,
        _ => &[],
    };
    for (name, n) in SPEAKERS {
        let mut networks = String::new();
        for (index, (prefix, path, med)) in own(name).iter().enumerate() {
            networks += &format!("  network {prefix} route-map {name}-{index}\n");
            text += &format!("route-map {name}-{index} permit 10\n");
            if !path.is_empty() {
                text += &format!(" set as-path prepend {path}\n");
            }
            if let Some(med) = med {
                text += &format!(" set metric {med}\n");
            }
            text += &format!(
                " set community {n}:{index} 1002:1\n set large-community {n}:1:{index}\n set extcommunity rt {n}:{index}\nexit\n"
            );
        }
        if name == "S1" {
            text += &clauses::announced_map();
            networks += &clauses::announced();
            networks += "  network 10.33.1.0/24 route-map SET-1\n  network 10.33.2.0/24 route-map SET-2\n  \
                         aggregate-address 10.33.0.0/16 as-set summary-only\n";
        }
        let networks_v6 = if name == "S1" { clauses::announced_v6() } else { String::new() };
        if name == "I" {
            networks +=
                "  network 10.35.1.0/24 route-map FOR-R1\n  network 10.35.2.0/24 route-map FOR-OTHERS\n";
        }
        if name == "S2" {
            networks += "  neighbor 10.0.0.1 route-server-client\n";
        }
        text += &format!(
            "router bgp {asn} view {name}\n bgp router-id 192.0.2.{id}\n no bgp ebgp-requires-policy\n \
             no bgp network import-check\n no bgp reject-as-sets\n no bgp enforce-first-as\n \
             neighbor 10.0.0.1 remote-as 1001\n neighbor 10.0.0.1 update-source 10.0.0.{n}\n neighbor 10.0.0.1 timers connect 1\n \
             address-family ipv4 unicast\n{networks}  neighbor 10.0.0.1 allowas-in 10\n exit-address-family\n \
             address-family ipv6 unicast\n{networks_v6}  neighbor 10.0.0.1 activate\n exit-address-family\nexit\n",
            asn = asn(name),
            id = n,
        );
    }
    text + "route-map SET-1 permit 10\n set as-path prepend 1100\nexit\nroute-map SET-2 permit 10\n set as-path prepend 1200\nexit\n\
            route-map FOR-R1 permit 10\n set extcommunity nt 192.0.2.9:0 192.0.2.1:0\nexit\n\
            route-map FOR-OTHERS permit 10\n set extcommunity nt 192.0.2.9:0\nexit\n"
}

/// Both subjects with `behind` before `router bgp`, among neighbours that are up.
pub fn twins(net: &mut Net, behind: &str) -> Result<Twins> {
    let mut side = |n: u8, kind: Kind| -> Result<Side> {
        let subject_router = net.router(&format!("r{n}"), kind)?;
        let world_router = net.router(&format!("w{n}"), Kind::Frr)?;
        let addrs: String = SPEAKERS.iter().map(|(_, n)| format!("10.0.0.{n}/24 ")).collect();
        let (own, others) = ("10.0.0.1/24 2001:db8::1/64", addrs + "2001:db8::2/64");
        net.link(&subject_router, own, &world_router, &others)?;
        net.stub(&subject_router, "stub", "172.22.0.1/24")?;
        for table in [20, 21] {
            subject_router.ip(&format!("route add 172.{table}.0.0/16 via 172.22.0.9 table {table}"))?;
        }
        topotests::daemon::frr::start_daemons(&world_router, &world(), &["zebra", "bgpd"], &[])?;
        subject_router.start(&subject(behind))?;
        Ok(Side { subject: subject_router, world: world_router })
    };
    Ok(Twins { ours: side(1, Kind::Ours)?, theirs: side(2, Kind::Frr)? })
}

/// Every step on both, compared after it and after its end.
pub fn steps(twins: &Twins, steps: &[Step]) -> Result<()> {
    let base = wait_until(PATIENCE, "both begin with the same", || twins.agree())?;
    let mut faults = Vec::new();
    for step in steps {
        if let Err(fault) = one(twins, step, &base) {
            faults.push(format!("{}: {fault}", step.line));
        }
        for side in [&twins.ours, &twins.theirs] {
            step.apply(&side.subject, &step.undone())?;
        }
        let undone = wait_until(PATIENCE, &format!("as before after {}", step.undone()), || {
            let now = twins.agree()?;
            ensure!(now == base, "{}", difference(&base, &now));
            Ok(())
        });
        if let Err(fault) = undone {
            faults.push(fault.to_string());
            break;
        }
    }
    ensure!(faults.is_empty(), "{} of {} steps:\n{}", faults.len(), steps.len(), faults.join("\n"));
    Ok(())
}

fn one(twins: &Twins, step: &Step, base: &Value) -> Result<()> {
    for side in [&twins.ours, &twins.theirs] {
        step.apply(&side.subject, step.line)?;
    }
    wait_until(Duration::from_secs(12), "both are the same", || {
        let now = twins.agree()?;
        ensure!(
            step.changes == (now != *base),
            "{}",
            if step.changes { "nothing has changed".into() } else { difference(base, &now) }
        );
        if let Some((table, prefix)) = step.says {
            ensure!(!now[table][prefix].is_null(), "{table} has no {prefix}");
        }
        Ok(())
    })
}

impl Twins {
    /// Lines for both, which stay.
    pub fn configure(&self, lines: &[&str]) -> Result<()> {
        [&self.ours, &self.theirs].into_iter().try_for_each(|side| side.subject.configure(lines))
    }

    /// The state of both, if it is the same.
    fn agree(&self) -> Result<Value> {
        let (theirs, ours) = (self.theirs.state()?, self.ours.state()?);
        ensure!(ours == theirs, "FRR | ours:\n{}", difference(&theirs, &ours));
        Ok(theirs)
    }
}

impl Side {
    /// The subject's tables, and what each neighbour has of it.
    fn state(&self) -> Result<Value> {
        let mut all = Map::new();
        let table = self.subject.vtysh_json("show bgp ipv4 unicast detail json")?;
        all.insert("table".to_owned(), routes(&table, true));
        let table = self.subject.vtysh_json("show bgp ipv6 unicast detail json")?;
        all.insert("table of IPv6".to_owned(), routes(&table, true));
        all.insert("rib".to_owned(), rib(&self.subject.vtysh_json("show ip route bgp json")?));
        for name in LISTENERS {
            let heard = self.world.vtysh_json(&format!("show bgp view {name} ipv4 unicast detail json"))?;
            all.insert(name.to_owned(), routes(&heard, false));
        }
        for name in ["R", "J"] {
            let heard = self.world.vtysh_json(&format!("show bgp view {name} ipv6 unicast detail json"))?;
            all.insert(format!("{name} of IPv6"), routes(&heard, false));
        }
        for name in ["table", "J", "R", "table of IPv6", "R of IPv6"] {
            let some = all.get(name).and_then(Value::as_object).is_some_and(|routes| routes.len() > 5);
            ensure!(some, "{}: {name} is empty", self.subject.name());
        }
        Ok(Value::Object(all))
    }
}

/// What is compared of a path.
const KEYS: &[&str] = &[
    "origin",
    "metric",
    "locPrf",
    "weight",
    "valid",
    "multipath",
    "atomicAggregate",
    "aggregatorAs",
    "aggregatorId",
    "sourced",
    "local",
    "aggregated",
    "suppressed",
    "aigpMetric",
    "originatorId",
    "tag",
    "loopedAsPath",
];

/// Of the subject everything; of a neighbour what came from the subject.
fn routes(table: &Value, own: bool) -> Value {
    let mut all = Map::new();
    for (prefix, route) in table["routes"].as_object().into_iter().flatten() {
        let paths = route["paths"].as_array().or_else(|| route.as_array());
        let mut found: Vec<Value> = Vec::new();
        for path in paths.into_iter().flatten() {
            if !own && path["peer"]["peerId"] != "10.0.0.1" {
                continue;
            }
            // Of more than two, FRR's word is for the comparison that happened to be last.
            found.push(told(path, own, paths.is_some_and(|paths| paths.len() == 2)));
        }
        found.sort_by_key(Value::to_string);
        if !found.is_empty() {
            all.insert(prefix.clone(), Value::Array(found));
        }
    }
    Value::Object(all)
}

fn told(path: &Value, own: bool, why: bool) -> Value {
    let mut kept = Map::new();
    for key in KEYS {
        // FRR calls a path that is not valid one of many.
        if !path[key].is_null() && (*key != "multipath" || path["valid"] == true) {
            kept.insert((*key).to_owned(), path[key].clone());
        }
    }
    for (name, pointer) in [
        ("path", "/aspath/string"),
        ("community", "/community/string"),
        ("large", "/largeCommunity/string"),
        ("clusters", "/clusterList/list"),
        ("peer", "/peer/peerId"),
    ] {
        if let Some(value) = path.pointer(pointer) {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    // FRR puts those that a map adds last, and sorts them when they come from a neighbour; ours are always in order.
    if let Some(words) = path.pointer("/extendedCommunity/string").and_then(Value::as_str) {
        let mut words: Vec<&str> = words.split(' ').collect();
        words.sort_unstable();
        kept.insert("extended".to_owned(), json!(words));
    }
    let hops: Vec<Value> = path["nexthops"].as_array().into_iter().flatten().map(hop).collect();
    kept.insert("hops".to_owned(), json!(hops));
    if own {
        kept.insert("best".to_owned(), json!(path.pointer("/bestpath/overall")));
    }
    if own && why {
        kept.insert("why".to_owned(), json!(path.pointer("/bestpath/selectionReason")));
    }
    Value::Object(kept)
}

/// Addresses of a link are not the same on both sides; one that a clause names is.
fn hop(hop: &Value) -> Value {
    match hop["ip"].as_str() {
        Some(addr) if addr.starts_with("fe80:") && addr != "fe80::99" => json!(["link-local", hop["used"]]),
        Some(addr) if hop["afi"] == "ipv6" => json!([addr, hop["used"]]),
        _ => hop["ip"].clone(),
    }
}

fn rib(table: &Value) -> Value {
    let mut all = Map::new();
    for (prefix, routes) in table.as_object().into_iter().flatten() {
        let rows = routes.as_array().into_iter().flatten().filter(|row| row["protocol"] == "bgp");
        let rows: Vec<Value> = rows
            .map(|row| {
                let hops = row["nexthops"].as_array().into_iter().flatten();
                let hops: Vec<Value> = hops.map(|hop| json!([hop["ip"], hop["weight"], hop["active"]])).collect();
                json!({"distance": row["distance"], "metric": row["metric"], "tag": row["tag"], "selected": row["selected"],
                    "hops": hops})
            })
            .collect();
        all.insert(prefix.clone(), Value::Array(rows));
    }
    Value::Object(all)
}

/// The prefixes that differ, a line for each table.
fn difference(before: &Value, after: &Value) -> String {
    let mut lines = Vec::new();
    for (table, routes) in before.as_object().into_iter().flatten() {
        let other = &after[table];
        let names = routes.as_object().into_iter().chain(other.as_object()).flat_map(Map::keys);
        let names: std::collections::BTreeSet<&String> = names.collect();
        for name in names.into_iter().filter(|name| routes[name.as_str()] != other[name.as_str()]) {
            lines.push(format!(
                "  {table} {name}:\n    {}\n    {}",
                routes[name.as_str()],
                other[name.as_str()]
            ));
        }
    }
    let count = lines.len();
    lines.truncate(40);
    format!("{count} differ\n{}", lines.join("\n"))
}
