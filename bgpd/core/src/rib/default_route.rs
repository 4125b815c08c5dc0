//! Routes whose announcement hangs on others: `default-originate route-map` tells the default route while some route of
//! the table passes the map, changed by the entries by which the first of them passes: as in FRR, in the order of the
//! entries by which they leave the map, then of prefixes;
//! `advertise-map A exist-map B` tells what A permits while some route passes B. Each shard notes its own routes that do, and
//! tells those that must know which is the first, or that there is none: the owner of the default route, or for an
//! `advertise-map`, where it is enough that there are any, every shard.

use std::collections::BTreeMap;
use std::sync::Arc;

use bgp_packet::Family;
use ferrite_policy::{Scope, Trail};
use ferrite_types::Prefix;

use super::aggregate::input;
use super::ctx::Ctx;
use super::event::{Contribution, DefaultPart};
use super::export::{FilterKey, filter_key};
use super::policy::{Filter, Verdict};
use super::table::{Bits, Entry, Handle, Key, Table, shard_of};

/// Words kept about maps that are not known here yet.
const EARLY: usize = 256;

/// What a map is the condition of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The default route, which does not count itself.
    DefaultRoute,
    /// `advertise-map`.
    Advertise,
}

/// A map in use by some peer.
#[derive(Debug)]
struct Watch {
    map: Arc<dyn Filter>,
    purpose: Purpose,
    /// Entries of this shard whose best route passes, by the entries of the map that let it.
    matched: BTreeMap<Trail, Bits>,
    /// The first of them.
    first: First,
    told: Option<Passed>,
    /// Shards that have such routes, as far as this one must know, with the first of each.
    shards: BTreeMap<usize, Passed>,
}

/// A route that passes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Passed {
    /// The entry by which it leaves the map.
    pub entry: u16,
    pub prefix: Prefix,
    pub trail: Trail,
}

/// The entry by which a trail leaves its map.
fn left_by(trail: &[u16]) -> u16 {
    trail.first().copied().unwrap_or(0)
}

/// Which of the routes that pass comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum First {
    None,
    Known((u16, Prefix), Handle),
    /// The one that did has gone: all are to be looked at.
    Gone,
}

impl Watch {
    fn key(&self) -> FilterKey {
        filter_key(Some(&self.map))
    }

    fn is(&self, map: &Arc<dyn Filter>, purpose: Purpose) -> bool {
        Arc::ptr_eq(map, &self.map) && self.purpose == purpose
    }

    fn is_of(&self, part: &DefaultPart) -> bool {
        self.key() == part.map && self.purpose == part.purpose
    }

    /// How the first route of all shards passes.
    fn trail(&self) -> Option<&Trail> {
        self.shards.values().min().map(|passed| &passed.trail)
    }

    fn put(&mut self, handle: Handle, passed: Option<(Prefix, Trail)>) {
        let trail = passed.as_ref().map(|(_, trail)| trail);
        let order = passed.as_ref().map(|(prefix, trail)| (left_by(trail), *prefix));
        self.matched.retain(|of, matched| {
            if Some(of) != trail {
                matched.remove(handle);
            }
            !matched.is_empty()
        });
        self.first = match (self.first, order) {
            (First::Known(first, at), Some(order)) if at == handle && first == order => self.first,
            (First::Known(_, at), _) if at == handle => First::Gone,
            (First::None, Some(order)) => First::Known(order, handle),
            (First::Known(first, _), Some(order)) if order < first => First::Known(order, handle),
            (first, _) => first,
        };
        if let Some((_, trail)) = passed {
            self.matched.entry(trail).or_default().insert(handle);
        }
    }

    /// That there is one, for what does not ask which.
    fn any(&self, family: Family) -> Option<Passed> {
        let trail = Arc::clone(self.matched.keys().next()?);
        Some(Passed { entry: 0, prefix: Prefix::default_of(family.afi), trail })
    }

    /// The first route of this shard that passes.
    fn first<P: Key>(&mut self, table: &Table<P>) -> Option<Passed> {
        if self.first == First::Gone {
            let all = self
                .matched
                .iter()
                .flat_map(|(trail, matched)| matched.iter().map(move |handle| (left_by(trail), handle)));
            let order =
                all.filter_map(|(entry, handle)| Some(((entry, table.get(handle)?.prefix.into()), handle)));
            self.first = order.min().map_or(First::None, |(order, handle)| First::Known(order, handle));
        }
        let First::Known((entry, prefix), handle) = self.first else { return None };
        let (trail, _) = self.matched.iter().find(|(_, matched)| matched.contains(handle))?;
        Some(Passed { entry, prefix, trail: Arc::clone(trail) })
    }
}

/// The maps of a family.
#[derive(Debug, Default)]
pub struct DefaultWatches {
    list: Vec<Watch>,
    /// Parts that came before the map was known here.
    early: Vec<DefaultPart>,
}

impl DefaultWatches {
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Watches exactly these maps; what of the table must be looked at for those that are new, or in another state.
    pub fn set(&mut self, maps: &[(Arc<dyn Filter>, Purpose)]) -> Scope {
        let same = |watch: &Watch, map: &Arc<dyn Filter>, purpose| {
            watch.purpose == purpose && watch.key() == filter_key(Some(map))
        };
        self.list.retain(|watch| maps.iter().any(|(map, purpose)| same(watch, map, *purpose)));
        let mut touched = Scope::none();
        for (map, purpose) in maps {
            if let Some(watch) = self.list.iter_mut().find(|watch| same(watch, map, *purpose)) {
                if !Arc::ptr_eq(&watch.map, map) {
                    touched = touched.union(&map.scope_since(&*watch.map));
                    watch.map = Arc::clone(map);
                }
                continue;
            }
            touched = Scope::All;
            let mut watch = Watch {
                map: Arc::clone(map),
                purpose: *purpose,
                matched: BTreeMap::new(),
                first: First::None,
                told: None,
                shards: BTreeMap::new(),
            };
            let early = self.early.iter().filter(|part| watch.is_of(part));
            watch.shards = early.filter_map(|part| Some((part.from, part.passed.clone()?))).collect();
            self.early.retain(|part| !watch.is_of(part));
            self.list.push(watch);
        }
        touched
    }

    /// Looks at one entry again.
    pub fn note<P: Key>(&mut self, ctx: &Ctx, handle: Handle, entry: Option<&Entry<P>>) {
        for watch in &mut self.list {
            let counts = |entry: &&Entry<P>| watch.purpose == Purpose::Advertise || entry.prefix.length() > 0;
            let passed = entry.filter(counts).and_then(|entry| {
                let path = entry.best()?;
                let interned = ctx.attrs.get(path.attrs)?;
                let mut route = input(ctx, entry.prefix.into(), &interned.attrs);
                route.source = ctx.policy_peer(path.peer);
                route.source_protocol = ctx.protocol(path);
                route.tag = interned.local.tag;
                match watch.purpose {
                    Purpose::DefaultRoute => Some((entry.prefix.into(), watch.map.trail(&mut route)?)),
                    // Any is as good as another.
                    Purpose::Advertise => (watch.map.apply(&mut route) == Verdict::Permit)
                        .then(|| (Prefix::default_of(P::AFI), Trail::default())),
                }
            });
            watch.put(handle, passed);
        }
    }

    /// What changed, for the shards that must know; the second part says whether that changes a condition here.
    pub fn settle<P: Key>(
        &mut self,
        ctx: &Ctx,
        family: Family,
        table: &Table<P>,
    ) -> (Vec<(usize, Contribution)>, bool) {
        let owner = shard_of(Prefix::default_of(family.afi), ctx.of);
        let (mut messages, mut changed) = (Vec::new(), false);
        for watch in &mut self.list {
            let purpose = watch.purpose;
            let passed = match purpose {
                Purpose::DefaultRoute => watch.first(table),
                Purpose::Advertise => watch.any(family),
            };
            if watch.told == passed {
                continue;
            }
            watch.told.clone_from(&passed);
            let part = DefaultPart { from: ctx.index, family, map: watch.key(), purpose, passed };
            let concerned = |shard: &usize| purpose == Purpose::Advertise || *shard == owner;
            for shard in (0..ctx.of).filter(concerned) {
                if shard == ctx.index {
                    changed |= take_in(watch, &part);
                } else {
                    messages.push((shard, Contribution::Default(part.clone())));
                }
            }
        }
        (messages, changed)
    }

    /// Takes in another shard's word; whether it changes anything.
    pub fn receive(&mut self, part: DefaultPart) -> bool {
        match self.list.iter_mut().find(|watch| watch.is_of(&part)) {
            Some(watch) => take_in(watch, &part),
            None => {
                let same = |other: &DefaultPart| {
                    (other.map, other.purpose, other.from) == (part.map, part.purpose, part.from)
                };
                self.early.retain(|other| !same(other));
                self.early.push(part);
                if self.early.len() > EARLY {
                    self.early.remove(0);
                }
                false
            }
        }
    }

    /// Whether some route passes the map.
    pub fn holds(&self, map: &Arc<dyn Filter>, purpose: Purpose) -> bool {
        self.first(map, purpose).is_some()
    }

    /// The entries of the map by which the first route passes.
    pub fn first(&self, map: &Arc<dyn Filter>, purpose: Purpose) -> Option<&Trail> {
        self.list.iter().find(|watch| watch.is(map, purpose))?.trail()
    }
}

/// Whether the word changes the condition, or by which entries it holds.
fn take_in(watch: &mut Watch, part: &DefaultPart) -> bool {
    let before = watch.trail().cloned();
    match &part.passed {
        Some(passed) => watch.shards.insert(part.from, passed.clone()),
        None => watch.shards.remove(&part.from),
    };
    before.as_ref() != watch.trail()
}
