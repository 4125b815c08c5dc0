//! An address family of the instance: what is originated, redistributed and aggregated, distances and multipath.
//!
//! Rows are told the family by a constant: FRR's grammar for prefixes and sources differs between IPv4 and IPv6.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use bgp_packet::Family;
use bgp_packet::attr::Origin;
use ferrite_cli::{Args, CliError, Lines, Negation};
use ferrite_types::{Afi, Distance, Ipv4Prefix, Metric, Prefix, RouteProtocol, Safi};

use super::dampening::{self, Dampening};
use super::optimal::{self, OptimalReflection};
use super::types::PolicyName;

/// Most equal paths FRR is built for; what `maximum-paths` is where nobody says otherwise.
pub const MAXIMUM_PATHS: u16 = 256;

/// `network PREFIX [route-map NAME] [backdoor]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Network {
    pub route_map: Option<PolicyName>,
    /// Not originated; the prefix as learned by eBGP gets the local distance.
    pub backdoor: bool,
}

/// `aggregate-address PREFIX …`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Aggregate {
    /// Without effect while `bgp reject-as-sets` is on.
    pub as_set: bool,
    pub summary_only: bool,
    /// Attributes of the aggregate.
    pub route_map: Option<PolicyName>,
    /// `None` as the contributors have it.
    pub origin: Option<Origin>,
    /// Only routes with one and the same MED are aggregated.
    pub matching_med_only: bool,
    /// Which contributors are suppressed.
    pub suppress_map: Option<PolicyName>,
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.as_set {
            f.write_str(" as-set")?;
        }
        if self.summary_only {
            f.write_str(" summary-only")?;
        }
        if let Some(name) = &self.route_map {
            write!(f, " route-map {name}")?;
        }
        if let Some(origin) = self.origin {
            write!(f, " origin {}", origin_word(origin))?;
        }
        if self.matching_med_only {
            f.write_str(" matching-MED-only")?;
        }
        match &self.suppress_map {
            Some(name) => write!(f, " suppress-map {name}"),
            None => Ok(()),
        }
    }
}

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Igp => "igp",
        Origin::Egp => "egp",
        Origin::Incomplete => "incomplete",
    }
}

/// Whose routes: a protocol, and which instance (`ospf 2`) or kernel table (`table 100`) of it; zero is the only one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Source {
    pub protocol: RouteProtocol,
    pub instance: u16,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.protocol)?;
        if self.instance == 0 { Ok(()) } else { write!(f, " {}", self.instance) }
    }
}

/// `redistribute SOURCE [metric N] [route-map NAME]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Redistribute {
    /// MED; `None` takes the route's own metric.
    pub metric: Option<Metric>,
    pub route_map: Option<PolicyName>,
}

/// `distance bgp EXTERNAL INTERNAL LOCAL`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Distances {
    pub external: Distance,
    pub internal: Distance,
    pub local: Distance,
}

impl Default for Distances {
    fn default() -> Self {
        Self { external: Distance(20), internal: Distance(200), local: Distance(200) }
    }
}

/// `distance N PREFIX [ACCESS-LIST]`: for routes from the neighbours within the prefix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DistanceRule {
    pub distance: Distance,
    /// Only for prefixes that the list permits.
    pub access_list: Option<PolicyName>,
}

/// `maximum-paths …`: how many equal paths are used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MaximumPaths {
    pub external: u16,
    pub internal: u16,
    /// iBGP multipath only over cluster lists of one length.
    pub equal_cluster_length: bool,
}

impl Default for MaximumPaths {
    fn default() -> Self {
        Self { external: MAXIMUM_PATHS, internal: MAXIMUM_PATHS, equal_cluster_length: false }
    }
}

/// The instance's settings of one address family.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FamilyConfig {
    pub distances: Distances,
    pub distance_rules: BTreeMap<Prefix, DistanceRule>,
    pub networks: BTreeMap<Prefix, Network>,
    pub aggregates: BTreeMap<Prefix, Aggregate>,
    pub redistribute: BTreeMap<Source, Redistribute>,
    pub maximum_paths: MaximumPaths,
    /// Route map that sets metric, tag, … of the routes given to zebra.
    pub table_map: Option<PolicyName>,
    /// Dampening of what neighbours without one of their own send.
    pub dampening: Option<Dampening>,
    pub optimal: OptimalReflection,
}

/// A command inside `address-family …`.
pub(super) struct FamilyRow {
    pub syntax: &'static str,
    pub help: &'static [&'static str],
    pub no: Negation,
    pub set: fn(&mut FamilyConfig, &Args) -> Result<(), CliError>,
    pub unset: fn(&mut FamilyConfig, &Args) -> Result<(), CliError>,
    pub examples: &'static [&'static str],
}

/// A prefix as the two IPv4 forms write it: with a length, with a mask, or by its class alone.
fn prefix(args: &Args) -> Result<Prefix, CliError> {
    if args.has("prefix") {
        return args.parse("prefix");
    }
    let addr = args.ipv4("addr")?;
    let mask = args.parse_opt::<Ipv4Addr>("mask")?;
    let len = match mask {
        Some(mask) => mask_length(mask).ok_or_else(|| CliError::refused("Malformed prefix"))?,
        None => class_length(addr),
    };
    let prefix = Ipv4Prefix::new(addr, len).ok_or_else(|| CliError::refused("Malformed prefix"))?;
    Ok(Prefix::V4(prefix))
}

fn mask_length(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let len = bits.leading_ones();
    (bits.count_ones() == len).then_some(len as u8)
}

/// Length of an address's classful network, as `network 10.0.0.0` means it.
fn class_length(addr: Ipv4Addr) -> u8 {
    match addr.octets()[0] {
        0 if addr.is_unspecified() => 0,
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    }
}

fn set_network(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    let network = Network { route_map: args.get("map").map(PolicyName::new), backdoor: args.has("backdoor") };
    family.networks.insert(prefix(args)?, network);
    Ok(())
}

fn unset_network(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    match family.networks.remove(&prefix(args)?) {
        Some(_) => Ok(()),
        None => Err(CliError::refused("Can't find static route specified")),
    }
}

fn set_aggregate(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    let prefix = prefix(args)?;
    if prefix.is_host() {
        let reason =
            format!("Specified prefix: {prefix} will not result in any useful aggregation, disallowing");
        return Err(CliError::refused(reason));
    }
    let aggregate = Aggregate {
        as_set: args.has("as_set"),
        summary_only: args.has("summary"),
        route_map: args.get("map").map(PolicyName::new),
        origin: args.get("origin").map(|word| match word {
            "igp" => Origin::Igp,
            "egp" => Origin::Egp,
            _ => Origin::Incomplete,
        }),
        matching_med_only: args.has("med"),
        suppress_map: args.get("suppress").map(PolicyName::new),
    };
    if aggregate.summary_only && aggregate.suppress_map.is_some() {
        return Err(CliError::refused("'summary-only' and 'suppress-map' can't be used at the same time"));
    }
    family.aggregates.insert(prefix, aggregate);
    Ok(())
}

fn unset_aggregate(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    match family.aggregates.remove(&prefix(args)?) {
        Some(_) => Ok(()),
        None => Err(CliError::refused("There is no aggregate-address configuration.")),
    }
}

fn source(args: &Args) -> Result<Source, CliError> {
    Ok(Source { protocol: args.parse("protocol")?, instance: args.parse_opt("instance")?.unwrap_or(0) })
}

/// As in FRR, a second line adds to what the first one said.
fn set_redistribute(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    let redistribute = family.redistribute.entry(source(args)?).or_default();
    if let Some(metric) = args.parse_opt("metric")? {
        redistribute.metric = Some(metric);
    }
    if let Some(map) = args.get("map") {
        redistribute.route_map = Some(PolicyName::new(map));
    }
    Ok(())
}

fn unset_redistribute(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    family.redistribute.remove(&source(args)?);
    Ok(())
}

fn set_distance_rule(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    let access_list = args.get("list").map(PolicyName::new);
    family
        .distance_rules
        .insert(prefix(args)?, DistanceRule { distance: args.parse("distance")?, access_list });
    Ok(())
}

fn unset_distance_rule(family: &mut FamilyConfig, args: &Args) -> Result<(), CliError> {
    let (prefix, distance) = (prefix(args)?, args.parse::<Distance>("distance")?);
    match family.distance_rules.get(&prefix) {
        None => Err(CliError::refused("Can't find specified prefix")),
        Some(rule) if rule.distance != distance => {
            Err(CliError::refused("Distance does not match configured"))
        }
        Some(_) => {
            family.distance_rules.remove(&prefix);
            Ok(())
        }
    }
}

const NETWORK: &str = "Specify a network to announce via BGP";
const V4_PREFIX: &str = "IPv4 prefix";
const V6_PREFIX: &str = "IPv6 prefix";
const MAP: &str = "Route-map to modify the attributes";
const MAP_NAME: &str = "Name of the route map";
const AGGREGATE: &str = "Configure BGP aggregate entries";
const REDISTRIBUTE: &str = "Redistribute information from another routing protocol";
const METRIC: &str = "Metric for redistributed routes";
const DISTANCE: &str = "Define an administrative distance";
const FORWARD: &str = "Forward packets over multiple paths";

/// The options of `aggregate-address`, after the prefix.
macro_rules! aggregate {
    ($prefix:literal) => {
        concat!(
            "aggregate-address ",
            $prefix,
            " [{as-set$as_set|summary-only$summary|route-map RMAP_NAME$map|origin <egp|igp|incomplete>$origin\
             |matching-MED-only$med|suppress-map RMAP_NAME$suppress}]"
        )
    };
}

macro_rules! aggregate_help {
    ($($prefix:expr),+) => {
        &[
            AGGREGATE,
            $($prefix,)+
            "Generate AS set path information",
            "Filter more specific routes from updates",
            "Apply route map to aggregate network",
            MAP_NAME,
            "BGP origin code",
            "Remote EGP",
            "Local IGP",
            "Unknown heritage",
            "Only aggregate routes with matching MED",
            "Suppress the selected more specific routes",
            "Route map with the route selectors",
        ]
    };
}

/// What `redistribute` and its source are followed by.
macro_rules! redistribute {
    ($source:literal, $($help:expr),+) => {
        FamilyRow {
            syntax: concat!("redistribute ", $source, " [{metric (0-4294967295)$metric|route-map RMAP_NAME$map}]"),
            help: &[REDISTRIBUTE, $($help,)+ METRIC, "Default metric", "Route map reference", MAP_NAME],
            no: Negation::Derived,
            set: set_redistribute,
            unset: unset_redistribute,
            examples: &[],
        }
    };
}

/// IPv4: prefixes with a length, a mask or a class.
pub(super) static IPV4: &[FamilyRow] = &[
    FamilyRow {
        syntax: "network <A.B.C.D/M$prefix|A.B.C.D$addr [mask A.B.C.D$mask]> \
                 [{route-map RMAP_NAME$map|backdoor$backdoor}]",
        help: &[
            NETWORK,
            V4_PREFIX,
            "Network number",
            "Network mask",
            "Network mask",
            MAP,
            MAP_NAME,
            "Specify a BGP backdoor route",
        ],
        no: Negation::Syntax(
            "no network <A.B.C.D/M$prefix|A.B.C.D$addr [mask A.B.C.D$mask]> \
             [{route-map RMAP_NAME$map|backdoor$backdoor}]",
        ),
        set: set_network,
        unset: unset_network,
        examples: &["network 10.0.0.0/8", "network 10.0.0.0/8 route-map FOO backdoor"],
    },
    FamilyRow {
        syntax: aggregate!("<A.B.C.D/M$prefix|A.B.C.D$addr A.B.C.D$mask>"),
        help: aggregate_help!(V4_PREFIX, "Aggregate address", "Aggregate mask"),
        no: Negation::Syntax(concat!("no ", aggregate!("<A.B.C.D/M$prefix|A.B.C.D$addr A.B.C.D$mask>"))),
        set: set_aggregate,
        unset: unset_aggregate,
        examples: &[
            "aggregate-address 10.0.0.0/8",
            "aggregate-address 10.0.0.0/8 as-set summary-only route-map FOO origin egp matching-MED-only",
            "aggregate-address 10.0.0.0/8 suppress-map FOO",
        ],
    },
    redistribute!(
        "<kernel|connected|local|static|rip|ospf|ospf6|isis|eigrp|nhrp|table|babel|openfabric>$protocol",
        "Kernel routes (not installed via the zebra RIB)",
        "Connected routes (directly attached subnet or host)",
        "Local routes (directly attached host route)",
        "Statically configured routes",
        "Routing Information Protocol (RIP)",
        "Open Shortest Path First (OSPFv2)",
        "Open Shortest Path First (OSPFv3)",
        "Intermediate System to Intermediate System (IS-IS)",
        "Enhanced Interior Gateway Routing Protocol (EIGRP)",
        "Next Hop Resolution Protocol (NHRP)",
        "Non-main Kernel Routing Table",
        "Babel routing protocol (Babel)",
        "OpenFabric Routing Protocol"
    ),
    redistribute!(
        "<ospf|table|table-direct>$protocol (1-65535)$instance",
        "Open Shortest Path First (OSPFv2)",
        "Non-main Kernel Routing Table",
        "Non-main Kernel Routing Table - Direct",
        "Instance ID/Table ID"
    ),
    FamilyRow {
        syntax: "distance (1-255)$distance A.B.C.D/M$prefix [WORD$list]",
        help: &[DISTANCE, "Administrative distance", "IP source prefix", "Access list name"],
        no: Negation::Syntax("no distance (1-255)$distance A.B.C.D/M$prefix [WORD$list]"),
        set: set_distance_rule,
        unset: unset_distance_rule,
        examples: &["distance 30 10.0.0.0/8 FOO"],
    },
];

pub(super) static IPV6: &[FamilyRow] = &[
    FamilyRow {
        syntax: "network X:X::X:X/M$prefix [{route-map RMAP_NAME$map}]",
        help: &[NETWORK, V6_PREFIX, MAP, MAP_NAME],
        no: Negation::Syntax("no network X:X::X:X/M$prefix [{route-map RMAP_NAME$map}]"),
        set: set_network,
        unset: unset_network,
        examples: &["network 2001:db8::/32", "network 2001:db8::/32 route-map FOO"],
    },
    FamilyRow {
        syntax: aggregate!("X:X::X:X/M$prefix"),
        help: aggregate_help!(V6_PREFIX),
        no: Negation::Syntax(concat!("no ", aggregate!("X:X::X:X/M$prefix"))),
        set: set_aggregate,
        unset: unset_aggregate,
        examples: &["aggregate-address 2001:db8::/32 as-set summary-only"],
    },
    redistribute!(
        "<kernel|connected|local|static|ripng|ospf6|isis|nhrp|table|babel|openfabric>$protocol",
        "Kernel routes (not installed via the zebra RIB)",
        "Connected routes (directly attached subnet or host)",
        "Local routes (directly attached host route)",
        "Statically configured routes",
        "Routing Information Protocol next-generation (IPv6) (RIPng)",
        "Open Shortest Path First (IPv6) (OSPFv3)",
        "Intermediate System to Intermediate System (IS-IS)",
        "Next Hop Resolution Protocol (NHRP)",
        "Non-main Kernel Routing Table",
        "Babel routing protocol (Babel)",
        "OpenFabric Routing Protocol"
    ),
    redistribute!(
        "table-direct$protocol (1-65535)$instance",
        "Non-main Kernel Routing Table - Direct",
        "Table ID"
    ),
    FamilyRow {
        syntax: "distance (1-255)$distance X:X::X:X/M$prefix [WORD$list]",
        help: &[DISTANCE, "Administrative distance", "IP source prefix", "Access list name"],
        no: Negation::Syntax("no distance (1-255)$distance X:X::X:X/M$prefix [WORD$list]"),
        set: set_distance_rule,
        unset: unset_distance_rule,
        examples: &["distance 30 2001:db8::/32 FOO"],
    },
];

/// What both families have alike.
pub(super) static COMMON: &[FamilyRow] = &[
    FamilyRow {
        syntax: "distance bgp (1-255)$external (1-255)$internal (1-255)$local",
        help: &[
            DISTANCE,
            "BGP distance",
            "Distance for routes external to the AS",
            "Distance for routes internal to the AS",
            "Distance for local routes",
        ],
        no: Negation::Derived,
        set: |family, args| {
            let (external, internal) = (args.parse("external")?, args.parse("internal")?);
            family.distances = Distances { external, internal, local: args.parse("local")? };
            Ok(())
        },
        unset: |family, _| {
            family.distances = Distances::default();
            Ok(())
        },
        examples: &["distance bgp 21 201 202"],
    },
    FamilyRow {
        syntax: "maximum-paths (1-256)$paths",
        help: &[FORWARD, "Number of paths"],
        no: Negation::Derived,
        set: |family, args| {
            family.maximum_paths.external = args.parse("paths")?;
            Ok(())
        },
        unset: |family, _| {
            family.maximum_paths.external = MAXIMUM_PATHS;
            Ok(())
        },
        examples: &["maximum-paths 4"],
    },
    FamilyRow {
        syntax: "maximum-paths ibgp (1-256)$paths [equal-cluster-length$equal]",
        help: &[FORWARD, "iBGP-multipath", "Number of paths", "Match the cluster length"],
        no: Negation::Derived,
        set: |family, args| {
            family.maximum_paths.internal = args.parse("paths")?;
            family.maximum_paths.equal_cluster_length = args.has("equal");
            Ok(())
        },
        unset: |family, _| {
            family.maximum_paths.internal = MAXIMUM_PATHS;
            family.maximum_paths.equal_cluster_length = false;
            Ok(())
        },
        examples: &["maximum-paths ibgp 4", "maximum-paths ibgp 4 equal-cluster-length"],
    },
    optimal::GROUP,
    optimal::COST,
    FamilyRow {
        syntax: "table-map WORD$map",
        help: &["BGP table to RIB route download filter", "Name of the route map"],
        no: Negation::Derived,
        set: |family, args| {
            family.table_map = args.get("map").map(PolicyName::new);
            Ok(())
        },
        unset: |family, _| {
            family.table_map = None;
            Ok(())
        },
        examples: &["table-map FOO"],
    },
    FamilyRow {
        syntax: "bgp dampening [(1-45)$half [(1-20000)$reuse (1-50000)$suppress (1-255)$max]]",
        help: &[
            "BGP Specific commands",
            dampening::HELP[0],
            dampening::HELP[1],
            dampening::HELP[2],
            dampening::HELP[3],
            dampening::HELP[4],
        ],
        no: Negation::Syntax("no bgp dampening [(1-45) [(1-20000) (1-50000) (1-255)]]"),
        set: |family, args| {
            family.dampening = Some(Dampening::read(args)?);
            Ok(())
        },
        unset: |family, _| {
            family.dampening = None;
            Ok(())
        },
        examples: &["bgp dampening", "bgp dampening 10", "bgp dampening 10 700 1900 30"],
    },
];

impl FamilyConfig {
    /// What stands before the neighbours.
    pub(super) fn render_before(&self, lines: &mut Lines) {
        let Distances { external, internal, local } = self.distances;
        if self.distances != Distances::default() {
            lines.line(format!("distance bgp {external} {internal} {local}"));
        }
        for (prefix, DistanceRule { distance, access_list }) in &self.distance_rules {
            match access_list {
                Some(name) => lines.line(format!("distance {distance} {prefix} {name}")),
                None => lines.line(format!("distance {distance} {prefix}")),
            }
        }
        for (prefix, Network { route_map, backdoor }) in &self.networks {
            let map = route_map.as_ref().map(|name| format!(" route-map {name}")).unwrap_or_default();
            let backdoor = if *backdoor { " backdoor" } else { "" };
            lines.line(format!("network {prefix}{map}{backdoor}"));
        }
        for (prefix, aggregate) in &self.aggregates {
            lines.line(format!("aggregate-address {prefix}{aggregate}"));
        }
        if let Some(dampening) = self.dampening {
            lines.line(format!("bgp dampening{dampening}"));
        }
        self.optimal.render(lines);
        for (source, Redistribute { metric, route_map }) in &self.redistribute {
            let metric = metric.map(|metric| format!(" metric {metric}")).unwrap_or_default();
            let map = route_map.as_ref().map(|name| format!(" route-map {name}")).unwrap_or_default();
            lines.line(format!("redistribute {source}{metric}{map}"));
        }
    }

    /// What stands behind them.
    pub(super) fn render_after(&self, lines: &mut Lines) {
        let MaximumPaths { external, internal, equal_cluster_length } = self.maximum_paths;
        if external != MAXIMUM_PATHS {
            lines.line(format!("maximum-paths {external}"));
        }
        if internal != MAXIMUM_PATHS || equal_cluster_length {
            let equal = if equal_cluster_length { " equal-cluster-length" } else { "" };
            lines.line(format!("maximum-paths ibgp {internal}{equal}"));
        }
        if let Some(name) = &self.table_map {
            lines.line(format!("table-map {name}"));
        }
    }
}

/// The rows of a family. As in FRR, what is forwarded is the unicast families' affair: several paths at once, and routes
/// of other protocols.
pub(super) fn rows(family: Family) -> impl Iterator<Item = &'static FamilyRow> {
    let own = if family.afi == Afi::Ipv6 { IPV6 } else { IPV4 };
    let unicast_only =
        |row: &FamilyRow| ["redistribute ", "maximum-paths "].iter().any(|word| row.syntax.starts_with(word));
    own.iter().chain(COMMON).filter(move |row| family.safi == Safi::Unicast || !unicast_only(row))
}
