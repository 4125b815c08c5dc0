//! Decoded UPDATEs on their way to the shards: gathered into batches, a batch per shard and family.

use std::sync::Arc;
use std::time::Duration;

use bgp_core::rib::{PeerId, RouteBatch, ShardEvent, shard_of};
use bgp_packet::update::Update;
use bgp_packet::{Family, Nlri};

use crate::queue::ShardQueue;

/// Routes of a batch that is worth sending at once.
const FULL: usize = 4096;

/// How long a reader waits for a shard before it says that the neighbour is alive.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Batches being filled.
#[derive(Debug)]
pub struct Batches {
    peer: PeerId,
    session: u64,
    shards: Arc<[Arc<ShardQueue>]>,
    /// By shard; the last family used is enough, a peer sends one family at a time.
    open: Vec<Option<RouteBatch>>,
    full: bool,
}

impl Batches {
    pub fn new(peer: PeerId, session: u64, shards: Arc<[Arc<ShardQueue>]>) -> Self {
        let open = shards.iter().map(|_| None).collect();
        Self { peer, session, shards, open, full: false }
    }

    /// Takes the routes of an UPDATE in, withdrawals first. Gives back what must go out before they fit: batches of
    /// another family.
    pub fn add(&mut self, update: &Update) -> Vec<(usize, ShardEvent)> {
        let mut out = Vec::new();
        for nlri in &update.withdrawn {
            self.change_family(nlri.family(), &mut out);
            self.each(nlri, |batch, entry, _| batch.withdraw(entry.prefix, entry.path_id), |_| 0);
        }
        for announced in &update.announced {
            self.change_family(announced.nlri.family(), &mut out);
            self.each(
                &announced.nlri,
                |batch, entry, attrs| batch.reach(entry.prefix, entry.path_id, attrs),
                |batch| batch.attrs(&announced.attrs),
            );
        }
        out
    }

    /// Whether a batch is full enough to be sent before more is read.
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// Every batch, for its shard.
    pub fn take(&mut self) -> Vec<(usize, ShardEvent)> {
        self.full = false;
        let open = self.open.iter_mut().enumerate();
        let taken = open.filter_map(|(shard, slot)| slot.take().map(|batch| (shard, batch)));
        taken
            .filter(|(_, batch)| !batch.is_empty())
            .map(|(shard, b)| (shard, ShardEvent::Routes(b)))
            .collect()
    }

    fn each(
        &mut self,
        nlri: &Nlri,
        put: impl Fn(&mut RouteBatch, bgp_packet::NlriEntry, u32),
        attrs: impl Fn(&mut RouteBatch) -> u32,
    ) {
        let of = self.open.len();
        for entry in nlri {
            let Some(slot) = self.open.get_mut(shard_of(entry.prefix, of)) else { continue };
            let batch = slot.get_or_insert_with(|| RouteBatch::new(self.peer, self.session, nlri.family()));
            let index = attrs(batch);
            put(batch, entry, index);
            self.full |= batch.len() >= FULL;
        }
    }

    fn change_family(&mut self, family: Family, out: &mut Vec<(usize, ShardEvent)>) {
        let other = self.open.iter().flatten().any(|batch| batch.family != family);
        if other {
            out.extend(self.take());
        }
    }

    /// The same event for every shard.
    pub fn for_all(&self, event: impl Fn() -> ShardEvent) -> Vec<(usize, ShardEvent)> {
        (0..self.shards.len()).map(|shard| (shard, event())).collect()
    }
}
