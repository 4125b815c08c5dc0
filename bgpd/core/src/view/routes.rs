//! Tables of routes: `show bgp`, `… neighbors X routes|advertised-routes|received-routes`, and everything filtered
//! from them. A table is streamed: header, any number of rows, footer; no command holds a whole table.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use bgp_packet::attr::Origin;
use ferrite_rpki::OriginState;
use ferrite_types::{Asn, Prefix, RouterId};
use serde::Serialize;

/// What stands above every table.
#[derive(Clone, Debug)]
pub struct TableHeader {
    pub table_version: u64,
    pub router_id: RouterId,
    /// -1 where there is no such VRF.
    pub vrf_id: i64,
    pub vrf_name: String,
    pub default_local_pref: u32,
    pub local_as: Asn,
}

/// One path of one prefix as a row.
#[derive(Clone, Debug, Default)]
pub struct PathRow {
    pub valid: bool,
    pub best: bool,
    pub multipath: bool,
    pub suppressed: bool,
    pub stale: bool,
    pub removed: bool,
    pub damped: bool,
    pub history: bool,
    /// Learned from an iBGP neighbour.
    pub internal: bool,
    /// Zebra could not install it.
    pub rib_failure: bool,
    /// What the RPKI says of the origin; `None` while it says nothing.
    pub rpki: Option<OriginState>,
    pub selection_reason: Option<&'static str>,
    /// Version of the prefix when it last changed.
    pub version: u64,
    pub metric: Option<u32>,
    pub local_pref: Option<u32>,
    pub weight: u32,
    /// The neighbour the path came from; `None` where it is our own.
    pub peer: Option<IpAddr>,
    pub as_path: String,
    pub origin: Option<Origin>,
    /// The first is the global one.
    pub nexthops: Vec<NexthopCell>,
    /// Why it was refused, as the community of `reject-community`.
    pub refused: Option<String>,
}

/// A next hop of a row.
#[derive(Clone, Debug, Serialize)]
pub struct NexthopCell {
    /// The link of a link-local next hop, where the neighbour is known by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    pub ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    pub afi: &'static str,
    /// `global` or `link-local`, for IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
    /// This is where packets go.
    #[serde(skip_serializing_if = "is_false")]
    pub used: bool,
}

impl NexthopCell {
    pub fn new(ip: IpAddr, used: bool) -> Self {
        let scope = match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Some("link-local"),
            IpAddr::V6(_) => Some("global"),
        };
        Self {
            interface: None,
            ip,
            hostname: None,
            afi: if ip.is_ipv4() { "ipv4" } else { "ipv6" },
            scope,
            used,
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The letter of an origin in the last column.
pub fn origin_code(origin: Origin) -> char {
    match origin {
        Origin::Igp => 'i',
        Origin::Egp => 'e',
        Origin::Incomplete => '?',
    }
}

/// The word of an origin in JSON and in the detailed view.
pub fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Igp => "IGP",
        Origin::Egp => "EGP",
        Origin::Incomplete => "incomplete",
    }
}

impl fmt::Display for TableHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())?;
        f.write_str(LEGEND)
    }
}

impl TableHeader {
    /// What stands above routes in detail: no columns, so no legend.
    pub fn short(&self) -> String {
        format!(
            "BGP table version is {}, local router ID is {}, vrf id {}\nDefault local pref {}, local AS {}\n",
            self.table_version,
            self.router_id,
            if self.vrf_id < 0 { "-".to_owned() } else { self.vrf_id.to_string() },
            self.default_local_pref,
            self.local_as
        )
    }
}

const LEGEND: &str = "\
Status codes:  s suppressed, d damped, h history, u unsorted, * valid, > best, = multipath,
               i internal, r RIB-failure, S Stale, R Removed
Nexthop codes: @NNN nexthop's vrf id, < announce-nh-self
Origin codes:  i - IGP, e - EGP, ? - incomplete
RPKI validation codes: V valid, I invalid, N Not found

     Network          Next Hop            Metric LocPrf Weight Path
";

impl TableHeader {
    /// The JSON object's members before `routes`, with the brace that opens it.
    pub fn json_open(&self) -> String {
        format!(
            "{{\n \"vrfId\": {},\n \"vrfName\": {},\n \"tableVersion\": {},\n \"routerId\": \"{}\",\n \"defaultLocPrf\": {},\n \
             \"localAS\": {},\n \"routes\": {{ ",
            self.vrf_id,
            quote(&self.vrf_name),
            self.table_version,
            self.router_id,
            self.default_local_pref,
            self.local_as
        )
    }

    /// The members before the routes of a neighbour's table; `member` names them (`advertisedRoutes`).
    pub fn json_open_adjacency(&self, member: &str) -> String {
        format!(
            "{{\n\"bgpTableVersion\":{},\"bgpLocalRouterId\":\"{}\",\"defaultLocPrf\":{},\"localAS\":{},\"{member}\": {{",
            self.table_version, self.router_id, self.default_local_pref, self.local_as
        )
    }
}

/// A text as a JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl PathRow {
    /// Appends the text row; `network` is empty on all but a prefix's first path.
    pub fn write_text(&self, prefix: Option<Prefix>, out: &mut String) {
        self.write_status(out);
        let network = prefix.map(|p| p.to_string()).unwrap_or_default();
        if network.len() > 16 {
            let _ = write!(out, "{network}\n{:20}", "");
        } else {
            let _ = write!(out, "{network:<17}");
        }
        self.write_nexthop(out);
        write_number(out, self.metric, 10);
        write_number(out, self.local_pref, 7);
        let _ = write!(out, "{:>7} ", self.weight);
        if !self.as_path.is_empty() {
            let _ = write!(out, "{} ", self.as_path);
        }
        if let Some(origin) = self.origin {
            out.push(origin_code(origin));
        }
        out.push('\n');
    }

    fn write_status(&self, out: &mut String) {
        out.push(match self.rpki {
            Some(OriginState::Valid) => 'V',
            Some(OriginState::Invalid) => 'I',
            Some(OriginState::NotFound) => 'N',
            None => ' ',
        });
        out.push(match self {
            Self { removed: true, .. } => 'R',
            Self { stale: true, .. } => 'S',
            Self { suppressed: true, .. } => 's',
            Self { rib_failure: true, .. } => 'r',
            Self { valid: true, history: false, .. } => '*',
            _ => ' ',
        });
        out.push(match self {
            Self { history: true, .. } => 'h',
            Self { damped: true, .. } => 'd',
            Self { best: true, .. } => '>',
            Self { multipath: true, .. } => '=',
            _ => ' ',
        });
        out.push(if self.internal { 'i' } else { ' ' });
        out.push(' ');
    }

    /// An address that overflows its column is followed by a line break, as FRR does for IPv6.
    fn write_nexthop(&self, out: &mut String) {
        let shown = self.nexthops.iter().find(|cell| cell.used).or(self.nexthops.first());
        // Who is known by a link is shown by it.
        let link = self.nexthops.iter().find_map(|cell| cell.interface.clone());
        let text =
            link.or_else(|| shown.map(|cell| cell.ip.to_string())).unwrap_or_else(|| "0.0.0.0".to_owned());
        if text.len() > 15 && shown.is_some_and(|cell| cell.ip.is_ipv6()) {
            let _ = write!(out, "{text}\n{:36}", "");
        } else {
            let _ = write!(out, "{text:<15} ");
        }
    }

    /// The row as an element of a prefix's array in `show bgp … json`.
    pub fn json(&self, prefix: Prefix) -> RouteJson<'_> {
        RouteJson {
            rpki_valid: self.rpki == Some(OriginState::Valid),
            rpki_invalid: self.rpki == Some(OriginState::Invalid),
            rpki_not_found: self.rpki == Some(OriginState::NotFound),
            valid: self.valid,
            stale: self.stale,
            damped: self.damped,
            bestpath: self.best,
            multipath: self.multipath,
            selection_reason: self.best.then_some(self.selection_reason).flatten(),
            path_from: if self.internal { "internal" } else { "external" },
            prefix: prefix.addr(),
            prefix_len: prefix.len(),
            network: prefix,
            version: self.version,
            metric: self.metric,
            loc_prf: self.local_pref,
            weight: self.weight,
            peer_id: self.peer.map_or_else(|| "(unspec)".to_owned(), |peer| peer.to_string()),
            path: &self.as_path,
            origin: self.origin.map(origin_word),
            nexthops: &self.nexthops,
        }
    }

    /// The row as the value of a prefix in `advertised-routes json` and `received-routes json`.
    pub fn json_adjacency(&self, prefix: Prefix) -> AdjacencyJson<'_> {
        AdjacencyJson {
            addr_prefix: prefix.addr(),
            prefix_len: prefix.len(),
            network: prefix,
            next_hop: self.nexthops.first().filter(|cell| cell.ip.is_ipv4()).map(|cell| cell.ip),
            next_hop_global: self.nexthops.first().filter(|cell| cell.ip.is_ipv6()).map(|cell| cell.ip),
            metric: self.metric,
            loc_prf: self.local_pref,
            weight: self.weight,
            path: &self.as_path,
            origin: self.origin.map(origin_word),
            valid: self.valid,
            best: self.best,
            reject_community: self.refused.as_deref(),
        }
    }
}

fn write_number(out: &mut String, value: Option<u32>, width: usize) {
    match value {
        Some(value) => {
            let _ = write!(out, "{value:>width$}");
        }
        None => {
            let _ = write!(out, "{:width$}", "");
        }
    }
}

/// See [`PathRow::json`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteJson<'a> {
    #[serde(skip_serializing_if = "is_false")]
    rpki_valid: bool,
    #[serde(skip_serializing_if = "is_false")]
    rpki_invalid: bool,
    #[serde(skip_serializing_if = "is_false")]
    rpki_not_found: bool,
    #[serde(skip_serializing_if = "is_false")]
    valid: bool,
    #[serde(skip_serializing_if = "is_false")]
    stale: bool,
    #[serde(skip_serializing_if = "is_false")]
    damped: bool,
    #[serde(skip_serializing_if = "is_false")]
    bestpath: bool,
    #[serde(skip_serializing_if = "is_false")]
    multipath: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection_reason: Option<&'static str>,
    path_from: &'static str,
    prefix: IpAddr,
    prefix_len: u8,
    network: Prefix,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loc_prf: Option<u32>,
    weight: u32,
    peer_id: String,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    nexthops: &'a [NexthopCell],
}

/// See [`PathRow::json_adjacency`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjacencyJson<'a> {
    addr_prefix: IpAddr,
    prefix_len: u8,
    network: Prefix,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_hop: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_hop_global: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loc_prf: Option<u32>,
    weight: u32,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    #[serde(skip_serializing_if = "is_false")]
    valid: bool,
    #[serde(skip_serializing_if = "is_false")]
    best: bool,
    /// Ours: the reason of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_community: Option<&'a str>,
}

/// What stands below a whole table.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableFooter {
    pub prefixes: u64,
    pub paths: u64,
    /// Paths of the table, where a filter left some out.
    pub filtered: bool,
}

impl TableFooter {
    pub fn text(&self) -> String {
        if self.prefixes == 0 && !self.filtered {
            return "No BGP prefixes displayed, 0 exist\n".to_owned();
        }
        format!("\nDisplayed {} routes and {} total paths\n", self.prefixes, self.paths)
    }

    pub fn json(&self) -> String {
        format!(" }} , \"totalRoutes\": {}, \"totalPaths\": {} }} \n", self.prefixes, self.paths)
    }
}

/// What stands below a neighbour's table.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdjacencyFooter {
    pub prefixes: u64,
    pub filtered: u64,
}

impl AdjacencyFooter {
    pub fn text(&self) -> String {
        if self.filtered > 0 {
            format!("\nTotal number of prefixes {} ({} filtered)\n", self.prefixes, self.filtered)
        } else {
            format!("\nTotal number of prefixes {}\n", self.prefixes)
        }
    }

    pub fn json(&self) -> String {
        format!(
            "}}\n,\"totalPrefixCounter\":{},\"filteredPrefixCounter\":{}}}\n",
            self.prefixes, self.filtered
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> PathRow {
        PathRow {
            valid: true,
            best: true,
            selection_reason: Some("First path received"),
            version: 3,
            metric: Some(0),
            peer: Some("10.0.0.2".parse().unwrap()),
            as_path: "65002".into(),
            origin: Some(Origin::Igp),
            nexthops: vec![NexthopCell::new("10.0.0.2".parse().unwrap(), true)],
            ..PathRow::default()
        }
    }

    fn text(row: &PathRow, prefix: Option<&str>) -> String {
        let mut out = String::new();
        row.write_text(prefix.map(|p| p.parse().unwrap()), &mut out);
        out
    }

    #[test]
    fn rows_are_those_of_frr() {
        assert_eq!(
            text(&row(), Some("10.20.0.0/16")),
            " *>  10.20.0.0/16     10.0.0.2                 0             0 65002 i\n"
        );
        let own = PathRow {
            best: false,
            weight: 32768,
            as_path: String::new(),
            origin: Some(Origin::Incomplete),
            nexthops: vec![NexthopCell::new("0.0.0.0".parse().unwrap(), true)],
            ..row()
        };
        assert_eq!(text(&own, None), " *                    0.0.0.0                  0         32768 ?\n");
    }

    #[test]
    fn a_long_next_hop_breaks_the_line() {
        let v6 = PathRow {
            nexthops: vec![
                NexthopCell::new("2001:db8::2".parse().unwrap(), false),
                NexthopCell::new("fe80::3c61:85ff:fe0a:8918".parse().unwrap(), true),
            ],
            ..row()
        };
        assert_eq!(
            text(&v6, Some("2001:db8:2::/48")),
            " *>  2001:db8:2::/48  fe80::3c61:85ff:fe0a:8918\n                                             \
             0             0 65002 i\n"
        );
    }

    #[test]
    fn json_rows_carry_the_keys_of_frr() {
        let prefix = "10.20.0.0/16".parse().unwrap();
        let json = serde_json::to_string(&row().json(prefix)).unwrap();
        assert_eq!(
            json,
            r#"{"valid":true,"bestpath":true,"selectionReason":"First path received","pathFrom":"external","prefix":"10.20.0.0","prefixLen":16,"network":"10.20.0.0/16","version":3,"metric":0,"weight":0,"peerId":"10.0.0.2","path":"65002","origin":"IGP","nexthops":[{"ip":"10.0.0.2","afi":"ipv4","used":true}]}"#
        );
    }

    #[test]
    fn a_streamed_table_is_one_json_value() {
        let header = TableHeader {
            table_version: 4,
            router_id: "10.0.0.1".parse().unwrap(),
            vrf_id: 0,
            vrf_name: "default".into(),
            default_local_pref: 100,
            local_as: Asn(65001),
        };
        let prefix: Prefix = "10.20.0.0/16".parse().unwrap();
        let body = format!("\"{prefix}\": [{}]\n", serde_json::to_string(&row().json(prefix)).unwrap());
        let all = header.json_open() + &body + &TableFooter { prefixes: 1, paths: 1, filtered: false }.json();
        let value: serde_json::Value = serde_json::from_str(&all).unwrap();
        assert_eq!(value["routes"]["10.20.0.0/16"][0]["path"], "65002");
        let all = header.json_open_adjacency("advertisedRoutes")
            + &format!("\"{prefix}\":{}", serde_json::to_string(&row().json_adjacency(prefix)).unwrap())
            + &AdjacencyFooter { prefixes: 1, filtered: 0 }.json();
        let value: serde_json::Value = serde_json::from_str(&all).unwrap();
        assert_eq!(value["totalPrefixCounter"], 1);
    }
}
