//! BGP-4 on the wire: octets to types and back, with every fault judged as RFC 7606 says. No IO, no state beyond what
//! the two ends negotiated.

pub mod attr;
