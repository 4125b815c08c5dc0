//! Outbound route filters (RFC 5291, RFC 5292): a neighbour's are kept here and given to the shards with its parameters; ours
//! are made of `prefix-list X in` and sent when a session comes up and when the list changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bgp_packet::orf::{OrfAction, OrfEntry, OrfItem, OrfUpdate};
use bgp_packet::{Family, FamilySet};
use ferrite_types::Afi;

use super::{Action, Instance};
use crate::rib::orf::{OrfList, OutboundFilter};
use crate::rib::{PeerId, PeerParams};

/// What a session has told and was told.
#[derive(Debug, Default)]
pub struct OrfState {
    received: BTreeMap<Family, Arc<OrfList>>,
    /// Families whose first filter, or request without one, has not come yet.
    waiting: FamilySet,
    sent: BTreeMap<Family, Vec<OrfItem>>,
}

impl OrfState {
    /// A new session: whoever may send filters is waited for.
    pub fn begin(&mut self, receive: FamilySet) {
        *self = Self { waiting: receive, ..Self::default() };
    }

    pub fn of(&self, family: Family) -> Option<&OrfList> {
        self.received.get(&family).map(|list| &**list)
    }

    pub fn fill(&self, params: &mut PeerParams) {
        for (family, part) in &mut params.families {
            let filter = match self.received.get(family) {
                Some(list) => OutboundFilter::List(Arc::clone(list)),
                None if self.waiting.contains(*family) => OutboundFilter::Waiting,
                None => continue,
            };
            Arc::make_mut(part).orf = filter;
        }
    }
}

impl Instance {
    pub(super) fn orf_received(&mut self, id: PeerId, update: &OrfUpdate, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get_mut(&id).filter(|entry| entry.params.is_some()) else { return };
        let family = update.family;
        let mut list = entry.orf.received.get(&family).map(|list| (**list).clone()).unwrap_or_default();
        let refused = list.refused;
        list.apply(update);
        // Once: a neighbour that goes on must not fill the log. The show has the number.
        if refused == 0 && list.refused > 0 {
            let addr = entry.addr;
            tracing::warn!(
                "{addr}: its outbound route filter for {family} is full, further entries are not kept"
            );
        }
        entry.orf.received.insert(family, Arc::new(list));
        if update.immediate {
            self.filters_due(id, family, out);
            self.send_table(id, family, out);
        }
    }

    /// What a neighbour filters holds from now on.
    pub(super) fn filters_due(&mut self, id: PeerId, family: Family, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get_mut(&id) else { return };
        entry.orf.waiting = entry.orf.waiting.without(family);
        if entry.peer.negotiated().is_some_and(|negotiated| negotiated.orf_receive.contains(family)) {
            self.refresh_params(id, out);
        }
    }

    /// Sends what we do not want to the neighbours that take it; `changed` only where it differs from what was sent.
    pub(super) fn send_filters(&mut self, id: PeerId, changed: bool, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get(&id).filter(|entry| entry.established()) else { return };
        let Some(negotiated) = entry.peer.negotiated().cloned() else { return };
        for family in negotiated.orf_send.iter() {
            let items = self.own_filter(id, family);
            let known = self.peers.get(&id).and_then(|entry| entry.orf.sent.get(&family));
            if !(changed && known == Some(&items)) {
                self.send_filter(id, family, items, out);
            }
        }
    }

    /// `clear bgp X in prefix-filter`: sends the filter of a family again. False where the neighbour takes none.
    pub(crate) fn resend_filter(&mut self, id: PeerId, family: Family, out: &mut Vec<Action>) -> bool {
        let negotiated = self.peers.get(&id).and_then(|entry| entry.peer.negotiated());
        if !negotiated.is_some_and(|negotiated| negotiated.orf_send.contains(family)) {
            return false;
        }
        let items = self.own_filter(id, family);
        self.send_filter(id, family, items, out);
        true
    }

    fn send_filter(&mut self, id: PeerId, family: Family, items: Vec<OrfItem>, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let Some(conn) = entry.peer.conn() else { return };
        let update = OrfUpdate { family, immediate: true, items };
        let messages = update.encode();
        for bytes in messages {
            entry.peer.count_refresh_sent();
            out.push(Action::Send { peer: id, conn, bytes });
        }
        entry.orf.sent.insert(family, update.items);
    }

    /// The prefix list of the incoming side; without one, what was sent before is taken back.
    fn own_filter(&self, id: PeerId, family: Family) -> Vec<OrfItem> {
        let mut items = vec![OrfItem::RemoveAll];
        let part = self.peers.get(&id).and_then(|entry| entry.effective.family(family));
        let Some(name) = part.and_then(|part| part.prefix_list.import.as_ref()) else { return items };
        let policy = &self.config.policy;
        let lists = if family.afi == Afi::Ipv6 { &policy.prefix_lists_v6 } else { &policy.prefix_lists_v4 };
        let Some(list) = lists.get(name.as_str()) else { return items };
        items.extend(list.rules().iter().map(|(sequence, rule)| {
            let entry = OrfEntry {
                sequence: *sequence,
                permit: rule.action.is_permit(),
                prefix: rule.prefix,
                min: rule.ge,
                max: rule.le,
            };
            OrfItem::Entry { action: OrfAction::Add, entry }
        }));
        items
    }
}
