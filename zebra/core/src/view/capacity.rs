//! `show zebra fib capacity`.

use std::fmt;

use ferrite_types::{Prefix, RouteProtocol};
use serde::Serialize;

/// What the kernel's tables hold, and what they cannot.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityView {
    pub compressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// What the kernel had when it said that there is no more room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_limit: Option<u32>,
    pub routes: usize,
    pub entries: usize,
    pub left_out: usize,
    pub vrfs: Vec<VrfCapacityView>,
    pub shares: Vec<ShareView>,
    /// The first of what is left out.
    pub left_out_routes: Vec<LeftOutView>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VrfCapacityView {
    pub vrf: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    pub routes: usize,
    pub entries: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShareView {
    pub protocol: RouteProtocol,
    pub percent: u8,
    pub entries: usize,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOutView {
    pub vrf: String,
    pub prefix: Prefix,
    pub protocol: RouteProtocol,
    /// The entry that its packets take; none: they are dropped as unreachable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<Prefix>,
    pub reason: &'static str,
}

impl fmt::Display for CapacityView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.compressed {
            return writeln!(f, "The kernel's tables are neither compressed nor limited");
        }
        let limit = |limit: Option<u32>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        writeln!(f, "Limit: {}", limit(self.limit))?;
        if let Some(reported) = self.reported_limit {
            writeln!(f, "Room as the kernel reported it: {reported}")?;
        }
        writeln!(f, "Routes: {}  Entries: {}  Left out: {}", self.routes, self.entries, self.left_out)?;
        writeln!(f, "\n{:<16} {:>10} {:>10} {:>10}", "VRF", "Limit", "Routes", "Entries")?;
        for vrf in &self.vrfs {
            writeln!(f, "{:<16} {:>10} {:>10} {:>10}", vrf.vrf, limit(vrf.limit), vrf.routes, vrf.entries)?;
        }
        for share in &self.shares {
            writeln!(f, "\nShare of {}: {} %, {} entries", share.protocol, share.percent, share.entries)?;
        }
        for route in &self.left_out_routes {
            let covered = route.covered_by.map_or_else(|| "nothing".to_owned(), |by| by.to_string());
            let LeftOutView { vrf, prefix, protocol, reason, .. } = route;
            writeln!(f, "left out: {prefix} ({protocol}, VRF {vrf}), covered by {covered}: {reason}")?;
        }
        Ok(())
    }
}
