//! Messages of one audience collected into few buffers.

use std::sync::Arc;

use bgp_packet::Family;
use bytes::BytesMut;

use crate::rib::event::{SendStats, ShardAction};
use crate::rib::pack::{Named, Packing};
use crate::rib::settings::PeerId;
use crate::rib::table::Key;

/// Octets collected for one `Send` before the next is begun.
const SEND_CHUNK: usize = 64 * 1024;

/// Consecutive items of one key.
pub fn runs<K: Copy + PartialEq, P: Copy>(items: &[(K, P)]) -> impl Iterator<Item = (K, Vec<P>)> + '_ {
    items.chunk_by(|a, b| a.0 == b.0).filter_map(|run| {
        let key = run.first()?.0;
        Some((key, run.iter().map(|(_, prefix)| *prefix).collect()))
    })
}

/// Collects messages of one audience into few buffers.
pub struct Sender {
    family: Family,
    audience: Option<Arc<[PeerId]>>,
    buf: BytesMut,
    stats: SendStats,
    /// Audience, octets, messages.
    pub booked: Vec<(Arc<[PeerId]>, usize, u32)>,
    pub total_messages: u64,
    pub total_octets: u64,
}

impl Sender {
    pub fn new(family: Family) -> Self {
        Self {
            family,
            audience: None,
            buf: BytesMut::new(),
            stats: SendStats::default(),
            booked: Vec::new(),
            total_messages: 0,
            total_octets: 0,
        }
    }

    /// Makes `audience` the one of what follows; false where it is empty.
    pub fn address(&mut self, audience: &Arc<[PeerId]>, out: &mut Vec<ShardAction>) -> bool {
        let same = self.audience.as_ref().is_some_and(|current| Arc::ptr_eq(current, audience));
        if !same || self.buf.len() >= SEND_CHUNK {
            self.cut(out);
            self.audience = Some(Arc::clone(audience));
        }
        !audience.is_empty()
    }

    pub fn announce<P: Key>(
        &mut self,
        packing: Packing,
        audience: &Arc<[PeerId]>,
        attrs: &[u8],
        nexthop: &[u8],
        prefixes: &[Named<P>],
        out: &mut Vec<ShardAction>,
    ) {
        if self.address(audience, out) {
            self.stats.messages += packing.announce(&mut self.buf, attrs, nexthop, prefixes);
            self.stats.announced += prefixes.len() as u32;
        }
    }

    pub fn withdraw<P: Key>(
        &mut self,
        packing: Packing,
        audience: &Arc<[PeerId]>,
        prefixes: &[Named<P>],
        out: &mut Vec<ShardAction>,
    ) {
        if self.address(audience, out) {
            self.stats.messages += packing.withdraw(&mut self.buf, prefixes);
            self.stats.withdrawn += prefixes.len() as u32;
        }
    }

    pub fn cut(&mut self, out: &mut Vec<ShardAction>) {
        let Some(peers) = self.audience.take().filter(|_| !self.buf.is_empty()) else { return };
        let bytes = self.buf.split().freeze();
        self.total_messages += u64::from(self.stats.messages);
        self.total_octets += bytes.len() as u64;
        let stats = std::mem::take(&mut self.stats);
        self.booked.push((Arc::clone(&peers), bytes.len(), stats.messages));
        out.push(ShardAction::Send { peers, family: self.family, bytes, stats });
    }
}
