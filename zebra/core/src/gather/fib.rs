//! `show zebra fib …` from the machine's state.

use ferrite_types::{Nexthop, NexthopKind};

use super::pretty;
use crate::audit::{Drift, DriftRow};
use crate::event::Offload;
use crate::fib::errno_text;
use crate::instance::Zebra;
use crate::rib::DestState;
use crate::settings::DEFAULT_AUDIT;
use crate::view::fib::{DriftRowView, DriftView, FailedRow, FailedView, FibView};
use crate::view::route::Destination;

impl Zebra {
    pub(crate) fn fib_view(&self) -> FibView {
        let (stats, audits) = (self.fib.stats, &self.audits.stats);
        let mut view = FibView {
            retries: stats.retries,
            repairs: stats.repairs,
            resyncs: self.kernel.resyncs,
            audits: audits.done,
            found_missing: audits.missing,
            found_different: audits.different,
            found_orphans: audits.orphans,
            audit_interval_secs: self.settings.audit_interval.unwrap_or(DEFAULT_AUDIT),
            last_audit_secs_ago: audits.last.map(|(at, _)| self.now.since(at).as_secs()),
            last_audit_took_msecs: audits.last.map(|(_, took)| millis(took)),
            next_audit_in_secs: self.audits.due().map(|at| at.since(self.now).as_secs()),
            ..FibView::default()
        };
        for table in self.rib.tables.values() {
            table.for_each(|_, dest| {
                match dest.state {
                    DestState::Idle => return,
                    DestState::Queued => view.queued += 1,
                    DestState::Installed => view.installed += 1,
                    DestState::Rejected => view.rejected += 1,
                }
                match dest.offload {
                    Offload::None => {}
                    Offload::Offloaded => view.offloaded += 1,
                    Offload::Trapped => view.trapped += 1,
                    Offload::Failed => view.offload_failed += 1,
                }
            });
        }
        view
    }

    pub(crate) fn failed_view(&self) -> FailedView {
        let rows = self.fib.failed().map(|(key, prefix, failure)| FailedRow {
            prefix: Destination { prefix, from: key.from },
            vrf_name: self.vrf_name(key.vrf),
            table: key.table,
            operation: match failure {
                _ if failure.removal.is_some() => "remove",
                _ if failure.errno == 0 => "repair",
                _ => "install",
            },
            reason: match failure.errno {
                0 => "changed by others".to_owned(),
                errno => errno_text(errno),
            },
            attempts: failure.attempts,
            next_try_msecs: millis(failure.due.since(self.now)),
        });
        FailedView(rows.collect())
    }

    /// `show zebra fib drift`, once the comparison is made.
    pub fn drift_text(&self, drift: &Drift, json: bool) -> String {
        let view = DriftView {
            in_sync: drift.total() == 0 && drift.error.is_none(),
            held: drift.held,
            listed: drift.listed,
            settling: drift.settling,
            missing: drift.missing,
            different: drift.different,
            orphans: drift.orphans,
            rejected: drift.rejected,
            took_msecs: millis(drift.took),
            error: drift.error.clone(),
            routes: drift.rows.iter().map(|row| self.drift_row(row)).collect(),
        };
        if json { pretty(&view) } else { view.to_string() }
    }

    fn drift_row(&self, row: &DriftRow) -> DriftRowView {
        DriftRowView {
            prefix: match (row.nexthop, row.label) {
                (Some(id), _) => format!("nexthop {id}"),
                (None, Some(label)) => format!("label {}", label.value()),
                (None, None) => Destination { prefix: row.prefix, from: row.key.from }.to_string(),
            },
            vrf_name: self.vrf_name(row.key.vrf),
            table: row.key.table,
            protocol: row.protocol,
            kind: row.kind.name(),
            wanted: row.wanted.as_deref().map(|nexthops| self.nexthops_text(nexthops)),
            found: row.found.as_deref().map(|nexthops| self.nexthops_text(nexthops)),
            reason: row.reason.clone(),
        }
    }

    fn nexthops_text(&self, nexthops: &[Nexthop]) -> String {
        let one = |nexthop: &Nexthop| {
            let exit = nexthop.ifindex().map(|ifindex| format!(" dev {}", self.interface_name(ifindex)));
            let exit = exit.unwrap_or_default();
            match nexthop.kind {
                NexthopKind::Blackhole(_) => "blackhole".to_owned(),
                NexthopKind::Gateway(gateway, _) => format!("via {gateway}{exit}"),
                NexthopKind::Interface(_) => exit.trim_start().to_owned(),
            }
        };
        nexthops.iter().map(one).collect::<Vec<_>>().join(" + ")
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
