//! What is written reads back, whatever it is.

use std::net::{Ipv4Addr, Ipv6Addr};

use ferrite_types::{Asn, Community, ExtCommunity, Ipv4Prefix, Ipv6Prefix, LargeCommunity, Prefix, RouterId};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::attr::{Aggregator, AsPath, Origin, RareAttributes, RawAttribute, SegmentKind};
use crate::next_frame;

fn asn() -> impl Strategy<Value = Asn> {
    prop_oneof![(1u32..70_000).prop_map(Asn), (1u32..=u32::MAX).prop_map(Asn)]
}

fn as_paths() -> impl Strategy<Value = AsPath> {
    let kind = prop_oneof![4 => Just(SegmentKind::Sequence), 1 => Just(SegmentKind::Set)];
    // Two sequences in a row come back as one where AS4_PATH restores them, so there are none.
    vec((kind, vec(asn(), 1..12)), 0..4).prop_map(|mut segments| {
        segments.dedup_by_key(|(kind, _)| *kind == SegmentKind::Sequence);
        AsPath::from_segments(segments)
    })
}

fn rare() -> impl Strategy<Value = Option<Box<RareAttributes>>> {
    let aggregator =
        (asn(), any::<u32>()).prop_map(|(asn, id)| Aggregator { asn, router_id: Ipv4Addr::from(id) });
    let raw = (200u8..=255, any::<bool>(), vec(any::<u8>(), 0..300))
        .prop_map(|(code, _, value)| RawAttribute { flags: 0xe0, code, value: value.into() });
    let fields = (
        option::of(aggregator),
        option::of(any::<u32>()),
        vec(any::<u32>().prop_map(Ipv4Addr::from), 0..4),
        option::of(any::<u64>()),
        option::of(asn()),
        vec(raw, 0..3),
    );
    fields.prop_map(|(aggregator, originator, cluster_list, aigp, otc, mut unknown)| {
        unknown.sort_by_key(|raw| raw.code);
        unknown.dedup_by_key(|raw| raw.code);
        let rare = RareAttributes {
            aggregator,
            originator_id: originator.map(|id| RouterId(id.into())),
            cluster_list: cluster_list.into(),
            aigp,
            otc,
            unknown: unknown.into(),
        };
        (rare != RareAttributes::default()).then(|| Box::new(rare))
    })
}

fn attributes(next_hop: impl Strategy<Value = NextHop>) -> impl Strategy<Value = Attributes> {
    let origin = (0u8..3).prop_map(|code| Origin::from_code(code).unwrap());
    let communities = btree_set(any::<u32>().prop_map(Community), 0..70);
    let large = btree_set(any::<(u32, u32, u32)>(), 0..5).prop_map(|set| {
        let items = set.into_iter();
        items.map(|(global, local1, local2)| LargeCommunity { global, local1, local2 }).collect::<Box<[_]>>()
    });
    let extended = btree_set(any::<[u8; 8]>().prop_map(ExtCommunity), 0..4);
    let fields = (
        (origin, any::<bool>(), as_paths(), next_hop),
        (option::of(any::<u32>()), any::<u32>(), communities, large, extended, rare()),
    );
    fields.prop_map(
        |((origin, atomic_aggregate, as_path, next_hop), (med, pref, communities, large, ext, rare))| {
            Attributes {
                origin,
                atomic_aggregate,
                as_path,
                next_hop,
                med,
                local_pref: Some(pref),
                communities: communities.into_iter().collect(),
                large_communities: large,
                ext_communities: ext.into_iter().collect(),
                rare,
            }
        },
    )
}

fn v4_next_hop() -> impl Strategy<Value = NextHop> {
    (0x0100_0000u32..0x7f00_0000).prop_map(|addr| NextHop::V4(addr.into()))
}

fn v6_next_hop() -> impl Strategy<Value = NextHop> {
    let global = any::<u64>().prop_map(|low| Ipv6Addr::from((0x2001_0db8_u128 << 96) | u128::from(low)));
    let link_local =
        option::of(any::<u64>().prop_map(|low| Ipv6Addr::from((0xfe80_u128 << 112) | u128::from(low))));
    (global, link_local).prop_map(|(global, link_local)| NextHop::V6 { global, link_local })
}

fn v4_entries() -> impl Strategy<Value = Vec<NlriEntry>> {
    let prefix =
        (0u32..0xe000_0000, 0u8..=32).prop_map(|(bits, len)| Ipv4Prefix::from_bits(bits, len).unwrap());
    vec((any::<u32>(), prefix), 0..1500).prop_map(entries)
}

fn v6_entries() -> impl Strategy<Value = Vec<NlriEntry>> {
    let prefix = (any::<u128>(), 0u8..=128)
        .prop_map(|(bits, len)| Ipv6Prefix::from_bits((bits >> 3) | (1 << 125), len).unwrap());
    vec((any::<u32>(), prefix), 0..600).prop_map(entries)
}

fn entries<P: Into<Prefix>>(list: Vec<(u32, P)>) -> Vec<NlriEntry> {
    list.into_iter().map(|(path_id, prefix)| NlriEntry { path_id, prefix: prefix.into() }).collect()
}

fn check(
    family: Family,
    attrs: &Attributes,
    mut entries: Vec<NlriEntry>,
    encode: EncodeContext,
) -> Result<(), TestCaseError> {
    let add_path = encode.add_path.contains(family);
    if !add_path {
        for entry in &mut entries {
            entry.path_id = 0;
        }
    }
    let context = DecodeContext {
        four_octet: encode.four_octet,
        add_path: encode.add_path,
        extended_next_hop: true,
        local_pref: false,
        martian_next_hops: false,
        aigp: true,
        ..context(SessionKind::Internal)
    };
    let mut buf = BytesMut::new();
    let block = AttributeBlock::new(attrs, family, &encode);
    let Ok(messages) = announce(&mut buf, &encode, &block, entries.iter().copied()) else {
        prop_assert!(block.octets().len() + 100 > encode.max_len);
        return Ok(());
    };
    let withdrawals = withdraw(&mut buf, &encode, family, entries.iter().copied());
    let mut cache = AttributeCache::default();
    let (mut got, mut gone) = (Vec::new(), Vec::new());
    for index in 0..messages + withdrawals {
        let frame = next_frame(&mut buf, encode.max_len).unwrap().unwrap();
        let update = decode(&frame.body, &context, &mut cache).unwrap();
        prop_assert_eq!(&update.faults, &vec![]);
        for announced in &update.announced {
            prop_assert_eq!(&*announced.attrs, attrs);
            got.extend(announced.nlri.iter());
        }
        prop_assert_eq!(update.withdrawn.is_empty(), index < messages);
        gone.extend(update.withdrawn.iter().flat_map(|nlri| nlri.iter()));
    }
    prop_assert!(buf.is_empty());
    prop_assert_eq!(&got, &entries);
    prop_assert_eq!(&gone, &entries);
    Ok(())
}

fn encode_context() -> impl Strategy<Value = EncodeContext> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(four_octet, add_path, extended)| EncodeContext {
        four_octet,
        add_path: if add_path { families() } else { FamilySet::EMPTY },
        max_len: if extended { 65_535 } else { 4096 },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn ipv4_routes_round_trip(attrs in attributes(v4_next_hop()), list in v4_entries(), encode in encode_context()) {
        check(Family::IPV4_UNICAST, &attrs, list, encode)?;
    }

    #[test]
    fn ipv6_routes_round_trip(attrs in attributes(v6_next_hop()), list in v6_entries(), encode in encode_context()) {
        check(Family::IPV6_UNICAST, &attrs, list, encode)?;
    }

    #[test]
    fn ipv4_routes_with_ipv6_next_hops_round_trip(
        attrs in attributes(v6_next_hop()), list in v4_entries(), encode in encode_context(),
    ) {
        check(Family::IPV4_UNICAST, &attrs, list, encode)?;
    }

    #[test]
    fn any_octets_are_an_update_or_an_error(octets in vec(any::<u8>(), 0..200), four_octet in any::<bool>()) {
        let context = DecodeContext { four_octet, ..context(SessionKind::External) };
        let _ = decode_with(&octets.into(), &context);
    }

    #[test]
    fn any_attributes_are_judged(octets in vec(any::<u8>(), 0..200)) {
        let _ = decode_with(&body(&[], &octets, PREFIX), &context(SessionKind::Internal));
    }
}

#[test]
fn as_many_prefixes_as_fit_go_into_a_message() {
    let attrs = Attributes {
        origin: Origin::Igp,
        atomic_aggregate: false,
        as_path: AsPath::sequence([Asn(65001)]),
        next_hop: NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)),
        med: None,
        local_pref: None,
        communities: Box::default(),
        large_communities: Box::default(),
        ext_communities: Box::default(),
        rare: None,
    };
    let encode = EncodeContext::default();
    let list = (0..10_000u32).map(|n| Ipv4Prefix::from_bits(n << 8, 24).unwrap().into());
    let entries: Vec<NlriEntry> = list.map(|prefix| NlriEntry { path_id: 0, prefix }).collect();
    let mut buf = BytesMut::new();
    let block = AttributeBlock::new(&attrs, Family::IPV4_UNICAST, &encode);
    let messages = announce(&mut buf, &encode, &block, entries.iter().copied()).unwrap();
    assert_eq!(messages, 10_000usize.div_ceil((4096 - 23 - block.octets().len()) / 4));
    assert_eq!(withdraw(&mut buf, &encode, Family::IPV4_UNICAST, entries), 10);
}

#[test]
fn attributes_that_leave_no_room_for_a_prefix_are_refused_and_write_nothing() {
    let raw = RawAttribute { flags: 0xe0, code: 250, value: vec![0; 4060].into() };
    let attrs = Attributes {
        origin: Origin::Igp,
        atomic_aggregate: false,
        as_path: AsPath::default(),
        next_hop: NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)),
        med: None,
        local_pref: None,
        communities: Box::default(),
        large_communities: Box::default(),
        ext_communities: Box::default(),
        rare: Some(Box::new(RareAttributes { unknown: Box::new([raw]), ..RareAttributes::default() })),
    };
    let entry = NlriEntry { path_id: 0, prefix: "10.0.0.0/8".parse().unwrap() };
    let mut buf = BytesMut::new();
    let small = EncodeContext::default();
    let block = AttributeBlock::new(&attrs, Family::IPV4_UNICAST, &small);
    assert!(announce(&mut buf, &small, &block, [entry]).is_err());
    assert!(buf.is_empty());
    let large = EncodeContext { max_len: 65_535, ..small };
    assert_eq!(announce(&mut buf, &large, &block, [entry]), Ok(1));
}
