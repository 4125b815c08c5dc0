//! What members can have of one prefix: one thing in a plain group, one per path in a group with path identifiers.
//!
//! A unit is what `out`, `pending` and `had` are about. In a plain group it is the prefix, and its number is the entry's
//! handle: nothing is stored. A group with identifiers numbers the paths it has told of itself; a unit lives while it
//! stands in `out` or some member has it, and holds its identifier as long; the first of an entry pins the entry.

use crate::rib::path_id::PathKey;
use crate::rib::slab::Slab;
use crate::rib::table::{Column, Handle, Key, Table};

#[derive(Clone, Copy, Debug)]
pub struct Unit {
    pub handle: Handle,
    pub key: PathKey,
    pub path_id: u32,
    /// The next unit of the entry, plus one.
    next: u32,
    /// Who needs it: the group, members that have it.
    pins: u32,
}

/// The units of a group with path identifiers.
#[derive(Clone, Debug, Default)]
pub struct Units {
    slots: Slab<Unit>,
    /// The first unit of an entry, plus one.
    first: Column,
}

impl Units {
    pub fn get(&self, unit: Handle) -> Option<&Unit> {
        self.slots.get(unit.0)
    }

    pub fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// The units of an entry.
    pub fn of(&self, handle: Handle) -> impl Iterator<Item = (Handle, &Unit)> + '_ {
        let mut next = self.first.get(handle);
        std::iter::from_fn(move || {
            let number = next.checked_sub(1)?;
            let unit = self.slots.get(number)?;
            next = unit.next;
            Some((Handle(number), unit))
        })
    }

    pub fn find(&self, handle: Handle, key: PathKey) -> Option<Handle> {
        self.of(handle).find(|(_, unit)| unit.key == key).map(|(number, _)| number)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Handle, &Unit)> {
        self.slots.iter().map(|(number, unit)| (Handle(number), unit))
    }

    /// A unit that nobody pins yet; the caller does, or it would stay for ever.
    pub fn make<P: Key>(&mut self, table: &mut Table<P>, handle: Handle, key: PathKey) -> Handle {
        let path_id = table.path_ids.acquire(key);
        let next = self.first.get(handle);
        if next == 0 {
            table.pin(handle);
        }
        let number = self.slots.insert(Unit { handle, key, path_id, next, pins: 0 });
        self.first.set(handle, number + 1);
        Handle(number)
    }

    pub fn pin(&mut self, unit: Handle) {
        if let Some(unit) = self.slots.get_mut(unit.0) {
            unit.pins += 1;
        }
    }

    pub fn unpin<P: Key>(&mut self, table: &mut Table<P>, unit: Handle) {
        let Some(place) = self.slots.get_mut(unit.0) else { return };
        place.pins = place.pins.saturating_sub(1);
        if place.pins == 0 {
            self.free(table, unit);
        }
    }

    /// The same units for another group, pinned as often as `pins` says; those that it does not need are left out.
    pub fn copy<P: Key>(&self, table: &mut Table<P>, pins: impl Fn(Handle) -> u32) -> Self {
        let mut copy = self.clone();
        let all: Vec<(Handle, Unit)> = self.iter().map(|(number, unit)| (number, *unit)).collect();
        for (number, unit) in &all {
            table.path_ids.acquire(unit.key);
            if self.first.get(unit.handle) == number.0 + 1 {
                table.pin(unit.handle);
            }
            if let Some(place) = copy.slots.get_mut(number.0) {
                place.pins = pins(*number);
            }
        }
        for (number, _) in all.iter().filter(|(number, _)| pins(*number) == 0) {
            copy.free(table, *number);
        }
        copy
    }

    fn free<P: Key>(&mut self, table: &mut Table<P>, unit: Handle) {
        let Some(gone) = self.slots.get(unit.0).copied() else { return };
        let before = self.of(gone.handle).find(|(_, other)| other.next == unit.0 + 1).map(|(n, _)| n);
        match before.and_then(|before| self.slots.get_mut(before.0)) {
            Some(before) => before.next = gone.next,
            None => {
                self.first.set(gone.handle, gone.next);
            }
        }
        self.slots.remove(unit.0);
        table.path_ids.release(gone.path_id);
        if self.first.get(gone.handle) == 0 {
            table.unpin(gone.handle);
        }
    }

    pub fn octets(&self) -> usize {
        self.slots.octets() + self.first.octets()
    }
}
