//! `| include REGEX` and its like: filters behind a command, fed piece by piece.

use regex::Regex;

/// What stands behind a `|`.
#[derive(Debug)]
enum Kind {
    Include(Regex),
    Exclude(Regex),
    /// From the first match on; the flag says whether it was seen.
    Begin(Regex, bool),
    /// Lines that match, with the lines below them that stand further in; the indentation of the open section.
    Section(Regex, Option<usize>),
    Count(Option<Regex>, u64),
}

/// One filter after another.
#[derive(Debug, Default)]
pub struct Filters {
    filters: Vec<Kind>,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
}

/// Splits a line into the command and its filters. A `|` that no filter's name follows belongs to the command.
pub fn split(line: &str) -> Result<(&str, Filters), String> {
    let mut filters = Filters::default();
    let mut rest = line;
    let mut command = None;
    while let Some(at) = next_pipe(rest) {
        let (head, tail) =
            (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default().trim());
        command.get_or_insert(head.trim_end());
        let end = next_pipe(tail).unwrap_or(tail.len());
        filters.filters.push(parse(tail.get(..end).unwrap_or_default().trim())?);
        rest = tail.get(end..).unwrap_or_default();
    }
    Ok((command.unwrap_or(line), filters))
}

const NAMES: [&str; 5] = ["include", "exclude", "begin", "section", "count"];

fn name_of(text: &str) -> Option<&'static str> {
    let word = text.split_whitespace().next()?;
    if word.len() < 3 {
        return None;
    }
    NAMES.iter().find(|name| name.starts_with(word)).copied()
}

/// Where the next `|` with a filter behind it stands.
fn next_pipe(text: &str) -> Option<usize> {
    text.match_indices('|')
        .find(|(at, _)| name_of(text.get(at + 1..).unwrap_or_default()).is_some())
        .map(|(at, _)| at)
}

fn parse(text: &str) -> Result<Kind, String> {
    let pattern = text.split_once(char::is_whitespace).map_or("", |(_, pattern)| pattern.trim());
    let name = name_of(text).unwrap_or_default();
    if pattern.is_empty() && name != "count" {
        return Err(format!("% {name}: a regular expression is missing"));
    }
    let regex = Regex::new(pattern).map_err(|error| {
        let reason = error.to_string();
        format!("% {name}: {}", reason.lines().last().unwrap_or("not a regular expression"))
    })?;
    Ok(match name {
        "include" => Kind::Include(regex),
        "exclude" => Kind::Exclude(regex),
        "begin" => Kind::Begin(regex, false),
        "section" => Kind::Section(regex, None),
        _ => Kind::Count(Some(regex).filter(|_| !pattern.is_empty()), 0),
    })
}

impl Filters {
    /// Takes a piece of output and appends what passes.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if self.filters.is_empty() {
            out.extend_from_slice(piece);
            return;
        }
        for part in piece.split_inclusive(|&octet| octet == b'\n') {
            self.partial.extend_from_slice(part);
            if part.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.partial);
                pass(&mut self.filters, &String::from_utf8_lossy(&line), out);
            }
        }
    }

    /// The output has ended.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            pass(&mut self.filters, &format!("{}\n", String::from_utf8_lossy(&line)), out);
        }
        for at in 0..self.filters.len() {
            let Some((filter, after)) = self.filters.get_mut(at..).and_then(<[Kind]>::split_first_mut) else {
                break;
            };
            if let Kind::Count(_, count) = filter {
                let text = format!("{count}\n");
                pass(after, &text, out);
            }
        }
    }
}

/// Sends one line through the filters.
fn pass(filters: &mut [Kind], line: &str, out: &mut Vec<u8>) {
    let text = line.trim_end_matches(['\n', '\r']);
    for filter in filters {
        let passes = match filter {
            Kind::Include(regex) => regex.is_match(text),
            Kind::Exclude(regex) => !regex.is_match(text),
            Kind::Begin(regex, seen) => {
                *seen |= regex.is_match(text);
                *seen
            }
            Kind::Section(regex, open) => {
                let indent = text.len() - text.trim_start().len();
                if open.is_some_and(|outer| indent <= outer) {
                    *open = None;
                }
                if open.is_none() && regex.is_match(text) {
                    *open = Some(indent);
                }
                open.is_some()
            }
            Kind::Count(regex, count) => {
                *count += u64::from(regex.as_ref().is_none_or(|regex| regex.is_match(text)));
                false
            }
        };
        if !passes {
            return;
        }
    }
    out.extend_from_slice(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a 1\nrouter bgp\n neighbor x\n !\n  deep\nb 2\nrouter ospf\n area 0";

    fn filtered(line: &str) -> String {
        let (command, mut filters) = split(line).unwrap();
        assert_eq!(command, "show run");
        let mut out = Vec::new();
        for piece in TEXT.as_bytes().chunks(3) {
            filters.feed(piece, &mut out);
        }
        filters.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_filter_does_what_its_name_says() {
        assert_eq!(filtered("show run | include router"), "router bgp\nrouter ospf\n");
        assert_eq!(filtered("show run|exc ^[ r]"), "a 1\nb 2\n");
        assert_eq!(filtered("show run | begin ^b"), "b 2\nrouter ospf\n area 0\n");
        assert_eq!(filtered("show run | section bgp"), "router bgp\n neighbor x\n !\n  deep\n");
        assert_eq!(filtered("show run | count"), "8\n");
        assert_eq!(filtered("show run | section router | count area"), "1\n");
    }

    #[test]
    fn a_bar_inside_a_command_is_left_alone() {
        let (command, filters) = split("show bgp regexp ^1|2").unwrap();
        assert_eq!(command, "show bgp regexp ^1|2");
        assert!(filters.filters.is_empty());
        assert!(split("show run | include [").is_err());
        assert!(split("show run | include").is_err());
    }
}
