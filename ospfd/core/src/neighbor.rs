//! Neighbours (§10): what is known of one, and the lists that an adjacency needs.

pub mod fsm;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use ferrite_ospf_packet::packet::DdFlags;
use ferrite_ospf_packet::{DatabaseDescription, LsaHeader, LsaKey, Options};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::replay::Heard;
use crate::restart::Help;
use crate::retransmissions::Retransmissions;
pub use fsm::State;

/// By what a neighbour is known: its address on OSPFv2's networks with several routers, its router ID elsewhere (§8.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NeighborKey {
    Address(IpAddr),
    Router(RouterId),
}

#[derive(Clone, Debug)]
pub struct Neighbor {
    pub state: State,
    pub id: RouterId,
    pub address: IpAddr,
    pub priority: u8,
    pub designated: Ipv4Addr,
    pub backup: Ipv4Addr,
    pub options: Options,
    /// OSPFv3: the neighbour's interface ID.
    pub interface: u32,
    pub(crate) inactive_at: Option<Timestamp>,
    /// NBMA: when a Hello goes to a neighbour that is not up.
    pub(crate) poll_at: Option<Timestamp>,
    pub(crate) exchange: Exchange,
    /// What it has newer than we do (link state request list).
    pub(crate) requests: BTreeMap<LsaKey, LsaHeader>,
    /// Those of the last request that have not come.
    pub(crate) requested: BTreeSet<LsaKey>,
    pub(crate) request_at: Option<Timestamp>,
    pub(crate) retransmit: Retransmissions,
    pub(crate) retransmit_at: Option<Timestamp>,
    /// LSAs that had to be sent to it again.
    pub retransmitted: u64,
    /// Cryptographic sequence numbers it sent last.
    pub(crate) heard: Heard,
    /// Times its state changed.
    pub changes: u32,
    pub since: Timestamp,
    /// What it was told last; what moved it, when it moved.
    pub(crate) event: fsm::Event,
    /// Its last change towards Full.
    pub progressed: Option<Timestamp>,
    /// Its last change away from Full, and why.
    pub regressed: Option<(Timestamp, fsm::Event)>,
    /// It restarts, and counts as adjacent meanwhile.
    pub help: Option<Help>,
}

/// The exchange of database descriptions (§10.6, §10.8).
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    /// Whether we are master.
    pub master: bool,
    pub sequence: u32,
    /// Headers not described yet.
    pub summary: VecDeque<LsaHeader>,
    /// Our last description, to be sent again.
    pub sent: Option<DatabaseDescription>,
    pub resend_at: Option<Timestamp>,
    /// Flags, options and number of the last one received, by which a repeated one is known.
    pub received: Option<(DdFlags, Options, u32)>,
}

impl Neighbor {
    pub fn new(id: RouterId, address: IpAddr, now: Timestamp) -> Self {
        Self {
            state: State::Down,
            id,
            address,
            priority: 0,
            designated: Ipv4Addr::UNSPECIFIED,
            backup: Ipv4Addr::UNSPECIFIED,
            options: Options::default(),
            interface: 0,
            inactive_at: None,
            poll_at: None,
            exchange: Exchange { sequence: now.as_micros() as u32, ..Exchange::default() },
            requests: BTreeMap::new(),
            requested: BTreeSet::new(),
            request_at: None,
            retransmit: Retransmissions::default(),
            retransmit_at: None,
            retransmitted: 0,
            heard: Heard::default(),
            changes: 0,
            since: now,
            event: fsm::Event::HelloReceived,
            progressed: None,
            regressed: None,
            help: None,
        }
    }

    /// Forgets the lists of the adjacency.
    pub(crate) fn clear_lists(&mut self) {
        let sequence = self.exchange.sequence;
        self.exchange = Exchange { sequence, ..Exchange::default() };
        self.requests.clear();
        self.requested.clear();
        self.request_at = None;
        self.retransmit.clear();
        self.retransmit_at = None;
    }

    pub fn retransmissions(&self) -> usize {
        self.retransmit.len()
    }

    pub fn open_requests(&self) -> usize {
        self.requests.len()
    }

    /// LSAs that it has not been told of yet in the exchange.
    pub fn summaries(&self) -> usize {
        self.exchange.summary.len()
    }

    /// LSAs to be acknowledged (the retransmission list).
    pub fn retransmission_list(&self) -> impl Iterator<Item = &LsaKey> {
        self.retransmit.iter()
    }

    /// LSAs asked for or to be asked for (the request list).
    pub fn request_list(&self) -> impl Iterator<Item = &LsaHeader> {
        self.requests.values()
    }

    /// When it counts as dead without another Hello; for one that is polled and not up, none.
    pub fn dead_at(&self) -> Option<Timestamp> {
        self.inactive_at
    }

    pub fn retransmits_at(&self) -> Option<Timestamp> {
        self.retransmit_at
    }

    /// Whether we are master of the exchange.
    pub fn is_slave(&self) -> bool {
        self.exchange.master
    }

    /// Sequence number of the exchange.
    pub fn description_sequence(&self) -> u32 {
        self.exchange.sequence
    }

    /// Fully adjacent, or restarting and helped.
    pub fn counts_as_full(&self) -> bool {
        self.state == State::Full || self.help.is_some()
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let all = [
            self.inactive_at,
            self.poll_at,
            self.exchange.resend_at,
            self.request_at,
            self.retransmit_at,
            self.help.map(|help| help.until),
        ];
        all.into_iter().flatten().min()
    }
}
