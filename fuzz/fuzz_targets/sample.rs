//! A configuration with every form of grammar, for the targets of the command language.

use ferrite_cli::{
    ConfigCommand, Engine, ExecCommand, Lines, Mount, Negation, Node, Registry, Setting, node,
};

#[derive(Clone, PartialEq, Default)]
pub struct Config {
    pub lines: Vec<String>,
}

static PEER: Node =
    Node { name: "peer", prompt: "config-peer", parent: Some(&node::CONFIG), exit: "exit-peer", order: 100 };

static SETTINGS: &[Setting<Config>] = &[
    Setting {
        syntax: "timers (0-65535)$keepalive (3-65535)$hold [connect (1-65535)$retry]",
        help: &["Timers", "Keepalive", "Hold", "Connect", "Seconds"],
        no: Negation::Derived,
        set: |config, args| {
            config.lines.push(format!("{:?}", (args.get("keepalive"), args.get("hold"), args.get("retry"))));
            Ok(())
        },
        unset: |config, _| {
            config.lines.clear();
            Ok(())
        },
        render: |_, _| {},
        examples: &[],
    },
    Setting {
        syntax: "prefix <A.B.C.D/M|X:X::X:X/M>$prefix {ge (0-128)|le (0-128)}",
        help: &["Prefix", "IPv4", "IPv6", "At least", "Length", "At most", "Length"],
        no: Negation::Derived,
        set: |config, args| {
            config.lines.push(args.get("prefix").unwrap_or_default().to_owned());
            Ok(())
        },
        unset: |_, _| Ok(()),
        render: |_, _| {},
        examples: &[],
    },
    Setting {
        syntax: "description LINE...",
        help: &["Text", "Any text"],
        no: Negation::Derived,
        set: |_, _| Ok(()),
        unset: |_, _| Ok(()),
        render: |_, _| {},
        examples: &[],
    },
];

pub fn engine() -> Engine<Config, ()> {
    let mut registry: Registry<Config, ()> = Registry::new();
    registry.mount(Mount::at(&node::CONFIG), SETTINGS, |config, _, _| Ok(config));
    registry.mount(Mount::at(&PEER), SETTINGS, |config, _, _| Ok(config));
    registry.command(
        ConfigCommand::new(
            &[&node::CONFIG],
            "peer <A.B.C.D|X:X::X:X|WORD>$peer [as <(1-4294967295)|internal|external>]",
            &["Peer", "IPv4", "IPv6", "Name", "AS", "Number", "Same", "Other"],
            |config: &mut Config, edit| {
                config.lines.push(edit.args.get("peer").unwrap_or_default().to_owned());
                Ok(())
            },
        )
        .enters(&PEER),
    );
    registry.exec(ExecCommand::new(
        "show peer [A.B.C.D] [json]",
        &["Show", "Peer", "Address", "As JSON"],
        (),
    ));
    registry.renderer(1, |config: &Config, lines: &mut Lines| {
        for line in &config.lines {
            lines.line(format!("description {line}"));
        }
    });
    Engine::new(registry)
}
