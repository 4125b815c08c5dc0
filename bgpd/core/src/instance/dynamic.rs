//! Dynamic neighbours (`bgp listen range`): whoever connects from a range becomes a member of its peer group for as long as the
//! connection lasts. How many there may be at once is limited; a connection over the limit is refused and logged.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::{Prefix, Timestamp};

use super::{Action, Instance, LogLine};
use crate::config::{BgpConfig, EffectiveNeighbor, GroupName, Neighbor, PeerSettings, RouterBgp};
use crate::peer::Signing;
use crate::rib::PeerId;

/// Refusals are logged this often at most.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// What the instance keeps for them.
#[derive(Debug, Default)]
pub struct Dynamic {
    pub count: usize,
    /// Keys that the listeners have for whole ranges (RFC 2385).
    keys: BTreeMap<Prefix, Signing>,
    /// Connections refused since the last line in the log, and when that was.
    refused: u64,
    logged: Option<Timestamp>,
}

/// The settings of a neighbour that is a member of a group and says nothing itself.
fn member_of(router: &RouterBgp, group: &GroupName) -> Option<Neighbor> {
    let inherited = &router.groups.get(group)?.settings;
    let mut settings = PeerSettings::default();
    for (family, slot) in settings.families.iter_mut() {
        slot.activate = inherited.families.get(family).is_some_and(|part| part.activate);
    }
    Some(Neighbor { group: Some(group.clone()), settings })
}

/// What a dynamic neighbour at this address is to be; `None` where no range has it.
pub fn effective(config: &BgpConfig, router: &RouterBgp, addr: IpAddr) -> Option<EffectiveNeighbor> {
    let group = router.sessions.listen.group_of(addr)?;
    let mut effective = router.effective_neighbor(config, addr.into(), &member_of(router, group)?);
    // There is nobody to call.
    effective.session.passive = true;
    Some(effective)
}

impl Instance {
    /// A neighbour for a connection from an address that no neighbour is configured at.
    pub(super) fn admit(&mut self, now: Timestamp, addr: IpAddr, out: &mut Vec<Action>) -> Option<PeerId> {
        if self.finishing {
            return None;
        }
        let config = Arc::clone(&self.config);
        let router = config.instances.get(&self.name)?;
        let effective = effective(&config, router, addr)?;
        if effective.session.shutdown.is_some() {
            return None;
        }
        let limit = router.sessions.listen.limit();
        if self.dynamic.count >= limit {
            self.over_limit(now, addr, limit, out);
            return None;
        }
        self.add_dynamic(now, effective, out)
    }

    fn over_limit(&mut self, now: Timestamp, addr: IpAddr, limit: usize, out: &mut Vec<Action>) {
        self.dynamic.refused += 1;
        if self.dynamic.logged.is_some_and(|at| now.since(at) < LOG_EVERY) {
            return;
        }
        self.dynamic.logged = Some(now);
        let refused = std::mem::take(&mut self.dynamic.refused);
        out.push(Action::Log(LogLine::ListenLimit { addr, limit, refused }));
    }

    /// A dynamic neighbour whose connection has ended is none any more.
    pub(super) fn reap(&mut self, now: Timestamp, id: PeerId, out: &mut Vec<Action>) {
        let gone = self.peers.get(&id).filter(|entry| entry.dynamic && entry.peer.conn().is_none());
        if let Some(name) = gone.map(|entry| entry.name.clone()) {
            self.remove_peer(now, &name, id, out);
        }
    }

    /// Brings the listeners' keys for ranges to what the groups say.
    pub(super) fn range_keys(&mut self, out: &mut Vec<Action>) {
        let mut wanted: BTreeMap<Prefix, Signing> = BTreeMap::new();
        if let Some(router) = self.router() {
            for (range, group) in &router.sessions.listen.ranges {
                wanted.extend(self.range_signing(group).map(|signing| (*range, signing)));
            }
        }
        for range in self.dynamic.keys.keys().filter(|range| !wanted.contains_key(range)) {
            out.push(Action::SetSigning { network: *range, signing: None });
        }
        for (range, signing) in &wanted {
            if self.dynamic.keys.get(range) != Some(signing) {
                let signing = Some(signing.clone());
                out.push(Action::SetSigning { network: *range, signing });
            }
        }
        self.dynamic.keys = wanted;
    }

    /// The range that a dynamic neighbour came from.
    pub(crate) fn range_of(&self, addr: IpAddr) -> Option<&Prefix> {
        let listen = &self.router()?.sessions.listen;
        listen.ranges.keys().find(|range| range.contains(addr))
    }

    fn add_dynamic(
        &mut self,
        now: Timestamp,
        effective: EffectiveNeighbor,
        out: &mut Vec<Action>,
    ) -> Option<PeerId> {
        let name = effective.name.clone();
        let session = self.session_of(&effective)?;
        self.add_peer(now, effective, session, out);
        let id = self.by_name.get(&name).copied()?;
        let entry = self.peers.get_mut(&id)?;
        entry.dynamic = true;
        self.dynamic.count += 1;
        Some(id)
    }
}
