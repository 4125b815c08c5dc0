//! The sockets of all versions and VRFs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrite_types::{IfIndex, VrfId};
use tokio::sync::mpsc;

use crate::groups::Groups;
use crate::socket::{OspfSocket, Packet};

struct Open {
    socket: OspfSocket,
    groups: Groups,
    device: Option<String>,
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

    /// A failure costs the VRF its adjacencies; it is told, and tried again with the next change.
    pub fn open(&mut self, version: u8, vrf: VrfId, device: Option<String>) {
        match OspfSocket::open(version, device.as_deref(), self.packets.clone()) {
            Ok(socket) => {
                self.open.insert((version, vrf), Open { socket, groups: Groups::default(), device });
            }
            Err(error) => tracing::error!(%error, version, ?device, "cannot open a raw socket"),
        }
    }

    pub fn close(&mut self, version: u8, vrf: VrfId) {
        self.open.remove(&(version, vrf));
    }

    pub fn membership(&mut self, version: u8, vrf: VrfId, ifindex: IfIndex, group: IpAddr, join: bool) {
        let Some(Open { groups, device, .. }) = self.open.get_mut(&(version, vrf)) else { return };
        if !join {
            return groups.leave(ifindex, group);
        }
        if let Err(error) = groups.join(version, device.as_deref(), ifindex, group) {
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
        let Some(Open { socket, .. }) = self.open.get(&(version, vrf)) else { return };
        if let Err(error) = socket.send(ifindex, source, destination, octets, routed) {
            self.errors += 1;
            // Links go while packets are on their way to them: the first of many is enough.
            if self.errors.is_power_of_two() {
                let errors = self.errors;
                tracing::warn!(%error, %ifindex, %source, %destination, errors, "cannot send a packet");
            }
        }
    }
}
