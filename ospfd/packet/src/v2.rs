//! OSPFv2's header, Hello and Database Description (RFC 2328 §A.3).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | version (2)   | type          | packet length                 |
//! | router ID                                                     |
//! | area ID                                                       |
//! | checksum                      | AuType                        |
//! | authentication: password, or 0 (16), key ID (8), length (8),  |
//! |                 cryptographic sequence number (32);           |
//! |                 with extended ones 0 (24), length, key ID (32)|
//! +---------------------------------------------------------------+
//! ```

mod external;
mod network;
mod router;
mod summary;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::{Reader, checksum};

use crate::auth::{self, Accept, AuthField, Sign};
use crate::codec::{Codec, Endpoints, Frame, Origin, Scope};
use crate::packet::DdFlags;
use crate::{AreaId, Body, DatabaseDescription, Hello, Kind, LsType, Options, Refusal};

pub use external::ExternalLsa;
pub use network::NetworkLsa;
pub use router::{LinkKind, RouterFlags, RouterLink, RouterLsa};
pub use summary::SummaryLsa;

/// OSPF for IPv4 (RFC 2328).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct V2;

/// LS types (§12.1.3, RFC 3101, RFC 5250).
pub mod ty {
    use crate::LsType;

    pub const ROUTER: LsType = LsType(1);
    pub const NETWORK: LsType = LsType(2);
    pub const SUMMARY_NETWORK: LsType = LsType(3);
    pub const SUMMARY_ASBR: LsType = LsType(4);
    pub const EXTERNAL: LsType = LsType(5);
    pub const NSSA: LsType = LsType(7);
    pub const OPAQUE_LINK: LsType = LsType(9);
    pub const OPAQUE_AREA: LsType = LsType(10);
    pub const OPAQUE_AS: LsType = LsType(11);
}

const HEADER: usize = 24;
/// Where the 64 bits of authentication begin, which the checksum skips.
const AUTH_AT: usize = 16;

impl Codec for V2 {
    const VERSION: u8 = 2;
    const HEADER: usize = HEADER;
    const DESCRIPTION: usize = 8;

    fn frame(octets: &Bytes) -> Result<Frame, Refusal> {
        let mut reader = Reader::new(octets);
        let mut r = reader.sub(HEADER).map_err(|_| Refusal::Short)?;
        if r.u8()? != Self::VERSION {
            return Err(Refusal::Version);
        }
        let kind = Kind::from_code(r.u8()?).ok_or(Refusal::Kind)?;
        let length = usize::from(r.u16()?);
        if length < HEADER || length > octets.len() {
            return Err(Refusal::Length);
        }
        let (router, area) = (RouterId(r.ipv4()?), AreaId(r.ipv4()?));
        let checksum = r.u16()?;
        let auth = match r.u16()? {
            0 => AuthField::None,
            1 => AuthField::Simple(r.array()?),
            2 => {
                let (_, key, len) = (r.u16()?, r.u8()?, r.u8()?);
                AuthField::Digest { key, len, sequence: r.u32()? }
            }
            3 => {
                let (_, _, len) = (r.u16()?, r.u8()?, r.u8()?);
                AuthField::Extended { key: r.u32()?, len }
            }
            other => AuthField::Other(other),
        };
        Ok(Frame {
            kind,
            router,
            area,
            instance: 0,
            checksum,
            auth,
            packet: octets.slice(..length),
            body: octets.slice(HEADER..length),
            trailer: octets.slice(length..),
        })
    }

    fn verify(frame: &Frame, accept: &Accept<'_>, ends: Endpoints) -> Result<Option<u64>, Refusal> {
        let parts = frame.packet.split_at_checked(AUTH_AT).zip(frame.packet.get(HEADER..));
        let signed = !matches!(frame.auth, AuthField::None | AuthField::Simple(_));
        match parts {
            // A signed packet has no checksum (§D.4.3).
            Some(((head, _), body)) if signed || checksum::internet(&[head, body]) == 0 => {}
            _ => return Err(Refusal::Checksum),
        }
        auth::verify_v2(frame, accept, ends)
    }

    fn seal(origin: &Origin, body: &Body, sign: &Sign<'_>, ends: Endpoints) -> Bytes {
        let mut buf = BytesMut::with_capacity(1500);
        buf.put_u8(Self::VERSION);
        buf.put_u8(body.kind() as u8);
        buf.put_u16(0);
        buf.put_slice(&origin.router.0.octets());
        buf.put_slice(&origin.area.0.octets());
        buf.put_u16(0);
        match sign {
            Sign::None => {
                buf.put_u16(0);
                buf.put_u64(0);
            }
            Sign::Simple(_) => {
                buf.put_u16(1);
                buf.put_u64(0);
            }
            Sign::Digest { key, sequence } => {
                buf.put_u16(2);
                buf.put_u16(0);
                buf.put_u8(key.id as u8);
                buf.put_u8(key.algorithm.len() as u8);
                buf.put_u32(*sequence as u32);
            }
            Sign::Extended { key, .. } => {
                buf.put_u16(3);
                buf.put_u16(0);
                buf.put_u8(0);
                buf.put_u8(key.algorithm.len() as u8);
                buf.put_u32(key.id);
            }
        }
        body.put::<Self>(&mut buf);
        let length = u16::try_from(buf.len()).unwrap_or(u16::MAX);
        set(&mut buf, 2, &length.to_be_bytes());
        match sign {
            Sign::Digest { key, .. } => {
                let digest = auth::digest_v2(key, &buf);
                buf.put_slice(&digest);
            }
            Sign::Extended { key, sequence } => auth::append_extended(&mut buf, key, *sequence, ends.source),
            Sign::None | Sign::Simple(_) => {
                let sum = checksum::internet(&[&buf]);
                set(&mut buf, 12, &sum.to_be_bytes());
                if let Sign::Simple(password) = sign {
                    set(&mut buf, AUTH_AT, password);
                }
            }
        }
        buf.freeze()
    }

    fn read_hello(r: &mut Reader<'_>) -> Result<Hello, Refusal> {
        let link = r.u32()?;
        let hello_interval = r.u16()?;
        let options = Options(u32::from(r.u8()?));
        let priority = r.u8()?;
        let dead_interval = r.u32()?;
        let (designated, backup) = (r.ipv4()?, r.ipv4()?);
        let neighbors = neighbors(r)?;
        Ok(Hello { link, hello_interval, dead_interval, options, priority, designated, backup, neighbors })
    }

    fn put_hello(hello: &Hello, buf: &mut BytesMut) {
        buf.put_u32(hello.link);
        buf.put_u16(hello.hello_interval);
        buf.put_u8(hello.options.0 as u8);
        buf.put_u8(hello.priority);
        buf.put_u32(hello.dead_interval);
        buf.put_slice(&hello.designated.octets());
        buf.put_slice(&hello.backup.octets());
        hello.neighbors.iter().for_each(|id| buf.put_slice(&id.0.octets()));
    }

    fn read_description(r: &mut Reader<'_>) -> Result<DatabaseDescription, Refusal> {
        let mtu = r.u16()?;
        let options = Options(u32::from(r.u8()?));
        let flags = DdFlags::from_bits(r.u8()?);
        Ok(DatabaseDescription { mtu, options, flags, sequence: r.u32()?, headers: Vec::new() })
    }

    fn put_description(description: &DatabaseDescription, buf: &mut BytesMut) {
        buf.put_u16(description.mtu);
        buf.put_u8(description.options.0 as u8);
        buf.put_u8(description.flags.bits());
        buf.put_u32(description.sequence);
    }

    fn split_type(field: u16) -> (Options, LsType) {
        (Options(u32::from(field >> 8)), LsType(field & 0xff))
    }

    fn join_type(options: Options, ty: LsType) -> u16 {
        (options.0 as u16) << 8 | ty.0 & 0xff
    }

    fn scope(ty: LsType) -> Option<Scope> {
        match ty {
            ty::OPAQUE_LINK => Some(Scope::Link),
            ty::EXTERNAL | ty::OPAQUE_AS => Some(Scope::As),
            ty::ROUTER
            | ty::NETWORK
            | ty::SUMMARY_NETWORK
            | ty::SUMMARY_ASBR
            | ty::NSSA
            | ty::OPAQUE_AREA => Some(Scope::Area),
            _ => None,
        }
    }

    fn check_body(ty: LsType, body: &[u8]) -> Result<(), Refusal> {
        let read = match ty {
            ty::ROUTER => RouterLsa::read(body).map(drop),
            ty::NETWORK => NetworkLsa::read(body).map(drop),
            ty::SUMMARY_NETWORK | ty::SUMMARY_ASBR => SummaryLsa::read(body).map(drop),
            ty::EXTERNAL | ty::NSSA => ExternalLsa::read(body).map(drop),
            // What opaque LSAs say is for those who use them; they are flooded whatever it is (RFC 5250 §3).
            ty::OPAQUE_LINK | ty::OPAQUE_AREA | ty::OPAQUE_AS => Ok(()),
            _ => return Err(Refusal::LsaType),
        };
        read.map_err(|_| Refusal::LsaBody)
    }
}

fn set(buf: &mut BytesMut, at: usize, value: &[u8]) {
    if let Some(field) = buf.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}

/// The list of neighbours that ends a Hello.
pub(crate) fn neighbors(r: &mut Reader<'_>) -> Result<Vec<RouterId>, Refusal> {
    let mut neighbors = Vec::with_capacity(r.len() / 4);
    while !r.is_empty() {
        neighbors.push(RouterId(r.ipv4()?));
    }
    Ok(neighbors)
}

/// The number of one bits of a mask that has no gaps.
pub fn mask_len(mask: u32) -> Option<u8> {
    (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones() as u8)
}
