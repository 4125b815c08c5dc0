//! What a router says of itself (RFC 7770), with path computation elements (RFC 5088) and segment routing (RFC 8665 §3).

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use ferrite_ospf::packet::opaque::Tlv;
use ferrite_types::text::printable;
use serde::Serialize;

use super::Unknown;

#[derive(Serialize, Default)]
pub struct Information {
    #[serde(rename = "routerCapabilities", skip_serializing_if = "Option::is_none")]
    capabilities: Option<String>,
    #[serde(rename = "hostname", skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub pce: Option<PceView>,
    #[serde(rename = "segmentRouting", skip_serializing_if = "Option::is_none")]
    segments: Option<Segments>,
    #[serde(skip)]
    unknown: Vec<Unknown>,
}

/// A path computation element.
#[derive(Serialize, Default)]
pub struct PceView {
    #[serde(rename = "pceAddress", skip_serializing_if = "Option::is_none")]
    address: Option<Ipv4Addr>,
    #[serde(rename = "pcePathScope", skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(rename = "pceDomains", skip_serializing_if = "Vec::is_empty")]
    domains: Vec<Domain>,
    #[serde(rename = "pceNeighbors", skip_serializing_if = "Vec::is_empty")]
    neighbors: Vec<Domain>,
    #[serde(rename = "pceCapabilities", skip_serializing_if = "Option::is_none")]
    flags: Option<String>,
}

#[derive(Serialize)]
enum Domain {
    #[serde(rename = "area")]
    Area(Ipv4Addr),
    #[serde(rename = "as")]
    As(u32),
}

#[derive(Serialize, Default)]
struct Segments {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    algorithms: Vec<BTreeMap<String, &'static str>>,
    #[serde(rename = "srgb", skip_serializing_if = "Option::is_none")]
    global: Option<Range>,
    #[serde(rename = "srlb", skip_serializing_if = "Option::is_none")]
    local: Option<Range>,
    #[serde(rename = "nodeMsd", skip_serializing_if = "Option::is_none")]
    depth: Option<u8>,
}

#[derive(Serialize)]
struct Range {
    #[serde(rename = "upperBound")]
    upper: u32,
    #[serde(rename = "lowerBound")]
    lower: u32,
}

fn words(tlv: &Tlv) -> Vec<u32> {
    let (words, _) = tlv.value.as_chunks::<4>();
    words.iter().map(|word| u32::from_be_bytes(*word)).collect()
}

/// Size in 24 bits, a reserved octet, then the first label as a sub-TLV (RFC 8665 §3.2).
fn range(tlv: &Tlv) -> Option<Range> {
    let size = tlv.value.get(..3)?.iter().fold(0, |all, octet| all << 8 | u32::from(*octet));
    let sub = Tlv::read_all(&tlv.value.slice(4.min(tlv.value.len())..)).ok()?;
    let label = sub.into_iter().find(|sub| sub.ty == 1)?;
    let lower = label.value.get(..3)?.iter().fold(0, |all, octet| all << 8 | u32::from(*octet)) & 0xf_ffff;
    Some(Range { lower, upper: (lower + size).saturating_sub(1) })
}

impl Information {
    pub fn new(tlvs: &[Tlv]) -> Self {
        let mut information = Self::default();
        tlvs.iter().for_each(|tlv| information.read(tlv));
        information
    }

    fn read(&mut self, tlv: &Tlv) {
        match tlv.ty {
            1 if tlv.value.len() >= 4 => {
                self.capabilities = words(tlv).first().map(|bits| format!("0x{bits:08x}"));
            }
            6 => self.pce = PceView::new(tlv),
            7 => self.hostname = Some(printable(&tlv.value)),
            8 => {
                let algorithms = tlv.value.iter().map(|number| {
                    let name = match number {
                        0 => "SPF",
                        1 => "Strict SPF",
                        _ => "Unknown",
                    };
                    BTreeMap::from([(number.to_string(), name)])
                });
                self.segments.get_or_insert_default().algorithms = algorithms.collect();
            }
            9 => self.segments.get_or_insert_default().global = range(tlv),
            14 => self.segments.get_or_insert_default().local = range(tlv),
            12 => {
                // Pairs of a type and a value; the first type is how deep a stack may be.
                let (pairs, _) = tlv.value.as_chunks::<2>();
                let depth = pairs.iter().find(|[ty, _]| *ty == 1).map(|[_, depth]| *depth);
                self.segments.get_or_insert_default().depth = depth;
            }
            _ => self.unknown.push(Unknown::of(tlv)),
        }
    }
}

impl PceView {
    /// None of what does not read.
    pub fn new(tlv: &Tlv) -> Option<Self> {
        let mut pce = Self::default();
        for sub in Tlv::read_all(&tlv.value).ok()? {
            let all = words(&sub);
            let domain = match all[..] {
                [kind, value] if kind >> 16 == 1 => Some(Domain::Area(Ipv4Addr::from_bits(value))),
                [kind, value] if kind >> 16 == 2 => Some(Domain::As(value)),
                _ => None,
            };
            match (sub.ty, &all[..]) {
                (1, [kind, address]) if kind >> 16 == 1 => pce.address = Some(Ipv4Addr::from_bits(*address)),
                (2, [bits]) => pce.scope = Some(format!("{bits:#x}")),
                (3, _) => pce.domains.extend(domain),
                (4, _) => pce.neighbors.extend(domain),
                (5, [bits, ..]) => pce.flags = Some(format!("{bits:#x}")),
                _ => {}
            }
        }
        Some(pce)
    }
}

impl fmt::Display for Information {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(bits) = &self.capabilities {
            writeln!(f, "  Router Capabilities: {bits}")?;
        }
        if let Some(name) = &self.hostname {
            writeln!(f, "  Dynamic hostname: {name}")?;
        }
        if let Some(pce) = &self.pce {
            pce.fmt(f)?;
        }
        if let Some(segments) = &self.segments {
            segments.fmt(f)?;
        }
        self.unknown.iter().try_for_each(|unknown| unknown.fmt(f))
    }
}

impl fmt::Display for PceView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.address {
            writeln!(f, "  PCE Address: {address}")?;
        }
        if let Some(scope) = &self.scope {
            writeln!(f, "  PCE Path Scope: {scope}")?;
        }
        for (name, all) in [("Domain", &self.domains), ("Neighbor", &self.neighbors)] {
            for domain in all {
                match domain {
                    Domain::Area(area) => writeln!(f, "  PCE {name} Area: {area}")?,
                    Domain::As(number) => writeln!(f, "  PCE {name} AS: {number}")?,
                }
            }
        }
        match &self.flags {
            Some(flags) => writeln!(f, "  PCE Capabilities Flag: {flags}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.algorithms.is_empty() {
            writeln!(f, "  Segment Routing Algorithm TLV:")?;
            for (number, name) in self.algorithms.iter().flatten() {
                writeln!(f, "    Algorithm {number}: {name}")?;
            }
        }
        for (name, range) in [("Global", &self.global), ("Local", &self.local)] {
            if let Some(Range { upper, lower }) = range {
                let size = (upper + 1).saturating_sub(*lower);
                writeln!(f, "  Segment Routing {name} Range TLV:\n    Range Size = {size}")?;
                writeln!(f, "    SID Label = {lower}\n")?;
            }
        }
        match self.depth {
            Some(depth) => {
                writeln!(f, "  Segment Routing MSD TLV:\n    Node Maximum Stack Depth = {depth}")
            }
            None => Ok(()),
        }
    }
}
