//! `show ip access-list`.

use std::net::Ipv4Addr;

use ferrite_types::{Afi, Prefix};
use indexmap::IndexMap;
use serde::Serialize;

use super::{Daemon, line, named_json};
use crate::access_list::{AccessList, AccessMatch, AccessRule};
use crate::{Action, Policies};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListView {
    pub r#type: &'static str,
    pub address_family: &'static str,
    pub rules: Vec<RuleView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    pub sequence_number: u32,
    pub filter_type: Action,
    #[serde(flatten)]
    pub matching: MatchView,
}

#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum MatchView {
    Zebra {
        prefix: Prefix,
        #[serde(rename = "exact-match")]
        exact: bool,
    },
    Standard {
        address: Ipv4Addr,
        mask: Ipv4Addr,
    },
    Extended {
        extended: bool,
        source_address: Ipv4Addr,
        source_mask: Ipv4Addr,
        destination_address: Ipv4Addr,
        destination_mask: Ipv4Addr,
    },
}

fn match_view(matching: &AccessMatch, afi: Afi) -> MatchView {
    match matching {
        AccessMatch::Any => MatchView::Zebra { prefix: Prefix::default_of(afi), exact: false },
        AccessMatch::Prefix { prefix, exact } => MatchView::Zebra { prefix: *prefix, exact: *exact },
        AccessMatch::Standard(w) => MatchView::Standard { address: w.addr, mask: w.wildcard },
        AccessMatch::Extended { source, destination } => MatchView::Extended {
            extended: true,
            source_address: source.addr,
            source_mask: source.wildcard,
            destination_address: destination.addr,
            destination_mask: destination.wildcard,
        },
    }
}

fn form(list: &AccessList) -> &'static str {
    list.rules.values().next().map_or("Zebra", |rule| rule.matching.form())
}

fn rule_line(seq: u32, rule: &AccessRule) -> String {
    let action = format!("{:<6}", rule.action);
    let value = match &rule.matching {
        AccessMatch::Standard(w) if !w.is_host() => format!("{}, wildcard bits {}", w.addr, w.wildcard),
        other => other.to_string(),
    };
    format!("    seq {seq} {action} {value}")
}

pub(super) fn show(policies: &Policies, daemon: Daemon, afi: Afi, name: Option<&str>, json: bool) -> String {
    let (lists, title, family) = match afi {
        Afi::Ipv6 => (&policies.access_lists_v6, "IPv6 ", "IPv6"),
        Afi::Ipv4 | Afi::L2vpn => (&policies.access_lists_v4, "IP", "IPv4"),
    };
    let lists = lists.iter().filter(|(known, _)| name.is_none_or(|name| name == *known));
    if json {
        let views: IndexMap<_, _> = lists
            .map(|(known, list)| {
                let rules = list.source.rules.iter().map(|(seq, rule)| RuleView {
                    sequence_number: *seq,
                    filter_type: rule.action,
                    matching: match_view(&rule.matching, afi),
                });
                let view =
                    ListView { r#type: form(&list.source), address_family: family, rules: rules.collect() };
                (known, view)
            })
            .collect();
        return named_json(daemon, &views);
    }
    let mut text = format!("{}:\n", daemon.title);
    for (known, list) in lists {
        line(&mut text, format!("{} {title} access list {known}", form(&list.source)));
        for (seq, rule) in &list.source.rules {
            line(&mut text, rule_line(*seq, rule));
        }
    }
    text
}
