//! RFC 8405's delays as the shows have them: where the machine stands, and what it was given.

use std::fmt;

use ferrite_ospf::config::BackoffTimes;
use ferrite_ospf::schedule::SpfStatus;
use ferrite_spf::backoff::State;
use serde::Serialize;

use super::text;

/// Milliseconds.
#[derive(Serialize)]
pub struct Backoff {
    state: &'static str,
    #[serde(rename = "initDelayMsecs")]
    initial: u64,
    #[serde(rename = "shortDelayMsecs")]
    short: u64,
    #[serde(rename = "longDelayMsecs")]
    long: u64,
    #[serde(rename = "holddownMsecs")]
    hold: u64,
    #[serde(rename = "timeToLearnMsecs")]
    learn: u64,
}

impl Backoff {
    pub fn new(times: Option<BackoffTimes>, status: &SpfStatus) -> Option<Self> {
        let (times, state) = (times?, status.state?);
        Some(Self {
            state: match state {
                State::Quiet => "QUIET",
                State::ShortWait => "SHORT_WAIT",
                State::LongWait => "LONG_WAIT",
            },
            initial: text::millis(times.initial),
            short: text::millis(times.short),
            long: text::millis(times.long),
            hold: text::millis(times.hold_down),
            learn: text::millis(times.time_to_learn),
        })
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, " SPF delays of RFC 8405, state {}", self.state)?;
        writeln!(
            f,
            "   Init-delay {} msecs, short-delay {} msecs, long-delay {} msecs",
            self.initial, self.short, self.long
        )?;
        writeln!(f, "   Holddown {} msecs, time-to-learn {} msecs", self.hold, self.learn)
    }
}
