//! When routes are computed: FRR's throttle or RFC 8405's machine, and which parts of the calculation are due.

use std::time::Duration;

use ferrite_spf::backoff::{Backoff, State, Throttle};
use ferrite_types::Timestamp;

use crate::config::Timers;

#[derive(Debug)]
enum Delay {
    Throttle(Throttle),
    Backoff(Backoff),
}

/// The timer of the calculation, and what it did.
#[derive(Debug)]
pub struct Schedule {
    delay: Delay,
    runs: u64,
    last: Option<Timestamp>,
}

/// The calculation as a show tells of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpfStatus {
    /// Times it ran.
    pub runs: u64,
    pub last: Option<Timestamp>,
    /// When it runs next, if it is waited for.
    pub next: Option<Timestamp>,
    /// FRR's throttle: the hold time as it stands.
    pub hold: Option<Duration>,
    /// RFC 8405: the state of the machine.
    pub state: Option<State>,
}

impl Schedule {
    pub(crate) fn new(timers: &Timers) -> Self {
        let delay = match timers.backoff {
            Some(times) => Delay::Backoff(Backoff::new(times)),
            None => Delay::Throttle(Throttle::new(timers.spf)),
        };
        Self { delay, runs: 0, last: None }
    }

    pub(crate) fn configure(&mut self, now: Timestamp, old: &Timers, new: &Timers) {
        if (old.spf, old.backoff) == (new.spf, new.backoff) {
            return;
        }
        match (&mut self.delay, new.backoff) {
            (Delay::Backoff(backoff), Some(times)) => backoff.set_times(times),
            (Delay::Throttle(throttle), None) => throttle.set_times(new.spf),
            _ => {
                let waited_for = self.run_at().is_some();
                self.delay = Self::new(new).delay;
                if waited_for {
                    self.changed(now);
                }
            }
        }
    }

    pub(crate) fn changed(&mut self, now: Timestamp) {
        match &mut self.delay {
            Delay::Throttle(throttle) => throttle.changed(now),
            Delay::Backoff(backoff) => backoff.changed(now),
        }
    }

    pub(crate) fn due(&mut self, now: Timestamp) -> bool {
        let due = match &mut self.delay {
            Delay::Throttle(throttle) => throttle.due(now),
            Delay::Backoff(backoff) => backoff.due(now),
        };
        if due {
            self.ran(now);
        }
        due
    }

    /// It ran, whether or not it was due.
    pub(crate) fn ran(&mut self, now: Timestamp) {
        self.runs += 1;
        self.last = Some(now);
    }

    fn run_at(&self) -> Option<Timestamp> {
        match &self.delay {
            Delay::Throttle(throttle) => throttle.run_at(),
            Delay::Backoff(backoff) => backoff.run_at(),
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        match &self.delay {
            Delay::Throttle(throttle) => throttle.next_deadline(),
            Delay::Backoff(backoff) => backoff.next_deadline(),
        }
    }

    pub(crate) fn status(&self) -> SpfStatus {
        let (hold, state) = match &self.delay {
            Delay::Throttle(throttle) => (Some(throttle.hold()), None),
            Delay::Backoff(backoff) => (None, Some(backoff.state())),
        };
        SpfStatus { runs: self.runs, last: self.last, next: self.run_at(), hold, state }
    }
}
