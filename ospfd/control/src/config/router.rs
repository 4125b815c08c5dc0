//! `router ospf …`, `router ospf6 …` and `router ospf6 ipv4 …`.

use std::collections::BTreeMap;

use ferrite_cli::node::{CONFIG, INTERFACE, order};
use ferrite_cli::{CliError, ConfigCommand, Edit, Lines, Node, Registry, Setting, Words};
use ferrite_ospf_packet::{Inet4, Inet6};
use ferrite_types::Afi;

use super::{
    OSPF, OSPF6, OSPF6_IPV4, apply, declare, declare_in_words, inside, process_name, router_v2, router_v3,
};
use crate::process::ProcessName;
use crate::settings::{Configured, InterfaceV2, RouterSettings};
use crate::{Roles, Settings};

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>, roles: Roles) {
    if roles.v2 {
        let syntax = "router ospf [{(1-65535)$instance|vrf NAME}]";
        let help =
            ["A routing process", "OSPF", "Number of the instance", "A VRF's process", "Name of the VRF"];
        registry.command(
            ConfigCommand::new(&[&CONFIG], syntax, &help, |settings: &mut Settings, line| {
                edit(&mut settings.v2, line)
            })
            .enters(&OSPF)
            .example("router ospf")
            .example("router ospf 5")
            .example("router ospf vrf RED"),
        );
        router_v2::tables(|setting| declare(registry, &OSPF, setting, edit_v2));
    }
    if roles.v3 {
        let help = ["A routing process", "OSPFv3", "A VRF's process", "Name of the VRF"];
        registry.command(
            ConfigCommand::new(
                &[&CONFIG],
                "router ospf6 [vrf NAME]",
                &help,
                |settings: &mut Settings, line| edit(&mut settings.v3, line),
            )
            .enters(&OSPF6)
            .example("router ospf6")
            .example("router ospf6 vrf RED"),
        );
        router_v3::tables(|setting| declare(registry, &OSPF6, setting, edit_v3::<Inet6>));
        register_ipv4(registry);
    }
    registry.renderer(order::ROUTER, |settings: &Settings, lines| {
        render(&settings.v2, "router ospf", &OSPF, lines, |router, lines| {
            router_v2::tables(|setting| (setting.render)(router, lines));
        });
        render(&settings.v3, "router ospf6", &OSPF6, lines, |router, lines| {
            router_v3::tables(|setting| (setting.render)(router, lines));
        });
        render(&settings.v3_ipv4, "router ospf6 ipv4", &OSPF6_IPV4, lines, |router, lines| {
            router_v3::tables(|setting| (setting.render)(router, lines));
        });
    });
}

/// What the lines of a process of IPv4 say otherwise than those of IPv6.
const IPV4: Words = &[
    ("X:X::X:X/M", "A.B.C.D/M"),
    ("2001:db8::/32", "10.0.0.0/8"),
    ("ACCESSLIST6_NAME", "ACCESSLIST4_NAME"),
    ("PREFIXLIST6_NAME", "PREFIXLIST4_NAME"),
    ("ripng", "rip"),
    ("RIPng", "RIP"),
];

fn register_ipv4<H: 'static>(registry: &mut Registry<Settings, H>) {
    let help =
        ["A routing process", "OSPFv3", "It routes IPv4 (RFC 5838)", "A VRF's process", "Name of the VRF"];
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "router ospf6 ipv4 [vrf NAME]",
            &help,
            |settings: &mut Settings, line| edit(&mut settings.v3_ipv4, line),
        )
        .enters(&OSPF6_IPV4)
        .example("router ospf6 ipv4")
        .example("router ospf6 ipv4 vrf RED"),
    );
    router_v3::tables(|setting| {
        declare_in_words(registry, &OSPF6_IPV4, setting, IPV4, edit_v3::<Inet4>);
    });
    router_v3::IPV4.iter().for_each(|setting| declare(registry, &OSPF6_IPV4, setting, edit_v3::<Inet4>));
}

type Routers = BTreeMap<ProcessName, RouterSettings>;

fn edit(routers: &mut Routers, line: &Edit<'_>) -> Result<(), CliError> {
    let name = process_name(line.args)?;
    if line.negated {
        routers.remove(&name);
    } else {
        routers.entry(name).or_default();
    }
    Ok(())
}

fn edit_v2(
    settings: &mut Settings,
    line: &Edit<'_>,
    setting: &Setting<RouterSettings>,
) -> Result<(), CliError> {
    let name = process_name(inside(line.context, &OSPF)?)?;
    if !line.negated {
        admit(settings, &name, line)?;
    }
    edit_one(settings.v2.entry(name).or_default(), line, setting)
}

/// What FRR refuses because of what stands elsewhere, in its words.
fn admit(settings: &Settings, name: &ProcessName, line: &Edit<'_>) -> Result<(), CliError> {
    if line.args.get("network").is_some() && interfaces_of(settings, name).any(|v2| runs(v2, name)) {
        return Err(CliError::refused("Please remove all ip ospf area x.x.x.x commands first."));
    }
    if line.args.get("source") == Some("ospf") {
        if name.instance == 0 {
            return Err(CliError::refused("Instance redistribution in non-instanced OSPF not allowed"));
        }
        if line.args.parse_opt("number")? == Some(name.instance) {
            return Err(CliError::refused("Same instance OSPF redistribution not allowed"));
        }
    }
    Ok(())
}

/// What is said of the interfaces of a process's VRF.
fn interfaces_of<'s>(settings: &'s Settings, name: &'s ProcessName) -> impl Iterator<Item = &'s InterfaceV2> {
    let own = settings.interfaces.values().filter(|interface| interface.vrf == name.vrf);
    own.map(|interface| &interface.v2)
}

fn runs(v2: &InterfaceV2, name: &ProcessName) -> bool {
    v2.areas.keys().any(|(instance, _)| *instance == name.instance)
}

/// `ip ospf area` where the process has `network` lines.
pub(super) fn admit_area(settings: &Settings, line: &Edit<'_>) -> Result<(), CliError> {
    let interface = inside(line.context, &INTERFACE)?.get("IFNAME").unwrap_or_default();
    let vrf = settings.interfaces.get(interface).and_then(|interface| interface.vrf.clone());
    let name = ProcessName { instance: line.args.parse_opt("instance")?.unwrap_or(0), vrf };
    if settings.v2.get(&name).is_some_and(|router| !router.networks.is_empty()) {
        return Err(CliError::refused("Please remove all network commands first."));
    }
    Ok(())
}

fn node<F: Configured>() -> &'static Node {
    if F::AFI == Afi::Ipv6 { &OSPF6 } else { &OSPF6_IPV4 }
}

fn edit_v3<F: Configured>(
    settings: &mut Settings,
    line: &Edit<'_>,
    setting: &Setting<RouterSettings>,
) -> Result<(), CliError> {
    let name = process_name(inside(line.context, node::<F>())?)?;
    edit_one(F::routers_mut(settings).entry(name).or_default(), line, setting)
}

fn edit_one(
    router: &mut RouterSettings,
    line: &Edit<'_>,
    setting: &Setting<RouterSettings>,
) -> Result<(), CliError> {
    apply(setting, line, router)?;
    router.areas.retain(|_, area| !area.is_empty());
    Ok(())
}

fn render(
    routers: &Routers,
    words: &str,
    node: &Node,
    lines: &mut Lines,
    fill: impl Fn(&RouterSettings, &mut Lines),
) {
    // The default VRF's first, as they are sorted.
    for (name, router) in routers {
        let instance = if name.instance == 0 { String::new() } else { format!(" {}", name.instance) };
        let vrf = name.vrf.as_ref().map(|vrf| format!(" vrf {vrf}")).unwrap_or_default();
        lines.section(format!("{words}{instance}{vrf}"), node, |lines| fill(router, lines));
    }
}
