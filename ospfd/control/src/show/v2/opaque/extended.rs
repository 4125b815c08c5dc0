//! Attributes of prefixes and links (RFC 7684) with the segments that they carry (RFC 8665 §5, §6).

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_ospf::packet::opaque::{self, Tlv};
use serde::Serialize;

use super::Unknown;

/// The address at the other end of a link, as FRR tells it.
const REMOTE_ADDRESS: u16 = 0x8000;

#[derive(Serialize)]
pub struct ExtendedPrefix {
    #[serde(skip)]
    len: usize,
    #[serde(rename = "routeType")]
    route_type: u8,
    #[serde(rename = "addressFamily")]
    family: &'static str,
    flags: String,
    address: Ipv4Addr,
    #[serde(rename = "prefixLength")]
    prefix_len: u8,
    #[serde(rename = "prefixSID", skip_serializing_if = "Option::is_none")]
    segment: Option<PrefixSegment>,
    #[serde(skip)]
    unknown: Vec<Unknown>,
}

#[derive(Serialize)]
struct PrefixSegment {
    #[serde(skip)]
    len: usize,
    algorithm: u8,
    flags: String,
    #[serde(rename = "mtID")]
    topology: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<u32>,
}

/// The number at the end: four octets are an index, three a label.
fn number(octets: &[u8]) -> u32 {
    octets.iter().fold(0, |all, octet| all << 8 | u32::from(*octet))
}

fn label(octets: &[u8]) -> u32 {
    number(octets) & 0xf_ffff
}

impl ExtendedPrefix {
    pub fn new(prefix: &opaque::ExtendedPrefix, len: usize) -> Self {
        let mut view = Self {
            len,
            route_type: prefix.route_type,
            family: "0x0",
            flags: format!("{:#x}", prefix.flags),
            address: prefix.prefix.addr(),
            prefix_len: prefix.prefix.len(),
            segment: None,
            unknown: Vec::new(),
        };
        for tlv in &prefix.sub {
            match (tlv.ty, &tlv.value[..]) {
                (2, [flags, _, topology, algorithm, rest @ ..]) if (3..=4).contains(&rest.len()) => {
                    view.segment = Some(PrefixSegment {
                        len: tlv.value.len(),
                        algorithm: *algorithm,
                        flags: format!("{flags:#x}"),
                        topology: format!("{topology:#x}"),
                        index: (rest.len() == 4).then(|| number(rest)),
                        label: (rest.len() == 3).then(|| label(rest)),
                    });
                }
                _ => view.unknown.push(Unknown::of(tlv)),
            }
        }
        view
    }
}

impl fmt::Display for ExtendedPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  Extended Prefix TLV: Length {}", self.len)?;
        writeln!(f, "\tRoute Type: {}\n\tAddress Family: {}", self.route_type, self.family)?;
        writeln!(f, "\tFlags: {}\n\tAddress: {}/{}", self.flags, self.address, self.prefix_len)?;
        if let Some(segment) = &self.segment {
            writeln!(f, "  Prefix SID Sub-TLV: Length {}\n\tAlgorithm: {}", segment.len, segment.algorithm)?;
            writeln!(f, "\tFlags: {}\n\tMT-ID:{}", segment.flags, segment.topology)?;
            numbers(f, segment.index, segment.label)?;
        }
        self.unknown.iter().try_for_each(|unknown| unknown.fmt(f))
    }
}

fn numbers(f: &mut fmt::Formatter<'_>, index: Option<u32>, label: Option<u32>) -> fmt::Result {
    if let Some(index) = index {
        writeln!(f, "\tIndex: {index}")?;
    }
    match label {
        Some(label) => writeln!(f, "\tLabel: {label}"),
        None => Ok(()),
    }
}

#[derive(Serialize)]
pub struct ExtendedLink {
    #[serde(skip)]
    len: usize,
    #[serde(rename = "linkType")]
    kind: String,
    #[serde(rename = "linkID")]
    id: Ipv4Addr,
    #[serde(rename = "linkData")]
    data: Ipv4Addr,
    #[serde(rename = "adjacencySID", skip_serializing_if = "Vec::is_empty")]
    segments: Vec<LinkSegment>,
    #[serde(rename = "remoteInterfaceAddress", skip_serializing_if = "Option::is_none")]
    remote: Option<Ipv4Addr>,
    #[serde(skip)]
    unknown: Vec<Unknown>,
}

#[derive(Serialize)]
struct LinkSegment {
    #[serde(skip)]
    len: usize,
    flags: String,
    #[serde(rename = "mtID")]
    topology: String,
    weight: String,
    #[serde(rename = "neighborID", skip_serializing_if = "Option::is_none")]
    neighbor: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<u32>,
}

impl LinkSegment {
    /// Of one router, or on a network that several share.
    fn new(tlv: &Tlv) -> Option<Self> {
        let [flags, _, topology, weight, rest @ ..] = &tlv.value[..] else { return None };
        let (neighbor, rest) = match (tlv.ty, rest) {
            (2, rest) => (None, rest),
            (3, [a, b, c, d, rest @ ..]) => (Some(Ipv4Addr::new(*a, *b, *c, *d)), rest),
            _ => return None,
        };
        (3..=4).contains(&rest.len()).then(|| Self {
            len: tlv.value.len(),
            flags: format!("{flags:#x}"),
            topology: format!("{topology:#x}"),
            weight: format!("{weight:#x}"),
            neighbor,
            index: (rest.len() == 4).then(|| number(rest)),
            label: (rest.len() == 3).then(|| label(rest)),
        })
    }
}

impl ExtendedLink {
    pub fn new(link: &opaque::ExtendedLink, len: usize) -> Self {
        let mut view = Self {
            len,
            kind: format!("{:#x}", link.kind),
            id: Ipv4Addr::from_bits(link.id),
            data: Ipv4Addr::from_bits(link.data),
            segments: Vec::new(),
            remote: None,
            unknown: Vec::new(),
        };
        for tlv in &link.sub {
            match (tlv.ty, LinkSegment::new(tlv), <[u8; 4]>::try_from(&tlv.value[..])) {
                (2 | 3, Some(segment), _) => view.segments.push(segment),
                (REMOTE_ADDRESS, _, Ok(address)) => view.remote = Some(address.into()),
                _ => view.unknown.push(Unknown::of(tlv)),
            }
        }
        view
    }
}

impl fmt::Display for ExtendedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  Extended Link TLV: Length {}\n\tLink Type: {}", self.len, self.kind)?;
        writeln!(f, "\tLink ID: {}\n\tLink data: {}", self.id, self.data)?;
        for segment in &self.segments {
            let name = if segment.neighbor.is_some() { "LAN-Adj-SID" } else { "Adj-SID" };
            writeln!(f, "  {name} Sub-TLV: Length {}\n\tFlags: {}", segment.len, segment.flags)?;
            writeln!(f, "\tMT-ID:{}\n\tWeight: {}", segment.topology, segment.weight)?;
            if let Some(neighbor) = segment.neighbor {
                writeln!(f, "\tNeighbor ID: {neighbor}")?;
            }
            numbers(f, segment.index, segment.label)?;
        }
        if let Some(address) = self.remote {
            writeln!(f, "  Remote Interface Address Sub-TLV: Length 4\n\tAddress: {address}")?;
        }
        self.unknown.iter().try_for_each(|unknown| unknown.fmt(f))
    }
}
