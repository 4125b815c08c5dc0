//! The `interface` node.

use std::net::IpAddr;

use ferrite_cli::node::{CONFIG, INTERFACE, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Context, Edit, Mount, Negation, Registry, Setting};
use ferrite_types::ParseError;

use crate::settings::{AddressSettings, DEFAULT_VRF_NAME, InterfaceSettings, Settings};

/// In the order of FRR's running configuration.
static SETTINGS: &[Setting<InterfaceSettings>] = &[
    Setting {
        syntax: "description LINE...",
        help: &["Interface specific description", "Characters describing this interface"],
        no: Negation::Derived,
        set: |i, args| {
            i.description = args.get("LINE").map(str::to_owned);
            Ok(())
        },
        unset: |i, _| {
            i.description = None;
            Ok(())
        },
        render: |i, lines| {
            if let Some(text) = &i.description {
                lines.line(format!("description {text}"));
            }
        },
        examples: &["description uplink to the exchange"],
    },
    Setting {
        syntax: "bandwidth (1-1000000)$megabits",
        help: &["Set bandwidth informational parameter", "Bandwidth in megabits"],
        no: Negation::Derived,
        set: |i, args| {
            i.bandwidth = Some(args.parse("megabits")?);
            Ok(())
        },
        unset: |i, _| {
            i.bandwidth = None;
            Ok(())
        },
        render: |i, lines| {
            if let Some(megabits) = i.bandwidth {
                lines.line(format!("bandwidth {megabits}"));
            }
        },
        examples: &["bandwidth 10000"],
    },
    Setting {
        syntax: "ip address A.B.C.D/M$address [label LINE...]",
        help: &[
            "Interface Internet Protocol config commands",
            "Set the IP address of an interface",
            "IP address (e.g. 10.0.0.1/8)",
            "Label of this address",
            "Label",
        ],
        no: Negation::Derived,
        set: |i, args| add(i, address(args, None)?),
        unset: |i, args| remove(i, &address(args, None)?),
        render: |i, lines| {
            for a in i.addresses.iter().filter(|a| a.addr.is_ipv4() && a.peer.is_none()) {
                let label = a.label.as_ref().map(|label| format!(" label {label}")).unwrap_or_default();
                lines.line(format!("ip address {}/{}{label}", a.addr, a.prefix_len));
            }
        },
        examples: &["ip address 10.0.0.1/24", "ip address 10.0.1.1/24 label e0:1"],
    },
    Setting {
        syntax: "ip address A.B.C.D$own peer A.B.C.D/M$address [label LINE...]",
        help: &[
            "Interface Internet Protocol config commands",
            "Set the IP address of an interface",
            "Local IP (e.g. 10.0.0.1) for P-t-P address",
            "Specify P-t-P address",
            "Peer IP address (e.g. 10.0.0.1/8)",
            "Label of this address",
            "Label",
        ],
        no: Negation::Derived,
        set: |i, args| add(i, address(args, Some(args.ip("own")?))?),
        unset: |i, args| remove(i, &address(args, Some(args.ip("own")?))?),
        render: |i, lines| {
            for a in i.addresses.iter().filter(|a| a.addr.is_ipv4()) {
                if let Some(peer) = a.peer {
                    let label = a.label.as_ref().map(|label| format!(" label {label}")).unwrap_or_default();
                    lines.line(format!("ip address {} peer {peer}/{}{label}", a.addr, a.prefix_len));
                }
            }
        },
        examples: &[
            "ip address 10.0.0.1 peer 10.0.0.2/32",
            "ip address 10.0.0.1 peer 10.0.0.3/32 label e0:2",
        ],
    },
    Setting {
        syntax: "ipv6 address X:X::X:X/M$address",
        help: &[
            "Interface IPv6 config commands",
            "Set the IP address of an interface",
            "IPv6 address (e.g. 3ffe:506::1/48)",
        ],
        no: Negation::Derived,
        set: |i, args| add(i, address(args, None)?),
        unset: |i, args| remove(i, &address(args, None)?),
        render: |i, lines| {
            for a in i.addresses.iter().filter(|a| a.addr.is_ipv6()) {
                lines.line(format!("ipv6 address {}/{}", a.addr, a.prefix_len));
            }
        },
        examples: &["ipv6 address 2001:db8::1/64"],
    },
    Setting {
        syntax: "link-detect",
        help: &["Enable link detection on interface"],
        no: Negation::Derived,
        set: |i, _| {
            i.no_link_detect = false;
            Ok(())
        },
        unset: |i, _| {
            i.no_link_detect = true;
            Ok(())
        },
        render: |i, lines| {
            if i.no_link_detect {
                lines.line("no link-detect");
            }
        },
        examples: &["no link-detect"],
    },
    Setting {
        syntax: "shutdown",
        help: &["Shutdown the selected interface"],
        no: Negation::Derived,
        set: |i, _| {
            i.shutdown = Some(true);
            Ok(())
        },
        unset: |i, _| {
            i.shutdown = Some(false);
            Ok(())
        },
        render: |i, lines| match i.shutdown {
            Some(true) => lines.line("shutdown"),
            Some(false) => lines.line("no shutdown"),
            None => {}
        },
        examples: &["shutdown", "no shutdown"],
    },
];

/// `ADDRESS/LENGTH` with the host bits that a prefix would lose.
fn address(args: &Args, own: Option<IpAddr>) -> Result<AddressSettings, CliError> {
    let text = args.get("address").unwrap_or_default();
    let error = || CliError::from(ParseError::new(text, "an address with its prefix length"));
    let (addr, len) = text.split_once('/').ok_or_else(error)?;
    let addr: IpAddr = addr.parse().map_err(|_| error())?;
    let prefix_len: u8 = len.parse().map_err(|_| error())?;
    let limit = if addr.is_ipv4() { 32 } else { 128 };
    if prefix_len > limit || prefix_len == 0 || addr.is_unspecified() || addr.is_multicast() {
        return Err(error());
    }
    let label = args.get("LINE").map(str::to_owned);
    Ok(match own {
        Some(own) => AddressSettings { addr: own, prefix_len, peer: Some(addr), label },
        None => AddressSettings { addr, prefix_len, peer: None, label },
    })
}

fn same(a: &AddressSettings, b: &AddressSettings) -> bool {
    (a.addr, a.prefix_len, a.peer) == (b.addr, b.prefix_len, b.peer)
}

fn add(interface: &mut InterfaceSettings, address: AddressSettings) -> Result<(), CliError> {
    interface.addresses.retain(|present| !same(present, &address));
    interface.addresses.push(address);
    Ok(())
}

fn remove(interface: &mut InterfaceSettings, address: &AddressSettings) -> Result<(), CliError> {
    interface.addresses.retain(|present| !same(present, address));
    Ok(())
}

fn any_interface<'s>(
    settings: &'s mut Settings,
    context: &Context,
) -> Result<&'s mut InterfaceSettings, CliError> {
    let name = context.args(&INTERFACE).and_then(|args| args.get("IFNAME")).unwrap_or_default();
    Ok(settings.interfaces.entry(name.to_owned()).or_default())
}

/// Label tables of other namespaces are not kept.
fn own_namespace_only<'s>(
    settings: &'s mut Settings,
    context: &Context,
) -> Result<&'s mut InterfaceSettings, CliError> {
    let interface = any_interface(settings, context)?;
    match interface.vrf.as_deref().filter(|vrf| *vrf != DEFAULT_VRF_NAME) {
        Some(vrf) => Err(CliError::refused(format!("There is no MPLS in the namespace of VRF {vrf}"))),
        None => Ok(interface),
    }
}

/// `netns`: VRFs are namespaces.
pub fn register<H: 'static>(registry: &mut Registry<Settings, H>, netns: bool) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "interface IFNAME [vrf NAME]",
            &["Select an interface to configure", "Interface's name", "Specify the VRF", "The VRF name"],
            |settings: &mut Settings, edit: &Edit<'_>| {
                let name = edit.args.get("IFNAME").unwrap_or_default();
                if edit.negated {
                    settings.interfaces.remove(name);
                    return Ok(());
                }
                let interface = settings.interfaces.entry(name.to_owned()).or_default();
                if let Some(vrf) = edit.args.get("NAME") {
                    interface.vrf = Some(vrf.to_owned());
                }
                Ok(())
            },
        )
        .enters(&INTERFACE)
        .way("interface e0"),
    );
    registry.mount(Mount::at(&INTERFACE), SETTINGS, |settings, context, _| {
        let name = context.args(&INTERFACE).and_then(|args| args.get("IFNAME")).unwrap_or_default();
        Ok(settings.interfaces.entry(name.to_owned()).or_default())
    });
    let mpls = if netns { own_namespace_only } else { any_interface };
    registry.mount(Mount::at(&INTERFACE), super::mpls::INTERFACE_SETTINGS, move |settings, context, _| {
        mpls(settings, context)
    });
    registry.mount(Mount::at(&INTERFACE), super::nd::SETTINGS, |settings, context, _| {
        let name = context.args(&INTERFACE).and_then(|args| args.get("IFNAME")).unwrap_or_default();
        Ok(settings.interfaces.entry(name.to_owned()).or_default())
    });
    crate::te::config::register(registry);
    registry.renderer(order::INTERFACE, |settings: &Settings, lines| {
        for (name, interface) in &settings.interfaces {
            let vrf = interface.vrf.as_ref().map(|vrf| format!(" vrf {vrf}")).unwrap_or_default();
            lines.section(format!("interface {name}{vrf}"), &INTERFACE, |lines| {
                lines.settings(SETTINGS, interface);
                lines.settings(super::nd::SETTINGS, interface);
                lines.settings(super::mpls::INTERFACE_SETTINGS, interface);
                crate::te::config::render(interface, lines);
            });
        }
    });
}
