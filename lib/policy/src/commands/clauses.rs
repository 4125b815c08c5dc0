//! The match and set clauses as a table: grammar, help, how it is read, and an example, a row each.

use std::str::FromStr;

use ferrite_cli::{Args, CliError};
use ferrite_types::{Afi, ExtCommunity, ParseError, RouteProtocol};

use crate::community_list::{CommunityMatch, parse_communities};
use crate::route_map::{
    AsPathFilter, CommunityEdit, Ipv4NextHop, Match, MetricType, NextHopList, PeerSpec, Prepend, Set,
};

/// A clause of the kind `T`, its words after `match` or `set`.
pub(super) struct Clause<T> {
    pub syntax: &'static str,
    pub help: &'static [&'static str],
    /// [`Match::key`] or [`Set::key`] of what `read` gives: what the `no` form removes.
    pub key: &'static str,
    pub read: fn(&Args) -> Result<T, CliError>,
    pub example: &'static str,
}

const IP: &str = "Internet Protocol version 4";
const IPV6: &str = "Internet Protocol version 6";
const ACL: &str = "Name of an access list";
const PLIST: &str = "Name of a prefix list";
const BY_PLIST: &str = "By prefix list";
const LIST: &str = "Name of the list";
const HOW: [&str; 2] = ["The route has exactly these", "The route has one of these"];

fn name(args: &Args) -> Result<String, CliError> {
    args.parse("name")
}

fn how(args: &Args) -> CommunityMatch {
    match (args.has("exact-match"), args.has("any")) {
        (true, _) => CommunityMatch::Exact,
        (_, true) => CommunityMatch::Any,
        _ => CommunityMatch::Included,
    }
}

macro_rules! clause {
    ($syntax:literal, $key:literal, [$($help:expr),* $(,)?], $read:expr, $example:literal) => {
        Clause { syntax: $syntax, help: &[$($help),*], key: $key, read: $read, example: $example }
    };
}

#[rustfmt::skip]
pub(super) const MATCHES: &[Clause<Match>] = &[
    clause!("ip address ACCESSLIST4_NAME$name", "ip address", [IP, "The route's prefix", ACL],
        |a| Ok(Match::AccessList(Afi::Ipv4, name(a)?)), "ip address L"),
    clause!("ip address prefix-list PREFIXLIST4_NAME$name", "ip address prefix-list", [IP, "The route's prefix", BY_PLIST, PLIST],
        |a| Ok(Match::PrefixList(Afi::Ipv4, name(a)?)), "ip address prefix-list P"),
    clause!("ip address prefix-len (0-32)$len", "ip address prefix-len", [IP, "The route's prefix", "Its length", "Length"],
        |a| Ok(Match::PrefixLen(Afi::Ipv4, a.parse("len")?)), "ip address prefix-len 24"),
    clause!("ipv6 address ACCESSLIST6_NAME$name", "ipv6 address", [IPV6, "The route's prefix", ACL],
        |a| Ok(Match::AccessList(Afi::Ipv6, name(a)?)), "ipv6 address L"),
    clause!("ipv6 address prefix-list PREFIXLIST6_NAME$name", "ipv6 address prefix-list", [IPV6, "The route's prefix", BY_PLIST, PLIST],
        |a| Ok(Match::PrefixList(Afi::Ipv6, name(a)?)), "ipv6 address prefix-list P"),
    clause!("ipv6 address prefix-len (0-128)$len", "ipv6 address prefix-len", [IPV6, "The route's prefix", "Its length", "Length"],
        |a| Ok(Match::PrefixLen(Afi::Ipv6, a.parse("len")?)), "ipv6 address prefix-len 48"),
    clause!("ip next-hop ACCESSLIST4_NAME$name", "ip next-hop", [IP, "The next hop", ACL],
        |a| Ok(Match::NextHop(Afi::Ipv4, NextHopList::Access(name(a)?))), "ip next-hop L"),
    clause!("ip next-hop prefix-list PREFIXLIST4_NAME$name", "ip next-hop prefix-list", [IP, "The next hop", BY_PLIST, PLIST],
        |a| Ok(Match::NextHop(Afi::Ipv4, NextHopList::Prefix(name(a)?))), "ip next-hop prefix-list P"),
    clause!("ip next-hop address A.B.C.D$addr", "ip next-hop address", [IP, "The next hop", "Its address", "Address"],
        |a| Ok(Match::NextHopAddrV4(a.parse("addr")?)), "ip next-hop address 10.0.0.1"),
    clause!("ip next-hop prefix-len (0-32)$len", "ip next-hop prefix-len", [IP, "The next hop", "Length of its prefix", "Length"],
        |a| Ok(Match::NextHopLen(a.parse("len")?)), "ip next-hop prefix-len 32"),
    clause!("ip next-hop type blackhole", "ip next-hop type", [IP, "The next hop", "Its kind", "Packets are dropped"],
        |_| Ok(Match::NextHopBlackhole(Afi::Ipv4)), "ip next-hop type blackhole"),
    clause!("ipv6 next-hop ACCESSLIST6_NAME$name", "ipv6 next-hop", [IPV6, "The next hop", ACL],
        |a| Ok(Match::NextHop(Afi::Ipv6, NextHopList::Access(name(a)?))), "ipv6 next-hop L"),
    clause!("ipv6 next-hop prefix-list PREFIXLIST6_NAME$name", "ipv6 next-hop prefix-list", [IPV6, "The next hop", BY_PLIST, PLIST],
        |a| Ok(Match::NextHop(Afi::Ipv6, NextHopList::Prefix(name(a)?))), "ipv6 next-hop prefix-list P"),
    clause!("ipv6 next-hop address X:X::X:X$addr", "ipv6 next-hop address", [IPV6, "The next hop", "Its address", "Address"],
        |a| Ok(Match::NextHopAddrV6(a.parse("addr")?)), "ipv6 next-hop address 2001:db8::1"),
    clause!("ipv6 next-hop type blackhole", "ipv6 next-hop type", [IPV6, "The next hop", "Its kind", "Packets are dropped"],
        |_| Ok(Match::NextHopBlackhole(Afi::Ipv6)), "ipv6 next-hop type blackhole"),
    clause!("ip route-source ACCESSLIST4_NAME$name", "ip route-source", [IP, "The sender's address", ACL],
        |a| Ok(Match::RouteSource(NextHopList::Access(name(a)?))), "ip route-source L"),
    clause!("ip route-source prefix-list PREFIXLIST_NAME$name", "ip route-source prefix-list", [IP, "The sender's address", BY_PLIST, PLIST],
        |a| Ok(Match::RouteSource(NextHopList::Prefix(name(a)?))), "ip route-source prefix-list P"),
    clause!("as-path AS_PATH_FILTER_NAME$name", "as-path", ["The AS path", LIST],
        |a| Ok(Match::AsPath(name(a)?)), "as-path A"),
    clause!("community COMMUNITY_LIST_NAME$name [<exact-match|any>]", "community", ["Communities", LIST, HOW[0], HOW[1]],
        |a| Ok(Match::Community(name(a)?, how(a))), "community C exact-match"),
    clause!("large-community LCOMMUNITY_LIST_NAME$name [<exact-match|any>]", "large-community", ["Large communities", LIST, HOW[0], HOW[1]],
        |a| Ok(Match::LargeCommunity(name(a)?, how(a))), "large-community C any"),
    clause!("extcommunity EXTCOMMUNITY_LIST_NAME$name", "extcommunity", ["Extended communities", LIST],
        |a| Ok(Match::ExtCommunity(name(a)?)), "extcommunity C"),
    clause!("alias ALIAS_NAME$name", "alias", ["A community by its name", "Name, as `bgp community alias` gives it"],
        |a| Ok(Match::Alias(name(a)?)), "alias CUSTOMER"),
    clause!("community-limit (0-65535)$limit", "community-limit", ["The number of communities", "At most this many"],
        |a| Ok(Match::CommunityLimit(a.parse("limit")?)), "community-limit 5"),
    clause!("interface IFNAME$name", "interface", ["The outgoing interface", "Name of an interface"],
        |a| Ok(Match::Interface(name(a)?)), "interface eth0"),
    clause!("local-preference (0-4294967295)$value", "local-preference", ["The local preference", "Value"],
        |a| Ok(Match::LocalPreference(a.parse("value")?)), "local-preference 100"),
    clause!("metric (0-4294967295)$value", "metric", ["The metric", "Value"],
        |a| Ok(Match::Metric(a.parse("value")?)), "metric 5"),
    clause!("origin <egp|igp|incomplete>$value", "origin", ["The origin", "EGP", "IGP", "Unknown"],
        |a| Ok(Match::Origin(a.parse("value")?)), "origin igp"),
    clause!("peer <A.B.C.D|X:X::X:X|WORD>$who", "peer", ["The neighbor", "Its address", "Its address", "Its interface or group"],
        |a| Ok(Match::Peer(peer(a)?)), "peer 10.0.0.1"),
    clause!("peer local", "peer", ["The neighbor", "Routes that this router originates"],
        |_| Ok(Match::Peer(PeerSpec::Local)), "peer local"),
    clause!("src-peer <A.B.C.D|X:X::X:X|WORD>$who", "src-peer", ["The neighbor the route came from", "Its address", "Its address", "Its interface or group"],
        |a| Ok(Match::SourcePeer(peer(a)?)), "src-peer 10.0.0.1"),
    clause!("probability (0-100)$percent", "probability", ["A share of the routes, by chance", "Percent"],
        |a| Ok(Match::Probability(a.parse("percent")?)), "probability 50"),
    clause!("rpki <valid|invalid|notfound>$state", "rpki", ["The origin by the RPKI", "Authorised", "Not authorised", "Nobody says"],
        |a| Ok(Match::Rpki(a.parse("state")?)), "rpki invalid"),
    clause!("rpki-extcommunity <valid|invalid|notfound>$state", "rpki-extcommunity",
        ["The origin by the RPKI, as another router of the AS says", "Authorised", "Not authorised", "Nobody says"],
        |a| Ok(Match::RpkiExtCommunity(a.parse("state")?)), "rpki-extcommunity notfound"),
    clause!("aspa <valid|invalid|unknown>$state", "aspa", ["The AS path by the RPKI", "All hops are authorised", "Some hop is not authorised", "Some hop is not attested"],
        |a| Ok(Match::Aspa(a.parse("state")?)), "aspa invalid"),
    clause!("source-protocol <kernel|connected|local|static|rip|ripng|ospf|ospf6|isis|bgp|eigrp|nhrp|table|vnc|babel|openfabric|table-direct>$protocol",
        "source-protocol", ["Where the route comes from", "Kernel", "Connected", "Local", "Static", "RIP", "RIPng", "OSPF", "OSPFv3",
            "IS-IS", "BGP", "EIGRP", "NHRP", "Other table", "VNC", "Babel", "OpenFabric", "Table by way of no daemon"],
        |a| Ok(Match::SourceProtocol(protocol(a)?)), "source-protocol static"),
    clause!("source-instance (0-255)$instance", "source-instance", ["Instance of the protocol the route comes from", "Number"],
        |a| Ok(Match::SourceInstance(a.parse("instance")?)), "source-instance 3"),
    clause!("tag <untagged|(1-4294967295)>$value", "tag", ["The tag", "No tag", "Value"],
        |a| Ok(Match::Tag(a.parse("value")?)), "tag 100"),
];

fn peer(args: &Args) -> Result<PeerSpec, CliError> {
    Ok(PeerSpec::parse(&args.parse::<String>("who")?))
}

/// `table-direct` redistributes from another table, which this version does not.
fn protocol(args: &Args) -> Result<RouteProtocol, CliError> {
    if args.get("protocol") == Some("table-direct") {
        return Err(CliError::refused("match source-protocol table-direct is not supported by this version"));
    }
    args.parse("protocol")
}

fn list<T: FromStr<Err = ParseError>>(args: &Args, field: &str) -> Result<Vec<T>, CliError> {
    args.all(field).map(|word| word.parse().map_err(CliError::from)).collect()
}

/// Values with `additive` anywhere among them; canonical order is that of entry for large, ascending for standard.
fn communities<C>(
    args: &Args,
    parse: fn(&str) -> Result<Vec<C>, ParseError>,
    what: &str,
) -> Result<CommunityEdit<C>, CliError> {
    let words: Vec<&str> = args.all("values").collect();
    let malformed = || CliError::refused(format!("Malformed {what} attribute '{}'", words.join(" ")));
    let additive = words.contains(&"additive");
    let values: Vec<&str> = words.iter().copied().filter(|word| *word != "additive").collect();
    let values = parse(&values.join(" ")).map_err(|_| malformed())?;
    if values.is_empty() {
        return Err(malformed());
    }
    Ok(CommunityEdit::Values { values, additive })
}

fn admins(args: &Args, subtype: u8) -> Result<Vec<ExtCommunity>, CliError> {
    args.all("values").map(|word| ExtCommunity::parse_admin(subtype, word).map_err(CliError::from)).collect()
}

fn extended(
    args: &Args,
    read: fn(&str) -> Result<ExtCommunity, ParseError>,
) -> Result<Vec<ExtCommunity>, CliError> {
    args.all("values").map(|word| read(word).map_err(CliError::from)).collect()
}

fn large(text: &str) -> Result<Vec<ferrite_types::LargeCommunity>, ParseError> {
    text.split_ascii_whitespace().map(str::parse).collect()
}

#[rustfmt::skip]
pub(super) const SETS: &[Clause<Set>] = &[
    clause!("aggregator as ASNUM$asn A.B.C.D$addr", "aggregator as", ["The aggregator", "Its AS", "AS number", "Its address"],
        |a| Ok(Set::Aggregator { asn: a.parse("asn")?, addr: a.parse("addr")? }), "aggregator as 65001 10.0.0.1"),
    clause!("as-path exclude ASNUM$asns...", "as-path exclude", ["The AS path", "Take AS numbers out", "AS numbers"],
        |a| Ok(Set::AsPathExclude(AsPathFilter::Asns(list(a, "asns")?))), "as-path exclude 65001 65002"),
    clause!("as-path exclude all", "as-path exclude", ["The AS path", "Take AS numbers out", "All of them"],
        |_| Ok(Set::AsPathExclude(AsPathFilter::All)), "as-path exclude all"),
    clause!("as-path exclude as-path-access-list AS_PATH_FILTER_NAME$name", "as-path exclude", ["The AS path", "Take AS numbers out", "Those a list permits", LIST],
        |a| Ok(Set::AsPathExclude(AsPathFilter::List(name(a)?))), "as-path exclude as-path-access-list A"),
    clause!("as-path prepend ASNUM$asns...", "as-path prepend", ["The AS path", "Put AS numbers in front", "AS numbers"],
        |a| Ok(Set::AsPathPrepend(Prepend::Asns(list(a, "asns")?))), "as-path prepend 65001 65001"),
    clause!("as-path prepend last-as (1-10)$times", "as-path prepend", ["The AS path", "Put AS numbers in front", "The first AS again", "Times"],
        |a| Ok(Set::AsPathPrepend(Prepend::LastAs(a.parse("times")?))), "as-path prepend last-as 3"),
    clause!("as-path replace <any|ASNUM$what> [ASNUM$with]", "as-path replace", ["The AS path", "Replace AS numbers", "All of them", "AS number to replace", "AS number in its place (default: our own)"],
        |a| {
            let what = if a.has("what") { AsPathFilter::Asns(vec![a.parse("what")?]) } else { AsPathFilter::All };
            Ok(Set::AsPathReplace { what, with: a.parse_opt("with")? })
        }, "as-path replace any 65003"),
    clause!("as-path replace as-path-access-list AS_PATH_FILTER_NAME$name [ASNUM$with]", "as-path replace", ["The AS path", "Replace AS numbers", "Those a list permits", LIST, "AS number in their place (default: our own)"],
        |a| Ok(Set::AsPathReplace { what: AsPathFilter::List(name(a)?), with: a.parse_opt("with")? }), "as-path replace as-path-access-list A 65003"),
    clause!("atomic-aggregate", "atomic-aggregate", ["Mark the route as an aggregate"],
        |_| Ok(Set::AtomicAggregate), "atomic-aggregate"),
    clause!("comm-list COMMUNITY_LIST_NAME$name delete", "comm-list", ["Communities that a list permits", LIST, "Are taken away"],
        |a| Ok(Set::CommListDelete(name(a)?)), "comm-list C delete"),
    clause!("community AA:NN$values...", "community", ["Communities", "Values, and additive to keep what is there"],
        |a| Ok(Set::Community(communities(a, parse_communities, "communities")?)), "community 65001:1 no-export additive"),
    clause!("community none", "community", ["Communities", "Take all away"],
        |_| Ok(Set::Community(CommunityEdit::None)), "community none"),
    clause!("distance (1-255)$value", "distance", ["The administrative distance", "Value"],
        |a| Ok(Set::Distance(a.parse("value")?)), "distance 150"),
    clause!("extended-comm-list EXTCOMMUNITY_LIST_NAME$name delete", "extended-comm-list", ["Extended communities that a list permits", LIST, "Are taken away"],
        |a| Ok(Set::ExtCommListDelete(name(a)?)), "extended-comm-list C delete"),
    clause!("aigp-metric <igp-metric|(0-4294967295)>$value", "aigp-metric",
        ["The accumulated IGP metric", "The metric of the route to the next hop", "Value"],
        |a| Ok(Set::AigpMetric(if a.has("igp-metric") { None } else { Some(a.parse("value")?) })), "aigp-metric 300"),
    clause!("extcommunity bandwidth <(1-4294967295)|cumulative|num-multipaths>$value [non-transitive]", "extcommunity bandwidth",
        ["Extended communities", "Link bandwidth", "Megabits per second", "That of all paths that share the traffic",
            "Of as many megabits per second as there are paths", "Do not pass it on to another AS"],
        |a| Ok(Set::Bandwidth { value: a.parse("value")?, non_transitive: a.has("non-transitive") }), "extcommunity bandwidth 100 non-transitive"),
    clause!("extcommunity none", "extcommunity none", ["Extended communities", "Take all away"],
        |_| Ok(Set::ExtCommunityNone), "extcommunity none"),
    clause!("extcommunity rt ASN:NN_OR_IP-ADDRESS:NN$values...", "extcommunity rt", ["Extended communities", "Route target", "Values"],
        |a| Ok(Set::RouteTargets(admins(a, ExtCommunity::ROUTE_TARGET)?)), "extcommunity rt 65001:1 10.0.0.1:2"),
    clause!("extcommunity soo ASN:NN_OR_IP-ADDRESS:NN$values...", "extcommunity soo", ["Extended communities", "Site of origin", "Values"],
        |a| Ok(Set::SitesOfOrigin(admins(a, ExtCommunity::SITE_OF_ORIGIN)?)), "extcommunity soo 65001:5"),
    clause!("extcommunity nt RTLIST$values...", "extcommunity nt", ["Extended communities", "Node target", "Router and number"],
        |a| Ok(Set::NodeTargets(extended(a, ExtCommunity::parse_node_target)?)), "extcommunity nt 192.0.2.1:0 192.0.2.2:0"),
    clause!("extcommunity color RTLIST$values...", "extcommunity color", ["Extended communities", "Color", "Flags and color"],
        |a| Ok(Set::Colors(extended(a, ExtCommunity::parse_color)?)), "extcommunity color 00:5 01:100"),
    clause!("ip next-hop A.B.C.D$addr", "ip next-hop", [IP, "The next hop", "Address"],
        |a| Ok(Set::Ipv4NextHop(Ipv4NextHop::Addr(a.parse("addr")?))), "ip next-hop 10.0.0.1"),
    clause!("ip next-hop peer-address", "ip next-hop", [IP, "The next hop", "The neighbor's address, or towards it our own"],
        |_| Ok(Set::Ipv4NextHop(Ipv4NextHop::PeerAddress)), "ip next-hop peer-address"),
    clause!("ip next-hop unchanged", "ip next-hop", [IP, "The next hop", "Pass it on as it came"],
        |_| Ok(Set::Ipv4NextHop(Ipv4NextHop::Unchanged)), "ip next-hop unchanged"),
    clause!("ipv6 next-hop global X:X::X:X$addr", "ipv6 next-hop global", [IPV6, "The next hop", "Its global address", "Address"],
        |a| Ok(Set::Ipv6NextHopGlobal(a.parse("addr")?)), "ipv6 next-hop global 2001:db8::1"),
    clause!("ipv6 next-hop local X:X::X:X$addr", "ipv6 next-hop local", [IPV6, "The next hop", "Its link-local address", "Address"],
        |a| Ok(Set::Ipv6NextHopLocal(a.parse("addr")?)), "ipv6 next-hop local fe80::1"),
    clause!("ipv6 next-hop peer-address", "ipv6 next-hop peer-address", [IPV6, "The next hop", "The neighbor's address, or towards it our own"],
        |_| Ok(Set::Ipv6NextHopPeerAddress), "ipv6 next-hop peer-address"),
    clause!("ipv6 next-hop prefer-global", "ipv6 next-hop prefer-global", [IPV6, "The next hop", "Use the global address rather than the link-local one"],
        |_| Ok(Set::Ipv6NextHopPreferGlobal), "ipv6 next-hop prefer-global"),
    clause!("large-comm-list LCOMMUNITY_LIST_NAME$name delete", "large-comm-list", ["Large communities that a list permits", LIST, "Are taken away"],
        |a| Ok(Set::LargeCommListDelete(name(a)?)), "large-comm-list C delete"),
    clause!("large-community AA:BB:CC$values...", "large-community", ["Large communities", "Values, and additive to keep what is there"],
        |a| Ok(Set::LargeCommunity(communities(a, large, "large-community")?)), "large-community 65001:1:2 additive"),
    clause!("large-community none", "large-community", ["Large communities", "Take all away"],
        |_| Ok(Set::LargeCommunity(CommunityEdit::None)), "large-community none"),
    clause!("local-preference WORD$value", "local-preference", ["The local preference", "Value, +value or -value"],
        |a| Ok(Set::LocalPreference(a.parse("value")?)), "local-preference +10"),
    clause!("max-metric (0-4294967295)$value", "max-metric", ["The metric at most", "Value"],
        |a| Ok(Set::MaxMetric(a.parse("value")?)), "max-metric 500"),
    clause!("metric WORD$value", "metric", ["The metric", "Value, +value, -value or igp"],
        |a| Ok(Set::Metric(a.parse("value")?)), "metric -5"),
    clause!("metric-type <type-1|type-2>$kind", "metric-type", ["The kind of external metric", "Type 1", "Type 2"],
        |a| Ok(Set::MetricType(if a.has("type-1") { MetricType::Type1 } else { MetricType::Type2 })), "metric-type type-1"),
    clause!("min-metric (0-4294967295)$value", "min-metric", ["The metric at least", "Value"],
        |a| Ok(Set::MinMetric(a.parse("value")?)), "min-metric 5"),
    clause!("origin <egp|igp|incomplete>$value", "origin", ["The origin", "EGP", "IGP", "Unknown"],
        |a| Ok(Set::Origin(a.parse("value")?)), "origin egp"),
    clause!("originator-id A.B.C.D$id", "originator-id", ["The originator of a reflected route", "Router identifier"],
        |a| Ok(Set::OriginatorId(a.parse("id")?)), "originator-id 10.0.0.1"),
    clause!("src <A.B.C.D|X:X::X:X>$addr", "src", ["Source address of the kernel's route", "Address", "Address"],
        |a| Ok(Set::Source(a.parse("addr")?)), "src 10.0.0.1"),
    clause!("table (1-4294967295)$value", "table", ["The kernel's table", "Number"],
        |a| Ok(Set::Table(a.parse("value")?)), "table 50"),
    clause!("tag <untagged|(1-4294967295)>$value", "tag", ["The tag", "No tag", "Value"],
        |a| Ok(Set::Tag(a.parse("value")?)), "tag 7"),
    clause!("weight (0-4294967295)$value", "weight", ["The weight", "Value"],
        |a| Ok(Set::Weight(a.parse("value")?)), "weight 100"),
];
