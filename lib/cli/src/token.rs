//! The kinds of words a command takes, and whether a given word is one.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A word of a line and where it stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    /// Octet offset in the line.
    pub column: usize,
}

/// Splits a line into words. A line whose first character is `!` or `#` is a comment and has none.
pub fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::with_capacity(8);
    if line.trim_start().starts_with(['!', '#']) {
        return words;
    }
    let mut start = None;
    for (at, character) in line.char_indices() {
        match (character.is_ascii_whitespace(), start) {
            (true, Some(begin)) => {
                words.push(Word { text: line.get(begin..at).unwrap_or_default(), column: begin });
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    if let Some(begin) = start {
        words.push(Word { text: line.get(begin..).unwrap_or_default(), column: begin });
    }
    words
}

/// What a variable token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `A.B.C.D`
    Ipv4,
    /// `A.B.C.D/M`
    Ipv4Prefix,
    /// `X:X::X:X`
    Ipv6,
    /// `X:X::X:X/M`
    Ipv6Prefix,
    /// `M:A:C`
    Mac,
    /// `ASNUM`: plain or dotted.
    Asn,
    /// `(1-255)`, bounds included.
    Range(i64, i64),
    /// Any word: `WORD`, `IFNAME`, `NAME`, ...
    Word,
}

/// How well a word fits; the better fit wins when a line can be read in two ways.
pub(crate) type Score = u8;
pub(crate) const EXACT: Score = 100;
pub(crate) const PARTIAL: Score = 90;

impl Kind {
    pub(crate) fn of(text: &str) -> Option<Kind> {
        Some(match text {
            "A.B.C.D" => Kind::Ipv4,
            "A.B.C.D/M" => Kind::Ipv4Prefix,
            "X:X::X:X" => Kind::Ipv6,
            "X:X::X:X/M" => Kind::Ipv6Prefix,
            "M:A:C" => Kind::Mac,
            "ASNUM" => Kind::Asn,
            _ => {
                let mut characters = text.chars();
                let first = characters.next()?;
                let rest = characters.as_str();
                let upper = |c: char| {
                    c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | ':' | '.' | '/')
                };
                if first.is_ascii_uppercase() && !rest.is_empty() && rest.chars().all(upper) {
                    Kind::Word
                } else {
                    return None;
                }
            }
        })
    }

    /// Whether the whole word is a value of this kind.
    pub fn accepts(self, word: &str) -> bool {
        match self {
            Kind::Ipv4 => word.parse::<Ipv4Addr>().is_ok(),
            Kind::Ipv4Prefix => prefix::<Ipv4Addr>(word, 32),
            Kind::Ipv6 => word.contains(':') && word.parse::<Ipv6Addr>().is_ok(),
            Kind::Ipv6Prefix => prefix::<Ipv6Addr>(word, 128),
            Kind::Mac => mac(word),
            Kind::Asn => asn(word),
            Kind::Range(low, high) => number(word).is_some_and(|value| (low..=high).contains(&value)),
            Kind::Word => !word.is_empty(),
        }
    }

    /// Whether a value of this kind may begin with these characters (for `?` and completion).
    pub fn may_begin(self, word: &str) -> bool {
        if word.is_empty() || self.accepts(word) {
            return true;
        }
        let all = |extra: &str, hex: bool| {
            word.chars()
                .all(|c| extra.contains(c) || if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() })
        };
        match self {
            Kind::Ipv4 => all(".", false) && !word.contains(".."),
            Kind::Ipv4Prefix => all("./", false) && !word.contains(".."),
            Kind::Ipv6 => all(":.", true) && word.contains(|c: char| c.is_ascii_hexdigit() || c == ':'),
            Kind::Ipv6Prefix => all(":./", true),
            Kind::Mac => all(":", true),
            Kind::Asn => all(".", false),
            Kind::Range(low, high) => number(word).is_some_and(|value| {
                // 2 may become 25: some value in the range begins with these digits.
                let mut span = (value, value);
                for _ in 0..19 {
                    if span.0 > high {
                        return false;
                    }
                    if span.1 >= low {
                        return true;
                    }
                    span = (span.0.saturating_mul(10), span.1.saturating_mul(10).saturating_add(9));
                }
                false
            }),
            Kind::Word => true,
        }
    }

    /// A word of this kind that no keyword begins with.
    pub(crate) fn sample(self) -> String {
        match self {
            Kind::Ipv4 => "192.0.2.1".to_owned(),
            Kind::Ipv4Prefix => "192.0.2.0/24".to_owned(),
            Kind::Ipv6 => "2001:db8::1".to_owned(),
            Kind::Ipv6Prefix => "2001:db8::/32".to_owned(),
            Kind::Mac => "00:00:5e:00:53:01".to_owned(),
            Kind::Asn => "64496".to_owned(),
            Kind::Range(low, _) => low.to_string(),
            Kind::Word => "Xyzzy".to_owned(),
        }
    }

    pub(crate) fn score(self) -> Score {
        match self {
            Kind::Ipv4 => 80,
            Kind::Ipv4Prefix => 79,
            Kind::Ipv6 => 78,
            Kind::Ipv6Prefix => 77,
            Kind::Mac => 76,
            Kind::Range(..) => 60,
            Kind::Asn => 50,
            Kind::Word => 10,
        }
    }
}

fn prefix<A: std::str::FromStr>(word: &str, bits: u8) -> bool {
    word.split_once('/').is_some_and(|(address, length)| {
        let length_fits = length.len() <= 3
            && length.bytes().all(|b| b.is_ascii_digit())
            && length.parse::<u8>().is_ok_and(|length| length <= bits);
        length_fits && address.parse::<A>().is_ok()
    })
}

fn mac(word: &str) -> bool {
    let mut parts = 0;
    word.split(':').all(|part| {
        parts += 1;
        (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit())
    }) && parts == 6
}

fn asn(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match word.split_once('.') {
        Some((high, low)) => {
            digits(high) && digits(low) && high.parse::<u16>().is_ok() && low.parse::<u16>().is_ok()
        }
        None => digits(word) && word.parse::<u32>().is_ok_and(|asn| asn > 0),
    }
}

fn number(word: &str) -> Option<i64> {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_knows_its_words_and_their_beginnings() {
        // The kind, a word of it, the beginning of one, what is neither.
        for (kind, whole, beginning, neither) in [
            (Kind::Ipv4, "10.0.0.1", "10.0.", "10.x"),
            (Kind::Ipv4Prefix, "10.0.0.0/8", "10.0.0.0/", "10.0.0.0/x"),
            (Kind::Ipv6, "2001:db8::1", "2001:", "2001:g"),
            (Kind::Ipv6Prefix, "2001:db8::/32", "2001:db8::/", "2001:db8::/x"),
            (Kind::Mac, "00:11:22:33:44:5f", "00:11", "00:xx"),
            (Kind::Asn, "65536.1".strip_suffix(".1").unwrap(), "1.", "x1"),
            (Kind::Range(10, 255), "25", "2", "300"),
            (Kind::Range(-5, 5), "-3", "-", "-6"),
        ] {
            assert!(kind.accepts(whole) && kind.may_begin(whole), "{kind:?} {whole}");
            assert!(!kind.accepts(beginning), "{kind:?} {beginning}");
            assert!(kind.may_begin(beginning) || beginning == "-", "{kind:?} {beginning}");
            assert!(!kind.accepts(neither) && !kind.may_begin(neither), "{kind:?} {neither}");
        }
        for (kind, word) in [
            (Kind::Ipv4Prefix, "10.0.0.0/33"),
            (Kind::Ipv4Prefix, "10.0.0.0/+8"),
            (Kind::Ipv4, "10.0.0"),
            (Kind::Asn, "0"),
            (Kind::Asn, "4294967296"),
            (Kind::Asn, "65536.1"),
            (Kind::Mac, "0:1:2:3:4"),
            (Kind::Range(0, 9), "99999999999999999999"),
        ] {
            assert!(!kind.accepts(word), "{kind:?} {word}");
        }
        assert!(Kind::Asn.accepts("1.10") && Kind::Asn.accepts("4294967295"));
    }

    #[test]
    fn words_know_their_columns_and_comments_have_none() {
        let found: Vec<(usize, &str)> =
            words("  a  bc\td ").iter().map(|word| (word.column, word.text)).collect();
        assert_eq!(found, [(2, "a"), (5, "bc"), (8, "d")]);
        assert!(words(" ! a").is_empty() && words("#a").is_empty() && words("").is_empty());
    }
}
