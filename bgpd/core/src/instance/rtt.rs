//! `neighbor X shutdown rtt`: a session over a way that takes too long, keepalive after keepalive, is shut down until somebody
//! clears it.

use bgp_packet::notification::{Notification, cease};
use ferrite_types::Timestamp;

use super::{Action, Instance, LogLine};
use crate::peer::{ConnId, DownReason, HoldDown, PeerEvent};
use crate::rib::PeerId;

/// What was measured of the way to a neighbour.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundTrip {
    /// Milliseconds.
    pub last: Option<u32>,
    /// Octets that a segment to it may have.
    pub mss: u32,
    /// Keepalives in a row that came over too long a way.
    exceeded: u8,
}

impl Instance {
    pub(super) fn measured(
        &mut self,
        now: Timestamp,
        (id, conn): (PeerId, ConnId),
        msec: u32,
        mss: u32,
        out: &mut Vec<Action>,
    ) {
        let Some(entry) = self.peers.get_mut(&id).filter(|entry| entry.peer.conn() == Some(conn)) else {
            return;
        };
        entry.rtt.mss = mss;
        let first = entry.rtt.last.replace(msec).is_none();
        let asked = entry.params.as_ref().is_some_and(|params| params.asks_round_trip());
        let Some(limit) = entry.effective.session.shutdown_rtt.filter(|limit| msec > u32::from(limit.rtt))
        else {
            entry.rtt.exceeded = 0;
            if first && asked {
                // `set metric rtt` goes by what is first measured; it does not follow every keepalive.
                self.apply(now, out);
            }
            return;
        };
        entry.rtt.exceeded = entry.rtt.exceeded.saturating_add(1);
        if entry.rtt.exceeded < limit.count {
            return;
        }
        entry.rtt.exceeded = 0;
        let (addr, expected) = (entry.addr, limit.rtt);
        out.push(Action::Log(LogLine::RoundTrip { addr, msec, expected }));
        let text = format!("shutdown due to high round-trip-time ({msec}ms > {expected}ms)");
        let event = PeerEvent::Suspend {
            hold_down: HoldDown { reason: DownReason::AdminShutdown, time: None },
            notification: Notification::cease_with_text(cease::ADMIN_SHUTDOWN, &text),
        };
        self.peer_event(now, id, event, out);
    }
}
