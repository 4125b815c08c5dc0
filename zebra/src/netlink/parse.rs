//! What the kernel says, as core events. Unknown messages and attributes are passed over; a message that lacks what it
//! must have says nothing. This is the decoder that the fuzzer drives.

use std::net::IpAddr;

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::{
    Afi, Blackhole, IfIndex, MacAddr, Metric, Nexthop, NexthopKind, Prefix, RouteProtocol, TableId, VrfId,
};
use zebra_core::{Event, KernelRoute, LinkInfo, LinkKind, NexthopId, Offload};

use super::encode::{
    AF_INET, AF_INET6, RTA_DST, RTA_GATEWAY, RTA_METRICS, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF, RTA_PREFSRC,
    RTA_PRIORITY, RTA_SRC, RTA_TABLE, RTA_VIA, RTAX_MTU, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST,
    RTN_UNREACHABLE, RTNH_F_ONLINK,
};
use super::mpls::{self, RTA_ENCAP, RTA_ENCAP_TYPE, labels_of};
use super::seg6;
use super::wire::{
    self, Message, RTM_DELADDR, RTM_DELLINK, RTM_DELNEXTHOP, RTM_DELROUTE, RTM_NEWADDR, RTM_NEWLINK,
    RTM_NEWNEXTHOP, RTM_NEWROUTE, u16_at, u32_at,
};

const IFF_UP: u32 = 0x1;
const IFF_BROADCAST: u32 = 0x2;
const IFF_LOOPBACK: u32 = 0x8;
const IFF_POINTOPOINT: u32 = 0x10;
const IFF_RUNNING: u32 = 0x40;
const IFF_MULTICAST: u32 = 0x1000;

const RTM_F_CLONED: u32 = 0x200;
const RTM_F_OFFLOAD: u32 = 0x4000;
const RTM_F_TRAP: u32 = 0x8000;
const RTM_F_OFFLOAD_FAILED: u32 = 0x2000_0000;
const RTPROT_REDIRECT: u8 = 1;
const RTPROT_KERNEL: u8 = 2;
const TABLE_LOCAL: u32 = 255;

/// The event of one message, where it is one.
pub fn event(message: &Message<'_>) -> Option<Event> {
    let payload = message.payload;
    match message.kind {
        RTM_NEWLINK => link(payload).map(Event::Link),
        RTM_DELLINK => link_gone(payload),
        RTM_NEWADDR => address(payload).map(|(ifindex, address)| Event::Address { ifindex, address }),
        RTM_DELADDR => address(payload).map(|(ifindex, address)| Event::AddressGone { ifindex, address }),
        RTM_NEWROUTE if is_mpls(payload) => mpls::read(payload).map(Event::KernelLsp),
        RTM_DELROUTE if is_mpls(payload) => mpls::read(payload).map(|told| Event::KernelLspGone(told.label)),
        RTM_NEWROUTE => route(payload).map(Event::KernelRoute),
        RTM_DELROUTE => route(payload).map(Event::KernelRouteGone),
        RTM_NEWNEXTHOP => super::nexthop::read(payload).map(Event::KernelNexthop),
        RTM_DELNEXTHOP => super::nexthop::read(payload).map(|told| Event::KernelNexthopGone(told.id)),
        _ => None,
    }
}

fn is_mpls(payload: &[u8]) -> bool {
    payload.first() == Some(&mpls::AF_MPLS)
}

// struct ifinfomsg: family, pad, type u16, index i32, flags u32, change u32.
const IFINFOMSG: usize = 16;

const AF_BRIDGE: u8 = 7;

fn link_gone(payload: &[u8]) -> Option<Event> {
    // A port that leaves its bridge is reported in the bridge's family; the link itself stays.
    if *payload.first()? == AF_BRIDGE {
        return None;
    }
    Some(Event::LinkGone(IfIndex(u32_at(payload, 4)?)))
}

fn link(payload: &[u8]) -> Option<LinkInfo> {
    if *payload.first()? == AF_BRIDGE {
        return None;
    }
    let flags = u32_at(payload, 8)?;
    let mut name = None;
    let mut mac = None;
    let mut info = LinkInfo {
        interface: Interface {
            name: String::new(),
            ifindex: IfIndex(u32_at(payload, 4)?),
            vrf: VrfId::DEFAULT,
            up: flags & IFF_UP != 0,
            running: flags & IFF_RUNNING != 0,
            loopback: flags & IFF_LOOPBACK != 0,
            point_to_point: flags & IFF_POINTOPOINT != 0,
            broadcast: flags & IFF_BROADCAST != 0,
            multicast: flags & IFF_MULTICAST != 0,
            mtu: 0,
            speed: 0,
            mac: None,
        },
        flags,
        hardware: u16_at(payload, 2)?,
        kind: LinkKind::Other,
        master: None,
        parent: None,
        tx_queue_len: 0,
        protodown: false,
    };
    for (kind, value) in wire::attributes(payload.get(IFINFOMSG..)?) {
        match kind {
            // IFLA_ADDRESS: anything but six octets (tunnels, InfiniBand) is no MAC address.
            1 => mac = <[u8; 6]>::try_from(value).ok().map(MacAddr),
            3 => name = text(value),
            4 => info.interface.mtu = u32_at(value, 0)?,
            5 => info.parent = index(value),
            10 => info.master = index(value),
            13 => info.tx_queue_len = u32_at(value, 0)?,
            18 => info.kind = link_kind(value),
            39 => info.protodown = value.first().is_some_and(|&octet| octet != 0),
            _ => {}
        }
    }
    info.interface.name = name?;
    info.interface.mac = mac.filter(|_| !info.interface.loopback);
    Some(info)
}

pub fn index(value: &[u8]) -> Option<IfIndex> {
    u32_at(value, 0).filter(|&index| index != 0).map(IfIndex)
}

/// A NUL-terminated text.
fn text(value: &[u8]) -> Option<String> {
    let text = value.split(|&octet| octet == 0).next()?;
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

/// IFLA_LINKINFO: IFLA_INFO_KIND and, of a VRF, its table.
fn link_kind(linkinfo: &[u8]) -> LinkKind {
    let find =
        |wanted: u16| wire::attributes(linkinfo).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let Some(name) = find(1).and_then(text) else { return LinkKind::Other };
    match name.as_str() {
        "vrf" => {
            let table = find(2)
                .and_then(|data| wire::attributes(data).find(|(kind, _)| *kind == 1))
                .and_then(|(_, value)| u32_at(value, 0));
            table.map_or(LinkKind::Other, |table| LinkKind::Vrf(TableId(table)))
        }
        "bridge" => LinkKind::Bridge,
        "bond" => LinkKind::Bond,
        "vlan" => LinkKind::Vlan,
        "vxlan" => LinkKind::Vxlan,
        "veth" => LinkKind::Veth,
        "macvlan" => LinkKind::Macvlan,
        "gre" | "gretap" | "ip6gre" => LinkKind::Gre,
        "dummy" => LinkKind::Dummy,
        _ => LinkKind::Other,
    }
}

// struct ifaddrmsg: family, prefix length, flags, scope, index u32.
const IFADDRMSG: usize = 8;
const IFA_F_SECONDARY: u32 = 0x01;
const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_TENTATIVE: u32 = 0x40;

fn address(payload: &[u8]) -> Option<(IfIndex, InterfaceAddress)> {
    let (family, prefix_len) = (*payload.first()?, *payload.get(1)?);
    let mut flags = u32::from(*payload.get(2)?);
    let ifindex = IfIndex(u32_at(payload, 4)?);
    let (mut local, mut far) = (None, None);
    for (kind, value) in wire::attributes(payload.get(IFADDRMSG..)?) {
        match kind {
            1 => far = ip(family, value),
            2 => local = ip(family, value),
            8 => flags = u32_at(value, 0)?,
            _ => {}
        }
    }
    // IFA_ADDRESS is the other end where it differs from IFA_LOCAL; an IPv6 address stands in IFA_ADDRESS alone.
    let addr = local.or(far)?;
    let limit = if addr.is_ipv4() { 32 } else { 128 };
    if prefix_len > limit || flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) != 0 {
        return None;
    }
    let peer = far.filter(|far| *far != addr);
    let secondary = addr.is_ipv4() && flags & IFA_F_SECONDARY != 0;
    Some((ifindex, InterfaceAddress { addr, prefix_len, peer, secondary }))
}

pub fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        AF_INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

// struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags u32.
const RTMSG: usize = 12;

fn route(payload: &[u8]) -> Option<KernelRoute> {
    any_route(payload).filter(|route| !matches!(route.table.0, TABLE_LOCAL | 0))
}

/// A route of any table, for readers of other streams than the kernel's.
pub fn any_route(payload: &[u8]) -> Option<KernelRoute> {
    let [family, dst_len, src_len, tos, table, protocol, _scope, kind] = *payload.first_chunk::<8>()?;
    let flags = u32_at(payload, 8)?;
    let afi = match family {
        AF_INET => Afi::Ipv4,
        AF_INET6 => Afi::Ipv6,
        _ => return None,
    };
    // Routes with a type of service are of no table that we keep.
    if flags & RTM_F_CLONED != 0
        || (src_len != 0 && afi != Afi::Ipv6)
        || tos != 0
        || matches!(protocol, RTPROT_REDIRECT | RTPROT_KERNEL)
    {
        return None;
    }
    let mut table = u32::from(table);
    let mut prefix = Some(Prefix::default_of(afi)).filter(|_| dst_len == 0);
    let (mut oif, mut gateway, mut source) = (None, None, None);
    let (mut metric, mut mtu) = (0, 0);
    let mut multipath = None;
    let (mut encap_type, mut encap) = (None, None);
    let (mut group, mut from) = (None, None);
    for (attribute, value) in wire::attributes(payload.get(RTMSG..)?) {
        match attribute {
            RTA_DST => prefix = ip(family, value).and_then(|addr| Prefix::new(addr, dst_len)),
            RTA_SRC => from = ip(family, value).and_then(|addr| Prefix::new(addr, src_len)),
            RTA_OIF => oif = index(value),
            RTA_GATEWAY => gateway = ip(family, value),
            RTA_VIA => gateway = via(value),
            RTA_PRIORITY => metric = u32_at(value, 0)?,
            RTA_PREFSRC => source = ip(family, value),
            RTA_METRICS => mtu = route_mtu(value),
            RTA_MULTIPATH => multipath = Some(value),
            RTA_ENCAP_TYPE => encap_type = Some(value),
            RTA_ENCAP => encap = Some(value),
            RTA_TABLE => table = u32_at(value, 0)?,
            RTA_NH_ID => group = u32_at(value, 0).map(NexthopId),
            _ => {}
        }
    }
    let from = match from {
        Some(Prefix::V6(from)) => Some(from),
        _ if src_len != 0 => return None,
        _ => None,
    };
    let onlink = flags & u32::from(RTNH_F_ONLINK) != 0;
    let nexthops: Vec<Nexthop> = match kind {
        RTN_UNICAST => match multipath {
            Some(value) => multipath_nexthops(family, value, source),
            None => nexthop(gateway, oif, onlink, 1, source)
                .map(|hop| encapsulated(hop, encap_type, encap))
                .into_iter()
                .collect(),
        },
        RTN_BLACKHOLE => vec![Nexthop::blackhole(Blackhole::Null)],
        RTN_UNREACHABLE => vec![Nexthop::blackhole(Blackhole::Reject)],
        RTN_PROHIBIT => vec![Nexthop::blackhole(Blackhole::AdminProhibited)],
        _ => return None,
    };
    Some(KernelRoute {
        table: TableId(table),
        prefix: prefix?,
        from,
        protocol: RouteProtocol::from_kernel_number(protocol).unwrap_or(RouteProtocol::Kernel),
        metric: Metric(metric),
        nexthops: nexthops.into(),
        mtu,
        source,
        group,
        offload: match flags {
            _ if flags & RTM_F_OFFLOAD_FAILED != 0 => Offload::Failed,
            _ if flags & RTM_F_TRAP != 0 => Offload::Trapped,
            _ if flags & RTM_F_OFFLOAD != 0 => Offload::Offloaded,
            _ => Offload::None,
        },
    })
}

fn multipath_nexthops(family: u8, value: &[u8], source: Option<IpAddr>) -> Vec<Nexthop> {
    let hop = |(flags, hops, ifindex, attributes)| {
        let mut gateway = None;
        let (mut encap_type, mut encap) = (None, None);
        for (kind, value) in wire::attributes(attributes) {
            match kind {
                RTA_GATEWAY => gateway = ip(family, value),
                RTA_VIA => gateway = via(value),
                RTA_ENCAP_TYPE => encap_type = Some(value),
                RTA_ENCAP => encap = Some(value),
                _ => {}
            }
        }
        let oif = Some(IfIndex(ifindex)).filter(|oif| oif.0 != 0);
        let hop = nexthop(gateway, oif, flags & RTNH_F_ONLINK != 0, u8::saturating_add(hops, 1), source)?;
        Some(encapsulated(hop, encap_type, encap))
    };
    wire::next_hops(value).filter_map(hop).collect()
}

fn encapsulated(hop: Nexthop, kind: Option<&[u8]>, encap: Option<&[u8]>) -> Nexthop {
    Nexthop { labels: labels_of(kind, encap), seg6: seg6::seg6_of(kind, encap).map(Box::new), ..hop }
}

fn nexthop(
    gateway: Option<IpAddr>,
    oif: Option<IfIndex>,
    onlink: bool,
    weight: u8,
    source: Option<IpAddr>,
) -> Option<Nexthop> {
    let kind = match (gateway, oif) {
        (Some(gateway), oif) => NexthopKind::Gateway(gateway, oif),
        (None, Some(oif)) => NexthopKind::Interface(oif),
        (None, None) => return None,
    };
    Some(Nexthop { onlink, weight, source, ..Nexthop::new(kind) })
}

/// `struct rtvia`: family u16, then the address.
pub fn via(value: &[u8]) -> Option<IpAddr> {
    ip(u8::try_from(u16_at(value, 0)?).ok()?, value.get(2..)?)
}

fn route_mtu(metrics: &[u8]) -> u32 {
    wire::attributes(metrics)
        .find(|(kind, _)| *kind == RTAX_MTU)
        .and_then(|(_, value)| u32_at(value, 0))
        .unwrap_or_default()
}
