//! AS paths as `as-notation` of `router bgp` has them written (RFC 5396).

use bgp_packet::attr::AsPath;
use ferrite_types::{Asn, AsnNotation};
use serde::Serialize;

/// The path with every AS number in that notation; sets and confederations keep their brackets.
pub fn as_path(path: &AsPath, notation: AsnNotation) -> String {
    let plain = path.to_string();
    if notation == AsnNotation::Plain {
        return plain;
    }
    let mut text = String::with_capacity(plain.len());
    let mut rest = plain.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let (number, behind) = from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        text.push_str(before);
        match number.parse() {
            Ok(number) => text.push_str(&Asn(number).format(notation)),
            Err(_) => text.push_str(number),
        }
        rest = behind;
    }
    text + rest
}

/// An AS number in JSON, as FRR has it: a number, but for the dot of a notation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum AsnValue {
    Number(u32),
    Dotted(String),
}

impl AsnValue {
    pub fn new(asn: Asn, notation: AsnNotation) -> Self {
        if notation == AsnNotation::Plain {
            return Self::Number(asn.0);
        }
        let text = asn.format(notation);
        if text.contains('.') { Self::Dotted(text) } else { Self::Number(asn.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_asked() {
        let path = AsPath::sequence([Asn(65546), Asn(65002)]);
        let written = |notation| as_path(&path, notation);
        assert_eq!(written(AsnNotation::Plain), "65546 65002");
        assert_eq!(written(AsnNotation::Dot), "1.10 65002");
        assert_eq!(written(AsnNotation::DotPlus), "1.10 0.65002");
        let values = |notation| {
            serde_json::to_string(&[65546, 65002].map(|asn| AsnValue::new(Asn(asn), notation))).unwrap()
        };
        assert_eq!(values(AsnNotation::Plain), "[65546,65002]");
        assert_eq!(values(AsnNotation::Dot), r#"["1.10",65002]"#);
        assert_eq!(values(AsnNotation::DotPlus), r#"["1.10","0.65002"]"#);
    }
}
