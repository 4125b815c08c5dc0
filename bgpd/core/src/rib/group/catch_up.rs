//! Members that catch up: what they miss is drained in slices, together where they miss the same.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::sender::{Sender, runs};
use super::{Group, Member};
use crate::rib::ctx::Ctx;
use crate::rib::event::ShardAction;
use crate::rib::pack::Named;
use crate::rib::settings::PeerId;
use crate::rib::table::{Handle, Key, Table, bits_of};

/// Catching-up members that are drained together.
const DRAIN_TOGETHER: usize = 64;

impl<P: Key> Group<P> {
    /// Sends members that catch up a slice of what they miss.
    pub fn drain(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        budget: usize,
        complete: bool,
        out: &mut Vec<ShardAction>,
    ) {
        let free = |member: &Member| ctx.room(member.idx) > 0;
        let drained: Vec<usize> = self
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| member.catch_up.is_some() && free(member))
            .map(|(index, _)| index)
            .take(DRAIN_TOGETHER)
            .collect();
        if drained.is_empty() {
            return;
        }
        let rooms = drained.iter().filter_map(|index| self.members.get(*index));
        let budget = rooms.map(|member| ctx.room(member.idx)).min().unwrap_or(budget).min(budget);
        let mut announced: Vec<((u32, u64), Named<P>)> = Vec::new();
        let mut withdrawn: Vec<(u64, Named<P>)> = Vec::new();
        let mut visited = 0;
        let words = self.pending_words(&drained);
        for _ in 0..words {
            if visited >= budget {
                break;
            }
            let index = if self.drain_word < words { self.drain_word } else { 0 };
            self.drain_word = index + 1;
            let union = drained.iter().fold(0, |union, member| union | self.pending_word(*member, index));
            for unit in bits_of(union, index) {
                visited += 1;
                self.drain_one(table, unit, &drained, &mut announced, &mut withdrawn);
            }
        }
        self.emit_drained(ctx, &drained, announced, withdrawn, out);
        self.promote(&drained, complete, out);
    }

    fn pending_word(&self, member: usize, index: usize) -> u64 {
        self.members.get(member).and_then(|m| m.catch_up.as_ref()).map_or(0, |c| c.pending.word(index))
    }

    fn pending_words(&self, drained: &[usize]) -> usize {
        let words = |member: &usize| {
            self.members.get(*member).and_then(|m| m.catch_up.as_ref()).map(|c| c.pending.words())
        };
        drained.iter().filter_map(words).max().unwrap_or(0)
    }

    /// Brings the drained members up to date with one unit.
    fn drain_one(
        &mut self,
        table: &mut Table<P>,
        unit: Handle,
        drained: &[usize],
        announced: &mut Vec<((u32, u64), Named<P>)>,
        withdrawn: &mut Vec<(u64, Named<P>)>,
    ) {
        let told = self.told(unit);
        let excluded = self.outs.get(told.main).map(|set| set.excluded);
        let named = self.named(table, unit);
        // Members that are to have the set, and the one that is to have another.
        let (mut main, mut alternate, mut lose, mut unpins) = (0u64, 0u64, 0u64, 0);
        for (bit, index) in drained.iter().enumerate() {
            let Some(member) = self.members.get_mut(*index) else { continue };
            let Some(catch_up) = member.catch_up.as_mut() else { continue };
            if !catch_up.pending.remove(unit) {
                continue;
            }
            let had = catch_up.had.remove(unit);
            unpins += usize::from(had);
            let own = excluded == Some(member.idx);
            let has = if own { told.alternate } else { told.main };
            match (had, has) {
                (had, 1..) => {
                    *(if own { &mut alternate } else { &mut main }) |= 1 << bit;
                    member.sent += u32::from(!had);
                }
                (true, 0) => {
                    lose |= 1 << bit;
                    member.sent = member.sent.saturating_sub(1);
                }
                (false, 0) => {}
            }
        }
        if let Some(named) = named {
            for (id, mask) in [(told.main, main), (told.alternate, alternate)] {
                if mask != 0 {
                    announced.push(((id, mask), named));
                }
            }
            if lose != 0 {
                withdrawn.push((lose, named));
            }
        }
        for _ in 0..unpins {
            self.unpin(table, unit);
        }
    }

    fn emit_drained(
        &mut self,
        ctx: &mut Ctx,
        drained: &[usize],
        mut announced: Vec<((u32, u64), Named<P>)>,
        mut withdrawn: Vec<(u64, Named<P>)>,
        out: &mut Vec<ShardAction>,
    ) {
        let packing = self.packing();
        let mut sender = Sender::new(self.family);
        let mut audiences: FxHashMap<u64, Arc<[PeerId]>> = FxHashMap::default();
        let members = &self.members;
        let mut audience = |mask: u64| {
            let list = || {
                drained
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| mask & (1 << bit) != 0)
                    .filter_map(|(_, index)| members.get(*index).map(|member| member.id))
                    .collect()
            };
            Arc::clone(audiences.entry(mask).or_insert_with(list))
        };
        withdrawn.sort_by_key(|(mask, _)| *mask);
        for (mask, run) in runs(&withdrawn) {
            sender.withdraw(packing, &audience(mask), &run, out);
        }
        announced.sort_by_key(|(key, _)| *key);
        for ((id, mask), run) in runs(&announced) {
            let Some(set) = self.outs.get(id) else { continue };
            let (nexthop, attrs) = set.split();
            sender.announce(packing, &audience(mask), attrs, nexthop, &run, out);
        }
        self.close(ctx, sender, out);
    }

    /// Members with nothing left to catch up on are live again.
    fn promote(&mut self, drained: &[usize], complete: bool, out: &mut Vec<ShardAction>) {
        let mut any = false;
        for index in drained {
            let Some(member) = self.members.get_mut(*index) else { continue };
            if member.catch_up.as_ref().is_none_or(|catch_up| !catch_up.pending.is_empty()) {
                continue;
            }
            member.catch_up = None;
            any = true;
            // While the group itself is still at its first evaluation, the table is not complete.
            if member.awaiting && self.dirty.is_empty() && complete {
                member.awaiting = false;
                out.push(ShardAction::TableSent { peer: member.id, family: self.family });
            }
        }
        if any {
            self.audiences.clear();
        }
    }
}
