//! Sockets and groups: which are open follows from the interfaces that speak. It is looked at anew when the configuration, a link
//! or the state of an interface changed, and not at each packet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrite_types::ids::{IfIndex, VrfId};

use super::event::{Action, SocketTerms};
use super::flavor::Flavor;
use super::ospf::{Ospf, Processes};
use crate::Settings;

type Terms = BTreeMap<(u8, VrfId), SocketTerms>;
type Members = BTreeSet<(u8, VrfId, IfIndex, IpAddr)>;

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Reach {
    sockets: Terms,
    members: Members,
    /// Settings, links or VRFs changed.
    pub stale: bool,
}

impl Ospf {
    /// Sockets and groups that the processes need now.
    pub(super) fn open_sockets(&mut self, out: &mut Vec<Action>) {
        let moved = moved(&mut self.v2) | moved(&mut self.v3) | moved(&mut self.v3_ipv4);
        if !moved && !self.reach.stale {
            return;
        }
        let (mut sockets, mut members) = (Terms::new(), Members::new());
        let settings = &self.world.settings;
        needs(&self.v2, settings, &mut sockets, &mut members);
        needs(&self.v3, settings, &mut sockets, &mut members);
        needs(&self.v3_ipv4, settings, &mut sockets, &mut members);
        let before = std::mem::replace(&mut self.reach, Reach { sockets, members, stale: false });
        let Reach { sockets, members, .. } = &self.reach;
        for (key, terms) in sockets.iter().filter(|(key, terms)| before.sockets.get(key) != Some(terms)) {
            let (version, vrf) = *key;
            out.push(Action::Socket { version, vrf, terms: Some(terms.clone()) });
        }
        for (version, vrf, ifindex, group) in members.difference(&before.members).copied() {
            out.push(Action::Membership { version, vrf, ifindex, group, join: true });
        }
        for (version, vrf, ifindex, group) in before.members.difference(members).copied() {
            out.push(Action::Membership { version, vrf, ifindex, group, join: false });
        }
        for (version, vrf) in before.sockets.keys().filter(|key| !sockets.contains_key(key)).copied() {
            out.push(Action::Socket { version, vrf, terms: None });
        }
    }

    /// Packets that are taken at a time before deadlines are looked at: the most that a process says (`write-multiplier`).
    pub fn batch(&self) -> usize {
        let said = self
            .world
            .settings
            .routers()
            .map(|router| router.write_multiplier.unwrap_or(WRITE_MULTIPLIER))
            .max();
        usize::from(said.unwrap_or(WRITE_MULTIPLIER))
    }
}

/// FRR's, where nothing is said.
pub(crate) const WRITE_MULTIPLIER: u8 = 20;

fn moved<V: Flavor>(processes: &mut Processes<V>) -> bool {
    let mut any = false;
    for process in processes.values_mut() {
        any |= std::mem::take(&mut process.moved);
    }
    any
}

fn needs<V: Flavor>(
    processes: &Processes<V>,
    settings: &Settings,
    sockets: &mut Terms,
    members: &mut Members,
) {
    for process in processes.values() {
        let speaking = process.core.interfaces().iter().filter(|(_, interface)| interface.speaks());
        for (id, _) in speaking {
            let Some(link) = process.links.get(id) else { continue };
            let ifindex = link.interface.ifindex;
            let terms = sockets.entry((V::VERSION, process.vrf)).or_default();
            terms.device.clone_from(&process.name.vrf);
            if let Some(router) = V::routers(settings).get(&process.name) {
                terms.receive = terms.receive.max(router.receive_buffer);
                terms.send = terms.send.max(router.send_buffer);
                terms.per_interface |= V::VERSION == 2 && !router.no_socket_per_interface;
            }
            members.insert((V::VERSION, process.vrf, ifindex, V::ALL_SPF_ROUTERS));
            if process.designated.contains(id) {
                members.insert((V::VERSION, process.vrf, ifindex, V::ALL_D_ROUTERS));
            }
        }
    }
}
