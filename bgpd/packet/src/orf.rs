//! Outbound route filters inside ROUTE-REFRESH (RFC 5291 §4, RFC 5292 §2): prefixes that the sender wants to be sent, or not.
//!
//! ```text
//! AFI (2) | reserved (1) | SAFI (1) | when to refresh (1) | type (1) | length (2) | entries …
//! entry:  action (2 bits) match (1 bit) 0 (5 bits) | sequence (4) | min len (1) | max len (1) | len (1) | prefix
//! ```
//! Entries that make no sense end the reading of a message: what came before them counts, and RFC 5291 §4 has the
//! filter of that type removed, because what it would let pass is not known.

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix};
use ferrite_wire::Reader;

use crate::Family;
use crate::header::{self, MessageType};

/// Address prefix ORF type (RFC 5292 §3), and what Cisco used before.
pub const PREFIX_TYPE: u8 = 64;
const PREFIX_TYPE_OLD: u8 = 128;

const IMMEDIATE: u8 = 1;
const DEFER: u8 = 2;

/// Room for entries in a message of 4,096 octets.
const ENTRIES_MAX: usize = header::MAX_LEN - header::HEADER_LEN - 8 - 24;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrfAction {
    Add,
    Remove,
}

/// One line of the filter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrfEntry {
    pub sequence: u32,
    pub permit: bool,
    pub prefix: Prefix,
    /// Lengths of the prefixes meant; `None`: that of `prefix` (with a maximum: from there on).
    pub min: Option<u8>,
    pub max: Option<u8>,
}

impl OrfEntry {
    /// As `ge` and `le` of a prefix list.
    pub fn matches(&self, prefix: Prefix) -> bool {
        let own = self.prefix.len();
        let (low, high) = match (self.min, self.max) {
            (None, None) => (own, own),
            (None, Some(max)) => (own, max),
            (Some(min), None) => (min, u8::MAX),
            (Some(min), Some(max)) => (min, max),
        };
        self.prefix.covers(prefix) && (low..=high).contains(&prefix.len())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrfItem {
    RemoveAll,
    Entry { action: OrfAction, entry: OrfEntry },
}

/// What a message says about the filter of one family.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrfUpdate {
    pub family: Family,
    /// Send the table again at once, filtered; otherwise with the next request.
    pub immediate: bool,
    pub items: Vec<OrfItem>,
}

impl OrfUpdate {
    /// Reads the body of a ROUTE-REFRESH; `None` where it carries no filter of prefixes.
    pub fn decode(body: &Bytes) -> Option<Self> {
        let mut reader = Reader::new(body);
        let (afi, _, safi) = (reader.u16().ok()?, reader.u8().ok()?, reader.u8().ok()?);
        let family = Family::from_codes(afi, safi)?;
        let immediate = match reader.u8().ok()? {
            IMMEDIATE => true,
            DEFER => false,
            _ => return None,
        };
        let mut update = Self { family, immediate, items: Vec::new() };
        let mut found = false;
        while !reader.is_empty() {
            let (Ok(kind), Ok(len)) = (reader.u8(), reader.u16()) else { break };
            let Ok(mut entries) = reader.sub(usize::from(len)) else {
                update.items = vec![OrfItem::RemoveAll];
                return Some(update);
            };
            if !matches!(kind, PREFIX_TYPE | PREFIX_TYPE_OLD) {
                continue;
            }
            found = true;
            while !entries.is_empty() {
                match item(&mut entries, family.afi) {
                    Some(item) => update.items.push(item),
                    None => {
                        update.items = vec![OrfItem::RemoveAll];
                        return Some(update);
                    }
                }
            }
        }
        found.then_some(update)
    }

    /// Whole messages that say it, as many as it takes; all but the last put the refresh off. Nothing stands behind a
    /// "remove all" in its message: FRR reads no further there.
    pub fn encode(&self) -> Vec<Bytes> {
        let mut encoded: Vec<BytesMut> = vec![BytesMut::new()];
        let mut removed = false;
        for item in &self.items {
            if removed || encoded.last().is_some_and(|part| part.len() >= ENTRIES_MAX) {
                encoded.push(BytesMut::new());
            }
            removed = matches!(item, OrfItem::RemoveAll);
            if let Some(part) = encoded.last_mut() {
                put_item(part, item);
            }
        }
        let last = encoded.len() - 1;
        let message = |(place, entries): (usize, BytesMut)| {
            let mut buf = BytesMut::with_capacity(header::HEADER_LEN + 8 + entries.len());
            let at = header::start(&mut buf, MessageType::RouteRefresh);
            buf.put_u16(self.family.afi.code());
            buf.put_slice(&[0, self.family.safi.code()]);
            buf.put_u8(if self.immediate && place == last { IMMEDIATE } else { DEFER });
            buf.put_u8(PREFIX_TYPE);
            buf.put_u16(entries.len() as u16);
            buf.put_slice(&entries);
            header::finish(&mut buf, at);
            buf.freeze()
        };
        encoded.into_iter().enumerate().map(message).collect()
    }
}

/// One entry; `None` where it does not hold together.
fn item(reader: &mut Reader<'_>, afi: Afi) -> Option<OrfItem> {
    let common = reader.u8().ok()?;
    let action = match common >> 6 {
        0 => OrfAction::Add,
        1 => OrfAction::Remove,
        2 => return Some(OrfItem::RemoveAll),
        _ => return None,
    };
    let sequence = reader.u32().ok()?;
    let [min, max, len] = reader.array().ok()?;
    let octets = reader.take(usize::from(len).div_ceil(8)).ok()?;
    let prefix = prefix(afi, octets, len)?;
    let bits = if afi == Afi::Ipv6 { 128 } else { 32 };
    let bound = |value: u8| (value != 0).then_some(value);
    let sound = |value: Option<u8>| value.is_none_or(|value| (len..=bits).contains(&value));
    let (min, max) = (bound(min), bound(max));
    let ordered = min.zip(max).is_none_or(|(min, max)| min <= max);
    let entry = OrfEntry { sequence, permit: common & 0x20 == 0, prefix, min, max };
    (sound(min) && sound(max) && ordered).then_some(OrfItem::Entry { action, entry })
}

fn prefix(afi: Afi, octets: &[u8], len: u8) -> Option<Prefix> {
    let mut padded = [0u8; 16];
    padded.get_mut(..octets.len())?.copy_from_slice(octets);
    match afi {
        Afi::Ipv6 => Ipv6Prefix::from_bits(u128::from_be_bytes(padded), len).map(Prefix::V6),
        Afi::Ipv4 => {
            let [a, b, c, d, ..] = padded;
            Ipv4Prefix::from_bits(u32::from_be_bytes([a, b, c, d]), len).map(Prefix::V4)
        }
        Afi::L2vpn => None,
    }
}

fn put_item(buf: &mut BytesMut, item: &OrfItem) {
    let OrfItem::Entry { action, entry } = item else {
        buf.put_u8(2 << 6);
        return;
    };
    let action = if *action == OrfAction::Remove { 1 << 6 } else { 0 };
    buf.put_u8(action | if entry.permit { 0 } else { 0x20 });
    buf.put_u32(entry.sequence);
    let len = entry.prefix.len();
    buf.put_slice(&[entry.min.unwrap_or(0), entry.max.unwrap_or(0), len]);
    let octets: [u8; 16] = match entry.prefix {
        Prefix::V4(prefix) => (u128::from(prefix.bits()) << 96).to_be_bytes(),
        Prefix::V6(prefix) => prefix.bits().to_be_bytes(),
    };
    buf.put_slice(octets.get(..usize::from(len).div_ceil(8)).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: u32, prefix: &str, min: Option<u8>, max: Option<u8>) -> OrfItem {
        let prefix = prefix.parse().unwrap();
        let entry = OrfEntry { sequence, permit: sequence.is_multiple_of(2), prefix, min, max };
        OrfItem::Entry { action: OrfAction::Add, entry }
    }

    fn decode(message: &Bytes) -> OrfUpdate {
        OrfUpdate::decode(&message.slice(header::HEADER_LEN..)).unwrap()
    }

    #[test]
    fn filters_round_trip() {
        let v4 = vec![
            OrfItem::RemoveAll,
            entry(5, "10.0.0.0/8", None, Some(24)),
            entry(10, "0.0.0.0/0", None, None),
        ];
        let update = OrfUpdate { family: Family::IPV4_UNICAST, immediate: true, items: v4 };
        let decoded: Vec<OrfUpdate> = update.encode().iter().map(decode).collect();
        let [removal, additions] = decoded.as_slice() else { panic!("{decoded:?}") };
        assert_eq!((removal.immediate, removal.items.as_slice()), (false, &[OrfItem::RemoveAll][..]));
        assert_eq!((additions.immediate, additions.items.as_slice()), (true, &update.items[1..]));
        let v6 = vec![entry(7, "2001:db8::/32", Some(48), Some(64))];
        let update = OrfUpdate { family: Family::IPV6_UNICAST, immediate: false, items: v6 };
        assert_eq!(update.encode().iter().map(decode).collect::<Vec<_>>(), [update]);
    }

    #[test]
    fn a_long_filter_takes_several_messages_and_refreshes_once() {
        let items: Vec<OrfItem> = (0..1000).map(|n| entry(n, "192.0.2.128/25", None, None)).collect();
        let update = OrfUpdate { family: Family::IPV4_UNICAST, immediate: true, items };
        let messages = update.encode();
        assert!(messages.len() > 1 && messages.iter().all(|message| message.len() <= header::MAX_LEN));
        let decoded: Vec<OrfUpdate> = messages.iter().map(decode).collect();
        assert_eq!(decoded.iter().filter(|part| part.immediate).count(), 1);
        assert_eq!(decoded.into_iter().flat_map(|part| part.items).collect::<Vec<_>>(), update.items);
    }

    #[test]
    fn what_does_not_hold_together_removes_the_filter() {
        // A prefix longer than its octets, a length over 32, bounds the wrong way round, an action that is none.
        let bodies: [&[u8]; 5] = [
            &[0, 1, 0, 1, 1, 64, 0, 9, 0, 0, 0, 0, 5, 0, 0, 24, 10],
            &[0, 1, 0, 1, 1, 64, 0, 13, 0, 0, 0, 0, 5, 0, 0, 33, 10, 0, 0, 0, 0],
            &[0, 1, 0, 1, 1, 64, 0, 9, 0, 0, 0, 0, 5, 24, 16, 8, 10],
            &[0, 1, 0, 1, 1, 64, 0, 1, 0xc0],
            &[0, 1, 0, 1, 1, 64, 0xff, 0xff, 0x80],
        ];
        for body in bodies {
            let update = OrfUpdate::decode(&Bytes::copy_from_slice(body)).unwrap();
            assert_eq!(update.items, [OrfItem::RemoveAll], "{body:?}");
        }
        assert_eq!(OrfUpdate::decode(&Bytes::from_static(&[0, 1, 0, 1])), None);
        assert_eq!(OrfUpdate::decode(&Bytes::from_static(&[0, 1, 0, 1, 9, 64, 0, 0])), None);
        for len in 0..12 {
            let whole: &[u8] = &[0, 1, 0, 1, 1, 64, 0, 9, 0, 0, 0, 0];
            let _ = OrfUpdate::decode(&Bytes::copy_from_slice(&whole[..len]));
        }
    }

    #[test]
    fn an_entry_matches_as_a_prefix_list_does() {
        let OrfItem::Entry { entry: wide, .. } = entry(2, "10.0.0.0/8", Some(16), Some(24)) else { panic!() };
        let matches = |prefix: &str| wide.matches(prefix.parse().unwrap());
        assert!(matches("10.1.0.0/16") && matches("10.1.2.0/24"));
        assert!(!matches("10.0.0.0/8") && !matches("10.1.2.0/25") && !matches("11.0.0.0/16"));
    }
}
