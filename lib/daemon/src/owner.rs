//! The owner of a daemon's configuration: answers the vty contract with the engine, and hands the daemon's own main loop
//! what only it can do (apply a change, answer a show) as messages.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use ferrite_cli::common::{CommonExec, DaemonConfig, DebugFlag, FRR_RELEASE, is_of};
use ferrite_cli::node::{CONFIG, ENABLE, VIEW};
use ferrite_cli::{
    Args, CliError, Engine, FileError, Item, NumberedLine, Outcome, Registry, SyntaxError, lines,
};
use ferrite_rpc::vty::{
    BoxFuture, CONTRACT, CommandInfo, ConfigBody, ConfigChange, ConfigItem, ConfigLine, Description,
    ExecuteLine, ExecuteResult, LineError, NodeInfo, Prepared, Status, VtyBackend,
};
use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};

use crate::logging::Log;
use crate::options::Info;
use crate::output::Output;
use crate::system;

/// Prepared configurations that may wait at the same time; the oldest makes room.
const MAX_PREPARED: usize = 4;

/// Changes that are listed one by one; more are counted.
const MAX_CHANGES: usize = 20_000;

/// What the daemon's main loop is asked to do.
#[derive(Debug)]
pub enum Event<C, H> {
    /// The configuration has changed: compare and apply. The caller is answered when `done` is dropped.
    Configured { before: Arc<C>, after: Arc<C>, done: Done },
    /// A command of the daemon's own.
    Exec { handler: H, args: Args, output: Output },
    /// Values that a variable may take (`IFNAME`, `WORD`), for completion.
    Complete { variable: String, reply: oneshot::Sender<Vec<String>> },
    /// What a change would interrupt, in words.
    Impact { before: Arc<C>, after: Arc<C>, reply: oneshot::Sender<Vec<String>> },
    /// The daemon shall end: the main function returns.
    Stop,
}

/// Says by its end that a change was applied.
#[derive(Debug)]
pub struct Done {
    _sender: Option<oneshot::Sender<()>>,
}

struct State<C, H> {
    engine: Engine<C, H>,
    prepared: VecDeque<Waiting<C>>,
    next_token: u64,
    /// Debug flags switched on outside configuration.
    debug: BTreeSet<&'static str>,
}

struct Waiting<C> {
    token: u64,
    base: Arc<C>,
    config: C,
}

struct Shared<C, H> {
    info: Info,
    description: Description,
    state: Arc<Mutex<State<C, H>>>,
    /// The configured host name, readable while the state is in use.
    hostname: std::sync::RwLock<String>,
    events: mpsc::Sender<Event<C, H>>,
    log: Log,
    log_commands: bool,
    log_commands_configured: AtomicBool,
    registry: Arc<Registry<C, H>>,
    /// What a whole configuration starts from: the defaults, with those of the command line.
    base: C,
}

/// Cheap to clone.
pub(crate) struct Owner<C, H>(Arc<Shared<C, H>>);

impl<C, H> Clone for Owner<C, H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: DaemonConfig, H: Clone + Send + Sync + 'static> Owner<C, H> {
    pub fn new(
        info: Info,
        engine: Engine<C, H>,
        events: mpsc::Sender<Event<C, H>>,
        log: Log,
        log_commands: bool,
        base: C,
    ) -> Self {
        let description = describe(info, &engine);
        let registry = engine.shared_registry();
        let state = State { engine, prepared: VecDeque::new(), next_token: 1, debug: BTreeSet::new() };
        let state = Arc::new(Mutex::new(state));
        let hostname = std::sync::RwLock::default();
        Owner(Arc::new(Shared {
            info,
            description,
            state,
            hostname,
            events,
            log,
            log_commands,
            log_commands_configured: AtomicBool::new(false),
            registry,
            base,
        }))
    }

    /// Replaces the configuration by a file's. The errors are those of the file.
    pub async fn load(&self, text: Vec<NumberedLine>) -> Result<(), Vec<FileError>> {
        let mut state = self.0.state.lock().await;
        let config = state.engine.load(self.0.base.clone(), &text)?;
        self.commit(&mut state, config).await;
        Ok(())
    }

    /// Makes a configuration that was read before the running one.
    pub async fn replace(&self, config: C) {
        let mut state = self.0.state.lock().await;
        self.commit(&mut state, config).await;
    }

    /// Makes a configuration the running one and waits until the daemon has applied it.
    async fn commit(&self, state: &mut MutexGuard<'_, State<C, H>>, config: C) -> bool {
        let Some(before) = state.engine.commit(config) else { return false };
        self.apply(state, before).await;
        true
    }

    async fn apply(&self, state: &mut MutexGuard<'_, State<C, H>>, before: Arc<C>) {
        let after = state.engine.running().clone();
        if before.common() != after.common() {
            self.0.log.configure(&after.common().log);
            self.0.log_commands_configured.store(after.common().log.commands, Ordering::Relaxed);
            *self.0.hostname.write().unwrap_or_else(PoisonError::into_inner) =
                after.common().hostname.clone().unwrap_or_default();
            self.apply_debug(state);
        }
        let (sender, done) = oneshot::channel();
        if self
            .0
            .events
            .send(Event::Configured { before, after, done: Done { _sender: Some(sender) } })
            .await
            .is_ok()
        {
            // The sender is dropped when the daemon has applied the change; that is the message.
            let _ = done.await;
        }
    }

    fn apply_debug(&self, state: &State<C, H>) {
        let mut targets = state.debug.clone();
        let flags = state.engine.registry().flags().iter();
        let debug = &state.engine.running().common().debug;
        targets.extend(flags.filter(|flag| debug.contains(flag.line)).map(|flag| flag.target));
        self.0.log.set_debug(targets);
    }

    async fn run(self, line: ExecuteLine, output: mpsc::Sender<String>) -> ExecuteResult {
        let place = match line.node.as_str() {
            "config" => return self.run_config(line).await,
            "view" => &VIEW,
            "enable" => &ENABLE,
            other => return refused(Status::Warning, format!("% There is no node {other}")),
        };
        // Without the state: a configuration that is being read does not hold up a show.
        self.log_command(&line.line);
        match self.0.registry.exec_line(place, &line.line) {
            Ok(Outcome::Exec { handler, args, .. }) => {
                let (output, ended) = Output::new(output);
                if self.0.events.send(Event::Exec { handler, args, output }).await.is_err() {
                    return refused(Status::Warning, "% The daemon is ending".to_owned());
                }
                ended.await.unwrap_or_default()
            }
            Ok(Outcome::Common { what, args }) => {
                let text = self.common(what, &args, place).await;
                // A reader that is gone needs no text.
                let _ = output.send(text).await;
                ExecuteResult::default()
            }
            Ok(Outcome::Nothing | Outcome::Configured { .. }) => ExecuteResult::default(),
            Err(error) => wrong(self.0.info, &line.line, error),
        }
    }

    async fn run_config(&self, line: ExecuteLine) -> ExecuteResult {
        let mut state = self.0.state.lock().await;
        self.log_command(&line.line);
        let mut context = match state.engine.context(&line.context) {
            Ok(context) => context,
            Err(error) => return wrong(self.0.info, &line.context.join(" / "), error),
        };
        let before = state.engine.running().clone();
        match state.engine.configure(&mut context, &line.line) {
            Ok(Outcome::Configured { entered, .. }) => {
                if !Arc::ptr_eq(&before, state.engine.running()) {
                    self.apply(&mut state, before).await;
                }
                ExecuteResult {
                    entered: entered.map(|node| node.name.to_owned()),
                    ..ExecuteResult::default()
                }
            }
            Ok(_) => ExecuteResult::default(),
            Err(error) => wrong(self.0.info, &line.line, error),
        }
    }

    fn log_command(&self, line: &str) {
        if self.0.log_commands || self.0.log_commands_configured.load(Ordering::Relaxed) {
            tracing::info!("vty: {}", without_secrets(line));
        }
    }

    fn debugging(&self, state: &State<C, H>, wanted: impl Fn(&DebugFlag) -> bool) -> String {
        let configured = &state.engine.running().common().debug;
        let flags = state.engine.registry().flags().iter().copied().filter(|flag| wanted(flag));
        ferrite_cli::common::debugging(self.0.info.name, flags, |flag| {
            configured.contains(flag.line) || state.debug.contains(flag.target)
        })
    }

    async fn common(&self, what: CommonExec, args: &Args, place: &'static ferrite_cli::Node) -> String {
        let mut state = self.0.state.lock().await;
        match what {
            CommonExec::Version => version(self.0.info),
            CommonExec::Logging => format!("{}\n", self.0.log.show()),
            CommonExec::Memory => system::memory(self.0.info.name),
            CommonExec::RunningConfig => {
                let header = "Building configuration...\n\nCurrent configuration:\n!\n";
                let header = if args.has("no-header") { "" } else { header };
                format!("{header}{}", lines::print_running(&state.engine.running_items()))
            }
            CommonExec::Debugging => self.debugging(&state, |_| true),
            CommonExec::DebuggingOf(word) => self.debugging(&state, |flag| is_of(flag.line, word)),
            CommonExec::Debug(DebugFlag { target, .. }) => {
                state.debug.insert(target);
                self.apply_debug(&state);
                String::new()
            }
            CommonExec::NoDebug(DebugFlag { target, .. }) => {
                state.debug.remove(target);
                self.apply_debug(&state);
                String::new()
            }
            CommonExec::NoDebugsOf(word) => {
                let flags = state.engine.registry().flags().iter();
                let off: Vec<&str> =
                    flags.filter(|flag| is_of(flag.line, word)).map(|flag| flag.target).collect();
                state.debug.retain(|target| !off.contains(target));
                self.apply_debug(&state);
                String::new()
            }
            CommonExec::NoDebugs => {
                state.debug.clear();
                self.apply_debug(&state);
                String::new()
            }
            CommonExec::List => {
                let (_, commands) = state.engine.registry().describe();
                let here = commands.filter(|command| !command.hidden && command.nodes.contains(&place));
                here.fold(String::new(), |text, command| format!("{text}  {}\n", command.syntax))
            }
            CommonExec::Find => {
                let wanted = args.all("REGEX").collect::<Vec<_>>().join(" ");
                let (_, commands) = state.engine.registry().describe();
                let found = commands.filter(|command| !command.hidden && command.syntax.contains(&wanted));
                found.fold(String::new(), |text, command| {
                    let node = command.nodes.first().map_or("", |node| node.name);
                    format!("{text}  ({node})  {}\n", command.syntax)
                })
            }
            CommonExec::Commits => {
                (1..).map_while(|back| state.engine.earlier(back).map(|config| (back, config))).fold(
                    format!("Earlier configurations of {}:\n", self.0.info.name),
                    |text, (back, config)| {
                        let items = state.engine.registry().render(config);
                        let changes = lines::diff(&items, &state.engine.running_items()).len();
                        format!("{text}{back:3}  {changes} lines differ from the running configuration\n")
                    },
                )
            }
        }
    }

    async fn prepare_now(self, replace: bool, text: Vec<ConfigLine>) -> Result<Prepared, Vec<LineError>> {
        let text: Vec<NumberedLine> =
            text.into_iter().map(|line| NumberedLine { number: line.number, text: line.text }).collect();
        let state = self.0.state.clone().lock_owned().await;
        // Parsing a large file takes a moment: not on a thread that serves others.
        let defaults = self.0.base.clone();
        let parsed = tokio::task::spawn_blocking(move || {
            let running = state.engine.running().clone();
            let base = if replace { defaults } else { C::clone(&running) };
            let config = state
                .engine
                .load(base, &text)
                .map_err(|errors| errors.into_iter().map(line_error).collect::<Vec<_>>())?;
            let registry = state.engine.registry();
            let changes = lines::diff(&registry.render(&running), &registry.render(&config));
            Ok::<_, Vec<LineError>>((state, running, config, changes))
        });
        let Ok(parsed) = parsed.await else { return Err(vec![internal_error()]) };
        let (mut state, base, config, changes) = parsed?;
        let resets = self.impact(base.clone(), Arc::new(config.clone())).await;
        let token = state.next_token;
        state.next_token += 1;
        if state.prepared.len() >= MAX_PREPARED {
            state.prepared.pop_front();
        }
        state.prepared.push_back(Waiting { token, base, config });
        let more_changes = changes.len().saturating_sub(MAX_CHANGES) as u32;
        let changes = changes
            .into_iter()
            .take(MAX_CHANGES)
            .map(|change| ConfigChange { context: change.context, line: change.line, added: change.added })
            .collect();
        Ok(Prepared { token, changes, more_changes, resets })
    }

    async fn impact(&self, before: Arc<C>, after: Arc<C>) -> Vec<String> {
        let (reply, answer) = oneshot::channel();
        match self.0.events.send(Event::Impact { before, after, reply }).await {
            Ok(()) => answer.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }
}

impl<C: DaemonConfig, H: Clone + Send + Sync + 'static> VtyBackend for Owner<C, H> {
    fn describe(&self) -> Description {
        let hostname = self.0.hostname.read().unwrap_or_else(PoisonError::into_inner).clone();
        Description { hostname, ..self.0.description.clone() }
    }

    fn execute(&self, line: ExecuteLine, output: mpsc::Sender<String>) -> BoxFuture<ExecuteResult> {
        Box::pin(self.clone().run(line, output))
    }

    fn complete(&self, variable: String) -> BoxFuture<Vec<String>> {
        let this = self.clone();
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            match this.0.events.send(Event::Complete { variable, reply }).await {
                Ok(()) => answer.await.unwrap_or_default(),
                Err(_) => Vec::new(),
            }
        })
    }

    fn running(&self) -> BoxFuture<Vec<ConfigItem>> {
        let this = self.clone();
        Box::pin(async move {
            this.0.state.lock().await.engine.running_items().into_iter().map(config_item).collect()
        })
    }

    fn prepare(&self, replace: bool, lines: Vec<ConfigLine>) -> BoxFuture<Result<Prepared, Vec<LineError>>> {
        Box::pin(self.clone().prepare_now(replace, lines))
    }

    fn commit(&self, token: u64) -> BoxFuture<Result<bool, String>> {
        let this = self.clone();
        Box::pin(async move {
            let mut state = this.0.state.lock().await;
            let at = state.prepared.iter().position(|waiting| waiting.token == token);
            let Some(Waiting { base, config, .. }) = at.and_then(|at| state.prepared.remove(at)) else {
                return Err("there is no such prepared configuration".to_owned());
            };
            if *base != **state.engine.running() {
                return Err("the configuration was changed after this one was prepared".to_owned());
            }
            Ok(this.commit(&mut state, config).await)
        })
    }

    fn abort(&self, token: u64) -> BoxFuture<()> {
        let this = self.clone();
        Box::pin(async move { this.0.state.lock().await.prepared.retain(|waiting| waiting.token != token) })
    }

    fn rollback(&self, commits: u32) -> BoxFuture<Result<bool, String>> {
        let this = self.clone();
        Box::pin(async move {
            let mut state = this.0.state.lock().await;
            let config = state.engine.earlier(commits as usize).map(|config| C::clone(config));
            let config = config.ok_or_else(|| format!("there is no configuration {commits} commits ago"))?;
            Ok(this.commit(&mut state, config).await)
        })
    }
}

fn refused(status: Status, message: String) -> ExecuteResult {
    ExecuteResult { status, message, ..ExecuteResult::default() }
}

fn status_of(kind: &CliError) -> Status {
    match kind {
        CliError::Unknown => Status::Unknown,
        CliError::Ambiguous => Status::Ambiguous,
        CliError::Incomplete => Status::Incomplete,
        CliError::Refused(_) => Status::Refused,
    }
}

/// FRR's message for a line that was not carried out; it names the daemon.
fn wrong(info: Info, line: &str, error: SyntaxError) -> ExecuteResult {
    let SyntaxError { kind, column, expected } = error;
    let message = match &kind {
        CliError::Refused(_) => kind.to_string(),
        _ => format!("% [{}] {}: {}", info.log_name, kind.to_string().trim_start_matches("% "), line.trim()),
    };
    ExecuteResult { status: status_of(&kind), message, column: column as u32, expected, entered: None }
}

fn line_error(error: FileError) -> LineError {
    let FileError { line, column, text, kind, expected } = error;
    LineError {
        line,
        column: column as u32,
        text,
        status: status_of(&kind),
        message: kind.to_string(),
        expected,
    }
}

fn internal_error() -> LineError {
    LineError {
        status: Status::Warning,
        message: "% The configuration could not be read".to_owned(),
        ..LineError::default()
    }
}

fn config_item(item: Item) -> ConfigItem {
    let body = item
        .body
        .map(|body| ConfigBody { items: body.items.into_iter().map(config_item).collect(), exit: body.exit });
    ConfigItem { order: item.order, text: item.text, body }
}

/// A line for the log, with passwords and keys left out.
fn without_secrets(line: &str) -> String {
    let mut kept = Vec::new();
    for word in line.split_whitespace() {
        kept.push(word);
        if word.len() >= 3
            && ["password", "key-string", "auth-key", "secret"].iter().any(|name| name.starts_with(word))
        {
            kept.push("<removed>");
            break;
        }
    }
    kept.join(" ")
}

fn version(info: Info) -> String {
    let (host, kernel) = system::host();
    format!(
        "FRRouting {FRR_RELEASE} ({host}) on Linux({kernel}).\nFerrite {}, configuration and commands of FRRouting {FRR_RELEASE}.\n",
        info.version
    )
}

fn describe<C: DaemonConfig, H>(info: Info, engine: &Engine<C, H>) -> Description
where
    H: Clone,
{
    let (nodes, commands) = engine.registry().describe();
    let nodes = nodes.into_iter().map(|node| NodeInfo {
        name: node.name.to_owned(),
        prompt: node.prompt.to_owned(),
        parent: node.parent.map_or_else(String::new, |parent| parent.name.to_owned()),
        exit: node.exit.to_owned(),
    });
    let commands = commands.map(|command| CommandInfo {
        nodes: command.nodes.iter().map(|node| node.name.to_owned()).collect(),
        syntax: command.syntax.to_owned(),
        help: command.help.to_vec(),
        enters: command.enters.map_or_else(String::new, |node| node.name.to_owned()),
        hidden: command.hidden,
        refused: command.refused,
    });
    Description {
        name: info.name.to_owned(),
        version: info.version.to_owned(),
        pid: std::process::id(),
        hostname: String::new(),
        contract: CONTRACT,
        nodes: nodes.collect(),
        commands: commands.collect(),
    }
}

/// The node a session is in outside configuration, for the plain protocol.
pub(crate) const CONFIG_NODE: &str = CONFIG.name;
