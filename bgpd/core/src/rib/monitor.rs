//! What a shard tells of its changes to whoever monitors it (BMP).
//!
//! A change is noted by its key, a path of a neighbour or the best path of a prefix, and what is then so is read when there is
//! room to tell it: a prefix that changes a hundred times while the reader is slow is told once. So what is noted never
//! exceeds the table, and a row that was read by a walk before is set right by the row that comes after.

use std::sync::Arc;

use bgp_packet::Family;
use bgp_packet::attr::Attributes;
use bytes::Bytes;
use ferrite_types::{Prefix, Timestamp};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::ctx::Ctx;
use super::event::ShardAction;
use super::family::Rib;
use super::peers::PeerIdx;
use super::query::PathSource;
use super::settings::PeerId;
use super::table::{Key, Path, PathFlags};

/// Rows that may be on their way to the instance.
pub const MONITOR_WINDOW: usize = 4096;

/// Which changes somebody wants to hear of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MonitorWants {
    /// Routes as received, and as accepted.
    pub adj_in: bool,
    pub loc_rib: bool,
    /// What neighbours are sent.
    pub adj_out: bool,
}

/// What is so now.
#[derive(Clone, Debug)]
pub struct MonitorRow {
    pub prefix: Prefix,
    pub change: MonitorChange,
    /// When the path was received.
    pub since: Timestamp,
}

#[derive(Clone, Debug)]
pub enum MonitorChange {
    /// A path of a neighbour: as received and as accepted; `None` where it is not.
    AdjIn { peer: PeerId, path_id: u32, received: Option<Arc<Attributes>>, accepted: Option<Arc<Attributes>> },
    /// The best path.
    Best(Option<(PathSource, Arc<Attributes>)>),
}

/// Octets that neighbours were sent, as they were.
#[derive(Clone, Debug)]
pub struct MonitorSent {
    pub peers: Arc<[PeerId]>,
    pub family: Family,
    pub bytes: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Noted {
    AdjIn { peer: PeerIdx, path_id: u32 },
    Best,
}

/// Changes of a family not yet told.
#[derive(Debug)]
pub struct Monitor<P> {
    wants: MonitorWants,
    noted: IndexSet<(P, Noted), FxBuildHasher>,
}

impl<P> Default for Monitor<P> {
    fn default() -> Self {
        Self { wants: MonitorWants::default(), noted: IndexSet::default() }
    }
}

impl<P: Key> Monitor<P> {
    pub fn set(&mut self, wants: MonitorWants) {
        self.wants = wants;
        self.noted.retain(|(_, noted)| match noted {
            Noted::AdjIn { .. } => wants.adj_in,
            Noted::Best => wants.loc_rib,
        });
        self.noted.shrink_to_fit();
    }

    #[inline]
    pub fn note_path(&mut self, prefix: P, peer: PeerIdx, path_id: u32) {
        if self.wants.adj_in && !peer.is_local() {
            self.noted.insert((prefix, Noted::AdjIn { peer, path_id }));
        }
    }

    #[inline]
    pub fn note_best(&mut self, prefix: P) {
        if self.wants.loc_rib {
            self.noted.insert((prefix, Noted::Best));
        }
    }

    pub fn has_work(&self) -> bool {
        !self.noted.is_empty()
    }
}

impl<P: Key> Rib<P> {
    /// Tells what is noted, as far as there is room for `room` rows. Returns how many went.
    pub fn tell_monitor(&mut self, ctx: &Ctx, room: usize, out: &mut Vec<ShardAction>) -> usize {
        let limit = room.min(ctx.limits.slice);
        let mut rows = Vec::new();
        while rows.len() < limit {
            // The latest first; what is told is what is so now, so the order does not matter.
            let Some((prefix, noted)) = self.monitor.noted.pop() else { break };
            rows.extend(self.monitor_row(ctx, prefix, noted));
        }
        let told = rows.len();
        if told > 0 {
            out.push(ShardAction::Monitored { family: self.family, rows });
        }
        told
    }

    fn monitor_row(&self, ctx: &Ctx, prefix: P, noted: Noted) -> Option<MonitorRow> {
        let entry = self.table.find(&prefix).and_then(|handle| self.table.get(handle));
        let paths: &[Path] = entry.map_or(&[], |entry| &entry.paths);
        let attrs = |path: &Path| ctx.attrs.get(path.attrs).map(|interned| Arc::clone(&interned.attrs));
        let seconds =
            |path: Option<&Path>| path.map_or(ctx.now, |path| Timestamp::from_secs(u64::from(path.since)));
        match noted {
            Noted::AdjIn { peer, path_id } => {
                // A neighbour that is gone is told of as such.
                let slot = ctx.peers.get(peer).filter(|slot| slot.is_up())?;
                let with = |shadow: bool| {
                    paths.iter().find(move |path| {
                        path.peer == peer
                            && path.path_id == path_id
                            && path.flags.has(PathFlags::SHADOW) == shadow
                    })
                };
                let (accepted, shadow) = (with(false), with(true));
                let change = MonitorChange::AdjIn {
                    peer: slot.id,
                    path_id,
                    received: shadow.or(accepted).and_then(attrs),
                    accepted: accepted.and_then(attrs),
                };
                Some(MonitorRow { prefix: prefix.into(), change, since: seconds(accepted.or(shadow)) })
            }
            Noted::Best => {
                let best = paths.iter().find(|path| path.flags.has(PathFlags::BEST));
                let told = best.and_then(|path| Some((ctx.source(path), attrs(path)?)));
                Some(MonitorRow {
                    prefix: prefix.into(),
                    change: MonitorChange::Best(told),
                    since: seconds(best),
                })
            }
        }
    }
}
