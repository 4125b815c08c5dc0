//! `show bgp nexthop`: the next hops that routes depend on and how zebra reaches them.

use std::fmt;
use std::net::IpAddr;

use ferrite_types::{IfIndex, Prefix};
use indexmap::IndexMap;
use serde::Serialize;

use super::detail::LastUpdate;
use super::text;

#[derive(Clone, Debug, Default, Serialize)]
pub struct NexthopCache {
    pub ipv4: IndexMap<String, NexthopEntry>,
    pub ipv6: IndexMap<String, NexthopEntry>,
    #[serde(skip)]
    pub vrf_name: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NexthopEntry {
    pub valid: bool,
    pub complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub igp_metric: Option<u32>,
    pub path_count: u64,
    /// A neighbour's own address, tracked for its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_prefix: Option<Prefix>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nexthops: Vec<ResolvedNexthop>,
    pub last_update: Changed,
}

/// When a next hop changed last.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Changed {
    /// Seconds since 1970.
    Brief(u64),
    /// With `detail`.
    Full(LastUpdate),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedNexthop {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ifindex: Option<IfIndex>,
}

impl fmt::Display for NexthopCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Current BGP nexthop cache:")?;
        for (addr, entry) in self.ipv4.iter().chain(&self.ipv6) {
            entry.write(addr, f)?;
        }
        Ok(())
    }
}

impl NexthopEntry {
    fn write(&self, addr: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.valid, self.igp_metric) {
            (true, metric) => {
                write!(f, " {addr} valid [IGP metric {}], #paths {}", metric.unwrap_or(0), self.path_count)?;
            }
            (false, _) => write!(f, " {addr} invalid, #paths {}", self.path_count)?,
        }
        if let Some(peer) = self.peer {
            write!(f, ", peer {peer}")?;
        }
        writeln!(f)?;
        if let Some(prefix) = self.resolved_prefix {
            writeln!(f, "  Resolved prefix {prefix}")?;
        }
        for hop in &self.nexthops {
            match (hop.ip, &hop.interface_name, hop.ifindex) {
                (Some(ip), Some(name), _) => writeln!(f, "  gate {ip}, if {name}")?,
                (Some(ip), None, _) => writeln!(f, "  gate {ip}")?,
                (None, Some(name), Some(ifindex)) => writeln!(f, "  if {name}, ifindex {ifindex}")?,
                (None, Some(name), None) => writeln!(f, "  if {name}")?,
                (None, None, Some(ifindex)) => writeln!(f, "  ifindex {ifindex}")?,
                (None, None, None) => {}
            }
        }
        if !self.valid {
            writeln!(f, "  Must be Connected or resolved through a route")?;
        }
        let text = match &self.last_update {
            Changed::Brief(epoch) => text::ctime(*epoch),
            Changed::Full(at) => at.string.clone(),
        };
        writeln!(f, "  Last update: {text}")
    }
}
