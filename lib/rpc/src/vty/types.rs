//! What the contract says, as plain types.

/// Who a daemon is, and its grammar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub pid: u32,
    /// As configured; empty if not.
    pub hostname: String,
    pub contract: (u32, u32),
    pub nodes: Vec<NodeInfo>,
    pub commands: Vec<CommandInfo>,
}

/// A place in the shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeInfo {
    pub name: String,
    pub prompt: String,
    /// Empty at the top.
    pub parent: String,
    pub exit: String,
}

/// A command of the grammar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandInfo {
    pub nodes: Vec<String>,
    pub syntax: String,
    pub help: Vec<String>,
    /// Node that the line opens; empty if none.
    pub enters: String,
    pub hidden: bool,
    /// Known by name and not supported.
    pub refused: bool,
}

/// A line to carry out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecuteLine {
    /// `view`, `enable` or `config`.
    pub node: String,
    pub context: Vec<String>,
    pub line: String,
}

/// FRR's result of a line, with FRR's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Status {
    #[default]
    Success,
    Warning,
    Unknown,
    Ambiguous,
    Incomplete,
    Refused,
}

impl Status {
    pub fn number(self) -> u8 {
        match self {
            Status::Success => 0,
            Status::Warning => 1,
            Status::Unknown => 2,
            Status::Ambiguous => 3,
            Status::Incomplete => 4,
            Status::Refused => 13,
        }
    }

    pub fn from_number(number: u32) -> Self {
        match number {
            0 => Status::Success,
            2 => Status::Unknown,
            3 => Status::Ambiguous,
            4 => Status::Incomplete,
            13 => Status::Refused,
            _ => Status::Warning,
        }
    }
}

/// How a line ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecuteResult {
    pub status: Status,
    /// What is wrong, `%` included; empty on success.
    pub message: String,
    /// Octets from the start of the line.
    pub column: u32,
    pub expected: Vec<String>,
    /// Node that the line opened.
    pub entered: Option<String>,
}

/// A line of the running configuration, or a block of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigItem {
    pub order: u16,
    pub text: String,
    pub body: Option<ConfigBody>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigBody {
    pub items: Vec<ConfigItem>,
    pub exit: String,
}

/// A line of a configuration text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigLine {
    pub number: u32,
    pub text: String,
}

/// A configuration that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// To be committed or aborted.
    pub token: u64,
    pub changes: Vec<ConfigChange>,
    /// Changes beyond those listed.
    pub more_changes: u32,
    /// What the change would interrupt, in words.
    pub resets: Vec<String>,
}

/// A line that appears or goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigChange {
    pub context: Vec<String>,
    pub line: String,
    pub added: bool,
}

/// A line that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineError {
    pub line: u32,
    /// From 1.
    pub column: u32,
    pub text: String,
    pub status: Status,
    pub message: String,
    pub expected: Vec<String>,
}
