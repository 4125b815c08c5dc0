//! Help texts by token: the same word means the same in all of ospfd's shows.

/// What is said of a token of FRR's notation.
fn of(token: &str) -> &'static str {
    match token {
        "show" => "Show running system information",
        "clear" => "Reset functions",
        "ip" => "IP information",
        "ipv6" => "IPv6 information",
        "ospf" => "OSPF information",
        "ospf6" => "Open Shortest Path First (OSPF) for IPv6",
        "json" => "JavaScript Object Notation",
        "vrf" => "Specify the VRF",
        "NAME" => "The VRF name",
        "all" => "All of them",
        "(1-65535)" => "Instance ID",
        "neighbor" => "Neighbor list",
        "detail" => "Detail of all of them",
        "interface" => "Interface information",
        "IFNAME" | "INTERFACE" => "Interface name",
        "traffic" => "Protocol packet counters",
        "database" => "Database summary",
        "max-age" => "LSAs in MaxAge list",
        "self-originate" | "self-originated" => "Self-originated link states",
        "adv-router" => "Advertising Router link states",
        "linkstate-id" => "Search by Link State ID",
        "A.B.C.D" => "As an IP address",
        "router" => "Router link states",
        "network" => "Network link states",
        "summary" => "Summary",
        "asbr-summary" => "ASBR summary link states",
        "external" => "External link states",
        "nssa-external" => "NSSA external link state",
        "opaque-link" => "Link local Opaque-LSA",
        "opaque-area" => "Link area Opaque-LSA",
        "opaque-as" => "Link AS Opaque-LSA",
        "inter-prefix" => "Inter-Area-Prefix LSAs",
        "inter-router" => "Inter-Area-Router LSAs",
        "as-external" => "AS-External LSAs",
        "group-membership" => "Group-Membership LSAs",
        "type-7" => "Type-7 LSAs",
        "link" => "Link LSAs",
        "intra-prefix" => "Intra-Area-Prefix LSAs",
        "dump" => "Dump LSAs",
        "internal" => "Internal information of LSAs",
        "*" => "Any",
        "route" => "Routing table",
        "border-routers" => "Border routers",
        "summary-address" => "Aggregated external routes",
        "graceful-restart" => "Graceful restart",
        "helper" => "Helpers of restarting neighbors",
        "vrfs" => "VRFs with OSPF",
        "reachable-routers" => "Routers that are reached",
        "router-info" => "Router Information",
        "drchoice" => "What neighbors choose as designated routers",
        "prefix" => "Connected prefixes",
        "X:X::X:X" => "IPv6 address",
        "X:X::X:X/M" => "IPv6 prefix",
        "match" => "Routes that the prefix lies in",
        "longer" => "Routes that lie in the prefix",
        "intra-area" => "Intra-area routes",
        "inter-area" => "Inter-area routes",
        "external-1" => "External routes of type 1",
        "external-2" => "External routes of type 2",
        "linkstate" => "What the shortest paths reach",
        "spf" => "Shortest paths",
        "tree" => "The tree of shortest paths",
        "area" => "Area",
        "redistribute" => "Redistributed routes",
        "zebra" => "What zebra is asked for",
        "process" => "The process",
        "auth-counters" => "Counters of authentication",
        _ => "",
    }
}

/// The texts of a syntax, one for each token.
pub fn texts(syntax: &str) -> Vec<&'static str> {
    let bare = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '[' | ']' | '{' | '}' | '|');
    let tokens = syntax.split(bare).filter(|token| !token.is_empty());
    // A name alone belongs to the group before it.
    tokens
        .filter(|token| !token.starts_with('$'))
        .map(|token| of(token.split('$').next().unwrap_or(token)))
        .collect()
}
