//! BGP-4 on the wire: octets to types and back, with every fault judged as RFC 7606 says. No IO, no state beyond what
//! the two ends negotiated.

pub mod attr;
pub mod bmp;
pub mod capability;
pub mod dynamic;
pub mod family;
pub mod header;
pub mod mrt;
pub mod nlri;
pub mod notification;
pub mod open;
pub mod orf;
pub mod refresh;
pub mod update;

pub use capability::{Capability, FamilyCode};
pub use dynamic::CapabilityChange;
pub use family::{Family, FamilySet, PerFamily};
pub use header::{Frame, MessageType, next_frame};
pub use nlri::{Nlri, NlriEntry, NlriError};
pub use notification::Notification;
pub use open::Open;
pub use refresh::{RefreshKind, RouteRefresh};
pub use update::{Announced, AttributeCache, Update, UpdateError};
