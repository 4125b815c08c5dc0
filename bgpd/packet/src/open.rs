//! OPEN (RFC 4271 §4.2) with capabilities (RFC 5492) and, where they need it, extended optional parameters (RFC 9072).
//!
//! ```text
//! Version (1) | My AS (2) | Hold Time (2) | Identifier (4) | Opt Parm Len (1) | parameters
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::{Asn, RouterId};
use ferrite_wire::Reader;

use crate::capability::{Capability, CapabilityFault};
use crate::header::{self, MessageType};
use crate::notification::{Notification, open as codes};

/// The only version there is.
pub const VERSION: u8 = 4;

/// Parameter that holds capabilities.
const CAPABILITIES: u8 = 2;
/// In the place of a length and of a first parameter it says that lengths have two octets (RFC 9072 §2).
const EXTENDED: u8 = 255;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Open {
    /// The AS, from the capability where it was given.
    pub asn: Asn,
    /// The two-octet field, AS_TRANS for a number that does not fit.
    pub two_octet_as: u16,
    /// Seconds.
    pub hold_time: u16,
    pub router_id: RouterId,
    pub capabilities: Vec<Capability>,
    /// The parameters have, or are to have, lengths of two octets (RFC 9072); longer ones have them anyway.
    pub extended: bool,
    /// Capabilities that were passed over, by code with what was wrong.
    pub ignored: Vec<(u8, &'static str)>,
}

impl Open {
    pub fn new(asn: Asn, hold_time: u16, router_id: RouterId, capabilities: Vec<Capability>) -> Self {
        let two_octet_as = u16::try_from(asn.0).unwrap_or(Asn::TRANS.0 as u16);
        Self { asn, two_octet_as, hold_time, router_id, capabilities, extended: false, ignored: Vec::new() }
    }

    /// Reads the body. Whether the values suit the session is for the session to say, except what no session can take:
    /// another version, a hold time of one or two seconds, parameters that do not hold together.
    pub fn decode(body: &Bytes) -> Result<Self, Notification> {
        let mut reader = Reader::new(body);
        let malformed = || Notification::new(codes::CODE, codes::UNSPECIFIC, &[]);
        let version = reader.u8().map_err(|_| malformed())?;
        if version != VERSION {
            return Err(Notification::new(codes::CODE, codes::VERSION, &u16::from(VERSION).to_be_bytes()));
        }
        let two_octet_as = reader.u16().map_err(|_| malformed())?;
        let hold_time = reader.u16().map_err(|_| malformed())?;
        let router_id = RouterId(reader.ipv4().map_err(|_| malformed())?);
        if matches!(hold_time, 1 | 2) {
            return Err(Notification::new(codes::CODE, codes::HOLD_TIME, &hold_time.to_be_bytes()));
        }
        let mut open = Self {
            asn: Asn(two_octet_as.into()),
            two_octet_as,
            hold_time,
            router_id,
            capabilities: Vec::new(),
            extended: false,
            ignored: Vec::new(),
        };
        open.read_parameters(reader)?;
        let four_octet = open.capabilities.iter().find_map(|capability| match capability {
            Capability::FourOctetAs(asn) => Some(*asn),
            _ => None,
        });
        open.asn = four_octet.unwrap_or(open.asn);
        Ok(open)
    }

    fn read_parameters(&mut self, mut reader: Reader<'_>) -> Result<(), Notification> {
        let malformed = |_| Notification::new(codes::CODE, codes::UNSPECIFIC, &[]);
        let len = reader.u8().map_err(malformed)?;
        // RFC 9072 §2: the extended form is told by the first parameter's type, whatever the length says but zero.
        let extended = len != 0 && reader.rest().first() == Some(&EXTENDED);
        self.extended = extended;
        let mut parameters = if extended {
            reader.u8().map_err(malformed)?;
            let len = reader.u16().map_err(malformed)?;
            reader.sub(usize::from(len)).map_err(malformed)?
        } else {
            reader.sub(usize::from(len)).map_err(malformed)?
        };
        if !reader.is_empty() {
            return Err(Notification::new(codes::CODE, codes::UNSPECIFIC, &[]));
        }
        while !parameters.is_empty() {
            let kind = parameters.u8().map_err(malformed)?;
            let len = if extended {
                usize::from(parameters.u16().map_err(malformed)?)
            } else {
                usize::from(parameters.u8().map_err(malformed)?)
            };
            let value = parameters.sub(len).map_err(malformed)?;
            if kind != CAPABILITIES {
                return Err(Notification::new(codes::CODE, codes::OPTIONAL_PARAMETER, &[]));
            }
            self.read_capabilities(value)?;
        }
        Ok(())
    }

    fn read_capabilities(&mut self, mut reader: Reader<'_>) -> Result<(), Notification> {
        let malformed = |_| Notification::new(codes::CODE, codes::UNSPECIFIC, &[]);
        while !reader.is_empty() {
            let code = reader.u8().map_err(malformed)?;
            let len = reader.u8().map_err(malformed)?;
            let value = reader.take(usize::from(len)).map_err(malformed)?;
            match Capability::decode(code, value) {
                Ok(capability) if self.capabilities.contains(&capability) => {}
                Ok(capability) => self.capabilities.push(capability),
                Err(CapabilityFault::Ignored { code, reason }) => self.ignored.push((code, reason)),
                Err(CapabilityFault::Fatal { .. }) => {
                    return Err(Notification::new(codes::CODE, codes::UNSPECIFIC, &[]));
                }
            }
        }
        Ok(())
    }

    /// The whole message. Each capability is a parameter of its own, as old speakers expect; the extended form is used
    /// only where the ordinary one is too short.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::with_capacity(256);
        let at = header::start(&mut buf, MessageType::Open);
        buf.put_u8(VERSION);
        buf.put_u16(self.two_octet_as);
        buf.put_u16(self.hold_time);
        buf.put_slice(&self.router_id.0.octets());
        let mut encoded = Vec::with_capacity(self.capabilities.len());
        for capability in &self.capabilities {
            let mut one = BytesMut::new();
            capability.encode(&mut one);
            if !one.is_empty() {
                encoded.push(one);
            }
        }
        let plain: usize = encoded.iter().map(|one| one.len() + 2).sum();
        // A capability is at most 257 octets, so one of over 253 needs the long form too.
        if plain < usize::from(EXTENDED) && !self.extended {
            buf.put_u8(plain as u8);
            for one in encoded {
                buf.put_slice(&[CAPABILITIES, one.len() as u8]);
                buf.put_slice(&one);
            }
        } else {
            buf.put_slice(&[EXTENDED, EXTENDED]);
            let room = header::MAX_LEN - header::HEADER_LEN - 13;
            let mut len = 0;
            encoded.retain(|one| {
                let fits = len + one.len() + 3 <= room;
                len += if fits { one.len() + 3 } else { 0 };
                fits
            });
            buf.put_u16(len as u16);
            for one in encoded {
                buf.put_u8(CAPABILITIES);
                buf.put_u16(one.len() as u16);
                buf.put_slice(&one);
            }
        }
        header::finish(&mut buf, at);
        buf.freeze()
    }
}

#[cfg(test)]
mod tests;
