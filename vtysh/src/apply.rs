//! Configuration texts: `-f`, `-b`, `-C`, `--reload`, `copy FILE running-config`.
//!
//! The text is cut into the lines of each daemon by the merged grammar; every daemon checks its part; only when all agree
//! is anything applied, by all of them.

use std::io::Read;
use std::path::Path;

use ferrite_cli::{Cascade, CliError, SyntaxError, expected_text, said_of_refused, words};
use ferrite_rpc::vty::{ConfigChange, ConfigLine, LineError, Prepared, VtyError};

use crate::session::{Level, Session};

/// Exit status of a configuration with a mistake, FRR's.
const REFUSED: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The lines are added to what runs.
    Merge,
    /// What runs becomes exactly the text.
    Replace,
    /// The text is checked as a whole configuration; nothing is applied.
    Check,
    /// As `Replace`, but what would change is printed and nothing is applied.
    Test,
}

/// Applies a file (`-` is the standard input). The result is an exit status.
pub fn file(session: &mut Session, file: &Path, mode: Mode, quiet_if_missing: bool) -> u8 {
    match read(file) {
        Ok(text) => apply(session, &file.display().to_string(), &text, mode),
        Err(Unreadable::Missing(_)) if quiet_if_missing => 0,
        Err(error) => error.tell(file),
    }
}

/// `-m`: prints the lines of a file with every node closed where the file leaves it open, as frr-reload.py wants it.
pub fn mark(session: &mut Session, file: &Path) -> u8 {
    let text = match read(file) {
        Ok(text) => text,
        Err(error) => return error.tell(file),
    };
    let mut splitter = Splitter::new(session);
    let mut out = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        if words(line).is_empty() {
            continue;
        }
        let depth = splitter.levels.len();
        let entered = splitter.line(number, line);
        let stays = depth - splitter.levels.len().saturating_sub(usize::from(entered)).min(depth);
        // The words that close nodes are in the file already.
        if entered || !splitter.moved {
            out.push_str(&"exit\n".repeat(stays));
        }
        out.push_str(line);
        out.push('\n');
    }
    if !splitter.levels.is_empty() {
        out.push_str("end\n");
    }
    for error in &splitter.errors {
        eprintln!("line {}: {}: {}", error.line, error.message, error.text);
    }
    print!("{out}");
    if splitter.errors.is_empty() { 0 } else { REFUSED }
}

/// Why a file is not read.
enum Unreadable {
    Missing(std::io::Error),
    Failed(std::io::Error),
    NotText { line: usize },
}

impl Unreadable {
    fn tell(&self, file: &Path) -> u8 {
        match self {
            Unreadable::Missing(error) | Unreadable::Failed(error) => {
                println!("% Can't open configuration file {} due to '{error}'.", file.display());
                1
            }
            Unreadable::NotText { line } => {
                println!("{}: line {line}: % Not UTF-8 text", file.display());
                REFUSED
            }
        }
    }
}

fn read(file: &Path) -> Result<String, Unreadable> {
    let text = if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(file)
    };
    let text = text.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Unreadable::Missing(error),
        _ => Unreadable::Failed(error),
    })?;
    String::from_utf8(text).map_err(|error| {
        let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        Unreadable::NotText { line: valid.filter(|&&octet| octet == b'\n').count() + 1 }
    })
}

fn apply(session: &mut Session, name: &str, text: &str, mode: Mode) -> u8 {
    session.refresh();
    let parts = match split(session, text) {
        Ok(parts) => parts,
        Err(errors) => return refuse(session, name, errors),
    };
    let replace = mode != Mode::Merge;
    let mut prepared: Vec<(usize, Prepared)> = Vec::new();
    let mut errors: Vec<LineError> = Vec::new();
    let mut failed = false;
    for (index, answer) in prepare_all(session, parts, replace) {
        match answer {
            Ok(Ok(ready)) => prepared.push((index, ready)),
            Ok(Err(refused)) => errors.extend(refused),
            Err(error) => {
                println!("% {}: {error}", session.daemons.list.get(index).map_or("", |daemon| &daemon.name));
                failed = true;
            }
        }
    }
    if !errors.is_empty() || failed {
        abort(session, &prepared);
        return if failed && errors.is_empty() { 1 } else { refuse(session, name, errors) };
    }
    match mode {
        Mode::Check => abort(session, &prepared),
        Mode::Test => {
            tell_changes(session, &prepared);
            abort(session, &prepared);
        }
        // Nothing to do is no step of the history.
        Mode::Merge | Mode::Replace if prepared.iter().all(|(_, ready)| ready.changes.is_empty()) => {
            abort(session, &prepared);
        }
        Mode::Merge | Mode::Replace => return commit(session, prepared),
    }
    0
}

/// What a daemon says to its part.
type Answer = Result<Result<Prepared, Vec<LineError>>, VtyError>;

/// Every daemon checks its part, all at the same time. Daemons without a line of it are asked too: so that they all count
/// the same commits.
fn prepare_all(session: &Session, parts: Parts, replace: bool) -> Vec<(usize, Answer)> {
    session.runtime.block_on(async {
        let mut asked = Vec::new();
        for (index, (daemon, lines)) in session.daemons.list.iter().zip(parts).enumerate() {
            let mut client = daemon.client.clone();
            asked.push((index, tokio::spawn(async move { client.prepare(replace, lines).await })));
        }
        let mut answers = Vec::new();
        for (index, task) in asked {
            // A task that ends without an answer is a refusal: nothing may be applied then.
            answers.push((
                index,
                task.await.unwrap_or_else(|error| Ok(Err(vec![unanswered(&error.to_string())]))),
            ));
        }
        answers
    })
}

fn unanswered(reason: &str) -> LineError {
    LineError { message: format!("% The check did not end: {reason}"), ..LineError::default() }
}

fn commit(session: &mut Session, prepared: Vec<(usize, Prepared)>) -> u8 {
    let mut committed: Vec<usize> = Vec::new();
    for (index, ready) in prepared {
        let Some(daemon) = session.daemons.list.get_mut(index) else { continue };
        match session.runtime.block_on(daemon.client.commit(ready.token)) {
            Ok(true) => committed.push(index),
            Ok(false) => {}
            Err(error) => {
                println!("% {}: {error}", daemon.name);
                take_back(session, &committed);
                return 1;
            }
        }
    }
    0
}

/// One daemon could not commit what it had agreed to: the others go back.
fn take_back(session: &mut Session, committed: &[usize]) {
    for &index in committed {
        let Some(daemon) = session.daemons.list.get_mut(index) else { continue };
        match session.runtime.block_on(daemon.client.rollback(1)) {
            Ok(_) => println!("{}: rolled back", daemon.name),
            Err(error) => println!("% {}: not rolled back: {error}", daemon.name),
        }
    }
}

fn abort(session: &mut Session, prepared: &[(usize, Prepared)]) {
    for (index, ready) in prepared {
        if let Some(daemon) = session.daemons.list.get_mut(*index) {
            // A daemon that is gone has forgotten it already.
            let _ = session.runtime.block_on(daemon.client.abort(ready.token));
        }
    }
}

/// Prints what is wrong, each line once, and which daemons are down, since the lines may be theirs.
fn refuse(session: &Session, name: &str, mut errors: Vec<LineError>) -> u8 {
    errors.sort_by_key(|error| (error.line, error.column));
    errors.dedup_by(|a, b| a.line == b.line && a.message == b.message);
    let unknown = errors.iter().any(|error| error.message == CliError::Unknown.to_string());
    for error in errors {
        println!("line {}: {}: {}", error.line, error.message, error.text);
        let expected = if error.expected.is_empty() {
            String::new()
        } else {
            format!(", expected {}", expected_text(&error.expected))
        };
        println!("  {name}:{}:{}{expected}", error.line, error.column);
    }
    for (daemon, reason) in session.daemons.silent.iter().filter(|_| unknown) {
        println!("% {daemon} {reason}");
    }
    println!("% Nothing was applied");
    REFUSED
}

fn tell_changes(session: &Session, prepared: &[(usize, Prepared)]) {
    let mut told: Vec<&ConfigChange> = Vec::new();
    // The block that the last line stood in, or opened.
    let mut open: Vec<&str> = Vec::new();
    for change in prepared.iter().flat_map(|(_, ready)| &ready.changes) {
        if told.contains(&change) {
            continue;
        }
        told.push(change);
        for (depth, header) in change.context.iter().enumerate() {
            if open.get(depth) != Some(&header.as_str()) {
                println!("  {}{header}", " ".repeat(depth));
                open.truncate(depth);
                open.push(header);
            }
        }
        open.truncate(change.context.len());
        open.push(&change.line);
        let sign = if change.added { '+' } else { '-' };
        println!("{sign} {}{}", " ".repeat(change.context.len()), change.line);
    }
    if told.is_empty() {
        println!("Nothing would change.");
    }
    let more: u32 = prepared.iter().map(|(_, ready)| ready.more_changes).sum();
    if more > 0 {
        println!("... and {more} changes more");
    }
    for (index, ready) in prepared {
        let name = session.daemons.list.get(*index).map_or("", |daemon| &daemon.name);
        for reset in &ready.resets {
            println!("! {name}: {reset}");
        }
    }
}

/// The lines of each daemon, in the order of the shell's list.
type Parts = Vec<Vec<ConfigLine>>;

/// Cuts a text into the lines of each daemon.
fn split(session: &Session, text: &str) -> Result<Parts, Vec<LineError>> {
    let mut split = Splitter::new(session);
    for (number, line) in (1..).zip(text.lines()) {
        split.line(number, line);
    }
    if split.errors.is_empty() { Ok(split.parts) } else { Err(split.errors) }
}

/// Of two errors the one that understood more of the line.
pub fn further(known: Option<SyntaxError>, other: SyntaxError) -> SyntaxError {
    match known {
        Some(known) if known.column >= other.column => known,
        _ => other,
    }
}

struct Splitter<'a> {
    session: &'a Session,
    levels: Vec<Level>,
    parts: Parts,
    /// Where each daemon is, after the lines that it was given.
    inside: Vec<Vec<Level>>,
    errors: Vec<LineError>,
    cascade: Cascade,
    /// The last line only left nodes.
    moved: bool,
}

impl<'a> Splitter<'a> {
    fn new(session: &'a Session) -> Self {
        let daemons = session.daemons.list.len();
        Splitter {
            session,
            levels: Vec::new(),
            parts: vec![Vec::new(); daemons],
            inside: vec![Vec::new(); daemons],
            errors: Vec::new(),
            cascade: Cascade::default(),
            moved: false,
        }
    }

    /// Takes a line; whether it entered a node.
    fn line(&mut self, number: u32, line: &str) -> bool {
        let words = words(line);
        let Some(first) = words.first() else { return false };
        if self.cascade.leaves_out(line) {
            self.moved = false;
            return false;
        }
        self.moved = words.len() == 1 && self.moves(first.text);
        if self.moved {
            return false;
        }
        let mut error: Option<SyntaxError> = None;
        for depth in (0..=self.levels.len()).rev() {
            let node =
                depth.checked_sub(1).and_then(|at| self.levels.get(at)).map_or("config", |level| &level.node);
            match self.session.grammar.find(node, &words) {
                Ok(found) if found.builtin.is_some() => {
                    error =
                        Some(SyntaxError { kind: CliError::Unknown, column: first.column, expected: vec![] });
                }
                Ok(found) if found.refused => {
                    let kind = said_of_refused(&found.args.line());
                    error = Some(SyntaxError { kind, column: first.column, expected: vec![] });
                    break;
                }
                Ok(found) => {
                    self.levels.truncate(depth);
                    for &daemon in &found.daemons {
                        self.give(daemon, number, line);
                    }
                    let entered = found.enters.is_some();
                    if let Some(node) = found.enters {
                        let level = Level { node, line: found.args.line() };
                        self.levels.push(level.clone());
                        for &daemon in &found.daemons {
                            if let Some(inside) = self.inside.get_mut(daemon) {
                                inside.push(level.clone());
                            }
                        }
                    }
                    return entered;
                }
                Err(reason) => error = Some(further(error, reason)),
            }
        }
        if let Some(SyntaxError { kind, column, expected }) = error {
            self.cascade.begin(line);
            self.errors.push(LineError {
                line: number,
                column: column as u32 + 1,
                text: line.to_owned(),
                message: kind.to_string(),
                expected,
                ..LineError::default()
            });
        }
        false
    }

    fn moves(&mut self, word: &str) -> bool {
        if word == "end" {
            self.levels.clear();
            return true;
        }
        let node = self.levels.last().and_then(|level| self.session.grammar.node(&level.node));
        let leaves = matches!(word, "exit" | "quit") || node.is_some_and(|node| node.exit == word);
        leaves && (self.levels.pop().is_some() || word != "quit")
    }

    /// Appends a line to a daemon's part, after what leads it to where the line stands.
    fn give(&mut self, daemon: usize, number: u32, line: &str) {
        let (Some(part), Some(inside)) = (self.parts.get_mut(daemon), self.inside.get_mut(daemon)) else {
            return;
        };
        let common = inside.iter().zip(&self.levels).take_while(|(theirs, ours)| theirs == ours).count();
        while inside.len() > common {
            inside.pop();
            part.push(ConfigLine { number, text: "exit".to_owned() });
        }
        for level in self.levels.get(common..).unwrap_or_default() {
            part.push(ConfigLine { number, text: level.line.clone() });
            inside.push(level.clone());
        }
        part.push(ConfigLine { number, text: line.to_owned() });
    }
}
