//! `show bgp peer-group [NAME]`.

use std::fmt;

use ferrite_types::{Afi, Asn, Safi};
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
    pub dynamic_ranges: Option<Vec<String>>,
    #[serde(rename = "members")]
    pub members: IndexMap<String, Member>,
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
        if let Some(ranges) = &self.dynamic_ranges {
            writeln!(f, "  {} IPv4/IPv6 listen range(s)", ranges.len())?;
            ranges.iter().try_for_each(|range| writeln!(f, "    {range}"))?;
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
