//! What is OSPFv2's own: IPv4 addresses in the topology, networks as stub links, Link State IDs that are addresses (RFC 2328).

mod describe;
mod opaque;
mod read;

use std::net::{IpAddr, Ipv4Addr};

use bytes::BytesMut;
use ferrite_ospf_packet::opaque as tlv;
use ferrite_ospf_packet::v2::{ExternalLsa, SummaryLsa, mask_len, ty};
use ferrite_ospf_packet::{AreaId, LsId, LsType, LsaKey, Options, V2};
use ferrite_types::ids::RouterId;
use ferrite_types::{Ipv4Prefix, Prefix, Timestamp};

use crate::config::NetworkType;
use crate::event::IfId;
use crate::instance::{Instance, Place};
use crate::interface::Interface;
use crate::lsdb::Lsdb;
use crate::neighbor::NeighborKey;
use crate::send::body;
use crate::version::*;

/// The interface's own address, and the length of its network.
pub(crate) fn own_address(interface: &Interface) -> Option<(Ipv4Addr, u8)> {
    let Some(IpAddr::V4(address)) = interface.link.address else { return None };
    let of = |(other, _): &&(IpAddr, u8)| *other == IpAddr::V4(address);
    let len = interface.link.prefixes.iter().find(of).map_or(32, |(_, len)| *len);
    Some((address, len))
}

fn mask(len: u8) -> u32 {
    Ipv4Prefix::from_bits(0, len).map_or(u32::MAX, |prefix| prefix.mask().to_bits())
}

/// Link State ID of a network: its address; where a shorter one has taken that, with the host bits set (§E).
fn network_id(used: &Wanted, ty: LsType, adv: RouterId, prefix: Ipv4Prefix) -> Option<LsId> {
    network_ids(prefix).into_iter().find(|id| is_free(used, ty, *id, adv))
}

fn network_ids(prefix: Ipv4Prefix) -> [LsId; 2] {
    [LsId(prefix.bits()), LsId(prefix.bits() | !prefix.mask().to_bits())]
}

impl Version for V2 {
    const ROUTER: LsType = ty::ROUTER;
    const NETWORK: LsType = ty::NETWORK;
    const SUMMARY_NETWORK: LsType = ty::SUMMARY_NETWORK;
    const SUMMARY_ROUTER: LsType = ty::SUMMARY_ASBR;
    const EXTERNAL: LsType = ty::EXTERNAL;
    const NSSA: LsType = ty::NSSA;
    const ALL_SPF_ROUTERS: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 5));
    const ALL_D_ROUTERS: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 6));
    const DEFAULT_ROUTE: Prefix = Prefix::V4(Ipv4Prefix::DEFAULT);

    fn neighbor_key(interface: &Interface, router: RouterId, source: IpAddr) -> NeighborKey {
        match interface.config.network {
            NetworkType::Broadcast | NetworkType::NonBroadcast => NeighborKey::Address(source),
            NetworkType::PointToMultipoint if interface.config.neighbors.contains_key(&source) => {
                NeighborKey::Address(source)
            }
            _ => NeighborKey::Router(router),
        }
    }

    fn designated_name(_: RouterId, address: IpAddr) -> Ipv4Addr {
        match address {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        }
    }

    fn hello_link(interface: &Interface) -> u32 {
        match interface.config.network {
            NetworkType::Virtual => 0,
            _ => own_address(interface).map_or(0, |(_, len)| mask(len)),
        }
    }

    fn hello_link_fits(interface: &Interface, link: u32) -> bool {
        let numbered = !matches!(interface.config.network, NetworkType::PointToPoint | NetworkType::Virtual);
        !numbered || link == Self::hello_link(interface)
    }

    fn source_fits(interface: &Interface, source: IpAddr) -> bool {
        let (IpAddr::V4(source), Some((own, len))) = (source, own_address(interface)) else { return false };
        let unnumbered = match interface.config.network {
            NetworkType::PointToPoint => true,
            // Tunnels of a hub: nobody's address is on a network.
            NetworkType::PointToMultipoint => len == 32,
            _ => false,
        };
        source != own
            && (unnumbered || Ipv4Prefix::new(own, len).is_some_and(|network| network.contains(source)))
    }

    fn base_options() -> Options {
        Options::O
    }

    fn takes(ty: LsType, options: Options) -> bool {
        !matches!(ty, ty::OPAQUE_LINK | ty::OPAQUE_AREA | ty::OPAQUE_AS) || options.has(Options::O)
    }

    fn is_topology(ty: LsType) -> bool {
        ty.0 <= ty::NSSA.0
    }

    fn is_grace(key: &LsaKey) -> bool {
        key.ty == ty::OPAQUE_LINK && tlv::kind_of(key.id) == tlv::kind::GRACE
    }

    fn grace_key(_: &Interface, router: RouterId) -> LsaKey {
        LsaKey { ty: ty::OPAQUE_LINK, id: tlv::ls_id(tlv::kind::GRACE, 0), adv: router }
    }

    fn is_ours(instance: &Instance<Self>, key: &LsaKey) -> bool {
        let ours = |interface: &Interface| {
            interface.link.address.is_some_and(|a| a == Ipv4Addr::from_bits(key.id.0))
        };
        key.ty == ty::NETWORK && instance.interfaces.values().any(ours)
    }

    /// Opaque LSAs of type 9.
    fn link_lsas(instance: &Instance<Self>, interface: IfId, wanted: &mut Wanted) {
        opaque::lsas(instance, Place::Link(interface), wanted);
    }

    fn as_lsas(instance: &Instance<Self>, wanted: &mut Wanted) {
        opaque::lsas(instance, Place::As, wanted);
    }

    fn area_lsas(instance: &Instance<Self>, area: AreaId, wanted: &mut Wanted) {
        describe::area(instance, area, wanted);
        opaque::lsas(instance, Place::Area(area), wanted);
    }

    fn summary(
        _: &mut IdPool<Target>,
        used: &Wanted,
        router: RouterId,
        summary: Summary,
    ) -> Option<(LsaKey, BytesMut)> {
        let (ty, id, mask) = match summary.target {
            Target::Network(Prefix::V4(prefix)) => {
                let id = network_id(used, ty::SUMMARY_NETWORK, router, prefix)?;
                (ty::SUMMARY_NETWORK, id, prefix.mask().to_bits())
            }
            Target::Network(Prefix::V6(_)) => return None,
            Target::Router(target) => (ty::SUMMARY_ASBR, LsId::from(target.0), 0),
        };
        let lsa = SummaryLsa { mask, metric: summary.metric };
        Some((LsaKey { ty, id, adv: router }, body(|buf| lsa.put(buf))))
    }

    /// An ID stays with its network: an LSA that told of another one a moment ago is withdrawn and not told anew with a longer mask,
    /// for FRR then keeps the route to the old one.
    fn external(
        ids: &mut IdPool<Prefix>,
        used: &Wanted,
        router: RouterId,
        ty: LsType,
        route: &ExternalRoute,
    ) -> Option<(LsaKey, BytesMut)> {
        let Prefix::V4(prefix) = route.prefix else { return None };
        let forwarding = match route.forwarding {
            Some(IpAddr::V4(address)) => address,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        let mask = prefix.mask().to_bits();
        let lsa = ExternalLsa { mask, type2: route.type2, metric: route.metric, forwarding, tag: route.tag };
        let [plain, filled] = network_ids(prefix);
        let id = LsId(ids.claim(route.prefix, [plain.0, filled.0])?);
        is_free(used, ty, id, router).then(|| (LsaKey { ty, id, adv: router }, body(|buf| lsa.put(buf))))
    }

    fn vertex_of(key: &LsaKey) -> Option<Vertex> {
        match key.ty {
            ty::ROUTER => Some(Vertex::Router(key.adv)),
            ty::NETWORK => Some(Vertex::Network(RouterId::UNSET, key.id.0)),
            _ => None,
        }
    }

    fn links_of(lsdb: &Lsdb, vertex: Vertex, now: Timestamp) -> Vec<Reach> {
        read::links(lsdb, vertex, now)
    }

    fn is_transit(_: &Lsdb, _: RouterId) -> bool {
        true
    }

    fn router_bits(lsdb: &Lsdb, router: RouterId) -> Option<RouterBits> {
        read::router_bits(lsdb, router)
    }

    fn prefixes_of(key: &LsaKey, body: &[u8]) -> Vec<(Vertex, Prefix, u32)> {
        read::prefixes(key, body)
    }

    fn address_on(lsdb: &Lsdb, interface: &Interface, router: RouterId) -> Option<IpAddr> {
        read::address_on(lsdb, interface.designated, router)
    }

    fn own_link(instance: &Instance<Self>, area: AreaId, link: u32) -> Option<IfId> {
        let address = IpAddr::V4(Ipv4Addr::from_bits(link));
        let is = |interface: &Interface| match interface.through {
            Some(through) => through.source == address,
            None => interface.link.address == Some(address),
        };
        let here = instance
            .interfaces
            .iter()
            .filter(|(_, i)| i.config.area == area && i.state > crate::interface::State::Down);
        here.into_iter().find(|(_, i)| is(i)).map(|(id, _)| *id)
    }

    fn read_summary(key: &LsaKey, body: &[u8]) -> Option<Summary> {
        let lsa = SummaryLsa::read(body).ok()?;
        let target = if key.ty == ty::SUMMARY_ASBR {
            Target::Router(RouterId(Ipv4Addr::from_bits(key.id.0)))
        } else {
            Target::Network(Prefix::V4(Ipv4Prefix::from_bits(key.id.0, mask_len(lsa.mask)?)?))
        };
        Some(Summary { target, metric: lsa.metric })
    }

    fn read_external(key: &LsaKey, options: Options, body: &[u8]) -> Option<ExternalRoute> {
        let lsa = ExternalLsa::read(body).ok()?;
        Some(ExternalRoute {
            prefix: Prefix::V4(Ipv4Prefix::from_bits(key.id.0, mask_len(lsa.mask)?)?),
            metric: lsa.metric,
            type2: lsa.type2,
            forwarding: (!lsa.forwarding.is_unspecified()).then_some(IpAddr::V4(lsa.forwarding)),
            tag: lsa.tag,
            propagate: key.ty == ty::NSSA && options.has(Options::NP),
        })
    }

    fn router_address(lsdb: &Lsdb, router: RouterId, to: RouterId) -> Option<IpAddr> {
        read::router_address(lsdb, router, to)
    }
}
