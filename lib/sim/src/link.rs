//! What a link does to packets.

use std::time::Duration;

use crate::Random;

/// Position of a link in its network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub usize);

/// Properties of a link, the same in both directions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Link {
    pub delay: Duration,
    /// Up to this much is added to the delay of each packet.
    pub jitter: Duration,
    /// Share of packets lost, 0 to 1.
    pub loss: f64,
    /// Share of packets that arrive twice, 0 to 1.
    pub duplication: f64,
    /// Packets arrive in the order they were sent, as in a TCP stream; without it jitter reorders them.
    pub ordered: bool,
}

impl Link {
    /// Loses and reorders nothing.
    pub fn reliable(delay: Duration) -> Self {
        Self { delay, jitter: Duration::ZERO, loss: 0.0, duplication: 0.0, ordered: true }
    }

    pub(crate) fn copies(&self, random: &mut Random) -> u32 {
        if random.chance(self.loss) {
            0
        } else if random.chance(self.duplication) {
            2
        } else {
            1
        }
    }

    pub(crate) fn transit(&self, random: &mut Random) -> Duration {
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        self.delay + Duration::from_micros(if jitter == 0 { 0 } else { random.below(jitter) })
    }
}
