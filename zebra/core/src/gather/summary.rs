//! Counts of a table by source.

use ferrite_types::RouteProtocol;

use crate::event::Offload;
use crate::fib::{is_system, usable};
use crate::instance::Zebra;
use crate::rib::{DestState, TableKey};
use crate::view::summary::{RouteSummary, SummaryRow};

#[derive(Clone, Copy, Default)]
struct Count {
    routes: u64,
    fib: u64,
    offloaded: u64,
    trapped: u64,
}

impl Count {
    fn add(&mut self, more: Self) {
        self.routes += more.routes;
        self.fib += more.fib;
        self.offloaded += more.offloaded;
        self.trapped += more.trapped;
    }
}

/// iBGP has a row of its own after the sources.
const ROWS: usize = RouteProtocol::ALL.len() + 1;

impl Zebra {
    pub(crate) fn route_summary(&self, key: TableKey) -> RouteSummary {
        let mut counts = self.count_routes(key);
        for (_, of, _) in self.rib.sourced(key) {
            counts.iter_mut().zip(self.count_routes(of)).for_each(|(sum, more)| sum.add(more));
        }
        let row = |count: &Count, source: &str| SummaryRow {
            fib: count.fib,
            rib: count.routes,
            offloaded: count.offloaded,
            trapped: count.trapped,
            source: source.to_owned(),
        };
        let mut rows = Vec::new();
        for (protocol, count) in RouteProtocol::ALL.iter().zip(&counts) {
            let bgp = *protocol == RouteProtocol::Bgp;
            rows.push((row(count, if bgp { "ebgp" } else { protocol.name() }), count.routes));
            if let (true, Some(count)) = (bgp, counts.last()) {
                rows.push((row(count, "ibgp"), count.routes));
            }
        }
        let rows = rows.into_iter().filter(|(_, routes)| *routes > 0).map(|(row, _)| row).collect();
        RouteSummary::new(self.vrf_name(key.vrf), rows)
    }

    fn count_routes(&self, key: TableKey) -> [Count; ROWS] {
        let mut counts = [Count::default(); ROWS];
        let shared = &self.rib.shared;
        let Some(table) = self.rib.tables.get(&key) else { return counts };
        table.for_each(|prefix, dest| {
            for (index, entry) in dest.entries().enumerate() {
                let Some(shape) = shared.shape(entry.shape) else { continue };
                let permitted = entry.policy == crate::rib::Policy::Permit;
                let hidden = shape.protocol == RouteProtocol::Static && permitted;
                if hidden && !usable(entry, prefix, shared) {
                    continue;
                }
                let ibgp = shape.internal && shape.protocol == RouteProtocol::Bgp;
                let row = if ibgp { ROWS - 1 } else { shape.protocol as usize };
                let Some(count) = counts.get_mut(row) else { continue };
                let selected = dest.selected_index() == Some(index);
                let installed = is_system(shape.protocol) || selected && dest.state == DestState::Installed;
                count.routes += 1;
                count.fib += u64::from(installed);
                // The hardware has the router's own networks by itself.
                let own = is_system(shape.protocol);
                let hardware = self.options.asic.is_some() && own && shape.protocol != RouteProtocol::Kernel;
                let told = |offload| installed && !own && dest.offload == offload;
                count.offloaded += u64::from(hardware || told(Offload::Offloaded));
                count.trapped += u64::from(told(Offload::Trapped));
            }
        });
        counts
    }
}
