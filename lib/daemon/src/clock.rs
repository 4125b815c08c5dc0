//! Wall-clock time as log lines show it: local time.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026/11/22 17:00:00`, with that many digits after the second.
pub fn stamp(time: SystemTime, precision: u8) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let Some(local) = local_time(since.as_secs()) else { return since.as_secs().to_string() };
    let mut text = format!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02}",
        local.tm_year + 1900,
        local.tm_mon + 1,
        local.tm_mday,
        local.tm_hour,
        local.tm_min,
        local.tm_sec
    );
    if precision > 0 {
        let nanoseconds = format!("{:09}", since.subsec_nanos());
        let digits = nanoseconds.get(..usize::from(precision).min(9)).unwrap_or_default();
        text.push('.');
        text.push_str(digits);
        text.extend(std::iter::repeat_n('0', usize::from(precision).saturating_sub(9)));
    }
    text
}

#[allow(unsafe_code)]
fn local_time(seconds: u64) -> Option<libc::tm> {
    let seconds = libc::time_t::try_from(seconds).ok()?;
    let mut broken_down = std::mem::MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers are valid for the call; the result is read only when the call says that it was written.
    unsafe {
        let written = libc::localtime_r(&raw const seconds, broken_down.as_mut_ptr());
        (!written.is_null()).then(|| broken_down.assume_init())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn precision_says_how_many_digits_follow() {
        let time = UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
        assert_eq!(stamp(time, 0).len(), "2001/09/09 01:46:40".len());
        assert!(stamp(time, 3).ends_with(".123"));
        assert!(stamp(time, 12).ends_with(".123456789000"));
    }
}
