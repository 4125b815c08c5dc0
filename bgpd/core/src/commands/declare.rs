//! Grammar and help of the commands.

use ferrite_cli::{DebugFlag, ExecCommand, Registry};

use super::{Command, Side};
use crate::config::BgpConfig;

type Commands = Registry<BgpConfig, Command>;

/// What stands before every show of a family.
const SHOW: &str = "show [ip] bgp [<view|vrf> VIEWVRFNAME$vrf] [<ipv4|ipv6> [<unicast|multicast>]]";
const SHOW_HELP: &[&str] = &[
    "Show running system information",
    "IP information",
    "BGP information",
    "An instance",
    "An instance",
    "Name of the instance, or all",
    "IPv4",
    "IPv6",
    "Unicast routes",
    "Multicast routes",
];
/// Without a family.
const ALL: &str = "show [ip] bgp [<view|vrf> VIEWVRFNAME$vrf]";
const ALL_HELP: &[&str] = &[
    "Show running system information",
    "IP information",
    "BGP information",
    "An instance",
    "An instance",
    "Name of the instance, or all",
];
const JSON: &str = "JavaScript Object Notation";
const DETAIL: &str = "Every attribute of every path";
const NEIGHBOR: &str = "<A.B.C.D|X:X::X:X|WORD>$neighbor";
const NEIGHBOR_HELP: [&str; 3] = ["Neighbor's address", "Neighbor's address", "Neighbor's host name"];

fn show(registry: &mut Commands, tail: &str, help: &[&'static str], command: Command) {
    let syntax = format!("{SHOW} {tail}");
    registry.exec(ExecCommand::new(syntax.trim_end(), &[SHOW_HELP, help].concat(), command));
}

fn show_all(registry: &mut Commands, tail: &str, help: &[&'static str], command: Command) {
    registry.exec(ExecCommand::new(format!("{ALL} {tail}"), &[ALL_HELP, help].concat(), command));
}

/// What `debug bgp …` can switch on: the log lines of these targets.
static DEBUGS: &[DebugFlag] = &[
    DebugFlag {
        line: "debug bgp neighbor-events",
        help: &["Debugging functions", "BGP information", "Changes of sessions"],
        text: "BGP neighbor-events debugging is on",
        target: "bgpd::neighbor_events",
    },
    DebugFlag {
        line: "debug bgp updates",
        help: &["Debugging functions", "BGP information", "UPDATEs received and sent"],
        text: "BGP updates debugging is on",
        target: "bgpd::updates",
    },
    DebugFlag {
        line: "debug bgp updates in",
        help: &["Debugging functions", "BGP information", "UPDATEs", "Received"],
        text: "BGP updates debugging is on (inbound)",
        target: "bgpd::updates::in",
    },
    DebugFlag {
        line: "debug bgp updates out",
        help: &["Debugging functions", "BGP information", "UPDATEs", "Sent"],
        text: "BGP updates debugging is on (outbound)",
        target: "bgpd::updates::out",
    },
    DebugFlag {
        line: "debug bgp updates detail",
        help: &["Debugging functions", "BGP information", "UPDATEs", "With their octets"],
        text: "BGP updates debugging is on (detail)",
        target: "bgpd::updates::detail",
    },
    DebugFlag {
        line: "debug bgp keepalives",
        help: &["Debugging functions", "BGP information", "KEEPALIVEs received"],
        text: "BGP keepalives debugging is on",
        target: "bgpd::keepalives",
    },
    DebugFlag {
        line: "debug bgp graceful-restart",
        help: &["Debugging functions", "BGP information", "Restarts of neighbors"],
        text: "BGP graceful-restart debugging is on",
        target: "bgpd::graceful_restart",
    },
    DebugFlag {
        line: "debug bgp nht",
        help: &["Debugging functions", "BGP information", "Next hop tracking"],
        text: "BGP next-hop tracking debugging is on",
        target: "bgpd::nht",
    },
    DebugFlag {
        line: "debug bgp zebra",
        help: &["Debugging functions", "BGP information", "What passes between bgpd and zebra"],
        text: "BGP zebra debugging is on",
        target: "bgpd::zebra",
    },
    DebugFlag {
        line: "debug rpki",
        help: &["Debugging functions", "Caches of the RPKI and what they say"],
        text: "RPKI debugging is on",
        target: "bgpd::rpki",
    },
];

pub(super) fn register(registry: &mut Commands) {
    registry.debug_flags(DEBUGS);
    tables(registry);
    neighbors(registry);
    dampening(registry);
    various(registry);
    clear(registry);
}

fn tables(registry: &mut Commands) {
    show(registry, "detail [json|wide]", &[DETAIL, JSON, "Wider columns"], Command::Table);
    let tail = "[detail-routes] [json [detail$detail_json]|wide]";
    let tail_help = [DETAIL, JSON, DETAIL, "Wider columns"];
    let mut add = |middle: &str, help: &[&'static str]| {
        show(registry, &format!("{middle} {tail}"), &[help, &tail_help].concat(), Command::Table);
    };
    add("", &[]);
    add("cidr-only", &["Prefixes of other lengths than their class"]);
    add(
        "community [AA:NN$communities...] [exact-match]",
        &["Routes with communities", "Community", "The route has exactly these"],
    );
    add(
        "large-community [AA:BB:CC$large...] [exact-match]",
        &["Routes with large communities", "Large community", "The route has exactly these"],
    );
    add(
        "community-list WORD$community_list [exact-match]",
        &["Routes that a community list permits", "Name of the list", "The route has exactly these"],
    );
    add(
        "large-community-list WORD$large_list [exact-match]",
        &["Routes that a large community list permits", "Name of the list", "The route has exactly these"],
    );
    add(
        "filter-list AS_PATH_FILTER_NAME$filter_list",
        &["Routes that an AS-path list permits", "Name of the list"],
    );
    add("prefix-list WORD$prefix_list", &["Routes that a prefix list permits", "Name of the list"]);
    add(
        "access-list ACCESSLIST_NAME$access_list",
        &["Routes that an access list permits", "Name of the list"],
    );
    add("route-map RMAP_NAME$route_map", &["Routes that a route map permits", "Name of the map"]);
    add(
        "rpki <invalid|valid|notfound>$rpki_state",
        &["Routes by their validation state", "Not authorised", "Authorised", "Nobody says"],
    );
    add("version (1-4294967295)$since", &["Prefixes that changed since", "Version of the table"]);
    add("self-originate", &["Routes that this router originates"]);
    add("alias ALIAS_NAME$alias", &["Routes with a community that has a name", "Name of the community"]);
    add(
        "<A.B.C.D/M|X:X::X:X/M>$prefix longer-prefixes",
        &["Network", "Network", "The prefix and all within it"],
    );
    show(
        registry,
        "regexp REGEX$pattern... [json]",
        &["Routes by AS path", "Regular expression", JSON],
        Command::Table,
    );
    show(
        registry,
        "<A.B.C.D|A.B.C.D/M|X:X::X:X|X:X::X:X/M>$prefix [<bestpath|multipath>] [rpki <valid|invalid|notfound>$rpki_state] [json]",
        &[
            "Address",
            "Network",
            "Address",
            "Network",
            "The best path only",
            "Best and multipath only",
            "Paths by their validation state",
            "Authorised",
            "Not authorised",
            "Nobody says",
            JSON,
        ],
        Command::Prefix,
    );
    let mut help = vec![
        "Address",
        "Network",
        "Address",
        "Network",
        "Why it is accepted, best, sent, or not",
        "One neighbor",
    ];
    help.extend(NEIGHBOR_HELP);
    help.extend(["What came from it", "What goes to it", JSON]);
    show(
        registry,
        &format!(
            "<A.B.C.D|A.B.C.D/M|X:X::X:X|X:X::X:X/M>$prefix explain [neighbor {NEIGHBOR} [<in|out>$direction]] [json]"
        ),
        &help,
        Command::Explain,
    );
    show(registry, "statistics [json]", &["Statistics over the table", JSON], Command::Statistics);
    show_all(
        registry,
        "statistics-all [json]",
        &["Statistics over the tables of all families", JSON],
        Command::AllStatistics,
    );
    show(
        registry,
        "prefix-counts [json]",
        &["The paths of every neighbor in numbers", JSON],
        Command::PrefixCounts,
    );
}

fn neighbors(registry: &mut Commands) {
    show(
        registry,
        "summary [<established|failed>] [<neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor|remote-as <ASNUM|internal|external>$remote_as>] [terse] [wide] [json]",
        &[
            "Neighbors in short",
            "Only established sessions",
            "Only sessions that are down",
            "One neighbor",
            "Neighbor's address",
            "Neighbor's address",
            "Neighbor's host name",
            "Neighbors of an AS",
            "AS number",
            "Our own AS",
            "Other ASes",
            "Without what is zero",
            "Wider columns",
            JSON,
        ],
        Command::Summary,
    );
    let mut help = vec!["Neighbors in detail"];
    help.extend(NEIGHBOR_HELP);
    help.push(JSON);
    show(registry, &format!("neighbors [{NEIGHBOR}] [json]"), &help, Command::Neighbors);
    // FRR has the families before the instance here.
    let mut help = vec![
        "Show running system information",
        "BGP information",
        "IPv4",
        "IPv6",
        "An instance",
        "An instance",
        "Name of the instance, or all",
        "Neighbors in detail",
    ];
    help.extend(NEIGHBOR_HELP);
    help.extend(["Graceful restart", JSON]);
    let syntax = format!(
        "show bgp [<ipv4|ipv6>] [<view|vrf> VIEWVRFNAME$vrf] neighbors [{NEIGHBOR}] graceful-restart [json]"
    );
    registry.exec(ExecCommand::new(syntax, &help, Command::GracefulNeighbors));
    let mut help = vec!["Neighbors in detail"];
    help.extend(NEIGHBOR_HELP);
    help.extend(["The neighbor's paths in numbers", JSON]);
    show(registry, &format!("neighbors {NEIGHBOR} prefix-counts [json]"), &help, Command::PrefixCounts);
    for (word, side, text) in [
        ("not-advertised-routes", Side::Withheld, "What the neighbor could be sent and is not, and why"),
        ("advertised-routes", Side::Advertised, "What was sent to the neighbor"),
        ("received-routes", Side::Received, "What the neighbor sent, before policy"),
        ("filtered-routes", Side::Filtered, "What the neighbor sent and policy denied"),
    ] {
        let mut help = vec!["Neighbors in detail"];
        help.extend(NEIGHBOR_HELP);
        help.extend([text, "Those that a route map permits", "Name of the map", "Network", "Network"]);
        help.extend([DETAIL, JSON, "Wider columns"]);
        let tail = "[route-map RMAP_NAME$route_map] [<A.B.C.D/M|X:X::X:X/M>$prefix|detail] [json|wide]";
        show(registry, &format!("neighbors {NEIGHBOR} {word} {tail}"), &help, Command::Adjacency(side));
    }
    for (word, side, text) in [
        ("routes", Side::Accepted, "What the neighbor sent, after policy"),
        ("bestpath-routes", Side::Best, "Of that, what is best"),
    ] {
        let mut help = vec!["Neighbors in detail"];
        help.extend(NEIGHBOR_HELP);
        help.extend([text, DETAIL, JSON, "Wider columns"]);
        let line = format!("neighbors {NEIGHBOR} {word} [detail] [json|wide]");
        show(registry, &line, &help, Command::Adjacency(side));
    }
}

fn dampening(registry: &mut Commands) {
    let dampening = "Routes that flap";
    show(
        registry,
        "dampening parameters [json]",
        &[dampening, "Settings", JSON],
        Command::DampeningParameters,
    );
    show(
        registry,
        "dampening <flap-statistics|dampened-paths> [json]",
        &[dampening, "All that have flapped", "Those that are held back", JSON],
        Command::Flaps,
    );
    let mut help = vec!["Neighbors in detail"];
    help.extend(NEIGHBOR_HELP);
    let of_neighbor = |help: &[&'static str], more: &[&'static str]| [help, more].concat();
    show(
        registry,
        &format!("neighbors {NEIGHBOR} dampening parameters [json]"),
        &of_neighbor(&help, &[dampening, "Settings", JSON]),
        Command::DampeningParameters,
    );
    show(
        registry,
        &format!("neighbors {NEIGHBOR} <flap-statistics|dampened-routes> [json]"),
        &of_neighbor(&help, &["All that have flapped", "Those that are held back", JSON]),
        Command::Flaps,
    );
    show(
        registry,
        &format!("neighbors {NEIGHBOR} received prefix-filter [json]"),
        &of_neighbor(&help, &["What the neighbor sent", "Its outbound route filter", JSON]),
        Command::ReceivedFilter,
    );
    registry.exec(
        ExecCommand::new(
            "clear ip bgp dampening [<A.B.C.D/M$prefix|A.B.C.D$addr [A.B.C.D$mask]>]",
            &[
                "Reset functions",
                "IP information",
                "BGP information",
                "Forget flaps",
                "Network",
                "Network",
                "Network mask",
            ],
            Command::ClearDampening,
        )
        .privileged(),
    );
}

fn various(registry: &mut Commands) {
    show_all(
        registry,
        "nexthop [<A.B.C.D|X:X::X:X>$addr] [<ipv4$v4 [A.B.C.D$addr4]|ipv6$v6 [X:X::X:X$addr6]>] [detail] [json]",
        &[
            "Next hops that routes depend on",
            "Address",
            "Address",
            "Of IPv4",
            "Address",
            "Of IPv6",
            "Address",
            "In detail",
            JSON,
        ],
        Command::Nexthops,
    );
    show(
        registry,
        "optimal-route-reflection [WORD$group] [json]",
        &["Groups of clients that see the table from elsewhere", "Name of a group", JSON],
        Command::OptimalReflection,
    );
    show(
        registry,
        "update-groups [SUBGROUP-ID$group] [json]",
        &["Groups of neighbors with the same policy", "Number of a group", JSON],
        Command::UpdateGroups,
    );
    show_all(
        registry,
        "peer-group [PGNAME$group] [json]",
        &["Peer groups", "Name of a group", JSON],
        Command::PeerGroups,
    );
    show_all(registry, "memory [json]", &["Memory in use", JSON], Command::Memory);
    show_all(registry, "router [json]", &["The router", JSON], Command::Router);
    let help = ["Show running system information", "BGP Monitoring Protocol", JSON];
    registry.exec(ExecCommand::new("show bmp [json]", &help, Command::Bmp));
    show_all(registry, "vrfs [json]", &["Instances", JSON], Command::Vrfs);
    registry.exec(ExecCommand::new(
        "show key chain [KEYCHAIN_NAME$name] [json]",
        &[
            "Show running system information",
            "Authentication key management",
            "Key-chain management",
            "Key-chain name",
            JSON,
        ],
        Command::KeyChains,
    ));
}

fn clear(registry: &mut Commands) {
    const CLEAR: &str = "clear [ip] bgp [<view|vrf> VIEWVRFNAME$vrf] [<ipv4|ipv6> [<unicast|multicast>]] <*$all|external$external|ASNUM$asn|peer-group PGNAME$group|<A.B.C.D|X:X::X:X|WORD>$neighbor>";
    const HELP: &[&str] = &[
        "Reset functions",
        "IP information",
        "BGP information",
        "An instance",
        "An instance",
        "Name of the instance, or all",
        "IPv4",
        "IPv6",
        "Unicast routes",
        "Multicast routes",
        "All neighbors",
        "All external neighbors",
        "Neighbors of an AS",
        "Members of a peer group",
        "Name of the group",
        "Neighbor's address",
        "Neighbor's address",
        "Neighbor's host name",
    ];
    registry.exec(ExecCommand::new(CLEAR, HELP, Command::Clear).privileged());
    let soft = ["Without ending the session", "What they sent", "What we send"];
    registry.exec(
        ExecCommand::new(
            format!("{CLEAR} soft [<in|out>$direction]"),
            &[HELP, &soft].concat(),
            Command::ClearSoft,
        )
        .privileged(),
    );
    registry.exec(
        ExecCommand::new(
            format!("{CLEAR} <in$direction [prefix-filter]|out$direction>"),
            &[HELP, &[soft[1], "Our outbound route filter first", soft[2]]].concat(),
            Command::ClearSoft,
        )
        .privileged(),
    );
}
