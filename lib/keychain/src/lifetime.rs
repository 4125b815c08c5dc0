//! When a key holds: a time to begin, and an end that is never, so long afterwards, or a time.

use std::fmt;

use ferrite_types::ParseError;

/// Seconds since 1970 of a local time.
pub type ToUtc = fn(LocalTime) -> i64;

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A time as the local clock shows it: seconds since 1970 began on that clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LocalTime(pub i64);

impl LocalTime {
    /// From what stands in a line: `HH:MM[:SS]`, day, month (at least three letters of its name) and year. A day that its
    /// month does not have is one of the next month, as in FRR.
    pub fn read(clock: &str, day: &str, month: &str, year: &str) -> Result<Self, ParseError> {
        let number = |text: &str, what| text.parse::<i64>().map_err(|_| ParseError::new(text, what));
        let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok().filter(|part| *part >= 0));
        let bad = || ParseError::new(clock, "a time HH:MM:SS");
        let mut part = |limit: i64| parts.next().flatten().filter(|value| *value < limit);
        let (hour, minute) = (part(24).ok_or_else(bad)?, part(60).ok_or_else(bad)?);
        let second = if clock.matches(':').count() > 1 { part(60).ok_or_else(bad)? } else { 0 };
        if clock.matches(':').count() > 2 {
            return Err(bad());
        }
        let month = month_of(month).ok_or_else(|| ParseError::new(month, "the name of a month"))?;
        let days = days_before(number(year, "a year")?, month) + number(day, "a day")? - 1;
        Ok(Self(days * DAY + hour * 3600 + minute * 60 + second))
    }
}

/// `00:00:00 Jan  1 2024`
impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        let name = MONTHS.get(month as usize - 1).map_or("", |name| name.get(1..3).unwrap_or_default());
        let first = MONTHS.get(month as usize - 1).and_then(|name| name.chars().next()).unwrap_or('?');
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let first = first.to_ascii_uppercase();
        write!(f, "{hour:02}:{minute:02}:{second:02} {first}{name} {day:2} {year}")
    }
}

/// Three letters or more from the beginning of a month's name, in any case.
fn month_of(text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let at = MONTHS.iter().position(|name| text.len() >= 3 && name.starts_with(&text))?;
    Some(at as i64 + 1)
}

/// Days from the beginning of 1970 to that of a month, Gregorian.
fn days_before(year: i64, month: i64) -> i64 {
    // Years begin in March here, so that a leap day is the last of its year.
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let leaps = shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400);
    shifted * 365 + leaps + of_year - 719_468
}

/// Year, month and day of a day since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days.div_euclid(366);
    while days_before(year + 1, 1) <= days {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| days_before(year, *month) <= days).unwrap_or(1);
    (year, month, days - days_before(year, month) + 1)
}

/// When a lifetime is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    Infinite,
    /// Seconds after its begin.
    After(u32),
    At(LocalTime),
}

/// `accept-lifetime …`, `send-lifetime …`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lifetime {
    pub begin: LocalTime,
    pub end: End,
}

impl Lifetime {
    /// The lifetime in seconds since 1970.
    pub fn span(self, utc: ToUtc) -> Span {
        let begin = utc(self.begin);
        let end = match self.end {
            End::Infinite => None,
            End::After(seconds) => Some(begin.saturating_add(seconds.into())),
            End::At(time) => Some(utc(time)),
        };
        Span { begin, end }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            End::Infinite => write!(f, "{} infinite", self.begin),
            End::After(seconds) => write!(f, "{} duration {seconds}", self.begin),
            End::At(time) => write!(f, "{} {time}", self.begin),
        }
    }
}

/// First and last second, since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub begin: i64,
    pub end: Option<i64>,
}

impl Span {
    pub fn contains(self, now: i64) -> bool {
        self.begin <= now && self.end.is_none_or(|end| now <= end)
    }
}
