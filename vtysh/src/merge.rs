//! One JSON text out of the answers of several daemons.

use std::io;

use serde_json::ser::{Formatter, PrettyFormatter};
use serde_json::{Map, Value};

/// Joins what daemons answered to the same command. Objects whose members have different names become one object; else
/// each answer stands under its daemon's name. An answer that is no JSON is left as it is, after the others.
pub fn json(answers: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let answers: Vec<_> = answers
        .into_iter()
        .filter(|(_, text)| text.iter().any(|octet| !octet.is_ascii_whitespace()))
        .collect();
    if let [(_, only)] = answers.as_slice() {
        return only.clone();
    }
    let mut values: Vec<(String, Value)> = Vec::new();
    let mut others: Vec<u8> = Vec::new();
    for (name, text) in answers {
        match serde_json::from_slice(&text) {
            Ok(value) => values.push((name, value)),
            Err(_) => others.extend(text),
        }
    }
    let joined = join(&values).unwrap_or_else(|| values.into_iter().collect());
    let mut out = if joined.is_empty() { Vec::new() } else { print(&Value::Object(joined)) };
    out.extend(others);
    out
}

/// One object, if all are objects and no two have a member of the same name.
fn join(values: &[(String, Value)]) -> Option<Map<String, Value>> {
    let mut joined = Map::new();
    for (_, value) in values {
        for (name, member) in value.as_object()? {
            if joined.insert(name.clone(), member.clone()).is_some() {
                return None;
            }
        }
    }
    Some(joined)
}

/// Indented as FRR indents.
fn print(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Frr(PrettyFormatter::new()));
    // Writing into memory cannot fail.
    let _ = serde::Serialize::serialize(value, &mut serializer);
    out.push(b'\n');
    out
}

/// Two spaces of indentation and none behind a colon.
struct Frr(PrettyFormatter<'static>);

impl Formatter for Frr {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b":")
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(answers: &[(&str, &str)]) -> String {
        let answers =
            answers.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        String::from_utf8(json(answers)).unwrap()
    }

    #[test]
    fn answers_become_one_valid_text() {
        assert_eq!(joined(&[("zebra", "{\"a\":1}\n"), ("bgpd", "")]), "{\"a\":1}\n");
        assert_eq!(
            joined(&[("zebra", "{\"z\":{}}"), ("bgpd", "{\"b\":[2]}")]),
            "{\n  \"z\":{},\n  \"b\":[\n    2\n  ]\n}\n"
        );
        assert_eq!(
            joined(&[("zebra", "{\"a\":1}"), ("bgpd", "{\"a\":2}")]),
            "{\n  \"zebra\":{\n    \"a\":1\n  },\n  \"bgpd\":{\n    \"a\":2\n  }\n}\n"
        );
        assert_eq!(
            joined(&[("zebra", "[1]"), ("bgpd", "% no\n"), ("x", "")]),
            "{\n  \"zebra\":[\n    1\n  ]\n}\n% no\n"
        );
    }
}
