//! When to compute: the delay between the news and the shortest paths.
//!
//! [`Backoff`] is the machine of RFC 8405: a first change is answered soon, changes that go on are gathered over longer and
//! longer, all routers alike, so that they loop for a shorter time. [`Throttle`] is FRR's `timers throttle spf`: a hold time that
//! doubles while changes arrive within it. Both are told of changes and asked when to run; neither has a clock.

use std::time::Duration;

use ferrite_types::Timestamp;

/// RFC 8405 §4: the delays and how long each state lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackoffTimes {
    pub initial: Duration,
    pub short: Duration,
    pub long: Duration,
    /// Quiet for this long: back to the start (HOLDDOWN_INTERVAL).
    pub hold_down: Duration,
    /// From the first change until single faults must all have been heard of (TIME_TO_LEARN_INTERVAL).
    pub time_to_learn: Duration,
}

impl Default for BackoffTimes {
    /// The values RFC 8405 §6 recommends for fast convergence.
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(50),
            short: Duration::from_millis(200),
            long: Duration::from_secs(5),
            hold_down: Duration::from_secs(10),
            time_to_learn: Duration::from_millis(500),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum State {
    #[default]
    Quiet,
    ShortWait,
    LongWait,
}

/// The three states of RFC 8405 §5.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    times: BackoffTimes,
    state: State,
    /// The delay that runs, if a computation is waited for.
    run_at: Option<Timestamp>,
    learn_until: Option<Timestamp>,
    quiet_at: Option<Timestamp>,
}

impl Backoff {
    pub fn new(times: BackoffTimes) -> Self {
        Self { times, ..Self::default() }
    }

    pub fn times(&self) -> BackoffTimes {
        self.times
    }

    /// Other times from the next event on; what runs goes on.
    pub fn set_times(&mut self, times: BackoffTimes) {
        self.times = times;
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn run_at(&self) -> Option<Timestamp> {
        self.run_at
    }

    /// A change that paths may depend on (transitions 1, 2, 3 and 5).
    pub fn changed(&mut self, now: Timestamp) {
        self.elapse(now);
        let delay = match self.state {
            State::Quiet => {
                self.state = State::ShortWait;
                self.learn_until = Some(now + self.times.time_to_learn);
                self.times.initial
            }
            State::ShortWait => self.times.short,
            State::LongWait => self.times.long,
        };
        self.quiet_at = Some(now + self.times.hold_down);
        self.run_at = self.run_at.or(Some(now + delay));
    }

    /// Whether to compute now; the delay is over then.
    pub fn due(&mut self, now: Timestamp) -> bool {
        self.elapse(now);
        let due = self.run_at.is_some_and(|at| at <= now);
        if due {
            self.run_at = None;
        }
        due
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        [self.run_at, self.learn_until, self.quiet_at].into_iter().flatten().min()
    }

    /// Timers that only move the state (transitions 4 and 6).
    fn elapse(&mut self, now: Timestamp) {
        if self.learn_until.is_some_and(|at| at <= now) {
            self.learn_until = None;
            if self.state == State::ShortWait {
                self.state = State::LongWait;
            }
        }
        if self.quiet_at.is_some_and(|at| at <= now) {
            self.quiet_at = None;
            self.learn_until = None;
            self.state = State::Quiet;
        }
    }
}

/// Milliseconds as FRR's commands give them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThrottleTimes {
    /// From a first change to the computation.
    pub delay: Duration,
    /// Between two computations at first.
    pub initial_hold: Duration,
    pub max_hold: Duration,
}

impl Default for ThrottleTimes {
    /// FRR's: 0, 50 and 5,000 ms.
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            initial_hold: Duration::from_millis(50),
            max_hold: Duration::from_secs(5),
        }
    }
}

/// FRR's throttle: each change within the hold time doubles it, a quiet one resets it.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    times: ThrottleTimes,
    /// Times of the initial hold that hold now.
    multiplier: u32,
    last_run: Option<Timestamp>,
    run_at: Option<Timestamp>,
}

impl Throttle {
    pub fn new(times: ThrottleTimes) -> Self {
        Self { times, multiplier: 1, ..Self::default() }
    }

    pub fn times(&self) -> ThrottleTimes {
        self.times
    }

    pub fn set_times(&mut self, times: ThrottleTimes) {
        self.times = times;
        self.multiplier = 1;
    }

    /// The hold time as it stands.
    pub fn hold(&self) -> Duration {
        self.times.initial_hold.saturating_mul(self.multiplier.max(1)).min(self.times.max_hold)
    }

    pub fn run_at(&self) -> Option<Timestamp> {
        self.run_at
    }

    pub fn changed(&mut self, now: Timestamp) {
        if self.run_at.is_some() {
            return;
        }
        let held = self.last_run.map(|last| last + self.hold()).filter(|until| *until > now);
        self.run_at = Some(match held {
            Some(until) => {
                if self.hold() < self.times.max_hold {
                    self.multiplier = self.multiplier.max(1).saturating_mul(2);
                }
                until.max(now + self.times.delay)
            }
            None => {
                self.multiplier = 1;
                now + self.times.delay
            }
        });
    }

    pub fn due(&mut self, now: Timestamp) -> bool {
        let due = self.run_at.is_some_and(|at| at <= now);
        if due {
            self.run_at = None;
            self.last_run = Some(now);
        }
        due
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.run_at
    }
}
