//! Lines that both versions have.

use ferrite_cli::{Args, CliError, Lines, Negation, Setting};
use ferrite_types::RouteProtocol;

use super::{setting, switch, value};
use crate::settings::{DefaultOriginate, Distances, LogAdjacency, Redistribution, RouterSettings, Summary};

type Router = Setting<RouterSettings>;

/// `redistribute` of some sources, with the terms that all of them have.
macro_rules! redistribution {
    ($sources:literal, [$($help:expr),* $(,)?], $render:expr, [$($example:expr),* $(,)?]) => {
        setting!(
            concat!(
                "redistribute ",
                $sources,
                " [{metric (0-16777214)$metric|metric-type (1-2)$kind|route-map RMAP_NAME$map}]"
            ),
            [
                "Announce routes of another protocol",
                $($help,)*
                "Metric of the routes",
                "Metric",
                "Type of the metric",
                "Type",
                "A map that they pass through",
                "Name of the map"
            ],
            Negation::Derived,
            redistribute,
            no_redistribute,
            $render,
            [$($example),*]
        )
    };
}

pub static REDISTRIBUTE_V2: &[Router] = &[
    redistribution!(
        "<kernel|connected|local|static|rip|ospf6|isis|bgp|eigrp|nhrp|vnc|babel|openfabric|table-direct>$source",
        [
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
            "VNC",
            "Babel",
            "OpenFabric",
            "Of another table of the kernel, by number: here without one, so none"
        ],
        show_redistribute,
        [
            "redistribute connected",
            "redistribute static metric 5 metric-type 1 route-map RM",
            "redistribute table-direct"
        ]
    ),
    redistribution!(
        "<ospf|table>$source (1-65535)$number",
        ["Another instance of OSPF", "Of another table of the kernel", "Number of the instance or table"],
        |_, _| {},
        ["redistribute table 100 metric 7"]
    ),
];

pub static REDISTRIBUTE_V3: &[Router] = &[redistribution!(
    "<kernel|connected|local|static|ripng|isis|bgp|nhrp|table|vnc|babel|openfabric|table-direct>$source",
    [
        "Routes of the kernel",
        "Connected networks",
        "Own addresses",
        "Static routes",
        "RIPng",
        "IS-IS",
        "BGP",
        "NHRP",
        "Of another table of the kernel, by number: here without one, so none",
        "VNC",
        "Babel",
        "OpenFabric",
        "Directly of another table, by number: here without one, so none"
    ],
    show_redistribute,
    [
        "redistribute connected",
        "redistribute static metric 5 metric-type 1 route-map RM",
        "redistribute table metric 7",
        "redistribute table-direct"
    ]
)];

pub const REDISTRIBUTE_IPV4: Router = redistribution!(
    "<ospf|eigrp>$source",
    ["OSPFv2", "EIGRP"],
    |_, _| {},
    ["redistribute ospf", "redistribute eigrp metric 5"]
);

fn redistribute(router: &mut RouterSettings, args: &Args) -> Result<(), CliError> {
    let terms = Redistribution {
        metric: args.parse_opt("metric")?,
        type1: args.get("kind") == Some("1"),
        route_map: args.get("map").map(str::to_owned),
    };
    let source: RouteProtocol = args.parse("source")?;
    router.redistribute.insert((source, args.parse_opt("number")?.unwrap_or(0)), terms);
    Ok(())
}

fn no_redistribute(router: &mut RouterSettings, args: &Args) -> Result<(), CliError> {
    let source: RouteProtocol = args.parse("source")?;
    let number: Option<u16> = args.parse_opt("number")?;
    router
        .redistribute
        .retain(|(known, of), _| *known != source || number.is_some_and(|number| *of != number));
    Ok(())
}

fn show_redistribute(router: &RouterSettings, lines: &mut Lines) {
    for ((source, number), terms) in &router.redistribute {
        let number = if *number == 0 { String::new() } else { format!(" {number}") };
        let Redistribution { metric, type1, route_map } = terms;
        lines.line(format!(
            "redistribute {source}{number}{}",
            terms_of(*metric, *type1, route_map.as_deref())
        ));
    }
}

fn terms_of(metric: Option<u32>, type1: bool, map: Option<&str>) -> String {
    let metric = metric.map(|metric| format!(" metric {metric}")).unwrap_or_default();
    let kind = if type1 { " metric-type 1" } else { "" };
    let map = map.map(|map| format!(" route-map {map}")).unwrap_or_default();
    format!("{metric}{kind}{map}")
}

const ORIGINATE: Router = setting!(
    "default-information originate \
     [{always$always|metric (0-16777214)$metric|metric-type (1-2)$kind|route-map RMAP_NAME$map}]",
    [
        "The default route",
        "Announce it",
        "Though there is none",
        "Its metric",
        "Metric",
        "Type of the metric",
        "Type",
        "A map that it passes through",
        "Name of the map"
    ],
    Negation::Syntax(
        "no default-information originate \
         [{always$always|metric [(0-16777214)$metric]|metric-type [(1-2)$kind]|route-map [RMAP_NAME$map]}]",
    ),
    |router, args| {
        router.default_originate = Some(DefaultOriginate {
            always: args.has("always"),
            metric: args.parse_opt("metric")?,
            type1: args.get("kind") == Some("1"),
            route_map: args.get("map").map(str::to_owned),
        });
        Ok(())
    },
    |router, _| {
        router.default_originate = None;
        Ok(())
    },
    |router, lines| {
        if let Some(DefaultOriginate { always, metric, type1, route_map }) = &router.default_originate {
            let always = if *always { " always" } else { "" };
            let terms = terms_of(*metric, *type1, route_map.as_deref());
            lines.line(format!("default-information originate{always}{terms}"));
        }
    },
    [
        "default-information originate",
        "default-information originate always metric 5 metric-type 1 route-map RM"
    ]
);
pub static DEFAULT_V2: &[Router] = &[ORIGINATE];
pub static DEFAULT_V3: &[Router] = &[ORIGINATE];

pub const LOG: Router = setting!(
    "log-adjacency-changes",
    ["A line in the log when an adjacency comes or goes"],
    Negation::Derived,
    |router, _| {
        router.log_adjacency = router.log_adjacency.max(LogAdjacency::Yes);
        Ok(())
    },
    |router, _| {
        router.log_adjacency = LogAdjacency::No;
        Ok(())
    },
    |router, lines| {
        if router.log_adjacency == LogAdjacency::Yes {
            lines.line("log-adjacency-changes");
        }
    },
    ["log-adjacency-changes"]
);
pub const LOG_DETAIL: Router = setting!(
    "log-adjacency-changes detail",
    ["A line in the log when an adjacency comes or goes", "At every state on its way"],
    Negation::Derived,
    |router, _| {
        router.log_adjacency = LogAdjacency::Detail;
        Ok(())
    },
    |router, _| {
        router.log_adjacency = router.log_adjacency.min(LogAdjacency::Yes);
        Ok(())
    },
    |router, lines| {
        if router.log_adjacency == LogAdjacency::Detail {
            lines.line("log-adjacency-changes detail");
        }
    },
    ["log-adjacency-changes detail"]
);

pub const REFERENCE: Router = value!(
    reference_bandwidth,
    "auto-cost reference-bandwidth",
    "(1-4294967)$value",
    ["Cost by bandwidth", "The bandwidth that costs 1", "Megabits per second"],
    Negation::Derived,
    "auto-cost reference-bandwidth 500"
);

pub const SPF: Router = setting!(
    "timers throttle spf (0-600000)$delay (0-600000)$hold (0-600000)$longest",
    [
        "Times",
        "Least times between two of a kind",
        "Computations of the paths",
        "Milliseconds from a first change",
        "Milliseconds between two at first",
        "Milliseconds between two at most"
    ],
    Negation::Derived,
    |router, args| {
        router.spf = Some([args.parse("delay")?, args.parse("hold")?, args.parse("longest")?]);
        Ok(())
    },
    |router, _| {
        router.spf = None;
        Ok(())
    },
    |router, lines| {
        if let Some([delay, hold, longest]) = router.spf {
            lines.line(format!("timers throttle spf {delay} {hold} {longest}"));
        }
    },
    ["timers throttle spf 1 2 3"]
);

pub const PATHS: Router = value!(
    max_paths,
    "maximum-paths",
    "(1-256)$value",
    ["Next hops of a route at most", "Next hops"],
    Negation::Derived,
    "maximum-paths 4"
);

pub const AGGREGATION: Router = value!(
    aggregation_delay,
    "aggregation timer",
    "(5-1800)$value",
    ["External routes announced as one", "Time for which changes are gathered", "Seconds"],
    Negation::Derived,
    "aggregation timer 30"
);

pub const GRACE: Router = setting!(
    "graceful-restart [grace-period (1-1800)$seconds]",
    ["Restart without loss", "Time that we need", "Seconds"],
    Negation::Derived,
    |router, args| {
        router.restart.enabled = true;
        router.restart.grace_period = args.parse_opt("seconds")?.filter(|seconds| *seconds != 120);
        Ok(())
    },
    |router, _| {
        router.restart.enabled = false;
        router.restart.grace_period = None;
        Ok(())
    },
    |router, lines| {
        if router.restart.enabled {
            let period = router.restart.grace_period.map(|seconds| format!(" grace-period {seconds}"));
            lines.line(format!("graceful-restart{}", period.unwrap_or_default()));
        }
    },
    ["graceful-restart", "graceful-restart grace-period 100"]
);

pub const HELPER: Router = setting!(
    "graceful-restart helper enable [A.B.C.D$router]",
    ["Restart without loss", "Help to others that restart", "Give it", "To this router"],
    Negation::Derived,
    |router, args| {
        match args.parse_opt("router")? {
            Some(id) => drop(router.restart.helped.insert(id)),
            None => router.restart.helper = true,
        }
        Ok(())
    },
    |router, args| {
        match args.parse_opt("router")? {
            Some(id) => drop(router.restart.helped.remove(&id)),
            None => router.restart.helper = false,
        }
        Ok(())
    },
    |router, lines| {
        if router.restart.helper {
            lines.line("graceful-restart helper enable");
        }
        for id in &router.restart.helped {
            lines.line(format!("graceful-restart helper enable {id}"));
        }
    },
    ["graceful-restart helper enable", "graceful-restart helper enable 5.5.5.5"]
);

pub const PLANNED: Router = switch!(
    restart.planned_only,
    "graceful-restart helper planned-only",
    "graceful-restart helper planned-only",
    ["Restart without loss", "Help to others that restart", "When they have announced it"],
    Negation::Derived
);

pub const LONGEST: Router = setting!(
    "graceful-restart helper supported-grace-time (10-1800)$seconds",
    ["Restart without loss", "Help to others that restart", "For this long at most", "Seconds"],
    Negation::Derived,
    |router, args| {
        router.restart.longest = Some(args.parse("seconds")?).filter(|seconds| *seconds != 1800);
        Ok(())
    },
    |router, _| {
        router.restart.longest = None;
        Ok(())
    },
    |router, lines| {
        if let Some(seconds) = router.restart.longest {
            lines.line(format!("graceful-restart helper supported-grace-time {seconds}"));
        }
    },
    ["graceful-restart helper supported-grace-time 700"]
);

/// `summary-address` with what is said of the route that takes the others' place.
pub fn summarize(router: &mut RouterSettings, args: &Args) -> Result<(), CliError> {
    let summary = Summary {
        no_advertise: args.has("no-advertise"),
        tag: args.parse_opt("tag")?,
        metric: args.parse_opt("metric")?,
        metric_type: args.parse_opt("kind")?,
    };
    router.summaries.insert(args.parse("prefix")?, summary);
    Ok(())
}

pub fn no_summary(router: &mut RouterSettings, args: &Args) -> Result<(), CliError> {
    router.summaries.remove(&args.parse("prefix")?);
    Ok(())
}

pub fn show_summaries(router: &RouterSettings, lines: &mut Lines) {
    for (prefix, summary) in &router.summaries {
        let tag = summary.tag.map(|tag| format!(" tag {tag}")).unwrap_or_default();
        let metric = summary.metric.map(|metric| format!(" metric {metric}")).unwrap_or_default();
        let kind = summary.metric_type.map(|kind| format!(" metric-type {kind}")).unwrap_or_default();
        let no = if summary.no_advertise { " no-advertise" } else { "" };
        lines.line(format!("summary-address {prefix}{tag}{metric}{kind}{no}"));
    }
}

macro_rules! distances {
    ($name:ident, $word:literal) => {
        pub const $name: Router = setting!(
            concat!(
                "distance ",
                $word,
                " {intra-area (1-255)$intra|inter-area (1-255)$inter|external (1-255)$external}"
            ),
            [
                "How much our routes are preferred to others'",
                "By kind",
                "Of our own area",
                "Distance",
                "Of other areas",
                "Distance",
                "Of other protocols",
                "Distance"
            ],
            Negation::Syntax(concat!(
                "no distance ",
                $word,
                " [{intra-area$no_intra [(1-255)$intra]|inter-area$no_inter [(1-255)$inter]|\
                 external$no_external [(1-255)$external]}]"
            )),
            |router, args| {
                let Distances { intra, inter, external } = router.distances;
                router.distances = Distances {
                    intra: args.parse_opt("intra")?.or(intra),
                    inter: args.parse_opt("inter")?.or(inter),
                    external: args.parse_opt("external")?.or(external),
                };
                Ok(())
            },
            |router, args| {
                let named = ["no_intra", "no_inter", "no_external"].map(|name| args.has(name));
                let all = named == [false; 3];
                let [intra, inter, external] = named.map(|named| named || all);
                if intra {
                    router.distances.intra = None;
                }
                if inter {
                    router.distances.inter = None;
                }
                if external {
                    router.distances.external = None;
                }
                Ok(())
            },
            |router, lines| {
                let Distances { intra, inter, external } = router.distances;
                let mut line = concat!("distance ", $word).to_owned();
                for (word, value) in [("intra-area", intra), ("inter-area", inter), ("external", external)] {
                    if let Some(value) = value {
                        line.push_str(&format!(" {word} {value}"));
                    }
                }
                if router.distances != Distances::default() {
                    lines.line(line);
                }
            },
            [
                concat!("distance ", $word, " intra-area 10 inter-area 20 external 30"),
                concat!("distance ", $word, " external 4")
            ]
        );
    };
}
distances!(DISTANCES_V2, "ospf");
distances!(DISTANCES_V3, "ospf6");
