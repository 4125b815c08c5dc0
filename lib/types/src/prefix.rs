//! Address families and prefixes. A prefix is canonical by construction: bits past its length are zero.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::{ParseError, serde_as_text};

/// Address family (RFC 4760 §5; IANA numbers).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Afi {
    Ipv4,
    Ipv6,
    L2vpn,
}

impl Afi {
    pub const fn code(self) -> u16 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
            Self::L2vpn => 25,
        }
    }

    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            25 => Some(Self::L2vpn),
            _ => None,
        }
    }

    /// Bits in an address of the family; zero where it has no addresses of its own.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Ipv4 => 32,
            Self::Ipv6 => 128,
            Self::L2vpn => 0,
        }
    }
}

impl fmt::Display for Afi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::L2vpn => "l2vpn",
        })
    }
}

/// Subsequent address family (IANA numbers).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Safi {
    Unicast,
    Multicast,
    LabeledUnicast,
    Evpn,
    MplsVpn,
    Flowspec,
}

impl Safi {
    pub const fn code(self) -> u8 {
        match self {
            Self::Unicast => 1,
            Self::Multicast => 2,
            Self::LabeledUnicast => 4,
            Self::Evpn => 70,
            Self::MplsVpn => 128,
            Self::Flowspec => 133,
        }
    }

    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Unicast),
            2 => Some(Self::Multicast),
            4 => Some(Self::LabeledUnicast),
            70 => Some(Self::Evpn),
            128 => Some(Self::MplsVpn),
            133 => Some(Self::Flowspec),
            _ => None,
        }
    }
}

impl fmt::Display for Safi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unicast => "unicast",
            Self::Multicast => "multicast",
            Self::LabeledUnicast => "labeled-unicast",
            Self::Evpn => "evpn",
            Self::MplsVpn => "vpn",
            Self::Flowspec => "flowspec",
        })
    }
}

/// An IPv4 prefix, five octets of information in eight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ipv4Prefix {
    addr: u32,
    len: u8,
}

/// An IPv6 prefix. Two words keep its alignment at eight and its size at 24.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ipv6Prefix {
    hi: u64,
    lo: u64,
    len: u8,
}

const fn mask32(len: u8) -> u32 {
    if len == 0 { 0 } else { u32::MAX << (32 - len as u32) }
}

const fn mask128(len: u8) -> u128 {
    if len == 0 { 0 } else { u128::MAX << (128 - len as u32) }
}

impl Ipv4Prefix {
    /// `0.0.0.0/0`.
    pub const DEFAULT: Self = Self { addr: 0, len: 0 };

    /// Clears the host bits of `addr`; `None` where `len` is over 32.
    pub const fn new(addr: Ipv4Addr, len: u8) -> Option<Self> {
        Self::from_bits(addr.to_bits(), len)
    }

    pub const fn from_bits(addr: u32, len: u8) -> Option<Self> {
        if len > 32 { None } else { Some(Self { addr: addr & mask32(len), len }) }
    }

    pub const fn host(addr: Ipv4Addr) -> Self {
        Self { addr: addr.to_bits(), len: 32 }
    }

    pub const fn addr(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.addr)
    }

    pub const fn bits(self) -> u32 {
        self.addr
    }

    pub const fn len(self) -> u8 {
        self.len
    }

    pub const fn is_default(self) -> bool {
        self.len == 0
    }

    pub const fn contains(self, addr: Ipv4Addr) -> bool {
        addr.to_bits() & mask32(self.len) == self.addr
    }

    /// Whether `other` lies within this prefix or is the same.
    pub const fn covers(self, other: Self) -> bool {
        other.len >= self.len && other.addr & mask32(self.len) == self.addr
    }

    /// The dotted mask of the length, as in `255.255.255.0`.
    pub const fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(mask32(self.len))
    }
}

impl Ipv6Prefix {
    /// `::/0`.
    pub const DEFAULT: Self = Self { hi: 0, lo: 0, len: 0 };

    /// Clears the host bits of `addr`; `None` where `len` is over 128.
    pub const fn new(addr: Ipv6Addr, len: u8) -> Option<Self> {
        Self::from_bits(addr.to_bits(), len)
    }

    pub const fn from_bits(addr: u128, len: u8) -> Option<Self> {
        if len > 128 {
            return None;
        }
        let addr = addr & mask128(len);
        Some(Self { hi: (addr >> 64) as u64, lo: addr as u64, len })
    }

    pub const fn host(addr: Ipv6Addr) -> Self {
        let bits = addr.to_bits();
        Self { hi: (bits >> 64) as u64, lo: bits as u64, len: 128 }
    }

    pub const fn addr(self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.bits())
    }

    pub const fn bits(self) -> u128 {
        (self.hi as u128) << 64 | self.lo as u128
    }

    pub const fn len(self) -> u8 {
        self.len
    }

    pub const fn is_default(self) -> bool {
        self.len == 0
    }

    pub const fn contains(self, addr: Ipv6Addr) -> bool {
        addr.to_bits() & mask128(self.len) == self.bits()
    }

    pub const fn covers(self, other: Self) -> bool {
        other.len >= self.len && other.bits() & mask128(self.len) == self.bits()
    }
}

/// A prefix of either family. Orders IPv4 before IPv6, then by address, then by length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    V4(Ipv4Prefix),
    V6(Ipv6Prefix),
}

impl Prefix {
    /// Clears the host bits of `addr`; `None` where `len` is more than the family has.
    pub const fn new(addr: IpAddr, len: u8) -> Option<Self> {
        match addr {
            IpAddr::V4(addr) => match Ipv4Prefix::new(addr, len) {
                Some(prefix) => Some(Self::V4(prefix)),
                None => None,
            },
            IpAddr::V6(addr) => match Ipv6Prefix::new(addr, len) {
                Some(prefix) => Some(Self::V6(prefix)),
                None => None,
            },
        }
    }

    pub const fn host(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self::V4(Ipv4Prefix::host(addr)),
            IpAddr::V6(addr) => Self::V6(Ipv6Prefix::host(addr)),
        }
    }

    pub const fn default_of(afi: Afi) -> Self {
        match afi {
            Afi::Ipv4 | Afi::L2vpn => Self::V4(Ipv4Prefix::DEFAULT),
            Afi::Ipv6 => Self::V6(Ipv6Prefix::DEFAULT),
        }
    }

    pub const fn afi(self) -> Afi {
        match self {
            Self::V4(_) => Afi::Ipv4,
            Self::V6(_) => Afi::Ipv6,
        }
    }

    pub const fn addr(self) -> IpAddr {
        match self {
            Self::V4(prefix) => IpAddr::V4(prefix.addr()),
            Self::V6(prefix) => IpAddr::V6(prefix.addr()),
        }
    }

    pub const fn len(self) -> u8 {
        match self {
            Self::V4(prefix) => prefix.len(),
            Self::V6(prefix) => prefix.len(),
        }
    }

    pub const fn is_default(self) -> bool {
        self.len() == 0
    }

    pub const fn is_host(self) -> bool {
        self.len() == self.afi().bits()
    }

    pub const fn contains(self, addr: IpAddr) -> bool {
        match (self, addr) {
            (Self::V4(prefix), IpAddr::V4(addr)) => prefix.contains(addr),
            (Self::V6(prefix), IpAddr::V6(addr)) => prefix.contains(addr),
            _ => false,
        }
    }

    /// Whether `other` lies within this prefix or is the same; never across families.
    pub const fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::V4(a), Self::V4(b)) => a.covers(b),
            (Self::V6(a), Self::V6(b)) => a.covers(b),
            _ => false,
        }
    }

    /// The first `len` bits of this prefix; itself where it is shorter.
    pub const fn truncate(self, len: u8) -> Self {
        if len >= self.len() {
            return self;
        }
        match self {
            Self::V4(p) => Self::V4(Ipv4Prefix { addr: p.addr & mask32(len), len }),
            Self::V6(p) => {
                let bits = p.bits() & mask128(len);
                Self::V6(Ipv6Prefix { hi: (bits >> 64) as u64, lo: bits as u64, len })
            }
        }
    }
}

impl From<Ipv4Prefix> for Prefix {
    fn from(prefix: Ipv4Prefix) -> Self {
        Self::V4(prefix)
    }
}

impl From<Ipv6Prefix> for Prefix {
    fn from(prefix: Ipv6Prefix) -> Self {
        Self::V6(prefix)
    }
}

/// Splits `addr/len` and parses the halves.
fn split<A: FromStr>(text: &str) -> Option<(A, u8)> {
    let (addr, len) = text.split_once('/')?;
    if len.is_empty() || len.len() > 3 || !len.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((addr.parse().ok()?, len.parse().ok()?))
}

impl FromStr for Ipv4Prefix {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        split(text)
            .and_then(|(addr, len)| Self::new(addr, len))
            .ok_or(ParseError::new(text, "an IPv4 prefix"))
    }
}

impl FromStr for Ipv6Prefix {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        split(text)
            .and_then(|(addr, len)| Self::new(addr, len))
            .ok_or(ParseError::new(text, "an IPv6 prefix"))
    }
}

impl FromStr for Prefix {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if let Ok(prefix) = text.parse::<Ipv4Prefix>() {
            return Ok(Self::V4(prefix));
        }
        text.parse::<Ipv6Prefix>().map(Self::V6).map_err(|_| ParseError::new(text, "a prefix"))
    }
}

impl fmt::Display for Ipv4Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.width().is_some() {
            return f.pad(&format!("{}/{}", self.addr(), self.len));
        }
        write!(f, "{}/{}", self.addr(), self.len)
    }
}

impl fmt::Display for Ipv6Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.width().is_some() {
            return f.pad(&format!("{}/{}", self.addr(), self.len));
        }
        write!(f, "{}/{}", self.addr(), self.len)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(prefix) => prefix.fmt(f),
            Self::V6(prefix) => prefix.fmt(f),
        }
    }
}

impl fmt::Debug for Ipv4Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Ipv6Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

serde_as_text!(Ipv4Prefix, Ipv6Prefix, Prefix);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_cleared() {
        let prefix: Prefix = "10.1.2.3/8".parse().unwrap();
        assert_eq!(prefix.to_string(), "10.0.0.0/8");
        let prefix: Prefix = "2001:db8::1/32".parse().unwrap();
        assert_eq!(prefix.to_string(), "2001:db8::/32");
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for text in
            ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0", "/8", "10.0.0/8", "::/0x8"]
        {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }

    #[test]
    fn covering_includes_itself_and_never_crosses_families() {
        let p = |text: &str| text.parse::<Prefix>().unwrap();
        assert!(p("10.0.0.0/8").covers(p("10.0.0.0/8")));
        assert!(p("10.0.0.0/8").covers(p("10.255.0.0/16")));
        assert!(!p("10.0.0.0/8").covers(p("0.0.0.0/0")));
        assert!(!p("0.0.0.0/0").covers(p("::/0")));
        assert!(p("::/0").covers(p("2001:db8::/32")));
    }

    #[test]
    fn sizes_are_what_the_tables_are_designed_for() {
        assert_eq!(size_of::<Ipv4Prefix>(), 8);
        assert_eq!(size_of::<Ipv6Prefix>(), 24);
        assert!(size_of::<Prefix>() <= 32);
    }
}
