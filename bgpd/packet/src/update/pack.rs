//! UPDATEs written: attributes are encoded once, then as many prefixes as fit go into each message. MP_REACH_NLRI and
//! MP_UNREACH_NLRI come first and no message mixes families (RFC 7606 §5.1).

use std::iter::Peekable;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::Prefix;

use crate::Family;
use crate::attr::flags::{EXTENDED_LENGTH, OPTIONAL};
use crate::attr::{
    AttrCode, Attributes, EncodeContext, NextHop, encode_attributes, encode_next_hop, uses_mp_reach,
};
use crate::header::{self, HEADER_LEN, MessageType};
use crate::nlri::{self, NlriEntry};

/// The attributes leave no room for a single prefix: such routes cannot be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("attributes of {octets} octets do not fit a message of {max_len}")]
pub struct TooLong {
    pub octets: usize,
    pub max_len: usize,
}

/// Attributes in the form in which they stand in every message that announces routes with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttributeBlock {
    family: Family,
    /// Set where the routes travel in MP_REACH_NLRI.
    mp_next_hop: Option<NextHop>,
    octets: Bytes,
}

impl AttributeBlock {
    pub fn new(attrs: &Attributes, family: Family, context: &EncodeContext) -> Self {
        let mut buf = BytesMut::with_capacity(128);
        encode_attributes(&mut buf, attrs, family, context);
        let mp_next_hop = uses_mp_reach(family, attrs.next_hop).then_some(attrs.next_hop);
        Self { family, mp_next_hop, octets: buf.freeze() }
    }

    /// Octets of the attributes other than MP_REACH_NLRI.
    pub fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// Octets of a message with these attributes and no prefix.
    fn overhead(&self) -> usize {
        // Header, the two length fields, and for MP_REACH_NLRI: header, family, next hop with length, reserved.
        let reach = match self.mp_next_hop {
            None => 0,
            Some(NextHop::V4(_)) => 4 + 3 + 1 + 4 + 1,
            Some(NextHop::V6 { link_local: None, .. }) => 4 + 3 + 1 + 16 + 1,
            Some(NextHop::V6 { .. }) => 4 + 3 + 1 + 32 + 1,
        };
        HEADER_LEN + 4 + reach + self.octets.len()
    }
}

/// Octets of the longest prefix of a family with its path identifier.
fn longest(family: Family, add_path: bool) -> usize {
    nlri::encoded_len(Prefix::default_of(family.afi), add_path) + usize::from(family.afi.bits()) / 8
}

/// Writes as many UPDATEs as it takes to announce `entries`, whole messages one behind the other. Returns their number.
pub fn announce(
    buf: &mut BytesMut,
    context: &EncodeContext,
    block: &AttributeBlock,
    entries: impl IntoIterator<Item = NlriEntry>,
) -> Result<usize, TooLong> {
    let add_path = context.add_path.contains(block.family);
    let overhead = block.overhead();
    if overhead + longest(block.family, add_path) > context.max_len {
        return Err(TooLong { octets: overhead, max_len: context.max_len });
    }
    let mut entries = entries.into_iter().peekable();
    let mut messages = 0;
    while entries.peek().is_some() {
        let at = header::start(buf, MessageType::Update);
        buf.put_u16(0);
        let attributes = open_length(buf);
        if let Some(next_hop) = block.mp_next_hop {
            let value = open_mp(buf, AttrCode::MP_REACH_NLRI, block.family);
            encode_next_hop(buf, next_hop);
            buf.put_u8(0);
            fill(buf, &mut entries, add_path, at + context.max_len - block.octets.len());
            close_length(buf, value);
            buf.put_slice(&block.octets);
            close_length(buf, attributes);
        } else {
            buf.put_slice(&block.octets);
            close_length(buf, attributes);
            fill(buf, &mut entries, add_path, at + context.max_len);
        }
        header::finish(buf, at);
        messages += 1;
    }
    Ok(messages)
}

/// Writes as many UPDATEs as it takes to withdraw `entries`. Returns their number.
pub fn withdraw(
    buf: &mut BytesMut,
    context: &EncodeContext,
    family: Family,
    entries: impl IntoIterator<Item = NlriEntry>,
) -> usize {
    let add_path = context.add_path.contains(family);
    let mut entries = entries.into_iter().peekable();
    let mut messages = 0;
    while entries.peek().is_some() {
        let at = header::start(buf, MessageType::Update);
        if family == Family::IPV4_UNICAST {
            let withdrawn = open_length(buf);
            fill(buf, &mut entries, add_path, at + context.max_len - 2);
            close_length(buf, withdrawn);
            buf.put_u16(0);
        } else {
            buf.put_u16(0);
            let attributes = open_length(buf);
            let value = open_mp(buf, AttrCode::MP_UNREACH_NLRI, family);
            fill(buf, &mut entries, add_path, at + context.max_len);
            close_length(buf, value);
            close_length(buf, attributes);
        }
        header::finish(buf, at);
        messages += 1;
    }
    messages
}

/// The UPDATE that ends the initial table of a family (RFC 4724 §2).
pub fn end_of_rib(buf: &mut BytesMut, family: Family) {
    let at = header::start(buf, MessageType::Update);
    buf.put_u16(0);
    let attributes = open_length(buf);
    if family != Family::IPV4_UNICAST {
        buf.put_slice(&[OPTIONAL, AttrCode::MP_UNREACH_NLRI.0, 3]);
        put_family(buf, family);
    }
    close_length(buf, attributes);
    header::finish(buf, at);
}

/// Writes prefixes while the message stays within `end`.
fn fill(
    buf: &mut BytesMut,
    entries: &mut Peekable<impl Iterator<Item = NlriEntry>>,
    add_path: bool,
    end: usize,
) {
    while let Some(entry) =
        entries.next_if(|entry| buf.len() + nlri::encoded_len(entry.prefix, add_path) <= end)
    {
        nlri::put_entry(buf, entry, add_path);
    }
}

fn put_family(buf: &mut BytesMut, family: Family) {
    buf.put_u16(family.afi.code());
    buf.put_u8(family.safi.code());
}

/// Header and family of a multiprotocol attribute; its length is always written in two octets.
fn open_mp(buf: &mut BytesMut, code: AttrCode, family: Family) -> usize {
    buf.put_slice(&[OPTIONAL | EXTENDED_LENGTH, code.0]);
    let at = open_length(buf);
    put_family(buf, family);
    at
}

fn open_length(buf: &mut BytesMut) -> usize {
    buf.put_u16(0);
    buf.len()
}

/// Fills in the length field right before `start`. Messages are bounded by 65535 octets, so it always fits.
fn close_length(buf: &mut BytesMut, start: usize) {
    let len = (buf.len() - start) as u16;
    if let Some(field) = buf.get_mut(start - 2..start) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}
