//! AS-path access lists: regular expressions over a path's text, first match decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Action, Counter};

/// One rule: the expression as it was entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AsPathRule {
    pub action: Action,
    pub pattern: String,
}

/// A named list as configured.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AsPathList {
    pub rules: BTreeMap<u32, AsPathRule>,
}

#[derive(Debug)]
struct CompiledRule {
    action: Action,
    /// `None` for an expression that does not compile; the command refuses those, so nothing matches it.
    regex: Option<regex::Regex>,
    hits: Counter,
}

/// A list ready for evaluation.
#[derive(Debug)]
pub struct CompiledAsPathList {
    pub source: Arc<AsPathList>,
    rules: Vec<CompiledRule>,
}

impl CompiledAsPathList {
    pub fn new(source: Arc<AsPathList>) -> Self {
        let rules = source
            .rules
            .values()
            .map(|rule| CompiledRule {
                action: rule.action,
                regex: crate::regex::compile(&rule.pattern).ok(),
                hits: Counter::default(),
            })
            .collect();
        Self { source, rules }
    }

    /// Goes on with the counts of the rules that `old` has at the same place.
    pub(crate) fn keep_counts(&mut self, old: &Self) {
        let before = old.source.rules.iter().zip(old.rules.iter().map(|rule| &rule.hits));
        let now = self.rules.iter_mut().map(|rule| &mut rule.hits);
        crate::carry_counts(before, self.source.rules.iter().zip(now));
    }

    /// Whether the path, written as text, is permitted; what nothing matches is denied.
    pub fn permits(&self, path: &str) -> bool {
        self.find(path).is_some_and(|(_, rule)| {
            rule.hits.hit();
            rule.action.is_permit()
        })
    }

    fn find(&self, path: &str) -> Option<(usize, &CompiledRule)> {
        let matches = |rule: &CompiledRule| rule.regex.as_ref().is_some_and(|regex| regex.is_match(path));
        self.rules.iter().enumerate().find(|(_, rule)| matches(rule))
    }

    /// The rule that decides on a path, with its number; nothing is counted.
    pub fn decide(&self, path: &str) -> Option<(u32, &AsPathRule)> {
        let (place, _) = self.find(path)?;
        self.source.rules.iter().nth(place).map(|(seq, rule)| (*seq, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_matching_expression_decides() {
        let mut list = AsPathList::default();
        for (seq, action, pattern) in [(5, Action::Deny, "_666_"), (10, Action::Permit, "^65001_")] {
            list.rules.insert(seq, AsPathRule { action, pattern: pattern.to_owned() });
        }
        let list = CompiledAsPathList::new(Arc::new(list));
        assert!(list.permits("65001 1"));
        assert!(!list.permits("65001 666"));
        assert!(!list.permits("65002"));
    }
}
