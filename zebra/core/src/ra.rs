//! Router advertisements (RFC 4861): who wants them on which interface.

use std::collections::BTreeMap;

use ferrite_types::IfIndex;
use ferrite_types::zclient::RouterAdvertisements;

use crate::client::ClientKey;
use crate::instance::Zebra;

/// What is known of advertisements, by interface.
#[derive(Debug, Default)]
pub struct Advertisers {
    /// Seconds between advertisements that each client asks for.
    wanted: BTreeMap<IfIndex, BTreeMap<ClientKey, u32>>,
}

impl Zebra {
    pub(crate) fn advertisements_wanted(&mut self, client: ClientKey, wish: RouterAdvertisements) {
        let clients = self.advertisers.wanted.entry(wish.ifindex).or_default();
        match wish.interval {
            Some(interval) => clients.insert(client, interval),
            None => clients.remove(&client),
        };
        self.advertisers.wanted.retain(|_, clients| !clients.is_empty());
    }
}
