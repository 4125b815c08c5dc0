//! Label-switched paths that stand in the kernel: those of an earlier run are adopted, what others change is put back.
//!
//! An adopted path goes on forwarding until its source names it again (then nothing is written where it is the same), has
//! replayed without it, or nobody claimed it in time.

use std::sync::Arc;

use ferrite_types::zclient::{FromZebra, LspResult};
use ferrite_types::{Label, Nexthop, NexthopKind, RouteProtocol};
use smallvec::SmallVec;

use super::{Lfib, LspState, REPAIR_AFTER};
use crate::instance::Zebra;

/// A label's route in the kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KernelLsp {
    pub label: Label,
    /// Whose it is: [`RouteProtocol::Kernel`] for every path that is not of this suite.
    pub protocol: RouteProtocol,
    pub nexthops: Arc<[Nexthop]>,
}

/// What a path in the kernel is to us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LspVerdict {
    /// As it should be, or nobody's business.
    Right,
    /// An operation of ours is under way.
    Settling,
    Differs(RouteProtocol, Arc<[Nexthop]>),
    Orphan,
}

/// Whether the kernel has what we asked for. It keeps no weights, and says nothing of an implicit null.
pub(super) fn same_path(wanted: &[Nexthop], found: &[Nexthop]) -> bool {
    type Plain = (NexthopKind, SmallVec<[Label; 2]>);
    let plain = |nexthops: &[Nexthop]| -> Vec<Plain> {
        let on_wire = |label: &Label| *label != Label::IMPLICIT_NULL;
        let one = |n: &Nexthop| (n.kind, n.labels.iter().copied().filter(on_wire).collect());
        let mut plain: Vec<Plain> = nexthops.iter().map(one).collect();
        plain.sort_unstable();
        plain
    };
    wanted.len() == found.len() && plain(wanted) == plain(found)
}

impl Lfib {
    pub fn verdict(&self, told: &KernelLsp) -> LspVerdict {
        let foreign = told.protocol == RouteProtocol::Kernel;
        let held = self.lsps.get(&told.label).and_then(|lsp| Some((lsp, lsp.fib.as_ref()?)));
        match held {
            Some((lsp, _)) if lsp.state != LspState::Installed => LspVerdict::Settling,
            Some((lsp, wanted)) => {
                let protocol = lsp.chosen().map_or(told.protocol, |(_, wanted)| wanted.protocol);
                if protocol == told.protocol && same_path(wanted, &told.nexthops) {
                    LspVerdict::Right
                } else {
                    LspVerdict::Differs(protocol, wanted.clone())
                }
            }
            None if foreign || self.adopted.contains_key(&told.label) => LspVerdict::Right,
            None => LspVerdict::Orphan,
        }
    }

    /// Paths that the kernel should have.
    pub fn installed(&self) -> impl Iterator<Item = (Label, &super::Lsp)> {
        self.lsps().filter(|(_, lsp)| lsp.installed())
    }

    /// Number of the last operation.
    pub fn last_seq(&self) -> u32 {
        self.next_seq
    }
}

impl Zebra {
    /// The first dump names what an earlier run left; everything later is looked at.
    pub(crate) fn kernel_lsp(&mut self, told: &KernelLsp) {
        if self.kernel.started {
            self.observe_lsp(told);
        } else if told.protocol != RouteProtocol::Kernel {
            self.lfib.adopted.insert(told.label, told.clone());
            self.kernel.adopt_until = Some(self.now + self.options.adopt_for);
        }
    }

    pub(crate) fn kernel_lsp_gone(&mut self, label: Label) {
        self.lfib.adopted.remove(&label);
        self.mend_lsp(label, true);
    }

    /// Puts a path of ours right that is missing or changed; not at once, for a flush takes many.
    pub(crate) fn mend_lsp(&mut self, label: Label, missing: bool) {
        let due = self.now + REPAIR_AFTER;
        let Some(lsp) = self.lfib.lsps.get_mut(&label) else { return };
        match lsp.state {
            LspState::Queued => lsp.doubtful = true,
            LspState::Installed if missing => {
                lsp.state = LspState::Lost;
                self.lfib.retries.entry(due).or_default().push(label);
            }
            LspState::Installed => {
                lsp.again = true;
                self.lfib.touched.insert(label);
                self.fib.stats.repairs += 1;
            }
            _ => {}
        }
    }

    pub(crate) fn remove_orphan_lsp(&mut self, label: Label, protocol: RouteProtocol) {
        self.lfib.push(label, protocol, None);
    }

    /// What an earlier run left for a label, where it is what is wanted now: nothing need be written.
    pub(super) fn claim_lsp(&mut self, label: Label, protocol: RouteProtocol, fib: &[Nexthop]) -> bool {
        let Some(adopted) = self.lfib.adopted.remove(&label) else { return false };
        if adopted.protocol != protocol || !same_path(fib, &adopted.nexthops) {
            return false;
        }
        let owner = self.lfib.lsp(label).and_then(|lsp| lsp.chosen()).map(|(owner, _)| owner);
        if let Some(client) = owner.and_then(|owner| self.clients.owner(owner)?.client) {
            self.send(client, FromZebra::LspResults(vec![LspResult { label, errno: 0 }]));
        }
        true
    }

    /// Takes out what an earlier run left and nobody claimed: of one protocol, or of all.
    pub(crate) fn sweep_adopted_lsps(&mut self, protocol: Option<RouteProtocol>) {
        let of = |lsp: &KernelLsp| protocol.is_none_or(|protocol| lsp.protocol == protocol);
        let stale: Vec<(Label, RouteProtocol)> = self
            .lfib
            .adopted
            .iter()
            .filter(|(_, lsp)| of(lsp))
            .map(|(label, lsp)| (*label, lsp.protocol))
            .collect();
        for (label, protocol) in stale {
            self.lfib.adopted.remove(&label);
            self.lfib.push(label, protocol, None);
        }
    }
}
