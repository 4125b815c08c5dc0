//! Whether LDP has its session and labels on links (RFC 5443): ldpd says it, routing protocols hear it, and that it has gone.

use std::collections::BTreeMap;

use ferrite_types::IfIndex;
use ferrite_types::zclient::{FromZebra, LdpSync};

use crate::client::ClientKey;
use crate::instance::Zebra;

/// What ldpd said.
#[derive(Debug, Default)]
pub(crate) struct LdpLinks {
    speaker: Option<ClientKey>,
    links: BTreeMap<IfIndex, bool>,
}

impl LdpLinks {
    /// What a client hears first.
    pub(crate) fn messages(&self) -> impl Iterator<Item = FromZebra> + '_ {
        self.links.iter().map(|(ifindex, in_sync)| {
            FromZebra::LdpSync(LdpSync::Link { ifindex: *ifindex, in_sync: *in_sync })
        })
    }
}

impl Zebra {
    /// Only what is news is handed on. Of two that speak the later one counts.
    pub(crate) fn ldp_said(&mut self, client: ClientKey, said: LdpSync) {
        match said {
            LdpSync::Link { ifindex, in_sync } => {
                self.ldp.speaker = Some(client);
                if self.interfaces.name(ifindex).is_some()
                    && self.ldp.links.insert(ifindex, in_sync) != Some(in_sync)
                {
                    self.broadcast(&FromZebra::LdpSync(said));
                }
            }
            LdpSync::Gone => self.ldp_gone(client),
        }
    }

    /// A client went; with ldpd goes all that it said.
    pub(crate) fn ldp_gone(&mut self, client: ClientKey) {
        if self.ldp.speaker == Some(client) {
            self.ldp = LdpLinks::default();
            self.broadcast(&FromZebra::LdpSync(LdpSync::Gone));
        }
    }
}
