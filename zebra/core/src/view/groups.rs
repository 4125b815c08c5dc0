//! `show nexthop-group rib`: the next-hop objects that zebra keeps in the kernel.

use std::fmt;

use serde::Serialize;

use super::route::NexthopView;
use crate::action::NexthopId;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    #[serde(skip)]
    pub id: NexthopId,
    /// Always `zebra`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub ref_count: u32,
    pub uptime: String,
    pub vrf: String,
    pub afi: &'static str,
    pub valid: bool,
    #[serde(skip_serializing_if = "super::is_false")]
    pub installed: bool,
    #[serde(skip_serializing_if = "super::is_false")]
    pub queued: bool,
    /// Why the kernel does not have it; shown where FRR shows nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_index: Option<u32>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub resilience: Option<ResilienceView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<NexthopId>,
    pub nexthops: Vec<GroupNexthop>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<NexthopId>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResilienceView {
    pub buckets: u16,
    pub idle_timer: u32,
    pub unbalanced_timer: u32,
}

/// A next hop, with its VRF in any case.
#[derive(Clone, Debug, Serialize)]
pub struct GroupNexthop {
    #[serde(flatten)]
    pub view: NexthopView,
    pub vrf: String,
}

impl fmt::Display for GroupView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ID: {} ({})", self.id, self.kind)?;
        writeln!(f, "     RefCnt: {}", self.ref_count)?;
        writeln!(f, "     Uptime: {}", self.uptime)?;
        writeln!(f, "     VRF: {}({})", self.vrf, self.afi)?;
        let mut words = Vec::new();
        words.extend(self.valid.then_some("Valid"));
        words.extend(self.installed.then_some("Installed"));
        words.extend(self.queued.then_some("Queued"));
        writeln!(f, "     {}", words.join(", "))?;
        if let Some(reason) = &self.failure_reason {
            writeln!(f, "     Refused: {reason}")?;
        }
        if let Some(ifindex) = self.interface_index {
            writeln!(f, "     Interface Index: {ifindex}")?;
        }
        if let Some(ResilienceView { buckets, idle_timer, unbalanced_timer }) = self.resilience {
            writeln!(
                f,
                "     Buckets: {buckets} Idle Timer: {idle_timer} Unbalanced Timer: {unbalanced_timer}"
            )?;
        }
        ids(f, "Depends", &self.depends)?;
        for nexthop in &self.nexthops {
            let view = &nexthop.view;
            let name = view.interface_name.as_deref().unwrap_or("unknown");
            match view.ip {
                Some(ip) => write!(f, "           via {ip}, {name}")?,
                None => write!(f, "           is directly connected, {name}")?,
            }
            write!(f, " (vrf {})", nexthop.vrf)?;
            if !view.seg6_text.is_empty() {
                write!(f, ", {}", view.seg6_text)?;
            }
            writeln!(f, ", weight {}", view.weight)?;
        }
        ids(f, "Dependents", &self.dependents)
    }
}

fn ids(f: &mut fmt::Formatter<'_>, title: &str, ids: &[NexthopId]) -> fmt::Result {
    if ids.is_empty() {
        return Ok(());
    }
    write!(f, "     {title}:")?;
    ids.iter().try_for_each(|id| write!(f, " ({id})"))?;
    writeln!(f)
}
