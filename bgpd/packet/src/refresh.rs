//! ROUTE-REFRESH (RFC 2918, RFC 7313). Outbound filters (RFC 5291) are not negotiated, so what follows the family in
//! a message with them is not for us.

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_wire::Reader;

use crate::Family;
use crate::header::{self, MessageType};
use crate::notification::{Notification, refresh as codes};

/// What a refresh message says about its family.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefreshKind {
    /// Send everything again.
    Request,
    /// What follows replaces what was sent before.
    Begin,
    /// What was not sent since `Begin` is gone.
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteRefresh {
    pub family: Family,
    pub kind: RefreshKind,
}

impl RouteRefresh {
    /// `None` for a family or a subtype that is ignored (RFC 2918 §4, RFC 7313 §5).
    pub fn decode(body: &Bytes) -> Result<Option<Self>, Notification> {
        let mut reader = Reader::new(body);
        let (Ok(afi), Ok(subtype), Ok(safi)) = (reader.u16(), reader.u8(), reader.u8()) else {
            return Err(Notification::new(codes::CODE, codes::BAD_LENGTH, body));
        };
        let kind = match subtype {
            0 => RefreshKind::Request,
            1 => RefreshKind::Begin,
            2 => RefreshKind::End,
            _ => return Ok(None),
        };
        // RFC 7313 §5: a marker is exactly four octets; a plain request may carry filters.
        if kind != RefreshKind::Request && !reader.is_empty() {
            return Err(Notification::new(codes::CODE, codes::BAD_LENGTH, body));
        }
        Ok(Family::from_codes(afi, safi).map(|family| Self { family, kind }))
    }

    /// The whole message.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::with_capacity(header::HEADER_LEN + 4);
        let at = header::start(&mut buf, MessageType::RouteRefresh);
        buf.put_u16(self.family.afi.code());
        buf.put_u8(match self.kind {
            RefreshKind::Request => 0,
            RefreshKind::Begin => 1,
            RefreshKind::End => 2,
        });
        buf.put_u8(self.family.safi.code());
        header::finish(&mut buf, at);
        buf.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshes_round_trip() {
        for family in Family::ALL {
            for kind in [RefreshKind::Request, RefreshKind::Begin, RefreshKind::End] {
                let message = RouteRefresh { family, kind };
                let body = message.encode().slice(header::HEADER_LEN..);
                assert_eq!(RouteRefresh::decode(&body), Ok(Some(message)));
            }
        }
    }

    #[test]
    fn a_refresh_of_a_wrong_length_is_answered_with_7_1() {
        for body in [&[0u8, 1][..], &[0, 1, 1, 1, 9], &[]] {
            let error = RouteRefresh::decode(&Bytes::copy_from_slice(body)).unwrap_err();
            assert_eq!((error.code, error.subcode), (7, 1), "{body:?}");
        }
    }

    #[test]
    fn unknown_subtypes_and_families_are_ignored() {
        assert_eq!(RouteRefresh::decode(&Bytes::from_static(&[0, 1, 9, 1])), Ok(None));
        assert_eq!(RouteRefresh::decode(&Bytes::from_static(&[0, 25, 0, 70])), Ok(None));
        // An outbound filter entry that ends with the message (RFC 5291): not negotiated, not read.
        assert!(RouteRefresh::decode(&Bytes::from_static(&[0, 1, 0, 1, 1, 64, 0, 9, 0])).unwrap().is_some());
    }
}
