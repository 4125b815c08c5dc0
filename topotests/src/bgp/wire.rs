//! Messages and OPEN (RFC 4271 §4.1–4.5; capabilities RFC 5492, 4760, 6793, 2918).

use std::net::Ipv4Addr;

use super::{Malformed, Octets};
use crate::kernel::Family;

pub const HEADER: usize = 19;
/// Longest message without the extended message capability.
pub const MAX_MESSAGE: usize = 4096;

/// Message types.
pub const OPEN: u8 = 1;
pub const UPDATE: u8 = 2;
pub const NOTIFICATION: u8 = 3;
pub const KEEPALIVE: u8 = 4;

const AS_TRANS: u16 = 23456;
const CAPABILITY_MULTIPROTOCOL: u8 = 1;
const CAPABILITY_REFRESH: u8 = 2;
const CAPABILITY_FOUR_OCTET_AS: u8 = 65;

/// A message with its header.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff; 16];
    out.extend(((HEADER + body.len()) as u16).to_be_bytes());
    out.push(kind);
    out.extend(body);
    out
}

pub fn keepalive() -> Vec<u8> {
    message(KEEPALIVE, &[])
}

/// Cease, administrative shutdown (RFC 4486).
pub fn cease() -> Vec<u8> {
    message(NOTIFICATION, &[6, 2])
}

/// Reads the header: body length and type.
pub fn header(octets: &[u8; HEADER]) -> Result<(usize, u8), Malformed> {
    let mut octets = Octets(octets);
    if octets.take(16, "marker")?.iter().any(|b| *b != 0xff) {
        return Err(Malformed("marker is not all ones"));
    }
    let length = usize::from(octets.u16("length")?);
    let kind = octets.u8("type")?;
    let body = length.checked_sub(HEADER).ok_or(Malformed("message shorter than its header"))?;
    Ok((body, kind))
}

/// What the two ends tell each other first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub asn: u32,
    /// seconds; zero means no keepalives
    pub hold: u16,
    pub router_id: Ipv4Addr,
    pub families: Vec<Family>,
    pub four_octet_as: bool,
}

pub fn afi(family: Family) -> u16 {
    match family {
        Family::V4 => 1,
        Family::V6 => 2,
    }
}

impl Open {
    pub fn encode(&self) -> Vec<u8> {
        let mut caps = Vec::new();
        for family in &self.families {
            let [hi, lo] = afi(*family).to_be_bytes();
            caps.extend([CAPABILITY_MULTIPROTOCOL, 4, hi, lo, 0, 1]);
        }
        caps.extend([CAPABILITY_REFRESH, 0]);
        if self.four_octet_as {
            caps.extend([CAPABILITY_FOUR_OCTET_AS, 4]);
            caps.extend(self.asn.to_be_bytes());
        }
        let mut body = vec![4];
        body.extend(u16::try_from(self.asn).unwrap_or(AS_TRANS).to_be_bytes());
        body.extend(self.hold.to_be_bytes());
        body.extend(self.router_id.octets());
        body.extend([caps.len() as u8 + 2, 2, caps.len() as u8]);
        body.extend(caps);
        message(OPEN, &body)
    }

    pub fn decode(body: &[u8]) -> Result<Open, Malformed> {
        let mut octets = Octets(body);
        if octets.u8("version")? != 4 {
            return Err(Malformed("version is not 4"));
        }
        let asn = u32::from(octets.u16("AS")?);
        let hold = octets.u16("hold time")?;
        let router_id = Ipv4Addr::from(octets.u32("identifier")?);
        let length = usize::from(octets.u8("parameters' length")?);
        let mut open = Open { asn, hold, router_id, families: Vec::new(), four_octet_as: false };
        let mut params = Octets(octets.take(length, "parameters")?);
        while !params.is_empty() {
            let kind = params.u8("parameter")?;
            let length = usize::from(params.u8("parameter's length")?);
            let value = Octets(params.take(length, "parameter's value")?);
            if kind == 2 {
                open.capabilities(value)?;
            }
        }
        if !octets.is_empty() {
            return Err(Malformed("octets after the parameters"));
        }
        Ok(open)
    }

    fn capabilities(&mut self, mut caps: Octets<'_>) -> Result<(), Malformed> {
        while !caps.is_empty() {
            let code = caps.u8("capability")?;
            let length = usize::from(caps.u8("capability's length")?);
            let mut value = Octets(caps.take(length, "capability's value")?);
            match code {
                CAPABILITY_MULTIPROTOCOL => match (value.u16("AFI")?, value.u16("SAFI")?) {
                    (1, 1) => self.families.push(Family::V4),
                    (2, 1) => self.families.push(Family::V6),
                    _ => {}
                },
                CAPABILITY_FOUR_OCTET_AS => {
                    self.asn = value.u32("AS of four octets")?;
                    self.four_octet_as = true;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_says_the_same_when_read_back() {
        let open = Open {
            asn: 4_200_000_001,
            hold: 90,
            router_id: Ipv4Addr::new(192, 0, 2, 1),
            families: vec![Family::V4, Family::V6],
            four_octet_as: true,
        };
        assert_eq!(Open::decode(&open.encode()[HEADER..]), Ok(open));
    }

    #[test]
    fn an_open_cut_anywhere_is_an_error() {
        let open = Open {
            asn: 65001,
            hold: 90,
            router_id: Ipv4Addr::LOCALHOST,
            families: vec![Family::V4],
            four_octet_as: true,
        };
        let body = &open.encode()[HEADER..];
        for end in 0..body.len() {
            assert!(Open::decode(&body[..end]).is_err(), "cut at {end}");
        }
    }
}
