//! `show ip ospf interface traffic`, `show ipv6 ospf6 interface traffic`: packets by type, and below them, as FRR does not,
//! what was dropped and why.

use std::fmt;

use ferrite_ospf::Version;
use ferrite_ospf::packet::{Kind, Refusal};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use crate::show::{At, Named};

/// An interface's packets.
pub struct Row {
    /// In and out, by packet type.
    packets: [(u64, u64); 5],
    queued: usize,
    ifindex: u32,
    dropped: Vec<(Refusal, u64)>,
}

impl Row {
    fn new<V: Version>(at: At<'_, V>, interface: &Named<'_>) -> Self {
        let core = interface.core;
        let counts = |kind| (core.received.packets(kind), core.sent.packets(kind));
        let refusals = at.process.core.refusals();
        let dropped = Refusal::ALL.iter().filter_map(|reason| {
            Some((*reason, *refusals.get(&(interface.id, *reason))?)).filter(|(_, count)| *count > 0)
        });
        Self {
            packets: Kind::ALL.map(counts),
            queued: 0,
            ifindex: interface.link.map_or(0, |link| link.interface.ifindex.0),
            dropped: dropped.collect(),
        }
    }

    /// FRR's keys of a version.
    fn json(&self, version: u8) -> Value {
        let (kinds, ways) = match version {
            2 => (["hello", "dbDesc", "lsReq", "lsUpd", "lsAck"], ["In", "Out"]),
            _ => (["hello", "dbDesc", "lsReq", "lsUpdate", "lsAck"], ["Rx", "Tx"]),
        };
        let mut map = serde_json::Map::new();
        if version == 2 {
            map.insert("ifIndex".into(), self.ifindex.into());
        }
        for (kind, (received, sent)) in kinds.iter().zip(self.packets) {
            map.insert(format!("{kind}{}", ways[0]), received.into());
            map.insert(format!("{kind}{}", ways[1]), sent.into());
        }
        if version == 2 {
            map.insert("packetsQueued".into(), self.queued.into());
        }
        if !self.dropped.is_empty() {
            let dropped = self.dropped.iter().map(|(reason, count)| (reason.to_string(), (*count).into()));
            map.insert("dropped".into(), Value::Object(dropped.collect()));
        }
        Value::Object(map)
    }
}

/// All interfaces, or the one that was named.
pub struct Traffic {
    rows: IndexMap<String, Row>,
    version: u8,
}

impl Traffic {
    pub fn new<V: Version>(at: At<'_, V>, name: Option<&str>) -> Self {
        let wanted = at.interfaces_named(name);
        let rows = wanted.iter().map(|interface| (interface.name.clone(), Row::new(at, interface)));
        Self { rows: rows.collect(), version: V::VERSION }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Serialize for Traffic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.rows.iter().map(|(name, row)| (name, row.json(self.version))))
    }
}

const TITLES: &str =
    "Interface       HELLO            DB-Desc         LS-Req           LS-Update        LS-Ack        ";
const BELOW: &str =
    "                Rx/Tx            Rx/Tx            Rx/Tx            Rx/Tx            Rx/Tx        ";

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.version == 2;
        let more = |text| if queue { text } else { "" };
        writeln!(f, "\n{TITLES}{}", more("    Packets      "))?;
        writeln!(f, "{BELOW}{}", more("    Queued       "))?;
        writeln!(f, "{}", "-".repeat(if queue { 109 } else { 92 }))?;
        for (name, row) in &self.rows {
            write!(f, "{name:<10}")?;
            for (at, (received, sent)) in row.packets.into_iter().enumerate() {
                match at {
                    0 => write!(f, " {received:>8}/{sent:<8}")?,
                    _ => write!(f, " {received:>7}/{sent:<7}")?,
                }
            }
            writeln!(f, "{}", if queue { format!(" {:>12}", row.queued) } else { String::new() })?;
        }
        for (name, row) in self.rows.iter().filter(|(_, row)| !row.dropped.is_empty()) {
            writeln!(f, "\n{name}: dropped")?;
            row.dropped.iter().try_for_each(|(reason, count)| writeln!(f, "  {reason}: {count}"))?;
        }
        writeln!(f)
    }
}
