//! What a group tells a member of a prefix, and why not, path by path.

use super::Group;
use super::choose::{Ranking, key, usable};
use super::merge::merged;
use crate::rib::bandwidth::Shared;
use crate::rib::ctx::Ctx;
use crate::rib::explain::{ExplainedExport, ExplainedNeighbor, export_effects};
use crate::rib::export::{Target, export_traced};
use crate::rib::peers::PeerIdx;
use crate::rib::reason::Withheld;
use crate::rib::settings::PeerId;
use crate::rib::table::{Entry, Handle, Key, Path, entry_flags};

impl<P: Key> Group<P> {
    /// One member, or all.
    pub fn explain(
        &self,
        ctx: &Ctx,
        handle: Handle,
        entry: &Entry<P>,
        peer: Option<PeerId>,
    ) -> Vec<ExplainedNeighbor> {
        let wanted = self.members.iter().filter(|member| peer.is_none_or(|peer| member.id == peer));
        wanted
            .map(|member| ExplainedNeighbor {
                peer: member.id,
                sent: self.has(member.idx, handle),
                paths: self.explain_member(ctx, handle, entry, member.idx),
            })
            .collect()
    }

    fn explain_member(
        &self,
        ctx: &Ctx,
        handle: Handle,
        entry: &Entry<P>,
        idx: PeerIdx,
    ) -> Vec<ExplainedExport> {
        let offered = self.offered(ctx, entry);
        // Of several paths a plain group tells one: the first that passes.
        let single = self.units.is_none();
        let mut told = false;
        let mut rows = Vec::new();
        for path in entry.paths.iter().filter(|path| usable(path)).filter(|path| !offered.contains(path)) {
            rows.push(self.row(ctx, path, Some(Withheld::NotChosen)));
        }
        let mut first = Vec::new();
        for path in &offered {
            let row = if told && single {
                self.row(ctx, path, Some(Withheld::NotChosen))
            } else {
                self.explain_path(ctx, handle, entry, path, idx)
            };
            told |= row.withheld.is_none();
            first.push(row);
        }
        first.extend(rows);
        first
    }

    /// Paths of others that a member could be told and is not, with the reason. Who has something of a prefix lacks nothing,
    /// unless it is told of several paths.
    pub fn withheld(
        &self,
        ctx: &Ctx,
        handle: Handle,
        entry: &Entry<P>,
        idx: PeerIdx,
    ) -> Vec<(Path, Withheld)> {
        let single = self.units.is_none();
        if single && self.has(idx, handle) {
            return Vec::new();
        }
        let offered = self.offered(ctx, entry).into_iter().filter(|path| path.peer != idx);
        let wanted = offered.take(if single { 1 } else { usize::MAX });
        wanted
            .filter_map(|path| {
                let row = self.explain_path(ctx, handle, entry, &path, idx);
                Some((path, row.withheld?))
            })
            .collect()
    }

    /// The paths that are tried, in order.
    fn offered(&self, ctx: &Ctx, entry: &Entry<P>) -> Vec<Path> {
        if self.units.is_some() {
            let places = self.selected(ctx, entry);
            return places.into_iter().filter_map(|place| entry.paths.get(place)).copied().collect();
        }
        if !self.settings.secondary_path {
            return self.best_of(ctx, entry).into_iter().collect();
        }
        let mut ranking = Ranking::new(ctx, entry, self.settings.optimal.as_ref());
        std::iter::from_fn(|| ranking.next(ctx)).filter_map(|place| entry.paths.get(place)).copied().collect()
    }

    fn row(&self, ctx: &Ctx, path: &Path, withheld: Option<Withheld>) -> ExplainedExport {
        let path_id = if path.peer.is_local() { 0 } else { path.path_id };
        ExplainedExport {
            source: ctx.source(path),
            path_id,
            withheld,
            steps: Vec::new(),
            effects: Vec::new(),
        }
    }

    fn explain_path(
        &self,
        ctx: &Ctx,
        handle: Handle,
        entry: &Entry<P>,
        path: &Path,
        idx: PeerIdx,
    ) -> ExplainedExport {
        let mut row = self.row(ctx, path, None);
        if entry.prefix.length() == 0 && self.settings.default_originate.is_some() {
            row.withheld = Some(Withheld::DefaultOriginate);
            return row;
        }
        if path.peer == idx {
            row.withheld = Some(Withheld::SplitHorizon);
            return row;
        }
        let Some(settings) = self.settings_for(entry) else {
            row.withheld = Some(Withheld::Suppressed);
            return row;
        };
        let merged = merged(ctx, self.family, entry, path);
        let target = Target { merged: merged.as_ref(), ..self.target_of(settings, Shared::default()) };
        match export_traced(ctx, target, path, entry.prefix.into(), Some(&mut row.steps)) {
            Err(withheld) => row.withheld = Some(withheld),
            Ok(attrs) => {
                if let Some(interned) = ctx.attrs.get(path.attrs) {
                    row.effects = export_effects(&interned.attrs, &attrs);
                }
                row.withheld = self.left_out(handle, entry, path);
            }
        }
        row
    }

    /// Passed by policy, and yet not told.
    fn left_out(&self, handle: Handle, entry: &Entry<P>, path: &Path) -> Option<Withheld> {
        let told = match &self.units {
            Some(units) => units.find(handle, key(path)).is_some_and(|unit| self.out.get(unit) != 0),
            None => self.out.get(handle) != 0,
        };
        if told || self.dirty.contains(handle) || entry.has(entry_flags::CHANGED) {
            None
        } else if self.looks_full() {
            Some(Withheld::MaximumPrefixOut)
        } else {
            Some(Withheld::TooBig)
        }
    }
}
