//! Lines of `router ospf`, in the order of FRR's running configuration.

use ferrite_cli::{Negation, Setting};
use ferrite_types::RouteProtocol;

use super::{setting, switch, value};
use crate::settings::{Redistribution, RouterSettings};

/// Calls with every setting, in the order in which they are rendered.
pub fn tables(mut each: impl FnMut(&'static Setting<RouterSettings>)) {
    FIRST.iter().for_each(&mut each);
}

static FIRST: &[Setting<RouterSettings>] = &[
    value!(
        router_id,
        "ospf router-id",
        "A.B.C.D$value",
        ["Settings of OSPF", "The router ID, instead of an address of the router", "Router ID"],
        Negation::Derived,
        "ospf router-id 192.0.2.1"
    ),
    setting!(
        "redistribute <kernel|connected|local|static|rip|isis|bgp|eigrp|nhrp|vnc|babel|openfabric>$source \
         [{metric (0-16777214)$metric|metric-type (1-2)$kind|route-map RMAP_NAME$map}]",
        [
            "Announce routes of another protocol",
            "Routes of the kernel",
            "Connected networks",
            "Own addresses",
            "Static routes",
            "RIP",
            "IS-IS",
            "BGP",
            "EIGRP",
            "NHRP",
            "VNC",
            "Babel",
            "OpenFabric",
            "Metric of the routes",
            "Metric",
            "Type of the metric",
            "Type",
            "A map that they pass through",
            "Name of the map"
        ],
        Negation::Derived,
        |router, args| {
            let terms = Redistribution {
                metric: args.parse_opt("metric")?,
                type1: args.get("kind") == Some("1"),
                route_map: args.get("map").map(str::to_owned),
            };
            router.redistribute.insert((args.parse("source")?, 0), terms);
            Ok(())
        },
        |router, args| {
            let source: RouteProtocol = args.parse("source")?;
            router.redistribute.remove(&(source, 0));
            Ok(())
        },
        |router, lines| {
            for ((source, _), terms) in &router.redistribute {
                let metric = terms.metric.map(|metric| format!(" metric {metric}")).unwrap_or_default();
                let kind = if terms.type1 { " metric-type 1" } else { "" };
                let map = terms.route_map.as_ref().map(|map| format!(" route-map {map}")).unwrap_or_default();
                lines.line(format!("redistribute {source}{metric}{kind}{map}"));
            }
        },
        ["redistribute connected", "redistribute static metric 5 metric-type 1 route-map RM"]
    ),
    switch!(
        passive_default,
        "passive-interface default",
        "passive-interface default",
        ["Send and hear nothing on interfaces", "On those that do not say otherwise"],
        Negation::Derived
    ),
    setting!(
        "network A.B.C.D/M$network area <A.B.C.D|(0-4294967295)>$area",
        ["Runs OSPF on networks", "The networks in this prefix", "Their area", "Area", "Area"],
        Negation::Derived,
        |router, args| {
            router.networks.insert(args.parse("network")?, args.parse("area")?);
            Ok(())
        },
        |router, args| {
            router.networks.remove(&args.parse("network")?);
            Ok(())
        },
        |router, lines| {
            for (network, area) in &router.networks {
                lines.line(format!("network {network} area {area}"));
            }
        },
        ["network 10.0.0.0/8 area 0", "network 10.1.0.0/16 area 0.0.0.3"]
    ),
];
