//! What both families of a shard share: configuration, peers, attributes, next hops, and the hour.

use std::hash::BuildHasher;
use std::sync::Arc;

use ferrite_rpki::Tables;
use ferrite_types::{Community, RouteProtocol, Timestamp};
use rustc_hash::FxBuildHasher;

use super::attrs::AttrTable;
use super::decision::Candidate;
use super::nexthop::{Nexthops, tracked_addr};
use super::notice::Notices;
use super::peers::{PeerIdx, Peers};
use super::policy::PolicyPeer;
use super::query::PathSource;
use super::rpki::RpkiView;
use super::settings::{PeerKind, PeerParams, ShardConfig};
use super::table::{Path, PathFlags};

#[derive(Debug)]
pub struct Ctx {
    /// Number of this shard, and of how many.
    pub index: usize,
    pub of: usize,
    pub config: Arc<ShardConfig>,
    pub peers: Peers,
    pub attrs: AttrTable,
    pub nexthops: Nexthops,
    pub now: Timestamp,
    pub limits: Limits,
    pub notices: Notices,
    /// What the RPKI says; `None` while it says nothing.
    pub rpki: Option<Arc<Tables>>,
    /// Paths that were judged again because it said something else.
    pub revalidated: u64,
    /// Entries looked at to find those.
    pub looked_at: u64,
}

/// How much is done at once, and how much may be on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Octets outstanding to one peer.
    pub send_window: usize,
    /// Updates outstanding to zebra.
    pub zebra_window: usize,
    /// Entries handled in one slice.
    pub slice: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { send_window: super::SEND_WINDOW, zebra_window: super::ZEBRA_WINDOW, slice: 8192 }
    }
}

/// Identifiers of our own paths, which all have peer [`PeerIdx::LOCAL`].
pub mod local_id {
    pub const NETWORK: u32 = 1;
    pub const AGGREGATE: u32 = 2;
    /// Plus the place of the protocol in `RouteProtocol::ALL` and the instance above it.
    pub const REDISTRIBUTED: u32 = 0x100;
}

/// Path identifier of a redistributed route.
pub fn redistributed_id(protocol: RouteProtocol, instance: u32) -> u32 {
    let place = RouteProtocol::ALL.iter().position(|p| *p == protocol).unwrap_or(0) as u32;
    local_id::REDISTRIBUTED + place + (instance.min(0xffff) << 16)
}

/// The source that a path identifier of ours stands for; BGP for networks and aggregates.
pub fn protocol_of(path_id: u32) -> RouteProtocol {
    if path_id < local_id::REDISTRIBUTED { RouteProtocol::Bgp } else { redistributed_protocol(path_id) }
}

fn redistributed_protocol(path_id: u32) -> RouteProtocol {
    let place = (path_id & 0xffff).saturating_sub(local_id::REDISTRIBUTED) as usize;
    RouteProtocol::ALL.get(place).copied().unwrap_or(RouteProtocol::System)
}

impl Ctx {
    pub fn rpki_view(&self) -> RpkiView<'_> {
        RpkiView::new(self.rpki.as_deref(), self.config.asn)
    }

    /// Whether the path, of the family in this place, may be chosen: of a live session or kept over a restart, with a next
    /// hop that can be reached.
    pub fn usable(&mut self, path: &Path, place: usize) -> bool {
        if path.flags.has(PathFlags::SHADOW) {
            return false;
        }
        if path.peer.is_local() {
            return !path.flags.has(PathFlags::UNUSABLE);
        }
        let Some(slot) = self.peers.get(path.peer) else { return false };
        let live = slot.epochs.get(place).is_some_and(|epochs| epochs.holds(path.flags.epoch()));
        if !live || path.flags.has(PathFlags::DAMPED) {
            return false;
        }
        let connected = slot.params.connected_nexthops;
        let Some(interned) = self.attrs.get_mut(path.attrs) else { return false };
        let id = match interned.nexthops[usize::from(connected)] {
            Some(id) => id,
            None => {
                let Some(addr) = tracked_addr(&interned.attrs) else { return true };
                let id = self.nexthops.acquire(self.now, addr, connected);
                interned.nexthops[usize::from(connected)] = Some(id);
                id
            }
        };
        self.nexthops.reach(id).is_some() || self.over_link(path)
    }

    /// Packets go to the link-local address of the path's next hop, over the interface of its session: whether the global
    /// one is known, which policy may have set to any, matters not.
    fn over_link(&self, path: &Path) -> bool {
        let direct = self.peers.get(path.peer).is_some_and(|slot| slot.params.ifindex.is_some());
        direct && self.attrs.get(path.attrs).is_some_and(|interned| interned.uses_link_local())
    }

    /// How many messages a peer's writer may be given; none while its window is full.
    pub fn room(&self, idx: PeerIdx) -> usize {
        let Some(slot) = self.peers.get(idx) else { return 0 };
        if slot.outstanding >= self.limits.send_window {
            return 0;
        }
        self.config
            .sending
            .messages
            .map_or(usize::MAX, |most| most.saturating_sub(slot.outstanding_messages) as usize)
    }

    /// Metric to the next hop; `None` where it is unreachable, zero where it is not tracked.
    pub fn igp_metric(&self, path: &Path) -> Option<u32> {
        let connected = self.peers.get(path.peer).is_some_and(|slot| slot.params.connected_nexthops);
        match self.attrs.get(path.attrs)?.nexthops[usize::from(connected)] {
            Some(id) => {
                let metric = self.nexthops.reach(id).map(|reach| reach.metric);
                metric.or_else(|| self.over_link(path).then_some(0))
            }
            None => Some(0),
        }
    }

    pub fn candidate(&self, path: &Path) -> Option<Candidate> {
        let interned = self.attrs.get(path.attrs)?;
        let attrs = &interned.attrs;
        let settings = &self.config.decision;
        let slot = self.peers.get(path.peer);
        let rare = attrs.rare.as_deref();
        let missing = if settings.med_missing_as_worst { u32::MAX } else { 0 };
        let originator = rare.and_then(|rare| rare.originator_id);
        Some(Candidate {
            weight: interned.local.weight,
            local_pref: attrs.local_pref.unwrap_or(self.config.default_local_pref),
            local: path.peer.is_local().then_some(path.path_id),
            aigp: rare.and_then(|rare| rare.aigp),
            hops: interned.hops,
            confed_hops: interned.confed_hops,
            origin: attrs.origin,
            med: attrs.med.unwrap_or(missing),
            neighbor: interned.neighbor(),
            kind: slot.map_or(PeerKind::Internal, |slot| slot.params.kind),
            igp_metric: self.igp_metric(path).unwrap_or(u32::MAX),
            cluster_length: rare.map_or(0, |rare| rare.cluster_list.len()),
            router_id: originator
                .or(slot.map(|slot| slot.params.remote_id))
                .unwrap_or(self.config.router_id)
                .0,
            peer: slot.map(|slot| slot.params.addr),
            path_id: path.path_id,
            selected: path.flags.has(PathFlags::BEST),
            // Waiting to be told again costs a path nothing (RFC 7313, RFC 4724 §4.2); having long to live does (RFC 9494 §4.3).
            stale: attrs.communities.contains(&Community::LLGR_STALE),
            as_path_hash: FxBuildHasher.hash_one(&attrs.as_path),
        })
    }

    pub fn source(&self, path: &Path) -> PathSource {
        match self.peers.get(path.peer) {
            Some(slot) => PathSource::Peer(slot.id),
            None if path.path_id == local_id::NETWORK => PathSource::Network,
            None if path.path_id == local_id::AGGREGATE => PathSource::Aggregate,
            None => PathSource::Redistributed(redistributed_protocol(path.path_id)),
        }
    }

    /// The source of a path as `match source-protocol` names it.
    pub fn protocol(&self, path: &Path) -> RouteProtocol {
        if path.peer.is_local() && path.path_id >= local_id::REDISTRIBUTED {
            redistributed_protocol(path.path_id)
        } else {
            RouteProtocol::Bgp
        }
    }

    pub fn policy_peer(&self, idx: PeerIdx) -> Option<PolicyPeer> {
        self.peers.get(idx).map(|slot| policy_peer(&slot.params))
    }

    pub fn seconds(&self) -> u32 {
        (self.now.as_micros() / 1_000_000) as u32
    }

    /// Lets go of the next hops of attribute sets that are gone.
    pub fn release_nexthops(&mut self) {
        for id in std::mem::take(&mut self.attrs.freed_nexthops) {
            self.nexthops.release(id);
        }
    }
}

pub fn policy_peer(params: &PeerParams) -> PolicyPeer {
    PolicyPeer {
        addr: params.addr,
        names: params.names.clone(),
        round_trip: params.round_trip,
        remote_as: params.remote_as,
        remote_id: params.remote_id,
        ifindex: params.ifindex,
        internal: params.is_internal(),
        external: params.kind == super::settings::PeerKind::External,
        bandwidth_extended: params.bandwidth_extended,
        local_v4: params.local_v4,
        local_v6: params.local_v6,
        direction: super::rpki::direction(params.kind, params.rules.role),
    }
}
