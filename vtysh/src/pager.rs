//! Where output goes: through the filters to the standard output or a pager.

use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};

use crate::pipe::Filters;

pub struct Sink {
    filters: Filters,
    pager: Option<Child>,
    /// Reused between pieces.
    passed: Vec<u8>,
}

impl Sink {
    pub fn new(filters: Filters, paginate: bool) -> Self {
        let pager = if paginate && io::stdout().is_terminal() { start_pager() } else { None };
        Self { filters, pager, passed: Vec::new() }
    }

    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.filters.feed(piece, &mut self.passed);
        self.flush()
    }

    /// The output is complete: what the filters held back, and the end of the pager.
    pub fn finish(mut self) -> io::Result<()> {
        self.filters.finish(&mut self.passed);
        let flushed = self.flush();
        if let Some(mut pager) = self.pager {
            drop(pager.stdin.take());
            pager.wait()?;
        }
        flushed
    }

    fn flush(&mut self) -> io::Result<()> {
        let passed = std::mem::take(&mut self.passed);
        match self.pager.as_mut().and_then(|pager| pager.stdin.as_mut()) {
            Some(pager) => pager.write_all(&passed),
            None => {
                let mut out = io::stdout().lock();
                out.write_all(&passed)?;
                out.flush()
            }
        }
    }
}

/// `VTYSH_PAGER`, else `more`. Without a pager output is simply printed.
fn start_pager() -> Option<Child> {
    let command = std::env::var("VTYSH_PAGER").unwrap_or_else(|_| "more".to_owned());
    let mut words = command.split_whitespace();
    let program = words.next()?;
    Command::new(program).args(words).stdin(Stdio::piped()).spawn().ok()
}
