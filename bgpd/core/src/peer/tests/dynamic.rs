//! Capabilities that change while the session is up.

use bgp_packet::CapabilityChange;
use bgp_packet::capability::{Capability, FamilyCode};

use super::*;

fn dynamic(host: u8, remote: u8) -> SessionConfig {
    SessionConfig { dynamic: true, software_version: Some("Ferrite/1".into()), ..config(host, remote) }
}

fn told(pair: &mut Pair, changes: &[CapabilityChange]) {
    let conn = pair.ends[0].peer.conn().unwrap();
    let body = CapabilityChange::encode_all(changes).slice(19..);
    pair.feed(0, PeerEvent::Received { conn, message: PeerMessage::Capability(body) });
}

fn set(capability: Capability) -> CapabilityChange {
    CapabilityChange { set: true, capability }
}

#[test]
fn the_neighbour_hears_of_what_our_open_would_say_now() {
    let mut pair = Pair::new(dynamic(1, 2), dynamic(2, 1)).up();
    let sessions = pair.ends[0].peer.session();
    let newer = SessionConfig {
        software_version: Some("Ferrite/2".into()),
        hostname: Some(("r1".into(), "example.net".into())),
        ..dynamic(1, 2)
    };
    pair.feed(0, PeerEvent::Configured(Arc::new(newer)));
    assert_eq!(pair.states(), (State::Established, State::Established));
    let theirs = pair.ends[1].peer.negotiated().unwrap();
    assert_eq!(theirs.software_version.as_deref(), Some("Ferrite/2"));
    assert_eq!(theirs.hostname.as_ref().map(|(host, _)| host.as_str()), Some("r1"));
    pair.feed(0, PeerEvent::Configured(Arc::new(SessionConfig { software_version: None, ..dynamic(1, 2) })));
    assert_eq!(pair.ends[1].peer.negotiated().unwrap().software_version, None);
    assert_eq!(pair.ends[0].peer.session(), sessions);
    assert_eq!(pair.ends[1].peer.history().received.capabilities, 2);
}

#[test]
fn what_decides_how_updates_read_takes_a_new_session_and_what_changes_nothing_does_not() {
    let ipv4 = FamilyCode { afi: 1, safi: 1 };
    let mut pair = Pair::new(dynamic(1, 2), dynamic(2, 1)).up();
    told(&mut pair, &[set(Capability::Multiprotocol(ipv4)), set(Capability::RouteRefresh)]);
    assert_eq!(pair.states(), (State::Established, State::Established));
    told(&mut pair, &[set(Capability::Multiprotocol(FamilyCode { afi: 2, safi: 1 }))]);
    assert_ne!(pair.states().0, State::Established);
    let reset = pair.ends[0].peer.history().last_reset.clone().unwrap();
    assert_eq!(reset.reason, DownReason::CapabilityChanged);
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.states(), (State::Established, State::Established), "they agree anew");
}

#[test]
fn a_message_that_was_not_agreed_on_or_is_broken_ends_the_session() {
    for (a, octets, code) in [(config(1, 2), &[][..], (1, 3)), (dynamic(1, 2), &[0, 75][..], (6, 0))] {
        let mut pair = Pair::new(a, dynamic(2, 1)).up();
        let conn = pair.ends[0].peer.conn().unwrap();
        let message = PeerMessage::Capability(bytes::Bytes::copy_from_slice(octets));
        pair.feed(0, PeerEvent::Received { conn, message });
        assert_ne!(pair.states().0, State::Established);
        let reset = pair.ends[1].peer.history().last_reset.clone().unwrap();
        let word = reset.notification.unwrap();
        assert_eq!((word.code, word.subcode), code);
    }
}
