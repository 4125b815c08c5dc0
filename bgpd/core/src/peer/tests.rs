//! Two peers joined by a wire of vectors, under virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bgp_packet::attr::SessionKind;
use bgp_packet::{Family, FamilySet, next_frame};
use bytes::BytesMut;
use ferrite_types::{Asn, RouterId};

use super::config::RemoteAs;
use super::*;

mod dynamic;
mod fsm_grid;
mod opens;
mod rules;
mod terms;

fn addr(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 179))
}

/// AS 65000+`host` at 10.0.0.`host`, router identifier `host`.`host`.`host`.`host`, towards another such.
fn config(host: u8, remote: u8) -> SessionConfig {
    SessionConfig::new(
        Asn(65000 + u32::from(host)),
        RouterId([host; 4].into()),
        RemoteAs::Number(Asn(65000 + u32::from(remote))),
        addr(remote),
    )
}

fn ends(local: u8, remote: u8) -> Ends {
    Ends { local: addr(local), remote: addr(remote) }
}

fn message_of(frame: &bgp_packet::Frame) -> Result<PeerMessage, Notification> {
    Ok(match frame.kind {
        MessageType::Open => PeerMessage::Open(Open::decode(&frame.body)?),
        MessageType::Keepalive => PeerMessage::Keepalive,
        MessageType::Capability => PeerMessage::Capability(frame.body.clone()),
        MessageType::Notification => PeerMessage::Notification(Notification::decode(&frame.body)),
        MessageType::RouteRefresh => PeerMessage::Refresh(RouteRefresh::decode(&frame.body)?),
        MessageType::Update => PeerMessage::EarlyUpdate,
    })
}

/// One end: a peer with what it did.
struct End {
    peer: Peer,
    host: u8,
    done: Vec<PeerAction>,
    /// Connections of this end by the other's number for them.
    links: Vec<(ConnId, ConnId)>,
}

/// Two ends and the time.
struct Pair {
    now: Timestamp,
    ends: [End; 2],
    accepted: u64,
    /// Whether connections can be made, by the end that makes them.
    reachable: [bool; 2],
}

impl Pair {
    fn new(a: SessionConfig, b: SessionConfig) -> Self {
        let end = |host: u8| End { peer: Peer::new(host.into()), host, done: Vec::new(), links: Vec::new() };
        let mut pair =
            Self { now: Timestamp::ZERO, ends: [end(1), end(2)], accepted: 0, reachable: [true, true] };
        pair.feed(0, PeerEvent::Configured(Arc::new(a)));
        pair.feed(1, PeerEvent::Configured(Arc::new(b)));
        pair
    }

    fn plain() -> Self {
        Self::new(config(1, 2), config(2, 1))
    }

    fn states(&self) -> (State, State) {
        let [a, b] = &self.ends;
        (a.peer.state(), b.peer.state())
    }

    fn feed(&mut self, who: usize, event: PeerEvent) {
        self.drain(VecDeque::from([(who, event)]));
    }

    fn drain(&mut self, mut queue: VecDeque<(usize, PeerEvent)>) {
        while let Some((who, event)) = queue.pop_front() {
            let mut out = Vec::new();
            self.ends[who].peer.handle(self.now, event, &mut out);
            self.carry(who, out, &mut queue);
        }
    }

    /// What one end does is what happens to the other.
    fn carry(&mut self, who: usize, out: Vec<PeerAction>, queue: &mut VecDeque<(usize, PeerEvent)>) {
        let other = 1 - who;
        let (here, there) = (self.ends[who].host, self.ends[other].host);
        for action in out {
            match &action {
                PeerAction::Connect { conn } if self.reachable[who] => {
                    self.accepted += 1;
                    let accepted = ConnId(self.accepted * 2);
                    self.ends[who].links.push((*conn, accepted));
                    self.ends[other].links.push((accepted, *conn));
                    queue.push_back((who, PeerEvent::Connected { conn: *conn, ends: ends(here, there) }));
                    queue.push_back((other, PeerEvent::Accepted { conn: accepted, ends: ends(there, here) }));
                }
                PeerAction::Connect { conn } => {
                    queue.push_back((who, PeerEvent::ConnectFailed { conn: *conn, error: "refused".into() }));
                }
                PeerAction::Send { conn, bytes } => {
                    queue.push_back((who, PeerEvent::Written { conn: *conn }));
                    if let Some(theirs) = self.link(who, *conn) {
                        let mut buf = BytesMut::from(&bytes[..]);
                        let frame = next_frame(&mut buf, header::MAX_LEN).unwrap().unwrap();
                        let event = match message_of(&frame) {
                            Ok(message) => PeerEvent::Received { conn: theirs, message },
                            Err(notification) => PeerEvent::Fault { conn: theirs, notification },
                        };
                        queue.push_back((other, event));
                    }
                }
                PeerAction::Close { conn } => {
                    if let Some(theirs) = self.link(who, *conn) {
                        self.ends[who].links.retain(|(ours, _)| ours != conn);
                        let error = "closed".to_owned();
                        queue.push_back((other, PeerEvent::Closed { conn: theirs, error }));
                    }
                }
                _ => {}
            }
            self.ends[who].done.push(action);
        }
    }

    fn link(&self, who: usize, conn: ConnId) -> Option<ConnId> {
        self.ends[who].links.iter().find(|(ours, _)| *ours == conn).map(|(_, theirs)| *theirs)
    }

    /// Lets time pass, deadline by deadline.
    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let next = self.ends.iter().filter_map(|end| end.peer.next_deadline()).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            for who in 0..2 {
                let mut out = Vec::new();
                self.ends[who].peer.tick(self.now, &mut out);
                let mut queue = VecDeque::new();
                self.carry(who, out, &mut queue);
                self.drain(queue);
            }
        }
        self.now = until;
    }

    fn up(mut self) -> Self {
        self.run(Duration::from_secs(10));
        assert_eq!(self.states(), (State::Established, State::Established));
        self.ends.iter_mut().for_each(|end| end.done.clear());
        self
    }

    fn resets(&self, who: usize) -> Vec<&LastReset> {
        let down = self.ends[who].done.iter().filter_map(|action| match action {
            PeerAction::Down { reset, .. } => Some(reset),
            _ => None,
        });
        down.collect()
    }
}

#[test]
fn two_ends_that_connect_at_once_come_up_with_one_connection() {
    let pair = Pair::plain().up();
    assert_eq!(pair.ends[0].links.len(), 1);
    assert_eq!(pair.ends[0].peer.history().established, 1);
    // The connection of the end with the higher identifier stayed.
    let conn = pair.ends[1].peer.conn().unwrap();
    assert_eq!(conn.0 % 2, 1, "made by end 2");
}

#[test]
fn a_passive_end_waits_to_be_called() {
    let mut pair = Pair::new(SessionConfig { passive: true, ..config(1, 2) }, config(2, 1));
    assert!(!pair.ends[0].done.iter().any(|action| matches!(action, PeerAction::Connect { .. })));
    pair.run(Duration::from_secs(5));
    assert_eq!(pair.states(), (State::Established, State::Established));
}

#[test]
fn two_passive_ends_stay_active() {
    let passive = |a, b| SessionConfig { passive: true, ..config(a, b) };
    let mut pair = Pair::new(passive(1, 2), passive(2, 1));
    pair.run(Duration::from_secs(1000));
    assert_eq!(pair.states(), (State::Active, State::Active));
}

#[test]
fn a_session_lives_on_keepalives_alone() {
    let mut pair = Pair::plain().up();
    pair.run(Duration::from_secs(3600));
    assert_eq!(pair.states(), (State::Established, State::Established));
    let sent = pair.ends[0].peer.history().sent.keepalives;
    assert!((60..=82).contains(&sent), "{sent} in an hour");
}

#[test]
fn a_neighbour_that_falls_silent_is_given_up_after_the_hold_time() {
    let pair = Pair::plain().up();
    let mut peer = pair.ends.into_iter().next().unwrap().peer;
    let mut out = Vec::new();
    let start = pair.now;
    while peer.state() == State::Established {
        let now = peer.next_deadline().unwrap();
        peer.tick(now, &mut out);
        assert!(now.since(start) <= Duration::from_secs(180));
    }
    let reset = peer.history().last_reset.clone().unwrap();
    assert_eq!(reset.notification.map(|n| n.code), Some(4));
    assert_eq!(peer.state(), State::Idle);
}

#[test]
fn a_socket_that_takes_nothing_ends_the_session_by_the_send_hold_timer() {
    let mut pair = Pair::plain().up();
    let conn = pair.ends[0].peer.conn().unwrap();
    // Theirs keep coming, ours never leave.
    for _ in 0..60 {
        pair.now = pair.now + Duration::from_secs(10);
        let now = pair.now;
        let peer = &mut pair.ends[0].peer;
        peer.handle(now, PeerEvent::Activity { conn, updates: 0 }, &mut Vec::new());
        peer.tick(now, &mut Vec::new());
    }
    let reset = pair.ends[0].peer.history().last_reset.clone().unwrap();
    assert_eq!(reset.notification.map(|n| n.code), Some(8));
}

#[test]
fn an_administrative_shutdown_carries_its_text_and_stays_down() {
    let mut pair = Pair::plain().up();
    let shutdown = Some(Shutdown { message: Some("back at noon".into()) });
    pair.feed(0, PeerEvent::Configured(Arc::new(SessionConfig { shutdown, ..config(1, 2) })));
    pair.run(Duration::from_secs(300));
    assert_eq!(pair.states().0, State::Idle);
    let reset = pair.resets(1).first().copied().unwrap().clone();
    assert_eq!(reset.reason, DownReason::NotificationReceived);
    assert_eq!(reset.notification.unwrap().shutdown_text().as_deref(), Some("back at noon"));
    pair.feed(0, PeerEvent::Configured(Arc::new(config(1, 2))));
    pair.run(Duration::from_secs(130));
    assert_eq!(pair.states(), (State::Established, State::Established));
}

#[test]
fn the_same_configuration_a_hundred_times_touches_nothing() {
    let mut pair = Pair::plain().up();
    for _ in 0..100 {
        pair.feed(0, PeerEvent::Configured(Arc::new(config(1, 2))));
    }
    assert!(pair.ends.iter().all(|end| end.done.is_empty()));
}

#[test]
fn timers_change_without_a_reset_and_a_changed_family_with_one() {
    let mut pair = Pair::plain().up();
    pair.feed(
        0,
        PeerEvent::Configured(Arc::new(SessionConfig { hold_time: 9, keepalive: 3, ..config(1, 2) })),
    );
    assert_eq!(pair.states().0, State::Established);
    let families = FamilySet::EMPTY.with(Family::IPV4_UNICAST).with(Family::IPV6_UNICAST);
    pair.feed(0, PeerEvent::Configured(Arc::new(SessionConfig { families, ..config(1, 2) })));
    let reset = pair.resets(0).first().copied().unwrap();
    assert_eq!(reset.reason, DownReason::FamilyActivated);
    assert_eq!(reset.notification.as_ref().map(|n| (n.code, n.subcode)), Some((6, 6)));
    pair.run(Duration::from_secs(130));
    assert_eq!(pair.states(), (State::Established, State::Established));
}

#[test]
fn a_suspended_peer_comes_back_when_its_time_is_over() {
    let mut pair = Pair::plain().up();
    let hold_down = HoldDown { reason: DownReason::PrefixLimit, time: Some(Duration::from_secs(300)) };
    let notification = Notification::cease(notification::cease::MAX_PREFIXES);
    pair.feed(0, PeerEvent::Suspend { hold_down, notification });
    pair.run(Duration::from_secs(299));
    assert_eq!(pair.states().0, State::Idle);
    pair.run(Duration::from_secs(130));
    assert_eq!(pair.states(), (State::Established, State::Established));
}

#[test]
fn a_suspended_peer_without_a_time_waits_to_be_cleared() {
    let mut pair = Pair::plain().up();
    let hold_down = HoldDown { reason: DownReason::PrefixLimit, time: None };
    let notification = Notification::cease(notification::cease::MAX_PREFIXES);
    pair.feed(0, PeerEvent::Suspend { hold_down, notification });
    pair.run(Duration::from_secs(10_000));
    assert_eq!(pair.states().0, State::Idle);
    pair.feed(0, PeerEvent::Clear);
    pair.run(Duration::from_secs(130));
    assert_eq!(pair.states(), (State::Established, State::Established));
}

#[test]
fn a_removed_neighbour_is_told_and_nothing_is_left_pending() {
    let mut pair = Pair::plain().up();
    pair.feed(0, PeerEvent::Deconfigured);
    assert_eq!(pair.ends[0].peer.next_deadline(), None);
    let reset = pair.resets(1).first().copied().unwrap();
    assert_eq!(reset.notification.as_ref().map(|n| (n.code, n.subcode)), Some((6, 3)));
}

#[test]
fn an_unreachable_neighbour_is_tried_ever_later_but_at_least_every_connect_retry_time() {
    let mut pair = Pair::new(config(1, 2), SessionConfig { passive: true, ..config(2, 1) });
    pair.reachable = [false, false];
    pair.run(Duration::from_secs(1200));
    let tries = pair.ends[0].done.iter().filter(|a| matches!(a, PeerAction::Connect { .. })).count();
    assert!((40..=64).contains(&tries), "{tries} in twenty minutes");
    pair.reachable = [true, true];
    pair.run(Duration::from_secs(120));
    assert_eq!(pair.states(), (State::Established, State::Established));
}

#[test]
fn a_neighbour_that_refuses_every_open_is_called_less_and_less() {
    let mut pair = Pair::new(
        config(1, 2),
        SessionConfig { passive: true, remote_as: RemoteAs::Number(Asn(9)), ..config(2, 1) },
    );
    pair.run(Duration::from_secs(1200));
    let tries = pair.ends[0].done.iter().filter(|a| matches!(a, PeerAction::Connect { .. })).count();
    assert!((15..=40).contains(&tries), "{tries} in twenty minutes");
}

#[test]
fn a_second_connection_beside_an_established_session_is_closed_as_a_collision() {
    let mut pair = Pair::plain().up();
    let conn = ConnId(1000);
    pair.feed(1, PeerEvent::Accepted { conn, ends: ends(2, 1) });
    let open = open::our_open(&config(1, 2));
    pair.feed(1, PeerEvent::Received { conn, message: PeerMessage::Open(open) });
    assert_eq!(pair.states(), (State::Established, State::Established));
    let closed = pair.ends[1].done.iter().any(|a| matches!(a, PeerAction::Close { conn: c } if *c == conn));
    assert!(closed || pair.ends[1].peer.conn() != Some(conn));
}

#[test]
fn malformed_updates_are_counted_by_what_they_cost() {
    use bgp_packet::attr::{AttrCode, AttributeError};
    let length = |code| AttributeError::Length { code, len: 9 }.into();
    let (withdrawn, discarded) = (length(AttrCode::MED), length(AttrCode::AGGREGATOR));
    let update = |faults| Update { faults, ..Update::default() };
    let mut faults = Faults::default();
    for faulty in [vec![], vec![discarded], vec![withdrawn]] {
        faults.count(&update(faulty));
    }
    assert_eq!(faults, Faults { withdrawn: 1, discarded: 1, limited: 0 });
    let mut peer = Peer::new(1);
    peer.count_faults(faults);
    peer.count_faults(faults);
    assert_eq!(peer.history().faults, Faults { withdrawn: 2, discarded: 2, limited: 0 });
}

#[test]
fn every_seed_brings_the_session_up() {
    for seed in 0..200 {
        let mut pair = Pair::plain();
        pair.ends[0].peer.jitter = timers::Jitter::new(seed);
        pair.ends[1].peer.jitter = timers::Jitter::new(seed.wrapping_mul(77));
        pair.run(Duration::from_secs(60));
        assert_eq!(pair.states(), (State::Established, State::Established), "seed {seed}");
    }
}

#[test]
fn the_kind_of_a_session_follows_from_the_two_as_numbers() {
    let pair = Pair::plain().up();
    assert_eq!(pair.ends[0].peer.negotiated().unwrap().kind, SessionKind::External);
    let internal = |host, remote| SessionConfig {
        asn: Asn(65000),
        remote_as: RemoteAs::Internal,
        ..config(host, remote)
    };
    let pair = Pair::new(internal(1, 2), internal(2, 1)).up();
    assert_eq!(pair.ends[1].peer.negotiated().unwrap().kind, SessionKind::Internal);
}
