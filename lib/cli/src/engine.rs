//! One engine for every daemon: takes lines, edits configurations, keeps the earlier ones.
//!
//! In: a context (the lines that entered the node), a line. Out: a handler to call with its arguments, or a new
//! configuration for the daemon to compare with the old one. The engine prints nothing and does no IO.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::args::Args;
use crate::common::CommonExec;
use crate::error::{CliError, SyntaxError};
use crate::graph::{Candidate, Match};
use crate::lines::{self, Item};
use crate::node::{CONFIG, Context, ENABLE, Frame, Node};
use crate::refused;
use crate::registry::{Action, Edit, Registry};
use crate::token::{self, Word};

/// How many earlier configurations are kept for rollback.
const HISTORY: usize = 10;

/// A line of a configuration text and its number there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedLine {
    pub number: u32,
    pub text: String,
}

/// Why a configuration text was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    pub line: u32,
    /// Counted from 1.
    pub column: usize,
    pub text: String,
    pub kind: CliError,
    pub expected: Vec<String>,
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.kind, self.text.trim())?;
        if self.kind == CliError::Unknown || self.kind == CliError::Incomplete {
            write!(f, "\n  column {}", self.column)?;
            if !self.expected.is_empty() {
                write!(f, ", expected {}", expected_text(&self.expected))?;
            }
        }
        Ok(())
    }
}

/// Tells the lines of a file that are not read because the block they stand in is not: those further in than a header that is
/// unknown or not supported, and the word that closes its block.
#[derive(Debug, Default)]
pub struct Cascade {
    /// Indentation of the header.
    outer: Option<usize>,
}

impl Cascade {
    /// Takes the next line; whether it is to be left out.
    pub fn leaves_out(&mut self, line: &str) -> bool {
        let Some(outer) = self.outer else { return false };
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if text.is_empty() || text.starts_with(['!', '#']) || indent > outer {
            return true;
        }
        self.outer = None;
        indent == outer && text.starts_with("exit") && outer > 0
    }

    /// This line is not understood, so a block that it opens is not read.
    pub fn begin(&mut self, line: &str) {
        self.outer = Some(line.len() - line.trim_start().len());
    }
}

/// A list of tokens for a message, cut where it gets long.
pub fn expected_text(expected: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = expected.get(..SHOWN.min(expected.len())).unwrap_or_default().join(", ");
    if expected.len() > SHOWN { format!("{shown}, ...") } else { shown }
}

/// What a line outside or inside configuration asks for.
#[derive(Debug)]
pub enum Outcome<C, H> {
    /// Empty or a comment.
    Nothing,
    /// Call the handler.
    Exec { handler: H, args: Args, context: Context },
    /// A command that every daemon has.
    Common { what: CommonExec, args: Args },
    /// The configuration is now [`Engine::running`]; this is what it was. `entered` when the line opened a node.
    Configured { before: Arc<C>, entered: Option<&'static Node> },
}

/// What one line did to a configuration being edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    Edited,
    /// A node was entered or left; the context has changed.
    Moved,
}

/// The commands of a daemon and its configurations, present and past.
pub struct Engine<C, H> {
    registry: Arc<Registry<C, H>>,
    running: Arc<C>,
    /// Earlier configurations, the latest first.
    history: VecDeque<Arc<C>>,
    /// The last change was a single line: further lines belong to the same step of the history.
    line_by_line: bool,
}

impl<C, H> Engine<C, H>
where
    C: Clone + PartialEq + Default + 'static,
    H: Clone,
{
    pub fn new(registry: Registry<C, H>) -> Self {
        Self {
            registry: Arc::new(registry),
            running: Arc::default(),
            history: VecDeque::new(),
            line_by_line: false,
        }
    }

    pub fn registry(&self) -> &Registry<C, H> {
        &self.registry
    }

    /// For reading lines while the engine is busy with a configuration.
    pub fn shared_registry(&self) -> Arc<Registry<C, H>> {
        self.registry.clone()
    }

    pub fn running(&self) -> &Arc<C> {
        &self.running
    }

    /// Makes `config` the running one, as a step of the history even if nothing changes: so all daemons that commit
    /// together count the same steps. Gives back the old one if anything changed.
    pub fn commit(&mut self, config: C) -> Option<Arc<C>> {
        self.line_by_line = false;
        self.remember();
        self.replace(config)
    }

    /// Makes `config`, changed by a single line, the running one. A series of lines is one step of the history.
    fn commit_line(&mut self, config: C) -> Option<Arc<C>> {
        if *self.running == config {
            return None;
        }
        if !std::mem::replace(&mut self.line_by_line, true) {
            self.remember();
        }
        self.replace(config)
    }

    fn remember(&mut self) {
        self.history.push_front(self.running.clone());
        self.history.truncate(HISTORY);
    }

    fn replace(&mut self, config: C) -> Option<Arc<C>> {
        let changed = *self.running != config;
        changed.then(|| std::mem::replace(&mut self.running, Arc::new(config)))
    }

    /// The configuration `back` commits ago; 1 is the one before the running one.
    pub fn earlier(&self, back: usize) -> Option<&Arc<C>> {
        self.history.get(back.checked_sub(1)?)
    }

    /// The context that these lines lead to, from `configure terminal` on.
    pub fn context<S: AsRef<str>>(&self, entering: &[S]) -> Result<Context, SyntaxError> {
        let mut context = Context::default();
        for line in entering {
            let words = token::words(line.as_ref());
            let found = self.find(context.node(), &words)?;
            match self.entered(&found) {
                Some(node) => context.frames.push(Frame { node, args: found.args }),
                None => return Err(SyntaxError { kind: CliError::Unknown, column: 0, expected: vec![] }),
            }
        }
        Ok(context)
    }

    /// A line outside configuration.
    pub fn exec(&self, node: &'static Node, line: &str) -> Result<Outcome<C, H>, SyntaxError> {
        self.registry.exec_line(node, line)
    }

    /// One line of configuration, on the running configuration.
    pub fn configure(&mut self, context: &mut Context, line: &str) -> Result<Outcome<C, H>, SyntaxError> {
        let mut config = C::clone(&self.running);
        let depth = context.frames.len();
        match self.edit(&mut config, context, line)? {
            Effect::Nothing => Ok(Outcome::Nothing),
            effect => {
                let before = self.running.clone();
                self.commit_line(config);
                let entered = effect == Effect::Moved && context.frames.len() > depth;
                Ok(Outcome::Configured { before, entered: entered.then(|| context.node()) })
            }
        }
    }

    /// One line of configuration, on any configuration, in the current node only.
    pub fn edit(&self, config: &mut C, context: &mut Context, line: &str) -> Result<Effect, SyntaxError> {
        let words = token::words(line);
        let Some(first) = words.first() else { return Ok(Effect::Nothing) };
        if words.len() == 1 && leave(context, first.text) {
            return Ok(Effect::Moved);
        }
        let found = self.find(context.node(), &words)?;
        self.apply(config, context, found, first.column)
    }

    /// A whole configuration text: in a node that does not know a line its parents are asked, as in FRR's files. All
    /// errors are found, not only the first.
    pub fn load(&self, base: C, lines: &[NumberedLine]) -> Result<C, Vec<FileError>> {
        let mut config = base;
        let mut context = Context::default();
        let mut errors = Vec::new();
        let mut cascade = Cascade::default();
        for NumberedLine { number, text } in lines {
            if cascade.leaves_out(text) {
                continue;
            }
            if let Err(SyntaxError { kind, column, expected }) =
                self.load_line(&mut config, &mut context, text)
            {
                cascade.begin(text);
                errors.push(FileError {
                    line: *number,
                    column: column + 1,
                    text: text.clone(),
                    kind,
                    expected,
                });
            }
        }
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }

    fn load_line(&self, config: &mut C, context: &mut Context, line: &str) -> Result<(), SyntaxError> {
        let words = token::words(line);
        let Some(first) = words.first() else { return Ok(()) };
        if words.len() == 1 && (first.text == "end" || leave(context, first.text)) {
            if first.text == "end" {
                context.frames.clear();
            }
            return Ok(());
        }
        let mut error = match self.find(context.node(), &words) {
            Ok(found) => return self.apply(config, context, found, first.column).map(|_| ()),
            Err(error) => error,
        };
        for depth in (0..context.frames.len()).rev() {
            let node = depth.checked_sub(1).and_then(|at| context.frames.get(at)).map_or(&CONFIG, |f| f.node);
            match self.find(node, &words) {
                Ok(found) => {
                    context.frames.truncate(depth);
                    return self.apply(config, context, found, first.column).map(|_| ());
                }
                // The node that understood more of the line knows better what is wrong.
                Err(other) if other.column > error.column => error = other,
                Err(_) => {}
            }
        }
        Err(error)
    }

    fn apply(
        &self,
        config: &mut C,
        context: &mut Context,
        found: Match,
        column: usize,
    ) -> Result<Effect, SyntaxError> {
        let refuse = |kind| SyntaxError { kind, column, expected: vec![] };
        let Some(entry) = self.entry_of(&found) else { return Err(refuse(CliError::Unknown)) };
        let (edit, negated) = match entry.action {
            Action::Edit { edit, negated } => (edit, negated),
            Action::Refused => return Err(refuse(refused::said(&found.args.line()))),
            Action::Nothing => return Ok(Effect::Nothing),
            Action::Exec(_) | Action::Common(_) => return Err(refuse(CliError::Unknown)),
        };
        let Some(edit) = self.registry.edits.get(edit) else { return Err(refuse(CliError::Unknown)) };
        edit(config, &Edit { context, args: &found.args, negated }).map_err(refuse)?;
        match entry.enters {
            Some(node) if !negated => {
                context.frames.push(Frame { node, args: found.args });
                Ok(Effect::Moved)
            }
            _ => Ok(Effect::Edited),
        }
    }

    /// What may stand at the end of an unfinished line, in any node.
    pub fn help(&self, node: &Node, line: &str) -> Vec<Candidate> {
        let (head, last) = split_last(line);
        self.registry.graph(node).map_or_else(Vec::new, |graph| graph.candidates(&token::words(head), last))
    }

    /// The running configuration as a tree.
    pub fn running_items(&self) -> Vec<Item> {
        self.registry.render(&self.running)
    }

    pub fn render_text(&self, config: &C) -> String {
        lines::print(&self.registry.render(config))
    }

    fn find(&self, node: &Node, words: &[Word<'_>]) -> Result<Match, SyntaxError> {
        self.registry.find(node, words)
    }

    fn entry_of(&self, found: &Match) -> Option<&crate::registry::Entry<H>> {
        self.registry.entry_of(found)
    }

    fn entered(&self, found: &Match) -> Option<&'static Node> {
        self.entry_of(found).and_then(|entry| entry.enters)
    }
}

impl<C: 'static, H: Clone> Registry<C, H> {
    /// What a line outside configuration asks for.
    pub fn exec_line(&self, node: &'static Node, line: &str) -> Result<Outcome<C, H>, SyntaxError> {
        let words = token::words(line);
        if words.is_empty() {
            return Ok(Outcome::Nothing);
        }
        let found = self.find(node, &words)?;
        match self.entry_of(&found).map(|entry| &entry.action) {
            Some(Action::Exec(handler)) => {
                Ok(Outcome::Exec { handler: handler.clone(), args: found.args, context: Context::default() })
            }
            Some(Action::Common(what)) => Ok(Outcome::Common { what: *what, args: found.args }),
            Some(Action::Refused) => {
                Err(SyntaxError { kind: refused::said(&found.args.line()), column: 0, expected: vec![] })
            }
            Some(Action::Nothing) => Ok(Outcome::Nothing),
            _ => Err(SyntaxError { kind: CliError::Unknown, column: 0, expected: vec![] }),
        }
    }

    fn find(&self, node: &Node, words: &[Word<'_>]) -> Result<Match, SyntaxError> {
        let unknown = SyntaxError { kind: CliError::Unknown, column: 0, expected: vec![] };
        let found = self.graph(node).ok_or(unknown)?.find(words)?;
        if found.commands.len() > 1 {
            let column = words.first().map_or(0, |word| word.column);
            return Err(SyntaxError { kind: CliError::Ambiguous, column, expected: vec![] });
        }
        Ok(found)
    }

    fn entry_of(&self, found: &Match) -> Option<&crate::registry::Entry<H>> {
        found.commands.first().and_then(|&id| self.entry(id))
    }
}

/// `exit`, `quit` and the node's own closing word leave the innermost node. At the top there is nothing to leave, and
/// the word is not ours.
fn leave(context: &mut Context, word: &str) -> bool {
    let leaves = matches!(word, "exit" | "quit") || word == context.node().exit;
    leaves && context.frames.pop().is_some()
}

/// The unfinished last word of a line and what stands before it.
pub fn split_last(line: &str) -> (&str, &str) {
    match line.rfind(|c: char| c.is_ascii_whitespace()) {
        Some(at) => line.split_at(at + 1),
        None => ("", line),
    }
}

/// Whether a line of that node is outside configuration.
pub fn outside_configuration(node: &Node) -> bool {
    *node == ENABLE || node.prompt.is_empty()
}
