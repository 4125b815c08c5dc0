//! Clients of the OSPF API and the process that they follow: OSPFv2's of the default VRF; of several instances the first, where
//! FRR leaves it to chance (each of its programs listens on the same port).

use bytes::Bytes;
use ferrite_ospf::Event as CoreEvent;
use ferrite_types::Timestamp;

use super::ProcessName;
use super::event::{Action, LogLevel};
use super::ospf::Ospf;
use super::topics;
use crate::api::{ClientId, Header, Notices};

/// What happens to a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApiEvent {
    Connected(ClientId),
    Request(ClientId, Header, Bytes),
    Gone(ClientId),
}

impl Ospf {
    pub(super) fn api_event(&mut self, now: Timestamp, event: ApiEvent, out: &mut Vec<Action>) {
        let name = self.served();
        let mut notices = Notices::new();
        out.push(Action::Log(LogLevel::Debug(topics::CLIENT_API), format!("{event:?}")));
        let events = match event {
            ApiEvent::Connected(client) => {
                if let (true, Some(process)) = (self.api.is_idle(), self.v2.get(&name)) {
                    self.api.begin(&process.core);
                }
                self.api.connected(client);
                Vec::new()
            }
            ApiEvent::Gone(client) => self.api.gone(client),
            ApiEvent::Request(client, header, body) => {
                let core = self.v2.get(&name).map(|process| &process.core);
                self.api.request(core, now, client, (header, &body), &mut notices)
            }
        };
        self.tell_api(notices, out);
        self.feed_api(now, events, out);
    }

    /// Who is followed stays the same while there are clients.
    fn served(&mut self) -> ProcessName {
        if self.api.is_idle() || !self.v2.contains_key(&self.api.served) {
            let mut known = self.v2.keys().filter(|name| name.vrf.is_none());
            self.api.served = known.next().cloned().unwrap_or_default();
        }
        self.api.served.clone()
    }

    fn feed_api(&mut self, now: Timestamp, events: Vec<CoreEvent>, out: &mut Vec<Action>) {
        let name = self.served();
        let Some(process) = self.v2.get_mut(&name) else { return };
        for event in events {
            process.tell_core(&self.world, now, event, out);
        }
    }

    /// What clients are to hear of what has just happened.
    pub(super) fn follow(&mut self, out: &mut Vec<Action>) {
        let name = self.served();
        let Some(process) = self.v2.get_mut(&name) else { return };
        process.core.watch(!self.api.is_idle());
        if self.api.is_idle() {
            return;
        }
        let mut notices = Notices::new();
        let changed = process.core.take_watched();
        self.api.notify(&process.core, &changed, &mut notices);
        self.tell_api(notices, out);
    }

    fn tell_api(&self, notices: Notices, out: &mut Vec<Action>) {
        let each = notices.into_iter();
        out.extend(each.map(|(client, notice)| Action::Api {
            client,
            reply: notice.is_reply(),
            octets: notice.octets(),
        }));
    }
}
