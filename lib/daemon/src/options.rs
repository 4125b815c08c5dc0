//! FRR's options that every daemon takes, and where files and sockets are.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Args, Command, FromArgMatches, Parser};
use ferrite_cli::common::{Defaults, LogLevel};

/// The name and version of a daemon.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// Of the program, its sockets and its files: `bgpd`.
    pub name: &'static str,
    /// In log lines: `BGP`.
    pub log_name: &'static str,
    pub version: &'static str,
    pub about: &'static str,
}

/// FRR's common options.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonOptions {
    /// Runs in daemon mode; returns once the daemon serves
    #[arg(short = 'd', long)]
    pub daemon: bool,
    /// Set configuration file name
    #[arg(short = 'f', long, value_name = "FILE", alias = "config_file")]
    pub config_file: Option<PathBuf>,
    /// Set process identifier file name
    #[arg(short = 'i', long, value_name = "FILE", alias = "pid_file")]
    pub pid_file: Option<PathBuf>,
    /// Set path of zebra socket
    #[arg(short = 'z', long, value_name = "SOCKET")]
    pub socket: Option<PathBuf>,
    /// Insert an extra path element into the configuration and run directories
    #[arg(short = 'N', long, value_name = "NAME")]
    pub pathspace: Option<String>,
    /// Address of the TCP terminal; there is none, the option is accepted for scripts made for FRR
    #[arg(short = 'A', long, value_name = "ADDRESS", alias = "vty_addr")]
    pub vty_addr: Option<String>,
    /// Port of the TCP terminal; there is none, the option is accepted for scripts made for FRR
    #[arg(short = 'P', long, value_name = "PORT", alias = "vty_port", allow_hyphen_values = true)]
    pub vty_port: Option<u16>,
    /// Directory of the vty sockets
    #[arg(long = "vty_socket", value_name = "DIRECTORY", alias = "vty-socket")]
    pub vty_socket: Option<PathBuf>,
    /// User to run as
    #[arg(short = 'u', long, value_name = "USER", default_value = "frr")]
    pub user: String,
    /// Group to run as
    #[arg(short = 'g', long, value_name = "GROUP", default_value = "frr")]
    pub group: String,
    /// Keep running as the user who started the program
    #[arg(short = 'S', long = "skip_runas", alias = "skip-runas")]
    pub skip_runas: bool,
    /// Check the configuration file and exit
    #[arg(short = 'C', long = "dryrun", alias = "check")]
    pub check: bool,
    /// Load a module; features are built in, the option is accepted for scripts made for FRR
    #[arg(short = 'M', long, value_name = "MODULE[:OPTIONS]")]
    pub module: Vec<String>,
    /// Set initialization log destination: stdout, syslog or file:NAME
    #[arg(long, value_name = "DESTINATION")]
    pub log: Option<String>,
    /// Set initialization log level
    #[arg(long, value_name = "LEVEL", value_parser = log_level, alias = "log_level")]
    pub log_level: Option<LogLevel>,
    /// Log every command that is executed
    #[arg(long, alias = "command_log_always")]
    pub command_log_always: bool,
    /// Use the specified set of defaults: traditional or datacenter
    #[arg(short = 'F', long, value_name = "PROFILE", value_parser = profile)]
    pub profile: Option<Defaults>,
    /// Limit the number of open files
    #[arg(long, value_name = "NUMBER", alias = "limit_fds")]
    pub limit_fds: Option<u64>,
    /// VRFs are network namespaces: those below /run/netns
    #[arg(short = 'w', long)]
    pub vrfwnetns: bool,
    /// Directory of modules; accepted for scripts made for FRR
    #[arg(long, value_name = "DIRECTORY")]
    pub moduledir: Option<PathBuf>,
    /// Directory of scripts; accepted for scripts made for FRR
    #[arg(long, value_name = "DIRECTORY")]
    pub scriptdir: Option<PathBuf>,
}

fn log_level(text: &str) -> Result<LogLevel, String> {
    LogLevel::from_name(text).ok_or_else(|| "not a level (emergencies ... debugging)".to_owned())
}

fn profile(text: &str) -> Result<Defaults, String> {
    match text {
        "traditional" => Ok(Defaults::Traditional),
        "datacenter" => Ok(Defaults::Datacenter),
        _ => Err("not a profile (traditional, datacenter)".to_owned()),
    }
}

/// For daemons without options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct NoOptions {}

#[derive(Debug, Parser)]
#[command(disable_version_flag = true, infer_long_args = true)]
struct Options<O: Args> {
    #[command(flatten)]
    common: CommonOptions,
    #[command(flatten)]
    own: O,
}

/// Reads the command line. Ends the program on `-h`, `-v` and mistakes, as FRR does (status 1 on a mistake).
pub(crate) fn parse<O: Args>(info: Info) -> (CommonOptions, O) {
    let version = Arg::new("version")
        .short('v')
        .long("version")
        .help("Print program version")
        .action(ArgAction::SetTrue);
    let command = <Options<O> as clap::CommandFactory>::command();
    let command: Command = command.name(info.name).about(info.about).arg(version);
    let mut matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Nothing is left to tell if the terminal is gone.
            let _ = error.print();
            std::process::exit(i32::from(error.use_stderr()));
        }
    };
    if matches.get_flag("version") {
        println!("{} version {}", info.name, info.version);
        println!(
            "Ferrite, a routing suite with the configuration and commands of FRRouting {}",
            ferrite_cli::common::FRR_RELEASE
        );
        std::process::exit(0);
    }
    match Options::<O>::from_arg_matches_mut(&mut matches) {
        Ok(options) => (options.common, options.own),
        Err(error) => {
            let _ = error.print();
            std::process::exit(1);
        }
    }
}

/// Directories of the suite, with `-N` and the environment applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Configuration: `/etc/frr`, `FERRITE_ETC`.
    pub etc: PathBuf,
    /// Sockets and pid files: `/run/frr`, `FERRITE_RUN`.
    pub run: PathBuf,
    /// What outlives the machine's boot: `/var/lib/frr`, `FERRITE_STATE`. It is not there where we may not make it.
    pub state: PathBuf,
    /// Programs: `/usr/lib/frr`, `FERRITE_LIB`.
    pub lib: PathBuf,
}

impl Paths {
    pub fn new(pathspace: Option<&str>) -> Self {
        let directory = |variable: &str, default: &str| {
            std::env::var_os(variable)
                .filter(|value| !value.is_empty())
                .map_or_else(|| default.into(), PathBuf::from)
        };
        let below = |path: PathBuf| pathspace.map_or_else(|| path.clone(), |name| path.join(name));
        Paths {
            etc: below(directory("FERRITE_ETC", "/etc/frr")),
            run: below(directory("FERRITE_RUN", "/run/frr")),
            state: below(directory("FERRITE_STATE", "/var/lib/frr")),
            lib: directory("FERRITE_LIB", "/usr/lib/frr"),
        }
    }

    /// zebra's stream.
    pub fn zserv(&self) -> PathBuf {
        self.run.join("zserv.grpc")
    }

    /// A daemon's gRPC vty socket.
    pub fn grpc(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.grpc"))
    }

    /// A daemon's socket for FRR's plain vty protocol.
    pub fn vty(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.vty"))
    }

    pub fn pid_file(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.pid"))
    }
}

impl CommonOptions {
    /// Refuses a path element that leads elsewhere.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &self.pathspace {
            Some(name) if name.is_empty() || name.contains('/') || name.starts_with('.') => {
                Err("-N needs a plain name: no slashes, no leading dot".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn vty_directory<'a>(&'a self, paths: &'a Paths) -> &'a Path {
        self.vty_socket.as_deref().unwrap_or(&paths.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> CommonOptions {
        let command = <Options<NoOptions> as clap::CommandFactory>::command();
        let matches = command.try_get_matches_from(line).unwrap();
        Options::<NoOptions>::from_arg_matches(&matches).unwrap().common
    }

    #[test]
    fn options_of_frr_scripts_are_understood() {
        let options = read(&[
            "bgpd",
            "-d",
            "-F",
            "datacenter",
            "-A",
            "127.0.0.1",
            "-P",
            "0",
            "-N",
            "x",
            "-M",
            "rpki",
            "--log",
            "file:bgpd.log",
            "--log-level",
            "debug",
            "--command-log-always",
            "--vty_socket",
            "/tmp/v",
            "-z",
            "/tmp/z",
        ]);
        assert!(options.daemon && options.command_log_always);
        assert_eq!(options.log_level, Some(LogLevel::Debugging));
        assert_eq!(options.profile, Some(Defaults::Datacenter));
        assert_eq!(options.vty_directory(&Paths::new(None)), Path::new("/tmp/v"));
        assert!(options.check().is_ok());
    }

    #[test]
    fn a_path_element_with_slashes_is_refused() {
        assert!(read(&["bgpd", "-N", "../x"]).check().is_err());
    }
}
