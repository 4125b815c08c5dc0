//! What `show route-map` and the shows of the lists return: structs rendered as FRR's text (`Display`) and as FRR's JSON.
//!
//! [`register`] adds the commands; a daemon's handler type wraps a [`PolicyShow`] and calls [`PolicyShow::run`].

use std::fmt::Write as _;

use ferrite_cli::{Args, ExecCommand, Registry};
use ferrite_types::Afi;

use crate::Policies;

mod access;
mod community;
mod maps;
mod prefix;

/// A show or clear command of this crate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyShow {
    RouteMap,
    PrefixList(Afi),
    PrefixListSummary(Afi),
    PrefixListDetail(Afi),
    PrefixListLookup(Afi),
    AccessList(Afi),
    AsPathList,
    CommunityList,
    LargeCommunityList,
    ExtCommunityList,
    ClearRouteMap,
    ClearPrefixList(Afi),
}

/// The daemon that answers, as FRR's output names it: `BGP` and `bgpd`, `ZEBRA` and `zebra`.
#[derive(Clone, Copy, Debug)]
pub struct Daemon {
    pub title: &'static str,
    pub name: &'static str,
}

impl PolicyShow {
    /// Whether counters are set to zero by it.
    pub fn clears(self) -> bool {
        matches!(self, Self::ClearRouteMap | Self::ClearPrefixList(_))
    }

    /// The whole output of the command.
    pub fn run(self, policies: &Policies, daemon: Daemon, args: &Args) -> String {
        let json = args.has("json");
        let name = args.get("name");
        match self {
            Self::RouteMap => maps::show(policies, daemon, name, json),
            Self::PrefixList(afi) => prefix::show(policies, daemon, afi, args, json),
            Self::PrefixListSummary(afi) => prefix::summary(policies, daemon, afi, name, false, json),
            Self::PrefixListDetail(afi) => prefix::summary(policies, daemon, afi, name, true, json),
            Self::PrefixListLookup(afi) => prefix::lookup(policies, afi, args),
            Self::AccessList(afi) => access::show(policies, daemon, afi, name, json),
            Self::AsPathList => community::as_path(policies, name, json),
            Self::CommunityList => community::show(&policies.community_lists, name),
            Self::LargeCommunityList => community::show(&policies.large_community_lists, name),
            Self::ExtCommunityList => community::show(&policies.ext_community_lists, name),
            Self::ClearRouteMap => maps::clear(policies, name),
            Self::ClearPrefixList(afi) => prefix::clear(policies, afi, args),
        }
    }
}

/// JSON under the daemon's name, as the shell prints what several daemons answer.
fn named_json(daemon: Daemon, value: &impl serde::Serialize) -> String {
    let mut whole = serde_json::Map::new();
    whole.insert(daemon.name.to_owned(), serde_json::to_value(value).unwrap_or_default());
    pretty(&whole)
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn line(out: &mut String, text: impl AsRef<str>) {
    let _ = writeln!(out, "{}", text.as_ref());
}

/// Adds the commands; AS-path and community lists are BGP's.
pub fn register<C: 'static, H>(registry: &mut Registry<C, H>, bgp: bool, wrap: fn(PolicyShow) -> H) {
    use PolicyShow::*;
    const SHOW: &str = "Show running system information";
    const JSON: &str = "JavaScript Object Notation";
    const NAME: &str = "Name";
    let mut add = |syntax: String, help: &[&'static str], show: PolicyShow| {
        registry.exec(ExecCommand::new(syntax, help, wrap(show)));
    };
    add("show route-map [WORD$name] [json]".into(), &[SHOW, "Route maps", NAME, JSON], RouteMap);
    for (afi, ip, pattern) in [(Afi::Ipv4, "ip", "A.B.C.D/M"), (Afi::Ipv6, "ipv6", "X:X::X:X/M")] {
        let list = [SHOW, "Internet Protocol", "Prefix lists"];
        let help = |more: &[&'static str]| [&list, more].concat();
        add(
            format!("show {ip} prefix-list [WORD$name [seq (1-4294967295)$number]] [json]"),
            &help(&[NAME, "A single rule", "Sequence number", JSON]),
            PrefixList(afi),
        );
        add(
            format!("show {ip} prefix-list summary [WORD$name] [json]"),
            &help(&["Counts", NAME, JSON]),
            PrefixListSummary(afi),
        );
        add(
            format!("show {ip} prefix-list detail [WORD$name] [json]"),
            &help(&["Counts and rules", NAME, JSON]),
            PrefixListDetail(afi),
        );
        add(
            format!("show {ip} prefix-list WORD$name {pattern}$prefix [longer|first-match]"),
            &help(&[NAME, "Prefix", "Rules for longer prefixes too", "The rule that decides"]),
            PrefixListLookup(afi),
        );
        add(
            format!("show {ip} access-list [WORD$name] [json]"),
            &[SHOW, "Internet Protocol", "Access lists", NAME, JSON],
            AccessList(afi),
        );
    }
    if bgp {
        for (head, first) in [("bgp", "BGP information"), ("ip", "Internet Protocol")] {
            add(
                format!("show {head} as-path-access-list [AS_PATH_FILTER_NAME$name] [json]"),
                &[SHOW, first, "AS-path access lists", NAME, JSON],
                AsPathList,
            );
        }
        for (word, show) in [
            ("community-list", CommunityList),
            ("large-community-list", LargeCommunityList),
            ("extcommunity-list", ExtCommunityList),
        ] {
            add(format!("show bgp {word}"), &[SHOW, "BGP information", "Lists over communities"], show);
            add(
                format!("show bgp {word} WORD$name detail"),
                &[SHOW, "BGP information", "Lists over communities", NAME, "Its rules"],
                show,
            );
        }
    }
    let mut clear = |syntax: &'static str, help: &[&'static str], show: PolicyShow| {
        registry.exec(ExecCommand::new(syntax, help, wrap(show)).privileged());
    };
    clear(
        "clear route-map counters [RMAP_NAME$name]",
        &["Reset functions", "Route maps", "Hit counters", NAME],
        ClearRouteMap,
    );
    clear(
        "clear ip prefix-list [PREFIXLIST4_NAME$name [A.B.C.D/M$prefix]]",
        &["Reset functions", "Internet Protocol", "Prefix lists", NAME, "Prefix"],
        ClearPrefixList(Afi::Ipv4),
    );
    clear(
        "clear ipv6 prefix-list [PREFIXLIST6_NAME$name [X:X::X:X/M$prefix]]",
        &["Reset functions", "Internet Protocol", "Prefix lists", NAME, "Prefix"],
        ClearPrefixList(Afi::Ipv6),
    );
}
