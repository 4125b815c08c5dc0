//! Adj-RIB-in: routes as a peer sends them, judged and put into the table.
//!
//! A route that import policy leaves alone is stored once. With soft-reconfiguration a route that policy changed or
//! denied has a second path beside it, the shadow, which holds it as received. Checks and policy run once per attribute set
//! of a batch, unless the policy looks at prefixes.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use bgp_packet::attr::{Attributes, NextHop};
use ferrite_types::{Community, Prefix, RouteProtocol};
use smallvec::SmallVec;

use super::attrs::{AttrId, Local};
use super::bandwidth;
use super::ctx::{Ctx, policy_peer};
use super::damping::{Dampening, FlapEvent};
use super::event::{Change, WITHDRAWN};
use super::family::Rib;
use super::notice::NoticeKind;
use super::path_id::PathKey;
use super::peers::PeerIdx;
use super::policy::{PolicyInput, PolicyStep, Verdict, judge};
use super::reason::Refusal;
use super::reject;
use super::rules;
use super::settings::{FamilyParams, PeerKind, PeerParams, ShardConfig};
use super::table::{Handle, Key, Path, PathFlags};

/// What import makes of an attribute set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Imported {
    Denied {
        refusal: Refusal,
        /// Only because of what the RPKI says now, perhaps.
        asked: bool,
        /// The number of the reason, where such routes are kept with it; else zero.
        number: u32,
    },
    Accepted(AttrId),
}

/// Import of one batch: parameters at hand, results by attribute set.
struct Importer {
    peer: PeerIdx,
    epoch: u8,
    params: Arc<PeerParams>,
    family: Arc<FamilyParams>,
    by_prefix: bool,
    dampening: Option<Dampening>,
    /// The policy asks the RPKI.
    asks_rpki: bool,
    cache: Vec<Option<Imported>>,
    /// References that the cache owns.
    held: Vec<AttrId>,
    /// Routes that went through import.
    evaluated: u64,
}

/// Why a route is not even shown to policy.
fn refused(
    attrs: &Attributes,
    config: &ShardConfig,
    params: &PeerParams,
    family: &FamilyParams,
) -> Option<Refusal> {
    let external = params.kind == PeerKind::External;
    let rare = attrs.rare.as_deref();
    if external && params.enforce_first_as && attrs.as_path.first() != Some(params.remote_as) {
        Some(Refusal::FirstAs)
    } else if config.reject_as_sets && attrs.as_path.has_set() {
        Some(Refusal::AsSet)
    } else if as_loop(attrs, config, params, family) {
        Some(Refusal::AsLoop)
    } else if rare.is_some_and(|rare| rare.originator_id == Some(config.router_id)) {
        Some(Refusal::OriginatorLoop)
    } else if rare.is_some_and(|rare| rare.cluster_list.contains(&config.cluster_id)) {
        Some(Refusal::ClusterLoop)
    } else if rules::leaked(attrs, params) {
        Some(Refusal::RouteLeak)
    } else if for_others(attrs, config) {
        Some(Refusal::NodeTarget)
    } else if unusable_nexthop(attrs, config, params) {
        Some(Refusal::NextHop)
    } else {
        None
    }
}

/// RFC 4271 §9.1.2: our own AS in the path, more often than `allowas-in` lets pass.
fn as_loop(attrs: &Attributes, config: &ShardConfig, params: &PeerParams, family: &FamilyParams) -> bool {
    let path = &attrs.as_path;
    let limit = usize::from(family.allowas_in.unwrap_or(0));
    let looped = |asn| {
        let count = path.count(asn);
        if family.allowas_in_origin {
            // Only at the end of the path, as often as it stands there in a row.
            let asns: Vec<_> = path.asns().collect();
            return count > asns.iter().rev().take_while(|other| **other == asn).count();
        }
        count > limit
    };
    looped(config.asn)
        || config.confederation.as_ref().is_some_and(|(id, _)| looped(*id))
        || params.change_local_as.is_some_and(|local| local.asn != config.asn && looped(local.asn))
}

/// Whether it names the routers that it is for, and not this one.
fn for_others(attrs: &Attributes, config: &ShardConfig) -> bool {
    let mut targets = attrs.ext_communities.iter().filter_map(|community| community.node_target()).peekable();
    targets.peek().is_some() && !targets.any(|target| target == config.router_id.0)
}

/// A next hop that cannot be another router's (RFC 4271 §6.3): ours, none, or multicast.
fn unusable_nexthop(attrs: &Attributes, config: &ShardConfig, params: &PeerParams) -> bool {
    let own = |addr: IpAddr| config.own_addresses.contains(&addr);
    match attrs.next_hop {
        NextHop::V4(addr) => {
            !config.allow_martian_nexthop
                && (addr.is_unspecified() || addr.is_multicast() || addr.is_broadcast())
                || own(addr.into())
                || params.local_v4 == Some(addr)
        }
        NextHop::V6 { global, .. } => {
            !config.allow_martian_nexthop && (global.is_unspecified() || global.is_multicast())
                // The neighbour may well have the link-local address that we have on another link.
                || !global.is_unicast_link_local() && own(global.into())
                || params.local_v6 == Some(global)
                || params.local_link_local == Some(global)
        }
    }
}

/// The route as it enters policy: what eBGP must not say is taken off, what `local-as` adds is put on.
fn received<'a>(
    attrs: &'a Attributes,
    config: &ShardConfig,
    params: &PeerParams,
    family: &FamilyParams,
) -> Cow<'a, Attributes> {
    let mut attrs = Cow::Borrowed(attrs);
    if params.bandwidth_integer && bandwidth::has_any(&attrs) {
        bandwidth::from_integer(attrs.to_mut());
    }
    if let Some(soo) = family.soo.filter(|soo| attrs.ext_communities.binary_search(soo).is_err()) {
        let mut communities = attrs.ext_communities.to_vec();
        communities.push(soo);
        communities.sort_unstable();
        attrs.to_mut().ext_communities = communities.into();
    }
    if params.kind == PeerKind::External && !params.rules.oad && attrs.local_pref.is_some() {
        attrs.to_mut().local_pref = None;
    }
    if let Some(local) = params.change_local_as.filter(|local| !local.no_prepend && local.asn != config.asn) {
        let path = attrs.as_path.prepend(&[local.asn]);
        attrs.to_mut().as_path = path;
    }
    rules::mark_received(&mut attrs, params);
    attrs
}

/// RFC 8326 §4: routes about to go away lose to every other.
fn apply_graceful_shutdown(attrs: &mut Cow<'_, Attributes>, config: &ShardConfig, params: &PeerParams) {
    if params.kind != PeerKind::External {
        return;
    }
    if config.graceful_shutdown && !attrs.communities.contains(&Community::GRACEFUL_SHUTDOWN) {
        let mut communities = attrs.communities.to_vec();
        communities.push(Community::GRACEFUL_SHUTDOWN);
        communities.sort_unstable();
        attrs.to_mut().communities = communities.into();
    }
    if attrs.communities.contains(&Community::GRACEFUL_SHUTDOWN) && attrs.local_pref != Some(0) {
        attrs.to_mut().local_pref = Some(0);
    }
}

/// RFC 7999 §3.2: what is to be dropped is not told to other ASes.
fn apply_blackhole(attrs: &mut Cow<'_, Attributes>, params: &PeerParams) {
    let has = |community| attrs.communities.contains(&community);
    let kept = has(Community::NO_EXPORT) || has(Community::NO_ADVERTISE);
    if params.kind != PeerKind::External || kept || !has(Community::BLACKHOLE) {
        return;
    }
    let mut communities = attrs.communities.to_vec();
    communities.push(Community::NO_EXPORT);
    communities.sort_unstable();
    attrs.to_mut().communities = communities.into();
}

/// Import of one route, or why it is refused.
fn import(
    ctx: &Ctx,
    params: &PeerParams,
    family: &FamilyParams,
    prefix: Prefix,
    attrs: &Arc<Attributes>,
    asked: &mut bool,
) -> Result<(Arc<Attributes>, Local), Refusal> {
    import_traced(ctx, params, family, prefix, attrs, asked, None)
}

/// Import, where somebody may want to know what policy did. `asked`: policy has asked the RPKI.
pub fn import_traced(
    ctx: &Ctx,
    params: &PeerParams,
    family: &FamilyParams,
    prefix: Prefix,
    attrs: &Arc<Attributes>,
    asked: &mut bool,
    steps: Option<&mut Vec<PolicyStep>>,
) -> Result<(Arc<Attributes>, Local), Refusal> {
    if family.import_denied {
        return Err(Refusal::NoPolicy);
    }
    if let Some(refusal) = refused(attrs, &ctx.config, params, family) {
        return Err(refusal);
    }
    let mut local = Local { weight: family.weight, ..Local::default() };
    let mut result = received(attrs, &ctx.config, params, family);
    if let Some(policy) = &family.import {
        let peer = Some(policy_peer(params));
        let mut route = PolicyInput {
            prefix,
            attrs: result,
            source: peer.clone(),
            peer,
            source_protocol: RouteProtocol::Bgp,
            weight: local.weight,
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
        };
        let verdict = judge(policy, &mut route, steps);
        *asked = route.rpki.asked;
        if verdict == Verdict::Deny {
            return Err(Refusal::Policy);
        }
        local.weight = route.weight;
        local.tag = route.tag;
        local.prefer_global = route.prefer_global;
        local.distance = route.distance.unwrap_or(0);
        if route.nexthop_peer_address {
            set_peer_address(&mut route, params);
        }
        result = route.attrs;
        if unusable_nexthop(&result, &ctx.config, params) {
            return Err(Refusal::NextHopAfterPolicy);
        }
    }
    apply_graceful_shutdown(&mut result, &ctx.config, params);
    apply_blackhole(&mut result, params);
    let attrs = match result {
        Cow::Borrowed(_) => Arc::clone(attrs),
        Cow::Owned(owned) => Arc::new(owned),
    };
    Ok((attrs, local))
}

/// `set ip next-hop peer-address` inbound.
fn set_peer_address(route: &mut PolicyInput<'_>, params: &PeerParams) {
    let next_hop = match params.addr {
        IpAddr::V4(addr) => NextHop::V4(addr),
        IpAddr::V6(addr) => NextHop::V6 { global: addr, link_local: None },
    };
    if route.attrs.next_hop != next_hop {
        route.attrs_mut().next_hop = next_hop;
    }
}

impl Importer {
    fn new(ctx: &Ctx, peer: PeerIdx, family: bgp_packet::Family, sets: usize) -> Option<Self> {
        let slot = ctx.peers.get(peer)?;
        let epoch = slot.epochs.get(family.index()?)?.current;
        let params = Arc::clone(&slot.params);
        let family = Arc::clone(params.family(family)?);
        let by_prefix = family.import.as_ref().is_some_and(|policy| policy.depends_on_prefix());
        let asks_rpki = family.import.as_ref().is_some_and(|policy| policy.depends_on_rpki());
        Some(Self {
            peer,
            epoch,
            params,
            family,
            by_prefix,
            asks_rpki,
            dampening: None,
            cache: vec![None; sets],
            held: Vec::new(),
            evaluated: 0,
        })
    }

    /// The result for a route; a reference to accepted attributes is the caller's.
    fn run(&mut self, ctx: &mut Ctx, prefix: Prefix, index: usize, attrs: &Arc<Attributes>) -> Imported {
        if let Some(Some(known)) = self.cache.get(index) {
            if let Imported::Accepted(id) = known {
                ctx.attrs.retain(*id);
            }
            return *known;
        }
        self.evaluated += 1;
        let mut asked = false;
        let result = match import(ctx, &self.params, &self.family, prefix, attrs, &mut asked) {
            Ok((attrs, local)) => Imported::Accepted(ctx.attrs.intern(&attrs, local)),
            Err(refusal) => {
                let number = self.number(ctx, prefix, attrs, refusal);
                Imported::Denied { refusal, asked, number }
            }
        };
        if !self.by_prefix {
            if let Imported::Accepted(id) = result {
                ctx.attrs.retain(id);
                self.held.push(id);
            }
            if let Some(place) = self.cache.get_mut(index) {
                *place = Some(result);
            }
        }
        result
    }

    /// The reason of a refusal as `reject-community` shows it. What in the policy denied the route is asked again, watched.
    fn number(&self, ctx: &Ctx, prefix: Prefix, attrs: &Arc<Attributes>, refusal: Refusal) -> u32 {
        if self.family.reject_community.is_none() {
            return 0;
        }
        let mut steps = Vec::new();
        if refusal == Refusal::Policy {
            let _ =
                import_traced(ctx, &self.params, &self.family, prefix, attrs, &mut false, Some(&mut steps));
        }
        reject::number(refusal, steps.last())
    }

    /// The same attributes as received, interned for a shadow; `None` without soft-reconfiguration, unless the RPKI may
    /// say something else one day.
    fn shadow(&self, ctx: &mut Ctx, result: Imported, attrs: &Arc<Attributes>) -> Option<AttrId> {
        let asks = match result {
            Imported::Denied { asked, .. } => asked,
            Imported::Accepted(_) => self.asks_rpki,
        };
        let refused = match result {
            Imported::Denied { number, .. } => number,
            Imported::Accepted(_) => 0,
        };
        if !self.family.soft_reconfiguration && !asks && !ctx.config.keep_received && refused == 0 {
            return None;
        }
        let local = Local { weight: self.family.weight, refused, ..Local::default() };
        Some(ctx.attrs.intern(attrs, local))
    }

    /// Lets go of what the cache holds; how many routes went through import.
    fn finish(self, ctx: &mut Ctx) -> u64 {
        self.held.into_iter().for_each(|id| ctx.attrs.release(id));
        self.evaluated
    }
}

impl<P: Key> Rib<P> {
    /// Takes in a batch of a live session.
    pub fn routes(&mut self, ctx: &mut Ctx, peer: PeerIdx, sets: &[Arc<Attributes>], changes: &[Change<P>]) {
        let Some(mut importer) = Importer::new(ctx, peer, self.family, sets.len()) else { return };
        importer.dampening = self.dampening_for(ctx, &importer.params);
        for change in changes {
            if change.attrs == WITHDRAWN {
                if let Some(settings) = importer.dampening {
                    let event = FlapEvent::Withdrawn;
                    self.flapped(ctx, settings, change.prefix, peer, change.path_id, event);
                }
                self.withdraw(ctx, peer, change.prefix, change.path_id);
                continue;
            }
            let index = change.attrs as usize;
            let Some(attrs) = sets.get(index) else { continue };
            self.announce(ctx, &mut importer, change, index, attrs);
        }
        self.imported += importer.finish(ctx);
        if let Some(slot) = ctx.peers.get_mut(peer) {
            slot.counts_changed = true;
        }
    }

    fn announce(
        &mut self,
        ctx: &mut Ctx,
        importer: &mut Importer,
        change: &Change<P>,
        index: usize,
        attrs: &Arc<Attributes>,
    ) {
        let result = importer.run(ctx, change.prefix.into(), index, attrs);
        let shadow = importer.shadow(ctx, result, attrs);
        if let Imported::Denied { refusal, .. } = result
            && let Some(refused) =
                ctx.peers.get_mut(importer.peer).and_then(|slot| slot.refused.get_mut(self.slot))
        {
            refused.count(refusal);
        }
        if matches!(result, Imported::Denied { .. }) && shadow.is_none() {
            // A denied route replaces what was there before.
            self.withdraw(ctx, importer.peer, change.prefix, change.path_id);
            return;
        }
        let damped = match (importer.dampening, result) {
            (Some(settings), Imported::Accepted(id)) => {
                let event = FlapEvent::Announced(id);
                self.flapped(ctx, settings, change.prefix, importer.peer, change.path_id, event)
            }
            _ => false,
        };
        let handle = self.table.find_or_insert(change.prefix);
        self.settle_import(ctx, importer, handle, change.path_id, result, shadow);
        if importer.dampening.is_some() {
            self.set_damped(handle, importer.peer, change.path_id, damped);
        }
    }

    /// Puts the outcome of import into an entry: the accepted path, and the shadow where one is kept.
    fn settle_import(
        &mut self,
        ctx: &mut Ctx,
        importer: &Importer,
        handle: Handle,
        path_id: u32,
        result: Imported,
        shadow: Option<AttrId>,
    ) {
        let path = Path {
            attrs: AttrId(0),
            path_id,
            since: ctx.seconds(),
            peer: importer.peer,
            flags: PathFlags::new(importer.epoch),
        };
        match result {
            Imported::Accepted(id) => self.place(ctx, handle, Path { attrs: id, ..path }),
            Imported::Denied { .. } => self.take(ctx, handle, importer.peer, path_id, false),
        }
        match shadow {
            Some(id) if result == Imported::Accepted(id) => {
                ctx.attrs.release(id);
                self.take(ctx, handle, importer.peer, path_id, true);
            }
            Some(id) => {
                let mut flags = path.flags.with(PathFlags::SHADOW);
                flags.set(PathFlags::FILTERED, matches!(result, Imported::Denied { .. }));
                self.place(ctx, handle, Path { attrs: id, flags, ..path });
            }
            None => self.take(ctx, handle, importer.peer, path_id, true),
        }
    }

    fn withdraw(&mut self, ctx: &mut Ctx, peer: PeerIdx, prefix: P, path_id: u32) {
        if let Some(handle) = self.table.find(&prefix) {
            self.take(ctx, handle, peer, path_id, false);
            self.take(ctx, handle, peer, path_id, true);
            self.table.release(handle);
        }
    }

    /// Adds a path or replaces the one with its key. The reference to its attributes becomes the table's.
    pub fn place(&mut self, ctx: &mut Ctx, handle: Handle, new: Path) {
        let Some(entry) = self.table.get_mut(handle) else {
            ctx.attrs.release(new.attrs);
            return;
        };
        let (prefix, shadow) = (entry.prefix, new.flags.has(PathFlags::SHADOW));
        let same = |path: &&mut Path| {
            path.peer == new.peer
                && path.path_id == new.path_id
                && path.flags.has(PathFlags::SHADOW) == shadow
        };
        let full = over_limit(ctx, &entry.paths, &new);
        match entry.paths.iter_mut().find(same) {
            Some(path) => {
                let old = *path;
                let kept = PathFlags::BEST | PathFlags::MULTIPATH | PathFlags::VALID | PathFlags::DAMPED;
                let same = old.attrs == new.attrs
                    && old.flags.has(PathFlags::UNUSABLE) == new.flags.has(PathFlags::UNUSABLE)
                    && old.flags.has(PathFlags::FILTERED) == new.flags.has(PathFlags::FILTERED);
                let epochs = ctx.peers.get_mut(new.peer).and_then(|slot| slot.epochs.get_mut(self.slot));
                // A local path has no epochs.
                let held = epochs.is_none_or(|epochs| epochs.holds(old.flags.epoch()));
                if same && held {
                    // Told again after a restart: nothing changes but that it is fresh.
                    if old.flags.epoch() != new.flags.epoch() {
                        path.flags = new.flags.with(old.flags.bits() & kept);
                        Self::count(ctx, self.slot, &old, false);
                        Self::count(ctx, self.slot, &new, true);
                        self.monitor.note_path(prefix, new.peer, new.path_id);
                    }
                    ctx.attrs.release(new.attrs);
                    return;
                }
                *path = Path { flags: new.flags.with(old.flags.bits() & kept), ..new };
                if old.flags.has(PathFlags::BEST | PathFlags::MULTIPATH) {
                    entry.set(super::table::entry_flags::BEST_TOUCHED, true);
                }
                Self::count(ctx, self.slot, &old, false);
                Self::count(ctx, self.slot, &new, true);
                ctx.attrs.release(old.attrs);
                self.table.exchanged(handle, old.attrs, new.attrs);
            }
            None if full => {
                let prefix = entry.prefix.into();
                ctx.attrs.release(new.attrs);
                if let Some(peer) = ctx.peers.get(new.peer).map(|slot| slot.id) {
                    ctx.notices.add(peer, self.family, NoticeKind::TooManyPaths, prefix);
                }
                return;
            }
            None => {
                entry.paths.push(new);
                self.table.users.insert(new.attrs, handle);
                self.table.paths += 1;
                self.table.path_ids.enter(PathKey { peer: new.peer, received: new.path_id });
                Self::count(ctx, self.slot, &new, true);
            }
        }
        self.monitor.note_path(prefix, new.peer, new.path_id);
        if !shadow {
            self.touch(handle);
        }
    }

    /// Removes a path, if it is there.
    pub fn take(&mut self, ctx: &mut Ctx, handle: Handle, peer: PeerIdx, path_id: u32, shadow: bool) {
        self.take_where(ctx, handle, |path| {
            path.peer == peer && path.path_id == path_id && path.flags.has(PathFlags::SHADOW) == shadow
        });
    }

    /// Removes the paths that `gone` names.
    pub fn take_where(&mut self, ctx: &mut Ctx, handle: Handle, gone: impl Fn(&Path) -> bool) {
        let Some(entry) = self.table.get_mut(handle) else { return };
        let (mut touched, mut removed) = (false, 0);
        let mut index = 0;
        let mut left: SmallVec<[(PathKey, AttrId); 4]> = SmallVec::new();
        while let Some(path) = entry.paths.get(index).copied() {
            if !gone(&path) {
                index += 1;
                continue;
            }
            entry.paths.remove(index);
            removed += 1;
            self.monitor.note_path(entry.prefix, path.peer, path.path_id);
            left.push((PathKey { peer: path.peer, received: path.path_id }, path.attrs));
            if path.flags.has(PathFlags::BEST | PathFlags::MULTIPATH) {
                entry.set(super::table::entry_flags::BEST_TOUCHED, true);
            }
            Self::count(ctx, self.slot, &path, false);
            ctx.attrs.release(path.attrs);
            touched |= !path.flags.has(PathFlags::SHADOW);
        }
        if entry.paths.len() <= 1 && entry.paths.spilled() {
            entry.paths.shrink_to_fit();
        }
        self.table.paths -= removed;
        for (key, attrs) in left {
            self.table.path_ids.leave(key);
            self.table.gone(handle, attrs);
        }
        if touched {
            self.touch(handle);
        }
    }

    /// Keeps the peer's counts. Paths of an epoch that is not held are not counted any more.
    fn count(ctx: &mut Ctx, family: usize, path: &Path, more: bool) {
        let Some(slot) = ctx.peers.get_mut(path.peer) else { return };
        let Some(epochs) = slot.epochs.get_mut(family) else { return };
        let Some(counts) = epochs.counters(path.flags.epoch()) else { return };
        let step = |count: &mut u32| {
            *count = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
        };
        if path.flags.has(PathFlags::SHADOW) {
            step(&mut counts.shadows);
            if path.flags.has(PathFlags::FILTERED) {
                step(&mut counts.filtered);
            }
        } else {
            step(&mut counts.accepted);
        }
        slot.counts_changed = true;
    }

    /// Runs import again over what is stored of a peer in one entry (soft-reconfiguration).
    pub fn reimport(&mut self, ctx: &mut Ctx, peer: PeerIdx, handle: Handle) {
        let Some(entry) = self.table.get(handle) else { return };
        let prefix: Prefix = entry.prefix.into();
        // What an ended session left is on its way out and stays so.
        let up = ctx.peers.get(peer).filter(|slot| slot.is_up());
        let Some(epochs) = up.and_then(|slot| slot.epochs.get(self.slot)).copied() else { return };
        // What is stale will be told again, and judged then.
        let current = |path: &&Path| path.peer == peer && path.flags.epoch() == epochs.current;
        let stored: Vec<Path> = entry.paths.iter().filter(current).copied().collect();
        let received = stored.iter().filter(|path| {
            path.flags.has(PathFlags::SHADOW)
                || !stored
                    .iter()
                    .any(|other| other.path_id == path.path_id && other.flags.has(PathFlags::SHADOW))
        });
        for path in received {
            let Some(attrs) = ctx.attrs.get(path.attrs).map(|interned| Arc::clone(&interned.attrs)) else {
                continue;
            };
            let Some(mut importer) = Importer::new(ctx, peer, self.family, 0) else { return };
            let result = importer.run(ctx, prefix, 0, &attrs);
            let shadow = importer.shadow(ctx, result, &attrs);
            self.settle_import(ctx, &importer, handle, path.path_id, result, shadow);
            self.imported += importer.finish(ctx);
        }
    }
}

/// Whether the neighbour has as many paths for the prefix as one may have.
fn over_limit(ctx: &Ctx, paths: &[Path], new: &Path) -> bool {
    let limit = usize::from(ctx.config.max_paths);
    let alike = |path: &&Path| {
        path.peer == new.peer && path.flags.has(PathFlags::SHADOW) == new.flags.has(PathFlags::SHADOW)
    };
    !new.peer.is_local() && paths.len() >= limit && paths.iter().filter(alike).count() >= limit
}
