//! What can be wrong with an attribute, and apart from it what that costs the peer (RFC 7606 §2, §7).

use std::net::IpAddr;

use ferrite_types::Asn;

use super::{AsPathError, AttrCode, LimitKind};
use crate::NlriError;

/// What an error costs, mildest first: of several errors the harshest penalty wins (RFC 7606 §3 h).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Penalty {
    /// The attribute is dropped and the route kept.
    DiscardAttribute,
    /// The routes of the UPDATE are withdrawn.
    TreatAsWithdraw,
    /// NOTIFICATION, and the session ends.
    SessionReset,
}

/// A fault of one attribute, or of the attributes as a whole.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AttributeError {
    #[error("{code}: {len} octets")]
    Length { code: AttrCode, len: usize },
    #[error("{code}: flags {flags:#04x} contradict its definition")]
    Flags { code: AttrCode, flags: u8 },
    #[error("{code}: given more than once")]
    Duplicate { code: AttrCode },
    #[error("{code}: not recognised, yet marked well-known")]
    UnknownWellKnown { code: AttrCode },
    #[error("{code}: {reason}")]
    Value { code: AttrCode, reason: &'static str },
    #[error("ORIGIN: value {0}")]
    OriginValue(u8),
    #[error("AS_PATH: {0}")]
    AsPath(AsPathError),
    #[error("AS_PATH: confederation segment from outside the confederation")]
    ConfedSegment,
    #[error("AS_PATH: does not begin with AS {0}")]
    FirstAs(Asn),
    #[error("AS4_PATH: {0}")]
    As4Path(AsPathError),
    #[error("next hop {0}")]
    NextHop(IpAddr),
    /// In the message's own fields.
    #[error("routes: {0}")]
    Routes(NlriError),
    #[error("{code}: {error}")]
    Nlri { code: AttrCode, error: NlriError },
    #[error("attributes run past their total length")]
    Overrun,
    #[error("{0} is missing")]
    Missing(AttrCode),
    #[error("{0}: refused by configuration")]
    Configured(AttrCode),
    #[error("{count} {kind}, more than the limit of {limit}")]
    Limit { kind: LimitKind, count: usize, limit: u16 },
}

/// The penalty of each error. The rules of single attributes come first, then the general ones.
pub fn penalty(error: &AttributeError) -> Penalty {
    use AttributeError as E;
    match error {
        // §7.6, §7.7: they inform and decide nothing.
        E::Length { code: AttrCode::ATOMIC_AGGREGATE | AttrCode::AGGREGATOR, .. }
        | E::Value { code: AttrCode::AGGREGATOR, .. } => Penalty::DiscardAttribute,
        // RFC 6793 §6, RFC 7311 §3, RFC 8669 §6, RFC 9552 §8.2.2.
        E::As4Path(_)
        | E::Length { code: AttrCode::AS4_PATH | AttrCode::AS4_AGGREGATOR, .. }
        | E::Value { code: AttrCode::AS4_AGGREGATOR, .. }
        | E::Flags { code: AttrCode::AS4_PATH | AttrCode::AS4_AGGREGATOR, .. }
        | E::Length { code: AttrCode::AIGP | AttrCode::BGP_LS | AttrCode::PREFIX_SID, .. }
        | E::Value { code: AttrCode::AIGP | AttrCode::BGP_LS | AttrCode::PREFIX_SID, .. }
        | E::Flags { code: AttrCode::AIGP | AttrCode::PREFIX_SID, .. } => Penalty::DiscardAttribute,
        // §3 g: twice the multiprotocol attributes leaves open which one counts.
        E::Duplicate { code: AttrCode::MP_REACH_NLRI | AttrCode::MP_UNREACH_NLRI } => Penalty::SessionReset,
        E::Duplicate { .. } => Penalty::DiscardAttribute,
        // §5.3, §7.11, §7.12: nobody can say which routes are meant.
        E::Routes(_)
        | E::Nlri { .. }
        | E::Length { code: AttrCode::MP_REACH_NLRI | AttrCode::MP_UNREACH_NLRI, .. } => {
            Penalty::SessionReset
        }
        // RFC 4271 §6.3, not relaxed by RFC 7606.
        E::UnknownWellKnown { .. } => Penalty::SessionReset,
        E::Length { .. }
        | E::Flags { .. }
        | E::Value { .. }
        | E::OriginValue(_)
        | E::AsPath(_)
        | E::ConfedSegment
        | E::FirstAs(_)
        | E::NextHop(_)
        | E::Overrun
        | E::Missing(_)
        | E::Limit { .. }
        | E::Configured(_) => Penalty::TreatAsWithdraw,
    }
}

/// An error with its price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub error: AttributeError,
    pub penalty: Penalty,
}

impl From<AttributeError> for Fault {
    fn from(error: AttributeError) -> Self {
        let penalty = penalty(&error);
        Self { error, penalty }
    }
}
