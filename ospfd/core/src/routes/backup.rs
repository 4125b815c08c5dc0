//! Backup next hops (RFC 5286): for a vertex with a single next hop a neighbour that takes over at once when that fails, because
//! its own shortest path does not lead back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrite_ospf_packet::AreaId;
use ferrite_spf::Node;
use ferrite_spf::lfa::Neighbourhood;
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use super::{Hop, Hops, Route};
use crate::event::{Action, IfId};
use crate::instance::Instance;
use crate::version::{RouterBits, Version, Vertex};

/// By vertex: the next hop and the other one.
pub(crate) type Backups = BTreeMap<Vertex, (Hop, Hop)>;

impl<V: Version> Instance<V> {
    /// A neighbour is lost: what has another way takes it at once, without waiting for the calculation, which then says where the
    /// way is (RFC 5286 §1).
    pub(crate) fn repair(&mut self, now: Timestamp, interface: IfId, neighbor: IpAddr) {
        if !self.config.loop_free_alternates || self.restart.is_some() {
            return;
        }
        let failed = |hop: &Hop| hop.interface == interface && hop.address == Some(neighbor);
        let mut changes = Vec::new();
        for (prefix, route) in &self.routes.networks {
            if !route.hops.iter().any(failed) {
                continue;
            }
            // Of several next hops each stands in for the others.
            let others = route.backups.iter().filter(|(hop, other)| failed(hop) && !failed(other));
            let left = route.hops.iter().filter(|hop| !failed(hop)).chain(others.map(|(_, other)| other));
            let hops: Hops = left.copied().collect();
            if !hops.is_empty() {
                changes.push((*prefix, Some(Route { hops, backups: Vec::new(), ..route.clone() })));
            }
        }
        for (prefix, route) in &changes {
            self.routes.networks.extend(route.clone().map(|route| (*prefix, route)));
            self.route_times.changed(now, *prefix, true);
            self.repaired.insert(*prefix);
        }
        if !changes.is_empty() {
            self.out.push(Action::Routes(changes));
            self.recalculate(now);
        }
    }

    /// Finds the alternates of an area anew; says for which vertices there are others than before.
    pub(crate) fn find_backups(&mut self, id: AreaId) -> BTreeSet<Node> {
        let new = if self.config.loop_free_alternates { self.backups_of(id) } else { Backups::new() };
        let Some(area) = self.areas.get_mut(&id) else { return BTreeSet::new() };
        let old = std::mem::replace(&mut area.spf.backups, new);
        let new = &area.spf.backups;
        let all: BTreeSet<&Vertex> = old.keys().chain(new.keys()).collect();
        let moved = all.into_iter().filter(|vertex| old.get(vertex) != new.get(vertex));
        moved.filter_map(|vertex| area.spf.graph.find(vertex)).collect()
    }

    /// The area whose alternates stand in for what lies outside of it too (RFC 5286 §6.3): who chose the nearest way out of an area
    /// knows that a neighbour whose path there does not lead back has no path at all that does, whichever way out it prefers. That
    /// holds while all routers measure alike: not where we choose between areas, or a virtual link or a shortcut leads around.
    pub(super) fn shelter(&self, believed: &[AreaId], transit: &[AreaId]) -> Option<AreaId> {
        let ([only], []) = (believed, transit) else { return None };
        let area = self.areas.get(only).filter(|area| self.config.loop_free_alternates && !area.transit)?;
        let around = |bits: &RouterBits| bits.shortcut || bits.virtual_links;
        (!area.spf.bits.values().any(around)).then_some(*only)
    }

    /// Alternates of the way to a router that leads out of an area.
    pub(super) fn inherited(&self, sheltered: Option<AreaId>, area: AreaId, to: RouterId) -> Vec<(Hop, Hop)> {
        let found = self.areas.get(&area).filter(|_| sheltered == Some(area));
        let backup = found.and_then(|area| area.spf.backups.get(&Vertex::Router(to)));
        backup.copied().into_iter().collect()
    }

    fn backups_of(&self, id: AreaId) -> Backups {
        let mut backups = Backups::new();
        let Some(area) = self.areas.get(&id) else { return backups };
        let Some(tree) = &area.spf.tree else { return backups };
        let neighbourhood = Neighbourhood::new(&area.spf.graph, tree);
        for node in area.spf.graph.nodes() {
            let ([primary], Some(vertex)) = (tree.first_hops_of(node), area.spf.graph.key(node)) else {
                continue; // of several each stands in for the others
            };
            let only = |hops: Hops| hops.into_iter().next();
            let Some(hop) = only(self.hops(id, *vertex)) else { continue };
            let alternates = neighbourhood.alternates(node, primary);
            let other = alternates.iter().find_map(|alternate| only(self.first_hop(id, alternate.hop)));
            backups.extend(other.filter(|other| *other != hop).map(|other| (*vertex, (hop, other))));
        }
        backups
    }
}
