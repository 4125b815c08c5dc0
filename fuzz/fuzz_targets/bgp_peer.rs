//! The state machine of a session, driven by any sequence of events in any order.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use bgp_core::peer::{
    ConnId, DownReason, Ends, HoldDown, Peer, PeerAction, PeerEvent, PeerMessage, RemoteAs, SessionConfig, Shutdown, State,
};
use bgp_packet::{Notification, Open};
use bytes::Bytes;
use ferrite_types::{Asn, RouterId, Timestamp};
use libfuzzer_sys::fuzz_target;

fn config(flags: u8) -> SessionConfig {
    let id = RouterId([10, 0, 0, 1].into());
    let mut config = SessionConfig::new(Asn(65001), id, RemoteAs::Auto, ([10, 0, 0, 2], 179).into());
    config.passive = flags & 1 != 0;
    config.delay_open = (flags & 2 != 0).then_some(5);
    config.shutdown = (flags & 4 != 0).then(Shutdown::default);
    config.hold_time = if flags & 8 != 0 { 0 } else { 9 };
    config.strict_capabilities = flags & 16 != 0;
    config
}

fuzz_target!(|octets: &[u8]| {
    let mut peer = Peer::new(1);
    let mut now = Timestamp::ZERO;
    let mut out = Vec::new();
    let mut conns = vec![ConnId(2)];
    let mut accepted = 2;
    let ends = Ends { local: ([10, 0, 0, 1], 179).into(), remote: ([10, 0, 0, 2], 4000).into() };
    for step in octets.chunks_exact(3) {
        let &[op, arg, which] = step else { return };
        let conn = conns[usize::from(which) % conns.len()];
        let message = |message| PeerEvent::Received { conn, message };
        let event = match op % 14 {
            0 => PeerEvent::Configured(Arc::new(config(arg))),
            1 => PeerEvent::Connected { conn, ends },
            2 => PeerEvent::ConnectFailed { conn, error: String::new() },
            3 => {
                accepted += 2;
                conns.push(ConnId(accepted));
                PeerEvent::Accepted { conn: ConnId(accepted), ends }
            }
            4 => PeerEvent::Closed { conn, error: String::new() },
            5 => {
                let id = RouterId([10, 0, 0, arg].into());
                message(PeerMessage::Open(Open::new(Asn(65000 + u32::from(which & 3)), 9, id, Vec::new())))
            }
            6 => message(PeerMessage::Keepalive),
            7 => message(PeerMessage::Notification(Notification::decode(&Bytes::copy_from_slice(step)))),
            8 => message(PeerMessage::Refresh(None)),
            9 => PeerEvent::Activity { conn, updates: arg.into() },
            10 => PeerEvent::Fault { conn, notification: Notification::new(3, arg, &[]) },
            11 => PeerEvent::Written { conn },
            12 => match arg % 4 {
                0 => PeerEvent::Clear,
                1 => PeerEvent::Deconfigured,
                2 => PeerEvent::Reset { reason: DownReason::UserReset, notification: Notification::cease(4) },
                _ => {
                    let time = (arg & 8 != 0).then(|| Duration::from_secs(u64::from(which)));
                    let hold_down = HoldDown { reason: DownReason::PrefixLimit, time };
                    PeerEvent::Suspend { hold_down, notification: Notification::cease(1) }
                }
            },
            _ => {
                now = now + Duration::from_millis(u64::from(arg) * u64::from(which) + 1);
                peer.tick(now, &mut out);
                assert!(peer.next_deadline().is_none_or(|deadline| deadline > now), "a deadline that never ends");
                continue;
            }
        };
        peer.handle(now, event, &mut out);
        for action in out.drain(..) {
            if let PeerAction::Connect { conn } = action {
                conns.push(conn);
            }
        }
        assert_eq!(peer.state() == State::Established, peer.negotiated().is_some());
        if peer.state() == State::Established {
            assert!(peer.conn().is_some());
        }
    }
});
