//! Decisions that wait: after a restart for the neighbours' tables (RFC 4724 §4.1), with `update-delay` for all that there
//! will be.
//!
//! Routes are taken in meanwhile, and zebra is asked for their next hops, so that all is known when decisions begin. After
//! that nobody is told that the table is complete before the last answer has come: a neighbour would take what is missing
//! for withdrawn.

use super::ctx::Ctx;
use super::family::Rib;
use super::table::{Key, Path};

#[derive(Debug, Default)]
pub struct Deferral {
    active: bool,
    /// Entries of `changed` whose next hops were asked for.
    prepared: usize,
    /// Decisions go on, but not all is decided yet.
    ending: bool,
}

impl<P: Key> Rib<P> {
    pub fn defer(&mut self, defer: bool) {
        let was = std::mem::replace(&mut self.deferral.active, defer);
        self.deferral.prepared = 0;
        self.deferral.ending |= was && !defer;
    }

    pub fn is_deferred(&self) -> bool {
        self.deferral.active
    }

    pub fn is_preparing(&self) -> bool {
        self.deferral.prepared < self.changed.len()
    }

    /// Has next hops tracked for a slice of what came.
    pub fn prepare(&mut self, ctx: &mut Ctx) {
        let end = self.changed.len().min(self.deferral.prepared + ctx.limits.slice);
        for index in self.deferral.prepared..end {
            let entry = self.changed.get(index).and_then(|handle| self.table.get(*handle));
            let paths: smallvec::SmallVec<[Path; 4]> =
                entry.into_iter().flat_map(|e| e.paths.iter().copied()).collect();
            for path in paths {
                ctx.usable(&path, self.slot);
            }
        }
        self.deferral.prepared = end;
    }

    /// Whether what groups have evaluated is all there is.
    pub fn is_complete(&self, ctx: &Ctx) -> bool {
        !self.deferral.ending || (self.is_settled() && !ctx.nexthops.awaits_answers())
    }

    /// The same; once it was so, it stays so.
    pub fn completes(&mut self, ctx: &Ctx) -> bool {
        let complete = self.is_complete(ctx);
        self.deferral.ending &= !complete;
        complete
    }
}
