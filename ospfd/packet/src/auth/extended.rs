//! OSPFv2's cryptographic authentication with extended sequence numbers (RFC 7474, AuType 3).
//!
//! The header has a key ID of 32 bits and no sequence number; that follows the packet, 64 bits of it, is not counted in the
//! packet's length, and is covered by the digest behind it. The digest begins its padding with the source of the IP header (§5),
//! and the key ends with the number of the protocol (§6): a packet that was recorded is genuine neither from another source nor in
//! another protocol. Only the HMACs of RFC 5709 are made so; keyed MD5 has no padding that could hold a source.
//!
//! ```text
//! | 0                                             | length of the digest      |
//! | key ID                                                                    |
//! ... the packet ...
//! | sequence number, high order: how often the router forgot the low one      |
//! | sequence number, low order: packets sent since                            |
//! | digest                                                                    |
//! ```

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use ferrite_wire::Reader;

use super::{APAD, Algorithm, Key, same};
use crate::Refusal;
use crate::codec::Frame;

/// OSPFv2 as IANA counts cryptographic protocols (RFC 7474 §6).
const PROTOCOL: [u8; 2] = [0, 3];
/// Octets of the sequence number.
const SEQUENCE: usize = 8;

impl Algorithm {
    /// Whether it signs packets with extended sequence numbers.
    pub const fn signs_extended(self) -> bool {
        !matches!(self, Self::KeyedMd5)
    }
}

/// The digest of a packet and its sequence number.
fn digest(key: &Key, signed: &[&[u8]], source: IpAddr) -> Option<Vec<u8>> {
    let IpAddr::V4(source) = source else { return None };
    if !key.algorithm.signs_extended() {
        return None;
    }
    let mut apad = source.octets().to_vec();
    apad.extend(APAD.repeat(key.algorithm.len().saturating_sub(4) / 4));
    let secret = [&key.secret[..], &PROTOCOL].concat();
    let parts: Vec<&[u8]> = signed.iter().copied().chain([&apad[..]]).collect();
    Some(key.algorithm.hmac(&secret, &parts))
}

/// Judges what follows the packet; the sequence number of one that is genuine.
pub(super) fn verify(frame: &Frame, keys: &[Key], id: u32, len: u8, source: IpAddr) -> Result<u64, Refusal> {
    let key = keys.iter().find(|ours| ours.id == id).ok_or(Refusal::AuthKey)?;
    let mut reader = Reader::new(&frame.trailer);
    let sequence = reader.take(SEQUENCE).map_err(|_| Refusal::AuthTrailer)?;
    let theirs = reader.take(usize::from(len)).map_err(|_| Refusal::AuthTrailer)?;
    if theirs.len() != key.algorithm.len() {
        return Err(Refusal::AuthTrailer);
    }
    let ours = digest(key, &[&frame.packet, sequence], source).ok_or(Refusal::AuthKey)?;
    if !same(&ours, theirs) {
        return Err(Refusal::AuthDigest);
    }
    Ok(Reader::new(sequence).u64()?)
}

/// Appends the sequence number and the digest to a complete packet.
pub(crate) fn append(buf: &mut BytesMut, key: &Key, sequence: u64, source: IpAddr) {
    buf.put_u64(sequence);
    if let Some(digest) = digest(key, &[buf], source) {
        buf.put_slice(&digest);
    }
}
