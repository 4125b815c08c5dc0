//! What the hardware below the kernel makes of a route: offloaded, trapped (its packets go to the kernel), or refused.
//!
//! The kernel says it in its notices (`RTM_F_OFFLOAD`, `RTM_F_TRAP`, `RTM_F_OFFLOAD_FAILED`), the forwarding plane manager's peer
//! in the same form on its stream. With `--asic-offload=notify_on_offload` a route counts as installed only when the hardware has
//! it: until then it is shown as queued, and its daemon is not told (bgpd with `bgp suppress-fib-pending` does not advertise it).

use ferrite_types::Prefix;
use ferrite_types::zclient::RouteOutcome;

use crate::event::{KernelRoute, Offload};
use crate::instance::Zebra;
use crate::rib::{Dest, DestState, ShapeId, TableKey};

/// EREMOTEIO: the kernel took the route, the hardware did not.
const REFUSED_BY_HARDWARE: i32 = 121;

/// When a daemon hears that its route is installed, where there is hardware to forward.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsicNotify {
    /// The kernel has it.
    OnAck,
    /// The hardware has it.
    OnOffload,
}

impl Zebra {
    fn waits_for_hardware(&self) -> bool {
        self.options.asic == Some(AsicNotify::OnOffload)
    }

    /// The kernel has the route, and the hardware has said nothing yet though we wait for it.
    pub(crate) fn awaits_offload(&self, dest: &Dest) -> bool {
        self.waits_for_hardware() && dest.state == DestState::Installed && dest.offload == Offload::None
    }

    /// A notice about a route of ours.
    pub(crate) fn offload_told(&mut self, key: TableKey, prefix: Prefix, offload: Offload) {
        // The kernel knows nothing of what the peer's hardware does.
        let silent = offload == Offload::None && self.fpm.link.connected;
        let waits = self.waits_for_hardware();
        let Some(dest) = self.rib.dest_mut(key, prefix) else { return };
        if silent || dest.offload == offload {
            return;
        }
        dest.offload = offload;
        let held = dest.fib.filter(|_| waits && dest.state == DestState::Installed);
        if let Some(held) = held {
            self.tell_installed(key, prefix, held);
        }
    }

    /// A notice of offloading crossed with the answer to the operation that it is about: true where that is all there is to it.
    pub(crate) fn offload_crossed(&mut self, key: TableKey, route: &KernelRoute) -> bool {
        if route.offload == Offload::None {
            return false;
        }
        let Some(dest) = self.rib.dest(key, route.prefix).filter(|dest| dest.state == DestState::Queued)
        else {
            return false;
        };
        let asked = dest.fib.and_then(|held| self.rib.shared.fib_route_of(held, dest.fib_generation));
        if !asked.is_some_and(|asked| crate::audit::same_route(asked, route)) {
            return false;
        }
        if let Some(dest) = self.rib.dest_mut(key, route.prefix) {
            dest.offload = route.offload;
        }
        true
    }

    /// The kernel has the route: its owner hears so, at once or when the hardware has it too.
    pub(crate) fn tell_installed(&mut self, key: TableKey, prefix: Prefix, held: ShapeId) {
        let offload = self.rib.dest(key, prefix).map_or(Offload::None, |dest| dest.offload);
        let outcome = match offload {
            _ if !self.waits_for_hardware() => RouteOutcome::Installed,
            Offload::None => return,
            Offload::Offloaded | Offload::Trapped => RouteOutcome::Installed,
            Offload::Failed => RouteOutcome::Rejected(REFUSED_BY_HARDWARE),
        };
        self.tell_owner(key, prefix, held, outcome);
    }

    /// A route as the peer of the forwarding plane manager's stream tells of it. Its table is a table's number, or that of a VRF's
    /// device, or none at all for the default VRF.
    pub fn fpm_told(&mut self, route: &KernelRoute) {
        let table = route.table.0;
        let vrf = match table {
            0 => Some(ferrite_types::VrfId::DEFAULT),
            _ => self.interfaces.vrf_by_table(route.table),
        };
        let vrf = vrf.or_else(|| {
            self.interfaces.vrf(ferrite_types::VrfId(table)).map(|_| ferrite_types::VrfId(table))
        });
        let vrf = vrf.unwrap_or_default();
        let own = self.interfaces.table_of(vrf).filter(|_| vrf.0 == table || table == 0);
        let key = crate::rib::key(vrf, route.prefix.afi(), own.unwrap_or(route.table));
        self.fpm_notice(key, route.prefix, route.offload);
    }
}
