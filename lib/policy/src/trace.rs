//! What a route map did to a route, entry by entry. A trace is the evaluation itself, watched: [`RouteMap::trace`] runs the
//! same compiled map as [`RouteMap::apply`] and counts nothing.

use std::fmt;

use serde::Serialize;

use crate::Action;
use crate::apply::{CompiledEntry, Decision, PolicyRoute, RouteMap};
use crate::route_map::Exit;

/// Sees an evaluation. What it is told costs nothing where it does not listen.
pub(crate) trait Observer {
    /// Whether hits are counted.
    const COUNTS: bool;
    fn enter(&mut self, _map: &RouteMap) {}
    /// The match clauses of an entry were asked; the place of the one that did not hold.
    fn tested(&mut self, _entry: &CompiledEntry, _failed: Option<usize>) {}
    /// The set clauses of an entry are next.
    fn changing(&mut self, _route: &dyn PolicyRoute) {}
    fn changed(&mut self, _entry: &CompiledEntry, _place: usize, _route: &dyn PolicyRoute) {}
    fn leave(&mut self, _decision: Decision) {}
}

/// Ordinary evaluation.
pub(crate) struct Counting;

impl Observer for Counting {
    const COUNTS: bool = true;
}

/// One thing about a route that is different afterwards; empty text where there was or is none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Effect {
    pub attribute: &'static str,
    pub before: String,
    pub after: String,
}

/// What differs between two descriptions of a route.
pub fn effects(before: &[(&'static str, String)], after: &[(&'static str, String)]) -> Vec<Effect> {
    let find = |list: &[(&'static str, String)], name: &str| {
        list.iter().find(|(known, _)| *known == name).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let gone = before.iter().filter(|(name, _)| !after.iter().any(|(known, _)| known == name));
    let names = gone.chain(after).map(|(name, _)| *name);
    names
        .map(|attribute| Effect { attribute, before: find(before, attribute), after: find(after, attribute) })
        .filter(|effect| effect.before != effect.after)
        .collect()
}

/// A set clause and what it did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SetTrace {
    pub clause: String,
    /// Empty where the route had it so already, or has no such thing.
    pub effects: Vec<Effect>,
}

/// An entry that was read. Entries jumped over do not appear.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryTrace {
    pub sequence: u16,
    pub action: Action,
    pub matched: bool,
    /// Match clauses that held, in the order in which they were asked.
    pub matched_clauses: Vec<String>,
    /// The one that did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_clause: Option<String>,
    pub sets: Vec<SetTrace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<MapTrace>,
    /// What came next, where it was not the end of the map: `next` or `goto N`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_match: Option<String>,
}

/// A map and what it made of a route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MapTrace {
    pub route_map: String,
    pub entries: Vec<EntryTrace>,
    pub verdict: Action,
    /// The entry that decided; none where no entry matched, which denies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<u16>,
}

/// Texts of an entry's clauses, in the order of evaluation.
struct Texts {
    matches: Vec<String>,
    sets: Vec<String>,
    exit: Option<String>,
}

/// A map that is being read.
struct Open {
    trace: MapTrace,
    texts: Vec<(u16, Texts)>,
    seen: Vec<(&'static str, String)>,
}

#[derive(Default)]
struct Tracer {
    open: Vec<Open>,
    done: Option<MapTrace>,
}

impl Open {
    fn texts(&self, seq: u16) -> Option<&Texts> {
        self.texts.iter().find(|(of, _)| *of == seq).map(|(_, texts)| texts)
    }
}

impl Observer for Tracer {
    const COUNTS: bool = false;

    fn enter(&mut self, map: &RouteMap) {
        let texts = map.source.entries.iter().map(|(seq, entry)| {
            let exit = match entry.exit {
                Exit::Done => None,
                Exit::Next => Some("next".to_owned()),
                Exit::Goto(seq) => Some(format!("goto {seq}")),
            };
            let texts = Texts {
                matches: entry.matches.iter().map(ToString::to_string).collect(),
                sets: entry.sets.iter().map(ToString::to_string).collect(),
                exit,
            };
            (*seq, texts)
        });
        let trace =
            MapTrace { route_map: map.name.clone(), entries: Vec::new(), verdict: Action::Deny, by: None };
        self.open.push(Open { trace, texts: texts.collect(), seen: Vec::new() });
    }

    fn tested(&mut self, entry: &CompiledEntry, failed: Option<usize>) {
        let Some(open) = self.open.last_mut() else { return };
        let texts = open.texts(entry.seq);
        let clauses = texts.map_or(&[][..], |texts| &texts.matches);
        let held = failed.unwrap_or(clauses.len());
        let permits = entry.action.is_permit() && failed.is_none();
        let read = EntryTrace {
            sequence: entry.seq,
            action: entry.action,
            matched: failed.is_none(),
            matched_clauses: clauses.iter().take(held).cloned().collect(),
            failed_clause: failed.and_then(|place| clauses.get(place).cloned()),
            sets: Vec::new(),
            call: None,
            on_match: texts.and_then(|texts| texts.exit.clone()).filter(|_| permits),
        };
        open.trace.entries.push(read);
    }

    fn changing(&mut self, route: &dyn PolicyRoute) {
        if let Some(open) = self.open.last_mut() {
            open.seen = route.describe();
        }
    }

    fn changed(&mut self, entry: &CompiledEntry, place: usize, route: &dyn PolicyRoute) {
        let Some(open) = self.open.last_mut() else { return };
        let now = route.describe();
        let clause =
            open.texts(entry.seq).and_then(|texts| texts.sets.get(place).cloned()).unwrap_or_default();
        let effects = effects(&open.seen, &now);
        open.seen = now;
        if let Some(read) = open.trace.entries.last_mut() {
            read.sets.push(SetTrace { clause, effects });
        }
    }

    fn leave(&mut self, decision: Decision) {
        let Some(mut left) = self.open.pop() else { return };
        left.trace.verdict = if decision.is_permit() { Action::Permit } else { Action::Deny };
        left.trace.by = decision.entry;
        match self.open.last_mut().and_then(|open| open.trace.entries.last_mut()) {
            Some(caller) => caller.call = Some(left.trace),
            None => self.done = Some(left.trace),
        }
    }
}

impl RouteMap {
    /// Judges and changes a route as [`RouteMap::apply`] does, and tells how.
    pub fn trace(&self, route: &mut dyn PolicyRoute) -> MapTrace {
        let mut tracer = Tracer::default();
        self.run(route, &mut tracer);
        tracer.done.unwrap_or(MapTrace {
            route_map: self.name.clone(),
            entries: Vec::new(),
            verdict: Action::Deny,
            by: None,
        })
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        write!(f, "{} {} -> {}", self.attribute, word(&self.before), word(&self.after))
    }
}

impl MapTrace {
    /// Lines indented by `depth`, two columns each.
    pub fn lines(&self, depth: usize, out: &mut Vec<String>) {
        let pad = "  ".repeat(depth);
        out.push(format!("{pad}route-map {}", self.route_map));
        for entry in &self.entries {
            entry.lines(depth + 1, out);
        }
        let by = match self.by {
            Some(seq) => format!("by entry {seq}"),
            None => "no entry matched".to_owned(),
        };
        out.push(format!("{pad}route-map {}: {}, {by}", self.route_map, self.verdict));
    }
}

impl EntryTrace {
    fn lines(&self, depth: usize, out: &mut Vec<String>) {
        let pad = "  ".repeat(depth);
        let clauses = |clauses: &[String]| {
            clauses.iter().map(|clause| format!("match {clause}")).collect::<Vec<_>>().join(", ")
        };
        let found = match &self.failed_clause {
            Some(clause) => format!("no match: match {clause}"),
            None if self.matched_clauses.is_empty() => "matches: no clauses".to_owned(),
            None => format!("matches: {}", clauses(&self.matched_clauses)),
        };
        out.push(format!("{pad}{} {}: {found}", self.action, self.sequence));
        for set in &self.sets {
            let done: Vec<_> = set.effects.iter().map(ToString::to_string).collect();
            let done = if done.is_empty() { "no change".to_owned() } else { done.join(", ") };
            out.push(format!("{pad}  set {}: {done}", set.clause));
        }
        if let Some(call) = &self.call {
            call.lines(depth + 1, out);
        }
        if let Some(exit) = &self.on_match {
            out.push(format!("{pad}  on-match {exit}"));
        }
    }
}
