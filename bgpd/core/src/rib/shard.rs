//! The shard itself: events to the families, and what belongs to all of them.

use std::sync::Arc;

use bgp_packet::{Family, FamilySet};
use ferrite_policy::Scope;
use ferrite_types::zclient::{NexthopState, RedistributedRoute, RouteResult};
use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix, Safi, Timestamp};

use super::attrs::AttrTable;
use super::ctx::{Ctx, Limits};
use super::event::{
    Changes, Contribution, PrefixCount, ReapplyDirection, RouteBatch, ShardAction, ShardEvent,
};
use super::family::{JobKind, Rib};
use super::monitor::{MONITOR_WINDOW, MonitorSent, MonitorWants};
use super::nexthop::Nexthops;
use super::peers::{PeerIdx, Peers};
use super::query::{Answer, MemoryView, PathTallies, Query, QueryToken};
use super::same::same_shard;
use super::settings::{PeerId, PeerParams, ShardConfig};
use super::table;

/// One slice of the routing table. See the module above for what the shell owes it.
#[derive(Debug)]
pub struct Shard {
    ctx: Ctx,
    /// The families whose prefixes are IPv4's, and IPv6's.
    v4: Vec<Rib<Ipv4Prefix>>,
    v6: Vec<Rib<Ipv6Prefix>>,
    configured: bool,
    fib_outstanding: usize,
    monitor: MonitorWants,
    monitor_outstanding: usize,
    replaying: bool,
}

/// Runs the same call on the family that is asked for.
macro_rules! on_family {
    ($shard:expr, $family:expr, |$rib:ident, $ctx:ident| $call:expr) => {{
        let shard = &mut *$shard;
        let $ctx = &mut shard.ctx;
        let wanted: Family = $family;
        match wanted.afi {
            Afi::Ipv4 => shard.v4.iter_mut().find(|rib| rib.family == wanted).map(|$rib| $call),
            Afi::Ipv6 => shard.v6.iter_mut().find(|rib| rib.family == wanted).map(|$rib| $call),
            Afi::L2vpn => None,
        }
    }};
}

/// Runs the same call on every family.
macro_rules! on_all {
    ($shard:expr, |$rib:ident, $ctx:ident| $call:expr) => {{
        let shard = &mut *$shard;
        let $ctx = &mut shard.ctx;
        for $rib in &mut shard.v4 {
            $call;
        }
        for $rib in &mut shard.v6 {
            $call;
        }
    }};
}

/// Whether something holds for one of the families.
macro_rules! any_rib {
    ($shard:expr, |$rib:ident| $holds:expr) => {
        $shard.v4.iter().any(|$rib| $holds) || $shard.v6.iter().any(|$rib| $holds)
    };
}

/// A table for each family whose prefixes are of this kind.
fn ribs<P: table::Key>(afi: Afi) -> Vec<Rib<P>> {
    let families = Family::ALL.into_iter().enumerate().filter(|(_, family)| family.afi == afi);
    families.map(|(slot, family)| Rib::new(family, slot)).collect()
}

impl Shard {
    /// Shard `index` of `of`.
    pub fn new(index: usize, of: usize) -> Self {
        Self::with_limits(index, of, Limits::default())
    }

    pub fn with_limits(index: usize, of: usize, limits: Limits) -> Self {
        Self {
            ctx: Ctx {
                index,
                of: of.max(1),
                config: Arc::new(ShardConfig::default()),
                peers: Peers::default(),
                attrs: AttrTable::default(),
                nexthops: Nexthops::default(),
                now: Timestamp::ZERO,
                limits,
                notices: super::notice::Notices::default(),
                rpki: None,
                revalidated: 0,
                looked_at: 0,
            },
            v4: ribs(Afi::Ipv4),
            v6: ribs(Afi::Ipv6),
            configured: false,
            fib_outstanding: 0,
            monitor: MonitorWants::default(),
            monitor_outstanding: 0,
            replaying: false,
        }
    }

    /// Feeds in one event; whatever must happen outside is appended to `out`.
    pub fn handle(&mut self, now: Timestamp, event: ShardEvent, out: &mut Vec<ShardAction>) {
        self.ctx.now = now;
        match event {
            ShardEvent::Configured(config) => self.configured(config),
            ShardEvent::PeerUp { peer, session, params } => self.peer_up(peer, session, params),
            ShardEvent::PeerChanged { peer, params } => self.peer_changed(peer, params),
            ShardEvent::PeerDown { peer, session } => {
                self.peer_down(peer, session, FamilySet::EMPTY, FamilySet::EMPTY, out);
            }
            ShardEvent::PeerLost { peer, session, keep, long_lived } => {
                self.peer_down(peer, session, keep, long_lived, out);
            }
            ShardEvent::StaleOver { peer, family } => self.end_stale(peer, family),
            ShardEvent::LongLived { peer, family } => {
                if let Some(idx) = self.ctx.peers.idx(peer) {
                    on_family!(self, family, |rib, _ctx| rib.start(JobKind::LongLived(idx)));
                }
            }
            ShardEvent::Routes(batch) => self.routes(batch),
            ShardEvent::EndOfRib { peer, session, family } => {
                if self.is_current(peer, session) {
                    self.end_stale(peer, family);
                    out.push(ShardAction::EndOfRib { peer, session, family });
                }
            }
            ShardEvent::RefreshOut { peer, family } => {
                if let Some(idx) = self.ctx.peers.idx(peer) {
                    on_family!(self, family, |rib, _ctx| rib.resend(idx));
                }
            }
            ShardEvent::Reapply { peer, family, direction } => self.reapply(peer, family, direction),
            ShardEvent::Reimport { peers, family, scope } => self.reimport(&peers, family, scope),
            ShardEvent::RefreshInBegin { peer, session, family } => {
                if self.is_current(peer, session) {
                    self.begin_refresh(peer, family);
                }
            }
            ShardEvent::RefreshInEnd { peer, session, family } => {
                if self.is_current(peer, session) {
                    self.end_stale(peer, family);
                }
            }
            ShardEvent::Defer(families) => {
                on_all!(self, |rib, _ctx| rib.defer(families.contains(rib.family)));
            }
            ShardEvent::Nexthops(states) => self.nexthops(states),
            ShardEvent::Redistributed(changes) => self.redistributed(changes),
            ShardEvent::FibResults(results) => self.fib_results(&results),
            ShardEvent::Contribution(part) => {
                let family = match &part {
                    Contribution::Aggregate(part) => part.family,
                    Contribution::Default(part) => part.family,
                    Contribution::Room(family) => *family,
                };
                on_family!(self, family, |rib, _ctx| rib.contribution(part));
            }
            ShardEvent::Credit { peer, octets, messages } => {
                if let Some(slot) = self.ctx.peers.idx(peer).and_then(|idx| self.ctx.peers.get_mut(idx)) {
                    slot.outstanding = slot.outstanding.saturating_sub(octets);
                    slot.outstanding_messages = slot.outstanding_messages.saturating_sub(messages);
                }
            }
            ShardEvent::ZebraCredit { updates } => {
                self.fib_outstanding = self.fib_outstanding.saturating_sub(updates);
            }
            ShardEvent::ReplayFib => self.replay_fib(),
            ShardEvent::FibBarrier => self.replaying = true,
            ShardEvent::ZebraGone => {
                self.fib_outstanding = 0;
                self.replaying = false;
                on_all!(self, |rib, _ctx| rib.fib.disconnect(&mut rib.table));
            }
            ShardEvent::ClearDampening { family, prefix } => {
                on_family!(self, family, |rib, ctx| rib.clear_damping(ctx, |flapped, _| {
                    let flapped: Prefix = (*flapped).into();
                    prefix.is_none_or(|prefix| prefix == flapped)
                }));
            }
            ShardEvent::Monitor(wants) => {
                self.monitor = wants;
                on_all!(self, |rib, _ctx| rib.monitor.set(wants));
            }
            ShardEvent::MonitorCredit { rows } => {
                self.monitor_outstanding = self.monitor_outstanding.saturating_sub(rows);
            }
            ShardEvent::Query(token, query) => {
                let answer = self.query(token, query);
                out.push(ShardAction::Answer(token, answer));
            }
            ShardEvent::Rpki { tables, delta } => {
                self.ctx.rpki = tables;
                on_all!(self, |rib, ctx| rib.rpki_changed(ctx, &delta));
            }
        }
    }

    /// Does one slice of the work that is due. Calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<ShardAction>) {
        self.ctx.now = now;
        let from = out.len();
        let mut outstanding = self.fib_outstanding;
        on_all!(self, |rib, ctx| {
            rib.walks.expire(now);
            outstanding += rib.tick(ctx, outstanding, out);
        });
        self.fib_outstanding = outstanding;
        self.tell_monitor(from, out);
        self.ctx.release_nexthops();
        let requests = self.ctx.nexthops.requests();
        if !requests.is_empty() {
            out.push(ShardAction::Track(requests));
        }
        self.report_flushed(out);
        self.report_counts(out);
        if !self.ctx.notices.is_empty() {
            out.push(ShardAction::Notices(self.ctx.notices.take()));
        }
        let idle = self.is_settled() && !any_rib!(self, |rib| rib.fib.has_work());
        if self.replaying && idle && !self.ctx.nexthops.awaits_answers() {
            self.replaying = false;
            out.push(ShardAction::ReplayDone);
        }
    }

    /// What changed, for whoever monitors; and what of `out` behind `from` neighbours were sent.
    fn tell_monitor(&mut self, from: usize, out: &mut Vec<ShardAction>) {
        if self.monitor.adj_out {
            let sent: Vec<MonitorSent> = out.iter().skip(from).filter_map(sent).collect();
            out.extend(sent.into_iter().map(ShardAction::MonitoredSend));
        }
        let mut outstanding = self.monitor_outstanding;
        on_all!(self, |rib, ctx| {
            outstanding += rib.tell_monitor(ctx, MONITOR_WINDOW.saturating_sub(outstanding), out);
        });
        self.monitor_outstanding = outstanding;
    }

    fn has_monitor_work(&self) -> bool {
        let noted = any_rib!(self, |rib| rib.monitor.has_work());
        noted && self.monitor_outstanding < MONITOR_WINDOW
    }

    /// When `tick` next has work, or `None` while nothing is pending.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let fib_room = self.fib_outstanding < self.ctx.limits.zebra_window;
        let v4 = self.v4.iter().map(|rib| rib.next_deadline(&self.ctx, fib_room));
        let families = v4.chain(self.v6.iter().map(|rib| rib.next_deadline(&self.ctx, fib_room)));
        let pending = self.ctx.peers.iter().any(|(_, slot)| {
            slot.counts_changed || slot.is_done() || (slot.flushing == 0 && slot.flushed_session.is_some())
        });
        // What waits for zebra's word on a next hop goes on with that event.
        let deferred = any_rib!(self, |rib| rib.is_deferred());
        let replay = self.replaying && fib_room && !deferred && !self.ctx.nexthops.awaits_answers();
        let replay = replay.then_some(self.ctx.now);
        let pending = pending || !self.ctx.notices.is_empty() || self.has_monitor_work();
        families.flatten().chain(pending.then_some(self.ctx.now)).chain(replay).min()
    }

    fn is_settled(&self) -> bool {
        !any_rib!(self, |rib| !rib.is_settled())
    }

    fn configured(&mut self, config: Arc<ShardConfig>) {
        let old = std::mem::replace(&mut self.ctx.config, Arc::clone(&config));
        let first = !std::mem::replace(&mut self.configured, true);
        let tracking_changed = self.ctx.nexthops.tracking != config.zebra;
        self.ctx.nexthops.tracking = config.zebra;
        self.ctx.nexthops.vrf = config.vrf;
        if tracking_changed && config.zebra {
            self.ctx.nexthops.ask_again();
        }
        // What every decision or every own route depends on.
        let all = first
            || tracking_changed
            || old.decision != config.decision
            || old.default_local_pref != config.default_local_pref
            || old.router_id != config.router_id
            || old.asn != config.asn
            || old.import_check != config.import_check;
        let exports = all
            || old.cluster_id != config.cluster_id
            || old.confederation != config.confederation
            || old.client_to_client_reflection != config.client_to_client_reflection
            || old.graceful_shutdown != config.graceful_shutdown
            || old.reflector_outbound_policy != config.reflector_outbound_policy
            || old.bandwidth != config.bandwidth
            || old.max_med != config.max_med;
        if old.suppress_fib_pending && !config.suppress_fib_pending {
            on_all!(self, |rib, _ctx| rib.await_nothing());
        }
        let others_changed = {
            let with_new = ShardConfig { families: config.families.clone(), ..(*old).clone() };
            !same_shard(&with_new, &config)
        };
        on_all!(self, |rib, ctx| {
            if let (Some(old), Some(new)) = (old.family(rib.family), config.family(rib.family)) {
                rib.configure(ctx, old, new, all);
                rib.configure_fib(old, new, all || others_changed);
            }
        });
        on_all!(self, |rib, ctx| rib.recheck_damping(ctx));
        if old.own_addresses != config.own_addresses {
            let changed = self.ctx.nexthops.set_own(&config.own_addresses);
            if !changed.is_empty() {
                on_all!(self, |rib, _ctx| rib.start(JobKind::Nexthops(changed.clone())));
            }
        }
        if exports && !first {
            on_all!(self, |rib, _ctx| rib.reevaluate_groups());
        }
    }

    fn peer_up(&mut self, peer: PeerId, session: u64, params: Arc<PeerParams>) {
        let Some(idx) = self.ctx.peers.claim(peer, Arc::clone(&params)) else { return };
        if self.ctx.peers.get(idx).is_some_and(super::peers::PeerSlot::is_up) {
            self.end_session(idx, FamilySet::EMPTY, FamilySet::EMPTY);
        }
        if let Some(slot) = self.ctx.peers.get_mut(idx) {
            slot.params = params;
            slot.session = Some(session);
            slot.outstanding = 0;
            slot.outstanding_messages = 0;
            // What is kept of an earlier session counts.
            slot.counts_changed = true;
        }
        on_all!(self, |rib, ctx| rib.join(ctx, idx));
    }

    /// Closes the session's epoch: what is not kept of its paths is no candidate any more, and removed in slices.
    fn end_session(&mut self, idx: PeerIdx, keep: FamilySet, long_lived: FamilySet) {
        let Some(slot) = self.ctx.peers.get_mut(idx) else { return };
        slot.flushed_session = slot.session.take();
        slot.sent = Default::default();
        slot.refused = Default::default();
        slot.counts_changed = true;
        let mut flush = 0;
        for (epochs, family) in slot.epochs.iter_mut().zip(Family::ALL) {
            let leftover = if keep.contains(family) {
                epochs.restart(long_lived.contains(family))
            } else {
                epochs.close();
                true
            };
            flush |= family.index().filter(|_| leftover).map_or(0, |place| 1u8 << place);
        }
        slot.flushing |= flush;
        on_all!(self, |rib, ctx| {
            rib.leave(idx);
            rib.clear_damping(ctx, |_, peer| peer == idx);
            if flush & (1 << rib.slot) != 0 {
                rib.start(JobKind::Flush(idx));
            }
        });
    }

    fn is_current(&self, peer: PeerId, session: u64) -> bool {
        let slot = self.ctx.peers.idx(peer).and_then(|idx| self.ctx.peers.get(idx));
        slot.is_some_and(|slot| slot.session == Some(session))
    }

    fn peer_down(
        &mut self,
        peer: PeerId,
        session: u64,
        keep: FamilySet,
        long_lived: FamilySet,
        out: &mut Vec<ShardAction>,
    ) {
        match self.ctx.peers.idx(peer).filter(|_| self.is_current(peer, session)) {
            Some(idx) => self.end_session(idx, keep, long_lived),
            None => out.push(ShardAction::Flushed { peer, session }),
        }
    }

    fn begin_refresh(&mut self, peer: PeerId, family: Family) {
        let slot = self.ctx.peers.idx(peer).and_then(|idx| self.ctx.peers.get_mut(idx));
        if let (Some(slot), Some(place)) = (slot, family.index())
            && let Some(epochs) = slot.epochs.get_mut(place)
        {
            epochs.refresh();
            slot.counts_changed = true;
        }
    }

    fn end_stale(&mut self, peer: PeerId, family: Family) {
        if let Some(idx) = self.ctx.peers.idx(peer) {
            on_family!(self, family, |rib, ctx| rib.end_stale(ctx, idx));
        }
    }

    fn peer_changed(&mut self, peer: PeerId, params: Arc<PeerParams>) {
        let Some(idx) = self.ctx.peers.idx(peer) else { return };
        let Some(slot) = self.ctx.peers.get_mut(idx).filter(|slot| slot.is_up()) else { return };
        let old = std::mem::replace(&mut slot.params, Arc::clone(&params));
        on_all!(self, |rib, ctx| {
            rib.change_peer(ctx, idx);
            rib.recheck_damping(ctx);
            // What others are told of its routes depends on it (RFC 4456 §6), and a route server's clients their MED.
            let client = |params: &PeerParams| {
                let family = params.family(rib.family);
                family.map(|family| (family.route_reflector_client, family.route_server_client))
            };
            if client(&old) != client(&params) {
                rib.reevaluate_groups();
            }
        });
    }

    fn routes(&mut self, batch: RouteBatch) {
        let Some(idx) = self.ctx.peers.idx(batch.peer) else { return };
        if self.ctx.peers.get(idx).and_then(|slot| slot.session) != Some(batch.session) {
            return;
        }
        match batch.changes {
            Changes::V4(changes) => {
                if let Some(rib) = self.v4.iter_mut().find(|rib| rib.family == batch.family) {
                    rib.routes(&mut self.ctx, idx, &batch.attrs, &changes);
                }
            }
            Changes::V6(changes) => {
                if let Some(rib) = self.v6.iter_mut().find(|rib| rib.family == batch.family) {
                    rib.routes(&mut self.ctx, idx, &batch.attrs, &changes);
                }
            }
        }
    }

    fn reapply(&mut self, peer: PeerId, family: Option<Family>, direction: ReapplyDirection) {
        let Some(idx) = self.ctx.peers.idx(peer) else { return };
        for chosen in Family::ALL.into_iter().filter(|f| family.is_none_or(|family| family == *f)) {
            on_family!(self, chosen, |rib, ctx| match direction {
                ReapplyDirection::In => {
                    if keeps_received(ctx, idx, chosen) {
                        rib.start_reimport(vec![idx], Scope::All);
                    }
                }
                ReapplyDirection::Out => rib.resend(idx),
            });
        }
    }

    fn reimport(&mut self, peers: &[PeerId], family: Family, scope: Scope) {
        let known = peers.iter().filter_map(|peer| self.ctx.peers.idx(*peer));
        let kept: Vec<PeerIdx> = known.filter(|idx| keeps_received(&self.ctx, *idx, family)).collect();
        on_family!(self, family, |rib, _ctx| rib.start_reimport(kept, scope));
    }

    fn nexthops(&mut self, states: Vec<NexthopState>) {
        let now = self.ctx.now;
        let vrf = self.ctx.config.vrf;
        let mut changed: Vec<_> = states
            .into_iter()
            .filter(|state| state.vrf == vrf)
            .flat_map(|state| self.ctx.nexthops.update(now, state))
            .collect();
        if changed.is_empty() {
            return;
        }
        changed.sort_unstable();
        changed.dedup();
        on_all!(self, |rib, ctx| {
            if !rib.table.is_empty() {
                rib.start(JobKind::Nexthops(changed.clone()));
            }
            rib.recheck_networks(ctx);
        });
    }

    fn redistributed(&mut self, changes: Vec<RedistributedRoute>) {
        for change in changes {
            let family = Family { afi: change.prefix.afi(), safi: Safi::Unicast };
            on_family!(self, family, |rib, ctx| rib.redistributed(ctx, change));
        }
    }

    fn fib_results(&mut self, results: &[RouteResult]) {
        for result in results {
            let family = Family { afi: result.prefix.afi(), safi: Safi::Unicast };
            on_family!(self, family, |rib, _ctx| rib.fib_result(result.prefix, result.outcome));
        }
    }

    fn replay_fib(&mut self) {
        self.fib_outstanding = 0;
        self.replaying = true;
        self.ctx.nexthops.ask_again();
        on_all!(self, |rib, ctx| {
            rib.expect_redistributed(ctx);
            rib.fib.replay(&mut rib.table);
        });
    }

    fn report_flushed(&mut self, out: &mut Vec<ShardAction>) {
        let mut forgotten = Vec::new();
        for (idx, slot) in self.ctx.peers.iter_mut() {
            if slot.flushing != 0 {
                continue;
            }
            if let Some(session) = slot.flushed_session.take() {
                out.push(ShardAction::Flushed { peer: slot.id, session });
            }
            if slot.is_done() {
                forgotten.push(idx);
            }
        }
        for idx in forgotten {
            self.ctx.peers.forget(idx);
        }
    }

    fn report_counts(&mut self, out: &mut Vec<ShardAction>) {
        let mut counts = Vec::new();
        for (_, slot) in self.ctx.peers.iter_mut().filter(|(_, slot)| slot.counts_changed) {
            slot.counts_changed = false;
            for (((family, epochs), sent), refused) in
                Family::ALL.into_iter().zip(&slot.epochs).zip(slot.sent).zip(slot.refused)
            {
                if slot.params.family(family).is_some() {
                    let of = epochs.total();
                    counts.push(PrefixCount {
                        peer: slot.id,
                        family,
                        accepted: of.accepted,
                        received: of.accepted + of.filtered,
                        stale: epochs.stale.accepted,
                        sent,
                        refused,
                    });
                }
            }
        }
        if !counts.is_empty() {
            out.push(ShardAction::PrefixCounts(counts));
        }
    }

    fn query(&mut self, token: QueryToken, query: Query) -> Answer {
        match query {
            Query::Prefix { family, prefix } => {
                let found = on_family!(self, family, |rib, ctx| rib.find(ctx, prefix));
                Answer::Prefix(found.flatten().map(Box::new))
            }
            Query::Explain { family, prefix, longest, scope } => {
                let found = on_family!(self, family, |rib, ctx| {
                    let prefix = if longest { rib.covering(prefix.addr()) } else { Some(prefix) };
                    prefix.and_then(|prefix| rib.explain(ctx, prefix, scope))
                });
                Answer::Explained(found.flatten().map(Box::new))
            }
            Query::Longest { family, addr } => {
                let found = on_family!(self, family, |rib, ctx| rib.longest(ctx, addr));
                Answer::Prefix(found.flatten().map(Box::new))
            }
            Query::Walk { source, family, within, limit } => {
                let found =
                    on_family!(self, family, |rib, ctx| rib.walk(ctx, token, source, within, limit, false));
                let (rows, done) = found.unwrap_or((Vec::new(), true));
                Answer::Rows { rows, done }
            }
            Query::WalkHolders { source, family, within, limit } => {
                let found =
                    on_family!(self, family, |rib, ctx| rib.walk(ctx, token, source, within, limit, true));
                let (rows, done) = found.unwrap_or((Vec::new(), true));
                Answer::Rows { rows, done }
            }
            Query::EndWalk => {
                on_all!(self, |rib, _ctx| rib.walks.close(token));
                Answer::WalkEnded
            }
            Query::Counts { family } => {
                let counts = on_family!(self, family, |rib, ctx| rib.counts(ctx));
                Answer::Counts(counts.unwrap_or_default())
            }
            Query::Statistics { family } => {
                let found = on_family!(self, family, |rib, ctx| rib.statistics(ctx));
                Answer::Statistics(Box::new(found.unwrap_or_default()))
            }
            Query::Tallies { family, peer } => {
                let found = on_family!(self, family, |rib, ctx| rib.tally(ctx, peer));
                Answer::Tallies(PathTallies(found.unwrap_or_default()))
            }
            Query::UpdateGroups { family } => {
                let views = on_family!(self, family, |rib, _ctx| rib.group_views());
                Answer::UpdateGroups(views.unwrap_or_default())
            }
            Query::Nexthops => Answer::Nexthops(self.ctx.nexthops.views()),
            Query::Memory => Answer::Memory(self.memory()),
            Query::Flaps { family, peer } => {
                let views = on_family!(self, family, |rib, ctx| rib.flap_views(ctx, peer));
                Answer::Flaps(views.unwrap_or_default())
            }
            Query::Aggregates { family } => {
                let views = on_family!(self, family, |rib, ctx| rib.aggregates.views(ctx));
                Answer::Aggregates(views.unwrap_or_default())
            }
        }
    }

    /// Octets by structure.
    pub fn memory(&self) -> MemoryView {
        let mut view = MemoryView {
            attributes: self.ctx.attrs.len() as u64,
            attribute_octets: self.ctx.attrs.octets() as u64,
            nexthops: self.ctx.nexthops.len() as u64,
            revalidated: self.ctx.revalidated,
            looked_at: self.ctx.looked_at,
            ..MemoryView::default()
        };
        self.v4.iter().for_each(|rib| rib.add_memory(&mut view));
        self.v6.iter().for_each(|rib| rib.add_memory(&mut view));
        view
    }

    /// Whether the prefix is this shard's.
    pub fn owns(&self, prefix: Prefix) -> bool {
        table::shard_of(prefix, self.ctx.of) == self.ctx.index
    }
}

/// Whether routes are kept as received, so that import can run over them again.
fn keeps_received(ctx: &Ctx, idx: PeerIdx, family: Family) -> bool {
    ctx.peers.get(idx).and_then(|slot| slot.family(family)).is_some_and(|params| params.soft_reconfiguration)
}

fn sent(action: &ShardAction) -> Option<MonitorSent> {
    match action {
        ShardAction::Send { peers, family, bytes, .. } => {
            Some(MonitorSent { peers: Arc::clone(peers), family: *family, bytes: bytes.clone() })
        }
        _ => None,
    }
}
