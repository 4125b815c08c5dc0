//! Network-LSA (RFC 2328 §A.4.3).

use bytes::{BufMut, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::{Reader, Short};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkLsa {
    pub mask: u32,
    /// Routers fully adjacent to the designated one, itself included.
    pub routers: Vec<RouterId>,
}

impl NetworkLsa {
    pub fn read(body: &[u8]) -> Result<Self, Short> {
        let r = &mut Reader::new(body);
        let mask = r.u32()?;
        let mut routers = Vec::with_capacity(r.len() / 4);
        while !r.is_empty() {
            routers.push(RouterId(r.ipv4()?));
        }
        Ok(Self { mask, routers })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(self.mask);
        self.routers.iter().for_each(|id| buf.put_slice(&id.0.octets()));
    }
}
