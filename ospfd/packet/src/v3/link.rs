//! Link-LSA (RFC 5340 §A.4.9): the link-local address for next hops, and the prefixes of the link.

use std::net::Ipv6Addr;

use bytes::{BufMut, BytesMut};
use ferrite_wire::Reader;

use super::LsaPrefix;
use crate::{Options, Refusal};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkLsa {
    pub priority: u8,
    pub options: Options,
    pub address: Ipv6Addr,
    pub prefixes: Vec<LsaPrefix>,
}

impl LinkLsa {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let r = &mut Reader::new(body);
        let head = r.u32()?;
        let address = r.ipv6()?;
        // The number may be anything; what is there bounds it.
        let count = r.u32()? as usize;
        let mut prefixes = Vec::with_capacity(count.min(r.len() / 4));
        for _ in 0..count {
            prefixes.push(LsaPrefix::read(r)?.0);
        }
        Ok(Self { priority: (head >> 24) as u8, options: Options(head & 0xff_ffff), address, prefixes })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(u32::from(self.priority) << 24 | self.options.0 & 0xff_ffff);
        buf.put_slice(&self.address.octets());
        buf.put_u32(self.prefixes.len() as u32);
        self.prefixes.iter().for_each(|prefix| prefix.put(0, buf));
    }
}
