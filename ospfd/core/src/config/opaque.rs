//! What we say in opaque LSAs (RFC 5250): router information (RFC 7770) and traffic engineering (RFC 3630).

use std::net::Ipv4Addr;

use ferrite_ospf_packet::AreaId;
use ferrite_ospf_packet::opaque::Tlv;

/// `router-info area` or `router-info as`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouterInformation {
    /// Flooded throughout the AS, not in each area by itself.
    pub as_scope: bool,
    /// Dynamic host name (RFC 5642).
    pub hostname: Option<String>,
    /// What else is said, such as PCE discovery.
    pub tlvs: Vec<Tlv>,
}

/// `mpls-te on`, with the address that stands for the router (RFC 3630 §2.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TrafficEngineering {
    pub router_address: Option<Ipv4Addr>,
    /// Links to other autonomous systems are announced.
    pub inter_as: Option<InterAs>,
}

/// How far links to other autonomous systems are told (RFC 5392 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InterAs {
    As,
    Area(AreaId),
}

/// Octets per second as RFC 3630 sends them: IEEE floating point, kept as its bits so that it can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bandwidth(pub u32);

impl Bandwidth {
    pub fn from_f32(octets: f32) -> Self {
        Self(octets.to_bits())
    }

    pub fn as_f32(self) -> f32 {
        f32::from_bits(self.0)
    }
}

/// `link-params` of an interface (RFC 3630 §2.5); what is not set is not said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkParams {
    pub metric: Option<u32>,
    pub max_bandwidth: Option<Bandwidth>,
    pub max_reservable: Option<Bandwidth>,
    /// By priority.
    pub unreserved: Option<[Bandwidth; 8]>,
    pub admin_group: Option<u32>,
    /// The boundary router and its autonomous system at the other end (RFC 5392 §3.3).
    pub remote: Option<(Ipv4Addr, u32)>,
    /// Further sub-TLVs (RFC 7308, RFC 7471): more groups, delay, loss.
    pub tlvs: Vec<Tlv>,
}
