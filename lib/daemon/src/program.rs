//! The life of a daemon: options, fork, pid file, privileges, logs, configuration, sockets, main function, signals, end.

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use ferrite_cli::common::{DaemonConfig, Defaults};
use ferrite_cli::{Engine, FileError, Registry, numbered};
use ferrite_rpc::transport::{bind_unix, serve_unix};
use ferrite_rpc::vty::{self, VtyBackend};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::detach::{self, Waiting};
use crate::logging::Log;
use crate::options::{self, CommonOptions, Info, Paths};
use crate::owner::{Event, Owner};
use crate::pid::PidFile;
use crate::privileges::{self, Owners};
use crate::{plain, system};

/// How long the main function may take after it was told to end.
const GRACE: Duration = Duration::from_secs(2);
/// Requests of the vty that may wait for the main function.
const EVENTS: usize = 64;

/// What a main function may fail with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Why a daemon does not start. The number is the exit status.
#[derive(Debug)]
struct StartError(u8, String);

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        StartError(1, error.to_string())
    }
}

/// What the main function is given: its options, where files are, and the requests that it answers.
pub struct Daemon<O, C, H> {
    pub info: Info,
    pub options: CommonOptions,
    pub own: O,
    pub paths: Paths,
    /// User and groups that sockets and files are given to.
    pub owners: Owners,
    pub log: Log,
    /// Requests of the shell. Answer each soon: a handler that writes much does so in a task or thread of its own.
    pub events: mpsc::Receiver<Event<C, H>>,
    owner: Owner<C, H>,
    stop: watch::Receiver<bool>,
    /// Seconds that the end may take beside [`GRACE`].
    more: Arc<AtomicU32>,
    waiting: Option<Waiting>,
    config: Option<C>,
    /// The sockets are ours to remove.
    opened: Arc<AtomicBool>,
}

/// Runs a daemon; `main` is its main function. It calls [`Daemon::serve`] once its own sockets are open, then answers
/// [`Daemon::events`] until [`Event::Stop`], and returns.
pub fn run<O, C, H, F, R>(info: Info, registry: Registry<C, H>, main: F) -> ExitCode
where
    O: clap::Args,
    C: DaemonConfig,
    H: Clone + Send + Sync + 'static,
    F: FnOnce(Daemon<O, C, H>) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let (options, own) = options::parse::<O>(info);
    if let Err(reason) = options.check() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let engine = Engine::new(registry);
    if options.check {
        return check(info, &options, &engine);
    }
    detach::restrict_new_files();
    let mut waiting = None;
    if options.daemon {
        match detach::detach() {
            Ok(ours) => waiting = Some(ours),
            Err(error) => {
                eprintln!("{}: {error}", info.name);
                return ExitCode::FAILURE;
            }
        }
    }
    match start(info, options, own, engine, &mut waiting, main) {
        Ok(status) => status,
        Err(StartError(status, reason)) => {
            let reason = format!("{}: {reason}", info.name);
            match waiting {
                // If the process that waits is gone nobody is left to be told.
                Some(waiting) => drop(waiting.failed(status, &reason)),
                None => eprintln!("{reason}"),
            }
            ExitCode::from(status)
        }
    }
}

/// `-C`: the configuration file is read and nothing else happens.
fn check<C: DaemonConfig, H: Clone>(info: Info, options: &CommonOptions, engine: &Engine<C, H>) -> ExitCode {
    let paths = Paths::new(options.pathspace.as_deref());
    match read_config(info, options, &paths, engine) {
        Ok(_) => ExitCode::SUCCESS,
        Err(StartError(status, reason)) => {
            eprintln!("{reason}");
            ExitCode::from(status)
        }
    }
}

fn start<O, C, H, F, R>(
    info: Info,
    options: CommonOptions,
    own: O,
    engine: Engine<C, H>,
    waiting: &mut Option<Waiting>,
    main: F,
) -> Result<ExitCode, StartError>
where
    C: DaemonConfig,
    H: Clone + Send + Sync + 'static,
    F: FnOnce(Daemon<O, C, H>) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let paths = Paths::new(options.pathspace.as_deref());
    let config = read_config(info, &options, &paths, &engine)?;
    let sockets =
        ["grpc", "vty"].map(|kind| options.vty_directory(&paths).join(format!("{}.{kind}", info.name)));
    let owners = Owners::find(&options.user, &options.group);
    make_directory(&paths.run, owners)?;
    // Who needs it and does not find it says so.
    drop(make_directory(&paths.state, owners));
    let pid_path = options.pid_file.clone().unwrap_or_else(|| paths.pid_file(info.name));
    let pid =
        PidFile::create(&pid_path).map_err(|e| StartError(1, format!("{}: {e}", pid_path.display())))?;
    let log = Log::install(info, options.log.as_deref(), options.log_level).map_err(|e| StartError(1, e))?;
    std::panic::set_hook(Box::new(|panic| tracing::error!("bug, please report: {panic}")));
    if let Err(error) = system::raise_file_limit(options.limit_fds) {
        tracing::warn!("limit of open files: {error}");
    }
    if !options.skip_runas {
        privileges::drop_root(owners)
            .map_err(|error| StartError(1, format!("cannot run as user {}: {error}", options.user)))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let opened = Arc::new(AtomicBool::new(false));
    let ours = opened.clone();
    let result = runtime.block_on(async {
        let (sender, events) = mpsc::channel(EVENTS);
        let owner =
            Owner::new(info, engine, sender.clone(), log.clone(), options.command_log_always, base(&options));
        let (stopping, stop) = watch::channel(false);
        spawn_signals(sender, stopping, log.clone(), owner.clone(), own_file(info, &options, &paths))?;
        let more = Arc::new(AtomicU32::new(0));
        let daemon = Daemon {
            more: more.clone(),
            info,
            options,
            own,
            paths,
            owners,
            log,
            events,
            owner,
            stop: stop.clone(),
            waiting: waiting.take(),
            config: Some(config),
            opened: ours.clone(),
        };
        tokio::select! {
            result = main(daemon) => result.map_err(|error| StartError(1, error.to_string())),
            () = overdue(stop, more) => {
                tracing::error!("ended before the work was done: it took too long");
                Ok(())
            }
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
    for path in sockets.iter().filter(|_| opened.load(Ordering::Relaxed)) {
        // The next start takes over a socket that is left.
        let _ = std::fs::remove_file(path);
    }
    pid.remove();
    result.map(|()| ExitCode::SUCCESS)
}

/// Completes a grace time after the daemon was told to end.
async fn overdue(mut stop: watch::Receiver<bool>, more: Arc<AtomicU32>) {
    if stop.wait_for(|&stopping| stopping).await.is_ok() {
        tokio::time::sleep(GRACE).await;
        // By now the daemon has said what it needs.
        tokio::time::sleep(Duration::from_secs(more.load(Ordering::Relaxed).into())).await;
    } else {
        std::future::pending::<()>().await;
    }
}

impl<O, C: DaemonConfig, H: Clone + Send + Sync + 'static> Daemon<O, C, H> {
    /// Lets the end take so many seconds more than usual: work that an operator asked for.
    pub fn may_take(&self, seconds: u32) {
        self.more.store(seconds, Ordering::Relaxed);
    }

    /// Opens the vty sockets, hands over the configuration of the daemon's own file (as the first
    /// [`Event::Configured`]), and lets the process that started us return.
    pub fn serve(&mut self) -> Result<(), Failure> {
        if let Err(error) = self.open() {
            if let Some(waiting) = self.waiting.take() {
                waiting.failed(1, &format!("{}: {error}", self.info.name))?;
            }
            return Err(error);
        }
        if let Some(waiting) = self.waiting.take() {
            waiting.serves()?;
        }
        self.log.started();
        Ok(())
    }

    fn open(&mut self) -> Result<(), Failure> {
        let directory = self.options.vty_directory(&self.paths).to_owned();
        let group = self.owners.vty.map(nix::unistd::Gid::as_raw);
        let backend: Arc<dyn VtyBackend> = Arc::new(self.owner.clone());
        let named = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        let grpc = directory.join(format!("{}.grpc", self.info.name));
        let incoming = serve_unix(&grpc, 0o660, allowed(group)).map_err(|error| named(&grpc, error))?;
        let plain_path = directory.join(format!("{}.vty", self.info.name));
        let listener =
            bind_unix(&plain_path, 0o660, allowed(group)).map_err(|error| named(&plain_path, error))?;
        self.opened.store(true, Ordering::Relaxed);
        let mut stop = self.stop.clone();
        let stopped = async move {
            // An error means that the program ends anyway.
            let _ = stop.wait_for(|&stopping| stopping).await;
        };
        let served = backend.clone();
        tokio::spawn(async move {
            if let Err(error) = vty::serve(incoming, served, stopped).await {
                tracing::error!("vty: {error}");
            }
        });
        let mut stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = plain::serve(listener, backend) => {}
                _ = stop.wait_for(|&stopping| stopping) => {}
            }
        });
        if let Some(config) = self.config.take().filter(|config| *config != C::default()) {
            let owner = self.owner.clone();
            // Not awaited: the main function applies it when it reads its events.
            tokio::spawn(async move { owner.replace(config).await });
        }
        Ok(())
    }
}

/// A group is only set where we may: without root the sockets keep ours.
fn allowed(group: Option<u32>) -> Option<u32> {
    group.filter(|&group| {
        let ours = nix::unistd::getgroups().unwrap_or_default();
        nix::unistd::Uid::effective().is_root() || ours.iter().any(|known| known.as_raw() == group)
    })
}

fn make_directory(run: &Path, owners: Owners) -> Result<(), StartError> {
    let named = |error: io::Error| StartError(1, format!("{}: {error}", run.display()));
    if run.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(run).map_err(named)?;
    std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o755)).map_err(named)?;
    if nix::unistd::Uid::effective().is_root() && owners.user.is_some() {
        nix::unistd::chown(run, owners.user, owners.group).map_err(|errno| named(errno.into()))?;
    }
    Ok(())
}

/// The daemon's own file: the one it was given, else the one of its name, which need not exist.
fn own_file(info: Info, options: &CommonOptions, paths: &Paths) -> (PathBuf, bool) {
    match &options.config_file {
        Some(file) => (file.clone(), true),
        None => (paths.etc.join(format!("{}.conf", info.name)), false),
    }
}

fn read_config<C: DaemonConfig, H: Clone>(
    info: Info,
    options: &CommonOptions,
    paths: &Paths,
    engine: &Engine<C, H>,
) -> Result<C, StartError> {
    let base = base::<C>(options);
    let (file, required) = own_file(info, options, paths);
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => return Ok(base),
        Err(error) => return Err(StartError(1, format!("{}: {error}", file.display()))),
    };
    let text = String::from_utf8(text).map_err(|error| {
        StartError(
            2,
            format!("{}: not UTF-8 after octet {}", file.display(), error.utf8_error().valid_up_to()),
        )
    })?;
    engine.load(base, &numbered(&text)).map_err(|errors| StartError(2, told(&file, &errors)))
}

/// What a configuration starts from.
fn base<C: DaemonConfig>(options: &CommonOptions) -> C {
    let mut base = C::default();
    base.common_mut().defaults = options.profile.unwrap_or(Defaults::Traditional);
    base
}

fn told(file: &Path, errors: &[FileError]) -> String {
    let lines: Vec<String> = errors.iter().map(|error| format!("{}: {error}", file.display())).collect();
    format!("nothing was applied\n{}", lines.join("\n"))
}

/// SIGTERM and SIGINT end the daemon, SIGHUP reads its own file again, SIGUSR1 opens the log file anew.
fn spawn_signals<C: DaemonConfig, H: Clone + Send + Sync + 'static>(
    events: mpsc::Sender<Event<C, H>>,
    stopping: watch::Sender<bool>,
    log: Log,
    owner: Owner<C, H>,
    (file, required): (PathBuf, bool),
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut user = signal(SignalKind::user_defined1())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = user.recv() => log.reopen(),
                _ = hangup.recv() => reload(&owner, &file, required).await,
            }
        }
        tracing::info!("terminating on signal");
        stopping.send_replace(true);
        // The main function may have ended by itself.
        let _ = events.send(Event::Stop).await;
        // The sender of `stopping` lives until the program ends.
        std::future::pending::<()>().await;
    });
    Ok(())
}

async fn reload<C: DaemonConfig, H: Clone + Send + Sync + 'static>(
    owner: &Owner<C, H>,
    file: &Path,
    required: bool,
) {
    match tokio::fs::read_to_string(file).await {
        Ok(text) => match owner.load(numbered(&text)).await {
            Ok(()) => tracing::info!("configuration read again from {}", file.display()),
            Err(errors) => tracing::error!("{}", told(file, &errors)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {}
        Err(error) => tracing::error!("{}: {error}", file.display()),
    }
}
