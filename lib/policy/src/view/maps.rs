//! `show route-map`.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use super::{Daemon, named_json};
use crate::route_map::{Exit, Match, Set, TagValue};
use crate::{Action, Policies, RouteMap};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MapView {
    pub invoked: u64,
    pub disabled_optimization: bool,
    pub processed_change: bool,
    pub rules: Vec<RuleView>,
    #[serde(rename = "cpuTimeMS")]
    pub cpu_time_ms: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    pub sequence_number: u16,
    pub r#type: Action,
    pub invoked: u64,
    #[serde(rename = "cpuTimeMS")]
    pub cpu_time_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub match_clauses: Vec<String>,
    pub set_clauses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_clause: Option<String>,
    pub action: String,
}

fn view(map: &RouteMap, processed_change: bool) -> MapView {
    let rules = map.entries.iter().zip(map.source.entries.values()).map(|(compiled, entry)| RuleView {
        sequence_number: compiled.seq,
        r#type: entry.action,
        invoked: compiled.hits.get(),
        cpu_time_ms: 0,
        description: entry.description.clone(),
        match_clauses: entry.matches.iter().map(shown_match).collect(),
        set_clauses: entry.sets.iter().map(shown_set).collect(),
        call_clause: entry.call.clone(),
        action: match entry.exit {
            Exit::Done => "Exit routemap".to_owned(),
            Exit::Next => "Continue to next entry".to_owned(),
            Exit::Goto(seq) => format!("Goto {seq}"),
        },
    });
    MapView {
        invoked: map.invoked.get(),
        disabled_optimization: map.source.no_optimization,
        processed_change,
        rules: rules.collect(),
        cpu_time_ms: 0,
    }
}

/// FRR shows the compiled value: an absent tag is 0.
fn shown_match(clause: &Match) -> String {
    match clause {
        Match::Tag(TagValue(tag)) => format!("tag {tag}"),
        other => other.to_string(),
    }
}

fn shown_set(clause: &Set) -> String {
    match clause {
        Set::Tag(TagValue(tag)) => format!("tag {tag}"),
        Set::CommListDelete(name) | Set::LargeCommListDelete(name) | Set::ExtCommListDelete(name) => {
            format!("{} {name}", clause.key())
        }
        other => other.to_string(),
    }
}

impl fmt::Display for MapView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let optimization = if self.disabled_optimization { "disabled" } else { "enabled" };
        writeln!(
            f,
            " Invoked: {} ({} milliseconds total) Optimization: {optimization} Processed Change: {}",
            self.invoked, self.cpu_time_ms, self.processed_change
        )?;
        self.rules.iter().try_for_each(|rule| write!(f, "{rule}"))
    }
}

impl fmt::Display for RuleView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RuleView { r#type, sequence_number, invoked, cpu_time_ms, .. } = self;
        writeln!(
            f,
            " {}, sequence {sequence_number} Invoked {invoked} ({cpu_time_ms} milliseconds total)",
            r#type
        )?;
        if let Some(text) = &self.description {
            writeln!(f, "  Description:\n    {text}")?;
        }
        writeln!(f, "  Match clauses:")?;
        self.match_clauses.iter().try_for_each(|clause| writeln!(f, "    {clause}"))?;
        writeln!(f, "  Set clauses:")?;
        self.set_clauses.iter().try_for_each(|clause| writeln!(f, "    {clause}"))?;
        writeln!(f, "  Call clause:")?;
        if let Some(name) = &self.call_clause {
            writeln!(f, "    Call {name}")?;
        }
        writeln!(f, "  Action:\n    {}", self.action)
    }
}

pub(super) fn show(policies: &Policies, daemon: Daemon, name: Option<&str>, json: bool) -> String {
    let maps: IndexMap<&str, MapView> = policies
        .route_maps
        .iter()
        .filter(|(known, _)| name.is_none_or(|name| name == *known))
        .map(|(known, map)| (known.as_str(), view(map, policies.waiting.contains(known))))
        .collect();
    if json {
        return named_json(daemon, &maps);
    }
    let mut text = format!("{}:\n", daemon.title);
    if let (Some(name), true) = (name, maps.is_empty()) {
        text.push_str(&format!("{}: 'route-map {name}' not found\n", daemon.title));
    }
    for (name, map) in &maps {
        text.push_str(&format!("route-map: {name}{map}"));
    }
    text
}

pub(super) fn clear(policies: &Policies, name: Option<&str>) -> String {
    for (known, map) in &policies.route_maps {
        if name.is_none_or(|name| name == known) {
            map.invoked.clear();
            map.entries.iter().for_each(|entry| entry.hits.clear());
        }
    }
    String::new()
}
