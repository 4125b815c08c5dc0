//! `show bgp peer-group [NAME]`.

use std::fmt;

use ferrite_types::{Afi, Asn, Prefix, Safi};
use indexmap::IndexMap;
use serde::Serialize;

use super::family_name;

/// All peer groups; serialises as an object keyed by name.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct PeerGroups(pub IndexMap<String, PeerGroupView>);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerGroupView {
    /// As configured on the group; members may bring their own.
    #[serde(rename = "remoteAs", skip_serializing_if = "Option::is_none")]
    pub remote_as: Option<Asn>,
    /// `internal` or `external`; absent while no AS is known.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    #[serde(rename = "addressFamiliesConfigured")]
    pub families: Vec<FamilyText>,
    #[serde(skip_serializing_if = "DynamicRanges::is_empty")]
    pub dynamic_ranges: DynamicRanges,
    #[serde(rename = "members", skip_serializing_if = "IndexMap::is_empty")]
    pub members: IndexMap<String, Member>,
}

/// `bgp listen range` of the group.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DynamicRanges {
    #[serde(rename = "IPv4", skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Ranges>,
    #[serde(rename = "IPv6", skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ranges>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Ranges {
    pub count: usize,
    pub ranges: Vec<String>,
}

impl DynamicRanges {
    pub fn new<'a>(ranges: impl Iterator<Item = &'a Prefix>) -> Self {
        let (four, six): (Vec<&Prefix>, Vec<&Prefix>) = ranges.partition(|range| range.addr().is_ipv4());
        let side = |ranges: Vec<&Prefix>| {
            let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
            (!ranges.is_empty()).then_some(Ranges { count: ranges.len(), ranges })
        };
        Self { ipv4: side(four), ipv6: side(six) }
    }

    fn is_empty(&self) -> bool {
        self.ipv4.is_none() && self.ipv6.is_none()
    }
}

/// A family that serialises as its name.
#[derive(Clone, Copy, Debug)]
pub struct FamilyText(pub Afi, pub Safi);

impl Serialize for FamilyText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(family_name(self.0, self.1))
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    #[serde(rename = "status")]
    pub state: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dynamic: bool,
}

impl fmt::Display for PeerGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, group)| group.write(name, f))
    }
}

impl PeerGroupView {
    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remote_as {
            Some(asn) => writeln!(f, "\nBGP peer-group {name}, remote AS {asn}")?,
            None => writeln!(f, "\nBGP peer-group {name}")?,
        }
        if let Some(kind) = self.kind {
            writeln!(f, "  Peer-group type is {kind}")?;
        }
        write!(f, "  Configured address-families:")?;
        if self.families.is_empty() {
            write!(f, " none")?;
        }
        for FamilyText(afi, safi) in &self.families {
            write!(f, " {};", family_name(*afi, *safi))?;
        }
        writeln!(f)?;
        for (family, ranges) in [("IPv4", &self.dynamic_ranges.ipv4), ("IPv6", &self.dynamic_ranges.ipv6)] {
            let Some(ranges) = ranges else { continue };
            writeln!(f, "  {} {family} listen range(s)", ranges.count)?;
            ranges.ranges.iter().try_for_each(|range| writeln!(f, "    {range}"))?;
        }
        if !self.members.is_empty() {
            writeln!(f, "  Peer-group members:")?;
            for (peer, member) in &self.members {
                let dynamic = if member.dynamic { "(dynamic) " } else { "" };
                writeln!(f, "    {peer} {dynamic} {} ", member.state)?;
            }
        }
        Ok(())
    }
}
