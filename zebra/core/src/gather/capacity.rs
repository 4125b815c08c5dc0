//! What the kernel's tables hold and what they cannot, for the show.

use crate::instance::Zebra;
use crate::view::capacity::{CapacityView, LeftOutView, ShareView, VrfCapacityView};

/// Routes that are named; the counts go on.
const ROWS: usize = 100;

impl Zebra {
    pub(crate) fn capacity_view(&self) -> CapacityView {
        let (capacity, wanted) = (&self.capacity, self.capacity.wanted());
        let vrfs = self.interfaces.vrfs().map(|(vrf, known)| VrfCapacityView {
            vrf: known.name.clone(),
            limit: wanted.vrfs.get(&vrf).copied(),
            routes: capacity.routes(Some(vrf)),
            entries: capacity.entries(Some(vrf)),
        });
        let shares = wanted.shares.iter().map(|(protocol, percent)| ShareView {
            protocol: *protocol,
            percent: *percent,
            entries: capacity.entries_of(*protocol),
        });
        let left_out = |(key, protocol, prefix): (crate::rib::TableKey, _, _)| LeftOutView {
            vrf: self.vrf_name(key.vrf),
            prefix,
            protocol,
            covered_by: capacity.place(key, prefix).1,
            reason: "no room",
        };
        CapacityView {
            compressed: capacity.active(),
            limit: wanted.limit,
            reported_limit: capacity.reported(),
            routes: capacity.routes(None),
            entries: capacity.entries(None),
            left_out: capacity.left_out().count(),
            vrfs: vrfs.collect(),
            shares: shares.collect(),
            left_out_routes: capacity.left_out().take(ROWS).map(left_out).collect(),
        }
    }
}
