//! `show bgp community-list` for the three kinds, and `show bgp as-path-access-list`.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use super::{line, pretty};
use crate::community_list::{CompiledCommunityList, ListedCommunity, Style};
use crate::{Action, Policies};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AsPathRuleView {
    pub sequence_number: u32,
    pub r#type: Action,
    pub reg_exp: String,
}

pub(super) fn as_path(policies: &Policies, name: Option<&str>, json: bool) -> String {
    let lists = policies.as_path_lists.iter().filter(|(known, _)| name.is_none_or(|name| name == *known));
    if json {
        let views: IndexMap<_, Vec<_>> = lists
            .map(|(known, list)| {
                let rules = list.source.rules.iter().map(|(seq, rule)| AsPathRuleView {
                    sequence_number: *seq,
                    r#type: rule.action,
                    reg_exp: rule.pattern.clone(),
                });
                (known, rules.collect())
            })
            .collect();
        return pretty(&views);
    }
    let mut text = String::new();
    for (known, list) in lists {
        line(&mut text, format!("AS path access list {known}"));
        for rule in list.source.rules.values() {
            line(&mut text, format!("    {} {}", rule.action, rule.pattern));
        }
    }
    text
}

/// The headings that FRR gives lists, which differ by kind, style and whether the name is a number.
fn heading<C: ListedCommunity>(name: &str, style: Style) -> String {
    let numbered = name.bytes().all(|b| b.is_ascii_digit());
    let kind = C::TITLE;
    match (numbered, style) {
        (true, Style::Standard) => format!("{} standard list {name}", capital(kind)),
        (true, Style::Expanded) => format!("{} (expanded) access list {name}", capital(kind)),
        (false, Style::Standard) => format!("Named {kind} standard list {name}"),
        (false, Style::Expanded) => format!("Named {kind} expanded list {name}"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub(super) fn show<C: ListedCommunity>(
    lists: &BTreeMap<String, Arc<CompiledCommunityList<C>>>,
    name: Option<&str>,
) -> String {
    if name.is_some_and(|name| !lists.contains_key(name)) {
        return format!("% Can't find {}\n", C::LIST);
    }
    let mut text = String::new();
    for (known, list) in lists.iter().filter(|(known, _)| name.is_none_or(|name| name == *known)) {
        line(&mut text, heading::<C>(known, list.source.style));
        for rule in list.source.rules.values() {
            line(&mut text, format!("    {} {}", rule.action, rule.text));
        }
    }
    text
}
