//! `show ip|ipv6 route`, as a streamed table and as the detailed view of one prefix.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use ferrite_types::{
    Afi, Blackhole, Distance, IfIndex, Ipv6Prefix, Label, Metric, Prefix, RouteProtocol, Safi, Seg6, TableId,
    Tag, VrfId,
};
use serde::Serialize;

use super::is_false;

/// Where packets go, and from where, for routes of packets of some source only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Destination {
    pub prefix: Prefix,
    pub from: Option<Ipv6Prefix>,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Some(from) => write!(f, "{} from {from}", self.prefix),
            None => self.prefix.fmt(f),
        }
    }
}

impl Serialize for Destination {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One route of one prefix: a line of the table, an element of the prefix's array in JSON.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    pub prefix: Destination,
    pub prefix_len: u8,
    pub protocol: RouteProtocol,
    #[serde(skip_serializing_if = "is_zero_instance")]
    pub instance: u16,
    pub vrf_id: VrfId,
    pub vrf_name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub selected: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub dest_selected: bool,
    pub distance: Distance,
    pub metric: Metric,
    #[serde(skip_serializing_if = "is_false")]
    pub installed: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub failed: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub queued: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub offloaded: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub trapped: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub offload_failed: bool,
    #[serde(skip_serializing_if = "no_tag")]
    pub tag: Tag,
    pub table: TableId,
    /// It has no room in the kernel; its packets take the covering entry, or none.
    #[serde(skip_serializing_if = "is_false")]
    pub fib_left_out: bool,
    /// The entry of another prefix that stands for it in the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fib_covered_by: Option<Prefix>,
    /// Why the kernel refused it; shown where FRR shows nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    pub internal_status: u32,
    pub internal_flags: u32,
    #[serde(rename = "internalNextHopNum")]
    pub nexthop_count: usize,
    #[serde(rename = "internalNextHopActiveNum")]
    pub active_count: usize,
    /// Number of the set of next hops.
    pub nexthop_group_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_nexthop_group_id: Option<u32>,
    /// Since the route last changed.
    pub uptime: String,
    pub nexthops: Vec<NexthopView>,
    #[serde(flatten)]
    pub ospf: Option<super::ospf::OspfView>,
}

fn is_zero_instance(value: &u16) -> bool {
    *value == 0
}

fn no_tag(tag: &Tag) -> bool {
    tag.0 == 0
}

/// A next hop of a route, recursive ones followed by what they resolve to.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NexthopView {
    /// Bit 0 active, bit 1 in the FIB, bit 2 recursive, bit 3 on the link.
    pub flags: u8,
    #[serde(skip_serializing_if = "is_false")]
    pub fib: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub directly_connected: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub duplicate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub afi: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_index: Option<IfIndex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_name: Option<String>,
    /// Only where it is another VRF than the route's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vrf: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub unreachable: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub reject: bool,
    #[serde(rename = "adminProhibited", skip_serializing_if = "is_false")]
    pub admin_prohibited: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub blackhole: bool,
    /// Resolves the recursive next hop above it.
    #[serde(skip_serializing_if = "is_false")]
    pub resolver: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub active: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub on_link: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub recursive: bool,
    #[serde(rename = "rmapSource", skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    pub weight: u8,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub seg6: Option<super::seg6::Seg6View>,
    /// The same for a line.
    #[serde(skip)]
    pub seg6_text: String,
}

impl NexthopView {
    pub fn with_seg6(mut self, seg6: Option<&Seg6>) -> Self {
        self.seg6 = seg6.map(super::seg6::Seg6View::from);
        self.seg6_text = seg6.map(Seg6::to_string).unwrap_or_default();
        self
    }

    /// Computes the flags FRR prints from the facts.
    pub fn with_flags(mut self) -> Self {
        self.flags = u8::from(self.active)
            | u8::from(self.active && !self.recursive) << 1
            | u8::from(self.recursive) << 2
            | u8::from(self.on_link) << 3;
        self
    }

    pub fn blackhole(kind: Blackhole) -> Self {
        Self {
            unreachable: true,
            reject: kind == Blackhole::Reject,
            admin_prohibited: kind == Blackhole::AdminProhibited,
            blackhole: kind == Blackhole::Null,
            weight: 1,
            ..Self::default()
        }
    }

    fn unreachable_text(&self) -> &'static str {
        if self.reject {
            "unreachable (ICMP unreachable)"
        } else if self.admin_prohibited {
            "unreachable (ICMP admin-prohibited)"
        } else {
            "unreachable (blackhole)"
        }
    }

    /// What follows the route's own columns on a line of the table.
    fn write_line(&self, out: &mut String) {
        match (self.ip, &self.interface_name) {
            _ if self.unreachable => {
                let _ = write!(out, " {}", self.unreachable_text());
            }
            (Some(ip), name) => {
                let _ = write!(out, " via {ip}");
                if let Some(name) = name {
                    let _ = write!(out, ", {name}");
                }
            }
            (None, name) => {
                let _ = write!(out, " is directly connected, {}", name.as_deref().unwrap_or("unknown"));
            }
        }
        if let Some(vrf) = &self.vrf {
            let _ = write!(out, " (vrf {vrf})");
        }
        self.write_tail(out, &self.seg6_text);
    }

    fn write_tail(&self, out: &mut String, seg6: &str) {
        if !self.active {
            out.push_str(" inactive");
        }
        if self.on_link {
            out.push_str(" onlink");
        }
        if self.recursive {
            out.push_str(" (recursive)");
        }
        if self.duplicate {
            out.push_str(" (duplicate nexthop removed)");
        }
        if let Some(source) = self.source {
            let _ = write!(out, ", src {source}");
        }
        if !self.labels.is_empty() {
            let labels: Vec<String> = self.labels.iter().map(Label::to_string).collect();
            let _ = write!(out, ", label {}", labels.join("/"));
        }
        if !seg6.is_empty() {
            let _ = write!(out, ", {seg6}");
        }
        let _ = write!(out, ", weight {}", self.weight);
    }

    /// A line of the detailed view; FRR leaves the segments out of it.
    fn write_detail(&self, out: &mut String) {
        let _ = write!(out, "  {} ", if self.fib && !self.recursive { '*' } else { ' ' });
        if self.resolver {
            out.push_str("  ");
        }
        match (self.ip, &self.interface_name) {
            _ if self.unreachable => out.push_str(self.unreachable_text()),
            (Some(ip), name) => {
                let _ = write!(out, "{ip}");
                if let Some(name) = name {
                    let _ = write!(out, ", via {name}");
                }
            }
            (None, name) => {
                let _ = write!(out, "directly connected, {}", name.as_deref().unwrap_or("unknown"));
            }
        }
        if let Some(vrf) = &self.vrf {
            let _ = write!(out, "(vrf {vrf})");
        }
        self.write_tail(out, "");
        out.push('\n');
    }
}

/// The codes above every table.
pub fn header(afi: Afi) -> &'static str {
    match afi {
        Afi::Ipv6 => {
            "\
Codes: K - kernel route, C - connected, L - local, S - static,
       R - RIPng, O - OSPFv3, I - IS-IS, B - BGP, N - NHRP,
       T - Table, v - VNC, V - VNC-Direct, A - Babel, F - PBR,
       f - OpenFabric, t - Table-Direct,
       > - selected route, * - FIB route, q - queued, r - rejected, b - backup
       t - trapped, o - offload failure

"
        }
        _ => {
            "\
Codes: K - kernel route, C - connected, L - local, S - static,
       R - RIP, O - OSPF, I - IS-IS, B - BGP, E - EIGRP, N - NHRP,
       T - Table, v - VNC, V - VNC-Direct, A - Babel, F - PBR,
       f - OpenFabric, t - Table-Direct,
       > - selected route, * - FIB route, q - queued, r - rejected, b - backup
       t - trapped, o - offload failure

"
        }
    }
}

/// The line above the routes of a VRF, or of one of its tables.
pub fn table_line(afi: Afi, safi: Safi, vrf: &str, table: Option<TableId>) -> String {
    let family = if afi == Afi::Ipv6 { "IPv6" } else { "IPv4" };
    match table {
        Some(table) => format!("{family} {safi} VRF {vrf} table {table}:\n"),
        None => format!("{family} {safi} VRF {vrf}:\n"),
    }
}

impl RouteView {
    /// Appends the lines of the table, one per next hop.
    pub fn write_lines(&self, out: &mut String) {
        let start = out.len();
        out.push(self.protocol.letter());
        if self.instance > 0 {
            let _ = write!(out, "[{}]", self.instance);
        }
        out.push(if self.selected { '>' } else { ' ' });
        out.push(self.status_mark(self.nexthops.first()));
        let _ = write!(out, " {}", self.prefix);
        if !matches!(self.protocol, RouteProtocol::Connected | RouteProtocol::Local)
            || self.distance.0 > 0
            || self.metric.0 > 0
        {
            let _ = write!(out, " [{}/{}]", self.distance, self.metric);
        }
        let indent = out.len() - start;
        for (position, nexthop) in self.nexthops.iter().enumerate() {
            if position > 0 {
                out.push_str("  ");
                out.push(self.status_mark(Some(nexthop)));
                // What resolves a recursive next hop is set in below it.
                let width = if nexthop.resolver { indent + 2 } else { indent };
                let _ = write!(out, "{:1$}", "", width.saturating_sub(3));
            }
            nexthop.write_line(out);
            let _ = writeln!(out, ", {}", self.uptime);
        }
        if self.nexthops.is_empty() {
            let _ = writeln!(out, " unknown, {}", self.uptime);
        }
    }

    fn status_mark(&self, nexthop: Option<&NexthopView>) -> char {
        let fib = nexthop.is_some_and(|nexthop| nexthop.active && !nexthop.recursive && !nexthop.duplicate);
        if self.queued {
            'q'
        } else if self.failed {
            'r'
        } else if self.trapped {
            't'
        } else if self.offload_failed {
            'o'
        } else if self.installed && fib {
            '*'
        } else {
            ' '
        }
    }
}

impl fmt::Display for RouteView {
    /// The detailed view.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Routing entry for {}", self.prefix)?;
        write!(f, "  Known via \"{}", self.protocol)?;
        if self.instance > 0 {
            write!(f, "[{}]", self.instance)?;
        }
        write!(f, "\", distance {}, metric {}", self.distance, self.metric)?;
        if self.tag.0 > 0 {
            write!(f, ", tag {}", self.tag)?;
        }
        if self.vrf_id != VrfId::DEFAULT {
            write!(f, ", vrf {}", self.vrf_name)?;
        }
        if self.selected {
            write!(f, ", best")?;
        }
        if let Some(reason) = &self.failure_reason {
            write!(f, ", rejected ({reason})")?;
        }
        if self.fib_left_out {
            write!(f, ", left out of the FIB")?;
        }
        if let Some(by) = self.fib_covered_by {
            write!(f, ", covered by {by}")?;
        }
        writeln!(f)?;
        writeln!(f, "  Last update {} ago", self.uptime)?;
        let mut lines = String::new();
        for nexthop in &self.nexthops {
            let fib = nexthop.fib && self.installed;
            NexthopView { fib, ..nexthop.clone() }.write_detail(&mut lines);
        }
        f.write_str(&lines)?;
        if let Some(ospf) = &self.ospf {
            ospf.fmt(f)?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(ip: &str) -> NexthopView {
        NexthopView {
            ip: Some(ip.parse().unwrap()),
            afi: Some("ipv4"),
            interface_index: Some(IfIndex(2)),
            interface_name: Some("ve-a".into()),
            active: true,
            fib: true,
            weight: 1,
            ..NexthopView::default()
        }
        .with_flags()
    }

    fn route(prefix: &str, protocol: RouteProtocol, nexthops: Vec<NexthopView>) -> RouteView {
        let prefix: Prefix = prefix.parse().unwrap();
        RouteView {
            prefix: Destination { prefix, from: None },
            prefix_len: prefix.len(),
            protocol,
            instance: 0,
            vrf_id: VrfId::DEFAULT,
            vrf_name: "default".into(),
            selected: true,
            dest_selected: true,
            distance: protocol.default_distance(),
            metric: Metric(0),
            installed: true,
            failed: false,
            queued: false,
            offloaded: false,
            fib_left_out: false,
            fib_covered_by: None,
            trapped: false,
            offload_failed: false,
            tag: Tag(0),
            table: TableId::MAIN,
            failure_reason: None,
            internal_status: 16,
            internal_flags: 8,
            nexthop_count: nexthops.len(),
            active_count: nexthops.len(),
            nexthop_group_id: 7,
            installed_nexthop_group_id: Some(7),
            uptime: "00:00:01".into(),
            nexthops,
            ospf: None,
        }
    }

    fn lines(route: &RouteView) -> String {
        let mut out = String::new();
        route.write_lines(&mut out);
        out
    }

    #[test]
    fn lines_are_those_of_frr() {
        let connected = NexthopView { ip: None, directly_connected: true, ..gateway("10.0.0.2") };
        assert_eq!(
            lines(&route("10.0.0.0/24", RouteProtocol::Connected, vec![connected])),
            "C>* 10.0.0.0/24 is directly connected, ve-a, weight 1, 00:00:01\n"
        );
        assert_eq!(
            lines(&route(
                "10.53.0.0/16",
                RouteProtocol::Static,
                vec![gateway("10.0.0.2"), gateway("10.0.0.3")]
            )),
            "S>* 10.53.0.0/16 [1/0] via 10.0.0.2, ve-a, weight 1, 00:00:01\n  \
             *                    via 10.0.0.3, ve-a, weight 1, 00:00:01\n"
        );
        let reject = NexthopView { active: true, fib: true, ..NexthopView::blackhole(Blackhole::Reject) };
        assert_eq!(
            lines(&route("10.55.0.0/16", RouteProtocol::Static, vec![reject])),
            "S>* 10.55.0.0/16 [1/0] unreachable (ICMP unreachable), weight 1, 00:00:01\n"
        );
    }

    #[test]
    fn a_recursive_next_hop_is_followed_by_what_resolves_it() {
        let recursive = NexthopView {
            recursive: true,
            interface_name: None,
            interface_index: None,
            ..gateway("10.50.0.1")
        }
        .with_flags();
        let resolver = NexthopView { resolver: true, ..gateway("10.0.0.2") };
        let route = RouteView {
            tag: Tag(7),
            ..route("10.52.0.0/16", RouteProtocol::Static, vec![recursive, resolver])
        };
        assert_eq!(
            lines(&route),
            "S>  10.52.0.0/16 [1/0] via 10.50.0.1 (recursive), weight 1, 00:00:01\n  \
             *                      via 10.0.0.2, ve-a, weight 1, 00:00:01\n"
        );
        assert_eq!(
            route.to_string(),
            "Routing entry for 10.52.0.0/16\n  Known via \"static\", distance 1, metric 0, tag 7, best\n  \
             Last update 00:00:01 ago\n    10.50.0.1 (recursive), weight 1\n  *   10.0.0.2, via ve-a, weight 1\n\n"
        );
    }

    #[test]
    fn what_the_kernel_refused_is_marked() {
        let failed = RouteView {
            installed: false,
            failed: true,
            ..route("10.53.0.0/16", RouteProtocol::Static, vec![gateway("10.0.0.2")])
        };
        assert!(lines(&failed).starts_with("S>r 10.53.0.0/16"));
    }

    #[test]
    fn json_has_the_keys_of_frr() {
        let json =
            serde_json::to_value(route("10.50.0.0/16", RouteProtocol::Static, vec![gateway("10.0.0.2")]))
                .unwrap();
        for key in [
            "prefix",
            "prefixLen",
            "protocol",
            "vrfId",
            "vrfName",
            "selected",
            "destSelected",
            "distance",
            "metric",
            "installed",
            "table",
            "internalNextHopNum",
            "internalNextHopActiveNum",
            "uptime",
            "nexthops",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
        assert_eq!(json["nexthops"][0]["flags"], 3);
        assert_eq!(json["nexthops"][0]["interfaceName"], "ve-a");
    }
}
