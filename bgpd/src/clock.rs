//! The one clock of the process: the cores are told what it says.

use std::time::{Duration, Instant};

use ferrite_types::Timestamp;

/// Counts from its creation. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn now(self) -> Timestamp {
        let micros = self.0.elapsed().as_micros();
        Timestamp::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// How long until then; nothing where it has passed.
    pub fn until(self, deadline: Timestamp) -> Duration {
        deadline.since(self.now())
    }
}
