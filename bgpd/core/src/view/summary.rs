//! `show bgp … summary`.

use std::fmt;
use std::time::Duration;

use ferrite_types::{Afi, Asn, AsnNotation, RouterId, Safi};
use indexmap::IndexMap;
use serde::Serialize;

use super::text;
use crate::config::NeighborName;

/// One family's summary: the header and a row per neighbour.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    #[serde(skip)]
    pub afi: Afi,
    #[serde(skip)]
    pub safi: Safi,
    #[serde(skip)]
    pub notation: AsnNotation,
    pub router_id: RouterId,
    #[serde(rename = "as")]
    pub asn: Asn,
    /// -1 where there is no such VRF.
    pub vrf_id: i64,
    /// `VRF` or `VIEW`.
    #[serde(skip)]
    pub vrf_kind: &'static str,
    pub vrf_name: String,
    #[serde(flatten)]
    pub delayed: Delayed,
    pub table_version: u64,
    /// Prefixes in the table.
    pub rib_count: u64,
    /// Octets.
    pub rib_memory: u64,
    pub peer_count: usize,
    pub peer_memory: u64,
    #[serde(skip_serializing_if = "num_is_zero")]
    pub peer_group_count: usize,
    #[serde(skip_serializing_if = "num_is_zero")]
    pub peer_group_memory: u64,
    pub peers: IndexMap<String, PeerSummary>,
    pub failed_peers: usize,
    pub displayed_peers: usize,
    pub total_peers: usize,
    pub dynamic_peers: usize,
    #[serde(skip)]
    pub dynamic_limit: usize,
    pub best_path: BestPathMode,
    /// Only the failed neighbours, with the reason of their last reset.
    #[serde(skip)]
    pub failed_only: bool,
    /// Some rows were left out by a filter.
    #[serde(skip)]
    pub filtered: bool,
}

/// What holds back or marks what we announce: `update-delay` and `bgp max-med`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delayed {
    #[serde(flatten)]
    pub update_delay: Option<UpdateDelayView>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub max_med_on_startup: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub max_med_administrative: bool,
}

/// Times are wall clock.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UpdateDelayView {
    /// Seconds.
    #[serde(rename = "updateDelayLimit")]
    pub limit: u16,
    /// Seconds.
    #[serde(rename = "updateDelayEstablishWait", skip_serializing_if = "Option::is_none")]
    pub establish_wait: Option<u16>,
    #[serde(rename = "updateDelayFirstNeighbor", skip_serializing_if = "Option::is_none")]
    pub first_neighbor: Option<String>,
    #[serde(rename = "updateDelayInProgress", skip_serializing_if = "std::ops::Not::not")]
    pub in_progress: bool,
    #[serde(rename = "updateDelayBestpathResumed", skip_serializing_if = "Option::is_none")]
    pub bestpath_resumed: Option<String>,
    #[serde(rename = "updateDelayZebraUpdateResume", skip_serializing_if = "Option::is_none")]
    pub zebra_resumed: Option<String>,
    #[serde(rename = "updateDelayPeerUpdateResume", skip_serializing_if = "Option::is_none")]
    pub peers_resumed: Option<String>,
}

impl fmt::Display for Delayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(delay) = &self.update_delay {
            writeln!(f, "Read-only mode update-delay limit: {} seconds", delay.limit)?;
            if let Some(wait) = delay.establish_wait {
                writeln!(f, "                   Establish wait: {wait} seconds")?;
            }
            if let Some(first) = &delay.first_neighbor {
                writeln!(f, "  First neighbor established: {first}")?;
                if delay.in_progress {
                    writeln!(f, "  Delay in progress")?;
                }
            }
            let resumed = delay.first_neighbor.as_ref().and(delay.bestpath_resumed.as_ref());
            if let Some(at) = resumed {
                writeln!(f, "          Best-paths resumed: {at}")?;
                writeln!(f, "        zebra update resumed: {at}")?;
                writeln!(f, "        peers update resumed: {at}")?;
            }
        }
        if self.max_med_on_startup {
            writeln!(f, "Max-med on-startup active")?;
        }
        if self.max_med_administrative {
            writeln!(f, "Max-med administrative active")?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BestPathMode {
    #[serde(serialize_with = "bool_text")]
    pub multi_path_relax: bool,
}

fn num_is_zero<N: Default + PartialEq>(value: &N) -> bool {
    *value == N::default()
}

fn bool_text<S: serde::Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *value { "true" } else { "false" })
}

/// One row.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    pub software_version: String,
    pub remote_as: Asn,
    pub local_as: Asn,
    pub version: u8,
    pub msg_rcvd: u64,
    pub msg_sent: u64,
    pub table_version: u64,
    pub outq: u64,
    pub inq: u64,
    /// Time in Established, or since it was lost; `never` before the first session.
    pub peer_uptime: String,
    pub peer_uptime_msec: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_uptime_established_epoch: Option<u64>,
    pub pfx_rcd: u64,
    pub pfx_snt: u64,
    pub state: String,
    /// `OK`, `Policy` (RFC 8212), `Admin`, `PfxCt`, …: why the neighbour is not usable although it might be.
    pub peer_state: String,
    pub connections_established: u64,
    pub connections_dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    pub id_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reset_due_to: Option<String>,
    #[serde(skip)]
    pub reset_ago: Option<Duration>,
    #[serde(rename = "dynamicPeer", skip_serializing_if = "std::ops::Not::not")]
    pub dynamic: bool,
    /// `bgp default show-hostname`: the row is named after the neighbour's host name.
    #[serde(skip)]
    pub show_hostname: bool,
}

impl PeerSummary {
    pub fn established(&self) -> bool {
        self.state == "Established"
    }

    pub fn id_type(name: &NeighborName) -> &'static str {
        match name {
            NeighborName::Interface(_) => "interface",
            NeighborName::Addr(addr) if addr.is_ipv4() => "ipv4",
            NeighborName::Addr(_) => "ipv6",
        }
    }

    /// The state column: a count when established and usable, otherwise what keeps it from that.
    fn state_column(&self) -> String {
        match (self.established(), self.peer_state.as_str()) {
            (true, "Policy") => "(Policy)".to_owned(),
            (true, _) => self.pfx_rcd.to_string(),
            (false, "Admin") => "Idle (Admin)".to_owned(),
            (false, "PfxCt") => "Idle (PfxCt)".to_owned(),
            (false, _) => self.state.clone(),
        }
    }

    fn sent_column(&self) -> String {
        match (self.established(), self.peer_state.as_str()) {
            (true, "Policy") => "(Policy)".to_owned(),
            _ => self.pfx_snt.to_string(),
        }
    }
}

/// The row's name, with a star where the neighbour is dynamic.
fn label(key: &str, peer: &PeerSummary) -> String {
    let star = if peer.dynamic { "*" } else { "" };
    match peer.hostname.as_deref() {
        Some(hostname) if peer.show_hostname && peer.established() => format!("{star}{hostname}({key})"),
        _ => format!("{star}{key}"),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.displayed_peers == 0 && (self.failed_only || self.filtered) {
            return writeln!(
                f,
                "% No {} BGP neighbors found",
                if self.failed_only { "failed" } else { "established" }
            );
        }
        if self.total_peers == 0 {
            return writeln!(f, "% No BGP neighbors found in {} {}", self.vrf_kind, self.vrf_name);
        }
        writeln!(
            f,
            "BGP router identifier {}, local AS number {} {} {} vrf-id {}",
            self.router_id,
            self.asn.format(self.notation),
            self.vrf_kind,
            self.vrf_name,
            self.vrf_id
        )?;
        self.delayed.fmt(f)?;
        writeln!(f, "BGP table version {}", self.table_version)?;
        writeln!(f, "RIB entries {}, using {} of memory", self.rib_count, text::memory(self.rib_memory))?;
        writeln!(f, "Peers {}, using {} of memory", self.peer_count, text::memory(self.peer_memory))?;
        if self.peer_group_count > 0 {
            writeln!(
                f,
                "Peer groups {}, using {} of memory",
                self.peer_group_count,
                text::memory(self.peer_group_memory)
            )?;
        }
        writeln!(f)?;
        if self.failed_only {
            self.rows_failed(f)?;
        } else {
            self.rows(f)?;
        }
        writeln!(f)?;
        if self.filtered || self.failed_only {
            writeln!(f, "Displayed neighbors {}", self.displayed_peers)?;
        }
        writeln!(f, "Total number of neighbors {}", self.total_peers)?;
        if self.dynamic_peers > 0 {
            writeln!(f, "* - dynamic neighbor")?;
            writeln!(f, "{} dynamic neighbor(s), limit {}", self.dynamic_peers, self.dynamic_limit)?;
        }
        Ok(())
    }
}

impl Summary {
    fn name_width(&self) -> usize {
        self.peers.iter().map(|(key, peer)| label(key, peer).len()).max().unwrap_or(0).max(15)
    }

    fn rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.name_width();
        writeln!(
            f,
            "{:width$} V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc",
            "Neighbor"
        )?;
        for (key, peer) in &self.peers {
            writeln!(
                f,
                "{:width$} {} {:>10} {:>9} {:>9} {:>8} {:>4} {:>4} {:>8} {:>12} {:>8} {}",
                label(key, peer),
                peer.version,
                peer.remote_as.format(self.notation),
                peer.msg_rcvd,
                peer.msg_sent,
                peer.table_version,
                peer.inq,
                peer.outq,
                peer.peer_uptime,
                peer.state_column(),
                peer.sent_column(),
                peer.desc.as_deref().unwrap_or("N/A"),
            )?;
        }
        Ok(())
    }

    fn rows_failed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.name_width();
        writeln!(f, "{:width$} EstdCnt DropCnt ResetTime Reason", "Neighbor")?;
        for (key, peer) in &self.peers {
            let ago = peer.reset_ago.map_or_else(|| "never".to_owned(), text::uptime);
            writeln!(
                f,
                "{:width$} {:>7} {:>7} {:>9} {} ({})",
                label(key, peer),
                peer.connections_established,
                peer.connections_dropped,
                ago,
                peer.last_reset_due_to.as_deref().unwrap_or(""),
                peer.software_version,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(state: &str) -> PeerSummary {
        PeerSummary {
            hostname: None,
            software_version: "n/a".into(),
            remote_as: Asn(65002),
            local_as: Asn(65001),
            version: 4,
            msg_rcvd: 6,
            msg_sent: 7,
            table_version: 4,
            outq: 0,
            inq: 0,
            peer_uptime: "00:00:04".into(),
            peer_uptime_msec: 4000,
            peer_uptime_established_epoch: None,
            pfx_rcd: 2,
            pfx_snt: 4,
            state: state.into(),
            peer_state: "OK".into(),
            connections_established: 1,
            connections_dropped: 0,
            desc: Some("the other side".into()),
            id_type: "ipv4",
            last_reset_due_to: None,
            reset_ago: None,
            dynamic: false,
            show_hostname: false,
        }
    }

    fn summary() -> Summary {
        let mut peers = IndexMap::new();
        peers.insert("10.0.0.2".to_owned(), peer("Established"));
        peers.insert("10.0.0.9".to_owned(), PeerSummary { desc: None, ..peer("Active") });
        Summary {
            afi: Afi::Ipv4,
            safi: Safi::Unicast,
            notation: AsnNotation::Plain,
            router_id: "10.0.0.1".parse().unwrap(),
            asn: Asn(65001),
            vrf_id: 0,
            vrf_kind: "VRF",
            vrf_name: "default".into(),
            delayed: Delayed::default(),
            table_version: 4,
            rib_count: 8,
            rib_memory: 1024,
            peer_count: 2,
            peer_memory: 72_168,
            peer_group_count: 0,
            peer_group_memory: 0,
            peers,
            failed_peers: 1,
            displayed_peers: 2,
            total_peers: 2,
            dynamic_peers: 0,
            dynamic_limit: 100,
            best_path: BestPathMode { multi_path_relax: false },
            failed_only: false,
            filtered: false,
        }
    }

    #[test]
    fn rows_stand_in_the_columns_of_frr() {
        let text = summary().to_string();
        let expected = "\
Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc
10.0.0.2        4      65002         6         7        4    0    0 00:00:04            2        4 the other side
10.0.0.9        4      65002         6         7        4    0    0 00:00:04       Active        4 N/A
";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn json_has_the_keys_that_exporters_read() {
        let json = serde_json::to_value(summary()).unwrap();
        assert_eq!(json["peers"]["10.0.0.2"]["state"], "Established");
        assert_eq!(json["peers"]["10.0.0.2"]["pfxRcd"], 2);
        assert_eq!(json["as"], 65001);
        assert_eq!(json["bestPath"]["multiPathRelax"], "false");
    }

    #[test]
    fn a_neighbour_without_policy_says_so() {
        let blocked = PeerSummary { peer_state: "Policy".into(), ..peer("Established") };
        assert_eq!(blocked.state_column(), "(Policy)");
    }
}
