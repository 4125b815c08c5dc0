//! `area X …`

use ferrite_cli::{Args, CliError, Lines, Negation, Setting};
use ferrite_types::Prefix;

use super::setting;
use crate::settings::area::{AreaAuth, NssaDefault, NssaSettings, Translate};
use crate::settings::interface::AuthKind;
use crate::settings::{
    AreaKindSettings, AreaName, AreaRange, AreaSettings, RouterSettings, VirtualLinkSettings,
};

type Router = Setting<RouterSettings>;
type Refused = Result<(), CliError>;

const AREA: &str = "Settings of an area";
const ID: &str = "Area";

/// The area of a line; it goes behind the line if nothing is said of it any more.
fn area<'r>(router: &'r mut RouterSettings, args: &Args) -> Result<&'r mut AreaSettings, CliError> {
    let name: AreaName = args.parse("area")?;
    Ok(router.areas.entry(name.id).or_insert_with(|| AreaSettings { name, ..AreaSettings::default() }))
}

/// All that is said of one area stands together.
fn show_v2(router: &RouterSettings, lines: &mut Lines) {
    for area in router.areas.values() {
        lines.with_prefix(&format!("area {}", area.name), |lines| {
            match area.authentication {
                Some(AreaAuth::Simple) => lines.line("authentication"),
                Some(AreaAuth::Digest) => lines.line("authentication message-digest"),
                None => {}
            }
            match area.shortcut {
                Some(true) => lines.line("shortcut enable"),
                Some(false) => lines.line("shortcut disable"),
                None => {}
            }
            show_kind(area, lines);
            if let Some(cost) = area.default_cost {
                lines.line(format!("default-cost {cost}"));
            }
            show_ranges(area, lines);
            show_lists(area, lines, ["export-list", "import-list", "in", "out"]);
            if area.flood_reduction {
                lines.line("flood-reduction");
            }
        });
    }
}

fn show_v3(router: &RouterSettings, lines: &mut Lines) {
    for area in router.areas.values() {
        lines.with_prefix(&format!("area {}", area.name), |lines| {
            show_kind(area, lines);
            show_ranges(area, lines);
            show_lists(area, lines, ["in", "out", "import-list", "export-list"]);
        });
    }
}

fn show_kind(area: &AreaSettings, lines: &mut Lines) {
    let no_summary = if area.no_summary { " no-summary" } else { "" };
    match area.kind {
        AreaKindSettings::Normal => {}
        AreaKindSettings::Stub => lines.line(format!("stub{no_summary}")),
        AreaKindSettings::Nssa(nssa) => {
            let translate = match nssa.translate {
                Translate::Candidate => "",
                Translate::Never => " translate-never",
                Translate::Always => " translate-always",
            };
            let default = nssa.default_originate.map_or_else(String::new, |default| {
                let metric = default.metric.map(|metric| format!(" metric {metric}")).unwrap_or_default();
                let kind = if default.type1 { " metric-type 1" } else { "" };
                format!(" default-information-originate{metric}{kind}")
            });
            let suppress = if nssa.suppress_forwarding { " suppress-fa" } else { "" };
            lines.line(format!("nssa{translate}{default}{no_summary}{suppress}"));
        }
    }
}

fn show_ranges(area: &AreaSettings, lines: &mut Lines) {
    for (word, ranges) in [("nssa range", &area.nssa_ranges), ("range", &area.ranges)] {
        for (prefix, range) in ranges {
            let no = if range.not_advertise { " not-advertise" } else { "" };
            let cost = range.cost.map(|cost| format!(" cost {cost}")).unwrap_or_default();
            let instead = range.substitute.map(|prefix| format!(" substitute {prefix}")).unwrap_or_default();
            lines.line(format!("{word} {prefix}{no}{cost}{instead}"));
        }
    }
}

fn show_lists(area: &AreaSettings, lines: &mut Lines, order: [&str; 4]) {
    for what in order {
        let (list, before, behind) = match what {
            "export-list" => (&area.export_list, "export-list ", ""),
            "import-list" => (&area.import_list, "import-list ", ""),
            "in" => (&area.filter_in, "filter-list prefix ", " in"),
            _ => (&area.filter_out, "filter-list prefix ", " out"),
        };
        if let Some(list) = list {
            lines.line(format!("{before}{list}{behind}"));
        }
    }
}

fn stub(router: &mut RouterSettings, args: &Args) -> Refused {
    let no_summary = args.has("no-summary");
    let area = area(router, args)?;
    if area.name.id.is_backbone() {
        return Err(CliError::refused("You can't configure stub to backbone"));
    }
    if !area.virtual_links.is_empty() {
        return Err(CliError::refused("First deconfigure all virtual link through this area"));
    }
    area.kind = AreaKindSettings::Stub;
    area.nssa_ranges.clear();
    area.no_summary = no_summary;
    Ok(())
}

fn no_stub(router: &mut RouterSettings, args: &Args) -> Refused {
    let area = area(router, args)?;
    if area.kind == AreaKindSettings::Stub {
        area.kind = AreaKindSettings::Normal;
        area.no_summary = false;
    }
    Ok(())
}

fn no_no_summary(router: &mut RouterSettings, args: &Args) -> Refused {
    let area = area(router, args)?;
    if area.kind == AreaKindSettings::Stub {
        area.no_summary = false;
    }
    Ok(())
}

fn nssa(router: &mut RouterSettings, args: &Args) -> Refused {
    let default = NssaDefault { metric: args.parse_opt("metric")?, type1: args.get("kind") == Some("1") };
    let settings = NssaSettings {
        translate: match args.get("translate") {
            Some("translate-never") => Translate::Never,
            Some("translate-always") => Translate::Always,
            _ => Translate::Candidate,
        },
        suppress_forwarding: args.has("suppress-fa"),
        default_originate: args.has("default-information-originate").then_some(default),
    };
    let no_summary = args.has("no-summary");
    let area = area(router, args)?;
    if area.name.id.is_backbone() {
        return Err(CliError::refused("You can't configure NSSA to backbone"));
    }
    if !area.virtual_links.is_empty() {
        return Err(CliError::refused("First deconfigure all virtual link through this area"));
    }
    area.kind = AreaKindSettings::Nssa(settings);
    area.no_summary = no_summary;
    Ok(())
}

/// Takes back what is named; with nothing named, the whole.
fn no_nssa(router: &mut RouterSettings, args: &Args) -> Refused {
    let parts = ["translate", "default-information-originate", "no-summary", "suppress-fa"];
    let named = parts.map(|part| args.has(part));
    let area = area(router, args)?;
    let AreaKindSettings::Nssa(settings) = &mut area.kind else { return Ok(()) };
    let [translate, default, no_summary, suppress] = named;
    if named == [false; 4] {
        area.kind = AreaKindSettings::Normal;
        area.nssa_ranges.clear();
        area.no_summary = false;
        return Ok(());
    }
    if translate {
        settings.translate = Translate::Candidate;
    }
    if default {
        settings.default_originate = None;
    }
    if suppress {
        settings.suppress_forwarding = false;
    }
    if no_summary {
        area.no_summary = false;
    }
    Ok(())
}

fn range(router: &mut RouterSettings, args: &Args) -> Refused {
    let prefix: Prefix = args.parse("prefix")?;
    let range = AreaRange {
        not_advertise: args.has("not-advertise"),
        cost: args.parse_opt("cost")?,
        substitute: args.parse_opt("instead")?,
    };
    let nssa = args.has("nssa");
    let area = area(router, args)?;
    if nssa && !matches!(area.kind, AreaKindSettings::Nssa(_)) {
        return Err(CliError::refused("First configure this area as NSSA"));
    }
    let ranges = if nssa { &mut area.nssa_ranges } else { &mut area.ranges };
    ranges.insert(prefix, range);
    Ok(())
}

fn no_range(router: &mut RouterSettings, args: &Args) -> Refused {
    let prefix: Prefix = args.parse("prefix")?;
    let nssa = args.has("nssa");
    let area = area(router, args)?;
    let ranges = if nssa { &mut area.nssa_ranges } else { &mut area.ranges };
    ranges.remove(&prefix);
    Ok(())
}

fn list(router: &mut RouterSettings, args: &Args) -> Refused {
    let list = args.get("list").map(str::to_owned);
    set_list(router, args, list)
}

fn no_list(router: &mut RouterSettings, args: &Args) -> Refused {
    set_list(router, args, None)
}

fn set_list(router: &mut RouterSettings, args: &Args, list: Option<String>) -> Refused {
    let (export, import) = (args.has("export-list"), args.has("import-list"));
    let inwards = args.get("way") == Some("in");
    let area = area(router, args)?;
    *(match (export, import) {
        (true, _) => &mut area.export_list,
        (_, true) => &mut area.import_list,
        _ if inwards => &mut area.filter_in,
        _ => &mut area.filter_out,
    }) = list;
    Ok(())
}

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
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area <export-list|import-list> ACCESSLIST4_NAME$list",
        [
            AREA,
            ID,
            ID,
            "Which of its networks are told to other areas",
            "Which networks of other areas are told in it",
            "Access list"
        ],
        Negation::Derived,
        list,
        no_list,
        |_, _| {},
        ["area 0 export-list EX", "area 0 import-list IM"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area filter-list prefix PREFIXLIST4_NAME$list <in|out>$way",
        [AREA, ID, ID, "Which routes pass", "By a prefix list", "Prefix list", "Into the area", "Out of it"],
        Negation::Derived,
        list,
        no_list,
        |_, _| {},
        ["area 0 filter-list prefix FI in", "area 0 filter-list prefix FO out"]
    ),
];

const STUB: Router = setting!(
    "area <A.B.C.D|(0-4294967295)>$area stub",
    [AREA, ID, ID, "Nothing of other protocols goes there"],
    Negation::Derived,
    stub,
    no_stub,
    |_, _| {},
    ["area 1 stub"]
);
const STUB_NO_SUMMARY: Router = setting!(
    "area <A.B.C.D|(0-4294967295)>$area stub no-summary",
    [AREA, ID, ID, "Nothing of other protocols goes there", "Nor of other areas"],
    Negation::Derived,
    stub,
    no_no_summary,
    |_, _| {},
    ["area 1 stub no-summary"]
);

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
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area <export-list|import-list> ACCESSLIST6_NAME$list",
        [
            AREA,
            ID,
            ID,
            "Which of its networks are told to other areas",
            "Which networks of other areas are told in it",
            "Access list"
        ],
        Negation::Derived,
        list,
        no_list,
        |_, _| {},
        ["area 0 export-list EX", "area 0 import-list IM"]
    ),
    setting!(
        "area <A.B.C.D|(0-4294967295)>$area filter-list prefix PREFIXLIST6_NAME$list <in|out>$way",
        [AREA, ID, ID, "Which routes pass", "By a prefix list", "Prefix list", "Into the area", "Out of it"],
        Negation::Derived,
        list,
        no_list,
        |_, _| {},
        ["area 0 filter-list prefix FI in", "area 0 filter-list prefix FO out"]
    ),
];

fn virtual_link<'r>(
    router: &'r mut RouterSettings,
    args: &Args,
) -> Result<&'r mut VirtualLinkSettings, CliError> {
    let other = args.parse("router")?;
    let area = area(router, args)?;
    if area.name.id.is_backbone() {
        return Err(CliError::refused("Configuring VLs over the backbone is not allowed"));
    }
    if area.kind != AreaKindSettings::Normal {
        return Err(CliError::refused("Area is a stub or nssa, can't configure virtual-link"));
    }
    Ok(area.virtual_links.entry(other).or_default())
}

pub const VIRTUAL_TIMES: Router = setting!(
    "area <A.B.C.D|(0-4294967295)>$area virtual-link A.B.C.D$router {hello-interval (1-65535)$hello|\
     retransmit-interval (1-65535)$again|retransmit-window (20-10000)$window|transmit-delay (1-65535)$delay|\
     dead-interval (1-65535)$dead}",
    [
        AREA,
        ID,
        ID,
        "A link of the backbone through this area",
        "The router at its other end",
        "Time between two Hellos",
        "Seconds",
        "Time until an LSA is sent again",
        "Seconds",
        "LSAs due in this time are sent together",
        "Milliseconds",
        "Time that sending takes",
        "Seconds",
        "Time after which the other end is gone if it is not heard",
        "Seconds"
    ],
    Negation::Syntax(
        "no area <A.B.C.D|(0-4294967295)>$area virtual-link A.B.C.D$router {hello-interval$no_hello [(1-65535)$hello]|\
         retransmit-interval$no_again [(1-65535)$again]|retransmit-window$no_window [(20-1000)$window]|\
         transmit-delay$no_delay [(1-65535)$delay]|dead-interval$no_dead [(1-65535)$dead]}"
    ),
    |router, args| {
        let said = VirtualLinkSettings {
            hello_interval: args.parse_opt("hello")?,
            retransmit: args.parse_opt("again")?,
            retransmit_window: args.parse_opt("window")?,
            transmit_delay: args.parse_opt("delay")?,
            dead_interval: args.parse_opt("dead")?,
            ..VirtualLinkSettings::default()
        };
        let link = virtual_link(router, args)?;
        link.hello_interval = said.hello_interval.or(link.hello_interval).filter(|value| *value != 10);
        link.retransmit = said.retransmit.or(link.retransmit).filter(|value| *value != 5);
        link.retransmit_window =
            said.retransmit_window.or(link.retransmit_window).filter(|value| *value != 50);
        link.transmit_delay = said.transmit_delay.or(link.transmit_delay).filter(|value| *value != 1);
        link.dead_interval = said.dead_interval.or(link.dead_interval).filter(|value| *value != 40);
        Ok(())
    },
    |router, args| {
        let other = args.parse("router")?;
        let Some(link) = area(router, args)?.virtual_links.get_mut(&other) else { return Ok(()) };
        if args.has("no_hello") {
            link.hello_interval = None;
        }
        if args.has("no_again") {
            link.retransmit = None;
        }
        if args.has("no_window") {
            link.retransmit_window = None;
        }
        if args.has("no_delay") {
            link.transmit_delay = None;
        }
        if args.has("no_dead") {
            link.dead_interval = None;
        }
        Ok(())
    },
    show_virtual_links,
    [
        "area 3 virtual-link 9.9.9.9 hello-interval 5 retransmit-interval 4 retransmit-window 50 transmit-delay 2 dead-interval 20"
    ]
);

fn show_virtual_links(router: &RouterSettings, lines: &mut Lines) {
    for area in router.areas.values() {
        for (other, link) in &area.virtual_links {
            let times = VirtualLinkSettings { auth: link.auth.clone(), ..VirtualLinkSettings::default() };
            if *link == times {
                lines.line(format!("area {} virtual-link {other}", area.name));
            }
            lines.with_prefix(&format!("area {} virtual-link {other}", area.name), |lines| {
                show_virtual_link(link, lines);
            });
        }
    }
}

fn show_virtual_link(link: &VirtualLinkSettings, lines: &mut Lines) {
    let times = VirtualLinkSettings { auth: link.auth.clone(), ..VirtualLinkSettings::default() };
    if *link != times {
        lines.line(format!(
            "hello-interval {} retransmit-interval {} retransmit-window {} transmit-delay {} dead-interval {}",
            link.hello_interval.unwrap_or(10),
            link.retransmit.unwrap_or(5),
            link.retransmit_window.unwrap_or(50),
            link.transmit_delay.unwrap_or(1),
            link.dead_interval.unwrap_or(40)
        ));
    }
    match &link.auth.kind {
        None => {}
        Some(AuthKind::Null) => lines.line("authentication null"),
        Some(AuthKind::Simple) => lines.line("authentication"),
        Some(AuthKind::Digest) => lines.line("authentication message-digest"),
        Some(AuthKind::KeyChain(chain)) => lines.line(format!("authentication key-chain {chain}")),
    }
    if let Some(password) = &link.auth.password {
        lines.line(format!("authentication-key {password}"));
    }
    for (id, key) in &link.auth.keys {
        lines.line(format!("message-digest-key {id} md5 {key}"));
    }
}

pub const VIRTUAL_AUTH: Router = setting!(
    "area <A.B.C.D|(0-4294967295)>$area virtual-link A.B.C.D$router [authentication$auth \
     [<key-chain KEYCHAIN_NAME$chain|message-digest$digest|null$null>]] \
     [<message-digest-key (1-255)$id md5 KEY$key|authentication-key AUTH_KEY$password>]",
    [
        AREA,
        ID,
        ID,
        "A link of the backbone through this area",
        "The router at its other end",
        "Packets carry a password",
        "A digest with keys of a chain",
        "Key chain",
        "A digest",
        "Nothing",
        "Key of the digest",
        "Number",
        "MD5",
        "Key",
        "The password",
        "Password"
    ],
    Negation::Derived,
    |router, args| {
        let kind = args.has("auth").then(|| {
            if let Some(chain) = args.get("chain") {
                AuthKind::KeyChain(chain.to_owned())
            } else if args.has("digest") {
                AuthKind::Digest
            } else if args.has("null") {
                AuthKind::Null
            } else {
                AuthKind::Simple
            }
        });
        let id: Option<u8> = args.parse_opt("id")?;
        let key = args.get("key").map(str::to_owned);
        let password = args.get("password").map(str::to_owned);
        let link = virtual_link(router, args)?;
        link.auth.kind = kind.or(link.auth.kind.take());
        link.auth.password = password.or(link.auth.password.take());
        if let (Some(id), Some(key)) = (id, key) {
            if link.auth.keys.iter().any(|(known, _)| *known == id) {
                return Err(CliError::refused(format!("OSPF: Key {id} already exists")));
            }
            link.auth.keys.push((id, key));
        }
        Ok(())
    },
    |router, args| {
        let other = args.parse("router")?;
        let id: Option<u8> = args.parse_opt("id")?;
        let (auth, password) = (args.has("auth"), args.has("password"));
        let area = area(router, args)?;
        let Some(link) = area.virtual_links.get_mut(&other) else { return Ok(()) };
        if auth {
            link.auth.kind = None;
        }
        if password {
            link.auth.password = None;
        }
        if let Some(id) = id {
            link.auth.keys.retain(|(known, _)| *known != id);
        }
        if !auth && !password && id.is_none() {
            area.virtual_links.remove(&other);
        }
        Ok(())
    },
    |_, _| {},
    [
        "area 3 virtual-link 9.9.9.9",
        "area 3 virtual-link 9.9.9.9 authentication message-digest",
        "area 3 virtual-link 9.9.9.9 message-digest-key 3 md5 xyz"
    ]
);
