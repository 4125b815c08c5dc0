//! Address families of OSPFv3 (RFC 5838): whose prefixes an instance routes. Its packets are IPv6's in any case, and its LSAs have
//! one form: an address of a shorter family stands in the first bits of an IPv6 one, the rest of which is zero (§2.5, §2.6).

use std::fmt::Debug;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix};

use crate::Options;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Inet4 {}
    impl Sealed for super::Inet6 {}
}

/// What the family of an OSPFv3 instance decides.
pub trait Family: sealed::Sealed + Copy + Default + Debug + Eq + Hash + Send + Sync + 'static {
    const AFI: Afi;
    /// Instance IDs of the family (§2.1), and the one it has where nothing else is said.
    const INSTANCES: RangeInclusive<u8>;
    const INSTANCE: u8;
    /// Bits of options that say which family it is (§2.2).
    const OPTIONS: Options;
    /// Bits of a router-LSA without which no path leads through a router (RFC 5340 §4.8.1).
    const TRANSIT: Options;
    /// Next hops are what Link-LSAs say, for packets come from addresses of another family (§2.5).
    const LINK_NEXT_HOPS: bool;
    /// The backbone can be led through other areas: not where only IPv6's packets cross them (§2.8).
    const VIRTUAL_LINKS: bool;

    /// A prefix as LSAs have it; none for one that cannot be of the family (§2.3).
    fn prefix(wire: Ipv6Prefix) -> Option<Prefix>;
    fn wire(prefix: Prefix) -> Option<Ipv6Prefix>;
    fn address(wire: Ipv6Addr) -> IpAddr;
    fn wire_address(address: IpAddr) -> Option<Ipv6Addr>;
    /// Whether Hellos with these options are of a router that can keep the families apart (§2.4).
    fn fits(options: Options) -> bool;
}

/// IPv6 unicast: OSPFv3 as it always was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Inet6;

impl Family for Inet6 {
    const AFI: Afi = Afi::Ipv6;
    const INSTANCES: RangeInclusive<u8> = 0..=31;
    const INSTANCE: u8 = 0;
    const OPTIONS: Options = Options::V6;
    const TRANSIT: Options = Options::R.with(Options::V6);
    const LINK_NEXT_HOPS: bool = false;
    const VIRTUAL_LINKS: bool = true;

    fn prefix(wire: Ipv6Prefix) -> Option<Prefix> {
        Some(Prefix::V6(wire))
    }

    fn wire(prefix: Prefix) -> Option<Ipv6Prefix> {
        match prefix {
            Prefix::V6(prefix) => Some(prefix),
            Prefix::V4(_) => None,
        }
    }

    fn address(wire: Ipv6Addr) -> IpAddr {
        IpAddr::V6(wire)
    }

    fn wire_address(address: IpAddr) -> Option<Ipv6Addr> {
        match address {
            IpAddr::V6(address) => Some(address),
            IpAddr::V4(_) => None,
        }
    }

    fn fits(_: Options) -> bool {
        true
    }
}

/// IPv4 unicast.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Inet4;

/// Bits behind an IPv4 address in the place of an IPv6 one.
const BEHIND: u32 = 96;

impl Family for Inet4 {
    const AFI: Afi = Afi::Ipv4;
    const INSTANCES: RangeInclusive<u8> = 64..=95;
    const INSTANCE: u8 = 64;
    const OPTIONS: Options = Options::AF;
    const TRANSIT: Options = Options::R;
    const LINK_NEXT_HOPS: bool = true;
    const VIRTUAL_LINKS: bool = false;

    fn prefix(wire: Ipv6Prefix) -> Option<Prefix> {
        Ipv4Prefix::from_bits((wire.bits() >> BEHIND) as u32, wire.len()).map(Prefix::V4)
    }

    fn wire(prefix: Prefix) -> Option<Ipv6Prefix> {
        match prefix {
            Prefix::V4(prefix) => Ipv6Prefix::from_bits(u128::from(prefix.bits()) << BEHIND, prefix.len()),
            Prefix::V6(_) => None,
        }
    }

    fn address(wire: Ipv6Addr) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits((wire.to_bits() >> BEHIND) as u32))
    }

    fn wire_address(address: IpAddr) -> Option<Ipv6Addr> {
        match address {
            IpAddr::V4(address) => Some(Ipv6Addr::from_bits(u128::from(address.to_bits()) << BEHIND)),
            IpAddr::V6(_) => None,
        }
    }

    fn fits(options: Options) -> bool {
        options.has(Options::AF)
    }
}
