//! Keys with the times in which they are used. Times are seconds since 1970; what time it is the core is told by
//! [`Event::Clock`](crate::Event::Clock), and from then on it counts itself, so a key changes without another event.

use ferrite_ospf_packet::auth::Key;

/// A span of time; open where nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lifetime {
    pub from: Option<u64>,
    /// The first second that is no longer in it.
    pub until: Option<u64>,
}

impl Lifetime {
    pub fn holds(&self, time: u64) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// A key of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainKey {
    pub key: Key,
    pub send: Lifetime,
    pub accept: Lifetime,
}

/// The key that signs: the first in the chain's order whose time it is.
pub(crate) fn sending(chain: &[ChainKey], time: u64) -> Option<&Key> {
    chain.iter().find(|key| key.send.holds(time)).map(|key| &key.key)
}

/// The keys that are taken.
pub(crate) fn accepted(chain: &[ChainKey], time: u64) -> Vec<Key> {
    chain.iter().filter(|key| key.accept.holds(time)).map(|key| key.key.clone()).collect()
}
