//! Identifiers and numbers: checked once, never again.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::{ParseError, serde_as_text};

/// Defines a plain integer newtype that prints and parses as a decimal number.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $what:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize,
            serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;
            fn from_str(text: &str) -> Result<Self, ParseError> {
                decimal(text).map(Self).ok_or(ParseError::new(text, $what))
            }
        }
    };
}

/// Digits only: `+5` and an empty text are no numbers in a configuration.
fn decimal<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

number!(
    /// Interface index of the kernel; zero is no interface.
    IfIndex(u32), "an interface index");
number!(
    /// VRF as the kernel knows it: the VRF device's index, zero for the default VRF.
    VrfId(u32), "a VRF identifier");
number!(
    /// Kernel routing table.
    TableId(u32), "a table number");
number!(
    /// Administrative distance; 255 is never installed.
    Distance(u8), "a distance");
number!(
    /// Route metric within one protocol.
    Metric(u32), "a metric");
number!(
    /// Opaque mark on a route; zero is no tag.
    Tag(u32), "a tag");

impl IfIndex {
    /// Of a link that is not in zebra's own network namespace: the number of its namespace is in the bits between the highest and
    /// this one, the kernel's number below. The kernel gives out no such numbers.
    pub const NETNS_MARK: u32 = 1 << 31;
    pub const NETNS_SHIFT: u32 = 20;

    /// The number that the link's own kernel gives it.
    #[must_use]
    pub const fn in_kernel(self) -> Self {
        if self.0 & Self::NETNS_MARK == 0 { self } else { Self(self.0 & ((1 << Self::NETNS_SHIFT) - 1)) }
    }

    pub const NONE: Self = Self(0);
}

impl VrfId {
    pub const DEFAULT: Self = Self(0);
}

impl TableId {
    /// The kernel's `main`.
    pub const MAIN: Self = Self(254);
}

/// How AS numbers are written (RFC 5396).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AsnNotation {
    #[default]
    Plain,
    /// `1.10` above 65535, a plain number below.
    Dot,
    /// `0.10` and `1.10`, always with a dot.
    #[serde(rename = "dot+")]
    DotPlus,
}

/// AS number, four octets (RFC 6793). Parses asplain and asdot, prints asplain; see [`Asn::format`].
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Asn(pub u32);

impl Asn {
    /// AS_TRANS stands for a four-octet number where only two fit (RFC 6793 §9).
    pub const TRANS: Self = Self(23456);

    /// Private use (RFC 6996 §5).
    pub const fn is_private(self) -> bool {
        matches!(self.0, 64512..=65534 | 4_200_000_000..=4_294_967_294)
    }

    pub const fn fits_two_octets(self) -> bool {
        self.0 <= 0xffff
    }

    pub fn format(self, notation: AsnNotation) -> String {
        let (high, low) = (self.0 >> 16, self.0 & 0xffff);
        match notation {
            AsnNotation::Plain => self.0.to_string(),
            AsnNotation::Dot if high == 0 => low.to_string(),
            AsnNotation::Dot | AsnNotation::DotPlus => format!("{high}.{low}"),
        }
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Asn {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parsed = match text.split_once('.') {
            Some((high, low)) => match (decimal::<u16>(high), decimal::<u16>(low)) {
                (Some(high), Some(low)) => Some(u32::from(high) << 16 | u32::from(low)),
                _ => None,
            },
            None => decimal(text),
        };
        parsed.map(Self).ok_or(ParseError::new(text, "an AS number"))
    }
}

/// Router identifier, four octets written as an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RouterId(pub Ipv4Addr);

impl RouterId {
    pub const UNSET: Self = Self(Ipv4Addr::UNSPECIFIED);

    pub const fn is_unset(self) -> bool {
        self.0.is_unspecified()
    }
}

impl Default for RouterId {
    fn default() -> Self {
        Self::UNSET
    }
}

impl fmt::Display for RouterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for RouterId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse().map(Self).map_err(|_| ParseError::new(text, "a router identifier"))
    }
}

/// MPLS label, 20 bits (RFC 3032 §2.1); a wider value cannot be constructed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct Label(u32);

impl Label {
    pub const IPV4_EXPLICIT_NULL: Self = Self(0);
    pub const IPV6_EXPLICIT_NULL: Self = Self(2);
    pub const IMPLICIT_NULL: Self = Self(3);

    pub const fn new(value: u32) -> Option<Self> {
        if value < 1 << 20 { Some(Self(value)) } else { None }
    }

    pub const fn value(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.pad("IPv4 Explicit Null"),
            2 => f.pad("IPv6 Explicit Null"),
            3 => f.pad("implicit-null"),
            value => fmt::Display::fmt(&value, f),
        }
    }
}

impl FromStr for Label {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let value = match text {
            "implicit-null" => Some(3),
            "explicit-null" => Some(0),
            _ => decimal(text),
        };
        value.and_then(Self::new).ok_or(ParseError::new(text, "an MPLS label"))
    }
}

/// VXLAN network identifier, 24 bits (RFC 7348 §5), never zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct Vni(u32);

impl Vni {
    pub const fn new(value: u32) -> Option<Self> {
        if value > 0 && value < 1 << 24 { Some(Self(value)) } else { None }
    }

    pub const fn value(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddr {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a MAC address");
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().filter(|part| (1..=2).contains(&part.len())).ok_or_else(error)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| error())?;
        }
        if parts.next().is_some() { Err(error()) } else { Ok(Self(octets)) }
    }
}

/// Ethernet segment identifier (RFC 7432 §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Esi(pub [u8; 10]);

impl fmt::Display for Esi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, octet) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(":")?;
            }
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

/// Route distinguisher (RFC 4364 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RouteDistinguisher {
    /// Type 0: two-octet AS and four-octet number.
    As2 { asn: u16, number: u32 },
    /// Type 1: IPv4 address and two-octet number.
    Ip { addr: Ipv4Addr, number: u16 },
    /// Type 2: four-octet AS and two-octet number.
    As4 { asn: Asn, number: u16 },
}

impl fmt::Display for RouteDistinguisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::As2 { asn, number } => write!(f, "{asn}:{number}"),
            Self::Ip { addr, number } => write!(f, "{addr}:{number}"),
            Self::As4 { asn, number } => write!(f, "{asn}:{number}"),
        }
    }
}

impl FromStr for RouteDistinguisher {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a route distinguisher");
        let (admin, number) = text.rsplit_once(':').ok_or_else(error)?;
        if let Ok(addr) = admin.parse::<Ipv4Addr>() {
            return decimal(number).map(|number| Self::Ip { addr, number }).ok_or_else(error);
        }
        let asn: Asn = admin.parse().map_err(|_| error())?;
        let parsed = match u16::try_from(asn.0) {
            Ok(asn) => decimal(number).map(|number| Self::As2 { asn, number }),
            Err(_) => decimal(number).map(|number| Self::As4 { asn, number }),
        };
        parsed.ok_or_else(error)
    }
}

serde_as_text!(RouterId, MacAddr, RouteDistinguisher);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_numbers_read_both_notations_and_nothing_else() {
        assert_eq!("65001".parse(), Ok(Asn(65001)));
        assert_eq!("1.10".parse(), Ok(Asn(65546)));
        assert_eq!(Asn(65546).format(AsnNotation::Dot), "1.10");
        assert_eq!(Asn(10).format(AsnNotation::Dot), "10");
        assert_eq!(Asn(10).format(AsnNotation::DotPlus), "0.10");
        for text in ["", "+1", "-1", "4294967296", "1.65536", "1.", ".1", "1.2.3", "x"] {
            assert!(text.parse::<Asn>().is_err(), "{text}");
        }
    }

    #[test]
    fn private_ranges_are_those_of_rfc_6996() {
        assert!(!Asn(64511).is_private());
        assert!(Asn(64512).is_private() && Asn(65534).is_private());
        assert!(!Asn(65535).is_private());
        assert!(Asn(4_200_000_000).is_private() && !Asn(u32::MAX).is_private());
    }

    #[test]
    fn a_label_has_twenty_bits() {
        assert!(Label::new((1 << 20) - 1).is_some());
        assert!(Label::new(1 << 20).is_none());
    }

    #[test]
    fn distinguishers_keep_their_text() {
        for text in ["65001:100", "10.0.0.1:7", "70000:5"] {
            assert_eq!(text.parse::<RouteDistinguisher>().unwrap().to_string(), text);
        }
        assert!("70000:70000".parse::<RouteDistinguisher>().is_err());
    }
}
