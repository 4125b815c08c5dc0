//! Identifiers of OSPF: areas, LSA types and names, sequence numbers, option bits.

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_types::ids::RouterId;

/// Area identifier; 0.0.0.0 is the backbone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaId(pub Ipv4Addr);

impl AreaId {
    pub const BACKBONE: Self = Self(Ipv4Addr::UNSPECIFIED);

    pub const fn from_bits(bits: u32) -> Self {
        Self(Ipv4Addr::from_bits(bits))
    }

    pub fn is_backbone(self) -> bool {
        self == Self::BACKBONE
    }
}

impl fmt::Display for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// LS type: one octet in OSPFv2, sixteen bits with handling and scope in OSPFv3 (RFC 5340 §A.4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LsType(pub u16);

impl fmt::Debug for LsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Link State ID; what it means depends on the type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LsId(pub u32);

impl From<Ipv4Addr> for LsId {
    fn from(addr: Ipv4Addr) -> Self {
        Self(addr.to_bits())
    }
}

impl fmt::Display for LsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ipv4Addr::from_bits(self.0).fmt(f)
    }
}

impl fmt::Debug for LsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What names an LSA in its scope (RFC 2328 §12.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LsaKey {
    pub ty: LsType,
    pub id: LsId,
    pub adv: RouterId,
}

/// LS sequence number: signed, from [`INITIAL`](Self::INITIAL) to [`MAX`](Self::MAX) (RFC 2328 §12.1.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub i32);

impl Sequence {
    /// 0x80000000, never used.
    pub const RESERVED: Self = Self(i32::MIN);
    pub const INITIAL: Self = Self(i32::MIN + 1);
    pub const MAX: Self = Self(i32::MAX);

    /// The number of the next instance; none at the end of the space.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// Option bits: the low eight are OSPFv2's, all 24 OSPFv3's (RFC 2328 §A.2, RFC 5340 §A.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Options(pub u32);

impl Options {
    /// OSPFv3: the router takes part in IPv6 routing.
    pub const V6: Self = Self(0x01);
    /// AS-external-LSAs are flooded: the area is neither stub nor NSSA.
    pub const E: Self = Self(0x02);
    /// The area is an NSSA. In OSPFv2 type 7 LSAs this bit asks for translation (P).
    pub const NP: Self = Self(0x08);
    /// OSPFv3: the router forwards; cleared, no path leads through it.
    pub const R: Self = Self(0x10);
    /// OSPFv2: a block of link-local signalling follows (RFC 5613).
    pub const L2: Self = Self(0x10);
    /// LSAs that do not age are taken (RFC 1793, RFC 4136).
    pub const DC: Self = Self(0x20);
    /// OSPFv2: opaque LSAs are understood (RFC 5250).
    pub const O: Self = Self(0x40);
    /// OSPFv3: families other than IPv6 unicast are kept apart by instance IDs (RFC 5838 §2.2).
    pub const AF: Self = Self(0x100);
    /// OSPFv3: a block of link-local signalling follows.
    pub const L3: Self = Self(0x200);
    /// OSPFv3: an authentication trailer follows (RFC 7166).
    pub const AT: Self = Self(0x400);

    pub const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    pub const fn with(self, bits: Self) -> Self {
        Self(self.0 | bits.0)
    }

    pub const fn without(self, bits: Self) -> Self {
        Self(self.0 & !bits.0)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
