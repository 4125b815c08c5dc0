//! The five packets (RFC 2328 §A.3.2-6, RFC 5340 §A.3.2-6). Only Hello and Database Description differ between the versions;
//! what differs is read and written by [`Codec`].

use std::net::Ipv4Addr;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::Reader;

use crate::lsa::HEADER as LSA_HEADER;
use crate::{Codec, LsId, LsType, Lsa, LsaHeader, LsaKey, Options, Refusal};

/// Packet types.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    Hello = 1,
    DatabaseDescription = 2,
    LinkStateRequest = 3,
    LinkStateUpdate = 4,
    LinkStateAck = 5,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Hello,
        Self::DatabaseDescription,
        Self::LinkStateRequest,
        Self::LinkStateUpdate,
        Self::LinkStateAck,
    ];

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }
}

/// Hello (§A.3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// OSPFv2: the network mask as bits. OSPFv3: the sender's interface ID.
    pub link: u32,
    /// Seconds; 0 where hellos are sent more often than that.
    pub hello_interval: u16,
    /// Seconds; sixteen bits of it in OSPFv3.
    pub dead_interval: u32,
    pub options: Options,
    pub priority: u8,
    /// OSPFv2: interface address; OSPFv3: router ID. 0 is none.
    pub designated: Ipv4Addr,
    pub backup: Ipv4Addr,
    pub neighbors: Vec<RouterId>,
}

/// Database Description (§A.3.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatabaseDescription {
    /// Octets of the largest IP datagram the interface takes whole; 0 over virtual links.
    pub mtu: u16,
    pub options: Options,
    pub flags: DdFlags,
    pub sequence: u32,
    pub headers: Vec<LsaHeader>,
}

/// Flags of a Database Description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DdFlags {
    /// I: the first of the exchange.
    pub init: bool,
    /// M: more follow.
    pub more: bool,
    /// MS: the sender is master.
    pub master: bool,
}

impl DdFlags {
    pub const fn from_bits(bits: u8) -> Self {
        Self { init: bits & 4 != 0, more: bits & 2 != 0, master: bits & 1 != 0 }
    }

    pub const fn bits(self) -> u8 {
        (self.init as u8) << 2 | (self.more as u8) << 1 | self.master as u8
    }
}

/// What a packet carries behind its header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Hello(Hello),
    DatabaseDescription(DatabaseDescription),
    LinkStateRequest(Vec<LsaKey>),
    LinkStateUpdate(Vec<Lsa>),
    LinkStateAck(Vec<LsaHeader>),
}

impl Body {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::DatabaseDescription(_) => Kind::DatabaseDescription,
            Self::LinkStateRequest(_) => Kind::LinkStateRequest,
            Self::LinkStateUpdate(_) => Kind::LinkStateUpdate,
            Self::LinkStateAck(_) => Kind::LinkStateAck,
        }
    }

    /// Decodes a body that has been cut to its length. LSAs of an update share its octets and are framed, not yet checked.
    pub fn decode<C: Codec>(kind: Kind, body: Bytes) -> Result<Self, Refusal> {
        let reader = &mut Reader::new(&body);
        Ok(match kind {
            Kind::Hello => Self::Hello(C::read_hello(reader)?),
            Kind::DatabaseDescription => {
                let mut description = C::read_description(reader)?;
                description.headers = headers::<C>(reader)?;
                Self::DatabaseDescription(description)
            }
            Kind::LinkStateRequest => {
                let mut keys = Vec::with_capacity(reader.len() / 12);
                while !reader.is_empty() {
                    let ty = u16::try_from(reader.u32()?).map_err(|_| Refusal::Body)?;
                    keys.push(LsaKey {
                        ty: LsType(ty),
                        id: LsId(reader.u32()?),
                        adv: RouterId(reader.ipv4()?),
                    });
                }
                Self::LinkStateRequest(keys)
            }
            Kind::LinkStateUpdate => Self::LinkStateUpdate(updates::<C>(&body)?),
            Kind::LinkStateAck => Self::LinkStateAck(headers::<C>(reader)?),
        })
    }

    pub fn put<C: Codec>(&self, buf: &mut BytesMut) {
        match self {
            Self::Hello(hello) => C::put_hello(hello, buf),
            Self::DatabaseDescription(description) => {
                C::put_description(description, buf);
                description.headers.iter().for_each(|header| header.put::<C>(buf));
            }
            Self::LinkStateRequest(keys) => {
                for key in keys {
                    buf.put_u32(u32::from(key.ty.0));
                    buf.put_u32(key.id.0);
                    buf.put_slice(&key.adv.0.octets());
                }
            }
            Self::LinkStateUpdate(lsas) => {
                buf.put_u32(u32::try_from(lsas.len()).unwrap_or(u32::MAX));
                lsas.iter().for_each(|lsa| buf.put_slice(lsa.octets()));
            }
            Self::LinkStateAck(headers) => headers.iter().for_each(|header| header.put::<C>(buf)),
        }
    }
}

fn headers<C: Codec>(reader: &mut Reader<'_>) -> Result<Vec<LsaHeader>, Refusal> {
    let mut headers = Vec::with_capacity(reader.len() / LSA_HEADER);
    while !reader.is_empty() {
        headers.push(LsaHeader::read::<C>(reader)?);
    }
    Ok(headers)
}

/// The count is bounded by what the octets can hold, whatever the field says.
fn updates<C: Codec>(body: &Bytes) -> Result<Vec<Lsa>, Refusal> {
    let count = Reader::new(body).u32()? as usize;
    let mut rest = body.slice(4..);
    if count > rest.len() / LSA_HEADER {
        return Err(Refusal::Body);
    }
    let mut lsas = Vec::with_capacity(count);
    for _ in 0..count {
        lsas.push(Lsa::read::<C>(&mut rest)?);
    }
    if rest.is_empty() { Ok(lsas) } else { Err(Refusal::Body) }
}
