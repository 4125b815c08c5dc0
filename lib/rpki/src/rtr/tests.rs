//! A cache played octet by octet.

use std::time::Duration;

use ferrite_types::{Asn, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::vrp::Vrp;

fn pdu(version: u8, kind: u8, session: u16, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![version, kind];
    octets.extend(session.to_be_bytes());
    octets.extend((body.len() as u32 + 8).to_be_bytes());
    octets.extend(body);
    octets
}

fn response(version: u8, session: u16) -> Vec<u8> {
    pdu(version, 3, session, &[])
}

/// 10.N.0.0/16 up to /24 for AS 65001, announced or withdrawn.
fn v4(version: u8, flags: u8, n: u8) -> Vec<u8> {
    pdu(version, 4, 0, &[flags, 16, 24, 0, 10, n, 0, 0, 0, 0, 0xfd, 0xe9])
}

fn vrp(n: u8) -> Vrp {
    Vrp::new(format!("10.{n}.0.0/16").parse().unwrap(), 24, Asn(65001)).unwrap()
}

fn aspa(flags: u8, customer: u32, providers: &[u32]) -> Vec<u8> {
    let mut body = customer.to_be_bytes().to_vec();
    providers.iter().for_each(|asn| body.extend(asn.to_be_bytes()));
    pdu(2, 11, u16::from(flags) << 8, &body)
}

fn end(version: u8, session: u16, serial: u32) -> Vec<u8> {
    let mut body = serial.to_be_bytes().to_vec();
    if version > 0 {
        [300u32, 60, 900].iter().for_each(|seconds| body.extend(seconds.to_be_bytes()));
    }
    pdu(version, 7, session, &body)
}

fn notify(version: u8, session: u16, serial: u32) -> Vec<u8> {
    pdu(version, 0, session, &serial.to_be_bytes())
}

fn error(version: u8, code: u16) -> Vec<u8> {
    pdu(version, 10, code, &[0, 0, 0, 0, 0, 0, 0, 2, b'h', b'i'])
}

fn reset_query(version: u8) -> Vec<u8> {
    pdu(version, 2, 0, &[])
}

fn serial_query(version: u8, session: u16, serial: u32) -> Vec<u8> {
    pdu(version, 1, session, &serial.to_be_bytes())
}

/// A cache under test at some moment.
struct World {
    cache: Cache,
    now: Timestamp,
}

impl World {
    fn new(config: CacheConfig) -> Self {
        let mut cache = Cache::new(config);
        cache.start(Timestamp::ZERO);
        Self { cache, now: Timestamp::ZERO }
    }

    /// Connected at the next moment it wants to be; what it sends first.
    fn connected(config: CacheConfig) -> (Self, Vec<u8>) {
        let mut world = Self::new(config);
        let query = world.connect();
        (world, query)
    }

    fn connect(&mut self) -> Vec<u8> {
        for _ in 0..4 {
            let actions = self.due();
            if actions.contains(&Action::Connect) {
                return sent(&self.happens(Event::Connected)).concat();
            }
        }
        panic!("it does not connect: {:?}", self.cache.progress());
    }

    /// Jumps to the next deadline.
    fn due(&mut self) -> Vec<Action> {
        self.now = self.now.max(self.cache.next_deadline().expect("something is due"));
        let mut out = Vec::new();
        self.cache.tick(self.now, &mut out);
        out
    }

    fn happens(&mut self, event: Event<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        self.cache.handle(self.now, event, &mut out);
        out
    }

    fn hears(&mut self, octets: &[Vec<u8>]) -> Vec<Action> {
        self.happens(Event::Received(&octets.concat()))
    }

    /// Has heard of 10.1.0.0/16 in session 7, serial 1.
    fn synced(version: u8) -> Self {
        let (mut world, query) = Self::connected(CacheConfig { version, ..CacheConfig::default() });
        assert_eq!(query, reset_query(version));
        let actions = world.hears(&[response(version, 7), v4(version, 1, 1), end(version, 7, 1)]);
        assert_eq!(actions, [Action::Updated]);
        world
    }

    fn vrps(&self) -> Vec<Vrp> {
        self.cache.data().vrps.iter().collect()
    }
}

fn sent(actions: &[Action]) -> Vec<Vec<u8>> {
    let octets = |action: &Action| match action {
        Action::Send(octets) => Some(octets.clone()),
        _ => None,
    };
    actions.iter().filter_map(octets).collect()
}

/// The code of the Error Report that was sent before the connection was closed.
fn refused(actions: &[Action]) -> Option<u16> {
    let octets = sent(actions).into_iter().find(|octets| octets[1] == 10)?;
    assert!(actions.contains(&Action::Close));
    Some(u16::from_be_bytes([octets[2], octets[3]]))
}

#[test]
fn all_versions_tell_their_data() {
    for version in 0..=2 {
        let world = World::synced(version);
        assert_eq!(world.vrps(), [vrp(1)]);
        assert_eq!(world.cache.version(), Some(version));
        let told = Duration::from_secs(if version == 0 { 3600 } else { 300 });
        assert_eq!(world.cache.intervals().refresh, told);
    }
}

#[test]
fn an_update_is_asked_for_by_serial_and_takes_effect_whole() {
    let mut world = World::synced(1);
    assert_eq!(sent(&world.hears(&[notify(1, 7, 2)])), [serial_query(1, 7, 1)]);
    assert!(world.hears(&[response(1, 7), v4(1, 1, 2), v4(1, 0, 1)]).is_empty());
    assert_eq!(world.vrps(), [vrp(1)], "not before End of Data");
    assert_eq!(world.hears(&[end(1, 7, 2)]), [Action::Updated]);
    assert_eq!(world.vrps(), [vrp(2)]);
    assert_eq!(sent(&world.due()), [serial_query(1, 7, 2)], "the refresh interval is over");
    assert_eq!(world.now, Timestamp::from_secs(300));
}

#[test]
fn serials_wrap() {
    let mut world = World::synced(1);
    world.hears(&[notify(1, 7, u32::MAX)]);
    world.hears(&[response(1, 7), end(1, 7, u32::MAX)]);
    assert_eq!(sent(&world.hears(&[notify(1, 7, 0)])), [serial_query(1, 7, u32::MAX)]);
    world.hears(&[response(1, 7), v4(1, 1, 2), end(1, 7, 0)]);
    assert_eq!(world.cache.session(), Some((7, 0)));
    assert_eq!(world.vrps(), [vrp(1), vrp(2)]);
}

#[test]
fn a_cache_reset_or_another_session_begins_anew_and_leaves_no_gap() {
    let mut world = World::synced(1);
    world.hears(&[notify(1, 7, 2)]);
    assert_eq!(sent(&world.hears(&[pdu(1, 8, 0, &[])])), [reset_query(1)]);
    assert_eq!(world.vrps(), [vrp(1)]);
    world.hears(&[response(1, 9), v4(1, 1, 3), end(1, 9, 5)]);
    assert_eq!((world.vrps(), world.cache.session()), (vec![vrp(3)], Some((9, 5))));
    // A notify of another session: the old serial means nothing there.
    assert_eq!(sent(&world.hears(&[notify(1, 10, 1)])), [reset_query(1)]);
    world.hears(&[response(1, 10), v4(1, 1, 4), end(1, 10, 1)]);
    // A response of another session to a serial query ends the connection; the data stay.
    world.hears(&[notify(1, 10, 2)]);
    assert_eq!(refused(&world.hears(&[response(1, 11)])), Some(0));
    assert_eq!(world.vrps(), [vrp(4)]);
    assert_eq!(world.connect(), reset_query(1));
    // A reset where everything was asked for: the same question again would get the same answer for ever.
    assert_eq!(refused(&world.hears(&[pdu(1, 8, 0, &[])])), Some(0));
}

#[test]
fn a_connection_lost_within_an_update_costs_nothing_but_time() {
    let mut world = World::synced(1);
    world.hears(&[notify(1, 7, 2)]);
    world.hears(&[response(1, 7), v4(1, 1, 2)]);
    let actions = world.happens(Event::Closed("gone"));
    assert!(!actions.contains(&Action::Updated));
    assert_eq!(world.vrps(), [vrp(1)]);
    assert_eq!(world.connect(), serial_query(1, 7, 1), "it goes on where it was");
}

#[test]
fn data_expire() {
    let mut world = World::synced(1);
    world.happens(Event::Closed("gone"));
    for _ in 0..100 {
        if world.due().contains(&Action::Connect) {
            world.happens(Event::ConnectFailed("no"));
        }
        if world.vrps().is_empty() {
            assert_eq!(world.now, Timestamp::from_secs(900));
            assert_eq!(world.connect(), reset_query(1));
            return;
        }
    }
    panic!("they are still there");
}

#[test]
fn pauses_grow_up_to_the_retry_interval() {
    let mut world = World::new(CacheConfig { retry: Some(Duration::from_secs(5)), ..CacheConfig::default() });
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let before = world.now;
        assert_eq!(world.due(), [Action::Connect]);
        pauses.push(world.now.since(before).as_secs());
        world.happens(Event::ConnectFailed("no"));
    }
    assert_eq!(pauses, [0, 1, 2, 4, 5]);
}

#[test]
fn versions_go_down_as_the_cache_wants() {
    // It answers in an older version.
    let (mut world, query) = World::connected(CacheConfig::default());
    assert_eq!(query, reset_query(2));
    world.hears(&[response(0, 7), v4(0, 1, 1), end(0, 7, 1)]);
    assert_eq!((world.cache.version(), world.vrps()), (Some(0), vec![vrp(1)]));
    // It refuses ours.
    let (mut world, _) = World::connected(CacheConfig::default());
    assert!(world.hears(&[error(1, 4)]).contains(&Action::Close));
    assert_eq!(world.connect(), reset_query(1));
    // It refuses ours in a header that lies; we still come to an end.
    let (mut world, _) = World::connected(CacheConfig::default());
    for version in [1, 0] {
        world.hears(&[error(9, 4)]);
        assert_eq!(world.connect(), reset_query(version));
    }
    world.hears(&[error(9, 4)]);
    assert_eq!(world.connect(), reset_query(0));
    // It hangs up twice without a word.
    let (mut world, _) = World::connected(CacheConfig::default());
    world.happens(Event::Closed("gone"));
    assert_eq!(world.connect(), reset_query(2));
    world.happens(Event::Closed("gone"));
    assert_eq!(world.connect(), reset_query(1));
}

#[test]
fn the_version_does_not_change_once_agreed_on() {
    let mut world = World::synced(1);
    assert_eq!(refused(&world.hears(&[notify(2, 7, 2)])), Some(8));
    let mut world = World::synced(1);
    assert_eq!(refused(&world.hears(&[notify(0, 7, 2)])), Some(8));
    let (mut world, _) = World::connected(CacheConfig { version: 1, ..CacheConfig::default() });
    assert_eq!(refused(&world.hears(&[response(2, 7)])), Some(4));
}

#[test]
fn authorisations_replace_each_other() {
    let mut world = World::synced(2);
    world.hears(&[notify(2, 7, 2)]);
    world.hears(&[response(2, 7), aspa(1, 1, &[2, 3]), aspa(1, 4, &[5]), aspa(1, 1, &[3, 6]), end(2, 7, 2)]);
    let aspas = |world: &World| -> Vec<(u32, Vec<u32>)> {
        let aspas = world.cache.data().aspas.clone();
        aspas.iter().map(|(asn, set)| (asn.0, set.iter().map(|asn| asn.0).collect())).collect()
    };
    assert_eq!(aspas(&world), [(1, vec![3, 6]), (4, vec![5])]);
    world.hears(&[notify(2, 7, 3)]);
    world.hears(&[response(2, 7), aspa(0, 1, &[]), end(2, 7, 3)]);
    assert_eq!(aspas(&world), [(4, vec![5])]);
    world.hears(&[notify(2, 7, 4)]);
    assert_eq!(refused(&world.hears(&[response(2, 7), aspa(1, 1, &[])])), Some(9));
}

#[test]
fn router_keys_are_kept() {
    let mut world = World::synced(1);
    world.hears(&[notify(1, 7, 2)]);
    let mut body = vec![9; 20];
    body.extend(65001u32.to_be_bytes());
    body.extend(b"key");
    world.hears(&[response(1, 7), pdu(1, 9, 0x0100, &body), end(1, 7, 2)]);
    let keys: Vec<_> = world.cache.data().keys.iter().cloned().collect();
    assert_eq!((keys[0].asn, keys[0].ski, &*keys[0].spki), (Asn(65001), [9; 20], &b"key"[..]));
}

#[test]
fn faults_cost_the_connection_and_nothing_else() {
    let cases: Vec<(u16, Vec<Vec<u8>>)> = vec![
        (0, vec![response(1, 7), pdu(1, 4, 0, &[1, 33, 33, 0, 10, 0, 0, 0, 0, 0, 0, 1])]),
        (0, vec![response(1, 7), pdu(1, 4, 0, &[1, 16, 15, 0, 10, 0, 0, 0, 0, 0, 0, 1])]),
        (0, vec![response(1, 7), pdu(1, 4, 0, &[1, 16, 33, 0, 10, 0, 0, 0, 0, 0, 0, 1])]),
        (0, vec![response(1, 7), pdu(1, 4, 0, &[1, 16, 16, 0])]),
        (0, vec![response(1, 7), vec![1, 4, 0, 0, 0, 0, 0, 7]]),
        (0, vec![response(1, 7), vec![1, 4, 0, 0, 0xff, 0xff, 0xff, 0xff]]),
        (0, vec![response(1, 7), end(1, 8, 2)]),
        (0, vec![response(1, 7), response(1, 7)]),
        (0, vec![v4(1, 1, 2)]),
        (0, vec![end(1, 7, 2)]),
        (3, vec![reset_query(1)]),
        (5, vec![response(1, 7), pdu(1, 11, 0x0100, &[0, 0, 0, 1, 0, 0, 0, 2])]),
        (5, vec![pdu(1, 77, 0, &[])]),
        (6, vec![response(1, 7), v4(1, 0, 9)]),
        (7, vec![response(1, 7), v4(1, 1, 1)]),
    ];
    for (code, octets) in cases {
        let mut world = World::synced(1);
        world.hears(&[notify(1, 7, 2)]);
        assert_eq!(refused(&world.hears(&octets)), Some(code), "{octets:02x?}");
        assert_eq!(world.vrps(), [vrp(1)], "the data stay");
        assert_eq!(world.connect(), reset_query(1));
    }
}

#[test]
fn an_error_report_is_not_answered_with_one() {
    for octets in [error(1, 1), error(1, 2), vec![1, 10, 0, 0, 0, 0, 0, 8], pdu(1, 10, 0, &[0xff; 8])] {
        let mut world = World::synced(1);
        let actions = world.hears(&[octets]);
        assert!(actions.contains(&Action::Close));
        assert!(sent(&actions).is_empty());
        assert_eq!(world.vrps(), [vrp(1)]);
    }
}

#[test]
fn a_cache_that_says_nothing_is_given_up() {
    let mut world = World::synced(1);
    world.hears(&[notify(1, 7, 2)]);
    let actions = world.due();
    assert!(actions.contains(&Action::Close));
    assert_eq!(world.now, Timestamp::from_secs(60));
}

#[test]
fn a_cache_that_never_ends_its_update_is_stopped_at_the_limit() {
    let config = CacheConfig { version: 2, max_records: 3, ..CacheConfig::default() };
    let good = [response(2, 7), v4(2, 1, 1), aspa(1, 1, &[2]), end(2, 7, 1)];
    let endless: [Vec<Vec<u8>>; 4] = [
        (2..5).map(|n| v4(2, 1, n)).collect(),
        // One authorisation with all its providers, and one that grows.
        vec![aspa(1, 9, &[1, 2, 3, 4])],
        vec![aspa(1, 1, &[2, 3, 4])],
        // Little to hold, and no end of it.
        (0..4).flat_map(|_| [v4(2, 0, 1), v4(2, 1, 1)]).collect(),
    ];
    for update in endless {
        let (mut world, _) = World::connected(config);
        assert_eq!(world.hears(&good), [Action::Updated]);
        world.hears(&[notify(2, 7, 2), response(2, 7)]);
        let actions = world.hears(&update);
        let reports = sent(&actions);
        assert_eq!(reports[0][..4], [2, 10, 0, 1], "an internal error: {actions:?}");
        assert!(actions.contains(&Action::Close));
        assert_eq!(world.cache.stats().last_error.as_deref(), Some("more than the limit of 3 records"));
        // What was said before stays.
        assert_eq!(world.vrps(), [vrp(1)]);
    }
    // As much as the limit is not too much, whole as it may be told anew.
    let (mut world, _) = World::connected(config);
    world.hears(&good);
    world.hears(&[notify(2, 7, 2), response(2, 7), v4(2, 0, 1), v4(2, 1, 2), end(2, 7, 2)]);
    assert_eq!(world.vrps(), [vrp(2)]);
}

proptest! {
    #[test]
    fn octets_may_come_in_any_pieces(cuts in prop::collection::vec(0..200usize, 0..20)) {
        let (mut world, _) = World::connected(CacheConfig::default());
        let octets = [response(2, 7), v4(2, 1, 1), aspa(1, 1, &[2]), v4(2, 1, 2), end(2, 7, 1)].concat();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (octets.len() + 1)).collect();
        cuts.extend([0, octets.len()]);
        cuts.sort_unstable();
        for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
            world.happens(Event::Received(&octets[*from..*to]));
        }
        prop_assert_eq!(world.vrps(), vec![vrp(1), vrp(2)]);
    }

    #[test]
    fn no_octets_do_harm(
        version in 0..=2u8,
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            (0..3u8, 0..12u8, any::<u16>(), prop::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(version, kind, session, body)| pdu(version, kind, session, &body)),
            (0..3u8).prop_map(|version| response(version, 7)),
            (0..3u8, 0..2u8, 0..4u8).prop_map(|(version, flags, n)| v4(version, flags, n)),
            (0..3u8, 0..3u32).prop_map(|(version, serial)| end(version, 7, serial)),
        ], 0..20),
    ) {
        let mut world = World::synced(version);
        for piece in pieces {
            if !world.cache.is_open() {
                world.connect();
            }
            world.happens(Event::Received(&piece));
            world.cache.tick(world.now, &mut Vec::new());
        }
    }
}

mod several {
    use super::*;

    struct Pair {
        manager: Manager,
        now: Timestamp,
        out: Vec<ManagerAction>,
    }

    const A: CacheId = CacheId(1);
    const B: CacheId = CacheId(2);

    impl Pair {
        fn new() -> Self {
            let setup = |id, preference| Setup { id, preference, config: CacheConfig::default() };
            let mut pair = Self { manager: Manager::default(), now: Timestamp::ZERO, out: Vec::new() };
            pair.manager.configure(pair.now, &[setup(A, 1), setup(B, 2)], &mut pair.out);
            pair.manager.tick(pair.now, &mut pair.out);
            pair
        }

        /// The octets that a cache with these VRPs sends first.
        fn tells(&mut self, id: CacheId, vrps: &[u8]) {
            let mut octets = response(2, 7);
            vrps.iter().for_each(|n| octets.extend(v4(2, 1, *n)));
            octets.extend(end(2, 7, 1));
            self.manager.handle(self.now, id, Event::Connected, &mut self.out);
            self.manager.handle(self.now, id, Event::Received(&octets), &mut self.out);
        }

        fn in_force(&self) -> Vec<Vrp> {
            self.manager.tables().map(|tables| tables.vrps.iter().collect()).unwrap_or_default()
        }

        fn published(&mut self) -> Vec<usize> {
            let ranges = |action: ManagerAction| match action {
                ManagerAction::Published(_, delta) => Some(delta.ranges()),
                _ => None,
            };
            self.out.drain(..).filter_map(ranges).collect()
        }
    }

    #[test]
    fn the_preferred_cache_is_in_force_while_it_is_there() {
        let mut pair = Pair::new();
        pair.tells(B, &[1, 2]);
        assert_eq!(pair.in_force(), [vrp(1), vrp(2)], "the only one that has told anything");
        assert_eq!(pair.published(), [0], "everything");
        pair.tells(A, &[1, 3]);
        assert_eq!(pair.in_force(), [vrp(1), vrp(3)]);
        assert_eq!(pair.published(), [2], "only the difference is judged again");
        pair.manager.handle(pair.now, A, Event::Closed("gone"), &mut pair.out);
        assert_eq!((pair.in_force(), pair.published()), (vec![vrp(1), vrp(2)], vec![2]));
        pair.manager.handle(pair.now, B, Event::Closed("gone"), &mut pair.out);
        assert_eq!(pair.in_force(), [vrp(1), vrp(3)], "what the preferred one said is still good");
    }

    #[test]
    fn a_cache_taken_away_takes_its_data_with_it() {
        let mut pair = Pair::new();
        pair.tells(A, &[1]);
        let now = pair.now;
        pair.manager.configure(now, &[], &mut pair.out);
        assert_eq!(pair.in_force(), []);
        assert!(pair.out.iter().any(|action| matches!(action, ManagerAction::Close(A))));
    }

    #[test]
    fn a_reset_keeps_what_is_in_force_until_a_cache_speaks() {
        let mut pair = Pair::new();
        pair.tells(A, &[1, 2]);
        pair.published();
        pair.manager.reset(pair.now, &mut pair.out);
        pair.manager.tick(pair.now, &mut pair.out);
        pair.manager.handle(pair.now, B, Event::ConnectFailed("no"), &mut pair.out);
        assert_eq!((pair.in_force(), pair.published()), (vec![vrp(1), vrp(2)], vec![]));
        pair.tells(A, &[2]);
        assert_eq!((pair.in_force(), pair.published()), (vec![vrp(2)], vec![1]));
    }

    #[test]
    fn exceptions_take_effect_at_once() {
        let mut pair = Pair::new();
        pair.tells(A, &[1, 2]);
        pair.published();
        let text = r#"{"slurmVersion":1,"validationOutputFilters":{"prefixFilters":[{"prefix":"10.1.0.0/16"}],"bgpsecFilters":[]},
            "locallyAddedAssertions":{"prefixAssertions":[],"bgpsecAssertions":[]}}"#;
        pair.manager.set_slurm(Some(std::sync::Arc::new(text.parse().unwrap())), &mut pair.out);
        assert_eq!((pair.in_force(), pair.published()), (vec![vrp(2)], vec![1]));
        pair.manager.set_slurm(None, &mut pair.out);
        assert_eq!((pair.in_force(), pair.published()), (vec![vrp(1), vrp(2)], vec![1]));
    }
}
