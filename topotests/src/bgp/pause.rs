//! Silence, measured and made: the longest time between two KEEPALIVEs, and a reader that stops reading.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest time between two sightings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gap {
    last: Option<Instant>,
    longest: Duration,
}

impl Gap {
    pub fn seen(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.longest = self.longest.max(now.saturating_duration_since(last));
        }
    }

    /// Forgets the longest so far; the time since the last sighting still counts towards the next.
    pub fn restart(&mut self) {
        self.longest = Duration::ZERO;
    }

    /// Includes the silence that still lasts.
    pub fn longest_ms(&self) -> u64 {
        let open = self.last.map_or(Duration::ZERO, |last| last.elapsed());
        self.longest.max(open).as_millis() as u64
    }
}

/// A gate in front of a reader.
#[derive(Debug, Default)]
pub struct Stall {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Stall {
    pub fn set(&self, closed: bool) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = closed;
        self.opened.notify_all();
    }

    /// Returns when the gate is open.
    pub fn wait(&self) {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(closed, |closed| *closed).unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silence_counts_and_can_be_forgotten() {
        let now = Instant::now();
        let mut gap = Gap { last: now.checked_sub(Duration::from_secs(3)), ..Gap::default() };
        gap.seen();
        assert!(gap.longest_ms() >= 3000);
        gap.restart();
        assert!(gap.longest_ms() < 3000);
    }

    #[test]
    fn an_open_gate_lets_through() {
        let stall = Stall::default();
        stall.wait();
        stall.set(true);
        stall.set(false);
        stall.wait();
    }
}
