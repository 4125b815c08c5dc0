//! All commands of a node as one trie of tokens, and the search of a line in it.
//!
//! The trie's edges are whole tokens: a keyword, a variable or a bracketed group; commands that begin with the same
//! tokens share them. A line is matched by walking every reading of it; of the complete readings the one wins whose
//! words fit best from left to right (a keyword written out, an abbreviated keyword, an address, a number, any word).
//! Two different commands that fit equally well make the line ambiguous, but for one case: of two abbreviated keywords that
//! are the same but for digits at the end of one, the shorter is meant, so that `os` is `ospf` beside `ospf6`.

use std::sync::Arc;

use crate::args::{ArgWord, Args, Binding};
use crate::error::{CliError, SyntaxError};
use crate::syntax::{self, Element, NotationError};
use crate::token::{EXACT, Kind, PARTIAL, Score, Word};

/// A command's number in the grammar that it was added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u32);

/// Upper bound of steps spent on one line, so that no line can hold the program.
const MAX_STEPS: u32 = 200_000;

/// The commands of one node.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    root: Trie,
}

#[derive(Debug, Clone, Default)]
struct Trie {
    /// Sorted by text.
    keywords: Vec<KeywordEdge>,
    others: Vec<(Element, Trie)>,
    end: Option<CommandId>,
    /// The end belongs to a command that help and completion do not offer.
    hidden: bool,
    /// Nothing below is offered by help.
    all_hidden: bool,
}

#[derive(Debug, Clone)]
struct KeywordEdge {
    text: Arc<str>,
    name: Arc<str>,
    help: Arc<str>,
    child: Trie,
}

/// A token that may stand at some place of a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The keyword, the variable as written in the grammar, or `<cr>`.
    pub text: String,
    pub help: String,
    /// A value must be put in its place.
    pub variable: bool,
}

/// A line found in the grammar.
#[derive(Debug, Clone)]
pub struct Match {
    pub args: Args,
    /// The command; more than one only where equally good readings exist (several daemons may know the same line).
    pub commands: Vec<CommandId>,
}

impl Graph {
    /// Adds a command by its grammar; gives back the one that already stands for exactly the same tokens.
    pub fn insert(
        &mut self,
        syntax: &str,
        help: &[&str],
        id: CommandId,
        hidden: bool,
    ) -> Result<Option<CommandId>, NotationError> {
        Ok(self.add(&syntax::parse(syntax, help)?.elements, id, hidden))
    }

    /// Adds a command; gives back the one that already stands for exactly the same tokens.
    pub(crate) fn add(&mut self, elements: &[Element], id: CommandId, hidden: bool) -> Option<CommandId> {
        let mut node = &mut self.root;
        let fresh = |hidden| Trie { all_hidden: hidden, ..Trie::default() };
        for element in elements {
            node.all_hidden &= hidden;
            node = match element {
                Element::Keyword { text, name, help } => {
                    let found = node
                        .keywords
                        .binary_search_by(|edge| (&*edge.text, &*edge.name).cmp(&(&**text, &**name)));
                    let at = match found {
                        Ok(at) => at,
                        Err(at) => {
                            let (text, name, help) = (text.clone(), name.clone(), help.clone());
                            node.keywords.insert(at, KeywordEdge { text, name, help, child: fresh(hidden) });
                            at
                        }
                    };
                    &mut node.keywords[at].child
                }
                other => {
                    let at =
                        node.others.iter().position(|(element, _)| element == other).unwrap_or_else(|| {
                            node.others.push((other.clone(), fresh(hidden)));
                            node.others.len() - 1
                        });
                    &mut node.others[at].1
                }
            };
        }
        node.all_hidden &= hidden;
        if let Some(existing) = node.end {
            return Some(existing);
        }
        node.end = Some(id);
        node.hidden = hidden;
        None
    }

    /// The command that a line of words is.
    pub fn find(&self, words: &[Word<'_>]) -> Result<Match, SyntaxError> {
        let mut search = Search::new(words, Purpose::Find);
        search.trie(&self.root, 0);
        let Some(best) = search.best else { return Err(self.explain(words)) };
        if let Some(word) = best.torn.and_then(|at| words.get(at)) {
            return Err(SyntaxError { kind: CliError::Ambiguous, column: word.column, expected: vec![] });
        }
        let mut args = Args { words: Vec::with_capacity(words.len()), bindings: best.bindings };
        for (word, step) in words.iter().zip(&best.steps) {
            args.words.push(match &step.keyword {
                Some(text) => ArgWord::Keyword(text.clone()),
                None => ArgWord::Value(word.text.into()),
            });
        }
        args.finish();
        Ok(Match { args, commands: best.ends })
    }

    /// What may stand in place of the last word, which may be empty: the answer to `?`.
    pub fn candidates(&self, words: &[Word<'_>], last: &str) -> Vec<Candidate> {
        let mut search = Search::new(words, Purpose::Help);
        search.trie(&self.root, 0);
        // As with a finished line, the reading that fits the words best decides what may follow.
        let mut found: Vec<Candidate> = Vec::new();
        for offer in search.offers {
            let fits = match &offer.kind {
                OfferKind::Keyword => offer.text.starts_with(last),
                OfferKind::Variable(kind) => kind.may_begin(last),
                OfferKind::End => last.is_empty(),
            };
            if fits && !found.iter().any(|known| known.text == offer.text) {
                let variable = matches!(offer.kind, OfferKind::Variable(_));
                found.push(Candidate { text: offer.text, help: offer.help, variable });
            }
        }
        found.sort_by(|a, b| (a.text == "<cr>", &a.text).cmp(&(b.text == "<cr>", &b.text)));
        found
    }

    /// Why a line is not in the grammar.
    fn explain(&self, words: &[Word<'_>]) -> SyntaxError {
        let end = words.last().map_or(0, |word| word.column + word.text.len());
        for known in (0..=words.len()).rev() {
            let head = words.get(..known).unwrap_or_default();
            let offers = self.candidates(head, "");
            if offers.is_empty() {
                continue;
            }
            let expected = offers.into_iter().map(|offer| offer.text).collect();
            let Some(stop) = words.get(known) else {
                return SyntaxError { kind: CliError::Incomplete, column: end, expected };
            };
            return SyntaxError { kind: CliError::Unknown, column: stop.column, expected };
        }
        SyntaxError {
            kind: CliError::Unknown,
            column: words.first().map_or(0, |w| w.column),
            expected: vec![],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Find,
    /// Collects what may follow the words.
    Help,
}

#[derive(Clone)]
struct Step {
    score: Score,
    keyword: Option<Arc<str>>,
}

/// Whether a keyword is another one with digits behind it.
fn is_numbered(long: &Step, short: &Step) -> bool {
    let (Some(long), Some(short)) = (&long.keyword, &short.keyword) else { return false };
    let behind = long.strip_prefix(&**short);
    behind.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

struct Reading {
    steps: Vec<Step>,
    bindings: Vec<Binding>,
    ends: Vec<CommandId>,
    /// The first word that abbreviates two keywords equally well.
    torn: Option<usize>,
}

struct Offer {
    text: String,
    help: String,
    kind: OfferKind,
}

enum OfferKind {
    Keyword,
    Variable(Kind),
    End,
}

/// What is still to be matched, as a list on the stack.
#[derive(Clone, Copy)]
enum Rest<'r, 'g> {
    Trie(&'g Trie),
    Sequence(&'g [Element], &'r Rest<'r, 'g>),
    /// Further alternatives of `{}`; the bits say which were taken.
    AnyOrder(&'g [Vec<Element>], u64, &'r Rest<'r, 'g>),
    /// Once more, or on; the place is where the round began, so that an empty round ends it.
    Repeat(&'g Element, usize, &'r Rest<'r, 'g>),
    /// A named group ends here.
    Close(&'g Arc<str>, usize, &'r Rest<'r, 'g>),
}

struct Search<'w> {
    words: &'w [Word<'w>],
    purpose: Purpose,
    budget: u32,
    steps: Vec<Step>,
    bindings: Vec<Binding>,
    best: Option<Reading>,
    /// The scores of the reading that `offers` belongs to.
    offered: Vec<Score>,
    offers: Vec<Offer>,
}

impl<'w> Search<'w> {
    fn new(words: &'w [Word<'w>], purpose: Purpose) -> Self {
        let steps = Vec::with_capacity(words.len());
        Search {
            words,
            purpose,
            budget: MAX_STEPS,
            steps,
            bindings: Vec::with_capacity(8),
            best: None,
            offered: Vec::new(),
            offers: Vec::new(),
        }
    }

    fn trie(&mut self, trie: &Trie, at: usize) {
        let Some(word) = self.words.get(at).copied() else {
            return self.end_of_words(trie);
        };
        let first = trie.keywords.partition_point(|edge| &*edge.text < word.text);
        let mut found_exact = false;
        for edge in trie.keywords.get(first..).unwrap_or_default() {
            if !edge.text.starts_with(word.text) {
                break;
            }
            let exact = edge.text.len() == word.text.len();
            if !exact && found_exact {
                break;
            }
            let before = self.matches();
            self.keyword(&edge.text, &edge.name, exact, at, &Rest::Trie(&edge.child));
            found_exact |= exact && self.matches() > before;
        }
        for (element, child) in &trie.others {
            self.element(element, at, &Rest::Trie(child));
        }
    }

    /// Grows with every complete reading that is kept.
    fn matches(&self) -> usize {
        match self.purpose {
            Purpose::Find => usize::from(self.best.is_some()),
            Purpose::Help => self.offers.len(),
        }
    }

    fn end_of_words(&mut self, trie: &Trie) {
        if self.purpose == Purpose::Find {
            if let Some(id) = trie.end {
                self.complete(id);
            }
            // What is optional may be left out.
            for (element, child) in &trie.others {
                self.element(element, self.words.len(), &Rest::Trie(child));
            }
            return;
        }
        if trie.end.is_some() && !trie.hidden {
            self.offer("<cr>", "", OfferKind::End);
        }
        for edge in trie.keywords.iter().filter(|edge| !edge.child.all_hidden) {
            self.offer(&edge.text, &edge.help, OfferKind::Keyword);
        }
        for (element, child) in trie.others.iter().filter(|(_, child)| !child.all_hidden) {
            self.element(element, self.words.len(), &Rest::Trie(child));
        }
    }

    fn complete(&mut self, id: CommandId) {
        let scores = self.steps.iter().map(|step| step.score);
        let mut torn_before = None;
        if let Some(best) = &mut self.best {
            match scores.cmp(best.steps.iter().map(|step| step.score)) {
                std::cmp::Ordering::Less => return,
                std::cmp::Ordering::Equal => {
                    let differs = |(new, old): &(&Step, &Step)| new.keyword != old.keyword;
                    let torn = self.steps.iter().zip(&best.steps).position(|pair| differs(&pair));
                    let pair = torn.and_then(|at| Some((self.steps.get(at)?, best.steps.get(at)?)));
                    if pair.is_some_and(|(new, old)| is_numbered(new, old)) {
                        return;
                    }
                    if !pair.is_some_and(|(new, old)| is_numbered(old, new)) {
                        best.torn = best.torn.or(torn);
                        if !best.ends.contains(&id) {
                            best.ends.push(id);
                        }
                        return;
                    }
                    torn_before = best.torn;
                }
                std::cmp::Ordering::Greater => {}
            }
        }
        self.best = Some(Reading {
            steps: self.steps.clone(),
            bindings: self.bindings.clone(),
            ends: vec![id],
            torn: torn_before,
        });
    }

    fn offer(&mut self, text: &str, help: &str, kind: OfferKind) {
        let scores = self.steps.iter().map(|step| step.score);
        match scores.clone().cmp(self.offered.iter().copied()) {
            std::cmp::Ordering::Less if !self.offers.is_empty() => return,
            std::cmp::Ordering::Greater => {
                self.offers.clear();
                self.offered = scores.collect();
            }
            _ => {}
        }
        self.offers.push(Offer { text: text.to_owned(), help: help.to_owned(), kind });
    }

    fn go(&mut self, at: usize, rest: &Rest<'_, '_>) {
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 {
            return;
        }
        match *rest {
            Rest::Trie(trie) => self.trie(trie, at),
            Rest::Sequence([], next) => self.go(at, next),
            Rest::Sequence([first, others @ ..], next) => {
                if others.is_empty() {
                    self.element(first, at, next);
                } else {
                    self.element(first, at, &Rest::Sequence(others, next));
                }
            }
            Rest::AnyOrder(branches, taken, next) => {
                self.any_order(branches, taken, at, next);
                self.go(at, next);
            }
            Rest::Repeat(element, began, next) => {
                if at > began {
                    self.element(element, at, &Rest::Repeat(element, at, next));
                    self.go(at, next);
                }
            }
            Rest::Close(name, first, next) => {
                self.bindings.push(Binding { name: name.clone(), first, end: at, joined: None });
                self.go(at, next);
                self.bindings.pop();
            }
        }
    }

    fn element<'g>(&mut self, element: &'g Element, at: usize, next: &Rest<'_, 'g>) {
        match element {
            Element::Keyword { text, name, help } => match self.words.get(at) {
                None => self.offer_at_end(text, help, OfferKind::Keyword),
                Some(word) if text.starts_with(word.text) => {
                    self.keyword(text, name, text.len() == word.text.len(), at, next);
                }
                Some(_) => {}
            },
            Element::Variable { kind, text, name, help } => match self.words.get(at) {
                None => self.offer_at_end(text, help, OfferKind::Variable(*kind)),
                Some(word) if kind.accepts(word.text) => self.variable(*kind, name, at, next),
                Some(_) => {}
            },
            Element::Choice { branches, name } => self.group(branches, name.as_ref(), at, next),
            Element::Optional { branches, name } => {
                self.group(branches, name.as_ref(), at, next);
                self.go(at, next);
            }
            Element::AnyOrder { branches, name } => match name {
                Some(name) => self.any_order(branches, 0, at, &Rest::Close(name, at, next)),
                None => self.any_order(branches, 0, at, next),
            },
            Element::Repeat(inner) => self.repeat(inner, at, next),
        }
    }

    fn offer_at_end(&mut self, text: &str, help: &str, kind: OfferKind) {
        if self.purpose == Purpose::Help {
            self.offer(text, help, kind);
        }
    }

    fn keyword<'g>(
        &mut self,
        text: &'g Arc<str>,
        name: &'g Arc<str>,
        exact: bool,
        at: usize,
        next: &Rest<'_, 'g>,
    ) {
        let score = if exact { EXACT } else { PARTIAL };
        self.steps.push(Step { score, keyword: Some(text.clone()) });
        self.bindings.push(Binding { name: name.clone(), first: at, end: at + 1, joined: None });
        self.go(at + 1, next);
        self.bindings.pop();
        self.steps.pop();
    }

    fn variable<'g>(&mut self, kind: Kind, name: &'g Arc<str>, at: usize, next: &Rest<'_, 'g>) {
        self.steps.push(Step { score: kind.score(), keyword: None });
        self.bindings.push(Binding { name: name.clone(), first: at, end: at + 1, joined: None });
        self.go(at + 1, next);
        self.bindings.pop();
        self.steps.pop();
    }

    fn group<'g>(
        &mut self,
        branches: &'g [Vec<Element>],
        name: Option<&'g Arc<str>>,
        at: usize,
        next: &Rest<'_, 'g>,
    ) {
        for branch in branches {
            match name {
                Some(name) => self.go(at, &Rest::Sequence(branch, &Rest::Close(name, at, next))),
                None => self.go(at, &Rest::Sequence(branch, next)),
            }
        }
    }

    /// One more of the alternatives that were not taken yet.
    fn any_order<'g>(&mut self, branches: &'g [Vec<Element>], taken: u64, at: usize, next: &Rest<'_, 'g>) {
        for (number, branch) in branches.iter().enumerate() {
            let bit = 1u64.checked_shl(number as u32).unwrap_or(0);
            if taken & bit == 0 {
                self.go(at, &Rest::Sequence(branch, &Rest::AnyOrder(branches, taken | bit, next)));
            }
        }
    }

    fn repeat<'g>(&mut self, inner: &'g Element, at: usize, next: &Rest<'_, 'g>) {
        // `LINE...` takes all there is: one binding for the rest of the line.
        if let Element::Variable { kind: Kind::Word, text, name, .. } = inner
            && &**text == "LINE"
            && at < self.words.len()
        {
            let count = self.words.len() - at;
            self.steps.extend((0..count).map(|_| Step { score: Kind::Word.score(), keyword: None }));
            self.bindings.push(Binding {
                name: name.clone(),
                first: at,
                end: self.words.len(),
                joined: None,
            });
            self.go(self.words.len(), next);
            self.bindings.pop();
            self.steps.truncate(self.steps.len() - count);
            return;
        }
        self.element(inner, at, &Rest::Repeat(inner, at, next));
    }
}
