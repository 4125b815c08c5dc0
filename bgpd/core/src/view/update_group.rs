//! `show bgp update-groups`: which neighbours share one encoding of their updates.

use std::fmt;

use ferrite_types::{Afi, Safi};
use indexmap::IndexMap;
use serde::Serialize;

use super::text;

/// Update groups by VRF name, then by number.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct UpdateGroups(pub IndexMap<String, IndexMap<String, UpdateGroupView>>);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateGroupView {
    #[serde(rename = "groupCreateTime")]
    pub created: Created,
    #[serde(serialize_with = "afi_name")]
    pub afi: Afi,
    pub safi: Safi,
    #[serde(rename = "outRouteMap", skip_serializing_if = "Option::is_none")]
    pub route_map_out: Option<String>,
    /// Seconds.
    #[serde(rename = "minRouteAdvInt")]
    pub mrai: u64,
    #[serde(rename = "subGroup")]
    pub subgroups: Vec<SubgroupView>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    pub epoch: u64,
    pub epoch_string: String,
}

impl Created {
    pub fn at(epoch: u64) -> Self {
        Self { epoch, epoch_string: text::ctime(epoch) }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubgroupView {
    #[serde(rename = "subGroupId")]
    pub id: u64,
    #[serde(rename = "groupCreateTime")]
    pub created: Created,
    #[serde(rename = "statistics")]
    pub stats: SubgroupStats,
    /// Milliseconds.
    pub coalesce_time: u64,
    pub version: u64,
    pub packet_queue_info: PacketQueue,
    /// Prefixes in the group's adj-RIB-out.
    #[serde(rename = "adjListCount")]
    pub adj_out_count: u64,
    /// Changes wait to be sent.
    #[serde(rename = "needsRefresh")]
    pub pending: bool,
    /// Octets.
    #[serde(skip)]
    pub max_packet_size: u32,
    pub peers: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubgroupStats {
    pub join_events: u64,
    pub prune_events: u64,
    pub merge_events: u64,
    pub split_events: u64,
    pub switch_events: u64,
    #[serde(rename = "peerRefreshEvents")]
    pub peer_refreshes_combined: u64,
    #[serde(rename = "mergeCheckEvents")]
    pub merge_checks: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PacketQueue {
    /// The key is spelled as FRR spells it: tools read it.
    #[serde(rename = "qeueueLen")]
    pub queue_length: u64,
    #[serde(rename = "queuedTotal")]
    pub queue_total: u64,
    pub queue_hwm_len: u64,
    pub total_enqueued: u64,
}

fn afi_name<S: serde::Serializer>(afi: &Afi, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match afi {
        Afi::Ipv4 => "IPv4",
        Afi::Ipv6 => "IPv6",
        Afi::L2vpn => "L2VPN",
    })
}

impl fmt::Display for UpdateGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, group) in self.0.values().flatten() {
            writeln!(f, "Update-group {id}:\n  Created: {}", group.created.epoch_string)?;
            if let Some(map) = &group.route_map_out {
                writeln!(f, "  Outgoing route map: {map}")?;
            }
            writeln!(f, "  MRAI value (seconds): {}\n", group.mrai)?;
            group.subgroups.iter().try_for_each(|subgroup| subgroup.fmt(f))?;
        }
        Ok(())
    }
}

impl fmt::Display for SubgroupView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = &self.stats;
        writeln!(f, "  Update-subgroup {}:", self.id)?;
        writeln!(f, "    Created: {}", self.created.epoch_string)?;
        writeln!(f, "    Join events: {}", stats.join_events)?;
        writeln!(f, "    Prune events: {}", stats.prune_events)?;
        writeln!(f, "    Merge events: {}", stats.merge_events)?;
        writeln!(f, "    Split events: {}", stats.split_events)?;
        writeln!(f, "    Update group switch events: {}", stats.switch_events)?;
        writeln!(f, "    Peer refreshes combined: {}", stats.peer_refreshes_combined)?;
        writeln!(f, "    Merge checks triggered: {}", stats.merge_checks)?;
        writeln!(f, "    Coalesce Time: {}", self.coalesce_time)?;
        writeln!(f, "    Version: {}", self.version)?;
        writeln!(f, "    Packet queue length: {}", self.packet_queue_info.queue_length)?;
        writeln!(f, "    Total packets enqueued: {}", self.packet_queue_info.total_enqueued)?;
        writeln!(f, "    Packet queue high watermark: {}", self.packet_queue_info.queue_hwm_len)?;
        writeln!(f, "    Adj-out list count: {}", self.adj_out_count)?;
        writeln!(f, "    Advertise list: {}", if self.pending { "not empty" } else { "empty" })?;
        writeln!(f, "    Flags: {}", if self.pending { "R" } else { "" })?;
        writeln!(f, "    Max packet size: {}", self.max_packet_size)?;
        writeln!(f, "    Peers:")?;
        self.peers.iter().try_for_each(|peer| writeln!(f, "      - {peer}"))
    }
}
