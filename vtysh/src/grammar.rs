//! The grammars of all running daemons as one, with the shell's own commands among them.

use std::collections::HashMap;

use ferrite_cli::{Candidate, CliError, CommandId, Graph, Match, SyntaxError, Word};
use ferrite_rpc::vty::{Description, NodeInfo};

use crate::builtin::{self, Builtin};

/// Number of a daemon in the shell's list.
pub type DaemonIndex = usize;

/// A command and who knows it.
#[derive(Debug, Clone)]
pub struct Command {
    pub syntax: String,
    pub nodes: Vec<String>,
    pub enters: Option<String>,
    pub hidden: bool,
    pub refused: bool,
    pub daemons: Vec<DaemonIndex>,
    pub builtin: Option<Builtin>,
}

#[derive(Debug, Default)]
pub struct Grammar {
    nodes: HashMap<String, NodeInfo>,
    graphs: HashMap<String, Graph>,
    commands: Vec<Command>,
}

/// What a line is.
#[derive(Debug, Clone)]
pub struct Found {
    pub args: ferrite_cli::Args,
    pub builtin: Option<Builtin>,
    pub daemons: Vec<DaemonIndex>,
    pub enters: Option<String>,
    /// Every daemon that knows it refuses it by name.
    pub refused: bool,
}

impl Grammar {
    /// Joins the descriptions, in the order of the shell's list, and adds the shell's own commands.
    pub fn new<'a>(daemons: impl IntoIterator<Item = (DaemonIndex, &'a Description)>) -> Self {
        let mut grammar = Grammar::default();
        for (name, prompt) in [("view", ""), ("enable", ""), ("config", "config")] {
            let parent = if name == "config" { "enable" } else { "" };
            let node = NodeInfo {
                name: name.into(),
                prompt: prompt.into(),
                parent: parent.into(),
                exit: "exit".into(),
            };
            grammar.nodes.insert(name.to_owned(), node);
        }
        for builtin in builtin::ALL {
            let nodes: Vec<String> = builtin.nodes.iter().map(|&name| name.to_owned()).collect();
            grammar.add(
                builtin.help,
                Command {
                    syntax: builtin.syntax.to_owned(),
                    nodes,
                    enters: None,
                    hidden: false,
                    refused: false,
                    daemons: vec![],
                    builtin: Some(builtin.what),
                },
            );
        }
        for (index, description) in daemons {
            for node in &description.nodes {
                grammar.nodes.entry(node.name.clone()).or_insert_with(|| node.clone());
            }
            for command in &description.commands {
                let help: Vec<&str> = command.help.iter().map(String::as_str).collect();
                let enters = Some(command.enters.clone()).filter(|name| !name.is_empty());
                grammar.add(
                    &help,
                    Command {
                        syntax: command.syntax.clone(),
                        nodes: command.nodes.clone(),
                        enters,
                        hidden: command.hidden,
                        refused: command.refused,
                        daemons: vec![index],
                        builtin: None,
                    },
                );
            }
        }
        grammar
    }

    fn add(&mut self, help: &[&str], command: Command) {
        let id = CommandId(self.commands.len() as u32);
        for node in &command.nodes {
            let graph = self.graphs.entry(node.clone()).or_default();
            // A grammar that this shell cannot read is the daemon's of a later version: its other commands still work.
            if let Ok(Some(known)) = graph.insert(&command.syntax, help, id, command.hidden)
                && let Some(known) = self.commands.get_mut(known.0 as usize)
            {
                known.daemons.extend(command.daemons.iter().filter(|_| known.builtin.is_none()));
                known.daemons.dedup();
                known.refused &= command.refused;
            }
        }
        self.commands.push(command);
    }

    pub fn node(&self, name: &str) -> Option<&NodeInfo> {
        self.nodes.get(name)
    }

    /// The command that these words are in a node.
    pub fn find(&self, node: &str, words: &[Word<'_>]) -> Result<Found, SyntaxError> {
        let refused = |kind| SyntaxError {
            kind,
            column: words.first().map_or(0, |word| word.column),
            expected: vec![],
        };
        let graph = self.graphs.get(node).ok_or_else(|| refused(CliError::Unknown))?;
        let Match { args, commands } = graph.find(words)?;
        let commands: Vec<&Command> =
            commands.iter().filter_map(|id| self.commands.get(id.0 as usize)).collect();
        if let Some(builtin) = commands.iter().find_map(|command| command.builtin) {
            return Ok(Found { args, builtin: Some(builtin), daemons: vec![], enters: None, refused: false });
        }
        // Two daemons may spell the same line differently; within one daemon that is ambiguous.
        let mut daemons: Vec<DaemonIndex> =
            commands.iter().flat_map(|command| command.daemons.clone()).collect();
        let count = daemons.len();
        daemons.sort_unstable();
        daemons.dedup();
        if daemons.len() < count {
            return Err(refused(CliError::Ambiguous));
        }
        let enters = commands.iter().find_map(|command| command.enters.clone());
        let refused = commands.iter().all(|command| command.refused);
        Ok(Found { args, builtin: None, daemons, enters, refused })
    }

    /// What may stand in place of the last word of an unfinished line.
    pub fn candidates(&self, node: &str, line: &str) -> Vec<Candidate> {
        let (head, last) = ferrite_cli::split_last(line);
        self.graphs.get(node).map_or_else(Vec::new, |graph| graph.candidates(&ferrite_cli::words(head), last))
    }

    /// The commands of a node that help offers, sorted.
    pub fn list(&self, node: &str) -> Vec<&str> {
        let here = self.commands.iter().filter(|c| !c.hidden && c.nodes.iter().any(|name| name == node));
        let mut list: Vec<&str> = here.map(|command| command.syntax.as_str()).collect();
        list.sort_unstable();
        list.dedup();
        list
    }

    /// Every command with its nodes, for `find`.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = self.commands.iter().filter(|command| !command.hidden);
        shown.flat_map(|command| command.nodes.iter().map(|node| (node.as_str(), command.syntax.as_str())))
    }
}
