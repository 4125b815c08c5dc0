//! UPDATEs good and bad. The rows of [`faults`] are the list of known failures and RFC 7606's table.

use bytes::{BufMut, Bytes, BytesMut};

use super::*;
use crate::FamilySet;
use crate::attr::{CodeSet, EncodeContext, SessionKind};
use crate::nlri::NlriEntry;

mod faults;
mod round_trip;

fn families() -> FamilySet {
    Family::ALL.into_iter().collect()
}

fn context(kind: SessionKind) -> DecodeContext {
    DecodeContext { families: families(), ..DecodeContext::new(kind) }
}

/// A message body of these three fields.
fn body(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Bytes {
    let mut buf = BytesMut::new();
    buf.put_u16(withdrawn.len() as u16);
    buf.put_slice(withdrawn);
    buf.put_u16(attributes.len() as u16);
    buf.put_slice(attributes);
    buf.put_slice(nlri);
    buf.freeze()
}

fn attr(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    if value.len() > 255 {
        return [&[flags | 0x10, code][..], &(value.len() as u16).to_be_bytes(), value].concat();
    }
    [&[flags, code, value.len() as u8][..], value].concat()
}

const PREFIX: &[u8] = &[24, 10, 1, 2];

fn origin() -> Vec<u8> {
    attr(0x40, 1, &[0])
}

fn as_path() -> Vec<u8> {
    attr(0x40, 2, &[2, 1, 0, 0, 0xfd, 0xe9])
}

fn next_hop() -> Vec<u8> {
    attr(0x40, 3, &[192, 0, 2, 1])
}

fn local_pref() -> Vec<u8> {
    attr(0x40, 5, &[0, 0, 0, 100])
}

/// The attributes that every announcement must have.
fn mandatory() -> Vec<u8> {
    [origin(), as_path(), next_hop(), local_pref()].concat()
}

/// MP_REACH_NLRI of IPv6 unicast with this next hop and 2001:db8::/32.
fn mp_reach(next_hop: &[u8]) -> Vec<u8> {
    let value = [&[0, 2, 1, next_hop.len() as u8][..], next_hop, &[0, 32, 0x20, 1, 0x0d, 0xb8]].concat();
    attr(0x80, 14, &value)
}

const GLOBAL: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

fn decode_with(body: &Bytes, context: &DecodeContext) -> Result<Update, UpdateError> {
    decode(body, context, &mut AttributeCache::default())
}

fn prefixes(lists: &[Nlri]) -> Vec<String> {
    lists.iter().flat_map(|nlri| nlri.iter().map(|entry| entry.prefix.to_string())).collect()
}

fn announced(update: &Update) -> Vec<String> {
    update.announced.iter().flat_map(|a| a.nlri.iter().map(|entry| entry.prefix.to_string())).collect()
}

#[test]
fn routes_are_announced_and_withdrawn() {
    let body = body(&[8, 9], &mandatory(), PREFIX);
    let update = decode_with(&body, &context(SessionKind::Internal)).unwrap();
    assert_eq!(prefixes(&update.withdrawn), ["9.0.0.0/8"]);
    assert_eq!(announced(&update), ["10.1.2.0/24"]);
    let attrs = &update.announced[0].attrs;
    assert_eq!((attrs.as_path.to_string().as_str(), attrs.local_pref), ("65001", Some(100)));
    assert_eq!(attrs.next_hop, NextHop::V4("192.0.2.1".parse().unwrap()));
    assert_eq!(update.faults, []);
}

#[test]
fn ipv6_routes_come_with_one_next_hop_or_two() {
    let link_local = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let rest = [origin(), as_path()].concat();
    let both = [mp_reach(&[GLOBAL, link_local].concat()), rest.clone()].concat();
    let update = decode_with(&body(&[], &both, &[]), &context(SessionKind::External)).unwrap();
    let expected = NextHop::V6 { global: GLOBAL.into(), link_local: Some(link_local.into()) };
    assert_eq!(update.announced[0].attrs.next_hop, expected);
    assert_eq!(announced(&update), ["2001:db8::/32"]);
    // A second address that is not link-local does not count.
    let strange = [mp_reach(&[GLOBAL, GLOBAL].concat()), rest].concat();
    let update = decode_with(&body(&[], &strange, &[]), &context(SessionKind::External)).unwrap();
    assert_eq!(update.announced[0].attrs.next_hop, NextHop::V6 { global: GLOBAL.into(), link_local: None });
}

#[test]
fn one_update_may_carry_both_families_each_with_its_next_hop() {
    let attributes = [mandatory(), mp_reach(&GLOBAL)].concat();
    let update = decode_with(&body(&[], &attributes, PREFIX), &context(SessionKind::Internal)).unwrap();
    assert_eq!(announced(&update), ["10.1.2.0/24", "2001:db8::/32"]);
    assert_ne!(update.announced[0].attrs.next_hop, update.announced[1].attrs.next_hop);
}

#[test]
fn end_of_rib_has_two_forms() {
    let context = context(SessionKind::External);
    let end_of = |attributes: &[u8]| decode_with(&body(&[], attributes, &[]), &context).unwrap().end_of_rib;
    assert_eq!(end_of(&[]), Some(Family::IPV4_UNICAST));
    assert_eq!(end_of(&attr(0x80, 15, &[0, 2, 1])), Some(Family::IPV6_UNICAST));
    assert_eq!(end_of(&attr(0x80, 15, &[0, 25, 70])), None, "not negotiated");
    for family in [Family::IPV4_UNICAST, Family::IPV6_UNICAST] {
        let mut buf = BytesMut::new();
        end_of_rib(&mut buf, family);
        let body = buf.freeze().slice(crate::header::HEADER_LEN..);
        assert_eq!(decode_with(&body, &context).unwrap().end_of_rib, Some(family));
    }
}

#[test]
fn families_that_were_not_negotiated_are_ignored_whole() {
    let narrow = DecodeContext::new(SessionKind::External);
    let attributes = [mp_reach(&[1]), attr(0x80, 15, &[0, 25, 70, 9, 9, 9]), origin(), as_path()].concat();
    let update = decode_with(&body(&[], &attributes, &[]), &narrow).unwrap();
    assert_eq!((announced(&update).len(), update.withdrawn.len()), (0, 0));
}

#[test]
fn the_same_octets_are_decoded_once() {
    let context = context(SessionKind::Internal);
    let mut cache = AttributeCache::default();
    let v4 = |nlri: &[u8], cache: &mut AttributeCache| {
        Arc::clone(&decode(&body(&[], &mandatory(), nlri), &context, cache).unwrap().announced[0].attrs)
    };
    assert!(Arc::ptr_eq(&v4(PREFIX, &mut cache), &v4(&[8, 11], &mut cache)));
    // Of MP_REACH_NLRI only the next hop counts, not the routes.
    let v6 = |last: u8, hop: u8, cache: &mut AttributeCache| {
        let mut next_hop = GLOBAL;
        next_hop[15] = hop;
        let value = [&[0, 2, 1, 16][..], &next_hop, &[0, 48, 0x20, 1, 0x0d, 0xb8, 0, last]].concat();
        let attributes = [attr(0x80, 14, &value), origin(), as_path(), local_pref()].concat();
        Arc::clone(&decode(&body(&[], &attributes, &[]), &context, cache).unwrap().announced[0].attrs)
    };
    assert!(Arc::ptr_eq(&v6(1, 1, &mut cache), &v6(2, 1, &mut cache)));
    assert!(!Arc::ptr_eq(&v6(1, 1, &mut cache), &v6(1, 2, &mut cache)));
    assert_eq!(cache.hits, 3);
}

#[test]
fn configured_attributes_are_dropped_or_cost_the_routes() {
    let attributes = [mandatory(), attr(0xc0, 8, &[0, 1, 0, 2])].concat();
    let message = body(&[], &attributes, PREFIX);
    let communities: CodeSet = [AttrCode::COMMUNITIES].into_iter().collect();
    let discard = DecodeContext { discard: communities, ..context(SessionKind::Internal) };
    let update = decode_with(&message, &discard).unwrap();
    assert!(update.announced[0].attrs.communities.is_empty());
    let withdraw = DecodeContext { withdraw: communities, ..context(SessionKind::Internal) };
    assert_eq!(prefixes(&decode_with(&message, &withdraw).unwrap().withdrawn), ["10.1.2.0/24"]);
}

#[test]
fn unknown_transitive_attributes_are_kept_with_partial_set_and_others_dropped() {
    let attributes =
        [mandatory(), attr(0xc0, 250, &[1, 2]), attr(0x80, 251, &[3]), attr(0xcf, 99, &[])].concat();
    let update = decode_with(&body(&[], &attributes, PREFIX), &context(SessionKind::Internal)).unwrap();
    let unknown = &update.announced[0].attrs.rare.as_ref().unwrap().unknown;
    let kept: Vec<(u8, u8)> = unknown.iter().map(|raw| (raw.code, raw.flags)).collect();
    assert_eq!(kept, [(99, 0xe0), (250, 0xe0)]);
}

#[test]
fn lists_without_order_are_sorted_and_freed_of_duplicates() {
    let value = [[0, 2, 0, 2], [0, 1, 0, 1], [0, 2, 0, 2]].concat();
    let attributes = [mandatory(), attr(0xc0, 8, &value)].concat();
    let update = decode_with(&body(&[], &attributes, PREFIX), &context(SessionKind::Internal)).unwrap();
    let texts: Vec<String> = update.announced[0].attrs.communities.iter().map(|c| c.to_string()).collect();
    assert_eq!(texts, ["1:1", "2:2"]);
}

#[test]
fn two_octet_sessions_join_both_forms() {
    let old = DecodeContext { four_octet: false, ..context(SessionKind::External) };
    let path = |asns: &[u16]| {
        let octets: Vec<u8> = asns.iter().flat_map(|asn| asn.to_be_bytes()).collect();
        attr(0x40, 2, &[&[2, asns.len() as u8][..], &octets].concat())
    };
    let as4_path = attr(0xc0, 17, &[2, 1, 0, 1, 0x11, 0x70]);
    let aggregator = |asn: u16| attr(0xc0, 7, &[&asn.to_be_bytes()[..], &[10, 0, 0, 1]].concat());
    let as4_aggregator = attr(0xc0, 18, &[0, 1, 0x11, 0x70, 10, 0, 0, 1]);
    let of = |attributes: &[Vec<u8>]| {
        let update = decode_with(&body(&[], &attributes.concat(), PREFIX), &old).unwrap();
        assert_eq!(update.faults, []);
        let attrs = &update.announced[0].attrs;
        let aggregator = attrs.rare.as_ref().and_then(|rare| rare.aggregator).map(|a| a.asn.0);
        (attrs.as_path.to_string(), aggregator)
    };
    // AS4_PATH may even come before AS_PATH.
    let attributes = [as4_path.clone(), origin(), path(&[1, 23456]), next_hop()];
    assert_eq!(of(&attributes), ("1 70000".to_owned(), None));
    let attributes = [
        origin(),
        path(&[1, 23456]),
        next_hop(),
        aggregator(23456),
        as4_path.clone(),
        as4_aggregator.clone(),
    ];
    assert_eq!(of(&attributes), ("1 70000".to_owned(), Some(70000)));
    // Aggregated by an old speaker afterwards: what it did not know is stale.
    let attributes = [origin(), path(&[1, 23456]), next_hop(), aggregator(7), as4_path, as4_aggregator];
    assert_eq!(of(&attributes), ("1 23456".to_owned(), Some(7)));
}
