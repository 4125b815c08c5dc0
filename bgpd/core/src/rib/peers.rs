//! The peers of a shard in dense slots, so that a path names its peer in two octets. Slot zero is this router itself.

use std::sync::Arc;

use bgp_packet::Family;
use rustc_hash::FxHashMap;

use super::rules::Refused;
use super::settings::{FamilyParams, PeerId, PeerParams};
use super::stale::Epochs;

/// Slot of a peer in this shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerIdx(pub u16);

impl PeerIdx {
    /// This router: networks, redistribution, aggregates.
    pub const LOCAL: Self = Self(0);

    pub const fn is_local(self) -> bool {
        self.0 == 0
    }
}

/// A peer whose session is up, or whose routes are not all gone yet.
#[derive(Debug)]
pub struct PeerSlot {
    pub id: PeerId,
    pub params: Arc<PeerParams>,
    /// Number of the session; `None` while it is down.
    pub session: Option<u64>,
    /// By family: which of its paths are in the table, and how many.
    pub epochs: [Epochs; Family::COUNT],
    /// Families whose removal of old paths is not finished.
    pub flushing: u8,
    /// The session whose end is reported when everything is removed.
    pub flushed_session: Option<u64>,
    /// By family: routes announced to the peer.
    pub sent: [u32; Family::COUNT],
    /// By family: routes refused since the session began.
    pub refused: [Refused; Family::COUNT],
    pub counts_changed: bool,
    /// Outstanding octets of this shard at the peer's writer.
    pub outstanding: usize,
    /// The same in messages.
    pub outstanding_messages: u32,
}

impl PeerSlot {
    pub fn family(&self, family: Family) -> Option<&Arc<FamilyParams>> {
        self.params.family(family)
    }

    pub fn is_up(&self) -> bool {
        self.session.is_some()
    }

    /// Whether nothing of the peer is left or expected.
    pub fn is_done(&self) -> bool {
        !self.is_up() && self.flushing == 0 && !self.epochs.iter().any(Epochs::keeps)
    }
}

/// The slots.
#[derive(Debug, Default)]
pub struct Peers {
    slots: Vec<Option<PeerSlot>>,
    by_id: FxHashMap<PeerId, PeerIdx>,
}

impl Peers {
    /// The slot of a peer, made where it has none; `None` when all 65,534 are taken.
    pub fn claim(&mut self, id: PeerId, params: Arc<PeerParams>) -> Option<PeerIdx> {
        if let Some(idx) = self.by_id.get(&id) {
            return Some(*idx);
        }
        if self.slots.is_empty() {
            self.slots.push(None);
        }
        let free = self.slots.iter().skip(1).position(Option::is_none).map(|index| index + 1);
        let index = free.unwrap_or(self.slots.len());
        let idx = PeerIdx(u16::try_from(index).ok().filter(|index| *index < u16::MAX)?);
        let slot = PeerSlot {
            id,
            params,
            session: None,
            epochs: Default::default(),
            flushing: 0,
            flushed_session: None,
            sent: Default::default(),
            refused: Default::default(),
            counts_changed: false,
            outstanding: 0,
            outstanding_messages: 0,
        };
        if index == self.slots.len() {
            self.slots.push(Some(slot));
        } else if let Some(place) = self.slots.get_mut(index) {
            *place = Some(slot);
        }
        self.by_id.insert(id, idx);
        Some(idx)
    }

    pub fn forget(&mut self, idx: PeerIdx) {
        if let Some(slot) = self.slots.get_mut(idx.0 as usize).and_then(Option::take) {
            self.by_id.remove(&slot.id);
        }
    }

    pub fn idx(&self, id: PeerId) -> Option<PeerIdx> {
        self.by_id.get(&id).copied()
    }

    #[inline]
    pub fn get(&self, idx: PeerIdx) -> Option<&PeerSlot> {
        self.slots.get(idx.0 as usize)?.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, idx: PeerIdx) -> Option<&mut PeerSlot> {
        self.slots.get_mut(idx.0 as usize)?.as_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = (PeerIdx, &PeerSlot)> {
        self.slots.iter().enumerate().filter_map(|(i, slot)| Some((PeerIdx(i as u16), slot.as_ref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (PeerIdx, &mut PeerSlot)> {
        self.slots.iter_mut().enumerate().filter_map(|(i, slot)| Some((PeerIdx(i as u16), slot.as_mut()?)))
    }
}
