//! Builders of messages that may be as wrong as a case wants them.

use std::net::Ipv4Addr;

use topotests::Family;
use topotests::bgp::Prefix;
use topotests::bgp::wire::{OPEN, UPDATE, afi, message};

/// Flags of an attribute.
pub const OPTIONAL: u8 = 0x80;
pub const TRANSITIVE: u8 = 0x40;
pub const PARTIAL: u8 = 0x20;
pub const EXTENDED: u8 = 0x10;
/// Optional transitive.
pub const OT: u8 = OPTIONAL | TRANSITIVE;

/// An OPEN and what is inside it.
#[derive(Clone, Debug)]
pub struct OpenSpec {
    pub version: u8,
    pub asn: u32,
    pub hold: u16,
    pub router_id: Ipv4Addr,
    /// Optional parameters with their length in front.
    pub parameters: Vec<u8>,
}

impl OpenSpec {
    /// Both families, route refresh, AS numbers of four octets.
    pub fn usual(asn: u32, router_id: Ipv4Addr) -> OpenSpec {
        OpenSpec::with(asn, router_id, &[four_octet_as(asn)])
    }

    /// Both families, route refresh and more capabilities.
    pub fn with(asn: u32, router_id: Ipv4Addr, more: &[Vec<u8>]) -> OpenSpec {
        let mut caps = vec![1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 2, 0];
        caps.extend(more.concat());
        OpenSpec { version: 4, asn, hold: 180, router_id, parameters: parameters(&[&caps]) }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut body = vec![self.version];
        body.extend(u16::try_from(self.asn).unwrap_or(23456).to_be_bytes());
        body.extend(self.hold.to_be_bytes());
        body.extend(self.router_id.octets());
        body.extend(&self.parameters);
        message(OPEN, &body)
    }
}

pub fn four_octet_as(asn: u32) -> Vec<u8> {
    capability(65, &asn.to_be_bytes())
}

pub fn capability(code: u8, value: &[u8]) -> Vec<u8> {
    [&[code, value.len() as u8][..], value].concat()
}

/// The field of optional parameters: one parameter of capabilities for each element.
pub fn parameters(capabilities: &[&[u8]]) -> Vec<u8> {
    let mut list = Vec::new();
    for one in capabilities {
        list.extend([2, one.len() as u8]);
        list.extend(*one);
    }
    [&[list.len() as u8][..], &list].concat()
}

/// The same in the extended form (RFC 9072).
pub fn extended_parameters(capabilities: &[&[u8]]) -> Vec<u8> {
    let mut list = Vec::new();
    for one in capabilities {
        list.push(2);
        list.extend((one.len() as u16).to_be_bytes());
        list.extend(*one);
    }
    [&[255, 255][..], &(list.len() as u16).to_be_bytes(), &list].concat()
}

/// One attribute with an honest length.
pub fn attr(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![flags & !EXTENDED, code];
    match u8::try_from(value.len()) {
        Ok(length) if flags & EXTENDED == 0 => out.push(length),
        _ => {
            out = vec![flags | EXTENDED, code];
            out.extend((value.len() as u16).to_be_bytes());
        }
    }
    out.extend(value);
    out
}

pub fn nlri(prefixes: &[Prefix]) -> Vec<u8> {
    let mut out = Vec::new();
    for prefix in prefixes {
        prefix.write(&mut out);
    }
    out
}

/// An UPDATE with honest lengths.
pub fn update(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    update_claiming(withdrawn.len() as u16, withdrawn, attributes.len() as u16, attributes, nlri)
}

/// An UPDATE that says of its parts what it likes.
pub fn update_claiming(
    withdrawn_len: u16,
    withdrawn: &[u8],
    attributes_len: u16,
    attributes: &[u8],
    nlri: &[u8],
) -> Vec<u8> {
    let mut body = withdrawn_len.to_be_bytes().to_vec();
    body.extend(withdrawn);
    body.extend(attributes_len.to_be_bytes());
    body.extend(attributes);
    body.extend(nlri);
    message(UPDATE, &body)
}

/// A message with a header of one's own making.
pub fn framed(marker: u8, length: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![marker; 16];
    out.extend(length.to_be_bytes());
    out.push(kind);
    out.extend(body);
    out
}

/// The value of MP_REACH_NLRI.
pub fn reach(family: Family, hop_len: u8, hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut out = afi(family).to_be_bytes().to_vec();
    out.extend([1, hop_len]);
    out.extend(hop);
    out.push(0);
    out.extend(nlri);
    out
}

/// The value of MP_UNREACH_NLRI.
pub fn unreach(family: Family, nlri: &[u8]) -> Vec<u8> {
    let mut out = afi(family).to_be_bytes().to_vec();
    out.push(1);
    out.extend(nlri);
    out
}

/// A TLV that says what it likes of its length, in two octets.
pub fn tlv2(kind: u8, length: u16, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &length.to_be_bytes(), value].concat()
}
