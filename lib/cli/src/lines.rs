//! The running configuration as a tree of lines and blocks, which vtysh merges over all daemons and prints.

use std::collections::HashMap;

use crate::node::Node;
use crate::registry::Setting;

/// A line, or a block with its header line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Place among its siblings, see [`crate::node::order`]; equal places keep their order.
    pub order: u16,
    pub text: String,
    pub body: Option<Body>,
}

/// The inside of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub items: Vec<Item>,
    /// The line that ends the block.
    pub exit: String,
}

/// Collects what a configuration renders to.
#[derive(Debug, Default)]
pub struct Lines {
    items: Vec<Item>,
    order: u16,
    prefix: String,
}

impl Lines {
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one line (after the prefix in force).
    pub fn line(&mut self, text: impl AsRef<str>) {
        let text = format!("{}{}", self.prefix, text.as_ref());
        self.items.push(Item { order: self.order, text, body: None });
    }

    /// Appends a block: header line, what `fill` renders one space further in, the node's exit line.
    pub fn section(&mut self, header: impl Into<String>, node: &Node, fill: impl FnOnce(&mut Lines)) {
        let mut inner = Lines::new();
        fill(&mut inner);
        let order = if self.order == 0 { node.order } else { self.order };
        let body = Some(Body { items: inner.items, exit: node.exit.to_owned() });
        self.items.push(Item { order, text: header.into(), body });
    }

    /// Appends a block only when something stands in it.
    pub fn section_if_any(&mut self, header: impl Into<String>, node: &Node, fill: impl FnOnce(&mut Lines)) {
        let before = self.items.len();
        self.section(header, node, fill);
        if self.items.last().and_then(|item| item.body.as_ref()).is_some_and(|body| body.items.is_empty()) {
            self.items.truncate(before);
        }
    }

    /// What `fill` appends begins with `prefix` and a space.
    pub fn with_prefix(&mut self, prefix: &str, fill: impl FnOnce(&mut Lines)) {
        let length = self.prefix.len();
        self.prefix.push_str(prefix);
        self.prefix.push(' ');
        fill(self);
        self.prefix.truncate(length);
    }

    /// What `fill` appends stands at that place of the running configuration.
    pub fn at(&mut self, order: u16, fill: impl FnOnce(&mut Lines)) {
        let outer = std::mem::replace(&mut self.order, order);
        fill(self);
        self.order = outer;
    }

    /// Appends the lines of every setting of a table, in the table's order.
    pub fn settings<T>(&mut self, settings: &[Setting<T>], value: &T) {
        for setting in settings {
            (setting.render)(value, self);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The tree, sorted by place.
    pub fn into_items(mut self) -> Vec<Item> {
        self.items.sort_by_key(|item| item.order);
        self.items
    }
}

/// Joins another daemon's tree into this one: the same header is one block with the lines of both, the same line is one.
pub fn merge(into: &mut Vec<Item>, other: Vec<Item>) {
    let mut known: HashMap<String, usize> =
        into.iter().enumerate().map(|(at, item)| (item.text.clone(), at)).collect();
    for item in other {
        match known.get(&item.text).copied().and_then(|at| into.get_mut(at)) {
            Some(mine) => match (&mut mine.body, item.body) {
                (Some(mine), Some(theirs)) => merge(&mut mine.items, theirs.items),
                (slot @ None, theirs) => *slot = theirs,
                (Some(_), None) => {}
            },
            None => {
                known.insert(item.text.clone(), into.len());
                into.push(item);
            }
        }
    }
    into.sort_by_key(|item| item.order);
}

/// A line that appears or goes between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Headers of the blocks around it, outermost first.
    pub context: Vec<String>,
    pub line: String,
    pub added: bool,
}

/// What must go and what must be added to get from one tree to another. A new or vanished block is told whole.
pub fn diff(old: &[Item], new: &[Item]) -> Vec<Change> {
    let mut changes = Vec::new();
    diff_level(old, new, &mut Vec::new(), &mut changes);
    changes
}

fn diff_level(old: &[Item], new: &[Item], context: &mut Vec<String>, changes: &mut Vec<Change>) {
    let index = |items: &[Item]| -> HashMap<String, usize> {
        items.iter().enumerate().map(|(at, item)| (item.text.clone(), at)).collect()
    };
    let (old_index, new_index) = (index(old), index(new));
    for item in old.iter().filter(|item| !new_index.contains_key(&item.text)) {
        changes.push(Change { context: context.clone(), line: item.text.clone(), added: false });
    }
    for item in new {
        let before = old_index.get(&item.text).and_then(|&at| old.get(at));
        if before.is_none() {
            changes.push(Change { context: context.clone(), line: item.text.clone(), added: true });
        }
        if let Some(body) = &item.body {
            let before = before.and_then(|item| item.body.as_ref()).map_or(&[][..], |body| &body.items);
            context.push(item.text.clone());
            diff_level(before, &body.items, context, changes);
            context.pop();
        }
    }
}

/// The tree as text in FRR's form: `!` after every block and between groups of lines.
pub fn print(items: &[Item]) -> String {
    let mut text = String::new();
    print_level(items, 0, &mut text);
    text
}

/// The whole of a running configuration: the tree under the lines that say which FRR it is for, and `end`.
pub fn print_running(items: &[Item]) -> String {
    let body = print(items);
    let defaults = if body.starts_with("frr defaults ") { "" } else { "frr defaults traditional\n" };
    let separator =
        if items.first().is_some_and(|item| item.order == 0 && item.body.is_none()) { "" } else { "!\n" };
    format!("frr version {}\n{defaults}{separator}{body}end\n", crate::common::FRR_RELEASE)
}

fn print_level(items: &[Item], depth: usize, text: &mut String) {
    let indent = " ".repeat(depth);
    let mut last_order = items.first().map(|item| item.order);
    // At the top every group of lines and every block is followed by `!`; inside, a block is preceded by one.
    let mut open = false;
    for item in items {
        if depth == 0 && open && (item.body.is_some() || Some(item.order) != last_order) {
            text.push_str("!\n");
            open = false;
        }
        last_order = Some(item.order);
        match &item.body {
            None => {
                text.push_str(&format!("{indent}{}\n", item.text));
                open = true;
            }
            Some(body) => {
                // Except for the keys of a chain, which stand close.
                if depth > 0 && item.order != crate::node::order::KEYCHAIN {
                    text.push_str(&format!("{indent}!\n"));
                }
                text.push_str(&format!("{indent}{}\n", item.text));
                print_level(&body.items, depth + 1, text);
                text.push_str(&format!("{indent}{}\n", body.exit));
                if depth == 0 {
                    text.push_str("!\n");
                }
            }
        }
    }
    if depth == 0 && open {
        text.push_str("!\n");
    }
}
