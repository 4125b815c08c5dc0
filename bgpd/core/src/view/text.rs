//! Text forms that several shows share.

use std::fmt::Write as _;
use std::time::Duration;

/// How long ago, as the `Up/Down` column writes it: `00:00:04`, `1d02h03m`, `2w1d03h`, `01y02w03d`.
pub fn uptime(elapsed: Duration) -> String {
    const DAY: u64 = 86_400;
    const WEEK: u64 = 7 * DAY;
    const YEAR: u64 = 365 * DAY;
    let secs = elapsed.as_secs();
    let (days, hours, minutes) = (secs / DAY, secs / 3600 % 24, secs / 60 % 60);
    if secs < DAY {
        format!("{hours:02}:{minutes:02}:{:02}", secs % 60)
    } else if secs < WEEK {
        format!("{days}d{hours:02}h{minutes:02}m")
    } else if secs < YEAR {
        format!("{:02}w{}d{hours:02}h", days / 7, days % 7)
    } else {
        let rest = days % 365;
        format!("{:02}y{:02}w{}d", days / 365, rest / 7, rest % 7)
    }
}

/// Octets with a unit, as FRR prints memory: `1024 bytes`, `70 KiB`, `3.2 MiB`.
pub fn memory(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    // The thresholds are ten units, so that a small number keeps its digits.
    if bytes >= 10 * GIB {
        format!("{} GiB", (bytes + GIB / 2) / GIB)
    } else if bytes >= 10 * MIB {
        format!("{} MiB", (bytes + MIB / 2) / MIB)
    } else if bytes >= 10 * KIB {
        format!("{} KiB", (bytes + KIB / 2) / KIB)
    } else {
        format!("{bytes} bytes")
    }
}

/// A wall-clock time in the form of C's `ctime`, in UTC: `Sun Nov 22 17:51:26 2026`.
pub fn ctime(epoch: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = epoch / 86_400;
    let (year, month, day) = civil(days);
    let secs = epoch % 86_400;
    let mut text = String::with_capacity(24);
    let weekday = DAYS.get((days % 7) as usize).copied().unwrap_or_default();
    let month = MONTHS.get(month).copied().unwrap_or_default();
    let _ = write!(
        text,
        "{weekday} {month} {day:2} {:02}:{:02}:{:02} {year}",
        secs / 3600,
        secs / 60 % 60,
        secs % 60
    );
    text
}

/// A wall-clock time as FRR's `update-delay` lines write it, in UTC: `2026/11/22 17:51:26.000`.
pub fn stamp(epoch: u64) -> String {
    let (year, month, day) = civil(epoch / 86_400);
    let secs = epoch % 86_400;
    format!("{year}/{:02}/{day:02} {:02}:{:02}:{:02}.000", month + 1, secs / 3600, secs / 60 % 60, secs % 60)
}

/// Year, month (from zero) and day (from one) of a day counted since 1970, by the calendar of 400-year eras.
fn civil(days: u64) -> (u64, usize, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months count from March, so that the leap day is the last of the year.
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(month < 2);
    (year, month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptimes_change_their_unit_at_a_day_a_week_and_a_year() {
        for (secs, text) in [
            (4, "00:00:04"),
            (86_399, "23:59:59"),
            (86_400, "1d00h00m"),
            (2 * 86_400 + 3 * 3600 + 240, "2d03h04m"),
            (7 * 86_400, "01w0d00h"),
            (365 * 86_400, "01y00w0d"),
        ] {
            assert_eq!(uptime(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn calendar_times_are_those_of_ctime() {
        for (epoch, text) in [
            (0, "Thu Jan  1 00:00:00 1970"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (1_795_369_886, "Sun Nov 22 17:51:26 2026"),
        ] {
            assert_eq!(ctime(epoch), text);
        }
    }

    #[test]
    fn memory_keeps_small_numbers_exact() {
        assert_eq!(memory(1024), "1024 bytes");
        assert_eq!(memory(72_168), "70 KiB");
    }
}
