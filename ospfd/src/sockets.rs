//! The sockets of all versions and VRFs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrite_ospf_control::SocketTerms;
use ferrite_types::{IfIndex, VrfId};
use tokio::sync::mpsc;

use crate::groups::Groups;
use crate::socket::{OspfSocket, Packet, Sender};

struct Open {
    socket: OspfSocket,
    groups: Groups,
    terms: SocketTerms,
    /// Sockets of single links, made when something is first sent there.
    links: BTreeMap<IfIndex, Sender>,
}

pub struct Sockets {
    open: BTreeMap<(u8, VrfId), Open>,
    packets: mpsc::Sender<Packet>,
    /// Packets that could not be sent.
    errors: u64,
}

impl Sockets {
    pub fn new(packets: mpsc::Sender<Packet>) -> Self {
        Self { open: BTreeMap::new(), packets, errors: 0 }
    }

    /// Opens a socket, or changes one that is open. A failure costs the VRF its adjacencies; it is told, and tried again with
    /// the next change.
    pub fn open(&mut self, version: u8, vrf: VrfId, terms: SocketTerms) {
        if let Some(open) = self.open.get_mut(&(version, vrf))
            && open.terms.device == terms.device
        {
            if let Err(error) = open.socket.set_buffers(&terms) {
                tracing::warn!(%error, version, "cannot set a socket's buffers");
            }
            // They are made again as they are to be.
            open.links.clear();
            open.terms = terms;
            return;
        }
        match OspfSocket::open(version, &terms, self.packets.clone()) {
            Ok(socket) => {
                let open = Open { socket, groups: Groups::default(), terms, links: BTreeMap::new() };
                self.open.insert((version, vrf), open);
            }
            Err(error) => tracing::error!(%error, version, ?terms, "cannot open a raw socket"),
        }
    }

    pub fn close(&mut self, version: u8, vrf: VrfId) {
        self.open.remove(&(version, vrf));
    }

    pub fn membership(&mut self, version: u8, vrf: VrfId, ifindex: IfIndex, group: IpAddr, join: bool) {
        let Some(Open { groups, terms, links, .. }) = self.open.get_mut(&(version, vrf)) else { return };
        if !join {
            links.remove(&ifindex);
            return groups.leave(ifindex, group);
        }
        if let Err(error) = groups.join(version, terms.device.as_deref(), ifindex, group) {
            tracing::warn!(%error, %ifindex, %group, "cannot join a group");
        }
    }

    pub fn send(
        &mut self,
        (version, vrf): (u8, VrfId),
        ifindex: IfIndex,
        (source, destination): (IpAddr, IpAddr),
        octets: &[u8],
        routed: bool,
    ) {
        let Some(open) = self.open.get_mut(&(version, vrf)) else { return };
        let Open { socket, terms, links, .. } = open;
        if terms.per_interface
            && !routed
            && !links.contains_key(&ifindex)
            && let Ok(sender) = Sender::of_link(terms)
        {
            links.insert(ifindex, sender);
        }
        // Without one of its own a link shares that of all.
        let sender = links.get(&ifindex).filter(|_| !routed).unwrap_or_else(|| socket.sender());
        if let Err(error) = sender.send(ifindex, source, destination, octets, routed) {
            self.errors += 1;
            // Links go while packets are on their way to them: the first of many is enough.
            if self.errors.is_power_of_two() {
                let errors = self.errors;
                tracing::warn!(%error, %ifindex, %source, %destination, errors, "cannot send a packet");
            }
        }
    }
}
