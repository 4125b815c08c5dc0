//! `show ip nht`: tracked next hops, who asked for them and how they are reached.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use ferrite_types::{Afi, Prefix, RouteProtocol};
use serde::Serialize;
use serde::ser::SerializeMap;

use super::route::NexthopView;

/// The tracked next hops of a VRF.
#[derive(Clone, Debug)]
pub struct NexthopTracking {
    pub vrf_name: String,
    pub afi: Afi,
    /// A default route may resolve a next hop.
    pub resolve_via_default: bool,
    pub entries: Vec<TrackedNexthop>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackedNexthop {
    #[serde(skip)]
    pub addr: IpAddr,
    /// Only a connected network counts.
    #[serde(rename = "nhtConnected")]
    pub connected_only: bool,
    pub client_list: Vec<TrackingClient>,
    pub nexthops: Vec<NexthopView>,
    #[serde(rename = "resolvedProtocol", skip_serializing_if = "Option::is_none")]
    pub protocol: Option<RouteProtocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Prefix>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackingClient {
    pub protocol: String,
    /// Number of the connection.
    pub socket: u64,
    pub protocol_filtered: &'static str,
}

impl Serialize for NexthopTracking {
    /// `{"default": {"ipv4": {"resolveViaDefault": …, ADDRESS: …}}}`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut family = serde_json::Map::new();
        family.insert("resolveViaDefault".into(), self.resolve_via_default.into());
        for entry in &self.entries {
            let value = serde_json::to_value(entry).map_err(serde::ser::Error::custom)?;
            family.insert(entry.addr.to_string(), value);
        }
        let key = if self.afi == Afi::Ipv6 { "ipv6" } else { "ipv4" };
        let mut vrf = serde_json::Map::new();
        vrf.insert(key.into(), family.into());
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.vrf_name, &vrf)?;
        map.end()
    }
}

impl fmt::Display for NexthopTracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "VRF {}:", self.vrf_name)?;
        writeln!(f, " Resolve via default: {}", if self.resolve_via_default { "on" } else { "off" })?;
        self.entries.iter().try_for_each(|entry| entry.fmt(f))
    }
}

impl fmt::Display for TrackedNexthop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}{}", self.addr, if self.connected_only { "(Connected)" } else { "" })?;
        match (self.protocol, self.prefix) {
            (Some(protocol), Some(prefix)) => {
                writeln!(f, " resolved via {protocol}, prefix {prefix}")?;
                for nexthop in &self.nexthops {
                    writeln!(f, " {}", line(nexthop))?;
                }
            }
            _ => writeln!(f, " unresolved")?,
        }
        let clients: Vec<String> = self
            .client_list
            .iter()
            .map(|client| format!("{}(fd {})", client.protocol, client.socket))
            .collect();
        writeln!(f, " Client list: {}", clients.join(" "))
    }
}

fn line(nexthop: &NexthopView) -> String {
    let mut text = String::new();
    match (nexthop.ip, &nexthop.interface_name) {
        _ if nexthop.unreachable && nexthop.reject => text.push_str("unreachable (ICMP unreachable)"),
        _ if nexthop.unreachable && nexthop.admin_prohibited => {
            text.push_str("unreachable (ICMP admin-prohibited)");
        }
        _ if nexthop.unreachable => text.push_str("unreachable (blackhole)"),
        (Some(ip), Some(name)) => {
            let _ = write!(text, "via {ip}, {name}");
        }
        (Some(ip), None) => {
            let _ = write!(text, "via {ip}");
        }
        (None, name) => {
            let _ = write!(text, "is directly connected, {}", name.as_deref().unwrap_or("unknown"));
        }
    }
    if let Some(vrf) = &nexthop.vrf {
        let _ = write!(text, " (vrf {vrf})");
    }
    let _ = write!(text, ", weight {}", nexthop.weight);
    text
}

#[cfg(test)]
mod tests {
    use ferrite_types::IfIndex;

    use super::*;

    #[test]
    fn text_and_json_are_those_of_frr() {
        let hop = NexthopView {
            interface_index: Some(IfIndex(2)),
            interface_name: Some("ve-a".into()),
            directly_connected: true,
            vrf: Some("default".into()),
            active: true,
            weight: 1,
            ..NexthopView::default()
        };
        let client = TrackingClient { protocol: "bgp".into(), socket: 31, protocol_filtered: "none" };
        let entry = TrackedNexthop {
            addr: "10.0.0.7".parse().unwrap(),
            connected_only: true,
            client_list: vec![client.clone()],
            nexthops: vec![hop],
            protocol: Some(RouteProtocol::Connected),
            prefix: Some("10.0.0.0/24".parse().unwrap()),
        };
        let lost = TrackedNexthop {
            addr: "99.9.9.9".parse().unwrap(),
            connected_only: false,
            client_list: vec![client],
            nexthops: vec![],
            protocol: None,
            prefix: None,
        };
        let view = NexthopTracking {
            vrf_name: "default".into(),
            afi: Afi::Ipv4,
            resolve_via_default: true,
            entries: vec![entry, lost],
        };
        assert_eq!(
            view.to_string(),
            "VRF default:\n Resolve via default: on\n10.0.0.7(Connected)\n resolved via connected, prefix 10.0.0.0/24\n \
             is directly connected, ve-a (vrf default), weight 1\n Client list: bgp(fd 31)\n99.9.9.9\n unresolved\n \
             Client list: bgp(fd 31)\n"
        );
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(json["default"]["ipv4"]["10.0.0.7"]["resolvedProtocol"], "connected");
        assert_eq!(json["default"]["ipv4"]["resolveViaDefault"], true);
    }
}
