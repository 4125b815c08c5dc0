//! A neighbour with its session, and what the session's actions mean to shards and shell.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use bgp_packet::notification::{Notification, cease};
use bgp_packet::update::end_of_rib;
use bgp_packet::{Family, RefreshKind, RouteRefresh};
use bytes::BytesMut;
use ferrite_types::{IfIndex, Timestamp};

use super::graceful::Graceful;
use super::{Action, Instance, LogLine};
use crate::config::{EffectiveNeighbor, GracefulMode, NeighborName};
use crate::peer::{
    DownReason, LastReset, Negotiated, Peer, PeerAction, PeerEvent, PeerMessage, SessionConfig, State,
};
use crate::rib::quota::Quota;
use crate::rib::rules::Refused;
use crate::rib::{PeerId, PeerParams, PrefixCount, ReapplyDirection, ShardEvent};

/// A configured neighbour.
#[derive(Debug)]
pub struct PeerEntry {
    pub name: NeighborName,
    /// Unspecified while a neighbour that is named by its interface has not been found.
    pub addr: IpAddr,
    pub peer: Peer,
    pub effective: EffectiveNeighbor,
    pub session: Arc<SessionConfig>,
    /// What the shards were told; only while the session is established.
    pub params: Option<Arc<PeerParams>>,
    /// The last counts of each shard, by family.
    pub counts: Vec<Counts>,
    /// Tables on their way to the neighbour.
    pub(super) tables: Vec<TableInProgress>,
    /// Families whose limit was warned of.
    pub(super) warned: BTreeSet<Family>,
    pub updates_received: u64,
    pub graceful: Graceful,
    /// Outbound route filters of both directions.
    pub orf: super::orf::OrfState,
    /// Routes that a limit kept out or back in this session.
    pub noticed: super::notices::Noticed,
    /// Made by a connection from a listen range, and gone with it.
    pub dynamic: bool,
    pub rtt: super::rtt::RoundTrip,
    /// Why the last attempt to connect failed, in the socket's words; none since the session came up.
    pub attempt_error: Option<String>,
    /// Counts of `maximum-prefix-out` that shards share, by family.
    pub(super) quotas: [Arc<Quota>; Family::COUNT],
}

/// Counts of one family, a slot per shard.
#[derive(Debug)]
pub struct Counts {
    pub family: Family,
    pub shards: Vec<Option<PrefixCount>>,
}

impl Counts {
    fn sum(&self, of: fn(&PrefixCount) -> u32) -> u64 {
        self.shards.iter().flatten().map(|count| u64::from(of(count))).sum()
    }
}

/// A whole table that shards are sending.
#[derive(Debug)]
pub(super) struct TableInProgress {
    family: Family,
    /// Shards that are not done.
    waiting: usize,
    /// What ends it: End-of-RIB after the first table, the marker of RFC 7313 after a refresh.
    refresh: bool,
}

impl PeerEntry {
    pub fn new(seed: u64, effective: EffectiveNeighbor, session: Arc<SessionConfig>) -> Self {
        Self {
            name: effective.name.clone(),
            addr: effective.addr,
            peer: Peer::new(seed),
            effective,
            session,
            params: None,
            counts: Vec::new(),
            tables: Vec::new(),
            warned: BTreeSet::new(),
            updates_received: 0,
            graceful: Graceful::default(),
            orf: super::orf::OrfState::default(),
            noticed: super::notices::Noticed::default(),
            dynamic: false,
            rtt: super::rtt::RoundTrip::default(),
            attempt_error: None,
            quotas: Default::default(),
        }
    }

    pub fn established(&self) -> bool {
        self.peer.state() == State::Established
    }

    fn count(&self, family: Family, of: fn(&PrefixCount) -> u32) -> u64 {
        self.counts.iter().find(|counts| counts.family == family).map_or(0, |counts| counts.sum(of))
    }

    pub fn accepted(&self, family: Family) -> u64 {
        self.count(family, |count| count.accepted)
    }

    /// Routes refused since the session began, of all families and shards.
    pub fn refused(&self) -> Refused {
        let counts = self.counts.iter().flat_map(|counts| counts.shards.iter().flatten());
        counts.fold(Refused::default(), |sum, count| sum.plus(count.refused))
    }

    pub fn received(&self, family: Family) -> u64 {
        self.count(family, |count| count.received)
    }

    pub fn stale(&self, family: Family) -> u64 {
        self.count(family, |count| count.stale)
    }

    pub fn sent(&self, family: Family) -> u64 {
        self.count(family, |count| count.sent)
    }

    pub(super) fn store(&mut self, shard: usize, shards: usize, count: PrefixCount) {
        let slot = match self.counts.iter_mut().position(|counts| counts.family == count.family) {
            Some(at) => self.counts.get_mut(at),
            None => {
                self.counts.push(Counts { family: count.family, shards: vec![None; shards] });
                self.counts.last_mut()
            }
        };
        if let Some(slot) = slot.and_then(|counts| counts.shards.get_mut(shard)) {
            *slot = Some(count);
        }
    }

    pub(crate) fn hostname(&self) -> Option<String> {
        let names = self.peer.negotiated()?.hostname.as_ref()?;
        Some(names.0.clone()).filter(|name| !name.is_empty())
    }
}

impl Instance {
    /// Gives an event to a peer's session and carries out what follows.
    pub(super) fn peer_event(&mut self, now: Timestamp, id: PeerId, event: PeerEvent, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get_mut(&id) else { return };
        if let PeerEvent::Activity { updates, .. } = &event {
            entry.updates_received += updates;
        }
        let keepalive = matches!(&event, PeerEvent::Received { message: PeerMessage::Keepalive, .. })
            && entry.established();
        let mut actions = Vec::new();
        let had_conn = entry.peer.conn().is_some();
        entry.peer.handle(now, event, &mut actions);
        let first = keepalive && !std::mem::replace(&mut entry.graceful.keepalive, keepalive);
        self.carry_out(now, id, actions, out);
        if first {
            self.initial_progress(now, out);
        }
        if had_conn {
            self.reap(now, id, out);
        }
    }

    pub(super) fn peer_tick(&mut self, now: Timestamp, id: PeerId, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let mut actions = Vec::new();
        let had_conn = entry.peer.conn().is_some();
        entry.peer.tick(now, &mut actions);
        self.carry_out(now, id, actions, out);
        if had_conn {
            self.reap(now, id, out);
        }
    }

    fn carry_out(&mut self, now: Timestamp, id: PeerId, actions: Vec<PeerAction>, out: &mut Vec<Action>) {
        for action in actions {
            let Some(entry) = self.peers.get(&id) else { return };
            match action {
                PeerAction::Connect { conn } => {
                    let transport = Arc::new(entry.session.transport.clone());
                    out.push(Action::Connect { peer: id, conn, transport });
                }
                PeerAction::Send { conn, bytes } => out.push(Action::Send { peer: id, conn, bytes }),
                PeerAction::Close { conn } => out.push(Action::Close { peer: id, conn }),
                PeerAction::Established { conn, session, negotiated } => {
                    self.session_up(now, id, conn, session, negotiated, out);
                }
                PeerAction::Down { session, reset } => self.session_down(now, id, session, &reset, out),
                PeerAction::Refresh { refresh, .. } => self.refresh_asked(now, id, refresh, out),
                PeerAction::StateChanged { from, to } => {
                    out.push(Action::Log(LogLine::State { addr: entry.name.clone(), from, to }));
                    self.dump_state(id, from, to, out);
                }
                PeerAction::AttemptFailed { reset } => {
                    let reason = reason_text(&reset);
                    out.push(Action::Log(LogLine::AttemptFailed { addr: entry.name.clone(), reason }));
                    if let Some(entry) = self.peers.get_mut(&id) {
                        entry.attempt_error = reset.error;
                    }
                }
            }
        }
    }

    fn session_up(
        &mut self,
        now: Timestamp,
        id: PeerId,
        conn: crate::peer::ConnId,
        session: u64,
        negotiated: Arc<Negotiated>,
        out: &mut Vec<Action>,
    ) {
        if let Some(entry) = self.peers.get_mut(&id) {
            entry.attempt_error = None;
            entry.orf.begin(negotiated.orf_receive);
            entry.noticed = super::notices::Noticed::default();
        }
        let Some(params) = self.params_of(id, &negotiated) else { return };
        let shards = self.host.shards;
        let log = self.router().is_some_and(|router| router.log_neighbor_changes);
        self.initial.session_up(now);
        self.start_max_med();
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let params = Arc::new(params);
        entry.params = Some(Arc::clone(&params));
        entry.counts.clear();
        entry.warned.clear();
        entry.tables = negotiated
            .families
            .iter()
            .map(|family| TableInProgress { family, waiting: shards, refresh: false })
            .collect();
        let config = Arc::clone(&entry.session);
        if log {
            let addr = entry.name.clone();
            out.push(Action::Log(LogLine::NeighborUp { addr, hostname: entry.hostname() }));
        }
        self.all_shards(|| ShardEvent::PeerUp { peer: id, session, params: Arc::clone(&params) }, out);
        self.graceful_up(id, &negotiated, out);
        out.push(Action::SessionUp { peer: id, conn, session, config, negotiated });
        self.bmp_peer_up(now, id, out);
        self.initial_progress(now, out);
        self.send_filters(id, false, out);
    }

    fn session_down(
        &mut self,
        now: Timestamp,
        id: PeerId,
        session: u64,
        reset: &LastReset,
        out: &mut Vec<Action>,
    ) {
        let log = self.router().is_some_and(|router| router.log_neighbor_changes);
        if let Some(entry) = self.peers.get_mut(&id) {
            entry.params = None;
            entry.tables.clear();
            entry.counts.clear();
            if log {
                let (addr, hostname) = (entry.name.clone(), entry.hostname());
                out.push(Action::Log(LogLine::NeighborDown { addr, hostname, reason: reason_text(reset) }));
            }
        }
        self.bmp_peer_down(now, id, reset, out);
        out.push(Action::SessionDown { peer: id, session });
        self.graceful_down(now, id, session, reset, out);
        self.initial_progress(now, out);
    }

    /// The neighbour asks for our table again. Its own markers go to the shards in order with its routes.
    fn refresh_asked(&mut self, now: Timestamp, id: PeerId, refresh: RouteRefresh, out: &mut Vec<Action>) {
        match refresh.kind {
            RefreshKind::Request => {
                self.filters_due(id, refresh.family, out);
                self.send_table(id, refresh.family, out);
            }
            kind => self.refresh_marked(now, id, refresh.family, kind),
        }
    }

    /// Sends the whole table again.
    pub(crate) fn send_table(&mut self, id: PeerId, family: Family, out: &mut Vec<Action>) {
        let shards = self.host.shards;
        let Some(entry) = self.peers.get_mut(&id).filter(|entry| entry.params.is_some()) else { return };
        let (Some(conn), Some(negotiated)) = (entry.peer.conn(), entry.peer.negotiated()) else { return };
        if !negotiated.families.contains(family) {
            return;
        }
        // A table that is still on its way will be whole when it ends, with whatever ending was promised first.
        let busy = entry.tables.iter().any(|table| table.family == family);
        if negotiated.enhanced_refresh && !busy {
            let bytes = RouteRefresh { family, kind: RefreshKind::Begin }.encode();
            entry.peer.count_refresh_sent();
            out.push(Action::SendBehind { peer: id, conn, bytes });
            entry.tables.push(TableInProgress { family, waiting: shards, refresh: true });
        }
        self.all_shards(|| ShardEvent::RefreshOut { peer: id, family }, out);
    }

    /// One shard has sent all of a table.
    pub(super) fn table_sent(&mut self, id: PeerId, family: Family, out: &mut Vec<Action>) {
        let quiet = self.router().is_some_and(|router| router.restart.disable_eor);
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let Some(at) = entry.tables.iter().position(|table| table.family == family) else { return };
        let Some(table) = entry.tables.get_mut(at) else { return };
        table.waiting = table.waiting.saturating_sub(1);
        if table.waiting > 0 {
            return;
        }
        let refresh = table.refresh;
        entry.tables.remove(at);
        let Some(conn) = entry.peer.conn() else { return };
        if !refresh {
            entry.graceful.end_sent = entry.graceful.end_sent.with(family);
        }
        if !refresh && quiet {
            return;
        }
        let bytes = if refresh {
            entry.peer.count_refresh_sent();
            RouteRefresh { family, kind: RefreshKind::End }.encode()
        } else {
            let mut buf = BytesMut::new();
            end_of_rib(&mut buf, family);
            buf.freeze()
        };
        out.push(Action::SendBehind { peer: id, conn, bytes });
    }

    /// Has import policy applied again to what the neighbour sent: from what is stored, or by asking it to send again.
    /// False where neither can be had.
    pub(crate) fn reapply_import(&mut self, id: PeerId, family: Family, out: &mut Vec<Action>) -> bool {
        let Some(entry) = self.peers.get(&id) else { return false };
        let Some(params) = entry.params.as_ref().and_then(|params| params.family(family)) else {
            return false;
        };
        if params.soft_reconfiguration {
            let direction = ReapplyDirection::In;
            self.all_shards(|| ShardEvent::Reapply { peer: id, family: Some(family), direction }, out);
            return true;
        }
        let (Some(conn), Some(negotiated)) = (entry.peer.conn(), entry.peer.negotiated()) else {
            return false;
        };
        if !negotiated.route_refresh {
            return false;
        }
        let bytes = RouteRefresh { family, kind: RefreshKind::Request }.encode();
        out.push(Action::Send { peer: id, conn, bytes });
        if let Some(entry) = self.peers.get_mut(&id) {
            entry.peer.count_refresh_sent();
        }
        true
    }

    /// Ends a session on an operator's word.
    pub(crate) fn reset_peer(&mut self, now: Timestamp, id: PeerId, out: &mut Vec<Action>) {
        let event = PeerEvent::Reset {
            reason: DownReason::UserReset,
            notification: Notification::cease(cease::ADMIN_RESET),
        };
        self.peer_event(now, id, event, out);
        self.peer_event(now, id, PeerEvent::Clear, out);
    }

    /// What depends on interfaces: sessions over one that went down, next hops, our addresses.
    pub(super) fn interfaces_changed(
        &mut self,
        now: Timestamp,
        down: Option<IfIndex>,
        out: &mut Vec<Action>,
    ) {
        if self.snapshot.is_some() {
            return;
        }
        if let Some(ifindex) = down {
            self.interface_down(now, ifindex, out);
        }
        self.apply(now, out);
    }

    /// `bgp fast-external-failover`: directly connected eBGP sessions end with their interface.
    fn interface_down(&mut self, now: Timestamp, ifindex: IfIndex, out: &mut Vec<Action>) {
        if !self.router().is_some_and(|router| router.fast_external_failover) {
            return;
        }
        let over = |entry: &PeerEntry| {
            let params = entry.params.as_ref();
            params.is_some_and(|params| params.connected_nexthops && params.ifindex == Some(ifindex))
                && !entry.peer.negotiated().is_some_and(|n| n.kind == bgp_packet::attr::SessionKind::Internal)
        };
        let lost: Vec<PeerId> =
            self.peers.iter().filter(|(_, entry)| over(entry)).map(|(id, _)| *id).collect();
        for id in lost {
            let event = PeerEvent::Reset {
                reason: DownReason::InterfaceDown,
                notification: Notification::cease(cease::CONFIG_CHANGE),
            };
            self.peer_event(now, id, event, out);
        }
    }

    /// The connection of a neighbour that is to keep our routes when we end: it just breaks, for a NOTIFICATION would say
    /// that we go for good.
    fn restarting_conn(&self, id: PeerId) -> Option<crate::peer::ConnId> {
        let entry = self.peers.get(&id).filter(|entry| entry.established())?;
        let restarts = entry.effective.session.graceful == GracefulMode::Restart;
        let kept = self.graceful_settings().preserve_fw_state;
        let minded = entry.peer.negotiated().is_some_and(|agreed| agreed.their_restart().is_some());
        entry.peer.conn().filter(|_| restarts && kept && minded)
    }

    pub(super) fn shutdown(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        self.finishing = true;
        let all: Vec<PeerId> = self.peers.keys().copied().collect();
        for id in all {
            if let Some(conn) = self.restarting_conn(id) {
                let error = "this router restarts".to_owned();
                self.peer_event(now, id, PeerEvent::Closed { conn, error }, out);
                continue;
            }
            self.peer_event(now, id, PeerEvent::Deconfigured, out);
        }
        out.push(Action::Finished);
    }
}

/// Why a session ended, in the words of the log and of shows.
pub(crate) fn reason_text(reset: &LastReset) -> String {
    let mut text = reset.reason.text().to_owned();
    if let Some(notification) = &reset.notification {
        text.push_str(&format!(" ({}/{})", notification.code, notification.subcode));
    }
    if let Some(error) = &reset.error {
        text.push_str(&format!(": {error}"));
    }
    text
}
