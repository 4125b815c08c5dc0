//! Prefix lists: first match by sequence number. Configuration is a sorted map of rules; evaluation looks up one hash
//! table per prefix length that the list uses, so ten thousand rules cost about as much as ten.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ferrite_types::{Afi, Prefix};
use rustc_hash::FxHashMap;

use crate::scope::Range;
use crate::{Action, Counter};

/// One rule. `any` is the default prefix with every length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PrefixRule {
    pub action: Action,
    pub prefix: Prefix,
    pub ge: Option<u8>,
    pub le: Option<u8>,
    /// Entered with the word `any`, which is how it is written again; `0.0.0.0/0 le 32` spelled out stays so.
    any: bool,
}

impl PrefixRule {
    /// Refuses bounds that no prefix can meet, as FRR does.
    pub fn new(action: Action, prefix: Prefix, ge: Option<u8>, le: Option<u8>) -> Result<Self, &'static str> {
        let bits = prefix.afi().bits();
        let (low, high) = (ge.unwrap_or(prefix.len()), le.unwrap_or(bits));
        if ge.is_some_and(|ge| ge < prefix.len())
            || le.is_some_and(|le| le < prefix.len())
            || low > high
            || high > bits
        {
            return Err("Invalid prefix range, make sure: len <= ge-value <= le-value");
        }
        Ok(Self { action, prefix, ge, le, any: false })
    }

    pub fn any(action: Action, afi: Afi) -> Self {
        Self { action, prefix: Prefix::default_of(afi), ge: None, le: Some(afi.bits()), any: true }
    }

    /// The lengths that match, both ends included.
    fn lengths(&self) -> (u8, u8) {
        match (self.ge, self.le) {
            (None, None) => (self.prefix.len(), self.prefix.len()),
            (ge, le) => (ge.unwrap_or(self.prefix.len()), le.unwrap_or(self.prefix.afi().bits())),
        }
    }

    /// The prefixes that it matches.
    pub fn range(&self) -> Range {
        let (low, high) = self.lengths();
        Range { prefix: self.prefix, low, high }
    }

    pub fn matches(&self, prefix: Prefix) -> bool {
        let (low, high) = self.lengths();
        self.prefix.covers(prefix) && (low..=high).contains(&prefix.len())
    }
}

impl fmt::Display for PrefixRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any {
            return write!(f, "{} any", self.action);
        }
        write!(f, "{} {}", self.action, self.prefix)?;
        if let Some(ge) = self.ge {
            write!(f, " ge {ge}")?;
        }
        if let Some(le) = self.le {
            write!(f, " le {le}")?;
        }
        Ok(())
    }
}

/// A named list as configured.
#[derive(Clone, Debug, Default)]
pub struct PrefixList {
    pub description: Option<String>,
    rules: BTreeMap<u32, PrefixRule>,
    /// Where a rule stands, so that one entered again without a number is found at once.
    places: FxHashMap<PrefixRule, u32>,
}

impl PartialEq for PrefixList {
    fn eq(&self, other: &Self) -> bool {
        self.description == other.description && self.rules == other.rules
    }
}

impl Eq for PrefixList {}

impl PrefixList {
    pub fn rules(&self) -> &BTreeMap<u32, PrefixRule> {
        &self.rules
    }

    /// Adds a rule at its number; without one where an equal rule stands already, or after the last.
    pub fn insert(&mut self, seq: Option<u32>, rule: PrefixRule) {
        let next = || self.rules.last_key_value().map_or(5, |(last, _)| last.saturating_add(5));
        let at = seq.or_else(|| self.places.get(&rule).copied()).unwrap_or_else(next);
        self.remove(at);
        self.rules.insert(at, rule);
        self.places.insert(rule, at);
    }

    pub fn remove(&mut self, seq: u32) {
        if let Some(rule) = self.rules.remove(&seq)
            && self.places.get(&rule) == Some(&seq)
        {
            self.places.remove(&rule);
        }
    }

    /// Removes every rule that is equal to this one.
    pub fn remove_rule(&mut self, rule: &PrefixRule) {
        self.rules.retain(|_, present| present != rule);
        self.places.remove(rule);
    }

    /// The oracle: what the compiled form must agree with. `None` where no rule matches.
    pub fn first_match(&self, prefix: Prefix) -> Option<(u32, Action)> {
        self.rules.iter().find(|(_, rule)| rule.matches(prefix)).map(|(seq, rule)| (*seq, rule.action))
    }

    pub fn is_empty(&self) -> bool {
        self.description.is_none() && self.rules.is_empty()
    }
}

#[derive(Debug)]
pub struct CompiledRule {
    pub seq: u32,
    pub rule: PrefixRule,
    pub hits: Counter,
}

/// A list ready for evaluation.
#[derive(Debug)]
pub struct CompiledPrefixList {
    pub source: Arc<PrefixList>,
    /// In order of sequence number.
    pub rules: Vec<CompiledRule>,
    /// Distinct lengths of the rules' prefixes.
    lengths: Vec<u8>,
    /// Positions in `rules`, ascending, by the rule's own prefix. Empty for short lists, which are scanned.
    index: FxHashMap<Prefix, Vec<u32>>,
}

/// Up to this many rules a scan beats the hash tables.
const SCAN: usize = 8;

impl CompiledPrefixList {
    pub fn new(source: Arc<PrefixList>) -> Self {
        let rules: Vec<_> = source
            .rules
            .iter()
            .map(|(seq, rule)| CompiledRule { seq: *seq, rule: *rule, hits: Counter::default() })
            .collect();
        let mut lengths = Vec::new();
        let mut index = FxHashMap::<_, Vec<u32>>::default();
        if rules.len() > SCAN {
            for (position, rule) in rules.iter().enumerate() {
                lengths.push(rule.rule.prefix.len());
                index.entry(rule.rule.prefix).or_default().push(position as u32);
            }
            lengths.sort_unstable();
            lengths.dedup();
        }
        Self { source, rules, lengths, index }
    }

    /// Goes on with the counts of the rules that `old` has at the same place.
    pub(crate) fn keep_counts(&mut self, old: &Self) {
        for rule in &mut self.rules {
            let at = old.rules.binary_search_by_key(&rule.seq, |rule| rule.seq).ok();
            if let Some(before) = at.and_then(|at| old.rules.get(at)).filter(|old| old.rule == rule.rule) {
                rule.hits = Counter::from(&before.hits);
            }
        }
    }

    fn find(&self, prefix: Prefix) -> Option<&CompiledRule> {
        if self.rules.len() <= SCAN {
            return self.rules.iter().find(|rule| rule.rule.matches(prefix));
        }
        let mut best: Option<u32> = None;
        for &len in self.lengths.iter().take_while(|len| **len <= prefix.len()) {
            let Some(positions) = self.index.get(&prefix.truncate(len)) else { continue };
            let before = best.unwrap_or(u32::MAX);
            let hit = positions.iter().take_while(|position| **position < before).find(|position| {
                self.rules.get(**position as usize).is_some_and(|rule| rule.rule.matches(prefix))
            });
            best = hit.copied().or(best);
        }
        best.and_then(|position| self.rules.get(position as usize))
    }

    /// The verdict on a prefix and the rule that gave it. A list without rules permits everything; a list with rules
    /// denies what none of them matches.
    pub fn apply(&self, prefix: Prefix) -> (Action, Option<u32>) {
        let (action, rule) = self.decide(prefix);
        if let Some(rule) = rule {
            rule.hits.hit();
        }
        (action, rule.map(|rule| rule.seq))
    }

    /// The same without counting.
    pub fn decide(&self, prefix: Prefix) -> (Action, Option<&CompiledRule>) {
        if self.rules.is_empty() {
            return (Action::Permit, None);
        }
        let rule = self.find(prefix);
        (rule.map_or(Action::Deny, |rule| rule.rule.action), rule)
    }

    pub fn permits(&self, prefix: Prefix) -> bool {
        self.apply(prefix).0.is_permit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(text: &str) -> PrefixRule {
        let words: Vec<_> = text.split(' ').collect();
        let bound = |name: &str| {
            words.iter().position(|word| *word == name).map(|at| words[at + 1].parse::<u8>().unwrap())
        };
        PrefixRule::new(words[0].parse().unwrap(), words[1].parse().unwrap(), bound("ge"), bound("le"))
            .unwrap()
    }

    #[test]
    fn bounds_decide_which_lengths_match() {
        let p = |text: &str| text.parse::<Prefix>().unwrap();
        for (text, prefix, expected) in [
            ("permit 10.0.0.0/8", "10.0.0.0/8", true),
            ("permit 10.0.0.0/8", "10.1.0.0/16", false),
            ("permit 10.0.0.0/8 le 16", "10.1.0.0/16", true),
            ("permit 10.0.0.0/8 le 16", "10.1.0.0/17", false),
            ("permit 10.0.0.0/8 ge 16", "10.0.0.0/8", false),
            ("permit 10.0.0.0/8 ge 16", "10.1.2.3/32", true),
            ("permit 10.0.0.0/8 ge 9 le 10", "10.0.0.0/11", false),
            ("permit 0.0.0.0/0 le 32", "::/0", false),
            ("permit 2001:db8::/32 le 48", "2001:db8:1::/48", true),
        ] {
            assert_eq!(rule(text).matches(p(prefix)), expected, "{text} {prefix}");
            assert_eq!(rule(text).to_string(), text);
        }
    }

    #[test]
    fn impossible_bounds_are_refused() {
        let prefix: Prefix = "10.0.0.0/8".parse().unwrap();
        for (ge, le) in
            [(Some(7), None), (None, Some(7)), (Some(20), Some(10)), (None, Some(33)), (Some(33), None)]
        {
            assert!(PrefixRule::new(Action::Permit, prefix, ge, le).is_err(), "{ge:?} {le:?}");
        }
    }

    #[test]
    fn an_empty_list_permits_and_a_list_without_match_denies() {
        let any: Prefix = "10.0.0.0/8".parse().unwrap();
        let mut list = PrefixList::default();
        assert!(CompiledPrefixList::new(Arc::new(list.clone())).permits(any));
        list.insert(Some(5), rule("permit 11.0.0.0/8"));
        assert!(!CompiledPrefixList::new(Arc::new(list)).permits(any));
    }

    fn prefixes() -> impl Strategy<Value = Prefix> {
        // Few distinct bits, so that prefixes meet one another.
        (0u32..64, 0u8..=32).prop_map(|(bits, len)| {
            Prefix::new(std::net::IpAddr::V4((bits << 26 | bits << 3).into()), len).unwrap()
        })
    }

    fn rules() -> impl Strategy<Value = PrefixRule> {
        (any::<bool>(), prefixes(), proptest::option::of(0u8..=32), proptest::option::of(0u8..=32)).prop_map(
            |(permit, prefix, ge, le)| {
                let action = if permit { Action::Permit } else { Action::Deny };
                let ge = ge.map(|ge| ge.max(prefix.len()));
                let le = le.map(|le| le.max(ge.unwrap_or(prefix.len())));
                PrefixRule::new(action, prefix, ge, le).unwrap()
            },
        )
    }

    proptest! {
        #[test]
        fn the_compiled_list_agrees_with_reading_the_rules_in_order(
            rules in proptest::collection::vec(rules(), 1..60), prefixes in proptest::collection::vec(prefixes(), 1..40),
        ) {
            let mut list = PrefixList::default();
            for (at, rule) in rules.into_iter().enumerate() {
                list.insert(Some(at as u32 * 5 + 5), rule);
            }
            let compiled = CompiledPrefixList::new(Arc::new(list.clone()));
            for prefix in prefixes {
                let expected = list.first_match(prefix);
                let (action, seq) = compiled.apply(prefix);
                prop_assert_eq!(seq.map(|seq| (seq, action)), expected);
            }
        }
    }
}
