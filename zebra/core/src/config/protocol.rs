//! `ip protocol PROTO route-map NAME`, policy at installation, and `ip nht PROTO route-map NAME`, policy of what tracked next hops
//! resolve through.

use std::collections::BTreeMap;

use ferrite_cli::node::{CONFIG, VRF};
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Lines, Negation, Registry};
use ferrite_types::RouteProtocol;

use super::{tidy, vrf_of};
use crate::settings::{AfiKey, Settings, VrfSettings};

/// Route maps by family and source; without a source, of all.
type SourceMaps = BTreeMap<(AfiKey, Option<RouteProtocol>), String>;

const V4: &str = "kernel|connected|local|static|rip|ospf|ospf6|isis|bgp|eigrp|nhrp|table|vnc|babel|pbr|sharp|openfabric|table-direct|any";
const V6: &str = "kernel|connected|local|static|ripng|ospf6|isis|bgp|nhrp|table|vnc|babel|pbr|sharp|openfabric|table-direct|any";

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    for (afi, family, family_help, words) in
        [(AfiKey::V4, "ip", "IP information", V4), (AfiKey::V6, "ipv6", "IPv6 information", V6)]
    {
        let mut help = vec![family_help, "Filter routing info exchanged between zebra and protocol"];
        help.extend(words.split('|').map(source_help));
        help.extend(["Specify route-map", "Route map name"]);
        registry.command(
            ConfigCommand::new(
                &[&CONFIG, &VRF],
                format!("{family} protocol <{words}>$source route-map WORD$map"),
                &help,
                move |settings: &mut Settings, edit: &Edit<'_>| {
                    set(settings, edit, afi, |vrf| &mut vrf.protocol_maps)
                },
            )
            .no(Negation::After(3))
            .example(format!("{family} protocol bgp route-map RM"))
            .example(format!("{family} protocol any route-map RM")),
        );
        if let Some(what) = help.get_mut(1) {
            *what = "Filter Next Hop tracking route resolution";
        }
        registry.command(
            ConfigCommand::new(
                &[&CONFIG, &VRF],
                format!("{family} nht <{words}>$source route-map WORD$map"),
                &help,
                move |settings: &mut Settings, edit: &Edit<'_>| {
                    set(settings, edit, afi, |vrf| &mut vrf.nht_maps)
                },
            )
            .no(Negation::After(3))
            .example(format!("{family} nht bgp route-map RM")),
        );
    }
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "zebra route-map delay-timer (0-600)$seconds",
            &[
                "Zebra information",
                "Set route-map parameters",
                "Time to wait for further changes of route maps before routes are judged again",
                "Seconds",
            ],
            |settings: &mut Settings, edit: &Edit<'_>| {
                settings.route_map_delay =
                    if edit.negated { None } else { Some(edit.args.parse("seconds")?) };
                Ok(())
            },
        )
        .example("zebra route-map delay-timer 30"),
    );
    registry.renderer(super::HEADER, |settings: &Settings, lines| {
        if let Some(seconds) = settings.route_map_delay {
            lines.line(format!("zebra route-map delay-timer {seconds}"));
        }
    });
}

fn source_help(word: &str) -> &'static str {
    match word {
        "kernel" => "Kernel routes (not installed via the zebra RIB)",
        "connected" => "Connected routes (directly attached subnet or host)",
        "local" => "Local routes (directly attached host route)",
        "static" => "Statically configured routes",
        "bgp" => "Border Gateway Protocol (BGP)",
        "any" => "Any of the above protocols",
        _ => "Routes of that protocol",
    }
}

fn set(
    settings: &mut Settings,
    edit: &Edit<'_>,
    afi: AfiKey,
    maps_of: fn(&mut VrfSettings) -> &mut SourceMaps,
) -> Result<(), CliError> {
    let source = source(edit.args)?;
    let maps = maps_of(vrf_of(settings, edit.context)?);
    if edit.negated {
        maps.remove(&(afi, source));
        tidy(settings);
    } else {
        maps.insert((afi, source), edit.args.get("map").unwrap_or_default().to_owned());
    }
    Ok(())
}

fn source(args: &Args) -> Result<Option<RouteProtocol>, CliError> {
    match args.get("source") {
        Some("any") => Ok(None),
        _ => args.parse("source").map(Some),
    }
}

pub fn render(vrf: &VrfSettings, lines: &mut Lines) {
    for (word, maps) in [("protocol", &vrf.protocol_maps), ("nht", &vrf.nht_maps)] {
        for ((afi, source), map) in maps {
            let family = if *afi == AfiKey::V4 { "ip" } else { "ipv6" };
            let source = source.map_or("any", RouteProtocol::name);
            lines.line(format!("{family} {word} {source} route-map {map}"));
        }
    }
}
