//! Route messages: what the core wants in the kernel, in the kernel's octets.

use std::net::IpAddr;

use ferrite_types::{Afi, Blackhole, Nexthop, NexthopKind, Prefix, RouteProtocol};
use zebra_core::{FIB_METRIC, FibOp, FibOpKind, FibRoute, NexthopId};

use super::wire::{Builder, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, RTM_DELROUTE, RTM_NEWROUTE};

pub const RTA_DST: u16 = 1;
pub const RTA_SRC: u16 = 2;
pub const RTA_OIF: u16 = 4;
pub const RTA_GATEWAY: u16 = 5;
pub const RTA_PRIORITY: u16 = 6;
pub const RTA_PREFSRC: u16 = 7;
pub const RTA_METRICS: u16 = 8;
pub const RTA_MULTIPATH: u16 = 9;
pub const RTA_TABLE: u16 = 15;
pub const RTA_VIA: u16 = 18;
pub const RTA_NH_ID: u16 = 30;
pub const RTAX_MTU: u16 = 2;
pub const RTNH_F_ONLINK: u8 = 4;

pub const RTN_UNICAST: u8 = 1;
pub const RTN_BLACKHOLE: u8 = 6;
pub const RTN_UNREACHABLE: u8 = 7;
pub const RTN_PROHIBIT: u8 = 8;

const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const SCOPE_NOWHERE: u8 = 255;

pub const AF_INET: u8 = 2;
pub const AF_INET6: u8 = 10;

pub fn family(afi: Afi) -> u8 {
    if afi == Afi::Ipv6 { AF_INET6 } else { AF_INET }
}

/// Appends the message of one operation.
pub fn operation(op: &FibOp, seq: u32, out: &mut Builder) {
    match &op.kind {
        FibOpKind::Install(route) => install(op, route, seq, out),
        FibOpKind::Remove { protocol } => remove(op, *protocol, seq, out),
    }
}

fn install(op: &FibOp, route: &FibRoute, seq: u32, out: &mut Builder) {
    let afi = op.prefix.afi();
    out.begin(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE, seq);
    let kind = match route.nexthops.first().map(|nexthop| nexthop.kind) {
        Some(NexthopKind::Blackhole(Blackhole::Null)) => RTN_BLACKHOLE,
        Some(NexthopKind::Blackhole(Blackhole::Reject)) => RTN_UNREACHABLE,
        Some(NexthopKind::Blackhole(Blackhole::AdminProhibited)) => RTN_PROHIBIT,
        _ => RTN_UNICAST,
    };
    let link_only =
        route.group.is_none() && route.nexthops.iter().all(|n| matches!(n.kind, NexthopKind::Interface(_)));
    let scope = if link_only && afi == Afi::Ipv4 { SCOPE_LINK } else { SCOPE_UNIVERSE };
    let onlink = match &*route.nexthops {
        [single] if single.onlink => u32::from(RTNH_F_ONLINK),
        _ => 0,
    };
    header(op, route.protocol, scope, kind, onlink, out);
    if route.mtu != 0 {
        out.nested(&RTA_METRICS.to_ne_bytes(), |out| out.attribute_u32(RTAX_MTU, route.mtu));
    }
    if let Some(source) = route.source {
        address(RTA_PREFSRC, source, out);
    }
    match &*route.nexthops {
        _ if kind != RTN_UNICAST => {}
        _ if route.group.is_some() => {
            out.attribute_u32(RTA_NH_ID, route.group.map_or(0, NexthopId::in_kernel));
        }
        [single] => {
            gateway(single, afi, out);
            super::mpls::encapsulation(single, out);
            super::seg6::encapsulation(single, out);
            if let Some(ifindex) = single.ifindex() {
                out.attribute_u32(RTA_OIF, ifindex.in_kernel().0);
            }
        }
        several => out.nested(&RTA_MULTIPATH.to_ne_bytes(), |out| {
            for nexthop in several {
                next_hop(nexthop, afi, out);
            }
        }),
    }
    out.end();
}

fn remove(op: &FibOp, protocol: RouteProtocol, seq: u32, out: &mut Builder) {
    out.begin(RTM_DELROUTE, NLM_F_REQUEST, seq);
    header(op, protocol, SCOPE_NOWHERE, 0, 0, out);
    out.end();
}

/// `struct rtmsg` and the attributes that every message of ours has.
fn header(op: &FibOp, protocol: RouteProtocol, scope: u8, kind: u8, flags: u32, out: &mut Builder) {
    let FibOp { prefix, table, from, .. } = op;
    let small_table = u8::try_from(table.0).unwrap_or(0);
    let protocol = protocol.kernel_number();
    let from_len = from.map_or(0, |from| from.len());
    let rtmsg = [family(prefix.afi()), prefix.len(), from_len, 0, small_table, protocol, scope, kind];
    out.octets.extend(rtmsg);
    out.octets.extend(flags.to_ne_bytes());
    match prefix {
        Prefix::V4(p) => out.attribute(RTA_DST, &p.addr().octets()),
        Prefix::V6(p) => out.attribute(RTA_DST, &p.addr().octets()),
    }
    if let Some(from) = from {
        out.attribute(RTA_SRC, &from.addr().octets());
    }
    if small_table == 0 {
        out.attribute_u32(RTA_TABLE, table.0);
    }
    out.attribute_u32(RTA_PRIORITY, FIB_METRIC.0);
}

/// One element of RTA_MULTIPATH: `struct rtnexthop` and its attributes.
fn next_hop(nexthop: &Nexthop, afi: Afi, out: &mut Builder) {
    let flags = if nexthop.onlink { RTNH_F_ONLINK } else { 0 };
    let [a, b, c, d] = nexthop.ifindex().map_or(0, |ifindex| ifindex.in_kernel().0).to_ne_bytes();
    let header = [flags, nexthop.weight.saturating_sub(1), a, b, c, d];
    out.nested(&header, |out| {
        gateway(nexthop, afi, out);
        super::mpls::encapsulation(nexthop, out);
        super::seg6::encapsulation(nexthop, out);
    });
}

fn gateway(nexthop: &Nexthop, afi: Afi, out: &mut Builder) {
    match (nexthop.gateway_addr(), afi) {
        (Some(IpAddr::V6(addr)), Afi::Ipv4) => {
            // An IPv4 route through an IPv6 neighbour (RFC 8950) carries its family.
            out.nested(&RTA_VIA.to_ne_bytes(), |out| {
                out.octets.extend(u16::from(AF_INET6).to_ne_bytes());
                out.octets.extend(addr.octets());
            });
        }
        (Some(addr), _) => address(RTA_GATEWAY, addr, out),
        (None, _) => {}
    }
}

/// An attribute that holds an address.
pub fn address(kind: u16, addr: IpAddr, out: &mut Builder) {
    match addr {
        IpAddr::V4(addr) => out.attribute(kind, &addr.octets()),
        IpAddr::V6(addr) => out.attribute(kind, &addr.octets()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ferrite_types::{IfIndex, TableId, VrfId};
    use zebra_core::{Event, KernelRoute};

    use super::super::{parse, wire};
    use super::*;

    fn hop(gateway: Option<&str>, index: u32) -> Nexthop {
        match gateway {
            Some(addr) => Nexthop::new(NexthopKind::Gateway(addr.parse().unwrap(), Some(IfIndex(index)))),
            None => Nexthop::interface(IfIndex(index)),
        }
    }

    fn encoded(prefix: &str, table: u32, nexthops: &[Nexthop], mtu: u32) -> Vec<u8> {
        let source = nexthops.iter().find_map(|nexthop| nexthop.source);
        let route =
            FibRoute { protocol: RouteProtocol::Bgp, nexthops: nexthops.into(), mtu, source, group: None };
        let op = FibOp {
            vrf: VrfId::DEFAULT,
            table: TableId(table),
            prefix: prefix.parse().unwrap(),
            from: None,
            seq: 0,
            kind: FibOpKind::Install(Arc::new(route)),
        };
        let mut out = Builder::default();
        operation(&op, 7, &mut out);
        out.octets
    }

    fn read(octets: &[u8]) -> Option<KernelRoute> {
        let message = wire::messages(octets).next()?;
        match parse::event(&message)? {
            Event::KernelRoute(route) => Some(route),
            _ => None,
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let weighted = Nexthop { weight: 5, ..hop(Some("10.0.0.3"), 3) };
        let onlink = Nexthop { onlink: true, ..hop(Some("99.0.0.1"), 2) };
        let sourced = Nexthop { source: Some("10.0.0.1".parse().unwrap()), ..hop(Some("10.0.0.2"), 2) };
        let label = |value| ferrite_types::Label::new(value).unwrap();
        let labelled = |gateway, stack: &[u32]| Nexthop {
            labels: stack.iter().map(|value| label(*value)).collect(),
            ..hop(Some(gateway), 2)
        };
        let rows: &[(&str, u32, Vec<Nexthop>, u32)] = &[
            ("192.0.2.0/24", 254, vec![labelled("10.0.0.2", &[16, 17])], 0),
            ("2001:db8::/32", 254, vec![labelled("fe80::1", &[20]), labelled("fe80::2", &[])], 0),
            ("192.0.2.0/24", 254, vec![hop(Some("10.0.0.2"), 2)], 0),
            ("0.0.0.0/0", 254, vec![hop(Some("10.0.0.2"), 2)], 1400),
            ("192.0.2.1/32", 1000, vec![hop(None, 2)], 0),
            ("192.0.2.0/24", 254, vec![hop(Some("10.0.0.2"), 2), weighted], 0),
            ("192.0.2.0/24", 254, vec![onlink], 0),
            ("192.0.2.0/24", 254, vec![sourced], 0),
            ("192.0.2.0/24", 254, vec![hop(Some("fe80::1"), 2)], 0),
            ("192.0.2.0/24", 254, vec![Nexthop::blackhole(Blackhole::Reject)], 0),
            ("2001:db8::/32", 254, vec![hop(Some("fe80::1"), 2), hop(Some("2001:db8::1"), 3)], 0),
            ("::/0", 254, vec![Nexthop::blackhole(Blackhole::Null)], 0),
        ];
        for (prefix, table, nexthops, mtu) in rows {
            let route = read(&encoded(prefix, *table, nexthops, *mtu)).unwrap();
            assert_eq!(route.prefix, prefix.parse().unwrap());
            assert_eq!(
                (route.table, route.metric, route.mtu),
                (TableId(*table), FIB_METRIC, *mtu),
                "{prefix}"
            );
            assert_eq!(route.protocol, RouteProtocol::Bgp);
            assert_eq!(&*route.nexthops, nexthops.as_slice(), "{prefix}");
        }
    }

    #[test]
    fn a_message_cut_anywhere_is_no_message() {
        let whole = encoded("192.0.2.0/24", 254, &[hop(Some("10.0.0.2"), 2), hop(Some("10.0.0.3"), 3)], 1400);
        for cut in 0..whole.len() {
            assert!(read(&whole[..cut]).is_none(), "{cut}");
        }
        // And cut inside, with a length that fits: whatever is read, nothing is read past the end.
        for cut in 16..whole.len() {
            let mut part = whole[..cut].to_vec();
            part[..4].copy_from_slice(&(cut as u32).to_ne_bytes());
            let _ = read(&part);
        }
    }

    #[test]
    fn a_route_for_packets_of_a_source_says_so() {
        let route = FibRoute {
            protocol: RouteProtocol::Static,
            nexthops: [hop(Some("2001:db8::2"), 2)].into(),
            mtu: 0,
            source: None,
            group: None,
        };
        let from = Some("2001:db8:1::/48".parse().unwrap());
        let op = |kind| FibOp {
            vrf: VrfId::DEFAULT,
            table: TableId::MAIN,
            prefix: "2001:db8:7::/48".parse().unwrap(),
            from,
            seq: 0,
            kind,
        };
        for kind in
            [FibOpKind::Install(Arc::new(route)), FibOpKind::Remove { protocol: RouteProtocol::Static }]
        {
            let install = matches!(kind, FibOpKind::Install(_));
            let mut out = Builder::default();
            operation(&op(kind), 1, &mut out);
            // struct rtmsg: family, length of the prefix, of the source.
            assert_eq!(out.octets.get(16..19), Some(&[AF_INET6, 48, 48][..]));
            if install {
                assert_eq!(read(&out.octets).unwrap().from, from);
            }
        }
    }
}
