//! Lines of `router ospf`, in the order of FRR's running configuration.

use ferrite_cli::{Negation, Setting};

use super::{areas, convergence, flood, limit, setting, shared, switch, te, unless_no, value};
use crate::settings::{AbrType, NamedNeighbor, RouterSettings};

/// Calls with every setting, in the order in which they are rendered.
pub fn tables(mut each: impl FnMut(&'static Setting<RouterSettings>)) {
    let tables = [
        FIRST,
        flood::ROUTER,
        flood::AREA,
        shared::REDISTRIBUTE_V2,
        RESTART,
        SUMMARIES,
        NETWORKS,
        areas::V2,
        LAST,
        shared::DEFAULT_V2,
        DISTANCE,
        te::ROUTER,
        convergence::ROUTER,
        limit::ROUTER,
        SOCKETS,
    ];
    tables.into_iter().flatten().for_each(&mut each);
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
        "router-id A.B.C.D$value",
        ["The router ID, instead of an address of the router", "Router ID"],
        Negation::Derived,
        |router, args| {
            router.router_id = Some(args.parse("value")?);
            Ok(())
        },
        |router, _| {
            router.router_id = None;
            Ok(())
        },
        // The older spelling of the line above.
        |_, _| {},
        []
    ),
    switch!(
        extra_data,
        "ospf send-extra-data zebra",
        "ospf send-extra-data zebra",
        ["Settings of OSPF", "More about routes than zebra needs", "For zebra"],
        Negation::Derived
    ),
    setting!(
        "ospf abr-type <cisco|ibm|shortcut|standard>$kind",
        [
            "Settings of OSPF",
            "What makes an area border router (RFC 3509)",
            "An adjacency in the backbone",
            "The backbone among its areas",
            "Ways past the backbone where they are shorter",
            "Several areas (RFC 2328)"
        ],
        Negation::Syntax("no ospf abr-type [<cisco|ibm|shortcut|standard>$kind]"),
        |router, args| {
            let said = args.get("kind").unwrap_or_default();
            router.abr = AbrType::ALL.into_iter().find(|kind| kind.word() == said).unwrap_or_default();
            Ok(())
        },
        |router, _| {
            router.abr = AbrType::default();
            Ok(())
        },
        |router, lines| {
            if router.abr != AbrType::default() {
                lines.line(format!("ospf abr-type {}", router.abr.word()));
            }
        },
        ["ospf abr-type ibm", "ospf abr-type standard", "ospf abr-type shortcut"]
    ),
    shared::LOG,
    shared::LOG_DETAIL,
    switch!(
        rfc1583,
        "compatible rfc1583",
        "compatible rfc1583",
        ["Do as others do", "Prefer external routes as RFC 1583 did"],
        Negation::Derived
    ),
    setting!(
        "ospf rfc1583compatibility",
        ["Settings of OSPF", "Prefer external routes as RFC 1583 did"],
        Negation::Derived,
        |router, _| {
            router.rfc1583 = true;
            Ok(())
        },
        |router, _| {
            router.rfc1583 = false;
            Ok(())
        },
        |_, _| {},
        []
    ),
    shared::REFERENCE,
    shared::SPF,
    value!(
        throttle_lsa,
        "timers throttle lsa all",
        "(0-5000)$value",
        [
            "Times",
            "Least times between two of a kind",
            "LSAs of our own",
            "All of them",
            "Milliseconds between two of one"
        ],
        Negation::Derived,
        "timers throttle lsa all 400"
    ),
    value!(
        min_arrival,
        "timers lsa min-arrival",
        "(0-5000)$value",
        ["Times", "LSAs", "Least time between two of one that are taken", "Milliseconds"],
        Negation::Derived,
        "timers lsa min-arrival 300"
    ),
    value!(
        write_multiplier,
        "ospf write-multiplier",
        "(1-100)$value",
        ["Settings of OSPF", "Packets written at a time", "Packets"],
        Negation::Derived,
        "ospf write-multiplier 30"
    ),
    setting!(
        "write-multiplier (1-100)$value",
        ["Packets written at a time", "Packets"],
        Negation::Derived,
        |router, args| {
            router.write_multiplier = Some(args.parse("value")?);
            Ok(())
        },
        |router, _| {
            router.write_multiplier = None;
            Ok(())
        },
        |_, _| {},
        []
    ),
    shared::PATHS,
    value!(
        max_metric.on_startup,
        "max-metric router-lsa on-startup",
        "(5-86400)$value",
        [
            "The highest metric, so that nobody goes through us",
            "For the links of the router-LSA",
            "After the start",
            "Seconds"
        ],
        Negation::Derived,
        "max-metric router-lsa on-startup 7"
    ),
    value!(
        max_metric.on_shutdown,
        "max-metric router-lsa on-shutdown",
        "(5-100)$value",
        [
            "The highest metric, so that nobody goes through us",
            "For the links of the router-LSA",
            "Before the end",
            "Seconds"
        ],
        Negation::Derived,
        "max-metric router-lsa on-shutdown 6"
    ),
    switch!(
        max_metric.administrative,
        "max-metric router-lsa administrative",
        "max-metric router-lsa administrative",
        [
            "The highest metric, so that nobody goes through us",
            "For the links of the router-LSA",
            "Until it is taken back"
        ],
        Negation::Derived
    ),
    value!(
        refresh,
        "refresh timer",
        "(10-1800)$value",
        ["Renewal of LSAs", "LSAs due in this time are renewed together", "Seconds"],
        Negation::Derived,
        "refresh timer 20"
    ),
    unless_no!(
        no_socket_per_interface,
        "socket-per-interface",
        "socket-per-interface",
        ["A socket for each interface"]
    ),
];

static RESTART: &[Setting<RouterSettings>] = &[
    shared::GRACE,
    shared::HELPER,
    unless_no!(
        restart.lax,
        "graceful-restart helper strict-lsa-checking",
        "graceful-restart helper strict-lsa-checking",
        ["Restart without loss", "Help to others that restart", "A change of the topology ends it"]
    ),
    shared::PLANNED,
    shared::LONGEST,
    shared::AGGREGATION,
];

static SUMMARIES: &[Setting<RouterSettings>] = &[
    setting!(
        "summary-address A.B.C.D/M$prefix [tag (1-4294967295)$tag]",
        ["External routes in a prefix are announced as one", "Prefix", "With a tag", "Tag"],
        Negation::Derived,
        shared::summarize,
        shared::no_summary,
        shared::show_summaries,
        ["summary-address 10.0.0.0/8 tag 5", "summary-address 10.0.0.0/8"]
    ),
    setting!(
        "summary-address A.B.C.D/M$prefix no-advertise",
        ["External routes in a prefix are announced as one", "Prefix", "They are not announced at all"],
        Negation::Derived,
        shared::summarize,
        shared::no_summary,
        |_, _| {},
        ["summary-address 10.0.0.0/8 no-advertise"]
    ),
    switch!(
        passive_default,
        "passive-interface default",
        "passive-interface default",
        ["Send and hear nothing on interfaces", "On those that do not say otherwise"],
        Negation::Derived
    ),
    unless_no!(
        no_proactive_arp,
        "proactive-arp",
        "proactive-arp",
        ["Ask for the neighbours' link addresses before they are needed"]
    ),
];

static NETWORKS: &[Setting<RouterSettings>] = &[setting!(
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
)];

static LAST: &[Setting<RouterSettings>] = &[
    setting!(
        "neighbor A.B.C.D$neighbor [{priority (0-255)$priority|poll-interval (1-65535)$poll}]",
        [
            "A neighbour that cannot be found",
            "Address",
            "Whether it may become the designated router",
            "Priority",
            "Time between Hellos while it is silent",
            "Seconds"
        ],
        Negation::Derived,
        |router, args| {
            let named = router.neighbors.entry(args.ipv4("neighbor")?).or_default();
            *named = NamedNeighbor {
                priority: args.parse_opt("priority")?.or(named.priority),
                poll_interval: args.parse_opt("poll")?.or(named.poll_interval),
            };
            Ok(())
        },
        |router, args| {
            router.neighbors.remove(&args.ipv4("neighbor")?);
            Ok(())
        },
        |router, lines| {
            for (address, named) in &router.neighbors {
                let priority = named.priority.map(|value| format!(" priority {value}")).unwrap_or_default();
                let poll =
                    named.poll_interval.map(|value| format!(" poll-interval {value}")).unwrap_or_default();
                lines.line(format!("neighbor {address}{priority}{poll}"));
            }
        },
        ["neighbor 10.0.0.9 priority 4 poll-interval 30", "neighbor 10.0.0.8"]
    ),
    areas::VIRTUAL_TIMES,
    areas::VIRTUAL_AUTH,
    value!(
        default_metric,
        "default-metric",
        "(0-16777214)$value",
        ["Metric of routes of other protocols", "Metric"],
        Negation::Derived,
        "default-metric 50"
    ),
    setting!(
        "distribute-list ACCESSLIST4_NAME$list out <kernel|connected|local|static|rip|ospf6|isis|bgp|eigrp|nhrp|table|vnc|babel|openfabric|table-direct>$source",
        [
            "Which routes of other protocols are announced",
            "Access list",
            "What we announce",
            "Routes of the kernel",
            "Connected networks",
            "Own addresses",
            "Static routes",
            "RIP",
            "OSPFv3",
            "IS-IS",
            "BGP",
            "EIGRP",
            "NHRP",
            "Other tables of the kernel",
            "VNC",
            "Babel",
            "OpenFabric",
            "Directly of other tables of the kernel"
        ],
        Negation::Derived,
        |router, args| {
            router.distribute.insert(args.parse("source")?, args.get("list").unwrap_or_default().to_owned());
            Ok(())
        },
        |router, args| {
            if let Some(source) = args.parse_opt("source")? {
                router.distribute.remove(&source);
            }
            Ok(())
        },
        |router, lines| {
            for (source, list) in &router.distribute {
                lines.line(format!("distribute-list {list} out {source}"));
            }
        },
        [
            "distribute-list AL out static",
            "distribute-list AL out table",
            "distribute-list AL out table-direct"
        ]
    ),
];

static DISTANCE: &[Setting<RouterSettings>] = &[
    value!(
        distance,
        "distance",
        "(1-255)$value",
        ["How much our routes are preferred to others'", "Distance"],
        Negation::Derived,
        "distance 100"
    ),
    shared::DISTANCES_V2,
    switch!(
        opaque,
        "capability opaque",
        "capability opaque",
        ["What we are able to do", "Opaque LSAs (RFC 5250)"],
        Negation::Derived
    ),
    setting!(
        "ospf opaque-lsa",
        ["Settings of OSPF", "Opaque LSAs (RFC 5250)"],
        Negation::Derived,
        |router, _| {
            router.opaque = true;
            Ok(())
        },
        |router, _| {
            router.opaque = false;
            Ok(())
        },
        |_, _| {},
        []
    ),
];

static SOCKETS: &[Setting<RouterSettings>] = &[setting!(
    "socket buffer <send|recv|all>$which (1-4000000000)$octets",
    ["Sockets", "Their buffers", "For sending", "For receiving", "Both", "Octets"],
    Negation::Derived,
    |router, args| {
        let octets = Some(args.parse("octets")?);
        if args.get("which") != Some("recv") {
            router.send_buffer = octets;
        }
        if args.get("which") != Some("send") {
            router.receive_buffer = octets;
        }
        Ok(())
    },
    |router, args| {
        if args.get("which") != Some("recv") {
            router.send_buffer = None;
        }
        if args.get("which") != Some("send") {
            router.receive_buffer = None;
        }
        Ok(())
    },
    |router, lines| match (router.receive_buffer, router.send_buffer) {
        (Some(receive), Some(send)) if receive == send => {
            lines.line(format!("socket buffer all {send}"));
        }
        (receive, send) => {
            if let Some(octets) = receive {
                lines.line(format!("socket buffer recv {octets}"));
            }
            if let Some(octets) = send {
                lines.line(format!("socket buffer send {octets}"));
            }
        }
    },
    ["socket buffer send 100000", "socket buffer recv 100000", "socket buffer all 100000"]
)];
