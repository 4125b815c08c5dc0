//! What every daemon has: host name, logging, services, passwords, `line vty`, debugging; `show version` and its like.

mod settings;

use std::collections::BTreeSet;

use crate::node::{CONFIG, ENABLE, LINE_VTY, VIEW, order};
use crate::registry::{ConfigCommand, Mount, Negation, Registry};

use self::settings::{LINE_SETTINGS, PASSWORDS, SETTINGS};

/// The FRR release whose configuration and output we follow.
pub const FRR_RELEASE: &str = "10.3";

/// A daemon's configuration: holds the common part.
pub trait DaemonConfig: Clone + PartialEq + Default + Send + Sync + 'static {
    fn common(&self) -> &CommonConfig;
    fn common_mut(&mut self) -> &mut CommonConfig;
}

/// Severity of syslog, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    Emergencies,
    Alerts,
    Critical,
    Errors,
    Warnings,
    Notifications,
    Informational,
    Debugging,
}

impl LogLevel {
    const ALL: [(LogLevel, &'static str); 8] = [
        (LogLevel::Emergencies, "emergencies"),
        (LogLevel::Alerts, "alerts"),
        (LogLevel::Critical, "critical"),
        (LogLevel::Errors, "errors"),
        (LogLevel::Warnings, "warnings"),
        (LogLevel::Notifications, "notifications"),
        (LogLevel::Informational, "informational"),
        (LogLevel::Debugging, "debugging"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(level, _)| *level == self).map_or("debugging", |(_, name)| name)
    }

    /// A level by its name or the beginning of it (`--log-level debug`).
    pub fn from_name(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| !name.is_empty() && known.starts_with(name));
        found.map(|(level, _)| *level)
    }
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    pub file: Option<(String, LogLevel)>,
    pub stdout: Option<LogLevel>,
    pub syslog: Option<LogLevel>,
    pub facility: String,
    pub commands: bool,
    pub record_priority: bool,
    pub error_category: bool,
    pub unique_id: bool,
    pub immediate_mode: bool,
    /// Digits after the second.
    pub timestamp_precision: u8,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            file: None,
            stdout: None,
            syslog: None,
            facility: "daemon".to_owned(),
            commands: false,
            record_priority: false,
            error_category: true,
            unique_id: true,
            immediate_mode: false,
            timestamp_precision: 0,
        }
    }
}

/// Which set of defaults the daemon uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Defaults {
    #[default]
    Traditional,
    Datacenter,
}

/// `banner motd`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Banner {
    #[default]
    Default,
    None,
    Line(String),
}

/// A password as it was given: plain, or already a hash (`8`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    pub hashed: bool,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineVty {
    /// Minutes and seconds; ten minutes by default.
    pub exec_timeout: Option<(u32, u32)>,
    pub access_class: Option<String>,
    pub access_class6: Option<String>,
    pub login: Option<bool>,
}

/// The part of the configuration that every daemon has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommonConfig {
    pub hostname: Option<String>,
    pub domainname: Option<String>,
    pub defaults: Defaults,
    pub log: LogConfig,
    pub integrated_config: Option<bool>,
    pub advanced_vty: bool,
    pub cputime_stats_off: bool,
    pub cputime_warning: Option<u32>,
    pub walltime_warning: Option<u32>,
    pub terminal_length: Option<u16>,
    pub password: Option<Password>,
    pub enable_password: Option<Password>,
    pub users: BTreeSet<String>,
    pub banner: Banner,
    pub vty: LineVty,
    /// Lines of `debug` that are on.
    pub debug: BTreeSet<&'static str>,
}

/// A thing that `debug` switches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebugFlag {
    /// The whole line, keywords only: `debug bgp updates`.
    pub line: &'static str,
    pub help: &'static [&'static str],
    /// What `show debugging` says: `BGP updates debugging is on`.
    pub text: &'static str,
    /// The target of the log lines that it lets through.
    pub target: &'static str,
}

/// Commands outside configuration that every daemon answers in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommonExec {
    Version,
    Logging,
    RunningConfig,
    Memory,
    Debugging,
    /// Turns a debug flag on for as long as the daemon runs.
    Debug(&'static DebugFlag),
    NoDebug(&'static DebugFlag),
    /// Turns all of them off.
    NoDebugs,
    /// The same of the flags that begin with a word.
    DebuggingOf(&'static str),
    NoDebugsOf(&'static str),
    List,
    Find,
    /// The list of earlier configurations.
    Commits,
}

impl<C: DaemonConfig, H> Registry<C, H> {
    /// Adds what every daemon has.
    pub fn common_commands(&mut self) {
        self.mount(Mount::at(&CONFIG), SETTINGS, |config: &mut C, _, _| Ok(config.common_mut()));
        self.renderer(order::HEADER, |config: &C, lines| lines.settings(SETTINGS, config.common()));
        self.mount(Mount::at(&CONFIG), PASSWORDS, |config: &mut C, _, _| Ok(config.common_mut()));
        self.renderer(order::PASSWORD, |config: &C, lines| lines.settings(PASSWORDS, config.common()));
        self.mount(Mount::at(&LINE_VTY), LINE_SETTINGS, |config: &mut C, _, _| {
            Ok(&mut config.common_mut().vty)
        });
        self.command(
            ConfigCommand::new(
                &[&CONFIG],
                "line vty",
                &["Configure a terminal line", "Virtual terminal"],
                |_, _| Ok(()),
            )
            .no(Negation::Never)
            .enters(&LINE_VTY)
            .way("line vty"),
        );
        self.renderer(order::VTY, |config: &C, lines| {
            lines.section_if_any("line vty", &LINE_VTY, |lines| {
                lines.settings(LINE_SETTINGS, &config.common().vty);
            });
        });
        self.common("show version", &[SHOW, "Displays FRR version"], &[&VIEW, &ENABLE], CommonExec::Version);
        self.common(
            "show logging",
            &[SHOW, "Show current logging configuration"],
            &[&VIEW, &ENABLE],
            CommonExec::Logging,
        );
        let running = "Current operating configuration";
        self.common(
            "show running-config [no-header]",
            &[SHOW, running, "Skip \"Building configuration...\" header"],
            &[&ENABLE],
            CommonExec::RunningConfig,
        );
        self.common("show memory", &[SHOW, "Memory statistics"], &[&VIEW, &ENABLE], CommonExec::Memory);
        self.common(
            "show configuration commit list",
            &[SHOW, "Configuration information", "Commits of the configuration", "Earlier configurations"],
            &[&ENABLE],
            CommonExec::Commits,
        );
        self.common("list", &["Print command list"], &[&VIEW, &ENABLE], CommonExec::List);
        self.common(
            "find REGEX...",
            &["Find CLI command matching a regular expression", "Search pattern (POSIX regex)"],
            &[&VIEW, &ENABLE],
            CommonExec::Find,
        );
        for syntax in LOOK {
            self.refuse(&[&VIEW, &ENABLE], syntax);
        }
        for syntax in ACT {
            self.refuse(&[&ENABLE], syntax);
        }
        for syntax in DEBUG {
            self.refuse_on(&[&ENABLE, &CONFIG], syntax);
        }
        // Its `no` is understood: it turns off what is on.
        self.refuse(&[&ENABLE, &CONFIG], "debug all");
        for syntax in CONFIGURE {
            self.refuse_on(&[&CONFIG], syntax);
        }
    }

    /// Adds `debug` lines of the daemon, in configuration (kept) and outside (until the daemon ends), and `show debugging`.
    pub fn debug_flags(&mut self, flags: &'static [DebugFlag]) {
        if self.flags().is_empty() {
            self.debug_as_a_whole();
        }
        self.add_flags(flags);
        for flag in flags {
            let edit = |config: &mut C, edit: &crate::registry::Edit<'_>| {
                let debug = &mut config.common_mut().debug;
                if edit.negated {
                    debug.remove(flag.line)
                } else {
                    debug.insert(flag.line)
                };
                Ok(())
            };
            self.command(ConfigCommand::new(&[&CONFIG], flag.line, flag.help, edit).example(flag.line));
            self.common(flag.line, flag.help, &[&ENABLE], CommonExec::Debug(flag));
            let help: Vec<&str> =
                std::iter::once(crate::syntax::NO_HELP).chain(flag.help.iter().copied()).collect();
            self.common(&format!("no {}", flag.line), &help, &[&ENABLE], CommonExec::NoDebug(flag));
        }
        self.renderer(order::DEBUG, |config: &C, lines| {
            for flag in flags.iter().filter(|flag| config.common().debug.contains(flag.line)) {
                lines.line(flag.line);
            }
        });
    }

    /// `show debugging WORD` and `no debug WORD`: the flags whose lines begin with `debug WORD`.
    pub fn debug_group(&mut self, word: &'static str) {
        let help = [SHOW, "State of each debugging option", "Those of this protocol"];
        let show = format!("show debugging {word}");
        self.common(&show, &help, &[&VIEW, &ENABLE], CommonExec::DebuggingOf(word));
        let help = [crate::syntax::NO_HELP, "Debugging functions", "Those of this protocol"];
        let no = format!("no debug {word}");
        self.common(&no, &help, &[&ENABLE], CommonExec::NoDebugsOf(word));
        let edit = move |config: &mut C, _: &crate::registry::Edit<'_>| {
            config.common_mut().debug.retain(|line| !is_of(line, word));
            Ok(())
        };
        self.command(ConfigCommand::new(&[&CONFIG], &no, &help, edit).no(Negation::Never));
    }

    fn debug_as_a_whole(&mut self) {
        self.common(
            "show debugging",
            &[SHOW, "State of each debugging option"],
            &[&VIEW, &ENABLE],
            CommonExec::Debugging,
        );
        let help = [crate::syntax::NO_HELP, "Debugging functions", "All of them"];
        self.common("no debug all", &help, &[&ENABLE], CommonExec::NoDebugs);
        self.command(
            ConfigCommand::new(&[&CONFIG], "no debug all", &help, |config: &mut C, _| {
                config.common_mut().debug.clear();
                Ok(())
            })
            .no(Negation::Never),
        );
    }
}

/// What `show debugging` prints: a section for each protocol of a daemon. What is told by its line stands as it is.
pub fn debugging<'a>(
    daemon: &str,
    flags: impl Iterator<Item = &'a DebugFlag>,
    on: impl Fn(&DebugFlag) -> bool,
) -> String {
    let mut sections: Vec<(&str, String)> = Vec::new();
    for flag in flags {
        let title = title(daemon, flag.line);
        let section = match sections.iter().position(|(known, _)| *known == title) {
            Some(at) => at,
            None => {
                sections.push((title, String::new()));
                sections.len() - 1
            }
        };
        let Some((_, text)) = sections.get_mut(section).filter(|_| on(flag)) else { continue };
        text.push_str(if flag.text == flag.line { "" } else { "  " });
        text.push_str(flag.text);
        text.push('\n');
    }
    if sections.is_empty() {
        sections.push((title(daemon, ""), String::new()));
    }
    sections.into_iter().map(|(title, text)| format!("{title} debugging status:\n{text}\n")).collect()
}

/// FRR's name of what a line of `debug` is about.
fn title<'a>(daemon: &'a str, line: &str) -> &'a str {
    match daemon {
        "bgpd" => "BGP",
        "zebra" => "Zebra",
        "ospfd" if is_of(line, "ospf6") => "OSPF6",
        "ospfd" => "OSPF",
        other => other,
    }
}

/// Whether a line of `debug` begins with a word.
pub fn is_of(line: &str, word: &str) -> bool {
    line.strip_prefix("debug ")
        .and_then(|rest| rest.strip_prefix(word))
        .is_some_and(|rest| rest.starts_with(' '))
}

const SHOW: &str = "Show running system information";

/// What FRR's daemons have beside their protocols and ours do not: their threads, YANG trees and error codes.
const LOOK: &[&str] = &[
    "show configuration running",
    "show debugging hashtable",
    "show error",
    "show event",
    "show logging filter-text",
    "show modules",
    "show work-queues",
];
const ACT: &[&str] = &[
    "clear event cpu",
    "clear log",
    "logmsg",
    "no terminal monitor",
    "terminal monitor",
    "terminal no monitor",
    "who",
];
const DEBUG: &[&str] =
    &["debug prefix-list", "debug resolver", "debug route-map", "debug unique-id", "debug vrf"];
const CONFIGURE: &[&str] = &[
    "agentx",
    "allow-reserved-ranges",
    "banner motd file",
    "clear log",
    "log daemon",
    "log extended-syslog",
    "log filter-text",
    "log filtered-file",
];
