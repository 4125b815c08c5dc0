//! The `vrf` node, and lines that stand in it or, for the default VRF, at the top: router identifiers and next-hop tracking.

use std::net::IpAddr;

use ferrite_cli::node::{CONFIG, VRF};
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Lines, Mount, Negation, Registry, Setting};

use super::{STATIC, tidy, vrf_of};
use crate::settings::{DEFAULT_VRF_NAME, Settings, VrfSettings};

static SETTINGS: &[Setting<VrfSettings>] = &[
    Setting {
        syntax: "ip nht resolve-via-default",
        help: &["IP information", "Filter Next Hop tracking route resolution", "Resolve via default route"],
        no: Negation::Derived,
        set: |vrf, _| {
            vrf.nht_via_default = None;
            Ok(())
        },
        unset: |vrf, _| {
            vrf.nht_via_default = Some(false);
            Ok(())
        },
        render: |vrf, lines| {
            if vrf.nht_via_default == Some(false) {
                lines.line("no ip nht resolve-via-default");
            }
        },
        examples: &["no ip nht resolve-via-default"],
    },
    Setting {
        syntax: "ipv6 nht resolve-via-default",
        help: &["IPv6 information", "Filter Next Hop tracking route resolution", "Resolve via default route"],
        no: Negation::Derived,
        set: |vrf, _| {
            vrf.nht_via_default_v6 = None;
            Ok(())
        },
        unset: |vrf, _| {
            vrf.nht_via_default_v6 = Some(false);
            Ok(())
        },
        render: |vrf, lines| {
            if vrf.nht_via_default_v6 == Some(false) {
                lines.line("no ipv6 nht resolve-via-default");
            }
        },
        examples: &["no ipv6 nht resolve-via-default"],
    },
    Setting {
        syntax: "ip router-id A.B.C.D$id",
        help: &["IP information", "Manually set the router-id", "IP address to use for router-id"],
        no: Negation::Derived,
        set: set_router_id,
        unset: unset_router_id,
        render: |vrf, lines| {
            if let Some(id) = vrf.router_id {
                lines.line(format!("ip router-id {id}"));
            }
        },
        examples: &["ip router-id 192.0.2.1"],
    },
    Setting {
        syntax: "router-id A.B.C.D$id",
        help: &["Manually set the router-id", "IP address to use for router-id"],
        no: Negation::Derived,
        set: set_router_id,
        unset: unset_router_id,
        // The older spelling of the line above.
        render: |_, _| {},
        examples: &[],
    },
    Setting {
        syntax: "ipv6 router-id X:X::X:X$id",
        help: &["IPv6 information", "Manually set the IPv6 router-id", "IPV6 address to use for router-id"],
        no: Negation::Derived,
        set: |vrf, args| {
            vrf.router_id_v6 = Some(args.ipv6("id")?);
            Ok(())
        },
        unset: |vrf, _| {
            vrf.router_id_v6 = None;
            Ok(())
        },
        render: |vrf, lines| {
            if let Some(id) = vrf.router_id_v6 {
                lines.line(format!("ipv6 router-id {id}"));
            }
        },
        examples: &["ipv6 router-id 2001:db8::1"],
    },
];

/// At the top, a VRF's router identifier with the VRF behind it.
const ROUTER_ID_OF_VRF: [(&str, &[&str]); 3] = [
    (
        "ip router-id A.B.C.D$id vrf NAME$vrf_name",
        &[
            "IP information",
            "Manually set the router-id",
            "IP address to use for router-id",
            "Specify the VRF",
            "The VRF name",
        ],
    ),
    (
        "router-id A.B.C.D$id vrf NAME$vrf_name",
        &["Manually set the router-id", "IP address to use for router-id", "Specify the VRF", "The VRF name"],
    ),
    (
        "ipv6 router-id X:X::X:X$id vrf NAME$vrf_name",
        &[
            "IPv6 information",
            "Manually set the IPv6 router-id",
            "IPV6 address to use for router-id",
            "Specify the VRF",
            "The VRF name",
        ],
    ),
];

/// Of the VRF's node alone: at the top such a line is about all of them.
static VRF_ONLY: &[Setting<VrfSettings>] = &[Setting {
    syntax: "zebra fib limit (1-4294967295)$entries",
    help: &[
        "Zebra information",
        "Forwarding information base",
        "Most entries that the VRF's tables may have in the kernel",
        "Entries of both families",
    ],
    no: Negation::Derived,
    set: |vrf, args| {
        vrf.fib_limit = Some(args.parse("entries")?);
        Ok(())
    },
    unset: |vrf, _| {
        vrf.fib_limit = None;
        Ok(())
    },
    render: |vrf, lines| {
        if let Some(limit) = vrf.fib_limit {
            lines.line(format!("zebra fib limit {limit}"));
        }
    },
    examples: &["zebra fib limit 1000"],
}];

/// Where VRFs are network namespaces (`-w`). As in FRR, a namespace is the VRF of its name, and the line does nothing.
static NETNS: &[Setting<VrfSettings>] = &[Setting {
    syntax: "netns NAME$netns",
    help: &["Attach VRF to a Namespace", "The file name in /run/netns, or a full pathname"],
    no: Negation::Derived,
    set: |_, _| Ok(()),
    unset: |_, _| Ok(()),
    render: |_, _| {},
    examples: &[],
}];

fn set_router_id(vrf: &mut VrfSettings, args: &Args) -> Result<(), CliError> {
    vrf.router_id = Some(args.ipv4("id")?);
    Ok(())
}

fn unset_router_id(vrf: &mut VrfSettings, _: &Args) -> Result<(), CliError> {
    vrf.router_id = None;
    Ok(())
}

fn router_id_of_vrf(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let name = edit.args.get("vrf_name").unwrap_or(DEFAULT_VRF_NAME).to_owned();
    let vrf = settings.vrfs.entry(name).or_default();
    match edit.args.ip("id")? {
        IpAddr::V4(id) => vrf.router_id = Some(id).filter(|_| !edit.negated),
        IpAddr::V6(id) => vrf.router_id_v6 = Some(id).filter(|_| !edit.negated),
    }
    tidy(settings);
    Ok(())
}

/// What stands in a VRF's block, and for the default VRF at the top.
fn render(vrf: &VrfSettings, lines: &mut Lines) {
    lines.settings(SETTINGS, vrf);
    lines.settings(VRF_ONLY, vrf);
    super::protocol::render(vrf, lines);
    super::statics::render(vrf, lines);
}

/// The line about a VRF's namespace, or its refusal where VRFs are devices.
pub fn register_netns<H: 'static>(registry: &mut Registry<Settings, H>, netns: bool) {
    if netns {
        registry.mount(Mount::at(&VRF), NETNS, |settings, context, _| vrf_of(settings, context));
    } else {
        registry.refuse_on(&[&VRF], "netns NAME");
    }
}

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    registry.mount(Mount::at(&CONFIG), SETTINGS, |settings, context, _| vrf_of(settings, context));
    registry.mount(Mount::at(&VRF), SETTINGS, |settings, context, _| vrf_of(settings, context));
    registry.mount(Mount::at(&VRF), VRF_ONLY, |settings, context, _| vrf_of(settings, context));
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "vrf NAME",
            &["Select a VRF to configure", "VRF's name"],
            |settings: &mut Settings, edit: &Edit<'_>| {
                let name = edit.args.get("NAME").unwrap_or_default();
                if edit.negated {
                    settings.vrfs.remove(name);
                } else {
                    settings.vrfs.entry(name.to_owned()).or_default();
                }
                Ok(())
            },
        )
        .enters(&VRF)
        .example("vrf RED"),
    );
    for (syntax, help) in ROUTER_ID_OF_VRF {
        let edit = |settings: &mut Settings, edit: &Edit<'_>| router_id_of_vrf(settings, edit);
        registry.command(ConfigCommand::new(&[&CONFIG], syntax, help, edit).no(Negation::Derived));
    }
    registry.renderer(STATIC, |settings: &Settings, lines| {
        if let Some(vrf) = settings.vrf(DEFAULT_VRF_NAME) {
            render(vrf, lines);
        }
    });
    registry.renderer(ferrite_cli::node::order::VRF, |settings: &Settings, lines| {
        for (name, vrf) in settings.vrfs.iter().filter(|(name, _)| *name != DEFAULT_VRF_NAME) {
            lines.section(format!("vrf {name}"), &VRF, |lines| render(vrf, lines));
        }
    });
}
