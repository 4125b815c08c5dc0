//! Messages where they do not belong, and faults, each with the answer that the RFCs demand.

use bgp_packet::notification::update;

use super::*;

const CONN: ConnId = ConnId(2);

/// A passive peer with an accepted connection, brought to the state wanted.
fn peer_in(state: State) -> (Peer, Vec<PeerAction>) {
    let mut peer = Peer::new(1);
    let mut out = Vec::new();
    let config = SessionConfig { passive: true, ..config(1, 2) };
    let open = open::our_open(&super::config(2, 1));
    let events = [
        PeerEvent::Configured(Arc::new(config)),
        PeerEvent::Accepted { conn: CONN, ends: ends(1, 2) },
        PeerEvent::Received { conn: CONN, message: PeerMessage::Open(open) },
        PeerEvent::Received { conn: CONN, message: PeerMessage::Keepalive },
    ];
    for event in events {
        if peer.state() == state {
            break;
        }
        peer.handle(Timestamp::ZERO, event, &mut out);
    }
    assert_eq!(peer.state(), state);
    out.clear();
    (peer, out)
}

/// Code and subcode of the NOTIFICATION that an event is answered with in a state.
fn answer(state: State, event: PeerEvent) -> Option<(u8, u8)> {
    let (mut peer, mut out) = peer_in(state);
    peer.handle(Timestamp::from_secs(1), event, &mut out);
    let sent = out.iter().find_map(|action| match action {
        PeerAction::Send { bytes, .. } if bytes.get(18) == Some(&3) => Some((bytes[19], bytes[20])),
        _ => None,
    });
    if sent.is_some() {
        assert!(out.iter().any(|a| matches!(a, PeerAction::Close { conn } if *conn == CONN)));
        assert!(peer.state() <= State::Active && peer.conn().is_none());
    }
    sent
}

fn message(message: PeerMessage) -> PeerEvent {
    PeerEvent::Received { conn: CONN, message }
}

#[test]
fn unexpected_messages_are_answered_as_rfc_6608_says() {
    let open = || PeerMessage::Open(open::our_open(&config(2, 1)));
    let rows = [
        (State::OpenSent, PeerMessage::Keepalive, Some((5, 1))),
        (State::OpenSent, PeerMessage::EarlyUpdate, Some((5, 1))),
        (State::OpenSent, PeerMessage::Refresh(None), Some((5, 1))),
        (State::OpenConfirm, open(), Some((5, 2))),
        (State::OpenConfirm, PeerMessage::EarlyUpdate, Some((5, 2))),
        (State::OpenConfirm, PeerMessage::Refresh(None), Some((5, 2))),
        (State::Established, open(), Some((5, 3))),
        (State::Established, PeerMessage::Keepalive, None),
        (State::Established, PeerMessage::Refresh(None), None),
        (State::Established, PeerMessage::EarlyUpdate, None),
    ];
    for (state, received, expected) in rows {
        let name = format!("{received:?} in {state}");
        assert_eq!(answer(state, message(received)), expected, "{name}");
    }
}

#[test]
fn a_fault_is_answered_with_its_notification_in_every_state_with_a_connection() {
    for state in [State::OpenSent, State::OpenConfirm, State::Established] {
        let notification = Notification::new(update::CODE, update::MALFORMED_LIST, &[]);
        assert_eq!(answer(state, PeerEvent::Fault { conn: CONN, notification }), Some((3, 1)), "{state}");
    }
}

#[test]
fn a_notification_is_never_answered() {
    for state in [State::OpenSent, State::OpenConfirm, State::Established] {
        let cease = PeerMessage::Notification(Notification::new(6, 2, &[200, 1]));
        assert_eq!(answer(state, message(cease)), None, "{state}");
    }
}

#[test]
fn a_notification_while_we_tear_the_session_down_ourselves_is_nobodys() {
    let (mut peer, mut out) = peer_in(State::Established);
    let hold_down = HoldDown { reason: DownReason::PrefixLimit, time: None };
    let notification = Notification::cease(notification::cease::MAX_PREFIXES);
    peer.handle(Timestamp::from_secs(1), PeerEvent::Suspend { hold_down, notification }, &mut out);
    out.clear();
    let cease = PeerMessage::Notification(Notification::cease(2));
    peer.handle(Timestamp::from_secs(1), message(cease), &mut out);
    assert!(out.is_empty());
    assert_eq!(peer.history().last_reset.as_ref().map(|reset| reset.reason), Some(DownReason::PrefixLimit));
}

#[test]
fn a_peer_that_may_not_run_refuses_connections() {
    let mut peer = Peer::new(1);
    let mut out = Vec::new();
    let config = SessionConfig { shutdown: Some(Shutdown::default()), ..config(1, 2) };
    peer.handle(Timestamp::ZERO, PeerEvent::Configured(Arc::new(config)), &mut out);
    peer.handle(Timestamp::ZERO, PeerEvent::Accepted { conn: CONN, ends: ends(1, 2) }, &mut out);
    let [PeerAction::Send { bytes, .. }, PeerAction::Close { .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!(bytes.get(19..21), Some(&[6, 5][..]));
}

#[test]
fn a_delayed_open_is_sent_when_theirs_comes_or_the_delay_is_over() {
    for early in [true, false] {
        let mut peer = Peer::new(1);
        let mut out = Vec::new();
        let config = SessionConfig { passive: true, delay_open: Some(30), ..config(1, 2) };
        peer.handle(Timestamp::ZERO, PeerEvent::Configured(Arc::new(config)), &mut out);
        peer.handle(Timestamp::ZERO, PeerEvent::Accepted { conn: CONN, ends: ends(1, 2) }, &mut out);
        assert!(!out.iter().any(|a| matches!(a, PeerAction::Send { .. })));
        if early {
            let open = PeerMessage::Open(open::our_open(&super::config(2, 1)));
            peer.handle(Timestamp::from_secs(1), message(open), &mut out);
            assert_eq!(peer.state(), State::OpenConfirm);
        } else {
            peer.tick(Timestamp::from_secs(30), &mut out);
            assert_eq!(peer.state(), State::OpenSent);
        }
        assert!(out.iter().any(|a| matches!(a, PeerAction::Send { bytes, .. } if bytes.get(18) == Some(&1))));
    }
}
