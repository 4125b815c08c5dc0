//! Messages of FRR's OSPF API, network byte order: a version, a type, the length of what follows, a number that the answer repeats.
//!
//! ```text
//!  0             1             2                          4
//! +-------------+-------------+---------------------------+---------------------------+
//! | version (1) | type        | length of the body        | sequence number           |
//! +-------------+-------------+---------------------------+---------------------------+
//! ```

use std::net::Ipv4Addr;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_ospf_packet::AreaId;
use ferrite_types::ids::RouterId;

/// Octets of a header.
pub const HEADER: usize = 8;
const VERSION: u8 = 1;
/// Octets of an LSA's header.
const LSA_HEADER: usize = 20;

/// The header of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub kind: u8,
    /// Octets that follow.
    pub len: u16,
    pub sequence: u32,
}

impl Header {
    /// None of another version.
    pub fn read(octets: [u8; HEADER]) -> Option<Self> {
        let [version, kind, l0, l1, s0, s1, s2, s3] = octets;
        let (len, sequence) = (u16::from_be_bytes([l0, l1]), u32::from_be_bytes([s0, s1, s2, s3]));
        (version == VERSION).then_some(Self { kind, len, sequence })
    }
}

/// What a request is answered with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i8)]
pub enum Code {
    Ok = 0,
    NoInterface = -1,
    NoArea = -2,
    NoLsa = -3,
    LsaType = -4,
    InUse = -5,
    NotRegistered = -6,
    NotReady = -7,
    NoMemory = -8,
    Error = -9,
}

/// Which LSAs a client follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// A bit for each type.
    types: u16,
    /// 0: others', 1: ours, 2: all.
    origin: u8,
    /// None are all.
    areas: Vec<AreaId>,
}

impl Filter {
    /// Of AS scope an LSA is in no area.
    pub fn takes(&self, kind: u8, own: bool, area: Option<AreaId>) -> bool {
        let origin = match self.origin {
            0 => !own,
            1 => own,
            _ => true,
        };
        let here = self.areas.is_empty() || area.is_none_or(|area| self.areas.contains(&area));
        kind < 16 && self.types & 1 << kind != 0 && origin && here
    }
}

/// What a client asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// LSA type and opaque type.
    Register(u8, u8),
    Unregister(u8, u8),
    Follow(Filter),
    Database(Filter),
    Originate {
        interface: Ipv4Addr,
        area: AreaId,
        lsa_type: u8,
        /// Opaque type and ID.
        id: u32,
        body: Bytes,
    },
    Delete {
        address: Ipv4Addr,
        lsa_type: u8,
        kind: u8,
        id: u32,
    },
    Reachable,
    Interfaces,
    Neighbors,
    RouterId,
}

/// Reads from the front of a body; zeros where it has ended are not made up.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[octet]| octet)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }
}

impl Request {
    /// None of what is short, inconsistent or unknown.
    pub fn read(kind: u8, body: &Bytes) -> Option<Self> {
        let r = &mut Reader(body);
        Some(match kind {
            1 => Self::Register(r.u8()?, r.u8()?),
            2 => Self::Unregister(r.u8()?, r.u8()?),
            3 => Self::Follow(filter(r)?),
            4 => Self::Database(filter(r)?),
            5 => originate(r, body)?,
            6 => {
                let address = Ipv4Addr::from_bits(r.u32()?);
                let (lsa_type, kind) = (r.u8()?, r.u8()?);
                r.take::<2>()?;
                Self::Delete { address, lsa_type, kind, id: r.u32()? }
            }
            7 => Self::Reachable,
            8 => Self::Interfaces,
            9 => Self::Neighbors,
            19 => Self::RouterId,
            _ => return None,
        })
    }
}

fn filter(r: &mut Reader<'_>) -> Option<Filter> {
    let (types, origin, count) = (r.u16()?, r.u8()?, r.u8()?);
    let areas: Option<Vec<AreaId>> = (0..count).map(|_| r.u32().map(AreaId::from_bits)).collect();
    Some(Filter { types, origin, areas: areas? })
}

/// The LSA's length is that of what is there.
fn originate(r: &mut Reader<'_>, body: &Bytes) -> Option<Request> {
    let (interface, area) = (Ipv4Addr::from_bits(r.u32()?), AreaId::from_bits(r.u32()?));
    let (_age, _options, lsa_type, id) = (r.u16()?, r.u8()?, r.u8()?, r.u32()?);
    r.take::<10>()?; // advertising router, sequence number, checksum
    let len = usize::from(r.u16()?);
    let data = body.slice(body.len() - r.0.len()..);
    (len == LSA_HEADER + data.len()).then_some(Request::Originate {
        interface,
        area,
        lsa_type,
        id,
        body: data,
    })
}

/// What a client is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    Reply {
        sequence: u32,
        code: Code,
    },
    /// LSAs of this type and opaque type may be originated: on the network of an address, in an area, or everywhere.
    Ready {
        lsa_type: u8,
        kind: u8,
        address: Ipv4Addr,
    },
    Lsa {
        gone: bool,
        interface: Ipv4Addr,
        area: AreaId,
        own: bool,
        octets: Bytes,
    },
    NewInterface {
        address: Ipv4Addr,
        area: AreaId,
    },
    InterfaceGone {
        address: Ipv4Addr,
    },
    Interface {
        address: Ipv4Addr,
        area: AreaId,
        state: u8,
    },
    Neighbor {
        interface: Ipv4Addr,
        address: Ipv4Addr,
        router: RouterId,
        state: u8,
    },
    Reachable {
        new: Vec<RouterId>,
        gone: Vec<RouterId>,
    },
    RouterId(RouterId),
}

impl Notice {
    /// Whether it answers a request, on the connection that the request came on.
    pub fn is_reply(&self) -> bool {
        matches!(self, Self::Reply { .. })
    }

    pub fn octets(&self) -> Bytes {
        let mut body = BytesMut::new();
        let (kind, sequence) = self.put(&mut body);
        let mut message = BytesMut::with_capacity(HEADER + body.len());
        message.put_slice(&[VERSION, kind]);
        message.put_u16(u16::try_from(body.len()).unwrap_or(u16::MAX));
        message.put_u32(sequence);
        message.put(body);
        message.freeze()
    }

    fn put(&self, b: &mut BytesMut) -> (u8, u32) {
        let kind = match self {
            Self::Reply { sequence, code } => {
                b.put_slice(&[*code as i8 as u8, 0, 0, 0]);
                return (10, *sequence);
            }
            Self::Ready { lsa_type, kind, address } => {
                b.put_slice(&[*lsa_type, *kind, 0, 0]);
                b.put_u32(address.to_bits());
                11
            }
            Self::Lsa { gone, interface, area, own, octets } => {
                b.put_u32(interface.to_bits());
                b.put_u32(area.0.to_bits());
                b.put_slice(&[u8::from(*own), 0, 0, 0]);
                // What does not fit a message is told by what does.
                b.put_slice(
                    octets.get(..octets.len().min(usize::from(u16::MAX) - b.len())).unwrap_or_default(),
                );
                if *gone { 13 } else { 12 }
            }
            Self::NewInterface { address, area } => {
                b.put_u32(address.to_bits());
                b.put_u32(area.0.to_bits());
                14
            }
            Self::InterfaceGone { address } => {
                b.put_u32(address.to_bits());
                15
            }
            Self::Interface { address, area, state } => {
                b.put_u32(address.to_bits());
                b.put_u32(area.0.to_bits());
                b.put_slice(&[*state, 0, 0, 0]);
                16
            }
            Self::Neighbor { interface, address, router, state } => {
                b.put_u32(interface.to_bits());
                b.put_u32(address.to_bits());
                b.put_u32(router.0.to_bits());
                b.put_slice(&[*state, 0, 0, 0]);
                17
            }
            Self::Reachable { new, gone } => {
                b.put_u16(new.len() as u16);
                b.put_u16(gone.len() as u16);
                new.iter().chain(gone).for_each(|router| b.put_u32(router.0.to_bits()));
                18
            }
            Self::RouterId(router) => {
                b.put_u32(router.0.to_bits());
                20
            }
        };
        (kind, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_body_of_any_length_is_more_than_refused() {
        for kind in 0..=255 {
            for len in 0..64 {
                for fill in [0, 1, 255] {
                    let _ = Request::read(kind, &Bytes::from(vec![fill; len]));
                }
            }
        }
    }

    #[test]
    fn an_lsa_says_its_own_length() {
        let mut body = BytesMut::new();
        body.put_u64(0);
        body.put_slice(&[0, 0, 0, 10, 226, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 1, 2, 3, 4]);
        let request = Request::read(5, &body.clone().freeze());
        let Some(Request::Originate { lsa_type: 10, id: 0xe200_0001, body: data, .. }) = request else {
            panic!("{request:?}")
        };
        assert_eq!(&data[..], [1, 2, 3, 4]);
        body.put_u32(0);
        assert_eq!(Request::read(5, &body.freeze()), None);
    }

    #[test]
    fn headers_of_other_versions_are_none() {
        let octets = [1, 4, 0, 4, 0, 0, 0, 9];
        assert_eq!(Header::read(octets), Some(Header { kind: 4, len: 4, sequence: 9 }));
        assert_eq!(Header::read([2, 4, 0, 4, 0, 0, 0, 9]), None);
        assert_eq!(
            &Notice::Reply { sequence: 9, code: Code::NoLsa }.octets()[..],
            [1, 10, 0, 4, 0, 0, 0, 9, 253, 0, 0, 0]
        );
    }
}
