//! BGP-4 on the wire: octets to types and back, with every fault judged as RFC 7606 says. No IO, no state beyond what
//! the two ends negotiated.

pub mod attr;
pub mod family;
pub mod nlri;

pub use family::{Family, FamilySet};
pub use nlri::{Nlri, NlriEntry, NlriError};
