//! One user's session: where it is in the shell, and how a line is carried out.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use ferrite_cli::{CliError, Item, SyntaxError, lines};
use ferrite_rpc::vty::{ConfigItem, ExecuteLine, ExecuteResult, Status, VtyError};
use tokio::runtime::Runtime;

use crate::builtin::Builtin;
use crate::daemons::Daemons;
use crate::grammar::{DaemonIndex, Found, Grammar};
use crate::pager::Sink;
use crate::{apply, merge, pipe, save};

/// How long a user who pressed a key waits for a daemon's suggestions.
const COMPLETION_PATIENCE: Duration = Duration::from_secs(1);

/// Where the session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    View,
    Enable,
    /// The nodes entered below `configure terminal`, outermost first.
    Config(Vec<Level>),
}

/// A node that was entered, and by which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    pub node: String,
    pub line: String,
}

impl Place {
    pub fn node(&self) -> &str {
        match self {
            Place::View => "view",
            Place::Enable => "enable",
            Place::Config(levels) => levels.last().map_or("config", |level| &level.node),
        }
    }
}

/// Takes the output of a daemon, piece by piece.
type Write<'a> = dyn FnMut(&[u8]) -> io::Result<()> + 'a;

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Ok,
    Failed,
    /// The session is over.
    Left,
}

pub struct Session {
    pub runtime: Runtime,
    pub daemons: Daemons,
    pub grammar: Grammar,
    pub place: Place,
    /// `/etc/frr`
    pub etc: PathBuf,
    /// The user may only look.
    pub view_only: bool,
    pub paginate: bool,
    pub history: Vec<String>,
    /// `service integrated-vtysh-config` of `vtysh.conf`.
    pub integrated: Option<bool>,
    /// `hostname` of `vtysh.conf`.
    pub hostname: Option<String>,
}

impl Session {
    pub fn new(runtime: Runtime, daemons: Daemons, etc: PathBuf) -> Self {
        let grammar = Grammar::default();
        let mut session = Self {
            runtime,
            daemons,
            grammar,
            place: Place::Enable,
            etc,
            view_only: false,
            paginate: std::env::var_os("VTYSH_PAGER").is_some(),
            history: Vec::new(),
            integrated: None,
            hostname: None,
        };
        session.refresh();
        session
    }

    /// Looks for daemons that came or went.
    pub fn refresh(&mut self) {
        if self.runtime.block_on(self.daemons.refresh()) {
            let described =
                self.daemons.list.iter().enumerate().map(|(at, daemon)| (at, &daemon.description));
            self.grammar = Grammar::new(described);
            // Named once: their commands are missing.
            for (name, reason) in &self.daemons.silent {
                eprintln!("% {name} {reason}");
            }
        }
    }

    pub fn prompt(&self) -> String {
        let mut names = self.daemons.list.iter().map(|daemon| &daemon.description.hostname);
        let host = names
            .find(|name| !name.is_empty())
            .cloned()
            .or_else(|| self.hostname.clone())
            .unwrap_or_else(system_name);
        match &self.place {
            Place::View => format!("{host}> "),
            Place::Enable => format!("{host}# "),
            Place::Config(_) => {
                let prompt = self.grammar.node(self.place.node()).map_or("config", |node| &node.prompt);
                format!("{host}({prompt})# ")
            }
        }
    }

    /// Carries out one line as typed. Everything that is said goes to the standard output, as in FRR.
    pub fn line(&mut self, line: &str) -> Ended {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['!', '#']) {
            return Ended::Ok;
        }
        self.refresh();
        match &self.place {
            Place::Config(_) => self.config_line(line),
            _ => self.exec_line(line),
        }
    }

    /// A line outside configuration, filters behind it included.
    fn exec_line(&mut self, line: &str) -> Ended {
        let (command, filters) = match pipe::split(line) {
            Ok(split) => split,
            Err(reason) => return said(&reason),
        };
        let node = if self.place == Place::View { "view" } else { "enable" };
        let words = ferrite_cli::words(command);
        let found = match self.grammar.find(node, &words) {
            Ok(found) => found,
            Err(error) => return self.wrong(command, &error),
        };
        let mut sink = Sink::new(filters, self.paginate);
        let ended = match found.builtin {
            Some(builtin) => self.builtin(builtin, &found, &mut sink),
            None => self.dispatch(node, &found, command, &mut sink),
        };
        // A pager that was closed early is no failure.
        let _ = sink.finish();
        ended
    }

    /// Sends a command to every daemon that knows it, one after the other.
    fn dispatch(&mut self, node: &str, found: &Found, line: &str, sink: &mut Sink) -> Ended {
        let mut ended = Ended::Ok;
        // Several JSON texts in a row are none: they are joined, so that a script can read the answer.
        let join = found.daemons.len() > 1 && found.args.has("json");
        let mut answers: Vec<(String, Vec<u8>)> = Vec::new();
        for &index in &found.daemons {
            let request = ExecuteLine { node: node.to_owned(), context: vec![], line: line.to_owned() };
            let result = if join {
                let mut answer = Vec::new();
                let result = self.execute(index, request, &mut |piece| {
                    answer.extend_from_slice(piece);
                    Ok(())
                });
                let name =
                    self.daemons.list.get(index).map_or_else(String::new, |daemon| daemon.name.clone());
                answers.push((name, answer));
                result
            } else {
                self.execute(index, request, &mut |piece| sink.write(piece))
            };
            if !result.message.is_empty() {
                // As above: who closes the pager has seen enough.
                let _ = sink.write(format!("{}\n", result.message).as_bytes());
            }
            if result.status != Status::Success {
                ended = Ended::Failed;
            }
        }
        if join {
            // As above.
            let _ = sink.write(&merge::json(answers));
        }
        ended
    }

    /// One line on one daemon.
    fn execute(&mut self, index: DaemonIndex, request: ExecuteLine, write: &mut Write<'_>) -> ExecuteResult {
        let Some(daemon) = self.daemons.list.get_mut(index) else { return ExecuteResult::default() };
        let (name, client) = (daemon.name.clone(), &mut daemon.client);
        let outcome: Result<ExecuteResult, VtyError> = self.runtime.block_on(async {
            let mut stream = client.execute(request).await?;
            while let Some(piece) = stream.next().await? {
                if write(&piece).is_err() {
                    return Ok(ExecuteResult::default());
                }
            }
            Ok(stream.result())
        });
        outcome.unwrap_or_else(|error| {
            self.daemons.lost(&name);
            let reason = if error.to_string().contains("contract") {
                error.to_string()
            } else {
                "is not running".into()
            };
            ExecuteResult {
                status: Status::Warning,
                message: format!("% {name} {reason}"),
                ..ExecuteResult::default()
            }
        })
    }

    /// A line inside configuration; a node that does not know it asks its parents.
    fn config_line(&mut self, line: &str) -> Ended {
        let words = ferrite_cli::words(line);
        let first = words.first().map_or("", |word| word.text);
        if let Some(rest) = line.strip_prefix("do ") {
            return self.exec_line(rest.trim());
        }
        if words.len() == 1 && self.move_by(first) {
            return Ended::Ok;
        }
        if matches!(first, "list" | "find") {
            let mut sink = Sink::new(pipe::Filters::default(), self.paginate);
            self.list_commands(first == "find", words.get(1).map_or("", |word| word.text), &mut sink);
            // As above.
            let _ = sink.finish();
            return Ended::Ok;
        }
        // As FRR's shell has these everywhere.
        let second = words.get(1).map_or("", |word| word.text);
        if first == "help" || first == "show" && matches!(second, "running-config" | "history") {
            return self.exec_line(line);
        }
        let Place::Config(levels) = self.place.clone() else { return Ended::Failed };
        let mut error = None;
        for depth in (0..=levels.len()).rev() {
            let inside = levels.get(..depth).unwrap_or_default();
            let node = inside.last().map_or("config", |level| &level.node);
            match self.grammar.find(node, &words) {
                Ok(found) => return self.configure(inside, &found, line),
                Err(reason) => error = Some(apply::further(error, reason)),
            }
        }
        let error = error.unwrap_or(SyntaxError { kind: CliError::Unknown, column: 0, expected: vec![] });
        self.wrong(line, &error)
    }

    fn configure(&mut self, inside: &[Level], found: &Found, line: &str) -> Ended {
        let mut sink = Sink::new(pipe::Filters::default(), false);
        if let Some(builtin) = found.builtin {
            let ended = self.builtin(builtin, found, &mut sink);
            // As above.
            let _ = sink.finish();
            return ended;
        }
        let context: Vec<String> = inside.iter().map(|level| level.line.clone()).collect();
        let mut ended = Ended::Ok;
        for &index in &found.daemons {
            let request =
                ExecuteLine { node: "config".into(), context: context.clone(), line: line.to_owned() };
            let result = self.execute(index, request, &mut |piece| sink.write(piece));
            if result.status != Status::Success {
                said(&result.message);
                ended = Ended::Failed;
            }
        }
        // As above.
        let _ = sink.finish();
        if ended == Ended::Ok {
            let mut levels = inside.to_vec();
            if let Some(node) = &found.enters {
                levels.push(Level { node: node.clone(), line: found.args.line() });
            }
            self.place = Place::Config(levels);
            if found.args.words().any(|word| word == "hostname") {
                self.reread_names();
            }
        }
        ended
    }

    /// What a variable of the grammar may be now, by the daemons that know.
    pub fn values_of(&mut self, variable: &str) -> Vec<String> {
        let mut values = Vec::new();
        for daemon in &mut self.daemons.list {
            let client = &mut daemon.client;
            let offered = self.runtime.block_on(async {
                tokio::time::timeout(COMPLETION_PATIENCE, client.complete(variable)).await
            });
            // A daemon that is gone, or busy, offers nothing.
            if let Ok(Ok(offered)) = offered {
                values.extend(offered);
            }
        }
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The host name has changed: the prompt shows it.
    fn reread_names(&mut self) {
        for daemon in &mut self.daemons.list {
            if let Ok(description) = self.runtime.block_on(daemon.client.describe()) {
                daemon.description.hostname = description.hostname;
            }
        }
    }

    /// `exit`, `end` and the node's own closing word.
    fn move_by(&mut self, word: &str) -> bool {
        let closing = self.grammar.node(self.place.node()).map_or("exit", |node| &node.exit);
        let leaves = matches!(word, "exit" | "quit") || (word == closing && !closing.is_empty());
        let Place::Config(levels) = &mut self.place else { return false };
        if word == "end" || (leaves && levels.pop().is_none()) {
            self.place = Place::Enable;
            return true;
        }
        leaves
    }

    fn builtin(&mut self, builtin: Builtin, found: &Found, sink: &mut Sink) -> Ended {
        let args = &found.args;
        let written = match builtin {
            Builtin::Enable if self.view_only => {
                return said("% Command not allowed: this session may only look");
            }
            Builtin::Enable => {
                self.place = Place::Enable;
                Ok(())
            }
            Builtin::Disable => {
                self.place = Place::View;
                Ok(())
            }
            Builtin::Configure => {
                self.place = Place::Config(vec![]);
                Ok(())
            }
            Builtin::Exit => return Ended::Left,
            Builtin::End | Builtin::TerminalLength => Ok(()),
            Builtin::List | Builtin::Find => {
                self.list_commands(builtin == Builtin::Find, args.get("REGEX").unwrap_or_default(), sink);
                Ok(())
            }
            Builtin::ShowVersion => sink.write(version().as_bytes()),
            Builtin::ShowRunning | Builtin::WriteTerminal => return self.show_running(found, sink),
            Builtin::ShowHistory => {
                let text = self.history.join("\n");
                sink.write(format!("{text}\n").as_bytes())
            }
            Builtin::ShowDaemons => {
                let names: Vec<&str> = self.daemons.list.iter().map(|daemon| daemon.name.as_str()).collect();
                sink.write(format!(" {}\n", names.join(" ")).as_bytes())
            }
            Builtin::ShowStartup => match std::fs::read(self.etc.join("frr.conf")) {
                Ok(text) => sink.write(&text),
                Err(error) => return said(&format!("% {}: {error}", self.etc.join("frr.conf").display())),
            },
            Builtin::Help => sink.write(HELP.as_bytes()),
            Builtin::Write => return save::write(self, args.has("integrated"), sink),
            Builtin::Copy => {
                let file = PathBuf::from(args.get("FILENAME").unwrap_or_default());
                return match apply::file(self, &file, apply::Mode::Merge, false) {
                    0 => Ended::Ok,
                    _ => Ended::Failed,
                };
            }
            Builtin::Rollback => return self.rollback(args.parse("(1-20)").unwrap_or(1)),
            Builtin::Paginate => {
                self.paginate = true;
                Ok(())
            }
            Builtin::NoPaginate => {
                self.paginate = false;
                Ok(())
            }
        };
        // A pager that was closed early is no failure.
        let _ = written;
        Ended::Ok
    }

    fn rollback(&mut self, commits: u32) -> Ended {
        let mut ended = Ended::Ok;
        for daemon in &mut self.daemons.list {
            match self.runtime.block_on(daemon.client.rollback(commits)) {
                Ok(true) => println!("{}: rolled back", daemon.name),
                Ok(false) => println!("{}: nothing to change", daemon.name),
                Err(error) => {
                    println!("% {}: {error}", daemon.name);
                    ended = Ended::Failed;
                }
            }
        }
        ended
    }

    fn list_commands(&self, find: bool, pattern: &str, sink: &mut Sink) {
        let mut text = String::new();
        if find {
            match regex::Regex::new(pattern) {
                Ok(regex) => {
                    let mut found: Vec<_> =
                        self.grammar.all().filter(|(_, syntax)| regex.is_match(syntax)).collect();
                    found.sort_unstable();
                    found.dedup();
                    for (node, syntax) in found {
                        text.push_str(&format!("  ({node})  {syntax}\n"));
                    }
                }
                Err(_) => text.push_str(&format!("% {pattern} is not a regular expression\n")),
            }
        } else {
            self.grammar
                .list(self.place.node())
                .iter()
                .for_each(|syntax| text.push_str(&format!("  {syntax}\n")));
        }
        // A pager that was closed early is no failure.
        let _ = sink.write(text.as_bytes());
    }

    fn show_running(&mut self, found: &Found, sink: &mut Sink) -> Ended {
        let only = found.args.get("daemon").map(str::to_owned);
        if let Some(name) = &only
            && !self.daemons.list.iter().any(|daemon| daemon.name == *name)
        {
            return said(&format!("% {name} is not running"));
        }
        let items = match self.running(only.as_deref()) {
            Ok(items) => items,
            Err(reason) => return said(&reason),
        };
        if !found.args.has("no-header") {
            // As everywhere: a closed pager is no failure.
            let _ = sink.write(b"Building configuration...\n\nCurrent configuration:\n!\n");
        }
        let _ = sink.write(lines::print_running(&items).as_bytes());
        Ended::Ok
    }

    /// The running configuration of one daemon or of all together.
    pub fn running(&mut self, only: Option<&str>) -> Result<Vec<Item>, String> {
        let mut merged = Vec::new();
        for daemon in
            self.daemons.list.iter_mut().filter(|daemon| only.is_none_or(|name| name == daemon.name))
        {
            let items = self.runtime.block_on(daemon.client.running_config());
            let items = items.map_err(|error| format!("% {}: {error}", daemon.name))?;
            lines::merge(&mut merged, items.into_iter().map(item).collect());
        }
        // As FRR: the whole configuration always names the host.
        if only.is_none() && !merged.iter().any(|item| item.text.starts_with("hostname ")) {
            let host = self.hostname.clone().unwrap_or_else(system_name);
            merged.insert(0, Item { order: 0, text: format!("hostname {host}"), body: None });
        }
        Ok(merged)
    }

    /// FRR's message for a line that is no command here.
    fn wrong(&self, line: &str, error: &SyntaxError) -> Ended {
        let message = match &error.kind {
            CliError::Refused(_) => error.kind.to_string(),
            kind => format!("{kind}: {line}"),
        };
        said(&message)
    }
}

/// Prints a message; a failure.
fn said(message: &str) -> Ended {
    // If nobody reads the output there is nobody to tell.
    let _ = writeln!(io::stdout(), "{message}");
    Ended::Failed
}

fn item(item: ConfigItem) -> Item {
    let body = item
        .body
        .map(|body| lines::Body { items: body.items.into_iter().map(self::item).collect(), exit: body.exit });
    Item { order: item.order, text: item.text, body }
}

pub fn system_name() -> String {
    nix::sys::utsname::uname()
        .map_or_else(|_| "localhost".into(), |names| names.nodename().to_string_lossy().into())
}

fn version() -> String {
    let release = ferrite_cli::common::FRR_RELEASE;
    let kernel = nix::sys::utsname::uname()
        .map_or_else(|_| String::new(), |names| names.release().to_string_lossy().into());
    format!(
        "FRRouting {release} ({}) on Linux({kernel}).\nFerrite {}, configuration and commands of FRRouting {release}.\n",
        system_name(),
        env!("CARGO_PKG_VERSION"),
    )
}

const HELP: &str =
    "A question mark shows what may follow, after a space or in the middle of a word; Tab completes.
`list` shows the commands of this place, `find TEXT` looks for one in all places.
";
