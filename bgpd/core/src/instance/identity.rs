//! Which of the process's instances this one is: its name, its VRF, and the numbers that it shares with the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ferrite_policy::Policies;
use ferrite_types::{Timestamp, VrfId};

use super::zebra::{self, Subscriptions};
use super::{Action, Instance};
use crate::config::InstanceName;
use crate::rib::{PeerId, ShardEvent};

/// Stands for a VRF that does not exist; zebra gives no VRF this number.
pub const NO_VRF: VrfId = VrfId(u32::MAX);

/// Numbers for neighbours, each given once in the life of the process, whatever instance asks.
#[derive(Clone, Debug, Default)]
pub struct PeerIds(Arc<AtomicU32>);

impl PeerIds {
    pub fn next(&self) -> PeerId {
        PeerId(self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
    }
}

impl Instance {
    pub fn name(&self) -> &InstanceName {
        &self.name
    }

    /// The name as shows write it.
    pub fn label(&self) -> &str {
        self.name.label()
    }

    /// The VRF that its routes and next hops are in.
    pub(crate) fn vrf_id(&self) -> VrfId {
        self.vrf.unwrap_or(NO_VRF)
    }

    /// The VRF's number in shows: FRR writes -1 for one that does not exist.
    pub(crate) fn vrf_number(&self) -> i64 {
        self.vrf.map_or(-1, |vrf| i64::from(vrf.0))
    }

    /// Whether next hops are looked up by zebra: a view's are not.
    pub(super) fn uses_zebra(&self) -> bool {
        self.host.zebra && !matches!(self.name, InstanceName::View(_))
    }

    pub(super) fn subscriptions_wanted(&self) -> Subscriptions {
        if self.uses_zebra() { zebra::subscriptions(self.router()) } else { Subscriptions::new() }
    }

    /// The VRF is there, under this number, or it is gone. What zebra said of another number no longer counts; the
    /// caller goes on with a snapshot of the new one.
    pub(crate) fn set_vrf(&mut self, now: Timestamp, vrf: Option<VrfId>, out: &mut Vec<Action>) {
        if self.vrf == vrf {
            return;
        }
        self.vrf = vrf;
        self.tracking.forget_all();
        self.subscriptions = Subscriptions::new();
        self.interfaces = super::Interfaces::default();
        self.zebra_router_id = ferrite_types::RouterId::UNSET;
        self.zebra_gone(out);
        self.snapshot = None;
        self.apply(now, out);
    }

    /// Lists and route maps that another instance has compiled from the configuration that comes next: they are shared,
    /// counters and all.
    pub(crate) fn give_policies(&mut self, policies: Arc<Policies>) {
        self.given_policies = Some(policies);
    }

    /// Asks the shards to say when nothing is left to do; they answer as after a replay.
    pub(crate) fn ask_whether_idle(&self, out: &mut Vec<Action>) {
        self.all_shards(|| ShardEvent::FibBarrier, out);
    }
}
