//! Capabilities that change while the session is up (draft-ietf-idr-dynamic-cap, as FRR speaks it).
//!
//! What only says something, or holds for the next restart, is taken over under way: names, software version, graceful restart.
//! What decides how UPDATEs read (families, path identifiers, next hops) is not: a neighbour that changes such a thing gets a
//! new session, in which both ends agree on it.

use std::sync::Arc;

use bgp_packet::capability::Capability;
use bgp_packet::notification::{Notification, cease, header};
use bgp_packet::{CapabilityChange, MessageType, Open};
use ferrite_types::Timestamp;

use super::machine::Slot;
use super::open::our_open;
use super::{Cause, ConnId, DownReason, Negotiated, Peer, PeerAction, fsm};

/// Whether a change of the capability leaves everything else as it is.
const fn changes_under_way(capability: &Capability) -> bool {
    matches!(
        capability,
        Capability::Hostname { .. }
            | Capability::SoftwareVersion(_)
            | Capability::GracefulRestart(_)
            | Capability::LongLivedGracefulRestart(_)
            | Capability::PathsLimit(_)
            | Capability::Unknown { .. }
    )
}

impl Negotiated {
    /// Whether capabilities may change.
    pub fn dynamic(&self) -> bool {
        let has = |open: &Open| open.capabilities.contains(&Capability::Dynamic);
        has(&self.sent) && has(&self.received)
    }

    fn follow(&mut self, changes: &[CapabilityChange]) {
        apply(&mut self.received, changes);
        let find = |of: fn(&Capability) -> bool| self.received.capabilities.iter().find(|c| of(c));
        self.hostname = match find(|c| matches!(c, Capability::Hostname { .. })) {
            Some(Capability::Hostname { host, domain }) => Some((host.clone(), domain.clone())),
            _ => None,
        };
        self.software_version = match find(|c| matches!(c, Capability::SoftwareVersion(_))) {
            Some(Capability::SoftwareVersion(text)) => Some(text.clone()),
            _ => None,
        };
    }
}

/// What the OPEN would have said.
fn apply(open: &mut Open, changes: &[CapabilityChange]) {
    for CapabilityChange { set, capability } in changes {
        open.capabilities.retain(|known| known.code() != capability.code());
        if *set {
            open.capabilities.push(capability.clone());
        }
    }
}

/// Whether the change would alter what was agreed on. Families are told one by one, so each counts for itself.
fn alters(open: &Open, CapabilityChange { set, capability }: &CapabilityChange) -> bool {
    match capability {
        Capability::Multiprotocol(_) => open.capabilities.contains(capability) != *set,
        _ if *set => !open.capabilities.contains(capability),
        _ => open.capabilities.iter().any(|known| known.code() == capability.code()),
    }
}

impl Peer {
    pub(super) fn received_capability(
        &mut self,
        now: Timestamp,
        conn: ConnId,
        body: &[u8],
        out: &mut Vec<PeerAction>,
    ) {
        self.history.received.count(MessageType::Capability);
        let agreed = self.negotiated().filter(|agreed| agreed.dynamic() && self.conn() == Some(conn));
        let Some(agreed) = agreed.cloned() else {
            let code = MessageType::Capability as u8;
            let word = Notification::new(header::CODE, header::BAD_TYPE, &[code]);
            return self.on_conn(now, conn, fsm::Event::Fault, Cause::Notify(word), out);
        };
        let changes = match CapabilityChange::decode_all(body) {
            Ok(changes) => changes,
            Err(word) => return self.on_conn(now, conn, fsm::Event::Fault, Cause::Notify(word), out),
        };
        // The neighbour is alive, and wants nothing sent.
        self.on_conn(now, conn, fsm::Event::Refresh, Cause::Refresh(None), out);
        let heavy = |change: &&CapabilityChange| {
            let known = agreed.received.capabilities.iter();
            let mut same_code = known.filter(|known| known.code() == change.capability.code());
            let light = changes_under_way(&change.capability) && same_code.all(changes_under_way);
            !light && alters(&agreed.received, change)
        };
        if changes.iter().any(|change| heavy(&change)) {
            let word = Notification::cease(cease::CONFIG_CHANGE);
            return self.reset(now, DownReason::CapabilityChanged, &word, out);
        }
        let light: Vec<CapabilityChange> =
            changes.into_iter().filter(|change| alters(&agreed.received, change)).collect();
        let machine = self.machines.iter_mut().find_map(super::machine::Machine::negotiated_mut);
        if let Some(negotiated) = machine {
            Arc::make_mut(negotiated).follow(&light);
        }
    }

    /// The configuration changed without a new session: the neighbour hears what our OPEN would say now.
    pub(super) fn tell_capabilities(&mut self, out: &mut Vec<PeerAction>) {
        let Some(config) = self.terms() else { return };
        let agreed = |slot: &Slot| self.machines.get(*slot as usize).and_then(|m| m.negotiated());
        let Some(slot) = Slot::BOTH.into_iter().find(|slot| agreed(slot).is_some_and(|a| a.dynamic())) else {
            return;
        };
        let now = our_open(&config).capabilities;
        let machine = self.machine(slot);
        let Some(negotiated) = machine.negotiated_mut() else { return };
        let before = &negotiated.sent.capabilities;
        let light = |list: &[Capability]| -> Vec<Capability> {
            list.iter().filter(|capability| changes_under_way(capability)).cloned().collect()
        };
        let (before, now) = (light(before), light(&now));
        let gone = before.iter().filter(|old| !now.iter().any(|new| new.code() == old.code()));
        let gone = gone.map(|old| CapabilityChange { set: false, capability: old.clone() });
        let new = now.iter().filter(|new| !before.contains(new));
        let new = new.map(|new| CapabilityChange { set: true, capability: new.clone() });
        let changes: Vec<CapabilityChange> = gone.chain(new).collect();
        if changes.is_empty() {
            return;
        }
        apply(&mut Arc::make_mut(negotiated).sent, &changes);
        self.send(slot, MessageType::Capability, CapabilityChange::encode_all(&changes), out);
    }
}
