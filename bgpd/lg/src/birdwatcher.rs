//! The other side: JSON as birdwatcher 2 writes it and Alice-LG reads it. Times are UTC.

use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, Utc};
use ferrite_types::{Community, LargeCommunity};
use serde::Serialize;

use crate::answer::{FamilyInfo, Neighbor, Path, Tally};

/// The version of birdwatcher whose API this is.
pub const API_VERSION: &str = "2.2.4";

/// What stands at the head of every reply.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    pub api: Api,
    /// When the reply is forgotten, RFC 3339.
    pub ttl: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Api {
    #[serde(rename = "Version")]
    pub version: &'static str,
    pub result_from_cache: bool,
    pub cache_status: CacheStatus,
}

#[derive(Clone, Debug, Serialize)]
pub struct CacheStatus {
    pub cached_at: CachedAt,
    /// Seconds.
    pub orig_ttl: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct CachedAt {
    pub date: String,
    pub timezone_type: &'static str,
    pub timezone: &'static str,
}

impl Head {
    pub fn new(cached_at: DateTime<Utc>, ttl: std::time::Duration, from_cache: bool) -> Self {
        let until = chrono::TimeDelta::from_std(ttl).ok().and_then(|ttl| cached_at.checked_add_signed(ttl));
        Self {
            api: Api {
                version: API_VERSION,
                result_from_cache: from_cache,
                cache_status: CacheStatus {
                    cached_at: CachedAt { date: rfc3339(cached_at), timezone_type: "UTC", timezone: "UTC" },
                    orig_ttl: ttl.as_secs(),
                },
            },
            ttl: rfc3339(until.unwrap_or(cached_at)),
        }
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A moment as BIRD prints it.
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Seconds since 1970 as BIRD prints them.
pub fn epoch(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).map(moment).unwrap_or_default()
}

#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub router_id: String,
    pub current_server: String,
    pub server_time: String,
    pub last_reboot: String,
    pub last_reconfig: String,
    pub message: &'static str,
    pub version: String,
}

/// The numbers of routes of a neighbour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Routes {
    pub imported: u64,
    pub filtered: u64,
    pub exported: u64,
    pub preferred: u64,
    pub accepted: u64,
}

impl Routes {
    pub fn new(info: &FamilyInfo, tally: Tally) -> Self {
        Self {
            imported: info.accepted_prefix_counter,
            filtered: tally.filtered,
            exported: info.sent_prefix_counter,
            preferred: tally.best,
            accepted: info.accepted_prefix_counter,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            imported: self.imported + other.imported,
            filtered: self.filtered + other.filtered,
            exported: self.exported + other.exported,
            preferred: self.preferred + other.preferred,
            accepted: self.accepted + other.accepted,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Channel {
    pub table: &'static str,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_limit: Option<u64>,
    pub routes: Routes,
}

/// A neighbour as a protocol.
#[derive(Clone, Debug, Serialize)]
pub struct Protocol {
    pub bird_protocol: &'static str,
    pub protocol: String,
    pub state: &'static str,
    pub bgp_state: String,
    pub connection: String,
    pub state_changed: String,
    pub neighbor_address: String,
    pub neighbor_as: u32,
    pub local_as: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbor_id: Option<String>,
    pub description: String,
    pub table: &'static str,
    pub channels: std::collections::BTreeMap<&'static str, Channel>,
    pub routes: Routes,
    /// Messages with changes of routes.
    pub route_changes: RouteChanges,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_limit_at: Option<u64>,
    /// Seconds.
    pub hold_timer: u64,
    pub keepalive_timer: u64,
    pub last_error: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct RouteChanges {
    pub import_updates: Change,
    pub export_updates: Change,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Change {
    pub received: u64,
}

/// A neighbour in short.
#[derive(Clone, Debug, Serialize)]
pub struct Short {
    pub proto: &'static str,
    pub table: &'static str,
    pub state: &'static str,
    pub since: String,
    pub info: String,
}

/// BIRD's words for the state of a neighbour.
fn state(neighbor: &Neighbor) -> &'static str {
    if neighbor.established() {
        "up"
    } else if neighbor.admin_shut_down {
        "down"
    } else {
        "start"
    }
}

/// Since when the neighbour is in its state; of one that never was up, since bgpd began.
fn since(neighbor: &Neighbor, now: DateTime<Utc>, started: i64) -> String {
    let down = neighbor.last_reset_timer_msecs.map(|ago| now.timestamp().saturating_sub(ago / 1000));
    let up = neighbor.bgp_timer_up_established_epoch.filter(|_| neighbor.established());
    epoch(up.or(down).unwrap_or(started))
}

fn last_error(neighbor: &Neighbor) -> String {
    let parts = [neighbor.last_reset_due_to.as_deref(), neighbor.last_notification_reason.as_deref()];
    if neighbor.established() {
        return String::new();
    }
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// The table that a neighbour's routes are in, by BIRD's names.
fn table(neighbor: &Neighbor) -> &'static str {
    match (&neighbor.address_family_info.ipv4_unicast, &neighbor.address_family_info.ipv6_unicast) {
        (None, Some(_)) => "master6",
        _ => "master4",
    }
}

impl Short {
    pub fn new(neighbor: &Neighbor, now: DateTime<Utc>, started: i64) -> Self {
        Self {
            proto: "BGP",
            table: table(neighbor),
            state: state(neighbor),
            since: since(neighbor, now, started),
            info: neighbor.bgp_state.clone(),
        }
    }
}

impl Protocol {
    /// `tallies`: of IPv4, of IPv6.
    pub fn new(
        name: &str,
        neighbor: &Neighbor,
        tallies: [Tally; 2],
        now: DateTime<Utc>,
        started: i64,
    ) -> Self {
        let families = [
            ("ipv4", "master4", &neighbor.address_family_info.ipv4_unicast, tallies[0]),
            ("ipv6", "master6", &neighbor.address_family_info.ipv6_unicast, tallies[1]),
        ];
        let channels: std::collections::BTreeMap<&'static str, Channel> = families
            .into_iter()
            .filter_map(|(key, table, info, tally)| {
                let info = info.as_ref()?;
                let channel = Channel {
                    table,
                    state: if neighbor.established() { "UP" } else { "DOWN" },
                    import_limit: info.prefix_allowed_max,
                    export_limit: info.prefix_out_allowed_max,
                    routes: Routes::new(info, tally),
                };
                Some((key, channel))
            })
            .collect();
        let routes = channels.values().fold(Routes::default(), |sum, channel| sum.plus(channel.routes));
        let limit = channels.values().find_map(|channel| channel.import_limit);
        Self {
            bird_protocol: "BGP",
            protocol: name.to_owned(),
            state: state(neighbor),
            bgp_state: neighbor.bgp_state.clone(),
            connection: neighbor.bgp_state.clone(),
            state_changed: since(neighbor, now, started),
            neighbor_address: neighbor.bgp_neighbor_addr.clone().unwrap_or_else(|| name.to_owned()),
            neighbor_as: neighbor.remote_as,
            local_as: neighbor.local_as,
            neighbor_id: neighbor.remote_router_id.clone(),
            description: neighbor
                .nbr_desc
                .clone()
                .or_else(|| neighbor.hostname.clone())
                .unwrap_or_else(|| name.to_owned()),
            table: table(neighbor),
            routes,
            route_changes: RouteChanges {
                import_updates: Change { received: neighbor.message_stats.updates_recv },
                export_updates: Change { received: neighbor.message_stats.updates_sent },
            },
            import_limit: limit,
            route_limit_at: limit.map(|_| routes.imported),
            channels,
            hold_timer: neighbor.bgp_timer_hold_time_msecs / 1000,
            keepalive_timer: neighbor.bgp_timer_keep_alive_interval_msecs / 1000,
            last_error: last_error(neighbor),
        }
    }
}

/// One path as a route.
#[derive(Clone, Debug, Serialize)]
pub struct Route<'a> {
    pub network: &'a str,
    pub from_protocol: String,
    pub interface: String,
    pub gateway: String,
    pub metric: u32,
    pub primary: bool,
    pub age: String,
    #[serde(rename = "type")]
    pub kind: [&'static str; 2],
    pub learnt_from: String,
    pub bgp: Bgp,
    /// Ours: why a neighbour was not sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noexport_reason: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Bgp {
    pub origin: &'static str,
    pub as_path: Vec<String>,
    pub next_hop: String,
    pub local_pref: String,
    pub med: String,
    pub communities: Vec<[u32; 2]>,
    pub large_communities: Vec<[u32; 3]>,
    pub ext_communities: Vec<[String; 3]>,
}

/// What an own route is said to come from.
const OWN: &str = "static";

impl<'a> Route<'a> {
    pub fn new(network: &'a str, path: &Path) -> Self {
        let used = path.nexthops.iter().find(|hop| hop.used).or(path.nexthops.first());
        let address = |hop: Option<&crate::answer::Nexthop>| {
            hop.and_then(|hop| hop.ip).map(|ip| ip.to_string()).unwrap_or_default()
        };
        let peer = path.peer.peer_id.as_deref().filter(|peer| !is_unspecified(peer));
        Self {
            network,
            from_protocol: path.peer.interface.as_deref().or(peer).unwrap_or(OWN).to_owned(),
            interface: used.and_then(|hop| hop.interface.clone()).unwrap_or_default(),
            gateway: address(used),
            metric: 100,
            primary: path.bestpath.is_some_and(|best| best.overall),
            age: epoch(path.last_update.epoch),
            kind: ["BGP", "univ"],
            learnt_from: peer.unwrap_or_default().to_owned(),
            bgp: Bgp {
                origin: origin(path.origin.as_deref()),
                as_path: as_path(path),
                next_hop: address(path.nexthops.first()),
                local_pref: path.local_pref.unwrap_or(100).to_string(),
                med: path.metric.unwrap_or(0).to_string(),
                communities: words(path.community.as_ref()).filter_map(community).collect(),
                large_communities: words(path.large_community.as_ref()).filter_map(large).collect(),
                ext_communities: words(path.extended_community.as_ref()).map(extended).collect(),
            },
            noexport_reason: path.not_advertised_reason.clone(),
        }
    }
}

fn is_unspecified(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok_and(|addr| addr.is_unspecified())
}

fn origin(word: Option<&str>) -> &'static str {
    match word {
        Some("IGP") => "IGP",
        Some("EGP") => "EGP",
        _ => "Incomplete",
    }
}

fn as_path(path: &Path) -> Vec<String> {
    path.aspath.segments.iter().flat_map(|segment| &segment.list).map(ToString::to_string).collect()
}

fn words(text: Option<&crate::answer::Text>) -> impl Iterator<Item = &str> {
    text.into_iter().flat_map(|text| text.string.split_ascii_whitespace())
}

/// Well-known ones by their numbers too.
fn community(word: &str) -> Option<[u32; 2]> {
    let value = word.parse::<Community>().ok()?.0;
    Some([value >> 16, value & 0xffff])
}

fn large(word: &str) -> Option<[u32; 3]> {
    let LargeCommunity { global, local1, local2 } = word.parse().ok()?;
    Some([global, local1, local2])
}

/// `RT:1:2` as `rt, 1, 2`; what has another form as `generic` with the text.
fn extended(word: &str) -> [String; 3] {
    let parts: Vec<&str> = word.splitn(2, ':').collect();
    if let [kind @ ("RT" | "SoO"), value] = parts.as_slice()
        && let Some((admin, number)) = value.rsplit_once(':')
    {
        let kind = if *kind == "RT" { "rt" } else { "ro" };
        return [kind.to_owned(), admin.to_owned(), number.to_owned()];
    }
    ["generic".to_owned(), word.to_owned(), String::new()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_route_of_birdwatcher() {
        let json = r#"{"aspath":{"string":"65003 {1,2}","segments":[{"type":"as-sequence","list":[65003]},
            {"type":"as-set","list":[1,2]}],"length":2},"rxedFromRsClient":true,"origin":"IGP","metric":7,"valid":true,
            "bestpath":{"overall":true},"community":{"string":"65001:77 no-export","list":["65001:77","noExport"]},
            "extendedCommunity":{"string":"RT:65000:1 LB:65000:125000"},
            "largeCommunity":{"string":"65000:1:1010","list":[]},
            "lastUpdate":{"epoch":1795393044,"string":""},
            "nexthops":[{"ip":"10.9.0.3","afi":"ipv4","metric":0,"accessible":true,"used":true}],
            "peer":{"peerId":"10.9.0.3","routerId":"10.9.0.3","type":"external"}}"#;
        let path: Path = serde_json::from_str(json).unwrap();
        let route = serde_json::to_value(Route::new("10.22.1.0/24", &path)).unwrap();
        let expected = serde_json::json!({
            "network": "10.22.1.0/24", "from_protocol": "10.9.0.3", "interface": "", "gateway": "10.9.0.3",
            "metric": 100, "primary": true, "age": "2026-11-23 00:17:24", "type": ["BGP", "univ"],
            "learnt_from": "10.9.0.3",
            "bgp": {
                "origin": "IGP", "as_path": ["65003", "1", "2"], "next_hop": "10.9.0.3", "local_pref": "100",
                "med": "7", "communities": [[65001, 77], [65535, 65281]],
                "large_communities": [[65000, 1, 1010]],
                "ext_communities": [["rt", "65000", "1"], ["generic", "LB:65000:125000", ""]],
            },
        });
        assert_eq!(route, expected);
    }

    #[test]
    fn a_neighbour_that_was_never_up_is_down_since_the_start() {
        let neighbor = Neighbor { bgp_state: "Active".into(), ..Neighbor::default() };
        let now = DateTime::from_timestamp(1_795_393_044, 0).unwrap();
        let protocol = Protocol::new("192.0.2.1", &neighbor, [Tally::default(); 2], now, 1_795_393_000);
        assert_eq!((protocol.state, protocol.state_changed.as_str()), ("start", "2026-11-23 00:16:40"));
        assert_eq!(protocol.neighbor_address, "192.0.2.1");
    }

    #[test]
    fn times_are_those_that_alice_reads() {
        let at = DateTime::from_timestamp(1_795_393_044, 0).unwrap();
        let head = Head::new(at, std::time::Duration::from_secs(300), true);
        assert_eq!(head.ttl, "2026-11-23T00:22:24.000Z");
        assert_eq!(head.api.cache_status.cached_at.date, "2026-11-23T00:17:24.000Z");
    }
}
