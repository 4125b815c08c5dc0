//! Commands that a daemon knows by name and refuses.
//!
//! An operator who types one is told that it is missing, and a file with one does not load as if nothing were. What is
//! refused is not offered by help. Its `no` form says nothing new and is taken.

use crate::node::Node;
use crate::registry::{Action, Entry, Registry};
use crate::syntax;

const HELP: &str = "Not supported by this version";

impl<C: 'static, H> Registry<C, H> {
    /// Refuses lines that begin like this, in the notation of commands, with anything behind it.
    pub fn refuse(&mut self, nodes: &[&'static Node], beginning: &str) {
        self.known_by_name(nodes, &format!("{beginning} [LINE...]"), Action::Refused);
    }

    /// The same for a command that switches something on, and takes what switches it off.
    pub fn refuse_on(&mut self, nodes: &[&'static Node], beginning: &str) {
        self.refuse(nodes, beginning);
        self.known_by_name(nodes, &format!("no {beginning} [LINE...]"), Action::Nothing);
    }

    fn known_by_name(&mut self, nodes: &[&'static Node], syntax: &str, action: Action<H>) {
        let tokens = syntax::parse(syntax, &[]).map_or(0, |parsed| parsed.tokens);
        let help = vec![HELP.to_owned(); tokens];
        let (nodes, syntax) = (nodes.to_vec(), syntax.to_owned());
        self.add(Entry { nodes, syntax, help, enters: None, hidden: true, action });
    }
}

/// What is said of a line that is refused by name.
pub fn said(line: &str) -> crate::CliError {
    crate::CliError::refused(format!("{line} is not supported by this version"))
}
