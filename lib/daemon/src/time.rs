//! The clocks that cores are told of: one that counts from the start of the process, and the wall's, by which keys have lifetimes.

use std::time::{Duration, Instant};

use ferrite_keychain::LocalTime;
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

/// Seconds since 1970.
pub fn wall() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Seconds since 1970 by this machine's time zone; a time that the clock jumps over or shows twice counts as the earlier one.
pub fn local_to_utc(time: LocalTime) -> i64 {
    let naive = chrono::DateTime::from_timestamp(time.0, 0).map(|time| time.naive_utc());
    let local = naive.and_then(|naive| naive.and_local_timezone(chrono::Local).earliest());
    local.map_or(time.0, |local| local.timestamp())
}
