//! `default-originate route-map`: the default route is told while some route of the table passes the map. Each shard counts
//! its own routes that do, and tells the shard that owns the default route when there begin or cease to be any.

use std::collections::BTreeSet;
use std::sync::Arc;

use bgp_packet::Family;
use ferrite_types::Prefix;

use super::aggregate::input;
use super::ctx::Ctx;
use super::event::{Contribution, DefaultPart};
use super::export::filter_address;
use super::policy::{Filter, Verdict};
use super::table::{Bits, Entry, Handle, Key, shard_of};

/// Words kept about maps that are not known here yet.
const EARLY: usize = 256;

/// A map in use by some peer.
#[derive(Debug)]
struct Watch {
    map: Arc<dyn Filter>,
    /// Entries of this shard whose best route passes.
    matched: Bits,
    told: bool,
    /// As the owner of the default route: shards that have such routes.
    shards: BTreeSet<usize>,
}

impl Watch {
    fn address(&self) -> usize {
        filter_address(Some(&self.map))
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

    /// Watches exactly these maps; whether one is new, so that the table must be looked at.
    pub fn set(&mut self, maps: &[Arc<dyn Filter>]) -> bool {
        self.list.retain(|watch| maps.iter().any(|map| Arc::ptr_eq(map, &watch.map)));
        let before = self.list.len();
        for map in maps {
            if self.list.iter().any(|watch| Arc::ptr_eq(map, &watch.map)) {
                continue;
            }
            let address = filter_address(Some(map));
            let shards =
                self.early.iter().filter(|part| part.map == address && part.matches).map(|part| part.from);
            let watch = Watch {
                map: Arc::clone(map),
                matched: Bits::default(),
                told: false,
                shards: shards.collect(),
            };
            self.early.retain(|part| part.map != address);
            self.list.push(watch);
        }
        self.list.len() > before
    }

    /// Looks at one entry again.
    pub fn note<P: Key>(&mut self, ctx: &Ctx, handle: Handle, entry: Option<&Entry<P>>) {
        for watch in &mut self.list {
            let matches = entry.filter(|entry| entry.prefix.length() > 0).is_some_and(|entry| {
                let best = entry.best().and_then(|path| Some((path, ctx.attrs.get(path.attrs)?)));
                best.is_some_and(|(path, interned)| {
                    let mut route = input(ctx, entry.prefix.into(), &interned.attrs);
                    route.source = ctx.policy_peer(path.peer);
                    route.source_protocol = ctx.protocol(path);
                    route.tag = interned.local.tag;
                    watch.map.apply(&mut route) == Verdict::Permit
                })
            });
            if matches {
                watch.matched.insert(handle);
            } else {
                watch.matched.remove(handle);
            }
        }
    }

    /// What changed, for the owner of the default route; the second part says whether this shard as the owner changed its
    /// mind about a map.
    pub fn settle(&mut self, ctx: &Ctx, family: Family) -> (Vec<(usize, Contribution)>, bool) {
        let owner = shard_of(Prefix::default_of(family.afi), ctx.of);
        let (mut messages, mut changed) = (Vec::new(), false);
        for watch in &mut self.list {
            let matches = !watch.matched.is_empty();
            if watch.told == matches {
                continue;
            }
            watch.told = matches;
            let part = DefaultPart { from: ctx.index, family, map: watch.address(), matches };
            if owner == ctx.index {
                changed |= take_in(watch, &part);
            } else {
                messages.push((owner, Contribution::Default(part)));
            }
        }
        (messages, changed)
    }

    /// Takes in another shard's word; whether it changes anything.
    pub fn receive(&mut self, part: DefaultPart) -> bool {
        match self.list.iter_mut().find(|watch| watch.address() == part.map) {
            Some(watch) => take_in(watch, &part),
            None => {
                self.early.retain(|other| other.map != part.map || other.from != part.from);
                self.early.push(part);
                if self.early.len() > EARLY {
                    self.early.remove(0);
                }
                false
            }
        }
    }

    /// Whether the default route may be told by this map.
    pub fn holds(&self, map: &Arc<dyn Filter>) -> bool {
        self.list.iter().any(|watch| Arc::ptr_eq(&watch.map, map) && !watch.shards.is_empty())
    }
}

/// Whether the word makes the condition true or false.
fn take_in(watch: &mut Watch, part: &DefaultPart) -> bool {
    let before = watch.shards.is_empty();
    if part.matches {
        watch.shards.insert(part.from);
    } else {
        watch.shards.remove(&part.from);
    }
    before != watch.shards.is_empty()
}
