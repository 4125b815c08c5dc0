//! The `interface` node: `ip ospf …`, `ipv6 ospf6 …`.

use ferrite_cli::node::{CONFIG, INTERFACE, order};
use ferrite_cli::{CliError, ConfigCommand, Edit, Lines, Negation, Registry, Setting};

use super::router::admit_area;
use super::{apply, declare, inside, interface_v2, interface_v3, setting, te};
use crate::settings::{InterfaceSettings, InterfaceV2, InterfaceV3, LinkSettings};
use crate::{Roles, Settings};

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>, roles: Roles) {
    let help = ["Select an interface to configure", "Interface's name", "Specify the VRF", "The VRF name"];
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "interface IFNAME [vrf NAME]",
            &help,
            |settings: &mut Settings, line| {
                let name = line.args.get("IFNAME").unwrap_or_default();
                if line.negated {
                    settings.interfaces.remove(name);
                    return Ok(());
                }
                let interface = settings.interfaces.entry(name.to_owned()).or_default();
                if let Some(vrf) = line.args.get("NAME") {
                    interface.vrf = Some(vrf.to_owned());
                }
                Ok(())
            },
        )
        .enters(&INTERFACE)
        .way("interface e0"),
    );
    declare(registry, &INTERFACE, &BANDWIDTH, |settings, line, setting| {
        apply(setting, line, interface(settings, line)?)
    });
    if roles.v2 {
        interface_v2::ALL.iter().for_each(|setting| declare(registry, &INTERFACE, setting, edit_v2));
        te::LINK.iter().for_each(|setting| declare(registry, &INTERFACE, setting, edit_v2));
        interface_v2::LINK.iter().for_each(|setting| declare(registry, &INTERFACE, setting, edit_link));
    }
    if roles.v3 {
        interface_v3::ALL.iter().for_each(|setting| declare(registry, &INTERFACE, setting, edit_v3));
    }
    registry.renderer(order::INTERFACE, |settings: &Settings, lines| {
        for (name, interface) in &settings.interfaces {
            let vrf = interface.vrf.as_ref().map(|vrf| format!(" vrf {vrf}")).unwrap_or_default();
            lines.section(format!("interface {name}{vrf}"), &INTERFACE, |lines| {
                rendered(interface).into_iter().for_each(|line| lines.line(line));
            });
        }
    });
}

/// What costs are made of. zebra takes the line too, and tells its own.
static BANDWIDTH: Setting<InterfaceSettings> = setting!(
    "bandwidth (1-1000000)$megabits",
    ["Set bandwidth informational parameter", "Bandwidth in megabits"],
    Negation::Syntax("no bandwidth [(1-1000000)$megabits]"),
    |interface, args| {
        interface.bandwidth = Some(args.parse("megabits")?);
        Ok(())
    },
    |interface, _| {
        interface.bandwidth = None;
        Ok(())
    },
    |interface, lines| {
        if let Some(megabits) = interface.bandwidth {
            lines.line(format!("bandwidth {megabits}"));
        }
    },
    ["bandwidth 10000"]
);

fn interface<'s>(settings: &'s mut Settings, line: &Edit<'_>) -> Result<&'s mut InterfaceSettings, CliError> {
    let name = inside(line.context, &INTERFACE)?.get("IFNAME").unwrap_or_default();
    Ok(settings.interfaces.entry(name.to_owned()).or_default())
}

fn edit_v2(settings: &mut Settings, line: &Edit<'_>, setting: &Setting<InterfaceV2>) -> Result<(), CliError> {
    if !line.negated && line.args.get("area").is_some() {
        admit_area(settings, line)?;
    }
    apply(setting, line, &mut interface(settings, line)?.v2)
}

fn edit_v3(settings: &mut Settings, line: &Edit<'_>, setting: &Setting<InterfaceV3>) -> Result<(), CliError> {
    apply(setting, line, &mut interface(settings, line)?.v3)
}

/// With an address at its end the line is about that address alone.
fn edit_link(
    settings: &mut Settings,
    line: &Edit<'_>,
    setting: &Setting<LinkSettings>,
) -> Result<(), CliError> {
    let v2 = &mut interface(settings, line)?.v2;
    let Some(address) = line.args.parse_opt("address")? else { return apply(setting, line, &mut v2.all) };
    apply(setting, line, v2.addresses.entry(address).or_default())?;
    v2.addresses.retain(|_, said| *said != LinkSettings::default());
    Ok(())
}

/// FRR's shell sorts the lines of an interface, but not the keys of one.
fn rendered(interface: &InterfaceSettings) -> Vec<String> {
    let text = |lines: Lines| lines.into_items().into_iter().map(|item| item.text).collect::<Vec<_>>();
    let mut own = Lines::new();
    lines_of(std::slice::from_ref(&BANDWIDTH), interface, &mut own);
    lines_of(interface_v2::ALL, &interface.v2, &mut own);
    lines_of(te::LINK, &interface.v2, &mut own);
    lines_of(interface_v2::LINK, &interface.v2.all, &mut own);
    lines_of(interface_v3::ALL, &interface.v3, &mut own);
    let mut all = text(own);
    for (address, said) in &interface.v2.addresses {
        let mut own = Lines::new();
        lines_of(interface_v2::LINK, said, &mut own);
        all.extend(text(own).into_iter().map(|line| format!("{line} {address}")));
    }
    all.sort_by(|a, b| key(a).cmp(key(b)));
    all
}

/// What a line is sorted by: the number of a key is no part of it, since the last key given signs.
fn key(line: &str) -> &str {
    const DIGEST: &str = "ip ospf message-digest-key";
    if line.starts_with(DIGEST) { DIGEST } else { line }
}

fn lines_of<T>(settings: &[Setting<T>], part: &T, lines: &mut Lines) {
    lines.settings(settings, part);
}
