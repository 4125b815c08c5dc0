//! `area X …` of OSPFv3.

use ferrite_cli::Negation;

use super::{
    ACCESS_LISTS_V3, AREA, ID, PREFIX_LISTS_V3, Router, STUB_NO_SUMMARY, no_nssa, no_range, no_stub, nssa,
    range, show_v3, stub,
};
use crate::config::setting;

pub static V3: &[Router] = &[
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area stub",
        [AREA, ID, ID, "Nothing of other protocols goes there"],
        Negation::Derived,
        stub,
        no_stub,
        show_v3,
        ["area 1 stub"]
    ),
    STUB_NO_SUMMARY,
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area nssa [{default-information-originate \
         [{metric (0-16777214)$metric|metric-type (1-2)$kind}]|no-summary}]",
        [
            AREA,
            ID,
            ID,
            "External routes come in only from routers of the area (RFC 3101)",
            "Announce a default route in it",
            "Its metric",
            "Metric",
            "Type of the metric",
            "Type",
            "No routes of other areas"
        ],
        Negation::Derived,
        nssa,
        no_nssa,
        |_, _| {},
        ["area 2 nssa", "area 2 nssa default-information-originate metric 4 no-summary"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area nssa range X:X::X:X/M$prefix [<not-advertise|cost (0-16777215)$cost>]",
        [
            AREA,
            ID,
            ID,
            "What is translated for others",
            "Routes in a prefix are announced as one",
            "Prefix",
            "They are not announced at all",
            "With a metric",
            "Metric"
        ],
        Negation::Derived,
        range,
        no_range,
        |_, _| {},
        []
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area range X:X::X:X/M$prefix [<advertise|not-advertise|cost (0-16777215)$cost>]",
        [
            AREA,
            ID,
            ID,
            "Routes in a prefix are announced as one",
            "Prefix",
            "Announce them",
            "They are not announced at all",
            "With a metric",
            "Metric"
        ],
        Negation::Derived,
        range,
        no_range,
        |_, _| {},
        [
            "area 0 range 2001:db8::/32",
            "area 0 range 2001:db8::/32 not-advertise",
            "area 0 range 2001:db8::/32 cost 5"
        ]
    ),
    ACCESS_LISTS_V3,
    PREFIX_LISTS_V3,
];
