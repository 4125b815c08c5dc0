//! Between what the RIB wants in the kernel and what goes there: the smallest table that decides as all of it does, and a limit.
//!
//! ```text
//!   Fib (installs, removals) --> Capacity --> the smallest table's changes --> kernel
//!        ^------------- results of what was asked for <---------'
//! ```
//!
//! It works only where `zebra fib compress` or `zebra fib limit N` is configured; without, nothing passes through here. The
//! entries of a table decide about every address as all its routes do (`zebra/compress`); routes that the kernel has by itself
//! are among the routes but never among the entries. Two routes decide alike when they have the same next hops, MTU and protocol, so
//! that the kernel's table still says whose a route is.
//!
//! A table with a limit is always compressed: one that is near its limit must not have to change as a whole when it reaches it. What
//! does not fit even so is left out, in this order, which the operator can change ([`order`]): the protocol with the greatest default distance first; of one protocol the
//! longest prefixes first, of one length the highest addresses first. Static routes are never left out. Packets to what is left out
//! go where the covering route says, or nowhere; `show zebra fib capacity` says how much it is. Routes come back, in the opposite order,
//! while there is room for them and a margin of 1/32 of the limit: what comes and goes at the limit moves nothing else.
//!
//! When the kernel or the hardware says that it has no room (ENOSPC), what it holds then is the limit.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ferrite_fib_compress::{Change, Compressor, Decision, Prefix as Bits};
use ferrite_types::{Ipv4Prefix, Ipv6Prefix, Prefix, RouteProtocol, Safi, Timestamp, VrfId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::action::{FibOp, FibOpKind, FibRoute};
use crate::event::FibResult;
use crate::instance::Zebra;
use crate::rib::{ShapeId, TableKey};

pub mod order;

use order::{Order, Rank};

/// The kernel's, or the hardware's, "no room".
const ENOSPC: i32 = 28;

/// One table.
#[derive(Debug)]
enum Entries {
    V4(Compressor<u32>),
    V6(Compressor<u128>),
}

/// A change of an entry, in terms of prefixes.
type Step = (Prefix, Option<Decision>, Option<Decision>);

fn steps<K: Copy>(changes: Vec<Change<K>>, prefix: impl Fn(Bits<K>) -> Option<Prefix>) -> Vec<Step> {
    changes.into_iter().filter_map(|c| Some((prefix(c.prefix)?, c.old, c.new))).collect()
}

fn v4(bits: Bits<u32>) -> Option<Prefix> {
    Ipv4Prefix::from_bits(bits.bits, bits.len).map(Prefix::V4)
}

fn v6(bits: Bits<u128>) -> Option<Prefix> {
    Ipv6Prefix::new(bits.bits.into(), bits.len).map(Prefix::V6)
}

impl Entries {
    fn of(prefix: Prefix) -> Self {
        match prefix {
            Prefix::V4(_) => Self::V4(Compressor::default()),
            Prefix::V6(_) => Self::V6(Compressor::default()),
        }
    }

    fn insert(&mut self, prefix: Prefix, decision: Decision, pinned: bool) -> Vec<Step> {
        match (self, prefix) {
            (Self::V4(c), Prefix::V4(p)) => {
                steps(c.insert(Bits::new(p.bits(), p.len()), decision, pinned), v4)
            }
            (Self::V6(c), Prefix::V6(p)) => {
                steps(c.insert(Bits::new(p.addr().to_bits(), p.len()), decision, pinned), v6)
            }
            _ => Vec::new(),
        }
    }

    fn remove(&mut self, prefix: Prefix) -> Vec<Step> {
        match (self, prefix) {
            (Self::V4(c), Prefix::V4(p)) => steps(c.remove(Bits::new(p.bits(), p.len())), v4),
            (Self::V6(c), Prefix::V6(p)) => steps(c.remove(Bits::new(p.addr().to_bits(), p.len())), v6),
            _ => Vec::new(),
        }
    }

    fn entry(&self, prefix: Prefix) -> Option<Decision> {
        match (self, prefix) {
            (Self::V4(c), Prefix::V4(p)) => c.entry(Bits::new(p.bits(), p.len())),
            (Self::V6(c), Prefix::V6(p)) => c.entry(Bits::new(p.addr().to_bits(), p.len())),
            _ => None,
        }
    }

    /// The entry that decides about a prefix.
    fn covering(&self, prefix: Prefix) -> Option<(Prefix, Decision)> {
        match (self, prefix) {
            (Self::V4(c), Prefix::V4(p)) => {
                let (bits, decision) = c.covering(Bits::new(p.bits(), p.len()))?;
                Some((v4(bits)?, decision))
            }
            (Self::V6(c), Prefix::V6(p)) => {
                let (bits, decision) = c.covering(Bits::new(p.addr().to_bits(), p.len()))?;
                Some((v6(bits)?, decision))
            }
            _ => None,
        }
    }

    fn all(&self) -> Vec<(Prefix, Decision)> {
        match self {
            Self::V4(c) => c.entries().filter_map(|(p, d)| Some((v4(p)?, d))).collect(),
            Self::V6(c) => c.entries().filter_map(|(p, d)| Some((v6(p)?, d))).collect(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::V4(c) => c.len(),
            Self::V6(c) => c.len(),
        }
    }
}

#[derive(Debug)]
struct Table {
    entries: Entries,
    routes: FxHashMap<Prefix, Decision>,
    left_out: BTreeSet<Rank>,
    /// Routes that may be left out, and are not.
    kept: BTreeSet<Rank>,
    /// What the kernel has by itself.
    pins: FxHashMap<Prefix, Decision>,
}

/// What an operator asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    pub compress: bool,
    pub limit: Option<u32>,
    /// Limits of single VRFs.
    pub vrfs: BTreeMap<VrfId, u32>,
    /// Hundredths of the limit.
    pub shares: BTreeMap<RouteProtocol, u8>,
    pub order: Order,
}

impl Wanted {
    fn active(&self) -> bool {
        self.compress || self.limit.is_some() || !self.vrfs.is_empty()
    }
}

/// Decisions and their numbers.
#[derive(Debug, Default)]
struct Decisions {
    routes: Vec<Arc<FibRoute>>,
    numbers: FxHashMap<FibRoute, Decision>,
}

impl Decisions {
    fn number(&mut self, route: &Arc<FibRoute>) -> Option<Decision> {
        if let Some(number) = self.numbers.get(&**route) {
            return Some(*number);
        }
        self.routes.push(route.clone());
        let number = Decision::new(u32::try_from(self.routes.len()).ok()?)?;
        self.numbers.insert((**route).clone(), number);
        Some(number)
    }

    fn route(&self, decision: Decision) -> Option<&Arc<FibRoute>> {
        self.routes.get(decision.number() as usize - 1)
    }
}

/// Results that wait until the kernel has answered for all the entries that their operations changed.
#[derive(Debug)]
struct Batch {
    outstanding: usize,
    results: Vec<FibResult>,
}

#[derive(Debug, Default)]
pub struct Capacity {
    wanted: Wanted,
    /// What the kernel or the hardware said when it had no room.
    reported: Option<u32>,
    tables: BTreeMap<TableKey, Table>,
    decisions: Decisions,
    /// Entries by the protocol of their route.
    by_protocol: BTreeMap<RouteProtocol, usize>,
    out: Vec<FibOp>,
    next_seq: u32,
    batches: BTreeMap<u64, Batch>,
    batch_of: FxHashMap<u32, u64>,
    /// Entries whose operations the kernel has not answered, and how many for each.
    flying: FxHashMap<(TableKey, Prefix), u32>,
    next_batch: u64,
    /// Changes that the kernel refused and no route of their own will be tried again for; of a removal, whose entry it was.
    refused: BTreeMap<(TableKey, Prefix), Option<RouteProtocol>>,
    pub retry: Option<Timestamp>,
    /// Entries that were changed since somebody began to compare them with the kernel's.
    changed: Option<FxHashSet<(TableKey, Prefix)>>,
}

/// Our numbers of operations are half a round away from those of the RIB, which may still be on their way.
const FAR: u32 = 1 << 31;
const RETRY: Duration = Duration::from_secs(5);

impl Capacity {
    pub fn active(&self) -> bool {
        self.wanted.active()
    }

    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub fn reported(&self) -> Option<u32> {
        self.reported
    }

    /// Entries of a VRF's tables, or of all.
    pub fn entries(&self, vrf: Option<VrfId>) -> usize {
        self.of(vrf).map(|table| table.entries.len()).sum()
    }

    pub fn entries_of(&self, protocol: RouteProtocol) -> usize {
        self.by_protocol.get(&protocol).copied().unwrap_or(0)
    }

    pub fn routes(&self, vrf: Option<VrfId>) -> usize {
        self.of(vrf).map(|table| table.routes.len()).sum()
    }

    /// What is left out of each table.
    pub fn left_out(&self) -> impl Iterator<Item = (TableKey, RouteProtocol, Prefix)> {
        let of = |(key, table): (&TableKey, &'_ Table)| {
            let key = *key;
            table
                .left_out
                .iter()
                .map(move |(_, protocol, _, prefix)| (key, *protocol, *prefix))
                .collect::<Vec<_>>()
        };
        self.tables.iter().flat_map(of)
    }

    fn of(&self, vrf: Option<VrfId>) -> impl Iterator<Item = &Table> {
        self.tables
            .iter()
            .filter(move |(key, _)| vrf.is_none_or(|vrf| vrf == key.vrf))
            .map(|(_, table)| table)
    }

    /// What the kernel should hold under a prefix; the outer `None`: nothing is known of the table here.
    pub fn expected(&self, key: TableKey, prefix: Prefix) -> Option<Option<&Arc<FibRoute>>> {
        let table = self.tables.get(&key).filter(|_| self.active())?;
        Some(table.entries.entry(prefix).and_then(|decision| self.decisions.route(decision)))
    }

    /// The table is kept the smallest.
    pub fn knows(&self, key: TableKey) -> bool {
        self.active() && self.tables.contains_key(&key)
    }

    /// Every entry of every table that is kept the smallest.
    pub fn all_entries(&self) -> impl Iterator<Item = (TableKey, Prefix, Arc<FibRoute>)> {
        // What became the smallest table meanwhile was not compared.
        let tables = self.tables.iter().filter(|_| self.changed.is_some());
        tables.flat_map(|(key, table)| {
            let route = |(prefix, d)| Some((*key, prefix, self.decisions.route(d)?.clone()));
            table.entries.all().into_iter().filter_map(route)
        })
    }

    /// A comparison with the kernel begins, or is over.
    pub fn watch_changes(&mut self, on: bool) {
        self.changed = (on && self.active()).then(|| self.flying.keys().copied().collect());
    }

    /// The entry was changed since the comparison began, or is being changed.
    pub fn changes(&self, key: TableKey, prefix: Prefix) -> bool {
        let at = (key, prefix);
        self.flying.contains_key(&at) || self.changed.as_ref().is_some_and(|changed| changed.contains(&at))
    }

    /// What stands in the kernel and is no entry; the route of that prefix, where there is one, stays.
    pub fn take_out(&mut self, key: TableKey, prefix: Prefix, protocol: RouteProtocol) {
        self.push(key, prefix, FibOpKind::Remove { protocol });
    }

    /// An entry that somebody changed. Of two with one name the kernel would replace the first only.
    pub fn rewrite(&mut self, key: TableKey, prefix: Prefix, twice: bool) {
        let decision = self.tables.get(&key).and_then(|table| table.entries.entry(prefix));
        let route = decision.and_then(|decision| self.decisions.route(decision)).cloned();
        let Some(route) = route else { return };
        if twice {
            for _ in 0..2 {
                self.push(key, prefix, FibOpKind::Remove { protocol: route.protocol });
            }
        }
        self.push(key, prefix, FibOpKind::Install(route));
    }

    /// How a route is in the kernel: left out, or covered by an entry of another prefix.
    pub fn place(&self, key: TableKey, prefix: Prefix) -> (bool, Option<Prefix>) {
        let Some(table) = self.tables.get(&key) else { return (false, None) };
        let Some(decision) = table.routes.get(&prefix) else { return (false, None) };
        let protocol = self.decisions.route(*decision).map(|route| route.protocol);
        let out = protocol.is_some_and(|protocol| table.left_out.contains(&self.rank(protocol, prefix)));
        let by = table.entries.covering(prefix).map(|(by, _)| by).filter(|by| *by != prefix);
        (out, by)
    }

    /// Carries out what the RIB asks for on the smallest table. What nothing has to be done for is answered at once.
    pub fn translate(&mut self, ops: Vec<FibOp>) -> Vec<FibResult> {
        let mut results = Vec::with_capacity(ops.len());
        for op in ops {
            let key = crate::rib::key(op.vrf, op.prefix.afi(), op.table);
            let removal = match &op.kind {
                FibOpKind::Remove { protocol } => Some(*protocol),
                FibOpKind::Install(_) => None,
            };
            match op.kind {
                FibOpKind::Install(route) => self.install(key, op.prefix, &route),
                FibOpKind::Remove { protocol } => self.remove(key, op.prefix, protocol),
            }
            let FibOp { vrf, table, prefix, seq, .. } = op;
            results.push(FibResult { vrf, table, prefix, from: None, seq, errno: 0, removal });
        }
        self.fit();
        if self.out.is_empty() {
            return results;
        }
        self.next_batch += 1;
        for op in &self.out {
            note_flying(&mut self.flying, op);
            self.batch_of.insert(op.seq, self.next_batch);
        }
        self.batches.insert(self.next_batch, Batch { outstanding: self.out.len(), results });
        Vec::new()
    }

    pub fn take_ops(&mut self) -> Vec<FibOp> {
        for op in &self.out {
            if let Entry::Vacant(vacant) = self.batch_of.entry(op.seq) {
                vacant.insert(0);
                note_flying(&mut self.flying, op);
            }
        }
        std::mem::take(&mut self.out)
    }

    /// Nothing passes through here, and nothing is on its way from here.
    pub fn idle(&self) -> bool {
        !self.active() && self.out.is_empty() && self.batch_of.is_empty()
    }

    pub fn owns(&self, result: &FibResult) -> bool {
        result.from.is_none() && self.batch_of.contains_key(&result.seq)
    }

    pub fn has_work(&self) -> bool {
        !self.out.is_empty()
    }

    /// The tables of a VRF that is gone are gone with it.
    pub fn forget_vrf(&mut self, vrf: VrfId) {
        self.tables.retain(|key, _| key.vrf != vrf);
        let counted = self.tables.values().flat_map(|table| table.entries.all());
        let mut by_protocol = BTreeMap::new();
        for (_, decision) in counted {
            if let Some(route) = self.decisions.route(decision) {
                *by_protocol.entry(route.protocol).or_default() += 1;
            }
        }
        self.by_protocol = by_protocol;
        self.refused.retain(|(key, _), _| key.vrf != vrf);
    }

    /// Everything goes out of the kernel.
    pub fn remove_all(&mut self) {
        for (key, table) in std::mem::take(&mut self.tables) {
            for (prefix, decision) in table.entries.all() {
                let protocol = self.decisions.route(decision).map_or(RouteProtocol::System, |r| r.protocol);
                self.push(key, prefix, FibOpKind::Remove { protocol });
            }
        }
    }

    fn install(&mut self, key: TableKey, prefix: Prefix, route: &Arc<FibRoute>) {
        let Some(decision) = self.decisions.number(route) else { return };
        let order = &self.wanted.order;
        let table = self.tables.entry(key).or_insert_with(|| Table::new(prefix));
        let old = table.routes.insert(prefix, decision);
        if let Some(old) = old.filter(|old| *old != decision).and_then(|old| self.decisions.route(old)) {
            let old = order.rank(old.protocol, prefix);
            table.kept.remove(&old);
            if table.left_out.remove(&old) {
                table.left_out.insert(order.rank(route.protocol, prefix));
            }
        }
        let own = order.rank(route.protocol, prefix);
        if table.left_out.contains(&own) || table.pins.contains_key(&prefix) {
            return;
        }
        if route.protocol != RouteProtocol::Static {
            table.kept.insert(own);
        }
        let steps = table.entries.insert(prefix, decision, false);
        // It is asked for again: what decides about it is not as it should be.
        let again =
            (steps.is_empty() && old == Some(decision)).then(|| table.entries.covering(prefix)).flatten();
        self.carry_out(key, steps);
        if let Some((by, decision)) = again {
            self.push_install(key, by, decision);
        }
    }

    fn remove(&mut self, key: TableKey, prefix: Prefix, protocol: RouteProtocol) {
        let order = &self.wanted.order;
        let Some(table) = self.tables.get_mut(&key) else { return };
        let known = table.routes.remove(&prefix);
        if let Some(route) = known.and_then(|decision| self.decisions.route(decision)) {
            let own = order.rank(route.protocol, prefix);
            table.kept.remove(&own);
            table.left_out.remove(&own);
        }
        if table.pins.contains_key(&prefix) {
            return;
        }
        let steps = table.entries.remove(prefix);
        let (stands, changed) = (table.entries.entry(prefix).is_some(), !steps.is_empty());
        self.carry_out(key, steps);
        // Nobody here knows of it, yet it is in the kernel.
        if known.is_none() && !stands && !changed {
            self.push(key, prefix, FibOpKind::Remove { protocol });
        }
    }

    /// A route that the kernel has by itself has come or gone.
    pub fn pin(&mut self, key: TableKey, prefix: Prefix, route: Option<&Arc<FibRoute>>) {
        let steps = if let Some(route) = route {
            let Some(decision) = self.decisions.number(route) else { return };
            let table = self.tables.entry(key).or_insert_with(|| Table::new(prefix));
            table.pins.insert(prefix, decision);
            table.entries.insert(prefix, decision, true)
        } else {
            let Some(table) = self.tables.get_mut(&key) else { return };
            if table.pins.remove(&prefix).is_none() {
                return;
            }
            match table.routes.get(&prefix) {
                Some(decision) => table.entries.insert(prefix, *decision, false),
                None => table.entries.remove(prefix),
            }
        };
        self.carry_out(key, steps);
    }

    fn carry_out(&mut self, key: TableKey, steps: Vec<Step>) {
        for (prefix, old, new) in steps {
            let protocol = |this: &Self, d: Decision| this.decisions.route(d).map(|route| route.protocol);
            let (before, after) = (old.and_then(|d| protocol(self, d)), new.and_then(|d| protocol(self, d)));
            if let Some(count) = before.and_then(|protocol| self.by_protocol.get_mut(&protocol)) {
                *count = count.saturating_sub(1);
            }
            if let Some(protocol) = after {
                *self.by_protocol.entry(protocol).or_default() += 1;
            }
            match (new, before) {
                (Some(decision), _) => self.push_install(key, prefix, decision),
                (None, Some(protocol)) => self.push(key, prefix, FibOpKind::Remove { protocol }),
                (None, None) => {}
            }
        }
    }

    fn push_install(&mut self, key: TableKey, prefix: Prefix, decision: Decision) {
        if let Some(route) = self.decisions.route(decision).cloned() {
            self.push(key, prefix, FibOpKind::Install(route));
        }
    }

    fn push(&mut self, key: TableKey, prefix: Prefix, kind: FibOpKind) {
        self.next_seq = self.next_seq.wrapping_add(1);
        if let Some(changed) = &mut self.changed {
            changed.insert((key, prefix));
        }
        let (vrf, table) = (key.vrf, key.table);
        self.out.push(FibOp { vrf, table, prefix, from: None, seq: self.next_seq, kind });
    }

    // The limit.

    /// The limits: of everything, and of single VRFs.
    fn limits(&self) -> Vec<(Option<VrfId>, usize)> {
        let whole = self.wanted.limit.into_iter().chain(self.reported).min();
        let vrfs = self.wanted.vrfs.iter().map(|(vrf, limit)| (Some(*vrf), *limit as usize));
        whole.map(|limit| (None, limit as usize)).into_iter().chain(vrfs).collect()
    }

    fn fit(&mut self) {
        let limits = self.limits();
        if let Some((_, whole)) = limits.first().filter(|(vrf, _)| vrf.is_none()) {
            for (protocol, percent) in self.wanted.shares.clone() {
                let share = whole * usize::from(percent) / 100;
                while self.by_protocol.get(&protocol).is_some_and(|count| *count > share) {
                    if !self.leave_one_out(None, Some(protocol)) {
                        break;
                    }
                }
            }
        }
        for (vrf, limit) in &limits {
            while self.entries(*vrf) > *limit && self.leave_one_out(*vrf, None) {}
        }
        self.bring_back(&limits);
    }

    fn leave_one_out(&mut self, vrf: Option<VrfId>, only: Option<RouteProtocol>) -> bool {
        let victims = self.tables.iter().filter(|(key, _)| vrf.is_none_or(|vrf| vrf == key.vrf));
        let last = victims.filter_map(|(key, table)| {
            let last = match only {
                Some(protocol) => table.kept.iter().rev().find(|(_, p, ..)| *p == protocol),
                None => table.kept.last(),
            };
            Some((*last?, *key))
        });
        let Some((victim, key)) = last.max() else { return false };
        let Some(table) = self.tables.get_mut(&key) else { return false };
        table.kept.remove(&victim);
        table.left_out.insert(victim);
        let steps = table.entries.remove(victim.3);
        self.carry_out(key, steps);
        true
    }

    fn rank(&self, protocol: RouteProtocol, prefix: Prefix) -> Rank {
        self.wanted.order.rank(protocol, prefix)
    }

    /// Another order counts: what is kept and what is left out change places where they stand wrong.
    fn reorder(&mut self) {
        let order = &self.wanted.order;
        for table in self.tables.values_mut() {
            for ranks in [&mut table.kept, &mut table.left_out] {
                *ranks =
                    ranks.iter().map(|(_, protocol, _, prefix)| order.rank(*protocol, *prefix)).collect();
            }
        }
        loop {
            let last = self.tables.values().filter_map(|table| table.kept.last()).max().copied();
            let first =
                self.tables.iter().filter_map(|(key, table)| Some((*table.left_out.first()?, *key))).min();
            let (Some(last), Some((rank, key))) = (last, first) else { return };
            if last <= rank || !self.leave_one_out(None, None) {
                return;
            }
            self.restore(key, rank);
        }
    }

    fn restore(&mut self, key: TableKey, rank: Rank) {
        let Some(table) = self.tables.get_mut(&key) else { return };
        table.left_out.remove(&rank);
        let Some(decision) = table.routes.get(&rank.3).copied() else { return };
        table.kept.insert(rank);
        let steps = table.entries.insert(rank.3, decision, false);
        self.carry_out(key, steps);
    }

    /// Room has come: routes that were left out return, as long as a margin stays.
    fn bring_back(&mut self, limits: &[(Option<VrfId>, usize)]) {
        loop {
            let first =
                self.tables.iter().filter_map(|(key, table)| Some((*table.left_out.first()?, *key))).min();
            let Some((rank, key)) = first else { return };
            let room = |this: &Self, margin: bool| {
                let shares = limits.first().filter(|(vrf, _)| vrf.is_none()).is_none_or(|(_, whole)| {
                    let percent = this.wanted.shares.get(&rank.1).copied().unwrap_or(100);
                    let share = whole * usize::from(percent) / 100;
                    let margin = if margin { share / 32 + 2 } else { 0 };
                    this.by_protocol.get(&rank.1).copied().unwrap_or(0) + margin <= share
                });
                let fits = |(vrf, limit): &(Option<VrfId>, usize)| {
                    let concerned = vrf.is_none_or(|vrf| vrf == key.vrf);
                    let margin = if margin { limit / 32 + 2 } else { 0 };
                    !concerned || this.entries(*vrf) + margin <= *limit
                };
                shares && limits.iter().all(fits)
            };
            if !room(self, true) {
                return;
            }
            self.restore(key, rank);
        }
    }

    // Answers.

    /// The kernel's answers about entries become answers about routes.
    pub fn results(&mut self, now: Timestamp, results: &[FibResult]) -> Vec<FibResult> {
        let mut done = Vec::new();
        let mut full = false;
        for result in results {
            let key = crate::rib::key(result.vrf, result.prefix.afi(), result.table);
            full |= result.errno == ENOSPC && result.removal.is_none();
            let mut told = false;
            if let Entry::Occupied(mut count) = self.flying.entry((key, result.prefix)) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
            if let Some(number) = self.batch_of.remove(&result.seq)
                && let Some(batch) = self.batches.get_mut(&number)
            {
                batch.outstanding -= 1;
                for of in batch.results.iter_mut().filter(|_| result.errno != 0 && result.errno != ENOSPC) {
                    if (of.vrf, of.table, of.prefix) == (result.vrf, result.table, result.prefix) {
                        of.errno = result.errno;
                        told = true;
                    }
                }
                if batch.outstanding == 0 {
                    done.extend(self.batches.remove(&number).map(|batch| batch.results).unwrap_or_default());
                }
            }
            if result.errno != 0 && !told {
                self.refused.insert((key, result.prefix), result.removal);
                self.retry.get_or_insert(now + RETRY);
            }
        }
        if full {
            // What was refused is not there.
            let refused = self.refused.values().filter(|removal| removal.is_none()).count();
            let there = self.entries(None).saturating_sub(refused);
            self.reported = u32::try_from(there).ok();
            self.fit();
        }
        done
    }

    /// Entries that the kernel refused are asked for again, where they are still wanted.
    pub fn retry_due(&mut self, now: Timestamp) {
        if self.retry.is_none_or(|at| at > now) {
            return;
        }
        self.retry = None;
        for ((key, prefix), removal) in std::mem::take(&mut self.refused) {
            let decision = self.tables.get(&key).and_then(|table| table.entries.entry(prefix));
            match (decision, removal) {
                (Some(decision), _) => self.push_install(key, prefix, decision),
                (None, Some(protocol)) => self.push(key, prefix, FibOpKind::Remove { protocol }),
                (None, None) => {}
            }
        }
    }

    /// Somebody else took an entry out, or changed it.
    pub fn renew(&mut self, key: TableKey, prefix: Prefix) {
        let decision = self.tables.get(&key).and_then(|table| table.entries.entry(prefix));
        if let Some(decision) = decision {
            self.push_install(key, prefix, decision);
        }
    }
}

fn note_flying(flying: &mut FxHashMap<(TableKey, Prefix), u32>, op: &FibOp) {
    *flying.entry((crate::rib::key(op.vrf, op.prefix.afi(), op.table), op.prefix)).or_default() += 1;
}

impl Table {
    fn new(prefix: Prefix) -> Self {
        Self {
            entries: Entries::of(prefix),
            routes: FxHashMap::default(),
            left_out: BTreeSet::new(),
            kept: BTreeSet::new(),
            pins: FxHashMap::default(),
        }
    }
}

impl Zebra {
    /// What the configuration says of the kernel's room.
    pub(crate) fn apply_capacity(&mut self) {
        let settings = &self.settings;
        let of_vrf = |(vrf, known): (VrfId, &crate::iface::Vrf)| {
            Some((vrf, settings.vrf(&known.name)?.fib_limit?)).filter(|_| vrf != VrfId::DEFAULT)
        };
        let wanted = Wanted {
            compress: settings.fib_compress,
            limit: settings.fib_limit,
            vrfs: self.interfaces.vrfs().filter_map(of_vrf).collect(),
            shares: settings.fib_shares.clone(),
            order: settings.fib_order.clone(),
        };
        if wanted == self.capacity.wanted {
            return;
        }
        // A look that is under way compares with what no longer counts.
        self.capacity.watch_changes(false);
        // What the hardware said belongs to the limit that was tried.
        self.capacity.reported = None;
        match (self.capacity.active(), wanted.active()) {
            (false, false) => {}
            (true, true) => {
                let reordered = wanted.order != self.capacity.wanted.order;
                self.capacity.wanted = wanted;
                if reordered {
                    self.capacity.reorder();
                }
                self.capacity.fit();
                return;
            }
            (false, true) => {
                let next = Capacity {
                    wanted: wanted.clone(),
                    next_seq: self.fib.last_seq() ^ FAR,
                    ..Capacity::default()
                };
                self.capacity = next;
                self.take_tables_over();
            }
            (true, false) => self.give_tables_back(),
        }
        self.capacity.wanted = wanted;
    }

    /// Routes that stand in the kernel one by one become a smallest table: what is new first, then what is too much goes.
    fn take_tables_over(&mut self) {
        let mut standing: Vec<(TableKey, Prefix, Arc<FibRoute>)> = Vec::new();
        let held = self.held_routes();
        for (key, prefix, route, pinned) in held {
            if pinned {
                self.capacity.pin(key, prefix, Some(&route));
            } else {
                self.capacity.install(key, prefix, &route);
                standing.push((key, prefix, route));
            }
        }
        self.capacity.fit();
        self.capacity.out.clear();
        let known: FxHashMap<(TableKey, Prefix), &Arc<FibRoute>> =
            standing.iter().map(|(key, prefix, route)| ((*key, *prefix), route)).collect();
        let mut changes = Vec::new();
        for (key, table) in &self.capacity.tables {
            for (prefix, decision) in table.entries.all() {
                let same = known.get(&(*key, prefix)).is_some_and(|route| {
                    self.capacity.decisions.route(decision).is_some_and(|wanted| **wanted == ***route)
                });
                if !same {
                    changes.push((*key, prefix, decision));
                }
            }
        }
        changes.sort_unstable_by_key(|(key, prefix, _)| (*key, std::cmp::Reverse(prefix.len()), *prefix));
        for (key, prefix, decision) in changes {
            self.capacity.push_install(key, prefix, decision);
        }
        standing.sort_unstable_by_key(|(key, prefix, _)| (*key, prefix.len(), *prefix));
        for (key, prefix, route) in standing {
            if self.capacity.tables.get(&key).is_none_or(|table| table.entries.entry(prefix).is_none()) {
                self.capacity.push(key, prefix, FibOpKind::Remove { protocol: route.protocol });
            }
        }
    }

    /// The opposite: every route for itself, and then what is nobody's goes.
    fn give_tables_back(&mut self) {
        let mut own: BTreeSet<(TableKey, Prefix)> = BTreeSet::new();
        let mut held: Vec<_> = self.held_routes().into_iter().filter(|(.., pinned)| !pinned).collect();
        held.sort_unstable_by_key(|(key, prefix, ..)| (*key, std::cmp::Reverse(prefix.len()), *prefix));
        for (key, prefix, route, _) in held {
            own.insert((key, prefix));
            let there = self.capacity.expected(key, prefix).flatten().is_some_and(|there| **there == *route);
            if !there {
                self.capacity.push(key, prefix, FibOpKind::Install(route));
            }
        }
        let tables = std::mem::take(&mut self.capacity.tables);
        for (key, table) in tables {
            let mut entries = table.entries.all();
            entries.sort_unstable_by_key(|(prefix, _)| (prefix.len(), *prefix));
            for (prefix, decision) in entries.into_iter().filter(|(prefix, _)| !own.contains(&(key, *prefix)))
            {
                let protocol = self.capacity.decisions.route(decision).map(|route| route.protocol);
                if let Some(protocol) = protocol {
                    self.capacity.push(key, prefix, FibOpKind::Remove { protocol });
                }
            }
        }
        self.capacity.by_protocol.clear();
        self.capacity.decisions = Decisions::default();
    }

    /// What the RIB holds in the kernel, and what the kernel has by itself (`true`).
    fn held_routes(&mut self) -> Vec<(TableKey, Prefix, Arc<FibRoute>, bool)> {
        let mut shapes = Vec::new();
        // The kernel has no table of multicast's own.
        for (key, table) in self.rib.tables.iter().filter(|(key, _)| key.safi == Safi::Unicast) {
            table.for_each(|prefix, dest| {
                if let Some(id) = dest.fib {
                    shapes.push((*key, prefix, id, false));
                } else if let Some(entry) = dest.selected() {
                    shapes.push((*key, prefix, entry.shape, true));
                }
            });
        }
        let route = |(key, prefix, id, pinned)| {
            let (_, route) = self.rib.shared.fib_route(id)?;
            Some((key, prefix, route, pinned))
        };
        shapes.into_iter().filter_map(route).collect()
    }

    /// The selected route of a prefix is, or is no longer, one that the kernel has by itself.
    pub(crate) fn pin_system(&mut self, key: TableKey, prefix: Prefix, system: Option<ShapeId>) {
        let route = system.and_then(|id| self.rib.shared.fib_route(id)).map(|(_, route)| route);
        self.capacity.pin(key, prefix, route.as_ref());
    }

    /// The kernel's answers, those about entries turned into answers about routes.
    pub(crate) fn sift_results(&mut self, results: Vec<FibResult>) -> Vec<FibResult> {
        if self.capacity.idle() {
            return results;
        }
        let (entries, mut routes): (Vec<_>, Vec<_>) =
            results.into_iter().partition(|result| self.capacity.owns(result));
        routes.extend(self.capacity.results(self.now, &entries));
        routes
    }

    /// Operations on their way to the kernel, on the smallest table where one is kept.
    pub(crate) fn fit_ops(&mut self, ops: Vec<FibOp>) -> Vec<FibOp> {
        if !self.capacity.active() {
            // What the change of the configuration left to do comes first.
            let mut all = self.capacity.take_ops();
            all.extend(ops);
            return all;
        }
        // What is for packets from some source only is in none of these tables.
        let (sourced, ops): (Vec<_>, Vec<_>) = ops.into_iter().partition(|op| op.from.is_some());
        let done = self.capacity.translate(ops);
        if !done.is_empty() {
            self.fib_done(&done);
        }
        let mut all = self.capacity.take_ops();
        all.extend(sourced);
        all
    }
}
