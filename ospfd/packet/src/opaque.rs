//! TLVs of opaque LSAs (RFC 5250) and of OSPFv3's Grace-LSA: type and length of sixteen bits each, the value, zeros up to the
//! next word. Values that are not understood are kept. What is malformed is an error for the one who asks, never a reason
//! to stop flooding the LSA.
//!
//! | value | LSA | from |
//! | --- | --- | --- |
//! | [`Grace`] | opaque type 3 of link scope; OSPFv3 type 11 | RFC 3623 §A, RFC 5187 |
//! | [`RouterInformation`] | opaque type 4 | RFC 7770, RFC 5642 |
//! | [`TrafficEngineering`] | opaque type 1 | RFC 3630 §2 |
//! | [`ExtendedPrefix`], [`ExtendedLink`] | opaque types 7 and 8 | RFC 7684 |

use std::net::Ipv4Addr;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::Ipv4Prefix;
use ferrite_wire::Reader;

use crate::{LsId, Refusal};

/// Opaque types: the first octet of the Link State ID (RFC 5250 §A.2).
pub mod kind {
    pub const TRAFFIC_ENGINEERING: u8 = 1;
    pub const GRACE: u8 = 3;
    pub const ROUTER_INFORMATION: u8 = 4;
    pub const INTER_AS: u8 = 6;
    pub const EXTENDED_PREFIX: u8 = 7;
    pub const EXTENDED_LINK: u8 = 8;
}

/// Opaque type and opaque ID make the Link State ID.
pub const fn ls_id(kind: u8, id: u32) -> LsId {
    LsId((kind as u32) << 24 | id & 0xff_ffff)
}

pub const fn kind_of(id: LsId) -> u8 {
    (id.0 >> 24) as u8
}

/// A type and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tlv {
    pub ty: u16,
    pub value: Bytes,
}

impl Tlv {
    pub fn new(ty: u16, value: impl Into<Bytes>) -> Self {
        Self { ty, value: value.into() }
    }

    /// All TLVs of a value, which must end with the last of them; only the last one's padding may be missing.
    pub fn read_all(octets: &Bytes) -> Result<Vec<Self>, Refusal> {
        let mut rest = octets.clone();
        let mut tlvs = Vec::new();
        while !rest.is_empty() {
            let r = &mut Reader::new(&rest);
            let (ty, len) = (r.u16()?, usize::from(r.u16()?));
            if len > r.len() {
                return Err(Refusal::LsaBody);
            }
            tlvs.push(Self { ty, value: rest.slice(4..4 + len) });
            // In usize: a length near 65,535 must not wrap when it is padded.
            rest = rest.slice((4 + len.next_multiple_of(4)).min(rest.len())..);
        }
        Ok(tlvs)
    }

    pub fn put_all(tlvs: &[Self], buf: &mut BytesMut) {
        for tlv in tlvs {
            buf.put_u16(tlv.ty);
            buf.put_u16(tlv.value.len() as u16);
            buf.put_slice(&tlv.value);
            buf.put_bytes(0, tlv.value.len().next_multiple_of(4) - tlv.value.len());
        }
    }

    fn exactly<const N: usize>(&self) -> Result<[u8; N], Refusal> {
        <[u8; N]>::try_from(&self.value[..]).map_err(|_| Refusal::LsaBody)
    }

    fn u32(&self) -> Result<u32, Refusal> {
        self.exactly().map(u32::from_be_bytes)
    }
}

/// Why a router restarts (RFC 3623 §A).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum RestartReason {
    #[default]
    Unknown = 0,
    SoftwareRestart = 1,
    SoftwareReload = 2,
    SwitchToRedundant = 3,
}

/// What a router that restarts asks of its neighbours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grace {
    /// Seconds.
    pub period: u32,
    pub reason: RestartReason,
    /// Its address, by which it is known on networks that are no point-to-point links; OSPFv2 only.
    pub address: Option<Ipv4Addr>,
}

impl Grace {
    pub fn read(body: &Bytes) -> Result<Self, Refusal> {
        let (mut period, mut reason, mut address) = (None, RestartReason::Unknown, None);
        for tlv in Tlv::read_all(body)? {
            match tlv.ty {
                1 => period = Some(tlv.u32()?),
                2 => {
                    reason = match tlv.exactly::<1>()? {
                        [1] => RestartReason::SoftwareRestart,
                        [2] => RestartReason::SoftwareReload,
                        [3] => RestartReason::SwitchToRedundant,
                        _ => RestartReason::Unknown,
                    }
                }
                3 => address = Some(Ipv4Addr::from(tlv.exactly::<4>()?)),
                _ => {}
            }
        }
        Ok(Self { period: period.ok_or(Refusal::LsaBody)?, reason, address })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        let mut tlvs =
            vec![Tlv::new(1, self.period.to_be_bytes().to_vec()), Tlv::new(2, vec![self.reason as u8])];
        tlvs.extend(self.address.map(|address| Tlv::new(3, address.octets().to_vec())));
        Tlv::put_all(&tlvs, buf);
    }
}

/// What a router says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouterInformation {
    /// Informational capabilities (TLV 1), the first word.
    pub capabilities: Option<u32>,
    /// Dynamic host name (TLV 7, RFC 5642).
    pub hostname: Option<Bytes>,
    pub other: Vec<Tlv>,
}

impl RouterInformation {
    pub fn read(body: &Bytes) -> Result<Self, Refusal> {
        let mut information = Self::default();
        for tlv in Tlv::read_all(body)? {
            match tlv.ty {
                1 if information.capabilities.is_none() => {
                    information.capabilities = Some(Reader::new(&tlv.value).u32()?);
                }
                7 if information.hostname.is_none() => information.hostname = Some(tlv.value),
                _ => information.other.push(tlv),
            }
        }
        Ok(information)
    }

    pub fn put(&self, buf: &mut BytesMut) {
        let mut tlvs = Vec::new();
        tlvs.extend(self.capabilities.map(|bits| Tlv::new(1, bits.to_be_bytes().to_vec())));
        tlvs.extend(self.hostname.clone().map(|name| Tlv::new(7, name)));
        tlvs.extend(self.other.iter().cloned());
        Tlv::put_all(&tlvs, buf);
    }
}

/// A TE LSA: one TLV, a router's address or a link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TrafficEngineering {
    RouterAddress(Ipv4Addr),
    /// A link by its sub-TLVs; which of them are there is for the reader to ask.
    Link(Vec<Tlv>),
    Other(Tlv),
}

impl TrafficEngineering {
    pub fn read(body: &Bytes) -> Result<Self, Refusal> {
        let tlv = Tlv::read_all(body)?.into_iter().next().ok_or(Refusal::LsaBody)?;
        Ok(match tlv.ty {
            1 => Self::RouterAddress(Ipv4Addr::from(tlv.exactly::<4>()?)),
            2 => Self::Link(Tlv::read_all(&tlv.value)?),
            _ => Self::Other(tlv),
        })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        let tlv = match self {
            Self::RouterAddress(address) => Tlv::new(1, address.octets().to_vec()),
            Self::Link(tlvs) => Tlv::new(2, nested(tlvs)),
            Self::Other(tlv) => tlv.clone(),
        };
        Tlv::put_all(&[tlv], buf);
    }
}

fn nested(tlvs: &[Tlv]) -> Bytes {
    let mut buf = BytesMut::new();
    Tlv::put_all(tlvs, &mut buf);
    buf.freeze()
}

/// Attributes of a prefix (RFC 7684 §2.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExtendedPrefix {
    pub route_type: u8,
    pub flags: u8,
    pub prefix: Ipv4Prefix,
    pub sub: Vec<Tlv>,
}

impl ExtendedPrefix {
    /// All prefixes of an LSA; those of address families other than IPv4 are left out.
    pub fn read_all(body: &Bytes) -> Result<Vec<Self>, Refusal> {
        let mut prefixes = Vec::new();
        for tlv in Tlv::read_all(body)?.into_iter().filter(|tlv| tlv.ty == 1) {
            let r = &mut Reader::new(&tlv.value);
            let (route_type, len, family, flags) = (r.u8()?, r.u8()?, r.u8()?, r.u8()?);
            if family != 0 {
                continue;
            }
            let octets = r.take(usize::from(len).div_ceil(32) * 4)?;
            let mut addr = [0; 4];
            addr.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
            let prefix = Ipv4Prefix::new(Ipv4Addr::from(addr), len).ok_or(Refusal::LsaBody)?;
            let used = tlv.value.len() - r.len();
            prefixes.push(Self { route_type, flags, prefix, sub: Tlv::read_all(&tlv.value.slice(used..))? });
        }
        Ok(prefixes)
    }

    pub fn put(&self, buf: &mut BytesMut) {
        let mut value = BytesMut::new();
        value.put_slice(&[self.route_type, self.prefix.len(), 0, self.flags]);
        if !self.prefix.is_default() {
            value.put_slice(&self.prefix.addr().octets());
        }
        Tlv::put_all(&self.sub, &mut value);
        Tlv::put_all(&[Tlv::new(1, value.freeze())], buf);
    }
}

/// Attributes of a link (RFC 7684 §3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExtendedLink {
    /// As in the router-LSA.
    pub kind: u8,
    pub id: u32,
    pub data: u32,
    pub sub: Vec<Tlv>,
}

impl ExtendedLink {
    /// The link of an LSA; of several the first counts.
    pub fn read(body: &Bytes) -> Result<Self, Refusal> {
        let tlv = Tlv::read_all(body)?.into_iter().find(|tlv| tlv.ty == 1).ok_or(Refusal::LsaBody)?;
        let r = &mut Reader::new(&tlv.value);
        let (head, id, data) = (r.u32()?, r.u32()?, r.u32()?);
        let sub = Tlv::read_all(&tlv.value.slice(tlv.value.len() - r.len()..))?;
        Ok(Self { kind: (head >> 24) as u8, id, data, sub })
    }

    pub fn put(&self, buf: &mut BytesMut) {
        let mut value = BytesMut::new();
        value.put_u32(u32::from(self.kind) << 24);
        value.put_u32(self.id);
        value.put_u32(self.data);
        Tlv::put_all(&self.sub, &mut value);
        Tlv::put_all(&[Tlv::new(1, value.freeze())], buf);
    }
}
