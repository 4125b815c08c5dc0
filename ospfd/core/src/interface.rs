//! Interfaces (§9): their state, neighbours, timers, and what waits to be sent on them.

pub mod election;
pub mod fsm;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ferrite_ospf_packet::{AreaId, LsaHeader, LsaKey};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::config::{InterfaceConfig, NetworkType};
use crate::counters::Traffic;
use crate::event::{IfId, Link};
use crate::lsdb::Lsdb;
use crate::neighbor::{self, Neighbor, NeighborKey};
use crate::replay::Remembered;
use crate::tracked::Tracked;

pub use fsm::State;

/// An interface of the instance; a virtual link is one too.
#[derive(Debug)]
pub struct Interface {
    pub config: InterfaceConfig,
    pub link: Link,
    pub state: State,
    /// As in Hellos: address in OSPFv2, router ID in OSPFv3; 0 is none.
    pub designated: Ipv4Addr,
    pub backup: Ipv4Addr,
    pub neighbors: Tracked<NeighborKey, Neighbor>,
    /// LSAs of link scope.
    pub links: Lsdb,
    /// Sent packets' acknowledgments that are gathered for a while (§13.5).
    pub(crate) acks: BTreeMap<LsaKey, LsaHeader>,
    pub(crate) ack_at: Option<Timestamp>,
    /// LSAs to be flooded here.
    pub(crate) outgoing: BTreeSet<LsaKey>,
    /// When that was last done, and when it is done next.
    pub(crate) flooded: Option<Timestamp>,
    pub(crate) flood_at: Option<Timestamp>,
    pub(crate) hello_at: Option<Timestamp>,
    /// When the Grace-LSA is repeated after a restart.
    pub(crate) grace_at: Option<Timestamp>,
    pub(crate) wait_at: Option<Timestamp>,
    /// The neighbour's state changed such that designated routers are to be elected.
    pub(crate) neighbor_change: bool,
    /// Extended sequence numbers that were heard here.
    pub(crate) heard: Remembered,
    pub received: Traffic,
    pub sent: Traffic,
    /// Times its state changed.
    pub changes: u32,
    /// A virtual link: the transit area and the router at its other end.
    pub virtual_to: Option<(AreaId, RouterId)>,
    /// A virtual link: the way to its other end.
    pub(crate) through: Option<Through>,
}

/// Where packets over a virtual link go (§15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Through {
    pub interface: IfId,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub cost: u16,
}

impl Interface {
    pub fn new(config: InterfaceConfig) -> Self {
        Self {
            config,
            link: Link::default(),
            state: State::Down,
            designated: Ipv4Addr::UNSPECIFIED,
            backup: Ipv4Addr::UNSPECIFIED,
            neighbors: Tracked::default(),
            links: Lsdb::default(),
            acks: BTreeMap::new(),
            ack_at: None,
            outgoing: BTreeSet::new(),
            flooded: None,
            flood_at: None,
            hello_at: None,
            grace_at: None,
            wait_at: None,
            neighbor_change: false,
            heard: Remembered::default(),
            received: Traffic::default(),
            sent: Traffic::default(),
            changes: 0,
            virtual_to: None,
            through: None,
        }
    }

    /// Takes another configuration that leaves the adjacencies as they are.
    pub(crate) fn adapt(&mut self, now: Timestamp, config: InterfaceConfig) {
        let old = std::mem::replace(&mut self.config, config);
        if self.hello_at.is_some() && old.hello_every() != self.config.hello_every() {
            self.hello_at = Some(now);
        }
        if old.priority != self.config.priority {
            self.neighbor_change = true;
        }
    }

    /// Whether the network that it connects routers by is kept to itself (RFC 6860); one that ends here is not.
    pub(crate) fn suppresses(&self) -> bool {
        self.config.prefix_suppression && !self.config.passive && self.state != State::Loopback
    }

    pub fn is_virtual(&self) -> bool {
        self.config.network == NetworkType::Virtual
    }

    /// Whether packets are sent and taken here.
    pub fn speaks(&self) -> bool {
        self.state > State::Loopback && !self.config.passive
    }

    /// Neighbours in a state or above.
    pub fn neighbors_from(&self, state: neighbor::State) -> impl Iterator<Item = &Neighbor> {
        self.neighbors.values().filter(move |neighbor| neighbor.state >= state)
    }

    /// Neighbours that are fully adjacent, or restart and count as such.
    pub fn full(&self) -> impl Iterator<Item = &Neighbor> {
        self.neighbors.values().filter(|neighbor| neighbor.counts_as_full())
    }

    /// When the next Hello goes out.
    pub fn hello_at(&self) -> Option<Timestamp> {
        self.hello_at
    }

    /// Until when it waits for designated routers to be heard of.
    pub fn waits_until(&self) -> Option<Timestamp> {
        self.wait_at
    }

    /// Acknowledgments that wait to be sent together.
    pub fn delayed_acks(&self) -> usize {
        self.acks.len()
    }

    /// A virtual link: what packets over it leave by, from and to.
    pub fn way(&self) -> Option<Through> {
        self.through
    }

    /// Octets of OSPF that fit one packet, the IP header and a digest left free.
    pub(crate) fn room(&self) -> usize {
        let mtu = if self.is_virtual() { 1280 } else { usize::from(self.link.mtu).max(576) };
        mtu - 40 - 100
    }

    /// Seconds by which LSAs sent here age.
    pub fn cost(&self) -> u16 {
        self.through.map_or(self.config.cost, |through| through.cost)
    }

    /// Of the interface itself, its neighbours left out.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let own = [
            self.flood_at,
            self.hello_at,
            self.grace_at,
            self.wait_at,
            self.ack_at,
            self.links.next_deadline(),
        ];
        own.into_iter().flatten().min()
    }
}
