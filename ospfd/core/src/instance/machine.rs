//! What the cells of the two state machines ask for (§9.3, §10.3), and the timers of interfaces and neighbours.

use std::time::Duration;

use ferrite_types::Timestamp;

use crate::config::NetworkType;
use crate::event::{Action, IfId, LogLine};
use crate::instance::{Instance, Place};
use crate::interface::election::{Candidate, Elected, elect};
use crate::interface::{Interface, State, fsm};
use crate::neighbor::{self, Neighbor, NeighborKey, fsm as nfsm};
use crate::restart::HelpEnd;
use crate::trace::Trace;
use crate::version::Version;

impl<V: Version> Instance<V> {
    pub(crate) fn interface_event(&mut self, now: Timestamp, id: IfId, event: fsm::Event) {
        let Some(state) = self.interfaces.get(&id).map(|interface| interface.state) else { return };
        self.trace(|| Trace::InterfaceEvent { interface: id, state, event });
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        match fsm::step(interface.state, event) {
            fsm::Step::Ignore => {}
            fsm::Step::Start => self.start_interface(now, id),
            fsm::Step::Elect => self.elect(now, id),
            fsm::Step::Reset(to) => {
                interface.hello_at = None;
                interface.grace_at = None;
                interface.wait_at = None;
                interface.acks.clear();
                interface.ack_at = None;
                interface.outgoing.clear();
                interface.flood_at = None;
                interface.designated = std::net::Ipv4Addr::UNSPECIFIED;
                interface.backup = std::net::Ipv4Addr::UNSPECIFIED;
                let keys: Vec<NeighborKey> = interface.neighbors.keys().copied().collect();
                for key in keys {
                    self.neighbor_event(now, id, key, nfsm::Event::KillNbr);
                }
                if let Some(interface) = self.interfaces.get_mut(&id) {
                    interface.neighbors.clear();
                    interface.neighbor_change = false;
                    interface.links = crate::lsdb::Lsdb::default();
                }
                self.set_interface_state(now, id, to);
            }
        }
    }

    fn start_interface(&mut self, now: Timestamp, id: IfId) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let to = match interface.config.network {
            NetworkType::Loopback => State::Loopback,
            NetworkType::PointToPoint | NetworkType::PointToMultipoint | NetworkType::Virtual => {
                State::PointToPoint
            }
            NetworkType::Broadcast | NetworkType::NonBroadcast if interface.config.priority == 0 => {
                State::DrOther
            }
            NetworkType::Broadcast | NetworkType::NonBroadcast => State::Waiting,
        };
        if to != State::Loopback && !interface.config.passive {
            let unannounced = self.restart.is_some_and(|restart| restart.announce);
            let delay = if unannounced { interface.config.hello_delay } else { Duration::ZERO };
            interface.hello_at = Some(now + delay);
        }
        if to == State::Waiting {
            interface.wait_at = Some(now + interface.config.dead_after());
        }
        let named: Vec<std::net::IpAddr> = interface.config.neighbors.keys().copied().collect();
        for address in named {
            let neighbor = Neighbor::new(ferrite_types::ids::RouterId::UNSET, address, now);
            let key = NeighborKey::Address(address);
            interface.neighbors.or_insert_with(key, || neighbor);
        }
        self.set_interface_state(now, id, to);
        self.announce_restart(now, id);
        let keys: Vec<NeighborKey> =
            self.interfaces.get(&id).map(|i| i.neighbors.keys().copied().collect()).unwrap_or_default();
        for key in keys {
            self.neighbor_event(now, id, key, nfsm::Event::Start);
        }
    }

    pub(crate) fn set_interface_state(&mut self, now: Timestamp, id: IfId, to: State) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let from = std::mem::replace(&mut interface.state, to);
        if from == to {
            return;
        }
        interface.changes += 1;
        let designated = |state: State| matches!(state, State::Dr | State::Backup);
        if designated(from) != designated(to) && interface.config.network == NetworkType::Broadcast {
            self.out.push(Action::Designated { interface: id, member: designated(to) });
        }
        self.out.push(Action::Log(LogLine::Interface { interface: id, from, to }));
        self.mark_all_for_borders(from, to);
        self.mark_interface(id);
        self.recalculate(now);
    }

    /// With an interface an area may come or go, and we become a border router or are one no longer.
    fn mark_all_for_borders(&mut self, from: State, to: State) {
        if from == State::Down || to == State::Down {
            self.mark_all();
        }
    }

    pub(crate) fn elect_where_needed(&mut self, now: Timestamp) {
        for id in self.interfaces.touched().clone() {
            let Some(interface) = self.interfaces.get_mut(&id) else { continue };
            if std::mem::take(&mut interface.neighbor_change) {
                self.interface_event(now, id, fsm::Event::NeighborChange);
            }
        }
    }

    /// §9.4, with its steps (5) to (7).
    fn elect(&mut self, now: Timestamp, id: IfId) {
        let router = self.config.router_id;
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let Some(address) = interface.link.address else { return };
        // While somebody restarts, ourselves or a neighbour, the designated routers stay who they were (RFC 3623 §2.1, §3.2).
        let helps = interface.neighbors.values().any(|neighbor| neighbor.help.is_some());
        if interface.state > State::Waiting && (helps || self.restart.is_some()) {
            return;
        }
        interface.wait_at = None;
        let own = Candidate {
            router,
            name: V::designated_name(router, address),
            priority: interface.config.priority,
            designated: interface.designated,
            backup: interface.backup,
        };
        let heard = interface.neighbors_from(neighbor::State::TwoWay).map(|neighbor| Candidate {
            router: neighbor.id,
            name: V::designated_name(neighbor.id, neighbor.address),
            priority: neighbor.priority,
            designated: neighbor.designated,
            backup: neighbor.backup,
        });
        let candidates: Vec<Candidate> = std::iter::once(own).chain(heard).collect();
        let Elected { designated, backup } = elect(&candidates);
        let name = |elected: Option<std::net::Ipv4Addr>| elected.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED);
        let before = (interface.designated, interface.backup);
        (interface.designated, interface.backup) = (name(designated), name(backup));
        let after = (interface.designated, interface.backup);
        let to = if designated == Some(own.name) {
            State::Dr
        } else if backup == Some(own.name) {
            State::Backup
        } else {
            State::DrOther
        };
        self.set_interface_state(now, id, to);
        if before != after {
            self.mark_interface(id);
            let keys: Vec<NeighborKey> = self
                .interfaces
                .get(&id)
                .map(|interface| interface.neighbors.keys().copied().collect())
                .unwrap_or_default();
            for key in keys {
                self.neighbor_event(now, id, key, nfsm::Event::AdjOk);
            }
        }
    }

    pub(crate) fn neighbor_event(&mut self, now: Timestamp, id: IfId, key: NeighborKey, event: nfsm::Event) {
        if let Some((neighbor, state)) = self.neighbor(id, key).map(|neighbor| (neighbor.id, neighbor.state))
        {
            self.trace(|| Trace::NeighborEvent { interface: id, neighbor, state, event });
        }
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let hold = now + interface.config.dead_after();
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        neighbor.event = event;
        if neighbor.help.is_some() {
            match event {
                // It is known to be away (RFC 3623 §3).
                nfsm::Event::OneWay if neighbor.state > neighbor::State::Init => return,
                nfsm::Event::InactivityTimer => return,
                nfsm::Event::KillNbr | nfsm::Event::LlDown => neighbor.help = None,
                _ => {}
            }
        }
        match nfsm::step(neighbor.state, event) {
            nfsm::Step::Ignore => {}
            nfsm::Step::Hold => neighbor.inactive_at = Some(hold),
            nfsm::Step::Heard(to) => {
                neighbor.inactive_at = Some(hold);
                neighbor.poll_at = None;
                self.set_neighbor_state(now, id, key, to);
            }
            nfsm::Step::Attempt => {
                neighbor.inactive_at = Some(hold);
                let address = neighbor.address;
                self.set_neighbor_state(now, id, key, neighbor::State::Attempt);
                self.send_hello_to(now, id, address);
            }
            nfsm::Step::Decide => {
                if self.wants_adjacency(id, key) {
                    self.start_exchange(now, id, key);
                } else {
                    self.set_neighbor_state(now, id, key, neighbor::State::TwoWay);
                }
            }
            nfsm::Step::Keep => {
                if !self.wants_adjacency(id, key) {
                    self.clear_neighbor(id, key);
                    self.set_neighbor_state(now, id, key, neighbor::State::TwoWay);
                }
            }
            nfsm::Step::Describe => {
                self.list_database(now, id, key);
                self.set_neighbor_state(now, id, key, neighbor::State::Exchange);
            }
            nfsm::Step::Finish => {
                let done = neighbor.requests.is_empty();
                let to = if done { neighbor::State::Full } else { neighbor::State::Loading };
                self.set_neighbor_state(now, id, key, to);
            }
            nfsm::Step::Complete => self.set_neighbor_state(now, id, key, neighbor::State::Full),
            nfsm::Step::Restart => {
                self.clear_neighbor(id, key);
                self.start_exchange(now, id, key);
            }
            nfsm::Step::Clear(to) => {
                self.clear_neighbor(id, key);
                self.set_neighbor_state(now, id, key, to);
                if to == neighbor::State::Down {
                    self.forget(now, id, key);
                }
            }
        }
    }

    fn clear_neighbor(&mut self, id: IfId, key: NeighborKey) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        self.sweepable_places.extend([Place::Link(id), Place::Area(interface.config.area), Place::As]);
        if let Some(neighbor) = interface.neighbors.get_mut(&key) {
            neighbor.clear_lists();
        }
    }

    /// A neighbour that is down goes, unless it is configured: then it is polled (§9.5.1).
    fn forget(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let named = match key {
            NeighborKey::Address(address) => interface.config.neighbors.get(&address),
            NeighborKey::Router(_) => None,
        };
        match (named, interface.neighbors.get_mut(&key)) {
            (Some(named), Some(neighbor)) => {
                neighbor.inactive_at = None;
                neighbor.poll_at = Some(now + named.poll_interval);
            }
            _ => drop(interface.neighbors.remove(&key)),
        }
    }

    pub(crate) fn set_neighbor_state(
        &mut self,
        now: Timestamp,
        id: IfId,
        key: NeighborKey,
        to: neighbor::State,
    ) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let Some(neighbor) = interface.neighbors.get_mut(&key) else { return };
        let from = std::mem::replace(&mut neighbor.state, to);
        if from == to {
            return;
        }
        neighbor.changes += 1;
        neighbor.since = now;
        let reason = neighbor.event;
        if to > from {
            neighbor.progressed = Some(now);
        } else {
            neighbor.regressed = Some((now, reason));
        }
        if matches!(to, neighbor::State::Exchange | neighbor::State::Loading) {
            self.exchanging.insert((id, key));
        } else if self.exchanging.remove(&(id, key)) {
            self.sweepable_places.extend([Place::Link(id), Place::Area(interface.config.area), Place::As]);
        }
        self.queued.remove(&(id, key));
        let two_way = |state: neighbor::State| state >= neighbor::State::TwoWay;
        let line = LogLine::Neighbor {
            interface: id,
            neighbor: neighbor.id,
            address: neighbor.address,
            from,
            to,
            reason,
        };
        self.out.push(Action::Log(line));
        let full = from == neighbor::State::Full || to == neighbor::State::Full;
        if two_way(from) != two_way(to) {
            interface.neighbor_change = true;
        }
        if full {
            self.mark_interface(id);
        }
        if to == neighbor::State::Full {
            self.heard_since.get_or_insert(now);
        }
        if from == neighbor::State::Full {
            let way = |interface: &Interface| V::next_hop(interface, interface.neighbors.get(&key)?);
            if let Some(address) = self.interfaces.get(&id).and_then(way) {
                self.repair(now, id, address);
            }
            if self.interfaces.values().all(|interface| interface.full().next().is_none()) {
                self.heard_since = None;
            }
        }
        if full || two_way(from) != two_way(to) {
            // Next hops are found among those that hear us.
            self.recalculate(now);
        }
    }

    /// §10.4.
    fn wants_adjacency(&self, id: IfId, key: NeighborKey) -> bool {
        let Some(interface) = self.interfaces.get(&id) else { return false };
        let Some(neighbor) = interface.neighbors.get(&key) else { return false };
        let name = V::designated_name(neighbor.id, neighbor.address);
        !interface.config.network.elects()
            || matches!(interface.state, State::Dr | State::Backup)
            || interface.designated == name
            || interface.backup == name
    }

    /// Everything of an interface that is due.
    pub(crate) fn tick_interface(&mut self, now: Timestamp, id: IfId) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        if interface.next_deadline().is_none_or(|at| at > now) {
            return;
        }
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if due(interface.hello_at) {
            interface.hello_at = Some(now + interface.config.hello_every());
            self.trace(|| Trace::InterfaceTimer { interface: id, timer: "Hello" });
            self.send_hello(now, id);
        }
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        if due(interface.grace_at) {
            self.announce_restart(now, id);
        }
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        if due(interface.wait_at) {
            interface.wait_at = None;
            self.trace(|| Trace::InterfaceTimer { interface: id, timer: "Wait" });
            self.interface_event(now, id, fsm::Event::WaitTimer);
        }
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        if due(interface.ack_at) {
            self.trace(|| Trace::InterfaceTimer { interface: id, timer: "delayed acknowledgment" });
            self.send_delayed_acks(now, id);
        }
        self.age_database(now, Place::Link(id));
    }

    fn trace_timer(&mut self, id: IfId, key: NeighborKey, timer: &'static str) {
        if let Some(neighbor) = self.neighbor(id, key).map(|neighbor| neighbor.id) {
            self.trace(|| Trace::NeighborTimer { interface: id, neighbor, timer });
        }
    }

    pub(crate) fn tick_neighbor(&mut self, now: Timestamp, id: IfId, key: NeighborKey) {
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let Some(neighbor) = self.neighbor_mut(id, key) else { return };
        if due(neighbor.help.map(|help| help.until)) {
            self.end_help(now, id, key, HelpEnd::Expired);
        }
        let Some(neighbor) = self.neighbor_mut(id, key) else { return };
        if due(neighbor.inactive_at) {
            neighbor.inactive_at = None;
            self.trace_timer(id, key, "Inactivity");
            self.neighbor_event(now, id, key, nfsm::Event::InactivityTimer);
            return;
        }
        if due(neighbor.poll_at) {
            neighbor.poll_at = None;
            self.trace_timer(id, key, "Poll");
            self.neighbor_event(now, id, key, nfsm::Event::Start);
        }
        let Some(neighbor) = self.neighbor_mut(id, key) else { return };
        let (resend, request) = (due(neighbor.exchange.resend_at), due(neighbor.request_at));
        let retransmit = due(neighbor.retransmit_at);
        if resend {
            self.trace_timer(id, key, "Database Description");
            self.repeat_description(now, id, key);
        }
        if request {
            self.trace_timer(id, key, "Link State Request");
            self.send_request(now, id, key);
        }
        if retransmit {
            self.trace_timer(id, key, "Retransmission");
            self.retransmit(now, id, key);
        }
    }
}
