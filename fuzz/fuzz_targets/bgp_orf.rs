//! Outbound route filters: what a neighbour sends is read, applied in order, and judges prefixes; the list never grows over
//! its bound; what we write of it is read as the same.
#![no_main]

use bgp_core::rib::orf::{MAX_ENTRIES, OrfList};
use bgp_packet::orf::{OrfItem, OrfUpdate};
use bytes::Bytes;
use ferrite_types::Prefix;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let mut list = OrfList::default();
    let mut rest = octets;
    // Several messages, each behind its length.
    while let Some((&len, tail)) = rest.split_first() {
        let (body, after) = tail.split_at(tail.len().min(usize::from(len) * 4));
        rest = after;
        let Some(update) = OrfUpdate::decode(&Bytes::copy_from_slice(body)) else { continue };
        list.apply(&update);
        assert!(list.len() <= MAX_ENTRIES);
        assert_eq!(list.sorted().len(), list.len());
        let again: Vec<OrfItem> = update
            .encode()
            .iter()
            .filter_map(|message| OrfUpdate::decode(&message.slice(19..)))
            .flat_map(|part| part.items)
            .collect();
        assert_eq!(again, update.items);
    }
    for text in ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "::/0", "2001:db8::/32"] {
        let prefix: Prefix = text.parse().expect("a prefix");
        // An empty list permits all; otherwise the entry with the lowest number that matches decides.
        let matching = list.sorted().into_iter().find(|entry| entry.matches(prefix));
        let expected = list.is_empty() || matching.is_some_and(|entry| entry.permit);
        assert_eq!(list.permits(prefix), expected, "{prefix}");
    }
});
