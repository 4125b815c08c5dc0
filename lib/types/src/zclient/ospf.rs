//! What OSPF may say of a route beside what forwarding needs (`ospf send-extra-data zebra`).

use std::fmt;
use std::net::Ipv4Addr;

/// Path types (RFC 2328 §11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OspfPath {
    /// Of this area.
    IntraArea(Ipv4Addr),
    InterArea(Ipv4Addr),
    External1,
    External2,
}

/// The tag is that of the route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OspfRoute {
    pub path: OspfPath,
}

impl OspfPath {
    /// The area that a path of an area is in.
    #[must_use]
    pub const fn area(self) -> Option<Ipv4Addr> {
        match self {
            Self::IntraArea(area) | Self::InterArea(area) => Some(area),
            Self::External1 | Self::External2 => None,
        }
    }
}

impl fmt::Display for OspfPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IntraArea(_) => "Intra-Area",
            Self::InterArea(_) => "Inter-Area",
            Self::External1 => "External-1",
            Self::External2 => "External-2",
        })
    }
}
