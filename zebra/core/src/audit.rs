//! Looking at what the kernel has: every route of ours that it tells of is compared with what we asked for, and what a
//! whole list does not name is missing. A difference is put right, and counted by its kind.
//!
//! Three things make us look: events were lost (a resync: the list comes in order with the events), time has passed or
//! something happened that makes the kernel drop routes silently (an audit, listed without haste), and an operator
//! asks (`show zebra fib drift`, which repairs nothing).
//!
//! The comparison needs no table of its own: a destination carries the number of the look that found it right, and at
//! the end a walk in slices finds those without it. An operation that was begun after the look makes a destination
//! unsettled: what the list says of it is old.

mod entries;
mod lsps;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::{Afi, Label, Nexthop, NexthopKind, Prefix, RouteProtocol, TableId, Timestamp, VrfId};
use rustc_hash::FxHashSet;

use crate::action::{Action, FibOpKind, FibRoute, NexthopId};
use crate::event::{KernelNexthop, KernelRoute};
use crate::fib::errno_text;
use crate::groups::{Object, ObjectState};
use crate::instance::Zebra;
use crate::netns::Netns;
use crate::rib::{Dest, DestState, TableKey};
use crate::settings::DEFAULT_AUDIT;

/// Destinations that one turn of the final walk looks at.
const SLICE: usize = 8192;
/// Rows that a report keeps; the counts go on.
const MAX_ROWS: usize = 1000;
/// How long after a change that loses routes silently we look.
const SUSPICION: Duration = Duration::from_secs(2);
/// An audit that suspicion asks for waits this many times as long as the last one took.
const REST: u32 = 10;

/// A difference between what we asked for and what the kernel has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DriftKind {
    /// We hold it installed, the kernel lacks it.
    Missing,
    /// The kernel has other next hops or attributes.
    Different,
    /// The kernel has a route with our mark that we do not hold.
    Orphan,
    /// The kernel refused it.
    Rejected,
}

impl DriftKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Orphan => "orphan",
            Self::Rejected => "rejected",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriftRow {
    pub key: TableKey,
    pub prefix: Prefix,
    /// It is no route but this next-hop object.
    pub nexthop: Option<NexthopId>,
    /// It is no route but this label's path.
    pub label: Option<Label>,
    pub kind: DriftKind,
    pub protocol: RouteProtocol,
    pub wanted: Option<Vec<Nexthop>>,
    pub found: Option<Vec<Nexthop>>,
    /// Why the kernel refused it.
    pub reason: Option<String>,
}

/// What a look at the kernel came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drift {
    /// Routes of ours that the kernel listed.
    pub listed: u64,
    /// Routes that it should have.
    pub held: u64,
    /// Destinations and next-hop objects with an operation under way.
    pub settling: u64,
    pub missing: u64,
    pub different: u64,
    pub orphans: u64,
    pub rejected: u64,
    pub rows: Vec<DriftRow>,
    /// Why the list is not whole.
    pub error: Option<String>,
    pub took: Duration,
}

impl Drift {
    pub fn total(&self) -> u64 {
        self.missing + self.different + self.orphans + self.rejected
    }

    fn note(&mut self, row: DriftRow) {
        match row.kind {
            DriftKind::Missing => self.missing += 1,
            DriftKind::Different => self.different += 1,
            DriftKind::Orphan => self.orphans += 1,
            DriftKind::Rejected => self.rejected += 1,
        }
        if self.rows.len() < MAX_ROWS {
            self.rows.push(row);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// Events were lost.
    Resync,
    /// Time has passed.
    Periodic,
    /// Somebody asked: nothing is repaired.
    Report,
}

#[derive(Debug)]
struct Look {
    id: u64,
    purpose: Purpose,
    mark: u8,
    /// Operations after this one make what is listed old.
    seq: u32,
    began: Timestamp,
    drift: Drift,
    /// Next-hop objects that were listed as they should be.
    nexthops: FxHashSet<NexthopId>,
    /// Labels that were listed, and the last operation on labels when it began.
    lsps: FxHashSet<Label>,
    lfib_seq: u32,
    /// Where the smallest table is kept: its entries that were listed as they should be, or that are being put right.
    entries: FxHashSet<(TableKey, Prefix)>,
    /// The final walk: tables to come, and where it is in the first.
    walk: Option<(Vec<TableKey>, Option<Prefix>)>,
}

#[derive(Debug, Default)]
pub struct Audits {
    look: Option<Look>,
    /// Who waits for a report, and who for the one under way.
    waiting: Vec<u64>,
    answering: Vec<u64>,
    next_id: u64,
    mark: u8,
    /// When the next periodic one is due.
    due: Option<Timestamp>,
    /// When one is due because something happened.
    suspicious: Option<Timestamp>,
    pub stats: AuditStats,
}

#[derive(Clone, Debug, Default)]
pub struct AuditStats {
    pub done: u64,
    pub missing: u64,
    pub different: u64,
    pub orphans: u64,
    pub last: Option<(Timestamp, Duration)>,
}

impl Audits {
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match &self.look {
            Some(look) => look.walk.is_some().then_some(look.began),
            None if !self.waiting.is_empty() => Some(Timestamp::ZERO),
            None => [self.due, self.suspicious].into_iter().flatten().min(),
        }
    }

    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn begin(&mut self, purpose: Purpose, (seq, lfib_seq): (u32, u32), now: Timestamp) -> u64 {
        self.next_id += 1;
        // Zero is what a fresh destination carries.
        self.mark = if self.mark == u8::MAX { 1 } else { self.mark + 1 };
        self.look = Some(Look {
            id: self.next_id,
            purpose,
            mark: self.mark,
            seq,
            began: now,
            drift: Drift::default(),
            nexthops: FxHashSet::default(),
            lsps: FxHashSet::default(),
            lfib_seq,
            entries: FxHashSet::default(),
            walk: None,
        });
        self.next_id
    }
}

/// What a route in the kernel is to us.
enum Verdict {
    Right,
    Settling,
    Differs(RouteProtocol, Arc<FibRoute>),
    Orphan,
}

impl Zebra {
    // When to look.

    /// From now on, or from a change of the interval on.
    pub(crate) fn plan_audit(&mut self) {
        let interval = self.settings.audit_interval.unwrap_or(DEFAULT_AUDIT);
        self.audits.due = (interval > 0).then(|| self.now + Duration::from_secs(interval.into()));
    }

    /// Something happened at which the kernel may drop routes without a word.
    pub(crate) fn suspect(&mut self) {
        if !self.kernel.started {
            return;
        }
        let rest = self.audits.stats.last.map(|(at, took)| at + took * REST);
        let at = rest.unwrap_or_default().max(self.now + SUSPICION);
        self.audits.suspicious.get_or_insert(at);
    }

    pub(crate) fn drift_wanted(&mut self, token: u64) {
        self.audits.waiting.push(token);
        // A look that nobody waits for gives way; it comes again.
        let periodic = self.audits.look.as_ref().is_some_and(|look| look.purpose == Purpose::Periodic);
        if periodic {
            self.audits.look = None;
            self.audits.suspicious.get_or_insert(self.now + SUSPICION);
        }
        self.audit_due();
    }

    pub(crate) fn audit_due(&mut self) {
        if self.audits.look.as_ref().is_some_and(|look| look.walk.is_some()) {
            self.final_walk();
        }
        if self.audits.look.is_some() || self.kernel.dumping() || !self.kernel.started {
            return;
        }
        let hurry = !self.audits.waiting.is_empty();
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= self.now);
        let purpose = if hurry {
            self.audits.answering = std::mem::take(&mut self.audits.waiting);
            Purpose::Report
        } else if is_due(self.audits.due) || is_due(self.audits.suspicious) {
            self.audits.suspicious = None;
            self.plan_audit();
            Purpose::Periodic
        } else {
            return;
        };
        let audit = self.audits.begin(purpose, self.last_seqs(), self.now);
        self.capacity.watch_changes(true);
        self.actions.push(Action::Audit { audit, hurry });
    }

    pub(crate) fn resync_begin(&mut self) {
        // Whoever waits for a report gets one afterwards.
        let answering = std::mem::take(&mut self.audits.answering);
        self.audits.waiting.extend(answering);
        self.audits.begin(Purpose::Resync, self.last_seqs(), self.now);
        self.capacity.watch_changes(true);
    }

    /// The last operations on routes and next hops, and on labels.
    fn last_seqs(&self) -> (u32, u32) {
        (self.fib.last_seq(), self.lfib.last_seq())
    }

    pub(crate) fn resync_end(&mut self, first: bool) {
        if first {
            self.audits.look = None;
            self.plan_audit();
        } else {
            self.start_walk();
        }
    }

    // What a look finds.

    pub(crate) fn audited(&mut self, audit: u64, nexthops: &[KernelNexthop], routes: &[KernelRoute]) {
        if self.audits.look.as_ref().is_none_or(|look| look.id != audit) {
            return;
        }
        for nexthop in nexthops {
            self.observe_nexthop(nexthop);
        }
        for route in routes {
            let ours = route.protocol != RouteProtocol::Kernel && route.metric == crate::FIB_METRIC;
            if let (true, Some(key)) = (ours, self.kernel_key(route)) {
                self.observe(key, route);
            }
        }
    }

    pub(crate) fn audit_end(&mut self, audit: u64, error: Option<String>) {
        let Some(look) = self.audits.look.as_mut().filter(|look| look.id == audit) else { return };
        match error {
            None => self.start_walk(),
            // Half a list says nothing about what it lacks.
            Some(error) => {
                look.drift.error = Some(error);
                self.finish_look();
            }
        }
    }

    /// A route with our mark stands in the kernel.
    pub(crate) fn observe(&mut self, key: TableKey, route: &KernelRoute) {
        if self.capacity.knows(key) {
            return self.observe_entry(key, route);
        }
        let verdict = self.verdict(key, route);
        let (mark, report, seq) = match &self.audits.look {
            Some(look) => (look.mark, look.purpose == Purpose::Report, Some(look.seq)),
            None => (0, false, None),
        };
        let prefix = route.prefix;
        let mut twice = false;
        if let Some(dest) = self.rib.dest_mut(key, prefix) {
            twice = mark != 0 && dest.seen == mark;
            if matches!(verdict, Verdict::Right) {
                dest.seen = mark;
            }
        }
        if matches!(verdict, Verdict::Right) {
            self.offload_told(key, prefix, route.offload);
        }
        if let Some(look) = &mut self.audits.look {
            look.drift.listed += 1;
        }
        let found = Some(route.nexthops.to_vec());
        match verdict {
            Verdict::Right => {}
            // Whether it came before our own change or after, nobody can tell.
            Verdict::Settling if self.offload_crossed(key, route) => {}
            Verdict::Settling => self.fib.doubt(key, prefix),
            Verdict::Differs(protocol, wanted) => {
                // Younger operations than the look have changed it.
                let old = self.rib.dest(key, prefix).is_some_and(|dest| newer(dest.seq, seq));
                if old {
                    return;
                }
                if let Some(dest) = self.rib.dest_mut(key, prefix) {
                    dest.seen = mark;
                }
                let wanted = Some(wanted.nexthops.to_vec());
                let kind = DriftKind::Different;
                self.note_drift(DriftRow {
                    key,
                    prefix,
                    nexthop: None,
                    label: None,
                    kind,
                    protocol,
                    wanted,
                    found,
                    reason: None,
                });
                if !report {
                    self.audits.stats.different += 1;
                    self.rewrite(key, prefix, protocol, twice);
                }
            }
            Verdict::Orphan => {
                let (kind, protocol) = (DriftKind::Orphan, route.protocol);
                self.note_drift(DriftRow {
                    key,
                    prefix,
                    nexthop: None,
                    label: None,
                    kind,
                    protocol,
                    wanted: None,
                    found,
                    reason: None,
                });
                if !report {
                    self.audits.stats.orphans += 1;
                    self.fib.push_removal(key, prefix, FibOpKind::Remove { protocol });
                }
            }
        }
    }

    /// A next-hop object stands in the kernel.
    pub(crate) fn observe_nexthop(&mut self, told: &KernelNexthop) {
        let right = self.kernel_nexthop(told);
        let known = self.groups.get(told.id).map(|object| object.seq);
        let mut report = false;
        if let Some(look) = &mut self.audits.look {
            report = look.purpose == Purpose::Report;
            look.nexthops.insert(told.id);
            if known.is_some_and(|seq| newer(seq, Some(look.seq))) {
                return;
            }
        }
        if !right {
            let kind = if known.is_some() { DriftKind::Different } else { DriftKind::Orphan };
            self.note_nexthop(told.id, kind, report);
        }
    }

    fn note_nexthop(&mut self, id: NexthopId, kind: DriftKind, report: bool) {
        self.note_drift(DriftRow {
            key: crate::rib::key(VrfId::DEFAULT, Afi::Ipv4, TableId::MAIN),
            prefix: Prefix::default_of(Afi::Ipv4),
            nexthop: Some(id),
            label: None,
            kind,
            protocol: RouteProtocol::System,
            wanted: None,
            found: None,
            reason: None,
        });
        if !report {
            match kind {
                DriftKind::Missing => self.audits.stats.missing += 1,
                DriftKind::Orphan => self.audits.stats.orphans += 1,
                DriftKind::Different | DriftKind::Rejected => self.audits.stats.different += 1,
            }
            self.mend_nexthop(id, kind == DriftKind::Missing);
        }
    }

    /// Next-hop objects that the list did not name.
    fn missing_nexthops(&mut self) {
        let Some(look) = &mut self.audits.look else { return };
        // What comes again in order with the events is zebra's own namespace alone.
        let own = look.purpose == Purpose::Resync;
        let report = look.purpose == Purpose::Report;
        let under_way =
            |object: &Object| object.state == ObjectState::Queued || newer(object.seq, Some(look.seq));
        let settling = self.groups.objects().filter(|(_, object)| under_way(object)).count();
        look.drift.settling += settling as u64;
        let missing = |(id, object): &(NexthopId, &Object)| {
            object.state == ObjectState::Installed
                && (!own || Netns::of_object(*id) == Netns::OWN)
                && !look.nexthops.contains(id)
                && !newer(object.seq, Some(look.seq))
        };
        let missing: Vec<NexthopId> = self.groups.objects().filter(missing).map(|(id, _)| id).collect();
        for id in missing {
            self.note_nexthop(id, DriftKind::Missing, report);
        }
    }

    fn note_drift(&mut self, row: DriftRow) {
        if let Some(look) = &mut self.audits.look {
            look.drift.note(row);
        }
    }

    fn verdict(&self, key: TableKey, route: &KernelRoute) -> Verdict {
        let Some(dest) = self.rib.dest(key, route.prefix) else { return Verdict::Orphan };
        let Some(held) = dest.fib else { return Verdict::Orphan };
        if dest.state != DestState::Installed {
            return Verdict::Settling;
        }
        let Some(wanted) = self.rib.shared.fib_route_of(held, dest.fib_generation) else {
            return Verdict::Settling;
        };
        if same_route(wanted, route) {
            Verdict::Right
        } else {
            Verdict::Differs(wanted.protocol, wanted.clone())
        }
    }

    // What it did not find.

    fn start_walk(&mut self) {
        self.missing_nexthops();
        self.missing_lsps();
        let elsewhere = |key: &&TableKey| self.options.netns && key.vrf != VrfId::DEFAULT;
        if let Some(look) = &mut self.audits.look {
            let own = look.purpose == Purpose::Resync;
            let keys = self.rib.tables.keys().rev().filter(|key| !(own && elsewhere(key))).copied();
            look.walk = Some((keys.collect(), None));
        }
    }

    /// One slice of the walk for what the list did not name.
    fn final_walk(&mut self) {
        let Some(look) = &mut self.audits.look else { return };
        let (mark, seq, report) = (look.mark, look.seq, look.purpose == Purpose::Report);
        let Some((mut keys, mut cursor)) = look.walk.take() else { return };
        let mut rows = Vec::new();
        let mut left = SLICE;
        while let Some(key) = keys.last().copied() {
            let mut ended = true;
            if let Some(table) = self.rib.tables.get(&key) {
                table.walk(cursor, |prefix, dest| {
                    cursor = Some(prefix);
                    look.drift.held += u64::from(dest.fib.is_some());
                    look.drift.settling +=
                        u64::from(dest.state == DestState::Queued || newer(dest.seq, Some(seq)));
                    // Of the smallest table it is the entries that count.
                    let elsewhere = self.capacity.knows(key) && dest.state != DestState::Rejected;
                    if lacking(dest, mark, seq) && !elsewhere {
                        rows.push((key, prefix, dest.state));
                    }
                    left = left.saturating_sub(1);
                    ended = left > 0;
                    if ended { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
            }
            if !ended {
                break;
            }
            keys.pop();
            cursor = None;
        }
        let over = keys.is_empty();
        if !over {
            look.walk = Some((keys, cursor));
        }
        for (key, prefix, state) in rows {
            self.note_lacking(key, prefix, state, report);
        }
        if over {
            self.finish_look();
        }
    }

    fn note_lacking(&mut self, key: TableKey, prefix: Prefix, state: DestState, report: bool) {
        let Some(dest) = self.rib.dest(key, prefix) else { return };
        let Some(held) = dest.fib else { return };
        let route = self.rib.shared.fib_route_of(held, dest.fib_generation);
        let failure = self.fib.failure(key, prefix).filter(|failure| failure.errno != 0);
        let kind = if state == DestState::Rejected { DriftKind::Rejected } else { DriftKind::Missing };
        self.note_drift(DriftRow {
            key,
            prefix,
            nexthop: None,
            label: None,
            kind,
            protocol: route.map_or(RouteProtocol::System, |route| route.protocol),
            wanted: route.map(|route| route.nexthops.to_vec()),
            found: None,
            reason: failure.map(|failure| errno_text(failure.errno)),
        });
        if kind == DriftKind::Missing && !report {
            self.audits.stats.missing += 1;
            self.repair(key, prefix);
        }
    }

    fn finish_look(&mut self) {
        let whole = self.audits.look.as_ref().is_some_and(|look| look.drift.error.is_none());
        if whole {
            self.missing_entries();
        }
        self.capacity.watch_changes(false);
        let Some(mut look) = self.audits.look.take() else { return };
        look.drift.took = self.now.since(look.began);
        if look.drift.error.is_none() {
            self.audits.stats.done += 1;
            self.audits.stats.last = Some((self.now, look.drift.took));
        }
        // With the events went the word of what the kernel dropped after it had done what was under way.
        if look.purpose == Purpose::Resync && look.drift.settling > 0 {
            self.suspect();
        }
        if look.purpose == Purpose::Report {
            let drift = Arc::new(look.drift);
            for token in std::mem::take(&mut self.audits.answering) {
                self.actions.push(Action::Drift { token, drift: drift.clone() });
            }
        }
    }
}

/// Installed or refused, and not found as it should be.
fn lacking(dest: &Dest, mark: u8, seq: u32) -> bool {
    dest.fib.is_some()
        && dest.seen != mark
        && !newer(dest.seq, Some(seq))
        && matches!(dest.state, DestState::Installed | DestState::Rejected)
}

/// Whether an operation was begun after the look.
fn newer(seq: u32, look: Option<u32>) -> bool {
    look.is_some_and(|look| seq != look && seq.wrapping_sub(look) < u32::MAX / 2)
}

/// Whether the kernel has what we asked for. It keeps no VRF with a next hop, one source for the route, and no weight
/// for a single next hop; the order of several is its own for IPv6. Protocols are a number to it, which some share.
pub(crate) fn same_route(wanted: &FibRoute, found: &KernelRoute) -> bool {
    wanted.protocol.kernel_number() == found.protocol.kernel_number()
        && wanted.mtu == found.mtu
        && wanted.source == found.source
        && match wanted.group {
            Some(_) => wanted.group == found.group,
            None => same_nexthops(&wanted.nexthops, &found.nexthops),
        }
}

fn same_nexthops(wanted: &[Nexthop], found: &[Nexthop]) -> bool {
    type Plain = (NexthopKind, u8, bool);
    let plain = |nexthops: &[Nexthop]| -> Vec<Plain> {
        let alone = nexthops.len() == 1;
        let mut plain: Vec<Plain> =
            nexthops.iter().map(|n| (n.kind, if alone { 1 } else { n.weight.max(1) }, n.onlink)).collect();
        plain.sort_unstable();
        plain
    };
    match (wanted, found) {
        ([wanted], [found]) => (wanted.kind, wanted.onlink) == (found.kind, found.onlink),
        _ => wanted.len() == found.len() && plain(wanted) == plain(found),
    }
}
