//! POSIX extended regular expressions as FRR's lists use them, translated to the `regex` crate.
//!
//! `_` stands for a delimiter of an AS path or a community list: a space, a comma, a brace, a parenthesis, or either end.
//! Everything else keeps its POSIX meaning: what the target syntax reads differently (character class operators, lazy
//! repetition, `(?`, letters after a backslash) is written out so that it does not.

use std::fmt::Write as _;

pub use ::regex::Regex;

/// Compiled expressions refuse to grow past this, so that no configuration line takes the daemon's memory.
const SIZE_LIMIT: usize = 1 << 20;

/// What `_` matches.
const DELIMITER: &str = "(?:^|[,{}() ]|$)";

/// Translates and compiles; the error is what the operator is told.
pub fn compile(pattern: &str) -> Result<regex::Regex, String> {
    let translated = translate(pattern)?;
    regex::RegexBuilder::new(&translated)
        .size_limit(SIZE_LIMIT)
        .nest_limit(64)
        .build()
        .map_err(|_| format!("{pattern:?} is not a regular expression"))
}

struct Translator<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    out: String,
    /// Where the last atom begins in `out`; `None` where nothing stands that could be repeated.
    atom: Option<usize>,
    /// Whether the last atom carries a repetition already.
    repeated: bool,
    /// Where each open group begins.
    groups: Vec<usize>,
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut t = Translator {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        atom: None,
        repeated: false,
        groups: Vec::new(),
    };
    while let Some(c) = t.rest.next() {
        t.step(c)?;
    }
    if t.groups.is_empty() { Ok(t.out) } else { Err(format!("{pattern:?} has an unmatched (")) }
}

impl Translator<'_> {
    fn step(&mut self, c: char) -> Result<(), String> {
        match c {
            '_' => self.push_atom(DELIMITER),
            '^' | '$' => {
                self.out.push(c);
                self.atom = None;
            }
            '|' => {
                self.out.push(c);
                self.atom = None;
            }
            '(' => {
                self.groups.push(self.out.len());
                self.out.push_str("(?:");
                self.atom = None;
            }
            ')' => match self.groups.pop() {
                Some(start) => {
                    self.out.push(')');
                    self.atom = Some(start);
                    self.repeated = false;
                }
                None => return Err("unmatched )".to_owned()),
            },
            '*' | '+' | '?' => self.repeat(&c.to_string()),
            '{' => self.interval(),
            '[' => self.bracket()?,
            '\\' => self.escape()?,
            '.' => self.push_atom("."),
            other => self.literal(other),
        }
        Ok(())
    }

    fn push_atom(&mut self, text: &str) {
        self.atom = Some(self.out.len());
        self.repeated = false;
        self.out.push_str(text);
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        let escaped = regex::escape(c.encode_utf8(&mut buffer));
        self.push_atom(&escaped);
    }

    /// A repetition; one that follows another applies to the whole before it, and one after nothing is a character.
    fn repeat(&mut self, operator: &str) {
        let Some(start) = self.atom else {
            for c in operator.chars() {
                self.literal(c);
            }
            return;
        };
        if self.repeated {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(operator);
        self.repeated = true;
    }

    /// `{n}`, `{n,}`, `{n,m}`, `{,m}`; any other brace is a character (AS sets print as `{1,2}`).
    fn interval(&mut self) {
        let ahead: String = self.rest.clone().take(16).collect();
        let parsed = ahead.split_once('}').and_then(|(body, _)| {
            let (low, high) = body.split_once(',').unwrap_or((body, body));
            let digits = |text: &str| text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
            (!body.is_empty() && body != "," && digits(low) && digits(high)).then(|| {
                let low = if low.is_empty() { "0" } else { low };
                let mut operator = String::new();
                let _ = if body.contains(',') {
                    write!(operator, "{{{low},{high}}}")
                } else {
                    write!(operator, "{{{low}}}")
                };
                (operator, body.len() + 1)
            })
        });
        match parsed {
            Some((operator, consumed)) if self.atom.is_some() => {
                for _ in 0..consumed {
                    self.rest.next();
                }
                self.repeat(&operator);
            }
            _ => self.literal('{'),
        }
    }

    /// A bracket expression: `]` first is a member, a backslash is one too, and classes stay.
    fn bracket(&mut self) -> Result<(), String> {
        let mut set = String::from("[");
        if self.rest.next_if_eq(&'^').is_some() {
            set.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.rest.next() else { return Err("unmatched [".to_owned()) };
            match c {
                ']' if !first => break,
                '[' if self.rest.peek() == Some(&':') => self.class(&mut set)?,
                '-' if !first && self.rest.peek() != Some(&']') => set.push('-'),
                other if other.is_ascii_alphanumeric() || other == ' ' => set.push(other),
                other => {
                    set.push_str(&regex::escape(&other.to_string()));
                    if matches!(
                        other,
                        ',' | ':' | ';' | '=' | '<' | '>' | '@' | '!' | '"' | '%' | '\'' | '/' | '`'
                    ) {
                        first = false;
                        continue;
                    }
                }
            }
            first = false;
        }
        set.push(']');
        self.push_atom(&set);
        Ok(())
    }

    /// `[:digit:]` and its like, inside a bracket expression.
    fn class(&mut self, set: &mut String) -> Result<(), String> {
        let mut name = String::new();
        self.rest.next();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphabetic()) {
            name.push(c);
        }
        if self.rest.next() != Some(':') || self.rest.next() != Some(']') {
            return Err("unfinished character class".to_owned());
        }
        const CLASSES: &[&str] = &[
            "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
            "upper", "xdigit",
        ];
        if !CLASSES.contains(&name.as_str()) {
            return Err(format!("unknown character class {name:?}"));
        }
        let _ = write!(set, "[:{name}:]");
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.rest.next() {
            None => return Err("trailing backslash".to_owned()),
            Some(c @ ('w' | 'W' | 's' | 'S')) => self.push_atom(&format!("\\{c}")),
            Some('b' | '<' | '>') => {
                self.out.push_str("\\b");
                self.atom = None;
            }
            Some(c) if c.is_ascii_digit() => return Err("back references are not supported".to_owned()),
            Some(c) => self.literal(c),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_mean_what_they_mean_in_posix() {
        for (pattern, text, expected) in [
            ("^$", "", true),
            ("^$", "1", false),
            ("_65001_", "65001", true),
            ("_65001_", "1 65001 2", true),
            ("_65001_", "165001", false),
            ("_65001_", "1 {65001,2}", true),
            ("_65001_", "(65001) 2", true),
            ("^65001_", "65001 2", true),
            ("^65001_", "650012", false),
            ("_65001$", "2 65001", true),
            ("^65001(_65001)*$", "65001 65001 65001", true),
            ("^65001(_65001)*$", "65001 65002", false),
            ("^[0-9]+$", "65001", true),
            ("^[0-9]+_[0-9]+$", "1 2", true),
            ("_(1|2)_", "3 2", true),
            ("^1.3$", "123", true),
            ("^1\\.3$", "123", false),
            ("^12{2}$", "122", true),
            ("{1,2}", "5 {1,2}", true),
            ("[]0]", "]", true),
            ("[^]0]", "0", false),
            ("^[[:digit:]]+$", "42", true),
            ("[\\d]", "d", true),
            ("a+?", "", true),
            ("*1", "*1", true),
            ("65001:.*", "65001:5", true),
            ("_65[0-9]{3}:1.._", "65001:100", true),
            ("[a&&b]", "&", true),
            ("\\<65001\\>", "65001 2", true),
            ("(?1)", "?1", true),
        ] {
            let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text:?} ({regex})");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for pattern in ["(", ")", "[", "[[:foo:]]", "\\", "(a)\\1", "[z-a]"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_translation_panic(pattern in "[0-9_^$.*+?(){}\\[\\]|\\\\:a-c,<-]{0,24}", path in "[0-9 {},]{0,20}") {
            if let Ok(regex) = compile(&pattern) {
                let _ = regex.is_match(&path);
            }
        }
    }
}
