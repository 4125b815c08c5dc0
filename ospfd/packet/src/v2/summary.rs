//! Summary-LSAs of types 3 and 4 (RFC 2328 §A.4.4).

use bytes::{BufMut, BytesMut};
use ferrite_wire::{Reader, Short};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SummaryLsa {
    /// 0 where the LSA is about a router.
    pub mask: u32,
    /// 24 bits; all ones is unreachable.
    pub metric: u32,
}

impl SummaryLsa {
    pub fn read(body: &[u8]) -> Result<Self, Short> {
        let r = &mut Reader::new(body);
        Ok(Self { mask: r.u32()?, metric: r.u32()? & 0xff_ffff })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(self.mask);
        buf.put_u32(self.metric & 0xff_ffff);
    }
}
