//! `maximum-prefix`: counts of all shards against a neighbour's limit (RFC 4486 Cease/1).

use std::time::Duration;

use bgp_packet::Family;
use bgp_packet::notification::{Notification, cease};
use ferrite_types::Timestamp;

use super::{Action, Instance, LogLine};
use crate::config::{MaximumPrefix, PrefixLimitAction};
use crate::peer::{DownReason, HoldDown, PeerEvent};
use crate::rib::{PeerId, PrefixCount};

impl Instance {
    pub(super) fn counted(
        &mut self,
        now: Timestamp,
        shard: usize,
        counts: Vec<PrefixCount>,
        out: &mut Vec<Action>,
    ) {
        let shards = self.host.shards;
        for count in counts {
            let id = count.peer;
            if let Some(entry) = self.peers.get_mut(&id).filter(|entry| entry.params.is_some()) {
                entry.store(shard, shards, count);
                self.check_limit(now, id, count.family, out);
            }
        }
    }

    /// After a change of the configuration.
    pub(super) fn check_limits(&mut self, now: Timestamp, id: PeerId, out: &mut Vec<Action>) {
        let families: Vec<Family> = match self.peers.get(&id) {
            Some(entry) => entry.counts.iter().map(|counts| counts.family).collect(),
            None => return,
        };
        for family in families {
            self.check_limit(now, id, family, out);
        }
    }

    fn check_limit(&mut self, now: Timestamp, id: PeerId, family: Family, out: &mut Vec<Action>) {
        // Where the neighbour has no limit of its own, `bgp limit prefixes` holds.
        let general = self.router().map(|router| MaximumPrefix {
            limit: router.limits.prefixes,
            threshold: 100,
            action: PrefixLimitAction::Shutdown,
            force: true,
        });
        let Some(entry) = self.peers.get_mut(&id) else { return };
        // As in FRR, what policy denies is counted where it is kept.
        let of_family = entry.effective.family(family);
        let kept = of_family.is_some_and(|family| family.soft_reconfiguration);
        let own = of_family.and_then(|family| family.maximum_prefix);
        let own = own.map(|own| MaximumPrefix { force: own.force && kept, ..own });
        let Some(maximum) = own.or(general) else { return };
        if !entry.established() {
            return;
        }
        let count = if maximum.force { entry.received(family) } else { entry.accepted(family) };
        let (addr, limit) = (entry.name.clone(), maximum.limit);
        if count > u64::from(limit) {
            out.push(Action::Log(LogLine::PrefixLimit { addr, family, count, limit }));
            if maximum.action != PrefixLimitAction::Warn {
                self.peer_event(now, id, exceeded(family, maximum), out);
            }
            return;
        }
        let threshold = u64::from(limit) * u64::from(maximum.threshold) / 100;
        if count <= threshold {
            entry.warned.remove(&family);
        } else if entry.warned.insert(family) {
            out.push(Action::Log(LogLine::PrefixWarning { addr, family, count, limit }));
        }
    }
}

/// The session ends, for the time configured or until somebody clears it.
fn exceeded(family: Family, maximum: MaximumPrefix) -> PeerEvent {
    let mut data = family.afi.code().to_be_bytes().to_vec();
    data.push(family.safi.code());
    data.extend(maximum.limit.to_be_bytes());
    let time = match maximum.action {
        PrefixLimitAction::Restart(minutes) => Some(Duration::from_secs(u64::from(minutes) * 60)),
        PrefixLimitAction::Shutdown | PrefixLimitAction::Warn => None,
    };
    PeerEvent::Suspend {
        hold_down: HoldDown { reason: DownReason::PrefixLimit, time },
        notification: Notification::new(cease::CODE, cease::MAX_PREFIXES, &data),
    }
}
