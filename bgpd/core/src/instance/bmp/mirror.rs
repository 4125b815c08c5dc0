//! `bmp mirror` (RFC 7854 §4.7): what neighbours send, octet by octet, in the order in which it was read.
//!
//! Readers hand their messages on as long as somebody wants them and there is room; what had none is counted, and told to a
//! collector as lost before the next message that it does get. So a collector that is slow costs nobody anything.

use bgp_packet::MessageType;
use bgp_packet::bmp::{self, Rib};
use bytes::{Bytes, BytesMut};
use ferrite_types::Timestamp;

use super::{Action, BmpAction, Collector, CollectorId, Instance};
use crate::rib::PeerId;

/// Marker, length, type.
const HEADER: usize = 19;

/// What mirroring has done for a collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mirrored {
    pub messages: u64,
    pub lost: u64,
    /// Of those, not yet told.
    untold: u64,
}

/// A message as it stood on the wire.
fn whole(kind: MessageType, body: &[u8]) -> BytesMut {
    let mut pdu = BytesMut::with_capacity(HEADER + body.len());
    pdu.extend_from_slice(&[0xff; 16]);
    pdu.extend_from_slice(&u16::try_from(HEADER + body.len()).unwrap_or(u16::MAX).to_be_bytes());
    pdu.extend_from_slice(&[kind as u8]);
    pdu.extend_from_slice(body);
    pdu
}

impl Instance {
    pub(super) fn mirrors(&self, collector: &Collector) -> bool {
        self.targets_of(collector).is_some_and(|targets| targets.mirror)
    }

    /// Tells the readers whether somebody wants their messages.
    pub(super) fn mirror_wants(&mut self, out: &mut Vec<Action>) {
        let wanted = self.bmp.collectors.values().any(|collector| self.mirrors(collector));
        if wanted != self.bmp.mirroring {
            self.bmp.mirroring = wanted;
            out.push(Action::Bmp(BmpAction::Mirror(wanted)));
        }
    }

    /// A message came from a neighbour; `lost` before it found no room on their way here.
    pub(in crate::instance) fn mirrored(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        (kind, body): (MessageType, &Bytes),
        lost: u64,
        out: &mut Vec<Action>,
    ) {
        let Some(header) = self.peer_header(now, peer, Rib::InPre) else { return };
        let to: Vec<CollectorId> =
            self.bmp.collectors.iter().filter(|(_, c)| self.mirrors(c)).map(|(id, _)| *id).collect();
        let mut message = BytesMut::new();
        bmp::route_mirroring(&mut message, &header, &whole(kind, body));
        let message = message.freeze();
        let limit = self.router().and_then(|router| router.bmp_mirror_limit);
        for id in to {
            let Some(collector) = self.bmp.collectors.get_mut(&id) else { continue };
            collector.mirrored.lost += lost;
            collector.mirrored.untold += lost;
            let full = limit.is_some_and(|limit| collector.outstanding + message.len() > limit as usize);
            if full || collector.outstanding > super::CHANGE_ROOM {
                collector.mirrored.lost += 1;
                collector.mirrored.untold += 1;
                continue;
            }
            collector.mirrored.messages += 1;
            if std::mem::take(&mut collector.mirrored.untold) > 0 {
                let mut gap = BytesMut::new();
                bmp::mirroring_lost(&mut gap, &header);
                self.tell(id, gap.freeze(), out);
            }
            self.tell(id, message.clone(), out);
        }
    }
}
