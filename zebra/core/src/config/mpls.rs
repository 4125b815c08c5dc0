//! `mpls …`: static label-switched paths, labels bound to prefixes, blocks of labels, and labelled packets on an interface.

use std::net::IpAddr;

use ferrite_cli::node::CONFIG;
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Lines, Negation, Registry, Setting};
use ferrite_types::zclient::LabelBlock;
use ferrite_types::{Label, Prefix};

use crate::settings::{InterfaceSettings, MplsSettings, Settings};

const MPLS: &str = "MPLS information";
const LSP: &str = "Establish label switched path";
const IN_LABEL: &str = "Incoming MPLS label";
const GATEWAY_V4: &str = "IPv4 gateway address";
const GATEWAY_V6: &str = "IPv6 gateway address";
const OUT: [&str; 3] = ["Outgoing MPLS label", "Use Explicit-Null label", "Use Implicit-Null label"];
const LABEL: &str = "Label configuration";
const PREFIX: [&str; 2] = ["IPv4 prefix", "IPv6 prefix"];
/// FRR writes these lines after the interfaces.
const PLACE: u16 = ferrite_cli::node::order::INTERFACE + 2;

/// Lines of the interface node.
pub static INTERFACE_SETTINGS: &[Setting<InterfaceSettings>] = &[
    Setting {
        syntax: "mpls enable",
        help: &[MPLS, "Set mpls to be on for the interface"],
        no: Negation::Derived,
        set: |i, _| {
            i.mpls = Some(true);
            Ok(())
        },
        unset: |i, _| {
            i.mpls = None;
            Ok(())
        },
        render: |i, lines| {
            if i.mpls == Some(true) {
                lines.line("mpls enable");
            }
        },
        examples: &["mpls enable"],
    },
    Setting {
        syntax: "mpls disable",
        help: &[MPLS, "Set mpls to be off for the interface"],
        no: Negation::Derived,
        set: |i, _| {
            i.mpls = Some(false);
            Ok(())
        },
        unset: |i, _| {
            i.mpls = None;
            Ok(())
        },
        render: |i, lines| {
            if i.mpls == Some(false) {
                lines.line("mpls disable");
            }
        },
        examples: &["mpls disable"],
    },
];

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    let lsp = "mpls lsp (16-1048575)$in";
    let via = "<A.B.C.D$gateway|X:X::X:X$gateway>";
    let out = "<(16-1048575)$out|explicit-null$explicit|implicit-null$implicit>";
    let [o1, o2, o3] = OUT;
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            format!("{lsp} {via} {out}"),
            &[MPLS, LSP, IN_LABEL, GATEWAY_V4, GATEWAY_V6, o1, o2, o3],
            set_lsp,
        )
        .example("mpls lsp 100 10.0.0.2 200")
        .example("mpls lsp 101 10.0.0.2 implicit-null")
        .example("mpls lsp 102 2001:db8::2 explicit-null"),
    );
    let bind = "mpls label bind <A.B.C.D/M$prefix|X:X::X:X/M$prefix>";
    let [p1, p2] = PREFIX;
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            format!("{bind} {out}"),
            &[MPLS, LABEL, "Establish FEC to label binding", p1, p2, o1, o2, o3],
            bind_fec,
        )
        .example("mpls label bind 192.0.2.0/24 1000")
        .example("mpls label bind 192.0.2.0/24 implicit-null")
        .example("mpls label bind 2001:db8::/32 explicit-null"),
    );
    block(
        registry,
        "global-block",
        "Configure global label block",
        |mpls| &mut mpls.global_block,
        "mpls label global-block 16000 17000",
    );
    block(
        registry,
        "dynamic-block",
        "Configure dynamic label block",
        |mpls| &mut mpls.dynamic_block,
        "mpls label dynamic-block 100000 200000",
    );
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "mpls fec nexthop-resolution",
            &[MPLS, "MPLS FEC table", "Authorise nexthop resolution over all labeled routes"],
            |settings: &mut Settings, edit: &Edit<'_>| {
                settings.mpls.fec_resolution = !edit.negated;
                Ok(())
            },
        )
        .example("mpls fec nexthop-resolution"),
    );
    registry.renderer(PLACE, |settings: &Settings, lines| render(&settings.mpls, lines));
}

fn block<H: 'static>(
    registry: &mut Registry<Settings, H>,
    word: &str,
    help: &'static str,
    slot: fn(&mut MplsSettings) -> &mut Option<LabelBlock>,
    example: &str,
) {
    let bounds = ["Start label", "End label"];
    let set = move |settings: &mut Settings, edit: &Edit<'_>| {
        let (first, last): (u32, u32) = (edit.args.parse("first")?, edit.args.parse("last")?);
        let wrong = || CliError::refused(format!("label block: wrong range ({first} > {last})"));
        *slot(&mut settings.mpls) = Some(LabelBlock::new(first, last).ok_or_else(wrong)?);
        Ok(())
    };
    let syntax = format!("mpls label {word}");
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            format!("{syntax} (16-1048575)$first (16-1048575)$last"),
            &[MPLS, LABEL, help, bounds[0], bounds[1]],
            set,
        )
        .no(Negation::Never)
        .example(example),
    );
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            format!("no {syntax} [(16-1048575)$first (16-1048575)$last]"),
            &["Negate a command or set its defaults", MPLS, LABEL, help, bounds[0], bounds[1]],
            move |settings: &mut Settings, _: &Edit<'_>| {
                *slot(&mut settings.mpls) = None;
                Ok(())
            },
        )
        .no(Negation::Never),
    );
}

fn label(args: &Args, name: &str) -> Result<Label, CliError> {
    let value: u32 = args.parse(name)?;
    Label::new(value).ok_or_else(|| CliError::refused(format!("{value} is no MPLS label")))
}

/// The label that goes out; explicit null is a label of its own in each family (RFC 3032 §2.1).
fn out_label(args: &Args, v6: bool) -> Result<Label, CliError> {
    if args.has("explicit") {
        Ok(if v6 { Label::IPV6_EXPLICIT_NULL } else { Label::IPV4_EXPLICIT_NULL })
    } else if args.has("implicit") {
        Ok(Label::IMPLICIT_NULL)
    } else {
        label(args, "out")
    }
}

/// `no` takes out what its words name: a path by its label, or one next hop of it.
fn set_lsp(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let incoming = label(edit.args, "in")?;
    if edit.negated {
        let gateway = edit.args.parse_opt::<IpAddr>("gateway")?;
        settings.mpls.lsps.retain(|(label, via), _| *label != incoming || gateway.is_some_and(|g| g != *via));
        return Ok(());
    }
    let gateway = edit.args.ip("gateway")?;
    settings.mpls.lsps.insert((incoming, gateway), out_label(edit.args, gateway.is_ipv6())?);
    Ok(())
}

fn bind_fec(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let prefix: Prefix = edit.args.parse("prefix")?;
    if edit.negated {
        settings.mpls.bindings.remove(&prefix);
        return Ok(());
    }
    let label = out_label(edit.args, matches!(prefix, Prefix::V6(_)))?;
    let holder = settings.mpls.bindings.iter().find(|(other, bound)| **bound == label && **other != prefix);
    if let Some((other, _)) = holder.filter(|_| label.value() >= crate::labels::FIRST) {
        return Err(CliError::refused(format!("label {label} is bound to {other}")));
    }
    settings.mpls.bindings.insert(prefix, label);
    Ok(())
}

fn render(mpls: &MplsSettings, lines: &mut Lines) {
    let word = |label: &Label| match *label {
        Label::IPV4_EXPLICIT_NULL | Label::IPV6_EXPLICIT_NULL => "explicit-null".to_owned(),
        Label::IMPLICIT_NULL => "implicit-null".to_owned(),
        other => other.value().to_string(),
    };
    for ((incoming, gateway), out) in &mpls.lsps {
        lines.line(format!("mpls lsp {incoming} {gateway} {}", word(out)));
    }
    for (prefix, label) in &mpls.bindings {
        lines.line(format!("mpls label bind {prefix} {}", word(label)));
    }
    for (name, block) in [("global-block", mpls.global_block), ("dynamic-block", mpls.dynamic_block)] {
        if let Some(block) = block {
            lines.line(format!("mpls label {name} {} {}", block.first, block.last));
        }
    }
    if mpls.fec_resolution {
        lines.line("mpls fec nexthop-resolution");
    }
}
