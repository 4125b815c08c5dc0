//! What a group is told of an entry: the best path; where policy hides it, perhaps the next (RFC 7947 §2.3); or several,
//! each under its identifier (RFC 7911).

use bgp_packet::attr::Attributes;
use smallvec::SmallVec;

use super::change::{Emission, Told};
use super::merge::merged;
use super::{Group, shared};
use crate::rib::ctx::Ctx;
use crate::rib::decision::{self, Candidate};
use crate::rib::export::{Target, default_route, export};
use crate::rib::optimal::Vantage;
use crate::rib::pack::Named;
use crate::rib::path_id::PathKey;
use crate::rib::peers::PeerIdx;
use crate::rib::settings::{AddPathSend, FamilyParams, PeerId};
use crate::rib::table::{Entry, Handle, Key, Path, PathFlags, Table, entry_flags};

/// The path that stands for `default-originate`, beside which no other is told.
const DEFAULT_PATH: PathKey = PathKey { peer: PeerIdx::LOCAL, received: 1 };

/// Places in an entry's paths.
type Places = SmallVec<[usize; 8]>;

pub(super) fn usable(path: &Path) -> bool {
    path.flags.has(PathFlags::VALID) && !path.flags.has(PathFlags::SHADOW)
}

pub(super) fn key(path: &Path) -> PathKey {
    PathKey { peer: path.peer, received: path.path_id }
}

/// Usable paths from the best on, each worked out when it is asked for.
pub(super) struct Ranking {
    candidates: Vec<(usize, Candidate)>,
}

impl Ranking {
    /// As seen from here, or from a vantage.
    pub(super) fn new<P>(ctx: &Ctx, entry: &Entry<P>, vantage: Option<&Vantage>) -> Self {
        let all = entry.paths.iter().enumerate().filter(|(_, path)| usable(path));
        let candidate = |path: &Path| {
            let mut candidate = ctx.candidate(path)?;
            if let Some(vantage) = vantage {
                vantage.see(&mut candidate, ctx.attrs.get(path.attrs)?.attrs.next_hop.addr());
            }
            Some(candidate)
        };
        Self { candidates: all.filter_map(|(place, path)| Some((place, candidate(path)?))).collect() }
    }

    /// The best of what is left; the very best is what the decision process said.
    pub(super) fn next(&mut self, ctx: &Ctx) -> Option<usize> {
        let selected = self.candidates.iter().position(|(_, candidate)| candidate.selected);
        let index = selected.or_else(|| {
            let rest: Vec<Candidate> =
                self.candidates.iter().map(|(_, candidate)| candidate.clone()).collect();
            decision::best(&rest, &ctx.config.decision)
        })?;
        Some(self.candidates.remove(index).0)
    }
}

/// The first `count` paths by preference.
fn first<P>(ctx: &Ctx, entry: &Entry<P>, count: usize, vantage: Option<&Vantage>) -> Places {
    let mut ranking = Ranking::new(ctx, entry, vantage);
    std::iter::from_fn(|| ranking.next(ctx)).take(count).collect()
}

/// The best path, and the best of every other neighbouring AS.
fn best_per_as<P>(ctx: &Ctx, entry: &Entry<P>, vantage: Option<&Vantage>) -> Places {
    let mut groups: Vec<Vec<(usize, Candidate)>> = Vec::new();
    for (place, candidate) in Ranking::new(ctx, entry, vantage).candidates {
        let same = |group: &&mut Vec<(usize, Candidate)>| {
            group.first().is_some_and(|(_, other)| other.neighbor == candidate.neighbor)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push((place, candidate)),
            None => groups.push(vec![(place, candidate)]),
        }
    }
    let mut places = Places::new();
    for group in groups {
        let candidates: Vec<Candidate> = group.iter().map(|(_, candidate)| candidate.clone()).collect();
        let winner = decision::best(&candidates, &ctx.config.decision);
        places.extend(winner.and_then(|index| group.get(index)).map(|(place, _)| *place));
        // Without deterministic MEDs the best of all need not be the best of its AS.
        let best = group.iter().find(|(_, candidate)| candidate.selected).map(|(place, _)| *place);
        places.extend(best.filter(|place| !places.contains(place)));
    }
    places
}

/// The paths that a strategy names.
pub(super) fn select<P>(
    ctx: &Ctx,
    entry: &Entry<P>,
    strategy: AddPathSend,
    limit: u16,
    vantage: Option<&Vantage>,
) -> Places {
    let all = || entry.paths.iter().enumerate().filter(|(_, path)| usable(path)).map(|(place, _)| place);
    let limit = if limit == 0 { usize::MAX } else { usize::from(limit) };
    match strategy {
        AddPathSend::Best(count) => first(ctx, entry, limit.min(usize::from(count)), vantage),
        AddPathSend::All => {
            let places: Places = all().collect();
            if places.len() > limit { first(ctx, entry, limit, vantage) } else { places }
        }
        AddPathSend::BestPerAs => {
            let places = best_per_as(ctx, entry, vantage);
            if places.len() <= limit {
                return places;
            }
            let ranked = first(ctx, entry, usize::MAX, vantage);
            ranked.into_iter().filter(|place| places.contains(place)).take(limit).collect()
        }
        AddPathSend::No => {
            entry.paths.iter().position(|path| path.flags.has(PathFlags::BEST)).into_iter().collect()
        }
    }
}

impl<P: Key> Group<P> {
    /// Finds out what changed about an entry.
    pub(super) fn evaluate(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        handle: Handle,
        emission: &mut Emission<P>,
        gone: &mut Vec<u32>,
    ) {
        if self.units.is_some() {
            return self.evaluate_paths(ctx, table, handle, emission, gone);
        }
        let old = self.told(handle);
        let Some(entry) = table.get(handle).filter(|entry| !entry.has(entry_flags::FIB_WAIT)) else { return };
        let named = Named { path_id: 0, prefix: entry.prefix };
        self.was_full = false;
        let new = self.outcome(ctx, entry, old);
        if self.was_full {
            self.waiting.insert(handle);
        }
        self.change(table, handle, named, new, emission, gone);
    }

    fn evaluate_paths(
        &mut self,
        ctx: &mut Ctx,
        table: &mut Table<P>,
        handle: Handle,
        emission: &mut Emission<P>,
        gone: &mut Vec<u32>,
    ) {
        let Some(entry) = table.get(handle).filter(|entry| !entry.has(entry_flags::FIB_WAIT)) else { return };
        let prefix = entry.prefix;
        let mut wanted = self.outcomes(ctx, entry);
        let known: SmallVec<[(Handle, PathKey, u32); 8]> = self
            .units
            .iter()
            .flat_map(|units| units.of(handle).map(|(unit, of)| (unit, of.key, of.path_id)))
            .collect();
        for (unit, key, path_id) in known {
            let place = wanted.iter().position(|(wanted, _)| *wanted == key);
            let main = place.map_or(0, |place| wanted.swap_remove(place).1);
            self.change(table, unit, Named { path_id, prefix }, Told { main, alternate: 0 }, emission, gone);
        }
        for (key, main) in wanted {
            if self.is_full() {
                self.waiting.insert(handle);
                return;
            }
            let Some(unit) = self.units.as_mut().map(|units| units.make(table, handle, key)) else { return };
            let Some(named) = self.named(table, unit) else { return };
            self.change(table, unit, named, Told { main, alternate: 0 }, emission, gone);
        }
    }

    /// `maximum-prefix-out` is reached.
    pub(super) fn is_full(&mut self) -> bool {
        let Some(max) = self.settings.maximum_prefix_out else { return false };
        let full = match &self.settings.quota {
            // What is taken is for the next route that is told, or given back.
            Some(quota) => {
                self.reserved = self.reserved || quota.try_take(max);
                !self.reserved
            }
            None => self.out.len() >= max as usize,
        };
        self.was_full |= full;
        full
    }

    /// The same, for those who only ask.
    pub(super) fn looks_full(&self) -> bool {
        self.settings.maximum_prefix_out.is_some_and(|max| match &self.settings.quota {
            Some(quota) => quota.room(max) == 0,
            None => self.out.len() >= max as usize,
        })
    }

    /// Keeps the count that the shards share.
    pub(super) fn count_told(&mut self, before: bool, after: bool) {
        let Some(quota) = &self.settings.quota else { return };
        match (before, after) {
            (false, true) if self.reserved => self.reserved = false,
            (false, true) => quota.add(1),
            (true, false) => {
                quota.give_back(1);
                self.room_made = true;
            }
            _ => {}
        }
    }

    /// What was taken and not used goes back.
    pub(super) fn unreserve(&mut self) {
        if std::mem::take(&mut self.reserved)
            && let Some(quota) = &self.settings.quota
        {
            quota.give_back(1);
            self.room_made = true;
        }
    }

    /// Whether other shards should know that there is room, since the last look.
    pub fn take_room_made(&mut self) -> bool {
        std::mem::take(&mut self.room_made)
    }

    /// Of what waits as much is evaluated again as there is room for.
    pub fn let_waiting_in(&mut self) {
        let max = self.settings.maximum_prefix_out.map_or(usize::MAX, |max| max as usize);
        let room = match &self.settings.quota {
            Some(quota) => quota.room(u32::try_from(max).unwrap_or(u32::MAX)) as usize,
            None => max.saturating_sub(self.out.len()),
        };
        if self.waiting.is_empty() || room == 0 {
            return;
        }
        let next: Vec<Handle> = self.waiting.iter().take(room).collect();
        for handle in next {
            self.waiting.remove(handle);
            self.dirty.insert(handle);
        }
        self.waiting.trim();
    }

    /// The default route that the group originates in place of any other.
    fn own_default(&mut self, ctx: &Ctx, entry: &Entry<P>) -> Option<u32> {
        if entry.prefix.length() > 0 || self.settings.default_originate.is_none() {
            return None;
        }
        let attrs = if self.default_allowed {
            default_route(ctx, self.target(), self.default_trail.as_ref())
        } else {
            None
        };
        Some(attrs.map_or(0, |attrs| self.encode(&attrs, PeerIdx::LOCAL)))
    }

    /// The set that the group is to have for an entry; zero for none.
    fn outcome(&mut self, ctx: &Ctx, entry: &Entry<P>, old: Told) -> Told {
        if let Some(main) = self.own_default(ctx, entry) {
            return Told { main, alternate: 0 };
        }
        let Some(best) = self.best_of(ctx, entry).filter(|_| self.settings_for(entry).is_some()) else {
            return Told::default();
        };
        if old.main == 0 && self.is_full() {
            return Told::default();
        }
        if self.settings.secondary_path {
            return self.with_secondary(ctx, entry);
        }
        Told { main: self.path_out(ctx, &best, entry), alternate: 0 }
    }

    /// The first path that passes, and for the member it comes from the next one from somebody else. Every path is asked
    /// about once, and all with one set of attributes at once.
    fn with_secondary(&mut self, ctx: &Ctx, entry: &Entry<P>) -> Told {
        let mut told = Told::default();
        let mut source = PeerIdx::LOCAL;
        let mut ranking = Ranking::new(ctx, entry, self.settings.optimal.as_ref());
        while let Some(path) = ranking.next(ctx).and_then(|place| entry.paths.get(place)).copied() {
            if told.main != 0 && path.peer == source {
                continue;
            }
            let id = self.path_out(ctx, &path, entry);
            if id == 0 {
                continue;
            }
            if told.main != 0 {
                told.alternate = id;
                break;
            }
            told.main = id;
            source = path.peer;
            // Nobody here came second to its own route.
            if source.is_local() || self.members.len() == 1 {
                break;
            }
        }
        told
    }

    /// The sets that a group with identifiers is to have for an entry, by path.
    fn outcomes(&mut self, ctx: &Ctx, entry: &Entry<P>) -> SmallVec<[(PathKey, u32); 8]> {
        if let Some(main) = self.own_default(ctx, entry) {
            return (main != 0).then_some((DEFAULT_PATH, main)).into_iter().collect();
        }
        if self.settings_for(entry).is_none() || entry.best().is_none() {
            return SmallVec::new();
        }
        let places = self.selected(ctx, entry);
        let paths = places.into_iter().filter_map(|place| entry.paths.get(place));
        let sets = paths.map(|path| (key(path), self.path_out(ctx, path, entry)));
        sets.filter(|(_, id)| *id != 0).collect()
    }

    /// The best path as the group sees the table.
    pub(super) fn best_of(&self, ctx: &Ctx, entry: &Entry<P>) -> Option<Path> {
        let best = entry.best()?;
        let Some(vantage) = self.settings.optimal.as_ref().filter(|_| entry.paths.len() > 1) else {
            return Some(*best);
        };
        let place = Ranking::new(ctx, entry, Some(vantage)).next(ctx);
        place.and_then(|place| entry.paths.get(place)).copied()
    }

    /// The paths that a group with identifiers is told.
    pub(super) fn selected(&self, ctx: &Ctx, entry: &Entry<P>) -> Places {
        let FamilyParams { add_path_send, paths_limit, optimal, .. } = &*self.settings;
        select(ctx, entry, *add_path_send, *paths_limit, optimal.as_ref())
    }

    /// The set in which the group is told of a path; zero where it is not.
    fn path_out(&mut self, ctx: &Ctx, path: &Path, entry: &Entry<P>) -> u32 {
        let Some(settings) = self.settings_for(entry).cloned() else { return 0 };
        let shared = shared(ctx, entry);
        let Some(interned) = ctx.attrs.get(path.attrs) else { return 0 };
        // AIGP grows by the way to the next hop, which changes without the attributes.
        let aigp = interned.attrs.rare.as_ref().is_some_and(|rare| rare.aigp.is_some());
        let merged = merged(ctx, self.family, entry, path);
        let plain =
            shared.octets.is_none() && merged.is_none() && !aigp && !entry.has(entry_flags::SUPPRESSED);
        let key = (path.attrs, interned.generation, path.peer);
        let cacheable = !self.by_prefix && !path.peer.is_local() && plain;
        if cacheable {
            match self.cache.get(&key) {
                Some((0, _)) => return 0,
                Some((id, generation)) if self.outs.generation_of(*id) == Some(*generation) => return *id,
                _ => {}
            }
        }
        // What the only member sent itself is not worth keeping.
        let alone = self.members.len() == 1 && self.has_member(path.peer);
        self.evaluated += u64::from(!alone);
        let target = Target { merged: merged.as_ref(), ..self.target_of(&settings, shared) };
        let attrs = if alone { None } else { export(ctx, target, path, entry.prefix.into()).ok() };
        let wanted = attrs.is_some();
        let id = attrs.map_or(0, |attrs| self.encode(&attrs, path.peer));
        if wanted && id == 0 {
            self.too_big.push((entry.prefix, path.peer));
        }
        if cacheable {
            self.cache.insert(key, (id, self.outs.generation_of(id).unwrap_or(0)));
        }
        id
    }

    /// Whether the peer has the prefix from us.
    pub fn has(&self, idx: PeerIdx, handle: Handle) -> bool {
        let Some(member) = self.members.iter().find(|member| member.idx == idx) else { return false };
        match &self.units {
            Some(units) => units.of(handle).any(|(unit, _)| self.has_unit(member, unit)),
            None => self.has_unit(member, handle),
        }
    }

    /// Members that have the prefix.
    pub fn holders(&self, handle: Handle) -> impl Iterator<Item = PeerId> + '_ {
        self.members.iter().filter(move |member| self.has(member.idx, handle)).map(|member| member.id)
    }

    /// Members that have this path, each under the group's identifier; a plain group is asked about the best only.
    pub fn path_holders(&self, ctx: &Ctx, entry: &Entry<P>, handle: Handle, path: &Path) -> Vec<PeerId> {
        let is_best = || self.best_of(ctx, entry).is_some_and(|best| key(&best) == key(path));
        let unit = match &self.units {
            Some(units) => units.find(handle, key(path)),
            None => is_best().then_some(handle),
        };
        let Some(unit) = unit else { return Vec::new() };
        self.members.iter().filter(|member| self.has_unit(member, unit)).map(|member| member.id).collect()
    }

    /// What a peer has of an entry: identifier, path and attributes as it gets them, worked out again for a show. The path
    /// is `None` for a default route of our own.
    pub fn advertised(
        &self,
        ctx: &Ctx,
        handle: Handle,
        entry: &Entry<P>,
        idx: PeerIdx,
    ) -> Vec<(u32, Option<Path>, Attributes)> {
        let Some(member) = self.members.iter().find(|member| member.idx == idx) else { return Vec::new() };
        let default = entry.prefix.length() == 0 && self.settings.default_originate.is_some();
        let Some(units) = &self.units else {
            if !self.has_unit(member, handle) {
                return Vec::new();
            }
            if default {
                return default_route(ctx, self.target(), self.default_trail.as_ref())
                    .map(|attrs| (0, None, attrs))
                    .into_iter()
                    .collect();
            }
            return self
                .shown(ctx, entry, idx)
                .map(|(path, attrs)| (0, Some(path), attrs))
                .into_iter()
                .collect();
        };
        let mut rows = Vec::new();
        for (_, unit) in units.of(handle).filter(|(unit, _)| self.has_unit(member, *unit)) {
            if default && unit.key == DEFAULT_PATH {
                rows.extend(
                    default_route(ctx, self.target(), self.default_trail.as_ref())
                        .map(|attrs| (unit.path_id, None, attrs)),
                );
                continue;
            }
            let Some(path) = entry.paths.iter().find(|path| usable(path) && key(path) == unit.key) else {
                continue;
            };
            let attrs = self.export_shown(ctx, entry, path);
            rows.extend(attrs.map(|attrs| (unit.path_id, Some(*path), attrs)));
        }
        rows.sort_by_key(|(path_id, path, _)| {
            (!path.is_some_and(|path| path.flags.has(PathFlags::BEST)), *path_id)
        });
        rows
    }

    fn export_shown(&self, ctx: &Ctx, entry: &Entry<P>, path: &Path) -> Option<Attributes> {
        let merged = merged(ctx, self.family, entry, path);
        let target = self.target_of(self.settings_for(entry)?, shared(ctx, entry));
        let target = Target { merged: merged.as_ref(), ..target };
        export(ctx, target, path, entry.prefix.into()).ok()
    }

    /// The path that a member of a plain group has.
    fn shown(&self, ctx: &Ctx, entry: &Entry<P>, idx: PeerIdx) -> Option<(Path, Attributes)> {
        let tell = |path: &Path| Some((*path, self.export_shown(ctx, entry, path)?));
        if !self.settings.secondary_path {
            return tell(&self.best_of(ctx, entry)?);
        }
        let mut ranking = Ranking::new(ctx, entry, self.settings.optimal.as_ref());
        while let Some(path) = ranking.next(ctx).and_then(|place| entry.paths.get(place)) {
            if path.peer != idx
                && let Some(found) = tell(path)
            {
                return Some(found);
            }
        }
        None
    }
}
