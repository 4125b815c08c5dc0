//! Path attributes as values (RFC 4271 §5, RFC 4760, and the RFCs of the newer ones).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_types::{Asn, Community, ExtCommunity, Ipv6ExtCommunity, LargeCommunity, RouterId};

mod as_path;
mod code;
mod decode;
mod encode;
mod fault;
mod limits;
mod opaque;

pub use as_path::{AsPath, AsPathError, AsPathText, PrivateAs, Segment, SegmentKind};
pub use code::{AttrCode, CodeSet, flags};
pub(crate) use decode::{Builder, Needs, RawRef, check_ipv4_next_hop, check_ipv6_next_hop, split_header};
pub use decode::{DecodeContext, SessionKind};
pub use encode::{EncodeContext, encode_attributes, encode_next_hop, uses_mp_reach};
pub use fault::{AttributeError, Fault, Penalty};
pub use limits::{AttributeLimits, LimitKind};

/// ORIGIN (RFC 4271 §5.1.1). Lower is preferred.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize)]
pub enum Origin {
    Igp = 0,
    Egp = 1,
    #[default]
    Incomplete = 2,
}

/// Next hop of a family's routes: NEXT_HOP, or the one inside MP_REACH_NLRI (RFC 2545, RFC 8950).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NextHop {
    V4(Ipv4Addr),
    V6 { global: Ipv6Addr, link_local: Option<Ipv6Addr> },
}

impl NextHop {
    /// The address by which the next hop is tracked: the global one where there are two.
    pub const fn addr(self) -> IpAddr {
        match self {
            Self::V4(addr) => IpAddr::V4(addr),
            Self::V6 { global, .. } => IpAddr::V6(global),
        }
    }
}

impl Origin {
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Igp),
            1 => Some(Self::Egp),
            2 => Some(Self::Incomplete),
            _ => None,
        }
    }
}

/// AGGREGATOR (RFC 4271 §5.1.7, RFC 6793).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Aggregator {
    pub asn: Asn,
    pub router_id: Ipv4Addr,
}

/// An attribute that this speaker does not know: kept and passed on as it came (RFC 4271 §9).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RawAttribute {
    /// Flags as received; PARTIAL is set when it was passed on by us.
    pub flags: u8,
    pub code: u8,
    pub value: Box<[u8]>,
}

/// The attributes that few routes carry, kept out of line so that the common set stays small.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct RareAttributes {
    pub aggregator: Option<Aggregator>,
    pub originator_id: Option<RouterId>,
    /// Nearest cluster first.
    pub cluster_list: Box<[Ipv4Addr]>,
    /// AIGP metric (RFC 7311).
    pub aigp: Option<u64>,
    /// Only-to-customer (RFC 9234 §5).
    pub otc: Option<Asn>,
    /// Attributes passed on as they are, whether unknown or only checked, in ascending order of code.
    pub unknown: Box<[RawAttribute]>,
}

impl RareAttributes {
    /// Those of RFC 5701, which are passed on as they came.
    pub fn ipv6_ext_communities(&self) -> impl Iterator<Item = Ipv6ExtCommunity> + '_ {
        let carried = self.unknown.iter().filter(|raw| raw.code == AttrCode::IPV6_EXT_COMMUNITIES.0);
        let items = carried.flat_map(|raw| raw.value.as_chunks::<{ Ipv6ExtCommunity::LEN }>().0);
        items.map(|octets| Ipv6ExtCommunity(*octets))
    }
}

/// The attributes of a route, decoded and judged. Interned: routes hold an `Arc` of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Attributes {
    pub origin: Origin,
    pub atomic_aggregate: bool,
    pub as_path: AsPath,
    pub next_hop: NextHop,
    pub med: Option<u32>,
    pub local_pref: Option<u32>,
    /// Ascending, without duplicates.
    pub communities: Box<[Community]>,
    /// Ascending, without duplicates.
    pub large_communities: Box<[LargeCommunity]>,
    /// Ascending, without duplicates.
    pub ext_communities: Box<[ExtCommunity]>,
    pub rare: Option<Box<RareAttributes>>,
}
