//! What an edit of lists and maps does to routes, and when.
//!
//! Policies are compiled at once, so that shows speak of what is configured. Chains in use stay as they were until
//! `bgp route-map delay-timer` has passed since the first edit, so that a map that is rewritten line by line is applied
//! once, whole. A chain that was not in use before is made from the present policies right away.
//!
//! What is judged again is what an edit can touch: every chain says which prefixes (`lib/policy`'s scopes), and
//! neighbours touched in the same way share one walk over the table.

use std::time::Duration;

use bgp_packet::Family;
use ferrite_policy::Scope;
use ferrite_types::Timestamp;

use super::{Action, Instance};
use crate::rib::same::same_import;
use crate::rib::{FamilyParams, PeerId, ShardEvent};

/// Import that is to run again: neighbours that an edit touched in the same way stand together.
#[derive(Debug, Default)]
pub struct Reimports(Vec<(Family, Scope, Vec<PeerId>)>);

impl Reimports {
    pub fn add(&mut self, peer: PeerId, family: Family, scope: Scope) {
        let same = |(of, touched, _): &&mut (Family, Scope, _)| *of == family && *touched == scope;
        match self.0.iter_mut().find(same) {
            Some((_, _, peers)) => peers.push(peer),
            None => self.0.push((family, scope, vec![peer])),
        }
    }
}

/// The prefixes that import may judge differently.
pub fn import_scope(old: &FamilyParams, new: &FamilyParams) -> Scope {
    if same_import(old, new) {
        return Scope::none();
    }
    match (&old.import, &new.import) {
        (Some(before), Some(after))
            if same_import(&FamilyParams { import: new.import.clone(), ..old.clone() }, new) =>
        {
            after.scope_since(&**before)
        }
        _ => Scope::All,
    }
}

impl Instance {
    /// The policies are new: chains in use wait, where there are any that differ.
    pub(super) fn hold_policy(&mut self, now: Timestamp) {
        if !self.filters.differ(&self.policies, &self.config.community_aliases) {
            return;
        }
        self.filters.held = true;
        let delay = self.config.policy_delay();
        if self.policy_due.is_none() && delay > 0 {
            self.policy_due = Some(now + Duration::from_secs(u64::from(delay)));
        }
    }

    /// The delay itself may have changed: switched off while an edit waits for it, that edit is applied at once; switched
    /// on, what waited to be told waits for the timer.
    pub(super) fn policy_delay_changed(&mut self, now: Timestamp) {
        let delay = self.config.policy_delay();
        if delay == 0 && self.policy_due.take().is_some() {
            self.filters.held = false;
        } else if delay > 0 && self.filters.held && self.policy_due.is_none() {
            self.policy_due = Some(now + Duration::from_secs(u64::from(delay)));
        }
    }

    /// Applies what waits.
    pub(crate) fn release_policy(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        self.policy_due = None;
        if std::mem::take(&mut self.filters.held) {
            self.apply(now, out);
        }
    }

    pub(super) fn policy_tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.policy_due.is_some_and(|due| due <= now) {
            self.release_policy(now, out);
        }
    }

    /// Tells the shards which imports are to run again.
    pub(super) fn send_reimports(&mut self, out: &mut Vec<Action>) {
        for (family, scope, peers) in std::mem::take(&mut self.reimports).0 {
            let peers: std::sync::Arc<[PeerId]> = peers.into();
            let event = || ShardEvent::Reimport {
                peers: std::sync::Arc::clone(&peers),
                family,
                scope: scope.clone(),
            };
            self.all_shards(event, out);
        }
    }
}
