//! What can be wrong with a line.

use ferrite_types::ParseError;

/// Why a line was not carried out. `Display` is the text the shell prints, `%` sign included.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CliError {
    #[error("% Unknown command")]
    Unknown,
    #[error("% Ambiguous command")]
    Ambiguous,
    #[error("% Command incomplete")]
    Incomplete,
    /// The line was understood and refused: a value that cannot be, an object that is not there.
    #[error("% {0}")]
    Refused(String),
}

impl CliError {
    /// A refusal; the `% ` in front is added when it is printed.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(reason.into())
    }
}

impl From<ParseError> for CliError {
    fn from(error: ParseError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// A line that the grammar does not know, with what it would have taken at the place where it stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SyntaxError {
    pub kind: CliError,
    /// Octet offset in the line where the first word that fits nothing begins (the end of the line if words are missing).
    pub column: usize,
    /// Tokens that would have been accepted at that place; `<cr>` for the end of the line.
    pub expected: Vec<String>,
}
