//! Reading an area's LSAs for the calculation (RFC 2328 §16.1).

use std::net::{IpAddr, Ipv4Addr};

use ferrite_ospf_packet::v2::{LinkKind, NetworkLsa, RouterFlags, RouterLsa, mask_len, ty};
use ferrite_ospf_packet::{LsId, LsaKey};
use ferrite_types::ids::RouterId;
use ferrite_types::{Ipv4Prefix, Prefix, Timestamp};

use crate::lsdb::Lsdb;
use crate::version::{Reach, RouterBits, Vertex};

fn router(lsdb: &Lsdb, router: RouterId) -> Option<&crate::lsdb::Entry> {
    lsdb.get(&LsaKey { ty: ty::ROUTER, id: LsId::from(router.0), adv: router })
}

pub(super) fn links(lsdb: &Lsdb, vertex: Vertex, now: Timestamp) -> Vec<Reach> {
    match vertex {
        Vertex::Router(id) => {
            let entry = router(lsdb, id).filter(|entry| !entry.is_max_age(now));
            let lsa = entry.and_then(|entry| RouterLsa::read(entry.lsa.body()).ok()).unwrap_or_default();
            let reach = |link: &ferrite_ospf_packet::v2::RouterLink| {
                let to = match link.kind {
                    LinkKind::PointToPoint | LinkKind::Virtual => {
                        Vertex::Router(RouterId(Ipv4Addr::from_bits(link.id)))
                    }
                    LinkKind::Transit => Vertex::Network(RouterId::UNSET, link.id),
                    LinkKind::Stub => return None,
                };
                Some(Reach { to, cost: u32::from(link.metric), link: link.data })
            };
            lsa.links.iter().filter_map(reach).collect()
        }
        Vertex::Network(_, id) => {
            // Of two routers that both call themselves designated the one still alive counts.
            let alive = lsdb.with_id(ty::NETWORK, LsId(id)).filter(|(_, entry)| !entry.is_max_age(now));
            let read = alive.filter_map(|(_, entry)| NetworkLsa::read(entry.lsa.body()).ok());
            read.flat_map(|lsa| lsa.routers)
                .map(|router| Reach { to: Vertex::Router(router), cost: 0, link: 0 })
                .collect()
        }
    }
}

pub(super) fn router_bits(lsdb: &Lsdb, id: RouterId) -> Option<RouterBits> {
    let lsa = RouterLsa::read(router(lsdb, id)?.lsa.body()).ok()?;
    let flags = lsa.flags;
    Some(RouterBits {
        border: flags.has(RouterFlags::BORDER),
        boundary: flags.has(RouterFlags::BOUNDARY),
        virtual_end: flags.has(RouterFlags::VIRTUAL),
        translator: flags.has(RouterFlags::TRANSLATOR),
        shortcut: flags.has(RouterFlags::SHORTCUT),
        virtual_links: lsa.links.iter().any(|link| link.kind == LinkKind::Virtual),
    })
}

/// Stub links of a router, or a transit network itself.
pub(super) fn prefixes(key: &LsaKey, body: &[u8]) -> Vec<(Vertex, Prefix, u32)> {
    let network = |id: u32, len: u8| Ipv4Prefix::from_bits(id, len).map(Prefix::V4);
    match key.ty {
        ty::ROUTER => {
            let lsa = RouterLsa::read(body).unwrap_or_default();
            let stubs = lsa.links.iter().filter(|link| link.kind == LinkKind::Stub);
            let hung = |link: &ferrite_ospf_packet::v2::RouterLink| {
                let prefix = network(link.id, mask_len(link.data)?)?;
                Some((Vertex::Router(key.adv), prefix, u32::from(link.metric)))
            };
            stubs.filter_map(hung).collect()
        }
        ty::NETWORK => {
            // A mask of one address says that the network is not to be reached (RFC 6860 §2.2).
            let mask = NetworkLsa::read(body).ok().and_then(|lsa| mask_len(lsa.mask));
            let prefix = mask.filter(|len| *len < 32).and_then(|len| network(key.id.0, len));
            let vertex = Vertex::Network(RouterId::UNSET, key.id.0);
            prefix.into_iter().map(|prefix| (vertex, prefix, 0)).collect()
        }
        _ => Vec::new(),
    }
}

/// Its own address on a link of the area.
pub(super) fn router_address(lsdb: &Lsdb, id: RouterId, _: RouterId) -> Option<IpAddr> {
    let lsa = RouterLsa::read(router(lsdb, id)?.lsa.body()).ok()?;
    let own = |link: &&ferrite_ospf_packet::v2::RouterLink| {
        matches!(link.kind, LinkKind::PointToPoint | LinkKind::Transit) && link.data > 0xff_ffff
    };
    lsa.links.iter().find(own).map(|link| IpAddr::V4(Ipv4Addr::from_bits(link.data)))
}

/// Its address on the network of a designated router.
pub(super) fn address_on(lsdb: &Lsdb, designated: Ipv4Addr, id: RouterId) -> Option<IpAddr> {
    let lsa = RouterLsa::read(router(lsdb, id)?.lsa.body()).ok()?;
    let on = |link: &&ferrite_ospf_packet::v2::RouterLink| {
        link.kind == LinkKind::Transit && link.id == designated.to_bits()
    };
    lsa.links.iter().find(on).map(|link| IpAddr::V4(Ipv4Addr::from_bits(link.data)))
}
