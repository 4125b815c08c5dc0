//! The text of a path as FRR writes it, which is also what as-path access lists match.

use std::fmt;

use ferrite_types::{Asn, AsnNotation};

use super::{AsPath, Segment, SegmentKind};

/// A path with the notation its AS numbers are written in.
#[derive(Clone, Copy, Debug)]
pub struct AsPathText<'a> {
    path: &'a AsPath,
    notation: AsnNotation,
}

impl AsPath {
    pub const fn text(&self, notation: AsnNotation) -> AsPathText<'_> {
        AsPathText { path: self, notation }
    }
}

/// `65001 65002 {65003,65004}`, confederation sequences as `(1 2)` and confederation sets as `[1,2]`.
impl fmt::Display for AsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(f, self, |f, asn| fmt::Display::fmt(&asn.0, f))
    }
}

impl fmt::Display for AsPathText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.notation {
            AsnNotation::Plain => fmt::Display::fmt(self.path, f),
            notation => write_path(f, self.path, |f, asn| f.write_str(&asn.format(notation))),
        }
    }
}

fn write_path(
    f: &mut fmt::Formatter<'_>,
    path: &AsPath,
    write_asn: impl Fn(&mut fmt::Formatter<'_>, Asn) -> fmt::Result,
) -> fmt::Result {
    for (index, segment) in path.segments().enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        write_segment(f, segment, &write_asn)?;
    }
    Ok(())
}

fn write_segment(
    f: &mut fmt::Formatter<'_>,
    segment: Segment<'_>,
    write_asn: &impl Fn(&mut fmt::Formatter<'_>, Asn) -> fmt::Result,
) -> fmt::Result {
    let (open, between, close) = match segment.kind {
        SegmentKind::Sequence => ("", " ", ""),
        SegmentKind::Set => ("{", ",", "}"),
        SegmentKind::ConfedSequence => ("(", " ", ")"),
        SegmentKind::ConfedSet => ("[", ",", "]"),
    };
    f.write_str(open)?;
    for (index, asn) in segment.asns().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write_asn(f, asn)?;
    }
    f.write_str(close)
}
