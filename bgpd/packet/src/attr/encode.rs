//! Attributes to octets, in ascending order of code as RFC 4271 §5 asks; those passed on unread come last.

use bytes::{BufMut, BytesMut};
use ferrite_types::Asn;

use super::code::flags::{EXTENDED_LENGTH, OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN};
use super::{Aggregator, AttrCode, Attributes, NextHop, RareAttributes};
use crate::{Family, FamilySet};

/// What the receiver agreed to, as far as writing an UPDATE depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EncodeContext {
    /// AS numbers have four octets.
    pub four_octet: bool,
    /// Families sent with path identifiers.
    pub add_path: FamilySet,
    /// Largest message, 4096 or 65535 octets.
    pub max_len: usize,
}

impl Default for EncodeContext {
    fn default() -> Self {
        Self { four_octet: true, add_path: FamilySet::EMPTY, max_len: crate::header::MAX_LEN }
    }
}

/// Whether routes of the family with this next hop travel in MP_REACH_NLRI rather than in the NLRI field.
pub fn uses_mp_reach(family: Family, next_hop: NextHop) -> bool {
    family != Family::IPV4_UNICAST || matches!(next_hop, NextHop::V6 { .. })
}

/// Appends all attributes of routes of a family, NEXT_HOP included where it applies, but not MP_REACH_NLRI.
pub fn encode_attributes(buf: &mut BytesMut, attrs: &Attributes, family: Family, context: &EncodeContext) {
    put(buf, WELL_KNOWN, AttrCode::ORIGIN, &[attrs.origin as u8]);
    let narrow = !context.four_octet && !attrs.as_path.fits_two_octets();
    if context.four_octet {
        put(buf, WELL_KNOWN, AttrCode::AS_PATH, attrs.as_path.octets());
    } else {
        put(buf, WELL_KNOWN, AttrCode::AS_PATH, &attrs.as_path.two_octet_octets());
    }
    if let (NextHop::V4(addr), false) = (attrs.next_hop, uses_mp_reach(family, attrs.next_hop)) {
        put(buf, WELL_KNOWN, AttrCode::NEXT_HOP, &addr.octets());
    }
    if let Some(med) = attrs.med {
        put(buf, OPTIONAL, AttrCode::MED, &med.to_be_bytes());
    }
    if let Some(local_pref) = attrs.local_pref {
        put(buf, WELL_KNOWN, AttrCode::LOCAL_PREF, &local_pref.to_be_bytes());
    }
    if attrs.atomic_aggregate {
        put(buf, WELL_KNOWN, AttrCode::ATOMIC_AGGREGATE, &[]);
    }
    let none = RareAttributes::default();
    let rare = attrs.rare.as_deref().unwrap_or(&none);
    if let Some(aggregator) = rare.aggregator {
        let value = aggregator_octets(aggregator, context.four_octet);
        put(buf, OPTIONAL_TRANSITIVE, AttrCode::AGGREGATOR, &value);
    }
    if !attrs.communities.is_empty() {
        let octets = attrs.communities.iter().map(|c| c.0.to_be_bytes());
        put_list(buf, OPTIONAL_TRANSITIVE, AttrCode::COMMUNITIES, octets);
    }
    if let Some(id) = rare.originator_id {
        put(buf, OPTIONAL, AttrCode::ORIGINATOR_ID, &id.0.octets());
    }
    if !rare.cluster_list.is_empty() {
        let octets = rare.cluster_list.iter().map(|id| id.octets());
        put_list(buf, OPTIONAL, AttrCode::CLUSTER_LIST, octets);
    }
    if !attrs.ext_communities.is_empty() {
        let octets = attrs.ext_communities.iter().map(|c| c.0);
        put_list(buf, OPTIONAL_TRANSITIVE, AttrCode::EXT_COMMUNITIES, octets);
    }
    if narrow {
        let path = attrs.as_path.without_confed();
        put(buf, OPTIONAL_TRANSITIVE, AttrCode::AS4_PATH, path.octets());
    }
    if let Some(wide) = rare.aggregator.filter(|a| !context.four_octet && !a.asn.fits_two_octets()) {
        put(buf, OPTIONAL_TRANSITIVE, AttrCode::AS4_AGGREGATOR, &aggregator_octets(wide, true));
    }
    if let Some(metric) = rare.aigp {
        let mut value = [0; 11];
        value[..3].copy_from_slice(&[1, 0, 11]);
        value[3..].copy_from_slice(&metric.to_be_bytes());
        put(buf, OPTIONAL, AttrCode::AIGP, &value);
    }
    if !attrs.large_communities.is_empty() {
        let octets = attrs.large_communities.iter().flat_map(|c| [c.global, c.local1, c.local2]);
        put_list(buf, OPTIONAL_TRANSITIVE, AttrCode::LARGE_COMMUNITIES, octets.map(u32::to_be_bytes));
    }
    if let Some(asn) = rare.otc {
        put(buf, OPTIONAL_TRANSITIVE, AttrCode::OTC, &asn.0.to_be_bytes());
    }
    for raw in &rare.unknown {
        put(buf, raw.flags, AttrCode(raw.code), &raw.value);
    }
}

/// The next hop field of MP_REACH_NLRI with its length octet.
pub fn encode_next_hop(buf: &mut BytesMut, next_hop: NextHop) {
    match next_hop {
        NextHop::V4(addr) => {
            buf.put_u8(4);
            buf.put_slice(&addr.octets());
        }
        NextHop::V6 { global, link_local } => {
            buf.put_u8(if link_local.is_some() { 32 } else { 16 });
            buf.put_slice(&global.octets());
            if let Some(addr) = link_local {
                buf.put_slice(&addr.octets());
            }
        }
    }
}

fn aggregator_octets(aggregator: Aggregator, four_octet: bool) -> Vec<u8> {
    let mut value = Vec::with_capacity(8);
    if four_octet {
        value.extend(aggregator.asn.0.to_be_bytes());
    } else {
        let asn = u16::try_from(aggregator.asn.0).unwrap_or(Asn::TRANS.0 as u16);
        value.extend(asn.to_be_bytes());
    }
    value.extend(aggregator.router_id.octets());
    value
}

fn put_list<const N: usize>(
    buf: &mut BytesMut,
    flags: u8,
    code: AttrCode,
    items: impl Iterator<Item = [u8; N]> + Clone,
) {
    put_header(buf, flags, code, items.clone().count() * N);
    items.for_each(|item| buf.put_slice(&item));
}

fn put(buf: &mut BytesMut, flags: u8, code: AttrCode, value: &[u8]) {
    put_header(buf, flags, code, value.len());
    buf.put_slice(value);
}

/// A value over 255 octets gets the two-octet length. Over 65535 the message would be too long anyway and is refused
/// by its writer, so that the length never matters.
fn put_header(buf: &mut BytesMut, flags: u8, code: AttrCode, len: usize) {
    match u8::try_from(len) {
        Ok(len) => buf.put_slice(&[flags & !EXTENDED_LENGTH, code.0, len]),
        Err(_) => {
            buf.put_slice(&[flags | EXTENDED_LENGTH, code.0]);
            buf.put_u16(len as u16);
        }
    }
}
