//! The delays of RFC 8405 in virtual time, and FRR's throttle.

use std::time::Duration;

use ferrite_types::Timestamp;

use crate::backoff::{Backoff, BackoffTimes, State, Throttle, ThrottleTimes};

const fn ms(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1000)
}

#[test]
fn a_single_change_is_answered_after_the_initial_delay() {
    let mut backoff = Backoff::new(BackoffTimes::default());
    backoff.changed(ms(0));
    assert_eq!((backoff.run_at(), backoff.state()), (Some(ms(50)), State::ShortWait));
    assert!(!backoff.due(ms(49)));
    assert!(backoff.due(ms(50)));
    assert!(!backoff.due(ms(51)), "once");
}

#[test]
fn changes_that_go_on_wait_longer_until_it_is_quiet() {
    let mut backoff = Backoff::new(BackoffTimes::default());
    backoff.changed(ms(0));
    assert!(backoff.due(ms(50)));
    backoff.changed(ms(60));
    assert_eq!(backoff.run_at(), Some(ms(260)), "the short delay");
    backoff.changed(ms(100));
    assert_eq!(backoff.run_at(), Some(ms(260)), "a delay that runs is not moved");
    assert!(backoff.due(ms(260)));
    assert!(!backoff.due(ms(500)));
    assert_eq!(backoff.state(), State::LongWait, "the time to learn is over");
    backoff.changed(ms(600));
    assert_eq!(backoff.run_at(), Some(ms(5600)), "the long delay");
    assert!(backoff.due(ms(5600)));
    assert_eq!(backoff.next_deadline(), Some(ms(10_600)));
    assert!(!backoff.due(ms(10_600)));
    assert_eq!((backoff.state(), backoff.next_deadline()), (State::Quiet, None));
}

#[test]
fn the_throttle_doubles_its_hold_and_forgets_it_when_quiet() {
    let times = ThrottleTimes {
        delay: Duration::from_millis(10),
        initial_hold: Duration::from_millis(100),
        max_hold: Duration::from_millis(350),
    };
    let mut throttle = Throttle::new(times);
    let mut now = 0;
    for (changed_after, wait) in [(0, 10), (1, 99), (1, 199), (1, 349), (1, 349), (351, 10)] {
        now += changed_after;
        throttle.changed(ms(now));
        assert_eq!(throttle.run_at(), Some(ms(now + wait)), "a change at {now} ms");
        now += wait;
        assert!(throttle.due(ms(now)));
    }
}
