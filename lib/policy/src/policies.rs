//! From configuration to what evaluates it, reusing all that did not change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ferrite_types::{Afi, Community, ExtCommunity, LargeCommunity};

use crate::Counter;
use crate::access_list::CompiledAccessList;
use crate::apply::{Call, Change, CompiledEntry, RouteMap, Test};
use crate::as_path_list::CompiledAsPathList;
use crate::community_list::CompiledCommunityList;
use crate::config::{ListKind, Named, PolicyConfig};
use crate::difference::Differences;
use crate::prefix_list::CompiledPrefixList;
use crate::route_map::{AsPathFilter, Entry, Match, NextHopList, RouteMapConfig, Set};
use crate::scope::Scope;

type Compiled<T> = BTreeMap<String, Arc<T>>;

/// Everything a configuration names, ready for evaluation.
#[derive(Debug, Default)]
pub struct Policies {
    pub(crate) prefix_lists_v4: Compiled<CompiledPrefixList>,
    pub(crate) prefix_lists_v6: Compiled<CompiledPrefixList>,
    pub(crate) access_lists_v4: Compiled<CompiledAccessList>,
    pub(crate) access_lists_v6: Compiled<CompiledAccessList>,
    pub(crate) as_path_lists: Compiled<CompiledAsPathList>,
    pub(crate) community_lists: Compiled<CompiledCommunityList<Community>>,
    pub(crate) large_community_lists: Compiled<CompiledCommunityList<LargeCommunity>>,
    pub(crate) ext_community_lists: Compiled<CompiledCommunityList<ExtCommunity>>,
    pub(crate) route_maps: Compiled<RouteMap>,
    /// Maps that are shown as they are configured, and not judged by yet.
    pub(crate) waiting: BTreeSet<String>,
}

/// Compiles the lists of one kind; one whose source equals the previous one's is the previous one, counters and all. One
/// that differs goes on with the counters of what did not change in it.
fn lists<S: PartialEq, T>(
    config: &Named<S>,
    previous: Option<&Compiled<T>>,
    source: fn(&T) -> &Arc<S>,
    compile: fn(Arc<S>) -> T,
    keep_counts: fn(&mut T, &T),
) -> Compiled<T> {
    let reused = |name: &String, list: &Arc<S>| {
        previous?.get(name).filter(|old| Arc::ptr_eq(source(old), list) || **source(old) == **list).cloned()
    };
    config
        .iter()
        .map(|(name, list)| {
            let compiled = reused(name, list).unwrap_or_else(|| {
                let mut new = compile(Arc::clone(list));
                if let Some(old) = previous.and_then(|previous| previous.get(name)) {
                    keep_counts(&mut new, old);
                }
                Arc::new(new)
            });
            (name.clone(), compiled)
        })
        .collect()
}

/// Names of what is not the same object in both.
fn differing<T>(old: &Compiled<T>, new: &Compiled<T>) -> BTreeSet<String> {
    let same =
        |name: &String, of: &Compiled<T>, list: &Arc<T>| of.get(name).is_some_and(|it| Arc::ptr_eq(it, list));
    let of = |a: &Compiled<T>, b: &Compiled<T>| -> Vec<String> {
        a.iter().filter(|(name, list)| !same(name, b, list)).map(|(name, _)| name.clone()).collect()
    };
    of(old, new).into_iter().chain(of(new, old)).collect()
}

impl Policies {
    /// Whether some map asks for a neighbour by interface or group.
    pub fn ask_for_names(&self) -> bool {
        self.route_maps.values().any(|map| map.depends_on_names())
    }

    /// Compiles a configuration, taking from `previous` whatever is still the same.
    pub fn compile(config: &PolicyConfig, previous: Option<&Self>) -> Self {
        let p = previous;
        let mut policies = Self {
            prefix_lists_v4: lists(
                &config.prefix_lists_v4,
                p.map(|p| &p.prefix_lists_v4),
                |l| &l.source,
                CompiledPrefixList::new,
                CompiledPrefixList::keep_counts,
            ),
            prefix_lists_v6: lists(
                &config.prefix_lists_v6,
                p.map(|p| &p.prefix_lists_v6),
                |l| &l.source,
                CompiledPrefixList::new,
                CompiledPrefixList::keep_counts,
            ),
            access_lists_v4: lists(
                &config.access_lists_v4,
                p.map(|p| &p.access_lists_v4),
                |l| &l.source,
                CompiledAccessList::new,
                CompiledAccessList::keep_counts,
            ),
            access_lists_v6: lists(
                &config.access_lists_v6,
                p.map(|p| &p.access_lists_v6),
                |l| &l.source,
                CompiledAccessList::new,
                CompiledAccessList::keep_counts,
            ),
            as_path_lists: lists(
                &config.as_path_lists,
                p.map(|p| &p.as_path_lists),
                |l| &l.source,
                CompiledAsPathList::new,
                CompiledAsPathList::keep_counts,
            ),
            community_lists: lists(
                &config.community_lists,
                p.map(|p| &p.community_lists),
                |l| &l.source,
                CompiledCommunityList::new,
                |_, _| {},
            ),
            large_community_lists: lists(
                &config.large_community_lists,
                p.map(|p| &p.large_community_lists),
                |l| &l.source,
                CompiledCommunityList::new,
                |_, _| {},
            ),
            ext_community_lists: lists(
                &config.ext_community_lists,
                p.map(|p| &p.ext_community_lists),
                |l| &l.source,
                CompiledCommunityList::new,
                |_, _| {},
            ),
            route_maps: Compiled::new(),
            waiting: BTreeSet::new(),
        };
        for name in config.route_maps.keys() {
            policies.compile_map(name, config, previous, &mut Vec::new());
        }
        policies
    }

    /// For shows while changes wait: maps that differ from those that judge say so.
    #[must_use]
    pub fn waiting_for(mut self, judging: &Self) -> Self {
        let maps = self.changed(judging).into_keys().filter(|(kind, _)| *kind == ListKind::RouteMap);
        self.waiting = maps.map(|(_, name)| name).collect();
        self
    }

    fn prefix_lists(&self, afi: Afi) -> &Compiled<CompiledPrefixList> {
        if afi == Afi::Ipv6 { &self.prefix_lists_v6 } else { &self.prefix_lists_v4 }
    }

    fn access_lists(&self, afi: Afi) -> &Compiled<CompiledAccessList> {
        if afi == Afi::Ipv6 { &self.access_lists_v6 } else { &self.access_lists_v4 }
    }

    pub fn prefix_list(&self, afi: Afi, name: &str) -> Option<&Arc<CompiledPrefixList>> {
        self.prefix_lists(afi).get(name)
    }

    pub fn access_list(&self, afi: Afi, name: &str) -> Option<&Arc<CompiledAccessList>> {
        self.access_lists(afi).get(name)
    }

    pub fn as_path_list(&self, name: &str) -> Option<&Arc<CompiledAsPathList>> {
        self.as_path_lists.get(name)
    }

    pub fn community_list(&self, name: &str) -> Option<&Arc<CompiledCommunityList<Community>>> {
        self.community_lists.get(name)
    }

    pub fn large_community_list(&self, name: &str) -> Option<&Arc<CompiledCommunityList<LargeCommunity>>> {
        self.large_community_lists.get(name)
    }

    pub fn ext_community_list(&self, name: &str) -> Option<&Arc<CompiledCommunityList<ExtCommunity>>> {
        self.ext_community_lists.get(name)
    }

    pub fn route_map(&self, name: &str) -> Option<&Arc<RouteMap>> {
        self.route_maps.get(name)
    }

    /// What judges differently than in `old`, and which prefixes: lists and maps that were added, removed or changed, and
    /// maps that use one of them, directly or through a call.
    pub fn changed(&self, old: &Self) -> BTreeMap<(ListKind, String), Scope> {
        let mut found = Differences::default();
        let mut out = BTreeMap::new();
        for afi in [Afi::Ipv4, Afi::Ipv6] {
            let (before, after) = (old.prefix_lists(afi), self.prefix_lists(afi));
            for name in differing(before, after) {
                let scope = found.prefix_list(before.get(&name), after.get(&name));
                out.insert((ListKind::PrefixList(afi), name), scope);
            }
            let (before, after) = (old.access_lists(afi), self.access_lists(afi));
            for name in differing(before, after) {
                let scope = found.access_list(before.get(&name), after.get(&name));
                out.insert((ListKind::AccessList(afi), name), scope);
            }
        }
        let attributes = [
            (ListKind::AsPathList, differing(&old.as_path_lists, &self.as_path_lists)),
            (ListKind::CommunityList, differing(&old.community_lists, &self.community_lists)),
            (
                ListKind::LargeCommunityList,
                differing(&old.large_community_lists, &self.large_community_lists),
            ),
            (ListKind::ExtCommunityList, differing(&old.ext_community_lists, &self.ext_community_lists)),
        ];
        for (kind, names) in attributes {
            out.extend(names.into_iter().map(|name| ((kind, name), Scope::All)));
        }
        for name in differing(&old.route_maps, &self.route_maps) {
            let scope = found.route_map(old.route_maps.get(&name), self.route_maps.get(&name));
            out.insert((ListKind::RouteMap, name), scope);
        }
        out
    }

    /// Compiles one map after the maps it calls. `open` holds the maps whose compilation is under way: calling one of
    /// them is a loop.
    fn compile_map(
        &mut self,
        name: &str,
        config: &PolicyConfig,
        previous: Option<&Self>,
        open: &mut Vec<String>,
    ) -> Option<Arc<RouteMap>> {
        if let Some(done) = self.route_maps.get(name) {
            return Some(Arc::clone(done));
        }
        let source = config.route_maps.get(name)?;
        open.push(name.to_owned());
        let calls: Vec<Call> = source
            .entries
            .values()
            .map(|entry| match &entry.call {
                None => Call::None,
                Some(called) if open.contains(called) || open.len() > MAX_CALLS => Call::Loop,
                // A call to a map that does not exist is passed over.
                Some(called) => {
                    self.compile_map(called, config, previous, open).map_or(Call::None, Call::Map)
                }
            })
            .collect();
        open.pop();
        let entries = source.entries.iter().zip(calls);
        let entries = entries.map(|((seq, entry), call)| self.compile_entry(*seq, entry, call)).collect();
        let mut built = RouteMap {
            name: name.to_owned(),
            source: Arc::clone(source),
            entries,
            invoked: Counter::default(),
        };
        let map = match previous.and_then(|previous| previous.route_maps.get(name)) {
            Some(old) if same_map(old, &built, source) => Arc::clone(old),
            Some(old) => {
                built.keep_counts(old);
                Arc::new(built)
            }
            None => Arc::new(built),
        };
        self.route_maps.insert(name.to_owned(), Arc::clone(&map));
        Some(map)
    }

    fn compile_entry(&self, seq: u16, entry: &Entry, call: Call) -> CompiledEntry {
        CompiledEntry {
            seq,
            action: entry.action,
            tests: entry.matches.iter().map(|clause| self.compile_match(clause)).collect(),
            changes: entry.sets.iter().map(|clause| self.compile_set(clause)).collect(),
            call,
            exit: entry.exit,
            hits: Counter::default(),
        }
    }

    fn compile_match(&self, clause: &Match) -> Test {
        let access = |afi, name: &str| self.access_list(afi, name).cloned();
        let prefix = |afi, name: &str| self.prefix_list(afi, name).cloned();
        match clause {
            Match::AccessList(afi, name) => Test::AccessList(*afi, access(*afi, name)),
            Match::PrefixList(afi, name) => Test::PrefixList(*afi, prefix(*afi, name)),
            Match::NextHop(afi, NextHopList::Access(name)) => Test::NextHopAccess(access(*afi, name)),
            Match::NextHop(afi, NextHopList::Prefix(name)) => Test::NextHopPrefix(prefix(*afi, name)),
            Match::RouteSource(NextHopList::Access(name)) => Test::SourceAccess(access(Afi::Ipv4, name)),
            Match::RouteSource(NextHopList::Prefix(name)) => Test::SourcePrefix(prefix(Afi::Ipv4, name)),
            Match::AsPath(name) => Test::AsPath(self.as_path_list(name).cloned()),
            Match::Community(name, how) => Test::Community(self.community_list(name).cloned(), *how),
            Match::LargeCommunity(name, how) => {
                Test::LargeCommunity(self.large_community_list(name).cloned(), *how)
            }
            Match::ExtCommunity(name) => Test::ExtCommunity(self.ext_community_list(name).cloned()),
            plain => Test::Plain(plain.clone()),
        }
    }

    fn compile_set(&self, clause: &Set) -> Change {
        match clause {
            Set::CommListDelete(name) => Change::DeleteCommunities(self.community_list(name).cloned()),
            Set::LargeCommListDelete(name) => {
                Change::DeleteLargeCommunities(self.large_community_list(name).cloned())
            }
            Set::ExtCommListDelete(name) => {
                Change::DeleteExtCommunities(self.ext_community_list(name).cloned())
            }
            Set::AsPathExclude(AsPathFilter::List(name)) => {
                Change::ExcludeList(self.as_path_list(name).cloned())
            }
            Set::AsPathReplace { what: AsPathFilter::List(name), with } => {
                Change::ReplaceList(self.as_path_list(name).cloned(), *with)
            }
            plain => Change::Plain(plain.clone()),
        }
    }
}

/// How deep calls may nest.
const MAX_CALLS: usize = 10;

/// Whether an old map judges as the new one does: equal text, and every reference the very same object.
fn same_map(old: &RouteMap, new: &RouteMap, source: &Arc<RouteMapConfig>) -> bool {
    (Arc::ptr_eq(&old.source, source) || *old.source == **source)
        && old.entries.len() == new.entries.len()
        && old.entries.iter().zip(&new.entries).all(|(old, new)| {
            same_call(&old.call, &new.call)
                && old.tests.iter().zip(&new.tests).all(|(old, new)| old.same(new))
                && old.changes.iter().zip(&new.changes).all(|(old, new)| old.same(new))
        })
}

fn same_call(old: &Call, new: &Call) -> bool {
    match (old, new) {
        (Call::None, Call::None) | (Call::Loop, Call::Loop) => true,
        (Call::Map(old), Call::Map(new)) => Arc::ptr_eq(old, new),
        _ => false,
    }
}

fn same<T>(old: Option<&Arc<T>>, new: Option<&Arc<T>>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => Arc::ptr_eq(old, new),
        _ => false,
    }
}

impl Test {
    /// Whether both refer to the same object; the clauses are known to be equal.
    pub(crate) fn same(&self, new: &Self) -> bool {
        match (self, new) {
            (Self::AccessList(_, a), Self::AccessList(_, b)) => same(a.as_ref(), b.as_ref()),
            (Self::NextHopAccess(a), Self::NextHopAccess(b))
            | (Self::SourceAccess(a), Self::SourceAccess(b)) => same(a.as_ref(), b.as_ref()),
            (Self::PrefixList(_, a), Self::PrefixList(_, b)) => same(a.as_ref(), b.as_ref()),
            (Self::NextHopPrefix(a), Self::NextHopPrefix(b))
            | (Self::SourcePrefix(a), Self::SourcePrefix(b)) => same(a.as_ref(), b.as_ref()),
            (Self::AsPath(a), Self::AsPath(b)) => same(a.as_ref(), b.as_ref()),
            (Self::Community(a, _), Self::Community(b, _)) => same(a.as_ref(), b.as_ref()),
            (Self::LargeCommunity(a, _), Self::LargeCommunity(b, _)) => same(a.as_ref(), b.as_ref()),
            (Self::ExtCommunity(a), Self::ExtCommunity(b)) => same(a.as_ref(), b.as_ref()),
            (Self::Plain(_), Self::Plain(_)) => true,
            _ => false,
        }
    }
}

impl Change {
    pub(crate) fn same(&self, new: &Self) -> bool {
        match (self, new) {
            (Self::DeleteCommunities(a), Self::DeleteCommunities(b)) => same(a.as_ref(), b.as_ref()),
            (Self::DeleteLargeCommunities(a), Self::DeleteLargeCommunities(b)) => {
                same(a.as_ref(), b.as_ref())
            }
            (Self::DeleteExtCommunities(a), Self::DeleteExtCommunities(b)) => same(a.as_ref(), b.as_ref()),
            (Self::ExcludeList(a), Self::ExcludeList(b))
            | (Self::ReplaceList(a, _), Self::ReplaceList(b, _)) => same(a.as_ref(), b.as_ref()),
            (Self::Plain(_), Self::Plain(_)) => true,
            _ => false,
        }
    }
}
