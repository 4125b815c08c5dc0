//! Routes of a peer that may have to be told again: kept over a restart (RFC 4724, RFC 9494) or while the peer sends its
//! table anew (RFC 7313).
//!
//! Paths carry the epoch that they came in. A restart or a refresh begins another epoch and says which older ones are
//! kept, at the cost of a few octets a peer: nothing is walked. What is told again gets the new epoch; what was not, when
//! the peer has ended its table or its time is over, is removed in slices by the same job that removes the routes of a
//! session that ended.

use ferrite_types::Community;

use super::attrs::AttrId;
use super::ctx::Ctx;
use super::family::{JobKind, Rib};
use super::peers::PeerIdx;
use super::table::{Handle, Key, Path, PathFlags};

/// Paths of one family of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    pub accepted: u32,
    pub shadows: u32,
    pub filtered: u32,
}

/// The epochs of one family of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Epochs {
    /// Of what comes now.
    pub current: u8,
    /// The oldest that is kept, where one before the current is.
    kept: Option<u8>,
    /// It is kept because the peer sends its table anew, not over a restart.
    refresh: bool,
    pub fresh: Held,
    pub stale: Held,
}

/// Epochs that are kept at most; numbers are used again after 256.
const SPAN: u8 = 200;

impl Epochs {
    /// Whether paths of this epoch belong to the table.
    #[inline]
    pub fn holds(&self, epoch: u8) -> bool {
        epoch == self.current
            || self
                .kept
                .is_some_and(|oldest| self.current.wrapping_sub(epoch) <= self.current.wrapping_sub(oldest))
    }

    pub fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Begins another epoch without keeping anything.
    pub fn close(&mut self) {
        *self = Self { current: self.current.wrapping_add(1), ..Self::default() };
    }

    fn begin(&mut self, oldest: u8, refresh: bool) {
        self.stale.accepted += self.fresh.accepted;
        self.stale.shadows += self.fresh.shadows;
        self.stale.filtered += self.fresh.filtered;
        self.fresh = Held::default();
        self.current = self.current.wrapping_add(1);
        let span = self.current.wrapping_sub(oldest);
        self.kept = Some(if span > SPAN { self.current.wrapping_sub(SPAN) } else { oldest });
        self.refresh = refresh;
    }

    /// The peer sends its table anew.
    pub fn refresh(&mut self) {
        let restarted = self.keeps() && !self.refresh && self.stale != Held::default();
        self.begin(self.kept.unwrap_or(self.current), !restarted);
    }

    /// The session is gone and the peer thought to come back. What was stale from a restart before is not kept again
    /// (RFC 4724 §4.2), unless it has long to live. Whether something is to be removed at once.
    pub fn restart(&mut self, long_lived: bool) -> bool {
        let oldest = match self.kept {
            Some(oldest) if self.refresh || long_lived => oldest,
            _ => self.current,
        };
        let leftover = self.keeps() && oldest == self.current;
        if leftover {
            self.stale = Held::default();
        }
        self.begin(oldest, false);
        leftover
    }

    /// What was not told again is to go; whether there can be any.
    pub fn end(&mut self) -> bool {
        self.stale = Held::default();
        self.refresh = false;
        self.kept.take().is_some()
    }

    /// The counters of paths of this epoch, where they are counted.
    pub fn counters(&mut self, epoch: u8) -> Option<&mut Held> {
        if epoch == self.current {
            Some(&mut self.fresh)
        } else if self.holds(epoch) {
            Some(&mut self.stale)
        } else {
            None
        }
    }

    pub fn total(&self) -> Held {
        Held {
            accepted: self.fresh.accepted + self.stale.accepted,
            shadows: self.fresh.shadows + self.stale.shadows,
            filtered: self.fresh.filtered + self.stale.filtered,
        }
    }
}

impl Ctx {
    /// Whether the path waits to be told again.
    pub fn is_stale(&self, path: &Path, place: usize) -> bool {
        self.peers
            .get(path.peer)
            .and_then(|slot| slot.epochs.get(place))
            .is_some_and(|epochs| path.flags.epoch() != epochs.current && epochs.holds(path.flags.epoch()))
    }
}

impl<P: Key> Rib<P> {
    /// The peer's table is told, or waited for no longer.
    pub fn end_stale(&mut self, ctx: &mut Ctx, peer: PeerIdx) {
        let place = self.slot;
        let Some(slot) = ctx.peers.get_mut(peer) else { return };
        if slot.epochs.get_mut(place).is_some_and(Epochs::end) {
            slot.flushing |= 1 << place;
            slot.counts_changed = true;
            self.start(JobKind::Flush(peer));
        }
    }

    /// One entry of a peer that is gone for long (RFC 9494 §4.2): its routes are marked, and so put behind all others;
    /// those that are not to be kept go.
    pub fn live_long(&mut self, ctx: &mut Ctx, peer: PeerIdx, handle: Handle) {
        let Some(entry) = self.table.get(handle) else { return };
        let place = self.slot;
        let stale = |path: &&Path| path.peer == peer && ctx.is_stale(path, place);
        let found: Vec<Path> = entry.paths.iter().filter(stale).copied().collect();
        for path in found {
            let Some(interned) = ctx.attrs.get(path.attrs) else { continue };
            let communities = &interned.attrs.communities;
            let shadow = path.flags.has(PathFlags::SHADOW);
            if communities.contains(&Community::NO_LLGR) {
                self.take(ctx, handle, peer, path.path_id, shadow);
            } else if !shadow && !communities.contains(&Community::LLGR_STALE) {
                let attrs = mark(ctx, path.attrs);
                if let Some(attrs) = attrs {
                    self.exchange(ctx, handle, &path, attrs);
                }
            }
        }
        self.table.release(handle);
    }

    /// Gives a path other attributes.
    fn exchange(&mut self, ctx: &mut Ctx, handle: Handle, path: &Path, attrs: AttrId) {
        let same = |other: &&mut Path| {
            (other.peer, other.path_id, other.flags) == (path.peer, path.path_id, path.flags)
        };
        let Some(entry) = self.table.get_mut(handle) else { return ctx.attrs.release(attrs) };
        let Some(place) = entry.paths.iter_mut().find(same) else { return ctx.attrs.release(attrs) };
        let old = std::mem::replace(&mut place.attrs, attrs);
        if path.flags.has(PathFlags::BEST | PathFlags::MULTIPATH) {
            entry.set(super::table::entry_flags::BEST_TOUCHED, true);
        }
        ctx.attrs.release(old);
        self.table.exchanged(handle, old, attrs);
        self.touch(handle);
    }
}

/// The same attributes with LLGR_STALE; the reference is the caller's.
fn mark(ctx: &mut Ctx, id: AttrId) -> Option<AttrId> {
    let interned = ctx.attrs.get(id)?;
    let local = interned.local;
    let mut attrs = (*interned.attrs).clone();
    let mut communities = attrs.communities.to_vec();
    communities.push(Community::LLGR_STALE);
    communities.sort_unstable();
    attrs.communities = communities.into();
    Some(ctx.attrs.intern(&std::sync::Arc::new(attrs), local))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(epochs: &Epochs) -> Vec<u8> {
        (0..=255).filter(|epoch| epochs.holds(*epoch)).collect()
    }

    #[test]
    fn a_restart_keeps_one_epoch_and_the_next_restart_the_next() {
        let mut epochs = Epochs::default();
        assert!(!epochs.restart(false));
        assert_eq!(held(&epochs), [0, 1]);
        assert!(epochs.restart(false), "what the first one left is to go");
        assert_eq!(held(&epochs), [1, 2]);
        assert!(epochs.end());
        assert_eq!(held(&epochs), [2]);
        assert!(!epochs.end());
    }

    #[test]
    fn what_has_long_to_live_outlives_another_restart() {
        let mut epochs = Epochs::default();
        epochs.restart(false);
        assert!(!epochs.restart(true));
        assert_eq!(held(&epochs), [0, 1, 2]);
        epochs.close();
        assert_eq!(held(&epochs), [3]);
    }

    #[test]
    fn a_session_lost_amid_a_refresh_keeps_what_was_not_refreshed_yet() {
        let mut epochs = Epochs::default();
        epochs.refresh();
        assert!(!epochs.restart(false));
        assert_eq!(held(&epochs), [0, 1, 2]);
    }

    #[test]
    fn counts_move_from_fresh_to_stale_and_back() {
        let mut epochs = Epochs::default();
        epochs.counters(0).unwrap().accepted = 5;
        epochs.refresh();
        assert_eq!((epochs.fresh.accepted, epochs.stale.accepted, epochs.total().accepted), (0, 5, 5));
        epochs.counters(0).unwrap().accepted -= 1;
        epochs.counters(1).unwrap().accepted += 1;
        assert_eq!(epochs.total().accepted, 5);
        epochs.end();
        assert_eq!(epochs.total().accepted, 1);
        assert!(epochs.counters(0).is_none());
    }

    #[test]
    fn epochs_wrap_around() {
        let mut epochs = Epochs { current: 255, ..Epochs::default() };
        epochs.restart(false);
        assert_eq!(held(&epochs), [0, 255]);
        for _ in 0..1000 {
            epochs.restart(true);
        }
        assert_eq!(held(&epochs).len(), usize::from(SPAN) + 1);
    }
}
