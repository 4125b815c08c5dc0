//! Single values: addresses, packed prefixes, protocols, next hops.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_types::{
    Afi, Blackhole, Distance, IfIndex, Ipv4Prefix, Ipv6Prefix, Label, Nexthop, NexthopKind, Prefix,
    RouteProtocol, Safi, Seg6, VrfId,
};

use super::{ConvertError, pb};

/// Added to the length of an IPv6 prefix in the packed form.
const V6_OFFSET: u8 = 64;

pub fn addr_octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    }
}

pub fn addr(field: &'static str, octets: &[u8]) -> Result<IpAddr, ConvertError> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Ok(Ipv4Addr::from(octets).into());
    }
    match <[u8; 16]>::try_from(octets) {
        Ok(octets) => Ok(Ipv6Addr::from(octets).into()),
        Err(_) => Err(ConvertError::AddressLength { field, len: octets.len() }),
    }
}

/// An address or, where there are no octets, none.
pub fn addr_option(field: &'static str, octets: &[u8]) -> Result<Option<IpAddr>, ConvertError> {
    if octets.is_empty() { Ok(None) } else { addr(field, octets).map(Some) }
}

pub fn narrow<T: TryFrom<u32>>(field: &'static str, value: u32) -> Result<T, ConvertError> {
    T::try_from(value).map_err(|_| ConvertError::Range { field, value: value.into() })
}

pub fn distance(value: u32) -> Result<Distance, ConvertError> {
    narrow("distance", value).map(Distance)
}

pub fn afi(value: u32) -> Result<Afi, ConvertError> {
    narrow::<u16>("afi", value)
        .ok()
        .and_then(Afi::from_code)
        .ok_or(ConvertError::Range { field: "afi", value: value.into() })
}

/// Zero, from a client that knows of no other, is unicast.
pub fn safi(value: u32) -> Result<Safi, ConvertError> {
    if value == 0 {
        return Ok(Safi::Unicast);
    }
    narrow::<u8>("safi", value)
        .ok()
        .and_then(Safi::from_code)
        .ok_or(ConvertError::Range { field: "safi", value: value.into() })
}

/// Appends the packed form of a prefix.
pub fn pack_prefix(prefix: Prefix, out: &mut Vec<u8>) {
    let significant = usize::from(prefix.len().div_ceil(8));
    match prefix {
        Prefix::V4(p) => {
            out.push(p.len());
            out.extend(p.addr().octets().iter().take(significant));
        }
        Prefix::V6(p) => {
            out.push(p.len() + V6_OFFSET);
            out.extend(p.addr().octets().iter().take(significant));
        }
    }
}

/// Takes one packed prefix off the front.
pub fn unpack_prefix(packed: &mut &[u8]) -> Result<Prefix, ConvertError> {
    let (&kind, rest) = packed.split_first().ok_or(ConvertError::PrefixTruncated)?;
    let (len, v6) = match kind {
        0..=32 => (kind, false),
        64..=192 => (kind - V6_OFFSET, true),
        _ => return Err(ConvertError::PrefixLength(kind)),
    };
    let (octets, rest) =
        rest.split_at_checked(usize::from(len.div_ceil(8))).ok_or(ConvertError::PrefixTruncated)?;
    *packed = rest;
    let prefix = if v6 {
        let mut addr = [0; 16];
        addr.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
        Ipv6Prefix::new(addr.into(), len).map(Prefix::V6)
    } else {
        let mut addr = [0; 4];
        addr.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
        Ipv4Prefix::new(addr.into(), len).map(Prefix::V4)
    };
    prefix.ok_or(ConvertError::PrefixLength(kind))
}

/// Protocol numbers of the contract, in the order of `RouteProtocol::ALL` counted from one.
pub fn protocol_number(protocol: RouteProtocol) -> i32 {
    RouteProtocol::ALL.iter().position(|p| *p == protocol).map_or(0, |index| index as i32 + 1)
}

pub fn protocol(number: i32) -> Result<RouteProtocol, ConvertError> {
    usize::try_from(number)
        .ok()
        .and_then(|n| n.checked_sub(1))
        .and_then(|index| RouteProtocol::ALL.get(index).copied())
        .ok_or(ConvertError::Range { field: "protocol", value: u64::from(number as u32) })
}

impl From<&Nexthop> for pb::Nexthop {
    fn from(nexthop: &Nexthop) -> Self {
        let mut out = Self {
            vrf: nexthop.vrf.0,
            weight: nexthop.weight.into(),
            onlink: nexthop.onlink,
            labels: nexthop.labels.iter().map(|label| label.value()).collect(),
            source: nexthop.source.map(addr_octets).unwrap_or_default(),
            segments: segments(nexthop),
            ..Self::default()
        };
        match nexthop.kind {
            NexthopKind::Interface(ifindex) => out.ifindex = ifindex.0,
            NexthopKind::Gateway(gateway, ifindex) => {
                out.gateway = addr_octets(gateway);
                out.ifindex = ifindex.map_or(0, |ifindex| ifindex.0);
            }
            NexthopKind::Blackhole(kind) => out.set_blackhole(match kind {
                Blackhole::Null => pb::BlackholeKind::BlackholeNull,
                Blackhole::Reject => pb::BlackholeKind::BlackholeReject,
                Blackhole::AdminProhibited => pb::BlackholeKind::BlackholeAdminProhibited,
            }),
        }
        out
    }
}

impl TryFrom<&pb::Nexthop> for Nexthop {
    type Error = ConvertError;
    fn try_from(pb: &pb::Nexthop) -> Result<Self, ConvertError> {
        let blackhole = match pb.blackhole {
            0 => None,
            1 => Some(Blackhole::Null),
            2 => Some(Blackhole::Reject),
            3 => Some(Blackhole::AdminProhibited),
            other => {
                return Err(ConvertError::Range { field: "blackhole", value: u64::from(other as u32) });
            }
        };
        let ifindex = (pb.ifindex != 0).then_some(IfIndex(pb.ifindex));
        let kind = match (blackhole, addr_option("gateway", &pb.gateway)?, ifindex) {
            (Some(kind), _, _) => NexthopKind::Blackhole(kind),
            (None, Some(gateway), ifindex) => NexthopKind::Gateway(gateway, ifindex),
            (None, None, Some(ifindex)) => NexthopKind::Interface(ifindex),
            (None, None, None) => return Err(ConvertError::EmptyNexthop),
        };
        let weight = narrow::<u8>("weight", pb.weight)?;
        let label = |&value: &u32| {
            Label::new(value).ok_or(ConvertError::Range { field: "label", value: value.into() })
        };
        Ok(Self {
            kind,
            vrf: VrfId(pb.vrf),
            weight: weight.max(1),
            onlink: pb.onlink,
            labels: pb.labels.iter().map(label).collect::<Result<_, _>>()?,
            source: addr_option("source", &pb.source)?,
            seg6: seg6(&pb.segments)?,
        })
    }
}

/// Segments of a list; the kernel's header has room for more.
const MAX_SEGMENTS: usize = 16;

fn segments(nexthop: &Nexthop) -> Vec<Vec<u8>> {
    match nexthop.seg6.as_deref() {
        Some(Seg6::Encap(segments)) => segments.iter().map(|segment| segment.octets().to_vec()).collect(),
        // What this router does with its own identifiers is nobody else's business.
        Some(Seg6::Local(_)) | None => Vec::new(),
    }
}

fn seg6(segments: &[Vec<u8>]) -> Result<Option<Box<Seg6>>, ConvertError> {
    let wrong = |value: usize| ConvertError::Range { field: "segments", value: value as u64 };
    if segments.len() > MAX_SEGMENTS {
        return Err(wrong(segments.len()));
    }
    let segment = |octets: &Vec<u8>| {
        <[u8; 16]>::try_from(octets.as_slice()).map(Ipv6Addr::from).map_err(|_| wrong(octets.len()))
    };
    let list: Vec<Ipv6Addr> = segments.iter().map(segment).collect::<Result<_, _>>()?;
    Ok((!list.is_empty()).then(|| Box::new(Seg6::Encap(list))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_prefixes_lead_back_and_carry_only_significant_octets() {
        for text in [
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.1.2.3/32",
            "::/0",
            "2001:db8::/33",
            "2001:db8::1/128",
            "192.0.2.128/25",
        ] {
            let prefix: Prefix = text.parse().unwrap();
            let mut packed = Vec::new();
            pack_prefix(prefix, &mut packed);
            assert_eq!(packed.len(), 1 + usize::from(prefix.len().div_ceil(8)), "{text}");
            let mut rest = packed.as_slice();
            assert_eq!(unpack_prefix(&mut rest), Ok(prefix));
            assert!(rest.is_empty());
            for cut in 0..packed.len() {
                assert_eq!(unpack_prefix(&mut &packed[..cut]), Err(ConvertError::PrefixTruncated));
            }
        }
        assert_eq!(unpack_prefix(&mut &[33, 1, 2, 3, 4, 5][..]), Err(ConvertError::PrefixLength(33)));
    }

    #[test]
    fn protocol_numbers_are_those_of_the_contract() {
        assert_eq!(protocol_number(RouteProtocol::Bgp), pb::Protocol::Bgp as i32);
        assert_eq!(protocol_number(RouteProtocol::Srte), pb::Protocol::Srte as i32);
        assert_eq!(protocol_number(RouteProtocol::TableDirect), pb::Protocol::TableDirect as i32);
        assert!(protocol(0).is_err() && protocol(24).is_err() && protocol(-1).is_err());
    }
}
