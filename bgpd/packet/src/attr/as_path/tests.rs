use super::*;

fn seq(asns: &[u32]) -> AsPath {
    AsPath::sequence(asns.iter().copied().map(Asn))
}

fn path(segments: &[(SegmentKind, &[u32])]) -> AsPath {
    AsPath::from_segments(
        segments.iter().map(|(kind, asns)| (*kind, asns.iter().copied().map(Asn).collect())),
    )
}

use SegmentKind::{ConfedSequence, ConfedSet, Sequence, Set};

#[test]
fn text_is_that_of_frr() {
    let p =
        path(&[(ConfedSequence, &[65010, 65011]), (Sequence, &[1, 2]), (Set, &[3, 4]), (ConfedSet, &[5, 6])]);
    assert_eq!(p.to_string(), "(65010 65011) 1 2 {3,4} [5,6]");
    assert_eq!(seq(&[]).to_string(), "");
    assert_eq!(seq(&[65536, 1]).text(ferrite_types::AsnNotation::Dot).to_string(), "1.0 1");
}

#[test]
fn sets_count_one_and_confederations_nothing() {
    let p = path(&[(ConfedSequence, &[9, 8]), (Sequence, &[1, 2]), (Set, &[3, 4, 5])]);
    assert_eq!((p.hops(), p.confed_hops()), (3, 2));
    assert_eq!((p.first(), p.neighbor(), p.origin()), (Some(Asn(9)), Some(Asn(1)), Some(Asn(5))));
    assert_eq!(path(&[(Set, &[3]), (Sequence, &[4])]).neighbor(), None);
}

#[test]
fn malformed_paths_are_named() {
    let cases: &[(&[u8], AsPathError)] = &[
        (&[5, 1, 0, 1], AsPathError::SegmentKind(5)),
        (&[0, 1, 0, 1], AsPathError::SegmentKind(0)),
        (&[2, 0], AsPathError::EmptySegment),
        (&[2, 2, 0, 1], AsPathError::Overrun),
        (&[2], AsPathError::Overrun),
        (&[2, 1, 0, 1, 2], AsPathError::Overrun),
        (&[2, 2, 0, 1, 0, 0], AsPathError::ZeroAs),
    ];
    for (octets, error) in cases {
        assert_eq!(AsPath::decode(octets, false), Err(*error), "{octets:?}");
    }
}

#[test]
fn two_octet_paths_are_widened_and_narrowed() {
    let wide = AsPath::decode(&[2, 2, 0xfd, 0xe9, 0x5b, 0xa0], false).unwrap();
    assert_eq!(wide, seq(&[65001, 23456]));
    assert_eq!(seq(&[65001, 100_000]).two_octet_octets(), [2, 2, 0xfd, 0xe9, 0x5b, 0xa0]);
}

#[test]
fn as4_path_restores_what_an_old_speaker_cut_off() {
    // RFC 6793 §4.2.3: the new speaker's tail replaces as much of the old path.
    assert_eq!(seq(&[1, 23456, 23456]).merge_as4(&seq(&[70000, 80000])), seq(&[1, 70000, 80000]));
    assert_eq!(seq(&[23456]).merge_as4(&seq(&[70000])), seq(&[70000]));
    // A longer AS4_PATH is ignored.
    assert_eq!(seq(&[23456]).merge_as4(&seq(&[70000, 80000])), seq(&[23456]));
    // A set counts one on either side.
    let old = path(&[(Sequence, &[1, 23456]), (Set, &[5, 23456])]);
    let new = path(&[(Sequence, &[70000]), (Set, &[5, 80000])]);
    assert_eq!(old.merge_as4(&new), path(&[(Sequence, &[1, 70000]), (Set, &[5, 80000])]));
}

#[test]
fn prepending_joins_the_leading_sequence_and_splits_at_255() {
    assert_eq!(seq(&[2]).prepend(&[Asn(1), Asn(1)]), seq(&[1, 1, 2]));
    assert_eq!(path(&[(Set, &[2])]).prepend(&[Asn(1)]), path(&[(Sequence, &[1]), (Set, &[2])]));
    let full = seq(&[7; 255]).prepend(&[Asn(1)]);
    assert_eq!(full.segments().map(|s| s.len()).collect::<Vec<_>>(), [1, 255]);
    assert_eq!(full.hops(), 256);
    assert_eq!(seq(&[7; 700]).segments().map(|s| s.len()).collect::<Vec<_>>(), [255, 255, 190]);
}

#[test]
fn private_numbers_go_or_are_replaced() {
    let mixed = seq(&[64512, 1, 65000]);
    let private = seq(&[64512, 4_200_000_000]);
    let with = Asn(9);
    assert_eq!(mixed.private_as(PrivateAs::RemoveIfOnly, None), mixed);
    assert_eq!(private.private_as(PrivateAs::RemoveIfOnly, None), seq(&[]));
    assert_eq!(mixed.private_as(PrivateAs::RemoveAll, None), seq(&[1]));
    assert_eq!(mixed.private_as(PrivateAs::ReplaceAll { with }, Some(Asn(65000))), seq(&[9, 1, 65000]));
    assert_eq!(private.private_as(PrivateAs::ReplaceIfOnly { with }, None), seq(&[9, 9]));
}

#[test]
fn edits_leave_no_empty_segment() {
    let p = path(&[(ConfedSequence, &[8]), (Sequence, &[1]), (Set, &[2, 3])]);
    assert_eq!(p.exclude(&[Asn(1)]), path(&[(ConfedSequence, &[8]), (Set, &[2, 3])]));
    assert_eq!(p.without_confed(), path(&[(Sequence, &[1]), (Set, &[2, 3])]));
    assert_eq!(p.replace(Asn(1), Asn(4)).neighbor(), Some(Asn(4)));
}

#[test]
fn an_aggregate_keeps_the_common_head_and_a_set_of_the_rest() {
    let paths = [seq(&[1, 2, 3]), seq(&[1, 2, 4]), path(&[(Sequence, &[1]), (Set, &[9])])];
    assert_eq!(AsPath::aggregate(&paths), path(&[(Sequence, &[1]), (Set, &[2, 3, 4, 9])]));
    assert_eq!(AsPath::aggregate(&[]), AsPath::default());
}
