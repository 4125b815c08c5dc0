//! BMP (RFC 7854, 8671, 9069): what each collector is told, in order.
//!
//! ```text
//!  collector connected ─► Initiation, Peer Up for each session, then every table it monitors (walks), End-of-RIB
//!  shards' changes ─────► Route Monitoring, encoded once for all collectors that monitor the table
//!  sessions ────────────► Peer Up, Peer Down
//! ```
//! Rows of walks and changes come from a shard in one order, and a change is read when it is told, so what a collector heard
//! last of a route is so. A collector that does not take what it is sent holds the shards' changes back, where they coalesce;
//! one that takes nothing for [`PATIENCE`] is closed, and gets everything anew when it comes back. Nobody else waits for it.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bgp_packet::bmp::{self, PeerHeader, Rib, Statistic, Termination, statistic};
use bgp_packet::capability::Capability;
use bgp_packet::{Family, Open};
use bytes::{Bytes, BytesMut};
use ferrite_types::Timestamp;

use super::{Action, Instance};
use crate::config::{BmpTargets, Connect};
use crate::peer::LastReset;
use crate::rib::query::{PathSource, PrefixView, WalkSource};
use crate::rib::{
    MonitorChange, MonitorRow, MonitorSent, MonitorWants, PeerId, Query, QueryToken, ShardEvent,
};

mod encode;
mod lent;
mod mirror;

pub use lent::Lent;

/// A connection with a collector, numbered by the shell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CollectorId(pub u64);

/// What happened to the connections.
#[derive(Debug)]
pub enum BmpEvent {
    /// Made to `connect`, or by a listener of the targets.
    Connected {
        collector: CollectorId,
        target: Arc<str>,
        connect: Option<Connect>,
        remote: SocketAddr,
    },
    /// Another instance imports this one's tables for its collector.
    Lent(Lent),
    /// So many octets of this instance went out.
    Written {
        collector: CollectorId,
        octets: usize,
    },
    Gone {
        collector: CollectorId,
    },
}

/// What is to be done.
#[derive(Debug)]
pub enum BmpAction {
    /// Listeners and connections are to be these.
    Configure(BTreeMap<Arc<str>, BmpTargets>),
    /// Whether readers are to hand on what they read.
    Mirror(bool),
    Send {
        collector: CollectorId,
        bytes: Bytes,
    },
    /// What was sent still goes out.
    Close {
        collector: CollectorId,
    },
}

/// Walks of collectors have tokens from here; dumps and operators' commands have others.
const TOKENS: u64 = 1 << 62;
/// Prefixes asked of a shard at once.
const ROWS: usize = 512;
/// Octets on their way to a collector before its walk pauses, and before the shards keep their changes.
const WALK_ROOM: usize = 1 << 20;
const CHANGE_ROOM: usize = 8 << 20;
/// Most that waits for one collector.
const MOST: usize = 64 << 20;
/// How long a collector may take nothing while much waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub struct Bmp {
    pub(crate) collectors: BTreeMap<CollectorId, Collector>,
    wants: MonitorWants,
    /// Rows told by shards that are not credited yet.
    held: Vec<(usize, usize)>,
    next_token: u64,
    /// Routes too large to be told.
    pub(crate) too_large: u64,
    mirroring: bool,
}

#[derive(Debug)]
pub struct Collector {
    pub target: Arc<str>,
    /// Its targets, where it is another instance's.
    pub lent: Option<Arc<BmpTargets>>,
    pub connect: Option<Connect>,
    pub remote: SocketAddr,
    pub since: Timestamp,
    pub messages: u64,
    pub octets: u64,
    pub outstanding: usize,
    /// When it last took something, or had nothing to take.
    moved: Timestamp,
    statistics_due: Option<Timestamp>,
    pub mirrored: mirror::Mirrored,
    steps: VecDeque<Step>,
    walking: Option<QueryToken>,
}

/// A table of one shard that a collector is still to be told.
#[derive(Clone, Copy, Debug)]
struct Step {
    rib: Rib,
    family: Family,
    peer: Option<PeerId>,
    shard: usize,
    /// The last shard: End-of-RIB follows.
    last: bool,
}

impl Step {
    fn source(&self) -> WalkSource {
        match (self.rib, self.peer) {
            (Rib::InPre, Some(peer)) => WalkSource::Received(peer),
            (Rib::InPost, Some(peer)) => WalkSource::Accepted(peer),
            (Rib::OutPre | Rib::OutPost, Some(peer)) => WalkSource::Advertised(peer),
            _ => WalkSource::Table,
        }
    }
}

const FAMILIES: [Family; Family::COUNT] = Family::ALL;
const OF_PEERS: [Rib; 3] = [Rib::InPre, Rib::InPost, Rib::OutPost];

impl Collector {
    fn new(
        now: Timestamp,
        target: Arc<str>,
        connect: Option<Connect>,
        remote: SocketAddr,
        targets: &BmpTargets,
    ) -> Self {
        let interval = targets.statistics.map(|interval| Duration::from_millis(u64::from(interval)));
        Self {
            target,
            lent: None,
            connect,
            remote,
            since: now,
            messages: 0,
            octets: 0,
            outstanding: 0,
            moved: now,
            statistics_due: interval.map(|interval| now + interval),
            mirrored: mirror::Mirrored::default(),
            steps: VecDeque::new(),
            walking: None,
        }
    }

    /// Tables that it is still to be told.
    pub(crate) fn pending(&self) -> usize {
        self.steps.len()
    }
}

impl Bmp {
    pub fn deadline(&self) -> Option<Timestamp> {
        let due = self.collectors.values().flat_map(|collector| {
            let stuck = (collector.outstanding > CHANGE_ROOM).then(|| collector.moved + PATIENCE);
            [collector.statistics_due, stuck]
        });
        due.flatten().min()
    }
}

impl Instance {
    fn bmp_targets(&self, name: &str) -> Option<&BmpTargets> {
        self.router()?.bmp.get(name)
    }

    /// Whether a collector monitors a table of a family.
    fn monitors(&self, collector: &Collector, family: Family, rib: Rib) -> bool {
        self.targets_of(collector).is_some_and(|targets| targets.monitors(family, rib))
    }

    /// Whether a collector is told of sessions.
    fn hears_of_peers(&self, collector: &Collector) -> bool {
        self.mirrors(collector) || OF_PEERS.iter().any(|rib| self.monitors_rib(collector, *rib))
    }

    fn monitors_rib(&self, collector: &Collector, rib: Rib) -> bool {
        FAMILIES.iter().any(|family| self.monitors(collector, *family, rib))
    }

    /// Targets changed: connections follow, and collectors whose tables changed begin anew.
    pub(super) fn configure_bmp(
        &mut self,
        at: Timestamp,
        before: Option<&BTreeMap<Arc<str>, BmpTargets>>,
        out: &mut Vec<Action>,
    ) {
        if self.router().is_none() {
            self.give_back(at, out);
        }
        let none = BTreeMap::new();
        let now = self.router().map_or_else(BTreeMap::new, |router| router.bmp.clone());
        let before = before.unwrap_or(&none);
        if *before == now {
            return;
        }
        let tables = |all: &BTreeMap<Arc<str>, BmpTargets>, name: &str| all.get(name).map(BmpTargets::told);
        let stale: Vec<CollectorId> = self
            .bmp
            .collectors
            .iter()
            .filter(|(_, collector)| collector.lent.is_none())
            .filter(|(_, collector)| {
                let connects = now.get(&collector.target).map(|targets| &targets.connects);
                let gone = |connect: &Connect| !connects.is_some_and(|known| known.contains_key(connect));
                collector.connect.as_ref().is_some_and(gone)
                    || tables(before, &collector.target) != tables(&now, &collector.target)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in stale {
            self.end_collector(id, Termination::Administrative, out);
        }
        out.push(Action::Bmp(BmpAction::Configure(now)));
    }

    pub(super) fn bmp_event(&mut self, now: Timestamp, event: BmpEvent, out: &mut Vec<Action>) {
        match event {
            BmpEvent::Connected { collector, target, connect, remote } => match self.bmp_targets(&target) {
                Some(targets) => {
                    let known = Collector::new(now, Arc::clone(&target), connect, remote, targets);
                    self.collector_up(now, collector, known, out);
                }
                None => out.push(Action::Bmp(BmpAction::Close { collector })),
            },
            BmpEvent::Lent(lent) => self.lent(now, lent, out),
            BmpEvent::Written { collector, octets } => {
                if let Some(known) = self.bmp.collectors.get_mut(&collector) {
                    known.outstanding = known.outstanding.saturating_sub(octets);
                    known.moved = now;
                }
                self.walk_on(collector, out);
                self.credit_shards(out);
            }
            BmpEvent::Gone { collector } => self.collector_gone(collector, out),
        }
    }

    fn collector_up(&mut self, now: Timestamp, id: CollectorId, collector: Collector, out: &mut Vec<Action>) {
        let Some(targets) = self.targets_of(&collector).cloned() else { return };
        let own = collector.lent.is_none();
        self.bmp.collectors.insert(id, collector);
        self.bmp_wants(out);
        let mut buf = BytesMut::new();
        if own {
            bmp::initiation(&mut buf, &self.host.version, self.own_hostname());
        }
        let established: Vec<PeerId> =
            self.peers.iter().filter(|(_, entry)| entry.established()).map(|(id, _)| *id).collect();
        if targets.monitors.iter().any(|(_, rib)| rib.rib() == Rib::Loc) {
            self.loc_rib_up(now, &mut buf);
        }
        let mut steps = VecDeque::new();
        for peer in established {
            let of_peers = |rib: &Rib| targets.monitors.iter().any(|(_, known)| known.rib() == *rib);
            if targets.mirror || OF_PEERS.iter().any(of_peers) {
                self.encode_peer_up(now, peer, &mut buf);
            }
            for (family, rib) in targets.monitors.iter().filter(|(_, rib)| rib.rib() != Rib::Loc) {
                if self.negotiated_family(peer, *family) {
                    steps.extend(self.steps(rib.rib(), *family, Some(peer)));
                }
            }
        }
        for (family, _) in targets.monitors.iter().filter(|(_, rib)| rib.rib() == Rib::Loc) {
            steps.extend(self.steps(Rib::Loc, *family, None));
        }
        self.tell(id, buf.freeze(), out);
        if let Some(collector) = self.bmp.collectors.get_mut(&id) {
            collector.steps = steps;
        }
        self.walk_on(id, out);
    }

    fn steps(&self, rib: Rib, family: Family, peer: Option<PeerId>) -> impl Iterator<Item = Step> + use<> {
        let shards = self.host.shards;
        (0..shards).map(move |shard| Step { rib, family, peer, shard, last: shard + 1 == shards })
    }

    fn negotiated_family(&self, peer: PeerId, family: Family) -> bool {
        let negotiated = self.peers.get(&peer).and_then(|entry| entry.peer.negotiated());
        negotiated.is_some_and(|negotiated| negotiated.families.contains(family))
    }

    /// The shards tell what somebody wants to hear.
    fn bmp_wants(&mut self, out: &mut Vec<Action>) {
        let any = |rib: Rib| self.bmp.collectors.values().any(|c| self.monitors_rib(c, rib));
        let wants = MonitorWants {
            adj_in: any(Rib::InPre) || any(Rib::InPost),
            loc_rib: any(Rib::Loc),
            adj_out: any(Rib::OutPost),
        };
        self.mirror_wants(out);
        if wants != self.bmp.wants {
            self.bmp.wants = wants;
            self.all_shards(|| ShardEvent::Monitor(wants), out);
        }
    }

    fn collector_gone(&mut self, id: CollectorId, out: &mut Vec<Action>) {
        if let Some(collector) = self.bmp.collectors.remove(&id)
            && let (Some(token), Some(step)) = (collector.walking, collector.steps.front())
        {
            let event = ShardEvent::Query(token, Query::EndWalk);
            out.push(Action::Shard { shard: step.shard, event });
        }
        self.bmp_wants(out);
        self.credit_shards(out);
    }

    fn end_collector(&mut self, id: CollectorId, why: Termination, out: &mut Vec<Action>) {
        let mut buf = BytesMut::new();
        bmp::termination(&mut buf, why);
        self.tell(id, buf.freeze(), out);
        out.push(Action::Bmp(BmpAction::Close { collector: id }));
        self.collector_gone(id, out);
    }

    fn tell(&mut self, id: CollectorId, bytes: Bytes, out: &mut Vec<Action>) {
        let Some(collector) = self.bmp.collectors.get_mut(&id).filter(|_| !bytes.is_empty()) else { return };
        collector.outstanding += bytes.len();
        collector.octets += bytes.len() as u64;
        collector.messages += encode::messages(&bytes);
        out.push(Action::Bmp(BmpAction::Send { collector: id, bytes }));
    }

    /// The same octets to every collector that `wanted` names.
    fn tell_all(&mut self, bytes: &Bytes, wanted: impl Fn(&Self, &Collector) -> bool, out: &mut Vec<Action>) {
        if bytes.is_empty() {
            return;
        }
        let to: Vec<CollectorId> =
            self.bmp.collectors.iter().filter(|(_, c)| wanted(self, c)).map(|(id, _)| *id).collect();
        for id in to {
            self.tell(id, bytes.clone(), out);
            if self.bmp.collectors.get(&id).is_some_and(|collector| collector.outstanding > MOST) {
                self.end_collector(id, Termination::OutOfResources, out);
            }
        }
    }

    /// Asks for the next rows of a collector's tables, where it has room for them.
    fn walk_on(&mut self, id: CollectorId, out: &mut Vec<Action>) {
        let Some(collector) = self.bmp.collectors.get_mut(&id) else { return };
        let Some(step) = collector.steps.front().copied() else { return };
        if collector.outstanding > WALK_ROOM || collector.walking.is_some_and(|token| token.0 & 1 == 0) {
            return;
        }
        // The lowest bit says that rows were taken and more are to be asked for by the same token.
        let token = match collector.walking {
            Some(token) => QueryToken(token.0 & !1),
            None => {
                self.bmp.next_token += 2;
                QueryToken(TOKENS + self.bmp.next_token)
            }
        };
        collector.walking = Some(token);
        let query = Query::Walk { source: step.source(), family: step.family, within: None, limit: ROWS };
        out.push(Action::Shard { shard: step.shard, event: ShardEvent::Query(token, query) });
    }

    /// Whether rows that a shard sent belong to a collector's walk; if so it is told.
    pub(crate) fn bmp_answered(
        &mut self,
        now: Timestamp,
        token: QueryToken,
        rows: &[PrefixView],
        done: bool,
        out: &mut Vec<Action>,
    ) -> bool {
        if token.0 & TOKENS == 0 || token.0 >> 63 != 0 {
            return false;
        }
        let found = self.bmp.collectors.iter_mut().find(|(_, c)| c.walking == Some(token));
        let Some((id, collector)) = found.map(|(id, collector)| (*id, collector)) else { return true };
        let Some(step) = collector.steps.front().copied() else { return true };
        collector.walking = if done { None } else { Some(QueryToken(token.0 | 1)) };
        if done {
            collector.steps.pop_front();
        }
        let mut buf = BytesMut::new();
        self.encode_rows(now, &step, rows, done, &mut buf);
        self.tell(id, buf.freeze(), out);
        self.walk_on(id, out);
        true
    }

    /// Changes of a shard, to whoever monitors them.
    pub(super) fn bmp_changed(
        &mut self,
        now: Timestamp,
        shard: usize,
        family: Family,
        rows: &[MonitorRow],
        out: &mut Vec<Action>,
    ) {
        for rib in [Rib::InPre, Rib::InPost, Rib::Loc] {
            if !self.bmp.collectors.values().any(|c| self.monitors(c, family, rib)) {
                continue;
            }
            let mut buf = BytesMut::new();
            for row in rows {
                self.encode_change(now, family, rib, row, &mut buf);
            }
            self.tell_all(&buf.freeze(), |instance, c| instance.monitors(c, family, rib), out);
        }
        self.bmp.held.push((shard, rows.len()));
        self.credit_shards(out);
    }

    /// Shards may tell more as long as every collector has room.
    fn credit_shards(&mut self, out: &mut Vec<Action>) {
        if self.bmp.held.is_empty() || self.bmp.collectors.values().any(|c| c.outstanding > CHANGE_ROOM) {
            return;
        }
        for (shard, rows) in std::mem::take(&mut self.bmp.held) {
            out.push(Action::Shard { shard, event: ShardEvent::MonitorCredit { rows } });
        }
    }

    /// What neighbours were sent, as it was.
    pub(super) fn bmp_sent(&mut self, now: Timestamp, sent: &MonitorSent, out: &mut Vec<Action>) {
        let mut buf = BytesMut::new();
        for peer in sent.peers.iter() {
            self.encode_sent(now, *peer, &sent.bytes, &mut buf);
        }
        let family = sent.family;
        self.tell_all(&buf.freeze(), |instance, c| instance.monitors(c, family, Rib::OutPost), out);
    }

    pub(super) fn bmp_peer_up(&mut self, now: Timestamp, peer: PeerId, out: &mut Vec<Action>) {
        if self.bmp.collectors.is_empty() {
            return;
        }
        let mut buf = BytesMut::new();
        self.encode_peer_up(now, peer, &mut buf);
        self.tell_all(&buf.freeze(), Self::hears_of_peers, out);
    }

    pub(super) fn bmp_peer_down(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        reset: &LastReset,
        out: &mut Vec<Action>,
    ) {
        if self.bmp.collectors.is_empty() {
            return;
        }
        // Its tables are told no further.
        for collector in self.bmp.collectors.values_mut() {
            let walking = collector.steps.front().map(|step| step.peer);
            let keep = |step: &Step| step.peer != Some(peer);
            if walking == Some(Some(peer)) {
                collector.walking = None;
            }
            collector.steps.retain(keep);
        }
        let Some(header) = self.peer_header(now, peer, Rib::InPre) else { return };
        let mut buf = BytesMut::new();
        bmp::peer_down(&mut buf, &header, &encode::why_down(reset));
        self.tell_all(&buf.freeze(), Self::hears_of_peers, out);
        for id in self.bmp.collectors.keys().copied().collect::<Vec<_>>() {
            self.walk_on(id, out);
        }
    }

    pub(super) fn bmp_tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let stuck: Vec<CollectorId> = self
            .bmp
            .collectors
            .iter()
            .filter(|(_, c)| c.outstanding > CHANGE_ROOM && c.moved + PATIENCE <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in stuck {
            self.end_collector(id, Termination::OutOfResources, out);
        }
        let due: Vec<CollectorId> = self
            .bmp
            .collectors
            .iter()
            .filter(|(_, c)| c.statistics_due.is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let mut buf = BytesMut::new();
            for peer in self.peers.keys().copied().collect::<Vec<_>>() {
                self.encode_statistics(now, peer, &mut buf);
            }
            self.tell(id, buf.freeze(), out);
            let interval = self.bmp.collectors.get(&id).and_then(|c| self.targets_of(c)?.statistics);
            if let Some(collector) = self.bmp.collectors.get_mut(&id) {
                collector.statistics_due = interval.map(|i| now + Duration::from_millis(u64::from(i)));
            }
        }
    }
}
