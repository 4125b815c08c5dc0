//! Interfaces, addresses, VRFs and router identifiers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::zclient::{ResolveNeighbor, RouterAdvertisements};
use ferrite_types::{IfIndex, MacAddr, RouterId, VrfId};

use super::value::{addr, addr_octets, addr_option, narrow};
use super::{ConvertError, pb};

impl From<&Interface> for pb::Interface {
    fn from(i: &Interface) -> Self {
        Self {
            name: i.name.clone(),
            ifindex: i.ifindex.0,
            vrf: i.vrf.0,
            up: i.up,
            running: i.running,
            loopback: i.loopback,
            point_to_point: i.point_to_point,
            broadcast: i.broadcast,
            multicast: i.multicast,
            mtu: i.mtu,
            speed: i.speed,
            mac: i.mac.map(|mac| mac.0.to_vec()).unwrap_or_default(),
        }
    }
}

impl TryFrom<pb::Interface> for Interface {
    type Error = ConvertError;
    fn try_from(pb: pb::Interface) -> Result<Self, ConvertError> {
        let mac = match pb.mac.as_slice() {
            [] => None,
            octets => Some(MacAddr(
                octets
                    .try_into()
                    .map_err(|_| ConvertError::AddressLength { field: "mac", len: octets.len() })?,
            )),
        };
        Ok(Self {
            name: pb.name,
            ifindex: IfIndex(pb.ifindex),
            vrf: VrfId(pb.vrf),
            up: pb.up,
            running: pb.running,
            loopback: pb.loopback,
            point_to_point: pb.point_to_point,
            broadcast: pb.broadcast,
            multicast: pb.multicast,
            mtu: pb.mtu,
            speed: pb.speed,
            mac,
        })
    }
}

pub fn address_change(gone: bool, ifindex: IfIndex, address: &InterfaceAddress) -> pb::AddressChange {
    pb::AddressChange {
        gone,
        ifindex: ifindex.0,
        addr: addr_octets(address.addr),
        prefix_len: address.prefix_len.into(),
        peer: address.peer.map(addr_octets).unwrap_or_default(),
        secondary: address.secondary,
    }
}

pub fn address(pb: &pb::AddressChange) -> Result<(IfIndex, InterfaceAddress), ConvertError> {
    let addr = addr("addr", &pb.addr)?;
    let peer = addr_option("peer", &pb.peer)?;
    let prefix_len: u8 = narrow("prefix_len", pb.prefix_len)?;
    let bits = if addr.is_ipv4() { 32 } else { 128 };
    if prefix_len > bits {
        return Err(ConvertError::Range { field: "prefix_len", value: prefix_len.into() });
    }
    if peer.is_some_and(|peer| peer.is_ipv4() != addr.is_ipv4()) {
        return Err(ConvertError::AddressLength { field: "peer", len: pb.peer.len() });
    }
    Ok((IfIndex(pb.ifindex), InterfaceAddress { addr, prefix_len, peer, secondary: pb.secondary }))
}

pub fn advertisements(wish: RouterAdvertisements) -> pb::RouterAdvertisements {
    pb::RouterAdvertisements { vrf: wish.vrf.0, ifindex: wish.ifindex.0, interval: wish.interval }
}

pub fn advertisements_wanted(pb: &pb::RouterAdvertisements) -> RouterAdvertisements {
    RouterAdvertisements { vrf: VrfId(pb.vrf), ifindex: IfIndex(pb.ifindex), interval: pb.interval }
}

pub fn resolve(wanted: ResolveNeighbor) -> pb::ResolveNeighbor {
    pb::ResolveNeighbor { ifindex: wanted.ifindex.0, addr: super::value::addr_octets(wanted.addr) }
}

pub fn resolve_wanted(pb: &pb::ResolveNeighbor) -> Result<ResolveNeighbor, ConvertError> {
    Ok(ResolveNeighbor { ifindex: IfIndex(pb.ifindex), addr: addr("addr", &pb.addr)? })
}

pub fn link_neighbor_message(ifindex: IfIndex, neighbor: Ipv6Addr, present: bool) -> pb::LinkNeighbor {
    pb::LinkNeighbor { ifindex: ifindex.0, addr: neighbor.octets().to_vec(), gone: !present }
}

pub fn link_neighbor(pb: &pb::LinkNeighbor) -> Result<(IfIndex, Ipv6Addr), ConvertError> {
    match addr("addr", &pb.addr)? {
        IpAddr::V6(neighbor) => Ok((IfIndex(pb.ifindex), neighbor)),
        IpAddr::V4(_) => Err(ConvertError::AddressLength { field: "addr", len: 4 }),
    }
}

pub fn router_id(pb: &pb::RouterId) -> Result<(VrfId, RouterId), ConvertError> {
    match addr("router_id", &pb.router_id)? {
        IpAddr::V4(id) => Ok((VrfId(pb.vrf), RouterId(id))),
        IpAddr::V6(_) => Err(ConvertError::AddressLength { field: "router_id", len: 16 }),
    }
}

pub fn router_id_message(vrf: VrfId, id: RouterId) -> pb::RouterId {
    let octets: Ipv4Addr = id.0;
    pb::RouterId { vrf: vrf.0, router_id: octets.octets().to_vec() }
}
