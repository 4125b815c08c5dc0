//! From what is asked for to the reply: the commands bgpd is given, and what is made of its answers.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::answer::{self, Neighbor, Path, Tally};
use crate::birdwatcher::{self, Protocol, Route, Short, Status};
use crate::endpoint::{Endpoint, Side, Table, Target};
use crate::payload::Payload;
use crate::vty::{AskError, Bgpd};

/// A table of bgpd's, seen through its socket.
#[derive(Clone, Debug)]
pub struct Glass {
    pub bgpd: Bgpd,
    /// `view NAME ` or `vrf NAME `, or nothing.
    pub instance: String,
    /// Octets of one reply.
    pub limit: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum GlassError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("there is no neighbor {0}")]
    NoNeighbor(String),
    #[error("the reply is larger than this looking glass sends")]
    TooLarge,
    #[error("{0}")]
    Write(serde_json::Error),
}

impl GlassError {
    /// The status of HTTP.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoNeighbor(_) => 404,
            Self::Ask(AskError::Io(_)) => 503,
            Self::Ask(_) => 502,
            Self::TooLarge | Self::Write(_) => 500,
        }
    }
}

impl From<std::io::Error> for GlassError {
    fn from(_: std::io::Error) -> Self {
        Self::TooLarge // a payload knows no other
    }
}

type Neighbors = BTreeMap<String, Neighbor>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Router {
    bgp_started_at: i64,
    bgp_configured_at: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Summary {
    router_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tallies {
    neighbors: BTreeMap<String, Tally>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Statistics {
    total_advertisements: u64,
}

impl Glass {
    /// The members of the reply after its head. Blocks while bgpd is asked.
    pub fn reply(&self, endpoint: &Endpoint, now: DateTime<Utc>) -> Result<Payload, GlassError> {
        let mut out = Payload::new(self.limit);
        match endpoint {
            Endpoint::Version => member(&mut out, "version", &version())?,
            Endpoint::Status => member(&mut out, "status", &self.status(now)?)?,
            Endpoint::Protocols => member(&mut out, "protocols", &self.protocols(now)?)?,
            Endpoint::ProtocolsShort => member(&mut out, "protocols", &self.protocols_short(now)?)?,
            Endpoint::Symbols => member(&mut out, "symbols", &self.symbols()?)?,
            Endpoint::SymbolTables => member(&mut out, "symbols", &TABLES)?,
            Endpoint::SymbolProtocols => member(&mut out, "symbols", &self.names()?)?,
            Endpoint::CountProtocol(name) => member(&mut out, "routes", &self.count(name, now, false)?)?,
            Endpoint::CountPrimary(name) => member(&mut out, "routes", &self.count(name, now, true)?)?,
            Endpoint::CountTable(table) => member(&mut out, "routes", &self.count_table(*table)?)?,
            Endpoint::PipeFilteredCount => member(&mut out, "routes", &0)?,
            Endpoint::PipeFiltered => routes(&mut out, |_| Ok(()))?,
            Endpoint::Routes { side, neighbor, table } => self.side(&mut out, *side, neighbor, *table)?,
            Endpoint::Table(table) => {
                let command = format!("show bgp {}{} detail json", self.instance, table.family());
                routes(&mut out, |list| self.table(list, &command))?;
            }
            Endpoint::TableFiltered(table) => self.all_filtered(&mut out, *table)?,
            Endpoint::Lookup(target) => self.lookup(&mut out, *target)?,
        }
        Ok(out.finish())
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, command: &str) -> Result<T, GlassError> {
        Ok(answer::value(self.bgpd.ask(command)?)?)
    }

    fn neighbors(&self) -> Result<Neighbors, GlassError> {
        self.ask(&format!("show bgp {}neighbors json", self.instance))
    }

    fn started(&self) -> Result<Router, GlassError> {
        self.ask("show bgp router json")
    }

    fn status(&self, now: DateTime<Utc>) -> Result<Status, GlassError> {
        let router = self.started()?;
        let summary: Summary = self.ask(&format!("show bgp {}ipv4 unicast summary json", self.instance))?;
        let started = birdwatcher::epoch(router.bgp_started_at);
        Ok(Status {
            router_id: summary.router_id.unwrap_or_default(),
            current_server: birdwatcher::moment(now),
            server_time: birdwatcher::moment(now),
            last_reconfig: router.bgp_configured_at.map_or_else(|| started.clone(), birdwatcher::epoch),
            last_reboot: started,
            message: "Daemon is up and running",
            version: version(),
        })
    }

    /// Paths by neighbour, from one walk over each table.
    fn tallies(&self) -> Result<[Tallies; 2], GlassError> {
        let of = |table: Table| {
            self.ask(&format!("show bgp {}{} prefix-counts json", self.instance, table.family()))
        };
        Ok([of(Table::V4)?, of(Table::V6)?])
    }

    fn protocols(&self, now: DateTime<Utc>) -> Result<BTreeMap<String, Protocol>, GlassError> {
        let (neighbors, started) = (self.neighbors()?, self.started()?.bgp_started_at);
        let tallies = self.tallies()?;
        let of = |name: &str| {
            [0, 1].map(|family: usize| {
                tallies.get(family).and_then(|all| all.neighbors.get(name)).copied().unwrap_or_default()
            })
        };
        let named = neighbors.iter();
        Ok(named.map(|(name, it)| (name.clone(), Protocol::new(name, it, of(name), now, started))).collect())
    }

    fn protocols_short(&self, now: DateTime<Utc>) -> Result<BTreeMap<String, Short>, GlassError> {
        let started = self.started()?.bgp_started_at;
        let neighbors = self.neighbors()?;
        Ok(neighbors.into_iter().map(|(name, it)| (name, Short::new(&it, now, started))).collect())
    }

    fn names(&self) -> Result<Vec<String>, GlassError> {
        Ok(self.neighbors()?.into_keys().collect())
    }

    fn symbols(&self) -> Result<BTreeMap<&'static str, Vec<String>>, GlassError> {
        let tables = TABLES.map(str::to_owned).to_vec();
        Ok(BTreeMap::from([("routing table", tables), ("protocol", self.names()?)]))
    }

    /// Only names that bgpd told get into a command.
    fn named(&self, name: &str) -> Result<(String, Neighbor), GlassError> {
        let known = self.neighbors()?.remove_entry(name);
        known.ok_or_else(|| GlassError::NoNeighbor(name.to_owned()))
    }

    fn count(&self, name: &str, now: DateTime<Utc>, primary: bool) -> Result<u64, GlassError> {
        let protocols = self.protocols(now)?;
        let protocol = protocols.get(name).ok_or_else(|| GlassError::NoNeighbor(name.to_owned()))?;
        Ok(if primary { protocol.routes.preferred } else { protocol.routes.imported })
    }

    fn count_table(&self, table: Table) -> Result<u64, GlassError> {
        let command = format!("show bgp {}{} statistics json", self.instance, table.family());
        let all: serde_json::Value = self.ask(&command)?;
        let key = if table == Table::V4 { "ipv4Unicast" } else { "ipv6Unicast" };
        let first = all.get(key).and_then(|list| list.get(0)).cloned().unwrap_or_default();
        let statistics: Statistics = serde_json::from_value(first).map_err(AskError::Answer)?;
        Ok(statistics.total_advertisements)
    }

    fn side(
        &self,
        out: &mut Payload,
        side: Side,
        name: &str,
        table: Option<Table>,
    ) -> Result<(), GlassError> {
        // Alice asks like this where a neighbour's table has no pipe.
        if name.is_empty() {
            return routes(out, |_| Ok(()));
        }
        let (name, neighbor) = self.named(name)?;
        routes(out, |list| {
            for family in Table::ALL.into_iter().filter(|family| table.is_none_or(|table| table == *family)) {
                if active(&neighbor, family) {
                    self.table(list, &self.side_command(side, &name, family))?;
                }
            }
            Ok(())
        })
    }

    fn side_command(&self, side: Side, name: &str, table: Table) -> String {
        format!("show bgp {}{} neighbors {name} {} detail json", self.instance, table.family(), side.word())
    }

    fn all_filtered(&self, out: &mut Payload, table: Table) -> Result<(), GlassError> {
        let neighbors = self.neighbors()?;
        routes(out, |list| {
            for (name, _) in neighbors.iter().filter(|(_, neighbor)| active(neighbor, table)) {
                self.table(list, &self.side_command(Side::Filtered, name, table))?;
            }
            Ok(())
        })
    }

    fn table(&self, list: &mut List<'_>, command: &str) -> Result<(), GlassError> {
        let mut full = false;
        let read = answer::paths(self.bgpd.ask(command)?, |prefix, path| {
            let written = list.push(prefix, &path);
            full |= matches!(written, Err(GlassError::TooLarge));
            written
        });
        if full { Err(GlassError::TooLarge) } else { Ok(read?) }
    }

    fn lookup(&self, out: &mut Payload, target: Target) -> Result<(), GlassError> {
        let text = match target {
            Target::Prefix(prefix) => prefix.to_string(),
            Target::Address(addr) => addr.to_string(),
        };
        let command = format!("show bgp {}{} {text} json", self.instance, target.table().family());
        let found: answer::Prefix = self.ask(&command)?;
        routes(out, |list| {
            let prefix = found.prefix.as_deref().unwrap_or(&text);
            found.paths.iter().try_for_each(|path| list.push(prefix, path))
        })
    }
}

const TABLES: [&str; 2] = ["master4", "master6"];

fn version() -> String {
    format!("Ferrite {}", env!("CARGO_PKG_VERSION"))
}

fn active(neighbor: &Neighbor, table: Table) -> bool {
    match table {
        Table::V4 => neighbor.address_family_info.ipv4_unicast.is_some(),
        Table::V6 => neighbor.address_family_info.ipv6_unicast.is_some(),
    }
}

fn write_json(out: &mut Payload, value: &impl Serialize) -> Result<(), GlassError> {
    serde_json::to_writer(&mut *out, value)
        .map_err(|error| if error.is_io() { GlassError::TooLarge } else { GlassError::Write(error) })
}

/// One member of the reply.
fn member(out: &mut Payload, name: &str, value: &impl Serialize) -> Result<(), GlassError> {
    write!(out, "\"{name}\":")?;
    write_json(out, value)
}

/// `routes`, written as they come.
fn routes(
    out: &mut Payload,
    fill: impl FnOnce(&mut List<'_>) -> Result<(), GlassError>,
) -> Result<(), GlassError> {
    out.write_all(b"\"routes\":[")?;
    fill(&mut List { out, any: false })?;
    out.write_all(b"]")?;
    Ok(())
}

struct List<'a> {
    out: &'a mut Payload,
    any: bool,
}

impl List<'_> {
    fn push(&mut self, prefix: &str, path: &Path) -> Result<(), GlassError> {
        if std::mem::replace(&mut self.any, true) {
            self.out.write_all(b",")?;
        }
        write_json(self.out, &Route::new(prefix, path))
    }
}
