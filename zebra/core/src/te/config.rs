//! The lines of the `link-params` node, in the order in which FRR writes them.

use ferrite_cli::node::INTERFACE;
use ferrite_cli::{Args, CliError, Context, Lines, Mount, Negation, Node, Registry, Setting};

use super::{Delay, LinkParams};
use crate::settings::{InterfaceSettings, Settings};

pub static LINK_PARAMS: Node = Node {
    name: "link-params",
    prompt: "config-link-params",
    parent: Some(&INTERFACE),
    exit: "exit-link-params",
    order: ferrite_cli::node::order::INTERFACE,
};

const OCTETS: &str = "Bytes/second (IEEE floating point format)";
const MICROSECONDS: &str = "Microseconds";

macro_rules! bandwidth {
    ($word:literal, $help:literal, $field:ident) => {
        Setting {
            syntax: concat!($word, " BANDWIDTH"),
            help: &[$help, OCTETS],
            no: Negation::Derived,
            set: |p: &mut LinkParams, args| {
                p.$field = Some(args.parse("BANDWIDTH")?);
                Ok(())
            },
            unset: |p, _| {
                p.$field = None;
                Ok(())
            },
            render: |p, lines| {
                if let Some(value) = p.$field {
                    lines.line(format!(concat!($word, " {}"), value));
                }
            },
            examples: &[concat!($word, " 1e+09")],
        }
    };
}

static SETTINGS: &[Setting<LinkParams>] = &[
    Setting {
        syntax: "metric (0-4294967295)$metric",
        help: &["Link metric for MPLS-TE purpose", "Metric value in decimal"],
        no: Negation::Derived,
        set: |p, args| {
            p.metric = Some(args.parse("metric")?);
            Ok(())
        },
        unset: |p, _| {
            p.metric = None;
            Ok(())
        },
        render: |p, lines| {
            if let Some(metric) = p.metric {
                lines.line(format!("metric {metric}"));
            }
        },
        examples: &["metric 20"],
    },
    bandwidth!("max-bw", "Maximum bandwidth that can be used", max_bandwidth),
    bandwidth!("max-rsv-bw", "Maximum bandwidth that may be reserved", max_reservable),
    Setting {
        syntax: "unrsv-bw (0-7)$class BANDWIDTH",
        help: &["Unreserved bandwidth at each priority level", "Priority", OCTETS],
        no: Negation::Derived,
        set: |p, args| {
            let value = args.parse("BANDWIDTH")?;
            *class(p, args)? = Some(value);
            Ok(())
        },
        unset: |p, args| {
            *class(p, args)? = None;
            Ok(())
        },
        render: |p, lines| {
            for (class, value) in p.unreserved.iter().enumerate() {
                if let Some(value) = value {
                    lines.line(format!("unrsv-bw {class} {value}"));
                }
            }
        },
        examples: &["unrsv-bw 3 5e+07"],
    },
    bandwidth!("res-bw", "Unidirectional residual bandwidth", residual),
    bandwidth!("ava-bw", "Unidirectional available bandwidth", available),
    bandwidth!("use-bw", "Unidirectional utilised bandwidth", utilized),
];

/// What comes after the groups.
static AFTER_GROUPS: &[Setting<LinkParams>] = &[
    Setting {
        syntax: "neighbor A.B.C.D as (1-4294967295)$asn",
        help: &[
            "Configure remote ASBR information (Neighbor IP address and AS number)",
            "Remote IP address in dot decimal A.B.C.D",
            "Remote AS number",
            "AS number in the range <1-4294967295>",
        ],
        no: Negation::After(1),
        set: |p, args| {
            p.neighbor = Some((args.ipv4("A.B.C.D")?, args.parse("asn")?));
            Ok(())
        },
        unset: |p, _| {
            p.neighbor = None;
            Ok(())
        },
        render: |p, lines| {
            if let Some((addr, asn)) = p.neighbor {
                lines.line(format!("neighbor {addr} as {asn}"));
            }
        },
        examples: &["neighbor 192.0.2.1 as 65001"],
    },
    Setting {
        syntax: "delay (0-16777215)$average [min (0-16777215)$min max (0-16777215)$max]",
        help: &[
            "Unidirectional Average Link Delay",
            "Average delay in micro-second",
            "Minimum delay",
            "Minimum delay in micro-second",
            "Maximum delay",
            "Maximum delay in micro-second",
        ],
        no: Negation::Derived,
        set: |p, args| {
            let average = args.parse("average")?;
            let bounds = match (args.parse_opt("min")?, args.parse_opt("max")?) {
                (Some(min), Some(max)) => Some((min, max)),
                _ => None,
            };
            if bounds.is_some_and(|(min, max)| min >= max || average < min || average > max) {
                return Err(CliError::refused("Average delay should be between the minimum and the maximum"));
            }
            p.delay = Some(Delay { average, bounds });
            Ok(())
        },
        unset: |p, _| {
            p.delay = None;
            Ok(())
        },
        render: |p, lines| {
            if let Some(Delay { average, bounds }) = p.delay {
                let bounds = bounds.map(|(min, max)| format!(" min {min} max {max}")).unwrap_or_default();
                lines.line(format!("delay {average}{bounds}"));
            }
        },
        examples: &["delay 1000", "delay 1000 min 500 max 2000"],
    },
    Setting {
        syntax: "delay-variation (0-16777215)$variation",
        help: &["Unidirectional Link Delay Variation", MICROSECONDS],
        no: Negation::Derived,
        set: |p, args| {
            p.delay_variation = Some(args.parse("variation")?);
            Ok(())
        },
        unset: |p, _| {
            p.delay_variation = None;
            Ok(())
        },
        render: |p, lines| {
            if let Some(variation) = p.delay_variation {
                lines.line(format!("delay-variation {variation}"));
            }
        },
        examples: &["delay-variation 50"],
    },
    Setting {
        syntax: "packet-loss PERCENTAGE",
        help: &[
            "Unidirectional Link Packet Loss",
            "percentage of total traffic by 0.000003% and less than 50.331642%",
        ],
        no: Negation::Derived,
        set: |p, args| {
            p.loss = Some(args.parse("PERCENTAGE")?);
            Ok(())
        },
        unset: |p, _| {
            p.loss = None;
            Ok(())
        },
        render: |p, lines| {
            if let Some(loss) = p.loss {
                lines.line(format!("packet-loss {loss}"));
            }
        },
        examples: &["packet-loss 1.500000"],
    },
    Setting {
        syntax: "enable",
        help: &["Activate link parameters on this interface"],
        no: Negation::Derived,
        // The node itself does; FRR takes the older line too.
        set: |_, _| Ok(()),
        unset: |p, _| {
            *p = LinkParams::default();
            Ok(())
        },
        render: |_, _| {},
        examples: &[],
    },
];

fn class<'p>(params: &'p mut LinkParams, args: &Args) -> Result<&'p mut Option<super::Bandwidth>, CliError> {
    let class: usize = args.parse("class")?;
    params.unreserved.get_mut(class).ok_or_else(|| CliError::refused("There are eight class types"))
}

pub(super) fn interface<'s>(settings: &'s mut Settings, context: &Context) -> &'s mut InterfaceSettings {
    let name = context.args(&INTERFACE).and_then(|args| args.get("IFNAME")).unwrap_or_default();
    settings.interfaces.entry(name.to_owned()).or_default()
}

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    registry.command(
        ferrite_cli::ConfigCommand::new(
            &[&INTERFACE],
            "link-params",
            &["Configure interface link parameters"],
            |settings: &mut Settings, edit: &ferrite_cli::Edit<'_>| {
                let interface = interface(settings, edit.context);
                if edit.negated {
                    interface.link_params = None;
                    interface.affinities = Default::default();
                } else {
                    interface.link_params.get_or_insert_default();
                }
                Ok(())
            },
        )
        .enters(&LINK_PARAMS)
        .way("link-params"),
    );
    for part in [SETTINGS, AFTER_GROUPS] {
        registry.mount(Mount::at(&LINK_PARAMS), part, |settings, context, _| {
            Ok(&mut **interface(settings, context).link_params.get_or_insert_default())
        });
    }
    super::affinity::register(registry);
}

/// The node below its interface.
pub fn render(interface: &InterfaceSettings, lines: &mut Lines) {
    if let Some(params) = &interface.link_params {
        lines.section("link-params", &LINK_PARAMS, |lines| {
            lines.settings(SETTINGS, &**params);
            super::affinity::render(interface, lines);
            lines.settings(AFTER_GROUPS, &**params);
        });
    }
}
