//! IPv4 and IPv6 prefixes, in text and in NLRI (RFC 4271 §4.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Malformed, Octets};
use crate::kernel::Family;

/// Bits stand left-aligned in `bits` for both families; those beyond `len` are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    pub family: Family,
    pub bits: u128,
    pub len: u8,
}

pub fn width(family: Family) -> u8 {
    match family {
        Family::V4 => 32,
        Family::V6 => 128,
    }
}

fn mask(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0)
}

impl Prefix {
    /// `None` if the length does not suit the family; bits beyond the length are cut off.
    pub fn new(addr: IpAddr, len: u8) -> Option<Prefix> {
        let (family, bits) = match addr {
            IpAddr::V4(a) => (Family::V4, u128::from(u32::from(a)) << 96),
            IpAddr::V6(a) => (Family::V6, u128::from(a)),
        };
        (len <= width(family)).then(|| Prefix { family, bits: bits & mask(len), len })
    }

    pub fn v4(bits: u32, len: u8) -> Option<Prefix> {
        Prefix::new(IpAddr::V4(Ipv4Addr::from(bits)), len)
    }

    pub fn addr(&self) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from((self.bits >> 96) as u32)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(self.bits)),
        }
    }

    /// One prefix of NLRI; stray bits beyond the length are reported through the second value.
    pub fn read(octets: &mut Octets<'_>, family: Family) -> Result<(Prefix, bool), Malformed> {
        let len = octets.u8("prefix length")?;
        if len > width(family) {
            return Err(Malformed("prefix longer than its family allows"));
        }
        let bytes = octets.take(usize::from(len).div_ceil(8), "prefix cut short")?;
        let mut full = [0u8; 16];
        for (to, from) in full.iter_mut().zip(bytes) {
            *to = *from;
        }
        let raw = u128::from_be_bytes(full);
        let bits = raw & mask(len);
        Ok((Prefix { family, bits, len }, bits != raw))
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.len);
        out.extend(self.bits.to_be_bytes().iter().take(self.wire_len() - 1));
    }

    /// Octets in NLRI.
    pub fn wire_len(&self) -> usize {
        1 + usize::from(self.len).div_ceil(8)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr(), self.len)
    }
}

impl FromStr for Prefix {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Prefix, Malformed> {
        let (addr, len) = text.trim().split_once('/').ok_or(Malformed("prefix without length"))?;
        let addr = addr.parse().map_err(|_| Malformed("prefix address"))?;
        let len = len.parse().map_err(|_| Malformed("prefix length"))?;
        Prefix::new(addr, len).ok_or(Malformed("prefix length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_nlri_agree() {
        for text in ["0.0.0.0/0", "10.128.0.0/9", "192.0.2.1/32", "::/0", "2001:db8::/32", "2001:db8::1/128"]
        {
            let prefix: Prefix = text.parse().unwrap();
            assert_eq!(prefix.to_string(), text);
            let mut wire = Vec::new();
            prefix.write(&mut wire);
            assert_eq!(wire.len(), prefix.wire_len());
            assert_eq!(Prefix::read(&mut Octets(&wire), prefix.family), Ok((prefix, false)));
        }
    }

    #[test]
    fn stray_bits_and_bad_lengths_are_seen() {
        let (prefix, stray) = Prefix::read(&mut Octets(&[9, 10, 0xff]), Family::V4).unwrap();
        assert_eq!((prefix.to_string().as_str(), stray), ("10.128.0.0/9", true));
        assert!(Prefix::read(&mut Octets(&[33, 1, 2, 3, 4, 5]), Family::V4).is_err());
        assert!(Prefix::read(&mut Octets(&[24, 1, 2]), Family::V4).is_err());
    }
}
