//! Label-switched paths, bound prefixes and chunks of labels, for the shows.

use ferrite_types::{Label, NexthopKind, Prefix};

use crate::fib::errno_text;
use crate::instance::Zebra;
use crate::lfib::{Lsp, LspState};
use crate::rib::OwnerId;
use crate::view::mpls::{
    BoundsView, ChunkView, FecTable, FecView, LabelTableView, LspTable, LspView, NhlfeView,
};

impl Zebra {
    pub(crate) fn lsp_table(&self) -> LspTable {
        LspTable(self.lfib.lsps().map(|(label, lsp)| (label, self.lsp_view(label, lsp))).collect())
    }

    pub(crate) fn lsp_view_of(&self, label: Label) -> Option<LspView> {
        self.lfib.lsp(label).map(|lsp| self.lsp_view(label, lsp))
    }

    fn lsp_view(&self, label: Label, lsp: &Lsp) -> LspView {
        let installed = lsp.installed();
        let mut nexthops = Vec::new();
        if let Some((owner, wanted)) = lsp.chosen() {
            let resolved = self.resolver().set(&wanted.nexthops, self.path_trust());
            for (nexthop, resolved) in wanted.nexthops.iter().zip(&resolved.nexthops) {
                let usable = resolved.paths.first();
                let exit = usable.unwrap_or(nexthop).ifindex();
                let mut stack: Vec<Label> = nexthop.labels.to_vec();
                if stack.is_empty() {
                    stack.push(Label::IMPLICIT_NULL);
                }
                nexthops.push(NhlfeView {
                    kind: if owner == OwnerId::SELF { "Static" } else { lsp_type(wanted.protocol.name()) },
                    out_label: stack.first().copied().unwrap_or(Label::IMPLICIT_NULL),
                    out_label_stack: stack,
                    distance: wanted.protocol.default_distance().0,
                    installed: installed && usable.is_some(),
                    nexthop: match nexthop.kind {
                        NexthopKind::Gateway(gateway, _) => Some(gateway),
                        _ => None,
                    },
                    interface: exit.map(|ifindex| self.interface_name(ifindex)),
                });
            }
        }
        let failure_reason = match lsp.state {
            LspState::Rejected(errno) => Some(errno_text(errno)),
            _ if self.lfib.platform().is_none() => Some("the kernel has no MPLS".to_owned()),
            _ => None,
        };
        LspView { in_label: label, installed, failure_reason, nexthops }
    }

    pub(crate) fn fec_table(&self, only: Option<Prefix>) -> FecTable {
        let bound =
            self.settings.mpls.bindings.iter().filter(|(prefix, _)| only.is_none_or(|o| o == **prefix));
        let name = |client| Some(self.clients.get(client)?.hello.daemon.clone());
        let view = |(prefix, label): (&Prefix, &Label)| FecView {
            prefix: *prefix,
            label: *label,
            clients: self.lfib.watchers(*prefix).filter_map(name).collect(),
        };
        FecTable(bound.map(view).collect())
    }

    pub(crate) fn mpls_status(&self) -> String {
        let state = match self.lfib.platform() {
            None => "no (mpls kernel extensions not detected)",
            Some(_) => "yes",
        };
        format!("MPLS support enabled: {state}\n")
    }

    pub(crate) fn label_table(&self) -> LabelTableView {
        let labels = &self.lfib.labels;
        let chunk = |chunk: &crate::labels::Chunk| {
            let owner = self.clients.owner(chunk.owner);
            ChunkView {
                protocol: owner.map_or("unknown", |owner| owner.protocol.name()).to_owned(),
                instance: owner.map_or(0, |owner| owner.instance),
                start: chunk.block.first,
                end: chunk.block.last,
                dynamic: labels.dynamic.contains(chunk.block.first)
                    && labels.dynamic.contains(chunk.block.last),
                keep: chunk.keep,
            }
        };
        LabelTableView {
            dynamic_block: BoundsView { lower_bound: labels.dynamic.first, upper_bound: labels.dynamic.last },
            chunks: labels.chunks().map(chunk).collect(),
        }
    }
}

/// FRR's names for the kinds of paths.
fn lsp_type(protocol: &'static str) -> &'static str {
    match protocol {
        "ldp" => "LDP",
        "bgp" => "BGP",
        "ospf" => "SR (OSPF)",
        "isis" => "SR (IS-IS)",
        "sharp" => "SHARP",
        "srte" => "SR (TE)",
        other => other,
    }
}
