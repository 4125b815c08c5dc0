//! CAPABILITY messages (draft-ietf-idr-dynamic-cap, in the form that FRR speaks): capabilities that change while the session
//! is up.
//!
//! ```text
//! | action (1): 0 set, 1 unset | capability code (1) | length (1) | value |, and so on
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_wire::Reader;

use crate::capability::{Capability, CapabilityFault};
use crate::header::{self, MessageType};
use crate::notification::{Notification, cease};

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CapabilityChange {
    /// Else it is taken back.
    pub set: bool,
    pub capability: Capability,
}

const SET: u8 = 0;
const UNSET: u8 = 1;

impl CapabilityChange {
    /// The changes of a message. A capability that cannot be read is passed over, one that runs past the end or an action
    /// that is none ends the session.
    pub fn decode_all(body: &[u8]) -> Result<Vec<Self>, Notification> {
        let fault = || Notification::cease(cease::UNSPECIFIC);
        let mut reader = Reader::new(body);
        let mut changes = Vec::new();
        while !reader.is_empty() {
            let [action, code, length] = reader.array().map_err(|_| fault())?;
            let value = reader.take(usize::from(length)).map_err(|_| fault())?;
            let set = match action {
                SET => true,
                UNSET => false,
                _ => return Err(fault()),
            };
            match Capability::decode(code, value) {
                Ok(capability) => changes.push(Self { set, capability }),
                // What is taken back need not say more than its code.
                Err(_) if !set => {
                    changes.push(Self { set, capability: Capability::Unknown { code, value: Vec::new() } });
                }
                Err(CapabilityFault::Ignored { .. }) => {}
                Err(CapabilityFault::Fatal { .. }) => return Err(fault()),
            }
        }
        Ok(changes)
    }

    /// The whole message with these changes.
    pub fn encode_all(changes: &[Self]) -> Bytes {
        let mut buf = BytesMut::new();
        let at = header::start(&mut buf, MessageType::Capability);
        for change in changes {
            buf.put_u8(if change.set { SET } else { UNSET });
            change.capability.encode(&mut buf);
        }
        header::finish(&mut buf, at);
        buf.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_as_they_were_written() {
        let changes = vec![
            CapabilityChange { set: true, capability: Capability::SoftwareVersion("FRRouting/10.3".into()) },
            CapabilityChange { set: false, capability: Capability::EnhancedRouteRefresh },
        ];
        let message = CapabilityChange::encode_all(&changes);
        assert_eq!(message[18], 6);
        assert_eq!(message[19..22], [0, 75, 15]);
        assert_eq!(CapabilityChange::decode_all(&message[19..]), Ok(changes));
    }

    #[test]
    fn what_is_cut_short_or_no_action_ends_the_session_and_the_unreadable_is_passed_over() {
        for body in [&[0][..], &[0, 75], &[0, 75, 2, 1], &[2, 2, 0], &[0, 65, 1, 0]] {
            assert!(CapabilityChange::decode_all(body).is_err(), "{body:?}");
        }
        assert_eq!(CapabilityChange::decode_all(&[0, 71, 1, 0]), Ok(Vec::new()));
        let [change] = &CapabilityChange::decode_all(&[1, 64, 1, 0]).unwrap()[..] else { panic!() };
        assert!(!change.set && change.capability.code() == 64);
    }
}
