//! What bgpd says, as far as it is needed, and how tables of routes are read: one prefix after the other, none kept.

use std::fmt;
use std::io::Read;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::vty::{AskError, read_error};

/// A neighbour of `show bgp neighbors json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Neighbor {
    pub bgp_neighbor_addr: Option<String>,
    pub remote_as: u32,
    pub local_as: u32,
    pub nbr_desc: Option<String>,
    pub hostname: Option<String>,
    pub peer_group: Option<String>,
    pub admin_shut_down: bool,
    pub remote_router_id: Option<String>,
    pub bgp_state: String,
    pub bgp_timer_up_established_epoch: Option<i64>,
    pub bgp_timer_hold_time_msecs: u64,
    pub bgp_timer_keep_alive_interval_msecs: u64,
    pub address_family_info: Families,
    pub connections_established: u64,
    pub last_reset_timer_msecs: Option<i64>,
    pub last_reset_due_to: Option<String>,
    pub last_notification_reason: Option<String>,
    pub message_stats: MessageStats,
}

impl Neighbor {
    pub fn established(&self) -> bool {
        self.bgp_state == "Established"
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Families {
    pub ipv4_unicast: Option<FamilyInfo>,
    pub ipv6_unicast: Option<FamilyInfo>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FamilyInfo {
    pub accepted_prefix_counter: u64,
    pub sent_prefix_counter: u64,
    pub prefix_allowed_max: Option<u64>,
    pub prefix_out_allowed_max: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageStats {
    pub updates_sent: u64,
    pub updates_recv: u64,
}

/// A neighbour of `show bgp … prefix-counts json`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub accepted: u64,
    pub best: u64,
    pub filtered: u64,
}

/// One path in detail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Path {
    pub aspath: AsPath,
    pub origin: Option<String>,
    pub metric: Option<u32>,
    #[serde(rename = "locPrf")]
    pub local_pref: Option<u32>,
    pub weight: u32,
    pub bestpath: Option<Best>,
    pub community: Option<Text>,
    pub extended_community: Option<Text>,
    pub large_community: Option<Text>,
    pub not_advertised_reason: Option<String>,
    pub last_update: LastUpdate,
    pub nexthops: Vec<Nexthop>,
    pub peer: Peer,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AsPath {
    pub segments: Vec<Segment>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Segment {
    pub list: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Best {
    pub overall: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Text {
    pub string: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LastUpdate {
    pub epoch: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Nexthop {
    pub ip: Option<IpAddr>,
    pub interface: Option<String>,
    pub used: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Peer {
    pub peer_id: Option<String>,
    pub interface: Option<String>,
}

/// `show bgp PREFIX json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Prefix {
    pub prefix: Option<String>,
    pub paths: Vec<Path>,
}

/// An answer that is one value.
pub fn value<T: for<'de> Deserialize<'de>>(answer: impl Read) -> Result<T, AskError> {
    serde_json::from_reader(std::io::BufReader::new(answer)).map_err(read_error)
}

/// Gives every path of a table to `take`, which may end the reading with an error. A table that bgpd does not show, because
/// nobody asked it to keep what it would need, is empty.
pub fn paths<E: fmt::Display>(
    answer: impl Read,
    mut take: impl FnMut(&str, Path) -> Result<(), E>,
) -> Result<(), AskError> {
    let mut reader = serde_json::Deserializer::from_reader(std::io::BufReader::new(answer));
    let mut warning = None;
    Table { take: &mut take, warning: &mut warning }.deserialize(&mut reader).map_err(read_error)?;
    match warning {
        Some(text) if !text.contains("soft reconfiguration") => Err(AskError::Refused(text)),
        _ => Ok(()),
    }
}

/// The members that hold a table.
const TABLES: [&str; 4] = ["routes", "receivedRoutes", "advertisedRoutes", "notAdvertisedRoutes"];

struct Table<'a, F> {
    take: &'a mut F,
    warning: &'a mut Option<String>,
}

impl<'de, E: fmt::Display, F: FnMut(&str, Path) -> Result<(), E>> DeserializeSeed<'de> for Table<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, E: fmt::Display, F: FnMut(&str, Path) -> Result<(), E>> Visitor<'de> for Table<'_, F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of routes")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if TABLES.contains(&key.as_str()) {
                map.next_value_seed(Prefixes { take: &mut *self.take })?;
            } else if key == "warning" {
                *self.warning = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The prefixes of a table, each with its paths.
struct Prefixes<'a, F> {
    take: &'a mut F,
}

impl<'de, E: fmt::Display, F: FnMut(&str, Path) -> Result<(), E>> DeserializeSeed<'de> for Prefixes<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, E: fmt::Display, F: FnMut(&str, Path) -> Result<(), E>> Visitor<'de> for Prefixes<'_, F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("prefixes with their paths")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(prefix) = map.next_key::<String>()? {
            map.next_value_seed(Paths { take: &mut *self.take, prefix: &prefix })?;
        }
        Ok(())
    }
}

/// The paths of a prefix: a list, or an object with one.
struct Paths<'a, F> {
    take: &'a mut F,
    prefix: &'a str,
}

impl<'de, E: fmt::Display, F: FnMut(&str, Path) -> Result<(), E>> DeserializeSeed<'de> for Paths<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, E: fmt::Display, F: FnMut(&str, Path) -> Result<(), E>> Visitor<'de> for Paths<'_, F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("paths")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(path) = list.next_element::<Path>()? {
            (self.take)(self.prefix, path).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "paths" {
                map.next_value_seed(Paths { take: &mut *self.take, prefix: self.prefix })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
