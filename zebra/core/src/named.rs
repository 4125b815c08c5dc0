//! Routes that lead through a `nexthop-group` of the configuration: a daemon names it in place of next hops. They follow what
//! the operator changes in it; while the group is missing or empty they have no next hops, and are not in the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrite_types::zclient::{RouteAttrs, RouteBatch};
use ferrite_types::{Nexthop, NexthopKind, Prefix, RouteProtocol, TableId, VrfId};

use crate::action::Resilience;
use crate::client::Source;
use crate::config::nexthop_group::{MemberKey, MemberTerms, label_list};
use crate::instance::Zebra;
use crate::rib::{OwnerId, TableKey};
use crate::settings::Settings;

/// What tells such routes apart: table, prefix, owner, protocol and process.
type Key = (TableKey, Prefix, OwnerId, RouteProtocol, u16);

#[derive(Clone, Debug)]
pub struct NamedRoute {
    group: Arc<str>,
    route: RouteAttrs,
    epoch: u16,
}

pub type NamedRoutes = BTreeMap<Key, NamedRoute>;

impl Zebra {
    /// Gives the routes of a batch the next hops of the group that it names, and remembers them; the group's kind.
    pub(crate) fn name_routes(
        &mut self,
        owner: OwnerId,
        (table, instance): (TableId, u16),
        batch: &mut RouteBatch,
    ) -> Option<Resilience> {
        if batch.group.is_none() && self.named.is_empty() {
            return None;
        }
        let epoch = self.clients.owner(owner).map_or(0, |owner| owner.epoch);
        let (nexthops, resilience) = match &batch.group {
            Some(name) => self.members_of(name, batch.vrf),
            None => (None, None),
        };
        for update in &mut batch.updates {
            let key = TableKey { safi: batch.safi, ..crate::rib::key(batch.vrf, update.prefix.afi(), table) };
            let at = (key, update.prefix, owner, update.protocol, instance);
            match (&batch.group, &mut update.route) {
                (Some(group), Some(route)) => {
                    if let Some(nexthops) = &nexthops {
                        route.nexthops = nexthops.clone();
                    }
                    let named = NamedRoute { group: group.clone(), route: route.clone(), epoch };
                    self.named.insert(at, named);
                    if nexthops.is_none() {
                        update.route = None;
                    }
                }
                _ => drop(self.named.remove(&at)),
            }
        }
        resilience
    }

    /// The next hops of a group and its kind; none while it has none.
    fn members_of(&self, name: &str, vrf: VrfId) -> (Option<Arc<[Nexthop]>>, Option<Resilience>) {
        let Some(group) = self.settings.named_groups.get(name) else { return (None, None) };
        let nexthops: Vec<Nexthop> =
            group.nexthops.iter().filter_map(|(key, terms)| self.member(vrf, key, terms)).collect();
        ((!nexthops.is_empty()).then(|| nexthops.into()), group.resilience)
    }

    fn member(&self, vrf: VrfId, key: &MemberKey, terms: &MemberTerms) -> Option<Nexthop> {
        let vrf = match &key.vrf.1 {
            Some(name) => self.interfaces.vrf_by_name(name)?,
            None => vrf,
        };
        let ifindex = match &key.interface.1 {
            Some(name) => Some(self.interfaces.by_name_in(name, vrf)?.info.interface.ifindex),
            None => None,
        };
        let kind = match (key.addr.1, ifindex) {
            (Some(addr), ifindex) => NexthopKind::Gateway(addr, ifindex),
            (None, Some(ifindex)) => NexthopKind::Interface(ifindex),
            (None, None) => return None,
        };
        let weight = terms.weight.unwrap_or(1);
        let labels = key.labels.as_deref().map(label_list).unwrap_or_default();
        Some(Nexthop { vrf, weight, onlink: key.onlink, labels, ..Nexthop::new(kind) })
    }

    /// Groups have changed, or links that they name have come and gone.
    pub(crate) fn apply_named(&mut self, old: Option<&Settings>) {
        if self.named.is_empty() || old.is_some_and(|old| old.named_groups == self.settings.named_groups) {
            return;
        }
        for (at, named) in self.named.clone() {
            let (key, prefix, owner, protocol, instance) = at;
            let source = Source { owner, protocol, instance, epoch: named.epoch };
            let (nexthops, resilience) = self.members_of(&named.group, key.vrf);
            match nexthops {
                Some(nexthops) => {
                    let route = RouteAttrs { nexthops, ..named.route };
                    self.add_resilient(key, prefix, source, &route, resilience);
                }
                None => self.withdraw(key, prefix, source),
            }
        }
    }

    /// An owner's routes are gone, or those that it has not named in this connection.
    pub(crate) fn forget_named(&mut self, owner: OwnerId, but: Option<u16>) {
        self.named.retain(|(_, _, of, ..), named| *of != owner || Some(named.epoch) == but);
    }
}
