//! FRR's grammar notation, from text to a tree of tokens.
//!
//! `keyword`, `VARIABLE`, `A.B.C.D`, `(1-255)`, `<a|b>` one of, `[a]` at most one of, `{a|b}` one or more in any order
//! each at most once (`[{a|b}]` none or more), `x...` one or more times, `x$name` a name for the argument. `![no]` is
//! read as `[no]`. Help texts go to keywords and variables in the order in which they are written.

use std::sync::Arc;

use crate::token::Kind;

/// A node of a command's grammar tree.
#[derive(Debug, Clone)]
pub(crate) enum Element {
    Keyword {
        text: Arc<str>,
        name: Arc<str>,
        help: Arc<str>,
    },
    Variable {
        kind: Kind,
        text: Arc<str>,
        name: Arc<str>,
        help: Arc<str>,
    },
    /// `<a|b>`
    Choice {
        branches: Vec<Vec<Element>>,
        name: Option<Arc<str>>,
    },
    /// `[a|b]`
    Optional {
        branches: Vec<Vec<Element>>,
        name: Option<Arc<str>>,
    },
    /// `{a|b}`
    AnyOrder {
        branches: Vec<Vec<Element>>,
        name: Option<Arc<str>>,
    },
    Repeat(Box<Element>),
}

/// Two elements are one when they accept the same and bind the same names; help texts may differ.
impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        use Element::*;
        match (self, other) {
            (Keyword { text: a, name: n, .. }, Keyword { text: b, name: m, .. }) => a == b && n == m,
            (Variable { text: a, name: n, .. }, Variable { text: b, name: m, .. }) => a == b && n == m,
            (Choice { branches: a, name: n }, Choice { branches: b, name: m })
            | (Optional { branches: a, name: n }, Optional { branches: b, name: m })
            | (AnyOrder { branches: a, name: n }, AnyOrder { branches: b, name: m }) => n == m && a == b,
            (Repeat(a), Repeat(b)) => a == b,
            _ => false,
        }
    }
}

impl Element {
    /// Whether any variable stands in it.
    fn has_variable(&self) -> bool {
        match self {
            Element::Keyword { .. } => false,
            Element::Variable { .. } => true,
            Element::Repeat(inner) => inner.has_variable(),
            Element::Choice { branches, .. }
            | Element::Optional { branches, .. }
            | Element::AnyOrder { branches, .. } => branches.iter().flatten().any(Element::has_variable),
        }
    }
}

/// A fault in a grammar text: a mistake of the program, found by its tests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("grammar {syntax:?}: {reason} at {at}")]
pub struct NotationError {
    pub syntax: String,
    pub at: usize,
    pub reason: &'static str,
}

/// A parsed grammar and how many help texts it wants.
#[derive(Debug, Clone)]
pub(crate) struct Syntax {
    pub elements: Vec<Element>,
    pub tokens: usize,
}

pub(crate) fn parse(syntax: &str, help: &[&str]) -> Result<Syntax, NotationError> {
    let mut parser = Parser { text: syntax, at: 0, help, tokens: 0, depth: 0 };
    let elements = parser.sequence()?;
    if parser.at < syntax.len() {
        return Err(parser.error("unexpected closing bracket"));
    }
    if elements.is_empty() {
        return Err(parser.error("empty command"));
    }
    Ok(Syntax { elements, tokens: parser.tokens })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    help: &'a [&'a str],
    tokens: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, reason: &'static str) -> NotationError {
        NotationError { syntax: self.text.to_owned(), at: self.at, reason }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Elements up to the end, a `|` or a closing bracket.
    fn sequence(&mut self) -> Result<Vec<Element>, NotationError> {
        let mut elements = Vec::new();
        loop {
            self.skip_space();
            let element = match self.peek() {
                None | Some('|' | '>' | ']' | '}') => return Ok(elements),
                Some('<') => self.group(">")?,
                Some('[') => self.group("]")?,
                Some('{') => self.group("}")?,
                Some('!') => {
                    self.at += 1;
                    continue;
                }
                Some(_) => self.leaf()?,
            };
            let repeated = self.eat("...");
            elements.push(if repeated { Element::Repeat(Box::new(element)) } else { element });
        }
    }

    fn group(&mut self, close: &str) -> Result<Element, NotationError> {
        self.at += 1;
        self.depth += 1;
        if self.depth > 32 {
            return Err(self.error("nested too deeply"));
        }
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        if !self.eat(close) {
            return Err(self.error("bracket is not closed"));
        }
        if branches.iter().any(Vec::is_empty) {
            return Err(self.error("empty alternative"));
        }
        if branches.len() > 64 {
            return Err(self.error("more than 64 alternatives"));
        }
        self.depth -= 1;
        let name = self.name()?;
        Ok(match close {
            ">" => Element::Choice { branches, name },
            "]" => Element::Optional { branches, name },
            _ => Element::AnyOrder { branches, name },
        })
    }

    fn name(&mut self) -> Result<Option<Arc<str>>, NotationError> {
        if !self.eat("$") {
            return Ok(None);
        }
        let length =
            self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest().len());
        let name: Arc<str> = self.rest().get(..length).unwrap_or_default().into();
        if name.is_empty() {
            return Err(self.error("empty name"));
        }
        self.at += length;
        Ok(Some(name))
    }

    fn leaf(&mut self) -> Result<Element, NotationError> {
        let ends = |c: char| c.is_whitespace() || "|<>[]{}$!".contains(c);
        let mut length = self.rest().find(ends).unwrap_or(self.rest().len());
        if let Some(dots) = self.rest().get(..length).and_then(|text| text.find("...")) {
            length = dots;
        }
        let text: Arc<str> = self.rest().get(..length).unwrap_or_default().into();
        if text.is_empty() {
            return Err(self.error("empty token"));
        }
        self.at += length;
        let help: Arc<str> = self.help.get(self.tokens).copied().unwrap_or_default().into();
        self.tokens += 1;
        let kind = if text.starts_with('(') { Some(self.range(&text)?) } else { Kind::of(&text) };
        let name = self.name()?.unwrap_or_else(|| text.clone());
        Ok(match kind {
            Some(kind) => Element::Variable { kind, text, name, help },
            None => Element::Keyword { text, name, help },
        })
    }

    fn range(&self, text: &str) -> Result<Kind, NotationError> {
        let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        // The dash between the bounds is the first one that is not a sign.
        let bounds = inner.and_then(|inner| {
            let dash = inner.get(1..)?.find('-')? + 1;
            Some((inner.get(..dash)?.parse().ok()?, inner.get(dash + 1..)?.parse().ok()?))
        });
        match bounds {
            Some((low, high)) if low <= high => Ok(Kind::Range(low, high)),
            _ => Err(self.error("range is not (LOW-HIGH)")),
        }
    }
}

pub(crate) const NO_HELP: &str = "Negate a command or set its defaults";

/// The grammar of `no`: the command's own, where what only gives a value may be left out at its end. The prefix that a
/// group of settings is mounted under stays whole.
pub(crate) fn derive_no(syntax: &str, prefix: &str) -> Result<String, NotationError> {
    let keep = if prefix.is_empty() { 1 } else { parse(prefix, &[])?.elements.len() + 1 };
    let value = |last: &Element| last.has_variable() || matches!(last, Element::Optional { .. });
    without_end(syntax, keep, value)
}

/// The grammar of `no` for a command whose first `keep` elements say what is undone.
pub(crate) fn no_after(syntax: &str, keep: usize) -> Result<String, NotationError> {
    without_end(syntax, keep, |_| true)
}

/// `no` and the command, where each last element that `may_go` may be left out.
fn without_end(
    syntax: &str,
    keep: usize,
    may_go: impl Fn(&Element) -> bool,
) -> Result<String, NotationError> {
    let mut elements = parse(syntax, &[])?.elements;
    let mut tail: Option<Element> = None;
    while elements.len() > keep && elements.last().is_some_and(&may_go) {
        let Some(last) = elements.pop() else { break };
        tail = Some(match (last, tail) {
            (only @ Element::Optional { .. }, None) => only,
            (last, tail) => {
                let branch = std::iter::once(last).chain(tail).collect();
                Element::Optional { branches: vec![branch], name: None }
            }
        });
    }
    elements.extend(tail);
    Ok(elements.iter().fold("no".to_owned(), |text, element| format!("{text} {element}")))
}

impl std::fmt::Display for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let group = |f: &mut std::fmt::Formatter<'_>,
                     open,
                     branches: &[Vec<Element>],
                     close,
                     name: &Option<Arc<str>>| {
            write!(f, "{open}")?;
            for (number, branch) in branches.iter().enumerate() {
                write!(f, "{}", if number > 0 { "|" } else { "" })?;
                for (at, element) in branch.iter().enumerate() {
                    write!(f, "{}{element}", if at > 0 { " " } else { "" })?;
                }
            }
            write!(f, "{close}")?;
            name.as_ref().map_or(Ok(()), |name| write!(f, "${name}"))
        };
        match self {
            Element::Keyword { text, name, .. } | Element::Variable { text, name, .. } => {
                if text == name {
                    write!(f, "{text}")
                } else {
                    write!(f, "{text}${name}")
                }
            }
            Element::Choice { branches, name } => group(f, '<', branches, '>', name),
            Element::Optional { branches, name } => group(f, '[', branches, ']', name),
            Element::AnyOrder { branches, name } => group(f, '{', branches, '}', name),
            Element::Repeat(inner) => write!(f, "{inner}..."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_a_value_may_be_left_out_of_no() {
        for (syntax, prefix, no) in [
            ("bgp router-id A.B.C.D", "", "no bgp router-id [A.B.C.D]"),
            ("timers bgp (0-65535) (0-65535)", "", "no timers bgp [(0-65535) [(0-65535)]]"),
            (
                "neighbor WORD remote-as <ASNUM|internal>$as",
                "neighbor WORD",
                "no neighbor WORD remote-as [<ASNUM|internal>$as]",
            ),
            (
                "neighbor WORD route-map NAME <in|out>",
                "neighbor WORD",
                "no neighbor WORD route-map NAME <in|out>",
            ),
            ("neighbor WORD", "neighbor WORD", "no neighbor WORD"),
            ("network A.B.C.D/M [route-map NAME]", "", "no network [A.B.C.D/M [route-map NAME]]"),
            ("description LINE...", "", "no description [LINE...]"),
            ("set community {AA:NN...|additive}", "", "no set community [{AA:NN...|additive}]"),
            ("shutdown", "", "no shutdown"),
        ] {
            assert_eq!(derive_no(syntax, prefix).as_deref(), Ok(no));
        }
    }

    #[test]
    fn a_grammar_is_written_as_it_is_read() {
        for syntax in [
            "a <b|c D>$x [{e|f (1-2)$g}] LINE...",
            "x (-5-5) A.B.C.D/M$p X:X::X:X M:A:C ASNUM [WORD...]",
            "show [ip] bgp [<view|vrf> VIEWVRFNAME] [json]",
        ] {
            let elements = parse(syntax, &[]).unwrap().elements;
            let text: Vec<String> = elements.iter().map(ToString::to_string).collect();
            assert_eq!(text.join(" "), syntax);
        }
    }

    #[test]
    fn faults_of_the_notation_are_told() {
        for (syntax, reason) in [
            ("a <b", "bracket is not closed"),
            ("a b>", "unexpected closing bracket"),
            ("a <b|>", "empty alternative"),
            ("a (5-1)", "range is not (LOW-HIGH)"),
            ("a (5)", "range is not (LOW-HIGH)"),
            ("a b$ c", "empty name"),
            ("", "empty command"),
        ] {
            assert_eq!(parse(syntax, &[]).unwrap_err().reason, reason, "{syntax}");
        }
    }
}
