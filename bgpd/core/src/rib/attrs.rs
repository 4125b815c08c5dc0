//! Attributes interned: every distinct set stands once in a shard, with what the decision process asks of it worked out
//! beforehand. A path names its set in four octets.

use std::hash::BuildHasher;
use std::sync::Arc;

use bgp_packet::attr::{Attributes, NextHop};
use ferrite_types::Asn;
use rustc_hash::FxBuildHasher;

use super::nexthop::NexthopId;
use super::slab::{Index, Slab};

/// An interned set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AttrId(pub u32);

/// What besides the attributes of the wire belongs to a route.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Local {
    pub weight: u32,
    pub tag: u32,
    /// For an IPv6 next hop of two addresses: packets go to the global one (`set ipv6 next-hop prefer-global`).
    pub prefer_global: bool,
    /// Administrative distance that policy gave it; zero for none.
    pub distance: u8,
    /// For a refused route that is kept: why, as a number of [`super::reject`]; zero otherwise.
    pub refused: u32,
}

/// A set with what was worked out for it.
#[derive(Debug)]
pub struct Interned {
    pub attrs: Arc<Attributes>,
    pub local: Local,
    /// Paths that name it.
    refs: u32,
    /// Changes when the number is given to another set.
    pub generation: u32,
    pub hops: u16,
    pub confed_hops: u16,
    /// The AS by which MEDs are grouped; zero for none.
    neighbor: Asn,
    /// Tracked next hop: for any path, and for one that needs a connected next hop.
    pub nexthops: [Option<NexthopId>; 2],
    hash: u32,
}

impl Interned {
    pub fn neighbor(&self) -> Option<Asn> {
        (self.neighbor.0 != 0).then_some(self.neighbor)
    }

    /// Of two addresses of an IPv6 next hop packets go to the link-local one, where there is an interface to it.
    pub fn uses_link_local(&self) -> bool {
        matches!(self.attrs.next_hop, NextHop::V6 { link_local: Some(_), .. }) && !self.local.prefer_global
    }
}

/// All sets of a shard.
#[derive(Debug, Default)]
pub struct AttrTable {
    index: Index,
    slots: Slab<Interned>,
    generation: u32,
    /// Sets that lost their last path, with their next hops to be released.
    pub freed_nexthops: Vec<NexthopId>,
}

impl AttrTable {
    /// The number of a set, with one reference that the caller owns.
    pub fn intern(&mut self, attrs: &Arc<Attributes>, local: Local) -> AttrId {
        let hash = (FxBuildHasher.hash_one((&**attrs, local)) >> 16) as u32;
        let slots = &self.slots;
        let found = self.index.find(hash, |id| {
            slots.get(id).is_some_and(|slot| {
                slot.local == local && (Arc::ptr_eq(&slot.attrs, attrs) || slot.attrs == *attrs)
            })
        });
        if let Some(id) = found {
            self.retain(AttrId(id));
            return AttrId(id);
        }
        self.generation = self.generation.wrapping_add(1);
        let id = self.slots.insert(Interned {
            attrs: Arc::clone(attrs),
            local,
            refs: 1,
            generation: self.generation,
            hops: u16::try_from(attrs.as_path.hops()).unwrap_or(u16::MAX),
            confed_hops: u16::try_from(attrs.as_path.confed_hops()).unwrap_or(u16::MAX),
            neighbor: attrs.as_path.neighbor().unwrap_or(Asn(0)),
            nexthops: [None, None],
            hash,
        });
        self.index.insert(hash, id);
        AttrId(id)
    }

    #[inline]
    pub fn get(&self, id: AttrId) -> Option<&Interned> {
        self.slots.get(id.0)
    }

    #[inline]
    pub fn get_mut(&mut self, id: AttrId) -> Option<&mut Interned> {
        self.slots.get_mut(id.0)
    }

    #[inline]
    pub fn retain(&mut self, id: AttrId) {
        if let Some(slot) = self.get_mut(id) {
            slot.refs += 1;
        }
    }

    pub fn release(&mut self, id: AttrId) {
        let Some(slot) = self.slots.get_mut(id.0) else { return };
        slot.refs = slot.refs.saturating_sub(1);
        if slot.refs > 0 {
            return;
        }
        if let Some(slot) = self.slots.remove(id.0) {
            self.freed_nexthops.extend(slot.nexthops.iter().flatten());
            self.index.remove(slot.hash, id.0);
        }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (AttrId, &Interned)> {
        self.slots.iter().map(|(id, slot)| (AttrId(id), slot))
    }

    /// Octets of the sets and their index; attributes shared with other shards count whole.
    pub fn octets(&self) -> usize {
        let values: usize = self.iter().map(|(_, slot)| heap_octets(&slot.attrs)).sum();
        self.slots.octets() + self.index.octets() + values
    }
}

/// Octets that a set takes on the heap, its own struct and the counts of its `Arc` included.
pub fn heap_octets(attrs: &Attributes) -> usize {
    let rare = attrs.rare.as_ref().map_or(0, |rare| {
        size_of_val(&**rare)
            + size_of_val(&*rare.cluster_list)
            + rare.unknown.iter().map(|raw| size_of_val(raw) + raw.value.len()).sum::<usize>()
    });
    size_of::<Attributes>()
        + 16
        + attrs.as_path.octets().len()
        + size_of_val(&*attrs.communities)
        + size_of_val(&*attrs.large_communities)
        + size_of_val(&*attrs.ext_communities)
        + rare
}
