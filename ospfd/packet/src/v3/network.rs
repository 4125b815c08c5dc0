//! Network-LSA (RFC 5340 §A.4.4).

use bytes::{BufMut, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::Reader;

use crate::{Options, Refusal};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkLsa {
    pub options: Options,
    /// Routers fully adjacent to the designated one, itself included.
    pub routers: Vec<RouterId>,
}

impl NetworkLsa {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let r = &mut Reader::new(body);
        let options = Options(r.u32()? & 0xff_ffff);
        let mut routers = Vec::with_capacity(r.len() / 4);
        while !r.is_empty() {
            routers.push(RouterId(r.ipv4()?));
        }
        Ok(Self { options, routers })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(self.options.0 & 0xff_ffff);
        self.routers.iter().for_each(|id| buf.put_slice(&id.0.octets()));
    }
}
