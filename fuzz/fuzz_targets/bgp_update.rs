//! UPDATE: decode, encode, decode again gives the same routes with the same attributes.
#![no_main]

use bgp_packet::attr::{DecodeContext, EncodeContext, SessionKind};
use bgp_packet::update::{self, AttributeBlock, AttributeCache};
use bgp_packet::{Family, FamilySet, next_frame};
use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&flags, body)) = octets.split_first() else { return };
    let add_path: FamilySet = if flags & 1 == 0 { FamilySet::EMPTY } else { Family::ALL.into_iter().collect() };
    let context = DecodeContext {
        four_octet: flags & 2 == 0,
        families: Family::ALL.into_iter().collect(),
        add_path,
        extended_next_hop: true,
        local_pref: false,
        martian_next_hops: false,
        aigp: true,
        ..DecodeContext::new(if flags & 4 == 0 { SessionKind::Internal } else { SessionKind::External })
    };
    let mut cache = AttributeCache::default();
    let Ok(first) = update::decode(&Bytes::copy_from_slice(body), &context, &mut cache) else { return };
    // From the cache it is the same.
    let cached = update::decode(&Bytes::copy_from_slice(body), &context, &mut cache).expect("decoded before");
    assert_eq!(first, cached);
    let encode = EncodeContext { four_octet: true, add_path, max_len: 65_535 };
    let wide = DecodeContext { four_octet: true, ..context };
    for announced in &first.announced {
        let family = announced.nlri.family();
        let block = AttributeBlock::new(&announced.attrs, family, &encode);
        let mut buf = BytesMut::new();
        if update::announce(&mut buf, &encode, &block, announced.nlri.iter()).is_err() {
            continue;
        }
        let mut entries = Vec::new();
        while let Some(frame) = next_frame(&mut buf, 65_535).expect("what we write is well framed") {
            let again = update::decode(&frame.body, &wide, &mut AttributeCache::default()).expect("readable");
            assert_eq!(again.faults, []);
            for route in &again.announced {
                assert_eq!(route.attrs, announced.attrs);
                entries.extend(route.nlri.iter());
            }
        }
        assert_eq!(entries, announced.nlri.iter().collect::<Vec<_>>());
    }
});
