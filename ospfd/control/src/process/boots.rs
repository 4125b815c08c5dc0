//! The count of boots: the upper half of extended sequence numbers (RFC 7474 §2). Whenever a process forgets how many packets it
//! sent, because it is new or the program is, it goes on with a greater one.
//!
//! The count that was used last is in a file. It never falls behind the clock either: a file that is lost, and a lower half that
//! was used up meanwhile, end no adjacency as long as the clock is about right.

#[derive(Debug, Default)]
pub(super) struct Boots {
    last: Option<u32>,
}

impl Boots {
    /// What an earlier program used last.
    pub fn found(&mut self, last: Option<u32>) {
        self.last = last;
    }

    /// The next one; `wall` is seconds since 1970.
    pub fn next(&mut self, wall: i64) -> u32 {
        let clock = u32::try_from(wall).unwrap_or(0);
        let next = self.last.map_or(1, |last| last.saturating_add(1)).max(clock);
        self.last = Some(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::Boots;

    #[test]
    fn every_count_is_greater_than_those_before_whatever_the_clock_says() {
        let mut boots = Boots::default();
        assert_eq!(boots.next(1000), 1000);
        assert_eq!(boots.next(1000), 1001);
        assert_eq!(boots.next(5000), 5000);
        boots.found(Some(7000));
        assert_eq!(boots.next(-1), 7001);
        // Lost: the clock has gone on since.
        boots.found(None);
        assert_eq!(boots.next(8000), 8000);
        boots.found(None);
        assert_eq!(boots.next(-1), 1);
    }
}
