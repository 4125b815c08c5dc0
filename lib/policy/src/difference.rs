//! From two states of a list or a map to the prefixes that they may judge differently: the edit index.
//!
//! A rule of a prefix list that is added, removed or changed touches the prefixes that the rule can match. An entry of a
//! route map touches those that its prefix clauses let through; a list that an entry refers to touches what the list's
//! own edit touches. Lists over attributes say nothing about prefixes: their edits touch whatever the entry can match.

use std::sync::Arc;

use ferrite_types::{Afi, Prefix};

use crate::access_list::{AccessMatch, CompiledAccessList};
use crate::apply::{Call, CompiledEntry, RouteMap, Test};
use crate::as_path_list::CompiledAsPathList;
use crate::prefix_list::CompiledPrefixList;
use crate::route_map::{Entry, Match};
use crate::scope::{Range, Scope};

/// Differences worked out, so that many chains that use one list or map compare it once. Holds what it compared, so that
/// an address is not met again for another object.
#[derive(Debug, Default)]
pub struct Differences {
    prefix_lists: Memo<CompiledPrefixList>,
    access_lists: Memo<CompiledAccessList>,
    maps: Memo<RouteMap>,
}

type Memo<T> = Vec<(Arc<T>, Arc<T>, Scope)>;

fn known<T>(memo: &Memo<T>, old: &Arc<T>, new: &Arc<T>) -> Option<Scope> {
    let same = |(a, b, _): &&(Arc<T>, Arc<T>, Scope)| Arc::ptr_eq(a, old) && Arc::ptr_eq(b, new);
    memo.iter().find(same).map(|(_, _, scope)| scope.clone())
}

/// Something named may have appeared or gone: then everything it permitted is touched, for what is absent denies.
type Named<'a, T> = Option<&'a Arc<T>>;

impl Differences {
    pub fn prefix_list(
        &mut self,
        old: Named<'_, CompiledPrefixList>,
        new: Named<'_, CompiledPrefixList>,
    ) -> Scope {
        match (old, new) {
            (None, None) => Scope::none(),
            (Some(list), None) | (None, Some(list)) => permitted(list),
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => Scope::none(),
            (Some(old), Some(new)) => known(&self.prefix_lists, old, new).unwrap_or_else(|| {
                let scope = prefix_rules(old, new);
                self.prefix_lists.push((Arc::clone(old), Arc::clone(new), scope.clone()));
                scope
            }),
        }
    }

    pub fn access_list(
        &mut self,
        old: Named<'_, CompiledAccessList>,
        new: Named<'_, CompiledAccessList>,
    ) -> Scope {
        match (old, new) {
            (None, None) => Scope::none(),
            (Some(list), None) | (None, Some(list)) => admitted(list),
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => Scope::none(),
            (Some(old), Some(new)) => known(&self.access_lists, old, new).unwrap_or_else(|| {
                let scope = access_rules(old, new);
                self.access_lists.push((Arc::clone(old), Arc::clone(new), scope.clone()));
                scope
            }),
        }
    }

    /// A list of AS paths may judge any prefix.
    pub fn as_path_list(
        &self,
        old: Named<'_, CompiledAsPathList>,
        new: Named<'_, CompiledAsPathList>,
    ) -> Scope {
        match (old, new) {
            (None, None) => Scope::none(),
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => Scope::none(),
            _ => Scope::All,
        }
    }

    pub fn route_map(&mut self, old: Named<'_, RouteMap>, new: Named<'_, RouteMap>) -> Scope {
        match (old, new) {
            (None, None) => Scope::none(),
            (Some(map), None) | (None, Some(map)) => reached(map),
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => Scope::none(),
            (Some(old), Some(new)) => known(&self.maps, old, new).unwrap_or_else(|| {
                let scope = self.entries(old, new);
                self.maps.push((Arc::clone(old), Arc::clone(new), scope.clone()));
                scope
            }),
        }
    }

    /// A prefix that no changed entry can match meets the same entries in the same order as before.
    fn entries(&mut self, old: &RouteMap, new: &RouteMap) -> Scope {
        let mut scope = Scope::none();
        let (mut before, mut after) = (old.entries.iter().peekable(), new.entries.iter().peekable());
        while !scope.is_all() {
            let touched = match (before.peek(), after.peek()) {
                (None, None) => break,
                (Some(a), Some(b)) if a.seq == b.seq => {
                    let both = old.source.entries.get(&a.seq).zip(new.source.entries.get(&b.seq));
                    let touched = match both {
                        Some((x, y)) if same_clauses(x, y) => self.references(a, b),
                        _ => matched(a).union(&matched(b)),
                    };
                    before.next();
                    after.next();
                    touched
                }
                (Some(a), Some(b)) if a.seq < b.seq => before.next().map_or_else(Scope::none, matched),
                (Some(_), None) => before.next().map_or_else(Scope::none, matched),
                (_, Some(_)) => after.next().map_or_else(Scope::none, matched),
            };
            scope = scope.union(&touched);
        }
        scope
    }

    /// Entries of equal text: what they refer to may differ.
    fn references(&mut self, old: &CompiledEntry, new: &CompiledEntry) -> Scope {
        let mut scope = Scope::none();
        for (a, b) in old.tests.iter().zip(&new.tests).filter(|(a, b)| !a.same(b)) {
            let touched = match (a, b) {
                (Test::PrefixList(_, a), Test::PrefixList(_, b)) => self.prefix_list(a.as_ref(), b.as_ref()),
                (Test::AccessList(_, a), Test::AccessList(_, b)) => self.access_list(a.as_ref(), b.as_ref()),
                _ => matched(old).union(&matched(new)),
            };
            scope = scope.union(&touched);
        }
        if old.changes.iter().zip(&new.changes).any(|(a, b)| !a.same(b)) {
            scope = scope.union(&matched(old).union(&matched(new)));
        }
        let called = match (&old.call, &new.call) {
            (Call::None, Call::None) | (Call::Loop, Call::Loop) => Scope::none(),
            (Call::Map(a), Call::Map(b)) => self.route_map(Some(a), Some(b)),
            _ => matched(old).union(&matched(new)),
        };
        scope.union(&called)
    }
}

/// Equal but for the note.
fn same_clauses(a: &Entry, b: &Entry) -> bool {
    a.action == b.action && a.matches == b.matches && a.sets == b.sets && a.call == b.call && a.exit == b.exit
}

fn prefix_rules(old: &CompiledPrefixList, new: &CompiledPrefixList) -> Scope {
    // A list without rules permits everything, so the first rule and the last change everything.
    if old.rules.is_empty() != new.rules.is_empty() {
        return Scope::All;
    }
    let mut ranges = Vec::new();
    let (before, after) = (old.source.rules(), new.source.rules());
    for (seq, rule) in before {
        if after.get(seq) != Some(rule) {
            ranges.push(rule.range());
        }
    }
    for (seq, rule) in after {
        if before.get(seq) != Some(rule) {
            ranges.push(rule.range());
        }
    }
    Scope::of(ranges)
}

/// What a prefix list may permit.
fn permitted(list: &Arc<CompiledPrefixList>) -> Scope {
    if list.rules.is_empty() {
        return Scope::All;
    }
    let permits = list.rules.iter().filter(|rule| rule.rule.action.is_permit());
    Scope::of(permits.map(|rule| rule.rule.range()).collect())
}

fn access_rules(old: &CompiledAccessList, new: &CompiledAccessList) -> Scope {
    let (before, after) = (&old.source.rules, &new.source.rules);
    let gone = before.iter().filter(|(seq, rule)| after.get(seq) != Some(rule));
    let come = after.iter().filter(|(seq, rule)| before.get(seq) != Some(rule));
    all_of(gone.chain(come).map(|(_, rule)| access_range(&rule.matching)))
}

/// What an access list may permit.
fn admitted(list: &Arc<CompiledAccessList>) -> Scope {
    let permits = list.source.rules.values().filter(|rule| rule.action.is_permit());
    all_of(permits.map(|rule| access_range(&rule.matching)))
}

fn all_of(ranges: impl Iterator<Item = Option<Range>>) -> Scope {
    ranges.collect::<Option<Vec<_>>>().map_or(Scope::All, Scope::of)
}

/// `None` where a rule matches prefixes of any length: wildcards do not look at it.
fn access_range(rule: &AccessMatch) -> Option<Range> {
    match rule {
        AccessMatch::Prefix { prefix, exact: true } => Some(Range::exactly(*prefix)),
        AccessMatch::Prefix { prefix, exact: false } => Some(Range::within(*prefix)),
        AccessMatch::Any | AccessMatch::Standard(_) | AccessMatch::Extended { .. } => None,
    }
}

/// The prefixes that an entry can match, as far as its prefix clauses say: the first of them that is not open.
fn matched(entry: &CompiledEntry) -> Scope {
    let of = |test: &Test| match test {
        Test::PrefixList(_, Some(list)) => permitted(list),
        Test::AccessList(_, Some(list)) => admitted(list),
        // What is not there matches nothing.
        Test::PrefixList(_, None) | Test::AccessList(_, None) => Scope::none(),
        Test::Plain(Match::PrefixLen(afi, len)) => with_length(*afi, *len),
        _ => Scope::All,
    };
    entry.tests.iter().map(of).find(|scope| !scope.is_all()).unwrap_or(Scope::All)
}

fn with_length(afi: Afi, len: u8) -> Scope {
    Scope::of(vec![Range { prefix: Prefix::default_of(afi), low: len, high: len }])
}

/// What a map can permit or change.
fn reached(map: &RouteMap) -> Scope {
    map.entries.iter().fold(Scope::none(), |scope, entry| scope.union(&matched(entry)))
}
