//! Which refusals are worth a line of the log: a client that asks for the same absurd thing again and again, or for a
//! thousand things that are absurd in the same way, is named once. How often it was refused, `show zebra client` counts.

use std::collections::{HashMap, HashSet};

use zebra_core::ClientKey;

/// Ways to be refused that are told apart for one client; whoever finds more is heard of enough.
const MAX_KINDS: usize = 64;

#[derive(Debug, Default)]
pub struct Refusals {
    clients: HashMap<ClientKey, Told>,
}

#[derive(Debug, Default)]
struct Told {
    kinds: HashSet<String>,
    /// What was refused and not said.
    unsaid: u64,
}

/// A reason without its prefixes, addresses and counts.
fn kind(request: &str, reason: &str) -> String {
    let mut out = request.to_owned();
    for word in reason.split(' ').filter(|word| !word.contains(|letter: char| letter.is_ascii_digit())) {
        out.push(' ');
        out.push_str(word);
    }
    out
}

impl Refusals {
    /// Whether the client was not refused something in this way before.
    pub fn is_news(&mut self, client: ClientKey, request: &str, reason: &str) -> bool {
        let told = self.clients.entry(client).or_default();
        let news = told.kinds.len() < MAX_KINDS && told.kinds.insert(kind(request, reason));
        told.unsaid += u64::from(!news);
        news
    }

    /// The client is gone; how often it was refused something without a line, where that was so.
    pub fn forget(&mut self, client: ClientKey) -> Option<u64> {
        self.clients.remove(&client).map(|told| told.unsaid).filter(|unsaid| *unsaid > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_absurd_routes_are_one_line() {
        let mut refusals = Refusals::default();
        let (one, other) = (ClientKey(1), ClientKey(2));
        let told = |refusals: &mut Refusals, client, reason: &dyn Fn(u32) -> String| {
            (0..1000).filter(|n| refusals.is_news(client, "routes", &reason(*n))).count()
        };
        assert_eq!(told(&mut refusals, one, &|_| "192.0.2.0/24: no next hops (1 such)".to_owned()), 1);
        let each = |n: u32| format!("10.{}.{}.0/24: no next hops ({n} such)", n / 250, n % 250);
        assert_eq!(told(&mut refusals, one, &each), 0, "in the same way");
        assert_eq!(
            told(&mut refusals, one, &|n| format!(
                "10.0.0.0/8: gateway 224.0.0.{n} is no unicast address (1 such)"
            )),
            1
        );
        assert_eq!(told(&mut refusals, other, &each), 1, "another client is another matter");
        assert_eq!(refusals.forget(one), Some(2998));
        assert_eq!(refusals.forget(one), None);
        // Whoever finds ever new ways fills no log and no memory.
        assert_eq!(told(&mut refusals, one, &|n| "x".repeat(n as usize)), MAX_KINDS);
    }
}
