//! Moments of the core as wall-clock time (UTC).

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use ferrite_types::Timestamp;

static START: OnceLock<SystemTime> = OnceLock::new();

/// The moment that the core counts from.
pub fn start() {
    START.get_or_init(SystemTime::now);
}

/// `2026/11/22 18:04:14.35`.
pub fn text(at: Timestamp) -> String {
    let start = START.get().copied().unwrap_or(UNIX_EPOCH);
    let since = (start + at.since(Timestamp::ZERO)).duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let hundredths = since.subsec_millis() / 10;
    format!("{year:04}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}.{hundredths:02}")
}

/// The Gregorian date of a day since 1970-01-01: eras of 400 years, years that begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_779), (2026, 11, 22));
    }
}
