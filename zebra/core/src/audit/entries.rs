//! Looking at a table that is kept the smallest (`zebra fib compress`): the kernel should have its entries, which are
//! not the routes of the RIB, and nothing else. An entry may stand for many routes and have a prefix of none of them, so no
//! destination can carry a mark of it: the look keeps what it has seen.

use ferrite_types::Prefix;

use super::{Drift, DriftKind, DriftRow, Purpose, same_route};
use crate::event::KernelRoute;
use crate::instance::Zebra;
use crate::rib::TableKey;

fn row(key: TableKey, prefix: Prefix, kind: DriftKind) -> DriftRow {
    let protocol = ferrite_types::RouteProtocol::System;
    let (nexthop, label, wanted, found, reason) = (None, None, None, None, None);
    DriftRow { key, prefix, nexthop, label, kind, protocol, wanted, found, reason }
}

impl Zebra {
    /// A route with our mark stands in a table that is kept the smallest.
    pub(super) fn observe_entry(&mut self, key: TableKey, route: &KernelRoute) {
        let prefix = route.prefix;
        let wanted = self.capacity.expected(key, prefix).flatten().cloned();
        let report = self.audits.look.as_ref().is_some_and(|look| look.purpose == Purpose::Report);
        // What is under way may be what the list tells of, or not.
        let crossed = self.capacity.changes(key, prefix);
        let mut twice = false;
        if let Some(look) = &mut self.audits.look {
            look.drift.listed += 1;
            if wanted.is_some() {
                twice = !look.entries.insert((key, prefix));
            }
        }
        let Some(wanted) = wanted else {
            if !crossed {
                let found = Some(route.nexthops.to_vec());
                let row = DriftRow { protocol: route.protocol, found, ..row(key, prefix, DriftKind::Orphan) };
                self.note_drift(row);
                if !report {
                    self.audits.stats.orphans += 1;
                    self.capacity.take_out(key, prefix, route.protocol);
                }
            }
            return;
        };
        if same_route(&wanted, route) && !twice {
            self.offload_told(key, prefix, route.offload);
        } else if !crossed {
            let found = Some(route.nexthops.to_vec());
            let (protocol, nexthops) = (wanted.protocol, Some(wanted.nexthops.to_vec()));
            let row =
                DriftRow { protocol, wanted: nexthops, found, ..row(key, prefix, DriftKind::Different) };
            self.note_drift(row);
            if !report {
                self.audits.stats.different += 1;
                self.capacity.rewrite(key, prefix, twice);
            }
        }
    }

    /// Entries that the list did not name.
    pub(super) fn missing_entries(&mut self) {
        let Some(look) = &mut self.audits.look else { return };
        let report = look.purpose == Purpose::Report;
        let missing: Vec<_> = self
            .capacity
            .all_entries()
            .filter(|(key, prefix, _)| {
                !look.entries.contains(&(*key, *prefix)) && !self.capacity.changes(*key, *prefix)
            })
            .collect();
        note(&mut look.drift, &missing);
        if report {
            return;
        }
        for (key, prefix, _) in missing {
            self.audits.stats.missing += 1;
            self.capacity.renew(key, prefix);
        }
    }
}

type Entry = (TableKey, Prefix, std::sync::Arc<crate::action::FibRoute>);

fn note(drift: &mut Drift, missing: &[Entry]) {
    for (key, prefix, route) in missing {
        let wanted = Some(route.nexthops.to_vec());
        drift.note(DriftRow { protocol: route.protocol, wanted, ..row(*key, *prefix, DriftKind::Missing) });
    }
}
