//! Authentication of packets: simple passwords, keyed MD5, HMAC-SHA, OSPFv3's trailer.
//!
//! OSPFv2 (RFC 2328 §D, RFC 5709) has key ID, length and sequence number in the packet header and the digest behind the packet;
//! OSPFv3 (RFC 7166) has all of it in a trailer, and mixes the source address into the digest. Both fill the place of the
//! digest with [`APAD`] while it is computed. What is returned of a packet that is genuine is its sequence number: whether
//! that may be taken is the neighbour's business. The digest is always judged before the number is looked at.
//!
//! ```text
//! OSPFv3's trailer:
//! +-------------------------------+-------------------------------+
//! | authentication type (1)       | length, these 16 octets incl. |
//! | reserved                      | Security Association ID       |
//! | sequence number, high order                                   |
//! | sequence number, low order                                    |
//! | digest                                                        |
//! ```

mod extended;

use bytes::{BufMut, BytesMut};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use std::net::{IpAddr, Ipv6Addr};

use ferrite_wire::Reader;

use crate::codec::Frame;
use crate::{Endpoints, Refusal};

/// RFC 5709 §3.3, RFC 7166 §4.5.
const APAD: [u8; 4] = [0x87, 0x8f, 0xe1, 0xf3];
/// Octets of OSPFv3's trailer before the digest.
const TRAILER: usize = 16;
/// HMAC of RFC 7166, the only type there is.
const TRAILER_HMAC: u16 = 1;
/// OSPFv3 as RFC 7166 §4.2 counts cryptographic protocols.
const PROTOCOL: [u8; 2] = [0, 1];

/// How a digest is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// MD5 over packet and key; OSPFv2 only.
    KeyedMd5,
    HmacSha1,
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

impl Algorithm {
    pub const ALL: [Self; 5] =
        [Self::KeyedMd5, Self::HmacSha1, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// Octets of the digest.
    pub const fn len(self) -> usize {
        match self {
            Self::KeyedMd5 => 16,
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }

    fn hash(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::KeyedMd5 => Md5::digest(octets).to_vec(),
            Self::HmacSha1 => Sha1::digest(octets).to_vec(),
            Self::HmacSha256 => Sha256::digest(octets).to_vec(),
            Self::HmacSha384 => Sha384::digest(octets).to_vec(),
            Self::HmacSha512 => Sha512::digest(octets).to_vec(),
        }
    }

    /// HMAC with a key longer than the digest hashed first (RFC 5709 §3.3: Ko), which is earlier than RFC 2104 does it.
    fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let hashed = if key.len() > self.len() { self.hash(key) } else { key.to_vec() };
        macro_rules! with {
            ($hash:ty) => {{
                let Ok(mut mac) = Hmac::<$hash>::new_from_slice(&hashed) else { return Vec::new() };
                parts.iter().for_each(|part| mac.update(part));
                mac.finalize().into_bytes().to_vec()
            }};
        }
        match self {
            Self::KeyedMd5 => with!(Md5),
            Self::HmacSha1 => with!(Sha1),
            Self::HmacSha256 => with!(Sha256),
            Self::HmacSha384 => with!(Sha384),
            Self::HmacSha512 => with!(Sha512),
        }
    }
}

/// A key as both ends know it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Key ID; eight bits of it in OSPFv2, sixteen in OSPFv3, all with extended sequence numbers.
    pub id: u32,
    pub algorithm: Algorithm,
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub enum Sign<'a> {
    None,
    /// A password, padded with zeros (RFC 2328 §D.4.2).
    Simple([u8; 8]),
    Digest {
        key: &'a Key,
        sequence: u64,
    },
    /// With an extended sequence number; OSPFv2 only (RFC 7474).
    Extended {
        key: &'a Key,
        sequence: u64,
    },
}

/// What is taken.
#[derive(Clone, Copy, Debug)]
pub enum Accept<'a> {
    None,
    Simple([u8; 8]),
    /// Any of these.
    Keys(&'a [Key]),
    /// Any of these with an extended sequence number, and nothing else; OSPFv2 only (RFC 7474).
    Extended(&'a [Key]),
}

/// The authentication field of OSPFv2's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthField {
    None,
    Simple([u8; 8]),
    Digest {
        key: u8,
        len: u8,
        sequence: u32,
    },
    /// The sequence number is behind the packet (RFC 7474 §3).
    Extended {
        key: u32,
        len: u8,
    },
    /// A type that is not taken.
    Other(u16),
}

/// Equal without telling by the time it takes where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

pub(crate) use extended::append as append_extended;

/// The digest of an OSPFv2 packet.
pub(crate) fn digest_v2(key: &Key, packet: &[u8]) -> Vec<u8> {
    match key.algorithm {
        Algorithm::KeyedMd5 => {
            let mut secret = [0; 16];
            secret.iter_mut().zip(&key.secret).for_each(|(place, octet)| *place = *octet);
            let mut md5 = Md5::new();
            md5.update(packet);
            md5.update(secret);
            md5.finalize().to_vec()
        }
        algorithm => algorithm.hmac(&key.secret, &[packet, &APAD.repeat(algorithm.len() / 4)]),
    }
}

/// The digest of an OSPFv3 packet: `signed` is the packet, its signalling block and the trailer's first 16 octets.
fn digest_v3(key: &Key, signed: &[u8], source: Ipv6Addr) -> Vec<u8> {
    let mut apad = source.octets().to_vec();
    apad.extend(APAD.repeat(key.algorithm.len().saturating_sub(16) / 4));
    let mut secret = key.secret.clone();
    secret.extend(PROTOCOL);
    key.algorithm.hmac(&secret, &[signed, &apad])
}

/// Judges an OSPFv2 packet whose checksum is the caller's business.
pub(crate) fn verify_v2(frame: &Frame, accept: &Accept<'_>, ends: Endpoints) -> Result<Option<u64>, Refusal> {
    match (accept, frame.auth) {
        (Accept::None, AuthField::None) => Ok(None),
        (Accept::Simple(ours), AuthField::Simple(theirs)) if same(ours, &theirs) => Ok(None),
        (Accept::Simple(_), AuthField::Simple(_)) => Err(Refusal::AuthDigest),
        (Accept::Keys(keys), AuthField::Digest { key, len, sequence }) => {
            let key = keys.iter().find(|ours| ours.id == u32::from(key)).ok_or(Refusal::AuthKey)?;
            let theirs = frame.trailer.get(..usize::from(len)).ok_or(Refusal::AuthTrailer)?;
            if theirs.len() != key.algorithm.len() {
                return Err(Refusal::AuthTrailer);
            }
            if !same(&digest_v2(key, &frame.packet), theirs) {
                return Err(Refusal::AuthDigest);
            }
            Ok(Some(u64::from(sequence)))
        }
        (Accept::Extended(keys), AuthField::Extended { key, len }) => {
            extended::verify(frame, keys, key, len, ends.source).map(Some)
        }
        _ => Err(Refusal::AuthType),
    }
}

/// Judges OSPFv3's trailer, `signalling` octets behind the end of the packet.
pub(crate) fn verify_v3(
    frame: &Frame,
    signalling: usize,
    accept: &Accept<'_>,
    ends: Endpoints,
) -> Result<Option<u64>, Refusal> {
    let keys = match accept {
        Accept::Keys(keys) => *keys,
        Accept::Extended(_) => return Err(Refusal::AuthType),
        Accept::None | Accept::Simple(_) => return Ok(None),
    };
    let IpAddr::V6(source) = ends.source else { return Err(Refusal::AuthType) };
    let mut reader = Reader::new(&frame.trailer);
    let block = reader.take(signalling).map_err(|_| Refusal::AuthTrailer)?;
    let head = reader.take(TRAILER).map_err(|_| Refusal::AuthType)?;
    let mut fields = Reader::new(head);
    let (kind, len) = (fields.u16()?, usize::from(fields.u16()?));
    let (_reserved, id, sequence) = (fields.u16()?, fields.u16()?, fields.u64()?);
    if kind != TRAILER_HMAC {
        return Err(Refusal::AuthType);
    }
    let digest_len = len.checked_sub(TRAILER).ok_or(Refusal::AuthTrailer)?;
    let theirs = reader.take(digest_len).map_err(|_| Refusal::AuthTrailer)?;
    let key = keys.iter().find(|ours| ours.id == u32::from(id)).ok_or(Refusal::AuthKey)?;
    if theirs.len() != key.algorithm.len() {
        return Err(Refusal::AuthTrailer);
    }
    let signed = [&frame.packet[..], block, head].concat();
    if !same(&digest_v3(key, &signed, source), theirs) {
        return Err(Refusal::AuthDigest);
    }
    Ok(Some(sequence))
}

/// Appends OSPFv3's trailer to a complete packet.
pub(crate) fn append_v3(buf: &mut BytesMut, key: &Key, sequence: u64, source: IpAddr) {
    let IpAddr::V6(source) = source else { return };
    buf.put_u16(TRAILER_HMAC);
    buf.put_u16((TRAILER + key.algorithm.len()) as u16);
    buf.put_u16(0);
    buf.put_u16(key.id as u16);
    buf.put_u64(sequence);
    let digest = digest_v3(key, buf, source);
    buf.put_slice(&digest);
}
