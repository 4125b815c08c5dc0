//! Router-LSA (RFC 2328 §A.4.2).

use bytes::{BufMut, BytesMut};
use ferrite_wire::{Reader, Short};

/// The first octet of a router-LSA, the same bits in OSPFv3.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RouterFlags(pub u8);

impl RouterFlags {
    /// B: area border router.
    pub const BORDER: Self = Self(0x01);
    /// E: AS boundary router.
    pub const BOUNDARY: Self = Self(0x02);
    /// V: endpoint of a virtual link, so that the area is a transit area.
    pub const VIRTUAL: Self = Self(0x04);
    /// Nt: translates NSSA-LSAs whatever others do (RFC 3101 §2.3).
    pub const TRANSLATOR: Self = Self(0x10);
    /// S: a border router that uses its area as a shortcut (draft-ietf-ospf-shortcut-abr).
    pub const SHORTCUT: Self = Self(0x20);

    pub const fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    pub const fn with(self, bits: Self, on: bool) -> Self {
        if on { Self(self.0 | bits.0) } else { self }
    }
}

/// What a link leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum LinkKind {
    PointToPoint = 1,
    Transit = 2,
    /// OSPFv2 only.
    Stub = 3,
    Virtual = 4,
}

impl LinkKind {
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::PointToPoint),
            2 => Some(Self::Transit),
            3 => Some(Self::Stub),
            4 => Some(Self::Virtual),
            _ => None,
        }
    }
}

/// A link of a router-LSA.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RouterLink {
    pub kind: LinkKind,
    /// Neighbour's router ID, address of the designated router, or network number.
    pub id: u32,
    /// The router's own address on the link, its interface's index, or the mask.
    pub data: u32,
    pub metric: u16,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouterLsa {
    pub flags: RouterFlags,
    pub links: Vec<RouterLink>,
}

impl RouterLsa {
    /// Links of unknown kinds are left out, metrics for types of service skipped.
    pub fn read(body: &[u8]) -> Result<Self, Short> {
        let r = &mut Reader::new(body);
        let flags = RouterFlags(r.u8()?);
        r.u8()?;
        let count = usize::from(r.u16()?);
        let mut links = Vec::with_capacity(count.min(r.len() / 12));
        for _ in 0..count {
            let (id, data, kind) = (r.u32()?, r.u32()?, r.u8()?);
            let (services, metric) = (usize::from(r.u8()?), r.u16()?);
            r.take(services * 4)?;
            links.extend(LinkKind::from_code(kind).map(|kind| RouterLink { kind, id, data, metric }));
        }
        Ok(Self { flags, links })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        buf.put_u8(self.flags.0);
        buf.put_u8(0);
        buf.put_u16(self.links.len() as u16);
        for link in &self.links {
            buf.put_u32(link.id);
            buf.put_u32(link.data);
            buf.put_u8(link.kind as u8);
            buf.put_u8(0);
            buf.put_u16(link.metric);
        }
    }
}
