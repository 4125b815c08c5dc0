//! AS-external-LSA and NSSA-LSA (RFC 5340 §A.4.7, §A.4.8).

use std::net::Ipv6Addr;

use bytes::{BufMut, BytesMut};
use ferrite_wire::Reader;

use super::LsaPrefix;
use crate::{LsType, Refusal};

/// E, F and T in the word of the metric.
const TYPE2: u32 = 0x0400_0000;
const FORWARDING: u32 = 0x0200_0000;
const TAG: u32 = 0x0100_0000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExternalLsa {
    pub type2: bool,
    /// 24 bits; all ones is unreachable.
    pub metric: u32,
    pub prefix: LsaPrefix,
    pub forwarding: Option<Ipv6Addr>,
    pub tag: Option<u32>,
    /// Type and Link State ID of an LSA with more about the route; type 0 is none.
    pub referenced: Option<(LsType, u32)>,
}

impl ExternalLsa {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let r = &mut Reader::new(body);
        let head = r.u32()?;
        let (prefix, ty) = LsaPrefix::read(r)?;
        let forwarding = if head & FORWARDING != 0 { Some(r.ipv6()?) } else { None };
        let tag = if head & TAG != 0 { Some(r.u32()?) } else { None };
        let referenced = if ty == 0 { None } else { Some((LsType(ty), r.u32()?)) };
        Ok(Self { type2: head & TYPE2 != 0, metric: head & 0xff_ffff, prefix, forwarding, tag, referenced })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        let flag = |on: bool, bit: u32| if on { bit } else { 0 };
        buf.put_u32(
            flag(self.type2, TYPE2)
                | flag(self.forwarding.is_some(), FORWARDING)
                | flag(self.tag.is_some(), TAG)
                | self.metric & 0xff_ffff,
        );
        self.prefix.put(self.referenced.map_or(0, |(ty, _)| ty.0), buf);
        if let Some(address) = self.forwarding {
            buf.put_slice(&address.octets());
        }
        if let Some(tag) = self.tag {
            buf.put_u32(tag);
        }
        if let Some((_, id)) = self.referenced {
            buf.put_u32(id);
        }
    }
}
