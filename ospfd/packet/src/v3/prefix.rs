//! Prefixes in LSAs (RFC 5340 §A.4.1): length, options, sixteen bits whose meaning depends on the LSA, then as many words of
//! 32 bits as the length needs.

use std::net::Ipv6Addr;

use bytes::{BufMut, BytesMut};
use ferrite_types::Ipv6Prefix;
use ferrite_wire::Reader;

use crate::Refusal;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PrefixOptions(pub u8);

impl PrefixOptions {
    /// NU: not for unicast calculations.
    pub const NO_UNICAST: Self = Self(0x01);
    /// LA: an address of the advertising router itself.
    pub const LOCAL: Self = Self(0x02);
    /// P: an NSSA's border router may translate it.
    pub const PROPAGATE: Self = Self(0x08);

    pub const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LsaPrefix {
    pub prefix: Ipv6Prefix,
    pub options: PrefixOptions,
}

impl LsaPrefix {
    /// Reads a prefix and the sixteen bits between its options and its address.
    pub fn read(r: &mut Reader<'_>) -> Result<(Self, u16), Refusal> {
        let (len, options, between) = (r.u8()?, PrefixOptions(r.u8()?), r.u16()?);
        if len > 128 {
            return Err(Refusal::LsaBody);
        }
        let octets = r.take(usize::from(len).div_ceil(32) * 4)?;
        let mut addr = [0; 16];
        addr.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
        let prefix = Ipv6Prefix::new(Ipv6Addr::from(addr), len).ok_or(Refusal::LsaBody)?;
        Ok((Self { prefix, options }, between))
    }

    pub fn put(&self, between: u16, buf: &mut BytesMut) {
        buf.put_u8(self.prefix.len());
        buf.put_u8(self.options.0);
        buf.put_u16(between);
        let octets = self.prefix.addr().octets();
        buf.put_slice(octets.get(..usize::from(self.prefix.len()).div_ceil(32) * 4).unwrap_or_default());
    }
}
