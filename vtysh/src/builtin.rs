//! The shell's own commands.

/// What a command of the shell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    Enable,
    Disable,
    Configure,
    Exit,
    End,
    List,
    Help,
    Find,
    ShowVersion,
    ShowRunning,
    ShowHistory,
    ShowDaemons,
    ShowStartup,
    Write,
    WriteTerminal,
    Copy,
    Rollback,
    Paginate,
    NoPaginate,
    TerminalLength,
}

pub struct Declared {
    pub what: Builtin,
    pub nodes: &'static [&'static str],
    pub syntax: &'static str,
    pub help: &'static [&'static str],
}

const OUTSIDE: &[&str] = &["view", "enable"];
const PRIVILEGED: &[&str] = &["enable"];
const CONFIGURING: &[&str] = &["enable", "config"];

const SHOW: &str = "Show running system information";

/// `exit`, `end`, `list` and `find` work in every node; the session knows them without a node's grammar.
pub const ALL: &[Declared] = &[
    Declared {
        what: Builtin::Enable,
        nodes: OUTSIDE,
        syntax: "enable",
        help: &["Turn on privileged mode command"],
    },
    Declared {
        what: Builtin::Disable,
        nodes: PRIVILEGED,
        syntax: "disable",
        help: &["Turn off privileged mode command"],
    },
    Declared {
        what: Builtin::Configure,
        nodes: PRIVILEGED,
        syntax: "configure [terminal [file-lock]]",
        help: &[
            "Configuration from vty interface",
            "Configuration terminal",
            "Configuration with locked datastores",
        ],
    },
    Declared {
        what: Builtin::Exit,
        nodes: OUTSIDE,
        syntax: "exit",
        help: &["Exit current mode and down to previous mode"],
    },
    Declared {
        what: Builtin::Exit,
        nodes: OUTSIDE,
        syntax: "quit",
        help: &["Exit current mode and down to previous mode"],
    },
    Declared {
        what: Builtin::End,
        nodes: PRIVILEGED,
        syntax: "end",
        help: &["End current mode and change to enable mode"],
    },
    Declared {
        what: Builtin::List,
        nodes: OUTSIDE,
        syntax: "list [permutations]",
        help: &["Print command list", "As it is: no command is written out in all its forms"],
    },
    Declared { what: Builtin::Help, nodes: OUTSIDE, syntax: "help", help: &["How to get help"] },
    Declared {
        what: Builtin::TerminalLength,
        nodes: OUTSIDE,
        syntax: "terminal no length",
        help: &["Set terminal line parameters", "No limit", "Set number of lines on a screen"],
    },
    Declared {
        what: Builtin::Write,
        nodes: PRIVILEGED,
        syntax: "copy running-config startup-config",
        help: &["Copy from a file", "Current operating configuration", "Contents of startup configuration"],
    },
    Declared {
        what: Builtin::Find,
        nodes: OUTSIDE,
        syntax: "find REGEX...",
        help: &["Find CLI command matching a regular expression", "Search pattern"],
    },
    Declared {
        what: Builtin::ShowVersion,
        nodes: OUTSIDE,
        syntax: "show version",
        help: &[SHOW, "Displays FRR version"],
    },
    Declared {
        what: Builtin::ShowRunning,
        nodes: PRIVILEGED,
        syntax: "show running-config [WORD$daemon] [no-header]",
        help: &[
            SHOW,
            "Current operating configuration",
            "Daemon",
            "Skip \"Building configuration...\" header",
        ],
    },
    Declared {
        what: Builtin::ShowRunning,
        nodes: PRIVILEGED,
        syntax: "show running-config [no-header]",
        help: &[SHOW, "Current operating configuration", "Skip \"Building configuration...\" header"],
    },
    Declared {
        what: Builtin::ShowHistory,
        nodes: OUTSIDE,
        syntax: "show history",
        help: &[SHOW, "The list of commands stored in history"],
    },
    Declared {
        what: Builtin::ShowDaemons,
        nodes: OUTSIDE,
        syntax: "show daemons",
        help: &[SHOW, "Show list of running daemons"],
    },
    Declared {
        what: Builtin::ShowStartup,
        nodes: PRIVILEGED,
        syntax: "show startup-config",
        help: &[SHOW, "Contents of startup configuration"],
    },
    Declared {
        what: Builtin::Write,
        nodes: CONFIGURING,
        syntax: "write [memory|file|integrated]",
        help: &[
            "Write running configuration to memory, network, or terminal",
            "Write configuration to the file (same as write file)",
            "Write configuration to the file (same as write memory)",
            "Write configuration all daemons to frr.conf",
        ],
    },
    Declared {
        what: Builtin::WriteTerminal,
        nodes: CONFIGURING,
        syntax: "write terminal [WORD$daemon] [no-header]",
        help: &[
            "Write running configuration to memory, network, or terminal",
            "Write to terminal",
            "Daemon",
            "Skip \"Building configuration...\" header",
        ],
    },
    Declared {
        what: Builtin::Copy,
        nodes: PRIVILEGED,
        syntax: "copy FILENAME running-config",
        help: &["Copy from a file", "File to copy from", "Add it to the running configuration"],
    },
    Declared {
        what: Builtin::Rollback,
        nodes: PRIVILEGED,
        syntax: "rollback configuration (1-20)",
        help: &[
            "Go back to an earlier state",
            "Running configuration",
            "That many commits back, in every daemon",
        ],
    },
    Declared {
        what: Builtin::Paginate,
        nodes: OUTSIDE,
        syntax: "terminal paginate",
        help: &["Set terminal line parameters", "Use pager for output scrolling"],
    },
    Declared {
        what: Builtin::NoPaginate,
        nodes: OUTSIDE,
        syntax: "no terminal paginate",
        help: &[
            "Negate a command or set its defaults",
            "Set terminal line parameters",
            "Use pager for output scrolling",
        ],
    },
    Declared {
        what: Builtin::TerminalLength,
        nodes: OUTSIDE,
        syntax: "terminal length (0-4294967295)",
        help: &[
            "Set terminal line parameters",
            "Set number of lines on a screen",
            "Number of lines on screen (0 for no pausing)",
        ],
    },
    Declared {
        what: Builtin::TerminalLength,
        nodes: OUTSIDE,
        syntax: "no terminal length [(0-4294967295)]",
        help: &[
            "Negate a command or set its defaults",
            "Set terminal line parameters",
            "Set number of lines on a screen",
            "Number of lines on screen (0 for no pausing)",
        ],
    },
];
