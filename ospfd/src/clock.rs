//! The clock of the process: the core is told what it says.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{Local, TimeZone};
use ferrite_keychain::LocalTime;
use ferrite_types::Timestamp;

/// Counts from its creation.
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
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A time of the local clock in seconds since 1970. One that the clock passes over is counted as if it did not.
pub fn local_to_utc(time: LocalTime) -> i64 {
    let Some(naive) = chrono::DateTime::from_timestamp(time.0, 0).map(|utc| utc.naive_utc()) else {
        return time.0;
    };
    Local.from_local_datetime(&naive).earliest().map_or(time.0, |local| local.timestamp())
}
