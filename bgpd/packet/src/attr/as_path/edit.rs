//! Paths changed: prepended, with AS numbers taken out or put in another's place. A path never changes in place,
//! because routes share it.

use ferrite_types::Asn;

use super::{AsPath, SegmentKind, push_segment};

/// What `remove-private-AS` does with private AS numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PrivateAs {
    /// Takes them out, but only from a path that has no public AS number.
    RemoveIfOnly,
    /// Takes out every one.
    RemoveAll,
    /// Puts `with` in the place of each, but only in a path that has no public AS number.
    ReplaceIfOnly { with: Asn },
    /// Puts `with` in the place of every one.
    ReplaceAll { with: Asn },
}

impl AsPath {
    /// Puts `asns` in front, in the order given, as part of the leading sequence.
    pub fn prepend(&self, asns: &[Asn]) -> Self {
        self.prepend_kind(SegmentKind::Sequence, asns)
    }

    /// Puts `asns` in front as confederation members (RFC 5065 §4.1).
    pub fn prepend_confed(&self, asns: &[Asn]) -> Self {
        self.prepend_kind(SegmentKind::ConfedSequence, asns)
    }

    fn prepend_kind(&self, kind: SegmentKind, asns: &[Asn]) -> Self {
        if asns.is_empty() {
            return self.clone();
        }
        let mut octets = Vec::with_capacity(self.0.len() + asns.len() * 4 + 2);
        // A leading segment of the same kind takes the new numbers while they fit in it.
        let lead = self.segments().next().filter(|lead| lead.kind == kind && lead.len() + asns.len() <= 255);
        match lead {
            Some(lead) => {
                octets.extend([kind as u8, (lead.len() + asns.len()) as u8]);
                octets.extend(asns.iter().flat_map(|asn| asn.0.to_be_bytes()));
                octets.extend_from_slice(self.0.get(2..).unwrap_or_default());
            }
            None => {
                push_segment(&mut octets, kind, asns.to_vec());
                octets.extend_from_slice(&self.0);
            }
        }
        Self(octets.into())
    }

    /// The path with each AS number kept, replaced, or taken out by `f`; segments that end up empty vanish.
    pub fn map(&self, mut f: impl FnMut(Asn) -> Option<Asn>) -> Self {
        let segments = self.segments().map(|s| (s.kind, s.asns().filter_map(&mut f).collect::<Vec<_>>()));
        Self::from_segments(segments.collect::<Vec<_>>())
    }

    pub fn replace(&self, asn: Asn, with: Asn) -> Self {
        self.map(|other| Some(if other == asn { with } else { other }))
    }

    pub fn exclude(&self, asns: &[Asn]) -> Self {
        self.map(|other| (!asns.contains(&other)).then_some(other))
    }

    /// Without the confederation segments, as it leaves a confederation (RFC 5065 §4.1).
    pub fn without_confed(&self) -> Self {
        if !self.has_confed() {
            return self.clone();
        }
        let kept = self.segments().filter(|s| !s.kind.is_confed()).map(|s| (s.kind, s.asns().collect()));
        Self::from_segments(kept.collect::<Vec<_>>())
    }

    /// `remove-private-AS`. The neighbour's own AS `keep` stays, so that it still sees its loops.
    pub fn private_as(&self, action: PrivateAs, keep: Option<Asn>) -> Self {
        let only_private = self.asns().all(Asn::is_private);
        let with = match action {
            PrivateAs::RemoveIfOnly | PrivateAs::ReplaceIfOnly { .. } if !only_private => {
                return self.clone();
            }
            PrivateAs::RemoveIfOnly | PrivateAs::RemoveAll => None,
            PrivateAs::ReplaceIfOnly { with } | PrivateAs::ReplaceAll { with } => Some(with),
        };
        self.map(|asn| if asn.is_private() && Some(asn) != keep { with } else { Some(asn) })
    }

    /// What several paths share, for an aggregate of them (RFC 4271 §9.2.2.2): their common leading sequence, then
    /// all other AS numbers as one set.
    pub fn aggregate<'a>(paths: impl IntoIterator<Item = &'a AsPath>) -> Self {
        let mut common: Option<Vec<Asn>> = None;
        let mut all: Vec<&AsPath> = Vec::new();
        for path in paths {
            let lead: Vec<Asn> = path
                .segments()
                .take_while(|segment| segment.kind == SegmentKind::Sequence)
                .flat_map(|segment| segment.asns())
                .collect();
            common = Some(match common {
                None => lead,
                Some(common) => {
                    common.iter().zip(&lead).take_while(|(a, b)| a == b).map(|(a, _)| *a).collect()
                }
            });
            all.push(path);
        }
        let common = common.unwrap_or_default();
        let mut rest: Vec<Asn> = all
            .iter()
            .flat_map(|path| path.segments().filter(|s| !s.kind.is_confed()).flat_map(|s| s.asns()))
            .filter(|asn| !common.contains(asn))
            .collect();
        rest.sort_unstable();
        rest.dedup();
        Self::from_segments([(SegmentKind::Sequence, common), (SegmentKind::Set, rest)])
    }
}
