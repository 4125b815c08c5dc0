//! The settings that every daemon has, each with its grammar, its effect and its rendering.

use super::{Banner, CommonConfig, Defaults, LineVty, LogConfig, LogLevel, Password};
use crate::args::Args;
use crate::error::CliError;
use crate::lines::Lines;
use crate::registry::{Negation, Setting};

const LOG: &str = "Logging control";
const SERVICE: &str = "Set up miscellaneous service";

/// `<emergencies|...>` as a grammar.
macro_rules! level_syntax {
    ($head:literal) => {
        concat!(
            $head,
            " [<emergencies|alerts|critical|errors|warnings|notifications|informational|debugging>$level]"
        )
    };
}

/// Help of a log destination: its own texts, then one per level.
macro_rules! level_help {
    ($($head:expr),+) => {
        &[
            $($head,)+
            "System is unusable",
            "Immediate action needed",
            "Critical conditions",
            "Error conditions",
            "Warning conditions",
            "Normal but significant conditions",
            "Informational messages",
            "Debugging messages",
        ]
    };
}

fn level(args: &Args) -> LogLevel {
    args.get("level").and_then(LogLevel::from_name).unwrap_or(LogLevel::Debugging)
}

fn destination(lines: &mut Lines, head: &str, level: LogLevel) {
    match level {
        LogLevel::Debugging => lines.line(head),
        level => lines.line(format!("{head} {}", level.name())),
    }
}

/// A setting that is on or off.
macro_rules! switch {
    ($syntax:literal, [$($help:expr),+], $($field:ident).+) => {
        Setting {
            syntax: $syntax,
            help: &[$($help),+],
            no: Negation::Derived,
            set: |config, _| { config.$($field).+ = true; Ok(()) },
            unset: |config, _| { config.$($field).+ = false; Ok(()) },
            render: |config, lines| if config.$($field).+ { lines.line($syntax); },
            examples: &[$syntax],
        }
    };
}

/// A setting that is on until `no`.
macro_rules! switch_off {
    ($syntax:literal, [$($help:expr),+], $($field:ident).+) => {
        Setting {
            syntax: $syntax,
            help: &[$($help),+],
            no: Negation::Derived,
            set: |config, _| { config.$($field).+ = true; Ok(()) },
            unset: |config, _| { config.$($field).+ = false; Ok(()) },
            render: |config, lines| if !config.$($field).+ { lines.line(concat!("no ", $syntax)); },
            examples: &[concat!("no ", $syntax)],
        }
    };
}

/// Rendered in this order, which is FRR's.
pub(super) static SETTINGS: &[Setting<CommonConfig>] = &[
    Setting {
        syntax: "frr version LINE...",
        help: &["FRRouting global parameters", "FRRouting configuration version", "Version string"],
        no: Negation::Never,
        // Of the file that is read, not of the daemon: nothing depends on it.
        set: |_, _| Ok(()),
        unset: |_, _| Ok(()),
        render: |_, _| {},
        examples: &[],
    },
    Setting {
        syntax: "frr defaults <traditional|datacenter>$profile",
        help: &[
            "FRRouting global parameters",
            "Set of configuration defaults used",
            "Defaults of the standards",
            "Defaults for data centers",
        ],
        no: Negation::Never,
        set: |config, args| {
            let datacenter = args.get("profile") == Some("datacenter");
            config.defaults = if datacenter { Defaults::Datacenter } else { Defaults::Traditional };
            Ok(())
        },
        unset: |_, _| Ok(()),
        render: |config, lines| match config.defaults {
            Defaults::Traditional => {}
            Defaults::Datacenter => lines.line("frr defaults datacenter"),
        },
        examples: &["frr defaults datacenter"],
    },
    Setting {
        syntax: "hostname WORD",
        help: &["Set system's network name", "This system's network name"],
        no: Negation::Derived,
        set: |config, args| {
            config.hostname = args.get("WORD").map(str::to_owned);
            Ok(())
        },
        unset: |config, _| {
            config.hostname = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(name) = &config.hostname {
                lines.line(format!("hostname {name}"));
            }
        },
        examples: &["hostname r1"],
    },
    Setting {
        syntax: "domainname WORD",
        help: &["Set system's domain name", "This system's domain name"],
        no: Negation::Derived,
        set: |config, args| {
            config.domainname = args.get("WORD").map(str::to_owned);
            Ok(())
        },
        unset: |config, _| {
            config.domainname = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(name) = &config.domainname {
                lines.line(format!("domainname {name}"));
            }
        },
        examples: &["domainname example.net"],
    },
    Setting {
        syntax: level_syntax!("log file FILENAME"),
        help: level_help!(LOG, "Logging to file", "Logging filename"),
        no: Negation::Syntax("no log file [FILENAME [LINE...]]"),
        set: |config, args| {
            config.log.file = args.get("FILENAME").map(|name| (name.to_owned(), level(args)));
            Ok(())
        },
        unset: |config, _| {
            config.log.file = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some((name, level)) = &config.log.file {
                destination(lines, &format!("log file {name}"), *level);
            }
        },
        examples: &["log file /var/log/frr/frr.log", "log file x.log informational"],
    },
    Setting {
        syntax: level_syntax!("log stdout"),
        help: level_help!(LOG, "Set stdout logging level"),
        no: Negation::Derived,
        set: |config, args| {
            config.log.stdout = Some(level(args));
            Ok(())
        },
        unset: |config, _| {
            config.log.stdout = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(level) = config.log.stdout {
                destination(lines, "log stdout", level);
            }
        },
        examples: &["log stdout", "log stdout errors"],
    },
    Setting {
        syntax: level_syntax!("log syslog"),
        help: level_help!(LOG, "Set syslog logging level"),
        no: Negation::Syntax("no log syslog [LINE...]"),
        set: |config, args| {
            config.log.syslog = Some(level(args));
            Ok(())
        },
        unset: |config, _| {
            config.log.syslog = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(level) = config.log.syslog {
                destination(lines, "log syslog", level);
            }
        },
        examples: &["log syslog informational"],
    },
    Setting {
        syntax: level_syntax!("log monitor"),
        help: level_help!(LOG, "Set terminal line (monitor) logging level"),
        no: Negation::Derived,
        // FRR reads it and does nothing with it any more.
        set: |_, _| Ok(()),
        unset: |_, _| Ok(()),
        render: |_, _| {},
        examples: &[],
    },
    Setting {
        syntax: "log facility <kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|local0|local1|local2|local3|local4|local5|local6|local7>$facility",
        help: &[
            LOG,
            "Facility parameter for syslog messages",
            "Kernel",
            "User process",
            "Mail system",
            "System daemons",
            "Authorization system",
            "Syslog itself",
            "Line printer system",
            "USENET news",
            "Unix-to-Unix copy system",
            "Cron/at facility",
            "Local use",
            "Local use",
            "Local use",
            "Local use",
            "Local use",
            "Local use",
            "Local use",
            "Local use",
        ],
        no: Negation::Syntax("no log facility [WORD]"),
        set: |config, args| {
            if let Some(facility) = args.get("facility") {
                facility.clone_into(&mut config.log.facility);
            }
            Ok(())
        },
        unset: |config, _| {
            config.log.facility = LogConfig::default().facility;
            Ok(())
        },
        render: |config, lines| {
            if config.log.facility != LogConfig::default().facility {
                lines.line(format!("log facility {}", config.log.facility));
            }
        },
        examples: &["log facility local6"],
    },
    switch!(
        "log record-priority",
        [LOG, "Log the priority of the message within the message"],
        log.record_priority
    ),
    Setting {
        syntax: "log timestamp precision (0-12)",
        help: &[LOG, "Timestamp configuration", "Set the timestamp precision", "Number of subsecond digits"],
        no: Negation::Derived,
        set: |config, args| {
            config.log.timestamp_precision = args.parse("(0-12)")?;
            Ok(())
        },
        unset: |config, _| {
            config.log.timestamp_precision = 0;
            Ok(())
        },
        render: |config, lines| {
            if config.log.timestamp_precision > 0 {
                lines.line(format!("log timestamp precision {}", config.log.timestamp_precision));
            }
        },
        examples: &["log timestamp precision 6"],
    },
    switch_off!(
        "log error-category",
        [LOG, "Prefix log message text with [EC 9999] code"],
        log.error_category
    ),
    switch_off!(
        "log unique-id",
        [LOG, "Prefix log message text with [XXXXX-XXXXX] identifier"],
        log.unique_id
    ),
    switch!("log immediate-mode", [LOG, "Output immediately, without buffering"], log.immediate_mode),
    switch!("service advanced-vty", [SERVICE, "Enable advanced mode vty interface"], advanced_vty),
    Setting {
        syntax: "service password-encryption",
        help: &[SERVICE, "Enable encrypted passwords"],
        no: Negation::Derived,
        // What is shown would have to be hashed as FRR hashes it, with an algorithm that hides nothing any more.
        set: |_, _| Err(CliError::refused("service password-encryption is not supported by this version")),
        unset: |_, _| Ok(()),
        render: |_, _| {},
        examples: &[],
    },
    Setting {
        syntax: "service terminal-length (0-512)",
        help: &[
            SERVICE,
            "System wide terminal length configuration",
            "Number of lines of VTY (0 means no line control)",
        ],
        no: Negation::Derived,
        set: |config, args| {
            config.terminal_length = args.parse_opt("(0-512)")?;
            Ok(())
        },
        unset: |config, _| {
            config.terminal_length = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(length) = config.terminal_length {
                lines.line(format!("service terminal-length {length}"));
            }
        },
        examples: &["service terminal-length 0"],
    },
    Setting {
        syntax: "service integrated-vtysh-config",
        help: &[SERVICE, "Write configuration into integrated file"],
        no: Negation::Derived,
        set: |config, _| {
            config.integrated_config = Some(true);
            Ok(())
        },
        unset: |config, _| {
            config.integrated_config = Some(false);
            Ok(())
        },
        render: |config, lines| match config.integrated_config {
            Some(true) => lines.line("service integrated-vtysh-config"),
            Some(false) => lines.line("no service integrated-vtysh-config"),
            None => {}
        },
        examples: &["service integrated-vtysh-config", "no service integrated-vtysh-config"],
    },
    Setting {
        syntax: "service cputime-stats",
        help: &[SERVICE, "Collect CPU usage statistics"],
        no: Negation::Derived,
        set: |config, _| {
            config.cputime_stats_off = false;
            Ok(())
        },
        unset: |config, _| {
            config.cputime_stats_off = true;
            Ok(())
        },
        render: |config, lines| {
            if config.cputime_stats_off {
                lines.line("no service cputime-stats");
            }
        },
        examples: &["no service cputime-stats"],
    },
    Setting {
        syntax: "service cputime-warning (1-4294967295)",
        help: &[SERVICE, "Warn for tasks exceeding CPU usage threshold", "Warning threshold in milliseconds"],
        no: Negation::Derived,
        set: |config, args| {
            config.cputime_warning = args.parse_opt("(1-4294967295)")?;
            Ok(())
        },
        unset: |config, _| {
            config.cputime_warning = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(milliseconds) = config.cputime_warning {
                lines.line(format!("service cputime-warning {milliseconds}"));
            }
        },
        examples: &["service cputime-warning 5000"],
    },
    Setting {
        syntax: "service walltime-warning (1-4294967295)",
        help: &[
            SERVICE,
            "Warn for tasks exceeding total wallclock threshold",
            "Warning threshold in milliseconds",
        ],
        no: Negation::Derived,
        set: |config, args| {
            config.walltime_warning = args.parse_opt("(1-4294967295)")?;
            Ok(())
        },
        unset: |config, _| {
            config.walltime_warning = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(milliseconds) = config.walltime_warning {
                lines.line(format!("service walltime-warning {milliseconds}"));
            }
        },
        examples: &["service walltime-warning 5000"],
    },
    switch!("log commands", [LOG, "Log all commands"], log.commands),
    Setting {
        syntax: "banner motd <default|line LINE...>",
        help: &["Set banner", "Strings for motd", "Default string", "Set MOTD as a line", "Text"],
        no: Negation::Syntax("no banner motd [LINE...]"),
        set: |config, args| {
            config.banner = args.get("LINE").map_or(Banner::Default, |text| Banner::Line(text.to_owned()));
            Ok(())
        },
        unset: |config, _| {
            config.banner = Banner::None;
            Ok(())
        },
        render: |config, lines| match &config.banner {
            Banner::Default => {}
            Banner::None => lines.line("no banner motd"),
            Banner::Line(text) => lines.line(format!("banner motd line {text}")),
        },
        examples: &["banner motd line welcome home", "no banner motd"],
    },
    Setting {
        syntax: "username WORD nopassword",
        help: &["User", "Name of the user", "Use no password"],
        no: Negation::Syntax("no username WORD [nopassword]"),
        set: |config, args| {
            config.users.extend(args.get("WORD").map(str::to_owned));
            Ok(())
        },
        unset: |config, args| {
            config.users.remove(args.get("WORD").unwrap_or_default());
            Ok(())
        },
        render: |config, lines| {
            for user in &config.users {
                lines.line(format!("username {user} nopassword"));
            }
        },
        examples: &["username joe nopassword"],
    },
];

fn password(args: &Args) -> Option<Password> {
    let text = args.get("WORD")?.to_owned();
    Some(Password { hashed: args.has("(8-8)"), text })
}

fn password_line(lines: &mut Lines, head: &str, password: Option<&Password>) {
    if let Some(Password { hashed, text }) = password {
        lines.line(format!("{head} {}{text}", if *hashed { "8 " } else { "" }));
    }
}

pub(super) static PASSWORDS: &[Setting<CommonConfig>] = &[
    Setting {
        syntax: "password [(8-8)] WORD",
        help: &[
            "Modify the terminal connection password",
            "Specifies a HIDDEN password will follow",
            "The password string",
        ],
        no: Negation::Derived,
        set: |config, args| {
            config.password = password(args);
            Ok(())
        },
        unset: |config, _| {
            config.password = None;
            Ok(())
        },
        render: |config, lines| password_line(lines, "password", config.password.as_ref()),
        examples: &["password zebra", "password 8 kjQhLVh5Xwc/E"],
    },
    Setting {
        syntax: "enable password [(8-8)] WORD",
        help: &[
            "Modify enable password parameters",
            "Assign the privileged level password",
            "Specifies a HIDDEN password will follow",
            "The 'enable' password string",
        ],
        no: Negation::Derived,
        set: |config, args| {
            config.enable_password = password(args);
            Ok(())
        },
        unset: |config, _| {
            config.enable_password = None;
            Ok(())
        },
        render: |config, lines| password_line(lines, "enable password", config.enable_password.as_ref()),
        examples: &["enable password zebra"],
    },
];

pub(super) static LINE_SETTINGS: &[Setting<LineVty>] = &[
    Setting {
        syntax: "exec-timeout (0-35791) [(0-2147483)]",
        help: &["Set timeout value", "Timeout value in minutes", "Timeout value in seconds"],
        no: Negation::Syntax("no exec-timeout"),
        set: |line, args| {
            let seconds = args.parse_opt("(0-2147483)")?.unwrap_or(0);
            line.exec_timeout = Some((args.parse("(0-35791)")?, seconds));
            Ok(())
        },
        unset: |line, _| {
            line.exec_timeout = None;
            Ok(())
        },
        render: |line, lines| {
            if let Some((minutes, seconds)) = line.exec_timeout {
                lines.line(format!("exec-timeout {minutes} {seconds}"));
            }
        },
        examples: &["exec-timeout 5 0"],
    },
    Setting {
        syntax: "access-class WORD",
        help: &["Filter connections based on an IP access list", "IP access list"],
        no: Negation::Derived,
        set: |line, args| {
            line.access_class = args.get("WORD").map(str::to_owned);
            Ok(())
        },
        unset: |line, _| {
            line.access_class = None;
            Ok(())
        },
        render: |line, lines| {
            if let Some(name) = &line.access_class {
                lines.line(format!("access-class {name}"));
            }
        },
        examples: &["access-class LIST"],
    },
    Setting {
        syntax: "ipv6 access-class WORD",
        help: &["IPv6 information", "Filter connections based on an IP access list", "IPv6 access list"],
        no: Negation::Derived,
        set: |line, args| {
            line.access_class6 = args.get("WORD").map(str::to_owned);
            Ok(())
        },
        unset: |line, _| {
            line.access_class6 = None;
            Ok(())
        },
        render: |line, lines| {
            if let Some(name) = &line.access_class6 {
                lines.line(format!("ipv6 access-class {name}"));
            }
        },
        examples: &["ipv6 access-class LIST"],
    },
    Setting {
        syntax: "login",
        help: &["Enable password checking"],
        no: Negation::Derived,
        set: |line, _| {
            line.login = None;
            Ok(())
        },
        unset: |line, _| {
            line.login = Some(false);
            Ok(())
        },
        render: |line, lines| {
            if line.login == Some(false) {
                lines.line("no login");
            }
        },
        examples: &["no login"],
    },
];
