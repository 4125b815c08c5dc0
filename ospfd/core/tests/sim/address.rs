//! Addresses of a simulated network, by version.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_ospf::Link;
use ferrite_ospf::packet::{Inet4, V2, V3};
use ferrite_ospf::version::Version;
use ferrite_types::ids::{IfIndex, RouterId};
use ferrite_types::{Ipv4Prefix, Ipv6Prefix, Prefix};

/// How a version numbers links and routers of a simulation.
pub trait Plan: Version {
    /// What a router has on a segment.
    fn link(segment: usize, router: usize, port: u32) -> Link;
    fn loopback(router: usize) -> Link;
    fn loopback_prefix(router: usize) -> Prefix;
    fn segment_prefix(segment: usize) -> Prefix;
    fn outside(number: usize) -> Prefix;
}

/// A shorter prefix, as short as suits its family.
pub fn shortened(prefix: Prefix, v4: u8, v6: u8) -> Prefix {
    prefix.truncate(if matches!(prefix, Prefix::V4(_)) { v4 } else { v6 })
}

pub fn router_id(router: usize) -> RouterId {
    RouterId(Ipv4Addr::from_bits(router as u32 + 1))
}

/// 4,096 networks, each with an address for 4,095 routers.
fn v4(segment: usize) -> u32 {
    0x0a00_0000 + ((segment as u32) << 12)
}

impl Plan for V2 {
    fn link(segment: usize, router: usize, port: u32) -> Link {
        let address = IpAddr::V4(Ipv4Addr::from_bits(v4(segment) + router as u32 + 1));
        Link {
            up: true,
            ifindex: IfIndex(port + 1),
            mtu: 1500,
            address: Some(address),
            next_hop: None,
            prefixes: vec![(address, 20)],
        }
    }

    fn loopback(router: usize) -> Link {
        let Prefix::V4(prefix) = Self::loopback_prefix(router) else { return Link::default() };
        let address = IpAddr::V4(prefix.addr());
        Link {
            up: true,
            ifindex: IfIndex(1000),
            mtu: 1500,
            address: Some(address),
            next_hop: None,
            prefixes: vec![(address, 32)],
        }
    }

    fn loopback_prefix(router: usize) -> Prefix {
        Prefix::V4(Ipv4Prefix::host(Ipv4Addr::from_bits(0xc0a8_0000 + router as u32 + 1)))
    }

    fn segment_prefix(segment: usize) -> Prefix {
        Prefix::V4(Ipv4Prefix::new(Ipv4Addr::from_bits(v4(segment)), 20).expect("a prefix"))
    }

    fn outside(number: usize) -> Prefix {
        Prefix::V4(Ipv4Prefix::new(Ipv4Addr::new(172, 16, number as u8, 0), 24).expect("a prefix"))
    }
}

fn v6(group: u16, a: usize, b: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, group, a as u16, 0, 0, 0, b as u16)
}

impl Plan for V3 {
    fn link(segment: usize, router: usize, port: u32) -> Link {
        let local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, port as u16, segment as u16, router as u16 + 1);
        let global = IpAddr::V6(v6(1, segment, router + 1));
        let address = Some(IpAddr::V6(local));
        let prefixes = vec![(global, 64)];
        Link { up: true, ifindex: IfIndex(port + 1), mtu: 1500, address, next_hop: None, prefixes }
    }

    fn loopback(router: usize) -> Link {
        let address = IpAddr::V6(v6(2, 0, router + 1));
        let local = Some(IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 9, 9, 9, router as u16)));
        let prefixes = vec![(address, 128)];
        Link { up: true, ifindex: IfIndex(1000), mtu: 1500, address: local, next_hop: None, prefixes }
    }

    fn loopback_prefix(router: usize) -> Prefix {
        Prefix::V6(Ipv6Prefix::host(v6(2, 0, router + 1)))
    }

    fn segment_prefix(segment: usize) -> Prefix {
        Prefix::V6(Ipv6Prefix::new(v6(1, segment, 0), 64).expect("a prefix"))
    }

    fn outside(number: usize) -> Prefix {
        Prefix::V6(Ipv6Prefix::new(v6(3, number, 0), 64).expect("a prefix"))
    }
}

/// OSPFv3's packets, OSPFv2's networks.
impl Plan for V3<Inet4> {
    fn link(segment: usize, router: usize, port: u32) -> Link {
        let v2 = V2::link(segment, router, port);
        Link { next_hop: v2.address, prefixes: v2.prefixes, ..<V3>::link(segment, router, port) }
    }

    fn loopback(router: usize) -> Link {
        let v2 = V2::loopback(router);
        Link { next_hop: v2.address, prefixes: v2.prefixes, ..<V3>::loopback(router) }
    }

    fn loopback_prefix(router: usize) -> Prefix {
        V2::loopback_prefix(router)
    }

    fn segment_prefix(segment: usize) -> Prefix {
        V2::segment_prefix(segment)
    }

    fn outside(number: usize) -> Prefix {
        V2::outside(number)
    }
}
