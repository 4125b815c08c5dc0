//! Routes, sessions and counters as BMP messages.

use bgp_packet::attr::{Attributes, EncodeContext};
use bgp_packet::header::MAX_LEN_EXTENDED;
use bgp_packet::update::{self, AttributeBlock};
use bgp_packet::{FamilySet, NlriEntry};
use ferrite_types::Prefix;

use super::*;
use crate::config::InstanceName;
use crate::peer::DownReason;

/// A message of BGP: marker, then its length.
const LENGTH_AT: usize = 16;
const HEADER: usize = 19;

/// How many BMP messages stand one after another.
pub fn messages(mut octets: &[u8]) -> u64 {
    let mut count = 0;
    while let Some(len) = octets.get(1..5).and_then(|len| len.try_into().ok()).map(u32::from_be_bytes) {
        count += 1;
        octets = octets.get(len.max(1) as usize..).unwrap_or_default();
    }
    count
}

/// A number for a name, which no VRF has: they are below 2³² (FNV-1a).
pub fn number_of(name: &[u8]) -> u64 {
    let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
    name.iter().fold(0xcbf2_9ce4_8422_2325, step) | 1 << 63
}

/// RFC 7854 §4.9.
pub fn why_down(reset: &LastReset) -> bmp::Down {
    let pdu = reset.notification.as_ref().map(|notification| notification.encode().to_vec());
    match (reset.reason, pdu) {
        (DownReason::NotificationReceived, Some(pdu)) => bmp::Down::RemoteNotification(pdu),
        (DownReason::Deleted, _) => bmp::Down::Deconfigured,
        (DownReason::PeerClosed | DownReason::RestartClosed, _) => bmp::Down::Remote,
        (_, Some(pdu)) => bmp::Down::LocalNotification(pdu),
        // Events of RFC 4271 §8.1: a connection that fails.
        (DownReason::SocketError, None) => bmp::Down::Local(18),
        (_, None) => bmp::Down::Local(2),
    }
}

impl Instance {
    pub(super) fn own_hostname(&self) -> &str {
        self.config.common.hostname.as_deref().unwrap_or(&self.host.hostname)
    }

    fn since_epoch(&self, at: Timestamp) -> Duration {
        Duration::from_secs(self.host.epoch) + Duration::from_micros(at.as_micros())
    }

    pub(super) fn peer_header(&self, at: Timestamp, peer: PeerId, rib: Rib) -> Option<PeerHeader> {
        let entry = self.peers.get(&peer)?;
        let negotiated = entry.peer.negotiated();
        let addr = negotiated.map_or(entry.session.transport.remote.ip(), |n| n.ends.remote.ip());
        Some(PeerHeader {
            rib,
            addr: Some(addr.to_canonical()),
            asn: negotiated.map_or(ferrite_types::Asn(0), |n| n.remote_as),
            id: negotiated.map_or(ferrite_types::RouterId::UNSET, |n| n.remote_id),
            distinguisher: self.distinguisher(),
            two_octet: false,
            time: self.since_epoch(at),
        })
    }

    pub(super) fn loc_header(&self, at: Timestamp) -> PeerHeader {
        PeerHeader {
            rib: Rib::Loc,
            addr: None,
            asn: self.router().map_or(ferrite_types::Asn(0), |router| router.asn.asn),
            id: self.router_id(),
            distinguisher: self.distinguisher(),
            two_octet: false,
            time: self.since_epoch(at),
        }
    }

    pub(super) fn encode_peer_up(&self, now: Timestamp, peer: PeerId, buf: &mut BytesMut) {
        let Some(header) = self.peer_header(now, peer, Rib::InPre) else { return };
        let Some(negotiated) = self.peers.get(&peer).and_then(|entry| entry.peer.negotiated()) else {
            return;
        };
        let ends = &negotiated.ends;
        let (sent, received) = (negotiated.sent.encode(), negotiated.received.encode());
        let ports = (ends.local.port(), ends.remote.port());
        bmp::peer_up(buf, &header, ends.local.ip().to_canonical(), ports, (&sent, &received), &[]);
    }

    /// Our own table is a peer, whose OPENs are made up (RFC 9069 §5.3).
    pub(super) fn loc_rib_up(&self, now: Timestamp, buf: &mut BytesMut) {
        let header = self.loc_header(now);
        let mut capabilities: Vec<Capability> =
            FAMILIES.iter().map(|family| Capability::Multiprotocol((*family).into())).collect();
        capabilities.push(Capability::FourOctetAs(header.asn));
        let open = Open::new(header.asn, 0, header.id, capabilities).encode();
        let unspecified = IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED);
        // RFC 9069 §5.2.1.
        let name = if self.name == InstanceName::Default { "global" } else { self.label() };
        bmp::peer_up(buf, &header, unspecified, (0, 0), (&open, &open), &[(3, name)]);
    }

    pub(super) fn encode_rows(
        &mut self,
        now: Timestamp,
        step: &Step,
        rows: &[PrefixView],
        done: bool,
        buf: &mut BytesMut,
    ) {
        let identified = step.peer.is_some_and(|peer| self.identified(peer, step.family, step.rib));
        for row in rows {
            for path in &row.paths {
                if step.rib == Rib::Loc && !path.best {
                    continue;
                }
                let Some(header) = self.step_header(path.since, step) else { continue };
                let id = if step.rib == Rib::OutPost { path.sent_id } else { path.path_id };
                self.encode_route(
                    &header,
                    step.family,
                    row.prefix,
                    identified.then_some(id),
                    Some(&path.attrs),
                    buf,
                );
            }
        }
        if done
            && step.last
            && let Some(header) = self.step_header(now, step)
        {
            let mut pdu = BytesMut::new();
            update::end_of_rib(&mut pdu, step.family);
            bmp::route_monitoring(buf, &header, &pdu);
        }
    }

    fn step_header(&self, at: Timestamp, step: &Step) -> Option<PeerHeader> {
        match step.peer {
            Some(peer) => self.peer_header(at, peer, step.rib),
            None => Some(self.loc_header(at)),
        }
    }

    /// Whether prefixes of the session carry path identifiers.
    fn identified(&self, peer: PeerId, family: Family, rib: Rib) -> bool {
        let negotiated = self.peers.get(&peer).and_then(|entry| entry.peer.negotiated());
        negotiated.is_some_and(|negotiated| match rib {
            Rib::OutPre | Rib::OutPost => negotiated.add_path_send.contains(family),
            _ => negotiated.add_path_receive.contains(family),
        })
    }

    pub(super) fn encode_change(
        &mut self,
        now: Timestamp,
        family: Family,
        rib: Rib,
        row: &MonitorRow,
        buf: &mut BytesMut,
    ) {
        match (&row.change, rib) {
            (MonitorChange::AdjIn { peer, path_id, received, accepted }, Rib::InPre | Rib::InPost) => {
                if !self.peers.get(peer).is_some_and(super::super::PeerEntry::established) {
                    return;
                }
                let attrs = if rib == Rib::InPre { received } else { accepted };
                let Some(header) = self.peer_header(row.since, *peer, rib) else { return };
                let id = self.identified(*peer, family, rib).then_some(*path_id);
                self.encode_route(&header, family, row.prefix, id, attrs.as_deref(), buf);
            }
            (MonitorChange::Best(best), Rib::Loc) => {
                let header = self.loc_header(if best.is_some() { row.since } else { now });
                let attrs = best.as_ref().map(|(_, attrs): &(PathSource, Arc<Attributes>)| &**attrs);
                self.encode_route(&header, family, row.prefix, None, attrs, buf);
            }
            _ => {}
        }
    }

    /// One route as an UPDATE of its own; without attributes it is withdrawn.
    fn encode_route(
        &mut self,
        header: &PeerHeader,
        family: Family,
        prefix: Prefix,
        path_id: Option<u32>,
        attrs: Option<&Attributes>,
        buf: &mut BytesMut,
    ) {
        let mut pdu = BytesMut::new();
        if one_route(&mut pdu, family, prefix, path_id, attrs) {
            bmp::route_monitoring(buf, header, &pdu);
        } else {
            self.bmp.too_large += 1;
        }
    }

    /// Whole UPDATEs that a neighbour was sent, each as a message.
    pub(super) fn encode_sent(&self, now: Timestamp, peer: PeerId, mut octets: &[u8], buf: &mut BytesMut) {
        let Some(mut header) = self.peer_header(now, peer, Rib::OutPost) else { return };
        let Some(entry) = self.peers.get(&peer).filter(|entry| entry.established()) else { return };
        header.two_octet = entry.peer.negotiated().is_some_and(|negotiated| !negotiated.four_octet);
        while let Some(len) =
            octets.get(LENGTH_AT..LENGTH_AT + 2).and_then(|len| len.try_into().ok()).map(u16::from_be_bytes)
        {
            let Some((pdu, rest)) = octets.split_at_checked(usize::from(len).max(HEADER)) else { return };
            bmp::route_monitoring(buf, &header, pdu);
            octets = rest;
        }
    }

    pub(super) fn encode_statistics(&self, now: Timestamp, peer: PeerId, buf: &mut BytesMut) {
        let Some(entry) = self.peers.get(&peer).filter(|entry| entry.established()) else { return };
        let Some(header) = self.peer_header(now, peer, Rib::InPre) else { return };
        let refused = entry.refused();
        let sum = |of: &dyn Fn(Family) -> u64| FAMILIES.iter().map(|family| of(*family)).sum::<u64>();
        let mut values = vec![
            Statistic::Counter(statistic::REJECTED, refused.filtered),
            Statistic::Counter(statistic::CLUSTER_LOOP, refused.cluster_loop),
            Statistic::Counter(statistic::AS_LOOP, refused.as_loop),
            Statistic::Counter(statistic::ORIGINATOR_LOOP, refused.originator_loop),
            Statistic::Gauge(statistic::ADJ_IN, sum(&|family| entry.received(family))),
            Statistic::Gauge(statistic::ADJ_OUT_POST, sum(&|family| entry.sent(family))),
        ];
        for family in FAMILIES.into_iter().filter(|family| self.negotiated_family(peer, *family)) {
            let count = entry.received(family);
            values.push(Statistic::FamilyGauge(statistic::ADJ_IN_OF_FAMILY, family, count));
        }
        bmp::statistics(buf, &header, &values);
    }
}

/// An UPDATE about one prefix; false where its attributes leave no room for it.
fn one_route(
    pdu: &mut BytesMut,
    family: Family,
    prefix: Prefix,
    path_id: Option<u32>,
    attrs: Option<&Attributes>,
) -> bool {
    let add_path = if path_id.is_some() { FamilySet::EMPTY.with(family) } else { FamilySet::EMPTY };
    let context = EncodeContext { four_octet: true, add_path, max_len: MAX_LEN_EXTENDED };
    let entry = NlriEntry { prefix, path_id: path_id.unwrap_or(0) };
    match attrs {
        Some(attrs) => {
            let block = AttributeBlock::new(attrs, family, &context);
            update::announce(pdu, &context, &block, [entry]).is_ok()
        }
        None => update::withdraw(pdu, &context, family, [entry]) == 1,
    }
}
