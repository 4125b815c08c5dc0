//! Two connections with one neighbour: which one stays (RFC 4271 §6.8, RFC 6286 §2.3). Both ends come to the same answer.

use super::config::SessionConfig;
use super::fsm::State;
use super::machine::Slot;
use super::open::Negotiated;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing to decide.
    Apart,
    CloseOther,
    CloseThis,
}

/// `slot` has just received the OPEN that led to `negotiated`; `other` is the state of the other connection.
pub(super) fn resolve(slot: Slot, other: State, config: &SessionConfig, negotiated: &Negotiated) -> Verdict {
    match other {
        State::Established => Verdict::CloseThis,
        State::OpenSent | State::OpenConfirm => {
            let ours = (config.router_id.0.to_bits(), negotiated.local_as.0);
            let theirs = (negotiated.remote_id.0.to_bits(), negotiated.remote_as.0);
            // The connection made by the end with the higher identifier stays; equal ones are told apart by the AS.
            let stays = if ours > theirs { Slot::Ours } else { Slot::Theirs };
            if stays == slot { Verdict::CloseOther } else { Verdict::CloseThis }
        }
        // A connection that is still being made waits for this one.
        State::Idle | State::Connect | State::Active => Verdict::Apart,
    }
}
