//! `show bgp neighbors [X]`.

use std::fmt::{self, Display as _};
use std::net::IpAddr;
use std::time::Duration;

use ferrite_types::{Afi, Asn, RouterId, Safi};
use indexmap::IndexMap;
use serde::Serialize;

use super::add_path::{AddPathView, PathsLimitView};
use super::graceful::GracefulInfo;
use super::{family_key, family_name, text};

/// Neighbours by the text of their address.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Neighbors(pub IndexMap<String, NeighborView>);

/// Whether each side announced a capability.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Both {
    pub advertised: bool,
    pub received: bool,
}

impl Both {
    pub(super) fn any(self) -> bool {
        self.advertised || self.received
    }

    pub(super) fn text(self) -> &'static str {
        match (self.advertised, self.received) {
            (true, true) => "advertised and received",
            (true, false) => "advertised",
            (false, true) => "received",
            (false, false) => "not advertised not received",
        }
    }

    fn key(self) -> &'static str {
        match (self.advertised, self.received) {
            (true, true) => "advertisedAndReceived",
            (true, false) => "advertised",
            (false, true) => "received",
            (false, false) => "",
        }
    }
}

impl Serialize for Both {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key())
    }
}

fn none(both: &Both) -> bool {
    !both.any()
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeighborView {
    #[serde(skip)]
    pub addr: Option<IpAddr>,
    /// Where a neighbour that is known by its link is now: an address, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_neighbor_addr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_as: Option<Asn>,
    pub local_as: Asn,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub local_as_no_prepend: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub local_as_replace_as: bool,
    pub local_as_replace_as_dual_as: bool,
    #[serde(flatten)]
    pub link: Link,
    /// In our confederation, though of another AS.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nbr_common_admin: bool,
    pub local_role: &'static str,
    pub remote_role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbr_desc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_group: Option<String>,
    /// The listen range of a dynamic neighbour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_subnet_range_group: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub admin_shut_down: bool,
    pub bgp_version: u8,
    pub remote_router_id: RouterId,
    pub local_router_id: RouterId,
    pub bgp_state: String,
    #[serde(flatten)]
    pub timers: Timers,
    #[serde(flatten)]
    pub tcp: Tcp,
    pub extended_optional_parameters_length: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbor_capabilities: Option<Capabilities>,
    pub graceful_restart_info: GracefulInfo,
    pub message_stats: MessageStats,
    pub prefix_stats: PrefixStats,
    pub min_btwn_advertisement_runs_timer_msecs: u64,
    #[serde(rename = "addressFamilyInfo")]
    pub families: IndexMap<&'static str, FamilyView>,
    pub connections_established: u64,
    pub connections_dropped: u64,
    #[serde(flatten)]
    pub last_reset: LastReset,
    #[serde(flatten)]
    pub transport: Transport,
}

/// Which side of our AS, and of our confederation, the neighbour is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    Internal,
    External,
    ConfedInternal,
    ConfedExternal {
        /// Of our confederation.
        member: bool,
    },
}

impl Link {
    fn text(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External | Self::ConfedExternal { member: false } => "external",
            Self::ConfedInternal => "confed-internal",
            Self::ConfedExternal { member: true } => "confed-external",
        }
    }
}

impl Serialize for Link {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let key = match self {
            Self::Internal => "nbrInternalLink",
            Self::External => "nbrExternalLink",
            Self::ConfedInternal => "nbrConfedInternalLink",
            Self::ConfedExternal { .. } => "nbrConfedExternalLink",
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(key, &true)?;
        map.end()
    }
}

/// Settings of the connection that a session is made with.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tcp {
    #[serde(rename = "bgpTimerDelayOpenTimeMsecs", skip_serializing_if = "Option::is_none")]
    pub delay_open_msec: Option<u64>,
    /// Zero where the kernel chooses.
    #[serde(rename = "bgpTcpMssConfigured", serialize_with = "or_zero")]
    pub mss: Option<u16>,
    /// As the kernel has it; zero without a session.
    #[serde(rename = "bgpTcpMssSynced")]
    pub mss_synced: u32,
    #[serde(rename = "externalBgpNbrMaxHopsAway", skip_serializing_if = "Option::is_none")]
    pub max_hops: Option<u8>,
    /// `shutdown rtt`, milliseconds.
    #[serde(rename = "shutdownRttInMsecs", skip_serializing_if = "Option::is_none")]
    pub rtt_limit: Option<u16>,
    #[serde(rename = "shutdownRttAfterCount", skip_serializing_if = "Option::is_none")]
    pub rtt_count: Option<u8>,
    /// As the kernel last measured it, milliseconds.
    #[serde(rename = "estimatedRttInMsecs", skip_serializing_if = "Option::is_none")]
    pub rtt: Option<u32>,
}

fn or_zero<S: serde::Serializer>(value: &Option<u16>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(value.unwrap_or(0))
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Timers {
    #[serde(rename = "bgpTimerUpMsec", skip_serializing_if = "Option::is_none")]
    pub up_msec: Option<u64>,
    #[serde(rename = "bgpTimerUpString", skip_serializing_if = "Option::is_none")]
    pub up_text: Option<String>,
    #[serde(rename = "bgpTimerUpEstablishedEpoch", skip_serializing_if = "Option::is_none")]
    pub up_epoch: Option<u64>,
    /// Milliseconds since the last octet came.
    #[serde(rename = "bgpTimerLastRead")]
    pub last_read_msec: u64,
    /// Milliseconds since the last octet left; `None` where none has.
    #[serde(rename = "bgpTimerLastWrite", skip_serializing_if = "Option::is_none")]
    pub last_write_msec: Option<u64>,
    #[serde(rename = "bgpInUpdateElapsedTimeMsecs", skip_serializing_if = "Option::is_none")]
    pub last_update_msec: Option<u64>,
    #[serde(rename = "bgpTimerConfiguredHoldTimeMsecs")]
    pub configured_hold_msec: u64,
    #[serde(rename = "bgpTimerConfiguredKeepAliveIntervalMsecs")]
    pub configured_keepalive_msec: u64,
    #[serde(rename = "bgpTimerHoldTimeMsecs")]
    pub hold_msec: u64,
    #[serde(rename = "bgpTimerKeepAliveIntervalMsecs")]
    pub keepalive_msec: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Capabilities {
    #[serde(rename = "4byteAs", skip_serializing_if = "none")]
    pub four_octet_as: Both,
    #[serde(rename = "extendedMessage", skip_serializing_if = "none")]
    pub extended_message: Both,
    #[serde(rename = "addPath", skip_serializing_if = "IndexMap::is_empty")]
    pub add_path: IndexMap<&'static str, AddPathView>,
    #[serde(rename = "pathsLimit", skip_serializing_if = "IndexMap::is_empty")]
    pub paths_limit: IndexMap<&'static str, PathsLimitView>,
    #[serde(rename = "extendedNexthop", skip_serializing_if = "none")]
    pub extended_nexthop: Both,
    /// Families for which the neighbour announced it; the key is FRR's, spelling and all.
    #[serde(rename = "extendedNexthopFamililesByPeer", skip_serializing_if = "IndexMap::is_empty")]
    pub extended_nexthop_families: IndexMap<&'static str, &'static str>,
    #[serde(rename = "dynamic", skip_serializing_if = "none")]
    pub dynamic: Both,
    #[serde(rename = "longLivedGracefulRestart", skip_serializing_if = "none")]
    pub long_lived: Both,
    /// Families that the neighbour wants kept for long.
    #[serde(rename = "longLivedGracefulRestartByPeer", skip_serializing_if = "Option::is_none")]
    pub long_lived_by_peer: Option<IndexMap<&'static str, LongLivedView>>,
    #[serde(rename = "routeRefresh", skip_serializing_if = "none")]
    pub route_refresh: Both,
    #[serde(rename = "enhancedRouteRefresh", skip_serializing_if = "none")]
    pub enhanced_route_refresh: Both,
    #[serde(rename = "multiprotocolExtensions")]
    pub families: IndexMap<&'static str, FamilyCapability>,
    #[serde(rename = "hostName")]
    pub hostname: HostnameCapability,
    #[serde(rename = "softwareVersion")]
    pub software_version: SoftwareVersion,
    #[serde(rename = "gracefulRestart", skip_serializing_if = "none")]
    pub graceful_restart: Both,
    #[serde(rename = "gracefulRestartRemoteTimerMsecs", skip_serializing_if = "Option::is_none")]
    pub restart_time_msec: Option<u64>,
    /// Families that the neighbour wants kept.
    #[serde(rename = "addressFamiliesByPeer", skip_serializing_if = "Option::is_none")]
    pub restart_families: Option<RestartFamilies>,
}

/// A family of the long-lived graceful restart capability.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LongLivedView {
    /// Seconds.
    #[serde(rename = "staleTime")]
    pub stale_time: u32,
    /// Forwarding state was kept.
    #[serde(skip)]
    pub forwarding: bool,
}

/// Families of the graceful restart capability, and whether forwarding state was kept; FRR's word for none.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum RestartFamilies {
    None(&'static str),
    Some(IndexMap<&'static str, ForwardingView>),
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ForwardingView {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserved: bool,
}

/// `{"advertisedAndReceived": true}` and its halves.
#[derive(Clone, Copy, Debug)]
pub struct FamilyCapability(pub Both);

impl Serialize for FamilyCapability {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0.key(), &true)?;
        map.end()
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct HostnameCapability {
    #[serde(rename = "advHostName", skip_serializing_if = "Option::is_none")]
    pub advertised_host: Option<String>,
    #[serde(rename = "advDomainName", skip_serializing_if = "Option::is_none")]
    pub advertised_domain: Option<String>,
    #[serde(rename = "rcvHostName", skip_serializing_if = "Option::is_none")]
    pub received_host: Option<String>,
    #[serde(rename = "rcvDomainName", skip_serializing_if = "Option::is_none")]
    pub received_domain: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct SoftwareVersion {
    #[serde(rename = "advertisedSoftwareVersion", skip_serializing_if = "Option::is_none")]
    pub advertised: Option<String>,
    #[serde(rename = "receivedSoftwareVersion", skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageStats {
    pub depth_inq: u64,
    pub depth_outq: u64,
    pub opens_sent: u64,
    pub opens_recv: u64,
    pub notifications_sent: u64,
    pub notifications_recv: u64,
    pub updates_sent: u64,
    pub updates_recv: u64,
    pub keepalives_sent: u64,
    pub keepalives_recv: u64,
    pub route_refresh_sent: u64,
    pub route_refresh_recv: u64,
    pub capability_sent: u64,
    pub capability_recv: u64,
    pub total_sent: u64,
    pub total_recv: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixStats {
    pub inbound_filtered: u64,
    pub aspath_loop: u64,
    pub originator_loop: u64,
    pub cluster_loop: u64,
    pub invalid_next_hop: u64,
    pub withdrawn: u64,
    pub attributes_discarded: u64,
    /// Of those withdrawn, what passed `bgp maxas-limit` or `bgp limit …`.
    pub over_limit: u64,
    /// Paths beyond `bgp limit paths-per-prefix`.
    pub paths_refused: u64,
    /// Routes not sent because their attributes fit into no message.
    pub too_big_to_send: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FamilyView {
    #[serde(skip)]
    pub family: Option<(Afi, Safi)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_group_member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_group_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_group_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet_queue_length: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub route_reflector_client: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub route_server_client: bool,
    #[serde(rename = "addpathTxAllPaths", skip_serializing_if = "std::ops::Not::not")]
    pub add_path_all: bool,
    #[serde(rename = "addpathTxBestpathPerAS", skip_serializing_if = "std::ops::Not::not")]
    pub add_path_per_as: bool,
    #[serde(rename = "addpathTxBestSelectedPaths", skip_serializing_if = "std::ops::Not::not")]
    pub add_path_best: bool,
    /// Ours: the next best path is told where policy hides the best.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secondary_path: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inbound_soft_config_permit: bool,
    #[serde(rename = "privateAsNumsRemovedInUpdatesToNbr", skip_serializing_if = "std::ops::Not::not")]
    pub private_as_removed: bool,
    #[serde(rename = "routerAlwaysNextHop", skip_serializing_if = "std::ops::Not::not")]
    pub next_hop_self: bool,
    #[serde(rename = "allowAsInCount", skip_serializing_if = "Option::is_none")]
    pub allowas_in: Option<u8>,
    #[serde(rename = "commAttriSentToNbr", skip_serializing_if = "Option::is_none")]
    pub communities_sent: Option<&'static str>,
    #[serde(rename = "defaultSent", skip_serializing_if = "std::ops::Not::not")]
    pub default_sent: bool,
    #[serde(rename = "inboundEbgpRequiresPolicy", skip_serializing_if = "Option::is_none")]
    pub inbound_requires_policy: Option<&'static str>,
    #[serde(rename = "outboundEbgpRequiresPolicy", skip_serializing_if = "Option::is_none")]
    pub outbound_requires_policy: Option<&'static str>,
    #[serde(rename = "inboundPathPolicyConfig", skip_serializing_if = "std::ops::Not::not")]
    pub inbound_policy: bool,
    #[serde(rename = "outboundPathPolicyConfig", skip_serializing_if = "std::ops::Not::not")]
    pub outbound_policy: bool,
    #[serde(rename = "incomingUpdatePrefixFilterList", skip_serializing_if = "Option::is_none")]
    pub prefix_list_in: Option<String>,
    #[serde(rename = "outgoingUpdatePrefixFilterList", skip_serializing_if = "Option::is_none")]
    pub prefix_list_out: Option<String>,
    #[serde(rename = "incomingUpdateNetworkFilterList", skip_serializing_if = "Option::is_none")]
    pub distribute_in: Option<String>,
    #[serde(rename = "outgoingUpdateNetworkFilterList", skip_serializing_if = "Option::is_none")]
    pub distribute_out: Option<String>,
    #[serde(rename = "incomingUpdateAsPathFilterList", skip_serializing_if = "Option::is_none")]
    pub filter_list_in: Option<String>,
    #[serde(rename = "outgoingUpdateAsPathFilterList", skip_serializing_if = "Option::is_none")]
    pub filter_list_out: Option<String>,
    #[serde(rename = "routeMapForIncomingAdvertisements", skip_serializing_if = "Option::is_none")]
    pub route_map_in: Option<String>,
    #[serde(rename = "routeMapForOutgoingAdvertisements", skip_serializing_if = "Option::is_none")]
    pub route_map_out: Option<String>,
    #[serde(flatten)]
    pub filters: super::neighbor_filters::FiltersView,
    pub accepted_prefix_counter: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_out_allowed_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_prefix_counter: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_allowed_max: Option<u32>,
    #[serde(rename = "prefixAllowedMaxWarning", skip_serializing_if = "std::ops::Not::not")]
    pub max_warning_only: bool,
    /// Percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_allowed_warning_thresh: Option<u8>,
    /// Milliseconds.
    #[serde(rename = "prefixAllowedRestartIntervalMsecs", skip_serializing_if = "Option::is_none")]
    pub restart_interval_msec: Option<u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct LastReset {
    /// `never`, else absent.
    #[serde(rename = "lastReset", skip_serializing_if = "Option::is_none")]
    pub never: Option<&'static str>,
    #[serde(rename = "lastResetTimerMsecs", skip_serializing_if = "Option::is_none")]
    pub ago_msec: Option<u64>,
    #[serde(rename = "lastResetDueTo", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(rename = "lastResetCode", skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// `CODE/SUBCODE` in hexadecimal, of the NOTIFICATION.
    #[serde(rename = "lastErrorCodeSubcode", skip_serializing_if = "Option::is_none")]
    pub notification: Option<String>,
    /// The NOTIFICATION in words.
    #[serde(rename = "lastNotificationReason", skip_serializing_if = "Option::is_none")]
    pub notification_reason: Option<String>,
    /// The NOTIFICATION was ours.
    #[serde(skip)]
    pub sent: bool,
    /// Shutdown communication (RFC 9003).
    #[serde(rename = "lastShutdownDescription", skip_serializing_if = "Option::is_none")]
    pub shutdown_message: Option<String>,
}

/// TCP-AO of a session (RFC 5925).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpAo {
    pub key_chain: String,
    /// Why the last attempt to connect failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Transport {
    #[serde(rename = "updateSource", skip_serializing_if = "Option::is_none")]
    pub update_source: Option<String>,
    #[serde(rename = "externalBgpNbrMaxHopsAway", skip_serializing_if = "Option::is_none")]
    pub ebgp_hops: Option<u8>,
    #[serde(rename = "internalBgpNbrMaxHopsAway", skip_serializing_if = "Option::is_none")]
    pub ibgp_hops: Option<u8>,
    #[serde(rename = "hostLocal", skip_serializing_if = "Option::is_none")]
    pub local_host: Option<IpAddr>,
    #[serde(rename = "portLocal", skip_serializing_if = "Option::is_none")]
    pub local_port: Option<u16>,
    #[serde(rename = "hostForeign", skip_serializing_if = "Option::is_none")]
    pub foreign_host: Option<IpAddr>,
    #[serde(rename = "portForeign", skip_serializing_if = "Option::is_none")]
    pub foreign_port: Option<u16>,
    #[serde(rename = "nexthop", skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<IpAddr>,
    #[serde(rename = "nexthopGlobal", skip_serializing_if = "Option::is_none")]
    pub nexthop_global: Option<IpAddr>,
    #[serde(rename = "nexthopLocal", skip_serializing_if = "Option::is_none")]
    pub nexthop_local: Option<IpAddr>,
    #[serde(rename = "bgpConnection", skip_serializing_if = "Option::is_none")]
    pub connection: Option<&'static str>,
    /// Seconds.
    #[serde(rename = "connectRetryTimer")]
    pub connect_retry: u64,
    #[serde(rename = "nextConnectTimerDueInMsecs", skip_serializing_if = "Option::is_none")]
    pub next_connect_msec: Option<u64>,
    #[serde(rename = "authenticationEnabled", skip_serializing_if = "Option::is_none")]
    pub md5: Option<u8>,
    #[serde(rename = "tcpAo", skip_serializing_if = "Option::is_none")]
    pub tcp_ao: Option<TcpAo>,
    #[serde(rename = "readThread")]
    pub read: &'static str,
    #[serde(rename = "writeThread")]
    pub write: &'static str,
}

impl fmt::Display for Neighbors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, neighbor)| neighbor.write(key, f))
    }
}

fn ago(msec: u64) -> String {
    text::uptime(Duration::from_millis(msec))
}

impl NeighborView {
    fn write(&self, key: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_identity(key, f)?;
        self.write_timers(f)?;
        self.write_tcp(f)?;
        if let Some(capabilities) = &self.neighbor_capabilities {
            capabilities.fmt(f)?;
        }
        self.graceful_restart_info.fmt(f)?;
        self.message_stats.fmt(f)?;
        self.prefix_stats.fmt(f)?;
        writeln!(
            f,
            "\n  Minimum time between advertisement runs is {} seconds",
            self.min_btwn_advertisement_runs_timer_msecs / 1000
        )?;
        self.families.values().try_for_each(|family| family.fmt(f))?;
        writeln!(
            f,
            "\n  Connections established {}; dropped {}",
            self.connections_established, self.connections_dropped
        )?;
        self.last_reset.fmt(f)?;
        self.transport.fmt(f)?;
        writeln!(f)
    }

    fn write_identity(&self, key: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bgp_neighbor_addr {
            Some(addr) => write!(f, "BGP neighbor on {key}: {addr}, ")?,
            None => write!(f, "BGP neighbor is {key}, ")?,
        }
        match self.remote_as {
            Some(asn) => write!(f, "remote AS {asn}, ")?,
            None => write!(f, "remote AS Unspecified, ")?,
        }
        write!(f, "local AS {}", self.local_as)?;
        for (given, word) in [
            (self.local_as_no_prepend, "no-prepend"),
            (self.local_as_replace_as, "replace-as"),
            (self.local_as_replace_as_dual_as, "dual-as"),
        ] {
            if given {
                write!(f, " {word}")?;
            }
        }
        writeln!(f, ", {} link", self.link.text())?;
        writeln!(f, "  Local Role: {}\n  Remote Role: {}", self.local_role, self.remote_role)?;
        if let Some(desc) = &self.nbr_desc {
            writeln!(f, " Description: {desc}")?;
        }
        if let Some(hostname) = &self.hostname {
            match &self.domainname {
                Some(domain) => writeln!(f, "Hostname: {hostname}.{domain}")?,
                None => writeln!(f, "Hostname: {hostname}")?,
            }
        }
        if let Some(group) = &self.peer_group {
            writeln!(f, " Member of peer-group {group} for session parameters")?;
        }
        if let Some(range) = &self.peer_subnet_range_group {
            writeln!(f, " Belongs to the subnet range group: {range}")?;
        }
        if self.admin_shut_down {
            writeln!(f, " Administratively shut down")?;
        }
        writeln!(
            f,
            "  BGP version {}, remote router ID {}, local router ID {}",
            self.bgp_version, self.remote_router_id, self.local_router_id
        )?;
        if self.nbr_common_admin {
            writeln!(f, "  Neighbor under common administration")?;
        }
        Ok(())
    }

    fn write_tcp(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(msec) = self.tcp.delay_open_msec {
            writeln!(f, "  Configured DelayOpenTime is {} seconds", msec / 1000)?;
        }
        if let Some(mss) = self.tcp.mss {
            writeln!(f, "  Configured tcp-mss is {mss}, synced tcp-mss is {}", self.tcp.mss_synced)?;
        }
        if let (Some(rtt), Some(count)) = (self.tcp.rtt_limit, self.tcp.rtt_count) {
            writeln!(f, "  Shutdown when RTT > {rtt}ms, {count} times in a row")?;
        }
        if let Some(rtt) = self.tcp.rtt {
            writeln!(f, "  Estimated round trip time: {rtt} ms")?;
        }
        if self.extended_optional_parameters_length {
            writeln!(f, "  Extended Optional Parameters Length is enabled")?;
        }
        Ok(())
    }

    fn write_timers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timers = &self.timers;
        write!(f, "  BGP state = {}", self.bgp_state)?;
        if let Some(up) = &timers.up_text {
            write!(f, ", up for {up}")?;
        }
        writeln!(f)?;
        let write_ago = timers.last_write_msec.map_or_else(|| "never".to_owned(), ago);
        writeln!(f, "  Last read {}, Last write {write_ago}", ago(timers.last_read_msec))?;
        writeln!(
            f,
            "  Hold time is {} seconds, keepalive interval is {} seconds",
            timers.hold_msec / 1000,
            timers.keepalive_msec / 1000
        )?;
        writeln!(
            f,
            "  Configured hold time is {} seconds, keepalive interval is {} seconds",
            timers.configured_hold_msec / 1000,
            timers.configured_keepalive_msec / 1000
        )
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  Neighbor capabilities:")?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, both: Both| {
            if both.any() { writeln!(f, "    {name}: {}", both.text()) } else { Ok(()) }
        };
        line(f, "4 Byte AS", self.four_octet_as)?;
        line(f, "Extended Message", self.extended_message)?;
        if !self.add_path.is_empty() {
            writeln!(f, "    AddPath:")?;
            for (family, view) in &self.add_path {
                view.write(family_of_key(family), f)?;
            }
        }
        if !self.paths_limit.is_empty() {
            writeln!(f, "    Paths-Limit:")?;
            for (family, view) in &self.paths_limit {
                writeln!(f, "      {}: {view}", family_of_key(family))?;
            }
        }
        line(f, "Extended nexthop", self.extended_nexthop)?;
        if !self.extended_nexthop_families.is_empty() {
            writeln!(f, "      Address families by peer:")?;
            for key in self.extended_nexthop_families.keys() {
                writeln!(f, "                   {}", family_of_key(key))?;
            }
        }
        line(f, "Dynamic", self.dynamic)?;
        line(f, "Long-lived Graceful Restart", self.long_lived)?;
        if let Some(families) = &self.long_lived_by_peer {
            writeln!(f, "      Address families by peer:")?;
            for (key, view) in families {
                writeln!(f, "        {}: stale-time {} seconds", family_of_key(key), view.stale_time)?;
            }
        }
        line(f, "Route refresh", self.route_refresh)?;
        line(f, "Enhanced Route Refresh", self.enhanced_route_refresh)?;
        for (key, FamilyCapability(both)) in &self.families {
            writeln!(f, "    Address Family {}: {}", family_of_key(key), both.text())?;
        }
        let part = |value: &Option<String>| value.clone().unwrap_or_else(|| "n/a".to_owned());
        let host = &self.hostname;
        write!(f, "    Hostname Capability:")?;
        if host.advertised_host.is_some() {
            write!(
                f,
                " advertised (name: {},domain name: {})",
                part(&host.advertised_host),
                part(&host.advertised_domain)
            )?;
        } else {
            write!(f, " not advertised")?;
        }
        if host.received_host.is_some() {
            write!(
                f,
                " received (name: {},domain name: {})",
                part(&host.received_host),
                part(&host.received_domain)
            )?;
        } else {
            write!(f, " not received")?;
        }
        writeln!(f)?;
        write!(f, "    Version Capability:")?;
        match &self.software_version.advertised {
            Some(version) => write!(f, " advertised software version ({version})")?,
            None => write!(f, " not advertised")?,
        }
        match &self.software_version.received {
            Some(version) => write!(f, " received software version ({version})")?,
            None => write!(f, " not received")?,
        }
        writeln!(f)?;
        line(f, "Graceful Restart Capability", self.graceful_restart)?;
        if let Some(msec) = self.restart_time_msec {
            writeln!(f, "      Remote Restart timer is {} seconds", msec / 1000)?;
        }
        match &self.restart_families {
            Some(RestartFamilies::None(word)) => {
                writeln!(f, "      Address families by peer:\n        {word}")?;
            }
            Some(RestartFamilies::Some(families)) => {
                writeln!(f, "      Address families by peer:")?;
                for (key, view) in families {
                    let kept = if view.preserved { "preserved" } else { "not preserved" };
                    writeln!(f, "        {}({kept})", family_of_key(key))?;
                }
            }
            None => {}
        }
        Ok(())
    }
}

/// The name of the family whose JSON key this is.
pub(super) fn family_of_key(key: &str) -> &str {
    let families = [Afi::Ipv4, Afi::Ipv6, Afi::L2vpn].into_iter().flat_map(|afi| {
        [Safi::Unicast, Safi::Multicast, Safi::LabeledUnicast, Safi::MplsVpn, Safi::Flowspec, Safi::Evpn]
            .into_iter()
            .map(move |safi| (afi, safi))
    });
    for (afi, safi) in families {
        if family_key(afi, safi) == key {
            return family_name(afi, safi);
        }
    }
    key
}

impl fmt::Display for MessageStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  Message statistics:")?;
        writeln!(f, "    Inq depth is {}\n    Outq depth is {}", self.depth_inq, self.depth_outq)?;
        writeln!(f, "                         Sent       Rcvd")?;
        let rows = [
            ("Opens:", self.opens_sent, self.opens_recv),
            ("Notifications:", self.notifications_sent, self.notifications_recv),
            ("Updates:", self.updates_sent, self.updates_recv),
            ("Keepalives:", self.keepalives_sent, self.keepalives_recv),
            ("Route Refresh:", self.route_refresh_sent, self.route_refresh_recv),
            ("Capability:", self.capability_sent, self.capability_recv),
            ("Total:", self.total_sent, self.total_recv),
        ];
        rows.iter().try_for_each(|(name, sent, recv)| writeln!(f, "    {name:14} {sent:>10} {recv:>10}"))
    }
}

impl fmt::Display for PrefixStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  Prefix statistics:")?;
        let rows = [
            ("Inbound filtered", self.inbound_filtered),
            ("AS-PATH loop", self.aspath_loop),
            ("Originator loop", self.originator_loop),
            ("Cluster loop", self.cluster_loop),
            ("Invalid next-hop", self.invalid_next_hop),
            ("Withdrawn", self.withdrawn),
            ("Attributes discarded", self.attributes_discarded),
            ("Over a limit", self.over_limit),
            ("Paths refused", self.paths_refused),
            ("Too big to send", self.too_big_to_send),
        ];
        rows.iter().try_for_each(|(name, count)| writeln!(f, "    {name}: {count}"))
    }
}

impl fmt::Display for FamilyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((afi, safi)) = self.family else { return Ok(()) };
        writeln!(f, "\n For address family: {}", family_name(afi, safi))?;
        if let Some(group) = &self.peer_group_member {
            writeln!(f, "  {group} peer-group member")?;
        }
        match (self.update_group_id, self.sub_group_id) {
            (Some(group), Some(subgroup)) => {
                writeln!(f, "  Update group {group}, subgroup {subgroup}")?;
                writeln!(f, "  Packet Queue length {}", self.packet_queue_length.unwrap_or(0))?;
            }
            _ => writeln!(f, "  Not part of any update group")?,
        }
        self.filters.orf.fmt(f)?;
        self.write_flags(f)?;
        self.write_filters(f)?;
        self.filters.fmt(f)?;
        writeln!(f, "  {} accepted prefixes", self.accepted_prefix_counter)?;
        if let Some(max) = self.prefix_out_allowed_max {
            writeln!(f, "  Maximum allowed prefixes sent {max}")?;
        }
        if let Some(max) = self.prefix_allowed_max {
            let warning = if self.max_warning_only { " (warning-only)" } else { "" };
            writeln!(f, "  Maximum prefixes allowed {max}{warning}")?;
            write!(
                f,
                "  Threshold for warning message {}%",
                self.prefix_allowed_warning_thresh.unwrap_or(75)
            )?;
            if let Some(msec) = self.restart_interval_msec {
                write!(f, ", restart interval {} min", msec / 60_000)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl FamilyView {
    fn write_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            (self.route_reflector_client, "  Route-Reflector Client"),
            (self.route_server_client, "  Route-Server Client"),
            (self.add_path_all, "  Advertise all paths via addpath"),
            (self.add_path_per_as, "  Advertise bestpath per AS via addpath"),
            (self.add_path_best, "  Advertise best N selected paths via addpath"),
            (self.secondary_path, "  Advertise the next best path where policy denies the best"),
            (self.inbound_soft_config_permit, "  Inbound soft reconfiguration allowed"),
            (self.private_as_removed, "  Private AS numbers removed in updates to this neighbor"),
            (self.next_hop_self, "  NEXT_HOP is always this router"),
        ];
        for (_, line) in lines.iter().filter(|(set, _)| *set) {
            writeln!(f, "{line}")?;
        }
        if let Some(count) = self.allowas_in {
            writeln!(f, "  Local AS allowed in path, {count} occurrences")?;
        }
        match self.communities_sent {
            Some("standard") => writeln!(f, "  Community attribute sent to this neighbor(standard)")?,
            Some("extended") => writeln!(f, "  Community attribute sent to this neighbor(extended)")?,
            Some(_) => writeln!(f, "  Community attribute sent to this neighbor(all)")?,
            None => {}
        }
        if self.default_sent {
            writeln!(f, "  Default information originate, default sent")?;
        }
        if self.inbound_requires_policy.is_some() {
            writeln!(f, "  Inbound updates discarded due to missing policy")?;
        }
        if self.outbound_requires_policy.is_some() {
            writeln!(f, "  Outbound updates discarded due to missing policy")?;
        }
        Ok(())
    }

    fn write_filters(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inbound_policy {
            writeln!(f, "  Inbound path policy configured")?;
        }
        if self.outbound_policy {
            writeln!(f, "  Outbound path policy configured")?;
        }
        let lists = [
            (&self.prefix_list_in, "Incoming update prefix filter list is *"),
            (&self.prefix_list_out, "Outgoing update prefix filter list is *"),
            (&self.distribute_in, "Incoming update network filter list is *"),
            (&self.distribute_out, "Outgoing update network filter list is *"),
            (&self.filter_list_in, "Incoming update AS path filter list is *"),
            (&self.filter_list_out, "Outgoing update AS path filter list is *"),
            (&self.route_map_in, "Route map for incoming advertisements is *"),
            (&self.route_map_out, "Route map for outgoing advertisements is *"),
        ];
        for (name, text) in lists {
            if let Some(name) = name {
                writeln!(f, "  {text}{name}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for LastReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(msec) = self.ago_msec else { return writeln!(f, "  Last reset never") };
        match (&self.notification_reason, &self.reason) {
            (Some(words), _) => {
                let side = if self.sent { "sent" } else { "received" };
                writeln!(f, "  Last reset {},  Notification {side} ({words})", ago(msec))?;
            }
            (None, reason) => {
                writeln!(f, "  Last reset {},  {}", ago(msec), reason.as_deref().unwrap_or("unknown"))?;
            }
        }
        match &self.shutdown_message {
            Some(message) => writeln!(f, "    Message: \"{message}\""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(hops) = self.ebgp_hops {
            writeln!(f, "  External BGP neighbor may be up to {hops} hops away.")?;
        }
        if let Some(hops) = self.ibgp_hops {
            writeln!(f, "  Internal BGP neighbor may be up to {hops} hops away.")?;
        }
        if let Some(source) = &self.update_source {
            writeln!(f, "  Update source is {source}")?;
        }
        if let (Some(host), Some(port)) = (self.local_host, self.local_port) {
            writeln!(f, "Local host: {host}, Local port: {port}")?;
        }
        if let (Some(host), Some(port)) = (self.foreign_host, self.foreign_port) {
            writeln!(f, "Foreign host: {host}, Foreign port: {port}")?;
        }
        for (name, hop) in [
            ("Nexthop", self.nexthop),
            ("Nexthop global", self.nexthop_global),
            ("Nexthop local", self.nexthop_local),
        ] {
            if let Some(hop) = hop {
                writeln!(f, "{name}: {hop}")?;
            }
        }
        match self.connection {
            Some("sharedNetwork") => writeln!(f, "BGP connection: shared network")?,
            Some(_) => writeln!(f, "BGP connection: non shared network")?,
            None => {}
        }
        writeln!(f, "BGP Connect Retry Timer in Seconds: {}", self.connect_retry)?;
        if let Some(msec) = self.next_connect_msec {
            writeln!(f, "Next connect timer due in {} seconds", msec / 1000)?;
        }
        if self.md5.is_some() {
            writeln!(f, "Peer Authentication Enabled")?;
        }
        if let Some(ao) = &self.tcp_ao {
            writeln!(f, "Peer Authentication Enabled: TCP-AO with key chain {}", ao.key_chain)?;
            if let Some(error) = &ao.error {
                writeln!(f, "  No connection: {error}")?;
            }
        }
        writeln!(f, "Read thread: {}  Write thread: {}", self.read, self.write)
    }
}
