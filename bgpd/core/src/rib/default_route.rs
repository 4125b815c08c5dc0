//! Routes whose announcement hangs on others: `default-originate route-map` tells the default route while some route of
//! the table passes the map, changed as the first entry does that any route passes by; `advertise-map A exist-map B` tells what A permits while some route passes B. Each shard counts
//! its own routes that do, and tells those that must know when there begin or cease to be any: the owner of the default
//! route, or for an `advertise-map` every shard.

use std::collections::BTreeMap;
use std::sync::Arc;

use bgp_packet::Family;
use ferrite_policy::Scope;
use ferrite_types::Prefix;

use super::aggregate::input;
use super::ctx::Ctx;
use super::event::{Contribution, DefaultPart};
use super::export::{FilterKey, filter_key};
use super::policy::{Filter, Verdict};
use super::table::{Bits, Entry, Handle, Key, shard_of};

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
    /// Entries of this shard whose best route passes, by the entry of the map.
    matched: BTreeMap<u16, Bits>,
    told: Option<u16>,
    /// Shards that have such routes, as far as this one must know, with the first entry of the map that lets one pass.
    shards: BTreeMap<usize, u16>,
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

    /// The first entry of the map that a route of any shard passes by.
    fn first(&self) -> Option<u16> {
        self.shards.values().min().copied()
    }

    fn put(&mut self, handle: Handle, entry: Option<u16>) {
        self.matched.retain(|of, matched| {
            if Some(*of) != entry {
                matched.remove(handle);
            }
            !matched.is_empty()
        });
        if let Some(entry) = entry {
            self.matched.entry(entry).or_default().insert(handle);
        }
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
                told: None,
                shards: BTreeMap::new(),
            };
            let early = self.early.iter().filter(|part| watch.is_of(part));
            watch.shards = early.filter_map(|part| Some((part.from, part.entry?))).collect();
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
                    Purpose::DefaultRoute => watch.map.entry(&mut route),
                    Purpose::Advertise => (watch.map.apply(&mut route) == Verdict::Permit).then_some(0),
                }
            });
            watch.put(handle, passed);
        }
    }

    /// What changed, for the shards that must know; the second part says whether that changes a condition here.
    pub fn settle(&mut self, ctx: &Ctx, family: Family) -> (Vec<(usize, Contribution)>, bool) {
        let owner = shard_of(Prefix::default_of(family.afi), ctx.of);
        let (mut messages, mut changed) = (Vec::new(), false);
        for watch in &mut self.list {
            let entry = watch.matched.keys().next().copied();
            if watch.told == entry {
                continue;
            }
            watch.told = entry;
            let purpose = watch.purpose;
            let part = DefaultPart { from: ctx.index, family, map: watch.key(), purpose, entry };
            let concerned = |shard: &usize| purpose == Purpose::Advertise || *shard == owner;
            for shard in (0..ctx.of).filter(concerned) {
                if shard == ctx.index {
                    changed |= take_in(watch, &part);
                } else {
                    messages.push((shard, Contribution::Default(part)));
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

    /// The first entry of the map that some route passes by.
    pub fn first(&self, map: &Arc<dyn Filter>, purpose: Purpose) -> Option<u16> {
        self.list.iter().find(|watch| watch.is(map, purpose))?.first()
    }
}

/// Whether the word changes the condition, or by which entry it holds.
fn take_in(watch: &mut Watch, part: &DefaultPart) -> bool {
    let before = watch.first();
    match part.entry {
        Some(entry) => watch.shards.insert(part.from, entry),
        None => watch.shards.remove(&part.from),
    };
    before != watch.first()
}
