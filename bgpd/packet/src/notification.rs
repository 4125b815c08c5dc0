//! NOTIFICATION (RFC 4271 §4.5, §6; RFC 4486, RFC 9003, RFC 8538, RFC 7313).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::printable;
use ferrite_wire::Reader;

use crate::header::{self as frame, MessageType};

/// Most octets of data that we send back: what the peer sent, and never more than one ordinary message holds.
pub const MAX_DATA: usize = frame::MAX_LEN - frame::HEADER_LEN - 2;

/// Message header error.
pub mod header {
    pub const CODE: u8 = 1;
    pub const NOT_SYNCHRONIZED: u8 = 1;
    pub const BAD_LENGTH: u8 = 2;
    pub const BAD_TYPE: u8 = 3;
}

/// OPEN message error.
pub mod open {
    pub const CODE: u8 = 2;
    pub const UNSPECIFIC: u8 = 0;
    pub const VERSION: u8 = 1;
    pub const BAD_PEER_AS: u8 = 2;
    pub const BAD_IDENTIFIER: u8 = 3;
    pub const OPTIONAL_PARAMETER: u8 = 4;
    pub const HOLD_TIME: u8 = 6;
    pub const CAPABILITY: u8 = 7;
    pub const ROLE_MISMATCH: u8 = 11;
}

/// UPDATE message error.
pub mod update {
    pub const CODE: u8 = 3;
    pub const MALFORMED_LIST: u8 = 1;
    pub const UNKNOWN_WELL_KNOWN: u8 = 2;
    pub const MISSING_WELL_KNOWN: u8 = 3;
    pub const FLAGS: u8 = 4;
    pub const LENGTH: u8 = 5;
    pub const ORIGIN: u8 = 6;
    pub const NEXT_HOP: u8 = 8;
    pub const OPTIONAL: u8 = 9;
    pub const NETWORK: u8 = 10;
    pub const AS_PATH: u8 = 11;
}

pub mod hold_timer {
    pub const CODE: u8 = 4;
}

/// Finite state machine error (RFC 6608).
pub mod fsm {
    pub const CODE: u8 = 5;
    pub const OPEN_SENT: u8 = 1;
    pub const OPEN_CONFIRM: u8 = 2;
    pub const ESTABLISHED: u8 = 3;
}

/// Cease (RFC 4486, RFC 8538, RFC 9384).
pub mod cease {
    pub const CODE: u8 = 6;
    pub const UNSPECIFIC: u8 = 0;
    pub const MAX_PREFIXES: u8 = 1;
    pub const ADMIN_SHUTDOWN: u8 = 2;
    pub const DECONFIGURED: u8 = 3;
    pub const ADMIN_RESET: u8 = 4;
    pub const REJECTED: u8 = 5;
    pub const CONFIG_CHANGE: u8 = 6;
    pub const COLLISION: u8 = 7;
    pub const OUT_OF_RESOURCES: u8 = 8;
    pub const HARD_RESET: u8 = 9;
    pub const BFD_DOWN: u8 = 10;
}

/// ROUTE-REFRESH message error (RFC 7313 §5).
pub mod refresh {
    pub const CODE: u8 = 7;
    pub const BAD_LENGTH: u8 = 1;
}

/// Send hold timer (RFC 9687 §4).
pub mod send_hold_timer {
    pub const CODE: u8 = 8;
}

/// Why a session ends, told to or by the other end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    pub code: u8,
    pub subcode: u8,
    pub data: Bytes,
}

impl Notification {
    /// Data over what a message holds is cut off.
    pub fn new(code: u8, subcode: u8, data: &[u8]) -> Self {
        let data = data.get(..MAX_DATA).unwrap_or(data);
        Self { code, subcode, data: Bytes::copy_from_slice(data) }
    }

    pub fn cease(subcode: u8) -> Self {
        Self::new(cease::CODE, subcode, &[])
    }

    /// Administrative shutdown or reset with a text for the other end's operator (RFC 9003): UTF-8, at most 255 octets.
    pub fn cease_with_text(subcode: u8, text: &str) -> Self {
        let mut end = text.len().min(255);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        if text.is_empty() {
            return Self::cease(subcode);
        }
        let mut data = vec![text.len() as u8];
        data.extend(text.as_bytes());
        Self::new(cease::CODE, subcode, &data)
    }

    /// The framer has seen to it that code and subcode are there; without them this is a notification of nothing.
    pub fn decode(body: &Bytes) -> Self {
        let mut reader = Reader::new(body);
        let [code, subcode] = reader.array().unwrap_or_default();
        Self { code, subcode, data: body.slice_ref(reader.rest()) }
    }

    /// The whole message.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::with_capacity(frame::HEADER_LEN + 2 + self.data.len());
        let at = frame::start(&mut buf, MessageType::Notification);
        buf.put_slice(&[self.code, self.subcode]);
        buf.put_slice(self.data.get(..MAX_DATA).unwrap_or(&self.data));
        frame::finish(&mut buf, at);
        buf.freeze()
    }

    /// The operator's text of a shutdown or reset. A length over what came is cut to it; what is not UTF-8 or not
    /// printable is replaced (RFC 9003 §2, §3).
    pub fn shutdown_text(&self) -> Option<String> {
        let shutdown = matches!(self.subcode, cease::ADMIN_SHUTDOWN | cease::ADMIN_RESET);
        if self.code != cease::CODE || !shutdown {
            return None;
        }
        let (len, text) = self.data.split_first()?;
        let text = text.get(..usize::from(*len)).unwrap_or(text);
        let text = printable(text);
        (!text.is_empty()).then_some(text)
    }

    /// The same as a hard reset: the other end is not to wait for us (RFC 8538 §3.1).
    pub fn hard(&self) -> Self {
        if self.is_hard() {
            return self.clone();
        }
        let mut data = vec![self.code, self.subcode];
        data.extend_from_slice(&self.data);
        Self::new(cease::CODE, cease::HARD_RESET, &data)
    }

    /// Whether the session is to end for good, whatever stands inside (RFC 8538 §3.1).
    pub fn is_hard(&self) -> bool {
        (self.code, self.subcode) == (cease::CODE, cease::HARD_RESET)
    }

    /// The notification inside a hard reset, where there is one.
    pub fn inner(&self) -> Option<Self> {
        (self.is_hard() && self.data.len() >= 2).then(|| Self::decode(&self.data))
    }

    /// The names that FRR gives code and subcode; numbers past the tables have none.
    pub fn names(&self) -> (Option<&'static str>, Option<&'static str>) {
        let code = match self.code {
            1 => "Message Header Error",
            2 => "OPEN Message Error",
            3 => "UPDATE Message Error",
            4 => "Hold Timer Expired",
            5 => "Neighbor Events Error",
            6 => "Cease",
            7 => "ROUTE-REFRESH Message Error",
            8 => "Send Hold Timer Expired",
            _ => return (None, None),
        };
        let subcode = match (self.code, self.subcode) {
            (1, 1) => "/Connection Not Synchronized",
            (1, 2) => "/Bad Message Length",
            (1, 3) => "/Bad Message Type",
            (2, 0) => "/Unspecific",
            (2, 1) => "/Unsupported Version Number",
            (2, 2) => "/Bad Peer AS",
            (2, 3) => "/Bad BGP Identifier",
            (2, 4) => "/Unsupported Optional Parameter",
            (2, 5) => "/Authentication Failure",
            (2, 6) => "/Unacceptable Hold Time",
            (2, 7) => "/Unsupported Capability",
            (2, 11) => "/Role Mismatch",
            (3, 0) => "/Unspecific",
            (3, 1) => "/Malformed Attribute List",
            (3, 2) => "/Unrecognized Well-known Attribute",
            (3, 3) => "/Missing Well-known Attribute",
            (3, 4) => "/Attribute Flags Error",
            (3, 5) => "/Attribute Length Error",
            (3, 6) => "/Invalid ORIGIN Attribute",
            (3, 7) => "/AS Routing Loop",
            (3, 8) => "/Invalid NEXT_HOP Attribute",
            (3, 9) => "/Optional Attribute Error",
            (3, 10) => "/Invalid Network Field",
            (3, 11) => "/Malformed AS_PATH",
            (5, 0) => "/Unspecific",
            (5, 1) => "/Received Unexpected Message in OpenSent State",
            (5, 2) => "/Received Unexpected Message in OpenConfirm State",
            (5, 3) => "/Received Unexpected Message in Established State",
            (6, 0) => "/Unspecific",
            (6, 1) => "/Maximum Number of Prefixes Reached",
            (6, 2) => "/Administrative Shutdown",
            (6, 3) => "/Peer De-configured",
            (6, 4) => "/Administrative Reset",
            (6, 5) => "/Connection Rejected",
            (6, 6) => "/Other Configuration Change",
            (6, 7) => "/Connection collision resolution",
            (6, 8) => "/Out of Resources",
            (6, 9) => "/Hard Reset",
            (6, 10) => "/BFD Down",
            (7, 1) => "/Invalid Message Length",
            _ => return (Some(code), None),
        };
        (Some(code), Some(subcode))
    }
}

/// `Cease/Administrative Shutdown`, as FRR writes a reason; unnamed numbers as numbers.
impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            (Some(code), Some(subcode)) => write!(f, "{code}{subcode}"),
            (Some(code), None) if self.subcode == 0 => f.write_str(code),
            (Some(code), None) => write!(f, "{code}/{}", self.subcode),
            (None, _) => write!(f, "{}/{}", self.code, self.subcode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_never_outgrows_a_message() {
        let long = Notification::new(2, 7, &vec![1; 70_000]);
        assert_eq!(long.encode().len(), frame::MAX_LEN);
    }

    #[test]
    fn an_operators_text_crosses() {
        let sent = Notification::cease_with_text(cease::ADMIN_SHUTDOWN, "maintenance until 04:00, sorry ☺");
        let body = sent.encode().slice(frame::HEADER_LEN..);
        let got = Notification::decode(&body);
        assert_eq!(got.shutdown_text().as_deref(), Some("maintenance until 04:00, sorry ☺"));
        assert_eq!(got.to_string(), "Cease/Administrative Shutdown");
    }

    #[test]
    fn a_hard_reset_carries_what_it_is_for() {
        let inside = Notification::cease_with_text(cease::ADMIN_RESET, "new cables");
        let hard = inside.hard();
        assert_eq!((hard.code, hard.subcode), (cease::CODE, cease::HARD_RESET));
        assert_eq!(hard.inner(), Some(inside));
        let bare = Notification::new(cease::CODE, cease::HARD_RESET, &[cease::CODE]);
        assert!(bare.is_hard() && bare.inner().is_none());
        assert_eq!(hard.hard(), hard);
    }

    #[test]
    fn a_text_cut_to_255_octets_ends_between_characters() {
        let sent = Notification::cease_with_text(cease::ADMIN_RESET, &"ä".repeat(200));
        assert_eq!(sent.shutdown_text().unwrap().chars().count(), 127);
    }

    #[test]
    fn a_shutdown_text_longer_than_said_or_unprintable_is_tamed() {
        let text = |data: &[u8]| Notification::new(6, 2, data).shutdown_text();
        assert_eq!(text(&[200, b'h', b'i']).as_deref(), Some("hi"));
        assert_eq!(text(&[2, 0xff, 0x07]).as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(text(&[0]), None);
        assert_eq!(text(&[]), None);
    }

    #[test]
    fn numbers_past_every_table_print_as_numbers() {
        for code in 0..=255 {
            for subcode in 0..=255 {
                assert!(!Notification::new(code, subcode, &[]).to_string().is_empty());
            }
        }
        assert_eq!(Notification::new(9, 200, &[]).to_string(), "9/200");
        assert_eq!(Notification::new(6, 99, &[]).to_string(), "Cease/99");
    }
}
