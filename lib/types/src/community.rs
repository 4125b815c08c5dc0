//! BGP communities as values with their text. Policy lists match them, so they stand here and not in bgpd.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::{Asn, ParseError, serde_as_text};

/// Community, four octets (RFC 1997).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Community(pub u32);

/// Well-known communities and the names FRR gives them.
const WELL_KNOWN: &[(Community, &str)] = &[
    (Community::GRACEFUL_SHUTDOWN, "graceful-shutdown"),
    (Community::ACCEPT_OWN, "accept-own"),
    (Community(0xffff_0002), "route-filter-translated-v4"),
    (Community(0xffff_0003), "route-filter-v4"),
    (Community(0xffff_0004), "route-filter-translated-v6"),
    (Community(0xffff_0005), "route-filter-v6"),
    (Community::LLGR_STALE, "llgr-stale"),
    (Community::NO_LLGR, "no-llgr"),
    (Community(0xffff_0008), "accept-own-nexthop"),
    (Community::BLACKHOLE, "blackhole"),
    (Community::NO_EXPORT, "no-export"),
    (Community::NO_ADVERTISE, "no-advertise"),
    (Community::LOCAL_AS, "local-AS"),
    (Community::NO_PEER, "no-peer"),
];

impl Community {
    pub const GRACEFUL_SHUTDOWN: Self = Self(0xffff_0000);
    pub const ACCEPT_OWN: Self = Self(0xffff_0001);
    pub const LLGR_STALE: Self = Self(0xffff_0006);
    pub const NO_LLGR: Self = Self(0xffff_0007);
    pub const BLACKHOLE: Self = Self(0xffff_029a);
    pub const NO_EXPORT: Self = Self(0xffff_ff01);
    pub const NO_ADVERTISE: Self = Self(0xffff_ff02);
    /// NO_EXPORT_SUBCONFED; FRR writes `local-AS`.
    pub const LOCAL_AS: Self = Self(0xffff_ff03);
    pub const NO_PEER: Self = Self(0xffff_ff04);

    pub const fn new(high: u16, low: u16) -> Self {
        Self((high as u32) << 16 | low as u32)
    }

    /// The name of a well-known community, as configuration and text output write it.
    pub fn well_known(self) -> Option<&'static str> {
        WELL_KNOWN.iter().find(|(value, _)| *value == self).map(|(_, name)| *name)
    }
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.well_known() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}:{}", self.0 >> 16, self.0 & 0xffff),
        }
    }
}

impl FromStr for Community {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if let Some((value, _)) = WELL_KNOWN.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)) {
            return Ok(*value);
        }
        let parsed = match text.split_once(':') {
            Some((high, low)) => match (number::<u16>(high), number::<u16>(low)) {
                (Some(high), Some(low)) => Some(Self::new(high, low)),
                _ => None,
            },
            None => number(text).map(Self),
        };
        parsed.ok_or(ParseError::new(text, "a community"))
    }
}

/// Large community, twelve octets (RFC 8092).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LargeCommunity {
    pub global: u32,
    pub local1: u32,
    pub local2: u32,
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.global, self.local1, self.local2)
    }
}

impl FromStr for LargeCommunity {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parts = text.split(':').map(number::<u32>);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(global)), Some(Some(local1)), Some(Some(local2)), None) => {
                Ok(Self { global, local1, local2 })
            }
            _ => Err(ParseError::new(text, "a large community")),
        }
    }
}

/// Extended community, eight octets as they stand on the wire (RFC 4360). Unknown types are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExtCommunity(pub [u8; 8]);

impl ExtCommunity {
    pub const ROUTE_TARGET: u8 = 0x02;
    pub const SITE_OF_ORIGIN: u8 = 0x03;
    /// Of the IPv4 address format (draft-ietf-idr-node-target-ext-comm).
    const NODE_TARGET: [u8; 2] = [0x01, 0x09];
    /// Of the opaque format (RFC 9012 §4.3).
    const COLOR: [u8; 2] = [0x03, 0x0b];

    /// Two-octet AS specific (RFC 4360 §3.1).
    pub const fn as2(subtype: u8, asn: u16, number: u32) -> Self {
        let [a, b] = asn.to_be_bytes();
        let [c, d, e, f] = number.to_be_bytes();
        Self([0x00, subtype, a, b, c, d, e, f])
    }

    /// IPv4 address specific (RFC 4360 §3.2).
    pub const fn ipv4(subtype: u8, addr: Ipv4Addr, number: u16) -> Self {
        let [a, b, c, d] = addr.octets();
        let [e, f] = number.to_be_bytes();
        Self([0x01, subtype, a, b, c, d, e, f])
    }

    /// Four-octet AS specific (RFC 5668 §2).
    pub const fn as4(subtype: u8, asn: Asn, number: u16) -> Self {
        let [a, b, c, d] = asn.0.to_be_bytes();
        let [e, f] = number.to_be_bytes();
        Self([0x02, subtype, a, b, c, d, e, f])
    }

    /// `ADMIN:NUMBER` as route maps and VRFs write it: AS (either size) or address, then a number.
    pub fn parse_admin(subtype: u8, text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "an extended community");
        let (admin, value) = text.rsplit_once(':').ok_or_else(error)?;
        if let Ok(addr) = admin.parse::<Ipv4Addr>() {
            return number(value).map(|n| Self::ipv4(subtype, addr, n)).ok_or_else(error);
        }
        let asn: Asn = admin.parse().map_err(|_| error())?;
        let parsed = match u16::try_from(asn.0) {
            Ok(as2) => number(value).map(|n| Self::as2(subtype, as2, n)),
            Err(_) => number(value).map(|n| Self::as4(subtype, asn, n)),
        };
        parsed.ok_or_else(error)
    }

    /// The router that a route is meant for: `ADDRESS:NUMBER`, as FRR writes it.
    pub fn parse_node_target(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a router's number, a colon and a number");
        let (addr, value) = text.split_once(':').ok_or_else(error)?;
        let addr = addr.parse().map_err(|_| error())?;
        let [_, subtype] = Self::NODE_TARGET;
        number(value).map(|n| Self::ipv4(subtype, addr, n)).ok_or_else(error)
    }

    /// `FLAGS:COLOR`, the flags as two binary digits.
    pub fn parse_color(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a color: 00, 01, 10 or 11, a colon and a number");
        let (flags, value) = text.split_once(':').ok_or_else(error)?;
        let flags = ["00", "01", "10", "11"].iter().position(|known| *known == flags).ok_or_else(error)?;
        let [c, d, e, f] = number::<u32>(value).filter(|color| *color > 0).ok_or_else(error)?.to_be_bytes();
        let [kind, subtype] = Self::COLOR;
        Ok(Self([kind, subtype, (flags as u8) << 6, 0, c, d, e, f]))
    }

    /// The router that it names, if it is a node target.
    pub const fn node_target(self) -> Option<Ipv4Addr> {
        match self.0 {
            [0x01, 0x09, a, b, c, d, ..] => Some(Ipv4Addr::new(a, b, c, d)),
            _ => None,
        }
    }

    /// Its flags and color, if it is one.
    pub const fn color(self) -> Option<(u8, u32)> {
        match self.0 {
            [0x03, 0x0b, flags, _, c, d, e, f] => Some((flags >> 6, u32::from_be_bytes([c, d, e, f]))),
            _ => None,
        }
    }

    pub const fn kind(self) -> u8 {
        self.0[0]
    }

    pub const fn subtype(self) -> u8 {
        self.0[1]
    }

    /// Whether the community may cross an AS boundary (RFC 4360 §2, the T bit).
    pub const fn is_transitive(self) -> bool {
        self.0[0] & 0x40 == 0
    }

    /// `ADMIN:NUMBER` for the three administrator formats, without the `RT:` or `SoO:` in front.
    pub fn admin_text(self) -> Option<String> {
        let [kind, _, a, b, c, d, e, f] = self.0;
        match kind & !0x40 {
            0x00 => Some(format!("{}:{}", u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f]))),
            0x01 => Some(format!("{}:{}", Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([e, f]))),
            0x02 => Some(format!("{}:{}", u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f]))),
            _ => None,
        }
    }
}

impl fmt::Display for ExtCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(router) = self.node_target() {
            return write!(f, "NT:{router}");
        }
        if let Some((flags, color)) = self.color() {
            return write!(f, "Color:{}{}:{color}", flags >> 1, flags & 1);
        }
        let transitive = self.is_transitive();
        match (self.subtype(), self.admin_text()) {
            (Self::ROUTE_TARGET, Some(text)) if transitive => write!(f, "RT:{text}"),
            (Self::SITE_OF_ORIGIN, Some(text)) if transitive => write!(f, "SoO:{text}"),
            // Link bandwidth (draft-ietf-idr-link-bandwidth): IEEE float, octets per second.
            (0x04, _) if self.kind() & !0x40 == 0x00 => {
                let [_, _, a, b, c, d, e, g] = self.0;
                let octets = f32::from_be_bytes([c, d, e, g]);
                write_bandwidth(f, u16::from_be_bytes([a, b]).into(), octets as u64)
            }
            _ => write!(f, "UNK:{}, {}", self.0[0], self.0[1]),
        }
    }
}

impl FromStr for ExtCommunity {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.split_once(':') {
            Some((kind, rest)) if kind.eq_ignore_ascii_case("rt") => {
                Self::parse_admin(Self::ROUTE_TARGET, rest)
            }
            Some((kind, rest)) if kind.eq_ignore_ascii_case("soo") => {
                Self::parse_admin(Self::SITE_OF_ORIGIN, rest)
            }
            _ => Err(ParseError::new(text, "an extended community")),
        }
    }
}

/// `LB:AS:OCTETS (RATE)`, octets per second and then bits in the unit that fits.
fn write_bandwidth(f: &mut fmt::Formatter<'_>, asn: u32, octets: u64) -> fmt::Result {
    write!(f, "LB:{asn}:{octets} ")?;
    let bits = octets as f64 * 8.0;
    match octets {
        125_000_000.. => write!(f, "({:.3} Gbps)", bits / 1e9),
        125_000.. => write!(f, "({:.3} Mbps)", bits / 1e6),
        125.. => write!(f, "({:.3} Kbps)", bits / 1e3),
        _ => write!(f, "({bits:.0} bps)"),
    }
}

/// An IPv6-address-specific extended community (RFC 5701): type, sub-type, an address, two octets of its owner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ipv6ExtCommunity(pub [u8; 20]);

impl Ipv6ExtCommunity {
    /// Octets of one.
    pub const LEN: usize = 20;
    const FOUR_OCTET_AS: u8 = 0x02;
    const LINK_BANDWIDTH: u8 = 0x06;

    /// A link bandwidth that no floating point number rounds, in FRR's form: octets per second, then the AS.
    pub fn link_bandwidth(asn: u32, octets: u64, transitive: bool) -> Self {
        let mut all = [0; Self::LEN];
        let kind = if transitive { Self::FOUR_OCTET_AS } else { Self::FOUR_OCTET_AS | 0x40 };
        let fields = [kind, Self::LINK_BANDWIDTH, 0, 0].into_iter().chain(octets.to_be_bytes());
        for (place, octet) in all.iter_mut().zip(fields.chain(asn.to_be_bytes())) {
            *place = octet;
        }
        Self(all)
    }

    /// Its AS and octets per second, if it says a link bandwidth.
    pub fn as_link_bandwidth(self) -> Option<(u32, u64)> {
        let [kind, Self::LINK_BANDWIDTH, _, _, rest @ ..] = self.0 else { return None };
        let (octets, rest) = rest.split_first_chunk::<8>()?;
        let asn = rest.first_chunk::<4>()?;
        (kind & !0x40 == Self::FOUR_OCTET_AS).then(|| (u32::from_be_bytes(*asn), u64::from_be_bytes(*octets)))
    }

    /// Whether it may cross an AS boundary (RFC 5701 §2).
    pub const fn is_transitive(self) -> bool {
        self.0[0] & 0x40 == 0
    }
}

impl fmt::Display for Ipv6ExtCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((asn, octets)) = self.as_link_bandwidth() {
            return write_bandwidth(f, asn, octets);
        }
        let [kind, subtype, rest @ .., high, low] = self.0;
        let (address, local) = (std::net::Ipv6Addr::from(rest), u16::from_be_bytes([high, low]));
        match (kind, subtype) {
            (0, ExtCommunity::ROUTE_TARGET) => write!(f, "RT:{address}:{local}"),
            (0, ExtCommunity::SITE_OF_ORIGIN) => write!(f, "SoO:{address}:{local}"),
            _ => write!(f, "UNK:{kind}, {subtype}"),
        }
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

serde_as_text!(Community, LargeCommunity);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_community_of_an_ipv6_address_names_it() {
        let mut octets = [0; Ipv6ExtCommunity::LEN];
        octets[1] = ExtCommunity::ROUTE_TARGET;
        octets[2..4].copy_from_slice(&[0x20, 0x01]);
        octets[19] = 10;
        assert_eq!(Ipv6ExtCommunity(octets).to_string(), "RT:2001:::10");
        octets[0] = 0x40;
        assert_eq!(Ipv6ExtCommunity(octets).to_string(), "UNK:64, 2");
    }

    #[test]
    fn a_bandwidth_of_64_bits_stands_as_on_frr_s_wire() {
        let of = |octets, transitive| Ipv6ExtCommunity::link_bandwidth(65001, octets, transitive);
        let wire = [2, 6, 0, 0, 0, 0, 0, 0, 0x07, 0x73, 0x59, 0x40, 0, 0, 0xfd, 0xe9, 0, 0, 0, 0];
        assert_eq!(of(125_000_000, true).0, wire);
        assert_eq!(of(125_000_000, false).0[0], 0x42);
        assert_eq!(of(125_000_000, true).to_string(), "LB:65001:125000000 (1.000 Gbps)");
        assert_eq!(of(12_500_000, false).to_string(), "LB:65001:12500000 (100.000 Mbps)");
        assert_eq!(of(u64::MAX, true).as_link_bandwidth(), Some((65001, u64::MAX)));
    }

    #[test]
    fn communities_keep_their_text() {
        for text in ["65001:100", "no-export", "local-AS", "graceful-shutdown", "0:0"] {
            assert_eq!(text.parse::<Community>().unwrap().to_string(), text);
        }
        assert_eq!("65001:4294967295:7".parse::<LargeCommunity>().unwrap().to_string(), "65001:4294967295:7");
        for text in ["65536:1", "1:65536", "1:2:3", "", ":", "-1:0"] {
            assert!(text.parse::<Community>().is_err(), "{text}");
        }
    }

    #[test]
    fn extended_communities_choose_the_format_by_the_administrator() {
        for text in ["RT:65001:100", "RT:10.0.0.1:5", "SoO:70000:9"] {
            assert_eq!(text.parse::<ExtCommunity>().unwrap().to_string(), text);
        }
        assert!(!ExtCommunity([0x40, 4, 0, 1, 0, 0, 0, 0]).is_transitive());
        let octets = [3, 0x0b, 0x40, 0, 0, 0, 0, 100]; // as FRR 10.3 sends it
        let color = ExtCommunity::parse_color("01:100").unwrap();
        assert_eq!(
            (color.0, color.to_string().as_str(), color.color()),
            (octets, "Color:01:100", Some((1, 100)))
        );
        let target = ExtCommunity::parse_node_target("192.0.2.6:0").unwrap();
        assert_eq!((target.0, target.to_string().as_str()), ([1, 9, 192, 0, 2, 6, 0, 0], "NT:192.0.2.6"));
        for text in ["1:5", "01:0", "01:4294967296", "02:5", "100"] {
            assert!(ExtCommunity::parse_color(text).is_err(), "{text}");
        }
        for text in ["65001:5", "192.0.2.1", "192.0.2.1:65536"] {
            assert!(ExtCommunity::parse_node_target(text).is_err(), "{text}");
        }
    }
}
