//! `segment-routing`: locators and static segment identifiers of SRv6, nodes in nodes.

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{
    Args, CliError, ConfigCommand, Context, Edit, Lines, Mount, Negation, Node, Registry, Setting,
};
use ferrite_types::Ipv6Prefix;

use crate::settings::{DEFAULT_VRF_NAME, Settings};
use crate::srv6::{Behavior, Locator, LocatorPrefix, SidFormat, Srv6Settings, StaticSid};

const PLACE: u16 = order::NEXTHOP_GROUP + 1;

const fn node(name: &'static str, prompt: &'static str, parent: &'static Node) -> Node {
    Node { name, prompt, parent: Some(parent), exit: "exit", order: PLACE }
}

pub static SEGMENT_ROUTING: Node = node("segment-routing", "config-sr", &CONFIG);
pub static SRV6: Node = node("srv6", "config-srv6", &SEGMENT_ROUTING);
static LOCATORS: Node = node("srv6-locators", "config-srv6-locators", &SRV6);
static LOCATOR: Node = node("srv6-locator", "config-srv6-locator", &LOCATORS);
pub static FORMATS: Node = node("srv6-formats", "config-srv6-formats", &SRV6);
pub static FORMAT: Node = node("srv6-format", "config-srv6-format", &FORMATS);
static SIDS: Node = node("srv6-sids", "config-srv6-sids", &SRV6);

/// Bits of a node where nothing says otherwise, and of a function.
const NODE_BITS: u8 = 24;
const FUNCTION_BITS: u8 = 16;
const MAX_FUNCTION_BITS: u8 = 20;
const BITS: std::ops::RangeInclusive<u8> = 16..=64;

const SR: &str = "Segment Routing";
const SRV6_HELP: &str = "Segment Routing SRv6";

static LOCATOR_SETTINGS: &[Setting<Locator>] = &[
    Setting {
        syntax: "prefix X:X::X:X/M$prefix [block-len (16-64)$block] [node-len (16-64)$node] [func-bits (0-64)$function]",
        help: &[
            "Configure SRv6 locator prefix",
            "Specify SRv6 locator prefix",
            "Configure SRv6 locator block length in bits",
            "Specify SRv6 locator block length in bits",
            "Configure SRv6 locator node length in bits",
            "Specify SRv6 locator node length in bits",
            "Configure SRv6 locator function length in bits",
            "Specify SRv6 locator function length in bits",
        ],
        no: Negation::Never,
        set: |locator, args| {
            let prefix = locator_prefix(args)?;
            fits(locator.format, Some(prefix))?;
            locator.prefix = Some(prefix);
            Ok(())
        },
        unset: |_, _| Ok(()),
        render: |locator, lines| {
            if let Some(LocatorPrefix { prefix, block, node, function }) = locator.prefix {
                lines.line(format!("prefix {prefix} block-len {block} node-len {node} func-bits {function}"));
            }
        },
        examples: &["prefix 2001:db8:f::/48 block-len 32 node-len 16 func-bits 16"],
    },
    Setting {
        syntax: "behavior usid",
        help: &["Configure SRv6 behavior", "Specify SRv6 behavior uSID"],
        no: Negation::Derived,
        set: |locator, _| {
            locator.usid = true;
            Ok(())
        },
        unset: |locator, _| {
            locator.usid = false;
            Ok(())
        },
        render: |locator, lines| {
            if locator.usid {
                lines.line("behavior usid");
            }
        },
        examples: &["behavior usid"],
    },
    Setting {
        syntax: "format <usid-f3216|uncompressed-f4024>$format",
        help: &["Configure SRv6 SID format", "uSID format F3216", "Uncompressed format F4024"],
        no: Negation::Syntax("no format [WORD]"),
        set: |locator, args| {
            let word = args.get("format").unwrap_or_default();
            let format = SidFormat::ALL.into_iter().find(|format| format.word() == word);
            fits(format, locator.prefix)?;
            locator.format = format;
            Ok(())
        },
        unset: |locator, _| {
            locator.format = None;
            Ok(())
        },
        render: |locator, lines| {
            if let Some(format) = locator.format {
                lines.line(format!("format {}", format.word()));
            }
        },
        examples: &["format usid-f3216"],
    },
];

/// With the lengths that are not said, as FRR finds them.
fn locator_prefix(args: &Args) -> Result<LocatorPrefix, CliError> {
    let prefix: Ipv6Prefix = args.parse("prefix")?;
    let (block, node): (Option<u8>, Option<u8>) = (args.parse_opt("block")?, args.parse_opt("node")?);
    let rest = |part: u8| prefix.len().saturating_sub(part);
    let (block, node) = match (block, node) {
        (Some(block), node) => (block, node.unwrap_or(rest(block))),
        (None, node) => {
            let node = node.unwrap_or(NODE_BITS);
            (rest(node), node)
        }
    };
    let function = args.parse_opt("function")?.unwrap_or(FUNCTION_BITS);
    if function > MAX_FUNCTION_BITS {
        return Err(CliError::refused(format!(
            "currently func_bit_len > {MAX_FUNCTION_BITS} is not supported"
        )));
    }
    if block.checked_add(node) != Some(prefix.len()) {
        let len = prefix.len();
        return Err(CliError::refused(format!(
            "block-len + node-len must be equal to the selected prefix length {len}"
        )));
    }
    if !BITS.contains(&block) || !BITS.contains(&node) {
        return Err(CliError::refused(format!(
            "block-len {block} and node-len {node} are to be 16 to 64 each"
        )));
    }
    Ok(LocatorPrefix { prefix, block, node, function })
}

fn fits(format: Option<SidFormat>, prefix: Option<LocatorPrefix>) -> Result<(), CliError> {
    let (Some(format), Some(prefix)) = (format, prefix) else { return Ok(()) };
    let structure = format.structure();
    if structure.block + structure.node == prefix.prefix.len() {
        return Ok(());
    }
    Err(CliError::refused(format!(
        "Locator prefix length '{}' inconsistent with configured format '{}'.",
        prefix.prefix.len(),
        format.word()
    )))
}

fn enter<H: 'static>(
    registry: &mut Registry<Settings, H>,
    parent: &'static Node,
    line: &str,
    help: &'static str,
    to: &'static Node,
) {
    let command = ConfigCommand::new(&[parent], line, &[help], |_: &mut Settings, _: &Edit<'_>| Ok(()));
    registry.command(command.no(Negation::Never).enters(to).way(line));
}

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    enter(registry, &CONFIG, "segment-routing", SR, &SEGMENT_ROUTING);
    let srv6 =
        ConfigCommand::new(&[&SEGMENT_ROUTING], "srv6", &[SRV6_HELP], |settings: &mut Settings, edit| {
            if edit.negated {
                settings.srv6 = Srv6Settings::default();
            }
            Ok(())
        });
    registry.command(srv6.enters(&SRV6).way("srv6"));
    enter(registry, &SRV6, "locators", "Segment Routing SRv6 locators", &LOCATORS);
    let locator = ConfigCommand::new(
        &[&LOCATORS],
        "locator WORD$locator",
        &["Segment Routing SRv6 locator", "Specify locator-name"],
        |settings: &mut Settings, edit| {
            let name = edit.args.get("locator").unwrap_or_default();
            if edit.negated {
                settings.srv6.locators.remove(name);
            } else {
                settings.srv6.locators.entry(name.to_owned()).or_default();
            }
            Ok(())
        },
    );
    registry.command(locator.enters(&LOCATOR).example("locator MAIN"));
    registry.mount(Mount::at(&LOCATOR), LOCATOR_SETTINGS, |settings: &mut Settings, context: &Context, _| {
        let name = context.args(&LOCATOR).and_then(|args| args.get("locator")).unwrap_or_default();
        Ok(settings.srv6.locators.entry(name.to_owned()).or_default())
    });
    // FRR writes both, always; there is nothing in them that is not refused.
    enter(registry, &SRV6, "formats", "Segment Routing SRv6 SID formats", &FORMATS);
    for format in SidFormat::ALL {
        let line = format!("format {}", format.word());
        let help = ["Configure SRv6 SID format", "Its name"];
        let command = ConfigCommand::new(&[&FORMATS], line.clone(), &help, |_: &mut Settings, _| Ok(()));
        registry.command(command.enters(&FORMAT).way(line));
    }
    register_sids(registry);
    registry.renderer(PLACE, |settings: &Settings, lines| render(&settings.srv6, lines));
}

fn register_sids<H: 'static>(registry: &mut Registry<Settings, H>) {
    let all = ConfigCommand::new(
        &[&SRV6],
        "static-sids",
        &["Segment Routing SRv6 static segment identifiers"],
        |settings: &mut Settings, edit| {
            if edit.negated {
                settings.srv6.sids.clear();
            }
            Ok(())
        },
    );
    registry.command(all.enters(&SIDS).way("static-sids"));
    let behaviors = "<uN|uDT6 vrf NAME$vrf_name|uDT4 vrf NAME$vrf_name|uDT46 vrf NAME$vrf_name>";
    let mut help = vec![
        "Configure SRv6 SID",
        "Specify SRv6 SID",
        "Locator of the SID",
        "Name of the locator",
        "Behavior of the SID",
        "On to the next segment of those in one address",
    ];
    for unpack in
        ["IPv6 packets are unpacked", "IPv4 packets are unpacked", "IPv6 and IPv4 packets are unpacked"]
    {
        help.extend([unpack, "VRF in whose table they are looked up", "The VRF name"]);
    }
    let sid = ConfigCommand::new(
        &[&SIDS],
        format!("sid X:X::X:X/M$sid locator NAME$locator behavior {behaviors}"),
        &help,
        |settings: &mut Settings, edit| edit_sid(&mut settings.srv6, edit),
    );
    registry.command(
        sid.no(Negation::After(2))
            .example("sid 2001:db8:f::/48 locator MAIN behavior uN")
            .example("sid 2001:db8:f:e001::/64 locator MAIN behavior uDT6 vrf default")
            .example("sid 2001:db8:f:e002::/64 locator MAIN behavior uDT46 vrf RED"),
    );
}

fn edit_sid(srv6: &mut Srv6Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let sid: Ipv6Prefix = edit.args.parse("sid")?;
    if edit.negated {
        srv6.sids.remove(&sid);
        return Ok(());
    }
    let behavior = Behavior::ALL.into_iter().find(|behavior| edit.args.has(behavior.word()));
    let behavior = behavior.ok_or_else(|| CliError::refused("a behavior is missing"))?;
    let locator = edit.args.get("locator").unwrap_or_default().to_owned();
    let vrf = edit.args.get("vrf_name").unwrap_or(DEFAULT_VRF_NAME).to_owned();
    srv6.sids.insert(sid, StaticSid { locator, behavior, vrf });
    Ok(())
}

fn render(srv6: &Srv6Settings, lines: &mut Lines) {
    lines.section_if_any("segment-routing", &SEGMENT_ROUTING, |lines| {
        lines.section_if_any("srv6", &SRV6, |lines| {
            lines.section_if_any("locators", &LOCATORS, |lines| {
                for (name, locator) in &srv6.locators {
                    lines.section(format!("locator {name}"), &LOCATOR, |lines| {
                        lines.settings(LOCATOR_SETTINGS, locator);
                    });
                }
            });
            lines.section_if_any("static-sids", &SIDS, |lines| {
                for (prefix, sid) in &srv6.sids {
                    lines.line(sid_line(prefix, sid));
                }
            });
        });
    });
}

fn sid_line(prefix: &Ipv6Prefix, sid: &StaticSid) -> String {
    let line = format!("sid {prefix} locator {} behavior {}", sid.locator, sid.behavior.word());
    if sid.behavior == Behavior::Un { line } else { format!("{line} vrf {}", sid.vrf) }
}
