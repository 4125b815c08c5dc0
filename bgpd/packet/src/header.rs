//! Message framing (RFC 4271 §4.1, §6.1; RFC 8654).
//!
//! ```text
//!  0                   1                   2                   3
//! +--------------------------------------------------------------+
//! |                     Marker, 16 octets of ones                |
//! +------------------------------+--------------+----------------+
//! |            Length            |     Type     |
//! +------------------------------+--------------+
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::notification::{Notification, header};

pub const HEADER_LEN: usize = 19;
/// Largest message without the extended-message capability.
pub const MAX_LEN: usize = 4096;
/// Largest message with it.
pub const MAX_LEN_EXTENDED: usize = 65535;

/// Type of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MessageType {
    Open = 1,
    Update = 2,
    Notification = 3,
    Keepalive = 4,
    RouteRefresh = 5,
    /// Where dynamic capabilities were agreed on.
    Capability = 6,
}

impl MessageType {
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Open),
            2 => Some(Self::Update),
            3 => Some(Self::Notification),
            4 => Some(Self::Keepalive),
            5 => Some(Self::RouteRefresh),
            6 => Some(Self::Capability),
            _ => None,
        }
    }

    /// Least length of a message of the type, header included.
    const fn min_len(self) -> usize {
        match self {
            Self::Open => 29,
            Self::Update => 23,
            Self::Notification => 21,
            // Whether a CAPABILITY may come at all is for the session to say, before its length.
            Self::Keepalive | Self::Capability => HEADER_LEN,
            Self::RouteRefresh => 23,
        }
    }

    /// Whether a message of this length can be of this type. OPEN and KEEPALIVE are never extended (RFC 8654 §4).
    fn allows(self, len: usize, max_len: usize) -> bool {
        match self {
            Self::Keepalive => len == HEADER_LEN,
            Self::Open => (self.min_len()..=MAX_LEN).contains(&len),
            _ => (self.min_len()..=max_len).contains(&len),
        }
    }
}

/// One message, its header taken off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub kind: MessageType,
    pub body: Bytes,
}

/// Cuts the next message off the front of `buf`; `None` while it is not complete. A fault of the header is found as
/// soon as the header is there, and what it costs is the session.
pub fn next_frame(buf: &mut BytesMut, max_len: usize) -> Result<Option<Frame>, Notification> {
    let Some(head) = buf.first_chunk::<HEADER_LEN>() else {
        // A marker that is wrong already need not be waited for.
        return if buf.iter().take(16).all(|octet| *octet == 0xff) {
            Ok(None)
        } else {
            Err(not_synchronized())
        };
    };
    let [marker @ .., high, low, code] = head;
    if marker.iter().any(|octet| *octet != 0xff) {
        return Err(not_synchronized());
    }
    let len = usize::from(u16::from_be_bytes([*high, *low]));
    let bad_length = || Notification::new(header::CODE, header::BAD_LENGTH, &[*high, *low]);
    if !(HEADER_LEN..=max_len).contains(&len) {
        return Err(bad_length());
    }
    let Some(kind) = MessageType::from_code(*code) else {
        return Err(Notification::new(header::CODE, header::BAD_TYPE, &[*code]));
    };
    // A refresh of a wrong length has a code of its own (RFC 7313 §5), given by its decoder.
    if kind != MessageType::RouteRefresh && !kind.allows(len, max_len) {
        return Err(bad_length());
    }
    if buf.len() < len {
        buf.reserve(len - buf.len());
        return Ok(None);
    }
    let mut body = buf.split_to(len).freeze();
    body.advance(HEADER_LEN);
    Ok(Some(Frame { kind, body }))
}

fn not_synchronized() -> Notification {
    Notification::new(header::CODE, header::NOT_SYNCHRONIZED, &[])
}

/// Opens a message; [`finish`] closes it. Returns where it begins.
pub fn start(buf: &mut BytesMut, kind: MessageType) -> usize {
    let at = buf.len();
    buf.put_bytes(0xff, 16);
    buf.put_u16(0);
    buf.put_u8(kind as u8);
    at
}

/// Fills in the length of the message that begins at `at`.
pub fn finish(buf: &mut BytesMut, at: usize) {
    let len = u16::try_from(buf.len().saturating_sub(at)).unwrap_or(u16::MAX);
    if let Some(field) = buf.get_mut(at + 16..at + 18) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}

/// A KEEPALIVE, whole.
pub fn keepalive() -> Bytes {
    const KEEPALIVE: [u8; HEADER_LEN] =
        [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 19, 4];
    Bytes::from_static(&KEEPALIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: u16, code: u8, octets: usize) -> BytesMut {
        let mut buf = BytesMut::from(&[0xff; 16][..]);
        buf.put_u16(len);
        buf.put_u8(code);
        buf.put_bytes(0, octets);
        buf
    }

    fn code_of(mut buf: BytesMut, max_len: usize) -> Option<(u8, u8)> {
        next_frame(&mut buf, max_len).err().map(|n| (n.code, n.subcode))
    }

    #[test]
    fn several_messages_in_one_segment_come_out_one_by_one() {
        let mut buf = BytesMut::from(&[&keepalive()[..], &keepalive()[..], &[0xff; 5]].concat()[..]);
        for _ in 0..2 {
            assert_eq!(next_frame(&mut buf, MAX_LEN).unwrap().unwrap().kind, MessageType::Keepalive);
        }
        assert_eq!(next_frame(&mut buf, MAX_LEN), Ok(None));
        assert_eq!(buf.len(), 5);
    }

    #[test]
    fn one_octet_per_segment_is_enough() {
        let mut buf = BytesMut::new();
        for (index, octet) in keepalive().iter().enumerate() {
            assert_eq!(next_frame(&mut buf, MAX_LEN), Ok(None), "{index}");
            buf.put_u8(*octet);
        }
        assert!(next_frame(&mut buf, MAX_LEN).unwrap().is_some());
    }

    #[test]
    fn header_faults_have_the_codes_of_rfc_4271_section_6_1() {
        let rows: &[(u16, u8, usize, Option<(u8, u8)>)] = &[
            (18, 4, MAX_LEN, Some((1, 2))),
            (0, 4, MAX_LEN, Some((1, 2))),
            (4097, 2, MAX_LEN, Some((1, 2))),
            (4097, 2, MAX_LEN_EXTENDED, None),
            (4097, 1, MAX_LEN_EXTENDED, Some((1, 2))),
            (65535, 2, MAX_LEN_EXTENDED, None),
            (20, 4, MAX_LEN, Some((1, 2))),
            (28, 1, MAX_LEN, Some((1, 2))),
            (22, 2, MAX_LEN, Some((1, 2))),
            (20, 3, MAX_LEN, Some((1, 2))),
            (19, 0, MAX_LEN, Some((1, 3))),
            (19, 7, MAX_LEN, Some((1, 3))),
            (19, 255, MAX_LEN, Some((1, 3))),
        ];
        for (len, kind, max_len, expected) in rows {
            assert_eq!(code_of(message(*len, *kind, 0), *max_len), *expected, "length {len}, type {kind}");
        }
    }

    #[test]
    fn a_broken_marker_is_not_waited_for() {
        assert_eq!(code_of(BytesMut::from(&[0xff, 0xff, 0xfe][..]), MAX_LEN), Some((1, 1)));
        let mut late = message(19, 4, 0);
        late[15] = 0;
        assert_eq!(code_of(late, MAX_LEN), Some((1, 1)));
    }
}
