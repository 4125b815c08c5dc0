//! The vocabulary of the suite: every number that has a meaning is a type of its own, checked once where it
//! enters, with FRR's text form behind `FromStr`, `Display` and serde. This crate knows no protocol, does no IO
//! and reads no clock.

pub mod community;
pub mod ids;
pub mod interface;
pub mod link_params;
pub mod nexthop;
pub mod prefix;
pub mod route;
pub mod srv6;
pub mod text;
pub mod time;
pub mod zclient;

pub use community::{Community, ExtCommunity, Ipv6ExtCommunity, LargeCommunity};
pub use ids::{
    Asn, AsnNotation, Distance, Esi, IfIndex, Label, MacAddr, Metric, RouteDistinguisher, RouterId, TableId,
    Tag, Vni, VrfId,
};
pub use nexthop::{Blackhole, Nexthop, NexthopKind};
pub use prefix::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix, Safi};
pub use route::RouteProtocol;
pub use srv6::{Seg6, Seg6Action, Seg6Local, SidStructure};
pub use text::printable;
pub use time::Timestamp;

/// A text that is not a value of the type it was parsed as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseError {
    pub text: String,
    /// What would have been accepted, as a noun phrase: "an AS number".
    pub expected: &'static str,
}

impl ParseError {
    pub fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.to_owned(), expected }
    }
}

/// Serialises through `Display` and `FromStr`, the one text form that files, shell and JSON share.
macro_rules! serde_as_text {
    ($($ty:ty),+ $(,)?) => {$(
        impl serde::Serialize for $ty {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $ty {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;
