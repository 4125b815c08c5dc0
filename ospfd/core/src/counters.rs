//! Packets of an interface, by type and direction (`show ip ospf interface traffic`).

use ferrite_ospf_packet::{Body, Kind};

/// One direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// By packet type, in the order of [`Kind::ALL`].
    packets: [u64; 5],
    /// LSAs, whole or by their headers, in the order of [`Kind::ALL`].
    lsas: [u64; 5],
    /// Octets of OSPF.
    pub octets: u64,
}

impl Traffic {
    pub fn packets(&self, kind: Kind) -> u64 {
        self.packets.get(slot(kind)).copied().unwrap_or(0)
    }

    /// LSAs in packets of a type; of descriptions, requests and acknowledgments their headers.
    pub fn lsas(&self, kind: Kind) -> u64 {
        self.lsas.get(slot(kind)).copied().unwrap_or(0)
    }

    pub(crate) fn count(&mut self, body: &Body, octets: usize) {
        let many = match body {
            Body::Hello(_) => 0,
            Body::DatabaseDescription(description) => description.headers.len(),
            Body::LinkStateRequest(keys) => keys.len(),
            Body::LinkStateUpdate(lsas) => lsas.len(),
            Body::LinkStateAck(headers) => headers.len(),
        };
        self.octets += octets as u64;
        let slot = slot(body.kind());
        if let (Some(packets), Some(lsas)) = (self.packets.get_mut(slot), self.lsas.get_mut(slot)) {
            *packets += 1;
            *lsas += many as u64;
        }
    }
}

fn slot(kind: Kind) -> usize {
    kind as usize - 1
}
