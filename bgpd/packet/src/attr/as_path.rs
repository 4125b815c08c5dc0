//! AS_PATH (RFC 4271 §5.1.2, RFC 5065, RFC 6793): one boxed slice of octets, four to an AS number.

mod edit;
mod text;

pub use edit::PrivateAs;
pub use text::AsPathText;

use ferrite_types::Asn;
use ferrite_wire::Reader;

/// Kind of a path segment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SegmentKind {
    Set = 1,
    Sequence = 2,
    ConfedSequence = 3,
    ConfedSet = 4,
}

impl SegmentKind {
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Set),
            2 => Some(Self::Sequence),
            3 => Some(Self::ConfedSequence),
            4 => Some(Self::ConfedSet),
            _ => None,
        }
    }

    pub const fn is_confed(self) -> bool {
        matches!(self, Self::ConfedSequence | Self::ConfedSet)
    }

    pub const fn is_set(self) -> bool {
        matches!(self, Self::Set | Self::ConfedSet)
    }
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

    /// Number of AS numbers in the segment, 1 to 255.
    pub const fn len(&self) -> usize {
        self.octets.len() / 4
    }

    pub const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// What the segment counts in the decision process: a set counts one, confederation segments nothing
    /// (RFC 4271 §9.1.2.2, RFC 5065 §5.3).
    const fn hops(&self) -> usize {
        match self.kind {
            SegmentKind::Set => 1,
            SegmentKind::Sequence => self.len(),
            SegmentKind::ConfedSequence | SegmentKind::ConfedSet => 0,
        }
    }
}

/// What is wrong with the octets of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AsPathError {
    #[error("segment type {0}")]
    SegmentKind(u8),
    #[error("segment without an AS number")]
    EmptySegment,
    #[error("segment runs past the end")]
    Overrun,
    #[error("AS 0 in the path")]
    ZeroAs,
}

/// An AS path. The octets are those of the wire with four-octet AS numbers, and valid by construction.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AsPath(Box<[u8]>);

impl AsPath {
    /// Reads a path with AS numbers of two or four octets.
    pub fn decode(octets: &[u8], four_octet: bool) -> Result<Self, AsPathError> {
        let width = if four_octet { 4 } else { 2 };
        let mut reader = Reader::new(octets);
        let mut wide = if four_octet { Vec::new() } else { Vec::with_capacity(octets.len() * 2) };
        while !reader.is_empty() {
            let [kind, count] = reader.array().map_err(|_| AsPathError::Overrun)?;
            SegmentKind::from_code(kind).ok_or(AsPathError::SegmentKind(kind))?;
            if count == 0 {
                return Err(AsPathError::EmptySegment);
            }
            let asns = reader.take(usize::from(count) * width).map_err(|_| AsPathError::Overrun)?;
            if asns.chunks_exact(width).any(|asn| asn.iter().all(|octet| *octet == 0)) {
                return Err(AsPathError::ZeroAs);
            }
            if !four_octet {
                wide.extend([kind, count]);
                asns.chunks_exact(2).for_each(|asn| wide.extend([0, 0, asn[0], asn[1]]));
            }
        }
        Ok(Self(if four_octet { octets.into() } else { wide.into() }))
    }

    /// A path of one sequence; segments are split where more than 255 AS numbers are given.
    pub fn sequence(asns: impl IntoIterator<Item = Asn>) -> Self {
        let asns: Vec<Asn> = asns.into_iter().collect();
        let mut octets = Vec::with_capacity(asns.len() * 4 + 2);
        push_segment(&mut octets, SegmentKind::Sequence, asns);
        Self(octets.into())
    }

    /// A path of these segments; empty ones are left out.
    pub fn from_segments(segments: impl IntoIterator<Item = (SegmentKind, Vec<Asn>)>) -> Self {
        let mut octets = Vec::new();
        for (kind, asns) in segments {
            push_segment(&mut octets, kind, asns);
        }
        Self(octets.into())
    }

    /// The octets of the wire, AS numbers of four octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> + Clone {
        Segments { rest: &self.0 }
    }

    /// Every AS number of the path in order, sets and confederation segments included.
    pub fn asns(&self) -> impl Iterator<Item = Asn> {
        self.segments().flat_map(|segment| segment.asns())
    }

    /// Length as the decision process counts it.
    pub fn hops(&self) -> usize {
        self.segments().map(|segment| segment.hops()).sum()
    }

    /// Number of confederation members in the path, for `bgp bestpath as-path confed`.
    pub fn confed_hops(&self) -> usize {
        self.segments()
            .map(|segment| match segment.kind {
                SegmentKind::ConfedSequence => segment.len(),
                SegmentKind::ConfedSet => 1,
                SegmentKind::Set | SegmentKind::Sequence => 0,
            })
            .sum()
    }

    /// The AS the route was received from: first of the first segment, whatever its kind.
    pub fn first(&self) -> Option<Asn> {
        self.segments().next().and_then(|segment| segment.asns().next())
    }

    /// The AS outside the confederation next to us, by which MEDs are grouped: first AS of the first segment that is
    /// a sequence and no confederation segment.
    pub fn neighbor(&self) -> Option<Asn> {
        self.segments()
            .find(|segment| !segment.kind.is_confed())
            .filter(|segment| segment.kind == SegmentKind::Sequence)
            .and_then(|segment| segment.asns().next())
    }

    /// The AS that originated the route: last of the last segment.
    pub fn origin(&self) -> Option<Asn> {
        self.segments().last().and_then(|segment| segment.asns().last())
    }

    pub fn contains(&self, asn: Asn) -> bool {
        self.asns().any(|other| other == asn)
    }

    /// How often `asn` stands in the path, for loop checks with `allowas-in`.
    pub fn count(&self, asn: Asn) -> usize {
        self.asns().filter(|other| *other == asn).count()
    }

    pub fn has_set(&self) -> bool {
        self.segments().any(|segment| segment.kind.is_set())
    }

    pub fn has_confed(&self) -> bool {
        self.segments().any(|segment| segment.kind.is_confed())
    }

    pub fn starts_with_confed(&self) -> bool {
        self.segments().next().is_some_and(|segment| segment.kind.is_confed())
    }

    /// Whether no AS number needs four octets.
    pub fn fits_two_octets(&self) -> bool {
        self.asns().all(Asn::fits_two_octets)
    }

    /// The path with AS numbers of two octets, AS_TRANS where one does not fit (RFC 6793 §4.2.2).
    pub fn two_octet_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.0.len() / 2 + 2);
        for segment in self.segments() {
            octets.extend([segment.kind as u8, segment.len() as u8]);
            for asn in segment.asns() {
                let narrow = u16::try_from(asn.0).unwrap_or(Asn::TRANS.0 as u16);
                octets.extend(narrow.to_be_bytes());
            }
        }
        octets
    }

    /// The path an old speaker truncated to two octets, restored from AS4_PATH (RFC 6793 §4.2.3). AS4_PATH is ignored
    /// when it is the longer one.
    pub fn merge_as4(&self, as4: &AsPath) -> AsPath {
        let (total, known) = (self.hops() + self.confed_hops(), as4.hops());
        let Some(mut missing) = total.checked_sub(known) else {
            return self.clone();
        };
        let mut head: Vec<(SegmentKind, Vec<Asn>)> = Vec::new();
        for segment in self.segments() {
            if missing == 0 {
                break;
            }
            let counted = if segment.kind.is_set() { 1 } else { segment.len() };
            let taken = if segment.kind.is_set() { segment.len() } else { counted.min(missing) };
            missing -= counted.min(missing);
            head.push((segment.kind, segment.asns().take(taken).collect()));
        }
        let tail = as4.segments().filter(|s| !s.kind.is_confed()).map(|s| (s.kind, s.asns().collect()));
        let mut joined = head;
        for (kind, asns) in tail {
            append_segment(&mut joined, kind, asns);
        }
        Self::from_segments(joined)
    }
}

/// Adds a segment, into the last one where both are sequences.
fn append_segment(segments: &mut Vec<(SegmentKind, Vec<Asn>)>, kind: SegmentKind, asns: Vec<Asn>) {
    match segments.last_mut() {
        Some((SegmentKind::Sequence, last)) if kind == SegmentKind::Sequence => last.extend(asns),
        _ => segments.push((kind, asns)),
    }
}

/// Writes a segment, split where it has more than the 255 AS numbers that one can say.
fn push_segment(octets: &mut Vec<u8>, kind: SegmentKind, asns: Vec<Asn>) {
    for chunk in asns.chunks(usize::from(u8::MAX)) {
        octets.extend([kind as u8, chunk.len() as u8]);
        octets.extend(chunk.iter().flat_map(|asn| asn.0.to_be_bytes()));
    }
}

#[derive(Clone, Debug)]
struct Segments<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    #[inline]
    fn next(&mut self) -> Option<Segment<'a>> {
        let (&[kind, count], rest) = self.rest.split_first_chunk::<2>()?;
        let (octets, rest) = rest.split_at_checked(usize::from(count) * 4)?;
        self.rest = rest;
        Some(Segment { kind: SegmentKind::from_code(kind)?, octets })
    }
}

#[cfg(test)]
mod tests;
