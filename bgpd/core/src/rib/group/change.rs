//! A unit of a group changes: who is to be told what, and what is booked for members that are told later.

use std::sync::Arc;

use super::outs::Outs;
use super::sender::{Sender, runs};
use super::{CatchUp, Group, Member};
use crate::rib::ctx::Ctx;
use crate::rib::event::ShardAction;
use crate::rib::pack::Named;
use crate::rib::peers::PeerIdx;
use crate::rib::settings::PeerId;
use crate::rib::table::{Handle, Key, Table};

/// Changes found by evaluation, to be packed.
#[derive(Debug)]
pub struct Emission<P> {
    /// By set, with a member that has it already.
    pub announced: Vec<((u32, PeerIdx), Named<P>)>,
    /// With the member that does not have the prefix.
    pub withdrawn: Vec<(PeerIdx, Named<P>)>,
    /// Withdrawn from one member only: the route comes from it now.
    pub single: Vec<(PeerIdx, Named<P>)>,
    /// Announced to one member only: it had none, or another than the others have.
    pub again: Vec<((PeerIdx, u32), Named<P>)>,
}

impl<P> Default for Emission<P> {
    fn default() -> Self {
        Self { announced: Vec::new(), withdrawn: Vec::new(), single: Vec::new(), again: Vec::new() }
    }
}

/// What members have of a unit: the set, and the one that the member has which the set excludes. Zero is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Told {
    pub main: u32,
    pub alternate: u32,
}

impl Told {
    fn excluded(self, outs: &Outs) -> Option<PeerIdx> {
        outs.get(self.main).map(|out| out.excluded)
    }

    /// What a member has, with the one excluded at hand.
    fn of(self, excluded: Option<PeerIdx>, idx: PeerIdx) -> u32 {
        if excluded == Some(idx) { self.alternate } else { self.main }
    }
}

impl<P: Key> Group<P> {
    /// Units are numbered below.
    pub(super) fn capacity(&self, entries: usize) -> usize {
        self.units.as_ref().map_or(entries, super::Units::capacity)
    }

    pub(super) fn pin(&mut self, table: &mut Table<P>, unit: Handle) {
        match &mut self.units {
            Some(units) => units.pin(unit),
            None => table.pin(unit),
        }
    }

    pub(super) fn unpin(&mut self, table: &mut Table<P>, unit: Handle) {
        match &mut self.units {
            Some(units) => units.unpin(table, unit),
            None => table.unpin(unit),
        }
    }

    /// A unit as it is sent.
    pub(super) fn named(&self, table: &Table<P>, unit: Handle) -> Option<Named<P>> {
        let (handle, path_id) = match &self.units {
            Some(units) => units.get(unit).map(|unit| (unit.handle, unit.path_id))?,
            None => (unit, 0),
        };
        Some(Named { path_id, prefix: table.get(handle)?.prefix })
    }

    pub(super) fn told(&self, unit: Handle) -> Told {
        let alternate = if self.alternates.is_empty() { None } else { self.alternates.get(&unit).copied() };
        Told { main: self.out.get(unit), alternate: alternate.unwrap_or(0) }
    }

    /// The set that a live member has of a unit, and that one that catches up will have.
    pub(super) fn held(&self, idx: PeerIdx, unit: Handle) -> u32 {
        let told = self.told(unit);
        told.of(told.excluded(&self.outs), idx)
    }

    /// Whether the peer has the unit from us.
    pub(super) fn has_unit(&self, member: &Member, unit: Handle) -> bool {
        match &member.catch_up {
            Some(catch_up) if catch_up.pending.contains(unit) => catch_up.had.contains(unit),
            _ => self.held(member.idx, unit) != 0,
        }
    }

    /// Gives a new group what this one has told, for a member that goes over to it.
    pub(super) fn copy_into(&mut self, new: &mut Self, table: &mut Table<P>, member: &Member) {
        let had = |unit: Handle| member.catch_up.as_ref().is_some_and(|catch_up| catch_up.had.contains(unit));
        new.units = self
            .units
            .as_ref()
            .map(|units| units.copy(table, |unit| u32::from(self.out.get(unit) != 0) + u32::from(had(unit))));
        let mut copies = rustc_hash::FxHashMap::<u32, u32>::default();
        let mut copy = |outs: &Outs, new: &mut Outs, id: u32| {
            let old = outs.get(id)?;
            let copy =
                *copies.entry(id).or_insert_with(|| new.intern(&old.octets, old.nexthop_len, old.excluded));
            new.retain(copy);
            Some(copy)
        };
        for (unit, id) in self.out.iter() {
            let Some(id) = copy(&self.outs, &mut new.outs, id) else { continue };
            new.out.set(unit, id);
            if new.units.is_none() {
                table.pin(unit);
            }
        }
        for (unit, id) in &self.alternates {
            if let Some(id) = copy(&self.outs, &mut new.outs, *id) {
                new.alternates.insert(*unit, id);
            }
        }
        // The member's own pins go with it: those of a plain group are the entry's, and stay as they are.
        if self.units.is_some() {
            let units: Vec<Handle> =
                member.catch_up.iter().flat_map(|catch_up| catch_up.had.iter()).collect();
            units.into_iter().for_each(|unit| self.unpin(table, unit));
        }
    }

    /// Makes a unit for each that a member of `from` has and this group has not told of.
    pub(super) fn make_counterparts(
        &mut self,
        table: &mut Table<P>,
        from: &Self,
        idx: PeerIdx,
        catch_up: &CatchUp,
    ) {
        let (Some(units), Some(theirs)) = (&mut self.units, &from.units) else { return };
        for (number, unit) in theirs.iter() {
            let known = if catch_up.pending.contains(number) {
                catch_up.had.contains(number)
            } else {
                from.held(idx, number) != 0
            };
            if known && units.find(unit.handle, unit.key).is_none() {
                units.make(table, unit.handle, unit.key);
            }
        }
    }

    /// The unit of another group of the same kind that is about the same thing.
    pub(super) fn counterpart(&self, other: &Self, unit: Handle) -> Option<Handle> {
        match (&self.units, &other.units) {
            (Some(ours), Some(theirs)) => {
                let unit = ours.get(unit)?;
                theirs.find(unit.handle, unit.key)
            }
            _ => Some(unit),
        }
    }

    /// Books a change of a unit: what live members are to be told goes into `emission`, the others have it pending. Sets
    /// that nobody has any more are named in `gone`.
    pub(super) fn change(
        &mut self,
        table: &mut Table<P>,
        unit: Handle,
        named: Named<P>,
        new: Told,
        emission: &mut Emission<P>,
        gone: &mut Vec<u32>,
    ) {
        let old = self.told(unit);
        if new == old {
            if self.duplicates && new.main != 0 {
                emission.announced.push(((new.main, PeerIdx::LOCAL), named));
            }
            return;
        }
        for id in [new.main, new.alternate] {
            self.outs.retain(id);
        }
        gone.extend([old.main, old.alternate].into_iter().filter(|id| *id != 0));
        self.out.set(unit, new.main);
        match new.alternate {
            0 if self.alternates.is_empty() => {}
            0 => drop(self.alternates.remove(&unit)),
            id => drop(self.alternates.insert(unit, id)),
        }
        self.count_told(old.main != 0, new.main != 0);
        let pins = self.book(unit, old, new);
        self.tell(named, old, new, emission);
        let stood = i64::from(new.main != 0) - i64::from(old.main != 0);
        for _ in 0..pins + stood.max(0) {
            self.pin(table, unit);
        }
        if stood < 0 {
            self.unpin(table, unit);
        }
    }

    /// Counts what live members have; what others have to be told is pending. Returns the pins to be taken.
    fn book(&mut self, unit: Handle, old: Told, new: Told) -> i64 {
        let (had_not, has_not) = (old.excluded(&self.outs), new.excluded(&self.outs));
        let same = self.outs.same_octets(old.main, new.main);
        let mut pins = 0;
        for member in &mut self.members {
            let (had, has) = (old.of(had_not, member.idx), new.of(has_not, member.idx));
            match &mut member.catch_up {
                Some(catch_up) => {
                    let main = (had, has) == (old.main, new.main);
                    let unchanged = had == has || if main { same } else { self.outs.same_octets(had, has) };
                    if !unchanged && catch_up.pending.insert(unit) && had != 0 && catch_up.had.insert(unit) {
                        pins += 1;
                    }
                }
                None => match (had, has) {
                    (0, 1..) => member.sent += 1,
                    (1.., 0) => member.sent = member.sent.saturating_sub(1),
                    _ => {}
                },
            }
        }
        pins
    }

    /// Says who of the live members is to be told what.
    fn tell(&self, named: Named<P>, old: Told, new: Told, emission: &mut Emission<P>) {
        let (had_not, has_not) = (old.excluded(&self.outs), new.excluded(&self.outs));
        let live = |idx: &PeerIdx| !idx.is_local() && self.is_live(*idx);
        // The same octets, learned from somebody else.
        let same = self.outs.same_octets(old.main, new.main);
        // The member that had its own, and has what everybody has now.
        let back = had_not.filter(|idx| has_not != Some(*idx)).filter(live);
        let has_already = back.filter(|_| self.outs.same_octets(old.alternate, new.main));
        match new.main {
            0 => {
                let had_none = had_not.filter(|_| old.alternate == 0).unwrap_or(PeerIdx::LOCAL);
                emission.withdrawn.push((had_none, named));
            }
            id if !same || self.duplicates => {
                emission.announced.push(((id, has_already.unwrap_or(PeerIdx::LOCAL)), named));
            }
            id => {
                if let Some(idx) = back.filter(|_| has_already.is_none()) {
                    emission.again.push(((idx, id), named));
                }
            }
        }
        // The member that has its own now.
        let Some(idx) = has_not.filter(live) else { return };
        let had = old.of(had_not, idx);
        match new.alternate {
            0 if had != 0 => emission.single.push((idx, named)),
            0 => {}
            id if self.outs.same_octets(had, id) => {}
            id => emission.again.push(((idx, id), named)),
        }
    }

    fn is_live(&self, idx: PeerIdx) -> bool {
        self.members.iter().any(|member| member.idx == idx && member.catch_up.is_none())
    }

    fn id_of(&self, idx: PeerIdx) -> Option<PeerId> {
        self.members.iter().find(|member| member.idx == idx).map(|member| member.id)
    }

    /// Live members without two.
    fn audience(&mut self, excluded: PeerIdx, other: PeerIdx) -> Arc<[PeerId]> {
        let members = &self.members;
        let audience = self.audiences.entry((excluded, other)).or_insert_with(|| {
            members
                .iter()
                .filter(|member| member.catch_up.is_none() && member.idx != excluded && member.idx != other)
                .map(|member| member.id)
                .collect()
        });
        Arc::clone(audience)
    }

    /// Packs what live members are to get.
    pub(super) fn emit(&mut self, ctx: &mut Ctx, mut emission: Emission<P>, out: &mut Vec<ShardAction>) {
        let packing = self.packing();
        let mut sender = Sender::new(self.family);
        emission.withdrawn.sort_by_key(|(excluded, _)| *excluded);
        for (excluded, run) in runs(&emission.withdrawn) {
            let audience = self.audience(excluded, PeerIdx::LOCAL);
            sender.withdraw(packing, &audience, &run, out);
        }
        emission.single.sort_by_key(|(member, _)| *member);
        for (member, run) in runs(&emission.single) {
            let Some(id) = self.id_of(member) else { continue };
            sender.withdraw(packing, &Arc::from([id]), &run, out);
        }
        emission.again.sort_by_key(|(key, _)| *key);
        for ((member, id), run) in runs(&emission.again) {
            let Some(peer) = self.id_of(member) else { continue };
            let Some(set) = self.outs.get(id) else { continue };
            let (nexthop, attrs) = set.split();
            sender.announce(packing, &Arc::from([peer]), attrs, nexthop, &run, out);
        }
        emission.announced.sort_by_key(|(key, _)| *key);
        for ((id, other), run) in runs(&emission.announced) {
            let Some(excluded) = self.outs.get(id).map(|set| set.excluded) else { continue };
            let audience = self.audience(excluded, other);
            let Some(set) = self.outs.get(id) else { continue };
            let (nexthop, attrs) = set.split();
            sender.announce(packing, &audience, attrs, nexthop, &run, out);
        }
        self.close(ctx, sender, out);
    }
}
