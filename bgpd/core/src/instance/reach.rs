//! `bgp fast-convergence`: a session ends as soon as there is no way to its neighbour any more, not only when its hold time
//! is over. Zebra is asked to track the neighbours' addresses, as shards have it track next hops.

use std::collections::BTreeSet;
use std::net::IpAddr;

use bgp_packet::notification::{Notification, cease};
use ferrite_types::Timestamp;
use ferrite_types::zclient::{NexthopState, ToZebra, TrackNexthop};

use super::{Action, Instance, PeerEntry};
use crate::peer::{DownReason, PeerEvent};
use crate::rib::PeerId;

/// Neighbours whose addresses are tracked.
#[derive(Debug, Default)]
pub struct Reach(BTreeSet<IpAddr>);

impl Instance {
    /// Tracks the neighbours there are, as long as the configuration asks for it.
    pub(super) fn track_neighbours(&mut self, out: &mut Vec<Action>) {
        let wanted: BTreeSet<IpAddr> = match self.router() {
            Some(router) if router.restart.fast_convergence => {
                self.peers.values().map(|entry| entry.addr).collect()
            }
            _ => BTreeSet::new(),
        };
        if wanted == self.reach.0 {
            return;
        }
        let vrf = self.vrf_id();
        let request = |addr: &IpAddr, track| TrackNexthop {
            vrf,
            addr: *addr,
            connected_only: false,
            exact: None,
            track,
        };
        let more = wanted.difference(&self.reach.0).map(|addr| request(addr, true));
        let less = self.reach.0.difference(&wanted).map(|addr| request(addr, false));
        let requests: Vec<TrackNexthop> = more.chain(less).collect();
        // Beside the shards there is one more who asks.
        let (ask, _) = self.tracking.request(self.host.shards, requests);
        if !ask.is_empty() && self.zebra_connected {
            out.push(Action::Zebra(ToZebra::TrackNexthops(ask)));
        }
        self.reach.0 = wanted;
    }

    /// Ends the sessions with neighbours that cannot be reached any more.
    pub(super) fn neighbours_lost(&mut self, now: Timestamp, states: &[NexthopState], out: &mut Vec<Action>) {
        let vrf = self.vrf_id();
        let lost = states
            .iter()
            .filter(|state| state.vrf == vrf && state.exact.is_none() && state.resolved.is_none());
        let lost: Vec<IpAddr> =
            lost.map(|state| state.addr).filter(|addr| self.reach.0.contains(addr)).collect();
        let over = |entry: &PeerEntry| lost.contains(&entry.addr) && entry.established();
        let ended: Vec<PeerId> =
            self.peers.iter().filter(|(_, entry)| over(entry)).map(|(id, _)| *id).collect();
        for id in ended {
            let event = PeerEvent::Reset {
                reason: DownReason::NoPath,
                notification: Notification::cease(cease::CONFIG_CHANGE),
            };
            self.peer_event(now, id, event, out);
        }
    }
}
