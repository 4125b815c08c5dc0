//! AS_PATH (RFC 4271 §5.1.2, RFC 5065, RFC 6793): one boxed slice of octets, four to an AS number.

use ferrite_types::Asn;

/// Kind of a path segment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SegmentKind {
    Set = 1,
    Sequence = 2,
    ConfedSequence = 3,
    ConfedSet = 4,
}

/// One segment of a path, borrowed from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<'a> {
    pub kind: SegmentKind,
    /// Four octets each, big endian.
    octets: &'a [u8],
}

impl<'a> Segment<'a> {
    pub fn asns(&self) -> impl DoubleEndedIterator<Item = Asn> + ExactSizeIterator + use<'a> {
        self.octets.chunks_exact(4).map(|o| Asn(u32::from_be_bytes([o[0], o[1], o[2], o[3]])))
    }
}

/// An AS path. The octets are those of the wire with four-octet AS numbers, and valid by construction.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AsPath(Box<[u8]>);
