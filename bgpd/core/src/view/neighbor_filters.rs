//! The part of `show bgp neighbors X` about outbound route filters, conditional advertisement and suppressed routes.

use std::fmt;

use serde::Serialize;

use super::neighbor::Both;

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FiltersView {
    #[serde(flatten)]
    pub orf: OrfView,
    #[serde(rename = "selectiveUnsuppressRouteMap", skip_serializing_if = "Option::is_none")]
    pub unsuppress_map: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_map: Option<AdvertiseMapView>,
    #[serde(rename = "siteOfOrigin", skip_serializing_if = "Option::is_none")]
    pub soo: Option<String>,
}

/// Capability 3 of both ends, and what came of it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrfView {
    #[serde(rename = "afDependentCap", skip_serializing_if = "Option::is_none")]
    pub capability: Option<OrfCapability>,
    /// Entries of the neighbour's filter.
    #[serde(rename = "orfRecvCounter", skip_serializing_if = "Option::is_none")]
    pub received: Option<usize>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrfCapability {
    #[serde(rename = "orfType")]
    pub kind: u8,
    #[serde(rename = "orfPrefixList")]
    pub modes: OrfModes,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct OrfModes {
    #[serde(rename = "sendMode")]
    pub send: Both,
    #[serde(rename = "recvMode")]
    pub receive: Both,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvertiseMapView {
    /// `EXIST` or `NON_EXIST`.
    pub condition: &'static str,
    pub condition_map: String,
    pub advertise_map: String,
}

impl fmt::Display for OrfView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(OrfCapability { kind, modes }) = self.capability {
            writeln!(f, "  AF-dependant capabilities:")?;
            writeln!(f, "    Outbound Route Filter (ORF) type ({kind}) Prefix-list:")?;
            for (name, both) in [("Send", modes.send), ("Receive", modes.receive)] {
                let words = [(both.advertised, "advertised"), (both.received, "received")];
                let words: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
                if !words.is_empty() {
                    writeln!(f, "      {name}-mode: {}", words.join(", "))?;
                }
            }
        }
        match self.received {
            Some(count) => writeln!(f, "  Outbound Route Filter (ORF): received ({count} entries)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for FiltersView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.unsuppress_map {
            writeln!(f, "  Route map for selective unsuppress is {name}")?;
        }
        if let Some(soo) = &self.soo {
            writeln!(f, "  Site of origin is {soo}")?;
        }
        if let Some(map) = &self.advertise_map {
            let AdvertiseMapView { condition, condition_map, advertise_map } = map;
            writeln!(
                f,
                "  Condition {condition}, Condition-map {condition_map}, Advertise-map {advertise_map}"
            )?;
        }
        Ok(())
    }
}
