//! Links without an LDP session are avoided (RFC 5443): while LDP is not in sync on a point-to-point link it is announced at
//! the highest cost, until the hold-down time ends that. ldpd says through zebra where it is in sync; while none runs it is
//! nowhere.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_ospf::config::NetworkType;
use ferrite_types::zclient::LdpSync;
use ferrite_types::{IfIndex, Timestamp};
use std::time::Duration;

use super::attach::network_type;
use super::ospf::World;
use crate::settings::{InterfaceV2, RouterSettings};

/// The cost of a link that is to be avoided.
pub const AVOIDED: u16 = 0xffff;

/// What is known of LDP.
#[derive(Debug, Default)]
pub struct Ldp {
    in_sync: BTreeSet<IfIndex>,
    waiting: BTreeMap<IfIndex, Waiting>,
}

/// A link that is up and waits for LDP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Waiting {
    since: Timestamp,
    /// When the hold-down time ends; none is never.
    until: Option<Timestamp>,
    /// It has ended.
    over: bool,
}

/// A link as it is now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nobody asked.
    NotRequired,
    /// Only links between two routers are synchronised.
    NotPointToPoint,
    Down,
    Achieved,
    /// Until when, where a hold-down time runs.
    Waiting(Option<Timestamp>),
}

/// What the interface says before what the process says.
pub fn enabled(router: &RouterSettings, v2: Option<&InterfaceV2>) -> bool {
    v2.and_then(|v2| v2.ldp_sync.on).unwrap_or(router.ldp_sync.on)
}

/// Seconds; zero is for ever.
pub fn hold_down(router: &RouterSettings, v2: Option<&InterfaceV2>) -> u16 {
    v2.and_then(|v2| v2.ldp_sync.hold_down).or(router.ldp_sync.hold_down).unwrap_or(0)
}

impl Ldp {
    pub(super) fn said(&mut self, said: LdpSync) {
        match said {
            LdpSync::Link { ifindex, in_sync: true } => drop(self.in_sync.insert(ifindex)),
            LdpSync::Link { ifindex, in_sync: false } => drop(self.in_sync.remove(&ifindex)),
            LdpSync::Gone => self.in_sync.clear(),
        }
    }

    /// Whether a link is to be avoided.
    pub(super) fn avoids(&self, ifindex: IfIndex) -> bool {
        self.waiting.get(&ifindex).is_some_and(|waiting| !waiting.over)
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.waiting.values().filter(|waiting| !waiting.over).filter_map(|waiting| waiting.until).min()
    }

    /// Ends hold-down times; whether any did.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let due = |waiting: &&mut Waiting| !waiting.over && waiting.until.is_some_and(|until| until <= now);
        self.waiting.values_mut().filter(due).map(|waiting| waiting.over = true).count() > 0
    }
}

impl World {
    /// Which links wait for LDP now. One that comes up waits anew.
    pub(super) fn watch_ldp(&mut self, now: Timestamp) {
        let mut waiting = BTreeMap::new();
        for (name, router) in &self.settings.v2 {
            for link in self.links_of(name) {
                let ifindex = link.interface.ifindex;
                let v2 = self.settings.interfaces.get(&link.interface.name).map(|interface| &interface.v2);
                let synchronised = enabled(router, v2)
                    && network_type(v2.and_then(|v2| v2.network), &link.interface)
                        == NetworkType::PointToPoint;
                if !synchronised || !link.interface.operative() || self.ldp.in_sync.contains(&ifindex) {
                    continue;
                }
                let hold = Some(hold_down(router, v2)).filter(|seconds| *seconds > 0);
                let known = self.ldp.waiting.get(&ifindex).copied();
                let since = known.map_or(now, |known| known.since);
                let until = hold.map(|seconds| since + Duration::from_secs(seconds.into()));
                let over = until.is_some_and(|until| until <= now) || known.is_some_and(|known| known.over);
                waiting.insert(ifindex, Waiting { since, until, over });
            }
        }
        self.ldp.waiting = waiting;
    }

    /// How a link of a process stands.
    pub fn ldp_state(&self, router: &RouterSettings, link: &super::KernelLink) -> State {
        let interface = &link.interface;
        let v2 = self.settings.interfaces.get(&interface.name).map(|settings| &settings.v2);
        if !enabled(router, v2) {
            return State::NotRequired;
        }
        if network_type(v2.and_then(|v2| v2.network), interface) != NetworkType::PointToPoint {
            return State::NotPointToPoint;
        }
        if !interface.operative() {
            return State::Down;
        }
        match self.ldp.waiting.get(&interface.ifindex).filter(|waiting| !waiting.over) {
            Some(waiting) => State::Waiting(waiting.until),
            None => State::Achieved,
        }
    }
}
