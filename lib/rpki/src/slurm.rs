//! Local exceptions (RFC 8416; provider authorisations as in draft-ietf-sidrops-aspa-slurm): a file that takes away what
//! caches say (filters) and adds what they do not (assertions).
//!
//! A file that is not right in every part is refused whole (RFC 8416 §2.2): unknown members, a version that does not know
//! its members, prefixes with host bits.

use std::str::FromStr;

use ferrite_types::{Asn, Prefix};
use serde::Deserialize;
use serde_json::Value;

use crate::tables::{RouterKey, Tables};
use crate::vrp::Vrp;

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("slurmVersion {0} is not known")]
    Version(u64),
    #[error("slurmVersion 1 has no {0}")]
    NotInVersion(&'static str),
    #[error("{0}")]
    Value(String),
}

fn value(text: impl Into<String>) -> SlurmError {
    SlurmError::Value(text.into())
}

/// A prefix filter: both conditions must hold, one at least is given (RFC 8416 §3.3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrefixFilter {
    /// VRPs of this prefix and of those below it.
    pub prefix: Option<Prefix>,
    pub asn: Option<Asn>,
}

/// A router key filter (RFC 8416 §3.3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFilter {
    pub asn: Option<Asn>,
    pub ski: Option<[u8; 20]>,
}

/// A file's contents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Slurm {
    pub prefix_filters: Vec<PrefixFilter>,
    pub key_filters: Vec<KeyFilter>,
    /// Customers whose authorisations are taken away.
    pub aspa_filters: Vec<Asn>,
    pub prefix_assertions: Vec<Vrp>,
    pub key_assertions: Vec<RouterKey>,
    pub aspa_assertions: Vec<(Asn, Vec<Asn>)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    slurm_version: u64,
    validation_output_filters: Filters,
    locally_added_assertions: Assertions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Filters {
    prefix_filters: Vec<RawPrefixFilter>,
    bgpsec_filters: Vec<RawKeyFilter>,
    aspa_filters: Option<Vec<RawAspaFilter>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Assertions {
    prefix_assertions: Vec<RawPrefixAssertion>,
    bgpsec_assertions: Vec<RawKeyAssertion>,
    aspa_assertions: Option<Vec<RawAspaAssertion>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawPrefixFilter {
    prefix: Option<String>,
    asn: Option<u32>,
    #[serde(rename = "comment")]
    _comment: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKeyFilter {
    asn: Option<u32>,
    #[serde(rename = "SKI")]
    ski: Option<String>,
    #[serde(rename = "comment")]
    _comment: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAspaFilter {
    #[serde(rename = "customerAsn", alias = "customerAsid")]
    customer: u32,
    #[serde(rename = "comment")]
    _comment: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawPrefixAssertion {
    asn: u32,
    prefix: String,
    max_prefix_length: Option<u8>,
    #[serde(rename = "comment")]
    _comment: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKeyAssertion {
    asn: u32,
    #[serde(rename = "SKI")]
    ski: String,
    #[serde(rename = "routerPublicKey")]
    key: String,
    #[serde(rename = "comment")]
    _comment: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAspaAssertion {
    #[serde(rename = "customerAsn", alias = "customerAsid")]
    customer: u32,
    #[serde(rename = "providers", alias = "providerSet", alias = "providerAsns")]
    providers: Vec<u32>,
    #[serde(rename = "comment")]
    _comment: Option<Value>,
}

impl FromStr for Slurm {
    type Err = SlurmError;

    fn from_str(text: &str) -> Result<Self, SlurmError> {
        let file: File = serde_json::from_str(text)?;
        let (filters, assertions) = (file.validation_output_filters, file.locally_added_assertions);
        match file.slurm_version {
            1 if filters.aspa_filters.is_some() => return Err(SlurmError::NotInVersion("aspaFilters")),
            1 if assertions.aspa_assertions.is_some() => {
                return Err(SlurmError::NotInVersion("aspaAssertions"));
            }
            1 | 2 => {}
            other => return Err(SlurmError::Version(other)),
        }
        Ok(Self {
            prefix_filters: all(filters.prefix_filters, prefix_filter)?,
            key_filters: all(filters.bgpsec_filters, key_filter)?,
            aspa_filters: filters.aspa_filters.unwrap_or_default().iter().map(|f| Asn(f.customer)).collect(),
            prefix_assertions: all(assertions.prefix_assertions, prefix_assertion)?,
            key_assertions: all(assertions.bgpsec_assertions, key_assertion)?,
            aspa_assertions: assertions
                .aspa_assertions
                .unwrap_or_default()
                .into_iter()
                .map(|raw| (Asn(raw.customer), raw.providers.into_iter().map(Asn).collect()))
                .collect(),
        })
    }
}

fn all<R, T>(raw: Vec<R>, read: fn(R) -> Result<T, SlurmError>) -> Result<Vec<T>, SlurmError> {
    raw.into_iter().map(read).collect()
}

fn prefix(text: &str) -> Result<Prefix, SlurmError> {
    let prefix: Prefix = text.parse().map_err(|_| value(format!("{text} is not a prefix")))?;
    let addr = text.split('/').next().and_then(|addr| addr.parse().ok());
    if addr == Some(prefix.addr()) { Ok(prefix) } else { Err(value(format!("{text} has host bits"))) }
}

fn prefix_filter(raw: RawPrefixFilter) -> Result<PrefixFilter, SlurmError> {
    if raw.prefix.is_none() && raw.asn.is_none() {
        return Err(value("a prefix filter has neither prefix nor asn"));
    }
    let prefix = raw.prefix.as_deref().map(prefix).transpose()?;
    Ok(PrefixFilter { prefix, asn: raw.asn.map(Asn) })
}

fn key_filter(raw: RawKeyFilter) -> Result<KeyFilter, SlurmError> {
    if raw.ski.is_none() && raw.asn.is_none() {
        return Err(value("a bgpsec filter has neither asn nor SKI"));
    }
    Ok(KeyFilter { asn: raw.asn.map(Asn), ski: raw.ski.as_deref().map(ski).transpose()? })
}

fn prefix_assertion(raw: RawPrefixAssertion) -> Result<Vrp, SlurmError> {
    let prefix = prefix(&raw.prefix)?;
    let length = raw.max_prefix_length.unwrap_or(prefix.len());
    Vrp::new(prefix, length, Asn(raw.asn))
        .ok_or_else(|| value(format!("maxPrefixLength {length} does not fit {prefix}")))
}

fn key_assertion(raw: RawKeyAssertion) -> Result<RouterKey, SlurmError> {
    Ok(RouterKey { asn: Asn(raw.asn), ski: ski(&raw.ski)?, spki: base64(&raw.key)?.into() })
}

fn ski(text: &str) -> Result<[u8; 20], SlurmError> {
    base64(text)?.try_into().map_err(|_| value(format!("SKI {text} is not of 20 octets")))
}

/// Base64 with or without padding, of either alphabet (RFC 4648 §4, §5).
fn base64(text: &str) -> Result<Vec<u8>, SlurmError> {
    let wrong = || value(format!("{text} is not base64"));
    let mut octets = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u8);
    for digit in text.trim_end_matches('=').bytes() {
        let six = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return Err(wrong()),
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held) as u8);
        }
    }
    // What is left over cannot be a whole digit.
    if held >= 6 { Err(wrong()) } else { Ok(octets) }
}

impl PrefixFilter {
    fn takes(&self, vrp: &Vrp) -> bool {
        self.prefix.is_none_or(|prefix| prefix.covers(vrp.prefix))
            && self.asn.is_none_or(|asn| asn == vrp.asn)
    }
}

impl KeyFilter {
    fn takes(&self, key: &RouterKey) -> bool {
        self.asn.is_none_or(|asn| asn == key.asn) && self.ski.is_none_or(|ski| ski == key.ski)
    }
}

impl Slurm {
    /// What is in force where a cache says `tables`: filters first, then assertions (RFC 8416 §4.2).
    pub fn apply(&self, mut tables: Tables) -> Tables {
        for filter in &self.prefix_filters {
            let taken: Vec<Vrp> = match filter.prefix {
                Some(prefix) => tables.vrps.within(prefix),
                None => tables.vrps.iter().collect(),
            };
            for vrp in taken.into_iter().filter(|vrp| filter.takes(vrp)) {
                tables.vrps.remove(vrp);
            }
        }
        if !self.key_filters.is_empty() {
            tables.keys.retain(|key| !self.key_filters.iter().any(|filter| filter.takes(key)));
        }
        for customer in &self.aspa_filters {
            tables.aspas.remove(*customer);
        }
        for vrp in &self.prefix_assertions {
            tables.vrps.insert(*vrp);
        }
        for key in &self.key_assertions {
            tables.keys.insert(key.clone());
        }
        for (customer, providers) in &self.aspa_assertions {
            // Several authorisations of one customer are one with all their providers.
            let mut all = tables.aspas.providers(*customer).unwrap_or_default().to_vec();
            all.extend(providers);
            tables.aspas.insert(*customer, all);
        }
        tables
    }

    /// Filters and assertions of all kinds.
    pub fn len(&self) -> (usize, usize) {
        (
            self.prefix_filters.len() + self.key_filters.len() + self.aspa_filters.len(),
            self.prefix_assertions.len() + self.key_assertions.len() + self.aspa_assertions.len(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The members of the example in RFC 8416 §3.5.
    const EXAMPLE: &str = r#"{
      "slurmVersion": 1,
      "validationOutputFilters": {
        "prefixFilters": [
          {"prefix": "192.0.2.0/24", "comment": "All VRPs encompassed by prefix"},
          {"asn": 64496, "comment": "All VRPs matching ASN"},
          {"prefix": "198.51.100.0/24", "asn": 64497, "comment": "both"}
        ],
        "bgpsecFilters": [
          {"asn": 64496, "comment": "All keys for ASN"},
          {"SKI": "Zm9vZm9vZm9vZm9vZm9vZm9vZm8", "comment": "Key matching Router SKI"}
        ]
      },
      "locallyAddedAssertions": {
        "prefixAssertions": [
          {"asn": 64496, "prefix": "198.51.100.0/24", "comment": "My other important route"},
          {"asn": 64496, "prefix": "2001:DB8::/32", "maxPrefixLength": 48, "comment": "deaggregated"}
        ],
        "bgpsecAssertions": [
          {"asn": 64496, "comment": "My known key", "SKI": "Zm9vZm9vZm9vZm9vZm9vZm9vZm8", "routerPublicKey": "Ym9vbQ=="}
        ]
      }
    }"#;

    fn vrp(prefix: &str, max: u8, asn: u32) -> Vrp {
        Vrp::new(prefix.parse().unwrap(), max, Asn(asn)).unwrap()
    }

    #[test]
    fn the_example_of_the_document_filters_and_adds() {
        let slurm: Slurm = EXAMPLE.parse().unwrap();
        assert_eq!(slurm.len(), (5, 3));
        let mut tables = Tables::default();
        for gone in [
            vrp("192.0.2.0/24", 24, 64500),
            vrp("192.0.2.128/25", 25, 64501),
            vrp("10.0.0.0/8", 8, 64496),
            vrp("198.51.100.0/24", 24, 64497),
        ] {
            tables.vrps.insert(gone);
        }
        let kept = [vrp("192.0.0.0/16", 24, 64500), vrp("198.51.100.0/24", 24, 64498)];
        kept.iter().for_each(|kept| assert!(tables.vrps.insert(*kept)));
        let after = slurm.apply(tables);
        let all: Vec<Vrp> = after.vrps.iter().collect();
        assert_eq!(
            all,
            [kept[0], vrp("198.51.100.0/24", 24, 64496), kept[1], vrp("2001:db8::/32", 48, 64496),]
        );
        assert_eq!(after.keys.iter().map(|key| &*key.spki).collect::<Vec<_>>(), [b"boom"]);
    }

    #[test]
    fn version_2_knows_authorisations() {
        let text = r#"{"slurmVersion": 2,
          "validationOutputFilters": {"prefixFilters": [], "bgpsecFilters": [], "aspaFilters": [{"customerAsn": 64496}]},
          "locallyAddedAssertions": {"prefixAssertions": [], "bgpsecAssertions": [],
            "aspaAssertions": [{"customerAsn": 64499, "providers": [64497, 64498]}]}}"#;
        let slurm: Slurm = text.parse().unwrap();
        let mut tables = Tables::default();
        tables.aspas.insert(Asn(64496), vec![Asn(1)]);
        tables.aspas.insert(Asn(64499), vec![Asn(2)]);
        let after = slurm.apply(tables);
        let all: Vec<_> = after.aspas.iter().map(|(asn, set)| (asn.0, set.to_vec())).collect();
        assert_eq!(all, [(64499, vec![Asn(2), Asn(64497), Asn(64498)])]);
        assert!(text.replace(": 2,", ": 1,").parse::<Slurm>().is_err());
    }

    #[test]
    fn what_is_not_right_is_refused_whole() {
        for (from, to) in [
            ("\"slurmVersion\": 1", "\"slurmVersion\": 7"),
            ("192.0.2.0/24", "192.0.2.1/24"),
            ("192.0.2.0/24", "192.0.2.0/33"),
            ("\"maxPrefixLength\": 48", "\"maxPrefixLength\": 31"),
            ("Zm9vZm9vZm9vZm9vZm9vZm9vZm8", "Zm9v"),
            ("prefixFilters", "prefixFilter"),
            ("{\"asn\": 64496, \"comment\": \"All VRPs matching ASN\"}", "{}"),
        ] {
            let text = EXAMPLE.replace(from, to);
            assert_ne!(text, EXAMPLE);
            assert!(text.parse::<Slurm>().is_err(), "{from} -> {to}");
        }
    }
}
