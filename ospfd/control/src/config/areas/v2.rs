//! `area X …` of OSPFv2.

use ferrite_cli::{CliError, Negation};
use ferrite_types::Prefix;

use super::{
    ACCESS_LISTS_V2, AREA, ID, PREFIX_LISTS_V2, Router, STUB, STUB_NO_SUMMARY, area, no_nssa, no_range, nssa,
    range, show_v2,
};
use crate::config::setting;
use crate::settings::area::AreaAuth;

pub static V2: &[Router] = &[
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area authentication",
        [AREA, ID, ID, "Packets carry a password"],
        Negation::Derived,
        |router, args| {
            area(router, args)?.authentication = Some(AreaAuth::Simple);
            Ok(())
        },
        |router, args| {
            area(router, args)?.authentication = None;
            Ok(())
        },
        show_v2,
        ["area 0 authentication"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area authentication message-digest",
        [AREA, ID, ID, "Packets carry a password", "A digest instead of it"],
        Negation::Derived,
        |router, args| {
            area(router, args)?.authentication = Some(AreaAuth::Digest);
            Ok(())
        },
        |router, args| {
            area(router, args)?.authentication = None;
            Ok(())
        },
        |_, _| {},
        ["area 0 authentication message-digest"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area shortcut <default|enable|disable>$how",
        [AREA, ID, ID, "Ways past the backbone", "As others say", "Take them", "Do not take them"],
        Negation::Derived,
        |router, args| {
            let how = args.get("how").unwrap_or_default();
            let area = area(router, args)?;
            if area.name.id.is_backbone() {
                return Err(CliError::refused("You can't configure shortcut to backbone"));
            }
            area.shortcut = match how {
                "enable" => Some(true),
                "disable" => Some(false),
                _ => None,
            };
            Ok(())
        },
        |router, args| {
            area(router, args)?.shortcut = None;
            Ok(())
        },
        |_, _| {},
        ["area 8 shortcut enable", "area 8 shortcut disable"]
    ),
    STUB,
    STUB_NO_SUMMARY,
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area nssa [{<translate-candidate|translate-never|translate-always>$translate|\
         default-information-originate [{metric (0-16777214)$metric|metric-type (1-2)$kind}]|no-summary|suppress-fa}]",
        [
            AREA,
            ID,
            ID,
            "External routes come in only from routers of the area (RFC 3101)",
            "Translate for others if elected",
            "Never translate",
            "Always translate",
            "Announce a default route in it",
            "Its metric",
            "Metric",
            "Type of the metric",
            "Type",
            "No routes of other areas",
            "No forwarding addresses in what is translated"
        ],
        Negation::Syntax(
            "no area <A.B.C.D|(0-4294967295)>$area nssa [{<translate-candidate|translate-never|translate-always>$translate|\
             default-information-originate [{metric [(0-16777214)$metric]|metric-type [(1-2)$kind]}]|no-summary|suppress-fa}]"
        ),
        nssa,
        no_nssa,
        |_, _| {},
        [
            "area 2 nssa",
            "area 2 nssa translate-always default-information-originate metric 5 metric-type 1 no-summary suppress-fa",
            "area 2 nssa translate-never"
        ]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area default-cost (0-16777215)$cost",
        [AREA, ID, ID, "Metric of the default route of a stub area or NSSA", "Metric"],
        Negation::Derived,
        |router, args| {
            let cost = args.parse("cost")?;
            area(router, args)?.default_cost = Some(cost).filter(|cost| *cost != 1);
            Ok(())
        },
        |router, args| {
            area(router, args)?.default_cost = None;
            Ok(())
        },
        |_, _| {},
        ["area 1 default-cost 5"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area nssa range A.B.C.D/M$prefix [<not-advertise|cost (0-16777215)$cost>]",
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
        Negation::Syntax(
            "no area <A.B.C.D|(0-4294967295)>$area nssa range A.B.C.D/M$prefix [<not-advertise|cost [(0-16777215)$cost]>]"
        ),
        range,
        no_range,
        |_, _| {},
        []
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area range A.B.C.D/M$prefix [advertise [cost (0-16777215)$cost]]",
        [
            AREA,
            ID,
            ID,
            "Routes in a prefix are announced as one",
            "Prefix",
            "Announce them",
            "With a metric",
            "Metric"
        ],
        Negation::Syntax(
            "no area <A.B.C.D|(0-4294967295)>$area range A.B.C.D/M$prefix \
             [<cost [(0-16777215)$cost]|advertise [cost [(0-16777215)$cost]]|not-advertise>]"
        ),
        range,
        no_range,
        |_, _| {},
        ["area 0 range 10.5.0.0/16"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area range A.B.C.D/M$prefix {cost (0-16777215)$cost|substitute A.B.C.D/M$instead}",
        [
            AREA,
            ID,
            ID,
            "Routes in a prefix are announced as one",
            "Prefix",
            "With a metric",
            "Metric",
            "Announce another prefix instead",
            "Prefix"
        ],
        Negation::Syntax(
            "no area <A.B.C.D|(0-4294967295)>$area range A.B.C.D/M$prefix substitute A.B.C.D/M$instead"
        ),
        range,
        |router, args| {
            let prefix: Prefix = args.parse("prefix")?;
            if let Some(range) = area(router, args)?.ranges.get_mut(&prefix) {
                range.substitute = None;
            }
            Ok(())
        },
        |_, _| {},
        ["area 0 range 10.5.0.0/16 cost 9", "area 0 range 10.6.0.0/16 substitute 11.0.0.0/8"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area range A.B.C.D/M$prefix not-advertise",
        [AREA, ID, ID, "Routes in a prefix are announced as one", "Prefix", "They are not announced at all"],
        Negation::Never,
        range,
        no_range,
        |_, _| {},
        ["area 0 range 10.4.0.0/16 not-advertise"]
    ),
    ACCESS_LISTS_V2,
    PREFIX_LISTS_V2,
];
