//! What bgpd's show commands return: owned structs whose fields are rendered twice, as FRR's text (`Display`) and as
//! FRR's JSON (serde). Nothing here gathers anything; `commands` fills the structs from peers and shards.
//!
//! Column widths, wording and keys are those of FRR 10.3; the golden texts in the tests were recorded from it.

pub mod add_path;
pub mod dampening;
pub mod detail;
pub mod explain;
pub mod graceful;
pub mod neighbor;
pub mod neighbor_filters;
pub mod nexthop;
pub mod notation;
pub mod peer_group;
pub mod routes;
pub mod rpki;
pub mod statistics;
pub mod summary;
pub mod text;
pub mod update_group;

use ferrite_types::{Afi, Safi};

/// The key of a family in JSON: `ipv4Unicast`.
pub fn family_key(afi: Afi, safi: Safi) -> &'static str {
    match (afi, safi) {
        (Afi::Ipv4, Safi::Unicast) => "ipv4Unicast",
        (Afi::Ipv4, Safi::Multicast) => "ipv4Multicast",
        (Afi::Ipv4, Safi::LabeledUnicast) => "ipv4LabeledUnicast",
        (Afi::Ipv4, Safi::MplsVpn) => "ipv4Vpn",
        (Afi::Ipv4, Safi::Flowspec) => "ipv4Flowspec",
        (Afi::Ipv6, Safi::Unicast) => "ipv6Unicast",
        (Afi::Ipv6, Safi::Multicast) => "ipv6Multicast",
        (Afi::Ipv6, Safi::LabeledUnicast) => "ipv6LabeledUnicast",
        (Afi::Ipv6, Safi::MplsVpn) => "ipv6Vpn",
        (Afi::Ipv6, Safi::Flowspec) => "ipv6Flowspec",
        (Afi::L2vpn, _) => "l2VpnEvpn",
        (_, Safi::Evpn) => "l2VpnEvpn",
    }
}

/// The name of a family in text: `IPv4 Unicast`.
pub fn family_name(afi: Afi, safi: Safi) -> &'static str {
    match (afi, safi) {
        (Afi::Ipv4, Safi::Unicast) => "IPv4 Unicast",
        (Afi::Ipv4, Safi::Multicast) => "IPv4 Multicast",
        (Afi::Ipv4, Safi::LabeledUnicast) => "IPv4 Labeled Unicast",
        (Afi::Ipv4, Safi::MplsVpn) => "IPv4 VPN",
        (Afi::Ipv4, Safi::Flowspec) => "IPv4 Flowspec",
        (Afi::Ipv6, Safi::Unicast) => "IPv6 Unicast",
        (Afi::Ipv6, Safi::Multicast) => "IPv6 Multicast",
        (Afi::Ipv6, Safi::LabeledUnicast) => "IPv6 Labeled Unicast",
        (Afi::Ipv6, Safi::MplsVpn) => "IPv6 VPN",
        (Afi::Ipv6, Safi::Flowspec) => "IPv6 Flowspec",
        (Afi::L2vpn, _) => "L2VPN EVPN",
        (_, Safi::Evpn) => "L2VPN EVPN",
    }
}
