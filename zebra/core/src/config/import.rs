//! Tables that are carried over (`ip import-table`) and static routes for multicast's lookups (`ip mroute`).

use ferrite_cli::node::CONFIG;
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Registry};
use ferrite_types::{Distance, Prefix};

use super::{HEADER, STATIC};
use crate::import::{DEFAULT_DISTANCE, Import, ImportTerms};
use crate::settings::{MrouteHop, Settings};

const IP: &str = "IP information";

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "ip import-table (1-252)$table [mrib] [distance (1-255)$distance] [route-map WORD$map]",
            &[
                IP,
                "import routes from non-main kernel table",
                "kernel routing table id",
                "Import into MRIB instead of URIB",
                "Distance for imported routes",
                "Default distance value",
                "route-map for filtering",
                "route-map name",
            ],
            |settings: &mut Settings, edit: &Edit<'_>| import(settings, edit),
        )
        .example("ip import-table 10")
        .example("ip import-table 10 distance 50 route-map RM")
        .example("ip import-table 11 mrib"),
    );
    registry.renderer(HEADER, |settings: &Settings, lines| {
        for (import, terms) in &settings.imports {
            let mrib = if import.mrib { " mrib" } else { "" };
            let distance = match terms.distance {
                DEFAULT_DISTANCE => String::new(),
                other => format!(" distance {other}"),
            };
            let map = terms.route_map.as_ref().map(|name| format!(" route-map {name}")).unwrap_or_default();
            lines.line(format!("ip import-table {}{mrib}{distance}{map}", import.table));
        }
    });
    let help = [
        IP,
        "Configure static unicast route into MRIB for multicast RPF lookup",
        "IP destination prefix (e.g. 10.0.0.0/8)",
        "Nexthop address",
        "Nexthop interface name",
        "Distance",
    ];
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "ip mroute A.B.C.D/M$prefix <A.B.C.D$gate|INTERFACE$interface> [(1-255)$distance]",
            &help,
            |settings: &mut Settings, edit: &Edit<'_>| mroute(settings, edit),
        )
        .example("ip mroute 10.0.0.0/8 192.0.2.1")
        .example("ip mroute 10.0.0.0/8 192.0.2.1 20")
        .example("ip mroute 10.1.0.0/16 eth0"),
    );
    registry.renderer(STATIC, |settings: &Settings, lines| {
        for ((prefix, hop), distance) in &settings.mroutes {
            let hop = match hop {
                MrouteHop::Gateway(gateway) => gateway.to_string(),
                MrouteHop::Interface(name) => name.clone(),
            };
            let distance = if distance.0 == 1 { String::new() } else { format!(" {distance}") };
            lines.line(format!("ip mroute {prefix} {hop}{distance}"));
        }
    });
}

fn import(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let args = edit.args;
    let key = Import { mrib: args.has("mrib"), table: args.parse("table")? };
    if edit.negated {
        settings.imports.remove(&key);
        return Ok(());
    }
    let distance = args.parse_opt("distance")?.map_or(DEFAULT_DISTANCE, Distance);
    let route_map = args.get("map").map(str::to_owned);
    settings.imports.insert(key, ImportTerms { distance, route_map });
    Ok(())
}

fn mroute(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let args: &Args = edit.args;
    let prefix: Prefix = args.parse("prefix")?;
    let hop = match args.get("gate") {
        Some(_) => MrouteHop::Gateway(args.ipv4("gate")?),
        None => MrouteHop::Interface(args.get("interface").unwrap_or_default().to_owned()),
    };
    let distance = args.parse_opt("distance")?.map_or(Distance(1), Distance);
    if edit.negated {
        settings.mroutes.remove(&(prefix, hop));
    } else {
        settings.mroutes.insert((prefix, hop), distance);
    }
    Ok(())
}
