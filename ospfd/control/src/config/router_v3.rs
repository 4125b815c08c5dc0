//! Lines of `router ospf6` and `router ospf6 ipv4`, in the order of FRR's running configuration.

use ferrite_cli::{Negation, Setting};

use super::{areas, convergence, limit, setting, shared, switch, value};
use crate::settings::RouterSettings;

/// Calls with every setting, in the order in which they are rendered.
pub fn tables(mut each: impl FnMut(&'static Setting<RouterSettings>)) {
    let tables = [
        FIRST,
        shared::REDISTRIBUTE_V3,
        areas::V3,
        SECOND,
        shared::DEFAULT_V3,
        LAST,
        convergence::ROUTER,
        limit::ROUTER,
    ];
    tables.into_iter().flatten().for_each(&mut each);
}

/// Sources of routes that only IPv4 has; rendered with the others.
pub static IPV4: &[Setting<RouterSettings>] = &[shared::REDISTRIBUTE_IPV4];

static FIRST: &[Setting<RouterSettings>] = &[
    value!(
        router_id,
        "ospf6 router-id",
        "A.B.C.D$value",
        ["Settings of OSPFv3", "The router ID, instead of an address of the router", "Router ID"],
        Negation::Derived,
        "ospf6 router-id 192.0.2.1"
    ),
    switch!(
        extra_data,
        "ospf6 send-extra-data zebra",
        "ospf6 send-extra-data zebra",
        ["Settings of OSPFv3", "More about routes than zebra needs", "For zebra"],
        Negation::Derived
    ),
    shared::LOG,
    shared::LOG_DETAIL,
    shared::REFERENCE,
    value!(
        write_multiplier,
        "write-multiplier",
        "(1-100)$value",
        ["Packets written at a time", "Packets"],
        Negation::Derived,
        "write-multiplier 30"
    ),
    value!(
        min_arrival,
        "timers lsa min-arrival",
        "(0-600000)$value",
        ["Times", "LSAs", "Least time between two of one that are taken", "Milliseconds"],
        Negation::Derived,
        "timers lsa min-arrival 300"
    ),
    shared::PATHS,
    switch!(
        max_metric.administrative,
        "stub-router administrative",
        "stub-router administrative",
        ["Nobody goes through us", "Until it is taken back"],
        Negation::Derived
    ),
];

static SECOND: &[Setting<RouterSettings>] = &[
    shared::SPF,
    value!(
        distance,
        "distance",
        "(1-255)$value",
        ["How much our routes are preferred to others'", "Distance"],
        Negation::Derived,
        "distance 100"
    ),
    shared::DISTANCES_V3,
];

static LAST: &[Setting<RouterSettings>] = &[
    shared::AGGREGATION,
    setting!(
        "summary-address X:X::X:X/M$prefix [tag (1-4294967295)$tag] [{metric (0-16777215)$metric|metric-type (1-2)$kind}]",
        [
            "External routes in a prefix are announced as one",
            "Prefix",
            "With a tag",
            "Tag",
            "With a metric",
            "Metric",
            "Type of the metric",
            "Type"
        ],
        Negation::Derived,
        shared::summarize,
        shared::no_summary,
        shared::show_summaries,
        ["summary-address 2001:db8::/32 tag 4 metric 3 metric-type 1", "summary-address 2001:db8::/32"]
    ),
    setting!(
        "summary-address X:X::X:X/M$prefix no-advertise",
        ["External routes in a prefix are announced as one", "Prefix", "They are not announced at all"],
        Negation::Derived,
        shared::summarize,
        shared::no_summary,
        |_, _| {},
        ["summary-address 2001:db8::/32 no-advertise"]
    ),
    shared::GRACE,
    switch!(
        restart.lax,
        "graceful-restart helper lsa-check-disable",
        "graceful-restart helper lsa-check-disable",
        ["Restart without loss", "Help to others that restart", "A change of the topology does not end it"],
        Negation::Derived
    ),
    shared::PLANNED,
    shared::LONGEST,
    shared::HELPER,
];
