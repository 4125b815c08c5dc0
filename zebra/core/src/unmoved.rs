//! Changes of next hops that leave the routes themselves as they are.
//!
//! A million routes share a next-hop set, and routes name the set's group in the kernel. When one of its next hops fails
//! and others remain, the group changes and that is all: every route is still usable, still selected, and asks the kernel
//! for the same. This module tells such a change from the others, so that nobody looks at a million routes for it.
//!
//! Whatever looks at a route's resolved next hops is looked at here: what the kernel is asked for, watched addresses that
//! resolve through the route, clients that are told of it, the FIB's capacity. And a route that covers its own gateway may
//! use a next hop only while something longer answers for the gateway: such routes are reconsidered one by one, there is
//! at most one of each length.

use ferrite_types::Prefix;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::instance::Zebra;
use crate::rib::{Resolved, SetId, ShapeId, TableKey};

/// A set whose next hops came out differently, and how they had.
pub struct Changed {
    pub id: SetId,
    pub before: Resolved,
}

impl Zebra {
    /// Deals with the changes that leave routes alone; returns the others, whose routes must be reconsidered.
    pub(crate) fn settle_unmoved(&mut self, changed: Vec<Changed>) -> FxHashSet<SetId> {
        let mut shapes: FxHashMap<SetId, Vec<ShapeId>> =
            changed.iter().map(|change| (change.id, Vec::new())).collect();
        for (id, shape) in self.rib.shared.shapes() {
            if let Some(of_set) = shapes.get_mut(&shape.set) {
                of_set.push(id);
            }
        }
        let (mut moved, mut unmoved) = (FxHashSet::default(), FxHashSet::default());
        for change in changed {
            let shapes = shapes.remove(&change.id).unwrap_or_default();
            let alone = self.leaves_alone(&change, &shapes);
            if alone {
                unmoved.insert(change.id)
            } else {
                moved.insert(change.id)
            };
        }
        if !unmoved.is_empty() {
            self.mark_resolved_through(&unmoved);
            self.reconsider_own_gateways(&unmoved);
        }
        moved
    }

    fn leaves_alone(&mut self, change: &Changed, shapes: &[ShapeId]) -> bool {
        let active_now = self.rib.shared.set(change.id).is_some_and(|set| set.resolved.active());
        change.before.active()
            && active_now
            && !self.capacity.active()
            && (!self.fpm.on || !self.settings.fpm.no_groups)
            && shapes.iter().all(|id| !self.is_redistributed(*id) && self.rib.shared.asks_for_the_same(*id))
    }

    /// Whether some client hears of routes of this shape.
    fn is_redistributed(&self, id: ShapeId) -> bool {
        let Some(shape) = self.rib.shared.shape(id) else { return false };
        self.clients.connected().any(|(_, client)| {
            client.subscriptions.iter().any(|subscription| subscription.may_be(shape.protocol))
        })
    }

    /// Watched addresses that are reached through a route of these sets.
    fn mark_resolved_through(&mut self, sets: &FxHashSet<SetId>) {
        let through = |vrf, prefix: Prefix| {
            let key = crate::rib::key(vrf, prefix.afi(), self.interfaces.table_of(vrf)?);
            let selected = self.rib.dest(key, prefix)?.selected()?;
            Some(sets.contains(&self.rib.shared.shape(selected.shape)?.set))
        };
        let marked: Vec<_> = self
            .tracker
            .resolved()
            .filter(|((vrf, _), prefix)| through(*vrf, *prefix).unwrap_or(false))
            .map(|(at, _)| at)
            .collect();
        self.tracker.mark_addresses(marked);
    }

    fn reconsider_own_gateways(&mut self, sets: &FxHashSet<SetId>) {
        let mut found: Vec<(TableKey, Prefix, Option<ShapeId>)> = Vec::new();
        let shared = &self.rib.shared;
        let uses = |id| shared.shape(id).is_some_and(|shape| sets.contains(&shape.set));
        let gateways = sets.iter().filter_map(|id| shared.set(*id)).flat_map(|set| set.nexthops.iter());
        let gateways: FxHashSet<_> = gateways.filter_map(ferrite_types::Nexthop::gateway_addr).collect();
        for gateway in gateways {
            let host = Prefix::host(gateway);
            for (key, table) in self.rib.tables.iter().filter(|(key, _)| key.afi == host.afi()) {
                for (prefix, dest) in table.covering(gateway, host.len()) {
                    if dest.entries().any(|entry| uses(entry.shape)) {
                        found.push((*key, prefix, dest.selected().map(|entry| entry.shape)));
                    }
                }
            }
        }
        for (key, prefix, old) in found {
            self.reconsider(key, prefix, old, true);
        }
    }
}
