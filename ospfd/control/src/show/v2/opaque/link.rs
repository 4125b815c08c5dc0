//! A link as traffic engineering tells of it: its sub-TLVs (RFC 3630 §2.5, RFC 5392 §3.3, RFC 7308, RFC 7471 §4).

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use ferrite_ospf::packet::opaque::Tlv;
use ferrite_types::link_params::Bandwidth;
use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::Unknown;

/// Set where a value is out of what was agreed (RFC 7471 §4.1: the A bit).
const ANOMALOUS: u32 = 1 << 31;
const LOW_24: u32 = 0xff_ffff;

/// Octets per second.
#[derive(Clone, Copy)]
pub struct Rate(pub Bandwidth);

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0.0))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Units of 0.000003 %.
#[derive(Clone, Copy)]
pub struct Loss(pub u32);

impl Loss {
    pub fn percent(self) -> f64 {
        f64::from(self.0 & LOW_24) * 3.0 / 1e6
    }
}

impl Serialize for Loss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // FRR has it in single precision here.
        serializer.serialize_f64(f64::from(self.percent() as f32))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bandwidth(self.percent() as f32).fmt(f)
    }
}

#[derive(Serialize, Default)]
pub struct TeLink {
    #[serde(rename = "teLinkDataLength")]
    len: usize,
    #[serde(skip)]
    pub kind: Option<u8>,
    #[serde(rename = "accessType", skip_serializing_if = "Option::is_none")]
    access: Option<&'static str>,
    #[serde(rename = "linkID", skip_serializing_if = "Option::is_none")]
    pub id: Option<Ipv4Addr>,
    #[serde(rename = "localIPAddresses", skip_serializing_if = "Vec::is_empty", serialize_with = "numbered")]
    pub local: Vec<Ipv4Addr>,
    #[serde(
        rename = "remoteIPAddresses",
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "numbered"
    )]
    pub remote: Vec<Ipv4Addr>,
    #[serde(rename = "teDefaultMetric", skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    #[serde(rename = "maxLinkBandwidth", skip_serializing_if = "Option::is_none")]
    pub max: Option<Rate>,
    #[serde(rename = "maxResvLinkBandwidth", skip_serializing_if = "Option::is_none")]
    pub reservable: Option<Rate>,
    #[serde(
        rename = "unreservedBandwidth",
        skip_serializing_if = "Option::is_none",
        serialize_with = "classes"
    )]
    pub unreserved: Option<[Rate; 8]>,
    #[serde(rename = "administrativeGroup", skip_serializing_if = "Option::is_none", serialize_with = "hex")]
    pub group: Option<u32>,
    #[serde(rename = "extendedAdministrativeGroup", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<u32>,
    #[serde(rename = "remoteAsbrNumber", skip_serializing_if = "Option::is_none")]
    pub system: Option<u32>,
    #[serde(rename = "remoteAsbrAddress", skip_serializing_if = "Option::is_none")]
    pub asbr: Option<Ipv4Addr>,
    #[serde(flatten)]
    pub delay: Option<Delay>,
    #[serde(flatten)]
    pub bounds: Option<Bounds>,
    #[serde(rename = "oneWayDelayVariation", skip_serializing_if = "Option::is_none")]
    pub variation: Option<u32>,
    #[serde(flatten)]
    pub loss: Option<LossView>,
    #[serde(rename = "oneWayResidualBandwidth", skip_serializing_if = "Option::is_none")]
    pub residual: Option<Rate>,
    #[serde(rename = "oneWayAvailableBandwidth", skip_serializing_if = "Option::is_none")]
    pub available: Option<Rate>,
    #[serde(rename = "oneWayUtilizedBandwidth", skip_serializing_if = "Option::is_none")]
    pub utilized: Option<Rate>,
    #[serde(skip)]
    unknown: Vec<Unknown>,
}

#[derive(Serialize)]
pub struct Delay {
    #[serde(rename = "oneWayDelay")]
    pub value: u32,
    #[serde(rename = "oneWayDelayNormality")]
    normality: &'static str,
}

#[derive(Serialize)]
pub struct Bounds {
    #[serde(rename = "oneWayMinDelay")]
    pub least: u32,
    #[serde(rename = "oneWayMinDelayNormality")]
    normality: &'static str,
    #[serde(rename = "oneWayMaxDelay")]
    pub most: u32,
    #[serde(rename = "oneWayMaxDelayNormality")]
    most_normality: &'static str,
}

#[derive(Serialize)]
pub struct LossView {
    #[serde(rename = "oneWayPacketLoss")]
    pub value: Loss,
    #[serde(rename = "oneWayPacketLossNormality")]
    normality: &'static str,
}

fn normality(word: u32) -> &'static str {
    if word & ANOMALOUS == 0 { "normal" } else { "abnormal" }
}

fn numbered<S: Serializer>(addresses: &[Ipv4Addr], serializer: S) -> Result<S::Ok, S::Error> {
    let each = addresses.iter().enumerate();
    serializer.collect_seq(each.map(|(at, address)| BTreeMap::from([(at.to_string(), address)])))
}

#[expect(clippy::ref_option, reason = "serde hands the field")]
fn classes<S: Serializer>(rates: &Option<[Rate; 8]>, serializer: S) -> Result<S::Ok, S::Error> {
    let each = rates.iter().flatten().enumerate();
    serializer.collect_seq(each.map(|(class, rate)| IndexMap::from([(format!("classType-{class}"), *rate)])))
}

#[expect(clippy::ref_option, reason = "serde hands the field")]
fn hex<S: Serializer>(bits: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{:#x}", bits.unwrap_or_default()))
}

fn addresses(tlv: &Tlv) -> Vec<Ipv4Addr> {
    let (words, _) = tlv.value.as_chunks::<4>();
    words.iter().map(|word| Ipv4Addr::from(*word)).collect()
}

impl TeLink {
    /// `len` is what the sub-TLVs take.
    pub fn new(tlvs: &[Tlv], len: usize) -> Self {
        let mut link = Self { len, ..Self::default() };
        tlvs.iter().for_each(|tlv| link.read(tlv));
        link
    }

    pub fn len(&self) -> usize {
        self.len
    }

    fn read(&mut self, tlv: &Tlv) {
        let (words, rest) = tlv.value.as_chunks::<4>();
        let words: Vec<u32> = words.iter().map(|word| u32::from_be_bytes(*word)).collect();
        let rate = |word: &u32| Rate(Bandwidth(f32::from_bits(*word)));
        match (tlv.ty, &words[..]) {
            (1, _) if !tlv.value.is_empty() => {
                self.kind = tlv.value.first().copied();
                self.access = self.kind.map(access);
            }
            (3, _) if rest.is_empty() => self.local = addresses(tlv),
            (4, _) if rest.is_empty() => self.remote = addresses(tlv),
            (26, _) if rest.is_empty() => self.groups = words,
            (2, [word]) => self.id = Some(Ipv4Addr::from_bits(*word)),
            (5, [word]) => self.metric = Some(*word),
            (6, [word]) => self.max = Some(rate(word)),
            (7, [word]) => self.reservable = Some(rate(word)),
            (8, all) if all.len() == 8 => {
                let rates: Vec<Rate> = all.iter().map(rate).collect();
                self.unreserved = <[Rate; 8]>::try_from(rates).ok();
            }
            (9, [word]) => self.group = Some(*word),
            (21, [word]) => self.system = Some(*word),
            (22, [word]) => self.asbr = Some(Ipv4Addr::from_bits(*word)),
            (27, [word]) => self.delay = Some(Delay { value: word & LOW_24, normality: normality(*word) }),
            (28, [least, most]) => {
                self.bounds = Some(Bounds {
                    least: least & LOW_24,
                    normality: normality(*least),
                    most: most & LOW_24,
                    most_normality: normality(*most),
                });
            }
            (29, [word]) => self.variation = Some(word & LOW_24),
            (30, [word]) => {
                self.loss = Some(LossView { value: Loss(word & LOW_24), normality: normality(*word) });
            }
            (31, [word]) => self.residual = Some(rate(word)),
            (32, [word]) => self.available = Some(rate(word)),
            (33, [word]) => self.utilized = Some(rate(word)),
            _ => self.unknown.push(Unknown::of(tlv)),
        }
    }
}

fn access(kind: u8) -> &'static str {
    match kind {
        1 => "Point-to-point",
        2 => "Multiaccess",
        _ => "Unknown",
    }
}

/// "Normal" or "Anomalous", as FRR begins these lines.
fn word(normality: &str) -> &'static str {
    if normality == "normal" { "Normal" } else { "Anomalous" }
}

impl fmt::Display for TeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(kind), Some(access)) = (self.kind, self.access) {
            writeln!(f, "  Link-Type: {access} ({kind})")?;
        }
        if let Some(id) = self.id {
            writeln!(f, "  Link-ID: {id}")?;
        }
        for (name, addresses) in [("Local", &self.local), ("Remote", &self.remote)] {
            if !addresses.is_empty() {
                writeln!(f, "  {name} Interface IP Address(es): {}", addresses.len())?;
                let mut each = addresses.iter().enumerate();
                each.try_for_each(|(at, address)| writeln!(f, "    #{at}: {address}"))?;
            }
        }
        if let Some(metric) = self.metric {
            writeln!(f, "  Traffic Engineering Metric: {metric}")?;
        }
        if let Some(rate) = self.max {
            writeln!(f, "  Maximum Bandwidth: {rate} (Bytes/sec)")?;
        }
        if let Some(rate) = self.reservable {
            writeln!(f, "  Maximum Reservable Bandwidth: {rate} (Bytes/sec)")?;
        }
        if let Some(rates) = &self.unreserved {
            writeln!(f, "  Unreserved Bandwidth per Class Type in Byte/s:")?;
            for (class, rate) in rates.iter().enumerate() {
                let end = if class % 2 == 0 { ",\t" } else { "\n" };
                let start = if class % 2 == 0 { "    " } else { "" };
                write!(f, "{start}[{class}]: {rate} (Bytes/sec){end}")?;
            }
        }
        if let Some(group) = self.group {
            writeln!(f, "  Resource class/color: {group:#x}")?;
        }
        if !self.groups.is_empty() {
            let words: Vec<String> = self.groups.iter().map(|word| format!("{word:#x}")).collect();
            writeln!(f, "  Extended Administrative Group: {}", words.join(" "))?;
        }
        if let Some(system) = self.system {
            writeln!(f, "  Inter-AS TE Remote AS number: {system}")?;
        }
        if let Some(asbr) = self.asbr {
            writeln!(f, "  Inter-AS TE Remote ASBR IP address: {asbr}")?;
        }
        self.extensions(f)?;
        self.unknown.iter().try_for_each(|unknown| unknown.fmt(f))
    }
}

impl TeLink {
    fn extensions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(delay) = &self.delay {
            writeln!(f, "  {} Average Link Delay: {} (micro-sec)", word(delay.normality), delay.value)?;
        }
        if let Some(bounds) = &self.bounds {
            let (least, most) = (bounds.least, bounds.most);
            writeln!(f, "  {} Min/Max Link Delay: {least}/{most} (micro-sec)", word(bounds.normality))?;
        }
        if let Some(variation) = self.variation {
            writeln!(f, "  Delay Variation: {variation} (micro-sec)")?;
        }
        if let Some(loss) = &self.loss {
            writeln!(f, "  {} Link Loss: {} (%)", word(loss.normality), loss.value)?;
        }
        for (name, rate) in
            [("Residual", self.residual), ("Available", self.available), ("Utilized", self.utilized)]
        {
            if let Some(rate) = rate {
                writeln!(f, "  Unidirectional {name} Bandwidth: {rate} (Bytes/sec)")?;
            }
        }
        Ok(())
    }
}
