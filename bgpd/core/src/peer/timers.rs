//! The timers of a machine: a deadline for each, armed and disarmed, never spawned.

use std::time::Duration;

use ferrite_types::Timestamp;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Until a peer that failed may begin again (IdleHoldTimer, RFC 4271 §8.1.1).
    IdleHold,
    ConnectRetry,
    DelayOpen,
    Hold,
    Keepalive,
    /// RFC 9687: nothing of ours has left for too long.
    SendHold,
}

impl Timer {
    const ALL: [Self; 6] =
        [Self::IdleHold, Self::ConnectRetry, Self::DelayOpen, Self::Hold, Self::Keepalive, Self::SendHold];
}

#[derive(Clone, Debug, Default)]
pub struct Timers([Option<Timestamp>; Timer::ALL.len()]);

impl Timers {
    pub fn arm(&mut self, timer: Timer, at: Timestamp) {
        self.set(timer, Some(at));
    }

    pub fn disarm(&mut self, timer: Timer) {
        self.set(timer, None);
    }

    pub fn disarm_all(&mut self) {
        *self = Self::default();
    }

    pub fn deadline(&self, timer: Timer) -> Option<Timestamp> {
        self.0.get(timer as usize).copied().flatten()
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.0.iter().flatten().min().copied()
    }

    /// Disarms and returns the timer that is due first.
    pub fn take_due(&mut self, now: Timestamp) -> Option<Timer> {
        let due = |timer: &Timer| self.deadline(*timer).filter(|at| *at <= now).map(|at| (at, *timer));
        let (_, timer) = Timer::ALL.iter().filter_map(due).min_by_key(|(at, _)| *at)?;
        self.disarm(timer);
        Some(timer)
    }

    fn set(&mut self, timer: Timer, at: Option<Timestamp>) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = at;
        }
    }
}

/// Shortens times at random so that peers do not act in step (RFC 4271 §10: 0.75 to 1.0 of the time).
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn apply(&mut self, time: Duration) -> Duration {
        // SplitMix64: any seed is a good one.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let fraction = (mixed >> 40) as u32 % 251; // thousandths taken off
        time.saturating_sub(time * fraction / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_takes_off_a_quarter_at_most() {
        let mut jitter = Jitter::new(7);
        let second = Duration::from_secs(100);
        let times: Vec<Duration> = (0..1000).map(|_| jitter.apply(second)).collect();
        assert!(times.iter().all(|time| (Duration::from_secs(75)..=second).contains(time)));
        assert!(times.iter().any(|time| *time < Duration::from_secs(80)));
        assert!(times.iter().any(|time| *time > Duration::from_secs(95)));
    }

    #[test]
    fn due_timers_come_in_the_order_of_their_deadlines() {
        let mut timers = Timers::default();
        timers.arm(Timer::Hold, Timestamp::from_secs(2));
        timers.arm(Timer::Keepalive, Timestamp::from_secs(1));
        assert_eq!(timers.next(), Some(Timestamp::from_secs(1)));
        assert_eq!(timers.take_due(Timestamp::from_secs(3)), Some(Timer::Keepalive));
        assert_eq!(timers.take_due(Timestamp::from_secs(3)), Some(Timer::Hold));
        assert_eq!(timers.take_due(Timestamp::from_secs(3)), None);
    }
}
