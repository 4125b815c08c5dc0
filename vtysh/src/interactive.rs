//! The shell on a terminal: editing, history, completion, and help at every `?` without Enter.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ferrite_cli::{Candidate, split_last};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{BellStyle, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{
    Cmd, ConditionalEventHandler, Context, Editor, Event, EventContext, EventHandler, Helper, Highlighter,
    Hinter, KeyEvent, RepeatCount, Validator,
};

use crate::session::{Ended, Place, Session};

type Shared = Rc<RefCell<Session>>;

/// A key that ends the line being edited, with what it was pressed for.
#[derive(Clone, Default)]
struct Asked(Arc<Key>);

#[derive(Default)]
struct Key {
    pressed: AtomicBool,
    cursor: AtomicUsize,
    line: std::sync::Mutex<String>,
}

impl ConditionalEventHandler for Asked {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        self.0.pressed.store(true, Ordering::Relaxed);
        self.0.cursor.store(context.pos(), Ordering::Relaxed);
        if let Ok(mut line) = self.0.line.lock() {
            context.line().clone_into(&mut line);
        }
        Some(Cmd::AcceptLine)
    }
}

impl Asked {
    /// The line and the cursor if the key was pressed.
    fn take(&self) -> Option<(String, usize)> {
        let pressed = self.0.pressed.swap(false, Ordering::Relaxed);
        let line = self.0.line.lock().map(|line| line.clone()).unwrap_or_default();
        pressed.then(|| (line, self.0.cursor.load(Ordering::Relaxed)))
    }
}

#[derive(Helper, Hinter, Highlighter, Validator)]
struct Shell(Shared);

impl Completer for Shell {
    type Candidate = Pair;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let line = line.get(..cursor).unwrap_or(line);
        let (head, last) = split_last(line);
        let mut session = self.0.borrow_mut();
        let mut values: Vec<String> = Vec::new();
        for candidate in candidates(&session, line) {
            if candidate.variable {
                values.extend(
                    session.values_of(&candidate.text).into_iter().filter(|value| value.starts_with(last)),
                );
            } else if candidate.text != "<cr>" {
                values.push(candidate.text);
            }
        }
        values.sort_unstable();
        values.dedup();
        let pair = |value: String| Pair { replacement: format!("{value} "), display: value };
        Ok((head.len(), values.into_iter().map(pair).collect()))
    }
}

/// What may stand at the end of a line, with the words that work in every node.
fn candidates(session: &Session, line: &str) -> Vec<Candidate> {
    let configuring = matches!(session.place, Place::Config(_));
    if let Some(rest) = line.trim_start().strip_prefix("do ").filter(|_| configuring) {
        return session.grammar.candidates("enable", rest);
    }
    let mut found = session.grammar.candidates(session.place.node(), line);
    let (head, last) = split_last(line);
    if configuring && head.trim().is_empty() {
        let closing = session.grammar.node(session.place.node()).map_or("exit", |node| node.exit.as_str());
        let everywhere = [
            ("do", "Run a command of the enable node"),
            ("end", "End current mode and change to enable mode"),
            ("exit", "Exit current mode and down to previous mode"),
            ("find", "Find CLI command matching a regular expression"),
            ("list", "Print command list"),
            ("quit", "Exit current mode and down to previous mode"),
            (closing, "Exit current mode and down to previous mode"),
        ];
        for (text, help) in everywhere {
            if text.starts_with(last) && !found.iter().any(|known| known.text == text) {
                found.push(Candidate { text: text.to_owned(), help: help.to_owned(), variable: false });
            }
        }
        found.sort();
    }
    found
}

/// The answer to `?`, in FRR's form.
fn help(session: &mut Session, line: &str) -> String {
    let found = candidates(session, line);
    if found.is_empty() {
        return "% There is no matched command.\n".to_owned();
    }
    let width = found.iter().map(|candidate| candidate.text.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Candidate { text: token, help, variable } in found {
        text.push_str(&format!("  {token:width$}  {help}\n"));
        if variable {
            let values = session.values_of(&token);
            if !values.is_empty() {
                text.push_str(&format!("     {}\n", values.join(" ")));
            }
        }
    }
    text
}

fn history_file() -> Option<PathBuf> {
    let named = std::env::var_os("VTYSH_HISTFILE").map(PathBuf::from);
    named.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".history_frr")))
}

/// Ctrl-Z, and Ctrl-C as in FRR.
fn leave_configuration(session: &mut Session) {
    if let Place::Config(_) = session.place {
        session.place = Place::Enable;
    }
}

/// Reads and carries out lines until the user leaves.
pub fn run(session: Session, history: Option<PathBuf>) -> rustyline::Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .bell_style(BellStyle::None)
        .max_history_size(1000)?
        .history_ignore_dups(true)?
        .build();
    let shared: Shared = Rc::new(RefCell::new(session));
    let mut editor: Editor<Shell, DefaultHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Shell(shared.clone())));
    let (asked, ended) = (Asked::default(), Asked::default());
    editor.bind_sequence(KeyEvent::from('?'), EventHandler::Conditional(Box::new(asked.clone())));
    editor.bind_sequence(KeyEvent::ctrl('Z'), EventHandler::Conditional(Box::new(ended.clone())));
    let history = history.or_else(history_file);
    if let Some(file) = &history {
        // A first session has no history.
        let _ = editor.load_history(file);
    }
    let mut initial = (String::new(), String::new());
    'session: loop {
        let prompt = shared.borrow().prompt();
        let read = editor.readline_with_initial(&prompt, (&initial.0, &initial.1));
        initial = (String::new(), String::new());
        match read {
            Ok(line) => {
                let mut session = shared.borrow_mut();
                if let Some((line, cursor)) = asked.take() {
                    let (left, right) = line.split_at_checked(cursor).unwrap_or((&line, ""));
                    print!("{}", help(&mut session, left));
                    initial = (left.to_owned(), right.to_owned());
                    continue;
                }
                if ended.take().is_some() {
                    leave_configuration(&mut session);
                    continue;
                }
                // What is pasted may be many lines.
                for line in line.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    // A history that cannot grow is no reason to stop.
                    let _ = editor.add_history_entry(line);
                    session.history.push(line.to_owned());
                    if session.line(line) == Ended::Left {
                        break 'session;
                    }
                }
            }
            Err(ReadlineError::Interrupted) => leave_configuration(&mut shared.borrow_mut()),
            Err(ReadlineError::Eof) => {
                let mut session = shared.borrow_mut();
                match &mut session.place {
                    Place::Config(levels) => {
                        if levels.pop().is_none() {
                            session.place = Place::Enable;
                        }
                    }
                    _ => break,
                }
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(file) = &history {
        // A home directory that cannot be written must not keep anybody here.
        let _ = editor.save_history(file);
    }
    Ok(())
}
