//! The same network twice: in one the router in the middle is ours, in the other FRR's, with the same configuration, addresses and
//! neighbours (all FRR 10.3). What the neighbours have in their kernels and databases is compared line by line.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use topotests::{Family, Kind, Net, Result, Router, ensure, wait_until};

use super::speak::{self, PATIENCE, kernel, start};

/// Looks at both in a row that have to find them alike: each takes about half a second.
const STEADY: u32 = 12;

/// far (4.4.4.4) — middle (1.1.1.1) — inner (5.5.5.5).
pub struct Row {
    pub far: Router,
    pub middle: Router,
    pub inner: Router,
}

pub struct Mirror {
    versions: &'static [u8],
    /// Fields of LSAs that are not compared, and lines, by a part of theirs: where FRR differs from what its RFC says.
    pub fields_left_out: &'static [&'static str],
    pub lines_left_out: &'static [&'static str],
    pub ours: Row,
    pub theirs: Row,
}

/// Configuration and loopback addresses of one place in both networks.
pub struct Place<'a> {
    pub config: &'a str,
    pub loopback: &'a str,
}

/// Interface lines: `eth0` and so on, each with an area for both versions.
pub fn links(of: &[(&str, u32)]) -> String {
    let link = |(name, area): &(&str, u32)| {
        let network = if *name == "lo" {
            String::new()
        } else {
            " ip ospf network point-to-point\n ip ospf hello-interval 1\n ip ospf dead-interval 4
 ipv6 ospf6 network point-to-point\n ipv6 ospf6 hello-interval 1\n ipv6 ospf6 dead-interval 4\n"
                .to_owned()
        };
        format!("interface {name}\n ip ospf area {area}\n ipv6 ospf6 area {area}\n{network}exit\n")
    };
    of.iter().map(link).collect()
}

impl Mirror {
    /// Both networks, when all are adjacent in these versions.
    pub fn new(net: &mut Net, versions: &'static [u8], places: [Place<'_>; 3]) -> Result<Mirror> {
        net.without_capture();
        let ours = row(net, "1", Kind::Ours, &places)?;
        let theirs = row(net, "2", Kind::Frr, &places)?;
        for row in [&ours, &theirs] {
            for version in versions {
                speak::adjacent(&row.middle, *version, &["4.4.4.4", "5.5.5.5"])?;
            }
        }
        Ok(Mirror { versions, fields_left_out: &[], lines_left_out: &[], ours, theirs })
    }

    /// Types the same lines into both routers in the middle.
    pub fn configure(&self, lines: &[&str]) -> Result<()> {
        self.ours.middle.configure(lines)?;
        self.theirs.middle.configure(lines)
    }

    /// What FRR's neighbours have, and lack, ours have and lack; then all else of kernels and databases is the same.
    pub fn settled(&self, what: &str, far: &Expect, inner: &Expect) -> Result<()> {
        for row in [&self.theirs, &self.ours] {
            far.wait(what, &row.far)?;
            inner.wait(what, &row.inner)?;
        }
        wait_until(PATIENCE, what, || self.alike(what))
    }

    /// The same, and it stays so for longer than either takes to act on its configuration.
    pub fn stays(&self, what: &str, far: &Expect, inner: &Expect) -> Result<()> {
        self.settled(what, far, inner)?;
        // LSAs that change again within five seconds wait.
        let mut alike = 0;
        wait_until(PATIENCE, what, || {
            alike = if self.alike(what).is_ok() { alike + 1 } else { 0 };
            ensure!(alike >= STEADY, "alike {alike} times: {:?}", self.alike(what));
            Ok(())
        })
    }

    fn alike(&self, what: &str) -> Result<()> {
        let mut found = Vec::new();
        for (name, ours, theirs) in
            [("far", &self.ours.far, &self.theirs.far), ("inner", &self.ours.inner, &self.theirs.inner)]
        {
            let (ours, theirs) = (self.state(ours)?, self.state(theirs)?);
            found.extend(ours.difference(&theirs).map(|line| format!("{name}: ours alone: {line}")));
            found.extend(theirs.difference(&ours).map(|line| format!("{name}: FRR alone: {line}")));
        }
        speak::all_alike(what, &found)
    }

    /// A router's routes of OSPF and its LSAs, a line each, without what differs by time or chance.
    fn state(&self, router: &Router) -> Result<BTreeSet<String>> {
        let mut lines = BTreeSet::new();
        for family in [Family::V4, Family::V6] {
            let routes = kernel(router, family)?;
            // Of IPv6 the next hops are link-local addresses, which are made of those of the links.
            lines.extend(routes.iter().map(|(prefix, (metric, hops))| match family {
                Family::V4 => format!("route {prefix} metric {metric} {hops:?}"),
                Family::V6 => format!("route {prefix} metric {metric} {} hops", hops.len()),
            }));
        }
        for version in self.versions {
            let command = if *version == 2 { "show ip ospf" } else { "show ipv6 ospf6" };
            let database = router.vtysh_json(&format!("{command} database detail json"))?;
            self.collect(&format!("v{version}"), &database, &mut lines);
        }
        lines.retain(|line| !self.lines_left_out.iter().any(|part| line.contains(part)));
        Ok(lines)
    }

    /// Every object below that is an LSA, with the way to it.
    fn collect(&self, way: &str, value: &Value, lines: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) if fields.contains_key("advertisingRouter") => {
                lines.extend(line(way, fields, self.fields_left_out));
            }
            Value::Object(fields) => {
                let area = fields.get("areaId").and_then(Value::as_str).unwrap_or_default();
                for (key, value) in fields {
                    self.collect(&format!("{way} {area} {key}"), value, lines);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(way, item, lines)),
            _ => {}
        }
    }
}

fn row(net: &mut Net, number: &str, kind: Kind, [far, middle, inner]: &[Place<'_>; 3]) -> Result<Row> {
    let row = Row {
        far: net.router(&format!("far{number}"), Kind::Frr)?,
        middle: net.router(&format!("middle{number}"), kind)?,
        inner: net.router(&format!("inner{number}"), Kind::Frr)?,
    };
    net.link(&row.far, "10.0.0.4/24 2001:db8:0::4/64", &row.middle, "10.0.0.1/24 2001:db8:0::1/64")?;
    net.link(&row.middle, "10.1.0.1/24 2001:db8:1::1/64", &row.inner, "10.1.0.5/24 2001:db8:1::5/64")?;
    for (router, place) in [(&row.far, far), (&row.middle, middle), (&row.inner, inner)] {
        net.loopback(router, place.loopback)?;
    }
    start(&row.far, far.config)?;
    start(&row.inner, inner.config)?;
    start(&row.middle, middle.config)?;
    Ok(row)
}

/// Prefixes of both families that a kernel is to have from OSPF, and to lack.
#[derive(Default)]
pub struct Expect {
    pub has: &'static str,
    pub lacks: &'static str,
}

impl Expect {
    pub fn wait(&self, what: &str, router: &Router) -> Result<()> {
        wait_until(PATIENCE, &format!("{what}: routes of {}", router.name()), || {
            let mut found = kernel(router, Family::V4)?;
            found.extend(kernel(router, Family::V6)?);
            let missing: Vec<String> =
                prefixes(self.has).filter(|prefix| !found.contains_key(prefix)).collect();
            let extra: Vec<String> =
                prefixes(self.lacks).filter(|prefix| found.contains_key(prefix)).collect();
            ensure!(
                missing.is_empty() && extra.is_empty(),
                "without {missing:?}, with {extra:?}: {:?}",
                found.keys()
            );
            Ok(())
        })
    }
}

/// Words as the kernel's prefixes: an address is one of its full length.
fn prefixes(words: &str) -> impl Iterator<Item = String> {
    words.split_whitespace().map(|word| match (word.contains('/'), word.contains(':')) {
        (true, _) => word.to_owned(),
        (false, true) => format!("{word}/128"),
        (false, false) => format!("{word}/32"),
    })
}

fn line(way: &str, fields: &Map<String, Value>, left_out: &[&str]) -> Option<String> {
    // By time, and by whom an LSA was heard from.
    const LEFT_OUT: [&str; 7] =
        ["lsaAge", "age", "lsaSeqNumber", "lsSequenceNumber", "checksum", "duration", "lsaFlags"];
    let mut fields = fields.clone();
    fields.retain(|key, _| !LEFT_OUT.contains(&key.as_str()) && !left_out.contains(&key.as_str()));
    match fields.get("type").and_then(Value::as_str) {
        // Link-local addresses are in it.
        Some("Link") => return None,
        // Numbers that a router gives as it likes (RFC 5340 §4.4.3.4, §4.4.3.6).
        Some("Inter-Prefix" | "Inter-Router" | "AS-External" | "NSSA") => {
            fields.remove("linkStateId");
        }
        _ => {}
    }
    // Nor does the order of links say anything.
    if let Some(Value::Object(links)) = fields.get("routerLinks") {
        let sorted: BTreeSet<String> = links.values().map(ToString::to_string).collect();
        fields.insert("routerLinks".into(), sorted.into_iter().collect());
    }
    Some(format!("{way} {}", Value::Object(fields)))
}
