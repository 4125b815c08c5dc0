//! One PDU from octets, by the `rpki` crate, and our own few to octets.
//!
//! ```text
//!  0          8          16         24        31
//!  ┌──────────┬──────────┬─────────────────────┐
//!  │ version  │ type     │ session / flags     │
//!  ├──────────┴──────────┴─────────────────────┤
//!  │ length of the whole PDU                   │
//!  └───────────────────────────────────────────┘
//! ```

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ferrite_types::{Asn, Prefix};
use rpki::rtr::pdu;
use rpki::rtr::state::{Serial, State};
use rpki::rtr::{Action as RpkiAction, Payload as RpkiPayload};

use crate::tables::{Payload, RouterKey};
use crate::vrp::Vrp;

/// The newest version we speak.
pub const MAX_VERSION: u8 = 2;
/// Octets of the longest PDU we take (8210bis §5.1).
pub const MAX_PDU: usize = 65535;
/// Octets before a PDU's contents.
pub(super) const HEADER: usize = 8;
/// Octets of a wrong PDU that an Error Report quotes.
const QUOTED: usize = 256;

/// Codes of Error Reports (RFC 8210 §12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum ErrorCode {
    CorruptData = 0,
    InternalError = 1,
    NoData = 2,
    InvalidRequest = 3,
    UnsupportedVersion = 4,
    UnsupportedPdu = 5,
    UnknownWithdrawal = 6,
    Duplicate = 7,
    UnexpectedVersion = 8,
    AspaProviders = 9,
}

/// What is wrong with what a cache sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    pub code: ErrorCode,
    pub text: String,
}

impl Fault {
    pub fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// A PDU's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub version: u8,
    pub kind: u8,
    pub session: u16,
    pub length: usize,
}

impl Header {
    /// `None` while octets are missing.
    pub fn read(octets: &[u8]) -> Option<Self> {
        let [version, kind, s0, s1, l0, l1, l2, l3, ..] = *octets else { return None };
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Some(Self { version, kind, session: u16::from_be_bytes([s0, s1]), length })
    }

    /// Whether a PDU of this type may be that long, and is ours to get in this version.
    pub fn check(self) -> Result<(), Fault> {
        let exact = |length: usize| self.length == length;
        let from = |length: usize| (length..=MAX_PDU).contains(&self.length);
        let fits = match self.kind {
            pdu::SerialNotify::PDU => exact(12),
            pdu::CacheResponse::PDU | pdu::CacheReset::PDU => exact(8),
            pdu::Ipv4Prefix::PDU => exact(20),
            pdu::Ipv6Prefix::PDU => exact(32),
            pdu::EndOfData::PDU => exact(if self.version == 0 { 12 } else { 24 }),
            pdu::RouterKey::PDU if self.version >= 1 => from(32),
            pdu::Error::PDU => from(16),
            pdu::Aspa::PDU if self.version >= 2 => from(12) && self.length.is_multiple_of(4),
            pdu::SerialQuery::PDU | pdu::ResetQuery::PDU => {
                return Err(Fault::new(ErrorCode::InvalidRequest, "a cache does not ask"));
            }
            other => {
                let text = format!("PDU type {other} is not known in version {}", self.version);
                return Err(Fault::new(ErrorCode::UnsupportedPdu, text));
            }
        };
        let text = || format!("length {} does not fit PDU type {}", self.length, self.kind);
        if fits { Ok(()) } else { Err(Fault::new(ErrorCode::CorruptData, text())) }
    }
}

/// What a cache says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Pdu {
    Notify {
        session: u16,
        serial: u32,
    },
    Response {
        session: u16,
    },
    Announce(Payload),
    Withdraw(Payload),
    /// Refresh, retry and expire interval follow in version 1 and later.
    EndOfData {
        session: u16,
        serial: u32,
        timing: Option<[Duration; 3]>,
    },
    CacheReset,
    Error {
        code: u16,
        text: String,
    },
}

/// Runs a future that has all it needs. What the crate reads from octets never waits.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn read<T>(future: impl Future<Output = std::io::Result<T>>) -> Result<T, Fault> {
    let ended = || Fault::new(ErrorCode::CorruptData, "the PDU ends too early");
    at_once(future).ok_or_else(ended)?.map_err(|error| Fault::new(ErrorCode::CorruptData, error.to_string()))
}

/// Reads a PDU; `octets` is all of it, its header has been checked.
pub(super) fn decode(header: Header, octets: &[u8]) -> Result<Pdu, Fault> {
    let mut rest = octets;
    Ok(match header.kind {
        pdu::SerialNotify::PDU => {
            let Some([a, b, c, d]) = octets.get(HEADER..HEADER + 4).and_then(|o| <[u8; 4]>::try_from(o).ok())
            else {
                return Err(Fault::new(ErrorCode::CorruptData, "the PDU ends too early"));
            };
            read(pdu::SerialNotify::read(&mut rest))?;
            Pdu::Notify { session: header.session, serial: u32::from_be_bytes([a, b, c, d]) }
        }
        pdu::CacheResponse::PDU => {
            read(pdu::CacheResponse::read(&mut rest))?;
            Pdu::Response { session: header.session }
        }
        pdu::CacheReset::PDU => {
            read(pdu::CacheReset::read(&mut rest))?;
            Pdu::CacheReset
        }
        pdu::Error::PDU => Pdu::Error { code: header.session, text: error_text(octets) },
        _ => match read(pdu::Payload::read(&mut rest))? {
            Err(end) => Pdu::EndOfData {
                session: end.session(),
                serial: end.serial().0,
                timing: end.timing().map(|t| {
                    [t.refresh, t.retry, t.expire].map(|seconds| Duration::from_secs(seconds.into()))
                }),
            },
            Ok(Some(pdu)) => record(&pdu)?,
            Ok(None) => return Err(Fault::new(ErrorCode::UnsupportedPdu, "unknown payload")),
        },
    })
}

fn record(pdu: &pdu::Payload) -> Result<Pdu, Fault> {
    let wrong = |_| Fault::new(ErrorCode::CorruptData, "the prefix's lengths do not fit");
    let (action, payload) = pdu.to_payload().map_err(wrong)?;
    let announce = action == RpkiAction::Announce;
    let payload = match payload {
        RpkiPayload::Origin(origin) => {
            let prefix = Prefix::new(origin.prefix.addr(), origin.prefix.prefix_len());
            let vrp = prefix.and_then(|prefix| {
                Vrp::new(prefix, origin.prefix.resolved_max_len(), Asn(origin.asn.into_u32()))
            });
            let wrong = || Fault::new(ErrorCode::CorruptData, "the prefix's lengths do not fit");
            Payload::Vrp(vrp.ok_or_else(wrong)?)
        }
        RpkiPayload::RouterKey(key) => {
            let mut ski = [0; 20];
            ski.copy_from_slice(key.key_identifier.as_slice());
            let spki: Arc<[u8]> = key.key_info.as_slice().into();
            Payload::Key(RouterKey { asn: Asn(key.asn.into_u32()), ski, spki })
        }
        RpkiPayload::Aspa(aspa) => {
            let providers: Vec<Asn> = aspa.providers.iter().map(|asn| Asn(asn.into_u32())).collect();
            if announce && providers.is_empty() {
                return Err(Fault::new(ErrorCode::AspaProviders, "an authorisation names no provider"));
            }
            let providers = if announce { providers } else { Vec::new() };
            Payload::Aspa { customer: Asn(aspa.customer.into_u32()), providers }
        }
    };
    Ok(if announce { Pdu::Announce(payload) } else { Pdu::Withdraw(payload) })
}

/// The text of an Error Report: after the quoted PDU; empty where the lengths do not add up.
fn error_text(octets: &[u8]) -> String {
    fn number(octets: &[u8], at: usize) -> Option<usize> {
        let four: [u8; 4] = octets.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(four)).ok()
    }
    let text = || {
        let at = HEADER.checked_add(4)?.checked_add(number(octets, HEADER)?)?;
        let from = at.checked_add(4)?;
        octets.get(from..from.checked_add(number(octets, at)?)?)
    };
    let text = ferrite_types::printable(text().unwrap_or_default());
    text.chars().take(200).collect()
}

pub(super) fn serial_query(version: u8, session: u16, serial: u32) -> Vec<u8> {
    pdu::SerialQuery::new(version, State::from_parts(session, Serial(serial))).as_ref().to_vec()
}

pub(super) fn reset_query(version: u8) -> Vec<u8> {
    pdu::ResetQuery::new(version).as_ref().to_vec()
}

pub(super) fn error_report(version: u8, fault: &Fault, about: &[u8]) -> Vec<u8> {
    let about = about.get(..QUOTED).unwrap_or(about);
    pdu::Error::new(version, fault.code as u16, about, fault.text.as_bytes()).as_ref().to_vec()
}
