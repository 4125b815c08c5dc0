//! Our own restart (RFC 3623 §2, §4; RFC 5187 §3.1, §3.2).
//!
//! Before it, if it is planned, Grace-LSAs tell the neighbours. After it nothing of ours is announced anew or flushed: what
//! neighbours have from before stays, and comes back to us with their databases. The restart is over when the adjacencies that
//! our old LSAs name are there again, when a neighbour does not count us as adjacent any more, or when the time is.

use std::net::IpAddr;
use std::time::Duration;

use ferrite_ospf_packet::opaque::{Grace, RestartReason};
use ferrite_ospf_packet::{AreaId, Body, Lsa, LsaHeader, LsaKey, Options, Sequence};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use super::RestartEnd;
use crate::event::{Action, IfId, LogLine};
use crate::instance::{Area, Instance, Place};
use crate::interface::{Interface, State};
use crate::neighbor;
use crate::routes::Table;
use crate::send::body;
use crate::version::{Version, Vertex};

/// After a restart that was not planned Grace-LSAs are repeated this often until the first Hello.
const REPEAT: Duration = Duration::from_secs(1);
/// How long acknowledgments of Grace-LSAs are waited for before a planned restart.
const PATIENCE: Duration = Duration::from_secs(8);

/// We are about to restart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preparing {
    pub reason: RestartReason,
    /// No restart came: the announcement is taken back.
    pub until: Timestamp,
    /// When acknowledgments are not waited for any longer; none when the shell has been told.
    pub told_at: Option<Timestamp>,
}

/// We are back, and not yet adjacent to all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restarting {
    pub until: Timestamp,
    pub reason: RestartReason,
    /// Nobody knows yet.
    pub announce: bool,
}

impl<V: Version> Instance<V> {
    pub(crate) fn prepare_restart(&mut self, now: Timestamp, reason: RestartReason) {
        let period = self.config.restart.period;
        self.preparing = Some(Preparing { reason, until: now + period, told_at: Some(now + PATIENCE) });
        self.dirty.extend(self.interfaces.keys().map(|id| Place::Link(*id)));
    }

    /// Grace-LSAs are acknowledged, or it takes too long.
    pub(crate) fn check_prepared(&mut self, now: Timestamp) {
        let Some(preparing) = self.preparing else { return };
        let Some(told_at) = preparing.told_at else { return };
        let waits = |interface: &Interface| {
            interface.neighbors.values().any(|n| n.retransmit.iter().any(|key| V::is_grace(key)))
        };
        if told_at > now && self.interfaces.values().any(waits) {
            return;
        }
        self.preparing = Some(Preparing { told_at: None, ..preparing });
        self.out.push(Action::Prepared { grace: self.config.restart.period });
    }

    /// The Grace-LSA of an interface, while there is something to announce.
    pub(crate) fn grace(&self, interface: &Interface) -> Option<(LsaKey, Options, bytes::BytesMut)> {
        let reason = match (self.preparing, self.restart) {
            (Some(preparing), _) => preparing.reason,
            (_, Some(restart)) if restart.announce => restart.reason,
            _ => return None,
        };
        if interface.state <= State::Loopback || interface.is_virtual() || interface.config.passive {
            return None;
        }
        let address = match interface.link.address {
            Some(IpAddr::V4(address)) if V::VERSION == 2 => Some(address),
            _ => None,
        };
        let period = u32::try_from(self.config.restart.period.as_secs()).unwrap_or(u32::MAX);
        let grace = Grace { period, reason, address };
        let key = V::grace_key(interface, self.config.router_id);
        let options = if V::VERSION == 2 {
            Self::lsa_options(self.area_kind(interface.config.area)).with(Options::O)
        } else {
            Options::default()
        };
        Some((key, options, body(|buf| grace.put(buf))))
    }

    pub(crate) fn restarting(
        &mut self,
        now: Timestamp,
        remaining: Duration,
        reason: RestartReason,
        announce: bool,
    ) {
        self.restart = Some(Restarting { until: now + remaining, reason, announce });
        if !self.config.restart.enabled || remaining.is_zero() {
            self.end_restart(now, RestartEnd::Cancelled);
        }
    }

    /// Neighbours that do not know of our restart hear of it before our first Hello (§4).
    pub(crate) fn announce_restart(&mut self, now: Timestamp, id: IfId) {
        if self.restart.is_none_or(|restart| !restart.announce) {
            return;
        }
        let Some(interface) = self.interfaces.get(&id) else { return };
        let Some((key, options, body)) = self.grace(interface) else { return };
        let header = LsaHeader { age: 0, options, key, sequence: Sequence::INITIAL, checksum: 0, length: 0 };
        let Some(lsa) = Lsa::build::<V>(header, &body) else { return };
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let first_hello = *interface.hello_at.get_or_insert(now);
        interface.grace_at = Some(now + REPEAT).filter(|at| *at < first_hello);
        if interface.links.get(&key).is_none() {
            interface.links.install(now, lsa.clone(), true, true);
        }
        self.send(now, id, V::ALL_SPF_ROUTERS, &Body::LinkStateUpdate(vec![lsa]));
    }

    /// On a network where somebody still counts us as designated router, or as backup, we are (§2.1).
    pub(crate) fn resume_designation(
        &mut self,
        now: Timestamp,
        id: IfId,
        designated: std::net::Ipv4Addr,
        backup: std::net::Ipv4Addr,
    ) {
        let router = self.config.router_id;
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let Some(address) = interface.link.address else { return };
        let own = V::designated_name(router, address);
        let to = match own {
            own if own == designated => State::Dr,
            own if own == backup => State::Backup,
            _ => State::DrOther,
        };
        interface.wait_at = None;
        (interface.designated, interface.backup) = (designated, backup);
        self.set_interface_state(now, id, to);
        let keys: Vec<neighbor::NeighborKey> = self
            .interfaces
            .get(&id)
            .map(|interface| interface.neighbors.keys().copied().collect())
            .unwrap_or_default();
        for key in keys {
            self.neighbor_event(now, id, key, neighbor::fsm::Event::AdjOk);
        }
    }

    /// Whether the restart is over (§2.2).
    pub(crate) fn check_restart(&mut self, now: Timestamp) {
        let Some(restart) = self.restart else { return };
        let end = if restart.until <= now {
            Some(RestartEnd::Expired)
        } else {
            let mut known = false;
            let mut whole = true;
            let mut consistent = true;
            for (id, area) in &self.areas {
                match self.as_before(now, *id, area) {
                    Before::Unknown => {}
                    Before::Whole => known = true,
                    Before::Partial => (known, whole) = (true, false),
                    Before::Inconsistent => consistent = false,
                }
            }
            let exchanging = self.interfaces.values().flat_map(|i| i.neighbors.values()).any(|n| {
                matches!(
                    n.state,
                    neighbor::State::ExStart | neighbor::State::Exchange | neighbor::State::Loading
                )
            });
            if !consistent && !exchanging {
                Some(RestartEnd::Inconsistent)
            } else {
                (known && whole && !exchanging).then_some(RestartEnd::Completed)
            }
        };
        if let Some(end) = end {
            self.end_restart(now, end);
        }
    }

    /// Compares the adjacencies of an area with those that our LSAs from before the restart name.
    fn as_before(&self, now: Timestamp, id: AreaId, area: &Area) -> Before {
        let own = Vertex::Router(self.config.router_id);
        let links = V::links_of(&area.lsdb, own, now);
        if V::router_bits(&area.lsdb, self.config.router_id).is_none() {
            return Before::Unknown;
        }
        let mut whole = true;
        for link in links {
            match link.to {
                Vertex::Router(router) => {
                    whole &= self.is_full_with(id, router);
                    let theirs = V::links_of(&area.lsdb, link.to, now);
                    let known = V::router_bits(&area.lsdb, router).is_some();
                    if known && !theirs.iter().any(|back| back.to == own) {
                        return Before::Inconsistent;
                    }
                }
                Vertex::Network(..) => {
                    let of = |(key, _): &(&LsaKey, &crate::lsdb::Entry)| V::vertex_of(key) == Some(link.to);
                    let Some((key, _)) = area.lsdb.of_type(V::NETWORK).find(of) else {
                        whole = false;
                        continue;
                    };
                    let members = V::links_of(&area.lsdb, link.to, now);
                    if key.adv == self.config.router_id {
                        let others = members.iter().filter(|member| member.to != own);
                        for member in others {
                            if let Vertex::Router(router) = member.to {
                                whole &= self.is_full_with(id, router);
                            }
                        }
                    } else if members.iter().any(|member| member.to == own) {
                        whole &= self.is_full_with(id, key.adv);
                    } else {
                        return Before::Inconsistent;
                    }
                }
            }
        }
        if whole { Before::Whole } else { Before::Partial }
    }

    fn is_full_with(&self, area: AreaId, router: RouterId) -> bool {
        let here = self.interfaces.values().filter(|interface| interface.config.area == area);
        here.flat_map(|interface| interface.neighbors.values())
            .any(|neighbor| neighbor.id == router && neighbor.state == neighbor::State::Full)
    }

    /// From now on we announce what is, and what was announced before and is no more goes (§2.3). All routes are told.
    pub(crate) fn end_restart(&mut self, now: Timestamp, end: RestartEnd) {
        self.restart = None;
        for (_, interface) in self.interfaces.iter_mut() {
            interface.grace_at = None;
            interface.neighbor_change = true;
        }
        self.mark_all();
        self.routes = Table::default();
        self.whole = true;
        self.schedule.ran(now);
        self.calculate(now);
        self.out.push(Action::Restarted(end));
        self.out.push(Action::Log(LogLine::Restarted(end)));
    }
}

/// What our old LSAs of an area say.
enum Before {
    /// There are none, or none yet.
    Unknown,
    /// Their adjacencies are there.
    Whole,
    Partial,
    /// A neighbour does not say the same.
    Inconsistent,
}
