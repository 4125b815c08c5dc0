//! OSPFv2 and OSPFv3: octets to types and back.
//!
//! A packet's frame is cut and authenticated first ([`Codec::frame`], [`auth`]), its body decoded second ([`Body`]). LSAs stay
//! the octets they came in ([`Lsa`]): flooding passes them on as they are, and what a calculation needs is read from them by
//! the types in [`v2`], [`v3`] and [`opaque`]. What is wrong with a packet or an LSA is a [`Refusal`], one per reason, so that
//! each can be counted.
//!
//! | module | holds | from |
//! | --- | --- | --- |
//! | [`packet`] | the five packets, the same for both versions | RFC 2328 §A.3, RFC 5340 §A.3 |
//! | [`codec`] | what a version decides: header, Hello, scopes | |
//! | [`auth`] | simple, keyed MD5, HMAC-SHA; OSPFv3's trailer | RFC 2328 §D, 5709, 7166 |
//! | [`family`] | whose prefixes OSPFv3 routes | RFC 5838 |
//! | [`lsa`] | header, checksum, which of two is newer | RFC 2328 §12.1, §13.1 |
//! | [`v2`], [`v3`] | bodies of LSAs | RFC 2328 §A.4, 3101, 5340 §A.4 |
//! | [`opaque`] | TLVs: grace, router information, TE, extended prefix and link | RFC 5250, 3623, 5187, 7770, 3630, 7684 |

pub mod auth;
pub mod codec;
pub mod family;
pub mod ids;
pub mod lsa;
pub mod opaque;
pub mod packet;
mod refusal;
pub mod v2;
pub mod v3;

pub use codec::{Codec, Endpoints, Frame, Scope};
pub use family::{Family, Inet4, Inet6};
pub use ids::{AreaId, LsId, LsType, LsaKey, Options, Sequence};
pub use lsa::{DO_NOT_AGE, Lsa, LsaHeader, MAX_AGE};
pub use packet::{Body, DatabaseDescription, Hello, Kind};
pub use refusal::Refusal;
pub use v2::V2;
pub use v3::V3;
