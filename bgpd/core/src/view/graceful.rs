//! `show bgp neighbors [X] graceful-restart`, and the same within `show bgp neighbors`.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use super::neighbor::family_of_key;

/// All neighbours asked for, by the text of their address.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct GracefulNeighbors {
    pub neighbors: IndexMap<String, GracefulNeighbor>,
    /// The router's own mode.
    #[serde(skip)]
    pub mode: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GracefulNeighbor {
    pub neighbor_addr: String,
    #[serde(flatten)]
    pub info: GracefulView,
}

/// One neighbour; times in seconds.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GracefulView {
    /// With a star where the mode is the router's.
    pub local_gr_mode: String,
    pub remote_gr_mode: &'static str,
    pub r_bit: bool,
    pub n_bit: bool,
    pub timers: GracefulTimers,
    #[serde(flatten)]
    pub families: IndexMap<&'static str, GracefulFamily>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GracefulTimers {
    pub configured_restart_timer: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured_llgr_stale_time: Option<u64>,
    pub received_restart_timer: u64,
    /// Until the neighbour must be back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_timer_remaining: Option<u64>,
    /// Until what is stale goes, of the family that waits longest.
    #[serde(skip)]
    pub stale_remaining: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GracefulFamily {
    pub f_bit: bool,
    pub end_of_rib_status: EndOfRib,
    pub timers: FamilyTimers,
    /// Routes that wait to be told again; ours, not FRR's.
    #[serde(skip_serializing_if = "is_zero")]
    pub stale_prefix_counter: u64,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndOfRib {
    pub end_of_rib_send: bool,
    pub end_of_rib_sent_after_update: bool,
    pub end_of_rib_recv: bool,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FamilyTimers {
    pub stale_path_timer: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_path_timer_remaining: Option<u64>,
    pub llgr_stale_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_deferral_timer: Option<u64>,
}

/// The same inside `show bgp neighbors json`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GracefulInfo {
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub end_of_rib_send: IndexMap<&'static str, bool>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub end_of_rib_recv: IndexMap<&'static str, bool>,
    #[serde(flatten)]
    pub view: GracefulView,
}

impl GracefulInfo {
    pub fn new(view: GracefulView) -> Self {
        let of = |wanted: fn(&EndOfRib) -> bool| {
            let families = view.families.iter().filter(|(_, family)| wanted(&family.end_of_rib_status));
            families.map(|(key, _)| (*key, true)).collect()
        };
        Self {
            end_of_rib_send: of(|end| end.end_of_rib_send),
            end_of_rib_recv: of(|end| end.end_of_rib_recv),
            view,
        }
    }
}

fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn yes(value: bool) -> &'static str {
    if value { "Yes" } else { "No" }
}

impl fmt::Display for GracefulNeighbors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nCodes: GR - Graceful Restart, * -  Inheriting Global GR Config,\n       Restart - GR Mode-Restarting, \
             Helper - GR Mode-Helper,\n       Disable - GR Mode-Disable.\n\nGlobal BGP GR Mode :  {}",
            self.mode
        )?;
        for neighbor in self.neighbors.values() {
            writeln!(f, "\nBGP neighbor is {}", neighbor.neighbor_addr)?;
            neighbor.info.fmt(f)?;
        }
        writeln!(f)
    }
}

impl fmt::Display for GracefulInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  Graceful restart information:")?;
        let timers = &self.view.timers;
        if let Some(left) = timers.restart_timer_remaining {
            writeln!(f, "    The remaining time of restart timer is {left}")?;
        }
        if let Some(left) = timers.stale_remaining {
            writeln!(f, "    The remaining time of stalepath timer is {left}")?;
        }
        for (what, families) in [("send", &self.end_of_rib_send), ("received", &self.end_of_rib_recv)] {
            if !families.is_empty() {
                let names: Vec<&str> = families.keys().map(|key| family_of_key(key)).collect();
                writeln!(f, "    End-of-RIB {what}: {}", names.join(", "))?;
            }
        }
        self.view.fmt(f)
    }
}

impl fmt::Display for GracefulView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "    Local GR Mode: {}\n    Remote GR Mode: {}",
            self.local_gr_mode, self.remote_gr_mode
        )?;
        writeln!(f, "    R bit: {}\n    N bit: {}\n    Timers:", truth(self.r_bit), truth(self.n_bit))?;
        let timers = &self.timers;
        writeln!(f, "      Configured Restart Time(sec): {}", timers.configured_restart_timer)?;
        writeln!(f, "      Received Restart Time(sec): {}", timers.received_restart_timer)?;
        if let Some(time) = timers.configured_llgr_stale_time {
            writeln!(f, "      Configured LLGR Stale Path Time(sec): {time}")?;
        }
        if let Some(left) = timers.restart_timer_remaining {
            writeln!(f, "      Restart Time Remaining(sec): {left}")?;
        }
        for (key, family) in &self.families {
            writeln!(f, "    {}:", family_of_key(key))?;
            family.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for GracefulFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.end_of_rib_status;
        writeln!(f, "      F bit: {}", truth(self.f_bit))?;
        writeln!(f, "      End-of-RIB sent: {}", yes(end.end_of_rib_send))?;
        writeln!(f, "      End-of-RIB sent after update: {}", yes(end.end_of_rib_sent_after_update))?;
        writeln!(f, "      End-of-RIB received: {}", yes(end.end_of_rib_recv))?;
        if self.stale_prefix_counter > 0 {
            writeln!(f, "      Stale prefixes: {}", self.stale_prefix_counter)?;
        }
        writeln!(
            f,
            "      Timers:\n        Configured Stale Path Time(sec): {}",
            self.timers.stale_path_timer
        )?;
        if let Some(left) = self.timers.stale_path_timer_remaining {
            writeln!(f, "        Stale Path Remaining(sec): {left}")?;
        }
        if let Some(time) = self.timers.selection_deferral_timer {
            writeln!(f, "        Configured Selection Deferral Time(sec): {time}")?;
        }
        writeln!(f, "        LLGR Stale Path Time(sec): {}", self.timers.llgr_stale_time)
    }
}
