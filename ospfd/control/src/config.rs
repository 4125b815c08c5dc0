//! Configuration lines: FRR's syntax for what [`Settings`] holds, a file per topic. A line edits the value and nothing else.

mod areas;
mod convergence;
mod flood;
mod interface;
mod interface_v2;
mod interface_v3;
mod limit;
mod refused;
mod router;
mod router_v2;
mod router_v3;
mod shared;
mod te;

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Context, Edit, Node, Registry, Setting, Words};

use crate::process::ProcessName;
use crate::{Roles, Settings};

pub static OSPF: Node =
    Node { name: "ospf", prompt: "config-router", parent: Some(&CONFIG), exit: "exit", order: order::ROUTER };
pub static OSPF6: Node =
    Node { name: "ospf6", prompt: "config-ospf6", parent: Some(&CONFIG), exit: "exit", order: order::ROUTER };
/// IPv4 routed by OSPFv3 (RFC 5838), which FRR does not have.
pub static OSPF6_IPV4: Node = Node {
    name: "ospf6-ipv4",
    prompt: "config-ospf6-ipv4",
    parent: Some(&CONFIG),
    exit: "exit",
    order: order::ROUTER,
};

/// Every configuration command of the versions that are served.
pub fn register<H: 'static>(registry: &mut Registry<Settings, H>, roles: Roles) {
    if !roles.v2 && !roles.v3 {
        return;
    }
    router::register(registry, roles);
    interface::register(registry, roles);
    refused::register(registry, roles);
    let access = ferrite_policy::commands::Access {
        get: |s: &Settings| &s.policy,
        get_mut: |s: &mut Settings| &mut s.policy,
    };
    ferrite_policy::commands::register(registry, ferrite_policy::commands::Scope::Zebra, access);
    ferrite_keychain::commands::register(
        registry,
        ferrite_keychain::commands::Access {
            get: |s: &Settings| &s.key_chains,
            get_mut: |s: &mut Settings| &mut s.key_chains,
        },
    );
}

/// What a line of `router ospf …` names.
fn process_name(args: &Args) -> Result<ProcessName, CliError> {
    let vrf = args.get("NAME").filter(|name| *name != "default").map(str::to_owned);
    Ok(ProcessName { instance: args.parse_opt("instance")?.unwrap_or(0), vrf })
}

/// Declares a setting as a command; `edit` finds the part it is about and clears away behind it.
fn declare<T: 'static, H: 'static>(
    registry: &mut Registry<Settings, H>,
    node: &'static Node,
    setting: &'static Setting<T>,
    edit: fn(&mut Settings, &Edit<'_>, &Setting<T>) -> Result<(), CliError>,
) {
    declare_in_words(registry, node, setting, &[], edit);
}

/// The same in other words.
fn declare_in_words<T: 'static, H: 'static>(
    registry: &mut Registry<Settings, H>,
    node: &'static Node,
    setting: &'static Setting<T>,
    words: Words,
    edit: fn(&mut Settings, &Edit<'_>, &Setting<T>) -> Result<(), CliError>,
) {
    let command = ConfigCommand::new(&[node], setting.syntax, setting.help, move |settings, line| {
        edit(settings, line, setting)
    });
    let command = command.no(setting.no).reworded(words);
    let command = setting.examples.iter().fold(command, |command, example| command.example(*example));
    registry.command(command);
}

/// Carries a line out on the part it is about.
fn apply<T>(setting: &Setting<T>, line: &Edit<'_>, part: &mut T) -> Result<(), CliError> {
    if line.negated { (setting.unset)(part, line.args) } else { (setting.set)(part, line.args) }
}

/// The context of a line, where it must be inside a node.
fn inside<'a>(context: &'a Context, node: &Node) -> Result<&'a Args, CliError> {
    context.args(node).ok_or(CliError::Unknown)
}

/// A setting in short: syntax, help, `no`, what it does, what undoes it, how it is rendered, examples.
macro_rules! setting {
    ($syntax:expr, [$($help:expr),* $(,)?], $no:expr, $set:expr, $unset:expr, $render:expr, [$($example:expr),* $(,)?] $(,)?) => {
        ferrite_cli::Setting {
            syntax: $syntax,
            help: &[$($help),*],
            no: $no,
            set: $set,
            unset: $unset,
            render: $render,
            examples: &[$($example),*],
        }
    };
}
/// A value of a line in a field that is empty where nothing is said.
macro_rules! value {
    ($($field:ident).+, $words:literal, $variable:literal, [$($help:expr),* $(,)?], $no:expr, $example:literal) => {
        crate::config::setting!(
            concat!($words, " ", $variable),
            [$($help),*],
            $no,
            |part, args| {
                part.$($field).+ = Some(args.parse("value")?);
                Ok(())
            },
            |part, _| {
                part.$($field).+ = None;
                Ok(())
            },
            |part, lines| {
                if let Some(value) = &part.$($field).+ {
                    lines.line(format!(concat!($words, " {}"), value));
                }
            },
            [$example]
        )
    };
}
/// A switch.
macro_rules! switch {
    ($($field:ident).+, $words:literal, $syntax:expr, [$($help:expr),* $(,)?], $no:expr) => {
        crate::config::setting!(
            $syntax,
            [$($help),*],
            $no,
            |part, _| {
                part.$($field).+ = true;
                Ok(())
            },
            |part, _| {
                part.$($field).+ = false;
                Ok(())
            },
            |part, lines| {
                if part.$($field).+ {
                    lines.line($words);
                }
            },
            [$words]
        )
    };
}
/// What is so unless the line is taken back; the field says that it was.
macro_rules! unless_no {
    ($($field:ident).+, $words:literal, $syntax:expr, [$($help:expr),* $(,)?]) => {
        crate::config::setting!(
            $syntax,
            [$($help),*],
            ferrite_cli::Negation::Derived,
            |part, _| {
                part.$($field).+ = false;
                Ok(())
            },
            |part, _| {
                part.$($field).+ = true;
                Ok(())
            },
            |part, lines| {
                if part.$($field).+ {
                    lines.line(concat!("no ", $words));
                }
            },
            [concat!("no ", $words)]
        )
    };
}
use {setting, switch, unless_no, value};

#[cfg(test)]
mod tests {
    use crate::{Roles, registry};

    #[test]
    fn every_command_holds_what_it_declares() {
        for (v2, v3) in [(true, true), (true, false), (false, true), (false, false)] {
            if let Err(faults) = ferrite_cli::check_registry(|| registry(Roles { v2, v3 })) {
                panic!("{}", faults.join("\n"));
            }
        }
    }
}
