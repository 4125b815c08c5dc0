//! `maximum-prefix-out` over several shards: what a neighbour has been told, counted in one place that its groups in all
//! shards share. A shard takes before it tells and gives back what it withdraws; that there is room again it says to the
//! others in a message, so nobody looks in vain.

use std::sync::atomic::{AtomicU32, Ordering};

/// Routes that a neighbour has in one family.
#[derive(Debug, Default)]
pub struct Quota(AtomicU32);

impl Quota {
    /// Counts one more, unless there are as many as may be.
    pub fn try_take(&self, most: u32) -> bool {
        let more = |told: u32| (told < most).then_some(told + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// Counts what is there already, whatever may be.
    pub fn add(&self, routes: u32) {
        self.0.fetch_add(routes, Ordering::AcqRel);
    }

    pub fn give_back(&self, routes: u32) {
        let less = |told: u32| Some(told.saturating_sub(routes));
        // The closure never refuses.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    pub fn room(&self, most: u32) -> u32 {
        most.saturating_sub(self.0.load(Ordering::Acquire))
    }
}
