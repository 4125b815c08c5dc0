//! `route-map NAME permit|deny N` and what stands inside it.

use ferrite_cli::node::{CONFIG, ROUTE_MAP, order};
use ferrite_cli::{CliError, ConfigCommand, Context, Edit, Lines, Negation, Registry};

use super::Access;
use super::clauses::{Clause, MATCHES, SETS};
use crate::config::edit;
use crate::route_map::{Entry, Exit};
use crate::{Action, PolicyConfig};

pub(super) fn register<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    header(registry, access);
    optimization(registry, access);
    for clause in MATCHES {
        let (read, key) = (clause.read, clause.key);
        let command = entry_command(
            access,
            format!("match {}", clause.syntax),
            clause.help,
            "Match values from the route",
            move |entry, e| {
                if e.negated {
                    entry.drop_match(key);
                } else {
                    entry.add_match(read(e.args)?);
                }
                Ok(())
            },
        );
        registry.command(command.no(undone(MATCHES, clause)).example(format!("match {}", clause.example)));
    }
    for clause in SETS {
        let (read, key) = (clause.read, clause.key);
        let command = entry_command(
            access,
            format!("set {}", clause.syntax),
            clause.help,
            "Set values of the route",
            move |entry, e| {
                if e.negated {
                    entry.drop_set(key);
                } else {
                    entry.add_set(read(e.args)?);
                }
                Ok(())
            },
        );
        registry.command(command.no(undone(SETS, clause)).example(format!("set {}", clause.example)));
    }
    flow(registry, access);
    registry.renderer(order::ROUTE_MAP, move |c, lines| render((access.get)(c), lines));
}

/// What may be left out of a clause's `no`: all but its key, where the key is this clause's alone.
fn undone<T>(all: &[Clause<T>], clause: &Clause<T>) -> Negation {
    let alone = all.iter().filter(|other| other.key == clause.key).count() == 1;
    let key = clause.key.split(' ').count();
    // The grammar's first word is in front of the key.
    if alone && clause.syntax.starts_with(clause.key) { Negation::After(key + 1) } else { Negation::Derived }
}

/// The entry whose node we are in; it was made by the line that entered the node.
fn entry_of<'a>(policy: &'a mut PolicyConfig, context: &Context) -> Result<&'a mut Entry, CliError> {
    let missing = || CliError::refused("not inside a route-map");
    let args = context.args(&ROUTE_MAP).ok_or_else(missing)?;
    let name: String = args.parse("name")?;
    let seq: u16 = args.parse("seq")?;
    let action: Action = args.parse("action")?;
    Ok(edit(&mut policy.route_maps, &name).entries.entry(seq).or_insert_with(|| Entry::new(action)))
}

fn entry_command<C: 'static>(
    access: Access<C>,
    syntax: String,
    help: &[&'static str],
    first: &'static str,
    change: impl Fn(&mut Entry, &Edit<'_>) -> Result<(), CliError> + Send + Sync + 'static,
) -> ConfigCommand<C> {
    let help: Vec<&'static str> = std::iter::once(first).chain(help.iter().copied()).collect();
    ConfigCommand::new(&[&ROUTE_MAP], syntax, &help, move |c, e: &Edit<'_>| {
        change(entry_of((access.get_mut)(c), e.context)?, e)
    })
}

fn header<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG, &ROUTE_MAP],
            "route-map RMAP_NAME$name <deny|permit>$action (1-65535)$seq",
            &[
                "Route map",
                "Name of the map",
                "The entry denies what it matches",
                "The entry permits what it matches",
                "Sequence number of the entry",
            ],
            move |c, e: &Edit<'_>| {
                let name: String = e.args.parse("name")?;
                let maps = &mut (access.get_mut)(c).route_maps;
                if !e.negated {
                    let (seq, action): (u16, Action) = (e.args.parse("seq")?, e.args.parse("action")?);
                    edit(maps, &name).entries.entry(seq).or_insert_with(|| Entry::new(action)).action =
                        action;
                    return Ok(());
                }
                // What is not there need not be removed.
                if !maps.contains_key(&name) {
                    return Ok(());
                }
                match e.args.parse_opt::<u16>("seq")? {
                    None => {
                        maps.remove(&name);
                    }
                    Some(seq) => {
                        let map = edit(maps, &name);
                        map.entries.remove(&seq);
                        if map.entries.is_empty() {
                            maps.remove(&name);
                        }
                    }
                }
                Ok(())
            },
        )
        .no(Negation::Syntax("no route-map RMAP_NAME$name [<deny|permit>$action (1-65535)$seq]"))
        .enters(&ROUTE_MAP)
        .example("route-map R permit 10"),
    );
}

fn optimization<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "route-map RMAP_NAME$name optimization",
            &["Route map", "Name of the map", "Compile the map (always done)"],
            move |c, e: &Edit<'_>| {
                let name: String = e.args.parse("name")?;
                let maps = &mut (access.get_mut)(c).route_maps;
                if maps.contains_key(&name) {
                    edit(maps, &name).no_optimization = e.negated;
                }
                Ok(())
            },
        )
        .no(Negation::Syntax("no route-map RMAP_NAME$name optimization")),
    );
}

/// What is neither match nor set.
fn flow<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    let mut add = |syntax: &str,
                   help: &[&'static str],
                   no: Negation,
                   example: Option<&str>,
                   change: fn(&mut Entry, &Edit<'_>) -> Result<(), CliError>| {
        let command = ConfigCommand::new(&[&ROUTE_MAP], syntax, help, move |c, e: &Edit<'_>| {
            change(entry_of((access.get_mut)(c), e.context)?, e)
        })
        .no(no);
        registry.command(match example {
            Some(example) => command.example(example),
            None => command,
        });
    };
    add(
        "description LINE$text...",
        &["A note on the entry", "The note"],
        Negation::Syntax("no description [LINE...]"),
        Some("description what it is for"),
        |entry, e| {
            entry.description = e.args.get("text").filter(|_| !e.negated).map(str::to_owned);
            Ok(())
        },
    );
    add(
        "call WORD$name",
        &["Apply another map and go on if it permits", "Name of the map"],
        Negation::Derived,
        Some("call OTHER"),
        |entry, e| {
            entry.call = e.args.get("name").filter(|_| !e.negated).map(str::to_owned);
            Ok(())
        },
    );
    add(
        "on-match next",
        &["What follows a match", "The next entry"],
        Negation::Derived,
        Some("on-match next"),
        |entry, e| {
            entry.exit = if e.negated { Exit::Done } else { Exit::Next };
            Ok(())
        },
    );
    add(
        "on-match goto (1-65535)$seq",
        &["What follows a match", "A later entry", "Sequence number"],
        Negation::Derived,
        Some("on-match goto 20"),
        go_to,
    );
    add(
        "continue (1-65535)$seq",
        &["After a match, go on at a later entry", "Sequence number"],
        Negation::Derived,
        None,
        go_to,
    );
    add("continue", &["After a match, go on at the next entry"], Negation::Never, None, |entry, _| {
        entry.exit = Exit::Next;
        Ok(())
    });
}

fn go_to(entry: &mut Entry, e: &Edit<'_>) -> Result<(), CliError> {
    if e.negated {
        entry.exit = Exit::Done;
        return Ok(());
    }
    let seq: u16 = e.args.parse("seq")?;
    let here: u16 = e.context.args(&ROUTE_MAP).map_or(Ok(0), |args| args.parse("seq"))?;
    if seq <= here {
        return Err(CliError::refused("can't jump backwards in a route-map"));
    }
    entry.exit = Exit::Goto(seq);
    Ok(())
}

fn render(policy: &PolicyConfig, lines: &mut Lines) {
    for (name, map) in &policy.route_maps {
        for (seq, entry) in &map.entries {
            lines.section(format!("route-map {name} {} {seq}", entry.action), &ROUTE_MAP, |lines| {
                for line in entry.lines() {
                    lines.line(line);
                }
            });
        }
        if map.no_optimization {
            lines.line(format!("no route-map {name} optimization"));
        }
    }
}
