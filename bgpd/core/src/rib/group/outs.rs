//! What a group sends, without prefixes: attributes encoded once, interned and counted.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use crate::rib::peers::PeerIdx;
use crate::rib::slab::{Index, Slab};

/// What is sent for a route: attributes encoded, without prefixes.
#[derive(Debug)]
pub struct Out {
    /// MP_REACH_NLRI's next hop field, then the attributes.
    pub octets: Box<[u8]>,
    pub nexthop_len: u8,
    /// Never sent to this member: it is where the route came from.
    pub excluded: PeerIdx,
    refs: u32,
    /// Tells a set from another that had its number before.
    generation: u32,
    hash: u32,
}

impl Out {
    pub fn split(&self) -> (&[u8], &[u8]) {
        self.octets.split_at_checked(usize::from(self.nexthop_len)).unwrap_or((&[], &self.octets))
    }
}

/// The attribute sets of a group; numbers begin at one.
#[derive(Debug, Default)]
pub struct Outs {
    pub index: Index,
    slots: Slab<Out>,
    generation: u32,
}

impl Outs {
    pub fn get(&self, id: u32) -> Option<&Out> {
        self.slots.get(id.checked_sub(1)?)
    }

    pub fn same_octets(&self, a: u32, b: u32) -> bool {
        match (self.get(a), self.get(b)) {
            (Some(a), Some(b)) => a.nexthop_len == b.nexthop_len && a.octets == b.octets,
            _ => false,
        }
    }

    pub fn generation_of(&self, id: u32) -> Option<u32> {
        self.get(id).map(|out| out.generation)
    }

    /// The number of a set; no reference is counted.
    pub fn intern(&mut self, octets: &[u8], nexthop_len: u8, excluded: PeerIdx) -> u32 {
        let hash = (FxBuildHasher.hash_one((octets, nexthop_len, excluded)) >> 16) as u32;
        let slots = &self.slots;
        let found = self.index.find(hash, |id| {
            slots.get(id).is_some_and(|out| {
                *out.octets == *octets && out.nexthop_len == nexthop_len && out.excluded == excluded
            })
        });
        if let Some(id) = found {
            return id + 1;
        }
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let id = self.slots.insert(Out {
            octets: octets.into(),
            nexthop_len,
            excluded,
            refs: 0,
            generation,
            hash,
        });
        self.index.insert(hash, id);
        id + 1
    }

    pub fn retain(&mut self, id: u32) {
        if let Some(out) = self.slots.get_mut(id.wrapping_sub(1)) {
            out.refs += 1;
        }
    }

    pub fn release(&mut self, id: u32) {
        let place = id.wrapping_sub(1);
        let Some(out) = self.slots.get_mut(place) else { return };
        out.refs = out.refs.saturating_sub(1);
        if out.refs > 0 {
            return;
        }
        if let Some(out) = self.slots.remove(place) {
            self.index.remove(out.hash, place);
        }
    }

    pub fn octets(&self) -> usize {
        let values: usize = self.slots.iter().map(|(_, out)| out.octets.len()).sum();
        self.slots.octets() + self.index.octets() + values
    }
}
