//! The commands of prefix lists, access lists, AS-path lists and community lists.

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Lines, Negation, Registry};
use ferrite_types::{Afi, Community, ExtCommunity, LargeCommunity, Prefix};

use super::{Access, Refused, Scope};
use crate::access_list::{AccessMatch, AccessRule, Wildcard};
use crate::as_path_list::AsPathRule;
use crate::community_list::{CommunityList, CommunityRule, ListedCommunity, Style, canonical};
use crate::config::{Named, edit};
use crate::prefix_list::PrefixRule;
use crate::{Action, Numbering, PolicyConfig, place};

pub(super) fn register<C: 'static, H>(registry: &mut Registry<C, H>, scope: Scope, access: Access<C>) {
    prefix_lists(registry, access);
    access_lists(registry, access);
    if scope == Scope::Bgp {
        as_path_lists(registry, access);
        community_lists::<C, H, Community>(registry, access, |policy| &mut policy.community_lists);
        community_lists::<C, H, ExtCommunity>(registry, access, |policy| &mut policy.ext_community_lists);
        community_lists::<C, H, LargeCommunity>(registry, access, |policy| &mut policy.large_community_lists);
    }
    registry
        .renderer(order::PREFIX_LIST, move |c, lines| render_prefix_lists((access.get)(c), Afi::Ipv4, lines));
    registry.renderer(order::PREFIX_LIST_IPV6, move |c, lines| {
        render_prefix_lists((access.get)(c), Afi::Ipv6, lines);
    });
    registry
        .renderer(order::ACCESS_LIST, move |c, lines| render_access_lists((access.get)(c), Afi::Ipv4, lines));
    registry.renderer(order::ACCESS_LIST_IPV6, move |c, lines| {
        render_access_lists((access.get)(c), Afi::Ipv6, lines);
    });
    registry.renderer(order::AS_PATH, move |c, lines| render_as_path_lists((access.get)(c), lines));
    registry.renderer(order::COMMUNITY_LIST, move |c, lines| {
        let policy = (access.get)(c);
        render_community_lists::<Community>(&policy.community_lists, lines);
        render_community_lists::<ExtCommunity>(&policy.ext_community_lists, lines);
        render_community_lists::<LargeCommunity>(&policy.large_community_lists, lines);
    });
}

/// Removes the list of that name once nothing stands in it.
fn drop_empty<T>(lists: &mut Named<T>, name: &str, is_empty: fn(&T) -> bool) {
    if lists.get(name).is_some_and(|list| is_empty(list)) {
        lists.remove(name);
    }
}

// Prefix lists

fn prefix_rule(afi: Afi, args: &Args) -> Result<PrefixRule, CliError> {
    let action: Action = args.parse("action")?;
    if args.has("any") {
        return Ok(PrefixRule::any(action, afi));
    }
    let prefix: Prefix = args.parse("prefix")?;
    PrefixRule::new(action, prefix, args.parse_opt("low")?, args.parse_opt("high")?)
        .map_err(CliError::refused)
}

fn edit_prefix_rule(policy: &mut PolicyConfig, afi: Afi, args: &Args, negated: bool) -> Refused {
    let name: String = args.parse("name")?;
    let seq: Option<u32> = args.parse_opt("at")?;
    let lists = policy.prefix_lists_mut(afi);
    if !negated {
        let rule = prefix_rule(afi, args)?;
        edit(lists, &name).insert(seq, rule);
        return Ok(());
    }
    // What is not there need not be removed.
    if !lists.contains_key(&name) {
        return Ok(());
    }
    let list = edit(lists, &name);
    match (seq, args.has("action")) {
        (Some(seq), _) => {
            list.remove(seq);
        }
        (None, true) => {
            let rule = prefix_rule(afi, args)?;
            list.remove_rule(&rule);
        }
        (None, false) => {}
    }
    let whole = seq.is_none() && !args.has("action");
    if whole {
        lists.remove(&name);
    } else {
        drop_empty(lists, &name, |list| list.is_empty());
    }
    Ok(())
}

fn prefix_lists<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    for (afi, ip, name, pattern, max, any) in [
        (Afi::Ipv4, "ip", "PREFIXLIST4_NAME", "A.B.C.D/M", 32, "ip prefix-list P seq 5 permit any"),
        (Afi::Ipv6, "ipv6", "PREFIXLIST6_NAME", "X:X::X:X/M", 128, "ipv6 prefix-list P seq 5 permit any"),
    ] {
        let rule =
            format!("<deny|permit>$action <any|{pattern}$prefix [{{ge (0-{max})$low|le (0-{max})$high}}]>");
        let help = &[
            "Internet Protocol",
            "Prefix list",
            "Name of the list",
            "Place of the rule",
            "Sequence number",
            "Refuse what matches",
            "Accept what matches",
            "Every prefix",
            "Network of the rule",
            "Shortest length that matches",
            "Prefix length",
            "Longest length that matches",
            "Prefix length",
        ];
        registry.command(
            ConfigCommand::new(
                &[&CONFIG],
                format!("{ip} prefix-list {name}$name [seq (1-4294967295)$at] {rule}"),
                help,
                move |c, e: &Edit<'_>| edit_prefix_rule((access.get_mut)(c), afi, e.args, e.negated),
            )
            .no(Negation::Syntax(match afi {
                Afi::Ipv6 => {
                    "no ipv6 prefix-list PREFIXLIST6_NAME$name [seq (1-4294967295)$at] [<deny|permit>$action <any|X:X::X:X/M$prefix [{ge (0-128)$low|le (0-128)$high}]>]"
                }
                _ => {
                    "no ip prefix-list PREFIXLIST4_NAME$name [seq (1-4294967295)$at] [<deny|permit>$action <any|A.B.C.D/M$prefix [{ge (0-32)$low|le (0-32)$high}]>]"
                }
            }))
            .example(any)
            .example(match afi {
                Afi::Ipv6 => "ipv6 prefix-list P seq 10 deny 2001:db8::/32 ge 33 le 48",
                _ => "ip prefix-list P seq 10 deny 10.0.0.0/8 ge 9 le 24",
            }),
        );
        registry.command(
            ConfigCommand::new(
                &[&CONFIG],
                format!("{ip} prefix-list {name}$name description LINE$text..."),
                &["Internet Protocol", "Prefix list", "Name of the list", "A note on the list", "The note"],
                move |c, e: &Edit<'_>| {
                    let name: String = e.args.parse("name")?;
                    let lists = (access.get_mut)(c).prefix_lists_mut(afi);
                    edit(lists, &name).description =
                        e.args.get("text").filter(|_| !e.negated).map(str::to_owned);
                    drop_empty(lists, &name, |list| list.is_empty());
                    Ok(())
                },
            )
            .example(format!("{ip} prefix-list P description what it is for")),
        );
    }
}

fn render_prefix_lists(policy: &PolicyConfig, afi: Afi, lines: &mut Lines) {
    let ip = if afi == Afi::Ipv6 { "ipv6" } else { "ip" };
    for (name, list) in policy.prefix_lists(afi) {
        if let Some(text) = &list.description {
            lines.line(format!("{ip} prefix-list {name} description {text}"));
        }
        for (seq, rule) in list.rules() {
            lines.line(format!("{ip} prefix-list {name} seq {seq} {rule}"));
        }
    }
}

// Access lists

fn wildcard(args: &Args, any: &str, host: &str, addr: &str, mask: &str) -> Result<Wildcard, CliError> {
    if args.has(any) {
        Ok(Wildcard::ANY)
    } else if args.has(host) {
        Ok(Wildcard::host(args.ipv4(host)?))
    } else {
        Ok(Wildcard::new(args.ipv4(addr)?, args.ipv4(mask)?))
    }
}

/// `[host] A.B.C.D` or `A.B.C.D WILDCARD`.
fn standard(args: &Args) -> Result<AccessMatch, CliError> {
    let addr = args.ipv4("addr")?;
    Ok(AccessMatch::Standard(match args.parse_opt("mask")? {
        Some(mask) => Wildcard::new(addr, mask),
        None => Wildcard::host(addr),
    }))
}

fn extended(args: &Args) -> Result<AccessMatch, CliError> {
    Ok(AccessMatch::Extended {
        source: wildcard(args, "src_any", "src_host", "src", "src_mask")?,
        destination: wildcard(args, "dst_any", "dst_host", "dst", "dst_mask")?,
    })
}

fn zebra(args: &Args) -> Result<AccessMatch, CliError> {
    if args.has("any") {
        return Ok(AccessMatch::Any);
    }
    Ok(AccessMatch::Prefix { prefix: args.parse("prefix")?, exact: args.has("exact-match") })
}

fn edit_access_rule(
    policy: &mut PolicyConfig,
    afi: Afi,
    e: &Edit<'_>,
    matching: fn(&Args) -> Result<AccessMatch, CliError>,
) -> Refused {
    let name: String = e.args.parse("name")?;
    let seq: Option<u32> = e.args.parse_opt("at")?;
    let rule = AccessRule { action: e.args.parse("action")?, matching: matching(e.args)? };
    let lists = policy.access_lists_mut(afi);
    if !e.negated {
        let list = edit(lists, &name);
        if list.rules.values().next().is_some_and(|first| !same_form(&first.matching, &rule.matching)) {
            return Err(CliError::refused(format!("access-list {name} holds rules of another kind")));
        }
        let at = place(&list.rules, seq, &rule, Numbering::PlusFive);
        list.rules.insert(at, rule);
        return Ok(());
    }
    if !lists.contains_key(&name) {
        return Ok(());
    }
    edit(lists, &name).rules.retain(|at, present| *present != rule || seq.is_some_and(|seq| seq != *at));
    drop_empty(lists, &name, |list| list.is_empty());
    Ok(())
}

fn same_form(a: &AccessMatch, b: &AccessMatch) -> bool {
    a.form() == b.form()
}

const ACL_HEAD: &[&str] = &[
    "Access list",
    "Name of the list",
    "Place of the rule",
    "Sequence number",
    "Refuse what matches",
    "Accept what matches",
];

fn access_rule<C: 'static, H>(
    registry: &mut Registry<C, H>,
    access: Access<C>,
    afi: Afi,
    tail: &str,
    tail_help: &[&'static str],
    matching: fn(&Args) -> Result<AccessMatch, CliError>,
    examples: &[&str],
) {
    let (head, mut help) = match afi {
        Afi::Ipv6 => ("ipv6 access-list ACCESSLIST6_NAME$name", vec!["Internet Protocol version 6"]),
        _ => ("access-list ACCESSLIST4_NAME$name", Vec::new()),
    };
    help.extend(ACL_HEAD.iter().chain(tail_help).copied());
    let mut command = ConfigCommand::new(
        &[&CONFIG],
        format!("{head} [seq (1-4294967295)$at] <deny|permit>$action {tail}"),
        &help,
        move |c, e: &Edit<'_>| edit_access_rule((access.get_mut)(c), afi, e, matching),
    );
    for example in examples {
        command = command.example(*example);
    }
    registry.command(command);
}

fn access_lists<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    let network = &["Network that matches", "Only the network itself", "Everything"];
    access_rule(
        registry,
        access,
        Afi::Ipv4,
        "<A.B.C.D/M$prefix [exact-match]|any>",
        network,
        zebra,
        &[
            "access-list L seq 5 permit 10.0.0.0/8",
            "access-list L seq 5 deny 10.0.0.0/8 exact-match",
            "access-list L seq 5 permit any",
        ],
    );
    access_rule(
        registry,
        access,
        Afi::Ipv6,
        "<X:X::X:X/M$prefix [exact-match]|any>",
        network,
        zebra,
        &["ipv6 access-list L seq 5 permit 2001:db8::/32", "ipv6 access-list L seq 5 deny any"],
    );
    access_rule(
        registry,
        access,
        Afi::Ipv4,
        "<[host] A.B.C.D$addr|A.B.C.D$addr A.B.C.D$mask>",
        &["A single address", "Address", "Address", "Bits that do not count"],
        standard,
        &["access-list L seq 5 permit 10.0.0.1", "access-list L seq 5 permit 10.0.0.0 0.0.0.255"],
    );
    access_rule(
        registry,
        access,
        Afi::Ipv4,
        "ip <A.B.C.D$src A.B.C.D$src_mask|host A.B.C.D$src_host|any$src_any> <A.B.C.D$dst A.B.C.D$dst_mask|host A.B.C.D$dst_host|any$dst_any>",
        &[
            "Any Internet protocol",
            "Network",
            "Bits that do not count",
            "A single network address",
            "Address",
            "Every network",
            "Mask",
            "Bits that do not count",
            "A single mask",
            "Mask",
            "Every mask",
        ],
        extended,
        &[
            "access-list L seq 5 permit ip 10.0.0.0 0.0.0.255 host 1.1.1.1",
            "access-list L seq 5 deny ip any any",
        ],
    );
    for (afi, whole, remark, help) in [
        (Afi::Ipv4, "access-list ACCESSLIST4_NAME$name", "access-list L remark who may", &ACL_HEAD[..2]),
        (
            Afi::Ipv6,
            "ipv6 access-list ACCESSLIST6_NAME$name",
            "ipv6 access-list L remark who may",
            &["Internet Protocol version 6", "Access list", "Name of the list"][..],
        ),
    ] {
        let mut full = help.to_vec();
        full.extend(["A note on the list", "The note"]);
        registry.command(
            ConfigCommand::new(
                &[&CONFIG],
                format!("{whole} remark LINE$text..."),
                &full,
                move |c, e: &Edit<'_>| {
                    let name: String = e.args.parse("name")?;
                    let lists = (access.get_mut)(c).access_lists_mut(afi);
                    edit(lists, &name).remark = e.args.get("text").filter(|_| !e.negated).map(str::to_owned);
                    drop_empty(lists, &name, |list| list.is_empty());
                    Ok(())
                },
            )
            .example(remark),
        );
        let mut no_help = vec!["Negate a command or set its defaults"];
        no_help.extend(help);
        registry.command(
            ConfigCommand::new(&[&CONFIG], format!("no {whole}"), &no_help, move |c, e: &Edit<'_>| {
                let name: String = e.args.parse("name")?;
                let lists = (access.get_mut)(c).access_lists_mut(afi);
                lists.remove(&name);
                Ok(())
            })
            .no(Negation::Never),
        );
    }
}

fn render_access_lists(policy: &PolicyConfig, afi: Afi, lines: &mut Lines) {
    let head = if afi == Afi::Ipv6 { "ipv6 access-list" } else { "access-list" };
    for (name, list) in policy.access_lists(afi) {
        if let Some(text) = &list.remark {
            lines.line(format!("{head} {name} remark {text}"));
        }
        for (seq, rule) in &list.rules {
            lines.line(format!("{head} {name} seq {seq} {rule}"));
        }
    }
}

// AS-path lists

fn edit_as_path(policy: &mut PolicyConfig, e: &Edit<'_>) -> Refused {
    let name: String = e.args.parse("name")?;
    let seq: Option<u32> = e.args.parse_opt("at")?;
    let lists = &mut policy.as_path_lists;
    if e.negated && !lists.contains_key(&name) {
        return Err(CliError::refused(format!("bgp as-path access-list {name} doesn't exist")));
    }
    if !e.args.has("action") {
        lists.remove(&name);
        return Ok(());
    }
    let pattern: String = e.args.parse("pattern")?;
    crate::regex::compile(&pattern)
        .map_err(|error| CliError::refused(format!("Can't compile regexp {pattern}: {error}")))?;
    let rule = AsPathRule { action: e.args.parse("action")?, pattern };
    let list = edit(lists, &name);
    if e.negated {
        list.rules.retain(|at, present| *present != rule || seq.is_some_and(|seq| seq != *at));
        drop_empty(lists, &name, |list| list.rules.is_empty());
    } else {
        let at = place(&list.rules, seq, &rule, Numbering::MultipleOfFive);
        list.rules.insert(at, rule);
    }
    Ok(())
}

fn as_path_lists<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "bgp as-path access-list AS_PATH_FILTER_NAME$name [seq (0-4294967295)$at] <deny|permit>$action LINE$pattern...",
            &[
                "BGP policy",
                "AS path",
                "Access list over AS paths",
                "Name of the list",
                "Place of the rule",
                "Sequence number",
                "Refuse what matches",
                "Accept what matches",
                "Regular expression",
            ],
            move |c, e: &Edit<'_>| edit_as_path((access.get_mut)(c), e),
        )
        .no(Negation::Syntax(
            "no bgp as-path access-list AS_PATH_FILTER_NAME$name [[seq (0-4294967295)$at] <deny|permit>$action LINE$pattern...]",
        ))
        .example("bgp as-path access-list A seq 5 permit ^65001_[0-9]+$"),
    );
}

fn render_as_path_lists(policy: &PolicyConfig, lines: &mut Lines) {
    for (name, list) in &policy.as_path_lists {
        for (seq, rule) in &list.rules {
            lines.line(format!("bgp as-path access-list {name} seq {seq} {} {}", rule.action, rule.pattern));
        }
    }
}

// Community lists

/// The style that a list's name or the word before it says.
fn style_of(args: &Args, name: &str) -> Style {
    let numbered_expanded = name.parse::<u16>().is_ok_and(|number| (100..=500).contains(&number));
    if args.has("expanded") || (!args.has("standard") && numbered_expanded) {
        Style::Expanded
    } else {
        Style::Standard
    }
}

fn edit_community<T: ListedCommunity>(lists: &mut Named<CommunityList>, e: &Edit<'_>) -> Refused {
    let name: String = e.args.parse("name")?;
    let seq: Option<u32> = e.args.parse_opt("at")?;
    let style = style_of(e.args, &name);
    if e.negated && !lists.contains_key(&name) {
        return Ok(());
    }
    if lists.get(&name).is_some_and(|list| list.style != style) {
        return Err(CliError::refused(format!(
            "{} name conflict, previous defined as another style",
            T::LIST
        )));
    }
    if !e.args.has("action") {
        lists.remove(&name);
        return Ok(());
    }
    let values: Vec<&str> = e.args.all("values").collect();
    let text = canonical::<T>(style, &values.join(" "))
        .map_err(|error| CliError::refused(format!("Malformed {} value: {error}", T::LIST)))?;
    let rule = CommunityRule { action: e.args.parse("action")?, text };
    let list = edit(lists, &name);
    list.style = style;
    if e.negated {
        list.rules.retain(|at, present| *present != rule || seq.is_some_and(|seq| seq != *at));
        drop_empty(lists, &name, |list| list.rules.is_empty());
    } else {
        let at = place(&list.rules, seq, &rule, Numbering::MultipleOfFive);
        list.rules.insert(at, rule);
    }
    Ok(())
}

fn community_lists<C: 'static, H, T: ListedCommunity>(
    registry: &mut Registry<C, H>,
    access: Access<C>,
    lists: fn(&mut PolicyConfig) -> &mut Named<CommunityList>,
) {
    let head = T::LIST;
    for (which, pattern) in [
        ("(1-99)$name|standard WORD$name", "AA:NN$values..."),
        ("(100-500)$name|expanded WORD$name", "LINE$values..."),
    ] {
        let help: &[&'static str] = &[
            "BGP policy",
            "List over communities",
            "Number of the list",
            "Style of the list",
            "Name of the list",
            "Place of the rule",
            "Sequence number",
            "Refuse what matches",
            "Accept what matches",
            "Values, or a regular expression",
        ];
        let line = format!("bgp {head} <{which}>");
        registry.command(
            ConfigCommand::new(
                &[&CONFIG],
                format!("{line} [seq (0-4294967295)$at] <deny|permit>$action {pattern}"),
                help,
                move |c, e: &Edit<'_>| edit_community::<T>(lists((access.get_mut)(c)), e),
            )
            .example(example_of(head, which)),
        );
        let no_help: Vec<&'static str> = std::iter::once("Negate a command or set its defaults")
            .chain(help[..5].iter().copied())
            .collect();
        registry.command(
            ConfigCommand::new(&[&CONFIG], format!("no {line}"), &no_help, move |c, e: &Edit<'_>| {
                let name: String = e.args.parse("name")?;
                lists((access.get_mut)(c)).remove(&name);
                Ok(())
            })
            .no(Negation::Never),
        );
    }
    if head == "large-community-list" {
        // FRR takes this one without its style.
        let help = [
            "Negate a command or set its defaults",
            "BGP policy",
            "List over communities",
            "Name of the list",
        ];
        registry.command(
            ConfigCommand::new(
                &[&CONFIG],
                format!("no bgp {head} WORD$name"),
                &help,
                move |c, e: &Edit<'_>| {
                    let name: String = e.args.parse("name")?;
                    lists((access.get_mut)(c)).remove(&name);
                    Ok(())
                },
            )
            .no(Negation::Never)
            .hidden(),
        );
    }
}

fn example_of(head: &str, which: &str) -> String {
    let expanded = which.contains("expanded");
    let values = match (head, expanded) {
        ("extcommunity-list", false) => "rt 65001:100 soo 10.0.0.1:5",
        ("large-community-list", false) => "65001:1:2",
        (_, false) => "65001:100 no-export",
        (_, true) => "_65001:.*",
    };
    let style = if expanded { "expanded" } else { "standard" };
    format!("bgp {head} {style} L seq 5 permit {values}")
}

fn render_community_lists<T: ListedCommunity>(lists: &Named<CommunityList>, lines: &mut Lines) {
    for (name, list) in lists {
        let style = match list.style {
            _ if name.bytes().all(|b| b.is_ascii_digit()) => "",
            Style::Standard => "standard ",
            Style::Expanded => "expanded ",
        };
        for (seq, rule) in &list.rules {
            lines.line(format!("bgp {} {style}{name} seq {seq} {} {}", T::LIST, rule.action, rule.text));
        }
    }
}
