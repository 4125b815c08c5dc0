//! `show bgp … PREFIX`: every path of one prefix with all its attributes and the reason of the decision.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use bgp_packet::attr::{AsPath, AttrCode, Attributes, Origin, SegmentKind};
use ferrite_rpki::{AspaState, OriginState};
use ferrite_types::{Asn, AsnNotation, Prefix, RouterId};
use indexmap::IndexMap;
use serde::Serialize;

use super::add_path::PathIds;
use super::notation::{AsnValue, as_path};
use super::routes::{NexthopCell, origin_word};
use super::text;

/// A prefix with its paths.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixDetail {
    pub prefix: Prefix,
    pub version: u64,
    /// Neighbours that were sent the prefix, by the text of their address.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub advertised_to: IndexMap<String, AdvertisedTo>,
    pub paths: Vec<PathDetail>,
    /// `default` or the VRF's name.
    #[serde(skip)]
    pub table: String,
    #[serde(skip)]
    pub suppressed: bool,
    /// A path carries BLACKHOLE (RFC 7999).
    #[serde(skip)]
    pub blackhole: bool,
    /// Each path names the neighbours that have it.
    #[serde(skip)]
    pub by_path: bool,
    /// Paths of the prefix, of which `paths` may show a part, and the place of the best one among them.
    #[serde(skip)]
    pub available: usize,
    #[serde(skip)]
    pub best: Option<usize>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AdvertisedTo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The peer group the neighbour belongs to; text lists these apart.
    #[serde(rename = "peerGroup", skip_serializing_if = "Option::is_none")]
    pub peer_group: Option<String>,
}

/// One path. Optional members are left out of JSON as FRR does.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathDetail {
    pub aspath: AsPathDetail,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregator_as: Option<Asn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregator_id: Option<Ipv4Addr>,
    #[serde(rename = "rxedFromRrClient", skip_serializing_if = "is_false")]
    pub from_reflector_client: bool,
    #[serde(rename = "rxedFromRsClient", skip_serializing_if = "is_false")]
    pub from_server_client: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    #[serde(rename = "locPrf", skip_serializing_if = "Option::is_none")]
    pub local_pref: Option<u32>,
    #[serde(skip_serializing_if = "is_zero")]
    pub weight: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub tag: u32,
    pub valid: bool,
    pub version: u64,
    #[serde(rename = "dampeningSuppressed", skip_serializing_if = "is_false")]
    pub damped: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub suppressed: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub stale: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub aggregated: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub sourced: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub local: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub atomic_aggregate: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub multipath: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpki_validation_state: Option<OriginState>,
    /// Ours: of the AS path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspa_verification_state: Option<AspaState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bestpath: Option<BestPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<CommunityDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_community: Option<TextDetail>,
    /// RFC 5701.
    #[serde(rename = "extendedIpv6Community", skip_serializing_if = "Option::is_none")]
    pub extended_ipv6_community: Option<TextDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_community: Option<CommunityDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub originator_id: Option<RouterId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_list: Option<ClusterList>,
    #[serde(rename = "aigpMetric", skip_serializing_if = "Option::is_none")]
    pub aigp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otc: Option<Asn>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_attributes: Vec<UnknownAttribute>,
    #[serde(flatten)]
    pub path_ids: Option<PathIds>,
    /// Ours: why the neighbour that is asked about was not sent it.
    #[serde(rename = "notAdvertisedReason", skip_serializing_if = "Option::is_none")]
    pub withheld: Option<&'static str>,
    /// Neighbours that were sent this path; where some neighbour is sent several, [`PrefixDetail`] names none.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub advertised_to: IndexMap<String, AdvertisedTo>,
    pub last_update: LastUpdate,
    /// Seconds until the stale path goes.
    #[serde(rename = "gracefulRestartSecondsRemaining", skip_serializing_if = "Option::is_none")]
    pub stale_seconds: Option<u64>,
    /// The same for one that has long to live.
    #[serde(rename = "llgrSecondsRemaining", skip_serializing_if = "Option::is_none")]
    pub long_lived_seconds: Option<u64>,
    pub nexthops: Vec<DetailNexthop>,
    pub peer: PathPeer,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AsPathDetail {
    pub string: String,
    pub segments: Vec<SegmentDetail>,
    pub length: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct SegmentDetail {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub list: Vec<AsnValue>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BestPath {
    pub overall: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_reason: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CommunityDetail {
    pub string: String,
    pub list: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TextDetail {
    pub string: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ClusterList {
    pub list: Vec<Ipv4Addr>,
}

/// An attribute this speaker does not know and passes on.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnknownAttribute {
    pub attribute_type: u8,
    pub flags: u8,
    /// Octets.
    pub length: usize,
}

/// When the path last changed, wall clock.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LastUpdate {
    /// Seconds since 1970.
    pub epoch: u64,
    pub string: String,
}

impl LastUpdate {
    pub fn at(epoch: u64) -> Self {
        Self { epoch, string: text::ctime(epoch) }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct DetailNexthop {
    #[serde(flatten)]
    pub cell: NexthopCell,
    /// IGP metric towards it; only on the first, where tracking knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    #[serde(skip_serializing_if = "is_false")]
    pub accessible: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathPeer {
    /// The unspecified address where the path is our own.
    pub peer_id: IpAddr,
    pub router_id: RouterId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The name of a neighbour that is known by its link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
}

impl Default for PathPeer {
    fn default() -> Self {
        Self {
            peer_id: Ipv4Addr::UNSPECIFIED.into(),
            router_id: RouterId::UNSET,
            hostname: None,
            interface: None,
            kind: None,
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl AsPathDetail {
    /// An empty path is written `Local`.
    pub fn new(path: &AsPath, notation: AsnNotation) -> Self {
        let segments = path
            .segments()
            .map(|segment| SegmentDetail {
                kind: match segment.kind {
                    SegmentKind::Set => "as-set",
                    SegmentKind::Sequence => "as-sequence",
                    SegmentKind::ConfedSequence => "as-confed-sequence",
                    SegmentKind::ConfedSet => "as-confed-set",
                },
                list: segment.asns().map(|asn| AsnValue::new(asn, notation)).collect(),
            })
            .collect();
        let string = as_path(path, notation);
        let string = if string.is_empty() { "Local".to_owned() } else { string };
        Self { string, segments, length: path.hops() }
    }
}

/// FRR's JSON writes the names of well-known communities in one word.
fn json_name(text: &str) -> String {
    if text == "local-AS" {
        return "localAs".to_owned();
    }
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return text.to_owned();
    }
    let mut words = text.split('-');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

impl CommunityDetail {
    /// Writes names in the place of values.
    pub fn named(&mut self, name: impl Fn(&str) -> String) {
        let words: Vec<String> = self.string.split(' ').map(&name).collect();
        self.string = words.join(" ");
        self.list = self.list.iter().map(|value| name(value)).collect();
    }

    fn of<T: fmt::Display>(values: &[T]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let list: Vec<String> = values.iter().map(T::to_string).collect();
        Some(Self { string: list.join(" "), list: list.iter().map(|text| json_name(text)).collect() })
    }
}

impl PathDetail {
    /// Everything that follows from the attributes alone.
    pub fn from_attributes(attrs: &Attributes) -> Self {
        let rare = attrs.rare.as_deref();
        let aggregator = rare.and_then(|rare| rare.aggregator);
        Self {
            aspath: AsPathDetail::new(&attrs.as_path, AsnNotation::Plain),
            aggregator_as: aggregator.map(|a| a.asn),
            aggregator_id: aggregator.map(|a| a.router_id),
            origin: Some(origin_word(attrs.origin)),
            metric: attrs.med,
            local_pref: attrs.local_pref,
            atomic_aggregate: attrs.atomic_aggregate,
            community: CommunityDetail::of(&attrs.communities),
            extended_community: CommunityDetail::of(&attrs.ext_communities)
                .map(|c| TextDetail { string: c.string }),
            extended_ipv6_community: rare
                .and_then(|rare| CommunityDetail::of(&rare.ipv6_ext_communities().collect::<Vec<_>>()))
                .map(|c| TextDetail { string: c.string }),
            large_community: CommunityDetail::of(&attrs.large_communities),
            originator_id: rare.and_then(|rare| rare.originator_id),
            cluster_list: rare
                .filter(|rare| !rare.cluster_list.is_empty())
                .map(|rare| ClusterList { list: rare.cluster_list.to_vec() }),
            aigp: rare.and_then(|rare| rare.aigp),
            otc: rare.and_then(|rare| rare.otc),
            unknown_attributes: rare.map_or_else(Vec::new, |rare| {
                rare.unknown
                    .iter()
                    .filter(|raw| raw.code != AttrCode::IPV6_EXT_COMMUNITIES.0)
                    .map(|raw| UnknownAttribute {
                        attribute_type: raw.code,
                        flags: raw.flags,
                        length: raw.value.len(),
                    })
                    .collect()
            }),
            ..Self::default()
        }
    }
}

impl fmt::Display for PrefixDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "BGP routing table entry for {}, version {}", self.prefix, self.version)?;
        write!(f, "Paths: ({} available, ", self.available)?;
        match self.best {
            Some(position) => write!(f, "best #{}", position + 1)?,
            None => write!(f, "no best path")?,
        }
        if self.best.is_some() {
            write!(f, ", table {}", self.table)?;
        }
        if self.blackhole {
            write!(f, ", inform peer to blackhole prefix")?;
        }
        if self.suppressed {
            write!(f, ", Advertisements suppressed by an aggregate.")?;
        }
        writeln!(f, ")")?;
        self.write_advertised(f)?;
        self.paths.iter().try_for_each(|path| path.fmt(f))
    }
}

impl PrefixDetail {
    fn write_advertised(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.by_path {
            return Ok(());
        }
        if self.advertised_to.is_empty() {
            return writeln!(f, "  Not advertised to any peer");
        }
        let (grouped, single): (Vec<_>, Vec<_>) =
            self.advertised_to.iter().partition(|(_, to)| to.peer_group.is_some());
        if !grouped.is_empty() {
            let mut groups: Vec<&str> =
                grouped.iter().filter_map(|(_, to)| to.peer_group.as_deref()).collect();
            groups.sort_unstable();
            groups.dedup();
            writeln!(f, "  Advertised to peer-groups:\n  {}", groups.join(" "))?;
        }
        if !single.is_empty() {
            let names: Vec<&str> = single.iter().map(|(addr, _)| addr.as_str()).collect();
            writeln!(f, "  Advertised to non peer-group peers:\n  {}", names.join(" "))?;
        }
        Ok(())
    }
}

impl fmt::Display for PathDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_path_line(f)?;
        self.write_nexthop_lines(f)?;
        self.write_attribute_line(f)?;
        if let Some(list) = &self.community {
            writeln!(f, "      Community: {}", list.string)?;
        }
        for list in [&self.extended_community, &self.extended_ipv6_community].into_iter().flatten() {
            writeln!(f, "      Extended Community: {}", list.string)?;
        }
        if let Some(list) = &self.large_community {
            writeln!(f, "      Large Community: {}", list.string)?;
        }
        self.write_reflection_line(f)?;
        for raw in &self.unknown_attributes {
            writeln!(
                f,
                "      Unknown attribute: type {}, flags 0x{:02x}, length {}",
                raw.attribute_type, raw.flags, raw.length
            )?;
        }
        if let Some(ids) = &self.path_ids {
            writeln!(f, "      AddPath ID: {ids}")?;
        }
        if !self.advertised_to.is_empty() {
            let names: Vec<&str> = self.advertised_to.keys().map(String::as_str).collect();
            writeln!(f, "      Advertised to: {}", names.join(" "))?;
        }
        if let Some(reason) = self.withheld {
            writeln!(f, "      Not advertised: {reason}")?;
        }
        writeln!(f, "      Last update: {}", self.last_update.string)?;
        if let Some(left) = self.stale_seconds {
            writeln!(f, "      Time until Graceful Restart stale route deleted: {left}")?;
        }
        if let Some(left) = self.long_lived_seconds {
            writeln!(f, "      Time until Long-lived stale route deleted: {left}")?;
        }
        Ok(())
    }
}

impl PathDetail {
    fn write_path_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}", self.aspath.string)?;
        if self.stale {
            write!(f, ", (stale)")?;
        }
        if self.damped {
            write!(f, ", (suppressed due to dampening)")?;
        }
        if let (Some(asn), Some(id)) = (self.aggregator_as, self.aggregator_id) {
            write!(f, ", (aggregated by {asn} {id})")?;
        }
        if self.from_reflector_client {
            write!(f, ", (Received from a RR-client)")?;
        }
        if self.from_server_client {
            write!(f, ", (Received from a RS-client)")?;
        }
        writeln!(f)
    }

    fn write_nexthop_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.nexthops.first() else { return Ok(()) };
        write!(f, "    {}", first.cell.ip)?;
        let own = self.peer.peer_id.is_unspecified();
        if !first.accessible && !own {
            write!(f, " (inaccessible)")?;
        } else if let Some(metric) = first.metric.filter(|metric| *metric > 0) {
            write!(f, " (metric {metric})")?;
        }
        match &self.peer.interface {
            Some(name) => writeln!(f, " from {name} ({})", self.peer.router_id)?,
            None => writeln!(f, " from {} ({})", self.peer.peer_id, self.peer.router_id)?,
        }
        for more in self.nexthops.iter().skip(1) {
            writeln!(f, "    ({}){}", more.cell.ip, if more.cell.used { " (used)" } else { "" })?;
        }
        Ok(())
    }

    fn write_attribute_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "      Origin {}", self.origin.unwrap_or(origin_word(Origin::Incomplete)))?;
        if let Some(metric) = self.metric {
            write!(f, ", metric {metric}")?;
        }
        if let Some(local_pref) = self.local_pref {
            write!(f, ", localpref {local_pref}")?;
        }
        if let Some(aigp) = self.aigp {
            write!(f, ", aigp-metric {aigp}")?;
        }
        if self.weight != 0 {
            write!(f, ", weight {}", self.weight)?;
        }
        if self.tag != 0 {
            write!(f, ", tag {}", self.tag)?;
        }
        let words = [
            (!self.valid, "invalid"),
            (self.valid, "valid"),
            (self.aggregated, "aggregated"),
            (self.sourced, "sourced"),
            (self.local, "local"),
            (self.peer.kind == Some("internal"), "internal"),
            (self.peer.kind == Some("external"), "external"),
            (self.atomic_aggregate, "atomic-aggregate"),
            (self.suppressed, "suppressed"),
            (self.multipath, "multipath"),
        ];
        for (_, word) in words.iter().filter(|(set, _)| *set) {
            write!(f, ", {word}")?;
        }
        if let Some(best) = self.bestpath.as_ref().filter(|best| best.overall) {
            match best.selection_reason {
                Some(reason) => write!(f, ", best ({reason})")?,
                None => write!(f, ", best")?,
            }
        }
        if let Some(otc) = self.otc {
            write!(f, ", otc {otc}")?;
        }
        if let Some(state) = self.rpki_validation_state {
            write!(f, ", rpki validation-state: {}", state.long_word())?;
        }
        if let Some(state) = self.aspa_verification_state {
            write!(f, ", aspa verification-state: {state}")?;
        }
        writeln!(f)
    }

    fn write_reflection_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.originator_id, &self.cluster_list) {
            (None, None) => Ok(()),
            (originator, clusters) => {
                write!(f, "      ")?;
                if let Some(id) = originator {
                    write!(f, "Originator: {id}")?;
                }
                if let Some(clusters) = clusters {
                    if originator.is_some() {
                        write!(f, ", ")?;
                    }
                    let list: Vec<String> = clusters.list.iter().map(Ipv4Addr::to_string).collect();
                    write!(f, "Cluster list: {}", list.join(" "))?;
                }
                writeln!(f)
            }
        }
    }
}
