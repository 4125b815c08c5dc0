//! Next hops of the routes: tracked through zebra, counted by the attribute sets that use them (RFC 4271 §9.1.2.1).
//!
//! A route whose next hop has no answer yet is not usable. A change walks the table once, in slices, for all next hops
//! that changed together: that costs nothing per path.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use bgp_packet::attr::{Attributes, NextHop};
use ferrite_types::zclient::{NexthopState, Resolution, TrackNexthop};
use ferrite_types::{Metric, Nexthop, Prefix, RouteProtocol, Timestamp, VrfId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::query::NexthopView;

/// A tracked next hop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NexthopId(NonZeroU32);

impl NexthopId {
    fn of(place: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(place as u32))
    }

    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NexthopKey {
    pub addr: IpAddr,
    pub connected_only: bool,
    /// Not a next hop: whether the prefix of this length is in the RIB.
    pub exact: Option<u8>,
}

/// What is known of it.
#[derive(Debug)]
struct Tracked {
    key: NexthopKey,
    refs: u32,
    state: State,
    /// Zebra's last word on the address, whatever it means for this key.
    answer: Option<Option<Resolution>>,
    /// An address of this router: no route leads through it.
    own: bool,
    changed: Timestamp,
}

#[derive(Debug)]
enum State {
    /// Zebra has not answered.
    Asked,
    Unreachable,
    Reachable(Resolution),
}

/// How a next hop is reached, as the decision process sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    pub metric: u32,
}

#[derive(Debug, Default)]
pub struct Nexthops {
    slots: Vec<Option<Tracked>>,
    by_key: FxHashMap<NexthopKey, NexthopId>,
    free: Vec<NexthopId>,
    /// Requests for zebra, to be drained into an action.
    requests: Vec<TrackNexthop>,
    /// Next hops that lost their last user; stopped unless somebody uses them again first.
    idle: FxHashSet<NexthopId>,
    own: FxHashSet<IpAddr>,
    /// Without zebra everything is reachable.
    pub tracking: bool,
    pub vrf: VrfId,
}

/// The address by which a route's next hop is looked up; `None` where none is needed: our own routes, and link-local
/// addresses, which are reached over the interface of the session.
pub fn tracked_addr(attrs: &Attributes) -> Option<IpAddr> {
    match attrs.next_hop {
        NextHop::V4(addr) if addr.is_unspecified() => None,
        NextHop::V4(addr) => Some(addr.into()),
        NextHop::V6 { global, .. } if global.is_unspecified() || global.is_unicast_link_local() => None,
        NextHop::V6 { global, .. } => Some(global.into()),
    }
}

/// What zebra's word on an address means for routes that may demand a connected network.
fn judge(key: NexthopKey, answer: Option<Resolution>) -> State {
    let connected = |resolution: &Resolution| {
        matches!(resolution.protocol, RouteProtocol::Connected | RouteProtocol::Local)
    };
    match answer.filter(|resolution| !key.connected_only || connected(resolution)) {
        Some(resolution) => State::Reachable(resolution),
        None => State::Unreachable,
    }
}

impl Nexthops {
    /// Finds or starts the tracking of a next hop and counts one user.
    pub fn acquire(&mut self, now: Timestamp, addr: IpAddr, connected_only: bool) -> NexthopId {
        self.acquire_key(now, NexthopKey { addr, connected_only, exact: None })
    }

    /// The same for a prefix that is to be in the RIB itself.
    pub fn acquire_prefix(&mut self, now: Timestamp, prefix: Prefix) -> NexthopId {
        let exact = Some(prefix.len());
        self.acquire_key(now, NexthopKey { addr: prefix.addr(), connected_only: false, exact })
    }

    fn acquire_key(&mut self, now: Timestamp, key: NexthopKey) -> NexthopId {
        if let Some(id) = self.by_key.get(&key).copied() {
            self.idle.remove(&id);
            if let Some(Some(slot)) = self.slots.get_mut(id.place()) {
                slot.refs += 1;
            }
            return id;
        }
        let answer = self.answer(key);
        let state = answer.clone().map_or(State::Asked, |answer| judge(key, answer));
        let tracked = Tracked {
            key,
            refs: 1,
            state,
            answer,
            own: key.exact.is_none() && self.own.contains(&key.addr),
            changed: now,
        };
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(place) = self.slots.get_mut(id.place()) {
                    *place = Some(tracked);
                }
                id
            }
            None => {
                self.slots.push(Some(tracked));
                NexthopId::of(self.slots.len() - 1)
            }
        };
        if !self.is_asked(key) {
            self.requests.push(self.request(key, true));
        }
        self.by_key.insert(key, id);
        id
    }

    /// Zebra's last word on an address, from the other key for it.
    fn answer(&self, key: NexthopKey) -> Option<Option<Resolution>> {
        let keys = [false, true].map(|connected_only| NexthopKey { connected_only, ..key });
        let mut slots =
            keys.into_iter().filter_map(|key| self.slots.get(self.by_key.get(&key)?.place())?.as_ref());
        slots.find_map(|slot| slot.answer.clone())
    }

    pub fn release(&mut self, id: NexthopId) {
        if let Some(Some(slot)) = self.slots.get_mut(id.place()) {
            slot.refs = slot.refs.saturating_sub(1);
            if slot.refs == 0 {
                self.idle.insert(id);
            }
        }
    }

    /// Zebra is asked once per address, whatever routes demand of it: whether a connected network covers the address is
    /// told from the answer.
    fn is_asked(&self, key: NexthopKey) -> bool {
        [false, true]
            .into_iter()
            .any(|connected_only| self.by_key.contains_key(&NexthopKey { connected_only, ..key }))
    }

    fn request(&self, key: NexthopKey, track: bool) -> TrackNexthop {
        let NexthopKey { addr, exact, .. } = key;
        TrackNexthop { vrf: self.vrf, addr, connected_only: false, exact, track }
    }

    /// Requests for zebra since the last call; idle next hops are given up.
    pub fn requests(&mut self) -> Vec<TrackNexthop> {
        for id in std::mem::take(&mut self.idle) {
            let Some(place) = self.slots.get_mut(id.place()) else { continue };
            let Some(slot) = place.take_if(|slot| slot.refs == 0) else { continue };
            self.by_key.remove(&slot.key);
            self.free.push(id);
            if !self.is_asked(slot.key) {
                self.requests.push(self.request(slot.key, false));
            }
        }
        if !self.tracking {
            self.requests.clear();
        }
        std::mem::take(&mut self.requests)
    }

    /// Asks for everything again: tracking was off, or zebra came back.
    pub fn ask_again(&mut self) {
        let mut keys: Vec<NexthopKey> =
            self.by_key.keys().map(|key| NexthopKey { connected_only: false, ..*key }).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let request = self.request(key, true);
            self.requests.push(request);
        }
    }

    /// Takes in an answer; the next hops for which something changed that routes must know.
    pub fn update(&mut self, now: Timestamp, state: NexthopState) -> Vec<NexthopId> {
        let mut changed = Vec::new();
        for connected_only in [false, true] {
            let key = NexthopKey { addr: state.addr, connected_only, exact: state.exact };
            let Some(id) = self.by_key.get(&key).copied() else { continue };
            let Some(Some(slot)) = self.slots.get_mut(id.place()) else { continue };
            let new = judge(key, state.resolved.clone());
            slot.answer = Some(state.resolved.clone());
            let same = match (&slot.state, &new) {
                (State::Unreachable, State::Unreachable) => true,
                // zebra resolves recursive routes itself: only reachability and metric concern the table.
                (State::Reachable(a), State::Reachable(b)) => {
                    a.metric == b.metric && a.prefix == b.prefix && a.protocol == b.protocol
                }
                _ => false,
            };
            slot.state = new;
            if !same {
                slot.changed = now;
                changed.push(id);
            }
        }
        changed
    }

    /// The addresses of this router; the next hops for which that changes something.
    pub fn set_own(&mut self, addrs: &[IpAddr]) -> Vec<NexthopId> {
        self.own = addrs.iter().copied().collect();
        let mut changed = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            let own = slot.key.exact.is_none() && self.own.contains(&slot.key.addr);
            if std::mem::replace(&mut slot.own, own) != own {
                changed.push(NexthopId::of(place));
            }
        }
        changed
    }

    pub fn reach(&self, id: NexthopId) -> Option<Reach> {
        if self.slots.get(id.place())?.as_ref()?.own {
            return None;
        }
        if !self.tracking {
            return Some(Reach { metric: 0 });
        }
        match self.slots.get(id.place())?.as_ref()?.state {
            State::Reachable(ref resolution) => Some(Reach { metric: resolution.metric.0 }),
            State::Asked | State::Unreachable => None,
        }
    }

    /// The metric of a prefix that is in the RIB from a source other than BGP; `None` where it is not: import check.
    pub fn present(&self, id: NexthopId) -> Option<u32> {
        if !self.tracking {
            return Some(0);
        }
        match self.slots.get(id.place())?.as_ref()?.state {
            State::Reachable(ref resolution) if resolution.protocol != RouteProtocol::Bgp => {
                Some(resolution.metric.0)
            }
            _ => None,
        }
    }

    /// Whether zebra owes an answer for a next hop that is in use.
    pub fn awaits_answers(&self) -> bool {
        self.tracking
            && self.slots.iter().flatten().any(|slot| slot.refs > 0 && matches!(slot.state, State::Asked))
    }

    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn views(&self) -> Vec<NexthopView> {
        let mut views: Vec<NexthopView> = self
            .slots
            .iter()
            .flatten()
            .filter(|slot| slot.key.exact.is_none())
            .map(|slot| {
                let (valid, metric, resolved) = match &slot.state {
                    State::Asked => (None, Metric(0), Arc::from([] as [Nexthop; 0])),
                    State::Unreachable => (Some(false), Metric(0), Arc::from([] as [Nexthop; 0])),
                    State::Reachable(r) => (Some(true), r.metric, Arc::clone(&r.nexthops)),
                };
                NexthopView {
                    addr: slot.key.addr,
                    connected_only: slot.key.connected_only,
                    valid: if self.tracking { valid } else { Some(true) },
                    metric,
                    resolved,
                    uses: slot.refs,
                    changed: slot.changed,
                }
            })
            .collect();
        views.sort_by_key(|view| (view.addr, view.connected_only));
        views
    }
}
