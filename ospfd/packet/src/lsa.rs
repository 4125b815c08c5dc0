//! LSAs as flooding sees them: a header, a checksum, octets that are passed on unchanged (RFC 2328 §12.1, RFC 5340 §A.4.2).
//!
//! ```text
//!  0               1               2               3
//! +---------------+---------------+---------------+---------------+
//! | LS age                        | v2: options   | v2: LS type   |
//! |                               | v3: LS type                   |
//! +---------------+---------------+---------------+---------------+
//! | Link State ID                                                 |
//! | Advertising Router                                            |
//! | LS sequence number                                            |
//! +---------------+---------------+---------------+---------------+
//! | LS checksum                   | length                        |
//! +---------------+---------------+---------------+---------------+
//! ```

use std::cmp::Ordering;
use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::{Reader, Short, checksum};

use crate::{Codec, LsId, LsaKey, Options, Refusal, Sequence};

/// Octets of the header.
pub const HEADER: usize = 20;
/// Seconds after which an LSA is no longer used and is flushed.
pub const MAX_AGE: u16 = 3600;
/// In an age: it does not grow with time (RFC 1793 §2.2).
pub const DO_NOT_AGE: u16 = 0x8000;
/// Seconds of difference in age that make the younger of two equal instances the newer one.
pub const MAX_AGE_DIFF: u16 = 900;
/// Where Fletcher's checksum stands in what it covers: all but the age.
const CHECKSUM_AT: usize = 14;

/// The header of an LSA.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LsaHeader {
    /// Seconds, at most [`MAX_AGE`]; with [`DO_NOT_AGE`] as it was on the wire.
    pub age: u16,
    /// OSPFv2 only; 0 in OSPFv3.
    pub options: Options,
    pub key: LsaKey,
    pub sequence: Sequence,
    pub checksum: u16,
    pub length: u16,
}

impl LsaHeader {
    pub fn read<C: Codec>(reader: &mut Reader<'_>) -> Result<Self, Short> {
        let mut reader_ = Reader::new(reader.take(HEADER)?);
        let r = &mut reader_;
        let age = r.u16()?;
        let (options, ty) = C::split_type(r.u16()?);
        Ok(Self {
            age,
            options,
            key: LsaKey { ty, id: LsId(r.u32()?), adv: RouterId(r.ipv4()?) },
            sequence: Sequence(r.u32()? as i32),
            checksum: r.u16()?,
            length: r.u16()?,
        })
    }

    pub fn put<C: Codec>(&self, buf: &mut BytesMut) {
        buf.put_u16(self.age);
        buf.put_u16(C::join_type(self.options, self.key.ty));
        buf.put_u32(self.key.id.0);
        buf.put_slice(&self.key.adv.0.octets());
        buf.put_i32(self.sequence.0);
        buf.put_u16(self.checksum);
        buf.put_u16(self.length);
    }

    pub fn is_max_age(&self) -> bool {
        self.seconds() >= MAX_AGE
    }

    /// The age alone.
    pub fn seconds(&self) -> u16 {
        self.age & !DO_NOT_AGE
    }

    pub fn does_not_age(&self) -> bool {
        self.age & DO_NOT_AGE != 0
    }

    /// Which of two instances of an LSA is newer: [`Ordering::Greater`] is this one (RFC 2328 §13.1).
    pub fn compare(&self, other: &Self) -> Ordering {
        let by_age = || match (self.is_max_age(), other.is_max_age()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ if self.seconds().abs_diff(other.seconds()) > MAX_AGE_DIFF => {
                other.seconds().cmp(&self.seconds())
            }
            _ => Ordering::Equal,
        };
        let by_number = self.sequence.cmp(&other.sequence);
        by_number.then(self.checksum.cmp(&other.checksum)).then_with(by_age)
    }

    /// Whether an acknowledgment with this header is for the instance with the other one.
    pub fn same_instance(&self, other: &Self) -> bool {
        self.key == other.key && self.compare(other) == Ordering::Equal
    }
}

/// A complete LSA: at least a header, and as long as its length field says.
#[derive(Clone, PartialEq, Eq)]
pub struct Lsa {
    header: LsaHeader,
    octets: Bytes,
}

impl Lsa {
    /// Cuts the next LSA off; checks its length only.
    pub fn read<C: Codec>(octets: &mut Bytes) -> Result<Self, Refusal> {
        let header = LsaHeader::read::<C>(&mut Reader::new(octets)).map_err(|_| Refusal::LsaLength)?;
        let length = usize::from(header.length);
        if length < HEADER || length > octets.len() {
            return Err(Refusal::LsaLength);
        }
        Ok(Self { header, octets: octets.split_to(length) })
    }

    /// A new LSA with its length and checksum; none where the body is longer than an LSA can be.
    pub fn build<C: Codec>(mut header: LsaHeader, body: &[u8]) -> Option<Self> {
        header.length = u16::try_from(HEADER + body.len()).ok()?;
        header.checksum = 0;
        let mut buf = BytesMut::with_capacity(HEADER + body.len());
        header.put::<C>(&mut buf);
        buf.put_slice(body);
        header.checksum = checksum::fletcher(buf.get(2..)?, CHECKSUM_AT);
        buf.get_mut(16..18)?.copy_from_slice(&header.checksum.to_be_bytes());
        Some(Self { header, octets: buf.freeze() })
    }

    pub fn header(&self) -> &LsaHeader {
        &self.header
    }

    pub fn key(&self) -> LsaKey {
        self.header.key
    }

    /// Length in octets, the header included.
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    pub fn body(&self) -> &[u8] {
        self.octets.get(HEADER..).unwrap_or_default()
    }

    /// The body, sharing the LSA's octets.
    pub fn body_bytes(&self) -> Bytes {
        self.octets.slice(HEADER.min(self.octets.len())..)
    }

    /// Its octets with the age they were received or built with.
    pub fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// The same LSA in octets of its own, so that it does not keep the packet it came in.
    pub fn detached(&self) -> Self {
        Self { header: self.header, octets: Bytes::copy_from_slice(&self.octets) }
    }

    /// The same LSA at another age; shares nothing only if it must.
    pub fn at_age(&self, age: u16) -> Self {
        let mut buf = BytesMut::from(&self.octets[..]);
        if let Some(field) = buf.get_mut(..2) {
            field.copy_from_slice(&age.to_be_bytes());
        }
        Self { header: LsaHeader { age, ..self.header }, octets: buf.freeze() }
    }

    /// Appends the octets with another age.
    pub fn put_at_age(&self, age: u16, buf: &mut BytesMut) {
        buf.put_u16(age);
        buf.put_slice(self.octets.get(2..).unwrap_or_default());
    }

    /// Whether the checksum over all but the age holds.
    pub fn is_intact(&self) -> bool {
        self.header.checksum != 0 && checksum::fletcher_holds(self.octets.get(2..).unwrap_or_default())
    }

    /// Everything about a received LSA that needs no database: checksum, type, age, number, body (RFC 2328 §13 (1), (2)).
    pub fn check<C: Codec>(&self) -> Result<(), Refusal> {
        if !self.is_intact() {
            return Err(Refusal::LsaChecksum);
        }
        if C::scope(self.header.key.ty).is_none() {
            return Err(Refusal::LsaType);
        }
        if self.header.seconds() > MAX_AGE {
            return Err(Refusal::LsaAge);
        }
        if self.header.sequence == Sequence::RESERVED {
            return Err(Refusal::LsaSequence);
        }
        C::check_body(self.header.key.ty, self.body())
    }
}

impl fmt::Debug for Lsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lsa").field("header", &self.header).field("body", &self.body().len()).finish()
    }
}
