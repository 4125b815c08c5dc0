//! What two ends agreed on about restarts (RFC 4724, RFC 8538, RFC 9494), and which ends of a session are restarts.

use std::time::Duration;

use bgp_packet::capability::{Capability, GracefulRestart, LongLived};
use bgp_packet::notification::{Notification, cease};
use bgp_packet::{Family, FamilySet, Open};

use super::open::Negotiated;
use super::reason::{DownReason, LastReset};

fn graceful(open: &Open) -> Option<&GracefulRestart> {
    open.capabilities.iter().find_map(|capability| match capability {
        Capability::GracefulRestart(restart) => Some(restart),
        _ => None,
    })
}

fn long_lived(open: &Open) -> Option<&[LongLived]> {
    open.capabilities.iter().find_map(|capability| match capability {
        Capability::LongLivedGracefulRestart(families) => Some(families.as_slice()),
        _ => None,
    })
}

impl Negotiated {
    /// What we said.
    pub fn our_restart(&self) -> Option<&GracefulRestart> {
        graceful(&self.sent)
    }

    /// What the neighbour said, where we said something too.
    pub fn their_restart(&self) -> Option<&GracefulRestart> {
        graceful(&self.received).filter(|_| self.our_restart().is_some())
    }

    /// What the neighbour asks for after its restart time, where we offered it.
    pub fn their_long_lived(&self) -> Option<&[LongLived]> {
        long_lived(&self.received).filter(|_| long_lived(&self.sent).is_some())
    }

    /// NOTIFICATIONs and hold timers are restarts too (RFC 8538 §2): both said so.
    pub fn notifications_are_restarts(&self) -> bool {
        self.their_restart().is_some_and(|restart| restart.notification)
            && self.our_restart().is_some_and(|restart| restart.notification)
    }

    /// Families whose routes the neighbour wants kept when the session is lost.
    pub fn kept_families(&self) -> FamilySet {
        let theirs = self.their_restart().into_iter().flat_map(|restart| &restart.families);
        let families: FamilySet = theirs.filter_map(|(code, _)| code.known()).collect();
        families.intersection(self.families)
    }

    /// Families whose forwarding state the neighbour has kept over its restart.
    pub fn forwarding_families(&self) -> FamilySet {
        let theirs = self.their_restart().into_iter().flat_map(|restart| &restart.families);
        let families: FamilySet =
            theirs.filter(|(_, forwarding)| *forwarding).filter_map(|(code, _)| code.known()).collect();
        families.intersection(self.families)
    }

    fn long_lived_of(&self, family: Family) -> Option<&LongLived> {
        self.their_long_lived()?.iter().find(|entry| entry.family == family.into())
    }

    /// How long routes of a family are kept after the restart time; `None`: not at all.
    pub fn long_lived_time(&self, family: Family) -> Option<Duration> {
        let entry = self.long_lived_of(family).filter(|entry| entry.stale_time > 0)?;
        Some(Duration::from_secs(entry.stale_time.into()))
    }

    /// Whether routes that live long are still good to forward by, now that the neighbour is back (RFC 9494 §4.2).
    pub fn long_lived_forwarding(&self, family: Family) -> bool {
        self.long_lived_of(family).is_some_and(|entry| entry.forwarding)
    }

    /// Whether what we are about to say is to end the session for good (RFC 8538 §5.1). An administrative reset does
    /// where `bgp hard-administrative-reset` holds.
    pub fn says_hard_reset(&self, word: &Notification, hard_administrative_reset: bool) -> bool {
        self.notifications_are_restarts()
            && word.code == cease::CODE
            && match word.subcode {
                cease::MAX_PREFIXES
                | cease::ADMIN_SHUTDOWN
                | cease::DECONFIGURED
                | cease::HARD_RESET
                | cease::BFD_DOWN => true,
                cease::ADMIN_RESET => hard_administrative_reset,
                _ => false,
            }
    }

    /// Families whose routes are kept after the session ended in this way.
    pub fn kept_after(&self, reset: &LastReset) -> FamilySet {
        let restart = match (&reset.notification, reset.by_request) {
            _ if reset.hard => false,
            (None, _) => true,
            (Some(_), false) => self.notifications_are_restarts(),
            (Some(_), true) => self.notifications_are_restarts() && same_neighbour(reset.reason),
        };
        if restart { self.kept_families() } else { FamilySet::EMPTY }
    }
}

/// Whether the neighbour is the same one, to the same end, when it comes back after we ended the session.
fn same_neighbour(reason: DownReason) -> bool {
    matches!(
        reason,
        DownReason::UserReset
            | DownReason::CapabilityChanged
            | DownReason::FamilyActivated
            | DownReason::UpdateSourceChanged
            | DownReason::PassiveChanged
            | DownReason::MultihopChanged
            | DownReason::PasswordChanged
            | DownReason::InterfaceDown
    )
}
