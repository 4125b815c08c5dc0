//! The notation in which FRR's `list` prints its grammar, and lines that a command so written takes.
//!
//! `keyword`, `VARIABLE`, `A.B.C.D`, `(1-255)`, `<a|b>`, `[a|b]`, `{a|b}`, `x...`. In: one line of a list. Out: lines an
//! operator could type, so that every alternative of the command stands in one of them at least once.

use crate::failure::{Failure, Result};

#[derive(Debug, Clone)]
enum Part {
    Word(String),
    OneOf(Vec<Vec<Part>>),
    Optional(Vec<Vec<Part>>),
    AnyOrder(Vec<Vec<Part>>),
}

/// Most lines made of one command.
const MOST: usize = 400;

/// Lines that the command takes; each of its alternatives stands in one of them.
pub fn samples(syntax: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let optional = syntax.trim().strip_prefix("[no] ");
    let forms = optional
        .map_or_else(|| vec![syntax.trim().to_owned()], |rest| vec![rest.to_owned(), format!("no {rest}")]);
    for form in &forms {
        let mut reader = Reader { rest: form, negated: form.starts_with("no ") };
        let parts = reader.sequence();
        if !reader.rest.is_empty() || parts.is_empty() {
            return Err(Failure::new(format!("{syntax:?}: not read from {:?}", reader.rest)));
        }
        lines.extend(variants(&parts));
        lines.push(longest(&parts));
    }
    let mut lines: Vec<String> = lines.into_iter().map(|words| words.join(" ")).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.truncate(MOST);
    Ok(lines)
}

struct Reader<'a> {
    rest: &'a str,
    /// Reading the form with `no`, in which `![…]` may be left out.
    negated: bool,
}

impl Reader<'_> {
    fn eat(&mut self, text: &str) -> bool {
        let after = self.rest.strip_prefix(text);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn sequence(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let needed = self.eat("!") && !self.negated;
            let Some(first) = self.rest.chars().next() else { return parts };
            let part = match first {
                '|' | '>' | ']' | '}' => return parts,
                '<' => Part::OneOf(self.group(">")),
                '[' if needed => Part::OneOf(self.group("]")),
                '[' => Part::Optional(self.group("]")),
                '{' => Part::AnyOrder(self.group("}")),
                _ => self.word(),
            };
            self.eat("...");
            parts.push(part);
        }
    }

    fn group(&mut self, close: &str) -> Vec<Vec<Part>> {
        self.rest = self.rest.get(1..).unwrap_or_default();
        let mut branches = vec![self.sequence()];
        while self.eat("|") {
            branches.push(self.sequence());
        }
        self.eat(close);
        branches
    }

    fn word(&mut self) -> Part {
        let end = self.rest.find(|c: char| " |<>[]{}!".contains(c)).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at(end.max(1).min(self.rest.len()));
        self.rest = after;
        Part::Word(word.trim_end_matches("...").to_owned())
    }
}

/// The shortest line first, then one per alternative that it leaves out.
fn variants(parts: &[Part]) -> Vec<Vec<String>> {
    let each: Vec<Vec<Vec<String>>> = parts.iter().map(part_variants).collect();
    let first = |part: &Vec<Vec<String>>| part.first().cloned().unwrap_or_default();
    let base: Vec<Vec<String>> = each.iter().map(first).collect();
    let mut lines = vec![base.concat()];
    for (at, choices) in each.iter().enumerate() {
        for choice in choices.iter().skip(1) {
            let mut line = base.clone();
            if let Some(place) = line.get_mut(at) {
                place.clone_from(choice);
            }
            lines.push(line.concat());
        }
    }
    lines
}

fn part_variants(part: &Part) -> Vec<Vec<String>> {
    let all = |branches: &[Vec<Part>]| branches.iter().flat_map(|branch| variants(branch)).collect();
    match part {
        Part::Word(word) => vec![vec![value(word)]],
        Part::OneOf(branches) => all(branches),
        Part::Optional(branches) => {
            let mut lines: Vec<Vec<String>> = all(branches);
            lines.insert(0, Vec::new());
            lines
        }
        Part::AnyOrder(branches) => {
            let mut lines: Vec<Vec<String>> = all(branches);
            lines.push(branches.iter().flat_map(|branch| longest(branch)).collect());
            lines
        }
    }
}

/// Everything optional present.
fn longest(parts: &[Part]) -> Vec<String> {
    let one = |part: &Part| match part {
        Part::Word(word) => vec![value(word)],
        Part::OneOf(branches) | Part::Optional(branches) => {
            branches.first().map_or_else(Vec::new, |branch| longest(branch))
        }
        Part::AnyOrder(branches) => branches.iter().flat_map(|branch| longest(branch)).collect(),
    };
    parts.iter().flat_map(one).collect()
}

/// A word that stands for a variable; a keyword stands for itself.
fn value(word: &str) -> String {
    if let Some(range) = word.strip_prefix('(').and_then(|word| word.strip_suffix(')')) {
        return range.rsplit_once('-').map_or(range, |(low, _)| low).to_owned();
    }
    let known = match word {
        "A.B.C.D" => "192.0.2.1",
        "A.B.C.D/M" => "192.0.2.0/24",
        "X:X::X:X" => "2001:db8::1",
        "X:X::X:X/M" => "2001:db8::/32",
        "X:X:X:X:X:X" | "M:A:C" => "00:00:5e:00:53:01",
        "X:X:X:X:X:X/M" => "00:00:5e:00:53:01/48",
        "ASNUM" => "64496",
        "AA:NN" => "64496:1",
        "AA:BB:CC" => "64496:1:1",
        "HH:MM:SS" => "00:10:00",
        "TCPPORT" => "3323",
        "PROFILE" => "traditional",
        _ if word.contains("ASN:NN") => "64496:1",
        _ if word.contains("REGEX") => "_64496_",
        _ if word.chars().any(|c| c.is_ascii_lowercase())
            || !word.chars().any(|c| c.is_ascii_uppercase()) =>
        {
            word
        }
        _ => "Xyzzy",
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alternative_stands_in_a_line() {
        for (syntax, lines) in [
            ("show x", &["show x"][..]),
            ("show [ip] bgp <a|b>", &["show bgp a", "show bgp b", "show ip bgp a"]),
            ("set {x|y (1-9)} LINE...", &["set x Xyzzy", "set x y 1 Xyzzy", "set y 1 Xyzzy"]),
            ("vni (1-5)[json]", &["vni 1", "vni 1 json"]),
            ("clear *", &["clear *"]),
            ("[no] match limit ![(1-9)]", &["match limit 1", "no match limit", "no match limit 1"]),
        ] {
            assert_eq!(samples(syntax).unwrap(), lines, "{syntax}");
        }
        assert!(samples("show <a").is_ok_and(|lines| lines == ["show a"]));
        assert!(samples("show a>").is_err());
    }
}
