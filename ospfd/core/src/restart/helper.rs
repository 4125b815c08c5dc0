//! Helping a neighbour that restarts (RFC 3623 §3, RFC 5187 §3.3): while it is away it counts as adjacent, so that nothing we
//! announce changes, and paths go on leading through it.

use ferrite_ospf_packet::opaque::{Grace, RestartReason};
use ferrite_ospf_packet::{LsaHeader, LsaKey};
use ferrite_types::Timestamp;

use super::{Help, HelpEnd};
use crate::event::{Action, IfId, LogLine};
use crate::instance::{Instance, Place};
use crate::neighbor::{Neighbor, NeighborKey, State, fsm};
use crate::version::Version;

impl<V: Version> Instance<V> {
    /// A Grace-LSA came, or is flushed.
    pub(crate) fn grace_heard(&mut self, now: Timestamp, id: IfId, header: &LsaHeader) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let Some(entry) = interface.links.get(&header.key) else { return };
        let Ok(grace) = Grace::read(&entry.lsa.body_bytes()) else { return };
        let address = grace.address.map(std::net::IpAddr::V4);
        let is = |neighbor: &Neighbor| {
            neighbor.id == header.key.adv && address.is_none_or(|address| neighbor.address == address)
        };
        let found = interface.neighbors.iter().find(|(_, neighbor)| is(neighbor));
        let Some((key, neighbor)) = found.map(|(key, neighbor)| (*key, neighbor)) else { return };
        if header.is_max_age() {
            if neighbor.help.is_some() {
                self.end_help(now, id, key, HelpEnd::Completed);
            }
            return;
        }
        let router = neighbor.id;
        match self.judge_grace(now, id, neighbor, header, grace) {
            Ok(help) => {
                let Some(neighbor) = self.neighbor_mut(id, key) else { return };
                if neighbor.help.replace(help).is_none() {
                    let Help { period, reason, .. } = help;
                    let line = LogLine::Helping { interface: id, neighbor: router, period, reason };
                    self.out.push(Action::Log(line));
                }
            }
            Err(reason) => {
                if neighbor.help.is_some() {
                    self.end_help(now, id, key, reason);
                } else {
                    let line = LogLine::NotHelping { interface: id, neighbor: router, reason };
                    self.out.push(Action::Log(line));
                }
            }
        }
    }

    /// §3.1.
    fn judge_grace(
        &self,
        now: Timestamp,
        id: IfId,
        neighbor: &Neighbor,
        header: &LsaHeader,
        grace: Grace,
    ) -> Result<Help, HelpEnd> {
        let policy = &self.config.restart.helper;
        let seconds = |seconds: u32| std::time::Duration::from_secs(u64::from(seconds));
        if !policy.helps(neighbor.id) {
            return Err(HelpEnd::NotConfigured);
        }
        if self.restart.is_some() || self.preparing.is_some() {
            return Err(HelpEnd::Restarting);
        }
        if policy.planned_only && grace.reason == RestartReason::Unknown {
            return Err(HelpEnd::NotPlanned);
        }
        if seconds(grace.period) > policy.max_period {
            return Err(HelpEnd::TooLong);
        }
        let left = grace.period.saturating_sub(u32::from(header.seconds()));
        if left == 0 {
            return Err(HelpEnd::Expired);
        }
        if !neighbor.counts_as_full() {
            return Err(HelpEnd::NotAdjacent);
        }
        if policy.strict && neighbor.help.is_none() && self.change_pending(id, neighbor) {
            return Err(HelpEnd::ChangePending);
        }
        Ok(Help { until: now + seconds(left), period: seconds(grace.period), reason: grace.reason })
    }

    /// Whether it has not acknowledged an LSA that says something new, as opposed to a refresh.
    fn change_pending(&self, id: IfId, neighbor: &Neighbor) -> bool {
        neighbor.retransmit.iter().filter(|key| V::is_topology(key.ty)).any(|key| {
            let entry = self.place_for(id, key.ty).and_then(|place| self.database(place)?.get(key));
            entry.is_some_and(|entry| entry.changed == entry.since)
        })
    }

    /// §3.2. What is announced follows from the adjacency as it is by now.
    pub(crate) fn end_help(&mut self, now: Timestamp, id: IfId, key: NeighborKey, reason: HelpEnd) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        interface.neighbor_change = true;
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        if neighbor.help.take().is_none() {
            return;
        }
        self.last_help_end = Some(reason);
        let silent = neighbor.inactive_at.is_none() && neighbor.state > State::Attempt;
        let line = LogLine::Helped { interface: id, neighbor: neighbor.id, reason };
        self.out.push(Action::Log(line));
        self.mark_interface(id);
        self.recalculate(now);
        if silent {
            self.neighbor_event(now, id, key, fsm::Event::InactivityTimer);
        }
    }

    /// The content of a database changed: with it the paths of those who are away may have (§3.2 (3)).
    pub(crate) fn topology_changed(&mut self, now: Timestamp, place: Place, changed: &LsaKey) {
        if !self.config.restart.helper.strict || !V::is_topology(changed.ty) {
            return;
        }
        let helped = self.interfaces.iter().filter(|(id, interface)| Self::shares(**id, interface, place));
        let helped = helped.flat_map(|(id, interface)| {
            let there = interface.neighbors.iter();
            there.filter(|(_, n)| n.help.is_some() && n.id != changed.adv).map(|(key, _)| (*id, *key))
        });
        let helped: Vec<(IfId, NeighborKey)> = helped.collect();
        for (id, key) in helped {
            self.end_help(now, id, key, HelpEnd::TopologyChange);
        }
    }
}
