//! The `interface` node: `ip ospf …`, `ipv6 ospf6 …`, `ip ospf6 …`.

use ferrite_cli::node::{CONFIG, INTERFACE, order};
use ferrite_cli::{CliError, ConfigCommand, Edit, Lines, Negation, Registry, Setting, Words};
use ferrite_ospf_packet::{Family, Inet4, Inet6};

use super::router::admit_area;
use super::{apply, declare, declare_in_words, inside, interface_v2, interface_v3, setting, te};
use crate::settings::{Configured, InterfaceSettings, InterfaceV2, InterfaceV3, LinkSettings};
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
        for setting in interface_v3::ALL {
            declare(registry, &INTERFACE, setting, edit_v3::<Inet6>);
            declare_in_words(registry, &INTERFACE, setting, IPV4, edit_v3::<Inet4>);
        }
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

/// What lines about IPv4's processes of OSPFv3 say otherwise than those about IPv6's.
const IPV4: Words = &[
    ("ipv6 ospf6", "ip ospf6"),
    ("IPv6 of", "IPv4 of"),
    ("PREFIXLIST6_NAME", "PREFIXLIST4_NAME"),
    ("instance-id 4", "instance-id 70"),
];

fn edit_v3<F: Configured>(
    settings: &mut Settings,
    line: &Edit<'_>,
    setting: &Setting<InterfaceV3>,
) -> Result<(), CliError> {
    let interface = interface(settings, line)?;
    let before = F::link(interface).clone();
    apply(setting, line, F::link_mut(interface))?;
    let fault = wrong_instance(interface);
    if fault.is_some() {
        *F::link_mut(interface) = before;
    }
    fault.map_or(Ok(()), |reason| Err(CliError::refused(reason)))
}

/// Why who hears a packet of the link could not tell whose it is (RFC 5838 §2.1).
fn wrong_instance(interface: &InterfaceSettings) -> Option<String> {
    let (own, others) = (interface.v3_ipv4.instance, interface.v3.instance);
    if let Some(id) = own.filter(|id| !Inet4::INSTANCES.contains(id)) {
        return Some(format!("Instance ID {id} is not one of IPv4's (64-95)"));
    }
    let shared = others.filter(|id| Inet4::INSTANCES.contains(id) && interface.v3_ipv4.area.is_some());
    shared.map(|id| format!("Instance ID {id} is one of IPv4's (64-95), and IPv4 runs on the interface"))
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
    let mut ipv4 = Lines::new();
    lines_of(interface_v3::ALL, &interface.v3_ipv4, &mut ipv4);
    all.extend(text(ipv4).into_iter().map(|line| line.replacen(Inet6::WORD, Inet4::WORD, 1)));
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
