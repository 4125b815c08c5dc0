//! Changing a destination: candidates in and out, the selection after it, and what that asks of the kernel.

use std::collections::BTreeMap;
use std::time::Duration;

use ferrite_types::zclient::RouteOutcome;
use ferrite_types::{Prefix, RouteProtocol, Safi, Timestamp};
use rustc_hash::FxHashSet;

use crate::action::{FibOp, FibOpKind, NexthopOp};
use crate::event::FibResult;
use crate::instance::Zebra;
use crate::rib::{Dest, DestState, Entry, Interner, OwnerId, Policy, Rank, Shape, ShapeId, TableKey, best};

const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(64);
/// How long we wait before putting back a route that somebody took out: a flush takes many.
const REPAIR_AFTER: Duration = Duration::from_millis(200);
/// How long after an event that may cure refusals we ask again: it rarely comes alone.
const CURE_AFTER: Duration = Duration::from_millis(50);
const EEXIST: i32 = 17;
/// Refusals that a change of a link, an address or another route may lift: ENODEV, EINVAL, ENETDOWN, ENETUNREACH,
/// EHOSTUNREACH.
const CURABLE: [i32; 5] = [19, 22, 100, 101, 113];

/// Work towards the kernel.
#[derive(Debug, Default)]
pub struct Fib {
    work: Vec<Work>,
    next_seq: u32,
    /// Operations without an answer.
    pub in_flight: usize,
    /// Destinations that the kernel refused or that somebody else changed.
    failed: BTreeMap<(TableKey, Prefix), Failure>,
    /// Destinations that somebody changed while an operation of ours was under way.
    doubtful: FxHashSet<(TableKey, Prefix)>,
    retries: BTreeMap<Timestamp, Vec<(TableKey, Prefix)>>,
    pub stats: FibStats,
}

/// What the kernel is asked for, in order.
#[derive(Debug)]
pub enum Work {
    Routes(Vec<FibOp>),
    Nexthops(Vec<NexthopOp>),
}

/// A destination that is not in the kernel as it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Zero: not refused, but found missing.
    pub errno: i32,
    pub attempts: u32,
    /// When we ask again.
    pub due: Timestamp,
    /// It is to be taken out, and was this protocol's.
    pub removal: Option<RouteProtocol>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FibStats {
    pub updates: u64,
    pub errors: u64,
    /// Asked again after a refusal.
    pub retries: u64,
    /// Put back after somebody else's change.
    pub repairs: u64,
    pub max_in_flight: usize,
}

impl Fib {
    pub fn take_work(&mut self) -> Vec<Work> {
        std::mem::take(&mut self.work)
    }

    pub fn push_nexthop(&mut self, mut op: NexthopOp) -> u32 {
        self.next_seq = self.next_seq.wrapping_add(1);
        let seq = self.next_seq;
        op.seq = seq;
        match self.work.last_mut() {
            Some(Work::Nexthops(ops)) => ops.push(op),
            _ => self.work.push(Work::Nexthops(vec![op])),
        }
        seq
    }

    pub fn failure(&self, key: TableKey, prefix: Prefix) -> Option<Failure> {
        self.failed.get(&(key, prefix)).copied()
    }

    /// Destinations that are not in the kernel as they should be.
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    pub fn failed(&self) -> impl Iterator<Item = (TableKey, Prefix, Failure)> {
        self.failed.iter().map(|((key, prefix), failure)| (*key, *prefix, *failure))
    }

    /// Number of the last operation.
    pub fn last_seq(&self) -> u32 {
        self.next_seq
    }

    pub fn next_retry(&self) -> Option<Timestamp> {
        self.retries.first_key_value().map(|(at, _)| *at)
    }

    pub fn push(&mut self, key: TableKey, prefix: Prefix, kind: FibOpKind) -> u32 {
        self.next_seq = self.next_seq.wrapping_add(1);
        self.in_flight += 1;
        self.stats.updates += 1;
        self.stats.max_in_flight = self.stats.max_in_flight.max(self.in_flight);
        let TableKey { vrf, table, from, .. } = key;
        let op = FibOp { vrf, table, prefix, from, seq: self.next_seq, kind };
        match self.work.last_mut() {
            Some(Work::Routes(ops)) => ops.push(op),
            _ => self.work.push(Work::Routes(vec![op])),
        }
        self.next_seq
    }

    /// A removal of what no destination holds; nobody waits for its answer.
    pub fn push_removal(&mut self, key: TableKey, prefix: Prefix, kind: FibOpKind) {
        self.push(key, prefix, kind);
    }

    fn schedule(&mut self, now: Timestamp, key: TableKey, prefix: Prefix, errno: i32) {
        let fresh = Failure { errno, attempts: 0, due: now, removal: None };
        let failure = self.failed.entry((key, prefix)).or_insert(fresh);
        failure.errno = errno;
        let delay = if errno == 0 {
            REPAIR_AFTER
        } else {
            RETRY_MIN.saturating_mul(1 << failure.attempts.min(6)).min(RETRY_MAX)
        };
        failure.attempts = failure.attempts.saturating_add(1);
        failure.due = now + delay;
        self.retries.entry(failure.due).or_default().push((key, prefix));
    }

    pub fn doubt(&mut self, key: TableKey, prefix: Prefix) {
        self.doubtful.insert((key, prefix));
    }

    /// A removal that failed: what is there has no destination that would know.
    fn schedule_removal(&mut self, now: Timestamp, result: &FibResult, protocol: RouteProtocol) {
        let key = key_of(result);
        self.schedule(now, key, result.prefix, result.errno);
        if let Some(failure) = self.failed.get_mut(&(key, result.prefix)) {
            failure.removal = Some(protocol);
        }
    }

    /// Something changed that may lift refusals: those are asked about at once, and their waiting starts anew.
    pub fn cure(&mut self, now: Timestamp) {
        let due = now + CURE_AFTER;
        let curable = |failure: &Failure| CURABLE.contains(&failure.errno) && failure.due > due;
        for (at, failure) in self.failed.iter_mut().filter(|(_, failure)| curable(failure)) {
            failure.due = due;
            failure.attempts = 0;
            self.retries.entry(due).or_default().push(*at);
        }
    }
}

/// The table that an answer is about.
fn key_of(result: &FibResult) -> TableKey {
    TableKey { from: result.from, ..crate::rib::key(result.vrf, result.prefix.afi(), result.table) }
}

/// What the kernel's refusal means.
pub fn errno_text(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}

/// Sources whose routes the kernel has by itself.
pub fn is_system(protocol: RouteProtocol) -> bool {
    matches!(
        protocol,
        RouteProtocol::System | RouteProtocol::Kernel | RouteProtocol::Connected | RouteProtocol::Local
    )
}

/// The distance that says "never"; the kernel's routes may have it all the same.
fn unreachable(shape: &Shape) -> bool {
    shape.distance.0 == u8::MAX && shape.protocol != RouteProtocol::Kernel
}

/// Whether a candidate may be selected.
pub fn usable(entry: &Entry, prefix: Prefix, shared: &Interner) -> bool {
    let Some(set) = shared.set_of(entry.shape) else { return false };
    if shared.shape(entry.shape).is_some_and(unreachable) {
        return false;
    }
    entry.policy == Policy::Permit
        && set.resolved.active()
        && set
            .resolved
            .nexthops
            .iter()
            .zip(set.nexthops.iter())
            .any(|(resolved, nexthop)| !resolved.paths.is_empty() && resolved.usable_for(nexthop, prefix))
}

fn choose(dest: &Dest, prefix: Prefix, shared: &Interner) -> Option<usize> {
    best(dest.entries().enumerate().filter(|(_, entry)| usable(entry, prefix, shared)).filter_map(
        |(index, entry)| {
            let shape = shared.shape(entry.shape)?;
            Some((index, Rank { protocol: shape.protocol, distance: shape.distance, metric: shape.metric }))
        },
    ))
}

impl Zebra {
    /// Edits the candidates of a prefix and draws the consequences. The destination is made where it is missing.
    pub(crate) fn change(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        edit: impl FnOnce(&mut Dest, &mut Interner),
    ) {
        let Some(dest) =
            self.rib.tables.entry(key).or_insert_with(|| crate::rib::Table::new(key.afi)).entry(prefix)
        else {
            return;
        };
        let old = dest.selected().map(|entry| entry.shape);
        if let Some(old) = old {
            self.rib.shared.hold_shape(old);
        }
        edit(dest, &mut self.rib.shared);
        self.reconsider(key, prefix, old, false);
        if let Some(old) = old {
            self.release_shape(old);
        }
    }

    /// Selects anew. `resolved_anew`: the next hops of a candidate's set have changed.
    pub(crate) fn reconsider(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        old: Option<ShapeId>,
        resolved_anew: bool,
    ) {
        let Some(dest) = self.rib.tables.get_mut(&key).and_then(|table| table.get_mut(prefix)) else {
            return;
        };
        dest.select(choose(dest, prefix, &self.rib.shared));
        let new = dest.selected().map(|entry| entry.shape);
        if old != new || resolved_anew {
            self.mark_covered(key, prefix);
            self.mark_rpf(key, prefix);
            self.redistribute_change(key, prefix, old, new);
            self.fpm_changed(key, prefix, old, new);
            self.imports.note(key, prefix);
        }
        if let (Some(old), true) = (old, old != new) {
            self.tell_loser(key, prefix, old);
        }
        self.program(key, prefix, new);
        self.drop_if_empty(key, prefix);
    }

    /// Brings the kernel to what is selected.
    fn program(&mut self, key: TableKey, prefix: Prefix, selected: Option<ShapeId>) {
        if self.capacity.active() && key.safi == ferrite_types::Safi::Unicast && key.from.is_none() {
            let shape = |id: &ShapeId| self.rib.shared.shape(*id);
            let system = selected.filter(|id| shape(id).is_some_and(|shape| is_system(shape.protocol)));
            self.pin_system(key, prefix, system);
        }
        self.prepare(key, prefix, selected);
        let Some(dest) = self.rib.tables.get_mut(&key).and_then(|table| table.get_mut(prefix)) else {
            return;
        };
        let shared = &mut self.rib.shared;
        let shape = selected.and_then(|id| shared.shape(id).copied());
        // What multicast looks sources up in is not forwarded by.
        let forwards = key.safi == Safi::Unicast;
        let wanted = selected.filter(|_| forwards && shape.is_some_and(|shape| !is_system(shape.protocol)));
        match (wanted, dest.fib) {
            (None, None) => {}
            (None, Some(held)) => {
                let protocol = shared.shape(held).map_or(RouteProtocol::System, |shape| shape.protocol);
                dest.fib = None;
                dest.state = DestState::Idle;
                self.fib.doubtful.remove(&(key, prefix));
                dest.seq = self.fib.push(key, prefix, FibOpKind::Remove { protocol });
                self.fib.failed.remove(&(key, prefix));
                self.tell_owner(key, prefix, held, RouteOutcome::Removed);
                self.release_shape(held);
            }
            (Some(id), held) => {
                let Some((generation, route)) = shared.fib_route(id) else { return };
                if held == Some(id) && dest.fib_generation == generation {
                    return;
                }
                let same = held
                    .filter(|_| matches!(dest.state, DestState::Installed | DestState::Queued))
                    .and_then(|held| shared.fib_route_of(held, dest.fib_generation))
                    .is_some_and(|in_kernel| **in_kernel == *route);
                let adopted = shape.is_some_and(|shape| shape.owner == OwnerId::ADOPTED);
                shared.hold_shape(id);
                dest.fib = Some(id);
                dest.fib_generation = generation;
                if adopted {
                    dest.state = DestState::Installed;
                } else if !same {
                    dest.state = DestState::Queued;
                    dest.offload = crate::event::Offload::None;
                    dest.seq = self.fib.push(key, prefix, FibOpKind::Install(route));
                    self.fib.failed.remove(&(key, prefix));
                }
                let installed = dest.state == DestState::Installed;
                if installed && !adopted && held != Some(id) {
                    self.tell_installed(key, prefix, id);
                }
                if let Some(held) = held {
                    self.release_shape(held);
                }
            }
        }
    }

    /// The group that a route is about to name is there before it.
    fn prepare(&mut self, key: TableKey, prefix: Prefix, selected: Option<ShapeId>) {
        if !self.groups.enabled || key.safi != Safi::Unicast {
            return;
        }
        let Some(id) = selected.filter(|id| self.rib.shared.lacks_group(*id)) else {
            return;
        };
        if self.rib.shared.shape(id).is_none_or(|shape| is_system(shape.protocol)) {
            return;
        }
        let dest = self.rib.dest(key, prefix);
        let held = dest.and_then(|dest| Some((dest.fib?, dest.fib_generation)));
        let hint = held
            .and_then(|(held, generation)| self.rib.shared.fib_route_of(held, generation))
            .and_then(|route| route.group);
        self.prepare_group(id, hint);
    }

    /// Every route is asked for again in the form that counts now.
    pub(crate) fn reprogram_all(&mut self) {
        let mut all = Vec::new();
        for (key, table) in &self.rib.tables {
            table.for_each(|prefix, dest| {
                if let Some(selected) = dest.selected().filter(|_| dest.fib.is_some()) {
                    all.push((*key, prefix, selected.shape));
                }
            });
        }
        for (key, prefix, shape) in all {
            self.program(key, prefix, Some(shape));
        }
    }

    fn drop_if_empty(&mut self, key: TableKey, prefix: Prefix) {
        let Some(table) = self.rib.tables.get_mut(&key) else { return };
        if table.get(prefix).is_some_and(|dest| dest.is_empty() && dest.fib.is_none()) {
            table.remove(prefix);
        }
    }

    pub(crate) fn release_shape(&mut self, id: ShapeId) {
        let gateways = self.rib.shared.set_of(id).map(|set| set.nexthops.clone());
        if let (Some(set), Some(nexthops)) = (self.rib.shared.release_shape(id), gateways) {
            self.tracker.forget_set(set, &nexthops);
        }
    }

    /// The kernel's answers.
    pub(crate) fn fib_done(&mut self, results: &[FibResult]) {
        self.fib.in_flight = self.fib.in_flight.saturating_sub(results.len());
        for result in results {
            let key = key_of(result);
            if result.errno != 0 {
                self.fib.stats.errors += 1;
            }
            if let Some(protocol) = result.removal {
                self.removed(key, result, protocol);
            } else {
                self.installed(key, result);
            }
        }
    }

    fn removed(&mut self, key: TableKey, result: &FibResult, protocol: RouteProtocol) {
        let held = self.rib.dest(key, result.prefix).is_some_and(|dest| dest.fib.is_some());
        if held || !self.interfaces.vrfs().any(|(vrf, _)| vrf == key.vrf) {
            return;
        }
        if result.errno != 0 {
            self.fib.schedule_removal(self.now, result, protocol);
        } else if !self.fib.failed.is_empty() {
            self.fib.failed.remove(&(key, result.prefix));
        }
    }

    fn installed(&mut self, key: TableKey, result: &FibResult) {
        let Some(dest) = self.rib.dest_mut(key, result.prefix) else { return };
        if dest.seq != result.seq || dest.state != DestState::Queued {
            return;
        }
        let Some(held) = dest.fib else { return };
        if result.errno == 0 {
            dest.state = DestState::Installed;
            if !self.fib.failed.is_empty() && self.fib.failed.remove(&(key, result.prefix)).is_some() {
                self.mark_covered(key, result.prefix);
            }
            self.tell_installed(key, result.prefix, held);
            if !self.fib.doubtful.is_empty() && self.fib.doubtful.remove(&(key, result.prefix)) {
                self.repair(key, result.prefix);
            }
        } else {
            dest.state = DestState::Rejected;
            self.fib.schedule(self.now, key, result.prefix, result.errno);
            self.mark_covered(key, result.prefix);
            self.tell_owner(key, result.prefix, held, RouteOutcome::Rejected(result.errno));
        }
    }

    /// A route of ours that is not in the kernel though nobody here took it out.
    pub(crate) fn repair(&mut self, key: TableKey, prefix: Prefix) {
        let state = self.rib.dest(key, prefix).map(|dest| dest.state);
        if state == Some(DestState::Queued) {
            self.fib.doubt(key, prefix);
        }
        if state == Some(DestState::Installed) && self.fib.failure(key, prefix).is_none() {
            self.fib.schedule(self.now, key, prefix, 0);
        }
    }

    /// A route of ours that somebody changed. Of two with one name the kernel would replace the first only.
    pub(crate) fn rewrite(&mut self, key: TableKey, prefix: Prefix, protocol: RouteProtocol, twice: bool) {
        if twice {
            for _ in 0..2 {
                self.fib.push_removal(key, prefix, FibOpKind::Remove { protocol });
            }
        }
        self.repair(key, prefix);
    }

    /// Asks the kernel again for what is due.
    pub(crate) fn retry_failed(&mut self) {
        while let Some(first) = self.fib.retries.first_entry() {
            if *first.key() > self.now {
                break;
            }
            for (key, prefix) in first.remove() {
                self.reinstall(key, prefix);
            }
        }
    }

    fn reinstall(&mut self, key: TableKey, prefix: Prefix) {
        let Some(failure) = self.fib.failed.get(&(key, prefix)).copied() else { return };
        // It was asked about in the meantime, and waits for another turn.
        if failure.due > self.now {
            return;
        }
        let held = self.rib.dest(key, prefix).and_then(|dest| dest.fib);
        if let (Some(protocol), None) = (failure.removal, held) {
            self.fib.stats.retries += 1;
            self.fib.push_removal(key, prefix, FibOpKind::Remove { protocol });
            return;
        }
        let Some(dest) = self.rib.tables.get_mut(&key).and_then(|table| table.get_mut(prefix)) else {
            self.fib.failed.remove(&(key, prefix));
            return;
        };
        let Some(held) = dest.fib else {
            self.fib.failed.remove(&(key, prefix));
            return;
        };
        if dest.state == DestState::Queued {
            return;
        }
        let Some((generation, route)) = self.rib.shared.fib_route(held) else { return };
        if failure.errno == EEXIST {
            self.fib.push_removal(key, prefix, FibOpKind::Remove { protocol: route.protocol });
        }
        dest.fib_generation = generation;
        dest.state = DestState::Queued;
        dest.seq = self.fib.push(key, prefix, FibOpKind::Install(route));
        if failure.errno == 0 {
            self.fib.stats.repairs += 1;
            self.fib.failed.remove(&(key, prefix));
        } else {
            self.fib.stats.retries += 1;
        }
    }

    /// Takes everything of ours in these tables out of the kernel.
    pub(crate) fn remove_routes(&mut self, of: impl Fn(&TableKey) -> bool) {
        let mut held = Vec::new();
        for (key, table) in self.rib.tables.iter().filter(|(key, _)| of(key)) {
            table.for_each(|prefix, dest| {
                let protocol = dest.fib.and_then(|id| self.rib.shared.shape(id)).map(|shape| shape.protocol);
                if let Some(protocol) = protocol {
                    held.push((*key, prefix, protocol));
                }
            });
        }
        for (key, prefix, protocol) in held {
            self.fib.push(key, prefix, FibOpKind::Remove { protocol });
        }
    }
}
