//! Hellos: sending (§9.5) and receiving (§10.5).

use std::net::{IpAddr, Ipv4Addr};

use ferrite_ospf_packet::{Body, Endpoints, Hello, Options, Refusal};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::config::{AreaKind, NetworkType};
use crate::event::IfId;
use crate::instance::Instance;
use crate::interface::{Interface, State, fsm};
use crate::neighbor::{self, Neighbor, NeighborKey, fsm as nfsm};
use crate::version::Version;

/// Neighbours an interface takes at most: a flood of Hellos with made-up router IDs costs no more memory than that.
pub const MAX_NEIGHBORS: usize = 1024;

impl<V: Version> Instance<V> {
    /// The bits that say what kind of area it is (§9.5, RFC 3101 §2.4).
    pub(crate) fn options(&self, interface: &Interface) -> Options {
        let base = V::base_options();
        let opaque = V::VERSION != 2 || self.config.opaque && interface.config.opaque;
        let base = if opaque { base } else { base.without(Options::O) };
        match self.area_kind(interface.config.area) {
            AreaKind::Normal => base.with(Options::E),
            AreaKind::Stub => base,
            AreaKind::Nssa => base.with(Options::NP),
        }
    }

    /// Options of Hellos and descriptions: those of a link whose packets carry OSPFv3's trailer say so (RFC 7166 §2.1).
    pub(crate) fn packet_options(&self, interface: &Interface) -> Options {
        let signed = interface.config.authentication.signs();
        let options = self.options(interface);
        if V::VERSION == 3 && signed { options.with(Options::AT) } else { options }
    }

    /// Opaque LSAs are spoken of in descriptions alone (RFC 5250 §3.1); FRR calls a Hello that does so an abuse.
    fn hello_options(&self, interface: &Interface) -> Options {
        let options = self.packet_options(interface);
        if V::VERSION == 2 { options.without(Options::O) } else { options }
    }

    fn hello(&self, interface: &Interface) -> Body {
        let config = &interface.config;
        let neighbors = interface.neighbors_from(neighbor::State::Init).map(|neighbor| neighbor.id).collect();
        Body::Hello(Hello {
            link: V::hello_link(interface),
            hello_interval: if config.fast_hello.is_some() { 0 } else { config.hello_interval },
            dead_interval: if config.fast_hello.is_some() { 1 } else { config.dead_interval },
            options: self.hello_options(interface),
            priority: config.priority,
            designated: interface.designated,
            backup: interface.backup,
            neighbors,
        })
    }

    pub(crate) fn send_hello(&mut self, now: Timestamp, id: IfId) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let hello = self.hello(interface);
        match interface.config.network {
            NetworkType::NonBroadcast => {
                let heard = interface.neighbors_from(neighbor::State::Attempt);
                let to: Vec<IpAddr> = heard.map(|neighbor| neighbor.address).collect();
                to.into_iter().for_each(|address| self.send(now, id, address, &hello));
            }
            NetworkType::PointToMultipoint | NetworkType::PointToPoint
                if interface.config.non_broadcast || !interface.config.neighbors.is_empty() =>
            {
                let to: Vec<IpAddr> = interface.config.neighbors.keys().copied().collect();
                // OSPFv3 names some for their costs, and hears the others too.
                if V::VERSION == 3 && !interface.config.non_broadcast {
                    self.send(now, id, V::ALL_SPF_ROUTERS, &hello);
                }
                to.into_iter().for_each(|address| self.send(now, id, address, &hello));
            }
            NetworkType::Virtual => {
                if let Some(through) = interface.through {
                    self.send(now, id, through.destination, &hello);
                }
            }
            _ => self.send(now, id, V::ALL_SPF_ROUTERS, &hello),
        }
    }

    pub(crate) fn send_hello_to(&mut self, now: Timestamp, id: IfId, address: IpAddr) {
        let Some(interface) = self.interfaces.get(&id) else { return };
        let hello = self.hello(interface);
        self.send(now, id, address, &hello);
    }

    fn judge_hello(&self, interface: &Interface, hello: &Hello) -> Result<(), Refusal> {
        if !V::family_fits(hello.options) {
            return Err(Refusal::Family);
        }
        if !V::hello_link_fits(interface, hello.link) {
            return Err(Refusal::NetworkMask);
        }
        let fast = interface.config.fast_hello.is_some();
        if !fast && hello.hello_interval != interface.config.hello_interval {
            return Err(Refusal::HelloInterval);
        }
        if hello.dead_interval != if fast { 1 } else { interface.config.dead_interval } {
            return Err(Refusal::DeadInterval);
        }
        let kind = Options(Options::E.0 | Options::NP.0);
        if (hello.options.0 ^ self.options(interface).0) & kind.0 != 0 {
            return Err(Refusal::Options);
        }
        Ok(())
    }

    pub(crate) fn receive_hello(
        &mut self,
        now: Timestamp,
        id: IfId,
        key: NeighborKey,
        router: RouterId,
        ends: Endpoints,
        hello: Hello,
    ) -> Result<(), Refusal> {
        let own = self.config.router_id;
        let interface = self.interfaces.get(&id).ok_or(Refusal::Passive)?;
        self.judge_hello(interface, &hello)?;
        if let Some(old) = interface.neighbors.get(&key).map(|neighbor| neighbor.id)
            && old != router
            && old != RouterId::UNSET
        {
            // Another router has taken the address.
            self.neighbor_event(now, id, key, nfsm::Event::KillNbr);
        }
        let interface = self.interfaces.get_mut(&id).ok_or(Refusal::Passive)?;
        if interface.neighbors.len() >= MAX_NEIGHBORS && !interface.neighbors.contains_key(&key) {
            return Err(Refusal::NeighborLimit);
        }
        let waiting = interface.state == State::Waiting;
        let neighbor = interface.neighbors.or_insert_with(key, || Neighbor::new(router, ends.source, now));
        neighbor.id = router;
        let moved = std::mem::replace(&mut neighbor.address, ends.source) != ends.source;
        if neighbor.state < neighbor::State::ExStart {
            // Later those of its descriptions count: what Hellos leave out they say (RFC 5250 §3.1).
            neighbor.options = hello.options;
        }
        let was = Claims::of(neighbor, V::designated_name(router, ends.source));
        neighbor.interface = hello.link;
        neighbor.priority = hello.priority;
        neighbor.designated = hello.designated;
        neighbor.backup = hello.backup;
        let is = Claims::of(neighbor, V::designated_name(router, ends.source));
        if moved {
            self.recalculate(now);
        }
        self.neighbor_event(now, id, key, nfsm::Event::HelloReceived);
        if !hello.neighbors.contains(&own) {
            self.neighbor_event(now, id, key, nfsm::Event::OneWay);
            return Ok(());
        }
        self.neighbor_event(now, id, key, nfsm::Event::TwoWayReceived);
        let seen = is.backup || is.designated && hello.backup == Ipv4Addr::UNSPECIFIED;
        let resumes = waiting && self.restart.is_some() && hello.designated != Ipv4Addr::UNSPECIFIED;
        if resumes {
            self.resume_designation(now, id, hello.designated, hello.backup);
        } else if waiting && seen {
            self.interface_event(now, id, fsm::Event::BackupSeen);
        } else if was != is {
            self.interface_event(now, id, fsm::Event::NeighborChange);
        }
        Ok(())
    }
}

/// What an election depends on.
#[derive(PartialEq, Eq)]
struct Claims {
    priority: u8,
    designated: bool,
    backup: bool,
}

impl Claims {
    fn of(neighbor: &Neighbor, name: Ipv4Addr) -> Self {
        Self {
            priority: neighbor.priority,
            designated: neighbor.designated == name,
            backup: neighbor.backup == name,
        }
    }
}
