//! `area X …`: how its lines edit an area and are rendered; the lines themselves stand below, by version.

mod v2;
mod v3;
mod virtual_link;

use ferrite_cli::{Args, CliError, Lines, Negation, Setting};
use ferrite_types::Prefix;

use super::setting;
use crate::settings::area::{AreaAuth, NssaDefault, NssaSettings, Translate};
use crate::settings::{AreaKindSettings, AreaName, AreaRange, AreaSettings, RouterSettings};

pub use v2::V2;
pub use v3::V3;
pub use virtual_link::{VIRTUAL_AUTH, VIRTUAL_TIMES};

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

/// Lists of areas, which are of a family.
macro_rules! lists {
    ($access:ident, $prefix:ident, $family:literal) => {
        const $access: Router = setting!(
            concat!(
                "area <A.B.C.D|(0-4294967295)>$area <export-list|import-list> ACCESSLIST",
                $family,
                "_NAME$list"
            ),
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
        );
        const $prefix: Router = setting!(
            concat!(
                "area <A.B.C.D|(0-4294967295)>$area filter-list prefix PREFIXLIST",
                $family,
                "_NAME$list <in|out>$way"
            ),
            [
                AREA,
                ID,
                ID,
                "Which routes pass",
                "By a prefix list",
                "Prefix list",
                "Into the area",
                "Out of it"
            ],
            Negation::Derived,
            list,
            no_list,
            |_, _| {},
            ["area 0 filter-list prefix FI in", "area 0 filter-list prefix FO out"]
        );
    };
}
lists!(ACCESS_LISTS_V2, PREFIX_LISTS_V2, "4");
lists!(ACCESS_LISTS_V3, PREFIX_LISTS_V3, "6");

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
