//! Links and addresses coming and going: connected and local routes, VRFs, what clients are told, and what the
//! configuration asks of a link.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::zclient::{FromZebra, RouteAttrs};
use ferrite_types::{Afi, Distance, IfIndex, Metric, Nexthop, Prefix, RouteProtocol, Tag, VrfId};

use crate::action::{Action, LinkChange};
use crate::client::Source;
use crate::event::{LinkInfo, LinkKind};
use crate::iface::{Changes, Interfaces, Link};
use crate::instance::Zebra;
use crate::mrib::multicast;
use crate::netns::Netns;
use crate::rib::{OwnerId, SetId, TableKey, Trust};
use crate::settings::{AddressSettings, InterfaceSettings, Settings};

const IFF_RUNNING: u32 = 0x40;
const IFF_LOWER_UP: u32 = 0x10000;

/// The routes that each link has brought.
#[derive(Debug, Default)]
pub struct Connected {
    routes: BTreeMap<IfIndex, BTreeSet<DirectRoute>>,
}

type DirectRoute = (TableKey, Prefix, RouteProtocol);

impl Zebra {
    pub(crate) fn link_changed(&mut self, mut info: LinkInfo) {
        if self.options.netns {
            // A VRF's device is one like any other where VRFs are namespaces.
            if matches!(info.kind, LinkKind::Vrf(_)) {
                info.kind = LinkKind::Other;
            }
        } else if let Some((id, vrf)) = Interfaces::vrf_device(&info) {
            self.vrf_seen(id, vrf);
        }
        // The VRF's own device belongs to it as well.
        info.interface.vrf = match Interfaces::vrf_device(&info) {
            Some((id, _)) => id,
            None if self.options.netns => Netns::of_link(info.interface.ifindex).vrf(),
            None => self.interfaces.vrf_of_master(info.master),
        };
        let ifindex = info.interface.ifindex;
        let now = self.now;
        // The kernel drops next-hop objects without carrier, whatever we make of it; of a dormant link it keeps them.
        let dormant = info.interface.up && info.flags & IFF_LOWER_UP != 0;
        if !info.interface.operative() && !dormant {
            self.link_lost(ifindex);
        }
        info.interface.running |= info.interface.up && self.ignores_carrier(&info.interface);
        let was_up = self.interfaces.is_up(ifindex);
        let told = FromZebra::Interface(info.interface.clone());
        match self.interfaces.get_mut(ifindex) {
            Some(link) if link.info == info => return,
            Some(link) => {
                let was = link.operative();
                let same_for_clients = link.info.interface == info.interface;
                link.info = info;
                match (was, link.operative()) {
                    (false, true) => link.ups.note(now),
                    (true, false) => link.downs.note(now),
                    _ => {}
                }
                if same_for_clients {
                    return;
                }
            }
            None => {
                let (ups, downs) = (Changes::default(), Changes::default());
                self.interfaces.insert(Link { info, addresses: Vec::new(), ups, downs });
                self.apply_interface(ifindex, None);
            }
        }
        self.broadcast(&told);
        self.tell_te(ifindex);
        if was_up && !self.interfaces.is_up(ifindex) {
            self.suspect();
            self.forget_kernel_routes(ifindex);
        }
        self.link_settled(ifindex);
    }

    /// `no link-detect`
    fn ignores_carrier(&self, link: &Interface) -> bool {
        self.settings_of(link).is_some_and(|settings| settings.no_link_detect)
    }

    /// The kernel drops the routes of a link that goes down, and says so for IPv6 only.
    fn forget_kernel_routes(&mut self, ifindex: IfIndex) {
        let on_link = |nexthop: &Nexthop| nexthop.ifindex() == Some(ifindex);
        let gone: Vec<SetId> = self
            .rib
            .shared
            .sets()
            .filter(|(_, set)| set.trust == Trust::Kernel && set.nexthops.iter().all(on_link))
            .map(|(id, _)| id)
            .collect();
        if !gone.is_empty() {
            self.sweep(|shape, _| gone.contains(&shape.set));
        }
    }

    pub(crate) fn link_gone(&mut self, ifindex: IfIndex) {
        let Some(link) = self.interfaces.remove(ifindex) else { return };
        for address in link.addresses {
            self.broadcast(&FromZebra::AddressGone { ifindex, address });
        }
        self.broadcast(&FromZebra::InterfaceGone(ifindex));
        self.suspect();
        self.link_lost(ifindex);
        self.forget_kernel_routes(ifindex);
        self.link_settled(ifindex);
        if !self.options.netns {
            self.vrf_gone(VrfId(ifindex.0));
        }
    }

    pub(crate) fn address_changed(&mut self, ifindex: IfIndex, address: InterfaceAddress) {
        // The loopback network is nobody's but this host's.
        if address.addr.is_loopback() {
            return;
        }
        let Some(link) = self.interfaces.get_mut(ifindex) else { return };
        let same = |a: &InterfaceAddress| {
            (a.addr, a.prefix_len, a.peer) == (address.addr, address.prefix_len, address.peer)
        };
        match link.addresses.iter_mut().find(|present| same(present)) {
            Some(present) if *present == address => return,
            Some(present) => *present = address,
            None => link.addresses.push(address),
        }
        self.broadcast(&FromZebra::Address { ifindex, address });
        self.link_settled(ifindex);
    }

    pub(crate) fn address_gone(&mut self, ifindex: IfIndex, address: InterfaceAddress) {
        let Some(link) = self.interfaces.get_mut(ifindex) else { return };
        let before = link.addresses.len();
        link.addresses.retain(|present| {
            (present.addr, present.prefix_len, present.peer)
                != (address.addr, address.prefix_len, address.peer)
        });
        if link.addresses.len() == before {
            return;
        }
        self.broadcast(&FromZebra::AddressGone { ifindex, address });
        // With an address go the routes that name it as their source, and nobody is told.
        self.suspect();
        self.link_settled(ifindex);
    }

    /// Draws the consequences of a change of a link or its addresses.
    fn link_settled(&mut self, ifindex: IfIndex) {
        self.groups.cure(self.now);
        self.fib.cure(self.now);
        self.advertise_on_changed(ifindex);
        self.sync_connected(ifindex);
        self.apply_statics();
        self.apply_named(None);
        self.refresh_all();
        self.apply_router_ids();
    }

    /// Brings the connected and local routes of a link to what it is now.
    fn sync_connected(&mut self, ifindex: IfIndex) {
        let wanted = self.direct_routes(ifindex);
        let present = self.connected.routes.remove(&ifindex).unwrap_or_default();
        for route in present.difference(&wanted) {
            self.remove_direct(ifindex, *route);
        }
        for route in wanted.difference(&present) {
            self.add_direct(ifindex, *route);
        }
        if !wanted.is_empty() {
            self.connected.routes.insert(ifindex, wanted);
        }
    }

    fn direct_routes(&self, ifindex: IfIndex) -> BTreeSet<DirectRoute> {
        let mut routes = BTreeSet::new();
        let Some(link) = self.interfaces.get(ifindex).filter(|link| link.operative()) else { return routes };
        let vrf = link.info.interface.vrf;
        let Some(table) = self.interfaces.table_of(vrf) else { return routes };
        for address in &link.addresses {
            if address.addr.is_unspecified() {
                continue;
            }
            let afi = if address.addr.is_ipv4() { Afi::Ipv4 } else { Afi::Ipv6 };
            let key = crate::rib::key(vrf, afi, table);
            if let Some(network) = address.network() {
                routes.insert((key, network, RouteProtocol::Connected));
            }
            let link_local = crate::rib::is_link_local(address.addr);
            if !link_local {
                routes.insert((key, Prefix::host(address.addr), RouteProtocol::Local));
            }
        }
        routes
    }

    fn add_direct(&mut self, ifindex: IfIndex, (key, prefix, protocol): DirectRoute) {
        let attrs = RouteAttrs {
            nexthops: interface_set(ifindex, key.vrf),
            distance: Distance(0),
            metric: Metric(0),
            tag: Tag(0),
            mtu: 0,
            allow_recursion: false,
            internal: false,
            ospf: None,
        };
        let source = Source { owner: OwnerId::SELF, protocol, instance: 0, epoch: 0 };
        self.add_route(key, prefix, source, &attrs);
        self.add_route(multicast(key), prefix, source, &attrs);
    }

    fn remove_direct(&mut self, ifindex: IfIndex, (key, prefix, protocol): DirectRoute) {
        let nexthops = interface_set(ifindex, key.vrf);
        let set = self.intern_set(&nexthops, Trust::Connected);
        for key in [key, multicast(key)] {
            self.withdraw_matching(key, prefix, |shape| shape.protocol == protocol && shape.set == set);
        }
        if self.rib.shared.release_set(set) {
            self.tracker.forget_set(set, &nexthops);
        }
    }

    // VRFs.

    pub(crate) fn vrf_seen(&mut self, id: VrfId, vrf: crate::iface::Vrf) {
        if self.interfaces.vrf(id) == Some(&vrf) {
            return;
        }
        self.broadcast(&vrf.told(id));
        self.interfaces.insert_vrf(id, vrf);
        self.enlist_members(id);
        self.apply_statics();
        self.apply_named(None);
        self.apply_router_ids();
    }

    /// Links that were told of before their VRF: a dump lists them by number, and theirs may be the lower one.
    fn enlist_members(&mut self, id: VrfId) {
        let netns = self.options.netns;
        let member =
            |link: &&Link| !netns && link.info.master == Some(IfIndex(id.0)) && link.info.interface.vrf != id;
        let members: Vec<LinkInfo> =
            self.interfaces.links().filter(member).map(|link| link.info.clone()).collect();
        for info in members {
            self.link_changed(info);
        }
    }

    /// The kernel has emptied the VRF's tables with it.
    pub(crate) fn vrf_gone(&mut self, id: VrfId) {
        if self.interfaces.remove_vrf(id).is_none() {
            return;
        }
        let keys: Vec<TableKey> = self.rib.tables.keys().filter(|key| key.vrf == id).copied().collect();
        self.statics_forget(id);
        for key in keys {
            self.drop_table(key);
        }
        self.forget_vrf_watches(id);
        self.clients.forget_vrf(id);
        self.capacity.forget_vrf(id);
        self.broadcast(&FromZebra::VrfGone(id));
        self.apply_router_ids();
    }

    fn drop_table(&mut self, key: TableKey) {
        let Some(table) = self.rib.tables.remove(&key) else { return };
        let (mut candidates, mut held) = (Vec::new(), Vec::new());
        table.for_each(|_, dest| {
            candidates.extend(dest.entries().map(|entry| entry.shape));
            held.extend(dest.fib);
        });
        for shape in candidates {
            self.count_route(shape, -1);
            self.release_shape(shape);
        }
        for shape in held {
            self.release_shape(shape);
        }
    }

    // What the configuration asks for.

    pub(crate) fn apply_interfaces(&mut self, old: &Settings) {
        if old.interfaces == self.settings.interfaces {
            return;
        }
        let links: Vec<(IfIndex, String)> = self
            .interfaces
            .links()
            .map(|link| (link.info.interface.ifindex, link.info.interface.name.clone()))
            .collect();
        for (ifindex, name) in links {
            let before = old.interfaces.get(&name);
            self.apply_interface(ifindex, before);
            let Some(mut info) = self.interfaces.get(ifindex).map(|link| link.info.clone()) else { continue };
            if before.is_some_and(|settings| settings.no_link_detect) != self.ignores_carrier(&info.interface)
            {
                info.interface.running = info.flags & IFF_RUNNING != 0;
                self.link_changed(info);
            }
        }
    }

    /// Compares one link's settings with the old ones, or with what the link is where it is new.
    fn apply_interface(&mut self, ifindex: IfIndex, old: Option<&InterfaceSettings>) {
        let Some(link) = self.interfaces.get(ifindex) else { return };
        let none = InterfaceSettings::default();
        let old = old.unwrap_or(&none);
        let new = self.settings_of(&link.info.interface).unwrap_or(&none);
        let mut changes = Vec::new();
        if new.shutdown != old.shutdown {
            let up = link.info.interface.up;
            match new.shutdown {
                Some(true) if up => changes.push(LinkChange::Down(ifindex)),
                Some(false) | None if !up => changes.push(LinkChange::Up(ifindex)),
                _ => {}
            }
        }
        let has = |wanted: &AddressSettings| {
            let same = |a: &InterfaceAddress| (a.addr, a.prefix_len) == (wanted.addr, wanted.prefix_len);
            link.addresses.iter().any(same)
        };
        let gone = old.addresses.iter().filter(|a| !new.addresses.contains(a) && has(a));
        changes.extend(gone.map(|a| LinkChange::RemoveAddress {
            ifindex,
            addr: a.addr,
            prefix_len: a.prefix_len,
            peer: a.peer,
        }));
        let added = new.addresses.iter().filter(|a| !has(a));
        changes.extend(added.map(|a| LinkChange::AddAddress {
            ifindex,
            addr: a.addr,
            prefix_len: a.prefix_len,
            peer: a.peer,
        }));
        self.actions.extend(changes.into_iter().map(Action::Link));
    }

    pub(crate) fn apply_forwarding(&mut self, old: &Settings) {
        let pairs = [
            (Afi::Ipv4, old.ipv4_forwarding, self.settings.ipv4_forwarding),
            (Afi::Ipv6, old.ipv6_forwarding, self.settings.ipv6_forwarding),
        ];
        for (afi, old, new) in pairs {
            if let (true, Some(on)) = (old != new, new) {
                self.actions.push(Action::Forwarding { afi, on });
            }
        }
    }
}

fn interface_set(ifindex: IfIndex, vrf: VrfId) -> Arc<[Nexthop]> {
    let mut nexthop = Nexthop::interface(ifindex);
    nexthop.vrf = vrf;
    Arc::new([nexthop])
}
