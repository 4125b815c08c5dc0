//! Aggregates (RFC 4271 §9.2.2.2): each shard sums up its own more specific routes as they come and go, and tells the shard
//! that owns the aggregate's prefix, which originates it.
//!
//! A sum is kept by counting: what distinguishes the result (origins, MEDs, AS paths, communities) is a multiset, so a route
//! that goes away is taken out again without looking at the others. AS paths and communities are counted for `as-set` only.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use bgp_packet::Family;
use bgp_packet::attr::{Aggregator, AsPath, Attributes, Origin};
use ferrite_policy::{Range, Scope};
use ferrite_types::{Community, ExtCommunity, LargeCommunity, Prefix};
use rustc_hash::FxHashMap;

use super::attrs::{AttrId, Local};
use super::ctx::Ctx;
use super::event::{AggregatePart, MedsDiffer};
use super::export::own_attributes;
use super::policy::{PolicyInput, Verdict};
use super::query::AggregateView;
use super::same::same_filter;
use super::settings::AggregateStatement;
use super::table::{Handle, Key, shard_of};

/// Weight of our own routes.
pub const LOCAL_WEIGHT: u32 = 32768;

/// A multiset.
#[derive(Debug)]
struct Counted<T>(FxHashMap<T, u32>);

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<T: Eq + Hash + Clone + Ord> Counted<T> {
    fn change(&mut self, value: &T, more: bool) {
        if more {
            *self.0.entry(value.clone()).or_insert(0) += 1;
        } else if let Some(count) = self.0.get_mut(value) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(value);
            }
        }
    }

    fn sorted(&self) -> Vec<T> {
        let mut values: Vec<T> = self.0.keys().cloned().collect();
        values.sort_unstable();
        values
    }
}

/// One aggregate as this shard sees it.
#[derive(Debug)]
struct Aggregate<P> {
    prefix: P,
    statement: AggregateStatement,
    count: u32,
    atomic: u32,
    origins: [u32; 3],
    meds: Counted<u32>,
    paths: FxHashMap<AsPath, u32>,
    communities: Counted<Community>,
    large_communities: Counted<LargeCommunity>,
    ext_communities: Counted<ExtCommunity>,
    changed: bool,
    /// Last sent to the owner.
    told: bool,
    /// Where this shard is the owner: the parts of all shards.
    parts: BTreeMap<usize, AggregatePart>,
    originated: bool,
    /// With `matching-MED-only`: the routes of all shards have one MED.
    meds_agree: bool,
}

/// What a configuration changes.
pub struct Edit<P> {
    /// Aggregates that are no more.
    pub gone: Vec<P>,
    /// Under these, routes may be hidden that were not, or the other way.
    pub touched: Vec<Range>,
}

/// All aggregates of a family.
#[derive(Debug)]
pub struct Aggregates<P> {
    family: Family,
    list: Vec<Aggregate<P>>,
    /// Lengths of the aggregates, for a quick no.
    shortest: u8,
    /// What each prefix contributes now. The reference is counted.
    contributions: FxHashMap<Handle, AttrId>,
    pub changed: bool,
}

/// What becomes of an aggregate's own route.
pub enum Origination<P> {
    Announce(P, Arc<Attributes>, Local),
    Withdraw(P),
}

impl<P: Key> Aggregates<P> {
    pub fn new(family: Family) -> Self {
        Self {
            family,
            list: Vec::new(),
            shortest: u8::MAX,
            contributions: FxHashMap::default(),
            changed: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Replaces the statements. Sums of aggregates that stay are kept, those of others are made of what is known already.
    pub fn configure(
        &mut self,
        ctx: &mut Ctx,
        statements: &[AggregateStatement],
        prefix_of: impl Fn(Handle) -> Option<P>,
    ) -> Edit<P> {
        let mut old = std::mem::take(&mut self.list);
        let mut touched = Vec::new();
        for statement in statements {
            let Some(prefix) = P::from_prefix(statement.prefix) else { continue };
            let before = old.iter().position(|aggregate| aggregate.prefix == prefix);
            let before = before.map(|index| old.swap_remove(index));
            touched.extend(hiding_touched(before.as_ref().map(|aggregate| &aggregate.statement), statement));
            self.list.push(match before {
                Some(aggregate) if aggregate.statement.as_set == statement.as_set => {
                    Aggregate { statement: statement.clone(), changed: true, ..aggregate }
                }
                before => self.summed(ctx, prefix, statement, before, &prefix_of),
            });
        }
        self.shortest = self.list.iter().map(|aggregate| aggregate.prefix.length()).min().unwrap_or(u8::MAX);
        self.changed = true;
        let gone: Vec<P> = old.iter().map(|aggregate| aggregate.prefix).collect();
        if !gone.is_empty() {
            self.forget_uncovered(ctx, &prefix_of);
        }
        touched.extend(gone.iter().map(|prefix| Range::within((*prefix).into())));
        Edit { gone, touched }
    }

    /// An aggregate whose sum begins anew, with what is known to contribute to others.
    fn summed(
        &self,
        ctx: &Ctx,
        prefix: P,
        statement: &AggregateStatement,
        before: Option<Aggregate<P>>,
        prefix_of: impl Fn(Handle) -> Option<P>,
    ) -> Aggregate<P> {
        let mut aggregate = Aggregate {
            prefix,
            statement: statement.clone(),
            count: 0,
            atomic: 0,
            origins: [0; 3],
            meds: Counted::default(),
            paths: FxHashMap::default(),
            communities: Counted::default(),
            large_communities: Counted::default(),
            ext_communities: Counted::default(),
            changed: true,
            told: before.as_ref().is_some_and(|aggregate| aggregate.told),
            originated: before.as_ref().is_some_and(|aggregate| aggregate.originated),
            meds_agree: before.as_ref().is_none_or(|aggregate| aggregate.meds_agree),
            parts: before.map(|aggregate| aggregate.parts).unwrap_or_default(),
        };
        for (handle, id) in &self.contributions {
            let within = prefix_of(*handle).is_some_and(|of| covers(prefix, of));
            if let Some(interned) = ctx.attrs.get(*id).filter(|_| within) {
                aggregate.change(&interned.attrs, true);
            }
        }
        aggregate
    }

    /// Forgets what contributes to no aggregate any more.
    fn forget_uncovered(&mut self, ctx: &mut Ctx, prefix_of: impl Fn(Handle) -> Option<P>) {
        let list = &self.list;
        self.contributions.retain(|handle, id| {
            let prefix = prefix_of(*handle);
            let kept = prefix.is_some_and(|of| list.iter().any(|aggregate| covers(aggregate.prefix, of)));
            if !kept {
                ctx.attrs.release(*id);
            }
            kept
        });
    }

    /// Prefixes of aggregates whose routes have begun or ceased to agree on their MED, where that decides what is hidden.
    pub fn take_turned(&mut self) -> Vec<Range> {
        let of_med = self.list.iter_mut().filter(|aggregate| aggregate.statement.matching_med_only);
        let turned = of_med.filter_map(|aggregate| {
            let agree = aggregate.common_med().is_ok();
            let before = std::mem::replace(&mut aggregate.meds_agree, agree);
            (before != agree).then(|| Range::within(aggregate.prefix.into()))
        });
        turned.collect()
    }

    /// Whether an aggregate hides the route (`summary-only`, `suppress-map`).
    pub fn suppresses(&self, ctx: &Ctx, prefix: P, attrs: Option<AttrId>) -> bool {
        self.covering(prefix).any(|aggregate| {
            let statement = &aggregate.statement;
            let meds_agree = !statement.matching_med_only || aggregate.meds_agree;
            let by_map = || {
                statement.suppress_map.as_ref().is_some_and(|map| {
                    let Some(interned) = attrs.and_then(|id| ctx.attrs.get(id)) else { return false };
                    let mut route = input(ctx, prefix.into(), &interned.attrs);
                    map.apply(&mut route) == Verdict::Permit
                })
            };
            meds_agree && (statement.summary_only || by_map())
        })
    }

    fn covering(&self, prefix: P) -> impl Iterator<Item = &Aggregate<P>> {
        let list = if prefix.length() > self.shortest { self.list.as_slice() } else { &[] };
        list.iter().filter(move |aggregate| covers(aggregate.prefix, prefix))
    }

    /// The route that a prefix has now, for every aggregate above it. Routes that are aggregates themselves count too.
    pub fn contribute(&mut self, ctx: &mut Ctx, handle: Handle, prefix: P, best: Option<AttrId>) {
        if prefix.length() <= self.shortest || self.list.is_empty() {
            return;
        }
        let old = self.contributions.get(&handle).copied();
        if old == best {
            return;
        }
        if !self.list.iter().any(|aggregate| covers(aggregate.prefix, prefix)) {
            return;
        }
        for aggregate in self.list.iter_mut().filter(|aggregate| covers(aggregate.prefix, prefix)) {
            if let Some(interned) = old.and_then(|id| ctx.attrs.get(id)) {
                aggregate.change(&interned.attrs, false);
            }
            if let Some(interned) = best.and_then(|id| ctx.attrs.get(id)) {
                aggregate.change(&interned.attrs, true);
            }
        }
        match best {
            Some(id) => {
                ctx.attrs.retain(id);
                self.contributions.insert(handle, id);
            }
            None => {
                self.contributions.remove(&handle);
            }
        }
        if let Some(id) = old {
            ctx.attrs.release(id);
        }
        self.changed = true;
    }

    /// Parts that changed, for their owners; this shard's own are taken in at once.
    pub fn settle(&mut self, ctx: &Ctx) -> Vec<(usize, AggregatePart)> {
        let mut messages = Vec::new();
        for aggregate in self.list.iter_mut().filter(|aggregate| aggregate.changed) {
            aggregate.changed = false;
            if aggregate.count == 0 && !aggregate.told {
                continue;
            }
            aggregate.told = aggregate.count > 0;
            let part = aggregate.part(ctx.index, self.family);
            let owner = shard_of(aggregate.prefix.into(), ctx.of);
            // Whether the MEDs of all agree decides in every shard what is hidden.
            let everywhere = aggregate.statement.matching_med_only;
            let concerned = |shard: &usize| everywhere || *shard == owner;
            for shard in (0..ctx.of).filter(concerned) {
                if shard == ctx.index {
                    aggregate.parts.insert(ctx.index, part.clone());
                } else {
                    messages.push((shard, part.clone()));
                }
            }
        }
        messages
    }

    /// Takes in another shard's part.
    pub fn receive(&mut self, part: AggregatePart) {
        let aggregate = self.list.iter_mut().find(|aggregate| {
            let prefix: Prefix = aggregate.prefix.into();
            prefix == part.aggregate
        });
        if let Some(aggregate) = aggregate {
            aggregate.parts.insert(part.from, part);
            self.changed = true;
        }
    }

    /// What this shard, as the owner, has to originate or withdraw now.
    pub fn originate(&mut self, ctx: &Ctx) -> Vec<Origination<P>> {
        self.changed = false;
        let family = self.family;
        let mut result = Vec::new();
        for aggregate in &mut self.list {
            if shard_of(aggregate.prefix.into(), ctx.of) != ctx.index {
                continue;
            }
            match aggregate.outcome(ctx, family) {
                Some((attrs, local)) => {
                    aggregate.originated = true;
                    result.push(Origination::Announce(aggregate.prefix, Arc::new(attrs), local));
                }
                None if aggregate.originated => {
                    aggregate.originated = false;
                    result.push(Origination::Withdraw(aggregate.prefix));
                }
                None => {}
            }
        }
        result
    }

    pub fn views(&self, ctx: &Ctx) -> Vec<AggregateView> {
        let owned = self.list.iter().filter(|a| shard_of(a.prefix.into(), ctx.of) == ctx.index);
        owned
            .map(|aggregate| AggregateView {
                prefix: aggregate.prefix.into(),
                count: aggregate.parts.values().map(|part| u64::from(part.count)).sum(),
                originated: aggregate.originated,
                med_differs: aggregate.common_med().is_err(),
            })
            .collect()
    }
}

/// Where routes may be hidden that were not, or the other way.
fn hiding_touched(before: Option<&AggregateStatement>, now: &AggregateStatement) -> Vec<Range> {
    let all = vec![Range::within(now.prefix)];
    let Some(before) = before else { return all };
    if (before.summary_only, before.matching_med_only) != (now.summary_only, now.matching_med_only) {
        return all;
    }
    match (&before.suppress_map, &now.suppress_map) {
        (old, new) if same_filter(old.as_ref(), new.as_ref()) => Vec::new(),
        (Some(old), Some(new)) => match new.scope_since(&**old) {
            Scope::All => all,
            Scope::Within(ranges) => ranges.iter().copied().collect(),
        },
        _ => all,
    }
}

fn covers<P: Key>(aggregate: P, prefix: P) -> bool {
    aggregate.length() < prefix.length() && aggregate.covers(prefix)
}

impl<P: Key> Aggregate<P> {
    fn change(&mut self, attrs: &Attributes, more: bool) {
        let step = |count: &mut u32| *count = if more { *count + 1 } else { count.saturating_sub(1) };
        step(&mut self.count);
        if attrs.atomic_aggregate {
            step(&mut self.atomic);
        }
        if let Some(count) = self.origins.get_mut(attrs.origin as usize) {
            step(count);
        }
        self.meds.change(&attrs.med.unwrap_or(0), more);
        if self.statement.as_set {
            if more {
                *self.paths.entry(attrs.as_path.clone()).or_insert(0) += 1;
            } else if let Some(count) = self.paths.get_mut(&attrs.as_path) {
                *count -= 1;
                if *count == 0 {
                    self.paths.remove(&attrs.as_path);
                }
            }
            attrs.communities.iter().for_each(|c| self.communities.change(c, more));
            attrs.large_communities.iter().for_each(|c| self.large_communities.change(c, more));
            attrs.ext_communities.iter().for_each(|c| self.ext_communities.change(c, more));
        }
        self.changed = true;
    }

    fn part(&self, from: usize, family: Family) -> AggregatePart {
        let worst = [Origin::Incomplete, Origin::Egp, Origin::Igp]
            .into_iter()
            .find(|origin| self.origins.get(*origin as usize).is_some_and(|count| *count > 0));
        let mut meds = self.meds.0.keys();
        let med = match (meds.next(), meds.next()) {
            (Some(med), None) => Ok(Some(*med)),
            (None, _) => Ok(None),
            _ => Err(MedsDiffer),
        };
        let mut paths: Vec<&AsPath> = self.paths.keys().collect();
        paths.sort_unstable_by_key(|path| path.octets());
        AggregatePart {
            from,
            aggregate: self.prefix.into(),
            family,
            count: self.count,
            origin: worst.unwrap_or(Origin::Igp),
            atomic: self.atomic > 0,
            as_path: AsPath::aggregate(paths),
            communities: self.communities.sorted(),
            large_communities: self.large_communities.sorted(),
            ext_communities: self.ext_communities.sorted(),
            med,
        }
    }

    fn live(&self) -> impl Iterator<Item = &AggregatePart> {
        self.parts.values().filter(|part| part.count > 0)
    }

    fn common_med(&self) -> Result<Option<u32>, MedsDiffer> {
        let mut common = None;
        for part in self.live() {
            let med = part.med?;
            if common.is_some() && common != med {
                return Err(MedsDiffer);
            }
            common = med;
        }
        Ok(common)
    }

    /// The aggregate's route; `None` without contributors, or where policy or MEDs forbid it.
    fn outcome(&self, ctx: &Ctx, family: Family) -> Option<(Attributes, Local)> {
        let statement = &self.statement;
        self.live().next()?;
        if statement.matching_med_only && self.common_med().is_err() {
            return None;
        }
        let mut attrs = own_attributes(family);
        let worst = self.live().map(|part| part.origin).max().unwrap_or(Origin::Igp);
        attrs.origin = statement.origin.unwrap_or(worst);
        attrs.med = Some(0); // as FRR, also of routes that have a MED in common
        attrs.atomic_aggregate = !statement.as_set || self.live().any(|part| part.atomic);
        if statement.as_set {
            attrs.as_path = AsPath::aggregate(self.live().map(|part| &part.as_path));
            attrs.communities = union(self.live().flat_map(|part| part.communities.iter().copied()));
            attrs.large_communities =
                union(self.live().flat_map(|part| part.large_communities.iter().copied()));
            attrs.ext_communities = union(self.live().flat_map(|part| part.ext_communities.iter().copied()));
        }
        let aggregator = Aggregator { asn: ctx.config.asn, router_id: ctx.config.router_id.0 };
        attrs.rare.get_or_insert_default().aggregator = Some(aggregator);
        let Some(map) = &statement.map else {
            return Some((attrs, Local { weight: LOCAL_WEIGHT, ..Local::default() }));
        };
        let mut route = input(ctx, self.prefix.into(), &attrs);
        route.weight = LOCAL_WEIGHT;
        if map.apply(&mut route) == Verdict::Deny {
            return None;
        }
        let local = Local { weight: route.weight, tag: route.tag, ..Local::default() };
        Some((route.attrs.into_owned(), local))
    }
}

/// Every value once, ascending.
pub fn union<T: Ord>(values: impl Iterator<Item = T>) -> Box<[T]> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values.into()
}

/// A route of our own on its way through a policy that belongs to no neighbour.
pub fn input<'a>(ctx: &'a Ctx, prefix: Prefix, attrs: &'a Attributes) -> PolicyInput<'a> {
    PolicyInput {
        prefix,
        attrs: std::borrow::Cow::Borrowed(attrs),
        source: None,
        peer: None,
        source_protocol: ferrite_types::RouteProtocol::Bgp,
        weight: LOCAL_WEIGHT,
        tag: 0,
        distance: None,
        table: None,
        fib_metric: None,
        interface: None,
        nexthop_set: false,
        link_local_set: false,
        nexthop_unchanged: false,
        prefer_global: false,
        nexthop_peer_address: false,
        received_med: None,
        default_local_pref: ctx.config.default_local_pref,
        rpki: ctx.rpki_view(),
        shared: super::bandwidth::Shared::default(),
        igp_metric: None,
    }
}
