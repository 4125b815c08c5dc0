//! OSPFv3's header, Hello and Database Description (RFC 5340 §A.3).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | version (3)   | type          | packet length                 |
//! | router ID                                                     |
//! | area ID                                                       |
//! | checksum                      | instance ID   | 0             |
//! +---------------+---------------+---------------+---------------+
//! ```

mod external;
mod inter_area;
mod intra_area;
mod link;
mod network;
mod prefix;
mod router;

use std::marker::PhantomData;
use std::net::IpAddr;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::{Reader, checksum};

use crate::auth::{self, Accept, AuthField, Sign};
use crate::codec::{Codec, Endpoints, Frame, Origin, Scope};
use crate::family::{Family, Inet6};
use crate::packet::DdFlags;
use crate::v2::neighbors;
use crate::{AreaId, Body, DatabaseDescription, Hello, Kind, LsType, Options, Refusal};

pub use crate::v2::{LinkKind, RouterFlags};
pub use external::ExternalLsa;
pub use inter_area::{InterAreaPrefixLsa, InterAreaRouterLsa};
pub use intra_area::{IntraAreaPrefixLsa, PrefixMetric};
pub use link::LinkLsa;
pub use network::NetworkLsa;
pub use prefix::{LsaPrefix, PrefixOptions};
pub use router::{RouterLink, RouterLsa};

/// OSPF for IPv6 (RFC 5340), or by it for another family (RFC 5838).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct V3<F = Inet6>(PhantomData<F>);

/// LS types (§A.4.2.1): the U bit, two bits of scope, the function code.
pub mod ty {
    use crate::LsType;

    pub const ROUTER: LsType = LsType(0x2001);
    pub const NETWORK: LsType = LsType(0x2002);
    pub const INTER_AREA_PREFIX: LsType = LsType(0x2003);
    pub const INTER_AREA_ROUTER: LsType = LsType(0x2004);
    pub const EXTERNAL: LsType = LsType(0x4005);
    pub const NSSA: LsType = LsType(0x2007);
    pub const LINK: LsType = LsType(0x0008);
    pub const INTRA_AREA_PREFIX: LsType = LsType(0x2009);
    pub const GRACE: LsType = LsType(0x000b);

    /// U: a router that does not know the type floods it as if it did.
    pub const UNKNOWN_FLOODED: u16 = 0x8000;
}

const HEADER: usize = 16;
const CHECKSUM_AT: usize = 12;
/// OSPF as IP counts protocols.
const PROTOCOL: u32 = 89;

fn pseudo_header(ends: Endpoints, length: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity(40);
    for end in [ends.source, ends.destination] {
        match end {
            IpAddr::V6(addr) => octets.extend(addr.octets()),
            IpAddr::V4(addr) => octets.extend(addr.to_ipv6_mapped().octets()),
        }
    }
    octets.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    octets.extend(PROTOCOL.to_be_bytes());
    octets
}

/// Octets of link-local signalling behind a packet that says it has them (RFC 5613 §2), bounded by what is there.
fn signalling(frame: &Frame) -> Result<usize, Refusal> {
    let at = match frame.kind {
        Kind::Hello => 4,
        Kind::DatabaseDescription => 0,
        _ => return Ok(0),
    };
    let r = &mut Reader::new(&frame.body);
    r.take(at)?;
    if !Options(r.u32()? & 0xff_ffff).has(Options::L3) {
        return Ok(0);
    }
    let r = &mut Reader::new(&frame.trailer);
    let (_checksum, words) = (r.u16()?, usize::from(r.u16()?));
    // The length counts words, its own included.
    if words == 0 || words * 4 > frame.trailer.len() { Err(Refusal::AuthTrailer) } else { Ok(words * 4) }
}

impl<F: Family> Codec for V3<F> {
    const VERSION: u8 = 3;
    const HEADER: usize = HEADER;
    const DESCRIPTION: usize = 12;

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
        Ok(Frame {
            kind,
            router: RouterId(r.ipv4()?),
            area: AreaId(r.ipv4()?),
            checksum: r.u16()?,
            instance: r.u8()?,
            auth: AuthField::None,
            packet: octets.slice(..length),
            body: octets.slice(HEADER..length),
            trailer: octets.slice(length..),
        })
    }

    fn verify(frame: &Frame, accept: &Accept<'_>, ends: Endpoints) -> Result<Option<u64>, Refusal> {
        if matches!(accept, Accept::Keys(_)) {
            return auth::verify_v3(frame, signalling(frame)?, accept, ends);
        }
        let pseudo = pseudo_header(ends, frame.packet.len());
        if checksum::internet(&[&pseudo, &frame.packet]) != 0 {
            return Err(Refusal::Checksum);
        }
        Ok(None)
    }

    fn seal(origin: &Origin, body: &Body, sign: &Sign<'_>, ends: Endpoints) -> Bytes {
        let mut buf = BytesMut::with_capacity(1500);
        buf.put_u8(Self::VERSION);
        buf.put_u8(body.kind() as u8);
        buf.put_u16(0);
        buf.put_slice(&origin.router.0.octets());
        buf.put_slice(&origin.area.0.octets());
        buf.put_u16(0);
        buf.put_u8(origin.instance);
        buf.put_u8(0);
        body.put::<Self>(&mut buf);
        let length = u16::try_from(buf.len()).unwrap_or(u16::MAX);
        set(&mut buf, 2, length);
        if let Sign::Digest { key, sequence } = sign {
            // The checksum is left out of signed packets (RFC 7166 §4.5).
            auth::append_v3(&mut buf, key, *sequence, ends.source);
        } else {
            let sum = checksum::internet(&[&pseudo_header(ends, buf.len()), &buf]);
            set(&mut buf, CHECKSUM_AT, sum);
        }
        buf.freeze()
    }

    fn read_hello(r: &mut Reader<'_>) -> Result<Hello, Refusal> {
        let link = r.u32()?;
        let field = r.u32()?;
        let (hello_interval, dead_interval) = (r.u16()?, u32::from(r.u16()?));
        let (designated, backup) = (r.ipv4()?, r.ipv4()?);
        Ok(Hello {
            link,
            hello_interval,
            dead_interval,
            options: Options(field & 0xff_ffff),
            priority: (field >> 24) as u8,
            designated,
            backup,
            neighbors: neighbors(r)?,
        })
    }

    fn put_hello(hello: &Hello, buf: &mut BytesMut) {
        buf.put_u32(hello.link);
        buf.put_u32(u32::from(hello.priority) << 24 | hello.options.0 & 0xff_ffff);
        buf.put_u16(hello.hello_interval);
        buf.put_u16(hello.dead_interval as u16);
        buf.put_slice(&hello.designated.octets());
        buf.put_slice(&hello.backup.octets());
        hello.neighbors.iter().for_each(|id| buf.put_slice(&id.0.octets()));
    }

    fn read_description(r: &mut Reader<'_>) -> Result<DatabaseDescription, Refusal> {
        let options = Options(r.u32()? & 0xff_ffff);
        let mtu = r.u16()?;
        let flags = DdFlags::from_bits(r.u16()? as u8);
        Ok(DatabaseDescription { mtu, options, flags, sequence: r.u32()?, headers: Vec::new() })
    }

    fn put_description(description: &DatabaseDescription, buf: &mut BytesMut) {
        buf.put_u32(description.options.0 & 0xff_ffff);
        buf.put_u16(description.mtu);
        buf.put_u16(u16::from(description.flags.bits()));
        buf.put_u32(description.sequence);
    }

    fn split_type(field: u16) -> (Options, LsType) {
        (Options::default(), LsType(field))
    }

    fn join_type(_: Options, ty: LsType) -> u16 {
        ty.0
    }

    /// Unknown types go as far as they say if their U bit is set, and no farther than the link if not (§4.5.1 (2)).
    fn scope(ty: LsType) -> Option<Scope> {
        let known = matches!(
            ty,
            ty::ROUTER
                | ty::NETWORK
                | ty::INTER_AREA_PREFIX
                | ty::INTER_AREA_ROUTER
                | ty::EXTERNAL
                | ty::NSSA
                | ty::LINK
                | ty::INTRA_AREA_PREFIX
                | ty::GRACE
        );
        match (ty.0 >> 13 & 3, known || ty.0 & ty::UNKNOWN_FLOODED != 0) {
            (3, _) => None, // reserved
            (_, false) | (0, _) => Some(Scope::Link),
            (1, true) => Some(Scope::Area),
            (_, true) => Some(Scope::As),
        }
    }

    fn check_body(ty: LsType, body: &[u8]) -> Result<(), Refusal> {
        let read = match ty {
            ty::ROUTER => RouterLsa::read(body).map(drop),
            ty::NETWORK => NetworkLsa::read(body).map(drop),
            ty::INTER_AREA_PREFIX => InterAreaPrefixLsa::read(body).map(drop),
            ty::INTER_AREA_ROUTER => InterAreaRouterLsa::read(body).map(drop),
            ty::EXTERNAL | ty::NSSA => ExternalLsa::read(body).map(drop),
            ty::LINK => LinkLsa::read(body).map(drop),
            ty::INTRA_AREA_PREFIX => IntraAreaPrefixLsa::read(body).map(drop),
            _ => Ok(()),
        };
        read.map_err(|_| Refusal::LsaBody)
    }
}

fn set(buf: &mut BytesMut, at: usize, value: u16) {
    if let Some(field) = buf.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}
