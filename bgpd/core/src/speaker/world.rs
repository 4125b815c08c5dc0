//! The machine as zebra tells it, by VRF, and who of the instances hears what.
//!
//! Interfaces belong to one VRF each; the default instance and the views are told of the default VRF's, the instance of a
//! VRF of its own. An interface that moves is gone for one and new for the other. Next hops, redistributed routes and
//! install results are the default instance's or a VRF's, never a view's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::sync::Arc;

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::zclient::FromZebra;
use ferrite_types::{IfIndex, RouterId, Timestamp, VrfId};

use super::{Acts, InstanceId, Speaker, vrf_of};
use crate::action::Action;
use crate::config::InstanceName;
use crate::event::Event;

#[derive(Debug)]
struct Link {
    interface: Interface,
    addresses: Vec<InterfaceAddress>,
    /// Link-local addresses of routers on the link.
    neighbors: Vec<Ipv6Addr>,
}

#[derive(Debug, Default)]
struct Machine {
    links: BTreeMap<IfIndex, Link>,
    vrfs: BTreeMap<VrfId, Arc<str>>,
    router_ids: BTreeMap<VrfId, RouterId>,
}

impl Machine {
    /// Takes in a message of a snapshot, or one that changes what was told before.
    fn learn(&mut self, message: &FromZebra) {
        match message {
            FromZebra::Interface(interface) => match self.links.get_mut(&interface.ifindex) {
                Some(link) => link.interface = interface.clone(),
                None => {
                    let link =
                        Link { interface: interface.clone(), addresses: Vec::new(), neighbors: Vec::new() };
                    self.links.insert(interface.ifindex, link);
                }
            },
            FromZebra::InterfaceGone(ifindex) => {
                self.links.remove(ifindex);
            }
            FromZebra::Address { ifindex, address } => {
                if let Some(link) = self.links.get_mut(ifindex)
                    && !link.addresses.contains(address)
                {
                    link.addresses.push(*address);
                }
            }
            FromZebra::AddressGone { ifindex, address } => {
                if let Some(link) = self.links.get_mut(ifindex) {
                    link.addresses
                        .retain(|known| known.addr != address.addr || known.prefix_len != address.prefix_len);
                }
            }
            FromZebra::LinkNeighbor { ifindex, addr, present } => {
                if let Some(link) = self.links.get_mut(ifindex) {
                    link.neighbors.retain(|known| known != addr);
                    link.neighbors.extend(present.then_some(*addr));
                }
            }
            FromZebra::Vrf { vrf, name, .. } => {
                self.vrfs.insert(*vrf, name.as_str().into());
            }
            FromZebra::VrfGone(vrf) => {
                self.vrfs.remove(vrf);
                self.router_ids.remove(vrf);
            }
            FromZebra::RouterId { vrf, router_id } => {
                self.router_ids.insert(*vrf, *router_id);
            }
            FromZebra::SnapshotDone
            | FromZebra::Nexthops(_)
            | FromZebra::Redistributed(_)
            | FromZebra::Results(_)
            | FromZebra::LabelChunk(_)
            | FromZebra::LspResults(_)
            | FromZebra::FecLabels(_)
            | FromZebra::Rpf(_)
            | FromZebra::LinkParams { .. }
            | FromZebra::LdpSync(_)
            | FromZebra::Refused { .. } => {}
        }
    }

    fn vrf_named(&self, name: &str) -> Option<VrfId> {
        self.vrfs.iter().find(|(_, known)| &***known == name).map(|(vrf, _)| *vrf)
    }

    /// Everything about one VRF, as a snapshot tells it.
    fn snapshot(&self, vrf: VrfId) -> Vec<FromZebra> {
        let mut messages = Vec::new();
        for (ifindex, link) in self.links.iter().filter(|(_, link)| link.interface.vrf == vrf) {
            messages.push(FromZebra::Interface(link.interface.clone()));
            let addresses = link.addresses.iter();
            messages.extend(addresses.map(|a| FromZebra::Address { ifindex: *ifindex, address: *a }));
            messages.extend(link.neighbors.iter().map(|addr| FromZebra::LinkNeighbor {
                ifindex: *ifindex,
                addr: *addr,
                present: true,
            }));
        }
        if let Some(router_id) = self.router_ids.get(&vrf).copied() {
            messages.push(FromZebra::RouterId { vrf, router_id });
        }
        messages.push(FromZebra::SnapshotDone);
        messages
    }
}

#[derive(Debug, Default)]
pub struct World {
    machine: Machine,
    /// What a snapshot in progress has told so far.
    snapshot: Option<Machine>,
    /// A snapshot was complete on the present connection.
    connected: bool,
}

impl World {
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    pub fn begin(&mut self) {
        self.snapshot = Some(Machine::default());
        self.connected = false;
    }

    /// What was known is kept: sessions do not end because zebra restarts.
    pub fn end(&mut self) {
        self.snapshot = None;
        self.connected = false;
    }

    pub fn vrf_named(&self, name: &str) -> Option<VrfId> {
        self.machine.vrf_named(name)
    }
}

impl Speaker {
    pub(super) fn zebra_said(&mut self, now: Timestamp, message: FromZebra, out: &mut Acts) {
        if let Some(snapshot) = &mut self.world.snapshot {
            if message != FromZebra::SnapshotDone {
                return snapshot.learn(&message);
            }
            return self.snapshot_done(now, out);
        }
        match message {
            FromZebra::Interface(interface) => self.interface(now, interface, out),
            FromZebra::InterfaceGone(ifindex)
            | FromZebra::Address { ifindex, .. }
            | FromZebra::AddressGone { ifindex, .. }
            | FromZebra::LinkNeighbor { ifindex, .. } => {
                let vrf = self.world.machine.links.get(&ifindex).map(|link| link.interface.vrf);
                self.world.machine.learn(&message);
                if let Some(vrf) = vrf {
                    self.tell(now, vrf, &message, out);
                }
            }
            FromZebra::RouterId { .. } => {
                self.world.machine.learn(&message);
                if let Some(vrf) = vrf_of(&message) {
                    self.tell(now, vrf, &message, out);
                }
            }
            FromZebra::Vrf { vrf, ref name, .. } => {
                let name: Arc<str> = name.as_str().into();
                let known = self.world.machine.vrfs.get(&vrf) == Some(&name);
                self.world.machine.learn(&message);
                if !known {
                    self.vrfs_changed(now, out);
                }
            }
            FromZebra::VrfGone(_) => {
                self.world.machine.learn(&message);
                self.vrfs_changed(now, out);
            }
            FromZebra::Nexthops(states) => {
                self.by_vrf(now, states, |state| state.vrf, FromZebra::Nexthops, out);
            }
            FromZebra::Redistributed(routes) => {
                self.by_vrf(now, routes, |route| route.vrf, FromZebra::Redistributed, out);
            }
            FromZebra::Results(results) => {
                self.by_vrf(now, results, |result| result.vrf, FromZebra::Results, out);
            }
            // bgpd asks for no labels, and has no use for what links offer.
            FromZebra::LabelChunk(_)
            | FromZebra::LspResults(_)
            | FromZebra::FecLabels(_)
            | FromZebra::Rpf(_)
            | FromZebra::LinkParams { .. }
            | FromZebra::LdpSync(_) => {}
            message @ (FromZebra::Refused { .. } | FromZebra::SnapshotDone) => {
                self.give(now, InstanceId::DEFAULT, Event::Zebra(message), out);
            }
        }
    }

    /// An interface changed, perhaps its VRF.
    fn interface(&mut self, now: Timestamp, interface: Interface, out: &mut Acts) {
        let (ifindex, vrf) = (interface.ifindex, interface.vrf);
        let before = self.world.machine.links.get(&ifindex).map(|link| link.interface.vrf);
        let message = FromZebra::Interface(interface);
        self.world.machine.learn(&message);
        let moved = before.filter(|before| *before != vrf);
        if let Some(before) = moved {
            self.tell(now, before, &FromZebra::InterfaceGone(ifindex), out);
        }
        self.tell(now, vrf, &message, out);
        if moved.is_some() {
            // The kernel keeps IPv4 addresses when an interface changes its VRF.
            let addresses = self.world.machine.links.get(&ifindex).map(|link| link.addresses.clone());
            for address in addresses.unwrap_or_default() {
                self.tell(now, vrf, &FromZebra::Address { ifindex, address }, out);
            }
        }
    }

    fn snapshot_done(&mut self, now: Timestamp, out: &mut Acts) {
        if let Some(machine) = self.world.snapshot.take() {
            self.world.machine = machine;
        }
        self.world.connected = true;
        self.replaying = Some(BTreeSet::new());
        let members: Vec<InstanceId> = self.by_name.values().copied().collect();
        // All are waited for before the first may be done.
        for id in &members {
            if self.vrf_now(*id).is_some() {
                self.replaying.get_or_insert_default().insert(*id);
            }
        }
        for id in members {
            self.settle(now, id, out);
        }
    }

    /// VRFs came or went.
    fn vrfs_changed(&mut self, now: Timestamp, out: &mut Acts) {
        for id in self.by_name.values().copied().collect::<Vec<_>>() {
            let known = self.members.get(&id).map(|member| member.instance.vrf);
            if known.is_some_and(|known| known != self.vrf_now(id)) {
                self.settle(now, id, out);
            }
        }
    }

    /// The VRF that an instance is of, by what zebra last told.
    fn vrf_now(&self, id: InstanceId) -> Option<VrfId> {
        match self.members.get(&id)?.instance.name() {
            InstanceName::Vrf(name) => self.world.vrf_named(name),
            InstanceName::Default | InstanceName::View(_) => Some(VrfId::DEFAULT),
        }
    }

    /// Brings an instance to its VRF and, while zebra is there, tells it everything about it.
    pub(super) fn settle(&mut self, now: Timestamp, id: InstanceId, out: &mut Acts) {
        let new = self.vrf_now(id);
        let Some(member) = self.members.get(&id) else { return };
        let old = member.instance.vrf;
        if old != new {
            let device = match (member.instance.name(), new) {
                (InstanceName::Vrf(name), Some(_)) => Some(Arc::clone(name)),
                _ => None,
            };
            if old.is_some() {
                // Its sessions end before anything of the new VRF is told.
                self.with(now, id, out, |instance, acts| instance.set_vrf(now, None, acts));
                out.push((id, Action::Listen { device: None }));
                // Zebra's sweep does not wait for an instance without a VRF.
                self.replayed(id, out);
            }
            self.with(now, id, out, |instance, acts| instance.set_vrf(now, new, acts));
            if device.is_some() {
                out.push((id, Action::Listen { device }));
            }
        }
        let (Some(vrf), true) = (new, self.world.connected) else { return };
        if let Some(waiting) = &mut self.replaying {
            waiting.insert(id);
        }
        self.give(now, id, Event::ZebraConnected, out);
        for message in self.world.machine.snapshot(vrf) {
            self.give(now, id, Event::Zebra(message), out);
        }
    }

    /// Tells the instances of a VRF, views included.
    fn tell(&mut self, now: Timestamp, vrf: VrfId, message: &FromZebra, out: &mut Acts) {
        let mut hearers: Vec<InstanceId> = self.routes_of(vrf).into_iter().collect();
        if vrf == VrfId::DEFAULT {
            hearers.extend(self.views());
        }
        for id in hearers {
            self.give(now, id, Event::Zebra(message.clone()), out);
        }
    }

    /// The instance whose routes are in this VRF.
    fn routes_of(&self, vrf: VrfId) -> Option<InstanceId> {
        if vrf == VrfId::DEFAULT {
            return Some(InstanceId::DEFAULT);
        }
        let name = self.world.machine.vrfs.get(&vrf)?;
        self.by_name.get(&InstanceName::Vrf(Arc::clone(name))).copied()
    }

    /// Parts a message by VRF.
    fn by_vrf<T>(
        &mut self,
        now: Timestamp,
        items: Vec<T>,
        vrf: impl Fn(&T) -> VrfId,
        message: fn(Vec<T>) -> FromZebra,
        out: &mut Acts,
    ) {
        let mut parts: BTreeMap<VrfId, Vec<T>> = BTreeMap::new();
        for item in items {
            parts.entry(vrf(&item)).or_default().push(item);
        }
        for (vrf, items) in parts {
            if let Some(id) = self.routes_of(vrf) {
                self.give(now, id, Event::Zebra(message(items)), out);
            }
        }
    }
}
