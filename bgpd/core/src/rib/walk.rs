//! Answers to shows: one prefix, or a table in chunks. A walk remembers the prefixes that were there when it began, in
//! order; each row is read when its chunk is asked for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bgp_packet::attr::Attributes;
use ferrite_types::{Prefix, Timestamp};
use rustc_hash::FxHashMap;

use super::attrs::Interned;
use super::ctx::Ctx;
use super::decision;
use super::family::{Rib, candidates_of};
use super::path_id::PathKey;
use super::peers::PeerIdx;
use super::query::{
    FibState, GroupView, MemoryView, PathSource, PathView, PrefixView, QueryToken, TableCounts, WalkSource,
};
use super::reject;
use super::table::{Entry, Handle, Key, Path, PathFlags, entry_flags};

/// A walk that nobody asks for any more is forgotten after this.
const IDLE: Duration = Duration::from_mins(2);

/// Walks in progress.
#[derive(Debug)]
pub struct Walks<P> {
    open: FxHashMap<QueryToken, Walk<P>>,
}

#[derive(Debug)]
struct Walk<P> {
    keys: std::vec::IntoIter<P>,
    expires: Timestamp,
}

impl<P> Default for Walks<P> {
    fn default() -> Self {
        Self { open: FxHashMap::default() }
    }
}

impl<P> Walks<P> {
    pub fn close(&mut self, token: QueryToken) {
        self.open.remove(&token);
    }

    pub fn expire(&mut self, now: Timestamp) {
        self.open.retain(|_, walk| walk.expires > now);
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.open.values().map(|walk| walk.expires).min()
    }
}

impl<P: Key> Rib<P> {
    /// The next rows of a walk, and whether it is at its end.
    pub fn walk(
        &mut self,
        ctx: &Ctx,
        token: QueryToken,
        source: WalkSource,
        within: Option<Prefix>,
        limit: usize,
        holders: bool,
    ) -> (Vec<PrefixView>, bool) {
        let mut walk = match self.walks.open.remove(&token) {
            Some(walk) => walk,
            None => {
                let keys = match within.map(P::from_prefix) {
                    Some(None) => Vec::new(),
                    Some(Some(within)) => self.table.sorted(Some(within)),
                    None => self.table.sorted(None),
                };
                Walk { keys: keys.into_iter(), expires: ctx.now }
            }
        };
        let mut rows = Vec::new();
        while rows.len() < limit {
            let Some(prefix) = walk.keys.next() else { return (rows, true) };
            let Some(handle) = self.table.find(&prefix) else { continue };
            let mut row = self.row(ctx, handle, source, holders);
            if let Some(row) = row.as_mut().filter(|_| holders) {
                self.name_holders(handle, row);
            }
            rows.extend(row);
        }
        let done = walk.keys.len() == 0;
        if !done {
            walk.expires = ctx.now + IDLE;
            self.walks.open.insert(token, walk);
        }
        (rows, done)
    }

    /// One entry as a walk shows it; `None` where the walk is not about it.
    /// `holders`: with the peers that were told of each path.
    fn row(&self, ctx: &Ctx, handle: Handle, source: WalkSource, holders: bool) -> Option<PrefixView> {
        let entry = self.table.get(handle)?;
        let peer = |id| ctx.peers.idx(id);
        let paths: Vec<&Path> = match source {
            WalkSource::Table => {
                entry.paths.iter().filter(|path| !path.flags.has(PathFlags::SHADOW)).collect()
            }
            WalkSource::Accepted(id) => {
                let idx = peer(id)?;
                let own = |path: &&Path| path.peer == idx && !path.flags.has(PathFlags::SHADOW);
                entry.paths.iter().filter(own).collect()
            }
            WalkSource::Filtered(id) => {
                let idx = peer(id)?;
                let filtered = |path: &&Path| {
                    path.peer == idx
                        && path.flags.has(PathFlags::SHADOW)
                        && path.flags.has(PathFlags::FILTERED)
                };
                entry.paths.iter().filter(filtered).collect()
            }
            WalkSource::Received(id) => received(entry, peer(id)?),
            WalkSource::Advertised(id) => return self.advertised_row(ctx, handle, entry, peer(id)?),
            WalkSource::Withheld(id) => return self.withheld_row(ctx, handle, entry, peer(id)?),
        };
        if paths.is_empty() {
            return None;
        }
        let identified = self.groups.iter().any(super::group::Group::has_identifiers);
        let view = |path: &Path| {
            let mut view = self.path_view(ctx, entry, path)?;
            if identified {
                let key = PathKey { peer: path.peer, received: path.path_id };
                view.sent_id = self.table.path_ids.get(key).unwrap_or(0);
            }
            if identified && holders {
                view.advertised_to = self
                    .groups
                    .iter()
                    .flat_map(|group| group.path_holders(ctx, entry, handle, path))
                    .collect();
                view.advertised_to.sort_unstable();
            }
            Some(view)
        };
        let mut views: Vec<PathView> = paths.into_iter().filter_map(view).collect();
        views.sort_by_key(|view| (!view.best, !view.multipath));
        Some(self.prefix_view(
            ctx,
            entry,
            views,
            matches!(source, WalkSource::Table | WalkSource::Accepted(_) | WalkSource::Received(_)),
        ))
    }

    fn prefix_view(&self, ctx: &Ctx, entry: &Entry<P>, paths: Vec<PathView>, reason: bool) -> PrefixView {
        PrefixView {
            family: self.family,
            prefix: entry.prefix.into(),
            version: u64::from(entry.version),
            paths,
            reason: if reason { self.reason(ctx, entry) } else { None },
            advertised_to: Vec::new(),
            suppressed: entry.has(entry_flags::SUPPRESSED),
            fib: if entry.has(entry_flags::FIB_REJECTED) {
                FibState::Rejected
            } else if entry.has(entry_flags::FIB_INSTALLED) {
                FibState::Installed
            } else {
                FibState::None
            },
        }
    }

    fn reason(&self, ctx: &Ctx, entry: &Entry<P>) -> Option<decision::Reason> {
        let candidates = candidates_of(ctx, entry);
        let best = candidates.iter().position(|(index, _)| {
            entry.paths.get(*index).is_some_and(|path| path.flags.has(PathFlags::BEST))
        })?;
        let plain: Vec<_> = candidates.into_iter().map(|(_, candidate)| candidate).collect();
        Some(decision::reason(&plain, best, &ctx.config.decision))
    }

    /// The attributes of a path; those of a refused one with the reason.
    fn shown_attrs(&self, ctx: &Ctx, path: &Path, interned: &Interned) -> Arc<Attributes> {
        let family = ctx.peers.get(path.peer).and_then(|slot| slot.family(self.family));
        let community = family.and_then(|family| family.reject_community);
        match community.filter(|_| interned.local.refused != 0) {
            Some(community) => {
                let mut attrs = (*interned.attrs).clone();
                reject::mark(&mut attrs, community, interned.local.refused);
                Arc::new(attrs)
            }
            None => Arc::clone(&interned.attrs),
        }
    }

    fn path_view(&self, ctx: &Ctx, entry: &Entry<P>, path: &Path) -> Option<PathView> {
        let interned = ctx.attrs.get(path.attrs)?;
        let shadow = path.flags.has(PathFlags::SHADOW);
        let same = |other: &&Path| other.peer == path.peer && other.path_id == path.path_id;
        let has_shadow = entry.paths.iter().filter(same).any(|other| other.flags.has(PathFlags::SHADOW));
        // What was received is valid, and best, as what became of it.
        let accepted = entry.paths.iter().filter(same).find(|other| !other.flags.has(PathFlags::SHADOW));
        let flags =
            if shadow { accepted.map_or(PathFlags::default(), |other| other.flags) } else { path.flags };
        let params = ctx.peers.get(path.peer).map(|slot| &slot.params);
        // As FRR counts it, the best is one of the paths that share the traffic.
        let shares = |other: &Path| other.flags.has(PathFlags::MULTIPATH);
        let multipath =
            flags.has(PathFlags::MULTIPATH) || (flags.has(PathFlags::BEST) && entry.paths.iter().any(shares));
        Some(PathView {
            source: ctx.source(path),
            path_id: if path.peer.is_local() { 0 } else { path.path_id },
            sent_id: 0,
            attrs: self.shown_attrs(ctx, path, interned),
            weight: interned.local.weight,
            tag: interned.local.tag,
            valid: flags.has(PathFlags::VALID),
            best: flags.has(PathFlags::BEST),
            multipath,
            stale: ctx.is_stale(path, self.slot),
            damped: path.flags.has(PathFlags::DAMPED),
            suppressed: entry.has(entry_flags::SUPPRESSED) && !super::family::is_aggregate(path),
            filtered: path.flags.has(PathFlags::FILTERED),
            received_as_is: shadow || !has_shadow,
            since: Timestamp::from_secs(u64::from(path.since)),
            igp_metric: ctx.igp_metric(path),
            nexthop_reachable: flags.has(PathFlags::VALID),
            uses_link_local: interned.uses_link_local()
                && params.is_some_and(|params| params.ifindex.is_some()),
            withheld: None,
            advertised_to: Vec::new(),
        })
    }

    /// What a peer was sent for an entry.
    fn advertised_row(
        &self,
        ctx: &Ctx,
        handle: Handle,
        entry: &Entry<P>,
        idx: PeerIdx,
    ) -> Option<PrefixView> {
        let group = self.groups.iter().find(|group| group.has_member(idx))?;
        let rows = group.advertised(ctx, handle, entry, idx);
        let views: Vec<PathView> =
            rows.into_iter().map(|(id, path, attrs)| advertised_view(ctx, id, path, attrs)).collect();
        if views.is_empty() { None } else { Some(self.prefix_view(ctx, entry, views, false)) }
    }

    /// Best paths of others that a peer was not sent; the reason is among their communities, where there is one for reasons.
    fn withheld_row(&self, ctx: &Ctx, handle: Handle, entry: &Entry<P>, idx: PeerIdx) -> Option<PrefixView> {
        let group = self.groups.iter().find(|group| group.has_member(idx))?;
        let community = ctx.peers.get(idx).and_then(|slot| slot.family(self.family)?.reject_community);
        let view = |(path, reason): (Path, _)| {
            let mut view = self.path_view(ctx, entry, &path)?;
            view.withheld = Some(reason);
            if let Some(community) = community {
                let mut attrs = (*view.attrs).clone();
                reject::mark(&mut attrs, community, reject::withheld_number(reason));
                view.attrs = Arc::new(attrs);
            }
            Some(view)
        };
        let views: Vec<PathView> =
            group.withheld(ctx, handle, entry, idx).into_iter().filter_map(view).collect();
        if views.is_empty() { None } else { Some(self.prefix_view(ctx, entry, views, true)) }
    }

    fn name_holders(&self, handle: Handle, view: &mut PrefixView) {
        view.advertised_to = self.groups.iter().flat_map(|group| group.holders(handle)).collect();
        view.advertised_to.sort_unstable();
    }

    /// Everything about one prefix.
    pub fn detail(&self, ctx: &Ctx, handle: Handle) -> Option<PrefixView> {
        let mut view = self.row(ctx, handle, WalkSource::Table, true)?;
        self.name_holders(handle, &mut view);
        if view.fib == FibState::None && self.fib.is_sent(handle) {
            view.fib = FibState::Sent;
        }
        Some(view)
    }

    pub fn find(&self, ctx: &Ctx, prefix: Prefix) -> Option<PrefixView> {
        self.detail(ctx, self.table.find(&P::from_prefix(prefix)?)?)
    }

    /// The longest prefix with a path that covers an address; routes that policy denied count too.
    pub fn covering(&self, addr: IpAddr) -> Option<Prefix> {
        let handle = self.table.longest(addr, |entry| !entry.paths.is_empty())?;
        self.table.get(handle).map(|entry| entry.prefix.into())
    }

    pub fn longest(&self, ctx: &Ctx, addr: IpAddr) -> Option<PrefixView> {
        let usable = |entry: &Entry<P>| entry.paths.iter().any(|path| !path.flags.has(PathFlags::SHADOW));
        self.detail(ctx, self.table.longest(addr, usable)?)
    }

    pub fn counts(&self, ctx: &Ctx) -> TableCounts {
        let mut counts = TableCounts {
            attributes: ctx.attrs.len() as u64,
            table_version: u64::from(self.version),
            ..TableCounts::default()
        };
        for (_, entry) in self.table.iter() {
            let paths = entry.paths.iter().filter(|path| !path.flags.has(PathFlags::SHADOW)).count() as u64;
            if paths > 0 {
                counts.prefixes += 1;
                counts.paths += paths;
                counts.best += u64::from(entry.best().is_some());
                counts.prefix_length_sum += u64::from(entry.prefix.length());
            }
        }
        counts
    }

    pub fn group_views(&self) -> Vec<GroupView> {
        self.groups.iter().map(super::group::Group::view).collect()
    }

    pub fn add_memory(&self, view: &mut MemoryView) {
        view.prefixes += self.table.len() as u64;
        view.paths += self.table.paths as u64;
        view.table_octets += self.table.octets() as u64;
        view.adj_out_octets += self.groups.iter().map(|group| group.memory() as u64).sum::<u64>();
        view.adj_out += self.groups.iter().map(|group| group.view().prefixes).sum::<u64>();
        view.fib_octets += self.fib.octets() as u64;
        view.imported += self.imported;
        view.exported += self.exported();
    }
}

/// A path as a peer was sent it; none is a default route of our own.
fn advertised_view(ctx: &Ctx, path_id: u32, path: Option<Path>, attrs: Attributes) -> PathView {
    let interned = path.as_ref().and_then(|path| ctx.attrs.get(path.attrs));
    PathView {
        source: path.as_ref().map_or(PathSource::DefaultOriginate, |path| ctx.source(path)),
        path_id: 0,
        sent_id: path_id,
        attrs: Arc::new(attrs),
        weight: interned.map_or(0, |interned| interned.local.weight),
        tag: interned.map_or(0, |interned| interned.local.tag),
        valid: true,
        best: path.is_none_or(|path| path.flags.has(PathFlags::BEST)),
        multipath: false,
        stale: false,
        damped: false,
        suppressed: false,
        filtered: false,
        received_as_is: false,
        since: path.map_or(Timestamp::ZERO, |path| Timestamp::from_secs(u64::from(path.since))),
        igp_metric: None,
        nexthop_reachable: true,
        uses_link_local: false,
        withheld: None,
        advertised_to: Vec::new(),
    }
}

/// Paths of a peer as received: the shadow where there is one, else the accepted path.
fn received<P>(entry: &Entry<P>, idx: PeerIdx) -> Vec<&Path> {
    let of_peer = || entry.paths.iter().filter(move |path| path.peer == idx);
    let shadowed = |path: &Path| {
        of_peer().any(|other| other.path_id == path.path_id && other.flags.has(PathFlags::SHADOW))
    };
    of_peer().filter(|path| path.flags.has(PathFlags::SHADOW) || !shadowed(path)).collect()
}
