//! AS-external-LSA and NSSA-LSA (RFC 2328 §A.4.5, RFC 3101 §C).

use std::net::Ipv4Addr;

use bytes::{BufMut, BytesMut};
use ferrite_wire::{Reader, Short};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExternalLsa {
    pub mask: u32,
    /// E: the metric is larger than any path inside (type 2).
    pub type2: bool,
    /// 24 bits; all ones is unreachable.
    pub metric: u32,
    /// Where to send instead of to the LSA's router; 0 is none.
    pub forwarding: Ipv4Addr,
    pub tag: u32,
}

impl ExternalLsa {
    /// The metrics for types of service that may follow are left out.
    pub fn read(body: &[u8]) -> Result<Self, Short> {
        let r = &mut Reader::new(body);
        let (mask, metric) = (r.u32()?, r.u32()?);
        Ok(Self {
            mask,
            type2: metric >> 31 != 0,
            metric: metric & 0xff_ffff,
            forwarding: r.ipv4()?,
            tag: r.u32()?,
        })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(self.mask);
        buf.put_u32(u32::from(self.type2) << 31 | self.metric & 0xff_ffff);
        buf.put_slice(&self.forwarding.octets());
        buf.put_u32(self.tag);
    }
}
