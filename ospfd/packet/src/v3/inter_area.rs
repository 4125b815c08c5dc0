//! Inter-area-prefix-LSA and inter-area-router-LSA (RFC 5340 §A.4.5, §A.4.6).

use bytes::{BufMut, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::Reader;

use super::LsaPrefix;
use crate::{Options, Refusal};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterAreaPrefixLsa {
    /// 24 bits; all ones is unreachable.
    pub metric: u32,
    pub prefix: LsaPrefix,
}

impl InterAreaPrefixLsa {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let r = &mut Reader::new(body);
        Ok(Self { metric: r.u32()? & 0xff_ffff, prefix: LsaPrefix::read(r)?.0 })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(self.metric & 0xff_ffff);
        self.prefix.put(0, buf);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterAreaRouterLsa {
    pub options: Options,
    pub metric: u32,
    pub router: RouterId,
}

impl InterAreaRouterLsa {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let r = &mut Reader::new(body);
        Ok(Self {
            options: Options(r.u32()? & 0xff_ffff),
            metric: r.u32()? & 0xff_ffff,
            router: RouterId(r.ipv4()?),
        })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(self.options.0 & 0xff_ffff);
        buf.put_u32(self.metric & 0xff_ffff);
        buf.put_slice(&self.router.0.octets());
    }
}
