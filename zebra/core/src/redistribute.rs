//! Redistribution: clients subscribe to the selected routes of a source.

use ferrite_types::zclient::{RedistributeRequest, RedistributedRoute, RouteAttrs};
use ferrite_types::{Afi, Prefix, RouteProtocol, Safi, TableId, VrfId};

use crate::client::ClientKey;
use crate::instance::Zebra;
use crate::rib::{ShapeId, TableKey, Trust};

/// What a client wants to hear of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subscription {
    pub vrf: VrfId,
    pub afi: Afi,
    pub protocol: RouteProtocol,
    pub instance: u32,
}

impl Subscription {
    /// Whether routes of that source may be among what is wanted.
    pub fn may_be(&self, protocol: RouteProtocol) -> bool {
        self.protocol == protocol
            || matches!(self.protocol, RouteProtocol::TableDirect | RouteProtocol::Table)
    }
}

impl Zebra {
    pub(crate) fn redistribute(&mut self, client: ClientKey, request: RedistributeRequest) {
        let wanted = Subscription {
            vrf: request.vrf,
            afi: request.afi,
            protocol: request.protocol,
            instance: request.instance,
        };
        let Some(state) = self.clients.get_mut(client) else { return };
        if !request.subscribe {
            state.subscriptions.remove(&wanted);
        } else if state.subscriptions.insert(wanted) {
            self.send_selected(client, wanted);
        }
    }

    /// What is selected of a source now.
    fn send_selected(&mut self, client: ClientKey, wanted: Subscription) {
        let table = match wanted.protocol {
            RouteProtocol::TableDirect => Some(TableId(wanted.instance)),
            _ => self.interfaces.table_of(wanted.vrf),
        };
        let Some(table) = table else { return };
        let key = crate::rib::key(wanted.vrf, wanted.afi, table);
        let Some(table) = self.rib.tables.get(&key) else { return };
        let mut found = Vec::new();
        table.for_each(|prefix, dest| {
            let Some(entry) = dest.selected() else { return };
            if self.subscription_of(key, entry.shape) == Some(wanted) {
                found.push((prefix, entry.shape));
            }
        });
        for (prefix, shape) in found {
            if let Some(route) = self.redistributed(key, prefix, shape, true) {
                self.clients.push_redistributed(client, route);
            }
        }
    }

    /// The selection of a prefix went from `old` to `new`.
    pub(crate) fn redistribute_change(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        old: Option<ShapeId>,
        new: Option<ShapeId>,
    ) {
        if self.clients.connected().all(|(_, client)| client.subscriptions.is_empty())
            || key.safi != Safi::Unicast
            || key.from.is_some()
        {
            return;
        }
        let was = old.and_then(|id| self.subscription_of(key, id));
        let is = new.and_then(|id| self.subscription_of(key, id));
        let listeners = |wanted: Option<Subscription>| -> Vec<ClientKey> {
            let Some(wanted) = wanted else { return Vec::new() };
            self.clients
                .connected()
                .filter(|(_, client)| client.subscriptions.contains(&wanted))
                .map(|(key, _)| key)
                .collect()
        };
        let (losing, gaining) = (listeners(was.filter(|_| was != is)), listeners(is));
        let gone =
            old.filter(|_| !losing.is_empty()).and_then(|id| self.redistributed(key, prefix, id, false));
        let added =
            new.filter(|_| !gaining.is_empty()).and_then(|id| self.redistributed(key, prefix, id, true));
        for (clients, route) in [(losing, gone), (gaining, added)] {
            let Some(route) = route else { continue };
            for client in clients {
                self.clients.push_redistributed(client, route.clone());
            }
        }
    }

    fn subscription_of(&self, key: TableKey, shape: ShapeId) -> Option<Subscription> {
        let shape = self.rib.shared.shape(shape)?;
        let (vrf, afi) = (key.vrf, key.afi);
        if self.interfaces.is_own_table(key) {
            return Some(Subscription {
                vrf,
                afi,
                protocol: shape.protocol,
                instance: shape.instance.into(),
            });
        }
        // Of another table everything is redistributed alike, by the number of the table.
        let direct = key.safi == Safi::Unicast && shape.protocol != RouteProtocol::Bgp;
        let (protocol, instance) = (RouteProtocol::TableDirect, key.table.0);
        direct.then_some(Subscription { vrf, afi, protocol, instance })
    }

    fn redistributed(
        &self,
        key: TableKey,
        prefix: Prefix,
        shape: ShapeId,
        present: bool,
    ) -> Option<RedistributedRoute> {
        // A client routes nothing through this host's loopback or a link's own scope.
        if prefix.is_host_scope() {
            return None;
        }
        let source = self.subscription_of(key, shape)?;
        let shape = self.rib.shared.shape(shape)?;
        let set = self.rib.shared.set(shape.set)?;
        let attrs = RouteAttrs {
            nexthops: set.nexthops.clone(),
            distance: shape.distance,
            metric: shape.metric,
            tag: shape.tag,
            mtu: shape.mtu,
            allow_recursion: set.trust == Trust::Recursive,
            internal: shape.internal,
            ospf: None,
        };
        Some(RedistributedRoute {
            vrf: key.vrf,
            prefix,
            protocol: source.protocol,
            instance: source.instance,
            route: present.then_some(attrs),
        })
    }
}

/// Prefixes that mean something on this host or link only.
trait Scope {
    fn is_host_scope(&self) -> bool;
}

impl Scope for Prefix {
    fn is_host_scope(&self) -> bool {
        match self {
            Self::V4(p) => p.len() > 0 && (p.addr().is_loopback() || p.addr().is_link_local()),
            Self::V6(p) => {
                p.addr().is_loopback() || p.addr().is_unicast_link_local() || p.addr().is_multicast()
            }
        }
    }
}
