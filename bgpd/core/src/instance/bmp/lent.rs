//! `bmp import-vrf-view NAME`: the collectors of one instance are told the tables of another too. The speaker lends them; what
//! the other instance says goes into the same connection, under the other's peer distinguisher. Each instance counts what it
//! has on the way to the collector on its own, and the connection is the lender's: it begins and ends it.

use std::net::SocketAddr;
use std::sync::Arc;

use bgp_packet::bmp::{self, Down, Rib};
use bytes::BytesMut;
use ferrite_types::Timestamp;

use super::{Action, Collector, CollectorId, Instance, encode};
use crate::config::{BmpTargets, Connect, InstanceName};
use crate::rib::PeerId;

/// A collector of another instance.
#[derive(Clone, Debug)]
pub struct Lent {
    pub collector: CollectorId,
    /// As it is called there.
    pub target: Arc<str>,
    pub targets: Arc<BmpTargets>,
    pub connect: Option<Connect>,
    pub remote: SocketAddr,
}

impl Instance {
    /// What a collector is to be told.
    pub(super) fn targets_of<'a>(&'a self, collector: &'a Collector) -> Option<&'a BmpTargets> {
        collector.lent.as_deref().or_else(|| self.bmp_targets(&collector.target))
    }

    pub(super) fn lent(&mut self, now: Timestamp, lent: Lent, out: &mut Vec<Action>) {
        let Lent { collector, target, targets, connect, remote } = lent;
        let mut known = Collector::new(now, target, connect, remote, &targets);
        known.lent = Some(targets);
        self.collector_up(now, collector, known, out);
    }

    /// The instance is no longer configured: the collectors that others lent it hear so, and it tells them nothing more.
    pub(super) fn give_back(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let lent = |(_, collector): &(&CollectorId, &Collector)| collector.lent.is_some();
        let all: Vec<CollectorId> = self.bmp.collectors.iter().filter(lent).map(|(id, _)| *id).collect();
        let up: Vec<PeerId> =
            self.peers.iter().filter(|(_, entry)| entry.established()).map(|(id, _)| *id).collect();
        for id in all {
            let Some(collector) = self.bmp.collectors.get(&id) else { continue };
            let mut buf = BytesMut::new();
            if self.hears_of_peers(collector) {
                let headers = up.iter().filter_map(|peer| self.peer_header(now, *peer, Rib::InPre));
                headers.for_each(|header| bmp::peer_down(&mut buf, &header, &Down::Deconfigured));
            }
            if self.monitors_rib(collector, Rib::Loc) {
                bmp::peer_down(&mut buf, &self.loc_header(now), &Down::LocRib);
            }
            self.tell(id, buf.freeze(), out);
            self.collector_gone(id, out);
        }
    }

    /// Tells this instance's peers apart in a stream (RFC 7854 §4.2). Zero is the default instance; a VRF has its number, a
    /// view, which has none, a number made of its name.
    pub(super) fn distinguisher(&self) -> u64 {
        match &self.name {
            InstanceName::Default => 0,
            InstanceName::Vrf(_) => u64::from(self.vrf_id().0),
            InstanceName::View(name) => encode::number_of(name.as_bytes()),
        }
    }
}
