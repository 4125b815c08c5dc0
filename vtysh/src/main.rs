//! vtysh: one shell over all running daemons.
//!
//! It holds no commands of the daemons: it asks each for its grammar over gRPC, joins them, and sends a line to every
//! daemon that knows it.

mod apply;
mod builtin;
mod daemons;
mod grammar;
mod interactive;
mod merge;
mod pager;
mod pipe;
mod save;
mod session;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Parser};

use crate::apply::Mode;
use crate::daemons::Daemons;
use crate::session::{Ended, Place, Session};

/// Integrated shell for the routing daemons
#[derive(Debug, Parser)]
#[command(name = "vtysh", disable_version_flag = true, infer_long_args = true)]
struct Options {
    /// Execute the boot startup configuration
    #[arg(short = 'b', long)]
    boot: bool,
    /// Execute argument as command; may be given several times
    #[arg(short = 'c', long, value_name = "COMMAND", allow_hyphen_values = true)]
    command: Vec<String>,
    /// Connect only to the specified daemon
    #[arg(short = 'd', long, value_name = "DAEMON")]
    daemon: Option<String>,
    /// Add the commands of a file to the running configuration
    #[arg(short = 'f', long = "inputfile", value_name = "FILE")]
    file: Option<PathBuf>,
    /// With -f: bring the running configuration to exactly the file
    #[arg(long, requires = "file")]
    reload: bool,
    /// With -f --reload: print what would change, and what that would interrupt, and apply nothing
    #[arg(long, requires = "reload")]
    test: bool,
    /// Echo prompt and command in -c mode
    #[arg(short = 'E', long)]
    echo: bool,
    /// Check the configuration file (frr.conf, or that of -f) and exit
    #[arg(short = 'C', long = "dryrun")]
    check: bool,
    /// Print the file of -f with every context closed, for frr-reload.py
    #[arg(short = 'm', long = "markfile", requires = "file")]
    mark: bool,
    /// Write the running configuration and exit
    #[arg(short = 'w', long)]
    writeconfig: bool,
    /// Run as a user who may only look
    #[arg(short = 'u', long)]
    user: bool,
    /// Insert an extra path element into the configuration and run directories
    #[arg(short = 'N', long, value_name = "NAME")]
    pathspace: Option<String>,
    /// Directory of the daemons' sockets
    #[arg(long = "vty_socket", alias = "vty-socket", value_name = "DIRECTORY")]
    vty_socket: Option<PathBuf>,
    /// Directory of configuration files
    #[arg(long = "config_dir", alias = "config-dir", value_name = "DIRECTORY")]
    config_dir: Option<PathBuf>,
    /// Keep the history in that file
    #[arg(short = 'H', long, value_name = "FILE")]
    histfile: Option<PathBuf>,
    /// Accepted for scripts made for FRR
    #[arg(short = 'n', long = "no-fork")]
    no_fork: bool,
    /// Accepted for scripts made for FRR
    #[arg(short = 't', long = "timestamp")]
    timestamp: bool,
    /// No pager, whatever the environment says
    #[arg(long = "no-pager")]
    no_pager: bool,
    /// Print program version
    #[arg(short = 'v', long = "version", action = ArgAction::SetTrue)]
    version: bool,
}

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Nothing is left to tell if the terminal is gone.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    if options.version {
        println!("vtysh version {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    match start(&options) {
        Ok(session) => ExitCode::from(run(session, &options)),
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Finds the daemons.
fn start(options: &Options) -> Result<Session, String> {
    let pathspace = options.pathspace.as_deref();
    if pathspace.is_some_and(|name| name.is_empty() || name.contains('/') || name.starts_with('.')) {
        return Err("-N needs a plain name: no slashes, no leading dot".to_owned());
    }
    let directory = |variable: &str, default: &str| {
        let named = std::env::var_os(variable).filter(|value| !value.is_empty());
        let path = named.map_or_else(|| PathBuf::from(default), PathBuf::from);
        pathspace.map_or_else(|| path.clone(), |name| path.join(name))
    };
    let run = options.vty_socket.clone().unwrap_or_else(|| directory("FERRITE_RUN", "/run/frr"));
    let etc = options.config_dir.clone().unwrap_or_else(|| directory("FERRITE_ETC", "/etc/frr"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("vtysh: {error}"))?;
    let mut session = Session::new(runtime, Daemons::new(&run, options.daemon.clone()), etc);
    if session.daemons.list.is_empty() {
        let whom = options.daemon.as_deref().unwrap_or("any daemons");
        return Err(format!(
            "Exiting: failed to connect to {whom}. (No answer in {})",
            session.daemons.directory().display()
        ));
    }
    session.view_only = options.user;
    if options.user {
        session.place = Place::View;
    }
    session.paginate &= !options.no_pager && options.command.is_empty();
    read_own_config(&mut session);
    Ok(session)
}

/// `vtysh.conf`: what concerns the shell itself.
fn read_own_config(session: &mut Session) {
    let text = std::fs::read_to_string(session.etc.join("vtysh.conf")).unwrap_or_default();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["service", "integrated-vtysh-config"] => session.integrated = Some(true),
            ["no", "service", "integrated-vtysh-config"] => session.integrated = Some(false),
            ["hostname", name] => session.hostname = Some((*name).to_owned()),
            _ => {}
        }
    }
}

fn run(mut session: Session, options: &Options) -> u8 {
    if let (true, Some(file)) = (options.mark, &options.file) {
        return apply::mark(&mut session, file);
    }
    if options.check || options.boot || options.file.is_some() {
        let integrated = session.etc.join("frr.conf");
        let file = options.file.clone().unwrap_or(integrated);
        let mode = match (options.check, options.reload, options.test) {
            (true, ..) => Mode::Check,
            (_, _, true) => Mode::Test,
            (_, true, _) => Mode::Replace,
            _ => Mode::Merge,
        };
        let quiet = options.boot && options.file.is_none();
        let status = apply::file(&mut session, &file, mode, quiet);
        if status != 0 || options.command.is_empty() {
            return status;
        }
    }
    if options.writeconfig {
        return u8::from(session.line("write integrated") != Ended::Ok);
    }
    if !options.command.is_empty() {
        return commands(&mut session, options);
    }
    println!(
        "\nHello, this is Ferrite (version {}), with the commands of FRRouting {}.\n",
        env!("CARGO_PKG_VERSION"),
        ferrite_cli::common::FRR_RELEASE
    );
    match interactive::run(session, options.histfile.clone()) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("vtysh: {error}");
            1
        }
    }
}

/// `-c`: one command after the other until one fails.
fn commands(session: &mut Session, options: &Options) -> u8 {
    for line in options.command.iter().flat_map(|command| command.lines()) {
        if options.echo {
            println!("{}{line}", session.prompt());
        }
        match session.line(line) {
            Ended::Ok => {}
            Ended::Failed => return 1,
            Ended::Left => return 0,
        }
    }
    0
}
