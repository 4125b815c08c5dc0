//! Router-LSA (RFC 5340 §A.4.3): topology only, no addresses.

use bytes::{BufMut, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::Reader;

use super::{LinkKind, RouterFlags};
use crate::{Options, Refusal};

/// A link of a router-LSA.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RouterLink {
    pub kind: LinkKind,
    pub metric: u16,
    pub interface: u32,
    /// The neighbour's, or the designated router's, interface ID.
    pub neighbor_interface: u32,
    pub neighbor: RouterId,
}

/// A router may spread its links over several LSAs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouterLsa {
    pub flags: RouterFlags,
    pub options: Options,
    pub links: Vec<RouterLink>,
}

impl RouterLsa {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let r = &mut Reader::new(body);
        let head = r.u32()?;
        let mut links = Vec::with_capacity(r.len() / 16);
        while !r.is_empty() {
            let (kind, _, metric) = (r.u8()?, r.u8()?, r.u16()?);
            let (interface, neighbor_interface) = (r.u32()?, r.u32()?);
            let neighbor = RouterId(r.ipv4()?);
            if let Some(kind) = LinkKind::from_code(kind).filter(|kind| *kind != LinkKind::Stub) {
                links.push(RouterLink { kind, metric, interface, neighbor_interface, neighbor });
            }
        }
        Ok(Self { flags: RouterFlags((head >> 24) as u8), options: Options(head & 0xff_ffff), links })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u32(u32::from(self.flags.0) << 24 | self.options.0 & 0xff_ffff);
        for link in &self.links {
            buf.put_u8(link.kind as u8);
            buf.put_u8(0);
            buf.put_u16(link.metric);
            buf.put_u32(link.interface);
            buf.put_u32(link.neighbor_interface);
            buf.put_slice(&link.neighbor.0.octets());
        }
    }
}
