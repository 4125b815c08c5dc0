//! `show ip prefix-list` and its kin.

use ferrite_cli::Args;
use ferrite_types::{Afi, Prefix};
use indexmap::IndexMap;
use serde::Serialize;

use super::{Daemon, line, named_json};
use crate::prefix_list::{CompiledPrefixList, CompiledRule};
use crate::{Action, Policies};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    pub sequence_number: u32,
    pub r#type: Action,
    pub prefix: Prefix,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_prefix_length: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_prefix_length: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_count: Option<u64>,
}

/// A list with its rules.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListView {
    pub address_family: &'static str,
    pub entries: Vec<RuleView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A list with its counts and, in detail, its rules.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryView {
    pub address_family: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub count: usize,
    pub range_entries: usize,
    pub sequence_start: u32,
    pub sequence_end: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<RuleView>>,
}

fn family(afi: Afi) -> &'static str {
    if afi == Afi::Ipv6 { "IPv6" } else { "IPv4" }
}

fn ip(afi: Afi) -> &'static str {
    if afi == Afi::Ipv6 { "ipv6" } else { "ip" }
}

fn rule_view(rule: &CompiledRule, counts: bool) -> RuleView {
    RuleView {
        sequence_number: rule.seq,
        r#type: rule.rule.action,
        prefix: rule.rule.prefix,
        minimum_prefix_length: rule.rule.ge,
        maximum_prefix_length: rule.rule.le,
        hit_count: counts.then(|| rule.hits.get()),
        reference_count: counts.then_some(0),
    }
}

fn counted(rule: &CompiledRule) -> String {
    format!("   seq {} {} (hit count: {}, refcount: 0)", rule.seq, rule.rule, rule.hits.get())
}

fn selected<'a>(
    policies: &'a Policies,
    afi: Afi,
    name: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, &'a CompiledPrefixList)> {
    let lists = if afi == Afi::Ipv6 { &policies.prefix_lists_v6 } else { &policies.prefix_lists_v4 };
    lists
        .iter()
        .filter(move |(known, _)| name.is_none_or(|name| name == *known))
        .map(|(known, list)| (known.as_str(), &**list))
}

fn missing(policies: &Policies, afi: Afi, name: Option<&str>) -> Option<String> {
    name.filter(|name| policies.prefix_list(afi, name).is_none())
        .map(|_| "% Can't find specified prefix-list\n".to_owned())
}

pub(super) fn show(policies: &Policies, daemon: Daemon, afi: Afi, args: &Args, json: bool) -> String {
    let (name, seq) = (args.get("name"), args.parse_opt::<u32>("number").ok().flatten());
    if let Some(text) = missing(policies, afi, name).filter(|_| !json) {
        return text;
    }
    let lists = selected(policies, afi, name);
    let of_seq = |rule: &&CompiledRule| seq.is_none_or(|seq| seq == rule.seq);
    if json {
        let views: IndexMap<_, _> = lists
            .map(|(known, list)| {
                let entries = list.rules.iter().filter(of_seq).map(|rule| rule_view(rule, false)).collect();
                let description = list.source.description.clone();
                (known, ListView { address_family: family(afi), entries, description })
            })
            .collect();
        return named_json(daemon, &views);
    }
    let mut text = String::new();
    for (known, list) in lists {
        if seq.is_some() {
            for rule in list.rules.iter().filter(of_seq) {
                line(&mut text, format!("{}: {}", daemon.title, counted(rule)));
            }
            continue;
        }
        line(
            &mut text,
            format!("{}: {} prefix-list {known}: {} entries", daemon.title, ip(afi), list.rules.len()),
        );
        if let Some(description) = &list.source.description {
            line(&mut text, format!("   Description: {description}"));
        }
        for rule in &list.rules {
            line(&mut text, format!("   seq {} {}", rule.seq, rule.rule));
        }
    }
    text
}

pub(super) fn summary(
    policies: &Policies,
    daemon: Daemon,
    afi: Afi,
    name: Option<&str>,
    detail: bool,
    json: bool,
) -> String {
    if let Some(text) = missing(policies, afi, name).filter(|_| !json) {
        return text;
    }
    let ends = |list: &CompiledPrefixList| {
        let seq = |rule: Option<&CompiledRule>| rule.map_or(0, |rule| rule.seq);
        (seq(list.rules.first()), seq(list.rules.last()))
    };
    let lists = selected(policies, afi, name);
    if json {
        let view = |list: &CompiledPrefixList| SummaryView {
            address_family: family(afi),
            description: list.source.description.clone(),
            count: list.rules.len(),
            range_entries: 0,
            sequence_start: ends(list).0,
            sequence_end: ends(list).1,
            entries: detail.then(|| list.rules.iter().map(|rule| rule_view(rule, true)).collect()),
        };
        let views: IndexMap<_, _> = lists.map(|(known, list)| (known, view(list))).collect();
        return named_json(daemon, &views);
    }
    let mut text = String::new();
    for (known, list) in lists {
        let (start, end) = ends(list);
        line(&mut text, format!("{}: {} prefix-list {known}:", daemon.title, ip(afi)));
        if let Some(description) = &list.source.description {
            line(&mut text, format!("   Description: {description}"));
        }
        let count = list.rules.len();
        line(&mut text, format!("   count: {count}, range entries: 0, sequences: {start} - {end}"));
        if detail {
            list.rules.iter().for_each(|rule| line(&mut text, counted(rule)));
        }
    }
    text
}

/// `show ip prefix-list NAME PREFIX [longer|first-match]`.
pub(super) fn lookup(policies: &Policies, afi: Afi, args: &Args) -> String {
    let name = args.get("name");
    if let Some(text) = missing(policies, afi, name) {
        return text;
    }
    let Ok(prefix) = args.parse::<Prefix>("prefix") else { return String::new() };
    let mut text = String::new();
    for rule in selected(policies, afi, name).flat_map(|(_, list)| &list.rules) {
        if args.has("longer") {
            if prefix.covers(rule.rule.prefix) {
                line(&mut text, format!("   seq {} {}", rule.seq, rule.rule));
            }
        } else if rule.rule.prefix.covers(prefix) {
            line(&mut text, counted(rule));
            if args.has("first-match") {
                break;
            }
        }
    }
    text
}

pub(super) fn clear(policies: &Policies, afi: Afi, args: &Args) -> String {
    let name = args.get("name");
    if let Some(text) = missing(policies, afi, name) {
        return text;
    }
    let prefix = args.parse_opt::<Prefix>("prefix").ok().flatten();
    for rule in selected(policies, afi, name).flat_map(|(_, list)| &list.rules) {
        if prefix.is_none_or(|prefix| rule.rule.prefix.covers(prefix)) {
            rule.hits.clear();
        }
    }
    String::new()
}
