//! The arguments of a line, by the names that its grammar gives them.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use crate::error::CliError;

/// A line as the grammar understood it. Abbreviated keywords are found under their full text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Args {
    pub(crate) words: Vec<ArgWord>,
    pub(crate) bindings: Vec<Binding>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArgWord {
    Keyword(Arc<str>),
    Value(Box<str>),
}

impl ArgWord {
    fn as_str(&self) -> &str {
        match self {
            ArgWord::Keyword(text) => text,
            ArgWord::Value(text) => text,
        }
    }
}

/// A name and the words it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub name: Arc<str>,
    pub first: usize,
    pub end: usize,
    /// The words in one text, when there are several.
    pub joined: Option<Box<str>>,
}

impl Args {
    /// The argument of that name: `$name` where the grammar has one, else the token's own text (`A.B.C.D`, `WORD`, `json`).
    /// Several words (`LINE...`, a named group) come joined by single spaces.
    pub fn get(&self, name: &str) -> Option<&str> {
        // A name given with `$` comes before a keyword that happens to read the same.
        let mut named = self.bindings.iter().filter(|binding| &*binding.name == name);
        let binding =
            named.clone().find(|binding| !self.is_plain_keyword(binding)).or_else(|| named.next())?;
        self.text_of(binding)
    }

    pub fn has(&self, name: &str) -> bool {
        self.bindings.iter().any(|binding| &*binding.name == name)
    }

    /// Every argument of that name, for what may be given several times.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.bindings
            .iter()
            .filter(move |binding| &*binding.name == name)
            .flat_map(|binding| self.words.get(binding.first..binding.end).unwrap_or_default())
            .map(ArgWord::as_str)
    }

    /// The argument as a value of `T`; its absence or a text that is not a `T` is a refusal.
    pub fn parse<T>(&self, name: &str) -> Result<T, CliError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = self.get(name).ok_or_else(|| CliError::refused(format!("{name} is missing")))?;
        text.parse().map_err(|error| CliError::refused(format!("Invalid value {text}: {error}")))
    }

    /// As [`Args::parse`], with `None` for an argument that was left out.
    pub fn parse_opt<T>(&self, name: &str) -> Result<Option<T>, CliError>
    where
        T: FromStr,
        T::Err: Display,
    {
        if self.has(name) { self.parse(name).map(Some) } else { Ok(None) }
    }

    pub fn ipv4(&self, name: &str) -> Result<Ipv4Addr, CliError> {
        self.parse(name)
    }

    pub fn ipv6(&self, name: &str) -> Result<Ipv6Addr, CliError> {
        self.parse(name)
    }

    pub fn ip(&self, name: &str) -> Result<IpAddr, CliError> {
        self.parse(name)
    }

    /// The whole line with keywords written out.
    pub fn line(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(ArgWord::as_str).collect();
        words.join(" ")
    }

    /// The words with keywords written out.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(ArgWord::as_str)
    }

    fn is_plain_keyword(&self, binding: &Binding) -> bool {
        let word = self.words.get(binding.first);
        binding.end == binding.first + 1
            && matches!(word, Some(ArgWord::Keyword(text)) if Arc::ptr_eq(text, &binding.name))
    }

    fn text_of<'a>(&'a self, binding: &'a Binding) -> Option<&'a str> {
        match &binding.joined {
            Some(joined) => Some(joined),
            None => self.words.get(binding.first).map(ArgWord::as_str),
        }
    }

    /// Joins what names several words; called once when a match is final.
    pub(crate) fn finish(&mut self) {
        for binding in &mut self.bindings {
            if binding.end > binding.first + 1 {
                let words = self.words.get(binding.first..binding.end).unwrap_or_default();
                let words: Vec<&str> = words.iter().map(ArgWord::as_str).collect();
                binding.joined = Some(words.join(" ").into());
            }
        }
    }
}
