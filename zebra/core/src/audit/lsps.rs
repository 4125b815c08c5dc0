//! Label-switched paths in a look at the kernel.

use ferrite_types::{Afi, Label, Nexthop, Prefix, RouteProtocol, TableId, VrfId};

use super::{DriftKind, DriftRow, Purpose, newer};
use crate::instance::Zebra;
use crate::lfib::{KernelLsp, LspVerdict};

impl Zebra {
    pub(crate) fn audited_lsps(&mut self, audit: u64, lsps: &[KernelLsp]) {
        if self.audits.look.as_ref().is_none_or(|look| look.id != audit) {
            return;
        }
        for lsp in lsps {
            self.observe_lsp(lsp);
        }
    }

    /// A label's route stands in the kernel.
    pub(crate) fn observe_lsp(&mut self, told: &KernelLsp) {
        let verdict = self.lfib.verdict(told);
        let seq = self.lfib.lsp(told.label).map(|lsp| lsp.seq());
        let mut report = false;
        if let Some(look) = &mut self.audits.look {
            report = look.purpose == Purpose::Report;
            look.lsps.insert(told.label);
            // Younger operations than the look have changed it.
            if seq.is_some_and(|seq| newer(seq, Some(look.lfib_seq))) {
                return;
            }
        }
        let found = Some(told.nexthops.to_vec());
        match verdict {
            LspVerdict::Right => {}
            LspVerdict::Settling => self.mend_lsp(told.label, false),
            LspVerdict::Differs(protocol, wanted) => {
                self.note_lsp(told.label, DriftKind::Different, protocol, Some(wanted.to_vec()), found);
                if !report {
                    self.audits.stats.different += 1;
                    self.mend_lsp(told.label, false);
                }
            }
            LspVerdict::Orphan => {
                self.note_lsp(told.label, DriftKind::Orphan, told.protocol, None, found);
                if !report {
                    self.audits.stats.orphans += 1;
                    self.remove_orphan_lsp(told.label, told.protocol);
                }
            }
        }
    }

    /// Paths that the list did not name.
    pub(super) fn missing_lsps(&mut self) {
        let Some(look) = &self.audits.look else { return };
        let report = look.purpose == Purpose::Report;
        let missing: Vec<(Label, Vec<Nexthop>)> = self
            .lfib
            .installed()
            .filter(|(label, lsp)| !look.lsps.contains(label) && !newer(lsp.seq(), Some(look.lfib_seq)))
            .filter_map(|(label, lsp)| Some((label, lsp.fib.as_ref()?.to_vec())))
            .collect();
        for (label, wanted) in missing {
            let chosen = self.lfib.lsp(label).and_then(|lsp| lsp.chosen());
            let protocol = chosen.map_or(RouteProtocol::Static, |(_, wanted)| wanted.protocol);
            self.note_lsp(label, DriftKind::Missing, protocol, Some(wanted), None);
            if !report {
                self.audits.stats.missing += 1;
                self.mend_lsp(label, true);
            }
        }
    }

    fn note_lsp(
        &mut self,
        label: Label,
        kind: DriftKind,
        protocol: RouteProtocol,
        wanted: Option<Vec<Nexthop>>,
        found: Option<Vec<Nexthop>>,
    ) {
        self.note_drift(DriftRow {
            key: crate::rib::key(VrfId::DEFAULT, Afi::Ipv4, TableId::MAIN),
            prefix: Prefix::default_of(Afi::Ipv4),
            nexthop: None,
            label: Some(label),
            kind,
            protocol,
            wanted,
            found,
            reason: None,
        });
    }
}
