//! What is OSPFv3's own: topology by router IDs and interface IDs, prefixes in LSAs of their own (RFC 5340), and
//! they may be another family's than IPv6 (RFC 5838).

mod describe;
mod read;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::BytesMut;
use ferrite_ospf_packet::v3::{
    ExternalLsa, InterAreaPrefixLsa, InterAreaRouterLsa, LsaPrefix, PrefixOptions, ty,
};
use ferrite_ospf_packet::{AreaId, Family, LsId, LsType, LsaKey, Options, V3};
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::event::IfId;
use crate::instance::Instance;
use crate::interface::Interface;
use crate::lsdb::Lsdb;
use crate::neighbor::{Neighbor, NeighborKey};
use crate::send::body;
use crate::version::*;

/// What an interface is called in LSAs: the kernel's index, or a virtual link's number.
pub(crate) fn interface_id(interface: &Interface) -> u32 {
    interface.link.ifindex.0
}

impl<F: Family> Version for V3<F> {
    const ROUTER: LsType = ty::ROUTER;
    const NETWORK: LsType = ty::NETWORK;
    const SUMMARY_NETWORK: LsType = ty::INTER_AREA_PREFIX;
    const SUMMARY_ROUTER: LsType = ty::INTER_AREA_ROUTER;
    const EXTERNAL: LsType = ty::EXTERNAL;
    const NSSA: LsType = ty::NSSA;
    const ALL_SPF_ROUTERS: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 5));
    const ALL_D_ROUTERS: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 6));
    const DEFAULT_ROUTE: Prefix = Prefix::default_of(F::AFI);
    const VIRTUAL_LINKS: bool = F::VIRTUAL_LINKS;

    fn neighbor_key(interface: &Interface, router: RouterId, source: IpAddr) -> NeighborKey {
        if interface.config.neighbors.contains_key(&source) {
            NeighborKey::Address(source)
        } else {
            NeighborKey::Router(router)
        }
    }

    fn designated_name(router: RouterId, _: IpAddr) -> Ipv4Addr {
        router.0
    }

    fn hello_link(interface: &Interface) -> u32 {
        interface_id(interface)
    }

    fn hello_link_fits(_: &Interface, _: u32) -> bool {
        true
    }

    fn source_fits(interface: &Interface, source: IpAddr) -> bool {
        matches!(source, IpAddr::V6(source) if source.is_unicast_link_local())
            && interface.link.address != Some(source)
    }

    fn base_options() -> Options {
        F::OPTIONS.with(Options::R)
    }

    fn family_fits(options: Options) -> bool {
        F::fits(options)
    }

    fn next_hop(interface: &Interface, neighbor: &Neighbor) -> Option<IpAddr> {
        if F::LINK_NEXT_HOPS {
            read::told_address::<F>(interface, neighbor.id, Some(neighbor.interface))
        } else {
            Some(neighbor.address)
        }
    }

    fn tells_next_hops(ty: LsType) -> bool {
        F::LINK_NEXT_HOPS && ty == ty::LINK
    }

    fn takes(_: LsType, _: Options) -> bool {
        true
    }

    fn is_topology(ty: LsType) -> bool {
        ty != ty::LINK && ty != ty::GRACE && ty.0 & 0x1fff <= ty::INTRA_AREA_PREFIX.0 & 0x1fff
    }

    fn is_grace(key: &LsaKey) -> bool {
        key.ty == ty::GRACE
    }

    fn grace_key(interface: &Interface, router: RouterId) -> LsaKey {
        LsaKey { ty: ty::GRACE, id: LsId(interface_id(interface)), adv: router }
    }

    fn is_ours(_: &Instance<Self>, _: &LsaKey) -> bool {
        false
    }

    fn link_lsas(instance: &Instance<Self>, interface: IfId, wanted: &mut Wanted) {
        describe::link(instance, interface, wanted);
    }

    fn as_lsas(_: &Instance<Self>, _: &mut Wanted) {}

    fn area_lsas(instance: &Instance<Self>, area: AreaId, wanted: &mut Wanted) {
        describe::area(instance, area, wanted);
    }

    fn summary(
        ids: &mut IdPool<Target>,
        used: &Wanted,
        router: RouterId,
        summary: Summary,
    ) -> Option<(LsaKey, BytesMut)> {
        let id = LsId(ids.id(summary.target));
        let metric = summary.metric;
        let (ty, body) = match summary.target {
            Target::Network(prefix) => {
                // Those of one address inside areas are routers' own; that is said of them outside as well, as FRR does.
                let options = if prefix.is_host() { PrefixOptions::LOCAL } else { PrefixOptions::default() };
                let prefix = LsaPrefix { prefix: F::wire(prefix)?, options };
                (ty::INTER_AREA_PREFIX, body(|buf| InterAreaPrefixLsa { metric, prefix }.put(buf)))
            }
            Target::Router(target) => {
                let options = Self::base_options().with(Options::E);
                let lsa = InterAreaRouterLsa { options, metric, router: target };
                (ty::INTER_AREA_ROUTER, body(|buf| lsa.put(buf)))
            }
        };
        is_free(used, ty, id, router).then_some((LsaKey { ty, id, adv: router }, body))
    }

    fn external(
        ids: &mut IdPool<Prefix>,
        used: &Wanted,
        router: RouterId,
        ty: LsType,
        route: &ExternalRoute,
    ) -> Option<(LsaKey, BytesMut)> {
        let prefix = F::wire(route.prefix)?;
        let id = LsId(ids.id(route.prefix));
        let options = if route.propagate { PrefixOptions::PROPAGATE } else { PrefixOptions::default() };
        let forwarding = route.forwarding.and_then(F::wire_address);
        let lsa = ExternalLsa {
            type2: route.type2,
            metric: route.metric,
            prefix: LsaPrefix { prefix, options },
            forwarding,
            tag: (route.tag != 0).then_some(route.tag),
            referenced: None,
        };
        is_free(used, ty, id, router).then(|| (LsaKey { ty, id, adv: router }, body(|buf| lsa.put(buf))))
    }

    fn vertex_of(key: &LsaKey) -> Option<Vertex> {
        match key.ty {
            ty::ROUTER => Some(Vertex::Router(key.adv)),
            ty::NETWORK => Some(Vertex::Network(key.adv, key.id.0)),
            _ => None,
        }
    }

    fn links_of(lsdb: &Lsdb, vertex: Vertex, now: Timestamp) -> Vec<Reach> {
        read::links(lsdb, vertex, now)
    }

    fn is_transit(lsdb: &Lsdb, router: RouterId) -> bool {
        read::is_transit(lsdb, router, F::TRANSIT)
    }

    fn router_bits(lsdb: &Lsdb, router: RouterId) -> Option<RouterBits> {
        read::router_bits(lsdb, router)
    }

    fn prefixes_of(key: &LsaKey, body: &[u8]) -> Vec<(Vertex, Prefix, u32)> {
        read::prefixes::<F>(key, body)
    }

    fn address_on(_: &Lsdb, interface: &Interface, router: RouterId) -> Option<IpAddr> {
        read::told_address::<F>(interface, router, None)
    }

    fn own_link(instance: &Instance<Self>, area: AreaId, link: u32) -> Option<IfId> {
        let here = |(_, i): &(&IfId, &Interface)| i.config.area == area && interface_id(i) == link;
        instance.interfaces.iter().find(here).map(|(id, _)| *id)
    }

    fn read_summary(key: &LsaKey, body: &[u8]) -> Option<Summary> {
        if key.ty == ty::INTER_AREA_ROUTER {
            let lsa = InterAreaRouterLsa::read(body).ok()?;
            return Some(Summary { target: Target::Router(lsa.router), metric: lsa.metric });
        }
        let lsa = InterAreaPrefixLsa::read(body).ok()?;
        let target = Target::Network(read::unicast::<F>(lsa.prefix)?);
        Some(Summary { target, metric: lsa.metric })
    }

    fn read_external(key: &LsaKey, _: Options, body: &[u8]) -> Option<ExternalRoute> {
        let lsa = ExternalLsa::read(body).ok()?;
        Some(ExternalRoute {
            prefix: read::unicast::<F>(lsa.prefix)?,
            metric: lsa.metric,
            type2: lsa.type2,
            forwarding: lsa.forwarding.map(F::address),
            tag: lsa.tag.unwrap_or(0),
            propagate: key.ty == ty::NSSA && lsa.prefix.options.has(PrefixOptions::PROPAGATE),
        })
    }

    fn router_address(lsdb: &Lsdb, router: RouterId, _: RouterId) -> Option<IpAddr> {
        read::router_address(lsdb, router)
    }
}
