//! Extended sequence numbers in `show ip ospf interface` (RFC 7474).

use std::fmt;

use ferrite_ospf::config::{Authentication, InterfaceConfig};
use ferrite_ospf::packet::V2;
use serde::Serialize;

use crate::show::At;

/// Whether they are in use where they are asked for.
#[derive(Serialize)]
pub struct Extended {
    state: State,
    #[serde(rename = "bootCount", skip_serializing_if = "Option::is_none")]
    boots: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    InUse,
    /// There are keys, and none is an HMAC-SHA one.
    NoKey,
    /// Packets are not signed.
    WithoutEffect,
}

impl Extended {
    pub fn new(at: At<'_, V2>, config: &InterfaceConfig) -> Option<Self> {
        if !config.extended_sequence {
            return None;
        }
        let state = match &config.authentication {
            Authentication::None | Authentication::Simple(_) => State::WithoutEffect,
            Authentication::Keys(keys) if keys.is_empty() => State::NoKey,
            Authentication::Chain(keys) if keys.is_empty() => State::NoKey,
            Authentication::Keys(_) | Authentication::Chain(_) => State::InUse,
        };
        let boots = (state == State::InUse).then(|| at.process.core.config().boot_count);
        Some(Self { state, boots })
    }

    pub fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  Extended sequence numbers: ")?;
        match (self.state, self.boots) {
            (State::InUse, boots) => writeln!(f, "in use, boot count {}", boots.unwrap_or(0)),
            (State::NoKey, _) => writeln!(f, "no HMAC-SHA key, nothing is sent or taken"),
            (State::WithoutEffect, _) => writeln!(f, "without effect, packets are not signed"),
        }
    }
}
