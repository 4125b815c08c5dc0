//! `ip import-table N`: what is selected in another table of the default VRF stands as a candidate of source `table` in its main
//! table, or among what multicast looks sources up in (`mrib`), with the distance that the line gives and through its route map.
//!
//! A change of the other table is noted when it happens and carried over when the event has been handled, so that a table that
//! changes as a whole is carried over once.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use ferrite_types::zclient::RouteAttrs;
use ferrite_types::{Afi, Distance, Prefix, RouteProtocol, Safi, TableId, VrfId};

use crate::client::Source;
use crate::instance::Zebra;
use crate::rib::{OwnerId, TableKey};
use crate::settings::Settings;

/// Of imported routes, as FRR's.
pub const DEFAULT_DISTANCE: Distance = Distance(15);

/// Where a table goes: first the main table, then that of multicast, as they are rendered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Import {
    pub mrib: bool,
    pub table: u8,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportTerms {
    pub distance: Distance,
    pub route_map: Option<String>,
}

/// Prefixes of imported tables that have changed.
#[derive(Debug, Default)]
pub struct Imports {
    tables: BTreeSet<TableId>,
    pending: BTreeSet<(TableId, Prefix)>,
}

impl Imports {
    pub fn note(&mut self, key: TableKey, prefix: Prefix) {
        let imported = !self.tables.is_empty()
            && key.vrf == VrfId::DEFAULT
            && key.afi == Afi::Ipv4
            && key.safi == Safi::Unicast
            && self.tables.contains(&key.table);
        if imported {
            self.pending.insert((key.table, prefix));
        }
    }
}

impl Import {
    fn target(self) -> TableKey {
        let key = crate::rib::key(VrfId::DEFAULT, Afi::Ipv4, TableId::MAIN);
        TableKey { safi: if self.mrib { Safi::Multicast } else { Safi::Unicast }, ..key }
    }

    fn origin(self) -> TableKey {
        crate::rib::key(VrfId::DEFAULT, Afi::Ipv4, TableId(self.table.into()))
    }

    fn source(self) -> Source {
        Source { owner: OwnerId::SELF, protocol: RouteProtocol::Table, instance: self.table.into(), epoch: 0 }
    }
}

impl Zebra {
    pub(crate) fn apply_imports(&mut self, old: &Settings) {
        let maps = old.policy != self.settings.policy;
        if old.imports == self.settings.imports && !maps {
            return;
        }
        let settings = Arc::clone(&self.settings);
        for import in old.imports.keys().filter(|import| !settings.imports.contains_key(import)) {
            for prefix in self.prefixes(import.target(), |zebra, prefix| zebra.imported(*import, prefix)) {
                self.withdraw(import.target(), prefix, import.source());
            }
        }
        self.imports.tables = settings.imports.keys().map(|import| TableId(import.table.into())).collect();
        for (import, terms) in &settings.imports {
            if old.imports.get(import) != Some(terms) || (maps && terms.route_map.is_some()) {
                let table = import.origin().table;
                let found = self.prefixes(import.origin(), |_, _| true);
                self.imports.pending.extend(found.into_iter().map(|prefix| (table, prefix)));
            }
        }
    }

    fn prefixes(&self, key: TableKey, wanted: impl Fn(&Self, Prefix) -> bool) -> Vec<Prefix> {
        let mut found = Vec::new();
        if let Some(table) = self.rib.tables.get(&key) {
            table.walk(None, |prefix, _| {
                if wanted(self, prefix) {
                    found.push(prefix);
                }
                ControlFlow::Continue(())
            });
        }
        found
    }

    fn imported(&self, import: Import, prefix: Prefix) -> bool {
        let source = import.source();
        let Some(dest) = self.rib.dest(import.target(), prefix) else { return false };
        dest.entries().filter_map(|entry| self.rib.shared.shape(entry.shape)).any(|shape| {
            (shape.owner, shape.protocol, shape.instance) == (source.owner, source.protocol, source.instance)
        })
    }

    /// Carries over what has changed.
    pub(crate) fn import_pending(&mut self) {
        if self.imports.pending.is_empty() {
            return;
        }
        let settings = Arc::clone(&self.settings);
        for (table, prefix) in std::mem::take(&mut self.imports.pending) {
            for (import, terms) in &settings.imports {
                if TableId(import.table.into()) == table {
                    self.import(*import, terms, prefix);
                }
            }
        }
        self.settle();
    }

    fn import(&mut self, import: Import, terms: &ImportTerms, prefix: Prefix) {
        match self.importable(import, terms, prefix) {
            Some(attrs) => drop(self.add_route(import.target(), prefix, import.source(), &attrs)),
            None => self.withdraw(import.target(), prefix, import.source()),
        }
    }

    fn importable(&self, import: Import, terms: &ImportTerms, prefix: Prefix) -> Option<RouteAttrs> {
        let selected = self.rib.dest(import.origin(), prefix)?.selected()?;
        let shape = self.rib.shared.shape(selected.shape)?;
        if let Some(name) = &terms.route_map {
            // A map that is not there denies.
            let map = self.policies.route_map(name)?;
            if !self.permits(map, prefix, shape) {
                return None;
            }
        }
        let set = self.rib.shared.set(shape.set)?;
        Some(RouteAttrs {
            nexthops: set.nexthops.clone(),
            distance: terms.distance,
            metric: shape.metric,
            tag: shape.tag,
            mtu: shape.mtu,
            allow_recursion: false,
            internal: false,
            ospf: None,
        })
    }
}
