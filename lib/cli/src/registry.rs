//! Where a daemon declares its commands.
//!
//! A [`Setting`] is one setting in one place: grammar, help, how it is set, unset and rendered, and examples that the
//! tests walk. Settings are mounted on a node together with the way from the daemon's whole configuration `C` to the
//! part `T` that they edit. [`ConfigCommand`] is the general form, for lines that enter a node or touch several parts.
//! [`ExecCommand`] carries a handler `H` (`show`, `clear`): the engine parses and hands handler and arguments back.

use crate::args::Args;
use crate::common::{CommonExec, DebugFlag};
use crate::error::CliError;
use crate::graph::{CommandId, Graph};
use crate::lines::Lines;
use crate::node::{CONFIG, Context, ENABLE, Node, VIEW};
use crate::syntax::{self, NotationError};

/// The `no` form of a configuration command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negation {
    /// `no`, then the command, where values at its end may be left out.
    Derived,
    /// `no`, then this many elements of the command; what follows may be left out.
    After(usize),
    /// A grammar of its own, beginning with `no`. Its help is that of the command, token by token, as far as it goes.
    Syntax(&'static str),
    /// There is none.
    Never,
}

/// One setting of a `T`.
pub struct Setting<T> {
    pub syntax: &'static str,
    /// A text per keyword and variable of `syntax`.
    pub help: &'static [&'static str],
    pub no: Negation,
    pub set: fn(&mut T, &Args) -> Result<(), CliError>,
    pub unset: fn(&mut T, &Args) -> Result<(), CliError>,
    /// Appends the lines that would recreate the setting; nothing while it is the default. The prefix that the settings
    /// are mounted under is put in front by [`Lines::with_prefix`].
    pub render: fn(&T, &mut Lines),
    /// Lines (without the mount's prefix) that render to themselves.
    pub examples: &'static [&'static str],
}

/// What an edit is given beside the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    pub context: &'a Context,
    pub args: &'a Args,
    /// The line was the `no` form.
    pub negated: bool,
}

pub(crate) type EditFn<C> = Box<dyn Fn(&mut C, &Edit<'_>) -> Result<(), CliError> + Send + Sync>;
type Renderer<C> = Box<dyn Fn(&C, &mut Lines) + Send + Sync>;

/// Words of a declaration that stand for others, each with what takes its place; they are put in one after the other.
pub type Words = &'static [(&'static str, &'static str)];

fn reworded(text: &str, words: Words) -> String {
    words.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A line of configuration in its general form.
pub struct ConfigCommand<C> {
    nodes: Vec<&'static Node>,
    syntax: String,
    help: Vec<&'static str>,
    words: Words,
    no: Negation,
    enters: Option<&'static Node>,
    hidden: bool,
    examples: Vec<String>,
    way: Option<String>,
    edit: EditFn<C>,
}

impl<C> ConfigCommand<C> {
    pub fn new(
        nodes: &[&'static Node],
        syntax: impl Into<String>,
        help: &[&'static str],
        edit: impl Fn(&mut C, &Edit<'_>) -> Result<(), CliError> + Send + Sync + 'static,
    ) -> Self {
        ConfigCommand {
            nodes: nodes.to_vec(),
            syntax: syntax.into(),
            help: help.to_vec(),
            words: &[],
            no: Negation::Derived,
            enters: None,
            hidden: false,
            examples: Vec::new(),
            way: None,
            edit: Box::new(edit),
        }
    }

    /// The line (not its `no`) enters a node. The edit must create what the node edits, if it is not there.
    pub fn enters(mut self, node: &'static Node) -> Self {
        self.enters = Some(node);
        self
    }

    pub fn no(mut self, no: Negation) -> Self {
        self.no = no;
        self
    }

    /// Says the line, its `no`, its help and its examples in other words, so that one definition serves lines that differ in
    /// these words and in what they edit.
    pub fn reworded(mut self, words: Words) -> Self {
        self.words = words;
        self
    }

    /// Accepted but not offered by help; deprecated spellings.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// A line that renders to itself. The first example of a command that enters a node is also what leads to the
    /// examples of that node.
    pub fn example(mut self, line: impl Into<String>) -> Self {
        self.examples.push(line.into());
        self
    }

    /// What leads to the examples of the node that is entered, where no example does because an empty block is not
    /// rendered.
    pub fn way(mut self, line: impl Into<String>) -> Self {
        self.way = Some(line.into());
        self
    }
}

/// A command outside configuration, carrying the daemon's handler.
pub struct ExecCommand<H> {
    nodes: Vec<&'static Node>,
    syntax: String,
    help: Vec<&'static str>,
    hidden: bool,
    handler: H,
}

impl<H> ExecCommand<H> {
    /// In both nodes outside configuration.
    pub fn new(syntax: impl Into<String>, help: &[&'static str], handler: H) -> Self {
        let nodes = vec![&VIEW, &ENABLE];
        ExecCommand { nodes, syntax: syntax.into(), help: help.to_vec(), hidden: false, handler }
    }

    /// Only after `enable`.
    pub fn privileged(mut self) -> Self {
        self.nodes = vec![&ENABLE];
        self
    }

    pub fn nodes(mut self, nodes: &[&'static Node]) -> Self {
        self.nodes = nodes.to_vec();
        self
    }

    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
}

pub(crate) enum Action<H> {
    Edit {
        edit: usize,
        negated: bool,
    },
    Exec(H),
    Common(CommonExec),
    /// Known by name, see [`crate::refused`].
    Refused,
    /// Asks for what is so anyway.
    Nothing,
}

/// A command as it was declared: what vtysh is told, and what is done.
pub(crate) struct Entry<H> {
    pub nodes: Vec<&'static Node>,
    pub syntax: String,
    pub help: Vec<String>,
    pub enters: Option<&'static Node>,
    pub hidden: bool,
    pub action: Action<H>,
}

/// A command as vtysh is told of it.
#[derive(Debug, Clone, Copy)]
pub struct CommandDescription<'a> {
    pub nodes: &'a [&'static Node],
    pub syntax: &'a str,
    pub help: &'a [String],
    pub enters: Option<&'static Node>,
    pub hidden: bool,
    /// Known by name and not supported.
    pub refused: bool,
}

/// A line that must render to itself, and the command it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub node: &'static Node,
    /// Lines of the same node that must stand before.
    pub before: Vec<String>,
    pub line: String,
    pub enters: Option<&'static Node>,
}

/// Where settings are mounted: a node, and what stands before each of them.
#[derive(Debug, Clone)]
pub struct Mount {
    node: &'static Node,
    prefix: &'static str,
    help: &'static [&'static str],
    example: &'static str,
    before: &'static [&'static str],
}

impl Mount {
    pub const fn at(node: &'static Node) -> Self {
        Mount { node, prefix: "", help: &[], example: "", before: &[] }
    }

    /// Grammar and help that stand before every setting: `neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor`.
    pub const fn prefix(mut self, prefix: &'static str, help: &'static [&'static str]) -> Self {
        self.prefix = prefix;
        self.help = help;
        self
    }

    /// What the prefix is in the settings' examples (`neighbor 10.0.0.1`), and lines of the same node that must stand
    /// before them (`neighbor 10.0.0.1 remote-as 65001`).
    pub const fn example(mut self, prefix: &'static str, before: &'static [&'static str]) -> Self {
        self.example = prefix;
        self.before = before;
        self
    }
}

/// All commands of a daemon.
pub struct Registry<C, H> {
    pub(crate) graphs: Vec<(&'static Node, Graph)>,
    pub(crate) entries: Vec<Entry<H>>,
    pub(crate) edits: Vec<EditFn<C>>,
    pub(crate) examples: Vec<Example>,
    /// How nodes are entered in examples: the node, the one it is entered from, the line.
    ways: Vec<(&'static Node, &'static Node, String)>,
    flags: Vec<&'static DebugFlag>,
    /// Faults of the declarations, for [`crate::check_registry`].
    pub(crate) faults: Vec<String>,
    renderers: Vec<(u16, Renderer<C>)>,
}

impl<C, H> Default for Registry<C, H> {
    fn default() -> Self {
        Self {
            graphs: Vec::new(),
            entries: Vec::new(),
            edits: Vec::new(),
            examples: Vec::new(),
            ways: Vec::new(),
            flags: Vec::new(),
            faults: Vec::new(),
            renderers: Vec::new(),
        }
    }
}

impl<C: 'static, H> Registry<C, H> {
    pub fn new() -> Self {
        Self::default()
    }

    /// Mounts settings on a node. `select` leads to the part of the configuration they edit, found by the context and
    /// the arguments of the prefix.
    pub fn mount<T: 'static>(
        &mut self,
        mount: Mount,
        settings: &'static [Setting<T>],
        select: impl for<'c> Fn(&'c mut C, &Context, &Args) -> Result<&'c mut T, CliError>
        + Send
        + Sync
        + Clone
        + 'static,
    ) {
        let Mount { node, prefix, help: prefix_help, example, before } = mount;
        for setting in settings {
            let syntax = format!("{prefix} {}", setting.syntax).trim_start().to_owned();
            let help: Vec<&'static str> = prefix_help.iter().chain(setting.help).copied().collect();
            let select = select.clone();
            let (set, unset) = (setting.set, setting.unset);
            let edit = self.edit(Box::new(move |config: &mut C, edit: &Edit<'_>| {
                let part = select(config, edit.context, edit.args)?;
                if edit.negated { unset(part, edit.args) } else { set(part, edit.args) }
            }));
            let no = setting.no;
            let declared = Declared {
                nodes: &[node],
                syntax: &syntax,
                help: &help,
                words: &[],
                no,
                prefix,
                hidden: false,
            };
            self.declare(&declared, edit, None);
            for text in setting.examples {
                let line = format!("{example} {text}").trim_start().to_owned();
                let before = before.iter().map(|&text| text.to_owned()).collect();
                self.examples.push(Example { node, before, line, enters: None });
            }
        }
    }

    /// Adds a line of configuration in its general form.
    pub fn command(&mut self, command: ConfigCommand<C>) {
        let ConfigCommand { nodes, syntax, help, words, no, enters, hidden, examples, way, edit } = command;
        let edit = self.edit(edit);
        let syntax = reworded(&syntax, words);
        let declared =
            Declared { nodes: &nodes, syntax: &syntax, help: &help, words, no, prefix: "", hidden };
        self.declare(&declared, edit, enters);
        if let Some(node) = nodes.first() {
            let example =
                |line: String| Example { node, before: vec![], line: reworded(&line, words), enters };
            if let (Some(line), Some(enters)) = (way, enters) {
                self.ways.push((enters, node, line));
            }
            self.examples.extend(examples.into_iter().map(example));
        }
    }

    /// Adds a command outside configuration.
    pub fn exec(&mut self, command: ExecCommand<H>) {
        let ExecCommand { nodes, syntax, help, hidden, handler } = command;
        self.add(Entry {
            nodes,
            syntax,
            help: help.iter().map(|&text| text.to_owned()).collect(),
            enters: None,
            hidden,
            action: Action::Exec(handler),
        });
    }

    /// What `debug` may switch on in this daemon.
    pub fn flags(&self) -> &[&'static DebugFlag] {
        &self.flags
    }

    pub(crate) fn add_flags(&mut self, flags: &'static [DebugFlag]) {
        self.flags.extend(flags);
    }

    /// Adds a command that every daemon has.
    pub(crate) fn common(&mut self, syntax: &str, help: &[&str], nodes: &[&'static Node], what: CommonExec) {
        let help = help.iter().map(|&text| text.to_owned()).collect();
        let action = Action::Common(what);
        let nodes = nodes.to_vec();
        self.add(Entry { nodes, syntax: syntax.to_owned(), help, enters: None, hidden: false, action });
    }

    /// Adds what renders a part of the configuration, at a place of [`crate::node::order`].
    pub fn renderer(&mut self, order: u16, render: impl Fn(&C, &mut Lines) + Send + Sync + 'static) {
        self.renderers.push((order, Box::new(render)));
        self.renderers.sort_by_key(|(order, _)| *order);
    }

    /// The whole configuration as a tree.
    pub fn render(&self, config: &C) -> Vec<crate::lines::Item> {
        let mut lines = Lines::new();
        for (order, render) in &self.renderers {
            lines.at(*order, |lines| render(config, lines));
        }
        lines.into_items()
    }

    /// The lines that lead to a node in examples.
    pub(crate) fn way_to(&self, node: &Node) -> Vec<String> {
        let mut way = Vec::new();
        let mut node = node;
        // Nodes are nested a few deep; a ring in their declaration must not hold us.
        for _ in 0..8 {
            if let Some((_, from, line)) = self.ways.iter().find(|(entered, ..)| *entered == node) {
                way.insert(0, line.clone());
                node = from;
                continue;
            }
            let Some(example) = self.examples.iter().find(|example| example.enters == Some(node)) else {
                break;
            };
            way.insert(0, example.line.clone());
            way.splice(0..0, example.before.iter().cloned());
            node = example.node;
        }
        way
    }

    pub(crate) fn graph(&self, node: &Node) -> Option<&Graph> {
        self.graphs.iter().find(|(known, _)| *known == node).map(|(_, graph)| graph)
    }

    pub(crate) fn entry(&self, id: CommandId) -> Option<&Entry<H>> {
        self.entries.get(id.0 as usize)
    }

    /// What vtysh is told: the nodes and the commands.
    pub fn describe(&self) -> (Vec<&'static Node>, impl Iterator<Item = CommandDescription<'_>>) {
        let mut nodes: Vec<&'static Node> = vec![&VIEW, &ENABLE, &CONFIG];
        let entered = self.entries.iter().filter_map(|entry| entry.enters);
        for node in self.entries.iter().flat_map(|entry| entry.nodes.iter().copied()).chain(entered) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        let commands = self.entries.iter().map(|entry| CommandDescription {
            nodes: &entry.nodes,
            syntax: &entry.syntax,
            help: &entry.help,
            enters: entry.enters,
            hidden: entry.hidden,
            refused: matches!(entry.action, Action::Refused),
        });
        (nodes, commands)
    }

    fn edit(&mut self, edit: EditFn<C>) -> usize {
        self.edits.push(edit);
        self.edits.len() - 1
    }

    /// Adds the command and its `no`.
    fn declare(&mut self, declared: &Declared<'_>, edit: usize, enters: Option<&'static Node>) {
        let help: Vec<String> = declared.help.iter().map(|text| reworded(text, declared.words)).collect();
        let entry = |syntax: String, help: Vec<String>, enters, negated| Entry {
            nodes: declared.nodes.to_vec(),
            syntax,
            help,
            enters,
            hidden: declared.hidden,
            action: Action::Edit { edit, negated },
        };
        self.add(entry(declared.syntax.to_owned(), help.clone(), enters, false));
        let no_syntax = match declared.no {
            Negation::Never => return,
            Negation::Syntax(text) if declared.prefix.is_empty() => reworded(text, declared.words),
            Negation::Syntax(text) => {
                format!("no {} {}", declared.prefix, text.strip_prefix("no ").unwrap_or(text))
            }
            Negation::After(keep) => match syntax::no_after(declared.syntax, keep) {
                Ok(text) => text,
                Err(error) => return self.faults.push(error.to_string()),
            },
            Negation::Derived => match syntax::derive_no(declared.syntax, declared.prefix) {
                Ok(text) => text,
                Err(error) => return self.faults.push(error.to_string()),
            },
        };
        let mut no_help = vec![syntax::NO_HELP.to_owned()];
        no_help.extend(help);
        if let Ok(parsed) = syntax::parse(&no_syntax, &[]) {
            no_help.resize(parsed.tokens, String::new());
        }
        self.add(entry(no_syntax, no_help, None, true));
    }

    pub(crate) fn add(&mut self, entry: Entry<H>) {
        let id = CommandId(self.entries.len() as u32);
        let help: Vec<&str> = entry.help.iter().map(String::as_str).collect();
        match syntax::parse(&entry.syntax, &help) {
            Ok(parsed) => {
                if parsed.tokens != help.len() {
                    let (tokens, texts) = (parsed.tokens, help.len());
                    self.faults.push(format!("{:?}: {tokens} tokens, {texts} help texts", entry.syntax));
                }
                for &node in &entry.nodes {
                    let graph = match self.graphs.iter().position(|(known, _)| *known == node) {
                        Some(at) => &mut self.graphs[at].1,
                        None => {
                            self.graphs.push((node, Graph::default()));
                            let last = self.graphs.len() - 1;
                            &mut self.graphs[last].1
                        }
                    };
                    if graph.add(&parsed.elements, id, entry.hidden).is_some() {
                        self.faults
                            .push(format!("{:?} is declared twice in node {}", entry.syntax, node.name));
                    }
                }
            }
            Err(NotationError { syntax, at, reason }) => {
                self.faults.push(format!("{syntax:?}: {reason} at {at}"));
            }
        }
        self.entries.push(entry);
    }
}

struct Declared<'a> {
    nodes: &'a [&'static Node],
    syntax: &'a str,
    help: &'a [&'static str],
    words: Words,
    no: Negation,
    prefix: &'a str,
    hidden: bool,
}
