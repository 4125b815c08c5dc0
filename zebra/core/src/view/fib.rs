//! `show zebra fib …`: what the kernel has of ours, what it lacks and why.

use std::fmt;

use ferrite_types::{RouteProtocol, TableId};
use serde::Serialize;

/// `show zebra fib`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FibView {
    /// Routes by where the kernel stands with them.
    pub installed: u64,
    pub queued: u64,
    pub rejected: u64,
    pub offloaded: u64,
    pub trapped: u64,
    pub offload_failed: u64,
    /// Asked again after a refusal.
    pub retries: u64,
    /// Put back after somebody else's change.
    pub repairs: u64,
    /// Whole dumps because events were lost.
    pub resyncs: u64,
    /// Comparisons with the whole table, and what they found.
    pub audits: u64,
    pub found_missing: u64,
    pub found_different: u64,
    pub found_orphans: u64,
    /// Seconds; zero is never.
    pub audit_interval_secs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_audit_secs_ago: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_audit_took_msecs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_audit_in_secs: Option<u64>,
}

impl fmt::Display for FibView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Routes: {} installed, {} queued, {} rejected, {} offloaded, {} trapped, {} failed to offload",
            self.installed, self.queued, self.rejected, self.offloaded, self.trapped, self.offload_failed
        )?;
        writeln!(f, "Retries after a refusal: {}", self.retries)?;
        writeln!(f, "Repairs after a change by others: {}", self.repairs)?;
        writeln!(f, "Resyncs after lost events: {}", self.resyncs)?;
        writeln!(
            f,
            "Audits: {}, which found {} missing, {} different, {} orphaned",
            self.audits, self.found_missing, self.found_different, self.found_orphans
        )?;
        if let (Some(ago), Some(took)) = (self.last_audit_secs_ago, self.last_audit_took_msecs) {
            writeln!(f, "Last audit: {ago} seconds ago, took {took} ms")?;
        }
        match self.next_audit_in_secs {
            Some(left) => {
                writeln!(f, "Next audit: in {left} seconds, every {} seconds", self.audit_interval_secs)
            }
            None => writeln!(f, "Next audit: never"),
        }
    }
}

/// `show zebra fib failed`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct FailedView(pub Vec<FailedRow>);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedRow {
    pub prefix: super::route::Destination,
    pub vrf_name: String,
    pub table: TableId,
    /// `install`, `remove` or `repair`.
    pub operation: &'static str,
    pub reason: String,
    pub attempts: u32,
    pub next_try_msecs: u64,
}

impl fmt::Display for FailedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.0 {
            writeln!(
                f,
                "{} vrf {} table {}: {}: {}, tried {} times, again in {}.{:03} s",
                row.prefix,
                row.vrf_name,
                row.table,
                row.operation,
                row.reason,
                row.attempts,
                row.next_try_msecs / 1000,
                row.next_try_msecs % 1000
            )?;
        }
        Ok(())
    }
}

/// `show zebra fib drift`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftView {
    pub in_sync: bool,
    /// Routes that the kernel should have, and how many of ours it listed.
    pub held: u64,
    pub listed: u64,
    /// With an operation under way: not judged.
    pub settling: u64,
    pub missing: u64,
    pub different: u64,
    pub orphans: u64,
    pub rejected: u64,
    pub took_msecs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The first thousand.
    pub routes: Vec<DriftRowView>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftRowView {
    /// A route's prefix, `nexthop ID`, or `label LABEL`.
    pub prefix: String,
    pub vrf_name: String,
    pub table: TableId,
    pub protocol: RouteProtocol,
    /// `missing`, `different`, `orphan` or `rejected`.
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl fmt::Display for DriftView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.error {
            writeln!(f, "The kernel did not list everything: {error}")?;
        }
        writeln!(
            f,
            "Compared {} routes with {} of the kernel in {} ms, {} settling",
            self.held, self.listed, self.took_msecs, self.settling
        )?;
        if self.in_sync {
            return writeln!(f, "The kernel has what it should have");
        }
        writeln!(
            f,
            "Drift: {} missing, {} different, {} orphaned, {} rejected",
            self.missing, self.different, self.orphans, self.rejected
        )?;
        for row in &self.routes {
            write!(f, "  {} {} vrf {} table {}", row.kind, row.prefix, row.vrf_name, row.table)?;
            write!(f, " ({})", row.protocol)?;
            if let Some(wanted) = &row.wanted {
                write!(f, ", wanted {wanted}")?;
            }
            if let Some(found) = &row.found {
                write!(f, ", found {found}")?;
            }
            if let Some(reason) = &row.reason {
                write!(f, ": {reason}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
